/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The system as tests of nodes want it: these functions of the C library are replaced in the whole
 * test program, and do as usual until told otherwise.
 */
#ifndef GCL_TEST_NET_SYSTEM_H
#define GCL_TEST_NET_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

struct test_system {
    size_t sends;             /* calls of send() */
    long clock_offset_s;      /* added to the clock that people set */
    void (*monotonic)(void);  /* called by who reads the other one, before that */
    const char *hanging_host; /* getaddrinfo() for it does not return ... */
    const char *known_host;   /* getaddrinfo() for it gives `known_address` */
    const char *known_address;
    _Atomic bool is_hanging;        /* ... while this is true */
    _Atomic unsigned hanging_calls; /* ... and is in this many threads */
};

extern struct test_system test_system;

/** Descriptors that this process has open. */
unsigned test_count_files(void);

/** Leaves so many to be had, until test_leave_enough_files(). */
void test_leave_files(unsigned count);
void test_leave_enough_files(void);

#endif

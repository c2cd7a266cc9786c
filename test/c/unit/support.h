/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What unit tests share: an allocator that counts and that can be told to fail.
 *
 *     gcl_test_memory mem;
 *     const gcl_allocator *allocator = gcl_test_begin(&mem);
 *     ... the test ...
 *     gcl_test_end(&mem);
 *
 * A test asserts its own leaks this way: Criterion runs each test in a child process and does not
 * look at what LeakSanitizer says there.
 */
#ifndef GCL_TEST_UNIT_SUPPORT_H
#define GCL_TEST_UNIT_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/alloc.h>

typedef struct gcl_test_memory {
    gcl_allocator allocator; /* its `user` is this struct, which therefore must not move */
    size_t live;             /* blocks that are not freed */
    size_t live_bytes;       /* their sizes */
    size_t peak_bytes;       /* the highest live_bytes so far */
    size_t total;            /* successful calls of alloc and resize */
    size_t attempts;         /* all calls of alloc and resize, the failed ones too */
    size_t fail_at;          /* this attempt fails and every one after it; 0: none does */
} gcl_test_memory;

/** Sets all counters to zero. The result is borrowed and lives as long as `mem`. */
const gcl_allocator *gcl_test_begin(gcl_test_memory *mem);

/** The n-th attempt counted from now (1: the next one) fails, and all after it; 0: none does. */
void gcl_test_fail_at(gcl_test_memory *mem, size_t n);

/** Asserts that every block has been freed. */
void gcl_test_end(const gcl_test_memory *mem);

/** One pseudorandom number; the same seed gives the same sequence (splitmix64). */
uint64_t gcl_test_random(uint64_t *state);

/** The seed for a random test: GCL_SEED of the environment or a fresh one; printed either way. */
uint64_t gcl_test_seed(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Sockets that another thread can take away from the loop thread, whatever that one is doing.
 *
 * The guard has a duplicate of each descriptor: who closes its own one does not have to wait for
 * anybody, and a number that the system has given to somebody else meanwhile is never touched. A
 * duplicate keeps the connection open, so it is removed before the descriptor is closed.
 */
#ifndef GCL_NET_GUARD_H
#define GCL_NET_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

enum { GCL_GUARD_NONE = -1 };

/** Embedded by its owner; private. */
struct gcl_guard {
    const gcl_allocator *mem;
    pthread_mutex_t lock; /* of what follows, which only the loop thread changes, but for is_cut */
    int *fds; /* the duplicate in this slot; of a free one the next free one, see guard.c */
    size_t capacity;
    bool is_cut;
    int free; /* the loop thread's: the first free slot, or GCL_GUARD_NONE */
};

/** `mem` is borrowed until gcl_guard_clear(). False: the system gives no lock. */
bool gcl_guard_init(struct gcl_guard *guard, const gcl_allocator *mem);

/**
 * Loop thread. Takes a socket into its care that listens, or has begun to connect: before that the
 * system shuts nothing down, and what comes of it later would stay. Sets `*slot`; without a guard
 * (NULL) to GCL_GUARD_NONE. After gcl_guard_cut() the socket is shut down at once. 0, GCL_ENOMEM,
 * GCL_ESYS with errno (no descriptor is left).
 */
int gcl_guard_add(struct gcl_guard *guard, int fd, int *slot) GCL_MUST_USE;

/** Loop thread, before the socket is closed. Sets `*slot` to GCL_GUARD_NONE; idempotent. */
void gcl_guard_remove(struct gcl_guard *guard, int *slot);

/**
 * Any thread. Shuts all sockets down, both ways, and those that are added until gcl_guard_mend().
 * Returns how many there were. Does not block.
 */
size_t gcl_guard_cut(struct gcl_guard *guard);

/** Loop thread. What is added from now on stays as it is. */
void gcl_guard_mend(struct gcl_guard *guard);

/** Loop thread. Lets go of all sockets and of all memory. */
void gcl_guard_clear(struct gcl_guard *guard);

/** Any thread, after gcl_guard_clear() and when no other one uses it. */
void gcl_guard_fini(struct gcl_guard *guard);

#endif

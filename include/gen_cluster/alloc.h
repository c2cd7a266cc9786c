/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The memory functions of a node. What it allocates goes through the ones it was given, but for
 * what other threads touch (posts, work, look-ups of hosts, the watchdog): that comes from
 * malloc().
 */
#ifndef GEN_CLUSTER_ALLOC_H
#define GEN_CLUSTER_ALLOC_H

#include <stddef.h>

#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called on the loop thread only. `alloc` and `resize` return NULL when there is no memory; then a
 * failed `resize` has kept the old block. Sizes are never 0; `free` is called with NULL.
 */
typedef struct gcl_allocator {
    void *user;
    void *(*alloc)(void *user, size_t size);
    void *(*resize)(void *user, void *block, size_t size);
    void (*free)(void *user, void *block);
} gcl_allocator;

/** malloc(), realloc() and free(). The result is static and constant. */
GCL_API const gcl_allocator *gcl_allocator_default(void);

#ifdef __cplusplus
}
#endif

#endif

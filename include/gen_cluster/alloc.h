/* SPDX-License-Identifier: Apache-2.0 */
/** The memory functions of a node. Everything a node allocates goes through the one it was given.
 */
#ifndef GEN_CLUSTER_ALLOC_H
#define GEN_CLUSTER_ALLOC_H

#include <stddef.h>

#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called on the loop thread only, but for the block behind gcl_post(), see there. `alloc` and
 * `resize` return NULL when there is no memory; then a failed `resize` has kept the old block.
 * Sizes are never 0; `free` is called with NULL.
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

/* SPDX-License-Identifier: Apache-2.0 */
/** Shorthands over gcl_allocator, and the only place where arithmetic on block sizes is done. */
#ifndef GCL_BASE_ALLOC_H
#define GCL_BASE_ALLOC_H

#include <stddef.h>

#include <gen_cluster/alloc.h>

/** NULL when there is no memory. `size` must not be 0. */
void *gcl_alloc(const gcl_allocator *mem, size_t size) GCL_MUST_USE;

/** As gcl_alloc(), filled with zero bytes. */
void *gcl_alloc_zero(const gcl_allocator *mem, size_t size) GCL_MUST_USE;

/** `count` elements of `size` bytes, zeroed; NULL also when the product does not fit. */
void *gcl_alloc_array(const gcl_allocator *mem, size_t count, size_t size) GCL_MUST_USE;

/** NULL when there is no memory; then `block` is as it was. */
void *gcl_resize(const gcl_allocator *mem, void *block, size_t size) GCL_MUST_USE;

/** A copy of `size` bytes; `size` 0 gives a block of one byte, so that NULL means failure only. */
void *gcl_alloc_copy(const gcl_allocator *mem, const void *bytes, size_t size) GCL_MUST_USE;

void gcl_free(const gcl_allocator *mem, void *block);

/** Overwrites `size` bytes in a way that is not optimised away: cookies and digests. */
void gcl_wipe(void *bytes, size_t size);

/** The struct of which `pointer` is the member. */
#define GCL_CONTAINER_OF(pointer, type, member)                                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif

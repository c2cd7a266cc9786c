/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A queue of bytes: appended at the end, taken from the front. Read and write buffers of sockets
 * and everything that is encoded. Room once grown is kept, so that a warm connection does not
 * allocate. Writing several pieces that belong together is a transaction: take a mark first, and
 * roll back to it when a piece did not fit; then no byte of it is left.
 */
#ifndef GCL_BASE_BUFFER_H
#define GCL_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/str.h"

struct gcl_buffer {
    const gcl_allocator *mem;
    uint8_t *bytes;
    size_t start;    /* first byte that was not taken yet */
    size_t end;      /* behind the last byte */
    size_t capacity; /* of the block */
    size_t limit;    /* most bytes it may hold; 0: no limit */
};

/** `mem` is borrowed for the life of the buffer. Allocates nothing. */
void gcl_buffer_init(struct gcl_buffer *buffer, const gcl_allocator *mem, size_t limit);

/** Gives the block back; the buffer may be used again. */
void gcl_buffer_fini(struct gcl_buffer *buffer);

static inline size_t gcl_buffer_size(const struct gcl_buffer *buffer)
{
    return buffer->end - buffer->start;
}

/** The bytes not taken yet, or NULL; valid until the next call that changes the buffer. */
static inline const uint8_t *gcl_buffer_bytes(const struct gcl_buffer *buffer)
{
    return buffer->start > 0 ? buffer->bytes + buffer->start : buffer->bytes; /* no NULL + 0 in C */
}

/**
 * Makes room for `size` more bytes behind the end and returns it, or NULL: GCL_ELIMIT or
 * GCL_ENOMEM in `*error`. Follow with gcl_buffer_added().
 */
uint8_t *gcl_buffer_room(struct gcl_buffer *buffer, size_t size, int *error) GCL_MUST_USE;

/** How many bytes can be written behind the end without growing. */
static inline size_t gcl_buffer_spare(const struct gcl_buffer *buffer)
{
    return buffer->capacity - buffer->end;
}

/** `size` bytes were written into the room. */
static inline void gcl_buffer_added(struct gcl_buffer *buffer, size_t size)
{
    buffer->end += size;
}

/** Each returns 0, GCL_ELIMIT or GCL_ENOMEM, and on error has added nothing. */
int gcl_buffer_append(struct gcl_buffer *buffer, const void *bytes, size_t size) GCL_MUST_USE;
int gcl_buffer_append_u8(struct gcl_buffer *buffer, uint8_t value) GCL_MUST_USE;
int gcl_buffer_append_u32(struct gcl_buffer *buffer, uint32_t value) GCL_MUST_USE;
int gcl_buffer_append_u64(struct gcl_buffer *buffer, uint64_t value) GCL_MUST_USE;

static inline int gcl_buffer_append_str(struct gcl_buffer *buffer, struct gcl_str str)
{
    return gcl_buffer_append(buffer, str.bytes, str.size);
}

/** Takes `size` bytes from the front; `size` must not exceed gcl_buffer_size(). */
void gcl_buffer_take(struct gcl_buffer *buffer, size_t size);

/** Takes everything. */
void gcl_buffer_clear(struct gcl_buffer *buffer);

/** Position of the end, for gcl_buffer_rollback(). Only valid while nothing is taken. */
static inline size_t gcl_buffer_mark(const struct gcl_buffer *buffer)
{
    return gcl_buffer_size(buffer);
}

/** Removes what was added since the mark. */
static inline void gcl_buffer_rollback(struct gcl_buffer *buffer, size_t mark)
{
    buffer->end = buffer->start + mark;
}

/** Overwrites four bytes that were appended `mark` bytes behind the front: a length known later. */
void gcl_buffer_patch_u32(struct gcl_buffer *buffer, size_t mark, uint32_t value);

/** Gives back a block larger than `size` when the buffer is empty. */
void gcl_buffer_shrink(struct gcl_buffer *buffer, size_t size);

#endif

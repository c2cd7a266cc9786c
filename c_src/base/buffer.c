/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <string.h>

#include <gen_cluster/error.h>

enum { FIRST_CAPACITY = 256 };

void gcl_buffer_init(struct gcl_buffer *buffer, const gcl_allocator *mem, size_t limit)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->mem = mem;
    buffer->limit = limit;
}

void gcl_buffer_fini(struct gcl_buffer *buffer)
{
    gcl_free(buffer->mem, buffer->bytes);
    gcl_buffer_init(buffer, buffer->mem, buffer->limit);
}

static void move_to_front(struct gcl_buffer *buffer)
{
    size_t size = gcl_buffer_size(buffer);
    if (buffer->bytes == NULL || buffer->start == 0)
        return;
    if (size > 0)
        memmove(buffer->bytes, buffer->bytes + buffer->start, size);
    buffer->start = 0;
    buffer->end = size;
}

static bool grow(struct gcl_buffer *buffer, size_t wanted)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < wanted) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    uint8_t *bytes = gcl_resize(buffer->mem, buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

uint8_t *gcl_buffer_room(struct gcl_buffer *buffer, size_t size, int *error)
{
    size_t held = gcl_buffer_size(buffer);
    if (buffer->limit > 0 && (held > buffer->limit || size > buffer->limit - held)) {
        *error = GCL_ELIMIT;
        return NULL;
    }
    if (size <= gcl_buffer_spare(buffer) && buffer->bytes != NULL)
        return buffer->bytes + buffer->end;
    if (size > SIZE_MAX - held) {
        *error = GCL_ENOMEM;
        return NULL;
    }
    /* Moving pays only when most of the block was taken; else growing keeps the cost linear. */
    if (buffer->start >= held)
        move_to_front(buffer);
    if (size > gcl_buffer_spare(buffer) || buffer->bytes == NULL) {
        move_to_front(buffer);
        if (!grow(buffer, held + size)) {
            *error = GCL_ENOMEM;
            return NULL;
        }
    }
    return buffer->bytes + buffer->end;
}

int gcl_buffer_append(struct gcl_buffer *buffer, const void *bytes, size_t size)
{
    int error = 0;
    if (size == 0)
        return 0;
    uint8_t *room = gcl_buffer_room(buffer, size, &error);
    if (room == NULL)
        return error;
    memcpy(room, bytes, size);
    gcl_buffer_added(buffer, size);
    return 0;
}

int gcl_buffer_append_u8(struct gcl_buffer *buffer, uint8_t value)
{
    return gcl_buffer_append(buffer, &value, 1);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

int gcl_buffer_append_u32(struct gcl_buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    return gcl_buffer_append(buffer, bytes, sizeof bytes);
}

int gcl_buffer_append_u64(struct gcl_buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    put_u32(bytes, (uint32_t)(value >> 32));
    put_u32(bytes + 4, (uint32_t)value);
    return gcl_buffer_append(buffer, bytes, sizeof bytes);
}

void gcl_buffer_take(struct gcl_buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void gcl_buffer_clear(struct gcl_buffer *buffer)
{
    buffer->start = buffer->end = 0;
}

void gcl_buffer_patch_u32(struct gcl_buffer *buffer, size_t mark, uint32_t value)
{
    put_u32(buffer->bytes + buffer->start + mark, value);
}

void gcl_buffer_shrink(struct gcl_buffer *buffer, size_t size)
{
    if (gcl_buffer_size(buffer) == 0 && buffer->capacity > size)
        gcl_buffer_fini(buffer);
}

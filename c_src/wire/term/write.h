/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Writing single terms, byte for byte as libei does. The gcl_put_* write into room that the caller
 * made, of the size named, and return the place behind; the gcl_write_* append to a buffer and
 * return 0, GCL_ELIMIT or GCL_ENOMEM, and on error have added nothing. Ids and atoms:
 * wire/term/id.h.
 */
#ifndef GCL_WIRE_TERM_WRITE_H
#define GCL_WIRE_TERM_WRITE_H

#include "base/buffer.h"
#include "base/put.h"
#include "wire/term/tag.h"

enum {
    GCL_PUT_INT_ROOM = 11,
    GCL_PUT_DOUBLE_ROOM = 9,
    GCL_PUT_HEAD_ROOM = 5, /* of a tuple, list, map or binary */
    GCL_STRING_MAX = 65535,
};

static inline uint8_t *gcl_put_magnitude(uint8_t *at, bool is_negative, uint64_t magnitude)
{
    uint8_t *size = at + 1;
    at[0] = GCL_TAG_SMALL_BIG;
    at[2] = is_negative;
    for (at += 3; magnitude != 0; magnitude >>= 8)
        *at++ = (uint8_t)magnitude;
    *size = (uint8_t)(at - size - 2);
    return at;
}

/* libei writes what does not fit into 28 bits as a big one; every release reads that. */
static inline uint8_t *gcl_put_int(uint8_t *at, int64_t value)
{
    if ((uint64_t)value < 256) {
        at[0] = GCL_TAG_SMALL_INT;
        at[1] = (uint8_t)value;
        return at + 2;
    }
    if (value >= -(1 << 27) && value < 1 << 27) {
        at[0] = GCL_TAG_INT;
        return gcl_put_u32(at + 1, (uint32_t)value);
    }
    return gcl_put_magnitude(at, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static inline uint8_t *gcl_put_uint(uint8_t *at, uint64_t value)
{
    return value <= INT64_MAX ? gcl_put_int(at, (int64_t)value)
                              : gcl_put_magnitude(at, false, value);
}

/** `value` must be finite. */
static inline uint8_t *gcl_put_double(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    *at = GCL_TAG_FLOAT;
    return gcl_put_u64(at + 1, bits);
}

static inline uint8_t *gcl_put_nil(uint8_t *at)
{
    *at = GCL_TAG_NIL;
    return at + 1;
}

/** What follows are the elements, and for a list that is not empty its tail. */
static inline uint8_t *gcl_put_list(uint8_t *at, uint32_t count)
{
    if (count == 0)
        return gcl_put_nil(at);
    *at = GCL_TAG_LIST;
    return gcl_put_u32(at + 1, count);
}

static inline uint8_t *gcl_put_tuple(uint8_t *at, uint32_t arity)
{
    if (arity <= UINT8_MAX) {
        at[0] = GCL_TAG_SMALL_TUPLE;
        at[1] = (uint8_t)arity;
        return at + 2;
    }
    *at = GCL_TAG_TUPLE;
    return gcl_put_u32(at + 1, arity);
}

static inline uint8_t *gcl_put_map(uint8_t *at, uint32_t pairs)
{
    *at = GCL_TAG_MAP;
    return gcl_put_u32(at + 1, pairs);
}

/** GCL_PUT_HEAD_ROOM and the bytes. */
static inline uint8_t *gcl_put_binary(uint8_t *at, struct gcl_str bytes)
{
    *at = GCL_TAG_BINARY;
    at = gcl_put_u32(at + 1, (uint32_t)bytes.size);
    return gcl_put_str(at, bytes);
}

#define GCL_TERM_WRITER(name, type, put, most)                                                     \
    static inline GCL_MUST_USE int name(struct gcl_buffer *buffer, type value)                     \
    {                                                                                              \
        int error = 0;                                                                             \
        uint8_t *room = gcl_buffer_room(buffer, (most), &error);                                   \
        if (room == NULL)                                                                          \
            return error;                                                                          \
        gcl_buffer_added(buffer, (size_t)(put(room, value) - room));                               \
        return 0;                                                                                  \
    }
GCL_TERM_WRITER(gcl_write_int64, int64_t, gcl_put_int, GCL_PUT_INT_ROOM)
GCL_TERM_WRITER(gcl_write_uint64, uint64_t, gcl_put_uint, GCL_PUT_INT_ROOM)
GCL_TERM_WRITER(gcl_write_double, double, gcl_put_double, GCL_PUT_DOUBLE_ROOM)
GCL_TERM_WRITER(gcl_write_list_head, uint32_t, gcl_put_list, GCL_PUT_HEAD_ROOM)
GCL_TERM_WRITER(gcl_write_tuple_head, uint32_t, gcl_put_tuple, GCL_PUT_HEAD_ROOM)
GCL_TERM_WRITER(gcl_write_map_head, uint32_t, gcl_put_map, GCL_PUT_HEAD_ROOM)
GCL_TERM_WRITER(gcl_write_binary, struct gcl_str, gcl_put_binary, GCL_PUT_HEAD_ROOM + value.size)
#undef GCL_TERM_WRITER

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Checked reading of bytes that came from outside. Every function either reads and moves on, or
 * returns false and leaves the cursor where it was. Numbers are big endian, as all of the
 * distribution protocol is. There is no other way to read a peer's bytes.
 */
#ifndef GCL_BASE_CURSOR_H
#define GCL_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct gcl_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/** `bytes` may be NULL when there are none: C forbids to add even 0 to it. */
static inline struct gcl_cursor gcl_cursor_make(const void *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    struct gcl_cursor cursor = {at, size > 0 ? at + size : at};
    return cursor;
}

static inline size_t gcl_cursor_left(const struct gcl_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline bool gcl_cursor_skip(struct gcl_cursor *cursor, size_t size)
{
    if (gcl_cursor_left(cursor) < size)
        return false;
    cursor->at += size;
    return true;
}

static inline bool gcl_cursor_u8(struct gcl_cursor *cursor, uint8_t *value)
{
    if (gcl_cursor_left(cursor) < 1)
        return false;
    *value = *cursor->at++;
    return true;
}

static inline bool gcl_cursor_u16(struct gcl_cursor *cursor, uint16_t *value)
{
    const uint8_t *at = cursor->at;
    if (gcl_cursor_left(cursor) < 2)
        return false;
    *value = (uint16_t)((uint16_t)at[0] << 8 | at[1]);
    cursor->at += 2;
    return true;
}

static inline bool gcl_cursor_u32(struct gcl_cursor *cursor, uint32_t *value)
{
    const uint8_t *at = cursor->at;
    if (gcl_cursor_left(cursor) < 4)
        return false;
    *value = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    cursor->at += 4;
    return true;
}

static inline bool gcl_cursor_u64(struct gcl_cursor *cursor, uint64_t *value)
{
    uint32_t high, low;
    struct gcl_cursor at = *cursor;
    if (!gcl_cursor_u32(&at, &high) || !gcl_cursor_u32(&at, &low))
        return false;
    *cursor = at;
    *value = (uint64_t)high << 32 | low;
    return true;
}

/** `out` borrows the cursor's bytes. */
static inline bool gcl_cursor_bytes(struct gcl_cursor *cursor, size_t size, struct gcl_str *out)
{
    if (gcl_cursor_left(cursor) < size)
        return false;
    *out = gcl_str_make(cursor->at, size);
    cursor->at += size;
    return true;
}

#endif

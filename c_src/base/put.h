/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Writing big endian numbers into room whose size the caller has made sure of: the encoders of
 * wire ask a buffer once for all they are going to write. Each returns the place behind.
 */
#ifndef GCL_BASE_PUT_H
#define GCL_BASE_PUT_H

#include <stdint.h>
#include <string.h>

#include "base/str.h"

static inline uint8_t *gcl_put_u8(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static inline uint8_t *gcl_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *gcl_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
    return at + 4;
}

static inline uint8_t *gcl_put_u64(uint8_t *at, uint64_t value)
{
    at = gcl_put_u32(at, (uint32_t)(value >> 32));
    return gcl_put_u32(at, (uint32_t)value);
}

static inline uint8_t *gcl_put_str(uint8_t *at, struct gcl_str str)
{
    if (str.size > 0)
        memcpy(at, str.bytes, str.size);
    return at + str.size;
}

#endif

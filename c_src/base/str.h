/* SPDX-License-Identifier: Apache-2.0 */
/** A borrowed run of bytes with its length: atom texts, node names, binaries. Not terminated. */
#ifndef GCL_BASE_STR_H
#define GCL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct gcl_str {
    const uint8_t *bytes;
    size_t size;
};

static inline struct gcl_str gcl_str_make(const void *bytes, size_t size)
{
    struct gcl_str str = {(const uint8_t *)bytes, size};
    return str;
}

/** From a terminated C string. */
static inline struct gcl_str gcl_str_of(const char *text)
{
    return gcl_str_make(text, strlen(text));
}

/**
 * As a C string of `size` bytes at most. False, and empty: there is no room for it, or it has a NUL
 * in it, as an atom of a peer may, and would be taken for what stands before that.
 */
static inline bool gcl_str_terminate(struct gcl_str str, char *text, size_t size)
{
    bool fits = str.size < size && (str.size == 0 || memchr(str.bytes, '\0', str.size) == NULL);
    if (fits && str.size > 0)
        memcpy(text, str.bytes, str.size);
    text[fits ? str.size : 0] = '\0';
    return fits;
}

static inline bool gcl_str_equal(struct gcl_str a, struct gcl_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

static inline bool gcl_str_is(struct gcl_str a, const char *text)
{
    return gcl_str_equal(a, gcl_str_of(text));
}

/** Byte order: negative, 0 or positive; a prefix comes before what it begins. */
static inline int gcl_str_compare(struct gcl_str a, struct gcl_str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.bytes, b.bytes, common);
    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

#endif

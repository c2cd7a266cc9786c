/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/read.h"

#include <math.h>

#include "wire/term/id.h"

enum gcl_class gcl_term_class(const struct gcl_cursor *cursor)
{
    static const uint8_t classes[256] = {
        [GCL_TAG_RECORD] = GCL_CLASS_RECORD,     [GCL_TAG_FLOAT] = GCL_CLASS_FLOAT,
        [GCL_TAG_BITS] = GCL_CLASS_BITS,         [GCL_TAG_PID] = GCL_CLASS_PID,
        [GCL_TAG_PORT] = GCL_CLASS_PORT,         [GCL_TAG_REF] = GCL_CLASS_REF,
        [GCL_TAG_SMALL_INT] = GCL_CLASS_INT,     [GCL_TAG_INT] = GCL_CLASS_INT,
        [GCL_TAG_LATIN1_ATOM] = GCL_CLASS_ATOM,  [GCL_TAG_OLD_REF] = GCL_CLASS_REF,
        [GCL_TAG_OLD_PORT] = GCL_CLASS_PORT,     [GCL_TAG_OLD_PID] = GCL_CLASS_PID,
        [GCL_TAG_SMALL_TUPLE] = GCL_CLASS_TUPLE, [GCL_TAG_TUPLE] = GCL_CLASS_TUPLE,
        [GCL_TAG_NIL] = GCL_CLASS_LIST,          [GCL_TAG_STRING] = GCL_CLASS_LIST,
        [GCL_TAG_LIST] = GCL_CLASS_LIST,         [GCL_TAG_BINARY] = GCL_CLASS_BITS,
        [GCL_TAG_SMALL_BIG] = GCL_CLASS_INT,     [GCL_TAG_BIG] = GCL_CLASS_INT,
        [GCL_TAG_FUN] = GCL_CLASS_FUN,           [GCL_TAG_EXPORT] = GCL_CLASS_EXPORT,
        [GCL_TAG_NEW_REF] = GCL_CLASS_REF,       [GCL_TAG_SMALL_LATIN1_ATOM] = GCL_CLASS_ATOM,
        [GCL_TAG_MAP] = GCL_CLASS_MAP,           [GCL_TAG_ATOM] = GCL_CLASS_ATOM,
        [GCL_TAG_SMALL_ATOM] = GCL_CLASS_ATOM,   [GCL_TAG_V4_PORT] = GCL_CLASS_PORT,
    };
    return gcl_cursor_left(cursor) == 0 ? GCL_CLASS_NONE : (enum gcl_class)classes[*cursor->at];
}

/* --- numbers -------------------------------------------------------------------------------- */

/* The bytes of a big one without the zeros in front (which stand last). */
static struct gcl_str trim(struct gcl_str magnitude)
{
    while (magnitude.size > 0 && magnitude.bytes[magnitude.size - 1] == 0)
        magnitude.size--;
    return magnitude;
}

static void set_small(struct gcl_integer *value, int64_t number)
{
    uint32_t magnitude = (uint32_t)(number < 0 ? -number : number);
    for (int i = 0; i < 4; i++)
        value->small[i] = (uint8_t)(magnitude >> 8 * i);
    value->is_negative = number < 0;
    value->magnitude = trim(gcl_str_make(value->small, sizeof value->small));
}

static bool read_big(struct gcl_cursor *at, uint32_t size, struct gcl_integer *value)
{
    uint8_t sign;
    struct gcl_str magnitude;
    if (!gcl_cursor_u8(at, &sign) || !gcl_cursor_bytes(at, size, &magnitude))
        return false;
    value->magnitude = trim(magnitude);
    value->is_negative = sign != 0 && value->magnitude.size > 0;
    return true;
}

bool gcl_read_integer(struct gcl_cursor *cursor, struct gcl_integer *value)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag, byte;
    uint32_t word;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    if (tag == GCL_TAG_SMALL_INT && gcl_cursor_u8(&at, &byte))
        set_small(value, byte);
    else if (tag == GCL_TAG_INT && gcl_cursor_u32(&at, &word))
        set_small(value, (int32_t)word);
    else if (!(tag == GCL_TAG_SMALL_BIG && gcl_cursor_u8(&at, &byte) &&
               read_big(&at, byte, value)) &&
             !(tag == GCL_TAG_BIG && gcl_cursor_u32(&at, &word) && read_big(&at, word, value)))
        return false;
    *cursor = at;
    return true;
}

static bool word_of(const struct gcl_integer *value, uint64_t *word)
{
    *word = 0;
    if (value->magnitude.size > sizeof *word)
        return false;
    for (size_t i = 0; i < value->magnitude.size; i++)
        *word |= (uint64_t)value->magnitude.bytes[i] << 8 * i;
    return true;
}

bool gcl_read_uint64(struct gcl_cursor *cursor, uint64_t *value)
{
    struct gcl_cursor at = *cursor;
    struct gcl_integer integer;
    uint64_t word;
    if (!gcl_read_integer(&at, &integer) || integer.is_negative || !word_of(&integer, &word))
        return false;
    *value = word;
    *cursor = at;
    return true;
}

static bool read_large_int64(struct gcl_cursor *cursor, int64_t *value)
{
    struct gcl_cursor at = *cursor;
    struct gcl_integer integer;
    uint64_t word;
    if (!gcl_read_integer(&at, &integer) || !word_of(&integer, &word) ||
        word > (uint64_t)INT64_MAX + integer.is_negative)
        return false;
    *value = integer.is_negative ? (int64_t)(0 - word) : (int64_t)word;
    *cursor = at;
    return true;
}

bool gcl_read_int64(struct gcl_cursor *cursor, int64_t *value)
{
    const uint8_t *at = cursor->at;
    size_t left = gcl_cursor_left(cursor);
    if (left >= 2 && at[0] == GCL_TAG_SMALL_INT) {
        *value = at[1];
        cursor->at += 2;
        return true;
    }
    if (left >= 5 && at[0] == GCL_TAG_INT) {
        *value =
            (int32_t)((uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4]);
        cursor->at += 5;
        return true;
    }
    return read_large_int64(cursor, value);
}

bool gcl_read_double(struct gcl_cursor *cursor, double *value)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag;
    uint64_t bits;
    double number;
    if (!gcl_cursor_u8(&at, &tag) || tag != GCL_TAG_FLOAT || !gcl_cursor_u64(&at, &bits))
        return false;
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) /* BEAM has none, and lets go of a peer that sends one */
        return false;
    *value = number;
    *cursor = at;
    return true;
}

/* --- atoms and binaries --------------------------------------------------------------------- */

bool gcl_read_atom_is(struct gcl_cursor *cursor, struct gcl_str text)
{
    struct gcl_cursor at = *cursor;
    struct gcl_str found;
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    if (!gcl_wire_atom_decode(&at, scratch, &found) || !gcl_str_equal(found, text))
        return false;
    *cursor = at;
    return true;
}

bool gcl_read_bits(struct gcl_cursor *cursor, struct gcl_str *bytes, uint64_t *bits)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag, used = 8; /* bits of the last byte */
    uint32_t size;
    if (!gcl_cursor_u8(&at, &tag) || (tag != GCL_TAG_BINARY && tag != GCL_TAG_BITS) ||
        !gcl_cursor_u32(&at, &size))
        return false;
    if (tag == GCL_TAG_BITS &&
        (!gcl_cursor_u8(&at, &used) || used > 8 || (used == 0) != (size == 0)))
        return false;
    if (!gcl_cursor_bytes(&at, size, bytes))
        return false;
    *bits = size == 0 ? 0 : (uint64_t)(size - 1) * 8 + used;
    *cursor = at;
    return true;
}

bool gcl_read_binary(struct gcl_cursor *cursor, struct gcl_str *bytes)
{
    struct gcl_cursor at = *cursor;
    uint64_t bits;
    if (!gcl_read_bits(&at, bytes, &bits) || bits % 8 != 0)
        return false;
    *cursor = at;
    return true;
}

/* --- what has elements ---------------------------------------------------------------------- */

bool gcl_read_tuple(struct gcl_cursor *cursor, uint32_t *arity)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag, small;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    if (tag == GCL_TAG_SMALL_TUPLE && gcl_cursor_u8(&at, &small))
        *arity = small;
    else if (tag != GCL_TAG_TUPLE || !gcl_cursor_u32(&at, arity))
        return false;
    *cursor = at;
    return true;
}

bool gcl_read_map(struct gcl_cursor *cursor, uint32_t *pairs)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag;
    if (!gcl_cursor_u8(&at, &tag) || tag != GCL_TAG_MAP || !gcl_cursor_u32(&at, pairs))
        return false;
    *cursor = at;
    return true;
}

bool gcl_read_list(struct gcl_cursor *cursor, struct gcl_list_reader *list)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag;
    uint16_t size;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    list->is_string = tag != GCL_TAG_LIST;
    list->left = 0;
    if (tag == GCL_TAG_STRING && gcl_cursor_u16(&at, &size) && size <= gcl_cursor_left(&at))
        list->left = size;
    else if (tag != GCL_TAG_NIL && !(tag == GCL_TAG_LIST && gcl_cursor_u32(&at, &list->left)))
        return false;
    *cursor = at;
    return true;
}

/* Every byte as the term that it is an element of a string for. */
#define BYTE(n)                                                                                    \
    {                                                                                              \
        GCL_TAG_SMALL_INT, (n)                                                                     \
    }
#define BYTES_4(n) BYTE(n), BYTE((n) + 1), BYTE((n) + 2), BYTE((n) + 3)
#define BYTES_16(n) BYTES_4(n), BYTES_4((n) + 4), BYTES_4((n) + 8), BYTES_4((n) + 12)
#define BYTES_64(n) BYTES_16(n), BYTES_16((n) + 16), BYTES_16((n) + 32), BYTES_16((n) + 48)
static const uint8_t byte_terms[256][2] = {BYTES_64(0), BYTES_64(64), BYTES_64(128), BYTES_64(192)};

bool gcl_read_next(struct gcl_cursor *cursor, struct gcl_list_reader *list,
                   struct gcl_cursor *element)
{
    uint8_t byte;
    while (list->left == 0) {
        struct gcl_cursor at = *cursor;
        struct gcl_list_reader more;
        /* A list in the tail continues this one, unless there is nothing in it. */
        if (list->is_string || !gcl_read_list(&at, &more) || (more.is_string && more.left == 0))
            return false;
        *cursor = at;
        *list = more;
    }
    list->left--;
    if (!list->is_string) {
        *element = *cursor;
        return true;
    }
    if (!gcl_cursor_u8(cursor, &byte)) /* cannot be: gcl_read_list() looked */
        return false;
    *element = gcl_cursor_make(byte_terms[byte], sizeof byte_terms[byte]);
    return true;
}

bool gcl_read_list_end(struct gcl_cursor *cursor, const struct gcl_list_reader *list)
{
    struct gcl_list_reader end;
    struct gcl_cursor at = *cursor;
    if (list->left > 0)
        return false;
    if (list->is_string)
        return true;
    if (!gcl_read_list(&at, &end) || !end.is_string || end.left > 0)
        return false;
    *cursor = at;
    return true;
}

bool gcl_read_nil(struct gcl_cursor *cursor)
{
    struct gcl_cursor at = *cursor, element;
    struct gcl_list_reader list;
    if (!gcl_read_list(&at, &list) || gcl_read_next(&at, &list, &element) ||
        !gcl_read_list_end(&at, &list))
        return false;
    *cursor = at;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/error.h>

#include "wire/term/float.h"
#include "wire/term/parse_impl.h"
#include "wire/term/write.h"

enum {
    DIGITS_MAX = 100000,
    CHUNK_MAX = 1 << 24, /* what a chunk of digits may stand for: times a byte it fits 64 bits */
    BITS_PER_DIGIT = 6,  /* at least the logarithm of 36 */
    BIG_HEAD = 6,
};

static unsigned digit_value(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

/* False when it does not fit. */
static bool small_value(const struct gcl_token *token, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < token->text.size; i++) {
        if (token->text.bytes[i] == '_')
            continue;
        unsigned digit = digit_value(token->text.bytes[i]);
        if (*value > (UINT64_MAX - digit) / token->base)
            return false;
        *value = *value * token->base + digit;
    }
    return true;
}

/* magnitude = magnitude * factor + more */
static size_t multiply(uint8_t *magnitude, size_t size, uint64_t factor, uint64_t more)
{
    for (size_t i = 0; i < size; i++) {
        more += magnitude[i] * factor;
        magnitude[i] = (uint8_t)more;
        more >>= 8;
    }
    for (; more > 0; more >>= 8)
        magnitude[size++] = (uint8_t)more;
    return size;
}

static size_t big_value(const struct gcl_token *token, uint8_t *magnitude)
{
    uint64_t factor = 1, chunk = 0;
    size_t size = 0;
    for (size_t i = 0; i < token->text.size; i++) {
        if (token->text.bytes[i] == '_')
            continue;
        chunk = chunk * token->base + digit_value(token->text.bytes[i]);
        factor *= token->base;
        if (factor >= CHUNK_MAX || i + 1 == token->text.size) {
            size = multiply(magnitude, size, factor, chunk);
            factor = 1;
            chunk = 0;
        }
    }
    return size;
}

static bool write_big(struct gcl_parser *parser, bool is_negative, struct gcl_buffer *out)
{
    const struct gcl_token *token = &parser->scan.token;
    int error = 0;
    if (token->text.size > DIGITS_MAX)
        return gcl_parse_fail(parser, GCL_ELIMIT, "integer of more than 100,000 digits");
    uint8_t *room =
        gcl_buffer_room(out, BIG_HEAD + 8 + token->text.size * BITS_PER_DIGIT / 8, &error);
    if (room == NULL)
        return gcl_parse_wrote(parser, error);
    size_t size = big_value(token, room + BIG_HEAD);
    uint8_t *at = room;
    if (size <= UINT8_MAX) {
        *at++ = GCL_TAG_SMALL_BIG;
        *at++ = (uint8_t)size;
    } else {
        *at++ = GCL_TAG_BIG;
        at = gcl_put_u32(at, (uint32_t)size);
    }
    *at++ = is_negative;
    memmove(at, room + BIG_HEAD, size);
    gcl_buffer_added(out, (size_t)(at - room) + size);
    return true;
}

static bool write_int(struct gcl_parser *parser, bool is_negative, struct gcl_buffer *out)
{
    uint64_t value;
    if (!small_value(&parser->scan.token, &value))
        return write_big(parser, is_negative, out);
    if (!is_negative)
        return gcl_parse_wrote(parser, gcl_write_uint64(out, value));
    if (value <= INT64_MAX)
        return gcl_parse_wrote(parser, gcl_write_int64(out, -(int64_t)value));
    return write_big(parser, true, out);
}

static bool write_float(struct gcl_parser *parser, bool is_negative, struct gcl_buffer *out)
{
    double value;
    if (!gcl_float_parse(parser->scan.token.text, &value))
        return gcl_parse_fail(parser, GCL_ESYNTAX, "float is too large");
    return gcl_parse_wrote(parser, gcl_write_double(out, is_negative ? -value : value));
}

bool gcl_parse_number(struct gcl_parser *parser, bool is_negative, struct gcl_buffer *out)
{
    const struct gcl_token *token = &parser->scan.token;
    if (token->kind == GCL_TOKEN_INT)
        return write_int(parser, is_negative, out);
    if (token->kind == GCL_TOKEN_FLOAT)
        return write_float(parser, is_negative, out);
    if (token->kind != GCL_TOKEN_CHAR)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "a number is expected");
    int64_t character = token->character;
    return gcl_parse_wrote(parser, gcl_write_int64(out, is_negative ? -character : character));
}

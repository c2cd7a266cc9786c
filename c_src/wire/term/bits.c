/* SPDX-License-Identifier: Apache-2.0 */
/* Binaries as text: <<1, 2:4, "text"/utf8, 1.5:32/float, (<<3>>)/binary>>. */
#include <math.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "wire/term/parse_impl.h"
#include "wire/term/read.h"
#include "wire/term/write.h"

enum {
    SIZED_BITS_MAX = 1 << 23, /* a few characters may ask for any size: all of a text together */
    NESTED_MAX = 16,
    HEAD = 6,
};

enum type { NO_TYPE, INTEGER, FLOAT, BINARY, BITSTRING, UTF8, UTF16, UTF32 };

/* What is behind a value: `:size/type-unit:n`. */
struct spec {
    enum type type;
    bool has_size, has_unit, is_little;
    uint64_t size, unit;
};

/* A binary that grows by bits: its head, which is written last, begins at the mark. */
struct bits {
    struct gcl_parser *parser;
    size_t mark;
    uint64_t count;
};

static bool parse_nested(struct gcl_parser *parser, struct gcl_buffer *out, unsigned depth);

static bool fail(struct gcl_parser *parser, const char *reason)
{
    return gcl_parse_fail(parser, GCL_ESYNTAX, reason);
}

/* --- bits ----------------------------------------------------------------------------------- */

/* The `count` (up to 8) low bits of a byte. */
static bool put_bits(struct bits *bits, struct gcl_buffer *out, unsigned value, unsigned count)
{
    unsigned free_bits = (unsigned)(8 - bits->count % 8) % 8;
    value = count == 0 ? 0 : value << (8 - count) & 0xFF; /* to the left */
    if (free_bits > 0)
        out->bytes[out->end - 1] |= (uint8_t)(value >> (8 - free_bits));
    if (count > free_bits &&
        !gcl_parse_wrote(bits->parser, gcl_buffer_append_u8(out, (uint8_t)(value << free_bits))))
        return false;
    bits->count += count;
    return true;
}

static bool put_bytes(struct bits *bits, struct gcl_buffer *out, struct gcl_str bytes,
                      uint64_t count)
{
    for (size_t i = 0; count > 0; i++) {
        unsigned now = count < 8 ? (unsigned)count : 8;
        if (!put_bits(bits, out, bytes.bytes[i] >> (8 - now), now))
            return false;
        count -= now;
    }
    return true;
}

/* --- values --------------------------------------------------------------------------------- */

/* An integer as two's complement, endless to the left. */
struct complement {
    const struct gcl_integer *value;
    uint64_t lowest; /* the lowest byte of the magnitude that is not 0 */
};

static struct complement complement_of(const struct gcl_integer *value)
{
    struct complement complement = {value, 0};
    while (complement.lowest < value->magnitude.size &&
           value->magnitude.bytes[complement.lowest] == 0)
        complement.lowest++;
    return complement;
}

/* The lowest byte has the index 0. */
static uint8_t byte_of(const struct complement *complement, uint64_t index)
{
    const struct gcl_integer *value = complement->value;
    uint8_t byte = index < value->magnitude.size ? value->magnitude.bytes[index] : 0;
    if (!value->is_negative || index < complement->lowest)
        return byte;
    return (uint8_t)(index == complement->lowest ? 0 - byte : ~byte);
}

static bool put_integer(struct bits *bits, struct gcl_buffer *out, const struct gcl_integer *value,
                        uint64_t size, bool is_little)
{
    struct complement complement = complement_of(value);
    uint64_t whole = size / 8;
    unsigned rest = (unsigned)(size % 8);
    if (is_little) {
        for (uint64_t i = 0; i < whole; i++)
            if (!put_bits(bits, out, byte_of(&complement, i), 8))
                return false;
        return put_bits(bits, out, byte_of(&complement, whole), rest);
    }
    if (!put_bits(bits, out, byte_of(&complement, whole), rest))
        return false;
    while (whole-- > 0)
        if (!put_bits(bits, out, byte_of(&complement, whole), 8))
            return false;
    return true;
}

/* spec: IEEE 754, binary16; ties to even. */
static bool half_of(double value, uint64_t *half)
{
    int exponent;
    double fraction = frexp(fabs(value), &exponent); /* 0.5 to 1 */
    uint64_t sign = signbit(value) ? 0x8000 : 0;
    if (fraction == 0) {
        *half = sign;
        return true;
    }
    int shift = exponent < -13 ? exponent + 13 : 0; /* subnormal */
    double scaled = nearbyint(ldexp(fraction, 11 + shift));
    *half = shift < 0 ? (uint64_t)scaled : (uint64_t)(exponent + 13) * 1024 + (uint64_t)scaled;
    *half |= sign;
    return exponent <= 16 && (*half & 0x7FFF) < 0x7C00;
}

static bool put_float(struct bits *bits, struct gcl_buffer *out, double value, uint64_t size,
                      bool is_little)
{
    uint64_t word;
    float narrow = (float)value;
    uint32_t small;
    memcpy(&word, &value, sizeof word);
    memcpy(&small, &narrow, sizeof small);
    if (size == 32)
        word = small;
    if ((size != 64 && size != 32 && size != 16) || (size == 32 && !isfinite(narrow)) ||
        (size == 16 && !half_of(value, &word)))
        return fail(bits->parser, "a float does not fit, or has not 16, 32 or 64 bits");
    for (unsigned i = 0; i < size / 8; i++)
        if (!put_bits(bits, out, word >> (is_little ? 8 * i : size - 8 - 8 * i) & 0xFF, 8))
            return false;
    return true;
}

static bool put_unit(struct bits *bits, struct gcl_buffer *out, uint32_t word, unsigned bytes,
                     bool is_little)
{
    for (unsigned i = 0; i < bytes; i++)
        if (!put_bits(bits, out, word >> (is_little ? 8 * i : 8 * (bytes - 1 - i)) & 0xFF, 8))
            return false;
    return true;
}

static bool put_utf(struct bits *bits, struct gcl_buffer *out, int64_t character,
                    const struct spec *spec)
{
    uint8_t room[4];
    if (character < 0 || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return fail(bits->parser, "no character");
    uint32_t c = (uint32_t)character;
    if (spec->type == UTF32)
        return put_unit(bits, out, c, 4, spec->is_little);
    if (spec->type == UTF16 && c < 0x10000)
        return put_unit(bits, out, c, 2, spec->is_little);
    if (spec->type == UTF16)
        return put_unit(bits, out, 0xD800 + ((c - 0x10000) >> 10), 2, spec->is_little) &&
               put_unit(bits, out, 0xDC00 + (c & 0x3FF), 2, spec->is_little);
    struct gcl_str text = gcl_str_make(room, (size_t)(gcl_put_character(room, c) - room));
    return put_bytes(bits, out, text, text.size * 8);
}

/* --- segments ------------------------------------------------------------------------------- */

static bool number_bits(struct bits *bits, struct gcl_buffer *out, struct gcl_cursor value,
                        const struct spec *spec)
{
    struct gcl_integer integer;
    int64_t character = -1;
    double number = 0;
    uint64_t unit = spec->has_unit ? spec->unit : 1;
    bool is_integer = gcl_term_class(&value) == GCL_CLASS_INT;
    struct gcl_cursor again = value;
    if (spec->type >= UTF8) {
        (void)gcl_read_int64(&value, &character);
        return spec->has_size || spec->has_unit ? fail(bits->parser, "a utf type has no size")
                                                : put_utf(bits, out, character, spec);
    }
    uint64_t size = spec->has_size ? spec->size * unit : spec->type == FLOAT ? 64 : 8;
    if (spec->has_size && size > SIZED_BITS_MAX - bits->parser->sized_bits)
        return gcl_parse_fail(bits->parser, GCL_ELIMIT, "segments with a size are too large");
    bits->parser->sized_bits += spec->has_size ? size : 0;
    if (spec->type == FLOAT) {
        if (is_integer && gcl_read_int64(&again, &character))
            number = (double)character;
        else if (!gcl_read_double(&value, &number))
            return fail(bits->parser, "a float is expected");
        return put_float(bits, out, number, size, spec->is_little);
    }
    if ((spec->type != NO_TYPE && spec->type != INTEGER) || !gcl_read_integer(&value, &integer))
        return fail(bits->parser, "value and type do not go together");
    return put_integer(bits, out, &integer, size, spec->is_little);
}

static bool binary_bits(struct bits *bits, struct gcl_buffer *out, struct gcl_cursor value,
                        const struct spec *spec)
{
    struct gcl_str bytes;
    uint64_t count, unit = spec->has_unit ? spec->unit : spec->type == BINARY ? 8 : 1;
    if ((spec->type != BINARY && spec->type != BITSTRING) ||
        !gcl_read_bits(&value, &bytes, &count) || (!spec->has_size && count % unit != 0))
        return fail(bits->parser, "value and type do not go together");
    if (spec->has_size && (spec->size > count || spec->size * unit > count))
        return fail(bits->parser, "the binary has fewer bits");
    return put_bytes(bits, out, bytes, spec->has_size ? spec->size * unit : count);
}

static bool open_parens(struct gcl_parser *parser, unsigned *count)
{
    for (; gcl_parse_at_mark(parser, '('); ++*count)
        if (!gcl_parse_advance(parser))
            return false;
    return true;
}

static bool close_parens(struct gcl_parser *parser, unsigned count)
{
    for (; count > 0; count--) {
        if (!gcl_parse_at_mark(parser, ')'))
            return fail(parser, ") is expected");
        if (!gcl_parse_advance(parser))
            return false;
    }
    return true;
}

static bool parse_count(struct gcl_parser *parser, uint64_t *count)
{
    unsigned parens = 0;
    if (!open_parens(parser, &parens))
        return false;
    struct gcl_token token = parser->scan.token;
    *count = token.character;
    if (token.kind == GCL_TOKEN_INT) {
        *count = 0;
        for (size_t i = 0; i < token.text.size && *count <= SIZED_BITS_MAX; i++) {
            uint8_t c = token.text.bytes[i];
            unsigned digit = c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
            if (c != '_')
                *count = *count * token.base + digit;
        }
    } else if (token.kind != GCL_TOKEN_CHAR) {
        return fail(parser, "a size is expected");
    }
    if (*count > SIZED_BITS_MAX)
        return gcl_parse_fail(parser, GCL_ELIMIT, "segments with a size are too large");
    return gcl_parse_advance(parser) && close_parens(parser, parens);
}

static bool parse_unit(struct gcl_parser *parser, struct spec *spec)
{
    if (!gcl_parse_at_mark(parser, ':'))
        return fail(parser, "unit:N is expected");
    if (!gcl_parse_advance(parser))
        return false;
    if (parser->scan.token.kind != GCL_TOKEN_INT)
        return fail(parser, "a unit is an integer");
    if (!parse_count(parser, &spec->unit))
        return false;
    spec->has_unit = true;
    return (spec->unit >= 1 && spec->unit <= 256) || fail(parser, "a unit is 1 to 256");
}

static bool parse_types(struct gcl_parser *parser, struct spec *spec)
{
    static const char names[][10] = {"",          "integer", "float", "binary",
                                     "bitstring", "utf8",    "utf16", "utf32"};
    do {
        if (!gcl_parse_advance(parser))
            return false;
        struct gcl_str word = parser->scan.token.text;
        enum type type = NO_TYPE;
        if (parser->scan.token.kind != GCL_TOKEN_ATOM)
            return fail(parser, "a type is expected");
        for (int i = INTEGER; i <= UTF32; i++)
            if (gcl_str_is(word, names[i]))
                type = (enum type)i;
        if (gcl_str_is(word, "bytes"))
            type = BINARY;
        if (gcl_str_is(word, "bits"))
            type = BITSTRING;
        bool is_little = gcl_str_is(word, "little") || gcl_str_is(word, "native");
        if (type != NO_TYPE && spec->type != NO_TYPE && type != spec->type)
            return fail(parser, "two types");
        if (type != NO_TYPE)
            spec->type = type;
        spec->is_little |= is_little;
        bool is_unit = gcl_str_is(word, "unit");
        if (type == NO_TYPE && !is_little && !is_unit && !gcl_str_is(word, "big") &&
            !gcl_str_is(word, "signed") && !gcl_str_is(word, "unsigned"))
            return fail(parser, "no such type");
        if (!gcl_parse_advance(parser) || (is_unit && !parse_unit(parser, spec)))
            return false;
    } while (gcl_parse_at_mark(parser, '-'));
    return true;
}

static bool parse_spec(struct gcl_parser *parser, struct spec *spec)
{
    memset(spec, 0, sizeof *spec);
    if (gcl_parse_at_mark(parser, ':')) {
        spec->has_size = true;
        if (!gcl_parse_advance(parser) || !parse_count(parser, &spec->size))
            return false;
    }
    if (gcl_parse_at_mark(parser, '/') && !parse_types(parser, spec))
        return false;
    return !spec->has_unit || spec->has_size || spec->type == BINARY || spec->type == BITSTRING ||
           fail(parser, "a unit needs a size");
}

static bool put_string(struct bits *bits, struct gcl_buffer *out, struct gcl_cursor text,
                       const struct spec *spec)
{
    uint32_t character;
    while (gcl_scan_character(&text, &character)) {
        uint8_t term[GCL_PUT_INT_ROOM];
        uint8_t *end = gcl_put_int(term, character);
        if (!number_bits(bits, out, gcl_cursor_make(term, (size_t)(end - term)), spec))
            return false;
    }
    return true;
}

/* Strings that follow one another share what is behind the last. */
static bool parse_string(struct bits *bits, struct gcl_buffer *out, unsigned parens)
{
    struct gcl_parser *parser = bits->parser;
    struct gcl_scanner first = parser->scan;
    struct spec spec;
    while (parser->scan.token.kind == GCL_TOKEN_STRING)
        if (!gcl_parse_advance(parser))
            return false;
    const uint8_t *end = parser->scan.token.start;
    if (!close_parens(parser, parens) || !parse_spec(parser, &spec))
        return false;
    for (; first.token.kind == GCL_TOKEN_STRING && first.token.start < end; (void)gcl_scan(&first))
        if (!put_string(bits, out, gcl_cursor_make(first.token.text.bytes, first.token.text.size),
                        &spec))
            return false;
    return true;
}

/* Behind parentheses, of which there may be more behind a sign. */
static bool parse_value(struct gcl_parser *parser, struct gcl_buffer *value, unsigned parens,
                        unsigned depth)
{
    bool is_negative = gcl_parse_at_mark(parser, '-');
    bool is_signed = is_negative || gcl_parse_at_mark(parser, '+');
    if (is_signed && (!gcl_parse_advance(parser) || !open_parens(parser, &parens)))
        return false;
    if (gcl_parse_at_mark(parser, GCL_MARK_OPEN_BITS)) {
        if (is_signed || !gcl_parse_advance(parser) || !parse_nested(parser, value, depth + 1))
            return fail(parser, "a binary has no sign");
    } else if (!gcl_parse_number(parser, is_negative, value)) {
        return false;
    }
    return gcl_parse_advance(parser) && close_parens(parser, parens);
}

static bool parse_segment(struct bits *bits, struct gcl_buffer *out, unsigned depth)
{
    struct gcl_parser *parser = bits->parser;
    struct gcl_buffer value;
    struct spec spec;
    unsigned parens = 0;
    if (!open_parens(parser, &parens))
        return false;
    if (parser->scan.token.kind == GCL_TOKEN_STRING)
        return parse_string(bits, out, parens);
    gcl_buffer_init(&value, out->mem, 0);
    bool ok = parse_value(parser, &value, parens, depth) && parse_spec(parser, &spec);
    if (ok) {
        struct gcl_cursor at = gcl_cursor_make(gcl_buffer_bytes(&value), gcl_buffer_size(&value));
        ok = gcl_term_class(&at) == GCL_CLASS_BITS ? binary_bits(bits, out, at, &spec)
                                                   : number_bits(bits, out, at, &spec);
    }
    gcl_buffer_fini(&value);
    return ok;
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool close_bits(struct bits *bits, struct gcl_buffer *out)
{
    uint8_t *head = out->bytes + out->start + bits->mark;
    size_t size = gcl_buffer_mark(out) - bits->mark - HEAD;
    if (size > UINT32_MAX)
        return gcl_parse_fail(bits->parser, GCL_ELIMIT, "binary is too large");
    unsigned used = (unsigned)(bits->count % 8);
    head[0] = used == 0 ? GCL_TAG_BINARY : GCL_TAG_BITS;
    gcl_put_u32(head + 1, (uint32_t)size);
    head[5] = (uint8_t)used;
    if (used == 0) {
        memmove(head + 5, head + HEAD, size);
        gcl_buffer_rollback(out, bits->mark + 5 + size);
    }
    return true;
}

/* From behind << to >>, which stays the current token. */
static bool parse_nested(struct gcl_parser *parser, struct gcl_buffer *out, unsigned depth)
{
    static const uint8_t zeros[HEAD] = {0};
    struct bits bits = {parser, gcl_buffer_mark(out), 0};
    if (depth > NESTED_MAX)
        return gcl_parse_fail(parser, GCL_ELIMIT, "binaries are nested too deep");
    if (!gcl_parse_wrote(parser, gcl_buffer_append(out, zeros, sizeof zeros)))
        return false;
    while (!gcl_parse_at_mark(parser, GCL_MARK_CLOSE_BITS)) {
        if (!parse_segment(&bits, out, depth))
            return false;
        if (gcl_parse_at_mark(parser, GCL_MARK_CLOSE_BITS))
            break;
        if (!gcl_parse_at_mark(parser, ','))
            return fail(parser, ", or >> is expected");
        if (!gcl_parse_advance(parser))
            return false;
        if (gcl_parse_at_mark(parser, GCL_MARK_CLOSE_BITS))
            return fail(parser, "a value is expected");
    }
    return close_bits(&bits, out);
}

bool gcl_parse_bits(struct gcl_parser *parser)
{
    return parse_nested(parser, parser->out, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include <gen_cluster/error.h>

#include "wire/term/float.h"
#include "wire/term/id.h"
#include "wire/term/print.h"
#include "wire/term/scan.h"
#include "wire/term/walk.h"

enum {
    DECIMAL_BYTES_MAX = 4096, /* division takes the square of the size */
    CHUNK = 1000000000,       /* digits are split off nine at a time */
    CHUNK_DIGITS = 9,
    CHUNKS_MAX = DECIMAL_BYTES_MAX * 8 / 29, /* a chunk has 29.9 bits */
    NUMBER_TEXT_MAX = 48,
    FUN_UNIQ_BYTES = 16,
};

static void put_text(struct gcl_sink *sink, const char *text)
{
    gcl_sink_put(sink, text, strlen(text));
}

static void put_number(struct gcl_sink *sink, const char *before, uint64_t number)
{
    char text[NUMBER_TEXT_MAX];
    int size = snprintf(text, sizeof text, "%s%" PRIu64, before, number);
    gcl_sink_put(sink, text, (size_t)size);
}

/* --- characters ----------------------------------------------------------------------------- */

void gcl_sink_put_character(struct gcl_sink *sink, uint32_t character)
{
    uint8_t room[4];
    gcl_sink_put(sink, room, (size_t)(gcl_put_character(room, character) - room));
}

static char escape_of(uint32_t c)
{
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\v'] = 'v',
                                   ['\f'] = 'f', ['\r'] = 'r', [27] = 'e',   [127] = 'd'};
    if (c >= sizeof letters)
        return '\0';
    return letters[c];
}

bool gcl_is_printable(uint32_t c)
{
    return (c >= ' ' && c < 127) || (c >= 160 && c <= 255) || (escape_of(c) != '\0' && c != 127);
}

static void put_octal(struct gcl_sink *sink, uint32_t c)
{
    char text[NUMBER_TEXT_MAX];
    gcl_sink_put(sink, text, (size_t)snprintf(text, sizeof text, "\\%03" PRIo32, c));
}

void gcl_print_quoted(struct gcl_sink *sink, uint32_t c, char quote)
{
    char letter = escape_of(c);
    char text[NUMBER_TEXT_MAX];
    if (c == '\\')
        letter = '\\';
    else if (c == (uint8_t)quote)
        letter = quote;
    if (letter != '\0') {
        gcl_sink_put_byte(sink, '\\');
        gcl_sink_put_byte(sink, letter);
    } else if (c < ' ' || (c >= 128 && c < 160)) {
        put_octal(sink, c);
    } else if (c > UINT8_MAX) {
        gcl_sink_put(sink, text, (size_t)snprintf(text, sizeof text, "\\x{%" PRIX32 "}", c));
    } else {
        gcl_sink_put_character(sink, c);
    }
}

/* --- atoms ---------------------------------------------------------------------------------- */

/* `also`: what needs no quotes although it is no letter, digit or underscore. */
static bool needs_quotes(struct gcl_str text, uint32_t also)
{
    struct gcl_cursor at = gcl_cursor_make(text.bytes, text.size);
    uint32_t c;
    if (!gcl_next_character(&at, &c) || !gcl_is_small_letter(c))
        return true;
    while (gcl_next_character(&at, &c))
        if (!gcl_is_name_character(c) || (c == '@' && also != '@'))
            return true;
    return false;
}

static void put_plain(struct gcl_sink *sink, struct gcl_str text)
{
    struct gcl_cursor at = gcl_cursor_make(text.bytes, text.size);
    uint32_t c;
    while (gcl_next_character(&at, &c))
        gcl_sink_put_character(sink, c);
}

bool gcl_print_atom(struct gcl_sink *sink, struct gcl_cursor *at)
{
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    struct gcl_str text;
    uint32_t c;
    if (!gcl_wire_atom_decode(at, scratch, &text))
        return false;
    if (!gcl_is_reserved(text) && !needs_quotes(text, '@')) {
        put_plain(sink, text);
        return true;
    }
    struct gcl_cursor characters = gcl_cursor_make(text.bytes, text.size);
    gcl_sink_put_byte(sink, '\'');
    while (gcl_next_character(&characters, &c))
        gcl_print_quoted(sink, c, '\'');
    gcl_sink_put_byte(sink, '\'');
    return true;
}

/* In funs io_lib leaves names to the emulator, which has its own idea of quotes and escapes. */
static bool print_name(struct gcl_sink *sink, struct gcl_cursor *at)
{
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    struct gcl_str text;
    uint32_t c;
    if (!gcl_wire_atom_decode(at, scratch, &text))
        return false;
    if (!needs_quotes(text, 0)) {
        put_plain(sink, text);
        return true;
    }
    struct gcl_cursor characters = gcl_cursor_make(text.bytes, text.size);
    gcl_sink_put_byte(sink, '\'');
    while (gcl_next_character(&characters, &c)) {
        if (c == 27 || (c >= 128 && c < 160))
            put_octal(sink, c);
        else if (c >= 127)
            gcl_sink_put_character(sink, c);
        else
            gcl_print_quoted(sink, c, '\'');
    }
    gcl_sink_put_byte(sink, '\'');
    return true;
}

/* --- numbers -------------------------------------------------------------------------------- */

/* Divides by CHUNK; returns the remainder and drops words that have become zero. */
static uint32_t split_chunk(uint32_t *words, size_t *count)
{
    uint64_t rest = 0;
    for (size_t i = *count; i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / CHUNK);
        rest %= CHUNK;
    }
    while (*count > 0 && words[*count - 1] == 0)
        --*count;
    return (uint32_t)rest;
}

static void put_decimal(struct gcl_sink *sink, struct gcl_str magnitude)
{
    uint32_t words[DECIMAL_BYTES_MAX / sizeof(uint32_t)] = {0};
    uint32_t chunks[CHUNKS_MAX + 1];
    size_t count = (magnitude.size + 3) / 4, chunk_count = 0;
    char text[NUMBER_TEXT_MAX];
    for (size_t i = 0; i < magnitude.size; i++)
        words[i / 4] |= (uint32_t)magnitude.bytes[i] << 8 * (i % 4);
    do
        chunks[chunk_count++] = split_chunk(words, &count);
    while (count > 0);
    put_number(sink, "", chunks[--chunk_count]);
    while (chunk_count-- > 0) {
        snprintf(text, sizeof text, "%0*" PRIu32, CHUNK_DIGITS, chunks[chunk_count]);
        gcl_sink_put(sink, text, CHUNK_DIGITS);
    }
}

static void put_hexadecimal(struct gcl_sink *sink, struct gcl_str magnitude)
{
    char text[NUMBER_TEXT_MAX];
    put_text(sink, "16#");
    for (size_t i = magnitude.size; i-- > 0;) {
        snprintf(text, sizeof text, i + 1 == magnitude.size ? "%X" : "%02X", magnitude.bytes[i]);
        put_text(sink, text);
    }
}

static bool print_integer(struct gcl_sink *sink, struct gcl_cursor *at)
{
    struct gcl_integer value;
    int64_t small;
    char text[NUMBER_TEXT_MAX];
    if (gcl_read_int64(at, &small)) {
        gcl_sink_put(sink, text, (size_t)snprintf(text, sizeof text, "%" PRId64, small));
        return true;
    }
    if (!gcl_read_integer(at, &value))
        return false;
    if (value.is_negative)
        gcl_sink_put_byte(sink, '-');
    if (value.magnitude.size <= DECIMAL_BYTES_MAX)
        put_decimal(sink, value.magnitude);
    else
        put_hexadecimal(sink, value.magnitude);
    return true;
}

static bool print_float(struct gcl_sink *sink, struct gcl_cursor *at)
{
    double value;
    char text[GCL_FLOAT_TEXT_MAX];
    if (!gcl_read_double(at, &value))
        return false;
    gcl_sink_put(sink, text, gcl_float_print(value, text));
    return true;
}

/* --- binaries ------------------------------------------------------------------------------- */

static bool is_text(struct gcl_str bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (!gcl_is_printable(bytes.bytes[i]))
            return false;
    return bytes.size > 0;
}

static void put_bytes(struct gcl_sink *sink, struct gcl_str bytes, uint64_t bits)
{
    size_t whole = (size_t)(bits / 8);
    unsigned rest = (unsigned)(bits % 8);
    for (size_t i = 0; i < whole; i++)
        put_number(sink, i == 0 ? "" : ",", bytes.bytes[i]);
    if (rest > 0) {
        put_number(sink, whole == 0 ? "" : ",", (uint64_t)bytes.bytes[whole] >> (8 - rest));
        put_number(sink, ":", rest);
    }
}

static bool print_bits(struct gcl_sink *sink, struct gcl_cursor *at)
{
    struct gcl_str bytes;
    uint64_t bits;
    if (!gcl_read_bits(at, &bytes, &bits))
        return false;
    put_text(sink, "<<");
    if (bits % 8 == 0 && is_text(bytes)) {
        gcl_sink_put_byte(sink, '"');
        for (size_t i = 0; i < bytes.size; i++)
            gcl_print_quoted(sink, bytes.bytes[i], '"');
        gcl_sink_put_byte(sink, '"');
    } else {
        put_bytes(sink, bytes, bits);
    }
    put_text(sink, ">>");
    return true;
}

/* --- ids and funs --------------------------------------------------------------------------- */

static uint32_t place_of(const struct gcl_term_ids *ids, struct gcl_str node, uint32_t creation)
{
    return ids != NULL && ids->place != NULL ? ids->place(ids->user, node, creation) : 0;
}

static bool print_pid(struct gcl_sink *sink, struct gcl_cursor *at, const struct gcl_term_ids *ids)
{
    struct gcl_wire_pid pid;
    if (!gcl_wire_pid_decode(at, &pid))
        return false;
    put_number(sink, "<", place_of(ids, pid.node, pid.creation));
    put_number(sink, ".", pid.id);
    put_number(sink, ".", pid.serial);
    gcl_sink_put_byte(sink, '>');
    return true;
}

static bool print_ref(struct gcl_sink *sink, struct gcl_cursor *at, const struct gcl_term_ids *ids)
{
    struct gcl_wire_ref ref;
    if (!gcl_wire_ref_decode(at, &ref))
        return false;
    put_number(sink, "#Ref<", place_of(ids, ref.node, ref.creation));
    for (uint32_t i = ref.count; i-- > 0;)
        put_number(sink, ".", ref.words[i]);
    gcl_sink_put_byte(sink, '>');
    return true;
}

static bool print_port(struct gcl_sink *sink, struct gcl_cursor *at, const struct gcl_term_ids *ids)
{
    struct gcl_wire_port port;
    if (!gcl_wire_port_decode(at, &port))
        return false;
    put_number(sink, "#Port<", place_of(ids, port.node, port.creation));
    put_number(sink, ".", port.id);
    gcl_sink_put_byte(sink, '>');
    return true;
}

static bool print_export(struct gcl_sink *sink, struct gcl_cursor *at)
{
    put_text(sink, "fun ");
    if (!gcl_cursor_skip(at, 1) || !print_name(sink, at))
        return false;
    gcl_sink_put_byte(sink, ':');
    if (!print_name(sink, at))
        return false;
    gcl_sink_put_byte(sink, '/');
    return print_integer(sink, at);
}

/* What a fun has taken along is not shown. spec: NEW_FUN_EXT */
static bool print_fun(struct gcl_sink *sink, struct gcl_cursor *at)
{
    struct gcl_cursor head = *at;
    put_text(sink, "#Fun<");
    if (gcl_term_walk(at) != 0 || !gcl_cursor_skip(&head, 1 + 4 + 1 + FUN_UNIQ_BYTES + 4 + 4) ||
        !print_name(sink, &head))
        return false;
    gcl_sink_put_byte(sink, '.');
    if (!print_integer(sink, &head))
        return false;
    gcl_sink_put_byte(sink, '.');
    if (!print_integer(sink, &head))
        return false;
    gcl_sink_put_byte(sink, '>');
    return true;
}

/* --- all of them ---------------------------------------------------------------------------- */

bool gcl_print_leaf(struct gcl_sink *sink, struct gcl_cursor *at, const struct gcl_term_ids *ids)
{
    switch (gcl_term_class(at)) {
    case GCL_CLASS_INT:
        return print_integer(sink, at);
    case GCL_CLASS_FLOAT:
        return print_float(sink, at);
    case GCL_CLASS_ATOM:
        return gcl_print_atom(sink, at);
    case GCL_CLASS_PID:
        return print_pid(sink, at, ids);
    case GCL_CLASS_REF:
        return print_ref(sink, at, ids);
    case GCL_CLASS_PORT:
        return print_port(sink, at, ids);
    case GCL_CLASS_BITS:
        return print_bits(sink, at);
    case GCL_CLASS_FUN:
        return print_fun(sink, at);
    case GCL_CLASS_EXPORT:
        return print_export(sink, at);
    case GCL_CLASS_TUPLE:
    case GCL_CLASS_LIST:
    case GCL_CLASS_MAP:
    case GCL_CLASS_RECORD:
    case GCL_CLASS_NONE:
        break;
    }
    return false;
}

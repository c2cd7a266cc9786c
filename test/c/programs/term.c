/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library does with terms of a real Erlang, driven by packets with a length of four bytes:
 * a letter and its operand, which is a term (as term_to_binary/1 makes it) but for `r`.
 *
 *     p TERM     {ok, Text}: printed
 *     t TERM     {ok, Text}: its characters
 *     r TEXT     {ok, Bytes}: read; or {error, Name, Line, Column, Offset}
 *     e {A, B}   true or false: whether they are equal, asked both ways
 *     w TERM     {ok, Bytes}: taken to pieces and put together again
 *     l TERM     {ok, Bytes}: decoded and encoded by libei
 *     m TERM     {ok, Bytes}: matched by the pattern {Kind, Value} of its kind, written by the same
 *
 * Anything else that fails: {error, Name}.
 */
#include <ei.h>
#include <gen_cluster/term.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/term/key.h"

static gcl_term_context *context;
static gcl_writer *reply;

static void misuse(const char *file, int line, const char *text, void *user)
{
    (void)user;
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

static void check(int error)
{
    if (error == 0)
        return;
    gcl_writer_clear(reply);
    if (gcl_write(reply, "{error, ~a}", gcl_error_name(error)) != 0)
        abort();
}

static gcl_bytes bytes_of(const void *bytes, size_t size)
{
    gcl_bytes made = {bytes, size};
    return made;
}

static void answer(gcl_term term)
{
    check(gcl_write(reply, "{ok, ~b}", bytes_of(gcl_term_bytes(term), gcl_term_size(term))));
}

/* --- text ----------------------------------------------------------------------------------- */

typedef int text_function(gcl_term term, char *buffer, size_t size, size_t *length);

static void to_text(gcl_term term, text_function *function)
{
    size_t length = 0;
    int error = function(term, NULL, 0, &length);
    char *text = malloc(length + 1);
    if (error == GCL_ELIMIT)
        error = function(term, text, length + 1, &length);
    if (error == 0)
        error = gcl_write(reply, "{ok, ~b}", bytes_of(text, length));
    check(error);
    free(text);
}

static void from_text(const char *text, size_t size)
{
    gcl_term term;
    gcl_parse_error at = {0};
    int error = gcl_term_parse(context, text, size, &term, &at);
    if (error == 0) {
        answer(term);
        gcl_term_free(term);
        return;
    }
    check(gcl_write(reply, "{error, ~a, ~i, ~i, ~i, ~s}", gcl_error_name(error), at.line, at.column,
                    at.offset, at.reason));
}

/* --- pieces --------------------------------------------------------------------------------- */

static int rebuild(gcl_writer *writer, gcl_term term);

static int rebuild_list(gcl_writer *writer, gcl_term term)
{
    gcl_items items;
    gcl_term item, rest = term;
    uint32_t count = 0;
    for (gcl_items_begin(&items, term); gcl_items_next(&items, &item);)
        count++;
    bool is_proper = gcl_items_is_proper_end(&items);
    int error = gcl_write_list(writer, count);
    for (gcl_items_begin(&items, term); error == 0 && gcl_items_next(&items, &item);)
        error = rebuild(writer, item);
    if (error != 0 || count == 0)
        return error;
    if (is_proper)
        return gcl_write(writer, "[]");
    while (gcl_match(rest, "[_ | ~t]", &rest))
        ;
    return rebuild(writer, rest);
}

static int rebuild(gcl_writer *writer, gcl_term term)
{
    gcl_items items;
    gcl_term item;
    uint32_t count = 0;
    if (gcl_match(term, "[]") || gcl_match(term, "[_ | _]"))
        return rebuild_list(writer, term);
    bool is_map = gcl_match(term, "#{}");
    if (!gcl_items_begin(&items, term))
        return gcl_write(writer, "~t", term);
    while (gcl_items_next(&items, &item))
        count++;
    int error = is_map ? gcl_write_map(writer, count / 2) : gcl_write_tuple(writer, count);
    for (gcl_items_begin(&items, term); error == 0 && gcl_items_next(&items, &item);)
        error = rebuild(writer, item);
    return error;
}

static void take_apart(gcl_term term)
{
    gcl_term copy;
    gcl_writer *writer = gcl_writer_new(context);
    int error = gcl_term_copy(term, &copy);
    if (error == 0)
        error = rebuild(writer, copy);
    if (error == 0)
        answer(gcl_writer_term(writer));
    check(error);
    gcl_term_free(copy);
    gcl_writer_free(writer);
}

/* --- patterns ------------------------------------------------------------------------------- */

static void match_and_write(gcl_term term)
{
    int64_t i;
    uint64_t u;
    double f;
    gcl_bytes bytes;
    gcl_term value;
    gcl_writer *writer = gcl_writer_new(context);
    int error = GCL_EINVAL;
    if (gcl_match(term, "{integer, ~i}", &i))
        error = gcl_write(writer, "{integer, ~i}", i);
    else if (gcl_match(term, "{integer, ~u}", &u))
        error = gcl_write(writer, "{integer, ~u}", u);
    else if (gcl_match(term, "{float, ~f}", &f))
        error = gcl_write(writer, "{float, ~f}", f);
    else if (gcl_match(term, "{atom, ~a}", &bytes))
        error = gcl_write(writer, "{atom, ~a}", bytes);
    else if (gcl_match(term, "{binary, ~b}", &bytes))
        error = gcl_write(writer, "{binary, ~b}", bytes);
    else if (gcl_match(term, "{list, [_ | ~t]}", &value))
        error = gcl_write(writer, "{list, [first | ~t]}", value);
    else if (gcl_match(term, "#{key := ~t}", &value))
        error = gcl_write(writer, "#{key => ~t}", value);
    if (error == 0)
        answer(gcl_writer_term(writer));
    check(error);
    gcl_writer_free(writer);
}

/* --- libei ---------------------------------------------------------------------------------- */

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            return -1;                                                                             \
    } while (0)

static int ei_copy(const char *in, int *index, ei_x_buff *out);

static int ei_copy_terms(const char *in, int *index, ei_x_buff *out, int count)
{
    for (int i = 0; i < count; i++)
        MUST(ei_copy(in, index, out));
    return 0;
}

static int ei_copy_integer(const char *in, int *index, ei_x_buff *out)
{
    long long value;
    unsigned long long large;
    if (ei_decode_longlong(in, index, &value) == 0)
        return ei_x_encode_longlong(out, value);
    if (ei_decode_ulonglong(in, index, &large) == 0)
        return ei_x_encode_ulonglong(out, large);
    int type, size, before = out->index;
    MUST(ei_get_type(in, index, &type, &size));
    erlang_big *big = ei_alloc_big((unsigned)size);
    int error = ei_decode_big(in, index, big);
    if (error == 0) { /* there is no ei_x_encode_big() */
        ei_encode_big(NULL, &before, big);
        char *room = malloc((size_t)(before - out->index));
        int end = 0;
        error = ei_encode_big(room, &end, big) != 0 || ei_x_append_buf(out, room, end) != 0;
        free(room);
    }
    ei_free_big(big);
    return error;
}

static int ei_copy_bytes(const char *in, int *index, ei_x_buff *out, int type, int size)
{
    char *room = malloc((size_t)size + 1);
    long length;
    const char *bits;
    unsigned offset;
    size_t count;
    int error = -1;
    if (type == ERL_STRING_EXT)
        error =
            ei_decode_string(in, index, room) != 0 || ei_x_encode_string_len(out, room, size) != 0;
    else if (type == ERL_BINARY_EXT)
        error = ei_decode_binary(in, index, room, &length) != 0 ||
                ei_x_encode_binary(out, room, (int)length) != 0;
    else
        error = ei_decode_bitstring(in, index, &bits, &offset, &count) != 0 ||
                ei_x_encode_bitstring(out, bits, offset, count) != 0;
    free(room);
    return error;
}

static int ei_copy_fun(const char *in, int *index, ei_x_buff *out)
{
    erlang_fun fun;
    MUST(ei_decode_fun(in, index, &fun));
    int error = ei_x_encode_fun(out, &fun);
    free_fun(&fun);
    return error;
}

static int ei_copy(const char *in, int *index, ei_x_buff *out)
{
    int type, size;
    double number;
    char atom[MAXATOMLEN_UTF8];
    erlang_pid pid;
    erlang_ref ref;
    erlang_port port;
    MUST(ei_get_type(in, index, &type, &size));
    switch (type) {
    case ERL_SMALL_INTEGER_EXT:
    case ERL_INTEGER_EXT:
    case ERL_SMALL_BIG_EXT:
    case ERL_LARGE_BIG_EXT:
        return ei_copy_integer(in, index, out);
    case NEW_FLOAT_EXT:
    case ERL_FLOAT_EXT:
        MUST(ei_decode_double(in, index, &number));
        return ei_x_encode_double(out, number);
    case ERL_ATOM_EXT:
        MUST(ei_decode_atom_as(in, index, atom, sizeof atom, ERLANG_UTF8, NULL, NULL));
        return ei_x_encode_atom_as(out, atom, ERLANG_UTF8, ERLANG_UTF8);
    case ERL_PID_EXT:
        MUST(ei_decode_pid(in, index, &pid));
        return ei_x_encode_pid(out, &pid);
    case ERL_NEW_REFERENCE_EXT:
    case ERL_REFERENCE_EXT:
        MUST(ei_decode_ref(in, index, &ref));
        return ei_x_encode_ref(out, &ref);
    case ERL_PORT_EXT:
        MUST(ei_decode_port(in, index, &port));
        return ei_x_encode_port(out, &port);
    case ERL_STRING_EXT:
    case ERL_BINARY_EXT:
    case ERL_BIT_BINARY_EXT:
        return ei_copy_bytes(in, index, out, type, size);
    case ERL_NIL_EXT:
        MUST(ei_decode_list_header(in, index, &size));
        return ei_x_encode_empty_list(out);
    case ERL_LIST_EXT:
        MUST(ei_decode_list_header(in, index, &size));
        MUST(ei_x_encode_list_header(out, size));
        return ei_copy_terms(in, index, out, size + 1);
    case ERL_SMALL_TUPLE_EXT:
    case ERL_LARGE_TUPLE_EXT:
        MUST(ei_decode_tuple_header(in, index, &size));
        MUST(ei_x_encode_tuple_header(out, size));
        return ei_copy_terms(in, index, out, size);
    case ERL_MAP_EXT:
        MUST(ei_decode_map_header(in, index, &size));
        MUST(ei_x_encode_map_header(out, size));
        return ei_copy_terms(in, index, out, 2 * size);
    default: /* ei_get_type() gives some for funs that have no name */
        return ei_copy_fun(in, index, out);
    }
}

static void by_libei(gcl_term term)
{
    ei_x_buff out;
    int index = 0;
    ei_x_new(&out);
    if (ei_copy((const char *)gcl_term_bytes(term), &index, &out) != 0) {
        check(GCL_EINVAL);
    } else {
        gcl_term made = gcl_term_make(context, out.buff, (size_t)out.index);
        check(gcl_term_check(made) == 0 && gcl_term_equal(made, term) ? 0 : GCL_ETERM);
        if (gcl_term_size(gcl_writer_term(reply)) == 0)
            answer(made);
    }
    ei_x_free(&out);
}

/* --- packets -------------------------------------------------------------------------------- */

static bool have_same_key(gcl_term a, gcl_term b)
{
    struct gcl_buffer keys[2];
    struct gcl_cursor terms[2] = {gcl_cursor_make(a.bytes, a.size),
                                  gcl_cursor_make(b.bytes, b.size)};
    for (int i = 0; i < 2; i++) {
        gcl_buffer_init(&keys[i], gcl_allocator_default(), 0);
        check(gcl_term_key(&keys[i], &terms[i]));
    }
    bool same = gcl_str_equal(gcl_str_make(gcl_buffer_bytes(&keys[0]), gcl_buffer_size(&keys[0])),
                              gcl_str_make(gcl_buffer_bytes(&keys[1]), gcl_buffer_size(&keys[1])));
    gcl_buffer_fini(&keys[0]);
    gcl_buffer_fini(&keys[1]);
    return same;
}

static void compare(gcl_term term)
{
    gcl_term a, b;
    bool is_equal = gcl_match(term, "{~t, ~t}", &a, &b) && gcl_term_equal(a, b);
    if (gcl_term_equal(b, a) != is_equal || !gcl_term_equal(a, a) || !gcl_term_equal(b, b) ||
        have_same_key(a, b) != is_equal)
        check(GCL_ETERM);
    else
        check(gcl_write(reply, "~a", is_equal));
}

static void handle(const uint8_t *packet, size_t size)
{
    if (packet[0] == 'r') {
        from_text((const char *)packet + 1, size - 1);
        return;
    }
    if (size < 2)
        abort();
    gcl_term term = gcl_term_make(context, packet + 2, size - 2);
    int error = gcl_term_check(term);
    check(error);
    if (error != 0)
        return;
    if (packet[0] == 'p')
        to_text(term, gcl_term_print);
    else if (packet[0] == 't')
        to_text(term, gcl_term_text);
    else if (packet[0] == 'e')
        compare(term);
    else if (packet[0] == 'w')
        take_apart(term);
    else if (packet[0] == 'm')
        match_and_write(term);
    else if (packet[0] == 'l')
        by_libei(term);
}

static void send_reply(void)
{
    gcl_term term = gcl_writer_term(reply);
    size_t size = gcl_term_size(term) + 1;
    const uint8_t head[] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                            (uint8_t)size, 131};
    fwrite(head, 1, sizeof head, stdout);
    fwrite(gcl_term_bytes(term), 1, size - 1, stdout);
    fflush(stdout);
}

int main(void)
{
    uint8_t head[4];
    context = gcl_term_context_new(NULL, misuse, NULL);
    reply = gcl_writer_new(context);
    if (ei_init() != 0 || reply == NULL)
        return 1;
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t size =
            (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        uint8_t *packet = malloc(size); /* of the exact size, for AddressSanitizer */
        if (size == 0 || fread(packet, 1, size, stdin) != size)
            abort();
        gcl_writer_clear(reply);
        handle(packet, size);
        send_reply();
        free(packet);
    }
    gcl_writer_free(reply);
    gcl_term_context_free(context);
    return 0;
}

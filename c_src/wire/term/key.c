/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each term is written in one of the forms that it may have: integers and atoms in the shortest,
 * lists always cell by cell, maps in the order of their keys. The depth is bounded, so this
 * recurses.
 */
#include "wire/term/key.h"

#include <gen_cluster/error.h>
#include <stdlib.h>

#include "wire/term/id.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

enum { FUN_HEAD_BYTES = 1 + 16 + 4 }; /* arity, uniq, index */

struct keying {
    struct gcl_buffer *out;
    struct gcl_cursor *in;
    unsigned depth;
};

static int write_term(struct keying *k);

/* --- leaves --------------------------------------------------------------------------------- */

static int write_integer(struct keying *k)
{
    struct gcl_integer value;
    int error = 0;
    if (!gcl_read_integer(k->in, &value))
        return GCL_ETERM;
    size_t size = value.magnitude.size;
    uint8_t *room = gcl_buffer_room(k->out, 6 + size, &error);
    if (room == NULL)
        return error;
    uint8_t *at = gcl_put_u8(room, GCL_TAG_BIG);
    at = gcl_put_u32(at, (uint32_t)size);
    at = gcl_put_u8(at, value.is_negative);
    gcl_buffer_added(k->out, (size_t)(gcl_put_str(at, value.magnitude) - room));
    return 0;
}

static int write_float(struct keying *k)
{
    double value;
    return gcl_read_double(k->in, &value) ? gcl_write_double(k->out, value) : GCL_ETERM;
}

static int write_atom(struct keying *k)
{
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    struct gcl_str text;
    return gcl_wire_atom_decode(k->in, scratch, &text) ? gcl_wire_atom_encode(k->out, text)
                                                       : GCL_ETERM;
}

static int write_pid(struct keying *k)
{
    struct gcl_wire_pid pid;
    return gcl_wire_pid_decode(k->in, &pid) ? gcl_wire_pid_encode(k->out, &pid) : GCL_ETERM;
}

static int write_ref(struct keying *k)
{
    struct gcl_wire_ref ref;
    return gcl_wire_ref_decode(k->in, &ref) ? gcl_wire_ref_encode(k->out, &ref) : GCL_ETERM;
}

static int write_port(struct keying *k)
{
    struct gcl_wire_port port;
    return gcl_wire_port_decode(k->in, &port) ? gcl_wire_port_encode(k->out, &port) : GCL_ETERM;
}

/* The bits behind the last one mean nothing: they are 0 in a key. */
static int write_bits(struct keying *k)
{
    struct gcl_str bytes;
    uint64_t bits;
    int error = 0;
    if (!gcl_read_bits(k->in, &bytes, &bits))
        return GCL_ETERM;
    size_t size = (size_t)((bits + 7) / 8);
    unsigned rest = (unsigned)(bits % 8);
    uint8_t *room = gcl_buffer_room(k->out, 6 + size, &error);
    if (room == NULL)
        return error;
    uint8_t *at = gcl_put_u8(room, GCL_TAG_BITS);
    at = gcl_put_u32(at, (uint32_t)size);
    at = gcl_put_u8(at, (uint8_t)rest);
    at = gcl_put_str(at, gcl_str_make(bytes.bytes, size));
    if (rest != 0)
        at[-1] = (uint8_t)(at[-1] & (0xff << (8 - rest)));
    gcl_buffer_added(k->out, (size_t)(at - room));
    return 0;
}

static int copy_bytes(struct keying *k, size_t size)
{
    struct gcl_str bytes;
    return gcl_cursor_bytes(k->in, size, &bytes) ? gcl_buffer_append_str(k->out, bytes) : GCL_ETERM;
}

static int write_export(struct keying *k)
{
    int error = copy_bytes(k, 1);
    if (error == 0)
        error = write_atom(k);
    if (error == 0)
        error = write_atom(k);
    return error == 0 ? write_integer(k) : error;
}

/* --- what has terms inside ------------------------------------------------------------------ */

static int write_terms(struct keying *k, uint32_t count)
{
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < count; i++)
        error = write_term(k);
    return error;
}

static int write_tuple(struct keying *k)
{
    uint32_t arity;
    if (!gcl_read_tuple(k->in, &arity))
        return GCL_ETERM;
    int error = gcl_write_tuple_head(k->out, arity);
    return error == 0 ? write_terms(k, arity) : error;
}

static int write_cell(struct keying *k, const struct gcl_list_reader *list,
                      struct gcl_cursor *element)
{
    struct keying byte = {k->out, element, k->depth};
    int error = gcl_buffer_append_u8(k->out, GCL_TAG_LIST);
    if (error == 0)
        error = list->is_string ? write_integer(&byte) : write_term(k);
    return error;
}

static int write_list(struct keying *k)
{
    struct gcl_list_reader list;
    struct gcl_cursor element;
    int error = 0;
    if (!gcl_read_list(k->in, &list))
        return GCL_ETERM;
    while (error == 0 && gcl_read_next(k->in, &list, &element))
        error = write_cell(k, &list, &element);
    if (error != 0)
        return error;
    return gcl_read_list_end(k->in, &list) ? gcl_buffer_append_u8(k->out, GCL_TAG_NIL)
                                           : write_term(k);
}

/* A key, with the value behind it. */
struct pair {
    struct gcl_str key;
    struct gcl_cursor value;
};

static int compare_pairs(const void *a, const void *b)
{
    return gcl_str_compare(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Keys first, side by side in `keys`; then the pairs in their order. */
static int read_pairs(struct keying *k, struct gcl_buffer *keys, struct pair *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct keying key = {keys, k->in, k->depth};
        size_t start = gcl_buffer_mark(keys);
        int error = write_term(&key);
        if (error != 0)
            return error;
        /* Where it stands is known when the buffer grows no more. */
        pairs[i].key = gcl_str_make(NULL, gcl_buffer_mark(keys) - start);
        pairs[i].value.at = k->in->at;
        error = gcl_term_walk(k->in);
        if (error != 0)
            return error;
        pairs[i].value.end = k->in->at;
    }
    const uint8_t *at = gcl_buffer_bytes(keys);
    for (uint32_t i = 0; i < count; i++) {
        pairs[i].key.bytes = at;
        at += pairs[i].key.size;
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    return 0;
}

static int write_pairs(struct keying *k, struct pair *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct keying value = {k->out, &pairs[i].value, k->depth};
        if (i > 0 && gcl_str_equal(pairs[i - 1].key, pairs[i].key))
            return GCL_ETERM;
        int error = gcl_buffer_append_str(k->out, pairs[i].key);
        if (error == 0)
            error = write_term(&value);
        if (error != 0)
            return error;
    }
    return 0;
}

static int write_map(struct keying *k)
{
    struct gcl_buffer keys;
    uint32_t count;
    if (!gcl_read_map(k->in, &count))
        return GCL_ETERM;
    int error = gcl_write_map_head(k->out, count);
    /* A pair has two bytes at least: what is announced is not what is allocated. */
    if (error != 0 || count == 0)
        return error;
    if (count > gcl_cursor_left(k->in) / 2)
        return GCL_ETERM;
    struct pair *pairs = gcl_alloc(k->out->mem, count * sizeof *pairs);
    if (pairs == NULL)
        return GCL_ENOMEM;
    gcl_buffer_init(&keys, k->out->mem, 0);
    error = read_pairs(k, &keys, pairs, count);
    if (error == 0)
        error = write_pairs(k, pairs, count);
    gcl_buffer_fini(&keys);
    gcl_free(k->out->mem, pairs);
    return error;
}

/* The creator of a fun is no part of what it is. spec: NEW_FUN_EXT */
static int write_fun(struct keying *k)
{
    struct gcl_wire_pid creator;
    uint32_t count;
    int error = copy_bytes(k, 1);
    if (error == 0 && !gcl_cursor_skip(k->in, 4)) /* size */
        error = GCL_ETERM;
    if (error == 0)
        error = copy_bytes(k, FUN_HEAD_BYTES);
    if (error == 0 && !gcl_cursor_u32(k->in, &count))
        error = GCL_ETERM;
    if (error == 0)
        error = gcl_buffer_append_u32(k->out, count);
    if (error == 0)
        error = write_atom(k);
    if (error == 0)
        error = write_integer(k);
    if (error == 0)
        error = write_integer(k);
    if (error == 0 && !gcl_wire_pid_decode(k->in, &creator))
        error = GCL_ETERM;
    return error == 0 ? write_terms(k, count) : error;
}

static int write_record(struct keying *k)
{
    struct gcl_cursor head = *k->in;
    uint32_t count;
    if (!gcl_cursor_skip(&head, 1) || !gcl_cursor_u32(&head, &count))
        return GCL_ETERM;
    int error = copy_bytes(k, 6);
    for (uint64_t i = 0; error == 0 && i < (uint64_t)count + 2; i++) /* module, name, fields */
        error = write_atom(k);
    return error == 0 ? write_terms(k, count) : error;
}

static int write_one(struct keying *k)
{
    switch (gcl_term_class(k->in)) {
    case GCL_CLASS_NONE:
        return GCL_ETERM;
    case GCL_CLASS_INT:
        return write_integer(k);
    case GCL_CLASS_FLOAT:
        return write_float(k);
    case GCL_CLASS_ATOM:
        return write_atom(k);
    case GCL_CLASS_PID:
        return write_pid(k);
    case GCL_CLASS_REF:
        return write_ref(k);
    case GCL_CLASS_PORT:
        return write_port(k);
    case GCL_CLASS_TUPLE:
        return write_tuple(k);
    case GCL_CLASS_LIST:
        return write_list(k);
    case GCL_CLASS_BITS:
        return write_bits(k);
    case GCL_CLASS_MAP:
        return write_map(k);
    case GCL_CLASS_FUN:
        return write_fun(k);
    case GCL_CLASS_EXPORT:
        return write_export(k);
    case GCL_CLASS_RECORD:
        return write_record(k);
    }
    return GCL_ETERM;
}

static int write_term(struct keying *k)
{
    if (k->depth == GCL_TERM_KEY_DEPTH_MAX)
        return GCL_ELIMIT;
    k->depth++;
    int error = write_one(k);
    k->depth--;
    return error;
}

int gcl_term_key(struct gcl_buffer *out, struct gcl_cursor *cursor)
{
    struct keying keying = {out, cursor, 0};
    size_t mark = gcl_buffer_mark(out);
    int error = write_term(&keying);
    if (error != 0)
        gcl_buffer_rollback(out, mark);
    return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/equal.h"

#include <gen_cluster/term.h>
#include <math.h>

#include "wire/term/id.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"

enum { FUN_UNIQ_BYTES = 16 };

enum level_kind { TERMS, LISTS, MAPS };

/* What is open in both terms: so many terms, or the elements of two lists, or pairs of maps. */
struct level {
    enum level_kind kind;
    uint32_t left;
    union {
        struct {
            struct gcl_list_reader a, b;
        } lists;
        struct { /* the pairs of b: the search for a key goes round them */
            const uint8_t *first, *next, *end;
            uint32_t count;
        } maps;
    } of;
};

struct compare {
    struct gcl_cursor *a, *b;
    struct level *levels;
    unsigned depth;
    unsigned key_depth; /* of maps in keys of maps */
};

enum { LEVELS_MAX = GCL_TERM_DEPTH_MAX, KEY_DEPTH_MAX = 16 };

static bool equal(struct compare *compare);

/* --- leaves --------------------------------------------------------------------------------- */

static bool same_integer(struct compare *c)
{
    struct gcl_integer a, b;
    return gcl_read_integer(c->a, &a) && gcl_read_integer(c->b, &b) &&
           a.is_negative == b.is_negative && gcl_str_equal(a.magnitude, b.magnitude);
}

static bool same_float(struct compare *c)
{
    double a, b;
    return gcl_read_double(c->a, &a) && gcl_read_double(c->b, &b) && a == b &&
           signbit(a) == signbit(b);
}

static bool same_atom(struct compare *c)
{
    struct gcl_str a;
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    return gcl_wire_atom_decode(c->a, scratch, &a) && gcl_read_atom_is(c->b, a);
}

static bool same_pid(struct compare *c)
{
    struct gcl_wire_pid a, b;
    return gcl_wire_pid_decode(c->a, &a) && gcl_wire_pid_decode(c->b, &b) && a.id == b.id &&
           a.serial == b.serial && a.creation == b.creation && gcl_str_equal(a.node, b.node);
}

static bool same_ref(struct compare *c)
{
    struct gcl_wire_ref a, b;
    return gcl_wire_ref_decode(c->a, &a) && gcl_wire_ref_decode(c->b, &b) &&
           a.creation == b.creation && a.count == b.count &&
           memcmp(a.words, b.words, a.count * sizeof a.words[0]) == 0 &&
           gcl_str_equal(a.node, b.node);
}

static bool same_port(struct compare *c)
{
    struct gcl_wire_port a, b;
    return gcl_wire_port_decode(c->a, &a) && gcl_wire_port_decode(c->b, &b) && a.id == b.id &&
           a.creation == b.creation && gcl_str_equal(a.node, b.node);
}

static bool same_bits(struct compare *c)
{
    struct gcl_str a, b;
    uint64_t bits_a, bits_b;
    if (!gcl_read_bits(c->a, &a, &bits_a) || !gcl_read_bits(c->b, &b, &bits_b) || bits_a != bits_b)
        return false;
    size_t whole = (size_t)(bits_a / 8);
    unsigned rest = (unsigned)(bits_a % 8); /* the bits behind them mean nothing */
    return gcl_str_equal(gcl_str_make(a.bytes, whole), gcl_str_make(b.bytes, whole)) &&
           (rest == 0 || (a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest) == 0);
}

static bool same_bytes(struct compare *c, size_t size)
{
    struct gcl_str a, b;
    return gcl_cursor_bytes(c->a, size, &a) && gcl_cursor_bytes(c->b, size, &b) &&
           gcl_str_equal(a, b);
}

static bool same_export(struct compare *c)
{
    return gcl_cursor_skip(c->a, 1) && gcl_cursor_skip(c->b, 1) && same_atom(c) && same_atom(c) &&
           same_integer(c);
}

/* --- what has terms inside ------------------------------------------------------------------ */

static bool push(struct compare *c, enum level_kind kind, uint32_t left)
{
    if (c->depth == LEVELS_MAX)
        return false;
    struct level *level = &c->levels[c->depth++];
    level->kind = kind;
    level->left = left;
    return true;
}

static bool open_tuples(struct compare *c)
{
    uint32_t a, b;
    return gcl_read_tuple(c->a, &a) && gcl_read_tuple(c->b, &b) && a == b && push(c, TERMS, a);
}

static bool open_lists(struct compare *c)
{
    if (!push(c, LISTS, 0))
        return false;
    struct level *level = &c->levels[c->depth - 1];
    return gcl_read_list(c->a, &level->of.lists.a) && gcl_read_list(c->b, &level->of.lists.b);
}

static bool open_maps(struct compare *c)
{
    uint32_t a, b;
    if (!gcl_read_map(c->a, &a) || !gcl_read_map(c->b, &b) || a != b || !push(c, MAPS, a))
        return false;
    struct level *level = &c->levels[c->depth - 1];
    struct gcl_cursor end = *c->b;
    for (uint64_t i = 0; i < 2 * (uint64_t)a; i++)
        if (gcl_term_walk(&end) != 0)
            return false;
    level->of.maps.count = a;
    level->of.maps.first = level->of.maps.next = c->b->at;
    level->of.maps.end = end.at;
    return true;
}

/* The creator of a fun is no part of what it is. spec: NEW_FUN_EXT */
static bool open_funs(struct compare *c)
{
    struct gcl_wire_pid creator;
    uint32_t a, b;
    if (!gcl_cursor_skip(c->a, 5) || !gcl_cursor_skip(c->b, 5) ||
        !same_bytes(c, 1 + FUN_UNIQ_BYTES + 4) || !gcl_cursor_u32(c->a, &a) ||
        !gcl_cursor_u32(c->b, &b) || a != b || !same_atom(c) || !same_integer(c) ||
        !same_integer(c) || !gcl_wire_pid_decode(c->a, &creator) ||
        !gcl_wire_pid_decode(c->b, &creator))
        return false;
    return push(c, TERMS, a);
}

static bool open_records(struct compare *c)
{
    struct gcl_cursor head = *c->a;
    uint32_t count;
    if (!gcl_cursor_skip(&head, 1) || !gcl_cursor_u32(&head, &count) || !same_bytes(c, 6))
        return false;
    for (uint64_t i = 0; i < (uint64_t)count + 2; i++) /* module, name, fields */
        if (!same_atom(c))
            return false;
    return push(c, TERMS, count);
}

static bool same_one(struct compare *c)
{
    enum gcl_class class = gcl_term_class(c->a);
    if (class != gcl_term_class(c->b))
        return false;
    switch (class) {
    case GCL_CLASS_NONE:
        return false;
    case GCL_CLASS_INT:
        return same_integer(c);
    case GCL_CLASS_FLOAT:
        return same_float(c);
    case GCL_CLASS_ATOM:
        return same_atom(c);
    case GCL_CLASS_PID:
        return same_pid(c);
    case GCL_CLASS_REF:
        return same_ref(c);
    case GCL_CLASS_PORT:
        return same_port(c);
    case GCL_CLASS_TUPLE:
        return open_tuples(c);
    case GCL_CLASS_LIST:
        return open_lists(c);
    case GCL_CLASS_BITS:
        return same_bits(c);
    case GCL_CLASS_MAP:
        return open_maps(c);
    case GCL_CLASS_FUN:
        return open_funs(c);
    case GCL_CLASS_EXPORT:
        return same_export(c);
    case GCL_CLASS_RECORD:
        return open_records(c);
    }
    return false;
}

/* --- levels --------------------------------------------------------------------------------- */

/* One more element of both lists; at their ends the tails are what is left to compare. */
static bool step_lists(struct compare *c)
{
    struct gcl_list_reader *list_a = &c->levels[c->depth - 1].of.lists.a;
    struct gcl_list_reader *list_b = &c->levels[c->depth - 1].of.lists.b;
    struct gcl_cursor a, b;
    bool more_a = gcl_read_next(c->a, list_a, &a);
    bool more_b = gcl_read_next(c->b, list_b, &b);
    if (more_a != more_b)
        return false;
    if (more_a && !list_a->is_string && !list_b->is_string)
        return same_one(c);
    if (more_a) { /* one is a byte: so both are integers, or they differ */
        struct compare one = {.a = list_a->is_string ? &a : c->a,
                              .b = list_b->is_string ? &b : c->b};
        return gcl_term_class(one.a) == gcl_term_class(one.b) &&
               gcl_term_class(one.a) == GCL_CLASS_INT && same_integer(&one);
    }
    bool end_a = gcl_read_list_end(c->a, list_a), end_b = gcl_read_list_end(c->b, list_b);
    c->depth--;
    return end_a == end_b && (end_a || same_one(c));
}

static bool same_key(const struct compare *c, struct gcl_cursor *a, struct gcl_cursor b)
{
    struct compare keys = {a, &b, c->levels, c->depth, c->key_depth + 1};
    return keys.key_depth <= KEY_DEPTH_MAX && equal(&keys);
}

/*
 * Looks for the next key of a among those of b, from behind the last one found on, and goes on with
 * the two values: b is set to the place where its one stands.
 */
static bool step_maps(struct compare *c)
{
    struct level *level = &c->levels[c->depth - 1];
    for (uint32_t i = 0; i < level->of.maps.count; i++) {
        if (level->of.maps.next == level->of.maps.end)
            level->of.maps.next = level->of.maps.first;
        struct gcl_cursor key_a = *c->a, at = {level->of.maps.next, level->of.maps.end};
        bool is_same = same_key(c, &key_a, at);
        if (gcl_term_walk(&at) != 0)
            return false;
        struct gcl_cursor value = at;
        if (gcl_term_walk(&at) != 0)
            return false;
        level->of.maps.next = at.at;
        if (is_same) {
            *c->a = key_a;
            c->b->at = value.at;
            return same_one(c);
        }
    }
    return false;
}

static bool equal(struct compare *c)
{
    unsigned base = c->depth;
    if (!same_one(c))
        return false;
    while (c->depth > base) {
        struct level *level = &c->levels[c->depth - 1];
        if (level->kind == LISTS) {
            if (!step_lists(c))
                return false;
        } else if (level->left == 0) {
            if (level->kind == MAPS)
                c->b->at = level->of.maps.end;
            c->depth--;
        } else {
            level->left--;
            if (!(level->kind == MAPS ? step_maps(c) : same_one(c)))
                return false;
        }
    }
    return true;
}

bool gcl_cursor_equal(struct gcl_cursor *a, struct gcl_cursor *b)
{
    struct level levels[LEVELS_MAX];
    struct compare compare = {a, b, levels, 0, 0};
    return equal(&compare);
}

bool gcl_term_equal(gcl_term a, gcl_term b)
{
    struct gcl_cursor at_a = gcl_cursor_make(a.bytes, a.size);
    struct gcl_cursor at_b = gcl_cursor_make(b.bytes, b.size);
    return gcl_cursor_equal(&at_a, &at_b) && gcl_cursor_left(&at_a) == 0 &&
           gcl_cursor_left(&at_b) == 0;
}

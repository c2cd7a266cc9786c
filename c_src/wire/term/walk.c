/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/walk.h"

#include <gen_cluster/error.h>

#include "wire/term/id.h"
#include "wire/term/tag.h"

enum { FUN_UNIQ_BYTES = 16 };

/* What is open around the place where the walk is. */
struct level {
    const uint8_t *end; /* where a fun says that it ends; else NULL */
    uint64_t left;      /* terms in it that are still to come */
};

/* --- leaves --------------------------------------------------------------------------------- */

static bool skip_counted_u8(struct gcl_cursor *at, size_t more)
{
    uint8_t size;
    return gcl_cursor_u8(at, &size) && gcl_cursor_skip(at, size + more);
}

static bool skip_counted_u16(struct gcl_cursor *at)
{
    uint16_t size;
    return gcl_cursor_u16(at, &size) && gcl_cursor_skip(at, size);
}

static bool skip_counted_u32(struct gcl_cursor *at, size_t more)
{
    uint32_t size;
    return gcl_cursor_u32(at, &size) && gcl_cursor_skip(at, (size_t)size + more);
}

/* BEAM has no infinities and no NaN. */
static bool skip_float(struct gcl_cursor *at)
{
    uint64_t bits;
    return gcl_cursor_u64(at, &bits) && (bits >> 52 & 0x7FF) != 0x7FF;
}

static bool skip_bits(struct gcl_cursor *at)
{
    uint32_t size;
    uint8_t used; /* bits of the last byte */
    return gcl_cursor_u32(at, &size) && gcl_cursor_u8(at, &used) && used <= 8 &&
           (used == 0) == (size == 0) && gcl_cursor_skip(at, size);
}

static bool skip_atom(struct gcl_cursor *at)
{
    struct gcl_str text;
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    return gcl_wire_atom_decode(at, scratch, &text);
}

static bool skip_atoms(struct gcl_cursor *at, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!skip_atom(at))
            return false;
    return true;
}

static bool skip_small(struct gcl_cursor *at)
{
    uint8_t tag;
    return gcl_cursor_u8(at, &tag) && tag == GCL_TAG_SMALL_INT && gcl_cursor_skip(at, 1);
}

static bool skip_integer(struct gcl_cursor *at)
{
    uint8_t tag;
    return gcl_cursor_u8(at, &tag) && ((tag == GCL_TAG_SMALL_INT && gcl_cursor_skip(at, 1)) ||
                                       (tag == GCL_TAG_INT && gcl_cursor_skip(at, 4)));
}

static bool skip_id(struct gcl_cursor *at, uint8_t tag)
{
    struct gcl_wire_pid pid;
    struct gcl_wire_ref ref;
    struct gcl_wire_port port;
    if (tag == GCL_TAG_PID || tag == GCL_TAG_OLD_PID)
        return gcl_wire_pid_decode(at, &pid);
    if (tag == GCL_TAG_PORT || tag == GCL_TAG_V4_PORT || tag == GCL_TAG_OLD_PORT)
        return gcl_wire_port_decode(at, &port);
    return gcl_wire_ref_decode(at, &ref);
}

/* --- what has terms inside ------------------------------------------------------------------ */

static bool open_fun(struct gcl_cursor *at, struct level *inside)
{
    struct gcl_wire_pid creator;
    uint32_t size, free_count;
    const uint8_t *start = at->at;
    if (!gcl_cursor_u32(at, &size) || size > (size_t)(at->end - start))
        return false;
    inside->end = start + size; /* the size counts itself */
    if (!gcl_cursor_skip(at, 1 + FUN_UNIQ_BYTES + 4) || !gcl_cursor_u32(at, &free_count) ||
        !skip_atom(at) || !skip_integer(at) || !skip_integer(at) ||
        !gcl_wire_pid_decode(at, &creator))
        return false;
    inside->left = free_count;
    return free_count > 0 || at->at == inside->end;
}

static bool open_record(struct gcl_cursor *at, struct level *inside)
{
    uint32_t count;
    /* Its module and its name, and the names of its fields. */
    if (!gcl_cursor_u32(at, &count) || !gcl_cursor_skip(at, 1) ||
        !skip_atoms(at, UINT64_C(2) + count))
        return false;
    inside->left = count;
    return true;
}

static bool open_tuple(struct gcl_cursor *at, uint8_t tag, struct level *inside)
{
    uint8_t small;
    uint32_t count;
    if (tag == GCL_TAG_SMALL_TUPLE) {
        if (!gcl_cursor_u8(at, &small))
            return false;
        count = small;
    } else if (!gcl_cursor_u32(at, &count)) {
        return false;
    }
    inside->left = count;
    return true;
}

/* `each` terms for each of a count, and `more`. */
static bool open_counted(struct gcl_cursor *at, struct level *inside, unsigned each, unsigned more)
{
    uint32_t count;
    if (!gcl_cursor_u32(at, &count))
        return false;
    inside->left = (uint64_t)count * each + more;
    return true;
}

/* Skips one term but for the terms inside it, which are counted. */
static bool skip_one(struct gcl_cursor *at, struct level *inside)
{
    struct gcl_cursor start = *at;
    uint8_t tag;
    if (!gcl_cursor_u8(at, &tag))
        return false;
    switch (tag) {
    case GCL_TAG_SMALL_INT:
        return gcl_cursor_skip(at, 1);
    case GCL_TAG_INT:
        return gcl_cursor_skip(at, 4);
    case GCL_TAG_FLOAT:
        return skip_float(at);
    case GCL_TAG_NIL:
        return true;
    case GCL_TAG_STRING:
        return skip_counted_u16(at);
    case GCL_TAG_BINARY:
        return skip_counted_u32(at, 0);
    case GCL_TAG_SMALL_BIG:
        return skip_counted_u8(at, 1); /* a byte of sign */
    case GCL_TAG_BIG:
        return skip_counted_u32(at, 1);
    case GCL_TAG_BITS:
        return skip_bits(at);
    case GCL_TAG_LATIN1_ATOM:
    case GCL_TAG_SMALL_LATIN1_ATOM:
    case GCL_TAG_ATOM:
    case GCL_TAG_SMALL_ATOM:
        *at = start;
        return skip_atom(at);
    case GCL_TAG_PID:
    case GCL_TAG_OLD_PID:
    case GCL_TAG_PORT:
    case GCL_TAG_V4_PORT:
    case GCL_TAG_OLD_PORT:
    case GCL_TAG_REF:
    case GCL_TAG_NEW_REF:
    case GCL_TAG_OLD_REF:
        *at = start;
        return skip_id(at, tag);
    case GCL_TAG_EXPORT:
        return skip_atoms(at, 2) && skip_small(at);
    case GCL_TAG_SMALL_TUPLE:
    case GCL_TAG_TUPLE:
        return open_tuple(at, tag, inside);
    case GCL_TAG_LIST:
        return open_counted(at, inside, 1, 1);
    case GCL_TAG_MAP:
        return open_counted(at, inside, 2, 0);
    case GCL_TAG_FUN:
        return open_fun(at, inside);
    case GCL_TAG_RECORD:
        return open_record(at, inside);
    default: /* a byte of the peer, no enum of ours */
        return false;
    }
}

int gcl_term_walk_to(struct gcl_cursor *cursor, unsigned depth_max)
{
    struct level levels[GCL_TERM_DEPTH_MAX + 1];
    struct gcl_cursor at = *cursor;
    unsigned depth = 0;
    levels[0] = (struct level){NULL, 1};
    for (;;) {
        while (levels[depth].left == 0) {
            if (levels[depth].end != NULL && levels[depth].end != at.at)
                return GCL_ETERM;
            if (depth-- == 0) {
                *cursor = at;
                return 0;
            }
        }
        struct level inside = {NULL, 0};
        levels[depth].left--;
        if (!skip_one(&at, &inside) || inside.left > gcl_cursor_left(&at))
            return GCL_ETERM;
        if (inside.left == 0)
            continue;
        if (depth == depth_max)
            return GCL_ELIMIT;
        levels[++depth] = inside;
    }
}

int gcl_term_walk(struct gcl_cursor *cursor)
{
    return gcl_term_walk_to(cursor, GCL_TERM_DEPTH_MAX);
}

int gcl_term_skip(struct gcl_cursor *cursor)
{
    struct gcl_cursor at = *cursor;
    uint64_t left = 1;
    while (left > 0) {
        struct level inside = {NULL, 0};
        if (!skip_one(&at, &inside))
            return GCL_ETERM;
        left += inside.left - 1;
        if (left > gcl_cursor_left(&at))
            return GCL_ETERM;
    }
    *cursor = at;
    return 0;
}

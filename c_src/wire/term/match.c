/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/equal.h"
#include "wire/term/pattern.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

/* A list or map that is open. */
struct frame {
    struct gcl_list_reader list;
    struct gcl_cursor main;  /* of a list: where it goes on; of a map: its end */
    struct gcl_cursor pairs; /* of a map */
    bool is_apart; /* the element is not in the list's bytes, but an integer of a string */
};

/* What an argument will be set to, when all of the pattern has matched. */
struct found {
    union {
        int64_t i;
        uint64_t u;
        double f;
        bool is_true;
        struct gcl_str bytes;
        gcl_pid pid;
        gcl_ref ref;
    } as;
    /* Of a rest of a list: it has no head of its own. */
    uint32_t rest_count;
    bool rest_is_string;
};

struct match {
    gcl_term_context *context;
    const struct gcl_pattern *pattern;
    const gcl_out *outs;
    struct gcl_cursor at;
    unsigned arg;                                   /* the next argument */
    unsigned depth;                                 /* of frames */
    struct frame frames[GCL_PATTERN_DEPTH_MAX + 1]; /* the first is none */
    struct found found[GCL_PATTERN_ARGS_MAX];
};

/* --- arguments ------------------------------------------------------------------------------ */

#define BIT(kind) (1u << (kind))

/* Which places go with a directive. */
static const uint32_t kinds_of[GCL_HOLE_LAST + 1] = {
    [GCL_HOLE_INT] = 0xFFu << GCL_OUT_I8,
    [GCL_HOLE_UINT] = 0xFFu << GCL_OUT_I8,
    [GCL_HOLE_FLOAT] = BIT(GCL_OUT_DOUBLE),
    [GCL_HOLE_ATOM] = BIT(GCL_OUT_BYTES) | BIT(GCL_OUT_BOOL),
    [GCL_HOLE_STRING] = BIT(GCL_OUT_BYTES),
    [GCL_HOLE_BINARY] = BIT(GCL_OUT_BYTES),
    [GCL_HOLE_PID] = BIT(GCL_OUT_PID),
    [GCL_HOLE_REF] = BIT(GCL_OUT_REF),
    [GCL_HOLE_TERM] = BIT(GCL_OUT_TERM),
};

static bool check_outs(gcl_term_context *context, const struct gcl_pattern *pattern,
                       const gcl_outs *outs)
{
    if (outs->count == pattern->arg_count) {
        unsigned i = 0;
        while (i < outs->count && (kinds_of[pattern->holes[i]] & BIT(outs->outs[i].kind)) != 0)
            i++;
        if (i == outs->count)
            return true;
    }
    struct gcl_pattern_use use = {outs->file, outs->line, outs->count, outs->pattern};
    if (outs->count != pattern->arg_count) {
        gcl_pattern_misuse_count(context, pattern, &use);
        return false;
    }
    for (unsigned i = 0; i < outs->count; i++)
        if ((kinds_of[pattern->holes[i]] & BIT(outs->outs[i].kind)) == 0) {
            gcl_pattern_misuse_kind(context, pattern, &use, i);
            break;
        }
    return false;
}

static unsigned bits_of(enum gcl_arg_kind kind)
{
    return 8u << ((kind - GCL_OUT_I8) & 3);
}

static bool find_integer(struct match *match, struct found *found, enum gcl_arg_kind kind)
{
    unsigned unused = 64 - bits_of(kind);
    if (kind >= GCL_OUT_U8)
        return gcl_read_uint64(&match->at, &found->as.u) && found->as.u <= UINT64_MAX >> unused;
    return gcl_read_int64(&match->at, &found->as.i) && found->as.i <= INT64_MAX >> unused &&
           found->as.i >= -(INT64_MAX >> unused) - 1;
}

static bool find_atom(struct match *match, struct found *found, enum gcl_arg_kind kind)
{
    struct gcl_str text;
    if (!gcl_wire_atom_decode(&match->at, NULL, &text))
        return false;
    if (kind == GCL_OUT_BYTES) {
        found->as.bytes = text;
        return true;
    }
    found->as.is_true = gcl_str_is(text, "true");
    return found->as.is_true || gcl_str_is(text, "false");
}

/* The elements up to [], into `bytes` if that is not NULL. False when one is no byte. */
static bool read_bytes(struct gcl_cursor *at, struct gcl_list_reader list, uint8_t *bytes,
                       size_t *count)
{
    struct gcl_cursor element;
    int64_t byte;
    for (*count = 0; gcl_read_next(at, &list, &element); ++*count) {
        if (!gcl_read_int64(list.is_string ? &element : at, &byte) || byte < 0 || byte > UINT8_MAX)
            return false;
        if (bytes != NULL)
            bytes[*count] = (uint8_t)byte;
    }
    return gcl_read_list_end(at, &list);
}

/* A string has its bytes in a row; those of a list, which may stand for one, are gathered. */
static bool find_string(struct match *match, struct gcl_cursor *at,
                        const struct gcl_list_reader *list, struct found *found)
{
    struct gcl_cursor again = *at;
    size_t count;
    if (list->is_string)
        return gcl_cursor_bytes(at, list->left, &found->as.bytes);
    if (!read_bytes(at, *list, NULL, &count) || count > GCL_STRING_MAX)
        return false;
    uint8_t *bytes = count > 0 ? gcl_term_context_room(match->context, count) : NULL;
    found->as.bytes = gcl_str_make(count > 0 ? (const void *)bytes : "", count);
    return count == 0 || (bytes != NULL && read_bytes(&again, *list, bytes, &count));
}

static bool find_pid(struct match *match, struct found *found)
{
    struct gcl_wire_pid wire;
    const struct gcl_term_ids *ids = &match->context->ids;
    return gcl_wire_pid_decode(&match->at, &wire) && ids->pid_in != NULL &&
           ids->pid_in(ids->user, &wire, &found->as.pid) == 0;
}

static bool find_ref(struct match *match, struct found *found)
{
    struct gcl_wire_ref wire;
    const struct gcl_term_ids *ids = &match->context->ids;
    return gcl_wire_ref_decode(&match->at, &wire) && ids->ref_in != NULL &&
           ids->ref_in(ids->user, &wire, &found->as.ref) == 0;
}

static bool find_term(struct match *match, struct found *found)
{
    const uint8_t *start = match->at.at;
    found->rest_count = 0;
    if (gcl_term_walk(&match->at) != 0)
        return false;
    found->as.bytes = gcl_str_make(start, (size_t)(match->at.at - start));
    return true;
}

static bool match_hole(struct match *match, enum gcl_hole hole)
{
    enum gcl_arg_kind kind = match->outs[match->arg].kind;
    struct found *found = &match->found[match->arg++];
    struct gcl_list_reader list;
    switch (hole) {
    case GCL_HOLE_INT:
    case GCL_HOLE_UINT:
        return find_integer(match, found, kind);
    case GCL_HOLE_FLOAT:
        return gcl_read_double(&match->at, &found->as.f);
    case GCL_HOLE_ATOM:
        return find_atom(match, found, kind);
    case GCL_HOLE_STRING:
        return gcl_read_list(&match->at, &list) && find_string(match, &match->at, &list, found);
    case GCL_HOLE_BINARY:
        return gcl_read_binary(&match->at, &found->as.bytes);
    case GCL_HOLE_PID:
        return find_pid(match, found);
    case GCL_HOLE_REF:
        return find_ref(match, found);
    case GCL_HOLE_TERM:
        return find_term(match, found);
    case GCL_HOLE_ANY:
        break; /* no argument: GCL_OP_ANY */
    }
    return false;
}

/* --- lists and maps ------------------------------------------------------------------------- */

static struct frame *top(struct match *match)
{
    return &match->frames[match->depth];
}

static bool skip_terms(struct gcl_cursor *at, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (gcl_term_walk(at) != 0)
            return false;
    return true;
}

static bool open_list(struct match *match)
{
    struct frame *frame = &match->frames[++match->depth];
    frame->main = match->at;
    frame->is_apart = true; /* there was no element yet */
    return gcl_read_list(&frame->main, &frame->list);
}

/* Behind an element: the list goes on where the element ended. */
static struct frame *resume(struct match *match)
{
    struct frame *frame = top(match);
    if (!frame->is_apart)
        frame->main = match->at;
    return frame;
}

static bool next_element(struct match *match)
{
    struct frame *frame = resume(match);
    if (!gcl_read_next(&frame->main, &frame->list, &match->at))
        return false;
    frame->is_apart = frame->list.is_string;
    return true;
}

static bool end_list(struct match *match)
{
    struct frame *frame = resume(match);
    struct gcl_cursor element;
    if (gcl_read_next(&frame->main, &frame->list, &element) ||
        !gcl_read_list_end(&frame->main, &frame->list))
        return false;
    match->at = frame->main;
    match->depth--;
    return true;
}

/* A tail that is no list: the cursor is moved there. */
static bool open_tail(struct match *match)
{
    struct frame *frame = resume(match);
    struct gcl_cursor element;
    if (gcl_read_next(&frame->main, &frame->list, &element) || frame->list.is_string)
        return false;
    match->at = frame->main;
    match->depth--;
    return true;
}

static bool skip_rest(struct gcl_cursor *at, const struct gcl_list_reader *list)
{
    if (list->is_string)
        return gcl_cursor_skip(at, list->left);
    return skip_terms(at, (uint64_t)list->left + 1);
}

/* What is left of a list has no head: match_rest() notes where it is, set_rest() copies it. */
static bool match_rest(struct match *match, enum gcl_hole hole)
{
    static const uint8_t nil = GCL_TAG_NIL;
    struct frame *frame = resume(match);
    struct gcl_cursor *at = &frame->main;
    bool ok;
    if (hole == GCL_HOLE_ANY) {
        ok = skip_rest(at, &frame->list);
    } else if (hole == GCL_HOLE_STRING) {
        ok = find_string(match, at, &frame->list, &match->found[match->arg++]);
    } else {
        struct found *found = &match->found[match->arg++];
        const uint8_t *start = at->at;
        ok = skip_rest(at, &frame->list);
        found->as.bytes = gcl_str_make(start, (size_t)(at->at - start));
        found->rest_count = frame->list.left;
        found->rest_is_string = frame->list.is_string;
        if (frame->list.is_string && frame->list.left == 0)
            found->as.bytes = gcl_str_make(&nil, 1);
    }
    match->at = *at;
    match->depth--;
    return ok;
}

static bool open_map(struct match *match)
{
    struct frame *frame = &match->frames[++match->depth];
    uint32_t pairs;
    if (!gcl_read_map(&match->at, &pairs))
        return false;
    frame->pairs = match->at;
    if (!skip_terms(&match->at, 2 * (uint64_t)pairs))
        return false;
    frame->pairs.end = match->at.at; /* so that looking for keys ends there */
    frame->main = match->at;
    return true;
}

static bool find_key(struct match *match, const struct gcl_op *op)
{
    const uint8_t *bytes = match->pattern->bytes + op->offset;
    struct gcl_cursor pairs = top(match)->pairs;
    while (gcl_cursor_left(&pairs) > 0) {
        struct gcl_cursor key = gcl_cursor_make(bytes, op->count);
        struct gcl_cursor value = pairs;
        if (gcl_cursor_equal(&key, &value)) {
            match->at = gcl_cursor_make(value.at, (size_t)(top(match)->main.end - value.at));
            return true;
        }
        if (!skip_terms(&pairs, 2))
            return false;
    }
    return false;
}

static bool close_map(struct match *match)
{
    match->at = top(match)->main;
    match->depth--;
    return true;
}

/* --- the way through the operations --------------------------------------------------------- */

/* Short runs are the rule; memcmp() costs more than they do. */
static bool has_bytes(struct gcl_cursor *at, const uint8_t *bytes, size_t size)
{
    if (gcl_cursor_left(at) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (at->at[i] != bytes[i])
            return false;
    at->at += size;
    return true;
}

static bool match_equal(struct match *match, const struct gcl_op *op)
{
    const uint8_t *bytes = match->pattern->bytes + op->offset;
    struct gcl_cursor literal = gcl_cursor_make(bytes, op->count);
    return has_bytes(&match->at, bytes, op->count) || gcl_cursor_equal(&literal, &match->at);
}

static bool match_tuple(struct match *match, const struct gcl_op *op)
{
    uint32_t arity;
    return gcl_read_tuple(&match->at, &arity) && arity == op->count;
}

static bool match_op(struct match *match, const struct gcl_op *op)
{
    switch ((enum gcl_op_code)op->code) {
    case GCL_OP_EQUAL:
        return match_equal(match, op);
    case GCL_OP_TUPLE:
        return match_tuple(match, op);
    case GCL_OP_HOLE:
        return match_hole(match, (enum gcl_hole)op->hole);
    case GCL_OP_ANY:
        return gcl_term_walk(&match->at) == 0;
    case GCL_OP_LIST:
        return open_list(match);
    case GCL_OP_NEXT:
        return next_element(match);
    case GCL_OP_END:
        return end_list(match);
    case GCL_OP_TAIL:
        return open_tail(match);
    case GCL_OP_TAIL_HOLE:
    case GCL_OP_TAIL_ANY:
        return match_rest(match, (enum gcl_hole)op->hole);
    case GCL_OP_MAP:
        return open_map(match);
    case GCL_OP_KEY:
        return find_key(match, op);
    case GCL_OP_MAP_END:
        return close_map(match);
    case GCL_OP_RUN:
    case GCL_OP_COPY:
        break;
    }
    return false;
}

static bool match_all(struct match *match)
{
    const struct gcl_pattern *pattern = match->pattern;
    const struct gcl_op *op = pattern->ops, *end = op + pattern->op_count;
    for (; op < end; op++) {
        if (op->code == GCL_OP_RUN) {
            if (has_bytes(&match->at, pattern->bytes + op->offset, op->count))
                op += op->skip;
        } else if (!match_op(match, op)) {
            return false;
        }
    }
    return gcl_cursor_left(&match->at) == 0;
}

/* --- setting -------------------------------------------------------------------------------- */

/* Gives the rest of a list the head that it lacks. */
static bool complete_rest(struct match *match, struct found *found)
{
    if (found->rest_count == 0)
        return true;
    struct gcl_str bytes = found->as.bytes;
    uint8_t *room = gcl_term_context_room(match->context, GCL_PUT_HEAD_ROOM + bytes.size);
    if (room == NULL)
        return false;
    uint8_t *at = room;
    if (found->rest_is_string) {
        *at = GCL_TAG_STRING;
        at = gcl_put_u16(at + 1, (uint16_t)found->rest_count);
    } else {
        at = gcl_put_list(at, found->rest_count);
    }
    at = gcl_put_str(at, bytes);
    found->as.bytes = gcl_str_make(room, (size_t)(at - room));
    return true;
}

static void set(struct match *match, const gcl_out *out, const struct found *found)
{
    switch (out->kind) {
    case GCL_OUT_I8:
    case GCL_OUT_U8:
        *(uint8_t *)out->place = (uint8_t)found->as.u;
        return;
    case GCL_OUT_I16:
    case GCL_OUT_U16:
        *(uint16_t *)out->place = (uint16_t)found->as.u;
        return;
    case GCL_OUT_I32:
    case GCL_OUT_U32:
        *(uint32_t *)out->place = (uint32_t)found->as.u;
        return;
    case GCL_OUT_I64:
    case GCL_OUT_U64:
        *(uint64_t *)out->place = found->as.u;
        return;
    case GCL_OUT_DOUBLE:
        *(double *)out->place = found->as.f;
        return;
    case GCL_OUT_BOOL:
        *(bool *)out->place = found->as.is_true;
        return;
    case GCL_OUT_BYTES:
        *(gcl_bytes *)out->place = (gcl_bytes){found->as.bytes.bytes, found->as.bytes.size};
        return;
    case GCL_OUT_PID:
        *(gcl_pid *)out->place = found->as.pid;
        return;
    case GCL_OUT_REF:
        *(gcl_ref *)out->place = found->as.ref;
        return;
    case GCL_OUT_TERM:
        *(gcl_term *)out->place = gcl_term_of(match->context, found->as.bytes);
        return;
    case GCL_ARG_INT:
    case GCL_ARG_UINT:
    case GCL_ARG_DOUBLE:
    case GCL_ARG_BOOL:
    case GCL_ARG_TEXT:
    case GCL_ARG_BYTES:
    case GCL_ARG_PID:
    case GCL_ARG_REF:
    case GCL_ARG_TERM:
        return; /* check_outs() */
    }
}

static bool set_all(struct match *match)
{
    for (unsigned i = 0; i < match->arg; i++)
        if (match->pattern->holes[i] == GCL_HOLE_TERM && !complete_rest(match, &match->found[i]))
            return false;
    for (unsigned i = 0; i < match->arg; i++)
        set(match, &match->outs[i], &match->found[i]);
    return true;
}

static bool match_with(gcl_term term, const struct gcl_pattern *pattern, const gcl_outs *outs)
{
    struct match match;
    match.context = term.context;
    match.pattern = pattern;
    match.outs = outs->outs;
    match.at = gcl_term_cursor(term);
    match.arg = 0;
    match.depth = 0;
    match.frames[0] = (struct frame){0};
    return check_outs(term.context, pattern, outs) && match_all(&match) && set_all(&match);
}

/* Apart, because of the room it takes. */
static bool compile_and_match(gcl_term term, const gcl_outs *outs)
{
    struct gcl_pattern_room room;
    struct gcl_pattern_use use = {outs->file, outs->line, outs->count, outs->pattern};
    const struct gcl_pattern *pattern =
        gcl_pattern_compile(term.context, GCL_PARSE_MATCH, &use, &room);
    return pattern != NULL && match_with(term, pattern, outs);
}

bool gcl_match_outs(gcl_term term, gcl_outs outs)
{
    const struct gcl_pattern *pattern =
        gcl_pattern_find(term.context, GCL_PARSE_MATCH, outs.pattern);
    return pattern != NULL ? match_with(term, pattern, &outs) : compile_and_match(term, &outs);
}

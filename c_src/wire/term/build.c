/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "wire/term/pattern.h"
#include "wire/term/scan.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

/* What an argument needs besides itself. */
struct extra {
    size_t size;         /* most bytes it takes */
    uint32_t characters; /* of a string */
    bool is_wide;        /* it has characters beyond Latin-1, or too many */
    union {
        struct gcl_str text;
        struct gcl_wire_pid pid;
        struct gcl_wire_ref ref;
    } as;
};

struct build {
    gcl_term_context *context;
    const struct gcl_pattern *pattern;
    const gcl_arg *args;
    struct extra extras[GCL_PATTERN_ARGS_MAX];
};

/* --- arguments ------------------------------------------------------------------------------ */

#define BIT(kind) (1u << (kind))

/* Which values go with a directive. */
static const uint32_t kinds_of[GCL_HOLE_LAST + 1] = {
    [GCL_HOLE_INT] = BIT(GCL_ARG_INT) | BIT(GCL_ARG_UINT),
    [GCL_HOLE_UINT] = BIT(GCL_ARG_INT) | BIT(GCL_ARG_UINT),
    [GCL_HOLE_FLOAT] = BIT(GCL_ARG_DOUBLE),
    [GCL_HOLE_ATOM] = BIT(GCL_ARG_TEXT) | BIT(GCL_ARG_BYTES) | BIT(GCL_ARG_BOOL),
    [GCL_HOLE_STRING] = BIT(GCL_ARG_TEXT) | BIT(GCL_ARG_BYTES),
    [GCL_HOLE_BINARY] = BIT(GCL_ARG_TEXT) | BIT(GCL_ARG_BYTES),
    [GCL_HOLE_PID] = BIT(GCL_ARG_PID),
    [GCL_HOLE_REF] = BIT(GCL_ARG_REF),
    [GCL_HOLE_TERM] = BIT(GCL_ARG_TERM),
};

static bool check_args(gcl_term_context *context, const struct gcl_pattern *pattern,
                       const gcl_message *message)
{
    struct gcl_pattern_use use = {message->file, message->line, message->count, message->pattern};
    if (message->count != pattern->arg_count) {
        gcl_pattern_misuse_count(context, pattern, &use);
        return false;
    }
    for (unsigned i = 0; i < message->count; i++)
        if ((kinds_of[pattern->holes[i]] & BIT(message->args[i].kind)) == 0) {
            gcl_pattern_misuse_kind(context, pattern, &use, i);
            return false;
        }
    return true;
}

/* The bytes of a text argument; false for a NULL. */
static bool text_of(const gcl_arg *arg, struct gcl_str *text)
{
    if (arg->kind == GCL_ARG_BOOL)
        *text = arg->as.is_true ? gcl_str_make("true", 4) : gcl_str_make("false", 5);
    else if (arg->kind == GCL_ARG_BYTES)
        *text = gcl_str_make(arg->as.bytes.bytes, arg->as.bytes.size);
    else if (arg->as.text != NULL)
        *text = gcl_str_of(arg->as.text);
    else
        return false;
    return text->bytes != NULL || text->size == 0;
}

static int measure_string(struct extra *extra)
{
    struct gcl_cursor at = gcl_cursor_make(extra->as.text.bytes, extra->as.text.size);
    uint32_t character;
    extra->characters = 0;
    extra->is_wide = false;
    for (; gcl_next_character(&at, &character); extra->characters++)
        extra->is_wide = extra->is_wide || character > UINT8_MAX;
    if (gcl_cursor_left(&at) > 0)
        return GCL_EINVAL;
    extra->is_wide = extra->is_wide || extra->characters > GCL_STRING_MAX;
    extra->size = GCL_PUT_HEAD_ROOM + 1 + (extra->is_wide ? 5 : 1) * (size_t)extra->characters;
    return 0;
}

static int measure_text(enum gcl_hole hole, const gcl_arg *arg, struct extra *extra)
{
    if (!text_of(arg, &extra->as.text) || extra->as.text.size > UINT32_MAX)
        return GCL_EINVAL;
    extra->size = GCL_PUT_HEAD_ROOM + extra->as.text.size;
    if (hole == GCL_HOLE_ATOM && !gcl_wire_text_is_atom(extra->as.text))
        return GCL_EINVAL;
    return hole == GCL_HOLE_STRING ? measure_string(extra) : 0;
}

static int measure_id(const struct gcl_term_ids *ids, const gcl_arg *arg, struct extra *extra)
{
    int error = GCL_ESTALE;
    if (arg->kind == GCL_ARG_PID && ids->pid_out != NULL) {
        error = ids->pid_out(ids->user, &arg->as.pid, &extra->as.pid);
        extra->size = GCL_WIRE_PID_ROOM + extra->as.pid.node.size;
    } else if (arg->kind == GCL_ARG_REF && ids->ref_out != NULL) {
        error = ids->ref_out(ids->user, &arg->as.ref, &extra->as.ref);
        extra->size = GCL_WIRE_REF_ROOM + extra->as.ref.node.size;
    }
    return error;
}

/* The term of another message must not make the peer close the connection to us. */
static int measure_term(const gcl_arg *arg, struct extra *extra)
{
    struct gcl_cursor at = gcl_term_cursor(arg->as.term);
    extra->size = arg->as.term.size;
    int error = gcl_term_walk(&at);
    return error == 0 && gcl_cursor_left(&at) > 0 ? GCL_ETERM : error;
}

static int measure(const struct gcl_term_ids *ids, enum gcl_hole hole, const gcl_arg *arg,
                   struct extra *extra)
{
    switch (hole) {
    case GCL_HOLE_INT:
    case GCL_HOLE_UINT:
        extra->size = GCL_PUT_INT_ROOM;
        return 0;
    case GCL_HOLE_FLOAT:
        extra->size = GCL_PUT_DOUBLE_ROOM;
        return isfinite(arg->as.f) ? 0 : GCL_EINVAL;
    case GCL_HOLE_ATOM:
    case GCL_HOLE_STRING:
    case GCL_HOLE_BINARY:
        return measure_text(hole, arg, extra);
    case GCL_HOLE_PID:
    case GCL_HOLE_REF:
        return measure_id(ids, arg, extra);
    case GCL_HOLE_TERM:
        return measure_term(arg, extra);
    case GCL_HOLE_ANY:
        break;
    }
    return GCL_EINVAL;
}

/* --- writing -------------------------------------------------------------------------------- */

static uint8_t *put_string(uint8_t *at, const struct extra *extra)
{
    struct gcl_cursor text = gcl_cursor_make(extra->as.text.bytes, extra->as.text.size);
    uint32_t character;
    if (extra->characters == 0)
        return gcl_put_nil(at);
    if (extra->is_wide) {
        at = gcl_put_list(at, extra->characters);
        while (gcl_next_character(&text, &character))
            at = gcl_put_int(at, character);
        return gcl_put_nil(at);
    }
    *at = GCL_TAG_STRING;
    at = gcl_put_u16(at + 1, (uint16_t)extra->characters);
    while (gcl_next_character(&text, &character))
        *at++ = (uint8_t)character;
    return at;
}

static uint8_t *put_arg(uint8_t *at, enum gcl_hole hole, const gcl_arg *arg,
                        const struct extra *extra)
{
    switch (hole) {
    case GCL_HOLE_INT:
    case GCL_HOLE_UINT:
        return arg->kind == GCL_ARG_INT ? gcl_put_int(at, arg->as.i) : gcl_put_uint(at, arg->as.u);
    case GCL_HOLE_FLOAT:
        return gcl_put_double(at, arg->as.f);
    case GCL_HOLE_ATOM:
        return gcl_wire_atom_put(at, extra->as.text);
    case GCL_HOLE_STRING:
        return put_string(at, extra);
    case GCL_HOLE_BINARY:
        return gcl_put_binary(at, extra->as.text);
    case GCL_HOLE_PID:
        return gcl_wire_pid_put(at, &extra->as.pid);
    case GCL_HOLE_REF:
        return gcl_wire_ref_put(at, &extra->as.ref);
    case GCL_HOLE_TERM:
        return gcl_put_str(at, gcl_str_make(arg->as.term.bytes, arg->as.term.size));
    case GCL_HOLE_ANY:
        break;
    }
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) /* short, as a rule */
        at[i] = bytes[i];
    return at + size;
}

static int build_with(struct build *build, struct gcl_buffer *out)
{
    const struct gcl_pattern *pattern = build->pattern;
    size_t size = pattern->size;
    int error = 0;
    for (unsigned i = 0; i < pattern->arg_count; i++) {
        error = measure(&build->context->ids, (enum gcl_hole)pattern->holes[i], &build->args[i],
                        &build->extras[i]);
        if (error != 0)
            return error;
        size += build->extras[i].size;
    }
    uint8_t *room = gcl_buffer_room(out, size, &error), *at = room;
    if (room == NULL)
        return error;
    const struct gcl_op *op = pattern->ops, *end = op + pattern->op_count;
    for (unsigned arg = 0; op < end; op++) {
        if (op->code == GCL_OP_COPY) {
            at = put_bytes(at, pattern->bytes + op->offset, op->count);
        } else if (arg < pattern->arg_count) {
            at = put_arg(at, (enum gcl_hole)pattern->holes[arg], &build->args[arg],
                         &build->extras[arg]);
            arg++;
        }
    }
    gcl_buffer_added(out, (size_t)(at - room));
    return 0;
}

static int build_checked(gcl_term_context *context, const struct gcl_pattern *pattern,
                         struct gcl_buffer *out, const gcl_message *message)
{
    struct build build;
    build.context = context;
    build.pattern = pattern;
    build.args = message->args;
    return check_args(context, pattern, message) ? build_with(&build, out) : GCL_EINVAL;
}

/* Apart, because of the room it takes. */
static int compile_and_build(gcl_term_context *context, struct gcl_buffer *out,
                             const gcl_message *message)
{
    struct gcl_pattern_room room;
    struct gcl_pattern_use use = {message->file, message->line, message->count, message->pattern};
    const struct gcl_pattern *pattern = gcl_pattern_compile(context, GCL_PARSE_BUILD, &use, &room);
    return pattern != NULL ? build_checked(context, pattern, out, message) : GCL_ESYNTAX;
}

int gcl_term_build(gcl_term_context *context, struct gcl_buffer *out, const gcl_message *message)
{
    const struct gcl_pattern *pattern =
        gcl_pattern_find(context, GCL_PARSE_BUILD, message->pattern);
    return pattern != NULL ? build_checked(context, pattern, out, message)
                           : compile_and_build(context, out, message);
}

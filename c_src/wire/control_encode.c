/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/error.h>

#include "base/put.h"
#include "wire/control.h"
#include "wire/control_form.h"
#include "wire/flags.h"
#include "wire/frame.h"

enum tag {
    SMALL_INTEGER_EXT = 97,
    INTEGER_EXT = 98,
    SMALL_TUPLE_EXT = 104,
    SMALL_BIG_EXT = 110,
};

enum {
    MFA_ARITY = 3,
    /* Length, form, version, tuple, arity, op; and the version of the payload. */
    FRAME_ROOM = GCL_FRAME_HEADER_BYTES + 2 + 2 + 2 + 1,
    INTEGER_ROOM = 11,
};

/* --- which form ----------------------------------------------------------------------------- */

static bool has(uint64_t flags, uint64_t wanted)
{
    return (flags & wanted) == wanted;
}

/* Each gives the code of the form, or a negative error. */
static int form_of_send(uint64_t flags, const struct gcl_control *control)
{
    switch (control->target) {
    case GCL_CONTROL_TO_PID:
        return control->has_from && has(flags, GCL_FLAG(SEND_SENDER)) ? 22 : 2;
    case GCL_CONTROL_TO_NAME:
        return control->has_from ? 6 : GCL_EINVAL;
    case GCL_CONTROL_TO_ALIAS:
        if (!control->has_from)
            return GCL_EINVAL;
        return has(flags, GCL_FLAG(ALIAS)) ? 33 : GCL_ENOTSUP;
    }
    return GCL_EINVAL;
}

/* A peer without DIST_MONITOR_NAME would never answer a monitor, so it is asked for both. */
static int form_of_monitor(uint64_t flags, const struct gcl_control *control, int code)
{
    if (control->target == GCL_CONTROL_TO_ALIAS)
        return GCL_EINVAL;
    return has(flags, GCL_FLAG(DIST_MONITOR) | GCL_FLAG(DIST_MONITOR_NAME)) ? code : GCL_ENOTSUP;
}

static int form_of(uint64_t flags, const struct gcl_control *control)
{
    bool payload = has(flags, GCL_FLAG(EXIT_PAYLOAD));
    switch (control->op) {
    case GCL_CONTROL_SEND:
        return form_of_send(flags, control);
    case GCL_CONTROL_LINK:
        return 1;
    case GCL_CONTROL_UNLINK:
        if (!has(flags, GCL_FLAG(UNLINK_ID)))
            return 4;
        return control->unlink_id != 0 ? 35 : GCL_EINVAL;
    case GCL_CONTROL_UNLINK_ACK:
        if (!has(flags, GCL_FLAG(UNLINK_ID)))
            return GCL_ENOTSUP;
        return control->unlink_id != 0 ? 36 : GCL_EINVAL;
    case GCL_CONTROL_EXIT:
        return payload ? 24 : 3;
    case GCL_CONTROL_EXIT2:
        if (control->target != GCL_CONTROL_TO_PID)
            return GCL_EINVAL;
        return payload ? 26 : 8;
    case GCL_CONTROL_MONITOR:
        return form_of_monitor(flags, control, 19);
    case GCL_CONTROL_DEMONITOR:
        return form_of_monitor(flags, control, 20);
    case GCL_CONTROL_DOWN:
        return payload ? 28 : 21;
    case GCL_CONTROL_GROUP_LEADER:
        return 7;
    case GCL_CONTROL_SPAWN_REQUEST:
        return has(flags, GCL_FLAG(SPAWN)) ? 29 : GCL_ENOTSUP;
    case GCL_CONTROL_SPAWN_REPLY:
        return has(flags, GCL_FLAG(SPAWN)) ? 31 : GCL_ENOTSUP;
    case GCL_CONTROL_OPS:
        break;
    }
    return GCL_EINVAL;
}

/* --- fields --------------------------------------------------------------------------------- */

/* At most this many bytes. */
static size_t field_room(const struct gcl_control *control, enum gcl_control_field field)
{
    switch (field) {
    case GCL_FIELD_FROM:
        return GCL_WIRE_PID_ROOM + control->from.node.size;
    case GCL_FIELD_TO:
        return GCL_WIRE_PID_ROOM + control->to.node.size;
    case GCL_FIELD_NAME:
        return GCL_WIRE_ATOM_ROOM + control->name.size;
    case GCL_FIELD_TARGET:
        return field_room(control,
                          control->target == GCL_CONTROL_TO_NAME ? GCL_FIELD_NAME : GCL_FIELD_TO);
    case GCL_FIELD_SOURCE:
        return field_room(control, control->has_from ? GCL_FIELD_FROM : GCL_FIELD_NAME);
    case GCL_FIELD_ALIAS:
    case GCL_FIELD_REF:
        return GCL_WIRE_REF_ROOM + control->ref.node.size;
    case GCL_FIELD_UNLINK_ID:
    case GCL_FIELD_SPAWN_FLAGS:
        return INTEGER_ROOM;
    case GCL_FIELD_COOKIE:
        return GCL_WIRE_ATOM_ROOM;
    case GCL_FIELD_LEADER:
        return GCL_WIRE_PID_ROOM + control->leader.node.size;
    case GCL_FIELD_MFA:
        return 2 + 2 * GCL_WIRE_ATOM_ROOM + control->module.size + control->function.size +
               INTEGER_ROOM;
    case GCL_FIELD_OPTIONS:
        return control->options.size;
    case GCL_FIELD_TOKEN:
        return control->token.size;
    case GCL_FIELD_TERM: /* counted by the caller, inside or behind */
    case GCL_FIELD_ALTACT:
    case GCL_FIELD_NONE:
        break;
    }
    return 0;
}

/* As BEAM and libei write a number that is not negative: in the shortest form. */
static uint8_t *put_integer(uint8_t *at, uint64_t value)
{
    if (value <= UINT8_MAX)
        return gcl_put_u8(gcl_put_u8(at, SMALL_INTEGER_EXT), (uint8_t)value);
    if (value <= INT32_MAX)
        return gcl_put_u32(gcl_put_u8(at, INTEGER_EXT), (uint32_t)value);
    at = gcl_put_u8(at, SMALL_BIG_EXT);
    uint8_t *count = at;
    at = gcl_put_u8(gcl_put_u8(at, 0), 0);
    for (; value != 0; value >>= 8, ++*count)
        at = gcl_put_u8(at, (uint8_t)value);
    return at;
}

static uint8_t *put_tuple(uint8_t *at, unsigned arity)
{
    return gcl_put_u8(gcl_put_u8(at, SMALL_TUPLE_EXT), (uint8_t)arity);
}

static uint8_t *put_mfa(uint8_t *at, const struct gcl_control *control)
{
    at = put_tuple(at, MFA_ARITY);
    at = gcl_wire_atom_put(at, control->module);
    at = gcl_wire_atom_put(at, control->function);
    return put_integer(at, control->arity);
}

static uint8_t *put_field(uint8_t *at, const struct gcl_control *control,
                          enum gcl_control_field field)
{
    switch (field) {
    case GCL_FIELD_FROM:
        return gcl_wire_pid_put(at, &control->from);
    case GCL_FIELD_TO:
        return gcl_wire_pid_put(at, &control->to);
    case GCL_FIELD_NAME:
        return gcl_wire_atom_put(at, control->name);
    case GCL_FIELD_TARGET:
        return control->target == GCL_CONTROL_TO_NAME ? gcl_wire_atom_put(at, control->name)
                                                      : gcl_wire_pid_put(at, &control->to);
    case GCL_FIELD_SOURCE:
        return control->has_from ? gcl_wire_pid_put(at, &control->from)
                                 : gcl_wire_atom_put(at, control->name);
    case GCL_FIELD_ALIAS:
    case GCL_FIELD_REF:
        return gcl_wire_ref_put(at, &control->ref);
    case GCL_FIELD_UNLINK_ID:
        return put_integer(at, control->unlink_id);
    case GCL_FIELD_SPAWN_FLAGS:
        return put_integer(at, control->spawn_flags);
    case GCL_FIELD_COOKIE:
        return gcl_wire_atom_put(at, gcl_str_make(NULL, 0));
    case GCL_FIELD_LEADER:
        return gcl_wire_pid_put(at, &control->leader);
    case GCL_FIELD_MFA:
        return put_mfa(at, control);
    case GCL_FIELD_OPTIONS:
        return gcl_put_str(at, control->options);
    case GCL_FIELD_TOKEN:
        return gcl_put_str(at, control->token);
    case GCL_FIELD_TERM: /* appended last, by the caller */
    case GCL_FIELD_ALTACT:
    case GCL_FIELD_NONE:
        break;
    }
    return at;
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool has_term(enum gcl_control_op op)
{
    return op == GCL_CONTROL_SEND || op == GCL_CONTROL_EXIT || op == GCL_CONTROL_EXIT2 ||
           op == GCL_CONTROL_DOWN || op == GCL_CONTROL_SPAWN_REQUEST;
}

/* What stands before the term. Returns the place behind it. */
static uint8_t *put_head(uint8_t *at, const struct gcl_control *control, int code)
{
    const struct gcl_control_form *form = &gcl_control_forms[code];
    unsigned count = 0;
    at = gcl_put_u32(at, 0); /* known at the end */
    at = gcl_put_u8(at, GCL_FRAME_PASS_THROUGH);
    at = gcl_put_u8(at, GCL_TERM_VERSION);
    at = put_tuple(at, 0);
    uint8_t *arity = at - 1;
    at = put_integer(at, (uint64_t)code);
    while (count < GCL_CONTROL_FIELDS_MAX && form->fields[count] != GCL_FIELD_NONE)
        at = put_field(at, control, (enum gcl_control_field)form->fields[count++]);
    *arity = (uint8_t)(count + 1);
    return form->has_payload ? gcl_put_u8(at, GCL_TERM_VERSION) : at;
}

static size_t head_room(const struct gcl_control *control, int code)
{
    const struct gcl_control_form *form = &gcl_control_forms[code];
    size_t size = FRAME_ROOM;
    for (unsigned i = 0; i < GCL_CONTROL_FIELDS_MAX && form->fields[i] != GCL_FIELD_NONE; i++)
        size += field_room(control, (enum gcl_control_field)form->fields[i]);
    return size;
}

/* Appends the head and, in the same room, the term: all of it or nothing. */
static int append(struct gcl_buffer *out, uint64_t flags, const struct gcl_control *control,
                  struct gcl_str term)
{
    int error = 0, code = form_of(flags, control);
    if (code < 0)
        return code;
    if (control->has_token && gcl_control_forms[code].with_token != 0)
        code = gcl_control_forms[code].with_token;
    if (term.size > UINT32_MAX)
        return GCL_ELIMIT;
    uint8_t *room = gcl_buffer_room(out, head_room(control, code) + term.size, &error);
    if (room == NULL)
        return error;
    uint8_t *end = gcl_put_str(put_head(room, control, code), term);
    gcl_buffer_added(out, (size_t)(end - room));
    return 0;
}

int gcl_control_encode(struct gcl_buffer *out, uint64_t flags, const struct gcl_control *control)
{
    size_t mark = gcl_buffer_mark(out);
    struct gcl_str term = {0};
    if (has_term(control->op)) {
        term = control->term;
        if (term.size == 0)
            return GCL_EINVAL;
    }
    int error = append(out, flags, control, term);
    return error != 0 ? error : gcl_frame_end(out, mark, UINT32_MAX);
}

int gcl_control_begin(struct gcl_buffer *out, uint64_t flags, const struct gcl_control *control,
                      size_t *mark)
{
    struct gcl_str none = {0};
    if (!has_term(control->op))
        return GCL_EINVAL;
    *mark = gcl_buffer_mark(out);
    return append(out, flags, control, none);
}

int gcl_control_end(struct gcl_buffer *out, size_t mark, size_t max_bytes)
{
    return gcl_frame_end(out, mark, max_bytes);
}

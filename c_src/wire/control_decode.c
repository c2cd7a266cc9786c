/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/error.h>

#include "base/cursor.h"
#include "wire/control.h"
#include "wire/control_form.h"
#include "wire/term/walk.h"

enum tag {
    SMALL_INTEGER_EXT = 97,
    INTEGER_EXT = 98,
    SMALL_TUPLE_EXT = 104,
    LARGE_TUPLE_EXT = 105,
    SMALL_BIG_EXT = 110,
};

/* The flags of ALTACT_SIG; others are not known and may change the meaning of the message. */
enum altact {
    ALTACT_PRIORITY = 1,
    ALTACT_TOKEN = 2,
    ALTACT_ALIAS = 4,
    ALTACT_NAME = 8,
    ALTACT_EXIT = 16,
    ALTACT_KNOWN = 31,
};

enum { MFA_ARITY = 3 };

struct reader {
    struct gcl_cursor cursor;
    struct gcl_control *control;
    struct gcl_control_scratch *scratch;
    const char *wrong;
};

static bool is(struct reader *reader, bool good, const char *wrong)
{
    if (!good)
        reader->wrong = wrong;
    return good;
}

/* --- pieces --------------------------------------------------------------------------------- */

/* Not negative, of at most 64 bits; in any form that an integer can have. */
static bool read_integer(struct gcl_cursor *cursor, uint64_t *value)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag, small, count, sign;
    uint32_t middle;
    uint64_t found = 0;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    if (tag == SMALL_INTEGER_EXT) {
        if (!gcl_cursor_u8(&at, &small))
            return false;
        found = small;
    } else if (tag == INTEGER_EXT) {
        if (!gcl_cursor_u32(&at, &middle) || middle > INT32_MAX)
            return false;
        found = middle;
    } else if (tag == SMALL_BIG_EXT) {
        if (!gcl_cursor_u8(&at, &count) || !gcl_cursor_u8(&at, &sign) || sign != 0 || count > 8)
            return false;
        for (unsigned i = 0; i < count; i++) { /* the least significant byte stands first */
            if (!gcl_cursor_u8(&at, &small))
                return false;
            found |= (uint64_t)small << (8 * i);
        }
    } else {
        return false;
    }
    *value = found;
    *cursor = at;
    return true;
}

static bool read_small(struct gcl_cursor *cursor, uint32_t max, uint32_t *value)
{
    uint64_t wide;
    if (!read_integer(cursor, &wide) || wide > max)
        return false;
    *value = (uint32_t)wide;
    return true;
}

static bool read_tuple(struct gcl_cursor *cursor, uint32_t *arity)
{
    uint8_t tag, small;
    if (!gcl_cursor_u8(cursor, &tag))
        return false;
    if (tag == LARGE_TUPLE_EXT)
        return gcl_cursor_u32(cursor, arity);
    if (tag != SMALL_TUPLE_EXT || !gcl_cursor_u8(cursor, &small))
        return false;
    *arity = small;
    return true;
}

static bool read_term(struct gcl_cursor *cursor, struct gcl_str *term)
{
    const uint8_t *start = cursor->at;
    if (gcl_term_walk(cursor) != 0)
        return false;
    *term = gcl_str_make(start, (size_t)(cursor->at - start));
    return true;
}

/* --- fields --------------------------------------------------------------------------------- */

static bool read_from(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    control->has_from = gcl_wire_pid_decode(&reader->cursor, &control->from);
    return is(reader, control->has_from, "the sender is no pid");
}

static bool read_to(struct reader *reader)
{
    return is(reader, gcl_wire_pid_decode(&reader->cursor, &reader->control->to),
              "the receiver is no pid");
}

static bool read_name(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    control->target = GCL_CONTROL_TO_NAME;
    return is(reader,
              gcl_wire_atom_decode(&reader->cursor, reader->scratch->atoms[0], &control->name),
              "the name is no atom");
}

static bool read_alias(struct reader *reader)
{
    reader->control->target = GCL_CONTROL_TO_ALIAS;
    return is(reader, gcl_wire_ref_decode(&reader->cursor, &reader->control->ref),
              "the alias is no reference");
}

static bool read_target(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    if (gcl_wire_pid_decode(&reader->cursor, &control->to))
        return true;
    control->target = GCL_CONTROL_TO_NAME;
    return is(reader,
              gcl_wire_atom_decode(&reader->cursor, reader->scratch->atoms[0], &control->name),
              "what is monitored is neither a pid nor an atom");
}

static bool read_source(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    control->has_from = gcl_wire_pid_decode(&reader->cursor, &control->from);
    if (control->has_from)
        return true;
    return is(reader,
              gcl_wire_atom_decode(&reader->cursor, reader->scratch->atoms[0], &control->name),
              "the origin is neither a pid nor an atom");
}

static bool read_ref(struct reader *reader)
{
    return is(reader, gcl_wire_ref_decode(&reader->cursor, &reader->control->ref),
              "a reference is missing");
}

static bool read_unlink_id(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    return is(reader, read_integer(&reader->cursor, &control->unlink_id) && control->unlink_id != 0,
              "the unlink id is not a number from 1 to 2^64-1");
}

/* No function has so many arguments as there may be here: that is for the receiver to say. */
static bool read_mfa(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    struct gcl_cursor *at = &reader->cursor;
    uint32_t count;
    return is(reader,
              read_tuple(at, &count) && count == MFA_ARITY &&
                  gcl_wire_atom_decode(at, reader->scratch->atoms[0], &control->module) &&
                  gcl_wire_atom_decode(at, reader->scratch->atoms[1], &control->function) &&
                  read_small(at, UINT32_MAX, &control->arity),
              "module, function and arity are malformed");
}

static bool read_altact(struct reader *reader, uint32_t count)
{
    struct gcl_control *control = reader->control;
    uint32_t flags;
    if (!is(reader, read_small(&reader->cursor, ALTACT_KNOWN, &flags), "unknown flags"))
        return false;
    uint32_t expected = (flags & ALTACT_TOKEN) != 0 ? 4 : 3;
    if (!is(reader, count == expected, "wrong arity") || !read_from(reader))
        return false;
    control->has_priority = (flags & ALTACT_PRIORITY) != 0;
    control->has_token = (flags & ALTACT_TOKEN) != 0;
    if ((flags & ALTACT_EXIT) != 0)
        control->op = GCL_CONTROL_EXIT2;
    switch (flags & (ALTACT_ALIAS | ALTACT_NAME)) {
    case 0:
        if (!read_to(reader))
            return false;
        break;
    case ALTACT_ALIAS:
        if (!read_alias(reader))
            return false;
        break;
    case ALTACT_NAME:
        if (!read_name(reader))
            return false;
        break;
    default:
        return is(reader, false, "both an alias and a name");
    }
    return !control->has_token ||
           is(reader, read_term(&reader->cursor, &control->token), "the trace token is malformed");
}

static bool read_field(struct reader *reader, enum gcl_control_field field, uint32_t count)
{
    struct gcl_control *control = reader->control;
    struct gcl_cursor *at = &reader->cursor;
    struct gcl_str ignored;
    switch (field) {
    case GCL_FIELD_FROM:
        return read_from(reader);
    case GCL_FIELD_TO:
        return read_to(reader);
    case GCL_FIELD_NAME:
        return read_name(reader);
    case GCL_FIELD_ALIAS:
        return read_alias(reader);
    case GCL_FIELD_TARGET:
        return read_target(reader);
    case GCL_FIELD_SOURCE:
        return read_source(reader);
    case GCL_FIELD_REF:
        return read_ref(reader);
    case GCL_FIELD_UNLINK_ID:
        return read_unlink_id(reader);
    case GCL_FIELD_COOKIE:
        return is(reader, read_term(at, &ignored), "the second element is malformed");
    case GCL_FIELD_LEADER:
        return is(reader, gcl_wire_pid_decode(at, &control->leader), "the leader is no pid");
    case GCL_FIELD_MFA:
        return read_mfa(reader);
    case GCL_FIELD_OPTIONS:
        return is(reader, read_term(at, &control->options), "the options are malformed");
    case GCL_FIELD_SPAWN_FLAGS:
        return is(reader, read_small(at, UINT32_MAX, &control->spawn_flags),
                  "the flags are no number");
    case GCL_FIELD_TERM:
        return is(reader, read_term(at, &control->term), "the reason is malformed");
    case GCL_FIELD_TOKEN:
        control->has_token = true;
        return is(reader, read_term(at, &control->token), "the trace token is malformed");
    case GCL_FIELD_ALTACT:
        return read_altact(reader, count);
    case GCL_FIELD_NONE:
        break;
    }
    return false;
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool read_payload(struct reader *reader, const struct gcl_control_form *form)
{
    struct gcl_control *control = reader->control;
    uint8_t version = 0;
    if (!form->has_payload)
        return is(reader, gcl_cursor_left(&reader->cursor) == 0, "more than the message");
    if (!is(reader, gcl_cursor_left(&reader->cursor) > 1, "the payload is missing"))
        return false;
    (void)gcl_cursor_u8(&reader->cursor, &version);
    if (!is(reader, version == GCL_TERM_VERSION, "the payload is of another version"))
        return false;
    control->term = gcl_str_make(reader->cursor.at, gcl_cursor_left(&reader->cursor));
    /* Who gets these reads them, and answers for what cannot be read. */
    if (control->op == GCL_CONTROL_SEND || control->op == GCL_CONTROL_SPAWN_REQUEST)
        return true;
    return is(reader, gcl_term_walk(&reader->cursor) == 0 && gcl_cursor_left(&reader->cursor) == 0,
              "the payload is malformed, or nested deeper than 1024");
}

static bool read_message(struct reader *reader)
{
    struct gcl_control *control = reader->control;
    struct gcl_cursor *at = &reader->cursor;
    uint8_t form_of_frame, version;
    uint32_t arity, code;
    if (!is(reader, gcl_cursor_u8(at, &form_of_frame) && form_of_frame == GCL_FRAME_PASS_THROUGH,
            "a form of frame that was not negotiated") ||
        !is(reader, gcl_cursor_u8(at, &version) && version == GCL_TERM_VERSION,
            "the control message is of another version") ||
        !is(reader, read_tuple(at, &arity) && arity > 0, "the control message is no tuple") ||
        !is(reader, read_small(at, GCL_CONTROL_CODES - 1, &code), "unknown operation"))
        return false;

    const struct gcl_control_form *form = &gcl_control_forms[code];
    unsigned count = gcl_control_form_count(form);
    if (!is(reader, count > 0, "unknown operation") ||
        !is(reader, arity == count + 1 || form->fields[0] == GCL_FIELD_ALTACT, "wrong arity"))
        return false;
    control->op = (enum gcl_control_op)form->op;
    for (unsigned i = 0; i < count; i++)
        if (!read_field(reader, (enum gcl_control_field)form->fields[i], arity - 1))
            return false;
    return read_payload(reader, form);
}

int gcl_control_decode(struct gcl_str body, struct gcl_control *control,
                       struct gcl_control_scratch *scratch, const char **wrong)
{
    struct reader reader = {.control = control, .scratch = scratch};
    if (body.size > 0)
        reader.cursor = gcl_cursor_make(body.bytes, body.size);
    control->target = GCL_CONTROL_TO_PID;
    control->has_from = control->has_token = control->has_priority = false;
    control->unlink_id = 0;
    if (read_message(&reader))
        return 0;
    *wrong = reader.wrong;
    return GCL_EPROTO;
}

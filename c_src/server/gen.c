/* SPDX-License-Identifier: Apache-2.0 */
#include "server/gen.h"

#include "node/message.h"
#include "node/node.h"
#include "node/translate.h"
#include "wire/term/tag.h"
#include "wire/term/walk.h"

/* --- in ------------------------------------------------------------------------------------- */

static bool read_tuple(struct gcl_cursor *cursor, uint8_t arity)
{
    uint8_t tag, count;
    struct gcl_cursor at = *cursor;
    if (!gcl_cursor_u8(&at, &tag) || !gcl_cursor_u8(&at, &count) || tag != GCL_TAG_SMALL_TUPLE ||
        count != arity)
        return false;
    *cursor = at;
    return true;
}

static bool read_any(struct gcl_cursor *cursor, struct gcl_str *term)
{
    const uint8_t *start = cursor->at;
    if (gcl_term_walk(cursor) != 0)
        return false;
    *term = gcl_str_make(start, (size_t)(cursor->at - start));
    return true;
}

static struct gcl_str rest(const struct gcl_cursor *cursor)
{
    return gcl_str_make(cursor->at, gcl_cursor_left(cursor));
}

/* [alias | Ref], or a list whose first element is that (a call of multi_call, OTP 27 and later). */
static bool read_alias(struct gcl_cursor *cursor, struct gcl_wire_ref *alias)
{
    struct gcl_cursor at = *cursor;
    for (int depth = 0; depth < 2; depth++) {
        uint8_t kind;
        uint32_t count;
        struct gcl_str atom;
        if (!gcl_cursor_u8(&at, &kind) || kind != GCL_TAG_LIST || !gcl_cursor_u32(&at, &count) ||
            count < 1)
            return false;
        struct gcl_cursor inner = at;
        if (count == 1 && gcl_wire_atom_decode(&inner, NULL, &atom) && gcl_str_is(atom, "alias")) {
            *cursor = inner;
            return gcl_wire_ref_decode(cursor, alias);
        }
    }
    return false;
}

static bool read_from(struct gcl_cursor *cursor, struct gcl_gen_message *out)
{
    if (!read_tuple(cursor, 2) || !gcl_wire_pid_decode(cursor, &out->from) ||
        !read_any(cursor, &out->tag))
        return false;
    struct gcl_cursor tag = gcl_cursor_make(out->tag.bytes, out->tag.size);
    out->has_alias = read_alias(&tag, &out->ref);
    return true;
}

/* Of two elements: a cast or a reply. */
static enum gcl_gen_kind read_pair(struct gcl_cursor *cursor, struct gcl_gen_message *out)
{
    struct gcl_cursor at = *cursor;
    struct gcl_str atom;
    if (gcl_wire_atom_decode(&at, NULL, &atom)) {
        if (!gcl_str_is(atom, "$gen_cast"))
            return GCL_GEN_INFO;
        *cursor = at;
        return GCL_GEN_CAST;
    }
    return gcl_wire_ref_decode(cursor, &out->ref) || read_alias(cursor, &out->ref) ? GCL_GEN_REPLY
                                                                                   : GCL_GEN_INFO;
}

static enum gcl_gen_kind read_triple(struct gcl_cursor *cursor, struct gcl_gen_message *out)
{
    struct gcl_str atom;
    if (!gcl_wire_atom_decode(cursor, NULL, &atom))
        return GCL_GEN_INFO;
    bool is_call = gcl_str_is(atom, "$gen_call");
    if ((!is_call && !gcl_str_is(atom, "system")) || !read_from(cursor, out))
        return GCL_GEN_INFO;
    return is_call ? GCL_GEN_CALL : GCL_GEN_SYSTEM;
}

static enum gcl_gen_kind read_io(struct gcl_cursor *cursor, struct gcl_gen_message *out)
{
    struct gcl_str atom;
    bool is_io = gcl_wire_atom_decode(cursor, NULL, &atom) && gcl_str_is(atom, "io_request") &&
                 gcl_wire_pid_decode(cursor, &out->from) && read_any(cursor, &out->tag);
    return is_io ? GCL_GEN_IO : GCL_GEN_INFO;
}

void gcl_gen_decode(struct gcl_str message, struct gcl_gen_message *out)
{
    struct gcl_cursor cursor = gcl_cursor_make(message.bytes, message.size);
    out->kind = GCL_GEN_INFO;
    out->has_alias = false;
    if (read_tuple(&cursor, 2))
        out->kind = read_pair(&cursor, out);
    else if (read_tuple(&cursor, 3))
        out->kind = read_triple(&cursor, out);
    else if (read_tuple(&cursor, 4))
        out->kind = read_io(&cursor, out);
    out->term = out->kind == GCL_GEN_INFO ? message : rest(&cursor);
}

/* --- out ------------------------------------------------------------------------------------ */

int gcl_gen_target(struct gcl_node *node, const struct gcl_gen_message *message,
                   struct gcl_target *target)
{
    struct gcl_names *names = &node->core.names;
    *target = (struct gcl_target){.kind = GCL_TARGET_PID};
    if (!message->has_alias)
        return gcl_intern_pid(names, &message->from, &target->pid);
    target->kind = GCL_TARGET_ALIAS;
    return gcl_intern_ref(names, &message->ref, &target->alias);
}

int gcl_gen_begin_reply(struct gcl_node *node, struct gcl_str tag)
{
    static const uint8_t pair[] = {GCL_TAG_SMALL_TUPLE, 2};
    struct gcl_buffer *out = gcl_message_begin(node);
    int error = gcl_buffer_append(out, pair, sizeof pair);
    return error != 0 ? error : gcl_buffer_append_str(out, tag);
}

int gcl_gen_answer(struct gcl_node *node, gcl_pid from, const struct gcl_gen_message *message,
                   gcl_message reply)
{
    struct gcl_target to;
    int error = gcl_gen_target(node, message, &to);
    if (error == 0)
        error = gcl_gen_begin_reply(node, message->tag);
    return error != 0 ? error : gcl_message_answer(node, from, &to, &reply);
}

int gcl_gen_begin_cast(struct gcl_node *node)
{
    static const uint8_t head[] = "\x68\x02\x77\x09$gen_cast";
    return gcl_buffer_append(gcl_message_begin(node), head, sizeof head - 1);
}

int gcl_gen_begin_call(struct gcl_node *node, gcl_pid from, const gcl_ref *ref)
{
    static const uint8_t head[] = "\x68\x03\x77\x09$gen_call\x68\x02";
    static const uint8_t alias[] = "\x6c\x00\x00\x00\x01\x77\x05"
                                   "alias";
    struct gcl_buffer *out = gcl_message_begin(node);
    struct gcl_wire_pid wire_from;
    struct gcl_wire_ref wire_ref;
    if (!gcl_translate_pid(&node->core.names, from, &wire_from) ||
        !gcl_translate_ref(&node->core.names, ref, &wire_ref))
        return GCL_ESTALE;
    int error = gcl_buffer_append(out, head, sizeof head - 1);
    if (error == 0)
        error = gcl_wire_pid_encode(out, &wire_from);
    if (error == 0)
        error = gcl_buffer_append(out, alias, sizeof alias - 1);
    if (error == 0)
        error = gcl_wire_ref_encode(out, &wire_ref);
    return error;
}

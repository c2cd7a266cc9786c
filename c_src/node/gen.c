/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gen.h"

#include "node/node.h"
#include "node/translate.h"
#include "wire/term_walk.h"

enum { SMALL_TUPLE = 104, LIST = 108 };

static bool read_tuple(struct gcl_cursor *cursor, uint8_t arity)
{
    uint8_t tag, count;
    struct gcl_cursor at = *cursor;
    if (!gcl_cursor_u8(&at, &tag) || !gcl_cursor_u8(&at, &count) || tag != SMALL_TUPLE ||
        count != arity)
        return false;
    *cursor = at;
    return true;
}

static bool read_this_atom(struct gcl_cursor *cursor, const char *text)
{
    struct gcl_str atom;
    return gcl_wire_atom_decode(cursor, NULL, &atom) && gcl_str_is(atom, text);
}

static bool read_any(struct gcl_cursor *cursor, struct gcl_str *term)
{
    const uint8_t *start = cursor->at;
    if (gcl_term_walk(cursor) != 0)
        return false;
    *term = gcl_str_make(start, (size_t)(cursor->at - start));
    return true;
}

/* [alias | Ref], or a list whose first element is that (a call of multi_call, OTP 27 and later). */
static bool read_alias(struct gcl_str tag, struct gcl_wire_ref *alias)
{
    struct gcl_cursor cursor = gcl_cursor_make(tag.bytes, tag.size);
    for (int depth = 0; depth < 2; depth++) {
        uint8_t kind;
        uint32_t count;
        if (!gcl_cursor_u8(&cursor, &kind) || kind != LIST || !gcl_cursor_u32(&cursor, &count) ||
            count < 1)
            return false;
        struct gcl_cursor inner = cursor;
        if (count == 1 && read_this_atom(&inner, "alias"))
            return gcl_wire_ref_decode(&inner, alias);
    }
    return false;
}

bool gcl_gen_decode_call(struct gcl_str message, struct gcl_gen_call *call)
{
    struct gcl_cursor cursor = gcl_cursor_make(message.bytes, message.size);
    if (!read_tuple(&cursor, 3) || !read_this_atom(&cursor, "$gen_call") ||
        !read_tuple(&cursor, 2) || !gcl_wire_pid_decode(&cursor, &call->from) ||
        !read_any(&cursor, &call->tag) || !read_any(&cursor, &call->request) ||
        gcl_cursor_left(&cursor) != 0)
        return false;
    call->has_alias = read_alias(call->tag, &call->alias);
    return true;
}

int gcl_gen_reply(struct gcl_process *process, const struct gcl_gen_call *call,
                  struct gcl_str reply)
{
    static const uint8_t pair[] = {SMALL_TUPLE, 2};
    struct gcl_node *node = process->node;
    struct gcl_names *names = &node->core.names;
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND,
                                .from = gcl_core_pid(&node->core, &process->core)};
    struct gcl_buffer term;
    int error;
    if (call->has_alias) {
        signal.to.kind = GCL_TARGET_ALIAS;
        error = gcl_intern_ref(names, &call->alias, &signal.to.alias);
    } else {
        error = gcl_intern_pid(names, &call->from, &signal.to.pid);
    }
    if (error != 0)
        return error;
    gcl_buffer_init(&term, node->mem, 0);
    error = gcl_buffer_append(&term, pair, sizeof pair);
    if (error == 0)
        error = gcl_buffer_append_str(&term, call->tag);
    if (error == 0)
        error = gcl_buffer_append_str(&term, reply);
    if (error == 0) {
        signal.term = gcl_str_make(gcl_buffer_bytes(&term), gcl_buffer_size(&term));
        error = gcl_node_send(node, &signal);
    }
    gcl_buffer_fini(&term);
    return error;
}

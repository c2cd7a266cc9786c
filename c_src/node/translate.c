/* SPDX-License-Identifier: Apache-2.0 */
#include "node/translate.h"

#include <string.h>

#include <gen_cluster/error.h>

#include "base/cursor.h"
#include "wire/term/tag.h"
#include "wire/term/walk.h"

_Static_assert((int)GCL_SPAWN_LINKED == (int)GCL_CONTROL_SPAWN_LINK &&
                   (int)GCL_SPAWN_MONITORED == (int)GCL_CONTROL_SPAWN_MONITOR,
               "sets of flags are handed through");

static const enum gcl_signal_op signal_ops[GCL_CONTROL_OPS] = {
    [GCL_CONTROL_SEND] = GCL_SIGNAL_SEND,
    [GCL_CONTROL_LINK] = GCL_SIGNAL_LINK,
    [GCL_CONTROL_UNLINK] = GCL_SIGNAL_UNLINK,
    [GCL_CONTROL_UNLINK_ACK] = GCL_SIGNAL_UNLINK_ACK,
    [GCL_CONTROL_EXIT] = GCL_SIGNAL_EXIT,
    [GCL_CONTROL_EXIT2] = GCL_SIGNAL_EXIT2,
    [GCL_CONTROL_MONITOR] = GCL_SIGNAL_MONITOR,
    [GCL_CONTROL_DEMONITOR] = GCL_SIGNAL_DEMONITOR,
    [GCL_CONTROL_DOWN] = GCL_SIGNAL_DOWN,
    [GCL_CONTROL_GROUP_LEADER] = GCL_SIGNAL_GROUP_LEADER,
    [GCL_CONTROL_SPAWN_REPLY] = GCL_SIGNAL_SPAWN_REPLY,
};

static const enum gcl_control_op control_ops[GCL_SIGNAL_OPS] = {
    [GCL_SIGNAL_SEND] = GCL_CONTROL_SEND,
    [GCL_SIGNAL_LINK] = GCL_CONTROL_LINK,
    [GCL_SIGNAL_UNLINK] = GCL_CONTROL_UNLINK,
    [GCL_SIGNAL_UNLINK_ACK] = GCL_CONTROL_UNLINK_ACK,
    [GCL_SIGNAL_EXIT] = GCL_CONTROL_EXIT,
    [GCL_SIGNAL_EXIT2] = GCL_CONTROL_EXIT2,
    [GCL_SIGNAL_MONITOR] = GCL_CONTROL_MONITOR,
    [GCL_SIGNAL_DEMONITOR] = GCL_CONTROL_DEMONITOR,
    [GCL_SIGNAL_DOWN] = GCL_CONTROL_DOWN,
    [GCL_SIGNAL_GROUP_LEADER] = GCL_CONTROL_GROUP_LEADER,
    [GCL_SIGNAL_SPAWN_REQUEST] = GCL_CONTROL_SPAWN_REQUEST,
    [GCL_SIGNAL_SPAWN_REPLY] = GCL_CONTROL_SPAWN_REPLY,
};

int gcl_intern_pid(struct gcl_names *names, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    struct gcl_name *name;
    int error = gcl_names_intern(names, wire->node, wire->creation, &name);
    if (error == 0)
        *pid = (gcl_pid){name->index, name->generation, wire->id, wire->serial};
    return error;
}

int gcl_intern_ref(struct gcl_names *names, const struct gcl_wire_ref *wire, gcl_ref *ref)
{
    struct gcl_name *name;
    int error = gcl_names_intern(names, wire->node, wire->creation, &name);
    if (error != 0)
        return error;
    *ref = (gcl_ref){.node = name->index, .generation = name->generation, .count = wire->count};
    memcpy(ref->words, wire->words, sizeof ref->words);
    return 0;
}

bool gcl_translate_pid(const struct gcl_names *names, gcl_pid pid, struct gcl_wire_pid *out)
{
    const struct gcl_name *name = gcl_names_get(names, pid.node, pid.generation);
    if (name == NULL)
        return false;
    *out = (struct gcl_wire_pid){gcl_name_str(name), pid.id, pid.serial, name->creation};
    return true;
}

bool gcl_translate_ref(const struct gcl_names *names, const gcl_ref *ref, struct gcl_wire_ref *out)
{
    const struct gcl_name *name = gcl_names_get(names, ref->node, ref->generation);
    if (name == NULL)
        return false;
    *out = (struct gcl_wire_ref){
        .node = gcl_name_str(name), .creation = name->creation, .count = ref->count};
    memcpy(out->words, ref->words, sizeof out->words);
    return true;
}

/* Only its own processes may a peer speak for; BEAM closes such a connection, too. */
static int sender_in(struct gcl_names *names, const struct gcl_name *peer,
                     const struct gcl_wire_pid *wire, gcl_pid *pid, const char **why)
{
    if (!gcl_str_equal(wire->node, gcl_name_str(peer))) {
        *why = "the sender is a process of another node";
        return GCL_EPROTO;
    }
    return gcl_intern_pid(names, wire, pid);
}

int gcl_translate_spawn(struct gcl_names *names, const struct gcl_name *peer,
                        const struct gcl_control *request, gcl_pid *from, gcl_ref *ref,
                        const char **why)
{
    int error = sender_in(names, peer, &request->from, from, why);
    return error != 0 ? error : gcl_intern_ref(names, &request->ref, ref);
}

static bool has_target(enum gcl_control_op op)
{
    return op == GCL_CONTROL_SEND || op == GCL_CONTROL_EXIT2 || op == GCL_CONTROL_MONITOR ||
           op == GCL_CONTROL_DEMONITOR;
}

static bool has_ref(enum gcl_control_op op)
{
    return op == GCL_CONTROL_MONITOR || op == GCL_CONTROL_DEMONITOR || op == GCL_CONTROL_DOWN ||
           op == GCL_CONTROL_SPAWN_REQUEST || op == GCL_CONTROL_SPAWN_REPLY;
}

static int target_in(struct gcl_names *names, const struct gcl_control *control,
                     struct gcl_target *target)
{
    enum gcl_control_target kind = has_target(control->op) ? control->target : GCL_CONTROL_TO_PID;
    const struct gcl_name *local = names->places[GCL_NAMES_LOCAL];
    switch (kind) {
    case GCL_CONTROL_TO_NAME:
        *target = gcl_target_name(local->index, local->generation, control->name);
        return 0;
    case GCL_CONTROL_TO_ALIAS:
        target->kind = GCL_TARGET_ALIAS;
        return gcl_intern_ref(names, &control->ref, &target->alias);
    case GCL_CONTROL_TO_PID:
        break;
    }
    target->kind = GCL_TARGET_PID;
    return gcl_intern_pid(names, &control->to, &target->pid);
}

int gcl_translate_in(struct gcl_names *names, const struct gcl_name *peer,
                     const struct gcl_control *control, struct gcl_signal *signal, const char **why)
{
    int error = 0;
    if (control->op == GCL_CONTROL_SPAWN_REQUEST)
        return GCL_ENOTSUP;
    memset(signal, 0, sizeof *signal);
    signal->op = signal_ops[control->op];
    signal->id = control->op == GCL_CONTROL_SPAWN_REPLY ? control->spawn_flags : control->unlink_id;
    signal->term = control->term;
    signal->from = (gcl_pid){peer->index, peer->generation, 0, 0};
    if (control->has_from)
        error = sender_in(names, peer, &control->from, &signal->from, why);
    if (error == 0)
        error = target_in(names, control, &signal->to);
    if (error == 0 && has_ref(control->op))
        error = gcl_intern_ref(names, &control->ref, &signal->ref);
    if ((control->op == GCL_CONTROL_DOWN || control->op == GCL_CONTROL_SPAWN_REPLY) &&
        !control->has_from)
        signal->from_name = control->name;
    return error;
}

static int target_out(const struct gcl_names *names, const struct gcl_target *target,
                      struct gcl_control *control)
{
    bool known = true;
    switch (target->kind) {
    case GCL_TARGET_PID:
        control->target = GCL_CONTROL_TO_PID;
        known = gcl_translate_pid(names, target->pid, &control->to);
        break;
    case GCL_TARGET_NAME:
        control->target = GCL_CONTROL_TO_NAME;
        control->name = target->name;
        break;
    case GCL_TARGET_ALIAS:
        control->target = GCL_CONTROL_TO_ALIAS;
        known = gcl_translate_ref(names, &target->alias, &control->ref);
        break;
    }
    return known ? 0 : GCL_ESTALE;
}

static struct gcl_str options_of(uint64_t flags)
{
    /* [], [link], [monitor] and both: lists of SMALL_ATOM_UTF8_EXT. */
    static const uint8_t none[] = "\x6a";
    static const uint8_t link[] = "\x6c\0\0\0\1\x77\4link\x6a";
    static const uint8_t monitor[] = "\x6c\0\0\0\1\x77\7monitor\x6a";
    static const uint8_t both[] = "\x6c\0\0\0\2\x77\4link\x77\7monitor\x6a";
    switch (flags & (GCL_SPAWN_LINKED | GCL_SPAWN_MONITORED)) {
    case GCL_SPAWN_LINKED:
        return gcl_str_make(link, sizeof link - 1);
    case GCL_SPAWN_MONITORED:
        return gcl_str_make(monitor, sizeof monitor - 1);
    case GCL_SPAWN_LINKED | GCL_SPAWN_MONITORED:
        return gcl_str_make(both, sizeof both - 1);
    default:
        return gcl_str_make(none, sizeof none - 1);
    }
}

/* The elements of a proper list that this node has built; its tail may be another one. */
static uint32_t count_elements(struct gcl_str list)
{
    struct gcl_cursor at = gcl_cursor_make(list.bytes, list.size);
    uint8_t tag = 0;
    uint16_t bytes = 0;
    uint32_t all = 0, count = 0;
    while (gcl_cursor_u8(&at, &tag) && tag == GCL_TAG_LIST && gcl_cursor_u32(&at, &count)) {
        all += count;
        while (count > 0 && gcl_term_walk(&at) == 0)
            count--;
    }
    return tag == GCL_TAG_STRING && gcl_cursor_u16(&at, &bytes) ? all + bytes : all;
}

/* The requester leads what it asks for: what that prints comes to it. */
static int spawn_out(const struct gcl_signal *signal, struct gcl_control *control)
{
    struct gcl_cursor at = gcl_cursor_make(signal->term.bytes, signal->term.size);
    uint8_t tag, arity;
    if (!gcl_cursor_u8(&at, &tag) || !gcl_cursor_u8(&at, &arity) ||
        !gcl_wire_atom_decode(&at, NULL, &control->module) ||
        !gcl_wire_atom_decode(&at, NULL, &control->function))
        return GCL_EINVAL;
    control->leader = control->from;
    control->term = gcl_str_make(at.at, gcl_cursor_left(&at));
    control->arity = count_elements(control->term);
    control->options = options_of(signal->id);
    return 0;
}

int gcl_translate_out(const struct gcl_names *names, const struct gcl_signal *signal,
                      struct gcl_control *control)
{
    memset(control, 0, sizeof *control);
    control->op = control_ops[signal->op];
    control->unlink_id = signal->id;
    control->term = signal->term;
    int error = target_out(names, &signal->to, control);
    if (error != 0)
        return error;
    if (signal->from_name.size > 0) {
        control->name = signal->from_name;
    } else if (!gcl_pid_is_none(signal->from)) {
        control->has_from = true;
        if (!gcl_translate_pid(names, signal->from, &control->from))
            return GCL_ESTALE;
    }
    if (has_ref(control->op) && !gcl_translate_ref(names, &signal->ref, &control->ref))
        return GCL_ESTALE;
    return signal->op == GCL_SIGNAL_SPAWN_REQUEST ? spawn_out(signal, control) : 0;
}

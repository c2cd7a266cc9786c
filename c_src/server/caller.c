/* SPDX-License-Identifier: Apache-2.0 */
#include "server/caller.h"

#include "node/message.h"
#include "node/node.h"
#include "node/translate.h"
#include "server/servers.h"

/* What OTP makes of references and node names is shorter, however long these are. */
enum { TAG_BYTES_MAX = 4096 };

static void drop(struct gcl_kept_caller *caller)
{
    struct gcl_node *node = gcl_server_at(caller->server);
    gcl_names_release(&node->core.names, caller->node);
    gcl_free(node->mem, (void *)(uintptr_t)caller->tag.bytes);
    gcl_list_remove(&caller->at_server);
    if (caller->is_programs)
        node->servers->programs_callers--;
    gcl_slots_give_back(&node->servers->callers, &caller->slot);
}

static struct gcl_kept_caller *find(struct gcl_node *node, gcl_caller value)
{
    struct gcl_slot *slot = gcl_slots_find(&node->servers->callers, value.index, value.generation);
    return slot != NULL ? GCL_CONTAINER_OF(slot, struct gcl_kept_caller, slot) : NULL;
}

void gcl_caller_drop(struct gcl_node *node, gcl_caller value)
{
    struct gcl_kept_caller *caller = find(node, value);
    if (caller != NULL)
        drop(caller);
}

void gcl_callers_drop_all(struct gcl_server *server)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&server->callers)) != NULL)
        drop(GCL_CONTAINER_OF(at, struct gcl_kept_caller, at_server));
}

/* By its name alone: which incarnation a caller is of is what its pid says. */
static bool is_of(const struct gcl_kept_caller *caller, const struct gcl_name *name)
{
    return gcl_str_equal(gcl_str_make(caller->node->bytes, caller->node->size),
                         gcl_str_make(name->bytes, name->size));
}

void gcl_callers_node_down(struct gcl_node *node, const struct gcl_name *name)
{
    for (uint32_t i = 0; i < node->servers->callers.count; i++) {
        struct gcl_slot *slot = node->servers->callers.places[i];
        struct gcl_kept_caller *caller = GCL_CONTAINER_OF(slot, struct gcl_kept_caller, slot);
        if (slot->is_used && is_of(caller, name))
            drop(caller);
    }
}

int gcl_reply_message(gcl_server *self, const gcl_from *from, gcl_message message)
{
    return gcl_gen_answer(gcl_server_at(self), gcl_self(self), from->message, message);
}

gcl_pid gcl_from_pid(const gcl_from *from)
{
    gcl_pid pid = {0};
    (void)gcl_intern_pid(&gcl_server_at(from->server)->core.names, &from->message->from, &pid);
    return pid;
}

static int keep(const gcl_from *from, struct gcl_kept_caller **out)
{
    struct gcl_server *server = from->server;
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_str tag = from->message->tag;
    struct gcl_target to;
    gcl_pid pid;
    if (tag.size > TAG_BYTES_MAX)
        return GCL_ELIMIT;
    int error = gcl_intern_pid(&node->core.names, &from->message->from, &pid);
    if (error == 0)
        error = gcl_gen_target(node, from->message, &to);
    struct gcl_name *name = gcl_names_get(&node->core.names, pid.node, pid.generation);
    if (error != 0 || name == NULL)
        return error == GCL_ENAME ? error : GCL_ENOMEM;
    uint8_t *copy = gcl_alloc_copy(node->mem, tag.bytes, tag.size);
    struct gcl_slot *slot = copy != NULL ? gcl_slots_take(&node->servers->callers) : NULL;
    if (slot == NULL) {
        gcl_free(node->mem, copy);
        return GCL_ENOMEM;
    }
    struct gcl_kept_caller *caller = GCL_CONTAINER_OF(slot, struct gcl_kept_caller, slot);
    caller->server = server;
    caller->to = to;
    caller->node = name;
    caller->tag = gcl_str_make(copy, tag.size);
    caller->is_programs = false;
    gcl_names_hold(&node->core.names, name);
    gcl_list_init(&caller->at_server);
    gcl_list_add_last(&server->callers, &caller->at_server);
    *out = caller;
    return 0;
}

int gcl_caller_keep(const gcl_from *from, gcl_caller *out)
{
    struct gcl_kept_caller *caller;
    int error = keep(from, &caller);
    if (error == 0)
        *out = (gcl_caller){caller->slot.index, caller->slot.generation};
    return error;
}

int gcl_from_keep(const gcl_from *from, gcl_caller *out)
{
    struct gcl_node *node = gcl_server_at(from->server);
    if (node->servers->programs_callers >= node->config.max_kept_callers)
        return GCL_ELIMIT;
    int error = gcl_caller_keep(from, out);
    if (error != 0)
        return error;
    find(node, *out)->is_programs = true;
    node->servers->programs_callers++;
    return 0;
}

/* The whole of an answer; on error the caller still waits for a right one. */
static int build(struct gcl_node *node, const struct gcl_kept_caller *caller,
                 const gcl_message *message, struct gcl_str *whole)
{
    int error = gcl_gen_begin_reply(node, caller->tag);
    return error != 0 ? error : gcl_message_finish(node, message, whole);
}

int gcl_reply_later_message(gcl_node *node, gcl_caller value, gcl_message message)
{
    struct gcl_kept_caller *caller = find(node, value);
    struct gcl_signal answer = {.op = GCL_SIGNAL_SEND, .is_owed = true};
    if (caller == NULL)
        return GCL_ESTALE;
    int error = build(node, caller, &message, &answer.term);
    if (error != 0)
        return error;
    answer.from = gcl_self(caller->server);
    answer.to = caller->to;
    error = gcl_node_send(node, &answer);
    /* There may be room later; anything else will not change. */
    if (error != GCL_ENOMEM && error != GCL_ELIMIT)
        drop(caller);
    return error;
}

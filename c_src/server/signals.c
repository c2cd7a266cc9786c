/* SPDX-License-Identifier: Apache-2.0 */
/* What servers do to other processes, near and far: server.h from "messages out" on. */
#include <string.h>

#include "node/dest.h"
#include "node/message.h"
#include "server/gen.h"
#include "server/global/global.h"
#include "server/server.h"

static gcl_pid pid_of(const gcl_server *server)
{
    return gcl_core_pid(&gcl_server_at(server)->core, &server->process.core);
}

/* --- messages ------------------------------------------------------------------------------- */

/* What was begun in the buffer of messages goes to its destination. */
static int send_begun(gcl_server *self, const gcl_dest *dest, const gcl_message *message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_route route;
    struct gcl_str whole;
    if (!gcl_dest_is_global(dest)) {
        int error = gcl_dest_route(node, dest, &route);
        return error != 0 ? error : gcl_message_send(node, pid_of(self), &route.target, message);
    }
    int error = gcl_message_finish(node, message, &whole);
    return error != 0 ? error : gcl_global_send(node, pid_of(self), dest, whole, NULL);
}

int gcl_send_message(gcl_server *self, gcl_dest dest, gcl_message message)
{
    gcl_dest located = gcl_global_locate(gcl_server_at(self), &dest);
    (void)gcl_message_begin(gcl_server_at(self));
    return send_begun(self, &located, &message);
}

void gcl_server_owe(struct gcl_server *server, gcl_dest dest, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_route route;
    if (gcl_dest_route(node, &dest, &route) != 0)
        return; /* of a node that is long forgotten, or none */
    (void)gcl_message_begin(node);
    int error = gcl_message_answer(node, pid_of(server), &route.target, &message);
    if (error != 0 && route.peer != NULL && route.peer->up != NULL)
        gcl_peer_disconnect(route.peer, "what the node owes could not be sent");
}

int gcl_cast_message(gcl_server *self, gcl_dest dest, gcl_message message)
{
    gcl_dest located = gcl_global_locate(gcl_server_at(self), &dest);
    int error = gcl_gen_begin_cast(gcl_server_at(self));
    return error != 0 ? error : send_begun(self, &located, &message);
}

int gcl_exit_message(gcl_server *self, gcl_pid pid, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_signal signal = {
        .op = GCL_SIGNAL_EXIT2, .from = pid_of(self), .to = gcl_target_pid(pid)};
    int error = gcl_message_build(node, &message, &signal.term);
    return error != 0 ? error : gcl_node_send(node, &signal);
}

/* --- monitors and links --------------------------------------------------------------------- */

int gcl_server_monitor(struct gcl_server *server, const struct gcl_target *target,
                       struct gcl_peer *peer, const gcl_ref *ref)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_core_process *core = &server->process.core;
    struct gcl_signal unsent;
    int error = gcl_core_monitor(&node->core, core, target, peer != NULL ? &peer->core : NULL, ref);
    gcl_loop_again(&node->loop); /* for a DOWN that is due at once */
    if (error != 0 || peer == NULL)
        return error;
    struct gcl_signal signal = {
        .op = GCL_SIGNAL_MONITOR, .from = pid_of(server), .to = *target, .ref = *ref};
    error = gcl_node_send(node, &signal);
    if (error != 0)
        (void)gcl_core_demonitor(&node->core, core, ref, &unsent);
    return error;
}

int gcl_monitor(gcl_server *self, gcl_dest dest, gcl_ref *ref)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_route route;
    int error = gcl_dest_route(node, &dest, &route);
    if (error != 0)
        return error;
    if (route.target.kind == GCL_TARGET_ALIAS)
        return GCL_EINVAL;
    *ref = gcl_core_make_ref(&node->core);
    return gcl_server_monitor(self, &route.target, route.peer, ref);
}

int gcl_server_demonitor(struct gcl_server *server, const gcl_ref *ref)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_signal signal;
    if (!gcl_core_demonitor(&node->core, &server->process.core, ref, &signal))
        return 0;
    return gcl_node_send(node, &signal);
}

int gcl_demonitor(gcl_server *self, gcl_ref ref)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_monitor *monitor = gcl_monitors_find(&node->core.monitors, &ref);
    if (monitor == NULL || monitor->watcher != &self->process.core || monitor->is_awaited)
        return GCL_ENOENT;
    return gcl_server_demonitor(self, &ref);
}

int gcl_link(gcl_server *self, gcl_pid pid)
{
    struct gcl_node *node = gcl_server_at(self);
    gcl_dest dest = gcl_to_pid(pid);
    struct gcl_route route;
    struct gcl_signal unlink;
    bool send;
    int error = gcl_dest_route(node, &dest, &route);
    if (error == 0)
        error = gcl_core_link(&node->core, &self->process.core, pid,
                              route.peer != NULL ? &route.peer->core : NULL, &send);
    gcl_loop_again(&node->loop); /* for an exit that is due at once */
    if (error != 0 || !send)
        return error;
    struct gcl_signal signal = {.op = GCL_SIGNAL_LINK, .from = pid_of(self), .to = route.target};
    error = gcl_node_send(node, &signal);
    if (error != 0)
        (void)gcl_core_unlink(&node->core, &self->process.core, pid, &unlink);
    return error;
}

int gcl_unlink(gcl_server *self, gcl_pid pid)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_signal signal;
    if (!gcl_core_unlink(&node->core, &self->process.core, pid, &signal))
        return 0;
    return gcl_node_send(node, &signal);
}

/* --- aliases and references ------------------------------------------------------------------ */

gcl_ref gcl_make_ref(gcl_server *self)
{
    return gcl_core_make_ref(&gcl_server_at(self)->core);
}

int gcl_alias_new(gcl_server *self, gcl_ref *ref)
{
    struct gcl_node *node = gcl_server_at(self);
    if (self->is_ending)
        return GCL_ECLOSED;
    struct gcl_alias *alias = gcl_alloc_zero(node->mem, sizeof *alias);
    if (alias == NULL)
        return GCL_ENOMEM;
    *ref = gcl_core_make_ref(&node->core);
    gcl_list_init(&alias->at_process);
    alias->kind = GCL_ALIAS_PROGRAM;
    int error = gcl_aliases_add(&node->core.aliases, alias, ref, &self->process.core);
    if (error != 0)
        gcl_free(node->mem, alias);
    return error;
}

int gcl_unalias(gcl_server *self, gcl_ref ref)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_alias *alias = gcl_aliases_find(&node->core.aliases, &ref);
    if (alias == NULL || alias->process != &self->process.core || alias->kind != GCL_ALIAS_PROGRAM)
        return GCL_ENOENT;
    gcl_aliases_remove(&node->core.aliases, alias);
    gcl_free(node->mem, alias);
    return 0;
}

const char *gcl_pid_node(gcl_node *node, gcl_pid pid)
{
    const struct gcl_name *name = gcl_names_get(&node->core.names, pid.node, pid.generation);
    if (name == NULL)
        return NULL;
    uint8_t *text = gcl_term_context_room(&node->terms, name->size + (size_t)1);
    if (text == NULL)
        return NULL;
    memcpy(text, name->bytes, name->size);
    text[name->size] = '\0';
    return (const char *)text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a server is handed to the handler that it is for. */
#include <string.h>

#include "node/message.h"
#include "node/node.h"
#include "server/call.h"
#include "server/caller.h"
#include "server/gen.h"
#include "server/io.h"
#include "server/mailbox.h"
#include "server/pg/pg.h"
#include "server/server.h"
#include "server/sys.h"

void gcl_server_drop(struct gcl_server *server, const char *what)
{
    char name[GCL_SERVER_NAME_BYTES];
    gcl_server_print_name(server, name, sizeof name);
    gcl_log(&gcl_server_at(server)->log, GCL_LOG_NOTICE, "unhandled", "%s has no handler for %s",
            name, what);
}

static void take_call(struct gcl_server *server, const struct gcl_gen_message *message)
{
    struct gcl_from from = {.server = server, .message = message};
    if (server->handlers->handle_call == NULL) {
        gcl_server_drop(server, "a call");
        return;
    }
    gcl_server_enter(server);
    gcl_server_leave(server,
                     server->handlers->handle_call(server, gcl_server_term(server, message->term),
                                                   &from, server->user));
}

static void take_own_cast(struct gcl_server *server, gcl_pid from, struct gcl_str message)
{
    gcl_server_enter(server);
    server->take_cast(server, from, gcl_server_term(server, message));
    gcl_server_leave(server, GCL_CONTINUE);
}

static void take_cast(struct gcl_server *server, gcl_pid from, struct gcl_str message)
{
    if (server->take_cast != NULL) {
        take_own_cast(server, from, message);
        return;
    }
    if (server->handlers->handle_cast == NULL) {
        gcl_server_drop(server, "a cast");
        return;
    }
    gcl_server_enter(server);
    gcl_server_leave(server, server->handlers->handle_cast(server, gcl_server_term(server, message),
                                                           server->user));
}

static void take_info(struct gcl_server *server, struct gcl_str message)
{
    if (server->handlers->handle_info == NULL) {
        gcl_server_drop(server, "a message");
        return;
    }
    gcl_server_enter(server);
    gcl_server_leave(server, server->handlers->handle_info(server, gcl_server_term(server, message),
                                                           server->user));
}

/* An answer without its alias: from a peer that has none (OTP 23), or one nobody waits for. */
static void take_reply(struct gcl_server *server, const struct gcl_gen_message *message,
                       struct gcl_str whole)
{
    struct gcl_call *call = gcl_call_find(server, &message->ref);
    if (call != NULL)
        gcl_call_finish(call, 0, message->term);
    else
        take_info(server, whole);
}

static void take_message(struct gcl_server *server, const struct gcl_signal *signal,
                         struct gcl_alias *alias)
{
    struct gcl_gen_message message;
    gcl_gen_decode(signal->term, &message);
    if (alias != NULL && alias->kind == GCL_ALIAS_SPAWN)
        return; /* nothing is sent to it */
    if (alias != NULL && alias->kind == GCL_ALIAS_CALL) {
        /* Only the answer is sent to this one; what else comes by it is nobody's. */
        if (message.kind == GCL_GEN_REPLY)
            gcl_call_finish(GCL_CONTAINER_OF(alias, struct gcl_call, alias), 0, message.term);
        return;
    }
    if (alias != NULL && alias->kind == GCL_ALIAS_PG) {
        gcl_pg_monitor_take(server, alias, signal);
        return;
    }
    switch (message.kind) {
    case GCL_GEN_CALL:
        take_call(server, &message);
        return;
    case GCL_GEN_CAST:
        take_cast(server, signal->from, message.term);
        return;
    case GCL_GEN_SYSTEM:
        gcl_sys_take(server, &message);
        return;
    case GCL_GEN_IO:
        gcl_io_take(server, &message);
        return;
    case GCL_GEN_REPLY:
        take_reply(server, &message, signal->term);
        return;
    case GCL_GEN_INFO:
        take_info(server, signal->term);
        return;
    }
}

static gcl_term what_was_watched(struct gcl_server *server, const struct gcl_signal *down)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_name *name =
        gcl_names_get(&node->core.names, down->from.node, down->from.generation);
    gcl_term what;
    int error;
    if (down->from_name.size == 0) {
        error = gcl_message_event(node, GCL_MESSAGE("~p", down->from), &what);
    } else {
        gcl_bytes local = {down->from_name.bytes, down->from_name.size};
        gcl_bytes at = {name != NULL ? name->bytes : NULL, name != NULL ? name->size : 0};
        error = gcl_message_event(node, GCL_MESSAGE("{~a, ~a}", local, at), &what);
    }
    return error == 0 ? what : gcl_term_make(&node->terms, NULL, 0);
}

static void take_down(struct gcl_server *server, const struct gcl_signal *down)
{
    struct gcl_call *call = gcl_call_of_ref(server, &down->ref);
    if (call != NULL) {
        gcl_call_down(call, down->term);
        return;
    }
    if (server->handlers->handle_down == NULL) {
        gcl_server_drop(server, "the end of a process that it monitors");
        return;
    }
    gcl_term what = what_was_watched(server, down);
    gcl_server_enter(server);
    gcl_server_leave(server, server->handlers->handle_down(server, down->ref, what,
                                                           gcl_server_term(server, down->term),
                                                           server->user));
}

static void take_spawned(struct gcl_server *server, const struct gcl_signal *reply)
{
    struct gcl_call *call = gcl_call_of_ref(server, &reply->ref);
    if (call != NULL)
        gcl_spawn_replied(call, reply);
}

static void take_exit(struct gcl_server *server, const struct gcl_signal *signal)
{
    if (server->handlers->handle_exit == NULL) {
        gcl_server_drop(server, "an exit signal");
        return;
    }
    gcl_server_enter(server);
    gcl_server_leave(server, server->handlers->handle_exit(server, signal->from,
                                                           gcl_server_term(server, signal->term),
                                                           server->user));
}

/* The text is in an atom's limits: it was a node's name. */
static void take_node(struct gcl_server *server, const struct gcl_signal *signal)
{
    char name[GCL_NODE_NAME_MAX_BYTES + 1];
    if (server->handlers->handle_node == NULL || gcl_list_is_empty(&server->process.watch))
        return;
    memcpy(name, signal->from_name.bytes, signal->from_name.size);
    name[signal->from_name.size] = '\0';
    gcl_server_enter(server);
    gcl_server_leave(
        server, server->handlers->handle_node(server, name, signal->op == GCL_SIGNAL_NODE_UP,
                                              gcl_server_term(server, signal->term), server->user));
}

void gcl_server_take_now(struct gcl_server *server, const struct gcl_signal *signal,
                         struct gcl_alias *alias)
{
    switch (signal->op) {
    case GCL_SIGNAL_SEND:
        take_message(server, signal, alias);
        return;
    case GCL_SIGNAL_DOWN:
        take_down(server, signal);
        return;
    case GCL_SIGNAL_EXIT:
    case GCL_SIGNAL_EXIT2:
        take_exit(server, signal);
        return;
    case GCL_SIGNAL_NODE_UP:
    case GCL_SIGNAL_NODE_DOWN:
        take_node(server, signal);
        return;
    case GCL_SIGNAL_BEGIN:
    case GCL_SIGNAL_DEMONITOR:
        if (server->take_own != NULL)
            server->take_own(server, signal);
        return;
    case GCL_SIGNAL_SPAWN_REPLY:
        take_spawned(server, signal);
        return;
    case GCL_SIGNAL_LINK:
    case GCL_SIGNAL_UNLINK:
    case GCL_SIGNAL_UNLINK_ACK:
    case GCL_SIGNAL_MONITOR:
    case GCL_SIGNAL_GROUP_LEADER:
    case GCL_SIGNAL_SPAWN_REQUEST:
    case GCL_SIGNAL_STOP:
    case GCL_SIGNAL_END:
    case GCL_SIGNAL_OPS:
        return; /* the core's */
    }
}

void gcl_server_take(struct gcl_server *server, const struct gcl_signal *signal,
                     struct gcl_alias *alias)
{
    if (server->is_ending)
        return;
    if (server->mailbox == NULL || gcl_mailbox_passes(server, signal))
        gcl_server_take_now(server, signal, alias);
    else
        gcl_mailbox_add(server, signal);
}

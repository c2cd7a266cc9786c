/* SPDX-License-Identifier: Apache-2.0 */
#include "server/call.h"

#include "core/reason.h"
#include "node/dest.h"
#include "node/message.h"
#include "node/node.h"
#include "node/translate.h"
#include "server/gen.h"
#include "server/global/global.h"
#include "server/servers.h"

static const struct gcl_str no_term;

static void expired(struct gcl_deadline *deadline)
{
    struct gcl_call *call = GCL_CONTAINER_OF(deadline, struct gcl_call, deadline);
    if (call->server->is_suspended)
        call->is_due = true;
    else
        gcl_call_finish(call, GCL_ETIMEOUT, no_term);
}

static int set_deadline(struct gcl_call *call, uint32_t timeout_ms)
{
    struct gcl_loop *loop = &gcl_server_at(call->server)->loop;
    if (timeout_ms == GCL_INFINITY)
        return 0;
    return gcl_loop_set(loop, &call->deadline, gcl_loop_now_ms(loop) + timeout_ms);
}

static void give_back(struct gcl_node *node, struct gcl_call *call)
{
    gcl_loop_cancel(&node->loop, &call->deadline);
    gcl_slots_give_back(&node->servers->calls, &call->slot);
}

static int open_call(struct gcl_server *server, const struct gcl_call_config *config,
                     struct gcl_call **out)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_slot *slot = gcl_slots_take(&node->servers->calls);
    if (slot == NULL)
        return GCL_ENOMEM;
    struct gcl_call *call = GCL_CONTAINER_OF(slot, struct gcl_call, slot);
    gcl_ref ref = gcl_core_make_ref(&node->core);
    call->server = server;
    call->is_canceled = call->is_due = false;
    gcl_deadline_init(&call->deadline, expired);
    int error = set_deadline(call, config->timeout_ms);
    if (error == 0)
        error = gcl_aliases_add(&node->core.aliases, &call->alias, &ref, &server->process.core);
    if (error != 0)
        give_back(node, call);
    *out = call;
    return error;
}

int gcl_call_open(struct gcl_server *server, const struct gcl_call_config *config,
                  struct gcl_call **out)
{
    struct gcl_call *call;
    if (config->done == NULL)
        return GCL_EINVAL;
    if (server->is_ending)
        return GCL_ECLOSED;
    int error = open_call(server, config, &call);
    if (error != 0)
        return error;
    call->kind = config->kind;
    call->done = config->done;
    call->user = config->user;
    call->is_owed = config->is_owed;
    call->alias.kind = config->kind == GCL_CALL_GEN ? GCL_ALIAS_CALL : GCL_ALIAS_SPAWN;
    gcl_list_init(&call->at_server);
    gcl_list_add_last(&server->calls, &call->at_server);
    *out = call;
    return 0;
}

void gcl_call_close(struct gcl_call *call)
{
    struct gcl_node *node = gcl_server_at(call->server);
    gcl_aliases_remove(&node->core.aliases, &call->alias);
    gcl_list_remove(&call->at_server);
    give_back(node, call);
}

gcl_request gcl_call_request(const struct gcl_call *call)
{
    return (gcl_request){call->slot.index, call->slot.generation};
}

static struct gcl_call *call_of(struct gcl_node *node, gcl_request request)
{
    struct gcl_slot *slot =
        gcl_slots_find(&node->servers->calls, request.index, request.generation);
    return slot != NULL ? GCL_CONTAINER_OF(slot, struct gcl_call, slot) : NULL;
}

/* The monitor goes first, so that no end of the process can be missed. */
static int send_request(struct gcl_call *call, const struct gcl_route *route,
                        struct gcl_str message)
{
    gcl_server *server = call->server;
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND,
                                .from = gcl_self(server),
                                .to = route->target,
                                .term = message,
                                .is_owed = call->is_owed};
    /* Refused as a whole: the monitor would be taken. */
    if (!call->is_owed && route->peer != NULL && gcl_peer_is_busy(route->peer))
        return GCL_EBUSY;
    int error = gcl_server_monitor(server, &route->target, route->peer, &call->alias.ref);
    if (error != 0)
        return error;
    error = gcl_node_send(gcl_server_at(server), &signal);
    if (error != 0)
        (void)gcl_server_demonitor(server, &call->alias.ref);
    return error;
}

static int send_call(struct gcl_call *call, const gcl_dest *dest, const gcl_message *message)
{
    gcl_server *server = call->server;
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_route route;
    struct gcl_str whole;
    gcl_pid self = gcl_self(server);
    gcl_request request = gcl_call_request(call);
    gcl_dest located = gcl_global_locate(node, dest);
    bool is_global = gcl_dest_is_global(&located);
    int error = is_global ? 0 : gcl_dest_route(node, &located, &route);
    if (error == 0)
        error = gcl_gen_begin_call(node, self, &call->alias.ref);
    if (error == 0)
        error = gcl_message_finish(node, message, &whole);
    if (error != 0)
        return error;
    if (is_global)
        return gcl_global_send(node, self, dest, whole, &request);
    return send_request(call, &route, whole);
}

static int begin_call(gcl_server *self, const gcl_dest *dest, const struct gcl_call_config *config,
                      gcl_request *request, const gcl_message *message)
{
    struct gcl_call *call;
    int error = gcl_call_open(self, config, &call);
    if (error != 0)
        return error;
    error = send_call(call, dest, message);
    if (error != 0)
        gcl_call_close(call);
    else if (request != NULL)
        *request = gcl_call_request(call);
    return error;
}

int gcl_call_message(gcl_server *self, gcl_dest dest, uint32_t timeout_ms, gcl_reply_function *done,
                     void *user, gcl_request *request, gcl_message message)
{
    const struct gcl_call_config config = {
        .kind = GCL_CALL_GEN, .timeout_ms = timeout_ms, .done = done, .user = user};
    return begin_call(self, &dest, &config, request, &message);
}

int gcl_call_owed(gcl_server *self, gcl_dest dest, gcl_reply_function *done, void *user,
                  gcl_message message)
{
    const struct gcl_call_config config = {.kind = GCL_CALL_GEN,
                                           .timeout_ms = GCL_INFINITY,
                                           .done = done,
                                           .user = user,
                                           .is_owed = true};
    return begin_call(self, &dest, &config, NULL, &message);
}

void gcl_call_resolved(struct gcl_node *node, gcl_request request, const struct gcl_target *to,
                       struct gcl_str message, int error)
{
    struct gcl_call *call = call_of(node, request);
    struct gcl_route route = {.target = *to};
    if (call == NULL)
        return; /* it had its outcome: time ran out, or it was canceled */
    if (error == 0)
        error = gcl_node_peer(node, to, &route.peer);
    if (error == 0)
        error = send_request(call, &route, message);
    if (error != 0)
        gcl_call_finish(call, error, no_term);
}

struct gcl_call *gcl_call_of_ref(struct gcl_server *server, const gcl_ref *ref)
{
    if (gcl_list_is_empty(&server->calls))
        return NULL;
    struct gcl_alias *alias = gcl_aliases_find(&gcl_server_at(server)->core.aliases, ref);
    if (alias == NULL || alias->process != &server->process.core ||
        (alias->kind != GCL_ALIAS_CALL && alias->kind != GCL_ALIAS_SPAWN))
        return NULL;
    return GCL_CONTAINER_OF(alias, struct gcl_call, alias);
}

struct gcl_call *gcl_call_find(struct gcl_server *server, const struct gcl_wire_ref *wire)
{
    gcl_ref ref;
    if (gcl_list_is_empty(&server->calls) ||
        gcl_intern_ref(&gcl_server_at(server)->core.names, wire, &ref) != 0)
        return NULL;
    struct gcl_call *call = gcl_call_of_ref(server, &ref);
    return call != NULL && call->kind == GCL_CALL_GEN ? call : NULL;
}

/* The call is gone: a value of the same place may be another one by now. */
static void tell(const struct gcl_call *ended, int error, struct gcl_str reply)
{
    struct gcl_server *server = ended->server;
    struct gcl_node *node = gcl_server_at(server);
    gcl_server_enter(server);
    gcl_server_leave(server,
                     ended->done(server, error, gcl_term_of(&node->terms, reply), ended->user));
}

void gcl_call_finish(struct gcl_call *call, int error, struct gcl_str reply)
{
    const struct gcl_call ended = *call;
    gcl_call_close(call);
    (void)gcl_server_demonitor(ended.server, &ended.alias.ref); /* gone when it was what fired */
    if (ended.is_canceled)
        tell(&ended, GCL_ECANCELED, no_term);
    else
        tell(&ended, error, reply);
}

void gcl_call_finish_monitored(struct gcl_call *call, struct gcl_str reply)
{
    const struct gcl_call ended = *call;
    gcl_call_close(call);
    tell(&ended, 0, reply);
}

void gcl_call_down(struct gcl_call *call, struct gcl_str reason)
{
    if (gcl_reason_is(reason, "noconnection"))
        gcl_call_finish(call, GCL_ENOCONNECTION, no_term);
    else if (call->kind != GCL_CALL_GEN)
        gcl_spawn_down(call, reason);
    else if (gcl_reason_is(reason, "noproc"))
        gcl_call_finish(call, GCL_ENOPROC, no_term);
    else
        gcl_call_finish(call, GCL_EEXIT, reason);
}

int gcl_call_cancel(gcl_server *self, gcl_request request)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_call *call = call_of(node, request);
    if (call == NULL || call->server != self || call->is_canceled)
        return GCL_ESTALE;
    /* Not in here: no outcome comes before the function that causes it has returned. */
    int error = gcl_loop_set(&node->loop, &call->deadline, 0);
    if (error == 0)
        call->is_canceled = true;
    return error;
}

void gcl_calls_cancel_all(struct gcl_server *server)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&server->calls)) != NULL)
        gcl_call_finish(GCL_CONTAINER_OF(at, struct gcl_call, at_server), GCL_ECANCELED, no_term);
}

void gcl_calls_resume(struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    GCL_LIST_EACH(&server->calls, at, following)
    {
        struct gcl_call *call = GCL_CONTAINER_OF(at, struct gcl_call, at_server);
        if (call->is_due && gcl_loop_set(&node->loop, &call->deadline, 0) == 0)
            call->is_due = false;
    }
}

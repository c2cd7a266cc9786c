/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that servers have run elsewhere: a process is asked for, and what is called is its
 * work, its end the outcome; or the process itself is what was wanted. On this node it is a task
 * like those that others ask for.
 *
 * spec: erl_dist_protocol, SPAWN_REQUEST; erpc.erl, call/5 and call_result/4 for what ends mean
 */
#include "core/reason.h"
#include "node/dest.h"
#include "node/message.h"
#include "node/node.h"
#include "server/call.h"
#include "server/server.h"
#include "server/servers.h"
#include "wire/term/id.h"

static const struct gcl_str no_term;

enum shape { ERPC_CALL, ERPC_CAST, FUNCTION };

/* What is asked for. */
struct request {
    gcl_server *server;
    enum shape shape;
    uint64_t flags;        /* set of gcl_spawn_flag */
    struct gcl_call *call; /* NULL: nobody waits */
    gcl_ref ref;
    struct gcl_route route;
    struct gcl_str what; /* {Module, Function, Arguments}; in the buffer of messages */
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static bool is_atom(const char *text)
{
    return text != NULL && gcl_wire_text_is_atom(gcl_str_of(text));
}

/* The arguments stand in a writer of the node until the request is built. */
static int write_arguments(struct gcl_node *node, const gcl_rpc_dest *dest,
                           const gcl_message *message, gcl_term *arguments)
{
    gcl_writer *writer = node->servers->rpc.value;
    uint32_t count;
    if (dest->node == NULL || !is_atom(dest->module) || !is_atom(dest->function))
        return GCL_EINVAL;
    int error = gcl_write_message(writer, *message);
    if (error != 0)
        return error;
    *arguments = gcl_writer_term(writer);
    bool is_list = gcl_rpc_count(*arguments, &count);
    return is_list && count <= GCL_RPC_ARGUMENTS_MAX ? 0 : GCL_EINVAL;
}

static int build(struct request *request, gcl_message what)
{
    return gcl_message_build(gcl_server_at(request->server), &what, &request->what);
}

static int build_what(struct request *request, const gcl_rpc_dest *dest, gcl_term arguments)
{
    switch (request->shape) {
    case ERPC_CALL:
        return build(request, GCL_MESSAGE("{erpc, execute_call, [~r, ~a, ~a, ~t]}", request->ref,
                                          dest->module, dest->function, arguments));
    case ERPC_CAST:
        return build(request, GCL_MESSAGE("{erpc, execute_cast, [~a, ~a, ~t]}", dest->module,
                                          dest->function, arguments));
    case FUNCTION:
        break;
    }
    return build(request, GCL_MESSAGE("{~a, ~a, ~t}", dest->module, dest->function, arguments));
}

static int prepare(struct request *request, const gcl_rpc_dest *dest, const gcl_message *message)
{
    struct gcl_node *node = gcl_server_at(request->server);
    gcl_dest at = gcl_to_remote("erpc", dest->node);
    gcl_term arguments;
    int error = write_arguments(node, dest, message, &arguments);
    if (error == 0)
        error = gcl_dest_route(node, &at, &request->route);
    return error != 0 ? error : build_what(request, dest, arguments);
}

/* --- asking -------------------------------------------------------------------------------------
 */

static int ask_peer(const struct request *request)
{
    struct gcl_server *server = request->server;
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_peer *peer = request->route.peer;
    struct gcl_signal signal = {.op = GCL_SIGNAL_SPAWN_REQUEST,
                                .from = gcl_self(server),
                                .to = request->route.target,
                                .ref = request->ref,
                                .id = request->flags,
                                .term = request->what};
    int error = 0;
    if (gcl_peer_is_busy(peer))
        return GCL_EBUSY;
    if (request->call != NULL)
        error = gcl_core_await_spawn(&node->core, &server->process.core, signal.to.pid, &peer->core,
                                     &request->ref, (request->flags & GCL_SPAWN_LINKED) != 0);
    if (error != 0)
        return error;
    error = gcl_node_send(node, &signal);
    if (error != 0)
        (void)gcl_server_demonitor(server, &request->ref);
    return error;
}

/* To a process of this node there is no message that could bring the ties along. */
static int tie(const struct request *request, gcl_pid pid)
{
    struct gcl_core *core = &gcl_server_at(request->server)->core;
    struct gcl_core_process *process = &request->server->process.core;
    struct gcl_target target = gcl_target_pid(pid);
    bool send;
    int error = 0;
    if ((request->flags & GCL_SPAWN_MONITORED) != 0)
        error = gcl_core_monitor(core, process, &target, NULL, &request->ref);
    if (error == 0 && (request->flags & GCL_SPAWN_LINKED) != 0)
        error = gcl_core_link(core, process, pid, NULL, &send);
    return error;
}

static int reply_here(const struct request *request, gcl_pid pid, const char *refusal)
{
    gcl_pid self = gcl_self(request->server);
    struct gcl_signal reply = {.op = GCL_SIGNAL_SPAWN_REPLY,
                               .from = pid,
                               .to = gcl_target_pid(self),
                               .ref = request->ref,
                               .id = request->flags};
    if (request->call == NULL)
        return 0;
    if (refusal != NULL) {
        reply.from = self;
        reply.from_name = gcl_str_of(refusal);
    }
    return gcl_node_send(gcl_server_at(request->server), &reply);
}

static int ask_here(const struct request *request)
{
    struct gcl_node *node = gcl_server_at(request->server);
    gcl_bytes module, function;
    gcl_term arguments;
    gcl_pid pid = {0};
    if (!gcl_match(gcl_term_of(&node->terms, request->what), "{~a, ~a, ~t}", &module, &function,
                   &arguments))
        return GCL_EINVAL;
    struct gcl_spawn spawn = {.from = gcl_self(request->server),
                              .ref = request->ref,
                              .is_monitored = (request->flags & GCL_SPAWN_MONITORED) != 0,
                              .module = {module.bytes, module.size},
                              .function = {function.bytes, function.size},
                              .arguments = {arguments.bytes, arguments.size}};
    (void)gcl_rpc_count(arguments, &spawn.arity);
    const char *refusal = gcl_rpc_spawn(node, &spawn, &pid);
    int error = refusal == NULL ? tie(request, pid) : 0;
    if (error == 0)
        error = reply_here(request, pid, refusal);
    if (error != 0 && refusal == NULL) {
        (void)gcl_server_demonitor(request->server, &request->ref);
        gcl_process_end(gcl_process_of(gcl_core_find(&node->core, pid)), GCL_REASON_NORMAL);
    }
    return error;
}

static int ask(struct request *request, const gcl_rpc_dest *dest, const gcl_message *message)
{
    int error = prepare(request, dest, message);
    gcl_writer_clear(gcl_server_at(request->server)->servers->rpc.value);
    if (error != 0)
        return error;
    return request->route.peer != NULL ? ask_peer(request) : ask_here(request);
}

static int ask_and_wait(struct request *request, const struct gcl_call_config *config,
                        const gcl_rpc_dest *dest, const gcl_message *message)
{
    int error = gcl_call_open(request->server, config, &request->call);
    if (error != 0)
        return error;
    request->ref = request->call->alias.ref;
    error = ask(request, dest, message);
    if (error != 0)
        gcl_call_close(request->call);
    return error;
}

/* --- for programs -------------------------------------------------------------------------------
 */

int gcl_rpc_call_message(gcl_server *self, gcl_rpc_dest dest, uint32_t timeout_ms,
                         gcl_reply_function *done, void *user, gcl_request *out,
                         gcl_message message)
{
    const struct gcl_call_config config = {
        .kind = GCL_CALL_RPC, .timeout_ms = timeout_ms, .done = done, .user = user};
    struct request request = {.server = self, .shape = ERPC_CALL, .flags = GCL_SPAWN_MONITORED};
    int error = ask_and_wait(&request, &config, &dest, &message);
    if (error == 0 && out != NULL)
        *out = gcl_call_request(request.call);
    return error;
}

int gcl_rpc_cast_message(gcl_server *self, gcl_rpc_dest dest, gcl_message message)
{
    struct request request = {.server = self, .shape = ERPC_CAST, .ref = gcl_make_ref(self)};
    return self->is_ending ? GCL_ECLOSED : ask(&request, &dest, &message);
}

int gcl_spawn_message(gcl_server *self, gcl_rpc_dest dest, unsigned options,
                      gcl_reply_function *done, void *user, gcl_ref *ref, gcl_message message)
{
    const struct gcl_call_config config = {
        .kind = GCL_CALL_SPAWN, .timeout_ms = GCL_INFINITY, .done = done, .user = user};
    struct request request = {.server = self, .shape = FUNCTION, .flags = GCL_SPAWN_MONITORED};
    if ((options & ~(unsigned)GCL_SPAWN_LINK) != 0)
        return GCL_EINVAL;
    if (options != 0)
        request.flags |= GCL_SPAWN_LINKED;
    int error = ask_and_wait(&request, &config, &dest, &message);
    if (error == 0 && ref != NULL)
        *ref = request.ref;
    return error;
}

/* --- what comes of it ----------------------------------------------------------------------------
 */

static void finish(struct gcl_call *call, int error, gcl_message message)
{
    gcl_term term = gcl_server_term(call->server, no_term);
    int failed = gcl_message_event(gcl_server_at(call->server), message, &term);
    if (failed != 0)
        gcl_call_finish(call, failed, no_term);
    else
        gcl_call_finish(call, error, gcl_str_make(term.bytes, term.size));
}

static void refused(struct gcl_call *call, struct gcl_str why)
{
    const gcl_bytes atom = {why.bytes, why.size};
    if (gcl_str_is(why, "notsup"))
        gcl_call_finish(call, GCL_ENOTSUP, no_term);
    else if (gcl_str_is(why, "system_limit"))
        gcl_call_finish(call, GCL_ELIMIT, no_term);
    else if (gcl_str_is(why, "noconnection"))
        gcl_call_finish(call, GCL_ENOCONNECTION, no_term);
    else
        finish(call, GCL_EEXIT, GCL_MESSAGE("~a", atom));
}

static void arrived(struct gcl_call *call, gcl_pid pid)
{
    gcl_term term;
    int error = gcl_message_event(gcl_server_at(call->server), GCL_MESSAGE("~p", pid), &term);
    if (error != 0)
        gcl_call_finish(call, error, no_term);
    else
        gcl_call_finish_monitored(call, gcl_str_make(term.bytes, term.size));
}

void gcl_spawn_replied(struct gcl_call *call, const struct gcl_signal *reply)
{
    if (reply->from_name.size > 0)
        refused(call, reply->from_name);
    else if (call->kind == GCL_CALL_SPAWN)
        arrived(call, reply->from);
}

static bool is_outcome(const struct gcl_call *call, gcl_term reason)
{
    gcl_term first;
    gcl_ref ref;
    gcl_items items;
    return gcl_items_begin(&items, reason) && gcl_items_next(&items, &first) &&
           gcl_match(first, "~r", &ref) && gcl_ref_equal(&ref, &call->alias.ref);
}

/* The shapes of erpc:execute_call/4; false: it is none of them. */
static bool tell_outcome(struct gcl_call *call, gcl_term reason)
{
    gcl_term what, stack;
    if (gcl_match(reason, "{_, return, ~t}", &what))
        gcl_call_finish(call, 0, gcl_str_make(what.bytes, what.size));
    else if (gcl_match(reason, "{_, throw, ~t}", &what))
        finish(call, GCL_ERAISE, GCL_MESSAGE("{throw, ~t, []}", what));
    else if (gcl_match(reason, "{_, exit, ~t}", &what))
        finish(call, GCL_ERAISE, GCL_MESSAGE("{exit, ~t, []}", what));
    else if (gcl_match(reason, "{_, error, ~t, ~t}", &what, &stack))
        finish(call, GCL_ERAISE, GCL_MESSAGE("{error, ~t, ~t}", what, stack));
    else if (gcl_match(reason, "{_, error, ~t}", &what))
        finish(call, GCL_ERAISE, GCL_MESSAGE("{error, ~t, []}", what));
    else
        return false;
    return true;
}

void gcl_spawn_down(struct gcl_call *call, struct gcl_str reason)
{
    gcl_term term = gcl_server_term(call->server, reason);
    if (!is_outcome(call, term) || !tell_outcome(call, term))
        gcl_call_finish(call, GCL_EEXIT, reason);
}

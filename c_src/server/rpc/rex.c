/* SPDX-License-Identifier: Apache-2.0 */
/* The server `rex`, by which nodes call each other that do not use erpc. spec: rpc.erl of kernel,
 * handle_call, handle_cast, handle_info */
#include "node/message.h"
#include "node/node.h"
#include "node/translate.h"
#include "server/caller.h"
#include "server/rpc/rpc.h"
#include "server/servers.h"

/* {call, M, F, A, GroupLeader}: a function of ours prints nothing. */
static bool read_call(gcl_term request, struct gcl_rpc_what *what)
{
    return gcl_match(request, "{call, ~t, ~t, ~t, _}", &what->module, &what->function,
                     &what->arguments) ||
           gcl_match(request, "{block_call, ~t, ~t, ~t, _}", &what->module, &what->function,
                     &what->arguments);
}

static int start(gcl_server *self, const struct gcl_task *like, const struct gcl_rpc_what *what)
{
    struct gcl_node *node = gcl_server_at(self);
    gcl_message message =
        GCL_MESSAGE("{~t, ~t, ~t}", what->module, what->function, what->arguments);
    struct gcl_str term;
    gcl_pid pid;
    int error = gcl_message_build(node, &message, &term);
    return error != 0 ? error : gcl_task_start(node, like, term, &pid);
}

/* Which monitor goes with a call: that of the alias in its tag, else the tag itself (OTP 23). */
static void find_ref(gcl_server *self, const gcl_from *from, struct gcl_task *like)
{
    struct gcl_names *names = &gcl_server_at(self)->core.names;
    const struct gcl_gen_message *message = from->message;
    struct gcl_cursor tag = gcl_cursor_make(message->tag.bytes, message->tag.size);
    struct gcl_wire_ref ref = message->ref;
    bool is_there = message->has_alias || gcl_wire_ref_decode(&tag, &ref);
    like->has_ref = is_there && gcl_intern_ref(names, &ref, &like->ref) == 0;
}

static int start_call(gcl_server *self, const gcl_from *from, const struct gcl_rpc_what *what)
{
    struct gcl_task like = {.kind = GCL_TASK_REX_CALL, .from = gcl_from_pid(from)};
    int error = gcl_caller_keep(from, &like.caller);
    if (error != 0)
        return error;
    find_ref(self, from, &like);
    error = start(self, &like, what);
    if (error != 0)
        gcl_caller_drop(gcl_server_at(self), like.caller);
    return error;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct gcl_rpc_what what;
    (void)user;
    /* As there: a call that is not known is not answered. */
    if (read_call(request, &what) && start_call(self, from, &what) != 0)
        (void)gcl_reply(self, from, "{badrpc, {'EXIT', system_limit}}");
    return GCL_CONTINUE;
}

/* Counts as one of the node that it comes from. */
static void take_cast(gcl_server *self, gcl_pid from, gcl_term message)
{
    struct gcl_task like = {.kind = GCL_TASK_REX_CAST, .from = from};
    struct gcl_rpc_what what;
    if (gcl_match(message, "{cast, ~t, ~t, ~t, _}", &what.module, &what.function,
                  &what.arguments) &&
        start(self, &like, &what) != 0)
        gcl_log(&gcl_server_at(self)->log, GCL_LOG_WARNING, "rpc",
                "a cast is dropped: too many functions run");
}

/* --- messages that are no calls ------------------------------------------------------------- */

static void call_by_message(gcl_server *self, gcl_pid from, const struct gcl_rpc_what *what)
{
    struct gcl_task like = {.kind = GCL_TASK_REX_PLAIN, .from = from};
    if (start(self, &like, what) != 0)
        gcl_server_owe(self, gcl_to_pid(from),
                       GCL_MESSAGE("{rex, {badrpc, {'EXIT', system_limit}}}"));
}

/* False: nobody has the name. */
static bool pass_on(gcl_server *self, gcl_bytes name, gcl_term message)
{
    gcl_server *to = gcl_server_named(gcl_server_at(self), gcl_str_make(name.bytes, name.size));
    return to != NULL && gcl_send(self, gcl_to_pid(gcl_self(to)), "~t", message) == 0;
}

static void broadcast(gcl_server *self, gcl_pid from, gcl_bytes name, gcl_term message)
{
    const char *node = gcl_node_name(gcl_server_node(self));
    if (pass_on(self, name, message))
        gcl_server_owe(self, gcl_to_pid(from), GCL_MESSAGE("{rex, ~a, ~a}", node, node));
    else
        gcl_server_owe(self, gcl_to_pid(from),
                       GCL_MESSAGE("{rex, ~a, {nonexisting_name, ~a}}", node, name));
}

static void forward(gcl_server *self, gcl_pid from, gcl_bytes name, gcl_term message)
{
    gcl_writer *both = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (both != NULL && gcl_write(both, "{~p, ~t}", from, message) == 0)
        (void)pass_on(self, name, gcl_writer_term(both));
    gcl_writer_free(both);
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    gcl_pid from;
    gcl_term request, term;
    struct gcl_rpc_what what;
    gcl_bytes name;
    (void)user;
    if (!gcl_match(message, "{~p, ~t}", &from, &request))
        return GCL_CONTINUE;
    if (gcl_match(request, "features_request"))
        gcl_server_owe(
            self, gcl_to_pid(from),
            GCL_MESSAGE("{features_reply, ~a, [erpc]}", gcl_node_name(gcl_server_node(self))));
    else if (read_call(request, &what))
        call_by_message(self, from, &what);
    else if (gcl_match(request, "{sbcast, ~a, ~t}", &name, &term))
        broadcast(self, from, name, term);
    else if (gcl_match(request, "{send, ~a, ~t}", &name, &term))
        forward(self, from, name, term);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {
    .size = sizeof(gcl_handlers), .handle_call = handle_call, .handle_info = handle_info};

/* A monitor was taken back: by who has its answer, or who has given up. */
static void take_own(gcl_server *self, const struct gcl_signal *signal)
{
    if (signal->op == GCL_SIGNAL_DEMONITOR)
        gcl_task_unwatched(gcl_server_at(self), &signal->ref, signal->from);
}

int gcl_rex_start(struct gcl_node *node)
{
    gcl_server_config config;
    gcl_server *server;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "rex";
    int error = gcl_servers_start(node, GCL_SERVER_REX, &config, &server);
    if (error != 0)
        return error;
    server->take_own = take_own;
    server->take_cast = take_cast;
    server->process.core.minds_watchers = true;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The server `rex`, by which nodes call each other that do not use erpc. spec: rpc.erl of kernel,
 * handle_call, handle_cast, handle_info */
#include <string.h>

#include "node/node.h"
#include "server/rpc.h"

/* The result as rex gives it, appended to what was begun. */
static void answer(const struct gcl_rpc_call *call, gcl_writer *result)
{
    gcl_writer *value = gcl_writer_new(gcl_node_terms(gcl_server_node(call->self)));
    enum gcl_rpc_class class = value != NULL ? gcl_rpc_run(call, value) : GCL_RPC_UNDEF;
    gcl_writer_clear(result);
    if (class == GCL_RPC_RETURN)
        (void)gcl_write(result, "~t", gcl_writer_term(value));
    else if (class == GCL_RPC_ERROR)
        (void)gcl_write(result, "{badrpc, {'EXIT', {~t, [{~a, ~a, ~t, []}]}}}",
                        gcl_writer_term(value), call->module, call->function, call->arguments);
    else
        (void)gcl_write(result, "{badrpc, {'EXIT', {undef, [{~a, ~a, ~t, []}]}}}", call->module,
                        call->function, call->arguments);
    gcl_writer_free(value);
}

static bool read_call(gcl_term request, struct gcl_rpc_call *call)
{
    return gcl_match(request, "{call, ~a, ~a, ~t, _}", &call->module, &call->function,
                     &call->arguments) ||
           gcl_match(request, "{block_call, ~a, ~a, ~t, _}", &call->module, &call->function,
                     &call->arguments);
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct gcl_rpc_call call = {.self = self};
    (void)user;
    if (!read_call(request, &call))
        return GCL_CONTINUE; /* as there: a call that is not known is not answered */
    gcl_writer *result = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (result == NULL)
        return GCL_CONTINUE;
    answer(&call, result);
    (void)gcl_reply(self, from, "~t", gcl_writer_term(result));
    gcl_writer_free(result);
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_rpc_call call = {.self = self};
    (void)user;
    if (!gcl_match(message, "{cast, ~a, ~a, ~t, _}", &call.module, &call.function, &call.arguments))
        return GCL_CONTINUE;
    gcl_writer *result = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (result != NULL)
        answer(&call, result);
    gcl_writer_free(result);
    return GCL_CONTINUE;
}

/* --- messages that are no calls ------------------------------------------------------------- */

static void call_by_message(gcl_server *self, gcl_pid from, const struct gcl_rpc_call *call)
{
    gcl_writer *result = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (result == NULL)
        return;
    answer(call, result);
    (void)gcl_send(self, gcl_to_pid(from), "{rex, ~t}", gcl_writer_term(result));
    gcl_writer_free(result);
}

enum { NAME_BYTES = 1021 };

/* False: nobody has the name. */
static bool pass_on(gcl_server *self, gcl_bytes name, gcl_term message)
{
    char text[NAME_BYTES];
    if (name.size >= sizeof text)
        return false;
    memcpy(text, name.bytes, name.size);
    text[name.size] = '\0';
    if (gcl_whereis(gcl_server_node(self), text) == NULL)
        return false;
    return gcl_send(self, gcl_to_name(text), "~t", message) == 0;
}

static void broadcast(gcl_server *self, gcl_pid from, gcl_bytes name, gcl_term message)
{
    const char *node = gcl_node_name(gcl_server_node(self));
    if (pass_on(self, name, message))
        (void)gcl_send(self, gcl_to_pid(from), "{rex, ~a, ~a}", node, node);
    else
        (void)gcl_send(self, gcl_to_pid(from), "{rex, ~a, {nonexisting_name, ~a}}", node, name);
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
    struct gcl_rpc_call call = {.self = self};
    gcl_pid from;
    gcl_term what, term;
    gcl_bytes name;
    (void)user;
    if (!gcl_match(message, "{~p, ~t}", &from, &what))
        return GCL_CONTINUE;
    if (gcl_match(what, "features_request"))
        (void)gcl_send(self, gcl_to_pid(from), "{features_reply, ~a, [erpc]}",
                       gcl_node_name(gcl_server_node(self)));
    else if (read_call(what, &call))
        call_by_message(self, from, &call);
    else if (gcl_match(what, "{sbcast, ~a, ~t}", &name, &term))
        broadcast(self, from, name, term);
    else if (gcl_match(what, "{send, ~a, ~t}", &name, &term))
        forward(self, from, name, term);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers),
                                      .handle_call = handle_call,
                                      .handle_cast = handle_cast,
                                      .handle_info = handle_info};

int gcl_rex_start(struct gcl_node *node)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "rex";
    return gcl_server_start(node, &config, NULL);
}

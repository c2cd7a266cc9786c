/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that peers ask for. One for erpc ends with what the function came to as its reason,
 * which the monitor in the request carries home. spec: erpc:execute_call/4, execute_cast/3
 */
#include "node/node.h"
#include "server/rpc.h"
#include "server/server.h"
#include "wire/control.h"

/* What is run was sent to the process by itself, so that it begins when all is set up. */
static gcl_result end_with(gcl_server *self, gcl_term reference, const struct gcl_rpc_call *call)
{
    gcl_writer *out = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    gcl_result result;
    if (out == NULL)
        return gcl_stop(self, "{~t, error, system_limit, []}", reference);
    switch (gcl_rpc_run(call, out)) {
    case GCL_RPC_RETURN:
        result = gcl_stop(self, "{~t, return, ~t}", reference, gcl_writer_term(out));
        break;
    case GCL_RPC_ERROR:
        result = gcl_stop(self, "{~t, error, ~t, [{~a, ~a, ~t, []}]}", reference,
                          gcl_writer_term(out), call->module, call->function, call->arguments);
        break;
    case GCL_RPC_UNDEF:
    default:
        result = gcl_stop(self, "{~t, error, undef, [{~a, ~a, ~t, []}]}", reference, call->module,
                          call->function, call->arguments);
        break;
    }
    gcl_writer_free(out);
    return result;
}

static gcl_result run_and_forget(gcl_server *self, const struct gcl_rpc_call *call)
{
    gcl_writer *out = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (out != NULL)
        (void)gcl_rpc_run(call, out);
    gcl_writer_free(out);
    return GCL_STOP;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_rpc_call call = {.self = self};
    gcl_term reference;
    (void)user;
    if (gcl_match(message, "{erpc, execute_call, [~t, ~a, ~a, ~t]}", &reference, &call.module,
                  &call.function, &call.arguments))
        return end_with(self, reference, &call);
    if (gcl_match(message, "{erpc, execute_cast, [~a, ~a, ~t]}", &call.module, &call.function,
                  &call.arguments) ||
        gcl_match(message, "{~a, ~a, ~t}", &call.module, &call.function, &call.arguments))
        return run_and_forget(self, &call);
    return GCL_STOP;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers), .handle_info = handle_info};

static bool is_erpc(const struct gcl_control *request)
{
    return gcl_str_is(request->module, "erpc") &&
           ((gcl_str_is(request->function, "execute_call") && request->arity == 4) ||
            (gcl_str_is(request->function, "execute_cast") && request->arity == 3));
}

const char *gcl_rpc_spawn(struct gcl_node *node, const struct gcl_control *request, gcl_pid *pid)
{
    const gcl_bytes module = {request->module.bytes, request->module.size};
    const gcl_bytes function = {request->function.bytes, request->function.size};
    gcl_server_config config;
    gcl_server *server;
    if (!is_erpc(request) && !gcl_rpc_exists(module, function, request->arity))
        return "notsup";
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    if (gcl_server_start(node, &config, &server) != 0)
        return "system_limit";
    server->is_transient = true;
    *pid = gcl_self(server);
    if (gcl_send(server, gcl_to_pid(*pid), "{~a, ~a, ~t}", module, function,
                 gcl_term_of(&node->terms, request->term)) == 0)
        return NULL;
    (void)gcl_server_stop(server, "normal");
    return "system_limit";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that others may call. */
#include "server/rpc.h"

#include "node/node.h"
#include "node/peer.h"
#include "server/global_group.h"
#include "server/gns.h"

enum { ARGUMENTS_MAX = 255 };

typedef enum gcl_rpc_class run_function(const struct gcl_rpc_call *call, gcl_writer *out);

/* What cannot be written, for want of memory, has to be an error that the caller sees. */
static enum gcl_rpc_class written(int error)
{
    return error == 0 ? GCL_RPC_RETURN : GCL_RPC_UNDEF;
}

static enum gcl_rpc_class badarg(gcl_writer *out)
{
    return gcl_write(out, "badarg") == 0 ? GCL_RPC_ERROR : GCL_RPC_UNDEF;
}

/* erlang:node() */
static enum gcl_rpc_class node(const struct gcl_rpc_call *call, gcl_writer *out)
{
    return written(gcl_write(out, "~a", gcl_node_name(gcl_server_node(call->self))));
}

/* net_adm:ping(Node): of nodes that this one is connected to; none is dialled. */
static enum gcl_rpc_class ping(const struct gcl_rpc_call *call, gcl_writer *out)
{
    gcl_node *at = gcl_server_node(call->self);
    gcl_bytes name;
    if (!gcl_match(call->arguments, "[~a]", &name))
        return badarg(out);
    struct gcl_str text = gcl_str_make(name.bytes, name.size);
    const struct gcl_peer *peer = gcl_peer_find(at, text);
    bool is_there = gcl_str_is(text, gcl_node_name(at)) || (peer != NULL && peer->up != NULL);
    return written(gcl_write(out, "~a", is_there ? "pong" : "pang"));
}

/* global:whereis_name(Name), as far as this node knows: a hidden one knows nobody. */
static enum gcl_rpc_class whereis_name(const struct gcl_rpc_call *call, gcl_writer *out)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_node(call->self));
    gcl_pid holder = {0};
    gcl_term name;
    if (!gcl_match(call->arguments, "[~t]", &name))
        return badarg(out);
    if (gns != NULL && gcl_gns_holder(gns, GCL_MESSAGE("~t", name), &holder) != 0)
        return badarg(out);
    return written(gcl_pid_is_none(holder) ? gcl_write(out, "undefined")
                                           : gcl_write(out, "~p", holder));
}

/* global:resolve_it(Method, Name, Pid1, Pid2) */
static enum gcl_rpc_class resolve_it(const struct gcl_rpc_call *call, gcl_writer *out)
{
    gcl_pid winner;
    if (gcl_gns_resolve(call->self, call->arguments, &winner) != 0)
        return badarg(out);
    return written(gcl_pid_is_none(winner) ? gcl_write(out, "none") : gcl_write(out, "~p", winner));
}

/* global_group:get_own_nodes() */
static enum gcl_rpc_class get_own_nodes(const struct gcl_rpc_call *call, gcl_writer *out)
{
    return written(gcl_global_group_write(gcl_server_at(call->self), out));
}

static const struct {
    const char *module;
    const char *function;
    uint32_t arity;
    run_function *run;
} functions[] = {
    {"erlang", "node", 0, node},
    {"net_adm", "ping", 1, ping},
    {"global", "whereis_name", 1, whereis_name},
    {"global", "resolve_it", 4, resolve_it},
    {"global_group", "get_own_nodes", 0, get_own_nodes},
};

static run_function *find(gcl_bytes module, gcl_bytes function, uint32_t arity)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (functions[i].arity == arity &&
            gcl_str_is(gcl_str_make(module.bytes, module.size), functions[i].module) &&
            gcl_str_is(gcl_str_make(function.bytes, function.size), functions[i].function))
            return functions[i].run;
    return NULL;
}

bool gcl_rpc_exists(gcl_bytes module, gcl_bytes function, uint32_t arity)
{
    return find(module, function, arity) != NULL;
}

/* ARGUMENTS_MAX + 1: it is no list, or a longer one. */
static uint32_t count_arguments(gcl_term arguments)
{
    gcl_items items;
    gcl_term item;
    uint32_t count = 0;
    bool is_list = gcl_match(arguments, "[]") || gcl_match(arguments, "[_ | _]");
    if (!is_list || !gcl_items_begin(&items, arguments))
        return ARGUMENTS_MAX + 1;
    while (count <= ARGUMENTS_MAX && gcl_items_next(&items, &item))
        count++;
    return gcl_items_is_proper_end(&items) ? count : ARGUMENTS_MAX + 1;
}

enum gcl_rpc_class gcl_rpc_run(const struct gcl_rpc_call *call, gcl_writer *out)
{
    run_function *run = find(call->module, call->function, count_arguments(call->arguments));
    gcl_writer_clear(out);
    return run != NULL ? run(call, out) : GCL_RPC_UNDEF;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that every node has, because nodes of OTP ask each other for them. */
#include "node/node.h"
#include "node/peer.h"
#include "server/global/gns.h"
#include "server/global/group.h"
#include "server/rpc/rpc.h"

static void badarg(gcl_node *at, gcl_rpc_task task)
{
    (void)gcl_rpc_raise(at, task, GCL_RPC_ERROR, "badarg");
}

/* erlang:node() */
static void node(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    (void)arguments;
    (void)user;
    (void)gcl_rpc_return(at, task, "~a", gcl_node_name(at));
}

/* net_adm:ping(Node): of nodes that this one is connected to; none is dialled. */
static void ping(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    gcl_bytes name;
    (void)user;
    if (!gcl_match(arguments, "[~a]", &name)) {
        badarg(at, task);
        return;
    }
    struct gcl_str text = gcl_str_make(name.bytes, name.size);
    const struct gcl_peer *peer = gcl_peer_find(at, text);
    bool is_there = gcl_str_is(text, gcl_node_name(at)) || (peer != NULL && peer->up != NULL);
    (void)gcl_rpc_return(at, task, "~a", is_there ? "pong" : "pang");
}

/* global:whereis_name(Name), as far as this node knows: a hidden one knows nobody. */
static void whereis_name(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    struct gcl_gns_service *gns = gcl_gns_of(at);
    gcl_pid holder = {0};
    gcl_term name;
    (void)user;
    if (!gcl_match(arguments, "[~t]", &name) ||
        (gns != NULL && gcl_gns_holder(gns, GCL_MESSAGE("~t", name), &holder) != 0))
        badarg(at, task);
    else if (gcl_pid_is_none(holder))
        (void)gcl_rpc_return(at, task, "undefined");
    else
        (void)gcl_rpc_return(at, task, "~p", holder);
}

/* global:resolve_it(Method, Name, Pid1, Pid2) */
static void resolve_it(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    gcl_pid winner;
    (void)user;
    if (gcl_gns_resolve(self, arguments, &winner) != 0)
        badarg(at, task);
    else if (gcl_pid_is_none(winner))
        (void)gcl_rpc_return(at, task, "none");
    else
        (void)gcl_rpc_return(at, task, "~p", winner);
}

/* global_group:get_own_nodes() */
static void get_own_nodes(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    gcl_writer *nodes = gcl_writer_new(gcl_node_terms(at));
    (void)arguments;
    (void)user;
    if (nodes != NULL && gcl_global_group_write(at, nodes) == 0)
        (void)gcl_rpc_return(at, task, "~t", gcl_writer_term(nodes));
    else
        (void)gcl_rpc_raise(at, task, GCL_RPC_ERROR, "system_limit");
    gcl_writer_free(nodes);
}

/* code:ensure_loaded(Module): there is no code but that of functions. A remote shell of OTP 26 and
 * later asks for its own, and gives up in good order. */
static void ensure_loaded(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    gcl_bytes module;
    (void)user;
    if (!gcl_match(arguments, "[~a]", &module))
        badarg(at, task);
    else if (gcl_rpc_has_module(at, module))
        (void)gcl_rpc_return(at, task, "{module, ~a}", module);
    else
        (void)gcl_rpc_return(at, task, "{error, nofile}");
}

/*
 * dbg:do_relay(Parent, To), from OTP 27 on dbg:do_relay(Session, Parent, To): what dbg:n/1 spawns
 * to trace a node. dbg waits for this message without end, and serves nobody meanwhile; when the
 * relay has ended it forgets the node. There is nothing to trace here, so that is at once.
 */
static void do_relay(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *at = gcl_server_node(self);
    gcl_pid parent = {0}, from = gcl_rpc_from(at, task);
    (void)user;
    bool has_session = gcl_match(arguments, "[_, ~p, _]", &parent);
    if ((!has_session && !gcl_match(arguments, "[~p, _]", &parent)) || parent.node != from.node) {
        badarg(at, task);
        return;
    }
    gcl_pid relay = gcl_self(self);
    gcl_server_owe(self, gcl_to_pid(parent),
                   has_session ? GCL_MESSAGE("{started, ~p, none}", relay)
                               : GCL_MESSAGE("{started, ~p}", relay));
    (void)gcl_rpc_return(at, task, "ok");
}

static const struct {
    const char *module;
    const char *function;
    unsigned arity;
    gcl_rpc_function *run;
} functions[] = {
    {"erlang", "node", 0, node},
    {"net_adm", "ping", 1, ping},
    {"global", "whereis_name", 1, whereis_name},
    {"global", "resolve_it", 4, resolve_it},
    {"global_group", "get_own_nodes", 0, get_own_nodes},
    {"code", "ensure_loaded", 1, ensure_loaded},
    {"dbg", "do_relay", 2, do_relay},
    {"dbg", "do_relay", 3, do_relay},
};

int gcl_rpc_add_all_own(struct gcl_node *at)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof functions / sizeof functions[0]; i++)
        error = gcl_rpc_add_own(at, functions[i].module, functions[i].function, functions[i].arity,
                                functions[i].run);
    return error;
}

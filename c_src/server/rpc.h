/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Being called by name of module and function: the few functions that a node of OTP is asked for by
 * others (rpc.c), by way of erpc, that is a request to spawn a process (rpc_spawn.c), and by way of
 * `rex` (rex.c). Everything else is `undef`: a C program is closed to code.
 *
 * spec: erpc:execute_call/4, rpc.erl of kernel, erl_dist_protocol, SPAWN_REQUEST
 */
#ifndef GCL_SERVER_RPC_H
#define GCL_SERVER_RPC_H

#include <gen_cluster/server.h>

#include "base/str.h"

struct gcl_control;
struct gcl_node;

/** How a function ended; what goes with it was written: a value, or a reason. */
enum gcl_rpc_class {
    GCL_RPC_RETURN,
    GCL_RPC_ERROR, /* erlang:error/1 */
    GCL_RPC_UNDEF, /* there is no such function; nothing was written */
};

struct gcl_rpc_call {
    gcl_server *self; /* the process in which it runs */
    gcl_bytes module, function;
    gcl_term arguments; /* a list */
};

/** Whether there is such a function. */
bool gcl_rpc_exists(gcl_bytes module, gcl_bytes function, uint32_t arity);

enum gcl_rpc_class gcl_rpc_run(const struct gcl_rpc_call *call, gcl_writer *out);

/**
 * Starts the process that a peer asks for. NULL, and its pid; or why not: an atom, static. What it
 * does begins after its requester was told.
 */
const char *gcl_rpc_spawn(struct gcl_node *node, const struct gcl_control *request, gcl_pid *pid);

/** The server `rex`. 0, GCL_ELIMIT, GCL_ENOMEM. */
int gcl_rex_start(struct gcl_node *node);

#endif

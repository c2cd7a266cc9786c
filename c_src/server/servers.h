/* SPDX-License-Identifier: Apache-2.0 */
/**
 * This is the room `server`: what stands on a node. A server is a process with the program's
 * handlers (server.h); services are the processes that every node has. No socket is seen here.
 */
#ifndef GCL_SERVER_SERVERS_H
#define GCL_SERVER_SERVERS_H

#include "base/list.h"
#include "base/slots.h"
#include "server/rpc/rpc.h"
#include "server/server.h"

struct gcl_global;
struct gcl_gns_service;

/** What they have in common at one node. */
struct gcl_servers {
    struct gcl_slots calls;      /* struct gcl_call */
    struct gcl_slots callers;    /* struct gcl_kept_caller */
    uint32_t programs_callers;   /* of them, those that programs keep */
    struct gcl_global *global;   /* of a hidden node; NULL: no global name was needed yet */
    struct gcl_gns_service *gns; /* of a visible node; else NULL */
    struct gcl_rpc rpc;
    struct gcl_list pg_monitors; /* of pg_monitor.c */
    struct gcl_server *running;  /* whose handler runs */
    uint64_t last_timer;
};

/**
 * Starts a server without which no node goes on: when it ends, be it killed by a peer, the node
 * closes with GCL_EKERNEL. spec: kernel_sup of kernel, which starts none of its processes again
 * (`intensity` 0): the end of one ends the node. Errors of gcl_server_start().
 */
int gcl_servers_start(struct gcl_node *node, enum gcl_server_role role,
                      const gcl_server_config *config, gcl_server **out);

/** From gcl_server_end(), of any server. */
void gcl_servers_ended(const struct gcl_server *server);

#endif

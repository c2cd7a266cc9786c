/* SPDX-License-Identifier: Apache-2.0 */
/* A node with all that stands on it. */
#include "server/servers.h"

#include "node/node.h"
#include "server/call.h"
#include "server/caller.h"
#include "server/global/gns.h"
#include "server/global/group.h"
#include "server/net_kernel.h"
#include "server/rpc/rpc.h"
#include "server/server.h"

/* --- servers of the node itself -------------------------------------------------------------- */

static const char *const roles[] = {[GCL_SERVER_NET_KERNEL] = "net_kernel",
                                    [GCL_SERVER_REX] = "rex",
                                    [GCL_SERVER_GROUP] = "global_group",
                                    [GCL_SERVER_GLOBAL] = "a process of global"};

int gcl_servers_start(struct gcl_node *node, enum gcl_server_role role,
                      const gcl_server_config *config, gcl_server **out)
{
    gcl_server_config own = *config;
    gcl_server *server;
    /* What is no `kill` ends none of them: who has linked to one may end, or be lost. */
    own.trap_exit = true;
    int error = gcl_server_start(node, &own, &server);
    if (error != 0)
        return error;
    server->role = (uint8_t)role;
    if (out != NULL)
        *out = server;
    return 0;
}

void gcl_servers_ended(const struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    if (server->role == GCL_SERVER_OF_PROGRAM || node->is_closing)
        return;
    gcl_log(&node->log, GCL_LOG_ERROR, "node_closes", "%s has ended, without which no node goes on",
            roles[server->role]);
    node->close_error = GCL_EKERNEL;
    gcl_node_close(node);
}

/* --- life ----------------------------------------------------------------------------------- */

static int start(struct gcl_node *node)
{
    struct gcl_servers *servers = gcl_alloc_zero(node->mem, sizeof *servers);
    if (servers == NULL)
        return GCL_ENOMEM;
    gcl_slots_init(&servers->calls, node->mem, sizeof(struct gcl_call));
    gcl_slots_init(&servers->callers, node->mem, sizeof(struct gcl_kept_caller));
    gcl_list_init(&servers->pg_monitors);
    node->servers = servers;
    int error = gcl_rpc_init(node);
    if (error == 0)
        error = gcl_net_kernel_start(node);
    if (error == 0)
        error = gcl_rex_start(node);
    if (error == 0)
        error = gcl_global_group_start(node);
    return error != 0 || node->config.hidden ? error : gcl_gns_start(node);
}

static void finish(struct gcl_node *node)
{
    struct gcl_servers *servers = node->servers;
    if (servers == NULL)
        return;
    gcl_gns_finish(node);
    gcl_rpc_fini(node);
    gcl_slots_fini(&servers->calls);
    gcl_slots_fini(&servers->callers);
    gcl_free(node->mem, servers);
    node->servers = NULL;
}

static void peer_down(struct gcl_node *node, const struct gcl_name *name)
{
    gcl_callers_node_down(node, name);
    gcl_tasks_node_down(node, name);
}

static const struct gcl_node_services services = {.start = start,
                                                  .finish = finish,
                                                  .peer_down = peer_down,
                                                  .spawn = gcl_rpc_spawn,
                                                  .misuse = gcl_server_misuse};

int gcl_node_new(const gcl_node_config *config, gcl_node **out, char *detail, size_t detail_size)
{
    return gcl_node_open(&services, config, out, detail, detail_size);
}

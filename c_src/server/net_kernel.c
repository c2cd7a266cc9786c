/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: net_kernel.erl, handle_call({is_auth, Node}, ...): the answer is `yes`. OTP 23 asks to
 * spawn here what was refused as a spawn request, and waits for ever: what is no pid, it raises.
 * All else is between a BEAM and its own net_kernel. What that one does not know, it leaves
 * unanswered, so that the caller waits for nothing: not so here.
 */
#include "server/net_kernel.h"

#include "node/node.h"
#include "server/server.h"
#include "server/servers.h"

static bool is_spawn(gcl_term request)
{
    return gcl_match(request, "{spawn, _, _, _, _}") ||
           gcl_match(request, "{spawn_link, _, _, _, _}") ||
           gcl_match(request, "{spawn_opt, _, _, _, _, _, _}");
}

static int answer(gcl_server *self, gcl_term request, const gcl_from *from)
{
    if (gcl_match(request, "{is_auth, _}"))
        return gcl_reply(self, from, "yes");
    if (is_spawn(request))
        return gcl_reply(self, from, "{'EXIT', {notsup, []}}");
    return gcl_reply(self, from, "{error, notsup}");
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    int error = answer(self, request, from);
    if (error != 0)
        gcl_log(&gcl_server_at(self)->log, GCL_LOG_WARNING, "net_kernel_unanswered",
                "net_kernel was called, and cannot answer: %s", gcl_strerror(error));
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers), .handle_call = handle_call};

int gcl_net_kernel_start(struct gcl_node *node)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "net_kernel";
    return gcl_servers_start(node, GCL_SERVER_NET_KERNEL, &config, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server `global_group`: the search processes of BEAMs, which look for a global name on a node
 * (global_group:whereis_name({node, Node}, Name), registered_names/1, send/3), ask it by casts and
 * wait for an answer as long as the node is there. It belongs to no group: whatever else the
 * servers of other nodes send is for members of one.
 *
 * spec: global_group.erl, handle_cast of find_name and registered_names; global_search.erl
 */
#include "server/global_group.h"

#include "node/dest.h"
#include "node/message.h"
#include "node/node.h"
#include "node/peer.h"
#include "server/gns.h"
#include "server/server.h"

/* The search process waits as long as its node is connected. No node is dialled for it. */
static void answer(gcl_server *self, gcl_pid to, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    gcl_dest dest = gcl_to_pid(to);
    struct gcl_route route;
    int error = gcl_dest_route(node, &dest, &route);
    if (error != 0 || (route.peer != NULL && route.peer->up == NULL))
        return;
    (void)gcl_message_begin(node);
    error = gcl_message_answer(node, gcl_self(self), &route.target, &message);
    if (error != 0 && route.peer != NULL)
        gcl_peer_disconnect(route.peer, "an answer about global names could not be sent");
}

/* A hidden node knows no names. */
static void find_name(gcl_server *self, gcl_pid to, gcl_term name)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    gcl_pid holder = {0};
    if (gns != NULL && gcl_gns_holder(gns, GCL_MESSAGE("~t", name), &holder) != 0)
        holder = (gcl_pid){0};
    if (gcl_pid_is_none(holder))
        answer(self, to, GCL_MESSAGE("{find_name_res, undefined}"));
    else
        answer(self, to, GCL_MESSAGE("{find_name_res, ~p}", holder));
}

static void registered_names(gcl_server *self, gcl_pid to)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    gcl_writer *names = gcl_writer_new(gcl_node_terms(gcl_server_at(self)));
    if (names != NULL && gns != NULL && gcl_gns_list_all_names(gns, names) == 0)
        answer(self, to, GCL_MESSAGE("{registered_names_res, ~t}", gcl_writer_term(names)));
    else
        answer(self, to, GCL_MESSAGE("{registered_names_res, []}"));
    gcl_writer_free(names);
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    gcl_pid to;
    gcl_term name;
    (void)user;
    if (gcl_match(message, "{find_name, ~p, ~t}", &to, &name))
        find_name(self, to, name);
    else if (gcl_match(message, "{registered_names, ~p}", &to))
        registered_names(self, to);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers), .handle_cast = handle_cast};

int gcl_global_group_start(struct gcl_node *node)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "global_group";
    return gcl_server_start(node, &config, NULL);
}

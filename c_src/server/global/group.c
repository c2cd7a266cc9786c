/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that have groups check those of each other, and tell who is not of theirs that he is not.
 * This one takes a node of its group for one at once, and asks; when the node has another group, it
 * is left, and what it brought goes with it.
 */
#include "server/global/group.h"

#include <string.h>

#include "node/dest.h"
#include "node/node.h"
#include "node/peer.h"
#include "server/call.h"
#include "server/global/gns.h"
#include "server/servers.h"

enum { VERSION_PID = 3 }; /* of conf_check: from this one on the answer is for a pid */

/* --- the group ------------------------------------------------------------------------------ */

static uint32_t count_nodes(const struct gcl_node *node)
{
    uint32_t count = 0;
    while (node->config.global_group != NULL && node->config.global_group[count] != NULL)
        count++;
    return count;
}

static bool is_listed(const struct gcl_node *node, struct gcl_str name)
{
    for (uint32_t i = 0; i < count_nodes(node); i++)
        if (gcl_str_is(name, node->config.global_group[i]))
            return true;
    return false;
}

bool gcl_global_group_has(const struct gcl_node *node, const char *name)
{
    return count_nodes(node) == 0 || is_listed(node, gcl_str_of(name));
}

int gcl_global_group_write(const struct gcl_node *node, gcl_writer *out)
{
    uint32_t count = count_nodes(node);
    int error = gcl_write_list(out, count);
    for (uint32_t i = 0; error == 0 && i < count; i++)
        error = gcl_write(out, "~a", node->config.global_group[i]);
    return error == 0 && count > 0 ? gcl_write(out, "[]") : error;
}

static uint32_t count_items(gcl_term list)
{
    gcl_items items;
    gcl_term item;
    uint32_t count = 0;
    if (gcl_items_begin(&items, list))
        while (gcl_items_next(&items, &item))
            count++;
    return count;
}

static bool is_in(gcl_term list, const char *node)
{
    gcl_items items;
    gcl_term item;
    gcl_bytes name;
    if (gcl_items_begin(&items, list))
        while (gcl_items_next(&items, &item))
            if (gcl_match(item, "~a", &name) &&
                gcl_str_is(gcl_str_make(name.bytes, name.size), node))
                return true;
    return false;
}

/* As there, where sorted lists are compared: in any order, and none twice, as here. */
static bool is_same(const struct gcl_node *node, gcl_term nodes)
{
    uint32_t count = count_nodes(node);
    if (count == 0 || count_items(nodes) != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!is_in(nodes, node->config.global_group[i]))
            return false;
    return true;
}

/* --- what others say ------------------------------------------------------------------------ */

/* Who asks waits for it as long as its node is connected. No node is dialled for it. */
static void answer(gcl_server *self, gcl_pid to, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    gcl_dest dest = gcl_to_pid(to);
    struct gcl_route route;
    int error = gcl_dest_route(node, &dest, &route);
    if (error == 0 && (route.peer == NULL || route.peer->up != NULL))
        gcl_server_owe(self, dest, message);
}

void gcl_global_group_refuse(gcl_server *self, const char *name)
{
    gcl_server_owe(self, gcl_to_remote("global_group", name),
                   GCL_MESSAGE("{disconnect_node, ~a}", gcl_node_name(gcl_server_at(self))));
}

/* A connected node by its name, or NULL: what it says of others is garbage. */
static const struct gcl_peer *find_connected(gcl_server *self, gcl_bytes name)
{
    const struct gcl_peer *peer =
        gcl_peer_find(gcl_server_at(self), gcl_str_make(name.bytes, name.size));
    return peer != NULL && peer->up != NULL && peer->is_visible ? peer : NULL;
}

static void exclude(gcl_server *self, const struct gcl_peer *peer)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    if (gns == NULL)
        return;
    gcl_gns_exclude(gns->machine, gcl_gns_now(gns), gcl_str_of(peer->text));
    gcl_gns_settle(gns);
}

static void include(gcl_server *self, const struct gcl_peer *peer)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    if (gns == NULL)
        return;
    gcl_gns_nodeup(gns->machine, gcl_gns_now(gns), gcl_str_of(peer->text), peer->is_beam);
    gcl_gns_settle(gns);
}

/* --- what they are asked -------------------------------------------------------------------- */

static void part_from(gcl_server *self, const struct gcl_peer *peer)
{
    exclude(self, peer);
    gcl_global_group_refuse(self, peer->text);
}

/* `user`: the name of the node. Without its answer it is as good as lost; without a server that
 * could say so, or with an error as the answer, it has no group. */
static gcl_result checked(gcl_server *self, int error, gcl_term nodes, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_str name = gcl_str_of(user);
    bool is_answered = error == 0 || error == GCL_ENOPROC;
    const struct gcl_peer *peer =
        is_answered ? find_connected(self, (gcl_bytes){name.bytes, name.size}) : NULL;
    if (peer != NULL && (error != 0 || !is_same(node, nodes)))
        part_from(self, peer);
    gcl_free(node->mem, user);
    return GCL_CONTINUE;
}

/* spec: global_group, nodeup_conf_check; by `rex`, which every release has. */
void gcl_global_group_ask(gcl_server *self, const char *name)
{
    struct gcl_node *node = gcl_server_at(self);
    if (count_nodes(node) == 0)
        return;
    char *copy = gcl_alloc_copy(node->mem, name, strlen(name) + 1);
    int error = copy != NULL
                    ? gcl_call_owed(self, gcl_to_remote("rex", name), checked, copy,
                                    GCL_MESSAGE("{call, global_group, get_own_nodes, [], user}"))
                    : GCL_ENOMEM;
    if (error == 0)
        return;
    gcl_free(node->mem, copy);
    (void)gcl_node_disconnect(node, name); /* it would take part unasked */
}

/* --- what others check ---------------------------------------------------------------------- */

static void check(gcl_server *self, gcl_term version, gcl_bytes name, gcl_term from, gcl_term nodes)
{
    const struct gcl_peer *other = find_connected(self, name);
    const char *me = gcl_node_name(gcl_server_at(self));
    uint32_t number;
    gcl_pid pid;
    if (other == NULL)
        return;
    bool is_ok = is_same(gcl_server_at(self), nodes);
    const char *verdict = is_ok ? "config_ok" : "config_error";
    if (is_ok)
        include(self, other);
    else
        part_from(self, other);
    if (gcl_match(version, "~u", &number) && number >= VERSION_PID) {
        if (gcl_match(from, "{~p, _}", &pid))
            answer(self, pid, GCL_MESSAGE("{~a, ~t, ~t, ~a}", verdict, version, from, me));
    } else {
        gcl_server_owe(self, gcl_to_remote("global_group_check", other->text),
                       GCL_MESSAGE("{~a, ~t, ~t, ~a}", verdict, version, from, me));
    }
}

/* --- searches of other groups --------------------------------------------------------------- */

static void tell_holder(gcl_server *self, gcl_pid user, gcl_term name)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    gcl_pid holder = {0};
    if (gns != NULL)
        (void)gcl_gns_holder(gns, GCL_MESSAGE("~t", name), &holder);
    if (gcl_pid_is_none(holder))
        answer(self, user, GCL_MESSAGE("{find_name_res, undefined}"));
    else
        answer(self, user, GCL_MESSAGE("{find_name_res, ~p}", holder));
}

static void tell_names(gcl_server *self, gcl_pid user)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    gcl_writer *names = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    if (names != NULL && gns != NULL && gcl_gns_list_all_names(gns, names) == 0)
        answer(self, user, GCL_MESSAGE("{registered_names_res, ~t}", gcl_writer_term(names)));
    else
        answer(self, user, GCL_MESSAGE("{registered_names_res, []}"));
    gcl_writer_free(names);
}

/* --- the server ----------------------------------------------------------------------------- */

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    gcl_pid asker;
    gcl_bytes name;
    gcl_term term, version, from, nodes;
    (void)user;
    if (gcl_match(message, "{find_name, ~p, ~t}", &asker, &term))
        tell_holder(self, asker, term);
    else if (gcl_match(message, "{registered_names, ~p}", &asker))
        tell_names(self, asker);
    else if (gcl_match(message, "{conf_check, ~t, ~a, ~t, sync, _, _, ~t}", &version, &name, &from,
                       &nodes) ||
             gcl_match(message, "{conf_check, ~t, ~a, ~t, sync, _, ~t}", &version, &name, &from,
                       &nodes))
        check(self, version, name, from, nodes);
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    gcl_bytes name;
    const struct gcl_peer *other;
    (void)user;
    if (gcl_match(message, "{disconnect_node, ~a}", &name) &&
        (other = find_connected(self, name)) != NULL)
        exclude(self, other);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {
    .size = sizeof(gcl_handlers), .handle_cast = handle_cast, .handle_info = handle_info};

int gcl_global_group_start(struct gcl_node *node)
{
    gcl_server_config config;
    gcl_server *server;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "global_group";
    return gcl_servers_start(node, GCL_SERVER_GROUP, &config, &server);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The three servers of `global`, and what reaches them. */
#include "server/global/gns.h"

#include <string.h>

#include "node/node.h"
#include "node/peer.h"
#include "server/caller.h"
#include "server/global/group.h"
#include "server/servers.h"

struct gcl_gns_service *gcl_gns_of(const struct gcl_node *node)
{
    struct gcl_gns_service *gns = node->servers->gns;
    return gns != NULL && gns->machine != NULL ? gns : NULL;
}

uint64_t gcl_gns_now(const struct gcl_gns_service *gns)
{
    return gcl_loop_now_ms(&gns->node->loop);
}

void gcl_gns_fail(struct gcl_gns_service *gns, const char *why)
{
    if (gns->node->is_closing)
        return;
    gcl_log(&gns->node->log, GCL_LOG_ERROR, "global", "the node closes: %s", why);
    gns->node->close_error = GCL_ENOMEM;
    gcl_node_close(gns->node);
}

/* --- the timer ------------------------------------------------------------------------------ */

static void set_timer(struct gcl_gns_service *gns)
{
    gcl_server *server = gns->servers[GCL_GNS_SERVER];
    uint64_t at_ms = gcl_gns_wake_at(gns->machine);
    uint64_t now_ms = gcl_gns_now(gns);
    if (at_ms == gns->timer_at_ms || server == NULL || server->is_ending)
        return;
    if (gns->timer != 0)
        (void)gcl_timer_cancel(server, gns->timer);
    gns->timer = 0;
    gns->timer_at_ms = at_ms;
    if (at_ms != GCL_NEVER &&
        gcl_timer_start(server, at_ms > now_ms ? at_ms - now_ms : 0, &gns->timer) != 0)
        gcl_gns_fail(gns, "no memory for a timer of global");
}

void gcl_gns_settle(struct gcl_gns_service *gns)
{
    struct gcl_gns_effect effect;
    while (gns->machine != NULL && gcl_gns_next(gns->machine, &effect))
        gcl_gns_carry_out(gns, &effect);
    if (gns->machine == NULL)
        return;
    if (gcl_gns_has_failed(gns->machine))
        gcl_gns_fail(gns, "no memory for global, without which other nodes would wait");
    set_timer(gns);
}

/* --- handlers ------------------------------------------------------------------------------- */

static uint64_t number_of(gcl_caller caller)
{
    return (uint64_t)caller.generation << 32 | caller.index;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct gcl_gns_service *gns = user;
    gcl_caller caller;
    (void)self;
    if (gns->machine == NULL)
        return GCL_CONTINUE;
    int error = gcl_caller_keep(from, &caller);
    if (error == GCL_ENOMEM)
        gcl_gns_fail(gns, "no memory for who calls global");
    if (error != 0)
        return GCL_CONTINUE;
    if (!gcl_gns_call(gns->machine, gcl_gns_now(gns), number_of(caller), gcl_from_pid(from),
                      request))
        gcl_caller_drop(gns->node, caller);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_gns_service *gns = user;
    (void)self;
    if (gns->machine == NULL)
        return GCL_CONTINUE;
    gcl_gns_cast(gns->machine, gcl_gns_now(gns), message);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_gns_service *gns = user;
    (void)self;
    if (gns->machine == NULL)
        return GCL_CONTINUE;
    gcl_gns_info(gns->machine, gcl_gns_now(gns), message);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    struct gcl_gns_service *gns = user;
    gcl_pid pid;
    (void)self;
    (void)ref;
    (void)reason;
    if (gns->machine == NULL || !gcl_match(what, "~p", &pid))
        return GCL_CONTINUE;
    gcl_gns_forget_monitor(gns, pid);
    gcl_gns_down(gns->machine, gcl_gns_now(gns), pid);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static void has_come(struct gcl_gns_service *gns, gcl_server *self, const struct gcl_peer *peer)
{
    if (!gcl_global_group_has(gns->node, peer->text)) {
        gcl_global_group_refuse(self, peer->text);
        return;
    }
    gcl_gns_nodeup(gns->machine, gcl_gns_now(gns), gcl_str_of(peer->text), peer->is_beam);
    gcl_global_group_ask(self, peer->text);
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    struct gcl_gns_service *gns = user;
    struct gcl_str node = gcl_str_of(name);
    const struct gcl_peer *peer = gcl_peer_find(gns->node, node);
    (void)reason;
    if (gns->machine == NULL)
        return GCL_CONTINUE;
    if (!is_up)
        gcl_gns_nodedown(gns->machine, gcl_gns_now(gns), node);
    else if (peer != NULL && peer->is_visible)
        has_come(gns, self, peer);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    struct gcl_gns_service *gns = user;
    (void)self;
    if (timer == gns->turn) {
        gns->turn = 0;
        gcl_gns_tell_outcomes(gns);
        return GCL_CONTINUE;
    }
    if (gns->machine == NULL || timer != gns->timer)
        return GCL_CONTINUE;
    gns->timer = 0;
    gns->timer_at_ms = GCL_NEVER;
    gcl_gns_woken(gns->machine, gcl_gns_now(gns));
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

/* Nobody who is gone may have left anything here. spec: sys:get_state/1; of a BEAM it is another */
static void write_state(gcl_server *self, gcl_writer *out, void *user)
{
    const struct gcl_gns_service *gns = user;
    struct gcl_gns_counts counts;
    if (gns->machine == NULL)
        return;
    gcl_gns_count(gns->machine, &counts);
    (void)gcl_write(out,
                    "[{names, ~u}, {locks, ~u}, {processes, ~u}, {nodes, ~u}, {known, ~u},"
                    " {sessions, ~u}, {questions, ~u}, {waiters, ~u}, {lost, ~u}, {callers, ~u},"
                    " {monitors, ~u}, {negotiating, ~a}]",
                    counts.names, counts.locks, counts.processes, counts.nodes, counts.known,
                    counts.sessions, counts.questions, counts.waiters, counts.lost,
                    gcl_list_length(&self->callers), gcl_table_count(&gns->monitors),
                    counts.is_negotiating);
}

/* The first of the three that ends takes the machine with it; what comes to the others until the
 * node has closed is for nobody. */
static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct gcl_gns_service *gns = user;
    (void)reason;
    for (int i = 0; i < GCL_GNS_ACTORS; i++)
        if (gns->servers[i] == self)
            gns->servers[i] = NULL;
    gcl_gns_free(gns->machine);
    gns->machine = NULL;
    gcl_gns_claims_fini(gns);
}

static const gcl_handlers server_handlers = {.size = sizeof(gcl_handlers),
                                             .handle_call = handle_call,
                                             .handle_cast = handle_cast,
                                             .handle_info = handle_info,
                                             .handle_down = handle_down,
                                             .handle_node = handle_node,
                                             .handle_timer = handle_timer,
                                             .terminate = terminate,
                                             .state = write_state};

/* The locker gets messages of nodes of version 5; the registrar none. */
static const gcl_handlers actor_handlers = {
    .size = sizeof(gcl_handlers), .handle_info = handle_info, .terminate = terminate};

/* --- life ----------------------------------------------------------------------------------- */

static int start_server(struct gcl_gns_service *gns, enum gcl_gns_actor actor)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = actor == GCL_GNS_SERVER ? &server_handlers : &actor_handlers;
    config.user = gns;
    config.name = actor == GCL_GNS_SERVER ? "global_name_server" : NULL;
    return gcl_servers_start(gns->node, GCL_SERVER_GLOBAL, &config, &gns->servers[actor]);
}

static int start_machine(struct gcl_gns_service *gns)
{
    struct gcl_gns_config config;
    gcl_gns_config_init(&config);
    config.mem = gns->node->mem;
    config.terms = &gns->node->terms;
    config.self = gcl_str_of(gns->node->name);
    config.answer_timeout_ms = 1000 * gns->node->config.net_ticktime_s;
    config.reports_lost_connections = gns->node->config.reports_lost_connections;
    for (int i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = gcl_self(gns->servers[i]);
    if (!gcl_node_random(gns->node, config.seed, sizeof config.seed) ||
        !gcl_node_random(gns->node, &config.incarnation, sizeof config.incarnation))
        return GCL_ESYS;
    return gcl_gns_new(&config, &gns->machine);
}

int gcl_gns_start(struct gcl_node *node)
{
    struct gcl_gns_service *gns = gcl_alloc_zero(node->mem, sizeof *gns);
    if (gns == NULL)
        return GCL_ENOMEM;
    gns->node = node;
    gns->timer_at_ms = GCL_NEVER;
    gcl_table_init(&gns->monitors, node->mem);
    gcl_table_init(&gns->owners, node->mem);
    gcl_table_init(&gns->claims, node->mem);
    gcl_table_init(&gns->waits, node->mem);
    gcl_list_init(&gns->claimed);
    gcl_list_init(&gns->waiting);
    gcl_list_init(&gns->outcomes);
    node->servers->gns = gns;
    int error = 0;
    for (int i = 0; i < GCL_GNS_ACTORS && error == 0; i++)
        error = start_server(gns, (enum gcl_gns_actor)i);
    if (error == 0)
        error = start_machine(gns);
    if (error == 0)
        gcl_monitor_nodes(gns->servers[GCL_GNS_SERVER], true);
    return error;
}

void gcl_gns_finish(struct gcl_node *node)
{
    struct gcl_gns_service *gns = node->servers->gns;
    if (gns == NULL)
        return;
    gcl_gns_free(gns->machine);
    gcl_gns_monitors_fini(gns);
    gcl_table_fini(&gns->owners);
    gcl_table_fini(&gns->claims);
    gcl_table_fini(&gns->waits);
    gcl_free(node->mem, gns);
    node->servers->gns = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host of the own name as an address, by the resolver; the port that epmd of that host has for
 * it; a connection to there, which has to come out at our own listener. Each step has as much time
 * as one of dialling.
 */
#include "node/reach.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/node.h"

enum { TEXT_BYTES = 512 };

static struct gcl_node *node_of(struct gcl_reach *reach)
{
    return GCL_CONTAINER_OF(reach, struct gcl_node, reach);
}

/* --- outcomes ------------------------------------------------------------------------------- */

static void is_unreachable(struct gcl_node *node, const char *format, ...) GCL_PRINTF(2, 3);

static void is_unreachable(struct gcl_node *node, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    gcl_reach_cancel(node);
    if (node->reach.was_told)
        return;
    node->reach.was_told = true;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gcl_log(&node->log, GCL_LOG_WARNING, "unreachable", "others cannot dial %s: %s", node->name,
            text);
}

static void is_reachable(struct gcl_node *node)
{
    char where[GCL_ADDRESS_TEXT_BYTES];
    gcl_address_print(&node->reach.address, where);
    gcl_reach_cancel(node);
    gcl_log(&node->log, GCL_LOG_INFO, "reachable", "others find %s at %s", node->name, where);
}

/* Not the fault of anybody's configuration: nothing can be said. */
static void is_unknown(struct gcl_node *node)
{
    gcl_reach_cancel(node);
    gcl_log(&node->log, GCL_LOG_ERROR, "unreachable",
            "no memory to find out whether others can dial this node");
}

/* --- is it us? ------------------------------------------------------------------------------ */

static void await(struct gcl_node *node, enum gcl_reach_state state)
{
    node->reach.state = state;
    if (gcl_loop_set(&node->loop, &node->reach.deadline,
                     gcl_loop_now_ms(&node->loop) + node->config.setup_timeout_ms) != 0)
        is_unknown(node);
}

static void on_probed(struct gcl_probe *probe, int error)
{
    struct gcl_reach *reach = GCL_CONTAINER_OF(probe, struct gcl_reach, probe);
    struct gcl_node *node = node_of(reach);
    char where[GCL_ADDRESS_TEXT_BYTES];
    gcl_address_print(&reach->address, where);
    if (error != 0)
        is_unreachable(node,
                       "expected it to listen at %s, which is where they look for it, found: %s; "
                       "let it listen on that address, or on all, or change the host of its name",
                       where, strerror(error));
    else if (reach->was_seen)
        is_reachable(node);
    else
        await(node, GCL_REACH_AWAITING);
}

static void probe(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    reach->state = GCL_REACH_PROBING;
    if (gcl_probe_start(&reach->probe, &reach->address, node->config.setup_timeout_ms) != 0)
        is_unknown(node);
}

bool gcl_reach_accepted(struct gcl_node *node, int fd)
{
    struct gcl_reach *reach = &node->reach;
    bool is_open = reach->state == GCL_REACH_PROBING || reach->state == GCL_REACH_AWAITING;
    if (!is_open || !gcl_probe_is_other_end(&reach->probe, fd))
        return false;
    (void)close(fd);
    reach->was_seen = true;
    if (reach->state == GCL_REACH_AWAITING)
        is_reachable(node);
    return true;
}

/* --- epmd ----------------------------------------------------------------------------------- */

static void on_found(struct gcl_epmd_lookup *lookup, int error, uint16_t port, const char *detail)
{
    struct gcl_reach *reach = GCL_CONTAINER_OF(lookup, struct gcl_reach, lookup);
    struct gcl_node *node = node_of(reach);
    uint16_t own = gcl_listener_port(&node->listener);
    char where[GCL_ADDRESS_TEXT_BYTES];
    struct gcl_address epmd = reach->address;
    gcl_address_set_port(&epmd, gcl_address_port(&node->epmd));
    gcl_address_print(&epmd, where);
    gcl_address_set_port(&reach->address, own);
    reach->state = GCL_REACH_IDLE;
    if (error != 0)
        is_unreachable(node,
                       "expected epmd at %s, where they ask for it, to know it, found: %s; let "
                       "epmd there listen on that address, or change the host of its name",
                       where, detail);
    else if (port != own)
        is_unreachable(node,
                       "expected epmd at %s to have it at port %u, found port %u: another node "
                       "has this name there; change the name",
                       where, own, port);
    else
        probe(node);
}

static void look_up(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    struct gcl_address epmd = reach->address;
    struct gcl_str alive = gcl_str_make(node->name, strcspn(node->name, "@"));
    if (node->config.no_epmd) {
        gcl_address_set_port(&reach->address, gcl_listener_port(&node->listener));
        probe(node);
        return;
    }
    gcl_address_set_port(&epmd, gcl_address_port(&node->epmd));
    if (gcl_epmd_lookup_start(&reach->lookup, &node->loop, node->mem, &epmd, alive,
                              node->config.setup_timeout_ms, on_found) == 0)
        reach->state = GCL_REACH_LOOKING_UP;
    else
        is_unknown(node);
}

/* --- the host ------------------------------------------------------------------------------- */

static void no_host(struct gcl_node *node, const char *what)
{
    is_unreachable(node,
                   "expected an address for the host `%s` of its name, found %s; give it a host "
                   "that others can resolve, or an address",
                   node->host, what);
}

static void on_resolved(struct gcl_resolving *resolving, const struct gcl_address *address)
{
    struct gcl_reach *reach = GCL_CONTAINER_OF(resolving, struct gcl_reach, resolving);
    gcl_loop_cancel(&node_of(reach)->loop, &reach->deadline);
    reach->state = GCL_REACH_IDLE;
    if (address == NULL) {
        no_host(node_of(reach), "none");
        return;
    }
    reach->address = *address;
    look_up(node_of(reach));
}

static void on_deadline(struct gcl_deadline *deadline)
{
    struct gcl_reach *reach = GCL_CONTAINER_OF(deadline, struct gcl_reach, deadline);
    char where[GCL_ADDRESS_TEXT_BYTES];
    gcl_address_print(&reach->address, where);
    if (reach->state == GCL_REACH_RESOLVING)
        no_host(node_of(reach), "none in time");
    else
        is_unreachable(node_of(reach),
                       "expected to find it at %s, found another program there; let it listen on "
                       "that address, or on all, or change the host of its name",
                       where);
}

void gcl_reach_init(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    reach->resolving.resolved = on_resolved;
    gcl_probe_init(&reach->probe, &node->loop, on_probed);
    gcl_deadline_init(&reach->deadline, on_deadline);
}

void gcl_reach_begin(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    if (reach->is_begun || node->config.hidden || node->listener.fd < 0 || node->is_closing)
        return;
    reach->is_begun = true;
    if (gcl_address_parse(node->host, 0, &reach->address))
        look_up(node);
    else if (gcl_resolver_start(node->resolver, node->host, &reach->resolving) == 0)
        await(node, GCL_REACH_RESOLVING);
    else
        is_unknown(node);
}

void gcl_reach_cancel(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    if (reach->state == GCL_REACH_RESOLVING)
        gcl_resolver_cancel(node->resolver, &reach->resolving);
    if (reach->state == GCL_REACH_LOOKING_UP)
        gcl_epmd_lookup_cancel(&reach->lookup);
    if (reach->state == GCL_REACH_PROBING)
        gcl_probe_cancel(&reach->probe);
    gcl_loop_cancel(&node->loop, &reach->deadline);
    reach->state = GCL_REACH_IDLE;
}

/* Without epmd nobody says that the node is registered. */
void gcl_reach_again(struct gcl_node *node)
{
    struct gcl_reach *reach = &node->reach;
    if (reach->state == GCL_REACH_IDLE)
        return;
    gcl_reach_cancel(node);
    reach->is_begun = reach->was_seen = false;
    if (node->config.no_epmd)
        gcl_reach_begin(node);
}

/* --- who is connected ----------------------------------------------------------------------- */

const char *gcl_reach_judge(const struct gcl_address *listening, const char *host,
                            const struct gcl_address *local, const struct gcl_address *remote)
{
    struct gcl_address named;
    if (gcl_address_is_loopback(local) || gcl_address_is_same_host(local, remote))
        return NULL;
    if (gcl_address_is_loopback(listening))
        return "it listens on an address that only this host can use, and a node of another host "
               "is connected; let it listen on another address, or on all";
    if (gcl_address_parse(host, 0, &named) && gcl_address_is_loopback(&named))
        return "the host of its name is an address that only this host can use, and a node of "
               "another host is connected; give it a name that others can use";
    return NULL;
}

void gcl_reach_connected(struct gcl_node *node, const struct gcl_connection *connection)
{
    struct gcl_address listening, local, remote;
    if (node->config.hidden || node->reach.was_told ||
        !gcl_listener_address(&node->listener, &listening) ||
        !gcl_connection_ends(connection, &local, &remote))
        return;
    const char *why = gcl_reach_judge(&listening, node->host, &local, &remote);
    if (why != NULL)
        is_unreachable(node, "%s", why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine of global says, carried out. */
#include "node/dest.h"
#include "node/message.h"
#include "node/node.h"
#include "server/call.h"
#include "server/global/gns.h"
#include "server/global/group.h"

static const char server_name[] = "global_name_server";

/* A node's name as a terminated text; empty: no node can have it. */
struct place {
    char text[GCL_NODE_NAME_MAX_BYTES + 1];
};

static const char *text_of(struct place *place, struct gcl_str name)
{
    (void)gcl_str_terminate(name, place->text, sizeof place->text);
    return place->text;
}

/* --- messages ------------------------------------------------------------------------------- */

/* Never connects: who is not there is told everything when he comes. What cannot be taken, though
 * it is owed, would be missed for ever: the connection ends. */
static void send_term(struct gcl_gns_service *gns, const gcl_dest *dest, gcl_term term)
{
    struct gcl_route route;
    gcl_message message = GCL_MESSAGE("~t", term);
    int error = gcl_dest_route(gns->node, dest, &route);
    if (error != 0 || route.peer == NULL || route.peer->up == NULL)
        return;
    (void)gcl_message_begin(gns->node);
    error = gcl_message_answer(gns->node, gcl_self(gns->servers[GCL_GNS_SERVER]), &route.target,
                               &message);
    if (error != 0)
        gcl_peer_disconnect(route.peer, "a message of global could not be sent");
}

static gcl_result answered(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    if (gns == NULL)
        return GCL_CONTINUE;
    gcl_gns_answered(gns->machine, gcl_gns_now(gns), (uintptr_t)user, error, term);
    gcl_gns_settle(gns);
    return GCL_CONTINUE;
}

static void failed(struct gcl_gns_service *gns, uint64_t number, int error)
{
    gcl_gns_answered(gns->machine, gcl_gns_now(gns), number, error,
                     gcl_term_make(&gns->node->terms, NULL, 0));
}

static void call(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect)
{
    struct place node;
    gcl_server *asker = gcl_server_of(gns->node, effect->pid);
    int error = GCL_ECLOSED;
    if (asker != NULL)
        error =
            gcl_call_owed(asker, gcl_to_remote(server_name, text_of(&node, effect->node)), answered,
                          (void *)(uintptr_t)effect->number, GCL_MESSAGE("~t", effect->term));
    if (error != 0)
        failed(gns, effect->number, error);
}

static void reply(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect)
{
    gcl_caller caller = {(uint32_t)effect->number, (uint32_t)(effect->number >> 32)};
    int error = gcl_reply_later(gns->node, caller, "~t", effect->term);
    gcl_caller_drop(gns->node, caller); /* it is not answered a second time */
    /* A process that no connection leads to does not wait as others would: it has no monitor. */
    if (error == GCL_ENOMEM)
        gcl_gns_fail(gns, "an answer of global, for which other nodes wait, could not be sent");
}

/* --- monitors ------------------------------------------------------------------------------- */

static bool is_of(const void *item, const void *key)
{
    const struct gcl_gns_monitor *monitor = item;
    return gcl_pid_equal(monitor->pid, *(const gcl_pid *)key);
}

static uint32_t hash_pid(const struct gcl_gns_service *gns, gcl_pid pid)
{
    const uint32_t words[4] = {pid.node, pid.generation, pid.id, pid.serial};
    return gcl_hash(gns->node->seed, words, sizeof words);
}

static void monitor(struct gcl_gns_service *gns, gcl_pid pid)
{
    struct gcl_gns_monitor *monitor = gcl_alloc_zero(gns->node->mem, sizeof *monitor);
    if (monitor == NULL || gcl_table_add(&gns->monitors, hash_pid(gns, pid), monitor) != 0) {
        gcl_free(gns->node->mem, monitor);
        gcl_gns_fail(gns, "no memory for a monitor of global");
        return;
    }
    monitor->pid = pid;
    if (gcl_monitor(gns->servers[GCL_GNS_SERVER], gcl_to_pid(pid), &monitor->ref) != 0) {
        gcl_gns_forget_monitor(gns, pid);
        gcl_gns_down(gns->machine, gcl_gns_now(gns), pid); /* unwatched: it counts for dead */
    }
}

static void demonitor(struct gcl_gns_service *gns, gcl_pid pid)
{
    const struct gcl_gns_monitor *monitor =
        gcl_table_find(&gns->monitors, hash_pid(gns, pid), is_of, &pid);
    if (monitor == NULL)
        return;
    (void)gcl_demonitor(gns->servers[GCL_GNS_SERVER], monitor->ref);
    gcl_gns_forget_monitor(gns, pid);
}

void gcl_gns_forget_monitor(struct gcl_gns_service *gns, gcl_pid pid)
{
    gcl_free(gns->node->mem, gcl_table_remove(&gns->monitors, hash_pid(gns, pid), is_of, &pid));
}

void gcl_gns_monitors_fini(struct gcl_gns_service *gns)
{
    void *monitor;
    size_t position = 0;
    while ((monitor = gcl_table_each(&gns->monitors, &position)) != NULL)
        gcl_free(gns->node->mem, monitor);
    gcl_table_fini(&gns->monitors);
}

/* --- connections ---------------------------------------------------------------------------- */

/* A node that is connected but hidden takes no part. */
static void connected(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    struct gcl_gns_service *gns = gcl_gns_of(node);
    const struct gcl_peer *peer = gcl_peer_find(node, gcl_str_of(name));
    (void)detail;
    (void)user;
    if (gns == NULL || (error == 0 && peer != NULL && peer->is_visible))
        return;
    gcl_gns_connect_failed(gns->machine, gcl_gns_now(gns), gcl_str_of(name));
    gcl_gns_settle(gns);
}

static void connect_to(struct gcl_gns_service *gns, struct gcl_str name)
{
    struct place node;
    if (!gcl_global_group_has(gns->node, text_of(&node, name)) ||
        gcl_node_connect(gns->node, node.text, connected, NULL) != 0)
        gcl_gns_connect_failed(gns->machine, gcl_gns_now(gns), name);
}

/* --- conflicts ------------------------------------------------------------------------------ */

/* A function of the program may be called, which may call the machine: a copy outlives that. */
static void resolve_here(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect)
{
    struct gcl_str term = {NULL, 0};
    gcl_pid winner = {0};
    gcl_term arguments;
    int error = gcl_term_copy(effect->term, &arguments);
    if (error == 0)
        error = gcl_gns_resolve(gns->servers[GCL_GNS_SERVER], arguments, &winner);
    gcl_term_free(arguments);
    gcl_message one = GCL_MESSAGE("~p", winner);
    gcl_message none = GCL_MESSAGE("none");
    if (error == 0)
        error = gcl_message_build(gns->node, gcl_pid_is_none(winner) ? &none : &one, &term);
    gcl_gns_answered(gns->machine, gcl_gns_now(gns), effect->number, error,
                     gcl_term_make(&gns->node->terms, term.bytes, term.size));
}

/* By `rex`, which every release has. spec: rpc, {call, M, F, A, Gleader} */
static void resolve(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect)
{
    struct place node;
    if (gcl_str_is(effect->node, gns->node->name)) {
        resolve_here(gns, effect);
        return;
    }
    int error = gcl_call_owed(gns->servers[GCL_GNS_SERVER],
                              gcl_to_remote("rex", text_of(&node, effect->node)), answered,
                              (void *)(uintptr_t)effect->number,
                              GCL_MESSAGE("{call, global, resolve_it, ~t, user}", effect->term));
    if (error != 0)
        failed(gns, effect->number, error);
}

/* --- all of them ---------------------------------------------------------------------------- */

void gcl_gns_carry_out(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect)
{
    struct place node;
    gcl_dest dest;
    switch (effect->kind) {
    case GCL_GNS_SEND:
        dest = gcl_to_remote(server_name, text_of(&node, effect->node));
        send_term(gns, &dest, effect->term);
        break;
    case GCL_GNS_SEND_PID:
        dest = gcl_to_pid(effect->pid);
        send_term(gns, &dest, effect->term);
        break;
    case GCL_GNS_CALL:
        call(gns, effect);
        break;
    case GCL_GNS_REPLY:
        reply(gns, effect);
        break;
    case GCL_GNS_MONITOR:
        monitor(gns, effect->pid);
        break;
    case GCL_GNS_DEMONITOR:
        demonitor(gns, effect->pid);
        break;
    case GCL_GNS_CONNECT:
        connect_to(gns, effect->node);
        break;
    case GCL_GNS_DISCONNECT:
        (void)gcl_node_disconnect(gns->node, text_of(&node, effect->node));
        break;
    case GCL_GNS_RESOLVE:
        resolve(gns, effect);
        break;
    case GCL_GNS_DONE:
        gcl_gns_request_done(gns, effect->number, effect->error);
        break;
    case GCL_GNS_LOST:
        gcl_gns_name_lost(gns, effect->term, effect->pid);
        break;
    case GCL_GNS_LOG:
        gcl_log(&gns->node->log, effect->level, "global", "%s%s%s", text_of(&node, effect->node),
                effect->node.size > 0 ? " " : "", effect->text);
        break;
    }
}

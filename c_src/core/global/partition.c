/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that leave the partition, by themselves or because others have lost them: partitions must
 * not overlap. What others report is passed on and obeyed. A BEAM that we have lost reports us, and
 * then it is we alone who have to go: that we have lost it is reported only if the config says so.
 * Other nodes like this one do the same, so that two of them have to report each other.
 * spec: global, "Prevent Overlapping Partitions Algorithm", handle_nodedown
 */
#include "core/global/machine.h"

/* Incarnations are integers of some 128 bits, numbers of fewer. */
enum { LOST_MAX = 4096, LOST_KEPT_MS = 60 * 60 * 1000, INTEGER_MAX_BYTES = 64 };

/* --- leaving -------------------------------------------------------------------------------- */

static void tell_others(struct gcl_gns *gns, const struct gcl_gns_node *but, gcl_message message)
{
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (node != but && (node->is_known || node->is_pending) &&
            node->version >= GCL_GNS_VERSION_POP)
            gcl_gns_send(gns, node, message);
    }
}

static void report(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    gcl_bytes lost = {node->name.bytes, node->name.size};
    tell_others(gns, node,
                GCL_MESSAGE("{lost_connection, ~a, ~u, ~i, ~a}", self, gns->config.incarnation,
                            ++gns->last_tag, lost));
}

/* Names of the lost node may be among those that somebody was sent to compare his with: he would
 * keep them, and nobody else. Who has been told whom we know is told of the loss, too. */
static bool is_exchanging(const struct gcl_gns_node *node)
{
    return node->session.is_lock_set && !node->session.has_ops &&
           node->session.version >= GCL_GNS_VERSION_VERIFY;
}

/* What ends with a session may free other nodes. */
static void restart_exchanges(struct gcl_gns *gns)
{
    struct gcl_gns_nodes nodes = {0};
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (is_exchanging(node))
            gcl_gns_set_add(gns, &nodes, node);
    }
    for (size_t i = 0; i < nodes.count; i++)
        if (is_exchanging(nodes.items[i]))
            gcl_gns_session_restart(gns, nodes.items[i]);
    gcl_gns_set_fini(gns, &nodes);
}

static bool is_reported(const struct gcl_gns *gns, const struct gcl_gns_node *node)
{
    return (node->is_known || node->is_pending) &&
           (node->is_c_node || gns->config.reports_lost_connections);
}

void gcl_gns_lose(struct gcl_gns *gns, struct gcl_gns_node *node, enum gcl_gns_loss loss)
{
    gcl_gns_session_cancel(gns, node);
    gcl_gns_session_reset(gns, node);
    if (loss == GCL_GNS_LOSS_REMOVED) {
        node->is_removing = node->is_up; /* else no end of a connection is to be awaited */
        gcl_gns_watches_lose(gns, node);
    } else if (node->is_removing) {
        node->is_removing = false;
    } else if (is_reported(gns, node)) {
        report(gns, node);
    }
    bool was_known = node->is_known;
    node->is_known = node->is_pending = node->is_synced = node->is_new = false;
    node->patience_ms = 0;
    gcl_gns_check_step(gns, node);
    gcl_gns_sync_done(gns, node);
    if (was_known)
        restart_exchanges(gns);
}

void gcl_gns_nodedown(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name)
{
    gns->now_ms = now_ms;
    struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    if (node == NULL || (!node->is_up && !node->is_excluded))
        return;
    gcl_gns_node_hold(node);
    node->is_excluded = false;
    bool is_redialled = node->is_redialled;
    node->is_up = node->is_redialled = false;
    gcl_gns_trans_lose(gns, &gns->locker.trans, node);
    gcl_gns_trans_lose(gns, &gns->registrar.trans, node);
    gcl_gns_lose(gns, node, GCL_GNS_LOSS_DISCONNECTED);
    if (is_redialled)
        gcl_gns_connect(gns, node);
    gcl_gns_node_release(gns, node);
}

/* What he does from now on, and the end of the connection, are of no interest. spec: global,
 * group_nodedown */
void gcl_gns_exclude(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name)
{
    gns->now_ms = now_ms;
    struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    if (node == NULL || !node->is_up)
        return;
    gcl_gns_node_hold(node);
    node->is_up = node->is_redialled = false; /* before: the end of the connection is not awaited */
    gcl_gns_lose(gns, node, GCL_GNS_LOSS_REMOVED);
    node->is_excluded = true;
    gcl_gns_log(gns, GCL_LOG_NOTICE, node->name,
                "is not of the same group of nodes: it takes no part in global here");
    gcl_gns_node_release(gns, node);
}

/* --- reports -------------------------------------------------------------------------------- */

/* The last report of `from`, in one incarnation, about `other`. Those of an earlier incarnation are
 * known on: else two that are on their way at a time would replace each other here and there, and
 * be passed on for ever. */
struct lost {
    struct gcl_list at_gns;
    gcl_term from, other, incarnation; /* owned */
    int64_t number;
    uint64_t until_ms;
};

static void free_lost(struct gcl_gns *gns, struct lost *lost)
{
    gcl_list_remove(&lost->at_gns);
    gns->lost_count--;
    gcl_gns_forget(&lost->from);
    gcl_gns_forget(&lost->other);
    gcl_gns_forget(&lost->incarnation);
    gcl_free(gns->config.mem, lost);
}

static struct lost *lost_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct lost, at_gns);
}

void gcl_gns_partition_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->lost)) != NULL)
        free_lost(gns, lost_at(at));
}

static struct lost *find_lost(struct gcl_gns *gns, gcl_term from, gcl_term incarnation,
                              gcl_term other)
{
    struct lost *found = NULL;
    GCL_LIST_EACH(&gns->lost, at, following)
    {
        struct lost *lost = lost_at(at);
        if (lost->until_ms <= gns->now_ms)
            free_lost(gns, lost);
        else if (gcl_term_equal(lost->from, from) && gcl_term_equal(lost->other, other) &&
                 gcl_term_equal(lost->incarnation, incarnation))
            found = lost;
    }
    return found;
}

static struct lost *new_lost(struct gcl_gns *gns, gcl_term from, gcl_term incarnation,
                             gcl_term other)
{
    struct lost *lost = gcl_alloc_zero(gns->config.mem, sizeof *lost);
    if (lost == NULL) {
        gns->has_failed = true;
        return NULL;
    }
    if (gns->lost_count >= LOST_MAX)
        free_lost(gns, lost_at(gcl_list_first(&gns->lost)));
    gcl_list_init(&lost->at_gns);
    gcl_list_add_last(&gns->lost, &lost->at_gns);
    gns->lost_count++;
    gcl_gns_keep(gns, &lost->from, from);
    gcl_gns_keep(gns, &lost->incarnation, incarnation);
    gcl_gns_keep(gns, &lost->other, other);
    return lost;
}

/* He closes the connection; those who are too old to be asked are disconnected. */
static void send_away(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    gcl_gns_node_hold(node);
    gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                "is asked to leave, lest partitions overlap: another node has lost it");
    if (node->version < GCL_GNS_VERSION_POP)
        gcl_gns_disconnect(gns, node);
    else
        gcl_gns_send(gns, node, GCL_MESSAGE("{remove_connection, ~a}", self));
    gcl_gns_lose(gns, node, GCL_GNS_LOSS_REMOVED);
    gcl_gns_node_release(gns, node);
}

void gcl_gns_on_lost_connection(struct gcl_gns *gns, gcl_term message)
{
    gcl_term from, incarnation, other;
    gcl_bytes from_name, other_name;
    int64_t number;
    if (!gcl_match(message, "{_, ~t, ~t, ~i, ~t}", &from, &incarnation, &number, &other) ||
        !gcl_match(from, "~a", &from_name) || !gcl_match(other, "~a", &other_name) ||
        incarnation.size > INTEGER_MAX_BYTES)
        return; /* it is kept, and passed on to everybody, once: by its number it is known again */
    struct lost *lost = find_lost(gns, from, incarnation, other);
    if (lost != NULL && number <= lost->number)
        return;
    struct gcl_gns_node *sender =
        gcl_gns_node_find(gns, gcl_str_make(from_name.bytes, from_name.size));
    tell_others(gns, sender, GCL_MESSAGE("~t", message));
    if (lost == NULL)
        lost = new_lost(gns, from, incarnation, other);
    if (lost == NULL)
        return;
    lost->until_ms = gns->now_ms + LOST_KEPT_MS;
    lost->number = number;
    struct gcl_gns_node *gone =
        gcl_gns_node_find(gns, gcl_str_make(other_name.bytes, other_name.size));
    if (gone == gns->self)
        gone = sender;
    if (gone != NULL && (gone->is_known || gone->is_pending))
        send_away(gns, gone);
}

/* Also when this node has asked the other one to leave: where both only ask, nobody goes. OTP does
 * not do so, and two of its nodes can stay connected without ever getting in sync. */
void gcl_gns_on_remove_connection(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (!node->is_known && !node->is_pending && !node->is_removing)
        return;
    gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                "has asked this node to leave, lest partitions overlap: disconnected");
    gcl_gns_disconnect(gns, node);
    gcl_gns_lose(gns, node, GCL_GNS_LOSS_REMOVED);
}

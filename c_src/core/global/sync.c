/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for others to be in sync, and telling others that this node is. spec: global, sync/1,
 * sync_other */
#include "core/global/machine.h"

struct waiter {
    struct gcl_list at_gns;
    uint64_t number;
    bool is_own;  /* a request of this node, not a call */
    size_t bytes; /* ... as they count */
    struct gcl_gns_nodes nodes;
};

static void free_waiter(struct gcl_gns *gns, struct waiter *waiter)
{
    gcl_list_remove(&waiter->at_gns);
    if (waiter->is_own)
        gcl_gns_request_ends(gns, waiter->bytes);
    else
        gns->waiter_count--;
    gcl_gns_set_fini(gns, &waiter->nodes);
    gcl_free(gns->config.mem, waiter);
}

static bool is_to_come(const struct gcl_gns *gns, const struct gcl_gns_node *node)
{
    return node != NULL && node != gns->self && !node->is_synced && (node->is_up || node->is_new);
}

static void reply_if_done(struct gcl_gns *gns, struct waiter *waiter)
{
    if (waiter->nodes.count > 0)
        return;
    if (waiter->is_own)
        gcl_gns_done(gns, waiter->number, 0);
    else
        gcl_gns_reply(gns, waiter->number, GCL_MESSAGE("ok"));
    free_waiter(gns, waiter);
}

static struct waiter *new_waiter(struct gcl_gns *gns, uint64_t number)
{
    struct waiter *waiter = gcl_alloc_zero(gns->config.mem, sizeof *waiter);
    if (waiter == NULL)
        return NULL;
    waiter->number = number;
    gcl_list_init(&waiter->at_gns);
    gcl_list_add_last(&gns->waiters, &waiter->at_gns);
    return waiter;
}

/* A node that is not connected is nobody to wait for. */
bool gcl_gns_sync(struct gcl_gns *gns, uint64_t number, gcl_term nodes)
{
    gcl_items items;
    gcl_term item;
    struct gcl_str name;
    uint32_t version;
    if (gns->waiter_count >= gns->config.max_waiters)
        return false;
    struct waiter *waiter = new_waiter(gns, number);
    if (waiter == NULL) {
        gns->has_failed = true;
        return false;
    }
    gns->waiter_count++;
    for (bool is_begun = gcl_items_begin(&items, nodes);
         is_begun && gcl_items_next(&items, &item);) {
        struct gcl_gns_node *node =
            gcl_gns_read_node(item, &name, &version) ? gcl_gns_node_find(gns, name) : NULL;
        if (is_to_come(gns, node) && !gcl_gns_set_has(&waiter->nodes, node))
            gcl_gns_set_add(gns, &waiter->nodes, node);
    }
    reply_if_done(gns, waiter);
    return true;
}

int gcl_gns_sync_all(struct gcl_gns *gns, uint64_t now_ms, uint64_t number)
{
    gns->now_ms = now_ms;
    size_t bytes = gcl_table_count(&gns->nodes) * sizeof(struct gcl_gns_node *);
    if (!gcl_gns_request_begins(gns, bytes))
        return GCL_ELIMIT;
    struct waiter *waiter = new_waiter(gns, number);
    if (waiter == NULL) {
        gcl_gns_request_ends(gns, bytes);
        return GCL_ENOMEM;
    }
    waiter->is_own = true;
    waiter->bytes = bytes;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (is_to_come(gns, node))
            gcl_gns_set_add(gns, &waiter->nodes, node);
    }
    reply_if_done(gns, waiter);
    return 0;
}

void gcl_gns_sync_done(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_gns_node_hold(node);
    GCL_LIST_EACH(&gns->waiters, at, following)
    {
        struct waiter *waiter = GCL_CONTAINER_OF(at, struct waiter, at_gns);
        gcl_gns_set_remove(gns, &waiter->nodes, node);
        reply_if_done(gns, waiter);
    }
    gcl_gns_node_release(gns, node);
}

void gcl_gns_sync_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->waiters)) != NULL)
        free_waiter(gns, GCL_CONTAINER_OF(at, struct waiter, at_gns));
}

/* --- others --------------------------------------------------------------------------------- */

static void send_in_sync(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    node->is_new = false;
    gcl_gns_send(gns, node, GCL_MESSAGE("{'$gen_cast', {in_sync, ~a, true}}", self));
}

void gcl_gns_sync_other(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (node->is_up) {
        send_in_sync(gns, node);
    } else if (!node->is_new) {
        node->is_new = true;
        gcl_gns_connect(gns, node);
    }
}

/* --- out of step ---------------------------------------------------------------------------- */

void gcl_gns_check_step(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (!node->is_up || node->is_known == node->is_synced) {
        node->in_step_by_ms = GCL_NEVER;
    } else if (node->in_step_by_ms == GCL_NEVER) {
        node->in_step_by_ms = gns->now_ms + gns->config.step_timeout_ms;
        if (node->in_step_by_ms < gns->step_at_ms)
            gns->step_at_ms = node->in_step_by_ms;
    }
}

void gcl_gns_sync_woken(struct gcl_gns *gns)
{
    gns->step_at_ms = GCL_NEVER;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (node->in_step_by_ms <= gns->now_ms) {
            gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                        "was not told of this node, or this one not of it: it is dialled anew");
            node->in_step_by_ms = GCL_NEVER;
            node->is_redialled = true;
            gcl_gns_disconnect(gns, node);
        } else if (node->in_step_by_ms < gns->step_at_ms) {
            gns->step_at_ms = node->in_step_by_ms;
        }
    }
}

void gcl_gns_nodeup(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name, bool is_beam)
{
    gns->now_ms = now_ms;
    struct gcl_gns_node *node = gcl_gns_node_of(gns, name);
    if (node == NULL || node->is_up || node == gns->self)
        return;
    node->is_up = true;
    node->is_excluded = false;
    node->is_c_node = !is_beam;
    gcl_gns_end_doubts(gns, node);
    gcl_gns_check_step(gns, node);
    if (node->is_new)
        send_in_sync(gns, node);
    gcl_gns_session_begin(gns, node);
}

void gcl_gns_connect_failed(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name)
{
    gns->now_ms = now_ms;
    struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    if (node == NULL || node->is_up || !node->is_new)
        return;
    gcl_gns_node_hold(node);
    node->is_new = false;
    gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                "is of the same partition, but could not be connected");
    gcl_gns_lose(gns, node, GCL_GNS_LOSS_DISCONNECTED);
    gcl_gns_node_release(gns, node);
}

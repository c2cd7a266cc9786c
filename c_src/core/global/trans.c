/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock on many nodes, stage by stage: the next stage begins when all nodes of the last one have
 * agreed. When one refuses, those that have agreed are freed again. spec: global,
 * lock_nodes_safely, set_lock_known, delete_global_lock
 */
#include "core/global/machine.h"

static void run_stage(struct gcl_gns *gns, struct gcl_gns_trans *trans);

static struct gcl_gns_trans *trans_of(struct gcl_gns_multicall *call)
{
    return GCL_CONTAINER_OF(call, struct gcl_gns_trans, call);
}

/* --- unlocking ------------------------------------------------------------------------------ */

static void is_unlocked(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    struct gcl_gns_trans *trans = trans_of(call);
    bool is_undone = trans->state == GCL_GNS_TRANS_UNDOING;
    trans->state = GCL_GNS_TRANS_IDLE;
    gcl_gns_set_clear(gns, &trans->locked);
    gcl_gns_set_clear(gns, &trans->asked);
    gcl_gns_set_clear(gns, &call->agreed);
    if (is_undone)
        trans->locked_or_not(gns, trans, false);
    else
        trans->unlocked(gns, trans);
}

static void unlock(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                   const struct gcl_gns_nodes *nodes,
                   void (*done)(struct gcl_gns *gns, struct gcl_gns_multicall *call))
{
    trans->call.done = done;
    trans->call.lost = NULL; /* the lock goes with the connection */
    gcl_gns_multicall(gns, &trans->call, nodes, trans->holder,
                      GCL_MESSAGE("{del_lock, ~t}", trans->id));
}

static void unlock_boss(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    struct gcl_gns_trans *trans = trans_of(call);
    struct gcl_gns_nodes boss = {0};
    trans->state = GCL_GNS_TRANS_UNLOCKING_BOSS;
    if (trans->locked.count > 0)
        gcl_gns_set_add(gns, &boss, gcl_gns_set_boss(&trans->locked));
    unlock(gns, trans, &boss, is_unlocked);
    gcl_gns_set_fini(gns, &boss);
}

void gcl_gns_trans_unlock(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    struct gcl_gns_nodes others = {0};
    const struct gcl_gns_node *boss =
        trans->locked.count > 0 ? gcl_gns_set_boss(&trans->locked) : NULL;
    trans->state = GCL_GNS_TRANS_UNLOCKING;
    for (size_t i = 0; i < trans->locked.count; i++)
        if (trans->locked.items[i] != boss)
            gcl_gns_set_add(gns, &others, trans->locked.items[i]);
    unlock(gns, trans, &others, unlock_boss);
    gcl_gns_set_fini(gns, &others);
}

static void undo(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    trans->state = GCL_GNS_TRANS_UNDOING;
    unlock(gns, trans, &trans->locked, is_unlocked);
}

/* --- locking -------------------------------------------------------------------------------- */

static void add_once(struct gcl_gns *gns, struct gcl_gns_nodes *set,
                     const struct gcl_gns_nodes *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!gcl_gns_set_has(set, more->items[i]))
            gcl_gns_set_add(gns, set, more->items[i]);
}

static void is_lost(struct gcl_gns *gns, struct gcl_gns_multicall *call, struct gcl_gns_node *node)
{
    const struct gcl_gns_trans *trans = trans_of(call);
    gcl_gns_doubt(gns, node, trans->holder, trans->id);
}

static void stage_is_done(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    struct gcl_gns_trans *trans = trans_of(call);
    add_once(gns, &trans->locked, &call->agreed);
    if (call->is_refused) {
        undo(gns, trans);
        return;
    }
    trans->stage++;
    run_stage(gns, trans);
}

/* Who cannot get the lock of this node does not bother the others. spec: local_lock_check */
static bool is_hopeless(struct gcl_gns *gns, const struct gcl_gns_trans *trans,
                        const struct gcl_gns_nodes *nodes)
{
    return nodes->count > 1 && gcl_gns_set_has(nodes, gns->self) &&
           !gcl_gns_can_set_lock(gns, trans->id);
}

static void run_stage(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    struct gcl_gns_nodes nodes = {0};
    trans->stage_nodes(gns, trans, &nodes);
    if (nodes.count == 0) {
        trans->state = GCL_GNS_TRANS_LOCKED;
        trans->locked_or_not(gns, trans, true);
    } else if (is_hopeless(gns, trans, &nodes)) {
        undo(gns, trans);
    } else {
        add_once(gns, &trans->asked, &nodes);
        trans->call.done = stage_is_done;
        trans->call.lost = is_lost;
        gcl_gns_multicall(gns, &trans->call, &nodes, trans->holder,
                          GCL_MESSAGE("{set_lock, ~t}", trans->id));
    }
    gcl_gns_set_fini(gns, &nodes);
}

void gcl_gns_trans_lock(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    gcl_gns_set_clear(gns, &trans->asked);
    gcl_gns_set_clear(gns, &trans->locked);
    trans->state = GCL_GNS_TRANS_LOCKING;
    trans->stage = 0;
    run_stage(gns, trans);
}

void gcl_gns_trans_lose(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        const struct gcl_gns_node *node)
{
    gcl_gns_set_remove(gns, &trans->asked, node);
    gcl_gns_set_remove(gns, &trans->locked, node);
}

void gcl_gns_trans_fini(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    gcl_gns_forget(&trans->id);
    gcl_gns_set_fini(gns, &trans->asked);
    gcl_gns_set_fini(gns, &trans->locked);
    gcl_gns_set_fini(gns, &trans->call.agreed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that processes of this node want, on any nodes. What one process does to one resource is
 * done in the order in which it was asked for, or a lock that is given up late would free the next
 * one; everything else goes on side by side. spec: global, set_lock/3, del_lock/2
 */
#include "core/global/machine.h"

static struct gcl_gns_locking *locking_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct gcl_gns_locking, at_gns);
}

static struct gcl_gns_locking *locking_of(struct gcl_gns_trans *trans)
{
    return GCL_CONTAINER_OF(trans, struct gcl_gns_locking, trans);
}

static bool is_asleep(const struct gcl_gns_locking *locking)
{
    return gcl_deadline_is_set(&locking->nap);
}

/* --- one behind the other ------------------------------------------------------------------- */

static void free_locking(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    for (int i = 0; i < GCL_GNS_ALIKES; i++)
        gcl_gns_line_leave(gns, (enum gcl_gns_alike)i, locking);
    gcl_deadlines_cancel(&gns->naps, &locking->nap);
    gcl_list_remove(&locking->at_gns);
    gcl_list_remove(&locking->at_ready);
    gcl_gns_set_fini(gns, &locking->nodes);
    gcl_gns_trans_fini(gns, &locking->trans);
    gcl_gns_request_ends(gns, locking->bytes);
    gcl_free(gns->config.mem, locking);
}

static void begin(struct gcl_gns *gns, struct gcl_gns_locking *locking);

/* Not in each other: what begins may be finished at once, and a thousand may wait. */
static void begin_ready(struct gcl_gns *gns)
{
    struct gcl_list *at;
    if (gns->is_beginning)
        return;
    gns->is_beginning = true;
    while ((at = gcl_list_first(&gns->ready)) != NULL) {
        gcl_list_remove(at);
        begin(gns, GCL_CONTAINER_OF(at, struct gcl_gns_locking, at_ready));
    }
    gns->is_beginning = false;
}

static void tell(struct gcl_gns *gns, struct gcl_gns_locking *locking, int error)
{
    if (locking->number != 0)
        gcl_gns_done(gns, locking->number, error);
    locking->number = 0;
}

/* Who waits for it is next, unless it had to wait itself. */
static void finish(struct gcl_gns *gns, struct gcl_gns_locking *locking, int error)
{
    tell(gns, locking, error);
    gcl_gns_line_leave(gns, GCL_GNS_OF_RESOURCE, locking);
    struct gcl_gns_locking *next = gcl_gns_line_first(gns, GCL_GNS_OF_RESOURCE, locking);
    free_locking(gns, locking);
    if (next != NULL && !next->is_begun && gcl_list_is_empty(&next->at_ready))
        gcl_list_add_last(&gns->ready, &next->at_ready);
    begin_ready(gns);
}

/* --- the lock ------------------------------------------------------------------------------- */

/* The greatest node first, so that two who want the lock meet there; then the others. */
static void stage_nodes(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        struct gcl_gns_nodes *nodes)
{
    const struct gcl_gns_nodes *all = &locking_of(trans)->nodes;
    if (all->count == 0 || locking_of(trans)->is_cancelled)
        return;
    if (trans->stage == 0) {
        gcl_gns_set_add(gns, nodes, gcl_gns_set_boss(all));
        return;
    }
    for (size_t i = 0; i < all->count; i++)
        if (!gcl_gns_set_has(&trans->asked, all->items[i]))
            gcl_gns_set_add(gns, nodes, all->items[i]);
}

static void sleep_a_while(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    if (locking->retries != UINT32_MAX)
        locking->retries--;
    uint64_t at_ms = gns->now_ms + gcl_gns_random_sleep(gns, locking->attempts++);
    (void)gcl_gns_check(gns, gcl_deadlines_set(&gns->naps, &locking->nap, at_ms));
}

static void locked_or_not(struct gcl_gns *gns, struct gcl_gns_trans *trans, bool is_locked)
{
    struct gcl_gns_locking *locking = locking_of(trans);
    if (is_locked && locking->is_cancelled)
        gcl_gns_trans_unlock(gns, trans);
    else if (is_locked)
        finish(gns, locking, 0);
    else if (locking->is_cancelled || locking->retries == 0)
        finish(gns, locking, locking->is_cancelled ? GCL_ECANCELED : GCL_EEXIST);
    else
        sleep_a_while(gns, locking);
}

static void unlocked(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    struct gcl_gns_locking *locking = locking_of(trans);
    finish(gns, locking, locking->is_cancelled ? GCL_ECANCELED : 0);
}

/* spec: global, local_lock_check: who cannot get the lock of this node does not bother others. */
static void try_lock(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    if (gcl_gns_set_has(&locking->nodes, gns->self) &&
        !gcl_gns_can_set_lock(gns, locking->trans.id))
        locked_or_not(gns, &locking->trans, false);
    else
        gcl_gns_trans_lock(gns, &locking->trans);
}

static void begin(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    locking->is_begun = true;
    if (locking->is_set) {
        try_lock(gns, locking);
        return;
    }
    for (size_t i = 0; i < locking->nodes.count; i++)
        gcl_gns_set_add(gns, &locking->trans.locked, locking->nodes.items[i]);
    gcl_gns_trans_unlock(gns, &locking->trans);
}

static void is_awake(struct gcl_deadline *nap)
{
    struct gcl_gns_locking *locking = GCL_CONTAINER_OF(nap, struct gcl_gns_locking, nap);
    gcl_list_add_last(&locking->gns->ready, &locking->at_ready);
}

void gcl_gns_lockings_woken(struct gcl_gns *gns)
{
    (void)gcl_deadlines_run(&gns->naps, gns->now_ms, SIZE_MAX);
    begin_ready(gns);
}

/* --- requests ------------------------------------------------------------------------------- */

/* spec: global, set_lock/1: [node() | nodes()] */
static void add_all(struct gcl_gns *gns, struct gcl_gns_nodes *nodes)
{
    gcl_gns_set_add(gns, nodes, gns->self);
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (node->is_up)
            gcl_gns_set_add(gns, nodes, node);
    }
}

static void add_nodes(struct gcl_gns *gns, struct gcl_gns_nodes *nodes,
                      const struct gcl_gns_places *places)
{
    if (places->names == NULL)
        add_all(gns, nodes);
    for (size_t i = 0; places->names != NULL && i < places->count; i++) {
        struct gcl_gns_node *node = gcl_gns_node_of(gns, gcl_str_of(places->names[i]));
        if (node != NULL && !gcl_gns_set_has(nodes, node))
            gcl_gns_set_add(gns, nodes, node);
    }
}

/* A resource without a key could be locked nowhere; a requester without one is only found slowly.
 */
static int hash_id(struct gcl_gns *gns, gcl_term id, struct gcl_gns_locking *locking)
{
    gcl_term resource, requester;
    struct gcl_str key;
    if (!gcl_match(id, "{~t, ~t}", &resource, &requester))
        return GCL_EINVAL;
    if (!gcl_gns_key(gns, resource, &key, &locking->resource_hash))
        return GCL_ELIMIT;
    locking->requester_hash = gcl_gns_hash(gns, requester);
    return 0;
}

static struct gcl_gns_locking *alloc_locking(struct gcl_gns *gns, uint64_t number, gcl_pid pid)
{
    struct gcl_gns_locking *locking = gcl_alloc_zero(gns->config.mem, sizeof *locking);
    if (locking == NULL)
        return NULL;
    locking->gns = gns;
    locking->number = number;
    locking->trans = (struct gcl_gns_trans){.holder = pid,
                                            .stage_nodes = stage_nodes,
                                            .locked_or_not = locked_or_not,
                                            .unlocked = unlocked};
    gcl_deadline_init(&locking->nap, is_awake);
    gcl_list_init(&locking->at_gns);
    gcl_list_init(&locking->at_ready);
    return locking;
}

/* What it keeps, at the most. */
static size_t count_bytes(const struct gcl_gns *gns, gcl_term id,
                          const struct gcl_gns_places *places)
{
    size_t nodes = places->names != NULL ? places->count : gcl_table_count(&gns->nodes);
    return id.size + nodes * sizeof(struct gcl_gns_node *);
}

static int new_locking(struct gcl_gns *gns, uint64_t number, gcl_term id, gcl_pid pid,
                       const struct gcl_gns_places *places, struct gcl_gns_locking **out)
{
    struct gcl_gns_locking *locking = alloc_locking(gns, number, pid);
    size_t bytes = count_bytes(gns, id, places);
    int error = locking != NULL ? hash_id(gns, id, locking) : GCL_ENOMEM;
    if (error == 0 && !gcl_gns_request_begins(gns, bytes))
        error = GCL_ELIMIT;
    if (error != 0) {
        gcl_free(gns->config.mem, locking);
        return error;
    }
    locking->bytes = bytes;
    gcl_gns_keep(gns, &locking->trans.id, id);
    add_nodes(gns, &locking->nodes, places);
    if (gns->has_failed) { /* it may have no id */
        free_locking(gns, locking);
        return GCL_ENOMEM;
    }
    *out = locking;
    return 0;
}

static void add(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    bool has_to_wait = gcl_gns_line_first(gns, GCL_GNS_OF_RESOURCE, locking) != NULL;
    gcl_gns_line_join(gns, GCL_GNS_OF_PROCESS, locking);
    gcl_gns_line_join(gns, GCL_GNS_OF_RESOURCE, locking);
    if (locking->is_set)
        gcl_gns_line_join(gns, GCL_GNS_OF_ID, locking);
    gcl_list_add_last(&gns->lockings, &locking->at_gns);
    if (!has_to_wait)
        gcl_list_add_last(&gns->ready, &locking->at_ready);
    begin_ready(gns);
}

int gcl_gns_lock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                 const struct gcl_gns_places *places, uint32_t retries)
{
    struct gcl_gns_locking *locking = NULL;
    gns->now_ms = now_ms;
    int error = new_locking(gns, number, id, pid, places, &locking);
    if (error != 0)
        return error;
    locking->is_set = true;
    locking->retries = retries;
    add(gns, locking);
    return 0;
}

/* Who sleeps, or has not begun, has nothing that were to be freed. */
static void cancel(struct gcl_gns *gns, struct gcl_gns_locking *locking)
{
    gcl_gns_line_leave(gns, GCL_GNS_OF_ID, locking);
    locking->is_cancelled = true;
    tell(gns, locking, GCL_ECANCELED);
    if (!locking->is_begun || is_asleep(locking))
        finish(gns, locking, GCL_ECANCELED);
}

int gcl_gns_unlock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                   const struct gcl_gns_places *places)
{
    struct gcl_gns_locking *locking = NULL, *other;
    gns->now_ms = now_ms;
    int error = new_locking(gns, number, id, pid, places, &locking);
    if (error != 0)
        return error;
    gns->is_beginning = true; /* nothing but what is cancelled ends in here */
    while ((other = gcl_gns_line_first(gns, GCL_GNS_OF_ID, locking)) != NULL)
        cancel(gns, other);
    gns->is_beginning = false;
    add(gns, locking);
    return 0;
}

void gcl_gns_locks_end(struct gcl_gns *gns, uint64_t now_ms, gcl_pid pid)
{
    const struct gcl_gns_locking like = {.trans = {.holder = pid}};
    struct gcl_gns_locking *locking;
    gns->now_ms = now_ms;
    gns->is_beginning = true;
    while ((locking = gcl_gns_line_first(gns, GCL_GNS_OF_PROCESS, &like)) != NULL) {
        gcl_gns_line_leave(gns, GCL_GNS_OF_PROCESS, locking);
        locking->number = 0;
        if (!locking->is_cancelled)
            cancel(gns, locking);
    }
    gns->is_beginning = false;
    begin_ready(gns);
}

/* --- life ----------------------------------------------------------------------------------- */

void gcl_gns_lockings_init(struct gcl_gns *gns)
{
    gcl_list_init(&gns->lockings);
    gcl_list_init(&gns->ready);
    gcl_table_init(&gns->lines, gns->config.mem);
    gcl_deadlines_init(&gns->naps, gns->config.mem);
}

void gcl_gns_lockings_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->lockings)) != NULL)
        free_locking(gns, locking_at(at));
    gcl_table_fini(&gns->lines);
    gcl_deadlines_fini(&gns->naps);
}

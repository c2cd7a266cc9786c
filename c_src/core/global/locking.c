/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that processes of this node want, on any nodes. What one process does to one resource is
 * done in the order in which it was asked for, or a lock that is given up late would free the next
 * one; everything else goes on side by side. spec: global, set_lock/3, del_lock/2
 */
#include "core/global/machine.h"

struct locking {
    struct gcl_list at_gns;
    struct gcl_list at_ready;
    uint32_t hash;   /* of the resource */
    uint64_t number; /* 0: nobody is told */
    bool is_set;     /* else the lock is freed */
    bool is_begun;
    bool is_cancelled; /* what it has got is freed */
    uint32_t retries;
    unsigned attempts;
    uint64_t wake_at_ms; /* GCL_NEVER: it does not sleep */
    struct gcl_gns_nodes nodes;
    struct gcl_gns_trans trans; /* with the id and who holds it */
};

static struct locking *locking_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct locking, at_gns);
}

static struct locking *locking_of(struct gcl_gns_trans *trans)
{
    return GCL_CONTAINER_OF(trans, struct locking, trans);
}

static gcl_term resource_of(const struct locking *locking)
{
    gcl_term resource = locking->trans.id;
    (void)gcl_match(locking->trans.id, "{~t, _}", &resource);
    return resource;
}

/* --- one behind the other ------------------------------------------------------------------- */

static bool is_about_same(const struct locking *a, const struct locking *b)
{
    return a->hash == b->hash && gcl_pid_equal(a->trans.holder, b->trans.holder) &&
           gcl_term_equal(resource_of(a), resource_of(b));
}

static struct locking *find_other(const struct gcl_gns *gns, const struct locking *locking)
{
    GCL_LIST_EACH(&gns->lockings, at, following)
    {
        if (locking_at(at) != locking && is_about_same(locking_at(at), locking))
            return locking_at(at);
    }
    return NULL;
}

static void free_locking(struct gcl_gns *gns, struct locking *locking)
{
    gcl_list_remove(&locking->at_gns);
    gcl_list_remove(&locking->at_ready);
    gcl_gns_set_fini(gns, &locking->nodes);
    gcl_gns_trans_fini(gns, &locking->trans);
    gcl_free(gns->config.mem, locking);
}

static void begin(struct gcl_gns *gns, struct locking *locking);

/* Not in each other: what begins may be finished at once, and a thousand may wait. */
static void begin_ready(struct gcl_gns *gns)
{
    struct gcl_list *at;
    if (gns->is_beginning)
        return;
    gns->is_beginning = true;
    while ((at = gcl_list_first(&gns->ready)) != NULL) {
        gcl_list_remove(at);
        begin(gns, GCL_CONTAINER_OF(at, struct locking, at_ready));
    }
    gns->is_beginning = false;
}

static void tell(struct gcl_gns *gns, struct locking *locking, int error)
{
    if (locking->number != 0)
        gcl_gns_done(gns, locking->number, error);
    locking->number = 0;
}

/* Who waits for it is next, unless it had to wait itself. */
static void finish(struct gcl_gns *gns, struct locking *locking, int error)
{
    struct locking *next = find_other(gns, locking);
    tell(gns, locking, error);
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

static void sleep_a_while(struct gcl_gns *gns, struct locking *locking)
{
    if (locking->retries != UINT32_MAX)
        locking->retries--;
    locking->wake_at_ms = gns->now_ms + gcl_gns_random_sleep(gns, locking->attempts++);
    if (locking->wake_at_ms < gns->locking_wake_ms)
        gns->locking_wake_ms = locking->wake_at_ms;
}

static void locked_or_not(struct gcl_gns *gns, struct gcl_gns_trans *trans, bool is_locked)
{
    struct locking *locking = locking_of(trans);
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
    struct locking *locking = locking_of(trans);
    finish(gns, locking, locking->is_cancelled ? GCL_ECANCELED : 0);
}

/* spec: global, local_lock_check: who cannot get the lock of this node does not bother others. */
static void try_lock(struct gcl_gns *gns, struct locking *locking)
{
    locking->wake_at_ms = GCL_NEVER;
    if (gcl_gns_set_has(&locking->nodes, gns->self) &&
        !gcl_gns_can_set_lock(gns, locking->trans.id))
        locked_or_not(gns, &locking->trans, false);
    else
        gcl_gns_trans_lock(gns, &locking->trans);
}

static void begin(struct gcl_gns *gns, struct locking *locking)
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

void gcl_gns_lockings_woken(struct gcl_gns *gns)
{
    gns->locking_wake_ms = GCL_NEVER;
    GCL_LIST_EACH(&gns->lockings, at, following)
    {
        struct locking *locking = locking_at(at);
        if (locking->wake_at_ms <= gns->now_ms) {
            locking->wake_at_ms = GCL_NEVER;
            gcl_list_add_last(&gns->ready, &locking->at_ready);
        } else if (locking->wake_at_ms < gns->locking_wake_ms) {
            gns->locking_wake_ms = locking->wake_at_ms;
        }
    }
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

/* A resource without a key could be locked nowhere. */
static int hash_resource(struct gcl_gns *gns, gcl_term id, uint32_t *hash)
{
    gcl_term resource, requester;
    struct gcl_str key;
    if (!gcl_match(id, "{~t, ~t}", &resource, &requester))
        return GCL_EINVAL;
    return gcl_gns_key(gns, resource, &key, hash) ? 0 : GCL_ELIMIT;
}

static struct locking *new_locking(struct gcl_gns *gns, uint64_t number, gcl_term id, gcl_pid pid,
                                   const struct gcl_gns_places *places)
{
    uint32_t hash = 0;
    int error = hash_resource(gns, id, &hash);
    struct locking *locking = error == 0 ? gcl_alloc_zero(gns->config.mem, sizeof *locking) : NULL;
    if (locking == NULL) {
        if (number != 0)
            gcl_gns_done(gns, number, error != 0 ? error : GCL_ENOMEM);
        return NULL;
    }
    locking->number = number;
    locking->hash = hash;
    locking->wake_at_ms = GCL_NEVER;
    locking->trans = (struct gcl_gns_trans){.holder = pid,
                                            .stage_nodes = stage_nodes,
                                            .locked_or_not = locked_or_not,
                                            .unlocked = unlocked};
    gcl_list_init(&locking->at_gns);
    gcl_list_init(&locking->at_ready);
    gcl_gns_keep(gns, &locking->trans.id, id);
    add_nodes(gns, &locking->nodes, places);
    if (!gns->has_failed)
        return locking;
    free_locking(gns, locking); /* it may have no id */
    return NULL;
}

static void add(struct gcl_gns *gns, struct locking *locking)
{
    bool has_to_wait = find_other(gns, locking) != NULL;
    gcl_list_add_last(&gns->lockings, &locking->at_gns);
    if (!has_to_wait)
        gcl_list_add_last(&gns->ready, &locking->at_ready);
    begin_ready(gns);
}

void gcl_gns_lock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                  const struct gcl_gns_places *places, uint32_t retries)
{
    gns->now_ms = now_ms;
    struct locking *locking = new_locking(gns, number, id, pid, places);
    if (locking == NULL)
        return;
    locking->is_set = true;
    locking->retries = retries;
    add(gns, locking);
}

/* Who sleeps, or has not begun, has nothing that were to be freed. */
static void cancel(struct gcl_gns *gns, struct locking *locking)
{
    locking->is_cancelled = true;
    tell(gns, locking, GCL_ECANCELED);
    if (!locking->is_begun || locking->wake_at_ms != GCL_NEVER)
        finish(gns, locking, GCL_ECANCELED);
}

void gcl_gns_unlock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                    const struct gcl_gns_places *places)
{
    gns->now_ms = now_ms;
    struct locking *locking = new_locking(gns, number, id, pid, places);
    if (locking == NULL)
        return;
    gns->is_beginning = true; /* nothing but what is cancelled ends in here */
    GCL_LIST_EACH(&gns->lockings, at, following)
    {
        struct locking *other = locking_at(at);
        if (other->is_set && !other->is_cancelled && is_about_same(other, locking) &&
            gcl_term_equal(other->trans.id, locking->trans.id))
            cancel(gns, other);
    }
    gns->is_beginning = false;
    add(gns, locking);
}

void gcl_gns_locks_end(struct gcl_gns *gns, uint64_t now_ms, gcl_pid pid)
{
    gns->now_ms = now_ms;
    gns->is_beginning = true;
    GCL_LIST_EACH(&gns->lockings, at, following)
    {
        struct locking *locking = locking_at(at);
        if (!gcl_pid_equal(locking->trans.holder, pid))
            continue;
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
    gns->locking_wake_ms = GCL_NEVER;
}

void gcl_gns_lockings_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->lockings)) != NULL)
        free_locking(gns, locking_at(at));
}

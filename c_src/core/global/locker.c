/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locker negotiates with one other node at a time: each of both locks its own partition, so
 * that no name changes in either while they become one. It does so on its own account (active) or
 * because the other one has locked his partition already (passive).
 *
 *     idle --woken--> locking --ok--> waiting for his lock_set --true--> holding
 *       |                |                 |                                |
 *       |                +--refused--> idle+--false, cancelled--+           |
 *       +--his lock_set--> locking --ok, answer true--> holding |           |
 *     idle <------------------------- unlocking <---------------+-----------+ joined, cancelled
 *
 * Whoever is silent for longer than `session_timeout_ms` in a step loses his turn: the lock is
 * given back, and the session begins anew, in which he has twice the time. Once he has been told
 * what was found here he may have joined, though he has not said so: then only the end of the
 * connection makes sure that both know the same.
 *
 * The active one locks the other node, too, and both locks have the same requester: so neither
 * partition can be locked by a third while one of them is. spec: global, loop_the_locker,
 * the_locker_message, select_node, lock_is_set
 */
#include "core/global/machine.h"

enum { DELAY_ALONE_MS = 200, DELAY_MS = 1000, DELAY_PER_NODE_MS = 100, DELAY_MAX_MS = 3000 };

static void go_on(struct gcl_gns *gns);
static void unlock(struct gcl_gns *gns);

static struct gcl_gns_node *node_at_offers(struct gcl_list *at)
{
    struct gcl_gns_session *session = GCL_CONTAINER_OF(at, struct gcl_gns_session, at_offers);
    return GCL_CONTAINER_OF(session, struct gcl_gns_node, session);
}

/* --- candidates ----------------------------------------------------------------------------- */

static bool is_wanted(const struct gcl_gns_node *node)
{
    return node->session.is_candidate && !node->is_known;
}

static size_t count_wanted(const struct gcl_gns *gns, size_t *known)
{
    size_t count = 0;
    *known = 0;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        const struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        count += is_wanted(node);
        *known += node->is_known;
    }
    return count;
}

static struct gcl_gns_node *choose(struct gcl_gns *gns)
{
    size_t known;
    size_t count = count_wanted(gns, &known);
    size_t skip = count > 0 ? (size_t)(gcl_gns_random(gns) >> 32) % count : 0;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (is_wanted(node) && skip-- == 0)
            return node;
    }
    return NULL;
}

/* The wait gives somebody else of the partition the chance to set the lock. */
static void set_wake(struct gcl_gns *gns)
{
    struct gcl_gns_locker *locker = &gns->locker;
    size_t known;
    uint64_t delay_ms = DELAY_ALONE_MS;
    locker->wake_at_ms = GCL_NEVER;
    if (locker->state != GCL_GNS_LOCKER_IDLE)
        return;
    bool has_joined = locker->has_joined;
    locker->has_joined = false; /* spec: `just_synced`; who comes later is nobody's next one */
    if (count_wanted(gns, &known) == 0)
        return;
    if (has_joined)
        delay_ms = 0;
    else if (known > 0)
        delay_ms = DELAY_MS + DELAY_PER_NODE_MS * known;
    if (delay_ms > DELAY_MAX_MS)
        delay_ms = DELAY_MAX_MS;
    locker->wake_at_ms = gns->now_ms + delay_ms;
}

/* --- messages to the other one -------------------------------------------------------------- */

static void answer(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid his_locker, bool is_set,
                   uint32_t version, gcl_term his_tag)
{
    gcl_pid me = gns->config.actors[GCL_GNS_LOCKER];
    if (version < GCL_GNS_VERSION_PROXY)
        gcl_gns_send_pid(gns, his_locker, GCL_MESSAGE("{lock_set, ~p, ~a, []}", me, is_set));
    else if (version < GCL_GNS_VERSION_VERIFY)
        gcl_gns_send(gns, node, GCL_MESSAGE("{'$gen_cast', {lock_set, ~p, ~a, []}}", me, is_set));
    else
        gcl_gns_send(gns, node,
                     GCL_MESSAGE("{'$gen_cast', {lock_set, ~p, ~a, [], ~t}}", me, is_set, his_tag));
}

static void send_lock_set(struct gcl_gns *gns, struct gcl_gns_node *node, bool is_set)
{
    const struct gcl_gns_session *session = &node->session;
    answer(gns, node, gcl_gns_read_pid(session->his_locker), is_set, session->version,
           session->his_tag);
}

/* --- locking -------------------------------------------------------------------------------- */

static void stage_nodes(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        struct gcl_gns_nodes *nodes)
{
    if (trans->stage == 0) {
        gcl_gns_set_add(gns, nodes, gcl_gns_boss(gns));
        return;
    }
    if (trans->stage == 1) {
        if (!gcl_gns_set_has(&trans->asked, gns->self))
            gcl_gns_set_add(gns, nodes, gns->self);
        if (gns->locker.is_active && !gcl_gns_set_has(&trans->asked, gns->locker.node))
            gcl_gns_set_add(gns, nodes, gns->locker.node);
    }
    if (nodes->count == 0)
        gcl_gns_set_add_known(gns, nodes, &trans->asked);
}

/* {global, [Locker, Locker]}, which has to be the same on both sides. Where he has locked this node
 * it can be seen which one he uses. */
static void set_lock_id(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_pid first = gns->config.actors[GCL_GNS_LOCKER];
    const gcl_pid his = gcl_gns_read_pid(node->session.his_locker);
    gcl_pid second = his;
    gcl_term used = gcl_gns_global_lock(gns);
    struct gcl_buffer id;
    gcl_buffer_init(&id, gns->config.mem, 0);
    if (gcl_gns_pid_is_less(gns, second, first)) {
        first = second;
        second = gns->config.actors[GCL_GNS_LOCKER];
    }
    bool is_his =
        !gns->locker.is_active && !gcl_term_is_none(used) && gcl_gns_lock_is_held_by(gns, his);
    gcl_message made = GCL_MESSAGE("{global, [~p, ~p]}", first, second);
    gcl_message seen = GCL_MESSAGE("{global, ~t}", used);
    if (gcl_gns_check(gns, gcl_term_build(gns->config.terms, &id, is_his ? &seen : &made)))
        gcl_gns_keep(gns, &gns->locker.trans.id,
                     gcl_term_make(gns->config.terms, gcl_buffer_bytes(&id), gcl_buffer_size(&id)));
    gcl_buffer_fini(&id);
}

static void become_idle(struct gcl_gns *gns)
{
    struct gcl_gns_locker *locker = &gns->locker;
    struct gcl_gns_node *node = locker->node;
    locker->state = GCL_GNS_LOCKER_IDLE;
    locker->node = NULL;
    gcl_gns_forget(&locker->his_locker);
    locker->give_up_at_ms = GCL_NEVER;
    gcl_gns_node_release(gns, node);
    go_on(gns);
}

static void wait_from_now(struct gcl_gns *gns)
{
    struct gcl_gns_locker *locker = &gns->locker;
    if (locker->node->patience_ms == 0)
        locker->node->patience_ms = gns->config.session_timeout_ms;
    locker->give_up_at_ms = gns->now_ms + locker->node->patience_ms;
}

static void lock(struct gcl_gns *gns, struct gcl_gns_node *node, bool is_active)
{
    struct gcl_gns_locker *locker = &gns->locker;
    gcl_gns_node_hold(node);
    locker->node = node;
    gcl_gns_keep(gns, &locker->his_locker, node->session.his_locker);
    locker->version = node->session.version;
    locker->is_active = is_active;
    locker->is_cancelled = false;
    locker->is_last_wait = false;
    locker->wake_at_ms = GCL_NEVER;
    locker->state = GCL_GNS_LOCKER_LOCKING;
    wait_from_now(gns);
    set_lock_id(gns, node);
    /* To lock this node first could stop somebody who has the boss already. */
    if (gcl_gns_boss(gns) == gns->self || gcl_gns_can_set_lock(gns, locker->trans.id))
        gcl_gns_trans_lock(gns, &locker->trans);
    else
        locker->trans.locked_or_not(gns, &locker->trans, false);
}

static void hold_lock(struct gcl_gns *gns)
{
    gns->locker.state = GCL_GNS_LOCKER_HOLDING;
    wait_from_now(gns);
    gcl_gns_lock_is_set(gns, gns->locker.node, gns->locker.trans.id);
}

/* His own lock_set may have come meanwhile: then he is active, too, with the same lock. */
static void wait_for_him(struct gcl_gns *gns)
{
    struct gcl_gns_locker *locker = &gns->locker;
    struct gcl_list *offer = &locker->node->session.at_offers;
    send_lock_set(gns, locker->node, true);
    locker->state = GCL_GNS_LOCKER_WAITING;
    wait_from_now(gns);
    if (gcl_list_is_empty(offer))
        return;
    gcl_list_remove(offer);
    hold_lock(gns);
}

/* His tag went with the session. */
static uint32_t version_without_tag(const struct gcl_gns_locker *locker)
{
    return locker->version < GCL_GNS_VERSION_PROXY ? locker->version : GCL_GNS_VERSION_PROXY;
}

static void locked_or_not(struct gcl_gns *gns, struct gcl_gns_trans *trans, bool is_locked)
{
    struct gcl_gns_locker *locker = &gns->locker;
    bool is_over = locker->is_cancelled;
    (void)trans;
    if (!locker->is_active && is_over)
        answer(gns, locker->node, gcl_gns_read_pid(locker->his_locker), false,
               version_without_tag(locker), gcl_term_make(gns->config.terms, NULL, 0));
    else if (!locker->is_active && !is_locked)
        send_lock_set(gns, locker->node, false);
    if (!is_locked) {
        become_idle(gns);
    } else if (is_over) {
        unlock(gns);
    } else if (locker->is_active) {
        wait_for_him(gns);
    } else {
        send_lock_set(gns, locker->node, true);
        hold_lock(gns);
    }
}

static void unlocked(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    (void)trans;
    become_idle(gns);
}

static void unlock(struct gcl_gns *gns)
{
    gns->locker.state = GCL_GNS_LOCKER_UNLOCKING;
    wait_from_now(gns);
    gcl_gns_trans_unlock(gns, &gns->locker.trans);
}

/* --- what happens --------------------------------------------------------------------------- */

/* Those that have set their lock come first: they hold up their partition. */
static void go_on(struct gcl_gns *gns)
{
    struct gcl_list *offer = gcl_list_first(&gns->locker.offers);
    if (offer != NULL) {
        gcl_list_remove(offer);
        lock(gns, node_at_offers(offer), false);
    } else {
        set_wake(gns);
    }
}

void gcl_gns_locker_woken(struct gcl_gns *gns)
{
    struct gcl_gns_node *node = choose(gns);
    if (node != NULL && gcl_term_is_none(gcl_gns_global_lock(gns)))
        lock(gns, node, true);
    else
        set_wake(gns);
}

void gcl_gns_locker_add(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    node->session.is_candidate = true;
    if (gns->locker.state == GCL_GNS_LOCKER_IDLE && gns->locker.wake_at_ms == GCL_NEVER)
        set_wake(gns);
}

void gcl_gns_locker_cancel(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_locker *locker = &gns->locker;
    node->session.is_candidate = false;
    gcl_list_remove(&node->session.at_offers);
    if (node != locker->node || locker->is_cancelled)
        return;
    locker->is_cancelled = true;
    if (locker->state == GCL_GNS_LOCKER_HOLDING)
        locker->has_joined = true;
    if (locker->state == GCL_GNS_LOCKER_HOLDING || locker->state == GCL_GNS_LOCKER_WAITING)
        unlock(gns);
}

static void has_answered(struct gcl_gns *gns, bool is_set)
{
    if (is_set)
        hold_lock(gns);
    else
        unlock(gns);
}

void gcl_gns_locker_lock_set(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid his_locker,
                             bool is_set)
{
    struct gcl_gns_locker *locker = &gns->locker;
    if (node == locker->node && locker->state == GCL_GNS_LOCKER_WAITING) {
        has_answered(gns, is_set);
        return;
    }
    if (!is_set) {
        gcl_list_remove(&node->session.at_offers);
        return;
    }
    if (!node->session.is_candidate) {
        answer(gns, node, his_locker, false, GCL_GNS_VERSION_OLDEST,
               gcl_term_make(gns->config.terms, NULL, 0));
        return;
    }
    if (gcl_list_is_empty(&node->session.at_offers))
        gcl_list_add_last(&locker->offers, &node->session.at_offers);
    if (locker->state == GCL_GNS_LOCKER_IDLE)
        go_on(gns);
}

/* --- patience ------------------------------------------------------------------------------- */

static void end_connection(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_gns_log(gns, GCL_LOG_ERROR, node->name,
                "has stopped in the middle of a negotiation: it is dialled anew");
    node->is_redialled = true;
    gcl_gns_disconnect(gns, node);
}

static void begin_anew(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (node->session.version < GCL_GNS_VERSION_VERIFY) {
        end_connection(gns, node); /* it cannot be told */
        return;
    }
    gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                "has kept others waiting in a negotiation: it begins anew");
    node->patience_ms *= 2;
    if (node->patience_ms > gns->config.answer_timeout_ms)
        node->patience_ms = gns->config.answer_timeout_ms;
    gcl_gns_session_restart(gns, node);
}

/* He may have to ask programs who is to keep a name. */
static void wait_for_result(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_locker *locker = &gns->locker;
    locker->give_up_at_ms = gns->now_ms + gns->config.answer_timeout_ms;
    if (locker->is_last_wait)
        end_connection(gns, node);
    locker->is_last_wait = true;
}

/* It may be somebody else who has not answered: then there is a time for that, too. */
static void stop_asking(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_locker *locker = &gns->locker;
    struct gcl_gns_trans *trans = &locker->trans;
    if (!gcl_gns_multicall_asks(gns, &trans->call, node))
        return;
    if (locker->state == GCL_GNS_LOCKER_LOCKING && !locker->is_cancelled)
        begin_anew(gns, node);
    gcl_gns_multicall_abandon(gns, &trans->call, node, trans->holder, trans->id);
}

void gcl_gns_locker_give_up(struct gcl_gns *gns)
{
    struct gcl_gns_locker *locker = &gns->locker;
    struct gcl_gns_node *node = locker->node;
    bool is_holding = locker->state == GCL_GNS_LOCKER_HOLDING;
    gcl_gns_node_hold(node);
    wait_from_now(gns);
    if (is_holding && node->session.has_ops)
        wait_for_result(gns, node);
    else if (locker->state == GCL_GNS_LOCKER_LOCKING || locker->state == GCL_GNS_LOCKER_UNLOCKING)
        stop_asking(gns, node);
    else if (!is_holding || node->session.resolver == NULL)
        begin_anew(gns, node); /* else a third node resolves a conflict */
    gcl_gns_node_release(gns, node);
}

/* --- life ----------------------------------------------------------------------------------- */

void gcl_gns_locker_init(struct gcl_gns *gns)
{
    gns->locker = (struct gcl_gns_locker){.state = GCL_GNS_LOCKER_IDLE,
                                          .wake_at_ms = GCL_NEVER,
                                          .give_up_at_ms = GCL_NEVER,
                                          .trans = {.holder = gns->config.actors[GCL_GNS_LOCKER],
                                                    .stage_nodes = stage_nodes,
                                                    .locked_or_not = locked_or_not,
                                                    .unlocked = unlocked}};
    gcl_list_init(&gns->locker.offers);
}

void gcl_gns_locker_fini(struct gcl_gns *gns)
{
    gcl_gns_trans_fini(gns, &gns->locker.trans);
    gcl_gns_forget(&gns->locker.his_locker);
    gns->locker.node = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Transitions by event. */
#include "core/membership/machine.h"

static void on_start(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    (void)event; /* the seeds were made when memory was reserved */
    if (m->phase != GCL_MEMBERSHIP_OUT)
        return;
    m->stay++;
    m->phase = GCL_MEMBERSHIP_JOINING;
    m->self->info.settled = false;
    m->fresh = true;
    m->contact = GCL_MEMBERSHIP_CONTACT_NONE;
    m->hurried_ms = GCL_NEVER;
    m->take_tries = 0;
    gcl_membership_add(m, GCL_MEMBERSHIP_REGISTER_LOCAL);
    m->naming = true;
    m->settle_due_ms = m->now_ms + m->settings.settle_ms;
    m->sync_due_ms = gcl_membership_jitter(m, m->settings.sync_ms);
    for (size_t i = 0; i < m->seeds.count; i++)
        gcl_membership_ask_seed(m, &m->seeds.sorted[i]);
    gcl_membership_whereis(m);
}

/* Somebody else has the name on this node: without a seed of its own node it would never meet it.
 */
static void on_named(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    m->naming = false;
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    struct gcl_member_node *node = m->self->node;
    struct gcl_member_seed *seed = gcl_member_seeds_find(&m->seeds, node);
    if (event->yes && seed != NULL) {
        gcl_membership_demonitor(m, &seed->tag);
        gcl_member_seeds_remove(&m->seeds, seed);
    } else if (!event->yes && seed == NULL && node->members == 0) {
        gcl_membership_ask_seed(m, gcl_member_seeds_add(&m->seeds, node));
    }
}

static void on_join(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    (void)event; /* its node is in spare_node, if it may become a seed at all */
    if (m->spare_node != NULL)
        gcl_membership_ask_seed(m, gcl_member_seeds_add(&m->seeds, m->spare_node));
}

static void unset_all_due(struct gcl_membership *m)
{
    m->settle_due_ms = m->sync_due_ms = m->take_due_ms = m->hold_due_ms = GCL_NEVER;
    if (m->wake_ms != GCL_NEVER)
        gcl_membership_add(m, GCL_MEMBERSHIP_WAKE)->number = GCL_NEVER;
    m->wake_ms = GCL_NEVER;
}

static void on_go(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    (void)event;
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    gcl_membership_add(m, GCL_MEMBERSHIP_ENTRY_FAREWELL);
    if (m->self->info.claim) {
        gcl_member_peers_set_claim(&m->peers, m->self, false);
        m->self->info.v++;
        gcl_membership_add(m, GCL_MEMBERSHIP_UNREGISTER_GLOBAL);
    }
    gcl_membership_add(m, GCL_MEMBERSHIP_UNREGISTER_LOCAL);
    unset_all_due(m);
    m->leader = NULL;
    m->contact = GCL_MEMBERSHIP_CONTACT_NONE;
    m->contact_peer = NULL;
    m->phase = GCL_MEMBERSHIP_OUT;
    m->self->info.settled = false;
}

static void on_received(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    gcl_membership_receive(m, event->message);
}

static void forget_longest_lost(struct gcl_membership *m)
{
    struct gcl_member_peer *longest = NULL;
    for (size_t i = 0; i < m->peers.count; i++) {
        struct gcl_member_peer *peer = m->peers.sorted[i];
        if (peer->state == GCL_MEMBER_SUSPECT &&
            (longest == NULL || peer->since_ms < longest->since_ms))
            longest = peer;
    }
    if (longest != NULL)
        gcl_membership_drop(m, longest, GCL_MEMBERSHIP_LOST);
}

static void lose_node(struct gcl_membership *m, struct gcl_member_node *node)
{
    if (!node->is_lost) {
        gcl_member_node_share(node);
        node->is_lost = true;
        node->tries = 0;
        gcl_membership_set_due(m, &node->due, gcl_membership_jitter(m, m->settings.retry_base_ms));
    }
    struct gcl_member_seed *seed = gcl_member_seeds_find(&m->seeds, node);
    if (seed != NULL && node->members == 0)
        seed->due_ms = node->due.at_ms;
}

/* It may live behind the broken link: it is remembered and tried again with its node. */
static void suspect(struct gcl_membership *m, struct gcl_member_peer *peer)
{
    bool was_member = peer->state == GCL_MEMBER_CONFIRMED;
    if (was_member || peer->since_ms == GCL_NEVER)
        peer->since_ms = m->now_ms;
    peer->tag = 0;
    gcl_membership_set_due(m, &peer->due, GCL_NEVER);
    gcl_member_peers_set_claim(&m->peers, peer, false);
    gcl_member_peers_set_state(&m->peers, peer, GCL_MEMBER_SUSPECT);
    m->is_digest_stale = true;
    gcl_membership_spend_contact(m, peer);
    if (was_member)
        gcl_membership_gone(m, peer, GCL_MEMBERSHIP_LOST);
    lose_node(m, peer->node);
    if (m->peers.suspects > m->settings.max_suspects)
        forget_longest_lost(m);
}

/* By tag and never by pid: a DOWN of an old connection may come after messages of the new one. */
static void on_down(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    if (event->tag == 0)
        return;
    if (event->member == NULL) {
        struct gcl_member_seed *seed = gcl_member_seeds_find_tag(&m->seeds, event->tag);
        if (seed != NULL) {
            seed->tag = 0;
            seed->ok = true;
        }
        return;
    }
    struct gcl_member_peer *peer = gcl_member_peers_find(&m->peers, event->member);
    if (peer == NULL || peer->tag != event->tag)
        return;
    if (event->noconnection) {
        suspect(m, peer);
        return;
    }
    peer->tag = 0; /* it has fired */
    m->reason = event->reason;
    gcl_membership_drop(m, peer, GCL_MEMBERSHIP_EXITED);
}

/* Probes the suspects of a node in order: all, or the first. */
static void probe_suspects(struct gcl_membership *m, const struct gcl_member_node *node, bool all)
{
    if (node->suspects == 0)
        return;
    for (size_t i = gcl_member_peers_place_of_node(&m->peers, node->name);
         i < m->peers.count && m->peers.sorted[i]->node == node; i++) {
        struct gcl_member_peer *peer = m->peers.sorted[i];
        if (peer->state != GCL_MEMBER_SUSPECT)
            continue;
        gcl_membership_probe(m, peer, &peer->id, false);
        if (!all)
            return;
    }
}

static void on_nodeup(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    const struct gcl_member_node *node = gcl_member_nodes_find(&m->nodes, event->node);
    if (m->phase == GCL_MEMBERSHIP_OUT || node == NULL)
        return;
    probe_suspects(m, node, true);
    struct gcl_member_seed *seed = gcl_member_seeds_find(&m->seeds, node);
    if (seed != NULL && seed->tag == 0 && seed->due_ms != GCL_NEVER)
        gcl_membership_ask_seed(m, seed);
}

static bool is_self(const struct gcl_membership *m, const struct gcl_member_id *id)
{
    return id != NULL && gcl_member_id_equal(id, &m->self->id);
}

static void take_name(struct gcl_membership *m)
{
    if (m->phase == GCL_MEMBERSHIP_OUT || !gcl_membership_has_quorum(m)) {
        gcl_membership_add(m, GCL_MEMBERSHIP_UNREGISTER_GLOBAL);
        return;
    }
    m->take_tries = 0;
    m->take_due_ms = GCL_NEVER;
    if (!m->self->info.claim)
        gcl_membership_set_claim(m, true, NULL);
}

static void on_registered(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    m->asking = false;
    if (event->yes || is_self(m, event->member)) {
        take_name(m);
        return;
    }
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    m->take_due_ms = gcl_membership_backoff(m, m->settings.take_retry_ms,
                                            8 * (uint64_t)m->settings.take_retry_ms, m->take_tries);
    m->take_tries++;
    gcl_membership_greet(m, event->member);
}

static void on_whereis(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    bool is_mine = is_self(m, event->member);
    m->asking = false;
    if (m->phase == GCL_MEMBERSHIP_OUT) {
        if (is_mine)
            gcl_membership_add(m, GCL_MEMBERSHIP_UNREGISTER_GLOBAL);
    } else if (is_mine && !m->self->info.claim) {
        take_name(m);
    } else if (m->self->info.claim && event->member == NULL) {
        gcl_membership_add(m, GCL_MEMBERSHIP_REGISTER_GLOBAL);
        m->asking = true;
    } else {
        if (m->self->info.claim && !is_mine)
            gcl_membership_set_claim(m, false, event->member);
        gcl_membership_greet(m, event->member);
    }
}

static void on_conflict(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    (void)event;
    if (m->phase != GCL_MEMBERSHIP_OUT)
        gcl_membership_whereis(m);
}

static void on_update(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    struct gcl_member_peer *self = m->self;
    gcl_free(m->mem, self->label);
    self->label = m->spare_label;
    m->spare_label = NULL;
    self->info.label = gcl_membership_label_in(self->label, event->label);
    self->info.v++;
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    struct gcl_membership_entry *entry = gcl_membership_tell(m, GCL_MEMBERSHIP_INFO, NULL);
    entry->kind = GCL_MEMBERSHIP_ENTRY_TELL_ALL;
    entry->number = m->last_number;
}

/* --- woken ---------------------------------------------------------------------------------- */

static void retry_probing(struct gcl_membership *m, struct gcl_member_peer *peer)
{
    peer->tries++;
    if (!peer->was && peer->tries >= m->settings.probe_tries) {
        gcl_membership_drop(m, peer, GCL_MEMBERSHIP_LOST);
        return;
    }
    gcl_membership_set_due(m, &peer->due,
                           gcl_membership_backoff(m, m->settings.probe_base_ms,
                                                  m->settings.probe_max_ms, peer->tries));
    gcl_membership_hello(m, peer, 0, 0);
}

static void retry_probings(struct gcl_membership *m)
{
    for (size_t i = 0; m->peers.probings > 0 && i < m->peers.count;) {
        struct gcl_member_peer *peer = m->peers.sorted[i];
        if (peer->state == GCL_MEMBER_PROBING && peer->due.at_ms <= m->now_ms)
            retry_probing(m, peer);
        if (i < m->peers.count && m->peers.sorted[i] == peer)
            i++;
    }
}

static bool is_too_old(const struct gcl_membership *m, const struct gcl_member_peer *peer)
{
    uint64_t ttl_ms = peer->was ? m->settings.suspect_ttl_ms : m->settings.hearsay_ttl_ms;
    return peer->state == GCL_MEMBER_SUSPECT && m->now_ms - peer->since_ms > ttl_ms;
}

static void forget_old_suspects(struct gcl_membership *m, const struct gcl_member_node *node)
{
    size_t i = gcl_member_peers_place_of_node(&m->peers, node->name);
    while (i < m->peers.count && m->peers.sorted[i]->node == node) {
        if (is_too_old(m, m->peers.sorted[i]))
            gcl_membership_drop(m, m->peers.sorted[i], GCL_MEMBERSHIP_LOST);
        else
            i++;
    }
}

/* One connection attempt for each silent node and backoff, however many of its pids are missed. */
static void retry_lost_node(struct gcl_membership *m, struct gcl_member_node *node)
{
    forget_old_suspects(m, node);
    if (node->suspects == 0 && node->probings == 0) {
        gcl_membership_forget_node(m, node);
        return;
    }
    if (node->due.at_ms > m->now_ms)
        return;
    probe_suspects(m, node, node->members > 0);
    node->tries++;
    gcl_membership_set_due(m, &node->due,
                           gcl_membership_backoff(m, m->settings.retry_base_ms,
                                                  m->settings.retry_max_ms, node->tries));
}

static void retry_lost_nodes(struct gcl_membership *m)
{
    for (size_t i = 0; i < m->nodes.count;) {
        struct gcl_member_node *node = m->nodes.sorted[i];
        if (node->is_lost)
            retry_lost_node(m, node);
        if (i < m->nodes.count && m->nodes.sorted[i] == node)
            i++;
    }
}

static void retry_seeds(struct gcl_membership *m)
{
    for (size_t i = 0; i < m->seeds.count; i++) {
        struct gcl_member_seed *seed = &m->seeds.sorted[i];
        if (seed->due_ms > m->now_ms)
            continue;
        seed->ok = true;
        gcl_membership_ask_seed(m, seed);
    }
}

/* The next member behind the one that got the last sync, around the end. */
static struct gcl_member_peer *next_partner(const struct gcl_membership *m)
{
    const struct gcl_member_peers *peers = &m->peers;
    size_t from = 0;
    if (m->cursor_node != NULL) {
        from = gcl_member_peers_place(peers, &m->cursor);
        if (from < peers->count && gcl_member_id_equal(&peers->sorted[from]->id, &m->cursor))
            from++;
    }
    for (size_t i = 0; i < peers->count; i++) {
        struct gcl_member_peer *peer = peers->sorted[(from + i) % peers->count];
        if (peer->state == GCL_MEMBER_CONFIRMED)
            return peer;
    }
    return NULL;
}

static void sync_with(struct gcl_membership *m, struct gcl_member_peer *partner)
{
    struct gcl_member_node *before = m->cursor_node;
    m->cursor_node = gcl_member_node_share(partner->node);
    m->cursor = partner->id;
    gcl_member_nodes_release(&m->nodes, before);
    gcl_membership_make_digest(m);
    gcl_membership_tell(m, GCL_MEMBERSHIP_SYNC, &partner->id)->keys |= GCL_MEMBERSHIP_KEY_DIGEST;
}

static void sync(struct gcl_membership *m)
{
    m->sync_due_ms = gcl_membership_jitter(m, m->settings.sync_ms);
    gcl_membership_add(m, GCL_MEMBERSHIP_REGISTER_LOCAL);
    struct gcl_member_peer *partner = next_partner(m);
    if (partner != NULL)
        sync_with(m, partner);
    if (m->self->info.claim && !m->asking)
        gcl_membership_whereis(m);
}

static void on_woken(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    (void)event;
    m->wake_ms = GCL_NEVER; /* that timer is spent: it is set anew, whatever for */
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    if (m->settle_due_ms <= m->now_ms)
        gcl_membership_settle(m);
    retry_probings(m);
    retry_lost_nodes(m);
    retry_seeds(m);
    if (m->sync_due_ms <= m->now_ms)
        sync(m);
}

void gcl_membership_dispatch(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    static void (*const run[GCL_MEMBERSHIP_EVENT_KINDS])(struct gcl_membership *,
                                                         const struct gcl_membership_event *) = {
        [GCL_MEMBERSHIP_START] = on_start,       [GCL_MEMBERSHIP_NAMED] = on_named,
        [GCL_MEMBERSHIP_JOIN] = on_join,         [GCL_MEMBERSHIP_GO] = on_go,
        [GCL_MEMBERSHIP_RECEIVED] = on_received, [GCL_MEMBERSHIP_DOWN] = on_down,
        [GCL_MEMBERSHIP_NODEUP] = on_nodeup,     [GCL_MEMBERSHIP_REGISTERED] = on_registered,
        [GCL_MEMBERSHIP_WHEREIS] = on_whereis,   [GCL_MEMBERSHIP_CONFLICT] = on_conflict,
        [GCL_MEMBERSHIP_UPDATE] = on_update,     [GCL_MEMBERSHIP_WOKEN] = on_woken,
    };
    run[event->kind](m, event);
}

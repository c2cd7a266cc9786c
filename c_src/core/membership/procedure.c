/* SPDX-License-Identifier: Apache-2.0 */
/* What the transitions are made of. Nothing here can fail: the step has reserved what it needs. */
#include <assert.h>
#include <string.h>

#include "core/membership/machine.h"

/* --- time ----------------------------------------------------------------------------------- */

uint64_t gcl_membership_jitter(const struct gcl_membership *m, uint64_t ms)
{
    return m->now_ms + ms * (1500 + m->random) / 2000;
}

uint64_t gcl_membership_backoff(const struct gcl_membership *m, uint64_t base_ms, uint64_t max_ms,
                                uint32_t tries)
{
    uint64_t ms = base_ms;
    while (tries-- > 0 && ms < max_ms)
        ms *= 2;
    return gcl_membership_jitter(m, ms < max_ms ? ms : max_ms);
}

void gcl_membership_set_due(struct gcl_membership *m, struct gcl_deadline *due, uint64_t at_ms)
{
    if (at_ms == GCL_NEVER) {
        gcl_deadlines_cancel(&m->deadlines, due);
        return;
    }
    int error = gcl_deadlines_set(&m->deadlines, due, at_ms);
    assert(error == 0);
    (void)error;
}

/* --- effects -------------------------------------------------------------------------------- */

struct gcl_membership_entry *gcl_membership_add(struct gcl_membership *m, int kind)
{
    return gcl_membership_queue_add(&m->queue, kind);
}

static uint64_t next_number(struct gcl_membership *m)
{
    return ++m->last_number;
}

void gcl_membership_demonitor(struct gcl_membership *m, uint64_t *tag)
{
    if (*tag == 0)
        return;
    gcl_membership_add(m, GCL_MEMBERSHIP_DEMONITOR)->number = *tag;
    *tag = 0;
}

static void monitor(struct gcl_membership *m, const struct gcl_member_id *id,
                    const struct gcl_member_node *node, uint64_t tag)
{
    struct gcl_membership_entry *entry = gcl_membership_add(m, GCL_MEMBERSHIP_MONITOR);
    entry->id = id;
    entry->node = node;
    entry->number = tag;
}

struct gcl_membership_entry *gcl_membership_tell(struct gcl_membership *m,
                                                 enum gcl_membership_message_kind kind,
                                                 const struct gcl_member_id *to)
{
    struct gcl_membership_entry *entry = gcl_membership_add(m, GCL_MEMBERSHIP_SEND);
    entry->message = (uint8_t)kind;
    entry->id = to;
    entry->keys = GCL_MEMBERSHIP_KEY_STAY;
    if (kind != GCL_MEMBERSHIP_LEAVE)
        entry->keys |= GCL_MEMBERSHIP_KEYS_INFO;
    entry->settled = m->phase == GCL_MEMBERSHIP_SETTLED;
    entry->claim = m->self->info.claim;
    entry->v = m->self->info.v;
    return entry;
}

static uint32_t contact_key(const struct gcl_membership *m, const struct gcl_member_peer *peer)
{
    return m->contact == GCL_MEMBERSHIP_CONTACT_PEER && m->contact_peer == peer
               ? GCL_MEMBERSHIP_KEY_CONTACT
               : 0;
}

void gcl_membership_hello(struct gcl_membership *m, const struct gcl_member_peer *to, uint32_t keys,
                          uint64_t echo)
{
    struct gcl_membership_entry *entry = gcl_membership_tell(m, GCL_MEMBERSHIP_HELLO, &to->id);
    entry->keys |= GCL_MEMBERSHIP_KEY_NONCE | keys;
    entry->number = to->tag;
    entry->echo = echo;
}

void gcl_membership_answer(struct gcl_membership *m, struct gcl_member_peer *peer, uint64_t nonce)
{
    peer->echoed = nonce;
    uint32_t keys = GCL_MEMBERSHIP_KEY_ECHO | contact_key(m, peer);
    if (peer->state != GCL_MEMBER_CONFIRMED) {
        gcl_membership_hello(m, peer, keys, nonce);
        return;
    }
    struct gcl_membership_entry *entry = gcl_membership_tell(m, GCL_MEMBERSHIP_ACK, &peer->id);
    entry->keys |= keys;
    entry->echo = nonce;
}

void gcl_membership_list(struct gcl_membership *m, const struct gcl_member_id *to, bool want)
{
    struct gcl_membership_entry *entry = gcl_membership_add(m, GCL_MEMBERSHIP_ENTRY_LIST);
    entry->id = to;
    entry->keys = want ? GCL_MEMBERSHIP_KEY_WANT : 0;
}

void gcl_membership_whereis(struct gcl_membership *m)
{
    gcl_membership_add(m, GCL_MEMBERSHIP_WHEREIS_GLOBAL);
    m->asking = true;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* spec: doc/membership.md, digest */
static void hash_id(struct gcl_membership_hash *hash, const struct gcl_member_id *id)
{
    uint8_t size[2] = {(uint8_t)(id->node.size >> 8), (uint8_t)id->node.size};
    uint8_t numbers[12];
    put_u32(numbers, id->creation);
    put_u32(numbers + 4, id->id);
    put_u32(numbers + 8, id->serial);
    hash->add(hash->user, size, sizeof size);
    hash->add(hash->user, id->node.bytes, id->node.size);
    hash->add(hash->user, numbers, sizeof numbers);
}

void gcl_membership_make_digest(struct gcl_membership *m)
{
    uint8_t whole[16];
    if (!m->is_digest_stale)
        return;
    struct gcl_member_list list = gcl_member_peers_view(&m->peers);
    m->hash.begin(m->hash.user);
    for (size_t i = 0; i < list.count; i++)
        hash_id(&m->hash, gcl_member_list_at(&list, i));
    m->hash.end(m->hash.user, whole);
    memcpy(m->digest, whole, sizeof m->digest);
    m->is_digest_stale = false;
}

/* --- peers ---------------------------------------------------------------------------------- */

static void set_state(struct gcl_membership *m, struct gcl_member_peer *peer,
                      enum gcl_member_state state)
{
    gcl_member_peers_set_state(&m->peers, peer, state);
    m->is_digest_stale = true;
}

/* The peer that was made ahead for `id`; they are used in the order in which they were made. */
static struct gcl_member_peer *take_spare(struct gcl_membership *m, const struct gcl_member_id *id)
{
    struct gcl_member_peer **link = &m->spare;
    while (*link != NULL && !gcl_member_id_equal(&(*link)->id, id))
        link = &(*link)->next;
    struct gcl_member_peer *peer = *link;
    assert(peer != NULL);
    *link = peer->next;
    return peer;
}

struct gcl_member_peer *gcl_membership_watch(struct gcl_membership *m, struct gcl_member_peer *peer,
                                             const struct gcl_member_id *id)
{
    if (peer == NULL) {
        if (m->peers.count - 1 >= m->settings.max_peers)
            return NULL;
        peer = take_spare(m, id);
        gcl_member_peers_add(&m->peers, peer, GCL_MEMBER_PROBING);
    } else {
        set_state(m, peer, GCL_MEMBER_PROBING);
    }
    peer->tag = next_number(m);
    peer->echoed = 0;
    peer->tries = 0;
    peer->ask = false;
    gcl_membership_set_due(
        m, &peer->due,
        gcl_membership_backoff(m, m->settings.probe_base_ms, m->settings.probe_max_ms, 0));
    monitor(m, &peer->id, NULL, peer->tag);
    return peer;
}

void gcl_membership_probe(struct gcl_membership *m, struct gcl_member_peer *peer,
                          const struct gcl_member_id *id, bool want)
{
    peer = gcl_membership_watch(m, peer, id);
    if (peer == NULL)
        return;
    peer->ask = want;
    gcl_membership_hello(m, peer, want ? GCL_MEMBERSHIP_KEY_WANT : 0, 0);
}

static void take_label(struct gcl_membership *m, struct gcl_member_peer *peer,
                       const struct gcl_membership_label *label)
{
    if (gcl_membership_label_equal(&peer->info.label, label))
        return;
    gcl_free(m->mem, peer->label);
    peer->label = m->spare_label;
    m->spare_label = NULL;
    peer->info.label = gcl_membership_label_in(peer->label, label);
}

void gcl_membership_take_info(struct gcl_membership *m, struct gcl_member_peer *peer,
                              const struct gcl_membership_message *message)
{
    const struct gcl_membership_info *info = &message->info;
    if (message->stay > peer->stay)
        peer->stay = message->stay;
    if (peer->is_told && info->v < peer->info.v)
        return;
    peer->is_told = true;
    gcl_member_peers_set_claim(&m->peers, peer, info->claim);
    take_label(m, peer, &info->label);
    peer->info.v = info->v;
    peer->info.settled = info->settled;
    peer->info.hidden = info->hidden;
}

/* At most once in each sync interval, so that a heal does not storm. */
static void hurry(struct gcl_membership *m)
{
    if (m->hurried_ms != GCL_NEVER && m->now_ms - m->hurried_ms < m->settings.sync_ms)
        return;
    m->hurried_ms = m->now_ms;
    uint64_t soon = gcl_membership_jitter(m, m->settings.sync_fast_ms);
    if (soon < m->sync_due_ms)
        m->sync_due_ms = soon;
}

static int kind_of_join(const struct gcl_membership *m,
                        const struct gcl_membership_message *message)
{
    if (message->keys & GCL_MEMBERSHIP_KEY_CONTACT)
        return GCL_MEMBERSHIP_HANDLE_JOIN;
    if (m->phase == GCL_MEMBERSHIP_JOINING && message->info.settled)
        return GCL_MEMBERSHIP_SILENT_JOIN;
    return GCL_MEMBERSHIP_HANDLE_NODE_JOINED;
}

void gcl_membership_confirm(struct gcl_membership *m, struct gcl_member_peer *peer,
                            const struct gcl_membership_message *message)
{
    set_state(m, peer, GCL_MEMBER_CONFIRMED);
    gcl_membership_set_due(m, &peer->due, GCL_NEVER);
    peer->tries = 0;
    peer->was = true;
    peer->since_ms = GCL_NEVER;
    gcl_membership_add(m, kind_of_join(m, message))->id = &peer->id;
    if (m->phase == GCL_MEMBERSHIP_SETTLED)
        m->fresh = false;
    if (peer->node->is_lost)
        gcl_membership_set_due(m, &peer->node->due, m->now_ms);
    struct gcl_member_seed *seed = gcl_member_seeds_find(&m->seeds, peer->node);
    if (seed != NULL) {
        gcl_membership_demonitor(m, &seed->tag);
        seed->due_ms = GCL_NEVER;
        seed->tries = 0;
        seed->ok = true;
    }
    hurry(m);
}

void gcl_membership_gone(struct gcl_membership *m, struct gcl_member_peer *peer,
                         enum gcl_membership_departure departure)
{
    struct gcl_membership_entry *entry = gcl_membership_add(m, GCL_MEMBERSHIP_HANDLE_LEAVE);
    entry->id = &peer->id;
    entry->departure = (uint8_t)departure;
    hurry(m);
    if (peer->node == m->self->node)
        gcl_membership_add(m, GCL_MEMBERSHIP_REGISTER_LOCAL);
}

void gcl_membership_spend_contact(struct gcl_membership *m, const struct gcl_member_peer *peer)
{
    if (contact_key(m, peer) == 0)
        return;
    m->contact = GCL_MEMBERSHIP_CONTACT_SPENT;
    m->contact_peer = NULL;
}

void gcl_membership_drop(struct gcl_membership *m, struct gcl_member_peer *peer,
                         enum gcl_membership_departure departure)
{
    bool was_member = peer->state == GCL_MEMBER_CONFIRMED;
    gcl_membership_demonitor(m, &peer->tag);
    gcl_membership_set_due(m, &peer->due, GCL_NEVER);
    gcl_member_peers_remove(&m->peers, peer);
    m->is_digest_stale = true;
    peer->next = m->removed;
    m->removed = peer;
    gcl_membership_spend_contact(m, peer);
    if (was_member)
        gcl_membership_gone(m, peer, departure);
}

void gcl_membership_greet(struct gcl_membership *m, const struct gcl_member_id *holder)
{
    if (holder == NULL || gcl_member_id_equal(holder, &m->self->id))
        return;
    struct gcl_member_node *node = gcl_member_nodes_find(&m->nodes, holder->node);
    if (node != NULL && node->is_lost) {
        node->tries = 0;
        gcl_membership_set_due(m, &node->due, gcl_membership_jitter(m, m->settings.retry_base_ms));
    }
    struct gcl_member_peer *peer = gcl_member_peers_find(&m->peers, holder);
    if (peer == NULL)
        gcl_membership_probe(m, NULL, holder, true);
    else if (peer->state == GCL_MEMBER_SUSPECT)
        gcl_membership_probe(m, peer, holder, false);
    else if (peer->state == GCL_MEMBER_CONFIRMED)
        gcl_membership_hello(m, peer, 0, 0);
}

/* --- the member itself ---------------------------------------------------------------------- */

void gcl_membership_ask_seed(struct gcl_membership *m, struct gcl_member_seed *seed)
{
    gcl_membership_demonitor(m, &seed->tag);
    seed->tag = seed->nonce = next_number(m);
    monitor(m, NULL, seed->node, seed->tag);
    struct gcl_membership_entry *entry = gcl_membership_tell(m, GCL_MEMBERSHIP_HELLO, NULL);
    entry->keys |= GCL_MEMBERSHIP_KEY_NONCE | GCL_MEMBERSHIP_KEY_WANT;
    entry->node = seed->node;
    entry->number = seed->nonce;
    seed->due_ms =
        gcl_membership_backoff(m, m->settings.retry_base_ms, m->settings.retry_max_ms, seed->tries);
    seed->tries++;
}

void gcl_membership_set_claim(struct gcl_membership *m, bool claim,
                              const struct gcl_member_id *holder)
{
    gcl_member_peers_set_claim(&m->peers, m->self, claim);
    m->self->info.v++;
    struct gcl_membership_entry *entry = gcl_membership_tell(m, GCL_MEMBERSHIP_INFO, NULL);
    entry->kind = GCL_MEMBERSHIP_ENTRY_TELL_ALL;
    entry->number = m->last_number;
    entry->holder = holder;
    if (holder != NULL)
        entry->keys |= GCL_MEMBERSHIP_KEY_HOLDER;
}

void gcl_membership_settle(struct gcl_membership *m)
{
    m->phase = GCL_MEMBERSHIP_SETTLED;
    m->self->info.settled = true;
    m->self->info.v++;
    m->fresh = m->peers.members == 1;
    m->settle_due_ms = GCL_NEVER;
}

bool gcl_membership_has_quorum(const struct gcl_membership *m)
{
    return m->peers.members >= m->settings.quorum;
}

void gcl_membership_forget_node(struct gcl_membership *m, struct gcl_member_node *node)
{
    node->is_lost = false;
    gcl_membership_set_due(m, &node->due, GCL_NEVER);
    gcl_member_nodes_release(&m->nodes, node);
}

void gcl_membership_clear(struct gcl_membership *m)
{
    for (size_t i = 0; i < m->peers.count; i++)
        gcl_deadlines_cancel(&m->deadlines, &m->peers.sorted[i]->due);
    gcl_member_peers_clear(&m->peers);
    gcl_member_seeds_fini(&m->seeds);
    gcl_member_nodes_release(&m->nodes, m->cursor_node);
    m->cursor_node = NULL;
    for (size_t i = m->nodes.count; i-- > 0;) {
        if (m->nodes.sorted[i]->is_lost)
            gcl_membership_forget_node(m, m->nodes.sorted[i]);
    }
    m->is_digest_stale = true;
}

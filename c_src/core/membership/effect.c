/* SPDX-License-Identifier: Apache-2.0 */
/* From entries of the queue to effects. Nothing that an effect shows changes between the step and
 * the taking: at most one member comes or goes in a step, before any list is asked for. */
#include <string.h>

#include "core/membership/machine.h"

static void begin(struct gcl_membership_effect *effect, int kind)
{
    memset(effect, 0, sizeof *effect);
    effect->kind = (enum gcl_membership_effect_kind)kind;
}

static struct gcl_membership_message *begin_send(struct gcl_membership *m,
                                                 struct gcl_membership_effect *effect, int kind,
                                                 const struct gcl_member_id *to)
{
    begin(effect, GCL_MEMBERSHIP_SEND);
    effect->to.member = to;
    effect->message.kind = (enum gcl_membership_message_kind)kind;
    effect->message.keys = GCL_MEMBERSHIP_KEY_STAY;
    effect->message.from = m->self->id;
    effect->message.stay = m->stay;
    return &effect->message;
}

static void send_entry(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                       const struct gcl_member_id *to, struct gcl_membership_effect *effect)
{
    struct gcl_membership_message *message = begin_send(m, effect, entry->message, to);
    if (to == NULL)
        effect->to.node = entry->node->name;
    message->keys = entry->keys;
    message->nonce = entry->number;
    message->echo = entry->echo;
    if (entry->holder != NULL)
        message->holder = *entry->holder;
    memcpy(message->digest, m->digest, sizeof message->digest);
    message->info = m->self->info;
    message->info.v = entry->v;
    message->info.settled = entry->settled;
    message->info.claim = entry->claim;
    if (!(entry->keys & GCL_MEMBERSHIP_KEY_V))
        return;
    if (message->info.label.meta.size > 0)
        message->keys |= GCL_MEMBERSHIP_KEY_META;
    if (message->info.label.children.size > 0)
        message->keys |= GCL_MEMBERSHIP_KEY_CHILDREN;
}

/* --- walks: false when there is nothing left ------------------------------------------------ */

static bool tell_next(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                      struct gcl_membership_effect *effect)
{
    while (m->queue.walked < m->peers.count) {
        const struct gcl_member_peer *peer = m->peers.sorted[m->queue.walked++];
        bool is_told = peer->state == GCL_MEMBER_CONFIRMED ||
                       (peer->state == GCL_MEMBER_PROBING && peer->tag <= entry->number);
        if (!is_told)
            continue;
        send_entry(m, entry, &peer->id, effect);
        return true;
    }
    return false;
}

/* The first piece comes even when it is empty: it says that there is nobody else. */
static bool list_next(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                      struct gcl_membership_effect *effect)
{
    struct gcl_member_list list = gcl_member_peers_view_without(&m->peers, entry->id);
    size_t first = m->queue.walked * GCL_MEMBERSHIP_LIST_MAX;
    if (first > 0 && first >= list.count)
        return false;
    m->queue.walked++;
    struct gcl_membership_message *message = begin_send(m, effect, GCL_MEMBERSHIP_LIST, entry->id);
    message->keys |= GCL_MEMBERSHIP_KEY_PIDS;
    bool is_last = list.count - first <= GCL_MEMBERSHIP_LIST_MAX;
    if (is_last)
        message->keys |= entry->keys;
    else
        list.count = first + GCL_MEMBERSHIP_LIST_MAX;
    list.first = first;
    list.count -= first;
    message->pids = list;
    return true;
}

/* A member or probing peer gets `leave` at its even step and is demonitored at its odd one; then
 * come the seeds. */
static bool farewell_next(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                          struct gcl_membership_effect *effect)
{
    size_t peers = 2 * m->peers.count;
    (void)entry;
    while (m->queue.walked < peers) {
        size_t at = m->queue.walked++;
        const struct gcl_member_peer *peer = m->peers.sorted[at / 2];
        if (peer->tag == 0)
            continue;
        if (at % 2 == 0) {
            begin_send(m, effect, GCL_MEMBERSHIP_LEAVE, &peer->id);
        } else {
            begin(effect, GCL_MEMBERSHIP_DEMONITOR);
            effect->tag = peer->tag;
        }
        return true;
    }
    while (m->queue.walked - peers < m->seeds.count) {
        const struct gcl_member_seed *seed = &m->seeds.sorted[m->queue.walked++ - peers];
        if (seed->tag == 0)
            continue;
        begin(effect, GCL_MEMBERSHIP_DEMONITOR);
        effect->tag = seed->tag;
        return true;
    }
    gcl_membership_clear(m);
    return false;
}

/* --- single effects ------------------------------------------------------------------------- */

static void fill_single(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                        struct gcl_membership_effect *effect)
{
    begin(effect, entry->kind);
    switch (effect->kind) {
    case GCL_MEMBERSHIP_SEND:
        send_entry(m, entry, entry->id, effect);
        break;
    case GCL_MEMBERSHIP_MONITOR:
        effect->to.member = entry->id;
        if (entry->id == NULL)
            effect->to.node = entry->node->name;
        effect->tag = entry->number;
        break;
    case GCL_MEMBERSHIP_DEMONITOR:
        effect->tag = entry->number;
        break;
    case GCL_MEMBERSHIP_WAKE:
        effect->at_ms = entry->number;
        break;
    case GCL_MEMBERSHIP_HANDLE_LEAVE:
        effect->departure = (enum gcl_membership_departure)entry->departure;
        if (effect->departure == GCL_MEMBERSHIP_EXITED)
            effect->reason = m->reason;
        effect->member = entry->id;
        effect->members = gcl_member_peers_view(&m->peers);
        break;
    case GCL_MEMBERSHIP_HANDLE_JOIN:
    case GCL_MEMBERSHIP_HANDLE_NODE_JOINED:
    case GCL_MEMBERSHIP_SILENT_JOIN:
    case GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE:
        effect->member = entry->id;
        effect->members = gcl_member_peers_view(&m->peers);
        break;
    case GCL_MEMBERSHIP_IGNORED:
        effect->member = entry->id;
        break;
    case GCL_MEMBERSHIP_REGISTER_LOCAL:
    case GCL_MEMBERSHIP_UNREGISTER_LOCAL:
    case GCL_MEMBERSHIP_REGISTER_GLOBAL:
    case GCL_MEMBERSHIP_UNREGISTER_GLOBAL:
    case GCL_MEMBERSHIP_WHEREIS_GLOBAL:
        break;
    }
}

static bool walk_next(struct gcl_membership *m, const struct gcl_membership_entry *entry,
                      struct gcl_membership_effect *effect)
{
    if (entry->kind == GCL_MEMBERSHIP_ENTRY_TELL_ALL)
        return tell_next(m, entry, effect);
    if (entry->kind == GCL_MEMBERSHIP_ENTRY_LIST)
        return list_next(m, entry, effect);
    return farewell_next(m, entry, effect);
}

bool gcl_membership_next(struct gcl_membership *m, struct gcl_membership_effect *effect)
{
    const struct gcl_membership_entry *entry;
    while ((entry = gcl_membership_queue_first(&m->queue)) != NULL) {
        if (entry->kind < GCL_MEMBERSHIP_ENTRY_TELL_ALL) {
            fill_single(m, entry, effect);
            gcl_membership_queue_take(&m->queue);
            return true;
        }
        if (walk_next(m, entry, effect))
            return true;
        gcl_membership_queue_take(&m->queue);
    }
    return false;
}

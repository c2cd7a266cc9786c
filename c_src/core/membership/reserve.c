/* SPDX-License-Identifier: Apache-2.0 */
/* All memory that a step could need is taken before anything changes; what is left over is given
 * back by the next step. */
#include <gen_cluster/error.h>

#include "core/membership/machine.h"

/* More than the entries of any step that does not go over seeds, pids or suspects. */
enum { ENTRIES = 32 };

struct plan {
    struct gcl_membership *m;
    struct gcl_member_peer **last_spare;
    size_t spares;
    size_t entries;
};

/* Some transition may come to know `id`. */
static int plan_peer(struct plan *plan, const struct gcl_member_id *id)
{
    struct gcl_member_peer *peer = gcl_member_peer_new(&plan->m->peers, id);
    if (peer == NULL)
        return GCL_ENOMEM;
    *plan->last_spare = peer;
    plan->last_spare = &peer->next;
    plan->spares++;
    plan->entries += 2; /* monitor and hello */
    return 0;
}

static int plan_unknown(struct plan *plan, const struct gcl_member_id *id)
{
    return id == NULL || gcl_member_peers_find(&plan->m->peers, id) != NULL ? 0
                                                                            : plan_peer(plan, id);
}

static int plan_label(struct plan *plan, const struct gcl_membership_label *label)
{
    return gcl_membership_label_copy(plan->m->mem, label, &plan->m->spare_label);
}

static int plan_sender(struct plan *plan, const struct gcl_member_peer *peer,
                       const struct gcl_membership_message *message)
{
    if (peer == NULL && plan_peer(plan, &message->from) != 0)
        return GCL_ENOMEM;
    if (!(message->keys & GCL_MEMBERSHIP_KEY_V) ||
        (peer != NULL && gcl_membership_label_equal(&peer->info.label, &message->info.label)))
        return 0;
    return plan_label(plan, &message->info.label);
}

static int plan_message(struct plan *plan, const struct gcl_membership_event *event)
{
    struct gcl_membership *m = plan->m;
    const struct gcl_membership_message *message = event->message;
    if (m->phase == GCL_MEMBERSHIP_OUT || !gcl_membership_makes_sense(m, message))
        return 0;
    struct gcl_member_peer *peer = gcl_member_peers_find(&m->peers, &message->from);
    if (peer != NULL && gcl_membership_is_later_stay(peer, message))
        peer = NULL;
    if (plan_sender(plan, peer, message) != 0)
        return GCL_ENOMEM;
    if ((message->keys & GCL_MEMBERSHIP_KEY_HOLDER) && plan_unknown(plan, &message->holder) != 0)
        return GCL_ENOMEM;
    if (message->kind != GCL_MEMBERSHIP_LIST)
        return 0;
    for (size_t i = 0; i < message->pids.count; i++) {
        if (plan_unknown(plan, gcl_member_list_at(&message->pids, i)) != 0)
            return GCL_ENOMEM;
    }
    return 0;
}

static bool may_be_seed(const struct gcl_membership *m, struct gcl_str name)
{
    const struct gcl_member_node *node = gcl_member_nodes_find(&m->nodes, name);
    return node != m->self->node && m->seeds.count < m->settings.max_seeds &&
           (node == NULL || gcl_member_seeds_find(&m->seeds, node) == NULL);
}

/* The only change that is made here: there are no seeds while the member is out. */
static int plan_start(struct plan *plan, const struct gcl_membership_event *event)
{
    struct gcl_membership *m = plan->m;
    if (m->phase != GCL_MEMBERSHIP_OUT)
        return 0;
    for (size_t i = 0; i < event->node_count; i++) {
        struct gcl_member_node *node;
        if (!may_be_seed(m, event->nodes[i]))
            continue;
        if (gcl_member_seeds_reserve(&m->seeds, 1) != 0 ||
            gcl_member_nodes_take(&m->nodes, event->nodes[i], &node) != 0) {
            gcl_member_seeds_fini(&m->seeds);
            return GCL_ENOMEM;
        }
        gcl_member_seeds_add(&m->seeds, node);
        gcl_member_nodes_release(&m->nodes, node);
    }
    return 0;
}

static int plan_join(struct plan *plan, const struct gcl_membership_event *event)
{
    struct gcl_membership *m = plan->m;
    if (m->phase == GCL_MEMBERSHIP_OUT || !may_be_seed(m, event->node))
        return 0;
    int error = gcl_member_nodes_take(&m->nodes, event->node, &m->spare_node);
    return error != 0 ? error : gcl_member_seeds_reserve(&m->seeds, 1);
}

static int plan_event(struct plan *plan, const struct gcl_membership_event *event)
{
    switch (event->kind) {
    case GCL_MEMBERSHIP_START:
        return plan_start(plan, event);
    case GCL_MEMBERSHIP_NAMED:
        return gcl_member_seeds_reserve(&plan->m->seeds, 1);
    case GCL_MEMBERSHIP_JOIN:
        return plan_join(plan, event);
    case GCL_MEMBERSHIP_RECEIVED:
        return plan_message(plan, event);
    case GCL_MEMBERSHIP_REGISTERED:
    case GCL_MEMBERSHIP_WHEREIS:
        return plan_unknown(plan, event->member);
    case GCL_MEMBERSHIP_UPDATE:
        return plan_label(plan, event->label);
    case GCL_MEMBERSHIP_NODEUP:
    case GCL_MEMBERSHIP_WOKEN:
        plan->entries += 2 * (plan->m->peers.probings + plan->m->peers.suspects);
        return 0;
    case GCL_MEMBERSHIP_GO:
    case GCL_MEMBERSHIP_DOWN:
    case GCL_MEMBERSHIP_CONFLICT:
    case GCL_MEMBERSHIP_EVENT_KINDS:
        return 0;
    }
    return 0;
}

static int make_room(struct plan *plan)
{
    struct gcl_membership *m = plan->m;
    size_t peers = m->peers.count + plan->spares;
    plan->entries += ENTRIES + 3 * m->seeds.count;
    if (gcl_member_peers_reserve(&m->peers, plan->spares) != 0 ||
        gcl_deadlines_reserve(&m->deadlines, peers + m->nodes.count) != 0)
        return GCL_ENOMEM;
    return gcl_membership_queue_reserve(&m->queue, plan->entries);
}

int gcl_membership_reserve(struct gcl_membership *m, const struct gcl_membership_event *event)
{
    struct plan plan = {.m = m, .last_spare = &m->spare};
    int error = plan_event(&plan, event);
    if (error == 0)
        error = make_room(&plan);
    if (error == 0)
        return 0;
    if (event->kind == GCL_MEMBERSHIP_START && m->phase == GCL_MEMBERSHIP_OUT)
        gcl_member_seeds_fini(&m->seeds);
    gcl_membership_unreserve(m);
    return GCL_ENOMEM;
}

static void free_all(struct gcl_membership *m, struct gcl_member_peer **list)
{
    while (*list != NULL) {
        struct gcl_member_peer *peer = *list;
        *list = peer->next;
        gcl_member_peer_free(&m->peers, peer);
    }
}

void gcl_membership_unreserve(struct gcl_membership *m)
{
    free_all(m, &m->spare);
    free_all(m, &m->removed);
    gcl_member_nodes_release(&m->nodes, m->spare_node);
    m->spare_node = NULL;
    gcl_free(m->mem, m->spare_label);
    m->spare_label = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "core/membership/membership.h"

#include <string.h>

#include <gen_cluster/error.h>

#include "core/membership/machine.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

void gcl_membership_config_init(struct gcl_membership_config *config)
{
    memset(config, 0, sizeof *config);
    config->settings = (struct gcl_membership_settings){
        .settle_ms = 5 * SECOND,
        .probe_base_ms = SECOND,
        .probe_max_ms = 30 * SECOND,
        .probe_tries = 8,
        .retry_base_ms = SECOND,
        .retry_max_ms = MINUTE,
        .sync_ms = 10 * SECOND,
        .sync_fast_ms = SECOND,
        .take_step_ms = 500,
        .take_retry_ms = 2 * SECOND,
        .hold_ms = 5 * SECOND,
        .quorum = 1,
        .suspect_ttl_ms = 24 * HOUR,
        .hearsay_ttl_ms = 10 * MINUTE,
        .max_suspects = 4096,
        .max_peers = 16384,
        .max_seeds = 256,
    };
}

static int make_self(struct gcl_membership *m, const struct gcl_membership_config *config)
{
    uint8_t *label;
    struct gcl_member_peer *self = gcl_member_peer_new(&m->peers, &config->self);
    if (self == NULL)
        return GCL_ENOMEM;
    if (gcl_membership_label_copy(m->mem, &config->label, &label) != 0 ||
        gcl_member_peers_reserve(&m->peers, 1) != 0) {
        gcl_free(m->mem, label);
        gcl_member_peer_free(&m->peers, self);
        return GCL_ENOMEM;
    }
    self->label = label;
    self->info.label = gcl_membership_label_in(label, &config->label);
    self->info.hidden = config->hidden;
    gcl_member_peers_add(&m->peers, self, GCL_MEMBER_SELF);
    m->self = self;
    return 0;
}

int gcl_membership_new(const struct gcl_membership_config *config, struct gcl_membership **out)
{
    if (config->self.node.size == 0 || config->hash.begin == NULL || config->hash.add == NULL ||
        config->hash.end == NULL)
        return GCL_EINVAL;
    struct gcl_membership *m = gcl_alloc_zero(config->mem, sizeof *m);
    if (m == NULL)
        return GCL_ENOMEM;
    m->mem = config->mem;
    m->settings = config->settings;
    m->hash = config->hash;
    m->is_digest_stale = true;
    m->settle_due_ms = m->sync_due_ms = m->take_due_ms = m->hold_due_ms = GCL_NEVER;
    m->wake_ms = m->hurried_ms = GCL_NEVER;
    gcl_member_nodes_init(&m->nodes, m->mem);
    gcl_member_peers_init(&m->peers, m->mem, &m->nodes);
    gcl_member_seeds_init(&m->seeds, m->mem, &m->nodes);
    gcl_deadlines_init(&m->deadlines, m->mem);
    gcl_membership_queue_init(&m->queue, m->mem);
    int error = make_self(m, config);
    if (error != 0) {
        gcl_membership_free(m);
        return error;
    }
    *out = m;
    return 0;
}

void gcl_membership_free(struct gcl_membership *m)
{
    if (m == NULL)
        return;
    gcl_membership_unreserve(m);
    gcl_membership_clear(m);
    gcl_membership_queue_fini(&m->queue);
    gcl_deadlines_fini(&m->deadlines);
    gcl_member_peers_fini(&m->peers);
    gcl_member_nodes_fini(&m->nodes);
    gcl_free(m->mem, m);
}

int gcl_membership_step(struct gcl_membership *m, uint64_t now_ms, uint32_t random,
                        const struct gcl_membership_event *event)
{
    if (gcl_membership_queue_first(&m->queue) != NULL)
        return GCL_EBUSY;
    gcl_membership_unreserve(m);
    int error = gcl_membership_reserve(m, event);
    if (error != 0)
        return error;
    m->now_ms = now_ms;
    m->random = random;
    gcl_membership_dispatch(m, event);
    gcl_membership_finish(m);
    return 0;
}

enum gcl_membership_phase gcl_membership_phase(const struct gcl_membership *m)
{
    return m->phase;
}

uint64_t gcl_membership_stay(const struct gcl_membership *m)
{
    return m->stay;
}

struct gcl_member_list gcl_membership_members(struct gcl_membership *m)
{
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return gcl_member_list_of(NULL, 0);
    return gcl_member_peers_view(&m->peers);
}

bool gcl_membership_find(const struct gcl_membership *m, const struct gcl_member_id *id,
                         struct gcl_membership_info *info)
{
    const struct gcl_member_peer *peer = gcl_member_peers_find(&m->peers, id);
    if (m->phase == GCL_MEMBERSHIP_OUT || peer == NULL || !gcl_member_peer_is_member(peer))
        return false;
    *info = peer->info;
    return true;
}

const struct gcl_member_id *gcl_membership_leader(const struct gcl_membership *m)
{
    return m->leader != NULL ? &m->leader->id : NULL;
}

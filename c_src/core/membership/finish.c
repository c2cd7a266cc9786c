/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked after every event, in this order: seeds, settling, quorum, leader, take-over, the
 * next deadline. */
#include "core/membership/machine.h"

/* A seed on whose node nobody is known any more is asked again. */
static void rearm_seeds(struct gcl_membership *m)
{
    for (size_t i = 0; i < m->seeds.count; i++) {
        struct gcl_member_seed *seed = &m->seeds.sorted[i];
        if (seed->due_ms == GCL_NEVER && seed->tag == 0 && seed->node->members == 0 &&
            seed->node->probings == 0)
            seed->due_ms = gcl_membership_backoff(m, m->settings.retry_base_ms,
                                                  m->settings.retry_max_ms, seed->tries);
    }
}

static bool may_settle(const struct gcl_membership *m)
{
    if (m->phase != GCL_MEMBERSHIP_JOINING || m->asking || m->naming || m->peers.probings > 0)
        return false;
    for (size_t i = 0; i < m->seeds.count; i++) {
        if (!m->seeds.sorted[i].ok)
            return false;
    }
    return true;
}

/* A leader that renounced stays reported until a claim of another is known or the time is over: so
 * the losing side of a heal sees one change and not two. */
static bool is_held(struct gcl_membership *m, const struct gcl_member_peer *claimant)
{
    if (claimant != NULL || !gcl_membership_has_quorum(m) || m->leader == NULL ||
        !gcl_member_peer_is_member(m->leader)) {
        m->hold_due_ms = GCL_NEVER;
        return false;
    }
    if (m->hold_due_ms == GCL_NEVER)
        m->hold_due_ms = m->now_ms + m->settings.hold_ms;
    if (m->now_ms < m->hold_due_ms)
        return true;
    m->hold_due_ms = GCL_NEVER;
    return false;
}

static void report_leader(struct gcl_membership *m, struct gcl_member_peer *leader)
{
    if (leader == m->leader)
        return;
    m->leader = leader;
    gcl_membership_add(m, GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE)->id =
        leader != NULL ? &leader->id : NULL;
}

/* How many members come before this one that could lead as well. */
static uint64_t rank(const struct gcl_membership *m)
{
    uint64_t before = 0;
    for (size_t i = 0; m->peers.sorted[i] != m->self; i++) {
        const struct gcl_member_peer *peer = m->peers.sorted[i];
        before += peer->state == GCL_MEMBER_CONFIRMED && !peer->info.hidden;
    }
    return before;
}

static void take_over(struct gcl_membership *m, bool is_vacant)
{
    if (m->asking)
        return;
    if (!is_vacant || m->phase != GCL_MEMBERSHIP_SETTLED || m->self->info.hidden) {
        m->take_due_ms = GCL_NEVER;
        m->take_tries = 0;
        return;
    }
    if (m->take_due_ms == GCL_NEVER)
        m->take_due_ms = m->now_ms + m->settings.take_step_ms * rank(m);
    if (m->take_due_ms > m->now_ms)
        return;
    gcl_membership_add(m, GCL_MEMBERSHIP_REGISTER_GLOBAL);
    m->asking = true;
    m->take_due_ms = GCL_NEVER;
}

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static uint64_t earliest(const struct gcl_membership *m)
{
    uint64_t at_ms = earlier(gcl_deadlines_next(&m->deadlines), m->settle_due_ms);
    at_ms = earlier(at_ms, m->sync_due_ms);
    if (!m->asking)
        at_ms = earlier(at_ms, m->take_due_ms);
    at_ms = earlier(at_ms, m->hold_due_ms);
    for (size_t i = 0; i < m->seeds.count; i++)
        at_ms = earlier(at_ms, m->seeds.sorted[i].due_ms);
    return at_ms;
}

static void set_wake(struct gcl_membership *m)
{
    uint64_t at_ms = earliest(m);
    if (at_ms == m->wake_ms)
        return;
    m->wake_ms = at_ms;
    gcl_membership_add(m, GCL_MEMBERSHIP_WAKE)->number = at_ms;
}

void gcl_membership_finish(struct gcl_membership *m)
{
    if (m->phase == GCL_MEMBERSHIP_OUT)
        return;
    rearm_seeds(m);
    if (may_settle(m))
        gcl_membership_settle(m);
    bool has_quorum = gcl_membership_has_quorum(m);
    if (m->self->info.claim && !has_quorum) {
        gcl_membership_add(m, GCL_MEMBERSHIP_UNREGISTER_GLOBAL);
        gcl_membership_set_claim(m, false, NULL);
    }
    struct gcl_member_peer *claimant = has_quorum ? gcl_member_peers_claimant(&m->peers) : NULL;
    bool is_kept = is_held(m, claimant);
    if (!is_kept)
        report_leader(m, claimant);
    take_over(m, has_quorum && claimant == NULL && !is_kept);
    set_wake(m);
}

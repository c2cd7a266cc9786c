/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The global name of the leader, {gen_cluster, Name}. A member of a visible node takes it as one of
 * Erlang does; one of a hidden node has no part in `global`: it finds nobody and never leads.
 */
#include "cluster/cluster.h"
#include "server/global/gns.h"

bool gcl_cluster_find_leader(struct gcl_cluster *cluster, struct gcl_member_id *leader)
{
    struct gcl_gns_service *gns = gcl_gns_of(cluster->node);
    gcl_pid holder;
    if (gns == NULL ||
        gcl_gns_holder(gns, GCL_MESSAGE("{gen_cluster, ~a}", (const char *)cluster->name),
                       &holder) != 0 ||
        gcl_pid_is_none(holder))
        return false;
    return gcl_cluster_id_of(cluster, holder, leader);
}

/* The outcome, with who has the name now. */
static gcl_result on_registered(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_cluster *cluster = user;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_REGISTERED, .yes = error == 0};
    struct gcl_member_id leader;
    (void)self;
    (void)term;
    if (error == GCL_ECANCELED || cluster->machine == NULL)
        return GCL_CONTINUE; /* it ends, or was told to give the name back before it had it */
    gcl_cluster_enter(cluster);
    if (gcl_cluster_find_leader(cluster, &leader))
        event.member = &leader;
    (void)gcl_cluster_event(cluster, &event);
    return gcl_cluster_leave_handler(cluster, GCL_CONTINUE);
}

void gcl_cluster_take_lead(struct gcl_cluster *cluster)
{
    static const struct gcl_gns_claim more = {.kind = GCL_GNS_CLAIM_MORE};
    int error = GCL_ENOTSUP;
    if (gcl_gns_of(cluster->node) != NULL)
        error = gcl_gns_claim(cluster->server, &more, on_registered, cluster,
                              GCL_MESSAGE("{gen_cluster, ~a}", (const char *)cluster->name));
    if (error != 0)
        cluster->answers.registered = true; /* not, but somebody may lead */
}

void gcl_cluster_leave_lead(struct gcl_cluster *cluster)
{
    if (gcl_gns_of(cluster->node) != NULL)
        (void)gcl_gns_give_back(cluster->server,
                                GCL_MESSAGE("{gen_cluster, ~a}", (const char *)cluster->name));
}

bool gcl_cluster_is_conflict(const struct gcl_cluster *cluster, gcl_term message)
{
    gcl_bytes name;
    return gcl_match(message, "{global_name_conflict, {gen_cluster, ~a}}", &name) &&
           gcl_str_is(gcl_str_make(name.bytes, name.size), cluster->name);
}

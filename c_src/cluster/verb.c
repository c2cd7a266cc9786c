/* SPDX-License-Identifier: Apache-2.0 */
/* What a program can change: seeds, whether it is a member, what it shows. */
#include "cluster/cluster.h"
#include "cluster/seeds.h"

enum { EMPTY_MAP_BYTES = 5 };

/* One without keys is kept as none. */
int gcl_cluster_take_meta(struct gcl_cluster *cluster, gcl_term meta)
{
    bool has_keys = gcl_cluster_meta_of(meta).size > 0;
    bool is_empty = gcl_match(meta, "#{}") && gcl_term_size(meta) == EMPTY_MAP_BYTES;
    if (has_keys || is_empty)
        gcl_term_free(cluster->meta);
    if (has_keys) {
        cluster->meta = meta;
        return 0;
    }
    gcl_term_free(meta);
    if (!is_empty)
        return GCL_EINVAL;
    cluster->meta = gcl_term_make(&cluster->node->terms, NULL, 0);
    return 0;
}

int gcl_cluster_join(gcl_cluster *cluster, const char *name)
{
    struct gcl_str node = gcl_str_of(name);
    int error = gcl_cluster_check(cluster);
    if (error == 0 && !gcl_cluster_is_node(node))
        error = GCL_ENAME;
    if (error != 0)
        return error;
    bool is_out = gcl_membership_phase(cluster->machine) == GCL_MEMBERSHIP_OUT;
    bool is_here = gcl_str_equal(node, gcl_str_of(cluster->node->name));
    struct gcl_membership_event event = {.kind =
                                             is_out ? GCL_MEMBERSHIP_START : GCL_MEMBERSHIP_JOIN,
                                         .node = node,
                                         .nodes = &node,
                                         .node_count = is_here ? 0 : 1};
    return gcl_cluster_event(cluster, &event);
}

/* The machine has no news of a leave of one's own, but who watches shall see an empty house. */
static void notify_all_left(struct gcl_cluster *cluster)
{
    gcl_pid self = gcl_self(cluster->server);
    gcl_member member;
    if (gcl_list_is_empty(&cluster->subscribers))
        return;
    for (size_t i = 0; gcl_cluster_member(cluster, i, &member); i++)
        if (!gcl_pid_equal(member.pid, self))
            gcl_cluster_notify(cluster, GCL_MESSAGE("{left, ~p, left}", member.pid));
    if (!gcl_pid_is_none(gcl_cluster_leader(cluster)))
        gcl_cluster_notify(cluster, GCL_MESSAGE("{leader, undefined}"));
}

int gcl_cluster_leave(gcl_cluster *cluster)
{
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_GO};
    int error = gcl_cluster_check(cluster);
    if (error != 0)
        return error;
    notify_all_left(cluster);
    /* What was still to be told is about a cluster that this member is outside of now. */
    gcl_cluster_callbacks_forget(cluster);
    return gcl_cluster_event(cluster, &event);
}

int gcl_cluster_set_meta_message(gcl_cluster *cluster, gcl_message message)
{
    gcl_term meta;
    int error = gcl_cluster_check(cluster);
    if (error != 0)
        return error;
    gcl_writer_clear(cluster->writer);
    error = gcl_write_message(cluster->writer, message);
    if (error == 0)
        error = gcl_term_copy(gcl_writer_term(cluster->writer), &meta);
    if (error == 0)
        error = gcl_cluster_take_meta(cluster, meta);
    return error != 0 ? error : gcl_cluster_update(cluster);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* To all members, in order. A publication is {'$gen_cluster', 1, publish, Cluster, From, Map}. */
#include "cluster/cluster.h"

#include "wire/term/context.h"

static int tell(struct gcl_cluster *cluster, gcl_term term)
{
    struct gcl_cluster_news news = {.kind = GCL_CLUSTER_CALLBACK_PUBLISH,
                                    .term =
                                        gcl_str_make(gcl_term_bytes(term), gcl_term_size(term))};
    return gcl_cluster_tell(cluster, &news);
}

/* A slow member keeps nobody else from hearing it. */
static void say(struct gcl_cluster *cluster, const struct gcl_member_id *to, gcl_term message)
{
    gcl_pid pid;
    int error = gcl_cluster_pid_of(cluster, to, &pid);
    if (error == 0)
        error = gcl_send(cluster->server, gcl_to_pid(pid), "~t", message);
    if (error != 0)
        gcl_cluster_warn(cluster, to->node, "loses publications for", gcl_strerror(error));
}

static bool is_self(struct gcl_cluster *cluster, const struct gcl_member_id *id)
{
    struct gcl_member_id self;
    return gcl_cluster_id_of(cluster, gcl_self(cluster->server), &self) &&
           gcl_member_id_equal(id, &self);
}

int gcl_cluster_publish_term(struct gcl_cluster *cluster, gcl_term term)
{
    struct gcl_member_list members = gcl_membership_members(cluster->machine);
    gcl_writer *writer = cluster->writer;
    if (members.count == 0)
        return 0; /* it is out */
    int error = tell(cluster, term);
    if (error != 0)
        return error;
    gcl_cluster_schedule(cluster);
    gcl_writer_clear(writer);
    error = gcl_write(writer, "{'$gen_cluster', 1, publish, ~a, ~p, #{stay => ~u, term => ~t}}",
                      (const char *)cluster->name, gcl_self(cluster->server),
                      gcl_membership_stay(cluster->machine), term);
    for (size_t i = 0; i < members.count && error == 0; i++) {
        const struct gcl_member_id *to = gcl_member_list_at(&members, i);
        if (!is_self(cluster, to))
            say(cluster, to, gcl_writer_term(writer));
    }
    return error;
}

int gcl_cluster_publish_message(gcl_cluster *cluster, gcl_message message)
{
    gcl_term term;
    int error = gcl_cluster_check(cluster);
    if (error != 0)
        return error;
    gcl_writer_clear(cluster->writer);
    error = gcl_write_message(cluster->writer, message);
    if (error == 0)
        error = gcl_term_copy(gcl_writer_term(cluster->writer), &term);
    if (error != 0)
        return error;
    error = gcl_cluster_publish_term(cluster, term);
    gcl_term_free(term);
    return error;
}

bool gcl_cluster_take_publication(struct gcl_cluster *cluster, gcl_term message)
{
    gcl_term from, term;
    gcl_bytes name;
    struct gcl_member_id id;
    struct gcl_membership_info info;
    if (!gcl_match(message, "{'$gen_cluster', 1, publish, ~a, ~t, #{term := ~t}}", &name, &from,
                   &term) ||
        !gcl_str_equal(gcl_str_make(name.bytes, name.size), gcl_cluster_name(cluster)) ||
        !gcl_cluster_pid_decode(from, &id))
        return false;
    /* Of others it is late, or none of ours; what this one publishes it tells itself. */
    bool is_ours = gcl_membership_find(cluster->machine, &id, &info) && !is_self(cluster, &id) &&
                   gcl_term_check(term) == 0;
    if (is_ours && tell(cluster, term) != 0)
        gcl_cluster_warn(cluster, id.node, "loses publications of", "no memory");
    return true;
}

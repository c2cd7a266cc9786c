/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are told of events, until they are gone. */
#include "cluster/cluster.h"

struct subscriber {
    struct gcl_list at;
    gcl_ref ref; /* of the monitor, and in what is sent */
    gcl_pid pid;
};

static struct subscriber *find(struct gcl_cluster *cluster, const gcl_ref *ref)
{
    GCL_LIST_EACH(&cluster->subscribers, at, following)
    {
        struct subscriber *subscriber = GCL_CONTAINER_OF(at, struct subscriber, at);
        if (gcl_ref_equal(&subscriber->ref, ref))
            return subscriber;
    }
    return NULL;
}

static void drop(struct gcl_cluster *cluster, struct subscriber *subscriber)
{
    gcl_list_remove(&subscriber->at);
    gcl_free(cluster->mem, subscriber);
}

int gcl_cluster_subscribe(gcl_cluster *cluster, gcl_pid pid, gcl_ref *ref)
{
    int error = gcl_cluster_check(cluster);
    if (error != 0)
        return error;
    struct subscriber *subscriber = gcl_alloc_zero(cluster->mem, sizeof *subscriber);
    if (subscriber == NULL)
        return GCL_ENOMEM;
    error = gcl_monitor(cluster->server, gcl_to_pid(pid), ref);
    if (error != 0) {
        gcl_free(cluster->mem, subscriber);
        return error;
    }
    subscriber->ref = *ref;
    subscriber->pid = pid;
    gcl_list_init(&subscriber->at);
    gcl_list_add_last(&cluster->subscribers, &subscriber->at);
    return 0;
}

int gcl_cluster_unsubscribe(gcl_cluster *cluster, gcl_ref ref)
{
    struct subscriber *subscriber = find(cluster, &ref);
    if (subscriber == NULL)
        return GCL_ENOENT;
    drop(cluster, subscriber);
    (void)gcl_demonitor(cluster->server, ref);
    return 0;
}

void gcl_cluster_notify(struct gcl_cluster *cluster, gcl_message event)
{
    gcl_writer_clear(cluster->writer);
    if (gcl_list_is_empty(&cluster->subscribers) || gcl_write_message(cluster->writer, event) != 0)
        return;
    gcl_term term = gcl_writer_term(cluster->writer);
    GCL_LIST_EACH(&cluster->subscribers, at, following)
    {
        struct subscriber *subscriber = GCL_CONTAINER_OF(at, struct subscriber, at);
        int error = gcl_send(cluster->server, gcl_to_pid(subscriber->pid), "{gen_cluster, ~r, ~t}",
                             subscriber->ref, term);
        struct gcl_member_id id;
        if (error != 0 && gcl_cluster_id_of(cluster, subscriber->pid, &id))
            gcl_cluster_warn(cluster, id.node, "loses events for subscribers on",
                             gcl_strerror(error));
    }
}

bool gcl_cluster_subscriber_down(struct gcl_cluster *cluster, const gcl_ref *ref)
{
    struct subscriber *subscriber = find(cluster, ref);
    if (subscriber != NULL)
        drop(cluster, subscriber);
    return subscriber != NULL;
}

void gcl_cluster_subscribers_fini(struct gcl_cluster *cluster)
{
    struct gcl_list *first;
    while ((first = gcl_list_first(&cluster->subscribers)) != NULL)
        drop(cluster, GCL_CONTAINER_OF(first, struct subscriber, at));
}

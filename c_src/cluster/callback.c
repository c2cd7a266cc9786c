/* SPDX-License-Identifier: Apache-2.0 */
/* What the user is to be told, kept until the machine is at rest. */
#include <string.h>

#include "cluster/cluster.h"
#include "wire/term/context.h"

struct callback {
    struct gcl_cluster_pending pending;
    gcl_departure why;
    gcl_pid pid;
    size_t count;
    struct gcl_str term; /* behind the pids */
    gcl_pid pids[];
};

static bool is_wanted(const struct gcl_cluster *cluster, enum gcl_cluster_callback_kind kind)
{
    const gcl_cluster_handlers *handlers = cluster->handlers;
    switch (kind) {
    case GCL_CLUSTER_CALLBACK_JOIN:
        return handlers->handle_join != NULL;
    case GCL_CLUSTER_CALLBACK_NODE_JOINED:
        return handlers->handle_node_joined != NULL;
    case GCL_CLUSTER_CALLBACK_LEAVE:
        return handlers->handle_leave != NULL;
    case GCL_CLUSTER_CALLBACK_LEADER:
        return handlers->handle_leader_change != NULL;
    case GCL_CLUSTER_CALLBACK_PUBLISH:
        return handlers->handle_publish != NULL;
    case GCL_CLUSTER_CALLBACK_OUTCOME:
        return true;
    }
    return false;
}

static int fill_pids(struct gcl_cluster *cluster, struct callback *callback,
                     const struct gcl_cluster_news *news)
{
    int error = 0;
    if (news->member != NULL)
        error = gcl_cluster_pid_of(cluster, news->member, &callback->pid);
    for (size_t i = 0; i < callback->count && error == 0; i++)
        error =
            gcl_cluster_pid_of(cluster, gcl_member_list_at(&news->members, i), &callback->pids[i]);
    return error;
}

int gcl_cluster_tell(struct gcl_cluster *cluster, const struct gcl_cluster_news *news)
{
    size_t count = news->members.count;
    struct callback *callback;
    if (!is_wanted(cluster, news->kind))
        return 0;
    size_t pids = count * sizeof *callback->pids;
    callback = gcl_alloc_zero(cluster->mem, sizeof *callback + pids + news->term.size);
    if (callback == NULL)
        return GCL_ENOMEM;
    uint8_t *bytes = (uint8_t *)(callback + 1) + pids;
    if (news->term.size > 0)
        memcpy(bytes, news->term.bytes, news->term.size);
    callback->term = gcl_str_make(bytes, news->term.size);
    callback->pending.kind = news->kind;
    callback->why = news->why;
    callback->count = count;
    int error = fill_pids(cluster, callback, news);
    if (error != 0) {
        gcl_free(cluster->mem, callback);
        return error;
    }
    gcl_list_init(&callback->pending.at);
    gcl_list_add_last(&cluster->pending, &callback->pending.at);
    return 0;
}

static gcl_result run(struct gcl_cluster *cluster, struct callback *callback)
{
    const gcl_cluster_handlers *handlers = cluster->handlers;
    gcl_pids all = {callback->pids, callback->count};
    gcl_term term = gcl_term_of(&cluster->node->terms, callback->term);
    switch (callback->pending.kind) {
    case GCL_CLUSTER_CALLBACK_JOIN:
        return handlers->handle_join(cluster, callback->pid, all, cluster->user);
    case GCL_CLUSTER_CALLBACK_NODE_JOINED:
        return handlers->handle_node_joined(cluster, callback->pid, all, cluster->user);
    case GCL_CLUSTER_CALLBACK_LEAVE:
        return handlers->handle_leave(cluster, callback->pid, all, callback->why, term,
                                      cluster->user);
    case GCL_CLUSTER_CALLBACK_LEADER:
        return handlers->handle_leader_change(cluster, callback->pid, all, cluster->user);
    case GCL_CLUSTER_CALLBACK_PUBLISH:
        return handlers->handle_publish(cluster, term, cluster->user);
    case GCL_CLUSTER_CALLBACK_OUTCOME:
        break;
    }
    return GCL_CONTINUE;
}

static gcl_result run_first(struct gcl_cluster *cluster)
{
    struct gcl_list *first = gcl_list_first(&cluster->pending);
    struct gcl_cluster_pending *pending = GCL_CONTAINER_OF(first, struct gcl_cluster_pending, at);
    gcl_list_remove(first);
    if (pending->kind == GCL_CLUSTER_CALLBACK_OUTCOME)
        return gcl_cluster_ballot_end(cluster, pending);
    struct callback *callback = GCL_CONTAINER_OF(pending, struct callback, pending);
    gcl_result result = run(cluster, callback);
    gcl_free(cluster->mem, callback);
    return result;
}

void gcl_cluster_enter(struct gcl_cluster *cluster)
{
    cluster->is_handling = true;
}

static bool goes_on(const struct gcl_cluster *cluster, gcl_result result)
{
    return result == GCL_CONTINUE && !cluster->is_broken && !cluster->server->is_mistaken;
}

gcl_result gcl_cluster_leave_handler(struct gcl_cluster *cluster, gcl_result result)
{
    while (goes_on(cluster, result) && !gcl_list_is_empty(&cluster->pending))
        result = run_first(cluster);
    if (goes_on(cluster, result) && cluster->has_changed)
        result = gcl_cluster_check_waits(cluster);
    cluster->is_handling = false;
    gcl_cluster_schedule(cluster); /* for what was begun just now */
    if (cluster->is_broken && result == GCL_CONTINUE)
        return gcl_stop(cluster->server, "system_limit");
    return result;
}

void gcl_cluster_schedule(struct gcl_cluster *cluster)
{
    bool has_waits = cluster->has_changed && !gcl_list_is_empty(&cluster->waits);
    bool is_needed = cluster->is_broken || has_waits || !gcl_list_is_empty(&cluster->pending);
    if (cluster->is_handling || cluster->callback_timer != 0 || !is_needed)
        return;
    if (gcl_timer_start(cluster->server, 0, &cluster->callback_timer) != 0)
        gcl_log(&cluster->node->log, GCL_LOG_ERROR, "cluster",
                "no memory: callbacks of %s wait for its next message", cluster->name);
}

static void forget(struct gcl_cluster *cluster, struct gcl_list *at)
{
    struct gcl_cluster_pending *pending = GCL_CONTAINER_OF(at, struct gcl_cluster_pending, at);
    gcl_list_remove(at);
    gcl_free(cluster->mem, GCL_CONTAINER_OF(pending, struct callback, pending));
}

static bool is_of_membership(enum gcl_cluster_callback_kind kind)
{
    return kind != GCL_CLUSTER_CALLBACK_PUBLISH && kind != GCL_CLUSTER_CALLBACK_OUTCOME;
}

void gcl_cluster_callbacks_forget(struct gcl_cluster *cluster)
{
    GCL_LIST_EACH(&cluster->pending, at, following)
    {
        if (is_of_membership(GCL_CONTAINER_OF(at, struct gcl_cluster_pending, at)->kind))
            forget(cluster, at);
    }
}

void gcl_cluster_callbacks_fini(struct gcl_cluster *cluster)
{
    struct gcl_list *first;
    while ((first = gcl_list_first(&cluster->pending)) != NULL)
        forget(cluster, first);
}

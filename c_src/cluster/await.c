/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that wait until something is so. What they wait for is looked at when handlers are over
 * and something may have changed. */
#include "cluster/cluster.h"

struct wait {
    struct gcl_list at;
    struct gcl_cluster *cluster;
    gcl_predicate_function *is_so;
    gcl_await_function *done;
    void *user;
    uint64_t timer; /* 0: none */
};

static gcl_result end(struct wait *wait, int error)
{
    struct gcl_cluster *cluster = wait->cluster;
    gcl_await_function *done = wait->done;
    void *user = wait->user;
    if (wait->timer != 0)
        (void)gcl_timer_cancel(cluster->server, wait->timer);
    gcl_list_remove(&wait->at);
    gcl_free(cluster->mem, wait);
    return done(cluster, error, user);
}

int gcl_cluster_await(gcl_cluster *cluster, gcl_predicate_function *is_so, uint32_t timeout_ms,
                      gcl_await_function *done, void *user)
{
    int error = gcl_cluster_check(cluster);
    if (error == 0 && (is_so == NULL || done == NULL))
        error = GCL_EINVAL;
    if (error != 0)
        return error;
    struct wait *wait = gcl_alloc_zero(cluster->mem, sizeof *wait);
    if (wait == NULL)
        return GCL_ENOMEM;
    if (timeout_ms != GCL_INFINITY)
        error = gcl_timer_start(cluster->server, timeout_ms, &wait->timer);
    if (error != 0) {
        gcl_free(cluster->mem, wait);
        return error;
    }
    wait->cluster = cluster;
    wait->is_so = is_so;
    wait->done = done;
    wait->user = user;
    gcl_list_init(&wait->at);
    gcl_list_add_last(&cluster->waits, &wait->at);
    cluster->has_changed = true;
    gcl_cluster_schedule(cluster);
    return 0;
}

gcl_result gcl_cluster_check_waits(struct gcl_cluster *cluster)
{
    struct gcl_list waits;
    gcl_result result = GCL_CONTINUE;
    gcl_list_init(&waits);
    gcl_list_move_all(&waits, &cluster->waits);
    cluster->has_changed = false;
    while (!gcl_list_is_empty(&waits)) {
        struct wait *wait = GCL_CONTAINER_OF(waits.next, struct wait, at);
        gcl_list_remove(&wait->at);
        gcl_list_add_last(&cluster->waits, &wait->at);
        if (result == GCL_CONTINUE && wait->is_so(cluster, wait->user))
            result = end(wait, 0);
    }
    return result;
}

bool gcl_cluster_wait_expired(struct gcl_cluster *cluster, uint64_t timer, gcl_result *result)
{
    GCL_LIST_EACH(&cluster->waits, at, following)
    {
        struct wait *wait = GCL_CONTAINER_OF(at, struct wait, at);
        if (wait->timer != timer)
            continue;
        wait->timer = 0;
        *result = end(wait, GCL_ETIMEOUT);
        return true;
    }
    return false;
}

void gcl_cluster_waits_fini(struct gcl_cluster *cluster)
{
    struct gcl_list *first;
    while ((first = gcl_list_first(&cluster->waits)) != NULL)
        (void)end(GCL_CONTAINER_OF(first, struct wait, at), GCL_ECANCELED);
}

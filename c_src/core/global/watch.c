/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that have names or locks. The three of the machine itself live as long as it does and
 * are not monitored. */
#include "core/global/machine.h"

static bool is_watch_of(const void *item, const void *key)
{
    const struct gcl_gns_watch *watch = item;
    return gcl_pid_equal(watch->pid, *(const gcl_pid *)key);
}

static uint32_t hash_pid(const struct gcl_gns *gns, gcl_pid pid)
{
    const uint32_t words[4] = {pid.node, pid.generation, pid.id, pid.serial};
    return gcl_hash(gns->config.seed, words, sizeof words);
}

static bool is_monitored(const struct gcl_gns *gns, gcl_pid pid)
{
    for (int i = 0; i < GCL_GNS_ACTORS; i++)
        if (gcl_pid_equal(pid, gns->config.actors[i]))
            return false;
    return true;
}

struct gcl_gns_watch *gcl_gns_watch_find(const struct gcl_gns *gns, gcl_pid pid)
{
    return gcl_table_find(&gns->watches, hash_pid(gns, pid), is_watch_of, &pid);
}

struct gcl_gns_watch *gcl_gns_watch_of(struct gcl_gns *gns, gcl_pid pid)
{
    struct gcl_gns_watch *watch = gcl_gns_watch_find(gns, pid);
    if (watch != NULL)
        return watch;
    watch = gcl_alloc_zero(gns->config.mem, sizeof *watch);
    if (watch == NULL) {
        gns->has_failed = true;
        return NULL;
    }
    watch->pid = pid;
    gcl_list_init(&watch->at_lost);
    watch->hash = hash_pid(gns, pid);
    gcl_list_init(&watch->names);
    gcl_list_init(&watch->holders);
    if (!gcl_gns_check(gns, gcl_table_add(&gns->watches, watch->hash, watch))) {
        gcl_free(gns->config.mem, watch);
        return NULL;
    }
    if (is_monitored(gns, pid))
        gcl_gns_monitor(gns, pid, true);
    return watch;
}

void gcl_gns_watch_tidy(struct gcl_gns *gns, struct gcl_gns_watch *watch)
{
    if (!gcl_list_is_empty(&watch->names) || !gcl_list_is_empty(&watch->holders))
        return;
    /* One that is down was taken out already, and is its finder's. */
    if (gcl_table_remove(&gns->watches, watch->hash, is_watch_of, &watch->pid) == NULL)
        return;
    if (is_monitored(gns, watch->pid))
        gcl_gns_monitor(gns, watch->pid, false);
    gcl_free(gns->config.mem, watch);
}

struct gcl_gns_watch *gcl_gns_watch_end(struct gcl_gns *gns, gcl_pid pid)
{
    return gcl_table_remove(&gns->watches, hash_pid(gns, pid), is_watch_of, &pid);
}

static void lose(struct gcl_gns *gns, struct gcl_gns_watch *watch)
{
    (void)gcl_gns_watch_end(gns, watch->pid);
    gcl_gns_monitor(gns, watch->pid, false);
    gcl_gns_locks_down(gns, watch);
    gcl_gns_names_down(gns, watch);
    gcl_free(gns->config.mem, watch);
}

void gcl_gns_watches_lose(struct gcl_gns *gns, const struct gcl_gns_node *node)
{
    struct gcl_gns_watch *watch;
    struct gcl_list lost, *at;
    size_t position = 0;
    gcl_list_init(&lost);
    while ((watch = gcl_table_each(&gns->watches, &position)) != NULL)
        if (gcl_gns_node_of_pid(gns, watch->pid) == node)
            gcl_list_add_last(&lost, &watch->at_lost);
    while ((at = gcl_list_first(&lost)) != NULL) {
        gcl_list_remove(at);
        lose(gns, GCL_CONTAINER_OF(at, struct gcl_gns_watch, at_lost));
    }
}

void gcl_gns_watches_fini(struct gcl_gns *gns)
{
    struct gcl_gns_watch *watch;
    size_t position = 0;
    while ((watch = gcl_table_each(&gns->watches, &position)) != NULL)
        gcl_free(gns->config.mem, watch);
    gcl_table_fini(&gns->watches);
}

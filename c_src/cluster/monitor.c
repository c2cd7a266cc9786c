/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/monitor.h"

#include <string.h>

static bool has_ref(const void *item, const void *key)
{
    const struct gcl_cluster_monitor *monitor = item;
    return gcl_ref_equal(&monitor->ref, key);
}

static bool has_tag(const void *item, const void *key)
{
    const struct gcl_cluster_monitor *monitor = item;
    return monitor->tag == *(const uint64_t *)key;
}

static uint32_t hash_ref(const struct gcl_cluster_monitors *monitors, const gcl_ref *ref)
{
    return gcl_hash(monitors->seed, ref->words, sizeof ref->words);
}

static uint32_t hash_tag(const struct gcl_cluster_monitors *monitors, uint64_t tag)
{
    return gcl_hash(monitors->seed, &tag, sizeof tag);
}

void gcl_cluster_monitors_init(struct gcl_cluster_monitors *monitors, const gcl_allocator *mem,
                               const uint64_t seed[2])
{
    monitors->mem = mem;
    monitors->seed = seed;
    gcl_table_init(&monitors->by_ref, mem);
    gcl_table_init(&monitors->by_tag, mem);
    gcl_list_init(&monitors->failed);
}

void gcl_cluster_monitors_fini(struct gcl_cluster_monitors *monitors)
{
    struct gcl_cluster_monitor *monitor;
    size_t position = 0;
    while ((monitor = gcl_table_each(&monitors->by_tag, &position)) != NULL)
        gcl_free(monitors->mem, monitor);
    gcl_table_fini(&monitors->by_tag);
    gcl_table_fini(&monitors->by_ref);
    gcl_list_init(&monitors->failed);
}

static int list(struct gcl_cluster_monitors *monitors, struct gcl_cluster_monitor *monitor,
                const gcl_ref *ref)
{
    int error = gcl_table_add(&monitors->by_tag, hash_tag(monitors, monitor->tag), monitor);
    if (error != 0)
        return error;
    if (ref == NULL) {
        gcl_list_add_last(&monitors->failed, &monitor->at_failed);
        return 0;
    }
    monitor->ref = *ref;
    error = gcl_table_add(&monitors->by_ref, hash_ref(monitors, ref), monitor);
    if (error != 0)
        (void)gcl_table_remove(&monitors->by_tag, hash_tag(monitors, monitor->tag), has_tag,
                               &monitor->tag);
    return error;
}

struct gcl_cluster_monitor *gcl_cluster_monitors_add(struct gcl_cluster_monitors *monitors,
                                                     const struct gcl_member_id *id, bool is_pid,
                                                     uint64_t tag, const gcl_ref *ref)
{
    struct gcl_cluster_monitor *monitor =
        gcl_alloc_zero(monitors->mem, sizeof *monitor + id->node.size);
    if (monitor == NULL)
        return NULL;
    memcpy(monitor->bytes, id->node.bytes, id->node.size);
    gcl_list_init(&monitor->at_failed);
    monitor->tag = tag;
    monitor->is_pid = is_pid;
    monitor->id = *id;
    monitor->id.node.bytes = monitor->bytes;
    if (list(monitors, monitor, ref) == 0)
        return monitor;
    gcl_free(monitors->mem, monitor);
    return NULL;
}

struct gcl_cluster_monitor *gcl_cluster_monitors_take_ref(struct gcl_cluster_monitors *monitors,
                                                          const gcl_ref *ref)
{
    struct gcl_cluster_monitor *monitor =
        gcl_table_remove(&monitors->by_ref, hash_ref(monitors, ref), has_ref, ref);
    if (monitor != NULL)
        (void)gcl_table_remove(&monitors->by_tag, hash_tag(monitors, monitor->tag), has_tag,
                               &monitor->tag);
    return monitor;
}

struct gcl_cluster_monitor *gcl_cluster_monitors_take_tag(struct gcl_cluster_monitors *monitors,
                                                          uint64_t tag)
{
    struct gcl_cluster_monitor *monitor =
        gcl_table_remove(&monitors->by_tag, hash_tag(monitors, tag), has_tag, &tag);
    if (monitor == NULL)
        return NULL;
    if (gcl_list_is_empty(&monitor->at_failed))
        (void)gcl_table_remove(&monitors->by_ref, hash_ref(monitors, &monitor->ref), has_ref,
                               &monitor->ref);
    gcl_list_remove(&monitor->at_failed);
    return monitor;
}

struct gcl_cluster_monitor *gcl_cluster_monitors_take_failed(struct gcl_cluster_monitors *monitors)
{
    struct gcl_list *first = gcl_list_first(&monitors->failed);
    if (first == NULL)
        return NULL;
    struct gcl_cluster_monitor *monitor =
        GCL_CONTAINER_OF(first, struct gcl_cluster_monitor, at_failed);
    return gcl_cluster_monitors_take_tag(monitors, monitor->tag);
}

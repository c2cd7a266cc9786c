/* SPDX-License-Identifier: Apache-2.0 */
#include "core/monitor.h"

#include <string.h>

#include <gen_cluster/error.h>

static bool ref_equal(const void *item, const void *key)
{
    return gcl_ref_equal(&((const struct gcl_monitor *)item)->ref, key);
}

static uint32_t ref_hash(const struct gcl_monitors *monitors, const gcl_ref *ref)
{
    return gcl_hash(monitors->seed, ref, sizeof *ref);
}

void gcl_monitors_init(struct gcl_monitors *monitors, const gcl_allocator *mem,
                       const uint64_t seed[2], struct gcl_names *names)
{
    monitors->mem = mem;
    monitors->seed[0] = seed[0];
    monitors->seed[1] = seed[1];
    monitors->names = names;
    gcl_table_init(&monitors->table, mem);
}

void gcl_monitors_fini(struct gcl_monitors *monitors)
{
    gcl_table_fini(&monitors->table);
}

static void list_ends(struct gcl_monitor *monitor, const struct gcl_monitor_ends *ends)
{
    gcl_list_init(&monitor->at_watcher);
    gcl_list_init(&monitor->at_target);
    struct gcl_core_peer *peer = ends->peer;
    if (ends->watcher != NULL)
        gcl_list_add_last(&ends->watcher->watching, &monitor->at_watcher);
    else if (peer != NULL)
        gcl_list_add_last(&peer->watchers, &monitor->at_watcher);
    if (ends->target != NULL)
        gcl_list_add_last(&ends->target->watchers, &monitor->at_target);
    else if (peer != NULL)
        gcl_list_add_last(&peer->watched, &monitor->at_target);
}

int gcl_monitors_add(struct gcl_monitors *monitors, const gcl_ref *ref,
                     const struct gcl_monitor_ends *ends, struct gcl_monitor **out)
{
    struct gcl_name *node = NULL;
    if (gcl_monitors_find(monitors, ref) != NULL)
        return GCL_EEXIST;
    if (ends->peer != NULL) {
        node = gcl_names_get(monitors->names, ends->remote.node, ends->remote.generation);
        if (node == NULL)
            return GCL_ESTALE;
    }
    struct gcl_monitor *monitor = gcl_alloc_zero(monitors->mem, sizeof *monitor + ends->name.size);
    if (monitor == NULL)
        return GCL_ENOMEM;
    monitor->ref = *ref;
    monitor->watcher = ends->watcher;
    monitor->target = ends->target;
    monitor->remote = ends->remote;
    monitor->peer = ends->peer;
    monitor->name_size = (uint16_t)ends->name.size;
    if (ends->name.size > 0)
        memcpy(monitor->name, ends->name.bytes, ends->name.size);
    if (gcl_table_add(&monitors->table, ref_hash(monitors, ref), monitor) != 0) {
        gcl_free(monitors->mem, monitor);
        return GCL_ENOMEM;
    }
    if (node != NULL)
        gcl_names_hold(monitors->names, node);
    monitor->remote_node = node;
    list_ends(monitor, ends);
    *out = monitor;
    return 0;
}

struct gcl_monitor *gcl_monitors_find(const struct gcl_monitors *monitors, const gcl_ref *ref)
{
    return gcl_table_find(&monitors->table, ref_hash(monitors, ref), ref_equal, ref);
}

void gcl_monitors_unlist(struct gcl_monitors *monitors, struct gcl_monitor *monitor)
{
    (void)gcl_table_remove(&monitors->table, ref_hash(monitors, &monitor->ref), ref_equal,
                           &monitor->ref);
    gcl_list_remove(&monitor->at_watcher);
    gcl_list_remove(&monitor->at_target);
}

void gcl_monitor_free(struct gcl_monitors *monitors, struct gcl_monitor *monitor)
{
    if (monitor == NULL)
        return;
    if (monitor->remote_node != NULL)
        gcl_names_release(monitors->names, monitor->remote_node);
    gcl_free(monitors->mem, monitor);
}

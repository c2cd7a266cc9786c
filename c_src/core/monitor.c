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
    for (int kind = 0; kind < GCL_MONITOR_BLOCKS; kind++) {
        gcl_list_init(&monitors->spare[kind]);
        monitors->spare_count[kind] = 0;
    }
}

/* --- blocks --------------------------------------------------------------------------------- */

static int block_kind(size_t name_size)
{
    if (name_size == 0)
        return 0;
    return name_size <= GCL_MONITOR_NAME_ROOM ? 1 : GCL_MONITOR_BLOCKS;
}

static struct gcl_monitor *take_spare(struct gcl_monitors *monitors, int kind)
{
    struct gcl_list *at = gcl_list_first(&monitors->spare[kind]);
    if (at == NULL)
        return NULL;
    gcl_list_remove(at);
    monitors->spare_count[kind]--;
    return GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher);
}

static struct gcl_monitor *new_block(struct gcl_monitors *monitors, size_t name_size)
{
    int kind = block_kind(name_size);
    struct gcl_monitor *monitor = kind < GCL_MONITOR_BLOCKS ? take_spare(monitors, kind) : NULL;
    if (monitor != NULL)
        return monitor;
    size_t room = kind == 1 ? GCL_MONITOR_NAME_ROOM : name_size;
    return gcl_alloc(monitors->mem, sizeof *monitor + room);
}

static void free_block(struct gcl_monitors *monitors, struct gcl_monitor *monitor)
{
    int kind = block_kind(monitor->name_size);
    if (kind == GCL_MONITOR_BLOCKS || monitors->spare_count[kind] == GCL_MONITOR_SPARE_MAX) {
        gcl_free(monitors->mem, monitor);
        return;
    }
    gcl_list_init(&monitor->at_watcher);
    gcl_list_add_first(&monitors->spare[kind], &monitor->at_watcher);
    monitors->spare_count[kind]++;
}

void gcl_monitors_fini(struct gcl_monitors *monitors)
{
    struct gcl_monitor *spare;
    for (int kind = 0; kind < GCL_MONITOR_BLOCKS; kind++)
        while ((spare = take_spare(monitors, kind)) != NULL)
            gcl_free(monitors->mem, spare);
    gcl_table_fini(&monitors->table);
}

/* --- monitors ------------------------------------------------------------------------------- */

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
    struct gcl_monitor *monitor = new_block(monitors, ends->name.size);
    if (monitor == NULL)
        return GCL_ENOMEM;
    monitor->ref = *ref;
    monitor->watcher = ends->watcher;
    monitor->target = ends->target;
    monitor->remote = ends->remote;
    monitor->peer = ends->peer;
    monitor->is_awaited = monitor->wants_link = false;
    monitor->name_size = (uint16_t)ends->name.size;
    if (ends->name.size > 0)
        memcpy(monitor->name, ends->name.bytes, ends->name.size);
    if (gcl_table_add(&monitors->table, ref_hash(monitors, ref), monitor) != 0) {
        free_block(monitors, monitor);
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

int gcl_monitors_arrive(struct gcl_monitors *monitors, struct gcl_monitor *monitor, gcl_pid remote)
{
    struct gcl_name *node = gcl_names_get(monitors->names, remote.node, remote.generation);
    if (node == NULL)
        return GCL_ESTALE;
    gcl_names_hold(monitors->names, node);
    gcl_names_release(monitors->names, monitor->remote_node);
    monitor->remote_node = node;
    monitor->remote = remote;
    monitor->is_awaited = false;
    return 0;
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
    free_block(monitors, monitor);
}

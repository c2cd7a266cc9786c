/* SPDX-License-Identifier: Apache-2.0 */
/* State of the core and what local processes do; signals.c and ends.c have what happens to them. */
#include "core/core.h"

#include <string.h>

#include <gen_cluster/error.h>

int gcl_core_init(struct gcl_core *core, const struct gcl_core_config *config)
{
    memset(core, 0, sizeof *core);
    core->mem = config->mem;
    core->max_edges = config->max_edges;
    gcl_names_init(&core->names, core->mem, config->seed, config->max_names);
    gcl_processes_init(&core->processes, core->mem, config->max_processes);
    gcl_registry_init(&core->registry, core->mem, config->seed);
    gcl_monitors_init(&core->monitors, core->mem, config->seed, &core->names);
    gcl_links_init(&core->links, core->mem, config->seed, &core->names);
    gcl_aliases_init(&core->aliases, core->mem, config->seed);
    gcl_list_init(&core->ended);
    gcl_core_peer_init(&core->lost);
    gcl_core_peer_init(&core->nobody);
    core->next_ref[0] = 1;
    return 0;
}

void gcl_core_fini(struct gcl_core *core)
{
    gcl_monitor_free(&core->monitors, core->spent_monitor);
    gcl_link_free(&core->links, core->spent_link);
    gcl_aliases_fini(&core->aliases);
    gcl_links_fini(&core->links);
    gcl_monitors_fini(&core->monitors);
    gcl_registry_fini(&core->registry);
    gcl_processes_fini(&core->processes);
    gcl_names_fini(&core->names);
}

int gcl_core_spawn(struct gcl_core *core, struct gcl_core_process *process)
{
    return gcl_processes_add(&core->processes, process);
}

gcl_pid gcl_core_pid(const struct gcl_core *core, const struct gcl_core_process *process)
{
    gcl_pid pid = {GCL_NAMES_LOCAL, core->names.places[GCL_NAMES_LOCAL]->generation,
                   gcl_process_id(process), gcl_process_serial(process)};
    return pid;
}

static bool is_alive(const struct gcl_core_process *process)
{
    return process != NULL && !process->ended;
}

struct gcl_core_process *gcl_core_find(const struct gcl_core *core, gcl_pid pid)
{
    if (!gcl_core_is_local(&pid) || gcl_pid_is_none(pid))
        return NULL;
    struct gcl_core_process *process = gcl_processes_find(&core->processes, pid.id, pid.serial);
    return is_alive(process) ? process : NULL;
}

struct gcl_core_process *gcl_core_target(const struct gcl_core *core,
                                         const struct gcl_target *target, struct gcl_alias **alias)
{
    *alias = NULL;
    switch (target->kind) {
    case GCL_TARGET_PID:
        return gcl_core_find(core, target->pid);
    case GCL_TARGET_NAME:
        return gcl_registry_find(&core->registry, target->name);
    case GCL_TARGET_ALIAS:
        *alias = gcl_aliases_find(&core->aliases, &target->alias);
        return *alias != NULL && is_alive((*alias)->process) ? (*alias)->process : NULL;
    }
    return NULL;
}

gcl_ref gcl_core_make_ref(struct gcl_core *core)
{
    /* spec: without DFLAG_V4_NC the first word has 18 bits. */
    uint32_t *words = core->next_ref;
    gcl_ref ref = {GCL_NAMES_LOCAL,
                   core->names.places[GCL_NAMES_LOCAL]->generation,
                   3,
                   {words[0], words[1], words[2], 0, 0}};
    words[0] = (words[0] + 1) & 0x3ffff;
    if (words[0] == 0 && ++words[1] == 0)
        words[2]++;
    return ref;
}

int gcl_core_monitor(struct gcl_core *core, struct gcl_core_process *watcher,
                     const struct gcl_target *target, struct gcl_core_peer *peer,
                     const gcl_ref *ref)
{
    struct gcl_alias *alias;
    struct gcl_monitor *monitor;
    struct gcl_monitor_ends ends = {.watcher = watcher, .remote = target->pid, .peer = peer};
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    if (target->kind == GCL_TARGET_NAME)
        ends.name = target->name;
    if (peer == NULL) {
        ends.target = gcl_core_target(core, target, &alias);
        if (ends.target == NULL)
            ends.peer = &core->nobody;
    }
    return gcl_monitors_add(&core->monitors, ref, &ends, &monitor);
}

int gcl_core_await_spawn(struct gcl_core *core, struct gcl_core_process *watcher, gcl_pid at,
                         struct gcl_core_peer *peer, const gcl_ref *ref, bool wants_link)
{
    struct gcl_monitor *monitor;
    struct gcl_monitor_ends ends = {.watcher = watcher, .remote = at, .peer = peer};
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    int error = gcl_monitors_add(&core->monitors, ref, &ends, &monitor);
    if (error != 0)
        return error;
    monitor->is_awaited = true;
    monitor->wants_link = wants_link;
    return 0;
}

bool gcl_core_demonitor(struct gcl_core *core, const struct gcl_core_process *watcher,
                        const gcl_ref *ref, struct gcl_signal *signal)
{
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, ref);
    if (monitor == NULL || monitor->watcher != watcher)
        return false;
    const struct gcl_core_process *local = monitor->target;
    /* Of one that is awaited the peer is told when it says who that is. */
    bool remote = local == NULL && !gcl_core_is_local(&monitor->remote) && !monitor->is_awaited;
    gcl_monitors_unlist(&core->monitors, monitor);
    gcl_monitor_free(&core->monitors, core->spent_monitor);
    core->spent_monitor = monitor;
    if (!remote && (local == NULL || !local->minds_watchers))
        return false;
    gcl_pid to = remote ? monitor->remote : gcl_core_pid(core, local);
    *signal = (struct gcl_signal){.op = GCL_SIGNAL_DEMONITOR,
                                  .from = gcl_core_pid(core, watcher),
                                  .to = gcl_target_pid(to),
                                  .ref = monitor->ref};
    if (remote && monitor->name_size > 0)
        signal->to = gcl_target_name(monitor->remote.node, monitor->remote.generation,
                                     gcl_monitor_name(monitor));
    return true;
}

int gcl_core_link(struct gcl_core *core, struct gcl_core_process *process, gcl_pid other,
                  struct gcl_core_peer *peer, bool *send)
{
    struct gcl_link *link;
    struct gcl_core_process *far = peer == NULL ? gcl_core_find(core, other) : NULL;
    *send = false;
    if (far == process)
        return 0;
    link = gcl_links_find(&core->links, process, far, other);
    if (link != NULL) {
        /* Linked again before the unlink was acknowledged: active, and the peer is told anew. */
        *send = peer != NULL && link->unlink_id != 0;
        link->unlink_id = 0;
        return 0;
    }
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    *send = peer != NULL;
    if (peer == NULL && far == NULL)
        peer = &core->nobody;
    return gcl_links_add(&core->links, process, far, other, peer, &link);
}

static void drop_link(struct gcl_core *core, struct gcl_link *link)
{
    gcl_links_unlist(&core->links, link);
    gcl_link_free(&core->links, link);
}

bool gcl_core_unlink(struct gcl_core *core, struct gcl_core_process *process, gcl_pid other,
                     struct gcl_signal *signal)
{
    struct gcl_core_process *far = gcl_core_find(core, other);
    struct gcl_link *link = gcl_links_find(&core->links, process, far, other);
    if (link == NULL || link->unlink_id != 0)
        return false;
    if (link->far != NULL || gcl_core_is_local(&link->far_pid)) {
        drop_link(core, link);
        return false;
    }
    link->unlink_id = gcl_links_unlink_id(&core->links);
    *signal = (struct gcl_signal){.op = GCL_SIGNAL_UNLINK,
                                  .from = gcl_core_pid(core, process),
                                  .to = gcl_target_pid(other),
                                  .id = link->unlink_id};
    return true;
}

void gcl_core_forget_unlinks(struct gcl_core *core, struct gcl_core_peer *peer)
{
    GCL_LIST_EACH(&peer->links, at, following)
    {
        struct gcl_link *link = GCL_CONTAINER_OF(at, struct gcl_link, at_far);
        if (link->unlink_id != 0)
            drop_link(core, link);
    }
}

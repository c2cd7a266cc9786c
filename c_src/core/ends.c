/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of processes and of connections, and what they lead to: links break, monitors fire, one
 * effect at a time.
 */
#include <string.h>

#include "core/effect.h"
#include "core/reason.h"

void gcl_core_exit(struct gcl_core *core, struct gcl_core_process *process, struct gcl_str reason)
{
    if (process->ended)
        return;
    uint8_t *copy = gcl_alloc_copy(core->mem, reason.bytes, reason.size);
    process->reason = copy != NULL ? gcl_str_make(copy, reason.size) : GCL_REASON_SYSTEM_LIMIT;
    process->ended = true;
    gcl_registry_remove(&core->registry, process);
    gcl_list_add_last(&core->ended, &process->work);
}

void gcl_core_peer_down(struct gcl_core *core, struct gcl_core_peer *peer)
{
    gcl_list_move_all(&core->lost.links, &peer->links);
    gcl_list_move_all(&core->lost.watchers, &peer->watchers);
    gcl_list_move_all(&core->lost.watched, &peer->watched);
}

/* --- effects of ends, one at a time ---------------------------------------------------------- */

/* The link is gone; tells the other end. False: there is nobody to tell. */
static bool break_link(struct gcl_core *core, struct gcl_link *link, struct gcl_core_process *ended,
                       struct gcl_effect *effect)
{
    struct gcl_core_process *other = link->near == ended ? link->far : link->near;
    bool active = link->unlink_id == 0;
    gcl_links_unlist(&core->links, link);
    gcl_link_free(&core->links, core->spent_link);
    core->spent_link = link;
    if (other != NULL) {
        if (other->ended)
            return false;
        gcl_core_exit_reaches(core, other, gcl_core_pid(core, ended), ended->reason);
        *effect = core->ready;
        bool told = core->is_ready;
        core->is_ready = false;
        return told;
    }
    if (!active || gcl_core_is_local(&link->far_pid))
        return false;
    *effect = *gcl_core_ready(core, GCL_EFFECT_SIGNAL, NULL);
    core->is_ready = false;
    effect->signal.op = GCL_SIGNAL_EXIT;
    effect->signal.from = gcl_core_pid(core, ended);
    effect->signal.to = gcl_target_pid(link->far_pid);
    effect->signal.term = ended->reason;
    return true;
}

/* The watcher of an ended process is told. False: it has ended itself. */
static bool tell_watcher(struct gcl_core *core, struct gcl_monitor *monitor,
                         struct gcl_core_process *ended, struct gcl_effect *effect)
{
    gcl_core_spend_monitor(core, monitor);
    if (monitor->watcher != NULL) {
        if (monitor->watcher->ended)
            return false;
        gcl_core_fire(core, monitor, ended->reason, effect);
        return true;
    }
    memset(effect, 0, sizeof *effect);
    effect->kind = GCL_EFFECT_SIGNAL;
    effect->signal.op = GCL_SIGNAL_DOWN;
    effect->signal.from = gcl_core_pid(core, ended);
    effect->signal.from_name = gcl_monitor_name(monitor);
    effect->signal.to = gcl_target_pid(monitor->remote);
    effect->signal.ref = monitor->ref;
    effect->signal.term = ended->reason;
    return true;
}

/* What an ended process watched is not watched any more. */
static bool stop_watching(struct gcl_core *core, struct gcl_monitor *monitor,
                          struct gcl_core_process *ended, struct gcl_effect *effect)
{
    gcl_ref ref = monitor->ref;
    memset(effect, 0, sizeof *effect);
    effect->kind = GCL_EFFECT_SIGNAL;
    return gcl_core_demonitor(core, ended, &ref, &effect->signal);
}

static void free_reason(struct gcl_core *core, struct gcl_core_process *process)
{
    if (process->reason.bytes != GCL_REASON_SYSTEM_LIMIT.bytes)
        gcl_free(core->mem, (void *)(uintptr_t)process->reason.bytes);
    process->reason = gcl_str_make(NULL, 0);
}

static bool next_of_ended(struct gcl_core *core, struct gcl_core_process *process,
                          struct gcl_effect *effect)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&process->links)) != NULL)
        if (break_link(core, GCL_CONTAINER_OF(at, struct gcl_link, at_near), process, effect))
            return true;
    while ((at = gcl_list_first(&process->far_links)) != NULL)
        if (break_link(core, GCL_CONTAINER_OF(at, struct gcl_link, at_far), process, effect))
            return true;
    while ((at = gcl_list_first(&process->watchers)) != NULL)
        if (tell_watcher(core, GCL_CONTAINER_OF(at, struct gcl_monitor, at_target), process,
                         effect))
            return true;
    while ((at = gcl_list_first(&process->watching)) != NULL)
        if (stop_watching(core, GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher), process,
                          effect))
            return true;
    free_reason(core, process);
    gcl_list_remove(&process->work);
    gcl_processes_remove(&core->processes, process);
    memset(effect, 0, sizeof *effect);
    effect->kind = GCL_EFFECT_FREE;
    effect->process = process;
    return true;
}

/* Ends at nodes that were lost, or at processes that never were. */
static bool next_of_peer(struct gcl_core *core, struct gcl_core_peer *peer, struct gcl_str reason,
                         struct gcl_effect *effect)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&peer->links)) != NULL) {
        struct gcl_link *link = GCL_CONTAINER_OF(at, struct gcl_link, at_far);
        struct gcl_core_process *process = link->near;
        gcl_pid from = link->far_pid;
        bool active = link->unlink_id == 0;
        gcl_core_drop_link(core, link);
        if (!active || process->ended)
            continue;
        gcl_core_exit_reaches(core, process, from, reason);
        *effect = core->ready;
        if (core->is_ready) {
            core->is_ready = false;
            return true;
        }
    }
    while ((at = gcl_list_first(&peer->watched)) != NULL) {
        struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_target);
        gcl_core_spend_monitor(core, monitor);
        if (monitor->watcher->ended)
            continue;
        gcl_core_fire(core, monitor, reason, effect);
        return true;
    }
    while ((at = gcl_list_first(&peer->watchers)) != NULL)
        gcl_core_drop_monitor(core, GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher));
    return false;
}

bool gcl_core_next(struct gcl_core *core, struct gcl_effect *effect)
{
    struct gcl_list *at;
    if (core->is_ready) {
        *effect = core->ready;
        core->is_ready = false;
        return true;
    }
    if (next_of_peer(core, &core->nobody, GCL_REASON_NOPROC, effect))
        return true;
    at = gcl_list_first(&core->ended);
    if (at != NULL)
        return next_of_ended(core, GCL_CONTAINER_OF(at, struct gcl_core_process, work), effect);
    return next_of_peer(core, &core->lost, GCL_REASON_NOCONNECTION, effect);
}

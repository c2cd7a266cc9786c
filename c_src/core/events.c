/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to processes and what it leads to. Each signal has a short function in a table; an
 * event leaves at most one effect in `ready`, everything that can be many is left in the lists
 * from which next_of_*() takes it.
 *
 * spec: erl_dist_protocol, "Protocol between Connected Nodes", and the reference manual,
 * "Processes", for links, monitors and exit signals.
 */
#include <string.h>

#include <gen_cluster/error.h>

#include "core/core.h"
#include "core/reason.h"

static struct gcl_effect *ready(struct gcl_core *core, enum gcl_effect_kind kind,
                                struct gcl_core_process *process)
{
    memset(&core->ready, 0, sizeof core->ready);
    core->ready.kind = kind;
    core->ready.process = process;
    core->is_ready = true;
    return &core->ready;
}

static struct gcl_signal *ready_signal(struct gcl_core *core, enum gcl_signal_op op, gcl_pid from,
                                       gcl_pid to)
{
    struct gcl_effect *effect = ready(core, GCL_EFFECT_SIGNAL, NULL);
    effect->signal.op = op;
    effect->signal.from = from;
    effect->signal.to = gcl_target_pid(to);
    return &effect->signal;
}

/* --- signals -------------------------------------------------------------------------------- */

static int on_send(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_alias *alias;
    struct gcl_core_process *process = gcl_core_target(core, &signal->to, &alias);
    (void)peer;
    if (process == NULL)
        return 0;
    struct gcl_effect *effect = ready(core, GCL_EFFECT_DELIVER, process);
    effect->alias = alias;
    effect->signal = *signal;
    return 0;
}

/* An exit signal reaches a process: by exit/2, or from a link that was active. */
static void exit_reaches(struct gcl_core *core, struct gcl_core_process *process, gcl_pid from,
                         struct gcl_str reason)
{
    struct gcl_effect *effect;
    if (process->trap_exit)
        effect = ready(core, GCL_EFFECT_EXIT, process);
    else if (!gcl_reason_is(reason, "normal"))
        effect = ready(core, GCL_EFFECT_END, process);
    else
        return;
    effect->signal.op = GCL_SIGNAL_EXIT;
    effect->signal.from = from;
    effect->signal.term = reason;
}

static int on_exit2(struct gcl_core *core, struct gcl_core_peer *peer,
                    const struct gcl_signal *signal)
{
    struct gcl_alias *alias;
    struct gcl_core_process *process = gcl_core_target(core, &signal->to, &alias);
    (void)peer;
    if (process == NULL)
        return 0;
    if (!gcl_reason_is(signal->term, "kill")) {
        exit_reaches(core, process, signal->from, signal->term);
        core->ready.signal.op = GCL_SIGNAL_EXIT2;
        return 0;
    }
    struct gcl_effect *effect = ready(core, GCL_EFFECT_END, process);
    effect->signal.op = GCL_SIGNAL_EXIT2;
    effect->signal.from = signal->from;
    effect->signal.term = GCL_REASON_KILLED;
    return 0;
}

static int on_monitor(struct gcl_core *core, struct gcl_core_peer *peer,
                      const struct gcl_signal *signal)
{
    struct gcl_alias *alias;
    struct gcl_monitor *monitor;
    struct gcl_core_process *target = gcl_core_target(core, &signal->to, &alias);
    if (target == NULL) {
        struct gcl_signal *down = ready_signal(core, GCL_SIGNAL_DOWN, signal->to.pid, signal->from);
        down->from_name = signal->to.name;
        down->ref = signal->ref;
        down->term = GCL_REASON_NOPROC;
        return 0;
    }
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    struct gcl_monitor_ends ends = {
        .target = target, .peer = peer, .remote = signal->from, .name = signal->to.name};
    int error = gcl_monitors_add(&core->monitors, &signal->ref, &ends, &monitor);
    /* A reference in use: the peer repeats itself, and the first monitor stands. */
    return error == GCL_EEXIST ? 0 : error;
}

static bool is_watched_by(const struct gcl_monitor *monitor, gcl_pid watcher)
{
    return monitor->watcher == NULL && gcl_pid_equal(monitor->remote, watcher);
}

static void drop_monitor(struct gcl_core *core, struct gcl_monitor *monitor)
{
    gcl_monitors_unlist(&core->monitors, monitor);
    gcl_monitor_free(&core->monitors, monitor);
}

/* A local watcher has taken its monitor back itself. */
static int on_demonitor(struct gcl_core *core, struct gcl_core_peer *peer,
                        const struct gcl_signal *signal)
{
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, &signal->ref);
    struct gcl_core_process *target = NULL;
    if (peer == NULL) {
        target = gcl_core_find(core, signal->to.pid);
    } else if (monitor != NULL && is_watched_by(monitor, signal->from)) {
        target = monitor->target;
        drop_monitor(core, monitor);
    }
    if (target != NULL && target->minds_watchers && !target->ended)
        ready(core, GCL_EFFECT_UNWATCHED, target)->signal = *signal;
    return 0;
}

/* Unlists a monitor that fires and keeps it until the effect that borrows from it was taken. */
static void spend_monitor(struct gcl_core *core, struct gcl_monitor *monitor)
{
    gcl_monitors_unlist(&core->monitors, monitor);
    gcl_monitor_free(&core->monitors, core->spent_monitor);
    core->spent_monitor = monitor;
}

static void fire_local(struct gcl_core *core, struct gcl_monitor *monitor, struct gcl_str reason,
                       struct gcl_effect *effect)
{
    memset(effect, 0, sizeof *effect);
    effect->kind = GCL_EFFECT_DOWN;
    effect->process = monitor->watcher;
    effect->signal.op = GCL_SIGNAL_DOWN;
    effect->signal.from =
        monitor->target != NULL ? gcl_core_pid(core, monitor->target) : monitor->remote;
    effect->signal.from_name = gcl_monitor_name(monitor);
    effect->signal.to = gcl_target_pid(gcl_core_pid(core, monitor->watcher));
    effect->signal.ref = monitor->ref;
    effect->signal.term = reason;
}

static int on_down(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, &signal->ref);
    /* Our references can be guessed: only the node that is watched may fire a monitor. */
    if (monitor == NULL || monitor->watcher == NULL || monitor->peer != peer)
        return 0;
    spend_monitor(core, monitor);
    core->is_ready = true;
    fire_local(core, monitor, signal->term, &core->ready);
    return 0;
}

static int on_link(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_link *link;
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    if (process == NULL) {
        struct gcl_signal *back = ready_signal(core, GCL_SIGNAL_EXIT, signal->to.pid, signal->from);
        back->term = GCL_REASON_NOPROC;
        return 0;
    }
    if (gcl_links_find(&core->links, process, NULL, signal->from) != NULL)
        return 0;
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    return gcl_links_add(&core->links, process, NULL, signal->from, peer, &link);
}

static struct gcl_link *find_remote_link(struct gcl_core *core, const struct gcl_signal *signal)
{
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    return process == NULL ? NULL : gcl_links_find(&core->links, process, NULL, signal->from);
}

static void drop_link(struct gcl_core *core, struct gcl_link *link)
{
    gcl_links_unlist(&core->links, link);
    gcl_link_free(&core->links, link);
}

static int on_unlink(struct gcl_core *core, struct gcl_core_peer *peer,
                     const struct gcl_signal *signal)
{
    struct gcl_link *link = find_remote_link(core, signal);
    (void)peer;
    if (link != NULL && link->unlink_id == 0)
        drop_link(core, link);
    if (signal->id == 0)
        return 0;
    ready_signal(core, GCL_SIGNAL_UNLINK_ACK, signal->to.pid, signal->from)->id = signal->id;
    return 0;
}

static int on_unlink_ack(struct gcl_core *core, struct gcl_core_peer *peer,
                         const struct gcl_signal *signal)
{
    struct gcl_link *link = find_remote_link(core, signal);
    (void)peer;
    if (link != NULL && link->unlink_id != 0 && link->unlink_id == signal->id)
        drop_link(core, link);
    return 0;
}

static int on_exit(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_link *link = find_remote_link(core, signal);
    (void)peer;
    if (link == NULL || link->unlink_id != 0)
        return 0;
    struct gcl_core_process *process = link->near;
    drop_link(core, link);
    exit_reaches(core, process, signal->from, signal->term);
    return 0;
}

/* Who has asked has ended meanwhile, or given up: so do the ties that came with the request. */
static int abandon(struct gcl_core *core, const struct gcl_signal *reply)
{
    if (reply->from_name.size > 0)
        return 0;
    if ((reply->id & GCL_SPAWN_LINKED) != 0)
        ready_signal(core, GCL_SIGNAL_EXIT, reply->to.pid, reply->from)->term = GCL_REASON_NOPROC;
    else if ((reply->id & GCL_SPAWN_MONITORED) != 0)
        ready_signal(core, GCL_SIGNAL_DEMONITOR, reply->to.pid, reply->from)->ref = reply->ref;
    return 0;
}

static int link_spawned(struct gcl_core *core, struct gcl_core_peer *peer,
                        struct gcl_core_process *process, gcl_pid spawned)
{
    struct gcl_link *link;
    if (gcl_links_find(&core->links, process, NULL, spawned) != NULL)
        return 0;
    if (!gcl_core_may_add_edge(core))
        return GCL_ELIMIT;
    return gcl_links_add(&core->links, process, NULL, spawned, peer, &link);
}

static void tell_spawned(struct gcl_core *core, struct gcl_core_process *process,
                         const struct gcl_signal *reply)
{
    ready(core, GCL_EFFECT_SPAWNED, process)->signal = *reply;
}

/* By this node itself: about a process of its own, which is tied already, or that a request cannot
 * be sent. */
static int on_own_spawn_reply(struct gcl_core *core, const struct gcl_signal *reply)
{
    struct gcl_core_process *process = gcl_core_find(core, reply->to.pid);
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, &reply->ref);
    if (process == NULL)
        return 0;
    if (monitor != NULL && monitor->watcher == process) {
        monitor->is_awaited = false;
        if (reply->from_name.size > 0)
            drop_monitor(core, monitor);
    }
    tell_spawned(core, process, reply);
    return 0;
}

static int on_spawn_reply(struct gcl_core *core, struct gcl_core_peer *peer,
                          const struct gcl_signal *reply)
{
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, &reply->ref);
    int error = 0;
    if (peer == NULL)
        return on_own_spawn_reply(core, reply);
    /* Our references can be guessed: only the node that was asked answers. */
    if (monitor == NULL || !monitor->is_awaited || monitor->peer != peer)
        return abandon(core, reply);
    struct gcl_core_process *process = monitor->watcher;
    bool wants_link = monitor->wants_link;
    if (reply->from_name.size > 0)
        drop_monitor(core, monitor);
    else
        error = gcl_monitors_arrive(&core->monitors, monitor, reply->from);
    if (error == 0 && wants_link && reply->from_name.size == 0)
        error = link_spawned(core, peer, process, reply->from);
    if (error == 0)
        tell_spawned(core, process, reply);
    return error;
}

/* What its place in the queue of local signals is good for: it comes behind what was sent before.
 */
static int on_stop(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    (void)peer;
    if (process != NULL)
        ready(core, GCL_EFFECT_END, process)->signal = *signal;
    return 0;
}

static int on_begin(struct gcl_core *core, struct gcl_core_peer *peer,
                    const struct gcl_signal *signal)
{
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    (void)peer;
    if (process != NULL)
        ready(core, GCL_EFFECT_DELIVER, process)->signal = *signal;
    return 0;
}

static int on_end(struct gcl_core *core, struct gcl_core_peer *peer,
                  const struct gcl_signal *signal)
{
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    (void)peer;
    if (process != NULL)
        gcl_core_exit(core, process, signal->term);
    return 0;
}

static int on_nothing(struct gcl_core *core, struct gcl_core_peer *peer,
                      const struct gcl_signal *signal)
{
    (void)core;
    (void)peer;
    (void)signal;
    return 0;
}

typedef int on_signal(struct gcl_core *, struct gcl_core_peer *, const struct gcl_signal *);

static on_signal *const handlers[GCL_SIGNAL_OPS] = {
    [GCL_SIGNAL_SEND] = on_send,
    [GCL_SIGNAL_LINK] = on_link,
    [GCL_SIGNAL_UNLINK] = on_unlink,
    [GCL_SIGNAL_UNLINK_ACK] = on_unlink_ack,
    [GCL_SIGNAL_EXIT] = on_exit,
    [GCL_SIGNAL_EXIT2] = on_exit2,
    [GCL_SIGNAL_MONITOR] = on_monitor,
    [GCL_SIGNAL_DEMONITOR] = on_demonitor,
    [GCL_SIGNAL_DOWN] = on_down,
    [GCL_SIGNAL_GROUP_LEADER] = on_nothing,
    [GCL_SIGNAL_SPAWN_REQUEST] = on_nothing,
    [GCL_SIGNAL_SPAWN_REPLY] = on_spawn_reply,
    [GCL_SIGNAL_STOP] = on_stop,
    [GCL_SIGNAL_BEGIN] = on_begin,
    [GCL_SIGNAL_END] = on_end,
    [GCL_SIGNAL_NODE_UP] = on_nothing,
    [GCL_SIGNAL_NODE_DOWN] = on_nothing,
};

int gcl_core_signal(struct gcl_core *core, struct gcl_core_peer *peer,
                    const struct gcl_signal *signal)
{
    return handlers[signal->op](core, peer, signal);
}

/* --- ends ----------------------------------------------------------------------------------- */

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
        exit_reaches(core, other, gcl_core_pid(core, ended), ended->reason);
        *effect = core->ready;
        bool told = core->is_ready;
        core->is_ready = false;
        return told;
    }
    if (!active || gcl_core_is_local(&link->far_pid))
        return false;
    *effect = *ready(core, GCL_EFFECT_SIGNAL, NULL);
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
    spend_monitor(core, monitor);
    if (monitor->watcher != NULL) {
        if (monitor->watcher->ended)
            return false;
        fire_local(core, monitor, ended->reason, effect);
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
        drop_link(core, link);
        if (!active || process->ended)
            continue;
        exit_reaches(core, process, from, reason);
        *effect = core->ready;
        if (core->is_ready) {
            core->is_ready = false;
            return true;
        }
    }
    while ((at = gcl_list_first(&peer->watched)) != NULL) {
        struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_target);
        spend_monitor(core, monitor);
        if (monitor->watcher->ended)
            continue;
        fire_local(core, monitor, reason, effect);
        return true;
    }
    while ((at = gcl_list_first(&peer->watchers)) != NULL)
        drop_monitor(core, GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher));
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

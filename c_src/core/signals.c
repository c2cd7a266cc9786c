/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signals do to processes. Each has a short function in the table at the end.
 *
 * spec: erl_dist_protocol, "Protocol between Connected Nodes", and the reference manual,
 * "Processes", for links, monitors and exit signals.
 */
#include <gen_cluster/error.h>

#include "core/effect.h"
#include "core/reason.h"

static int on_send(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_alias *alias;
    struct gcl_core_process *process = gcl_core_target(core, &signal->to, &alias);
    (void)peer;
    if (process == NULL)
        return 0;
    struct gcl_effect *effect = gcl_core_ready(core, GCL_EFFECT_DELIVER, process);
    effect->alias = alias;
    effect->signal = *signal;
    return 0;
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
        gcl_core_exit_reaches(core, process, signal->from, signal->term);
        core->ready.signal.op = GCL_SIGNAL_EXIT2;
        return 0;
    }
    struct gcl_effect *effect = gcl_core_ready(core, GCL_EFFECT_END, process);
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
        struct gcl_signal *down =
            gcl_core_ready_signal(core, GCL_SIGNAL_DOWN, signal->to.pid, signal->from);
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
        gcl_core_drop_monitor(core, monitor);
    }
    if (target != NULL && target->minds_watchers && !target->ended)
        gcl_core_ready(core, GCL_EFFECT_UNWATCHED, target)->signal = *signal;
    return 0;
}

static int on_down(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_monitor *monitor = gcl_monitors_find(&core->monitors, &signal->ref);
    /* Our references can be guessed: only the node that is watched may fire a monitor. */
    if (monitor == NULL || monitor->watcher == NULL || monitor->peer != peer)
        return 0;
    gcl_core_spend_monitor(core, monitor);
    core->is_ready = true;
    gcl_core_fire(core, monitor, signal->term, &core->ready);
    return 0;
}

static int on_link(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    struct gcl_link *link;
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    if (process == NULL) {
        struct gcl_signal *back =
            gcl_core_ready_signal(core, GCL_SIGNAL_EXIT, signal->to.pid, signal->from);
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

static int on_unlink(struct gcl_core *core, struct gcl_core_peer *peer,
                     const struct gcl_signal *signal)
{
    struct gcl_link *link = find_remote_link(core, signal);
    (void)peer;
    if (link != NULL && link->unlink_id == 0)
        gcl_core_drop_link(core, link);
    if (signal->id == 0)
        return 0;
    gcl_core_ready_signal(core, GCL_SIGNAL_UNLINK_ACK, signal->to.pid, signal->from)->id =
        signal->id;
    return 0;
}

static int on_unlink_ack(struct gcl_core *core, struct gcl_core_peer *peer,
                         const struct gcl_signal *signal)
{
    struct gcl_link *link = find_remote_link(core, signal);
    (void)peer;
    if (link != NULL && link->unlink_id != 0 && link->unlink_id == signal->id)
        gcl_core_drop_link(core, link);
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
    gcl_core_drop_link(core, link);
    gcl_core_exit_reaches(core, process, signal->from, signal->term);
    return 0;
}

/* Who has asked has ended meanwhile, or given up: so do the ties that came with the request. */
static int abandon(struct gcl_core *core, const struct gcl_signal *reply)
{
    if (reply->from_name.size > 0)
        return 0;
    if ((reply->id & GCL_SPAWN_LINKED) != 0)
        gcl_core_ready_signal(core, GCL_SIGNAL_EXIT, reply->to.pid, reply->from)->term =
            GCL_REASON_NOPROC;
    else if ((reply->id & GCL_SPAWN_MONITORED) != 0)
        gcl_core_ready_signal(core, GCL_SIGNAL_DEMONITOR, reply->to.pid, reply->from)->ref =
            reply->ref;
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
    gcl_core_ready(core, GCL_EFFECT_SPAWNED, process)->signal = *reply;
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
            gcl_core_drop_monitor(core, monitor);
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
        gcl_core_drop_monitor(core, monitor);
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
static int hand_on(struct gcl_core *core, enum gcl_effect_kind kind,
                   const struct gcl_signal *signal)
{
    struct gcl_core_process *process = gcl_core_find(core, signal->to.pid);
    if (process != NULL)
        gcl_core_ready(core, kind, process)->signal = *signal;
    return 0;
}

static int on_stop(struct gcl_core *core, struct gcl_core_peer *peer,
                   const struct gcl_signal *signal)
{
    (void)peer;
    return hand_on(core, GCL_EFFECT_END, signal);
}

static int on_begin(struct gcl_core *core, struct gcl_core_peer *peer,
                    const struct gcl_signal *signal)
{
    (void)peer;
    return hand_on(core, GCL_EFFECT_DELIVER, signal);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/effect.h"
#include "core/reason.h"

struct gcl_effect *gcl_core_ready(struct gcl_core *core, enum gcl_effect_kind kind,
                                  struct gcl_core_process *process)
{
    memset(&core->ready, 0, sizeof core->ready);
    core->ready.kind = kind;
    core->ready.process = process;
    core->is_ready = true;
    return &core->ready;
}

struct gcl_signal *gcl_core_ready_signal(struct gcl_core *core, enum gcl_signal_op op, gcl_pid from,
                                         gcl_pid to)
{
    struct gcl_effect *effect = gcl_core_ready(core, GCL_EFFECT_SIGNAL, NULL);
    effect->signal.op = op;
    effect->signal.from = from;
    effect->signal.to = gcl_target_pid(to);
    return &effect->signal;
}

void gcl_core_exit_reaches(struct gcl_core *core, struct gcl_core_process *process, gcl_pid from,
                           struct gcl_str reason)
{
    struct gcl_effect *effect;
    if (process->trap_exit)
        effect = gcl_core_ready(core, GCL_EFFECT_EXIT, process);
    else if (!gcl_reason_is(reason, "normal"))
        effect = gcl_core_ready(core, GCL_EFFECT_END, process);
    else
        return;
    effect->signal.op = GCL_SIGNAL_EXIT;
    effect->signal.from = from;
    effect->signal.term = reason;
}

void gcl_core_fire(struct gcl_core *core, struct gcl_monitor *monitor, struct gcl_str reason,
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

void gcl_core_spend_monitor(struct gcl_core *core, struct gcl_monitor *monitor)
{
    gcl_monitors_unlist(&core->monitors, monitor);
    gcl_monitor_free(&core->monitors, core->spent_monitor);
    core->spent_monitor = monitor;
}

void gcl_core_drop_monitor(struct gcl_core *core, struct gcl_monitor *monitor)
{
    gcl_monitors_unlist(&core->monitors, monitor);
    gcl_monitor_free(&core->monitors, monitor);
}

void gcl_core_drop_link(struct gcl_core *core, struct gcl_link *link)
{
    gcl_links_unlist(&core->links, link);
    gcl_link_free(&core->links, link);
}

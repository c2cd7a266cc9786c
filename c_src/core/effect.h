/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How signals (signals.c) and ends (ends.c) of processes leave their effects; nobody else includes
 * this. An event leaves at most one effect in `ready`, everything that can be many is left in the
 * lists from which gcl_core_next() takes it.
 */
#ifndef GCL_CORE_EFFECT_H
#define GCL_CORE_EFFECT_H

#include "core/core.h"

/** The effect of this event, zeroed but for these. */
struct gcl_effect *gcl_core_ready(struct gcl_core *core, enum gcl_effect_kind kind,
                                  struct gcl_core_process *process);
/** The same, for a signal to send. */
struct gcl_signal *gcl_core_ready_signal(struct gcl_core *core, enum gcl_signal_op op, gcl_pid from,
                                         gcl_pid to);

/** An exit signal reaches a process: by exit/2, or from a link that was active. */
void gcl_core_exit_reaches(struct gcl_core *core, struct gcl_core_process *process, gcl_pid from,
                           struct gcl_str reason);

/** Fills in `effect`: the watcher, who is of this node, is told. */
void gcl_core_fire(struct gcl_core *core, struct gcl_monitor *monitor, struct gcl_str reason,
                   struct gcl_effect *effect);

/** Unlists a monitor that fires, and keeps it until the effect that borrows from it was taken. */
void gcl_core_spend_monitor(struct gcl_core *core, struct gcl_monitor *monitor);

void gcl_core_drop_monitor(struct gcl_core *core, struct gcl_monitor *monitor);
void gcl_core_drop_link(struct gcl_core *core, struct gcl_link *link);

#endif

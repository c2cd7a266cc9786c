/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The thread that lets go of the cluster when the loop of a visible node stands still: it shuts
 * down the node's sockets, and touches nothing else of it. See doc/visible.md.
 *
 * It wakes once per limit, and otherwise when a turn that it has seen begin reaches the limit.
 */
#ifndef GCL_NODE_WATCHDOG_H
#define GCL_NODE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "net/guard.h"

/* --- its judgement, without thread or clock -------------------------------------------------- */

/**
 * What it knows. Only time that it was awake in counts: when it wakes late itself, the whole
 * process has stood still, stopped by a signal, by a debugger or with its machine, and the loop
 * gets all of its time again.
 */
struct gcl_stall {
    uint64_t limit_ms;
    uint64_t awake_ms; /* since then it has not been late */
    uint64_t wake_ms;  /* when it wants to look again */
};

void gcl_stall_init(struct gcl_stall *stall, unsigned limit_ms, uint64_t now_ms);

/**
 * True when a turn that goes on since `busy_since_ms` (0: the loop waits for events) has taken too
 * long. Else `wake_ms` is when to look again.
 */
bool gcl_stall_check(struct gcl_stall *stall, uint64_t busy_since_ms, uint64_t now_ms);

/* --- the thread ------------------------------------------------------------------------------ */

struct gcl_watchdog;

/**
 * Starts to watch; the loop counts as busy until it says otherwise. `mem` is borrowed until the
 * close, and used on the loop thread only. 0, GCL_ENOMEM, GCL_ESYS (no thread).
 */
int gcl_watchdog_new(const gcl_allocator *mem, unsigned limit_ms,
                     struct gcl_watchdog **out) GCL_MUST_USE;

/** Of the sockets to be shut down. */
struct gcl_guard *gcl_watchdog_guard(struct gcl_watchdog *watchdog);

/** For gcl_loop_set_heartbeat(). */
_Atomic uint64_t *gcl_watchdog_heartbeat(struct gcl_watchdog *watchdog);

/** The sockets have been shut down. Costs one load: it is asked in every turn. */
bool gcl_watchdog_has_struck(struct gcl_watchdog *watchdog);

/** What it has done. */
struct gcl_watchdog_strike {
    uint64_t busy_since_ms; /* the beginning of the turn */
    size_t sockets;
};

/** After that: the loop goes on, with new sockets, and is watched again from now on. */
struct gcl_watchdog_strike gcl_watchdog_resume(struct gcl_watchdog *watchdog, uint64_t now_ms);

/** Waits for nobody. All sockets have been removed from the guard. */
void gcl_watchdog_close(struct gcl_watchdog *watchdog);

#endif

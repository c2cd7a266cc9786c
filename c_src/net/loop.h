/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The caller's libev loop; loop.c is the only file that calls libev. One timer serves all deadlines
 * of a node. The clock is CLOCK_MONOTONIC, read once per turn: setting the system's clock moves no
 * deadline.
 *
 * This is the room `net`: sockets, the loop, other threads' way in. What lives here moves bytes and
 * keeps time; it knows nothing of processes.
 */
#ifndef GCL_NET_LOOP_H
#define GCL_NET_LOOP_H

#include <ev.h>
#include <stdatomic.h>

#include "base/deadline.h"

struct gcl_loop {
    struct ev_loop *ev;
    struct gcl_deadlines deadlines;
    uint64_t now_ms;
    ev_timer timer;
    ev_prepare prepare; /* before the loop may block */
    ev_prepare rest;    /* right before it blocks */
    ev_check check;     /* after it has waited */
    ev_async wakeup;
    ev_idle idle; /* on while work is left for the next turn */
    bool (*turn_ends)(struct gcl_loop *loop);
    void (*woken)(struct gcl_loop *loop);
    _Atomic uint64_t *busy_since_ms; /* NULL: nobody wants to know */
};

/** A socket that is watched. The operations are idempotent. */
struct gcl_watch {
    struct gcl_loop *loop;
    ev_io reader;
    ev_io writer;
    void (*readable)(struct gcl_watch *watch);
    void (*writable)(struct gcl_watch *watch);
};

/**
 * Starts on `ev`, which is borrowed until gcl_loop_fini() and kept running by it. `turn_ends` is
 * called once in every turn, after all events, and returns false when it has ended the loop, which
 * is then not touched any more; `woken` is called after gcl_loop_wake().
 */
void gcl_loop_init(struct gcl_loop *loop, struct ev_loop *ev, const gcl_allocator *mem,
                   bool (*turn_ends)(struct gcl_loop *), void (*woken)(struct gcl_loop *));

/** Legal in every callback of this loop. */
void gcl_loop_fini(struct gcl_loop *loop);

/**
 * From now on other threads can see how long a turn takes: at its beginning its time is stored
 * there, and 0 before the loop waits for events. Borrowed until gcl_loop_fini(). The program's own
 * watchers in this loop count, and what it does while the loop does not run.
 */
void gcl_loop_set_heartbeat(struct gcl_loop *loop, _Atomic uint64_t *busy_since_ms);

/** Milliseconds of the monotonic clock, as of the beginning of this turn. */
static inline uint64_t gcl_loop_now_ms(const struct gcl_loop *loop)
{
    return loop->now_ms;
}

/** As gcl_deadlines_set() and gcl_deadlines_cancel(), and starts the timer accordingly. */
int gcl_loop_set(struct gcl_loop *loop, struct gcl_deadline *deadline, uint64_t at_ms) GCL_MUST_USE;
void gcl_loop_cancel(struct gcl_loop *loop, struct gcl_deadline *deadline);

/** The next turn begins at once instead of blocking: work was left over. */
void gcl_loop_again(struct gcl_loop *loop);

/** From any thread. */
void gcl_loop_wake(struct gcl_loop *loop);

/** `fd` stays the caller's. Nothing is watched yet. */
void gcl_watch_init(struct gcl_watch *watch, struct gcl_loop *loop, int fd,
                    void (*readable)(struct gcl_watch *), void (*writable)(struct gcl_watch *));
void gcl_watch_read(struct gcl_watch *watch, bool on);
void gcl_watch_write(struct gcl_watch *watch, bool on);
/** Both off. Before the fd is closed. */
void gcl_watch_stop(struct gcl_watch *watch);

#endif

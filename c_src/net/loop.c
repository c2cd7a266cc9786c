/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include "net/clock.h"

enum {
    DEADLINES_PER_TURN = 1000, /* a flood of timeouts must not keep sockets from being read */
};

/* Rounded up: firing a millisecond early would only cost another turn. */
static void start_timer(struct gcl_loop *loop)
{
    uint64_t next_ms = gcl_deadlines_next(&loop->deadlines);
    ev_timer_stop(loop->ev, &loop->timer);
    if (next_ms == GCL_NEVER)
        return;
    uint64_t now_ms = gcl_clock_ms();
    double after = next_ms > now_ms ? (double)(next_ms - now_ms) / 1000.0 + 0.0005 : 0.0;
    /* libev counts from its own idea of now, which may be old when much was done in this turn. */
    ev_now_update(loop->ev);
    ev_timer_set(&loop->timer, after, 0.0);
    ev_timer_start(loop->ev, &loop->timer);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    struct gcl_loop *loop = timer->data;
    (void)ev;
    (void)events;
    loop->now_ms = gcl_clock_ms();
    if (gcl_deadlines_run(&loop->deadlines, loop->now_ms, DEADLINES_PER_TURN))
        gcl_loop_again(loop);
}

static void on_check(struct ev_loop *ev, ev_check *check, int events)
{
    struct gcl_loop *loop = check->data;
    (void)ev;
    (void)events;
    loop->now_ms = gcl_clock_ms();
    if (loop->busy_since_ms != NULL)
        atomic_store(loop->busy_since_ms, loop->now_ms);
}

static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    struct gcl_loop *loop = prepare->data;
    (void)ev;
    (void)events;
    ev_idle_stop(loop->ev, &loop->idle);
    loop->now_ms = gcl_clock_ms();
    if (loop->turn_ends(loop))
        start_timer(loop);
}

static void on_rest(struct ev_loop *ev, ev_prepare *rest, int events)
{
    struct gcl_loop *loop = rest->data;
    (void)ev;
    (void)events;
    atomic_store(loop->busy_since_ms, 0);
}

static void on_wakeup(struct ev_loop *ev, ev_async *wakeup, int events)
{
    struct gcl_loop *loop = wakeup->data;
    (void)ev;
    (void)events;
    loop->woken(loop);
}

/* An active idle watcher is all it takes to keep the loop from blocking. */
static void on_idle(struct ev_loop *ev, ev_idle *idle, int events)
{
    (void)ev;
    (void)idle;
    (void)events;
}

void gcl_loop_init(struct gcl_loop *loop, struct ev_loop *ev, const gcl_allocator *mem,
                   bool (*turn_ends)(struct gcl_loop *), void (*woken)(struct gcl_loop *))
{
    loop->ev = ev;
    loop->turn_ends = turn_ends;
    loop->woken = woken;
    loop->now_ms = gcl_clock_ms();
    gcl_deadlines_init(&loop->deadlines, mem);
    ev_timer_init(&loop->timer, on_timer, 0.0, 0.0);
    ev_prepare_init(&loop->prepare, on_prepare);
    ev_prepare_init(&loop->rest, on_rest);
    ev_check_init(&loop->check, on_check);
    ev_async_init(&loop->wakeup, on_wakeup);
    ev_idle_init(&loop->idle, on_idle);
    loop->timer.data = loop->prepare.data = loop->rest.data = loop->check.data = loop->wakeup.data =
        loop;
    loop->busy_since_ms = NULL;
    /* Before all others of its kind: what runs in this turn shall see this turn's time. */
    ev_set_priority(&loop->check, EV_MAXPRI);
    ev_prepare_start(ev, &loop->prepare);
    ev_check_start(ev, &loop->check);
    ev_async_start(ev, &loop->wakeup);
}

void gcl_loop_fini(struct gcl_loop *loop)
{
    ev_timer_stop(loop->ev, &loop->timer);
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_prepare_stop(loop->ev, &loop->rest);
    ev_check_stop(loop->ev, &loop->check);
    ev_async_stop(loop->ev, &loop->wakeup);
    ev_idle_stop(loop->ev, &loop->idle);
    gcl_deadlines_fini(&loop->deadlines);
}

void gcl_loop_set_heartbeat(struct gcl_loop *loop, _Atomic uint64_t *busy_since_ms)
{
    loop->busy_since_ms = busy_since_ms;
    /* Behind all others of its kind, those of other nodes in this loop included: they may be what
     * takes its time. */
    ev_set_priority(&loop->rest, EV_MINPRI);
    ev_prepare_start(loop->ev, &loop->rest);
}

int gcl_loop_set(struct gcl_loop *loop, struct gcl_deadline *deadline, uint64_t at_ms)
{
    /* The timer is started at the end of the turn, once for all that was set in it. */
    return gcl_deadlines_set(&loop->deadlines, deadline, at_ms);
}

void gcl_loop_cancel(struct gcl_loop *loop, struct gcl_deadline *deadline)
{
    gcl_deadlines_cancel(&loop->deadlines, deadline);
}

void gcl_loop_again(struct gcl_loop *loop)
{
    ev_idle_start(loop->ev, &loop->idle);
}

void gcl_loop_wake(struct gcl_loop *loop)
{
    ev_async_send(loop->ev, &loop->wakeup);
}

static void on_readable(struct ev_loop *ev, ev_io *io, int events)
{
    struct gcl_watch *watch = io->data;
    (void)ev;
    (void)events;
    watch->readable(watch);
}

static void on_writable(struct ev_loop *ev, ev_io *io, int events)
{
    struct gcl_watch *watch = io->data;
    (void)ev;
    (void)events;
    watch->writable(watch);
}

void gcl_watch_init(struct gcl_watch *watch, struct gcl_loop *loop, int fd,
                    void (*readable)(struct gcl_watch *), void (*writable)(struct gcl_watch *))
{
    watch->loop = loop;
    watch->readable = readable;
    watch->writable = writable;
    ev_io_init(&watch->reader, on_readable, fd, EV_READ);
    ev_io_init(&watch->writer, on_writable, fd, EV_WRITE);
    watch->reader.data = watch->writer.data = watch;
}

void gcl_watch_read(struct gcl_watch *watch, bool on)
{
    if (on)
        ev_io_start(watch->loop->ev, &watch->reader);
    else
        ev_io_stop(watch->loop->ev, &watch->reader);
}

void gcl_watch_write(struct gcl_watch *watch, bool on)
{
    if (on)
        ev_io_start(watch->loop->ev, &watch->writer);
    else
        ev_io_stop(watch->loop->ev, &watch->writer);
}

void gcl_watch_stop(struct gcl_watch *watch)
{
    gcl_watch_read(watch, false);
    gcl_watch_write(watch, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/timer.h"

#include "base/deadline.h"
#include "node/node.h"
#include "server/servers.h"

struct timer {
    struct gcl_deadline deadline; /* not set: it expired while the server was suspended */
    struct gcl_list at_server;
    struct gcl_server *server;
    uint64_t number;
};

static void drop(struct timer *timer)
{
    struct gcl_node *node = gcl_server_at(timer->server);
    gcl_loop_cancel(&node->loop, &timer->deadline);
    gcl_list_remove(&timer->at_server);
    gcl_free(node->mem, timer);
}

static void expired(struct gcl_deadline *deadline)
{
    struct timer *timer = GCL_CONTAINER_OF(deadline, struct timer, deadline);
    struct gcl_server *server = timer->server;
    uint64_t number = timer->number;
    if (server->is_suspended)
        return;
    drop(timer);
    if (server->handlers->handle_timer == NULL)
        return;
    gcl_server_enter(server);
    gcl_server_leave(server, server->handlers->handle_timer(server, number, server->user));
}

int gcl_timer_start(gcl_server *self, uint64_t delay_ms, uint64_t *number)
{
    struct gcl_node *node = gcl_server_at(self);
    uint64_t now_ms = gcl_loop_now_ms(&node->loop);
    if (self->is_ending)
        return GCL_ECLOSED;
    struct timer *timer = gcl_alloc(node->mem, sizeof *timer);
    if (timer == NULL)
        return GCL_ENOMEM;
    gcl_deadline_init(&timer->deadline, expired);
    uint64_t at_ms = delay_ms > GCL_NEVER - 1 - now_ms ? GCL_NEVER - 1 : now_ms + delay_ms;
    if (gcl_loop_set(&node->loop, &timer->deadline, at_ms) != 0) {
        gcl_free(node->mem, timer);
        return GCL_ENOMEM;
    }
    timer->server = self;
    timer->number = ++node->servers->last_timer;
    gcl_list_init(&timer->at_server);
    gcl_list_add_last(&self->timers, &timer->at_server);
    *number = timer->number;
    return 0;
}

int gcl_timer_cancel(gcl_server *self, uint64_t number)
{
    GCL_LIST_EACH(&self->timers, at, following)
    {
        struct timer *timer = GCL_CONTAINER_OF(at, struct timer, at_server);
        if (timer->number == number) {
            drop(timer);
            return 0;
        }
    }
    return GCL_ENOENT;
}

void gcl_timers_cancel_all(struct gcl_server *server)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&server->timers)) != NULL)
        drop(GCL_CONTAINER_OF(at, struct timer, at_server));
}

void gcl_timers_resume(struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    GCL_LIST_EACH(&server->timers, at, following)
    {
        struct timer *timer = GCL_CONTAINER_OF(at, struct timer, at_server);
        if (!gcl_deadline_is_set(&timer->deadline) &&
            gcl_loop_set(&node->loop, &timer->deadline, 0) != 0)
            gcl_log(&node->log, GCL_LOG_ERROR, "timer", "no memory: a timer is lost");
    }
}

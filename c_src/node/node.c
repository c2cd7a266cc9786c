/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a node, its turns, and where signals go. */
#include "node/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/reason.h"
#include "node/attempt.h"
#include "node/config.h"
#include "node/dial.h"
#include "node/endpoint.h"
#include "node/message.h"
#include "node/node_event.h"
#include "node/peer.h"
#include "node/post.h"
#include "node/process.h"
#include "node/recover.h"
#include "node/terms.h"
#include "node/waiter.h"
#include "node/watchdog.h"

enum {
    SIGNALS_PER_TURN = 1000, /* local ones, so that they starve no socket */
    POSTS_PER_TURN = 1000,
    WORK_THREADS = 4,
    WORK_WAITING = 1024,
    MAX_LOOKUPS = 16,
};

/* --- signals and effects -------------------------------------------------------------------- */

bool gcl_node_random(struct gcl_node *node, void *bytes, size_t size)
{
    if (node->config.random(bytes, size, node->config.user))
        return true;
    gcl_log(&node->log, GCL_LOG_ERROR, "no_random", "the system gives no random bytes");
    return false;
}

static struct gcl_name *node_of(struct gcl_node *node, const struct gcl_target *target)
{
    struct gcl_names *names = &node->core.names;
    if (target->kind == GCL_TARGET_ALIAS)
        return gcl_names_get(names, target->alias.node, target->alias.generation);
    return gcl_names_get(names, target->pid.node, target->pid.generation);
}

int gcl_node_peer(struct gcl_node *node, const struct gcl_target *target, struct gcl_peer **peer)
{
    struct gcl_name *name = node_of(node, target);
    *peer = NULL;
    if (name == NULL)
        return GCL_ESTALE;
    if (name->index == GCL_NAMES_LOCAL || gcl_str_is(gcl_name_str(name), node->name))
        return 0;
    *peer = name->route;
    if (*peer != NULL)
        return 0;
    int error = gcl_peer_get(node, gcl_name_str(name), peer);
    if (error == 0)
        name->route = *peer;
    return error;
}

int gcl_node_send(struct gcl_node *node, const struct gcl_signal *signal)
{
    struct gcl_peer *peer;
    int error = gcl_node_peer(node, &signal->to, &peer);
    if (error != 0)
        return error;
    if (peer != NULL)
        return gcl_peer_send(peer, signal);
    gcl_loop_again(&node->loop);
    return gcl_signal_queue_add(&node->local, signal);
}

static void send_effect(struct gcl_node *node, const struct gcl_signal *signal)
{
    int error = gcl_node_send(node, signal);
    /* GCL_ENOTSUP: the peer has no such operation, so it does not wait for it either. */
    if (error != 0 && error != GCL_ENOTSUP)
        gcl_log(&node->log, GCL_LOG_WARNING, "signal_dropped", "a signal cannot be sent: %s",
                gcl_strerror(error));
}

void gcl_node_settle(struct gcl_node *node)
{
    struct gcl_effect effect;
    /* What runs in here may come back; then the outer loop goes on with it. */
    if (node->busy > 0)
        return;
    node->busy++;
    do {
        while (gcl_core_next(&node->core, &effect)) {
            if (effect.kind == GCL_EFFECT_SIGNAL)
                send_effect(node, &effect.signal);
            else
                gcl_process_effect(&effect);
        }
    } while (gcl_node_events_next(node));
    node->busy--;
}

/* What local processes sent. What they send meanwhile waits in the other queue. */
static bool run_first(struct gcl_node *node)
{
    struct gcl_signal signal;
    if (gcl_signal_queue_is_empty(&node->running)) {
        struct gcl_signal_queue empty = node->running;
        node->running = node->local;
        node->local = empty;
    }
    if (!gcl_signal_queue_first(&node->running, &signal))
        return false;
    /* Local signals make no links or monitors, so none can be refused. */
    (void)gcl_core_signal(&node->core, NULL, &signal);
    gcl_node_settle(node);
    gcl_signal_queue_remove_first(&node->running);
    return true;
}

static void run_local(struct gcl_node *node)
{
    unsigned left = SIGNALS_PER_TURN;
    gcl_node_settle(node);
    while (left > 0 && run_first(node))
        left--;
    if (left == 0)
        gcl_loop_again(&node->loop);
}

/* --- starting ------------------------------------------------------------------------------- */

static bool turn_ends(struct gcl_loop *loop);

static void wake_loop(void *argument)
{
    gcl_loop_wake(argument);
}

static void hand_out_address(void *user, const struct gcl_address *address)
{
    struct gcl_resolving *resolving = user;
    resolving->resolved(resolving, address);
}

static void on_woken(struct gcl_loop *loop)
{
    struct gcl_node *node = GCL_CONTAINER_OF(loop, struct gcl_node, loop);
    bool more = gcl_poster_run(node->poster, node, POSTS_PER_TURN);
    more |= gcl_work_pool_run(node->pool, node, POSTS_PER_TURN);
    gcl_resolver_run(node->resolver, hand_out_address);
    if (more)
        gcl_loop_wake(loop);
    gcl_node_settle(node);
}

static int init_core(struct gcl_node *node)
{
    uint32_t creation;
    if (!gcl_node_random(node, node->seed, sizeof node->seed) ||
        !gcl_node_random(node, &creation, sizeof creation))
        return GCL_ESYS;
    struct gcl_core_config config = {.mem = node->mem,
                                     .seed = {node->seed[0], node->seed[1]},
                                     .max_processes = node->config.max_processes,
                                     .max_names = node->config.max_node_names,
                                     .max_edges = node->config.max_edges};
    int error = gcl_core_init(&node->core, &config);
    if (error != 0)
        return error;
    /* spec: 0 to 3 are reserved; without epmd a random one serves. */
    return gcl_names_set_local(&node->core.names, gcl_str_of(node->name), creation | 4);
}

static void init_connections(struct gcl_node *node)
{
    struct gcl_connections *connections = &node->connections;
    const gcl_node_config *config = &node->config;
    gcl_connections_init(connections);
    connections->loop = &node->loop;
    connections->mem = node->mem;
    connections->events = &gcl_attempt_events;
    connections->guard = node->watchdog != NULL ? gcl_watchdog_guard(node->watchdog) : NULL;
    connections->setup_timeout_ms = config->setup_timeout_ms;
    connections->tick_interval_ms = config->net_ticktime_s * 1000 / config->net_tickintensity;
    connections->tick_intensity = config->net_tickintensity;
    connections->output_soft_bytes = config->output_soft_bytes;
    connections->output_hard_bytes = config->output_hard_bytes;
    connections->frame_bytes = config->frame_bytes;
}

static int init_threads(struct gcl_node *node)
{
    struct gcl_work_config work = {WORK_THREADS, WORK_WAITING, wake_loop, &node->loop};
    node->poster = gcl_poster_new(node->config.max_posts, wake_loop, &node->loop);
    node->pool = gcl_work_pool_new(&work);
    struct gcl_resolver_config resolver = {NULL, MAX_LOOKUPS, wake_loop, &node->loop};
    node->resolver = gcl_resolver_new(&resolver);
    bool complete = node->poster != NULL && node->pool != NULL && node->resolver != NULL;
    return complete ? 0 : GCL_ENOMEM;
}

static int start_watchdog(struct gcl_node *node, const struct gcl_config_detail *detail)
{
    if (node->config.hidden || node->config.watchdog_ms == 0)
        return 0;
    int error = gcl_watchdog_new(node->mem, node->config.watchdog_ms, &node->watchdog);
    /* UNTESTED: the system has to be out of threads, which would be felt by all other tests. */
    if (error == GCL_ESYS && detail->text != NULL && detail->size > 0)
        (void)snprintf(detail->text, detail->size,
                       "watchdog_ms: the system gives no thread for a watchdog; 0 needs none");
    return error;
}

static int start(struct gcl_node *node, const gcl_node_config *config,
                 const struct gcl_config_detail *detail)
{
    int error = gcl_config_take(node, config, detail);
    if (error == 0)
        error = init_core(node);
    if (error == 0)
        error = init_threads(node);
    if (error == 0)
        error = start_watchdog(node, detail);
    if (error == 0)
        error = node->services->start(node);
    if (error != 0)
        return error;
    gcl_loop_init(&node->loop, config->loop, node->mem, turn_ends, on_woken);
    if (node->watchdog != NULL)
        gcl_loop_set_heartbeat(&node->loop, gcl_watchdog_heartbeat(node->watchdog));
    init_connections(node);
    return gcl_endpoint_open(node, config, detail);
}

static void end_processes(struct gcl_node *node)
{
    for (uint32_t slot = 0;;) {
        struct gcl_core_process *process = gcl_processes_each(&node->core.processes, &slot);
        if (process == NULL)
            break;
        gcl_process_end(gcl_process_of(process), GCL_REASON_SHUTDOWN);
    }
    /* Their last words, and their ends behind them: no handler runs, so there is an end to it. */
    gcl_node_settle(node);
    while (run_first(node))
        ;
}

static void free_node(struct gcl_node *node)
{
    const gcl_allocator *mem = node->mem;
    gcl_peers_free(node);
    if (node->pool != NULL)
        gcl_work_pool_free(node->pool);
    if (node->poster != NULL)
        gcl_poster_release(node->poster);
    if (node->resolver != NULL)
        gcl_resolver_close(node->resolver);
    gcl_signal_queue_fini(&node->local);
    gcl_signal_queue_fini(&node->running);
    gcl_node_events_fini(node);
    node->services->finish(node);
    gcl_buffer_fini(&node->message);
    gcl_buffer_fini(&node->event);
    gcl_term_context_fini(&node->terms);
    gcl_table_fini(&node->peer_names);
    if (node->core.mem != NULL)
        gcl_core_fini(&node->core);
    if (node->loop.ev != NULL)
        gcl_loop_fini(&node->loop);
    if (node->watchdog != NULL)
        gcl_watchdog_close(node->watchdog);
    gcl_config_free(node);
    gcl_free(mem, node);
}

int gcl_node_open(const struct gcl_node_services *services, const gcl_node_config *config,
                  gcl_node **out, char *detail, size_t detail_size)
{
    struct gcl_config_detail where = {detail, detail_size};
    const gcl_allocator *mem =
        config->allocator != NULL ? config->allocator : gcl_allocator_default();
    struct gcl_node *node = gcl_alloc_zero(mem, sizeof *node);
    if (detail != NULL && detail_size > 0)
        detail[0] = '\0';
    if (node == NULL)
        return GCL_ENOMEM;
    node->mem = mem;
    node->services = services;
    gcl_endpoint_init(node);
    gcl_waiters_init_own(node);
    gcl_list_init(&node->peers);
    gcl_list_init(&node->attempts);
    gcl_table_init(&node->peer_names, mem);
    gcl_node_events_init(node);
    gcl_buffer_init(&node->message, mem, 0);
    gcl_buffer_init(&node->event, mem, 0);
    gcl_terms_init(node);
    gcl_signal_queue_init(&node->local, mem, config->local_queue_bytes);
    gcl_signal_queue_init(&node->running, mem, config->local_queue_bytes);
    int error = start(node, config, &where);
    if (error != 0) {
        node->is_closing = true; /* what its processes find when they end */
        if (node->core.mem != NULL)
            end_processes(node);
        free_node(node);
        return error;
    }
    *out = node;
    return 0;
}

/* --- ending --------------------------------------------------------------------------------- */

void gcl_node_close(gcl_node *node)
{
    if (node->is_closing)
        return;
    node->is_closing = true;
    gcl_loop_again(&node->loop);
}

/* In order: nobody comes in, processes end and say so, what is queued leaves. */
static void begin_close(struct gcl_node *node)
{
    node->has_begun_close = true;
    gcl_endpoint_close(node);
    gcl_work_pool_cancel(node->pool);
    gcl_waiters_close_own(node);
    end_processes(node);
    gcl_peers_close(node);
}

/* Between turns nothing that was built is in use; one large message shall not cost room for ever.
 */
static void give_back_room(struct gcl_node *node)
{
    gcl_message_forget(node);
    gcl_signal_queue_shrink(&node->local);
    gcl_signal_queue_shrink(&node->running);
}

/* Connections have ended, work too: nothing is left that could call back. */
static bool has_closed(const struct gcl_node *node)
{
    return node->has_begun_close && gcl_list_is_empty(&node->attempts) &&
           gcl_work_pool_is_idle(node->pool);
}

static void finish_close(struct gcl_node *node)
{
    gcl_poster_close(node->poster);
    if (node->config.on_closed != NULL)
        node->config.on_closed(node, node->close_error, node->config.user);
    free_node(node);
}

static bool turn_ends(struct gcl_loop *loop)
{
    struct gcl_node *node = GCL_CONTAINER_OF(loop, struct gcl_node, loop);
    run_local(node);
    gcl_recover(node);
    if (node->is_closing && !node->has_begun_close)
        begin_close(node);
    gcl_connections_turn(&node->connections);
    gcl_recover_tell(node);
    give_back_room(node);
    if (!has_closed(node))
        return true;
    finish_close(node);
    return false;
}

/* --- the rest ------------------------------------------------------------------------------- */

const char *gcl_node_name(const gcl_node *node)
{
    return node->name;
}

uint32_t gcl_node_creation(const gcl_node *node)
{
    return node->core.names.places[GCL_NAMES_LOCAL]->creation;
}

void *gcl_node_user(const gcl_node *node)
{
    return node->config.user;
}

gcl_poster *gcl_node_poster(gcl_node *node)
{
    gcl_poster_hold(node->poster);
    return node->poster;
}

int gcl_work(gcl_node *node, void (*work)(void *user),
             void (*done)(gcl_node *node, bool canceled, void *user), void *user)
{
    return gcl_work_pool_add(node->pool, work, done, user);
}

int gcl_node_disconnect(gcl_node *node, const char *name)
{
    struct gcl_peer *peer = gcl_peer_find(node, gcl_str_of(name));
    if (peer == NULL || peer->up == NULL)
        return GCL_ENOENT;
    gcl_peer_disconnect(peer, "disconnected by the program");
    return 0;
}

bool gcl_node_is_connected(const gcl_node *node, const char *name)
{
    struct gcl_peer *peer = gcl_peer_find((gcl_node *)(uintptr_t)node, gcl_str_of(name));
    return peer != NULL && peer->up != NULL;
}

int gcl_node_set_address(gcl_node *node, const char *name, const char *address, uint16_t port)
{
    struct gcl_address parsed;
    struct gcl_peer *peer;
    if (port == 0 || !gcl_address_parse(address, port, &parsed))
        return GCL_EINVAL;
    if (strcmp(name, node->name) == 0)
        return 0;
    int error = gcl_peer_get(node, gcl_str_of(name), &peer);
    if (error != 0)
        return error;
    peer->address = parsed;
    peer->has_address = true;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of core/connect.c decides; here it is carried out. */
#include "node/peer.h"

#include <stdio.h>
#include <string.h>

#include "node/attempt.h"
#include "node/dial.h"
#include "node/name_kind.h"
#include "node/node_event.h"
#include "node/translate.h"
#include "node/waiter.h"
#include "wire/flags.h"

/* --- the table of peers --------------------------------------------------------------------- */

static bool name_equal(const void *item, const void *key)
{
    const struct gcl_peer *peer = item;
    return gcl_str_equal(gcl_str_make(peer->text, peer->text_size), *(const struct gcl_str *)key);
}

static struct gcl_str peer_str(const struct gcl_peer *peer)
{
    return gcl_str_make(peer->text, peer->text_size);
}

struct gcl_peer *gcl_peer_find(struct gcl_node *node, struct gcl_str name)
{
    return gcl_table_find(&node->peer_names, gcl_hash(node->seed, name.bytes, name.size),
                          name_equal, &name);
}

static void on_wait_over(struct gcl_deadline *deadline);

static int add(struct gcl_node *node, struct gcl_peer *peer)
{
    struct gcl_str name = peer_str(peer);
    int error = gcl_names_intern(&node->core.names, name, 0, &peer->name);
    if (error == 0)
        error = gcl_table_add(&node->peer_names, peer->hash, peer);
    if (error != 0)
        return error;
    gcl_names_hold(&node->core.names, peer->name);
    peer->name->route = peer;
    gcl_list_add_last(&node->peers, &peer->at_node);
    return 0;
}

int gcl_peer_get(struct gcl_node *node, struct gcl_str name, struct gcl_peer **out)
{
    *out = gcl_peer_find(node, name);
    if (*out != NULL)
        return 0;
    if (!gcl_handshake_is_node_name(name) || gcl_str_is(name, node->name))
        return GCL_ENAME;
    struct gcl_peer *peer = gcl_alloc_zero(node->mem, sizeof *peer + name.size + 1);
    if (peer == NULL)
        return GCL_ENOMEM;
    peer->node = node;
    peer->hash = gcl_hash(node->seed, name.bytes, name.size);
    peer->text_size = name.size;
    memcpy(peer->text, name.bytes, name.size);
    gcl_core_peer_init(&peer->core);
    gcl_list_init(&peer->waiters);
    gcl_signal_queue_init(&peer->pending, node->mem, node->config.pending_bytes);
    gcl_deadline_init(&peer->wait, on_wait_over);
    peer->resolving.resolved = gcl_dial_resolved;
    gcl_reconnect_init(peer);
    int error = add(node, peer);
    if (error != 0) {
        gcl_free(node->mem, peer);
        return error;
    }
    *out = peer;
    return 0;
}

static void free_peer(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    struct gcl_str name = peer_str(peer);
    gcl_loop_cancel(&node->loop, &peer->wait);
    gcl_reconnect_stop(peer);
    gcl_names_clear_route(&node->core.names, peer);
    gcl_names_release(&node->core.names, peer->name);
    (void)gcl_table_remove(&node->peer_names, peer->hash, name_equal, &name);
    gcl_list_remove(&peer->at_node);
    gcl_signal_queue_fini(&peer->pending);
    gcl_free(node->mem, peer);
}

/* Names of strangers must not stay for ever. */
void gcl_peer_free_if_idle(struct gcl_peer *peer)
{
    if (peer->state == GCL_CONNECT_DOWN && !peer->has_address &&
        !gcl_reconnect_is_wanted(&peer->reconnect) && gcl_core_peer_is_idle(&peer->core) &&
        gcl_list_is_empty(&peer->waiters) && gcl_signal_queue_is_empty(&peer->pending) &&
        peer->accepted == NULL && peer->telling == 0)
        free_peer(peer);
}

static void rest(struct gcl_peer *peer)
{
    if (peer->state == GCL_CONNECT_DOWN && !gcl_deadline_is_set(&peer->reconnect.wait))
        gcl_reconnect_later(peer);
    gcl_peer_free_if_idle(peer);
}

/* Nobody is connected: ends at the peer break, what waits for it is lost, in this order. */
static void lose(struct gcl_peer *peer, int error, const char *detail)
{
    gcl_core_peer_down(&peer->node->core, &peer->core);
    gcl_signal_queue_fini(&peer->pending);
    gcl_node_settle(peer->node);
    peer->telling++;
    gcl_peer_tell_writable(peer);
    gcl_waiters_tell(peer, error, detail);
    peer->telling--;
    rest(peer);
}

/* --- going up and down ---------------------------------------------------------------------- */

static int encode(struct gcl_peer *peer, const struct gcl_signal *signal)
{
    struct gcl_connection *connection = peer->up->connection;
    struct gcl_control control;
    /* As good as lost: signals vanish, and the core hears of the loss at the end of the turn. */
    if (gcl_connection_has_failed(connection))
        return 0;
    int error = gcl_translate_out(&peer->node->core.names, signal, &control);
    if (error == 0)
        error = gcl_control_encode(gcl_connection_output(connection), peer->flags, &control);
    if (error == 0)
        gcl_connection_written(connection, 1);
    return error;
}

static bool is_owed(const struct gcl_signal *signal)
{
    return signal->op != GCL_SIGNAL_SEND || signal->is_owed;
}

/* The peer knows no such requests: it is answered as one that does, and refuses. */
static int refuse_spawn(struct gcl_peer *peer, const struct gcl_signal *request)
{
    struct gcl_signal reply = {.op = GCL_SIGNAL_SPAWN_REPLY,
                               .from = request->to.pid,
                               .to = gcl_target_pid(request->from),
                               .ref = request->ref,
                               .from_name = gcl_str_of("notsup")};
    gcl_loop_again(&peer->node->loop);
    return gcl_signal_queue_add(&peer->node->local, &reply);
}

static void send_pending(struct gcl_peer *peer)
{
    struct gcl_signal signal;
    while (gcl_signal_queue_first(&peer->pending, &signal)) {
        int error = encode(peer, &signal);
        if (error == GCL_ENOTSUP && signal.op == GCL_SIGNAL_SPAWN_REQUEST)
            error = refuse_spawn(peer, &signal);
        /* It was taken, and somebody may wait for what it leads to. */
        if (error == GCL_ENOMEM)
            gcl_connection_fail(peer->up->connection, error, "no memory for what waited for it");
        if (error != 0)
            gcl_log(&peer->node->log, GCL_LOG_WARNING, "signal_dropped",
                    "a signal that waited for %s cannot be sent: %s", peer->text,
                    gcl_strerror(error));
        gcl_signal_queue_remove_first(&peer->pending);
    }
    gcl_signal_queue_fini(&peer->pending); /* not needed while it is connected */
}

/* Pids of the peer carry the creation that came with this connection. */
static void take_creation(struct gcl_peer *peer, const struct gcl_handshake *result)
{
    struct gcl_names *names = &peer->node->core.names;
    struct gcl_name *name;
    if (gcl_names_intern(names, peer_str(peer), result->peer_creation, &name) != 0)
        return;
    gcl_names_hold(names, name);
    gcl_names_release(names, peer->name);
    peer->name = name;
    name->route = peer;
}

/* Programs may disconnect in there; then the peer is freed here and not under their feet. */
static void tell_connected(struct gcl_peer *peer)
{
    peer->telling++;
    gcl_waiters_tell(peer, 0, "");
    peer->telling--;
    gcl_peer_free_if_idle(peer);
}

void gcl_peer_go_up(struct gcl_peer *peer, struct gcl_attempt *attempt,
                    const struct gcl_handshake *result)
{
    peer->up = attempt;
    if (peer->dialed == attempt)
        peer->dialed = NULL;
    if (peer->accepted == attempt)
        peer->accepted = NULL;
    peer->flags = result->flags;
    peer->is_visible = gcl_handshake_is_visible(result);
    peer->is_published = (result->peer_flags & GCL_FLAG(PUBLISHED)) != 0;
    peer->is_beam = (result->peer_flags & GCL_FLAG(DIST_HDR_ATOM_CACHE)) != 0;
    take_creation(peer, result);
    if ((peer->flags & GCL_FLAG(UNLINK_ID)) == 0)
        gcl_core_forget_unlinks(&peer->node->core, &peer->core);
    gcl_log(&peer->node->log, GCL_LOG_INFO, "node_up", "connected to %s (%s)", peer->text,
            peer->is_visible ? "visible" : "hidden");
    gcl_reconnect_up(peer);
    gcl_reach_connected(peer->node, attempt->connection);
    gcl_name_kind_check(peer->node, gcl_str_make(peer->text, peer->text_size));
    send_pending(peer);
    gcl_node_event_up(peer);
    tell_connected(peer);
}

static void go_down(struct gcl_peer *peer, int error, const char *detail)
{
    peer->up = NULL;
    /* Somebody who closes is the order of the day; all else is worth a look. */
    gcl_log_level level = error == GCL_ECLOSED ? GCL_LOG_INFO : GCL_LOG_WARNING;
    gcl_log(&peer->node->log, level, "node_down", "connection to %s is gone: %s", peer->text,
            detail);
    gcl_reconnect_down(peer);
    gcl_node_event_down(peer, detail);
    lose(peer, error, detail);
}

static bool is_wanted(const struct gcl_peer *peer)
{
    return !gcl_list_is_empty(&peer->waiters) || !gcl_signal_queue_is_empty(&peer->pending) ||
           !gcl_core_peer_is_idle(&peer->core);
}

static void retry(struct gcl_peer *peer)
{
    if (is_wanted(peer) && !peer->node->is_closing) {
        gcl_dial(peer);
        return;
    }
    peer->state = GCL_CONNECT_DOWN;
    rest(peer);
}

void gcl_peer_step(struct gcl_peer *peer, enum gcl_connect_event event, int error,
                   const char *detail)
{
    const char *before = gcl_connect_state_name(peer->state);
    switch (gcl_connect_step(&peer->state, event, false)) {
    case GCL_CONNECT_DIAL:
        gcl_dial(peer);
        break;
    case GCL_CONNECT_FAIL:
        gcl_log(&peer->node->log, GCL_LOG_NOTICE, "connect_failed", "no connection to %s: %s",
                peer->text, detail);
        lose(peer, error, detail);
        break;
    case GCL_CONNECT_RETRY:
        retry(peer);
        break;
    case GCL_CONNECT_NODEDOWN:
        go_down(peer, error, detail);
        break;
    case GCL_CONNECT_NOTHING:
    case GCL_CONNECT_ADMIT: /* answers to an offer: see node/attempt.c */
    case GCL_CONNECT_ADMIT_SIMULTANEOUS:
    case GCL_CONNECT_REFUSE:
    case GCL_CONNECT_CHALLENGE:
    case GCL_CONNECT_DISMISS:
    case GCL_CONNECT_NODEUP: /* gcl_peer_go_up() follows: it needs what the handshake found out */
        break;
    case GCL_CONNECT_IMPOSSIBLE:
        gcl_log(&peer->node->log, GCL_LOG_ERROR, "connect_state",
                "event %d cannot happen to %s while %s", (int)event, peer->text, before);
        break;
    }
}

void gcl_dial_failed(struct gcl_peer *peer, int error, const char *detail)
{
    gcl_peer_step(peer, GCL_CONNECT_DIAL_FAILED, error, detail);
}

static void on_wait_over(struct gcl_deadline *deadline)
{
    struct gcl_peer *peer = GCL_CONTAINER_OF(deadline, struct gcl_peer, wait);
    gcl_resolver_cancel(peer->node->resolver, &peer->resolving);
    if (peer->state == GCL_CONNECT_DIALING)
        gcl_dial_failed(peer, peer->dial_error, peer->dial_detail);
    else if (peer->up != NULL)
        tell_connected(peer);
    else
        gcl_peer_step(peer, GCL_CONNECT_WAIT_OVER, GCL_ETIMEOUT,
                      "the peer said that it was connecting to us (nok), and did not");
}

/* --- what the node does --------------------------------------------------------------------- */

int gcl_peer_send(struct gcl_peer *peer, const struct gcl_signal *signal)
{
    int error;
    if (peer->up != NULL) {
        if (!is_owed(signal) && gcl_peer_is_busy(peer))
            return GCL_EBUSY;
        error = encode(peer, signal);
        if (error == GCL_ENOMEM && is_owed(signal))
            gcl_connection_fail(peer->up->connection, GCL_ENOMEM,
                                "no memory for a signal that the peer relies on");
        return error;
    }
    error = gcl_signal_queue_add(&peer->pending, signal);
    if (error == 0)
        gcl_peer_step(peer, GCL_CONNECT_WANT, 0, "");
    return error;
}

bool gcl_peer_is_busy(struct gcl_peer *peer)
{
    if (peer->up == NULL || !gcl_connection_is_busy(peer->up->connection))
        return false;
    peer->has_refused = true;
    return true;
}

void gcl_peer_tell_writable(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    if (!peer->has_refused)
        return;
    peer->has_refused = false;
    if (node->config.on_writable == NULL || node->is_closing)
        return;
    peer->telling++;
    node->config.on_writable(node, peer->text, node->config.user);
    peer->telling--;
    gcl_peer_free_if_idle(peer);
}

void gcl_node_each_connection(const gcl_node *node,
                              void (*each)(const gcl_connection_info *info, void *user), void *user)
{
    GCL_LIST_EACH(&node->peers, at, following)
    {
        const struct gcl_peer *peer = GCL_CONTAINER_OF(at, struct gcl_peer, at_node);
        if (peer->up == NULL)
            continue;
        struct gcl_connection *connection = peer->up->connection;
        const struct gcl_connection_counters *counters = gcl_connection_counters(connection);
        gcl_connection_info info = {.name = peer->text,
                                    .hidden = !peer->is_visible,
                                    .flags = peer->flags,
                                    .creation = peer->name->creation,
                                    .bytes_in = counters->bytes_in,
                                    .bytes_out = counters->bytes_out,
                                    .frames_in = counters->frames_in,
                                    .frames_out = counters->frames_out,
                                    .output_bytes =
                                        gcl_buffer_size(gcl_connection_output(connection))};
        each(&info, user);
    }
}

void gcl_peer_drop_dialed(struct gcl_peer *peer)
{
    gcl_dial_cancel(peer);
    if (peer->dialed != NULL)
        gcl_attempt_close(peer->dialed);
    peer->dialed = NULL;
}

void gcl_peer_disconnect(struct gcl_peer *peer, const char *why)
{
    struct gcl_attempt *attempt = peer->up;
    if (attempt == NULL)
        return;
    struct gcl_connection *connection = attempt->connection;
    gcl_attempt_free(attempt);
    gcl_peer_step(peer, GCL_CONNECT_LOST, GCL_ECLOSED, why);
    gcl_connection_close(connection);
}

void gcl_peers_close(struct gcl_node *node)
{
    GCL_LIST_EACH(&node->peers, at, following)
    {
        struct gcl_peer *peer = GCL_CONTAINER_OF(at, struct gcl_peer, at_node);
        gcl_peer_drop_dialed(peer);
        gcl_loop_cancel(&node->loop, &peer->wait);
        gcl_reconnect_stop(peer);
        gcl_core_peer_down(&node->core, &peer->core);
        gcl_waiters_tell(peer, GCL_ECANCELED, "the node is closing");
    }
    gcl_node_settle(node);
    GCL_LIST_EACH(&node->attempts, at, following)
    {
        struct gcl_attempt *attempt = GCL_CONTAINER_OF(at, struct gcl_attempt, at_node);
        gcl_connection_finish(attempt->connection, node->config.close_timeout_ms);
    }
}

void gcl_peers_free(struct gcl_node *node)
{
    GCL_LIST_EACH(&node->peers, at, following)
    free_peer(GCL_CONTAINER_OF(at, struct gcl_peer, at_node));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of core/connect.c decides; here it is carried out. A connection knows its attempt, an
 * attempt its peer as soon as the name is known.
 */
#include "node/peer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/reason.h"
#include "node/dial.h"
#include "node/node_event.h"
#include "node/translate.h"
#include "wire/flags.h"

struct waiter {
    struct gcl_list at_peer;
    gcl_connect_function *done;
    void *user;
};

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
    gcl_names_clear_route(&node->core.names, peer);
    gcl_names_release(&node->core.names, peer->name);
    (void)gcl_table_remove(&node->peer_names, peer->hash, name_equal, &name);
    gcl_list_remove(&peer->at_node);
    gcl_signal_queue_fini(&peer->pending);
    gcl_free(node->mem, peer);
}

/* Names of strangers must not stay for ever. */
static void free_if_idle(struct gcl_peer *peer)
{
    if (peer->state == GCL_CONNECT_DOWN && !peer->has_address &&
        gcl_core_peer_is_idle(&peer->core) && gcl_list_is_empty(&peer->waiters) &&
        gcl_signal_queue_is_empty(&peer->pending) && peer->accepted == NULL)
        free_peer(peer);
}

/* --- who waits ------------------------------------------------------------------------------ */

static void tell_waiters(struct gcl_peer *peer, int error, const char *detail)
{
    struct gcl_list told, *at;
    gcl_list_init(&told);
    gcl_list_move_all(&told, &peer->waiters);
    while ((at = gcl_list_first(&told)) != NULL) {
        struct waiter waiter = *GCL_CONTAINER_OF(at, struct waiter, at_peer);
        gcl_list_remove(at);
        gcl_free(peer->node->mem, GCL_CONTAINER_OF(at, struct waiter, at_peer));
        waiter.done(peer->node, peer->text, error, detail, waiter.user);
    }
}

/* Nobody is connected: ends at the peer break, what waits for it is lost, in this order. */
static void lose(struct gcl_peer *peer, int error, const char *detail)
{
    gcl_core_peer_down(&peer->node->core, &peer->core);
    while (!gcl_signal_queue_is_empty(&peer->pending))
        gcl_signal_queue_remove_first(&peer->pending);
    gcl_node_settle(peer->node);
    tell_waiters(peer, error, detail);
    free_if_idle(peer);
}

/* --- going up and down ---------------------------------------------------------------------- */

static void step(struct gcl_peer *peer, enum gcl_connect_event event, int error,
                 const char *detail);

static int encode(struct gcl_peer *peer, const struct gcl_signal *signal)
{
    struct gcl_control control;
    int error = gcl_translate_out(&peer->node->core.names, signal, &control);
    if (error == 0)
        error =
            gcl_control_encode(gcl_connection_output(peer->up->connection), peer->flags, &control);
    if (error == 0)
        gcl_connection_written(peer->up->connection, 1);
    return error;
}

static void send_pending(struct gcl_peer *peer)
{
    struct gcl_signal signal;
    while (gcl_signal_queue_first(&peer->pending, &signal)) {
        int error = encode(peer, &signal);
        if (error != 0)
            gcl_log(&peer->node->log, GCL_LOG_WARNING, "signal_dropped",
                    "a signal that waited for %s cannot be sent: %s", peer->text,
                    gcl_strerror(error));
        gcl_signal_queue_remove_first(&peer->pending);
    }
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

static void go_up(struct gcl_peer *peer, struct gcl_attempt *attempt,
                  const struct gcl_handshake *result)
{
    peer->up = attempt;
    if (peer->dialed == attempt)
        peer->dialed = NULL;
    if (peer->accepted == attempt)
        peer->accepted = NULL;
    peer->flags = result->flags;
    peer->is_visible = gcl_handshake_is_visible(result);
    take_creation(peer, result);
    if ((peer->flags & GCL_FLAG(UNLINK_ID)) == 0)
        gcl_core_forget_unlinks(&peer->node->core, &peer->core);
    gcl_log(&peer->node->log, GCL_LOG_INFO, "node_up", "connected to %s (%s)", peer->text,
            peer->is_visible ? "visible" : "hidden");
    send_pending(peer);
    gcl_node_event_up(peer);
    tell_waiters(peer, 0, "");
}

static void go_down(struct gcl_peer *peer, int error, const char *detail)
{
    gcl_log(&peer->node->log, GCL_LOG_INFO, "node_down", "connection to %s is gone: %s", peer->text,
            detail);
    peer->up = NULL;
    gcl_node_event_down(peer, detail);
    lose(peer, error, detail);
}

static void close_attempt(struct gcl_attempt *attempt)
{
    struct gcl_connection *connection = attempt->connection;
    gcl_attempt_free(attempt);
    gcl_connection_close(connection);
}

static void admit(struct gcl_attempt *attempt, enum gcl_handshake_status status)
{
    gcl_connection_admit(attempt->connection, status, gcl_str_make(NULL, 0), 0);
}

static void drop_dialed(struct gcl_peer *peer)
{
    gcl_dial_cancel(peer);
    if (peer->dialed != NULL)
        close_attempt(peer->dialed);
    peer->dialed = NULL;
}

static void admit_newer(struct gcl_peer *peer, struct gcl_attempt *attempt,
                        enum gcl_handshake_status status)
{
    if (peer->accepted != NULL)
        close_attempt(peer->accepted);
    peer->accepted = attempt;
    attempt->peer = peer;
    gcl_loop_cancel(&peer->node->loop, &peer->wait);
    admit(attempt, status);
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
    free_if_idle(peer);
}

/* The peer may be freed when this returns, after events by which it can go down. */
static void step(struct gcl_peer *peer, enum gcl_connect_event event, int error, const char *detail)
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
    case GCL_CONNECT_ADMIT: /* answers to an offer: see on_named() */
    case GCL_CONNECT_ADMIT_SIMULTANEOUS:
    case GCL_CONNECT_REFUSE:
    case GCL_CONNECT_CHALLENGE:
    case GCL_CONNECT_DISMISS:
    case GCL_CONNECT_NODEUP: /* go_up() follows: it needs what the handshake found out */
        break;
    case GCL_CONNECT_IMPOSSIBLE:
        gcl_log(&peer->node->log, GCL_LOG_ERROR, "connect_state",
                "event %d cannot happen to %s while %s", (int)event, peer->text, before);
        break;
    }
}

void gcl_dial_failed(struct gcl_peer *peer, int error, const char *detail)
{
    step(peer, GCL_CONNECT_DIAL_FAILED, error, detail);
}

static void on_wait_over(struct gcl_deadline *deadline)
{
    struct gcl_peer *peer = GCL_CONTAINER_OF(deadline, struct gcl_peer, wait);
    gcl_resolver_cancel(peer->node->resolver, peer);
    if (peer->state == GCL_CONNECT_DIALING)
        gcl_dial_failed(peer, peer->dial_error, peer->dial_detail);
    else if (peer->up != NULL)
        tell_waiters(peer, 0, "");
    else
        step(peer, GCL_CONNECT_WAIT_OVER, GCL_ETIMEOUT,
             "the peer said that it was connecting to us (nok), and did not");
}

/* --- what connections tell ------------------------------------------------------------------ */

/* The peer has named itself: the one event that is answered on the wire. */
static void take_offer(struct gcl_peer *peer, struct gcl_attempt *attempt)
{
    bool greater = strcmp(peer->node->name, peer->text) > 0;
    enum gcl_connect_action action = gcl_connect_step(&peer->state, GCL_CONNECT_OFFER, greater);
    if (action == GCL_CONNECT_ADMIT) {
        admit_newer(peer, attempt, GCL_HANDSHAKE_OK);
    } else if (action == GCL_CONNECT_ADMIT_SIMULTANEOUS) {
        drop_dialed(peer);
        admit_newer(peer, attempt, GCL_HANDSHAKE_OK_SIMULTANEOUS);
    } else if (action == GCL_CONNECT_CHALLENGE) {
        peer->accepted = attempt;
        attempt->peer = peer;
        admit(attempt, GCL_HANDSHAKE_ASK_ALIVE);
    } else if (action == GCL_CONNECT_DISMISS) {
        gcl_connection_fail(attempt->connection, GCL_ECANCELED,
                            "another attempt of this peer is being challenged");
    } else {
        admit(attempt, GCL_HANDSHAKE_NOK);
    }
}

static void on_named(struct gcl_connection *connection)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    const struct gcl_handshake *handshake = gcl_connection_handshake(connection);
    struct gcl_peer *peer;
    int error = handshake->wants_name || attempt->node->is_closing
                    ? GCL_EREFUSED
                    : gcl_peer_get(attempt->node, gcl_handshake_peer(handshake), &peer);
    if (error != 0) {
        admit(attempt, GCL_HANDSHAKE_NOT_ALLOWED);
        return;
    }
    take_offer(peer, attempt);
}

static bool on_alive(struct gcl_connection *connection)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    return attempt->peer != NULL && attempt->peer->dialed == attempt;
}

static void on_proven(struct gcl_connection *connection)
{
    struct gcl_peer *peer = ((struct gcl_attempt *)gcl_connection_user(connection))->peer;
    struct gcl_attempt *old = peer->up;
    if (old == NULL)
        return;
    close_attempt(old);
    step(peer, GCL_CONNECT_LOST, GCL_ECLOSED, "the node has connected anew");
}

static void on_up(struct gcl_connection *connection, const struct gcl_handshake *result)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    struct gcl_peer *peer = attempt->peer;
    enum gcl_connect_event event =
        peer->dialed == attempt ? GCL_CONNECT_DIAL_UP : GCL_CONNECT_ACCEPT_UP;
    struct gcl_node *node = attempt->node;
    step(peer, event, 0, "");
    go_up(peer, attempt, result);
    gcl_node_settle(node);
}

/* Spawning code is not for a C program: the request is answered at once. */
static void refuse_spawn(struct gcl_peer *peer, const struct gcl_control *request)
{
    struct gcl_control reply = {.op = GCL_CONTROL_SPAWN_REPLY,
                                .ref = request->ref,
                                .to = request->from,
                                .name = gcl_str_of("notsup")};
    if (gcl_control_encode(gcl_connection_output(peer->up->connection), peer->flags, &reply) == 0)
        gcl_connection_written(peer->up->connection, 1);
}

static bool on_frame(struct gcl_connection *connection, struct gcl_str body, const char **why)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    struct gcl_peer *peer = attempt->peer;
    struct gcl_control_scratch scratch;
    struct gcl_control control;
    struct gcl_signal signal;
    if (gcl_control_decode(body, &control, &scratch, why) != 0)
        return false;
    int error = gcl_translate_in(&peer->node->core.names, peer->name, &control, &signal, why);
    if (error == GCL_ENOTSUP) {
        refuse_spawn(peer, &control);
        return true;
    }
    if (error == 0) {
        *why = "the limit of links and monitors (max_edges) is reached, or memory";
        error = gcl_core_signal(&peer->node->core, &peer->core, &signal);
    }
    gcl_node_settle(peer->node);
    return error == 0;
}

static void on_writable(struct gcl_connection *connection)
{
    (void)connection;
}

static void attempt_failed(struct gcl_peer *peer, struct gcl_attempt *attempt, bool lost_race,
                           int error, const char *detail)
{
    struct gcl_node *node = peer->node;
    if (peer->up == attempt) {
        step(peer, GCL_CONNECT_LOST, error, detail);
        return;
    }
    if (peer->accepted == attempt) {
        peer->accepted = NULL;
        step(peer, GCL_CONNECT_ACCEPT_FAILED, error, detail);
        return;
    }
    if (peer->dialed != attempt)
        return;
    peer->dialed = NULL;
    if (!lost_race) {
        step(peer, GCL_CONNECT_DIAL_FAILED, error, detail);
        return;
    }
    step(peer, GCL_CONNECT_DIAL_LOST, error, detail);
    if (gcl_loop_set(&node->loop, &peer->wait,
                     gcl_loop_now_ms(&node->loop) + node->config.setup_timeout_ms + 1000) != 0)
        step(peer, GCL_CONNECT_WAIT_OVER, GCL_ENOMEM, "no memory for a deadline");
}

static void on_down(struct gcl_connection *connection, int error, const char *detail)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    struct gcl_peer *peer = attempt->peer;
    struct gcl_node *node = attempt->node;
    const struct gcl_handshake *handshake = gcl_connection_handshake(connection);
    bool lost_race = handshake != NULL && gcl_handshake_state(handshake) == GCL_HANDSHAKE_LOST;
    if (handshake != NULL && !lost_race)
        gcl_log(&node->log, GCL_LOG_NOTICE, "handshake_failed", "%s %s: %s",
                attempt->is_ours ? "to" : "from",
                handshake->peer.size > 0 ? (const char *)handshake->peer.bytes : "somebody",
                detail);
    if (peer != NULL)
        attempt_failed(peer, attempt, lost_race, error, detail);
    gcl_attempt_free(attempt);
}

const struct gcl_connection_events gcl_peer_events = {
    .named = on_named,
    .alive = on_alive,
    .proven = on_proven,
    .up = on_up,
    .frame = on_frame,
    .writable = on_writable,
    .down = on_down,
};

/* --- what the node does --------------------------------------------------------------------- */

int gcl_peer_send(struct gcl_peer *peer, const struct gcl_signal *signal)
{
    if (peer->up != NULL)
        return encode(peer, signal);
    int error = gcl_signal_queue_add(&peer->pending, signal);
    if (error == 0)
        step(peer, GCL_CONNECT_WANT, 0, "");
    return error;
}

void gcl_peer_accept(struct gcl_node *node, int fd)
{
    struct gcl_attempt *attempt;
    struct gcl_handshake_config config;
    if (node->attempt_count >= node->config.max_connections) {
        gcl_log(&node->log, GCL_LOG_WARNING, "max_connections",
                "a connection was refused: max_connections (%u) are there",
                node->config.max_connections);
        (void)close(fd);
        return;
    }
    if (!gcl_dial_handshake(node, &config) || gcl_attempt_new(node, NULL, false, &attempt) != 0) {
        (void)close(fd);
        return;
    }
    int error =
        gcl_connection_accept(&node->connections, fd, &config, attempt, &attempt->connection);
    if (error != 0)
        gcl_attempt_free(attempt);
}

int gcl_node_connect(gcl_node *node, const char *name, gcl_connect_function *done, void *user)
{
    struct gcl_peer *peer;
    if (node->is_closing)
        return GCL_ECLOSED;
    struct waiter *waiter = gcl_alloc(node->mem, sizeof *waiter);
    if (waiter == NULL)
        return GCL_ENOMEM;
    int error = gcl_peer_get(node, gcl_str_of(name), &peer);
    if (error != 0) {
        gcl_free(node->mem, waiter);
        return error;
    }
    *waiter = (struct waiter){.done = done, .user = user};
    gcl_list_add_last(&peer->waiters, &waiter->at_peer);
    if (peer->up != NULL) {
        error = gcl_loop_set(&node->loop, &peer->wait, 0);
        if (error != 0) {
            gcl_list_remove(&waiter->at_peer);
            gcl_free(node->mem, waiter);
        }
        return error;
    }
    step(peer, GCL_CONNECT_WANT, 0, "");
    return 0;
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

void gcl_peer_disconnect(struct gcl_peer *peer, const char *why)
{
    struct gcl_attempt *attempt = peer->up;
    if (attempt == NULL)
        return;
    struct gcl_connection *connection = attempt->connection;
    gcl_attempt_free(attempt);
    step(peer, GCL_CONNECT_LOST, GCL_ECLOSED, why);
    gcl_connection_close(connection);
}

void gcl_peers_close(struct gcl_node *node)
{
    GCL_LIST_EACH(&node->peers, at, following)
    {
        struct gcl_peer *peer = GCL_CONTAINER_OF(at, struct gcl_peer, at_node);
        drop_dialed(peer);
        gcl_loop_cancel(&node->loop, &peer->wait);
        gcl_core_peer_down(&node->core, &peer->core);
        tell_waiters(peer, GCL_ECANCELED, "the node is closing");
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

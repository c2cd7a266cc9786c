/* SPDX-License-Identifier: Apache-2.0 */
/* What connections tell: each event of theirs becomes one of the table of core/connect.c. */
#include "node/attempt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "node/dial.h"
#include "node/translate.h"

enum { ALIVE_BYTES = 13 }; /* of names that are given: 64 random bits in base 36 */

/* --- life ----------------------------------------------------------------------------------- */

int gcl_attempt_new(struct gcl_node *node, struct gcl_peer *peer, bool is_ours,
                    struct gcl_attempt **out)
{
    struct gcl_attempt *attempt = gcl_alloc_zero(node->mem, sizeof *attempt);
    if (attempt == NULL)
        return GCL_ENOMEM;
    attempt->node = node;
    attempt->peer = peer;
    attempt->is_ours = is_ours;
    gcl_list_init(&attempt->at_node);
    gcl_list_add_last(&node->attempts, &attempt->at_node);
    node->attempt_count++;
    *out = attempt;
    return 0;
}

void gcl_attempt_free(struct gcl_attempt *attempt)
{
    gcl_list_remove(&attempt->at_node);
    attempt->node->attempt_count--;
    gcl_free(attempt->node->mem, attempt);
}

void gcl_attempt_close(struct gcl_attempt *attempt)
{
    struct gcl_connection *connection = attempt->connection;
    gcl_attempt_free(attempt);
    gcl_connection_close(connection);
}

/* --- a peer that dials us ------------------------------------------------------------------- */

static void admit(struct gcl_attempt *attempt, enum gcl_handshake_status status)
{
    gcl_connection_admit(attempt->connection, status, gcl_str_make(NULL, 0), 0);
}

static void admit_newer(struct gcl_peer *peer, struct gcl_attempt *attempt,
                        enum gcl_handshake_status status)
{
    if (peer->accepted != NULL)
        gcl_attempt_close(peer->accepted);
    peer->accepted = attempt;
    attempt->peer = peer;
    gcl_loop_cancel(&peer->node->loop, &peer->wait);
    admit(attempt, status);
}

/* The peer has named itself: the one event that is answered on the wire. */
static void take_offer(struct gcl_peer *peer, struct gcl_attempt *attempt)
{
    bool greater = strcmp(peer->node->name, peer->text) > 0;
    enum gcl_connect_action action = gcl_connect_step(&peer->state, GCL_CONNECT_OFFER, greater);
    if (action == GCL_CONNECT_ADMIT) {
        admit_newer(peer, attempt, GCL_HANDSHAKE_OK);
    } else if (action == GCL_CONNECT_ADMIT_SIMULTANEOUS) {
        gcl_peer_drop_dialed(peer);
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

/* Unpredictable, so that nobody is taken for somebody who was here before. */
static int make_name(struct gcl_node *node, struct gcl_str host, struct gcl_peer **peer)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[ALIVE_BYTES + 1 + GCL_ATOM_MAX_BYTES];
    uint64_t random;
    if (host.size > GCL_ATOM_MAX_BYTES || !gcl_node_random(node, &random, sizeof random))
        return GCL_ESYS;
    for (int i = 0; i < ALIVE_BYTES; i++, random /= 36)
        text[i] = digits[random % 36];
    text[ALIVE_BYTES] = '@';
    memcpy(text + ALIVE_BYTES + 1, host.bytes, host.size);
    struct gcl_str name = gcl_str_make(text, ALIVE_BYTES + 1 + host.size);
    return gcl_peer_find(node, name) != NULL ? GCL_EEXIST : gcl_peer_get(node, name, peer);
}

/* spec: erl_dist_protocol, 3) send_status, `named:`: a host that asks for a name */
static int name_peer(struct gcl_attempt *attempt, struct gcl_str host)
{
    struct gcl_node *node = attempt->node;
    struct gcl_peer *peer;
    uint32_t creation;
    if (!gcl_node_random(node, &creation, sizeof creation))
        return GCL_ESYS;
    int error = make_name(node, host, &peer);
    if (error != 0)
        return error;
    /* Nobody else has this name: there is no other attempt that could stand against it. */
    (void)gcl_connect_step(&peer->state, GCL_CONNECT_OFFER, false);
    peer->accepted = attempt;
    attempt->peer = peer;
    gcl_connection_admit(attempt->connection, GCL_HANDSHAKE_NAMED,
                         gcl_str_make(peer->text, peer->text_size), creation | 4);
    return 0;
}

static void on_named(struct gcl_connection *connection)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    const struct gcl_handshake *handshake = gcl_connection_handshake(connection);
    struct gcl_str name = gcl_handshake_peer(handshake);
    struct gcl_peer *peer = NULL;
    int error = GCL_EREFUSED;
    if (!attempt->node->is_closing)
        error = handshake->wants_name ? name_peer(attempt, name)
                                      : gcl_peer_get(attempt->node, name, &peer);
    if (error != 0)
        admit(attempt, GCL_HANDSHAKE_NOT_ALLOWED);
    else if (peer != NULL)
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
    gcl_attempt_close(old);
    gcl_peer_step(peer, GCL_CONNECT_LOST, GCL_ECLOSED, "the node has connected anew");
}

static void on_up(struct gcl_connection *connection, const struct gcl_handshake *result)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    struct gcl_peer *peer = attempt->peer;
    enum gcl_connect_event event =
        peer->dialed == attempt ? GCL_CONNECT_DIAL_UP : GCL_CONNECT_ACCEPT_UP;
    struct gcl_node *node = attempt->node;
    gcl_peer_step(peer, event, 0, "");
    gcl_peer_go_up(peer, attempt, result);
    gcl_node_settle(node);
}

/* --- spawn requests ------------------------------------------------------------------------- */

/* Who has asked waits for it, without end. */
static void reply_spawn(struct gcl_peer *peer, const struct gcl_control *reply)
{
    struct gcl_connection *connection = peer->up->connection;
    int error = gcl_control_encode(gcl_connection_output(connection), peer->flags, reply);
    if (error == 0)
        gcl_connection_written(connection, 1);
    else if (error != GCL_ENOTSUP)
        gcl_connection_fail(connection, error, "no memory for a reply that the peer relies on");
}

/* Options that are not known say how to run code; they are passed over. False: it is no list. */
static bool read_options(struct gcl_node *node, struct gcl_str options, uint32_t *flags)
{
    gcl_items items;
    gcl_term item;
    gcl_term list = gcl_term_of(&node->terms, options);
    if (!gcl_match(list, "[]") && !gcl_match(list, "[_ | _]"))
        return false;
    (void)gcl_items_begin(&items, list);
    while (gcl_items_next(&items, &item)) {
        if (gcl_match(item, "monitor") || gcl_match(item, "{monitor, _}"))
            *flags |= GCL_CONTROL_SPAWN_MONITOR;
        else if (gcl_match(item, "link"))
            *flags |= GCL_CONTROL_SPAWN_LINK;
    }
    return gcl_items_is_proper_end(&items);
}

/* As if the requester had done it behind the request. */
static int tie(struct gcl_peer *peer, gcl_pid from, const gcl_ref *ref, gcl_pid pid, uint32_t flags)
{
    struct gcl_core *core = &peer->node->core;
    struct gcl_signal signal = {
        .op = GCL_SIGNAL_MONITOR, .from = from, .to = gcl_target_pid(pid), .ref = *ref};
    int error = 0;
    if ((flags & GCL_CONTROL_SPAWN_MONITOR) != 0)
        error = gcl_core_signal(core, &peer->core, &signal);
    signal.op = GCL_SIGNAL_LINK;
    if (error == 0 && (flags & GCL_CONTROL_SPAWN_LINK) != 0)
        error = gcl_core_signal(core, &peer->core, &signal);
    return error;
}

/* The answer comes before the end of the process, which may come at once. spec:
 * erl_dist_protocol, SPAWN_REPLY */
static int on_spawn(struct gcl_peer *peer, const struct gcl_control *request, const char **why)
{
    struct gcl_node *node = peer->node;
    struct gcl_control reply = {
        .op = GCL_CONTROL_SPAWN_REPLY, .ref = request->ref, .to = request->from};
    struct gcl_spawn spawn = {.module = request->module,
                              .function = request->function,
                              .arity = request->arity,
                              .arguments = request->term};
    const char *refusal = "badopt";
    gcl_pid pid = {0};
    int error =
        gcl_translate_spawn(&node->core.names, peer->name, request, &spawn.from, &spawn.ref, why);
    if (error != 0)
        return error;
    if (read_options(node, request->options, &reply.spawn_flags)) {
        spawn.is_monitored = (reply.spawn_flags & GCL_CONTROL_SPAWN_MONITOR) != 0;
        refusal = node->services->spawn(node, &spawn, &pid);
    }
    if (refusal == NULL) {
        *why = "the limit of links and monitors (max_edges) is reached, or memory";
        error = tie(peer, spawn.from, &spawn.ref, pid, reply.spawn_flags);
        reply.has_from = gcl_translate_pid(&node->core.names, pid, &reply.from);
    } else {
        reply.spawn_flags = 0;
        reply.name = gcl_str_of(refusal);
    }
    reply_spawn(peer, &reply);
    return error;
}

/* Peers that send much send it from one process to one other. */
static const struct gcl_control *decode(struct gcl_attempt *attempt, struct gcl_str body,
                                        struct gcl_control *room,
                                        struct gcl_control_scratch *scratch, const char **why)
{
    const struct gcl_control *same = gcl_control_recall(&attempt->memo, body);
    if (same != NULL)
        return same;
    if (gcl_control_decode(body, room, scratch, why) != 0)
        return NULL;
    gcl_control_remember(&attempt->memo, body, room);
    return room;
}

static bool on_frame(struct gcl_connection *connection, struct gcl_str body, const char **why)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    struct gcl_peer *peer = attempt->peer;
    struct gcl_node *node = attempt->node;
    struct gcl_control_scratch scratch;
    struct gcl_control room;
    struct gcl_signal signal;
    const struct gcl_control *control = decode(attempt, body, &room, &scratch, why);
    if (control == NULL)
        return false;
    int error = gcl_translate_in(&node->core.names, peer->name, control, &signal, why);
    if (error == GCL_ENOTSUP)
        error = on_spawn(peer, control, why);
    else if (error == 0) {
        *why = "the limit of links and monitors (max_edges) is reached, or memory";
        error = gcl_core_signal(&node->core, &peer->core, &signal);
    }
    gcl_node_settle(node);
    return error == 0;
}

static void on_writable(struct gcl_connection *connection)
{
    struct gcl_attempt *attempt = gcl_connection_user(connection);
    gcl_peer_tell_writable(attempt->peer);
}

static void attempt_failed(struct gcl_peer *peer, struct gcl_attempt *attempt, bool lost_race,
                           int error, const char *detail)
{
    struct gcl_node *node = peer->node;
    if (peer->up == attempt) {
        gcl_peer_step(peer, GCL_CONNECT_LOST, error, detail);
        return;
    }
    if (peer->accepted == attempt) {
        peer->accepted = NULL;
        gcl_peer_step(peer, GCL_CONNECT_ACCEPT_FAILED, error, detail);
        return;
    }
    if (peer->dialed != attempt)
        return;
    peer->dialed = NULL;
    if (!lost_race) {
        gcl_peer_step(peer, GCL_CONNECT_DIAL_FAILED, error, detail);
        return;
    }
    gcl_peer_step(peer, GCL_CONNECT_DIAL_LOST, error, detail);
    if (gcl_loop_set(&node->loop, &peer->wait,
                     gcl_loop_now_ms(&node->loop) + node->config.setup_timeout_ms + 1000) != 0)
        gcl_peer_step(peer, GCL_CONNECT_WAIT_OVER, GCL_ENOMEM, "no memory for a deadline");
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

const struct gcl_connection_events gcl_attempt_events = {
    .named = on_named,
    .alive = on_alive,
    .proven = on_proven,
    .up = on_up,
    .frame = on_frame,
    .writable = on_writable,
    .down = on_down,
};

/* False: it is refused, and the log says why. */
static bool may_accept(struct gcl_node *node, struct gcl_handshake_config *config)
{
    if (node->attempt_count < node->config.max_connections)
        return gcl_dial_handshake(node, config);
    gcl_log(&node->log, GCL_LOG_WARNING, "max_connections",
            "a connection was refused: max_connections (%u) are there",
            node->config.max_connections);
    return false;
}

static void tell_refused(struct gcl_node *node, int error)
{
    gcl_log(&node->log, GCL_LOG_WARNING, "accept_failed", "a connection was refused: %s",
            gcl_strerror(error));
}

int gcl_attempt_accept(struct gcl_node *node, int fd)
{
    struct gcl_attempt *attempt;
    struct gcl_handshake_config config;
    if (!may_accept(node, &config)) {
        (void)close(fd);
        return 0;
    }
    int error = gcl_attempt_new(node, NULL, false, &attempt);
    if (error != 0) {
        (void)close(fd);
        tell_refused(node, error);
        return 0;
    }
    error = gcl_connection_accept(&node->connections, fd, &config, attempt, &attempt->connection);
    if (error == 0)
        return 0;
    int reason = errno;
    gcl_attempt_free(attempt);
    if (error == GCL_ESYS)
        return reason;
    tell_refused(node, error);
    return 0;
}

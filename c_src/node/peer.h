/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Other nodes: who is connected, who is being connected, what waits for it. A peer exists from the
 * first signal meant for it and goes when nothing needs it any more.
 */
#ifndef GCL_NODE_PEER_H
#define GCL_NODE_PEER_H

#include "core/connect.h"
#include "core/peer.h"
#include "node/node.h"
#include "node/reconnect.h"
#include "node/resolving.h"

struct gcl_attempt;

struct gcl_peer {
    struct gcl_core_peer core;
    struct gcl_list at_node; /* in node->peers */
    struct gcl_node *node;
    enum gcl_connect_state state;
    struct gcl_attempt *up;       /* the connection that counts */
    struct gcl_attempt *dialed;   /* our attempt */
    struct gcl_attempt *accepted; /* the peer's attempt */
    struct gcl_name *name;        /* held: with the creation of the connection, else 0 */
    uint64_t flags;               /* negotiated */
    bool is_visible;              /* the connection is: both nodes are */
    bool is_published;            /* the peer is no hidden node itself */
    bool is_beam;                 /* as its flags show */
    bool has_refused;             /* something, because it was busy */
    struct gcl_signal_queue pending;
    struct gcl_list waiters; /* of gcl_node_connect() */
    struct gcl_reconnect reconnect;
    struct gcl_resolving resolving;
    struct gcl_epmd_lookup lookup;
    bool is_looking_up;
    bool is_older; /* as epmd says, it knows the first message of the handshake in its old form */
    struct gcl_deadline wait; /* while waiting: for the attempt of the peer; else something that
                                 must not be told before a function has returned */
    int dial_error;           /* why dialling failed at once */
    const char *dial_detail;
    struct gcl_address address;
    bool has_address; /* set by gcl_node_set_address() */
    unsigned telling; /* callbacks of programs that are under way: it is not freed meanwhile */
    uint32_t hash;
    size_t text_size;
    char text[]; /* the name, terminated */
};

/** The peer of that name, made if need be. 0, GCL_ENAME, GCL_ENOMEM. */
int gcl_peer_get(struct gcl_node *node, struct gcl_str name, struct gcl_peer **out);

/** The peer of that name, or NULL. */
struct gcl_peer *gcl_peer_find(struct gcl_node *node, struct gcl_str name);

/** Sends a signal to it, or keeps it until it is connected. Errors of gcl_node_send(). */
int gcl_peer_send(struct gcl_peer *peer, const struct gcl_signal *signal);

/**
 * Its output is above the soft limit: what is not owed is refused. `on_writable` is called when
 * that is over.
 */
bool gcl_peer_is_busy(struct gcl_peer *peer);

/** What was refused may be sent now. The peer may be freed in here. */
void gcl_peer_tell_writable(struct gcl_peer *peer);

/** Closes what there is with a node: nodedown, as when the connection was lost. */
void gcl_peer_disconnect(struct gcl_peer *peer, const char *why);

/** For a node that closes: queued output may leave; attempts end; what waits is lost. */
void gcl_peers_close(struct gcl_node *node);

/** After gcl_peers_close() and when no connection is left. */
void gcl_peers_free(struct gcl_node *node);

/* --- for attempts --------------------------------------------------------------------------- */

/**
 * Something happened to a connection of the peer; `error` and `detail` why, where it was bad. The
 * peer may be freed when this returns, after events by which it can go down.
 */
void gcl_peer_step(struct gcl_peer *peer, enum gcl_connect_event event, int error,
                   const char *detail);

/** Behind the event that made it so: `attempt` is the connection that counts from now on. */
void gcl_peer_go_up(struct gcl_peer *peer, struct gcl_attempt *attempt,
                    const struct gcl_handshake *result);

/** Frees the peer when it is of no use any more. */
void gcl_peer_free_if_idle(struct gcl_peer *peer);

/** Our attempt, if there is one, ends without a word. */
void gcl_peer_drop_dialed(struct gcl_peer *peer);

#endif

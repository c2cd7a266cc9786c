/* SPDX-License-Identifier: Apache-2.0 */
/** Attempts: every connection of a node, and how one to a peer is begun. */
#ifndef GCL_NODE_DIAL_H
#define GCL_NODE_DIAL_H

#include "node/peer.h"

/** What a connection's user pointer is. */
struct gcl_attempt {
    struct gcl_list at_node; /* in node->attempts */
    struct gcl_node *node;
    struct gcl_peer *peer; /* NULL until an accepted one has named itself */
    struct gcl_connection *connection;
    bool is_ours;
};

int gcl_attempt_new(struct gcl_node *node, struct gcl_peer *peer, bool is_ours,
                    struct gcl_attempt **out);
/** The connection is not touched. */
void gcl_attempt_free(struct gcl_attempt *attempt);

/** The handshake of a new connection; false and logged when there is no randomness. */
bool gcl_dial_handshake(struct gcl_node *node, struct gcl_handshake_config *config);

/**
 * Looks up where the peer listens and connects to it. Failures come to gcl_dial_failed(), never
 * before return.
 */
void gcl_dial(struct gcl_peer *peer);

/** The outcome of a host name's lookup; `user` is the peer. */
void gcl_dial_resolved(void *user, const struct gcl_address *address);

/** Ends a lookup under way. */
void gcl_dial_cancel(struct gcl_peer *peer);

/** Of peer.c. */
void gcl_dial_failed(struct gcl_peer *peer, int error, const char *detail);

#endif

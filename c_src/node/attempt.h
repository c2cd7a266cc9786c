/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Attempts: every connection of a node, from the first moment to the last. A connection knows its
 * attempt, an attempt its peer as soon as the name is known.
 */
#ifndef GCL_NODE_ATTEMPT_H
#define GCL_NODE_ATTEMPT_H

#include "node/peer.h"
#include "wire/control_memo.h"

/** What a connection's user pointer is. */
struct gcl_attempt {
    struct gcl_list at_node; /* in node->attempts */
    struct gcl_node *node;
    struct gcl_peer *peer; /* NULL until an accepted one has named itself */
    struct gcl_connection *connection;
    struct gcl_control_memo memo; /* of what comes in */
    bool is_ours;
};

int gcl_attempt_new(struct gcl_node *node, struct gcl_peer *peer, bool is_ours,
                    struct gcl_attempt **out);

/** The connection is not touched. */
void gcl_attempt_free(struct gcl_attempt *attempt);

/** Frees it and closes the connection; nobody is told. */
void gcl_attempt_close(struct gcl_attempt *attempt);

/**
 * Takes an accepted socket. 0, also when it is refused; or the errno for which the system gives
 * nothing more, so that it cannot be kept, and is closed.
 */
int gcl_attempt_accept(struct gcl_node *node, int fd);

/** What connections tell the node. */
extern const struct gcl_connection_events gcl_attempt_events;

#endif

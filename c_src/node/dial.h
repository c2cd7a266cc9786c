/* SPDX-License-Identifier: Apache-2.0 */
/** How a connection to a peer is begun: where it listens, then a connection to there. */
#ifndef GCL_NODE_DIAL_H
#define GCL_NODE_DIAL_H

#include "node/peer.h"

/** The handshake of a new connection; false and logged when there is no randomness. */
bool gcl_dial_handshake(struct gcl_node *node, struct gcl_handshake_config *config);

/**
 * Looks up where the peer listens and connects to it. Failures come to gcl_dial_failed(), never
 * before return.
 */
void gcl_dial(struct gcl_peer *peer);

/** The outcome of a lookup of the peer's host. */
void gcl_dial_resolved(struct gcl_resolving *resolving, const struct gcl_address *address);

/** Ends a lookup under way. */
void gcl_dial_cancel(struct gcl_peer *peer);

/** Of peer.c. */
void gcl_dial_failed(struct gcl_peer *peer, int error, const char *detail);

#endif

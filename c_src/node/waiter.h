/* SPDX-License-Identifier: Apache-2.0 */
/** Who waits for a connection: the outcomes of gcl_node_connect(). */
#ifndef GCL_NODE_WAITER_H
#define GCL_NODE_WAITER_H

#include "node/peer.h"

/** Tells and forgets all who wait for the peer. Those whom that makes wait anew are left. */
void gcl_waiters_tell(struct gcl_peer *peer, int error, const char *detail);

/** Who has asked for a connection to the node itself waits for the next turn of the loop. */
void gcl_waiters_init_own(struct gcl_node *node);

/** Tells them that there will be none. */
void gcl_waiters_close_own(struct gcl_node *node);

#endif

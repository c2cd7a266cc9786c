/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Nodes that come and go, for the processes that watch them: gcl_process_watch_nodes().
 *
 * spec: net_kernel:monitor_nodes/2: nodeup before any message of the node, nodedown behind the
 * last one; here also behind what the loss does to links and monitors.
 */
#ifndef GCL_NODE_NODE_EVENT_H
#define GCL_NODE_NODE_EVENT_H

#include "node/peer.h"

void gcl_node_events_init(struct gcl_node *node);
void gcl_node_events_fini(struct gcl_node *node);

/** A peer is connected, or not any more. Handlers are called by gcl_node_settle(). */
void gcl_node_event_up(struct gcl_peer *peer);
void gcl_node_event_down(struct gcl_peer *peer, const char *why);

/** Tells one process of one event; false when there is nothing to tell. */
bool gcl_node_events_next(struct gcl_node *node);

#endif

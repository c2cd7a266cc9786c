/* SPDX-License-Identifier: Apache-2.0 */
/** Where a node is reached: it listens, and epmd knows where. */
#ifndef GCL_NODE_ENDPOINT_H
#define GCL_NODE_ENDPOINT_H

#include "node/config.h"

/** Before anything can fail. */
void gcl_endpoint_init(struct gcl_node *node);

/**
 * Listens, and registers with epmd; `on_ready` comes when that is done. Errors of gcl_node_new(),
 * with a text in `detail`.
 */
int gcl_endpoint_open(struct gcl_node *node, const gcl_node_config *config,
                      const struct gcl_config_detail *detail);

/**
 * Listens and registers anew: the sockets have been shut down. The port is the same, or any other
 * free one where none was asked for and the old one is taken. Errors of gcl_listener_open(); then
 * nobody can reach the node.
 */
int gcl_endpoint_reopen(struct gcl_node *node) GCL_MUST_USE;

/** Nobody comes in any more. */
void gcl_endpoint_close(struct gcl_node *node);

#endif

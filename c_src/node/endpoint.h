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

/** Nobody comes in any more. */
void gcl_endpoint_close(struct gcl_node *node);

#endif

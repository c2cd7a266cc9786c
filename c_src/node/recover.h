/* SPDX-License-Identifier: Apache-2.0 */
/** The loop goes on after it has stood still: what the watchdog has closed is made anew. */
#ifndef GCL_NODE_RECOVER_H
#define GCL_NODE_RECOVER_H

#include "node/node.h"

/**
 * In every turn, before connections have theirs. When the watchdog has struck, the connections are
 * lost at the end of this turn, visible nodes are dialled again, and the node can be reached; or it
 * closes, when it cannot. How long the loop has stood still, or 0.
 */
uint64_t gcl_recover(struct gcl_node *node);

/** Behind the losses: tells the program, unless `stalled_ms` is 0. */
void gcl_recover_tell(struct gcl_node *node, uint64_t stalled_ms);

#endif

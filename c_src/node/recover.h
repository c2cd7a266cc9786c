/* SPDX-License-Identifier: Apache-2.0 */
/** The loop goes on after it has stood still: what the watchdog has closed is made anew. */
#ifndef GCL_NODE_RECOVER_H
#define GCL_NODE_RECOVER_H

#include "node/node.h"

/**
 * In every turn, before connections have theirs. When the watchdog has struck, the connections are
 * lost at the end of this turn, and the node can be reached again; or it closes, when it cannot.
 */
void gcl_recover(struct gcl_node *node);

/** What is lost now is lost because the loop stood still: from the strike to gcl_recover_tell(). */
bool gcl_recover_is_due(const struct gcl_node *node);

/** In every turn, behind the losses: tells the program, if there is something to tell, once the
 * node is ready. */
void gcl_recover_tell(struct gcl_node *node);

#endif

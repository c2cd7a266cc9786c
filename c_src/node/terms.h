/* SPDX-License-Identifier: Apache-2.0 */
/** The context of the terms of a node: how their pids and references are found in its names. */
#ifndef GCL_NODE_TERMS_H
#define GCL_NODE_TERMS_H

struct gcl_node;

/** Sets `node->terms`; the names are used from the first term on. */
void gcl_terms_init(struct gcl_node *node);

#endif

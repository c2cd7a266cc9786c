/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Short names and long ones, with a dot in the host: BEAMs of one kind do not dial nodes of the
 * other. A C node does, so that a connection between them exists as long as it is the one that
 * makes it, and not behind that. This is found out in a cluster's bad hour, unless somebody says
 * so.
 */
#ifndef GCL_NODE_NAME_KIND_H
#define GCL_NODE_NAME_KIND_H

#include "node/node.h"

/** Whether BEAMs called alive@`host` would not dial the node `name`, or not be dialled by it. */
bool gcl_name_kinds_differ(const char *host, struct gcl_str name);

/** Logs that they differ from this node's (`name_kind`); once in its life, for one other kind. */
void gcl_name_kind_check(struct gcl_node *node, struct gcl_str name);

#endif

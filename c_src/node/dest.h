/* SPDX-License-Identifier: Apache-2.0 */
/** From a destination as programs write it to a target and the peer it is reached by. */
#ifndef GCL_NODE_DEST_H
#define GCL_NODE_DEST_H

#include <gen_cluster/server.h>

#include "node/peer.h"

/** `peer` is NULL when the target is on this node, or was on an earlier life of it. */
struct gcl_route {
    struct gcl_target target;
    struct gcl_peer *peer;
};

/** A global name, which has to be looked up. */
bool gcl_dest_is_global(const gcl_dest *dest);

/** 0, GCL_ESTALE, GCL_ENAME, GCL_EINVAL (none, or a global name) or GCL_ENOMEM. Borrows from
 * `dest`. */
int gcl_dest_route(struct gcl_node *node, const gcl_dest *dest, struct gcl_route *route);

#endif

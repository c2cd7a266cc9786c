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

/** 0, GCL_ESTALE, GCL_ENAME, GCL_EINVAL (no destination) or GCL_ENOMEM. Borrows from `dest`. */
int gcl_dest_route(struct gcl_node *node, const gcl_dest *dest, struct gcl_route *route);

#endif

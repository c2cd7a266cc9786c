/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the core keeps of another node: the ends of links and monitors that cross to it. Embedded
 * in the node layer's peer, which exists from the first signal meant for the node on, connected or
 * not.
 */
#ifndef GCL_CORE_PEER_H
#define GCL_CORE_PEER_H

#include "base/list.h"

struct gcl_core_peer {
    struct gcl_list links;    /* struct gcl_link, the remote side */
    struct gcl_list watchers; /* struct gcl_monitor: their processes watch ours */
    struct gcl_list watched;  /* struct gcl_monitor: our processes watch theirs */
};

static inline void gcl_core_peer_init(struct gcl_core_peer *peer)
{
    gcl_list_init(&peer->links);
    gcl_list_init(&peer->watchers);
    gcl_list_init(&peer->watched);
}

static inline bool gcl_core_peer_is_idle(const struct gcl_core_peer *peer)
{
    return gcl_list_is_empty(&peer->links) && gcl_list_is_empty(&peer->watchers) &&
           gcl_list_is_empty(&peer->watched);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The nodes of members, peers and seeds of one membership machine, each name kept once, in the
 * order of names. An entry lives as long as something refers to it.
 */
#ifndef GCL_CORE_MEMBERSHIP_NODE_H
#define GCL_CORE_MEMBERSHIP_NODE_H

#include "base/alloc.h"
#include "base/deadline.h"
#include "base/str.h"

struct gcl_member_node {
    struct gcl_str name; /* of `bytes` */
    uint32_t references;
    uint32_t members; /* peers on this node, by state; the member itself is not counted */
    uint32_t probings;
    uint32_t suspects;
    bool is_lost; /* it is retried, see gcl_member_node_lose() */
    uint32_t tries;
    struct gcl_deadline due;
    uint8_t bytes[];
};

struct gcl_member_nodes {
    const gcl_allocator *mem;
    struct gcl_member_node **sorted;
    size_t count;
    size_t capacity;
};

/** Allocates nothing. */
void gcl_member_nodes_init(struct gcl_member_nodes *nodes, const gcl_allocator *mem);

/** Frees all entries, whoever refers to them. */
void gcl_member_nodes_fini(struct gcl_member_nodes *nodes);

/** NULL when there is none. */
struct gcl_member_node *gcl_member_nodes_find(const struct gcl_member_nodes *nodes,
                                              struct gcl_str name);

/** Finds or makes the entry (`name` is copied) and refers to it. 0 or GCL_ENOMEM. */
int gcl_member_nodes_take(struct gcl_member_nodes *nodes, struct gcl_str name,
                          struct gcl_member_node **out) GCL_MUST_USE;

/** Gives a reference back. NULL is allowed. */
void gcl_member_nodes_release(struct gcl_member_nodes *nodes, struct gcl_member_node *node);

/** The reference of one who already has one. */
static inline struct gcl_member_node *gcl_member_node_share(struct gcl_member_node *node)
{
    node->references++;
    return node;
}

#endif

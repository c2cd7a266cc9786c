/* SPDX-License-Identifier: Apache-2.0 */
/** The nodes through which a member looks for its cluster, in the order of names. */
#ifndef GCL_CORE_MEMBERSHIP_SEED_H
#define GCL_CORE_MEMBERSHIP_SEED_H

#include "base/alloc.h"
#include "core/membership/node.h"

struct gcl_member_seed {
    struct gcl_member_node *node;
    uint64_t tag;   /* of the monitor by name; 0: none is open */
    uint64_t nonce; /* of the last hello; 0: not asked yet */
    uint32_t tries;
    uint64_t due_ms; /* GCL_NEVER: not asked again for now */
    bool ok;         /* it has answered or failed once */
};

struct gcl_member_seeds {
    const gcl_allocator *mem;
    struct gcl_member_nodes *nodes;
    struct gcl_member_seed *sorted;
    size_t count;
    size_t capacity;
};

/** Both are borrowed. Allocates nothing. */
void gcl_member_seeds_init(struct gcl_member_seeds *seeds, const gcl_allocator *mem,
                           struct gcl_member_nodes *nodes);

/** Forgets all and gives the memory back. */
void gcl_member_seeds_fini(struct gcl_member_seeds *seeds);

/** Makes room for `more` seeds. 0 or GCL_ENOMEM. */
int gcl_member_seeds_reserve(struct gcl_member_seeds *seeds, size_t more) GCL_MUST_USE;

/* A seed found is valid until one is added or removed. NULL when there is none. */
struct gcl_member_seed *gcl_member_seeds_find(const struct gcl_member_seeds *seeds,
                                              const struct gcl_member_node *node);
struct gcl_member_seed *gcl_member_seeds_find_tag(const struct gcl_member_seeds *seeds,
                                                  uint64_t tag);
struct gcl_member_seed *gcl_member_seeds_find_nonce(const struct gcl_member_seeds *seeds,
                                                    uint64_t nonce);

/** Adds a node that is no seed yet, for which there is room; takes a reference of its own. */
struct gcl_member_seed *gcl_member_seeds_add(struct gcl_member_seeds *seeds,
                                             struct gcl_member_node *node);

void gcl_member_seeds_remove(struct gcl_member_seeds *seeds, struct gcl_member_seed *seed);

#endif

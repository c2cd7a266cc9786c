/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The pids a membership machine knows of, in the order of ids, the member itself among them: so
 * lists, digests, ranks and the peers of one node are runs of one array. What can fail for want of
 * memory is making a peer; adding, changing and removing cannot.
 */
#ifndef GCL_CORE_MEMBERSHIP_PEER_H
#define GCL_CORE_MEMBERSHIP_PEER_H

#include "base/alloc.h"
#include "base/deadline.h"
#include "core/membership/id.h"
#include "core/membership/message.h"
#include "core/membership/node.h"

enum gcl_member_state {
    GCL_MEMBER_NONE,    /* not in the table */
    GCL_MEMBER_SELF,    /* the member whose machine this is */
    GCL_MEMBER_PROBING, /* monitored; it has not answered yet */
    GCL_MEMBER_CONFIRMED,
    GCL_MEMBER_SUSPECT, /* lost with its node; it may be alive */
};

struct gcl_member_peer {
    struct gcl_member_id id; /* its node name is that of `node` */
    struct gcl_member_node *node;
    struct gcl_member_peer *next; /* among the spare or the removed ones */
    enum gcl_member_state state;
    uint64_t tag;            /* of the monitor, and the nonce of our hellos; 0: none */
    uint64_t echoed;         /* its last nonce that was answered under this tag; 0: none */
    struct gcl_deadline due; /* of a probing one: the next hello */
    uint32_t tries;
    uint64_t since_ms; /* when it was lost first; GCL_NEVER: it is not lost */
    bool was;          /* it once was a member */
    bool ask;          /* our hello had `want` */
    bool is_told;      /* `info` is what it said itself */
    uint64_t stay;     /* the highest that it named; 0: none */
    struct gcl_membership_info info;
    uint8_t *label; /* the block that info.label points into; NULL: all is empty */
};

struct gcl_member_peers {
    const gcl_allocator *mem;
    struct gcl_member_nodes *nodes;
    struct gcl_member_peer **sorted;
    const struct gcl_member_id **view; /* ids of the members, made when asked for */
    size_t count;
    size_t capacity;
    size_t members; /* the member itself included */
    size_t probings;
    size_t suspects;
    bool is_view_stale;
    bool is_claimant_stale;
    struct gcl_member_peer *claimant; /* the first member that claims to lead */
};

/** Both are borrowed. Allocates nothing. */
void gcl_member_peers_init(struct gcl_member_peers *peers, const gcl_allocator *mem,
                           struct gcl_member_nodes *nodes);

/** Frees all peers. */
void gcl_member_peers_fini(struct gcl_member_peers *peers);

/** Removes and frees all peers but the member itself. */
void gcl_member_peers_clear(struct gcl_member_peers *peers);

/** Makes room for `more` peers. 0 or GCL_ENOMEM. */
int gcl_member_peers_reserve(struct gcl_member_peers *peers, size_t more) GCL_MUST_USE;

/** A peer that is in no table yet; `id` is copied. NULL when there is no memory. */
struct gcl_member_peer *gcl_member_peer_new(struct gcl_member_peers *peers,
                                            const struct gcl_member_id *id) GCL_MUST_USE;

/** One that is in no table. NULL is allowed. */
void gcl_member_peer_free(struct gcl_member_peers *peers, struct gcl_member_peer *peer);

/** The place of the first peer that is not before `id`. */
size_t gcl_member_peers_place(const struct gcl_member_peers *peers, const struct gcl_member_id *id);

/** The place of the first peer on a node, or of what comes behind. */
size_t gcl_member_peers_place_of_node(const struct gcl_member_peers *peers, struct gcl_str node);

/** NULL when there is none. */
struct gcl_member_peer *gcl_member_peers_find(const struct gcl_member_peers *peers,
                                              const struct gcl_member_id *id);

/** Adds a new peer, for which there is room, in a state. */
void gcl_member_peers_add(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                          enum gcl_member_state state);

/** Takes it out; the caller frees it. */
void gcl_member_peers_remove(struct gcl_member_peers *peers, struct gcl_member_peer *peer);

/** The only places where state and claim change. */
void gcl_member_peers_set_state(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                                enum gcl_member_state state);
void gcl_member_peers_set_claim(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                                bool claim);

static inline bool gcl_member_peer_is_member(const struct gcl_member_peer *peer)
{
    return peer->state == GCL_MEMBER_CONFIRMED || peer->state == GCL_MEMBER_SELF;
}

/** All members; valid until a state changes. */
struct gcl_member_list gcl_member_peers_view(struct gcl_member_peers *peers);

/** All members without `id`. */
struct gcl_member_list gcl_member_peers_view_without(struct gcl_member_peers *peers,
                                                     const struct gcl_member_id *id);

/** The first member in order that claims to lead, or NULL. */
struct gcl_member_peer *gcl_member_peers_claimant(struct gcl_member_peers *peers);

/** The label as one block: `*block` is NULL when everything is empty. 0 or GCL_ENOMEM. */
int gcl_membership_label_copy(const gcl_allocator *mem, const struct gcl_membership_label *label,
                              uint8_t **block) GCL_MUST_USE;

/** Where the parts of `like` are in `block`. */
struct gcl_membership_label gcl_membership_label_in(const uint8_t *block,
                                                    const struct gcl_membership_label *like);

bool gcl_membership_label_equal(const struct gcl_membership_label *a,
                                const struct gcl_membership_label *b);

#endif

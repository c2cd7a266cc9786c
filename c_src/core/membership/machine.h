/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The inside of the membership machine: its state, and the procedures that transitions are made of.
 * For the files of this room and tests of them alone.
 *
 *     membership.c  the interface: making, stepping, asking
 *     reserve.c     what memory a step may need
 *     events.c      transitions by event
 *     receive.c     transitions by message
 *     finish.c      what is checked after every event
 *     procedure.c   the procedures below
 *     effect.c      from entries of the queue to effects
 */
#ifndef GCL_CORE_MEMBERSHIP_MACHINE_H
#define GCL_CORE_MEMBERSHIP_MACHINE_H

#include "core/membership/membership.h"
#include "core/membership/node.h"
#include "core/membership/peer.h"
#include "core/membership/queue.h"
#include "core/membership/seed.h"

enum gcl_membership_contact {
    GCL_MEMBERSHIP_CONTACT_NONE, /* not chosen yet */
    GCL_MEMBERSHIP_CONTACT_PEER,
    GCL_MEMBERSHIP_CONTACT_SPENT, /* named for this stay, or gone */
};

struct gcl_membership {
    const gcl_allocator *mem;
    struct gcl_membership_settings settings;
    struct gcl_membership_hash hash;
    struct gcl_member_nodes nodes;
    struct gcl_member_peers peers;
    struct gcl_member_seeds seeds;
    struct gcl_deadlines deadlines; /* of probings and lost nodes */
    struct gcl_member_peer *self;   /* what this member says of itself is in self->info */

    enum gcl_membership_phase phase;
    uint64_t stay;
    uint64_t last_number; /* of the one counter of tags and nonces */
    bool asking;          /* an answer about the global name is due */
    bool naming;          /* an answer about the local name is due */
    bool fresh;           /* it has met nobody: it may still choose a contact */
    enum gcl_membership_contact contact;
    struct gcl_member_peer *contact_peer;
    struct gcl_member_peer *leader; /* as reported last */

    uint64_t settle_due_ms; /* GCL_NEVER, here and below: not set */
    uint64_t sync_due_ms;
    uint64_t hurried_ms; /* when a sync was last brought forward */
    uint64_t take_due_ms;
    uint32_t take_tries;
    uint64_t hold_due_ms;                /* until when a leader that renounced stays reported */
    uint64_t wake_ms;                    /* as told last */
    struct gcl_member_node *cursor_node; /* who got the last sync; NULL: nobody yet */
    struct gcl_member_id cursor;
    bool is_digest_stale;
    uint8_t digest[GCL_MEMBERSHIP_DIGEST_BYTES];

    /* Of the current step. */
    uint64_t now_ms;
    uint32_t random;
    struct gcl_membership_queue queue;
    struct gcl_str reason;         /* of the leave that is reported */
    struct gcl_member_peer *spare; /* made ahead, in the order in which they are needed */
    struct gcl_member_peer *removed;
    struct gcl_member_node *spare_node;
    uint8_t *spare_label;
};

/* --- reserve.c ------------------------------------------------------------------------------ */

/** Whatever the event can need. 0 or GCL_ENOMEM. */
int gcl_membership_reserve(struct gcl_membership *m, const struct gcl_membership_event *event);

/** Frees what was not needed, and the removed peers that effects referred to. */
void gcl_membership_unreserve(struct gcl_membership *m);

/* --- events.c, receive.c, finish.c --------------------------------------------------------- */

void gcl_membership_dispatch(struct gcl_membership *m, const struct gcl_membership_event *event);
void gcl_membership_receive(struct gcl_membership *m, const struct gcl_membership_message *message);
void gcl_membership_finish(struct gcl_membership *m);

/** True when a message has all the keys of its kind and is not from this member itself. */
bool gcl_membership_makes_sense(const struct gcl_membership *m,
                                const struct gcl_membership_message *message);

/** True when the peer was a member in an earlier stay than that of the message. */
bool gcl_membership_is_later_stay(const struct gcl_member_peer *peer,
                                  const struct gcl_membership_message *message);

/* --- procedure.c: time ---------------------------------------------------------------------- */

/** `ms` from now, a quarter more or less. */
uint64_t gcl_membership_jitter(const struct gcl_membership *m, uint64_t ms);

/** From now, doubled with each try up to `max_ms`. */
uint64_t gcl_membership_backoff(const struct gcl_membership *m, uint64_t base_ms, uint64_t max_ms,
                                uint32_t tries);

/** Of a peer or a lost node; there is room. GCL_NEVER: none. */
void gcl_membership_set_due(struct gcl_membership *m, struct gcl_deadline *due, uint64_t at_ms);

/* --- procedure.c: effects ------------------------------------------------------------------- */

struct gcl_membership_entry *gcl_membership_add(struct gcl_membership *m, int kind);
void gcl_membership_demonitor(struct gcl_membership *m, uint64_t *tag);

/** A message with this member's info to a peer. */
struct gcl_membership_entry *gcl_membership_tell(struct gcl_membership *m,
                                                 enum gcl_membership_message_kind kind,
                                                 const struct gcl_member_id *to);
void gcl_membership_hello(struct gcl_membership *m, const struct gcl_member_peer *to, uint32_t keys,
                          uint64_t echo);

/** Answers a hello: a member by ack, another by hello. */
void gcl_membership_answer(struct gcl_membership *m, struct gcl_member_peer *peer, uint64_t nonce);

/** All members to one who may know fewer; `want`: it shall do likewise. */
void gcl_membership_list(struct gcl_membership *m, const struct gcl_member_id *to, bool want);

/** Asks who has the leader's name. */
void gcl_membership_whereis(struct gcl_membership *m);

/** Keeps the digest of the members in `m->digest`. */
void gcl_membership_make_digest(struct gcl_membership *m);

/* --- procedure.c: peers --------------------------------------------------------------------- */

/** Monitors `id`; `peer` is its entry or NULL. NULL when it is unknown and there are too many. */
struct gcl_member_peer *gcl_membership_watch(struct gcl_membership *m, struct gcl_member_peer *peer,
                                             const struct gcl_member_id *id);

/** Watches and says hello; `want` asks for its list. */
void gcl_membership_probe(struct gcl_membership *m, struct gcl_member_peer *peer,
                          const struct gcl_member_id *id, bool want);

/** Takes over what a message says of its sender. */
void gcl_membership_take_info(struct gcl_membership *m, struct gcl_member_peer *peer,
                              const struct gcl_membership_message *message);

/** A probing peer becomes a member by its message. */
void gcl_membership_confirm(struct gcl_membership *m, struct gcl_member_peer *peer,
                            const struct gcl_membership_message *message);

/** Forgets a peer; a member is reported to have left. */
void gcl_membership_drop(struct gcl_membership *m, struct gcl_member_peer *peer,
                         enum gcl_membership_departure departure);

/** Reports that a peer, which is no longer a member, has left. */
void gcl_membership_gone(struct gcl_membership *m, struct gcl_member_peer *peer,
                         enum gcl_membership_departure departure);

/** Gets in touch with the holder of the leader's name. NULL is allowed. */
void gcl_membership_greet(struct gcl_membership *m, const struct gcl_member_id *holder);

void gcl_membership_spend_contact(struct gcl_membership *m, const struct gcl_member_peer *peer);

/* --- procedure.c: the member itself --------------------------------------------------------- */

void gcl_membership_ask_seed(struct gcl_membership *m, struct gcl_member_seed *seed);
void gcl_membership_set_claim(struct gcl_membership *m, bool claim,
                              const struct gcl_member_id *holder);
void gcl_membership_settle(struct gcl_membership *m);
bool gcl_membership_has_quorum(const struct gcl_membership *m);

/** A node is no longer retried. */
void gcl_membership_forget_node(struct gcl_membership *m, struct gcl_member_node *node);

/** Forgets all peers, seeds and lost nodes. */
void gcl_membership_clear(struct gcl_membership *m);

#endif

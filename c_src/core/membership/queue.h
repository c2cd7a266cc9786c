/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The effects of one step, in order, as small structs. What goes to many (an info to every member,
 * the farewell, a list in pieces) is one entry, which is walked when it is taken.
 */
#ifndef GCL_CORE_MEMBERSHIP_QUEUE_H
#define GCL_CORE_MEMBERSHIP_QUEUE_H

#include "base/alloc.h"
#include "core/membership/membership.h"
#include "core/membership/node.h"

/* Kinds of entries: those of effects, and these. */
enum {
    GCL_MEMBERSHIP_ENTRY_TELL_ALL = GCL_MEMBERSHIP_IGNORED + 1, /* info to every member */
    GCL_MEMBERSHIP_ENTRY_LIST,                                  /* all members, in pieces */
    GCL_MEMBERSHIP_ENTRY_FAREWELL, /* leave to all and demonitor, then forget them */
};

struct gcl_membership_entry {
    uint8_t kind;    /* enum gcl_membership_effect_kind or one of the above */
    uint8_t message; /* enum gcl_membership_message_kind */
    uint8_t departure;
    bool settled; /* the member's info as it was then */
    bool claim;
    uint32_t keys;
    uint64_t v;
    uint64_t number; /* tag, nonce or time */
    uint64_t echo;
    const struct gcl_member_id *id;     /* to whom, or about whom */
    const struct gcl_member_node *node; /* to the name on this node */
    const struct gcl_member_id *holder;
};

struct gcl_membership_queue {
    const gcl_allocator *mem;
    struct gcl_membership_entry *entries;
    size_t first;
    size_t count; /* with those before `first` */
    size_t capacity;
    size_t walked; /* how far the first one was walked */
};

/** `mem` is borrowed. Allocates nothing. */
void gcl_membership_queue_init(struct gcl_membership_queue *queue, const gcl_allocator *mem);
void gcl_membership_queue_fini(struct gcl_membership_queue *queue);

/** Empties the queue and makes room for `count` entries. 0 or GCL_ENOMEM. */
int gcl_membership_queue_reserve(struct gcl_membership_queue *queue, size_t count) GCL_MUST_USE;

/** A new last entry of this kind, for which there is room, else zero. */
struct gcl_membership_entry *gcl_membership_queue_add(struct gcl_membership_queue *queue, int kind);

/** The first entry, or NULL. */
static inline struct gcl_membership_entry *
gcl_membership_queue_first(const struct gcl_membership_queue *queue)
{
    return queue->first < queue->count ? &queue->entries[queue->first] : NULL;
}

/** Takes the first entry away. */
static inline void gcl_membership_queue_take(struct gcl_membership_queue *queue)
{
    queue->first++;
    queue->walked = 0;
}

#endif

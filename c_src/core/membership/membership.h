/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The membership machine of one member: who is in the cluster, and who leads it. No socket, no
 * clock, no random source: an event goes in with the time and a random number, effects come out.
 * doc/membership.md explains the protocol; gen_cluster_core.erl is the same machine in Erlang, and
 * test/vectors/membership.txt is replayed by both.
 *
 * Use: gcl_membership_step() with an event, then gcl_membership_next() until there is no more
 * effect, carrying each out, in order. Callbacks of the user are run after that, never between.
 *
 * Memory: a step first reserves whatever it could need and then cannot fail: after GCL_ENOMEM
 * nothing has happened, and the same event may be given again. A shell that cannot wait has to end
 * the member, for an event that is lost (a DOWN) breaks what the machine promises. Effects are kept
 * as small structs; lists of members in effects are views of one array per step, and what goes to
 * every member is walked lazily, so that leaving needs no memory at all.
 */
#ifndef GCL_CORE_MEMBERSHIP_MEMBERSHIP_H
#define GCL_CORE_MEMBERSHIP_MEMBERSHIP_H

#include "base/alloc.h"
#include "base/deadline.h"
#include "core/membership/id.h"
#include "core/membership/message.h"

struct gcl_membership;

enum gcl_membership_phase {
    GCL_MEMBERSHIP_OUT,
    GCL_MEMBERSHIP_JOINING, /* what is there already is taken silently */
    GCL_MEMBERSHIP_SETTLED,
};

/** An MD5, in three calls; the machine hashes its list with it. `user` is handed through. */
struct gcl_membership_hash {
    void *user;
    void (*begin)(void *user);
    void (*add)(void *user, const void *bytes, size_t size);
    void (*end)(void *user, uint8_t digest[16]);
};

/** Times and limits; doc/membership.md says what each is for. */
struct gcl_membership_settings {
    uint32_t settle_ms;
    uint32_t probe_base_ms, probe_max_ms, probe_tries;
    uint32_t retry_base_ms, retry_max_ms;
    uint32_t sync_ms, sync_fast_ms;
    uint32_t take_step_ms, take_retry_ms;
    uint32_t hold_ms;
    uint32_t quorum;         /* below so many members there is no leader */
    uint32_t suspect_ttl_ms; /* of a pid that once was a member */
    uint32_t hearsay_ttl_ms; /* of a pid that never was */
    uint32_t max_suspects, max_peers, max_seeds;
};

struct gcl_membership_config {
    const gcl_allocator *mem;          /* borrowed for the life of the machine */
    struct gcl_member_id self;         /* copied */
    bool hidden;                       /* never leads */
    struct gcl_membership_label label; /* copied */
    struct gcl_membership_hash hash;
    struct gcl_membership_settings settings;
};

enum gcl_membership_event_kind {
    GCL_MEMBERSHIP_START,      /* `nodes`: become a member, with these seeds */
    GCL_MEMBERSHIP_NAMED,      /* answer to REGISTER_LOCAL: `yes` when the name is this member's */
    GCL_MEMBERSHIP_JOIN,       /* `node`: another seed */
    GCL_MEMBERSHIP_GO,         /* leave gracefully */
    GCL_MEMBERSHIP_RECEIVED,   /* `message` */
    GCL_MEMBERSHIP_DOWN,       /* of the monitor `tag`; `member` or NULL for a name; `reason` */
    GCL_MEMBERSHIP_NODEUP,     /* `node` */
    GCL_MEMBERSHIP_REGISTERED, /* answer to REGISTER_GLOBAL: `yes`, or who has it in `member` */
    GCL_MEMBERSHIP_WHEREIS,    /* answer to WHEREIS_GLOBAL: `member` or NULL */
    GCL_MEMBERSHIP_CONFLICT,   /* global resolved a conflict about the leader's name */
    GCL_MEMBERSHIP_UPDATE,     /* `label`: the user changed it */
    GCL_MEMBERSHIP_WOKEN,      /* the time last given by WAKE has come */
    GCL_MEMBERSHIP_EVENT_KINDS,
};

/** Borrowed, with all it points to, until the last effect of the step was taken. */
struct gcl_membership_event {
    enum gcl_membership_event_kind kind;
    bool yes;
    bool noconnection; /* DOWN: the reason is `noconnection` */
    uint64_t tag;
    struct gcl_str node;
    const struct gcl_str *nodes;
    size_t node_count;
    const struct gcl_member_id *member;
    struct gcl_str reason; /* handed through to HANDLE_LEAVE */
    const struct gcl_membership_message *message;
    const struct gcl_membership_label *label;
};

enum gcl_membership_effect_kind {
    GCL_MEMBERSHIP_SEND,      /* `message` to `to` */
    GCL_MEMBERSHIP_MONITOR,   /* `to`, with `tag` */
    GCL_MEMBERSHIP_DEMONITOR, /* the monitor `tag` */
    GCL_MEMBERSHIP_REGISTER_LOCAL,
    GCL_MEMBERSHIP_UNREGISTER_LOCAL,
    GCL_MEMBERSHIP_REGISTER_GLOBAL,
    GCL_MEMBERSHIP_UNREGISTER_GLOBAL, /* if the holder is this member */
    GCL_MEMBERSHIP_WHEREIS_GLOBAL,
    GCL_MEMBERSHIP_WAKE,        /* at `at_ms`; GCL_NEVER: not any more */
    GCL_MEMBERSHIP_HANDLE_JOIN, /* `member` joined through this one */
    GCL_MEMBERSHIP_HANDLE_NODE_JOINED,
    GCL_MEMBERSHIP_SILENT_JOIN,          /* `member` was there before: for subscribers only */
    GCL_MEMBERSHIP_HANDLE_LEAVE,         /* `member`, with `departure` and `reason` */
    GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE, /* `member`, NULL: no leader */
    GCL_MEMBERSHIP_IGNORED, /* a message of `member` makes no sense: log once per node */
};

enum gcl_membership_departure {
    GCL_MEMBERSHIP_EXITED, /* with `reason` */
    GCL_MEMBERSHIP_LOST,   /* noconnection */
    GCL_MEMBERSHIP_LEFT,   /* gracefully */
};

/** A pid, or the process registered under the cluster's name on a node. */
struct gcl_membership_target {
    const struct gcl_member_id *member; /* NULL: by name */
    struct gcl_str node;
};

/** Borrowed until the next call of gcl_membership_next() or _step(). */
struct gcl_membership_effect {
    enum gcl_membership_effect_kind kind;
    struct gcl_membership_target to;
    uint64_t tag;
    uint64_t at_ms;
    const struct gcl_member_id *member;
    struct gcl_member_list members; /* of the callbacks: all, this one included */
    enum gcl_membership_departure departure;
    struct gcl_str reason;
    struct gcl_membership_message message;
};

/** Fills in the defaults. `mem`, `self`, `label` and `hash` are left to the caller. */
void gcl_membership_config_init(struct gcl_membership_config *config);

/** A machine that is out. 0, GCL_EINVAL (no hash, no name) or GCL_ENOMEM. */
int gcl_membership_new(const struct gcl_membership_config *config,
                       struct gcl_membership **out) GCL_MUST_USE;

/** Legal at any time; NULL is allowed. */
void gcl_membership_free(struct gcl_membership *machine);

/**
 * Tells what happened at `now_ms`, which never goes back. `random` is a fresh number of 0 .. 1000.
 * 0; GCL_EBUSY: effects of the last step are not taken; GCL_ENOMEM. On error nothing has happened.
 */
int gcl_membership_step(struct gcl_membership *machine, uint64_t now_ms, uint32_t random,
                        const struct gcl_membership_event *event) GCL_MUST_USE;

/** The next effect of the last step; false when there is none. */
bool gcl_membership_next(struct gcl_membership *machine, struct gcl_membership_effect *effect);

/* --- questions; answers are borrowed until the next step ----------------------------------- */

enum gcl_membership_phase gcl_membership_phase(const struct gcl_membership *machine);

/** How often it was started. */
uint64_t gcl_membership_stay(const struct gcl_membership *machine);

/** The members in order, this one included; empty when out. */
struct gcl_member_list gcl_membership_members(struct gcl_membership *machine);

/** What a member says of itself; false when `id` is no member. */
bool gcl_membership_find(const struct gcl_membership *machine, const struct gcl_member_id *id,
                         struct gcl_membership_info *info);

/** NULL: none. */
const struct gcl_member_id *gcl_membership_leader(const struct gcl_membership *machine);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The inside of a member: the membership machine and all by which its effects are carried out.
 *
 *     cluster.c     its life
 *     handler.c     the handlers of the server that it is
 *     verb.c        what programs can change
 *     effect.c      from events to effects, and what they do
 *     monitor.c     monitors, found by reference and by tag
 *     callback.c    what the user is to be told, in order, once the machine is at rest
 *     listing.c     who is there, as structs and as terms
 *     request.c     what others ask of it by calls
 *     publish.c     to all members
 *     child.c, subscriber.c, vote.c, await.c
 *
 * An event never runs a handler of the user: it leaves callbacks, which run when the handler of
 * the server that runs returns, or, when none does, by a timer that has expired already.
 */
#ifndef GCL_CLUSTER_CLUSTER_H
#define GCL_CLUSTER_CLUSTER_H

#include <gen_cluster/cluster.h>

#include "base/list.h"
#include "base/table.h"
#include "cluster/message.h"
#include "cluster/monitor.h"
#include "core/membership/membership.h"
#include "node/node.h"
#include "server/server.h"

enum {
    GCL_CLUSTER_WARNED = 64,   /* so many nodes are warned of once; then some again */
    GCL_CLUSTER_VOTE_MS = 5000 /* for offers, and for what the winner does */
};

/** Answers to effects: they are events once the step is over. */
struct gcl_cluster_answers {
    bool named, is_named;
    bool registered;
    bool whereis;
    struct gcl_member_id leader; /* of the last two */
};

struct gcl_cluster {
    struct gcl_node *node;
    gcl_server *server;
    const gcl_allocator *mem;
    const gcl_cluster_handlers *handlers;
    const gcl_handlers *server_handlers;
    void *user;
    char *name; /* with `type` behind it, in one block */
    char *type;
    gcl_term meta;                  /* owned; empty: #{} */
    void *hash;                     /* of net/crypto.h */
    struct gcl_membership *machine; /* NULL: it never began */
    gcl_writer *writer;             /* for one term at a time */
    struct gcl_cluster_pids room;   /* for lists in messages */
    struct gcl_cluster_monitors monitors;
    struct gcl_cluster_answers answers;
    struct gcl_list pending;     /* struct gcl_cluster_pending */
    struct gcl_list children;    /* of child.c */
    struct gcl_list subscribers; /* of subscriber.c */
    struct gcl_list ballots;     /* of vote.c */
    struct gcl_list waits;       /* of await.c */
    uint64_t wake_timer;         /* 0: none */
    uint64_t callback_timer;     /* 0: none */
    uint32_t warned[GCL_CLUSTER_WARNED];
    uint32_t warnings;
    bool is_handling; /* a handler of the server runs, and callbacks after it */
    bool has_changed; /* something that those of await.c may wait for */
    bool is_broken;   /* an event was lost for want of memory: it has to end */
};

static inline struct gcl_str gcl_cluster_name(const struct gcl_cluster *cluster)
{
    return gcl_str_of(cluster->name);
}

/** GCL_ECLOSED when it is ending, or never began; else 0. */
static inline int gcl_cluster_check(const struct gcl_cluster *cluster)
{
    bool is_open = cluster->machine != NULL && !cluster->server->is_ending && !cluster->is_broken;
    return is_open ? 0 : GCL_ECLOSED;
}

/* --- cluster.c, handler.c, verb.c ----------------------------------------------------------- */

extern const gcl_handlers gcl_cluster_server_handlers;

/** All of it, but for what is told by callbacks. */
void gcl_cluster_free(struct gcl_cluster *cluster);

/** Takes over `meta`, also on error. GCL_EINVAL: no map of at most 4 KiB. */
int gcl_cluster_take_meta(struct gcl_cluster *cluster, gcl_term meta);

/* --- effect.c ------------------------------------------------------------------------------- */

/** Tells the machine what has happened, and carries out what follows. 0 or GCL_ENOMEM: it ends. */
int gcl_cluster_event(struct gcl_cluster *cluster, const struct gcl_membership_event *event);

/** The member cannot go on. Returns GCL_ENOMEM. */
int gcl_cluster_break(struct gcl_cluster *cluster);

/** Between pids of programs and of the machine. Errors of gcl_intern_pid(). */
int gcl_cluster_pid_of(struct gcl_cluster *cluster, const struct gcl_member_id *id, gcl_pid *pid);
bool gcl_cluster_id_of(struct gcl_cluster *cluster, gcl_pid pid, struct gcl_member_id *id);

/** Sends a term above the soft limit, too: what members owe one another. */
int gcl_cluster_send(struct gcl_cluster *cluster, gcl_dest dest, gcl_term term);

/** Logs a warning about a node, once for each. */
void gcl_cluster_warn(struct gcl_cluster *cluster, struct gcl_str node, const char *what,
                      const char *why);

/** What the member says of itself has changed. 0, GCL_ELIMIT (children), GCL_ENOMEM. */
int gcl_cluster_update(struct gcl_cluster *cluster);

/* --- leader.c ------------------------------------------------------------------------------- */

/** Who has the leader's name; false: nobody, or this node does not know. */
bool gcl_cluster_find_leader(struct gcl_cluster *cluster, struct gcl_member_id *leader);

/** Asks for the name: GCL_MEMBERSHIP_REGISTERED comes, once. */
void gcl_cluster_take_lead(struct gcl_cluster *cluster);
void gcl_cluster_leave_lead(struct gcl_cluster *cluster);

/** `global` says that two processes have had the leader's name. */
bool gcl_cluster_is_conflict(const struct gcl_cluster *cluster, gcl_term message);

/* --- callback.c ----------------------------------------------------------------------------- */

enum gcl_cluster_callback_kind {
    GCL_CLUSTER_CALLBACK_JOIN,
    GCL_CLUSTER_CALLBACK_NODE_JOINED,
    GCL_CLUSTER_CALLBACK_LEAVE,
    GCL_CLUSTER_CALLBACK_LEADER,
    GCL_CLUSTER_CALLBACK_PUBLISH,
    GCL_CLUSTER_CALLBACK_OUTCOME,
};

/** In the line of callbacks: one of callback.c, or a ballot that has its outcome. */
struct gcl_cluster_pending {
    struct gcl_list at;
    enum gcl_cluster_callback_kind kind;
};

/** What is to be told. Everything is borrowed and copied by gcl_cluster_tell(). */
struct gcl_cluster_news {
    enum gcl_cluster_callback_kind kind;
    gcl_departure why;
    const struct gcl_member_id *member; /* NULL: none */
    struct gcl_member_list members;
    struct gcl_str term;
};

/** Leaves a callback to be run, unless there is no handler for it. 0 or GCL_ENOMEM. */
int gcl_cluster_tell(struct gcl_cluster *cluster, const struct gcl_cluster_news *news);

/** Around each handler of the server: runs what was left behind by it. */
void gcl_cluster_enter(struct gcl_cluster *cluster);
gcl_result gcl_cluster_leave_handler(struct gcl_cluster *cluster, gcl_result result);

/** When no handler runs: has a timer run what is left. */
void gcl_cluster_schedule(struct gcl_cluster *cluster);

/** Forgets what was to be told of members and leaders. */
void gcl_cluster_callbacks_forget(struct gcl_cluster *cluster);

/** Forgets what is left; of ballots that must be none. */
void gcl_cluster_callbacks_fini(struct gcl_cluster *cluster);

/* --- listing.c ------------------------------------------------------------------------------ */

/** [#{pid, node, type, meta, children}], as gen_cluster:members/1. Errors of gcl_write(). */
int gcl_cluster_write_members(struct gcl_cluster *cluster, gcl_writer *out);

/** gcl_cluster_mod_plist() of any atom. */
int gcl_cluster_write_type(struct gcl_cluster *cluster, gcl_bytes type, gcl_writer *out);

/* --- request.c, publish.c ------------------------------------------------------------------- */

/** True for {'$gen_cluster', _, ...}: it is not for the user. */
bool gcl_cluster_is_request(gcl_term term);
gcl_result gcl_cluster_request(struct gcl_cluster *cluster, gcl_term term, const gcl_from *from);

/** False when it is no publication to this cluster. */
bool gcl_cluster_take_publication(struct gcl_cluster *cluster, gcl_term term);
int gcl_cluster_publish_term(struct gcl_cluster *cluster, gcl_term term);

/* --- child.c, subscriber.c, vote.c, await.c ------------------------------------------------- */

/** Writes the list of {Type, Pid}; `*count` is set. Errors of gcl_write(). */
int gcl_cluster_write_children(struct gcl_cluster *cluster, gcl_writer *out, size_t *count);
int gcl_cluster_add_child_type(struct gcl_cluster *cluster, struct gcl_str type, gcl_pid pid);

/** Each true when the reference is that of such a monitor, which has fired. */
bool gcl_cluster_child_down(struct gcl_cluster *cluster, const gcl_ref *ref);
bool gcl_cluster_subscriber_down(struct gcl_cluster *cluster, const gcl_ref *ref);
void gcl_cluster_children_fini(struct gcl_cluster *cluster);
void gcl_cluster_subscribers_fini(struct gcl_cluster *cluster);

/** Sends {gen_cluster, Ref, Event} to all who want to know; `event` is a pattern's message. */
void gcl_cluster_notify(struct gcl_cluster *cluster, gcl_message event);

/** Tells a ballot's outcome, and frees it. */
gcl_result gcl_cluster_ballot_end(struct gcl_cluster *cluster, struct gcl_cluster_pending *pending);

/** Those that have no outcome yet, or have not told it, are canceled. */
void gcl_cluster_ballots_fini(struct gcl_cluster *cluster);

/** Ends those whose wish has come true. */
gcl_result gcl_cluster_check_waits(struct gcl_cluster *cluster);

/** True when the timer, which has expired, is that of one; `*result` is that of its handler. */
bool gcl_cluster_wait_expired(struct gcl_cluster *cluster, uint64_t timer, gcl_result *result);

/** Those that still wait are canceled. */
void gcl_cluster_waits_fini(struct gcl_cluster *cluster);

#endif

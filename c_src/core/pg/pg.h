/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The process groups of one scope, as the scope of a BEAM keeps them: which processes of this node
 * are in which groups, the scopes of other nodes (peers) and what they say of theirs, and who wants
 * to know of changes. No socket, no clock: messages and ends go in, effects come out.
 *
 * Use: tell what happened, then take effects with gcl_pg_machine_next() until there is none,
 * carrying each out. Effects are walked lazily, so that the end of a peer with many members needs
 * no memory; what goes to all peers is encoded once.
 *
 * A peer may send anything. What is no message of the protocol is ignored. One that is, but is
 * malformed, speaks for processes of other nodes, or is more than the limits allow, is refused:
 * everything that the peer has said is forgotten, and what else it says ignored until it says all
 * of it anew. It is still told of what changes here.
 *
 * spec: pg.erl of kernel, OTP 23 to 29. Sent are {discover, Scope}, {'$gen_cast', {sync, Scope,
 * [{Group, Pids}]}}, {join, Scope, Group, Pids} and {leave, Scope, Pids, Groups}, nothing else: a
 * scope in Erlang ends when it gets a message that it does not know.
 */
#ifndef GCL_CORE_PG_PG_H
#define GCL_CORE_PG_PG_H

#include "core/pg/store.h"

struct gcl_pg_machine;

struct gcl_pg_machine_config {
    const gcl_allocator *mem;  /* borrowed for the life of the machine */
    gcl_term_context *context; /* borrowed: by it pids and bytes are converted */
    gcl_pid self;              /* the scope; may be set later, before the first event */
    uint64_t seed[2];          /* of the hash tables; random */
    struct gcl_pg_limits limits;
    uint32_t max_peers;
};

/** Who wants to know what changes: embedded by the caller. Zeroed: of no machine. */
struct gcl_pg_watch {
    struct gcl_list at;
    struct gcl_pg_group *group; /* NULL: all */
};

enum gcl_pg_effect_kind {
    GCL_PG_SEND,      /* `term` to the scope `pid`; empty, when it could not be written for want
                         of memory: then that one knows too little from now on */
    GCL_PG_MONITOR,   /* the scope `pid`; its reference goes to `*ref`. When that is not possible,
                         gcl_pg_machine_down() at once */
    GCL_PG_DEMONITOR, /* the process whose reference is `*ref` */
    GCL_PG_TELL,      /* `term` to `watch`: {join, Group, Pids} or {leave, Group, Pids}; empty as
                         above */
    GCL_PG_REFUSED,   /* a message of the scope `pid`; see `why` */
    GCL_PG_IGNORED,   /* a message of nobody knows whom; see `why` */
};

/** Borrowed until the next call of the machine. */
struct gcl_pg_effect {
    enum gcl_pg_effect_kind kind;
    gcl_pid pid;
    gcl_ref *ref;
    gcl_term term;
    struct gcl_pg_watch *watch;
    const char *why; /* static */
};

/** 0 or GCL_ENOMEM. */
int gcl_pg_machine_new(const struct gcl_pg_machine_config *config,
                       struct gcl_pg_machine **out) GCL_MUST_USE;

void gcl_pg_machine_set_self(struct gcl_pg_machine *machine, gcl_pid self);

/** No watch may be left. NULL is allowed. */
void gcl_pg_machine_free(struct gcl_pg_machine *machine);

/* --- events --------------------------------------------------------------------------------- */

/** True when `pid`, of this node, is in a group, and is therefore monitored. */
bool gcl_pg_machine_has_local(const struct gcl_pg_machine *machine, gcl_pid pid);

/**
 * A process of this node joins the group that `term` names, once more if it is in it. `monitor` is
 * the reference of a monitor of it, when it was in no group before; else NULL. GCL_EBUSY: effects
 * are left to be taken; GCL_ETERM; GCL_ELIMIT; GCL_ENOMEM. On error nothing has happened.
 */
int gcl_pg_machine_join(struct gcl_pg_machine *machine, gcl_pid pid, const gcl_ref *monitor,
                        gcl_term term) GCL_MUST_USE;

/** It leaves the group once. GCL_ENOENT: it is not in it; else as above. */
int gcl_pg_machine_leave(struct gcl_pg_machine *machine, gcl_pid pid, gcl_term term) GCL_MUST_USE;

/** A message for the scope: any bytes, borrowed until the last effect was taken. GCL_EBUSY. */
int gcl_pg_machine_receive(struct gcl_pg_machine *machine, gcl_term message,
                           bool is_cast) GCL_MUST_USE;

/** A process that is monitored has ended, or its node was lost. Legal at any time. */
void gcl_pg_machine_down(struct gcl_pg_machine *machine, gcl_pid pid);

/** Writes {discover, Scope}, to be sent to scopes that may not be known. Errors of gcl_write(). */
int gcl_pg_machine_write_discover(const struct gcl_pg_machine *machine, gcl_writer *out);

/** The next effect; false when there is none. */
bool gcl_pg_machine_next(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect);

/* --- watches -------------------------------------------------------------------------------- */

/** `watch` is told of changes to the group, or (`group` NULL) to all. Errors as of a join. */
int gcl_pg_machine_watch(struct gcl_pg_machine *machine, struct gcl_pg_watch *watch,
                         const gcl_term *group) GCL_MUST_USE;

/** Not while effects are taken. */
void gcl_pg_machine_unwatch(struct gcl_pg_machine *machine, struct gcl_pg_watch *watch);

/* --- questions ------------------------------------------------------------------------------ */

/** The next group that has members: start with `*position` 0; NULL at the end. */
const struct gcl_pg_group *gcl_pg_machine_each(const struct gcl_pg_machine *machine,
                                               size_t *position);

enum gcl_pg_machine_part { GCL_PG_MACHINE_ALL, GCL_PG_MACHINE_LOCAL, GCL_PG_MACHINE_REMOTE };

/** A walk over the members of a group, which must not change meanwhile. */
struct gcl_pg_walk {
    const struct gcl_pg_machine *machine;
    const struct gcl_list *head;
    const struct gcl_list *at;
    size_t index;
    enum gcl_pg_machine_part part;
};

/** GCL_ENOENT: nobody is in the group; then, and on GCL_ETERM, GCL_ELIMIT or GCL_ENOMEM, the walk
 * has no members. */
int gcl_pg_machine_walk(struct gcl_pg_machine *machine, gcl_term term,
                        enum gcl_pg_machine_part part, struct gcl_pg_walk *walk);
bool gcl_pg_walk_next(struct gcl_pg_walk *walk, gcl_pid *pid);

/** True when a scope of that place in the table of names is known. */
bool gcl_pg_machine_knows_node(const struct gcl_pg_machine *machine, uint32_t node);

#endif

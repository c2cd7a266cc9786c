/* SPDX-License-Identifier: Apache-2.0 */
/** The inside of the machine of core/pg/pg.h, for pg.c (events and effects) and receive.c. */
#ifndef GCL_CORE_PG_MACHINE_H
#define GCL_CORE_PG_MACHINE_H

#include "core/pg/pg.h"
#include "wire/term/context.h"

/** The scope of another node. */
struct gcl_pg_peer {
    gcl_pid pid;
    gcl_ref ref;
    struct gcl_list at_machine;
    struct gcl_list at_doomed;
    struct gcl_pg_owner owner;
    bool is_refused; /* what it says is ignored, until it syncs */
    bool is_synced;  /* it was sent what is here, of which it is told the changes from then on */
};

/** A process of this node that is in groups. */
struct gcl_pg_local {
    gcl_pid pid;
    gcl_ref ref;
    struct gcl_list at_doomed;
    struct gcl_pg_group **groups; /* as often as it is in each */
    size_t count;
    size_t capacity;
};

/* What is under way, until it gives no more effects. */
enum gcl_pg_job {
    GCL_PG_JOB_NONE,
    GCL_PG_JOB_GREET,    /* `peer` is new and has to be monitored; then comes `after_greeting` */
    GCL_PG_JOB_ANSWER,   /* a sync for `peer`; when that `is_new`, the next one follows */
    GCL_PG_JOB_DISCOVER, /* a discover for it */
    GCL_PG_JOB_SYNC,     /* `items`: [{Group, Pids}] of `peer` */
    GCL_PG_JOB_SWEEP,    /* what was not in it */
    GCL_PG_JOB_LEAVE,    /* `items`: [Group], which `given` of `peer` leave */
    GCL_PG_JOB_DROP,     /* all that `peer` has said */
    GCL_PG_JOB_END,      /* ... and `peer` itself */
    GCL_PG_JOB_DEATH,    /* `dead` leaves its groups */
};

/* A change that watches have to be told of. */
struct gcl_pg_news {
    struct gcl_pg_group *group; /* held; NULL: none */
    const struct gcl_pg_pids *pids;
    bool is_join;
    bool is_written;
    struct gcl_list *head; /* the list of watches that is walked */
    struct gcl_list *at;   /* the next one */
};

struct gcl_pg_machine {
    struct gcl_pg_machine_config config;
    struct gcl_pg_store store;
    struct gcl_pg_owner local;
    struct gcl_table locals;
    struct gcl_table peers;
    struct gcl_list all_peers;
    struct gcl_list doomed_peers;
    struct gcl_list doomed_locals;
    struct gcl_list watches; /* of all groups */
    struct gcl_buffer out;   /* for peers */
    struct gcl_buffer text;  /* for watches */
    /* For what a message names and what comes of it; never without room for one pid. */
    struct gcl_pg_pids given, joined, left;

    enum gcl_pg_job job;
    enum gcl_pg_job after_greeting;
    struct gcl_pg_peer *peer;
    struct gcl_pg_local *dead;
    bool is_new;
    gcl_items items;

    /* Effects that come before anything else is done. */
    struct gcl_pg_effect note; /* while `why` is set */
    struct gcl_list *send_at;  /* the next peer that gets `out`; NULL: none */
    struct gcl_pg_news news[2];
    gcl_ref unmonitored; /* of a process that is in no group any more; count 0: none */
    gcl_ref demonitored; /* ... in the effect */
};

/* --- pg.c ----------------------------------------------------------------------------------- */

struct gcl_pg_peer *gcl_pg_peer_find(const struct gcl_pg_machine *machine, gcl_pid pid);

/** 0, GCL_ELIMIT or GCL_ENOMEM. */
int gcl_pg_peer_add(struct gcl_pg_machine *machine, gcl_pid pid, struct gcl_pg_peer **out);

void gcl_pg_peer_free(struct gcl_pg_machine *machine, struct gcl_pg_peer *peer);
void gcl_pg_local_free(struct gcl_pg_machine *machine, struct gcl_pg_local *local);

/** Effects are left to be taken. */
bool gcl_pg_is_busy(const struct gcl_pg_machine *machine);

/* --- effect.c ------------------------------------------------------------------------------- */

/** Watches are told that `pids`, which stay as they are until then, have joined or left. */
void gcl_pg_tell(struct gcl_pg_machine *machine, bool is_join, struct gcl_pg_group *group,
                 const struct gcl_pg_pids *pids);

/** Has `out` sent to all peers that were sent a sync. */
void gcl_pg_broadcast(struct gcl_pg_machine *machine);

/**
 * Writes {join, Scope, Group, [Pid]} or {leave, Scope, [Pid], Groups} to `out`. Errors of
 * gcl_write(); then that is empty.
 */
int gcl_pg_write_join(struct gcl_pg_machine *machine, gcl_pid pid,
                      const struct gcl_pg_group *group);
int gcl_pg_write_leave(struct gcl_pg_machine *machine, gcl_pid pid,
                       struct gcl_pg_group *const *groups, size_t count);

/* --- receive.c ------------------------------------------------------------------------------ */

/** A step of the jobs SYNC and LEAVE. */
void gcl_pg_sync_step(struct gcl_pg_machine *machine);
void gcl_pg_leave_step(struct gcl_pg_machine *machine);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The machine of the global_name_server (`gns`, as the sources of kernel say): global names and
 * locks, and how nodes that meet become one partition, in which all have the same names. No socket,
 * no clock, no random source: what happened goes in by the functions below, effects come out.
 *
 * Use: call one function, then gcl_gns_next() until there is no more effect, carrying each out, in
 * order. What goes to other nodes is handed out as bytes, and what comes from them is taken as
 * such, so that simulated nodes exchange what real ones do.
 *
 * Three processes stand for the machine: the server, registered as global_name_server, the locker
 * and the registrar. They live as long as the node.
 *
 * Memory: where there is none the machine cannot keep what it owes to others, and half of this
 * protocol makes whole clusters wait. Then gcl_gns_has_failed(), and the node has to close.
 *
 * spec: global and global_group of kernel (OTP 25: protocol version 8), "Prevent Overlapping
 * Partitions Algorithm" in there; versions 5 (OTP 23) to 7 of peers are understood.
 */
#ifndef GCL_CORE_GLOBAL_GNS_H
#define GCL_CORE_GLOBAL_GNS_H

#include <gen_cluster/log.h>
#include <gen_cluster/term.h>

#include "base/alloc.h"
#include "base/deadline.h"
#include "base/str.h"

struct gcl_gns;

enum {
    GCL_GNS_VERSION = 8,
    /* of peers: from these on they know ... */
    GCL_GNS_VERSION_OLDEST = 5,
    GCL_GNS_VERSION_PROXY = 6,  /* lockers talk by way of the servers */
    GCL_GNS_VERSION_POP = 7,    /* lost_connection, remove_connection, versions in lists of nodes */
    GCL_GNS_VERSION_VERIFY = 8, /* init_connect_ack, cancel_connect, tags in lock_set */
};

/** The processes of a node that stand for its machine. */
enum gcl_gns_actor { GCL_GNS_SERVER, GCL_GNS_LOCKER, GCL_GNS_REGISTRAR, GCL_GNS_ACTORS };

struct gcl_gns_config {
    const gcl_allocator *mem;       /* borrowed for the life of the machine, as the next two */
    gcl_term_context *terms;        /* of the node: pids go by it */
    struct gcl_str self;            /* the name of this node */
    gcl_pid actors[GCL_GNS_ACTORS]; /* by enum gcl_gns_actor */
    uint64_t seed[2];               /* random: of tables, and of how long to wait */
    uint64_t incarnation;           /* another one each time the node starts */
    bool reports_lost_connections;  /* tells the partition of each connection that was lost, also of
                                     * one to a BEAM */
    uint32_t step_timeout_ms;       /* for nodes of one partition to be told of each other */
    uint32_t session_timeout_ms;    /* for each step of a negotiation; twice as long each time */
    uint32_t answer_timeout_ms;     /* of a call; who does not answer is disconnected */
    uint32_t max_names;             /* beyond it names of others are not kept */
    uint32_t max_locks;             /* beyond it locks are refused */
    uint32_t max_nodes;             /* beyond it nodes are not made known */
    uint32_t max_waiters;           /* beyond it calls of sync are not answered */
    uint32_t max_requests;          /* of this node, that wait; beyond it they are refused */
    uint32_t max_unconnected;       /* known, but not connected yet; more are not made known */
    size_t max_name_bytes;          /* of names and their methods; else as with max_names */
    size_t max_lock_bytes;          /* of what identifies locks; else as with max_locks */
    size_t max_request_bytes;       /* of names and methods, ids and places of locks in requests */
};

enum gcl_gns_effect_kind {
    GCL_GNS_SEND,       /* `term` to the process global_name_server of `node`, if connected */
    GCL_GNS_SEND_PID,   /* `term` to `pid`, if its node is connected */
    GCL_GNS_CALL,       /* gen_server:call of `term` from the process `pid` of this node to
                         * global_name_server of `node`; gcl_gns_answered() with `number` */
    GCL_GNS_REPLY,      /* `term` to the caller `number` */
    GCL_GNS_MONITOR,    /* `pid`; gcl_gns_down() */
    GCL_GNS_DEMONITOR,  /* `pid` */
    GCL_GNS_CONNECT,    /* to `node`; gcl_gns_nodeup() or gcl_gns_connect_failed() */
    GCL_GNS_DISCONNECT, /* from `node` */
    GCL_GNS_RESOLVE,    /* global:resolve_it with the arguments `term`, a list, on `node`, which
                         * may be this one; gcl_gns_answered() with `number` */
    GCL_GNS_DONE,       /* of the request `number`: `error`, see gcl_gns_register() */
    GCL_GNS_LOST,       /* the name `term` of the local process `pid` went to another, or nobody */
    GCL_GNS_LOG,        /* `text` at `level`, about `node` (may be empty) */
};

/** Borrowed until the next call of any function of the machine. */
struct gcl_gns_effect {
    enum gcl_gns_effect_kind kind;
    struct gcl_str node;
    gcl_term term;
    gcl_pid pid;
    uint64_t number;
    int error;
    gcl_log_level level;
    const char *text;
};

/** Fills in the defaults of the limits; the rest is left to the caller. */
void gcl_gns_config_init(struct gcl_gns_config *config);

/** A machine that knows nobody. 0 or GCL_ENOMEM. */
int gcl_gns_new(const struct gcl_gns_config *config, struct gcl_gns **out) GCL_MUST_USE;

/** Legal at any time; NULL is allowed. */
void gcl_gns_free(struct gcl_gns *gns);

/** The next effect; false when there is none, or the machine has failed. */
bool gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect);

/** When gcl_gns_woken() is to be called; GCL_NEVER: not at all. Asked after the last effect. */
uint64_t gcl_gns_wake_at(const struct gcl_gns *gns);

/** There was no memory: the machine is good for gcl_gns_free() only. */
bool gcl_gns_has_failed(const struct gcl_gns *gns);

/* --- what happened; `now_ms` never goes back ------------------------------------------------ */

/** Of published nodes only. `is_beam`: it reports its own losses. */
void gcl_gns_nodeup(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name, bool is_beam);
void gcl_gns_nodedown(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name);

/** The node stays connected, but takes no part: one of both has a group without the other one. It
 * may be given nodeup again. */
void gcl_gns_exclude(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name);

/** To GCL_GNS_CONNECT: there is no connection, or only to a hidden node. */
void gcl_gns_connect_failed(struct gcl_gns *gns, uint64_t now_ms, struct gcl_str name);

/** {'$gen_cast', message} came for the server. */
void gcl_gns_cast(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);

/** Any other message came for the server or, from nodes of version 5, for the locker. */
void gcl_gns_info(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);

/**
 * The server was called by the process `from`. The answer is GCL_GNS_REPLY with `number`, now or
 * later. False: there will be none. A request that makes no sense is not answered, as by OTP.
 */
bool gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                  gcl_term request);

/** To GCL_GNS_CALL and GCL_GNS_RESOLVE: 0 and the answer, or why there is none. */
void gcl_gns_answered(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, int error,
                      gcl_term answer);

/** To GCL_GNS_MONITOR: the process is no more, or its node is lost. */
void gcl_gns_down(struct gcl_gns *gns, uint64_t now_ms, gcl_pid pid);

/** The time of gcl_gns_wake_at() has come. */
void gcl_gns_woken(struct gcl_gns *gns, uint64_t now_ms);

/* --- requests of this node ------------------------------------------------------------------ */

/*
 * Each function returns 0, or an error, and then nothing was done and there is no GCL_GNS_DONE:
 * GCL_ELIMIT, as many requests wait as may; GCL_ENOMEM; and what the function says itself. What was
 * taken is answered by GCL_GNS_DONE with `number` (not 0, one of its own each), unless it is
 * cancelled: 0; GCL_EEXIST: the name is taken; GCL_EHASNAME: the process has one; GCL_ENOENT:
 * nobody has it; GCL_ELIMIT: it could not be kept here. They wait in line: one at a time holds the
 * lock of the partition.
 */

/** `method`: what resolves conflicts, a fun as a term. Both are copied. */
int gcl_gns_register(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                     gcl_pid pid, gcl_term method) GCL_MUST_USE;

/** The same, though the process may have names already. */
int gcl_gns_register_more(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                          gcl_pid pid, gcl_term method) GCL_MUST_USE;

/** As global:re_register_name/3: whoever had the name loses it. */
int gcl_gns_re_register(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                        gcl_pid pid, gcl_term method) GCL_MUST_USE;

/** As global:register_name_external/3, for a process of a hidden node. */
int gcl_gns_register_external(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                              gcl_pid pid, gcl_term method) GCL_MUST_USE;

/** Takes the name from `pid`; zeroed: from whoever has it. */
int gcl_gns_unregister(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                       gcl_pid pid) GCL_MUST_USE;

/** As global:sync/0: 0 when this node is in sync with all that are connected, or lost. */
int gcl_gns_sync_all(struct gcl_gns *gns, uint64_t now_ms, uint64_t number) GCL_MUST_USE;

/* --- locks of this node's processes --------------------------------------------------------- */

/** Where a lock is to be. `names` NULL: on this node and all that are connected. Borrowed. */
struct gcl_gns_places {
    const char *const *names;
    size_t count;
};

/**
 * As global:set_lock/3 of the process `pid`: `id` is {ResourceId, LockRequesterId}, `retries` may
 * be UINT32_MAX, without end. As the requests above: returns GCL_EINVAL, `id` is none, and
 * GCL_ELIMIT, no resource can be so; is answered 0; GCL_EEXIST: another requester has the lock;
 * GCL_ECANCELED, by gcl_gns_unlock().
 */
int gcl_gns_lock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                 const struct gcl_gns_places *places, uint32_t retries) GCL_MUST_USE;

/** As global:del_lock/2; what the process has asked for under the same id is cancelled. `number` 0:
 * nobody is told. */
int gcl_gns_unlock(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term id, gcl_pid pid,
                   const struct gcl_gns_places *places) GCL_MUST_USE;

/** A process of this node is about to end: it wants nothing any more, and is told nothing. */
void gcl_gns_locks_end(struct gcl_gns *gns, uint64_t now_ms, gcl_pid pid);

/* --- questions ------------------------------------------------------------------------------ */

/** Who has the name `term`, as this node knows; a zeroed pid: nobody. */
gcl_pid gcl_gns_whereis(struct gcl_gns *gns, gcl_term term);

/**
 * A hash of a term, the same for terms that are `=:=`. 0 of one that could be no name; also where
 * there is no memory: then the machine has failed.
 */
uint32_t gcl_gns_hash(struct gcl_gns *gns, gcl_term term);

/** Calls `each` for every name; it must not change anything. */
void gcl_gns_each_name(const struct gcl_gns *gns,
                       void (*each)(gcl_term name, gcl_pid pid, void *user), void *user);

size_t gcl_gns_name_count(const struct gcl_gns *gns);
size_t gcl_gns_lock_count(const struct gcl_gns *gns);

/** How much the machine keeps: at rest, and when everybody is gone, there is nothing left over. */
struct gcl_gns_counts {
    size_t names;
    size_t locks;
    size_t processes; /* that have names or locks */
    size_t nodes;     /* that it has heard of; this one is not counted */
    size_t known;
    size_t sessions; /* of nodes that negotiate, or have begun to */
    size_t questions;
    size_t waiters; /* for sync */
    size_t lost;    /* connections that others have reported as lost */
    bool is_negotiating;
};

void gcl_gns_count(const struct gcl_gns *gns, struct gcl_gns_counts *counts);

/** Whether the node is known, that is, of the same partition; and whether its names are ours. */
bool gcl_gns_is_known(const struct gcl_gns *gns, struct gcl_str name);
bool gcl_gns_is_synced(const struct gcl_gns *gns, struct gcl_str name);

#endif

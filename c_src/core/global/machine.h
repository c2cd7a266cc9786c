/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of the machine of the global_name_server share; nobody else includes this. Where
 * there is no memory a function marks the machine as failed and goes on as if all were well: it is
 * thrown away then.
 */
#ifndef GCL_CORE_GLOBAL_MACHINE_H
#define GCL_CORE_GLOBAL_MACHINE_H

#include "base/buffer.h"
#include "base/deadline.h"
#include "base/list.h"
#include "base/slots.h"
#include "base/table.h"
#include "core/global/gns.h"
#include "wire/term/context.h"

/* --- nodes: node.c -------------------------------------------------------------------------- */

struct gcl_gns_resolver;

/** Operations on names, one behind the other, as terms. */
struct gcl_gns_ops {
    struct gcl_buffer bytes;
    uint32_t count;
};

/**
 * How two nodes become one partition, as this one sees it: from nodeup, or a message that came
 * before, until they are, or it was cancelled. Terms are owned.
 */
struct gcl_gns_session {
    int64_t my_tag;    /* 0: nodeup has not come */
    bool is_open;      /* init_connect was sent, and nothing has cancelled it */
    bool is_early;     /* his init_connect came though he is known */
    bool is_candidate; /* the locker may negotiate */
    bool is_lock_set;  /* and the names were sent */
    bool has_ops;      /* names were compared; what follows is in `ops` */
    uint32_t version;  /* of the protocol: the lower one */
    gcl_term his_locker;
    gcl_term his_tag;
    gcl_term names;    /* that he sent */
    gcl_term lock_id;  /* the requester of the lock that both hold */
    gcl_term resolved; /* his last message, when it came before we were ready */
    struct gcl_gns_resolver *resolver;
    struct gcl_gns_ops ops;
    struct gcl_list at_offers; /* of the locker: he has set his lock */
};

struct gcl_gns_node {
    struct gcl_list at_gns;
    uint32_t hash;
    uint32_t uses; /* by sets of nodes and whoever else keeps a pointer */
    bool is_up;
    bool is_known;   /* of the same partition; `version` of his machine, 0: not known */
    bool is_pending; /* negotiates: `version`, too */
    bool is_synced;
    bool is_removing;  /* was asked to leave, or we left him: what follows is no loss */
    bool is_new;       /* in_sync is to be sent when he is up */
    bool is_excluded;  /* is connected, and takes no part */
    bool is_c_node;    /* no BEAM, as its last connection has shown */
    bool is_redialled; /* when the connection has gone: it is closed because he is out of step */
    uint64_t in_step_by_ms; /* GCL_NEVER: he is */
    uint32_t patience_ms;   /* how long he may take for a step of the negotiation; 0: as others */
    uint32_t version;
    struct gcl_gns_session session;
    struct gcl_str name;
    uint8_t bytes[];
};

struct gcl_gns_nodes {
    struct gcl_gns_node **items; /* held */
    size_t count;
    size_t capacity;
};

/* --- calls to many: call.c -------------------------------------------------------------------- */

/** As gen_server:multi_call/3 without an end of time: all answer, or are lost. */
struct gcl_gns_multicall {
    size_t left;
    bool is_refused; /* one said `false` */
    /** One that was connected is lost instead of answering; may be NULL. */
    void (*lost)(struct gcl_gns *gns, struct gcl_gns_multicall *call, struct gcl_gns_node *node);
    struct gcl_gns_nodes agreed; /* who answered anything else */
    void (*done)(struct gcl_gns *gns, struct gcl_gns_multicall *call);
};

/** One question under way. */
struct gcl_gns_question {
    struct gcl_slot slot;
    struct gcl_gns_node *node;           /* held */
    struct gcl_gns_multicall *multicall; /* NULL: the node's resolver asks, or nobody any more */
    uint64_t by_ms;                      /* there has to be an answer; GCL_NEVER: nobody waits */
};

/* --- a lock on many nodes: trans.c ------------------------------------------------------------ */

enum gcl_gns_trans_state {
    GCL_GNS_TRANS_IDLE,
    GCL_GNS_TRANS_LOCKING,
    GCL_GNS_TRANS_UNDOING, /* one node refused */
    GCL_GNS_TRANS_LOCKED,
    GCL_GNS_TRANS_UNLOCKING,      /* all but the boss */
    GCL_GNS_TRANS_UNLOCKING_BOSS, /* spec: global, delete_global_lock: the boss comes last */
};

struct gcl_gns_trans {
    enum gcl_gns_trans_state state;
    gcl_pid holder; /* of the lock: a process of this node */
    gcl_term id;    /* {ResourceId, LockRequesterId}; owned */
    unsigned stage;
    struct gcl_gns_nodes asked;
    struct gcl_gns_nodes locked;
    struct gcl_gns_multicall call;
    /** Adds the nodes that are to be locked in the stage; none: everything is locked. */
    void (*stage_nodes)(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        struct gcl_gns_nodes *nodes);
    void (*locked_or_not)(struct gcl_gns *gns, struct gcl_gns_trans *trans, bool is_locked);
    void (*unlocked)(struct gcl_gns *gns, struct gcl_gns_trans *trans);
};

/* --- the locker: locker.c ----------------------------------------------------------------------
 */

enum gcl_gns_locker_state {
    GCL_GNS_LOCKER_IDLE,
    GCL_GNS_LOCKER_LOCKING,
    GCL_GNS_LOCKER_WAITING, /* our lock is set, his answer is not there */
    GCL_GNS_LOCKER_HOLDING, /* both locks are set */
    GCL_GNS_LOCKER_UNLOCKING,
};

struct gcl_gns_locker {
    enum gcl_gns_locker_state state;
    bool is_active;            /* it was our idea */
    bool is_cancelled;         /* the session with `node` has ended in the meantime */
    bool has_joined;           /* the last one, a moment ago */
    struct gcl_gns_node *node; /* held; NULL when idle */
    gcl_term his_locker;       /* owned; and the version, as they were when it began */
    uint32_t version;
    struct gcl_gns_trans trans;
    struct gcl_list offers; /* sessions whose node has set its lock, first come first served */
    uint64_t wake_at_ms;
    uint64_t give_up_at_ms; /* GCL_NEVER: it is idle */
    bool is_last_wait;      /* for what he has found; then the connection is given up */
};

/* --- the registrar: registrar.c ----------------------------------------------------------------
 */

enum gcl_gns_request_kind {
    GCL_GNS_REGISTER,
    GCL_GNS_REGISTER_MORE,
    GCL_GNS_RE_REGISTER,
    GCL_GNS_REGISTER_EXTERNAL,
    GCL_GNS_UNREGISTER,
};

struct gcl_gns_request {
    struct gcl_list at_registrar;
    uint64_t number;
    enum gcl_gns_request_kind kind;
    size_t bytes; /* as they count */
    gcl_term name;
    gcl_term method;
    gcl_term pid; /* none: anybody */
};

struct gcl_gns_registrar {
    struct gcl_list requests; /* the first one is being carried out */
    bool is_busy;             /* ... when it has begun */
    bool is_going_on;
    struct gcl_gns_trans trans;
    struct gcl_gns_multicall call;
    int error;         /* of the first request */
    unsigned attempts; /* to lock, for it */
    uint64_t wake_at_ms;
};

/* --- locks that processes of this node want: line.c, locking.c --------------------------------
 */

/** What wanted locks have in common that stand in one line. */
enum gcl_gns_alike {
    GCL_GNS_OF_PROCESS,  /* that is to hold them */
    GCL_GNS_OF_RESOURCE, /* ... and the resource: done one behind the other */
    GCL_GNS_OF_ID,       /* ... and the requester: to be set, and not cancelled */
    GCL_GNS_ALIKES
};

struct gcl_gns_line;

struct gcl_gns_place {
    struct gcl_list at_line;
    struct gcl_gns_line *line; /* NULL: it is in none */
    struct gcl_gns_locking *locking;
};

/** A lock that is to be set, or freed. */
struct gcl_gns_locking {
    struct gcl_gns *gns;
    struct gcl_list at_gns;
    struct gcl_list at_ready;
    struct gcl_gns_place places[GCL_GNS_ALIKES];
    uint32_t resource_hash, requester_hash;
    size_t bytes;    /* as they count */
    uint64_t number; /* 0: nobody is told */
    bool is_set;     /* else the lock is freed */
    bool is_begun;
    bool is_cancelled; /* what it has got is freed */
    uint32_t retries;
    unsigned attempts;
    struct gcl_deadline nap; /* set: it sleeps */
    struct gcl_gns_nodes nodes;
    struct gcl_gns_trans trans; /* with the id and who holds it */
};

/* --- the machine ------------------------------------------------------------------------------ */

struct gcl_gns {
    struct gcl_gns_config config;
    uint64_t now_ms;
    uint64_t random;
    int64_t last_tag; /* also of reports of lost connections */
    bool has_failed;
    bool is_lock_down; /* the lock `global` was last freed by the death of its holder */
    struct gcl_gns_node *self;
    struct gcl_table nodes;
    struct gcl_list node_list;
    struct gcl_table names;
    size_t name_bytes;
    struct gcl_table locks;
    size_t lock_bytes;
    struct gcl_table watches;
    struct gcl_slots questions;
    uint64_t question_at_ms; /* the earliest time by which one has to be answered */
    struct gcl_gns_locker locker;
    struct gcl_gns_registrar registrar;
    struct gcl_list lockings; /* locks that processes of this node want; those in `ready` begin */
    struct gcl_list ready;
    bool is_beginning;
    struct gcl_table lines;    /* struct gcl_gns_line */
    struct gcl_deadlines naps; /* until one is tried again */
    size_t request_count;      /* of this node: for the registrar, for locks, and for sync */
    size_t request_bytes;
    struct gcl_list waiters; /* for sync */
    size_t waiter_count;     /* ... of other nodes */
    uint64_t step_at_ms;     /* the earliest time by which a node has to be in step */
    struct gcl_list lost;    /* connections, as others have reported */
    size_t lost_count;
    struct gcl_list doubts; /* locks that nodes may have set, of doubt.c */
    size_t doubt_count;
    struct gcl_list effects;
    struct gcl_list taken; /* the effect handed out last */
    struct gcl_buffer key;
};

/* --- gns.c ------------------------------------------------------------------------------------ */

/** Marks the machine as failed when there is an error. */
bool gcl_gns_check(struct gcl_gns *gns, int error);

uint64_t gcl_gns_random(struct gcl_gns *gns);

/** A random time of up to 0.25, 0.5, 1, 2, 4, 8, 8, ... s. spec: global, random_sleep */
uint64_t gcl_gns_random_sleep(struct gcl_gns *gns, unsigned times);

/** The key of a term, in a buffer that the next call uses again. False: no memory, or no key. */
bool gcl_gns_key(struct gcl_gns *gns, gcl_term term, struct gcl_str *key, uint32_t *hash);

/** An owned copy, in place of what was there. */
void gcl_gns_keep(struct gcl_gns *gns, gcl_term *place, gcl_term term);
void gcl_gns_forget(gcl_term *place);

/*
 * A pid goes by the name of its node, which is forgotten after so many others unless somebody has
 * it held, as a monitor does. What is to be known for longer is kept as the term, and read anew.
 */

/** The pid that a term is; a zeroed one: none. */
gcl_pid gcl_gns_read_pid(gcl_term term);
void gcl_gns_keep_pid(struct gcl_gns *gns, gcl_term *place, gcl_pid pid);

/** Whether the node of a pid has not been forgotten. */
bool gcl_gns_pid_is_fresh(const struct gcl_gns *gns, gcl_pid pid);

bool gcl_gns_is_own_pid(const struct gcl_gns *gns, gcl_pid pid);

/** One more request of this node, that keeps so many bytes. False: it is one more than the limit.
 */
bool gcl_gns_request_begins(struct gcl_gns *gns, size_t bytes);
void gcl_gns_request_ends(struct gcl_gns *gns, size_t bytes);

/** Pids in the order of Erlang terms. */
bool gcl_gns_pid_is_less(struct gcl_gns *gns, gcl_pid a, gcl_pid b);

/* --- effect.c --------------------------------------------------------------------------------- */

void gcl_gns_effects_fini(struct gcl_gns *gns);
void gcl_gns_send(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_message message);
void gcl_gns_send_pid(struct gcl_gns *gns, gcl_pid pid, gcl_message message);
void gcl_gns_ask(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid from, uint64_t number,
                 gcl_message request);
void gcl_gns_ask_resolve(struct gcl_gns *gns, struct gcl_str node, uint64_t number,
                         gcl_message arguments);
void gcl_gns_reply(struct gcl_gns *gns, uint64_t number, gcl_message reply);
void gcl_gns_monitor(struct gcl_gns *gns, gcl_pid pid, bool on);
void gcl_gns_connect(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_disconnect(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_done(struct gcl_gns *gns, uint64_t number, int error);
void gcl_gns_tell_lost(struct gcl_gns *gns, gcl_term name, gcl_pid pid);
void gcl_gns_log(struct gcl_gns *gns, gcl_log_level level, struct gcl_str node, const char *text);
/** About the node of who calls. */
void gcl_gns_log_caller(struct gcl_gns *gns, gcl_log_level level, gcl_pid caller, const char *text);
/** The name of the process is not kept; how it begins is said. */
void gcl_gns_log_not_kept(struct gcl_gns *gns, gcl_term name, gcl_pid pid, const char *why);

/* --- node.c ----------------------------------------------------------------------------------- */

/** Finds or makes the node; NULL: there is no memory, or it is one more than the limit. */
struct gcl_gns_node *gcl_gns_node_of(struct gcl_gns *gns, struct gcl_str name);
struct gcl_gns_node *gcl_gns_node_find(const struct gcl_gns *gns, struct gcl_str name);

/** The node of a pid, if it is one of ours. */
struct gcl_gns_node *gcl_gns_node_of_pid(struct gcl_gns *gns, gcl_pid pid);

void gcl_gns_node_hold(struct gcl_gns_node *node);
void gcl_gns_node_release(struct gcl_gns *gns, struct gcl_gns_node *node);

/** Frees the node when there is nothing to be known about it. */
void gcl_gns_node_tidy(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_nodes_fini(struct gcl_gns *gns);

void gcl_gns_set_add(struct gcl_gns *gns, struct gcl_gns_nodes *set, struct gcl_gns_node *node);
void gcl_gns_set_remove(struct gcl_gns *gns, struct gcl_gns_nodes *set,
                        const struct gcl_gns_node *node);
bool gcl_gns_set_has(const struct gcl_gns_nodes *set, const struct gcl_gns_node *node);
void gcl_gns_set_add_known(struct gcl_gns *gns, struct gcl_gns_nodes *set,
                           const struct gcl_gns_nodes *but);
void gcl_gns_set_clear(struct gcl_gns *gns, struct gcl_gns_nodes *set);
void gcl_gns_set_fini(struct gcl_gns *gns, struct gcl_gns_nodes *set);

/** The greatest name, that is who is locked first and freed last; the set must not be empty. */
struct gcl_gns_node *gcl_gns_set_boss(const struct gcl_gns_nodes *set);
/** The same of this node and all that are known. */
struct gcl_gns_node *gcl_gns_boss(const struct gcl_gns *gns);

/** Appends the list of all known nodes, with their versions for those who can read them. */
void gcl_gns_write_known(struct gcl_gns *gns, struct gcl_buffer *out, uint32_t for_version);

/** Makes a node known. True if it was not. */
bool gcl_gns_add_known(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version);

/** A `Name` or `{Name, Version}` in a list of nodes; false when it is none, or no node can have
 * that name. */
bool gcl_gns_read_node(gcl_term item, struct gcl_str *name, uint32_t *version);

/* --- watch.c ---------------------------------------------------------------------------------- */

/** A process that has names or locks: it is monitored once. */
struct gcl_gns_watch {
    gcl_pid pid;
    uint32_t hash;
    struct gcl_list at_lost; /* in the list of gcl_gns_watches_lose() */
    struct gcl_list names;   /* struct gcl_gns_name */
    struct gcl_list holders; /* struct gcl_gns_holder */
};

/** Finds or makes it, and has it monitored. NULL: no memory. */
struct gcl_gns_watch *gcl_gns_watch_of(struct gcl_gns *gns, gcl_pid pid);

/** NULL: nothing is watched for. */
struct gcl_gns_watch *gcl_gns_watch_find(const struct gcl_gns *gns, gcl_pid pid);

/** Ends it when there is nothing left to watch for. */
void gcl_gns_watch_tidy(struct gcl_gns *gns, struct gcl_gns_watch *watch);

/** The process is down: what was watched, which is the caller's now, to be freed; or NULL. */
struct gcl_gns_watch *gcl_gns_watch_end(struct gcl_gns *gns, gcl_pid pid);

/** The node is none of this partition any more: nothing of its processes counts, though they may
 * live on, and the end of the connection is not here yet. */
void gcl_gns_watches_lose(struct gcl_gns *gns, const struct gcl_gns_node *node);
void gcl_gns_watches_fini(struct gcl_gns *gns);

/* --- lock.c ----------------------------------------------------------------------------------- */

/** `id` is {ResourceId, LockRequesterId}. */
bool gcl_gns_can_set_lock(struct gcl_gns *gns, gcl_term id);
bool gcl_gns_set_lock(struct gcl_gns *gns, gcl_term id, gcl_pid pid);
void gcl_gns_del_lock(struct gcl_gns *gns, gcl_term id, gcl_pid pid);
void gcl_gns_locks_down(struct gcl_gns *gns, struct gcl_gns_watch *watch);
void gcl_gns_locks_fini(struct gcl_gns *gns);

/** The requester of the lock `global`; an empty term: it is free. */
gcl_term gcl_gns_global_lock(struct gcl_gns *gns);

/** Whether the lock `global` is still what the sender of an operation had. */
bool gcl_gns_lock_is_held_by(struct gcl_gns *gns, gcl_pid pid);
bool gcl_gns_lock_is_requested_by(struct gcl_gns *gns, gcl_term requester);

/* --- name.c ----------------------------------------------------------------------------------- */

struct gcl_gns_name {
    struct gcl_list at_watch;
    struct gcl_gns_watch *watch;
    uint32_t hash;
    size_t bytes;       /* of name and method, as they count */
    struct gcl_str key; /* owned */
    gcl_term name;      /* owned, as the next two */
    gcl_term method;
    gcl_term registered_by; /* an atom: by this node for a process of a hidden one; or empty */
};

struct gcl_gns_name *gcl_gns_name_find(struct gcl_gns *gns, gcl_term term);

/** Whether the name could be kept, or is. */
bool gcl_gns_name_fits(struct gcl_gns *gns, gcl_term term);

/** In place of whoever had it. NULL: it could not be kept. */
struct gcl_gns_name *gcl_gns_name_insert(struct gcl_gns *gns, gcl_term term, gcl_pid pid,
                                         gcl_term method, gcl_term registered_by);
/** `is_lost`: its process is to be told, if it is one of this node. */
void gcl_gns_name_delete(struct gcl_gns *gns, struct gcl_gns_name *name, bool is_lost);
void gcl_gns_names_down(struct gcl_gns *gns, struct gcl_gns_watch *watch);
void gcl_gns_names_fini(struct gcl_gns *gns);

/** Appends [{Name, Pid, Method}] and [{Name, Pid, RegNode}]. */
void gcl_gns_write_names(struct gcl_gns *gns, struct gcl_buffer *out);
void gcl_gns_write_external_names(struct gcl_gns *gns, struct gcl_buffer *out);

/* --- ops.c ------------------------------------------------------------------------------------ */

void gcl_gns_ops_init(struct gcl_gns *gns, struct gcl_gns_ops *ops);
void gcl_gns_ops_fini(struct gcl_gns_ops *ops);
void gcl_gns_ops_add(struct gcl_gns *gns, struct gcl_gns_ops *ops, gcl_message op);
void gcl_gns_ops_add_list(struct gcl_gns *gns, struct gcl_gns_ops *ops, gcl_term list);
void gcl_gns_ops_write(struct gcl_gns *gns, const struct gcl_gns_ops *ops, struct gcl_buffer *out);

/**
 * Carries out a list of operations, with the list of names of hidden nodes that goes with it.
 * `requester` is that of the lock `global` under which they were agreed on; empty: not said.
 */
void gcl_gns_ops_run(struct gcl_gns *gns, gcl_term ops, gcl_term external, gcl_term requester);

/* --- call.c ----------------------------------------------------------------------------------- */

void gcl_gns_multicall_begin(struct gcl_gns *gns, struct gcl_gns_multicall *call);
/** A question of the process `from` to each of the nodes, this one included. `done` is called when
 * all have answered, perhaps before this returns. */
void gcl_gns_multicall(struct gcl_gns *gns, struct gcl_gns_multicall *call,
                       const struct gcl_gns_nodes *nodes, gcl_pid from, gcl_message request);
/** A number for GCL_GNS_RESOLVE of the node's session; 0: no memory. */
uint64_t gcl_gns_question_new(struct gcl_gns *gns, struct gcl_gns_node *node,
                              struct gcl_gns_multicall *multicall);
void gcl_gns_questions_woken(struct gcl_gns *gns);
void gcl_gns_questions_fini(struct gcl_gns *gns);

/** Whether the node has not answered in the call. */
bool gcl_gns_multicall_asks(const struct gcl_gns *gns, const struct gcl_gns_multicall *call,
                            const struct gcl_gns_node *node);
/** What the node is asked in the call counts as refused, and what it may still grant is freed. */
void gcl_gns_multicall_abandon(struct gcl_gns *gns, struct gcl_gns_multicall *call,
                               const struct gcl_gns_node *node, gcl_pid holder, gcl_term lock_id);

/* --- shallow.c -------------------------------------------------------------------------------- */

/** The message; or it without elements of its lists that are nested too deep, in the buffer; or,
 * where that is no help, none. */
gcl_term gcl_gns_shallow(struct gcl_gns *gns, gcl_term message, struct gcl_buffer *out);

/* --- serve.c ---------------------------------------------------------------------------------- */

/** What the server does for a caller, be it of this node. False: no such request. The reply is
 * left empty when it comes later. */
bool gcl_gns_serve(struct gcl_gns *gns, uint64_t number, gcl_pid from, gcl_term request,
                   struct gcl_buffer *reply);

/* --- trans.c ---------------------------------------------------------------------------------- */

void gcl_gns_trans_lock(struct gcl_gns *gns, struct gcl_gns_trans *trans);
void gcl_gns_trans_unlock(struct gcl_gns *gns, struct gcl_gns_trans *trans);
/** The connection to the node has gone, and its lock with it: what comes back is another one. */
void gcl_gns_trans_lose(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        const struct gcl_gns_node *node);
void gcl_gns_trans_fini(struct gcl_gns *gns, struct gcl_gns_trans *trans);

/* --- doubt.c ---------------------------------------------------------------------------------- */

/** The node was asked to set the lock by the process, and is lost. */
void gcl_gns_doubt(struct gcl_gns *gns, const struct gcl_gns_node *node, gcl_pid holder,
                   gcl_term id);
/** It is connected again. */
void gcl_gns_end_doubts(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_doubts_fini(struct gcl_gns *gns);

/* --- locker.c --------------------------------------------------------------------------------- */

void gcl_gns_locker_init(struct gcl_gns *gns);
void gcl_gns_locker_fini(struct gcl_gns *gns);
/** The session of the node is complete: both tags are known. */
void gcl_gns_locker_add(struct gcl_gns *gns, struct gcl_gns_node *node);
/** The session of the node has ended. */
void gcl_gns_locker_cancel(struct gcl_gns *gns, struct gcl_gns_node *node);
/** lock_set came, with the right tag or none. */
void gcl_gns_locker_lock_set(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid his_locker,
                             bool is_set);
void gcl_gns_locker_woken(struct gcl_gns *gns);
/** The time of `give_up_at_ms` has come. */
void gcl_gns_locker_give_up(struct gcl_gns *gns);

/* --- registrar.c ------------------------------------------------------------------------------ */

void gcl_gns_registrar_init(struct gcl_gns *gns);
void gcl_gns_registrar_fini(struct gcl_gns *gns);
void gcl_gns_registrar_woken(struct gcl_gns *gns);

/* --- line.c ----------------------------------------------------------------------------------- */

/** The one that was asked for first among those that are alike to it; NULL: none. Of the process
 * only who holds it has to be filled in. */
struct gcl_gns_locking *gcl_gns_line_first(const struct gcl_gns *gns, enum gcl_gns_alike alike,
                                           const struct gcl_gns_locking *like);
/** Behind the last one. */
void gcl_gns_line_join(struct gcl_gns *gns, enum gcl_gns_alike alike,
                       struct gcl_gns_locking *locking);
/** Does nothing when it is in none. */
void gcl_gns_line_leave(struct gcl_gns *gns, enum gcl_gns_alike alike,
                        struct gcl_gns_locking *locking);

/* --- locking.c -------------------------------------------------------------------------------- */

void gcl_gns_lockings_init(struct gcl_gns *gns);
void gcl_gns_lockings_fini(struct gcl_gns *gns);
void gcl_gns_lockings_woken(struct gcl_gns *gns);

/* --- join.c ----------------------------------------------------------------------------------- */

void gcl_gns_session_init(struct gcl_gns *gns, struct gcl_gns_session *session);
/** Forgets everything about it. */
void gcl_gns_session_reset(struct gcl_gns *gns, struct gcl_gns_node *node);
/** Ends it, and tells the other node when he negotiates. */
void gcl_gns_session_cancel(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_session_begin(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_session_restart(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_send_cancel(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term his_tag);
/** From the locker: both locks are set. */
void gcl_gns_lock_is_set(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term lock_id);
void gcl_gns_on_init_connect(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term version,
                             gcl_term locker);
void gcl_gns_on_exchange(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term names);
void gcl_gns_on_resolved(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term message);

/* --- finish.c --------------------------------------------------------------------------------- */

void gcl_gns_finish_join(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_on_new_nodes(struct gcl_gns *gns, gcl_term ops, gcl_term external, gcl_term nodes,
                          gcl_term extra);
void gcl_gns_on_in_sync(struct gcl_gns *gns, struct gcl_gns_node *node);

/* --- resolve.c -------------------------------------------------------------------------------- */

/** Compares his names with ours; then calls gcl_gns_compared(). */
void gcl_gns_resolver_start(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_resolver_answered(struct gcl_gns *gns, struct gcl_gns_node *node, uint64_t number,
                               int error, gcl_term answer);
void gcl_gns_resolver_stop(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_compared(struct gcl_gns *gns, struct gcl_gns_node *node,
                      const struct gcl_gns_ops *resolved);

/* --- sync.c ----------------------------------------------------------------------------------- */

/** False: it is one more than the limit, and is not answered. */
bool gcl_gns_sync(struct gcl_gns *gns, uint64_t number, gcl_term nodes);
/** The node is in sync with this one, or gone: nobody has to wait for it. */
void gcl_gns_sync_done(struct gcl_gns *gns, struct gcl_gns_node *node);
/**
 * To be called when `is_up`, `is_known` or `is_synced` of a node have changed. One that is known
 * and does not get in sync, or the other way round, has not been told of this node, because who
 * should have done so has died: after a while it is disconnected and dialled, to begin anew.
 */
void gcl_gns_check_step(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_sync_woken(struct gcl_gns *gns);
/** Tells a node that has become known that this one has its names, when it is connected. */
void gcl_gns_sync_other(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_sync_fini(struct gcl_gns *gns);

/* --- partition.c ------------------------------------------------------------------------------ */

enum gcl_gns_loss {
    GCL_GNS_LOSS_DISCONNECTED, /* the connection went */
    GCL_GNS_LOSS_REMOVED,      /* one of both is about to close it, on purpose */
};
void gcl_gns_lose(struct gcl_gns *gns, struct gcl_gns_node *node, enum gcl_gns_loss loss);
void gcl_gns_on_lost_connection(struct gcl_gns *gns, gcl_term message);
void gcl_gns_on_remove_connection(struct gcl_gns *gns, struct gcl_gns_node *node);
void gcl_gns_partition_fini(struct gcl_gns *gns);

#endif

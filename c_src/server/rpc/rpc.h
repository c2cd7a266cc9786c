/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Functions that others call by name of module and function (gen_cluster/rpc.h): what there is, and
 * tasks, which are processes that run one function each.
 *
 *     table.c   the functions that can be called
 *     own.c     those that every node has
 *     system.c  ... that tell about the node and its OS process
 *     process.c ... and about its processes; process_info.c has the items of one, listing.h lists
 *     task.c    the life of a task
 *     what.c    what it is to run
 *     answer.c  its outcome, in the shape in which its caller wants it
 *     spawn.c   tasks asked for by requests to spawn: erpc, spawn/4 and their like
 *     rex.c     tasks asked for by messages to `rex`
 *
 * spec: erpc:execute_call/4, rpc.erl of kernel, erl_dist_protocol, SPAWN_REQUEST
 */
#ifndef GCL_SERVER_RPC_RPC_H
#define GCL_SERVER_RPC_RPC_H

#include <gen_cluster/rpc.h>

#include "base/slots.h"
#include "base/str.h"
#include "base/table.h"

struct gcl_core_process;
struct gcl_name;
struct gcl_node;
struct gcl_signal;
struct gcl_spawn;

/* --- functions ------------------------------------------------------------------------------ */

/** A function with its names behind it. Freed when it is neither in the table nor held by a task.
 */
struct gcl_rpc_entry {
    gcl_rpc_function *run;
    void *user;
    uint32_t holds;
    uint32_t hash;
    bool is_own; /* every node has it */
    uint8_t arity;
    uint16_t module_size, function_size;
    uint8_t names[];
};

/** Module, function and arity. */
struct gcl_rpc_name {
    gcl_bytes module, function;
    uint32_t arity;
};

/** What a node has of it all. */
struct gcl_rpc {
    struct gcl_table entries;
    uint32_t registered;    /* of the program; the others have no limit */
    struct gcl_slots tasks; /* struct gcl_task */
    uint32_t task_count;
    struct gcl_table by_ref; /* tasks of rex, by the reference of the caller's monitor */
    gcl_writer *value; /* where an outcome is written, and the stack trace that goes with it; empty
                          in between */
    gcl_writer *stack;
};

/** GCL_ENOMEM. Fini also after a failure; then all tasks must be gone. */
int gcl_rpc_init(struct gcl_node *node);
void gcl_rpc_fini(struct gcl_node *node);

/** The function, or NULL. */
struct gcl_rpc_entry *gcl_rpc_find(struct gcl_node *node, const struct gcl_rpc_name *name);

/** Whether there is a function of this module. */
bool gcl_rpc_has_module(struct gcl_node *node, gcl_bytes module);

/** A function that every node has; it does not count. As gcl_rpc_register(). */
int gcl_rpc_add_own(struct gcl_node *node, const char *module, const char *function, unsigned arity,
                    gcl_rpc_function *run);

void gcl_rpc_release(struct gcl_node *node, struct gcl_rpc_entry *entry);

/** All that every node has. */
int gcl_rpc_add_all_own(struct gcl_node *at);
int gcl_rpc_add_system(struct gcl_node *node);
int gcl_rpc_add_processes(struct gcl_node *node);

/**
 * Writes what erlang:process_info/2 gives for the item, or the list of items, that is wanted; NULL:
 * what process_info/1 gives. `asked` is the process that runs it. 0; GCL_EINVAL: no such item;
 * GCL_ELIMIT: too many; errors of gcl_write().
 */
int gcl_process_info_write(const gcl_server *asked, struct gcl_core_process *process,
                           const gcl_term *wanted, gcl_writer *out);

/* --- tasks ---------------------------------------------------------------------------------- */

/** By whom a task was asked for: what its outcome looks like, and whether somebody waits for it. */
enum gcl_task_kind {
    GCL_TASK_ERPC_CALL, /* it is the reason of the end */
    GCL_TASK_ERPC_CAST, /* nobody waits */
    GCL_TASK_SPAWN,     /* a process as any: nobody has to wait */
    GCL_TASK_REX_CALL,  /* it is the answer to a call */
    GCL_TASK_REX_PLAIN, /* ... to a message */
    GCL_TASK_REX_CAST,  /* nobody waits */
};

struct gcl_task {
    struct gcl_slot slot;
    enum gcl_task_kind kind;
    gcl_server *server; /* the process; its `user` is the task while that has no outcome */
    gcl_pid from;
    struct gcl_name *name;       /* held: the node of `from` */
    struct gcl_rpc_entry *entry; /* held, once its function runs */
    gcl_term arguments;          /* borrowed, until its function has returned; then empty */
    struct gcl_str reference;    /* of an ERPC_CALL: what names the outcome */
    bool owns_reference;
    gcl_ref ref; /* of the caller's monitor, when there is one: taking it back cancels */
    bool has_ref;
    bool is_by_ref;    /* in the table of that name */
    gcl_caller caller; /* of a REX_CALL: kept for as long as the task */
    bool is_unwanted;  /* nobody waits: nothing is answered */
    gcl_rpc_cancel_function *canceled;
    void *canceled_user;
};

/** What a caller has named. */
struct gcl_rpc_what {
    gcl_term module, function, arguments;
};

/** What runs, or would if it was there. Names are views; `arguments` is a list, or empty. */
struct gcl_rpc_mfa {
    struct gcl_rpc_name name;
    gcl_term arguments;
};

/* Of a function; and of what erlang:apply/3 takes, before it looks whether there is one. */
enum { GCL_RPC_ARGUMENTS_MAX = 255, GCL_RPC_APPLY_MAX = 1023 };

/** How many elements a proper list has; false: it is none. */
bool gcl_rpc_count(gcl_term arguments, uint32_t *count);

/** What the caller of a task has named in `term` (see gcl_task_start()), be it a function or not;
 * `reference` of the task borrows from the term. False: it is malformed. */
bool gcl_task_read(struct gcl_task *task, gcl_term term, struct gcl_rpc_what *what);

/** The same as erlang:apply/3 wants it. False: two atoms and a proper list are wanted. */
bool gcl_rpc_read_mfa(const struct gcl_rpc_what *what, struct gcl_rpc_mfa *mfa);

/** Whether such a task is to run a function that every node has: these answer as they run. */
bool gcl_task_is_own(struct gcl_node *node, const struct gcl_task *like, struct gcl_str term);

/**
 * Starts a task, with all that its caller is known by in `like` (kind, from, ref, caller). What it
 * runs is a term: [Reference, Module, Function, Arguments] for ERPC_CALL, the same without the
 * first for ERPC_CAST, else {Module, Function, Arguments}. It begins later. GCL_ELIMIT, but
 * for a function that every node has; GCL_ENOMEM, GCL_ECLOSED, GCL_ESTALE: the node of the caller
 * is not known any more.
 */
int gcl_task_start(struct gcl_node *node, const struct gcl_task *like, struct gcl_str what,
                   gcl_pid *pid);

/** Forgets the task: it has its outcome. Its process goes on until it is ended. */
void gcl_task_close(struct gcl_task *task);

struct gcl_task *gcl_task_find(const struct gcl_node *node, gcl_rpc_task task);

/** What the process runs; borrowed. False: it is no task, or one that has not begun, or ended. */
bool gcl_task_function(const gcl_server *server, struct gcl_rpc_name *name);

/** A monitor on `rex` was taken back: the task that it was for is canceled. */
void gcl_task_unwatched(struct gcl_node *node, const gcl_ref *ref, gcl_pid from);

/** A node was lost: nobody waits there any more. */
void gcl_tasks_node_down(struct gcl_node *node, const struct gcl_name *name);

/* --- outcomes ------------------------------------------------------------------------------- */

/** There is no such function. It ends soon, and the task is closed. */
void gcl_task_undef(struct gcl_task *task, const struct gcl_rpc_mfa *mfa);

/** What it names is no function and list of arguments: that is an error of erlang:apply/3. */
void gcl_task_bad(struct gcl_task *task, const struct gcl_rpc_what *what);

/** There are more arguments than erlang:apply/3 takes: system_limit there. */
void gcl_task_too_many(struct gcl_task *task);

/** Its process ends with a reason before there was an outcome. */
void gcl_task_ended(struct gcl_task *task, gcl_term reason);

/* --- ways in -------------------------------------------------------------------------------- */

/**
 * Starts the process that is asked for. NULL, and its pid; or why not: an atom, static. What it
 * does begins after its requester was told.
 */
const char *gcl_rpc_spawn(struct gcl_node *node, const struct gcl_spawn *spawn, gcl_pid *pid);

/** The server `rex`. 0, GCL_ELIMIT, GCL_ENOMEM. */
int gcl_rex_start(struct gcl_node *node);

#endif

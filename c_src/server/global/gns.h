/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The global_name_server of a visible node: three servers (global_name_server itself, the locker,
 * the registrar) that hand what reaches them to the machine of core/global/gns.h and carry out what
 * it says. gns.c has their life, gns_effect.c what is carried out, gns_request.c and gns_locks.c
 * what the programs of this node ask for, gns_wait.c how they are told, gns_owner.c who they are,
 * gns_resolve.c conflicts.
 *
 * Half of the protocol makes other nodes wait. Where the machine cannot go on, the node closes, as
 * it does when one of the three is killed.
 */
#ifndef GCL_SERVER_GLOBAL_GNS_H
#define GCL_SERVER_GLOBAL_GNS_H

#include <gen_cluster/global.h>

#include "base/list.h"
#include "base/table.h"
#include "core/global/gns.h"
#include "core/signal.h"
#include "server/global/global.h"
#include "server/server.h"

struct gcl_call;

/** A process that the machine has monitored. */
struct gcl_gns_monitor {
    gcl_pid pid;
    gcl_ref ref;
};

struct gcl_gns_service {
    struct gcl_node *node;
    struct gcl_gns *machine;             /* NULL: it has ended */
    gcl_server *servers[GCL_GNS_ACTORS]; /* NULL: it has ended */
    struct gcl_table monitors;           /* struct gcl_gns_monitor by pid */
    struct gcl_table owners;             /* struct gcl_gns_owner by server */
    struct gcl_table claims;             /* struct gcl_gns_claimed by process and name */
    struct gcl_list claimed;             /* the same */
    struct gcl_table waits;              /* struct gcl_gns_wait by number: without an outcome */
    struct gcl_list waiting;             /* the same */
    struct gcl_list outcomes;            /* the same kind: who is to be told */
    uint32_t wait_count;                 /* of both */
    uint64_t turn;                       /* the timer of telling them, or 0 */
    uint64_t last_number;                /* of a request */
    bool is_walking;                     /* the program looks at the names */
    uint64_t timer;                      /* 0: none */
    uint64_t timer_at_ms;
};

/** With the node, before anybody can connect. 0, GCL_ELIMIT, GCL_ENOMEM. */
int gcl_gns_start(struct gcl_node *node);

/** After all processes have ended. */
void gcl_gns_finish(struct gcl_node *node);

/** The service of a visible node that has not ended; else NULL. */
struct gcl_gns_service *gcl_gns_of(const struct gcl_node *node);

/** Carries out what the machine has to say: behind each of its functions. */
void gcl_gns_settle(struct gcl_gns_service *gns);

uint64_t gcl_gns_now(const struct gcl_gns_service *gns);

/** For gcl_gns_settle(). */
void gcl_gns_carry_out(struct gcl_gns_service *gns, const struct gcl_gns_effect *effect);

/** The monitor of a process has fired, or is of no use. */
void gcl_gns_forget_monitor(struct gcl_gns_service *gns, gcl_pid pid);
void gcl_gns_monitors_fini(struct gcl_gns_service *gns);

/** It cannot go on for want of memory: the node closes. `why` is static. */
void gcl_gns_fail(struct gcl_gns_service *gns, const char *why);

/* --- gns_owner.c ----------------------------------------------------------------------------- */

/** A server that has asked something, or has names. */
struct gcl_gns_owner {
    gcl_server *server;
    struct gcl_list claims; /* struct gcl_gns_claimed */
    struct gcl_list waits;  /* struct gcl_gns_wait, as they were asked for */
};

/** Finds or makes it. NULL: no memory. */
struct gcl_gns_owner *gcl_gns_owner_of(struct gcl_gns_service *gns, gcl_server *server);

/** NULL: the server has nothing here. */
struct gcl_gns_owner *gcl_gns_owner_find(const struct gcl_gns_service *gns,
                                         const gcl_server *server);

/** Forgets it when it has nothing any more. */
void gcl_gns_owner_tidy(struct gcl_gns_service *gns, struct gcl_gns_owner *owner);

/* --- gns_wait.c ------------------------------------------------------------------------------ */

struct gcl_gns_claimed;

/** A server that has asked something and is to be told once. */
struct gcl_gns_wait {
    struct gcl_list at_service;
    struct gcl_list at_owner;
    uint64_t number; /* of the request of the machine */
    gcl_server *owner;
    gcl_reply_function *done;
    void *user;
    struct gcl_gns_claimed *claim; /* the name that it is for; or NULL */
    int error;
    gcl_pid pid;      /* what goes with 0; zeroed: no term */
    bool wants_names; /* ... all names that there are then */
};

/** With a number of its own. GCL_ELIMIT: as many wait as may; GCL_ENOMEM. */
int gcl_gns_wait_new(struct gcl_gns_service *gns, gcl_server *owner, gcl_reply_function *done,
                     void *user, struct gcl_gns_wait **out);

/** Nothing is to be told; it has no outcome yet. */
void gcl_gns_wait_free(struct gcl_gns_service *gns, struct gcl_gns_wait *wait);

/** One that has no outcome yet, or NULL. */
struct gcl_gns_wait *gcl_gns_wait_find(const struct gcl_gns_service *gns, uint64_t number);

/** It has its outcome, and is told in a turn of its own. */
void gcl_gns_wait_done(struct gcl_gns_service *gns, struct gcl_gns_wait *wait, int error);

/** Tells what is to be told. */
void gcl_gns_tell_outcomes(struct gcl_gns_service *gns);

/** Now, GCL_ECANCELED: all that the server waits for; or all that anybody does. */
void gcl_gns_waits_cancel(struct gcl_gns_service *gns, const gcl_server *owner);
void gcl_gns_waits_cancel_all(struct gcl_gns_service *gns);

/* --- gns_request.c, gns_locks.c -------------------------------------------------------------- */

enum gcl_gns_claim_kind {
    GCL_GNS_CLAIM,
    GCL_GNS_CLAIM_MORE,  /* the process may have another name */
    GCL_GNS_CLAIM_AGAIN, /* whoever has the name loses it */
};

struct gcl_gns_claim {
    enum gcl_gns_claim_kind kind;
    gcl_pid pid; /* zeroed: the server itself */
    struct gcl_global_choice choice;
};

/* As the functions of <gen_cluster/global.h>. */
int gcl_gns_claim(gcl_server *self, const struct gcl_gns_claim *claim, gcl_reply_function *done,
                  void *user, gcl_message message);
int gcl_gns_give_back(gcl_server *self, gcl_message message);
int gcl_gns_take_away(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message);
int gcl_gns_look_up(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message);
/** Writes the list of all names. Errors of gcl_write(). */
int gcl_gns_list_all_names(const struct gcl_gns_service *gns, gcl_writer *writer);
int gcl_gns_list_names(gcl_server *self, gcl_reply_function *done, void *user);
int gcl_gns_await_sync(gcl_server *self, gcl_reply_function *done, void *user);
int gcl_gns_ask_lock(gcl_server *self, const gcl_global_lock_options *options,
                     gcl_reply_function *done, void *user, gcl_message message);
int gcl_gns_ask_unlock(gcl_server *self, const gcl_global_lock_options *options,
                       gcl_reply_function *done, void *user, gcl_message message);

/** Who has a name; a zeroed pid: nobody. Errors of gcl_write(). */
int gcl_gns_holder(struct gcl_gns_service *gns, gcl_message message, gcl_pid *holder);

/** From a global name to the pid that has it, or to a name that nobody has. */
gcl_dest gcl_gns_locate(struct gcl_gns_service *gns, const gcl_dest *dest);

/** How the server `pid` wants conflicts about its name decided; NULL: it has no such name. */
const struct gcl_global_choice *gcl_gns_choice(const struct gcl_gns_service *gns, gcl_pid pid,
                                               gcl_term name, gcl_server **owner);

void gcl_gns_server_ends(struct gcl_gns_service *gns, gcl_server *server);

/** From the machine: the outcome of a request, and a name that went to another. */
void gcl_gns_request_done(struct gcl_gns_service *gns, uint64_t number, int error);
void gcl_gns_name_lost(struct gcl_gns_service *gns, gcl_term name, gcl_pid pid);

/** The machine has ended: all that waits gets GCL_ECANCELED. */
void gcl_gns_claims_fini(struct gcl_gns_service *gns);

/* --- gns_resolve.c --------------------------------------------------------------------------- */

/**
 * global:resolve_it(Method, Name, His, Mine), the list of arguments: who of two processes keeps a
 * name; a zeroed pid: neither. What the method does to the other one is done, by `self`, also on a
 * hidden node. GCL_EINVAL: other arguments.
 */
int gcl_gns_resolve(gcl_server *self, gcl_term arguments, gcl_pid *winner);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Calls that servers make: a monitor and an alias of the same reference, a deadline, one outcome.
 * Requests to spawn are such calls, too (spawn.c).
 *
 * spec: gen.erl, do_call: the alias is the tag of the call; the answer is {Tag, Reply}, sent to it.
 */
#ifndef GCL_SERVER_CALL_H
#define GCL_SERVER_CALL_H

#include "base/deadline.h"
#include "base/slots.h"
#include "server/server.h"
#include "wire/term/id.h"

enum gcl_call_kind {
    GCL_CALL_GEN,   /* gen_server:call */
    GCL_CALL_RPC,   /* a process is spawned: its end is the outcome */
    GCL_CALL_SPAWN, /* ... or it is the outcome */
};

struct gcl_call {
    struct gcl_slot slot;
    struct gcl_alias alias; /* its reference is that of the monitor, too */
    struct gcl_deadline deadline;
    struct gcl_list at_server; /* in server->calls */
    struct gcl_server *server;
    enum gcl_call_kind kind;
    gcl_reply_function *done;
    void *user;
    bool is_canceled; /* the outcome is on its way */
    bool is_due;      /* expired while the server was suspended */
    bool is_owed;     /* it passes the soft limit of a connection */
};

/**
 * gcl_call_message() of a server that takes part in a protocol: without an end of time, and never
 * GCL_EBUSY.
 */
int gcl_call_owed(gcl_server *self, gcl_dest dest, gcl_reply_function *done, void *user,
                  gcl_message message);

/** What `done` and its like are given. */
struct gcl_call_config {
    enum gcl_call_kind kind;
    uint32_t timeout_ms;
    gcl_reply_function *done;
    void *user;
    bool is_owed;
};

/** A call by a new reference, in `alias`. GCL_EINVAL: no `done`; GCL_ECLOSED, GCL_ENOMEM. */
int gcl_call_open(struct gcl_server *server, const struct gcl_call_config *config,
                  struct gcl_call **out);

/** It is forgotten: `done` is not called. */
void gcl_call_close(struct gcl_call *call);

gcl_request gcl_call_request(const struct gcl_call *call);

/** The call under way of that server with this reference, or NULL. Find: of a gen_server:call. */
struct gcl_call *gcl_call_of_ref(struct gcl_server *server, const gcl_ref *ref);
struct gcl_call *gcl_call_find(struct gcl_server *server, const struct gcl_wire_ref *wire);

/** Ends the call and its monitor, then calls `done`. `reply` is borrowed. */
void gcl_call_finish(struct gcl_call *call, int error, struct gcl_str reply);

/** The same, but the monitor stays. */
void gcl_call_finish_monitored(struct gcl_call *call, struct gcl_str reply);

/** The monitor of a call fired: `done` gets the error that the reason stands for. */
void gcl_call_down(struct gcl_call *call, struct gcl_str reason);

/**
 * The global name that a call is for was found: `to` is a pid and gets the message, which was built
 * with the call's reference; or it was not, then `error` is the outcome.
 */
void gcl_call_resolved(struct gcl_node *node, gcl_request request, const struct gcl_target *to,
                       struct gcl_str message, int error);

/* --- spawn.c -------------------------------------------------------------------------------- */

/** The answer to a request to spawn. */
void gcl_spawn_replied(struct gcl_call *call, const struct gcl_signal *reply);

/** The process that a call has spawned has ended. */
void gcl_spawn_down(struct gcl_call *call, struct gcl_str reason);

/* --- call.c --------------------------------------------------------------------------------- */

/** The server ends: all its calls are canceled. */
void gcl_calls_cancel_all(struct gcl_server *server);

/** Those that expired while the server was suspended expire now. */
void gcl_calls_resume(struct gcl_server *server);

#endif

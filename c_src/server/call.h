/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Calls that servers make: a monitor and an alias of the same reference, a deadline, one outcome.
 *
 * spec: gen.erl, do_call: the alias is the tag of the call; the answer is {Tag, Reply}, sent to it.
 */
#ifndef GCL_SERVER_CALL_H
#define GCL_SERVER_CALL_H

#include "base/deadline.h"
#include "base/slots.h"
#include "server/server.h"
#include "wire/id.h"

struct gcl_call {
    struct gcl_slot slot;
    struct gcl_alias alias; /* its reference is that of the monitor, too */
    struct gcl_deadline deadline;
    struct gcl_list at_server; /* in server->calls */
    struct gcl_server *server;
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

/** The call under way of that server with this reference, or NULL. */
struct gcl_call *gcl_call_of_ref(struct gcl_server *server, const gcl_ref *ref);
struct gcl_call *gcl_call_find(struct gcl_server *server, const struct gcl_wire_ref *wire);

/** Ends the call, then calls `done`. `reply` is borrowed. */
void gcl_call_finish(struct gcl_call *call, int error, struct gcl_str reply);

/** The monitor of a call fired: `done` gets the error that the reason stands for. */
void gcl_call_down(struct gcl_call *call, struct gcl_str reason);

/**
 * The global name that a call is for was found: `to` is a pid and gets the message, which was built
 * with the call's reference; or it was not, then `error` is the outcome.
 */
void gcl_call_resolved(struct gcl_node *node, gcl_request request, const struct gcl_target *to,
                       struct gcl_str message, int error);

/** The server ends: all its calls are canceled. */
void gcl_calls_cancel_all(struct gcl_server *server);

/** Those that expired while the server was suspended expire now. */
void gcl_calls_resume(struct gcl_server *server);

#endif

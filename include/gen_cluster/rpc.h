/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Functions that other nodes call by module, function and arguments, and calls of functions of
 * other nodes: erpc, rpc and spawn of Erlang in C. doc/rpc.md has examples.
 *
 *     static void add(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
 *     {
 *         gcl_node *node = gcl_server_node(self);
 *         int64_t a, b;
 *         (void)user;
 *         if (gcl_match(arguments, "[~i, ~i]", &a, &b))
 *             gcl_rpc_return(node, task, "~i", a + b);
 *         else
 *             gcl_rpc_raise(node, task, GCL_RPC_ERROR, "badarg");
 *     }
 *     ...
 *     error = gcl_rpc_register(node, "my_mod", "add", 2, add, NULL);
 *
 *     1> erpc:call('c@host', my_mod, add, [1, 2]).
 *     3
 *
 * A node is closed: what is not registered, and is none of the few functions that every node has
 * (doc/rpc.md lists them), is `undef` by erpc and rpc and cannot be spawned (`notsup`).
 *
 * Everything here is called on the loop thread, may be called in handlers and functions, and calls
 * none: what it causes comes after they have returned.
 *
 * spec: erpc:execute_call/4 and execute_cast/3, rpc.erl of kernel; erl_dist_protocol,
 * SPAWN_REQUEST, SPAWN_REPLY; the Erlang reference manual, "Processes", for reasons of exits.
 */
#ifndef GEN_CLUSTER_RPC_H
#define GEN_CLUSTER_RPC_H

#include <gen_cluster/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- functions of this node ----------------------------------------------------------------- */

/**
 * A function that is being run for a caller: a value, which goes stale when it was answered and
 * when it was canceled. Zeroed: none.
 */
typedef struct gcl_rpc_task {
    uint32_t index;
    uint32_t generation;
} gcl_rpc_task;

/** Of an exception, as erlang:raise/3 takes it. */
typedef enum gcl_rpc_class { GCL_RPC_ERROR, GCL_RPC_EXIT, GCL_RPC_THROW } gcl_rpc_class;

/**
 * Is run in a process of its own, `self`, which ends when the task has its outcome: by
 * gcl_rpc_return() or gcl_rpc_raise(), in here or at any time later. The process has no handlers:
 * messages to it are dropped; it may send, and call others. `arguments` is a list of as many terms
 * as the arity says, and a view that is valid until the function returns. `user` is that of
 * gcl_rpc_register(). A mistake in a pattern ends the process as it does a server.
 */
typedef void gcl_rpc_function(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user);

/**
 * Offers `run` as Module:Function/Arity to everybody who is connected, until gcl_rpc_unregister()
 * or until the node closes. The names may be any atoms and are copied. GCL_EINVAL: no `run`, an
 * arity above 255, or no atom can be so; GCL_EEXIST: it is registered, or one of those that every
 * node has; GCL_ELIMIT: `max_rpc_functions` of the node's config; GCL_ECLOSED: the node is closing;
 * GCL_ENOMEM.
 */
GCL_API int gcl_rpc_register(gcl_node *node, const char *module, const char *function,
                             unsigned arity, gcl_rpc_function *run, void *user) GCL_MUST_USE;

/**
 * `run` is not called any more. Tasks that it has begun stay until they have their outcome.
 * GCL_ENOENT: it is not registered.
 */
GCL_API int gcl_rpc_unregister(gcl_node *node, const char *module, const char *function,
                               unsigned arity);

/**
 * Gives a task its value, from anywhere on the loop thread: the function, a handler, the end of
 * gcl_work(). GCL_ESTALE: it had its outcome, or nobody waits any more; errors of gcl_write(), and
 * GCL_ELIMIT and GCL_ENOMEM of the queue between local processes, after which the task still waits.
 */
#define gcl_rpc_return(node, task, ...)                                                            \
    gcl_rpc_return_message((node), (task), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_rpc_return_message(gcl_node *node, gcl_rpc_task task, gcl_message value);

/**
 * Ends a task with an exception. Who has called sees what a function in Erlang would lead to; the
 * stack trace of an error is that function alone: with its arguments when it is raised before the
 * function has returned, as by erlang:error/2, else with its arity. Errors of gcl_rpc_return();
 * GCL_EINVAL: no such class.
 */
#define gcl_rpc_raise(node, task, exception_class, ...)                                            \
    gcl_rpc_raise_message((node), (task), (exception_class), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_rpc_raise_message(gcl_node *node, gcl_rpc_task task, gcl_rpc_class exception_class,
                                  gcl_message reason);

/** Gets the `user` of gcl_rpc_on_cancel(). The task is stale already. */
typedef void gcl_rpc_cancel_function(gcl_node *node, gcl_rpc_task task, void *user);

/**
 * Has `canceled` called once if the task ends without an outcome from the program, so that what
 * works on it can stop and be freed: the caller of erpc or rpc has given up (its time is over, its
 * node is lost), the process was ended by an exit signal, a link or gcl_server_stop(), or the node
 * closes. Not called once the task was answered. NULL: nothing is called. A process that was
 * spawned by spawn/4 and its like goes on when nobody monitors it, as in Erlang. GCL_ESTALE.
 *
 * A caller of erpc that gives up before it has heard that the function was begun, as with a short
 * timeout, and that lives on, says so to nobody. As on a BEAM the function goes on then, until it
 * has its outcome or the caller's node is lost. It counts as long (`max_rpc_calls_per_node` of the
 * node's config), so a function that might wait for ever needs a timer of its own.
 */
GCL_API int gcl_rpc_on_cancel(gcl_node *node, gcl_rpc_task task, gcl_rpc_cancel_function *canceled,
                              void *user);

/** Whether the task still waits for its outcome. */
GCL_API bool gcl_rpc_is_open(const gcl_node *node, gcl_rpc_task task);

/** The process that has asked for a task; zeroed when the task is stale. */
GCL_API gcl_pid gcl_rpc_from(const gcl_node *node, gcl_rpc_task task);

/* --- functions of other nodes --------------------------------------------------------------- */

/** A function, of any number of arguments. Strings are borrowed until the call that takes it
 * returns. */
typedef struct gcl_rpc_dest {
    const char *node; /**< also this one */
    const char *module;
    const char *function;
} gcl_rpc_dest;

static inline gcl_rpc_dest gcl_rpc_at(const char *node, const char *module, const char *function)
{
    gcl_rpc_dest dest = {node, module, function};
    return dest;
}

/**
 * erpc:call/5: has the function run on the node, and `done` called once with its value:
 *
 *     gcl_rpc_call(self, gcl_rpc_at("b@host", "lists", "sort"), 5000, done, user, NULL,
 *                  "[[~i, ~i]]", 2, 1);
 *
 * The pattern is the list of arguments. `done` gets 0 and the value, or GCL_ERAISE: the function
 * raised an exception, and `term` is {Class, Reason, Stacktrace}, as {throw, ball, []}; GCL_EEXIT:
 * the process in which it ran was ended, and `term` is the reason; GCL_ENOTSUP: the node runs no
 * such requests; GCL_ELIMIT: it has no more processes (system_limit); GCL_ETIMEOUT, after which the
 * function may still run; GCL_ENOCONNECTION; GCL_ECANCELED: gcl_call_cancel(), or the server ends.
 * `timeout_ms` may be GCL_INFINITY, `request` NULL. `self` is the group leader of what runs: what
 * that prints is logged (event `io`, GCL_LOG_NOTICE), and its input is at its end.
 *
 * On error nothing was sent and `done` will not be called: GCL_EINVAL: no `done`, no atom can be
 * so, or the pattern is not a proper list of at most 255 elements; GCL_ENAME; GCL_EBUSY;
 * GCL_ELIMIT; GCL_ENOTSUP: the node, which is connected, knows no such requests; errors of
 * gcl_write(); GCL_ECLOSED: the server is ending; GCL_ENOMEM.
 */
#define gcl_rpc_call(self, dest, timeout_ms, done, user, request, ...)                             \
    gcl_rpc_call_message((self), (dest), (timeout_ms), (done), (user), (request),                  \
                         GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_rpc_call_message(gcl_server *self, gcl_rpc_dest dest, uint32_t timeout_ms,
                                 gcl_reply_function *done, void *user, gcl_request *request,
                                 gcl_message arguments);

/** erpc:cast/4: has it run; nobody hears what comes of it. Errors as gcl_rpc_call(). */
#define gcl_rpc_cast(self, dest, ...) gcl_rpc_cast_message((self), (dest), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_rpc_cast_message(gcl_server *self, gcl_rpc_dest dest, gcl_message arguments);

/** Options of gcl_spawn(). */
enum {
    GCL_SPAWN_LINK = 1 /**< also linked, before its function begins */
};

/**
 * spawn_request/5 with a monitor: starts a process that runs the function. `done` is called once:
 * 0 and its pid as a term, from when on the monitor `*ref` and a link are like those of
 * gcl_monitor() and gcl_link(): handle_down, handle_exit, gcl_demonitor(); or, without a process,
 * GCL_ENOTSUP (`notsup`), GCL_ELIMIT (`system_limit`), GCL_ENOCONNECTION; GCL_EEXIT, and `term` is
 * another reason, an atom; GCL_ECANCELED: the server ends; a process that is started all the same
 * ends with it if it was to be linked. `ref` may be NULL. Group leader and errors as
 * gcl_rpc_call(); GCL_EINVAL also: options that are none.
 */
#define gcl_spawn(self, dest, options, done, user, ref, ...)                                       \
    gcl_spawn_message((self), (dest), (options), (done), (user), (ref), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_spawn_message(gcl_server *self, gcl_rpc_dest dest, unsigned options,
                              gcl_reply_function *done, void *user, gcl_ref *ref,
                              gcl_message arguments);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Processes of a node: servers in the sense of gen_server, each made of a table of handlers.
 *
 *     static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from,
 *                                   void *user)
 *     {
 *         struct counter *counter = user;
 *         int64_t n;
 *         if (gcl_match(request, "{add, ~i}", &n))
 *             gcl_reply(self, from, "{ok, ~i}", counter->total += n);
 *         else
 *             gcl_reply(self, from, "{error, unknown_request}");
 *         return GCL_CONTINUE;
 *     }
 *
 * Handlers run on the loop thread, one at a time, each to its end. Terms that they are given are
 * views, valid until they return; gcl_term_copy() keeps one. Every function here may be called in a
 * handler, and none calls a handler: what it causes is handled after the handler has returned.
 *
 * A server ends when a handler returns GCL_STOP, by gcl_server_stop(), by an exit signal, and when
 * its node closes. Then its calls that are under way get GCL_ECANCELED, `terminate` is called once,
 * last, and links and monitors see the reason. After that the handle must not be used any more.
 *
 * A mistake in a handler (a pattern that its arguments do not fit, a result that is none) ends the
 * server, not the node, with a reason that says where: {bad_pattern, Text}, {bad_return_value, N}.
 *
 * spec: gen_server, gen and sys of stdlib for messages and reasons; the Erlang reference manual,
 * "Processes", for links, monitors, aliases and exits.
 */
#ifndef GEN_CLUSTER_SERVER_H
#define GEN_CLUSTER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/error.h>
#include <gen_cluster/export.h>
#include <gen_cluster/id.h>
#include <gen_cluster/node.h>
#include <gen_cluster/term.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gcl_server gcl_server;

/** What handlers return. Anything else ends the server with reason {bad_return_value, N}. */
typedef enum gcl_result {
    GCL_CONTINUE = 0,
    GCL_STOP = 1 /**< with reason `normal`; gcl_stop() gives another */
} gcl_result;

/**
 * Who called: for gcl_reply(), or for gcl_from_keep() when the answer comes later. Borrowed for the
 * handler.
 */
typedef struct gcl_from gcl_from;

/**
 * A caller that was kept: a value, which goes stale when it was answered or dropped, when its node
 * is lost, and when the server that was called ends. Zeroed: nobody.
 */
typedef struct gcl_caller {
    uint32_t index;
    uint32_t generation;
} gcl_caller;

/**
 * The handlers; any but `size` may be NULL. `user` is that of the config. Without a handler, a call
 * is left unanswered, and that and every other message is dropped and logged (GCL_LOG_NOTICE).
 */
typedef struct gcl_handlers {
    size_t size; /**< sizeof(gcl_handlers) */
    /** A gen_server:call. Answer with gcl_reply(), or keep the caller and do it later. */
    gcl_result (*handle_call)(gcl_server *self, gcl_term request, const gcl_from *from, void *user);
    /** A gen_server:cast. */
    gcl_result (*handle_cast)(gcl_server *self, gcl_term message, void *user);
    /** Any other message. */
    gcl_result (*handle_info)(gcl_server *self, gcl_term message, void *user);
    /**
     * A monitor of gcl_monitor() fired, once. `what` is the pid or {Name, Node} that was watched;
     * the reason is `noproc` when it was not there, `noconnection` when its node was lost.
     */
    gcl_result (*handle_down)(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user);
    /** An exit signal, of a linked process or of exit/2, for servers that trap exits. */
    gcl_result (*handle_exit)(gcl_server *self, gcl_pid from, gcl_term reason, void *user);
    /**
     * A node came up or went down, for servers that asked with gcl_monitor_nodes(): up before the
     * first message from it, down after the last one and after what its loss does to links and
     * monitors. `reason` is a binary with the cause, empty (gcl_term_is_none()) for up.
     */
    gcl_result (*handle_node)(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user);
    /** A timer of gcl_timer_start() expired; it is gone already. */
    gcl_result (*handle_timer)(gcl_server *self, uint64_t timer, void *user);
    /** Last, also when the node closes. Frees what the server owns. */
    void (*terminate)(gcl_server *self, gcl_term reason, void *user);
    /** Writes the state for sys:get_state/1 and get_status/1, one term; without it that is []. */
    void (*state)(gcl_server *self, gcl_writer *out, void *user);
} gcl_handlers;

typedef struct gcl_server_config {
    size_t size;                  /**< set by gcl_server_config_init() */
    const gcl_handlers *handlers; /**< borrowed for the life of the server; required */
    void *user;
    const char *name; /**< registered name; NULL: none. Copied */
    bool trap_exit;   /**< exit signals go to handle_exit, but for `kill` */
} gcl_server_config;

/** Sets `config` to the defaults: no handlers, no name, exits are not trapped. */
GCL_API void gcl_server_config_init(gcl_server_config *config);

/**
 * Starts a server. No handler is called before this returns. `*server` (may be NULL) is borrowed
 * until it ends. GCL_EINVAL: no handlers, or a name that no atom can have; GCL_EEXIST: the name is
 * taken, as `net_kernel`, `rex`, `global_group` and, on visible nodes, `global_name_server` are;
 * GCL_ELIMIT: `max_processes` are there; GCL_ECLOSED: the node is closing; GCL_ENOMEM.
 */
GCL_API int gcl_server_start(gcl_node *node, const gcl_server_config *config,
                             gcl_server **server) GCL_MUST_USE;

/**
 * Ends a server, as gen_server:stop/3 does: behind the messages that it was sent from this node,
 * and whether it traps exits or not. The reason is a pattern: gcl_server_stop(server, "{shutdown,
 * ~i}", 3). Errors of gcl_write(); GCL_ELIMIT and GCL_ENOMEM of the queue between local processes.
 */
#define gcl_server_stop(server, ...) gcl_server_stop_message((server), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_server_stop_message(gcl_server *server, gcl_message reason);

/** Gives GCL_STOP a reason, by a pattern, and returns it: `return gcl_stop(self, "oops");`. */
#define gcl_stop(self, ...) gcl_stop_message((self), GCL_MESSAGE(__VA_ARGS__))
GCL_API gcl_result gcl_stop_message(gcl_server *self, gcl_message reason);

/** The node of a server and the `user` of its config, for as long as it lives; trapping exits. */
GCL_API gcl_node *gcl_server_node(const gcl_server *server);
GCL_API void *gcl_server_user(const gcl_server *server);
GCL_API void gcl_server_set_trap_exit(gcl_server *self, bool on);

/** The pid of a server. */
GCL_API gcl_pid gcl_self(const gcl_server *server);

/** The living server of a pid or registered name of this node, or NULL. */
GCL_API gcl_server *gcl_server_of(gcl_node *node, gcl_pid pid);
GCL_API gcl_server *gcl_whereis(gcl_node *node, const char *name);

/** GCL_EEXIST: name or server has one; GCL_EINVAL: no atom can be so; GCL_ECLOSED; GCL_ENOMEM. */
GCL_API int gcl_register(gcl_server *self, const char *name) GCL_MUST_USE;

/** GCL_ENOENT: it has no name. */
GCL_API int gcl_unregister(gcl_server *self);

/** For gcl_writer_new() and gcl_term_parse(): what the terms of this node share. */
GCL_API gcl_term_context *gcl_node_terms(gcl_node *node);

/**
 * The name of the node that a pid belongs to, valid until the handler returns. NULL: it is not
 * known any more, or there is no memory.
 */
GCL_API const char *gcl_pid_node(gcl_node *node, gcl_pid pid);

/* --- destinations --------------------------------------------------------------------------- */

/** Whom a message is for. Strings are borrowed until the call that takes it returns. Private. */
typedef struct gcl_dest {
    int kind;
    gcl_pid pid;
    gcl_ref alias;
    const char *name;
    const char *node;
    gcl_message global;
} gcl_dest;

/** A process of any node. */
GCL_API gcl_dest gcl_to_pid(gcl_pid pid);

/** A registered name of this node. */
GCL_API gcl_dest gcl_to_name(const char *name);

/** {Name, Node}. */
GCL_API gcl_dest gcl_to_remote(const char *name, const char *node);

/** An alias of any node. */
GCL_API gcl_dest gcl_to_alias(gcl_ref alias);

/* --- messages out --------------------------------------------------------------------------- */

/*
 * A message is a pattern with its values, see term.h:
 *
 *     gcl_send(self, gcl_to_pid(pid), "{hello, ~i}", 42);
 *
 * Sending connects to the node by itself; until that is done, messages wait in order. 0;
 * GCL_EBUSY: the connection's output is above its soft limit, nothing was taken, `on_writable` of
 * the node tells when to go on; GCL_ESTALE: the pid's node is not known any more; GCL_ENAME: no
 * node can be called so; GCL_ELIMIT: too much waits for this connection, or for local processes;
 * errors of gcl_write(); GCL_ENOMEM. A message to a process that is not there vanishes, as in
 * Erlang.
 */
#define gcl_send(self, dest, ...) gcl_send_message((self), (dest), GCL_MESSAGE(__VA_ARGS__))
#define gcl_cast(self, dest, ...) gcl_cast_message((self), (dest), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_send_message(gcl_server *self, gcl_dest dest, gcl_message message);
GCL_API int gcl_cast_message(gcl_server *self, gcl_dest dest, gcl_message message);

/** Answers a call. Replies are taken above the soft limit, too; the other errors are as above. */
#define gcl_reply(self, from, ...) gcl_reply_message((self), (from), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_reply_message(gcl_server *self, const gcl_from *from, gcl_message message);

/** The pid that called; zeroed when there is no memory for the name of its node. */
GCL_API gcl_pid gcl_from_pid(const gcl_from *from);

/**
 * Keeps a caller for gcl_reply_later(). It stays until it is answered or dropped, its node is lost
 * or the server ends, also when it has given up: who calls does not say so. How many are kept at a
 * time is thus for the program to decide, up to `max_kept_callers` of the node's config.
 * GCL_ELIMIT: there are so many, or the tag of its call is larger than 4 KiB, as none of OTP's is;
 * GCL_ENAME: its pid is of no node, so that nobody can be answered; GCL_ENOMEM.
 */
GCL_API int gcl_from_keep(const gcl_from *from, gcl_caller *caller) GCL_MUST_USE;

/**
 * Answers a caller that was kept, from anywhere on the loop thread: a handler, a function of
 * gcl_post() or the end of gcl_work(). GCL_ESTALE: nobody waits any more. Else as gcl_reply(). The
 * caller is stale afterwards, but for errors of gcl_write() and when there was no room for the
 * answer (GCL_ELIMIT, GCL_ENOMEM): then it still waits.
 */
#define gcl_reply_later(node, caller, ...)                                                         \
    gcl_reply_later_message((node), (caller), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_reply_later_message(gcl_node *node, gcl_caller caller, gcl_message message);

/** Forgets a caller that will not be answered. Nothing when it is stale. */
GCL_API void gcl_caller_drop(gcl_node *node, gcl_caller caller);

/* --- calls out ------------------------------------------------------------------------------ */

/** A call under way: a value, stale once it was answered. Zeroed: none. */
typedef struct gcl_request {
    uint32_t index;
    uint32_t generation;
} gcl_request;

#define GCL_INFINITY UINT32_MAX

/**
 * The outcome of a call, exactly once and never before gcl_call() has returned: 0 and the reply, or
 * GCL_ETIMEOUT; GCL_ENOPROC: there is no such process; GCL_ENOCONNECTION: its node cannot be
 * reached, or was lost; GCL_EEXIT: it ended before it answered, and `term` is the reason;
 * GCL_ECANCELED: by gcl_call_cancel(), or the server ends. `term` is empty (gcl_term_is_none())
 * where there is none. What it returns counts like the result of a handler.
 */
typedef gcl_result gcl_reply_function(gcl_server *self, int error, gcl_term term, void *user);

/**
 * gen_server:call/3: sends the request and has `done` called once. `request` may be NULL.
 * `timeout_ms` may be GCL_INFINITY. On error nothing was sent and `done` will not be called. Errors
 * of gcl_send(); GCL_EINVAL: no `done`; GCL_ECLOSED: the server is ending.
 */
#define gcl_call(self, dest, timeout_ms, done, user, request, ...)                                 \
    gcl_call_message((self), (dest), (timeout_ms), (done), (user), (request),                      \
                     GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_call_message(gcl_server *self, gcl_dest dest, uint32_t timeout_ms,
                             gcl_reply_function *done, void *user, gcl_request *request,
                             gcl_message message);

/** `done` of this call gets GCL_ECANCELED, soon. GCL_ESTALE: it has had its outcome. */
GCL_API int gcl_call_cancel(gcl_server *self, gcl_request request);

/* --- links, monitors, exits ----------------------------------------------------------------- */

/*
 * These connect by themselves, too, and are taken above the soft limit: GCL_ESTALE, GCL_ENAME,
 * GCL_ELIMIT (`max_edges` links and monitors, or the queue of a connection), GCL_ENOMEM.
 */

/** Monitors a process by pid or name, once; `*ref` is the one of handle_down. GCL_EINVAL: alias. */
GCL_API int gcl_monitor(gcl_server *self, gcl_dest dest, gcl_ref *ref) GCL_MUST_USE;

/** Its handle_down will not come any more. GCL_ENOENT: no such monitor of this server. */
GCL_API int gcl_demonitor(gcl_server *self, gcl_ref ref);

/** Links; a link that is there already stays. To a process that is not there: exit `noproc`. */
GCL_API int gcl_link(gcl_server *self, gcl_pid pid) GCL_MUST_USE;

/** Ends a link; an exit signal of it will not come any more. No error when there is none. */
GCL_API int gcl_unlink(gcl_server *self, gcl_pid pid);

/** exit/2 with a reason given by a pattern; `kill` cannot be trapped. Also the errors of
 * gcl_write().
 */
#define gcl_exit(self, pid, ...) gcl_exit_message((self), (pid), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_exit_message(gcl_server *self, gcl_pid pid, gcl_message reason);

/** Has handle_node called for nodes that come and go, hidden ones included; or no longer. Those
 * that are connected already are told by gcl_node_each_connection(). */
GCL_API void gcl_monitor_nodes(gcl_server *self, bool on);

/** A reference to which messages for this server can be sent. GCL_ECLOSED, GCL_ENOMEM. */
GCL_API int gcl_alias_new(gcl_server *self, gcl_ref *alias) GCL_MUST_USE;

/** Messages to the alias vanish from now on. GCL_ENOENT: this server has no such one. */
GCL_API int gcl_unalias(gcl_server *self, gcl_ref alias);

/** A new reference, for whatever needs one. */
GCL_API gcl_ref gcl_make_ref(gcl_server *self);

/* --- timers --------------------------------------------------------------------------------- */

/** handle_timer is called after `delay_ms`; `*timer` (never 0) names it. GCL_ECLOSED, GCL_ENOMEM.
 */
GCL_API int gcl_timer_start(gcl_server *self, uint64_t delay_ms, uint64_t *timer) GCL_MUST_USE;

/** GCL_ENOENT: it has expired. */
GCL_API int gcl_timer_cancel(gcl_server *self, uint64_t timer);

#ifdef __cplusplus
}
#endif

#endif

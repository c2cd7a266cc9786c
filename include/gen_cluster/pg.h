/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Process groups: pg of kernel in C. A scope is a network of its own among the nodes that have
 * started it, in Erlang by pg:start_link(Scope), here by gcl_pg_start(); there may be any number of
 * them. In a scope each process of a node may be in any number of groups, in each as often as it
 * joins; every node of the scope sees the members of all. doc/pg.md has an example.
 *
 * A group may be any term and is given by a pattern, like a message:
 *
 *     gcl_pg_join(node, NULL, gcl_self(self), "{room, ~i}", 7);
 *     gcl_pg_send(self, NULL, GCL_PG_ALL, GCL_MESSAGE("{room, ~i}", 7), "{say, ~b}", text);
 *
 * Everything here may be called in handlers and calls none, but for the functions that walk.
 * Functions take a scope by its name, NULL for `pg`, which is the scope of pg:join/2. Each returns
 * GCL_ENOENT when this node has no scope of that name: it was not started, or has ended, which
 * other nodes can bring about as they can end any process, exit(Pid, kill). No scope connects
 * to a node, and what peers may say is limited: a peer that says more, or something that makes no
 * sense, counts as having no members until it says all of it anew (`pg_refused` in the log).
 *
 * Visible and hidden nodes are found alike. One that is hidden, or whose peer is, looks for scopes
 * that were started later every `discover_ms`: the peer does not by itself.
 *
 * spec: pg.erl of kernel, OTP 23 to 29.
 */
#ifndef GEN_CLUSTER_PG_H
#define GEN_CLUSTER_PG_H

#include <gen_cluster/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a scope is to be. Fill it with gcl_pg_config_init(). See doc/limits.md. */
typedef struct gcl_pg_config {
    size_t size;          /**< set by gcl_pg_config_init() */
    const char *scope;    /**< its registered name; NULL: "pg". Copied */
    uint32_t discover_ms; /**< between looks for scopes on hidden nodes; 0: once; default 5000 */
    uint32_t max_peers;   /**< scopes on other nodes; default 4096 */

    /* Of each node, this one included: */
    uint32_t max_groups;  /**< default 262144 */
    uint32_t max_members; /**< in all groups together; default 1048576 */
    size_t max_bytes;     /**< of the names of its groups; default 64 MiB */
} gcl_pg_config;

/** Sets `config` to the defaults. */
GCL_API void gcl_pg_config_init(gcl_pg_config *config);

/**
 * Starts a scope: a process registered under its name. `config` NULL: the defaults. GCL_EINVAL: its
 * `size` is not set, or no atom can be so; GCL_EEXIST: the name is taken; and the other errors of
 * gcl_server_start().
 */
GCL_API int gcl_pg_start(gcl_node *node, const gcl_pg_config *config) GCL_MUST_USE;

/**
 * Ends a scope, soon. Its members are members no more; who monitors it gets GCL_PG_ENDED.
 * GCL_ENOENT: there is none; and the errors of gcl_server_stop().
 */
GCL_API int gcl_pg_stop(gcl_node *node, const char *scope);

/* --- members -------------------------------------------------------------------------------- */

/**
 * A process of this node joins a group, once more if it is in it; it leaves all groups when it
 * ends. Other nodes hear of it in the order in which it happens. GCL_EINVAL: the process is of
 * another node; GCL_ELIMIT: `max_groups`, `max_members`, `max_bytes`, `max_edges` of the node, or a
 * group nested deeper than 64; GCL_EBUSY: in a function of gcl_pg_each_member() or
 * gcl_pg_each_group(); errors of gcl_write(); GCL_ENOMEM.
 */
#define gcl_pg_join(node, scope, pid, ...)                                                         \
    gcl_pg_join_message((node), (scope), (pid), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_pg_join_message(gcl_node *node, const char *scope, gcl_pid pid, gcl_message group);

/** It leaves the group once. GCL_ENOENT also when it is not in it; else as gcl_pg_join(). */
#define gcl_pg_leave(node, scope, pid, ...)                                                        \
    gcl_pg_leave_message((node), (scope), (pid), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_pg_leave_message(gcl_node *node, const char *scope, gcl_pid pid, gcl_message group);

/** Of which nodes. */
typedef enum gcl_pg_part {
    GCL_PG_ALL,
    GCL_PG_LOCAL, /**< this one */
    GCL_PG_REMOTE /**< all but this one */
} gcl_pg_part;

/** Gets a member or group, whose term is borrowed for the call. It must not change the scope. */
typedef void gcl_pg_member_function(gcl_pid pid, void *user);
typedef void gcl_pg_group_function(gcl_term group, void *user);

/**
 * Calls `each` for every member of a group, as often as it has joined, in no order that means
 * anything; allocates nothing. A group without members is as one that is not there: `each` is not
 * called, and that is no error. Errors of gcl_write(); GCL_ELIMIT: nested deeper than 64.
 */
#define gcl_pg_each_member(node, scope, part, each, user, ...)                                     \
    gcl_pg_each_member_message((node), (scope), (part), (each), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_pg_each_member_message(gcl_node *node, const char *scope, gcl_pg_part part,
                                       gcl_pg_member_function *each, void *user, gcl_message group);

/** Calls `each` for every group that has members, in no order. */
GCL_API int gcl_pg_each_group(gcl_node *node, const char *scope, gcl_pg_group_function *each,
                              void *user);

/**
 * Sends a message to all members of a group, to each as often as it has joined. The group is
 * GCL_MESSAGE("lobby"). A member that cannot be reached, or reads too slowly (GCL_EBUSY), keeps no
 * other from getting it: the error is that of the last one that did not. Errors of gcl_send() and
 * of gcl_pg_each_member().
 */
#define gcl_pg_send(self, scope, part, group, ...)                                                 \
    gcl_pg_send_message((self), (scope), (part), (group), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_pg_send_message(gcl_server *self, const char *scope, gcl_pg_part part,
                                gcl_message group, gcl_message message);

/* --- monitors ------------------------------------------------------------------------------- */

typedef enum gcl_pg_change_kind {
    GCL_PG_JOINED,
    GCL_PG_LEFT,
    GCL_PG_ENDED /**< the scope has; nothing more comes */
} gcl_pg_change_kind;

/** Terms are borrowed for the call, and empty for GCL_PG_ENDED. */
typedef struct gcl_pg_change {
    gcl_pg_change_kind kind;
    gcl_term group;
    gcl_term pids; /**< a list, at least one */
} gcl_pg_change;

/** Gets a change; what it returns counts like the result of a handler. */
typedef gcl_result gcl_pg_change_function(gcl_server *self, const gcl_pg_change *change,
                                          void *user);

/**
 * Has `changed` called for each later change, in order, as a handler of the server, until
 * gcl_pg_demonitor() or until it ends: of one group, which need not be there, or of all groups of
 * the scope. `*ref` names the monitor. Who is there already is seen by gcl_pg_each_member() in the
 * same handler. GCL_EINVAL: no `changed`; GCL_ECLOSED: the server is ending; GCL_EBUSY as
 * gcl_pg_join(); errors of gcl_write(); GCL_ELIMIT; GCL_ENOMEM.
 */
#define gcl_pg_monitor(self, scope, changed, user, ref, ...)                                       \
    gcl_pg_monitor_message((self), (scope), (changed), (user), (ref), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_pg_monitor_message(gcl_server *self, const char *scope,
                                   gcl_pg_change_function *changed, void *user, gcl_ref *ref,
                                   gcl_message group);
GCL_API int gcl_pg_monitor_scope(gcl_server *self, const char *scope,
                                 gcl_pg_change_function *changed, void *user, gcl_ref *ref);

/** Its function will not be called any more. GCL_ENOENT: this server has no such monitor. */
GCL_API int gcl_pg_demonitor(gcl_server *self, gcl_ref ref);

#ifdef __cplusplus
}
#endif

#endif

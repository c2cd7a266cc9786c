/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Members of clusters: servers that are told who joins and who leaves, wherever they run, and
 * whether they are written in C or in Erlang (behaviour gen_cluster).
 *
 *     static gcl_result handle_join(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
 *     {
 *         const char *node = gcl_pid_node(gcl_server_node(gcl_cluster_server(self)), pid);
 *         printf("%s joined through this member, we are %zu\n", node, all.count);
 *         return GCL_CONTINUE;
 *     }
 *
 *     static int start(gcl_program *program, gcl_node *node, void *user)
 *     {
 *         gcl_cluster_config config;
 *         gcl_cluster_config_init(&config);
 *         config.name = "counter";
 *         config.seeds = gcl_program_options(program)->seeds;
 *         config.seed_count = gcl_program_options(program)->seed_count;
 *         config.handlers = &handlers;
 *         return gcl_cluster_start(node, &config, NULL);
 *     }
 *
 * A member is a server (server.h): it has calls, casts, messages, monitors and timers of its own,
 * and everything there is may be done with gcl_cluster_server(). Messages of the cluster reach
 * none of its handlers. The node's registered name of the cluster is the member's, so that
 * newcomers, and shells, find it: `gen_server:call({counter, 'c@host'}, {'$gen_cluster', plist})`.
 *
 * It joins through its seeds, stays connected to nobody in particular, remembers those it has lost,
 * and merges with them when they can be reached again. On a visible node it leads like any other
 * member; on a hidden one it never does, and learns from the other members who leads. The leader is
 * a convenience, not a lock: each side of a split has one.
 *
 * Handlers run on the loop thread, one at a time, each to its end, the list being changed before.
 * Every function here may be called in a handler; none calls one before it returns. After the
 * server has ended, which `terminate` of its handlers tells, the handle must not be used any more;
 * in `terminate` itself the list can still be read, and what changes or sends gives GCL_ECLOSED.
 *
 * spec: doc/membership.md
 */
#ifndef GEN_CLUSTER_CLUSTER_H
#define GEN_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/server.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gcl_cluster gcl_cluster;

/** Members, this one included, in an order that is the same everywhere. Borrowed. */
typedef struct gcl_pids {
    const gcl_pid *pids;
    size_t count;
} gcl_pids;

/** Why a member is gone. */
typedef enum gcl_departure {
    GCL_EXITED, /**< it ended, with a reason */
    GCL_LOST,   /**< its node was lost: it may live on, out of reach */
    GCL_LEFT    /**< it left, and may live on */
} gcl_departure;

/**
 * The callbacks of a cluster; any but `size` may be NULL. `user` is that of the config. They return
 * what handlers of servers return. For one event, leaders come last. A pid that has joined leaves
 * before it joins again. Who was there when this member came is in its list and announced by no
 * callback: a pid may leave that never joined.
 */
typedef struct gcl_cluster_handlers {
    size_t size; /**< sizeof(gcl_cluster_handlers) */
    /** Those of the server, see server.h; NULL: none. */
    const gcl_handlers *server;
    /** `pid` came in through this member. */
    gcl_result (*handle_join)(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user);
    /** `pid` came in elsewhere, or a split has healed. */
    gcl_result (*handle_node_joined)(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user);
    /**
     * `pid`, which is not in `all` any more, is gone. The reason is a term in all three cases: that
     * of its exit, `noconnection`, `left`.
     */
    gcl_result (*handle_leave)(gcl_cluster *self, gcl_pid pid, gcl_pids all, gcl_departure why,
                               gcl_term reason, void *user);
    /** Another one leads, or (gcl_pid_is_none()) nobody. */
    gcl_result (*handle_leader_change)(gcl_cluster *self, gcl_pid leader, gcl_pids all, void *user);
    /** A member, perhaps this one, has published `term`. */
    gcl_result (*handle_publish)(gcl_cluster *self, gcl_term term, void *user);
    /**
     * How much does this member offer to do what `term` says? `*weight` is 0, which abstains;
     * without this handler a member always abstains.
     */
    gcl_result (*handle_vote)(gcl_cluster *self, gcl_term term, int64_t *weight, void *user);
} gcl_cluster_handlers;

/** What a member is to be. Fill it with gcl_cluster_config_init(). All strings are copied. */
typedef struct gcl_cluster_config {
    size_t size;      /**< set by gcl_cluster_config_init() */
    const char *name; /**< of the cluster, the same for all its members; required */
    const char *type; /**< what the member is listed under; NULL: `name` */
    const char *meta; /**< the text of a map, "#{weight => 3}", of at most 4 KiB as a term; NULL:
                           #{}. The others see it */
    /**
     * Names of nodes to join through, besides those in the environment variable GEN_CLUSTER_SEEDS
     * (between commas or spaces) and in the file named by GEN_CLUSTER_SEED_CONFIG (Erlang terms,
     * one node each). This node does not count.
     */
    const char *const *seeds;
    size_t seed_count;
    uint32_t quorum;                      /**< with fewer members there is no leader; default 1 */
    bool trap_exit;                       /**< as in gcl_server_config */
    const gcl_cluster_handlers *handlers; /**< borrowed for the life of the member; NULL: none */
    void *user;

    /* Times in milliseconds, see doc/membership.md. */
    uint32_t settle_ms;                   /**< default 5,000 */
    uint32_t probe_base_ms;               /**< default 1,000 */
    uint32_t retry_base_ms, retry_max_ms; /**< default 1,000 and 60,000 */
    uint32_t sync_ms, sync_fast_ms;       /**< default 10,000 and 1,000 */
} gcl_cluster_config;

/** Sets `config` to the defaults: no name, which is required, and no seeds. */
GCL_API void gcl_cluster_config_init(gcl_cluster_config *config);

/**
 * Starts a member, which begins to join. No handler is called before this returns; nothing waits
 * for the join, and a seed that cannot be reached is tried for as long as no member on it is known.
 * `*cluster` (may be NULL) is borrowed until its server ends. GCL_EINVAL: a `size` that is not set,
 * no name, a name or type that no atom can have, a meta that is too large or no map (GCL_ESYNTAX:
 * no term at all); GCL_ENAME: a seed of the config that is no node's name, which is logged;
 * GCL_ELIMIT: more than 256 seeds; and the errors of gcl_server_start().
 */
GCL_API int gcl_cluster_start(gcl_node *node, const gcl_cluster_config *config,
                              gcl_cluster **cluster) GCL_MUST_USE;

/** The server that the member is: gcl_server_stop() ends it, and the others see the reason. */
GCL_API gcl_server *gcl_cluster_server(const gcl_cluster *cluster);

/** The member that a server is, or NULL: for handlers of servers, which get that. */
GCL_API gcl_cluster *gcl_cluster_of(gcl_server *server);

/** The `user` of the config. */
GCL_API void *gcl_cluster_user(const gcl_cluster *cluster);

/* --- who is there --------------------------------------------------------------------------- */

/** What is known of a member: valid until the handler returns, or something of this header is
 * called that changes the cluster. */
typedef struct gcl_member {
    gcl_pid pid;
    gcl_bytes node;
    gcl_bytes type;
    gcl_term meta;     /**< a map */
    gcl_term children; /**< a list of {Type, Pid} */
    bool is_leader;
} gcl_member;

/** How many members there are, this one included; 0 for one that has left. */
GCL_API size_t gcl_cluster_count(gcl_cluster *cluster);

/**
 * The member at a place of the sorted list, from 0. False at its end. The list changes between
 * handlers only, so `for (size_t i = 0; gcl_cluster_member(self, i, &member); i++)` sees all.
 */
GCL_API bool gcl_cluster_member(gcl_cluster *cluster, size_t place, gcl_member *member);

/** Who leads; gcl_pid_is_none(): nobody that is known. */
GCL_API gcl_pid gcl_cluster_leader(const gcl_cluster *cluster);

/**
 * Writes what gen_cluster:plist/1 answers without its `ok`: [{Type, [Pid]}], children included; or
 * what mod_plist/2 does: [Pid]. Errors of gcl_write().
 */
GCL_API int gcl_cluster_plist(gcl_cluster *cluster, gcl_writer *out);
GCL_API int gcl_cluster_mod_plist(gcl_cluster *cluster, const char *type, gcl_writer *out);

/**
 * Has {gen_cluster, Ref, Event} sent to a process for each event from now on: {joined, Pid}, {left,
 * Pid, Reason}, {leader, Pid}, until gcl_cluster_unsubscribe() or until it is gone. Errors of
 * gcl_monitor(). GCL_ENOENT: no such subscription.
 */
GCL_API int gcl_cluster_subscribe(gcl_cluster *cluster, gcl_pid pid, gcl_ref *ref) GCL_MUST_USE;
GCL_API int gcl_cluster_unsubscribe(gcl_cluster *cluster, gcl_ref ref);

/** Whether it is so: looked at in between handlers, when something may have changed. */
typedef bool gcl_predicate_function(gcl_cluster *self, void *user);

/**
 * Gets the end of waiting, exactly once and never before gcl_cluster_await() has returned: 0,
 * GCL_ETIMEOUT, or GCL_ECANCELED: the member ended first. What it returns counts like the result of
 * a handler.
 */
typedef gcl_result gcl_await_function(gcl_cluster *self, int error, void *user);

/**
 * Has `done` called when `is_so` answers true for the first time, or after `timeout_ms`, which may
 * be GCL_INFINITY. On error it is not called: GCL_EINVAL, GCL_ENOMEM, GCL_ECLOSED.
 */
GCL_API int gcl_cluster_await(gcl_cluster *cluster, gcl_predicate_function *is_so,
                              uint32_t timeout_ms, gcl_await_function *done,
                              void *user) GCL_MUST_USE;

/* --- what can be changed -------------------------------------------------------------------- */

/**
 * One more seed, now; one that has left begins to join again, through this node. GCL_ENAME;
 * GCL_ENOMEM; GCL_ECLOSED.
 */
GCL_API int gcl_cluster_join(gcl_cluster *cluster, const char *node);

/**
 * The others see `left`; the server lives on outside, with an empty list, until
 * gcl_cluster_join(). No handler is called for it, nor for what it was still to be told of members
 * and leaders. GCL_ENOMEM, GCL_ECLOSED.
 */
GCL_API int gcl_cluster_leave(gcl_cluster *cluster);

/** Changes what members show of this one: a map. GCL_EINVAL, GCL_ETERM, GCL_ENOMEM, GCL_ECLOSED. */
#define gcl_cluster_set_meta(cluster, ...)                                                         \
    gcl_cluster_set_meta_message((cluster), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_cluster_set_meta_message(gcl_cluster *cluster, gcl_message meta);

/**
 * Lists a process, of whatever node, under a type until it or this member is gone. It becomes no
 * member. For a child that is listed it changes the type. GCL_EINVAL: `type` can be no atom;
 * GCL_ELIMIT: all children together take more than 8 KiB; errors of gcl_monitor(); GCL_ECLOSED.
 */
GCL_API int gcl_cluster_add_child(gcl_cluster *cluster, const char *type, gcl_pid pid);

/* --- all at once ---------------------------------------------------------------------------- */

/**
 * Has handle_publish run in every member, this one included: at most once, and in the order of
 * publishing. What a connection above its soft limit does not take is lost for that member, and
 * logged. Errors of gcl_write(); GCL_ENOMEM; GCL_ECLOSED.
 */
#define gcl_cluster_publish(cluster, ...)                                                          \
    gcl_cluster_publish_message((cluster), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_cluster_publish_message(gcl_cluster *cluster, gcl_message message);

/** How a vote, and what came after it, has ended. Borrowed. */
typedef struct gcl_outcome {
    gcl_pid pid;    /**< who offered most, the first of the list among equals */
    double weight;  /**< what it offered; 0: it was taken although nobody offered anything */
    gcl_term reply; /**< to a call of the winner; else empty */
} gcl_outcome;

/**
 * Gets the outcome, exactly once and never before the function that asked has returned: 0;
 * GCL_ENOENT: nobody offered anything; errors of the call to the winner, as gcl_reply_function;
 * GCL_ECANCELED: the member ended first. What it returns counts like the result of a handler.
 */
typedef gcl_result gcl_outcome_function(gcl_cluster *self, int error, const gcl_outcome *outcome,
                                        void *user);

/**
 * Asks all members at once what they offer, for 5 seconds; then the best one does what it says:
 * nothing; is called with the same term; gets it as a cast. With `any`, some member does it when
 * nobody offers anything (gcl_cluster_run(), gcl_cluster_cast_run()). On error `done` is not
 * called: errors of gcl_write(), GCL_EINVAL (no `done`), GCL_ENOMEM, GCL_ECLOSED.
 */
#define gcl_cluster_call_vote(cluster, done, user, ...)                                            \
    gcl_cluster_vote_message((cluster), GCL_VOTE, (done), (user), GCL_MESSAGE(__VA_ARGS__))
#define gcl_cluster_ballot_run(cluster, done, user, ...)                                           \
    gcl_cluster_vote_message((cluster), GCL_VOTE_CALL, (done), (user), GCL_MESSAGE(__VA_ARGS__))
#define gcl_cluster_run(cluster, done, user, ...)                                                  \
    gcl_cluster_vote_message((cluster), GCL_VOTE_CALL_ANY, (done), (user), GCL_MESSAGE(__VA_ARGS__))
#define gcl_cluster_ballot_cast(cluster, done, user, ...)                                          \
    gcl_cluster_vote_message((cluster), GCL_VOTE_CAST, (done), (user), GCL_MESSAGE(__VA_ARGS__))
#define gcl_cluster_cast_run(cluster, done, user, ...)                                             \
    gcl_cluster_vote_message((cluster), GCL_VOTE_CAST_ANY, (done), (user), GCL_MESSAGE(__VA_ARGS__))

/** What follows a vote. */
typedef enum gcl_vote {
    GCL_VOTE,
    GCL_VOTE_CALL,
    GCL_VOTE_CALL_ANY,
    GCL_VOTE_CAST,
    GCL_VOTE_CAST_ANY
} gcl_vote;

/** What the five above stand for. */
GCL_API int gcl_cluster_vote_message(gcl_cluster *cluster, gcl_vote vote,
                                     gcl_outcome_function *done, void *user, gcl_message message);

#ifdef __cplusplus
}
#endif

#endif

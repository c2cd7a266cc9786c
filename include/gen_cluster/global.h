/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Global names and locks. A visible node is part of `global`: it knows all names, registers its
 * own, and holds and takes locks. A hidden one asks a connected BEAM that is no hidden node itself:
 * what that one can do, the whole cluster sees, and when it is lost, another one is used; what it
 * cannot do in another's place is GCL_ENOTSUP. See doc/visible.md.
 *
 * A name may be any term and is given by a pattern, like a message: gcl_global_register(self, done,
 * user, "{room, ~i}", 7).
 *
 * Everything here may be called in handlers. What takes a gcl_reply_function calls it exactly once
 * when it has returned 0, never before it has returned, and not at all when it has returned an
 * error; the server's end, and the node's, bring GCL_ECANCELED. Each such function returns, beside
 * what it says itself: errors of gcl_write(); GCL_EINVAL: no `done`, or options without a size;
 * GCL_ECLOSED: the server is ending, or the node; GCL_EBUSY: in a function of
 * gcl_global_each_name(); GCL_ELIMIT, on a visible node: 65,536 that were asked for are not done
 * yet, or what they keep is more than 16 MiB; GCL_ENOMEM.
 *
 * spec: global of kernel; for hidden nodes register_name_external/3, whereis_name/1 and their like,
 * asked for by messages to `rex`.
 */
#ifndef GEN_CLUSTER_GLOBAL_H
#define GEN_CLUSTER_GLOBAL_H

#include <gen_cluster/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- names ---------------------------------------------------------------------------------- */

/**
 * Who keeps a name that two processes have, because two partitions that both had it became one. The
 * node of one of the processes is asked and decides as that process has chosen. For the first two:
 * the process of the node with the smaller name keeps it.
 */
typedef enum gcl_global_method {
    GCL_GLOBAL_RANDOM_NOTIFY, /**< the other one gets {global_name_conflict, Name}; the default */
    GCL_GLOBAL_RANDOM_EXIT,   /**< the other one is killed; the default of global:register_name/2 */
    GCL_GLOBAL_NOTIFY_ALL, /**< nobody; both get {global_name_conflict, Name, PidOfTheOtherOne} */
    GCL_GLOBAL_NOBODY,     /**< nobody, and nobody is told */
    GCL_GLOBAL_RESOLVE     /**< as `resolve` of the options says */
} gcl_global_method;

/**
 * Two processes have the global name `name`: `own`, which is this server, and `other`. Returns
 * which of them keeps it; any other pid, such as a zeroed one: neither, and the name is free. It is
 * called like a handler, between two of them, and should decide at once: `global` is locked
 * meanwhile, on all nodes.
 */
typedef gcl_pid gcl_global_resolve_function(gcl_server *self, gcl_term name, gcl_pid own,
                                            gcl_pid other, void *user);

/** How a name is to be registered. Fill it with gcl_global_options_init(). */
typedef struct gcl_global_options {
    size_t size; /**< set by gcl_global_options_init() */
    gcl_global_method method;
    gcl_global_resolve_function *resolve; /**< of GCL_GLOBAL_RESOLVE */
    void *resolve_user;
    /**
     * Whose name it is to be; zeroed: the server's own. Another process, of any node, is registered
     * in its place: it keeps the name when the server ends, and only gcl_global_unregister_name()
     * takes it from it. One of a node that is connected as a hidden one is registered as
     * global:register_name_external/3 does. Not with GCL_GLOBAL_NOBODY and GCL_GLOBAL_RESOLVE.
     */
    gcl_pid pid;
} gcl_global_options;

/** Sets `options` to the defaults. */
GCL_API void gcl_global_options_init(gcl_global_options *options);

/**
 * Gives the server a global name, and keeps it: on a hidden node, when the BEAM by which it was
 * registered is lost, it is registered again by another one, as soon as there is one. `done` is
 * called once: 0; GCL_EEXIST, another process has the name; GCL_EHASNAME, on a visible node: this
 * one has another name, as global:register_name/2 then says `no` (who is to have several takes
 * gcl_global_re_register(); a hidden node registers by global:register_name_external/2, which does
 * not ask); GCL_ELIMIT, on a visible node: there are 1,048,576 names, or it is nested deeper than
 * 64; GCL_ECANCELED, the server ends or the name was given back before. A hidden node without a
 * connected BEAM waits for one. Later losses of the name (to another process, when a split has
 * healed) are logged as `global_name_lost`; what the server is told is a matter of the method.
 * Returns GCL_EEXIST: this server has, or wants, this name already.
 */
#define gcl_global_register(self, done, user, ...)                                                 \
    gcl_global_register_message((self), NULL, (done), (user), GCL_MESSAGE(__VA_ARGS__))

/**
 * The same with options; NULL: the defaults. GCL_EINVAL also: GCL_GLOBAL_RESOLVE without a
 * function, or a method that another process cannot have; GCL_ESTALE: the node of `pid` is not
 * known any more; GCL_ENOTSUP: on a hidden node, for another process.
 */
#define gcl_global_register_as(self, options, done, user, ...)                                     \
    gcl_global_register_message((self), (options), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_register_message(gcl_server *self, const gcl_global_options *options,
                                        gcl_reply_function *done, void *user, gcl_message name);

/**
 * As gcl_global_register_as(), but whoever has the name loses it, on all nodes at once, and the
 * process may have other names. A server that has the name already has it with these options from
 * when `done` gets 0 on; an error leaves it with those that it had.
 */
#define gcl_global_re_register(self, options, done, user, ...)                                     \
    gcl_global_re_register_message((self), (options), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_re_register_message(gcl_server *self, const gcl_global_options *options,
                                           gcl_reply_function *done, void *user, gcl_message name);

/**
 * Gives a name back. It goes by itself when the server ends. GCL_ENOENT: it has not got it;
 * GCL_ELIMIT as above: it still has it.
 */
#define gcl_global_unregister(self, ...)                                                           \
    gcl_global_unregister_message((self), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_unregister_message(gcl_server *self, gcl_message name);

/**
 * Takes a name from whoever has it, as global:unregister_name/1. `done`: 0; GCL_ENOENT, on a
 * visible node: nobody has it; GCL_ENOCONNECTION as gcl_global_whereis().
 */
#define gcl_global_unregister_name(self, done, user, ...)                                          \
    gcl_global_unregister_name_message((self), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_unregister_name_message(gcl_server *self, gcl_reply_function *done,
                                               void *user, gcl_message name);

/**
 * Asks who has a global name. `done`: 0 and the pid as a term; GCL_ENOPROC, nobody has it;
 * GCL_ENOCONNECTION, on a hidden node: no BEAM that could know is connected (this is returned), or
 * none answered. Other errors as gcl_call().
 */
#define gcl_global_whereis(self, done, user, ...)                                                  \
    gcl_global_whereis_message((self), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_whereis_message(gcl_server *self, gcl_reply_function *done, void *user,
                                       gcl_message name);

/** Asks for all names. `done`: 0 and a list of them; GCL_ENOCONNECTION as gcl_global_whereis(). */
GCL_API int gcl_global_registered_names(gcl_server *self, gcl_reply_function *done, void *user);

/** Gets a name, borrowed for the call, and who has it. It must not change names or locks. */
typedef void gcl_global_name_function(gcl_term name, gcl_pid pid, void *user);

/**
 * Calls `each` for every name, in no order that means anything; allocates nothing. GCL_EINVAL: no
 * `each`; GCL_ENOTSUP: on a hidden node, which does not know them; GCL_ECLOSED.
 */
GCL_API int gcl_global_each_name(gcl_node *node, gcl_global_name_function *each, void *user);

/**
 * A global name as a destination of gcl_send(), gcl_cast() and gcl_call(): an atom, or any term by
 * a pattern, in the call itself: gcl_send(self, gcl_to_global_name("{room, ~i}", 7), "hello"). It
 * is looked up each time; what waits for the answer keeps its order. A call to a name that nobody
 * has is GCL_ENOPROC; a message vanishes. On a hidden node with no BEAM connected that could be
 * asked, all three return GCL_ENOCONNECTION. Cannot be monitored: look the name up, and monitor the
 * pid.
 */
GCL_API gcl_dest gcl_to_global(const char *name);
#define gcl_to_global_name(...) gcl_to_global_message(GCL_MESSAGE(__VA_ARGS__))
GCL_API gcl_dest gcl_to_global_message(gcl_message name);

/* --- being in sync -------------------------------------------------------------------------- */

/**
 * As global:sync/0: `done` gets 0 when the names of all nodes that are connected now are those of
 * this node, too; a node that is lost is not waited for. One that is connected and takes no part in
 * `global`, as a BEAM with `-connect_all false`, is waited for as long as it is connected, as
 * there: use a timer. GCL_ENOTSUP: on a hidden node, which is in sync with nobody.
 */
GCL_API int gcl_global_sync(gcl_server *self, gcl_reply_function *done, void *user);

/* --- locks ---------------------------------------------------------------------------------- */

/** Where a lock is, and how it is set. Fill it with gcl_global_lock_options_init(). */
typedef struct gcl_global_lock_options {
    size_t size; /**< set by gcl_global_lock_options_init() */
    /** Borrowed for the call. NULL: this node and all visible ones that are connected then. */
    const char *const *nodes;
    size_t node_count;
    /** How often it is tried again, after a random time of up to 0.25, 0.5, 1, 2, 4, 8, 8, ... s,
     * while another requester has the lock; GCL_INFINITY: until it is there, the default. */
    uint32_t retries;
} gcl_global_lock_options;

/** Sets `options` to the defaults. */
GCL_API void gcl_global_lock_options_init(gcl_global_lock_options *options);

/**
 * As global:set_lock/3: locks a resource for a requester, {ResourceId, LockRequesterId}, two terms
 * of any kind, by a pattern: gcl_global_set_lock(self, NULL, done, user, "{printer, ~p}",
 * gcl_self(self)). The server holds the lock until gcl_global_del_lock(), or until it ends. Several
 * processes hold a lock together when they have the same requester; it is free when the last one
 * has given it up. `options` NULL: the defaults. Nodes that cannot be reached count as locked.
 *
 * `done`: 0, it has the lock; GCL_EEXIST, another requester has it on one of the nodes;
 * GCL_ECANCELED, by gcl_global_del_lock(). Returns GCL_EINVAL also: no pair; GCL_ELIMIT also: a
 * resource nested deeper than 64, or with a key above 1 MiB; GCL_ENOTSUP: on a hidden node, in
 * whose place no BEAM could hold it.
 *
 * What global:trans/4 does is: this, then what is to be done under the lock, from `done` on, then
 * gcl_global_del_lock(). A server whose locks are in question should not be suspended (`sys`).
 */
#define gcl_global_set_lock(self, options, done, user, ...)                                        \
    gcl_global_set_lock_message((self), (options), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_set_lock_message(gcl_server *self, const gcl_global_lock_options *options,
                                        gcl_reply_function *done, void *user, gcl_message id);

/**
 * As global:del_lock/2: the server gives up the lock on the nodes of `options`, whose `retries`
 * mean nothing here; what it has asked for under the same id and not got is cancelled. `done` (may
 * be NULL: nobody is told) gets 0, also where there was no such lock, when all nodes have done it
 * or are lost. Functions for one resource are carried out in the order in which a server has called
 * them. Errors as gcl_global_set_lock().
 */
#define gcl_global_del_lock(self, options, done, user, ...)                                        \
    gcl_global_del_lock_message((self), (options), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_del_lock_message(gcl_server *self, const gcl_global_lock_options *options,
                                        gcl_reply_function *done, void *user, gcl_message id);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Global names. A visible node knows all of them and registers its own; a hidden one asks a
 * connected BEAM that is no hidden node itself: what that one can do, the whole cluster sees, and
 * when it is lost, another one is used. See doc/visible.md.
 *
 * A name may be any term and is given by a pattern, like a message: gcl_global_register(self, done,
 * user, "{room, ~i}", 7).
 *
 * spec: global of kernel; for hidden nodes register_name_external/3, whereis_name/1 and
 * unregister_name_external/1, asked for by messages to `rex`.
 */
#ifndef GEN_CLUSTER_GLOBAL_H
#define GEN_CLUSTER_GLOBAL_H

#include <gen_cluster/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the server a global name, and keeps it: on a hidden node, when the BEAM by which it was
 * registered is lost, it is registered again by another one, as soon as there is one. `done` is
 * called once: 0; GCL_EEXIST, another process has the name (or, on a visible node, this one has
 * another name); GCL_ECANCELED, the server ends or the name was given back before. A hidden node
 * without a connected BEAM waits for one. Later losses of the name (to another process, when a
 * split has healed) are logged as `global_name_lost`; the server gets the message
 * {global_name_conflict, Name}. Errors of gcl_write(); GCL_EINVAL: no `done`; GCL_EEXIST: this
 * server has, or wants, this name already; GCL_ECLOSED; GCL_ENOMEM.
 */
#define gcl_global_register(self, done, user, ...)                                                 \
    gcl_global_register_message((self), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_register_message(gcl_server *self, gcl_reply_function *done, void *user,
                                        gcl_message name);

/** Gives a name back. It goes by itself when the server ends. GCL_ENOENT: it has not got it. */
#define gcl_global_unregister(self, ...)                                                           \
    gcl_global_unregister_message((self), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_unregister_message(gcl_server *self, gcl_message name);

/**
 * Asks who has a global name. `done` is called once: 0 and the pid as a term; GCL_ENOPROC, nobody
 * has it; GCL_ENOCONNECTION, on a hidden node: no BEAM that could know is connected, or none
 * answered; GCL_ECANCELED. On error `done` will not be called: those of gcl_call().
 */
#define gcl_global_whereis(self, done, user, ...)                                                  \
    gcl_global_whereis_message((self), (done), (user), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_global_whereis_message(gcl_server *self, gcl_reply_function *done, void *user,
                                       gcl_message name);

/**
 * A global name that is an atom, as a destination of gcl_send(), gcl_cast() and gcl_call(). It is
 * looked up each time; what waits for the answer keeps its order. A call to a name that nobody has
 * is GCL_ENOPROC; a message vanishes. On a hidden node with no BEAM connected that could be asked,
 * all three return GCL_ENOCONNECTION. Cannot be monitored: look the name up, and monitor the pid.
 */
GCL_API gcl_dest gcl_to_global(const char *name);

#ifdef __cplusplus
}
#endif

#endif

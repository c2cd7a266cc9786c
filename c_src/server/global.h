/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Global names of a hidden node. A process of its own asks a BEAM, one name at a time in its own
 * order: names that are to be registered (global.c), and names that messages wait for
 * (global_lookup.c).
 */
#ifndef GCL_SERVER_GLOBAL_H
#define GCL_SERVER_GLOBAL_H

#include <gen_cluster/global.h>

#include "base/list.h"
#include "core/signal.h"

struct gcl_call;
struct gcl_node;

struct gcl_global {
    gcl_server *server;         /* asks */
    struct gcl_list names;      /* struct name of global.c */
    struct gcl_list registrars; /* struct registrar of global.c */
    struct gcl_list lookups;    /* struct lookup of global_lookup.c */
    uintptr_t last_number;      /* of a name */
    uint64_t turn;              /* the timer of the next turn, or 0 */
};

/** On a visible node, which knows the names itself: a global name as the process that has it; what
 * else it is, and on a hidden node, as it is. */
gcl_dest gcl_global_locate(struct gcl_node *node, const gcl_dest *dest);

/** Starts it when that was not done yet. 0, GCL_ELIMIT, GCL_ECLOSED or GCL_ENOMEM. */
int gcl_global_need(struct gcl_node *node);

/** The name of a connected node that can be asked, other than `not_this`; NULL: there is none. */
const char *gcl_global_beam(const struct gcl_node *node, const char *not_this);

/**
 * Asks `rex` of a BEAM to call Module:Function(Arguments); `what` is "{call, global, ...}". As
 * gcl_call().
 */
int gcl_global_ask(gcl_server *self, const char *beam, gcl_reply_function *done, void *user,
                   gcl_message what);

/** A server ends: its names go with it, and nothing it waited for comes. */
void gcl_global_server_ends(struct gcl_node *node, gcl_server *server);

/**
 * True for the end of a link that a BEAM has made because it registered a name: it must not reach
 * the process. spec: global.erl, handle_call({register_ext, ...}): link(Pid).
 */
bool gcl_global_is_registrar(const struct gcl_node *node, gcl_pid from);

/**
 * A message for whoever has the name (the text of an atom); `call` (may be NULL) is the one it
 * belongs to. Both are copied. 0, GCL_ELIMIT, GCL_ECLOSED or GCL_ENOMEM.
 */
int gcl_global_send(struct gcl_node *node, gcl_pid from, struct gcl_str name,
                    struct gcl_str message, const gcl_request *call);

/** With the node. */
void gcl_global_fini(struct gcl_node *node);

/** For gcl_global_fini(). */
void gcl_global_lookups_fini(struct gcl_node *node);

#endif

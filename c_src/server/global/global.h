/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Global names: what programs ask for (api.c) goes to gns.h on a visible node. On a hidden
 * one a process of its own asks a BEAM, one name at a time in its own order: names that are to be
 * registered (global.c), and names that messages wait for (lookup.c).
 */
#ifndef GCL_SERVER_GLOBAL_GLOBAL_H
#define GCL_SERVER_GLOBAL_GLOBAL_H

#include <gen_cluster/global.h>

#include "base/list.h"
#include "core/signal.h"

struct gcl_call;
struct gcl_node;

/** How conflicts about a name are decided. */
struct gcl_global_choice {
    gcl_global_method method;
    gcl_global_resolve_function *resolve;
    void *user;
};

/** The fun that stands for a method on other nodes, as a term. Returns its size. */
enum { GCL_GLOBAL_METHOD_BYTES = 64 };
size_t gcl_global_write_method(gcl_global_method method, uint8_t bytes[GCL_GLOBAL_METHOD_BYTES]);

/** As gcl_gns_choice(), on a hidden node. */
const struct gcl_global_choice *gcl_global_choice(const struct gcl_node *node, gcl_pid pid,
                                                  gcl_term name, gcl_server **owner);

struct gcl_global {
    gcl_server *server;         /* asks */
    struct gcl_list names;      /* struct name of global.c */
    struct gcl_list registrars; /* struct registrar of global.c */
    struct gcl_list lookups;    /* struct lookup of lookup.c */
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
 * On a hidden node, a message for whoever has the name; `call` (may be NULL) is the one it belongs
 * to. Both are copied. 0, GCL_ELIMIT, GCL_ECLOSED, GCL_ENOMEM, or the errors of gcl_write().
 */
int gcl_global_send(struct gcl_node *node, gcl_pid from, const gcl_dest *dest,
                    struct gcl_str message, const gcl_request *call);

/* As the functions of <gen_cluster/global.h>, on a hidden node. `takes_over`: as re_register. */
int gcl_global_claim(gcl_server *self, const struct gcl_global_choice *choice, bool takes_over,
                     gcl_reply_function *done, void *user, gcl_message message);
int gcl_global_give_back(gcl_server *self, gcl_message message);

enum gcl_global_question {
    GCL_GLOBAL_WHEREIS,
    GCL_GLOBAL_TAKE_AWAY,
    GCL_GLOBAL_NAMES, /* with any name */
};
int gcl_global_ask_a_beam(gcl_server *self, enum gcl_global_question what, gcl_reply_function *done,
                          void *user, gcl_message name);

/** With the node. */
void gcl_global_fini(struct gcl_node *node);

/** For gcl_global_fini(). */
void gcl_global_lookups_fini(struct gcl_node *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The messages of gen_server and its kin.
 *
 * spec: gen.erl, do_call and reply: the tag of a call is echoed as it came, and decides where the
 * answer goes: [alias|Ref], and a list that begins with it, mean the alias, all else the pid.
 * sys.erl, send_system_msg; the Erlang I/O protocol in stdlib's user guide.
 */
#ifndef GCL_SERVER_GEN_H
#define GCL_SERVER_GEN_H

#include <gen_cluster/term.h>

#include "core/signal.h"
#include "wire/term/id.h"

struct gcl_node;

enum gcl_gen_kind {
    GCL_GEN_CALL,   /* {'$gen_call', {From, Tag}, Term} */
    GCL_GEN_CAST,   /* {'$gen_cast', Term} */
    GCL_GEN_SYSTEM, /* {system, {From, Tag}, Term} */
    GCL_GEN_IO,     /* {io_request, From, Tag, Term} */
    GCL_GEN_REPLY,  /* {Ref, Term} or {[alias|Ref], Term} */
    GCL_GEN_INFO,   /* anything else */
};

/** A message taken apart; borrows from it. Term is what is left of the message, unchecked. */
struct gcl_gen_message {
    enum gcl_gen_kind kind;
    struct gcl_wire_pid from;
    struct gcl_str tag;
    bool has_alias;
    struct gcl_wire_ref ref; /* the alias in the tag, or that of a reply */
    struct gcl_str term;
};

/** Never fails: what is malformed is GCL_GEN_INFO. */
void gcl_gen_decode(struct gcl_str message, struct gcl_gen_message *out);

/** Begins an answer in the buffer of messages; what follows there is what it says. GCL_ENOMEM. */
int gcl_gen_begin_reply(struct gcl_node *node, struct gcl_str tag);

/** Where the answer to a CALL or SYSTEM message goes. 0, GCL_ENAME or GCL_ENOMEM. */
int gcl_gen_target(struct gcl_node *node, const struct gcl_gen_message *message,
                   struct gcl_target *target);

/** Sends {Tag, Reply} to whom `message` came from. Errors of gcl_term_build(), gcl_node_send(). */
int gcl_gen_answer(struct gcl_node *node, gcl_pid from, const struct gcl_gen_message *message,
                   gcl_message reply);

/** Begins {'$gen_cast', Message} in the buffer of messages; node/message.h goes on. */
int gcl_gen_begin_cast(struct gcl_node *node);

/** The same for {'$gen_call', {From, [alias|Ref]}, Request}. GCL_ESTALE, GCL_ENOMEM. */
int gcl_gen_begin_call(struct gcl_node *node, gcl_pid from, const gcl_ref *ref);

#endif

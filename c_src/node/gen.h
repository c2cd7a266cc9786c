/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The messages of gen_server and its kin, as far as a node answers them.
 *
 * spec: gen.erl, do_call and reply; the tag of a call is echoed as it came, and decides where the
 * answer goes: [alias|Ref] and lists that begin with it mean the alias, all else the pid.
 */
#ifndef GCL_NODE_GEN_H
#define GCL_NODE_GEN_H

#include "node/process.h"
#include "wire/id.h"

/** A call that came; borrows from the message. */
struct gcl_gen_call {
    struct gcl_wire_pid from;
    struct gcl_str tag;
    bool has_alias;
    struct gcl_wire_ref alias;
    struct gcl_str request;
};

/** True when `message` is {'$gen_call', {Pid, Tag}, Request}, whole and well formed. */
bool gcl_gen_decode_call(struct gcl_str message, struct gcl_gen_call *call);

/** Sends {Tag, Reply}; `reply` is an encoded term. Errors of gcl_node_send(). */
int gcl_gen_reply(struct gcl_process *process, const struct gcl_gen_call *call,
                  struct gcl_str reply);

#endif

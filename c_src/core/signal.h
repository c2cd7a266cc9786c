/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A signal between two processes: the one form in which everything travels inside a node. What a
 * peer sent is made into a signal and given to the core; what a local process does to another one,
 * near or far, is a signal too; a signal for a node that is not connected yet waits as such,
 * because its bytes depend on what will be negotiated.
 *
 * spec: the Erlang reference manual, "Processes", section "Signals"; erl_dist_protocol,
 * "Protocol between Connected Nodes" for what each one carries.
 */
#ifndef GCL_CORE_SIGNAL_H
#define GCL_CORE_SIGNAL_H

#include <stdbool.h>

#include <gen_cluster/id.h>

#include "base/str.h"

enum gcl_signal_op {
    GCL_SIGNAL_SEND,       /* term: the message */
    GCL_SIGNAL_LINK,       /* */
    GCL_SIGNAL_UNLINK,     /* id; 0 where the peer has no unlink ids (OTP 23) */
    GCL_SIGNAL_UNLINK_ACK, /* id */
    GCL_SIGNAL_EXIT,       /* a link broke; term: the reason */
    GCL_SIGNAL_EXIT2,      /* exit/2; term: the reason */
    GCL_SIGNAL_MONITOR,    /* ref; from: the watcher */
    GCL_SIGNAL_DEMONITOR,  /* ref; from: the watcher */
    GCL_SIGNAL_DOWN,       /* ref; from: what was watched (a pid, or `from_name`); term: reason */
    GCL_SIGNAL_GROUP_LEADER,
    GCL_SIGNAL_SPAWN_REQUEST, /* ref; from; to: its node, by an empty name; id: a set of
                                 gcl_spawn_flag; term: {Module, Function, Arguments} */
    GCL_SIGNAL_SPAWN_REPLY,   /* ref: the request; id: the set; from: the process, or from_name:
                                 why there is none */
    /* Within the node only: */
    GCL_SIGNAL_STOP,  /* the receiver has to end, whether it traps exits or not; term: the reason */
    GCL_SIGNAL_BEGIN, /* the receiver, which is new, begins; term: what with */
    GCL_SIGNAL_END,   /* the receiver has ended and said its last; term: the reason */
    GCL_SIGNAL_NODE_UP,   /* from_name: a node that is connected now */
    GCL_SIGNAL_NODE_DOWN, /* from_name: one that is not any more; term: why */
    GCL_SIGNAL_OPS
};

/* With what a process is asked for. */
enum gcl_spawn_flag {
    GCL_SPAWN_LINKED = 1,
    GCL_SPAWN_MONITORED = 2,
};

enum gcl_target_kind {
    GCL_TARGET_PID,
    GCL_TARGET_NAME, /* registered on the node of `pid`, whose id and serial are 0 */
    GCL_TARGET_ALIAS,
};

/** The receiving end. */
struct gcl_target {
    enum gcl_target_kind kind;
    gcl_pid pid;
    struct gcl_str name; /* the text of the atom in UTF-8 */
    gcl_ref alias;
};

/** Everything in it is borrowed. */
struct gcl_signal {
    enum gcl_signal_op op;
    gcl_pid from;
    struct gcl_target to;
    struct gcl_str from_name; /* of a DOWN for a monitor by name, of a SPAWN_REPLY with an error;
                                 else empty */
    gcl_ref ref;
    uint64_t id;
    struct gcl_str term; /* external format without the version byte; complete and checked, but
                            for the message of a SEND */
    bool is_owed;        /* a SEND that somebody waits for: an answer. It is taken where other
                            messages are refused because the receiver reads too slowly */
};

static inline struct gcl_target gcl_target_pid(gcl_pid pid)
{
    struct gcl_target target = {.kind = GCL_TARGET_PID, .pid = pid};
    return target;
}

static inline struct gcl_target gcl_target_name(uint32_t node, uint32_t generation,
                                                struct gcl_str name)
{
    struct gcl_target target = {
        .kind = GCL_TARGET_NAME, .pid = {.node = node, .generation = generation}, .name = name};
    return target;
}

#endif

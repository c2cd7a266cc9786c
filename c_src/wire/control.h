/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Control messages: the one tuple at the front of each frame that says what is done, by whom and
 * to whom. There are up to six forms of one meaning (with or without the sender, the reason inside
 * or behind, with a trace token); they are decoded to one `op`, and encoded by what was negotiated.
 *
 * Terms here are views without the version byte 131.
 *
 * spec: erl_dist_protocol, "Protocol between Connected Nodes", control messages 1 to 36; 37 as OTP
 * 29 sends it
 */
#ifndef GCL_WIRE_CONTROL_H
#define GCL_WIRE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/str.h"
#include "wire/term/id.h"

enum gcl_control_op {
    GCL_CONTROL_SEND,          /* [from] target term */
    GCL_CONTROL_LINK,          /* from to */
    GCL_CONTROL_UNLINK,        /* from to unlink_id (0 where it was not negotiated) */
    GCL_CONTROL_UNLINK_ACK,    /* from to unlink_id */
    GCL_CONTROL_EXIT,          /* a link broke: from to term */
    GCL_CONTROL_EXIT2,         /* exit/2: from, to (by ALTACT_SIG any target), term */
    GCL_CONTROL_MONITOR,       /* from: the watcher; target: a pid or a name; ref */
    GCL_CONTROL_DEMONITOR,     /* the same fields */
    GCL_CONTROL_DOWN,          /* from or name: as the watcher asked for it; to: the watcher; ref;
                                  term: the reason */
    GCL_CONTROL_GROUP_LEADER,  /* from: the new leader; to */
    GCL_CONTROL_SPAWN_REQUEST, /* ref from leader module function arity options; term: arguments */
    GCL_CONTROL_SPAWN_REPLY,   /* ref to spawn_flags; from: the new process, or name: the error */
    GCL_CONTROL_OPS
};

/** What the receiving end is, and the watched end of a DOWN. */
enum gcl_control_target {
    GCL_CONTROL_TO_PID,   /* `to` */
    GCL_CONTROL_TO_NAME,  /* `name` */
    GCL_CONTROL_TO_ALIAS, /* `ref` */
};

enum gcl_control_spawn_flag {
    GCL_CONTROL_SPAWN_LINK = 1,
    GCL_CONTROL_SPAWN_MONITOR = 2,
};

/**
 * Only the fields that belong to the op are set by decoding and looked at by encoding. All views
 * borrow.
 */
struct gcl_control {
    enum gcl_control_op op;
    enum gcl_control_target target; /* of SEND, EXIT2, MONITOR and DEMONITOR; else TO_PID */
    bool has_from;     /* false: a SEND without sender; a DOWN of a name or a failed SPAWN_REPLY,
                          which have `name` instead */
    bool has_token;    /* `token` is set: the sender is being traced */
    bool has_priority; /* a priority message of ALTACT_SIG */
    struct gcl_wire_pid from;
    struct gcl_wire_pid to;
    struct gcl_wire_ref ref; /* of a monitor, an alias or a spawn request */
    struct gcl_str name;     /* the text of an atom in UTF-8 */
    struct gcl_str term;     /* the message, the reason or the list of arguments */
    struct gcl_str token;
    uint64_t unlink_id;
    struct gcl_wire_pid leader; /* from here on of SPAWN_REQUEST */
    struct gcl_str module;
    struct gcl_str function;
    struct gcl_str options;
    uint32_t arity;
    uint32_t spawn_flags; /* of SPAWN_REPLY: set of gcl_control_spawn_flag */
};

/** Where the texts of atoms are put that have to be converted from Latin-1. Not initialised. */
struct gcl_control_scratch {
    uint8_t atoms[2][GCL_ATOM_LATIN1_BYTES];
};

/**
 * Decodes the body of one frame. `control` borrows `body` and `scratch`. Every view in it is a
 * complete term with nothing behind it, with one exception: `term` of a SEND or SPAWN_REQUEST is
 * what stands behind the control tuple, whole and not looked at; who reads, relays or stores it has
 * to walk it. Bytes are checked, meaning is not: that `from` lives on the peer, or that an end
 * exists here, is for the caller.
 *
 * 0 or GCL_EPROTO, with the reason in `*wrong` (a static text): unknown op, wrong arity or type,
 * payload missing or too much. The connection must then be closed, as BEAM does.
 */
int gcl_control_decode(struct gcl_str body, struct gcl_control *control,
                       struct gcl_control_scratch *scratch, const char **wrong) GCL_MUST_USE;

/**
 * Appends a whole frame with a control message and its term, in the form that the negotiated
 * `flags` ask for. The ids must be well formed (see wire/term/id.h), `term`, `token` and `options`
 * complete terms. A SEND to a name needs `from`.
 *
 * 0; GCL_ENOTSUP when the peer cannot be told this (an alias without ALIAS, an acknowledgement
 * without UNLINK_ID, a monitor without DIST_MONITOR and DIST_MONITOR_NAME, SPAWN); GCL_EINVAL when
 * fields do not go together; GCL_ELIMIT, GCL_ENOMEM. On error nothing was added.
 */
int gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                       const struct gcl_control *control) GCL_MUST_USE;

/**
 * The same for a message whose term the caller encodes straight into `out`: call
 * gcl_control_begin(), append the term without its version byte, call gcl_control_end(). When a
 * piece of it does not fit, gcl_buffer_rollback(out, *mark) leaves nothing behind. Nothing may be
 * taken from `out` between. Errors as above; GCL_EINVAL for an op that has no term;
 * `control->term` is ignored.
 *
 * What it appended behind the four bytes of length is the same for the same fields and flags: who
 * sends much to one process may keep it, and append it after gcl_frame_begin().
 */
int gcl_control_begin(struct gcl_buffer *out, uint64_t flags, const struct gcl_control *control,
                      size_t *mark) GCL_MUST_USE;

/** 0, or GCL_ELIMIT when the frame is longer than `max_bytes`; then it was removed. */
int gcl_control_end(struct gcl_buffer *out, size_t mark, size_t max_bytes) GCL_MUST_USE;

/** "SEND" and so on, for logs. */
const char *gcl_control_op_name(enum gcl_control_op op);

#endif

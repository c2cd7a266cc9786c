/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What is said to epmd, the name server of a host: registering a node and asking for the port of
 * one. Requests are appended to a buffer; replies are decoded from all bytes that came so far.
 *
 * spec: erl_dist_protocol, "EPMD Protocol"
 */
#ifndef GCL_WIRE_EPMD_H
#define GCL_WIRE_EPMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/str.h"

enum {
    GCL_EPMD_PORT = 4369,
    GCL_EPMD_NODE_VISIBLE = 77,
    GCL_EPMD_NODE_HIDDEN = 72,
    GCL_EPMD_VERSION_HIGH = 6, /* with 5 here, OTP 23 would use the older first message */
    GCL_EPMD_VERSION_LOW = 5,
};

/** Of ALIVE2_REQ. */
struct gcl_epmd_node {
    struct gcl_str alive; /* the part of the name before the @; borrowed */
    uint16_t port;        /* where the node listens */
    bool visible;
};

/** Of ALIVE2_RESP and ALIVE2_X_RESP. */
struct gcl_epmd_alive {
    uint8_t result;    /* 0: registered; else the name is taken */
    uint32_t creation; /* 0 unless registered; an old epmd gives 1 to 3 */
};

/** Of PORT2_RESP. */
struct gcl_epmd_port {
    uint8_t result; /* 0: found; else epmd does not know the name, and the rest is not set */
    uint16_t port;
    uint8_t type; /* GCL_EPMD_NODE_VISIBLE, GCL_EPMD_NODE_HIDDEN or what else was registered */
    uint8_t protocol;
    uint16_t version_high;
    uint16_t version_low;
    struct gcl_str name; /* borrows the bytes that were decoded */
};

/**
 * Each appends one whole request. 0; GCL_ENAME when the name is empty or longer than
 * GCL_ATOM_MAX_BYTES; GCL_ELIMIT or GCL_ENOMEM. On error nothing was added.
 */
int gcl_epmd_append_alive(struct gcl_buffer *out, const struct gcl_epmd_node *node) GCL_MUST_USE;
int gcl_epmd_append_port_please(struct gcl_buffer *out, struct gcl_str alive) GCL_MUST_USE;

/**
 * Each decodes the reply from the bytes that came so far, and is called again with all of them
 * when there are more, until `*done`. A reply never needs more than GCL_EPMD_REPLY_MAX_BYTES. 0,
 * or GCL_EPROTO when this is no such reply. Bytes behind the reply are ignored; so is the field
 * `Extra` of PORT2_RESP, which need not have come.
 */
enum { GCL_EPMD_REPLY_MAX_BYTES = 12 + 1020 };
int gcl_epmd_decode_alive(struct gcl_str bytes, struct gcl_epmd_alive *reply,
                          bool *done) GCL_MUST_USE;
int gcl_epmd_decode_port(struct gcl_str bytes, struct gcl_epmd_port *reply,
                         bool *done) GCL_MUST_USE;

#endif

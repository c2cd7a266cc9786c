/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A peer made of a socket and wire/, which does what no node of ours does: it stops to read, sends
 * garbage, leaves a step of the handshake out. It runs in the loop of the world.
 */
#ifndef GCL_TEST_NET_RAW_H
#define GCL_TEST_NET_RAW_H

#include <ev.h>

#include "base/buffer.h"
#include "net/address.h"
#include "wire/control.h"
#include "wire/handshake.h"
#include "world.h"

struct raw {
    ev_io listener;
    ev_io io;
    int listening; /* or -1 */
    int fd;        /* or -1 */
    char name[64];
    struct gcl_handshake handshake;
    /* Changed before raw_listen() or raw_dial(), for a peer that is not as it should be: */
    struct gcl_handshake_config config;
    enum gcl_handshake_status status; /* what a node that dials is told */
    unsigned steps;                   /* packets that are answered; then it falls silent */
    size_t most_bytes;                /* that are sent during the handshake */
    bool stops_reading;               /* as soon as it is up */
    void (*frame)(struct raw *raw, const struct gcl_control *control); /* may be NULL */

    bool is_up;
    bool is_closed; /* by the node, or after a status that refuses it */
    unsigned answered;
    size_t sent;
    struct gcl_buffer in, out;
    size_t ticks;
};

/** A peer of that alive name; nothing happens yet. */
void raw_init(struct raw *raw, const char *alive);

/** Listens, and `node` knows where. */
void raw_listen(struct raw *raw, struct world_node *node);

/** Dials the node. */
void raw_dial(struct raw *raw, const struct world_node *node);

/** Dials and waits until it is up. */
void raw_join(struct raw *raw, const struct world_node *node);

/** Sends bytes, or a control message by what was negotiated. */
void raw_send(struct raw *raw, const void *bytes, size_t size);
void raw_signal(struct raw *raw, const struct gcl_control *control);

/** Reads again after `stops_reading`. */
void raw_read_on(struct raw *raw);

void raw_close(struct raw *raw);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Peers that are dialled again: those that the node stays connected to, gcl_node_stay_connected(),
 * and those that it has lost because its loop stood still.
 */
#ifndef GCL_NODE_RECONNECT_H
#define GCL_NODE_RECONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"

struct gcl_peer;

/** Embedded in a peer. */
struct gcl_reconnect {
    bool is_on;     /* for ever */
    unsigned tries; /* so often, or until it is connected once */
    struct gcl_backoff backoff;
    struct gcl_deadline wait; /* until the next attempt */
    uint64_t up_since_ms;
};

void gcl_reconnect_init(struct gcl_peer *peer);

/** No attempt any more. */
void gcl_reconnect_stop(struct gcl_peer *peer);

/** The peer is connected, whoever began it. */
void gcl_reconnect_up(struct gcl_peer *peer);

/**
 * A connection that was up is lost. When that is the work of the watchdog, and the peer is visible,
 * it is to be connected once more, by whichever side: it is dialled up to eight times.
 */
void gcl_reconnect_down(struct gcl_peer *peer);

/** Somebody will dial it. */
static inline bool gcl_reconnect_is_wanted(const struct gcl_reconnect *reconnect)
{
    return reconnect->is_on || reconnect->tries > 0;
}

/** There is no connection and no attempt: the next one is set, if the peer is to be kept. */
void gcl_reconnect_later(struct gcl_peer *peer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who may connect: the rules for one peer, as a table. Two nodes may dial each other at the same
 * moment, and a peer may dial again while its old connection still looks alive here; exactly one
 * connection has to come out of it, and who waits for the peer must not notice.
 *
 * Nothing an unauthenticated stranger says in a peer's name may end a connection that is up: the
 * old one is given up only when the new one has passed the handshake.
 *
 * spec: erl_dist_protocol, "Distribution Handshake", 3) send_status, 3B) send_status; OTP's
 * net_kernel, handling of accept_pending.
 */
#ifndef GCL_CORE_CONNECT_H
#define GCL_CORE_CONNECT_H

#include <stdbool.h>

enum gcl_connect_state {
    GCL_CONNECT_DOWN,
    GCL_CONNECT_DIALING,   /* our attempt is under way */
    GCL_CONNECT_WAITING,   /* the peer said `nok`: its own attempt will come */
    GCL_CONNECT_ACCEPTING, /* the peer's attempt is under way */
    GCL_CONNECT_UP,
    GCL_CONNECT_CONTESTED, /* up, and an attempt of the peer was told `alive` */
    GCL_CONNECT_STATES
};

enum gcl_connect_event {
    GCL_CONNECT_WANT,          /* something has to be sent */
    GCL_CONNECT_OFFER,         /* an attempt of the peer has named itself */
    GCL_CONNECT_DIAL_UP,       /* our attempt passed the handshake */
    GCL_CONNECT_DIAL_LOST,     /* ... was told `nok` */
    GCL_CONNECT_DIAL_FAILED,   /* ... failed otherwise */
    GCL_CONNECT_WAIT_OVER,     /* the attempt of the peer did not come in time */
    GCL_CONNECT_ACCEPT_UP,     /* the peer's attempt passed the handshake */
    GCL_CONNECT_ACCEPT_FAILED, /* ... failed, or was taken back after `alive` */
    GCL_CONNECT_LOST,          /* the connection that was up is lost, or has been replaced */
    GCL_CONNECT_EVENTS
};

enum gcl_connect_action {
    GCL_CONNECT_NOTHING,
    GCL_CONNECT_DIAL,
    GCL_CONNECT_ADMIT,              /* status `ok`; an older attempt of the peer is dropped */
    GCL_CONNECT_ADMIT_SIMULTANEOUS, /* status `ok_simultaneous`; our attempt is dropped */
    GCL_CONNECT_REFUSE,             /* status `nok` */
    GCL_CONNECT_CHALLENGE,          /* status `alive` */
    GCL_CONNECT_DISMISS,            /* closed without a word */
    GCL_CONNECT_FAIL,               /* who waits is told; what waits is lost */
    GCL_CONNECT_RETRY,              /* dial, if somebody still waits; else GCL_CONNECT_DOWN */
    GCL_CONNECT_NODEUP,
    GCL_CONNECT_NODEDOWN,
    GCL_CONNECT_IMPOSSIBLE,
};

/**
 * The action for an event, and the new state in `*state`. `we_are_greater`: our name is greater
 * than the peer's as a byte string; it decides a simultaneous connect.
 */
enum gcl_connect_action gcl_connect_step(enum gcl_connect_state *state,
                                         enum gcl_connect_event event, bool we_are_greater);

/** "dialing" and so on, for logs. */
const char *gcl_connect_state_name(enum gcl_connect_state state);

#endif

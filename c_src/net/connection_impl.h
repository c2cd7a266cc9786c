/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The inside of a connection, for the files that are it: connection_setup.c until it is up,
 * connection_input.c for what comes in, connection.c for all else.
 */
#ifndef GCL_NET_CONNECTION_IMPL_H
#define GCL_NET_CONNECTION_IMPL_H

#include "net/connection.h"

enum { GCL_CONNECTION_DETAIL_BYTES = 400 };

enum gcl_connection_state {
    GCL_CONNECTION_CONNECTING, /* TCP */
    GCL_CONNECTION_SHAKING,    /* the handshake */
    GCL_CONNECTION_UP,
    GCL_CONNECTION_FINISHING, /* output leaves, then it is over */
    GCL_CONNECTION_CLOSED,
};

struct gcl_connection {
    struct gcl_connections *shared;
    void *user;
    enum gcl_connection_state state;
    unsigned depth; /* of callbacks under way; it is freed when none is */
    int fd;
    int guarded; /* its slot */
    struct gcl_watch watch;
    struct gcl_deadline deadline;
    struct gcl_buffer input;
    struct gcl_buffer output;
    struct gcl_list dirty;
    struct gcl_list backlog;
    struct gcl_handshake *handshake;
    unsigned step;
    bool is_blocked; /* the socket takes no more; it says when it does */
    bool was_busy;
    int failure; /* to be reported at the end of the turn */
    const char *failure_detail;
    unsigned silent_checks;
    uint64_t bytes_in_at_check;
    uint64_t bytes_out_at_check;
    struct gcl_connection_counters counters;
    size_t next_address;
    size_t address_count;
    struct gcl_address addresses[]; /* of a dialled one */
};

/* --- connection.c --------------------------------------------------------------------------- */

/** Around callbacks; after leave the connection may be gone. */
void gcl_connection_enter(struct gcl_connection *connection);
void gcl_connection_leave(struct gcl_connection *connection);

/** The one way in which a connection ends by itself: `down`. `detail` is copied. */
void gcl_connection_end(struct gcl_connection *connection, int error, const char *detail);

/** Its output is written at the end of the turn. */
void gcl_connection_mark(struct gcl_connection *connection);

/** Writes what the socket takes. Failures are told at the end of the turn. */
void gcl_connection_write(struct gcl_connection *connection);

/** Its one deadline: of a step, then of ticks, then of finishing. */
void gcl_connection_set_deadline(struct gcl_connection *connection, uint64_t after_ms);
void gcl_connection_expired(struct gcl_deadline *deadline);

/** Takes the socket, on error too; nothing is watched yet. Errors of gcl_guard_add(). */
int gcl_connection_set_socket(struct gcl_connection *connection, int fd);
void gcl_connection_close_socket(struct gcl_connection *connection);

void gcl_connection_drop_handshake(struct gcl_connection *connection);

/* --- connection_input.c --------------------------------------------------------------------- */

void gcl_connection_readable(struct gcl_watch *watch);

/** Hands out frames that were received; what is too much for one turn goes to the backlog. */
void gcl_connection_frames(struct gcl_connection *connection);

/* --- connection_setup.c --------------------------------------------------------------------- */

/** The socket is writable: TCP is connected, or is not. */
void gcl_connection_connected(struct gcl_connection *connection);

/** Dials the next address; `why` the one before did not answer. Ends when there is none. */
void gcl_connection_dial_next(struct gcl_connection *connection, const char *why);

/** Feeds what was received until the handshake waits for more, or is over. */
void gcl_connection_shake(struct gcl_connection *connection);

/** The peer closed meanwhile: ends; `why` where the handshake knows no better. */
void gcl_connection_shake_closed(struct gcl_connection *connection, const char *why);

#endif

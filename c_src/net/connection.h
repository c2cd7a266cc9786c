/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One connection to another node, from the first byte to the last.
 *
 * Happy path: dialled or accepted; the handshake (wire/handshake.h); `up`; then frames in, frames
 * out and ticks until one side closes; `down`.
 * Alternatives: an accepted peer names itself (`named`) and is admitted or not; the peer believes
 * that there is a connection already (`alive`), or proves that it may replace one (`proven`).
 * Failures, each with `down` and a text: no address answers; a step of the handshake is refused,
 * malformed or too slow; the peer closes; nothing is heard for net_ticktime; a frame is too large
 * or the owner finds it malformed; more output is queued than the hard limit.
 *
 * Output is gathered: the owner encodes into gcl_connection_output() and says
 * gcl_connection_written(); it leaves at the end of the loop's turn, or when 64 KiB are there, in
 * one write. Reading takes what is there in one read and hands out a bounded number of frames per
 * turn, so that one peer starves neither ticks nor other peers.
 *
 * Every function is legal in every callback.
 */
#ifndef GCL_NET_CONNECTION_H
#define GCL_NET_CONNECTION_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/log.h"
#include "net/address.h"
#include "net/guard.h"
#include "net/loop.h"
#include "wire/handshake.h"

struct gcl_connection;

/** The owner's side. `down` comes exactly once, last, unless the owner closes first. */
struct gcl_connection_events {
    /** Accepted: the peer has named itself; answer with gcl_connection_admit(), now or later. */
    void (*named)(struct gcl_connection *connection);
    /** Dialled: the peer said `alive`. True: this attempt is meant. */
    bool (*alive)(struct gcl_connection *connection);
    /** Accepted after `alive`: the peer is who it says; an old connection has to be closed now. */
    void (*proven)(struct gcl_connection *connection);
    /** The handshake is done; its results are borrowed for the call. */
    void (*up)(struct gcl_connection *connection, const struct gcl_handshake *result);
    /** A frame that is no tick. False: it was malformed, close (say why by `*why`, static). */
    bool (*frame)(struct gcl_connection *connection, struct gcl_str body, const char **why);
    /** Output fell below half of the soft limit after it had been above. */
    void (*writable)(struct gcl_connection *connection);
    /** It is over; `error` 0 after gcl_connection_finish(). `detail` is borrowed. */
    void (*down)(struct gcl_connection *connection, int error, const char *detail);
};

/** What all connections of a node share. Zeroed fields are not valid: set all. */
struct gcl_connections {
    struct gcl_loop *loop;
    const gcl_allocator *mem;
    const struct gcl_connection_events *events;
    struct gcl_guard *guard;   /* of all their sockets; may be NULL */
    unsigned setup_timeout_ms; /* of each step */
    unsigned tick_interval_ms; /* net_ticktime / net_tickintensity */
    unsigned tick_intensity;
    size_t output_soft_bytes;
    size_t output_hard_bytes;
    uint32_t frame_bytes;
    struct gcl_list dirty;   /* output to be written at the end of the turn */
    struct gcl_list backlog; /* frames that wait for the next turn */
};

struct gcl_connection_counters {
    uint64_t bytes_in, bytes_out;
    uint64_t frames_in, frames_out;
    uint64_t reads, writes; /* system calls that moved bytes */
};

/** The lists are made empty; the rest is the caller's to set. */
void gcl_connections_init(struct gcl_connections *connections);

/** At the end of every turn of the loop: hands out what was left over, then writes. */
void gcl_connections_turn(struct gcl_connections *connections);

/**
 * Dials the addresses one after the other (copied, at least one). `config` as of
 * gcl_handshake_connect(). No callback before return. 0, GCL_EINVAL, GCL_ENAME, GCL_ENOMEM.
 */
int gcl_connection_dial(struct gcl_connections *connections, const struct gcl_address *addresses,
                        size_t count, const struct gcl_handshake_config *config, void *user,
                        struct gcl_connection **out) GCL_MUST_USE;

/** Takes an accepted socket, on error too. 0, GCL_EINVAL, GCL_ENOMEM, GCL_ESYS (see net/guard.h).
 */
int gcl_connection_accept(struct gcl_connections *connections, int fd,
                          const struct gcl_handshake_config *config, void *user,
                          struct gcl_connection **out) GCL_MUST_USE;

/** Answers `named`. Nothing happens when the connection has gone on or is closed. */
void gcl_connection_admit(struct gcl_connection *connection, enum gcl_handshake_status status,
                          struct gcl_str name, uint32_t creation);

/** Closes at once; no callback any more. The handle is invalid from now on. */
void gcl_connection_close(struct gcl_connection *connection);

/** Lets queued output leave, for at most `timeout_ms`, then `down` with 0. */
void gcl_connection_finish(struct gcl_connection *connection, unsigned timeout_ms);

/** `down` with this error at the end of the turn. `detail` is static. */
void gcl_connection_fail(struct gcl_connection *connection, int error, const char *detail);

/** Where frames are encoded. Only what is complete may stay in it when control returns. */
struct gcl_buffer *gcl_connection_output(struct gcl_connection *connection);

/** `frames` more are in the output. */
void gcl_connection_written(struct gcl_connection *connection, size_t frames);

/** It will be `down` at the end of the turn; what is written will not leave. */
bool gcl_connection_has_failed(const struct gcl_connection *connection);

/** It has a socket by now, and still. */
bool gcl_connection_has_socket(const struct gcl_connection *connection);

/** Output is above the soft limit; `writable` will tell when no longer. */
bool gcl_connection_is_busy(struct gcl_connection *connection);

/** Both ends; false when the system does not say. */
bool gcl_connection_ends(const struct gcl_connection *connection, struct gcl_address *local,
                         struct gcl_address *remote);

void *gcl_connection_user(const struct gcl_connection *connection);

/** The handshake while it is under way (the peer's name in `named`), else NULL. */
const struct gcl_handshake *gcl_connection_handshake(const struct gcl_connection *connection);

const struct gcl_connection_counters *
gcl_connection_counters(const struct gcl_connection *connection);

#endif

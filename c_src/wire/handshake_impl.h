/* SPDX-License-Identifier: Apache-2.0 */
/** What the two sides of the handshake share. For handshake*.c alone. */
#ifndef GCL_WIRE_HANDSHAKE_IMPL_H
#define GCL_WIRE_HANDSHAKE_IMPL_H

#include "base/cursor.h"
#include "wire/handshake.h"

/** The first byte of each packet. */
enum gcl_handshake_tag {
    GCL_TAG_NAME = 'N', /* also of the challenge */
    GCL_TAG_OLD_NAME = 'n',
    GCL_TAG_STATUS = 's', /* also of the answer to `alive` */
    GCL_TAG_COMPLEMENT = 'c',
    GCL_TAG_REPLY = 'r',
    GCL_TAG_ACK = 'a',
};

/** The version that a first message `n` has. */
enum { GCL_HANDSHAKE_OLD_VERSION = 5 };

/** A packet came in a state that waits for it; `body` is what stands behind the tag. */
typedef int gcl_handshake_handler(struct gcl_handshake *handshake, struct gcl_cursor *body,
                                  struct gcl_buffer *out);

gcl_handshake_handler gcl_handshake_on_status, gcl_handshake_on_challenge, gcl_handshake_on_ack;
gcl_handshake_handler gcl_handshake_on_name, gcl_handshake_on_old_name, gcl_handshake_on_answer,
    gcl_handshake_on_complement, gcl_handshake_on_reply;

/** To a state that the table allows to follow. */
void gcl_handshake_set_state(struct gcl_handshake *handshake, enum gcl_handshake_state state);

/** Ends in FAILED with `error` and this detail; returns `error`. */
int gcl_handshake_fail(struct gcl_handshake *handshake, int error, const char *format, ...)
    GCL_PRINTF(3, 4);

/** The same for a packet that does not have the form that it must have. */
int gcl_handshake_malformed(struct gcl_handshake *handshake, const char *what);

/** A text of the peer for `detail`: what cannot be printed is replaced, what is long is cut. */
struct gcl_printable {
    char text[80];
};
struct gcl_printable gcl_printable(struct gcl_str str);

/** Room in `out` for a packet of `size` bytes, whose length is written; NULL after a failure. */
uint8_t *gcl_handshake_packet(struct gcl_handshake *handshake, struct gcl_buffer *out, size_t size);

/** Sends a status, or an answer to one. 0 or the error with which the handshake failed. */
int gcl_handshake_send_status(struct gcl_handshake *handshake, const char *status,
                              struct gcl_buffer *out);

void gcl_handshake_set_name(struct gcl_handshake_name *name, struct gcl_str text);

/** Negotiates; fails with GCL_EFLAGS when the peer lacks a mandatory flag. */
int gcl_handshake_set_flags(struct gcl_handshake *handshake, uint64_t peer_flags);

/** MD5 of the cookie and a challenge. 0 or the error with which the handshake failed. */
int gcl_handshake_make_digest(struct gcl_handshake *handshake, uint32_t challenge,
                              uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES]);

/** Whether the peer's digest of our challenge is right; fails with GCL_EAUTH if not. */
int gcl_handshake_check_digest(struct gcl_handshake *handshake, struct gcl_str digest);

/** Everything of a config but the names. */
int gcl_handshake_begin(struct gcl_handshake *handshake, const struct gcl_handshake_config *config);

/** True for a host alone: as a node name, but without the @ and what is before it. */
bool gcl_handshake_is_host(struct gcl_str name);

#endif

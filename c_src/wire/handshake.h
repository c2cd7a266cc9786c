/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The distribution handshake, version 6, on either side of a connection: who the peer is, that it
 * knows the cookie, and what both can do. Bytes in, bytes out; the caller reads, writes and keeps
 * the time.
 *
 *     initiator                                   acceptor
 *     N flags creation name             ->
 *     (n flags name, where epmd knows of an older version only)
 *                                       <-        s status
 *     s true | s false                  ->                  after the status `alive` only
 *                                       <-        N flags challenge creation name
 *     c flags creation                  ->                  after `n` only
 *     r challenge digest                ->
 *                                       <-        a digest
 *
 * The machine does not know about other connections. It stops where such knowledge is needed, and
 * the caller goes on with gcl_handshake_admit(), gcl_handshake_answer() or gcl_handshake_confirm();
 * gcl_handshake_state() says which. After every call the caller writes what is in the output
 * buffer, and it gives each step (gcl_handshake_step()) a deadline of its own.
 *
 * spec: erl_dist_protocol, "Distribution Handshake"
 */
#ifndef GCL_WIRE_HANDSHAKE_H
#define GCL_WIRE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/str.h"
#include "wire/term/id.h"

enum {
    GCL_HANDSHAKE_DIGEST_BYTES = 16,
    GCL_HANDSHAKE_COOKIE_MAX_BYTES = 510, /* an atom in Latin-1, written in UTF-8 */
    GCL_HANDSHAKE_PACKET_MAX_BYTES = 2048,
    GCL_HANDSHAKE_DETAIL_BYTES = 320,
};

/** MD5 of `size` bytes into `digest`. 0 or a GCL_E*, which then ends the handshake. */
typedef int gcl_handshake_digest(void *user, const uint8_t *bytes, size_t size,
                                 uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES]);

/** Where a handshake is. The table of what may happen in each stands in handshake.c. */
enum gcl_handshake_state {
    GCL_HANDSHAKE_NEW,
    /* initiator */
    GCL_HANDSHAKE_STATUS,    /* waits for the status */
    GCL_HANDSHAKE_ALIVE,     /* stopped: the peer believes that we are connected already.
                                gcl_handshake_answer(); with `true`, after the old socket was
                                closed: OTP 23 waits for that before it goes on */
    GCL_HANDSHAKE_CHALLENGE, /* waits for the peer's challenge */
    GCL_HANDSHAKE_ACK,       /* waits for the proof that the peer knows the cookie */
    /* acceptor */
    GCL_HANDSHAKE_NAME,       /* waits for the peer's name */
    GCL_HANDSHAKE_ADMIT,      /* stopped: the name is known; gcl_handshake_admit() */
    GCL_HANDSHAKE_ANSWER,     /* waits for the answer to the status `alive` */
    GCL_HANDSHAKE_COMPLEMENT, /* waits for what `n` left out */
    GCL_HANDSHAKE_REPLY,      /* waits for the peer's proof and challenge */
    GCL_HANDSHAKE_CONFIRM,    /* stopped, only after `alive`: the peer has proven who it is. The
                                 old connection is closed now; gcl_handshake_confirm() */
    /* ends */
    GCL_HANDSHAKE_DONE,
    GCL_HANDSHAKE_LOST, /* initiator: `nok`, the peer's own attempt is on its way to us. Close this
                           one, and let who waits for the peer wait on */
    GCL_HANDSHAKE_FAILED,
    GCL_HANDSHAKE_STATES
};

/** What an acceptor says to a peer that has named itself. */
enum gcl_handshake_status {
    GCL_HANDSHAKE_OK,
    GCL_HANDSHAKE_OK_SIMULTANEOUS,
    GCL_HANDSHAKE_NOK,         /* then FAILED with GCL_ECANCELED */
    GCL_HANDSHAKE_NOT_ALLOWED, /* then FAILED with GCL_EREFUSED */
    GCL_HANDSHAKE_ASK_ALIVE,   /* `alive`; then ANSWER */
    GCL_HANDSHAKE_NAMED,       /* only for a peer that asked for a name, and always for such */
};

/** Copied by init, except for what `user` points to. */
struct gcl_handshake_config {
    struct gcl_str name; /* ours; or only the host, to be given a name: adds NAME_ME to the flags */
    uint32_t creation;
    uint64_t flags;      /* what we offer: GCL_FLAGS_RECOMMENDED and perhaps PUBLISHED */
    struct gcl_str peer; /* of an initiator: the node that was dialled */
    struct gcl_str cookie;
    uint32_t challenge; /* random, unpredictable, for this handshake alone */
    gcl_handshake_digest *digest;
    void *user;    /* of `digest` */
    bool is_older; /* of an initiator: begins with `n` */
};

/**
 * One handshake; without pointers to itself, so it may be moved. About 6 KB. Of its fields the
 * caller reads those under "results" and `error`, `detail`.
 */
struct gcl_handshake {
    /* results: of the peer from ADMIT or CHALLENGE on, all of them in DONE */
    struct gcl_handshake_name {
        size_t size;
        uint8_t bytes[GCL_ATOM_MAX_BYTES];
    } name, peer;      /* ours, as given or as `named:` says; the peer's. gcl_handshake_peer() */
    uint32_t creation; /* ours, likewise */
    uint32_t peer_creation; /* after `n` only known in REPLY */
    uint64_t peer_flags;    /* as they came */
    uint64_t flags;         /* negotiated: ours and theirs, MANDATORY_25_DIGEST expanded */
    bool wants_name;        /* acceptor: the peer is a host that asks for a name; see NAMED */

    int error;                               /* of FAILED and LOST */
    char detail[GCL_HANDSHAKE_DETAIL_BYTES]; /* what came and what was expected; printable */

    /* private */
    enum gcl_handshake_state state;
    unsigned step;
    bool is_old_name;  /* the initiator began with `n` */
    bool is_contested; /* the peer answered `alive` with `true` */
    uint64_t own_flags;
    uint32_t challenge;
    uint32_t peer_challenge;
    gcl_handshake_digest *digest;
    void *user;
    size_t cookie_size;
    uint8_t cookie[GCL_HANDSHAKE_COOKIE_MAX_BYTES];
    size_t packet_size; /* bytes of the packet that came so far, its length too */
    uint8_t packet[2 + GCL_HANDSHAKE_PACKET_MAX_BYTES];
};

/**
 * Begins as the one that connected: appends our name to `out`. 0, GCL_EINVAL (no digest function),
 * GCL_ENAME (a name that is none), GCL_ELIMIT (cookie too long, or `out`), GCL_ENOMEM. Allocates
 * nothing of its own; always end with gcl_handshake_fini().
 */
int gcl_handshake_connect(struct gcl_handshake *handshake,
                          const struct gcl_handshake_config *config,
                          struct gcl_buffer *out) GCL_MUST_USE;

/** Begins as the one that accepted; `config->peer` is ignored. Errors as above. */
int gcl_handshake_accept(struct gcl_handshake *handshake,
                         const struct gcl_handshake_config *config) GCL_MUST_USE;

/** Wipes the cookie. May be called at any time and more than once. */
void gcl_handshake_fini(struct gcl_handshake *handshake);

/**
 * Bytes came. Takes `*consumed` of them, and no byte more than belongs to the handshake: when it
 * stops (see the states) and at its end the rest stays with the caller. Appends what has to be
 * sent. 0, or the error with which the handshake failed, also when called again then:
 *
 *     GCL_EAUTH     the peer does not know our cookie
 *     GCL_EFLAGS    the peer lacks mandatory flags; they are named in `detail`
 *     GCL_ENAME     the peer is another node than the one dialled, or its name is none
 *     GCL_EREFUSED  the peer does not allow us, or we did not admit it
 *     GCL_ECANCELED `nok` (state LOST), or the attempt was taken back after `alive`
 *     GCL_EPROTO    anything that must not come in this state
 *     GCL_ELIMIT, GCL_ENOMEM  `out`; and what `digest` returned
 *
 * After an error what is in `out` still is to be sent: it may tell the peer why. Then close.
 */
int gcl_handshake_feed(struct gcl_handshake *handshake, const void *bytes, size_t size,
                       size_t *consumed, struct gcl_buffer *out) GCL_MUST_USE;

/**
 * The peer closed the connection. Returns the error and sets `detail`: GCL_EAUTH when this is how
 * it says that our cookie is wrong (state ACK), else GCL_ECLOSED; 0 when the handshake was done.
 */
int gcl_handshake_closed(struct gcl_handshake *handshake);

/** Another cookie, for this peer alone; in the states ADMIT and before. 0, GCL_EINVAL, GCL_ELIMIT
 */
int gcl_handshake_set_cookie(struct gcl_handshake *handshake, struct gcl_str cookie) GCL_MUST_USE;

/**
 * In ADMIT: answers the peer. `name` (whole, with host) and `creation` are what NAMED gives to the
 * peer, else ignored. 0; GCL_EINVAL in another state or when NAMED does not fit, then nothing
 * changed; an error as of feed when this ended the handshake.
 */
int gcl_handshake_admit(struct gcl_handshake *handshake, enum gcl_handshake_status status,
                        struct gcl_str name, uint32_t creation,
                        struct gcl_buffer *out) GCL_MUST_USE;

/**
 * In ALIVE: whether this attempt shall replace the old connection. 0; GCL_EINVAL in another state;
 * after `false` GCL_ECANCELED, the handshake is over.
 */
int gcl_handshake_answer(struct gcl_handshake *handshake, bool go_on,
                         struct gcl_buffer *out) GCL_MUST_USE;

/** In CONFIRM: sends our proof; the state is DONE then. 0, GCL_EINVAL, or an error as of feed. */
int gcl_handshake_confirm(struct gcl_handshake *handshake, struct gcl_buffer *out) GCL_MUST_USE;

static inline enum gcl_handshake_state gcl_handshake_state(const struct gcl_handshake *handshake)
{
    return handshake->state;
}

/** Changes whenever something came or was decided: the deadline begins anew. */
static inline unsigned gcl_handshake_step(const struct gcl_handshake *handshake)
{
    return handshake->step;
}

/** The name of the peer, `alive@host`; borrowed from the handshake. */
static inline struct gcl_str gcl_handshake_peer(const struct gcl_handshake *handshake)
{
    return gcl_str_make(handshake->peer.bytes, handshake->peer.size);
}

/** Our name; in DONE also when the peer gave it. Borrowed from the handshake. */
static inline struct gcl_str gcl_handshake_name(const struct gcl_handshake *handshake)
{
    return gcl_str_make(handshake->name.bytes, handshake->name.size);
}

/** Both nodes are visible to each other; else the connection is hidden. */
bool gcl_handshake_is_visible(const struct gcl_handshake *handshake);

/** "waiting for the status" and so on, for logs. */
const char *gcl_handshake_state_name(enum gcl_handshake_state state);

/** True for `alive@host` with both parts and one @, printable, of at most 255 characters. */
bool gcl_handshake_is_node_name(struct gcl_str name);

#endif

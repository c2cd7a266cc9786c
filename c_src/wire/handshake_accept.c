/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake of the node that accepted the connection. */
#include <string.h>

#include <gen_cluster/error.h>

#include "base/put.h"
#include "wire/flags.h"
#include "wire/handshake_impl.h"

enum {
    NAMED_FIXED_BYTES = 1 + 6 + 2 + 4,
    CHALLENGE_FIXED_BYTES = 1 + 8 + 4 + 4 + 2,
    ACK_BYTES = 1 + GCL_HANDSHAKE_DIGEST_BYTES,
};

int gcl_handshake_accept(struct gcl_handshake *handshake, const struct gcl_handshake_config *config)
{
    int error = gcl_handshake_begin(handshake, config);
    if (error != 0)
        return error;
    if (!gcl_handshake_is_node_name(config->name))
        return GCL_ENAME;
    gcl_handshake_set_name(&handshake->name, config->name);
    handshake->own_flags &= ~GCL_FLAG(NAME_ME);
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_NAME);
    return 0;
}

/* --- the name ------------------------------------------------------------------------------- */

/*
 * The peer has named itself. One that lacks what we cannot do without is told so at once, and the
 * caller is not asked.
 */
static int on_peer(struct gcl_handshake *handshake, struct gcl_str name, uint64_t flags,
                   struct gcl_buffer *out)
{
    handshake->wants_name = (flags & GCL_FLAG(NAME_ME)) != 0;
    if (!(handshake->wants_name ? gcl_handshake_is_host(name) : gcl_handshake_is_node_name(name)))
        return gcl_handshake_fail(handshake, GCL_ENAME, "the peer calls itself %s",
                                  gcl_printable(name).text);
    gcl_handshake_set_name(&handshake->peer, name);
    /* spec: erl_dist_protocol, DFLAG_NAME_ME: answered in kind, the connection is hidden */
    if (handshake->wants_name)
        handshake->own_flags = (handshake->own_flags & ~GCL_FLAG(PUBLISHED)) | GCL_FLAG(NAME_ME);
    if (gcl_flags_missing(flags, GCL_FLAGS_MANDATORY) != 0) {
        int error = gcl_handshake_send_status(handshake, "not_allowed", out);
        if (error != 0)
            return error;
    }
    int error = gcl_handshake_set_flags(handshake, flags);
    if (error != 0)
        return error;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_ADMIT);
    return 0;
}

/* spec: erl_dist_protocol, 2) send_name; more may follow the name */
int gcl_handshake_on_name(struct gcl_handshake *handshake, struct gcl_cursor *body,
                          struct gcl_buffer *out)
{
    uint64_t flags;
    uint16_t size;
    struct gcl_str name;
    if (!gcl_cursor_u64(body, &flags) || !gcl_cursor_u32(body, &handshake->peer_creation) ||
        !gcl_cursor_u16(body, &size) || !gcl_cursor_bytes(body, size, &name))
        return gcl_handshake_malformed(handshake, "the name");
    return on_peer(handshake, name, flags, out);
}

/* spec: erl_dist_protocol, 2) send_name, the old format: the name goes to the end of the packet */
int gcl_handshake_on_old_name(struct gcl_handshake *handshake, struct gcl_cursor *body,
                              struct gcl_buffer *out)
{
    uint16_t version;
    uint32_t flags;
    if (!gcl_cursor_u16(body, &version) || version < GCL_HANDSHAKE_OLD_VERSION ||
        !gcl_cursor_u32(body, &flags))
        return gcl_handshake_malformed(handshake, "the name");
    handshake->is_old_name = true;
    return on_peer(handshake, gcl_str_make(body->at, gcl_cursor_left(body)), flags, out);
}

/* --- status --------------------------------------------------------------------------------- */

/* spec: erl_dist_protocol, 4) send_challenge */
static int send_challenge(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    struct gcl_str name = gcl_handshake_name(handshake);
    uint8_t *at = gcl_handshake_packet(handshake, out, CHALLENGE_FIXED_BYTES + name.size);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_NAME);
    at = gcl_put_u64(at, handshake->own_flags);
    at = gcl_put_u32(at, handshake->challenge);
    at = gcl_put_u32(at, handshake->creation);
    at = gcl_put_u16(at, (uint16_t)name.size);
    (void)gcl_put_str(at, name);
    gcl_handshake_set_state(handshake, handshake->is_old_name ? GCL_HANDSHAKE_COMPLEMENT
                                                              : GCL_HANDSHAKE_REPLY);
    return 0;
}

/* A name that was made for the host that asked for one. */
static bool fits_host(const struct gcl_handshake *handshake, struct gcl_str name)
{
    struct gcl_str host = gcl_handshake_peer(handshake);
    if (!gcl_handshake_is_node_name(name) || name.size <= host.size)
        return false;
    size_t at = name.size - host.size;
    return name.bytes[at - 1] == '@' &&
           gcl_str_equal(gcl_str_make(name.bytes + at, host.size), host);
}

static int send_named(struct gcl_handshake *handshake, struct gcl_str name, uint32_t creation,
                      struct gcl_buffer *out)
{
    uint8_t *at = gcl_handshake_packet(handshake, out, NAMED_FIXED_BYTES + name.size);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_STATUS);
    at = gcl_put_str(at, gcl_str_of("named:"));
    at = gcl_put_u16(at, (uint16_t)name.size);
    at = gcl_put_str(at, name);
    (void)gcl_put_u32(at, creation);
    gcl_handshake_set_name(&handshake->peer, name);
    handshake->peer_creation = creation;
    return 0;
}

static int say(struct gcl_handshake *handshake, const char *status, struct gcl_buffer *out)
{
    int error = gcl_handshake_send_status(handshake, status, out);
    return error != 0 ? error : send_challenge(handshake, out);
}

static int refuse(struct gcl_handshake *handshake, const char *status, int reason,
                  struct gcl_buffer *out)
{
    int error = gcl_handshake_send_status(handshake, status, out);
    if (error != 0)
        return error;
    return gcl_handshake_fail(handshake, reason, "%s was told %s",
                              gcl_printable(gcl_handshake_peer(handshake)).text, status);
}

int gcl_handshake_admit(struct gcl_handshake *handshake, enum gcl_handshake_status status,
                        struct gcl_str name, uint32_t creation, struct gcl_buffer *out)
{
    bool is_refusal = status == GCL_HANDSHAKE_NOK || status == GCL_HANDSHAKE_NOT_ALLOWED;
    if (handshake->state != GCL_HANDSHAKE_ADMIT || (unsigned)status > GCL_HANDSHAKE_NAMED ||
        (!is_refusal && handshake->wants_name != (status == GCL_HANDSHAKE_NAMED)) ||
        (status == GCL_HANDSHAKE_NAMED && !fits_host(handshake, name)))
        return GCL_EINVAL;
    int error = 0;
    handshake->step++;
    switch (status) {
    case GCL_HANDSHAKE_OK:
        return say(handshake, "ok", out);
    case GCL_HANDSHAKE_OK_SIMULTANEOUS:
        return say(handshake, "ok_simultaneous", out);
    case GCL_HANDSHAKE_NOK:
        return refuse(handshake, "nok", GCL_ECANCELED, out);
    case GCL_HANDSHAKE_NOT_ALLOWED:
        return refuse(handshake, "not_allowed", GCL_EREFUSED, out);
    case GCL_HANDSHAKE_ASK_ALIVE:
        error = gcl_handshake_send_status(handshake, "alive", out);
        if (error == 0)
            gcl_handshake_set_state(handshake, GCL_HANDSHAKE_ANSWER);
        return error;
    case GCL_HANDSHAKE_NAMED:
        error = send_named(handshake, name, creation, out);
        return error != 0 ? error : send_challenge(handshake, out);
    }
    return GCL_EINVAL;
}

/* spec: erl_dist_protocol, 3B) send_status */
int gcl_handshake_on_answer(struct gcl_handshake *handshake, struct gcl_cursor *body,
                            struct gcl_buffer *out)
{
    struct gcl_str answer = gcl_str_make(body->at, gcl_cursor_left(body));
    if (gcl_str_is(answer, "false"))
        return gcl_handshake_fail(handshake, GCL_ECANCELED, "%s took its attempt back",
                                  gcl_printable(gcl_handshake_peer(handshake)).text);
    if (!gcl_str_is(answer, "true"))
        return gcl_handshake_malformed(handshake, "the answer");
    handshake->is_contested = true;
    return send_challenge(handshake, out);
}

/* --- proof ---------------------------------------------------------------------------------- */

/* spec: erl_dist_protocol, 4B) send_complement */
int gcl_handshake_on_complement(struct gcl_handshake *handshake, struct gcl_cursor *body,
                                struct gcl_buffer *out)
{
    uint32_t high;
    (void)out;
    if (!gcl_cursor_u32(body, &high) || !gcl_cursor_u32(body, &handshake->peer_creation) ||
        gcl_cursor_left(body) > 0)
        return gcl_handshake_malformed(handshake, "the complement");
    int error = gcl_handshake_set_flags(handshake, (uint64_t)high << 32 | handshake->peer_flags);
    if (error != 0)
        return error;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_REPLY);
    return 0;
}

/* spec: erl_dist_protocol, 6) send_challenge_ack */
static int send_ack(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES];
    int error = gcl_handshake_make_digest(handshake, handshake->peer_challenge, digest);
    if (error != 0)
        return error;
    uint8_t *at = gcl_handshake_packet(handshake, out, ACK_BYTES);
    if (at == NULL)
        return handshake->error;
    (void)gcl_put_str(gcl_put_u8(at, GCL_TAG_ACK), gcl_str_make(digest, sizeof digest));
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_DONE);
    return 0;
}

int gcl_handshake_on_reply(struct gcl_handshake *handshake, struct gcl_cursor *body,
                           struct gcl_buffer *out)
{
    struct gcl_str digest;
    if (!gcl_cursor_u32(body, &handshake->peer_challenge) ||
        !gcl_cursor_bytes(body, GCL_HANDSHAKE_DIGEST_BYTES, &digest) || gcl_cursor_left(body) > 0)
        return gcl_handshake_malformed(handshake, "the reply");
    int error = gcl_handshake_check_digest(handshake, digest);
    if (error != 0)
        return error;
    if (!handshake->is_contested)
        return send_ack(handshake, out);
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_CONFIRM);
    return 0;
}

int gcl_handshake_confirm(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    if (handshake->state != GCL_HANDSHAKE_CONFIRM)
        return GCL_EINVAL;
    handshake->step++;
    return send_ack(handshake, out);
}

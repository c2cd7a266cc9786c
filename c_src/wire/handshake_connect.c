/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake of the node that connected. */
#include <string.h>

#include <gen_cluster/error.h>

#include "base/put.h"
#include "wire/flags.h"
#include "wire/handshake_impl.h"

enum {
    NAME_FIXED_BYTES = 1 + 8 + 4 + 2,
    OLD_NAME_FIXED_BYTES = 1 + 2 + 4,
    COMPLEMENT_BYTES = 1 + 4 + 4,
    REPLY_BYTES = 1 + 4 + GCL_HANDSHAKE_DIGEST_BYTES,
};

static const char NAMED[] = "named:";

/* spec: erl_dist_protocol, 2) send_name */
static int send_name(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    struct gcl_str name = gcl_handshake_name(handshake);
    uint8_t *at = gcl_handshake_packet(handshake, out, NAME_FIXED_BYTES + name.size);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_NAME);
    at = gcl_put_u64(at, handshake->own_flags);
    at = gcl_put_u32(at, handshake->creation);
    at = gcl_put_u16(at, (uint16_t)name.size);
    (void)gcl_put_str(at, name);
    return 0;
}

/* spec: erl_dist_protocol, 2) send_name, the old format */
static int send_old_name(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    struct gcl_str name = gcl_handshake_name(handshake);
    uint8_t *at = gcl_handshake_packet(handshake, out, OLD_NAME_FIXED_BYTES + name.size);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_OLD_NAME);
    at = gcl_put_u16(at, GCL_HANDSHAKE_OLD_VERSION);
    at = gcl_put_u32(at, (uint32_t)handshake->own_flags);
    (void)gcl_put_str(at, name);
    return 0;
}

int gcl_handshake_connect(struct gcl_handshake *handshake,
                          const struct gcl_handshake_config *config, struct gcl_buffer *out)
{
    int error = gcl_handshake_begin(handshake, config);
    if (error != 0)
        return error;
    bool is_host = gcl_handshake_is_host(config->name);
    if ((!is_host && !gcl_handshake_is_node_name(config->name)) ||
        !gcl_handshake_is_node_name(config->peer))
        return GCL_ENAME;
    if (is_host && config->is_older)
        return GCL_EINVAL; /* NAME_ME is one of the flags that `n` has no room for */
    gcl_handshake_set_name(&handshake->name, config->name);
    gcl_handshake_set_name(&handshake->peer, config->peer);
    /* spec: erl_dist_protocol, DFLAG_NAME_ME: the place of PUBLISHED is taken by it */
    handshake->own_flags &= ~GCL_FLAG(NAME_ME);
    if (is_host) {
        handshake->own_flags = (config->flags & ~GCL_FLAG(PUBLISHED)) | GCL_FLAG(NAME_ME);
        handshake->creation = 0;
    }
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_STATUS);
    handshake->is_old_name = config->is_older;
    return config->is_older ? send_old_name(handshake, out) : send_name(handshake, out);
}

/* --- status --------------------------------------------------------------------------------- */

/* spec: erl_dist_protocol, 3) send_status: "named:" NLen Name Creation; more may follow */
static int on_named(struct gcl_handshake *handshake, struct gcl_cursor *body)
{
    uint16_t size;
    uint32_t creation;
    struct gcl_str name;
    if ((handshake->own_flags & GCL_FLAG(NAME_ME)) == 0)
        return gcl_handshake_fail(handshake, GCL_EPROTO,
                                  "the peer gave us a name that we did not ask for");
    if (!gcl_cursor_skip(body, strlen(NAMED)) || !gcl_cursor_u16(body, &size) ||
        !gcl_cursor_bytes(body, size, &name) || !gcl_cursor_u32(body, &creation))
        return gcl_handshake_malformed(handshake, "the status");
    if (!gcl_handshake_is_node_name(name))
        return gcl_handshake_fail(handshake, GCL_ENAME, "the peer gave us the name %s",
                                  gcl_printable(name).text);
    gcl_handshake_set_name(&handshake->name, name);
    handshake->creation = creation;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_CHALLENGE);
    return 0;
}

static int on_ok(struct gcl_handshake *handshake)
{
    if ((handshake->own_flags & GCL_FLAG(NAME_ME)) != 0)
        return gcl_handshake_fail(handshake, GCL_EPROTO, "the peer did not give us a name");
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_CHALLENGE);
    return 0;
}

static int on_nok(struct gcl_handshake *handshake)
{
    static const char text[] = "the peer is connecting to us";
    memcpy(handshake->detail, text, sizeof text);
    handshake->error = GCL_ECANCELED;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_LOST);
    return handshake->error;
}

int gcl_handshake_on_status(struct gcl_handshake *handshake, struct gcl_cursor *body,
                            struct gcl_buffer *out)
{
    struct gcl_str status = gcl_str_make(body->at, gcl_cursor_left(body));
    (void)out;
    if (gcl_str_is(status, "ok") || gcl_str_is(status, "ok_simultaneous"))
        return on_ok(handshake);
    if (gcl_str_is(status, "nok"))
        return on_nok(handshake);
    if (gcl_str_is(status, "not_allowed"))
        return gcl_handshake_fail(handshake, GCL_EREFUSED, "%s does not allow us",
                                  gcl_printable(gcl_handshake_peer(handshake)).text);
    if (gcl_str_is(status, "alive")) {
        gcl_handshake_set_state(handshake, GCL_HANDSHAKE_ALIVE);
        return 0;
    }
    if (status.size >= strlen(NAMED) && memcmp(status.bytes, NAMED, strlen(NAMED)) == 0)
        return on_named(handshake, body);
    return gcl_handshake_fail(handshake, GCL_EPROTO, "%s: the status was %s",
                              gcl_handshake_state_name(handshake->state),
                              gcl_printable(status).text);
}

/* spec: erl_dist_protocol, 3B) send_status */
int gcl_handshake_answer(struct gcl_handshake *handshake, bool go_on, struct gcl_buffer *out)
{
    if (handshake->state != GCL_HANDSHAKE_ALIVE)
        return GCL_EINVAL;
    handshake->step++;
    int error = gcl_handshake_send_status(handshake, go_on ? "true" : "false", out);
    if (error != 0)
        return error;
    if (!go_on)
        return gcl_handshake_fail(handshake, GCL_ECANCELED, "the old connection was kept");
    return on_ok(handshake);
}

/* --- challenge and proof -------------------------------------------------------------------- */

/* spec: erl_dist_protocol, 5) send_complement: what `n` had no room for */
static int send_complement(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    uint8_t *at = gcl_handshake_packet(handshake, out, COMPLEMENT_BYTES);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_COMPLEMENT);
    at = gcl_put_u32(at, (uint32_t)(handshake->own_flags >> 32));
    (void)gcl_put_u32(at, handshake->creation);
    return 0;
}

/* spec: erl_dist_protocol, 5) send_challenge_reply */
static int send_reply(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES];
    int error = gcl_handshake_make_digest(handshake, handshake->peer_challenge, digest);
    if (error != 0)
        return error;
    uint8_t *at = gcl_handshake_packet(handshake, out, REPLY_BYTES);
    if (at == NULL)
        return handshake->error;
    at = gcl_put_u8(at, GCL_TAG_REPLY);
    at = gcl_put_u32(at, handshake->challenge);
    (void)gcl_put_str(at, gcl_str_make(digest, sizeof digest));
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_ACK);
    return 0;
}

/* spec: erl_dist_protocol, 4) send_challenge; more may follow the name */
int gcl_handshake_on_challenge(struct gcl_handshake *handshake, struct gcl_cursor *body,
                               struct gcl_buffer *out)
{
    uint64_t flags;
    uint16_t size;
    struct gcl_str name;
    if (!gcl_cursor_u64(body, &flags) || !gcl_cursor_u32(body, &handshake->peer_challenge) ||
        !gcl_cursor_u32(body, &handshake->peer_creation) || !gcl_cursor_u16(body, &size) ||
        !gcl_cursor_bytes(body, size, &name))
        return gcl_handshake_malformed(handshake, "the challenge");
    if (!gcl_str_equal(name, gcl_handshake_peer(handshake)))
        return gcl_handshake_fail(handshake, GCL_ENAME, "%s was expected, but %s answered",
                                  gcl_printable(gcl_handshake_peer(handshake)).text,
                                  gcl_printable(name).text);
    int error = gcl_handshake_set_flags(handshake, flags);
    if (error == 0 && handshake->is_old_name)
        error = send_complement(handshake, out);
    return error != 0 ? error : send_reply(handshake, out);
}

/* spec: erl_dist_protocol, 6) send_challenge_ack */
int gcl_handshake_on_ack(struct gcl_handshake *handshake, struct gcl_cursor *body,
                         struct gcl_buffer *out)
{
    struct gcl_str digest;
    (void)out;
    if (!gcl_cursor_bytes(body, GCL_HANDSHAKE_DIGEST_BYTES, &digest) || gcl_cursor_left(body) > 0)
        return gcl_handshake_malformed(handshake, "the acknowledgement");
    int error = gcl_handshake_check_digest(handshake, digest);
    if (error != 0)
        return error;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_DONE);
    return 0;
}

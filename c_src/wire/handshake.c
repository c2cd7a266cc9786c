/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/handshake.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "base/put.h"
#include "wire/flags.h"
#include "wire/handshake_impl.h"

enum { LENGTH_BYTES = 2, DECIMAL_BYTES = 10 };

/* --- states --------------------------------------------------------------------------------- */

#define TO(state) (1u << GCL_HANDSHAKE_##state)

/* What may follow each state; every state but the ends may also fail. */
static const unsigned followers[GCL_HANDSHAKE_STATES] = {
    [GCL_HANDSHAKE_NEW] = TO(STATUS) | TO(NAME),
    [GCL_HANDSHAKE_STATUS] = TO(ALIVE) | TO(CHALLENGE) | TO(LOST) | TO(FAILED),
    [GCL_HANDSHAKE_ALIVE] = TO(CHALLENGE) | TO(FAILED),
    [GCL_HANDSHAKE_CHALLENGE] = TO(ACK) | TO(FAILED),
    [GCL_HANDSHAKE_ACK] = TO(DONE) | TO(FAILED),
    [GCL_HANDSHAKE_NAME] = TO(ADMIT) | TO(FAILED),
    [GCL_HANDSHAKE_ADMIT] = TO(ANSWER) | TO(COMPLEMENT) | TO(REPLY) | TO(FAILED),
    [GCL_HANDSHAKE_ANSWER] = TO(COMPLEMENT) | TO(REPLY) | TO(FAILED),
    [GCL_HANDSHAKE_COMPLEMENT] = TO(REPLY) | TO(FAILED),
    [GCL_HANDSHAKE_REPLY] = TO(CONFIRM) | TO(DONE) | TO(FAILED),
    [GCL_HANDSHAKE_CONFIRM] = TO(DONE) | TO(FAILED),
};

/* The messages that each state waits for; all others are a violation of the protocol. */
static const struct rule {
    enum gcl_handshake_state state;
    enum gcl_handshake_tag tag;
    gcl_handshake_handler *handler;
} rules[] = {
    {GCL_HANDSHAKE_STATUS, GCL_TAG_STATUS, gcl_handshake_on_status},
    {GCL_HANDSHAKE_CHALLENGE, GCL_TAG_NAME, gcl_handshake_on_challenge},
    {GCL_HANDSHAKE_ACK, GCL_TAG_ACK, gcl_handshake_on_ack},
    {GCL_HANDSHAKE_NAME, GCL_TAG_NAME, gcl_handshake_on_name},
    {GCL_HANDSHAKE_NAME, GCL_TAG_OLD_NAME, gcl_handshake_on_old_name},
    {GCL_HANDSHAKE_ANSWER, GCL_TAG_STATUS, gcl_handshake_on_answer},
    {GCL_HANDSHAKE_COMPLEMENT, GCL_TAG_COMPLEMENT, gcl_handshake_on_complement},
    {GCL_HANDSHAKE_REPLY, GCL_TAG_REPLY, gcl_handshake_on_reply},
};

enum { RULES = sizeof rules / sizeof rules[0] };

const char *gcl_handshake_state_name(enum gcl_handshake_state state)
{
    static const char *const names[GCL_HANDSHAKE_STATES] = {
        [GCL_HANDSHAKE_NEW] = "not begun",
        [GCL_HANDSHAKE_STATUS] = "waiting for the status",
        [GCL_HANDSHAKE_ALIVE] = "deciding about the old connection",
        [GCL_HANDSHAKE_CHALLENGE] = "waiting for the challenge",
        [GCL_HANDSHAKE_ACK] = "waiting for the acknowledgement",
        [GCL_HANDSHAKE_NAME] = "waiting for the name",
        [GCL_HANDSHAKE_ADMIT] = "deciding about the peer",
        [GCL_HANDSHAKE_ANSWER] = "waiting for the answer to alive",
        [GCL_HANDSHAKE_COMPLEMENT] = "waiting for the complement",
        [GCL_HANDSHAKE_REPLY] = "waiting for the reply to the challenge",
        [GCL_HANDSHAKE_CONFIRM] = "replacing the old connection",
        [GCL_HANDSHAKE_DONE] = "done",
        [GCL_HANDSHAKE_LOST] = "lost to the peer's own attempt",
        [GCL_HANDSHAKE_FAILED] = "failed",
    };
    return (unsigned)state < GCL_HANDSHAKE_STATES ? names[state] : "unknown";
}

static void forget_cookie(struct gcl_handshake *handshake)
{
    gcl_wipe(handshake->cookie, sizeof handshake->cookie);
    handshake->cookie_size = 0;
}

void gcl_handshake_set_state(struct gcl_handshake *handshake, enum gcl_handshake_state state)
{
    assert((followers[handshake->state] & 1u << state) != 0);
    handshake->state = state;
    if (followers[state] == 0)
        forget_cookie(handshake);
}

int gcl_handshake_fail(struct gcl_handshake *handshake, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(handshake->detail, sizeof handshake->detail, format, arguments);
    va_end(arguments);
    handshake->error = error;
    gcl_handshake_set_state(handshake, GCL_HANDSHAKE_FAILED);
    return error;
}

int gcl_handshake_malformed(struct gcl_handshake *handshake, const char *what)
{
    return gcl_handshake_fail(handshake, GCL_EPROTO, "%s: %s is malformed",
                              gcl_handshake_state_name(handshake->state), what);
}

/* --- names ---------------------------------------------------------------------------------- */

struct gcl_printable gcl_printable(struct gcl_str str)
{
    struct gcl_printable out = {{0}};
    size_t size = str.size < sizeof out.text ? str.size : sizeof out.text - 1;
    if (size > 0)
        memcpy(out.text, str.bytes, size);
    for (size_t i = 0; i < size; i++)
        if (out.text[i] <= ' ' || out.text[i] > '~')
            out.text[i] = '?';
    if (size < str.size)
        memcpy(out.text + size - 3, "...", 3);
    return out;
}

void gcl_handshake_set_name(struct gcl_handshake_name *name, struct gcl_str text)
{
    assert(text.size <= sizeof name->bytes);
    name->size = text.size;
    if (text.size > 0)
        memcpy(name->bytes, text.bytes, text.size);
}

bool gcl_handshake_is_host(struct gcl_str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.bytes[i] <= ' ' || name.bytes[i] == 0x7F || name.bytes[i] == '@')
            return false;
    return name.size > 0 && gcl_wire_text_is_atom(name);
}

bool gcl_handshake_is_node_name(struct gcl_str name)
{
    const uint8_t *at = name.size > 0 ? memchr(name.bytes, '@', name.size) : NULL;
    if (at == NULL || !gcl_wire_text_is_atom(name))
        return false;
    size_t alive = (size_t)(at - name.bytes);
    return gcl_handshake_is_host(gcl_str_make(name.bytes, alive)) &&
           gcl_handshake_is_host(gcl_str_make(at + 1, name.size - alive - 1));
}

/* --- flags and digests ---------------------------------------------------------------------- */

int gcl_handshake_set_flags(struct gcl_handshake *handshake, uint64_t peer_flags)
{
    uint64_t missing = gcl_flags_missing(peer_flags, GCL_FLAGS_MANDATORY);
    char names[256];
    handshake->peer_flags = peer_flags;
    handshake->flags = handshake->own_flags & gcl_flags_expand(peer_flags);
    if (missing == 0)
        return 0;
    (void)gcl_flags_print(missing, names, sizeof names);
    return gcl_handshake_fail(handshake, GCL_EFLAGS, "peer lacks %s", names);
}

bool gcl_handshake_is_visible(const struct gcl_handshake *handshake)
{
    return (handshake->flags & GCL_FLAG(PUBLISHED)) != 0;
}

/* spec: erl_dist_protocol, "Distribution Handshake": cookie and challenge, the latter in decimal */
int gcl_handshake_make_digest(struct gcl_handshake *handshake, uint32_t challenge,
                              uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES])
{
    uint8_t text[GCL_HANDSHAKE_COOKIE_MAX_BYTES + DECIMAL_BYTES + 1];
    memcpy(text, handshake->cookie, handshake->cookie_size);
    int digits = snprintf((char *)text + handshake->cookie_size,
                          sizeof text - handshake->cookie_size, "%lu", (unsigned long)challenge);
    int error =
        handshake->digest(handshake->user, text, handshake->cookie_size + (size_t)digits, digest);
    gcl_wipe(text, sizeof text);
    if (error == 0)
        return 0;
    return gcl_handshake_fail(handshake, error, "%s: no digest could be made",
                              gcl_handshake_state_name(handshake->state));
}

/* Takes the same time for every difference. */
static bool secret_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

int gcl_handshake_check_digest(struct gcl_handshake *handshake, struct gcl_str digest)
{
    uint8_t expected[GCL_HANDSHAKE_DIGEST_BYTES];
    int error = gcl_handshake_make_digest(handshake, handshake->challenge, expected);
    if (error != 0)
        return error;
    bool is_right = secret_equal(expected, digest.bytes, sizeof expected);
    gcl_wipe(expected, sizeof expected);
    if (is_right)
        return 0;
    return gcl_handshake_fail(handshake, GCL_EAUTH, "%s has another cookie",
                              gcl_printable(gcl_handshake_peer(handshake)).text);
}

int gcl_handshake_set_cookie(struct gcl_handshake *handshake, struct gcl_str cookie)
{
    if (handshake->state > GCL_HANDSHAKE_ADMIT || handshake->state == GCL_HANDSHAKE_ACK)
        return GCL_EINVAL;
    if (cookie.size > sizeof handshake->cookie)
        return GCL_ELIMIT;
    forget_cookie(handshake);
    if (cookie.size > 0)
        memcpy(handshake->cookie, cookie.bytes, cookie.size);
    handshake->cookie_size = cookie.size;
    return 0;
}

/* --- packets -------------------------------------------------------------------------------- */

uint8_t *gcl_handshake_packet(struct gcl_handshake *handshake, struct gcl_buffer *out, size_t size)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(out, LENGTH_BYTES + size, &error);
    if (room == NULL) {
        (void)gcl_handshake_fail(handshake, error, "%s: no room to answer",
                                 gcl_handshake_state_name(handshake->state));
        return NULL;
    }
    gcl_buffer_added(out, LENGTH_BYTES + size);
    return gcl_put_u16(room, (uint16_t)size);
}

int gcl_handshake_send_status(struct gcl_handshake *handshake, const char *status,
                              struct gcl_buffer *out)
{
    struct gcl_str text = gcl_str_of(status);
    uint8_t *at = gcl_handshake_packet(handshake, out, 1 + text.size);
    if (at == NULL)
        return handshake->error;
    (void)gcl_put_str(gcl_put_u8(at, GCL_TAG_STATUS), text);
    return 0;
}

static bool is_reading(const struct gcl_handshake *handshake)
{
    for (size_t i = 0; i < RULES; i++)
        if (rules[i].state == handshake->state)
            return true;
    return false;
}

static int dispatch(struct gcl_handshake *handshake, struct gcl_buffer *out)
{
    struct gcl_cursor body =
        gcl_cursor_make(handshake->packet + LENGTH_BYTES, handshake->packet_size - LENGTH_BYTES);
    uint8_t tag = 0;
    (void)gcl_cursor_u8(&body, &tag);
    handshake->packet_size = 0;
    handshake->step++;
    for (size_t i = 0; i < RULES; i++)
        if (rules[i].state == handshake->state && (uint8_t)rules[i].tag == tag)
            return rules[i].handler(handshake, &body, out);
    return gcl_handshake_fail(handshake, GCL_EPROTO, "%s: a packet with the tag %u came",
                              gcl_handshake_state_name(handshake->state), tag);
}

/* Bytes of the current packet that are missing; its length comes first. */
static size_t missing(const struct gcl_handshake *handshake)
{
    if (handshake->packet_size < LENGTH_BYTES)
        return LENGTH_BYTES - handshake->packet_size;
    size_t length = (size_t)handshake->packet[0] << 8 | handshake->packet[1];
    return LENGTH_BYTES + length - handshake->packet_size;
}

static int collect(struct gcl_handshake *handshake, struct gcl_cursor *bytes)
{
    size_t wanted = missing(handshake), left = gcl_cursor_left(bytes);
    size_t size = wanted < left ? wanted : left;
    memcpy(handshake->packet + handshake->packet_size, bytes->at, size);
    bytes->at += size;
    handshake->packet_size += size;
    if (handshake->packet_size != LENGTH_BYTES)
        return 0;
    size_t length = missing(handshake);
    if (length > 0 && length <= GCL_HANDSHAKE_PACKET_MAX_BYTES)
        return 0;
    return gcl_handshake_fail(handshake, GCL_EPROTO, "%s: a packet of %zu bytes came",
                              gcl_handshake_state_name(handshake->state), length);
}

int gcl_handshake_feed(struct gcl_handshake *handshake, const void *bytes, size_t size,
                       size_t *consumed, struct gcl_buffer *out)
{
    struct gcl_cursor cursor = {0};
    if (size > 0)
        cursor = gcl_cursor_make(bytes, size);
    while (gcl_cursor_left(&cursor) > 0 && is_reading(handshake)) {
        int error = collect(handshake, &cursor);
        if (error == 0 && handshake->packet_size > LENGTH_BYTES && missing(handshake) == 0)
            error = dispatch(handshake, out);
        if (error != 0)
            break;
    }
    *consumed = size - gcl_cursor_left(&cursor);
    return handshake->error;
}

/* --- begin and end -------------------------------------------------------------------------- */

int gcl_handshake_begin(struct gcl_handshake *handshake, const struct gcl_handshake_config *config)
{
    memset(handshake, 0, sizeof *handshake);
    if (config->digest == NULL)
        return GCL_EINVAL;
    handshake->creation = config->creation;
    handshake->own_flags = config->flags;
    handshake->challenge = config->challenge;
    handshake->digest = config->digest;
    handshake->user = config->user;
    return gcl_handshake_set_cookie(handshake, config->cookie);
}

void gcl_handshake_fini(struct gcl_handshake *handshake)
{
    forget_cookie(handshake);
}

int gcl_handshake_closed(struct gcl_handshake *handshake)
{
    if (handshake->state == GCL_HANDSHAKE_DONE || handshake->error != 0)
        return handshake->error;
    if (handshake->state == GCL_HANDSHAKE_NEW)
        return GCL_ECLOSED;
    /* spec: erl_dist_protocol, 5): who does not get the digest it expected closes, no more */
    if (handshake->state == GCL_HANDSHAKE_ACK)
        return gcl_handshake_fail(handshake, GCL_EAUTH, "%s closed the connection: another cookie",
                                  gcl_printable(gcl_handshake_peer(handshake)).text);
    return gcl_handshake_fail(handshake, GCL_ECLOSED, "%s: the peer closed the connection",
                              gcl_handshake_state_name(handshake->state));
}

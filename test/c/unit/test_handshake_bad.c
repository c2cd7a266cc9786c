/* SPDX-License-Identifier: Apache-2.0 */
/* What must not come in each state of a handshake, the older first message, and no memory. */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "base/put.h"
#include "support/shake.h"
#include "wire/flags.h"

static struct gcl_str none;

struct bytes {
    size_t size;
    uint8_t at[4096];
};

/* A packet with this tag and body. */
static struct bytes packet(uint8_t tag, const void *body, size_t size)
{
    struct bytes bytes;
    uint8_t *at = gcl_put_u16(bytes.at, (uint16_t)(1 + size));
    at = gcl_put_u8(at, tag);
    at = gcl_put_str(at, gcl_str_make(body, size));
    bytes.size = (size_t)(at - bytes.at);
    return bytes;
}

/* A first message, with `more` bytes behind the name. */
static struct bytes name_packet(const char *name, uint64_t flags, size_t more)
{
    uint8_t body[2048] = {0}, *at = body;
    size_t size = strlen(name);
    at = gcl_put_u64(at, flags);
    at = gcl_put_u32(at, 17);
    at = gcl_put_u16(at, (uint16_t)size);
    at = gcl_put_str(at, gcl_str_of(name));
    return packet('N', body, (size_t)(at - body) + more);
}

static struct bytes challenge_packet(const char *name, size_t more)
{
    uint8_t body[2048] = {0}, *at = body;
    at = gcl_put_u64(at, GCL_FLAGS_RECOMMENDED);
    at = gcl_put_u32(at, 5);
    at = gcl_put_u32(at, 17);
    at = gcl_put_u16(at, (uint16_t)strlen(name));
    at = gcl_put_str(at, gcl_str_of(name));
    return packet('N', body, (size_t)(at - body) + more);
}

static struct bytes old_name_packet(const char *name, uint16_t version, uint32_t flags)
{
    uint8_t body[2048] = {0}, *at = body;
    at = gcl_put_u16(at, version);
    at = gcl_put_u32(at, flags);
    at = gcl_put_str(at, gcl_str_of(name));
    return packet('n', body, (size_t)(at - body));
}

static struct bytes status_packet(const char *status)
{
    return packet('s', status, strlen(status));
}

/* --- one side alone, brought into a state --------------------------------------------------- */

struct alone {
    gcl_test_memory mem;
    struct gcl_shake_side side;
};

static int feed(struct alone *alone, struct bytes bytes)
{
    uint64_t seed = 0;
    (void)gcl_shake_feed(&alone->side, bytes.at, bytes.size, &seed);
    return alone->side.error;
}

static void begin(struct alone *alone, bool is_initiator)
{
    struct gcl_handshake_config config = gcl_shake_config(is_initiator);
    memset(alone, 0, sizeof *alone);
    gcl_buffer_init(&alone->side.out, gcl_test_begin(&alone->mem), 0);
    if (is_initiator)
        cr_assert_eq(gcl_handshake_connect(&alone->side.handshake, &config, &alone->side.out), 0);
    else
        cr_assert_eq(gcl_handshake_accept(&alone->side.handshake, &config), 0);
}

static void end(struct alone *alone)
{
    gcl_handshake_fini(&alone->side.handshake);
    gcl_buffer_fini(&alone->side.out);
    gcl_test_end(&alone->mem);
}

static void admit(struct alone *alone, enum gcl_handshake_status status)
{
    cr_assert_eq(gcl_handshake_admit(&alone->side.handshake, status, none, 0, &alone->side.out), 0);
}

static void bring_into(struct alone *alone, enum gcl_handshake_state state)
{
    begin(alone, state < GCL_HANDSHAKE_NAME);
    if (state == GCL_HANDSHAKE_CHALLENGE || state == GCL_HANDSHAKE_ACK)
        cr_assert_eq(feed(alone, status_packet("ok")), 0);
    if (state == GCL_HANDSHAKE_ACK)
        cr_assert_eq(feed(alone, challenge_packet("b@host", 0)), 0);
    if (state == GCL_HANDSHAKE_ALIVE)
        cr_assert_eq(feed(alone, status_packet("alive")), 0);
    if (state == GCL_HANDSHAKE_COMPLEMENT)
        cr_assert_eq(feed(alone, old_name_packet("a@host", 5, (uint32_t)GCL_FLAGS_RECOMMENDED)), 0);
    else if (state > GCL_HANDSHAKE_NAME)
        cr_assert_eq(feed(alone, name_packet("a@host", GCL_FLAGS_RECOMMENDED, 0)), 0);
    if (state == GCL_HANDSHAKE_ANSWER)
        admit(alone, GCL_HANDSHAKE_ASK_ALIVE);
    if (state == GCL_HANDSHAKE_COMPLEMENT || state == GCL_HANDSHAKE_REPLY)
        admit(alone, GCL_HANDSHAKE_OK);
    cr_assert_eq(gcl_handshake_state(&alone->side.handshake), state);
}

static const struct {
    enum gcl_handshake_state state;
    const char *tags; /* that are taken there */
    const char *name;
} reading[] = {
    {GCL_HANDSHAKE_STATUS, "s", "waiting for the status"},
    {GCL_HANDSHAKE_CHALLENGE, "N", "waiting for the challenge"},
    {GCL_HANDSHAKE_ACK, "a", "waiting for the acknowledgement"},
    {GCL_HANDSHAKE_NAME, "Nn", "waiting for the name"},
    {GCL_HANDSHAKE_ANSWER, "s", "waiting for the answer to alive"},
    {GCL_HANDSHAKE_COMPLEMENT, "c", "waiting for the complement"},
    {GCL_HANDSHAKE_REPLY, "r", "waiting for the reply to the challenge"},
};

enum { READING = sizeof reading / sizeof reading[0] };

/* --- what must not come --------------------------------------------------------------------- */

Test(handshake_bad, every_other_message_in_every_state)
{
    for (size_t i = 0; i < READING; i++) {
        for (unsigned tag = 0; tag < 256; tag++) {
            struct alone alone;
            bring_into(&alone, reading[i].state);
            if (tag != 0 && strchr(reading[i].tags, (int)tag) != NULL) {
                end(&alone);
                continue;
            }
            cr_assert_eq(feed(&alone, packet((uint8_t)tag, "0123456789012345678901", 22)),
                         GCL_EPROTO);
            cr_assert_eq(gcl_handshake_state(&alone.side.handshake), GCL_HANDSHAKE_FAILED);
            cr_assert_not_null(strstr(alone.side.handshake.detail, reading[i].name), "%s",
                               alone.side.handshake.detail);
            end(&alone);
        }
    }
}

Test(handshake_bad, every_truncation_of_every_message)
{
    static const struct {
        enum gcl_handshake_state state;
        char tag;
        size_t size; /* of the shortest body that is whole */
    } table[] = {
        {GCL_HANDSHAKE_CHALLENGE, 'N', 18 + 6}, {GCL_HANDSHAKE_ACK, 'a', 16},
        {GCL_HANDSHAKE_NAME, 'N', 14 + 6},      {GCL_HANDSHAKE_NAME, 'n', 6 + 6},
        {GCL_HANDSHAKE_COMPLEMENT, 'c', 8},     {GCL_HANDSHAKE_REPLY, 'r', 20},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t size = 0; size < table[i].size; size++) {
            struct bytes whole =
                table[i].state == GCL_HANDSHAKE_CHALLENGE ? challenge_packet("b@host", 0)
                : table[i].tag == 'N' ? name_packet("a@host", GCL_FLAGS_RECOMMENDED, 0)
                : table[i].tag == 'n'
                    ? old_name_packet("a@host", 5, (uint32_t)GCL_FLAGS_RECOMMENDED)
                    : packet((uint8_t)table[i].tag, (uint8_t[32]){0}, 32);
            struct alone alone;
            bring_into(&alone, table[i].state);
            int error = feed(&alone, packet((uint8_t)table[i].tag, whole.at + 3, size));
            /* What is left of a name at the end of a packet may still look like one. */
            if (table[i].tag == 'n' && size > 6 + 2)
                cr_assert_eq(error, 0);
            else
                cr_assert(error == GCL_EPROTO || error == GCL_ENAME, "%c %zu: %d", table[i].tag,
                          size, error);
            end(&alone);
        }
    }
}

Test(handshake_bad, lengths_of_packets)
{
    for (size_t i = 0; i < READING; i++) {
        static const struct {
            uint16_t length;
            int error;
        } lengths[] = {{0, GCL_EPROTO},
                       {1, 0},
                       {GCL_HANDSHAKE_PACKET_MAX_BYTES, 0},
                       {GCL_HANDSHAKE_PACKET_MAX_BYTES + 1, GCL_EPROTO},
                       {UINT16_MAX, GCL_EPROTO}};
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            struct alone alone;
            struct bytes head = {.size = 2};
            bring_into(&alone, reading[i].state);
            (void)gcl_put_u16(head.at, lengths[j].length);
            cr_assert_eq(feed(&alone, head), lengths[j].error);
            end(&alone);
        }
    }
}

Test(handshake_bad, statuses_that_are_none)
{
    static const char *const wrong[] = {"",       "o",           "okay",   "OK",
                                        "ok ",    "true",        "alive!", "named",
                                        "named:", "named:\0\1x", "nok_",   "\xFF\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct alone alone;
        bring_into(&alone, GCL_HANDSHAKE_STATUS);
        cr_assert_eq(feed(&alone, status_packet(wrong[i])), GCL_EPROTO, "%s", wrong[i]);
        for (const char *at = alone.side.handshake.detail; *at != '\0'; at++)
            cr_assert(*at >= ' ' && *at <= '~', "the detail cannot be printed");
        end(&alone);
        bring_into(&alone, GCL_HANDSHAKE_ANSWER);
        if (strcmp(wrong[i], "true") != 0)
            cr_assert_eq(feed(&alone, status_packet(wrong[i])), GCL_EPROTO);
        end(&alone);
    }
}

Test(handshake_bad, who_asks_for_a_name_gets_one)
{
    static const struct {
        const char *bytes;
        size_t size;
        int error;
    } table[] = {
        {"ok", 2, GCL_EPROTO},
        {"ok_simultaneous", 15, GCL_EPROTO},
        {"named:", 6, GCL_EPROTO},
        {"named:\0\6x@host\0\0\0", 17, GCL_EPROTO},
        {"named:\0\6x@host\0\0\0\5", 18, 0},
        {"named:\0\6x@host\0\0\0\5more", 22, 0},
        {"named:\0\1x\0\0\0\5", 13, GCL_ENAME},
        {"named:\0\0\0\0\0\5", 12, GCL_ENAME},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct gcl_handshake_config config = gcl_shake_config(true);
        struct alone alone;
        config.name = gcl_str_of("host");
        memset(&alone, 0, sizeof alone);
        gcl_buffer_init(&alone.side.out, gcl_test_begin(&alone.mem), 0);
        cr_assert_eq(gcl_handshake_connect(&alone.side.handshake, &config, &alone.side.out), 0);
        cr_assert_eq(feed(&alone, packet('s', table[i].bytes, table[i].size)), table[i].error,
                     "%zu", i);
        end(&alone);
    }
}

/* spec: what follows the name is for later versions of the protocol */
Test(handshake_bad, bytes_behind_a_name_are_ignored)
{
    struct alone alone;
    bring_into(&alone, GCL_HANDSHAKE_NAME);
    cr_assert_eq(feed(&alone, name_packet("a@host", GCL_FLAGS_RECOMMENDED, 100)), 0);
    cr_assert(gcl_str_is(gcl_handshake_peer(&alone.side.handshake), "a@host"));
    cr_assert_eq(alone.side.handshake.peer_creation, 17);
    end(&alone);
    bring_into(&alone, GCL_HANDSHAKE_CHALLENGE);
    cr_assert_eq(feed(&alone, challenge_packet("b@host", 100)), 0);
    end(&alone);
}

Test(handshake_bad, names_that_are_none)
{
    static const char *const wrong[] = {"", "a", "a@", "@host", "a@b@c", "a@h\n", "\xFF@host"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct alone alone;
        bring_into(&alone, GCL_HANDSHAKE_NAME);
        cr_assert_eq(feed(&alone, name_packet(wrong[i], GCL_FLAGS_RECOMMENDED, 0)), GCL_ENAME);
        end(&alone);
    }
    struct alone alone;
    char longest[300];
    memset(longest, 'n', sizeof longest);
    longest[1] = '@';
    longest[256] = '\0';
    bring_into(&alone, GCL_HANDSHAKE_NAME);
    cr_assert_eq(feed(&alone, name_packet(longest, GCL_FLAGS_RECOMMENDED, 0)), GCL_ENAME);
    end(&alone);
    longest[255] = '\0';
    bring_into(&alone, GCL_HANDSHAKE_NAME);
    cr_assert_eq(feed(&alone, name_packet(longest, GCL_FLAGS_RECOMMENDED, 0)), 0);
    end(&alone);
    /* Who asks for a name has none. */
    bring_into(&alone, GCL_HANDSHAKE_NAME);
    uint64_t name_me = GCL_FLAGS_RECOMMENDED | GCL_FLAG(NAME_ME);
    cr_assert_eq(feed(&alone, name_packet("a@host", name_me, 0)), GCL_ENAME);
    end(&alone);
}

/* --- the older first message ---------------------------------------------------------------- */

Test(handshake_bad, the_older_first_message_is_completed_later)
{
    struct alone alone;
    struct gcl_handshake *handshake = &alone.side.handshake;
    bring_into(&alone, GCL_HANDSHAKE_COMPLEMENT);
    cr_assert_eq(handshake->flags & GCL_FLAG(SPAWN), 0);
    uint8_t body[20];
    (void)gcl_put_u64(body, UINT64_C(0x000000010000002A)); /* SPAWN, creation 42 */
    cr_assert_eq(feed(&alone, packet('c', body, 8)), 0);
    cr_assert_eq(gcl_handshake_state(handshake), GCL_HANDSHAKE_REPLY);
    cr_assert_eq(handshake->peer_creation, 42);
    cr_assert_eq(handshake->flags & GCL_FLAG(SPAWN), GCL_FLAG(SPAWN));
    cr_assert_eq(handshake->flags & GCL_FLAG(ALIAS), 0);
    (void)gcl_put_u32(body, 1);
    cr_assert_eq(gcl_shake_md5(NULL, (const uint8_t *)"the cookie0", 11, body + 4), 0);
    cr_assert_eq(feed(&alone, packet('r', body, 20)), 0);
    cr_assert_eq(gcl_handshake_state(handshake), GCL_HANDSHAKE_DONE);
    end(&alone);
}

Test(handshake_bad, the_older_first_message_by_status_alive)
{
    struct alone alone;
    begin(&alone, false);
    cr_assert_eq(feed(&alone, old_name_packet("a@host", 6, (uint32_t)GCL_FLAGS_RECOMMENDED)), 0);
    admit(&alone, GCL_HANDSHAKE_ASK_ALIVE);
    cr_assert_eq(feed(&alone, status_packet("true")), 0);
    cr_assert_eq(gcl_handshake_state(&alone.side.handshake), GCL_HANDSHAKE_COMPLEMENT);
    end(&alone);
}

Test(handshake_bad, the_older_first_message_of_older_nodes)
{
    struct alone alone;
    begin(&alone, false);
    cr_assert_eq(feed(&alone, old_name_packet("a@host", 4, (uint32_t)GCL_FLAGS_RECOMMENDED)),
                 GCL_EPROTO);
    end(&alone);
    begin(&alone, false);
    uint32_t flags = (uint32_t)(GCL_FLAGS_MANDATORY & ~GCL_FLAG(HANDSHAKE_23));
    cr_assert_eq(feed(&alone, old_name_packet("a@host", 5, flags)), GCL_EFLAGS);
    cr_assert_str_eq(alone.side.handshake.detail, "peer lacks HANDSHAKE_23");
    end(&alone);
}

/* --- the ends ------------------------------------------------------------------------------- */

Test(handshake_bad, a_peer_that_closes_is_reported_with_the_state)
{
    for (size_t i = 0; i < READING; i++) {
        struct alone alone;
        bring_into(&alone, reading[i].state);
        bool is_ack = reading[i].state == GCL_HANDSHAKE_ACK;
        int error = is_ack ? GCL_EAUTH : GCL_ECLOSED;
        cr_assert_eq(gcl_handshake_closed(&alone.side.handshake), error);
        cr_assert_not_null(
            strstr(alone.side.handshake.detail, is_ack ? "cookie" : reading[i].name));
        cr_assert_eq(gcl_handshake_closed(&alone.side.handshake), error, "not said twice");
        end(&alone);
    }
}

Test(handshake_bad, what_follows_the_handshake_stays_with_the_caller)
{
    static const uint8_t behind[] = {0, 0, 0, 0, 0, 0, 0, 1, 112};
    struct gcl_handshake_config a = gcl_shake_config(true), b = gcl_shake_config(false);
    struct gcl_shake shake;
    size_t used;
    gcl_shake_begin(&shake, &a, &b, 1);
    gcl_shake_run(&shake);
    cr_assert_eq(gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_OK, none, 0, &shake.b.out),
                 0);
    /* Status and challenge in one piece, then reply, then acknowledgement and first frames. */
    for (int side = 0; side < 3; side++) {
        struct gcl_shake_side *from = side % 2 == 0 ? &shake.b : &shake.a;
        struct gcl_shake_side *to = side % 2 == 0 ? &shake.a : &shake.b;
        size_t size = gcl_buffer_size(&from->out);
        if (side == 2)
            cr_assert_eq(gcl_buffer_append(&from->out, behind, sizeof behind), 0);
        cr_assert_eq(gcl_handshake_feed(&to->handshake, gcl_buffer_bytes(&from->out),
                                        gcl_buffer_size(&from->out), &used, &to->out),
                     0);
        cr_assert_eq(used, size);
        gcl_buffer_take(&from->out, used);
    }
    cr_assert_eq(gcl_handshake_state(&shake.a.handshake), GCL_HANDSHAKE_DONE);
    cr_assert_eq(gcl_buffer_size(&shake.b.out), sizeof behind);
    cr_assert_eq(gcl_handshake_feed(&shake.a.handshake, behind, 9, &used, &shake.a.out), 0);
    cr_assert_eq(used, 0);
    gcl_shake_end(&shake);
}

/* A peer that does not wait for our decision. */
Test(handshake_bad, a_stopped_machine_takes_nothing)
{
    static const enum gcl_handshake_state stopped[] = {GCL_HANDSHAKE_ALIVE, GCL_HANDSHAKE_ADMIT};
    for (size_t i = 0; i < 2; i++) {
        struct alone alone;
        size_t used = 1;
        bring_into(&alone, stopped[i]);
        cr_assert_eq(
            gcl_handshake_feed(&alone.side.handshake, "\0\3sok", 5, &used, &alone.side.out), 0);
        cr_assert_eq(used, 0);
        end(&alone);
    }
}

Test(handshake_bad, calls_in_other_states_change_nothing)
{
    for (size_t i = 0; i < READING; i++) {
        struct alone alone;
        struct gcl_handshake *handshake = &alone.side.handshake;
        struct gcl_buffer *out = &alone.side.out;
        bring_into(&alone, reading[i].state);
        size_t size = gcl_buffer_size(out);
        cr_assert_eq(gcl_handshake_answer(handshake, true, out), GCL_EINVAL);
        cr_assert_eq(gcl_handshake_confirm(handshake, out), GCL_EINVAL);
        cr_assert_eq(gcl_handshake_admit(handshake, GCL_HANDSHAKE_OK, none, 0, out), GCL_EINVAL);
        cr_assert_eq(gcl_handshake_state(handshake), reading[i].state);
        cr_assert_eq(gcl_buffer_size(out), size);
        end(&alone);
    }
    struct alone alone;
    bring_into(&alone, GCL_HANDSHAKE_ADMIT);
    cr_assert_eq(gcl_handshake_admit(&alone.side.handshake, (enum gcl_handshake_status)99, none, 0,
                                     &alone.side.out),
                 GCL_EINVAL);
    cr_assert_eq(gcl_handshake_state(&alone.side.handshake), GCL_HANDSHAKE_ADMIT);
    end(&alone);
}

/* Each packet begins in a buffer without room, so that each one is a chance to fail. */
static void run_with(struct gcl_shake *shake, enum gcl_handshake_status status)
{
    struct gcl_shake_side *a = &shake->a, *b = &shake->b;
    gcl_shake_run(shake);
    if (gcl_handshake_state(&b->handshake) == GCL_HANDSHAKE_ADMIT)
        b->error = gcl_handshake_admit(&b->handshake, status, none, 0, &b->out);
    gcl_shake_run(shake);
    if (gcl_handshake_state(&a->handshake) == GCL_HANDSHAKE_ALIVE)
        a->error = gcl_handshake_answer(&a->handshake, true, &a->out);
    gcl_buffer_shrink(&b->out, 0);
    gcl_shake_run(shake);
    if (gcl_handshake_state(&b->handshake) == GCL_HANDSHAKE_CONFIRM)
        b->error = gcl_handshake_confirm(&b->handshake, &b->out);
    gcl_shake_run(shake);
}

static bool is_over(const struct gcl_shake *shake)
{
    return gcl_handshake_state(&shake->a.handshake) == GCL_HANDSHAKE_DONE &&
           gcl_handshake_state(&shake->b.handshake) == GCL_HANDSHAKE_DONE;
}

Test(handshake_bad, without_memory_it_fails_and_leaks_nothing)
{
    static const enum gcl_handshake_status statuses[] = {GCL_HANDSHAKE_OK, GCL_HANDSHAKE_ASK_ALIVE};
    for (size_t i = 0; i < 2; i++) {
        bool over = false;
        for (size_t n = 1; !over; n++) {
            struct gcl_handshake_config a = gcl_shake_config(true), b = gcl_shake_config(false);
            struct gcl_shake shake;
            gcl_shake_begin(&shake, &a, &b, 1);
            gcl_buffer_fini(&shake.a.out);
            gcl_test_fail_at(&shake.mem, n);
            shake.a.error = gcl_handshake_connect(&shake.a.handshake, &a, &shake.a.out);
            run_with(&shake, statuses[i]);
            over = is_over(&shake);
            cr_assert(over || shake.a.error == GCL_ENOMEM || shake.b.error == GCL_ENOMEM);
            cr_assert(n < 20);
            gcl_shake_end(&shake);
        }
    }
}

Test(handshake_bad, every_state_has_a_name)
{
    for (int state = 0; state < GCL_HANDSHAKE_STATES; state++)
        cr_assert_not_null(gcl_handshake_state_name((enum gcl_handshake_state)state));
    cr_assert_str_eq(gcl_handshake_state_name(GCL_HANDSHAKE_STATES), "unknown");
}

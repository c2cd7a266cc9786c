/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides against each other and against the bytes of OTP. */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "base/cursor.h"
#include "support/golden.h"
#include "support/shake.h"
#include "wire/flags.h"

static struct gcl_str none;

static struct gcl_str held(const struct gcl_buffer *buffer)
{
    return gcl_str_make(gcl_buffer_bytes(buffer), gcl_buffer_size(buffer));
}

/* --- golden --------------------------------------------------------------------------------- */

/* The fields of the packets that OTP sent: a config with which we have to send the same. */
static struct gcl_handshake_config config_of(struct gcl_golden_file *file, bool is_initiator)
{
    struct gcl_handshake_config config = gcl_shake_config(is_initiator);
    struct gcl_str name = file->lines[is_initiator ? 0 : 2].packet;
    struct gcl_str reply = file->lines[3].packet;
    struct gcl_cursor at = gcl_cursor_make(name.bytes + 3, name.size - 3);
    struct gcl_cursor at_reply = gcl_cursor_make(reply.bytes + 3, reply.size - 3);
    uint16_t size;
    cr_assert(gcl_cursor_u64(&at, &config.flags));
    if (is_initiator)
        cr_assert(gcl_cursor_u32(&at_reply, &config.challenge));
    else
        cr_assert(gcl_cursor_u32(&at, &config.challenge));
    cr_assert(gcl_cursor_u32(&at, &config.creation) && gcl_cursor_u16(&at, &size) &&
              gcl_cursor_bytes(&at, size, &config.name));
    config.cookie = gcl_str_of("golden");
    config.peer = gcl_str_of("b@127.0.0.1");
    return config;
}

/* Plays one side; what it says must be what OTP said there. */
static void play(struct gcl_golden_file *file, bool is_initiator, uint64_t seed)
{
    gcl_test_memory mem;
    struct gcl_shake_side side = {0};
    struct gcl_handshake *handshake = &side.handshake;
    struct gcl_handshake_config config = config_of(file, is_initiator);
    gcl_buffer_init(&side.out, gcl_test_begin(&mem), 0);
    if (is_initiator)
        cr_assert_eq(gcl_handshake_connect(handshake, &config, &side.out), 0);
    else
        cr_assert_eq(gcl_handshake_accept(handshake, &config), 0);
    for (size_t i = 0; i < file->count; i++) {
        struct gcl_str packet = file->lines[i].packet;
        if ((file->lines[i].side == '>') == is_initiator) {
            cr_assert_geq(gcl_buffer_size(&side.out), packet.size, "line %zu is missing", i);
            cr_assert_eq(memcmp(gcl_buffer_bytes(&side.out), packet.bytes, packet.size), 0,
                         "line %zu is not what OTP sends", i);
            gcl_buffer_take(&side.out, packet.size);
            continue;
        }
        cr_assert_eq(gcl_shake_feed(&side, packet.bytes, packet.size, &seed), packet.size);
        cr_assert_eq(side.error, 0, "line %zu: %s", i, handshake->detail);
        if (gcl_handshake_state(handshake) == GCL_HANDSHAKE_ADMIT)
            cr_assert_eq(gcl_handshake_admit(handshake, GCL_HANDSHAKE_OK, none, 0, &side.out), 0);
    }
    cr_assert_eq(gcl_handshake_state(handshake), GCL_HANDSHAKE_DONE);
    cr_assert_eq(gcl_buffer_size(&side.out), 0);
    cr_assert(
        gcl_str_is(gcl_handshake_peer(handshake), is_initiator ? "b@127.0.0.1" : "a@127.0.0.1"));
    cr_assert_eq(handshake->flags, config.flags);
    cr_assert_eq(handshake->peer_creation, config_of(file, !is_initiator).creation);
    cr_assert(gcl_handshake_is_visible(handshake));
    gcl_handshake_fini(handshake);
    gcl_buffer_fini(&side.out);
    gcl_test_end(&mem);
}

Test(handshake, golden_bytes_on_both_sides_at_any_split)
{
    struct gcl_golden_file file = gcl_golden_load("handshake.txt");
    uint64_t seed = gcl_test_seed();
    cr_assert_eq(file.count, 5);
    for (int round = 0; round < 100; round++) {
        uint64_t split = round == 0 ? 0 : gcl_test_random(&seed);
        play(&file, true, split);
        play(&file, false, split);
    }
    gcl_golden_free(&file);
}

/* --- every status --------------------------------------------------------------------------- */

/* Up to the acceptor's decision and what it says. */
static void admit(struct gcl_shake *shake, const struct gcl_handshake_config *a,
                  enum gcl_handshake_status status, const char *name)
{
    struct gcl_handshake_config b = gcl_shake_config(false);
    gcl_shake_begin(shake, a, &b, 0);
    cr_assert_eq(shake->a.error, 0);
    gcl_shake_run(shake);
    cr_assert_eq(gcl_handshake_state(&shake->b.handshake), GCL_HANDSHAKE_ADMIT);
    shake->b.error =
        gcl_handshake_admit(&shake->b.handshake, status, gcl_str_of(name), 4711, &shake->b.out);
    gcl_shake_run(shake);
}

static void both_done(struct gcl_shake *shake, const char *name_of_a)
{
    struct gcl_handshake *a = &shake->a.handshake, *b = &shake->b.handshake;
    cr_assert_eq(gcl_handshake_state(a), GCL_HANDSHAKE_DONE, "%s", a->detail);
    cr_assert_eq(gcl_handshake_state(b), GCL_HANDSHAKE_DONE, "%s", b->detail);
    cr_assert(gcl_str_is(gcl_handshake_peer(a), "b@host"));
    cr_assert(gcl_str_is(gcl_handshake_peer(b), name_of_a));
    cr_assert(gcl_str_is(gcl_handshake_name(a), name_of_a));
    cr_assert_eq(a->flags, b->flags);
    cr_assert_eq(a->creation, b->peer_creation);
    cr_assert_eq(a->peer_creation, 200);
    cr_assert_eq(gcl_handshake_closed(a), 0);
    gcl_shake_end(shake);
}

static void both_ended(struct gcl_shake *shake, enum gcl_handshake_state state, int error_of_a,
                       int error_of_b)
{
    struct gcl_handshake *a = &shake->a.handshake, *b = &shake->b.handshake;
    cr_assert_eq(gcl_handshake_state(a), state);
    cr_assert_eq(gcl_handshake_state(b), GCL_HANDSHAKE_FAILED);
    cr_assert_eq(shake->a.error, error_of_a);
    cr_assert_eq(a->error, error_of_a);
    cr_assert_eq(shake->b.error, error_of_b);
    cr_assert_neq(a->detail[0], 0);
    cr_assert_neq(b->detail[0], 0);
    cr_assert_eq(gcl_handshake_closed(a), error_of_a);
    gcl_shake_end(shake);
}

Test(handshake, status_ok)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert(gcl_handshake_is_visible(&shake.a.handshake));
    both_done(&shake, "a@host");
}

/* What `n` has no room for comes later: flags above the lowest 32 and the creation. */
Test(handshake, the_older_first_message_of_an_initiator)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.is_older = true;
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert_neq(shake.b.handshake.flags & GCL_FLAG(SPAWN), 0);
    both_done(&shake, "a@host");
}

Test(handshake, status_ok_simultaneous)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_OK_SIMULTANEOUS, "");
    both_done(&shake, "a@host");
}

Test(handshake, status_nok_is_an_outcome_of_its_own)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_NOK, "");
    both_ended(&shake, GCL_HANDSHAKE_LOST, GCL_ECANCELED, GCL_ECANCELED);
}

Test(handshake, status_not_allowed)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_NOT_ALLOWED, "");
    both_ended(&shake, GCL_HANDSHAKE_FAILED, GCL_EREFUSED, GCL_EREFUSED);
}

Test(handshake, status_alive_answered_with_true_stops_before_the_old_one_is_replaced)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_ASK_ALIVE, "");
    cr_assert_eq(gcl_handshake_state(&shake.a.handshake), GCL_HANDSHAKE_ALIVE);
    cr_assert_eq(gcl_handshake_state(&shake.b.handshake), GCL_HANDSHAKE_ANSWER);
    unsigned step = gcl_handshake_step(&shake.a.handshake);
    cr_assert_eq(gcl_handshake_answer(&shake.a.handshake, true, &shake.a.out), 0);
    cr_assert_neq(gcl_handshake_step(&shake.a.handshake), step);
    gcl_shake_run(&shake);
    cr_assert_eq(gcl_handshake_state(&shake.b.handshake), GCL_HANDSHAKE_CONFIRM);
    cr_assert_eq(gcl_handshake_state(&shake.a.handshake), GCL_HANDSHAKE_ACK);
    cr_assert_eq(gcl_handshake_confirm(&shake.b.handshake, &shake.b.out), 0);
    gcl_shake_run(&shake);
    both_done(&shake, "a@host");
}

/* Who does not know the cookie cannot make us give up the old connection. */
Test(handshake, status_alive_answered_with_true_by_a_stranger)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.cookie = gcl_str_of("a guess");
    admit(&shake, &a, GCL_HANDSHAKE_ASK_ALIVE, "");
    cr_assert_eq(gcl_handshake_answer(&shake.a.handshake, true, &shake.a.out), 0);
    gcl_shake_run(&shake);
    cr_assert_eq(gcl_handshake_state(&shake.b.handshake), GCL_HANDSHAKE_FAILED);
    cr_assert_eq(shake.b.error, GCL_EAUTH);
    gcl_shake_end(&shake);
}

Test(handshake, status_alive_answered_with_false)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    admit(&shake, &a, GCL_HANDSHAKE_ASK_ALIVE, "");
    shake.a.error = gcl_handshake_answer(&shake.a.handshake, false, &shake.a.out);
    gcl_shake_run(&shake);
    both_ended(&shake, GCL_HANDSHAKE_FAILED, GCL_ECANCELED, GCL_ECANCELED);
}

Test(handshake, status_named_gives_a_name)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.name = gcl_str_of("host");
    admit(&shake, &a, GCL_HANDSHAKE_NAMED, "guest@host");
    cr_assert_eq(shake.a.handshake.creation, 4711);
    cr_assert_eq(shake.b.handshake.own_flags & GCL_FLAG(NAME_ME), GCL_FLAG(NAME_ME));
    cr_assert(!gcl_handshake_is_visible(&shake.a.handshake));
    cr_assert(!gcl_handshake_is_visible(&shake.b.handshake));
    both_done(&shake, "guest@host");
}

Test(handshake, status_named_only_for_a_host_and_only_a_name_of_it)
{
    struct gcl_handshake_config a = gcl_shake_config(true), b = gcl_shake_config(false);
    static const char *const wrong[] = {"",           "guest",       "guest@other", "@host",
                                        "g@est@host", "guest@xhost", "host"};
    struct gcl_shake shake;
    a.name = gcl_str_of("host");
    gcl_shake_begin(&shake, &a, &b, 0);
    gcl_shake_run(&shake);
    cr_assert(shake.b.handshake.wants_name);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_NAMED,
                                         gcl_str_of(wrong[i]), 4, &shake.b.out),
                     GCL_EINVAL);
    cr_assert_eq(gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_OK, none, 0, &shake.b.out),
                 GCL_EINVAL);
    cr_assert_eq(gcl_buffer_size(&shake.b.out), 0);
    gcl_shake_end(&shake);

    a.name = gcl_str_of("a@host");
    gcl_shake_begin(&shake, &a, &b, 0);
    gcl_shake_run(&shake);
    cr_assert_eq(gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_NAMED,
                                     gcl_str_of("guest@host"), 4, &shake.b.out),
                 GCL_EINVAL);
    gcl_shake_end(&shake);
}

/* --- cookies and digests -------------------------------------------------------------------- */

Test(handshake, wrong_cookie_is_seen_by_the_acceptor_and_told_by_closing)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.cookie = gcl_str_of("the cookiE");
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert_eq(shake.b.error, GCL_EAUTH);
    cr_assert_str_eq(shake.b.handshake.detail, "a@host has another cookie");
    cr_assert_eq(gcl_buffer_size(&shake.b.out), 0);
    cr_assert_eq(gcl_handshake_state(&shake.a.handshake), GCL_HANDSHAKE_ACK);
    shake.a.error = gcl_handshake_closed(&shake.a.handshake);
    both_ended(&shake, GCL_HANDSHAKE_FAILED, GCL_EAUTH, GCL_EAUTH);
}

Test(handshake, wrong_acknowledgement_is_seen_by_the_initiator)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    for (size_t bit = 0; bit < 8 * GCL_HANDSHAKE_DIGEST_BYTES; bit++) {
        struct gcl_handshake_config b = gcl_shake_config(false);
        struct gcl_shake shake;
        gcl_shake_begin(&shake, &a, &b, 1);
        gcl_shake_run(&shake);
        cr_assert_eq(
            gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_OK, none, 0, &shake.b.out), 0);
        uint64_t seed = 0;
        struct gcl_str said = held(&shake.b.out);
        cr_assert_eq(gcl_shake_feed(&shake.a, said.bytes, said.size, &seed), said.size);
        gcl_buffer_clear(&shake.b.out);
        said = held(&shake.a.out);
        cr_assert_eq(gcl_shake_feed(&shake.b, said.bytes, said.size, &seed), said.size);
        gcl_buffer_clear(&shake.a.out);
        shake.b.out.bytes[shake.b.out.start + 3 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        gcl_shake_run(&shake);
        cr_assert_eq(shake.a.error, GCL_EAUTH);
        gcl_shake_end(&shake);
    }
}

Test(handshake, cookies_are_wiped_at_the_end_and_may_be_of_one_peer)
{
    struct gcl_handshake_config a = gcl_shake_config(true), b = gcl_shake_config(false);
    struct gcl_shake shake;
    static const uint8_t zero[GCL_HANDSHAKE_COOKIE_MAX_BYTES];
    static char longest[GCL_HANDSHAKE_COOKIE_MAX_BYTES + 1];
    memset(longest, 'c', sizeof longest);
    gcl_shake_begin(&shake, &a, &b, 0);
    cr_assert_eq(
        gcl_handshake_set_cookie(&shake.a.handshake, gcl_str_make(longest, sizeof longest)),
        GCL_ELIMIT);
    struct gcl_str other = gcl_str_make(longest, sizeof longest - 1);
    cr_assert_eq(gcl_handshake_set_cookie(&shake.a.handshake, other), 0);
    gcl_shake_run(&shake);
    cr_assert_eq(gcl_handshake_set_cookie(&shake.b.handshake, other), 0);
    cr_assert_eq(gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_OK, none, 0, &shake.b.out),
                 0);
    cr_assert_eq(gcl_handshake_set_cookie(&shake.b.handshake, other), GCL_EINVAL);
    gcl_shake_run(&shake);
    cr_assert_eq(memcmp(shake.a.handshake.cookie, zero, sizeof zero), 0);
    cr_assert_eq(memcmp(shake.b.handshake.cookie, zero, sizeof zero), 0);
    both_done(&shake, "a@host");
}

static int broken_digest(void *user, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    (void)user, (void)bytes, (void)size, (void)digest;
    return GCL_ENOTSUP;
}

Test(handshake, a_digest_that_cannot_be_made_ends_it)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.digest = broken_digest;
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert_eq(shake.a.error, GCL_ENOTSUP);
    cr_assert_eq(gcl_handshake_state(&shake.a.handshake), GCL_HANDSHAKE_FAILED);
    gcl_shake_end(&shake);
    struct gcl_handshake handshake;
    a.digest = NULL;
    cr_assert_eq(gcl_handshake_accept(&handshake, &a), GCL_EINVAL);
}

/* --- flags and names ------------------------------------------------------------------------ */

Test(handshake, a_missing_mandatory_flag_is_named_on_both_sides)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        struct gcl_handshake_config good = gcl_shake_config(true), bad = gcl_shake_config(true);
        struct gcl_shake shake;
        if ((GCL_FLAGS_MANDATORY >> bit & 1) == 0)
            continue;
        bad.flags &= ~(UINT64_C(1) << bit) & ~GCL_FLAG(MANDATORY_25_DIGEST);
        /* The one that connects lacks it: it is told so. */
        struct gcl_handshake_config b = gcl_shake_config(false);
        gcl_shake_begin(&shake, &bad, &b, 0);
        gcl_shake_run(&shake);
        cr_assert_eq(shake.b.error, GCL_EFLAGS);
        cr_assert_eq(shake.a.error, GCL_EREFUSED);
        cr_assert_not_null(strstr(shake.b.handshake.detail, gcl_flag_name(bit)));
        gcl_shake_end(&shake);
        /* The one that accepts lacks it. */
        b.flags = bad.flags;
        gcl_shake_begin(&shake, &good, &b, 0);
        gcl_shake_run(&shake);
        cr_assert_eq(
            gcl_handshake_admit(&shake.b.handshake, GCL_HANDSHAKE_OK, none, 0, &shake.b.out), 0);
        gcl_shake_run(&shake);
        cr_assert_eq(shake.a.error, GCL_EFLAGS);
        cr_assert_not_null(strstr(shake.a.handshake.detail, gcl_flag_name(bit)));
        gcl_shake_end(&shake);
    }
}

Test(handshake, negotiated_is_what_both_offer)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.flags =
        GCL_FLAG(MANDATORY_25_DIGEST) | GCL_FLAG(SPAWN) | GCL_FLAG(FRAGMENTS) | UINT64_C(1) << 60;
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert_eq(shake.b.handshake.flags,
                 GCL_FLAGS_MANDATORY | GCL_FLAG(MANDATORY_25_DIGEST) | GCL_FLAG(SPAWN));
    cr_assert_eq(shake.b.handshake.peer_flags, a.flags);
    cr_assert(!gcl_handshake_is_visible(&shake.b.handshake));
    gcl_shake_end(&shake);
}

Test(handshake, another_node_than_the_one_dialled)
{
    struct gcl_handshake_config a = gcl_shake_config(true);
    struct gcl_shake shake;
    a.peer = gcl_str_of("c@host");
    admit(&shake, &a, GCL_HANDSHAKE_OK, "");
    cr_assert_eq(shake.a.error, GCL_ENAME);
    cr_assert_str_eq(shake.a.handshake.detail, "c@host was expected, but b@host answered");
    gcl_shake_end(&shake);
}

Test(handshake, names_of_nodes)
{
    static const char *const good[] = {"a@b", "a@127.0.0.1", "a-b_c@h.example.org", "\xC3\xA4@h"};
    static const char *const bad[] = {"",      "a",     "@",      "a@",     "@h",       "a@b@c",
                                      "a b@h", "a@h\n", "a@\x7F", "a@\xFF", "\x1B[2J@h"};
    char text[GCL_ATOM_MAX_CHARACTERS + 1];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(gcl_handshake_is_node_name(gcl_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gcl_handshake_config config = gcl_shake_config(false);
        struct gcl_handshake handshake;
        cr_assert(!gcl_handshake_is_node_name(gcl_str_of(bad[i])), "%s", bad[i]);
        config.name = gcl_str_of(bad[i]);
        cr_assert_eq(gcl_handshake_accept(&handshake, &config), GCL_ENAME);
    }
    memset(text, 'n', sizeof text);
    text[1] = '@';
    cr_assert(gcl_handshake_is_node_name(gcl_str_make(text, 255)));
    cr_assert(!gcl_handshake_is_node_name(gcl_str_make(text, 256)));
}

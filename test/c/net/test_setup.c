/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that come about in other ways than the usual one, or not at all. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"
#include "wire/flags.h"
#include "world.h"

enum { SETUP_MS = 200, ROUNDS = 200, STATUS_BYTES = 2 + 3 };

static struct world_node *a, *b;
static struct raw raw;

static void short_setup(gcl_node_config *config)
{
    config->setup_timeout_ms = SETUP_MS;
}

static void begin(void)
{
    world_begin();
    a = world_start(0, short_setup);
    raw_init(&raw, "raw");
}

static void end(void)
{
    raw_close(&raw);
    world_end();
}

/* --- who waits -------------------------------------------------------------------------------- */

static int outcome;
static unsigned outcomes;
static char detail[256];

static void on_outcome(gcl_node *node, const char *name, int error, const char *text, void *user)
{
    (void)node;
    (void)name;
    (void)user;
    outcomes++;
    outcome = error;
    (void)strncpy(detail, text, sizeof detail - 1);
}

static bool has_outcome(void)
{
    return outcomes > 0;
}

static void connect_to_raw(void)
{
    outcomes = 0;
    cr_assert_eq(gcl_node_connect(a->node, raw.name, on_outcome, NULL), 0);
}

static void expect_outcome(int error, const char *text)
{
    world_until(has_outcome);
    cr_assert_eq(outcomes, 1);
    cr_assert_eq(outcome, error, "%s: %s", gcl_error_name(outcome), detail);
    cr_assert_not_null(strstr(detail, text), "%s", detail);
}

/* --- each step that can take too long --------------------------------------------------------- */

static void expect_timeout_when_dialling(unsigned steps, size_t bytes, const char *state)
{
    begin();
    raw.steps = steps;
    raw.most_bytes = bytes;
    raw_listen(&raw, a);
    double begun_ms = world_now_ms();
    connect_to_raw();
    expect_outcome(GCL_ETIMEOUT, state);
    cr_assert_geq(world_now_ms() - begun_ms, SETUP_MS - 1);
    cr_assert_eq(world_logged("handshake_failed to raw@127.0.0.1: handshake: timeout while "), 1);
    end();
}

Test(setup, a_dialled_peer_without_a_status_takes_too_long)
{
    expect_timeout_when_dialling(1, 0, "waiting for the status");
}

Test(setup, a_dialled_peer_without_a_challenge_takes_too_long)
{
    expect_timeout_when_dialling(1, STATUS_BYTES, "waiting for the challenge");
}

Test(setup, a_dialled_peer_without_a_whole_challenge_takes_too_long)
{
    expect_timeout_when_dialling(1, STATUS_BYTES + 10, "waiting for the challenge");
}

Test(setup, a_dialled_peer_without_an_acknowledgement_takes_too_long)
{
    expect_timeout_when_dialling(1, SIZE_MAX, "waiting for the acknowledgement");
}

static bool is_closed(void)
{
    return raw.is_closed;
}

static void expect_timeout_when_dialled(size_t bytes, const char *state)
{
    raw.steps = 0;
    raw.most_bytes = bytes;
    raw_dial(&raw, a);
    world_until(is_closed);
    world_await("handshake_failed");
    cr_assert_eq(world_logged(state), 1, "%s", world.log);
}

Test(setup, a_peer_that_does_not_name_itself_takes_too_long)
{
    begin();
    expect_timeout_when_dialled(0, "from somebody: handshake: timeout while waiting for the name");
    end();
}

Test(setup, a_peer_that_does_not_prove_itself_takes_too_long)
{
    begin();
    expect_timeout_when_dialled(SIZE_MAX, "timeout while waiting for the reply to the challenge");
    end();
}

static void dial_with_the_older_name(void)
{
    static const uint8_t name[] = "\0\x16n\0\x05\0\0\0\0raw@127.0.0.1";
    uint32_t flags = (uint32_t)GCL_FLAGS_MANDATORY;
    raw.most_bytes = 0;
    raw.steps = 0;
    raw_dial(&raw, a);
    gcl_buffer_clear(&raw.out);
    raw.most_bytes = SIZE_MAX;
    uint8_t packet[sizeof name - 1];
    memcpy(packet, name, sizeof packet);
    for (int i = 0; i < 4; i++)
        packet[5 + i] = (uint8_t)(flags >> (24 - 8 * i));
    packet[1] = (uint8_t)(sizeof packet - 2);
    raw_send(&raw, packet, sizeof packet);
}

Test(setup, a_peer_without_a_complement_takes_too_long)
{
    begin();
    dial_with_the_older_name();
    world_until(is_closed);
    cr_assert_eq(world_logged("timeout while waiting for the complement"), 1, "%s", world.log);
    end();
}

/* Whoever speaks in the name of a peer that is connected ends nothing. */
Test(setup, a_peer_that_does_not_answer_alive_takes_too_long_and_the_old_connection_stays)
{
    struct raw first;
    begin();
    raw_init(&first, "raw");
    raw_join(&first, a);
    expect_timeout_when_dialled(SIZE_MAX, "timeout while waiting for the answer to alive");
    cr_assert(gcl_node_is_connected(a->node, raw.name));
    cr_assert_not(first.is_closed);
    cr_assert_eq(world_logged("node_down"), 0);
    raw_close(&first);
    end();
}

/* A listener whose queue is full answers no more. */
Test(setup, a_host_that_does_not_answer_takes_too_long)
{
    struct gcl_address address;
    int fillers[4];
    begin();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(gcl_address_parse("127.0.0.1", 0, &address));
    cr_assert_eq(bind(fd, &address.socket.any, address.size), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, &address.socket.any, &address.size), 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], &address.socket.any, address.size);
    }
    uint16_t port = gcl_address_port(&address);
    cr_assert_eq(gcl_node_set_address(a->node, raw.name, "127.0.0.1", port), 0);
    connect_to_raw();
    expect_outcome(GCL_ENOCONNECTION, "timeout");
    cr_assert_eq(world_logged("connect_failed"), 1);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(close(fillers[i]), 0);
    cr_assert_eq(close(fd), 0);
    end();
}

/* --- simultaneous connects -------------------------------------------------------------------- */

static gcl_result ignore_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    *(int *)user = error;
    return GCL_CONTINUE;
}

static const gcl_handlers no_handlers = {.size = sizeof no_handlers};

static char ops[256];

static void note_op(struct raw *peer, const struct gcl_control *control)
{
    (void)peer;
    (void)strncat(ops, gcl_control_op_name(control->op), sizeof ops - strlen(ops) - 2);
    (void)strcat(ops, " ");
}

static bool has_three(void)
{
    unsigned count = 0;
    for (const char *at = ops; *at != '\0'; at++)
        count += *at == ' ';
    return count == 3;
}

static gcl_dest nobody(void)
{
    return gcl_to_remote("nobody", raw.name);
}

/* Our attempt is told `nok`: that of the peer is on its way, and serves who waits. */
Test(setup, who_waits_is_handed_over_to_the_attempt_of_the_peer)
{
    int call_outcome = 1;
    begin();
    ops[0] = '\0';
    raw.frame = note_op;
    raw.status = GCL_HANDSHAKE_NOK;
    raw_listen(&raw, a);
    gcl_server *server = world_serve(a, &no_handlers, NULL, NULL);
    connect_to_raw();
    cr_assert_eq(gcl_send(server, nobody(), "hello"), 0);
    cr_assert_eq(gcl_call(server, nobody(), 1000, ignore_outcome, &call_outcome, NULL, "hello"), 0);
    world_until(is_closed);
    cr_assert_eq(outcomes, 0);
    raw_join(&raw, a);
    world_until(has_three);
    expect_outcome(0, "");
    cr_assert_str_eq(ops, "SEND MONITOR SEND ");
    cr_assert_eq(call_outcome, 1);
    cr_assert_eq(world_logged("connect_failed"), 0);
    cr_assert_eq(world_logged("handshake_failed"), 0);
    end();
}

Test(setup, who_waits_is_told_when_the_attempt_of_the_peer_does_not_come)
{
    int call_outcome = 1;
    begin();
    raw.status = GCL_HANDSHAKE_NOK;
    raw_listen(&raw, a);
    gcl_server *server = world_serve(a, &no_handlers, NULL, NULL);
    connect_to_raw();
    cr_assert_eq(gcl_call(server, nobody(), 9000, ignore_outcome, &call_outcome, NULL, "hello"), 0);
    expect_outcome(GCL_ETIMEOUT, "nok");
    cr_assert_eq(call_outcome, GCL_ENOCONNECTION);
    end();
}

struct side {
    struct world_node *node;
    struct world_node *other;
    gcl_server *server;
    int64_t sent, expected;
    unsigned answered;
};

static struct side sides[2];

static gcl_result take(gcl_server *self, gcl_term message, void *user)
{
    struct side *side = user;
    int64_t n;
    (void)self;
    cr_assert(gcl_match(message, "~i", &n));
    cr_assert_eq(n, side->expected);
    side->expected++;
    return GCL_CONTINUE;
}

static gcl_result answer(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    cr_assert_eq(gcl_reply(self, from, "ok"), 0);
    return take(self, request, user);
}

static gcl_result answered(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    cr_assert_eq(error, 0);
    ((struct side *)user)->answered++;
    return GCL_CONTINUE;
}

static const gcl_handlers counting = {
    .size = sizeof counting, .handle_call = answer, .handle_cast = take};

/* Two casts, a call, a cast. */
static void send_four(struct side *side)
{
    gcl_dest to = gcl_to_remote("side", side->other->name);
    cr_assert_eq(gcl_cast(side->server, to, "~i", side->sent++), 0);
    cr_assert_eq(gcl_cast(side->server, to, "~i", side->sent++), 0);
    cr_assert_eq(gcl_call(side->server, to, 10000, answered, side, NULL, "~i", side->sent++), 0);
    cr_assert_eq(gcl_cast(side->server, to, "~i", side->sent++), 0);
}

static bool is_round_over(void)
{
    for (int i = 0; i < 2; i++)
        if (sides[i].expected != sides[1 - i].sent || 4 * sides[i].answered != sides[i].sent)
            return false;
    return true;
}

static bool is_unconnected(void)
{
    return !gcl_node_is_connected(a->node, b->name) && !gcl_node_is_connected(b->node, a->name);
}

Test(setup, simultaneous_connects_lose_no_call_and_keep_their_order, .timeout = 120)
{
    int rounds = world_is_slow() ? ROUNDS / 4 : ROUNDS;
    world_begin();
    memset(sides, 0, sizeof sides);
    a = world_start(0, NULL);
    b = world_start(1, NULL);
    world_introduce(a, b);
    world_introduce(b, a);
    for (int i = 0; i < 2; i++) {
        sides[i].node = i == 0 ? a : b;
        sides[i].other = i == 0 ? b : a;
        sides[i].server = world_serve(sides[i].node, &counting, "side", &sides[i]);
    }
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 2; i++)
            send_four(&sides[i]);
        world_until(is_round_over);
        struct side *side = &sides[round % 2];
        cr_assert_eq(gcl_node_disconnect(side->node->node, side->other->name), 0);
        world_until(is_unconnected);
    }
    cr_assert_eq(world_logged("connect_failed"), 0);
    world_end();
}

/* --- challenges ------------------------------------------------------------------------------- */

static bool give_sevens(void *bytes, size_t size, void *user)
{
    (void)user;
    memset(bytes, 7, size);
    return true;
}

static void take_sevens(gcl_node_config *config)
{
    config->random = give_sevens;
}

/* What the node asked the raw peer to prove. */
static uint32_t challenge_of(struct world_node *node)
{
    raw_join(&raw, node);
    uint32_t challenge = raw.handshake.peer_challenge;
    cr_assert_eq(gcl_node_disconnect(node->node, raw.name), 0);
    world_until(is_closed);
    return challenge;
}

Test(setup, challenges_come_from_the_random_function_which_is_that_of_the_system)
{
    uint32_t seen[8];
    begin();
    for (int i = 0; i < 8; i++) {
        seen[i] = challenge_of(a);
        for (int n = 0; n < i; n++)
            cr_assert_neq(seen[n], seen[i]);
    }
    b = world_start(1, take_sevens);
    cr_assert_eq(challenge_of(b), 0x07070707);
    end();
}

/* --- names that are given ------------------------------------------------------------------------
 */

Test(setup, hosts_that_ask_for_a_name_are_given_one_of_their_own)
{
    struct raw other;
    char names[2][64];
    begin();
    raw_init(&other, "other");
    struct raw *askers[] = {&raw, &other};
    for (int i = 0; i < 2; i++) {
        askers[i]->config.name = gcl_str_of("127.0.0.1");
        raw_join(askers[i], a);
        struct gcl_str given = gcl_handshake_name(&askers[i]->handshake);
        (void)snprintf(names[i], sizeof names[i], "%.*s", (int)given.size, (char *)given.bytes);
        cr_assert_str_eq(strchr(names[i], '@'), "@127.0.0.1");
        cr_assert_geq(askers[i]->handshake.creation, 4);
        cr_assert(gcl_node_is_connected(a->node, names[i]));
    }
    cr_assert_str_neq(names[0], names[1]);
    raw_close(&other);
    end();
}

/* --- refusals say why ------------------------------------------------------------------------- */

Test(setup, a_missing_flag_is_named_in_the_log)
{
    begin();
    raw.config.flags &= ~(GCL_FLAG(MAP_TAG) | GCL_FLAG(MANDATORY_25_DIGEST));
    raw_dial(&raw, a);
    world_until(is_closed);
    world_await("handshake_failed from raw@127.0.0.1");
    cr_assert_eq(world_logged("MAP_TAG"), 1, "%s", world.log);
    end();
}

Test(setup, another_name_than_the_one_dialled_is_in_the_log)
{
    begin();
    raw_listen(&raw, a);
    raw.config.name = gcl_str_of("somebody@else");
    connect_to_raw();
    expect_outcome(GCL_ENAME, "somebody@else");
    cr_assert_eq(world_logged("handshake_failed to raw@127.0.0.1"), 1);
    end();
}

Test(setup, a_peer_that_does_not_allow_us_is_in_the_log)
{
    begin();
    raw_listen(&raw, a);
    raw.status = GCL_HANDSHAKE_NOT_ALLOWED;
    connect_to_raw();
    expect_outcome(GCL_EREFUSED, "does not allow us");
    cr_assert_eq(world_logged("handshake_failed to raw@127.0.0.1"), 1);
    end();
}

Test(setup, a_wrong_cookie_closes_no_other_connection)
{
    struct raw stranger;
    begin();
    raw_join(&raw, a);
    raw_init(&stranger, "stranger");
    stranger.config.cookie = gcl_str_of("wrong");
    raw_dial(&stranger, a);
    world_await("handshake_failed from stranger@127.0.0.1");
    cr_assert_eq(world_logged("cookie"), 1);
    cr_assert(gcl_node_is_connected(a->node, raw.name));
    cr_assert_not(gcl_node_is_connected(a->node, stranger.name));
    cr_assert_not(raw.is_closed);
    raw_close(&stranger);
    end();
}

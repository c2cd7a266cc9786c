/* SPDX-License-Identifier: Apache-2.0 */
/* What a node asks of the system: few writes, no SIGPIPE, no clock that people set, no waiting. */
#include <criterion/criterion.h>
#include <float.h>
#include <signal.h>
#include <string.h>

#include "raw.h"
#include "system.h"
#include "world.h"

enum { MESSAGES = 10000, PIECE = 64 * 1024, CALL_LIMIT_MS = 50 };

static struct world_node *a, *b;
static gcl_server *server;

static double limit_ms(void)
{
    return world_is_slow() ? 10 * CALL_LIMIT_MS : CALL_LIMIT_MS;
}

/* --- writes ----------------------------------------------------------------------------------- */

static unsigned received;

static gcl_result count(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    (void)message;
    (void)user;
    received++;
    return GCL_CONTINUE;
}

static gcl_result answer(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    cr_assert_eq(gcl_reply(self, from, "~t", request), 0);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {
    .size = sizeof handlers, .handle_call = answer, .handle_cast = count};

static bool has_received_all(void)
{
    return received == MESSAGES;
}

static uint64_t bytes_out;

static void read_bytes_out(const gcl_connection_info *info, void *user)
{
    (void)user;
    bytes_out = info->bytes_out;
}

static void short_ticks(gcl_node_config *config)
{
    config->net_ticktime_s = 1;
    config->hidden = true; /* `global` would write, too */
}

/* Without epmd no host name is looked up. */
static void use_epmd(gcl_node_config *config)
{
    short_ticks(config);
    config->no_epmd = false;
}

static void begin(void)
{
    world_begin();
    a = world_start(0, use_epmd);
    b = world_start(1, short_ticks);
    server = world_serve(a, &handlers, "server", NULL);
    world_serve(b, &handlers, "server", NULL);
    world_join(a, b);
}

Test(system, messages_of_one_turn_leave_with_one_write_per_64_kib)
{
    begin();
    gcl_node_each_connection(a->node, read_bytes_out, NULL);
    uint64_t before = bytes_out;
    received = 0;
    test_system.sends = 0;
    for (int i = 0; i < MESSAGES; i++)
        cr_assert_eq(gcl_cast(server, gcl_to_remote("server", b->name), "{hello, ~i}", i), 0);
    world_until(has_received_all);
    gcl_node_each_connection(a->node, read_bytes_out, NULL);
    cr_assert_gt(bytes_out - before, 8 * PIECE);
    /* One for what is left at the end of the turn. */
    cr_assert_leq(test_system.sends, (bytes_out - before) / PIECE + 1);
    world_end();
}

static void on_sigpipe(int number)
{
    (void)number;
    cr_assert_fail("SIGPIPE");
}

static bool is_lost(void)
{
    return world_logged("node_down") > 0;
}

/* The peer resets the connection while much is on its way to it. */
Test(system, a_write_to_a_peer_that_is_gone_raises_no_sigpipe)
{
    static uint8_t bytes[PIECE];
    struct linger reset = {.l_onoff = 1};
    struct raw raw;
    gcl_bytes payload = {bytes, sizeof bytes};
    world_begin();
    a = world_start(0, NULL);
    server = world_serve(a, &handlers, "server", NULL);
    raw_init(&raw, "raw");
    raw.stops_reading = true;
    raw_join(&raw, a);
    cr_assert_neq(signal(SIGPIPE, on_sigpipe), SIG_ERR);
    cr_assert_eq(setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    raw_close(&raw);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(gcl_cast(server, gcl_to_remote("nobody", "raw@127.0.0.1"), "~b", payload), 0);
    world_until(is_lost);
    world_end();
}

/* --- the clock -------------------------------------------------------------------------------- */

/* Both would take a second of silence for the end. */
Test(system, a_clock_that_is_set_back_an_hour_loses_no_tick)
{
    begin();
    world_live(500);
    test_system.clock_offset_s = -3600;
    world_live(3000);
    test_system.clock_offset_s = +3600;
    world_live(2000);
    cr_assert(gcl_node_is_connected(a->node, b->name));
    cr_assert_eq(world_logged("node_down"), 0);
    test_system.clock_offset_s = 0;
    world_end();
}

/* --- the resolver ----------------------------------------------------------------------------- */

static double worst_ms, sent_ms;
static unsigned answers;

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    (void)user;
    cr_assert_eq(error, 0);
    double took_ms = world_now_ms() - sent_ms;
    worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    answers++;
    return GCL_CONTINUE;
}

static bool has_answer(void)
{
    return answers == 1;
}

static void call_b(void)
{
    answers = 0;
    sent_ms = world_now_ms();
    gcl_dest to = gcl_to_remote("server", b->name);
    cr_assert_eq(gcl_call(server, to, 10000, on_answer, NULL, NULL, "hello"), 0);
    world_until(has_answer);
}

static int outcome;

static void on_connected(gcl_node *node, const char *name, int error, const char *detail,
                         void *user)
{
    (void)node;
    (void)name;
    (void)user;
    (void)detail;
    outcome = error;
}

static bool is_resolving(void)
{
    return test_system.hanging_calls > 0;
}

static bool has_returned(void)
{
    return test_system.hanging_calls == 0;
}

static bool has_outcome(void)
{
    return outcome != 0;
}

Test(system, ticks_and_calls_go_on_while_the_resolver_hangs)
{
    begin();
    test_system.hanging_host = "hang.test";
    test_system.is_hanging = true;
    outcome = 0;
    cr_assert_eq(gcl_node_connect(a->node, "x@hang.test", on_connected, NULL), 0);
    world_until(is_resolving);
    /* The slowest call may have waited for another program of this machine: one of three rounds. */
    double best_ms = DBL_MAX;
    for (int round = 0; round < 3; round++) {
        worst_ms = 0;
        for (int i = 0; i < 100; i++)
            call_b();
        best_ms = worst_ms < best_ms ? worst_ms : best_ms;
    }
    cr_assert_lt(best_ms, limit_ms());
    world_live(2500);
    cr_assert(gcl_node_is_connected(a->node, b->name));
    cr_assert_eq(world_logged("node_down"), 0);
    cr_assert_eq(test_system.hanging_calls, 1);
    cr_assert_eq(outcome, 0);
    test_system.is_hanging = false;
    world_until(has_outcome);
    cr_assert_eq(outcome, GCL_ERESOLVE);
    world_end();
}

Test(system, a_lookup_that_hangs_is_given_up_and_closing_does_not_wait_for_it)
{
    world_begin();
    test_system.hanging_host = "hang.test";
    test_system.is_hanging = true;
    a = world_start(0, use_epmd);
    cr_assert_eq(gcl_node_connect(a->node, "x@hang.test", on_connected, NULL), 0);
    world_until(is_resolving);
    outcome = 0;
    double begun_ms = world_now_ms();
    world_end();
    cr_assert_lt(world_now_ms() - begun_ms, 1000);
    cr_assert_eq(outcome, GCL_ECANCELED);
    test_system.is_hanging = false;
    while (!has_returned())
        ;
}

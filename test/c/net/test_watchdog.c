/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes whose loop stands still until their watchdogs have struck, and that go on then. Tests that
 * need somebody outside, who sees it while it lasts, are in ct/watchdog_SUITE.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/node.h"
#include "node/watchdog.h"
#include "raw.h"
#include "system.h"
#include "world.h"

enum { LIMIT_MS = 200, RECONNECT_MS = 20 };

static struct world_node *a, *b;
static unsigned stalls; /* told to programs */
static uint64_t stalled_ms;
static int close_error;

static void on_stalled(gcl_node *node, uint64_t ms, void *user)
{
    struct world_node *told = user;
    /* The losses come first. */
    cr_assert_not(gcl_node_is_connected(node, told == a ? b->name : a->name));
    stalls++;
    stalled_ms = ms;
}

static void on_closed(gcl_node *node, int error, void *user)
{
    struct world_node *closed = user;
    (void)node;
    close_error = error;
    closed->is_closed = true;
    closed->node = NULL;
}

static void watched(gcl_node_config *config)
{
    config->hidden = false;
    config->watchdog_ms = LIMIT_MS;
    config->reconnect_min_ms = RECONNECT_MS;
    config->reconnect_max_ms = 10 * RECONNECT_MS;
    config->on_stalled = on_stalled;
    config->on_closed = on_closed;
}

static void unwatched(gcl_node_config *config)
{
    watched(config);
    config->watchdog_ms = 0;
}

static bool are_connected(void)
{
    return gcl_node_is_connected(a->node, b->name) && gcl_node_is_connected(b->node, a->name);
}

static void begin(void (*adjust_b)(gcl_node_config *))
{
    world_begin();
    stalls = 0;
    close_error = 1;
    a = world_start(0, watched);
    b = world_start(1, adjust_b);
    world_introduce(b, a);
    world_join(a, b);
    world_until(are_connected);
}

static void stand_still_until_struck(const struct world_node *node)
{
    double begun_ms = world_now_ms();
    while (!gcl_watchdog_has_struck(node->node->watchdog)) {
        cr_assert_lt(world_now_ms() - begun_ms, 100 * LIMIT_MS);
        (void)usleep(1000);
    }
}

static unsigned wanted_stalls;

static bool were_told(void)
{
    return stalls == wanted_stalls;
}

static void await_stalls(unsigned count)
{
    wanted_stalls = count;
    world_until(were_told);
}

/* --- what happens ----------------------------------------------------------------------------- */

Test(watchdog, the_program_is_told_and_nodes_are_connected_again)
{
    begin(unwatched);
    for (unsigned i = 1; i <= 3; i++) {
        stand_still_until_struck(a);
        await_stalls(i);
        cr_assert_geq(stalled_ms, LIMIT_MS);
        cr_assert_eq(world_logged("stalled the loop stood still for "), i);
        world_until(are_connected);
    }
    cr_assert_geq(world_logged("node_down connection to b"), 3);
    cr_assert_geq(world_logged("the watchdog has closed it"), 3);
    world_end();
}

static void on_stalled_or_not_ready(gcl_node *node, uint64_t ms, void *user)
{
    (void)node;
    cr_assert(((struct world_node *)user)->is_ready);
    stalls++;
    stalled_ms = ms;
}

static void is_ready_now(gcl_node *node, void *user)
{
    (void)node;
    cr_assert_eq(stalls, 0);
    ((struct world_node *)user)->is_ready = true;
}

/* It expects to hear that it is ready first; of several times before that, the longest counts. */
Test(watchdog, a_program_that_is_late_to_run_the_loop_is_told_behind_on_ready)
{
    gcl_node_config config;
    char detail[256];
    world_begin();
    stalls = 0;
    a = &world.nodes[0];
    gcl_node_config_init(&config);
    watched(&config);
    config.loop = world.loop;
    config.name = "late@127.0.0.1";
    config.cookie = "world";
    config.listen_address = world.address;
    config.log_level = 0;
    config.allocator = &world.mem.allocator;
    config.user = a;
    config.on_ready = is_ready_now;
    config.on_stalled = on_stalled_or_not_ready;
    cr_assert_eq(gcl_node_new(&config, &a->node, detail, sizeof detail), 0, "%s", detail);
    double begun_ms = world_now_ms();
    (void)usleep(2 * LIMIT_MS * 1000);
    stand_still_until_struck(a);
    double took_ms = world_now_ms() - begun_ms;
    ev_run(world.loop, EVRUN_NOWAIT);
    stand_still_until_struck(a);
    await_stalls(1);
    cr_assert(a->is_ready);
    cr_assert_geq((double)stalled_ms, took_ms - 1);
    world_live(LIMIT_MS);
    cr_assert_eq(stalls, 1);
    world_end();
}

/* A handler of one of them is what both wait for. */
static gcl_result block(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    (void)message;
    (void)user;
    stand_still_until_struck(a);
    stand_still_until_struck(b);
    return GCL_CONTINUE;
}

static const gcl_handlers blocking = {.size = sizeof blocking, .handle_cast = block};

/* Whichever has its turn first: the other one must not count as waiting for events meanwhile. */
Test(watchdog, of_two_nodes_in_one_loop_each_has_its_own)
{
    begin(watched);
    for (unsigned i = 0; i < 2; i++) {
        gcl_server *server = world_serve(i == 0 ? a : b, &blocking, NULL, NULL);
        cr_assert_eq(gcl_cast(server, gcl_to_pid(gcl_self(server)), "go"), 0);
        await_stalls(2 * i + 2);
        cr_assert_eq(world_logged("stalled the loop stood still for "), 2 * i + 2);
        world_until(are_connected);
    }
    world_end();
}

static void block_behind_the_nodes(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    (void)events;
    ev_prepare_stop(loop, prepare);
    stand_still_until_struck(a);
}

/* The node has had its turn: it hears of the ends of its connections before it learns why. */
Test(watchdog, it_may_strike_between_the_turn_of_the_node_and_the_events_of_the_next_one)
{
    ev_prepare prepare;
    begin(unwatched);
    ev_prepare_init(&prepare, block_behind_the_nodes);
    ev_set_priority(&prepare, EV_MINPRI + 1);
    ev_prepare_start(world.loop, &prepare);
    await_stalls(1);
    cr_assert_geq(stalled_ms, LIMIT_MS);
    world_until(are_connected);
    world_end();
}

Test(watchdog, a_loop_that_waits_or_turns_does_not_stand_still)
{
    begin(watched);
    world_live(10 * LIMIT_MS);
    cr_assert_eq(stalls, 0);
    cr_assert_eq(world_logged("node_down"), 0);
    world_end();
}

static void hidden(gcl_node_config *config)
{
    config->hidden = true;
}

Test(watchdog, a_hidden_node_has_none)
{
    world_begin();
    a = world_start(0, hidden);
    cr_assert_null(a->node->watchdog);
    (void)usleep(2 * LIMIT_MS * 1000);
    world_live(LIMIT_MS);
    cr_assert_eq(world_logged("stalled"), 0);
    world_end();
}

static void too_short(gcl_node_config *config)
{
    config->hidden = false;
    config->watchdog_ms = 99;
    config->loop = world.loop;
    config->name = "short@127.0.0.1";
    config->cookie = "world";
}

Test(watchdog, a_limit_that_is_none_is_refused)
{
    gcl_node_config config;
    gcl_node *node;
    char detail[256];
    world_begin();
    gcl_node_config_init(&config);
    cr_assert_eq(config.watchdog_ms, 5000);
    too_short(&config);
    cr_assert_eq(gcl_node_new(&config, &node, detail, sizeof detail), GCL_EINVAL);
    cr_assert_not_null(strstr(detail, "watchdog_ms: expected 0, for none, or at least 100"));
    world_end();
}

static pthread_t loop_thread;
static _Atomic uint64_t *heartbeat;
static _Atomic unsigned looks;
static atomic_bool turn_ends;

/* As the thread of the watchdog begins to look, the turn that it has come for is over. */
static void on_clock(void)
{
    if (pthread_equal(pthread_self(), loop_thread))
        return;
    if (atomic_exchange(&turn_ends, false))
        atomic_store(heartbeat, 0);
    looks++;
}

static void await_looks(struct gcl_watchdog *watchdog, unsigned count)
{
    unsigned wanted = looks + count;
    while (looks < wanted && !gcl_watchdog_has_struck(watchdog))
        (void)usleep(1000);
}

Test(watchdog, a_turn_that_ends_in_time_is_not_too_long_because_the_thread_is_late)
{
    struct gcl_watchdog *watchdog;
    loop_thread = pthread_self();
    looks = 0;
    cr_assert_eq(gcl_watchdog_new(gcl_allocator_default(), LIMIT_MS, &watchdog), 0);
    heartbeat = gcl_watchdog_heartbeat(watchdog);
    atomic_store(heartbeat, 0);
    test_system.monotonic = on_clock;
    await_looks(watchdog, 1);
    /* It waits for LIMIT_MS now. */
    atomic_store(heartbeat, (uint64_t)world_now_ms() - LIMIT_MS);
    atomic_store(&turn_ends, true);
    await_looks(watchdog, 3);
    test_system.monotonic = NULL;
    cr_assert_not(gcl_watchdog_has_struck(watchdog));
    gcl_watchdog_close(watchdog);
}

/* Somebody who has connected, and says nothing, would wait for seven seconds. */
Test(watchdog, who_is_in_a_handshake_is_let_go)
{
    struct raw raw;
    begin(unwatched);
    raw_init(&raw, "slow");
    raw.steps = 1;
    raw_dial(&raw, a);
    while (raw.answered < 1)
        world_live(1);
    double before_ms = world_now_ms();
    stand_still_until_struck(a);
    while (!raw.is_closed)
        world_live(1);
    cr_assert_lt(world_now_ms() - before_ms, 5000);
    raw_close(&raw);
    world_end();
}

static bool is_lost_by_b(void)
{
    return !gcl_node_is_connected(b->node, a->name);
}

static void silent(gcl_node_config *config)
{
    unwatched(config);
    config->log = NULL;
}

/* A node that has gone meanwhile is not dialled for ever. */
Test(watchdog, who_does_not_come_back_is_given_up)
{
    begin(silent);
    stand_still_until_struck(a);
    world_close(b);
    await_stalls(1);
    world_await("is not dialled any more");
    cr_assert_eq(world_logged("again in "), 8);
    cr_assert_eq(world_logged("no connection to b"), 8);
    world_live(20 * RECONNECT_MS);
    cr_assert_eq(world_logged("again in "), 8);
    world_end();
}

/* --- the port --------------------------------------------------------------------------------- */

/* Whoever comes meanwhile has the port: that of a socket which does not listen can be had. */
static int take_port(uint16_t port)
{
    struct gcl_address address;
    int on = 1;
    cr_assert(gcl_address_parse(world.address, port, &address));
    int fd = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    cr_assert_eq(bind(fd, &address.socket.any, address.size), 0, "%s", strerror(errno));
    cr_assert_eq(listen(fd, 1), 0, "%s", strerror(errno));
    return fd;
}

static void any_port(gcl_node_config *config)
{
    unwatched(config);
    config->no_epmd = false;
    config->listen_port = 0;
}

static void any_port_watched(gcl_node_config *config)
{
    watched(config);
    config->no_epmd = false;
    config->listen_port = 0;
}

Test(watchdog, the_port_is_the_same_one)
{
    begin(unwatched);
    uint16_t port = gcl_node_port(a->node);
    stand_still_until_struck(a);
    await_stalls(1);
    cr_assert_eq(gcl_node_port(a->node), port);
    world_until(are_connected);
    cr_assert_eq(gcl_node_disconnect(b->node, a->name), 0);
    world_join(b, a);
    world_end();
}

/* Registered anew, too: the other one knows the port from epmd alone. */
static void reconnect_by_epmd(bool port_is_taken)
{
    int fd = -1;
    world_begin();
    stalls = 0;
    a = world_start(0, any_port_watched);
    b = world_start(1, any_port);
    uint16_t port = gcl_node_port(a->node);
    stand_still_until_struck(a);
    if (port_is_taken)
        fd = take_port(port);
    await_stalls(1);
    cr_assert_eq(gcl_node_port(a->node) == port, !port_is_taken);
    cr_assert_eq(gcl_node_stay_connected(b->node, a->name, true), 0);
    world_until(are_connected);
    if (fd >= 0)
        cr_assert_eq(close(fd), 0);
    world_end();
}

Test(watchdog, any_port_is_the_same_one)
{
    reconnect_by_epmd(false);
}

Test(watchdog, any_port_is_another_one_when_it_was_taken)
{
    reconnect_by_epmd(true);
}

static bool is_closed(void)
{
    return a->is_closed;
}

Test(watchdog, a_node_whose_fixed_port_was_taken_closes)
{
    begin(unwatched);
    uint16_t port = gcl_node_port(a->node);
    stand_still_until_struck(a);
    int fd = take_port(port);
    world_until(is_closed);
    cr_assert_eq(close_error, GCL_EEXIST);
    cr_assert_eq(world_logged("listen_failed"), 1);
    cr_assert_eq(stalls, 0);
    cr_assert_eq(close(fd), 0);
    world_end();
}

static bool has_tried_to_register(void)
{
    const struct gcl_epmd_registration *registration = &a->node->registration;
    return registration->is_registered || registration->tries > 0;
}

/* What the turn that stands still goes on to open, before the loop knows of it. */
Test(watchdog, what_is_opened_after_it_has_struck_is_closed_too)
{
    struct gcl_address address;
    world_begin();
    a = world_start_found(0, any_port_watched);
    (void)gcl_guard_cut(gcl_watchdog_guard(a->node->watchdog));
    cr_assert_eq(gcl_listener_reopen(&a->node->listener), 0);
    cr_assert(gcl_address_parse(world.address, gcl_node_port(a->node), &address));
    int fd = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_neq(connect(fd, &address.socket.any, address.size), 0);
    cr_assert_eq(errno, ECONNREFUSED);
    cr_assert_eq(close(fd), 0);
    gcl_epmd_unregister(&a->node->registration);
    gcl_epmd_register(&a->node->registration, &a->node->loop);
    world_until(has_tried_to_register);
    cr_assert_not(a->node->registration.is_registered);
    world_end();
}

static void stand_still_when_ready(gcl_node *node, void *user)
{
    (void)node;
    stand_still_until_struck(user);
    ((struct world_node *)user)->is_ready = true;
}

static void struck_when_ready(gcl_node_config *config)
{
    watched(config);
    config->on_ready = stand_still_when_ready;
    config->on_stalled = NULL;
}

static void struck_when_registered(gcl_node_config *config)
{
    struck_when_ready(config);
    config->no_epmd = false;
}

/* Its look at itself is cut off, too: that says nothing about where others find it. */
Test(watchdog, a_node_that_stands_still_while_it_looks_itself_up_does_so_again)
{
    for (int with_epmd = 0; with_epmd < 2; with_epmd++) {
        world_begin();
        a = world_start(0, with_epmd ? struck_when_registered : struck_when_ready);
        world_await("reachable");
        cr_assert_eq(world_logged("stalled the loop stood still"), 1);
        cr_assert_eq(world_logged("unreachable"), 0);
        world_end();
    }
}

/* --- closing ---------------------------------------------------------------------------------- */

Test(watchdog, a_node_may_close_right_after_it)
{
    begin(unwatched);
    stand_still_until_struck(a);
    gcl_node_close(a->node);
    world_until(is_closed);
    cr_assert_eq(close_error, 0);
    cr_assert_eq(stalls, 0);
    world_until(is_lost_by_b);
    world_end();
}

static void close_when_stalled(gcl_node *node, uint64_t ms, void *user)
{
    on_stalled(node, ms, user);
    gcl_node_close(node);
}

static void closes(gcl_node_config *config)
{
    watched(config);
    config->on_stalled = close_when_stalled;
}

Test(watchdog, a_node_may_close_when_it_is_told)
{
    world_begin();
    stalls = 0;
    a = world_start(0, closes);
    b = world_start(1, unwatched);
    world_join(a, b);
    stand_still_until_struck(a);
    world_until(is_closed);
    cr_assert_eq(stalls, 1);
    cr_assert_eq(close_error, 0);
    world_end();
}

/* The thread may strike, or just have struck, at any moment of the end. */
Test(watchdog, a_node_may_close_at_any_moment)
{
    int rounds = world_is_slow() ? 5 : 20;
    for (int i = 0; i < rounds; i++) {
        begin(watched);
        (void)usleep((useconds_t)(LIMIT_MS * 1000 - 2000 + i * 200));
        gcl_node_close(a->node);
        gcl_node_close(b->node);
        world_end();
    }
}

/* --- what it costs ---------------------------------------------------------------------------- */

/* A descriptor more for each socket: the listener, and one connection; none is left. */
Test(watchdog, each_socket_has_a_second_descriptor)
{
    world_begin();
    world_close(world_start_found(2, unwatched)); /* the loop has all that it needs */
    unsigned before = test_count_files();
    b = world_start_found(1, unwatched);
    unsigned one = test_count_files() - before;
    a = world_start_found(0, watched);
    cr_assert_eq(test_count_files() - before, one + 2);
    world_introduce(a, b);
    world_join(b, a);
    cr_assert_eq(test_count_files() - before, one + 2 + 1 + 2);
    stalls = 0;
    stand_still_until_struck(a);
    await_stalls(1);
    world_until(are_connected);
    cr_assert_eq(test_count_files() - before, one + 2 + 1 + 2);
    world_close(a);
    world_close(b);
    cr_assert_eq(test_count_files(), before);
    world_end();
}

/* --- no memory -------------------------------------------------------------------------------- */

static void quiet(gcl_node_config *config)
{
    watched(config);
    config->watchdog_ms = 100;
    config->setup_timeout_ms = 200;
    config->log_level = 0;
}

static void quiet_unwatched(gcl_node_config *config)
{
    quiet(config);
    config->watchdog_ms = 0;
}

Test(watchdog, without_memory_a_node_does_not_start_and_leaves_nothing_behind)
{
    gcl_node_config config;
    size_t n = 0;
    int error;
    gcl_node *node = NULL;
    do {
        world_begin();
        gcl_node_config_init(&config);
        quiet(&config);
        config.loop = world.loop;
        config.name = "none@127.0.0.1";
        config.cookie = "world";
        config.no_epmd = false;
        config.allocator = &world.mem.allocator;
        config.user = &world.nodes[0];
        gcl_test_fail_at(&world.mem, ++n);
        error = gcl_node_new(&config, &node, NULL, 0);
        gcl_test_fail_at(&world.mem, 0);
        world.nodes[0].node = error == 0 ? node : NULL;
        world_end();
    } while (error != 0);
    cr_assert_gt(n, 10);
}

static bool is_over(void)
{
    return a->is_closed || b->is_closed || are_connected();
}

static bool has_recovered(void)
{
    return a->is_closed || stalls > 0;
}

/* Without memory a node closes, or goes on as if nothing had happened when there is some again. */
Test(watchdog, without_memory_at_any_moment_it_goes_on_or_closes, .timeout = 300)
{
    size_t step = world_is_slow() ? 7 : 1;
    size_t needed = SIZE_MAX;
    for (size_t n = 1; n < needed; n += step) {
        world_begin();
        stalls = 0;
        close_error = 0;
        a = world_start(0, quiet);
        b = world_start(1, quiet_unwatched);
        world_join(a, b);
        world_introduce(b, a);
        world_until(are_connected);
        stand_still_until_struck(a);
        gcl_test_fail_at(&world.mem, n);
        world_until(has_recovered);
        world_live(4 * RECONNECT_MS);
        if (world.mem.attempts < world.mem.fail_at)
            needed = n;
        gcl_test_fail_at(&world.mem, 0);
        cr_assert(close_error == 0 || close_error == GCL_ENOMEM, "%d", close_error);
        if (!a->is_closed)
            cr_assert_eq(gcl_node_stay_connected(a->node, b->name, true), 0);
        world_until(is_over);
        world_end();
    }
    cr_assert_gt(needed, 10, "%zu", needed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes in one OS process and one loop, under the epmd that this run was given. */
#include <criterion/criterion.h>
#include <ev.h>
#include <gen_cluster/node.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/address.h"
#include "support.h"

enum { DEADLINE_S = 30, ROUNDS = 200 };

struct side {
    gcl_node *node;
    char name[64];
    bool is_ready;
    bool is_closed;
    unsigned outcomes;
    unsigned connected;
};

static struct ev_loop *loop;
static struct side sides[2];
static gcl_test_memory mem;

static void on_deadline(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(ev, EVBREAK_ALL);
}

/* Runs the loop until `done`, or fails. */
static void run_until(bool (*done)(void))
{
    ev_timer deadline;
    ev_timer_init(&deadline, on_deadline, DEADLINE_S, 0.0);
    ev_timer_start(loop, &deadline);
    while (!done() && ev_is_active(&deadline))
        ev_run(loop, EVRUN_ONCE);
    cr_assert(ev_is_active(&deadline), "deadline");
    ev_timer_stop(loop, &deadline);
}

static struct side *side_of(gcl_node *node)
{
    return gcl_node_user(node);
}

static void on_ready(gcl_node *node, void *user)
{
    (void)user;
    side_of(node)->is_ready = true;
}

static void on_closed(gcl_node *node, int error, void *user)
{
    (void)user;
    cr_assert_eq(error, 0);
    side_of(node)->is_closed = true;
}

static void on_connected(gcl_node *node, const char *name, int error, const char *detail,
                         void *user)
{
    (void)user;
    (void)name;
    side_of(node)->outcomes++;
    side_of(node)->connected += error == 0;
    cr_assert_eq(error, 0, "%s: %s", gcl_error_name(error), detail);
}

static bool both_ready(void)
{
    return sides[0].is_ready && sides[1].is_ready;
}

static bool both_closed(void)
{
    return sides[0].is_closed && sides[1].is_closed;
}

static bool both_told(void)
{
    return sides[0].outcomes == 1 && sides[1].outcomes == 1;
}

static bool none_connected(void)
{
    return !gcl_node_is_connected(sides[0].node, sides[1].name) &&
           !gcl_node_is_connected(sides[1].node, sides[0].name);
}

static void start(struct side *side, const char *alive)
{
    gcl_node_config config;
    char detail[256];
    (void)snprintf(side->name, sizeof side->name, "%s_%ld@127.0.0.1", alive, (long)getpid());
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = side->name;
    config.cookie = "cookie";
    config.listen_address = "127.0.0.1";
    config.allocator = &mem.allocator;
    config.log_level = GCL_LOG_ERROR;
    config.user = side;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    cr_assert_eq(gcl_node_new(&config, &side->node, detail, sizeof detail), 0, "%s", detail);
}

static void start_both(void)
{
    (void)gcl_test_begin(&mem);
    memset(sides, 0, sizeof sides);
    loop = ev_loop_new(0);
    start(&sides[0], "a");
    start(&sides[1], "b");
    run_until(both_ready);
}

static void stop_both(void)
{
    gcl_node_close(sides[0].node);
    gcl_node_close(sides[1].node);
    run_until(both_closed);
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
}

Test(node, two_in_one_process_connect_and_close)
{
    start_both();
    cr_assert_geq(gcl_node_creation(sides[0].node), 4);
    cr_assert_eq(gcl_node_connect(sides[0].node, sides[1].name, on_connected, NULL), 0);
    cr_assert_eq(sides[0].outcomes, 0, "told before the call returned");
    sides[1].outcomes = 1;
    run_until(both_told);
    cr_assert(gcl_node_is_connected(sides[0].node, sides[1].name));
    stop_both();
}

static uint16_t free_port(const char *address)
{
    struct gcl_address free;
    cr_assert(gcl_address_parse(address, 0, &free));
    int fd = socket(free.socket.any.sa_family, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, &free.socket.any, free.size), 0);
    cr_assert_eq(getsockname(fd, &free.socket.any, &free.size), 0);
    cr_assert_eq(close(fd), 0);
    return gcl_address_port(&free);
}

/* A fixed port and no epmd; the creation is random then. */
static void start_without_epmd(struct side *side, const char *name, const char *address)
{
    gcl_node_config config;
    char detail[256];
    (void)snprintf(side->name, sizeof side->name, "%s@127.0.0.1", name);
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = side->name;
    config.cookie = "cookie";
    config.listen_address = address;
    config.listen_port = free_port(address);
    config.no_epmd = true;
    config.allocator = &mem.allocator;
    config.log_level = GCL_LOG_ERROR;
    config.user = side;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    cr_assert_eq(gcl_node_new(&config, &side->node, detail, sizeof detail), 0, "%s", detail);
    cr_assert_eq(gcl_node_port(side->node), config.listen_port);
    cr_assert_geq(gcl_node_creation(side->node), 4);
}

static void connect_to(struct side *from, const struct side *to, const char *address)
{
    cr_assert_eq(gcl_node_set_address(from->node, to->name, address, gcl_node_port(to->node)), 0);
    cr_assert_eq(gcl_node_connect(from->node, to->name, on_connected, NULL), 0);
}

static void connect_without_epmd(const char *address)
{
    (void)gcl_test_begin(&mem);
    memset(sides, 0, sizeof sides);
    loop = ev_loop_new(0);
    start_without_epmd(&sides[0], "one", address);
    start_without_epmd(&sides[1], "two", address);
    run_until(both_ready);
    connect_to(&sides[0], &sides[1], address);
    sides[1].outcomes = 1;
    run_until(both_told);
    stop_both();
}

static struct side again;

static bool came_back(void)
{
    return again.outcomes == 1 && !gcl_node_is_connected(sides[1].node, sides[0].name);
}

static bool again_closed(void)
{
    return again.is_closed;
}

/* The same name a second time, while the first connection still looks alive: status `alive`. */
Test(node, a_peer_that_came_back_replaces_its_old_connection)
{
    (void)gcl_test_begin(&mem);
    loop = ev_loop_new(0);
    start_without_epmd(&sides[0], "one", "127.0.0.1");
    start_without_epmd(&sides[1], "two", "127.0.0.1");
    start_without_epmd(&again, "two", "127.0.0.1");
    run_until(both_ready);
    connect_to(&sides[1], &sides[0], "127.0.0.1");
    sides[0].outcomes = 1;
    run_until(both_told);
    connect_to(&again, &sides[0], "127.0.0.1");
    run_until(came_back);
    cr_assert(gcl_node_is_connected(again.node, sides[0].name));
    cr_assert(gcl_node_is_connected(sides[0].node, again.name));
    gcl_node_close(again.node);
    run_until(again_closed);
    stop_both();
}

Test(node, a_fixed_port_needs_no_epmd)
{
    connect_without_epmd("127.0.0.1");
}

Test(node, connects_over_ipv6)
{
    connect_without_epmd("::1");
}

/* Both dial in the same turn, so that both attempts are under way when they meet. */
Test(node, simultaneous_connects_end_connected, .timeout = 120)
{
    start_both();
    for (int round = 0; round < ROUNDS; round++) {
        sides[0].outcomes = sides[1].outcomes = 0;
        for (int i = 0; i < 2; i++)
            cr_assert_eq(gcl_node_connect(sides[i].node, sides[1 - i].name, on_connected, NULL), 0);
        run_until(both_told);
        cr_assert(gcl_node_is_connected(sides[0].node, sides[1].name));
        cr_assert(gcl_node_is_connected(sides[1].node, sides[0].name));
        cr_assert_eq(gcl_node_disconnect(sides[round % 2].node, sides[1 - round % 2].name), 0);
        run_until(none_connected);
    }
    cr_assert_eq(sides[0].connected + sides[1].connected, 2 * ROUNDS);
    stop_both();
}

static void set_flag(gcl_node *node, void *argument)
{
    cr_assert(node == sides[0].node || node == NULL);
    *(bool *)argument = true;
}

static bool posted;

static bool was_posted(void)
{
    return posted;
}

Test(node, a_post_runs_in_the_loop_and_is_refused_after_the_close)
{
    start_both();
    gcl_poster *poster = gcl_node_poster(sides[0].node);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    run_until(was_posted);
    stop_both();
    cr_assert_eq(gcl_post(poster, set_flag, &posted), GCL_ECLOSED);
    gcl_poster_release(poster);
}

Test(node, posts_that_wait_have_a_limit)
{
    gcl_node_config config;
    (void)gcl_test_begin(&mem);
    loop = ev_loop_new(0);
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = "posts@127.0.0.1";
    config.cookie = "cookie";
    config.no_listener = true;
    config.max_posts = 2;
    config.allocator = &mem.allocator;
    config.user = &sides[0];
    config.on_closed = on_closed;
    cr_assert_eq(gcl_node_new(&config, &sides[0].node, NULL, 0), 0);
    gcl_poster *poster = gcl_node_poster(sides[0].node);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), GCL_EBUSY);
    run_until(was_posted);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    gcl_poster_release(poster);
    gcl_node_close(sides[0].node);
    sides[1].is_closed = true;
    run_until(both_closed);
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
}

static bool worked;
static bool work_done;

static void work(void *user)
{
    *(bool *)user = true;
}

static void done(gcl_node *node, bool canceled, void *user)
{
    cr_assert_not_null(node);
    cr_assert_not(canceled);
    cr_assert(*(bool *)user);
    work_done = true;
}

static bool was_done(void)
{
    return work_done;
}

Test(node, work_runs_elsewhere_and_ends_in_the_loop)
{
    start_both();
    cr_assert_eq(gcl_work(sides[0].node, work, done, &worked), 0);
    cr_assert_not(work_done);
    run_until(was_done);
    stop_both();
}

Test(node, a_visible_node_is_refused_with_the_reason)
{
    gcl_node_config config;
    gcl_node *node;
    char detail[256];
    loop = ev_loop_new(0);
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = "a@127.0.0.1";
    config.cookie = "cookie";
    config.hidden = false;
    config.allocator = gcl_test_begin(&mem);
    cr_assert_eq(gcl_node_new(&config, &node, detail, sizeof detail), GCL_ENOTSUP);
    cr_assert_not_null(strstr(detail, "global"));
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
}

Test(node, without_memory_at_any_point_nothing_is_left)
{
    gcl_node_config config;
    int error = GCL_ENOMEM;
    loop = ev_loop_new(0);
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = "oom@127.0.0.1";
    config.cookie = "cookie";
    config.listen_address = "127.0.0.1";
    config.no_listener = true;
    config.on_closed = on_closed;
    config.user = &sides[0];
    config.log_level = 0;
    for (size_t n = 1; error != 0; n++) {
        config.allocator = gcl_test_begin(&mem);
        gcl_test_fail_at(&mem, n);
        error = gcl_node_new(&config, &sides[0].node, NULL, 0);
        if (error == 0)
            break;
        cr_assert_eq(error, GCL_ENOMEM);
        gcl_test_end(&mem);
    }
    gcl_test_fail_at(&mem, 0);
    sides[1].is_closed = true;
    gcl_node_close(sides[0].node);
    run_until(both_closed);
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in one OS process and one loop: how they begin, connect and end. */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { ROUNDS = 200 };

static struct world_node *a, *b, *c;

static void begin(void)
{
    world_begin();
    a = world_start(0, NULL);
    b = world_start(1, NULL);
}

/* --- connecting ------------------------------------------------------------------------------- */

/* Under the epmd that this run was given, and on any free port. */
static void use_epmd(gcl_node_config *config)
{
    config->no_epmd = false;
    config->listen_port = 0;
}

static int outcome;
static unsigned outcomes;

static void on_outcome(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    (void)node;
    (void)name;
    (void)detail;
    (void)user;
    outcome = error;
    outcomes++;
}

static bool has_outcome(void)
{
    return outcomes == 1;
}

Test(node, two_in_one_process_connect_and_close)
{
    world_begin();
    a = world_start(0, use_epmd);
    b = world_start(1, use_epmd);
    cr_assert_geq(gcl_node_creation(a->node), 4);
    cr_assert_neq(gcl_node_port(a->node), 0);
    outcomes = 0;
    cr_assert_eq(gcl_node_connect(a->node, b->name, on_outcome, NULL), 0);
    cr_assert_eq(outcomes, 0, "told before the call returned");
    world_until(has_outcome);
    cr_assert_eq(outcome, 0);
    cr_assert(gcl_node_is_connected(a->node, b->name));
    world_end();
}

Test(node, a_fixed_port_needs_no_epmd)
{
    begin();
    cr_assert_geq(gcl_node_creation(a->node), 4);
    world_join(a, b);
    world_end();
}

Test(node, connects_over_ipv6)
{
    world_begin();
    world.address = "::1";
    a = world_start(0, NULL);
    b = world_start(1, NULL);
    world_join(a, b);
    world_end();
}

/* As net_kernel:connect_node(node()), which is true. */
Test(node, is_connected_to_itself)
{
    begin();
    outcomes = 0;
    outcome = GCL_EINVAL;
    cr_assert_eq(gcl_node_connect(a->node, a->name, on_outcome, NULL), 0);
    cr_assert_eq(outcomes, 0, "told before the call returned");
    world_until(has_outcome);
    cr_assert_eq(outcome, 0);
    cr_assert_eq(gcl_node_set_address(a->node, a->name, "127.0.0.1", 1), 0);
    cr_assert_eq(gcl_node_set_address(a->node, a->name, "nowhere", 1), GCL_EINVAL);
    cr_assert_eq(gcl_node_stay_connected(a->node, a->name, true), 0);
    cr_assert_eq(gcl_node_stay_connected(a->node, a->name, false), 0);
    cr_assert_not(gcl_node_is_connected(a->node, a->name));
    world_end();
}

Test(node, who_waits_for_itself_is_told_of_the_close)
{
    begin();
    outcomes = 0;
    cr_assert_eq(gcl_node_connect(a->node, a->name, on_outcome, NULL), 0);
    gcl_node_close(a->node);
    cr_assert_eq(gcl_node_connect(a->node, a->name, on_outcome, NULL), GCL_ECLOSED);
    world_end();
    cr_assert_eq(outcomes, 1);
}

static void take_the_name_of_b(gcl_node_config *config)
{
    config->name = b->name;
}

static bool has_been_replaced(void)
{
    return c->outcomes == 1 && !gcl_node_is_connected(b->node, a->name);
}

/* The same name a second time, while the first connection still looks alive: status `alive`. */
Test(node, a_peer_that_came_back_replaces_its_old_connection)
{
    begin();
    c = world_start(2, take_the_name_of_b);
    world_join(b, a);
    world_connect(c, a);
    world_until(has_been_replaced);
    cr_assert_eq(c->outcome, 0);
    cr_assert(gcl_node_is_connected(c->node, a->name));
    cr_assert(gcl_node_is_connected(a->node, c->name));
    world_end();
}

static void listen_at_localhost(gcl_node_config *config)
{
    config->listen_address = "localhost";
}

static void have_a_short_name(gcl_node_config *config)
{
    char *host = strchr(config->name, '@');
    cr_assert_lt(strlen("@localhost"), sizeof b->name - (size_t)(host - config->name));
    strcpy(host, "@localhost");
}

static bool has_lost_b(void)
{
    return !gcl_node_is_connected(a->node, b->name);
}

/* Each says so, and that is enough. */
Test(node, names_of_two_kinds_are_logged_once)
{
    world_begin();
    a = world_start(0, NULL);
    b = world_start(1, have_a_short_name);
    c = world_start(2, NULL);
    world_join(a, c);
    cr_assert_eq(world_logged("name_kind"), 0);
    world_join(a, b);
    cr_assert_eq(gcl_node_disconnect(a->node, b->name), 0);
    world_until(has_lost_b);
    world_join(a, b);
    world_join(b, c);
    char of_a[256], of_b[256];
    (void)snprintf(of_a, sizeof of_a,
                   "name_kind the host of %s has no dot, that of %s has one: ", b->name, a->name);
    (void)snprintf(of_b, sizeof of_b,
                   "name_kind the host of %s has a dot, that of %s has none: ", a->name, b->name);
    cr_assert_eq(world_logged(of_a), 1, "%s", world.log);
    cr_assert_eq(world_logged(of_b), 1, "%s", world.log);
    cr_assert_eq(world_logged("name_kind"), 3);
    world_end();
}

static unsigned round_number;

static bool are_connected(void)
{
    return a->outcomes == round_number && b->outcomes == round_number;
}

static bool are_unconnected(void)
{
    return !gcl_node_is_connected(a->node, b->name) && !gcl_node_is_connected(b->node, a->name);
}

/* Both dial in the same turn, so that both attempts are under way when they meet. */
Test(node, simultaneous_connects_end_connected, .timeout = 120)
{
    begin();
    for (round_number = 1; round_number <= ROUNDS; round_number++) {
        world_connect(a, b);
        world_connect(b, a);
        world_until(are_connected);
        cr_assert(a->outcome == 0 && b->outcome == 0);
        cr_assert(gcl_node_is_connected(a->node, b->name));
        cr_assert(gcl_node_is_connected(b->node, a->name));
        struct world_node *one = round_number % 2 == 0 ? a : b;
        cr_assert_eq(gcl_node_disconnect(one->node, one == a ? b->name : a->name), 0);
        world_until(are_unconnected);
    }
    world_end();
}

/* --- other threads ---------------------------------------------------------------------------- */

static bool posted;

static void set_flag(gcl_node *node, void *argument)
{
    cr_assert(node == a->node || node == NULL);
    *(bool *)argument = true;
}

static bool was_posted(void)
{
    return posted;
}

Test(node, a_post_runs_in_the_loop_and_is_refused_after_the_close)
{
    begin();
    gcl_poster *poster = gcl_node_poster(a->node);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    cr_assert_not(posted);
    world_until(was_posted);
    world_end();
    cr_assert_eq(gcl_post(poster, set_flag, &posted), GCL_ECLOSED);
    gcl_poster_release(poster);
}

static void two_posts(gcl_node_config *config)
{
    config->max_posts = 2;
}

Test(node, posts_that_wait_have_a_limit)
{
    world_begin();
    a = world_start(0, two_posts);
    gcl_poster *poster = gcl_node_poster(a->node);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), GCL_EBUSY);
    world_until(was_posted);
    cr_assert_eq(gcl_post(poster, set_flag, &posted), 0);
    gcl_poster_release(poster);
    world_end();
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
    begin();
    cr_assert_eq(gcl_work(a->node, work, done, &worked), 0);
    cr_assert_not(work_done);
    world_until(was_done);
    world_end();
}

/* --- configs ---------------------------------------------------------------------------------- */

static sem_t begun, may_end;
static unsigned ended_count, canceled_count;

static void work_until_told(void *user)
{
    (void)user;
    (void)sem_post(&begun);
    while (sem_wait(&may_end) != 0)
        ;
}

static void count_ends(gcl_node *node, bool canceled, void *user)
{
    (void)node;
    (void)user;
    cr_assert_not(a->is_closed, "told behind on_closed");
    *(canceled ? &canceled_count : &ended_count) += 1;
}

static void close_soon(gcl_node_config *config)
{
    config->close_timeout_ms = 50;
}

static bool was_canceled(void)
{
    return canceled_count == 1;
}

static bool is_closed(void)
{
    return a->is_closed;
}

/* Nobody can end a thread; what it works with must not go away below it. */
Test(node, work_that_runs_is_waited_for_when_it_closes)
{
    enum { THREADS = 4 };
    cr_assert_eq(sem_init(&begun, 0, 0), 0);
    cr_assert_eq(sem_init(&may_end, 0, 0), 0);
    world_begin();
    a = world_start(0, close_soon);
    for (int i = 0; i < THREADS + 1; i++)
        cr_assert_eq(gcl_work(a->node, work_until_told, count_ends, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        while (sem_wait(&begun) != 0)
            ;
    gcl_node_close(a->node);
    world_until(was_canceled);
    cr_assert_eq(gcl_work(a->node, work_until_told, count_ends, NULL), GCL_ECLOSED);
    world_live(200);
    cr_assert_not(a->is_closed);
    cr_assert_eq(ended_count, 0);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(sem_post(&may_end), 0);
    world_until(is_closed);
    cr_assert_eq(ended_count, THREADS);
    cr_assert_eq(canceled_count, 1);
    world_end();
}

static gcl_node_config config;

static void begin_config(void)
{
    world_begin();
    gcl_node_config_init(&config);
    config.loop = world.loop;
    config.name = "a@127.0.0.1";
    config.cookie = "cookie";
    config.hidden = config.no_listener = true;
    config.log_level = 0;
    config.allocator = &world.mem.allocator;
}

static void expect_refusal(int error, const char *text)
{
    gcl_node *node = NULL;
    char detail[256];
    cr_assert_eq(gcl_node_new(&config, &node, detail, sizeof detail), error, "%s", detail);
    cr_assert_not_null(strstr(detail, text), "%s", detail);
    cr_assert_null(node);
}

Test(node, a_visible_node_that_does_not_listen_is_refused_with_the_reason)
{
    begin_config();
    config.hidden = false;
    expect_refusal(GCL_EINVAL, "global");
    world_end();
}

Test(node, a_config_out_of_range_is_refused_with_the_reason)
{
    begin_config();
    config.size = 8;
    expect_refusal(GCL_EINVAL, "gcl_node_config_init");
    config.size = sizeof config;
    config.output_soft_bytes = config.output_hard_bytes + 1;
    expect_refusal(GCL_EINVAL, "output_soft_bytes");
    config.output_soft_bytes = 1;
    config.reconnect_min_ms = 0;
    expect_refusal(GCL_EINVAL, "reconnect_min_ms");
    config.reconnect_min_ms = config.reconnect_max_ms + 1;
    expect_refusal(GCL_EINVAL, "reconnect_min_ms");
    config.reconnect_min_ms = 1;
    config.net_tickintensity = 3;
    expect_refusal(GCL_EINVAL, "net_tickintensity");
    config.net_tickintensity = 4;
    config.cookie = "";
    expect_refusal(GCL_EINVAL, "cookie");
    config.cookie = "cookie";
    config.name = "@127.0.0.1";
    expect_refusal(GCL_ENAME, "alive@host");
    world_end();
}

/* As people write it; any other name would have to be resolved, which may take its time. */
Test(node, listens_at_a_numeric_address_or_at_localhost)
{
    world_begin();
    a = world_start(0, listen_at_localhost);
    b = world_start(1, NULL);
    world_join(b, a);
    world_end();
    begin_config();
    config.listen_address = "localhost.localdomain";
    config.no_listener = false;
    expect_refusal(GCL_EINVAL, "listen_address: expected a numeric address or localhost, got "
                               "\"localhost.localdomain\"");
    world_end();
}

/* The text says which of the rules it is. */
Test(node, a_bad_name_is_refused_with_what_is_wrong)
{
    char large[300];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memcpy(large, "alive@", 6);
    const struct {
        const char *name, *text;
    } wrong[] = {
        {"@host", "alive@host, both parts not empty"},
        {"alive@", "both parts not empty"},
        {"", "both parts not empty"},
        {"bad name@host", "without spaces and control characters"},
        {"alive@ho\tst", "without spaces and control characters"},
        {"alive@\x7F", "without spaces and control characters"},
        {"alive@host@host", "with one @"},
        {"@host@", "with one @"},
        {"alive@\xFF", "in UTF-8, of at most 255 characters"},
        {"undefined@host", "cannot ask for a dynamic name"},
        {"undefined", "cannot ask for a dynamic name"},
        {large, "in UTF-8, of at most 255 characters"},
    };
    begin_config();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        config.name = wrong[i].name;
        expect_refusal(GCL_ENAME, wrong[i].text);
    }
    world_end();
}

static bool closed;

static void on_closed(gcl_node *node, int error, void *user)
{
    (void)node;
    (void)user;
    cr_assert_eq(error, 0);
    closed = true;
}

static bool has_closed(void)
{
    return closed;
}

static void without_memory_at_any_point(bool hidden)
{
    int error = GCL_ENOMEM;
    gcl_node *node;
    begin_config();
    config.hidden = config.no_listener = hidden;
    config.on_closed = on_closed;
    closed = false;
    for (size_t n = 1; error != 0; n++) {
        gcl_test_fail_at(&world.mem, n);
        error = gcl_node_new(&config, &node, NULL, 0);
        if (error == 0)
            break;
        cr_assert_eq(error, GCL_ENOMEM);
        gcl_test_end(&world.mem);
    }
    gcl_test_fail_at(&world.mem, 0);
    gcl_node_close(node);
    world_until(has_closed);
    world_end();
}

Test(node, without_memory_at_any_point_nothing_is_left)
{
    without_memory_at_any_point(false);
    without_memory_at_any_point(true);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What programs ask of `global` on visible nodes in one loop. With BEAMs: ct/global_api_SUITE. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "server/global/global.h"
#include "world.h"

static const gcl_handlers handlers = {.size = sizeof handlers};
static struct world_node *a, *b;
static gcl_server *one, *two; /* on a and on b */
static unsigned calls, outcomes;
static char trace[1024]; /* outcomes: "name ERROR " of each */

static void visible(gcl_node_config *config)
{
    config->hidden = false;
}

/* `user` is what was asked. */
static gcl_result done(gcl_server *self, int error, gcl_term term, void *user)
{
    size_t used = strlen(trace);
    (void)self;
    (void)term;
    outcomes++;
    (void)snprintf(trace + used, sizeof trace - used, "%s %s ", (const char *)user,
                   gcl_error_name(error));
    return GCL_CONTINUE;
}

#define AS(what) ((void *)(uintptr_t)(what))

static bool all_are_done(void)
{
    return outcomes == calls;
}

static void await_all(void)
{
    world_until(all_are_done);
}

static void begin(void)
{
    world_begin();
    calls = outcomes = 0;
    trace[0] = '\0';
    a = world_start(0, visible);
    one = world_serve(a, &handlers, "one", NULL);
}

/* Two nodes that are in sync. */
static void begin_two(void)
{
    begin();
    b = world_start(1, visible);
    two = world_serve(b, &handlers, "two", NULL);
    world_introduce(b, a);
    world_join(a, b);
    calls += gcl_global_sync(one, done, AS("sync")) == 0;
    calls += gcl_global_sync(two, done, AS("sync")) == 0;
    await_all();
    trace[0] = '\0';
}

/* --- outcomes ------------------------------------------------------------------------------- */

Test(global_nodes, outcomes_come_in_a_turn_of_their_own)
{
    begin();
    calls += gcl_global_register(one, done, AS("register"), "name") == 0;
    calls += gcl_global_registered_names(one, done, AS("names")) == 0;
    calls += gcl_global_sync(one, done, AS("sync")) == 0;
    calls += gcl_global_set_lock(one, NULL, done, AS("lock"), "{r, ~p}", gcl_self(one)) == 0;
    calls += gcl_global_del_lock(one, NULL, done, AS("unlock"), "{r, ~p}", gcl_self(one)) == 0;
    calls += gcl_global_unregister_name(one, done, AS("take"), "name") == 0;
    cr_assert_eq(calls, 6);
    cr_assert_eq(outcomes, 0);
    await_all();
    cr_assert_str_eq(trace, "register GCL_OK names GCL_OK sync GCL_OK lock GCL_OK unlock GCL_OK "
                            "take GCL_OK ");
    world_end();
}

/* What waits for others when the server ends, and when its node does. */
static void ask_what_takes_time(gcl_server *self)
{
    calls += gcl_global_register(self, done, AS("register"), "name") == 0;
    calls += gcl_global_set_lock(self, NULL, done, AS("lock"), "{r, ~p}", gcl_self(self)) == 0;
    calls += gcl_global_del_lock(self, NULL, done, AS("unlock"), "{s, ~p}", gcl_self(self)) == 0;
    calls += gcl_global_unregister_name(self, done, AS("take"), "other") == 0;
}

static void expect_canceled(void)
{
    unsigned count = 0;
    for (const char *at = trace; (at = strstr(at, "GCL_")) != NULL; at++, count++)
        cr_assert_eq(strncmp(at, "GCL_ECANCELED ", 14), 0, "%s", trace);
    cr_assert_eq(count, 4, "%s", trace);
}

Test(global_nodes, the_end_of_a_server_cancels_what_it_waits_for)
{
    begin_two();
    ask_what_takes_time(one);
    cr_assert_eq(gcl_server_stop(one, "normal"), 0);
    await_all();
    expect_canceled();
    /* Nothing of it is left: the other node gets the name and the lock. */
    calls += gcl_global_register(two, done, AS("register"), "name") == 0;
    calls += gcl_global_set_lock(two, NULL, done, AS("lock"), "{r, ~p}", gcl_self(two)) == 0;
    trace[0] = '\0';
    await_all();
    cr_assert(strstr(trace, "register GCL_OK") != NULL, "%s", trace);
    cr_assert(strstr(trace, "lock GCL_OK") != NULL, "%s", trace);
    world_end();
}

Test(global_nodes, the_end_of_the_node_cancels_what_its_servers_wait_for)
{
    begin_two();
    ask_what_takes_time(one);
    world_close(a);
    expect_canceled();
    world_end();
}

/* Asks again whenever it is told that it cannot have it. */
static gcl_result insist(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)term;
    (void)user;
    outcomes++;
    if (error != 0)
        cr_assert_eq(gcl_global_register(self, insist, NULL, "name"), GCL_ECLOSED);
    return GCL_CONTINUE;
}

Test(global_nodes, who_insists_is_told_that_it_is_over)
{
    begin_two();
    calls += gcl_global_register(one, insist, NULL, "name") == 0;
    world_close(a);
    cr_assert_eq(outcomes, calls);
    world_end();
}

static gcl_result stop_in_here(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    (void)user;
    cr_assert_eq(error, 0);
    outcomes++;
    return GCL_STOP;
}

Test(global_nodes, a_server_may_end_in_its_outcome)
{
    begin();
    calls += gcl_global_set_lock(one, NULL, stop_in_here, NULL, "{r, x}") == 0;
    calls += gcl_global_registered_names(one, done, AS("names")) == 0;
    await_all();
    cr_assert_str_eq(trace, "names GCL_ECANCELED ");
    world_end();
}

Test(global_nodes, the_second_holder_waits_for_the_first)
{
    gcl_global_lock_options options;
    begin_two();
    gcl_global_lock_options_init(&options);
    options.retries = 0;
    calls += gcl_global_set_lock(one, NULL, done, AS("one"), "{r, one}") == 0;
    await_all();
    calls += gcl_global_set_lock(two, &options, done, AS("two"), "{r, two}") == 0;
    await_all();
    calls += gcl_global_set_lock(two, NULL, done, AS("two"), "{r, two}") == 0;
    cr_assert_eq(gcl_global_del_lock(one, NULL, NULL, NULL, "{r, one}"), 0);
    await_all();
    cr_assert_str_eq(trace, "one GCL_OK two GCL_EEXIST two GCL_OK ");
    world_end();
}

Test(global_nodes, mistakes_are_refused)
{
    gcl_global_options options = {0};
    gcl_global_lock_options lock = {0};
    begin();
    cr_assert_eq(gcl_global_register(one, NULL, NULL, "name"), GCL_EINVAL);
    cr_assert_eq(gcl_global_register_as(one, &options, done, AS(""), "name"), GCL_EINVAL);
    gcl_global_options_init(&options);
    options.method = GCL_GLOBAL_RESOLVE;
    cr_assert_eq(gcl_global_register_as(one, &options, done, AS(""), "name"), GCL_EINVAL);
    options.method = GCL_GLOBAL_NOBODY;
    options.pid = (gcl_pid){.node = 7, .generation = 7, .id = 7};
    cr_assert_eq(gcl_global_register_as(one, &options, done, AS(""), "name"), GCL_EINVAL);
    options.method = GCL_GLOBAL_RANDOM_EXIT;
    cr_assert_eq(gcl_global_register_as(one, &options, done, AS(""), "name"), GCL_ESTALE);
    cr_assert_eq(gcl_global_each_name(a->node, NULL, NULL), GCL_EINVAL);
    cr_assert_eq(gcl_global_set_lock(one, &lock, done, AS(""), "{r, x}"), GCL_EINVAL);
    cr_assert_eq(gcl_global_set_lock(one, NULL, NULL, NULL, "{r, x}"), GCL_EINVAL);
    cr_assert_eq(gcl_global_set_lock(one, NULL, done, AS(""), "r"), GCL_EINVAL);
    cr_assert_eq(gcl_global_del_lock(one, NULL, NULL, NULL, "r"), GCL_EINVAL);
    cr_assert_eq(gcl_global_unregister(one, "name"), GCL_ENOENT);
    world_live(20);
    cr_assert_eq(outcomes, 0);
    world_end();
}

/* --- methods -------------------------------------------------------------------------------- */

static gcl_pid keep_own(gcl_server *self, gcl_term name, gcl_pid own, gcl_pid other, void *user)
{
    (void)self;
    (void)name;
    (void)other;
    (void)user;
    return own;
}

/* `one`, as b knows it. */
static gcl_pid holder;

static void note_holder(gcl_term name, gcl_pid pid, void *user)
{
    (void)name;
    (void)user;
    holder = pid;
}

static gcl_result who(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_pid pid;
    bool is_own = error == 0 && gcl_match(term, "~p", &pid) && gcl_pid_equal(pid, holder);
    (void)user;
    return done(self, 0, term, AS(is_own ? "own" : "none"));
}

/* As a node of another partition, whose server `two` has the name, too. */
static void resolve(void)
{
    uint8_t method[GCL_GLOBAL_METHOD_BYTES];
    size_t size = gcl_global_write_method(GCL_GLOBAL_RESOLVE, method);
    calls += 1;
    cr_assert_eq(gcl_global_each_name(b->node, note_holder, NULL), 0);
    cr_assert_eq(gcl_call(two, gcl_to_remote("rex", gcl_node_name(a->node)), 5000, who, NULL, NULL,
                          "{call, global, resolve_it, [~t, name, ~p, ~p], user}",
                          gcl_term_make(gcl_node_terms(b->node), method, size), gcl_self(two),
                          holder),
                 0);
    await_all();
}

Test(global_nodes, a_name_has_its_method_until_it_has_another_one)
{
    gcl_global_options options;
    begin_two();
    gcl_global_options_init(&options);
    options.method = GCL_GLOBAL_RESOLVE;
    options.resolve = keep_own;
    calls += gcl_global_register_as(one, &options, done, AS("register"), "name") == 0;
    await_all();
    calls += gcl_global_set_lock(two, NULL, done, AS("lock"), "{global, two}") == 0;
    await_all();
    gcl_global_options_init(&options);
    options.method = GCL_GLOBAL_NOBODY;
    trace[0] = '\0';
    cr_assert_eq(gcl_global_re_register(one, &options, done, AS("again"), "name"), 0);
    resolve();
    calls += gcl_global_del_lock(two, NULL, done, AS("unlock"), "{global, two}") == 0;
    calls += 1;
    await_all();
    resolve();
    cr_assert_str_eq(trace, "own GCL_OK unlock GCL_OK again GCL_OK none GCL_OK ");
    world_end();
}

/* --- tens of thousands ---------------------------------------------------------------------- */

enum { MOST = 1 << 16 };

static gcl_result count(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    (void)user;
    cr_assert_eq(error, 0, "%s", gcl_error_name(error));
    outcomes++;
    return GCL_CONTINUE;
}

static int take_name(unsigned number)
{
    int error = gcl_global_re_register(one, NULL, count, NULL, "{name, ~u}", number);
    calls += error == 0;
    return error;
}

/* Each is answered in a turn of its own: all of them wait. */
Test(global_nodes, what_is_asked_has_a_limit, .timeout = 120)
{
    begin();
    for (unsigned i = 0; i < MOST; i++)
        cr_assert_eq(take_name(i), 0);
    cr_assert_eq(take_name(MOST), GCL_ELIMIT);
    cr_assert_eq(gcl_global_whereis(one, count, NULL, "{name, 1}"), GCL_ELIMIT);
    cr_assert_eq(gcl_global_registered_names(one, count, NULL), GCL_ELIMIT);
    cr_assert_eq(gcl_global_sync(one, count, NULL), GCL_ELIMIT);
    cr_assert_eq(gcl_global_set_lock(one, NULL, count, NULL, "{r, 1}"), GCL_ELIMIT);
    cr_assert_eq(gcl_global_del_lock(one, NULL, count, NULL, "{r, 1}"), GCL_ELIMIT);
    await_all();
    cr_assert_eq(take_name(MOST), 0);
    await_all();
    /* Each is found again. */
    for (unsigned i = 0; i <= MOST; i++)
        cr_assert_eq(gcl_global_unregister(one, "{name, ~u}", i), 0);
    cr_assert_eq(gcl_global_unregister(one, "{name, 1}"), GCL_ENOENT);
    world_end();
}

/* --- without memory ------------------------------------------------------------------------- */

static void expect(int error)
{
    cr_assert(error == 0 || error == GCL_ENOMEM || error == GCL_ECLOSED, "%s",
              gcl_error_name(error));
    calls += error == 0;
}

static void ask_everything(void)
{
    gcl_global_options options;
    gcl_global_options_init(&options);
    options.method = GCL_GLOBAL_RESOLVE;
    options.resolve = keep_own;
    expect(gcl_global_register_as(one, &options, done, AS("register"), "name"));
    expect(gcl_global_re_register(one, NULL, done, AS("again"), "{other, 1}"));
    expect(gcl_global_set_lock(one, NULL, done, AS("lock"), "{r, ~p}", gcl_self(one)));
    expect(gcl_global_whereis(one, done, AS("whereis"), "name"));
    expect(gcl_global_registered_names(one, done, AS("names")));
    expect(gcl_global_sync(one, done, AS("sync")));
    expect(gcl_global_del_lock(one, NULL, done, AS("unlock"), "{r, ~p}", gcl_self(one)));
    expect(gcl_global_unregister_name(one, done, AS("take"), "{other, 1}"));
}

/* A node that cannot go on closes; whoever was told that he will be told, is. */
static bool without_memory_from(size_t n, void (*begin_nodes)(void))
{
    begin_nodes();
    world.may_close_with = GCL_ENOMEM;
    gcl_test_fail_at(&world.mem, n);
    size_t until = world.mem.attempts + n;
    ask_everything();
    world_live(2);
    bool has_failed = world.mem.attempts >= until;
    gcl_test_fail_at(&world.mem, 0);
    world_until(all_are_done);
    world_end();
    return has_failed;
}

Test(global_nodes, without_memory_from_any_point_on_nothing_is_left, .timeout = 120)
{
    size_t n = 1;
    while (without_memory_from(n, begin))
        n++;
    cr_assert_gt(n, 40);
}

/* Each start of two nodes takes a while: every seventh point has to do. */
Test(global_nodes, without_memory_two_nodes_leave_nothing, .timeout = 120)
{
    size_t n = 1;
    while (without_memory_from(n, begin_two))
        n += world_is_slow() ? 29 : 7;
    cr_assert_gt(n, 80);
}

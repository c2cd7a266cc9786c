/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes of process groups on nodes in one loop. Those of BEAMs: test/ct/pg_SUITE.erl. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

static struct world_node *a, *b;
static gcl_server *one, *two; /* on a and on b */
static unsigned got;          /* messages, by both */
static char trace[1024];      /* changes, as one was told */

static gcl_result on_info(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    (void)user;
    if (gcl_match(message, "hello"))
        got++;
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof handlers, .handle_info = on_info};

static void quick(gcl_pg_config *config, const char *scope)
{
    gcl_pg_config_init(config);
    config->scope = scope;
    config->discover_ms = 20;
}

static void start_scope(struct world_node *at)
{
    gcl_pg_config config;
    quick(&config, NULL);
    cr_assert_eq(gcl_pg_start(at->node, &config), 0);
}

/* Two nodes, a server on each; nothing is connected. */
static void begin(void)
{
    world_begin();
    got = 0;
    trace[0] = '\0';
    a = world_start(0, NULL);
    b = world_start(1, NULL);
    one = world_serve(a, &handlers, "one", NULL);
    two = world_serve(b, &handlers, "two", NULL);
}

static void begin_with_scopes(void)
{
    begin();
    start_scope(a);
    start_scope(b);
    world_join(a, b);
}

/* --- who is there --------------------------------------------------------------------------- */

static void count(gcl_pid pid, void *user)
{
    (void)pid;
    ++*(unsigned *)user;
}

static unsigned members(const struct world_node *at, gcl_pg_part part)
{
    unsigned found = 0;
    cr_assert_eq(gcl_pg_each_member(at->node, NULL, part, count, &found, "lobby"), 0);
    return found;
}

static unsigned awaited_members;

static bool both_have_them(void)
{
    return members(a, GCL_PG_ALL) == awaited_members && members(b, GCL_PG_ALL) == awaited_members;
}

static void await_members(unsigned expected)
{
    awaited_members = expected;
    world_until(both_have_them);
}

static int join(struct world_node *at, gcl_server *server)
{
    return gcl_pg_join(at->node, NULL, gcl_self(server), "lobby");
}

static bool has_ended(void)
{
    return strstr(trace, "ended ") != NULL;
}

static gcl_result on_change(gcl_server *self, const gcl_pg_change *change, void *user)
{
    static const char *const kinds[] = {"join", "leave", "ended"};
    size_t used = strlen(trace);
    (void)self;
    (void)user;
    (void)snprintf(trace + used, sizeof trace - used, "%s ", kinds[change->kind]);
    return GCL_CONTINUE;
}

/* --- tests ---------------------------------------------------------------------------------- */

Test(pg_nodes, hidden_nodes_find_each_other)
{
    begin_with_scopes();
    cr_assert_eq(join(a, one), 0);
    cr_assert_eq(join(b, two), 0);
    cr_assert_eq(join(b, two), 0);
    await_members(3);
    cr_assert_eq(members(a, GCL_PG_LOCAL), 1);
    cr_assert_eq(members(a, GCL_PG_REMOTE), 2);
    gcl_server_stop(two, "normal");
    await_members(1);
    world_end();
}

Test(pg_nodes, a_scope_that_starts_later_is_found)
{
    begin();
    start_scope(a);
    cr_assert_eq(join(a, one), 0);
    world_join(a, b);
    start_scope(b);
    await_members(1);
    cr_assert_eq(gcl_pg_stop(b->node, NULL), 0);
    cr_assert_eq(gcl_pg_leave(a->node, NULL, gcl_self(one), "lobby"), 0);
    world_end();
}

static bool all_are_got(void)
{
    return got == 3;
}

Test(pg_nodes, a_message_reaches_each_member_as_often_as_it_joined)
{
    begin_with_scopes();
    cr_assert_eq(join(a, one), 0);
    cr_assert_eq(join(b, two), 0);
    cr_assert_eq(join(b, two), 0);
    await_members(3);
    cr_assert_eq(gcl_pg_send(one, NULL, GCL_PG_ALL, GCL_MESSAGE("lobby"), "hello"), 0);
    cr_assert_eq(gcl_pg_send(one, NULL, GCL_PG_ALL, GCL_MESSAGE("hall"), "hello"), 0);
    cr_assert_eq(gcl_pg_send(one, "none", GCL_PG_ALL, GCL_MESSAGE("lobby"), "hello"), GCL_ENOENT);
    world_until(all_are_got);
    world_end();
}

static unsigned walked;

static void change_meanwhile(gcl_pid pid, void *user)
{
    gcl_ref ref;
    (void)user;
    walked++;
    cr_assert_eq(gcl_pg_join(a->node, NULL, pid, "hall"), GCL_EBUSY);
    cr_assert_eq(gcl_pg_leave(a->node, NULL, pid, "lobby"), GCL_EBUSY);
    cr_assert_eq(gcl_pg_monitor(one, NULL, on_change, NULL, &ref, "hall"), GCL_EBUSY);
    cr_assert_eq(gcl_send(one, gcl_to_pid(pid), "hello"), 0);
}

static void count_group(gcl_term group, void *user)
{
    (void)user;
    walked += gcl_match(group, "lobby") ? 1 : 100;
}

Test(pg_nodes, a_walk_allocates_nothing_and_nothing_changes_meanwhile)
{
    begin();
    start_scope(a);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(join(a, one), 0);
    walked = 0;
    cr_assert_eq(gcl_pg_each_member(a->node, NULL, GCL_PG_ALL, change_meanwhile, NULL, "lobby"), 0);
    cr_assert_eq(walked, 3);
    unsigned found = 0;
    size_t before = world.mem.total;
    cr_assert_eq(gcl_pg_each_member(a->node, NULL, GCL_PG_ALL, count, &found, "lobby"), 0);
    before = world.mem.total - before; /* the pattern above is compiled once */
    size_t warm = world.mem.total;
    walked = 0;
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(members(a, GCL_PG_ALL), 3);
        if (i == 0)
            warm = world.mem.total;
        cr_assert_eq(gcl_pg_each_group(a->node, NULL, count_group, NULL), 0);
    }
    cr_assert_eq(walked, 100);
    cr_assert_leq(world.mem.total - warm, 2, "but for the pattern of count_group()");
    world_until(all_are_got);
    world_end();
}

Test(pg_nodes, what_cannot_be_is_refused)
{
    gcl_pg_config config;
    gcl_ref ref;
    begin();
    cr_assert_eq(join(a, one), GCL_ENOENT);
    cr_assert_eq(gcl_pg_stop(a->node, NULL), GCL_ENOENT);
    cr_assert_eq(gcl_pg_monitor_scope(one, NULL, on_change, NULL, &ref), GCL_ENOENT);
    quick(&config, "one");
    cr_assert_eq(gcl_pg_start(a->node, &config), GCL_EEXIST);
    quick(&config, "");
    cr_assert_eq(gcl_pg_start(a->node, &config), GCL_EINVAL);
    quick(&config, "other");
    config.size = 0;
    cr_assert_eq(gcl_pg_start(a->node, &config), GCL_EINVAL);
    start_scope(a);
    cr_assert_eq(gcl_pg_join(a->node, "one", gcl_self(one), "lobby"), GCL_ENOENT);
    cr_assert_eq(gcl_pg_join(a->node, NULL, (gcl_pid){0}, "lobby"), GCL_EINVAL);
    cr_assert_eq(gcl_pg_leave(a->node, NULL, gcl_self(one), "lobby"), GCL_ENOENT);
    cr_assert_eq(gcl_pg_monitor_scope(one, NULL, NULL, NULL, &ref), GCL_EINVAL);
    cr_assert_eq(gcl_pg_demonitor(one, gcl_make_ref(one)), GCL_ENOENT);
    world_end();
}

/* Whoever it is: the scope is a process like others, and says so when it ends. */
Test(pg_nodes, who_monitors_a_scope_is_told_of_its_end)
{
    gcl_ref ref, other;
    begin_with_scopes();
    cr_assert_eq(gcl_pg_monitor_scope(one, NULL, on_change, NULL, &ref), 0);
    cr_assert_eq(gcl_pg_monitor(one, NULL, on_change, NULL, &other, "hall"), 0);
    cr_assert_eq(join(a, one), 0);
    await_members(1);
    cr_assert_eq(gcl_exit(one, gcl_self(gcl_whereis(a->node, "pg")), "any"), 0);
    cr_assert_eq(gcl_pg_leave(a->node, NULL, gcl_self(one), "lobby"), 0);
    await_members(0);
    cr_assert_eq(gcl_pg_demonitor(one, other), 0);
    cr_assert_eq(gcl_exit(one, gcl_self(gcl_whereis(a->node, "pg")), "kill"), 0);
    world_until(has_ended);
    cr_assert_str_eq(trace, "join leave ended ");
    cr_assert_eq(gcl_pg_demonitor(one, ref), GCL_ENOENT);
    cr_assert_eq(join(a, one), GCL_ENOENT);
    start_scope(a);
    cr_assert_eq(join(a, one), 0);
    await_members(1);
    world_end();
}

/* In a function that is told of a change everything is legal. */
static gcl_result on_change_end_it(gcl_server *self, const gcl_pg_change *change, void *user)
{
    gcl_node *node = gcl_server_node(self);
    (void)user;
    (void)on_change(self, change, NULL);
    cr_assert_eq(gcl_pg_leave(node, NULL, gcl_self(self), "lobby"), 0);
    cr_assert_eq(gcl_pg_stop(node, NULL), 0);
    gcl_node_close(node);
    return GCL_STOP;
}

static bool a_is_closed(void)
{
    return a->is_closed;
}

Test(pg_nodes, a_node_may_be_closed_when_a_change_is_told)
{
    gcl_ref ref;
    begin_with_scopes();
    cr_assert_eq(gcl_pg_monitor_scope(one, NULL, on_change_end_it, NULL, &ref), 0);
    cr_assert_eq(join(a, one), 0);
    world_until(a_is_closed);
    cr_assert_str_eq(trace, "join ");
    world_end();
}

Test(pg_nodes, a_server_that_ends_takes_its_monitors_along)
{
    gcl_ref ref;
    begin();
    start_scope(a);
    gcl_server *other = world_serve(a, &handlers, "other", NULL);
    cr_assert_eq(gcl_pg_monitor_scope(other, NULL, on_change, NULL, &ref), 0);
    cr_assert_eq(gcl_pg_monitor(other, NULL, on_change, NULL, &ref, "lobby"), 0);
    cr_assert_eq(gcl_pg_demonitor(one, ref), GCL_ENOENT);
    cr_assert_eq(join(a, one), 0);
    cr_assert_eq(gcl_server_stop(other, "normal"), 0);
    world_live(20);
    cr_assert_str_eq(trace, "join join ");
    cr_assert_eq(gcl_pg_leave(a->node, NULL, gcl_self(one), "lobby"), 0);
    world_live(20);
    cr_assert_str_eq(trace, "join join ");
    world_end();
}

/* Every allocation from some point on fails: what fails says so, and nothing is left behind. */
static bool without_memory_from(size_t n)
{
    gcl_ref ref;
    begin();
    gcl_test_fail_at(&world.mem, n);
    size_t until = world.mem.attempts + n;
    int error = gcl_pg_start(a->node, NULL);
    cr_assert(error == 0 || error == GCL_ENOMEM);
    if (error == 0) {
        error = gcl_pg_monitor_scope(one, NULL, on_change, NULL, &ref);
        cr_assert(error == 0 || error == GCL_ENOMEM);
        error = join(a, one);
        cr_assert(error == 0 || error == GCL_ENOMEM);
        error = gcl_pg_send(one, NULL, GCL_PG_ALL, GCL_MESSAGE("lobby"), "hello");
        cr_assert(error == 0 || error == GCL_ENOMEM);
        error = gcl_pg_leave(a->node, NULL, gcl_self(one), "lobby");
        cr_assert(error == 0 || error == GCL_ENOENT || error == GCL_ENOMEM);
    }
    bool has_failed = world.mem.attempts >= until;
    gcl_test_fail_at(&world.mem, 0);
    world_live(1);
    world_end();
    return has_failed;
}

Test(pg_nodes, without_memory_from_any_point_on_nothing_is_left, .timeout = 120)
{
    size_t n = 1;
    while (without_memory_from(n))
        n++;
    cr_assert_gt(n, 10);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What bounds the machine of global, against what a peer may say. This node is b@h, the peer a@h.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "core/global/gns.h"
#include "support.h"
#include "wire/term/context.h"

static gcl_test_memory memory;
static gcl_term_context *context;
static struct gcl_gns_config config;
static struct gcl_gns *gns;
static uint64_t now_ms;
static size_t sent, calls, connects, disconnects, logs;
static uint64_t resolving; /* the last GCL_GNS_RESOLVE */
static uint32_t forgotten; /* pids of a@h with a lower generation lead nowhere any more */

static struct gcl_str name_at(uint32_t node)
{
    return gcl_str_of(node % 2 == 0 ? "a@h" : "b@h");
}

static gcl_pid pid_at(uint32_t node, uint32_t id)
{
    return (gcl_pid){.node = node, .generation = 1, .id = id};
}

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    (void)user;
    *pid = pid_at(gcl_str_is(wire->node, "b@h"), wire->id);
    if (pid->node == 0)
        pid->generation += forgotten;
    return 0;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    (void)user;
    if (pid->node == 0 && pid->generation <= forgotten)
        return GCL_ESTALE;
    *wire = (struct gcl_wire_pid){.node = name_at(pid->node), .id = pid->id, .creation = 1};
    return 0;
}

static void drain(void)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(gns, &effect)) {
        sent += effect.kind == GCL_GNS_SEND;
        calls += effect.kind == GCL_GNS_CALL;
        connects += effect.kind == GCL_GNS_CONNECT;
        disconnects += effect.kind == GCL_GNS_DISCONNECT;
        logs += effect.kind == GCL_GNS_LOG;
        if (effect.kind == GCL_GNS_RESOLVE)
            resolving = effect.number;
    }
    cr_assert(!gcl_gns_has_failed(gns));
    gcl_term_context_release(context);
}

static void begin(void)
{
    const gcl_allocator *allocator = gcl_test_begin(&memory);
    context = gcl_term_context_new(allocator, NULL, NULL);
    context->ids = (struct gcl_term_ids){.pid_in = pid_in, .pid_out = pid_out};
    gcl_gns_config_init(&config);
    config.mem = allocator;
    config.terms = context;
    config.self = name_at(1);
    config.seed[0] = 1;
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_at(1, 10 + i);
    now_ms = 1;
    sent = calls = connects = disconnects = logs = 0;
    forgotten = 0;
}

static void start(void)
{
    cr_assert_eq(gcl_gns_new(&config, &gns), 0);
}

static void end(void)
{
    gcl_gns_free(gns);
    gcl_term_context_free(context);
    gcl_test_end(&memory);
}

/* --- what happens --------------------------------------------------------------------------- */

static gcl_term build(struct gcl_buffer *bytes, gcl_message message)
{
    gcl_buffer_init(bytes, config.mem, 0);
    cr_assert_eq(gcl_term_build(context, bytes, &message), 0);
    return gcl_term_make(context, gcl_buffer_bytes(bytes), gcl_buffer_size(bytes));
}

static void cast(gcl_message message)
{
    struct gcl_buffer bytes;
    gcl_gns_cast(gns, now_ms, build(&bytes, message));
    gcl_buffer_fini(&bytes);
    drain();
}

static void info(gcl_message message)
{
    struct gcl_buffer bytes;
    gcl_gns_info(gns, now_ms, build(&bytes, message));
    gcl_buffer_fini(&bytes);
    drain();
}

static bool call(gcl_message message)
{
    struct gcl_buffer bytes;
    bool is_answered = gcl_gns_call(gns, now_ms, 1, pid_at(0, 1), build(&bytes, message));
    gcl_buffer_fini(&bytes);
    drain();
    return is_answered;
}

static void wait_until(uint64_t ms)
{
    while (gcl_gns_wake_at(gns) <= ms) {
        if (gcl_gns_wake_at(gns) > now_ms)
            now_ms = gcl_gns_wake_at(gns);
        gcl_gns_woken(gns, now_ms);
        drain();
    }
    now_ms = ms;
}

static struct gcl_gns_counts counted(void)
{
    struct gcl_gns_counts counts;
    gcl_gns_count(gns, &counts);
    return counts;
}

/* a@h is up, and the locker may negotiate with it. */
static void begin_session(void)
{
    gcl_gns_nodeup(gns, now_ms, name_at(0), true);
    drain();
    cast(GCL_MESSAGE("{init_connect, {8, 7}, 'a@h', {locker, none, [], ~p}}", pid_at(0, 11)));
}

/* He has set his lock, and has no names. */
static void join(void)
{
    begin_session();
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], 1}", pid_at(0, 11)));
    cast(GCL_MESSAGE("{exchange, 'a@h', [], [], 1}"));
    cast(GCL_MESSAGE("{resolved, 'a@h', [], [], unused, [], 1}"));
    cr_assert_eq(counted().known, 1);
    sent = calls = 0;
}

static gcl_term text_of(gcl_writer *writer, size_t size)
{
    char *text = calloc(1, size + 1);
    memset(text, 'x', size);
    gcl_writer_clear(writer);
    cr_assert_eq(gcl_write(writer, "~s", text), 0);
    free(text);
    return gcl_writer_term(writer);
}

static gcl_term deep(gcl_writer *writer, size_t levels)
{
    gcl_writer_clear(writer);
    for (size_t i = 0; i < levels; i++)
        cr_assert_eq(gcl_write_tuple(writer, 1), 0);
    cr_assert_eq(gcl_write(writer, "a"), 0);
    return gcl_writer_term(writer);
}

/* --- limits --------------------------------------------------------------------------------- */

Test(gns_bounds, who_is_not_up_has_no_say)
{
    begin();
    start();
    cast(GCL_MESSAGE("{init_connect, {8, 7}, 'a@h', {locker, none, [], ~p}}", pid_at(0, 11)));
    cast(GCL_MESSAGE("{in_sync, 'a@h', true}"));
    cr_assert_eq(counted().nodes, 0);
    end();
}

Test(gns_bounds, methods_are_not_nested_deeper_than_names)
{
    begin();
    start();
    gcl_writer *writer = gcl_writer_new(context);
    cr_assert(call(GCL_MESSAGE("{register, flat, ~p, ~t}", pid_at(0, 1), deep(writer, 60))));
    cr_assert_eq(counted().names, 1);
    cr_assert(call(GCL_MESSAGE("{register, deep, ~p, ~t}", pid_at(0, 1), deep(writer, 70))));
    cr_assert_eq(counted().names, 1);
    cr_assert_eq(counted().processes, 1);
    gcl_writer_free(writer);
    end();
}

Test(gns_bounds, names_and_locks_have_so_many_bytes)
{
    begin();
    config.max_name_bytes = config.max_lock_bytes = 4096;
    start();
    gcl_writer *writer = gcl_writer_new(context);
    cr_assert(call(GCL_MESSAGE("{register, one, ~p, ~t}", pid_at(0, 1), text_of(writer, 3000))));
    cr_assert(call(GCL_MESSAGE("{register, two, ~p, ~t}", pid_at(0, 1), text_of(writer, 3000))));
    cr_assert_eq(counted().names, 1);
    cr_assert(call(GCL_MESSAGE("{unregister, one}")));
    cr_assert(call(GCL_MESSAGE("{register, two, ~p, ~t}", pid_at(0, 1), text_of(writer, 3000))));
    cr_assert_eq(counted().names, 1);
    cr_assert(call(GCL_MESSAGE("{set_lock, {one, ~t}}", text_of(writer, 3000))));
    cr_assert(call(GCL_MESSAGE("{set_lock, {two, ~t}}", text_of(writer, 3000))));
    cr_assert_eq(counted().locks, 1);
    cr_assert(call(GCL_MESSAGE("{del_lock, {one, ~t}}", text_of(writer, 3000))));
    cr_assert(call(GCL_MESSAGE("{set_lock, {two, ~t}}", text_of(writer, 3000))));
    cr_assert_eq(counted().locks, 1);
    gcl_writer_free(writer);
    end();
}

Test(gns_bounds, waiters_for_sync_are_limited)
{
    begin();
    config.max_waiters = 2;
    start();
    begin_session();
    cr_assert(call(GCL_MESSAGE("{sync, ['a@h']}")));
    cr_assert(call(GCL_MESSAGE("{sync, ['a@h']}")));
    cr_assert(!call(GCL_MESSAGE("{sync, ['a@h']}")));
    cr_assert_eq(counted().waiters, 2);
    gcl_gns_nodedown(gns, now_ms, name_at(0));
    drain();
    cr_assert_eq(counted().waiters, 0);
    cr_assert_eq(counted().nodes, 0);
    end();
}

Test(gns_bounds, reports_that_cannot_be_told_apart_are_dropped)
{
    begin();
    start();
    join();
    sent = 0;
    gcl_writer *writer = gcl_writer_new(context);
    info(GCL_MESSAGE("{lost_connection, x, 1, last, y}"));
    info(GCL_MESSAGE("{lost_connection, x, ~t, 1, y}", text_of(writer, 100)));
    cr_assert_eq(counted().lost, 0);
    cr_assert_eq(sent, 0);
    /* Of two incarnations at a time, again and again: once each. */
    for (int i = 0; i < 3; i++) {
        info(GCL_MESSAGE("{lost_connection, x, 1, 1, y}"));
        info(GCL_MESSAGE("{lost_connection, x, 2, 1, y}"));
    }
    cr_assert_eq(sent, 2);
    gcl_writer_free(writer);
    end();
}

Test(gns_bounds, so_many_reports_are_kept_for_an_hour)
{
    begin();
    start();
    for (uint32_t i = 0; i < 5000; i++)
        info(GCL_MESSAGE("{lost_connection, x, ~u, 1, y}", i));
    cr_assert_eq(counted().lost, 4096);
    now_ms += 3600000;
    info(GCL_MESSAGE("{lost_connection, x, 1, 1, y}"));
    cr_assert_eq(counted().lost, 1);
    end();
}

Test(gns_bounds, no_more_nodes_are_dialled_than_may_be_unconnected)
{
    begin();
    config.max_unconnected = 3;
    start();
    join();
    gcl_writer *nodes = gcl_writer_new(context);
    cr_assert_eq(gcl_write_list(nodes, 10000), 0);
    for (uint32_t i = 0; i < 10000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "x%u@h", i);
        cr_assert_eq(gcl_write(nodes, "{~a, 8}", name), 0);
    }
    cr_assert_eq(gcl_write(nodes, "[]"), 0);
    cast(GCL_MESSAGE("{new_nodes, 'a@h', [], [], ~t, []}", gcl_writer_term(nodes)));
    cr_assert_eq(connects, 3);
    cr_assert_eq(counted().known, 4);
    cr_assert_eq(counted().nodes, 4);
    gcl_writer_free(nodes);
    end();
}

/* --- turns ---------------------------------------------------------------------------------- */

/* Right behind a join the next one may begin at once, but none that comes much later. */
Test(gns_bounds, who_comes_later_waits_as_others_do)
{
    begin();
    start();
    join();
    gcl_gns_nodedown(gns, now_ms, name_at(0));
    drain();
    now_ms += 10000;
    gcl_gns_nodeup(gns, now_ms, name_at(0), true);
    drain();
    cast(GCL_MESSAGE("{init_connect, {8, 8}, 'a@h', {locker, none, [], ~p}}", pid_at(0, 11)));
    cr_assert_eq(gcl_gns_wake_at(gns), now_ms + 200);
    end();
}

/* --- nodes that there are not --------------------------------------------------------------- */

/* He is asked to leave before he was connected; he never was there. */
Test(gns_bounds, nothing_is_kept_of_a_node_that_never_was)
{
    begin();
    start();
    join();
    cast(GCL_MESSAGE("{new_nodes, 'a@h', [], [], [{'x@h', 8}], []}"));
    cr_assert_eq(counted().known, 2);
    info(GCL_MESSAGE("{lost_connection, 'a@h', 1, 1, 'x@h'}"));
    gcl_gns_connect_failed(gns, now_ms, gcl_str_of("x@h"));
    drain();
    cr_assert_eq(counted().known, 1);
    cr_assert_eq(counted().nodes, 1);
    end();
}

Test(gns_bounds, who_takes_no_part_is_not_made_known)
{
    begin();
    start();
    join();
    gcl_gns_nodeup(gns, now_ms, gcl_str_of("x@h"), true);
    gcl_gns_exclude(gns, now_ms, gcl_str_of("x@h"));
    drain();
    for (size_t i = 0; i < 2; i++) {
        connects = 0;
        cast(GCL_MESSAGE("{new_nodes, 'a@h', [], [], [{'x@h', 8}], []}"));
        cr_assert_eq(counted().known, 1 + i);
        cr_assert_eq(connects, i);
        gcl_gns_nodedown(gns, now_ms, gcl_str_of("x@h"));
        drain();
    }
    end();
}

/* --- names of nodes that are forgotten ------------------------------------------------------ */

static gcl_pid he(uint32_t id)
{
    return (gcl_pid){.node = 0, .generation = 1 + forgotten, .id = id};
}

Test(gns_bounds, the_node_of_his_locker_may_be_forgotten)
{
    begin();
    start();
    begin_session();
    forgotten++;
    wait_until(now_ms + 200);
    cr_assert_eq(calls, 1, "the lock is asked for");
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], 1}", he(11)));
    cr_assert(counted().is_negotiating);
    end();
}

Test(gns_bounds, the_node_of_a_process_that_is_to_be_registered_may_be_forgotten)
{
    begin();
    start();
    gcl_writer *name = gcl_writer_new(context);
    cr_assert_eq(gcl_write(name, "name"), 0);
    (void)call(GCL_MESSAGE("{set_lock, {global, me}}"));
    cr_assert_eq(
        gcl_gns_register(gns, now_ms, 1, gcl_writer_term(name), he(5), gcl_writer_term(name)), 0);
    forgotten++;
    (void)call(GCL_MESSAGE("{del_lock, {global, me}}"));
    wait_until(now_ms + 1000);
    cr_assert_eq(counted().names, 1);
    gcl_writer_free(name);
    end();
}

/* 0@h is the smaller one, and has b@h asked who keeps the name. */
Test(gns_bounds, the_nodes_of_two_who_have_one_name_may_be_forgotten)
{
    struct gcl_buffer bytes;
    begin();
    config.self = gcl_str_of("0@h");
    start();
    (void)call(GCL_MESSAGE("{register, name, ~p, mine}", pid_at(1, 1)));
    begin_session();
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], 1}", he(11)));
    resolving = 0;
    cast(GCL_MESSAGE("{exchange, 'a@h', [{name, ~p, his}], [], 1}", he(5)));
    cr_assert_neq(resolving, 0);
    forgotten++;
    gcl_gns_answered(gns, now_ms, resolving, 0, build(&bytes, GCL_MESSAGE("~p", he(5))));
    gcl_buffer_fini(&bytes);
    drain();
    cast(GCL_MESSAGE("{resolved, 'a@h', [], [], unused, [], 1}"));
    cr_assert_eq(counted().known, 1);
    gcl_writer *name = gcl_writer_new(context);
    cr_assert_eq(gcl_write(name, "name"), 0);
    cr_assert(gcl_pid_equal(gcl_gns_whereis(gns, gcl_writer_term(name)), he(5)));
    gcl_writer_free(name);
    end();
}

/* --- patience ------------------------------------------------------------------------------- */

Test(gns_bounds, each_time_who_is_silent_has_twice_as_long)
{
    begin();
    start();
    begin_session();
    uint64_t began_ms = now_ms + 200; /* the locker begins */
    wait_until(began_ms + 4999);
    cr_assert_eq(calls, 1);
    cr_assert(counted().is_negotiating);
    wait_until(began_ms + 5000);
    cr_assert(!counted().is_negotiating);
    cr_assert_eq(counted().locks, 0);
    cr_assert_eq(calls, 2, "what he may still grant is freed");
    cast(GCL_MESSAGE("{init_connect, {8, 8}, 'a@h', {locker, none, [], ~p}}", pid_at(0, 11)));
    began_ms = now_ms + 200;
    wait_until(began_ms + 9999);
    cr_assert(counted().is_negotiating);
    wait_until(began_ms + 10000);
    cr_assert(!counted().is_negotiating);
    cr_assert_eq(disconnects, 0);
    end();
}

Test(gns_bounds, who_is_known_and_does_not_answer_is_disconnected)
{
    begin();
    start();
    join();
    gcl_writer *name = gcl_writer_new(context);
    cr_assert_eq(gcl_write(name, "name"), 0);
    cr_assert_eq(gcl_gns_register(gns, now_ms, 1, gcl_writer_term(name), pid_at(1, 1),
                                  gcl_writer_term(name)),
                 0);
    drain();
    uint64_t began_ms = now_ms;
    cr_assert_eq(counted().questions, 1);
    wait_until(began_ms + 59999);
    cr_assert_eq(disconnects, 0);
    wait_until(began_ms + 60000);
    cr_assert_eq(disconnects, 1);
    wait_until(began_ms + 200000);
    cr_assert_eq(disconnects, 1);
    gcl_writer_free(name);
    end();
}

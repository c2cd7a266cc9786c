/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tens of thousands of requests of this node, b@h, that wait for the node a@h: how many may wait,
 * what they cost, and their end.
 */
#include <criterion/criterion.h>
#include <time.h>

#include "base/buffer.h"
#include "core/global/gns.h"
#include "support.h"
#include "wire/term/context.h"

static gcl_test_memory memory;
static gcl_term_context *context;
static struct gcl_gns_config config;
static struct gcl_gns *gns;
static uint64_t now_ms, number;
static uint32_t outcomes, errors; /* ... of these, other than 0 */
static uint64_t asked[1 << 17];   /* questions to a@h */
static uint32_t asked_count;
static const struct gcl_gns_places everywhere = {NULL, 0};

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
    return 0;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    (void)user;
    *wire = (struct gcl_wire_pid){.node = name_at(pid->node), .id = pid->id, .creation = 1};
    return 0;
}

static void drain(void)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(gns, &effect)) {
        outcomes += effect.kind == GCL_GNS_DONE;
        errors += effect.kind == GCL_GNS_DONE && effect.error != 0;
        if (effect.kind == GCL_GNS_CALL)
            asked[asked_count++] = effect.number;
    }
    cr_assert(!gcl_gns_has_failed(gns));
    gcl_term_context_release(context);
}

static void configure(void)
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
    number = outcomes = errors = asked_count = 0;
}

/* a@h is up, but says nothing. */
static void start(void)
{
    cr_assert_eq(gcl_gns_new(&config, &gns), 0);
    gcl_gns_nodeup(gns, now_ms, name_at(0), true);
    drain();
}

static void fail_questions(void)
{
    for (uint32_t i = 0, count = asked_count; i < count; i++) {
        gcl_gns_answered(gns, now_ms, asked[i], GCL_ENOCONNECTION, gcl_term_make(context, NULL, 0));
        drain();
    }
}

/* What is asked between the two finds no connection any more. */
static void lose_other(void)
{
    fail_questions();
    gcl_gns_nodedown(gns, now_ms, name_at(0));
    drain();
    fail_questions();
}

static void end(void)
{
    gcl_gns_free(gns);
    gcl_term_context_free(context);
    gcl_test_end(&memory);
}

/* --- requests ------------------------------------------------------------------------------- */

static gcl_term build(struct gcl_buffer *bytes, gcl_message message)
{
    gcl_buffer_init(bytes, config.mem, 0);
    cr_assert_eq(gcl_term_build(context, bytes, &message), 0);
    return gcl_term_make(context, gcl_buffer_bytes(bytes), gcl_buffer_size(bytes));
}

static int lock(gcl_message id)
{
    struct gcl_buffer bytes;
    gcl_term term = build(&bytes, id);
    int error = gcl_gns_lock(gns, now_ms, ++number, term, pid_at(1, 100), &everywhere, UINT32_MAX);
    gcl_buffer_fini(&bytes);
    drain();
    return error;
}

static int unlock(gcl_message id)
{
    struct gcl_buffer bytes;
    gcl_term term = build(&bytes, id);
    int error = gcl_gns_unlock(gns, now_ms, ++number, term, pid_at(1, 100), &everywhere);
    gcl_buffer_fini(&bytes);
    drain();
    return error;
}

static int register_name(uint32_t name, uint32_t process)
{
    struct gcl_buffer bytes;
    gcl_term term = build(&bytes, GCL_MESSAGE("~u", name));
    int error = gcl_gns_register_more(gns, now_ms, ++number, term, pid_at(1, process), term);
    gcl_buffer_fini(&bytes);
    drain();
    return error;
}

/* a@h says that it has no names, and is known. */
static void cast(gcl_message message)
{
    struct gcl_buffer bytes;
    gcl_gns_cast(gns, now_ms, build(&bytes, message));
    gcl_buffer_fini(&bytes);
    drain();
}

static void join(void)
{
    cast(GCL_MESSAGE("{init_connect, {8, 7}, 'a@h', {locker, none, [], ~p}}", pid_at(0, 11)));
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], 1}", pid_at(0, 11)));
    cast(GCL_MESSAGE("{exchange, 'a@h', [], [], 1}"));
    cast(GCL_MESSAGE("{resolved, 'a@h', [], [], unused, [], 1}"));
}

/* --- how many ------------------------------------------------------------------------------- */

Test(gns_requests, locks_that_are_wanted_have_a_limit)
{
    configure();
    config.max_requests = 3;
    start();
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(lock(GCL_MESSAGE("{r, ~u}", i)), 0);
    cr_assert_eq(lock(GCL_MESSAGE("{r, 3}")), GCL_ELIMIT);
    cr_assert_eq(unlock(GCL_MESSAGE("{r, 2}")), GCL_ELIMIT);
    cr_assert_eq(register_name(1, 1), GCL_ELIMIT);
    cr_assert_eq(gcl_gns_sync_all(gns, now_ms, ++number), GCL_ELIMIT);
    cr_assert_eq(outcomes, 0, "what was not taken is not answered");
    gcl_gns_locks_end(gns, now_ms, pid_at(1, 100)); /* the first one asks a@h */
    drain();
    cr_assert_eq(lock(GCL_MESSAGE("{s, 1}")), 0);
    end();
}

Test(gns_requests, names_that_are_wanted_have_a_limit)
{
    configure();
    config.max_requests = 3;
    start();
    join();
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(register_name(i, i), 0);
    cr_assert_eq(register_name(3, 3), GCL_ELIMIT);
    lose_other();
    cr_assert_eq(outcomes, 3);
    cr_assert_eq(register_name(3, 3), 0);
    end();
}

Test(gns_requests, what_is_wanted_has_so_many_bytes)
{
    configure();
    config.max_request_bytes = 100;
    start();
    cr_assert_eq(lock(GCL_MESSAGE("{r, ~s}", "0123456789012345678901234567890123456789")), 0);
    cr_assert_eq(lock(GCL_MESSAGE("{r, ~s}", "0123456789012345678901234567890123456789")),
                 GCL_ELIMIT);
    end();
}

Test(gns_requests, waiting_for_sync_does_not_keep_others_from_it)
{
    struct gcl_buffer bytes;
    configure();
    config.max_waiters = 1;
    start();
    cr_assert_eq(gcl_gns_sync_all(gns, now_ms, ++number), 0);
    cr_assert_eq(gcl_gns_sync_all(gns, now_ms, ++number), 0);
    gcl_term sync = build(&bytes, GCL_MESSAGE("{sync, ['a@h']}"));
    cr_assert(gcl_gns_call(gns, now_ms, 1, pid_at(0, 1), sync));
    cr_assert(!gcl_gns_call(gns, now_ms, 2, pid_at(0, 1), sync));
    gcl_buffer_fini(&bytes);
    lose_other();
    cr_assert_eq(outcomes, 2);
    end();
}

/* --- what they cost ------------------------------------------------------------------------- */

enum { MANY = 16000, TIMES = 4 };

static void one_requester(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(lock(GCL_MESSAGE("{~u, me}", i)), 0);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(unlock(GCL_MESSAGE("{~u, me}", i)), 0);
}

static void one_resource(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(lock(GCL_MESSAGE("{r, ~u}", i)), 0);
    for (uint32_t i = count; i > 0; i--)
        cr_assert_eq(unlock(GCL_MESSAGE("{r, ~u}", i - 1)), 0);
}

static double seconds_for(void (*ask)(uint32_t), uint32_t count)
{
    configure();
    config.max_requests = 2 * TIMES * MANY;
    config.max_request_bytes = SIZE_MAX;
    start();
    clock_t began = clock();
    ask(count);
    gcl_gns_locks_end(gns, now_ms, pid_at(1, 100));
    drain();
    lose_other();
    clock_t ended = clock();
    end();
    return (double)(ended - began) / CLOCKS_PER_SEC;
}

/* Four times as many cost four times as much, and not sixteen times: of the time that the processor
 * has spent, the least of three. */
static void expect_linear(void (*ask)(uint32_t))
{
    double few = 1e9, many = 1e9;
    for (int i = 0; i < 3; i++) {
        double seconds = seconds_for(ask, MANY);
        few = seconds < few ? seconds : few;
        seconds = seconds_for(ask, TIMES * MANY);
        many = seconds < many ? seconds : many;
    }
    cr_assert_lt(many, 9 * few, "%u in %f s, %u in %f s", MANY, few, TIMES * MANY, many);
}

Test(gns_requests, locks_of_many_resources_cost_each_the_same, .timeout = 120)
{
    expect_linear(one_requester);
}

Test(gns_requests, locks_of_one_resource_cost_each_the_same, .timeout = 120)
{
    expect_linear(one_resource);
}

/* --- their end ------------------------------------------------------------------------------ */

/* Alone, each is finished at once: not inside the one before. */
Test(gns_requests, names_that_waited_for_a_node_that_is_lost)
{
    configure();
    start();
    join();
    for (uint32_t i = 0; i < 1 << 16; i++)
        cr_assert_eq(register_name(i, 100), 0);
    lose_other();
    cr_assert_eq(outcomes, 1 << 16);
    cr_assert_eq(errors, 0);
    cr_assert_eq(gcl_gns_name_count(gns), 1 << 16);
    end();
}

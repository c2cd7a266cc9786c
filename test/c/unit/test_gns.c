/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of the machine of the global_name_server. What it does is shown by the simulator
 * (test/c/sim/test_gns.c), what it does with garbage by fuzz_gns.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/global/gns.h"
#include "support/terms.h"
#include "wire/term_context.h"

static struct test_terms terms;
static struct gcl_gns *gns;
static char said[256]; /* the last answer, or the error of the last request */
static char logged[256];

static const char *const names[] = {"a@h", "b@h", "c@h", "d@h"};

static gcl_pid pid_at(uint32_t node, uint32_t id)
{
    return (gcl_pid){.node = node, .generation = 1, .id = id};
}

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    (void)user;
    for (uint32_t i = 0; i < 4; i++)
        if (gcl_str_is(wire->node, names[i])) {
            *pid = pid_at(i, wire->id);
            return 0;
        }
    return GCL_ENAME;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    (void)user;
    *wire =
        (struct gcl_wire_pid){.node = gcl_str_of(names[pid->node]), .id = pid->id, .creation = 1};
    return 0;
}

static void begin(void)
{
    struct gcl_gns_config config;
    const struct gcl_term_ids ids = {.pid_in = pid_in, .pid_out = pid_out};
    test_terms_begin(&terms);
    terms.context->ids = ids;
    gcl_gns_config_init(&config);
    config.mem = &terms.mem.allocator;
    config.terms = terms.context;
    config.self = gcl_str_of(names[0]);
    config.max_names = config.max_locks = 2;
    config.max_nodes = 3;
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_at(0, 10 + i);
    cr_assert_eq(gcl_gns_new(&config, &gns), 0);
}

static void end(void)
{
    gcl_gns_free(gns);
    test_terms_end(&terms);
}

static void drain(void)
{
    struct gcl_gns_effect effect;
    said[0] = logged[0] = '\0';
    while (gcl_gns_next(gns, &effect)) {
        if (effect.kind == GCL_GNS_REPLY)
            (void)snprintf(said, sizeof said, "%s", test_print(&terms, effect.term));
        else if (effect.kind == GCL_GNS_DONE)
            (void)snprintf(said, sizeof said, "%s", gcl_error_name(effect.error));
        else if (effect.kind == GCL_GNS_LOG)
            (void)snprintf(logged, sizeof logged, "%.*s %s", (int)effect.node.size,
                           (const char *)effect.node.bytes, effect.text);
    }
    cr_assert_not(gcl_gns_has_failed(gns));
}

/* A process of another node calls. */
static const char *call(const char *request)
{
    gcl_term term = test_term(&terms, request);
    gcl_gns_call(gns, 1, 7, pid_at(1, 100), term);
    gcl_term_free(term);
    drain();
    return said;
}

static const char *register_own(const char *name, uint32_t process)
{
    static uint64_t number;
    gcl_term term = test_term(&terms, name);
    gcl_gns_register(gns, 1, ++number, term, pid_at(0, process), term);
    gcl_term_free(term);
    drain();
    return said;
}

Test(gns, locks_beyond_the_limit_are_refused)
{
    begin();
    cr_assert_str_eq(call("{set_lock, {r1, x}}"), "true");
    cr_assert_str_eq(call("{set_lock, {r2, x}}"), "true");
    cr_assert_str_eq(call("{set_lock, {r3, x}}"), "false");
    cr_assert_str_eq(call("{set_lock, {r2, x}}"), "true");
    cr_assert_str_eq(call("{del_lock, {r2, x}}"), "true");
    cr_assert_str_eq(call("{set_lock, {r3, x}}"), "true");
    end();
}

Test(gns, names_beyond_the_limit_are_not_kept)
{
    begin();
    cr_assert_str_eq(register_own("one", 100), "GCL_OK");
    cr_assert_str_eq(register_own("two", 101), "GCL_OK");
    cr_assert_str_eq(register_own("three", 102), "GCL_ELIMIT");
    cr_assert_str_eq(register_own("two", 102), "GCL_EEXIST");
    cr_assert_eq(gcl_gns_name_count(gns), 2);
    /* Of others, whom nobody can refuse. */
    (void)call("{set_lock, {global, x}}");
    cr_assert_str_eq(call("{register, four, 'no pid', m}"), "");
    gcl_term name = test_term(&terms, "four");
    gcl_message message = GCL_MESSAGE("{register, ~t, ~p, m}", name, pid_at(1, 100));
    cr_assert_eq(gcl_write_message(terms.writer, message), 0);
    gcl_gns_call(gns, 1, 7, pid_at(1, 100), gcl_writer_term(terms.writer));
    drain();
    gcl_term_free(name);
    cr_assert(strstr(logged, "too many") != NULL, "%s", logged);
    cr_assert_eq(gcl_gns_name_count(gns), 2);
    end();
}

Test(gns, nodes_beyond_the_limit_are_not_known)
{
    begin();
    for (size_t i = 1; i < 4; i++) {
        cr_assert_eq(logged[0], '\0', "%s", logged);
        gcl_gns_nodeup(gns, 1, gcl_str_of(names[i]), true);
        drain();
    }
    cr_assert_str_eq(logged, "d@h one node more than global can know here");
    end();
}

Test(gns, a_resource_nested_too_deep_is_refused)
{
    static const struct gcl_gns_places everywhere = {NULL, 0};
    char text[256] = "";
    begin();
    for (int i = 0; i < 64; i++)
        (void)strcat(text, "{");
    (void)strcat(text, "x");
    for (int i = 0; i < 64; i++)
        (void)strcat(text, "}");
    char id[300];
    (void)snprintf(id, sizeof id, "{%s, me}", text);
    gcl_term term = test_term(&terms, id);
    gcl_gns_lock(gns, 1, 1, term, pid_at(0, 100), &everywhere, UINT32_MAX);
    gcl_term_free(term);
    drain();
    cr_assert_str_eq(said, "GCL_ELIMIT");
    end();
}

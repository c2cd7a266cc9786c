/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of the machine of the global_name_server, and what lives in the simulator
 * (test/c/sim/test_gns.c) have found, step by step. What it does with garbage is shown by fuzz_gns.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/global/gns.h"
#include "support/terms.h"
#include "wire/term/context.h"

static struct test_terms terms;
static struct gcl_gns *gns;
static char said[256]; /* the last answer, or the error of the last request */
static char logged[256];
static char told[512];        /* the last new_nodes, and to whom */
static char disconnected[64]; /* all of them */

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

static void begin_with(uint32_t max_nodes)
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
    config.max_nodes = max_nodes;
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_at(0, 10 + i);
    cr_assert_eq(gcl_gns_new(&config, &gns), 0);
}

static void begin(void)
{
    begin_with(3);
}

static void end(void)
{
    gcl_gns_free(gns);
    test_terms_end(&terms);
}

/* What the others are asked is granted when all effects have been taken. */
static void drain(void)
{
    struct gcl_gns_effect effect;
    uint64_t asked[16];
    size_t count = 0;
    said[0] = logged[0] = disconnected[0] = '\0';
    while (gcl_gns_next(gns, &effect)) {
        if (effect.kind == GCL_GNS_REPLY)
            (void)snprintf(said, sizeof said, "%s", test_print(&terms, effect.term));
        else if (effect.kind == GCL_GNS_DONE)
            (void)snprintf(said, sizeof said, "%s", gcl_error_name(effect.error));
        else if (effect.kind == GCL_GNS_LOG)
            (void)snprintf(logged, sizeof logged, "%.*s %s", (int)effect.node.size,
                           (const char *)effect.node.bytes, effect.text);
        else if (effect.kind == GCL_GNS_SEND &&
                 gcl_match(effect.term, "{_, {new_nodes, _, _, _, _, _}}"))
            (void)snprintf(told, sizeof told, "%.*s %s", (int)effect.node.size,
                           (const char *)effect.node.bytes, test_print(&terms, effect.term));
        else if (effect.kind == GCL_GNS_DISCONNECT)
            (void)strncat(disconnected, (const char *)effect.node.bytes, effect.node.size);
        else if (effect.kind == GCL_GNS_CALL && count < 16)
            asked[count++] = effect.number;
    }
    for (size_t i = 0; i < count; i++) {
        gcl_term yes = test_term(&terms, "true");
        gcl_gns_answered(gns, 1, asked[i], 0, yes);
        gcl_term_free(yes);
        drain();
    }
    cr_assert_not(gcl_gns_has_failed(gns));
}

static const char *call_from(gcl_pid pid, gcl_message request)
{
    cr_assert_eq(gcl_write_message(terms.writer, request), 0);
    gcl_gns_call(gns, 1, 7, pid, gcl_writer_term(terms.writer));
    gcl_writer_clear(terms.writer);
    drain();
    return said;
}

/* A process of another node calls. */
static const char *call(const char *request)
{
    gcl_term term = test_term(&terms, request);
    (void)call_from(pid_at(1, 100), GCL_MESSAGE("~t", term));
    gcl_term_free(term);
    return said;
}

static const char *register_own(const char *name, uint32_t process)
{
    static uint64_t number;
    gcl_term term = test_term(&terms, name);
    cr_assert_eq(gcl_gns_register(gns, 1, ++number, term, pid_at(0, process), term), 0);
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
    (void)call_from(pid_at(1, 100), GCL_MESSAGE("{register, ~t, ~p, m}", name, pid_at(1, 100)));
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
    cr_assert_eq(gcl_gns_lock(gns, 1, 1, term, pid_at(0, 100), &everywhere, UINT32_MAX),
                 GCL_ELIMIT);
    gcl_term_free(term);
    drain();
    cr_assert_str_eq(said, "");
    end();
}

/* --- found by lives ------------------------------------------------------------------------- */

static void cast(gcl_message message)
{
    cr_assert_eq(gcl_write_message(terms.writer, message), 0);
    gcl_gns_cast(gns, 1, gcl_writer_term(terms.writer));
    gcl_writer_clear(terms.writer);
    drain();
}

/* The node joins, with the names; `tag` is that of this node for the session. */
static void join(uint32_t node, uint32_t tag, gcl_term its_names)
{
    gcl_bytes name = {(const unsigned char *)names[node], strlen(names[node])};
    gcl_gns_nodeup(gns, 1, gcl_str_of(names[node]), true);
    drain();
    cast(GCL_MESSAGE("{init_connect, {8, 7}, ~a, {locker, none, [], ~p}}", name, pid_at(node, 11)));
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], ~u}", pid_at(node, 11), tag));
    cast(GCL_MESSAGE("{exchange, ~a, ~t, [], ~u}", name, its_names, tag));
    cast(GCL_MESSAGE("{resolved, ~a, [], [], unused, [], ~u}", name, tag));
    cr_assert(gcl_gns_is_known(gns, gcl_str_of(names[node])), "%s", names[node]);
}

/*
 * c@h takes this node for one of its partition, and registers a name here; this node and b@h are
 * one without it. When d@h, which is of that partition, joins, b@h is told of the name.
 */
Test(gns, a_name_that_a_stranger_has_registered_here_is_passed_on)
{
    begin_with(4);
    gcl_term nothing = test_term(&terms, "[]");
    join(1, 1, nothing);
    gcl_gns_nodeup(gns, 1, gcl_str_of(names[2]), true);
    drain();
    cr_assert_str_eq(call_from(pid_at(2, 12), GCL_MESSAGE("{set_lock, {global, x}}")), "true");
    (void)call_from(pid_at(2, 12), GCL_MESSAGE("{register, name, ~p, m}", pid_at(2, 100)));
    cr_assert_str_eq(call_from(pid_at(2, 12), GCL_MESSAGE("{del_lock, {global, x}}")), "true");
    cr_assert_eq(gcl_gns_name_count(gns), 1);

    gcl_message message = GCL_MESSAGE("[{name, ~p, m}]", pid_at(2, 100));
    cr_assert_eq(gcl_write_message(terms.writer, message), 0);
    gcl_term its_names;
    cr_assert_eq(gcl_term_copy(gcl_writer_term(terms.writer), &its_names), 0);
    gcl_writer_clear(terms.writer);
    join(3, 3, its_names);
    cr_assert(strstr(told, "b@h ") == told && strstr(told, "[{insert,{name,") != NULL, "%s", told);
    gcl_term_free(its_names);
    gcl_term_free(nothing);
    end();
}

/* b@h has told of c@h, which is connected and never says that it is in sync. */
Test(gns, a_third_node_that_is_silent_is_dialled_anew)
{
    begin_with(4);
    gcl_term nothing = test_term(&terms, "[]");
    join(1, 1, nothing);
    cast(GCL_MESSAGE("{new_nodes, 'b@h', [], [], [{'c@h', 8}], [{vsn, 8}, {lock, {global, x}}]}"));
    gcl_gns_nodeup(gns, 1, gcl_str_of(names[2]), true);
    drain();
    uint64_t at_ms = gcl_gns_wake_at(gns);
    cr_assert_eq(at_ms, 20001);
    gcl_gns_woken(gns, at_ms);
    drain();
    cr_assert_str_eq(disconnected, "c@h");
    gcl_gns_nodedown(gns, at_ms, gcl_str_of(names[2]));
    gcl_gns_nodeup(gns, at_ms, gcl_str_of(names[2]), true);
    drain();
    struct gcl_gns_counts counts;
    gcl_gns_count(gns, &counts);
    cr_assert_eq(counts.sessions, 1);
    gcl_term_free(nothing);
    end();
}

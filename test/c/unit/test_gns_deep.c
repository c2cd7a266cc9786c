/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is nested deeper than any term that a node reads, in what others say to the machine of
 * global: nobody waits for it. This node is a@h, the other one b@h.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "core/global/gns.h"
#include "support/terms.h"
#include "wire/term/context.h"
#include "wire/term/walk.h"

enum { TOO_DEEP = GCL_TERM_DEPTH_MAX + 100 };

static struct test_terms terms;
static struct gcl_gns *gns;
static char said[256]; /* the last answer */
static char told[512]; /* the last cast */
static char logged[512];

static struct gcl_str name_at(uint32_t node)
{
    return gcl_str_of(node == 0 ? "a@h" : "b@h");
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
    while (gcl_gns_next(gns, &effect))
        if (effect.kind == GCL_GNS_REPLY)
            (void)snprintf(said, sizeof said, "%s", test_print(&terms, effect.term));
        else if (effect.kind == GCL_GNS_SEND)
            (void)snprintf(told, sizeof told, "%s", test_print(&terms, effect.term));
        else if (effect.kind == GCL_GNS_LOG && effect.level == GCL_LOG_ERROR)
            (void)snprintf(logged, sizeof logged, "%.*s %s", (int)effect.node.size,
                           (const char *)effect.node.bytes, effect.text);
    cr_assert_not(gcl_gns_has_failed(gns));
}

static void begin(void)
{
    struct gcl_gns_config config;
    test_terms_begin(&terms);
    terms.context->ids = (struct gcl_term_ids){.pid_in = pid_in, .pid_out = pid_out};
    gcl_gns_config_init(&config);
    config.mem = &terms.mem.allocator;
    config.terms = terms.context;
    config.self = name_at(0);
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_at(0, 10 + i);
    cr_assert_eq(gcl_gns_new(&config, &gns), 0);
    said[0] = told[0] = logged[0] = '\0';
    gcl_gns_nodeup(gns, 1, name_at(1), true);
    drain();
}

static void end(void)
{
    gcl_gns_free(gns);
    test_terms_end(&terms);
}

/* --- deep terms ------------------------------------------------------------------------------ */

/* The message with each atom `deep` in as many tuples. It cannot be built as one. */
static gcl_term deepen(struct gcl_buffer *out, gcl_message message, unsigned levels)
{
    static const uint8_t deep[] = "\x77\x04"
                                  "deep";
    static const uint8_t tuple[] = {104, 1};
    cr_assert_eq(gcl_write_message(terms.writer, message), 0);
    gcl_term flat = gcl_writer_term(terms.writer);
    const uint8_t *at = flat.bytes, *all_end = at + flat.size;
    gcl_buffer_init(out, &terms.mem.allocator, 0);
    for (; at < all_end; at++) {
        if ((size_t)(all_end - at) >= sizeof deep - 1 && memcmp(at, deep, sizeof deep - 1) == 0)
            for (unsigned i = 0; i < levels; i++)
                cr_assert_eq(gcl_buffer_append(out, tuple, sizeof tuple), 0);
        cr_assert_eq(gcl_buffer_append(out, at, 1), 0);
    }
    gcl_writer_clear(terms.writer);
    return gcl_term_make(terms.context, gcl_buffer_bytes(out), gcl_buffer_size(out));
}

static const char *call(gcl_message request)
{
    struct gcl_buffer bytes;
    said[0] = logged[0] = '\0';
    gcl_term term = deepen(&bytes, request, TOO_DEEP);
    (void)gcl_gns_call(gns, 1, 7, pid_at(1, 100), term);
    gcl_buffer_fini(&bytes);
    drain();
    return said;
}

static struct gcl_gns_counts counted(void)
{
    struct gcl_gns_counts counts;
    gcl_gns_count(gns, &counts);
    return counts;
}

/* --- calls ----------------------------------------------------------------------------------- */

Test(gns_deep, who_locks_is_refused)
{
    begin();
    cr_assert_str_eq(call(GCL_MESSAGE("{set_lock, {deep, me}}")), "false");
    cr_assert_str_eq(call(GCL_MESSAGE("{set_lock, {resource, deep}}")), "false");
    cr_assert_eq(counted().locks, 0);
    cr_assert_neq(strstr(logged, "b@h called with"), NULL, "%s", logged);
    cr_assert_str_eq(call(GCL_MESSAGE("{del_lock, {deep, me}}")), "true");
    cr_assert_str_eq(call(GCL_MESSAGE("{del_lock, {resource, deep}}")), "true");
    end();
}

Test(gns_deep, who_registers_is_answered)
{
    const gcl_pid pid = pid_at(1, 100);
    begin();
    cr_assert_str_eq(call(GCL_MESSAGE("{set_lock, {global, me}}")), "true");
    cr_assert_str_eq(call(GCL_MESSAGE("{register, deep, ~p, method}", pid)), "yes");
    cr_assert_neq(strstr(logged, "b@h called with"), NULL, "%s", logged);
    cr_assert_str_eq(call(GCL_MESSAGE("{register, name, ~p, deep}", pid)), "yes");
    cr_assert_str_eq(call(GCL_MESSAGE("{register_ext, deep, ~p, method, 'b@h'}", pid)), "yes");
    cr_assert_str_eq(call(GCL_MESSAGE("{register_ext, name, ~p, deep, 'b@h'}", pid)), "yes");
    cr_assert_eq(counted().names, 0);
    cr_assert_str_eq(call(GCL_MESSAGE("{unregister, deep}")), "ok");
    cr_assert_str_eq(call(GCL_MESSAGE("{del_lock, {global, me}}")), "true");
    end();
}

/* Not too deep to be read. */
Test(gns_deep, the_log_tells_which_name_is_not_kept)
{
    const gcl_pid pid = pid_at(1, 100);
    struct gcl_buffer bytes;
    begin();
    (void)call(GCL_MESSAGE("{set_lock, {global, me}}"));
    gcl_term term = deepen(&bytes, GCL_MESSAGE("{register, {name, deep}, ~p, method}", pid), 100);
    (void)gcl_gns_call(gns, 1, 7, pid, term);
    gcl_buffer_fini(&bytes);
    drain();
    cr_assert_str_eq(said, "yes");
    cr_assert_eq(strstr(logged, "b@h has the global name {name,{{{{"), logged, "%s", logged);
    cr_assert_neq(strstr(logged, "{{..., which is not kept: it is nested too deep"), NULL, "%s",
                  logged);
    term = deepen(&bytes, GCL_MESSAGE("{register, name, ~p, deep}", pid), 100);
    (void)gcl_gns_call(gns, 1, 7, pid, term);
    gcl_buffer_fini(&bytes);
    drain();
    cr_assert_str_eq(logged, "b@h has the global name name, which is not kept: its method is nested"
                             " too deep, or too large");
    end();
}

/* As what makes no sense and is flat. */
Test(gns_deep, what_makes_no_sense_is_not_answered)
{
    begin();
    cr_assert_str_eq(call(GCL_MESSAGE("deep")), "");
    cr_assert_str_eq(call(GCL_MESSAGE("{deep}")), "");
    cr_assert_str_eq(call(GCL_MESSAGE("{register, deep}")), "");
    cr_assert_str_eq(call(GCL_MESSAGE("{get_known, deep}")), "");
    cr_assert_str_eq(call(GCL_MESSAGE("{set_lock, resource}")), "");
    end();
}

/* --- casts ----------------------------------------------------------------------------------- */

static void cast(gcl_message message, unsigned levels)
{
    struct gcl_buffer bytes;
    gcl_term term = deepen(&bytes, message, levels);
    gcl_gns_cast(gns, 1, term);
    gcl_buffer_fini(&bytes);
    drain();
}

/* b@h has set its lock, and this node as well. */
static void begin_join(void)
{
    cast(GCL_MESSAGE("{init_connect, {8, 7}, 'b@h', {locker, none, [], ~p}}", pid_at(1, 11)), 0);
    cast(GCL_MESSAGE("{lock_set, ~p, true, [], 1}", pid_at(1, 11)), 0);
    cr_assert(counted().is_negotiating);
    said[0] = told[0] = logged[0] = '\0';
}

/* At the border, what comes is nested less deep than what is told of it. */
Test(gns_deep, who_joins_joins_without_the_name)
{
    static const unsigned depths[] = {900,  1010, 1016, 1017, 1018, 1019,    1020,
                                      1021, 1022, 1023, 1024, 1025, TOO_DEEP};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        begin();
        begin_join();
        cast(GCL_MESSAGE("{exchange, 'b@h', [{one, ~p, m}, {deep, ~p, m}, {two, ~p, m}], [], 1}",
                         pid_at(1, 1), pid_at(1, 2), pid_at(1, 3)),
             depths[i]);
        cr_assert_eq(strstr(told, "{resolved,"), strchr(told + 1, '{'), "%u: %s", depths[i], told);
        cast(GCL_MESSAGE("{resolved, 'b@h', [{insert, {three, ~p, m}}, {insert, {deep, ~p, m}},"
                         " {delete, deep}], [], unused, [{deep, ~p, 'b@h'}], 1}",
                         pid_at(1, 4), pid_at(1, 2), pid_at(1, 2)),
             depths[i]);
        cr_assert_eq(counted().known, 1, "%u", depths[i]);
        cr_assert_eq(counted().names, 3, "%u", depths[i]);
        if (depths[i] == TOO_DEEP)
            cr_assert_neq(strstr(logged, "b@h has told of"), NULL, "%s", logged);
        end();
    }
}

Test(gns_deep, who_is_new_becomes_known_without_the_name)
{
    begin();
    begin_join();
    cast(GCL_MESSAGE("{exchange, 'b@h', [], [], 1}"), 0);
    cast(GCL_MESSAGE("{resolved, 'b@h', [], [], unused, [], 1}"), 0);
    cr_assert_eq(counted().known, 1);
    cast(GCL_MESSAGE("{new_nodes, 'b@h', [{insert, {deep, ~p, m}}], [{deep, ~p, 'b@h'}],"
                     " [{'c@h', 8}], [{vsn, 8}, {lock, {global, x}}]}",
                     pid_at(1, 1), pid_at(1, 1)),
         TOO_DEEP);
    cr_assert_eq(counted().known, 2);
    cr_assert_eq(counted().names, 0);
    end();
}

/* Deep, and no list; or a list that is none. */
Test(gns_deep, what_makes_no_sense_is_dropped)
{
    begin();
    begin_join();
    for (unsigned levels = 1001; levels < 1030; levels++) {
        cast(GCL_MESSAGE("deep"), levels);
        cast(GCL_MESSAGE("{deep}"), levels);
        cast(GCL_MESSAGE("{exchange, deep, [], [], 1}"), levels);
        cast(GCL_MESSAGE("{exchange, 'b@h', [deep | deep], [], 1}"), levels);
        cast(GCL_MESSAGE("{exchange, 'b@h', deep, [], 1}"), levels);
        cast(GCL_MESSAGE("{resolved, 'b@h', [], [], deep, [], 1}"), levels);
    }
    cr_assert_eq(counted().known, 0);
    end();
}

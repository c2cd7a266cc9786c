/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of process groups, by the text of its effects. This node is a@h; pids are printed as
 * <Node.Id.Serial> with 0 for this node, 1 for b@h and so on. A scope of a peer is <Node.9.0>.
 */
#include <criterion/criterion.h>
#include <gen_cluster/term.h>
#include <stdio.h>
#include <string.h>

#include "core/pg/pg.h"
#include "support.h"
#include "wire/term/context.h"

static gcl_test_memory mem;
static gcl_term_context context;
static gcl_term_context outside; /* of the test: has memory when the machine has none */
static struct gcl_pg_machine *machine;
static gcl_writer *writer;
static char trace[16384];
static size_t trace_size;
static struct gcl_pg_watch *named[2];
static bool monitors_fail;

/* --- pids: a node is the first letter of its name --------------------------------------------- */

static gcl_pid pid_at(uint32_t node, uint32_t id)
{
    return (gcl_pid){.node = node, .generation = 1, .id = id};
}

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    (void)user;
    *pid = pid_at((uint32_t)(wire->node.bytes[0] - 'a'), wire->id);
    pid->serial = wire->serial;
    return 0;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    static const char names[] = "a@hb@hc@hd@he@h";
    (void)user;
    *wire = (struct gcl_wire_pid){.node = gcl_str_make(names + 3 * pid->node, 3),
                                  .id = pid->id,
                                  .serial = pid->serial,
                                  .creation = 1};
    return 0;
}

static uint32_t place(void *user, struct gcl_str node, uint32_t creation)
{
    (void)user;
    (void)creation;
    return (uint32_t)(node.bytes[0] - 'a');
}

/* --- around a test -------------------------------------------------------------------------- */

static const struct gcl_pg_limits limits = {.groups = 4, .members = 8, .bytes = 200};

static int make_machine(void)
{
    struct gcl_pg_machine_config config = {.mem = &mem.allocator,
                                           .context = &context,
                                           .self = pid_at(0, 9),
                                           .seed = {1, 2},
                                           .limits = limits,
                                           .max_peers = 3};
    return gcl_pg_machine_new(&config, &machine);
}

static void begin(void)
{
    const struct gcl_term_ids ids = {
        .pid_in = pid_in, .pid_out = pid_out, .place = place, .user = NULL};
    gcl_term_context_init(&context, gcl_test_begin(&mem), &ids, NULL, NULL);
    gcl_term_context_init(&outside, gcl_allocator_default(), &ids, NULL, NULL);
    writer = gcl_writer_new(&outside);
    monitors_fail = false;
    trace_size = 0;
    trace[0] = '\0';
}

static void end(void)
{
    gcl_pg_machine_free(machine);
    gcl_writer_free(writer);
    gcl_term_context_fini(&context);
    gcl_term_context_fini(&outside);
    gcl_test_end(&mem);
}

static void begin_with_machine(void)
{
    begin();
    cr_assert_eq(make_machine(), 0);
}

static void add(const char *text)
{
    size_t size = strlen(text);
    cr_assert_lt(trace_size + size, sizeof trace);
    memcpy(trace + trace_size, text, size + 1);
    trace_size += size;
}

static void add_term(gcl_term term)
{
    char text[4096] = "nothing";
    if (!gcl_term_is_none(term))
        cr_assert_eq(gcl_term_print(term, text, sizeof text, NULL), 0);
    add(text);
}

static void add_pid(gcl_pid pid)
{
    char text[64];
    (void)snprintf(text, sizeof text, "<%u.%u.%u>", pid.node, pid.id, pid.serial);
    add(text);
}

static void add_effect(const struct gcl_pg_effect *effect)
{
    switch (effect->kind) {
    case GCL_PG_SEND:
        add("to "), add_pid(effect->pid), add(": "), add_term(effect->term);
        break;
    case GCL_PG_MONITOR:
        add("monitor "), add_pid(effect->pid);
        *effect->ref = (gcl_ref){.count = 1, .words = {effect->pid.id}};
        if (monitors_fail)
            gcl_pg_machine_down(machine, effect->pid);
        break;
    case GCL_PG_DEMONITOR:
        add("demonitor ");
        add((char[]){(char)('0' + effect->ref->words[0]), '\0'});
        break;
    case GCL_PG_TELL:
        add(effect->watch == named[0] ? "tell " : "tell second ");
        add_term(effect->term);
        break;
    case GCL_PG_REFUSED:
        add("refused "), add_pid(effect->pid), add(": "), add(effect->why);
        break;
    case GCL_PG_IGNORED:
        add("ignored: "), add(effect->why);
        break;
    }
    add("\n");
}

static void drain(void)
{
    struct gcl_pg_effect effect;
    while (gcl_pg_machine_next(machine, &effect))
        add_effect(&effect);
}

/* All effects since the last time are these lines. */
static void expect(const char *lines)
{
    cr_assert_str_eq(trace, lines);
    trace_size = 0;
    trace[0] = '\0';
}

static gcl_term term_of(const char *text)
{
    gcl_term term;
    cr_assert_eq(gcl_term_parse(&outside, text, strlen(text), &term, NULL), 0);
    return term;
}

static int join(uint32_t id, const char *group)
{
    gcl_term term = term_of(group);
    gcl_pid pid = pid_at(0, id);
    gcl_ref ref = {.count = 1, .words = {id}};
    bool is_new = !gcl_pg_machine_has_local(machine, pid);
    int error = gcl_pg_machine_join(machine, pid, is_new ? &ref : NULL, term);
    gcl_term_free(term);
    drain();
    return error;
}

static int leave(uint32_t id, const char *group)
{
    gcl_term term = term_of(group);
    int error = gcl_pg_machine_leave(machine, pid_at(0, id), term);
    gcl_term_free(term);
    drain();
    return error;
}

static void receive_message(bool is_cast, gcl_message message)
{
    gcl_writer_clear(writer);
    cr_assert_eq(gcl_write_message(writer, message), 0);
    gcl_term term = gcl_writer_term(writer);
    gcl_term view = gcl_term_make(&context, term.bytes, term.size);
    cr_assert_eq(gcl_pg_machine_receive(machine, view, is_cast), 0);
    drain();
}
#define RECEIVE(...) receive_message(false, GCL_MESSAGE(__VA_ARGS__))
#define CAST(...) receive_message(true, GCL_MESSAGE(__VA_ARGS__))

static void down(gcl_pid pid)
{
    gcl_pg_machine_down(machine, pid);
    drain();
}

static const char *members(enum gcl_pg_machine_part part, const char *group)
{
    static char text[1024];
    gcl_term term = term_of(group);
    struct gcl_pg_walk walk;
    gcl_pid pid;
    size_t size = 0;
    int error = gcl_pg_machine_walk(machine, term, part, &walk);
    cr_assert(error == 0 || error == GCL_ENOENT);
    text[0] = '\0';
    while (gcl_pg_walk_next(&walk, &pid))
        size += (size_t)snprintf(text + size, sizeof text - size, "%c%u ", (char)('a' + pid.node),
                                 pid.id);
    gcl_term_free(term);
    return text;
}

static size_t groups(void)
{
    size_t position = 0, count = 0;
    while (gcl_pg_machine_each(machine, &position) != NULL)
        count++;
    return count;
}

/* A peer that is known and has said nothing yet. */
static gcl_pid greet(uint32_t node)
{
    gcl_pid peer = pid_at(node, 9);
    RECEIVE("{discover, ~p}", peer);
    trace_size = 0;
    trace[0] = '\0';
    return peer;
}

/* --- discovery ------------------------------------------------------------------------------ */

Test(pg, a_discovery_is_answered_with_what_is_here_and_a_discovery)
{
    begin_with_machine();
    cr_assert_eq(join(1, "{room, 7}"), 0);
    cr_assert_eq(join(2, "lobby"), 0);
    expect("");
    RECEIVE("{discover, ~p}", pid_at(1, 9));
    expect("monitor <1.9.0>\n"
           "to <1.9.0>: {'$gen_cast',{sync,<0.9.0>,[{{room,7},[<0.1.0>]},{lobby,[<0.2.0>]}]}}\n"
           "to <1.9.0>: {discover,<0.9.0>}\n");
    RECEIVE("{discover, ~p}", pid_at(1, 9));
    expect("to <1.9.0>: {'$gen_cast',{sync,<0.9.0>,[{{room,7},[<0.1.0>]},{lobby,[<0.2.0>]}]}}\n");
    end();
}

Test(pg, a_discovery_with_a_version_is_answered_in_the_old_way)
{
    begin_with_machine();
    RECEIVE("{discover, ~p, 1}", pid_at(1, 9));
    expect("monitor <1.9.0>\n"
           "to <1.9.0>: {'$gen_cast',{sync,<0.9.0>,[]}}\n"
           "to <1.9.0>: {discover,<0.9.0>}\n");
    end();
}

Test(pg, a_scope_that_cannot_be_monitored_is_told_nothing)
{
    begin_with_machine();
    monitors_fail = true;
    RECEIVE("{discover, ~p}", pid_at(1, 9));
    expect("monitor <1.9.0>\n");
    CAST("{sync, ~p, [{g, [~p]}]}", pid_at(1, 9), pid_at(1, 1));
    expect("monitor <1.9.0>\n");
    cr_assert_eq(groups(), 0);
    cr_assert_not(gcl_pg_machine_knows_node(machine, 1));
    end();
}

Test(pg, more_scopes_than_allowed_are_refused)
{
    begin_with_machine();
    for (uint32_t node = 1; node <= 3; node++)
        (void)greet(node);
    RECEIVE("{discover, ~p}", pid_at(4, 9));
    expect("refused <4.9.0>: it is more than the limits allow\n");
    CAST("{sync, ~p, []}", pid_at(4, 9));
    expect("refused <4.9.0>: it is more than the limits allow\n");
    end();
}

Test(pg, a_scope_of_this_node_is_ignored)
{
    begin_with_machine();
    RECEIVE("{discover, ~p}", pid_at(0, 5));
    CAST("{sync, ~p, []}", pid_at(0, 5));
    expect("ignored: it is of this node\nignored: it is of this node\n");
    end();
}

/* --- this node ------------------------------------------------------------------------------ */

Test(pg, peers_hear_of_joins_and_leaves)
{
    begin_with_machine();
    (void)greet(1);
    (void)greet(2);
    cr_assert_eq(join(1, "lobby"), 0);
    expect("to <1.9.0>: {join,<0.9.0>,lobby,[<0.1.0>]}\n"
           "to <2.9.0>: {join,<0.9.0>,lobby,[<0.1.0>]}\n");
    cr_assert_eq(leave(1, "lobby"), 0);
    expect("demonitor 1\n"
           "to <1.9.0>: {leave,<0.9.0>,[<0.1.0>],[lobby]}\n"
           "to <2.9.0>: {leave,<0.9.0>,[<0.1.0>],[lobby]}\n");
    cr_assert_eq(groups(), 0);
    end();
}

Test(pg, a_process_is_in_a_group_as_often_as_it_joined)
{
    begin_with_machine();
    cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(2, "g"), 0);
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "a1 a1 a2 ");
    cr_assert_eq(leave(1, "g"), 0);
    expect("");
    cr_assert_str_eq(members(GCL_PG_MACHINE_LOCAL, "g"), "a1 a2 ");
    cr_assert_eq(leave(1, "g"), 0);
    expect("demonitor 1\n");
    cr_assert_eq(leave(1, "g"), GCL_ENOENT);
    cr_assert_eq(leave(1, "never"), GCL_ENOENT);
    cr_assert_eq(leave(7, "g"), GCL_ENOENT);
    end();
}

Test(pg, a_death_leaves_all_groups_as_often_as_it_has_to)
{
    begin_with_machine();
    (void)greet(1);
    cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(1, "h"), 0);
    cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(2, "g"), 0);
    trace_size = 0;
    down(pid_at(0, 1));
    expect("to <1.9.0>: {leave,<0.9.0>,[<0.1.0>],[g,h,g]}\n");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "a2 ");
    cr_assert_not(gcl_pg_machine_has_local(machine, pid_at(0, 1)));
    cr_assert_eq(groups(), 1);
    end();
}

Test(pg, names_of_groups_are_compared_as_terms)
{
    static const uint8_t old_atom[] = {100, 0, 1, 'g'};
    begin_with_machine();
    gcl_pid peer = greet(1);
    cr_assert_eq(join(1, "g"), 0);
    RECEIVE("{join, ~p, ~t, ~p}", peer, gcl_term_make(&context, old_atom, sizeof old_atom),
            pid_at(1, 1));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "a1 b1 ");
    cr_assert_str_eq(members(GCL_PG_MACHINE_REMOTE, "g"), "b1 ");
    cr_assert_eq(groups(), 1);
    cr_assert_eq(join(1, "1"), 0);
    cr_assert_eq(join(1, "1.0"), 0);
    cr_assert_eq(groups(), 3);
    end();
}

Test(pg, limits_hold_for_this_node_too)
{
    begin_with_machine();
    char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    (void)snprintf(long_name, sizeof long_name, "\"%0200d\"", 0);
    cr_assert_eq(join(1, long_name), GCL_ELIMIT);
    cr_assert_eq(groups(), 0);
    cr_assert_not(gcl_pg_machine_has_local(machine, pid_at(0, 1)));
    for (int i = 0; i < 8; i++)
        cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(2, "g"), GCL_ELIMIT);
    cr_assert_eq(join(2, "h"), GCL_ELIMIT);
    cr_assert_eq(leave(1, "g"), 0);
    cr_assert_eq(join(2, "h"), 0);
    end();
}

/* --- peers ---------------------------------------------------------------------------------- */

Test(pg, a_peer_joins_and_leaves_with_one_pid_or_several)
{
    begin_with_machine();
    gcl_pid peer = greet(1);
    RECEIVE("{join, ~p, g, ~p}", peer, pid_at(1, 2));
    RECEIVE("{join, ~p, g, [~p, ~p, ~p]}", peer, pid_at(1, 3), pid_at(1, 1), pid_at(1, 3));
    RECEIVE("{join, ~p, h, ~p}", peer, pid_at(1, 3));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b1 b2 b3 b3 ");
    RECEIVE("{leave, ~p, ~p, [g, h, never]}", peer, pid_at(1, 3));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b1 b2 b3 ");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "h"), "");
    RECEIVE("{leave, ~p, [~p, ~p, ~p], [g]}", peer, pid_at(1, 3), pid_at(1, 1), pid_at(1, 8));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b2 ");
    RECEIVE("{join, ~p, g, []}", peer);
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b2 ");
    expect("");
    end();
}

Test(pg, a_sync_replaces_what_was_known)
{
    begin_with_machine();
    gcl_pid peer = greet(1);
    CAST("{sync, ~p, [{g, [~p, ~p]}, {h, [~p]}, {i, [~p]}]}", peer, pid_at(1, 1), pid_at(1, 2),
         pid_at(1, 1), pid_at(1, 1));
    cr_assert_eq(groups(), 3);
    CAST("{sync, ~p, [{g, [~p, ~p]}, {j, [~p]}, {i, []}]}", peer, pid_at(1, 2), pid_at(1, 3),
         pid_at(1, 1));
    expect("");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b2 b3 ");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "h"), "");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "i"), "");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "j"), "b1 ");
    CAST("{sync, ~p, []}", peer);
    cr_assert_eq(groups(), 0);
    end();
}

Test(pg, a_sync_may_come_first)
{
    begin_with_machine();
    CAST("{sync, ~p, [{g, [~p]}]}", pid_at(1, 9), pid_at(1, 1));
    expect("monitor <1.9.0>\n");
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b1 ");
    RECEIVE("{discover, ~p}", pid_at(1, 9));
    expect("to <1.9.0>: {'$gen_cast',{sync,<0.9.0>,[]}}\n");
    end();
}

/* A BEAM of OTP 23 ends of a leave before the sync. */
Test(pg, changes_are_told_after_the_first_sync_only)
{
    begin_with_machine();
    cr_assert_eq(join(1, "g"), 0);
    CAST("{sync, ~p, []}", pid_at(1, 9));
    expect("monitor <1.9.0>\n");
    cr_assert_eq(leave(1, "g"), 0);
    cr_assert_eq(join(2, "g"), 0);
    expect("demonitor 1\n");
    RECEIVE("{discover, ~p}", pid_at(1, 9));
    expect("to <1.9.0>: {'$gen_cast',{sync,<0.9.0>,[{g,[<0.2.0>]}]}}\n");
    cr_assert_eq(leave(2, "g"), 0);
    expect("demonitor 2\n"
           "to <1.9.0>: {leave,<0.9.0>,[<0.2.0>],[g]}\n");
    end();
}

Test(pg, who_is_not_known_neither_joins_nor_leaves)
{
    begin_with_machine();
    RECEIVE("{join, ~p, g, ~p}", pid_at(1, 9), pid_at(1, 1));
    RECEIVE("{leave, ~p, ~p, [g]}", pid_at(1, 9), pid_at(1, 1));
    expect("ignored: a scope that is not known joins\nignored: a scope that is not known leaves\n");
    cr_assert_eq(groups(), 0);
    end();
}

Test(pg, the_end_of_a_peer_takes_its_members)
{
    begin_with_machine();
    gcl_pid b = greet(1), c = greet(2);
    CAST("{sync, ~p, [{g, [~p]}, {h, [~p]}]}", b, pid_at(1, 1), pid_at(1, 1));
    CAST("{sync, ~p, [{g, [~p]}]}", c, pid_at(2, 1));
    cr_assert(gcl_pg_machine_knows_node(machine, 1));
    down(b);
    cr_assert_not(gcl_pg_machine_knows_node(machine, 1));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "c1 ");
    cr_assert_eq(groups(), 1);
    cr_assert_eq(join(1, "g"), 0);
    expect("to <2.9.0>: {join,<0.9.0>,g,[<0.1.0>]}\n");
    down(b);
    down(pid_at(3, 3));
    expect("");
    end();
}

/* --- watches -------------------------------------------------------------------------------- */

Test(pg, watches_are_told_of_every_change)
{
    struct gcl_pg_watch all, one;
    gcl_term group;
    begin_with_machine();
    named[0] = &all;
    named[1] = &one;
    group = term_of("g");
    cr_assert_eq(gcl_pg_machine_watch(machine, &all, NULL), 0);
    cr_assert_eq(gcl_pg_machine_watch(machine, &one, &group), 0);
    cr_assert_eq(groups(), 0);
    cr_assert_eq(join(1, "g"), 0);
    cr_assert_eq(join(1, "h"), 0);
    expect("tell {join,g,[<0.1.0>]}\ntell second {join,g,[<0.1.0>]}\ntell {join,h,[<0.1.0>]}\n");
    gcl_pid peer = greet(1);
    CAST("{sync, ~p, [{g, [~p, ~p]}, {i, [~p]}]}", peer, pid_at(1, 1), pid_at(1, 2), pid_at(1, 1));
    expect("tell {join,g,[<1.1.0>,<1.2.0>]}\ntell second {join,g,[<1.1.0>,<1.2.0>]}\n"
           "tell {join,i,[<1.1.0>]}\n");
    CAST("{sync, ~p, [{g, [~p, ~p]}]}", peer, pid_at(1, 2), pid_at(1, 3));
    expect("tell {leave,g,[<1.1.0>]}\ntell second {leave,g,[<1.1.0>]}\n"
           "tell {join,g,[<1.3.0>]}\ntell second {join,g,[<1.3.0>]}\n"
           "tell {leave,i,[<1.1.0>]}\n");
    down(pid_at(0, 1));
    expect("to <1.9.0>: {leave,<0.9.0>,[<0.1.0>],[g,h]}\n"
           "tell {leave,h,[<0.1.0>]}\n"
           "tell {leave,g,[<0.1.0>]}\ntell second {leave,g,[<0.1.0>]}\n");
    down(peer);
    expect("tell {leave,g,[<1.2.0>,<1.3.0>]}\ntell second {leave,g,[<1.2.0>,<1.3.0>]}\n");
    cr_assert_eq(groups(), 0);
    gcl_pg_machine_unwatch(machine, &all);
    gcl_pg_machine_unwatch(machine, &one);
    cr_assert_eq(join(1, "g"), 0);
    expect("");
    gcl_term_free(group);
    end();
}

Test(pg, events_wait_until_effects_are_taken)
{
    struct gcl_pg_effect effect;
    begin_with_machine();
    (void)greet(1);
    gcl_term group = term_of("g");
    gcl_ref ref = {.count = 1, .words = {1}};
    struct gcl_pg_watch watch;
    cr_assert_eq(gcl_pg_machine_join(machine, pid_at(0, 1), &ref, group), 0);
    cr_assert_eq(gcl_pg_machine_join(machine, pid_at(0, 1), NULL, group), GCL_EBUSY);
    cr_assert_eq(gcl_pg_machine_leave(machine, pid_at(0, 1), group), GCL_EBUSY);
    cr_assert_eq(gcl_pg_machine_receive(machine, group, false), GCL_EBUSY);
    cr_assert_eq(gcl_pg_machine_watch(machine, &watch, NULL), GCL_EBUSY);
    cr_assert(gcl_pg_machine_next(machine, &effect));
    gcl_pg_machine_down(machine, pid_at(0, 1));
    drain();
    expect("to <1.9.0>: {leave,<0.9.0>,[<0.1.0>],[g]}\n");
    gcl_term_free(group);
    end();
}

/* --- what a peer must not say ------------------------------------------------------------------
 */

static const char malformed[] = "it is malformed";
static const char foreign[] = "it speaks for processes of another node";
static const char too_much[] = "it is more than the limits allow";

/* A peer that had a member in g, and then sent this. */
static void check_refused(bool is_cast, const char *why, gcl_message message)
{
    char line[128];
    begin_with_machine();
    gcl_pid peer = greet(1);
    RECEIVE("{join, ~p, g, ~p}", peer, pid_at(1, 1));
    receive_message(is_cast, message);
    (void)snprintf(line, sizeof line, "refused <1.9.0>: %s\n", why);
    expect(line);
    cr_assert_eq(groups(), 0, "%s", message.pattern);
    RECEIVE("{join, ~p, g, ~p}", peer, pid_at(1, 1));
    RECEIVE("{leave, ~p, ~p, [g]}", peer, pid_at(1, 1));
    cr_assert_eq(groups(), 0);
    trace_size = 0;
    cr_assert_eq(join(1, "mine"), 0);
    expect("to <1.9.0>: {join,<0.9.0>,mine,[<0.1.0>]}\n");
    CAST("{sync, ~p, [{g, [~p]}]}", peer, pid_at(1, 1));
    cr_assert_eq(groups(), 2);
    RECEIVE("{join, ~p, g, ~p}", peer, pid_at(1, 2));
    cr_assert_str_eq(members(GCL_PG_MACHINE_ALL, "g"), "b1 b2 ");
    expect("");
    end();
}
#define REFUSED(why, ...) check_refused(false, (why), GCL_MESSAGE(__VA_ARGS__))
#define REFUSED_CAST(why, ...) check_refused(true, (why), GCL_MESSAGE(__VA_ARGS__))

Test(pg, a_malformed_message_costs_a_peer_what_it_has_said)
{
    gcl_pid peer = pid_at(1, 9), p = pid_at(1, 1);
    REFUSED(malformed, "{join, ~p, g, nobody}", peer);
    REFUSED(malformed, "{join, ~p, g, [a]}", peer);
    REFUSED(malformed, "{join, ~p, g, \"abc\"}", peer);
    REFUSED(malformed, "{join, ~p, g, {~p}}", peer, p);
    REFUSED(malformed, "{join, ~p, g, [~p | x]}", peer, p);
    REFUSED(malformed, "{leave, ~p, nobody, [g]}", peer);
    REFUSED(malformed, "{leave, ~p, ~p, g}", peer, p);
    REFUSED(malformed, "{leave, ~p, ~p, [h | g]}", peer, p);
    REFUSED_CAST(malformed, "{sync, ~p, g}", peer);
    REFUSED_CAST(malformed, "{sync, ~p, [g]}", peer);
    REFUSED_CAST(malformed, "{sync, ~p, #{g => []}}", peer);
    REFUSED_CAST(malformed, "{sync, ~p, [{g, [~p]}, {g, [~p]}]}", peer, p, p);
    REFUSED_CAST(malformed, "{sync, ~p, [{g, [~p]} | tail]}", peer, p);
    REFUSED_CAST(malformed, "{sync, ~p, [{h, [~p]}, {g, [~p | x]}]}", peer, p, p);
}

Test(pg, a_lie_about_other_nodes_costs_a_peer_what_it_has_said)
{
    gcl_pid peer = pid_at(1, 9), p = pid_at(1, 1);
    REFUSED(foreign, "{join, ~p, g, ~p}", peer, pid_at(2, 1));
    REFUSED(foreign, "{join, ~p, g, [~p, ~p]}", peer, p, pid_at(0, 1));
    REFUSED(foreign, "{leave, ~p, ~p, [g]}", peer, pid_at(0, 1));
    REFUSED_CAST(foreign, "{sync, ~p, [{g, [~p]}]}", peer, pid_at(2, 9));
}

Test(pg, too_much_costs_a_peer_what_it_has_said)
{
    gcl_pid peer = pid_at(1, 9), p = pid_at(1, 1);
    char name[300];
    (void)snprintf(name, sizeof name, "%0200d", 0);
    REFUSED(too_much, "{join, ~p, h, [~p, ~p, ~p, ~p, ~p, ~p, ~p, ~p]}", peer, p, p, p, p, p, p, p,
            p);
    REFUSED(too_much, "{join, ~p, h, [~p, ~p, ~p, ~p, ~p, ~p, ~p, ~p, ~p]}", peer, p, p, p, p, p, p,
            p, p, p);
    REFUSED(too_much, "{join, ~p, ~b, ~p}", peer, (const char *)name, p);
    REFUSED_CAST(too_much, "{sync, ~p, [{1, [~p]}, {2, [~p]}, {3, [~p]}, {4, [~p]}, {5, [~p]}]}",
                 peer, p, p, p, p, p);
}

/* What it says anew may be as much as it had before. */
Test(pg, a_sync_is_measured_by_itself)
{
    begin_with_machine();
    gcl_pid peer = greet(1), p = pid_at(1, 1);
    for (int i = 0; i < 3; i++) {
        CAST("{sync, ~p, [{1, [~p, ~p]}, {2, [~p, ~p]}, {3, [~p, ~p]}, {4, [~p, ~p]}]}", peer, p, p,
             p, p, p, p, p, p);
        CAST("{sync, ~p, [{5, [~p, ~p]}, {6, [~p, ~p]}, {7, [~p, ~p]}, {1, [~p, ~p]}]}", peer, p, p,
             p, p, p, p, p, p);
    }
    expect("");
    cr_assert_eq(groups(), 4);
    RECEIVE("{leave, ~p, [~p], [1, 5, 6]}", peer, p);
    RECEIVE("{join, ~p, 1, [~p, ~p, ~p]}", peer, p, p, p);
    expect("");
    RECEIVE("{join, ~p, 1, ~p}", peer, p);
    expect("refused <1.9.0>: it is more than the limits allow\n");
    end();
}

Test(pg, what_is_no_message_of_pg_is_ignored)
{
    static const char *const messages[] = {
        "hello",           "{discover, nobody}", "{discover}", "{sync, a, []}",
        "{join, a, b, c}", "{update, a, []}",    "[]",         "#{}"};
    begin_with_machine();
    (void)greet(1);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        gcl_term term = term_of(messages[i]);
        for (int is_cast = 0; is_cast < 2; is_cast++) {
            cr_assert_eq(gcl_pg_machine_receive(machine, term, is_cast == 1), 0);
            drain();
            expect("ignored: it is no message of pg\n");
        }
        gcl_term_free(term);
    }
    RECEIVE("{update, ~p, [{g, [], []}]}", pid_at(1, 9));
    CAST("{local_data, ~p, 1, #{}}", pid_at(1, 9));
    CAST("{join, ~p, g, ~p}", pid_at(1, 9), pid_at(1, 1));
    RECEIVE("{sync, ~p, []}", pid_at(1, 9));
    expect("ignored: it is no message of pg\nignored: it is no message of pg\n"
           "ignored: it is no message of pg\nignored: it is no message of pg\n");
    end();
}

/* Truncated at every byte, and with every byte changed. */
Test(pg, no_bytes_break_it)
{
    static uint8_t bytes[1024];
    uint64_t seed = gcl_test_seed();
    begin_with_machine();
    gcl_pid peer = greet(1);
    gcl_writer_clear(writer);
    cr_assert_eq(gcl_write(writer, "{sync, ~p, [{g, [~p, ~p]}, {{h, 1}, [~p]}]}", peer,
                           pid_at(1, 1), pid_at(1, 2), pid_at(1, 1)),
                 0);
    gcl_term whole = gcl_writer_term(writer);
    for (size_t size = 0; size < whole.size; size++) {
        memcpy(bytes, whole.bytes, size);
        cr_assert_eq(gcl_pg_machine_receive(machine, gcl_term_make(&context, bytes, size), true),
                     0);
        drain();
        trace_size = 0;
    }
    for (int i = 0; i < 20000; i++) {
        memcpy(bytes, whole.bytes, whole.size);
        bytes[gcl_test_random(&seed) % whole.size] = (uint8_t)gcl_test_random(&seed);
        cr_assert_eq(
            gcl_pg_machine_receive(machine, gcl_term_make(&context, bytes, whole.size), true), 0);
        drain();
        trace_size = 0;
    }
    end();
}

/* --- without memory ------------------------------------------------------------------------- */

/* Each step may fail, and then nothing has happened, or the peer has lost what it had said. */
static void live(void)
{
    gcl_pid peer = pid_at(1, 9);
    int error = join(1, "g");
    cr_assert(error == 0 || error == GCL_ENOMEM);
    cr_assert_eq(gcl_pg_machine_has_local(machine, pid_at(0, 1)), error == 0);
    RECEIVE("{discover, ~p}", peer);
    RECEIVE("{join, ~p, g, [~p, ~p]}", peer, pid_at(1, 1), pid_at(1, 2));
    CAST("{sync, ~p, [{g, [~p]}, {h, [~p, ~p, ~p]}]}", peer, pid_at(1, 2), pid_at(1, 1),
         pid_at(1, 2), pid_at(1, 3));
    error = join(1, "h");
    cr_assert(error == 0 || error == GCL_ENOMEM);
    RECEIVE("{leave, ~p, [~p, ~p], [h, g]}", peer, pid_at(1, 2), pid_at(1, 1));
    down(pid_at(0, 1));
    down(peer);
    cr_assert_eq(groups(), 0);
}

Test(pg, it_lives_without_memory)
{
    bool has_failed = true;
    for (size_t n = 1; has_failed; n++) {
        struct gcl_pg_watch watch;
        begin();
        gcl_test_fail_at(&mem, n);
        machine = NULL;
        int error = make_machine();
        if (error == 0) {
            cr_assert_eq(gcl_pg_machine_watch(machine, &watch, NULL), 0);
            named[0] = &watch;
            live();
            gcl_pg_machine_unwatch(machine, &watch);
        }
        has_failed = mem.attempts >= n;
        end();
    }
}

/* Only one attempt fails: what was refused is not half done. */
Test(pg, it_goes_on_after_a_shortage)
{
    for (size_t n = 1; n < 60; n++) {
        begin_with_machine();
        gcl_test_fail_at(&mem, n);
        live();
        gcl_test_fail_at(&mem, 0);
        cr_assert_eq(join(3, "g"), 0);
        RECEIVE("{discover, ~p}", pid_at(2, 9));
        CAST("{sync, ~p, [{g, [~p]}]}", pid_at(2, 9), pid_at(2, 2));
        cr_assert_str_eq(members(GCL_PG_MACHINE_REMOTE, "g"), "c2 ");
        cr_assert_str_eq(members(GCL_PG_MACHINE_LOCAL, "g"), "a3 ");
        end();
    }
}

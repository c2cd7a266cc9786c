/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core by its trace: each event is told, the effects are written as lines of text and compared.
 * P1, P2 .. are local processes by number, R1, R2 .. remote ones of the node other@host.
 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <stdio.h>
#include <string.h>

#include "core/core.h"
#include "core/reason.h"
#include "support.h"

struct world {
    gcl_test_memory mem;
    struct gcl_core core;
    struct gcl_core_peer peer;
    struct gcl_name *other;
    struct gcl_core_process process[8];
    char trace[4096];
};

static struct world world;

static const char *const op_names[GCL_SIGNAL_OPS] = {
    "send",    "link",      "unlink", "unlink_ack",   "exit",          "exit2",
    "monitor", "demonitor", "down",   "group_leader", "spawn_request", "spawn_reply"};

static void begin_with_limit(uint32_t max_edges)
{
    struct gcl_core_config config = {.mem = gcl_test_begin(&world.mem),
                                     .seed = {1, 2},
                                     .max_processes = 8,
                                     .max_names = 16,
                                     .max_edges = max_edges};
    memset(&world.core, 0, sizeof world.core);
    cr_assert_eq(gcl_core_init(&world.core, &config), 0);
    cr_assert_eq(gcl_names_set_local(&world.core.names, gcl_str_of("me@host"), 7), 0);
    cr_assert_eq(gcl_names_intern(&world.core.names, gcl_str_of("other@host"), 9, &world.other), 0);
    gcl_names_hold(&world.core.names, world.other);
    gcl_core_peer_init(&world.peer);
    for (int i = 1; i < 5; i++)
        cr_assert_eq(gcl_core_spawn(&world.core, &world.process[i]), 0);
}

static void begin(void)
{
    begin_with_limit(100);
}

static gcl_pid local(uint32_t n)
{
    return gcl_core_pid(&world.core, &world.process[n]);
}

static gcl_pid remote(uint32_t n)
{
    gcl_pid pid = {world.other->index, world.other->generation, n, 0};
    return pid;
}

static gcl_ref remote_ref(uint32_t n)
{
    gcl_ref ref = {world.other->index, world.other->generation, 5, {n, 2, 3, 4, 5}};
    return ref;
}

static void pid_text(char *out, size_t size, gcl_pid pid)
{
    (void)snprintf(out, size, "%s%u", gcl_core_is_local(&pid) ? "P" : "R", pid.id);
}

static void trace_one(const struct gcl_effect *effect)
{
    char line[256], from[32], to[32];
    const struct gcl_signal *signal = &effect->signal;
    int reason = signal->term.size > 2 ? (int)signal->term.size - 2 : 0;
    const char *text = reason > 0 ? (const char *)signal->term.bytes + 2 : "";
    pid_text(from, sizeof from, signal->from);
    pid_text(to, sizeof to, signal->to.pid);
    if (signal->from_name.size > 0)
        (void)snprintf(from, sizeof from, "%.*s", (int)signal->from_name.size,
                       (const char *)signal->from_name.bytes);
    uint32_t number = effect->process != NULL ? effect->process->number : 0;
    switch (effect->kind) {
    case GCL_EFFECT_DELIVER:
        (void)snprintf(line, sizeof line, "P%u gets %.*s\n", number, reason, text);
        break;
    case GCL_EFFECT_DOWN:
        (void)snprintf(line, sizeof line, "P%u down %s %.*s\n", number, from, reason, text);
        break;
    case GCL_EFFECT_SPAWNED:
        (void)snprintf(line, sizeof line, "P%u spawned %s\n", number, from);
        break;
    case GCL_EFFECT_UNWATCHED:
        (void)snprintf(line, sizeof line, "P%u unwatched by %s\n", number, from);
        break;
    case GCL_EFFECT_EXIT:
        (void)snprintf(line, sizeof line, "P%u exit %s %.*s\n", number, from, reason, text);
        break;
    case GCL_EFFECT_END:
        (void)snprintf(line, sizeof line, "P%u end %.*s\n", number, reason, text);
        break;
    case GCL_EFFECT_SIGNAL:
        (void)snprintf(line, sizeof line, "%s %s -> %s %.*s%llu\n", op_names[signal->op], from, to,
                       reason, text, (unsigned long long)signal->id);
        break;
    case GCL_EFFECT_FREE:
        (void)snprintf(line, sizeof line, "P%u free\n", number);
        break;
    }
    strncat(world.trace, line, sizeof world.trace - strlen(world.trace) - 1);
}

/* Carries out END as a node does, so that deaths spread. */
static void drain(void)
{
    struct gcl_effect effect;
    while (gcl_core_next(&world.core, &effect)) {
        trace_one(&effect);
        if (effect.kind == GCL_EFFECT_END)
            gcl_core_exit(&world.core, effect.process, effect.signal.term);
    }
}

#define EXPECT(text)                                                                               \
    do {                                                                                           \
        drain();                                                                                   \
        cr_assert_str_eq(world.trace, (text));                                                     \
        world.trace[0] = '\0';                                                                     \
    } while (0)

static void end(void)
{
    for (uint32_t slot = 0;;) {
        struct gcl_core_process *process = gcl_processes_each(&world.core.processes, &slot);
        if (process == NULL)
            break;
        gcl_core_exit(&world.core, process, GCL_REASON_SHUTDOWN);
    }
    drain();
    gcl_core_peer_down(&world.core, &world.peer);
    drain();
    gcl_names_release(&world.core.names, world.other);
    gcl_core_fini(&world.core);
    gcl_test_end(&world.mem);
}

static int signal_from_peer(enum gcl_signal_op op, uint32_t from, uint32_t to, gcl_ref ref,
                            uint64_t id, struct gcl_str term)
{
    struct gcl_signal signal = {.op = op,
                                .from = remote(from),
                                .to = gcl_target_pid(local(to)),
                                .ref = ref,
                                .id = id,
                                .term = term};
    return gcl_core_signal(&world.core, &world.peer, &signal);
}

static const gcl_ref no_ref;
static const struct gcl_str no_term;

Test(core, a_message_reaches_a_pid_or_a_name_and_else_vanishes)
{
    begin();
    cr_assert_eq(gcl_registry_add(&world.core.registry, gcl_str_of("bob"), &world.process[2]), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_SEND, 1, 1, no_ref, 0, GCL_REASON_NORMAL), 0);
    EXPECT("P1 gets normal\n");
    struct gcl_signal by_name = {.op = GCL_SIGNAL_SEND,
                                 .to = gcl_target_name(0, 1, gcl_str_of("bob")),
                                 .term = GCL_REASON_KILL};
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &by_name), 0);
    EXPECT("P2 gets kill\n");
    by_name.to.name = gcl_str_of("eve");
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &by_name), 0);
    EXPECT("");
    gcl_core_exit(&world.core, &world.process[2], GCL_REASON_NORMAL);
    EXPECT("P2 free\n");
    by_name.to.name = gcl_str_of("bob");
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &by_name), 0);
    EXPECT("");
    end();
}

Test(core, a_peers_monitor_gets_the_true_reason_once)
{
    begin();
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 1, remote_ref(1), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 2, 1, remote_ref(2), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_DEMONITOR, 2, 1, remote_ref(2), 0, no_term), 0);
    EXPECT("");
    gcl_core_exit(&world.core, &world.process[1],
                  GCL_REASON("\x04"
                             "boom"));
    EXPECT("down P1 -> R1 boom0\nP1 free\n");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 1, remote_ref(1), 0, no_term), 0);
    EXPECT("down P1 -> R1 noproc0\n");
    end();
}

Test(core, only_its_watcher_ends_a_monitor_and_only_its_node_fires_one)
{
    begin();
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_target target = gcl_target_pid(remote(1));
    struct gcl_core_peer stranger;
    struct gcl_signal down = {.op = GCL_SIGNAL_DOWN,
                              .from = remote(1),
                              .to = gcl_target_pid(local(1)),
                              .ref = ref,
                              .term = GCL_REASON_KILLED};
    gcl_core_peer_init(&stranger);
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &target, &world.peer, &ref), 0);
    cr_assert_eq(gcl_core_signal(&world.core, &stranger, &down), 0);
    EXPECT("");
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &down), 0);
    EXPECT("P1 down R1 killed\n");
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &down), 0);
    EXPECT("");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 2, remote_ref(1), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_DEMONITOR, 3, 2, remote_ref(1), 0, no_term), 0);
    /* A peer that fires its own monitor at us must not fire anything here. */
    down.ref = remote_ref(1);
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &down), 0);
    EXPECT("");
    gcl_core_exit(&world.core, &world.process[2], GCL_REASON_NORMAL);
    EXPECT("down P2 -> R1 normal0\nP2 free\n");
    end();
}

Test(core, a_local_monitor_of_nobody_gives_noproc)
{
    begin();
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_target target = gcl_target_name(0, 1, gcl_str_of("eve"));
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &target, NULL, &ref), 0);
    EXPECT("P1 down eve noproc\n");
    end();
}

Test(core, demonitor_of_a_remote_process_has_to_be_sent)
{
    begin();
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_target target =
        gcl_target_name(world.other->index, world.other->generation, gcl_str_of("bob"));
    struct gcl_signal signal;
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &target, &world.peer, &ref), 0);
    cr_assert_not(gcl_core_demonitor(&world.core, &world.process[2], &ref, &signal));
    cr_assert(gcl_core_demonitor(&world.core, &world.process[1], &ref, &signal));
    cr_assert_eq(signal.op, GCL_SIGNAL_DEMONITOR);
    cr_assert(gcl_str_is(signal.to.name, "bob"));
    cr_assert_not(gcl_core_demonitor(&world.core, &world.process[1], &ref, &signal));
    end();
}

Test(core, an_end_spreads_along_links_but_normal_does_not)
{
    begin();
    bool send;
    cr_assert_eq(gcl_core_link(&world.core, &world.process[2], local(1), NULL, &send), 0);
    cr_assert_not(send);
    cr_assert_eq(gcl_core_link(&world.core, &world.process[2], local(3), NULL, &send), 0);
    cr_assert_eq(gcl_core_link(&world.core, &world.process[4], local(3), NULL, &send), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_LINK, 1, 2, no_ref, 0, no_term), 0);
    world.process[3].trap_exit = true;
    gcl_core_exit(&world.core, &world.process[1], GCL_REASON_NORMAL);
    EXPECT("P1 free\n");
    gcl_core_exit(&world.core, &world.process[2],
                  GCL_REASON("\x04"
                             "boom"));
    EXPECT("P3 exit P2 boom\nexit P2 -> R1 boom0\nP2 free\n");
    gcl_core_exit(&world.core, &world.process[3],
                  GCL_REASON("\x04"
                             "boom"));
    EXPECT("P4 end boom\nP3 free\nP4 free\n");
    end();
}

Test(core, kill_cannot_be_trapped_and_is_seen_as_killed)
{
    begin();
    world.process[1].trap_exit = true;
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_EXIT2, 1, 1, no_ref, 0, GCL_REASON_SHUTDOWN), 0);
    EXPECT("P1 exit R1 shutdown\n");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 1, remote_ref(1), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_EXIT2, 1, 1, no_ref, 0, GCL_REASON_KILL), 0);
    EXPECT("P1 end killed\ndown P1 -> R1 killed0\nP1 free\n");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_EXIT2, 1, 2, no_ref, 0, GCL_REASON_NORMAL), 0);
    EXPECT("");
    end();
}

Test(core, an_exit_over_a_link_counts_only_while_it_is_active)
{
    begin();
    struct gcl_signal unlink;
    bool send;
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_EXIT, 1, 1, no_ref, 0, GCL_REASON_KILL), 0);
    EXPECT("");
    cr_assert_eq(gcl_core_link(&world.core, &world.process[1], remote(1), &world.peer, &send), 0);
    cr_assert(send);
    cr_assert(gcl_core_unlink(&world.core, &world.process[1], remote(1), &unlink));
    cr_assert_neq(unlink.id, 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_EXIT, 1, 1, no_ref, 0, GCL_REASON_KILL), 0);
    EXPECT("");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_UNLINK_ACK, 1, 1, no_ref, unlink.id + 1, no_term), 0);
    cr_assert_eq(gcl_table_count(&world.core.links.table), 1);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_UNLINK_ACK, 1, 1, no_ref, unlink.id, no_term), 0);
    cr_assert_eq(gcl_table_count(&world.core.links.table), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_LINK, 1, 1, no_ref, 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_UNLINK, 1, 1, no_ref, 77, no_term), 0);
    EXPECT("unlink_ack P1 -> R1 77\n");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_LINK, 2, 5, no_ref, 0, no_term), 0);
    EXPECT("exit P0 -> R2 noproc0\n");
    end();
}

Test(core, a_lost_node_breaks_links_and_monitors_with_noconnection)
{
    begin();
    bool send;
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_target target = gcl_target_pid(remote(2));
    world.process[1].trap_exit = true;
    cr_assert_eq(gcl_core_link(&world.core, &world.process[1], remote(1), &world.peer, &send), 0);
    cr_assert_eq(gcl_core_link(&world.core, &world.process[2], remote(1), &world.peer, &send), 0);
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[3], &target, &world.peer, &ref), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 3, remote_ref(1), 0, no_term), 0);
    gcl_core_peer_down(&world.core, &world.peer);
    EXPECT("P1 exit R1 noconnection\nP2 end noconnection\nP2 free\nP3 down R2 noconnection\n");
    cr_assert(gcl_core_peer_is_idle(&world.peer));
    gcl_core_exit(&world.core, &world.process[3], GCL_REASON_NORMAL);
    EXPECT("P3 free\n");
    end();
}

Test(core, an_ended_watcher_takes_its_monitors_back)
{
    begin();
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_target far = gcl_target_pid(remote(2));
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &far, &world.peer, &ref), 0);
    ref = gcl_core_make_ref(&world.core);
    struct gcl_target near = gcl_target_pid(local(2));
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &near, NULL, &ref), 0);
    gcl_core_exit(&world.core, &world.process[1], GCL_REASON_NORMAL);
    EXPECT("demonitor P1 -> R2 0\nP1 free\n");
    gcl_core_exit(&world.core, &world.process[2], GCL_REASON_NORMAL);
    EXPECT("P2 free\n");
    end();
}

/* --- processes that are asked for ---------------------------------------------------------------
 */

static gcl_ref await_spawn(uint32_t watcher, bool wants_link)
{
    gcl_ref ref = gcl_core_make_ref(&world.core);
    gcl_pid at = remote(0);
    cr_assert_eq(gcl_core_await_spawn(&world.core, &world.process[watcher], at, &world.peer, &ref,
                                      wants_link),
                 0);
    return ref;
}

static int refuse(uint32_t watcher, gcl_ref ref)
{
    struct gcl_signal reply = {.op = GCL_SIGNAL_SPAWN_REPLY,
                               .from = remote(0),
                               .to = gcl_target_pid(local(watcher)),
                               .ref = ref,
                               .from_name = gcl_str_of("notsup")};
    return gcl_core_signal(&world.core, &world.peer, &reply);
}

static int arrive(uint32_t pid, uint32_t watcher, gcl_ref ref, uint64_t flags)
{
    return signal_from_peer(GCL_SIGNAL_SPAWN_REPLY, pid, watcher, ref, flags, no_term);
}

Test(core, a_process_that_was_asked_for_is_watched_from_when_it_is_there)
{
    begin();
    gcl_ref ref = await_spawn(1, false);
    cr_assert_eq(arrive(5, 1, ref, GCL_SPAWN_MONITORED), 0);
    EXPECT("P1 spawned R5\n");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_DOWN, 5, 1, ref, 0, GCL_REASON_NORMAL), 0);
    EXPECT("P1 down R5 normal\n");
    ref = await_spawn(1, true);
    cr_assert_eq(arrive(6, 1, ref, GCL_SPAWN_MONITORED | GCL_SPAWN_LINKED), 0);
    EXPECT("P1 spawned R6\n");
    gcl_core_exit(&world.core, &world.process[1], GCL_REASON_NORMAL);
    EXPECT("exit P1 -> R6 normal0\ndemonitor P1 -> R6 0\nP1 free\n");
    end();
}

Test(core, a_process_that_was_asked_for_is_refused_or_its_node_lost)
{
    begin();
    gcl_ref ref = await_spawn(1, true);
    cr_assert_eq(refuse(1, ref), 0);
    EXPECT("P1 spawned notsup\n");
    cr_assert_eq(refuse(1, ref), 0);
    EXPECT("");
    (void)await_spawn(1, true);
    gcl_core_peer_down(&world.core, &world.peer);
    EXPECT("P1 down R0 noconnection\n");
    end();
}

Test(core, a_process_that_nobody_waits_for_any_more_is_left_or_ended)
{
    begin();
    struct gcl_signal signal;
    gcl_ref ref = await_spawn(1, false);
    /* It is not known whom to tell. */
    cr_assert_not(gcl_core_demonitor(&world.core, &world.process[1], &ref, &signal));
    cr_assert_eq(arrive(5, 1, ref, GCL_SPAWN_MONITORED), 0);
    EXPECT("demonitor P1 -> R5 0\n");
    ref = await_spawn(1, true);
    gcl_core_exit(&world.core, &world.process[1], GCL_REASON_NORMAL);
    EXPECT("P1 free\n");
    gcl_pid ended = local(1);
    struct gcl_signal reply = {.op = GCL_SIGNAL_SPAWN_REPLY,
                               .from = remote(6),
                               .to = gcl_target_pid(ended),
                               .ref = ref,
                               .id = GCL_SPAWN_MONITORED | GCL_SPAWN_LINKED};
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &reply), 0);
    EXPECT("exit P1 -> R6 noproc0\n");
    /* Of a request without ties nothing is left. */
    reply.id = 0;
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &reply), 0);
    EXPECT("");
    end();
}

Test(core, only_the_node_that_was_asked_gives_a_process)
{
    begin();
    struct gcl_core_peer stranger;
    gcl_core_peer_init(&stranger);
    gcl_ref ref = await_spawn(1, false);
    struct gcl_signal reply = {.op = GCL_SIGNAL_SPAWN_REPLY,
                               .from = remote(5),
                               .to = gcl_target_pid(local(1)),
                               .ref = ref,
                               .id = GCL_SPAWN_MONITORED};
    cr_assert_eq(gcl_core_signal(&world.core, &stranger, &reply), 0);
    EXPECT("demonitor P1 -> R5 0\n");
    cr_assert_eq(arrive(6, 1, ref, GCL_SPAWN_MONITORED), 0);
    EXPECT("P1 spawned R6\n");
    /* It is there: there is no second one. */
    cr_assert_eq(arrive(7, 1, ref, GCL_SPAWN_MONITORED), 0);
    EXPECT("demonitor P1 -> R7 0\n");
    end();
}

Test(core, a_link_that_comes_with_a_process_counts)
{
    begin_with_limit(1);
    gcl_ref ref = await_spawn(1, true);
    cr_assert_eq(arrive(5, 1, ref, GCL_SPAWN_MONITORED | GCL_SPAWN_LINKED), GCL_ELIMIT);
    cr_assert_eq(gcl_core_await_spawn(&world.core, &world.process[2], remote(0), &world.peer,
                                      &(gcl_ref){.generation = 1, .count = 1, .words = {9}}, false),
                 GCL_ELIMIT);
    end();
}

Test(core, who_minds_watchers_hears_of_those_that_leave)
{
    begin();
    world.process[2].minds_watchers = true;
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 2, remote_ref(1), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_DEMONITOR, 3, 2, remote_ref(1), 0, no_term), 0);
    EXPECT("");
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_DEMONITOR, 1, 2, remote_ref(1), 0, no_term), 0);
    EXPECT("P2 unwatched by R1\n");
    /* One of this node says so by a signal. */
    struct gcl_signal signal;
    struct gcl_target target = gcl_target_pid(local(2));
    gcl_ref ref = gcl_core_make_ref(&world.core);
    cr_assert_eq(gcl_core_monitor(&world.core, &world.process[1], &target, NULL, &ref), 0);
    cr_assert(gcl_core_demonitor(&world.core, &world.process[1], &ref, &signal));
    cr_assert_eq(gcl_core_signal(&world.core, NULL, &signal), 0);
    EXPECT("P2 unwatched by P1\n");
    end();
}

Test(core, what_peers_may_make_has_a_limit)
{
    begin_with_limit(1);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 1, remote_ref(1), 0, no_term), 0);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_MONITOR, 1, 1, remote_ref(2), 0, no_term), GCL_ELIMIT);
    cr_assert_eq(signal_from_peer(GCL_SIGNAL_LINK, 1, 1, no_ref, 0, no_term), GCL_ELIMIT);
    end();
}

Test(core, an_alias_reaches_its_process_until_it_is_removed)
{
    begin();
    struct gcl_alias alias;
    gcl_ref ref = gcl_core_make_ref(&world.core);
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND,
                                .to = {.kind = GCL_TARGET_ALIAS, .alias = ref},
                                .term = GCL_REASON_NORMAL};
    gcl_list_init(&alias.at_process);
    cr_assert_eq(gcl_aliases_add(&world.core.aliases, &alias, &ref, &world.process[1]), 0);
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &signal), 0);
    EXPECT("P1 gets normal\n");
    gcl_aliases_remove(&world.core.aliases, &alias);
    cr_assert_eq(gcl_core_signal(&world.core, &world.peer, &signal), 0);
    EXPECT("");
    end();
}

Test(core, pids_are_not_used_again_soon)
{
    begin();
    gcl_pid first = local(1);
    for (int i = 0; i < 10000; i++) {
        gcl_core_exit(&world.core, &world.process[1], GCL_REASON_NORMAL);
        drain();
        world.trace[0] = '\0';
        cr_assert_eq(gcl_core_spawn(&world.core, &world.process[1]), 0);
        cr_assert_not(gcl_pid_equal(first, local(1)));
        cr_assert_eq(gcl_core_find(&world.core, first), NULL);
    }
    end();
}

Test(names, what_no_node_is_called_is_none)
{
    begin();
    static char text[GCL_NODE_NAME_MAX_BYTES + 1];
    struct gcl_name *name;
    struct gcl_names *names = &world.core.names;
    memset(text, 'a', sizeof text);
    cr_assert_eq(gcl_names_intern(names, gcl_str_make(text, 0), 1, &name), GCL_ENAME);
    cr_assert_eq(gcl_names_intern(names, gcl_str_make(text, sizeof text), 1, &name), GCL_ENAME);
    cr_assert_eq(gcl_names_intern(names, gcl_str_make("a@host\0b", 8), 1, &name), GCL_ENAME);
    cr_assert_eq(gcl_names_intern(names, gcl_str_make("a@host\0", 7), 1, &name), GCL_ENAME);
    cr_assert_eq(gcl_names_intern(names, gcl_str_make(text, sizeof text - 1), 1, &name), 0);
    end();
}

Test(names, unheld_names_are_recycled_and_their_pids_go_stale)
{
    begin();
    struct gcl_name *name;
    char text[32];
    gcl_pid held = remote(1);
    cr_assert_eq(gcl_names_intern(&world.core.names, gcl_str_of("old@host"), 1, &name), 0);
    gcl_pid old = {name->index, name->generation, 1, 0};
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "n%d@host", i);
        cr_assert_eq(gcl_names_intern(&world.core.names, gcl_str_of(text), 1, &name), 0);
    }
    cr_assert_leq(world.core.names.count, 17);
    cr_assert_eq(gcl_names_get(&world.core.names, old.node, old.generation), NULL);
    cr_assert_eq(gcl_names_get(&world.core.names, held.node, held.generation), world.other);
    end();
}

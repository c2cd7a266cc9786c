/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lives of clusters, in a simulation: at the end everybody has to be in sync with everybody,
 * with the same names, and nothing locked. Single connections are lost only where nodes report it:
 * else partitions overlap, in which names need not be the same, by the protocol.
 *
 * The lives are the same ones each time; GCL_SEED in the environment gives others, GCL_LIFE the one
 * that a failure names. About one in 60,000 ends with names that differ: where connections are lost
 * between two messages of a join or a registration, what the protocol says of the lost node's names
 * is not enough.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "gns_schedule.h"
#include "gns_world.h"
#include "support.h"

enum { STEPS = 150, SETTLE_MS = 600000, FIRST_SEED = 1 };

/* What test/ct/global_schedule_SUITE.erl does with real nodes. */
enum { REAL_LIVES = 100, REAL_NODES = 7, REAL_STEPS = 24 };

static size_t answered, lost;

struct kind {
    int steps;
    bool reports;      /* its nodes report lost connections */
    bool begins_whole; /* with all nodes connected, and in sync */
    unsigned c_nodes;  /* see gns_world.h */
};

struct life {
    struct world *world;
    struct schedule schedule;
    const struct kind *kind;
};

/* Where nobody reports losses, partitions overlap until all have seen the split. */
static void see(struct life *life)
{
    if (!life->kind->reports)
        world_run(life->world, 2 * (uint64_t)life->schedule.delay_ms + 1);
}

static void act(struct life *life, const struct schedule_step *step)
{
    struct world *w = life->world;
    switch (step->kind) {
    case SCHEDULE_CONNECT:
        world_connect(w, step->node, step->other);
        break;
    case SCHEDULE_REGISTER:
        world_register(w, step->node, step->name);
        break;
    case SCHEDULE_UNREGISTER:
        world_unregister(w, step->node, step->name);
        break;
    case SCHEDULE_KILL_HOLDER:
        world_kill_holder(w, step->node, step->name);
        break;
    case SCHEDULE_SYNC:
        world_sync(w, step->node);
        break;
    case SCHEDULE_LOCK:
        world_set_lock(w, step->node, step->name);
        break;
    case SCHEDULE_KILL_LOCKERS:
        world_kill_lockers(w, step->node);
        break;
    case SCHEDULE_DISCONNECT:
        if (life->kind->reports)
            world_disconnect(w, step->node, step->other);
        break;
    case SCHEDULE_KILL:
        world_kill(w, step->node);
        see(life);
        break;
    case SCHEDULE_START:
        world_start(w, step->node);
        break;
    case SCHEDULE_SPLIT:
        world_split(w, step->sides);
        see(life);
        break;
    case SCHEDULE_HEAL:
        world_split(w, NULL);
        break;
    case SCHEDULE_KINDS:
        break;
    }
}

/* True when all that live were connected already. */
static bool connect_all(struct life *life)
{
    bool is_whole = true;
    for (size_t i = 0; i < life->schedule.nodes; i++)
        for (size_t j = 0; j < i; j++)
            if (world_is_reachable(life->world, i, j) && !world_is_connected(life->world, i, j)) {
                is_whole = false;
                world_connect(life->world, i, j);
            }
    return is_whole;
}

static struct world_verdict live(uint64_t seed, size_t nodes, const struct kind *kind)
{
    struct life life = {.kind = kind};
    struct world_options options = {
        .nodes = nodes, .reports_lost_connections = kind->reports, .c_nodes = kind->c_nodes};
    struct schedule_step step;
    schedule_begin(&life.schedule, seed, nodes);
    options.seed = life.schedule.world_seed;
    options.delay_ms = life.schedule.delay_ms;
    life.world = world_new(&options);
    while (kind->begins_whole && !connect_all(&life))
        (void)world_settle(life.world, SETTLE_MS);
    for (int i = 0; i < kind->steps; i++) {
        schedule_next(&life.schedule, &step);
        act(&life, &step);
        world_run(life.world, step.pause_ms);
    }
    world_split(life.world, NULL);
    for (size_t i = 0; i < nodes; i++)
        world_kill_lockers(life.world, i);
    struct world_verdict verdict = {.is_ok = false, .text = "never all connected"};
    for (int i = 0; i < 40; i++) {
        bool is_settled = world_settle(life.world, SETTLE_MS);
        bool is_whole = connect_all(&life);
        if (!is_settled) {
            verdict = (struct world_verdict){.is_ok = false, .text = "never at rest"};
            break;
        }
        if (is_whole) {
            verdict = world_judge(life.world);
            break;
        }
    }
    answered += world_answered(life.world);
    lost += world_lost(life.world);
    world_free(life.world);
    return verdict;
}

static void live_many(const char *what, size_t lives, size_t most_nodes, bool reports,
                      unsigned c_nodes)
{
    const struct kind kind = {.steps = STEPS, .reports = reports, .c_nodes = c_nodes};
    const char *one = getenv("GCL_LIFE");
    uint64_t seed = one != NULL                  ? strtoull(one, NULL, 0)
                    : getenv("GCL_SEED") != NULL ? gcl_test_seed()
                                                 : FIRST_SEED;
    for (size_t i = 0; i < lives; i++) {
        uint64_t own = one != NULL ? seed : gcl_test_random(&seed);
        uint64_t size_seed = own;
        size_t nodes = 2 + (size_t)(gcl_test_random(&size_seed) % (most_nodes - 1));
        struct world_verdict verdict = live(own, nodes, &kind);
        cr_assert(verdict.is_ok, "%s: GCL_LIFE=0x%llx with %zu nodes: %s", what,
                  (unsigned long long)own, nodes, verdict.text);
    }
    printf("%s: %zu requests answered, %zu names taken away\n", what, answered, lost);
    cr_assert_gt(answered, lives);
}

/* --- locks of programs ---------------------------------------------------------------------- */

static bool join_all(struct life *life)
{
    for (int i = 0; i < 40; i++)
        if (world_settle(life->world, SETTLE_MS) && connect_all(life))
            return true;
    return false;
}

static size_t draw(uint64_t *seed, size_t below)
{
    return (size_t)(gcl_test_random(seed) % below);
}

/* Nodes may die, but all that live are connected: a lock on all of them has one holder. */
static struct world_verdict lock_and_free(uint64_t seed)
{
    struct world_options options = {.nodes = 2 + draw(&seed, 6)};
    struct life life = {.schedule = {.nodes = options.nodes}};
    options.seed = gcl_test_random(&seed);
    options.delay_ms = 1u << draw(&seed, 8);
    life.world = world_new(&options);
    cr_assert(join_all(&life));
    for (int i = 0; i < STEPS; i++) {
        size_t node = draw(&seed, options.nodes);
        world_lock(life.world, node, (unsigned)draw(&seed, 3), (unsigned)draw(&seed, 8),
                   (unsigned)draw(&seed, 1500), draw(&seed, 4) == 0);
        world_run(life.world, draw(&seed, 3) == 0 ? 0 : draw(&seed, 700));
        if (draw(&seed, 40) == 0)
            world_kill(life.world, node);
    }
    struct world_verdict verdict = {.is_ok = false, .text = "never at rest"};
    if (world_settle(life.world, SETTLE_MS))
        verdict = world_judge(life.world);
    answered += world_locked(life.world);
    lost += world_refused(life.world);
    world_free(life.world);
    return verdict;
}

Test(gns, locks_have_one_holder_and_are_freed)
{
    uint64_t seed = getenv("GCL_SEED") != NULL ? gcl_test_seed() : FIRST_SEED;
    for (int i = 0; i < 300; i++) {
        uint64_t own = gcl_test_random(&seed);
        struct world_verdict verdict = lock_and_free(own);
        cr_assert(verdict.is_ok, "life 0x%llx: %s", (unsigned long long)own, verdict.text);
    }
    printf("locks: %zu got, %zu refused\n", answered, lost);
    cr_assert_gt(answered, 3000);
    cr_assert_gt(lost, 300);
}

Test(gns, small_clusters_are_in_sync_at_rest)
{
    live_many("small", 300, 8, false, 0);
}

Test(gns, small_clusters_that_report_lost_connections_are_in_sync_at_rest)
{
    live_many("reporting", 1600, 8, true, 0);
}

/* By default. */
Test(gns, small_clusters_of_c_nodes_are_in_sync_at_rest)
{
    live_many("C nodes", 1600, 8, true, 1);
}

Test(gns, small_clusters_of_beams_and_c_nodes_are_in_sync_at_rest)
{
    live_many("mixed", 1600, 8, true, 2);
}

Test(gns, clusters_of_up_to_fifty_nodes_are_in_sync_at_rest)
{
    live_many("large", 100, 50, true, 0);
}

/* The schedules 1 to 100, for real nodes to have been held to nothing that simulated ones are not.
 */
Test(gns, lives_of_real_nodes_are_in_sync_at_rest)
{
    const struct kind kind = {.steps = REAL_STEPS, .reports = true, .begins_whole = true};
    for (uint64_t seed = 1; seed <= REAL_LIVES; seed++) {
        struct world_verdict verdict = live(seed, REAL_NODES, &kind);
        cr_assert(verdict.is_ok, "schedule %llu: %s", (unsigned long long)seed, verdict.text);
    }
}

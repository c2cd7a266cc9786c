/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that stay connected to one that goes and comes back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { MIN_MS = 20, MAX_MS = 300 };

static struct world_node *a, *b;

static void wait_shortly(gcl_node_config *config)
{
    config->reconnect_min_ms = MIN_MS;
    config->reconnect_max_ms = MAX_MS;
}

static bool is_connected(void)
{
    return gcl_node_is_connected(a->node, b->name);
}

static bool is_lost(void)
{
    return !gcl_node_is_connected(a->node, b->name);
}

static void begin(void)
{
    world_begin();
    a = world_start(0, wait_shortly);
    b = world_start(1, wait_shortly);
    world_introduce(a, b);
    cr_assert_eq(gcl_node_stay_connected(a->node, b->name, true), 0);
    world_until(is_connected);
}

Test(reconnect, a_node_that_comes_back_is_connected_again)
{
    begin();
    for (int i = 0; i < 3; i++) {
        world_close(b);
        world_until(is_lost);
        b = world_start(1, wait_shortly);
        world_introduce(a, b);
        world_until(is_connected);
    }
    world_end();
}

Test(reconnect, disconnecting_does_not_end_it)
{
    begin();
    cr_assert_eq(gcl_node_disconnect(a->node, b->name), 0);
    cr_assert(is_lost());
    world_until(is_connected);
    world_end();
}

/* The waits that were logged; returns how many. */
static unsigned read_waits(unsigned *waits, unsigned most)
{
    unsigned count = 0;
    for (const char *at = world.log; count < most && (at = strstr(at, "again in ")) != NULL; at++)
        waits[count++] = (unsigned)strtoul(at + strlen("again in "), NULL, 10);
    return count;
}

static unsigned wanted;

static bool has_waited(void)
{
    return world_logged("again in ") >= wanted;
}

Test(reconnect, waits_grow_while_nobody_is_there_and_are_short_again_later)
{
    enum { WAITS = 8 };
    unsigned waits[WAITS];
    unsigned lower = MIN_MS;
    double sum = 0;
    begin();
    world_close(b);
    double begun_ms = world_now_ms();
    wanted = WAITS;
    world_until(has_waited);
    double took_ms = world_now_ms() - begun_ms;
    cr_assert_eq(read_waits(waits, WAITS), WAITS);
    for (int i = 0; i < WAITS; i++) {
        cr_assert(waits[i] >= lower && waits[i] <= 2 * lower, "%u", waits[i]);
        lower = 2 * lower < MAX_MS / 2 ? 2 * lower : MAX_MS / 2;
        sum += i < WAITS - 1 ? waits[i] : 0;
    }
    cr_assert_geq(took_ms, sum);
    b = world_start(1, wait_shortly);
    world_introduce(a, b);
    world_until(is_connected);
    world_live(2 * MAX_MS); /* longer than any wait */
    unsigned all[4 * WAITS];
    unsigned before = read_waits(all, 4 * WAITS);
    world_close(b);
    wanted = before + 1;
    world_until(has_waited);
    cr_assert_gt(read_waits(all, 4 * WAITS), before);
    cr_assert_leq(all[before], 2 * MIN_MS);
    world_end();
}

Test(reconnect, a_connection_that_the_other_one_makes_is_as_good)
{
    begin();
    world_close(b);
    wanted = 4;
    world_until(has_waited);
    b = world_start(1, wait_shortly);
    world_join(b, a);
    cr_assert(is_connected());
    unsigned waits = world_logged("again in ");
    world_live(2 * MAX_MS); /* longer than any wait */
    cr_assert_eq(world_logged("again in "), waits);
    cr_assert_eq(world_logged("node_up"), 4);
    world_end();
}

Test(reconnect, it_can_be_ended)
{
    begin();
    cr_assert_eq(gcl_node_stay_connected(a->node, b->name, false), 0);
    cr_assert_eq(gcl_node_stay_connected(a->node, "nobody@127.0.0.1", false), 0);
    cr_assert_eq(gcl_node_stay_connected(a->node, "nobody", true), GCL_ENAME);
    world_close(b);
    world_until(is_lost);
    cr_assert_eq(world_logged("again in "), 0);
    world_end();
}

Test(reconnect, a_node_may_close_while_it_waits)
{
    begin();
    world_close(b);
    wanted = 1;
    world_until(has_waited);
    world_end();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in an OS process that has no descriptor left, or too few for the watchdog. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"
#include "system.h"
#include "world.h"

enum { DIALLING = 4, PAUSE_MS = 1000 };

static struct world_node *a, *b;

static void watched(gcl_node_config *config)
{
    config->hidden = false;
    config->watchdog_ms = 5000;
}

static void unwatched(gcl_node_config *config)
{
    config->hidden = false;
    config->watchdog_ms = 0;
}

static struct raw raw;

static bool is_up(void)
{
    return raw.is_up;
}

/* Who waits to be accepted is accepted when there are files again, and nothing spins until then. */
Test(files, without_any_accepting_pauses)
{
    world_begin();
    a = world_start_found(0, unwatched);
    raw_init(&raw, "x");
    raw_dial(&raw, a);
    test_leave_files(0);
    world_await("accept_paused");
    world_live(100);
    cr_assert_eq(world_logged("accept_paused"), 1);
    test_leave_enough_files();
    world_until(is_up);
    cr_assert_eq(world_logged("accept_resumed"), 1);
    raw_close(&raw);
    world_end();
}

static int dialling[DIALLING];

static void dial_often(const struct world_node *node)
{
    struct gcl_address address;
    cr_assert(gcl_address_parse(world.address, gcl_node_port(node->node), &address));
    for (int i = 0; i < DIALLING; i++) {
        dialling[i] = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert_eq(connect(dialling[i], &address.socket.any, address.size), 0);
    }
}

static unsigned count_refused(void)
{
    char byte;
    unsigned count = 0;
    for (int i = 0; i < DIALLING; i++)
        count += recv(dialling[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    return count;
}

static bool is_first_refused(void)
{
    return count_refused() >= 1;
}

static bool is_third_refused(void)
{
    return count_refused() >= 3;
}

/* Of the two that an accepted socket needs there is one. */
Test(files, without_a_second_one_for_the_watchdog_accepting_pauses)
{
    world_begin();
    a = world_start_found(0, watched);
    b = world_start_found(1, unwatched);
    dial_often(a);
    test_leave_files(1);
    world_until(is_first_refused);
    double first_ms = world_now_ms();
    world_until(is_third_refused);
    cr_assert_geq(world_now_ms() - first_ms, 2 * PAUSE_MS - 100);
    cr_assert_eq(count_refused(), 3);
    cr_assert_eq(world_logged("accept_paused"), 1);
    cr_assert_eq(world_logged("cannot accept connections: Too many open files"), 1);
    cr_assert_eq(world_logged("accept_resumed"), 0);
    test_leave_enough_files();
    world_await("accept_resumed");
    cr_assert_eq(count_refused(), 3);
    world_join(b, a);
    cr_assert_eq(world_logged("accept_resumed"), 1);
    for (int i = 0; i < DIALLING; i++)
        cr_assert_eq(close(dialling[i]), 0);
    world_end();
}

/* The loop could stand still with a connection that nobody can close. */
Test(files, without_a_second_one_for_the_watchdog_nobody_is_dialled)
{
    world_begin();
    a = world_start_found(0, watched);
    b = world_start_found(1, unwatched);
    world_introduce(a, b);
    test_leave_files(1);
    cr_assert_eq(world_try(a, b->name), GCL_ENOCONNECTION);
    test_leave_enough_files();
    world_join(b, a);
    world_end();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* When a loop counts as stalled: the thread of the watchdog looks, at times of the test. */
#include <criterion/criterion.h>

#include "node/watchdog.h"

enum { LIMIT_MS = 1000, BEGIN_MS = 5000 };

static struct gcl_stall stall;

static void begin(void)
{
    gcl_stall_init(&stall, LIMIT_MS, BEGIN_MS);
}

/* It looks at a time when it wanted to. */
static bool looks(uint64_t busy_since_ms)
{
    uint64_t now_ms = stall.wake_ms;
    return gcl_stall_check(&stall, busy_since_ms, now_ms);
}

Test(watchdog, a_turn_is_too_long_when_it_reaches_the_limit)
{
    begin();
    cr_assert_not(looks(BEGIN_MS));
    cr_assert_eq(stall.wake_ms, BEGIN_MS + LIMIT_MS);
    cr_assert_not(gcl_stall_check(&stall, BEGIN_MS, BEGIN_MS + LIMIT_MS - 1));
    cr_assert(looks(BEGIN_MS));
}

Test(watchdog, a_loop_that_waits_for_events_is_looked_at_once_per_limit)
{
    begin();
    for (unsigned i = 1; i < 1000; i++) {
        cr_assert_not(looks(0));
        cr_assert_eq(stall.wake_ms, BEGIN_MS + i * LIMIT_MS);
    }
}

/* However many turns there were: none of them was long. */
Test(watchdog, a_loop_that_turns_is_looked_at_once_per_limit)
{
    begin();
    for (unsigned i = 1; i < 1000; i++) {
        uint64_t now_ms = stall.wake_ms;
        cr_assert_not(looks(now_ms - 3));
        cr_assert_leq(stall.wake_ms - now_ms, LIMIT_MS);
        cr_assert_geq(stall.wake_ms - now_ms, LIMIT_MS - 3);
    }
}

/* The turn begins right after it has looked, in the middle, right before it looks again. */
Test(watchdog, a_stall_is_seen_when_the_limit_is_reached_whenever_it_begins)
{
    for (uint64_t after_ms = 0; after_ms <= LIMIT_MS; after_ms++) {
        begin();
        cr_assert_not(looks(0));
        uint64_t since_ms = BEGIN_MS + after_ms;
        if (after_ms > 0)
            cr_assert_not(looks(since_ms));
        cr_assert_eq(stall.wake_ms, since_ms + LIMIT_MS);
        cr_assert(looks(since_ms));
    }
}

Test(watchdog, a_loop_that_says_so_a_little_later_than_now_is_no_stall)
{
    begin();
    cr_assert_not(gcl_stall_check(&stall, BEGIN_MS + 5, BEGIN_MS));
    cr_assert_eq(stall.wake_ms, BEGIN_MS + 5 + LIMIT_MS);
}

/* Stopped by SIGSTOP, a debugger or a frozen container, in the middle of a turn: when all goes on,
 * the loop has all of its time again. */
Test(watchdog, time_in_which_the_process_stood_still_does_not_count)
{
    enum { STOPPED_MS = 60000 };
    begin();
    cr_assert_not(looks(BEGIN_MS));
    uint64_t continued_ms = stall.wake_ms + STOPPED_MS;
    cr_assert_not(gcl_stall_check(&stall, BEGIN_MS, continued_ms));
    cr_assert_eq(stall.wake_ms, continued_ms + LIMIT_MS);
    cr_assert_not(gcl_stall_check(&stall, BEGIN_MS, continued_ms + LIMIT_MS - 1));
    cr_assert(gcl_stall_check(&stall, BEGIN_MS, continued_ms + LIMIT_MS));
}

/* A thread may get the processor a little late. */
Test(watchdog, a_thread_that_is_late_by_less_than_half_of_the_limit_was_awake)
{
    begin();
    cr_assert_not(looks(BEGIN_MS));
    cr_assert(gcl_stall_check(&stall, BEGIN_MS, stall.wake_ms + LIMIT_MS / 2));
}

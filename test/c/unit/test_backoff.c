/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include <criterion/criterion.h>

#include "support.h"

static uint32_t shortest(struct gcl_backoff *backoff)
{
    return gcl_backoff_next(backoff, 0);
}

static uint32_t longest(struct gcl_backoff *backoff)
{
    return gcl_backoff_next(backoff, UINT32_MAX);
}

Test(backoff, waits_double_up_to_the_bound)
{
    struct gcl_backoff backoff;
    gcl_backoff_init(&backoff, 500, 30000);
    static const uint32_t lower[] = {500, 1000, 2000, 4000, 8000, 15000, 15000, 15000};
    static const uint32_t upper[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    for (size_t i = 0; i < sizeof lower / sizeof *lower; i++)
        cr_assert_eq(shortest(&backoff), lower[i], "%zu", i);
    gcl_backoff_reset(&backoff);
    for (size_t i = 0; i < sizeof upper / sizeof *upper; i++)
        cr_assert_eq(longest(&backoff), upper[i], "%zu", i);
}

Test(backoff, after_a_reset_it_begins_anew)
{
    struct gcl_backoff backoff;
    gcl_backoff_init(&backoff, 10, 1000);
    for (int i = 0; i < 5; i++)
        (void)longest(&backoff);
    gcl_backoff_reset(&backoff);
    cr_assert_eq(longest(&backoff), 20);
}

Test(backoff, bounds_hold_however_close_or_far_they_are)
{
    static const uint32_t bounds[][2] = {{1, 1},     {1, 2},          {3, 4},
                                         {100, 100}, {1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct gcl_backoff backoff;
        gcl_backoff_init(&backoff, bounds[i][0], bounds[i][1]);
        for (int n = 0; n < 80; n++) {
            uint32_t wait = n % 2 == 0 ? shortest(&backoff) : longest(&backoff);
            cr_assert(wait >= bounds[i][0] && wait <= bounds[i][1], "%u of %u to %u", wait,
                      bounds[i][0], bounds[i][1]);
        }
    }
}

/* Of waits between 1000 and 2000 hardly two are the same, and each half gets its share. */
Test(backoff, jitter_spreads_over_the_whole_range)
{
    enum { ROUNDS = 1000 };
    uint64_t random = gcl_test_seed();
    unsigned low = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct gcl_backoff backoff;
        gcl_backoff_init(&backoff, 1000, 60000);
        uint32_t wait = gcl_backoff_next(&backoff, (uint32_t)gcl_test_random(&random));
        cr_assert(wait >= 1000 && wait <= 2000);
        low += wait < 1500;
    }
    cr_assert(low > ROUNDS / 3 && low < 2 * ROUNDS / 3, "%u", low);
}

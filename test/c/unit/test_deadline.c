/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/deadline.h"
#include "support.h"

enum { COUNT = 200 };

struct timer {
    struct gcl_deadline deadline;
    struct gcl_deadlines *deadlines;
    uint64_t *last_ms;
    unsigned fired;
};

static void expired(struct gcl_deadline *deadline)
{
    struct timer *timer = GCL_CONTAINER_OF(deadline, struct timer, deadline);
    cr_assert_leq(*timer->last_ms, deadline->at_ms);
    *timer->last_ms = deadline->at_ms;
    timer->fired++;
}

Test(deadline, fire_in_order_after_sets_moves_and_cancels)
{
    struct gcl_deadlines deadlines;
    static struct timer timers[COUNT];
    unsigned state = 7;
    uint64_t last_ms = 0;
    gcl_deadlines_init(&deadlines, gcl_allocator_default());
    for (int i = 0; i < COUNT; i++) {
        timers[i].deadlines = &deadlines;
        timers[i].last_ms = &last_ms;
        gcl_deadline_init(&timers[i].deadline, expired);
    }
    for (int i = 0; i < 5000; i++) {
        struct timer *timer = &timers[rand_r(&state) % COUNT];
        if (rand_r(&state) % 3 == 0)
            gcl_deadlines_cancel(&deadlines, &timer->deadline);
        else
            cr_assert_eq(
                gcl_deadlines_set(&deadlines, &timer->deadline, (uint64_t)(rand_r(&state) % 1000)),
                0);
    }
    unsigned set = 0, fired = 0;
    for (int i = 0; i < COUNT; i++)
        set += gcl_deadline_is_set(&timers[i].deadline);
    cr_assert(gcl_deadlines_run(&deadlines, 1000, 1));
    cr_assert_not(gcl_deadlines_run(&deadlines, 1000, COUNT));
    for (int i = 0; i < COUNT; i++)
        fired += timers[i].fired;
    cr_assert_eq(fired, set);
    cr_assert_eq(gcl_deadlines_next(&deadlines), GCL_NEVER);
    gcl_deadlines_fini(&deadlines);
}

static void again(struct gcl_deadline *deadline)
{
    struct timer *timer = GCL_CONTAINER_OF(deadline, struct timer, deadline);
    if (++timer->fired < 3)
        cr_assert_eq(gcl_deadlines_set(timer->deadlines, deadline, deadline->at_ms + 1), 0);
}

Test(deadline, may_set_itself_when_it_expires)
{
    struct gcl_deadlines deadlines;
    struct timer timer = {.deadlines = &deadlines};
    gcl_deadlines_init(&deadlines, gcl_allocator_default());
    gcl_deadline_init(&timer.deadline, again);
    cr_assert_eq(gcl_deadlines_set(&deadlines, &timer.deadline, 5), 0);
    cr_assert_not(gcl_deadlines_run(&deadlines, 4, 10));
    cr_assert_eq(timer.fired, 0);
    cr_assert_not(gcl_deadlines_run(&deadlines, 10, 10));
    cr_assert_eq(timer.fired, 3);
    gcl_deadlines_fini(&deadlines);
}

Test(deadline, cannot_fail_for_want_of_memory_when_room_is_reserved)
{
    gcl_test_memory mem;
    struct gcl_deadlines deadlines;
    static struct gcl_deadline all[COUNT];
    gcl_deadlines_init(&deadlines, gcl_test_begin(&mem));
    cr_assert_eq(gcl_deadlines_reserve(&deadlines, COUNT), 0);
    gcl_test_fail_at(&mem, 1);
    for (int i = 0; i < COUNT; i++) {
        gcl_deadline_init(&all[i], NULL);
        cr_assert_eq(gcl_deadlines_set(&deadlines, &all[i], (uint64_t)i), 0);
    }
    cr_assert_eq(gcl_deadlines_reserve(&deadlines, 10 * COUNT), GCL_ENOMEM);
    gcl_deadlines_fini(&deadlines);
    gcl_test_end(&mem);
}

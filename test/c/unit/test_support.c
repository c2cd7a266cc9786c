/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "support.h"

Test(support, counts_live_blocks_and_bytes)
{
    gcl_test_memory mem;
    const gcl_allocator *a = gcl_test_begin(&mem);

    char *block = a->alloc(a->user, 10);
    block = a->resize(a->user, block, 30);
    cr_assert(mem.live == 1 && mem.live_bytes == 30 && mem.total == 2);
    a->free(a->user, block);
    a->free(a->user, NULL);
    cr_assert(mem.live == 0 && mem.live_bytes == 0 && mem.peak_bytes == 30);
    gcl_test_end(&mem);
}

Test(support, fails_from_the_nth_attempt_on)
{
    gcl_test_memory mem;
    const gcl_allocator *a = gcl_test_begin(&mem);

    gcl_test_fail_at(&mem, 2);
    char *block = a->alloc(a->user, 1);
    cr_assert_not_null(block);
    cr_assert_null(a->resize(a->user, block, 2), "the second attempt fails");
    cr_assert_null(a->alloc(a->user, 1), "and so does the third");
    gcl_test_fail_at(&mem, 0);
    block = a->resize(a->user, block, 2);
    cr_assert_not_null(block);
    a->free(a->user, block);
    gcl_test_end(&mem);
}

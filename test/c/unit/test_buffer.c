/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cursor.h"

Test(buffer, is_a_queue_of_bytes)
{
    struct gcl_buffer buffer;
    uint8_t next_in = 0, next_out = 0;
    gcl_buffer_init(&buffer, gcl_allocator_default(), 0);
    for (size_t round = 1; round < 300; round++) {
        for (size_t i = 0; i < round; i++)
            cr_assert_eq(gcl_buffer_append_u8(&buffer, next_in++), 0);
        for (size_t i = 0; i < round - 1; i++) {
            cr_assert_eq(*gcl_buffer_bytes(&buffer), next_out++);
            gcl_buffer_take(&buffer, 1);
        }
    }
    cr_assert_eq(gcl_buffer_size(&buffer), 299);
    cr_assert_leq(buffer.capacity, 2048);
    gcl_buffer_fini(&buffer);
}

Test(buffer, a_limit_refuses_the_whole_piece)
{
    struct gcl_buffer buffer;
    gcl_buffer_init(&buffer, gcl_allocator_default(), 4);
    cr_assert_eq(gcl_buffer_append(&buffer, "abc", 3), 0);
    cr_assert_eq(gcl_buffer_append(&buffer, "de", 2), GCL_ELIMIT);
    cr_assert_eq(gcl_buffer_size(&buffer), 3);
    cr_assert_eq(gcl_buffer_append(&buffer, "d", 1), 0);
    gcl_buffer_take(&buffer, 2);
    cr_assert_eq(gcl_buffer_append(&buffer, "ef", 2), 0);
    cr_assert_eq(memcmp(gcl_buffer_bytes(&buffer), "cdef", 4), 0);
    gcl_buffer_fini(&buffer);
}

Test(buffer, rollback_leaves_no_byte)
{
    struct gcl_buffer buffer;
    gcl_buffer_init(&buffer, gcl_allocator_default(), 0);
    cr_assert_eq(gcl_buffer_append_u32(&buffer, 7), 0);
    size_t mark = gcl_buffer_mark(&buffer);
    cr_assert_eq(gcl_buffer_append_u64(&buffer, 8), 0);
    gcl_buffer_rollback(&buffer, mark);
    cr_assert_eq(gcl_buffer_size(&buffer), 4);
    gcl_buffer_patch_u32(&buffer, 0, 0x01020304);
    cr_assert_eq(memcmp(gcl_buffer_bytes(&buffer), "\1\2\3\4", 4), 0);
    gcl_buffer_fini(&buffer);
}

Test(buffer, cursor_reads_nothing_past_the_end)
{
    const uint8_t bytes[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t size = 0; size < sizeof bytes; size++) {
        struct gcl_cursor cursor = gcl_cursor_make(bytes, size);
        uint8_t u8 = 0;
        uint16_t u16 = 0;
        uint32_t u32 = 0;
        uint64_t u64 = 0;
        bool all = gcl_cursor_u8(&cursor, &u8) && gcl_cursor_u16(&cursor, &u16) &&
                   gcl_cursor_u32(&cursor, &u32) && gcl_cursor_u64(&cursor, &u64);
        cr_assert_not(all);
        cr_assert_leq(cursor.at, cursor.end);
    }
    struct gcl_cursor cursor = gcl_cursor_make(bytes, sizeof bytes);
    uint64_t value;
    cr_assert(gcl_cursor_u64(&cursor, &value));
    cr_assert_eq(value, 0x0102030405060708U);
}

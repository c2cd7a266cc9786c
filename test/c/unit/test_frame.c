/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "support.h"
#include "wire/frame.h"

static void frame(struct gcl_buffer *buffer, const void *body, size_t size)
{
    size_t mark;
    cr_assert_eq(gcl_frame_begin(buffer, &mark), 0);
    cr_assert_eq(gcl_buffer_append(buffer, body, size), 0);
    cr_assert_eq(gcl_frame_end(buffer, mark, 1000), 0);
}

Test(frame, ticks_and_bodies_come_in_order)
{
    gcl_test_memory mem;
    struct gcl_buffer buffer;
    struct gcl_frame cut;
    gcl_buffer_init(&buffer, gcl_test_begin(&mem), 0);
    frame(&buffer, "abc", 3);
    cr_assert_eq(gcl_frame_append_tick(&buffer), 0);
    frame(&buffer, "d", 1);
    cr_assert_eq(memcmp(gcl_buffer_bytes(&buffer), "\0\0\0\3abc\0\0\0\0\0\0\0\1d", 16), 0);

    cr_assert_eq(gcl_frame_cut(&buffer, 3, &cut), 0);
    cr_assert_eq(cut.kind, GCL_FRAME_BODY);
    cr_assert(gcl_str_is(cut.body, "abc"));
    cr_assert_eq(cut.body.bytes, gcl_buffer_bytes(&buffer) + 4, "a body was copied");
    gcl_buffer_take(&buffer, cut.size);
    cr_assert_eq(gcl_frame_cut(&buffer, 3, &cut), 0);
    cr_assert_eq(cut.kind, GCL_FRAME_TICK);
    gcl_buffer_take(&buffer, cut.size);
    cr_assert_eq(gcl_frame_cut(&buffer, 3, &cut), 0);
    cr_assert(gcl_str_is(cut.body, "d"));
    gcl_buffer_take(&buffer, cut.size);
    cr_assert_eq(gcl_frame_cut(&buffer, 3, &cut), 0);
    cr_assert_eq(cut.kind, GCL_FRAME_MORE);
    cr_assert_eq(cut.missing, 4);
    gcl_buffer_fini(&buffer);
    gcl_test_end(&mem);
}

Test(frame, every_truncation_says_what_is_missing)
{
    const uint8_t bytes[] = {0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    for (size_t size = 0; size < sizeof bytes; size++) {
        gcl_test_memory mem;
        struct gcl_buffer buffer;
        struct gcl_frame cut;
        gcl_buffer_init(&buffer, gcl_test_begin(&mem), 0);
        cr_assert_eq(gcl_buffer_append(&buffer, bytes, size), 0);
        cr_assert_eq(gcl_frame_cut(&buffer, 5, &cut), 0);
        cr_assert_eq(cut.kind, GCL_FRAME_MORE);
        cr_assert_eq(cut.missing, size < 4 ? 4 - size : sizeof bytes - size);
        gcl_buffer_fini(&buffer);
        gcl_test_end(&mem);
    }
}

Test(frame, more_than_the_maximum_is_refused_before_it_comes)
{
    gcl_test_memory mem;
    struct gcl_buffer buffer;
    struct gcl_frame cut;
    gcl_buffer_init(&buffer, gcl_test_begin(&mem), 0);
    cr_assert_eq(gcl_buffer_append_u32(&buffer, 100), 0);
    cr_assert_eq(gcl_frame_cut(&buffer, 100, &cut), 0);
    cr_assert_eq(cut.missing, 100);
    cr_assert_eq(gcl_frame_cut(&buffer, 99, &cut), GCL_ELIMIT);
    gcl_buffer_clear(&buffer);
    cr_assert_eq(gcl_buffer_append_u32(&buffer, UINT32_MAX), 0);
    cr_assert_eq(gcl_frame_cut(&buffer, 1 << 30, &cut), GCL_ELIMIT);
    cr_assert_eq(gcl_frame_cut(&buffer, UINT32_MAX, &cut), 0);
    cr_assert_eq(cut.missing, UINT32_MAX);
    gcl_buffer_fini(&buffer);
    gcl_test_end(&mem);
}

Test(frame, too_long_to_send_leaves_no_byte)
{
    gcl_test_memory mem;
    struct gcl_buffer buffer;
    size_t mark;
    gcl_buffer_init(&buffer, gcl_test_begin(&mem), 0);
    frame(&buffer, "abc", 3);
    cr_assert_eq(gcl_frame_begin(&buffer, &mark), 0);
    cr_assert_eq(gcl_buffer_append(&buffer, "abcd", 4), 0);
    cr_assert_eq(gcl_frame_end(&buffer, mark, 3), GCL_ELIMIT);
    cr_assert_eq(gcl_buffer_size(&buffer), 7);
    gcl_buffer_fini(&buffer);
    gcl_test_end(&mem);
}

Test(frame, random_streams_come_out_as_they_went_in_at_any_split)
{
    uint64_t seed = gcl_test_seed();
    for (int round = 0; round < 200; round++) {
        gcl_test_memory mem;
        struct gcl_buffer stream, in;
        struct gcl_frame cut;
        const gcl_allocator *allocator = gcl_test_begin(&mem);
        size_t sizes[20], next = 0;
        gcl_buffer_init(&stream, allocator, 0);
        gcl_buffer_init(&in, allocator, 0);
        for (size_t i = 0; i < 20; i++) {
            uint8_t body[300];
            sizes[i] = gcl_test_random(&seed) % 3 == 0 ? 0 : gcl_test_random(&seed) % sizeof body;
            memset(body, (int)i, sizeof body);
            frame(&stream, body, sizes[i]);
        }
        while (gcl_buffer_size(&stream) > 0) {
            size_t left = gcl_buffer_size(&stream), piece = 1 + gcl_test_random(&seed) % 400;
            piece = piece < left ? piece : left;
            cr_assert_eq(gcl_buffer_append(&in, gcl_buffer_bytes(&stream), piece), 0);
            gcl_buffer_take(&stream, piece);
            for (;;) {
                cr_assert_eq(gcl_frame_cut(&in, 300, &cut), 0);
                if (cut.kind == GCL_FRAME_MORE)
                    break;
                cr_assert_eq(cut.kind == GCL_FRAME_TICK, sizes[next] == 0);
                cr_assert_eq(cut.body.size, sizes[next]);
                for (size_t i = 0; i < cut.body.size; i++)
                    cr_assert_eq(cut.body.bytes[i], next);
                next++;
                gcl_buffer_take(&in, cut.size);
            }
        }
        cr_assert_eq(next, 20);
        gcl_buffer_fini(&stream);
        gcl_buffer_fini(&in);
        gcl_test_end(&mem);
    }
}

Test(frame, without_memory_nothing_is_added)
{
    gcl_test_memory mem;
    struct gcl_buffer buffer;
    size_t mark;
    gcl_buffer_init(&buffer, gcl_test_begin(&mem), 0);
    gcl_test_fail_at(&mem, 1);
    cr_assert_eq(gcl_frame_append_tick(&buffer), GCL_ENOMEM);
    cr_assert_eq(gcl_frame_begin(&buffer, &mark), GCL_ENOMEM);
    cr_assert_eq(gcl_buffer_size(&buffer), 0);
    gcl_buffer_fini(&buffer);
    gcl_test_end(&mem);
}

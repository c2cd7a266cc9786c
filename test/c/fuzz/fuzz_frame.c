/* SPDX-License-Identifier: Apache-2.0 */
/* The stream behind the handshake, cut into frames, in pieces whose sizes the input says. */
#include <assert.h>
#include <stdint.h>

#include "wire/frame.h"

enum { MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is decoded is looked at, so that a view behind the end is seen. */
static void touch(struct gcl_str str)
{
    for (size_t i = 0; i < str.size; i++)
        (void)*(const volatile uint8_t *)(str.bytes + i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gcl_buffer in;
    struct gcl_frame frame;
    size_t at = 1, piece = size > 0 ? 1 + (size_t)data[0] : 1;
    gcl_buffer_init(&in, gcl_allocator_default(), 0);
    while (at < size) {
        size_t count = piece < size - at ? piece : size - at;
        int error = gcl_buffer_append(&in, data + at, count);
        assert(error == 0);
        at += count;
        while ((error = gcl_frame_cut(&in, MAX_BYTES, &frame)) == 0 &&
               frame.kind != GCL_FRAME_MORE) {
            assert((frame.kind == GCL_FRAME_TICK) == (frame.body.size == 0));
            assert(frame.size <= gcl_buffer_size(&in));
            touch(frame.body);
            gcl_buffer_take(&in, frame.size);
        }
        if (error != 0)
            break;
        assert(frame.missing > 0);
    }
    gcl_buffer_fini(&in);
    return 0;
}

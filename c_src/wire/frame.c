/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <gen_cluster/error.h>

#include "base/cursor.h"

int gcl_frame_cut(const struct gcl_buffer *in, size_t max_bytes, struct gcl_frame *frame)
{
    struct gcl_cursor cursor = {0};
    uint32_t length;
    size_t held = gcl_buffer_size(in);
    if (held > 0)
        cursor = gcl_cursor_make(gcl_buffer_bytes(in), held);
    frame->kind = GCL_FRAME_MORE;
    if (!gcl_cursor_u32(&cursor, &length)) {
        frame->missing = GCL_FRAME_HEADER_BYTES - held;
        return 0;
    }
    if (length > max_bytes)
        return GCL_ELIMIT;
    if (!gcl_cursor_bytes(&cursor, length, &frame->body)) {
        frame->missing = length - gcl_cursor_left(&cursor);
        return 0;
    }
    frame->kind = length == 0 ? GCL_FRAME_TICK : GCL_FRAME_BODY;
    frame->size = GCL_FRAME_HEADER_BYTES + (size_t)length;
    return 0;
}

int gcl_frame_append_tick(struct gcl_buffer *out)
{
    return gcl_buffer_append_u32(out, 0);
}

int gcl_frame_begin(struct gcl_buffer *out, size_t *mark)
{
    *mark = gcl_buffer_mark(out);
    return gcl_buffer_append_u32(out, 0);
}

int gcl_frame_end(struct gcl_buffer *out, size_t mark, size_t max_bytes)
{
    size_t length = gcl_buffer_mark(out) - mark - GCL_FRAME_HEADER_BYTES;
    if (length > max_bytes || length > UINT32_MAX) {
        gcl_buffer_rollback(out, mark);
        return GCL_ELIMIT;
    }
    gcl_buffer_patch_u32(out, mark, (uint32_t)length);
    return 0;
}

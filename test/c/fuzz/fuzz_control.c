/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a frame. What is taken is written again, in a form that must be taken, too. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "wire/control.h"
#include "wire/flags.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_meaning(const struct gcl_control *a, const struct gcl_control *b)
{
    return a->op == b->op && a->target == b->target && a->has_from == b->has_from &&
           (!a->has_from || (a->from.id == b->from.id && a->from.serial == b->from.serial &&
                             gcl_str_equal(a->from.node, b->from.node))) &&
           (a->target != GCL_CONTROL_TO_NAME || gcl_str_equal(a->name, b->name)) &&
           (a->op != GCL_CONTROL_SEND || gcl_str_equal(a->term, b->term));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gcl_control control, again;
    struct gcl_control_scratch scratch, scratch_again;
    struct gcl_frame frame;
    struct gcl_buffer out;
    const char *wrong = NULL;
    if (gcl_control_decode(gcl_str_make(data, size), &control, &scratch, &wrong) != 0) {
        assert(wrong != NULL && wrong[0] != '\0');
        return 0;
    }
    gcl_buffer_init(&out, gcl_allocator_default(), 0);
    int error = gcl_control_encode(&out, GCL_FLAGS_RECOMMENDED, &control);
    /* Only ALTACT_SIG has these, and we do not send it; or an UNLINK of before unlink ids. */
    if (error == GCL_EINVAL) {
        assert((control.op == GCL_CONTROL_EXIT2 && control.target != GCL_CONTROL_TO_PID) ||
               (control.op == GCL_CONTROL_UNLINK && control.unlink_id == 0));
    } else {
        assert(error == 0);
        error = gcl_frame_cut(&out, SIZE_MAX, &frame);
        assert(error == 0 && frame.kind == GCL_FRAME_BODY);
        error = gcl_control_decode(frame.body, &again, &scratch_again, &wrong);
        assert(error == 0);
        assert(same_meaning(&control, &again));
    }
    gcl_buffer_fini(&out);
    return 0;
}

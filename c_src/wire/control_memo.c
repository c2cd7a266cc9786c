/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/control_memo.h"

/* The same text in the copy of the head. */
static void move(struct gcl_str *str, const struct gcl_control_memo *memo, struct gcl_str body)
{
    str->bytes = memo->head + (str->bytes - body.bytes);
}

/* A text that was converted stands elsewhere. */
static bool is_inside(struct gcl_str str, struct gcl_str body)
{
    uintptr_t at = (uintptr_t)str.bytes, start = (uintptr_t)body.bytes;
    return at >= start && at <= start + body.size;
}

void gcl_control_remember(struct gcl_control_memo *memo, struct gcl_str body,
                          const struct gcl_control *control)
{
    if (control->op != GCL_CONTROL_SEND || control->has_token)
        return;
    size_t size = (size_t)(control->term.bytes - body.bytes);
    if (size > sizeof memo->head ||
        (control->target == GCL_CONTROL_TO_NAME && !is_inside(control->name, body)))
        return;
    memcpy(memo->head, body.bytes, size);
    memo->size = size;
    memo->control = *control;
    if (control->has_from)
        move(&memo->control.from.node, memo, body);
    switch (control->target) {
    case GCL_CONTROL_TO_PID:
        move(&memo->control.to.node, memo, body);
        break;
    case GCL_CONTROL_TO_NAME:
        move(&memo->control.name, memo, body);
        break;
    case GCL_CONTROL_TO_ALIAS:
        move(&memo->control.ref.node, memo, body);
        break;
    }
}

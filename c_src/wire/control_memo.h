/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The control tuple that came last, for a peer that sends many messages from one process to one
 * other: a tuple that is the same byte for byte needs not be decoded again, and what the caller
 * made of it (which process it is) still holds. One for each connection.
 *
 *     control = gcl_control_recall(&memo, body);
 *     if (control == NULL) {
 *         error = gcl_control_decode(body, &decoded, &scratch, &wrong);
 *         if (error == 0)
 *             gcl_control_remember(&memo, body, &decoded);
 *         control = &decoded;
 *     }
 */
#ifndef GCL_WIRE_CONTROL_MEMO_H
#define GCL_WIRE_CONTROL_MEMO_H

#include <string.h>

#include "wire/control.h"

enum { GCL_CONTROL_MEMO_BYTES = 192 };

struct gcl_control_memo {
    size_t size; /* of `head`; 0: nothing is remembered */
    struct gcl_control control;
    uint8_t head[GCL_CONTROL_MEMO_BYTES]; /* all that stands before the term */
};

static inline void gcl_control_memo_init(struct gcl_control_memo *memo)
{
    memo->size = 0;
}

/**
 * The message in `body` when its tuple is the one remembered, else NULL: as gcl_control_decode()
 * would give it. It is valid until the next call with this memo; its `term` borrows `body`.
 */
static inline const struct gcl_control *gcl_control_recall(struct gcl_control_memo *memo,
                                                           struct gcl_str body)
{
    if (memo->size == 0 || body.size <= memo->size ||
        memcmp(memo->head, body.bytes, memo->size) != 0)
        return NULL;
    memo->control.term = gcl_str_make(body.bytes + memo->size, body.size - memo->size);
    return &memo->control;
}

/**
 * Remembers what gcl_control_decode() made of `body`, if it is a SEND without a token whose tuple
 * is not too long; else does nothing. Nothing is borrowed.
 */
void gcl_control_remember(struct gcl_control_memo *memo, struct gcl_str body,
                          const struct gcl_control *control);

#endif

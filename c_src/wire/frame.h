/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Frames: how messages are cut out of the stream once the handshake is done. Four bytes of length
 * and a body; a body without bytes is a tick.
 *
 * Reading: after each read cut frames until GCL_FRAME_MORE comes; then make room for `missing`
 * bytes at least and read again. A body is a view into the buffer, nothing is copied.
 *
 * spec: erl_dist_protocol, "Protocol between Connected Nodes"
 */
#ifndef GCL_WIRE_FRAME_H
#define GCL_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/str.h"

enum { GCL_FRAME_HEADER_BYTES = 4 };

enum gcl_frame_kind {
    GCL_FRAME_MORE, /* `missing` bytes at least have to be read before there is another frame */
    GCL_FRAME_TICK,
    GCL_FRAME_BODY,
};

struct gcl_frame {
    enum gcl_frame_kind kind;
    struct gcl_str body; /* of BODY: borrows the buffer's bytes until it is changed */
    size_t size;         /* of TICK and BODY: header and body; to be taken when it was handled */
    size_t missing;      /* of MORE; at least 1 */
};

/**
 * Looks at the front of `in`. Takes nothing: when a frame was handled, the caller does
 * gcl_buffer_take(in, frame->size). 0, or GCL_ELIMIT when the body is longer than `max_bytes`:
 * then the connection must be closed; the rest of the stream has no meaning.
 */
int gcl_frame_cut(const struct gcl_buffer *in, size_t max_bytes,
                  struct gcl_frame *frame) GCL_MUST_USE;

/** Appends a tick. 0, GCL_ELIMIT or GCL_ENOMEM. */
int gcl_frame_append_tick(struct gcl_buffer *out) GCL_MUST_USE;

/**
 * Begins a frame whose body the caller appends: `*mark` is for gcl_frame_end(), or for
 * gcl_buffer_rollback() if a piece of the body did not fit. Nothing may be taken from `out`
 * between. 0, GCL_ELIMIT or GCL_ENOMEM; on error nothing was added.
 */
int gcl_frame_begin(struct gcl_buffer *out, size_t *mark) GCL_MUST_USE;

/**
 * Ends the frame: writes the length of what was appended since. 0, or GCL_ELIMIT when it is longer
 * than `max_bytes` (or than a frame can be): then the frame was removed.
 */
int gcl_frame_end(struct gcl_buffer *out, size_t mark, size_t max_bytes) GCL_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Terms as keys of tables: bytes that are the same exactly when the terms are `=:=`, however they
 * were written. Only for comparing and hashing: what is sent is the term as it came.
 */
#ifndef GCL_WIRE_TERM_KEY_H
#define GCL_WIRE_TERM_KEY_H

#include "base/buffer.h"
#include "base/cursor.h"

enum { GCL_TERM_KEY_DEPTH_MAX = 64 };

/**
 * Appends the key of the term at the cursor, which is moved behind it. 0; GCL_ETERM: it is
 * malformed, or a map that has a key twice; GCL_ELIMIT: it is nested deeper than
 * GCL_TERM_KEY_DEPTH_MAX, or the buffer is full; GCL_ENOMEM. On error nothing was added, and the
 * cursor is anywhere.
 */
int gcl_term_key(struct gcl_buffer *out, struct gcl_cursor *cursor) GCL_MUST_USE;

#endif

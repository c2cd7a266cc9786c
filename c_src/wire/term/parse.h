/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Text to bytes: terms, and the patterns of gcl_match() and gcl_write(). What a pattern leaves open
 * is a hole: one byte that is no tag, in the place of a term.
 */
#ifndef GCL_WIRE_TERM_PARSE_H
#define GCL_WIRE_TERM_PARSE_H

#include <gen_cluster/term.h>

#include "base/buffer.h"
#include "base/str.h"

enum gcl_hole {
    GCL_HOLE_INT = 1, /* the order is that of "iufasbprt" */
    GCL_HOLE_UINT,
    GCL_HOLE_FLOAT,
    GCL_HOLE_ATOM,
    GCL_HOLE_STRING,
    GCL_HOLE_BINARY,
    GCL_HOLE_PID,
    GCL_HOLE_REF,
    GCL_HOLE_TERM,
    GCL_HOLE_ANY,
};
enum { GCL_HOLE_LAST = GCL_HOLE_ANY };

enum gcl_parse_mode { GCL_PARSE_TERM, GCL_PARSE_MATCH, GCL_PARSE_BUILD };

/**
 * Appends the term of a text, without the version byte. 0, GCL_ESYNTAX, GCL_ENOTSUP, GCL_ELIMIT or
 * GCL_ENOMEM; on error nothing was added and `*error`, if it is not NULL, says where and why.
 */
int gcl_parse(struct gcl_str text, enum gcl_parse_mode mode, struct gcl_buffer *out,
              gcl_parse_error *error) GCL_MUST_USE;

#endif

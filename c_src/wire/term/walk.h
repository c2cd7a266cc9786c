/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Walks over a term of the external format without building anything: the proof that bytes of a
 * peer are one whole term that every receiver can read. Whatever is stored, relayed or given to
 * libei has been walked; libei checks no lengths and recurses without a bound.
 *
 * spec: erl_ext_dist
 */
#ifndef GCL_WIRE_TERM_WALK_H
#define GCL_WIRE_TERM_WALK_H

#include "base/cursor.h"
#include <gen_cluster/export.h>

enum { GCL_TERM_DEPTH_MAX = 1024 };

/**
 * Skips one complete term (without the version byte 131). 0; GCL_ETERM when it is malformed or has
 * a tag that a peer must not send (compressed, reference into an atom cache); GCL_ELIMIT when it is
 * nested deeper than GCL_TERM_DEPTH_MAX. On error the cursor is where it was.
 */
int gcl_term_walk(struct gcl_cursor *cursor) GCL_MUST_USE;

/** The same with a lower limit: GCL_ELIMIT when it is nested deeper than `depth_max`, of at most
 * GCL_TERM_DEPTH_MAX. */
int gcl_term_walk_to(struct gcl_cursor *cursor, unsigned depth_max) GCL_MUST_USE;

/**
 * Skips one term of any depth, in no more memory. That is no proof that it is one: it serves to get
 * past what is thrown away. 0 or GCL_ETERM; on error the cursor is where it was.
 */
int gcl_term_skip(struct gcl_cursor *cursor) GCL_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** `=:=` over encoded terms: what stands there counts, not how it is written. */
#ifndef GCL_WIRE_TERM_EQUAL_H
#define GCL_WIRE_TERM_EQUAL_H

#include "base/cursor.h"

/**
 * Compares the terms at both cursors. Both are moved behind them when they are equal; otherwise,
 * and when one is malformed or nested too deep, it is false and both are anywhere. A term need not
 * have been walked.
 */
bool gcl_cursor_equal(struct gcl_cursor *a, struct gcl_cursor *b);

#endif

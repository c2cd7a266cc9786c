/* SPDX-License-Identifier: Apache-2.0 */
/** Floats as text, in Erlang's form and whatever the locale. */
#ifndef GCL_WIRE_TERM_FLOAT_H
#define GCL_WIRE_TERM_FLOAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { GCL_FLOAT_TEXT_MAX = 40 };

/** Writes the fewest digits that are read back as `value`, a finite one; returns their number. */
size_t gcl_float_print(double value, char text[GCL_FLOAT_TEXT_MAX]);

/** Digits, perhaps with `_` between them, a dot and an exponent. False when it is too large. */
bool gcl_float_parse(struct gcl_str text, double *value);

#endif

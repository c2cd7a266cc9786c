/* SPDX-License-Identifier: Apache-2.0 */
/** Bytes that real nodes sent, one packet a line: test/c/golden. */
#ifndef GCL_TEST_SUPPORT_GOLDEN_H
#define GCL_TEST_SUPPORT_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct gcl_golden {
    char side; /* '>' from the one that connected, '<' from the other one */
    struct gcl_str packet;
};

struct gcl_golden_file {
    struct gcl_golden *lines;
    size_t count;
};

/** Reads test/c/golden/<name>; the test fails when it cannot. */
struct gcl_golden_file gcl_golden_load(const char *name);

void gcl_golden_free(struct gcl_golden_file *file);

#endif

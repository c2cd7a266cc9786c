/* SPDX-License-Identifier: Apache-2.0 */
/** Replays files in the format of test/vectors/membership.txt, whose head describes it. */
#ifndef GCL_TEST_SUPPORT_MEMBERSHIP_SCRIPT_H
#define GCL_TEST_SUPPORT_MEMBERSHIP_SCRIPT_H

#include "core/membership/membership.h"

struct gcl_script_result {
    size_t vectors;
    size_t steps;
};

/** Called before each step. */
typedef void gcl_script_watcher(void *user, const struct gcl_membership *machine,
                                const struct gcl_membership_event *event);

/**
 * Replays all vectors of a file, asserting each answer; a failure names file and line, and shows
 * what was expected and what came. `watcher` may be NULL.
 */
struct gcl_script_result gcl_script_run(const char *path, gcl_script_watcher *watcher, void *user);

#endif

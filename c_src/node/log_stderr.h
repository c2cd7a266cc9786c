/* SPDX-License-Identifier: Apache-2.0 */
/** Log events on standard error, which nobody may read: it never blocks the loop. */
#ifndef GCL_NODE_LOG_STDERR_H
#define GCL_NODE_LOG_STDERR_H

#include <stdbool.h>

#include <gen_cluster/log.h>

/** As gcl_log_to_stderr(); false: there was no room, and the line is lost. */
bool gcl_log_try_stderr(gcl_log_level level, const char *event, const char *text);

#endif

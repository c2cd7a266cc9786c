/* SPDX-License-Identifier: Apache-2.0 */
/** What a node has to say goes to one function that the program gives it. */
#ifndef GEN_CLUSTER_LOG_H
#define GEN_CLUSTER_LOG_H

#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** As in OTP's logger, the most severe first. */
typedef enum gcl_log_level {
    GCL_LOG_ERROR = 1,
    GCL_LOG_WARNING,
    GCL_LOG_NOTICE,
    GCL_LOG_INFO,
    GCL_LOG_DEBUG
} gcl_log_level;

/**
 * Gets each log event. `event` is a short stable name ("node_down"; doc/log.md lists them), `text`
 * one line without a newline; both are borrowed. Called on the loop thread. It must not call into
 * the node.
 */
typedef void gcl_log_function(gcl_log_level level, const char *event, const char *text, void *user);

/** "error", "warning", ... The string is static. */
GCL_API const char *gcl_log_level_name(gcl_log_level level);

/**
 * Writes `level event: text` and a newline to standard error; `user` is not used. A line that there
 * is no room for, because nobody reads, is lost: the loop does not wait.
 */
GCL_API void gcl_log_to_stderr(gcl_log_level level, const char *event, const char *text,
                               void *user);

#ifdef __cplusplus
}
#endif

#endif

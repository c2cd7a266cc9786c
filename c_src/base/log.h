/* SPDX-License-Identifier: Apache-2.0 */
/** Formats log events and hands those that are severe enough to the program's function. */
#ifndef GCL_BASE_LOG_H
#define GCL_BASE_LOG_H

#include <gen_cluster/log.h>

struct gcl_log {
    gcl_log_function *function; /* NULL: nothing is logged */
    void *user;
    gcl_log_level level; /* less severe events are not formatted */
};

/** Texts longer than 1 KiB are cut. Bytes of a peer must be printed as a term or escaped first. */
void gcl_log(const struct gcl_log *log, gcl_log_level level, const char *event, const char *format,
             ...) GCL_PRINTF(4, 5);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_TEXT = 1024 };

void gcl_log(const struct gcl_log *log, gcl_log_level level, const char *event, const char *format,
             ...)
{
    char text[MAX_TEXT];
    va_list arguments;
    if (log->function == NULL || level > log->level)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log->function(level, event, text, log->user);
}

const char *gcl_log_level_name(gcl_log_level level)
{
    switch (level) {
    case GCL_LOG_ERROR:
        return "error";
    case GCL_LOG_WARNING:
        return "warning";
    case GCL_LOG_NOTICE:
        return "notice";
    case GCL_LOG_INFO:
        return "info";
    case GCL_LOG_DEBUG:
        return "debug";
    }
    return "unknown";
}

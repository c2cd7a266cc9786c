/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log_stderr.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Less than PIPE_BUF: a pipe that can be written to takes it whole, and at once. */
enum { MAX_LINE = 2048 };

bool gcl_log_try_stderr(gcl_log_level level, const char *event, const char *text)
{
    char line[MAX_LINE];
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    int size = snprintf(line, sizeof line, "%s %s: %s\n", gcl_log_level_name(level), event, text);
    /* Nor is anything written to a pipe without a reader, which would be answered by SIGPIPE. */
    if (size < 0 || poll(&room, 1, 0) != 1 || (room.revents & ~POLLOUT) != 0)
        return false;
    if ((size_t)size >= sizeof line) {
        size = sizeof line - 1;
        line[size - 1] = '\n';
    }
    return write(STDERR_FILENO, line, (size_t)size) == (ssize_t)size;
}

void gcl_log_to_stderr(gcl_log_level level, const char *event, const char *text, void *user)
{
    (void)user;
    (void)gcl_log_try_stderr(level, event, text);
}

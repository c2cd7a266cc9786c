/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/cookie.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct detail {
    char *text;
    size_t size;
};

static int fail(const struct detail *detail, int error, const char *path, const char *what)
{
    if (detail->text != NULL && detail->size > 0)
        (void)snprintf(detail->text, detail->size, "cookie file %s: %s", path, what);
    return error;
}

static int open_file(const char *path, const struct detail *detail, int *fd)
{
    struct stat info;
    /* Not blocking: the path may be a FIFO. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return fail(detail, errno == ENOENT ? GCL_ENOENT : GCL_ESYS, path, strerror(errno));
    if (fstat(*fd, &info) != 0)
        return fail(detail, GCL_ESYS, path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(detail, GCL_EAUTH, path, "expected a regular file");
    if ((info.st_mode & 077) != 0)
        return fail(detail, GCL_EAUTH, path, "must be accessible by its owner only: chmod 400 it");
    return 0;
}

/* spec: kernel auth.erl, check_cookie/2. */
static int check(const char *path, const struct detail *detail, char *text, size_t size)
{
    size_t end = 0;
    while (end < size && text[end] >= ' ' && text[end] <= '~')
        end++;
    for (size_t i = end; i < size; i++)
        if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ')
            return fail(detail, GCL_EAUTH, path,
                        "bad characters: expected one line of printable ASCII");
    if (end == 0)
        return fail(detail, GCL_EAUTH, path, "is empty: expected the cookie of the cluster");
    if (end >= GCL_COOKIE_SIZE)
        return fail(detail, GCL_EAUTH, path, "too long: a cookie has at most 255 characters");
    text[end] = '\0';
    return 0;
}

static int read_open(int fd, const char *path, const struct detail *detail, char *cookie)
{
    char text[GCL_COOKIE_SIZE + 16];
    size_t size = 0;
    ssize_t got;
    int error;
    do {
        got = read(fd, text + size, sizeof text - 1 - size);
        if (got > 0)
            size += (size_t)got;
    } while ((got > 0 && size < sizeof text - 1) || (got < 0 && errno == EINTR));
    if (got < 0)
        error = fail(detail, GCL_ESYS, path, strerror(errno));
    else
        error = check(path, detail, text, size);
    if (error == 0)
        memcpy(cookie, text, strlen(text) + 1);
    gcl_wipe(text, sizeof text);
    return error;
}

static int read_file(const char *path, const struct detail *detail, char *cookie)
{
    int fd = -1;
    int error = open_file(path, detail, &fd);
    if (error == 0)
        error = read_open(fd, path, detail, cookie);
    if (fd >= 0)
        (void)close(fd);
    return error;
}

/* spec: kernel auth.erl of OTP 25: the home directory, then filename:basedir(user_config). */
static int read_default(const struct detail *detail, char *cookie)
{
    char path[PATH_MAX];
    const char *home = getenv("HOME");
    const char *xdg = getenv("XDG_CONFIG_HOME");
    if (home == NULL)
        return fail(detail, GCL_ENOENT, "~/.erlang.cookie", "HOME is not set");
    if (xdg != NULL)
        (void)snprintf(path, sizeof path, "%s/erlang/.erlang.cookie", xdg);
    else
        (void)snprintf(path, sizeof path, "%s/.config/erlang/.erlang.cookie", home);
    struct detail none = {NULL, 0};
    char first[PATH_MAX];
    (void)snprintf(first, sizeof first, "%s/.erlang.cookie", home);
    int error = read_file(first, detail, cookie);
    if (error == GCL_ENOENT && read_file(path, &none, cookie) != GCL_ENOENT)
        error = read_file(path, detail, cookie);
    return error;
}

int gcl_cookie_read(const char *path, char cookie[GCL_COOKIE_SIZE], char *detail,
                    size_t detail_size)
{
    struct detail where = {detail, detail_size};
    cookie[0] = '\0';
    return path != NULL ? read_file(path, &where, cookie) : read_default(&where, cookie);
}

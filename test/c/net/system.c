/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct test_system test_system;

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    test_system.sends++;
    return sendto(fd, bytes, size, flags, NULL, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_MONOTONIC && test_system.monotonic != NULL)
        test_system.monotonic();
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += test_system.clock_offset_s;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
        return -1;
    *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

typedef int resolve(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    resolve *next;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&next, &symbol, sizeof next); /* ISO C has no cast for that */
    if (test_system.hanging_host != NULL && strcmp(host, test_system.hanging_host) == 0) {
        test_system.hanging_calls++;
        while (test_system.is_hanging)
            (void)usleep(1000);
        test_system.hanging_calls--;
        return EAI_AGAIN;
    }
    if (test_system.known_host != NULL && strcmp(host, test_system.known_host) == 0)
        host = test_system.known_address;
    return next(host, service, hints, found);
}

unsigned test_count_files(void)
{
    unsigned count = 0;
    DIR *files = opendir("/proc/self/fd");
    while (readdir(files) != NULL)
        count++;
    (void)closedir(files);
    return count;
}

static struct rlimit enough_files;

/* The limit is one of numbers, and the lowest one is given out first. */
void test_leave_files(unsigned count)
{
    struct rlimit few;
    int lowest = dup(STDERR_FILENO);
    cr_assert_eq(close(lowest), 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &enough_files), 0);
    few = enough_files;
    few.rlim_cur = (rlim_t)lowest + count;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

void test_leave_enough_files(void)
{
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &enough_files), 0);
}

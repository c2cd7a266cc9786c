/* SPDX-License-Identifier: Apache-2.0 */
/** What differs between systems: sockets, and what is known of this OS process. Linux today. */
#ifndef GCL_NET_PLATFORM_H
#define GCL_NET_PLATFORM_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/** A nonblocking TCP socket that children do not inherit; -1 and errno. */
static inline int gcl_socket_open(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

/** As accept(), with the same properties. */
static inline int gcl_socket_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/** As send(); never raises SIGPIPE. */
static inline ssize_t gcl_socket_send(int fd, const void *bytes, size_t size)
{
    return send(fd, bytes, size, MSG_NOSIGNAL);
}

/** Another descriptor of the same socket, which children do not inherit either; -1 and errno. */
static inline int gcl_socket_duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/**
 * Ends what goes on over the socket, in both ways, by whichever descriptor. Does not block. One
 * that listens refuses everybody from now on, those included who wait to be accepted; that is so on
 * Linux, while the BSDs know no shutdown of a listener.
 */
static inline void gcl_socket_shutdown(int fd)
{
    (void)shutdown(fd, SHUT_RDWR);
}

/** Small messages leave at once: they are gathered by us, not by the kernel. */
static inline void gcl_socket_set_nodelay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/** How much memory this OS process has resident; false: the system does not say. */
static inline bool gcl_platform_memory(uint64_t *bytes)
{
    char text[128], *rest;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    /* The pages of all its memory, then of what is resident. */
    (void)strtoull(text, &rest, 10);
    *bytes = strtoull(rest, &rest, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    return *bytes > 0;
}

#endif

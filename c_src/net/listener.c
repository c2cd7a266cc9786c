/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "base/alloc.h"
#include "net/platform.h"

enum {
    BACKLOG = 128,
    ACCEPTS_PER_TURN = 16,
    RETRY_MS = 1000,
};

static bool is_out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Who waits to be accepted goes on waiting, and nothing spins meanwhile. */
static void pause_accepting(struct gcl_listener *listener, int error)
{
    if (!listener->is_paused)
        gcl_log(listener->log, GCL_LOG_WARNING, "accept_paused",
                "cannot accept connections: %s; trying again every second", strerror(error));
    listener->is_paused = true;
    if (gcl_loop_set(listener->loop, &listener->retry,
                     gcl_loop_now_ms(listener->loop) + RETRY_MS) == 0)
        gcl_watch_read(&listener->watch, false);
}

static void tell_resumed(struct gcl_listener *listener)
{
    if (listener->is_paused)
        gcl_log(listener->log, GCL_LOG_INFO, "accept_resumed", "connections are accepted again");
    listener->is_paused = false;
}

static void on_readable(struct gcl_watch *watch)
{
    struct gcl_listener *listener = GCL_CONTAINER_OF(watch, struct gcl_listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN && listener->fd >= 0; i++) {
        int fd = gcl_socket_accept(listener->fd);
        int error = fd < 0 ? errno : listener->accepted(listener, fd);
        if (is_out_of_resources(error)) {
            pause_accepting(listener, error);
            return;
        }
        if (fd < 0)
            return; /* nobody waits, or who waited is gone */
        tell_resumed(listener);
    }
}

static void on_retry(struct gcl_deadline *deadline)
{
    struct gcl_listener *listener = GCL_CONTAINER_OF(deadline, struct gcl_listener, retry);
    gcl_watch_read(&listener->watch, true);
}

static int bind_and_listen(int fd, const struct gcl_address *address)
{
    int on = 1, off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->socket.any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &address->socket.any, address->size) != 0 || listen(fd, BACKLOG) != 0)
        return errno == EADDRINUSE ? GCL_EEXIST : GCL_ESYS;
    return 0;
}

static int begin(struct gcl_listener *listener)
{
    int error = bind_and_listen(listener->fd, &listener->address);
    if (error == 0)
        error = gcl_guard_add(listener->guard, listener->fd, &listener->guarded);
    if (error != 0)
        return error;
    gcl_watch_init(&listener->watch, listener->loop, listener->fd, on_readable, NULL);
    gcl_watch_read(&listener->watch, true);
    return 0;
}

static void close_socket(struct gcl_listener *listener)
{
    int saved = errno;
    gcl_guard_remove(listener->guard, &listener->guarded);
    (void)close(listener->fd);
    listener->fd = -1;
    errno = saved;
}

/* The system forgets the port of a socket that was shut down: it is kept here. */
static int open_socket(struct gcl_listener *listener)
{
    listener->fd = gcl_socket_open(listener->address.socket.any.sa_family);
    if (listener->fd < 0)
        return GCL_ESYS;
    int error = begin(listener);
    if (error != 0)
        close_socket(listener);
    else if (gcl_address_port(&listener->address) == 0)
        gcl_address_set_port(&listener->address, gcl_listener_port(listener));
    return error;
}

int gcl_listener_open(struct gcl_listener *listener, struct gcl_loop *loop,
                      const struct gcl_log *log, struct gcl_guard *guard,
                      const struct gcl_address *address,
                      int (*accepted)(struct gcl_listener *, int))
{
    listener->loop = loop;
    listener->log = log;
    listener->guard = guard;
    listener->guarded = GCL_GUARD_NONE;
    listener->address = *address;
    listener->accepted = accepted;
    listener->is_paused = false;
    gcl_deadline_init(&listener->retry, on_retry);
    return open_socket(listener);
}

int gcl_listener_reopen(struct gcl_listener *listener)
{
    gcl_listener_close(listener);
    return open_socket(listener);
}

void gcl_listener_close(struct gcl_listener *listener)
{
    if (listener->fd < 0)
        return;
    gcl_watch_stop(&listener->watch);
    gcl_loop_cancel(listener->loop, &listener->retry);
    close_socket(listener);
}

bool gcl_listener_address(const struct gcl_listener *listener, struct gcl_address *address)
{
    address->size = sizeof address->socket;
    return listener->fd >= 0 &&
           getsockname(listener->fd, &address->socket.any, &address->size) == 0;
}

uint16_t gcl_listener_port(const struct gcl_listener *listener)
{
    struct gcl_address address;
    return gcl_listener_address(listener, &address) ? gcl_address_port(&address) : 0;
}

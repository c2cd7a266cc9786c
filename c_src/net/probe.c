/* SPDX-License-Identifier: Apache-2.0 */
#include "net/probe.h"

#include <errno.h>
#include <unistd.h>

#include "net/platform.h"

void gcl_probe_cancel(struct gcl_probe *probe)
{
    if (probe->fd >= 0) {
        gcl_watch_stop(&probe->watch);
        (void)close(probe->fd);
        probe->fd = -1;
    }
    gcl_loop_cancel(probe->loop, &probe->deadline);
}

static void end(struct gcl_probe *probe, int error)
{
    gcl_probe_cancel(probe);
    probe->ended(probe, error);
}

static void on_connected(struct gcl_watch *watch)
{
    struct gcl_probe *probe = GCL_CONTAINER_OF(watch, struct gcl_probe, watch);
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    end(probe, error);
}

static void on_deadline(struct gcl_deadline *deadline)
{
    struct gcl_probe *probe = GCL_CONTAINER_OF(deadline, struct gcl_probe, deadline);
    end(probe, probe->failed != 0 ? probe->failed : ETIMEDOUT);
}

void gcl_probe_init(struct gcl_probe *probe, struct gcl_loop *loop,
                    void (*ended)(struct gcl_probe *probe, int error))
{
    probe->loop = loop;
    probe->fd = -1;
    probe->ended = ended;
    gcl_deadline_init(&probe->deadline, on_deadline);
}

/* False: errno. */
static bool begin(struct gcl_probe *probe, const struct gcl_address *address)
{
    probe->fd = gcl_socket_open(address->socket.any.sa_family);
    probe->local.size = sizeof probe->local.socket;
    return probe->fd >= 0 &&
           (connect(probe->fd, &address->socket.any, address->size) == 0 || errno == EINPROGRESS) &&
           getsockname(probe->fd, &probe->local.socket.any, &probe->local.size) == 0;
}

int gcl_probe_start(struct gcl_probe *probe, const struct gcl_address *address, unsigned timeout_ms)
{
    uint64_t at_ms = gcl_loop_now_ms(probe->loop);
    probe->failed = 0;
    if (begin(probe, address)) {
        at_ms += timeout_ms;
        gcl_watch_init(&probe->watch, probe->loop, probe->fd, NULL, on_connected);
        gcl_watch_write(&probe->watch, true);
    } else {
        probe->failed = errno;
        if (probe->fd >= 0)
            (void)close(probe->fd);
        probe->fd = -1;
    }
    int error = gcl_loop_set(probe->loop, &probe->deadline, at_ms);
    if (error != 0)
        gcl_probe_cancel(probe);
    return error;
}

bool gcl_probe_is_other_end(const struct gcl_probe *probe, int fd)
{
    struct gcl_address peer = {.size = sizeof peer.socket};
    return getpeername(fd, &peer.socket.any, &peer.size) == 0 &&
           gcl_address_is_same(&probe->local, &peer);
}

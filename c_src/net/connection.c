/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/platform.h"
#include "wire/frame.h"

enum {
    FLUSH_BYTES = 64 * 1024, /* output of this size does not wait for the end of the turn */
    KEEP_BYTES = 4 * 1024,   /* room an idle connection keeps */
    QUIET_BYTES = 64,        /* one that hears no more than ticks between two checks is idle */
};

void gcl_connections_init(struct gcl_connections *connections)
{
    gcl_list_init(&connections->dirty);
    gcl_list_init(&connections->backlog);
}

/* --- life ----------------------------------------------------------------------------------- */

void gcl_connection_drop_handshake(struct gcl_connection *connection)
{
    if (connection->handshake == NULL)
        return;
    gcl_handshake_fini(connection->handshake);
    gcl_free(connection->shared->mem, connection->handshake);
    connection->handshake = NULL;
}

void gcl_connection_close_socket(struct gcl_connection *connection)
{
    if (connection->fd < 0)
        return;
    gcl_watch_stop(&connection->watch);
    gcl_guard_remove(connection->shared->guard, &connection->guarded);
    (void)close(connection->fd);
    connection->fd = -1;
}

static void release(struct gcl_connection *connection)
{
    if (connection->depth > 0 || connection->state != GCL_CONNECTION_CLOSED)
        return;
    gcl_buffer_fini(&connection->input);
    gcl_buffer_fini(&connection->output);
    gcl_connection_drop_handshake(connection);
    gcl_free(connection->shared->mem, connection);
}

void gcl_connection_enter(struct gcl_connection *connection)
{
    connection->depth++;
}

void gcl_connection_leave(struct gcl_connection *connection)
{
    connection->depth--;
    release(connection);
}

static void shut(struct gcl_connection *connection)
{
    connection->state = GCL_CONNECTION_CLOSED;
    gcl_connection_close_socket(connection);
    gcl_loop_cancel(connection->shared->loop, &connection->deadline);
    gcl_list_remove(&connection->dirty);
    gcl_list_remove(&connection->backlog);
}

void gcl_connection_close(struct gcl_connection *connection)
{
    if (connection->state == GCL_CONNECTION_CLOSED)
        return;
    shut(connection);
    release(connection);
}

void gcl_connection_end(struct gcl_connection *connection, int error, const char *detail)
{
    char text[GCL_CONNECTION_DETAIL_BYTES];
    if (connection->state == GCL_CONNECTION_CLOSED)
        return;
    (void)snprintf(text, sizeof text, "%s", detail);
    shut(connection);
    gcl_connection_enter(connection);
    connection->shared->events->down(connection, error, text);
    gcl_connection_leave(connection);
}

void gcl_connection_mark(struct gcl_connection *connection)
{
    if (gcl_list_is_empty(&connection->dirty))
        gcl_list_add_last(&connection->shared->dirty, &connection->dirty);
}

void gcl_connection_fail(struct gcl_connection *connection, int error, const char *detail)
{
    if (connection->state == GCL_CONNECTION_CLOSED || connection->failure != 0)
        return;
    connection->failure = error;
    connection->failure_detail = detail;
    gcl_connection_mark(connection);
}

/* --- deadlines ------------------------------------------------------------------------------ */

void gcl_connection_set_deadline(struct gcl_connection *connection, uint64_t after_ms)
{
    struct gcl_loop *loop = connection->shared->loop;
    if (gcl_loop_set(loop, &connection->deadline, gcl_loop_now_ms(loop) + after_ms) != 0)
        gcl_connection_fail(connection, GCL_ENOMEM, "no memory for a deadline");
}

/*
 * spec: net_kernel's ticker: something is sent in each interval, and a peer that was silent for
 * net_tickintensity intervals is gone. Bytes count, so that a large frame may take its time.
 */
static void check_ticks(struct gcl_connection *connection)
{
    struct gcl_connection_counters *counters = &connection->counters;
    uint64_t received = counters->bytes_in - connection->bytes_in_at_check;
    if (received > 0) {
        connection->silent_checks = 0;
    } else if (++connection->silent_checks >= connection->shared->tick_intensity) {
        gcl_connection_end(connection, GCL_ETIMEOUT,
                           "nothing was heard from the peer for net_ticktime");
        return;
    }
    if (received <= QUIET_BYTES) {
        gcl_buffer_shrink(&connection->input, KEEP_BYTES);
        gcl_buffer_shrink(&connection->output, KEEP_BYTES);
    }
    if (counters->bytes_out == connection->bytes_out_at_check &&
        gcl_buffer_size(&connection->output) == 0) {
        if (gcl_frame_append_tick(&connection->output) == 0)
            gcl_connection_mark(connection);
    }
    connection->bytes_in_at_check = counters->bytes_in;
    connection->bytes_out_at_check = counters->bytes_out;
    gcl_connection_set_deadline(connection, connection->shared->tick_interval_ms);
}

void gcl_connection_expired(struct gcl_deadline *deadline)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(deadline, struct gcl_connection, deadline);
    char text[GCL_CONNECTION_DETAIL_BYTES];
    switch (connection->state) {
    case GCL_CONNECTION_CONNECTING:
        gcl_connection_dial_next(connection, "timeout");
        return;
    case GCL_CONNECTION_SHAKING:
        (void)snprintf(text, sizeof text, "handshake: timeout while %s",
                       gcl_handshake_state_name(gcl_handshake_state(connection->handshake)));
        gcl_connection_end(connection, GCL_ETIMEOUT, text);
        return;
    case GCL_CONNECTION_UP:
        check_ticks(connection);
        return;
    case GCL_CONNECTION_FINISHING:
        gcl_connection_end(connection, 0, "closed with output left");
        return;
    case GCL_CONNECTION_CLOSED:
        return;
    }
}

/* --- output --------------------------------------------------------------------------------- */

struct gcl_buffer *gcl_connection_output(struct gcl_connection *connection)
{
    return &connection->output;
}

void gcl_connection_write(struct gcl_connection *connection)
{
    struct gcl_buffer *output = &connection->output;
    size_t size = gcl_buffer_size(output);
    ssize_t sent = 0;
    if (size > 0)
        sent = gcl_socket_send(connection->fd, gcl_buffer_bytes(output), size);
    if (sent < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
        gcl_connection_fail(connection, GCL_ECLOSED, "the peer closed the connection");
        return;
    }
    if (sent > 0) {
        gcl_buffer_take(output, (size_t)sent);
        connection->counters.bytes_out += (uint64_t)sent;
        connection->counters.writes++;
    }
    connection->is_blocked = gcl_buffer_size(output) > 0;
    gcl_watch_write(&connection->watch, connection->is_blocked);
}

void gcl_connection_written(struct gcl_connection *connection, size_t frames)
{
    connection->counters.frames_out += frames;
    if (connection->state == GCL_CONNECTION_CLOSED ||
        connection->state == GCL_CONNECTION_CONNECTING)
        return;
    gcl_connection_mark(connection);
    if (gcl_buffer_size(&connection->output) >= FLUSH_BYTES && !connection->is_blocked)
        gcl_connection_write(connection);
    if (gcl_buffer_size(&connection->output) > connection->shared->output_hard_bytes)
        gcl_connection_fail(connection, GCL_ELIMIT,
                            "more output is queued than output_hard_bytes allows");
}

bool gcl_connection_has_failed(const struct gcl_connection *connection)
{
    return connection->failure != 0;
}

bool gcl_connection_has_socket(const struct gcl_connection *connection)
{
    return connection->fd >= 0;
}

bool gcl_connection_is_busy(struct gcl_connection *connection)
{
    if (gcl_buffer_size(&connection->output) <= connection->shared->output_soft_bytes)
        return false;
    connection->was_busy = true;
    return true;
}

/* The connection may be gone after it. */
static void output_left(struct gcl_connection *connection)
{
    size_t size = gcl_buffer_size(&connection->output);
    if (connection->failure != 0) {
        gcl_connection_end(connection, connection->failure, connection->failure_detail);
        return;
    }
    if (connection->state == GCL_CONNECTION_FINISHING && size == 0) {
        gcl_connection_end(connection, 0, "closed");
        return;
    }
    if (!connection->was_busy || size >= connection->shared->output_soft_bytes / 2)
        return;
    connection->was_busy = false;
    if (connection->state == GCL_CONNECTION_UP)
        connection->shared->events->writable(connection);
}

static void on_writable(struct gcl_watch *watch)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(watch, struct gcl_connection, watch);
    gcl_connection_enter(connection);
    if (connection->state == GCL_CONNECTION_CONNECTING) {
        gcl_connection_connected(connection);
    } else {
        gcl_connection_write(connection);
        output_left(connection);
    }
    gcl_connection_leave(connection);
}

int gcl_connection_set_socket(struct gcl_connection *connection, int fd)
{
    int error = gcl_guard_add(connection->shared->guard, fd, &connection->guarded);
    if (error != 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return error;
    }
    connection->fd = fd;
    gcl_socket_set_nodelay(fd);
    gcl_watch_init(&connection->watch, connection->shared->loop, fd, gcl_connection_readable,
                   on_writable);
    return 0;
}

/* --- turns ---------------------------------------------------------------------------------- */

void gcl_connections_turn(struct gcl_connections *connections)
{
    struct gcl_list now, *at;
    gcl_list_init(&now);
    gcl_list_move_all(&now, &connections->backlog);
    while ((at = gcl_list_first(&now)) != NULL) {
        struct gcl_connection *connection = GCL_CONTAINER_OF(at, struct gcl_connection, backlog);
        gcl_list_remove(at);
        gcl_connection_enter(connection);
        gcl_connection_frames(connection);
        gcl_connection_leave(connection);
    }
    gcl_list_move_all(&now, &connections->dirty);
    while ((at = gcl_list_first(&now)) != NULL) {
        struct gcl_connection *connection = GCL_CONTAINER_OF(at, struct gcl_connection, dirty);
        gcl_list_remove(at);
        gcl_connection_enter(connection);
        if (connection->fd >= 0 && connection->state != GCL_CONNECTION_CONNECTING &&
            !connection->is_blocked)
            gcl_connection_write(connection);
        /* That may have marked it again, for a failure that is told right here. */
        gcl_list_remove(&connection->dirty);
        output_left(connection);
        gcl_connection_leave(connection);
    }
    /* Callbacks of this very turn have queued more, or left more frames over. */
    if (!gcl_list_is_empty(&connections->dirty) || !gcl_list_is_empty(&connections->backlog))
        gcl_loop_again(connections->loop);
}

void gcl_connection_finish(struct gcl_connection *connection, unsigned timeout_ms)
{
    if (connection->state == GCL_CONNECTION_CLOSED || connection->state == GCL_CONNECTION_FINISHING)
        return;
    if (connection->state != GCL_CONNECTION_UP) {
        gcl_connection_fail(connection, GCL_ECANCELED, "closed before it was up");
        return;
    }
    connection->state = GCL_CONNECTION_FINISHING;
    gcl_watch_read(&connection->watch, true);
    gcl_list_remove(&connection->backlog);
    gcl_connection_set_deadline(connection, timeout_ms);
    gcl_connection_mark(connection);
}

/* --- the rest ------------------------------------------------------------------------------- */

bool gcl_connection_ends(const struct gcl_connection *connection, struct gcl_address *local,
                         struct gcl_address *remote)
{
    local->size = remote->size = sizeof local->socket;
    return getsockname(connection->fd, &local->socket.any, &local->size) == 0 &&
           getpeername(connection->fd, &remote->socket.any, &remote->size) == 0;
}

void *gcl_connection_user(const struct gcl_connection *connection)
{
    return connection->user;
}

const struct gcl_handshake *gcl_connection_handshake(const struct gcl_connection *connection)
{
    return connection->handshake;
}

const struct gcl_connection_counters *
gcl_connection_counters(const struct gcl_connection *connection)
{
    return &connection->counters;
}

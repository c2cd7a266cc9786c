/* SPDX-License-Identifier: Apache-2.0 */
/* A connection from its first address, or from an accepted socket, until the handshake is done. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/connection_impl.h"
#include "net/platform.h"

enum { ADDRESSES_MAX = 8 };

/* --- TCP ------------------------------------------------------------------------------------ */

static bool begin_connect(struct gcl_connection *connection, const struct gcl_address *address)
{
    int fd = gcl_socket_open(address->socket.any.sa_family);
    if (fd < 0)
        return false;
    if (connect(fd, &address->socket.any, address->size) != 0 && errno != EINPROGRESS) {
        (void)close(fd);
        return false;
    }
    int error = gcl_connection_set_socket(connection, fd);
    if (error != 0) {
        errno = error == GCL_ENOMEM ? ENOMEM : errno;
        return false;
    }
    gcl_watch_write(&connection->watch, true);
    gcl_connection_set_deadline(connection, connection->shared->setup_timeout_ms);
    return true;
}

void gcl_connection_dial_next(struct gcl_connection *connection, const char *why)
{
    char text[GCL_CONNECTION_DETAIL_BYTES], where[GCL_ADDRESS_TEXT_BYTES] = "";
    gcl_connection_close_socket(connection);
    while (connection->next_address < connection->address_count) {
        const struct gcl_address *address = &connection->addresses[connection->next_address++];
        if (begin_connect(connection, address))
            return;
        why = strerror(errno);
    }
    gcl_address_print(&connection->addresses[connection->address_count - 1], where);
    (void)snprintf(text, sizeof text, "connect to %s: %s", where, why);
    gcl_connection_end(connection, GCL_ENOCONNECTION, text);
}

void gcl_connection_connected(struct gcl_connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    gcl_watch_write(&connection->watch, false);
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        gcl_connection_dial_next(connection, strerror(error));
        return;
    }
    /* Our name has been in the output since the beginning. */
    connection->state = GCL_CONNECTION_SHAKING;
    gcl_connection_set_deadline(connection, connection->shared->setup_timeout_ms);
    gcl_watch_read(&connection->watch, true);
    gcl_connection_mark(connection);
}

/* --- handshake ------------------------------------------------------------------------------ */

static void step_taken(struct gcl_connection *connection)
{
    unsigned step = gcl_handshake_step(connection->handshake);
    if (step == connection->step)
        return;
    connection->step = step;
    gcl_connection_set_deadline(connection, connection->shared->setup_timeout_ms);
}

static void handshake_ended(struct gcl_connection *connection, int error)
{
    char text[GCL_CONNECTION_DETAIL_BYTES];
    /* What is queued may tell the peer why, so it gets one chance to leave. */
    gcl_connection_write(connection);
    (void)snprintf(text, sizeof text, "handshake: %s", connection->handshake->detail);
    gcl_connection_end(connection, error, text);
}

static void handshake_done(struct gcl_connection *connection)
{
    const struct gcl_connection_events *events = connection->shared->events;
    connection->state = GCL_CONNECTION_UP;
    gcl_connection_set_deadline(connection, connection->shared->tick_interval_ms);
    events->up(connection, connection->handshake);
    gcl_connection_drop_handshake(connection);
    if (connection->state == GCL_CONNECTION_UP && gcl_buffer_size(&connection->input) > 0) {
        gcl_list_add_last(&connection->shared->backlog, &connection->backlog);
        gcl_loop_again(connection->shared->loop);
    }
}

/* The handshake stopped for the owner to decide. True: it may go on with what was received. */
static bool decide(struct gcl_connection *connection)
{
    const struct gcl_connection_events *events = connection->shared->events;
    struct gcl_handshake *handshake = connection->handshake;
    int error = 0;
    switch (gcl_handshake_state(handshake)) {
    case GCL_HANDSHAKE_ADMIT:
        events->named(connection);
        return connection->state == GCL_CONNECTION_SHAKING &&
               gcl_handshake_state(handshake) != GCL_HANDSHAKE_ADMIT;
    case GCL_HANDSHAKE_ALIVE:
        error = gcl_handshake_answer(handshake, events->alive(connection), &connection->output);
        break;
    case GCL_HANDSHAKE_CONFIRM:
        events->proven(connection);
        if (connection->state == GCL_CONNECTION_SHAKING)
            error = gcl_handshake_confirm(handshake, &connection->output);
        break;
    default: /* nothing to decide: it waits for the peer */
        return false;
    }
    if (connection->state != GCL_CONNECTION_SHAKING)
        return false;
    if (error != 0)
        handshake_ended(connection, error);
    return error == 0;
}

void gcl_connection_shake(struct gcl_connection *connection)
{
    bool go_on = true;
    while (go_on && connection->state == GCL_CONNECTION_SHAKING) {
        size_t consumed = 0;
        struct gcl_buffer *input = &connection->input;
        int error = gcl_handshake_feed(connection->handshake, gcl_buffer_bytes(input),
                                       gcl_buffer_size(input), &consumed, &connection->output);
        gcl_buffer_take(input, consumed);
        gcl_connection_mark(connection);
        if (error != 0) {
            handshake_ended(connection, error);
            return;
        }
        go_on = decide(connection);
        if (connection->state != GCL_CONNECTION_SHAKING)
            return;
        step_taken(connection);
        if (gcl_handshake_state(connection->handshake) == GCL_HANDSHAKE_DONE) {
            handshake_done(connection);
            return;
        }
    }
}

void gcl_connection_shake_closed(struct gcl_connection *connection, const char *why)
{
    int error = gcl_handshake_closed(connection->handshake);
    if (error != 0)
        handshake_ended(connection, error);
    else
        gcl_connection_end(connection, GCL_ECLOSED, why);
}

void gcl_connection_admit(struct gcl_connection *connection, enum gcl_handshake_status status,
                          struct gcl_str name, uint32_t creation)
{
    if (connection->state != GCL_CONNECTION_SHAKING)
        return;
    int error =
        gcl_handshake_admit(connection->handshake, status, name, creation, &connection->output);
    if (error == GCL_EINVAL)
        return;
    gcl_connection_mark(connection);
    if (error != 0) {
        /* Refused: the status leaves first, then it is over. */
        gcl_connection_write(connection);
        gcl_connection_fail(connection, error, "the peer was not admitted");
    }
}

/* --- dialled or accepted -------------------------------------------------------------------- */

static struct gcl_connection *make(struct gcl_connections *connections, size_t addresses,
                                   void *user)
{
    struct gcl_connection *connection = gcl_alloc_zero(
        connections->mem, sizeof *connection + addresses * sizeof(struct gcl_address));
    if (connection == NULL)
        return NULL;
    connection->shared = connections;
    connection->user = user;
    connection->fd = -1;
    connection->guarded = GCL_GUARD_NONE;
    connection->address_count = addresses;
    gcl_deadline_init(&connection->deadline, gcl_connection_expired);
    gcl_buffer_init(&connection->input, connections->mem, 0);
    gcl_buffer_init(&connection->output, connections->mem, 0);
    gcl_list_init(&connection->dirty);
    gcl_list_init(&connection->backlog);
    connection->handshake = gcl_alloc_zero(connections->mem, sizeof *connection->handshake);
    if (connection->handshake == NULL) {
        gcl_free(connections->mem, connection);
        return NULL;
    }
    return connection;
}

int gcl_connection_dial(struct gcl_connections *connections, const struct gcl_address *addresses,
                        size_t count, const struct gcl_handshake_config *config, void *user,
                        struct gcl_connection **out)
{
    if (count == 0)
        return GCL_EINVAL;
    if (count > ADDRESSES_MAX)
        count = ADDRESSES_MAX;
    struct gcl_connection *connection = make(connections, count, user);
    if (connection == NULL)
        return GCL_ENOMEM;
    memcpy(connection->addresses, addresses, count * sizeof *addresses);
    int error = gcl_handshake_connect(connection->handshake, config, &connection->output);
    /* The first attempt starts from the timer, because no callback may come before return. */
    if (error == 0)
        error = gcl_loop_set(connections->loop, &connection->deadline, 0);
    if (error != 0) {
        gcl_connection_close(connection);
        return error;
    }
    *out = connection;
    return 0;
}

int gcl_connection_accept(struct gcl_connections *connections, int fd,
                          const struct gcl_handshake_config *config, void *user,
                          struct gcl_connection **out)
{
    struct gcl_loop *loop = connections->loop;
    struct gcl_connection *connection = make(connections, 0, user);
    if (connection == NULL) {
        (void)close(fd);
        return GCL_ENOMEM;
    }
    connection->state = GCL_CONNECTION_SHAKING;
    int error = gcl_connection_set_socket(connection, fd);
    if (error == 0)
        error = gcl_handshake_accept(connection->handshake, config);
    if (error == 0)
        error = gcl_loop_set(loop, &connection->deadline,
                             gcl_loop_now_ms(loop) + connections->setup_timeout_ms);
    if (error != 0) {
        gcl_connection_close(connection);
        return error;
    }
    gcl_watch_read(&connection->watch, true);
    *out = connection;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in over a connection: one read, then a bounded number of frames. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/connection_impl.h"
#include "wire/frame.h"

enum {
    READ_BYTES = 16 * 1024, /* least room for a read */
    FRAMES_PER_TURN = 256,
};

/* Memory is given for what has come, not for what was announced: at most as much again. */
static void make_room(struct gcl_connection *connection, size_t missing)
{
    size_t most = gcl_buffer_size(&connection->input);
    int error = 0;
    if (most < READ_BYTES)
        most = READ_BYTES;
    size_t room = missing < READ_BYTES ? READ_BYTES : missing;
    if (gcl_buffer_room(&connection->input, room < most ? room : most, &error) == NULL)
        gcl_connection_end(connection, error, "no memory for a frame");
    else
        gcl_watch_read(&connection->watch, true);
}

void gcl_connection_frames(struct gcl_connection *connection)
{
    const struct gcl_connection_events *events = connection->shared->events;
    struct gcl_buffer *input = &connection->input;
    struct gcl_frame frame;
    const char *why = "malformed frame";
    for (unsigned left = FRAMES_PER_TURN;
         connection->state == GCL_CONNECTION_UP && connection->failure == 0;) {
        if (gcl_frame_cut(input, connection->shared->frame_bytes, &frame) != 0) {
            gcl_connection_end(connection, GCL_ELIMIT,
                               "the peer announced a frame larger than frame_bytes");
            return;
        }
        if (frame.kind == GCL_FRAME_MORE) {
            make_room(connection, frame.missing);
            return;
        }
        if (left-- == 0) {
            /* The rest waits for the next turn, and the socket with it. */
            gcl_watch_read(&connection->watch, false);
            gcl_list_add_last(&connection->shared->backlog, &connection->backlog);
            gcl_loop_again(connection->shared->loop);
            return;
        }
        connection->counters.frames_in++;
        bool good = frame.kind == GCL_FRAME_TICK || events->frame(connection, frame.body, &why);
        if (connection->state != GCL_CONNECTION_UP)
            return;
        gcl_buffer_take(input, frame.size);
        if (!good) {
            gcl_connection_end(connection, GCL_EPROTO, why);
            return;
        }
    }
}

static void received_end(struct gcl_connection *connection, const char *why)
{
    if (connection->state == GCL_CONNECTION_SHAKING)
        gcl_connection_shake_closed(connection, why);
    else
        gcl_connection_end(connection, GCL_ECLOSED, why);
}

static void read_in(struct gcl_connection *connection)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(&connection->input, READ_BYTES, &error);
    if (room == NULL) {
        gcl_connection_end(connection, error, "no memory to read");
        return;
    }
    ssize_t got = read(connection->fd, room, gcl_buffer_spare(&connection->input));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        received_end(connection, got == 0 ? "the peer closed the connection" : strerror(errno));
        return;
    }
    gcl_buffer_added(&connection->input, (size_t)got);
    connection->counters.bytes_in += (uint64_t)got;
    connection->counters.reads++;
    if (connection->state == GCL_CONNECTION_SHAKING)
        gcl_connection_shake(connection);
    else if (connection->state == GCL_CONNECTION_UP)
        gcl_connection_frames(connection);
    else
        gcl_buffer_clear(&connection->input); /* finishing: nobody listens any more */
}

void gcl_connection_readable(struct gcl_watch *watch)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(watch, struct gcl_connection, watch);
    gcl_connection_enter(connection);
    read_in(connection);
    gcl_connection_leave(connection);
}

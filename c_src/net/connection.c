/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/platform.h"
#include "wire/frame.h"

enum {
    READ_BYTES = 16 * 1024,  /* least room for a read */
    FLUSH_BYTES = 64 * 1024, /* output of this size does not wait for the end of the turn */
    KEEP_BYTES = 4 * 1024,   /* room an idle connection keeps */
    FRAMES_PER_TURN = 256,
    DETAIL_BYTES = 400,
    ADDRESSES_MAX = 8,
};

enum state {
    CONNECTING, /* TCP */
    SHAKING,    /* the handshake */
    UP,
    FINISHING, /* output leaves, then it is over */
    CLOSED,
};

struct gcl_connection {
    struct gcl_connections *shared;
    void *user;
    enum state state;
    unsigned depth; /* of callbacks under way; it is freed when none is */
    int fd;
    struct gcl_watch watch;
    struct gcl_deadline deadline; /* of a step, then of ticks, then of finishing */
    struct gcl_buffer input;
    struct gcl_buffer output;
    struct gcl_list dirty;
    struct gcl_list backlog;
    struct gcl_handshake *handshake;
    unsigned step;
    bool was_busy;
    int failure; /* to be reported at the end of the turn */
    const char *failure_detail;
    unsigned silent_checks;
    uint64_t bytes_in_at_check;
    uint64_t bytes_out_at_check;
    struct gcl_connection_counters counters;
    size_t next_address;
    size_t address_count;
    struct gcl_address addresses[]; /* of a dialled one */
};

void gcl_connections_init(struct gcl_connections *connections)
{
    gcl_list_init(&connections->dirty);
    gcl_list_init(&connections->backlog);
}

/* --- life ----------------------------------------------------------------------------------- */

static void drop_handshake(struct gcl_connection *connection)
{
    if (connection->handshake == NULL)
        return;
    gcl_handshake_fini(connection->handshake);
    gcl_free(connection->shared->mem, connection->handshake);
    connection->handshake = NULL;
}

static void close_socket(struct gcl_connection *connection)
{
    if (connection->fd < 0)
        return;
    gcl_watch_stop(&connection->watch);
    (void)close(connection->fd);
    connection->fd = -1;
}

static void release(struct gcl_connection *connection)
{
    if (connection->depth > 0 || connection->state != CLOSED)
        return;
    gcl_buffer_fini(&connection->input);
    gcl_buffer_fini(&connection->output);
    drop_handshake(connection);
    gcl_free(connection->shared->mem, connection);
}

static void enter(struct gcl_connection *connection)
{
    connection->depth++;
}

/* After it the connection may be gone. */
static void leave(struct gcl_connection *connection)
{
    connection->depth--;
    release(connection);
}

static void shut(struct gcl_connection *connection)
{
    connection->state = CLOSED;
    close_socket(connection);
    gcl_loop_cancel(connection->shared->loop, &connection->deadline);
    gcl_list_remove(&connection->dirty);
    gcl_list_remove(&connection->backlog);
}

void gcl_connection_close(struct gcl_connection *connection)
{
    if (connection->state == CLOSED)
        return;
    shut(connection);
    release(connection);
}

/* The one way in which a connection ends by itself. */
static void end(struct gcl_connection *connection, int error, const char *detail)
{
    char text[DETAIL_BYTES];
    if (connection->state == CLOSED)
        return;
    (void)snprintf(text, sizeof text, "%s", detail);
    shut(connection);
    enter(connection);
    connection->shared->events->down(connection, error, text);
    leave(connection);
}

static void mark_dirty(struct gcl_connection *connection)
{
    if (gcl_list_is_empty(&connection->dirty))
        gcl_list_add_last(&connection->shared->dirty, &connection->dirty);
}

void gcl_connection_fail(struct gcl_connection *connection, int error, const char *detail)
{
    if (connection->state == CLOSED || connection->failure != 0)
        return;
    connection->failure = error;
    connection->failure_detail = detail;
    mark_dirty(connection);
}

/* --- deadlines ------------------------------------------------------------------------------ */

static void set_deadline(struct gcl_connection *connection, uint64_t after_ms)
{
    struct gcl_loop *loop = connection->shared->loop;
    if (gcl_loop_set(loop, &connection->deadline, gcl_loop_now_ms(loop) + after_ms) != 0)
        gcl_connection_fail(connection, GCL_ENOMEM, "no memory for a deadline");
}

static void step_taken(struct gcl_connection *connection)
{
    unsigned step = gcl_handshake_step(connection->handshake);
    if (step == connection->step)
        return;
    connection->step = step;
    set_deadline(connection, connection->shared->setup_timeout_ms);
}

/*
 * spec: net_kernel's ticker: something is sent in each interval, and a peer that was silent for
 * net_tickintensity intervals is gone. Bytes count, so that a large frame may take its time.
 */
static void check_ticks(struct gcl_connection *connection)
{
    struct gcl_connection_counters *counters = &connection->counters;
    if (counters->bytes_in != connection->bytes_in_at_check)
        connection->silent_checks = 0;
    else if (++connection->silent_checks >= connection->shared->tick_intensity) {
        end(connection, GCL_ETIMEOUT, "nothing was heard from the peer for net_ticktime");
        return;
    } else {
        gcl_buffer_shrink(&connection->input, KEEP_BYTES);
        gcl_buffer_shrink(&connection->output, KEEP_BYTES);
    }
    if (counters->bytes_out == connection->bytes_out_at_check &&
        gcl_buffer_size(&connection->output) == 0) {
        if (gcl_frame_append_tick(&connection->output) == 0)
            mark_dirty(connection);
    }
    connection->bytes_in_at_check = counters->bytes_in;
    connection->bytes_out_at_check = counters->bytes_out;
    set_deadline(connection, connection->shared->tick_interval_ms);
}

static void try_next_address(struct gcl_connection *connection, const char *why);

static void on_deadline(struct gcl_deadline *deadline)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(deadline, struct gcl_connection, deadline);
    char text[DETAIL_BYTES];
    switch (connection->state) {
    case CONNECTING:
        try_next_address(connection, "timeout");
        return;
    case SHAKING:
        (void)snprintf(text, sizeof text, "handshake: timeout while %s",
                       gcl_handshake_state_name(gcl_handshake_state(connection->handshake)));
        end(connection, GCL_ETIMEOUT, text);
        return;
    case UP:
        check_ticks(connection);
        return;
    case FINISHING:
        end(connection, 0, "closed with output left");
        return;
    case CLOSED:
        return;
    }
}

/* --- output --------------------------------------------------------------------------------- */

struct gcl_buffer *gcl_connection_output(struct gcl_connection *connection)
{
    return &connection->output;
}

/* Writes what the socket takes. Failures are told at the end of the turn. */
static void write_out(struct gcl_connection *connection)
{
    struct gcl_buffer *output = &connection->output;
    while (gcl_buffer_size(output) > 0) {
        ssize_t sent =
            gcl_socket_send(connection->fd, gcl_buffer_bytes(output), gcl_buffer_size(output));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (sent < 0) {
            gcl_connection_fail(connection, GCL_ECLOSED, "the peer closed the connection");
            return;
        }
        gcl_buffer_take(output, (size_t)sent);
        connection->counters.bytes_out += (uint64_t)sent;
        connection->counters.writes++;
    }
    gcl_watch_write(&connection->watch, gcl_buffer_size(output) > 0);
}

void gcl_connection_written(struct gcl_connection *connection, size_t frames)
{
    connection->counters.frames_out += frames;
    if (connection->state == CLOSED || connection->state == CONNECTING)
        return;
    mark_dirty(connection);
    if (gcl_buffer_size(&connection->output) >= FLUSH_BYTES)
        write_out(connection);
    if (gcl_buffer_size(&connection->output) > connection->shared->output_hard_bytes)
        gcl_connection_fail(connection, GCL_ELIMIT,
                            "more output is queued than output_hard_bytes allows");
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
        end(connection, connection->failure, connection->failure_detail);
        return;
    }
    if (connection->state == FINISHING && size == 0) {
        end(connection, 0, "closed");
        return;
    }
    if (!connection->was_busy || size >= connection->shared->output_soft_bytes / 2)
        return;
    connection->was_busy = false;
    if (connection->state == UP)
        connection->shared->events->writable(connection);
}

static void on_writable(struct gcl_watch *watch);

/* --- dialling ------------------------------------------------------------------------------- */

static void on_readable(struct gcl_watch *watch);
static void shake(struct gcl_connection *connection);

static void watch_socket(struct gcl_connection *connection, int fd)
{
    connection->fd = fd;
    gcl_socket_set_nodelay(fd);
    gcl_watch_init(&connection->watch, connection->shared->loop, fd, on_readable, on_writable);
}

static bool begin_connect(struct gcl_connection *connection, const struct gcl_address *address)
{
    int fd = gcl_socket_open(address->socket.any.sa_family);
    if (fd < 0)
        return false;
    if (connect(fd, &address->socket.any, address->size) != 0 && errno != EINPROGRESS) {
        (void)close(fd);
        return false;
    }
    watch_socket(connection, fd);
    gcl_watch_write(&connection->watch, true);
    set_deadline(connection, connection->shared->setup_timeout_ms);
    return true;
}

static void try_next_address(struct gcl_connection *connection, const char *why)
{
    char text[DETAIL_BYTES], where[GCL_ADDRESS_TEXT_BYTES] = "";
    close_socket(connection);
    while (connection->next_address < connection->address_count) {
        const struct gcl_address *address = &connection->addresses[connection->next_address++];
        if (begin_connect(connection, address))
            return;
        why = strerror(errno);
    }
    gcl_address_print(&connection->addresses[connection->address_count - 1], where);
    (void)snprintf(text, sizeof text, "connect to %s: %s", where, why);
    end(connection, GCL_ENOCONNECTION, text);
}

static void tcp_connected(struct gcl_connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    gcl_watch_write(&connection->watch, false);
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        try_next_address(connection, strerror(error));
        return;
    }
    /* Our name has been in the output since the beginning. */
    connection->state = SHAKING;
    set_deadline(connection, connection->shared->setup_timeout_ms);
    gcl_watch_read(&connection->watch, true);
    mark_dirty(connection);
}

static void on_writable(struct gcl_watch *watch)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(watch, struct gcl_connection, watch);
    enter(connection);
    if (connection->state == CONNECTING) {
        tcp_connected(connection);
    } else {
        write_out(connection);
        output_left(connection);
    }
    leave(connection);
}

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
    connection->address_count = addresses;
    gcl_deadline_init(&connection->deadline, on_deadline);
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

static void unmake(struct gcl_connection *connection)
{
    shut(connection);
    release(connection);
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
        unmake(connection);
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
    watch_socket(connection, fd);
    connection->state = SHAKING;
    int error = gcl_handshake_accept(connection->handshake, config);
    if (error == 0)
        error = gcl_loop_set(loop, &connection->deadline,
                             gcl_loop_now_ms(loop) + connections->setup_timeout_ms);
    if (error != 0) {
        unmake(connection);
        return error;
    }
    gcl_watch_read(&connection->watch, true);
    *out = connection;
    return 0;
}

/* --- handshake ------------------------------------------------------------------------------ */

static void handshake_ended(struct gcl_connection *connection, int error)
{
    char text[DETAIL_BYTES];
    /* What is queued may tell the peer why, so it gets one chance to leave. */
    write_out(connection);
    (void)snprintf(text, sizeof text, "handshake: %s", connection->handshake->detail);
    end(connection, error, text);
}

static void handshake_done(struct gcl_connection *connection)
{
    const struct gcl_connection_events *events = connection->shared->events;
    connection->state = UP;
    set_deadline(connection, connection->shared->tick_interval_ms);
    events->up(connection, connection->handshake);
    drop_handshake(connection);
    if (connection->state == UP && gcl_buffer_size(&connection->input) > 0) {
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
        return connection->state == SHAKING &&
               gcl_handshake_state(handshake) != GCL_HANDSHAKE_ADMIT;
    case GCL_HANDSHAKE_ALIVE:
        error = gcl_handshake_answer(handshake, events->alive(connection), &connection->output);
        break;
    case GCL_HANDSHAKE_CONFIRM:
        events->proven(connection);
        if (connection->state == SHAKING)
            error = gcl_handshake_confirm(handshake, &connection->output);
        break;
    default: /* nothing to decide: it waits for the peer */
        return false;
    }
    if (connection->state != SHAKING)
        return false;
    if (error != 0)
        handshake_ended(connection, error);
    return error == 0;
}

/* Feeds what was received until the handshake waits for more, or is over. */
static void shake(struct gcl_connection *connection)
{
    bool go_on = true;
    while (go_on && connection->state == SHAKING) {
        size_t consumed = 0;
        struct gcl_buffer *input = &connection->input;
        int error = gcl_handshake_feed(connection->handshake, gcl_buffer_bytes(input),
                                       gcl_buffer_size(input), &consumed, &connection->output);
        gcl_buffer_take(input, consumed);
        mark_dirty(connection);
        if (error != 0) {
            handshake_ended(connection, error);
            return;
        }
        go_on = decide(connection);
        if (connection->state != SHAKING)
            return;
        step_taken(connection);
        if (gcl_handshake_state(connection->handshake) == GCL_HANDSHAKE_DONE) {
            handshake_done(connection);
            return;
        }
    }
}

void gcl_connection_admit(struct gcl_connection *connection, enum gcl_handshake_status status,
                          struct gcl_str name, uint32_t creation)
{
    if (connection->state != SHAKING)
        return;
    int error =
        gcl_handshake_admit(connection->handshake, status, name, creation, &connection->output);
    if (error == GCL_EINVAL)
        return;
    mark_dirty(connection);
    if (error != 0) {
        /* Refused: the status leaves first, then it is over. */
        write_out(connection);
        gcl_connection_fail(connection, error, "the peer was not admitted");
    }
}

/* --- input ---------------------------------------------------------------------------------- */

static void frames(struct gcl_connection *connection)
{
    const struct gcl_connection_events *events = connection->shared->events;
    struct gcl_buffer *input = &connection->input;
    struct gcl_frame frame;
    const char *why = "malformed frame";
    for (unsigned left = FRAMES_PER_TURN; connection->state == UP && connection->failure == 0;) {
        if (gcl_frame_cut(input, connection->shared->frame_bytes, &frame) != 0) {
            end(connection, GCL_ELIMIT, "the peer announced a frame larger than frame_bytes");
            return;
        }
        if (frame.kind == GCL_FRAME_MORE) {
            int error = 0;
            size_t room = frame.missing > READ_BYTES ? frame.missing : READ_BYTES;
            if (gcl_buffer_room(input, room, &error) == NULL)
                end(connection, error, "no memory for a frame");
            else
                gcl_watch_read(&connection->watch, true);
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
        if (connection->state != UP)
            return;
        gcl_buffer_take(input, frame.size);
        if (!good) {
            end(connection, GCL_EPROTO, why);
            return;
        }
    }
}

static void received_end(struct gcl_connection *connection, const char *why)
{
    if (connection->state == SHAKING) {
        int error = gcl_handshake_closed(connection->handshake);
        if (error != 0) {
            handshake_ended(connection, error);
            return;
        }
    }
    end(connection, GCL_ECLOSED, why);
}

static void read_in(struct gcl_connection *connection)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(&connection->input, READ_BYTES, &error);
    if (room == NULL) {
        end(connection, error, "no memory to read");
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
    if (connection->state == SHAKING)
        shake(connection);
    else if (connection->state == UP)
        frames(connection);
    else
        gcl_buffer_clear(&connection->input); /* finishing: nobody listens any more */
}

static void on_readable(struct gcl_watch *watch)
{
    struct gcl_connection *connection = GCL_CONTAINER_OF(watch, struct gcl_connection, watch);
    enter(connection);
    read_in(connection);
    leave(connection);
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
        enter(connection);
        frames(connection);
        leave(connection);
    }
    gcl_list_move_all(&now, &connections->dirty);
    while ((at = gcl_list_first(&now)) != NULL) {
        struct gcl_connection *connection = GCL_CONTAINER_OF(at, struct gcl_connection, dirty);
        gcl_list_remove(at);
        enter(connection);
        if (connection->fd >= 0 && connection->state != CONNECTING)
            write_out(connection);
        /* write_out() may have marked it again, for a failure that is told right here. */
        gcl_list_remove(&connection->dirty);
        output_left(connection);
        leave(connection);
    }
    /* Callbacks of this very turn have queued more, or left more frames over. */
    if (!gcl_list_is_empty(&connections->dirty) || !gcl_list_is_empty(&connections->backlog))
        gcl_loop_again(connections->loop);
}

void gcl_connection_finish(struct gcl_connection *connection, unsigned timeout_ms)
{
    if (connection->state == CLOSED || connection->state == FINISHING)
        return;
    if (connection->state != UP) {
        gcl_connection_fail(connection, GCL_ECANCELED, "closed before it was up");
        return;
    }
    connection->state = FINISHING;
    gcl_watch_read(&connection->watch, true);
    gcl_list_remove(&connection->backlog);
    set_deadline(connection, timeout_ms);
    mark_dirty(connection);
}

/* --- the rest ------------------------------------------------------------------------------- */

void *gcl_connection_user(const struct gcl_connection *connection)
{
    return connection->user;
}

void gcl_connection_set_user(struct gcl_connection *connection, void *user)
{
    connection->user = user;
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

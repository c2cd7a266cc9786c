/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/crypto.h"
#include "wire/flags.h"
#include "wire/frame.h"

enum { SOCKET_BYTES = 4096, READ_BYTES = 65536 };

static size_t sendable(const struct raw *raw)
{
    size_t size = gcl_buffer_size(&raw->out);
    size_t left = raw->most_bytes - raw->sent;
    return raw->is_up || size < left ? size : left;
}

static void flush(struct raw *raw)
{
    while (sendable(raw) > 0) {
        ssize_t sent = send(raw->fd, gcl_buffer_bytes(&raw->out), sendable(raw), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        gcl_buffer_take(&raw->out, (size_t)sent);
        raw->sent += (size_t)sent;
    }
}

static void closed(struct raw *raw)
{
    ev_io_stop(world.loop, &raw->io);
    (void)close(raw->fd);
    raw->fd = -1;
    raw->is_closed = true;
    ev_break(world.loop, EVBREAK_ONE);
}

static void decide(struct raw *raw)
{
    int error = 0;
    struct gcl_str none = gcl_str_make(NULL, 0);
    if (gcl_handshake_state(&raw->handshake) == GCL_HANDSHAKE_ADMIT)
        error = gcl_handshake_admit(&raw->handshake, raw->status, none, 0, &raw->out);
    else if (gcl_handshake_state(&raw->handshake) == GCL_HANDSHAKE_ALIVE)
        error = gcl_handshake_answer(&raw->handshake, true, &raw->out);
    else if (gcl_handshake_state(&raw->handshake) == GCL_HANDSHAKE_CONFIRM)
        error = gcl_handshake_confirm(&raw->handshake, &raw->out);
    cr_assert(error == 0 || error == GCL_ECANCELED || error == GCL_EREFUSED);
}

static void shake(struct raw *raw)
{
    size_t consumed = 0;
    if (raw->answered == raw->steps) {
        gcl_buffer_clear(&raw->in);
        return;
    }
    int error = gcl_handshake_feed(&raw->handshake, gcl_buffer_bytes(&raw->in),
                                   gcl_buffer_size(&raw->in), &consumed, &raw->out);
    if (error != 0) {
        closed(raw);
        return;
    }
    gcl_buffer_take(&raw->in, consumed);
    decide(raw);
    raw->answered++;
    flush(raw);
    raw->is_up = gcl_handshake_state(&raw->handshake) == GCL_HANDSHAKE_DONE;
    if (gcl_handshake_state(&raw->handshake) == GCL_HANDSHAKE_FAILED)
        closed(raw);
    if (raw->is_up && raw->stops_reading)
        ev_io_stop(world.loop, &raw->io);
}

static void frames(struct raw *raw)
{
    struct gcl_frame frame;
    struct gcl_control control;
    struct gcl_control_scratch scratch;
    const char *why;
    for (;;) {
        cr_assert_eq(gcl_frame_cut(&raw->in, UINT32_MAX, &frame), 0);
        if (frame.kind == GCL_FRAME_MORE)
            return;
        raw->ticks += frame.kind == GCL_FRAME_TICK;
        if (frame.kind == GCL_FRAME_BODY && raw->frame != NULL) {
            cr_assert_eq(gcl_control_decode(frame.body, &control, &scratch, &why), 0, "%s", why);
            raw->frame(raw, &control);
        }
        gcl_buffer_take(&raw->in, frame.size);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct raw *raw = io->data;
    int error = 0;
    (void)loop;
    (void)events;
    uint8_t *room = gcl_buffer_room(&raw->in, READ_BYTES, &error);
    cr_assert_not_null(room);
    ssize_t got = read(raw->fd, room, READ_BYTES);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        closed(raw);
        return;
    }
    gcl_buffer_added(&raw->in, (size_t)got);
    if (!raw->is_up)
        shake(raw);
    if (raw->is_up)
        frames(raw);
}

static void watch(struct raw *raw, int fd)
{
    raw->fd = fd;
    raw->is_up = raw->is_closed = false;
    raw->answered = 0;
    raw->sent = 0;
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ev_io_init(&raw->io, on_readable, fd, EV_READ);
    raw->io.data = raw;
    ev_io_start(world.loop, &raw->io);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct raw *raw = io->data;
    (void)loop;
    (void)events;
    int fd = accept(raw->listening, NULL, NULL);
    cr_assert_geq(fd, 0);
    cr_assert_eq(raw->fd, -1, "one connection at a time");
    gcl_handshake_fini(&raw->handshake);
    cr_assert_eq(gcl_handshake_accept(&raw->handshake, &raw->config), 0);
    watch(raw, fd);
}

void raw_init(struct raw *raw, const char *alive)
{
    memset(raw, 0, sizeof *raw);
    raw->listening = raw->fd = -1;
    raw->steps = UINT_MAX;
    raw->most_bytes = SIZE_MAX;
    (void)snprintf(raw->name, sizeof raw->name, "%s@127.0.0.1", alive);
    gcl_buffer_init(&raw->in, &world.mem.allocator, 0);
    gcl_buffer_init(&raw->out, &world.mem.allocator, 0);
    raw->config.name = gcl_str_of(raw->name);
    raw->config.creation = 77;
    raw->config.flags = GCL_FLAGS_RECOMMENDED;
    raw->config.cookie = gcl_str_of("world");
    raw->config.challenge = 4711;
    raw->config.digest = gcl_crypto_md5;
}

/* Small buffers of the kernel, so that what is not read comes to be the node's soon. */
static int open_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int size = SOCKET_BYTES;
    cr_assert_geq(fd, 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    return fd;
}

void raw_listen(struct raw *raw, struct world_node *node)
{
    struct gcl_address address;
    raw->listening = open_socket();
    cr_assert(gcl_address_parse("127.0.0.1", 0, &address));
    cr_assert_eq(bind(raw->listening, &address.socket.any, address.size), 0);
    cr_assert_eq(listen(raw->listening, 8), 0);
    cr_assert_eq(getsockname(raw->listening, &address.socket.any, &address.size), 0);
    uint16_t port = gcl_address_port(&address);
    cr_assert_eq(gcl_node_set_address(node->node, raw->name, "127.0.0.1", port), 0);
    ev_io_init(&raw->listener, on_accept, raw->listening, EV_READ);
    raw->listener.data = raw;
    ev_io_start(world.loop, &raw->listener);
}

void raw_dial(struct raw *raw, const struct world_node *node)
{
    struct gcl_address address;
    int fd = open_socket();
    cr_assert(gcl_address_parse("127.0.0.1", gcl_node_port(node->node), &address));
    cr_assert_eq(connect(fd, &address.socket.any, address.size), 0);
    raw->config.peer = gcl_str_of(node->name);
    gcl_handshake_fini(&raw->handshake);
    cr_assert_eq(gcl_handshake_connect(&raw->handshake, &raw->config, &raw->out), 0);
    watch(raw, fd);
    flush(raw);
}

static struct raw *awaited;

static bool is_up(void)
{
    return awaited->is_up;
}

void raw_join(struct raw *raw, const struct world_node *node)
{
    raw_dial(raw, node);
    awaited = raw;
    world_until(is_up);
}

void raw_send(struct raw *raw, const void *bytes, size_t size)
{
    cr_assert_eq(gcl_buffer_append(&raw->out, bytes, size), 0);
    flush(raw);
}

void raw_signal(struct raw *raw, const struct gcl_control *control)
{
    cr_assert_eq(gcl_control_encode(&raw->out, raw->handshake.flags, control), 0);
    flush(raw);
}

void raw_read_on(struct raw *raw)
{
    raw->stops_reading = false;
    ev_io_start(world.loop, &raw->io);
}

void raw_close(struct raw *raw)
{
    if (raw->fd >= 0) {
        ev_io_stop(world.loop, &raw->io);
        (void)close(raw->fd);
        raw->fd = -1;
    }
    if (raw->listening >= 0) {
        ev_io_stop(world.loop, &raw->listener);
        (void)close(raw->listening);
        raw->listening = -1;
    }
    gcl_handshake_fini(&raw->handshake);
    gcl_buffer_fini(&raw->in);
    gcl_buffer_fini(&raw->out);
}

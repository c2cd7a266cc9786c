/* SPDX-License-Identifier: Apache-2.0 */
#include "net/epmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/platform.h"

enum {
    RETRY_MIN_MS = 500,
    RETRY_MAX_MS = 10000,
};

/* --- one exchange --------------------------------------------------------------------------- */

static void exchange_close(struct gcl_epmd_exchange *exchange)
{
    if (exchange->fd >= 0) {
        gcl_watch_stop(&exchange->watch);
        gcl_guard_remove(exchange->guard, &exchange->guarded);
        (void)close(exchange->fd);
        exchange->fd = -1;
    }
    gcl_loop_cancel(exchange->loop, &exchange->deadline);
    gcl_buffer_fini(&exchange->request);
    gcl_buffer_fini(&exchange->reply);
}

static void exchange_write(struct gcl_epmd_exchange *exchange)
{
    struct gcl_buffer *request = &exchange->request;
    ssize_t sent =
        gcl_socket_send(exchange->fd, gcl_buffer_bytes(request), gcl_buffer_size(request));
    if (sent > 0)
        gcl_buffer_take(request, (size_t)sent);
    gcl_watch_write(&exchange->watch, gcl_buffer_size(request) > 0);
}

static void on_writable(struct gcl_watch *watch)
{
    struct gcl_epmd_exchange *exchange = GCL_CONTAINER_OF(watch, struct gcl_epmd_exchange, watch);
    int error = 0;
    socklen_t size = sizeof error;
    if (!exchange->is_connected) {
        if (getsockopt(exchange->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
            exchange->progress(exchange, GCL_EEPMD);
            return;
        }
        exchange->is_connected = true;
        gcl_watch_read(watch, true);
    }
    exchange_write(exchange);
}

static void on_readable(struct gcl_watch *watch)
{
    struct gcl_epmd_exchange *exchange = GCL_CONTAINER_OF(watch, struct gcl_epmd_exchange, watch);
    int error = 0;
    uint8_t *room = gcl_buffer_room(&exchange->reply, 512, &error);
    ssize_t got = room == NULL ? -1 : read(exchange->fd, room, 512);
    if (got < 0 && room != NULL && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        exchange->progress(exchange, GCL_EEPMD);
        return;
    }
    gcl_buffer_added(&exchange->reply, (size_t)got);
    exchange->progress(exchange, 0);
}

static void on_deadline(struct gcl_deadline *deadline)
{
    struct gcl_epmd_exchange *exchange =
        GCL_CONTAINER_OF(deadline, struct gcl_epmd_exchange, deadline);
    exchange->progress(exchange, GCL_EEPMD);
}

static void exchange_init(struct gcl_epmd_exchange *exchange, struct gcl_loop *loop,
                          const gcl_allocator *mem,
                          void (*progress)(struct gcl_epmd_exchange *, int))
{
    memset(exchange, 0, sizeof *exchange);
    exchange->loop = loop;
    exchange->fd = -1;
    exchange->guarded = GCL_GUARD_NONE;
    exchange->progress = progress;
    gcl_deadline_init(&exchange->deadline, on_deadline);
    gcl_buffer_init(&exchange->request, mem, 0);
    gcl_buffer_init(&exchange->reply, mem, GCL_EPMD_REPLY_MAX_BYTES + 512);
}

static bool exchange_connect(struct gcl_epmd_exchange *exchange, const struct gcl_address *epmd)
{
    exchange->fd = gcl_socket_open(epmd->socket.any.sa_family);
    if (exchange->fd < 0)
        return false;
    gcl_watch_init(&exchange->watch, exchange->loop, exchange->fd, on_readable, on_writable);
    if (connect(exchange->fd, &epmd->socket.any, epmd->size) != 0 && errno != EINPROGRESS)
        return false;
    return gcl_guard_add(exchange->guard, exchange->fd, &exchange->guarded) == 0;
}

/* The request has been appended. A connect that fails at once is told by the deadline. */
static int exchange_start(struct gcl_epmd_exchange *exchange, const struct gcl_address *epmd,
                          unsigned timeout_ms)
{
    uint64_t now_ms = gcl_loop_now_ms(exchange->loop);
    bool is_started = exchange_connect(exchange, epmd);
    if (is_started)
        gcl_watch_write(&exchange->watch, true);
    return gcl_loop_set(exchange->loop, &exchange->deadline,
                        now_ms + (is_started ? timeout_ms : 0));
}

/* --- lookups -------------------------------------------------------------------------------- */

static void lookup_ended(struct gcl_epmd_lookup *lookup, int error, uint16_t port,
                         const char *detail)
{
    exchange_close(&lookup->exchange);
    lookup->found(lookup, error, port, detail);
}

static void lookup_progress(struct gcl_epmd_exchange *exchange, int error)
{
    struct gcl_epmd_lookup *lookup = GCL_CONTAINER_OF(exchange, struct gcl_epmd_lookup, exchange);
    struct gcl_epmd_port reply;
    bool done = false;
    if (error != 0) {
        lookup_ended(lookup, GCL_EEPMD, 0, "epmd cannot be reached or did not answer");
        return;
    }
    struct gcl_str bytes =
        gcl_str_make(gcl_buffer_bytes(&exchange->reply), gcl_buffer_size(&exchange->reply));
    if (gcl_epmd_decode_port(bytes, &reply, &done) != 0) {
        lookup_ended(lookup, GCL_EEPMD, 0, "epmd's answer is malformed");
    } else if (done && reply.result != 0) {
        lookup_ended(lookup, GCL_EEPMD, 0, "epmd does not know the node: it is not running");
    } else if (done) {
        lookup->version = reply.version_high;
        lookup_ended(lookup, 0, reply.port, "");
    }
}

int gcl_epmd_lookup_start(struct gcl_epmd_lookup *lookup, struct gcl_loop *loop,
                          const gcl_allocator *mem, const struct gcl_address *epmd,
                          struct gcl_str alive, unsigned timeout_ms,
                          void (*found)(struct gcl_epmd_lookup *, int, uint16_t, const char *))
{
    exchange_init(&lookup->exchange, loop, mem, lookup_progress);
    lookup->found = found;
    int error = gcl_epmd_append_port_please(&lookup->exchange.request, alive);
    if (error == 0)
        error = exchange_start(&lookup->exchange, epmd, timeout_ms);
    if (error != 0)
        exchange_close(&lookup->exchange);
    return error;
}

void gcl_epmd_lookup_cancel(struct gcl_epmd_lookup *lookup)
{
    exchange_close(&lookup->exchange);
}

/* --- registration --------------------------------------------------------------------------- */

static void register_progress(struct gcl_epmd_exchange *exchange, int error);

static void try_again(struct gcl_epmd_registration *registration)
{
    struct gcl_loop *loop = registration->exchange.loop;
    unsigned wait_ms = (unsigned)RETRY_MIN_MS
                       << (registration->tries < 5 ? registration->tries : 5);
    registration->tries++;
    if (wait_ms > RETRY_MAX_MS)
        wait_ms = RETRY_MAX_MS;
    if (gcl_loop_set(loop, &registration->retry, gcl_loop_now_ms(loop) + wait_ms) != 0)
        gcl_log(registration->log, GCL_LOG_ERROR, "epmd_given_up",
                "no memory to register with epmd again");
}

static void register_failed(struct gcl_epmd_registration *registration, int error)
{
    exchange_close(&registration->exchange);
    registration->is_registered = false;
    registration->is_repeated = registration->last_error == error;
    registration->last_error = error;
    registration->registered(registration, error, 0);
    try_again(registration);
}

static void register_now(struct gcl_epmd_registration *registration)
{
    struct gcl_loop *loop = registration->exchange.loop;
    exchange_init(&registration->exchange, loop, registration->mem, register_progress);
    registration->exchange.guard = registration->guard;
    if (gcl_epmd_append_alive(&registration->exchange.request, &registration->node) != 0 ||
        exchange_start(&registration->exchange, &registration->epmd, registration->timeout_ms) != 0)
        register_failed(registration, GCL_EEPMD);
}

static void register_progress(struct gcl_epmd_exchange *exchange, int error)
{
    struct gcl_epmd_registration *registration =
        GCL_CONTAINER_OF(exchange, struct gcl_epmd_registration, exchange);
    struct gcl_epmd_alive reply;
    bool done = false;
    if (error != 0) {
        register_failed(registration, GCL_EEPMD);
        return;
    }
    /* Anything that epmd says later is not for us. */
    if (registration->is_registered) {
        gcl_buffer_clear(&exchange->reply);
        return;
    }
    struct gcl_str bytes =
        gcl_str_make(gcl_buffer_bytes(&exchange->reply), gcl_buffer_size(&exchange->reply));
    if (gcl_epmd_decode_alive(bytes, &reply, &done) != 0) {
        register_failed(registration, GCL_EEPMD);
        return;
    }
    if (!done)
        return;
    if (reply.result != 0) {
        register_failed(registration, GCL_EEXIST);
        return;
    }
    gcl_loop_cancel(exchange->loop, &exchange->deadline);
    gcl_buffer_clear(&exchange->reply);
    registration->is_registered = true;
    registration->last_error = 0;
    registration->tries = 0;
    registration->registered(registration, 0, reply.creation);
}

static void on_retry(struct gcl_deadline *deadline)
{
    register_now(GCL_CONTAINER_OF(deadline, struct gcl_epmd_registration, retry));
}

void gcl_epmd_register(struct gcl_epmd_registration *registration, struct gcl_loop *loop)
{
    registration->exchange.loop = loop;
    registration->tries = 0;
    registration->is_registered = false;
    registration->last_error = 0;
    gcl_deadline_init(&registration->retry, on_retry);
    register_now(registration);
}

void gcl_epmd_unregister(struct gcl_epmd_registration *registration)
{
    exchange_close(&registration->exchange);
    gcl_loop_cancel(registration->exchange.loop, &registration->retry);
}

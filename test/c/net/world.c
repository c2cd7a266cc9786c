/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/address.h"

enum { DEADLINE_S = 30 };

struct world world;

static const char *awaited;

static void on_log(gcl_log_level level, const char *event, const char *text, void *user)
{
    size_t used = strlen(world.log);
    (void)level;
    (void)user;
    (void)snprintf(world.log + used, sizeof world.log - used, "%s %s\n", event, text);
}

static void on_ready(gcl_node *node, void *user)
{
    (void)node;
    ((struct world_node *)user)->is_ready = true;
}

static void on_closed(gcl_node *node, int error, void *user)
{
    struct world_node *closed = user;
    (void)node;
    cr_assert(error == 0 || error == world.may_close_with, "closed: %s", gcl_strerror(error));
    closed->is_closed = true;
    closed->node = NULL;
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

/* The loop must not sleep on what `done` looks at, when that is not an event of its own. */
static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

void world_until(bool (*done)(void))
{
    ev_timer deadline, tick;
    ev_timer_init(&deadline, on_deadline, DEADLINE_S, 0.0);
    ev_timer_init(&tick, on_tick, 0.01, 0.01);
    ev_now_update(world.loop);
    ev_timer_start(world.loop, &deadline);
    ev_timer_start(world.loop, &tick);
    while (!done() && ev_is_active(&deadline))
        ev_run(world.loop, EVRUN_ONCE);
    cr_assert(ev_is_active(&deadline), "deadline; the log until then:\n%s", world.log);
    ev_timer_stop(world.loop, &deadline);
    ev_timer_stop(world.loop, &tick);
}

static bool has_come(void)
{
    return strstr(world.log, awaited) != NULL;
}

void world_await(const char *text)
{
    awaited = text;
    world_until(has_come);
}

unsigned world_logged(const char *text)
{
    unsigned count = 0;
    for (const char *at = world.log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

double world_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double until_ms;

static bool is_late(void)
{
    return world_now_ms() > until_ms;
}

void world_live(double ms)
{
    until_ms = world_now_ms() + ms;
    world_until(is_late);
}

bool world_is_slow(void)
{
    return getenv("GCL_QUICK") != NULL;
}

void world_begin(void)
{
    memset(&world, 0, sizeof world);
    world.address = "127.0.0.1";
    (void)gcl_test_begin(&world.mem);
    world.loop = ev_loop_new(0);
}

static uint16_t free_port(void)
{
    struct gcl_address free;
    cr_assert(gcl_address_parse(world.address, 0, &free));
    int fd = socket(free.socket.any.sa_family, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, &free.socket.any, free.size), 0);
    cr_assert_eq(getsockname(fd, &free.socket.any, &free.size), 0);
    cr_assert_eq(close(fd), 0);
    return gcl_address_port(&free);
}

static struct world_node *awaited_node;

static bool is_ready(void)
{
    return awaited_node->is_ready;
}

struct world_node *world_start(int index, void (*adjust)(gcl_node_config *config))
{
    struct world_node *node = &world.nodes[index];
    gcl_node_config config;
    char detail[256];
    memset(node, 0, sizeof *node);
    (void)snprintf(node->name, sizeof node->name, "%c%ld@127.0.0.1", 'a' + index, (long)getpid());
    gcl_node_config_init(&config);
    config.loop = world.loop;
    config.name = node->name;
    config.cookie = "world";
    config.listen_address = world.address;
    config.listen_port = free_port();
    config.no_epmd = true;
    config.allocator = &world.mem.allocator;
    config.log = on_log;
    config.log_level = GCL_LOG_INFO;
    config.user = node;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    if (adjust != NULL)
        adjust(&config);
    cr_assert_eq(gcl_node_new(&config, &node->node, detail, sizeof detail), 0, "%s", detail);
    (void)snprintf(node->name, sizeof node->name, "%s", gcl_node_name(node->node));
    awaited_node = node;
    world_until(is_ready);
    return node;
}

struct world_node *world_start_found(int index, void (*adjust)(gcl_node_config *config))
{
    struct world_node *node = world_start(index, adjust);
    char text[128];
    (void)snprintf(text, sizeof text, "reachable others find %s ", node->name);
    world_await(text);
    return node;
}

static void on_outcome(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    struct world_node *from = user;
    (void)node;
    (void)name;
    from->outcomes++;
    from->outcome = error;
    (void)snprintf(from->detail, sizeof from->detail, "%s", detail);
}

void world_introduce(struct world_node *from, const struct world_node *to)
{
    uint16_t port = gcl_node_port(to->node);
    cr_assert_eq(gcl_node_set_address(from->node, to->name, world.address, port), 0);
}

void world_connect(struct world_node *from, const struct world_node *to)
{
    world_introduce(from, to);
    cr_assert_eq(gcl_node_connect(from->node, to->name, on_outcome, from), 0);
}

static unsigned wanted_outcomes;

static bool has_outcome(void)
{
    return awaited_node->outcomes == wanted_outcomes;
}

int world_try(struct world_node *from, const char *name)
{
    awaited_node = from;
    wanted_outcomes = from->outcomes + 1;
    cr_assert_eq(gcl_node_connect(from->node, name, on_outcome, from), 0);
    world_until(has_outcome);
    return from->outcome;
}

void world_join(struct world_node *from, const struct world_node *to)
{
    world_introduce(from, to);
    cr_assert_eq(world_try(from, to->name), 0, "%s", from->detail);
}

static bool is_closed(void)
{
    return awaited_node->is_closed;
}

void world_close(struct world_node *node)
{
    if (node->node == NULL)
        return;
    gcl_node_close(node->node);
    awaited_node = node;
    world_until(is_closed);
}

void world_end(void)
{
    for (int i = 0; i < WORLD_NODES; i++)
        world_close(&world.nodes[i]);
    ev_loop_destroy(world.loop);
    gcl_test_end(&world.mem);
}

gcl_server *world_serve(struct world_node *node, const gcl_handlers *handlers, const char *name,
                        void *user)
{
    gcl_server *server = NULL;
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = handlers;
    config.name = name;
    config.user = user;
    cr_assert_eq(gcl_server_start(node->node, &config, &server), 0);
    return server;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two visible nodes in one loop connect and disconnect all the time, so that sockets come and go,
 * while the loop stands still every now and then, for about as long as their watchdogs allow: these
 * strike, just do not, or strike as the loop goes on or the nodes close. A plain program, because
 * Criterion does not run under ThreadSanitizer.
 */
#include <ev.h>
#include <gen_cluster/node.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 100, STALLS = 30, LIVES = 3 };

static const char *const names[2] = {"one@127.0.0.1", "two@127.0.0.1"};

struct life {
    gcl_node *nodes[2];
    unsigned ready, closed, stalls_begun, stalls_told;
    ev_timer stand_still, connect;
};

static struct life life;

static void wait_ms(long ms)
{
    struct timespec left = {.tv_nsec = ms * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

static void silent(gcl_log_level level, const char *event, const char *text, void *user)
{
    (void)level;
    (void)event;
    (void)text;
    (void)user;
}

static void on_connected(gcl_node *node, const char *name, int error, const char *detail,
                         void *user)
{
    (void)node;
    (void)name;
    (void)error;
    (void)detail;
    (void)user;
}

static void on_connect(struct ev_loop *loop, ev_timer *timer, int events)
{
    static unsigned turn;
    gcl_node *node = life.nodes[turn++ % 2];
    const char *other = names[node == life.nodes[0]];
    (void)loop;
    (void)timer;
    (void)events;
    if (gcl_node_is_connected(node, other))
        (void)gcl_node_disconnect(node, other);
    else if (gcl_node_connect(node, other, on_connected, NULL) != 0)
        abort();
}

static void on_stand_still(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    wait_ms(LIMIT_MS - 3 + (long)life.stalls_begun % 7);
    if (++life.stalls_begun < STALLS)
        return;
    ev_timer_stop(loop, timer);
    ev_timer_stop(loop, &life.connect);
    for (int i = 0; i < 2; i++)
        gcl_node_close(life.nodes[i]);
}

static void on_stalled(gcl_node *node, uint64_t stalled_ms, void *user)
{
    (void)node;
    (void)user;
    if (stalled_ms < LIMIT_MS)
        abort();
    life.stalls_told++;
}

static void on_ready(gcl_node *node, void *user)
{
    struct ev_loop *loop = user;
    (void)node;
    if (++life.ready < 2)
        return;
    for (int i = 0; i < 2; i++)
        if (gcl_node_set_address(life.nodes[i], names[1 - i], "127.0.0.1",
                                 gcl_node_port(life.nodes[1 - i])) != 0)
            abort();
    ev_timer_start(loop, &life.connect);
    ev_timer_start(loop, &life.stand_still);
}

static void on_closed(gcl_node *node, int error, void *user)
{
    (void)node;
    (void)user;
    if (error != 0)
        abort();
    life.closed++;
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0 || close(fd) != 0)
        abort();
    return ntohs(address.sin_port);
}

static gcl_node *start(struct ev_loop *loop, const char *name)
{
    gcl_node *node;
    gcl_node_config config;
    char detail[256];
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = name;
    config.cookie = "cookie";
    config.hidden = false;
    config.listen_address = "127.0.0.1";
    config.watchdog_ms = LIMIT_MS;
    config.reconnect_min_ms = 1;
    config.reconnect_max_ms = 10;
    config.no_epmd = true; /* nobody has to be found: it is ready at once */
    config.listen_port = free_port();
    config.log = silent;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    config.on_stalled = on_stalled;
    config.user = loop;
    if (gcl_node_new(&config, &node, detail, sizeof detail) != 0) {
        (void)fprintf(stderr, "%s\n", detail);
        abort();
    }
    return node;
}

int main(void)
{
    struct ev_loop *loop = ev_default_loop(0);
    unsigned told = 0;
    for (int i = 0; i < LIVES; i++) {
        memset(&life, 0, sizeof life);
        ev_timer_init(&life.connect, on_connect, 0.001, 0.001);
        ev_timer_init(&life.stand_still, on_stand_still, 0.01, 0.01);
        for (int n = 0; n < 2; n++)
            life.nodes[n] = start(loop, names[n]);
        ev_run(loop, 0);
        printf("%u times as long as allowed, %u times too long for a node\n", life.stalls_begun,
               life.stalls_told);
        if (life.closed != 2)
            return 1;
        told += life.stalls_told;
    }
    return told > 0 ? 0 : 1;
}

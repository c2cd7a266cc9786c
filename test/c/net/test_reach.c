/* SPDX-License-Identifier: Apache-2.0 */
/* A visible node looks itself up as others would, and says in the log what is in the way. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/node.h"
#include "system.h"
#include "world.h"

static char name[64];

static void visible(gcl_node_config *config)
{
    config->hidden = false;
}

/* Of a host that is another address of this one, on which nothing listens. */
static void elsewhere(gcl_node_config *config)
{
    config->hidden = false;
    config->setup_timeout_ms = 200;
    (void)snprintf(name, sizeof name, "reach%ld@127.0.0.2", (long)getpid());
    config->name = name;
}

static void elsewhere_by_epmd(gcl_node_config *config)
{
    elsewhere(config);
    config->no_epmd = false;
    config->epmd_address = "127.0.0.1";
}

static void by_epmd(gcl_node_config *config)
{
    config->hidden = false;
    config->no_epmd = false;
}

static void of_a_host(gcl_node_config *config)
{
    elsewhere(config);
    (void)snprintf(name, sizeof name, "reach%ld@named.test", (long)getpid());
}

/* --- others that listen at the address ------------------------------------------------------ */

static struct {
    ev_io io;
    int fd;
    const uint8_t *answer; /* to whoever connects; NULL: none */
    size_t size;
    unsigned accepted;
    int held[8];
} other;

static void on_other(struct ev_loop *loop, ev_io *io, int events)
{
    int fd = accept(other.fd, NULL, NULL);
    (void)loop;
    (void)io;
    (void)events;
    if (fd < 0)
        return;
    if (other.answer != NULL)
        cr_assert_eq(write(fd, other.answer, other.size), (ssize_t)other.size);
    cr_assert_lt(other.accepted, 8);
    other.held[other.accepted++] = fd;
}

static void other_listens(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    memset(&other, 0, sizeof other);
    cr_assert_eq(inet_pton(AF_INET, "127.0.0.2", &address.sin_addr), 1);
    other.fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(other.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    cr_assert_eq(bind(other.fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(other.fd, 8), 0);
    ev_io_init(&other.io, on_other, other.fd, EV_READ);
    ev_io_start(world.loop, &other.io);
}

static void other_ends(void)
{
    ev_io_stop(world.loop, &other.io);
    for (unsigned i = 0; i < other.accepted; i++)
        (void)close(other.held[i]);
    (void)close(other.fd);
}

static uint16_t epmd_port(void)
{
    return (uint16_t)atoi(getenv("ERL_EPMD_PORT"));
}

/* --- tests ---------------------------------------------------------------------------------- */

static void expect_unreachable(const char *why)
{
    world_await("unreachable others cannot dial");
    cr_assert(strstr(world.log, why) != NULL, "%s", world.log);
    world_live(50);
    cr_assert_eq(world_logged("unreachable"), 1);
    cr_assert_eq(world_logged("\nreachable"), 0);
}

Test(reach, a_node_that_is_found_says_where)
{
    world_begin();
    struct world_node *node = world_start(0, visible);
    char where[64];
    (void)snprintf(where, sizeof where, "at 127.0.0.1:%u\n", gcl_node_port(node->node));
    world_await("reachable others find");
    cr_assert(strstr(world.log, where) != NULL, "%s", world.log);
    cr_assert_eq(world_logged("handshake_failed"), 0, "%s", world.log);
    world_end();
}

Test(reach, a_node_that_is_found_by_epmd_says_so)
{
    world_begin();
    (void)world_start(0, by_epmd);
    world_await("reachable others find");
    world_end();
}

static void hidden(gcl_node_config *config)
{
    config->hidden = true;
}

Test(reach, a_hidden_node_does_not_look)
{
    world_begin();
    (void)world_start(0, hidden);
    world_live(100);
    cr_assert_eq(world_logged("reachable"), 0, "%s", world.log);
    world_end();
}

Test(reach, a_node_that_does_not_listen_where_its_name_says)
{
    world_begin();
    (void)world_start(0, elsewhere);
    expect_unreachable("Connection refused");
    world_end();
}

static void elsewhere_where_another_listens(gcl_node_config *config)
{
    elsewhere(config);
    other_listens(config->listen_port);
}

Test(reach, another_program_listens_where_its_name_says)
{
    world_begin();
    (void)world_start(0, elsewhere_where_another_listens);
    expect_unreachable("found another program there");
    other_ends();
    world_end();
}

Test(reach, a_host_without_an_address)
{
    world_begin();
    test_system.hanging_host = "named.test";
    (void)world_start(0, of_a_host);
    expect_unreachable("the host `named.test` of its name, found none;");
    world_end();
}

Test(reach, a_host_whose_lookup_takes_too_long)
{
    world_begin();
    test_system.hanging_host = "named.test";
    test_system.is_hanging = true;
    (void)world_start(0, of_a_host);
    expect_unreachable("found none in time");
    world_end();
    test_system.is_hanging = false;
}

Test(reach, a_host_that_is_another_address)
{
    world_begin();
    test_system.known_host = "named.test";
    test_system.known_address = "127.0.0.2";
    (void)world_start(0, of_a_host);
    expect_unreachable("at 127.0.0.2:");
    world_end();
}

Test(reach, a_host_that_is_this_one)
{
    world_begin();
    test_system.known_host = "named.test";
    test_system.known_address = "127.0.0.1";
    (void)world_start(0, of_a_host);
    world_await("reachable others find");
    world_end();
}

Test(reach, epmd_does_not_listen_where_others_ask)
{
    world_begin();
    (void)world_start(0, elsewhere_by_epmd);
    expect_unreachable("expected epmd at 127.0.0.2:");
    world_end();
}

/* spec: erl_dist_protocol, PORT2_RESP */
Test(reach, epmd_has_another_port)
{
    static const uint8_t answer[] = {119, 0, 0x12, 0x34, 77, 0, 0, 6, 0, 5, 0, 1, 'x', 0, 0};
    world_begin();
    other_listens(epmd_port());
    other.answer = answer;
    other.size = sizeof answer;
    (void)world_start(0, elsewhere_by_epmd);
    expect_unreachable("found port 4660: another node");
    other_ends();
    world_end();
}

Test(reach, epmd_does_not_know_the_node)
{
    static const uint8_t answer[] = {119, 1};
    world_begin();
    other_listens(epmd_port());
    other.answer = answer;
    other.size = sizeof answer;
    (void)world_start(0, elsewhere_by_epmd);
    expect_unreachable("epmd does not know the node");
    other_ends();
    world_end();
}

Test(reach, closing_does_not_wait_for_it)
{
    world_begin();
    (void)world_start(0, visible);
    world_close(&world.nodes[0]);
    test_system.hanging_host = "named.test";
    test_system.is_hanging = true;
    (void)world_start(0, of_a_host);
    world_close(&world.nodes[0]);
    test_system.is_hanging = false;
    other_listens(epmd_port()); /* never answers */
    (void)world_start(0, elsewhere_by_epmd);
    world_close(&world.nodes[0]);
    cr_assert_eq(world_logged("reachable"), 0, "%s", world.log);
    other_ends();
    world_end();
}

/* --- without memory ------------------------------------------------------------------------- */

static void hidden_by_epmd(gcl_node_config *config)
{
    config->no_epmd = false;
}

static size_t failing_attempt;

static bool has_failed(void)
{
    return world.mem.attempts >= failing_attempt;
}

static bool is_told(void)
{
    return world_logged("reachable") > 0;
}

static bool has_failed_or_is_told(void)
{
    return has_failed() || is_told();
}

static bool without_memory_from(size_t n)
{
    world_begin();
    gcl_node *node = world_start(0, hidden_by_epmd)->node;
    node->config.hidden = false; /* it begins now, and not before */
    gcl_test_fail_at(&world.mem, n);
    failing_attempt = world.mem.attempts + n;
    gcl_reach_begin(node);
    world_until(has_failed_or_is_told);
    bool is_short = has_failed();
    gcl_test_fail_at(&world.mem, 0);
    world_until(is_told);
    node->config.hidden = true;
    world_end();
    cr_assert_eq(world_logged("reachable"), 1, "%s", world.log);
    return is_short;
}

Test(reach, without_memory_from_any_point_on_it_says_so_and_nothing_is_left, .timeout = 60)
{
    size_t n = 1;
    while (without_memory_from(n))
        n++;
    cr_assert_gt(n, 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* No memory at any moment of a connection's life, and callbacks that pull the rug away. */
#include <criterion/criterion.h>
#include <string.h>

#include "raw.h"
#include "world.h"

enum { SOFT = 64 * 1024, KIB = 1024 };

static struct world_node *a, *b;
static gcl_server *server;

static gcl_result answer(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    (void)gcl_reply(self, from, "~t", request);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof handlers, .handle_call = answer};

/* --- no memory -------------------------------------------------------------------------------- */

static unsigned pending; /* outcomes that have to come */

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)error;
    (void)term;
    (void)user;
    pending--;
    return GCL_CONTINUE;
}

static void on_outcome(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    (void)node;
    (void)name;
    (void)error;
    (void)detail;
    (void)user;
    pending--;
}

static bool is_over(void)
{
    return pending == 0;
}

static bool are_hidden;

static void quiet(gcl_node_config *config)
{
    config->hidden = are_hidden;
    config->setup_timeout_ms = 100;
    config->log_level = 0;
}

/* Connects, monitors, calls and disconnects; what cannot begin says so, all else has an outcome. */
static void go_through_a_life(void)
{
    gcl_dest to = gcl_to_remote("server", b->name);
    gcl_ref ref;
    pending = 0;
    pending += gcl_node_connect(a->node, b->name, on_outcome, NULL) == 0;
    pending += gcl_call(server, to, 2000, on_answer, NULL, NULL, "hello") == 0;
    if (gcl_monitor(server, to, &ref) == 0)
        (void)gcl_send(server, to, "hello");
    world_until(is_over);
    if (!a->is_closed)
        (void)gcl_node_disconnect(a->node, b->name);
}

static bool are_unconnected(void)
{
    return a->is_closed || b->is_closed ||
           (!gcl_node_is_connected(a->node, b->name) && !gcl_node_is_connected(b->node, a->name));
}

/* Whether there was memory for all it took. */
static bool without_memory_at(size_t n)
{
    world_begin();
    world.may_close_with = are_hidden ? 0 : GCL_ENOMEM;
    a = world_start(0, quiet);
    b = world_start(1, quiet);
    server = world_serve(a, &handlers, NULL, NULL);
    world_serve(b, &handlers, "server", NULL);
    world_introduce(a, b);
    gcl_test_fail_at(&world.mem, n);
    go_through_a_life();
    bool is_enough = world.mem.attempts < world.mem.fail_at;
    gcl_test_fail_at(&world.mem, 0);
    world_until(are_unconnected);
    /* With memory again it is as if nothing had happened. */
    if (!a->is_closed && !b->is_closed) {
        world_join(a, b);
        cr_assert_eq(a->outcome, 0);
    }
    world_end();
    return is_enough;
}

static void without_memory_at_any_moment(bool hidden)
{
    size_t n, step = world_is_slow() ? 7 : 1;
    are_hidden = hidden;
    for (n = 1; !without_memory_at(n); n += step)
        ;
    cr_assert_gt(n, 20, "%zu", n);
}

Test(faults, without_memory_at_any_moment_each_call_has_its_outcome, .timeout = 300)
{
    without_memory_at_any_moment(true);
    without_memory_at_any_moment(false);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static struct raw slow;
static unsigned calls;

static void fill(void)
{
    static uint8_t bytes[KIB];
    gcl_bytes payload = {bytes, sizeof bytes};
    int error = 0;
    while (error == 0)
        error = gcl_send(server, gcl_to_remote("nobody", slow.name), "~b", payload);
    cr_assert_eq(error, GCL_EBUSY);
}

static void begin(void (*adjust)(gcl_node_config *))
{
    world_begin();
    calls = 0;
    a = world_start(0, adjust);
    server = world_serve(a, &handlers, NULL, NULL);
    raw_init(&slow, "slow");
}

static void end(void)
{
    raw_close(&slow);
    world_end();
}

static bool was_called(void)
{
    return calls > 0;
}

static void disconnect_when_writable(gcl_node *node, const char *name, void *user)
{
    (void)user;
    calls++;
    cr_assert_eq(gcl_node_disconnect(node, name), 0);
}

static void set_disconnect(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->on_writable = disconnect_when_writable;
}

Test(faults, on_writable_may_disconnect)
{
    begin(set_disconnect);
    slow.stops_reading = true;
    raw_join(&slow, a);
    fill();
    raw_read_on(&slow);
    world_until(was_called);
    cr_assert_eq(calls, 1);
    cr_assert_not(gcl_node_is_connected(a->node, slow.name));
    end();
}

static void close_when_writable(gcl_node *node, const char *name, void *user)
{
    (void)user;
    (void)name;
    calls++;
    gcl_node_close(node);
}

static void set_close(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->on_writable = close_when_writable;
}

Test(faults, on_writable_may_close_the_node)
{
    begin(set_close);
    slow.stops_reading = true;
    raw_join(&slow, a);
    fill();
    raw_read_on(&slow);
    world_until(was_called);
    end();
}

static void fill_when_writable(gcl_node *node, const char *name, void *user)
{
    (void)user;
    (void)name;
    (void)node;
    calls++;
    fill();
}

static void set_fill(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->on_writable = fill_when_writable;
}

static bool was_called_often(void)
{
    return calls >= 10;
}

Test(faults, on_writable_may_send_until_it_is_refused_again)
{
    begin(set_fill);
    raw_join(&slow, a);
    fill();
    world_until(was_called_often);
    end();
}

static void disconnect_when_connected(gcl_node *node, const char *name, int error,
                                      const char *detail, void *user)
{
    (void)detail;
    (void)user;
    calls++;
    cr_assert_eq(error, 0);
    (void)gcl_node_disconnect(node, name);
}

static bool were_both_called(void)
{
    return calls == 2;
}

/* Both have what they waited for, though the first one ends it before the second one is told. */
Test(faults, who_waited_for_a_connection_may_end_it)
{
    begin(NULL);
    raw_listen(&slow, a);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(gcl_node_connect(a->node, slow.name, disconnect_when_connected, NULL), 0);
    world_until(were_both_called);
    cr_assert_not(gcl_node_is_connected(a->node, slow.name));
    end();
}

static void connect_again(gcl_node *node, const char *name, int error, const char *detail,
                          void *user)
{
    (void)detail;
    (void)user;
    cr_assert_neq(error, 0);
    calls++;
    if (calls < 5)
        cr_assert_eq(gcl_node_connect(node, name, connect_again, NULL), 0);
}

static bool was_called_five_times(void)
{
    return calls == 5;
}

Test(faults, who_hears_of_a_failure_may_try_again_at_once)
{
    begin(NULL);
    cr_assert_eq(gcl_node_connect(a->node, "nobody@127.0.0.1", connect_again, NULL), 0);
    world_until(was_called_five_times);
    end();
}

static void close_when_connected(gcl_node *node, const char *name, int error, const char *detail,
                                 void *user)
{
    (void)name;
    (void)detail;
    (void)user;
    cr_assert_eq(error, 0);
    calls++;
    gcl_node_close(node);
}

Test(faults, who_waited_for_a_connection_may_close_the_node)
{
    begin(NULL);
    raw_listen(&slow, a);
    cr_assert_eq(gcl_node_connect(a->node, slow.name, close_when_connected, NULL), 0);
    world_until(was_called);
    end();
}

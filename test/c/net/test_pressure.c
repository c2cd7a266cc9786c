/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that reads too slowly: what is refused, what is taken, what it costs. */
#include <criterion/criterion.h>
#include <string.h>

#include "raw.h"
#include "world.h"

enum { SOFT = 64 * 1024, HARD = 1024 * 1024, KIB = 1024 };

static struct world_node *a;
static struct raw slow;
static gcl_server *server;
static uint8_t bytes[KIB];
static gcl_bytes payload = {bytes, sizeof bytes};
static gcl_caller kept;
static unsigned writable_calls;
static size_t output_when_writable;

/* --- looking ---------------------------------------------------------------------------------- */

static void add_output(const gcl_connection_info *info, void *user)
{
    *(size_t *)user += info->output_bytes;
}

static size_t output_of(const struct world_node *node)
{
    size_t sum = 0;
    gcl_node_each_connection(node->node, add_output, &sum);
    return sum;
}

static void add_frames(const gcl_connection_info *info, void *user)
{
    *(uint64_t *)user += info->frames_out;
}

static uint64_t frames_of(const struct world_node *node)
{
    uint64_t sum = 0;
    gcl_node_each_connection(node->node, add_frames, &sum);
    return sum;
}

static void on_writable(gcl_node *node, const char *name, void *user)
{
    (void)user;
    cr_assert_eq(node, a->node);
    cr_assert_str_eq(name, slow.name);
    writable_calls++;
    output_when_writable = output_of(a);
}

/* --- a node whose peer does not read ---------------------------------------------------------- */

static void set_limits(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->output_hard_bytes = HARD;
    config->on_writable = on_writable;
}

static gcl_result keep_caller(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)self;
    (void)request;
    (void)user;
    cr_assert_eq(gcl_from_keep(from, &kept), 0);
    return GCL_CONTINUE;
}

static const gcl_handlers keeper = {.size = sizeof keeper, .handle_call = keep_caller};

static void begin(void)
{
    world_begin();
    writable_calls = 0;
    kept = (gcl_caller){0};
    a = world_start(0, set_limits);
    server = world_serve(a, &keeper, "server", NULL);
    raw_init(&slow, "slow");
    slow.stops_reading = true;
    raw_join(&slow, a);
}

static void end(void)
{
    raw_close(&slow);
    world_end();
}

static gcl_dest nobody(void)
{
    return gcl_to_remote("nobody", slow.name);
}

static void fill(void)
{
    int error = 0;
    for (unsigned i = 0; error == 0 && i < 100000; i++)
        error = gcl_cast(server, nobody(), "~b", payload);
    cr_assert_eq(error, GCL_EBUSY);
}

static gcl_result no_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)error;
    (void)term;
    (void)user;
    cr_assert_fail("a call that was refused has an outcome");
    return GCL_CONTINUE;
}

static bool was_told(void)
{
    return writable_calls > 0;
}

Test(pressure, above_the_soft_limit_messages_are_refused_and_nothing_is_taken)
{
    begin();
    fill();
    size_t output = output_of(a);
    uint64_t frames = frames_of(a);
    cr_assert_gt(output, SOFT);
    cr_assert_lt(output, SOFT + 2 * KIB);
    cr_assert_eq(gcl_send(server, nobody(), "hello"), GCL_EBUSY);
    cr_assert_eq(gcl_cast(server, nobody(), "hello"), GCL_EBUSY);
    cr_assert_eq(gcl_call(server, nobody(), 1000, no_outcome, NULL, NULL, "hello"), GCL_EBUSY);
    cr_assert_eq(output_of(a), output);
    cr_assert_eq(frames_of(a), frames);
    cr_assert_eq(writable_calls, 0, "told from inside a send");
    end();
}

Test(pressure, on_writable_comes_once_below_half_of_the_soft_limit)
{
    begin();
    fill();
    for (int i = 0; i < 10; i++)
        cr_assert_eq(gcl_send(server, nobody(), "hello"), GCL_EBUSY);
    raw_read_on(&slow);
    world_until(was_told);
    cr_assert_lt(output_when_writable, SOFT / 2);
    cr_assert_eq(gcl_send(server, nobody(), "hello"), 0);
    fill();
    writable_calls = 0;
    world_until(was_told);
    cr_assert_eq(writable_calls, 1);
    end();
}

static bool is_closed(void)
{
    return slow.is_closed;
}

Test(pressure, on_writable_comes_too_when_the_connection_is_lost)
{
    begin();
    fill();
    cr_assert_eq(gcl_node_disconnect(a->node, slow.name), 0);
    world_until(was_told);
    cr_assert_eq(writable_calls, 1);
    end();
}

/* --- what is owed ----------------------------------------------------------------------------- */

static struct gcl_wire_pid own_pid(void)
{
    return (struct gcl_wire_pid){gcl_str_of(slow.name), 5, 0, 77};
}

static struct gcl_wire_pid server_pid(const gcl_server *of)
{
    gcl_pid pid = gcl_self(of);
    return (struct gcl_wire_pid){gcl_str_of(a->name), pid.id, pid.serial,
                                 gcl_node_creation(a->node)};
}

static void tell(enum gcl_control_op op, const gcl_server *to)
{
    struct gcl_control control = {
        .op = op,
        .has_from = true,
        .from = own_pid(),
        .to = server_pid(to),
        .unlink_id = 9,
        .ref = {.node = gcl_str_of(slow.name), .creation = 77, .words = {1, 2, 3}, .count = 3}};
    raw_signal(&slow, &control);
}

static bool is_kept(void)
{
    return kept.generation != 0;
}

/* A gen_server:call of the slow peer, which the server keeps. */
static void call_server(void)
{
    static const uint8_t head[] = "\x68\x03\x77\x09$gen_call\x68\x02";
    static const uint8_t rest[] = "\x61\x01\x77\x05hello";
    struct gcl_buffer term;
    struct gcl_wire_pid self = own_pid();
    gcl_buffer_init(&term, &world.mem.allocator, 0);
    cr_assert_eq(gcl_buffer_append(&term, head, sizeof head - 1), 0);
    cr_assert_eq(gcl_wire_pid_encode(&term, &self), 0);
    cr_assert_eq(gcl_buffer_append(&term, rest, sizeof rest - 1), 0);
    struct gcl_control control = {
        .op = GCL_CONTROL_SEND,
        .has_from = true,
        .from = own_pid(),
        .to = server_pid(server),
        .term = gcl_str_make(gcl_buffer_bytes(&term), gcl_buffer_size(&term))};
    raw_signal(&slow, &control);
    gcl_buffer_fini(&term);
    world_until(is_kept);
}

static uint64_t wanted_frames;

static bool has_frames(void)
{
    return frames_of(a) >= wanted_frames;
}

static void expect_frames(uint64_t count)
{
    wanted_frames += count;
    world_until(has_frames);
    cr_assert_eq(frames_of(a), wanted_frames);
}

static void begin_owing(void)
{
    begin();
    call_server();
    fill();
    wanted_frames = frames_of(a);
}

Test(pressure, replies_are_taken_above_the_soft_limit)
{
    begin_owing();
    cr_assert_eq(gcl_reply_later(a->node, kept, "~b", payload), 0);
    expect_frames(1);
    end();
}

Test(pressure, links_monitors_and_exits_are_taken_above_the_soft_limit)
{
    gcl_ref ref;
    begin_owing();
    cr_assert_eq(gcl_monitor(server, nobody(), &ref), 0);
    expect_frames(1);
    cr_assert_eq(gcl_demonitor(server, ref), 0);
    expect_frames(1);
    gcl_server *other = world_serve(a, &keeper, "other", NULL);
    tell(GCL_CONTROL_LINK, other);
    tell(GCL_CONTROL_UNLINK, other);
    expect_frames(1); /* the acknowledgement */
    tell(GCL_CONTROL_LINK, other);
    tell(GCL_CONTROL_MONITOR, other);
    cr_assert_eq(gcl_server_stop(other, "over"), 0);
    expect_frames(2); /* EXIT and DOWN */
    end();
}

/* The tick that is sent behind it tells both that the other one lives. */
static void short_ticks_and_limits(gcl_node_config *config)
{
    set_limits(config);
    config->net_ticktime_s = 1;
}

static bool has_ticked(void)
{
    return slow.ticks >= 2;
}

Test(pressure, ticks_go_on_behind_output_above_the_soft_limit)
{
    static const uint8_t tick[4];
    world_begin();
    a = world_start(0, short_ticks_and_limits);
    server = world_serve(a, &keeper, "server", NULL);
    raw_init(&slow, "slow");
    slow.stops_reading = true;
    raw_join(&slow, a);
    fill();
    for (int i = 0; i < 8; i++) {
        world_live(250);
        raw_send(&slow, tick, sizeof tick);
    }
    cr_assert(gcl_node_is_connected(a->node, slow.name));
    raw_read_on(&slow);
    slow.frame = NULL;
    world_until(has_ticked);
    end();
}

/* --- the hard limit --------------------------------------------------------------------------- */

static gcl_pid peer_pid;

static gcl_result take_pid(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    (void)user;
    cr_assert(gcl_match(message, "~p", &peer_pid));
    return GCL_CONTINUE;
}

static bool has_pid(void)
{
    return !gcl_pid_is_none(peer_pid);
}

static const gcl_handlers listener = {.size = sizeof listener, .handle_info = take_pid};

static void learn_pid(void)
{
    struct gcl_buffer term;
    struct gcl_wire_pid self = own_pid();
    gcl_server *other = world_serve(a, &listener, "listener", NULL);
    peer_pid = (gcl_pid){0};
    gcl_buffer_init(&term, &world.mem.allocator, 0);
    cr_assert_eq(gcl_wire_pid_encode(&term, &self), 0);
    struct gcl_control control = {
        .op = GCL_CONTROL_SEND,
        .has_from = true,
        .from = own_pid(),
        .to = server_pid(other),
        .term = gcl_str_make(gcl_buffer_bytes(&term), gcl_buffer_size(&term))};
    raw_signal(&slow, &control);
    gcl_buffer_fini(&term);
    world_until(has_pid);
}

/* Exits are owed; 16 MiB of them within one turn must not be kept. */
Test(pressure, above_the_hard_limit_the_connection_is_lost_and_the_reason_is_logged)
{
    begin();
    learn_pid();
    for (int i = 0; i < 16 * 1024; i++)
        cr_assert_eq(gcl_exit(server, peer_pid, "~b", payload), 0);
    world_await("node_down");
    cr_assert_eq(world_logged("output_hard_bytes"), 1);
    cr_assert_not(gcl_node_is_connected(a->node, slow.name));
    cr_assert_lt(world.mem.peak_bytes, 3 * HARD);
    raw_read_on(&slow);
    world_until(is_closed);
    end();
}

/* --- the end ---------------------------------------------------------------------------------- */

static unsigned sends_seen;

static void count_sends(struct raw *peer, const struct gcl_control *control)
{
    (void)peer;
    sends_seen += control->op == GCL_CONTROL_SEND;
}

Test(pressure, closing_lets_queued_output_leave)
{
    unsigned sent = 0;
    begin();
    slow.frame = count_sends;
    sends_seen = 0;
    while (gcl_cast(server, nobody(), "~b", payload) == 0)
        sent++;
    cr_assert_gt(sent, SOFT / KIB);
    gcl_node_close(a->node);
    raw_read_on(&slow);
    world_until(is_closed);
    cr_assert_eq(sends_seen, sent);
    end();
}

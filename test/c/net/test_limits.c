/* SPDX-License-Identifier: Apache-2.0 */
/* What doc/limits.md says, at work in a node. Those about output stand in test_pressure.c, those
 * about descriptors in test_files.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "raw.h"
#include "world.h"

enum { KIB = 1024, FRAME_BYTES = 64 * KIB, QUEUE_BYTES = 64 * KIB, CLOSE_MS = 200 };

static struct world_node *a, *b;
static gcl_server *server;
static uint8_t bytes[FRAME_BYTES];
static gcl_bytes payload = {bytes, KIB};

static void small(gcl_node_config *config)
{
    config->frame_bytes = FRAME_BYTES;
    config->pending_bytes = QUEUE_BYTES;
    config->local_queue_bytes = QUEUE_BYTES;
    config->close_timeout_ms = CLOSE_MS;
    config->max_connections = 2;
    config->max_processes = 9; /* net_kernel, rex, global_group and three of `global` besides */
    config->max_edges = 8;
    config->max_kept_callers = 2;
}

static const gcl_handlers no_handlers = {.size = sizeof no_handlers};

static void begin(void)
{
    world_begin();
    a = world_start(0, small);
    server = world_serve(a, &no_handlers, "server", NULL);
}

/* --- connections ------------------------------------------------------------------------------ */

static struct raw peers[3];

static bool is_refused(void)
{
    return peers[2].is_closed;
}

Test(limits, max_connections)
{
    begin();
    for (int i = 0; i < 3; i++)
        raw_init(&peers[i], i == 0 ? "x" : i == 1 ? "y" : "z");
    raw_join(&peers[0], a);
    raw_join(&peers[1], a);
    raw_dial(&peers[2], a);
    world_until(is_refused);
    cr_assert_eq(world_logged("max_connections a connection was refused"), 1);
    cr_assert_eq(gcl_node_set_address(a->node, "w@127.0.0.1", "127.0.0.1", 9), 0);
    cr_assert_eq(world_try(a, "w@127.0.0.1"), GCL_ELIMIT);
    cr_assert_eq(world_logged("connect_failed"), 1);
    cr_assert(gcl_node_is_connected(a->node, peers[0].name));
    cr_assert(gcl_node_is_connected(a->node, peers[1].name));
    raw_close(&peers[1]);
    world_await("node_down");
    raw_join(&peers[2], a);
    for (int i = 0; i < 3; i++)
        raw_close(&peers[i]);
    world_end();
}

enum { DIALLED = 1024 + 1 };

static int told, refused;

static void count_outcome(gcl_node *node, const char *name, int error, const char *detail,
                          void *user)
{
    (void)node;
    (void)name;
    (void)detail;
    (void)user;
    told++;
    refused += error == GCL_ELIMIT;
}

static bool all_are_told(void)
{
    return told == DIALLED;
}

static void with_epmd(gcl_node_config *config)
{
    config->no_epmd = false;
}

/* A peer may speak of any number of nodes, and each of them is dialled. */
Test(limits, nodes_that_are_looked_up)
{
    char name[32];
    world_begin();
    a = world_start(0, with_epmd);
    told = refused = 0;
    for (int i = 0; i < DIALLED; i++) {
        (void)snprintf(name, sizeof name, "n%d@127.0.0.1", i);
        cr_assert_eq(gcl_node_connect(a->node, name, count_outcome, NULL), 0);
    }
    world_until(all_are_told);
    cr_assert_eq(refused, 1);
    cr_assert_eq(world_try(a, "n0@127.0.0.1"), GCL_EEPMD);
    world_end();
}

/* --- frames ----------------------------------------------------------------------------------- */

static size_t taken;

static gcl_result take(gcl_server *self, gcl_term message, void *user)
{
    gcl_bytes body;
    (void)self;
    (void)user;
    cr_assert(gcl_match(message, "~b", &body));
    taken = body.size;
    return GCL_CONTINUE;
}

static const gcl_handlers taking = {.size = sizeof taking, .handle_info = take};

static bool has_taken(void)
{
    return taken != 0;
}

static bool is_closed(void)
{
    return peers[0].is_closed;
}

/* A frame whose body has that size: a message to `taker`. */
static void send_frame(struct raw *raw, size_t size)
{
    struct gcl_buffer frame;
    static uint8_t term[2 * FRAME_BYTES] = {0x6d};
    struct gcl_control control = {.op = GCL_CONTROL_SEND,
                                  .target = GCL_CONTROL_TO_NAME,
                                  .has_from = true,
                                  .from = {gcl_str_of(raw->name), 5, 0, 77},
                                  .name = gcl_str_of("taker"),
                                  .term = gcl_str_make(term, 5)};
    gcl_buffer_init(&frame, &world.mem.allocator, 0);
    cr_assert_eq(gcl_control_encode(&frame, raw->handshake.flags, &control), 0);
    size_t body = size - (gcl_buffer_size(&frame) - 4);
    for (int i = 0; i < 4; i++)
        term[1 + i] = (uint8_t)(body >> (24 - 8 * i));
    control.term = gcl_str_make(term, 5 + body);
    raw_signal(raw, &control);
    gcl_buffer_fini(&frame);
}

Test(limits, frame_bytes)
{
    begin();
    taken = 0;
    world_serve(a, &taking, "taker", NULL);
    raw_init(&peers[0], "x");
    raw_init(&peers[1], "y");
    raw_join(&peers[0], a);
    raw_join(&peers[1], a);
    send_frame(&peers[0], FRAME_BYTES);
    world_until(has_taken);
    cr_assert_gt(taken, FRAME_BYTES - 200);
    send_frame(&peers[0], FRAME_BYTES + 1);
    world_until(is_closed);
    cr_assert_eq(world_logged("larger than frame_bytes"), 1);
    cr_assert(gcl_node_is_connected(a->node, peers[1].name));
    raw_close(&peers[0]);
    raw_close(&peers[1]);
    world_end();
}

/* What is announced costs nothing before it comes. */
Test(limits, memory_is_given_for_what_has_come_of_a_frame)
{
    static const uint8_t header[] = {0x03, 0xff, 0xff, 0xff, 112};
    static uint8_t some[FRAME_BYTES];
    world_begin();
    a = world_start(0, NULL);
    raw_init(&peers[0], "x");
    raw_join(&peers[0], a);
    size_t before = world.mem.live_bytes;
    raw_send(&peers[0], header, sizeof header);
    world_live(50);
    cr_assert_lt(world.mem.live_bytes, before + 2 * FRAME_BYTES);
    for (int i = 0; i < 4; i++) {
        raw_send(&peers[0], some, sizeof some);
        world_live(50);
    }
    cr_assert_lt(world.mem.live_bytes, before + 32 * (size_t)FRAME_BYTES);
    cr_assert(gcl_node_is_connected(a->node, peers[0].name));
    raw_close(&peers[0]);
    world_end();
}

/* --- calls ------------------------------------------------------------------------------------ */

enum { NOT_TRIED = 1 };

static int kept;
static gcl_caller last_kept;

static gcl_result keep(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)self;
    (void)request;
    (void)user;
    kept = gcl_from_keep(from, &last_kept);
    return GCL_CONTINUE;
}

static bool has_tried(void)
{
    return kept != NOT_TRIED;
}

/* What keeping a caller comes to whose tag is a binary, a term of this size. */
static int keep_tag(gcl_server *keeper, size_t size)
{
    static uint8_t tag[8192];
    gcl_bytes body = {tag, size - 5};
    kept = NOT_TRIED;
    cr_assert_eq(gcl_send(server, gcl_to_pid(gcl_self(keeper)), "{'$gen_call', {~p, ~b}, hello}",
                          gcl_self(server), body),
                 0);
    world_until(has_tried);
    return kept;
}

static const gcl_handlers keeping = {.size = sizeof keeping, .handle_call = keep};

Test(limits, tag_of_a_kept_caller)
{
    begin();
    gcl_server *keeper = world_serve(a, &keeping, NULL, NULL);
    cr_assert_eq(keep_tag(keeper, 4096), 0);
    cr_assert_eq(keep_tag(keeper, 4097), GCL_ELIMIT);
    world_end();
}

static unsigned answers;

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    (void)user;
    cr_assert_eq(error, 0);
    answers++;
    return GCL_CONTINUE;
}

static bool is_answered(void)
{
    return answers == 1;
}

/* A call that the node answers later, by itself. */
static void call_rex(void)
{
    answers = 0;
    cr_assert_eq(gcl_call(server, gcl_to_name("rex"), GCL_INFINITY, on_answer, NULL, NULL,
                          "{call, erlang, node, [], user}"),
                 0);
    world_until(is_answered);
}

Test(limits, kept_callers)
{
    begin();
    gcl_server *keeper = world_serve(a, &keeping, NULL, NULL);
    gcl_server *other = world_serve(a, &keeping, NULL, NULL);
    cr_assert_eq(keep_tag(keeper, 64), 0);
    gcl_caller first = last_kept;
    cr_assert_eq(keep_tag(other, 64), 0);
    cr_assert_eq(keep_tag(keeper, 64), GCL_ELIMIT);
    /* What the node keeps itself has a limit of its own. */
    call_rex();
    cr_assert_eq(gcl_reply_later(a->node, first, "answered"), 0);
    cr_assert_eq(keep_tag(other, 64), 0);
    cr_assert_eq(keep_tag(keeper, 64), GCL_ELIMIT);
    gcl_caller_drop(a->node, last_kept); /* of `other` */
    gcl_caller_drop(a->node, last_kept);
    cr_assert_eq(gcl_reply_later(a->node, last_kept, "late"), GCL_ESTALE);
    cr_assert_eq(keep_tag(other, 64), 0);
    /* Those of a server go with it. */
    gcl_pid pid = gcl_self(other);
    cr_assert_eq(gcl_server_stop(other, "normal"), 0);
    while (gcl_server_of(a->node, pid) != NULL)
        ev_run(world.loop, EVRUN_ONCE);
    cr_assert_eq(keep_tag(keeper, 64), 0);
    cr_assert_eq(keep_tag(keeper, 64), 0);
    cr_assert_eq(keep_tag(keeper, 64), GCL_ELIMIT);
    world_end();
}

/* --- processes and what ties them ------------------------------------------------------------- */

Test(limits, max_processes)
{
    gcl_server_config config;
    gcl_server *one, *two, *three;
    begin();
    gcl_server_config_init(&config);
    config.handlers = &no_handlers;
    cr_assert_eq(gcl_server_start(a->node, &config, &one), 0);
    cr_assert_eq(gcl_server_start(a->node, &config, &two), 0);
    cr_assert_eq(gcl_server_start(a->node, &config, &three), GCL_ELIMIT);
    gcl_pid pid = gcl_self(one);
    cr_assert_eq(gcl_server_stop(one, "normal"), 0);
    while (gcl_server_of(a->node, pid) != NULL)
        ev_run(world.loop, EVRUN_ONCE);
    cr_assert_eq(gcl_server_start(a->node, &config, &three), 0);
    world_end();
}

static void monitor_server(struct raw *raw, uint32_t word)
{
    struct gcl_control control = {
        .op = GCL_CONTROL_MONITOR,
        .target = GCL_CONTROL_TO_NAME,
        .has_from = true,
        .from = {gcl_str_of(raw->name), 5, 0, 77},
        .name = gcl_str_of("server"),
        .ref = {.node = gcl_str_of(raw->name), .creation = 77, .words = {word, 2, 3}, .count = 3}};
    raw_signal(raw, &control);
}

Test(limits, max_edges_of_a_peer)
{
    begin();
    raw_init(&peers[0], "x");
    raw_init(&peers[1], "y");
    raw_join(&peers[0], a);
    raw_join(&peers[1], a);
    for (uint32_t i = 1; i <= 9; i++)
        monitor_server(&peers[0], i);
    world_until(is_closed);
    cr_assert_eq(world_logged("max_edges"), 1, "%s", world.log);
    cr_assert(gcl_node_is_connected(a->node, peers[1].name));
    raw_close(&peers[0]);
    raw_close(&peers[1]);
    world_end();
}

Test(limits, max_edges_of_a_server)
{
    gcl_ref ref;
    begin();
    gcl_server *other = world_serve(a, &no_handlers, "other", NULL);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(gcl_monitor(server, gcl_to_name("other"), &ref), 0);
    cr_assert_eq(gcl_monitor(server, gcl_to_name("other"), &ref), GCL_ELIMIT);
    cr_assert_eq(gcl_link(server, gcl_self(other)), GCL_ELIMIT);
    world_end();
}

/* --- queues ----------------------------------------------------------------------------------- */

/* Sends until it is refused; returns how much was taken. */
static size_t send_until(gcl_dest to, int refusal)
{
    size_t sum = 0;
    int error = 0;
    while (sum < 10 * (size_t)QUEUE_BYTES && error == 0) {
        error = gcl_send(server, to, "~b", payload);
        sum += error == 0 ? payload.size : 0;
    }
    cr_assert_eq(error, refusal);
    return sum;
}

Test(limits, local_queue_bytes)
{
    begin();
    taken = 0;
    world_serve(a, &taking, "taker", NULL);
    size_t sum = send_until(gcl_to_name("taker"), GCL_ELIMIT);
    cr_assert(sum > QUEUE_BYTES / 2 && sum <= QUEUE_BYTES);
    world_until(has_taken);
    cr_assert_eq(gcl_send(server, gcl_to_name("taker"), "~b", payload), 0);
    world_end();
}

static bool has_room(void)
{
    return gcl_send(server, gcl_to_name("server"), "~b", payload) == 0;
}

Test(limits, a_kept_caller_waits_until_there_is_room_for_its_answer)
{
    gcl_pid stale = {.generation = UINT32_MAX, .id = 1};
    begin();
    answers = 0;
    kept = NOT_TRIED;
    world_serve(a, &keeping, "keeper", NULL);
    cr_assert_eq(
        gcl_call(server, gcl_to_name("keeper"), GCL_INFINITY, on_answer, NULL, NULL, "hello"), 0);
    world_until(has_tried);
    (void)send_until(gcl_to_name("server"), GCL_ELIMIT);
    cr_assert_eq(gcl_reply_later(a->node, last_kept, "~b", payload), GCL_ELIMIT);
    cr_assert_eq(gcl_reply_later(a->node, last_kept, "~p", stale), GCL_ESTALE);
    cr_assert_eq(answers, 0);
    world_until(has_room);
    cr_assert_eq(gcl_reply_later(a->node, last_kept, "~b", payload), 0);
    world_until(is_answered);
    cr_assert_eq(gcl_reply_later(a->node, last_kept, "~b", payload), GCL_ESTALE);
    world_end();
}

Test(limits, pending_bytes)
{
    gcl_ref ref;
    begin();
    raw_init(&peers[0], "x");
    peers[0].steps = 0;
    raw_listen(&peers[0], a);
    size_t sum = send_until(gcl_to_remote("nobody", peers[0].name), GCL_ELIMIT);
    cr_assert(sum > QUEUE_BYTES / 2 && sum <= QUEUE_BYTES);
    /* What is refused leaves nothing behind, small things still fit. */
    payload.size = QUEUE_BYTES;
    cr_assert_eq(gcl_send(server, gcl_to_remote("nobody", peers[0].name), "~b", payload),
                 GCL_ELIMIT);
    cr_assert_eq(gcl_monitor(server, gcl_to_remote("nobody", peers[0].name), &ref), 0);
    raw_close(&peers[0]);
    world_end();
}

/* --- work ------------------------------------------------------------------------------------- */

static _Atomic bool may_end;
static unsigned done_count;

static void work(void *user)
{
    (void)user;
    while (!may_end)
        ;
}

static void done(gcl_node *node, bool canceled, void *user)
{
    (void)node;
    (void)user;
    cr_assert_not(canceled);
    done_count++;
}

static unsigned accepted;

static bool are_done(void)
{
    return done_count == accepted;
}

Test(limits, work_that_waits)
{
    enum { WAITING = 1024, THREADS = 4 };
    int error = 0;
    begin();
    may_end = false;
    for (accepted = done_count = 0; accepted < 10 * WAITING; accepted++) {
        error = gcl_work(a->node, work, done, NULL);
        if (error != 0)
            break;
    }
    cr_assert_eq(error, GCL_EBUSY);
    cr_assert(accepted >= WAITING && accepted <= WAITING + THREADS, "%u", accepted);
    may_end = true;
    world_until(are_done);
    cr_assert_eq(gcl_work(a->node, work, done, NULL), 0);
    accepted++;
    world_until(are_done);
    world_end();
}

static gcl_result answer(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    cr_assert_eq(gcl_reply(self, from, "~t", request), 0);
    return GCL_CONTINUE;
}

static const gcl_handlers answering = {.size = sizeof answering, .handle_call = answer};

Test(limits, a_node_answers_while_all_threads_work)
{
    begin();
    b = world_start(1, NULL);
    world_join(b, a);
    world_serve(a, &answering, "answering", NULL);
    gcl_server *caller = world_serve(b, &no_handlers, NULL, NULL);
    may_end = false;
    done_count = answers = 0;
    for (accepted = 0; accepted < 8; accepted++)
        cr_assert_eq(gcl_work(a->node, work, done, NULL), 0);
    gcl_dest to = gcl_to_remote("answering", a->name);
    cr_assert_eq(gcl_call(caller, to, 10000, on_answer, NULL, NULL, "hello"), 0);
    world_until(is_answered);
    cr_assert_eq(done_count, 0);
    may_end = true;
    world_until(are_done);
    world_end();
}

/* --- closing ---------------------------------------------------------------------------------- */

Test(limits, close_timeout_ms)
{
    begin();
    raw_init(&peers[0], "x");
    peers[0].stops_reading = true;
    raw_join(&peers[0], a);
    int error = 0;
    for (unsigned i = 0; error == 0 && i < 100000; i++)
        error = gcl_send(server, gcl_to_remote("nobody", peers[0].name), "~b", payload);
    cr_assert_eq(error, GCL_EBUSY);
    double begun_ms = world_now_ms();
    world_close(a);
    double took_ms = world_now_ms() - begun_ms;
    cr_assert(took_ms >= CLOSE_MS - 1 && took_ms < 10 * CLOSE_MS, "%f", took_ms);
    raw_close(&peers[0]);
    world_end();
}

/* --- what an idle connection keeps --------------------------------------------------------------
 */

enum { IDLE_PEERS = 16, IDLE_BYTES = 20 * KIB };

static void often_ticking(gcl_node_config *config)
{
    config->net_ticktime_s = 1;
}

/* Without what the raw peers themselves hold. */
static size_t bytes_of_nodes(const struct raw *others)
{
    size_t sum = world.mem.live_bytes;
    for (int i = 0; i < IDLE_PEERS; i++)
        sum -= others[i].in.capacity + others[i].out.capacity;
    return sum;
}

static struct raw idle[IDLE_PEERS];

/* Long enough for two checks of the node. */
static void tick_for_a_while(void)
{
    static const uint8_t tick[4];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < IDLE_PEERS; i++)
            raw_send(&idle[i], tick, sizeof tick);
        world_live(250);
    }
}

Test(limits, an_idle_connection_keeps_little)
{
    static uint8_t much[256 * KIB];
    gcl_bytes large = {much, sizeof much};
    char name[16];
    world_begin();
    a = world_start(0, often_ticking);
    server = world_serve(a, &no_handlers, "server", NULL);
    for (int i = 0; i < IDLE_PEERS; i++) {
        (void)snprintf(name, sizeof name, "idle%d", i);
        raw_init(&idle[i], name);
    }
    size_t before = bytes_of_nodes(idle);
    for (int i = 0; i < IDLE_PEERS; i++)
        raw_join(&idle[i], a);
    cr_assert_leq((bytes_of_nodes(idle) - before) / IDLE_PEERS, IDLE_BYTES);
    for (int i = 0; i < IDLE_PEERS; i++)
        cr_assert_eq(gcl_send(server, gcl_to_remote("nobody", idle[i].name), "~b", large), 0);
    cr_assert_gt((bytes_of_nodes(idle) - before) / IDLE_PEERS, IDLE_BYTES);
    tick_for_a_while();
    /* The node keeps a buffer of its own for the next message. */
    cr_assert_leq(bytes_of_nodes(idle), before + 2 * sizeof much + IDLE_PEERS * IDLE_BYTES);
    for (int i = 0; i < IDLE_PEERS; i++)
        raw_close(&idle[i]);
    world_end();
}

/* --- silence ---------------------------------------------------------------------------------- */

static void short_ticks(gcl_node_config *config)
{
    config->net_ticktime_s = 1;
}

Test(limits, net_ticktime_ends_only_the_connection_to_the_silent_peer)
{
    world_begin();
    a = world_start(0, short_ticks);
    b = world_start(1, short_ticks);
    world_join(a, b);
    raw_init(&peers[0], "x");
    raw_join(&peers[0], a);
    double begun_ms = world_now_ms();
    world_until(is_closed);
    double took_ms = world_now_ms() - begun_ms;
    /* spec: net_kernel, net_ticktime: between 3/4 and 5/4 of it */
    cr_assert(took_ms > 740 && took_ms < 2500, "%f", took_ms);
    cr_assert_eq(world_logged("node_down connection to x@127.0.0.1 is gone: nothing was heard"), 1);
    cr_assert_geq(peers[0].ticks, 2);
    cr_assert(gcl_node_is_connected(a->node, b->name));
    cr_assert_eq(world_logged("node_down"), 1);
    raw_close(&peers[0]);
    world_end();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that send as much as they can: what it costs, and what others notice. */
#include <criterion/criterion.h>
#include <float.h>
#include <string.h>

#include "raw.h"
#include "world.h"

enum { SOFT = 256 * 1024, HARD = 1024 * 1024, KIB = 1024, CALL_LIMIT_MS = 50 };

static struct world_node *a, *b, *c;
static uint8_t bytes[KIB];
static gcl_bytes payload = {bytes, sizeof bytes};

static const gcl_handlers no_handlers = {.size = sizeof no_handlers};

/* --- two that blast each other ---------------------------------------------------------------- */

struct sender {
    struct world_node *from, *to;
    gcl_server *server;
    int64_t next, expected;
    bool over;
};

static struct sender senders[2];

static struct sender *sender_at(gcl_node *node)
{
    return &senders[node == senders[1].from->node];
}

static void send_on(struct sender *sender)
{
    gcl_dest to = gcl_to_remote("blast", sender->to->name);
    int error = 0;
    while (!sender->over && error == 0) {
        error = gcl_cast(sender->server, to, "{~i, ~b}", sender->next, payload);
        sender->next += error == 0;
    }
    cr_assert(error == 0 || error == GCL_EBUSY, "%s", gcl_error_name(error));
}

static void on_room(gcl_node *node, const char *name, void *user)
{
    (void)name;
    (void)user;
    send_on(sender_at(node));
}

static void blast_limits(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->output_hard_bytes = HARD;
    config->pending_bytes = HARD;
    config->local_queue_bytes = HARD;
    config->on_writable = on_room;
}

static gcl_result take_blast(gcl_server *self, gcl_term message, void *user)
{
    struct sender *sender = user;
    int64_t n;
    gcl_bytes body;
    (void)self;
    cr_assert(gcl_match(message, "{~i, ~b}", &n, &body));
    cr_assert_eq(n, sender->expected);
    sender->expected++;
    return GCL_CONTINUE;
}

static gcl_result answer(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    cr_assert_eq(gcl_reply(self, from, "~t", request), 0);
    return GCL_CONTINUE;
}

static const gcl_handlers blasted = {
    .size = sizeof blasted, .handle_call = answer, .handle_cast = take_blast};

static bool is_drained(void)
{
    return senders[0].expected == senders[1].next && senders[1].expected == senders[0].next;
}

static double duration_ms(void)
{
    return world_is_slow() ? 2000 : 10000;
}

static void begin_blast(void (*adjust)(gcl_node_config *config))
{
    world_begin();
    memset(senders, 0, sizeof senders);
    a = world_start(0, adjust);
    b = world_start(1, blast_limits);
    world_join(a, b);
    for (int i = 0; i < 2; i++) {
        senders[i].from = i == 0 ? a : b;
        senders[i].to = i == 0 ? b : a;
        senders[i].server = world_serve(senders[i].from, &blasted, "blast", &senders[i]);
    }
}

/* Each sends as much as it may; what is kept stays below the limits, and nothing is lost. */
Test(flood, two_nodes_that_blast_each_other_neither_block_nor_grow, .timeout = 120)
{
    enum { SUM_OF_LIMITS = 2 * 3 * HARD };
    begin_blast(blast_limits);
    for (int i = 0; i < 2; i++)
        send_on(&senders[i]);
    world_live(duration_ms());
    int64_t half = senders[0].expected;
    cr_assert_gt(half, 1000);
    senders[0].over = senders[1].over = true;
    world_until(is_drained);
    cr_assert_lt(world.mem.peak_bytes, SUM_OF_LIMITS);
    cr_assert_eq(world_logged("node_down"), 0);
    world_end();
}

/* --- others meanwhile ------------------------------------------------------------------------- */

static double sent_ms, worst_ms;
static unsigned answers;
static gcl_server *asker;

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)term;
    (void)user;
    cr_assert_eq(error, 0);
    double took_ms = world_now_ms() - sent_ms;
    worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    answers++;
    return GCL_CONTINUE;
}

static void ask(void)
{
    gcl_dest to = gcl_to_remote("blast", a->name);
    sent_ms = world_now_ms();
    cr_assert_eq(gcl_call(asker, to, 10000, on_answer, NULL, NULL, "hello"), 0);
}

static unsigned wanted_answers;

static bool has_answer(void)
{
    return answers >= wanted_answers;
}

/*
 * One call after the other from node `c` to node `a`. Done three times, because the slowest one may
 * have waited for another program of this machine.
 */
static void call_often(unsigned count)
{
    worst_ms = answers = 0;
    for (wanted_answers = 1; wanted_answers <= count; wanted_answers++) {
        ask();
        world_until(has_answer);
    }
}

static void short_ticks(gcl_node_config *config)
{
    blast_limits(config);
    config->net_ticktime_s = 1;
}

Test(flood, a_flood_starves_no_peer_and_no_tick, .timeout = 120)
{
    begin_blast(short_ticks);
    c = world_start(2, short_ticks);
    world_join(c, a);
    send_on(&senders[1]);
    asker = world_serve(c, &no_handlers, NULL, NULL);
    double best_ms = DBL_MAX;
    for (int i = 0; i < 3; i++) {
        call_often(100);
        best_ms = worst_ms < best_ms ? worst_ms : best_ms;
    }
    cr_assert_lt(best_ms, CALL_LIMIT_MS * (world_is_slow() ? 10 : 1));
    /* `c` is silent from now on but for ticks, and would not stand it to hear none. */
    world_live(3000);
    cr_assert(gcl_node_is_connected(c->node, a->name));
    senders[1].over = true;
    cr_assert_eq(world_logged("node_down"), 0);
    world_end();
}

/* --- frames of one turn ----------------------------------------------------------------------- */

static char order[4096];

static gcl_result take_letter(gcl_server *self, gcl_term message, void *user)
{
    gcl_bytes letter;
    (void)self;
    (void)user;
    cr_assert(gcl_match(message, "~a", &letter));
    order[strlen(order)] = (char)letter.bytes[0];
    return GCL_CONTINUE;
}

static const gcl_handlers reader = {.size = sizeof reader, .handle_info = take_letter};

static void send_letters(struct raw *raw, char letter, unsigned count)
{
    uint8_t term[3] = {0x77, 1, (uint8_t)letter};
    struct gcl_control control = {.op = GCL_CONTROL_SEND,
                                  .target = GCL_CONTROL_TO_NAME,
                                  .has_from = true,
                                  .from = {gcl_str_of(raw->name), 5, 0, 77},
                                  .name = gcl_str_of("reader"),
                                  .term = gcl_str_make(term, sizeof term)};
    for (unsigned i = 0; i < count; i++)
        cr_assert_eq(gcl_control_encode(&raw->out, raw->handshake.flags, &control), 0);
    raw_send(raw, "", 0);
}

static bool has_all_letters(void)
{
    return strlen(order) == 2001;
}

Test(flood, one_connection_hands_out_a_bounded_number_of_frames_per_turn)
{
    enum { MOST = 256 };
    struct raw one, other;
    world_begin();
    a = world_start(0, NULL);
    memset(order, 0, sizeof order);
    world_serve(a, &reader, "reader", NULL);
    raw_init(&one, "one");
    raw_init(&other, "other");
    raw_join(&one, a);
    raw_join(&other, a);
    send_letters(&one, 'm', 2000);
    send_letters(&other, 'o', 1);
    world_until(has_all_letters);
    cr_assert_leq(strcspn(order, "o"), MOST);
    raw_close(&one);
    raw_close(&other);
    world_end();
}

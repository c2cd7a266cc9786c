/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of C nodes and calls of them, where something goes wrong: no memory at any moment, a
 * peer that knows no such requests or lies, a node that closes. With BEAMs: test/ct/rpc_*. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "raw.h"
#include "wire/flags.h"
#include "world.h"

static struct world_node *a, *b;
static gcl_server *server; /* of a */
static gcl_pid server_pid; /* its pid, also when it has ended */
static gcl_rpc_task kept;
static unsigned begun, canceled;

/* --- functions ----------------------------------------------------------------------------------
 */

static void echo(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_term term;
    (void)user;
    if (gcl_match(arguments, "[~t]", &term))
        (void)gcl_rpc_return(gcl_server_node(self), task, "~t", term);
}

static void on_cancel(gcl_node *node, gcl_rpc_task task, void *user)
{
    cr_assert_eq(user, &canceled);
    cr_assert_not(gcl_rpc_is_open(node, task));
    cr_assert_eq(gcl_rpc_return(node, task, "late"), GCL_ESTALE);
    canceled++;
}

static void later(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *node = gcl_server_node(self);
    (void)arguments;
    (void)user;
    kept = task;
    begun++;
    cr_assert_eq(gcl_rpc_on_cancel(node, task, on_cancel, &canceled), 0);
    cr_assert(gcl_rpc_is_open(node, task));
}

static void offer(struct world_node *at)
{
    cr_assert_eq(gcl_rpc_register(at->node, "m", "echo", 1, echo, NULL), 0);
    cr_assert_eq(gcl_rpc_register(at->node, "m", "later", 0, later, NULL), 0);
}

/* --- outcomes ------------------------------------------------------------------------------------
 */

static unsigned pending;
static int outcome;

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)user;
    (void)term;
    cr_assert_gt(pending, 0);
    pending--;
    outcome = error;
    return GCL_CONTINUE;
}

static bool is_over(void)
{
    return pending == 0;
}

static const gcl_handlers handlers = {.size = sizeof handlers};

static void begin(void)
{
    world_begin();
    begun = canceled = pending = 0;
    outcome = 1;
    a = world_start(0, NULL);
    offer(a);
    server = world_serve(a, &handlers, NULL, NULL);
    server_pid = gcl_self(server);
}

static bool has_begun(void)
{
    return begun > 0;
}

static bool is_canceled(void)
{
    return canceled > 0;
}

static int call_later(const char *node)
{
    gcl_rpc_dest dest = gcl_rpc_at(node, "m", "later");
    int error = gcl_rpc_call(server, dest, GCL_INFINITY, on_outcome, NULL, NULL, "[]");
    pending += error == 0;
    return error;
}

/* --- no memory -----------------------------------------------------------------------------------
 */

static void quiet(gcl_node_config *config)
{
    config->hidden = true; /* a visible one would close when global has no memory */
    config->setup_timeout_ms = 100;
    config->log_level = 0;
}

static void go_through_a_life(const char *node)
{
    gcl_rpc_dest to_echo = gcl_rpc_at(node, "m", "echo");
    pending += gcl_rpc_call(server, to_echo, 2000, on_outcome, NULL, NULL, "[~a]", "hello") == 0;
    pending += gcl_spawn(server, to_echo, GCL_SPAWN_LINK, on_outcome, NULL, NULL, "[1]") == 0;
    (void)gcl_rpc_cast(server, to_echo, "[~i]", 1);
    pending += gcl_rpc_call(server, gcl_rpc_at(node, "no", "no"), 2000, on_outcome, NULL, NULL,
                            "[~i]", 1) == 0;
    pending +=
        gcl_rpc_call(server, gcl_rpc_at(node, "m", "later"), 20, on_outcome, NULL, NULL, "[]") == 0;
    pending += gcl_rpc_call(server, gcl_rpc_at(node, "erlang", "processes"), 2000, on_outcome, NULL,
                            NULL, "[]") == 0;
    world_until(is_over);
}

static bool are_unconnected(void)
{
    return !gcl_node_is_connected(a->node, b->name) && !gcl_node_is_connected(b->node, a->name);
}

static void begin_without_memory(size_t at)
{
    gcl_server_config config;
    world_begin();
    begun = canceled = pending = 0;
    a = world_start(0, quiet);
    b = world_start(1, quiet);
    offer(a);
    offer(b);
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.trap_exit = true; /* that of what was spawned */
    cr_assert_eq(gcl_server_start(a->node, &config, &server), 0);
    world_introduce(a, b);
    gcl_test_fail_at(&world.mem, at);
}

/* With memory again all is as if nothing had happened. */
static void end_with_memory(const char *node)
{
    gcl_test_fail_at(&world.mem, 0);
    (void)gcl_node_disconnect(a->node, b->name);
    world_until(are_unconnected);
    pending = 1;
    cr_assert_eq(
        gcl_rpc_call(server, gcl_rpc_at(node, "m", "echo"), 5000, on_outcome, NULL, NULL, "[x]"),
        0);
    world_until(is_over);
    cr_assert_eq(outcome, 0, "%s", gcl_error_name(outcome));
    world_end();
}

static void without_memory(bool is_here)
{
    size_t step = world_is_slow() ? 7 : 1;
    size_t needed = SIZE_MAX;
    for (size_t n = 1; n < needed; n += step) {
        begin_without_memory(n);
        const char *node = is_here ? a->name : b->name;
        go_through_a_life(node);
        if (world.mem.attempts < world.mem.fail_at)
            needed = n;
        end_with_memory(node);
    }
    cr_assert_gt(needed, 20, "%zu", needed);
}

Test(rpc, without_memory_at_any_moment_each_call_has_its_outcome, .timeout = 300)
{
    without_memory(false);
}

Test(rpc, without_memory_at_any_moment_each_call_of_its_own_has_its_outcome, .timeout = 300)
{
    without_memory(true);
}

/* --- ends
 * ----------------------------------------------------------------------------------------- */

Test(rpc, a_node_that_closes_cancels_what_runs_and_what_it_has_called)
{
    begin();
    b = world_start(1, NULL);
    offer(b);
    world_join(a, b);
    cr_assert_eq(call_later(b->name), 0);
    world_until(has_begun);
    world_close(a); /* the caller */
    cr_assert_eq(outcome, GCL_ECANCELED);
    world_until(is_canceled);
    world_end();
    cr_assert_eq(canceled, 1);
}

Test(rpc, a_node_that_closes_tells_those_that_wait)
{
    begin();
    b = world_start(1, NULL);
    offer(b);
    world_join(a, b);
    cr_assert_eq(call_later(b->name), 0);
    world_until(has_begun);
    world_close(b);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_EEXIT);
    cr_assert_eq(canceled, 1);
    world_end();
}

static void hidden(gcl_node_config *config)
{
    config->hidden = true; /* nothing is said to each other but what is called */
}

/* Two nodes that are connected; both offer. */
static void begin_with_hidden(void)
{
    world_begin();
    begun = canceled = pending = 0;
    a = world_start(0, hidden);
    b = world_start(1, hidden);
    offer(a);
    offer(b);
    server = world_serve(a, &handlers, NULL, NULL);
    world_join(a, b);
}

static size_t live_before;

static bool is_as_before(void)
{
    return world.mem.live <= live_before;
}

static void cancel_by_rex(void)
{
    gcl_request request;
    begun = canceled = 0;
    pending = 1;
    cr_assert_eq(gcl_call(server, gcl_to_remote("rex", b->name), GCL_INFINITY, on_outcome, NULL,
                          &request, "{call, m, later, [], user}"),
                 0);
    world_until(has_begun);
    cr_assert_eq(gcl_call_cancel(server, request), 0);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_ECANCELED);
    world_until(is_canceled);
}

Test(rpc, a_canceled_call_by_rex_leaves_nothing_behind)
{
    begin_with_hidden();
    for (int i = 0; i < 8; i++)
        cancel_by_rex();
    live_before = world.mem.live; /* all tables and places are there; a process may be leaving */
    for (int i = 0; i < 32; i++)
        cancel_by_rex();
    world_until(is_as_before);
    world_end();
}

/* --- what large calls leave behind ---------------------------------------------------------------
 */

enum { LARGE = 4 * 1024 * 1024 };

static uint8_t large_bytes[LARGE];
static const gcl_bytes large = {large_bytes, LARGE};

/* What connections keep for more of the same goes when they have been idle. */
static void soon_idle(gcl_node_config *config)
{
    hidden(config);
    config->net_ticktime_s = 1;
    config->output_soft_bytes = 4 * LARGE;
}

static gcl_result on_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason, void *user)
{
    (void)self;
    (void)ref;
    (void)what;
    (void)reason;
    (void)user;
    pending--;
    return GCL_CONTINUE;
}

static void raise_it(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)user;
    (void)gcl_rpc_raise(gcl_server_node(self), task, GCL_RPC_ERROR, "~t", arguments);
}

/* By every way there is: each calls with much, and is answered with as much or more. */
static void call_with_much(const char *node)
{
    gcl_rpc_dest to_echo = gcl_rpc_at(node, "m", "echo"), to_raise = gcl_rpc_at(node, "m", "raise");
    gcl_rpc_dest to_no = gcl_rpc_at(node, "m", "no");
    pending = 6; /* and the end of what is spawned */
    cr_assert_eq(gcl_rpc_call(server, to_echo, GCL_INFINITY, on_outcome, NULL, NULL, "[~b]", large),
                 0);
    cr_assert_eq(
        gcl_rpc_call(server, to_raise, GCL_INFINITY, on_outcome, NULL, NULL, "[~b]", large), 0);
    cr_assert_eq(gcl_rpc_call(server, to_no, GCL_INFINITY, on_outcome, NULL, NULL, "[~b]", large),
                 0);
    cr_assert_eq(gcl_call(server, gcl_to_remote("rex", node), GCL_INFINITY, on_outcome, NULL, NULL,
                          "{call, m, raise, [~b], user}", large),
                 0);
    cr_assert_eq(gcl_spawn(server, to_raise, 0, on_outcome, NULL, NULL, "[~b]", large), 0);
    world_until(is_over);
}

static size_t bytes_before;

static bool has_given_back(void)
{
    return world.mem.live_bytes < bytes_before + LARGE / 16;
}

static void large_calls(bool is_here)
{
    static const gcl_handlers with_down = {.size = sizeof with_down, .handle_down = on_down};
    world_begin();
    a = world_start(0, soon_idle);
    b = world_start(1, soon_idle);
    offer(a);
    offer(b);
    cr_assert_eq(gcl_rpc_register(a->node, "m", "raise", 1, raise_it, NULL), 0);
    cr_assert_eq(gcl_rpc_register(b->node, "m", "raise", 1, raise_it, NULL), 0);
    server = world_serve(a, &with_down, NULL, NULL);
    world_join(a, b);
    bytes_before = world.mem.live_bytes;
    call_with_much(is_here ? a->name : b->name);
    cr_assert_gt(world.mem.peak_bytes, bytes_before + LARGE);
    world_until(has_given_back);
    world_end();
}

Test(rpc, large_calls_leave_nothing_behind)
{
    large_calls(false);
}

Test(rpc, large_calls_of_its_own_leave_nothing_behind)
{
    large_calls(true);
}

static void close_at_once(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)task;
    (void)arguments;
    (void)user;
    gcl_node_close(gcl_server_node(self));
}

static bool is_closed(void)
{
    return a->is_closed;
}

Test(rpc, a_function_may_close_its_node)
{
    begin();
    cr_assert_eq(gcl_rpc_register(a->node, "m", "close", 0, close_at_once, NULL), 0);
    pending = 1;
    cr_assert_eq(gcl_rpc_call(server, gcl_rpc_at(a->name, "m", "close"), GCL_INFINITY, on_outcome,
                              NULL, NULL, "[]"),
                 0);
    world_until(is_closed);
    cr_assert_eq(pending, 0);
    a->node = NULL;
    world_end();
}

static gcl_result stop_then(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)on_outcome(self, error, term, user);
    return GCL_STOP;
}

Test(rpc, an_outcome_may_end_its_server)
{
    begin();
    gcl_rpc_dest dest = gcl_rpc_at(a->name, "m", "echo");
    pending = 2;
    cr_assert_eq(gcl_rpc_call(server, dest, 1000, stop_then, NULL, NULL, "[1]"), 0);
    cr_assert_eq(call_later(a->name), 0);
    cr_assert_eq(gcl_spawn(server, dest, 0, on_outcome, NULL, NULL, "[1]"), 0);
    pending = 3;
    world_until(is_over);
    world_until(is_canceled);
    world_end();
}

Test(rpc, what_is_no_call_is_not_begun)
{
    begin();
    gcl_rpc_dest dest = gcl_rpc_at(a->name, "m", "echo");
    cr_assert_eq(gcl_rpc_call(server, dest, 1, NULL, NULL, NULL, "[1]"), GCL_EINVAL);
    cr_assert_eq(gcl_rpc_call(server, dest, 1, on_outcome, NULL, NULL, "[1 | 2]"), GCL_EINVAL);
    dest.module = NULL;
    cr_assert_eq(gcl_rpc_call(server, dest, 1, on_outcome, NULL, NULL, "[1]"), GCL_EINVAL);
    dest = gcl_rpc_at(a->name, "m", "\xff");
    cr_assert_eq(gcl_rpc_cast(server, dest, "[1]"), GCL_EINVAL);
    dest = gcl_rpc_at("nowhere", "m", "echo");
    cr_assert_eq(gcl_rpc_cast(server, dest, "[1]"), GCL_ENAME);
    cr_assert_eq(gcl_spawn(server, dest, 2, on_outcome, NULL, NULL, "[1]"), GCL_EINVAL);
    cr_assert_eq(gcl_rpc_register(a->node, "m", "f", 1, NULL, NULL), GCL_EINVAL);
    cr_assert_eq(gcl_rpc_register(a->node, "m", "\xff", 1, echo, NULL), GCL_EINVAL);
    cr_assert_eq(gcl_rpc_on_cancel(a->node, (gcl_rpc_task){0, 0}, NULL, NULL), GCL_ESTALE);
    cr_assert(gcl_pid_is_none(gcl_rpc_from(a->node, (gcl_rpc_task){0, 0})));
    world_end();
}

/* --- no room
 * ---------------------------------------------------------------------------------------
 */

static unsigned rexes; /* answers of `rex` to messages */

static gcl_result count_rexes(gcl_server *self, gcl_term message, void *user)
{
    gcl_term answer;
    (void)self;
    (void)user;
    cr_assert(gcl_match(message, "{rex, ~t}", &answer));
    cr_assert(gcl_match(answer, "first"));
    rexes++;
    return GCL_CONTINUE;
}

static void little_room(gcl_node_config *config)
{
    hidden(config);
    config->local_queue_bytes = 64 * 1024;
}

/* No signal that ends a process finds room between the local ones. */
static void fill_local(gcl_server *self)
{
    static const uint8_t zeros[1024];
    const gcl_bytes payload = {zeros, sizeof zeros};
    while (gcl_send(self, gcl_to_pid(gcl_self(self)), "~b", payload) == 0)
        ;
    while (gcl_send(self, gcl_to_pid(gcl_self(self)), "a") == 0)
        ;
}

static bool is_returned(void)
{
    return gcl_rpc_return(b->node, kept, "second") == 0;
}

static bool has_come_back(void)
{
    return is_over() && rexes > 0;
}

Test(rpc, a_message_to_rex_is_answered_once_even_when_its_process_cannot_end_yet)
{
    static const gcl_handlers counting = {.size = sizeof counting, .handle_info = count_rexes};
    world_begin();
    begun = canceled = pending = rexes = 0;
    a = world_start(0, hidden);
    b = world_start(1, little_room);
    offer(b);
    server = world_serve(a, &counting, NULL, NULL);
    gcl_server *other = world_serve(b, &handlers, NULL, NULL);
    world_join(a, b);
    cr_assert_eq(gcl_send(server, gcl_to_remote("rex", b->name), "{~p, {call, m, later, [], user}}",
                          gcl_self(server)),
                 0);
    world_until(has_begun);
    fill_local(other);
    cr_assert_eq(gcl_rpc_return(b->node, kept, "first"), GCL_ELIMIT);
    cr_assert(gcl_rpc_is_open(b->node, kept));
    world_until(is_returned);
    cr_assert_not(gcl_rpc_is_open(b->node, kept));
    /* What comes behind it shows that no second answer has come. */
    pending = 1;
    cr_assert_eq(gcl_rpc_call(server, gcl_rpc_at(b->name, "m", "echo"), GCL_INFINITY, on_outcome,
                              NULL, NULL, "[1]"),
                 0);
    world_until(has_come_back);
    cr_assert_eq(rexes, 1);
    cr_assert_eq(canceled, 0);
    world_end();
}

/* --- a peer that is not as it should be
 * ------------------------------------------------------------ */

static struct raw raw;
static struct gcl_control last; /* what came last, and the text of an atom in it */
static char last_name[64];
static struct gcl_wire_ref asked; /* by the request that came last */
static uint32_t asked_words[5];

static void keep(struct raw *peer, const struct gcl_control *control)
{
    (void)peer;
    last = *control;
    last_name[0] = '\0';
    if (control->op == GCL_CONTROL_SPAWN_REPLY && !control->has_from)
        (void)snprintf(last_name, sizeof last_name, "%.*s", (int)control->name.size,
                       (const char *)control->name.bytes);
    if (control->op == GCL_CONTROL_SPAWN_REQUEST) {
        asked = control->ref;
        memcpy(asked_words, control->ref.words, sizeof asked_words);
    }
}

static enum gcl_control_op awaited_op;

static bool has_come(void)
{
    return last.op == awaited_op;
}

static void await(enum gcl_control_op op)
{
    awaited_op = op;
    world_until(has_come);
}

static void begin_with_raw(void)
{
    begin();
    memset(&last, 0, sizeof last);
    last.op = GCL_CONTROL_OPS;
    raw_init(&raw, "raw");
    raw.frame = keep;
}

static void end_with_raw(void)
{
    raw_close(&raw);
    world_end();
}

static struct gcl_control make(enum gcl_control_op op)
{
    struct gcl_control control = {
        .op = op,
        .has_from = true,
        .from = {gcl_str_of(raw.name), 5, 0, 77},
        .leader = {gcl_str_of(raw.name), 5, 0, 77},
        .to = {gcl_str_of(a->name), server_pid.id, server_pid.serial, gcl_node_creation(a->node)},
        .ref = {.node = gcl_str_of(raw.name), .creation = 77, .words = {1, 2, 3}, .count = 3},
        .options = gcl_str_make("\x6c\0\0\0\1\x77\7monitor\x6a", 15)};
    return control;
}

/* The reply to what the node has asked for. */
static struct gcl_control make_reply(uint32_t flags)
{
    struct gcl_control reply = make(GCL_CONTROL_SPAWN_REPLY);
    reply.ref = (struct gcl_wire_ref){
        .node = gcl_str_of(a->name), .creation = gcl_node_creation(a->node), .count = asked.count};
    memcpy(reply.ref.words, asked_words, sizeof asked_words);
    reply.spawn_flags = flags;
    return reply;
}

Test(rpc, a_node_that_knows_no_such_requests_is_not_asked)
{
    begin_with_raw();
    raw.config.flags &= ~GCL_FLAG(SPAWN);
    raw_listen(&raw, a);
    /* It is not known before it is connected. */
    cr_assert_eq(call_later(raw.name), 0);
    pending++;
    cr_assert_eq(gcl_spawn(server, gcl_rpc_at(raw.name, "m", "f"), GCL_SPAWN_LINK, on_outcome, NULL,
                           NULL, "[]"),
                 0);
    cr_assert_eq(gcl_rpc_cast(server, gcl_rpc_at(raw.name, "m", "f"), "[]"), 0);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_ENOTSUP);
    cr_assert_eq(call_later(raw.name), GCL_ENOTSUP);
    cr_assert_eq(gcl_rpc_cast(server, gcl_rpc_at(raw.name, "m", "f"), "[]"), GCL_ENOTSUP);
    end_with_raw();
}

Test(rpc, a_refusal_is_told_by_its_name)
{
    static const struct {
        const char *atom;
        int error;
    } refusals[] = {{"notsup", GCL_ENOTSUP},
                    {"system_limit", GCL_ELIMIT},
                    {"noconnection", GCL_ENOCONNECTION},
                    {"badopt", GCL_EEXIT}};
    begin_with_raw();
    raw_join(&raw, a);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        last.op = GCL_CONTROL_OPS;
        cr_assert_eq(call_later(raw.name), 0);
        await(GCL_CONTROL_SPAWN_REQUEST);
        cr_assert_eq(last.arity, 4);
        struct gcl_control reply = make_reply(0);
        reply.has_from = false;
        reply.name = gcl_str_of(refusals[i].atom);
        raw_signal(&raw, &reply);
        world_until(is_over);
        cr_assert_eq(outcome, refusals[i].error, "%s", refusals[i].atom);
    }
    end_with_raw();
}

Test(rpc, a_process_that_comes_too_late_is_told_so)
{
    begin_with_raw();
    raw_join(&raw, a);
    pending = 1;
    cr_assert_eq(
        gcl_rpc_call(server, gcl_rpc_at(raw.name, "m", "f"), 20, on_outcome, NULL, NULL, "[]"), 0);
    await(GCL_CONTROL_SPAWN_REQUEST);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_ETIMEOUT);
    struct gcl_control reply = make_reply(GCL_CONTROL_SPAWN_MONITOR);
    raw_signal(&raw, &reply);
    await(GCL_CONTROL_DEMONITOR);
    cr_assert_eq(last.to.id, 5);

    pending = 1;
    cr_assert_eq(gcl_spawn(server, gcl_rpc_at(raw.name, "m", "f"), GCL_SPAWN_LINK, on_outcome, NULL,
                           NULL, "[]"),
                 0);
    await(GCL_CONTROL_SPAWN_REQUEST);
    cr_assert_eq(gcl_server_stop(server, "normal"), 0);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_ECANCELED);
    reply = make_reply(GCL_CONTROL_SPAWN_MONITOR | GCL_CONTROL_SPAWN_LINK);
    raw_signal(&raw, &reply);
    await(GCL_CONTROL_EXIT);
    cr_assert_eq(last.to.id, 5);
    end_with_raw();
}

Test(rpc, a_node_that_is_lost_before_it_answers)
{
    begin_with_raw();
    raw_join(&raw, a);
    cr_assert_eq(call_later(raw.name), 0);
    await(GCL_CONTROL_SPAWN_REQUEST);
    raw_close(&raw);
    world_until(is_over);
    cr_assert_eq(outcome, GCL_ENOCONNECTION);
    world_end();
}

static void small(gcl_node_config *config)
{
    config->output_soft_bytes = 16384;
}

Test(rpc, above_the_soft_limit_nothing_is_asked)
{
    static uint8_t bytes[1024];
    gcl_bytes payload = {bytes, sizeof bytes};
    int error = 0;
    world_begin();
    pending = 0;
    a = world_start(0, small);
    server = world_serve(a, &handlers, NULL, NULL);
    raw_init(&raw, "raw");
    raw.stops_reading = true;
    raw_join(&raw, a);
    while (error == 0)
        error = gcl_send(server, gcl_to_remote("nobody", raw.name), "~b", payload);
    gcl_rpc_dest dest = gcl_rpc_at(raw.name, "m", "f");
    cr_assert_eq(error, GCL_EBUSY);
    cr_assert_eq(gcl_rpc_call(server, dest, 1, on_outcome, NULL, NULL, "[]"), GCL_EBUSY);
    cr_assert_eq(gcl_rpc_cast(server, dest, "[]"), GCL_EBUSY);
    cr_assert_eq(gcl_spawn(server, dest, 0, on_outcome, NULL, NULL, "[]"), GCL_EBUSY);
    /* No outcome comes, not even of the end. */
    end_with_raw();
}

/* --- a reply that there is no memory for
 * ------------------------------------------------------------ */

/* Many requests for what is not there, in memory that does not run out. */
static struct gcl_buffer requests;
static size_t sent;

static void fill_requests(void)
{
    struct gcl_control request = make(GCL_CONTROL_SPAWN_REQUEST);
    request.module = gcl_str_of("no");
    request.function = gcl_str_of("no");
    request.arity = 0;
    request.term = gcl_str_of("\x6a");
    gcl_buffer_init(&requests, gcl_allocator_default(), 0);
    for (int i = 0; i < 200; i++)
        cr_assert_eq(gcl_control_encode(&requests, raw.handshake.flags, &request), 0);
}

/* A peer that does not read writes only when it is told to. */
static bool are_sent(void)
{
    if (!gcl_node_is_connected(a->node, raw.name))
        return true;
    ssize_t size = send(raw.fd, gcl_buffer_bytes(&requests) + sent,
                        gcl_buffer_size(&requests) - sent, MSG_NOSIGNAL);
    sent += size > 0 ? (size_t)size : 0;
    return sent == gcl_buffer_size(&requests);
}

static void ask_often(void)
{
    sent = 0;
    world_until(are_sent);
}

static void add_queued(const gcl_connection_info *info, void *user)
{
    *(size_t *)user += info->output_bytes;
}

Test(rpc, a_reply_that_there_is_no_memory_for_ends_the_connection, .timeout = 60)
{
    size_t queued = 0;
    begin_with_raw();
    raw.stops_reading = true;
    raw_join(&raw, a);
    fill_requests();
    for (ask_often(); queued == 0; ask_often())
        gcl_node_each_connection(a->node, add_queued, &queued);
    gcl_test_fail_at(&world.mem, 1);
    while (world_logged("no memory for a reply that the peer relies on") == 0)
        ask_often();
    gcl_test_fail_at(&world.mem, 0);
    gcl_buffer_fini(&requests);
    end_with_raw();
}

/* --- lies
 * ------------------------------------------------------------------------------------------- */

/* [1, m, later, []] */
static const char call_later_term[] = "\x6c\0\0\0\4\x61\1\x77\1m\x77\5later\x6a\x6a";

Test(rpc, a_caller_that_lies_about_its_creation_is_missed_all_the_same)
{
    begin_with_raw();
    raw_join(&raw, a);
    struct gcl_control request = make(GCL_CONTROL_SPAWN_REQUEST);
    request.module = gcl_str_of("erpc");
    request.function = gcl_str_of("execute_call");
    request.arity = 4;
    request.from.creation = request.ref.creation = 99;
    request.term = gcl_str_make(call_later_term, sizeof call_later_term - 1);
    raw_signal(&raw, &request);
    world_until(has_begun);
    raw_close(&raw);
    world_until(is_canceled);
    world_end();
}

Test(rpc, a_request_that_lies_about_its_arity_is_refused)
{
    begin_with_raw();
    raw_join(&raw, a);
    struct gcl_control request = make(GCL_CONTROL_SPAWN_REQUEST);
    request.module = gcl_str_of("m");
    request.function = gcl_str_of("echo");
    request.arity = 1;
    static const char *const lists[] = {"\x6a", "\x6b\0\2ab", "\x61\1", "\x6c\0\0\0\1\x61\1\x61\1"};
    static const size_t sizes[] = {1, 5, 2, 9};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        last.op = GCL_CONTROL_OPS;
        request.term = gcl_str_make(lists[i], sizes[i]);
        raw_signal(&raw, &request);
        await(GCL_CONTROL_SPAWN_REPLY);
        cr_assert_str_eq(last_name, "badarg");
    }
    /* All that is as it should be. */
    last.op = GCL_CONTROL_OPS;
    request.term = gcl_str_make("\x6b\0\1a", 4);
    raw_signal(&raw, &request);
    await(GCL_CONTROL_DOWN);
    end_with_raw();
}

/* spec: a BEAM has no such function either, and keeps the connection. */
Test(rpc, a_request_with_more_arguments_than_a_function_can_have_is_refused)
{
    static uint8_t many[3 + 65535] = {0x6b};
    static const uint32_t counts[] = {256, 1024, 65535};
    begin_with_raw();
    raw_join(&raw, a);
    struct gcl_control request = make(GCL_CONTROL_SPAWN_REQUEST);
    request.module = gcl_str_of("m");
    request.function = gcl_str_of("echo");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        last.op = GCL_CONTROL_OPS;
        many[1] = (uint8_t)(counts[i] >> 8);
        many[2] = (uint8_t)counts[i];
        request.arity = counts[i];
        request.term = gcl_str_make(many, 3 + counts[i]);
        raw_signal(&raw, &request);
        await(GCL_CONTROL_SPAWN_REPLY);
        cr_assert_str_eq(last_name, "notsup");
    }
    cr_assert(gcl_node_is_connected(a->node, raw.name));
    end_with_raw();
}

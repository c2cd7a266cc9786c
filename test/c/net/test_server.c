/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of two nodes in one loop: what one does to the other is written down as a line of text.
 */
#include <criterion/criterion.h>
#include <ev.h>
#include <gen_cluster.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { DEADLINE_S = 30 };

struct side {
    gcl_node *node;
    char name[64];
    bool is_ready;
    bool is_closed;
};

static struct ev_loop *loop;
static struct side sides[2];
static gcl_test_memory mem;
static char trace[65536];
static const char *awaited;

/* --- what happened -------------------------------------------------------------------------- */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    size_t used = strlen(trace);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(trace + used, sizeof trace - used, format, arguments);
    va_end(arguments);
    ev_break(loop, EVBREAK_ONE); /* for run_until(): the loop would block before it looks */
}

static void on_deadline(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(ev, EVBREAK_ALL);
}

static void run_until(bool (*done)(void))
{
    ev_timer deadline;
    ev_timer_init(&deadline, on_deadline, DEADLINE_S, 0.0);
    ev_timer_start(loop, &deadline);
    while (!done() && ev_is_active(&deadline))
        ev_run(loop, EVRUN_ONCE);
    cr_assert(ev_is_active(&deadline), "deadline; until then: %s", trace);
    ev_timer_stop(loop, &deadline);
}

static bool is_there(void)
{
    return strstr(trace, awaited) != NULL;
}

static void await(const char *text)
{
    awaited = text;
    run_until(is_there);
}

static void expect(const char *whole)
{
    cr_assert_str_eq(trace, whole);
}

/* --- the two nodes -------------------------------------------------------------------------- */

static void on_ready(gcl_node *node, void *user)
{
    (void)node;
    ((struct side *)user)->is_ready = true;
}

static void on_closed(gcl_node *node, int error, void *user)
{
    (void)node;
    (void)error;
    ((struct side *)user)->is_closed = true;
    ev_break(loop, EVBREAK_ONE);
}

static bool are_ready(void)
{
    return sides[0].is_ready && sides[1].is_ready;
}

static bool are_closed(void)
{
    return sides[0].is_closed && sides[1].is_closed;
}

/* For what is counted: `global` allocates when it pleases. */
static bool are_hidden;

static void start_node(struct side *side, char letter, const gcl_allocator *allocator)
{
    gcl_node_config config;
    char detail[256];
    memset(side, 0, sizeof *side);
    (void)snprintf(side->name, sizeof side->name, "%c%d@localhost", letter, (int)getpid());
    gcl_node_config_init(&config);
    config.loop = loop;
    config.name = side->name;
    config.cookie = "servers";
    config.allocator = allocator;
    config.user = side;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    config.log_level = GCL_LOG_ERROR;
    config.mailbox_bytes = 4096;
    config.hidden = are_hidden;
    cr_assert_eq(gcl_node_new(&config, &side->node, detail, sizeof detail), 0, "%s", detail);
}

static void begin(void)
{
    trace[0] = '\0';
    gcl_test_begin(&mem);
    loop = ev_loop_new(EVFLAG_AUTO);
    start_node(&sides[0], 'a', &mem.allocator);
    start_node(&sides[1], 'b', &mem.allocator);
    run_until(are_ready);
}

/* One that has no memory for `global` has closed itself. */
static void close_both(void)
{
    for (int i = 0; i < 2; i++)
        if (!sides[i].is_closed)
            gcl_node_close(sides[i].node);
    run_until(are_closed);
}

static void end(void)
{
    close_both();
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
}

/* --- a server that does what it is told, and notes what reaches it --------------------------- */

static gcl_caller kept;
static gcl_ref watched;

static void keep(const gcl_from *from)
{
    cr_assert_eq(gcl_from_keep(from, &kept), 0);
    ev_break(loop, EVBREAK_ONE);
}

/* What the handler was given stays as it is while it runs, whatever it does. */
static void cut(gcl_server *self, gcl_term request)
{
    gcl_bytes text;
    cr_assert_eq(gcl_node_disconnect(gcl_server_node(self), sides[0].name), 0);
    cr_assert_eq(gcl_node_disconnect(gcl_server_node(self), sides[0].name), GCL_ENOENT);
    cr_assert(gcl_match(request, "{cut, ~b}", &text));
    cr_assert_eq(memcmp(text.bytes, "still there", text.size), 0);
    note("cut; ");
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    int64_t n;
    gcl_term term;
    (void)user;
    if (gcl_match(request, "{add, ~i}", &n))
        cr_assert_eq(gcl_reply(self, from, "{ok, ~i}", n + 1), 0);
    else if (gcl_match(request, "{echo, ~t}", &term))
        cr_assert_eq(gcl_reply(self, from, "~t", term), 0);
    else if (gcl_match(request, "later"))
        keep(from);
    else if (gcl_match(request, "{cut, ~t}", &term))
        cut(self, request);
    else if (gcl_match(request, "close"))
        gcl_node_close(gcl_server_node(self));
    else if (gcl_match(request, "crash"))
        return gcl_stop(self, "{oops, ~i}", 1);
    else if (gcl_match(request, "wrong_pattern"))
        (void)gcl_reply(self, from, "{ok, ~i}");
    else if (gcl_match(request, "wrong_result"))
        return (gcl_result)7;
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    int64_t n;
    gcl_pid pid;
    (void)user;
    if (gcl_match(message, "{note, ~i}", &n)) {
        note("cast %" PRId64 "; ", n);
    } else if (gcl_match(message, "{link, ~p}", &pid)) {
        cr_assert_eq(gcl_link(self, pid), 0);
        note("linked; ");
    } else if (gcl_match(message, "stop")) {
        return GCL_STOP;
    }
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    int64_t n;
    (void)self;
    (void)user;
    if (gcl_match(message, "{info, ~i}", &n))
        note("info %" PRId64 "; ", n);
    return GCL_CONTINUE;
}

static void note_reason(const char *what, gcl_term reason)
{
    gcl_bytes atom;
    int64_t n;
    if (gcl_match(reason, "~a", &atom))
        note("%s %.*s; ", what, (int)atom.size, (const char *)atom.bytes);
    else if (gcl_match(reason, "{~a, ~i}", &atom, &n))
        note("%s {%.*s,%" PRId64 "}; ", what, (int)atom.size, (const char *)atom.bytes, n);
    else if (gcl_match(reason, "{~a, _}", &atom))
        note("%s {%.*s,_}; ", what, (int)atom.size, (const char *)atom.bytes);
    else
        note("%s ?; ", what);
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    gcl_bytes name, node;
    gcl_pid pid;
    (void)self;
    (void)user;
    cr_assert(gcl_ref_equal(&ref, &watched));
    if (gcl_match(what, "{~a, ~a}", &name, &node))
        note("{%.*s,%c} ", (int)name.size, (const char *)name.bytes, node.bytes[0]);
    else
        cr_assert(gcl_match(what, "~p", &pid));
    note_reason("down", reason);
    return GCL_CONTINUE;
}

static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)self;
    (void)user;
    cr_assert_not(gcl_pid_is_none(from));
    note_reason("exit", reason);
    return GCL_CONTINUE;
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    gcl_bytes why;
    (void)self;
    (void)user;
    cr_assert_eq(gcl_term_is_none(reason), is_up);
    cr_assert(is_up || gcl_match(reason, "~b", &why));
    note("%s %c; ", is_up ? "up" : "down", name[0]);
    return GCL_CONTINUE;
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    (void)self;
    (void)user;
    note("timer %" PRIu64 "; ", timer);
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)self;
    note("%s ", (const char *)user);
    note_reason("terminate", reason);
}

static const gcl_handlers handlers = {
    .size = sizeof(gcl_handlers),
    .handle_call = handle_call,
    .handle_cast = handle_cast,
    .handle_info = handle_info,
    .handle_down = handle_down,
    .handle_exit = handle_exit,
    .handle_node = handle_node,
    .handle_timer = handle_timer,
    .terminate = terminate,
};

static gcl_server *start(int side, const char *name, bool trap_exit)
{
    gcl_server *server = NULL;
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = name;
    config.user = (void *)(uintptr_t)name;
    config.trap_exit = trap_exit;
    cr_assert_eq(gcl_server_start(sides[side].node, &config, &server), 0);
    return server;
}

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    int64_t n;
    (void)self;
    (void)user;
    if (error != 0)
        note("%s; ", gcl_error_name(error));
    else if (gcl_match(term, "{ok, ~i}", &n))
        note("ok %" PRId64 "; ", n);
    else
        note("reply; ");
    if (error == GCL_EEXIT)
        note_reason("reason", term);
    return GCL_CONTINUE;
}

static gcl_dest at_b(const char *name)
{
    return gcl_to_remote(name, sides[1].name);
}

#define CALL(server, dest, ...)                                                                    \
    cr_assert_eq(gcl_call((server), (dest), 10000, on_outcome, NULL, NULL, __VA_ARGS__), 0)

/* --- calls ---------------------------------------------------------------------------------- */

Test(server, calls_go_to_names_and_pids_near_and_far)
{
    begin();
    gcl_server *a = start(0, "one", false);
    gcl_server *near = start(0, "near", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "{add, ~i}", 1);
    await("ok 2; ");
    CALL(a, gcl_to_name("near"), "{add, ~i}", 2);
    await("ok 3; ");
    CALL(a, gcl_to_pid(gcl_self(near)), "{add, ~i}", 3);
    await("ok 4; ");
    CALL(a, gcl_to_remote("near", sides[0].name), "{add, ~i}", 4);
    await("ok 5; ");
    expect("ok 2; ok 3; ok 4; ok 5; ");
    end();
}

Test(server, a_call_to_nobody_is_noproc_at_once)
{
    begin();
    gcl_server *a = start(0, "one", false);
    CALL(a, at_b("nobody"), "hello");
    await("GCL_ENOPROC; ");
    CALL(a, gcl_to_name("nobody"), "hello");
    await("GCL_ENOPROC; GCL_ENOPROC; ");
    end();
}

Test(server, a_call_to_a_node_that_is_not_there_is_noconnection)
{
    begin();
    gcl_server *a = start(0, "one", false);
    CALL(a, gcl_to_remote("two", "nobody@localhost"), "hello");
    await("GCL_ENOCONNECTION; ");
    end();
}

Test(server, a_call_ends_with_the_reason_of_the_server_that_ends)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "crash");
    await("reason {oops,1}; ");
    expect("two terminate {oops,1}; GCL_EEXIT; reason {oops,1}; ");
    end();
}

Test(server, a_call_without_an_answer_times_out)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_call(a, at_b("two"), 20, on_outcome, NULL, NULL, "later"), 0);
    await("GCL_ETIMEOUT; ");
    /* What comes too late vanishes. */
    cr_assert_eq(gcl_reply_later(sides[1].node, kept, "{ok, 1}"), 0);
    CALL(a, at_b("two"), "{add, ~i}", 1);
    await("ok 2; ");
    expect("GCL_ETIMEOUT; ok 2; ");
    end();
}

Test(server, a_canceled_call_has_its_outcome_after_the_function_returned)
{
    begin();
    gcl_request request;
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_call(a, at_b("two"), GCL_INFINITY, on_outcome, NULL, &request, "later"), 0);
    cr_assert_eq(gcl_call_cancel(a, request), 0);
    expect("");
    await("GCL_ECANCELED; ");
    cr_assert_eq(gcl_call_cancel(a, request), GCL_ESTALE);
    end();
}

Test(server, calls_of_a_server_that_ends_are_canceled)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "later");
    cr_assert_eq(gcl_server_stop(a, "normal"), 0);
    await("one terminate");
    expect("GCL_ECANCELED; one terminate normal; ");
    end();
}

static bool has_kept(void)
{
    return kept.generation != 0;
}

Test(server, an_answer_may_come_later)
{
    begin();
    memset(&kept, 0, sizeof kept);
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "later");
    run_until(has_kept);
    cr_assert_eq(gcl_reply_later(sides[1].node, kept, "{ok, ~i}", 9), 0);
    cr_assert_eq(gcl_reply_later(sides[1].node, kept, "{ok, ~i}", 9), GCL_ESTALE);
    await("ok 9; ");
    end();
}

static void answer_posted(gcl_node *node, void *argument)
{
    cr_assert_not_null(node);
    cr_assert_eq(gcl_reply_later(node, *(gcl_caller *)argument, "{ok, ~i}", 10), 0);
}

static void *post_answer(void *poster)
{
    cr_assert_eq(gcl_post(poster, answer_posted, &kept), 0);
    gcl_poster_release(poster);
    return NULL;
}

Test(server, an_answer_may_come_by_way_of_another_thread)
{
    begin();
    pthread_t thread;
    memset(&kept, 0, sizeof kept);
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "later");
    run_until(has_kept);
    cr_assert_eq(pthread_create(&thread, NULL, post_answer, gcl_node_poster(sides[1].node)), 0);
    await("ok 10; ");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    end();
}

Test(server, a_caller_that_was_kept_is_stale_when_its_node_is_lost)
{
    begin();
    memset(&kept, 0, sizeof kept);
    gcl_server *a = start(0, "one", false);
    gcl_server *b = start(1, "two", false);
    gcl_monitor_nodes(b, true);
    CALL(a, at_b("two"), "later");
    run_until(has_kept);
    cr_assert_eq(gcl_node_disconnect(sides[0].node, sides[1].name), 0);
    await("down a; ");
    cr_assert_eq(gcl_reply_later(sides[1].node, kept, "{ok, ~i}", 9), GCL_ESTALE);
    await("GCL_ENOCONNECTION; ");
    end();
}

/* --- messages, links, monitors --------------------------------------------------------------- */

Test(server, messages_keep_their_order_while_the_node_is_connected)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_send(a, at_b("two"), "{info, ~i}", 1), 0);
    cr_assert_eq(gcl_cast(a, at_b("two"), "{note, ~i}", 2), 0);
    cr_assert_eq(gcl_send(a, at_b("two"), "{info, ~i}", 3), 0);
    await("info 3; ");
    expect("info 1; cast 2; info 3; ");
    end();
}

Test(server, a_monitor_by_name_tells_the_reason)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_monitor(a, at_b("two"), &watched), 0);
    cr_assert_eq(gcl_cast(a, at_b("two"), "stop"), 0);
    await("{two,b} down normal; ");
    cr_assert_eq(gcl_monitor(a, at_b("two"), &watched), 0);
    await("{two,b} down noproc; ");
    end();
}

Test(server, a_monitor_that_was_ended_is_silent)
{
    begin();
    gcl_ref ref;
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_monitor(a, at_b("two"), &ref), 0);
    cr_assert_eq(gcl_demonitor(a, ref), 0);
    cr_assert_eq(gcl_demonitor(a, ref), GCL_ENOENT);
    cr_assert_eq(gcl_cast(a, at_b("two"), "stop"), 0);
    CALL(a, at_b("two"), "hello");
    await("GCL_ENOPROC; ");
    expect("two terminate normal; GCL_ENOPROC; ");
    end();
}

Test(server, messages_come_before_the_end_of_their_sender)
{
    begin();
    gcl_server *a = start(0, "one", false);
    gcl_server *near = start(0, "near", false);
    cr_assert_eq(gcl_monitor(a, gcl_to_name("near"), &watched), 0);
    cr_assert_eq(gcl_send(near, gcl_to_name("one"), "{info, ~i}", 1), 0);
    cr_assert_eq(gcl_server_stop(near, "{shutdown, ~i}", 3), 0);
    await("down {shutdown,3}; ");
    expect("info 1; near terminate {shutdown,3}; {near,a} down {shutdown,3}; ");
    end();
}

Test(server, a_link_takes_the_other_end_along_unless_it_traps_exits)
{
    begin();
    start(0, "one", false);
    gcl_server *trapping = start(0, "trapping", true);
    gcl_server *b = start(1, "two", false);
    cr_assert_eq(gcl_link(b, gcl_self(b)), 0);
    cr_assert_eq(gcl_cast(b, gcl_to_remote("one", sides[0].name), "{link, ~p}", gcl_self(b)), 0);
    await("linked; ");
    cr_assert_eq(gcl_cast(b, gcl_to_remote("trapping", sides[0].name), "{link, ~p}", gcl_self(b)),
                 0);
    await("linked; linked; ");
    CALL(trapping, at_b("two"), "crash");
    await("exit {oops,1}; ");
    await("one terminate {oops,1}; ");
    end();
}

Test(server, exit_2_ends_a_server_and_kill_one_that_traps)
{
    begin();
    gcl_server *a = start(0, "one", false);
    gcl_server *plain = start(0, "plain", false), *trapping = start(0, "trapping", true);
    cr_assert_eq(gcl_exit(a, gcl_self(plain), "{because, ~i}", 2), 0);
    await("plain terminate {because,2}; ");
    cr_assert_eq(gcl_exit(a, gcl_self(trapping), "{because, ~i}", 3), 0);
    await("exit {because,3}; ");
    cr_assert_eq(gcl_exit(a, gcl_self(trapping), "kill"), 0);
    await("trapping terminate killed; ");
    end();
}

Test(server, a_message_reaches_an_alias_until_it_is_ended)
{
    begin();
    gcl_ref alias;
    gcl_server *a = start(0, "one", false);
    gcl_server *b = start(1, "two", false);
    cr_assert_eq(gcl_alias_new(a, &alias), 0);
    CALL(b, gcl_to_remote("one", sides[0].name), "{add, ~i}", 1);
    await("ok 2; ");
    cr_assert_eq(gcl_unalias(b, alias), GCL_ENOENT);
    cr_assert_eq(gcl_send(a, gcl_to_alias(alias), "{info, ~i}", 1), 0);
    await("info 1; ");
    cr_assert_eq(gcl_unalias(a, alias), 0);
    cr_assert_eq(gcl_send(a, gcl_to_alias(alias), "{info, ~i}", 2), 0);
    cr_assert_eq(gcl_send(a, gcl_to_pid(gcl_self(a)), "{info, ~i}", 3), 0);
    await("info 3; ");
    cr_assert_null(strstr(trace, "info 2"));
    end();
}

Test(server, nodes_that_come_and_go_are_told)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    gcl_monitor_nodes(a, true);
    CALL(a, at_b("two"), "{add, ~i}", 1);
    await("ok 2; ");
    cr_assert_eq(gcl_node_disconnect(sides[0].node, sides[1].name), 0);
    await("down b; ");
    gcl_monitor_nodes(a, false);
    CALL(a, at_b("two"), "{add, ~i}", 2);
    await("ok 3; ");
    expect("up b; ok 2; down b; ok 3; ");
    end();
}

/* --- timers, names, mistakes ------------------------------------------------------------------ */

Test(server, timers_expire_in_order_unless_they_are_canceled)
{
    begin();
    uint64_t timers[3];
    char expected[128];
    gcl_server *a = start(0, "one", false);
    cr_assert_eq(gcl_timer_start(a, 30, &timers[0]), 0);
    cr_assert_eq(gcl_timer_start(a, 10, &timers[1]), 0);
    cr_assert_eq(gcl_timer_start(a, 20, &timers[2]), 0);
    cr_assert_eq(gcl_timer_cancel(a, timers[2]), 0);
    cr_assert_eq(gcl_timer_cancel(a, timers[2]), GCL_ENOENT);
    (void)snprintf(expected, sizeof expected, "timer %" PRIu64 "; timer %" PRIu64 "; ", timers[1],
                   timers[0]);
    await(expected);
    expect(expected);
    end();
}

Test(server, timers_go_with_their_server)
{
    begin();
    uint64_t timer, last;
    gcl_server *a = start(0, "one", false);
    gcl_server *b = start(0, "other", false);
    cr_assert_eq(gcl_timer_start(a, 5, &timer), 0);
    cr_assert_eq(gcl_timer_start(b, 20, &last), 0);
    cr_assert_eq(gcl_server_stop(a, "normal"), 0);
    await("timer ");
    char expected[64];
    (void)snprintf(expected, sizeof expected, "one terminate normal; timer %" PRIu64 "; ", last);
    expect(expected);
    end();
}

Test(server, names_are_taken_once_and_free_again)
{
    begin();
    gcl_server *a = start(0, "one", false);
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "one";
    cr_assert_eq(gcl_server_start(sides[0].node, &config, NULL), GCL_EEXIST);
    cr_assert_eq(gcl_whereis(sides[0].node, "one"), a);
    cr_assert_eq(gcl_server_of(sides[0].node, gcl_self(a)), a);
    cr_assert_eq(gcl_unregister(a), 0);
    cr_assert_eq(gcl_unregister(a), GCL_ENOENT);
    cr_assert_null(gcl_whereis(sides[0].node, "one"));
    cr_assert_eq(gcl_register(a, "other"), 0);
    cr_assert_eq(gcl_register(a, "third"), GCL_EEXIST);
    cr_assert_eq(gcl_whereis(sides[0].node, "other"), a);
    cr_assert_str_eq(gcl_pid_node(sides[0].node, gcl_self(a)), sides[0].name);
    end();
}

Test(server, a_mistake_of_a_handler_ends_its_server_and_not_the_node)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    start(1, "three", false);
    CALL(a, at_b("two"), "wrong_pattern");
    await("reason {bad_pattern,_}; ");
    CALL(a, at_b("three"), "wrong_result");
    await("reason {bad_return_value,7}; ");
    start(1, "four", false);
    CALL(a, at_b("four"), "{add, ~i}", 1);
    await("ok 2; ");
    end();
}

Test(server, a_server_of_a_node_that_closes_ends_with_shutdown)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    cr_assert_eq(gcl_monitor(a, at_b("two"), &watched), 0);
    CALL(a, at_b("two"), "{add, ~i}", 1);
    await("ok 2; ");
    gcl_node_close(sides[1].node);
    await("down shutdown; ");
    expect("ok 2; two terminate shutdown; {two,b} down shutdown; ");
    end();
}

Test(server, a_handler_may_cut_the_connection_that_its_request_came_by)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "{cut, ~b}", "still there");
    await("GCL_ENOCONNECTION; ");
    CALL(a, at_b("two"), "{add, ~i}", 1);
    await("ok 2; ");
    expect("cut; GCL_ENOCONNECTION; ok 2; ");
    end();
}

Test(server, a_handler_may_close_its_node)
{
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    CALL(a, at_b("two"), "close");
    await("reason shutdown; ");
    expect("two terminate shutdown; GCL_EEXIT; reason shutdown; ");
    end();
}

/* --- nothing is allocated once it is warm ------------------------------------------------------
 */

static int left;
static size_t warm;

static gcl_result next_call(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)term;
    (void)user;
    cr_assert_eq(error, 0);
    left--;
    if (left == 10000)
        warm = mem.total;
    if (left == 0) {
        ev_break(loop, EVBREAK_ONE);
        return GCL_CONTINUE;
    }
    cr_assert_eq(gcl_cast(self, at_b("two"), "nothing"), 0);
    cr_assert_eq(gcl_call(self, at_b("two"), 10000, next_call, NULL, NULL, "{add, ~i}", left), 0);
    return GCL_CONTINUE;
}

static bool none_left(void)
{
    return left == 0;
}

Test(server, warm_calls_casts_and_replies_allocate_nothing, .timeout = 120)
{
    are_hidden = true;
    begin();
    gcl_server *a = start(0, "one", false);
    start(1, "two", false);
    left = 11000;
    cr_assert_eq(gcl_call(a, at_b("two"), 10000, next_call, NULL, NULL, "{add, 1}"), 0);
    run_until(none_left);
    cr_assert_eq(mem.total, warm);
    end();
}

/* --- every allocation may fail ------------------------------------------------------------------
 */

static bool is_over;

static gcl_result over(gcl_server *self, uint64_t timer, void *user)
{
    (void)self;
    (void)timer;
    (void)user;
    is_over = true;
    ev_break(loop, EVBREAK_ONE);
    return GCL_CONTINUE;
}

static gcl_result answer_or_keep(gcl_server *self, gcl_term request, const gcl_from *from,
                                 void *user)
{
    (void)user;
    if (gcl_match(request, "keep")) {
        gcl_caller caller;
        if (gcl_from_keep(from, &caller) == 0)
            (void)gcl_reply_later(gcl_server_node(self), caller, "ok");
        return GCL_CONTINUE;
    }
    (void)gcl_reply(self, from, "{ok, ~t, ~p}", request, gcl_from_pid(from));
    return GCL_CONTINUE;
}

static const gcl_handlers poor_handlers = {
    .size = sizeof(gcl_handlers), .handle_call = answer_or_keep, .handle_timer = over};

static gcl_result any_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    unsigned *outcomes = user;
    (void)self;
    (void)error;
    (void)term;
    ++*outcomes;
    return GCL_CONTINUE;
}

static gcl_server *start_poor(int side, const char *name)
{
    gcl_server *server;
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &poor_handlers;
    config.name = name;
    return gcl_server_start(sides[side].node, &config, &server) == 0 ? server : NULL;
}

static unsigned outcomes, calls;

/* A bit of everything; what cannot be done is left out. */
static void do_all(gcl_server *a, gcl_server *near, gcl_server *b)
{
    gcl_ref ref;
    uint64_t timer;
    const gcl_dest dests[] = {at_b("two"), gcl_to_name("near"), at_b("nobody")};
    for (size_t i = 0; i < sizeof dests / sizeof *dests; i++) {
        calls += gcl_call(a, dests[i], 1000, any_outcome, &outcomes, NULL, "keep") == 0;
        calls += gcl_call(a, dests[i], 1000, any_outcome, &outcomes, NULL, "[1, 2 | a]") == 0;
        (void)gcl_cast(a, dests[i], "cast");
        (void)gcl_send(a, dests[i], "{send, ~s}", "text");
        if (gcl_monitor(a, dests[i], &ref) == 0 && i == 1)
            (void)gcl_demonitor(a, ref);
    }
    if (gcl_alias_new(a, &ref) == 0)
        (void)gcl_send(a, gcl_to_alias(ref), "hello");
    if (near != NULL && gcl_link(a, gcl_self(near)) == 0)
        (void)gcl_unlink(a, gcl_self(near));
    if (gcl_timer_start(a, 1, &timer) == 0)
        (void)gcl_timer_cancel(a, timer);
    calls += gcl_global_register(a, any_outcome, &outcomes, "name") == 0;
    calls += gcl_call(b, gcl_to_pid(gcl_self(a)), 1000, any_outcome, &outcomes, NULL, "keep") == 0;
}

static bool was_over(void)
{
    return is_over;
}

static bool have_outcomes(void)
{
    return outcomes == calls;
}

/* How many allocations there were. */
static size_t without_memory_from(size_t n)
{
    static gcl_test_memory rich;
    uint64_t timer;
    trace[0] = '\0';
    outcomes = calls = 0;
    gcl_test_begin(&mem);
    gcl_test_begin(&rich);
    loop = ev_loop_new(EVFLAG_AUTO);
    start_node(&sides[0], 'a', &mem.allocator);
    start_node(&sides[1], 'b', &rich.allocator);
    run_until(are_ready);
    gcl_server *b = start_poor(1, "two"), *a = start_poor(0, "one");
    cr_assert_not_null(a);
    cr_assert_not_null(b);
    size_t before = mem.attempts;
    gcl_test_fail_at(&mem, n);
    do_all(a, start_poor(0, "near"), b);
    is_over = false;
    cr_assert_eq(gcl_timer_start(b, 20, &timer), 0);
    run_until(was_over);
    size_t attempts = mem.attempts - before;
    gcl_test_fail_at(&mem, 0);
    close_both();
    cr_assert(have_outcomes(), "%u outcomes of %u calls without memory from %zu on", outcomes,
              calls, n);
    ev_loop_destroy(loop);
    gcl_test_end(&mem);
    gcl_test_end(&rich);
    return attempts;
}

Test(server, without_memory_from_any_point_on_nothing_is_left, .timeout = 120)
{
    size_t attempts = without_memory_from(0);
    cr_assert_gt(attempts, 20);
    for (size_t n = 1; n <= attempts; n++)
        (void)without_memory_from(n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that does what a call tells it, so that suites are written in Erlang alone: each request
 * below is answered with the outcome, and what reaches the server otherwise is sent to the process
 * that said `subscribe`. It writes `ready NODE PORT`, `closed ERROR`, what it logs as `log LEVEL
 * EVENT TEXT`, `has_stalled MS` when its watchdog has struck, and ends with its input. The cast
 * `{block, MS}` keeps its loop from everything, from the line `blocking` to the line `unblocked`.
 *
 *     server NAME [visible [mute | reports | watchdog MS]]
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driven/driven.h"

struct program {
    gcl_node *node;
    gcl_server *server;
    gcl_pid owner;
    gcl_caller waiting; /* of `keep` */
    gcl_request request;
};

/* --- to the subscriber ---------------------------------------------------------------------- */

static struct program the;

#define TELL(self, ...)                                                                            \
    do {                                                                                           \
        if (!gcl_pid_is_none(the.owner))                                                           \
            (void)gcl_send((self), gcl_to_pid(the.owner), __VA_ARGS__);                            \
    } while (0)

/* What a handler must not do. */
static gcl_result block(uint32_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    printf("blocking\n");
    while (nanosleep(&left, &left) != 0)
        ;
    printf("unblocked\n");
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    uint32_t ms;
    (void)user;
    if (gcl_match(message, "stop"))
        return GCL_STOP;
    if (gcl_match(message, "{block, ~u}", &ms))
        return block(ms);
    TELL(self, "{cast, ~t}", message);
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    TELL(self, "{info, ~t}", message);
    return GCL_CONTINUE;
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    (void)user;
    TELL(self, "{down, ~r, ~t, ~t}", ref, what, reason);
    return GCL_CONTINUE;
}

static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)user;
    TELL(self, "{exit, ~p, ~t}", from, reason);
    return GCL_CONTINUE;
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    (void)user;
    (void)reason;
    TELL(self, "{~a, ~a}", is_up ? "nodeup" : "nodedown", name);
    return GCL_CONTINUE;
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    (void)user;
    TELL(self, "{timer, ~u}", timer);
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)user;
    TELL(self, "{terminate, ~t}", reason);
    the.server = NULL;
}

static void state(gcl_server *self, gcl_writer *out, void *user)
{
    (void)self;
    (void)user;
    (void)gcl_write(out, "#{owner => ~b}", gcl_pid_is_none(the.owner) ? "nobody" : "somebody");
}

/* --- what calls tell it --------------------------------------------------------------------- */

/* A pid, a local name, {Name, Node}, or a reference: an alias. */
static gcl_dest dest_of(gcl_term term)
{
    gcl_pid pid;
    gcl_ref alias;
    gcl_bytes name, node;
    if (gcl_match(term, "~p", &pid))
        return gcl_to_pid(pid);
    if (gcl_match(term, "~r", &alias))
        return gcl_to_alias(alias);
    if (gcl_match(term, "~a", &name))
        return gcl_to_name(driven_text(name));
    if (gcl_match(term, "{global, ~a}", &name))
        return gcl_to_global(driven_text(name));
    if (gcl_match(term, "{~a, ~a}", &name, &node))
        return gcl_to_remote(driven_text(name), driven_text(node));
    return (gcl_dest){0};
}

static void reply_ref(gcl_server *self, const gcl_from *from, int error, gcl_ref ref)
{
    if (error == 0)
        (void)gcl_reply(self, from, "{ok, ~r}", ref);
    else
        driven_reply(self, from, error);
}

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_caller *caller = user;
    gcl_node *node = gcl_server_node(self);
    if (error == 0)
        (void)gcl_reply_later(node, *caller, "{ok, ~t}", term);
    else if (gcl_term_is_none(term))
        (void)gcl_reply_later(node, *caller, "{error, ~a}", gcl_error_name(error));
    else
        (void)gcl_reply_later(node, *caller, "{error, ~a, ~t}", gcl_error_name(error), term);
    free(caller);
    return GCL_CONTINUE;
}

static gcl_result on_global(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_caller *caller = user;
    gcl_node *node = gcl_server_node(self);
    if (error != 0)
        (void)gcl_reply_later(node, *caller, "{error, ~a}", gcl_error_name(error));
    else if (gcl_term_is_none(term))
        (void)gcl_reply_later(node, *caller, "ok");
    else
        (void)gcl_reply_later(node, *caller, "{ok, ~t}", term);
    free(caller);
    return GCL_CONTINUE;
}

static void call(gcl_server *self, const gcl_from *from, gcl_dest dest, uint32_t timeout_ms,
                 gcl_term request)
{
    gcl_caller *caller = malloc(sizeof *caller);
    if (caller == NULL || gcl_from_keep(from, caller) != 0)
        abort();
    int error = gcl_call(self, dest, timeout_ms, on_outcome, caller, &the.request, "~t", request);
    if (error == 0)
        return;
    free(caller);
    driven_reply(self, from, error);
}

/* A question about a global name, as gcl_global_register() and gcl_global_whereis() put it. */
static void ask_global(gcl_server *self, const gcl_from *from, gcl_term name,
                       int (*ask)(gcl_server *, gcl_reply_function *, void *, gcl_message))
{
    gcl_caller *caller = malloc(sizeof *caller);
    if (caller == NULL || gcl_from_keep(from, caller) != 0)
        abort();
    int error = ask(self, on_global, caller, GCL_MESSAGE("~t", name));
    if (error == 0)
        return;
    free(caller);
    driven_reply(self, from, error);
}

static int register_with_defaults(gcl_server *self, gcl_reply_function *done, void *user,
                                  gcl_message name)
{
    return gcl_global_register_message(self, NULL, done, user, name);
}

static gcl_result ignore(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)error;
    (void)term;
    (void)user;
    return GCL_CONTINUE;
}

/* Another server wants a name, and ends before anybody can have answered. */
static int register_and_end(gcl_server *self, gcl_term name)
{
    static const gcl_handlers none = {.size = sizeof none};
    gcl_server_config config;
    gcl_server *other;
    gcl_server_config_init(&config);
    config.handlers = &none;
    int error = gcl_server_start(gcl_server_node(self), &config, &other);
    if (error == 0)
        error = gcl_global_register(other, ignore, NULL, "~t", name);
    if (error == 0)
        error = gcl_server_stop(other, "normal");
    return error;
}

/* A server of its own wants the name, ends when it does not get it, and gives it back when told. */
static gcl_result on_claimed(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_caller *caller = user;
    (void)term;
    if (error == 0)
        (void)gcl_reply_later(gcl_server_node(self), *caller, "{ok, ~p}", gcl_self(self));
    else
        (void)gcl_reply_later(gcl_server_node(self), *caller, "{error, ~a}", gcl_error_name(error));
    free(caller);
    return error == 0 ? GCL_CONTINUE : GCL_STOP;
}

static gcl_result give_back(gcl_server *self, gcl_term message, void *user)
{
    gcl_term name;
    (void)user;
    if (gcl_match(message, "{give_back, ~t}", &name))
        (void)gcl_global_unregister(self, "~t", name);
    return GCL_CONTINUE;
}

static void claim(gcl_server *self, const gcl_from *from, gcl_term name)
{
    static const gcl_handlers claimed = {.size = sizeof claimed, .handle_cast = give_back};
    gcl_server_config config;
    gcl_server *other;
    gcl_caller *caller = malloc(sizeof *caller);
    gcl_server_config_init(&config);
    config.handlers = &claimed;
    if (caller == NULL || gcl_from_keep(from, caller) != 0 ||
        gcl_server_start(gcl_server_node(self), &config, &other) != 0 ||
        gcl_global_register(other, on_claimed, caller, "~t", name) != 0)
        abort();
}

static bool handle_global(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_term name;
    if (gcl_match(request, "{global_register, ~t}", &name))
        ask_global(self, from, name, register_with_defaults);
    else if (gcl_match(request, "{global_whereis, ~t}", &name))
        ask_global(self, from, name, gcl_global_whereis_message);
    else if (gcl_match(request, "{global_claim, ~t}", &name))
        claim(self, from, name);
    else if (gcl_match(request, "{global_for_one_that_ends, ~t}", &name))
        driven_reply(self, from, register_and_end(self, name));
    else if (gcl_match(request, "{global_unregister, ~t}", &name))
        driven_reply(self, from, gcl_global_unregister(self, "~t", name));
    else
        return false;
    return true;
}

/* Requests about other processes; false when it is none of them. */
static bool handle_others(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_term to, term;
    gcl_pid pid;
    gcl_ref ref;
    uint32_t timeout_ms;
    if (gcl_match(request, "{call, ~t, ~t, ~u}", &to, &term, &timeout_ms))
        call(self, from, dest_of(to), timeout_ms, term);
    else if (gcl_match(request, "{call, ~t, ~t, infinity}", &to, &term))
        call(self, from, dest_of(to), GCL_INFINITY, term);
    else if (gcl_match(request, "{cast, ~t, ~t}", &to, &term))
        driven_reply(self, from, gcl_cast(self, dest_of(to), "~t", term));
    else if (gcl_match(request, "{send, ~t, ~t}", &to, &term))
        driven_reply(self, from, gcl_send(self, dest_of(to), "~t", term));
    else if (gcl_match(request, "{link, ~p}", &pid))
        driven_reply(self, from, gcl_link(self, pid));
    else if (gcl_match(request, "{unlink, ~p}", &pid))
        driven_reply(self, from, gcl_unlink(self, pid));
    else if (gcl_match(request, "{exit, ~p, ~t}", &pid, &term))
        driven_reply(self, from, gcl_exit(self, pid, "~t", term));
    else if (gcl_match(request, "{monitor, ~t}", &to))
        reply_ref(self, from, gcl_monitor(self, dest_of(to), &ref), ref);
    else if (gcl_match(request, "{demonitor, ~r}", &ref))
        driven_reply(self, from, gcl_demonitor(self, ref));
    else
        return false;
    return true;
}

/* What one signal of each of five kinds and 1,000 in all look like: see server_SUITE. */
static void burst(gcl_server *self, gcl_pid to, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        gcl_ref ref;
        switch (i % 5) {
        case 0:
            (void)gcl_send(self, gcl_to_pid(to), "{n, ~i}", i);
            break;
        case 1:
            (void)gcl_cast(self, gcl_to_pid(to), "{n, ~i}", i);
            break;
        case 2:
            (void)gcl_exit(self, to, "{n, ~i}", i);
            break;
        case 3:
            if (gcl_link(self, to) == 0)
                (void)gcl_send(self, gcl_to_pid(to), "{n, ~i}", i);
            (void)gcl_unlink(self, to);
            break;
        default:
            if (gcl_monitor(self, gcl_to_pid(to), &ref) == 0)
                (void)gcl_send(self, gcl_to_pid(to), "{n, ~i}", i);
            (void)gcl_demonitor(self, ref);
        }
    }
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    gcl_term term;
    gcl_bytes name;
    gcl_ref alias;
    gcl_pid pid;
    bool on;
    int32_t count;
    uint64_t delay_ms, timer;
    (void)user;
    if (handle_others(self, request, from) || handle_global(self, request, from))
        return GCL_CONTINUE;
    if (gcl_match(request, "{echo, ~t}", &term))
        (void)gcl_reply(self, from, "~t", term);
    else if (gcl_match(request, "self"))
        (void)gcl_reply(self, from, "~p", gcl_self(self));
    else if (gcl_match(request, "from"))
        (void)gcl_reply(self, from, "~p", gcl_from_pid(from));
    else if (gcl_match(request, "subscribe"))
        driven_reply(self, from, (the.owner = gcl_from_pid(from), 0));
    else if (gcl_match(request, "keep"))
        return gcl_from_keep(from, &the.waiting) == 0 ? GCL_CONTINUE : GCL_STOP;
    else if (gcl_match(request, "{reply_kept, ~t}", &term))
        driven_reply(self, from, gcl_reply_later(the.node, the.waiting, "~t", term));
    else if (gcl_match(request, "cancel"))
        driven_reply(self, from, gcl_call_cancel(self, the.request));
    else if (gcl_match(request, "alias"))
        reply_ref(self, from, gcl_alias_new(self, &alias), alias);
    else if (gcl_match(request, "{unalias, ~r}", &alias))
        driven_reply(self, from, gcl_unalias(self, alias));
    else if (gcl_match(request, "{trap_exit, ~a}", &on))
        driven_reply(self, from, (gcl_server_set_trap_exit(self, on), 0));
    else if (gcl_match(request, "{monitor_nodes, ~a}", &on))
        driven_reply(self, from, (gcl_monitor_nodes(self, on), 0));
    else if (gcl_match(request, "{register, ~a}", &name))
        driven_reply(self, from, gcl_register(self, driven_text(name)));
    else if (gcl_match(request, "unregister"))
        driven_reply(self, from, gcl_unregister(self));
    else if (gcl_match(request, "{timer, ~u}", &delay_ms))
        driven_reply(self, from, gcl_timer_start(self, delay_ms, &timer));
    else if (gcl_match(request, "{disconnect, ~a}", &name))
        driven_reply(self, from, gcl_node_disconnect(the.node, driven_text(name)));
    else if (gcl_match(request, "{cookie, ~a}", &name))
        driven_reply(self, from, gcl_node_set_cookie(the.node, driven_text(name)));
    else if (gcl_match(request, "{burst, ~p, ~i}", &pid, &count))
        burst(self, pid, count);
    else if (gcl_match(request, "{stop, ~t}", &term))
        return gcl_stop(self, "~t", term);
    else if (gcl_match(request, "silence"))
        return GCL_CONTINUE;
    else
        (void)gcl_reply(self, from, "{error, unknown_request}");
    return GCL_CONTINUE;
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
    .state = state,
};

/* --- the program ---------------------------------------------------------------------------- */

static void stalled(gcl_node *node, uint64_t stalled_ms, void *user)
{
    (void)node;
    (void)user;
    printf("has_stalled %lu\n", (unsigned long)stalled_ms);
}

int main(int argc, char **argv)
{
    gcl_node_config config;
    gcl_server_config server;
    if (argc < 2)
        return 64;
    driven_config(&config, argv[1]);
    config.mailbox_bytes = 65536;
    config.frame_bytes = 1 << 20;
    config.hidden = argc > 2 && strcmp(argv[2], "hidden") == 0;
    config.no_listener = argc > 3 && strcmp(argv[3], "mute") == 0;
    config.reports_lost_connections = argc > 3 && strcmp(argv[3], "reports") == 0;
    config.on_stalled = stalled;
    if (argc > 4 && strcmp(argv[3], "watchdog") == 0)
        config.watchdog_ms = (unsigned)atoi(argv[4]);
    if (!driven_start(&config, &the.node))
        return 1;
    gcl_server_config_init(&server);
    server.handlers = &handlers;
    server.name = "server";
    if (gcl_server_start(the.node, &server, &the.server) != 0)
        return 1;
    driven_run(&the.node);
    return 0;
}

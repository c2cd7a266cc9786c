/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node that offers functions of the module `c`, and a server `rpc` that does what a call tells
 * it: answers the functions that wait, registers more, calls functions elsewhere. What happens
 * otherwise is sent to the process that said `subscribe`. It writes `ready NODE PORT`, `closed
 * ERROR`, what it logs as `log LEVEL EVENT TEXT`, and ends with its input.
 *
 *     functions NAME [FUNCTIONS CALLS CALLS_PER_NODE]
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driven/driven.h"

enum { WAITING_MAX = 4096 };

static struct {
    gcl_node *node;
    gcl_server *server;
    gcl_pid owner;
    gcl_rpc_task waiting[WAITING_MAX]; /* of c:later/1, oldest first */
    unsigned count;
    gcl_request request;
} the;

#define TELL(...)                                                                                  \
    do {                                                                                           \
        if (the.server != NULL && !gcl_pid_is_none(the.owner))                                     \
            (void)gcl_send(the.server, gcl_to_pid(the.owner), __VA_ARGS__);                        \
    } while (0)

/* --- functions ------------------------------------------------------------------------------ */

static void add(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    int64_t a, b;
    (void)self;
    (void)user;
    if (gcl_match(arguments, "[~i, ~i]", &a, &b))
        (void)gcl_rpc_return(the.node, task, "~i", a + b);
    else
        (void)gcl_rpc_raise(the.node, task, GCL_RPC_ERROR, "badarg");
}

static void echo(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_term term;
    (void)self;
    (void)user;
    if (gcl_match(arguments, "[~t]", &term))
        (void)gcl_rpc_return(the.node, task, "~t", term);
    if (gcl_rpc_return(the.node, task, "twice") != GCL_ESTALE || gcl_rpc_is_open(the.node, task))
        abort();
}

static bool class_of(gcl_term term, gcl_rpc_class *exception_class)
{
    *exception_class = GCL_RPC_ERROR;
    if (gcl_match(term, "exit"))
        *exception_class = GCL_RPC_EXIT;
    else if (gcl_match(term, "throw"))
        *exception_class = GCL_RPC_THROW;
    else
        return gcl_match(term, "error");
    return true;
}

static void raise_it(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_rpc_class exception_class;
    gcl_term name, reason;
    (void)self;
    (void)user;
    if (gcl_match(arguments, "[~t, ~t]", &name, &reason) && class_of(name, &exception_class))
        (void)gcl_rpc_raise(the.node, task, exception_class, "~t", reason);
}

static void forget(unsigned index)
{
    the.count--;
    memmove(&the.waiting[index], &the.waiting[index + 1],
            (the.count - index) * sizeof the.waiting[0]);
}

static void canceled(gcl_node *node, gcl_rpc_task task, void *user)
{
    (void)user;
    if (gcl_rpc_return(node, task, "late") != GCL_ESTALE)
        abort();
    for (unsigned i = 0; i < the.count; i++)
        if (the.waiting[i].index == task.index && the.waiting[i].generation == task.generation)
            forget(i);
    TELL("{canceled, ~u}", the.count);
}

static void later(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_term term;
    (void)user;
    if (!gcl_match(arguments, "[~t]", &term) || the.count == WAITING_MAX)
        abort();
    the.waiting[the.count++] = task;
    if (gcl_rpc_on_cancel(the.node, task, canceled, NULL) != 0)
        abort();
    TELL("{begun, ~t, ~p, ~p}", term, gcl_self(self), gcl_rpc_from(the.node, task));
}

static gcl_result asked(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_rpc_task *task = user;
    (void)self;
    if (error == 0)
        (void)gcl_rpc_return(the.node, *task, "{asked, ~t}", term);
    else
        (void)gcl_rpc_raise(the.node, *task, GCL_RPC_EXIT, "~a", gcl_error_name(error));
    free(task);
    return GCL_CONTINUE;
}

/* Asks another process, as the process that it is, and answers with what that says. */
static void ask(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_pid pid;
    gcl_term request;
    gcl_rpc_task *kept = malloc(sizeof *kept);
    (void)user;
    if (kept == NULL || !gcl_match(arguments, "[~p, ~t]", &pid, &request))
        abort();
    *kept = task;
    if (gcl_call(self, gcl_to_pid(pid), 5000, asked, kept, NULL, "~t", request) != 0)
        abort();
}

static void close_node(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)self;
    (void)arguments;
    (void)user;
    gcl_node_close(the.node);
    (void)gcl_rpc_return(the.node, task, "closing");
}

static void stop(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)user;
    if (gcl_rpc_on_cancel(the.node, task, canceled, NULL) != 0 || !gcl_match(arguments, "[]") ||
        gcl_server_stop(self, "stopped") != 0)
        abort();
}

static void mistake(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)self;
    (void)arguments;
    (void)user;
    if (gcl_rpc_return(the.node, task, "{") != GCL_ESYNTAX || !gcl_rpc_is_open(the.node, task))
        abort();
}

static void unregister(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)self;
    (void)arguments;
    (void)user;
    int error = gcl_rpc_unregister(the.node, "c", "once", 0);
    (void)gcl_rpc_return(the.node, task, "~a", error == 0 ? "once" : gcl_error_name(error));
}

static const struct {
    const char *module, *function;
    unsigned arity;
    gcl_rpc_function *run;
} functions[] = {
    {"c", "add", 2, add},         {"c", "echo", 1, echo},
    {"c", "raise", 2, raise_it},  {"c", "later", 1, later},
    {"c", "ask", 2, ask},         {"c", "close", 0, close_node},
    {"c", "stop", 0, stop},       {"c", "mistake", 0, mistake},
    {"c", "once", 0, unregister}, {"", "Zwölf Boxkämpfer", 1, echo},
};

/* --- calls elsewhere ------------------------------------------------------------------------ */

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_caller *caller = user;
    (void)self;
    if (error == 0)
        (void)gcl_reply_later(the.node, *caller, "{ok, ~t}", term);
    else if (gcl_term_is_none(term))
        (void)gcl_reply_later(the.node, *caller, "{error, ~a}", gcl_error_name(error));
    else
        (void)gcl_reply_later(the.node, *caller, "{error, ~a, ~t}", gcl_error_name(error), term);
    free(caller);
    return GCL_CONTINUE;
}

static gcl_rpc_dest dest_of(gcl_term term)
{
    gcl_bytes node, module, function;
    if (!gcl_match(term, "{~a, ~a, ~a}", &node, &module, &function))
        abort();
    return gcl_rpc_at(driven_text(node), driven_text(module), driven_text(function));
}

static bool call_elsewhere(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_term dest, arguments;
    uint32_t timeout_ms = GCL_INFINITY;
    bool is_linked = false;
    int error;
    if (gcl_match(request, "{cast, ~t, ~t}", &dest, &arguments)) {
        driven_reply(self, from, gcl_rpc_cast(self, dest_of(dest), "~t", arguments));
        return true;
    }
    bool is_call = gcl_match(request, "{call, ~t, ~t, ~u}", &dest, &arguments, &timeout_ms) ||
                   gcl_match(request, "{call, ~t, ~t, infinity}", &dest, &arguments);
    if (!is_call && !gcl_match(request, "{spawn, ~t, ~t, ~a}", &dest, &arguments, &is_linked))
        return false;
    gcl_caller *caller = malloc(sizeof *caller);
    if (caller == NULL || gcl_from_keep(from, caller) != 0)
        abort();
    if (is_call)
        error = gcl_rpc_call(self, dest_of(dest), timeout_ms, on_outcome, caller, &the.request,
                             "~t", arguments);
    else
        error = gcl_spawn(self, dest_of(dest), is_linked ? GCL_SPAWN_LINK : 0, on_outcome, caller,
                          NULL, "~t", arguments);
    if (error != 0) {
        free(caller);
        driven_reply(self, from, error);
    }
    return true;
}

/* --- what calls tell it --------------------------------------------------------------------- */

static bool answer(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_rpc_class exception_class = GCL_RPC_ERROR;
    gcl_term term, name;
    bool is_value = gcl_match(request, "{answer, ~t}", &term);
    if (!is_value &&
        !(gcl_match(request, "{raise, ~t, ~t}", &name, &term) && class_of(name, &exception_class)))
        return false;
    if (the.count == 0) {
        driven_reply(self, from, GCL_ENOENT);
        return true;
    }
    gcl_rpc_task task = the.waiting[0];
    forget(0);
    driven_reply(self, from,
                 is_value ? gcl_rpc_return(the.node, task, "~t", term)
                          : gcl_rpc_raise(the.node, task, exception_class, "~t", term));
    return true;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    gcl_bytes module, function;
    unsigned arity;
    (void)user;
    if (answer(self, request, from) || call_elsewhere(self, request, from))
        return GCL_CONTINUE;
    if (gcl_match(request, "subscribe"))
        driven_reply(self, from, (the.owner = gcl_from_pid(from), 0));
    else if (gcl_match(request, "waiting"))
        (void)gcl_reply(self, from, "~u", the.count);
    else if (gcl_match(request, "cancel"))
        driven_reply(self, from, gcl_call_cancel(self, the.request));
    else if (gcl_match(request, "{register, ~a, ~a, ~u}", &module, &function, &arity))
        driven_reply(self, from,
                     gcl_rpc_register(the.node, driven_text(module), driven_text(function), arity,
                                      echo, NULL));
    else if (gcl_match(request, "{unregister, ~a, ~a, ~u}", &module, &function, &arity))
        driven_reply(
            self, from,
            gcl_rpc_unregister(the.node, driven_text(module), driven_text(function), arity));
    else if (gcl_match(request, "self"))
        (void)gcl_reply(self, from, "~p", gcl_self(self));
    else if (gcl_match(request, "stop"))
        return gcl_reply(self, from, "ok"), GCL_STOP;
    else
        (void)gcl_reply(self, from, "{error, unknown_request}");
    return GCL_CONTINUE;
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    (void)self;
    (void)ref;
    (void)user;
    TELL("{down, ~t, ~t}", what, reason);
    return GCL_CONTINUE;
}

static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)self;
    (void)user;
    TELL("{exit, ~p, ~t}", from, reason);
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)self;
    (void)user;
    TELL("{terminate, ~t}", reason);
    the.server = NULL;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers),
                                      .handle_call = handle_call,
                                      .handle_down = handle_down,
                                      .handle_exit = handle_exit,
                                      .terminate = terminate};

/* --- the program ---------------------------------------------------------------------------- */

static bool start(void)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "rpc";
    config.trap_exit = true;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (gcl_rpc_register(the.node, functions[i].module, functions[i].function,
                             functions[i].arity, functions[i].run, NULL) != 0)
            return false;
    return gcl_server_start(the.node, &config, &the.server) == 0;
}

int main(int argc, char **argv)
{
    gcl_node_config config;
    if (argc < 2)
        return 64;
    driven_config(&config, argv[1]);
    config.log_level = GCL_LOG_NOTICE;
    if (argc > 4) {
        config.max_rpc_functions = (uint32_t)atoi(argv[2]);
        config.max_rpc_calls = (uint32_t)atoi(argv[3]);
        config.max_rpc_calls_per_node = (uint32_t)atoi(argv[4]);
    }
    if (!driven_start(&config, &the.node) || !start())
        return 1;
    driven_run(&the.node);
    return 0;
}

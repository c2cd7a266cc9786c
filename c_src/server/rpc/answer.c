/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outcome of a task, in the shape in which who has asked for it waits for it.
 *
 * spec: erpc:execute_call/4, execute_cast/3 for the reasons with which their processes end;
 * rpc.erl, where `rex` answers with what `catch apply(M, F, A)` gives; the reference manual,
 * "Errors and Error Handling", for what a process ends with that does not catch.
 */
#include "core/reason.h"
#include "node/message.h"
#include "node/node.h"
#include "server/rpc/rpc.h"
#include "server/server.h"
#include "server/servers.h"

/* REFUSED: it was not begun. */
enum how { RETURNED, RAISED_ERROR, RAISED_EXIT, RAISED_THROW, REFUSED };

struct outcome {
    enum how how;
    gcl_term term;  /* the value or the reason */
    gcl_term stack; /* of an exception */
};

static struct gcl_rpc *rpc_of(const struct gcl_task *task)
{
    return &gcl_server_at(task->server)->servers->rpc;
}

/* --- shapes ------------------------------------------------------------------------------------
 */

static int end_erpc(struct gcl_task *task, const struct outcome *outcome)
{
    gcl_term reference = gcl_server_term(task->server, task->reference);
    switch (outcome->how) {
    case RETURNED:
        return gcl_server_stop(task->server, "{~t, return, ~t}", reference, outcome->term);
    case RAISED_ERROR:
        return gcl_server_stop(task->server, "{~t, error, ~t, ~t}", reference, outcome->term,
                               outcome->stack);
    case RAISED_EXIT:
        return gcl_server_stop(task->server, "{~t, exit, ~t}", reference, outcome->term);
    case RAISED_THROW:
        return gcl_server_stop(task->server, "{~t, throw, ~t}", reference, outcome->term);
    case REFUSED:
        return gcl_server_stop(task->server, "{~t, error, {erpc, ~t}}", reference, outcome->term);
    }
    return GCL_EINVAL;
}

static int end_process(struct gcl_task *task, const struct outcome *outcome)
{
    switch (outcome->how) {
    case RETURNED:
        return gcl_server_stop(task->server, "normal");
    case RAISED_ERROR:
        if (task->kind == GCL_TASK_ERPC_CAST)
            return gcl_server_stop(task->server, "{{exception, {~t, ~t}}, ~t}", outcome->term,
                                   outcome->stack, outcome->stack);
        return gcl_server_stop(task->server, "{~t, ~t}", outcome->term, outcome->stack);
    case RAISED_EXIT:
        return gcl_server_stop(task->server, "~t", outcome->term);
    case RAISED_THROW:
        return gcl_server_stop(task->server, "{{nocatch, ~t}, ~t}", outcome->term, outcome->stack);
    case REFUSED:
        if (task->kind == GCL_TASK_ERPC_CAST)
            return gcl_server_stop(task->server, "{{erpc, ~t}, [{erpc, execute_cast, 3, []}]}",
                                   outcome->term);
        return gcl_server_stop(task->server, "~t", outcome->term);
    }
    return GCL_EINVAL;
}

/* The message is the answer, from whichever process: late, nobody takes it. */
static int answer(struct gcl_task *task, gcl_message message, gcl_message plain)
{
    struct gcl_node *node = gcl_server_at(task->server);
    struct gcl_target to = gcl_target_pid(task->from);
    if (task->kind == GCL_TASK_REX_CALL)
        return gcl_reply_later_message(node, task->caller, message);
    (void)gcl_message_begin(node);
    return gcl_message_answer(node, gcl_self(task->server), &to, &plain);
}

static int answer_bad(struct gcl_task *task, gcl_term reason)
{
    return answer(task, GCL_MESSAGE("{badrpc, {'EXIT', ~t}}", reason),
                  GCL_MESSAGE("{rex, {badrpc, {'EXIT', ~t}}}", reason));
}

static int answer_value(struct gcl_task *task, gcl_term value)
{
    if (gcl_match(value, "{'EXIT', _}"))
        return answer(task, GCL_MESSAGE("{badrpc, ~t}", value),
                      GCL_MESSAGE("{rex, {badrpc, ~t}}", value));
    return answer(task, GCL_MESSAGE("~t", value), GCL_MESSAGE("{rex, ~t}", value));
}

static int answer_error(struct gcl_task *task, const struct outcome *outcome)
{
    return answer(
        task, GCL_MESSAGE("{badrpc, {'EXIT', {~t, ~t}}}", outcome->term, outcome->stack),
        GCL_MESSAGE("{rex, {badrpc, {'EXIT', {~t, ~t}}}}", outcome->term, outcome->stack));
}

static int answer_outcome(struct gcl_task *task, const struct outcome *outcome)
{
    switch (outcome->how) {
    case RETURNED:
    case RAISED_THROW:
        return answer_value(task, outcome->term);
    case RAISED_ERROR:
        return answer_error(task, outcome);
    case RAISED_EXIT:
    case REFUSED:
        return answer_bad(task, outcome->term);
    }
    return GCL_EINVAL;
}

/* The process of a call by `rex` ends normally: its outcome is a message. When that has left and
 * the process cannot be ended yet, what is tried again is the end alone. */
static int end_rex(struct gcl_task *task, const struct outcome *outcome)
{
    int error = task->is_unwanted ? 0 : answer_outcome(task, outcome);
    /* Nobody is there any more: as good as answered. */
    if (error != 0 && error != GCL_ESTALE)
        return error;
    task->is_unwanted = true;
    return gcl_server_stop(task->server, "normal");
}

static int end(struct gcl_task *task, const struct outcome *outcome)
{
    switch (task->kind) {
    case GCL_TASK_ERPC_CALL:
        return end_erpc(task, outcome);
    case GCL_TASK_REX_CALL:
    case GCL_TASK_REX_PLAIN:
        return end_rex(task, outcome);
    case GCL_TASK_ERPC_CAST:
    case GCL_TASK_SPAWN:
    case GCL_TASK_REX_CAST:
        break;
    }
    return end_process(task, outcome);
}

/* --- stack traces ------------------------------------------------------------------------------
 */

static int write_stack(struct gcl_node *node, const struct gcl_rpc_mfa *mfa)
{
    gcl_writer *stack = node->servers->rpc.stack;
    if (gcl_term_is_none(mfa->arguments))
        return gcl_write(stack, "[{~a, ~a, ~u, []}]", mfa->name.module, mfa->name.function,
                         mfa->name.arity);
    return gcl_write(stack, "[{~a, ~a, ~t, []}]", mfa->name.module, mfa->name.function,
                     mfa->arguments);
}

static struct gcl_rpc_mfa running(const struct gcl_task *task)
{
    const struct gcl_rpc_entry *entry = task->entry;
    return (struct gcl_rpc_mfa){
        .name = {{entry->names, entry->module_size},
                 {entry->names + entry->module_size, entry->function_size},
                 entry->arity},
        .arguments = task->arguments,
    };
}

/* --- by programs -------------------------------------------------------------------------------
 */

/* Written first, with the mistakes of the program in it; then all can be put into its shape. */
static int write_value(struct gcl_node *node, gcl_message message)
{
    return gcl_write_message(node->servers->rpc.value, message);
}

/* The outcome that stands in the writers of the node, unless writing it has failed. What it was
 * made of may be large, and is not kept. */
static int finish(struct gcl_task *task, enum how how, int error)
{
    struct gcl_rpc *rpc = rpc_of(task);
    const struct outcome outcome = {how, gcl_writer_term(rpc->value), gcl_writer_term(rpc->stack)};
    if (error == 0)
        error = end(task, &outcome);
    if (error == 0)
        gcl_task_close(task);
    gcl_writer_clear(rpc->value);
    gcl_writer_clear(rpc->stack);
    return error;
}

int gcl_rpc_return_message(gcl_node *node, gcl_rpc_task task, gcl_message value)
{
    struct gcl_task *open = gcl_task_find(node, task);
    return open == NULL ? GCL_ESTALE : finish(open, RETURNED, write_value(node, value));
}

int gcl_rpc_raise_message(gcl_node *node, gcl_rpc_task task, gcl_rpc_class exception_class,
                          gcl_message reason)
{
    static const enum how hows[] = {[GCL_RPC_ERROR] = RAISED_ERROR,
                                    [GCL_RPC_EXIT] = RAISED_EXIT,
                                    [GCL_RPC_THROW] = RAISED_THROW};
    struct gcl_task *open = gcl_task_find(node, task);
    if (open == NULL)
        return GCL_ESTALE;
    if ((unsigned)exception_class > GCL_RPC_THROW)
        return GCL_EINVAL;
    struct gcl_rpc_mfa mfa = running(open);
    int error = write_value(node, reason);
    if (error == 0)
        error = write_stack(node, &mfa);
    return finish(open, hows[exception_class], error);
}

/* --- by the node -------------------------------------------------------------------------------
 */

/* What cannot be told, for want of memory, ends the process: that is told. */
static void finish_or_end(struct gcl_task *task, enum how how, int error)
{
    gcl_server *server = task->server;
    /* That somebody asks for what is not there is no news here. */
    server->is_transient = true;
    error = finish(task, how, error);
    if (error == 0)
        return;
    gcl_log(&gcl_server_at(server)->log, GCL_LOG_WARNING, "rpc", "a call ends without outcome: %s",
            gcl_strerror(error));
    gcl_server_end(server, GCL_REASON_SYSTEM_LIMIT);
}

void gcl_task_undef(struct gcl_task *task, const struct gcl_rpc_mfa *mfa)
{
    struct gcl_node *node = gcl_server_at(task->server);
    int error = write_value(node, GCL_MESSAGE("undef"));
    finish_or_end(task, RAISED_ERROR, error != 0 ? error : write_stack(node, mfa));
}

void gcl_task_bad(struct gcl_task *task, const struct gcl_rpc_what *what)
{
    struct gcl_node *node = gcl_server_at(task->server);
    gcl_writer *stack = node->servers->rpc.stack;
    int error = write_value(node, GCL_MESSAGE("badarg"));
    if (error == 0)
        error = gcl_write(stack, "[{erlang, apply, [~t, ~t, ~t], []}]", what->module,
                          what->function, what->arguments);
    finish_or_end(task, RAISED_ERROR, error);
}

void gcl_task_too_many(struct gcl_task *task)
{
    struct gcl_node *node = gcl_server_at(task->server);
    finish_or_end(task, REFUSED, write_value(node, GCL_MESSAGE("system_limit")));
}

void gcl_task_ended(struct gcl_task *task, gcl_term reason)
{
    if (task->is_unwanted || gcl_server_at(task->server)->is_closing)
        return;
    if (task->kind == GCL_TASK_REX_CALL || task->kind == GCL_TASK_REX_PLAIN)
        (void)answer_bad(task, reason);
}

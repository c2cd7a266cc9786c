/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: net_kernel.erl, handle_call({is_auth, Node}, ...): the answer is `yes`. OTP 23 asks to
 * spawn here what was refused as a spawn request, and waits for ever: what is no pid, it raises.
 * Calls that are not known are not answered there either.
 */
#include "server/net_kernel.h"

#include "node/node.h"
#include "server/gen.h"

static bool is_spawn(gcl_term request)
{
    return gcl_match(request, "{spawn, _, _, _, _}") ||
           gcl_match(request, "{spawn_link, _, _, _, _}") ||
           gcl_match(request, "{spawn_opt, _, _, _, _, _, _}");
}

static void deliver(struct gcl_process *process, const struct gcl_effect *effect)
{
    struct gcl_node *node = process->node;
    struct gcl_gen_message message;
    gcl_gen_decode(effect->signal.term, &message);
    gcl_term request = gcl_term_of(&node->terms, message.term);
    gcl_pid self = gcl_core_pid(&node->core, &process->core);
    int error = 0;
    if (message.kind != GCL_GEN_CALL)
        return;
    if (gcl_match(request, "{is_auth, _}"))
        error = gcl_gen_answer(node, self, &message, GCL_MESSAGE("yes"));
    else if (is_spawn(request))
        error = gcl_gen_answer(node, self, &message, GCL_MESSAGE("{'EXIT', {notsup, []}}"));
    if (error != 0)
        gcl_log(&node->log, GCL_LOG_WARNING, "net_kernel_unanswered",
                "net_kernel was called, and cannot answer: %s", gcl_strerror(error));
}

static void free_process(struct gcl_process *process)
{
    gcl_free(process->node->mem, process);
}

static const struct gcl_process_class class = {.deliver = deliver, .free = free_process};

int gcl_net_kernel_start(struct gcl_node *node)
{
    struct gcl_process *process = gcl_alloc_zero(node->mem, sizeof *process);
    if (process == NULL)
        return GCL_ENOMEM;
    int error = gcl_process_start(node, process, &class, "net_kernel");
    if (error != 0)
        gcl_free(node->mem, process);
    return error;
}

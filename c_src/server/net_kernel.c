/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: net_kernel.erl, handle_call({is_auth, Node}, ...): the answer is `yes`. Calls that are not
 * known are not answered there either.
 */
#include "server/net_kernel.h"

#include "node/node.h"
#include "server/gen.h"

static void deliver(struct gcl_process *process, const struct gcl_effect *effect)
{
    struct gcl_node *node = process->node;
    struct gcl_gen_message message;
    gcl_gen_decode(effect->signal.term, &message);
    if (message.kind != GCL_GEN_CALL ||
        !gcl_match(gcl_term_of(&node->terms, message.term), "{is_auth, _}"))
        return;
    int error = gcl_gen_answer(node, gcl_core_pid(&node->core, &process->core), &message,
                               GCL_MESSAGE("yes"));
    if (error != 0)
        gcl_log(&node->log, GCL_LOG_WARNING, "ping_unanswered", "a ping: %s", gcl_strerror(error));
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

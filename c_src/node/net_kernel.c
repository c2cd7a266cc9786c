/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: net_kernel.erl, handle_call({is_auth, Node}, ...): the answer is `yes`. Calls that are not
 * known are not answered there either.
 */
#include "node/net_kernel.h"

#include "core/reason.h"
#include "node/gen.h"
#include "node/node.h"

static bool is_auth(struct gcl_str request)
{
    struct gcl_cursor cursor = gcl_cursor_make(request.bytes, request.size);
    struct gcl_str head, name;
    return gcl_cursor_bytes(&cursor, 2, &head) && head.bytes[0] == 104 && head.bytes[1] == 2 &&
           gcl_wire_atom_decode(&cursor, NULL, &name) && gcl_str_is(name, "is_auth");
}

static void deliver(struct gcl_process *process, const struct gcl_effect *message)
{
    struct gcl_gen_call call;
    if (!gcl_gen_decode_call(message->signal.term, &call) || !is_auth(call.request))
        return;
    int error = gcl_gen_reply(process, &call,
                              GCL_REASON("\x03"
                                         "yes"));
    if (error != 0)
        gcl_log(&process->node->log, GCL_LOG_WARNING, "ping_unanswered", "a ping: %s",
                gcl_strerror(error));
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

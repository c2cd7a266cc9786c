/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are asked for: by a peer, or by a server of this node. */
#include "node/node.h"
#include "server/rpc/rpc.h"
#include "server/server.h"

enum { EXECUTE_CALL_ARITY = 4, EXECUTE_CAST_ARITY = 3 };

static bool is_erpc(const struct gcl_spawn *spawn, const char *function, uint32_t arity)
{
    return gcl_str_is(spawn->module, "erpc") && gcl_str_is(spawn->function, function) &&
           spawn->arity == arity;
}

static bool exists(struct gcl_node *node, const struct gcl_spawn *spawn)
{
    const struct gcl_rpc_name name = {.module = {spawn->module.bytes, spawn->module.size},
                                      .function = {spawn->function.bytes, spawn->function.size},
                                      .arity = spawn->arity};
    return gcl_rpc_find(node, &name) != NULL;
}

static int start_function(struct gcl_node *node, const struct gcl_spawn *spawn,
                          const struct gcl_task *like, gcl_pid *pid)
{
    const gcl_bytes module = {spawn->module.bytes, spawn->module.size};
    const gcl_bytes function = {spawn->function.bytes, spawn->function.size};
    struct gcl_buffer what;
    struct gcl_writer writer;
    gcl_buffer_init(&what, node->mem, 0);
    gcl_writer_init(&writer, &node->terms, &what);
    int error = gcl_write(&writer, "{~a, ~a, ~t}", module, function,
                          gcl_term_of(&node->terms, spawn->arguments));
    if (error == 0)
        error = gcl_task_start(node, like,
                               gcl_str_make(gcl_buffer_bytes(&what), gcl_buffer_size(&what)), pid);
    gcl_buffer_fini(&what);
    return error;
}

const char *gcl_rpc_spawn(struct gcl_node *node, const struct gcl_spawn *spawn, gcl_pid *pid)
{
    struct gcl_task like = {.kind = GCL_TASK_SPAWN,
                            .from = spawn->from,
                            .ref = spawn->ref,
                            .has_ref = spawn->is_monitored};
    bool is_call = is_erpc(spawn, "execute_call", EXECUTE_CALL_ARITY);
    bool is_cast = is_erpc(spawn, "execute_cast", EXECUTE_CAST_ARITY);
    uint32_t count;
    int error;
    if (!is_call && !is_cast && !exists(node, spawn))
        return "notsup";
    /* Nobody has looked at them yet. */
    gcl_term arguments = gcl_term_of(&node->terms, spawn->arguments);
    if (gcl_term_check(arguments) != 0 || !gcl_rpc_count(arguments, &count) ||
        count != spawn->arity)
        return "badarg";
    if (is_call || is_cast) {
        like.kind = is_call ? GCL_TASK_ERPC_CALL : GCL_TASK_ERPC_CAST;
        error = gcl_task_start(node, &like, spawn->arguments, pid);
    } else {
        error = start_function(node, spawn, &like, pid);
    }
    return error == 0 ? NULL : "system_limit";
}

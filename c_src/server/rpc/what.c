/* SPDX-License-Identifier: Apache-2.0 */
/* Which function a task is asked to run, in the shapes in which callers name it. */
#include "node/node.h"
#include "server/rpc/rpc.h"

bool gcl_rpc_count(gcl_term arguments, uint32_t *count)
{
    gcl_items items;
    gcl_term item;
    *count = 0;
    bool is_list = gcl_match(arguments, "[]") || gcl_match(arguments, "[_ | _]");
    if (!is_list || !gcl_items_begin(&items, arguments))
        return false;
    while (gcl_items_next(&items, &item))
        ++*count;
    return gcl_items_is_proper_end(&items);
}

bool gcl_task_read(struct gcl_task *task, gcl_term term, struct gcl_rpc_what *what)
{
    gcl_term reference;
    switch (task->kind) {
    case GCL_TASK_ERPC_CALL:
        if (!gcl_match(term, "[~t, ~t, ~t, ~t]", &reference, &what->module, &what->function,
                       &what->arguments))
            return false;
        task->reference = gcl_str_make(reference.bytes, reference.size);
        return true;
    case GCL_TASK_ERPC_CAST:
        return gcl_match(term, "[~t, ~t, ~t]", &what->module, &what->function, &what->arguments);
    case GCL_TASK_SPAWN:
    case GCL_TASK_REX_CALL:
    case GCL_TASK_REX_PLAIN:
    case GCL_TASK_REX_CAST:
        break;
    }
    return gcl_match(term, "{~t, ~t, ~t}", &what->module, &what->function, &what->arguments);
}

bool gcl_rpc_read_mfa(const struct gcl_rpc_what *what, struct gcl_rpc_mfa *mfa)
{
    mfa->arguments = what->arguments;
    return gcl_match(what->module, "~a", &mfa->name.module) &&
           gcl_match(what->function, "~a", &mfa->name.function) &&
           gcl_rpc_count(what->arguments, &mfa->name.arity);
}

bool gcl_task_is_own(struct gcl_node *node, const struct gcl_task *like, struct gcl_str term)
{
    struct gcl_task named = *like;
    struct gcl_rpc_what what;
    struct gcl_rpc_mfa mfa;
    if (!gcl_task_read(&named, gcl_term_of(&node->terms, term), &what) ||
        !gcl_rpc_read_mfa(&what, &mfa))
        return false;
    const struct gcl_rpc_entry *entry = gcl_rpc_find(node, &mfa.name);
    return entry != NULL && entry->is_own;
}

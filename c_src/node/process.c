/* SPDX-License-Identifier: Apache-2.0 */
#include "node/process.h"

#include "core/reason.h"
#include "node/node.h"

int gcl_process_start(struct gcl_node *node, struct gcl_process *process,
                      const struct gcl_process_class *class, const char *name)
{
    int error = gcl_core_spawn(&node->core, &process->core);
    if (error != 0)
        return error;
    process->node = node;
    process->class = class;
    gcl_list_init(&process->watch);
    if (name != NULL)
        error = gcl_registry_add(&node->core.registry, gcl_str_of(name), &process->core);
    if (error != 0)
        gcl_processes_remove(&node->core.processes, &process->core);
    return error;
}

void gcl_process_end(struct gcl_process *process, struct gcl_str reason)
{
    if (process->core.ended)
        return;
    if (process->class->end != NULL) {
        process->class->end(process, reason);
        return;
    }
    gcl_process_watch_nodes(process, false);
    gcl_core_exit(&process->node->core, &process->core, reason);
}

void gcl_process_effect(const struct gcl_effect *effect)
{
    struct gcl_process *process = gcl_process_of(effect->process);
    const struct gcl_process_class *class = process->class;
    bool is_exit = effect->kind == GCL_EFFECT_EXIT || effect->kind == GCL_EFFECT_END;
    if (is_exit && class->survives != NULL && class->survives(process, &effect->signal))
        return;
    switch (effect->kind) {
    case GCL_EFFECT_DELIVER:
        if (class->deliver != NULL)
            class->deliver(process, effect);
        return;
    case GCL_EFFECT_DOWN:
        if (class->down != NULL)
            class->down(process, &effect->signal);
        return;
    case GCL_EFFECT_SPAWNED:
        if (class->spawned != NULL)
            class->spawned(process, &effect->signal);
        return;
    case GCL_EFFECT_UNWATCHED:
        if (class->unwatched != NULL)
            class->unwatched(process, &effect->signal);
        return;
    case GCL_EFFECT_EXIT:
        if (class->exit != NULL)
            class->exit(process, &effect->signal);
        return;
    case GCL_EFFECT_END:
        gcl_process_end(process, effect->signal.term);
        return;
    case GCL_EFFECT_FREE:
        class->free(process);
        return;
    case GCL_EFFECT_SIGNAL:
        return;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A local process as the node sees it: the one of the core, and a table of what to do with what
 * reaches it. Services of the node are such processes.
 */
#ifndef GCL_NODE_PROCESS_H
#define GCL_NODE_PROCESS_H

#include "core/core.h"

struct gcl_node;
struct gcl_process;

/**
 * Any but `free` may be NULL. Signals are borrowed for the call. `survives` is true for a signal
 * that would end the process, or be told to it, and is not to. `end` takes the end of the process
 * over: it has to lead to gcl_core_exit() with the reason; without it that comes at once.
 */
struct gcl_process_class {
    void (*deliver)(struct gcl_process *process, const struct gcl_effect *message);
    void (*down)(struct gcl_process *process, const struct gcl_signal *down);
    void (*spawned)(struct gcl_process *process, const struct gcl_signal *reply);
    void (*unwatched)(struct gcl_process *process, const struct gcl_signal *demonitor);
    void (*exit)(struct gcl_process *process, const struct gcl_signal *signal);
    void (*node_event)(struct gcl_process *process, const struct gcl_signal *event);
    bool (*survives)(struct gcl_process *process, const struct gcl_signal *signal);
    void (*end)(struct gcl_process *process, struct gcl_str reason);
    void (*free)(struct gcl_process *process);
};

struct gcl_process {
    struct gcl_core_process core;
    struct gcl_node *node;
    const struct gcl_process_class *class;
    struct gcl_list watch; /* in node->node_watchers */
};

static inline struct gcl_process *gcl_process_of(struct gcl_core_process *process)
{
    return GCL_CONTAINER_OF(process, struct gcl_process, core);
}

/** Starts `process`, which the caller has allocated. `name` NULL: unregistered. Errors of the core.
 */
int gcl_process_start(struct gcl_node *node, struct gcl_process *process,
                      const struct gcl_process_class *class, const char *name);

/** Ends it, between two effects. */
void gcl_process_end(struct gcl_process *process, struct gcl_str reason);

/** Whether it is told of nodes that come and go, by `node_event`, which its class needs then. A
 * class with `end` sees to it that this is off by then. */
void gcl_process_watch_nodes(struct gcl_process *process, bool on);

/** Carries out one effect that has a process. */
void gcl_process_effect(const struct gcl_effect *effect);

#endif

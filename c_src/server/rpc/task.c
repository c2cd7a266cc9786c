/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is a server without handlers: it begins with a signal of its own, behind everything that
 * led to it, runs its function, and ends when that has its outcome. A task that is closed is none
 * any more; its process may live on for a moment.
 */
#include "core/reason.h"
#include "node/node.h"
#include "node/peer.h"
#include "server/caller.h"
#include "server/rpc/rpc.h"
#include "server/server.h"
#include "server/servers.h"

enum { REFERENCE_MAX = 2048 }; /* bytes; with a long name of a node it has 1,100 */

static struct gcl_rpc *rpc_of(const struct gcl_node *node)
{
    return &node->servers->rpc;
}

static struct gcl_task *task_at(struct gcl_slot *slot)
{
    return slot != NULL ? GCL_CONTAINER_OF(slot, struct gcl_task, slot) : NULL;
}

static gcl_rpc_task value_of(const struct gcl_task *task)
{
    return (gcl_rpc_task){task->slot.index, task->slot.generation};
}

struct gcl_task *gcl_task_find(const struct gcl_node *node, gcl_rpc_task task)
{
    return task_at(gcl_slots_find(&rpc_of(node)->tasks, task.index, task.generation));
}

/* --- by the reference of the caller's monitor ------------------------------------------------ */

static bool has_ref(const void *item, const void *key)
{
    return gcl_ref_equal(&((const struct gcl_task *)item)->ref, key);
}

static uint32_t hash_of(const struct gcl_node *node, const gcl_ref *ref)
{
    return gcl_hash(node->seed, ref, sizeof *ref);
}

/* Two with one reference: the second one cannot be canceled. */
static int add_ref(struct gcl_node *node, struct gcl_task *task)
{
    struct gcl_table *table = &rpc_of(node)->by_ref;
    uint32_t hash = hash_of(node, &task->ref);
    if (task->kind != GCL_TASK_REX_CALL || !task->has_ref ||
        gcl_table_find(table, hash, has_ref, &task->ref) != NULL)
        return 0;
    int error = gcl_table_add(table, hash, task);
    task->is_by_ref = error == 0;
    return error;
}

/* --- opening and closing --------------------------------------------------------------------- */

/* The node of a caller: of one that is connected, the entry that it is connected by, whatever
 * creation its pid claims. */
static struct gcl_name *node_of(struct gcl_node *node, gcl_pid from)
{
    struct gcl_name *name = gcl_names_get(&node->core.names, from.node, from.generation);
    if (name == NULL)
        return NULL;
    const struct gcl_peer *peer = gcl_peer_find(node, gcl_name_str(name));
    return peer != NULL && peer->up != NULL ? peer->name : name;
}

static bool is_full(const struct gcl_node *node, const struct gcl_name *name)
{
    return rpc_of(node)->task_count >= node->config.max_rpc_calls ||
           name->task_count >= node->config.max_rpc_calls_per_node;
}

/* What nodes ask each other for is answered, however many functions of the program are not. */
static int open_task(struct gcl_node *node, const struct gcl_task *like, struct gcl_str what,
                     struct gcl_task **out)
{
    struct gcl_rpc *rpc = rpc_of(node);
    struct gcl_name *name = node_of(node, like->from);
    if (name == NULL)
        return GCL_ESTALE;
    if (is_full(node, name) && !gcl_task_is_own(node, like, what))
        return GCL_ELIMIT;
    struct gcl_task *task = task_at(gcl_slots_take(&rpc->tasks));
    if (task == NULL)
        return GCL_ENOMEM;
    struct gcl_slot slot = task->slot;
    *task = *like;
    task->slot = slot;
    gcl_list_init(&task->slot.at_free);
    int error = add_ref(node, task);
    if (error != 0) {
        gcl_slots_give_back(&rpc->tasks, &task->slot);
        return error;
    }
    task->name = name;
    gcl_names_hold(&node->core.names, name);
    name->task_count++;
    rpc->task_count++;
    *out = task;
    return 0;
}

static void forget(struct gcl_node *node, struct gcl_task *task)
{
    struct gcl_rpc *rpc = rpc_of(node);
    if (task->is_by_ref)
        (void)gcl_table_remove(&rpc->by_ref, hash_of(node, &task->ref), has_ref, &task->ref);
    if (task->entry != NULL)
        gcl_rpc_release(node, task->entry);
    if (task->owns_reference)
        gcl_free(node->mem, (void *)(uintptr_t)task->reference.bytes);
    task->name->task_count--;
    rpc->task_count--;
    gcl_names_release(&node->core.names, task->name);
    gcl_slots_give_back(&rpc->tasks, &task->slot);
}

void gcl_task_close(struct gcl_task *task)
{
    gcl_server *server = task->server;
    server->user = server->program_user = NULL;
    if (task->kind == GCL_TASK_REX_CALL)
        gcl_caller_drop(gcl_server_at(server), task->caller); /* nothing when it was answered */
    forget(gcl_server_at(server), task);
}

/* --- running --------------------------------------------------------------------------------- */

/* What was borrowed for the function must last longer than that. What names the outcome is a
 * reference; a peer that sends something large instead is no caller to keep. */
static void keep(struct gcl_node *node, struct gcl_task *task)
{
    uint8_t *copy = NULL;
    task->arguments = gcl_term_make(&node->terms, NULL, 0);
    if (task->reference.size == 0)
        return;
    if (task->reference.size <= REFERENCE_MAX)
        copy = gcl_alloc_copy(node->mem, task->reference.bytes, task->reference.size);
    if (copy != NULL) {
        task->reference = gcl_str_make(copy, task->reference.size);
        task->owns_reference = true;
        return;
    }
    gcl_log(&node->log, GCL_LOG_WARNING, "rpc",
            "a call cannot be kept for a later answer: no memory, or what names it is too large");
    gcl_server_end(task->server, GCL_REASON_SYSTEM_LIMIT);
}

static void run(struct gcl_task *task, const struct gcl_rpc_mfa *mfa)
{
    gcl_server *server = task->server;
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_rpc_entry *entry = task->entry;
    gcl_rpc_task value = value_of(task);
    task->arguments = mfa->arguments;
    gcl_server_enter(server);
    entry->run(server, value, mfa->arguments, entry->user);
    task = gcl_task_find(node, value);
    if (task != NULL)
        keep(node, task);
    gcl_server_leave(server, GCL_CONTINUE);
}

static void begin(gcl_server *server, gcl_term term)
{
    struct gcl_task *task = server->user;
    struct gcl_rpc_what what;
    struct gcl_rpc_mfa mfa;
    if (task == NULL)
        return;
    if (!gcl_task_read(task, term, &what)) {
        gcl_server_end(server, GCL_REASON_SYSTEM_LIMIT); /* malformed deeper than was looked */
        return;
    }
    if (!gcl_rpc_read_mfa(&what, &mfa)) {
        gcl_task_bad(task, &what);
        return;
    }
    if (mfa.name.arity > GCL_RPC_APPLY_MAX) {
        gcl_task_too_many(task);
        return;
    }
    struct gcl_rpc_entry *entry = gcl_rpc_find(gcl_server_at(server), &mfa.name);
    if (entry == NULL) {
        gcl_task_undef(task, &mfa);
        return;
    }
    entry->holds++;
    task->entry = entry;
    run(task, &mfa);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void terminate(gcl_server *server, gcl_term reason, void *user)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_task *task = user;
    if (task == NULL)
        return;
    gcl_rpc_cancel_function *canceled = task->canceled;
    void *canceled_user = task->canceled_user;
    gcl_rpc_task value = value_of(task);
    gcl_task_ended(task, reason);
    gcl_task_close(task);
    if (canceled != NULL)
        canceled(node, value, canceled_user);
}

static bool awaits(const struct gcl_task *task)
{
    return task->kind == GCL_TASK_ERPC_CALL || task->kind == GCL_TASK_REX_CALL ||
           task->kind == GCL_TASK_REX_PLAIN;
}

static void cancel(struct gcl_task *task)
{
    task->is_unwanted = true;
    gcl_server_end(task->server, GCL_REASON_SHUTDOWN);
}

/* The caller of erpc has taken back its monitor: it has given up. */
static void unwatched(gcl_server *server, const gcl_ref *ref, gcl_pid from)
{
    struct gcl_task *task = server->user;
    if (task != NULL && task->kind == GCL_TASK_ERPC_CALL && task->has_ref &&
        gcl_ref_equal(&task->ref, ref) && gcl_pid_equal(task->from, from))
        cancel(task);
}

void gcl_task_unwatched(struct gcl_node *node, const gcl_ref *ref, gcl_pid from)
{
    struct gcl_task *task = gcl_table_find(&rpc_of(node)->by_ref, hash_of(node, ref), has_ref, ref);
    if (task != NULL && gcl_pid_equal(task->from, from))
        cancel(task);
}

/* Not here: nobody may be called before the node has told of the loss. */
void gcl_tasks_node_down(struct gcl_node *node, const struct gcl_name *name)
{
    struct gcl_slots *tasks = &rpc_of(node)->tasks;
    for (uint32_t i = 0; i < tasks->count && name->task_count > 0; i++) {
        struct gcl_task *task = task_at(tasks->places[i]);
        if (!task->slot.is_used || task->name != name || !awaits(task))
            continue;
        task->is_unwanted = true;
        int error = gcl_server_stop(task->server, "noconnection");
        if (error != 0)
            gcl_log(&node->log, GCL_LOG_ERROR, "rpc", "a call of a lost node goes on: %s",
                    gcl_strerror(error));
    }
}

/* --- the start ---------------------------------------------------------------------------------
 */

static void take_own(gcl_server *server, const struct gcl_signal *signal)
{
    if (signal->op == GCL_SIGNAL_BEGIN)
        begin(server, gcl_server_term(server, signal->term));
    else
        unwatched(server, &signal->ref, signal->from);
}

bool gcl_task_function(const gcl_server *server, struct gcl_rpc_name *name)
{
    const struct gcl_task *task = server->take_own == take_own ? server->user : NULL;
    if (task == NULL || task->entry == NULL)
        return false;
    const struct gcl_rpc_entry *entry = task->entry;
    *name = (struct gcl_rpc_name){{entry->names, entry->module_size},
                                  {entry->names + entry->module_size, entry->function_size},
                                  entry->arity};
    return true;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers), .terminate = terminate};

static int start_server(struct gcl_node *node, struct gcl_task *task, struct gcl_str what)
{
    gcl_server_config config;
    gcl_server *server;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    int error = gcl_server_start(node, &config, &server);
    if (error != 0)
        return error;
    gcl_pid self = gcl_self(server);
    struct gcl_signal signal = {
        .op = GCL_SIGNAL_BEGIN, .from = self, .to = gcl_target_pid(self), .term = what};
    error = gcl_node_send(node, &signal);
    if (error != 0) {
        gcl_process_end(&server->process, GCL_REASON_SYSTEM_LIMIT);
        return error;
    }
    server->user = task;
    server->take_own = take_own;
    server->is_transient = task->kind == GCL_TASK_ERPC_CALL;
    server->process.core.minds_watchers = task->kind == GCL_TASK_ERPC_CALL;
    task->server = server;
    return 0;
}

int gcl_task_start(struct gcl_node *node, const struct gcl_task *like, struct gcl_str what,
                   gcl_pid *pid)
{
    struct gcl_task *task;
    int error = open_task(node, like, what, &task);
    if (error != 0)
        return error;
    error = start_server(node, task, what);
    if (error != 0)
        forget(node, task);
    else
        *pid = gcl_self(task->server);
    return error;
}

/* --- for programs ------------------------------------------------------------------------------
 */

int gcl_rpc_on_cancel(gcl_node *node, gcl_rpc_task task, gcl_rpc_cancel_function *canceled,
                      void *user)
{
    struct gcl_task *open = gcl_task_find(node, task);
    if (open == NULL)
        return GCL_ESTALE;
    open->canceled = canceled;
    open->canceled_user = user;
    return 0;
}

bool gcl_rpc_is_open(const gcl_node *node, gcl_rpc_task task)
{
    return gcl_task_find(node, task) != NULL;
}

gcl_pid gcl_rpc_from(const gcl_node *node, gcl_rpc_task task)
{
    static const gcl_pid nobody = {0};
    const struct gcl_task *open = gcl_task_find(node, task);
    return open != NULL ? open->from : nobody;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a node tells about its processes: those that there are, and their names. */
#include "node/node.h"
#include "server/rpc/listing.h"
#include "server/rpc/rpc.h"
#include "server/server.h"

static void walk_processes(const void *of, struct gcl_listing *listing)
{
    const struct gcl_node *node = of;
    const struct gcl_core_process *process;
    uint32_t slot = 0;
    while (!gcl_listing_is_full(listing) &&
           (process = gcl_processes_each(&node->core.processes, &slot)) != NULL)
        if (!process->ended)
            gcl_listing_add_pid(listing, gcl_core_pid(&node->core, process));
}

static void walk_names(const void *of, struct gcl_listing *listing)
{
    const struct gcl_node *node = of;
    const struct gcl_registration *registration;
    size_t position = 0;
    while (!gcl_listing_is_full(listing) &&
           (registration = gcl_table_each(&node->core.registry.table, &position)) != NULL) {
        const gcl_bytes name = {registration->name, registration->size};
        if (gcl_listing_take(listing))
            listing->error = gcl_write(listing->out, "~a", name);
    }
}

/* --- the functions ------------------------------------------------------------------------------
 */

static void answer(gcl_server *self, gcl_rpc_task task, const gcl_writer *out, int error)
{
    gcl_node *node = gcl_server_node(self);
    if (error == 0)
        (void)gcl_rpc_return(node, task, "~t", gcl_writer_term(out));
    else
        (void)gcl_rpc_raise(node, task, GCL_RPC_ERROR, "~a",
                            error == GCL_EINVAL ? "badarg" : "system_limit");
}

static void answer_list(gcl_server *self, gcl_rpc_task task, gcl_walk *walk)
{
    gcl_node *node = gcl_server_node(self);
    gcl_writer *out = gcl_writer_new(gcl_node_terms(node));
    uint32_t left = GCL_LISTED_MAX;
    answer(self, task, out, out != NULL ? gcl_listing_write(walk, node, &left, out) : GCL_ENOMEM);
    gcl_writer_free(out);
}

/* erlang:processes() */
static void processes(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)arguments;
    (void)user;
    answer_list(self, task, walk_processes);
}

/* erlang:registered() */
static void registered(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)arguments;
    (void)user;
    answer_list(self, task, walk_names);
}

/* erlang:whereis(Name) */
static void whereis(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *node = gcl_server_node(self);
    gcl_bytes name;
    (void)user;
    if (!gcl_match(arguments, "[~a]", &name)) {
        answer(self, task, NULL, GCL_EINVAL);
        return;
    }
    const struct gcl_core_process *process =
        gcl_registry_find(&node->core.registry, gcl_str_make(name.bytes, name.size));
    if (process == NULL)
        (void)gcl_rpc_return(node, task, "undefined");
    else
        (void)gcl_rpc_return(node, task, "~p", gcl_core_pid(&node->core, process));
}

/* erlang:is_process_alive(Pid) */
static void is_process_alive(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *node = gcl_server_node(self);
    gcl_pid pid;
    (void)user;
    if (!gcl_match(arguments, "[~p]", &pid) || !gcl_core_is_local(&pid))
        answer(self, task, NULL, GCL_EINVAL);
    else
        (void)gcl_rpc_return(node, task, "~a",
                             gcl_core_find(&node->core, pid) != NULL ? "true" : "false");
}

/* erlang:process_info(Pid), and with what is wanted */
static void process_info(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *node = gcl_server_node(self);
    gcl_writer *out = gcl_writer_new(gcl_node_terms(node));
    gcl_pid pid = {0};
    gcl_term wanted;
    (void)user;
    bool is_usual = gcl_match(arguments, "[~p]", &pid);
    int error = out != NULL ? 0 : GCL_ENOMEM;
    if ((!is_usual && !gcl_match(arguments, "[~p, ~t]", &pid, &wanted)) || !gcl_core_is_local(&pid))
        error = GCL_EINVAL;
    /* One that has ended is asked as if it was this one: what is no item is a mistake all the same.
     */
    struct gcl_core_process *process = gcl_core_find(&node->core, pid);
    bool is_there = process != NULL;
    if (error == 0)
        error = gcl_process_info_write(self, is_there ? process : &self->process.core,
                                       is_usual ? NULL : &wanted, out);
    if (error == 0 && !is_there)
        (void)gcl_rpc_return(node, task, "undefined");
    else
        answer(self, task, out, error);
    gcl_writer_free(out);
}

static const struct {
    const char *function;
    unsigned arity;
    gcl_rpc_function *run;
} functions[] = {
    {"processes", 0, processes},       {"registered", 0, registered},
    {"whereis", 1, whereis},           {"is_process_alive", 1, is_process_alive},
    {"process_info", 1, process_info}, {"process_info", 2, process_info},
};

int gcl_rpc_add_processes(struct gcl_node *node)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof functions / sizeof functions[0]; i++)
        error = gcl_rpc_add_own(node, "erlang", functions[i].function, functions[i].arity,
                                functions[i].run);
    return error;
}

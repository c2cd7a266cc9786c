/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node tells about its processes: those that there are, their names, and the items of
 * erlang:process_info/2 that are true of a process in C. What belongs to a BEAM (heap, reductions,
 * group leader) is no item here, and fails as an unknown one does there.
 */
#include "node/node.h"
#include "server/mailbox.h"
#include "server/rpc/rpc.h"

/* Pids and names in one answer; and items in one question, which each can have a list of them. */
enum { LISTED_MAX = 16384, ITEMS_MAX = 64 };

/* What is told of. */
struct subject {
    gcl_node *node;
    gcl_server *asked; /* the process that runs the function */
    struct gcl_core_process *process;
    uint32_t left; /* pids and names that there is room for */
};

/* A list on its way into an answer: walked once to be counted, and once to be written. */
struct listing {
    gcl_writer *out; /* NULL: it is counted */
    uint32_t count;
    uint32_t max;
    int error;
};

typedef void walk_list(const struct subject *subject, struct listing *listing);

/* Writes the value of an item: 0, or an error. */
typedef int write_value(struct subject *subject, gcl_writer *out);

/* --- lists --------------------------------------------------------------------------------------
 */

/* Counts one more. True when it is to be written, too. */
static bool take(struct listing *listing)
{
    if (listing->count == listing->max)
        return false;
    listing->count++;
    return listing->out != NULL && listing->error == 0;
}

static bool is_full(const struct listing *listing)
{
    return listing->count == listing->max || listing->error != 0;
}

static void list_pid(struct listing *listing, gcl_pid pid)
{
    if (take(listing))
        listing->error = gcl_write(listing->out, "~p", pid);
}

static int write_list(struct subject *subject, walk_list *walk, gcl_writer *out)
{
    struct listing counted = {.max = subject->left};
    struct listing written = {.out = out, .max = subject->left};
    walk(subject, &counted);
    written.error = gcl_write_list(out, counted.count);
    walk(subject, &written);
    subject->left -= counted.count;
    if (written.error != 0 || counted.count == 0)
        return written.error;
    return gcl_write(out, "[]");
}

static gcl_pid pid_of(const struct subject *subject, const struct gcl_core_process *process)
{
    return gcl_core_pid(&subject->node->core, process);
}

static void walk_processes(const struct subject *subject, struct listing *listing)
{
    const struct gcl_core_process *process;
    uint32_t slot = 0;
    while (!is_full(listing) &&
           (process = gcl_processes_each(&subject->node->core.processes, &slot)) != NULL)
        if (!process->ended)
            list_pid(listing, pid_of(subject, process));
}

static void walk_names(const struct subject *subject, struct listing *listing)
{
    const struct gcl_registration *registration;
    size_t position = 0;
    while (!is_full(listing) && (registration = gcl_table_each(&subject->node->core.registry.table,
                                                               &position)) != NULL) {
        const gcl_bytes name = {registration->name, registration->size};
        if (take(listing))
            listing->error = gcl_write(listing->out, "~a", name);
    }
}

/* Of a link that is being taken back only the other side still has to hear. */
static void list_link(const struct subject *subject, struct listing *listing,
                      const struct gcl_link *link)
{
    const struct gcl_core_process *other = link->near == subject->process ? link->far : link->near;
    if (link->unlink_id == 0)
        list_pid(listing, other != NULL ? pid_of(subject, other) : link->far_pid);
}

static void walk_links(const struct subject *subject, struct listing *listing)
{
    GCL_LIST_EACH(&subject->process->links, at, next)
    {
        if (is_full(listing))
            return;
        list_link(subject, listing, GCL_CONTAINER_OF(at, struct gcl_link, at_near));
    }
    GCL_LIST_EACH(&subject->process->far_links, at, next)
    {
        if (is_full(listing))
            return;
        list_link(subject, listing, GCL_CONTAINER_OF(at, struct gcl_link, at_far));
    }
}

static void list_monitor(const struct subject *subject, struct listing *listing,
                         const struct gcl_monitor *monitor)
{
    const struct gcl_str at = monitor->remote_node != NULL
                                  ? gcl_name_str(monitor->remote_node)
                                  : gcl_str_of(gcl_node_name(subject->node));
    const gcl_bytes name = {monitor->name, monitor->name_size}, node = {at.bytes, at.size};
    gcl_pid pid = monitor->target != NULL ? pid_of(subject, monitor->target) : monitor->remote;
    if (!take(listing))
        return;
    if (name.size > 0)
        listing->error = gcl_write(listing->out, "{process, {~a, ~a}}", name, node);
    else
        listing->error = gcl_write(listing->out, "{process, ~p}", pid);
}

/* Of a process that was asked for nobody knows yet who that is. */
static void walk_monitors(const struct subject *subject, struct listing *listing)
{
    GCL_LIST_EACH(&subject->process->watching, at, next)
    {
        const struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher);
        if (is_full(listing))
            return;
        if (!monitor->is_awaited)
            list_monitor(subject, listing, monitor);
    }
}

static void walk_watchers(const struct subject *subject, struct listing *listing)
{
    GCL_LIST_EACH(&subject->process->watchers, at, next)
    {
        const struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_target);
        if (is_full(listing))
            return;
        list_pid(listing,
                 monitor->watcher != NULL ? pid_of(subject, monitor->watcher) : monitor->remote);
    }
}

/* --- items --------------------------------------------------------------------------------------
 */

static gcl_server *server_of(const struct subject *subject)
{
    return gcl_server_of(subject->node, pid_of(subject, subject->process));
}

/* spec: erlang:process_info/2: `[]` when it has none. */
static int registered_name(struct subject *subject, gcl_writer *out)
{
    const struct gcl_registration *registration = subject->process->registration;
    if (registration == NULL)
        return gcl_write(out, "[]");
    return gcl_write(out, "~a", ((gcl_bytes){registration->name, registration->size}));
}

/* spec: there: what a process is that executes native code. */
static int current_function(struct subject *subject, gcl_writer *out)
{
    (void)subject;
    return gcl_write(out, "undefined");
}

/* Of a process that was spawned, what it runs. A server is one of the module that sys:get_status/1
 * tells. */
static int initial_call(struct subject *subject, gcl_writer *out)
{
    struct gcl_rpc_name name;
    gcl_server *server = server_of(subject);
    if (server == NULL || !gcl_task_function(server, &name))
        return gcl_write(out, "{gen_cluster_c, init, 1}");
    return gcl_write(out, "{~a, ~a, ~u}", name.module, name.function, name.arity);
}

/* One runs at a time, and at this moment it is the one that is asked. */
static int status(struct subject *subject, gcl_writer *out)
{
    bool is_running = subject->process == &subject->asked->process.core;
    return gcl_write(out, "~a", is_running ? "running" : "waiting");
}

/* There is a queue for each process only while it is suspended. */
static int message_queue_len(struct subject *subject, gcl_writer *out)
{
    const gcl_server *server = server_of(subject);
    bool has_queue = server != NULL && server->mailbox != NULL;
    return gcl_write(out, "~u", has_queue ? server->mailbox->signals.count : (size_t)0);
}

static int links(struct subject *subject, gcl_writer *out)
{
    return write_list(subject, walk_links, out);
}

static int monitors(struct subject *subject, gcl_writer *out)
{
    return write_list(subject, walk_monitors, out);
}

static int monitored_by(struct subject *subject, gcl_writer *out)
{
    return write_list(subject, walk_watchers, out);
}

static int dictionary(struct subject *subject, gcl_writer *out)
{
    (void)subject;
    return gcl_write(out, "[]");
}

/* spec: proc_lib:set_label/1, of OTP 27 and later: nobody has one. */
static int label(struct subject *subject, gcl_writer *out)
{
    (void)subject;
    return gcl_write(out, "undefined");
}

static int trap_exit(struct subject *subject, gcl_writer *out)
{
    return gcl_write(out, "~a", subject->process->trap_exit ? "true" : "false");
}

static int priority(struct subject *subject, gcl_writer *out)
{
    (void)subject;
    return gcl_write(out, "normal");
}

static const struct item {
    const char *name;
    write_value *write;
    bool is_usual; /* erlang:process_info/1 has it, as there */
} items[] = {
    {"registered_name", registered_name, true},
    {"current_function", current_function, true},
    {"initial_call", initial_call, true},
    {"status", status, true},
    {"message_queue_len", message_queue_len, true},
    {"links", links, true},
    {"dictionary", dictionary, true},
    {"trap_exit", trap_exit, true},
    {"priority", priority, true},
    {"monitors", monitors, false},
    {"monitored_by", monitored_by, false},
    {"label", label, false},
};

enum { ITEM_COUNT = sizeof items / sizeof items[0] };

static const struct item *find_item(gcl_term term)
{
    gcl_bytes name;
    if (!gcl_match(term, "~a", &name))
        return NULL;
    for (size_t i = 0; i < ITEM_COUNT; i++)
        if (gcl_str_is(gcl_str_make(name.bytes, name.size), items[i].name))
            return &items[i];
    return NULL;
}

/* {dictionary, Key}, of OTP 26 and later: nobody has one. */
static int write_item(struct subject *subject, gcl_term term, gcl_writer *out)
{
    const struct item *item = find_item(term);
    gcl_term key;
    if (item == NULL)
        return gcl_match(term, "{dictionary, ~t}", &key)
                   ? gcl_write(out, "{{dictionary, ~t}, undefined}", key)
                   : GCL_EINVAL;
    int error = gcl_write_tuple(out, 2);
    if (error == 0)
        error = gcl_write(out, "~a", item->name);
    return error != 0 ? error : item->write(subject, out);
}

/* As it is there: without a name there is no such item. */
static bool is_told(const struct subject *subject, const struct item *item)
{
    return item->is_usual &&
           (item->write != registered_name || subject->process->registration != NULL);
}

static int write_usual(struct subject *subject, gcl_writer *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < ITEM_COUNT; i++)
        count += is_told(subject, &items[i]) ? 1 : 0;
    int error = gcl_write_list(out, count);
    for (size_t i = 0; error == 0 && i < ITEM_COUNT; i++) {
        if (!is_told(subject, &items[i]))
            continue;
        error = gcl_write_tuple(out, 2);
        if (error == 0)
            error = gcl_write(out, "~a", items[i].name);
        if (error == 0)
            error = items[i].write(subject, out);
    }
    return error != 0 ? error : gcl_write(out, "[]");
}

/* What is asked for: an item, or a list of them. */
static int write_wanted(struct subject *subject, gcl_term wanted, gcl_writer *out)
{
    gcl_items list;
    gcl_term item;
    uint32_t count;
    if (!gcl_rpc_count(wanted, &count))
        return write_item(subject, wanted, out);
    if (count > ITEMS_MAX)
        return GCL_ELIMIT;
    int error = gcl_write_list(out, count);
    if (error != 0 || count == 0 || !gcl_items_begin(&list, wanted))
        return error;
    while (error == 0 && gcl_items_next(&list, &item))
        error = write_item(subject, item, out);
    return error != 0 ? error : gcl_write(out, "[]");
}

/* --- the functions ------------------------------------------------------------------------------
 */

static struct subject subject_of(gcl_server *self, gcl_pid pid)
{
    gcl_node *node = gcl_server_node(self);
    return (struct subject){.node = node,
                            .asked = self,
                            .process = gcl_core_find(&node->core, pid),
                            .left = LISTED_MAX};
}

static void answer(gcl_server *self, gcl_rpc_task task, const gcl_writer *out, int error)
{
    gcl_node *node = gcl_server_node(self);
    if (error == 0)
        (void)gcl_rpc_return(node, task, "~t", gcl_writer_term(out));
    else
        (void)gcl_rpc_raise(node, task, GCL_RPC_ERROR, "~a",
                            error == GCL_EINVAL ? "badarg" : "system_limit");
}

static void answer_list(gcl_server *self, gcl_rpc_task task, walk_list *walk)
{
    struct subject subject = subject_of(self, gcl_self(self));
    gcl_writer *out = gcl_writer_new(gcl_node_terms(subject.node));
    answer(self, task, out, out != NULL ? write_list(&subject, walk, out) : GCL_ENOMEM);
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
    struct subject subject = subject_of(self, pid);
    /* One that has ended is asked as if it was this one: what is no item is a mistake all the same.
     */
    bool is_there = subject.process != NULL;
    if (!is_there)
        subject.process = &self->process.core;
    if (error == 0)
        error = is_usual ? write_usual(&subject, out) : write_wanted(&subject, wanted, out);
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

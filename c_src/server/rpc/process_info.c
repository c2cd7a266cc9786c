/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The items of erlang:process_info/2 that are true of a process in C. What belongs to a BEAM
 * (memory, garbage collection, group leader) is no item here, and fails as an unknown one does
 * there.
 */
#include "node/node.h"
#include "server/mailbox.h"
#include "server/rpc/listing.h"
#include "server/rpc/rpc.h"

enum { ITEMS_MAX = 64 }; /* in one question; each can be a list */

/* What is told of. */
struct subject {
    gcl_node *node;
    const gcl_server *asked; /* the process that runs the function */
    struct gcl_core_process *process;
    uint32_t left; /* pids that there is room for */
};

/* Writes the value of an item: 0, or an error. */
typedef int write_value(struct subject *subject, gcl_writer *out);

static gcl_pid pid_of(const struct subject *subject, const struct gcl_core_process *process)
{
    return gcl_core_pid(&subject->node->core, process);
}

/* --- ties ---------------------------------------------------------------------------------------
 */

/* Of a link that is being taken back only the other side still has to hear. */
static void list_link(const struct subject *subject, struct gcl_listing *listing,
                      const struct gcl_link *link)
{
    const struct gcl_core_process *other = link->near == subject->process ? link->far : link->near;
    if (link->unlink_id == 0)
        gcl_listing_add_pid(listing, other != NULL ? pid_of(subject, other) : link->far_pid);
}

static void walk_links(const void *of, struct gcl_listing *listing)
{
    const struct subject *subject = of;
    GCL_LIST_EACH(&subject->process->links, at, next)
    {
        if (gcl_listing_is_full(listing))
            return;
        list_link(subject, listing, GCL_CONTAINER_OF(at, struct gcl_link, at_near));
    }
    GCL_LIST_EACH(&subject->process->far_links, at, next)
    {
        if (gcl_listing_is_full(listing))
            return;
        list_link(subject, listing, GCL_CONTAINER_OF(at, struct gcl_link, at_far));
    }
}

static void list_monitor(const struct subject *subject, struct gcl_listing *listing,
                         const struct gcl_monitor *monitor)
{
    const struct gcl_str at = monitor->remote_node != NULL
                                  ? gcl_name_str(monitor->remote_node)
                                  : gcl_str_of(gcl_node_name(subject->node));
    const gcl_bytes name = {monitor->name, monitor->name_size}, node = {at.bytes, at.size};
    gcl_pid pid = monitor->target != NULL ? pid_of(subject, monitor->target) : monitor->remote;
    if (!gcl_listing_take(listing))
        return;
    if (name.size > 0)
        listing->error = gcl_write(listing->out, "{process, {~a, ~a}}", name, node);
    else
        listing->error = gcl_write(listing->out, "{process, ~p}", pid);
}

/* Of a process that was asked for nobody knows yet who that is. */
static void walk_monitors(const void *of, struct gcl_listing *listing)
{
    const struct subject *subject = of;
    GCL_LIST_EACH(&subject->process->watching, at, next)
    {
        const struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_watcher);
        if (gcl_listing_is_full(listing))
            return;
        if (!monitor->is_awaited)
            list_monitor(subject, listing, monitor);
    }
}

static void walk_watchers(const void *of, struct gcl_listing *listing)
{
    const struct subject *subject = of;
    GCL_LIST_EACH(&subject->process->watchers, at, next)
    {
        const struct gcl_monitor *monitor = GCL_CONTAINER_OF(at, struct gcl_monitor, at_target);
        if (gcl_listing_is_full(listing))
            return;
        gcl_listing_add_pid(listing, monitor->watcher != NULL ? pid_of(subject, monitor->watcher)
                                                              : monitor->remote);
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
    return gcl_listing_write(walk_links, subject, &subject->left, out);
}

static int monitors(struct subject *subject, gcl_writer *out)
{
    return gcl_listing_write(walk_monitors, subject, &subject->left, out);
}

static int monitored_by(struct subject *subject, gcl_writer *out)
{
    return gcl_listing_write(walk_watchers, subject, &subject->left, out);
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

/* It has no heap and no stack of its own, and nobody counts its reductions; but the shell of OTP 26
 * and later lists no process that does not say. */
static int nothing(struct subject *subject, gcl_writer *out)
{
    (void)subject;
    return gcl_write(out, "0");
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
    {"total_heap_size", nothing, true},
    {"heap_size", nothing, true},
    {"stack_size", nothing, true},
    {"reductions", nothing, true},
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

int gcl_process_info_write(const gcl_server *asked, struct gcl_core_process *process,
                           const gcl_term *wanted, gcl_writer *out)
{
    struct subject subject = {
        .node = gcl_server_node(asked), .asked = asked, .process = process, .left = GCL_LISTED_MAX};
    return wanted != NULL ? write_wanted(&subject, *wanted, out) : write_usual(&subject, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a server. */
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#include "core/reason.h"
#include "node/message.h"
#include "node/node.h"
#include "server/call.h"
#include "server/caller.h"
#include "server/global/global.h"
#include "server/mailbox.h"
#include "server/pg/pg.h"
#include "server/servers.h"
#include "server/timer.h"

enum { LOGGED_REASON_BYTES = 512 };

static struct gcl_server *server_of(struct gcl_process *process)
{
    return GCL_CONTAINER_OF(process, struct gcl_server, process);
}

/* --- around handlers ------------------------------------------------------------------------ */

void gcl_server_enter(struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    node->busy++;
    node->servers->running = server;
}

static void end_by_result(struct gcl_server *server, gcl_result result)
{
    struct gcl_str reason;
    if (server->is_mistaken || result == GCL_STOP) {
        bool is_given = server->stop_reason.size > 0;
        gcl_server_end(server, is_given ? server->stop_reason : GCL_REASON_NORMAL);
    } else if (result != GCL_CONTINUE) {
        /* Built in the buffer of messages: copied before terminate can use that. */
        gcl_message message = GCL_MESSAGE("{bad_return_value, ~i}", (int)result);
        if (gcl_message_build(gcl_server_at(server), &message, &reason) != 0)
            reason = GCL_REASON_SYSTEM_LIMIT;
        gcl_server_end(server, reason);
    }
}

void gcl_server_leave(struct gcl_server *server, gcl_result result)
{
    struct gcl_node *node = gcl_server_at(server);
    node->servers->running = NULL;
    gcl_term_context_release(&node->terms);
    if (!server->is_ending)
        end_by_result(server, result);
    node->busy--;
    gcl_node_settle(node);
}

static void set_stop_reason(struct gcl_server *server, struct gcl_str reason)
{
    const gcl_allocator *mem = gcl_server_at(server)->mem;
    uint8_t *copy = gcl_alloc_copy(mem, reason.bytes, reason.size);
    if (copy == NULL)
        return;
    gcl_free(mem, (void *)(uintptr_t)server->stop_reason.bytes);
    server->stop_reason = gcl_str_make(copy, reason.size);
}

gcl_result gcl_stop_message(gcl_server *self, gcl_message message)
{
    struct gcl_str reason;
    if (!self->is_ending && gcl_message_build(gcl_server_at(self), &message, &reason) == 0)
        set_stop_reason(self, reason);
    return GCL_STOP;
}

void gcl_server_misuse(const char *file, int line, const char *text, void *user)
{
    struct gcl_node *node = user;
    struct gcl_server *server = node->servers->running;
    char where[768];
    (void)snprintf(where, sizeof where, "%s:%d: %s", file, line, text);
    gcl_log(&node->log, GCL_LOG_ERROR, "bad_pattern", "%s", where);
    if (server == NULL || server->is_ending || server->is_mistaken)
        return;
    gcl_message message = GCL_MESSAGE("{bad_pattern, ~b}", (const char *)where);
    struct gcl_str reason;
    server->is_mistaken = true;
    if (gcl_message_build(node, &message, &reason) == 0)
        set_stop_reason(server, reason);
}

/* --- effects of the core --------------------------------------------------------------------- */

static void deliver(struct gcl_process *process, const struct gcl_effect *effect)
{
    gcl_server_take(server_of(process), &effect->signal, effect->alias);
}

static void take_signal(struct gcl_process *process, const struct gcl_signal *signal)
{
    gcl_server_take(server_of(process), signal, NULL);
}

/* --- ends ----------------------------------------------------------------------------------- */

void gcl_server_print_name(const struct gcl_server *server, char *text, size_t size)
{
    const struct gcl_registration *name = server->process.core.registration;
    gcl_pid self = gcl_self(server);
    if (name != NULL)
        (void)snprintf(text, size, "%.*s", (int)name->size, (const char *)name->name);
    else
        (void)snprintf(text, size, "<0.%u.%u>", self.id, self.serial);
}

static bool is_expected(struct gcl_server *server, struct gcl_str reason)
{
    return gcl_reason_is(reason, "normal") || gcl_reason_is(reason, "shutdown") ||
           gcl_match(gcl_server_term(server, reason), "{shutdown, _}");
}

static void log_end(struct gcl_server *server, struct gcl_str reason)
{
    char name[GCL_SERVER_NAME_BYTES], text[LOGGED_REASON_BYTES];
    if (server->is_transient || is_expected(server, reason))
        return;
    gcl_server_print_name(server, name, sizeof name);
    if (gcl_term_print(gcl_server_term(server, reason), text, sizeof text, NULL) == GCL_ETERM)
        text[0] = '\0';
    gcl_log(&gcl_server_at(server)->log, GCL_LOG_WARNING, "server_ended", "%s ends with reason %s",
            name, text);
}

static void drop_aliases(struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_list *at;
    while ((at = gcl_list_first(&server->process.core.aliases)) != NULL) {
        struct gcl_alias *alias = GCL_CONTAINER_OF(at, struct gcl_alias, at_process);
        gcl_aliases_remove(&node->core.aliases, alias);
        gcl_free(node->mem, alias);
    }
}

static void run_terminate(struct gcl_server *server, struct gcl_str reason)
{
    gcl_calls_cancel_all(server);
    gcl_timers_cancel_all(server);
    gcl_callers_drop_all(server);
    gcl_global_server_ends(gcl_server_at(server), server);
    gcl_pg_monitors_of_server_end(server);
    gcl_process_watch_nodes(&server->process, false);
    if (server->handlers->terminate != NULL) {
        gcl_server_enter(server);
        server->handlers->terminate(server, gcl_server_term(server, reason), server->user);
        gcl_server_leave(server, GCL_CONTINUE);
    }
    drop_aliases(server);
    gcl_mailbox_stop(server);
}

void gcl_server_end(struct gcl_server *server, struct gcl_str reason)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_core_process *core = &server->process.core;
    if (server->is_ending)
        return;
    server->is_ending = true;
    /* The reason may stand in a buffer that terminate uses. */
    uint8_t *copy = gcl_alloc_copy(node->mem, reason.bytes, reason.size);
    reason = copy != NULL ? gcl_str_make(copy, reason.size) : GCL_REASON_SYSTEM_LIMIT;
    log_end(server, reason);
    gcl_servers_ended(server);
    node->busy++;
    run_terminate(server, reason);
    node->busy--;
    gcl_pid self = gcl_core_pid(&node->core, core);
    struct gcl_signal end = {
        .op = GCL_SIGNAL_END, .from = self, .to = gcl_target_pid(self), .term = reason};
    bool is_first =
        gcl_signal_queue_is_empty(&node->local) && gcl_signal_queue_is_empty(&node->running);
    if (is_first || gcl_node_send(node, &end) != 0)
        gcl_core_exit(&node->core, core, reason);
    gcl_free(node->mem, copy);
}

static bool survives(struct gcl_process *process, const struct gcl_signal *signal)
{
    return signal->op == GCL_SIGNAL_EXIT && gcl_global_is_registrar(process->node, signal->from);
}

static void end(struct gcl_process *process, struct gcl_str reason)
{
    gcl_server_end(server_of(process), reason);
}

static void free_server(struct gcl_process *process)
{
    struct gcl_server *server = server_of(process);
    const gcl_allocator *mem = process->node->mem;
    gcl_mailbox_free(server);
    gcl_free(mem, (void *)(uintptr_t)server->stop_reason.bytes);
    gcl_free(mem, server);
}

/* --- starting and stopping ------------------------------------------------------------------ */

static const struct gcl_process_class server_class = {.deliver = deliver,
                                                      .down = take_signal,
                                                      .spawned = take_signal,
                                                      .unwatched = take_signal,
                                                      .exit = take_signal,
                                                      .node_event = take_signal,
                                                      .survives = survives,
                                                      .end = end,
                                                      .free = free_server};

void gcl_server_config_init(gcl_server_config *config)
{
    *config = (gcl_server_config){.size = sizeof *config};
}

int gcl_server_start(gcl_node *node, const gcl_server_config *config, gcl_server **out)
{
    if (config->handlers == NULL)
        return GCL_EINVAL;
    if (node->is_closing)
        return GCL_ECLOSED;
    struct gcl_server *server = gcl_alloc_zero(node->mem, sizeof *server);
    if (server == NULL)
        return GCL_ENOMEM;
    int error = gcl_process_start(node, &server->process, &server_class, config->name);
    if (error != 0) {
        gcl_free(node->mem, server);
        return error;
    }
    server->handlers = config->handlers;
    server->user = server->program_user = config->user;
    server->process.core.trap_exit = config->trap_exit;
    gcl_list_init(&server->timers);
    gcl_list_init(&server->calls);
    gcl_list_init(&server->callers);
    if (out != NULL)
        *out = server;
    return 0;
}

int gcl_server_stop_message(gcl_server *server, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_str reason;
    int error = gcl_message_build(node, &message, &reason);
    if (error != 0)
        return error;
    gcl_pid pid = gcl_self(server);
    struct gcl_signal stop = {
        .op = GCL_SIGNAL_STOP, .from = pid, .to = gcl_target_pid(pid), .term = reason};
    return gcl_node_send(node, &stop);
}

/* --- what it is ----------------------------------------------------------------------------- */

gcl_term gcl_server_term(struct gcl_server *server, struct gcl_str bytes)
{
    return gcl_term_of(&gcl_server_at(server)->terms, bytes);
}

gcl_node *gcl_server_node(const gcl_server *server)
{
    return gcl_server_at(server);
}

void *gcl_server_user(const gcl_server *server)
{
    return server->program_user;
}

static void watch_nodes(struct gcl_server *server)
{
    bool on = (server->is_watcher || server->behaviour_watches) && !server->is_ending;
    gcl_process_watch_nodes(&server->process, on);
}

void gcl_monitor_nodes(gcl_server *self, bool on)
{
    self->is_watcher = on;
    watch_nodes(self);
}

void gcl_server_watch_nodes(struct gcl_server *server, bool on)
{
    server->behaviour_watches = on;
    watch_nodes(server);
}

void gcl_server_set_trap_exit(gcl_server *self, bool on)
{
    self->process.core.trap_exit = on;
}

gcl_pid gcl_self(const gcl_server *server)
{
    return gcl_core_pid(&gcl_server_at(server)->core, &server->process.core);
}

static gcl_server *living_server(struct gcl_core_process *core)
{
    if (core == NULL || gcl_process_of(core)->class != &server_class)
        return NULL;
    struct gcl_server *server = server_of(gcl_process_of(core));
    return server->is_ending ? NULL : server;
}

gcl_server *gcl_server_of(gcl_node *node, gcl_pid pid)
{
    return living_server(gcl_core_find(&node->core, pid));
}

gcl_server *gcl_server_named(gcl_node *node, struct gcl_str name)
{
    return living_server(gcl_registry_find(&node->core.registry, name));
}

gcl_server *gcl_whereis(gcl_node *node, const char *name)
{
    return gcl_server_named(node, gcl_str_of(name));
}

int gcl_register(gcl_server *self, const char *name)
{
    if (self->is_ending)
        return GCL_ECLOSED;
    return gcl_registry_add(&gcl_server_at(self)->core.registry, gcl_str_of(name),
                            &self->process.core);
}

int gcl_unregister(gcl_server *self)
{
    if (self->process.core.registration == NULL)
        return GCL_ENOENT;
    gcl_registry_remove(&gcl_server_at(self)->core.registry, &self->process.core);
    return 0;
}

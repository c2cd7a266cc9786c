/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants to know of changes gets them as messages to an alias of its own, so that they keep
 * their order among its other messages, wait while it is suspended, and never come inside one of
 * its handlers.
 */
#include "node/message.h"
#include "node/node.h"
#include "server/pg/pg.h"
#include "server/servers.h"

struct monitor {
    struct gcl_pg_watch watch;
    struct gcl_alias alias;
    struct gcl_list at_node;
    struct gcl_list at_scope;
    struct gcl_pg_scope *scope; /* NULL: has ended, which is what the server is told next */
    gcl_pid from;               /* the scope */
    gcl_server *server;
    gcl_pg_change_function *changed;
    void *user;
};

static struct monitor *monitor_of(struct gcl_alias *alias)
{
    return GCL_CONTAINER_OF(alias, struct monitor, alias);
}

static void detach(struct monitor *monitor)
{
    if (monitor->scope != NULL)
        gcl_pg_machine_unwatch(monitor->scope->machine, &monitor->watch);
    monitor->scope = NULL;
    gcl_list_remove(&monitor->at_scope);
}

static void free_monitor(struct monitor *monitor)
{
    struct gcl_node *node = gcl_server_at(monitor->server);
    detach(monitor);
    gcl_aliases_remove(&node->core.aliases, &monitor->alias);
    gcl_list_remove(&monitor->at_node);
    gcl_free(node->mem, monitor);
}

/* --- changes -------------------------------------------------------------------------------- */

static int send_change(struct gcl_node *node, const struct monitor *monitor, gcl_term term)
{
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND,
                                .from = monitor->from,
                                .to = {.kind = GCL_TARGET_ALIAS, .alias = monitor->alias.ref},
                                .term = gcl_str_make(term.bytes, term.size)};
    return gcl_term_is_none(term) ? GCL_ENOMEM : gcl_node_send(node, &signal);
}

static void tell(struct monitor *monitor, gcl_term term)
{
    struct gcl_node *node = gcl_server_at(monitor->server);
    char name[GCL_SERVER_NAME_BYTES];
    int error = send_change(node, monitor, term);
    if (error == 0)
        return;
    gcl_server_print_name(monitor->server, name, sizeof name);
    gcl_log(&node->log, GCL_LOG_ERROR, "pg_change", "%s misses a change of groups: %s", name,
            gcl_strerror(error));
}

void gcl_pg_monitor_tell(struct gcl_pg_scope *scope, struct gcl_pg_watch *watch, gcl_term change)
{
    (void)scope;
    tell(GCL_CONTAINER_OF(watch, struct monitor, watch), change);
}

static bool read_change(struct gcl_server *server, struct gcl_str message, gcl_pg_change *change)
{
    gcl_term term = gcl_server_term(server, message);
    *change = (gcl_pg_change){.kind = GCL_PG_ENDED};
    if (gcl_match(term, "{join, ~t, ~t}", &change->group, &change->pids))
        change->kind = GCL_PG_JOINED;
    else if (gcl_match(term, "{leave, ~t, ~t}", &change->group, &change->pids))
        change->kind = GCL_PG_LEFT;
    else
        return gcl_match(term, "ended");
    return true;
}

/* Others might guess the reference; only the scope is believed. */
void gcl_pg_monitor_take(struct gcl_server *server, struct gcl_alias *alias,
                         const struct gcl_signal *signal)
{
    struct monitor *monitor = monitor_of(alias);
    gcl_pg_change_function *changed = monitor->changed;
    void *user = monitor->user;
    gcl_pg_change change;
    if (!gcl_pid_equal(signal->from, monitor->from) || !read_change(server, signal->term, &change))
        return;
    if (change.kind == GCL_PG_ENDED)
        free_monitor(monitor);
    gcl_server_enter(server);
    gcl_server_leave(server, changed(server, &change, user));
}

/* --- ends ----------------------------------------------------------------------------------- */

void gcl_pg_monitors_end(struct gcl_pg_scope *scope)
{
    static const uint8_t ended[] = {119, 5, 'e', 'n', 'd', 'e', 'd'};
    gcl_term term = gcl_term_make(&scope->node->terms, ended, sizeof ended);
    GCL_LIST_EACH(&scope->monitors, at, following)
    {
        struct monitor *monitor = GCL_CONTAINER_OF(at, struct monitor, at_scope);
        detach(monitor);
        tell(monitor, term);
    }
}

void gcl_pg_monitors_of_server_end(struct gcl_server *server)
{
    GCL_LIST_EACH(&gcl_server_at(server)->servers->pg_monitors, at, following)
    {
        struct monitor *monitor = GCL_CONTAINER_OF(at, struct monitor, at_node);
        if (monitor->server == server)
            free_monitor(monitor);
    }
}

/* --- what programs do ----------------------------------------------------------------------- */

static int attach(struct monitor *monitor, struct gcl_pg_scope *scope, const gcl_term *group)
{
    struct gcl_node *node = scope->node;
    struct gcl_core_process *process = &monitor->server->process.core;
    gcl_ref ref = gcl_core_make_ref(&node->core);
    int error = gcl_pg_machine_watch(scope->machine, &monitor->watch, group);
    if (error != 0)
        return error;
    monitor->alias.kind = GCL_ALIAS_PG;
    gcl_list_init(&monitor->alias.at_process);
    error = gcl_aliases_add(&node->core.aliases, &monitor->alias, &ref, process);
    if (error != 0) {
        gcl_pg_machine_unwatch(scope->machine, &monitor->watch);
        return error;
    }
    monitor->scope = scope;
    monitor->from = gcl_self(scope->server);
    gcl_list_add_last(&scope->monitors, &monitor->at_scope);
    gcl_list_add_last(&node->servers->pg_monitors, &monitor->at_node);
    return 0;
}

static int begin(gcl_server *self, struct gcl_pg_scope *scope, const struct monitor *wanted,
                 const gcl_term *group, gcl_ref *ref)
{
    const gcl_allocator *mem = scope->node->mem;
    struct monitor *monitor = gcl_alloc(mem, sizeof *monitor);
    if (monitor == NULL)
        return GCL_ENOMEM;
    *monitor = *wanted;
    monitor->server = self;
    gcl_list_init(&monitor->at_node);
    gcl_list_init(&monitor->at_scope);
    int error = attach(monitor, scope, group);
    if (error != 0)
        gcl_free(mem, monitor);
    else
        *ref = monitor->alias.ref;
    return error;
}

static int check(gcl_server *self, const char *name, const struct monitor *wanted,
                 struct gcl_pg_scope **scope)
{
    if (wanted->changed == NULL)
        return GCL_EINVAL;
    if (self->is_ending)
        return GCL_ECLOSED;
    *scope = gcl_pg_scope_find(gcl_server_at(self), name);
    if (*scope == NULL)
        return GCL_ENOENT;
    return (*scope)->walks > 0 ? GCL_EBUSY : 0;
}

int gcl_pg_monitor_message(gcl_server *self, const char *name, gcl_pg_change_function *changed,
                           void *user, gcl_ref *ref, gcl_message group)
{
    struct gcl_node *node = gcl_server_at(self);
    struct monitor wanted = {.changed = changed, .user = user};
    struct gcl_pg_scope *scope;
    struct gcl_str bytes;
    int error = check(self, name, &wanted, &scope);
    if (error == 0)
        error = gcl_message_build(node, &group, &bytes);
    if (error != 0)
        return error;
    gcl_term term = gcl_term_of(&node->terms, bytes);
    return begin(self, scope, &wanted, &term, ref);
}

int gcl_pg_monitor_scope(gcl_server *self, const char *name, gcl_pg_change_function *changed,
                         void *user, gcl_ref *ref)
{
    struct monitor wanted = {.changed = changed, .user = user};
    struct gcl_pg_scope *scope;
    int error = check(self, name, &wanted, &scope);
    return error != 0 ? error : begin(self, scope, &wanted, NULL, ref);
}

int gcl_pg_demonitor(gcl_server *self, gcl_ref ref)
{
    struct gcl_alias *alias = gcl_aliases_find(&gcl_server_at(self)->core.aliases, &ref);
    if (alias == NULL || alias->kind != GCL_ALIAS_PG || alias->process != &self->process.core)
        return GCL_ENOENT;
    free_monitor(monitor_of(alias));
    return 0;
}

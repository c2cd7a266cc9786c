/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer that was not told something would be wrong for good, for nobody asks again in this
 * protocol. So what goes to peers is owed, like answers, and where that fails the connection is
 * given up: when it is made anew, both sides say all they have.
 */
#include "server/pg/pg.h"

#include "node/node.h"
#include "node/peer.h"
#include "wire/flags.h"

static const char default_scope[] = "pg";

/* --- peers ---------------------------------------------------------------------------------- */

/* The connected node of a pid, or NULL. */
static struct gcl_peer *peer_of(const struct gcl_pg_scope *scope, gcl_pid pid)
{
    struct gcl_node *node = scope->node;
    struct gcl_name *name = gcl_names_get(&node->core.names, pid.node, pid.generation);
    struct gcl_peer *peer = name != NULL ? gcl_peer_find(node, gcl_name_str(name)) : NULL;
    return peer != NULL && peer->up != NULL && peer->name == name ? peer : NULL;
}

/* Its life there goes on without us, and begins anew with the next connection. */
static void give_up(struct gcl_pg_scope *scope, struct gcl_peer *peer, int error)
{
    gcl_log(&scope->node->log, GCL_LOG_ERROR, "pg_disconnect",
            "the scope on %s cannot be told of a change: %s", peer->text, gcl_strerror(error));
    (void)gcl_node_disconnect(scope->node, peer->text);
}

static int send_owed(struct gcl_pg_scope *scope, const struct gcl_target *to, gcl_term term)
{
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND,
                                .from = gcl_self(scope->server),
                                .to = *to,
                                .term = gcl_str_make(term.bytes, term.size),
                                .is_owed = true};
    return gcl_term_is_none(term) ? GCL_ENOMEM : gcl_node_send(scope->node, &signal);
}

/* Nothing is sent where there is no connection: the DOWN is on its way. */
static void send_change(struct gcl_pg_scope *scope, gcl_pid to, gcl_term term)
{
    struct gcl_peer *peer = peer_of(scope, to);
    struct gcl_target target = gcl_target_pid(to);
    int error = peer != NULL ? send_owed(scope, &target, term) : 0;
    if (error != 0)
        give_up(scope, peer, error);
}

/* --- effects -------------------------------------------------------------------------------- */

static void monitor(struct gcl_pg_scope *scope, gcl_pid pid, gcl_ref *ref)
{
    const struct gcl_peer *peer = peer_of(scope, pid);
    int error = peer != NULL ? gcl_monitor(scope->server, gcl_to_pid(pid), ref) : GCL_ENOCONNECTION;
    if (error == 0)
        return;
    gcl_pg_machine_down(scope->machine, pid);
    if (peer != NULL)
        gcl_log(&scope->node->log, GCL_LOG_ERROR, "pg_monitor",
                "the scope on %s is not known, for it cannot be monitored: %s", peer->text,
                gcl_strerror(error));
}

static void log_refused(struct gcl_pg_scope *scope, const struct gcl_pg_effect *effect)
{
    const char *at = gcl_pid_node(scope->node, effect->pid);
    char name[GCL_SERVER_NAME_BYTES];
    gcl_server_print_name(scope->server, name, sizeof name);
    gcl_log(&scope->node->log, GCL_LOG_WARNING, "pg_refused",
            "%s refuses what the scope on %s says: %s", name, at != NULL ? at : "a node",
            effect->why);
}

static void carry_out(struct gcl_pg_scope *scope, const struct gcl_pg_effect *effect)
{
    switch (effect->kind) {
    case GCL_PG_SEND:
        send_change(scope, effect->pid, effect->term);
        return;
    case GCL_PG_MONITOR:
        monitor(scope, effect->pid, effect->ref);
        return;
    case GCL_PG_DEMONITOR:
        (void)gcl_demonitor(scope->server, *effect->ref);
        return;
    case GCL_PG_TELL:
        gcl_pg_monitor_tell(scope, effect->watch, effect->term);
        return;
    case GCL_PG_REFUSED:
        log_refused(scope, effect);
        return;
    case GCL_PG_IGNORED:
        gcl_log(&scope->node->log, GCL_LOG_INFO, "pg_ignored", "a message is ignored: %s",
                effect->why);
        return;
    }
}

void gcl_pg_scope_settle(struct gcl_pg_scope *scope)
{
    struct gcl_pg_effect effect;
    while (gcl_pg_machine_next(scope->machine, &effect))
        carry_out(scope, &effect);
}

/* --- discovery ------------------------------------------------------------------------------ */

/*
 * Nodes that cannot be monitored have no scope; and a stock libei node takes whatever comes for the
 * answer that it waits for.
 */
static bool may_have_scope(const struct gcl_peer *peer)
{
    return peer->up != NULL && (peer->flags & GCL_FLAG(DIST_MONITOR)) != 0;
}

static void discover(struct gcl_pg_scope *scope, struct gcl_peer *peer)
{
    const struct gcl_registration *name = scope->server->process.core.registration;
    gcl_writer *out = scope->writer;
    gcl_writer_clear(out);
    int error = name != NULL ? gcl_pg_machine_write_discover(scope->machine, out) : GCL_ENOENT;
    if (error == 0) {
        struct gcl_target target =
            gcl_target_name(peer->name->index, peer->name->generation, gcl_registration_name(name));
        error = send_owed(scope, &target, gcl_writer_term(out));
    }
    if (error != 0)
        give_up(scope, peer, error);
}

/* Scopes that are started later tell only those nodes that they see. */
static bool has_to_look(const struct gcl_pg_scope *scope, const struct gcl_peer *peer)
{
    return may_have_scope(peer) && !peer->is_visible &&
           !gcl_pg_machine_knows_node(scope->machine, peer->name->index);
}

static void look_later(struct gcl_pg_scope *scope)
{
    if (scope->look_timer == 0 && scope->discover_ms > 0 &&
        gcl_timer_start(scope->server, scope->discover_ms, &scope->look_timer) != 0)
        gcl_log(&scope->node->log, GCL_LOG_ERROR, "pg_timer", "no memory for a timer");
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    struct gcl_pg_scope *scope = user;
    (void)self;
    (void)timer;
    scope->look_timer = 0;
    GCL_LIST_EACH(&scope->node->peers, at, following)
    {
        struct gcl_peer *peer = GCL_CONTAINER_OF(at, struct gcl_peer, at_node);
        if (!has_to_look(scope, peer))
            continue;
        discover(scope, peer);
        look_later(scope);
    }
    return GCL_CONTINUE;
}

static void greet(struct gcl_pg_scope *scope, struct gcl_peer *peer)
{
    if (!may_have_scope(peer))
        return;
    if (!peer->is_visible)
        look_later(scope);
    discover(scope, peer);
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    struct gcl_pg_scope *scope = user;
    struct gcl_peer *peer = gcl_peer_find(scope->node, gcl_str_of(name));
    (void)self;
    (void)reason;
    if (is_up && peer != NULL)
        greet(scope, peer);
    return GCL_CONTINUE;
}

/* --- handlers ------------------------------------------------------------------------------- */

static void take(struct gcl_pg_scope *scope, gcl_term message, bool is_cast)
{
    if (gcl_pg_machine_receive(scope->machine, message, is_cast) == 0)
        gcl_pg_scope_settle(scope);
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    take(user, message, false);
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    take(user, message, true);
    return GCL_CONTINUE;
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    struct gcl_pg_scope *scope = user;
    gcl_pid pid;
    (void)self;
    (void)ref;
    (void)reason;
    if (!gcl_match(what, "~p", &pid))
        return GCL_CONTINUE;
    gcl_pg_machine_down(scope->machine, pid);
    gcl_pg_scope_settle(scope);
    struct gcl_peer *peer = peer_of(scope, pid);
    if (peer != NULL && has_to_look(scope, peer))
        look_later(scope); /* for the next scope of that name */
    return GCL_CONTINUE;
}

/* It is nobody's: links and exits mean nothing to it, but for `kill`. */
static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)self;
    (void)from;
    (void)reason;
    (void)user;
    return GCL_CONTINUE;
}

static void free_scope(struct gcl_pg_scope *scope)
{
    gcl_pg_machine_free(scope->machine);
    gcl_writer_free(scope->writer);
    gcl_free(scope->node->mem, scope);
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct gcl_pg_scope *scope = user;
    (void)self;
    (void)reason;
    gcl_pg_monitors_end(scope);
    free_scope(scope);
}

static const gcl_handlers handlers = {.size = sizeof handlers,
                                      .handle_cast = handle_cast,
                                      .handle_info = handle_info,
                                      .handle_down = handle_down,
                                      .handle_exit = handle_exit,
                                      .handle_node = handle_node,
                                      .handle_timer = handle_timer,
                                      .terminate = terminate};

/* --- its life ------------------------------------------------------------------------------- */

void gcl_pg_config_init(gcl_pg_config *config)
{
    *config = (gcl_pg_config){.size = sizeof *config,
                              .discover_ms = 5000,
                              .max_peers = 4096,
                              .max_groups = 262144,
                              .max_members = 1048576,
                              .max_bytes = (size_t)64 * 1024 * 1024};
}

static int make_machine(struct gcl_pg_scope *scope, const gcl_pg_config *config)
{
    struct gcl_node *node = scope->node;
    struct gcl_pg_machine_config machine = {
        .mem = node->mem,
        .context = &node->terms,
        .seed = {node->seed[0], node->seed[1]},
        .limits = {config->max_groups, config->max_members, config->max_bytes},
        .max_peers = config->max_peers};
    scope->writer = gcl_writer_new(&node->terms);
    if (scope->writer == NULL)
        return GCL_ENOMEM;
    return gcl_pg_machine_new(&machine, &scope->machine);
}

static int start_server(struct gcl_pg_scope *scope, const gcl_pg_config *config)
{
    gcl_server_config server;
    gcl_server_config_init(&server);
    server.handlers = &handlers;
    server.user = scope;
    server.name = config->scope != NULL ? config->scope : default_scope;
    server.trap_exit = true;
    return gcl_server_start(scope->node, &server, &scope->server);
}

static void greet_all(struct gcl_pg_scope *scope)
{
    GCL_LIST_EACH(&scope->node->peers, at, following)
    {
        greet(scope, GCL_CONTAINER_OF(at, struct gcl_peer, at_node));
    }
}

int gcl_pg_start(gcl_node *node, const gcl_pg_config *given)
{
    gcl_pg_config config;
    gcl_pg_config_init(&config);
    if (given != NULL)
        config = *given;
    if (config.size != sizeof config)
        return GCL_EINVAL;
    struct gcl_pg_scope *scope = gcl_alloc_zero(node->mem, sizeof *scope);
    if (scope == NULL)
        return GCL_ENOMEM;
    scope->node = node;
    scope->discover_ms = config.discover_ms;
    gcl_list_init(&scope->monitors);
    int error = make_machine(scope, &config);
    if (error == 0)
        error = start_server(scope, &config);
    if (error != 0) {
        free_scope(scope);
        return error;
    }
    gcl_pg_machine_set_self(scope->machine, gcl_self(scope->server));
    gcl_monitor_nodes(scope->server, true);
    greet_all(scope);
    return 0;
}

struct gcl_pg_scope *gcl_pg_scope_find(struct gcl_node *node, const char *name)
{
    gcl_server *server = gcl_whereis(node, name != NULL ? name : default_scope);
    return server != NULL && server->handlers == &handlers ? server->user : NULL;
}

int gcl_pg_stop(gcl_node *node, const char *name)
{
    struct gcl_pg_scope *scope = gcl_pg_scope_find(node, name);
    return scope == NULL ? GCL_ENOENT : gcl_server_stop(scope->server, "normal");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a member, and the handlers of the server that it is. */
#include "cluster/cluster.h"

#include <string.h>

#include "cluster/seeds.h"
#include "net/crypto.h"
#include "wire/term_context.h"

enum { EMPTY_MAP_BYTES = 5 };

static const gcl_cluster_handlers no_handlers = {.size = sizeof no_handlers};
static const gcl_handlers no_server_handlers = {.size = sizeof no_server_handlers};

/* --- what reaches the server ---------------------------------------------------------------- */

static gcl_result unhandled(struct gcl_cluster *cluster, const char *what)
{
    gcl_server_drop(cluster->server, what);
    return GCL_CONTINUE;
}

static gcl_result on_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (gcl_cluster_is_request(request))
        result = gcl_cluster_request(cluster, request, from);
    else if (cluster->server_handlers->handle_call != NULL)
        result = cluster->server_handlers->handle_call(self, request, from, cluster->user);
    else
        result = unhandled(cluster, "a call");
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_cast(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    gcl_term term;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (gcl_match(message, "{'$gen_cluster', publish, ~t}", &term))
        (void)gcl_cluster_publish_term(cluster, term);
    else if (cluster->server_handlers->handle_cast != NULL)
        result = cluster->server_handlers->handle_cast(self, message, cluster->user);
    else
        result = unhandled(cluster, "a cast");
    return gcl_cluster_leave_handler(cluster, result);
}

/* A message of the membership; what makes no sense is dropped. */
static void receive(struct gcl_cluster *cluster, gcl_term term)
{
    struct gcl_membership_message message;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_RECEIVED, .message = &message};
    const char *wrong;
    struct gcl_member_id from = {.node = gcl_str_of("a stranger")};
    int error = gcl_cluster_message_decode(&cluster->room, term, gcl_cluster_name(cluster),
                                           &message, &wrong);
    if (error == 0) {
        (void)gcl_cluster_event(cluster, &event);
        return;
    }
    (void)gcl_cluster_message_from(term, &from);
    gcl_cluster_warn(cluster, from.node, "ignores messages from",
                     error == GCL_ENOMEM ? "no memory" : wrong);
}

static gcl_result on_info(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (!gcl_cluster_message_is(message)) {
        if (cluster->server_handlers->handle_info != NULL)
            result = cluster->server_handlers->handle_info(self, message, cluster->user);
        else
            result = unhandled(cluster, "a message");
    } else if (!gcl_cluster_take_publication(cluster, message)) {
        receive(cluster, message);
    }
    return gcl_cluster_leave_handler(cluster, result);
}

/* True when the monitor is the machine's. */
static bool is_machine_down(struct gcl_cluster *cluster, const gcl_ref *ref, gcl_term reason)
{
    struct gcl_cluster_monitor *monitor = gcl_cluster_monitors_take_ref(&cluster->monitors, ref);
    if (monitor == NULL)
        return false;
    struct gcl_membership_event event = {
        .kind = GCL_MEMBERSHIP_DOWN,
        .tag = monitor->tag,
        .member = monitor->is_pid ? &monitor->id : NULL,
        .noconnection = gcl_match(reason, "noconnection"),
        .reason = gcl_str_make(gcl_term_bytes(reason), gcl_term_size(reason))};
    (void)gcl_cluster_event(cluster, &event);
    gcl_free(cluster->mem, monitor);
    return true;
}

static gcl_result on_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (!is_machine_down(cluster, &ref, reason) && !gcl_cluster_child_down(cluster, &ref) &&
        !gcl_cluster_subscriber_down(cluster, &ref)) {
        if (cluster->server_handlers->handle_down != NULL)
            result = cluster->server_handlers->handle_down(self, ref, what, reason, cluster->user);
        else
            result = unhandled(cluster, "the end of a process that it monitors");
    }
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_exit_signal(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (cluster->server_handlers->handle_exit != NULL)
        result = cluster->server_handlers->handle_exit(self, from, reason, cluster->user);
    else
        result = unhandled(cluster, "an exit signal");
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                          void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_NODEUP, .node = gcl_str_of(name)};
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (is_up)
        (void)gcl_cluster_event(cluster, &event);
    if (self->is_watcher && cluster->server_handlers->handle_node != NULL)
        result = cluster->server_handlers->handle_node(self, name, is_up, reason, cluster->user);
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_timer(gcl_server *self, uint64_t timer, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_WOKEN};
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (timer == cluster->wake_timer) {
        cluster->wake_timer = 0;
        (void)gcl_cluster_event(cluster, &event);
    } else if (timer == cluster->callback_timer) {
        cluster->callback_timer = 0;
    } else if (cluster->server_handlers->handle_timer != NULL) {
        result = cluster->server_handlers->handle_timer(self, timer, cluster->user);
    }
    return gcl_cluster_leave_handler(cluster, result);
}

static void write_state(gcl_server *self, gcl_writer *out, void *user)
{
    struct gcl_cluster *cluster = user;
    if (cluster->server_handlers->state != NULL)
        cluster->server_handlers->state(self, out, cluster->user);
    else
        (void)gcl_write(out, "[]");
}

static void free_cluster(struct gcl_cluster *cluster)
{
    const gcl_allocator *mem = cluster->mem;
    gcl_cluster_callbacks_fini(cluster);
    gcl_cluster_children_fini(cluster);
    gcl_cluster_subscribers_fini(cluster);
    gcl_cluster_monitors_fini(&cluster->monitors);
    gcl_membership_free(cluster->machine);
    gcl_cluster_pids_fini(&cluster->room);
    gcl_writer_free(cluster->writer);
    gcl_crypto_md5_free(cluster->hash);
    gcl_term_free(cluster->meta);
    gcl_free(mem, cluster->name);
    gcl_free(mem, cluster);
}

static void on_end(gcl_server *self, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_cluster_enter(cluster);
    gcl_cluster_ballots_fini(cluster);
    if (cluster->server_handlers->terminate != NULL)
        cluster->server_handlers->terminate(self, reason, cluster->user);
    free_cluster(cluster);
}

static const gcl_handlers server_handlers = {
    .size = sizeof server_handlers,
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .handle_down = on_down,
    .handle_exit = on_exit_signal,
    .handle_node = on_node,
    .handle_timer = on_timer,
    .terminate = on_end,
    .state = write_state,
};

/* --- starting ------------------------------------------------------------------------------- */

void gcl_cluster_config_init(gcl_cluster_config *config)
{
    struct gcl_membership_config defaults;
    gcl_membership_config_init(&defaults);
    *config = (gcl_cluster_config){
        .size = sizeof *config,
        .quorum = 1,
        .settle_ms = defaults.settings.settle_ms,
        .probe_base_ms = defaults.settings.probe_base_ms,
        .retry_base_ms = defaults.settings.retry_base_ms,
        .retry_max_ms = defaults.settings.retry_max_ms,
        .sync_ms = defaults.settings.sync_ms,
        .sync_fast_ms = defaults.settings.sync_fast_ms,
    };
}

static bool is_atom(const char *text)
{
    return text != NULL && text[0] != '\0' && gcl_wire_text_is_atom(gcl_str_of(text));
}

static int copy_names(struct gcl_cluster *cluster, const gcl_cluster_config *config)
{
    const char *type = config->type != NULL ? config->type : config->name;
    if (!is_atom(config->name) || !is_atom(type))
        return GCL_EINVAL;
    size_t name_size = strlen(config->name) + 1, type_size = strlen(type) + 1;
    cluster->name = gcl_alloc(cluster->mem, name_size + type_size);
    if (cluster->name == NULL)
        return GCL_ENOMEM;
    cluster->type = cluster->name + name_size;
    memcpy(cluster->name, config->name, name_size);
    memcpy(cluster->type, type, type_size);
    return 0;
}

/* Takes it over when it is a map of no more than 4 KiB; one without keys is kept as none. */
static int set_meta(struct gcl_cluster *cluster, gcl_term meta)
{
    bool has_keys = gcl_cluster_meta_of(meta).size > 0;
    bool is_empty = gcl_match(meta, "#{}") && gcl_term_size(meta) == EMPTY_MAP_BYTES;
    if (has_keys || is_empty)
        gcl_term_free(cluster->meta);
    if (has_keys) {
        cluster->meta = meta;
        return 0;
    }
    gcl_term_free(meta);
    if (!is_empty)
        return GCL_EINVAL;
    cluster->meta = gcl_term_make(&cluster->node->terms, NULL, 0);
    return 0;
}

static int parse_meta(struct gcl_cluster *cluster, const char *text)
{
    gcl_term meta;
    if (text == NULL)
        return 0;
    int error = gcl_term_parse(&cluster->node->terms, text, strlen(text), &meta, NULL);
    return error != 0 ? error : set_meta(cluster, meta);
}

static int prepare(struct gcl_cluster *cluster, const gcl_cluster_config *config)
{
    int error = copy_names(cluster, config);
    if (error == 0)
        error = parse_meta(cluster, config->meta);
    if (error != 0)
        return error;
    cluster->hash = gcl_crypto_md5_new();
    cluster->writer = gcl_writer_new(&cluster->node->terms);
    return cluster->hash != NULL && cluster->writer != NULL ? 0 : GCL_ENOMEM;
}

static struct gcl_cluster *new_cluster(gcl_node *node, const gcl_cluster_config *config)
{
    struct gcl_cluster *cluster = gcl_alloc_zero(node->mem, sizeof *cluster);
    if (cluster == NULL)
        return NULL;
    cluster->node = node;
    cluster->mem = node->mem;
    cluster->handlers = config->handlers != NULL ? config->handlers : &no_handlers;
    cluster->server_handlers =
        cluster->handlers->server != NULL ? cluster->handlers->server : &no_server_handlers;
    cluster->user = config->user;
    cluster->meta = gcl_term_make(&node->terms, NULL, 0);
    cluster->room.mem = node->mem;
    gcl_cluster_monitors_init(&cluster->monitors, node->mem, node->seed);
    gcl_list_init(&cluster->pending);
    gcl_list_init(&cluster->children);
    gcl_list_init(&cluster->subscribers);
    gcl_list_init(&cluster->ballots);
    return cluster;
}

static int find_seeds(struct gcl_cluster *cluster, const gcl_cluster_config *config,
                      struct gcl_cluster_seeds *seeds)
{
    for (size_t i = 0; i < config->seed_count; i++) {
        int error = gcl_cluster_seeds_add(seeds, gcl_str_of(config->seeds[i]));
        if (error == GCL_ENAME)
            gcl_log(&cluster->node->log, GCL_LOG_ERROR, "bad_seed",
                    "\"%s\" is no seed of %s; a seed is a node's name, name@host", config->seeds[i],
                    cluster->name);
        if (error != 0)
            return error;
    }
    return gcl_cluster_seeds_add_environment(seeds, &cluster->node->terms);
}

static void fill_settings(struct gcl_membership_settings *settings,
                          const gcl_cluster_config *config)
{
    settings->quorum = config->quorum;
    settings->settle_ms = config->settle_ms;
    settings->probe_base_ms = config->probe_base_ms;
    settings->retry_base_ms = config->retry_base_ms;
    settings->retry_max_ms = config->retry_max_ms;
    settings->sync_ms = config->sync_ms;
    settings->sync_fast_ms = config->sync_fast_ms;
}

static int make_machine(struct gcl_cluster *cluster, const gcl_cluster_config *config)
{
    struct gcl_membership_config machine;
    gcl_membership_config_init(&machine);
    fill_settings(&machine.settings, config);
    machine.mem = cluster->mem;
    machine.hidden = true;
    machine.label.type = gcl_str_of(cluster->type);
    machine.label.meta = gcl_str_make(gcl_term_bytes(cluster->meta), gcl_term_size(cluster->meta));
    machine.hash = (struct gcl_membership_hash){cluster->hash, gcl_crypto_md5_begin,
                                                gcl_crypto_md5_add, gcl_crypto_md5_end};
    if (!gcl_cluster_id_of(cluster, gcl_self(cluster->server), &machine.self))
        return GCL_ESTALE;
    return gcl_membership_new(&machine, &cluster->machine);
}

static int begin(struct gcl_cluster *cluster, const gcl_cluster_config *config,
                 const struct gcl_cluster_seeds *seeds)
{
    struct gcl_membership_event event = {
        .kind = GCL_MEMBERSHIP_START, .nodes = seeds->names, .node_count = seeds->count};
    int error = make_machine(cluster, config);
    if (error != 0)
        return error;
    gcl_server_watch_nodes(cluster->server, true);
    return gcl_cluster_event(cluster, &event);
}

/* It has no handlers of the user any more, and ends with the server. */
static void abandon(struct gcl_cluster *cluster)
{
    cluster->handlers = &no_handlers;
    cluster->server_handlers = &no_server_handlers;
    cluster->is_broken = true;
    if (gcl_server_stop(cluster->server, "system_limit") != 0)
        gcl_server_end(cluster->server, gcl_str_make("\x77\x0csystem_limit", 14));
}

static int start_server(struct gcl_cluster *cluster, const gcl_cluster_config *config)
{
    gcl_server_config server;
    gcl_server_config_init(&server);
    server.handlers = &server_handlers;
    server.user = cluster;
    server.trap_exit = config->trap_exit;
    int error = gcl_server_start(cluster->node, &server, &cluster->server);
    if (error == 0)
        cluster->server->program_user = config->user;
    return error;
}

static int start(struct gcl_cluster *cluster, const gcl_cluster_config *config)
{
    struct gcl_cluster_seeds seeds;
    int error = prepare(cluster, config);
    if (error != 0)
        return error;
    gcl_cluster_seeds_init(&seeds, cluster->mem, &cluster->node->log,
                           gcl_str_of(cluster->node->name));
    error = find_seeds(cluster, config, &seeds);
    if (error == 0)
        error = start_server(cluster, config);
    if (error == 0)
        error = begin(cluster, config, &seeds);
    gcl_cluster_seeds_fini(&seeds);
    return error;
}

int gcl_cluster_start(gcl_node *node, const gcl_cluster_config *config, gcl_cluster **out)
{
    struct gcl_cluster *cluster = new_cluster(node, config);
    if (cluster == NULL)
        return GCL_ENOMEM;
    int error = start(cluster, config);
    if (error == 0) {
        if (out != NULL)
            *out = cluster;
    } else if (cluster->server != NULL) {
        abandon(cluster);
    } else {
        free_cluster(cluster);
    }
    return error;
}

/* --- what it is, and what can be changed ----------------------------------------------------- */

gcl_server *gcl_cluster_server(const gcl_cluster *cluster)
{
    return cluster->server;
}

gcl_cluster *gcl_cluster_of(gcl_server *server)
{
    return server->handlers == &server_handlers ? server->user : NULL;
}

void *gcl_cluster_user(const gcl_cluster *cluster)
{
    return cluster->user;
}

int gcl_cluster_join(gcl_cluster *cluster, const char *name)
{
    struct gcl_str node = gcl_str_of(name);
    int error = gcl_cluster_check(cluster);
    if (error == 0 && !gcl_cluster_is_node(node))
        error = GCL_ENAME;
    if (error != 0)
        return error;
    bool is_out = gcl_membership_phase(cluster->machine) == GCL_MEMBERSHIP_OUT;
    bool is_here = gcl_str_equal(node, gcl_str_of(cluster->node->name));
    struct gcl_membership_event event = {.kind =
                                             is_out ? GCL_MEMBERSHIP_START : GCL_MEMBERSHIP_JOIN,
                                         .node = node,
                                         .nodes = &node,
                                         .node_count = is_here ? 0 : 1};
    return gcl_cluster_event(cluster, &event);
}

/* The machine has no news of a leave of one's own, but who watches shall see an empty house. */
static int notify_all_left(struct gcl_cluster *cluster)
{
    gcl_pid self = gcl_self(cluster->server);
    gcl_member member;
    if (gcl_list_is_empty(&cluster->subscribers))
        return 0;
    for (size_t i = 0; gcl_cluster_member(cluster, i, &member); i++)
        if (!gcl_pid_equal(member.pid, self))
            gcl_cluster_notify(cluster, GCL_MESSAGE("{left, ~p, left}", member.pid));
    if (!gcl_pid_is_none(gcl_cluster_leader(cluster)))
        gcl_cluster_notify(cluster, GCL_MESSAGE("{leader, undefined}"));
    return 0;
}

int gcl_cluster_leave(gcl_cluster *cluster)
{
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_GO};
    int error = gcl_cluster_check(cluster);
    if (error == 0)
        error = notify_all_left(cluster);
    return error != 0 ? error : gcl_cluster_event(cluster, &event);
}

int gcl_cluster_set_meta_message(gcl_cluster *cluster, gcl_message message)
{
    gcl_term meta;
    int error = gcl_cluster_check(cluster);
    if (error != 0)
        return error;
    gcl_writer_clear(cluster->writer);
    error = gcl_write_message(cluster->writer, message);
    if (error == 0)
        error = gcl_term_copy(gcl_writer_term(cluster->writer), &meta);
    if (error == 0)
        error = set_meta(cluster, meta);
    return error != 0 ? error : gcl_cluster_update(cluster);
}

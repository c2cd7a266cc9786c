/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a member, from its config on. */
#include "cluster/cluster.h"

#include <string.h>

#include "cluster/seeds.h"
#include "net/crypto.h"
#include "node/name_kind.h"
#include "wire/term/context.h"

static const gcl_cluster_handlers no_handlers = {.size = sizeof no_handlers};
static const gcl_handlers no_server_handlers = {.size = sizeof no_server_handlers};

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

static int parse_meta(struct gcl_cluster *cluster, const char *text)
{
    gcl_term meta;
    if (text == NULL)
        return 0;
    int error = gcl_term_parse(&cluster->node->terms, text, strlen(text), &meta, NULL);
    return error != 0 ? error : gcl_cluster_take_meta(cluster, meta);
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
    gcl_list_init(&cluster->waits);
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
    machine.hidden = cluster->node->config.hidden;
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
    for (size_t i = 0; i < seeds->count; i++)
        gcl_name_kind_check(cluster->node, seeds->names[i]);
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
    server.handlers = &gcl_cluster_server_handlers;
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

static bool has_sizes(const gcl_cluster_config *config)
{
    const gcl_cluster_handlers *handlers = config->handlers;
    return config->size == sizeof *config &&
           (handlers == NULL ||
            (handlers->size == sizeof *handlers &&
             (handlers->server == NULL || handlers->server->size == sizeof *handlers->server)));
}

int gcl_cluster_start(gcl_node *node, const gcl_cluster_config *config, gcl_cluster **out)
{
    if (!has_sizes(config))
        return GCL_EINVAL;
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
        gcl_cluster_free(cluster);
    }
    return error;
}

void gcl_cluster_free(struct gcl_cluster *cluster)
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

/* --- what it is ------------------------------------------------------------------------------ */

gcl_server *gcl_cluster_server(const gcl_cluster *cluster)
{
    return cluster->server;
}

gcl_cluster *gcl_cluster_of(gcl_server *server)
{
    return server->handlers == &gcl_cluster_server_handlers ? server->user : NULL;
}

void *gcl_cluster_user(const gcl_cluster *cluster)
{
    return cluster->user;
}

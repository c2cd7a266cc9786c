/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that ask of `global` what calls tell them, for ct/global_servers.erl: each request below
 * is answered with the outcome. The first one is registered as `server`; `spawn` makes more of
 * them. Messages that reach one, and conflicts that it is to decide, are sent to the process that
 * said `subscribe`. It writes `ready NODE PORT`, `closed ERROR`, what it logs as `log LEVEL EVENT
 * TEXT`, and ends with its input.
 *
 *     global NAME [hidden|visible [group NODE]... [listen ADDRESS] [ticktime SECONDS]]
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driven/driven.h"

enum { NODES = 16 };

static gcl_node *the_node;
static gcl_pid owner;

#define TELL(self, ...)                                                                            \
    do {                                                                                           \
        if (!gcl_pid_is_none(owner))                                                               \
            (void)gcl_send((self), gcl_to_pid(owner), __VA_ARGS__);                                \
    } while (0)

/* --- outcomes ------------------------------------------------------------------------------- */

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_caller *caller = user;
    gcl_node *node = gcl_server_node(self);
    if (error != 0)
        (void)gcl_reply_later(node, *caller, "{error, ~a}", gcl_error_name(error));
    else if (gcl_term_is_none(term))
        (void)gcl_reply_later(node, *caller, "ok");
    else
        (void)gcl_reply_later(node, *caller, "{ok, ~t}", term);
    free(caller);
    return GCL_CONTINUE;
}

static gcl_caller *keep(const gcl_from *from)
{
    gcl_caller *caller = malloc(sizeof *caller);
    if (caller == NULL || gcl_from_keep(from, caller) != 0)
        abort();
    return caller;
}

/* What a function has returned that would have called on_outcome(). */
static void asked(gcl_server *self, const gcl_from *from, gcl_caller *caller, int error)
{
    if (error == 0)
        return;
    free(caller);
    driven_reply(self, from, error);
}

/* --- names ---------------------------------------------------------------------------------- */

/* `user` is the name of what it is to say. */
static gcl_pid resolve(gcl_server *self, gcl_term name, gcl_pid own, gcl_pid other, void *user)
{
    static const gcl_pid nobody = {0};
    TELL(self, "{resolve, ~t, ~p, ~p}", name, own, other);
    if (strcmp(user, "own") == 0)
        return own;
    return strcmp(user, "other") == 0 ? other : nobody;
}

static const struct {
    const char *name;
    gcl_global_method method;
} methods[] = {{"random_notify", GCL_GLOBAL_RANDOM_NOTIFY},
               {"random_exit", GCL_GLOBAL_RANDOM_EXIT},
               {"notify_all", GCL_GLOBAL_NOTIFY_ALL},
               {"nobody", GCL_GLOBAL_NOBODY},
               {"own", GCL_GLOBAL_RESOLVE},
               {"other", GCL_GLOBAL_RESOLVE},
               {"neither", GCL_GLOBAL_RESOLVE}};

static bool read_method(gcl_bytes name, gcl_global_options *options)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strlen(methods[i].name) != name.size ||
            memcmp(methods[i].name, name.bytes, name.size) != 0)
            continue;
        options->method = methods[i].method;
        if (options->method == GCL_GLOBAL_RESOLVE) {
            options->resolve = resolve;
            options->resolve_user = (void *)(uintptr_t)methods[i].name;
        }
        return true;
    }
    return false;
}

static void list_name(gcl_term name, gcl_pid pid, void *user)
{
    gcl_server *self = user;
    /* What changes names is refused in here. */
    int error = gcl_global_register(self, on_outcome, NULL, "not_in_here");
    TELL(self, "{name, ~t, ~p, ~a}", name, pid, gcl_error_name(error));
}

/* Requests about names; false when it is none of them. */
static bool handle_names(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_global_options options;
    gcl_term name;
    gcl_bytes method;
    gcl_caller *caller = keep(from);
    gcl_global_options_init(&options);
    if (gcl_match(request, "{global_register, ~t}", &name))
        asked(self, from, caller, gcl_global_register(self, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_register, ~t, ~p}", &name, &options.pid))
        asked(self, from, caller,
              gcl_global_register_as(self, &options, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_register, ~t, ~a}", &name, &method) &&
             read_method(method, &options))
        asked(self, from, caller,
              gcl_global_register_as(self, &options, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_re_register, ~t, ~p}", &name, &options.pid))
        asked(self, from, caller,
              gcl_global_re_register(self, &options, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_re_register, ~t, ~a}", &name, &method) &&
             read_method(method, &options))
        asked(self, from, caller,
              gcl_global_re_register(self, &options, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_unregister_name, ~t}", &name))
        asked(self, from, caller, gcl_global_unregister_name(self, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "{global_whereis, ~t}", &name))
        asked(self, from, caller, gcl_global_whereis(self, on_outcome, caller, "~t", name));
    else if (gcl_match(request, "global_registered_names"))
        asked(self, from, caller, gcl_global_registered_names(self, on_outcome, caller));
    else if (gcl_match(request, "global_sync"))
        asked(self, from, caller, gcl_global_sync(self, on_outcome, caller));
    else
        return free(caller), false;
    return true;
}

/* --- locks ---------------------------------------------------------------------------------- */

/* `all`, or a list of nodes. */
static void read_nodes(gcl_term term, gcl_global_lock_options *options)
{
    static char names[NODES][256];
    static const char *nodes[NODES];
    gcl_items items;
    gcl_term item;
    gcl_bytes name;
    if (gcl_match(term, "all") || !gcl_items_begin(&items, term))
        return;
    options->nodes = nodes;
    while (options->node_count < NODES && gcl_items_next(&items, &item) &&
           gcl_match(item, "~a", &name)) {
        (void)snprintf(names[options->node_count], sizeof names[0], "%.*s", (int)name.size,
                       (const char *)name.bytes);
        nodes[options->node_count] = names[options->node_count];
        options->node_count++;
    }
}

static bool handle_locks(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_global_lock_options options;
    gcl_term id, nodes;
    gcl_global_lock_options_init(&options);
    if (gcl_match(request, "{global_set_lock, ~t, ~t, ~u}", &id, &nodes, &options.retries) ||
        gcl_match(request, "{global_set_lock, ~t, ~t, infinity}", &id, &nodes)) {
        gcl_caller *caller = keep(from);
        read_nodes(nodes, &options);
        asked(self, from, caller,
              gcl_global_set_lock(self, &options, on_outcome, caller, "~t", id));
    } else if (gcl_match(request, "{global_del_lock, ~t, ~t}", &id, &nodes)) {
        gcl_caller *caller = keep(from);
        read_nodes(nodes, &options);
        asked(self, from, caller,
              gcl_global_del_lock(self, &options, on_outcome, caller, "~t", id));
    } else {
        return false;
    }
    return true;
}

/* --- servers -------------------------------------------------------------------------------- */

static const gcl_handlers handlers;

static gcl_server *start_server(const char *name)
{
    gcl_server_config config;
    gcl_server *server;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = name;
    if (gcl_server_start(the_node, &config, &server) != 0)
        abort();
    return server;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    gcl_term term, name;
    (void)user;
    if (handle_names(self, request, from) || handle_locks(self, request, from))
        return GCL_CONTINUE;
    if (gcl_match(request, "{global_unregister, ~t}", &name))
        driven_reply(self, from, gcl_global_unregister(self, "~t", name));
    else if (gcl_match(request, "global_each_name"))
        driven_reply(self, from, gcl_global_each_name(the_node, list_name, self));
    else if (gcl_match(request, "{send, ~t, ~t}", &name, &term))
        driven_reply(self, from, gcl_send(self, gcl_to_global_name("~t", name), "~t", term));
    else if (gcl_match(request, "{cast, ~t, ~t}", &name, &term))
        driven_reply(self, from, gcl_cast(self, gcl_to_global_name("~t", name), "~t", term));
    else if (gcl_match(request, "{call, ~t, ~t}", &name, &term)) {
        gcl_caller *caller = keep(from);
        asked(self, from, caller,
              gcl_call(self, gcl_to_global_name("~t", name), 4000, on_outcome, caller, NULL, "~t",
                       term));
    } else if (gcl_match(request, "{echo, ~t}", &term))
        (void)gcl_reply(self, from, "~t", term);
    else if (gcl_match(request, "self"))
        (void)gcl_reply(self, from, "~p", gcl_self(self));
    else if (gcl_match(request, "subscribe"))
        driven_reply(self, from, (owner = gcl_from_pid(from), 0));
    else if (gcl_match(request, "spawn"))
        (void)gcl_reply(self, from, "~p", gcl_self(start_server(NULL)));
    else
        (void)gcl_reply(self, from, "{error, unknown_request}");
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    TELL(self, "{cast, ~t, ~p}", message, gcl_self(self));
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    TELL(self, "{info, ~t, ~p}", message, gcl_self(self));
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers),
                                      .handle_call = handle_call,
                                      .handle_cast = handle_cast,
                                      .handle_info = handle_info};

/* --- the program ---------------------------------------------------------------------------- */

static void read_options(gcl_node_config *config, const char **group, int count, char **options)
{
    size_t nodes = 0;
    for (int i = 0; i + 1 < count; i += 2) {
        if (strcmp(options[i], "listen") == 0) {
            config->listen_address = options[i + 1];
        } else if (strcmp(options[i], "ticktime") == 0) {
            config->net_ticktime_s = (unsigned)strtoul(options[i + 1], NULL, 10);
        } else if (nodes + 1 < NODES) {
            group[nodes++] = options[i + 1];
            config->global_group = group;
        }
    }
}

int main(int argc, char **argv)
{
    gcl_node_config config;
    const char *group[NODES] = {NULL};
    if (argc < 2)
        return 64;
    driven_config(&config, argv[1]);
    config.hidden = argc < 3 || strcmp(argv[2], "visible") != 0;
    read_options(&config, group, argc - 3, argv + 3);
    if (!driven_start(&config, &the_node))
        return 1;
    (void)start_server("server");
    driven_run(&the_node);
    return 0;
}

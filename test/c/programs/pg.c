/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process groups by the word of a suite: the server `control` answers each request with the
 * outcome; `spawn` makes processes that join. What reaches those, and every change that is
 * monitored, is sent to the process that said `subscribe`. It writes `ready NODE PORT`, what it
 * logs as `log LEVEL EVENT TEXT`, and ends with its input.
 *
 *     pg NAME hidden|visible
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driven/driven.h"

static struct program {
    gcl_node *node;
    gcl_server *control;
    gcl_pid owner;
    gcl_writer *list;
} the;

/* --- members -------------------------------------------------------------------------------- */

static gcl_result member_info(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    (void)gcl_send(self, gcl_to_pid(the.owner), "{member, ~p, ~t}", gcl_self(self), message);
    return GCL_CONTINUE;
}

static const gcl_handlers member = {.size = sizeof member, .handle_info = member_info};

static void spawn_member(gcl_server *self, const gcl_from *from)
{
    gcl_server *server;
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &member;
    int error = gcl_server_start(the.node, &config, &server);
    if (error == 0)
        (void)gcl_reply(self, from, "~p", gcl_self(server));
    else
        driven_reply(self, from, error);
}

static int kill_member(gcl_pid pid)
{
    gcl_server *server = gcl_server_of(the.node, pid);
    return server == NULL ? GCL_ENOENT : gcl_server_stop(server, "killed");
}

/* --- scopes and groups ---------------------------------------------------------------------- */

static int start(const char *scope, gcl_term options)
{
    gcl_pg_config config;
    gcl_pg_config_init(&config);
    config.scope = scope;
    config.discover_ms = 100;
    (void)gcl_match(options, "#{max_groups := ~u}", &config.max_groups);
    (void)gcl_match(options, "#{max_members := ~u}", &config.max_members);
    return gcl_pg_start(the.node, &config);
}

static void add_pid(gcl_pid pid, void *user)
{
    (void)user;
    (void)gcl_write_list(the.list, 1);
    (void)gcl_write(the.list, "~p", pid);
}

static void add_group(gcl_term group, void *user)
{
    (void)user;
    (void)gcl_write_list(the.list, 1);
    (void)gcl_write(the.list, "~t", group);
}

static void reply_list(gcl_server *self, const gcl_from *from, int error)
{
    if (error == 0)
        error = gcl_write(the.list, "[]");
    if (error == 0)
        (void)gcl_reply(self, from, "~t", gcl_writer_term(the.list));
    else
        driven_reply(self, from, error);
}

static gcl_pg_part part_of(gcl_bytes name)
{
    const char *text = driven_text(name);
    if (strcmp(text, "local") == 0)
        return GCL_PG_LOCAL;
    return strcmp(text, "remote") == 0 ? GCL_PG_REMOTE : GCL_PG_ALL;
}

static bool handle_groups(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_bytes scope, part;
    gcl_term term, message;
    gcl_pid pid;
    gcl_writer_clear(the.list);
    if (gcl_match(request, "{start, ~a, ~t}", &scope, &term))
        driven_reply(self, from, start(driven_text(scope), term));
    else if (gcl_match(request, "{stop, ~a}", &scope))
        driven_reply(self, from, gcl_pg_stop(the.node, driven_text(scope)));
    else if (gcl_match(request, "{join, ~a, ~p, ~t}", &scope, &pid, &term))
        driven_reply(self, from, gcl_pg_join(the.node, driven_text(scope), pid, "~t", term));
    else if (gcl_match(request, "{leave, ~a, ~p, ~t}", &scope, &pid, &term))
        driven_reply(self, from, gcl_pg_leave(the.node, driven_text(scope), pid, "~t", term));
    else if (gcl_match(request, "{groups, ~a}", &scope))
        reply_list(self, from, gcl_pg_each_group(the.node, driven_text(scope), add_group, NULL));
    else if (gcl_match(request, "{members, ~a, ~a, ~t}", &scope, &part, &term))
        reply_list(self, from,
                   gcl_pg_each_member(the.node, driven_text(scope), part_of(part), add_pid, NULL,
                                      "~t", term));
    else if (gcl_match(request, "{send, ~a, ~a, ~t, ~t}", &scope, &part, &term, &message))
        driven_reply(self, from,
                     gcl_pg_send(self, driven_text(scope), part_of(part), GCL_MESSAGE("~t", term),
                                 "~t", message));
    else
        return false;
    return true;
}

/* --- monitors ------------------------------------------------------------------------------- */

static gcl_result changed(gcl_server *self, const gcl_pg_change *change, void *user)
{
    static const char *const kinds[] = {"join", "leave", "ended"};
    (void)user;
    if (change->kind == GCL_PG_ENDED)
        (void)gcl_send(self, gcl_to_pid(the.owner), "ended");
    else
        (void)gcl_send(self, gcl_to_pid(the.owner), "{~a, ~t, ~t}", kinds[change->kind],
                       change->group, change->pids);
    return GCL_CONTINUE;
}

static void reply_ref(gcl_server *self, const gcl_from *from, int error, gcl_ref ref)
{
    if (error == 0)
        (void)gcl_reply(self, from, "~r", ref);
    else
        driven_reply(self, from, error);
}

static bool handle_monitors(gcl_server *self, gcl_term request, const gcl_from *from)
{
    gcl_bytes scope;
    gcl_term term;
    gcl_ref ref = {0};
    int error;
    if (gcl_match(request, "{monitor, ~a, ~t}", &scope, &term)) {
        error = gcl_pg_monitor(self, driven_text(scope), changed, NULL, &ref, "~t", term);
        reply_ref(self, from, error, ref);
    } else if (gcl_match(request, "{monitor, ~a}", &scope)) {
        error = gcl_pg_monitor_scope(self, driven_text(scope), changed, NULL, &ref);
        reply_ref(self, from, error, ref);
    } else if (gcl_match(request, "{demonitor, ~r}", &ref)) {
        driven_reply(self, from, gcl_pg_demonitor(self, ref));
    } else {
        return false;
    }
    return true;
}

/* --- the server ----------------------------------------------------------------------------- */

static void connected(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    (void)node;
    (void)name;
    (void)error;
    (void)detail;
    (void)user;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    gcl_bytes name;
    gcl_pid pid;
    (void)user;
    if (handle_groups(self, request, from) || handle_monitors(self, request, from))
        return GCL_CONTINUE;
    if (gcl_match(request, "subscribe"))
        driven_reply(self, from, (the.owner = gcl_from_pid(from), 0));
    else if (gcl_match(request, "spawn"))
        spawn_member(self, from);
    else if (gcl_match(request, "{kill, ~p}", &pid))
        driven_reply(self, from, kill_member(pid));
    else if (gcl_match(request, "{connect, ~a}", &name))
        driven_reply(self, from, gcl_node_connect(the.node, driven_text(name), connected, NULL));
    else if (gcl_match(request, "{disconnect, ~a}", &name))
        driven_reply(self, from, gcl_node_disconnect(the.node, driven_text(name)));
    else
        (void)gcl_reply(self, from, "{error, unknown_request}");
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)self;
    (void)reason;
    (void)user;
    gcl_writer_free(the.list);
}

static const gcl_handlers control = {
    .size = sizeof control, .handle_call = handle_call, .terminate = terminate};

/* --- the program ---------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    gcl_node_config config;
    gcl_server_config server;
    if (argc < 3)
        return 64;
    driven_config(&config, argv[1]);
    config.hidden = strcmp(argv[2], "hidden") == 0;
    if (!driven_start(&config, &the.node))
        return 1;
    the.list = gcl_writer_new(gcl_node_terms(the.node));
    gcl_server_config_init(&server);
    server.handlers = &control;
    server.name = "control";
    if (the.list == NULL || gcl_server_start(the.node, &server, &the.control) != 0)
        return 1;
    driven_run(&the.node);
    return 0;
}

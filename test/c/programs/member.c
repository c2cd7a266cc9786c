/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member that suites drive by calls, and that tells of each callback of the cluster, in order, by
 * {cluster_member, Self, Event} to the process `observer` of a node, as cluster_member.erl does:
 *
 *     member --name NAME --cluster CLUSTER --observer NODE [--seed NODE]... [--type TYPE]
 *         [--meta MAP] [--quorum N]
 *
 * Calls: {publish, Term}, {set_meta, Map}, {join, Node}, leave, {add_child, Type, Pid}, {weight,
 * N}, {vote, How, Term}, members, plist, {mod_plist, Type}, leader, {subscribe, Pid}, another,
 * {disconnect, Node}, {stop, Reason}, {when_joined, What}. The cast {block, Milliseconds} keeps its
 * loop for that long.
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
    gcl_program *program;
    const char *cluster, *observer, *type, *meta;
    int64_t quorum;
};

struct member {
    struct program *program;
    gcl_cluster *cluster;
    int64_t weight;
    char when_joined[32]; /* what to do in handle_join and handle_node_joined */
};

static const gcl_cluster_handlers handlers;

/* --- events --------------------------------------------------------------------------------- */

static void tell(struct member *member, gcl_message event)
{
    gcl_server *server = gcl_cluster_server(member->cluster);
    gcl_writer *writer = gcl_writer_new(gcl_node_terms(gcl_server_node(server)));
    if (gcl_write_message(writer, event) == 0)
        gcl_send(server, gcl_to_remote("observer", member->program->observer),
                 "{cluster_member, ~p, ~t}", gcl_self(server), gcl_writer_term(writer));
    gcl_writer_free(writer);
}

static gcl_term list_of(struct member *member, gcl_pids all)
{
    gcl_server *server = gcl_cluster_server(member->cluster);
    gcl_term list = {0};
    gcl_writer *writer = gcl_writer_new(gcl_node_terms(gcl_server_node(server)));
    (void)gcl_write_list(writer, (uint32_t)all.count);
    for (size_t i = 0; i < all.count; i++)
        (void)gcl_write(writer, "~p", all.pids[i]);
    if (all.count > 0)
        (void)gcl_write(writer, "[]");
    if (gcl_term_copy(gcl_writer_term(writer), &list) != 0)
        abort();
    gcl_writer_free(writer);
    return list;
}

static gcl_result after_join(struct member *member)
{
    gcl_cluster *cluster = member->cluster;
    if (strcmp(member->when_joined, "publish") == 0)
        (void)gcl_cluster_publish(cluster, "welcome");
    else if (strcmp(member->when_joined, "leave") == 0)
        (void)gcl_cluster_leave(cluster);
    else if (strcmp(member->when_joined, "stop") == 0)
        return gcl_stop(gcl_cluster_server(cluster), "{no, more}");
    else if (strcmp(member->when_joined, "mistake") == 0)
        (void)gcl_cluster_publish(cluster, "{oops, ~i", 1);
    return GCL_CONTINUE;
}

static gcl_result handle_join(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct member *member = user;
    gcl_term list = list_of(member, all);
    (void)self;
    tell(member, GCL_MESSAGE("{handle_join, ~p, ~t}", pid, list));
    gcl_term_free(list);
    return after_join(member);
}

static gcl_result handle_node_joined(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct member *member = user;
    gcl_term list = list_of(member, all);
    (void)self;
    tell(member, GCL_MESSAGE("{handle_node_joined, ~p, ~t}", pid, list));
    gcl_term_free(list);
    return after_join(member);
}

static gcl_result handle_leave(gcl_cluster *self, gcl_pid pid, gcl_pids all, gcl_departure why,
                               gcl_term reason, void *user)
{
    struct member *member = user;
    gcl_term list = list_of(member, all);
    (void)self;
    if ((why == GCL_LOST) != gcl_match(reason, "noconnection") ||
        (why == GCL_LEFT) != gcl_match(reason, "left"))
        abort();
    tell(member, GCL_MESSAGE("{handle_leave, ~p, ~t, ~t}", pid, list, reason));
    gcl_term_free(list);
    return GCL_CONTINUE;
}

static gcl_result handle_leader_change(gcl_cluster *self, gcl_pid leader, gcl_pids all, void *user)
{
    struct member *member = user;
    gcl_term list = list_of(member, all);
    (void)self;
    if (gcl_pid_is_none(leader))
        tell(member, GCL_MESSAGE("{handle_leader_change, undefined, ~t}", list));
    else
        tell(member, GCL_MESSAGE("{handle_leader_change, ~p, ~t}", leader, list));
    gcl_term_free(list);
    return GCL_CONTINUE;
}

static gcl_result handle_publish(gcl_cluster *self, gcl_term term, void *user)
{
    (void)self;
    tell(user, GCL_MESSAGE("{handle_publish, ~t}", term));
    return gcl_match(term, "stop_all") ? GCL_STOP : GCL_CONTINUE;
}

static gcl_result handle_vote(gcl_cluster *self, gcl_term term, int64_t *weight, void *user)
{
    struct member *member = user;
    (void)self;
    *weight = gcl_match(term, "nobody") ? 0 : member->weight;
    return GCL_CONTINUE;
}

/* --- calls ---------------------------------------------------------------------------------- */

struct asked {
    struct member *member;
    gcl_caller caller;
};

static gcl_result outcome(gcl_cluster *self, int error, const gcl_outcome *outcome, void *user)
{
    struct asked *asked = user;
    gcl_node *node = gcl_server_node(gcl_cluster_server(self));
    if (error != 0)
        gcl_reply_later(node, asked->caller, "{error, ~a}", gcl_error_name(error));
    else if (gcl_term_is_none(outcome->reply))
        gcl_reply_later(node, asked->caller, "{ok, ~p, ~f}", outcome->pid, outcome->weight);
    else
        gcl_reply_later(node, asked->caller, "{ok, ~p, ~t}", outcome->pid, outcome->reply);
    free(asked);
    return GCL_CONTINUE;
}

static int vote(struct member *member, gcl_bytes how, gcl_term term, const gcl_from *from)
{
    static const struct {
        const char *name;
        gcl_vote vote;
    } kinds[] = {{"call_vote", GCL_VOTE},
                 {"ballot_run", GCL_VOTE_CALL},
                 {"run", GCL_VOTE_CALL_ANY},
                 {"ballot_cast", GCL_VOTE_CAST},
                 {"cast_run", GCL_VOTE_CAST_ANY}};
    struct asked *asked = malloc(sizeof *asked);
    asked->member = member;
    if (gcl_from_keep(from, &asked->caller) != 0)
        abort();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == how.size && memcmp(kinds[i].name, how.bytes, how.size) == 0)
            return gcl_cluster_vote_message(member->cluster, kinds[i].vote, outcome, asked,
                                            GCL_MESSAGE("~t", term));
    free(asked);
    return GCL_EINVAL;
}

static void reply_members(struct member *member, gcl_server *self, const gcl_from *from)
{
    gcl_writer *writer = gcl_writer_new(gcl_node_terms(gcl_server_node(self)));
    gcl_member one;
    (void)gcl_write_list(writer, (uint32_t)gcl_cluster_count(member->cluster));
    for (size_t i = 0; gcl_cluster_member(member->cluster, i, &one); i++)
        (void)gcl_write(writer, "{~p, ~a, ~a, ~t, ~t, ~a}", one.pid, one.node, one.type, one.meta,
                        one.children, one.is_leader);
    (void)gcl_write(writer, "[]");
    gcl_reply(self, from, "~t", gcl_writer_term(writer));
    gcl_writer_free(writer);
}

static int start_member(struct program *program, gcl_node *node, gcl_cluster **cluster);

static void copy(char *to, size_t size, gcl_bytes from)
{
    (void)snprintf(to, size, "%.*s", (int)from.size, (const char *)from.bytes);
}

static int order(struct member *member, gcl_server *self, gcl_term request, const gcl_from *from,
                 bool *is_known)
{
    gcl_cluster *cluster = member->cluster;
    char text[256];
    gcl_bytes atom;
    gcl_term term;
    gcl_pid pid;
    gcl_ref ref;
    *is_known = true;
    if (gcl_match(request, "{publish, ~t}", &term))
        return gcl_cluster_publish(cluster, "~t", term);
    if (gcl_match(request, "{set_meta, ~t}", &term))
        return gcl_cluster_set_meta(cluster, "~t", term);
    if (gcl_match(request, "leave"))
        return gcl_cluster_leave(cluster);
    if (gcl_match(request, "{weight, ~i}", &member->weight))
        return 0;
    if (gcl_match(request, "{subscribe, ~p}", &pid))
        return gcl_cluster_subscribe(cluster, pid, &ref);
    if (gcl_match(request, "{unsubscribe, ~r}", &ref))
        return gcl_cluster_unsubscribe(cluster, ref);
    if (gcl_match(request, "{stop, ~t}", &term))
        return gcl_server_stop(self, "~t", term);
    if (gcl_match(request, "{add_child, ~a, ~p}", &atom, &pid)) {
        copy(text, sizeof text, atom);
        return gcl_cluster_add_child(cluster, text, pid);
    }
    if (gcl_match(request, "{join, ~a}", &atom)) {
        copy(text, sizeof text, atom);
        return gcl_cluster_join(cluster, text);
    }
    if (gcl_match(request, "{disconnect, ~a}", &atom)) {
        copy(text, sizeof text, atom);
        return gcl_node_disconnect(gcl_server_node(self), text);
    }
    if (gcl_match(request, "{when_joined, ~a}", &atom)) {
        copy(member->when_joined, sizeof member->when_joined, atom);
        return 0;
    }
    *is_known = false;
    (void)from;
    return 0;
}

static void question(struct member *member, gcl_server *self, gcl_term request,
                     const gcl_from *from)
{
    gcl_bytes how;
    gcl_term term;
    gcl_cluster *other;
    if (gcl_match(request, "{vote, ~a, ~t}", &how, &term)) {
        if (vote(member, how, term, from) != 0)
            gcl_reply(self, from, "{error, vote}");
    } else if (gcl_match(request, "members")) {
        reply_members(member, self, from);
    } else if (gcl_match(request, "another")) {
        if (start_member(member->program, gcl_server_node(self), &other) == 0)
            gcl_reply(self, from, "~p", gcl_self(gcl_cluster_server(other)));
    } else if (gcl_match(request, "pid")) {
        gcl_reply(self, from, "~p", gcl_self(self));
    } else if (gcl_match(request, "{ask, ~t}", &term)) {
        gcl_reply(self, from, "{~a, ~t}", gcl_node_name(gcl_server_node(self)), term);
    } else {
        gcl_reply(self, from, "{unknown, ~t}", request);
    }
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    bool is_known;
    int error = order(user, self, request, from, &is_known);
    if (!is_known)
        question(user, self, request, from);
    else if (error != 0)
        gcl_reply(self, from, "{error, ~a}", gcl_error_name(error));
    else
        gcl_reply(self, from, "ok");
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    uint32_t milliseconds;
    (void)self;
    if (gcl_match(message, "{block, ~u}", &milliseconds))
        (void)usleep((useconds_t)milliseconds * 1000);
    tell(user, GCL_MESSAGE("{handle_cast, ~t}", message));
    return GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    tell(user, GCL_MESSAGE("{handle_info, ~t}", message));
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)self;
    tell(user, GCL_MESSAGE("{terminate, ~t}", reason));
    free(user);
}

static const gcl_handlers server_handlers = {
    .size = sizeof server_handlers,
    .handle_call = handle_call,
    .handle_cast = handle_cast,
    .handle_info = handle_info,
    .terminate = terminate,
};

static const gcl_cluster_handlers handlers = {
    .size = sizeof handlers,
    .server = &server_handlers,
    .handle_join = handle_join,
    .handle_node_joined = handle_node_joined,
    .handle_leave = handle_leave,
    .handle_leader_change = handle_leader_change,
    .handle_publish = handle_publish,
    .handle_vote = handle_vote,
};

/* --- main ----------------------------------------------------------------------------------- */

/* Retries that nobody wants to wait for in a test, as in cluster_helper.erl. */
static int start_member(struct program *program, gcl_node *node, gcl_cluster **cluster)
{
    const gcl_program_settings *settings = gcl_program_options(program->program);
    struct member *member = calloc(1, sizeof *member);
    gcl_cluster_config config;
    gcl_cluster_config_init(&config);
    config.name = program->cluster;
    config.type = program->type;
    config.meta = program->meta;
    config.seeds = settings->seeds;
    config.seed_count = settings->seed_count;
    config.quorum = (uint32_t)program->quorum;
    config.handlers = &handlers;
    config.user = member;
    config.retry_base_ms = 200;
    config.retry_max_ms = 2000;
    config.probe_base_ms = 300;
    config.sync_ms = 2000;
    config.sync_fast_ms = 200;
    member->program = program;
    member->weight = 1;
    int error = gcl_cluster_start(node, &config, &member->cluster);
    if (error != 0)
        free(member);
    else if (cluster != NULL)
        *cluster = member->cluster;
    return error;
}

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct program *self = user;
    self->program = program;
    return start_member(self, node, NULL);
}

static void configure(gcl_program *program, gcl_node_config *config, void *user)
{
    (void)program;
    (void)user;
    config->reconnect_min_ms = 100;
    config->reconnect_max_ms = 1000;
    config->log_level = GCL_LOG_INFO;
}

static const char *set_cluster(const char *value, void *user)
{
    ((struct program *)user)->cluster = value;
    return NULL;
}

static const char *set_observer(const char *value, void *user)
{
    ((struct program *)user)->observer = value;
    return NULL;
}

static const char *set_type(const char *value, void *user)
{
    ((struct program *)user)->type = value;
    return NULL;
}

static const char *set_meta(const char *value, void *user)
{
    ((struct program *)user)->meta = value;
    return NULL;
}

static const char *set_quorum(const char *value, void *user)
{
    ((struct program *)user)->quorum = atoi(value);
    return NULL;
}

int main(int argc, char **argv)
{
    static const gcl_program_option options[] = {
        {"--cluster", "NAME", "the cluster", set_cluster},
        {"--observer", "NODE", "who is told", set_observer},
        {"--type", "TYPE", "what it is listed under", set_type},
        {"--meta", "MAP", "what it shows", set_meta},
        {"--quorum", "N", "no leader with fewer members", set_quorum},
        {NULL, NULL, NULL, NULL},
    };
    struct program program = {.quorum = 1};
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "A member for tests.";
    config.options = options;
    config.configure = configure;
    config.start = start;
    config.user = &program;
    return gcl_program_run(&config, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thermometer on a topic of Phoenix.PubSub: it is asked there, and answers there. doc/pg.md tells
 * how it works.
 *
 *     pubsub --sname thermometer@localhost --node web@localhost --pubsub MyApp.PubSub --topic
 * room:7
 *
 *     iex> Phoenix.PubSub.subscribe(MyApp.PubSub, "room:7")
 *     iex> Phoenix.PubSub.broadcast(MyApp.PubSub, "room:7", :measure)
 *     iex> flush()
 *     {:temperature, 21.5}
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <string.h>

#define SCOPE "Elixir.Phoenix.PubSub"

struct thermometer {
    const char *node; /* any one of the cluster */
    const char *pubsub;
    const char *topic;
    char adapter[256]; /* the name of its processes, and of their group */
};

/* To every node that has this PubSub; each hands it to its own subscribers. */
static int broadcast(gcl_server *self, const struct thermometer *me, double degrees)
{
    return gcl_pg_send(self, SCOPE, GCL_PG_REMOTE, GCL_MESSAGE("~a", (const char *)me->adapter),
                       "{forward_to_local, ~b, {temperature, ~f}, 'Elixir.Phoenix.PubSub'}",
                       me->topic, degrees);
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    const struct thermometer *me = user;
    gcl_bytes topic;
    gcl_term what;
    if (!gcl_match(message, "{forward_to_local, ~b, ~t, _}", &topic, &what))
        return GCL_CONTINUE;
    bool is_ours =
        topic.size == strlen(me->topic) && memcmp(topic.bytes, me->topic, topic.size) == 0;
    if (is_ours && gcl_match(what, "measure"))
        printf("asked: %s\n", gcl_strerror(broadcast(self, me, 21.5)));
    return GCL_CONTINUE;
}

/* Adapters of other nodes come and go; so does this one, when it has joined. */
static gcl_result changed(gcl_server *self, const gcl_pg_change *change, void *user)
{
    (void)self;
    (void)user;
    if (change->kind == GCL_PG_ENDED)
        return gcl_stop(self, "scope_ended");
    printf("%s\n", change->kind == GCL_PG_JOINED ? "joined" : "left");
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof handlers, .handle_info = handle_info};

static int subscribe(gcl_node *node, gcl_server *self, struct thermometer *me)
{
    gcl_pg_config config;
    gcl_ref ref;
    gcl_pg_config_init(&config);
    config.scope = SCOPE;
    int error = gcl_pg_start(node, &config);
    if (error == 0)
        error = gcl_pg_monitor(self, SCOPE, changed, me, &ref, "~a", (const char *)me->adapter);
    if (error == 0)
        error = gcl_pg_join(node, SCOPE, gcl_self(self), "~a", (const char *)me->adapter);
    return error;
}

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct thermometer *me = user;
    gcl_server *self;
    gcl_server_config config;
    (void)program;
    (void)snprintf(me->adapter, sizeof me->adapter, "Elixir.%s.Adapter", me->pubsub);
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = me->adapter;
    config.user = me;
    int error = gcl_server_start(node, &config, &self);
    if (error == 0)
        error = subscribe(node, self, me);
    return error != 0 ? error : gcl_node_stay_connected(node, me->node, true);
}

static const char *set_node(const char *value, void *user)
{
    ((struct thermometer *)user)->node = value;
    return NULL;
}

static const char *set_pubsub(const char *value, void *user)
{
    ((struct thermometer *)user)->pubsub = value;
    return strlen(value) < 200 ? NULL : "expected a shorter name";
}

static const char *set_topic(const char *value, void *user)
{
    ((struct thermometer *)user)->topic = value;
    return NULL;
}

int main(int argc, char **argv)
{
    static const gcl_program_option options[] = {
        {"--node", "NODE", "a node of the application (web@localhost)", set_node},
        {"--pubsub", "NAME", "its PubSub (MyApp.PubSub)", set_pubsub},
        {"--topic", "TOPIC", "where to listen (room:7)", set_topic},
        {NULL, NULL, NULL, NULL},
    };
    struct thermometer me = {.node = "web@localhost", .pubsub = "MyApp.PubSub", .topic = "room:7"};
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "A thermometer on a topic of Phoenix.PubSub.";
    config.options = options;
    config.start = start;
    config.user = &me;
    return gcl_program_run(&config, argc, argv);
}

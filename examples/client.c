/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls servers of an Erlang node, one call after the other, and shows each way one can end:
 *
 *     client --sname client@localhost --node one@localhost
 */
#include <gen_cluster.h>
#include <stdio.h>

enum question { OHAI, TIMEOUT, CANCEL, NOPROC, NOCONNECTION, NO_MORE };
static const char *const names[] = {"{ohai}", "timeout", "cancel", "noproc", "noconnection"};

struct client {
    gcl_program *program;
    const char *node; /* whom to ask */
    enum question question;
};

static gcl_result outcome(gcl_server *self, int error, gcl_term reply, void *user);

static int ask(gcl_server *self, struct client *client)
{
    gcl_dest server = gcl_to_remote("example_cluster_srv", client->node);
    gcl_dest rpc = gcl_to_remote("rex", client->node); /* what rpc:call/4 calls */
    gcl_request request;
    int error;
    switch (client->question) {
    case TIMEOUT:
        return gcl_call(self, rpc, 100, outcome, client, NULL,
                        "{call, timer, sleep, [1000], user}");
    case CANCEL:
        error = gcl_call(self, rpc, GCL_INFINITY, outcome, client, &request,
                         "{call, timer, sleep, [1000], user}");
        return error != 0 ? error : gcl_call_cancel(self, request);
    case NOPROC:
        server = gcl_to_remote("nobody", client->node);
        break;
    case NOCONNECTION:
        server = gcl_to_remote("example_cluster_srv", "nobody@localhost");
        break;
    case OHAI:
    case NO_MORE:
        break;
    }
    return gcl_call(self, server, 5000, outcome, client, NULL, "{ohai}");
}

/* Exactly once for each call, and never before gcl_call() has returned. */
static gcl_result outcome(gcl_server *self, int error, gcl_term reply, void *user)
{
    struct client *client = user;
    gcl_bytes text;
    if (error != 0)
        printf("%s: %s\n", names[client->question], gcl_strerror(error));
    else if (gcl_match(reply, "~a", &text))
        printf("%s: %.*s\n", names[client->question], (int)text.size, (const char *)text.bytes);
    else
        printf("%s: not an atom\n", names[client->question]);
    if (++client->question == NO_MORE)
        return GCL_STOP;
    return ask(self, client) == 0 ? GCL_CONTINUE : gcl_stop(self, "cannot_ask");
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct client *client = user;
    (void)self;
    gcl_program_exit(client->program, gcl_match(reason, "normal") ? 0 : 1);
}

static const gcl_handlers handlers = {.size = sizeof handlers, .terminate = terminate};

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct client *client = user;
    gcl_server *self;
    gcl_server_config config;
    client->program = program;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.user = client;
    int error = gcl_server_start(node, &config, &self);
    return error != 0 ? error : ask(self, client);
}

static const char *set_node(const char *value, void *user)
{
    struct client *client = user;
    client->node = value;
    return NULL;
}

int main(int argc, char **argv)
{
    static const gcl_program_option options[] = {
        {"--node", "NODE", "whom to ask (one@localhost)", set_node},
        {NULL, NULL, NULL, NULL},
    };
    struct client client = {.node = "one@localhost"};
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "Calls an Erlang node in all ways that can go wrong, and one that does not.";
    config.options = options;
    config.start = start;
    config.user = &client;
    return gcl_program_run(&config, argc, argv);
}

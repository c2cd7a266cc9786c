/* SPDX-License-Identifier: Apache-2.0 */
/* The same server as example_cluster_srv.erl beside it. */
#include <gen_cluster.h>
#include <stdio.h>

enum { SHOWN = 200 };

struct example {
    gcl_program *program;
    int64_t joined, left;
};

/* Each callback prints one line, with its node. */
#define PRINT(self, format, ...)                                                                   \
    printf("%s: " format "\n", gcl_node_name(gcl_server_node(self)), __VA_ARGS__)

/* As io:format("~0p") shows it; what is too long is cut. */
static const char *shown(gcl_term term, char text[SHOWN])
{
    (void)gcl_term_print(term, text, SHOWN, NULL);
    return text;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct example *example = user;
    char text[SHOWN];
    gcl_term term;
    PRINT(self, "handle_call %s from %s", shown(request, text),
          gcl_pid_node(gcl_server_node(self), gcl_from_pid(from)));
    if (gcl_match(request, "{ohai}"))
        gcl_reply(self, from, "hello");
    else if (gcl_match(request, "{echo, ~t}", &term))
        gcl_reply(self, from, "~t", term);
    else if (gcl_match(request, "{state}"))
        gcl_reply(self, from, "{ok, #{joined => ~i, left => ~i}}", example->joined, example->left);
    else
        gcl_reply(self, from, "{error, unknown_request}");
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    char text[SHOWN];
    (void)user;
    PRINT(self, "handle_cast %s", shown(message, text));
    return gcl_match(message, "stop") ? GCL_STOP : GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    char text[SHOWN];
    (void)user;
    PRINT(self, "handle_info %s", shown(message, text));
    return GCL_CONTINUE;
}

/* A program without its server is of no use: gcl_program_run() returns. */
static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct example *example = user;
    char text[SHOWN];
    PRINT(self, "terminate %s", shown(reason, text));
    gcl_program_exit(example->program, gcl_match(reason, "normal") ? 0 : 1);
}

static const gcl_handlers handlers = {
    .size = sizeof handlers,
    .handle_call = handle_call,
    .handle_cast = handle_cast,
    .handle_info = handle_info,
    .terminate = terminate,
};

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct example *example = user;
    gcl_server_config config;
    printf("%s: init\n", gcl_node_name(node));
    example->program = program;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "example_cluster_srv";
    config.user = example;
    return gcl_server_start(node, &config, NULL);
}

int main(int argc, char **argv)
{
    struct example example = {0};
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "A member of a cluster that says what happens to it.";
    config.version = "1.0";
    config.start = start;
    config.user = &example;
    return gcl_program_run(&config, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same server as example_cluster_srv.erl beside it; each callback prints one line, with its
 * node.
 */
#include <gen_cluster.h>
#include <stdio.h>

struct example {
    gcl_program *program;
    int64_t joined, left;
};

static const char *here(const gcl_server *self)
{
    return gcl_node_name(gcl_server_node(self));
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct example *example = user;
    const char *caller = gcl_pid_node(gcl_server_node(self), gcl_from_pid(from));
    gcl_term term;
    if (gcl_match(request, "{ohai}")) {
        printf("%s: handle_call {ohai} from %s\n", here(self), caller);
        gcl_reply(self, from, "hello");
    } else if (gcl_match(request, "{echo, ~t}", &term)) {
        printf("%s: handle_call {echo, _} from %s\n", here(self), caller);
        gcl_reply(self, from, "~t", term);
    } else if (gcl_match(request, "{state}")) {
        printf("%s: handle_call {state} from %s\n", here(self), caller);
        gcl_reply(self, from, "{ok, #{joined => ~i, left => ~i}}", example->joined, example->left);
    } else {
        gcl_reply(self, from, "{error, unknown_request}");
    }
    return GCL_CONTINUE;
}

static gcl_result handle_cast(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    printf("%s: handle_cast\n", here(self));
    return gcl_match(message, "stop") ? GCL_STOP : GCL_CONTINUE;
}

/* A program without its server is of no use: gcl_program_run() returns. */
static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct example *example = user;
    printf("%s: terminate\n", here(self));
    gcl_program_exit(example->program, gcl_match(reason, "normal") ? 0 : 1);
}

static const gcl_handlers handlers = {
    .size = sizeof handlers,
    .handle_call = handle_call,
    .handle_cast = handle_cast,
    .terminate = terminate,
};

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct example *example = user;
    gcl_server_config config;
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

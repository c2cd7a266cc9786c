/* SPDX-License-Identifier: Apache-2.0 */
/* The same server as example_cluster_srv.erl beside it: each callback prints one line. */
#include <gen_cluster.h>
#include <stdio.h>

struct example {
    gcl_program *program;
    gcl_node *node;
    int64_t joined, left;
};

enum { SHOWN = 200 };

/* A term as io:format("~0p") prints it; what is too long is cut. */
static const char *shown(gcl_term term, char text[SHOWN])
{
    (void)gcl_term_print(term, text, SHOWN, NULL);
    return text;
}

static void print(const struct example *example, const char *callback, const char *what)
{
    printf("%s: %s %s\n", gcl_node_name(example->node), callback, what);
}

static void print_members(const struct example *example, const char *callback, const char *what,
                          gcl_pids all)
{
    printf("%s: %s %s, members", gcl_node_name(example->node), callback, what);
    for (size_t i = 0; i < all.count; i++)
        printf(" %s", gcl_pid_node(example->node, all.pids[i]));
    printf("\n");
}

/* --- as in a gen_server --------------------------------------------------------------------- */

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct example *example = user;
    char text[SHOWN], line[2 * SHOWN];
    gcl_term term;
    (void)snprintf(line, sizeof line, "%s from %s", shown(request, text),
                   gcl_pid_node(example->node, gcl_from_pid(from)));
    print(example, "handle_call", line);
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
    (void)self;
    print(user, "handle_cast", shown(message, text));
    return gcl_match(message, "stop") ? GCL_STOP : GCL_CONTINUE;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    char text[SHOWN];
    (void)self;
    print(user, "handle_info", shown(message, text));
    return GCL_CONTINUE;
}

/* The program is of no use without its server, and ends with it. */
static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct example *example = user;
    char text[SHOWN];
    (void)self;
    print(example, "terminate", shown(reason, text));
    gcl_program_exit(example->program, gcl_match(reason, "normal") ? 0 : 1);
}

/* --- what a cluster adds -------------------------------------------------------------------- */

/* `pid` came into the cluster through this member. */
static gcl_result handle_join(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct example *example = user;
    (void)self;
    example->joined++;
    print_members(example, "handle_join", gcl_pid_node(example->node, pid), all);
    return GCL_CONTINUE;
}

/* `pid` came into the cluster through another member, or back when a split healed. */
static gcl_result handle_node_joined(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct example *example = user;
    (void)self;
    example->joined++;
    print_members(example, "handle_node_joined", gcl_pid_node(example->node, pid), all);
    return GCL_CONTINUE;
}

static gcl_result handle_leave(gcl_cluster *self, gcl_pid pid, gcl_pids all, gcl_departure why,
                               gcl_term reason, void *user)
{
    struct example *example = user;
    char text[SHOWN], line[2 * SHOWN];
    (void)self;
    (void)why;
    example->left++;
    (void)snprintf(line, sizeof line, "%s because of %s", gcl_pid_node(example->node, pid),
                   shown(reason, text));
    print_members(example, "handle_leave", line, all);
    return GCL_CONTINUE;
}

static gcl_result handle_leader_change(gcl_cluster *self, gcl_pid leader, gcl_pids all, void *user)
{
    struct example *example = user;
    (void)self;
    print_members(example, "handle_leader_change",
                  gcl_pid_is_none(leader) ? "nobody" : gcl_pid_node(example->node, leader), all);
    return GCL_CONTINUE;
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
};

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct example *example = user;
    gcl_cluster_config config;
    example->program = program;
    example->node = node;
    printf("%s: init\n", gcl_node_name(node));
    gcl_cluster_config_init(&config);
    config.name = "example_cluster_srv";
    config.seeds = gcl_program_options(program)->seeds;
    config.seed_count = gcl_program_options(program)->seed_count;
    config.handlers = &handlers;
    config.user = example;
    return gcl_cluster_start(node, &config, NULL);
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

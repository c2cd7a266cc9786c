/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers a function to other nodes, and calls one of another node:
 *
 *     rpc --sname c@localhost --node beam@localhost
 *
 *     1> erpc:call(c@localhost, roman, numeral, [1989]).
 *     "MCMLXXXIX"
 *     2> erpc:call(c@localhost, roman, numeral, [0]).
 *     ** exception error: {exception,badarg,[{roman,numeral,[0],[]}]}
 */
#include <gen_cluster.h>
#include <stdio.h>

/* roman:numeral(1..3999) */
static void numeral(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    static const char *const signs[] = {"M",  "CM", "D",  "CD", "C",  "XC", "L",
                                        "XL", "X",  "IX", "V",  "IV", "I"};
    static const int values[] = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};
    gcl_node *node = gcl_server_node(self);
    char text[16] = "";
    size_t used = 0;
    int number;
    (void)user;
    if (!gcl_match(arguments, "[~i]", &number) || number < 1 || number > 3999) {
        (void)gcl_rpc_raise(node, task, GCL_RPC_ERROR, "badarg");
        return;
    }
    for (size_t i = 0; number > 0; i++)
        for (; number >= values[i]; number -= values[i])
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", signs[i]);
    (void)gcl_rpc_return(node, task, "~s", (const char *)text);
}

/* What lists:sort/1 came to. */
static gcl_result sorted(gcl_server *self, int error, gcl_term term, void *user)
{
    char text[256];
    (void)self;
    (void)user;
    if (!gcl_term_is_none(term))
        (void)gcl_term_print(term, text, sizeof text, NULL);
    if (error == 0)
        printf("sorted: %s\n", text);
    else if (error == GCL_ERAISE)
        printf("raised: %s\n", text);
    else
        printf("not sorted: %s\n", gcl_strerror(error));
    return GCL_CONTINUE;
}

static int start(gcl_program *program, gcl_node *node, void *user)
{
    static const gcl_handlers handlers = {.size = sizeof handlers};
    const char *const *other = user;
    gcl_server_config config;
    gcl_server *self;
    (void)program;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    int error = gcl_rpc_register(node, "roman", "numeral", 1, numeral, NULL);
    if (error == 0)
        error = gcl_server_start(node, &config, &self);
    if (error != 0 || *other == NULL)
        return error;
    gcl_rpc_dest sort = gcl_rpc_at(*other, "lists", "sort");
    error = gcl_rpc_call(self, sort, 5000, sorted, NULL, NULL, "[[c, b, {a, ~i}]]", 1);
    if (error == 0)
        error = gcl_rpc_call(self, sort, 5000, sorted, NULL, NULL, "[not_a_list]");
    return error;
}

static const char *set_node(const char *value, void *user)
{
    const char **other = user;
    *other = value;
    return NULL;
}

int main(int argc, char **argv)
{
    static const gcl_program_option options[] = {
        {"--node", "NODE", "where to call lists:sort/1", set_node},
        {NULL, NULL, NULL, NULL},
    };
    const char *other = NULL;
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "Offers roman:numeral/1 to other nodes, and calls lists:sort/1 of one.";
    config.options = options;
    config.start = start;
    config.user = &other;
    return gcl_program_run(&config, argc, argv);
}

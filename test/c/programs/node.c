/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node that suites drive by lines: `connect NODE`, `stay NODE`, `disconnect NODE`, `info NODE`;
 * the end of input closes it. It answers with `ready NODE PORT CREATION`, `connected NODE`, `failed
 * NODE ERROR TEXT`, `info NODE FLAGS CREATION hidden|visible`, `self NODE CREATION`, `closed`; what
 * it logs comes as `log LEVEL EVENT TEXT`.
 *
 *     node NAME [ticktime SECONDS] [port PORT] [setup MS] [reconnect_min MS] [reconnect_max MS]
 */
#include <ev.h>
#include <gen_cluster/node.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driven/driven.h"

struct program {
    gcl_node *node;
    ev_io input;
    char line[1024];
    size_t size;
    int error;
};

static void ready(gcl_node *node, void *user)
{
    (void)user;
    printf("ready %s %u %u\n", gcl_node_name(node), gcl_node_port(node), gcl_node_creation(node));
}

static void closed(gcl_node *node, int error, void *user)
{
    struct program *program = user;
    (void)node;
    program->error = error;
    program->node = NULL;
    printf("closed\n");
}

static void connected(gcl_node *node, const char *name, int error, const char *detail, void *user)
{
    (void)node;
    (void)user;
    if (error == 0)
        printf("connected %s\n", name);
    else
        printf("failed %s %s %s\n", name, gcl_error_name(error), detail);
}

static void info(const gcl_connection_info *info, void *user)
{
    if (strcmp(info->name, user) == 0)
        printf("info %s %" PRIx64 " %u %s\n", info->name, info->flags, info->creation,
               info->hidden ? "hidden" : "visible");
}

static void command(struct program *program, char *line)
{
    char *argument = strchr(line, ' ');
    int error = 0;
    if (strcmp(line, "self") == 0)
        printf("self %s %u\n", gcl_node_name(program->node), gcl_node_creation(program->node));
    if (argument == NULL)
        return;
    *argument++ = '\0';
    if (strcmp(line, "connect") == 0)
        error = gcl_node_connect(program->node, argument, connected, program);
    else if (strcmp(line, "stay") == 0)
        error = gcl_node_stay_connected(program->node, argument, true);
    else if (strcmp(line, "disconnect") == 0)
        error = gcl_node_disconnect(program->node, argument);
    else if (strcmp(line, "info") == 0)
        gcl_node_each_connection(program->node, info, argument);
    if (error != 0)
        printf("failed %s %s\n", argument, gcl_error_name(error));
}

static void on_input(struct ev_loop *loop, ev_io *io, int events)
{
    struct program *program = io->data;
    ssize_t got =
        read(STDIN_FILENO, program->line + program->size, sizeof program->line - program->size);
    (void)events;
    if (got <= 0) {
        ev_io_stop(loop, io);
        gcl_node_close(program->node);
        return;
    }
    program->size += (size_t)got;
    for (char *end; (end = memchr(program->line, '\n', program->size)) != NULL;) {
        size_t size = (size_t)(end - program->line) + 1;
        *end = '\0';
        command(program, program->line);
        program->size -= size;
        memmove(program->line, program->line + size, program->size);
    }
}

static void option(gcl_node_config *config, const char *name, const char *value)
{
    if (strcmp(name, "ticktime") == 0)
        config->net_ticktime_s = (unsigned)atoi(value);
    else if (strcmp(name, "port") == 0)
        config->listen_port = (uint16_t)atoi(value);
    else if (strcmp(name, "reconnect_min") == 0)
        config->reconnect_min_ms = (unsigned)atoi(value);
    else if (strcmp(name, "reconnect_max") == 0)
        config->reconnect_max_ms = (unsigned)atoi(value);
    else if (strcmp(name, "setup") == 0)
        config->setup_timeout_ms = (unsigned)atoi(value);
    else if (strcmp(name, "hidden") == 0)
        config->hidden = strcmp(value, "true") == 0;
}

int main(int argc, char **argv)
{
    static struct program program;
    char detail[256];
    gcl_node_config config;
    if (argc < 2)
        return 64;
    driven_config(&config, argv[1]);
    config.user = &program;
    config.on_ready = ready;
    config.on_closed = closed;
    for (int i = 2; i + 1 < argc; i += 2)
        option(&config, argv[i], argv[i + 1]);
    int error = gcl_node_new(&config, &program.node, detail, sizeof detail);
    if (error != 0) {
        printf("failed %s %s %s\n", argv[1], gcl_error_name(error), detail);
        return 1;
    }
    ev_io_init(&program.input, on_input, STDIN_FILENO, EV_READ);
    program.input.data = &program;
    ev_io_start(config.loop, &program.input);
    ev_run(config.loop, 0);
    return program.error == 0 ? 0 : 1;
}

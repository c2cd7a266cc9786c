/* SPDX-License-Identifier: Apache-2.0 */
#include "driven.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static ev_io input;

static void ready(gcl_node *node, void *user)
{
    (void)user;
    printf("ready %s %u\n", gcl_node_name(node), gcl_node_port(node));
}

static void log_line(gcl_log_level level, const char *event, const char *text, void *user)
{
    (void)user;
    printf("log %s %s %s\n", gcl_log_level_name(level), event, text);
}

static void closed(gcl_node *closed_one, int error, void *user)
{
    gcl_node **node = user;
    (void)closed_one;
    *node = NULL;
    ev_io_stop(ev_default_loop(0), &input);
    printf("closed %s\n", error == 0 ? "0" : gcl_error_name(error));
}

void driven_config(gcl_node_config *config, const char *name)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    gcl_node_config_init(config);
    config->loop = ev_default_loop(0);
    config->name = name;
    config->cookie = getenv("GCL_COOKIE");
    config->log = log_line;
    config->log_level = GCL_LOG_INFO;
    config->on_ready = ready;
    config->on_closed = closed;
}

bool driven_start(gcl_node_config *config, gcl_node **node)
{
    char detail[256];
    config->user = node;
    int error = gcl_node_new(config, node, detail, sizeof detail);
    if (error != 0)
        (void)fprintf(stderr, "%s: %s\n", gcl_error_name(error), detail);
    return error == 0;
}

static void on_input(struct ev_loop *loop, ev_io *io, int events)
{
    gcl_node **node = io->data;
    char bytes[256];
    (void)events;
    if (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        return;
    ev_io_stop(loop, io);
    if (*node != NULL)
        gcl_node_close(*node);
}

void driven_run(gcl_node **node)
{
    struct ev_loop *loop = ev_default_loop(0);
    ev_io_init(&input, on_input, STDIN_FILENO, EV_READ);
    input.data = node;
    ev_io_start(loop, &input);
    ev_run(loop, 0);
}

void driven_reply(gcl_server *self, const gcl_from *from, int error)
{
    if (error == 0)
        (void)gcl_reply(self, from, "ok");
    else
        (void)gcl_reply(self, from, "{error, ~a}", gcl_error_name(error));
}

const char *driven_text(gcl_bytes atom)
{
    static char texts[4][1024];
    static unsigned next;
    char *text = texts[next++ % 4];
    (void)snprintf(text, sizeof texts[0], "%.*s", (int)atom.size, (const char *)atom.bytes);
    return text;
}

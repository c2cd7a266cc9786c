/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program around one node. It owns the loop, as no other file of the library does: signals and
 * the standard input belong to a process, not to a node.
 */
#include "cluster/program.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <gen_cluster/cookie.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "node/log_stderr.h"

struct gcl_program {
    const gcl_program_config *config;
    gcl_program_settings settings;
    const char *path;
    struct ev_loop *loop;
    gcl_node *node; /* NULL before and after */
    ev_signal sigterm, sigint;
    ev_io input;
    int status;
    unsigned lost_lines; /* of the log, since standard error has no room */
    bool was_ready;
    bool is_ending;
};

void gcl_program_config_init(gcl_program_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

const gcl_program_settings *gcl_program_options(const gcl_program *program)
{
    return &program->settings;
}

void *gcl_program_user(const gcl_program *program)
{
    return program->config->user;
}

static void complain(const struct gcl_program *program, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", gcl_program_name(program->path), what);
}

/* --- the end -------------------------------------------------------------------------------- */

/* From now on SIGTERM and SIGINT do what they do by default. */
static void stop_watching(struct gcl_program *program)
{
    ev_signal_stop(program->loop, &program->sigterm);
    ev_signal_stop(program->loop, &program->sigint);
    ev_io_stop(program->loop, &program->input);
}

void gcl_program_exit(gcl_program *program, int status)
{
    if (program->is_ending || program->node == NULL)
        return;
    program->is_ending = true;
    program->status = status;
    stop_watching(program);
    gcl_node_close(program->node);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    gcl_program_exit(watcher->data, EX_OK);
}

static void on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
    char bytes[4096];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    (void)loop;
    (void)events;
    /* An input that cannot be read is one that has ended. */
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        gcl_program_exit(watcher->data, EX_OK);
}

/* As erl, it does not wait for a name: whoever started it shall know, and may start it again. */
static void complain_of_end(struct gcl_program *program, const gcl_node *node, int error)
{
    char text[512];
    bool is_taken = error == GCL_EEXIST && !program->was_ready;
    (void)snprintf(text, sizeof text, "the name %s seems to be in use by another node",
                   gcl_node_name(node));
    program->status = is_taken ? EX_UNAVAILABLE : EX_SOFTWARE;
    complain(program, is_taken ? text : gcl_strerror(error));
}

static void on_closed(gcl_node *node, int error, void *user)
{
    struct gcl_program *program = user;
    if (error != 0 && !program->is_ending)
        complain_of_end(program, node, error);
    stop_watching(program);
    program->node = NULL;
    ev_break(program->loop, EVBREAK_ONE);
}

/* What could not be written is counted, and told when there is room. */
static void log_line(gcl_log_level level, const char *event, const char *text, void *user)
{
    struct gcl_program *program = user;
    char told[64];
    if (program->lost_lines > 0) {
        (void)snprintf(told, sizeof told, "%u lines before this one: nobody read standard error",
                       program->lost_lines);
        if (gcl_log_try_stderr(GCL_LOG_WARNING, "log_lost", told))
            program->lost_lines = 0;
    }
    if (program->lost_lines > 0 || !gcl_log_try_stderr(level, event, text))
        program->lost_lines++;
}

/* --- the beginning -------------------------------------------------------------------------- */

static void on_ready(gcl_node *node, void *user)
{
    struct gcl_program *program = user;
    program->was_ready = true;
    int error = program->config->start(program, node, program->config->user);
    if (error != 0) {
        complain(program, gcl_strerror(error));
        gcl_program_exit(program, EX_SOFTWARE);
    } else if (!program->is_ending) {
        printf("ready %s %u\n", gcl_node_name(node), gcl_node_port(node));
    }
}

/* A socket must not get the number of a standard stream. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

/* A machine on which no Erlang node has run yet has no such file. */
static int read_default_cookie(char cookie[GCL_COOKIE_SIZE], char *detail, size_t detail_size)
{
    int error = gcl_cookie_read(NULL, cookie, detail, detail_size);
    size_t used = strlen(detail);
    if (error == GCL_ENOENT)
        (void)snprintf(detail + used, detail_size - used,
                       " (--cookie-file or the variable GCL_COOKIE can give another)");
    return error;
}

static int find_cookie(const struct gcl_program *program, char cookie[GCL_COOKIE_SIZE],
                       char *detail, size_t detail_size)
{
    const char *given = getenv("GCL_COOKIE");
    if (program->settings.cookie_file != NULL)
        return gcl_cookie_read(program->settings.cookie_file, cookie, detail, detail_size);
    if (given == NULL)
        return read_default_cookie(cookie, detail, detail_size);
    if (given[0] == '\0' || strlen(given) >= GCL_COOKIE_SIZE) {
        (void)snprintf(detail, detail_size, "GCL_COOKIE: expected 1 to 255 bytes");
        return GCL_EINVAL;
    }
    memcpy(cookie, given, strlen(given) + 1);
    return 0;
}

static int make_node(struct gcl_program *program, const char *cookie, char *detail,
                     size_t detail_size)
{
    const gcl_program_settings *settings = &program->settings;
    gcl_node_config config;
    gcl_node_config_init(&config);
    config.name = settings->name;
    config.long_names = settings->long_names;
    config.cookie = cookie;
    config.hidden = settings->hidden;
    config.listen_port = settings->port;
    config.listen_address = settings->listen_address;
    if (settings->net_ticktime_s != 0)
        config.net_ticktime_s = settings->net_ticktime_s;
    if (settings->has_watchdog)
        config.watchdog_ms = settings->watchdog_s * 1000;
    if (settings->log_level != 0)
        config.log_level = settings->log_level;
    config.close_if_name_taken = true;
    config.log = log_line;
    if (program->config->configure != NULL)
        program->config->configure(program, &config, program->config->user);
    config.loop = program->loop;
    config.user = program;
    config.on_ready = on_ready;
    config.on_closed = on_closed;
    (void)snprintf(detail, detail_size, "the node could not be started");
    return gcl_node_new(&config, &program->node, detail, detail_size);
}

static int status_of(int error)
{
    return error == GCL_EEXIST || error == GCL_ESYS || error == GCL_ENOMEM ? EX_UNAVAILABLE
                                                                           : EX_USAGE;
}

static int start(struct gcl_program *program)
{
    char cookie[GCL_COOKIE_SIZE] = "", detail[512] = "";
    int error = find_cookie(program, cookie, detail, sizeof detail);
    int status = error == 0 ? EX_OK : EX_USAGE;
    if (error == 0) {
        error = make_node(program, cookie, detail, sizeof detail);
        status = error == 0 ? EX_OK : status_of(error);
    }
    gcl_wipe(cookie, sizeof cookie);
    if (error != 0)
        complain(program, detail);
    return status;
}

static void watch(struct gcl_program *program)
{
    ev_signal_start(program->loop, &program->sigterm);
    ev_signal_start(program->loop, &program->sigint);
    if (program->settings.until_stdin_eof)
        ev_io_start(program->loop, &program->input);
}

static int run(struct gcl_program *program)
{
    program->loop = program->config->loop != NULL ? program->config->loop : ev_default_loop(0);
    if (program->loop == NULL) {
        complain(program, "libev has no event loop");
        return EX_UNAVAILABLE;
    }
    ev_signal_init(&program->sigterm, on_signal, SIGTERM);
    ev_signal_init(&program->sigint, on_signal, SIGINT);
    ev_io_init(&program->input, on_input, STDIN_FILENO, EV_READ);
    program->sigterm.data = program->sigint.data = program->input.data = program;
    program->status = start(program);
    if (program->status == EX_OK) {
        watch(program);
        (void)ev_run(program->loop, 0);
    }
    return program->status;
}

int gcl_program_run(const gcl_program_config *config, int argc, char *const *argv)
{
    struct gcl_program program = {.config = config, .path = argc > 0 ? argv[0] : NULL};
    char detail[512];
    open_standard_streams();
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (config->size != sizeof *config || config->start == NULL) {
        complain(&program, "fill the config with gcl_program_config_init() and set `start`");
        return EX_SOFTWARE;
    }
    if (gcl_program_parse(&program.settings, config->options, config->user, argc, argv, detail,
                          sizeof detail) != 0) {
        complain(&program, detail);
        return EX_USAGE;
    }
    if (program.settings.help) {
        gcl_program_write_help(stdout, program.path, config);
        return EX_OK;
    }
    if (program.settings.version) {
        printf("%s %s\n", gcl_program_name(program.path),
               config->version != NULL ? config->version : "(no version)");
        return EX_OK;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return run(&program);
}

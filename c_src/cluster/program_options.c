/* SPDX-License-Identifier: Apache-2.0 */
/* The options of programs: one table, from which they are read and explained. */
#include "cluster/program.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *set_name(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    if (settings->name != NULL)
        return "expected one name, but there is another";
    if (value[0] == '\0' || value[0] == '@')
        return "expected the name of a node";
    if (strcmp(value, "undefined") == 0 || strncmp(value, "undefined@", 10) == 0)
        return "a C node cannot ask for a dynamic name (undefined): expected one of its own";
    settings->name = value;
    return NULL;
}

/* As erl -sname: other nodes with short names could not reach it. */
static const char *set_short_name(const char *value, void *user)
{
    const char *host = strchr(value, '@');
    if (host != NULL && strpbrk(host, ".:") != NULL)
        return "expected a host without a dot: such names are for --name";
    return set_name(value, user);
}

static const char *set_long_name(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    settings->long_names = true;
    return set_name(value, user);
}

static const char *set_cookie_file(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    if (value[0] == '\0')
        return "expected the path of a file";
    settings->cookie_file = value;
    return NULL;
}

static const char *set_seed(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    const char *at = strchr(value, '@');
    if (at == NULL || at == value || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return "expected the name of a node with its host, as in one@host";
    if (settings->seed_count == GCL_PROGRAM_SEEDS)
        return "expected no more than 64 seeds";
    settings->seeds[settings->seed_count++] = value;
    return NULL;
}

static const char *set_hidden(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    (void)value;
    settings->hidden = true;
    return NULL;
}

static const char *set_visible(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    (void)value;
    settings->hidden = false;
    return NULL;
}

/* Digits only: strtoul() would take a sign and spaces. */
static bool read_number(const char *text, unsigned long min, unsigned long max,
                        unsigned long *number)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *number >= min && *number <= max;
}

static const char *set_port(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    unsigned long number;
    if (!read_number(value, 1, UINT16_MAX, &number))
        return "expected a port, 1 to 65535";
    settings->port = (uint16_t)number;
    return NULL;
}

static const char *set_listen(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    if (value[0] == '\0')
        return "expected a numeric address, or localhost";
    settings->listen_address = value;
    return NULL;
}

static const char *set_net_ticktime(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    unsigned long number;
    if (!read_number(value, 1, 1000000, &number))
        return "expected seconds, 1 to 1000000";
    settings->net_ticktime_s = (unsigned)number;
    return NULL;
}

static const char *set_watchdog(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    unsigned long number;
    if (!read_number(value, 0, 1000000, &number))
        return "expected seconds, 1 to 1000000, or 0";
    settings->has_watchdog = true;
    settings->watchdog_s = (unsigned)number;
    return NULL;
}

static const char *set_log_level(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    for (gcl_log_level level = GCL_LOG_ERROR; level <= GCL_LOG_DEBUG; level++)
        if (strcmp(value, gcl_log_level_name(level)) == 0) {
            settings->log_level = level;
            return NULL;
        }
    return "expected error, warning, notice, info or debug";
}

static const char *set_until_stdin_eof(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    (void)value;
    settings->until_stdin_eof = true;
    return NULL;
}

static const char *set_help(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    (void)value;
    settings->help = true;
    return NULL;
}

static const char *set_version(const char *value, void *user)
{
    gcl_program_settings *settings = user;
    (void)value;
    settings->version = true;
    return NULL;
}

static const gcl_program_option standard[] = {
    {"--name", "NAME@HOST", "name of the node, with a host that has a dot (erl -name)",
     set_long_name},
    {"--sname", "NAME[@HOST]", "name of the node, with a host without one (erl -sname)",
     set_short_name},
    {"--cookie-file", "FILE", "the cookie; else $GCL_COOKIE, else ~/.erlang.cookie",
     set_cookie_file},
    {"--seed", "NODE", "a node to join the cluster through; may be repeated", set_seed},
    {"--hidden", NULL, "be a hidden node: not in nodes(), no part of global", set_hidden},
    {"--visible", NULL, "be a visible node (the default)", set_visible},
    {"--port", "PORT", "listen there, not on any free port", set_port},
    {"--listen", "ADDRESS", "listen on this one only: numeric, or localhost", set_listen},
    {"--net-ticktime", "SECONDS", "of silence until a node is taken for lost (60)",
     set_net_ticktime},
    {"--watchdog", "SECONDS", "that the program may stand still in a cluster (5); 0: for ever",
     set_watchdog},
    {"--log-level", "LEVEL", "error, warning, notice (the default), info or debug", set_log_level},
    {"--until-stdin-eof", NULL, "end when the input ends", set_until_stdin_eof},
    {"--help", NULL, "this text", set_help},
    {"--version", NULL, "the version", set_version},
    {NULL, NULL, NULL, NULL},
};

/* "--name" and "--name=value" are the option "--name". */
static const gcl_program_option *find(const gcl_program_option *options, const char *argument)
{
    size_t size = strcspn(argument, "=");
    for (; options != NULL && options->name != NULL; options++)
        if (strlen(options->name) == size && memcmp(options->name, argument, size) == 0)
            return options;
    return NULL;
}

struct detail {
    char *text;
    size_t size;
};

static int refuse(const struct detail *detail, const char *argument, const char *what)
{
    /* What was typed may be anything; the message stays one line of bounded length. */
    if (detail->text != NULL && detail->size > 0)
        (void)snprintf(detail->text, detail->size, "%.*s: %s", (int)strcspn(argument, "=\n"),
                       argument, what);
    return GCL_EINVAL;
}

/* The value of argv[*at], which may be the next argument; false when there is none. */
static bool take_value(const gcl_program_option *option, int argc, char *const *argv, int *at,
                       const char **value)
{
    const char *inside = strchr(argv[*at], '=');
    *value = NULL;
    if (option->value == NULL)
        return inside == NULL;
    if (inside == NULL && *at + 1 >= argc)
        return false;
    *value = inside != NULL ? inside + 1 : argv[++*at];
    return true;
}

static int set(gcl_program_settings *settings, const gcl_program_option *options, void *user,
               int argc, char *const *argv, int *at, const struct detail *detail)
{
    const char *argument = argv[*at];
    const gcl_program_option *option = find(standard, argument);
    const char *value;
    if (option != NULL)
        user = settings;
    else
        option = find(options, argument);
    if (option == NULL)
        return refuse(detail, argument, "unknown option (--help lists them)");
    if (!take_value(option, argc, argv, at, &value))
        return refuse(detail, argument,
                      option->value != NULL ? "expected a value behind it" : "expected no value");
    const char *wrong = option->set(value, user);
    return wrong == NULL ? 0 : refuse(detail, argument, wrong);
}

int gcl_program_parse(gcl_program_settings *settings, const gcl_program_option *options, void *user,
                      int argc, char *const *argv, char *detail, size_t detail_size)
{
    const struct detail where = {detail, detail_size};
    memset(settings, 0, sizeof *settings);
    settings->size = sizeof *settings;
    for (int i = 1; i < argc && !settings->help && !settings->version; i++) {
        int error = set(settings, options, user, argc, argv, &i, &where);
        if (error != 0)
            return error;
    }
    if (settings->name == NULL && !settings->help && !settings->version)
        return refuse(&where, "--name or --sname", "expected a name for the node");
    return 0;
}

const char *gcl_program_name(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path == NULL)
        return "member";
    return slash != NULL ? slash + 1 : path;
}

static void write_options(FILE *out, const gcl_program_option *options)
{
    char left[64];
    for (; options != NULL && options->name != NULL; options++) {
        (void)snprintf(left, sizeof left, "%s %s", options->name,
                       options->value != NULL ? options->value : "");
        (void)fprintf(out, "  %-24s %s\n", left, options->help != NULL ? options->help : "");
    }
}

void gcl_program_write_help(FILE *out, const char *path, const gcl_program_config *config)
{
    (void)fprintf(out, "Usage: %s --name NAME@HOST | --sname NAME [OPTION]...\n",
                  gcl_program_name(path));
    if (config->summary != NULL)
        (void)fprintf(out, "%s\n", config->summary);
    (void)fprintf(out, "\n");
    write_options(out, config->options);
    write_options(out, standard);
}

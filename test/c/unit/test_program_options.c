/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/program.h"

static gcl_program_settings settings;
static char detail[256];

struct own {
    const char *count;
    bool loud;
};

static const char *set_count(const char *value, void *user)
{
    struct own *own = user;
    own->count = value;
    return strcmp(value, "0") == 0 ? "expected a positive number" : NULL;
}

static const char *set_loud(const char *value, void *user)
{
    struct own *own = user;
    cr_assert_null(value);
    own->loud = true;
    return NULL;
}

static const gcl_program_option own_options[] = {
    {"--count", "N", "how many", set_count},
    {"--loud", NULL, "say more", set_loud},
    {NULL, NULL, NULL, NULL},
};

static int parse_own(struct own *own, int argc, char **argv)
{
    return gcl_program_parse(&settings, own_options, own, argc, argv, detail, sizeof detail);
}

#define ARGS(...) ((char *[]){(char *)"member", __VA_ARGS__, NULL})
#define COUNT(...) ((int)(sizeof ARGS(__VA_ARGS__) / sizeof(char *)) - 1)
#define PARSE(...)                                                                                 \
    gcl_program_parse(&settings, NULL, NULL, COUNT(__VA_ARGS__), ARGS(__VA_ARGS__), detail,        \
                      sizeof detail)

#define assert_refused(text, ...)                                                                  \
    do {                                                                                           \
        cr_assert_eq(PARSE(__VA_ARGS__), GCL_EINVAL);                                              \
        cr_assert_str_eq(detail, text);                                                            \
    } while (0)

Test(program_options, every_option)
{
    cr_assert_eq(PARSE("--name", "three@host.example", "--cookie-file", "/tmp/cookie", "--seed",
                       "one@host.example", "--port", "4711", "--seed", "two@host.example",
                       "--visible", "--net-ticktime", "8", "--listen", "127.0.0.1", "--watchdog",
                       "9", "--log-level", "info", "--until-stdin-eof"),
                 0);
    cr_assert_str_eq(settings.name, "three@host.example");
    cr_assert(settings.long_names);
    cr_assert_str_eq(settings.cookie_file, "/tmp/cookie");
    cr_assert_eq(settings.seed_count, 2);
    cr_assert_str_eq(settings.seeds[0], "one@host.example");
    cr_assert_str_eq(settings.seeds[1], "two@host.example");
    cr_assert_eq(settings.port, 4711);
    cr_assert_eq(settings.net_ticktime_s, 8);
    cr_assert(settings.has_watchdog);
    cr_assert_eq(settings.watchdog_s, 9);
    cr_assert_eq(settings.log_level, GCL_LOG_INFO);
    cr_assert_str_eq(settings.listen_address, "127.0.0.1");
    cr_assert(!settings.hidden);
    cr_assert(settings.until_stdin_eof);
}

Test(program_options, defaults)
{
    cr_assert_eq(PARSE("--sname", "three"), 0);
    cr_assert_str_eq(settings.name, "three");
    cr_assert(!settings.long_names);
    cr_assert_null(settings.cookie_file);
    cr_assert_eq(settings.seed_count, 0);
    cr_assert_eq(settings.port, 0);
    cr_assert_eq(settings.net_ticktime_s, 0);
    cr_assert_not(settings.has_watchdog);
    cr_assert_eq(settings.log_level, 0);
    cr_assert_null(settings.listen_address);
    cr_assert(!settings.hidden);
    cr_assert(!settings.until_stdin_eof);
}

Test(program_options, value_behind_an_equals_sign)
{
    cr_assert_eq(PARSE("--sname=three", "--port=1", "--seed=one@host"), 0);
    cr_assert_str_eq(settings.name, "three");
    cr_assert_eq(settings.port, 1);
    cr_assert_str_eq(settings.seeds[0], "one@host");
}

Test(program_options, last_of_hidden_and_visible_counts)
{
    cr_assert_eq(PARSE("--sname", "three", "--visible", "--hidden"), 0);
    cr_assert(settings.hidden);
    cr_assert_eq(PARSE("--sname", "three", "--hidden", "--visible"), 0);
    cr_assert(!settings.hidden);
}

Test(program_options, one_name)
{
    assert_refused("--name or --sname: expected a name for the node", "--hidden");
    assert_refused("--sname: expected one name, but there is another", "--name", "a@b.c", "--sname",
                   "a");
    assert_refused("--sname: expected the name of a node", "--sname", "");
    assert_refused("--name: expected the name of a node", "--name", "@host");
    assert_refused("--sname: expected a host without a dot: such names are for --name", "--sname",
                   "a@b.c");
    assert_refused("--sname: expected a host without a dot: such names are for --name", "--sname",
                   "a@::1");
}

Test(program_options, bad_values_are_named)
{
    static const char *const ports[] = {"", "0", "65536", "-1", "+1", " 1", "1x", "99999999999999"};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%s", ports[i]);
        assert_refused("--port: expected a port, 1 to 65535", "--sname", "a", "--port", value);
    }
    assert_refused("--net-ticktime: expected seconds, 1 to 1000000", "--net-ticktime", "0");
    assert_refused("--watchdog: expected seconds, 1 to 1000000, or 0", "--watchdog", "1000001");
    assert_refused("--watchdog: expected seconds, 1 to 1000000, or 0", "--watchdog", "never");
    assert_refused("--cookie-file: expected the path of a file", "--cookie-file=");
    static const char *const seeds[] = {"one", "@host", "one@", "one@host@host", ""};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%s", seeds[i]);
        assert_refused("--seed: expected the name of a node with its host, as in one@host",
                       "--seed", value);
    }
}

/* By which erl asks for a dynamic name. */
Test(program_options, undefined_is_no_name)
{
    const char *const why =
        ": a C node cannot ask for a dynamic name (undefined): expected one of its own";
    static const char *const wrong[][2] = {
        {"--sname", "undefined"}, {"--sname", "undefined@host"}, {"--name", "undefined@host.dot"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *option = (char *)(uintptr_t)wrong[i][0], *value = (char *)(uintptr_t)wrong[i][1];
        cr_assert_eq(PARSE(option, value), GCL_EINVAL);
        cr_assert_eq(strncmp(detail, option, strlen(option)), 0);
        cr_assert_str_eq(detail + strlen(option), why);
    }
    cr_assert_eq(PARSE("--sname", "undefined1"), 0);
}

Test(program_options, levels_of_the_log)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(PARSE("--sname", "a", "--log-level", (char *)(uintptr_t)names[i]), 0);
        cr_assert_eq((int)settings.log_level, GCL_LOG_ERROR + i);
    }
    assert_refused("--log-level: expected error, warning, notice, info or debug", "--log-level",
                   "all");
    assert_refused("--log-level: expected error, warning, notice, info or debug", "--log-level",
                   "");
}

Test(program_options, no_watchdog)
{
    cr_assert_eq(PARSE("--sname", "a", "--watchdog", "0"), 0);
    cr_assert(settings.has_watchdog);
    cr_assert_eq(settings.watchdog_s, 0);
}

Test(program_options, values_where_they_belong)
{
    assert_refused("--port: expected a value behind it", "--sname", "a", "--port");
    assert_refused("--hidden: expected no value", "--hidden=yes");
}

Test(program_options, unknown_ones_are_refused_in_one_line)
{
    assert_refused("--nmae: unknown option (--help lists them)", "--nmae", "a@b.c");
    assert_refused("three: unknown option (--help lists them)", "three");
    assert_refused("--a: unknown option (--help lists them)", "--a\nb=c");
    assert_refused("--nam: unknown option (--help lists them)", "--nam=a@b.c");
    assert_refused(": unknown option (--help lists them)", "");
}

Test(program_options, long_arguments_are_cut)
{
    char argument[1000];
    memset(argument, 'x', sizeof argument - 1);
    argument[sizeof argument - 1] = '\0';
    cr_assert_eq(PARSE(argument), GCL_EINVAL);
    cr_assert_eq(strlen(detail), sizeof detail - 1);
    char *argv[] = {(char *)"member", argument, NULL};
    cr_assert_eq(gcl_program_parse(&settings, NULL, NULL, 2, argv, NULL, 0), GCL_EINVAL);
}

Test(program_options, seeds_are_limited)
{
    char *argv[2 * GCL_PROGRAM_SEEDS + 5] = {(char *)"member", (char *)"--sname", (char *)"a"};
    int argc = 3;
    for (int i = 0; i <= GCL_PROGRAM_SEEDS; i++) {
        argv[argc++] = (char *)"--seed";
        argv[argc++] = (char *)"one@host";
        if (i < GCL_PROGRAM_SEEDS)
            cr_assert_eq(gcl_program_parse(&settings, NULL, NULL, argc, argv, NULL, 0), 0);
    }
    cr_assert_eq(settings.seed_count, GCL_PROGRAM_SEEDS);
    cr_assert_eq(gcl_program_parse(&settings, NULL, NULL, argc, argv, detail, sizeof detail),
                 GCL_EINVAL);
    cr_assert_str_eq(detail, "--seed: expected no more than 64 seeds");
}

Test(program_options, help_and_version_need_nothing_else)
{
    cr_assert_eq(PARSE("--help", "--nonsense"), 0);
    cr_assert(settings.help);
    cr_assert_eq(PARSE("--version"), 0);
    cr_assert(settings.version);
}

Test(program_options, own_ones_of_the_program)
{
    struct own own = {0};
    char **argv = ARGS("--sname", "a", "--count", "3", "--loud");
    cr_assert_eq(parse_own(&own, 6, argv), 0);
    cr_assert_str_eq(own.count, "3");
    cr_assert(own.loud);
    cr_assert_eq(parse_own(&own, 5, ARGS("--sname", "a", "--count", "0")), GCL_EINVAL);
    cr_assert_str_eq(detail, "--count: expected a positive number");
}

Test(program_options, help_shows_all)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "Counts.";
    config.options = own_options;
    gcl_program_write_help(out, "/usr/bin/counter", &config);
    cr_assert_eq(fclose(out), 0);
    static const char *const parts[] = {
        "Usage: counter --name",
        "\nCounts.\n",
        "--count N ",
        "--loud ",
        "--name NAME@HOST ",
        "--sname NAME[@HOST] ",
        "--cookie-file FILE ",
        "--seed NODE ",
        "--hidden ",
        "--visible ",
        "--port PORT ",
        "--listen ADDRESS ",
        "--net-ticktime SECONDS ",
        "--watchdog SECONDS ",
        "--log-level LEVEL ",
        "--until-stdin-eof ",
        "--help ",
        "--version ",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_assert_not_null(strstr(text, parts[i]), "%s", parts[i]);
    free(text);
}

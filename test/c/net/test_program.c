/* SPDX-License-Identifier: Apache-2.0 */
/* Programs as a whole, run inside the test: what their callbacks get, and what main() returns. */
#include <criterion/criterion.h>
#include <ev.h>
#include <gen_cluster/program.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "support.h"

struct probe {
    unsigned configured, started, logged;
    int status;      /* to end with; negative: what start returns */
    const char *own; /* the option of the program's own */
    gcl_test_memory mem;
    gcl_program *program;
};

static char name[64];

static void take_log(gcl_log_level level, const char *event, const char *text, void *user)
{
    struct probe *probe = gcl_program_user(user);
    (void)level;
    (void)event;
    (void)text;
    probe->logged++;
}

static void configure(gcl_program *program, gcl_node_config *config, void *user)
{
    struct probe *probe = user;
    cr_assert_eq(gcl_program_user(program), user);
    cr_assert_str_eq(config->name, name);
    cr_assert_eq(config->net_ticktime_s, 8);
    cr_assert_eq(config->watchdog_ms, 9000);
    cr_assert_str_eq(config->cookie, "secret");
    config->allocator = &probe->mem.allocator;
    config->epmd_port = 1; /* nobody listens there, which is logged */
    config->hidden = true; /* it is ready nevertheless */
    config->log = take_log;
    config->user = NULL; /* which is the program's */
    probe->configured++;
}

static int start(gcl_program *program, gcl_node *node, void *user)
{
    struct probe *probe = user;
    cr_assert_str_eq(gcl_node_name(node), name);
    cr_assert_eq(gcl_node_user(node), program);
    cr_assert_str_eq(gcl_program_options(program)->seeds[0], "one@localhost");
    probe->program = program;
    probe->started++;
    if (probe->status < 0)
        return probe->status;
    gcl_program_exit(program, probe->status);
    gcl_program_exit(program, probe->status + 1);
    return 0;
}

static const char *set_own(const char *value, void *user)
{
    struct probe *probe = user;
    probe->own = value;
    return NULL;
}

static const gcl_program_option own_options[] = {
    {"--own", "TEXT", "of the program's own", set_own},
    {NULL, NULL, NULL, NULL},
};

static gcl_program_config begin(struct probe *probe)
{
    gcl_program_config config;
    *probe = (struct probe){0};
    (void)gcl_test_begin(&probe->mem);
    (void)snprintf(name, sizeof name, "program%ld@localhost", (long)getpid());
    cr_assert_eq(setenv("GCL_COOKIE", "secret", 1), 0);
    gcl_program_config_init(&config);
    config.options = own_options;
    config.configure = configure;
    config.start = start;
    config.user = probe;
    return config;
}

static int run(const gcl_program_config *config)
{
    static const char *const argv[] = {
        "program", "--sname",    name, "--seed", "one@localhost", "--own", "text", "--net-ticktime",
        "8",       "--watchdog", "9",  NULL};
    return gcl_program_run(config, 11, (char *const *)(uintptr_t)argv);
}

/* The first call of gcl_program_exit() says which. */
Test(program, status_is_that_of_the_program)
{
    struct probe probe;
    gcl_program_config config = begin(&probe);
    probe.status = 7;
    cr_assert_eq(run(&config), 7);
    cr_assert_eq(probe.configured, 1);
    cr_assert_eq(probe.started, 1);
    cr_assert_gt(probe.logged, 0);
    cr_assert_str_eq(probe.own, "text");
    gcl_test_end(&probe.mem);
}

Test(program, start_that_fails_ends_it)
{
    struct probe probe;
    gcl_program_config config = begin(&probe);
    probe.status = GCL_EEXIST;
    cr_assert_eq(run(&config), EX_SOFTWARE);
    gcl_test_end(&probe.mem);
}

static void count(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    *(unsigned *)timer->data += 1;
}

/* The loop may have watchers of the program's own, is not ended by it, and can be used again. */
Test(program, runs_in_a_loop_of_its_own_and_again)
{
    struct probe probe;
    gcl_program_config config = begin(&probe);
    unsigned timers = 0;
    ev_timer timer;
    config.loop = ev_loop_new(EVFLAG_AUTO);
    ev_timer_init(&timer, count, 0., 3600.);
    timer.data = &timers;
    ev_timer_start(config.loop, &timer);
    cr_assert_eq(run(&config), EX_OK);
    cr_assert_eq(timers, 1);
    ev_timer_stop(config.loop, &timer);
    cr_assert_eq(ev_pending_count(config.loop), 0);
    cr_assert_not(ev_run(config.loop, EVRUN_NOWAIT), "watchers are left");
    cr_assert_eq(run(&config), EX_OK);
    cr_assert_eq(probe.started, 2);
    ev_loop_destroy(config.loop);
    gcl_test_end(&probe.mem);
}

/* After the end they do again what they do by default. */
Test(program, gives_its_signals_back)
{
    struct probe probe;
    struct sigaction action;
    gcl_program_config config = begin(&probe);
    cr_assert_eq(run(&config), EX_OK);
    cr_assert_eq(sigaction(SIGTERM, NULL, &action), 0);
    cr_assert_eq(action.sa_handler, SIG_DFL);
    cr_assert_eq(sigaction(SIGPIPE, NULL, &action), 0);
    cr_assert_eq(action.sa_handler, SIG_IGN);
    gcl_test_end(&probe.mem);
}

Test(program, config_is_checked)
{
    struct probe probe;
    gcl_program_config config = begin(&probe);
    config.start = NULL;
    cr_assert_eq(run(&config), EX_SOFTWARE);
    config = begin(&probe);
    config.size = 1;
    cr_assert_eq(run(&config), EX_SOFTWARE);
    cr_assert_eq(probe.configured, 0);
    gcl_test_end(&probe.mem);
}

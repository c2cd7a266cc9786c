/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The main() of a C member: the options that all of them take, one node, and an orderly end.
 *
 *     static int start(gcl_program *program, gcl_node *node, void *user)
 *     {
 *         gcl_server_config config;
 *         gcl_server_config_init(&config);
 *         config.handlers = &handlers;
 *         config.name = "counter";
 *         config.user = user;
 *         return gcl_server_start(node, &config, NULL);
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct counter counter = {0};
 *         gcl_program_config config;
 *         gcl_program_config_init(&config);
 *         config.start = start;
 *         config.user = &counter;
 *         return gcl_program_run(&config, argc, argv);
 *     }
 *
 * Such a program can stand below a supervisor, see gen_cluster_cnode: it says `ready NODE PORT`
 * when its node is ready, that is when others find it (`on_ready` in node.h), and, with
 * --until-stdin-eof, ends with whoever holds the other end of its input. A program with an event
 * loop and options of its own needs nothing of this; node.h is enough.
 */
#ifndef GEN_CLUSTER_PROGRAM_H
#define GEN_CLUSTER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/error.h>
#include <gen_cluster/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/** So many times --seed may be given. One that answers is enough to find all members. */
#define GCL_PROGRAM_SEEDS 64

typedef struct gcl_program gcl_program;

/**
 * An option of the program's own, in an array that is closed by a zeroed one. `set` gets `user` of
 * the config and the value, borrowed for the life of the process; NULL for an option that takes
 * none. It returns NULL, or what it had expected ("expected a positive number").
 */
typedef struct gcl_program_option {
    const char *name;  /**< "--count" */
    const char *value; /**< what --help calls its value: "N"; NULL: it takes none */
    const char *help;  /**< for --help, one line */
    const char *(*set)(const char *value, void *user);
} gcl_program_option;

/** What a command line says. Strings are borrowed from it. */
typedef struct gcl_program_settings {
    size_t size;
    const char *name;        /**< of --name or --sname */
    bool long_names;         /**< --name */
    const char *cookie_file; /**< NULL: not given */
    const char *seeds[GCL_PROGRAM_SEEDS];
    size_t seed_count;
    bool hidden;                /**< --hidden */
    uint16_t port;              /**< 0: not given */
    const char *listen_address; /**< NULL: not given */
    unsigned net_ticktime_s;    /**< 0: not given */
    bool has_watchdog;          /**< --watchdog was given */
    unsigned watchdog_s;        /**< its value; 0: none */
    bool until_stdin_eof;
    bool help;               /**< --help: nothing after it was looked at */
    bool version;            /**< --version: the same */
    gcl_log_level log_level; /**< 0: not given */
} gcl_program_settings;

/**
 * What a program is made of. Fill it with gcl_program_config_init() and set at least `start`. It is
 * borrowed, with what it points to, until gcl_program_run() returns.
 */
typedef struct gcl_program_config {
    size_t size;                       /**< set by gcl_program_config_init() */
    const char *summary;               /**< for --help, one line: what the program does */
    const char *version;               /**< for --version */
    const gcl_program_option *options; /**< its own; NULL: none */
    struct ev_loop *loop;              /**< NULL: libev's default loop */

    /**
     * May change what the options made of the node's config; NULL: nothing is changed. `loop`,
     * `user`, `on_ready` and `on_closed` are the program's; the other functions get the gcl_program
     * as their `user`.
     */
    void (*configure)(gcl_program *program, gcl_node_config *config, void *user);

    /**
     * Starts the servers, once, when the node is ready; `ready` is printed after it. 0, or an
     * error, which ends the program. Required.
     */
    int (*start)(gcl_program *program, gcl_node *node, void *user);

    void *user;
} gcl_program_config;

/** Sets `config` to the defaults. */
GCL_API void gcl_program_config_init(gcl_program_config *config);

/**
 * Reads a command line; changes nothing but `settings` and what the `set` of `options` (may be
 * NULL) changes. `--option VALUE` and `--option=VALUE` are the same. GCL_EINVAL: `detail` (may be
 * NULL; `detail_size` bytes) gets one line that says which option is wrong, and what was expected.
 */
GCL_API int gcl_program_parse(gcl_program_settings *settings, const gcl_program_option *options,
                              void *user, int argc, char *const *argv, char *detail,
                              size_t detail_size) GCL_MUST_USE;

/**
 * All of a program: reads the command line, makes the node, runs the loop, and returns the status
 * that main() is to return:
 *
 *     0    it was told to end, by SIGTERM, SIGINT, the end of its input or gcl_node_close();
 *          or --help or --version was all it was to do
 *     64   the options are wrong, or there is no cookie: one line on stderr says what
 *     69   the node could not be started: its port is taken, epmd knows another node of its name,
 *          or there is no memory
 *     70   the node had to close, or `start` failed
 *     N    of gcl_program_exit()
 *
 * The cookie is that of --cookie-file, else of the variable GCL_COOKIE, else of gcl_cookie_read()'s
 * default file; it is wiped from memory that is not needed.
 *
 * What it changes in the process: stdout is buffered by lines; standard streams that are closed are
 * opened on /dev/null; SIGPIPE is ignored, for an output that nobody reads any more is no reason to
 * end without a word to the cluster; SIGTERM and SIGINT close the node, and a second one ends the
 * process at once. Its input is read only with --until-stdin-eof. Call it once, in the thread that
 * is to run the loop.
 */
GCL_API int gcl_program_run(const gcl_program_config *config, int argc, char *const *argv);

/** Closes the node; gcl_program_run() then returns `status`. The first call counts. */
GCL_API void gcl_program_exit(gcl_program *program, int status);

/** The options as given; until gcl_program_run() returns. */
GCL_API const gcl_program_settings *gcl_program_options(const gcl_program *program);

/** The `user` of the config. */
GCL_API void *gcl_program_user(const gcl_program *program);

#ifdef __cplusplus
}
#endif

#endif

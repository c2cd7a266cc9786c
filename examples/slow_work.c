/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server whose work takes long, but never the node's time: the call {work, Milliseconds} is done
 * by a thread of a small pool and answered when that is through; {ohai} and pings are answered at
 * once meanwhile.
 *
 *     1> gen_server:call({slow_work, slow@localhost}, {work, 2000}).
 */
#include <gen_cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct job {
    gcl_caller caller;
    int64_t milliseconds;
};

/* On another thread: nothing of the node may be used here. */
static void work(void *user)
{
    const struct job *job = user;
    struct timespec left = {job->milliseconds / 1000, job->milliseconds % 1000 * 1000000};
    (void)nanosleep(&left, NULL);
}

/* On the loop again. The caller may be gone by now, then the answer goes nowhere. */
static void done(gcl_node *node, bool canceled, void *user)
{
    struct job *job = user;
    printf("%s: worked %lld ms\n", gcl_node_name(node), (long long)job->milliseconds);
    if (!canceled)
        (void)gcl_reply_later(node, job->caller, "{worked, ~i}", job->milliseconds);
    free(job);
}

static int begin(gcl_server *self, const gcl_from *from, int64_t milliseconds)
{
    struct job *job = malloc(sizeof *job);
    if (job == NULL)
        return GCL_ENOMEM;
    job->milliseconds = milliseconds;
    int error = gcl_from_keep(from, &job->caller);
    if (error == 0)
        error = gcl_work(gcl_server_node(self), work, done, job);
    if (error != 0)
        free(job);
    return error;
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    int64_t milliseconds;
    int error = 0;
    (void)user;
    if (gcl_match(request, "{work, ~i}", &milliseconds) && milliseconds >= 0)
        error = begin(self, from, milliseconds);
    else if (gcl_match(request, "{ohai}"))
        gcl_reply(self, from, "hello");
    else
        gcl_reply(self, from, "{error, unknown_request}");
    if (error != 0)
        gcl_reply(self, from, "{error, ~b}", gcl_strerror(error));
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {.size = sizeof handlers, .handle_call = handle_call};

static int start(gcl_program *program, gcl_node *node, void *user)
{
    gcl_server_config config;
    (void)program;
    (void)user;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = "slow_work";
    return gcl_server_start(node, &config, NULL);
}

int main(int argc, char **argv)
{
    gcl_program_config config;
    gcl_program_config_init(&config);
    config.summary = "Works without keeping its node from anything else.";
    config.version = "1.0";
    config.start = start;
    return gcl_program_run(&config, argc, argv);
}

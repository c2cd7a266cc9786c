/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight threads post to a node, and work is done for it, while it closes. Every post that was taken
 * is called exactly once, on the loop thread; every one after the close is refused. A plain
 * program, because Criterion does not run under ThreadSanitizer.
 */
#include <ev.h>
#include <gen_cluster/node.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, POSTS_BEFORE_CLOSE = 20000, WORKS = 16 };

static atomic_ulong taken;
static atomic_int refused;
static unsigned long called; /* on the loop thread only */
static unsigned long called_without_node;
static int works_done;
static gcl_node *node;
static bool closed;

static void posted(gcl_node *where, void *argument)
{
    (void)argument;
    called++;
    called_without_node += where == NULL;
    if (called == POSTS_BEFORE_CLOSE)
        gcl_node_close(where);
}

static void *post_until_closed(void *argument)
{
    gcl_poster *poster = argument;
    for (;;) {
        int error = gcl_post(poster, posted, NULL);
        if (error == 0)
            atomic_fetch_add(&taken, 1);
        else if (error == GCL_ECLOSED)
            break;
    }
    atomic_fetch_add(&refused, 1);
    gcl_poster_release(poster);
    return NULL;
}

static void work(void *user)
{
    ++*(int *)user;
}

static void work_done(gcl_node *where, bool canceled, void *user)
{
    if (where == NULL || canceled != (*(int *)user == 0))
        abort();
    works_done++;
}

static void on_closed(gcl_node *where, int error, void *user)
{
    (void)where;
    (void)user;
    closed = error == 0;
}

int main(void)
{
    static int results[WORKS];
    pthread_t threads[THREADS];
    gcl_node_config config;
    char detail[256];
    gcl_node_config_init(&config);
    config.loop = ev_default_loop(0);
    config.name = "tsan@127.0.0.1";
    config.cookie = "cookie";
    config.hidden = config.no_listener = true;
    config.on_closed = on_closed;
    if (gcl_node_new(&config, &node, detail, sizeof detail) != 0) {
        (void)fprintf(stderr, "%s\n", detail);
        return 1;
    }
    for (int i = 0; i < WORKS; i++)
        if (gcl_work(node, work, work_done, &results[i]) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, post_until_closed, gcl_node_poster(node)) != 0)
            return 1;
    ev_run(config.loop, 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    printf("%lu taken, %lu called, %lu of them at the close\n", atomic_load(&taken), called,
           called_without_node);
    return closed && called == atomic_load(&taken) && atomic_load(&refused) == THREADS &&
                   works_done == WORKS
               ? 0
               : 1;
}

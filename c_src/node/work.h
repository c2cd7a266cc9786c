/* SPDX-License-Identifier: Apache-2.0 */
/**
 * gcl_work(): a small pool of threads for what would block the loop. Threads start when there is
 * work, up to a limit, and end with the pool. They see nothing but the pool's own struct; outcomes
 * are handed to the loop thread in a list of their own, so that no outcome can be refused.
 */
#ifndef GCL_NODE_WORK_H
#define GCL_NODE_WORK_H

#include <gen_cluster/node.h>

struct gcl_work_pool;

struct gcl_work_config {
    unsigned max_threads;
    unsigned max_waiting;
    void (*wake)(void *argument); /* called from any thread under the pool's lock */
    void *argument;
};

/** NULL: no memory. */
struct gcl_work_pool *gcl_work_pool_new(const struct gcl_work_config *config);

/** As gcl_work(). */
int gcl_work_pool_add(struct gcl_work_pool *pool, void (*work)(void *user),
                      void (*done)(gcl_node *node, bool canceled, void *user), void *user);

/** Loop thread: calls up to `most` `done`s. True when more wait. */
bool gcl_work_pool_run(struct gcl_work_pool *pool, gcl_node *node, size_t most);

/** Nothing waits, runs, or has a `done` to be called. */
bool gcl_work_pool_is_idle(struct gcl_work_pool *pool);

/** Work that has not begun becomes canceled; gcl_work_pool_run() then calls its `done`. */
void gcl_work_pool_cancel(struct gcl_work_pool *pool);

/** Of an idle pool: its threads end and the last one frees it. `wake` is not called any more. */
void gcl_work_pool_free(struct gcl_work_pool *pool);

#endif

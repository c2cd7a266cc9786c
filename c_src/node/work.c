/* SPDX-License-Identifier: Apache-2.0 */
#include "node/work.h"

#include <pthread.h>
#include <stdlib.h>

#include "net/thread.h"

struct item {
    struct item *next;
    void (*work)(void *user);
    void (*done)(gcl_node *node, bool canceled, void *user);
    void *user;
    bool canceled;
};

struct items {
    struct item *first;
    struct item **last;
    unsigned count;
};

/* malloc() serves here: the node's allocator belongs to the loop thread. */
struct gcl_work_pool {
    struct gcl_work_config config;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct items waiting;
    struct items finished;
    unsigned running;
    unsigned idle_threads;
    unsigned threads;
    bool closed;
    bool is_freed; /* by its owner: the last thread to end destroys it */
};

static void items_init(struct items *items)
{
    items->first = NULL;
    items->last = &items->first;
    items->count = 0;
}

static void items_add(struct items *items, struct item *item)
{
    item->next = NULL;
    *items->last = item;
    items->last = &item->next;
    items->count++;
}

static struct item *items_take(struct items *items)
{
    struct item *item = items->first;
    if (item == NULL)
        return NULL;
    items->first = item->next;
    if (items->first == NULL)
        items->last = &items->first;
    items->count--;
    return item;
}

struct gcl_work_pool *gcl_work_pool_new(const struct gcl_work_config *config)
{
    struct gcl_work_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->config = *config;
    items_init(&pool->waiting);
    items_init(&pool->finished);
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return NULL;
    }
    if (pthread_cond_init(&pool->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&pool->lock);
        free(pool);
        return NULL;
    }
    return pool;
}

static void destroy(struct gcl_work_pool *pool)
{
    (void)pthread_cond_destroy(&pool->changed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Called and left with the lock held. */
static void run_one(struct gcl_work_pool *pool, struct item *item)
{
    pool->running++;
    (void)pthread_mutex_unlock(&pool->lock);
    item->work(item->user);
    (void)pthread_mutex_lock(&pool->lock);
    pool->running--;
    items_add(&pool->finished, item);
    pool->config.wake(pool->config.argument);
}

static void *thread_main(void *argument)
{
    struct gcl_work_pool *pool = argument;
    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct item *item = items_take(&pool->waiting);
        if (item != NULL) {
            run_one(pool, item);
            continue;
        }
        if (pool->closed)
            break;
        pool->idle_threads++;
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
        pool->idle_threads--;
    }
    bool last = --pool->threads == 0 && pool->is_freed;
    (void)pthread_mutex_unlock(&pool->lock);
    if (last)
        destroy(pool);
    return NULL;
}

static int start_thread(struct gcl_work_pool *pool)
{
    if (!gcl_thread_start(thread_main, pool))
        return GCL_ESYS;
    pool->threads++;
    return 0;
}

static int add_locked(struct gcl_work_pool *pool, struct item *item)
{
    if (pool->closed)
        return GCL_ECLOSED;
    if (pool->waiting.count >= pool->config.max_waiting)
        return GCL_EBUSY;
    if (pool->idle_threads <= pool->waiting.count && pool->threads < pool->config.max_threads) {
        int error = start_thread(pool);
        if (error != 0 && pool->threads == 0)
            return error;
    }
    items_add(&pool->waiting, item);
    (void)pthread_cond_signal(&pool->changed);
    return 0;
}

int gcl_work_pool_add(struct gcl_work_pool *pool, void (*work)(void *user),
                      void (*done)(gcl_node *node, bool canceled, void *user), void *user)
{
    struct item *item = malloc(sizeof *item);
    if (item == NULL)
        return GCL_ENOMEM;
    *item = (struct item){NULL, work, done, user, false};
    (void)pthread_mutex_lock(&pool->lock);
    int error = add_locked(pool, item);
    (void)pthread_mutex_unlock(&pool->lock);
    if (error != 0)
        free(item);
    return error;
}

bool gcl_work_pool_run(struct gcl_work_pool *pool, gcl_node *node, size_t most)
{
    while (most-- > 0) {
        (void)pthread_mutex_lock(&pool->lock);
        struct item *item = items_take(&pool->finished);
        (void)pthread_mutex_unlock(&pool->lock);
        if (item == NULL)
            return false;
        struct item ended = *item;
        free(item);
        ended.done(node, ended.canceled, ended.user);
    }
    return true;
}

bool gcl_work_pool_is_idle(struct gcl_work_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    bool idle = pool->running == 0 && pool->waiting.count == 0 && pool->finished.count == 0;
    (void)pthread_mutex_unlock(&pool->lock);
    return idle;
}

void gcl_work_pool_cancel(struct gcl_work_pool *pool)
{
    struct item *item;
    (void)pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    while ((item = items_take(&pool->waiting)) != NULL) {
        item->canceled = true;
        items_add(&pool->finished, item);
    }
    pool->config.wake(pool->config.argument);
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
}

void gcl_work_pool_free(struct gcl_work_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool->is_freed = true;
    bool last = pool->threads == 0;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
    if (last)
        destroy(pool);
}

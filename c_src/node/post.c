/* SPDX-License-Identifier: Apache-2.0 */
#include "node/post.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * The node's allocator belongs to the loop thread, so what other threads touch comes from malloc().
 */
struct post {
    struct post *next;
    void (*function)(gcl_node *node, void *argument);
    void *argument;
};

struct gcl_poster {
    pthread_mutex_t lock;
    size_t references;
    struct post *first;
    struct post **last; /* where the next one is hung */
    uint32_t count;
    uint32_t max_posts;
    bool closed;
    void (*wake)(void *argument);
    void *argument;
};

gcl_poster *gcl_poster_new(uint32_t max_posts, void (*wake)(void *argument), void *argument)
{
    gcl_poster *poster = calloc(1, sizeof *poster);
    if (poster == NULL)
        return NULL;
    if (pthread_mutex_init(&poster->lock, NULL) != 0) {
        free(poster);
        return NULL;
    }
    poster->references = 1;
    poster->last = &poster->first;
    poster->max_posts = max_posts;
    poster->wake = wake;
    poster->argument = argument;
    return poster;
}

void gcl_poster_hold(gcl_poster *poster)
{
    (void)pthread_mutex_lock(&poster->lock);
    poster->references++;
    (void)pthread_mutex_unlock(&poster->lock);
}

void gcl_poster_release(gcl_poster *poster)
{
    (void)pthread_mutex_lock(&poster->lock);
    bool last = --poster->references == 0;
    (void)pthread_mutex_unlock(&poster->lock);
    if (!last)
        return;
    /* The node holds one reference until it has closed the poster, so nothing waits here. */
    (void)pthread_mutex_destroy(&poster->lock);
    free(poster);
}

static int add(gcl_poster *poster, struct post *post)
{
    if (poster->closed)
        return GCL_ECLOSED;
    if (poster->count >= poster->max_posts)
        return GCL_EBUSY;
    *poster->last = post;
    poster->last = &post->next;
    poster->count++;
    /* Under the lock, because gcl_poster_close() ends the life of what `wake` touches. */
    poster->wake(poster->argument);
    return 0;
}

int gcl_post(gcl_poster *poster, void (*function)(gcl_node *node, void *argument), void *argument)
{
    struct post *post = malloc(sizeof *post);
    if (post == NULL)
        return GCL_ENOMEM;
    *post = (struct post){NULL, function, argument};
    (void)pthread_mutex_lock(&poster->lock);
    int error = add(poster, post);
    (void)pthread_mutex_unlock(&poster->lock);
    if (error != 0)
        free(post);
    return error;
}

static struct post *take(gcl_poster *poster)
{
    (void)pthread_mutex_lock(&poster->lock);
    struct post *post = poster->first;
    if (post != NULL) {
        poster->first = post->next;
        if (poster->first == NULL)
            poster->last = &poster->first;
        poster->count--;
    }
    (void)pthread_mutex_unlock(&poster->lock);
    return post;
}

bool gcl_poster_run(gcl_poster *poster, gcl_node *node, size_t most)
{
    while (most-- > 0) {
        struct post *post = take(poster);
        if (post == NULL)
            return false;
        struct post called = *post;
        free(post);
        called.function(node, called.argument);
    }
    return true;
}

void gcl_poster_close(gcl_poster *poster)
{
    (void)pthread_mutex_lock(&poster->lock);
    poster->closed = true;
    (void)pthread_mutex_unlock(&poster->lock);
    while (gcl_poster_run(poster, NULL, SIZE_MAX))
        continue;
}

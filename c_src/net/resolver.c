/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "net/thread.h"

enum { HOST_BYTES = 256 };

/* malloc() serves here: the node's allocator belongs to the loop thread. */
struct lookup {
    struct lookup *next;
    struct gcl_resolver *resolver;
    void *user; /* NULL: cancelled */
    bool is_over;
    bool is_found;
    struct gcl_address address;
    char host[HOST_BYTES];
};

struct gcl_resolver {
    struct gcl_resolver_config config;
    pthread_mutex_t lock;
    struct lookup *lookups; /* under way, or over and not handed out */
    unsigned running;
    bool closed;
};

static bool resolve_by_system(const char *host, struct gcl_address *address)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0 || found == NULL)
        return false;
    bool fits = found->ai_addrlen <= sizeof address->socket;
    memset(address, 0, sizeof *address);
    if (fits) {
        address->size = found->ai_addrlen;
        memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    }
    freeaddrinfo(found);
    return fits;
}

struct gcl_resolver *gcl_resolver_new(const struct gcl_resolver_config *config)
{
    struct gcl_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return NULL;
    resolver->config = *config;
    if (resolver->config.resolve == NULL)
        resolver->config.resolve = resolve_by_system;
    if (pthread_mutex_init(&resolver->lock, NULL) != 0) {
        free(resolver);
        return NULL;
    }
    return resolver;
}

static void destroy(struct gcl_resolver *resolver)
{
    while (resolver->lookups != NULL) {
        struct lookup *lookup = resolver->lookups;
        resolver->lookups = lookup->next;
        free(lookup);
    }
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void *thread_main(void *argument)
{
    struct lookup *lookup = argument;
    struct gcl_resolver *resolver = lookup->resolver;
    struct gcl_address address;
    bool found = resolver->config.resolve(lookup->host, &address);
    (void)pthread_mutex_lock(&resolver->lock);
    lookup->is_over = true;
    lookup->is_found = found;
    if (found)
        lookup->address = address;
    resolver->running--;
    bool last = resolver->closed && resolver->running == 0;
    if (!resolver->closed)
        resolver->config.wake(resolver->config.argument);
    (void)pthread_mutex_unlock(&resolver->lock);
    if (last)
        destroy(resolver);
    return NULL;
}

static int start_locked(struct gcl_resolver *resolver, struct lookup *lookup)
{
    if (resolver->running >= resolver->config.max_lookups)
        return GCL_EBUSY;
    if (!gcl_thread_start(thread_main, lookup))
        return GCL_ESYS;
    resolver->running++;
    lookup->next = resolver->lookups;
    resolver->lookups = lookup;
    return 0;
}

int gcl_resolver_start(struct gcl_resolver *resolver, const char *host, void *user)
{
    if (strlen(host) >= HOST_BYTES)
        return GCL_ENAME;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return GCL_ENOMEM;
    lookup->resolver = resolver;
    lookup->user = user;
    memcpy(lookup->host, host, strlen(host) + 1);
    (void)pthread_mutex_lock(&resolver->lock);
    int error = start_locked(resolver, lookup);
    (void)pthread_mutex_unlock(&resolver->lock);
    if (error != 0)
        free(lookup);
    return error;
}

void gcl_resolver_cancel(struct gcl_resolver *resolver, const void *user)
{
    (void)pthread_mutex_lock(&resolver->lock);
    for (struct lookup *lookup = resolver->lookups; lookup != NULL; lookup = lookup->next)
        if (lookup->user == user)
            lookup->user = NULL;
    (void)pthread_mutex_unlock(&resolver->lock);
}

static struct lookup *take_one_that_is_over(struct gcl_resolver *resolver)
{
    struct lookup *taken = NULL;
    (void)pthread_mutex_lock(&resolver->lock);
    for (struct lookup **at = &resolver->lookups; *at != NULL; at = &(*at)->next) {
        if ((*at)->is_over) {
            taken = *at;
            *at = taken->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&resolver->lock);
    return taken;
}

void gcl_resolver_run(struct gcl_resolver *resolver,
                      void (*outcome)(void *user, const struct gcl_address *address))
{
    struct lookup *lookup;
    while ((lookup = take_one_that_is_over(resolver)) != NULL) {
        if (lookup->user != NULL)
            outcome(lookup->user, lookup->is_found ? &lookup->address : NULL);
        free(lookup);
    }
}

void gcl_resolver_close(struct gcl_resolver *resolver)
{
    (void)pthread_mutex_lock(&resolver->lock);
    resolver->closed = true;
    bool last = resolver->running == 0;
    (void)pthread_mutex_unlock(&resolver->lock);
    if (last)
        destroy(resolver);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <gen_cluster/error.h>

#include "net/platform.h"

enum { FIRST_CAPACITY = 16 };

/* Free slots are a list in the table itself: -2 stands for the end, -3 for slot 0, and so on. */
static int link_to(int slot)
{
    return -3 - slot;
}

static bool is_free(int entry)
{
    return entry < 0;
}

bool gcl_guard_init(struct gcl_guard *guard, const gcl_allocator *mem)
{
    *guard = (struct gcl_guard){.mem = mem, .free = GCL_GUARD_NONE};
    return pthread_mutex_init(&guard->lock, NULL) == 0;
}

/*
 * Only the loop thread changes the table, so it reads it without the lock. Under the lock it does
 * nothing that could keep the other thread waiting: it calls neither the allocator, which is the
 * program's, nor the system.
 */
static int grow(struct gcl_guard *guard)
{
    size_t capacity = guard->capacity == 0 ? FIRST_CAPACITY : 2 * guard->capacity;
    if (capacity > INT_MAX / 2)
        return GCL_ENOMEM;
    int *before = guard->fds;
    int *fds = gcl_alloc(guard->mem, capacity * sizeof *fds);
    if (fds == NULL)
        return GCL_ENOMEM;
    if (before != NULL)
        memcpy(fds, before, guard->capacity * sizeof *fds);
    for (size_t slot = capacity; slot-- > guard->capacity;) {
        fds[slot] = link_to(guard->free);
        guard->free = (int)slot;
    }
    (void)pthread_mutex_lock(&guard->lock);
    guard->fds = fds;
    guard->capacity = capacity;
    (void)pthread_mutex_unlock(&guard->lock);
    gcl_free(guard->mem, before);
    return 0;
}

static int take_slot(struct gcl_guard *guard, int fd)
{
    int slot = guard->free;
    guard->free = link_to(guard->fds[slot]);
    (void)pthread_mutex_lock(&guard->lock);
    guard->fds[slot] = fd;
    bool is_cut = guard->is_cut;
    (void)pthread_mutex_unlock(&guard->lock);
    /* The cut was before it. */
    if (is_cut)
        gcl_socket_shutdown(fd);
    return slot;
}

int gcl_guard_add(struct gcl_guard *guard, int fd, int *slot)
{
    *slot = GCL_GUARD_NONE;
    if (guard == NULL)
        return 0;
    int error = guard->free == GCL_GUARD_NONE ? grow(guard) : 0;
    if (error != 0)
        return error;
    int duplicate = gcl_socket_duplicate(fd);
    if (duplicate < 0)
        return GCL_ESYS;
    *slot = take_slot(guard, duplicate);
    return 0;
}

void gcl_guard_remove(struct gcl_guard *guard, int *slot)
{
    if (guard == NULL || *slot == GCL_GUARD_NONE)
        return;
    int duplicate = guard->fds[*slot];
    (void)pthread_mutex_lock(&guard->lock);
    guard->fds[*slot] = link_to(guard->free);
    (void)pthread_mutex_unlock(&guard->lock);
    (void)close(duplicate);
    guard->free = *slot;
    *slot = GCL_GUARD_NONE;
}

size_t gcl_guard_cut(struct gcl_guard *guard)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&guard->lock);
    guard->is_cut = true;
    for (size_t slot = 0; slot < guard->capacity; slot++) {
        if (is_free(guard->fds[slot]))
            continue;
        gcl_socket_shutdown(guard->fds[slot]);
        count++;
    }
    (void)pthread_mutex_unlock(&guard->lock);
    return count;
}

void gcl_guard_mend(struct gcl_guard *guard)
{
    (void)pthread_mutex_lock(&guard->lock);
    guard->is_cut = false;
    (void)pthread_mutex_unlock(&guard->lock);
}

void gcl_guard_clear(struct gcl_guard *guard)
{
    int *fds = guard->fds;
    size_t capacity = guard->capacity;
    (void)pthread_mutex_lock(&guard->lock);
    guard->fds = NULL;
    guard->capacity = 0;
    (void)pthread_mutex_unlock(&guard->lock);
    guard->free = GCL_GUARD_NONE;
    for (size_t slot = 0; slot < capacity; slot++)
        if (!is_free(fds[slot]))
            (void)close(fds[slot]);
    gcl_free(guard->mem, fds);
}

void gcl_guard_fini(struct gcl_guard *guard)
{
    (void)pthread_mutex_destroy(&guard->lock);
}

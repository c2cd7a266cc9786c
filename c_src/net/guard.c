/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <limits.h>
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

static int grow(struct gcl_guard *guard)
{
    size_t capacity = guard->capacity == 0 ? FIRST_CAPACITY : 2 * guard->capacity;
    if (capacity > INT_MAX / 2)
        return GCL_ENOMEM;
    int *fds = gcl_resize(guard->mem, guard->fds, capacity * sizeof *fds);
    if (fds == NULL)
        return GCL_ENOMEM;
    for (size_t slot = capacity; slot-- > guard->capacity;) {
        fds[slot] = link_to(guard->free);
        guard->free = (int)slot;
    }
    guard->fds = fds;
    guard->capacity = capacity;
    return 0;
}

static int add_locked(struct gcl_guard *guard, int fd, int *slot)
{
    int error = guard->free == GCL_GUARD_NONE ? grow(guard) : 0;
    if (error != 0)
        return error;
    int duplicate = gcl_socket_duplicate(fd);
    if (duplicate < 0)
        return GCL_ESYS;
    *slot = guard->free;
    guard->free = link_to(guard->fds[*slot]);
    guard->fds[*slot] = duplicate;
    if (guard->is_cut)
        gcl_socket_shutdown(duplicate);
    return 0;
}

int gcl_guard_add(struct gcl_guard *guard, int fd, int *slot)
{
    *slot = GCL_GUARD_NONE;
    if (guard == NULL)
        return 0;
    (void)pthread_mutex_lock(&guard->lock);
    int error = add_locked(guard, fd, slot);
    (void)pthread_mutex_unlock(&guard->lock);
    return error;
}

void gcl_guard_remove(struct gcl_guard *guard, int *slot)
{
    if (guard == NULL || *slot == GCL_GUARD_NONE)
        return;
    (void)pthread_mutex_lock(&guard->lock);
    (void)close(guard->fds[*slot]);
    guard->fds[*slot] = link_to(guard->free);
    guard->free = *slot;
    (void)pthread_mutex_unlock(&guard->lock);
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
    (void)pthread_mutex_lock(&guard->lock);
    for (size_t slot = 0; slot < guard->capacity; slot++)
        if (!is_free(guard->fds[slot]))
            (void)close(guard->fds[slot]);
    gcl_free(guard->mem, guard->fds);
    guard->fds = NULL;
    guard->capacity = 0;
    guard->free = GCL_GUARD_NONE;
    (void)pthread_mutex_unlock(&guard->lock);
}

void gcl_guard_fini(struct gcl_guard *guard)
{
    (void)pthread_mutex_destroy(&guard->lock);
}

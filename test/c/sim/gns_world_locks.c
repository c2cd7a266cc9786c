/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that want locks, keep them for a while, and give them back or die. */
#include "gns_world_impl.h"

#include <stdlib.h>

static bool lock_lives(const struct world *w, const struct lock *lock)
{
    const struct node *node = w->nodes[lock->node];
    return node->is_alive && node->incarnation == lock->incarnation &&
           node->processes[lock->process - FIRST_PID].is_alive;
}

static void after(struct world *w, const struct lock *lock, enum kind kind, uint64_t delay_ms)
{
    struct parcel parcel = {.kind = kind,
                            .from = lock->node,
                            .to = lock->node,
                            .number = (uint64_t)(lock - w->locks),
                            .at_ms = w->now_ms + delay_ms,
                            .incarnation = lock->incarnation};
    sim_push(w, parcel);
}

static bool is_held(const struct world *w, unsigned resource)
{
    for (size_t i = 0; i < w->lock_count; i++)
        if (w->locks[i].has_it && w->locks[i].resource == resource && lock_lives(w, &w->locks[i]))
            return true;
    return false;
}

void sim_lock_done(struct world *w, uint64_t number, int error)
{
    size_t i = 0;
    while (i < w->lock_count && w->locks[i].open != number)
        i++;
    if (i == w->lock_count)
        return;
    struct lock *lock = &w->locks[i];
    lock->open = 0;
    if (lock->is_freed)
        return;
    w->locked += error == 0;
    w->refused += error != 0;
    if (error != 0)
        return;
    w->was_shared |= is_held(w, lock->resource);
    lock->has_it = true;
    after(w, lock, UNLOCK, lock->keep_ms);
}

static struct text lock_id(struct node *node, const struct lock *lock)
{
    return sim_build(node, GCL_MESSAGE("{{resource, ~u}, ~p}", lock->resource,
                                       sim_pid_of(node, node, lock->process)));
}

void sim_unlock(struct world *w, struct lock *lock)
{
    struct node *node = w->nodes[lock->node];
    if (!lock_lives(w, lock))
        return;
    struct text id = lock_id(node, lock);
    lock->has_it = false;
    lock->is_freed = true;
    lock->open = ++w->requests;
    node->requests++;
    if (gcl_gns_unlock(node->gns, w->now_ms, lock->open, id.term,
                       sim_pid_of(node, node, lock->process), &everywhere) != 0)
        abort();
    gcl_buffer_fini(&id.bytes);
}

/* Its process dies, and is told nothing. */
void sim_die(struct world *w, struct lock *lock)
{
    struct node *node = w->nodes[lock->node];
    node->requests -= lock->open != 0;
    lock->open = 0;
    sim_kill_process(w, node, lock->process);
    gcl_gns_locks_end(node->gns, w->now_ms, sim_pid_of(node, node, lock->process));
}

void world_lock(struct world *w, size_t index, unsigned resource, unsigned retries,
                unsigned keep_ms, bool dies)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES || w->lock_count == LOCKS)
        return;
    struct lock *lock = &w->locks[w->lock_count++];
    *lock = (struct lock){.node = index,
                          .incarnation = node->incarnation,
                          .process = FIRST_PID + node->process_count++,
                          .open = ++w->requests,
                          .resource = resource % RESOURCES,
                          .keep_ms = keep_ms};
    node->processes[lock->process - FIRST_PID] = (struct process){.is_alive = true};
    struct text id = lock_id(node, lock);
    node->requests++;
    if (gcl_gns_lock(node->gns, w->now_ms, lock->open, id.term,
                     sim_pid_of(node, node, lock->process), &everywhere, retries) != 0)
        abort();
    gcl_buffer_fini(&id.bytes);
    sim_carry_out_all(node);
    if (dies)
        after(w, lock, DIE, sim_draw(w) % (2 * (uint64_t)keep_ms + 1));
}

size_t world_locked(const struct world *w)
{
    return w->locked;
}

size_t world_refused(const struct world *w)
{
    return w->refused;
}

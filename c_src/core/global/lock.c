/* SPDX-License-Identifier: Apache-2.0 */
/* The locks that are set at this node. spec: global, handle_set_lock, remove_lock */
#include "core/global/machine.h"

/* Processes that hold one lock share a requester: two lockers, while they make one partition. */
struct holder {
    struct gcl_list at_lock;
    struct gcl_list at_watch;
    struct lock *lock;
    struct gcl_gns_watch *watch;
};

struct lock {
    uint32_t hash;
    bool is_global;
    size_t bytes;       /* as they count */
    struct gcl_str key; /* of the resource; owned */
    gcl_term requester; /* owned */
    struct gcl_list holders;
};

static bool has_key(const void *item, const void *key)
{
    const struct lock *lock = item;
    return gcl_str_equal(lock->key, *(const struct gcl_str *)key);
}

static struct lock *find(struct gcl_gns *gns, gcl_term resource)
{
    struct gcl_str key;
    uint32_t hash;
    if (!gcl_gns_key(gns, resource, &key, &hash))
        return NULL;
    return gcl_table_find(&gns->locks, hash, has_key, &key);
}

static struct lock *find_global(struct gcl_gns *gns)
{
    static const uint8_t global[] = {119, 6, 'g', 'l', 'o', 'b', 'a', 'l'};
    return find(gns, gcl_term_make(gns->config.terms, global, sizeof global));
}

static struct lock *new_lock(struct gcl_gns *gns, gcl_term resource, gcl_term requester)
{
    struct gcl_str key;
    uint32_t hash;
    size_t bytes = 2 * resource.size + requester.size;
    if (gcl_table_count(&gns->locks) >= gns->config.max_locks ||
        gns->lock_bytes + bytes > gns->config.max_lock_bytes ||
        !gcl_gns_key(gns, resource, &key, &hash))
        return NULL;
    struct lock *lock = gcl_alloc_zero(gns->config.mem, sizeof *lock);
    uint8_t *copy = gcl_alloc_copy(gns->config.mem, key.bytes, key.size);
    if (lock == NULL || copy == NULL || gcl_table_add(&gns->locks, hash, lock) != 0) {
        gns->has_failed = true;
        gcl_free(gns->config.mem, copy);
        gcl_free(gns->config.mem, lock);
        return NULL;
    }
    gns->lock_bytes += bytes;
    lock->bytes = bytes;
    lock->hash = hash;
    lock->key = gcl_str_make(copy, key.size);
    lock->is_global = gcl_match(resource, "global");
    gcl_list_init(&lock->holders);
    gcl_gns_keep(gns, &lock->requester, requester);
    return lock;
}

static void free_lock(struct gcl_gns *gns, struct lock *lock)
{
    gns->lock_bytes -= lock->bytes;
    gcl_gns_forget(&lock->requester);
    gcl_free(gns->config.mem, (void *)(uintptr_t)lock->key.bytes);
    gcl_free(gns->config.mem, lock);
}

static struct holder *find_holder(const struct lock *lock, gcl_pid pid)
{
    GCL_LIST_EACH(&lock->holders, at, following)
    {
        struct holder *holder = GCL_CONTAINER_OF(at, struct holder, at_lock);
        if (gcl_pid_equal(holder->watch->pid, pid))
            return holder;
    }
    return NULL;
}

static bool add_holder(struct gcl_gns *gns, struct lock *lock, gcl_pid pid)
{
    struct gcl_gns_watch *watch = gcl_gns_watch_of(gns, pid);
    struct holder *holder = watch != NULL ? gcl_alloc_zero(gns->config.mem, sizeof *holder) : NULL;
    if (holder == NULL) {
        gns->has_failed = true;
        return false;
    }
    holder->lock = lock;
    holder->watch = watch;
    gcl_list_init(&holder->at_lock);
    gcl_list_init(&holder->at_watch);
    gcl_list_add_last(&lock->holders, &holder->at_lock);
    gcl_list_add_last(&watch->holders, &holder->at_watch);
    return true;
}

/* The last one frees the lock. */
static void remove_holder(struct gcl_gns *gns, struct holder *holder, bool is_down)
{
    struct lock *lock = holder->lock;
    struct gcl_gns_watch *watch = holder->watch;
    gcl_list_remove(&holder->at_lock);
    gcl_list_remove(&holder->at_watch);
    gcl_free(gns->config.mem, holder);
    if (!is_down)
        gcl_gns_watch_tidy(gns, watch);
    if (!gcl_list_is_empty(&lock->holders))
        return;
    if (lock->is_global)
        gns->is_lock_down = is_down;
    (void)gcl_table_remove(&gns->locks, lock->hash, has_key, &lock->key);
    free_lock(gns, lock);
}

static bool read_id(gcl_term id, gcl_term *resource, gcl_term *requester)
{
    return gcl_match(id, "{~t, ~t}", resource, requester);
}

bool gcl_gns_can_set_lock(struct gcl_gns *gns, gcl_term id)
{
    gcl_term resource, requester;
    if (!read_id(id, &resource, &requester))
        return false;
    const struct lock *lock = find(gns, resource);
    return lock == NULL || gcl_term_equal(lock->requester, requester);
}

bool gcl_gns_set_lock(struct gcl_gns *gns, gcl_term id, gcl_pid pid)
{
    gcl_term resource, requester;
    if (!read_id(id, &resource, &requester))
        return false;
    struct lock *lock = find(gns, resource);
    if (lock != NULL && !gcl_term_equal(lock->requester, requester))
        return false;
    if (lock == NULL)
        lock = new_lock(gns, resource, requester);
    return lock != NULL && (find_holder(lock, pid) != NULL || add_holder(gns, lock, pid));
}

void gcl_gns_del_lock(struct gcl_gns *gns, gcl_term id, gcl_pid pid)
{
    gcl_term resource, requester;
    if (!read_id(id, &resource, &requester))
        return;
    struct lock *lock = find(gns, resource);
    struct holder *holder = lock != NULL ? find_holder(lock, pid) : NULL;
    if (holder != NULL && gcl_term_equal(lock->requester, requester))
        remove_holder(gns, holder, false);
}

void gcl_gns_locks_down(struct gcl_gns *gns, struct gcl_gns_watch *watch)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&watch->holders)) != NULL)
        remove_holder(gns, GCL_CONTAINER_OF(at, struct holder, at_watch), true);
}

void gcl_gns_locks_fini(struct gcl_gns *gns)
{
    struct lock *lock;
    size_t position = 0;
    while ((lock = gcl_table_each(&gns->locks, &position)) != NULL) {
        struct gcl_list *at;
        while ((at = gcl_list_first(&lock->holders)) != NULL) {
            struct holder *holder = GCL_CONTAINER_OF(at, struct holder, at_lock);
            gcl_list_remove(&holder->at_lock);
            gcl_list_remove(&holder->at_watch);
            gcl_free(gns->config.mem, holder);
        }
        free_lock(gns, lock);
    }
    gcl_table_fini(&gns->locks);
}

size_t gcl_gns_lock_count(const struct gcl_gns *gns)
{
    return gcl_table_count(&gns->locks);
}

/* --- the lock `global` ---------------------------------------------------------------------- */

gcl_term gcl_gns_global_lock(struct gcl_gns *gns)
{
    const struct lock *lock = find_global(gns);
    return lock != NULL ? lock->requester : gcl_term_make(gns->config.terms, NULL, 0);
}

/* spec: global, lock_still_set: a lock that was freed by a death was freed before its time. */
bool gcl_gns_lock_is_held_by(struct gcl_gns *gns, gcl_pid pid)
{
    const struct lock *lock = find_global(gns);
    return lock != NULL ? find_holder(lock, pid) != NULL : !gns->is_lock_down;
}

bool gcl_gns_lock_is_requested_by(struct gcl_gns *gns, gcl_term requester)
{
    const struct lock *lock = find_global(gns);
    return lock != NULL ? gcl_term_equal(lock->requester, requester) : !gns->is_lock_down;
}

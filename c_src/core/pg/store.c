/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pg/store.h"

#include <stdlib.h>
#include <string.h>

#include "wire/term/context.h"
#include "wire/term/key.h"

/* --- pids ----------------------------------------------------------------------------------- */

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

/* In the order in which a node gives them out: what joins last mostly belongs at the end. */
static int compare(const gcl_pid *a, const gcl_pid *b)
{
    int order = compare_numbers(a->node, b->node);
    if (order == 0)
        order = compare_numbers(a->generation, b->generation);
    if (order == 0)
        order = compare_numbers(a->serial, b->serial);
    return order != 0 ? order : compare_numbers(a->id, b->id);
}

static int compare_items(const void *a, const void *b)
{
    return compare(a, b);
}

int gcl_pg_pids_reserve(const gcl_allocator *mem, struct gcl_pg_pids *pids, size_t count)
{
    if (count <= pids->capacity)
        return 0;
    size_t capacity = pids->capacity < 4 ? 4 : pids->capacity + pids->capacity / 2;
    if (pids->capacity == 0 || capacity < count)
        capacity = count;
    if (capacity > SIZE_MAX / sizeof *pids->items)
        return GCL_ENOMEM;
    gcl_pid *items = pids->items == NULL ? gcl_alloc(mem, capacity * sizeof *items)
                                         : gcl_resize(mem, pids->items, capacity * sizeof *items);
    if (items == NULL)
        return GCL_ENOMEM;
    pids->items = items;
    pids->capacity = capacity;
    return 0;
}

void gcl_pg_pids_sort(struct gcl_pg_pids *pids)
{
    if (pids->count > 1)
        qsort(pids->items, pids->count, sizeof *pids->items, compare_items);
}

void gcl_pg_pids_subtract(const struct gcl_pg_pids *a, const struct gcl_pg_pids *b,
                          struct gcl_pg_pids *out)
{
    size_t at_b = 0;
    out->count = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (at_b < b->count && compare(&b->items[at_b], &a->items[i]) < 0)
            at_b++;
        if (at_b < b->count && gcl_pid_equal(b->items[at_b], a->items[i]))
            at_b++;
        else
            out->items[out->count++] = a->items[i];
    }
}

/* From the end, so that in most cases nothing moves. Room was made. */
static void merge(struct gcl_pg_pids *pids, const struct gcl_pg_pids *more)
{
    size_t from = pids->count, left = more->count;
    pids->count += more->count;
    for (size_t to = pids->count; left > 0; to--) {
        bool is_old = from > 0 && compare(&pids->items[from - 1], &more->items[left - 1]) > 0;
        pids->items[to - 1] = is_old ? pids->items[--from] : more->items[--left];
    }
}

/* The first place whose pid is not before `pid`. */
static size_t place_of(const struct gcl_pg_pids *pids, const gcl_pid *pid)
{
    size_t low = 0, high = pids->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&pids->items[middle], pid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_out(struct gcl_pg_pids *pids, const struct gcl_pg_pids *what,
                     struct gcl_pg_pids *taken)
{
    taken->count = 0;
    if (what->count == 0)
        return;
    size_t from = place_of(pids, &what->items[0]), to = from;
    for (size_t i = 0; i < what->count; i++) {
        while (from < pids->count && compare(&pids->items[from], &what->items[i]) < 0)
            pids->items[to++] = pids->items[from++];
        if (from < pids->count && gcl_pid_equal(pids->items[from], what->items[i]))
            taken->items[taken->count++] = pids->items[from++];
    }
    memmove(pids->items + to, pids->items + from, (pids->count - from) * sizeof *pids->items);
    pids->count -= from - to;
}

/* --- the store ------------------------------------------------------------------------------ */

void gcl_pg_store_init(struct gcl_pg_store *store, const gcl_allocator *mem, const uint64_t seed[2],
                       const struct gcl_pg_limits *limits)
{
    store->mem = mem;
    store->seed[0] = seed[0];
    store->seed[1] = seed[1];
    store->limits = *limits;
    gcl_table_init(&store->groups, mem);
    gcl_table_init(&store->shares, mem);
    gcl_buffer_init(&store->key, mem, 0);
}

void gcl_pg_store_fini(struct gcl_pg_store *store)
{
    gcl_table_fini(&store->groups);
    gcl_table_fini(&store->shares);
    gcl_buffer_fini(&store->key);
}

void gcl_pg_owner_init(struct gcl_pg_owner *owner)
{
    *owner = (struct gcl_pg_owner){0};
    gcl_list_init(&owner->shares);
}

void gcl_pg_owner_begin_round(struct gcl_pg_owner *owner)
{
    owner->round++;
    owner->groups = owner->members = 0;
    owner->bytes = 0;
}

/* --- groups --------------------------------------------------------------------------------- */

static struct gcl_str key_of(const struct gcl_pg_group *group)
{
    return gcl_str_make(group->bytes, group->key_size);
}

static bool is_group(const void *item, const void *key)
{
    return gcl_str_equal(key_of(item), *(const struct gcl_str *)key);
}

gcl_term gcl_pg_group_term(const struct gcl_pg_group *group, gcl_term_context *context)
{
    return gcl_term_make(context, group->bytes + group->key_size, group->term_size);
}

static int make_group(struct gcl_pg_store *store, gcl_term term, struct gcl_str key, uint32_t hash,
                      struct gcl_pg_group **out)
{
    if (key.size > UINT32_MAX || term.size > UINT32_MAX)
        return GCL_ELIMIT;
    struct gcl_pg_group *group = gcl_alloc(store->mem, sizeof *group + key.size + term.size);
    if (group == NULL)
        return GCL_ENOMEM;
    gcl_list_init(&group->shares);
    gcl_list_init(&group->watches);
    group->holds = 0;
    group->hash = hash;
    group->key_size = (uint32_t)key.size;
    group->term_size = (uint32_t)term.size;
    memcpy(group->bytes, key.bytes, key.size);
    memcpy(group->bytes + key.size, term.bytes, term.size);
    int error = gcl_table_add(&store->groups, hash, group);
    if (error != 0)
        gcl_free(store->mem, group);
    else
        *out = group;
    return error;
}

int gcl_pg_store_group(struct gcl_pg_store *store, gcl_term term, bool is_needed,
                       struct gcl_pg_group **group)
{
    enum { KEPT_BYTES = 4096 };
    struct gcl_cursor at = gcl_term_cursor(term);
    *group = NULL;
    gcl_buffer_clear(&store->key);
    gcl_buffer_shrink(&store->key, KEPT_BYTES);
    int error = gcl_term_key(&store->key, &at);
    if (error == 0 && gcl_cursor_left(&at) > 0)
        error = GCL_ETERM;
    if (error != 0)
        return error;
    struct gcl_str key = gcl_str_make(gcl_buffer_bytes(&store->key), gcl_buffer_size(&store->key));
    uint32_t hash = gcl_hash(store->seed, key.bytes, key.size);
    *group = gcl_table_find(&store->groups, hash, is_group, &key);
    return *group != NULL || !is_needed ? 0 : make_group(store, term, key, hash, group);
}

void gcl_pg_store_release(struct gcl_pg_store *store, struct gcl_pg_group *group)
{
    struct gcl_str key = key_of(group);
    if (group->holds > 0 || !gcl_list_is_empty(&group->shares) ||
        !gcl_list_is_empty(&group->watches))
        return;
    (void)gcl_table_remove(&store->groups, group->hash, is_group, &key);
    gcl_free(store->mem, group);
}

struct gcl_pg_group *gcl_pg_store_each(const struct gcl_pg_store *store, size_t *position)
{
    return gcl_table_each(&store->groups, position);
}

/* --- shares --------------------------------------------------------------------------------- */

struct share_key {
    const struct gcl_pg_owner *owner;
    const struct gcl_pg_group *group;
};

static bool is_share(const void *item, const void *key)
{
    const struct gcl_pg_share *share = item;
    const struct share_key *wanted = key;
    return share->owner == wanted->owner && share->group == wanted->group;
}

static uint32_t share_hash(const struct gcl_pg_store *store, const struct share_key *key)
{
    return gcl_hash(store->seed, key, sizeof *key);
}

struct gcl_pg_share *gcl_pg_store_share(const struct gcl_pg_store *store,
                                        const struct gcl_pg_owner *owner,
                                        const struct gcl_pg_group *group)
{
    struct share_key key = {owner, group};
    return gcl_table_find(&store->shares, share_hash(store, &key), is_share, &key);
}

static size_t group_bytes(const struct gcl_pg_group *group)
{
    return (size_t)group->key_size + group->term_size;
}

static bool counts(const struct gcl_pg_share *share)
{
    return share->round == share->owner->round;
}

/* Whether the owner may have `members` more, in a group that is new to it or not. */
static int check(const struct gcl_pg_store *store, const struct gcl_pg_owner *owner,
                 const struct gcl_pg_group *group, bool is_new, size_t members)
{
    const struct gcl_pg_limits *limits = &store->limits;
    bool fits = members <= limits->members && owner->members <= limits->members - members;
    if (is_new)
        fits = fits && owner->groups < limits->groups && owner->bytes <= limits->bytes &&
               group_bytes(group) <= limits->bytes - owner->bytes;
    return fits ? 0 : GCL_ELIMIT;
}

/* It counts, and is behind those that do not. */
static void count_in(struct gcl_pg_share *share)
{
    struct gcl_pg_owner *owner = share->owner;
    share->round = owner->round;
    owner->groups++;
    owner->bytes += group_bytes(share->group);
    gcl_list_remove(&share->at_owner);
    gcl_list_add_last(&owner->shares, &share->at_owner);
}

static int need_share(struct gcl_pg_store *store, struct gcl_pg_owner *owner,
                      struct gcl_pg_group *group, size_t members, struct gcl_pg_share **out)
{
    struct gcl_pg_share *share = gcl_pg_store_share(store, owner, group);
    bool is_there = share != NULL;
    int error = 0;
    if (!is_there) {
        struct share_key key = {owner, group};
        share = gcl_alloc_zero(store->mem, sizeof *share);
        if (share == NULL)
            return GCL_ENOMEM;
        share->owner = owner;
        share->group = group;
        share->round = owner->round - 1;
        gcl_list_init(&share->at_owner);
        gcl_list_init(&share->at_group);
        error = gcl_pg_pids_reserve(store->mem, &share->pids, members);
        if (error == 0)
            error = gcl_table_add(&store->shares, share_hash(store, &key), share);
        if (error == 0)
            gcl_list_add_last(&group->shares, &share->at_group);
    } else {
        error = gcl_pg_pids_reserve(store->mem, &share->pids, members);
    }
    if (error != 0 && !is_there) {
        gcl_free(store->mem, share->pids.items);
        gcl_free(store->mem, share);
    }
    *out = error == 0 ? share : NULL;
    return error;
}

int gcl_pg_store_add(struct gcl_pg_store *store, struct gcl_pg_owner *owner,
                     struct gcl_pg_group *group, const struct gcl_pg_pids *pids)
{
    struct gcl_pg_share *share = gcl_pg_store_share(store, owner, group);
    size_t there = share != NULL ? share->pids.count : 0;
    int error = check(store, owner, group, share == NULL, pids->count);
    if (error == 0)
        error = need_share(store, owner, group, there + pids->count, &share);
    if (error != 0)
        return error;
    if (!counts(share))
        count_in(share);
    merge(&share->pids, pids);
    owner->members += (uint32_t)pids->count;
    return 0;
}

int gcl_pg_store_replace(struct gcl_pg_store *store, struct gcl_pg_owner *owner,
                         struct gcl_pg_group *group, const struct gcl_pg_pids *pids)
{
    struct gcl_pg_share *share = gcl_pg_store_share(store, owner, group);
    if (share != NULL && counts(share))
        return GCL_ETERM; /* it comes twice */
    int error = check(store, owner, group, true, pids->count);
    if (error == 0)
        error = need_share(store, owner, group, pids->count, &share);
    if (error != 0)
        return error;
    count_in(share);
    memcpy(share->pids.items, pids->items, pids->count * sizeof *pids->items);
    share->pids.count = pids->count;
    owner->members += (uint32_t)pids->count;
    return 0;
}

static void end_share(struct gcl_pg_store *store, struct gcl_pg_share *share)
{
    struct share_key key = {share->owner, share->group};
    if (counts(share)) {
        share->owner->groups--;
        share->owner->bytes -= group_bytes(share->group);
    }
    (void)gcl_table_remove(&store->shares, share_hash(store, &key), is_share, &key);
    gcl_list_remove(&share->at_owner);
    gcl_list_remove(&share->at_group);
    gcl_free(store->mem, share->pids.items);
    gcl_free(store->mem, share);
}

void gcl_pg_store_take(struct gcl_pg_store *store, struct gcl_pg_share *share,
                       const struct gcl_pg_pids *pids, struct gcl_pg_pids *taken)
{
    take_out(&share->pids, pids, taken);
    if (counts(share))
        share->owner->members -= (uint32_t)taken->count;
    if (share->pids.count == 0)
        end_share(store, share);
}

void gcl_pg_store_end(struct gcl_pg_store *store, struct gcl_pg_share *share,
                      struct gcl_pg_pids *pids)
{
    struct gcl_pg_pids old = *pids;
    if (counts(share))
        share->owner->members -= (uint32_t)share->pids.count;
    *pids = share->pids;
    share->pids = old;
    end_share(store, share);
}

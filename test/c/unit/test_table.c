/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/table.h"

struct item {
    uint32_t key;
    bool there;
};

static const uint64_t seed[2] = {1, 2};

static bool equal(const void *item, const void *key)
{
    return ((const struct item *)item)->key == *(const uint32_t *)key;
}

static uint32_t hash(uint32_t key, uint32_t spread)
{
    return gcl_hash(seed, &key, sizeof key) % spread;
}

static void random_walk(unsigned start, uint32_t spread)
{
    enum { ITEMS = 500, STEPS = 20000 };
    static struct item items[ITEMS];
    struct gcl_table table;
    gcl_table_init(&table, gcl_allocator_default());
    for (uint32_t i = 0; i < ITEMS; i++)
        items[i] = (struct item){i, false};
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        uint32_t key = (uint32_t)rand_r(&start) % ITEMS;
        struct item *item = &items[key];
        void *found = gcl_table_find(&table, hash(key, spread), equal, &key);
        cr_assert_eq(found, item->there ? item : NULL);
        if (item->there) {
            cr_assert_eq(gcl_table_remove(&table, hash(key, spread), equal, &key), item);
            count--;
        } else {
            cr_assert_eq(gcl_table_add(&table, hash(key, spread), item), 0);
            count++;
        }
        item->there = !item->there;
        cr_assert_eq(gcl_table_count(&table), count);
    }
    size_t position = 0, seen = 0;
    for (struct item *item; (item = gcl_table_each(&table, &position)) != NULL; seen++)
        cr_assert(item->there);
    cr_assert_eq(seen, count);
    gcl_table_fini(&table);
}

Test(table, random_adds_and_removes)
{
    random_walk(1, UINT32_MAX);
}

Test(table, random_adds_and_removes_with_colliding_hashes)
{
    random_walk(2, 7);
}

Test(table, hash_depends_on_seed_and_size)
{
    /* Same bytes under another seed must hash otherwise, or a peer could choose collisions. */
    const uint64_t other[2] = {3, 4};
    cr_assert_neq(gcl_hash(seed, "name", 4), gcl_hash(other, "name", 4));
    cr_assert_neq(gcl_hash(seed, "name", 4), gcl_hash(seed, "name\0", 5));
    cr_assert_eq(gcl_hash(seed, "name", 4), gcl_hash(seed, "name", 4));
}

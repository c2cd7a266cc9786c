/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A hash table over the caller's structs: open addressing, linear probing. It holds a pointer and
 * 32 bits of hash for each, so it costs 16 bytes a slot and at most 32 bytes an item. Growing is
 * spread over the following calls: no call moves more than a few slots. Peers choose many of the
 * keys (names, references), so the hash is keyed by a seed that they do not know.
 */
#ifndef GCL_BASE_TABLE_H
#define GCL_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

struct gcl_table_slot {
    void *item;
    uint32_t hash;
};

struct gcl_table_part {
    struct gcl_table_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

struct gcl_table {
    const gcl_allocator *mem;
    struct gcl_table_part now;
    struct gcl_table_part old; /* what is still being moved after growing */
    size_t moved;              /* slots of `old` that are done */
};

/** True when `item` is the one with this key. */
typedef bool gcl_table_equal(const void *item, const void *key);

/** A keyed 64 bit hash (SipHash-1-3) of bytes; the seed comes from the node's random function. */
uint32_t gcl_hash(const uint64_t seed[2], const void *bytes, size_t size);

/** `mem` is borrowed for the life of the table. Allocates nothing. */
void gcl_table_init(struct gcl_table *table, const gcl_allocator *mem);

/** Forgets all items (they belong to the caller) and gives the memory back. */
void gcl_table_fini(struct gcl_table *table);

static inline size_t gcl_table_count(const struct gcl_table *table)
{
    return table->now.count + table->old.count;
}

/** The item with this key, or NULL. */
void *gcl_table_find(const struct gcl_table *table, uint32_t hash, gcl_table_equal *equal,
                     const void *key);

/**
 * Adds an item whose key is not there yet (not checked). 0 or GCL_ENOMEM; on error the table is
 * unchanged.
 */
int gcl_table_add(struct gcl_table *table, uint32_t hash, void *item) GCL_MUST_USE;

/** Removes and returns the item with this key, or NULL. Never fails and never allocates. */
void *gcl_table_remove(struct gcl_table *table, uint32_t hash, gcl_table_equal *equal,
                       const void *key);

/**
 * Walks all items in no order: start with `*position` 0; NULL when there is no more. The table
 * must not change meanwhile.
 */
void *gcl_table_each(const struct gcl_table *table, size_t *position);

#endif

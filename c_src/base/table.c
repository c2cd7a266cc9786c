/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <string.h>

#include <gen_cluster/error.h>

enum {
    FIRST_CAPACITY = 8,
    MOVES_PER_CALL = 8, /* more than 2, so that `old` is empty before `now` is full */
};

/* Marks a slot of `old` whose item went away: a probe has to go on behind it. */
static const char gone_mark;
#define GONE ((void *)(uintptr_t)&gone_mark)

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* Inlined by force: called, each word of the key costs twice as much. */
__attribute__((always_inline)) static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

__attribute__((always_inline)) static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-1-3 (Aumasson and Bernstein); the host's byte order serves, as no hash leaves the node.
 */
uint32_t gcl_hash(const uint64_t seed[2], const void *bytes, size_t size)
{
    uint64_t v[4] = {
        seed[0] ^ 0x736f6d6570736575U,
        seed[1] ^ 0x646f72616e646f6dU,
        seed[0] ^ 0x6c7967656e657261U,
        seed[1] ^ 0x7465646279746573U,
    };
    const uint8_t *at = bytes;
    uint64_t word;
    size_t left = size;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        sip_word(v, word);
    }
    word = 0;
    if (left > 0)
        memcpy(&word, at, left);
    sip_word(v, word ^ (uint64_t)size << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    uint64_t sum = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(sum ^ sum >> 32);
}

void gcl_table_init(struct gcl_table *table, const gcl_allocator *mem)
{
    memset(table, 0, sizeof *table);
    table->mem = mem;
}

void gcl_table_fini(struct gcl_table *table)
{
    gcl_free(table->mem, table->now.slots);
    gcl_free(table->mem, table->old.slots);
    gcl_table_init(table, table->mem);
}

static struct gcl_table_slot *find_slot(const struct gcl_table_part *part, uint32_t hash,
                                        gcl_table_equal *equal, const void *key)
{
    size_t mask = part->capacity - 1;
    if (part->count == 0)
        return NULL;
    for (size_t i = hash & mask; part->slots[i].item != NULL; i = (i + 1) & mask) {
        struct gcl_table_slot *slot = &part->slots[i];
        if (slot->hash == hash && slot->item != GONE && equal(slot->item, key))
            return slot;
    }
    return NULL;
}

void *gcl_table_find(const struct gcl_table *table, uint32_t hash, gcl_table_equal *equal,
                     const void *key)
{
    struct gcl_table_slot *slot = find_slot(&table->now, hash, equal, key);
    if (slot == NULL)
        slot = find_slot(&table->old, hash, equal, key);
    return slot == NULL ? NULL : slot->item;
}

static void put(struct gcl_table_part *part, uint32_t hash, void *item)
{
    size_t mask = part->capacity - 1;
    size_t i = hash & mask;
    while (part->slots[i].item != NULL)
        i = (i + 1) & mask;
    part->slots[i].item = item;
    part->slots[i].hash = hash;
    part->count++;
}

static void drop_old(struct gcl_table *table)
{
    gcl_free(table->mem, table->old.slots);
    memset(&table->old, 0, sizeof table->old);
    table->moved = 0;
}

static void move_some(struct gcl_table *table)
{
    struct gcl_table_part *old = &table->old;
    if (old->slots == NULL)
        return;
    for (int i = 0; i < MOVES_PER_CALL && table->moved < old->capacity; i++, table->moved++) {
        struct gcl_table_slot *slot = &old->slots[table->moved];
        if (slot->item == NULL || slot->item == GONE)
            continue;
        put(&table->now, slot->hash, slot->item);
        slot->item = GONE;
        old->count--;
    }
    if (table->moved == old->capacity)
        drop_old(table);
}

static int grow(struct gcl_table *table)
{
    size_t capacity = table->now.capacity > 0 ? table->now.capacity * 2 : FIRST_CAPACITY;
    struct gcl_table_slot *slots =
        gcl_alloc_array(table->mem, capacity, sizeof(struct gcl_table_slot));
    if (slots == NULL)
        return GCL_ENOMEM;
    if (table->now.capacity > 0)
        table->old = table->now;
    table->now = (struct gcl_table_part){slots, capacity, 0};
    return 0;
}

int gcl_table_add(struct gcl_table *table, uint32_t hash, void *item)
{
    move_some(table);
    /* While `old` is being moved `now` is at most half full, see MOVES_PER_CALL. */
    if (table->old.slots == NULL && (table->now.count + 1) * 4 > table->now.capacity * 3) {
        int error = grow(table);
        if (error != 0)
            return error;
    }
    put(&table->now, hash, item);
    return 0;
}

/* Closes the gap so that probes need no marks: later entries of the run move up where they may. */
static void close_gap(struct gcl_table_part *part, size_t gap)
{
    size_t mask = part->capacity - 1;
    for (size_t i = (gap + 1) & mask; part->slots[i].item != NULL; i = (i + 1) & mask) {
        size_t home = part->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            part->slots[gap] = part->slots[i];
            gap = i;
        }
    }
    part->slots[gap].item = NULL;
}

void *gcl_table_remove(struct gcl_table *table, uint32_t hash, gcl_table_equal *equal,
                       const void *key)
{
    void *item;
    struct gcl_table_slot *slot = find_slot(&table->now, hash, equal, key);
    if (slot != NULL) {
        item = slot->item;
        close_gap(&table->now, (size_t)(slot - table->now.slots));
        table->now.count--;
        return item;
    }
    slot = find_slot(&table->old, hash, equal, key);
    if (slot == NULL)
        return NULL;
    item = slot->item;
    slot->item = GONE;
    table->old.count--;
    return item;
}

void *gcl_table_each(const struct gcl_table *table, size_t *position)
{
    size_t all = table->now.capacity + table->old.capacity;
    while (*position < all) {
        size_t i = (*position)++;
        const struct gcl_table_slot *slot = i < table->now.capacity
                                                ? &table->now.slots[i]
                                                : &table->old.slots[i - table->now.capacity];
        if (slot->item != NULL && slot->item != GONE)
            return slot->item;
    }
    return NULL;
}

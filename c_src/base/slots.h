/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Things that others name by a small value: a place and its generation. A place that was given back
 * is used again with another generation, so that an old value is known to be stale; nothing is
 * allocated once there are places enough.
 */
#ifndef GCL_BASE_SLOTS_H
#define GCL_BASE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/list.h"

/** The first member of what is kept. */
struct gcl_slot {
    struct gcl_list at_free;
    uint32_t index;
    uint32_t generation; /* never 0 */
    bool is_used;
};

struct gcl_slots {
    const gcl_allocator *mem;
    size_t size;
    struct gcl_slot **places;
    uint32_t count;
    uint32_t capacity;
    struct gcl_list free;
};

/** For structs of `size` bytes. `mem` is borrowed. Allocates nothing. */
void gcl_slots_init(struct gcl_slots *slots, const gcl_allocator *mem, size_t size);

/** Frees all, used or not. */
void gcl_slots_fini(struct gcl_slots *slots);

/** A place, zeroed when it is new and as it was given back when not; NULL: no memory. */
struct gcl_slot *gcl_slots_take(struct gcl_slots *slots) GCL_MUST_USE;

/** What is there in use with that generation, or NULL. */
struct gcl_slot *gcl_slots_find(const struct gcl_slots *slots, uint32_t index, uint32_t generation);

/** How many places are in use. Takes as long as there are unused ones. */
size_t gcl_slots_count(const struct gcl_slots *slots);

/** Ends the use of a place. */
void gcl_slots_give_back(struct gcl_slots *slots, struct gcl_slot *slot);

#endif

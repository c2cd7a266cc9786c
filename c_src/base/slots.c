/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

enum { FIRST_CAPACITY = 16 };

void gcl_slots_init(struct gcl_slots *slots, const gcl_allocator *mem, size_t size)
{
    *slots = (struct gcl_slots){.mem = mem, .size = size};
    gcl_list_init(&slots->free);
}

void gcl_slots_fini(struct gcl_slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++)
        gcl_free(slots->mem, slots->places[i]);
    gcl_free(slots->mem, slots->places);
    gcl_slots_init(slots, slots->mem, slots->size);
}

static bool make_room(struct gcl_slots *slots)
{
    if (slots->count < slots->capacity)
        return true;
    uint32_t capacity = slots->capacity > 0 ? slots->capacity * 2 : FIRST_CAPACITY;
    void *places = gcl_resize(slots->mem, slots->places, capacity * sizeof(struct gcl_slot *));
    if (places == NULL)
        return false;
    slots->places = places;
    slots->capacity = capacity;
    return true;
}

static struct gcl_slot *add(struct gcl_slots *slots)
{
    if (!make_room(slots))
        return NULL;
    struct gcl_slot *slot = gcl_alloc_zero(slots->mem, slots->size);
    if (slot == NULL)
        return NULL;
    gcl_list_init(&slot->at_free);
    slot->index = slots->count;
    slot->generation = 1;
    slots->places[slots->count++] = slot;
    return slot;
}

struct gcl_slot *gcl_slots_take(struct gcl_slots *slots)
{
    struct gcl_list *at = gcl_list_first(&slots->free);
    struct gcl_slot *slot =
        at != NULL ? GCL_CONTAINER_OF(at, struct gcl_slot, at_free) : add(slots);
    if (slot == NULL)
        return NULL;
    gcl_list_remove(&slot->at_free);
    slot->is_used = true;
    return slot;
}

struct gcl_slot *gcl_slots_find(const struct gcl_slots *slots, uint32_t index, uint32_t generation)
{
    if (index >= slots->count)
        return NULL;
    struct gcl_slot *slot = slots->places[index];
    return slot->is_used && slot->generation == generation ? slot : NULL;
}

size_t gcl_slots_count(const struct gcl_slots *slots)
{
    return slots->count - gcl_list_length(&slots->free);
}

void gcl_slots_give_back(struct gcl_slots *slots, struct gcl_slot *slot)
{
    slot->is_used = false;
    if (++slot->generation == 0)
        slot->generation = 1;
    /* The one used last is used next: it is in the cache. */
    gcl_list_add_first(&slots->free, &slot->at_free);
}

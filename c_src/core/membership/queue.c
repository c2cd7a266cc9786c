/* SPDX-License-Identifier: Apache-2.0 */
#include "core/membership/queue.h"

#include <assert.h>
#include <string.h>

#include <gen_cluster/error.h>

/* A block that only a rare step needed is given back by the next one. */
enum { KEPT_CAPACITY = 256 };

void gcl_membership_queue_init(struct gcl_membership_queue *queue, const gcl_allocator *mem)
{
    memset(queue, 0, sizeof *queue);
    queue->mem = mem;
}

void gcl_membership_queue_fini(struct gcl_membership_queue *queue)
{
    gcl_free(queue->mem, queue->entries);
    gcl_membership_queue_init(queue, queue->mem);
}

int gcl_membership_queue_reserve(struct gcl_membership_queue *queue, size_t count)
{
    queue->first = queue->count = queue->walked = 0;
    if (queue->capacity > KEPT_CAPACITY && count <= KEPT_CAPACITY)
        gcl_membership_queue_fini(queue);
    if (count <= queue->capacity)
        return 0;
    void *entries = gcl_resize(queue->mem, queue->entries, count * sizeof *queue->entries);
    if (entries == NULL)
        return GCL_ENOMEM;
    queue->entries = entries;
    queue->capacity = count;
    return 0;
}

struct gcl_membership_entry *gcl_membership_queue_add(struct gcl_membership_queue *queue, int kind)
{
    assert(queue->count < queue->capacity);
    struct gcl_membership_entry *entry = &queue->entries[queue->count++];
    memset(entry, 0, sizeof *entry);
    entry->kind = (uint8_t)kind;
    return entry;
}

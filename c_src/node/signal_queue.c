/* SPDX-License-Identifier: Apache-2.0 */
#include "node/signal_queue.h"

#include <string.h>

/* An entry: the signal with its pointers meaningless, then the bytes that they stood for. */
struct entry {
    size_t size; /* of the whole entry, a multiple of ALIGNMENT */
    struct gcl_signal signal;
};

enum { ALIGNMENT = sizeof(void *), KEPT_BYTES = 256 * 1024 };

void gcl_signal_queue_init(struct gcl_signal_queue *queue, const gcl_allocator *mem,
                           size_t limit_bytes)
{
    gcl_buffer_init(&queue->bytes, mem, limit_bytes);
    queue->count = 0;
}

void gcl_signal_queue_fini(struct gcl_signal_queue *queue)
{
    gcl_buffer_fini(&queue->bytes);
    queue->count = 0;
}

static uint8_t *put(uint8_t *at, struct gcl_str str)
{
    if (str.size > 0)
        memcpy(at, str.bytes, str.size);
    return at + str.size;
}

static const uint8_t *get(const uint8_t *at, struct gcl_str *str)
{
    str->bytes = at;
    return at + str->size;
}

int gcl_signal_queue_add(struct gcl_signal_queue *queue, const struct gcl_signal *signal)
{
    int error = 0;
    size_t size =
        sizeof(struct entry) + signal->to.name.size + signal->from_name.size + signal->term.size;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint8_t *room = gcl_buffer_room(&queue->bytes, size, &error);
    if (room == NULL)
        return error;
    struct entry *entry = (struct entry *)(void *)room;
    entry->size = size;
    entry->signal = *signal;
    uint8_t *at = put(room + sizeof *entry, signal->to.name);
    at = put(at, signal->from_name);
    (void)put(at, signal->term);
    gcl_buffer_added(&queue->bytes, size);
    queue->count++;
    return 0;
}

/* Entries are aligned: the block comes from the allocator, and every size is a multiple. */
static const struct entry *first_entry(const struct gcl_signal_queue *queue)
{
    return (const struct entry *)(const void *)gcl_buffer_bytes(&queue->bytes);
}

bool gcl_signal_queue_first(const struct gcl_signal_queue *queue, struct gcl_signal *signal)
{
    if (queue->count == 0)
        return false;
    const struct entry *entry = first_entry(queue);
    *signal = entry->signal;
    const uint8_t *at = get((const uint8_t *)(entry + 1), &signal->to.name);
    at = get(at, &signal->from_name);
    (void)get(at, &signal->term);
    return true;
}

void gcl_signal_queue_remove_first(struct gcl_signal_queue *queue)
{
    gcl_buffer_take(&queue->bytes, first_entry(queue)->size);
    queue->count--;
}

void gcl_signal_queue_shrink(struct gcl_signal_queue *queue)
{
    gcl_buffer_shrink(&queue->bytes, KEPT_BYTES);
}

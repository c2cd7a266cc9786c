/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A queue of signals that keeps copies of all they borrow, back to back in one block: what local
 * processes send one another, and what waits for a connection. Once warm it does not allocate.
 */
#ifndef GCL_NODE_SIGNAL_QUEUE_H
#define GCL_NODE_SIGNAL_QUEUE_H

#include "base/buffer.h"
#include "core/signal.h"

struct gcl_signal_queue {
    struct gcl_buffer bytes;
    size_t count;
};

/** `mem` is borrowed; `limit_bytes` bounds the block, 0 is no limit. Allocates nothing. */
void gcl_signal_queue_init(struct gcl_signal_queue *queue, const gcl_allocator *mem,
                           size_t limit_bytes);

/** Empties it and gives its block back; it may be used again. */
void gcl_signal_queue_fini(struct gcl_signal_queue *queue);

/** Appends a copy. 0, GCL_ELIMIT or GCL_ENOMEM; on error nothing was added. */
int gcl_signal_queue_add(struct gcl_signal_queue *queue, const struct gcl_signal *signal);

/** The first signal, borrowing from the queue until its next change; false when it is empty. */
bool gcl_signal_queue_first(const struct gcl_signal_queue *queue, struct gcl_signal *signal);

/** Removes the first signal; there must be one. */
void gcl_signal_queue_remove_first(struct gcl_signal_queue *queue);

/** Gives back the block of an empty queue when it is much larger than what is usual. */
void gcl_signal_queue_shrink(struct gcl_signal_queue *queue);

static inline bool gcl_signal_queue_is_empty(const struct gcl_signal_queue *queue)
{
    return queue->count == 0;
}

#endif

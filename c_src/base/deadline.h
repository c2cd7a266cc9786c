/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Deadlines in a heap: setting, moving and cancelling cost O(log n), the next one O(1). A deadline
 * lives inside the struct it is for; the heap keeps one pointer each. Times are milliseconds of a
 * monotonic clock that the caller passes in.
 */
#ifndef GCL_BASE_DEADLINE_H
#define GCL_BASE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

#define GCL_NEVER UINT64_MAX

struct gcl_deadline {
    uint64_t at_ms;
    size_t position; /* in the heap, plus one; 0: not set */
    void (*expired)(struct gcl_deadline *deadline);
};

struct gcl_deadlines {
    const gcl_allocator *mem;
    struct gcl_deadline **heap;
    size_t count;
    size_t capacity;
};

/** `mem` is borrowed. Allocates nothing. */
void gcl_deadlines_init(struct gcl_deadlines *deadlines, const gcl_allocator *mem);

/** Cancels all. */
void gcl_deadlines_fini(struct gcl_deadlines *deadlines);

/** `expired` is called from gcl_deadlines_run(), with the deadline already unset. */
void gcl_deadline_init(struct gcl_deadline *deadline, void (*expired)(struct gcl_deadline *));

static inline bool gcl_deadline_is_set(const struct gcl_deadline *deadline)
{
    return deadline->position != 0;
}

/** Makes room for `count` deadlines in all: setting one of these cannot fail. 0 or GCL_ENOMEM. */
int gcl_deadlines_reserve(struct gcl_deadlines *deadlines, size_t count) GCL_MUST_USE;

/** Sets or moves it. 0, or GCL_ENOMEM and it is as it was; moving one that is set cannot fail. */
int gcl_deadlines_set(struct gcl_deadlines *deadlines, struct gcl_deadline *deadline,
                      uint64_t at_ms) GCL_MUST_USE;

/** Does nothing when it is not set. */
void gcl_deadlines_cancel(struct gcl_deadlines *deadlines, struct gcl_deadline *deadline);

/** The earliest time, or GCL_NEVER. */
uint64_t gcl_deadlines_next(const struct gcl_deadlines *deadlines);

/**
 * Calls `expired` of up to `most` deadlines that are not later than `now_ms`, the earliest first.
 * They may set and cancel any deadline, themselves included. True when more are due.
 */
bool gcl_deadlines_run(struct gcl_deadlines *deadlines, uint64_t now_ms, size_t most);

#endif

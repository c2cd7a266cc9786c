/* SPDX-License-Identifier: Apache-2.0 */
#include "base/deadline.h"

#include <string.h>

#include <gen_cluster/error.h>

enum { FIRST_CAPACITY = 16 };

void gcl_deadlines_init(struct gcl_deadlines *deadlines, const gcl_allocator *mem)
{
    memset(deadlines, 0, sizeof *deadlines);
    deadlines->mem = mem;
}

void gcl_deadlines_fini(struct gcl_deadlines *deadlines)
{
    for (size_t i = 0; i < deadlines->count; i++)
        deadlines->heap[i]->position = 0;
    gcl_free(deadlines->mem, deadlines->heap);
    gcl_deadlines_init(deadlines, deadlines->mem);
}

void gcl_deadline_init(struct gcl_deadline *deadline, void (*expired)(struct gcl_deadline *))
{
    deadline->at_ms = 0;
    deadline->position = 0;
    deadline->expired = expired;
}

static void place(struct gcl_deadlines *deadlines, size_t i, struct gcl_deadline *deadline)
{
    deadlines->heap[i] = deadline;
    deadline->position = i + 1;
}

static void sift_up(struct gcl_deadlines *deadlines, size_t i)
{
    struct gcl_deadline *moving = deadlines->heap[i];
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (deadlines->heap[parent]->at_ms <= moving->at_ms)
            break;
        place(deadlines, i, deadlines->heap[parent]);
        i = parent;
    }
    place(deadlines, i, moving);
}

static void sift_down(struct gcl_deadlines *deadlines, size_t i)
{
    struct gcl_deadline *moving = deadlines->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= deadlines->count)
            break;
        if (child + 1 < deadlines->count &&
            deadlines->heap[child + 1]->at_ms < deadlines->heap[child]->at_ms)
            child++;
        if (moving->at_ms <= deadlines->heap[child]->at_ms)
            break;
        place(deadlines, i, deadlines->heap[child]);
        i = child;
    }
    place(deadlines, i, moving);
}

int gcl_deadlines_reserve(struct gcl_deadlines *deadlines, size_t count)
{
    if (count <= deadlines->capacity)
        return 0;
    size_t capacity = deadlines->capacity > 0 ? deadlines->capacity * 2 : FIRST_CAPACITY;
    if (capacity < count)
        capacity = count;
    void *heap = gcl_resize(deadlines->mem, deadlines->heap, capacity * sizeof(void *));
    if (heap == NULL)
        return GCL_ENOMEM;
    deadlines->heap = heap;
    deadlines->capacity = capacity;
    return 0;
}

int gcl_deadlines_set(struct gcl_deadlines *deadlines, struct gcl_deadline *deadline,
                      uint64_t at_ms)
{
    if (!gcl_deadline_is_set(deadline)) {
        int error = gcl_deadlines_reserve(deadlines, deadlines->count + 1);
        if (error != 0)
            return error;
        place(deadlines, deadlines->count++, deadline);
    }
    deadline->at_ms = at_ms;
    sift_up(deadlines, deadline->position - 1);
    sift_down(deadlines, deadline->position - 1);
    return 0;
}

void gcl_deadlines_cancel(struct gcl_deadlines *deadlines, struct gcl_deadline *deadline)
{
    if (!gcl_deadline_is_set(deadline))
        return;
    size_t i = deadline->position - 1;
    struct gcl_deadline *last = deadlines->heap[--deadlines->count];
    deadline->position = 0;
    if (last == deadline)
        return;
    place(deadlines, i, last);
    sift_up(deadlines, i);
    sift_down(deadlines, last->position - 1);
}

uint64_t gcl_deadlines_next(const struct gcl_deadlines *deadlines)
{
    return deadlines->count == 0 ? GCL_NEVER : deadlines->heap[0]->at_ms;
}

bool gcl_deadlines_run(struct gcl_deadlines *deadlines, uint64_t now_ms, size_t most)
{
    while (gcl_deadlines_next(deadlines) <= now_ms) {
        struct gcl_deadline *due = deadlines->heap[0];
        if (most-- == 0)
            return true;
        gcl_deadlines_cancel(deadlines, due);
        due->expired(due);
    }
    return false;
}

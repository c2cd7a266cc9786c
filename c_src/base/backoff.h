/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How long to wait before something is tried again: longer each time, and never the same for two
 * who began together. No clock, and no random source of its own.
 */
#ifndef GCL_BASE_BACKOFF_H
#define GCL_BASE_BACKOFF_H

#include <stdint.h>

struct gcl_backoff {
    uint32_t min_ms;
    uint32_t max_ms;
    uint32_t ceiling_ms; /* of the last wait; 0: there was none */
};

/** `min_ms` is at least 1 and at most `max_ms`. */
static inline void gcl_backoff_init(struct gcl_backoff *backoff, uint32_t min_ms, uint32_t max_ms)
{
    backoff->min_ms = min_ms;
    backoff->max_ms = max_ms;
    backoff->ceiling_ms = 0;
}

/**
 * The next wait: in the n-th one after a reset somewhere, by `random`, between the least wait
 * doubled n - 1 and n times, but within the bounds.
 */
uint32_t gcl_backoff_next(struct gcl_backoff *backoff, uint32_t random);

/** It has worked: the next wait is a first one. */
static inline void gcl_backoff_reset(struct gcl_backoff *backoff)
{
    backoff->ceiling_ms = 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

static uint32_t twice(uint32_t value, uint32_t most)
{
    return value > most / 2 ? most : value * 2;
}

uint32_t gcl_backoff_next(struct gcl_backoff *backoff, uint32_t random)
{
    uint32_t last = backoff->ceiling_ms != 0 ? backoff->ceiling_ms : backoff->min_ms;
    uint32_t ceiling = twice(last, backoff->max_ms);
    /* At the upper bound half of it is left for chance. */
    uint32_t floor = ceiling / 2 > backoff->min_ms ? ceiling / 2 : backoff->min_ms;
    backoff->ceiling_ms = ceiling;
    return floor + (uint32_t)((uint64_t)random * (ceiling - floor + UINT64_C(1)) >> 32);
}

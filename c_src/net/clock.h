/* SPDX-License-Identifier: Apache-2.0 */
/** The clock of deadlines: one that nobody sets. */
#ifndef GCL_NET_CLOCK_H
#define GCL_NET_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Milliseconds of CLOCK_MONOTONIC. */
static inline uint64_t gcl_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A list on its way into an answer, of which nobody knows yet how long it is: walked once to be
 * counted, and once to be written. What is beyond the room that there is for it is left out.
 */
#ifndef GCL_SERVER_RPC_LISTING_H
#define GCL_SERVER_RPC_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include <gen_cluster/id.h>
#include <gen_cluster/term.h>

/** Pids and names in one answer. */
enum { GCL_LISTED_MAX = 16384 };

struct gcl_listing {
    gcl_writer *out; /* NULL: it is counted */
    uint32_t count;
    uint32_t max;
    int error;
};

/** Adds each element of a list; it may end when the listing is full. */
typedef void gcl_walk(const void *of, struct gcl_listing *listing);

/** Counts one more. True when it is to be written, too; `error` takes what comes of that. */
bool gcl_listing_take(struct gcl_listing *listing);

void gcl_listing_add_pid(struct gcl_listing *listing, gcl_pid pid);

static inline bool gcl_listing_is_full(const struct gcl_listing *listing)
{
    return listing->count == listing->max || listing->error != 0;
}

/** Writes a list of at most `*left` elements, which become fewer. Errors of gcl_write(). */
int gcl_listing_write(gcl_walk *walk, const void *of, uint32_t *left, gcl_writer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/listing.h"

bool gcl_listing_take(struct gcl_listing *listing)
{
    if (listing->count == listing->max)
        return false;
    listing->count++;
    return listing->out != NULL && listing->error == 0;
}

void gcl_listing_add_pid(struct gcl_listing *listing, gcl_pid pid)
{
    if (gcl_listing_take(listing))
        listing->error = gcl_write(listing->out, "~p", pid);
}

int gcl_listing_write(gcl_walk *walk, const void *of, uint32_t *left, gcl_writer *out)
{
    struct gcl_listing counted = {.max = *left};
    struct gcl_listing written = {.out = out, .max = *left};
    walk(of, &counted);
    written.error = gcl_write_list(out, counted.count);
    walk(of, &written);
    *left -= counted.count;
    if (written.error != 0 || counted.count == 0)
        return written.error;
    return gcl_write(out, "[]");
}

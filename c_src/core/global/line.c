/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that are wanted, found by what they have in common: the process, its resource, its id. Each
 * is in a line of its like, in the order in which they were asked for. A line is what is first in
 * it: it has no copy of what they have in common, and goes with the last one.
 */
#include "core/global/machine.h"

struct gcl_gns_line {
    enum gcl_gns_alike alike;
    uint32_t hash;
    struct gcl_list lockings; /* by their places; never empty */
};

static struct gcl_gns_locking *first_of(const struct gcl_gns_line *line)
{
    struct gcl_list *at = gcl_list_first(&line->lockings);
    return GCL_CONTAINER_OF(at, struct gcl_gns_place, at_line)->locking;
}

/* --- what they have in common --------------------------------------------------------------- */

static bool have_same_resource(const struct gcl_gns_locking *a, const struct gcl_gns_locking *b)
{
    gcl_term first, second;
    return gcl_match(a->trans.id, "{~t, _}", &first) &&
           gcl_match(b->trans.id, "{~t, _}", &second) && gcl_term_equal(first, second);
}

static bool are_alike(enum gcl_gns_alike alike, const struct gcl_gns_locking *a,
                      const struct gcl_gns_locking *b)
{
    if (!gcl_pid_equal(a->trans.holder, b->trans.holder))
        return false;
    switch (alike) {
    case GCL_GNS_OF_PROCESS:
        return true;
    case GCL_GNS_OF_RESOURCE:
        return have_same_resource(a, b);
    case GCL_GNS_OF_ID:
    case GCL_GNS_ALIKES:
        return gcl_term_equal(a->trans.id, b->trans.id);
    }
    return false;
}

struct wanted {
    enum gcl_gns_alike alike;
    const struct gcl_gns_locking *like;
};

static bool is_line_of(const void *item, const void *key)
{
    const struct gcl_gns_line *line = item;
    const struct wanted *wanted = key;
    return line->alike == wanted->alike && are_alike(line->alike, first_of(line), wanted->like);
}

static uint32_t hash_of(const struct gcl_gns *gns, enum gcl_gns_alike alike,
                        const struct gcl_gns_locking *locking)
{
    const gcl_pid pid = locking->trans.holder;
    const uint32_t words[] = {(uint32_t)alike,
                              pid.node,
                              pid.generation,
                              pid.id,
                              pid.serial,
                              alike == GCL_GNS_OF_PROCESS ? 0 : locking->resource_hash,
                              alike == GCL_GNS_OF_ID ? locking->requester_hash : 0};
    return gcl_hash(gns->config.seed, words, sizeof words);
}

static struct gcl_gns_line *find(const struct gcl_gns *gns, enum gcl_gns_alike alike,
                                 const struct gcl_gns_locking *like, uint32_t hash)
{
    const struct wanted wanted = {alike, like};
    return gcl_table_find(&gns->lines, hash, is_line_of, &wanted);
}

struct gcl_gns_locking *gcl_gns_line_first(const struct gcl_gns *gns, enum gcl_gns_alike alike,
                                           const struct gcl_gns_locking *like)
{
    const struct gcl_gns_line *line = find(gns, alike, like, hash_of(gns, alike, like));
    return line != NULL ? first_of(line) : NULL;
}

/* --- joining and leaving -------------------------------------------------------------------- */

/* With nobody in it: the caller adds who it is for. */
static struct gcl_gns_line *new_line(struct gcl_gns *gns, enum gcl_gns_alike alike, uint32_t hash)
{
    struct gcl_gns_line *line = gcl_alloc_zero(gns->config.mem, sizeof *line);
    if (line == NULL)
        return NULL;
    line->alike = alike;
    line->hash = hash;
    gcl_list_init(&line->lockings);
    if (gcl_table_add(&gns->lines, hash, line) == 0)
        return line;
    gcl_free(gns->config.mem, line);
    return NULL;
}

void gcl_gns_line_join(struct gcl_gns *gns, enum gcl_gns_alike alike,
                       struct gcl_gns_locking *locking)
{
    struct gcl_gns_place *place = &locking->places[alike];
    uint32_t hash = hash_of(gns, alike, locking);
    struct gcl_gns_line *line = find(gns, alike, locking, hash);
    if (line == NULL)
        line = new_line(gns, alike, hash);
    if (line == NULL) {
        gns->has_failed = true;
        return;
    }
    place->locking = locking;
    place->line = line;
    gcl_list_init(&place->at_line);
    gcl_list_add_last(&line->lockings, &place->at_line);
}

static bool is_this(const void *item, const void *key)
{
    return item == key;
}

void gcl_gns_line_leave(struct gcl_gns *gns, enum gcl_gns_alike alike,
                        struct gcl_gns_locking *locking)
{
    struct gcl_gns_place *place = &locking->places[alike];
    struct gcl_gns_line *line = place->line;
    if (line == NULL)
        return;
    place->line = NULL;
    gcl_list_remove(&place->at_line);
    if (!gcl_list_is_empty(&line->lockings))
        return;
    (void)gcl_table_remove(&gns->lines, line->hash, is_this, line);
    gcl_free(gns->config.mem, line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The node names that pids and references belong to: a name and a creation get a place, and pids
 * hold the place and its generation. Entries that something uses are held and stay; the others are
 * recycled, the longest unused first, once there are more than the limit: every shell and every
 * health check that connects brings a fresh name, for months.
 *
 * Place 0 is the local node.
 */
#ifndef GCL_CORE_NAMES_H
#define GCL_CORE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <gen_cluster/id.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/str.h"
#include "base/table.h"

enum {
    GCL_NAMES_LOCAL = 0,
    GCL_NODE_NAME_MAX_BYTES = 1020, /* an atom: 255 characters of at most four bytes */
};

struct gcl_name {
    struct gcl_list idle; /* among the entries that nobody holds, the longest unused first */
    uint32_t index;
    uint32_t generation;
    uint32_t creation;
    uint32_t holds;
    uint32_t hash;
    uint16_t size;
    bool in_use;
    uint32_t task_count; /* for the room `server`: functions that run for this node */
    void *route; /* for the node layer: the peer of this name, see gcl_names_clear_route() */
    uint8_t *bytes;
};

struct gcl_names {
    const gcl_allocator *mem;
    uint64_t seed[2];
    struct gcl_name **places;
    uint32_t count;    /* places in use or free */
    uint32_t capacity; /* of `places` */
    uint32_t limit;
    uint32_t recent; /* the place found last, tried first: messages come in runs from one node */
    struct gcl_list idle;
    struct gcl_list vacant;
    struct gcl_table table;
};

/** Allocates nothing. `limit`: number of entries from which unheld ones are recycled, at least 1.
 */
void gcl_names_init(struct gcl_names *names, const gcl_allocator *mem, const uint64_t seed[2],
                    uint32_t limit);

void gcl_names_fini(struct gcl_names *names);

/**
 * Sets name and creation of the local node; the first call makes place 0. A later one changes the
 * entry in place (a name given by a peer, a creation by epmd) and must come before any pid is
 * shown to anyone. 0, GCL_ENAME (empty or too long) or GCL_ENOMEM.
 */
int gcl_names_set_local(struct gcl_names *names, struct gcl_str text, uint32_t creation);

/**
 * Finds or makes the entry of a node. The text is copied. Not held: it may be recycled by any
 * later intern unless gcl_names_hold() is called. 0, GCL_ENAME (empty, too long, or with a NUL) or
 * GCL_ENOMEM.
 */
int gcl_names_intern(struct gcl_names *names, struct gcl_str text, uint32_t creation,
                     struct gcl_name **out);

/** The entry of a place of that generation; NULL when it was recycled. */
static inline struct gcl_name *gcl_names_get(const struct gcl_names *names, uint32_t index,
                                             uint32_t generation)
{
    if (index >= names->count || names->places[index]->generation != generation)
        return NULL;
    return names->places[index];
}

static inline struct gcl_str gcl_name_str(const struct gcl_name *name)
{
    return gcl_str_make(name->bytes, name->size);
}

/** Keeps the entry in its place until as many gcl_names_release(). */
void gcl_names_hold(struct gcl_names *names, struct gcl_name *name);
void gcl_names_release(struct gcl_names *names, struct gcl_name *name);

/** Forgets `route` wherever it is set. */
void gcl_names_clear_route(struct gcl_names *names, const void *route);

#endif

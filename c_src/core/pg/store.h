/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who is in which group: for each owner (this node, or the scope of another one) and each group a
 * share, which is a sorted array of the owner's pids, each as often as it has joined. Everything is
 * found by hash; the end of an owner costs what it had.
 */
#ifndef GCL_CORE_PG_STORE_H
#define GCL_CORE_PG_STORE_H

#include <gen_cluster/id.h>
#include <gen_cluster/term.h>

#include "base/buffer.h"
#include "base/list.h"
#include "base/table.h"

struct gcl_pg_pids {
    gcl_pid *items;
    size_t count;
    size_t capacity;
};

/** Lives as long as it has members, or watches, or is held. */
struct gcl_pg_group {
    struct gcl_list shares;  /* struct gcl_pg_share.at_group */
    struct gcl_list watches; /* struct gcl_pg_watch of core/pg/pg.h */
    uint32_t holds;
    uint32_t hash;
    uint32_t key_size;
    uint32_t term_size;
    uint8_t bytes[]; /* the key, then the term as it came first */
};

/** The counts are of shares of the current round. */
struct gcl_pg_owner {
    struct gcl_list shares; /* struct gcl_pg_share.at_owner; those of earlier rounds first */
    uint32_t round;
    uint32_t groups;
    uint32_t members;
    size_t bytes; /* of the groups */
};

struct gcl_pg_share {
    struct gcl_list at_owner;
    struct gcl_list at_group;
    struct gcl_pg_owner *owner;
    struct gcl_pg_group *group;
    uint32_t round;
    struct gcl_pg_pids pids;
};

/** Of one owner. */
struct gcl_pg_limits {
    uint32_t groups;
    uint32_t members;
    size_t bytes;
};

struct gcl_pg_store {
    const gcl_allocator *mem;
    uint64_t seed[2];
    struct gcl_pg_limits limits;
    struct gcl_table groups;
    struct gcl_table shares;
    struct gcl_buffer key;
};

/* --- pids ----------------------------------------------------------------------------------- */

/** Room for `count` pids. 0 or GCL_ENOMEM. */
int gcl_pg_pids_reserve(const gcl_allocator *mem, struct gcl_pg_pids *pids,
                        size_t count) GCL_MUST_USE;

void gcl_pg_pids_sort(struct gcl_pg_pids *pids);

/** `out`, which has room, becomes `a` without `b`; both are sorted. */
void gcl_pg_pids_subtract(const struct gcl_pg_pids *a, const struct gcl_pg_pids *b,
                          struct gcl_pg_pids *out);

/* --- the store ------------------------------------------------------------------------------ */

/** `mem` is borrowed; nothing is allocated. */
void gcl_pg_store_init(struct gcl_pg_store *store, const gcl_allocator *mem, const uint64_t seed[2],
                       const struct gcl_pg_limits *limits);

/** All owners must be empty, and no group watched or held. */
void gcl_pg_store_fini(struct gcl_pg_store *store);

void gcl_pg_owner_init(struct gcl_pg_owner *owner);

/**
 * The group that a term names, in `*group`; NULL when there is none, unless `is_needed`: then it is
 * made, and goes with gcl_pg_store_release() if nothing is done with it. 0; GCL_ETERM; GCL_ELIMIT:
 * nested too deep; GCL_ENOMEM.
 */
int gcl_pg_store_group(struct gcl_pg_store *store, gcl_term term, bool is_needed,
                       struct gcl_pg_group **group) GCL_MUST_USE;

/** Frees the group if nothing needs it. */
void gcl_pg_store_release(struct gcl_pg_store *store, struct gcl_pg_group *group);

/** The next group in no order, from `*position` 0 on; NULL at the end. */
struct gcl_pg_group *gcl_pg_store_each(const struct gcl_pg_store *store, size_t *position);

gcl_term gcl_pg_group_term(const struct gcl_pg_group *group, gcl_term_context *context);

/** What the owner has in the group, or NULL. */
struct gcl_pg_share *gcl_pg_store_share(const struct gcl_pg_store *store,
                                        const struct gcl_pg_owner *owner,
                                        const struct gcl_pg_group *group);

/** Adds sorted pids, at least one. GCL_ELIMIT, GCL_ENOMEM; then nothing has changed. */
int gcl_pg_store_add(struct gcl_pg_store *store, struct gcl_pg_owner *owner,
                     struct gcl_pg_group *group, const struct gcl_pg_pids *pids) GCL_MUST_USE;

/** Makes the owner's share, of an earlier round or none, one of this round: sorted `pids`. As
 * gcl_pg_store_add(). */
int gcl_pg_store_replace(struct gcl_pg_store *store, struct gcl_pg_owner *owner,
                         struct gcl_pg_group *group, const struct gcl_pg_pids *pids) GCL_MUST_USE;

/**
 * Takes one of each of the sorted `pids` out of a share; `taken`, which has room, becomes those
 * that were there. The share goes when it is empty, but never the group. Needs no memory.
 */
void gcl_pg_store_take(struct gcl_pg_store *store, struct gcl_pg_share *share,
                       const struct gcl_pg_pids *pids, struct gcl_pg_pids *taken);

/** Ends a share; its pids change places with those of `pids`. Needs no memory. */
void gcl_pg_store_end(struct gcl_pg_store *store, struct gcl_pg_share *share,
                      struct gcl_pg_pids *pids);

/** What the owner has from now on is of a new round: nothing counts any more. */
void gcl_pg_owner_begin_round(struct gcl_pg_owner *owner);

#endif

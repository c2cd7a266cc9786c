/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Links: one struct for a pair of processes, of which `near` is local. A link to a remote process
 * that was unlinked stays, inactive, until the other side has acknowledged: an exit that crosses
 * the unlink must be ignored.
 *
 * spec: erl_dist_protocol, "Link Protocol": an unlink id is answered with the same id before any
 * other signal to that process; only an active link lets an exit through.
 */
#ifndef GCL_CORE_LINK_H
#define GCL_CORE_LINK_H

#include <gen_cluster/id.h>

#include "base/table.h"
#include "core/names.h"
#include "core/peer.h"
#include "core/process.h"

struct gcl_link {
    struct gcl_list at_near;       /* in near->links */
    struct gcl_list at_far;        /* in far->far_links or peer->links */
    struct gcl_core_process *near; /* of two local ones: the smaller number */
    struct gcl_core_process *far;  /* NULL: remote, or there was no such process */
    struct gcl_name *remote_node;  /* held; NULL when both ends are local */
    gcl_pid far_pid;
    uint64_t unlink_id; /* 0: active */
};

struct gcl_links {
    const gcl_allocator *mem;
    uint64_t seed[2];
    struct gcl_names *names;
    struct gcl_table table;
    uint64_t next_unlink_id;
};

void gcl_links_init(struct gcl_links *links, const gcl_allocator *mem, const uint64_t seed[2],
                    struct gcl_names *names);

/** Frees the table only: all links must be gone, by the ends of processes and peers. */
void gcl_links_fini(struct gcl_links *links);

/** The link of `near` with `far`, in either order, or NULL. `far` is local, or NULL and `far_pid`.
 */
struct gcl_link *gcl_links_find(const struct gcl_links *links, struct gcl_core_process *near,
                                struct gcl_core_process *far, gcl_pid far_pid);

/**
 * Adds an active link that is not there yet. `peer` is NULL when `far` is local or nobody.
 * 0, GCL_ESTALE or GCL_ENOMEM.
 */
int gcl_links_add(struct gcl_links *links, struct gcl_core_process *near,
                  struct gcl_core_process *far, gcl_pid far_pid, struct gcl_core_peer *peer,
                  struct gcl_link **out);

/** Takes it out of the table and both lists; it stays readable until gcl_link_free(). */
void gcl_links_unlist(struct gcl_links *links, struct gcl_link *link);

/** Of one that was unlisted. NULL: nothing. */
void gcl_link_free(struct gcl_links *links, struct gcl_link *link);

/** A new id for an unlink: 1 and up, never 0. */
uint64_t gcl_links_unlink_id(struct gcl_links *links);

#endif

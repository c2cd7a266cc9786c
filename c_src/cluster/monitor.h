/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The monitors of a membership machine: the machine knows them by its tags, the node by references.
 * One that could not be set has none; it fires when it is asked for.
 */
#ifndef GCL_CLUSTER_MONITOR_H
#define GCL_CLUSTER_MONITOR_H

#include <gen_cluster/id.h>

#include "base/list.h"
#include "base/table.h"
#include "core/membership/id.h"

struct gcl_cluster_monitor {
    struct gcl_list at_failed; /* listed: it could not be set */
    gcl_ref ref;
    uint64_t tag;
    bool is_pid;             /* else a name on the node of `id` */
    struct gcl_member_id id; /* its node name is that in `bytes` */
    uint8_t bytes[];
};

struct gcl_cluster_monitors {
    const gcl_allocator *mem;
    const uint64_t *seed; /* of hashes */
    struct gcl_table by_ref;
    struct gcl_table by_tag;
    struct gcl_list failed;
};

/** Both are borrowed. Allocates nothing. */
void gcl_cluster_monitors_init(struct gcl_cluster_monitors *monitors, const gcl_allocator *mem,
                               const uint64_t seed[2]);
void gcl_cluster_monitors_fini(struct gcl_cluster_monitors *monitors);

/** Adds one; `ref` NULL: it could not be set. `id` is copied. NULL when there is no memory. */
struct gcl_cluster_monitor *gcl_cluster_monitors_add(struct gcl_cluster_monitors *monitors,
                                                     const struct gcl_member_id *id, bool is_pid,
                                                     uint64_t tag, const gcl_ref *ref);

/** Each takes it out: gcl_free() it. NULL: there is none. */
struct gcl_cluster_monitor *gcl_cluster_monitors_take_ref(struct gcl_cluster_monitors *monitors,
                                                          const gcl_ref *ref);
struct gcl_cluster_monitor *gcl_cluster_monitors_take_tag(struct gcl_cluster_monitors *monitors,
                                                          uint64_t tag);
struct gcl_cluster_monitor *gcl_cluster_monitors_take_failed(struct gcl_cluster_monitors *monitors);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Monitors: one struct from watcher to target, listed at both ends, found by its reference. At
 * least one end is a local process.
 */
#ifndef GCL_CORE_MONITOR_H
#define GCL_CORE_MONITOR_H

#include <gen_cluster/id.h>

#include "base/table.h"
#include "core/names.h"
#include "core/peer.h"
#include "core/process.h"

struct gcl_monitor {
    struct gcl_list at_watcher; /* in process->watching or peer->watchers */
    struct gcl_list at_target;  /* in process->watchers or peer->watched */
    gcl_ref ref;
    struct gcl_core_process *watcher; /* NULL: `remote` watches */
    struct gcl_core_process *target;  /* NULL: `remote` is watched, or there was no target */
    struct gcl_core_peer *peer;       /* of the remote end; only ever compared */
    struct gcl_name *remote_node;     /* held; NULL when both ends are local */
    gcl_pid remote;                   /* id and serial are 0 when watched by name */
    bool is_awaited;                  /* the process was asked for: it is not known yet */
    bool wants_link;                  /* ... and shall be linked, too */
    uint16_t name_size;               /* what was watched, if by name */
    uint8_t name[];
};

/* Monitors come and go with every call, so a bounded number of blocks is kept: those without a name
 * and those with room for a usual one. */
enum { GCL_MONITOR_BLOCKS = 2, GCL_MONITOR_NAME_ROOM = 32, GCL_MONITOR_SPARE_MAX = 256 };

struct gcl_monitors {
    const gcl_allocator *mem;
    uint64_t seed[2];
    struct gcl_names *names;
    struct gcl_table table;
    struct gcl_list spare[GCL_MONITOR_BLOCKS]; /* by at_watcher */
    unsigned spare_count[GCL_MONITOR_BLOCKS];
};

void gcl_monitors_init(struct gcl_monitors *monitors, const gcl_allocator *mem,
                       const uint64_t seed[2], struct gcl_names *names);

/** Frees the table only: all monitors must be gone, by the ends of processes and peers. */
void gcl_monitors_fini(struct gcl_monitors *monitors);

/** The ends of a monitor to be made. Borrowed. */
struct gcl_monitor_ends {
    struct gcl_core_process *watcher; /* NULL: remote */
    struct gcl_core_process *target;  /* NULL: remote or nobody */
    struct gcl_core_peer *peer;       /* of the remote end; NULL: there is none */
    gcl_pid remote;
    struct gcl_str name; /* empty: by pid */
};

/** 0, GCL_EEXIST (the reference is in use), GCL_ESTALE (node of the remote end) or GCL_ENOMEM. */
int gcl_monitors_add(struct gcl_monitors *monitors, const gcl_ref *ref,
                     const struct gcl_monitor_ends *ends, struct gcl_monitor **out);

struct gcl_monitor *gcl_monitors_find(const struct gcl_monitors *monitors, const gcl_ref *ref);

/** The process that was awaited is there. 0, or GCL_ESTALE: its node is not known any more. */
int gcl_monitors_arrive(struct gcl_monitors *monitors, struct gcl_monitor *monitor, gcl_pid remote);

/** Takes it out of the table and both lists; it stays readable until gcl_monitor_free(). */
void gcl_monitors_unlist(struct gcl_monitors *monitors, struct gcl_monitor *monitor);

/** Of one that was unlisted. NULL: nothing. */
void gcl_monitor_free(struct gcl_monitors *monitors, struct gcl_monitor *monitor);

static inline struct gcl_str gcl_monitor_name(const struct gcl_monitor *monitor)
{
    return gcl_str_make(monitor->name, monitor->name_size);
}

#endif

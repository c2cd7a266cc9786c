/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The local processes as the rest of the core sees them, and the array in which a pid finds its
 * process. Numbers of 28 bits are given in turn; a number's low bits are its slot, so that a lookup
 * is one mask and one comparison, and the array can double without a number changing its slot.
 * A number is used again only after 2^28 processes.
 *
 * spec: peers without DFLAG_V4_NC (OTP 23) take 15 bits of id and 13 of serial, so a number is
 * split that way for all of them.
 */
#ifndef GCL_CORE_PROCESS_H
#define GCL_CORE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <gen_cluster/id.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/str.h"

struct gcl_registration;

/** Embedded in what the node layer keeps for a process. */
struct gcl_core_process {
    uint32_t number;
    bool ended;                /* gcl_core_exit() was called: the rest is being told */
    bool minds_watchers;       /* it is told when a monitor on it is taken back */
    bool trap_exit;            /* exit signals are delivered instead of ending it */
    struct gcl_list links;     /* struct gcl_link of which it is the near end */
    struct gcl_list far_links; /* ... and the far end */
    struct gcl_list watchers;  /* struct gcl_monitor: who watches it */
    struct gcl_list watching;  /* struct gcl_monitor: what it watches */
    struct gcl_list aliases;   /* struct gcl_alias */
    struct gcl_registration *registration;
    struct gcl_list work;  /* among those that have ended */
    struct gcl_str reason; /* owned, once it has ended */
};

struct gcl_processes {
    const gcl_allocator *mem;
    struct gcl_core_process **slots;
    uint32_t capacity; /* 0 or a power of two */
    uint32_t count;
    uint32_t limit;
    uint32_t next; /* number to try next */
};

/** Allocates nothing. `limit`: most processes at a time, at most 2^27. */
void gcl_processes_init(struct gcl_processes *processes, const gcl_allocator *mem, uint32_t limit);

/** Gives the array back; the processes belong to the caller. */
void gcl_processes_fini(struct gcl_processes *processes);

/** Initialises `process` and gives it a number. 0, GCL_ELIMIT or GCL_ENOMEM. */
int gcl_processes_add(struct gcl_processes *processes, struct gcl_core_process *process);

void gcl_processes_remove(struct gcl_processes *processes, struct gcl_core_process *process);

/** The process of an id and serial of the local node, or NULL. */
struct gcl_core_process *gcl_processes_find(const struct gcl_processes *processes, uint32_t id,
                                            uint32_t serial);

/** The next process in no order; start with `*slot` 0; NULL when there is no more. */
struct gcl_core_process *gcl_processes_each(const struct gcl_processes *processes, uint32_t *slot);

static inline uint32_t gcl_process_id(const struct gcl_core_process *process)
{
    return process->number & 0x7fff;
}

static inline uint32_t gcl_process_serial(const struct gcl_core_process *process)
{
    return process->number >> 15;
}

#endif

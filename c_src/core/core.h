/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The processes of a node and what ties them to others: names, links, monitors, aliases. No bytes
 * of the wire, no socket, no clock; nothing here calls user code.
 *
 * Use: tell what happened (a signal came, a process ended, a node was lost), then take effects with
 * gcl_core_next() until there is none, carrying out each. What a death leads to can be much; it is
 * walked one effect at a time from the lists themselves, so memory does not grow with it, and the
 * caller may stop at its budget and go on next turn, as long as it takes the rest before it tells
 * of the next event.
 *
 * What a local process does (monitor, link, ...) changes state and gives no effect: the caller
 * sends the signal that the function hands back, at once, so that it keeps its place among the
 * messages that the process sends.
 */
#ifndef GCL_CORE_CORE_H
#define GCL_CORE_CORE_H

#include "core/alias.h"
#include "core/link.h"
#include "core/monitor.h"
#include "core/names.h"
#include "core/peer.h"
#include "core/process.h"
#include "core/registry.h"
#include "core/signal.h"

struct gcl_core_config {
    const gcl_allocator *mem; /* borrowed for the life of the core */
    uint64_t seed[2];         /* of the hash tables; random */
    uint32_t max_processes;
    uint32_t max_names; /* node names kept that nothing uses */
    uint32_t max_edges; /* links and monitors, all together */
};

enum gcl_effect_kind {
    GCL_EFFECT_DELIVER,   /* `process` gets the message signal.term; by `alias` if not NULL */
    GCL_EFFECT_DOWN,      /* a monitor of `process` fired: signal.ref, .from, .from_name, .term */
    GCL_EFFECT_EXIT,      /* `process` traps exits and gets one: signal.from, .term */
    GCL_EFFECT_END,       /* `process` has to end with the reason signal.term: gcl_core_exit() */
    GCL_EFFECT_UNWATCHED, /* a monitor on `process`, which wants to know, was taken back:
                             signal.ref, .from */
    GCL_EFFECT_SPAWNED,   /* what `process` has asked for is there, or not: signal.ref, .from,
                             .from_name */
    GCL_EFFECT_SIGNAL,    /* `signal` has to be sent to the node of signal.to */
    GCL_EFFECT_FREE,      /* everybody knows that `process` has ended: it may be freed */
};

/** Pointers are borrowed and valid until the next call of gcl_core_next(). */
struct gcl_effect {
    enum gcl_effect_kind kind;
    struct gcl_core_process *process;
    struct gcl_alias *alias;
    struct gcl_signal signal;
};

struct gcl_core {
    const gcl_allocator *mem;
    struct gcl_names names;
    struct gcl_processes processes;
    struct gcl_registry registry;
    struct gcl_monitors monitors;
    struct gcl_links links;
    struct gcl_aliases aliases;
    uint32_t max_edges;
    struct gcl_list ended;       /* processes whose end is being told */
    struct gcl_core_peer lost;   /* ends at nodes that are gone: noconnection */
    struct gcl_core_peer nobody; /* ends at processes that were not there: noproc */
    struct gcl_effect ready;     /* what the last event gave at once */
    bool is_ready;
    struct gcl_monitor *spent_monitor; /* behind the last effect; freed by the next call */
    struct gcl_link *spent_link;
    uint32_t next_ref[3];
};

/** 0 or GCL_ENOMEM. Name and creation of the node are set in `names` by the caller. */
int gcl_core_init(struct gcl_core *core, const struct gcl_core_config *config);

/** All processes must have been freed and all peers told to be lost. */
void gcl_core_fini(struct gcl_core *core);

/* --- events --------------------------------------------------------------------------------- */

/**
 * A signal arrived: from `peer`, or from a local process and `peer` is NULL (SEND, EXIT2,
 * DEMONITOR, STOP, BEGIN, SPAWN_REPLY and END only).
 * 0; GCL_ENOMEM or GCL_ELIMIT when a link or monitor could not be kept: then the peer has been
 * promised nothing and its connection has to be closed.
 */
int gcl_core_signal(struct gcl_core *core, struct gcl_core_peer *peer,
                    const struct gcl_signal *signal);

/** `process` has ended; `reason` is an encoded term and is copied. Its names are free at once. */
void gcl_core_exit(struct gcl_core *core, struct gcl_core_process *process, struct gcl_str reason);

/** The connection to a node was lost, or could not be made. */
void gcl_core_peer_down(struct gcl_core *core, struct gcl_core_peer *peer);

/** The next effect; false when there is none. */
bool gcl_core_next(struct gcl_core *core, struct gcl_effect *effect);

/* --- what local processes do ---------------------------------------------------------------- */

/** A new process; embedded by the caller. 0, GCL_ELIMIT or GCL_ENOMEM. */
int gcl_core_spawn(struct gcl_core *core, struct gcl_core_process *process);

/** The pid of a local process. */
gcl_pid gcl_core_pid(const struct gcl_core *core, const struct gcl_core_process *process);

/** The living local process with this pid, or NULL. */
struct gcl_core_process *gcl_core_find(const struct gcl_core *core, gcl_pid pid);

/** The living local process that a target means, or NULL; `*alias` when found by one. */
struct gcl_core_process *gcl_core_target(const struct gcl_core *core,
                                         const struct gcl_target *target, struct gcl_alias **alias);

/** Room for one more link or monitor. */
static inline bool gcl_core_may_add_edge(const struct gcl_core *core)
{
    return gcl_table_count(&core->monitors.table) + gcl_table_count(&core->links.table) <
           core->max_edges;
}

static inline bool gcl_core_is_local(const gcl_pid *pid)
{
    return pid->node == GCL_NAMES_LOCAL;
}

/** A reference that this node has not used before, of three words. */
gcl_ref gcl_core_make_ref(struct gcl_core *core);

/**
 * `watcher` monitors what `target` means, by a fresh `ref`. `peer` is that of a remote target, to
 * which the caller then sends a MONITOR; NULL for a local one. 0, GCL_ESTALE or GCL_ENOMEM.
 */
int gcl_core_monitor(struct gcl_core *core, struct gcl_core_process *watcher,
                     const struct gcl_target *target, struct gcl_core_peer *peer,
                     const gcl_ref *ref);

/**
 * `watcher` asks `peer` for a process, which it monitors from when it is there; and links itself
 * with, if so. `at` is its node: a pid without id. The caller then sends a SPAWN_REQUEST. Until the
 * reply the monitor stands for the request: it fires when the node is lost. Errors as above.
 */
int gcl_core_await_spawn(struct gcl_core *core, struct gcl_core_process *watcher, gcl_pid at,
                         struct gcl_core_peer *peer, const gcl_ref *ref, bool wants_link);

/**
 * Ends a monitor of `watcher`; its DOWN will not come any more. True when there was one and
 * `*signal` has to be sent; the signal borrows from the core until its next call.
 */
bool gcl_core_demonitor(struct gcl_core *core, const struct gcl_core_process *watcher,
                        const gcl_ref *ref, struct gcl_signal *signal);

/**
 * Links `process` with `other`; linking twice or with itself does nothing. `peer` as above. True
 * in `*send` when the caller has to send a LINK. 0, GCL_ESTALE, GCL_ELIMIT or GCL_ENOMEM.
 */
int gcl_core_link(struct gcl_core *core, struct gcl_core_process *process, gcl_pid other,
                  struct gcl_core_peer *peer, bool *send);

/** Unlinks. True when `*signal` (an UNLINK) has to be sent. */
bool gcl_core_unlink(struct gcl_core *core, struct gcl_core_process *process, gcl_pid other,
                     struct gcl_signal *signal);

/** `peer` has no unlink ids (OTP 23): unlinked links are forgotten, nobody will acknowledge. */
void gcl_core_forget_unlinks(struct gcl_core *core, struct gcl_core_peer *peer);

#endif

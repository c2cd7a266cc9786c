/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The inside of a node: it ties the core (what happens to processes) to the net (bytes and time),
 * and runs processes, between two effects.
 */
#ifndef GCL_NODE_NODE_H
#define GCL_NODE_NODE_H

#include <gen_cluster/node.h>

#include "base/log.h"
#include "base/slots.h"
#include "core/core.h"
#include "net/connection.h"
#include "net/epmd.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "node/reach.h"
#include "node/signal_queue.h"
#include "node/work.h"
#include "wire/term/context.h"

struct gcl_peer;
struct gcl_servers;
struct gcl_watchdog;

/** A process that is asked for. Borrows. */
struct gcl_spawn {
    gcl_pid from;
    gcl_ref ref;       /* of the request */
    bool is_monitored; /* by `from`, by the same reference */
    struct gcl_str module, function;
    uint32_t arity;
    struct gcl_str arguments; /* a term; not said to be a list of so many */
};

/**
 * The room above, as a node sees it. `finish`: when every process has ended; also when `start` has
 * failed. `peer_down`: at once, before anybody is told. `spawn`: a peer asks for a process: its
 * pid, or an atom that says why not; it must do nothing yet. `misuse`: as in struct
 * gcl_term_context, `user` is the node.
 */
struct gcl_node_services {
    int (*start)(struct gcl_node *node);
    void (*finish)(struct gcl_node *node);
    void (*peer_down)(struct gcl_node *node, const struct gcl_name *name);
    const char *(*spawn)(struct gcl_node *node, const struct gcl_spawn *spawn, gcl_pid *pid);
    void (*misuse)(const char *file, int line, const char *text, void *user);
};

struct gcl_node {
    const gcl_allocator *mem;
    gcl_node_config config; /* its strings are owned */
    char *name;
    char *host; /* in `name`, behind the @ */
    struct gcl_log log;
    struct gcl_loop loop;
    struct gcl_core core;
    struct gcl_connections connections;
    struct gcl_listener listener;
    struct gcl_address epmd;
    struct gcl_epmd_registration registration;
    struct gcl_list peers;    /* struct gcl_peer */
    struct gcl_list attempts; /* struct gcl_attempt: every connection */
    uint32_t attempt_count;
    struct {
        struct gcl_list list;
        struct gcl_deadline wait;
    } own_waiters;               /* of gcl_node_connect() with its own name: node/waiter.h */
    uint32_t lookup_count;       /* of ports of nodes, at their epmd */
    struct gcl_table peer_names; /* struct gcl_peer by name */
    uint64_t seed[2];
    struct gcl_signal_queue local;   /* what local processes were sent */
    struct gcl_signal_queue running; /* ... and is being handed out */
    gcl_term_context terms;
    struct gcl_buffer message;     /* what is being built to be sent: node/message.h */
    struct gcl_buffer event;       /* a term that was made for a handler */
    struct gcl_list node_watchers; /* struct gcl_process */
    struct gcl_list node_events;   /* what they are to be told */
    const struct gcl_node_services *services;
    struct gcl_servers *servers; /* theirs */
    unsigned busy; /* while it is not 0 no effect is taken: a handler runs, or settling
                      is under way */
    gcl_poster *poster;
    struct gcl_work_pool *pool;
    struct gcl_resolver *resolver;
    struct gcl_reach reach;
    struct gcl_watchdog *watchdog; /* NULL: a hidden node, or it was not wanted */
    uint64_t stalled_ms;           /* not 0: how long, while that is being put right */
    uint64_t untold_stalled_ms;    /* not 0: the program is to be told so much */
    struct gcl_deadline ready;
    bool is_ready;
    bool is_registering; /* the creation is awaited */
    bool has_told_name_kind;
    bool is_closing;
    bool has_begun_close;
    int close_error;
};

/** gcl_node_new(), with what stands on the node. */
int gcl_node_open(const struct gcl_node_services *services, const gcl_node_config *config,
                  gcl_node **out, char *detail, size_t detail_size);

/** Takes what the core has to say and carries it out, until there is no more. */
void gcl_node_settle(struct gcl_node *node);

/**
 * Sends a signal: to a local process by way of the queue, to a remote one over its connection,
 * which is made when there is none. 0; GCL_EBUSY: a message that is not owed, for a connection
 * above its soft limit; GCL_ESTALE, GCL_ELIMIT, GCL_ENOTSUP, GCL_ENOMEM.
 */
int gcl_node_send(struct gcl_node *node, const struct gcl_signal *signal);

/**
 * The peer by which a target is reached, made if need be; NULL when the target is on this node, or
 * was on an earlier life of it. 0, GCL_ESTALE, GCL_ENAME or GCL_ENOMEM.
 */
int gcl_node_peer(struct gcl_node *node, const struct gcl_target *target, struct gcl_peer **peer);

/** The memory that this OS process has resident; false: the system does not say. */
bool gcl_node_memory(uint64_t *bytes);

/** Random bytes; false and logged when there are none. */
bool gcl_node_random(struct gcl_node *node, void *bytes, size_t size);

#endif

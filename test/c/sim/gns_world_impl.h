/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the simulator of gns_world.h share; nobody else includes this. */
#ifndef GCL_TEST_SIM_GNS_WORLD_IMPL_H
#define GCL_TEST_SIM_GNS_WORLD_IMPL_H

#include "core/global/gns.h"
#include "core/names.h"
#include "gns_world.h"
#include "node/translate.h"
#include "wire/term/context.h"

enum { NODES = 64, NAME_BYTES = 32, FIRST_PID = 100, ACTOR_PID = 10, LATE = 16 };

enum kind {
    UP,
    DOWN,    /* the link: what comes behind it in the queue is of the next one */
    CAST,    /* bytes to the server */
    CALL,    /* bytes; `number` of the caller */
    ANSWER,  /* bytes; `number` */
    MONITOR, /* pid bytes */
    DEMONITOR,
    PROCESS_DOWN,
    RESOLVE,        /* bytes; `number` */
    CONNECT_FAILED, /* local */
    NO_ANSWER,      /* local; `number` */
    UNLOCK,         /* local; `number` of a lock */
    DIE,            /* local; the same */
};

/* What is on its way to a node. */
struct parcel {
    uint64_t at_ms;
    uint64_t order;
    enum kind kind;
    size_t from, to;
    unsigned incarnation; /* of the receiver, when it was sent */
    unsigned of;          /* that of the sender */
    uint64_t link;        /* of which link; 0: local */
    uint64_t number;
    gcl_pid pid;      /* of a caller: its actor */
    uint64_t monitor; /* that has found no connection */
    size_t size;
    uint8_t *bytes;
};

/* A call that a node has been asked and not answered, or has asked. */
struct asked {
    bool is_used;
    size_t node;
    uint64_t number;
    uint64_t link;
};

struct process {
    bool is_alive;
    bool is_locker;
    uint64_t watchers; /* nodes, one bit each */
};

enum { PROCESSES = 4096, ASKED = 4096, LOCKS = 1024, RESOURCES = 8 };

/* A process that wants a lock, or has it. */
struct lock {
    size_t node;
    unsigned incarnation;
    uint32_t process;
    unsigned resource, keep_ms;
    uint64_t open; /* the request that is not answered; 0: none */
    bool has_it, is_freed;
};

struct node {
    struct world *world;
    size_t index;
    char name[NAME_BYTES];
    bool is_alive;
    unsigned incarnation;
    struct gcl_names names;
    gcl_term_context terms;
    struct gcl_gns *gns;
    unsigned side;
    uint64_t seen_links;         /* nodes that nodeup was given for */
    struct asked asked[ASKED];   /* by this node, of others */
    struct asked callers[ASKED]; /* of this node; the number is the index + 1 */
    struct process processes[PROCESSES];
    uint32_t process_count;
    struct {
        gcl_pid pid;
        uint64_t monitor;
    } watched[PROCESSES]; /* by this node, elsewhere */
    uint64_t last_monitor;
    size_t watched_count;
    struct parcel late[LATE]; /* that came before a link went, and were not looked at */
    size_t late_count;
    uint64_t last_at[NODES]; /* of parcels from each node: they keep their order */
    size_t syncs;            /* calls of its own server that are not answered */
    size_t requests;         /* the same */
};

struct world {
    struct world_options options;
    uint64_t now_ms, order, random, links;
    struct node *nodes[NODES];
    uint64_t link[NODES][NODES]; /* 0: none */
    struct parcel *heap;
    size_t count, capacity;
    uint64_t requests;
    size_t answered, lost;
    struct lock locks[LOCKS];
    size_t lock_count, locked, refused;
    bool was_shared; /* two have had one lock */
};

static const gcl_term nothing = {NULL, NULL, 0};

struct text {
    struct gcl_buffer bytes;
    gcl_term term;
};

static const struct gcl_gns_places everywhere = {NULL, 0};

/* --- gns_world_net.c -------------------------------------------------------------------------- */

/** A random number, the same in each run of a life. */
uint64_t sim_draw(struct world *w);
bool sim_is_c_node(const struct world *w, size_t index);

/** What is on its way; its bytes are the heap's. sim_pop() takes the earliest. */
void sim_push(struct world *w, struct parcel parcel);
struct parcel sim_pop(struct world *w);
/** The same, with a term that is copied, after the time that it takes. */
void sim_post(struct world *w, struct parcel parcel, gcl_term term);

/* --- gns_world_node.c ------------------------------------------------------------------------- */

struct gcl_str sim_str_of_name(const struct node *node);

/** The index of the node of a pid; SIZE_MAX: it is gone, or there is none. */
size_t sim_home_of(struct node *node, gcl_pid pid);
gcl_pid sim_pid_of(struct node *node, struct node *home, uint32_t id);
void sim_kill_process(struct world *w, struct node *home, uint32_t id);
/** `watcher` monitors a process, or no longer. */
void sim_watch(struct world *w, size_t watcher, struct node *home, uint32_t id, bool on);

/** A place that is not used. */
struct asked *sim_take_asked(struct asked *table);
/** To a node, if it is linked. */
void sim_send_to(struct node *node, size_t other, enum kind kind, uint64_t number, gcl_pid pid,
                 gcl_term term);
/** Forgets the monitor of a process elsewhere; 0: there was none. */
uint64_t sim_unwatch(struct node *node, gcl_pid pid);
bool sim_is_watched(const struct node *node, uint64_t number);

/** All effects of its machine. */
void sim_carry_out_all(struct node *node);
/** A term of the node, to be given back by gcl_buffer_fini(). */
struct text sim_build(struct node *node, gcl_message message);

/* --- gns_world_locks.c ------------------------------------------------------------------------ */

/** The outcome of a request of a lock, by its number. */
void sim_lock_done(struct world *w, uint64_t number, int error);
/** Gives it back; its process dies. */
void sim_unlock(struct world *w, struct lock *lock);
void sim_die(struct world *w, struct lock *lock);

/* --- gns_world_deliver.c ---------------------------------------------------------------------- */

/** At its time. */
void sim_deliver(struct world *w, struct parcel *parcel);

#endif

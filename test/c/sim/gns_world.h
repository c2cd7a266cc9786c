/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Simulated nodes that run the machine of the global_name_server, and the network between them:
 * links come and go, messages take their time but keep their order, processes and nodes die, the
 * net splits. What nodes say to each other are the bytes that they would send.
 */
#ifndef GCL_TEST_SIM_GNS_WORLD_H
#define GCL_TEST_SIM_GNS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

struct world_options {
    size_t nodes; /* at most 64 */
    uint64_t seed;
    unsigned delay_ms;             /* the longest that a message takes */
    bool reports_lost_connections; /* all nodes but C nodes, which report each other */
    unsigned c_nodes;              /* every so many-th node is one; 0: none is */
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

/** Lets `ms` pass. */
void world_run(struct world *world, uint64_t ms);

/** Until nothing is on its way and nobody waits for anything; false: not within `ms`. */
bool world_settle(struct world *world, uint64_t ms);

/** Whether two living nodes can reach each other, and whether they are connected. */
bool world_is_reachable(const struct world *world, size_t a, size_t b);
bool world_is_connected(const struct world *world, size_t a, size_t b);
bool world_is_alive(const struct world *world, size_t node);
void world_connect(struct world *world, size_t a, size_t b);
void world_disconnect(struct world *world, size_t a, size_t b);

/** The node ends, with all of its processes; or begins anew, with another creation. */
void world_kill(struct world *world, size_t node);
void world_start(struct world *world, size_t node);

/** `side` of each node: only those with the same can reach each other. */
void world_split(struct world *world, const unsigned *sides);

/** A new process of the node asks for the name. */
void world_register(struct world *world, size_t node, unsigned name);
/** The process that has the name, as the node knows, gives it back, or dies, if it is of this node.
 * (Where others may do so, and die in the midst of it, names differ by the protocol.) */
void world_unregister(struct world *world, size_t node, unsigned name);
void world_kill_holder(struct world *world, size_t node, unsigned name);

/**
 * A new process of the node asks for the lock on all nodes, `retries` times, keeps it for `keep_ms`
 * and gives it back; or dies in some moment up to then.
 */
void world_lock(struct world *world, size_t node, unsigned resource, unsigned retries,
                unsigned keep_ms, bool dies);

/** How often a lock was got, and refused to the end; false in the verdict of world_judge() when two
 * processes have had one at a time. */
size_t world_locked(const struct world *world);
size_t world_refused(const struct world *world);

/** A new process of the node locks a resource at all that are connected, as global:set_lock/3 with
 * no retries, and keeps what it gets until it is killed with all such processes of the node. */
void world_set_lock(struct world *world, size_t node, unsigned resource);
void world_kill_lockers(struct world *world, size_t node);

/** The node's answer to global:sync/0 has come. */
void world_sync(struct world *world, size_t node);

struct world_verdict {
    bool is_ok;
    char text[160]; /* what is wrong */
};

/** At rest, and when all living nodes are connected: who knows whom, who has which name. */
struct world_verdict world_judge(struct world *world);

/** How many requests have been answered, and how many names were taken away by a conflict. */
size_t world_answered(const struct world *world);
size_t world_lost(const struct world *world);

#endif

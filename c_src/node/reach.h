/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Whether others can dial this node: it looks itself up as they would, once, when it is registered,
 * and says in the log what is in the way (event `unreachable`) or that there is nothing
 * (`reachable`). A visible node that cannot be dialled makes every node of the cluster try. Nothing
 * waits for it.
 */
#ifndef GCL_NODE_REACH_H
#define GCL_NODE_REACH_H

#include "net/epmd.h"
#include "net/probe.h"
#include "node/resolving.h"

struct gcl_connection;
struct gcl_node;

enum gcl_reach_state {
    GCL_REACH_IDLE,
    GCL_REACH_RESOLVING,
    GCL_REACH_LOOKING_UP, /* at epmd */
    GCL_REACH_PROBING,
    GCL_REACH_AWAITING, /* connected to somebody: is it us? */
};

struct gcl_reach {
    enum gcl_reach_state state;
    bool is_begun;
    bool was_told; /* that it cannot be reached */
    bool was_seen; /* by the listener: the probe is from here */
    struct gcl_address address;
    struct gcl_resolving resolving;
    struct gcl_epmd_lookup lookup;
    struct gcl_probe probe;
    struct gcl_deadline deadline;
};

/** With the node. */
void gcl_reach_init(struct gcl_node *node);

/** Begins, if that was not done yet and the node is visible. */
void gcl_reach_begin(struct gcl_node *node);

/** The node listens anew: what was under way begins again, when the node is registered, too. */
void gcl_reach_again(struct gcl_node *node);

/** The listener has accepted `fd`. True: it was the check, and is closed. */
bool gcl_reach_accepted(struct gcl_node *node, int fd);

/** A connection is up: it shows from where others come. */
void gcl_reach_connected(struct gcl_node *node, const struct gcl_connection *connection);

/** Ends it. Idempotent. */
void gcl_reach_cancel(struct gcl_node *node);

/**
 * What keeps nodes of other hosts from dialling this one, which listens on `listening` and has
 * `host` in its name, as a connection from `local` to `remote` shows; NULL: nothing.
 */
const char *gcl_reach_judge(const struct gcl_address *listening, const char *host,
                            const struct gcl_address *local, const struct gcl_address *remote);

#endif

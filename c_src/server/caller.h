/* SPDX-License-Identifier: Apache-2.0 */
/** Who called: for the time of a handler, and kept until the answer is there. */
#ifndef GCL_SERVER_CALLER_H
#define GCL_SERVER_CALLER_H

#include "base/slots.h"
#include "server/gen.h"
#include "server/server.h"

struct gcl_from {
    struct gcl_server *server;
    const struct gcl_gen_message *message;
};

struct gcl_kept_caller {
    struct gcl_slot slot;
    struct gcl_list at_server; /* in server->callers */
    struct gcl_server *server;
    struct gcl_target to;
    struct gcl_name *node; /* held: that of `to` */
    struct gcl_str tag;    /* owned */
    bool is_programs;      /* it counts */
};

/** Keeps a caller for a service of the node, which sees to their number. Errors of gcl_from_keep().
 */
int gcl_caller_keep(const gcl_from *from, gcl_caller *out);

/** The server ends: nobody waits for it any more. */
void gcl_callers_drop_all(struct gcl_server *server);

/** A node was lost, and with it those who wait there. */
void gcl_callers_node_down(struct gcl_node *node, const struct gcl_name *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What reaches a server while it is suspended, kept in order. After `resume` it is handed over in
 * turns of the loop; what comes meanwhile queues behind it. More than `mailbox_bytes` of the node's
 * config ends the server with the reason `system_limit`.
 *
 * spec: sys:suspend/1, resume/1: only system messages are looked at in between.
 */
#ifndef GCL_SERVER_MAILBOX_H
#define GCL_SERVER_MAILBOX_H

#include "base/deadline.h"
#include "server/server.h"

struct gcl_mailbox {
    struct gcl_signal_queue signals;
    struct gcl_deadline turn; /* set while it is handed over */
    struct gcl_server *server;
};

/** 0 or GCL_ENOMEM. Suspending twice does nothing. */
int gcl_mailbox_suspend(struct gcl_server *server);

/** Timers and calls that are due come after what has waited. 0 or GCL_ENOMEM. */
int gcl_mailbox_resume(struct gcl_server *server);

/** True for what is not to wait: system messages for a server that is suspended. */
bool gcl_mailbox_passes(const struct gcl_server *server, const struct gcl_signal *signal);

void gcl_mailbox_add(struct gcl_server *server, const struct gcl_signal *signal);

/** Nothing is handed over any more. */
void gcl_mailbox_stop(struct gcl_server *server);

/** Does nothing when there is none. */
void gcl_mailbox_free(struct gcl_server *server);

#endif

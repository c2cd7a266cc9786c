/* SPDX-License-Identifier: Apache-2.0 */
/** Whether somebody listens at an address: a connection that is closed as soon as it is there. */
#ifndef GCL_NET_PROBE_H
#define GCL_NET_PROBE_H

#include "net/address.h"
#include "net/loop.h"

struct gcl_probe {
    struct gcl_loop *loop;
    struct gcl_watch watch;
    struct gcl_deadline deadline;
    int fd;                   /* or -1 */
    int failed;               /* errno of what has failed at once, or 0 */
    struct gcl_address local; /* its own end, also when it is over */
    /** Exactly once, unless it is cancelled: 0, or an errno. The socket is closed already. */
    void (*ended)(struct gcl_probe *probe, int error);
};

/** Of one that does not run. */
void gcl_probe_init(struct gcl_probe *probe, struct gcl_loop *loop,
                    void (*ended)(struct gcl_probe *probe, int error));

/** Starts; `ended` is not called before return. 0, or GCL_ENOMEM. */
int gcl_probe_start(struct gcl_probe *probe, const struct gcl_address *address,
                    unsigned timeout_ms) GCL_MUST_USE;

/** Ends it without a callback. Idempotent. */
void gcl_probe_cancel(struct gcl_probe *probe);

/** Whether the accepted socket `fd` is the other end of it, or of what it was. */
bool gcl_probe_is_other_end(const struct gcl_probe *probe, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** Listens and hands out accepted sockets, a few per turn. */
#ifndef GCL_NET_LISTENER_H
#define GCL_NET_LISTENER_H

#include "base/log.h"
#include "net/address.h"
#include "net/loop.h"

struct gcl_listener {
    struct gcl_watch watch;
    struct gcl_loop *loop;
    const struct gcl_log *log;
    struct gcl_deadline retry; /* while the process is out of descriptors */
    int fd;
    void (*accepted)(struct gcl_listener *listener, int fd); /* takes the fd */
};

/**
 * Listens on `address` (port 0: any free one). No callback before return. 0, GCL_EEXIST (the port
 * is taken), GCL_ESYS with errno.
 */
int gcl_listener_open(struct gcl_listener *listener, struct gcl_loop *loop,
                      const struct gcl_log *log, const struct gcl_address *address,
                      void (*accepted)(struct gcl_listener *, int)) GCL_MUST_USE;

/** Idempotent after an open. */
void gcl_listener_close(struct gcl_listener *listener);

/** What is listened on, with the port; false: nothing. */
bool gcl_listener_address(const struct gcl_listener *listener, struct gcl_address *address);

/** The port that is listened on. */
uint16_t gcl_listener_port(const struct gcl_listener *listener);

#endif

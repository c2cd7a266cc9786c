/* SPDX-License-Identifier: Apache-2.0 */
/** Listens and hands out accepted sockets, a few per turn. */
#ifndef GCL_NET_LISTENER_H
#define GCL_NET_LISTENER_H

#include "base/log.h"
#include "net/address.h"
#include "net/guard.h"
#include "net/loop.h"

struct gcl_listener {
    struct gcl_watch watch;
    struct gcl_loop *loop;
    const struct gcl_log *log;
    struct gcl_guard *guard;
    struct gcl_address address; /* with the port that it got */
    struct gcl_deadline retry;  /* while the process is out of descriptors */
    int fd;
    int guarded;                                             /* its slot */
    void (*accepted)(struct gcl_listener *listener, int fd); /* takes the fd */
};

/**
 * Listens on `address` (port 0: any free one). `guard` may be NULL. No callback before return. 0,
 * GCL_EEXIST (the port is taken), GCL_ESYS with errno, GCL_ENOMEM.
 */
int gcl_listener_open(struct gcl_listener *listener, struct gcl_loop *loop,
                      const struct gcl_log *log, struct gcl_guard *guard,
                      const struct gcl_address *address,
                      void (*accepted)(struct gcl_listener *, int)) GCL_MUST_USE;

/** Closes, and listens on the same address and port again. Errors of gcl_listener_open(). */
int gcl_listener_reopen(struct gcl_listener *listener) GCL_MUST_USE;

/** Idempotent after an open. */
void gcl_listener_close(struct gcl_listener *listener);

/** What is listened on, with the port; false: nothing. */
bool gcl_listener_address(const struct gcl_listener *listener, struct gcl_address *address);

/** The port that is listened on. */
uint16_t gcl_listener_port(const struct gcl_listener *listener);

#endif

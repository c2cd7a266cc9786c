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
    bool is_paused;             /* since it was, nothing has been accepted */
    int fd;
    int guarded; /* its slot */
    int (*accepted)(struct gcl_listener *listener, int fd);
};

/**
 * Listens on `address` (port 0: any free one). `guard` may be NULL. No callback before return. 0,
 * GCL_EEXIST (the port is taken), GCL_ESYS with errno, GCL_ENOMEM.
 *
 * `accepted` takes the descriptor, whatever it returns: 0, or the errno for which the connection
 * could not be kept. When the system has no more descriptors or memory, for accepting or for that,
 * accepting pauses for a second, and the log says so once until it works again.
 */
int gcl_listener_open(struct gcl_listener *listener, struct gcl_loop *loop,
                      const struct gcl_log *log, struct gcl_guard *guard,
                      const struct gcl_address *address,
                      int (*accepted)(struct gcl_listener *, int)) GCL_MUST_USE;

/** Closes, and listens on the same address and port again. Errors of gcl_listener_open(). */
int gcl_listener_reopen(struct gcl_listener *listener) GCL_MUST_USE;

/** Idempotent after an open. */
void gcl_listener_close(struct gcl_listener *listener);

/** What is listened on, with the port; false: nothing. */
bool gcl_listener_address(const struct gcl_listener *listener, struct gcl_address *address);

/** The port that is listened on. */
uint16_t gcl_listener_port(const struct gcl_listener *listener);

#endif

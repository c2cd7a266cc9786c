/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The dialogue with epmd over the loop: one request and its reply. A registration lasts as long as
 * its socket, so that one is kept open and watched; gcl_epmd_registration keeps it up for the life
 * of a node, however often epmd is restarted.
 *
 * spec: erl_dist_protocol, "EPMD Protocol"
 */
#ifndef GCL_NET_EPMD_H
#define GCL_NET_EPMD_H

#include "base/buffer.h"
#include "base/log.h"
#include "net/address.h"
#include "net/guard.h"
#include "net/loop.h"
#include "wire/epmd.h"

/** One exchange. Embedded by its owner; private. */
struct gcl_epmd_exchange {
    struct gcl_loop *loop;
    struct gcl_watch watch;
    struct gcl_deadline deadline;
    struct gcl_buffer request;
    struct gcl_buffer reply;
    struct gcl_guard *guard; /* may be NULL */
    int fd;
    int guarded; /* its slot */
    bool is_connected;
    void (*progress)(struct gcl_epmd_exchange *exchange, int error);
};

/** A lookup. `found` exactly once: 0 and the port, or GCL_EEPMD and a static detail. */
struct gcl_epmd_lookup {
    struct gcl_epmd_exchange exchange;
    uint16_t version; /* the highest of the handshake that the node has, when it was found */
    void (*found)(struct gcl_epmd_lookup *lookup, int error, uint16_t port, const char *detail);
};

/** Starts; no callback before return. 0, GCL_ENAME, GCL_ENOMEM; then `found` is not called. */
int gcl_epmd_lookup_start(struct gcl_epmd_lookup *lookup, struct gcl_loop *loop,
                          const gcl_allocator *mem, const struct gcl_address *epmd,
                          struct gcl_str alive, unsigned timeout_ms,
                          void (*found)(struct gcl_epmd_lookup *, int, uint16_t,
                                        const char *)) GCL_MUST_USE;

/** Ends it without a callback. Idempotent. */
void gcl_epmd_lookup_cancel(struct gcl_epmd_lookup *lookup);

struct gcl_epmd_registration {
    struct gcl_epmd_exchange exchange;
    const gcl_allocator *mem;
    const struct gcl_log *log;
    struct gcl_guard *guard; /* of the registration, which ends with its socket; may be NULL */
    struct gcl_address epmd;
    struct gcl_epmd_node node; /* its `alive` is borrowed from the owner */
    unsigned timeout_ms;
    unsigned tries;
    struct gcl_deadline retry;
    bool is_registered;
    int last_error;   /* 0: none since it was registered */
    bool is_repeated; /* the failure is the same as the one before */
    /** First success: the creation. Each failure: GCL_EEXIST or GCL_EEPMD; it goes on trying. */
    void (*registered)(struct gcl_epmd_registration *registration, int error, uint32_t creation);
};

/** Registers, now and whenever epmd was gone. The struct's `node`, `log`, ... are set by the
 * caller. */
void gcl_epmd_register(struct gcl_epmd_registration *registration, struct gcl_loop *loop);
void gcl_epmd_unregister(struct gcl_epmd_registration *registration);

#endif

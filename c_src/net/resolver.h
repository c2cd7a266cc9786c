/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Looks host names up without blocking the loop: getaddrinfo() on a thread of its own for each
 * lookup, a bounded number at a time. Closing waits for nobody: a thread that hangs in the system's
 * resolver keeps what it needs, and the last one frees it.
 */
#ifndef GCL_NET_RESOLVER_H
#define GCL_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"

struct gcl_resolver;

/** The first address of a host; false when there is none. Called on a thread, may take its time. */
typedef bool gcl_resolve_function(const char *host, struct gcl_address *address);

struct gcl_resolver_config {
    gcl_resolve_function *resolve; /* NULL: getaddrinfo() */
    unsigned max_lookups;          /* at a time, those that were cancelled included */
    void (*wake)(void *argument);  /* called from any thread under the resolver's lock */
    void *argument;
};

/** NULL: no memory. */
struct gcl_resolver *gcl_resolver_new(const struct gcl_resolver_config *config);

/**
 * Begins a lookup. `host` is copied; `user` names it for its outcome and for cancelling. 0,
 * GCL_EBUSY (max_lookups run), GCL_ENAME (too long), GCL_ESYS (no thread), GCL_ENOMEM.
 */
int gcl_resolver_start(struct gcl_resolver *resolver, const char *host, void *user);

/** There will be no outcome for `user`. */
void gcl_resolver_cancel(struct gcl_resolver *resolver, const void *user);

/** Loop thread, after `wake`: hands out outcomes. `address` is NULL when there is none. */
void gcl_resolver_run(struct gcl_resolver *resolver,
                      void (*outcome)(void *user, const struct gcl_address *address));

/** No outcome and no `wake` any more. */
void gcl_resolver_close(struct gcl_resolver *resolver);

#endif

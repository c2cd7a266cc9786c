/* SPDX-License-Identifier: Apache-2.0 */
/** Who waits for the lookup of a host's name: what the resolver of a node is given as `user`. */
#ifndef GCL_NODE_RESOLVING_H
#define GCL_NODE_RESOLVING_H

#include "net/address.h"

struct gcl_resolving {
    /** `address` NULL: there is none. */
    void (*resolved)(struct gcl_resolving *resolving, const struct gcl_address *address);
};

#endif

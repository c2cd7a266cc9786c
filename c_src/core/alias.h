/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Aliases: references of ours to which others send instead of to a pid. Each outgoing call has one,
 * so that a reply that comes too late vanishes.
 */
#ifndef GCL_CORE_ALIAS_H
#define GCL_CORE_ALIAS_H

#include <gen_cluster/id.h>

#include "base/table.h"
#include "core/process.h"

/** Embedded by its owner, who keeps it until gcl_aliases_remove(). */
struct gcl_alias {
    struct gcl_list at_process; /* in process->aliases */
    struct gcl_core_process *process;
    gcl_ref ref;
    uint8_t kind; /* for the owner; the core does not look at it */
};

struct gcl_aliases {
    uint64_t seed[2];
    struct gcl_table table;
};

void gcl_aliases_init(struct gcl_aliases *aliases, const gcl_allocator *mem,
                      const uint64_t seed[2]);
void gcl_aliases_fini(struct gcl_aliases *aliases);

/** Makes `alias` reach `process` by `ref`, a new reference. 0 or GCL_ENOMEM. */
int gcl_aliases_add(struct gcl_aliases *aliases, struct gcl_alias *alias, const gcl_ref *ref,
                    struct gcl_core_process *process);

/** The alias of that reference, or NULL. */
struct gcl_alias *gcl_aliases_find(const struct gcl_aliases *aliases, const gcl_ref *ref);

void gcl_aliases_remove(struct gcl_aliases *aliases, struct gcl_alias *alias);

#endif

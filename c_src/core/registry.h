/* SPDX-License-Identifier: Apache-2.0 */
/** The registered names of local processes. As in Erlang a process has at most one. */
#ifndef GCL_CORE_REGISTRY_H
#define GCL_CORE_REGISTRY_H

#include "base/table.h"
#include "core/process.h"

struct gcl_registration {
    struct gcl_core_process *process;
    uint16_t size;
    uint8_t name[];
};

struct gcl_registry {
    const gcl_allocator *mem;
    uint64_t seed[2];
    struct gcl_table table;
};

void gcl_registry_init(struct gcl_registry *registry, const gcl_allocator *mem,
                       const uint64_t seed[2]);
void gcl_registry_fini(struct gcl_registry *registry);

/**
 * Gives `process` the name, which is copied. 0; GCL_EEXIST when the name or the process is taken;
 * GCL_EINVAL for a name that no atom can have or for `undefined`; GCL_ENOMEM.
 */
int gcl_registry_add(struct gcl_registry *registry, struct gcl_str name,
                     struct gcl_core_process *process);

/** The process of that name, or NULL. */
struct gcl_core_process *gcl_registry_find(const struct gcl_registry *registry,
                                           struct gcl_str name);

/** Takes the name from its process; does nothing when it has none. */
void gcl_registry_remove(struct gcl_registry *registry, struct gcl_core_process *process);

static inline struct gcl_str gcl_registration_name(const struct gcl_registration *registration)
{
    return gcl_str_make(registration->name, registration->size);
}

#endif

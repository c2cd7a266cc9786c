/* SPDX-License-Identifier: Apache-2.0 */
#include "core/registry.h"

#include <string.h>

#include <gen_cluster/error.h>

#include "core/names.h"

static bool name_equal(const void *item, const void *key)
{
    return gcl_str_equal(gcl_registration_name(item), *(const struct gcl_str *)key);
}

static uint32_t name_hash(const struct gcl_registry *registry, struct gcl_str name)
{
    return gcl_hash(registry->seed, name.bytes, name.size);
}

void gcl_registry_init(struct gcl_registry *registry, const gcl_allocator *mem,
                       const uint64_t seed[2])
{
    registry->mem = mem;
    registry->seed[0] = seed[0];
    registry->seed[1] = seed[1];
    gcl_table_init(&registry->table, mem);
}

void gcl_registry_fini(struct gcl_registry *registry)
{
    size_t position = 0;
    struct gcl_registration *registration;
    while ((registration = gcl_table_each(&registry->table, &position)) != NULL) {
        registration->process->registration = NULL;
        gcl_free(registry->mem, registration);
    }
    gcl_table_fini(&registry->table);
}

int gcl_registry_add(struct gcl_registry *registry, struct gcl_str name,
                     struct gcl_core_process *process)
{
    if (name.size == 0 || name.size > GCL_NODE_NAME_MAX_BYTES || gcl_str_is(name, "undefined"))
        return GCL_EINVAL;
    if (process->registration != NULL || gcl_registry_find(registry, name) != NULL)
        return GCL_EEXIST;
    struct gcl_registration *registration =
        gcl_alloc(registry->mem, sizeof *registration + name.size);
    if (registration == NULL)
        return GCL_ENOMEM;
    registration->process = process;
    registration->size = (uint16_t)name.size;
    memcpy(registration->name, name.bytes, name.size);
    int error = gcl_table_add(&registry->table, name_hash(registry, name), registration);
    if (error != 0) {
        gcl_free(registry->mem, registration);
        return error;
    }
    process->registration = registration;
    return 0;
}

struct gcl_core_process *gcl_registry_find(const struct gcl_registry *registry, struct gcl_str name)
{
    struct gcl_registration *registration =
        gcl_table_find(&registry->table, name_hash(registry, name), name_equal, &name);
    return registration == NULL ? NULL : registration->process;
}

void gcl_registry_remove(struct gcl_registry *registry, struct gcl_core_process *process)
{
    struct gcl_registration *registration = process->registration;
    if (registration == NULL)
        return;
    struct gcl_str name = gcl_registration_name(registration);
    (void)gcl_table_remove(&registry->table, name_hash(registry, name), name_equal, &name);
    gcl_free(registry->mem, registration);
    process->registration = NULL;
}

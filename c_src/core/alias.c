/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alias.h"

static bool ref_equal(const void *item, const void *key)
{
    return gcl_ref_equal(&((const struct gcl_alias *)item)->ref, key);
}

static uint32_t ref_hash(const struct gcl_aliases *aliases, const gcl_ref *ref)
{
    return gcl_hash(aliases->seed, ref, sizeof *ref);
}

void gcl_aliases_init(struct gcl_aliases *aliases, const gcl_allocator *mem, const uint64_t seed[2])
{
    aliases->seed[0] = seed[0];
    aliases->seed[1] = seed[1];
    gcl_table_init(&aliases->table, mem);
}

void gcl_aliases_fini(struct gcl_aliases *aliases)
{
    gcl_table_fini(&aliases->table);
}

int gcl_aliases_add(struct gcl_aliases *aliases, struct gcl_alias *alias, const gcl_ref *ref,
                    struct gcl_core_process *process)
{
    int error = gcl_table_add(&aliases->table, ref_hash(aliases, ref), alias);
    if (error != 0)
        return error;
    alias->ref = *ref;
    alias->process = process;
    gcl_list_add_last(&process->aliases, &alias->at_process);
    return 0;
}

struct gcl_alias *gcl_aliases_find(const struct gcl_aliases *aliases, const gcl_ref *ref)
{
    return gcl_table_find(&aliases->table, ref_hash(aliases, ref), ref_equal, ref);
}

void gcl_aliases_remove(struct gcl_aliases *aliases, struct gcl_alias *alias)
{
    (void)gcl_table_remove(&aliases->table, ref_hash(aliases, &alias->ref), ref_equal, &alias->ref);
    gcl_list_remove(&alias->at_process);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that can be called. */
#include <string.h>

#include "node/node.h"
#include "server/rpc/rpc.h"
#include "server/servers.h"
#include "wire/term/id.h"

static struct gcl_rpc *rpc_of(const struct gcl_node *node)
{
    return &node->servers->rpc;
}

static struct gcl_str str_of(gcl_bytes bytes)
{
    return gcl_str_make(bytes.bytes, bytes.size);
}

static bool is_named(const void *item, const void *key)
{
    const struct gcl_rpc_entry *entry = item;
    const struct gcl_rpc_name *name = key;
    return entry->arity == name->arity &&
           gcl_str_equal(gcl_str_make(entry->names, entry->module_size), str_of(name->module)) &&
           gcl_str_equal(gcl_str_make(entry->names + entry->module_size, entry->function_size),
                         str_of(name->function));
}

static uint32_t hash_of(const struct gcl_node *node, const struct gcl_rpc_name *name)
{
    uint32_t module = gcl_hash(node->seed, name->module.bytes, name->module.size);
    uint32_t function = gcl_hash(node->seed, name->function.bytes, name->function.size);
    return (module * 31 + function) * 31 + name->arity;
}

struct gcl_rpc_entry *gcl_rpc_find(struct gcl_node *node, const struct gcl_rpc_name *name)
{
    return gcl_table_find(&rpc_of(node)->entries, hash_of(node, name), is_named, name);
}

bool gcl_rpc_has_module(struct gcl_node *node, gcl_bytes module)
{
    const struct gcl_rpc_entry *entry;
    size_t position = 0;
    while ((entry = gcl_table_each(&rpc_of(node)->entries, &position)) != NULL)
        if (gcl_str_equal(gcl_str_make(entry->names, entry->module_size), str_of(module)))
            return true;
    return false;
}

void gcl_rpc_release(struct gcl_node *node, struct gcl_rpc_entry *entry)
{
    if (--entry->holds == 0)
        gcl_free(node->mem, entry);
}

static struct gcl_rpc_name name_of(const char *module, const char *function, unsigned arity)
{
    struct gcl_str first = gcl_str_of(module), second = gcl_str_of(function);
    return (struct gcl_rpc_name){
        {first.bytes, first.size}, {second.bytes, second.size}, (uint32_t)arity};
}

static int add(struct gcl_node *node, const struct gcl_rpc_name *name, gcl_rpc_function *run,
               void *user, bool is_own)
{
    size_t size = sizeof(struct gcl_rpc_entry) + name->module.size + name->function.size;
    struct gcl_rpc_entry *entry = gcl_alloc_zero(node->mem, size);
    if (entry == NULL)
        return GCL_ENOMEM;
    entry->run = run;
    entry->user = user;
    entry->holds = 1;
    entry->hash = hash_of(node, name);
    entry->is_own = is_own;
    entry->arity = (uint8_t)name->arity;
    entry->module_size = (uint16_t)name->module.size;
    entry->function_size = (uint16_t)name->function.size;
    memcpy(entry->names, name->module.bytes, name->module.size);
    memcpy(entry->names + name->module.size, name->function.bytes, name->function.size);
    int error = gcl_table_add(&rpc_of(node)->entries, entry->hash, entry);
    if (error != 0)
        gcl_free(node->mem, entry);
    return error;
}

int gcl_rpc_add_own(struct gcl_node *node, const char *module, const char *function, unsigned arity,
                    gcl_rpc_function *run)
{
    struct gcl_rpc_name name = name_of(module, function, arity);
    return add(node, &name, run, NULL, true);
}

int gcl_rpc_register(gcl_node *node, const char *module, const char *function, unsigned arity,
                     gcl_rpc_function *run, void *user)
{
    struct gcl_rpc *rpc = rpc_of(node);
    if (run == NULL || module == NULL || function == NULL || arity > GCL_RPC_ARGUMENTS_MAX ||
        !gcl_wire_text_is_atom(gcl_str_of(module)) || !gcl_wire_text_is_atom(gcl_str_of(function)))
        return GCL_EINVAL;
    if (node->is_closing)
        return GCL_ECLOSED;
    struct gcl_rpc_name name = name_of(module, function, arity);
    if (gcl_rpc_find(node, &name) != NULL)
        return GCL_EEXIST;
    if (rpc->registered >= node->config.max_rpc_functions)
        return GCL_ELIMIT;
    int error = add(node, &name, run, user, false);
    if (error == 0)
        rpc->registered++;
    return error;
}

int gcl_rpc_unregister(gcl_node *node, const char *module, const char *function, unsigned arity)
{
    struct gcl_rpc *rpc = rpc_of(node);
    struct gcl_rpc_name name = name_of(module, function, arity);
    struct gcl_rpc_entry *entry = gcl_rpc_find(node, &name);
    if (entry == NULL || entry->is_own)
        return GCL_ENOENT;
    (void)gcl_table_remove(&rpc->entries, entry->hash, is_named, &name);
    rpc->registered--;
    gcl_rpc_release(node, entry);
    return 0;
}

int gcl_rpc_init(struct gcl_node *node)
{
    struct gcl_rpc *rpc = rpc_of(node);
    gcl_table_init(&rpc->entries, node->mem);
    gcl_table_init(&rpc->by_ref, node->mem);
    gcl_slots_init(&rpc->tasks, node->mem, sizeof(struct gcl_task));
    rpc->value = gcl_writer_new(&node->terms);
    rpc->stack = gcl_writer_new(&node->terms);
    int error = rpc->value != NULL && rpc->stack != NULL ? 0 : GCL_ENOMEM;
    if (error == 0)
        error = gcl_rpc_add_all_own(node);
    if (error == 0)
        error = gcl_rpc_add_system(node);
    return error != 0 ? error : gcl_rpc_add_processes(node);
}

void gcl_rpc_fini(struct gcl_node *node)
{
    struct gcl_rpc *rpc = rpc_of(node);
    struct gcl_rpc_entry *entry;
    size_t position = 0;
    while ((entry = gcl_table_each(&rpc->entries, &position)) != NULL)
        gcl_rpc_release(node, entry);
    gcl_table_fini(&rpc->entries);
    gcl_table_fini(&rpc->by_ref);
    gcl_slots_fini(&rpc->tasks);
    gcl_writer_free(rpc->value);
    gcl_writer_free(rpc->stack);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes, and sets of them. */
#include <string.h>

#include "core/global/machine.h"
#include "wire/term/read.h"
#include "wire/term/write.h"

static bool has_name(const void *item, const void *key)
{
    const struct gcl_gns_node *node = item;
    return gcl_str_equal(node->name, *(const struct gcl_str *)key);
}

struct gcl_gns_node *gcl_gns_node_find(const struct gcl_gns *gns, struct gcl_str name)
{
    uint32_t hash = gcl_hash(gns->config.seed, name.bytes, name.size);
    return gcl_table_find(&gns->nodes, hash, has_name, &name);
}

struct gcl_gns_node *gcl_gns_node_of(struct gcl_gns *gns, struct gcl_str name)
{
    struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    if (node != NULL)
        return node;
    if (gcl_table_count(&gns->nodes) >= gns->config.max_nodes) {
        gcl_gns_log(gns, GCL_LOG_ERROR, name, "one node more than global can know here");
        return NULL;
    }
    node = gcl_alloc_zero(gns->config.mem, sizeof *node + name.size);
    if (node == NULL) {
        gns->has_failed = true;
        return NULL;
    }
    memcpy(node->bytes, name.bytes, name.size);
    node->name = gcl_str_make(node->bytes, name.size);
    node->hash = gcl_hash(gns->config.seed, name.bytes, name.size);
    node->in_step_by_ms = GCL_NEVER;
    gcl_gns_session_init(gns, &node->session);
    gcl_list_init(&node->at_gns);
    if (!gcl_gns_check(gns, gcl_table_add(&gns->nodes, node->hash, node))) {
        gcl_free(gns->config.mem, node);
        return NULL;
    }
    gcl_list_add_last(&gns->node_list, &node->at_gns);
    return node;
}

struct gcl_gns_node *gcl_gns_node_of_pid(struct gcl_gns *gns, gcl_pid pid)
{
    const struct gcl_term_ids *ids = &gns->config.terms->ids;
    struct gcl_wire_pid wire;
    return ids->pid_out(ids->user, &pid, &wire) == 0 ? gcl_gns_node_find(gns, wire.node) : NULL;
}

static void free_node(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    gcl_gns_session_reset(gns, node);
    gcl_list_remove(&node->at_gns);
    gcl_free(gns->config.mem, node);
}

void gcl_gns_node_hold(struct gcl_gns_node *node)
{
    node->uses++;
}

void gcl_gns_node_release(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    node->uses--;
    gcl_gns_node_tidy(gns, node);
}

void gcl_gns_node_tidy(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (node->uses > 0 || node->is_up || node->is_known || node->is_pending || node->is_synced ||
        node->is_removing || node->is_new || node->is_excluded || node->session.is_early)
        return;
    (void)gcl_table_remove(&gns->nodes, node->hash, has_name, &node->name);
    free_node(gns, node);
}

void gcl_gns_nodes_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    gcl_table_fini(&gns->nodes);
    while ((at = gcl_list_first(&gns->node_list)) != NULL)
        free_node(gns, GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns));
}

/* --- sets ----------------------------------------------------------------------------------- */

void gcl_gns_set_add(struct gcl_gns *gns, struct gcl_gns_nodes *set, struct gcl_gns_node *node)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 8 : 2 * set->capacity;
        struct gcl_gns_node **items =
            gcl_resize(gns->config.mem, set->items, capacity * sizeof *items);
        if (items == NULL) {
            gns->has_failed = true;
            return;
        }
        set->items = items;
        set->capacity = capacity;
    }
    gcl_gns_node_hold(node);
    set->items[set->count++] = node;
}

bool gcl_gns_set_has(const struct gcl_gns_nodes *set, const struct gcl_gns_node *node)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == node)
            return true;
    return false;
}

void gcl_gns_set_remove(struct gcl_gns *gns, struct gcl_gns_nodes *set,
                        const struct gcl_gns_node *node)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == node) {
            struct gcl_gns_node *removed = set->items[i];
            set->items[i] = set->items[--set->count];
            gcl_gns_node_release(gns, removed);
            return;
        }
}

void gcl_gns_set_add_known(struct gcl_gns *gns, struct gcl_gns_nodes *set,
                           const struct gcl_gns_nodes *but)
{
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (node->is_known && !gcl_gns_set_has(but, node))
            gcl_gns_set_add(gns, set, node);
    }
}

void gcl_gns_set_clear(struct gcl_gns *gns, struct gcl_gns_nodes *set)
{
    while (set->count > 0)
        gcl_gns_node_release(gns, set->items[--set->count]);
}

void gcl_gns_set_fini(struct gcl_gns *gns, struct gcl_gns_nodes *set)
{
    gcl_gns_set_clear(gns, set);
    gcl_free(gns->config.mem, set->items);
    memset(set, 0, sizeof *set);
}

struct gcl_gns_node *gcl_gns_set_boss(const struct gcl_gns_nodes *set)
{
    struct gcl_gns_node *boss = set->items[0];
    for (size_t i = 1; i < set->count; i++)
        if (gcl_str_compare(boss->name, set->items[i]->name) < 0)
            boss = set->items[i];
    return boss;
}

struct gcl_gns_node *gcl_gns_boss(const struct gcl_gns *gns)
{
    struct gcl_gns_node *boss = gns->self;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        if (node->is_known && gcl_str_compare(boss->name, node->name) < 0)
            boss = node;
    }
    return boss;
}

/* --- known nodes ---------------------------------------------------------------------------- */

void gcl_gns_write_known(struct gcl_gns *gns, struct gcl_buffer *out, uint32_t for_version)
{
    uint32_t count = 0;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        count += GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns)->is_known;
    }
    int error = gcl_write_list_head(out, count);
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        gcl_bytes name = {node->name.bytes, node->name.size};
        gcl_message bare = GCL_MESSAGE("~a", name);
        gcl_message versioned = GCL_MESSAGE("{~a, ~u}", name, node->version);
        if (node->is_known && error == 0)
            error = gcl_term_build(gns->config.terms, out,
                                   for_version < GCL_GNS_VERSION_POP ? &bare : &versioned);
    }
    if (error == 0 && count > 0)
        error = gcl_write_list_head(out, 0);
    (void)gcl_gns_check(gns, error);
}

bool gcl_gns_add_known(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version)
{
    if (node == gns->self)
        return false;
    bool is_added = !node->is_known;
    if (is_added || node->version == 0)
        node->version = version;
    node->is_known = true;
    gcl_gns_check_step(gns, node);
    return is_added;
}

bool gcl_gns_read_node(gcl_term item, struct gcl_str *name, uint32_t *version)
{
    gcl_bytes text;
    *version = 0;
    if (!gcl_match(item, "~a", &text) && !gcl_match(item, "{~a, ~u}", &text, version))
        return false;
    *name = gcl_str_make(text.bytes, text.size);
    return text.size > 0 && memchr(text.bytes, '\0', text.size) == NULL;
}

bool gcl_gns_is_known(const struct gcl_gns *gns, struct gcl_str name)
{
    const struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    return node != NULL && node->is_known;
}

bool gcl_gns_is_synced(const struct gcl_gns *gns, struct gcl_str name)
{
    const struct gcl_gns_node *node = gcl_gns_node_find(gns, name);
    return node != NULL && node->is_synced;
}

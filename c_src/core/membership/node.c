/* SPDX-License-Identifier: Apache-2.0 */
#include "core/membership/node.h"

#include <string.h>

#include <gen_cluster/error.h>

enum { FIRST_CAPACITY = 8 };

void gcl_member_nodes_init(struct gcl_member_nodes *nodes, const gcl_allocator *mem)
{
    memset(nodes, 0, sizeof *nodes);
    nodes->mem = mem;
}

void gcl_member_nodes_fini(struct gcl_member_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        gcl_free(nodes->mem, nodes->sorted[i]);
    gcl_free(nodes->mem, nodes->sorted);
    gcl_member_nodes_init(nodes, nodes->mem);
}

/* The place of the first entry that is not before `name`. */
static size_t place_of(const struct gcl_member_nodes *nodes, struct gcl_str name)
{
    size_t low = 0, high = nodes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gcl_str_compare(nodes->sorted[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct gcl_member_node *gcl_member_nodes_find(const struct gcl_member_nodes *nodes,
                                              struct gcl_str name)
{
    size_t place = place_of(nodes, name);
    if (place == nodes->count || !gcl_str_equal(nodes->sorted[place]->name, name))
        return NULL;
    return nodes->sorted[place];
}

static int make_room(struct gcl_member_nodes *nodes)
{
    if (nodes->count < nodes->capacity)
        return 0;
    size_t capacity = nodes->capacity > 0 ? nodes->capacity * 2 : FIRST_CAPACITY;
    void *sorted = gcl_resize(nodes->mem, nodes->sorted, capacity * sizeof(void *));
    if (sorted == NULL)
        return GCL_ENOMEM;
    nodes->sorted = sorted;
    nodes->capacity = capacity;
    return 0;
}

static struct gcl_member_node *new_node(const gcl_allocator *mem, struct gcl_str name)
{
    struct gcl_member_node *node = gcl_alloc_zero(mem, sizeof *node + name.size);
    if (node == NULL)
        return NULL;
    if (name.size > 0)
        memcpy(node->bytes, name.bytes, name.size);
    node->name = gcl_str_make(node->bytes, name.size);
    gcl_deadline_init(&node->due, NULL);
    return node;
}

int gcl_member_nodes_take(struct gcl_member_nodes *nodes, struct gcl_str name,
                          struct gcl_member_node **out)
{
    struct gcl_member_node *node = gcl_member_nodes_find(nodes, name);
    if (node == NULL) {
        size_t place = place_of(nodes, name);
        if (make_room(nodes) != 0 || (node = new_node(nodes->mem, name)) == NULL)
            return GCL_ENOMEM;
        memmove(nodes->sorted + place + 1, nodes->sorted + place,
                (nodes->count - place) * sizeof(void *));
        nodes->sorted[place] = node;
        nodes->count++;
    }
    *out = gcl_member_node_share(node);
    return 0;
}

void gcl_member_nodes_release(struct gcl_member_nodes *nodes, struct gcl_member_node *node)
{
    if (node == NULL || --node->references > 0)
        return;
    size_t place = place_of(nodes, node->name);
    nodes->count--;
    memmove(nodes->sorted + place, nodes->sorted + place + 1,
            (nodes->count - place) * sizeof(void *));
    gcl_free(nodes->mem, node);
}

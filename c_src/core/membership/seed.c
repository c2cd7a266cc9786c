/* SPDX-License-Identifier: Apache-2.0 */
#include "core/membership/seed.h"

#include <string.h>

#include <gen_cluster/error.h>

enum { FIRST_CAPACITY = 4 };

void gcl_member_seeds_init(struct gcl_member_seeds *seeds, const gcl_allocator *mem,
                           struct gcl_member_nodes *nodes)
{
    memset(seeds, 0, sizeof *seeds);
    seeds->mem = mem;
    seeds->nodes = nodes;
}

void gcl_member_seeds_fini(struct gcl_member_seeds *seeds)
{
    for (size_t i = 0; i < seeds->count; i++)
        gcl_member_nodes_release(seeds->nodes, seeds->sorted[i].node);
    gcl_free(seeds->mem, seeds->sorted);
    gcl_member_seeds_init(seeds, seeds->mem, seeds->nodes);
}

int gcl_member_seeds_reserve(struct gcl_member_seeds *seeds, size_t more)
{
    size_t capacity = seeds->capacity > 0 ? seeds->capacity : FIRST_CAPACITY;
    while (capacity < seeds->count + more)
        capacity *= 2;
    if (capacity == seeds->capacity)
        return 0;
    void *sorted = gcl_resize(seeds->mem, seeds->sorted, capacity * sizeof *seeds->sorted);
    if (sorted == NULL)
        return GCL_ENOMEM;
    seeds->sorted = sorted;
    seeds->capacity = capacity;
    return 0;
}

struct gcl_member_seed *gcl_member_seeds_find(const struct gcl_member_seeds *seeds,
                                              const struct gcl_member_node *node)
{
    for (size_t i = 0; i < seeds->count; i++) {
        if (seeds->sorted[i].node == node)
            return &seeds->sorted[i];
    }
    return NULL;
}

struct gcl_member_seed *gcl_member_seeds_find_tag(const struct gcl_member_seeds *seeds,
                                                  uint64_t tag)
{
    for (size_t i = 0; tag != 0 && i < seeds->count; i++) {
        if (seeds->sorted[i].tag == tag)
            return &seeds->sorted[i];
    }
    return NULL;
}

struct gcl_member_seed *gcl_member_seeds_find_nonce(const struct gcl_member_seeds *seeds,
                                                    uint64_t nonce)
{
    for (size_t i = 0; nonce != 0 && i < seeds->count; i++) {
        if (seeds->sorted[i].nonce == nonce)
            return &seeds->sorted[i];
    }
    return NULL;
}

struct gcl_member_seed *gcl_member_seeds_add(struct gcl_member_seeds *seeds,
                                             struct gcl_member_node *node)
{
    size_t place = 0;
    while (place < seeds->count && gcl_str_compare(seeds->sorted[place].node->name, node->name) < 0)
        place++;
    struct gcl_member_seed *seed = &seeds->sorted[place];
    memmove(seed + 1, seed, (seeds->count - place) * sizeof *seed);
    seeds->count++;
    *seed = (struct gcl_member_seed){.node = gcl_member_node_share(node), .due_ms = GCL_NEVER};
    return seed;
}

void gcl_member_seeds_remove(struct gcl_member_seeds *seeds, struct gcl_member_seed *seed)
{
    size_t place = (size_t)(seed - seeds->sorted);
    gcl_member_nodes_release(seeds->nodes, seed->node);
    seeds->count--;
    memmove(seed, seed + 1, (seeds->count - place) * sizeof *seed);
}

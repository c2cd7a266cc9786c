/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link.h"

#include <string.h>

#include <gen_cluster/error.h>

/* Two local processes are ordered by number, so that a pair has one key. */
struct pair {
    struct gcl_core_process *near;
    struct gcl_core_process *far;
    gcl_pid far_pid;
};

static struct pair pair_of(struct gcl_core_process *near, struct gcl_core_process *far,
                           gcl_pid far_pid)
{
    struct pair pair = {near, far, far_pid};
    if (far == NULL)
        return pair;
    if (far->number < near->number) {
        pair.near = far;
        pair.far = near;
    }
    memset(&pair.far_pid, 0, sizeof pair.far_pid);
    return pair;
}

static bool pair_equal(const void *item, const void *key)
{
    const struct gcl_link *link = item;
    const struct pair *pair = key;
    return link->near == pair->near && link->far == pair->far &&
           gcl_pid_equal(link->far_pid, pair->far_pid);
}

static uint32_t pair_hash(const struct gcl_links *links, const struct pair *pair)
{
    uint32_t words[6] = {pair->near->number, pair->far != NULL ? pair->far->number : 0,
                         pair->far_pid.node, pair->far_pid.generation,
                         pair->far_pid.id,   pair->far_pid.serial};
    return gcl_hash(links->seed, words, sizeof words);
}

void gcl_links_init(struct gcl_links *links, const gcl_allocator *mem, const uint64_t seed[2],
                    struct gcl_names *names)
{
    links->mem = mem;
    links->seed[0] = seed[0];
    links->seed[1] = seed[1];
    links->names = names;
    links->next_unlink_id = 0;
    gcl_table_init(&links->table, mem);
}

void gcl_links_fini(struct gcl_links *links)
{
    gcl_table_fini(&links->table);
}

struct gcl_link *gcl_links_find(const struct gcl_links *links, struct gcl_core_process *near,
                                struct gcl_core_process *far, gcl_pid far_pid)
{
    struct pair pair = pair_of(near, far, far_pid);
    return gcl_table_find(&links->table, pair_hash(links, &pair), pair_equal, &pair);
}

int gcl_links_add(struct gcl_links *links, struct gcl_core_process *near,
                  struct gcl_core_process *far, gcl_pid far_pid, struct gcl_core_peer *peer,
                  struct gcl_link **out)
{
    struct pair pair = pair_of(near, far, far_pid);
    struct gcl_name *node = NULL;
    if (peer != NULL) {
        node = gcl_names_get(links->names, far_pid.node, far_pid.generation);
        if (node == NULL)
            return GCL_ESTALE;
    }
    struct gcl_link *link = gcl_alloc_zero(links->mem, sizeof *link);
    if (link == NULL)
        return GCL_ENOMEM;
    link->near = pair.near;
    link->far = pair.far;
    link->far_pid = pair.far_pid;
    if (gcl_table_add(&links->table, pair_hash(links, &pair), link) != 0) {
        gcl_free(links->mem, link);
        return GCL_ENOMEM;
    }
    if (node != NULL)
        gcl_names_hold(links->names, node);
    link->remote_node = node;
    gcl_list_init(&link->at_far);
    gcl_list_add_last(&link->near->links, &link->at_near);
    if (link->far != NULL)
        gcl_list_add_last(&link->far->far_links, &link->at_far);
    else if (peer != NULL)
        gcl_list_add_last(&peer->links, &link->at_far);
    *out = link;
    return 0;
}

void gcl_links_unlist(struct gcl_links *links, struct gcl_link *link)
{
    struct pair pair = {link->near, link->far, link->far_pid};
    (void)gcl_table_remove(&links->table, pair_hash(links, &pair), pair_equal, &pair);
    gcl_list_remove(&link->at_near);
    gcl_list_remove(&link->at_far);
}

void gcl_link_free(struct gcl_links *links, struct gcl_link *link)
{
    if (link == NULL)
        return;
    if (link->remote_node != NULL)
        gcl_names_release(links->names, link->remote_node);
    gcl_free(links->mem, link);
}

uint64_t gcl_links_unlink_id(struct gcl_links *links)
{
    if (++links->next_unlink_id == 0)
        links->next_unlink_id = 1;
    return links->next_unlink_id;
}

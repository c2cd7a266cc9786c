/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that have something at the service: what is theirs is found without what is not. */
#include "node/node.h"
#include "server/global/gns.h"

static bool is_of(const void *item, const void *key)
{
    return ((const struct gcl_gns_owner *)item)->server == key;
}

static uint32_t hash_of(const struct gcl_gns_service *gns, const gcl_server *server)
{
    const uintptr_t word = (uintptr_t)server;
    return gcl_hash(gns->node->seed, &word, sizeof word);
}

struct gcl_gns_owner *gcl_gns_owner_find(const struct gcl_gns_service *gns,
                                         const gcl_server *server)
{
    return gcl_table_find(&gns->owners, hash_of(gns, server), is_of, server);
}

struct gcl_gns_owner *gcl_gns_owner_of(struct gcl_gns_service *gns, gcl_server *server)
{
    struct gcl_gns_owner *owner = gcl_gns_owner_find(gns, server);
    if (owner != NULL)
        return owner;
    owner = gcl_alloc_zero(gns->node->mem, sizeof *owner);
    if (owner == NULL)
        return NULL;
    owner->server = server;
    gcl_list_init(&owner->claims);
    gcl_list_init(&owner->waits);
    if (gcl_table_add(&gns->owners, hash_of(gns, server), owner) == 0)
        return owner;
    gcl_free(gns->node->mem, owner);
    return NULL;
}

void gcl_gns_owner_tidy(struct gcl_gns_service *gns, struct gcl_gns_owner *owner)
{
    if (!gcl_list_is_empty(&owner->claims) || !gcl_list_is_empty(&owner->waits))
        return;
    (void)gcl_table_remove(&gns->owners, hash_of(gns, owner->server), is_of, owner->server);
    gcl_free(gns->node->mem, owner);
}

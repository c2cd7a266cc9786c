/* SPDX-License-Identifier: Apache-2.0 */
#include "core/membership/peer.h"

#include <string.h>

#include <gen_cluster/error.h>

enum { FIRST_CAPACITY = 8 };

void gcl_member_peers_init(struct gcl_member_peers *peers, const gcl_allocator *mem,
                           struct gcl_member_nodes *nodes)
{
    memset(peers, 0, sizeof *peers);
    peers->mem = mem;
    peers->nodes = nodes;
    peers->is_view_stale = true;
}

void gcl_member_peers_fini(struct gcl_member_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        gcl_member_peer_free(peers, peers->sorted[i]);
    gcl_free(peers->mem, peers->sorted);
    gcl_free(peers->mem, peers->view);
    gcl_member_peers_init(peers, peers->mem, peers->nodes);
}

void gcl_member_peers_clear(struct gcl_member_peers *peers)
{
    size_t kept = 0;
    for (size_t i = 0; i < peers->count; i++) {
        struct gcl_member_peer *peer = peers->sorted[i];
        if (peer->state == GCL_MEMBER_SELF) {
            peers->sorted[kept++] = peer;
            continue;
        }
        gcl_member_peers_set_state(peers, peer, GCL_MEMBER_NONE);
        gcl_member_peer_free(peers, peer);
    }
    peers->count = kept;
}

int gcl_member_peers_reserve(struct gcl_member_peers *peers, size_t more)
{
    size_t capacity = peers->capacity > 0 ? peers->capacity : FIRST_CAPACITY;
    while (capacity < peers->count + more)
        capacity *= 2;
    if (capacity == peers->capacity)
        return 0;
    void *sorted = gcl_resize(peers->mem, peers->sorted, capacity * sizeof(void *));
    if (sorted == NULL)
        return GCL_ENOMEM;
    peers->sorted = sorted;
    void *view = gcl_resize(peers->mem, peers->view, capacity * sizeof(void *));
    if (view == NULL)
        return GCL_ENOMEM;
    peers->view = view;
    peers->capacity = capacity;
    return 0;
}

struct gcl_member_peer *gcl_member_peer_new(struct gcl_member_peers *peers,
                                            const struct gcl_member_id *id)
{
    struct gcl_member_peer *peer = gcl_alloc_zero(peers->mem, sizeof *peer);
    if (peer == NULL)
        return NULL;
    if (gcl_member_nodes_take(peers->nodes, id->node, &peer->node) != 0) {
        gcl_free(peers->mem, peer);
        return NULL;
    }
    peer->id = *id;
    peer->id.node = peer->node->name;
    peer->since_ms = GCL_NEVER;
    gcl_deadline_init(&peer->due, NULL);
    return peer;
}

void gcl_member_peer_free(struct gcl_member_peers *peers, struct gcl_member_peer *peer)
{
    if (peer == NULL)
        return;
    gcl_member_nodes_release(peers->nodes, peer->node);
    gcl_free(peers->mem, peer->label);
    gcl_free(peers->mem, peer);
}

size_t gcl_member_peers_place(const struct gcl_member_peers *peers, const struct gcl_member_id *id)
{
    size_t low = 0, high = peers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gcl_member_id_compare(&peers->sorted[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t gcl_member_peers_place_of_node(const struct gcl_member_peers *peers, struct gcl_str node)
{
    struct gcl_member_id least = {.node = node};
    return gcl_member_peers_place(peers, &least);
}

struct gcl_member_peer *gcl_member_peers_find(const struct gcl_member_peers *peers,
                                              const struct gcl_member_id *id)
{
    size_t place = gcl_member_peers_place(peers, id);
    if (place == peers->count || !gcl_member_id_equal(&peers->sorted[place]->id, id))
        return NULL;
    return peers->sorted[place];
}

/* Adds 1 or takes it away (`by` is then the largest number) wherever peers of a state are counted.
 */
static void count(struct gcl_member_peers *peers, const struct gcl_member_peer *peer, uint32_t by)
{
    size_t wide = by == 1 ? 1 : SIZE_MAX;
    switch (peer->state) {
    case GCL_MEMBER_NONE:
        break;
    case GCL_MEMBER_SELF:
        peers->members += wide;
        break;
    case GCL_MEMBER_CONFIRMED:
        peers->members += wide;
        peer->node->members += by;
        break;
    case GCL_MEMBER_PROBING:
        peers->probings += wide;
        peer->node->probings += by;
        break;
    case GCL_MEMBER_SUSPECT:
        peers->suspects += wide;
        peer->node->suspects += by;
        break;
    }
}

void gcl_member_peers_set_state(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                                enum gcl_member_state state)
{
    bool was_member = gcl_member_peer_is_member(peer);
    count(peers, peer, UINT32_MAX);
    peer->state = state;
    count(peers, peer, 1);
    if (was_member != gcl_member_peer_is_member(peer)) {
        peers->is_view_stale = true;
        peers->is_claimant_stale = true;
    }
}

void gcl_member_peers_set_claim(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                                bool claim)
{
    if (peer->info.claim == claim)
        return;
    peer->info.claim = claim;
    peers->is_claimant_stale = true;
}

void gcl_member_peers_add(struct gcl_member_peers *peers, struct gcl_member_peer *peer,
                          enum gcl_member_state state)
{
    size_t place = gcl_member_peers_place(peers, &peer->id);
    memmove(peers->sorted + place + 1, peers->sorted + place,
            (peers->count - place) * sizeof(void *));
    peers->sorted[place] = peer;
    peers->count++;
    gcl_member_peers_set_state(peers, peer, state);
}

void gcl_member_peers_remove(struct gcl_member_peers *peers, struct gcl_member_peer *peer)
{
    size_t place = gcl_member_peers_place(peers, &peer->id);
    gcl_member_peers_set_state(peers, peer, GCL_MEMBER_NONE);
    peers->count--;
    memmove(peers->sorted + place, peers->sorted + place + 1,
            (peers->count - place) * sizeof(void *));
}

struct gcl_member_list gcl_member_peers_view(struct gcl_member_peers *peers)
{
    if (peers->is_view_stale) {
        size_t members = 0;
        for (size_t i = 0; i < peers->count; i++) {
            if (gcl_member_peer_is_member(peers->sorted[i]))
                peers->view[members++] = &peers->sorted[i]->id;
        }
        peers->is_view_stale = false;
    }
    return gcl_member_list_of(peers->view, peers->members);
}

struct gcl_member_list gcl_member_peers_view_without(struct gcl_member_peers *peers,
                                                     const struct gcl_member_id *id)
{
    struct gcl_member_list list = gcl_member_peers_view(peers);
    size_t low = 0, high = list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gcl_member_id_compare(list.ids[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < list.count && gcl_member_id_equal(list.ids[low], id)) {
        list.without = low;
        list.count--;
    }
    return list;
}

struct gcl_member_peer *gcl_member_peers_claimant(struct gcl_member_peers *peers)
{
    if (peers->is_claimant_stale) {
        peers->claimant = NULL;
        for (size_t i = 0; i < peers->count && peers->claimant == NULL; i++) {
            struct gcl_member_peer *peer = peers->sorted[i];
            if (gcl_member_peer_is_member(peer) && peer->info.claim)
                peers->claimant = peer;
        }
        peers->is_claimant_stale = false;
    }
    return peers->claimant;
}

int gcl_membership_label_copy(const gcl_allocator *mem, const struct gcl_membership_label *label,
                              uint8_t **block)
{
    const struct gcl_str parts[] = {label->type, label->meta, label->children};
    size_t size = label->type.size + label->meta.size + label->children.size;
    *block = NULL;
    if (size == 0)
        return 0;
    uint8_t *at = *block = gcl_alloc(mem, size);
    if (at == NULL)
        return GCL_ENOMEM;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].bytes, parts[i].size);
        at += parts[i].size;
    }
    return 0;
}

struct gcl_membership_label gcl_membership_label_in(const uint8_t *block,
                                                    const struct gcl_membership_label *like)
{
    struct gcl_membership_label label = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    if (block == NULL)
        return label;
    label.type = gcl_str_make(block, like->type.size);
    label.meta = gcl_str_make(label.type.bytes + label.type.size, like->meta.size);
    label.children = gcl_str_make(label.meta.bytes + label.meta.size, like->children.size);
    return label;
}

bool gcl_membership_label_equal(const struct gcl_membership_label *a,
                                const struct gcl_membership_label *b)
{
    return gcl_str_equal(a->type, b->type) && gcl_str_equal(a->meta, b->meta) &&
           gcl_str_equal(a->children, b->children);
}

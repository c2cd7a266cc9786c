/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated network: links, and what is on its way, a heap by time, then by order. */
#include "gns_world_impl.h"

#include <stdlib.h>
#include <string.h>

uint64_t sim_draw(struct world *w)
{
    w->random += 0x9E3779B97F4A7C15u;
    uint64_t z = w->random;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

bool sim_is_c_node(const struct world *w, size_t index)
{
    return w->options.c_nodes != 0 && index % w->options.c_nodes == 0;
}

static bool is_before(const struct parcel *a, const struct parcel *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void sim_push(struct world *w, struct parcel parcel)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity == 0 ? 256 : 2 * w->capacity;
        w->heap = realloc(w->heap, w->capacity * sizeof *w->heap);
    }
    parcel.order = ++w->order;
    size_t at = w->count++;
    while (at > 0 && is_before(&parcel, &w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = parcel;
}

struct parcel sim_pop(struct world *w)
{
    struct parcel first = w->heap[0];
    struct parcel last = w->heap[--w->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < w->count; at = child) {
        if (child + 1 < w->count && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
    }
    if (w->count > 0)
        w->heap[at] = last;
    return first;
}

/* On the way from one node to another, behind what is there already. */
void sim_post(struct world *w, struct parcel parcel, gcl_term term)
{
    struct node *to = w->nodes[parcel.to];
    uint64_t at_ms = w->now_ms + sim_draw(w) % (w->options.delay_ms + 1);
    if (at_ms < to->last_at[parcel.from])
        at_ms = to->last_at[parcel.from];
    to->last_at[parcel.from] = at_ms;
    parcel.at_ms = at_ms;
    parcel.incarnation = to->incarnation;
    parcel.of = w->nodes[parcel.from]->incarnation;
    if (term.size > 0) {
        parcel.bytes = malloc(term.size);
        memcpy(parcel.bytes, term.bytes, term.size);
        parcel.size = term.size;
    }
    sim_push(w, parcel);
}

bool world_is_alive(const struct world *w, size_t node)
{
    return w->nodes[node]->is_alive;
}

bool world_is_reachable(const struct world *w, size_t a, size_t b)
{
    return w->nodes[a]->is_alive && w->nodes[b]->is_alive && w->nodes[a]->side == w->nodes[b]->side;
}

bool world_is_connected(const struct world *w, size_t a, size_t b)
{
    return w->link[a][b] != 0;
}

/* A link begins when both ends have seen the end of the last one. */
static bool can_link(const struct world *w, size_t a, size_t b)
{
    return world_is_reachable(w, a, b) && !(w->nodes[a]->seen_links >> b & 1) &&
           !(w->nodes[b]->seen_links >> a & 1);
}

void world_connect(struct world *w, size_t a, size_t b)
{
    if (a == b || w->link[a][b] != 0 || !can_link(w, a, b))
        return;
    w->link[a][b] = w->link[b][a] = ++w->links;
    for (int i = 0; i < 2; i++) {
        size_t at = i == 0 ? a : b, other = i == 0 ? b : a;
        struct parcel up = {.kind = UP, .from = other, .to = at, .link = w->links};
        w->nodes[at]->seen_links |= (uint64_t)1 << other;
        sim_post(w, up, nothing);
    }
}

void world_disconnect(struct world *w, size_t a, size_t b)
{
    if (w->link[a][b] == 0)
        return;
    for (int i = 0; i < 2; i++) {
        size_t at = i == 0 ? a : b, other = i == 0 ? b : a;
        struct parcel down = {.kind = DOWN, .from = other, .to = at, .link = w->link[a][b]};
        if (w->nodes[at]->is_alive)
            sim_post(w, down, nothing);
    }
    w->link[a][b] = w->link[b][a] = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Time, and the life and death of simulated nodes. */
#include "gns_world_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    return gcl_intern_pid(user, wire, pid);
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    return gcl_translate_pid(user, *pid, wire) ? 0 : GCL_ESTALE;
}

/* Whoever is to be woken first; SIZE_MAX: nobody. */
static size_t next_waker(const struct world *w, uint64_t *at_ms)
{
    size_t first = SIZE_MAX;
    *at_ms = GCL_NEVER;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->nodes[i]->is_alive && gcl_gns_wake_at(w->nodes[i]->gns) < *at_ms) {
            *at_ms = gcl_gns_wake_at(w->nodes[i]->gns);
            first = i;
        }
    return first;
}

/* False: nothing is to come before `until_ms`. */
static bool step(struct world *w, uint64_t until_ms)
{
    uint64_t wake_ms;
    size_t waker = next_waker(w, &wake_ms);
    uint64_t parcel_ms = w->count > 0 ? w->heap[0].at_ms : GCL_NEVER;
    uint64_t next_ms = wake_ms < parcel_ms ? wake_ms : parcel_ms;
    if (next_ms == GCL_NEVER || next_ms > until_ms)
        return false;
    if (next_ms > w->now_ms)
        w->now_ms = next_ms;
    if (parcel_ms <= wake_ms) {
        struct parcel parcel = sim_pop(w);
        sim_deliver(w, &parcel);
        free(parcel.bytes);
    } else {
        gcl_gns_woken(w->nodes[waker]->gns, w->now_ms);
        sim_carry_out_all(w->nodes[waker]);
    }
    return true;
}

void world_run(struct world *w, uint64_t ms)
{
    uint64_t until_ms = w->now_ms + ms;
    while (step(w, until_ms))
        ;
    w->now_ms = until_ms;
}

bool world_settle(struct world *w, uint64_t ms)
{
    uint64_t until_ms = w->now_ms + ms;
    while (step(w, until_ms))
        ;
    uint64_t wake_ms;
    return w->count == 0 && next_waker(w, &wake_ms) == SIZE_MAX;
}

void world_start(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    const uint64_t seed[2] = {sim_draw(w), sim_draw(w)};
    if (node->is_alive)
        return;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0 ||
            (w->nodes[i]->is_alive && (w->nodes[i]->seen_links >> index & 1)))
            return; /* somebody has not seen its death */
    node->is_alive = true;
    node->incarnation++;
    node->seen_links = 0;
    node->process_count = 0;
    node->watched_count = 0;
    node->syncs = node->requests = 0;
    memset(node->asked, 0, sizeof node->asked);
    memset(node->callers, 0, sizeof node->callers);
    gcl_names_init(&node->names, gcl_allocator_default(), seed, 1 << 16);
    const struct gcl_term_ids ids = {.pid_in = pid_in, .pid_out = pid_out, .user = &node->names};
    gcl_term_context_init(&node->terms, gcl_allocator_default(), &ids, NULL, NULL);
    if (gcl_names_set_local(&node->names, sim_str_of_name(node), node->incarnation) != 0)
        abort();
    struct gcl_gns_config config;
    gcl_gns_config_init(&config);
    config.mem = gcl_allocator_default();
    config.terms = &node->terms;
    config.self = sim_str_of_name(node);
    memcpy(config.seed, seed, sizeof seed);
    config.incarnation = sim_draw(w) >> 1;
    config.reports_lost_connections =
        w->options.reports_lost_connections && !sim_is_c_node(w, index);
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = sim_pid_of(node, node, ACTOR_PID + i);
    if (gcl_gns_new(&config, &node->gns) != 0)
        abort();
}

static void end(struct node *node)
{
    while (node->late_count > 0)
        free(node->late[--node->late_count].bytes);
    gcl_gns_free(node->gns);
    node->gns = NULL;
    gcl_term_context_fini(&node->terms);
    gcl_names_fini(&node->names);
}

void world_kill(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    node->is_alive = false;
    for (size_t i = 0; i < w->options.nodes; i++)
        world_disconnect(w, index, i);
    end(node);
}

void world_split(struct world *w, const unsigned *sides)
{
    for (size_t i = 0; i < w->options.nodes; i++)
        w->nodes[i]->side = sides != NULL ? sides[i] : 0;
    for (size_t i = 0; i < w->options.nodes; i++)
        for (size_t j = 0; j < i; j++)
            if (w->nodes[i]->side != w->nodes[j]->side)
                world_disconnect(w, i, j);
}

struct world *world_new(const struct world_options *options)
{
    struct world *w = calloc(1, sizeof *w);
    w->options = *options;
    w->random = options->seed;
    w->now_ms = 1;
    for (size_t i = 0; i < options->nodes; i++) {
        struct node *node = calloc(1, sizeof *node);
        w->nodes[i] = node;
        node->world = w;
        node->index = i;
        snprintf(node->name, sizeof node->name, "n%zu@sim%u", i, (unsigned)(sim_draw(w) % 9));
    }
    for (size_t i = 0; i < options->nodes; i++)
        world_start(w, i);
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->options.nodes; i++) {
        if (w->nodes[i]->is_alive)
            end(w->nodes[i]);
        free(w->nodes[i]);
    }
    while (w->count > 0)
        free(w->heap[--w->count].bytes);
    free(w->heap);
    free(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What has to hold when the simulated world is at rest. */
#include "gns_world_impl.h"

#include <stdio.h>
#include <stdlib.h>

struct comparing {
    struct world *world;
    struct node *node, *reference;
    struct world_verdict *verdict;
};

#define WRONG(verdict, ...)                                                                        \
    do {                                                                                           \
        (verdict)->is_ok = false;                                                                  \
        snprintf((verdict)->text, sizeof(verdict)->text, __VA_ARGS__);                             \
    } while (0)

static void compare_name(gcl_term name, gcl_pid pid, void *user)
{
    struct comparing *c = user;
    struct gcl_wire_pid wire;
    gcl_pid same;
    unsigned number = 0;
    (void)gcl_match(name, "{name, ~u}", &number);
    size_t home = sim_home_of(c->node, pid);
    if (home == SIZE_MAX || !c->world->nodes[home]->is_alive ||
        !c->world->nodes[home]->processes[pid.id - FIRST_PID].is_alive) {
        WRONG(c->verdict, "%s: name %u is of the dead", c->node->name, number);
        return;
    }
    if (!gcl_translate_pid(&c->node->names, pid, &wire) ||
        gcl_intern_pid(&c->reference->names, &wire, &same) != 0)
        abort();
    struct text text = sim_build(c->reference, GCL_MESSAGE("{name, ~u}", number));
    if (!gcl_pid_equal(gcl_gns_whereis(c->reference->gns, text.term), same))
        WRONG(c->verdict, "name %u: %s and %s differ", number, c->node->name, c->reference->name);
    gcl_buffer_fini(&text.bytes);
}

static void print_name(gcl_term name, gcl_pid pid, void *user)
{
    struct node *node = user;
    char text[100] = "";
    size_t home = sim_home_of(node, pid);
    (void)gcl_term_print(name, text, sizeof text, NULL);
    fprintf(stderr, "%s has %s: %u of %s\n", node->name, text, pid.id,
            home != SIZE_MAX ? node->world->nodes[home]->name : "the past");
}

static void judge_node(struct world *w, struct node *node, struct node *reference,
                       struct world_verdict *verdict)
{
    struct comparing comparing = {w, node, reference, verdict};
    if (getenv("GCL_VERBOSE") != NULL)
        gcl_gns_each_name(node->gns, print_name, node);
    if (gcl_gns_lock_count(node->gns) != 0)
        WRONG(verdict, "%s: a lock is still held", node->name);
    if (node->syncs != 0)
        WRONG(verdict, "%s: sync has not been answered", node->name);
    if (node->requests != 0)
        WRONG(verdict, "%s: a request has not been answered", node->name);
    for (size_t i = 0; i < w->options.nodes; i++) {
        const struct node *other = w->nodes[i];
        if (other == node)
            continue;
        if (other->is_alive != gcl_gns_is_known(node->gns, sim_str_of_name(other)))
            WRONG(verdict, "%s: %s is %sknown", node->name, other->name,
                  other->is_alive ? "not " : "");
        if (other->is_alive != gcl_gns_is_synced(node->gns, sim_str_of_name(other)))
            WRONG(verdict, "%s: %s is %ssynced", node->name, other->name,
                  other->is_alive ? "not " : "");
    }
    if (gcl_gns_name_count(node->gns) != gcl_gns_name_count(reference->gns))
        WRONG(verdict, "%s has %zu names, %s %zu", node->name, gcl_gns_name_count(node->gns),
              reference->name, gcl_gns_name_count(reference->gns));
    gcl_gns_each_name(node->gns, compare_name, &comparing);
}

struct world_verdict world_judge(struct world *w)
{
    struct world_verdict verdict = {.is_ok = true};
    if (w->was_shared)
        WRONG(&verdict, "two processes have had one lock");
    struct node *reference = NULL;
    for (size_t i = 0; i < w->options.nodes && verdict.is_ok; i++) {
        if (!w->nodes[i]->is_alive)
            continue;
        if (reference == NULL)
            reference = w->nodes[i];
        judge_node(w, w->nodes[i], reference, &verdict);
    }
    return verdict;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated node has below its machine: processes and monitors, calls, and effects that are
 * carried out. */
#include "gns_world_impl.h"

#include <stdio.h>
#include <stdlib.h>

struct gcl_str sim_str_of_name(const struct node *node)
{
    return gcl_str_of(node->name);
}

static size_t index_of(const struct world *w, struct gcl_str name)
{
    for (size_t i = 0; i < w->options.nodes; i++)
        if (gcl_str_equal(sim_str_of_name(w->nodes[i]), name))
            return i;
    return SIZE_MAX;
}

/* The node of a pid that `node` knows, if it is still the same one; or SIZE_MAX. */
size_t sim_home_of(struct node *node, gcl_pid pid)
{
    struct gcl_wire_pid wire;
    if (!gcl_translate_pid(&node->names, pid, &wire))
        return SIZE_MAX;
    size_t index = index_of(node->world, wire.node);
    if (index == SIZE_MAX || node->world->nodes[index]->incarnation != wire.creation)
        return SIZE_MAX;
    return index;
}

gcl_pid sim_pid_of(struct node *node, struct node *home, uint32_t id)
{
    gcl_pid pid;
    struct gcl_wire_pid wire = {sim_str_of_name(home), id, 0, home->incarnation};
    if (gcl_intern_pid(&node->names, &wire, &pid) != 0)
        abort();
    return pid;
}

static void tell_down(struct world *w, size_t watcher, struct node *home, uint32_t id)
{
    if (watcher != home->index && w->link[home->index][watcher] == 0)
        return;
    struct parcel parcel = {.kind = PROCESS_DOWN,
                            .from = home->index,
                            .to = watcher,
                            .number = id,
                            .link = w->link[home->index][watcher]};
    sim_post(w, parcel, nothing);
}

void sim_kill_process(struct world *w, struct node *home, uint32_t id)
{
    struct process *process = &home->processes[id - FIRST_PID];
    if (id < FIRST_PID || id - FIRST_PID >= home->process_count || !process->is_alive)
        return;
    process->is_alive = false;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (process->watchers >> i & 1)
            tell_down(w, i, home, id);
    process->watchers = 0;
}

/* Actors live as long as their node. */
void sim_watch(struct world *w, size_t watcher, struct node *home, uint32_t id, bool on)
{
    if (id < FIRST_PID)
        return;
    struct process *process = &home->processes[id - FIRST_PID];
    if (!on)
        process->watchers &= ~((uint64_t)1 << watcher);
    else if (process->is_alive)
        process->watchers |= (uint64_t)1 << watcher;
    else
        tell_down(w, watcher, home, id);
}

struct asked *sim_take_asked(struct asked *table)
{
    for (size_t i = 0; i < ASKED; i++)
        if (!table[i].is_used) {
            table[i].is_used = true;
            return &table[i];
        }
    abort();
}

static void no_answer(struct node *node, uint64_t number)
{
    struct parcel parcel = {
        .kind = NO_ANSWER, .from = node->index, .to = node->index, .number = number};
    sim_post(node->world, parcel, nothing);
}

/* Calls and monitors connect by themselves. */
static bool reach(struct node *node, size_t other)
{
    if (other == SIZE_MAX)
        return false;
    if (other != node->index && node->world->link[node->index][other] == 0)
        world_connect(node->world, node->index, other);
    return other == node->index || node->world->link[node->index][other] != 0;
}

void sim_send_to(struct node *node, size_t other, enum kind kind, uint64_t number, gcl_pid pid,
                 gcl_term term)
{
    struct world *w = node->world;
    struct parcel parcel = {.kind = kind,
                            .from = node->index,
                            .to = other,
                            .link = w->link[node->index][other],
                            .number = number,
                            .pid = pid};
    sim_post(w, parcel, term);
}

static void ask(struct node *node, size_t other, enum kind kind,
                const struct gcl_gns_effect *effect)
{
    if (!reach(node, other)) {
        no_answer(node, effect->number);
        return;
    }
    struct asked *asked = sim_take_asked(node->asked);
    asked->node = other;
    asked->number = effect->number;
    asked->link = node->world->link[node->index][other];
    sim_send_to(node, other, kind, effect->number, effect->pid, effect->term);
}

/* The monitor that there was; 0: none. */
uint64_t sim_unwatch(struct node *node, gcl_pid pid)
{
    for (size_t i = 0; i < node->watched_count; i++)
        if (gcl_pid_equal(node->watched[i].pid, pid)) {
            uint64_t number = node->watched[i].monitor;
            node->watched[i] = node->watched[--node->watched_count];
            return number;
        }
    return 0;
}

bool sim_is_watched(const struct node *node, uint64_t number)
{
    for (size_t i = 0; i < node->watched_count; i++)
        if (node->watched[i].monitor == number)
            return true;
    return false;
}

static void monitor(struct node *node, gcl_pid pid, bool on)
{
    struct world *w = node->world;
    size_t home = sim_home_of(node, pid);
    if (home == node->index) {
        sim_watch(w, node->index, node, pid.id, on);
        return;
    }
    (void)sim_unwatch(node, pid);
    if (!on) {
        if (home != SIZE_MAX && w->link[node->index][home] != 0)
            sim_send_to(node, home, DEMONITOR, pid.id, pid, nothing);
        return;
    }
    if (node->watched_count == PROCESSES)
        abort();
    node->watched[node->watched_count].pid = pid;
    node->watched[node->watched_count++].monitor = ++node->last_monitor;
    if (reach(node, home)) {
        sim_send_to(node, home, MONITOR, pid.id, pid, nothing);
    } else {
        struct parcel gone = {.kind = PROCESS_DOWN, .from = node->index, .to = node->index};
        gone.pid = pid;
        gone.monitor = node->last_monitor; /* `pid` is as this node knows it */
        sim_post(w, gone, nothing);
    }
}

static void carry_out(struct node *node, const struct gcl_gns_effect *effect)
{
    struct world *w = node->world;
    size_t other = effect->node.size > 0 ? index_of(w, effect->node) : SIZE_MAX;
    switch (effect->kind) {
    case GCL_GNS_SEND:
        if (other != SIZE_MAX && w->link[node->index][other] != 0)
            sim_send_to(node, other, CAST, 0, effect->pid, effect->term);
        break;
    case GCL_GNS_SEND_PID:
        other = sim_home_of(node, effect->pid);
        if (other != SIZE_MAX && w->link[node->index][other] != 0)
            sim_send_to(node, other, CAST, 0, effect->pid, effect->term);
        break;
    case GCL_GNS_CALL:
        ask(node, other, CALL, effect);
        break;
    case GCL_GNS_RESOLVE:
        ask(node, other, RESOLVE, effect);
        break;
    case GCL_GNS_REPLY: {
        struct asked *caller = &node->callers[effect->number - 1];
        caller->is_used = false;
        if (caller->node == node->index)
            node->syncs--;
        else if (w->link[node->index][caller->node] == caller->link)
            sim_send_to(node, caller->node, ANSWER, caller->number, effect->pid, effect->term);
        break;
    }
    case GCL_GNS_MONITOR:
    case GCL_GNS_DEMONITOR:
        monitor(node, effect->pid, effect->kind == GCL_GNS_MONITOR);
        break;
    case GCL_GNS_CONNECT:
        if (!reach(node, other)) {
            struct parcel failed = {
                .kind = CONNECT_FAILED, .from = node->index, .to = node->index, .number = other};
            sim_post(w, failed, nothing);
        }
        break;
    case GCL_GNS_DISCONNECT:
        if (other != SIZE_MAX)
            world_disconnect(w, node->index, other);
        break;
    case GCL_GNS_DONE:
        node->requests--;
        w->answered++;
        sim_lock_done(w, effect->number, effect->error);
        break;
    case GCL_GNS_LOST:
        w->lost++;
        break;
    case GCL_GNS_LOG:
        if (getenv("GCL_VERBOSE") != NULL)
            fprintf(stderr, "%6llu %s: %.*s %s\n", (unsigned long long)w->now_ms, node->name,
                    (int)effect->node.size, (const char *)effect->node.bytes, effect->text);
        break;
    }
}

void sim_carry_out_all(struct node *node)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(node->gns, &effect))
        carry_out(node, &effect);
    if (gcl_gns_has_failed(node->gns))
        abort();
    gcl_term_context_release(&node->terms);
}

struct text sim_build(struct node *node, gcl_message message)
{
    struct text text;
    gcl_buffer_init(&text.bytes, gcl_allocator_default(), 0);
    if (gcl_term_build(&node->terms, &text.bytes, &message) != 0)
        abort();
    text.term =
        gcl_term_make(&node->terms, gcl_buffer_bytes(&text.bytes), gcl_buffer_size(&text.bytes));
    return text;
}

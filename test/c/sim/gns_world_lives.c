/* SPDX-License-Identifier: Apache-2.0 */
/* What programs of simulated nodes ask for, and what goes wrong there. */
#include "gns_world_impl.h"

#include <stdlib.h>

void world_register(struct world *w, size_t index, unsigned number)
{
    static const uint8_t method[] = {113, 119, 6,   'g', 'l', 'o', 'b', 'a', 'l', 119,
                                     16,  'r', 'a', 'n', 'd', 'o', 'm', '_', 'e', 'x',
                                     'i', 't', '_', 'n', 'a', 'm', 'e', 97,  3};
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES)
        return;
    uint32_t id = FIRST_PID + node->process_count;
    node->processes[node->process_count++] = (struct process){.is_alive = true};
    struct text name = sim_build(node, GCL_MESSAGE("{name, ~u}", number));
    if (gcl_gns_register(node->gns, w->now_ms, ++w->requests, name.term, sim_pid_of(node, node, id),
                         gcl_term_make(&node->terms, method, sizeof method)) != 0)
        abort();
    node->requests++;
    gcl_buffer_fini(&name.bytes);
    sim_carry_out_all(node);
}

void world_unregister(struct world *w, size_t index, unsigned number)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct text name = sim_build(node, GCL_MESSAGE("{name, ~u}", number));
    gcl_pid pid = gcl_gns_whereis(node->gns, name.term);
    if (!gcl_pid_is_none(pid) && sim_home_of(node, pid) == index) {
        if (gcl_gns_unregister(node->gns, w->now_ms, ++w->requests, name.term, pid) != 0)
            abort();
        node->requests++;
    }
    gcl_buffer_fini(&name.bytes);
    sim_carry_out_all(node);
}

void world_kill_holder(struct world *w, size_t index, unsigned number)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct text name = sim_build(node, GCL_MESSAGE("{name, ~u}", number));
    gcl_pid pid = gcl_gns_whereis(node->gns, name.term);
    gcl_buffer_fini(&name.bytes);
    if (!gcl_pid_is_none(pid) && sim_home_of(node, pid) == index)
        sim_kill_process(w, node, pid.id);
}

/* A process calls the server of its own node; it gets no other answer than the one to sync/0. */
static void call_self(struct node *node, uint32_t id, gcl_term request)
{
    struct asked *caller = sim_take_asked(node->callers);
    caller->node = node->index;
    node->syncs++;
    gcl_gns_call(node->gns, node->world->now_ms, (uint64_t)(caller - node->callers) + 1,
                 sim_pid_of(node, node, id), request);
}

void world_set_lock(struct world *w, size_t index, unsigned resource)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES)
        return;
    uint32_t id = FIRST_PID + node->process_count;
    gcl_pid pid = sim_pid_of(node, node, id);
    node->processes[node->process_count++] = (struct process){.is_alive = true, .is_locker = true};
    struct text request =
        sim_build(node, GCL_MESSAGE("{set_lock, {{lock, ~u}, ~p}}", resource, pid));
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0)
            sim_send_to(node, i, CALL, 0, (gcl_pid){.id = id}, request.term);
    call_self(node, id, request.term);
    gcl_buffer_fini(&request.bytes);
    sim_carry_out_all(node);
}

void world_kill_lockers(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    for (uint32_t i = 0; node->is_alive && i < node->process_count; i++)
        if (node->processes[i].is_locker)
            sim_kill_process(w, node, FIRST_PID + i);
}

void world_sync(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct gcl_buffer list;
    gcl_buffer_init(&list, gcl_allocator_default(), 0);
    struct gcl_writer writer;
    gcl_writer_init(&writer, &node->terms, &list);
    uint32_t count = 0;
    for (size_t i = 0; i < w->options.nodes; i++)
        count += w->link[index][i] != 0;
    if (gcl_write_list(&writer, count) != 0)
        abort();
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0 && gcl_write(&writer, "~a", w->nodes[i]->name) != 0)
            abort();
    if (count > 0 && gcl_write(&writer, "[]") != 0)
        abort();
    struct text request = sim_build(
        node, GCL_MESSAGE("{sync, ~t}", gcl_term_make(&node->terms, gcl_buffer_bytes(&list),
                                                      gcl_buffer_size(&list))));
    call_self(node, FIRST_PID, request.term);
    gcl_buffer_fini(&request.bytes);
    gcl_buffer_fini(&list);
    sim_carry_out_all(node);
}

size_t world_answered(const struct world *w)
{
    return w->answered;
}

size_t world_lost(const struct world *w)
{
    return w->lost;
}

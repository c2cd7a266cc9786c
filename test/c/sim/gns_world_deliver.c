/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a simulated node. */
#include "gns_world_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* As global:resolve_it/4 with random_exit_name: the process of the smaller node stays. */
static void resolve(struct node *node, const struct parcel *parcel, gcl_term arguments)
{
    gcl_pid his, mine;
    struct gcl_wire_pid his_wire, mine_wire;
    char his_name[NAME_BYTES];
    if (!gcl_match(arguments, "[_, _, ~p, ~p]", &his, &mine) ||
        !gcl_translate_pid(&node->names, his, &his_wire))
        abort();
    snprintf(his_name, sizeof his_name, "%.*s", (int)his_wire.node.size, his_wire.node.bytes);
    if (!gcl_translate_pid(&node->names, mine, &mine_wire))
        abort();
    bool his_wins = gcl_str_compare(gcl_str_of(his_name), mine_wire.node) < 0;
    gcl_pid loser = his_wins ? mine : his, winner = his_wins ? his : mine;
    size_t home = sim_home_of(node, loser);
    if (home != SIZE_MAX && (home == node->index || node->world->link[node->index][home] != 0))
        sim_kill_process(node->world, node->world->nodes[home], loser.id);
    struct gcl_buffer answer;
    gcl_buffer_init(&answer, gcl_allocator_default(), 0);
    gcl_message message = GCL_MESSAGE("~p", winner);
    if (gcl_term_build(&node->terms, &answer, &message) != 0)
        abort();
    sim_send_to(node, parcel->from, ANSWER, parcel->number, winner,
                gcl_term_make(&node->terms, gcl_buffer_bytes(&answer), gcl_buffer_size(&answer)));
    gcl_buffer_fini(&answer);
}

static void answered(struct node *node, const struct parcel *parcel, int error, gcl_term term)
{
    if (parcel->kind == ANSWER) {
        size_t i = 0;
        while (i < ASKED && !(node->asked[i].is_used && node->asked[i].number == parcel->number &&
                              node->asked[i].node == parcel->from))
            i++;
        if (i == ASKED)
            return;
        node->asked[i].is_used = false;
    }
    gcl_gns_answered(node->gns, node->world->now_ms, parcel->number, error, term);
}

static void call(struct node *node, const struct parcel *parcel, gcl_term request)
{
    struct asked *caller = sim_take_asked(node->callers);
    caller->node = parcel->from;
    caller->number = parcel->number;
    caller->link = parcel->link;
    gcl_gns_call(node->gns, node->world->now_ms, (uint64_t)(caller - node->callers) + 1,
                 sim_pid_of(node, node->world->nodes[parcel->from], parcel->pid.id), request);
}

/* As the layers below do: DOWNs first, then calls that have failed, then nodedown. */
static void link_down(struct node *node, const struct parcel *parcel)
{
    struct world *w = node->world;
    const struct node *other = w->nodes[parcel->from];
    for (size_t i = 0; i < node->watched_count; i++) {
        struct gcl_wire_pid wire;
        gcl_pid pid = node->watched[i].pid;
        if (!gcl_translate_pid(&node->names, pid, &wire) ||
            !gcl_str_equal(wire.node, sim_str_of_name(other)))
            continue;
        node->watched[i--] = node->watched[--node->watched_count];
        gcl_gns_down(node->gns, w->now_ms, pid);
        sim_carry_out_all(node);
    }
    for (size_t i = 0; i < ASKED; i++)
        if (node->asked[i].is_used && node->asked[i].node == parcel->from &&
            node->asked[i].link == parcel->link) {
            node->asked[i].is_used = false;
            gcl_gns_answered(node->gns, w->now_ms, node->asked[i].number, GCL_ENOCONNECTION,
                             nothing);
            sim_carry_out_all(node);
        }
    for (uint32_t i = 0; i < node->process_count; i++)
        node->processes[i].watchers &= ~((uint64_t)1 << parcel->from);
    for (size_t i = 0; i < ASKED; i++)
        if (node->callers[i].is_used && node->callers[i].node == parcel->from)
            node->callers[i].link = 0;
    node->seen_links &= ~((uint64_t)1 << parcel->from);
    gcl_gns_nodedown(node->gns, w->now_ms, sim_str_of_name(other));
}

static void process_down(struct node *node, const struct parcel *parcel)
{
    if (parcel->monitor != 0 && !sim_is_watched(node, parcel->monitor))
        return;
    gcl_pid pid = parcel->monitor != 0 ? parcel->pid
                                       : sim_pid_of(node, node->world->nodes[parcel->from],
                                                    (uint32_t)parcel->number);
    (void)sim_unwatch(node, pid);
    gcl_gns_down(node->gns, node->world->now_ms, pid);
}

/* With GCL_VERBOSE in the environment: what happens, to find out why a life went wrong. */
static void trace(const struct world *w, const struct parcel *parcel, gcl_term term)
{
    static const char *const kinds[] = {
        "up",           "down",    "cast",           "call",      "answer", "monitor", "demonitor",
        "process down", "resolve", "connect failed", "no answer", "unlock", "die"};
    char text[400] = "";
    if (getenv("GCL_VERBOSE") == NULL)
        return;
    if (term.size > 0)
        (void)gcl_term_print(term, text, sizeof text, NULL);
    fprintf(stderr, "%6llu %s -> %s: %s %llu %s\n", (unsigned long long)w->now_ms,
            w->nodes[parcel->from]->name, w->nodes[parcel->to]->name, kinds[parcel->kind],
            (unsigned long long)parcel->number, text);
}

/* A server that is busy, or stands still, may look at what it has got when the connection has gone,
 * and set a lock for somebody whom it monitors by a new one. */
static void keep_for_later(struct world *w, struct node *node, struct parcel *parcel, gcl_term term)
{
    if (parcel->kind != CALL || node->late_count == LATE || sim_draw(w) % 2 == 0 ||
        !gcl_match(term, "{set_lock, _}"))
        return;
    node->late[node->late_count++] = *parcel;
    parcel->bytes = NULL;
}

static void deliver_late(struct node *node, size_t from)
{
    for (size_t i = 0; i < node->late_count; i++) {
        struct parcel parcel = node->late[i];
        if (parcel.from != from)
            continue;
        node->late[i--] = node->late[--node->late_count];
        if (parcel.of == node->world->nodes[from]->incarnation)
            call(node, &parcel, gcl_term_make(&node->terms, parcel.bytes, parcel.size));
        sim_carry_out_all(node);
        free(parcel.bytes);
    }
}

void sim_deliver(struct world *w, struct parcel *parcel)
{
    struct node *node = w->nodes[parcel->to];
    bool is_of_link = parcel->link != 0 && parcel->kind != DOWN && parcel->kind != UP;
    if (!node->is_alive || node->incarnation != parcel->incarnation)
        return;
    struct gcl_str other = sim_str_of_name(w->nodes[parcel->from]);
    gcl_term term = gcl_term_make(&node->terms, parcel->bytes, parcel->size);
    gcl_term inner;
    if (is_of_link && w->link[parcel->to][parcel->from] != parcel->link) {
        keep_for_later(w, node, parcel, term);
        return;
    }
    trace(w, parcel, term);
    switch (parcel->kind) {
    case UP:
        deliver_late(node, parcel->from);
        gcl_gns_nodeup(node->gns, w->now_ms, other, !sim_is_c_node(w, parcel->from));
        break;
    case DOWN:
        link_down(node, parcel);
        break;
    case CAST:
        if (gcl_match(term, "{'$gen_cast', ~t}", &inner))
            gcl_gns_cast(node->gns, w->now_ms, inner);
        else
            gcl_gns_info(node->gns, w->now_ms, term);
        break;
    case CALL:
        call(node, parcel, term);
        break;
    case ANSWER:
        answered(node, parcel, 0, term);
        break;
    case NO_ANSWER:
        answered(node, parcel, GCL_ENOCONNECTION, nothing);
        break;
    case MONITOR:
    case DEMONITOR:
        sim_watch(w, parcel->from, node, (uint32_t)parcel->number, parcel->kind == MONITOR);
        break;
    case PROCESS_DOWN:
        process_down(node, parcel);
        break;
    case RESOLVE:
        resolve(node, parcel, term);
        break;
    case UNLOCK:
        sim_unlock(w, &w->locks[parcel->number]);
        break;
    case DIE:
        sim_die(w, &w->locks[parcel->number]);
        break;
    case CONNECT_FAILED:
        if (parcel->number < w->options.nodes)
            gcl_gns_connect_failed(node->gns, w->now_ms, sim_str_of_name(w->nodes[parcel->number]));
        break;
    }
    sim_carry_out_all(node);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a schedule of the simulator of `global` (test/c/sim/gns_schedule.h) as terms, for real
 * nodes to lead the same life: {delay, Ms}, and a line {Step, PauseMs} for each step. Nodes are
 * numbered from 1, names from 0.
 *
 *     global_schedule SEED NODES STEPS
 */
#include <stdio.h>
#include <stdlib.h>

#include "../sim/gns_schedule.h"

static const struct {
    const char *name;
    enum { NODE, NODE_AND_NAME, NODE_AND_OTHER, NOTHING, SIDES } form;
} forms[SCHEDULE_KINDS] = {
    [SCHEDULE_CONNECT] = {"connect", NODE_AND_OTHER},
    [SCHEDULE_REGISTER] = {"register", NODE_AND_NAME},
    [SCHEDULE_UNREGISTER] = {"unregister", NODE_AND_NAME},
    [SCHEDULE_KILL_HOLDER] = {"kill_holder", NODE_AND_NAME},
    [SCHEDULE_SYNC] = {"sync", NODE},
    [SCHEDULE_LOCK] = {"lock", NODE_AND_NAME},
    [SCHEDULE_KILL_LOCKERS] = {"kill_lockers", NODE},
    [SCHEDULE_DISCONNECT] = {"disconnect", NODE_AND_OTHER},
    [SCHEDULE_KILL] = {"kill", NODE},
    [SCHEDULE_START] = {"start", NODE},
    [SCHEDULE_SPLIT] = {"split", SIDES},
    [SCHEDULE_HEAL] = {"heal", NOTHING},
};

static void print_sides(const struct schedule_step *step, size_t nodes)
{
    for (size_t i = 0; i < nodes; i++)
        printf("%s%u", i == 0 ? "[" : ", ", step->sides[i]);
    printf("]");
}

static void print(const struct schedule_step *step, size_t nodes)
{
    const char *name = forms[step->kind].name;
    printf("{");
    switch (forms[step->kind].form) {
    case NODE:
        printf("{%s, %zu}", name, step->node + 1);
        break;
    case NODE_AND_NAME:
        printf("{%s, %zu, %u}", name, step->node + 1, step->name);
        break;
    case NODE_AND_OTHER:
        printf("{%s, %zu, %zu}", name, step->node + 1, step->other + 1);
        break;
    case NOTHING:
        printf("%s", name);
        break;
    case SIDES:
        printf("{%s, ", name);
        print_sides(step, nodes);
        printf("}");
        break;
    }
    printf(", %llu}.\n", (unsigned long long)step->pause_ms);
}

int main(int argc, char **argv)
{
    struct schedule schedule;
    struct schedule_step step;
    if (argc != 4)
        return 64;
    size_t nodes = strtoul(argv[2], NULL, 10);
    if (nodes == 0 || nodes > SCHEDULE_NODES)
        return 64;
    schedule_begin(&schedule, strtoull(argv[1], NULL, 0), nodes);
    printf("{delay, %u}.\n", schedule.delay_ms);
    for (unsigned long left = strtoul(argv[3], NULL, 10); left > 0; left--) {
        schedule_next(&schedule, &step);
        print(&step, nodes);
    }
    return 0;
}

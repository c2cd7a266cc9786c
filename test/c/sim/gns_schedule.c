/* SPDX-License-Identifier: Apache-2.0 */
#include "gns_schedule.h"

enum { NAMES = 12, SLOWEST = 9, PAUSE_MS = 800 };

/* How often each of them comes. */
static const enum schedule_kind kinds[] = {
    SCHEDULE_CONNECT,  SCHEDULE_CONNECT,    SCHEDULE_CONNECT,     SCHEDULE_REGISTER,
    SCHEDULE_REGISTER, SCHEDULE_REGISTER,   SCHEDULE_UNREGISTER,  SCHEDULE_KILL_HOLDER,
    SCHEDULE_SYNC,     SCHEDULE_DISCONNECT, SCHEDULE_DISCONNECT,  SCHEDULE_KILL,
    SCHEDULE_START,    SCHEDULE_START,      SCHEDULE_SPLIT,       SCHEDULE_HEAL,
    SCHEDULE_LOCK,     SCHEDULE_LOCK,       SCHEDULE_KILL_LOCKERS};

/* splitmix64: the same on every machine. */
static size_t draw(struct schedule *schedule, size_t below)
{
    schedule->random += 0x9E3779B97F4A7C15u;
    uint64_t z = schedule->random;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((z ^ (z >> 31)) % below);
}

void schedule_begin(struct schedule *schedule, uint64_t seed, size_t nodes)
{
    schedule->random = seed;
    schedule->nodes = nodes;
    schedule->world_seed = draw(schedule, SIZE_MAX);
    schedule->delay_ms = 1u << draw(schedule, SLOWEST);
}

static void draw_sides(struct schedule *schedule, struct schedule_step *step)
{
    size_t count = 2 + draw(schedule, 2);
    for (size_t i = 0; i < schedule->nodes; i++)
        step->sides[i] = (unsigned)draw(schedule, count);
}

void schedule_next(struct schedule *schedule, struct schedule_step *step)
{
    step->node = draw(schedule, schedule->nodes);
    step->other = draw(schedule, schedule->nodes);
    step->name = (unsigned)draw(schedule, NAMES);
    step->kind = kinds[draw(schedule, sizeof kinds / sizeof kinds[0])];
    if (step->kind == SCHEDULE_SPLIT)
        draw_sides(schedule, step);
    step->pause_ms = draw(schedule, 2) == 0 ? 0 : draw(schedule, PAUSE_MS);
}

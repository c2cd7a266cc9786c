/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Random lives of clusters: what happens to which node, and how much time passes behind it. One
 * seed gives one schedule, which does not depend on what comes of it: simulated nodes lead it
 * (test_gns.c) as well as real ones (test/ct/global_schedule_SUITE.erl, by the program
 * global_schedule).
 */
#ifndef GCL_TEST_SIM_GNS_SCHEDULE_H
#define GCL_TEST_SIM_GNS_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

enum { SCHEDULE_NODES = 64 };

enum schedule_kind {
    SCHEDULE_CONNECT,      /* `node` to `other` */
    SCHEDULE_REGISTER,     /* a new process of `node` asks for `name` */
    SCHEDULE_UNREGISTER,   /* the process that has `name` gives it back, if it is one of `node` */
    SCHEDULE_KILL_HOLDER,  /* the same process dies */
    SCHEDULE_SYNC,         /* global:sync/0 on `node` */
    SCHEDULE_LOCK,         /* a new process of `node` locks the resource `name` wherever it can */
    SCHEDULE_KILL_LOCKERS, /* all processes of `node` that have done so die */
    SCHEDULE_DISCONNECT,   /* `node` from `other` */
    SCHEDULE_KILL,         /* the node ends */
    SCHEDULE_START,        /* if it has ended */
    SCHEDULE_SPLIT,        /* only nodes of the same side, `sides`, can reach each other */
    SCHEDULE_HEAL,         /* all can */
    SCHEDULE_KINDS
};

struct schedule_step {
    enum schedule_kind kind;
    size_t node, other;
    unsigned name;
    unsigned sides[SCHEDULE_NODES];
    uint64_t pause_ms; /* behind it */
};

struct schedule {
    uint64_t random;
    size_t nodes;
    uint64_t world_seed; /* of what else is random in a simulation */
    unsigned delay_ms;   /* how slow the net is: the longest that a message takes */
};

void schedule_begin(struct schedule *schedule, uint64_t seed, size_t nodes);
void schedule_next(struct schedule *schedule, struct schedule_step *step);

#endif

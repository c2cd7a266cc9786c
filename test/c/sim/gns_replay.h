/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The machine of the global_name_server in the place of a node of a capture (gns_capture.h): it
 * gets what that node got, does what it did, and has to say what it said, to each other node in the
 * same order, before it gets the next frame, and nothing else. What it sends to whom, what it asks
 * whom by which of its processes, what it answers to whom, which conflict it has decided where, and
 * which processes of other nodes it monitors at each time: all have to be those of the node.
 *
 * Not the same are
 *
 * - tags of sessions: the one in each init_connect of the node stands for that of the machine, in
 *   all that comes and goes;
 * - references of calls: each call of the node stands for the one of the machine that it equals;
 * - the order of lists, but for those of pids: names, operations and nodes come out of tables;
 * - what stands in messages but is not read by anybody: see `unread` in gns_replay.c;
 * - numbers of reports of lost connections: they only have to grow;
 * - that an init_connect_ack of a session that is over is answered by cancel_connect: the machine
 *   does not answer it;
 * - that nodes of OTP 27 and later forget the names of a node that they have just cancelled a
 *   session with, though they are in sync with it: the machine keeps them;
 * - how often a process is monitored;
 * - when something is done for which a node waits some time: the machine is woken when the node has
 *   said something that the machine has not;
 * - chance, by which a locker chooses among several nodes, and a registrar its time: the machine
 *   begins with each of a few seeds until one fits.
 */
#ifndef GCL_TEST_SIM_GNS_REPLAY_H
#define GCL_TEST_SIM_GNS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "gns_capture.h"

struct replay_verdict {
    bool is_ok;
    size_t said;    /* how many messages were the same */
    unsigned line;  /* of the file, where it went wrong */
    char text[800]; /* and why */
};

/** The machine in the place of `node`. */
struct replay_verdict replay(const struct capture_life *life, size_t node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the servers of `global` of real nodes said to each other: test/c/golden/global_*.txt,
 * written by test/tools/capture_global.sh. A file has several lives of a mesh of nodes, in which
 * things happen in the order of the lines:
 *
 *     life TEXT          the next one begins, with nodes that know nobody
 *     node NODE TERM     there is a node; {Server, Locker, Registrar}: its three processes
 *     up NODE OTHER      NODE has got a connection to OTHER
 *     down NODE OTHER    NODE has lost it
 *     do NODE TERM       NODE does something by itself: {register, Name, Pid, Method},
 *                        {re_register, ...}, {unregister, Name}, {set_lock, Id, Pid},
 *                        {del_lock, Id, Pid}, {exit, Pid}, halt
 *     sent FROM TO FRAME FROM has sent a frame; it may be on its way for long
 *     got FROM TO        the oldest frame on its way from FROM to TO has arrived
 *
 * Terms and frames are in hexadecimal, without the version byte and the length. Nobody says
 * anything because of a frame before its `got`, and all that is said because of it comes before the
 * next `got`.
 */
#ifndef GCL_TEST_SIM_GNS_CAPTURE_H
#define GCL_TEST_SIM_GNS_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { CAPTURE_NODES = 4 };

enum capture_kind {
    CAPTURE_NODE,
    CAPTURE_UP,
    CAPTURE_DOWN,
    CAPTURE_DO,
    CAPTURE_SENT,
    CAPTURE_GOT,
    CAPTURE_KINDS
};

struct capture_line {
    enum capture_kind kind;
    size_t at, other;     /* nodes; `at` is FROM */
    struct gcl_str bytes; /* of a term or a frame */
    unsigned number;      /* in the file */
};

struct capture_life {
    char title[64];
    char nodes[CAPTURE_NODES][32]; /* by their places, as the lines name them */
    size_t node_count;
    struct capture_line *lines;
    size_t count;
};

struct capture {
    struct capture_life *lives;
    size_t count;
};

/** Reads test/c/golden/<name>; the test fails when it cannot. */
struct capture capture_load(const char *name);
void capture_free(struct capture *capture);

#endif

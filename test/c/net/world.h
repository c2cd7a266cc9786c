/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What tests of nodes share: up to three nodes in one loop under one counting allocator, the lines
 * that they log, and the time that a test may take. For a peer that misbehaves see raw.h.
 */
#ifndef GCL_TEST_NET_WORLD_H
#define GCL_TEST_NET_WORLD_H

#include <ev.h>
#include <gen_cluster.h>

#include "support.h"

enum { WORLD_NODES = 3 };

struct world_node {
    gcl_node *node;
    char name[64];
    bool is_ready;
    bool is_closed;
    unsigned outcomes; /* of world_connect() */
    int outcome;       /* the last one */
    char detail[256];
};

struct world {
    struct ev_loop *loop;
    gcl_test_memory mem;
    const char *address; /* of all nodes; numeric */
    struct world_node nodes[WORLD_NODES];
    int may_close_with; /* a node by itself, beside 0 */
    char log[65536];    /* "event text\n" of all nodes */
};

extern struct world world;

void world_begin(void);

/**
 * Starts node `index` under a name that no other test has, on a port of its own and without epmd.
 * `adjust` (may be NULL) changes the config, which logs GCL_LOG_INFO and worse.
 */
struct world_node *world_start(int index, void (*adjust)(gcl_node_config *config));

/** The same for a visible one, and waits until it knows that others find it: it is at rest then. */
struct world_node *world_start_found(int index, void (*adjust)(gcl_node_config *config));

/** Tells node `from` where `to` listens, and begins to connect. */
void world_introduce(struct world_node *from, const struct world_node *to);
void world_connect(struct world_node *from, const struct world_node *to);

/** Connects to a node by its name, and waits for the outcome: `detail` of `from` says more. */
int world_try(struct world_node *from, const char *name);

/** Introduces and connects, and waits until it is done. */
void world_join(struct world_node *from, const struct world_node *to);

/** Runs the loop until `done`; fails after 30 s. */
void world_until(bool (*done)(void));

/** Runs the loop until the log has this text. */
void world_await(const char *text);

/** Runs the loop for that long. */
void world_live(double ms);

/** Lines of the log with this text. */
unsigned world_logged(const char *text);

/** Milliseconds of the monotonic clock. */
double world_now_ms(void);

/** The tests run under a sanitizer: fewer rounds, more time. */
bool world_is_slow(void);

void world_close(struct world_node *node);

/** Closes what is open and looks for leaks. */
void world_end(void);

/** A server with these handlers; `user` and `name` (may be NULL) as in the config. */
gcl_server *world_serve(struct world_node *node, const gcl_handlers *handlers, const char *name,
                        void *user);

#endif

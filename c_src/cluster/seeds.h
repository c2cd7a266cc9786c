/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The nodes through which a member joins: the union of those in its config, in the variable
 * GEN_CLUSTER_SEEDS (between commas or spaces), and in the file named by GEN_CLUSTER_SEED_CONFIG
 * (Erlang terms with a dot behind each: a node's name as atom, string or binary).
 *
 * A bad seed in the config keeps a member from starting; elsewhere it is logged with its source
 * and left out: a slip in one place shall not keep a cluster from coming up.
 */
#ifndef GCL_CLUSTER_SEEDS_H
#define GCL_CLUSTER_SEEDS_H

#include <gen_cluster/term.h>

#include "base/log.h"
#include "base/str.h"

enum { GCL_CLUSTER_SEEDS_MAX = 256 };

struct gcl_cluster_seeds {
    const gcl_allocator *mem;
    const struct gcl_log *log;
    struct gcl_str self;   /* this node, which is no seed; borrowed */
    struct gcl_str *names; /* owned, each other than the others */
    size_t count;
    size_t capacity;
};

/** All are borrowed. Allocates nothing. */
void gcl_cluster_seeds_init(struct gcl_cluster_seeds *seeds, const gcl_allocator *mem,
                            const struct gcl_log *log, struct gcl_str self);
void gcl_cluster_seeds_fini(struct gcl_cluster_seeds *seeds);

/** Whether it looks like name@host. */
bool gcl_cluster_is_node(struct gcl_str name);

/**
 * Adds one, copied, unless it is there or this node. GCL_ENAME: it is no node's name; GCL_ELIMIT:
 * GCL_CLUSTER_SEEDS_MAX are there; GCL_ENOMEM.
 */
int gcl_cluster_seeds_add(struct gcl_cluster_seeds *seeds, struct gcl_str name) GCL_MUST_USE;

/** Adds what stands between commas and white space. `source` is for the log. 0 or GCL_ENOMEM. */
int gcl_cluster_seeds_add_words(struct gcl_cluster_seeds *seeds, const char *source,
                                struct gcl_str text) GCL_MUST_USE;

/** Adds the terms of a file. Behind one that is none, nothing is read. 0 or GCL_ENOMEM. */
int gcl_cluster_seeds_add_terms(struct gcl_cluster_seeds *seeds, gcl_term_context *context,
                                const char *source, struct gcl_str text) GCL_MUST_USE;

/** Adds those of a file, at most 1 MiB. 0 or GCL_ENOMEM. */
int gcl_cluster_seeds_add_file(struct gcl_cluster_seeds *seeds, gcl_term_context *context,
                               const char *path) GCL_MUST_USE;

/** Adds those of both variables. 0 or GCL_ENOMEM. */
int gcl_cluster_seeds_add_environment(struct gcl_cluster_seeds *seeds,
                                      gcl_term_context *context) GCL_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the programs share that suites drive: a node that says what becomes of it on stdout, a line
 * each, `ready NODE PORT`, `closed ERROR`, what it logs as `log LEVEL EVENT TEXT`, and that closes
 * when the input ends.
 */
#ifndef GCL_TEST_DRIVEN_H
#define GCL_TEST_DRIVEN_H

#include <gen_cluster.h>

/** The config of such a node, which may be changed then, but for its `user`. */
void driven_config(gcl_node_config *config, const char *name);

/** Makes it; `*node` is NULL when it has closed. False: it cannot be made, stderr says why. */
bool driven_start(gcl_node_config *config, gcl_node **node);

/** Runs the loop until the node has closed, which it does when the input ends. */
void driven_run(gcl_node **node);

/** Answers a call with `ok` or `{error, Name}`. */
void driven_reply(gcl_server *self, const gcl_from *from, int error);

/** The text of an atom, terminated; valid until three more have been asked for. */
const char *driven_text(gcl_bytes atom);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The server `global_group`: which nodes `global` reaches, where the config says so, and what other
 * nodes ask of it.
 *
 * spec: global_group and global_search of kernel
 */
#ifndef GCL_SERVER_GLOBAL_GROUP_H
#define GCL_SERVER_GLOBAL_GROUP_H

#include <gen_cluster/server.h>

struct gcl_node;

/** 0, GCL_ELIMIT, GCL_ENOMEM. */
int gcl_global_group_start(struct gcl_node *node);

/** Whether a node takes part in the same `global`: of the group, or there are none. */
bool gcl_global_group_has(const struct gcl_node *node, const char *name);

/** A node of the group is connected: asks which group it has, and leaves it when that is another
 * one. Does nothing where there are no groups. */
void gcl_global_group_ask(gcl_server *self, const char *name);

/** Tells a connected node that it does not, so that it does not wait for this one. */
void gcl_global_group_refuse(gcl_server *self, const char *name);

/** Writes the list of the nodes of the group; empty: there are none. */
int gcl_global_group_write(const struct gcl_node *node, gcl_writer *out);

#endif

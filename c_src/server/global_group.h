/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GCL_SERVER_GLOBAL_GROUP_H
#define GCL_SERVER_GLOBAL_GROUP_H

struct gcl_node;

/** Starts the process `global_group`. Errors of gcl_server_start(). */
int gcl_global_group_start(struct gcl_node *node);

#endif

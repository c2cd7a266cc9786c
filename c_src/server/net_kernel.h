/* SPDX-License-Identifier: Apache-2.0 */
/** The process that net_adm:ping/1 asks. */
#ifndef GCL_SERVER_NET_KERNEL_H
#define GCL_SERVER_NET_KERNEL_H

struct gcl_node;

/** Starts it under the name `net_kernel`. Errors of gcl_server_start(). */
int gcl_net_kernel_start(struct gcl_node *node);

#endif

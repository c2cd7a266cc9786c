/* SPDX-License-Identifier: Apache-2.0 */
/** Checks a config and keeps what of it a node needs. */
#ifndef GCL_NODE_CONFIG_H
#define GCL_NODE_CONFIG_H

#include "node/node.h"

/** Where one line goes that says what is wrong; `text` may be NULL. */
struct gcl_config_detail {
    char *text;
    size_t size;
};

/** Fills node->config, name, host, log and epmd. Errors of gcl_node_new(). */
int gcl_config_take(struct gcl_node *node, const gcl_node_config *config,
                    const struct gcl_config_detail *detail);

/** Wipes and frees what gcl_config_take() has kept, also after an error. */
void gcl_config_free(struct gcl_node *node);

#endif

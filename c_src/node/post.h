/* SPDX-License-Identifier: Apache-2.0 */
/**
 * gcl_post(): the one way from other threads into a node. The poster has its own lock and its own
 * life; the node gives it a function that wakes its loop.
 */
#ifndef GCL_NODE_POST_H
#define GCL_NODE_POST_H

#include <gen_cluster/node.h>

/** Makes a poster with one reference. `wake` is called from any thread, under the poster's lock. */
gcl_poster *gcl_poster_new(uint32_t max_posts, void (*wake)(void *argument), void *argument);

/** Loop thread: calls up to `most` posted functions with `node`. True when more wait. */
bool gcl_poster_run(gcl_poster *poster, gcl_node *node, size_t most);

/** Loop thread: refuses further posts, then calls all that wait with NULL. */
void gcl_poster_close(gcl_poster *poster);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The one way from a pattern with values to a signal: the message is built in a buffer of the node,
 * behind what the caller has put there, and sent from it.
 */
#ifndef GCL_NODE_MESSAGE_H
#define GCL_NODE_MESSAGE_H

#include <gen_cluster/term.h>

#include "base/buffer.h"
#include "core/signal.h"

struct gcl_node;

/** The buffer, emptied. Used until the next call that builds; nothing in between calls back. */
struct gcl_buffer *gcl_message_begin(struct gcl_node *node);

/** Appends the message and sends the whole as a SEND. Errors of gcl_term_build(), gcl_node_send().
 */
int gcl_message_send(struct gcl_node *node, gcl_pid from, const struct gcl_target *to,
                     const gcl_message *message);

/** The same for an answer, which is owed: never GCL_EBUSY. */
int gcl_message_answer(struct gcl_node *node, gcl_pid from, const struct gcl_target *to,
                       const gcl_message *message);

/** Appends the message; the whole borrows from the node until the next call that builds. */
int gcl_message_finish(struct gcl_node *node, const gcl_message *message, struct gcl_str *whole);

/** Builds one term; it borrows from the node until the next call that builds. */
int gcl_message_build(struct gcl_node *node, const gcl_message *message, struct gcl_str *term);

/** Forgets what was built, and gives back what something large has needed. Between two turns. */
void gcl_message_forget(struct gcl_node *node);

/** A term of an event, for a handler: built in a buffer that stays as it is while handlers run. */
int gcl_message_event(struct gcl_node *node, gcl_message message, gcl_term *term);

#endif

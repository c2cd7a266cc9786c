/* SPDX-License-Identifier: Apache-2.0 */
#include "node/message.h"

#include "node/node.h"

enum { KEPT_BYTES = 65536 }; /* of the buffer, after a large message */

static struct gcl_str bytes_of(const struct gcl_buffer *buffer)
{
    return gcl_str_make(gcl_buffer_bytes(buffer), gcl_buffer_size(buffer));
}

static void forget(struct gcl_buffer *buffer)
{
    gcl_buffer_clear(buffer);
    gcl_buffer_shrink(buffer, KEPT_BYTES);
}

struct gcl_buffer *gcl_message_begin(struct gcl_node *node)
{
    forget(&node->message);
    return &node->message;
}

void gcl_message_forget(struct gcl_node *node)
{
    forget(&node->message);
    forget(&node->event);
}

int gcl_message_finish(struct gcl_node *node, const gcl_message *message, struct gcl_str *whole)
{
    int error = gcl_term_build(&node->terms, &node->message, message);
    *whole = bytes_of(&node->message);
    return error;
}

static int build_and_send(struct gcl_node *node, gcl_pid from, const struct gcl_target *to,
                          const gcl_message *message, bool is_owed)
{
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND, .from = from, .to = *to, .is_owed = is_owed};
    int error = gcl_message_finish(node, message, &signal.term);
    return error != 0 ? error : gcl_node_send(node, &signal);
}

int gcl_message_send(struct gcl_node *node, gcl_pid from, const struct gcl_target *to,
                     const gcl_message *message)
{
    return build_and_send(node, from, to, message, false);
}

int gcl_message_answer(struct gcl_node *node, gcl_pid from, const struct gcl_target *to,
                       const gcl_message *message)
{
    return build_and_send(node, from, to, message, true);
}

int gcl_message_build(struct gcl_node *node, const gcl_message *message, struct gcl_str *term)
{
    (void)gcl_message_begin(node);
    return gcl_message_finish(node, message, term);
}

int gcl_message_event(struct gcl_node *node, gcl_message message, gcl_term *term)
{
    forget(&node->event);
    int error = gcl_term_build(&node->terms, &node->event, &message);
    *term = gcl_term_of(&node->terms, bytes_of(&node->event));
    return error;
}

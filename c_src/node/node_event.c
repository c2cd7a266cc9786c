/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_event.h"

#include "node/process.h"
#include "wire/term/write.h"

struct event {
    struct gcl_list at_node;
    struct gcl_list waiting; /* watchers that were not told yet */
    struct gcl_signal signal;
    struct gcl_buffer bytes; /* the name, then the reason */
    size_t name_size;
    bool has_begun;
};

void gcl_node_events_init(struct gcl_node *node)
{
    gcl_list_init(&node->node_events);
    gcl_list_init(&node->node_watchers);
}

static void free_event(struct gcl_node *node, struct event *event)
{
    /* Who was not told is a watcher as before. */
    gcl_list_move_all(&node->node_watchers, &event->waiting);
    gcl_list_remove(&event->at_node);
    gcl_buffer_fini(&event->bytes);
    gcl_free(node->mem, event);
}

void gcl_node_events_fini(struct gcl_node *node)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&node->node_events)) != NULL)
        free_event(node, GCL_CONTAINER_OF(at, struct event, at_node));
}

static int fill(struct event *event, struct gcl_str name, const char *why)
{
    int error = gcl_buffer_append_str(&event->bytes, name);
    if (error == 0 && why != NULL)
        error = gcl_write_binary(&event->bytes, gcl_str_of(why));
    event->name_size = name.size;
    return error;
}

static void add(struct gcl_peer *peer, enum gcl_signal_op op, const char *why)
{
    struct gcl_node *node = peer->node;
    if (gcl_list_is_empty(&node->node_watchers) && gcl_list_is_empty(&node->node_events))
        return;
    struct event *event = gcl_alloc_zero(node->mem, sizeof *event);
    if (event != NULL) {
        gcl_buffer_init(&event->bytes, node->mem, 0);
        gcl_list_init(&event->waiting);
        gcl_list_init(&event->at_node);
        event->signal.op = op;
        gcl_list_add_last(&node->node_events, &event->at_node);
        if (fill(event, gcl_str_make(peer->text, peer->text_size), why) == 0)
            return;
        free_event(node, event);
    }
    gcl_log(&node->log, GCL_LOG_ERROR, "node_event", "no memory to tell of %s", peer->text);
}

void gcl_node_event_up(struct gcl_peer *peer)
{
    add(peer, GCL_SIGNAL_NODE_UP, NULL);
}

void gcl_node_event_down(struct gcl_peer *peer, const char *why)
{
    peer->node->services->peer_down(peer->node, peer->name);
    add(peer, GCL_SIGNAL_NODE_DOWN, why);
}

bool gcl_node_events_next(struct gcl_node *node)
{
    struct gcl_list *at = gcl_list_first(&node->node_events);
    if (at == NULL)
        return false;
    struct event *event = GCL_CONTAINER_OF(at, struct event, at_node);
    if (!event->has_begun)
        gcl_list_move_all(&event->waiting, &node->node_watchers);
    event->has_begun = true;
    if (gcl_list_is_empty(&event->waiting)) {
        free_event(node, event);
        return true;
    }
    struct gcl_list *first = event->waiting.next;
    struct gcl_process *process = GCL_CONTAINER_OF(first, struct gcl_process, watch);
    gcl_list_remove(first);
    gcl_list_add_last(&node->node_watchers, first);
    const uint8_t *bytes = gcl_buffer_bytes(&event->bytes);
    event->signal.from_name = gcl_str_make(bytes, event->name_size);
    event->signal.term =
        gcl_str_make(bytes + event->name_size, gcl_buffer_size(&event->bytes) - event->name_size);
    process->class->node_event(process, &event->signal);
    return true;
}

void gcl_process_watch_nodes(struct gcl_process *process, bool on)
{
    bool is_on = !gcl_list_is_empty(&process->watch);
    if (is_on && !on)
        gcl_list_remove(&process->watch);
    else if (!is_on && on)
        gcl_list_add_last(&process->node->node_watchers, &process->watch);
}

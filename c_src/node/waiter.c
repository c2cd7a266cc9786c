/* SPDX-License-Identifier: Apache-2.0 */
#include "node/waiter.h"

#include <string.h>

struct waiter {
    struct gcl_list at_peer;
    gcl_connect_function *done;
    void *user;
};

/* Those whom that makes wait anew are left. */
static void tell(struct gcl_node *node, struct gcl_list *waiters, const char *name, int error,
                 const char *detail)
{
    struct gcl_list told, *at;
    gcl_list_init(&told);
    gcl_list_move_all(&told, waiters);
    while ((at = gcl_list_first(&told)) != NULL) {
        struct waiter waiter = *GCL_CONTAINER_OF(at, struct waiter, at_peer);
        gcl_list_remove(at);
        gcl_free(node->mem, GCL_CONTAINER_OF(at, struct waiter, at_peer));
        waiter.done(node, name, error, detail, waiter.user);
    }
}

void gcl_waiters_tell(struct gcl_peer *peer, int error, const char *detail)
{
    tell(peer->node, &peer->waiters, peer->text, error, detail);
}

/* --- for this node itself --------------------------------------------------------------------- */

static void on_own(struct gcl_deadline *deadline)
{
    struct gcl_node *node = GCL_CONTAINER_OF(deadline, struct gcl_node, own_waiters.wait);
    tell(node, &node->own_waiters.list, node->name, 0, "");
}

void gcl_waiters_init_own(struct gcl_node *node)
{
    gcl_list_init(&node->own_waiters.list);
    gcl_deadline_init(&node->own_waiters.wait, on_own);
}

void gcl_waiters_close_own(struct gcl_node *node)
{
    gcl_loop_cancel(&node->loop, &node->own_waiters.wait);
    tell(node, &node->own_waiters.list, node->name, GCL_ECANCELED, "the node is closing");
}

/* --- beginning -------------------------------------------------------------------------------- */

/* What is there already is told from the loop, as every other outcome. */
static int wait_a_turn(struct gcl_node *node, struct waiter *waiter, struct gcl_deadline *wait)
{
    int error = gcl_loop_set(&node->loop, wait, 0);
    if (error != 0) {
        gcl_list_remove(&waiter->at_peer);
        gcl_free(node->mem, waiter);
    }
    return error;
}

static int wait_for(struct gcl_node *node, struct gcl_str name, struct waiter *waiter)
{
    struct gcl_peer *peer;
    int error = gcl_peer_get(node, name, &peer);
    if (error != 0) {
        gcl_free(node->mem, waiter);
        return error;
    }
    gcl_list_add_last(&peer->waiters, &waiter->at_peer);
    if (peer->up != NULL)
        return wait_a_turn(node, waiter, &peer->wait);
    gcl_peer_step(peer, GCL_CONNECT_WANT, 0, "");
    return 0;
}

int gcl_node_connect(gcl_node *node, const char *name, gcl_connect_function *done, void *user)
{
    if (node->is_closing)
        return GCL_ECLOSED;
    struct waiter *waiter = gcl_alloc(node->mem, sizeof *waiter);
    if (waiter == NULL)
        return GCL_ENOMEM;
    *waiter = (struct waiter){.done = done, .user = user};
    if (strcmp(name, node->name) != 0)
        return wait_for(node, gcl_str_of(name), waiter);
    gcl_list_add_last(&node->own_waiters.list, &waiter->at_peer);
    return wait_a_turn(node, waiter, &node->own_waiters.wait);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "node/waiter.h"

struct waiter {
    struct gcl_list at_peer;
    gcl_connect_function *done;
    void *user;
};

void gcl_waiters_tell(struct gcl_peer *peer, int error, const char *detail)
{
    struct gcl_list told, *at;
    gcl_list_init(&told);
    gcl_list_move_all(&told, &peer->waiters);
    while ((at = gcl_list_first(&told)) != NULL) {
        struct waiter waiter = *GCL_CONTAINER_OF(at, struct waiter, at_peer);
        gcl_list_remove(at);
        gcl_free(peer->node->mem, GCL_CONTAINER_OF(at, struct waiter, at_peer));
        waiter.done(peer->node, peer->text, error, detail, waiter.user);
    }
}

int gcl_node_connect(gcl_node *node, const char *name, gcl_connect_function *done, void *user)
{
    struct gcl_peer *peer;
    if (node->is_closing)
        return GCL_ECLOSED;
    struct waiter *waiter = gcl_alloc(node->mem, sizeof *waiter);
    if (waiter == NULL)
        return GCL_ENOMEM;
    int error = gcl_peer_get(node, gcl_str_of(name), &peer);
    if (error != 0) {
        gcl_free(node->mem, waiter);
        return error;
    }
    *waiter = (struct waiter){.done = done, .user = user};
    gcl_list_add_last(&peer->waiters, &waiter->at_peer);
    if (peer->up != NULL) {
        error = gcl_loop_set(&node->loop, &peer->wait, 0);
        if (error != 0) {
            gcl_list_remove(&waiter->at_peer);
            gcl_free(node->mem, waiter);
        }
        return error;
    }
    gcl_peer_step(peer, GCL_CONNECT_WANT, 0, "");
    return 0;
}

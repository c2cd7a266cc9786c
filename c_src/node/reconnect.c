/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reconnect.h"

#include <string.h>

#include "node/peer.h"
#include "node/recover.h"

enum { RESTORE_TRIES = 8 };

static void dial_again(struct gcl_deadline *deadline)
{
    struct gcl_peer *peer = GCL_CONTAINER_OF(deadline, struct gcl_peer, reconnect.wait);
    gcl_peer_step(peer, GCL_CONNECT_WANT, 0, "");
}

void gcl_reconnect_init(struct gcl_peer *peer)
{
    const gcl_node_config *config = &peer->node->config;
    struct gcl_reconnect *reconnect = &peer->reconnect;
    gcl_backoff_init(&reconnect->backoff, config->reconnect_min_ms, config->reconnect_max_ms);
    gcl_deadline_init(&reconnect->wait, dial_again);
}

void gcl_reconnect_stop(struct gcl_peer *peer)
{
    peer->reconnect.is_on = false;
    peer->reconnect.tries = 0;
    gcl_loop_cancel(&peer->node->loop, &peer->reconnect.wait);
}

void gcl_reconnect_up(struct gcl_peer *peer)
{
    peer->reconnect.up_since_ms = gcl_loop_now_ms(&peer->node->loop);
    peer->reconnect.tries = 0;
    gcl_loop_cancel(&peer->node->loop, &peer->reconnect.wait);
}

/* BEAMs do not dial a node that they have lost. Hidden connections are made anew by whoever has
 * something to send. */
static void restore(struct gcl_peer *peer)
{
    if (!peer->is_visible || !gcl_recover_is_due(peer->node))
        return;
    gcl_backoff_reset(&peer->reconnect.backoff);
    peer->reconnect.tries = RESTORE_TRIES + 1; /* the last one has to fail, too */
}

/* One that dies as soon as it is there has not worked, and must not be dialled ever faster. */
void gcl_reconnect_down(struct gcl_peer *peer)
{
    struct gcl_reconnect *reconnect = &peer->reconnect;
    uint64_t lived_ms = gcl_loop_now_ms(&peer->node->loop) - reconnect->up_since_ms;
    if (lived_ms > reconnect->backoff.ceiling_ms)
        gcl_backoff_reset(&reconnect->backoff);
    restore(peer);
}

/* False when there is none left. */
static bool take_try(struct gcl_peer *peer)
{
    struct gcl_reconnect *reconnect = &peer->reconnect;
    if (reconnect->is_on)
        return true;
    if (--reconnect->tries > 0)
        return true;
    gcl_log(&peer->node->log, GCL_LOG_NOTICE, "reconnect", "%s is not dialled any more",
            peer->text);
    return false;
}

void gcl_reconnect_later(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    struct gcl_reconnect *reconnect = &peer->reconnect;
    uint32_t random = 0;
    if (!gcl_reconnect_is_wanted(reconnect) || node->is_closing || !take_try(peer))
        return;
    (void)gcl_node_random(node, &random, sizeof random);
    uint32_t wait_ms = gcl_backoff_next(&reconnect->backoff, random);
    if (gcl_loop_set(&node->loop, &reconnect->wait, gcl_loop_now_ms(&node->loop) + wait_ms) == 0)
        gcl_log(&node->log, GCL_LOG_INFO, "reconnect", "%s is dialled again in %u ms", peer->text,
                wait_ms);
    else
        gcl_log(&node->log, GCL_LOG_ERROR, "reconnect", "no memory to dial %s again", peer->text);
}

int gcl_node_stay_connected(gcl_node *node, const char *name, bool on)
{
    struct gcl_peer *peer;
    if (node->is_closing)
        return GCL_ECLOSED;
    if (strcmp(name, node->name) == 0)
        return 0;
    if (!on) {
        peer = gcl_peer_find(node, gcl_str_of(name));
        if (peer != NULL) {
            gcl_reconnect_stop(peer);
            gcl_peer_free_if_idle(peer);
        }
        return 0;
    }
    int error = gcl_peer_get(node, gcl_str_of(name), &peer);
    if (error != 0)
        return error;
    peer->reconnect.is_on = true;
    gcl_peer_step(peer, GCL_CONNECT_WANT, 0, "");
    return 0;
}

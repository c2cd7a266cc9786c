/* SPDX-License-Identifier: Apache-2.0 */
/* Transitions by message. Hearsay never makes a member: only an answer to a hello of ours does,
 * sent after the monitor was set, so that the reason of a later DOWN is the true one. */
#include <string.h>

#include "core/membership/machine.h"

/* The hello that carries `echo` answers a seed that was asked or a peer that was asked for its
 * list: the way in which a newcomer finds its contact. */
static bool answers_newcomer(struct gcl_membership *m, const struct gcl_member_peer *peer,
                             uint64_t echo)
{
    struct gcl_member_seed *seed = gcl_member_seeds_find_nonce(&m->seeds, echo);
    if (seed != NULL) {
        gcl_membership_demonitor(m, &seed->tag);
        seed->ok = true;
        return true;
    }
    return echo != 0 && peer != NULL && peer->tag == echo && peer->ask;
}

static bool is_answer(const struct gcl_member_peer *peer,
                      const struct gcl_membership_message *message)
{
    return peer->state == GCL_MEMBER_PROBING && (message->keys & GCL_MEMBERSHIP_KEY_ECHO) &&
           message->echo == peer->tag;
}

static bool must_probe(const struct gcl_member_peer *peer)
{
    return peer == NULL || peer->state == GCL_MEMBER_SUSPECT;
}

static void on_hello(struct gcl_membership *m, struct gcl_member_peer *peer,
                     const struct gcl_membership_message *message)
{
    uint64_t echo = message->keys & GCL_MEMBERSHIP_KEY_ECHO ? message->echo : 0;
    bool chosen =
        answers_newcomer(m, peer, echo) && m->fresh && m->contact == GCL_MEMBERSHIP_CONTACT_NONE;
    if (must_probe(peer))
        peer = gcl_membership_watch(m, peer, &message->from);
    if (peer == NULL)
        return;
    if (chosen) {
        m->contact = GCL_MEMBERSHIP_CONTACT_PEER;
        m->contact_peer = peer;
    }
    gcl_membership_take_info(m, peer, message);
    bool is_answered = false;
    if (is_answer(peer, message)) {
        gcl_membership_confirm(m, peer, message);
        is_answered = peer->echoed == message->nonce;
    }
    if (!is_answered)
        gcl_membership_answer(m, peer, message->nonce);
    if (peer->state == GCL_MEMBER_CONFIRMED)
        gcl_membership_spend_contact(m, peer);
    if (message->keys & GCL_MEMBERSHIP_KEY_WANT)
        gcl_membership_list(m, &peer->id, false);
}

static void on_ack(struct gcl_membership *m, struct gcl_member_peer *peer,
                   const struct gcl_membership_message *message)
{
    if (peer == NULL)
        return;
    gcl_membership_take_info(m, peer, message);
    if (!is_answer(peer, message))
        return;
    gcl_membership_confirm(m, peer, message);
    gcl_membership_spend_contact(m, peer);
}

static void on_info(struct gcl_membership *m, struct gcl_member_peer *peer,
                    const struct gcl_membership_message *message)
{
    if (must_probe(peer)) {
        gcl_membership_probe(m, peer, &message->from, false);
        return;
    }
    if (peer->state != GCL_MEMBER_CONFIRMED)
        return;
    gcl_membership_take_info(m, peer, message);
    if (message->keys & GCL_MEMBERSHIP_KEY_HOLDER)
        gcl_membership_greet(m, &message->holder);
}

static void on_sync(struct gcl_membership *m, struct gcl_member_peer *peer,
                    const struct gcl_membership_message *message)
{
    if (must_probe(peer)) {
        gcl_membership_probe(m, peer, &message->from, false);
        return;
    }
    if (peer->state != GCL_MEMBER_CONFIRMED)
        return;
    gcl_membership_take_info(m, peer, message);
    gcl_membership_make_digest(m);
    if (memcmp(message->digest, m->digest, sizeof m->digest) != 0)
        gcl_membership_list(m, &peer->id, true);
}

static void on_list(struct gcl_membership *m, struct gcl_member_peer *peer,
                    const struct gcl_membership_message *message)
{
    (void)peer;
    for (size_t i = 0; i < message->pids.count; i++) {
        const struct gcl_member_id *id = gcl_member_list_at(&message->pids, i);
        if (gcl_member_peers_find(&m->peers, id) == NULL)
            gcl_membership_probe(m, NULL, id, false);
    }
    if (message->keys & GCL_MEMBERSHIP_KEY_WANT)
        gcl_membership_list(m, &message->from, false);
}

static void on_leave(struct gcl_membership *m, struct gcl_member_peer *peer,
                     const struct gcl_membership_message *message)
{
    if (peer != NULL)
        gcl_membership_drop(m, peer, GCL_MEMBERSHIP_LEFT);
    const struct gcl_member_node *node = gcl_member_nodes_find(&m->nodes, message->from.node);
    struct gcl_member_seed *seed = gcl_member_seeds_find(&m->seeds, node);
    if (seed != NULL)
        seed->ok = true;
}

static const struct {
    uint32_t keys; /* without one of these the message makes no sense */
    bool is_asking;
    void (*run)(struct gcl_membership *m, struct gcl_member_peer *peer,
                const struct gcl_membership_message *message);
} kinds[GCL_MEMBERSHIP_MESSAGE_KINDS] = {
    [GCL_MEMBERSHIP_HELLO] = {GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_NONCE, true, on_hello},
    [GCL_MEMBERSHIP_ACK] = {GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_ECHO, false, on_ack},
    [GCL_MEMBERSHIP_LIST] = {GCL_MEMBERSHIP_KEY_PIDS, true, on_list},
    [GCL_MEMBERSHIP_SYNC] = {GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_DIGEST, true, on_sync},
    [GCL_MEMBERSHIP_INFO] = {GCL_MEMBERSHIP_KEYS_INFO, false, on_info},
    [GCL_MEMBERSHIP_LEAVE] = {0, false, on_leave},
};

bool gcl_membership_makes_sense(const struct gcl_membership *m,
                                const struct gcl_membership_message *message)
{
    uint32_t keys = kinds[message->kind].keys | GCL_MEMBERSHIP_KEY_STAY;
    return (message->keys & keys) == keys && message->stay > 0 &&
           !gcl_member_id_equal(&message->from, &m->self->id);
}

/* One that lives but is out says so, or it would be probed for ever; and one that is greeted as
 * the leader gives a name back that it may have got by the healing of a split. */
static void answer_when_out(struct gcl_membership *m, const struct gcl_membership_message *message)
{
    if (!kinds[message->kind].is_asking)
        return;
    gcl_membership_tell(m, GCL_MEMBERSHIP_LEAVE, &message->from);
    if (message->kind == GCL_MEMBERSHIP_HELLO)
        gcl_membership_add(m, GCL_MEMBERSHIP_WHEREIS_GLOBAL);
}

bool gcl_membership_is_later_stay(const struct gcl_member_peer *peer,
                                  const struct gcl_membership_message *message)
{
    return message->kind != GCL_MEMBERSHIP_LEAVE && peer->was && peer->stay > 0 &&
           message->stay > peer->stay;
}

void gcl_membership_receive(struct gcl_membership *m, const struct gcl_membership_message *message)
{
    if (!gcl_membership_makes_sense(m, message)) {
        gcl_membership_add(m, GCL_MEMBERSHIP_IGNORED)->id = &message->from;
        return;
    }
    if (m->phase == GCL_MEMBERSHIP_OUT) {
        answer_when_out(m, message);
        return;
    }
    struct gcl_member_peer *peer = gcl_member_peers_find(&m->peers, &message->from);
    if (peer != NULL && message->stay < peer->stay)
        return;
    if (peer != NULL && gcl_membership_is_later_stay(peer, message)) {
        gcl_membership_drop(m, peer, GCL_MEMBERSHIP_LEFT);
        peer = NULL;
    }
    kinds[message->kind].run(m, peer, message);
}

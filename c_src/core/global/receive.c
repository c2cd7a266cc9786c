/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of other servers and lockers. What makes no sense is dropped. spec: global,
 * handle_cast, handle_info */
#include "core/global/machine.h"

/* The node that a message says it is from; NULL: none that can send. */
static struct gcl_gns_node *sender(const struct gcl_gns *gns, gcl_bytes name)
{
    struct gcl_gns_node *node = gcl_gns_node_find(gns, gcl_str_make(name.bytes, name.size));
    return node != gns->self ? node : NULL;
}

/* What it says comes behind its nodeup: who is not up, as a hidden node, has no say. OTP keeps what
 * it says of a node that it has not seen yet, for ever if need be. */
static struct gcl_gns_node *sender_up(struct gcl_gns *gns, gcl_bytes name)
{
    struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL && node->is_up)
        return node;
    gcl_gns_log(gns, GCL_LOG_NOTICE, gcl_str_make(NULL, 0),
                "global_name_server got a message of a node that is no visible one");
    return NULL;
}

static bool has_tag(const struct gcl_gns_node *node, gcl_term tag)
{
    int64_t number;
    return node->session.my_tag != 0 && gcl_match(tag, "~i", &number) &&
           number == node->session.my_tag;
}

/* --- casts ---------------------------------------------------------------------------------- */

static bool init_connect(struct gcl_gns *gns, gcl_term message)
{
    gcl_term versions, locker;
    gcl_bytes name;
    if (!gcl_match(message, "{init_connect, ~t, ~a, ~t}", &versions, &name, &locker))
        return false;
    struct gcl_gns_node *node = sender_up(gns, name);
    if (node != NULL)
        gcl_gns_on_init_connect(gns, node, versions, locker);
    return true;
}

static bool exchange(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    gcl_term names, tag;
    if (!gcl_match(message, "{exchange, ~a, ~t, _, ~t}", &name, &names, &tag))
        return false;
    struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL && has_tag(node, tag))
        gcl_gns_on_exchange(gns, node, names);
    return true;
}

static bool resolved(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    gcl_term tag;
    if (!gcl_match(message, "{resolved, ~a, _, _, _, _, ~t}", &name, &tag))
        return false;
    struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL && has_tag(node, tag))
        gcl_gns_on_resolved(gns, node, message);
    return true;
}

static bool new_nodes(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    gcl_term ops, external, nodes, extra;
    if (!gcl_match(message, "{new_nodes, ~a, ~t, ~t, ~t, ~t}", &name, &ops, &external, &nodes,
                   &extra))
        return false;
    /* From one that has left, or was sent away, in the meantime: its lock has gone with it, so that
     * its names would not be kept, and its nodes without their names would be half of it. */
    const struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL && node->is_known)
        gcl_gns_on_new_nodes(gns, ops, external, nodes, extra);
    return true;
}

static bool in_sync(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    if (!gcl_match(message, "{in_sync, ~a, _}", &name))
        return false;
    struct gcl_gns_node *node = sender_up(gns, name);
    if (node != NULL)
        gcl_gns_on_in_sync(gns, node);
    return true;
}

/* Of version 8 with a tag; of 5, to the locker itself. */
static bool lock_set(struct gcl_gns *gns, gcl_term message)
{
    gcl_pid his_locker;
    bool is_set;
    gcl_term tag;
    bool has_his_tag = gcl_match(message, "{lock_set, ~p, ~a, _, ~t}", &his_locker, &is_set, &tag);
    if (!has_his_tag && !gcl_match(message, "{lock_set, ~p, ~a, _}", &his_locker, &is_set))
        return false;
    struct gcl_gns_node *node = gcl_gns_node_of_pid(gns, his_locker);
    if (node != NULL && node != gns->self && (!has_his_tag || has_tag(node, tag)))
        gcl_gns_locker_lock_set(gns, node, his_locker, is_set);
    return true;
}

/* What releases before R14 sent. */
static bool ignored(struct gcl_gns *gns, gcl_term message)
{
    (void)gns;
    return gcl_match(message, "{async_del_name, _, _}") ||
           gcl_match(message, "{async_del_lock, _, _}");
}

/* --- other messages ------------------------------------------------------------------------- */

/* One of a session that is over, with nothing in its place, is left unanswered: this node is in
 * sync with the other one, or has left it. OTP answers it by cancel_connect as well, and is not the
 * better for it: from OTP 27 on who gets that forgets the names of the sender. */
static bool init_connect_ack(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    gcl_term my_tag, his_tag;
    if (!gcl_match(message, "{init_connect_ack, ~a, ~t, ~t}", &name, &my_tag, &his_tag))
        return false;
    struct gcl_gns_node *node = sender(gns, name);
    if (node == NULL || node->session.my_tag == 0 ||
        (has_tag(node, my_tag) && gcl_term_equal(node->session.his_tag, his_tag)))
        return true;
    gcl_gns_send_cancel(gns, node, his_tag);
    gcl_gns_session_restart(gns, node);
    return true;
}

static bool cancel_connect(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    gcl_term tag;
    if (!gcl_match(message, "{cancel_connect, ~a, ~t}", &name, &tag))
        return false;
    struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL && has_tag(node, tag)) {
        node->is_pending = false; /* he knows */
        gcl_gns_session_restart(gns, node);
    }
    return true;
}

static bool lost_connection(struct gcl_gns *gns, gcl_term message)
{
    if (!gcl_match(message, "{lost_connection, _, _, _, _}"))
        return false;
    gcl_gns_on_lost_connection(gns, message);
    return true;
}

static bool remove_connection(struct gcl_gns *gns, gcl_term message)
{
    gcl_bytes name;
    if (!gcl_match(message, "{remove_connection, ~a}", &name))
        return false;
    struct gcl_gns_node *node = sender(gns, name);
    if (node != NULL)
        gcl_gns_on_remove_connection(gns, node);
    return true;
}

/* --- who reads what ------------------------------------------------------------------------- */

typedef bool take(struct gcl_gns *gns, gcl_term message);

static take *const casts[] = {init_connect, exchange, resolved, new_nodes,
                              in_sync,      lock_set, ignored};
static take *const infos[] = {init_connect_ack, cancel_connect, lost_connection, remove_connection,
                              lock_set};

static void take_with(struct gcl_gns *gns, gcl_term message, take *const *takers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (takers[i](gns, message))
            return;
    gcl_gns_log(gns, GCL_LOG_NOTICE, gcl_str_make(NULL, 0),
                "global_name_server got a message that it does not know, and dropped it");
}

void gcl_gns_cast(struct gcl_gns *gns, uint64_t now_ms, gcl_term message)
{
    struct gcl_buffer shallow;
    gns->now_ms = now_ms;
    gcl_buffer_init(&shallow, gns->config.mem, 0);
    take_with(gns, gcl_gns_shallow(gns, message, &shallow), casts, sizeof casts / sizeof casts[0]);
    gcl_buffer_fini(&shallow);
}

void gcl_gns_info(struct gcl_gns *gns, uint64_t now_ms, gcl_term message)
{
    gns->now_ms = now_ms;
    take_with(gns, message, infos, sizeof infos / sizeof infos[0]);
}

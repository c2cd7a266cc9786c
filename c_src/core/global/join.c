/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two nodes become one partition, with all that are of theirs:
 *
 *     nodeup         init_connect ->   <- init_connect       both tags are known: the locker's turn
 *                    init_connect_ack, both ways
 *     locks are set  exchange ->       <- exchange           all names
 *     compared       resolved ->       <- resolved           what follows for him, whom I know
 *                    new_nodes to all that I knew; in_sync to all that he knew
 *
 * Tags tell sessions apart: a message of an old one is dropped. spec: global, "Connection
 * algorithm", init_connect, resolved, restart_connect
 */
#include <string.h>

#include "core/global/machine.h"

/* --- sessions ------------------------------------------------------------------------------- */

void gcl_gns_session_init(struct gcl_gns *gns, struct gcl_gns_session *session)
{
    memset(session, 0, sizeof *session);
    gcl_list_init(&session->at_offers);
    gcl_gns_ops_init(gns, &session->ops);
}

void gcl_gns_session_reset(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_session *session = &node->session;
    gcl_gns_resolver_stop(gns, node);
    gcl_list_remove(&session->at_offers);
    gcl_gns_forget(&session->his_tag);
    gcl_gns_forget(&session->his_locker);
    gcl_gns_forget(&session->names);
    gcl_gns_forget(&session->lock_id);
    gcl_gns_forget(&session->resolved);
    gcl_gns_ops_fini(&session->ops);
    gcl_gns_session_init(gns, session);
}

void gcl_gns_send_cancel(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term his_tag)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    gcl_gns_send(gns, node, GCL_MESSAGE("{cancel_connect, ~a, ~t}", self, his_tag));
}

void gcl_gns_session_cancel(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_session *session = &node->session;
    if (node->is_pending && node->version >= GCL_GNS_VERSION_VERIFY && session->my_tag != 0 &&
        !gcl_term_is_none(session->his_tag))
        gcl_gns_send_cancel(gns, node, session->his_tag);
    session->is_open = false;
    gcl_gns_resolver_stop(gns, node);
    gcl_gns_locker_cancel(gns, node);
}

void gcl_gns_session_restart(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    bool was_up = node->session.my_tag != 0;
    gcl_gns_session_cancel(gns, node);
    gcl_gns_session_reset(gns, node);
    node->is_pending = false;
    if (was_up)
        gcl_gns_session_begin(gns, node);
}

/* Tags are integers; in other releases they were small tuples. */
enum { TAG_MAX_BYTES = 64 };

/* --- init_connect --------------------------------------------------------------------------- */

static void accept(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t his_version)
{
    struct gcl_gns_session *session = &node->session;
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    session->is_early = false;
    node->is_pending = true;
    node->version = his_version;
    if (session->version >= GCL_GNS_VERSION_VERIFY)
        gcl_gns_send(
            gns, node,
            GCL_MESSAGE("{init_connect_ack, ~a, ~t, ~i}", self, session->his_tag, session->my_tag));
    gcl_gns_locker_add(gns, node);
}

void gcl_gns_session_begin(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_session *session = &node->session;
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    if (node->is_known || session->is_open)
        return;
    session->my_tag = ++gns->last_tag;
    session->is_open = true;
    gcl_gns_send(gns, node,
                 GCL_MESSAGE("{'$gen_cast', {init_connect, {~i, ~i}, ~a,"
                             " {locker, no_longer_a_pid, [], ~p}}}",
                             GCL_GNS_VERSION, session->my_tag, self,
                             gns->config.actors[GCL_GNS_LOCKER]));
    if (session->is_early)
        accept(gns, node, session->version);
}

/* {Version, Tag}, and whatever else later versions will have there. */
static bool read_version(gcl_term term, uint32_t *version, gcl_term *tag)
{
    gcl_items items;
    gcl_term item;
    return !gcl_match(term, "[]") && !gcl_match(term, "[_ | _]") && gcl_items_begin(&items, term) &&
           gcl_items_next(&items, &item) && gcl_match(item, "~u", version) &&
           gcl_items_next(&items, tag);
}

/* A second session while one is under way. False: nothing more is to be done. */
static bool is_restarted(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                         gcl_term tag)
{
    if (version < GCL_GNS_VERSION_VERIFY) {
        gcl_gns_log(
            gns, GCL_LOG_ERROR, node->name,
            "began to negotiate for a second time, and is too old to be told: disconnected");
        gcl_gns_disconnect(gns, node);
        return false;
    }
    gcl_gns_send_cancel(gns, node, tag);
    gcl_gns_session_restart(gns, node);
    return true;
}

void gcl_gns_on_init_connect(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term versions,
                             gcl_term locker)
{
    struct gcl_gns_session *session = &node->session;
    uint32_t version;
    gcl_term tag;
    gcl_term his_locker;
    if (!read_version(versions, &version, &tag) ||
        !gcl_match(locker, "{locker, _, _, ~t}", &his_locker) || version < GCL_GNS_VERSION_OLDEST ||
        tag.size > TAG_MAX_BYTES ||
        gcl_gns_node_of_pid(gns, gcl_gns_read_pid(his_locker)) != node) {
        gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                    "sent an init_connect that makes no sense, or is older than version 5");
        return;
    }
    if (node->is_pending && !is_restarted(gns, node, version, tag))
        return;
    session->version = version < GCL_GNS_VERSION ? version : GCL_GNS_VERSION;
    gcl_gns_keep(gns, &session->his_locker, his_locker);
    gcl_gns_keep(gns, &session->his_tag, tag);
    session->is_early = !session->is_open;
    if (session->is_open)
        accept(gns, node, version);
}

/* --- names ---------------------------------------------------------------------------------- */

static void compare_if_ready(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (node->session.is_lock_set && !gcl_term_is_none(node->session.names))
        gcl_gns_resolver_start(gns, node);
}

void gcl_gns_lock_is_set(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term lock_id)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    struct gcl_buffer names;
    gcl_buffer_init(&names, gns->config.mem, 0);
    gcl_gns_write_names(gns, &names);
    gcl_gns_send(gns, node,
                 GCL_MESSAGE("{'$gen_cast', {exchange, ~a, ~t, [], ~t}}", self,
                             gcl_term_make(gns->config.terms, gcl_buffer_bytes(&names),
                                           gcl_buffer_size(&names)),
                             node->session.his_tag));
    gcl_buffer_fini(&names);
    gcl_gns_keep(gns, &node->session.lock_id, lock_id);
    node->session.is_lock_set = true;
    compare_if_ready(gns, node);
}

void gcl_gns_on_exchange(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term names)
{
    if (node->session.resolver != NULL || node->session.has_ops)
        return; /* a second list: he lies */
    gcl_gns_keep(gns, &node->session.names, names);
    compare_if_ready(gns, node);
}

static void finish_if_ready(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    if (node->session.has_ops && !gcl_term_is_none(node->session.resolved))
        gcl_gns_finish_join(gns, node);
}

void gcl_gns_compared(struct gcl_gns *gns, struct gcl_gns_node *node,
                      const struct gcl_gns_ops *resolved)
{
    gcl_term_context *terms = gns->config.terms;
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    struct gcl_buffer ops, known, external;
    gcl_buffer_init(&ops, gns->config.mem, 0);
    gcl_buffer_init(&known, gns->config.mem, 0);
    gcl_buffer_init(&external, gns->config.mem, 0);
    gcl_gns_ops_write(gns, resolved, &ops);
    gcl_gns_write_known(gns, &known, node->version);
    gcl_gns_write_external_names(gns, &external);
    gcl_gns_send(
        gns, node,
        GCL_MESSAGE("{'$gen_cast', {resolved, ~a, ~t, ~t, unused, ~t, ~t}}", self,
                    gcl_term_make(terms, gcl_buffer_bytes(&ops), gcl_buffer_size(&ops)),
                    gcl_term_make(terms, gcl_buffer_bytes(&known), gcl_buffer_size(&known)),
                    gcl_term_make(terms, gcl_buffer_bytes(&external), gcl_buffer_size(&external)),
                    node->session.his_tag));
    gcl_buffer_fini(&ops);
    gcl_buffer_fini(&known);
    gcl_buffer_fini(&external);
    node->session.has_ops = true;
    finish_if_ready(gns, node);
}

void gcl_gns_on_resolved(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_term message)
{
    if (!node->session.is_lock_set)
        return; /* nothing can have been compared before both locks were set */
    gcl_gns_keep(gns, &node->session.resolved, message);
    finish_if_ready(gns, node);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a join: both sides have compared their names. What was decided is carried out here,
 * and told to all that this node knew, before the lock that they gave is freed; whom the other one
 * knew becomes known. spec: global, resolved, new_nodes
 */
#include "core/global/machine.h"
#include "wire/term/write.h"

struct join {
    struct gcl_gns_node *node;
    gcl_term his_known;
    gcl_term external;      /* his names of hidden nodes */
    gcl_term requester;     /* of the lock */
    struct gcl_gns_ops ops; /* what follows for us, from both sides */
    gcl_term ops_term;
    struct gcl_buffer bytes;
};

/* --- who is new ----------------------------------------------------------------------------- */

static bool is_unconnected(const struct gcl_gns_node *node)
{
    return !node->is_up && (node->is_known || node->is_new);
}

static size_t count_unconnected(const struct gcl_gns *gns)
{
    size_t count = 0;
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        count += is_unconnected(GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns));
    }
    return count;
}

/* Calls `each` for those whom the other one knows. All are dialled, and asked for every lock, so
 * that a list of nodes that do not exist would make this one wait. */
static void each_new(struct gcl_gns *gns, const struct join *join,
                     void (*each)(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                                  void *user),
                     void *user)
{
    gcl_items items;
    gcl_term item;
    struct gcl_str name;
    uint32_t version;
    size_t unconnected = count_unconnected(gns);
    if (!gcl_items_begin(&items, join->his_known))
        return;
    while (gcl_items_next(&items, &item)) {
        struct gcl_gns_node *node =
            gcl_gns_read_node(item, &name, &version) ? gcl_gns_node_of(gns, name) : NULL;
        if (node == NULL || node == gns->self || node == join->node || node->is_excluded)
            continue;
        bool was_unconnected = is_unconnected(node);
        gcl_gns_node_hold(node);
        if (node->is_up || was_unconnected || unconnected < gns->config.max_unconnected)
            each(gns, node, version, user);
        unconnected += !was_unconnected && is_unconnected(node);
        gcl_gns_node_release(gns, node);
    }
}

static void cancel_own_session(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                               void *user)
{
    (void)version;
    (void)user;
    node->is_pending = false;
    gcl_gns_session_cancel(gns, node);
    gcl_gns_session_reset(gns, node);
}

static void add_to_list(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                        void *user)
{
    gcl_bytes name = {node->name.bytes, node->name.size};
    gcl_gns_ops_add(gns, user,
                    GCL_MESSAGE("{~a, ~u}", name, version != 0 ? version : node->version));
}

static void add_bare_to_list(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                             void *user)
{
    gcl_bytes name = {node->name.bytes, node->name.size};
    (void)version;
    gcl_gns_ops_add(gns, user, GCL_MESSAGE("~a", name));
}

static void become_known(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version,
                         void *user)
{
    (void)user;
    (void)gcl_gns_add_known(gns, node, version);
}

static void sync_other(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version, void *user)
{
    (void)version;
    (void)user;
    gcl_gns_sync_other(gns, node);
}

/* --- telling those that were known ---------------------------------------------------------- */

static void write_new_nodes(struct gcl_gns *gns, const struct join *join, uint32_t for_version,
                            struct gcl_buffer *out)
{
    struct gcl_gns_ops list;
    bool is_bare = for_version < GCL_GNS_VERSION_POP;
    gcl_gns_ops_init(gns, &list);
    if (is_bare)
        add_bare_to_list(gns, join->node, 0, &list);
    else
        add_to_list(gns, join->node, join->node->version, &list);
    each_new(gns, join, is_bare ? add_bare_to_list : add_to_list, &list);
    gcl_gns_ops_write(gns, &list, out);
    gcl_gns_ops_fini(&list);
}

static void tell(struct gcl_gns *gns, const struct join *join, struct gcl_gns_node *to,
                 gcl_term nodes)
{
    gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    gcl_gns_send(gns, to,
                 GCL_MESSAGE("{'$gen_cast', {new_nodes, ~a, ~t, ~t, ~t,"
                             " [{vsn, ~u}, {lock, ~t}]}}",
                             self, join->ops_term, join->external, nodes,
                             join->node->session.version, join->node->session.lock_id));
}

static void tell_known(struct gcl_gns *gns, const struct join *join)
{
    gcl_term_context *terms = gns->config.terms;
    struct gcl_buffer bare, versioned;
    gcl_buffer_init(&bare, gns->config.mem, 0);
    gcl_buffer_init(&versioned, gns->config.mem, 0);
    write_new_nodes(gns, join, 0, &bare);
    write_new_nodes(gns, join, GCL_GNS_VERSION, &versioned);
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        const struct gcl_buffer *list = node->version < GCL_GNS_VERSION_POP ? &bare : &versioned;
        if (node->is_known)
            tell(gns, join, node,
                 gcl_term_make(terms, gcl_buffer_bytes(list), gcl_buffer_size(list)));
    }
    gcl_buffer_fini(&bare);
    gcl_buffer_fini(&versioned);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void run(struct gcl_gns *gns, struct join *join)
{
    struct gcl_gns_node *node = join->node;
    each_new(gns, join, sync_other, NULL);
    gcl_gns_ops_run(gns, join->ops_term, join->external, join->requester);
    each_new(gns, join, cancel_own_session, NULL);
    tell_known(gns, join); /* on their way before the lock is freed, which the next line does */
    node->is_pending = false;
    gcl_gns_session_cancel(gns, node);
    gcl_gns_session_reset(gns, node);
    node->is_synced = true;
    (void)gcl_gns_add_known(gns, node, node->version);
    each_new(gns, join, become_known, NULL);
    gcl_gns_sync_done(gns, node);
    gcl_gns_log(gns, GCL_LOG_INFO, node->name, "has the same global names now");
}

void gcl_gns_finish_join(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct join join = {.node = node};
    gcl_term message = node->session.resolved; /* taken: the session ends meanwhile */
    gcl_term his_ops;
    node->session.resolved = gcl_term_make(gns->config.terms, NULL, 0);
    gcl_buffer_init(&join.bytes, gns->config.mem, 0);
    gcl_gns_ops_init(gns, &join.ops);
    if (gcl_match(message, "{resolved, _, ~t, ~t, _, ~t, _}", &his_ops, &join.his_known,
                  &join.external) &&
        gcl_match(node->session.lock_id, "{global, ~t}", &join.requester)) {
        struct gcl_gns_ops mine = node->session.ops;
        gcl_gns_ops_init(gns, &node->session.ops);
        join.ops = mine;
        gcl_gns_ops_add_list(gns, &join.ops, his_ops);
        gcl_gns_ops_write(gns, &join.ops, &join.bytes);
        join.ops_term = gcl_term_make(gns->config.terms, gcl_buffer_bytes(&join.bytes),
                                      gcl_buffer_size(&join.bytes));
        run(gns, &join);
    }
    gcl_gns_ops_fini(&join.ops);
    gcl_buffer_fini(&join.bytes);
    gcl_gns_forget(&message);
}

/* --- third nodes ---------------------------------------------------------------------------- */

/* spec: the lock in the extra information is {global, Requester}. */
static gcl_term find_requester(struct gcl_gns *gns, gcl_term extra)
{
    gcl_items items;
    gcl_term item;
    gcl_term requester = gcl_term_make(gns->config.terms, NULL, 0);
    for (bool is_begun = gcl_items_begin(&items, extra); is_begun && gcl_items_next(&items, &item);)
        if (gcl_match(item, "{lock, {global, ~t}}", &requester))
            break;
    return requester;
}

static void meet(struct gcl_gns *gns, struct gcl_gns_node *node, uint32_t version, void *user)
{
    (void)user;
    if (gcl_gns_add_known(gns, node, version))
        gcl_gns_sync_other(gns, node);
}

void gcl_gns_on_new_nodes(struct gcl_gns *gns, gcl_term ops, gcl_term external, gcl_term nodes,
                          gcl_term extra)
{
    const struct join join = {.his_known = nodes};
    each_new(gns, &join, meet, NULL);
    gcl_gns_ops_run(gns, ops, external, find_requester(gns, extra));
}

void gcl_gns_on_in_sync(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    node->is_pending = false;
    node->is_synced = true;
    gcl_gns_check_step(gns, node);
    gcl_gns_session_cancel(gns, node);
    gcl_gns_session_reset(gns, node);
    gcl_gns_sync_done(gns, node);
}

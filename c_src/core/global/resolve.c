/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the names of another partition with ours. A name that two processes have is decided on
 * by the smaller node of the two that negotiate: it asks the node of the process that it knows,
 * one name after another, while locks and everything else go on. spec: global, exchange_names
 */
#include "core/global/machine.h"

struct gcl_gns_resolver {
    gcl_items items; /* of the names that he sent, which the session keeps */
    uint64_t number; /* of the question that is being asked; 0: none */
    gcl_term name;   /* that it is about */
    gcl_term his;
    gcl_term his_method;
    gcl_term mine, my_method;    /* owned: the name may be gone when the answer comes */
    struct gcl_gns_ops resolved; /* what follows for him; for us, it is in the session */
};

static void go_on(struct gcl_gns *gns, struct gcl_gns_node *node);

void gcl_gns_resolver_start(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_resolver *resolver = gcl_alloc_zero(gns->config.mem, sizeof *resolver);
    if (resolver == NULL) {
        gns->has_failed = true;
        return;
    }
    gcl_gns_ops_init(gns, &resolver->resolved);
    node->session.resolver = resolver;
    (void)gcl_items_begin(&resolver->items, node->session.names);
    go_on(gns, node);
}

void gcl_gns_resolver_stop(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_resolver *resolver = node->session.resolver;
    if (resolver == NULL)
        return;
    node->session.resolver = NULL;
    gcl_gns_forget(&resolver->mine);
    gcl_gns_forget(&resolver->my_method);
    gcl_gns_ops_fini(&resolver->resolved);
    gcl_free(gns->config.mem, resolver);
}

static void is_done(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_ops resolved = node->session.resolver->resolved;
    gcl_gns_ops_init(gns, &node->session.resolver->resolved);
    gcl_gns_resolver_stop(gns, node);
    gcl_gns_compared(gns, node, &resolved);
    gcl_gns_ops_fini(&resolved);
}

/* --- conflicts ------------------------------------------------------------------------------ */

static void insert_his(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    const struct gcl_gns_resolver *r = node->session.resolver;
    gcl_gns_ops_add(gns, &node->session.ops,
                    GCL_MESSAGE("{insert, {~t, ~t, ~t}}", r->name, r->his, r->his_method));
}

static void insert_mine(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    gcl_gns_ops_add(gns, &r->resolved,
                    GCL_MESSAGE("{insert, {~t, ~t, ~t}}", r->name, r->mine, r->my_method));
}

static void delete_both(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    gcl_gns_ops_add(gns, &node->session.ops, GCL_MESSAGE("{delete, ~t}", r->name));
    gcl_gns_ops_add(gns, &r->resolved, GCL_MESSAGE("{delete, ~t}", r->name));
}

/* True: an answer has to be awaited. */
static bool ask(struct gcl_gns *gns, struct gcl_gns_node *node, const struct gcl_gns_name *name)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    const struct gcl_term_ids *ids = &gns->config.terms->ids;
    const gcl_pid mine = name->watch->pid;
    struct gcl_wire_pid wire;
    if (!gcl_gns_pid_is_fresh(gns, mine)) {
        insert_his(gns, node); /* nobody can be asked */
        return false;
    }
    gcl_gns_keep_pid(gns, &r->mine, mine);
    gcl_gns_keep(gns, &r->my_method, name->method);
    r->number = gcl_gns_question_new(gns, node, NULL);
    if (ids->pid_out(ids->user, &mine, &wire) == 0) /* borrowed until the next pid: it is copied */
        gcl_gns_ask_resolve(
            gns, wire.node, r->number,
            GCL_MESSAGE("[~t, ~t, ~t, ~t]", r->my_method, r->name, r->his, r->mine));
    return true;
}

void gcl_gns_resolver_answered(struct gcl_gns *gns, struct gcl_gns_node *node, uint64_t number,
                               int error, gcl_term answer)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    if (r == NULL || r->number != number)
        return; /* of a session that was cancelled */
    r->number = 0;
    /* spec: exchange_names: where the holder's node does not answer, he wins. */
    if (error != 0 || gcl_term_equal(answer, r->his))
        insert_his(gns, node);
    else if (gcl_term_equal(answer, r->mine))
        insert_mine(gns, node);
    else
        delete_both(gns, node);
    go_on(gns, node);
}

/*
 * A process of a node that does not belong to this partition: that node takes this one for known,
 * and has registered the name here, but at none of those that are known here. Where partitions
 * overlap for a moment. They are told of the name now.
 */
static bool is_of_a_stranger(struct gcl_gns *gns, gcl_pid pid)
{
    const struct gcl_gns_node *node = gcl_gns_node_of_pid(gns, pid);
    return node != NULL && node != gns->self && !node->is_known;
}

/* True: an answer has to be awaited. */
static bool compare(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid his)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    const struct gcl_gns_name *known = gcl_gns_name_find(gns, r->name);
    bool is_same = known != NULL && gcl_pid_equal(known->watch->pid, his);
    if (known == NULL || (is_same && is_of_a_stranger(gns, his))) {
        insert_his(gns, node);
        return false;
    }
    if (is_same || gcl_str_compare(gns->self->name, node->name) > 0)
        return false;
    return ask(gns, node, known);
}

static void go_on(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    struct gcl_gns_resolver *r = node->session.resolver;
    gcl_term item;
    gcl_pid his;
    while (gcl_items_next(&r->items, &item))
        if (gcl_match(item, "{~t, ~t, ~t}", &r->name, &r->his, &r->his_method) &&
            gcl_match(r->his, "~p", &his) && compare(gns, node, his))
            return;
    is_done(gns, node);
}

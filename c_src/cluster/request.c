/* SPDX-License-Identifier: Apache-2.0 */
/* What others, shells among them, ask of a member by calls: {'$gen_cluster', What, ...}. */
#include "cluster/cluster.h"
#include "wire/term/context.h"
#include "wire/term/tag.h"

bool gcl_cluster_is_request(gcl_term term)
{
    gcl_items items;
    gcl_term first, second;
    uint8_t tag = gcl_term_is_none(term) ? 0 : gcl_term_bytes(term)[0];
    return (tag == GCL_TAG_SMALL_TUPLE || tag == GCL_TAG_TUPLE) && gcl_items_begin(&items, term) &&
           gcl_items_next(&items, &first) && gcl_match(first, "'$gen_cluster'") &&
           gcl_items_next(&items, &second);
}

/* --- questions ------------------------------------------------------------------------------ */

/* Who asked is answered even when there is no memory for the answer, if that is possible. */
static void answer(struct gcl_cluster *cluster, const gcl_from *from, int error)
{
    if (error == 0)
        error = gcl_reply(cluster->server, from, "~t", gcl_writer_term(cluster->writer));
    if (error != 0)
        (void)gcl_reply(cluster->server, from, "{error, system_limit}");
}

static int write_plist(struct gcl_cluster *cluster)
{
    int error = gcl_write_tuple(cluster->writer, 2);
    if (error == 0)
        error = gcl_write(cluster->writer, "ok");
    return error != 0 ? error : gcl_cluster_plist(cluster, cluster->writer);
}

static int write_mod_plist(struct gcl_cluster *cluster, gcl_bytes type)
{
    int error = gcl_write_tuple(cluster->writer, 2);
    if (error == 0)
        error = gcl_write(cluster->writer, "ok");
    return error != 0 ? error : gcl_cluster_write_type(cluster, type, cluster->writer);
}

static int write_leader(struct gcl_cluster *cluster)
{
    gcl_pid leader = gcl_cluster_leader(cluster);
    return gcl_pid_is_none(leader) ? gcl_write(cluster->writer, "undefined")
                                   : gcl_write(cluster->writer, "~p", leader);
}

static bool is_question(struct gcl_cluster *cluster, gcl_term term, const gcl_from *from)
{
    gcl_bytes type;
    gcl_writer_clear(cluster->writer);
    if (gcl_match(term, "{'$gen_cluster', plist}"))
        answer(cluster, from, write_plist(cluster));
    else if (gcl_match(term, "{'$gen_cluster', mod_plist, ~a}", &type))
        answer(cluster, from, write_mod_plist(cluster, type));
    else if (gcl_match(term, "{'$gen_cluster', members}"))
        answer(cluster, from, gcl_cluster_write_members(cluster, cluster->writer));
    else if (gcl_match(term, "{'$gen_cluster', leader}"))
        answer(cluster, from, write_leader(cluster));
    else
        return false;
    return true;
}

/* --- orders --------------------------------------------------------------------------------- */

static void confirm(struct gcl_cluster *cluster, const gcl_from *from, int error)
{
    if (error == 0)
        (void)gcl_reply(cluster->server, from, "ok");
    else
        (void)gcl_reply(cluster->server, from, "{error, system_limit}");
}

/* As gen_cluster:join/2, which looks at the name itself. */
static void join(struct gcl_cluster *cluster, gcl_bytes node, const gcl_from *from)
{
    char name[GCL_ATOM_MAX_BYTES + 1];
    (void)gcl_str_terminate(gcl_str_make(node.bytes, node.size), name, sizeof name);
    int error = gcl_cluster_join(cluster, name);
    if (error == GCL_ENAME)
        (void)gcl_reply(cluster->server, from, "{error, {bad_seed, ~a}}", node);
    else
        confirm(cluster, from, error);
}

static void add_child(struct gcl_cluster *cluster, gcl_bytes type, gcl_pid pid,
                      const gcl_from *from)
{
    int error = gcl_cluster_add_child_type(cluster, gcl_str_make(type.bytes, type.size), pid);
    if (error == GCL_ELIMIT)
        (void)gcl_reply(cluster->server, from, "{error, too_many_children}");
    else
        confirm(cluster, from, error);
}

static int tell_members(struct gcl_cluster *cluster, gcl_ref ref, const gcl_from *from)
{
    gcl_writer_clear(cluster->writer);
    int error = gcl_cluster_write_members(cluster, cluster->writer);
    return error != 0 ? error
                      : gcl_reply(cluster->server, from, "{ok, ~r, ~t}", ref,
                                  gcl_writer_term(cluster->writer));
}

/* Who does not get the reference could not unsubscribe. */
static void subscribe(struct gcl_cluster *cluster, gcl_pid pid, const gcl_from *from)
{
    gcl_ref ref;
    int error = gcl_cluster_subscribe(cluster, pid, &ref);
    if (error == 0) {
        error = tell_members(cluster, ref, from);
        if (error != 0)
            (void)gcl_cluster_unsubscribe(cluster, ref);
    }
    if (error != 0)
        confirm(cluster, from, error);
}

static bool is_order(struct gcl_cluster *cluster, gcl_term term, const gcl_from *from)
{
    gcl_bytes atom;
    gcl_pid pid;
    gcl_ref ref;
    if (gcl_match(term, "{'$gen_cluster', join, ~a}", &atom)) {
        join(cluster, atom, from);
    } else if (gcl_match(term, "{'$gen_cluster', leave}")) {
        confirm(cluster, from, gcl_cluster_leave(cluster));
    } else if (gcl_match(term, "{'$gen_cluster', add_child, ~a, ~p}", &atom, &pid)) {
        add_child(cluster, atom, pid, from);
    } else if (gcl_match(term, "{'$gen_cluster', subscribe, ~p}", &pid)) {
        subscribe(cluster, pid, from);
    } else if (gcl_match(term, "{'$gen_cluster', unsubscribe, ~r}", &ref)) {
        (void)gcl_cluster_unsubscribe(cluster, ref);
        confirm(cluster, from, 0);
    } else {
        return false;
    }
    return true;
}

/* --- votes ---------------------------------------------------------------------------------- */

static gcl_result vote(struct gcl_cluster *cluster, gcl_term term, const gcl_from *from)
{
    gcl_result result = GCL_CONTINUE;
    int64_t weight = 0;
    if (cluster->handlers->handle_vote != NULL)
        result = cluster->handlers->handle_vote(cluster, term, &weight, cluster->user);
    (void)gcl_reply(cluster->server, from, "{ok, ~i}", weight);
    return result;
}

gcl_result gcl_cluster_request(struct gcl_cluster *cluster, gcl_term term, const gcl_from *from)
{
    gcl_term about;
    if (gcl_match(term, "{'$gen_cluster', vote, ~t}", &about))
        return vote(cluster, about, from);
    /* Of a newer version, perhaps. */
    if (!is_question(cluster, term, from) && !is_order(cluster, term, from))
        (void)gcl_reply(cluster->server, from, "{error, unknown_request}");
    return GCL_CONTINUE;
}

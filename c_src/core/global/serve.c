/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the server, from other nodes and from this one. spec: global, handle_call */
#include "core/global/machine.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

struct serving {
    struct gcl_gns *gns;
    uint64_t number;
    gcl_pid from;
    gcl_term request;
    struct gcl_buffer *reply;
};

static void answer(const struct serving *s, const char *text)
{
    gcl_message atom = GCL_MESSAGE("~a", text);
    (void)gcl_gns_check(s->gns, gcl_term_build(s->gns->config.terms, s->reply, &atom));
}

/* --- locks ---------------------------------------------------------------------------------- */

static bool set_lock(const struct serving *s)
{
    gcl_term id, resource, requester;
    if (!gcl_match(s->request, "{set_lock, ~t}", &id) ||
        !gcl_match(id, "{~t, ~t}", &resource, &requester))
        return false;
    answer(s, gcl_gns_set_lock(s->gns, id, s->from) ? "true" : "false");
    return true;
}

static bool del_lock(const struct serving *s)
{
    gcl_term id, resource, requester;
    if (!gcl_match(s->request, "{del_lock, ~t}", &id) ||
        !gcl_match(id, "{~t, ~t}", &resource, &requester))
        return false;
    gcl_gns_del_lock(s->gns, id, s->from);
    answer(s, "true");
    return true;
}

/* --- names ---------------------------------------------------------------------------------- */

/* The lock may have gone with the connection to who registers: then others have not got the name
 * either. It is answered `yes` all the same. */
static bool insert(const struct serving *s, gcl_term term, gcl_pid pid, gcl_term method,
                   gcl_term registered_by)
{
    struct gcl_gns_name *name = gcl_gns_name_insert(s->gns, term, pid, method, registered_by);
    if (name != NULL && !gcl_gns_lock_is_held_by(s->gns, s->from))
        gcl_gns_name_delete(s->gns, name, true);
    answer(s, "yes");
    return true;
}

static bool register_name(const struct serving *s)
{
    gcl_term name, method;
    gcl_pid pid;
    return gcl_match(s->request, "{register, ~t, ~p, ~t}", &name, &pid, &method) &&
           insert(s, name, pid, method, gcl_term_make(s->request.context, NULL, 0));
}

static bool register_external(const struct serving *s)
{
    gcl_term name, method, registered_by;
    gcl_bytes node;
    gcl_pid pid;
    return gcl_match(s->request, "{register_ext, ~t, ~p, ~t, ~t}", &name, &pid, &method,
                     &registered_by) &&
           gcl_match(registered_by, "~a", &node) && insert(s, name, pid, method, registered_by);
}

static bool unregister(const struct serving *s)
{
    gcl_term term;
    if (!gcl_match(s->request, "{unregister, ~t}", &term))
        return false;
    struct gcl_gns_name *name = gcl_gns_name_find(s->gns, term);
    if (name != NULL)
        gcl_gns_name_delete(s->gns, name, true);
    answer(s, "ok");
    return true;
}

static bool get_names_ext(const struct serving *s)
{
    if (!gcl_match(s->request, "get_names_ext"))
        return false;
    gcl_gns_write_external_names(s->gns, s->reply);
    return true;
}

/* --- nodes ---------------------------------------------------------------------------------- */

static bool get_known(const struct serving *s)
{
    if (!gcl_match(s->request, "get_known"))
        return false;
    gcl_gns_write_known(s->gns, s->reply, 0);
    return true;
}

static bool get_synced(const struct serving *s)
{
    struct gcl_gns_ops list;
    if (!gcl_match(s->request, "get_synced"))
        return false;
    gcl_gns_ops_init(s->gns, &list);
    GCL_LIST_EACH(&s->gns->node_list, at, following)
    {
        const struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        gcl_bytes name = {node->name.bytes, node->name.size};
        if (node->is_synced)
            gcl_gns_ops_add(s->gns, &list, GCL_MESSAGE("~a", name));
    }
    gcl_gns_ops_write(s->gns, &list, s->reply);
    gcl_gns_ops_fini(&list);
    return true;
}

static bool get_protocol_version(const struct serving *s)
{
    return gcl_match(s->request, "get_protocol_version") &&
           gcl_gns_check(s->gns, gcl_write_int64(s->reply, GCL_GNS_VERSION));
}

static bool sync(const struct serving *s)
{
    gcl_term nodes;
    if (s->number == 0 || !gcl_match(s->request, "{sync, ~t}", &nodes))
        return false;
    return gcl_gns_sync(s->gns, s->number, nodes);
}

/* --- what is nested too deep to be read ------------------------------------------------------ */

/* The answers of one who has not got the lock, and does not keep the name. Who asks waits for them
 * without an end, and everybody else for the lock `global` that he holds meanwhile. */
static const struct {
    const char *name;
    uint32_t arity;
    const char *answer;
} unread[] = {
    {"set_lock", 2, "false"}, {"del_lock", 2, "true"},    {"register", 4, "yes"},
    {"unregister", 2, "ok"},  {"register_ext", 5, "yes"},
};

static bool too_deep(const struct serving *s)
{
    struct gcl_cursor whole = gcl_term_cursor(s->request), at = whole;
    struct gcl_str name;
    uint32_t arity;
    if (gcl_term_walk(&whole) != GCL_ELIMIT || !gcl_read_tuple(&at, &arity) ||
        !gcl_wire_atom_decode(&at, NULL, &name))
        return false;
    for (size_t i = 0; i < sizeof unread / sizeof unread[0]; i++) {
        if (arity != unread[i].arity || !gcl_str_is(name, unread[i].name))
            continue;
        gcl_gns_log_caller(
            s->gns, GCL_LOG_ERROR, s->from,
            "called with a global name or a lock that is nested too deep: it is not kept");
        answer(s, unread[i].answer);
        return true;
    }
    return false;
}

/* info, stop, disconnect, {registrar, Fun} and high_level_trace_* are what a BEAM asks its own
 * server; nobody who asks this one has a right to an answer. */
static bool (*const requests[])(const struct serving *s) = {
    set_lock,      del_lock,  register_name, register_external,    unregister,
    get_names_ext, get_known, get_synced,    get_protocol_version, sync,
    too_deep,
};

bool gcl_gns_serve(struct gcl_gns *gns, uint64_t number, gcl_pid from, gcl_term request,
                   struct gcl_buffer *reply)
{
    const struct serving s = {gns, number, from, request, reply};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (requests[i](&s))
            return true;
    return false;
}

bool gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                  gcl_term request)
{
    struct gcl_buffer reply;
    gns->now_ms = now_ms;
    gcl_buffer_init(&reply, gns->config.mem, 0);
    bool is_served = gcl_gns_serve(gns, number, from, request, &reply);
    if (!is_served)
        gcl_gns_log(gns, GCL_LOG_NOTICE, gcl_str_make(NULL, 0),
                    "global_name_server was asked what it does not know, and leaves it unanswered");
    else if (gcl_buffer_size(&reply) > 0)
        gcl_gns_reply(gns, number,
                      GCL_MESSAGE("~t", gcl_term_make(gns->config.terms, gcl_buffer_bytes(&reply),
                                                      gcl_buffer_size(&reply))));
    gcl_buffer_fini(&reply);
    return is_served;
}

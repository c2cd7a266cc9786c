/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of this node's programs, one at a time: lock the partition, do it on every node, free
 * the partition. Whoever cannot get the lock sleeps a while and tries again, for as long as it
 * takes. spec: global, register_name, trans_all_known, set_lock_known
 */
#include "core/global/machine.h"

static void go_on(struct gcl_gns *gns);

static struct gcl_gns_request *first(const struct gcl_gns *gns)
{
    struct gcl_list *at = gcl_list_first(&gns->registrar.requests);
    return at != NULL ? GCL_CONTAINER_OF(at, struct gcl_gns_request, at_registrar) : NULL;
}

static void free_request(struct gcl_gns *gns, struct gcl_gns_request *request)
{
    gcl_list_remove(&request->at_registrar);
    gcl_gns_request_ends(gns, request->bytes);
    gcl_gns_forget(&request->name);
    gcl_gns_forget(&request->method);
    gcl_gns_forget(&request->pid);
    gcl_free(gns->config.mem, request);
}

/* --- the lock ------------------------------------------------------------------------------- */

/* The boss first, so that two who want the lock meet there; then all; then who was added in the
 * meantime. */
static void stage_nodes(struct gcl_gns *gns, struct gcl_gns_trans *trans,
                        struct gcl_gns_nodes *nodes)
{
    static const struct gcl_gns_nodes none = {0};
    if (trans->stage == 0) {
        gcl_gns_set_add(gns, nodes, gcl_gns_boss(gns));
    } else if (trans->stage == 1) {
        gcl_gns_set_add(gns, nodes, gns->self);
        gcl_gns_set_add_known(gns, nodes, &none);
    } else {
        gcl_gns_set_add_known(gns, nodes, &trans->asked);
    }
}

static void set_lock_id(struct gcl_gns *gns)
{
    struct gcl_buffer id;
    gcl_message message = GCL_MESSAGE("{global, ~p}", gns->config.actors[GCL_GNS_REGISTRAR]);
    gcl_buffer_init(&id, gns->config.mem, 0);
    if (gcl_gns_check(gns, gcl_term_build(gns->config.terms, &id, &message)))
        gcl_gns_keep(gns, &gns->registrar.trans.id,
                     gcl_term_make(gns->config.terms, gcl_buffer_bytes(&id), gcl_buffer_size(&id)));
    gcl_buffer_fini(&id);
}

/* --- what is done under it ------------------------------------------------------------------ */

static int check_register(struct gcl_gns *gns, const struct gcl_gns_request *request)
{
    const struct gcl_gns_watch *watch = gcl_gns_watch_find(gns, gcl_gns_read_pid(request->pid));
    if (gcl_gns_name_find(gns, request->name) != NULL)
        return GCL_EEXIST;
    /* spec: global, check_dupname */
    bool has_name = watch != NULL && !gcl_list_is_empty(&watch->names);
    return request->kind == GCL_GNS_REGISTER && has_name ? GCL_EHASNAME : 0;
}

static int check_unregister(struct gcl_gns *gns, const struct gcl_gns_request *request)
{
    const struct gcl_gns_name *name = gcl_gns_name_find(gns, request->name);
    if (name == NULL)
        return GCL_ENOENT;
    bool is_his = gcl_term_is_none(request->pid) ||
                  gcl_pid_equal(gcl_gns_read_pid(request->pid), name->watch->pid);
    return is_his ? 0 : GCL_ENOENT;
}

static int check(struct gcl_gns *gns, const struct gcl_gns_request *request)
{
    if (request->kind == GCL_GNS_UNREGISTER)
        return check_unregister(gns, request);
    if (!gcl_gns_name_fits(gns, request->name))
        return GCL_ELIMIT;
    return request->kind == GCL_GNS_RE_REGISTER ? 0 : check_register(gns, request);
}

/* Only who has given its lock: others were lost, and what comes back is another node. */
static void tell_all(struct gcl_gns *gns, const struct gcl_gns_request *request)
{
    const gcl_bytes self = {gns->config.self.bytes, gns->config.self.size};
    struct gcl_gns_multicall *call = &gns->registrar.call;
    const gcl_pid registrar = gns->registrar.trans.holder;
    const struct gcl_gns_nodes *nodes = &gns->registrar.trans.locked;
    if (request->kind == GCL_GNS_UNREGISTER)
        gcl_gns_multicall(gns, call, nodes, registrar,
                          GCL_MESSAGE("{unregister, ~t}", request->name));
    else if (request->kind == GCL_GNS_REGISTER_EXTERNAL)
        gcl_gns_multicall(gns, call, nodes, registrar,
                          GCL_MESSAGE("{register_ext, ~t, ~t, ~t, ~a}", request->name, request->pid,
                                      request->method, self));
    else
        gcl_gns_multicall(
            gns, call, nodes, registrar,
            GCL_MESSAGE("{register, ~t, ~t, ~t}", request->name, request->pid, request->method));
}

static void is_told(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    gcl_gns_set_clear(gns, &call->agreed);
    gcl_gns_trans_unlock(gns, &gns->registrar.trans);
}

static void locked_or_not(struct gcl_gns *gns, struct gcl_gns_trans *trans, bool is_locked)
{
    struct gcl_gns_registrar *registrar = &gns->registrar;
    if (!is_locked) {
        registrar->wake_at_ms = gns->now_ms + gcl_gns_random_sleep(gns, registrar->attempts++);
        return;
    }
    registrar->error = check(gns, first(gns));
    if (registrar->error == 0)
        tell_all(gns, first(gns));
    else
        gcl_gns_trans_unlock(gns, trans);
}

static void unlocked(struct gcl_gns *gns, struct gcl_gns_trans *trans)
{
    struct gcl_gns_request *request = first(gns);
    (void)trans;
    gcl_gns_done(gns, request->number, gns->registrar.error);
    free_request(gns, request);
    gns->registrar.is_busy = false;
    go_on(gns);
}

static void begin(struct gcl_gns *gns)
{
    gns->registrar.is_busy = true;
    gns->registrar.attempts = 0;
    set_lock_id(gns);
    gcl_gns_trans_lock(gns, &gns->registrar.trans);
}

/* Not in each other: alone, what begins is finished at once, and tens of thousands may wait. */
static void go_on(struct gcl_gns *gns)
{
    struct gcl_gns_registrar *registrar = &gns->registrar;
    if (registrar->is_going_on)
        return;
    registrar->is_going_on = true;
    while (!registrar->is_busy && first(gns) != NULL)
        begin(gns);
    registrar->is_going_on = false;
}

void gcl_gns_registrar_woken(struct gcl_gns *gns)
{
    gns->registrar.wake_at_ms = GCL_NEVER;
    gcl_gns_trans_lock(gns, &gns->registrar.trans);
}

/* --- requests ------------------------------------------------------------------------------- */

static int add(struct gcl_gns *gns, uint64_t now_ms, enum gcl_gns_request_kind kind,
               uint64_t number, gcl_term name, gcl_pid pid, const gcl_term *method)
{
    size_t bytes = name.size + (method != NULL ? method->size : 0);
    gns->now_ms = now_ms;
    if (!gcl_gns_request_begins(gns, bytes))
        return GCL_ELIMIT;
    struct gcl_gns_request *request = gcl_alloc_zero(gns->config.mem, sizeof *request);
    if (request == NULL) {
        gcl_gns_request_ends(gns, bytes);
        return GCL_ENOMEM;
    }
    gcl_list_init(&request->at_registrar);
    gcl_list_add_last(&gns->registrar.requests, &request->at_registrar);
    request->number = number;
    request->kind = kind;
    request->bytes = bytes;
    if (!gcl_pid_is_none(pid))
        gcl_gns_keep_pid(gns, &request->pid, pid);
    gcl_gns_keep(gns, &request->name, name);
    if (method != NULL)
        gcl_gns_keep(gns, &request->method, *method);
    go_on(gns);
    return 0;
}

int gcl_gns_register(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                     gcl_pid pid, gcl_term method)
{
    return add(gns, now_ms, GCL_GNS_REGISTER, number, name, pid, &method);
}

int gcl_gns_register_more(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                          gcl_pid pid, gcl_term method)
{
    return add(gns, now_ms, GCL_GNS_REGISTER_MORE, number, name, pid, &method);
}

int gcl_gns_re_register(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                        gcl_pid pid, gcl_term method)
{
    return add(gns, now_ms, GCL_GNS_RE_REGISTER, number, name, pid, &method);
}

int gcl_gns_register_external(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                              gcl_pid pid, gcl_term method)
{
    return add(gns, now_ms, GCL_GNS_REGISTER_EXTERNAL, number, name, pid, &method);
}

int gcl_gns_unregister(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                       gcl_pid pid)
{
    return add(gns, now_ms, GCL_GNS_UNREGISTER, number, name, pid, NULL);
}

/* --- life ----------------------------------------------------------------------------------- */

void gcl_gns_registrar_init(struct gcl_gns *gns)
{
    gns->registrar =
        (struct gcl_gns_registrar){.call = {.done = is_told},
                                   .wake_at_ms = GCL_NEVER,
                                   .trans = {.holder = gns->config.actors[GCL_GNS_REGISTRAR],
                                             .stage_nodes = stage_nodes,
                                             .locked_or_not = locked_or_not,
                                             .unlocked = unlocked}};
    gcl_list_init(&gns->registrar.requests);
}

void gcl_gns_registrar_fini(struct gcl_gns *gns)
{
    struct gcl_gns_request *request;
    while ((request = first(gns)) != NULL)
        free_request(gns, request);
    gcl_gns_trans_fini(gns, &gns->registrar.trans);
    gcl_gns_set_fini(gns, &gns->registrar.call.agreed);
}

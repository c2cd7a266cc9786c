/* SPDX-License-Identifier: Apache-2.0 */
/* What the scopes of other nodes send. Nothing of it is believed before it was looked at. */
#include "core/pg/pg.h"

#include "core/pg/machine.h"
#include "wire/term/read.h"

static const char malformed[] = "it is malformed";

static const char *reason_of(int error)
{
    switch (error) {
    case GCL_ELIMIT:
        return "it is more than the limits allow";
    case GCL_ENOMEM:
        return "there is no memory for it";
    case GCL_ENAME:
        return "it speaks for processes of another node";
    default:
        return malformed;
    }
}

static void note(struct gcl_pg_machine *machine, enum gcl_pg_effect_kind kind, gcl_pid pid,
                 const char *why)
{
    machine->note = (struct gcl_pg_effect){.kind = kind, .pid = pid, .why = why};
}

static int ignore(struct gcl_pg_machine *machine, const char *why)
{
    note(machine, GCL_PG_IGNORED, (gcl_pid){0}, why);
    return 0;
}

/* All that it has said is forgotten. */
static void refuse(struct gcl_pg_machine *machine, int error)
{
    note(machine, GCL_PG_REFUSED, machine->peer->pid, reason_of(error));
    machine->peer->is_refused = true;
    machine->job = GCL_PG_JOB_DROP;
}

/* --- pids ----------------------------------------------------------------------------------- */

static int add_pid(struct gcl_pg_machine *machine, gcl_term term)
{
    const gcl_pid *peer = &machine->peer->pid;
    struct gcl_pg_pids *given = &machine->given;
    gcl_pid pid;
    if (!gcl_match(term, "~p", &pid))
        return GCL_ETERM;
    if (pid.node != peer->node || pid.generation != peer->generation)
        return GCL_ENAME;
    if (given->count == machine->config.limits.members)
        return GCL_ELIMIT;
    int error = gcl_pg_pids_reserve(machine->config.mem, given, given->count + 1);
    if (error == 0)
        given->items[given->count++] = pid;
    return error;
}

/* A gcl_items of a list only. */
static bool begin_list(gcl_items *items, gcl_term term)
{
    struct gcl_cursor at = gcl_term_cursor(term);
    return gcl_term_class(&at) == GCL_CLASS_LIST && gcl_items_begin(items, term);
}

/* One pid or a list of them, to `given`. spec: pg.erl, PidOrPids */
static int read_pids(struct gcl_pg_machine *machine, gcl_term term)
{
    gcl_items items;
    gcl_term item;
    int error = 0;
    machine->given.count = 0;
    if (!begin_list(&items, term))
        return add_pid(machine, term);
    while (error == 0 && gcl_items_next(&items, &item))
        error = add_pid(machine, item);
    if (error == 0 && !gcl_items_is_proper_end(&items))
        error = GCL_ETERM;
    gcl_pg_pids_sort(&machine->given);
    return error;
}

/* --- sync ----------------------------------------------------------------------------------- */

/* What joined and left, by what is known and what is `given`. */
static int compare(struct gcl_pg_machine *machine, const struct gcl_pg_group *group)
{
    static const struct gcl_pg_pids none = {0};
    const gcl_allocator *mem = machine->config.mem;
    const struct gcl_pg_share *share =
        gcl_pg_store_share(&machine->store, &machine->peer->owner, group);
    const struct gcl_pg_pids *old = share != NULL ? &share->pids : &none;
    int error = gcl_pg_pids_reserve(mem, &machine->joined, machine->given.count);
    if (error == 0)
        error = gcl_pg_pids_reserve(mem, &machine->left, old->count);
    if (error != 0)
        return error;
    gcl_pg_pids_subtract(&machine->given, old, &machine->joined);
    gcl_pg_pids_subtract(old, &machine->given, &machine->left);
    return 0;
}

static int sync_group(struct gcl_pg_machine *machine, gcl_term term)
{
    struct gcl_pg_group *group;
    int error = gcl_pg_store_group(&machine->store, term, true, &group);
    if (error != 0)
        return error;
    error = compare(machine, group);
    if (error == 0)
        error =
            gcl_pg_store_replace(&machine->store, &machine->peer->owner, group, &machine->given);
    if (error == 0) {
        gcl_pg_tell(machine, false, group, &machine->left);
        gcl_pg_tell(machine, true, group, &machine->joined);
    }
    gcl_pg_store_release(&machine->store, group);
    return error;
}

void gcl_pg_sync_step(struct gcl_pg_machine *machine)
{
    gcl_term item, group, pids;
    int error = 0;
    if (!gcl_items_next(&machine->items, &item)) {
        machine->job = GCL_PG_JOB_SWEEP;
        error = gcl_items_is_proper_end(&machine->items) ? 0 : GCL_ETERM;
    } else if (!gcl_match(item, "{~t, ~t}", &group, &pids)) {
        error = GCL_ETERM;
    } else {
        error = read_pids(machine, pids);
        if (error == 0 && machine->given.count > 0)
            error = sync_group(machine, group);
    }
    if (error != 0)
        refuse(machine, error);
}

static int begin_sync(struct gcl_pg_machine *machine, gcl_pid pid, gcl_term groups)
{
    struct gcl_pg_peer *peer = gcl_pg_peer_find(machine, pid);
    gcl_items items;
    bool is_list = begin_list(&items, groups);
    if (!is_list && peer == NULL)
        return ignore(machine, malformed);
    bool is_new = peer == NULL;
    int error = is_new ? gcl_pg_peer_add(machine, pid, &peer) : 0;
    if (error != 0) {
        note(machine, GCL_PG_REFUSED, pid, reason_of(error));
        return 0;
    }
    machine->peer = peer;
    if (!is_list) {
        refuse(machine, GCL_ETERM);
        return 0;
    }
    peer->is_refused = false;
    gcl_pg_owner_begin_round(&peer->owner);
    machine->items = items;
    machine->after_greeting = GCL_PG_JOB_SYNC;
    machine->job = is_new ? GCL_PG_JOB_GREET : GCL_PG_JOB_SYNC;
    return 0;
}

/* --- discover ------------------------------------------------------------------------------- */

static int begin_answer(struct gcl_pg_machine *machine, gcl_pid pid)
{
    struct gcl_pg_peer *peer = gcl_pg_peer_find(machine, pid);
    bool is_new = peer == NULL;
    int error = is_new ? gcl_pg_peer_add(machine, pid, &peer) : 0;
    if (error != 0) {
        note(machine, GCL_PG_REFUSED, pid, reason_of(error));
        return 0;
    }
    machine->peer = peer;
    machine->is_new = is_new;
    machine->after_greeting = GCL_PG_JOB_ANSWER;
    machine->job = is_new ? GCL_PG_JOB_GREET : GCL_PG_JOB_ANSWER;
    return 0;
}

/* --- join and leave ------------------------------------------------------------------------- */

/* Of one that is not known, or not believed, nothing is taken. */
static bool is_believed(struct gcl_pg_machine *machine, gcl_pid pid)
{
    machine->peer = gcl_pg_peer_find(machine, pid);
    return machine->peer != NULL && !machine->peer->is_refused;
}

static int join(struct gcl_pg_machine *machine, gcl_term term)
{
    struct gcl_pg_group *group;
    int error = gcl_pg_store_group(&machine->store, term, true, &group);
    if (error != 0)
        return error;
    error = gcl_pg_store_add(&machine->store, &machine->peer->owner, group, &machine->given);
    if (error == 0)
        gcl_pg_tell(machine, true, group, &machine->given);
    gcl_pg_store_release(&machine->store, group);
    return error;
}

static int take_join(struct gcl_pg_machine *machine, gcl_pid pid, gcl_term group, gcl_term pids)
{
    if (!is_believed(machine, pid))
        return ignore(machine, "a scope that is not known joins");
    int error = read_pids(machine, pids);
    if (error == 0 && machine->given.count > 0)
        error = join(machine, group);
    if (error != 0)
        refuse(machine, error);
    return 0;
}

static int leave(struct gcl_pg_machine *machine, gcl_term term)
{
    struct gcl_pg_group *group;
    int error = gcl_pg_store_group(&machine->store, term, false, &group);
    if (error != 0 || group == NULL)
        return error;
    struct gcl_pg_share *share = gcl_pg_store_share(&machine->store, &machine->peer->owner, group);
    if (share == NULL)
        return 0;
    gcl_pg_store_take(&machine->store, share, &machine->given, &machine->left);
    gcl_pg_tell(machine, false, group, &machine->left);
    gcl_pg_store_release(&machine->store, group);
    return 0;
}

void gcl_pg_leave_step(struct gcl_pg_machine *machine)
{
    gcl_term group;
    int error = 0;
    if (gcl_items_next(&machine->items, &group)) {
        error = leave(machine, group);
    } else {
        machine->job = GCL_PG_JOB_NONE;
        error = gcl_items_is_proper_end(&machine->items) ? 0 : GCL_ETERM;
    }
    if (error != 0)
        refuse(machine, error);
}

static int begin_leave(struct gcl_pg_machine *machine, gcl_pid pid, gcl_term pids, gcl_term groups)
{
    if (!is_believed(machine, pid))
        return ignore(machine, "a scope that is not known leaves");
    int error = read_pids(machine, pids);
    if (error == 0 && !begin_list(&machine->items, groups))
        error = GCL_ETERM;
    if (error == 0)
        error = gcl_pg_pids_reserve(machine->config.mem, &machine->left, machine->given.count);
    if (error != 0)
        refuse(machine, error);
    else
        machine->job = GCL_PG_JOB_LEAVE;
    return 0;
}

/* --- messages ------------------------------------------------------------------------------- */

static int take_cast(struct gcl_pg_machine *machine, gcl_term message)
{
    gcl_pid pid;
    gcl_term groups;
    if (!gcl_match(message, "{sync, ~p, ~t}", &pid, &groups))
        return ignore(machine, "it is no message of pg");
    if (pid.node == machine->config.self.node)
        return ignore(machine, "it is of this node");
    return begin_sync(machine, pid, groups);
}

int gcl_pg_machine_receive(struct gcl_pg_machine *machine, gcl_term message, bool is_cast)
{
    gcl_pid pid;
    gcl_term what, which;
    if (gcl_pg_is_busy(machine))
        return GCL_EBUSY;
    if (is_cast)
        return take_cast(machine, message);
    if (gcl_match(message, "{join, ~p, ~t, ~t}", &pid, &what, &which))
        return take_join(machine, pid, what, which);
    if (gcl_match(message, "{leave, ~p, ~t, ~t}", &pid, &which, &what))
        return begin_leave(machine, pid, which, what);
    /* spec: OTP 29 says a version in a third element, and keeps to the old way with who does not */
    if (!gcl_match(message, "{discover, ~p}", &pid) &&
        !gcl_match(message, "{discover, ~p, _}", &pid))
        return ignore(machine, "it is no message of pg");
    if (pid.node == machine->config.self.node)
        return ignore(machine, "it is of this node");
    return begin_answer(machine, pid);
}

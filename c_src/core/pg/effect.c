/* SPDX-License-Identifier: Apache-2.0 */
/* From jobs to effects. */
#include "core/pg/pg.h"

#include "core/pg/machine.h"

enum { KEPT_BYTES = 65536, KEPT_PIDS = 4096 };

/* --- writing -------------------------------------------------------------------------------- */

static struct gcl_writer begin(struct gcl_pg_machine *machine, struct gcl_buffer *buffer)
{
    struct gcl_writer writer;
    gcl_buffer_clear(buffer);
    gcl_buffer_shrink(buffer, KEPT_BYTES);
    gcl_writer_init(&writer, machine->config.context, buffer);
    return writer;
}

/* All or nothing. */
static int finish(struct gcl_buffer *buffer, int error)
{
    if (error != 0)
        gcl_buffer_clear(buffer);
    return error;
}

static gcl_term term_of(const struct gcl_pg_machine *machine, const struct gcl_buffer *buffer)
{
    size_t size = gcl_buffer_size(buffer);
    return gcl_term_make(machine->config.context, size > 0 ? gcl_buffer_bytes(buffer) : NULL, size);
}

static int write_group(gcl_writer *out, const struct gcl_pg_group *group)
{
    return gcl_write(out, "~t", gcl_pg_group_term(group, out->context));
}

static int write_pids(gcl_writer *out, const struct gcl_pg_pids *pids)
{
    int error = pids->count > UINT32_MAX ? GCL_ELIMIT : gcl_write_list(out, (uint32_t)pids->count);
    for (size_t i = 0; error == 0 && i < pids->count; i++)
        error = gcl_write(out, "~p", pids->items[i]);
    return error == 0 && pids->count > 0 ? gcl_write(out, "[]") : error;
}

int gcl_pg_write_join(struct gcl_pg_machine *machine, gcl_pid pid, const struct gcl_pg_group *group)
{
    struct gcl_writer out = begin(machine, &machine->out);
    return finish(&machine->out, gcl_write(&out, "{join, ~p, ~t, [~p]}", machine->config.self,
                                           gcl_pg_group_term(group, out.context), pid));
}

int gcl_pg_write_leave(struct gcl_pg_machine *machine, gcl_pid pid,
                       struct gcl_pg_group *const *groups, size_t count)
{
    struct gcl_writer out = begin(machine, &machine->out);
    int error = count > UINT32_MAX ? GCL_ELIMIT : gcl_write_tuple(&out, 4);
    if (error == 0)
        error = gcl_write(&out, "leave");
    if (error == 0)
        error = gcl_write(&out, "~p", machine->config.self);
    if (error == 0)
        error = gcl_write(&out, "[~p]", pid);
    if (error == 0)
        error = gcl_write_list(&out, (uint32_t)count);
    for (size_t i = 0; error == 0 && i < count; i++)
        error = write_group(&out, groups[i]);
    if (error == 0 && count > 0)
        error = gcl_write(&out, "[]");
    return finish(&machine->out, error);
}

static int write_shares(gcl_writer *out, const struct gcl_pg_owner *owner)
{
    int error = gcl_write_list(out, owner->groups);
    GCL_LIST_EACH(&owner->shares, at, following)
    {
        const struct gcl_pg_share *share = GCL_CONTAINER_OF(at, struct gcl_pg_share, at_owner);
        if (error == 0)
            error = gcl_write_tuple(out, 2);
        if (error == 0)
            error = write_group(out, share->group);
        if (error == 0)
            error = write_pids(out, &share->pids);
    }
    return error == 0 && owner->groups > 0 ? gcl_write(out, "[]") : error;
}

static void write_sync(struct gcl_pg_machine *machine)
{
    struct gcl_writer out = begin(machine, &machine->out);
    int error = gcl_write_tuple(&out, 2);
    if (error == 0)
        error = gcl_write(&out, "'$gen_cast'");
    if (error == 0)
        error = gcl_write_tuple(&out, 3);
    if (error == 0)
        error = gcl_write(&out, "sync");
    if (error == 0)
        error = gcl_write(&out, "~p", machine->config.self);
    if (error == 0)
        error = write_shares(&out, &machine->local);
    (void)finish(&machine->out, error);
}

static void write_news(struct gcl_pg_machine *machine, const struct gcl_pg_news *news)
{
    struct gcl_writer out = begin(machine, &machine->text);
    int error = gcl_write_tuple(&out, 3);
    if (error == 0)
        error = gcl_write(&out, "~a", news->is_join ? "join" : "leave");
    if (error == 0)
        error = write_group(&out, news->group);
    if (error == 0)
        error = write_pids(&out, news->pids);
    (void)finish(&machine->text, error);
}

/* --- to peers ------------------------------------------------------------------------------- */

static bool is_doomed(const struct gcl_pg_peer *peer)
{
    return !gcl_list_is_empty(&peer->at_doomed);
}

static void send(const struct gcl_pg_machine *machine, const struct gcl_pg_peer *peer,
                 struct gcl_pg_effect *effect)
{
    *effect = (struct gcl_pg_effect){
        .kind = GCL_PG_SEND, .pid = peer->pid, .term = term_of(machine, &machine->out)};
}

void gcl_pg_broadcast(struct gcl_pg_machine *machine)
{
    machine->send_at = gcl_list_first(&machine->all_peers);
}

static bool next_send(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    while (machine->send_at != NULL) {
        struct gcl_pg_peer *peer =
            GCL_CONTAINER_OF(machine->send_at, struct gcl_pg_peer, at_machine);
        bool is_last = machine->send_at->next == &machine->all_peers;
        machine->send_at = is_last ? NULL : machine->send_at->next;
        /* spec: pg.erl ends of a leave from a scope that has not sent it a sync with that group. */
        if (is_doomed(peer) || !peer->is_synced)
            continue;
        send(machine, peer, effect);
        return true;
    }
    return false;
}

/* --- to watches ----------------------------------------------------------------------------- */

void gcl_pg_tell(struct gcl_pg_machine *machine, bool is_join, struct gcl_pg_group *group,
                 const struct gcl_pg_pids *pids)
{
    struct gcl_pg_news *news = &machine->news[machine->news[0].group == NULL ? 0 : 1];
    if (pids->count == 0 ||
        (gcl_list_is_empty(&machine->watches) && gcl_list_is_empty(&group->watches)))
        return;
    group->holds++;
    *news = (struct gcl_pg_news){.group = group,
                                 .pids = pids,
                                 .is_join = is_join,
                                 .head = &machine->watches,
                                 .at = machine->watches.next};
}

/* The next watch, first of those of all groups, then of those of this one. */
static struct gcl_pg_watch *next_watch(struct gcl_pg_machine *machine, struct gcl_pg_news *news)
{
    if (news->at == news->head && news->head == &machine->watches) {
        news->head = &news->group->watches;
        news->at = news->head->next;
    }
    if (news->at == news->head)
        return NULL;
    struct gcl_pg_watch *watch = GCL_CONTAINER_OF(news->at, struct gcl_pg_watch, at);
    news->at = news->at->next;
    return watch;
}

static void end_news(struct gcl_pg_machine *machine)
{
    struct gcl_pg_group *group = machine->news[0].group;
    machine->news[0] = machine->news[1];
    machine->news[1].group = NULL;
    group->holds--;
    gcl_pg_store_release(&machine->store, group);
}

static bool next_news(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    struct gcl_pg_news *news = &machine->news[0];
    while (news->group != NULL) {
        struct gcl_pg_watch *watch = next_watch(machine, news);
        if (watch == NULL) {
            end_news(machine);
            continue;
        }
        if (!news->is_written)
            write_news(machine, news);
        news->is_written = true;
        *effect = (struct gcl_pg_effect){
            .kind = GCL_PG_TELL, .watch = watch, .term = term_of(machine, &machine->text)};
        return true;
    }
    return false;
}

/* --- jobs ----------------------------------------------------------------------------------- */

static void end_share(struct gcl_pg_machine *machine, struct gcl_list *at)
{
    struct gcl_pg_share *share = GCL_CONTAINER_OF(at, struct gcl_pg_share, at_owner);
    struct gcl_pg_group *group = share->group;
    gcl_pg_store_end(&machine->store, share, &machine->left);
    gcl_pg_tell(machine, false, group, &machine->left);
    gcl_pg_store_release(&machine->store, group);
}

static void sweep_step(struct gcl_pg_machine *machine)
{
    struct gcl_pg_owner *owner = &machine->peer->owner;
    struct gcl_list *first = gcl_list_first(&owner->shares);
    if (first != NULL &&
        GCL_CONTAINER_OF(first, struct gcl_pg_share, at_owner)->round != owner->round)
        end_share(machine, first);
    else
        machine->job = GCL_PG_JOB_NONE;
}

static void drop_step(struct gcl_pg_machine *machine)
{
    struct gcl_list *first = gcl_list_first(&machine->peer->owner.shares);
    if (first != NULL) {
        end_share(machine, first);
        return;
    }
    if (machine->job == GCL_PG_JOB_END)
        gcl_pg_peer_free(machine, machine->peer);
    machine->job = GCL_PG_JOB_NONE;
}

static void death_step(struct gcl_pg_machine *machine)
{
    struct gcl_pg_local *dead = machine->dead;
    if (dead->count == 0) {
        gcl_pg_local_free(machine, dead);
        machine->job = GCL_PG_JOB_NONE;
        return;
    }
    struct gcl_pg_group *group = dead->groups[--dead->count];
    machine->given.items[0] = dead->pid;
    machine->given.count = 1;
    gcl_pg_store_take(&machine->store, gcl_pg_store_share(&machine->store, &machine->local, group),
                      &machine->given, &machine->left);
    gcl_pg_tell(machine, false, group, &machine->left);
    gcl_pg_store_release(&machine->store, group);
}

/* A peer whose monitor could not be made is doomed by now: it is told nothing. */
static bool answer_step(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    bool is_answer = machine->job == GCL_PG_JOB_ANSWER;
    machine->job = is_answer && machine->is_new ? GCL_PG_JOB_DISCOVER : GCL_PG_JOB_NONE;
    if (is_doomed(machine->peer)) {
        machine->job = GCL_PG_JOB_NONE;
        return false;
    }
    if (is_answer) {
        machine->peer->is_synced = true;
        write_sync(machine);
    } else {
        struct gcl_writer out = begin(machine, &machine->out);
        (void)finish(&machine->out, gcl_pg_machine_write_discover(machine, &out));
    }
    send(machine, machine->peer, effect);
    return true;
}

static bool greet_step(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    machine->job = machine->after_greeting;
    *effect = (struct gcl_pg_effect){
        .kind = GCL_PG_MONITOR, .pid = machine->peer->pid, .ref = &machine->peer->ref};
    return true;
}

static bool begin_peer_end(struct gcl_pg_machine *machine)
{
    struct gcl_list *first = gcl_list_first(&machine->doomed_peers);
    if (first == NULL)
        return false;
    machine->peer = GCL_CONTAINER_OF(first, struct gcl_pg_peer, at_doomed);
    machine->job = GCL_PG_JOB_END;
    return true;
}

/* Without memory for the message all peers are told an empty one. */
static bool begin_death(struct gcl_pg_machine *machine)
{
    struct gcl_list *first = gcl_list_first(&machine->doomed_locals);
    if (first == NULL)
        return false;
    machine->dead = GCL_CONTAINER_OF(first, struct gcl_pg_local, at_doomed);
    machine->job = GCL_PG_JOB_DEATH;
    (void)gcl_pg_write_leave(machine, machine->dead->pid, machine->dead->groups,
                             machine->dead->count);
    gcl_pg_broadcast(machine);
    return true;
}

static bool step(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    switch (machine->job) {
    case GCL_PG_JOB_NONE:
        break;
    case GCL_PG_JOB_GREET:
        return greet_step(machine, effect);
    case GCL_PG_JOB_ANSWER:
    case GCL_PG_JOB_DISCOVER:
        return answer_step(machine, effect);
    case GCL_PG_JOB_SYNC:
        gcl_pg_sync_step(machine);
        break;
    case GCL_PG_JOB_SWEEP:
        sweep_step(machine);
        break;
    case GCL_PG_JOB_LEAVE:
        gcl_pg_leave_step(machine);
        break;
    case GCL_PG_JOB_DROP:
    case GCL_PG_JOB_END:
        drop_step(machine);
        break;
    case GCL_PG_JOB_DEATH:
        death_step(machine);
        break;
    }
    return false;
}

/* --- the next effect ------------------------------------------------------------------------ */

static bool next_note(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    if (machine->note.why == NULL)
        return false;
    *effect = machine->note;
    machine->note.why = NULL;
    return true;
}

static bool next_demonitor(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    if (machine->unmonitored.count == 0)
        return false;
    machine->demonitored = machine->unmonitored;
    machine->unmonitored.count = 0;
    *effect = (struct gcl_pg_effect){.kind = GCL_PG_DEMONITOR, .ref = &machine->demonitored};
    return true;
}

static void trim(const gcl_allocator *mem, struct gcl_pg_pids *pids)
{
    if (pids->capacity <= KEPT_PIDS)
        return;
    gcl_pid *items = gcl_resize(mem, pids->items, KEPT_PIDS * sizeof *items);
    if (items == NULL)
        return;
    pids->items = items;
    pids->capacity = KEPT_PIDS;
    pids->count = 0;
}

static void rest(struct gcl_pg_machine *machine)
{
    trim(machine->config.mem, &machine->given);
    trim(machine->config.mem, &machine->joined);
    trim(machine->config.mem, &machine->left);
}

bool gcl_pg_machine_next(struct gcl_pg_machine *machine, struct gcl_pg_effect *effect)
{
    for (;;) {
        if (next_note(machine, effect) || next_demonitor(machine, effect) ||
            next_send(machine, effect) || next_news(machine, effect))
            return true;
        if (machine->job == GCL_PG_JOB_NONE && !begin_peer_end(machine) && !begin_death(machine))
            break;
        if (step(machine, effect))
            return true;
    }
    rest(machine);
    return false;
}

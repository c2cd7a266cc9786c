/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the machine, what happens on this node, and what can be asked of it. */
#include "core/pg/pg.h"

#include "core/pg/machine.h"

/* --- its life ------------------------------------------------------------------------------- */

/* Room for one pid everywhere, so that ends need no memory. */
static int reserve_one(struct gcl_pg_machine *machine)
{
    const gcl_allocator *mem = machine->config.mem;
    int error = gcl_pg_pids_reserve(mem, &machine->given, 1);
    if (error == 0)
        error = gcl_pg_pids_reserve(mem, &machine->joined, 1);
    return error == 0 ? gcl_pg_pids_reserve(mem, &machine->left, 1) : error;
}

int gcl_pg_machine_new(const struct gcl_pg_machine_config *config, struct gcl_pg_machine **out)
{
    struct gcl_pg_machine *machine = gcl_alloc_zero(config->mem, sizeof *machine);
    if (machine == NULL)
        return GCL_ENOMEM;
    machine->config = *config;
    gcl_pg_store_init(&machine->store, config->mem, config->seed, &config->limits);
    gcl_pg_owner_init(&machine->local);
    gcl_table_init(&machine->locals, config->mem);
    gcl_table_init(&machine->peers, config->mem);
    gcl_list_init(&machine->all_peers);
    gcl_list_init(&machine->doomed_peers);
    gcl_list_init(&machine->doomed_locals);
    gcl_list_init(&machine->watches);
    gcl_buffer_init(&machine->out, config->mem, 0);
    gcl_buffer_init(&machine->text, config->mem, 0);
    int error = reserve_one(machine);
    if (error == 0)
        *out = machine;
    else
        gcl_pg_machine_free(machine);
    return error;
}

void gcl_pg_machine_set_self(struct gcl_pg_machine *machine, gcl_pid self)
{
    machine->config.self = self;
}

static void forget_owner(struct gcl_pg_machine *machine, struct gcl_pg_owner *owner)
{
    GCL_LIST_EACH(&owner->shares, at, following)
    {
        struct gcl_pg_share *share = GCL_CONTAINER_OF(at, struct gcl_pg_share, at_owner);
        struct gcl_pg_group *group = share->group;
        gcl_pg_store_end(&machine->store, share, &machine->left);
        gcl_pg_store_release(&machine->store, group);
    }
}

static void forget_news(struct gcl_pg_machine *machine)
{
    for (size_t i = 0; i < 2; i++) {
        if (machine->news[i].group == NULL)
            continue;
        machine->news[i].group->holds--;
        gcl_pg_store_release(&machine->store, machine->news[i].group);
    }
}

void gcl_pg_machine_free(struct gcl_pg_machine *machine)
{
    struct gcl_pg_local *local;
    size_t position = 0;
    if (machine == NULL)
        return;
    const gcl_allocator *mem = machine->config.mem;
    forget_news(machine);
    forget_owner(machine, &machine->local);
    GCL_LIST_EACH(&machine->all_peers, at, following)
    {
        struct gcl_pg_peer *peer = GCL_CONTAINER_OF(at, struct gcl_pg_peer, at_machine);
        forget_owner(machine, &peer->owner);
        gcl_free(mem, peer);
    }
    while ((local = gcl_table_each(&machine->locals, &position)) != NULL) {
        gcl_free(mem, local->groups);
        gcl_free(mem, local);
    }
    gcl_table_fini(&machine->locals);
    gcl_table_fini(&machine->peers);
    gcl_pg_store_fini(&machine->store);
    gcl_buffer_fini(&machine->out);
    gcl_buffer_fini(&machine->text);
    gcl_free(mem, machine->given.items);
    gcl_free(mem, machine->joined.items);
    gcl_free(mem, machine->left.items);
    gcl_free(mem, machine);
}

bool gcl_pg_is_busy(const struct gcl_pg_machine *machine)
{
    return machine->job != GCL_PG_JOB_NONE || machine->note.why != NULL ||
           machine->send_at != NULL || machine->news[0].group != NULL ||
           machine->unmonitored.count != 0 || !gcl_list_is_empty(&machine->doomed_peers) ||
           !gcl_list_is_empty(&machine->doomed_locals);
}

/* --- by pid --------------------------------------------------------------------------------- */

static bool is_peer(const void *item, const void *key)
{
    return gcl_pid_equal(((const struct gcl_pg_peer *)item)->pid, *(const gcl_pid *)key);
}

static bool is_local(const void *item, const void *key)
{
    return gcl_pid_equal(((const struct gcl_pg_local *)item)->pid, *(const gcl_pid *)key);
}

static uint32_t hash_of(const struct gcl_pg_machine *machine, gcl_pid pid)
{
    return gcl_hash(machine->config.seed, &pid, sizeof pid);
}

struct gcl_pg_peer *gcl_pg_peer_find(const struct gcl_pg_machine *machine, gcl_pid pid)
{
    return gcl_table_find(&machine->peers, hash_of(machine, pid), is_peer, &pid);
}

int gcl_pg_peer_add(struct gcl_pg_machine *machine, gcl_pid pid, struct gcl_pg_peer **out)
{
    if (gcl_table_count(&machine->peers) >= machine->config.max_peers)
        return GCL_ELIMIT;
    struct gcl_pg_peer *peer = gcl_alloc_zero(machine->config.mem, sizeof *peer);
    if (peer == NULL)
        return GCL_ENOMEM;
    int error = gcl_table_add(&machine->peers, hash_of(machine, pid), peer);
    if (error != 0) {
        gcl_free(machine->config.mem, peer);
        return error;
    }
    peer->pid = pid;
    gcl_pg_owner_init(&peer->owner);
    gcl_list_init(&peer->at_doomed);
    gcl_list_init(&peer->at_machine);
    gcl_list_add_last(&machine->all_peers, &peer->at_machine);
    *out = peer;
    return 0;
}

void gcl_pg_peer_free(struct gcl_pg_machine *machine, struct gcl_pg_peer *peer)
{
    (void)gcl_table_remove(&machine->peers, hash_of(machine, peer->pid), is_peer, &peer->pid);
    gcl_list_remove(&peer->at_machine);
    gcl_list_remove(&peer->at_doomed);
    gcl_free(machine->config.mem, peer);
}

static struct gcl_pg_local *find_local(const struct gcl_pg_machine *machine, gcl_pid pid)
{
    return gcl_table_find(&machine->locals, hash_of(machine, pid), is_local, &pid);
}

bool gcl_pg_machine_has_local(const struct gcl_pg_machine *machine, gcl_pid pid)
{
    return find_local(machine, pid) != NULL;
}

static int add_local(struct gcl_pg_machine *machine, gcl_pid pid, const gcl_ref *monitor,
                     struct gcl_pg_local **out)
{
    struct gcl_pg_local *local = gcl_alloc_zero(machine->config.mem, sizeof *local);
    if (local == NULL)
        return GCL_ENOMEM;
    int error = gcl_table_add(&machine->locals, hash_of(machine, pid), local);
    if (error != 0) {
        gcl_free(machine->config.mem, local);
        return error;
    }
    local->pid = pid;
    local->ref = *monitor;
    gcl_list_init(&local->at_doomed);
    *out = local;
    return 0;
}

void gcl_pg_local_free(struct gcl_pg_machine *machine, struct gcl_pg_local *local)
{
    (void)gcl_table_remove(&machine->locals, hash_of(machine, local->pid), is_local, &local->pid);
    gcl_list_remove(&local->at_doomed);
    gcl_free(machine->config.mem, local->groups);
    gcl_free(machine->config.mem, local);
}

static int reserve_groups(const gcl_allocator *mem, struct gcl_pg_local *local)
{
    if (local->count < local->capacity)
        return 0;
    size_t capacity = local->capacity == 0 ? 1 : 2 * local->capacity;
    if (capacity > SIZE_MAX / sizeof(struct gcl_pg_group *))
        return GCL_ENOMEM;
    size_t size = capacity * sizeof(struct gcl_pg_group *);
    struct gcl_pg_group **groups =
        local->groups == NULL ? gcl_alloc(mem, size) : gcl_resize(mem, local->groups, size);
    if (groups == NULL)
        return GCL_ENOMEM;
    local->groups = groups;
    local->capacity = capacity;
    return 0;
}

/* --- what happens on this node -----------------------------------------------------------------
 */

static void give_one(struct gcl_pg_machine *machine, gcl_pid pid)
{
    machine->given.items[0] = pid;
    machine->given.count = 1;
}

static int enter(struct gcl_pg_machine *machine, struct gcl_pg_local *local,
                 struct gcl_pg_group *group)
{
    int error = reserve_groups(machine->config.mem, local);
    if (error == 0)
        error = gcl_pg_write_join(machine, local->pid, group);
    give_one(machine, local->pid);
    if (error == 0)
        error = gcl_pg_store_add(&machine->store, &machine->local, group, &machine->given);
    if (error != 0)
        return error;
    local->groups[local->count++] = group;
    gcl_pg_broadcast(machine);
    gcl_pg_tell(machine, true, group, &machine->given);
    return 0;
}

int gcl_pg_machine_join(struct gcl_pg_machine *machine, gcl_pid pid, const gcl_ref *monitor,
                        gcl_term term)
{
    struct gcl_pg_local *local = find_local(machine, pid);
    struct gcl_pg_group *group;
    if (gcl_pg_is_busy(machine))
        return GCL_EBUSY;
    int error = gcl_pg_store_group(&machine->store, term, true, &group);
    if (error != 0)
        return error;
    if (local == NULL)
        error = add_local(machine, pid, monitor, &local);
    if (error == 0)
        error = enter(machine, local, group);
    if (error == 0)
        return 0;
    if (local != NULL && local->count == 0)
        gcl_pg_local_free(machine, local);
    gcl_pg_store_release(&machine->store, group);
    return error;
}

/* The latest first: what comes last mostly goes first. */
static bool find_place(const struct gcl_pg_local *local, const struct gcl_pg_group *group,
                       size_t *place)
{
    for (size_t i = local != NULL ? local->count : 0; i > 0; i--) {
        if (local->groups[i - 1] != group)
            continue;
        *place = i - 1;
        return true;
    }
    return false;
}

int gcl_pg_machine_leave(struct gcl_pg_machine *machine, gcl_pid pid, gcl_term term)
{
    struct gcl_pg_local *local = find_local(machine, pid);
    struct gcl_pg_group *group;
    size_t place;
    if (gcl_pg_is_busy(machine))
        return GCL_EBUSY;
    int error = gcl_pg_store_group(&machine->store, term, false, &group);
    if (error == 0 && (group == NULL || !find_place(local, group, &place)))
        error = GCL_ENOENT;
    if (error == 0)
        error = gcl_pg_write_leave(machine, pid, &group, 1);
    if (error != 0)
        return error;
    local->groups[place] = local->groups[--local->count];
    give_one(machine, pid);
    gcl_pg_store_take(&machine->store, gcl_pg_store_share(&machine->store, &machine->local, group),
                      &machine->given, &machine->left);
    gcl_pg_broadcast(machine);
    gcl_pg_tell(machine, false, group, &machine->left);
    gcl_pg_store_release(&machine->store, group);
    if (local->count == 0) {
        machine->unmonitored = local->ref;
        gcl_pg_local_free(machine, local);
    }
    return 0;
}

void gcl_pg_machine_down(struct gcl_pg_machine *machine, gcl_pid pid)
{
    struct gcl_pg_peer *peer = gcl_pg_peer_find(machine, pid);
    struct gcl_pg_local *local = find_local(machine, pid);
    if (peer != NULL && gcl_list_is_empty(&peer->at_doomed))
        gcl_list_add_last(&machine->doomed_peers, &peer->at_doomed);
    if (local != NULL && gcl_list_is_empty(&local->at_doomed))
        gcl_list_add_last(&machine->doomed_locals, &local->at_doomed);
}

int gcl_pg_machine_write_discover(const struct gcl_pg_machine *machine, gcl_writer *out)
{
    return gcl_write(out, "{discover, ~p}", machine->config.self);
}

/* --- watches -------------------------------------------------------------------------------- */

int gcl_pg_machine_watch(struct gcl_pg_machine *machine, struct gcl_pg_watch *watch,
                         const gcl_term *group)
{
    struct gcl_list *head = &machine->watches;
    if (gcl_pg_is_busy(machine))
        return GCL_EBUSY;
    watch->group = NULL;
    if (group != NULL) {
        int error = gcl_pg_store_group(&machine->store, *group, true, &watch->group);
        if (error != 0)
            return error;
        head = &watch->group->watches;
    }
    gcl_list_init(&watch->at);
    gcl_list_add_last(head, &watch->at);
    return 0;
}

void gcl_pg_machine_unwatch(struct gcl_pg_machine *machine, struct gcl_pg_watch *watch)
{
    gcl_list_remove(&watch->at);
    if (watch->group != NULL)
        gcl_pg_store_release(&machine->store, watch->group);
    watch->group = NULL;
}

/* --- questions ------------------------------------------------------------------------------ */

const struct gcl_pg_group *gcl_pg_machine_each(const struct gcl_pg_machine *machine,
                                               size_t *position)
{
    const struct gcl_pg_group *group;
    do {
        group = gcl_pg_store_each(&machine->store, position);
    } while (group != NULL && gcl_list_is_empty(&group->shares));
    return group;
}

int gcl_pg_machine_walk(struct gcl_pg_machine *machine, gcl_term term,
                        enum gcl_pg_machine_part part, struct gcl_pg_walk *walk)
{
    struct gcl_pg_group *group;
    int error = gcl_pg_store_group(&machine->store, term, false, &group);
    *walk = (struct gcl_pg_walk){.machine = machine, .part = part};
    if (error == 0 && (group == NULL || gcl_list_is_empty(&group->shares)))
        error = GCL_ENOENT;
    if (error != 0)
        return error;
    walk->head = &group->shares;
    walk->at = group->shares.next;
    return 0;
}

static bool is_wanted(const struct gcl_pg_walk *walk, const struct gcl_pg_share *share)
{
    bool is_ours = share->owner == &walk->machine->local;
    return walk->part == GCL_PG_MACHINE_ALL || is_ours == (walk->part == GCL_PG_MACHINE_LOCAL);
}

bool gcl_pg_walk_next(struct gcl_pg_walk *walk, gcl_pid *pid)
{
    for (; walk->at != walk->head; walk->at = walk->at->next, walk->index = 0) {
        const struct gcl_pg_share *share =
            GCL_CONTAINER_OF(walk->at, struct gcl_pg_share, at_group);
        if (!is_wanted(walk, share) || walk->index == share->pids.count)
            continue;
        *pid = share->pids.items[walk->index++];
        return true;
    }
    return false;
}

bool gcl_pg_machine_knows_node(const struct gcl_pg_machine *machine, uint32_t node)
{
    GCL_LIST_EACH(&machine->all_peers, at, following)
    {
        if (GCL_CONTAINER_OF(at, struct gcl_pg_peer, at_machine)->pid.node == node)
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gns_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/global/gns.h"
#include "core/names.h"
#include "node/translate.h"
#include "wire/term/context.h"

enum { NODES = 64, NAME_BYTES = 32, FIRST_PID = 100, ACTOR_PID = 10, LATE = 16 };

enum kind {
    UP,
    DOWN,    /* the link: what comes behind it in the queue is of the next one */
    CAST,    /* bytes to the server */
    CALL,    /* bytes; `number` of the caller */
    ANSWER,  /* bytes; `number` */
    MONITOR, /* pid bytes */
    DEMONITOR,
    PROCESS_DOWN,
    RESOLVE,        /* bytes; `number` */
    CONNECT_FAILED, /* local */
    NO_ANSWER,      /* local; `number` */
    UNLOCK,         /* local; `number` of a lock */
    DIE,            /* local; the same */
};

/* What is on its way to a node. */
struct parcel {
    uint64_t at_ms;
    uint64_t order;
    enum kind kind;
    size_t from, to;
    unsigned incarnation; /* of the receiver, when it was sent */
    unsigned of;          /* that of the sender */
    uint64_t link;        /* of which link; 0: local */
    uint64_t number;
    gcl_pid pid;      /* of a caller: its actor */
    uint64_t monitor; /* that has found no connection */
    size_t size;
    uint8_t *bytes;
};

/* A call that a node has been asked and not answered, or has asked. */
struct asked {
    bool is_used;
    size_t node;
    uint64_t number;
    uint64_t link;
};

struct process {
    bool is_alive;
    bool is_locker;
    uint64_t watchers; /* nodes, one bit each */
};

enum { PROCESSES = 4096, ASKED = 4096, LOCKS = 1024, RESOURCES = 8 };

/* A process that wants a lock, or has it. */
struct lock {
    size_t node;
    unsigned incarnation;
    uint32_t process;
    unsigned resource, keep_ms;
    uint64_t open; /* the request that is not answered; 0: none */
    bool has_it, is_freed;
};

struct node {
    struct world *world;
    size_t index;
    char name[NAME_BYTES];
    bool is_alive;
    unsigned incarnation;
    struct gcl_names names;
    gcl_term_context terms;
    struct gcl_gns *gns;
    unsigned side;
    uint64_t seen_links;         /* nodes that nodeup was given for */
    struct asked asked[ASKED];   /* by this node, of others */
    struct asked callers[ASKED]; /* of this node; the number is the index + 1 */
    struct process processes[PROCESSES];
    uint32_t process_count;
    struct {
        gcl_pid pid;
        uint64_t monitor;
    } watched[PROCESSES]; /* by this node, elsewhere */
    uint64_t last_monitor;
    size_t watched_count;
    struct parcel late[LATE]; /* that came before a link went, and were not looked at */
    size_t late_count;
    uint64_t last_at[NODES]; /* of parcels from each node: they keep their order */
    size_t syncs;            /* calls of its own server that are not answered */
    size_t requests;         /* the same */
};

struct world {
    struct world_options options;
    uint64_t now_ms, order, random, links;
    struct node *nodes[NODES];
    uint64_t link[NODES][NODES]; /* 0: none */
    struct parcel *heap;
    size_t count, capacity;
    uint64_t requests;
    size_t answered, lost;
    struct lock locks[LOCKS];
    size_t lock_count, locked, refused;
    bool was_shared; /* two have had one lock */
};

static uint64_t draw(struct world *w)
{
    w->random += 0x9E3779B97F4A7C15u;
    uint64_t z = w->random;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static bool is_c_node(const struct world *w, size_t index)
{
    return w->options.c_nodes != 0 && index % w->options.c_nodes == 0;
}

static struct gcl_str str_of_name(const struct node *node)
{
    return gcl_str_of(node->name);
}

/* --- parcels: a heap by time, then by order ------------------------------------------------- */

static bool is_before(const struct parcel *a, const struct parcel *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct world *w, struct parcel parcel)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity == 0 ? 256 : 2 * w->capacity;
        w->heap = realloc(w->heap, w->capacity * sizeof *w->heap);
    }
    parcel.order = ++w->order;
    size_t at = w->count++;
    while (at > 0 && is_before(&parcel, &w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = parcel;
}

static struct parcel pop(struct world *w)
{
    struct parcel first = w->heap[0];
    struct parcel last = w->heap[--w->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < w->count; at = child) {
        if (child + 1 < w->count && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
    }
    if (w->count > 0)
        w->heap[at] = last;
    return first;
}

/* On the way from one node to another, behind what is there already. */
static void post(struct world *w, struct parcel parcel, gcl_term term)
{
    struct node *to = w->nodes[parcel.to];
    uint64_t at_ms = w->now_ms + draw(w) % (w->options.delay_ms + 1);
    if (at_ms < to->last_at[parcel.from])
        at_ms = to->last_at[parcel.from];
    to->last_at[parcel.from] = at_ms;
    parcel.at_ms = at_ms;
    parcel.incarnation = to->incarnation;
    parcel.of = w->nodes[parcel.from]->incarnation;
    if (term.size > 0) {
        parcel.bytes = malloc(term.size);
        memcpy(parcel.bytes, term.bytes, term.size);
        parcel.size = term.size;
    }
    push(w, parcel);
}

static const gcl_term nothing = {NULL, NULL, 0};

/* --- pids ----------------------------------------------------------------------------------- */

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    return gcl_intern_pid(user, wire, pid);
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    return gcl_translate_pid(user, *pid, wire) ? 0 : GCL_ESTALE;
}

static size_t index_of(const struct world *w, struct gcl_str name)
{
    for (size_t i = 0; i < w->options.nodes; i++)
        if (gcl_str_equal(str_of_name(w->nodes[i]), name))
            return i;
    return SIZE_MAX;
}

/* The node of a pid that `node` knows, if it is still the same one; or SIZE_MAX. */
static size_t home_of(struct node *node, gcl_pid pid)
{
    struct gcl_wire_pid wire;
    if (!gcl_translate_pid(&node->names, pid, &wire))
        return SIZE_MAX;
    size_t index = index_of(node->world, wire.node);
    if (index == SIZE_MAX || node->world->nodes[index]->incarnation != wire.creation)
        return SIZE_MAX;
    return index;
}

static gcl_pid pid_of(struct node *node, struct node *home, uint32_t id)
{
    gcl_pid pid;
    struct gcl_wire_pid wire = {str_of_name(home), id, 0, home->incarnation};
    if (gcl_intern_pid(&node->names, &wire, &pid) != 0)
        abort();
    return pid;
}

/* --- processes ------------------------------------------------------------------------------ */

static void tell_down(struct world *w, size_t watcher, struct node *home, uint32_t id)
{
    if (watcher != home->index && w->link[home->index][watcher] == 0)
        return;
    struct parcel parcel = {.kind = PROCESS_DOWN,
                            .from = home->index,
                            .to = watcher,
                            .number = id,
                            .link = w->link[home->index][watcher]};
    post(w, parcel, nothing);
}

static void kill_process(struct world *w, struct node *home, uint32_t id)
{
    struct process *process = &home->processes[id - FIRST_PID];
    if (id < FIRST_PID || id - FIRST_PID >= home->process_count || !process->is_alive)
        return;
    process->is_alive = false;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (process->watchers >> i & 1)
            tell_down(w, i, home, id);
    process->watchers = 0;
}

/* Actors live as long as their node. */
static void watch(struct world *w, size_t watcher, struct node *home, uint32_t id, bool on)
{
    if (id < FIRST_PID)
        return;
    struct process *process = &home->processes[id - FIRST_PID];
    if (!on)
        process->watchers &= ~((uint64_t)1 << watcher);
    else if (process->is_alive)
        process->watchers |= (uint64_t)1 << watcher;
    else
        tell_down(w, watcher, home, id);
}

/* --- links ---------------------------------------------------------------------------------- */

bool world_is_alive(const struct world *w, size_t node)
{
    return w->nodes[node]->is_alive;
}

bool world_is_reachable(const struct world *w, size_t a, size_t b)
{
    return w->nodes[a]->is_alive && w->nodes[b]->is_alive && w->nodes[a]->side == w->nodes[b]->side;
}

bool world_is_connected(const struct world *w, size_t a, size_t b)
{
    return w->link[a][b] != 0;
}

/* A link begins when both ends have seen the end of the last one. */
static bool can_link(const struct world *w, size_t a, size_t b)
{
    return world_is_reachable(w, a, b) && !(w->nodes[a]->seen_links >> b & 1) &&
           !(w->nodes[b]->seen_links >> a & 1);
}

void world_connect(struct world *w, size_t a, size_t b)
{
    if (a == b || w->link[a][b] != 0 || !can_link(w, a, b))
        return;
    w->link[a][b] = w->link[b][a] = ++w->links;
    for (int i = 0; i < 2; i++) {
        size_t at = i == 0 ? a : b, other = i == 0 ? b : a;
        struct parcel up = {.kind = UP, .from = other, .to = at, .link = w->links};
        w->nodes[at]->seen_links |= (uint64_t)1 << other;
        post(w, up, nothing);
    }
}

void world_disconnect(struct world *w, size_t a, size_t b)
{
    if (w->link[a][b] == 0)
        return;
    for (int i = 0; i < 2; i++) {
        size_t at = i == 0 ? a : b, other = i == 0 ? b : a;
        struct parcel down = {.kind = DOWN, .from = other, .to = at, .link = w->link[a][b]};
        if (w->nodes[at]->is_alive)
            post(w, down, nothing);
    }
    w->link[a][b] = w->link[b][a] = 0;
}

/* --- effects -------------------------------------------------------------------------------- */

static struct asked *take_asked(struct asked *table)
{
    for (size_t i = 0; i < ASKED; i++)
        if (!table[i].is_used) {
            table[i].is_used = true;
            return &table[i];
        }
    abort();
}

static void no_answer(struct node *node, uint64_t number)
{
    struct parcel parcel = {
        .kind = NO_ANSWER, .from = node->index, .to = node->index, .number = number};
    post(node->world, parcel, nothing);
}

/* Calls and monitors connect by themselves. */
static bool reach(struct node *node, size_t other)
{
    if (other == SIZE_MAX)
        return false;
    if (other != node->index && node->world->link[node->index][other] == 0)
        world_connect(node->world, node->index, other);
    return other == node->index || node->world->link[node->index][other] != 0;
}

static void send_to(struct node *node, size_t other, enum kind kind, uint64_t number, gcl_pid pid,
                    gcl_term term)
{
    struct world *w = node->world;
    struct parcel parcel = {.kind = kind,
                            .from = node->index,
                            .to = other,
                            .link = w->link[node->index][other],
                            .number = number,
                            .pid = pid};
    post(w, parcel, term);
}

static void ask(struct node *node, size_t other, enum kind kind,
                const struct gcl_gns_effect *effect)
{
    if (!reach(node, other)) {
        no_answer(node, effect->number);
        return;
    }
    struct asked *asked = take_asked(node->asked);
    asked->node = other;
    asked->number = effect->number;
    asked->link = node->world->link[node->index][other];
    send_to(node, other, kind, effect->number, effect->pid, effect->term);
}

/* The monitor that there was; 0: none. */
static uint64_t unwatch(struct node *node, gcl_pid pid)
{
    for (size_t i = 0; i < node->watched_count; i++)
        if (gcl_pid_equal(node->watched[i].pid, pid)) {
            uint64_t number = node->watched[i].monitor;
            node->watched[i] = node->watched[--node->watched_count];
            return number;
        }
    return 0;
}

static bool is_watched(const struct node *node, uint64_t number)
{
    for (size_t i = 0; i < node->watched_count; i++)
        if (node->watched[i].monitor == number)
            return true;
    return false;
}

static void monitor(struct node *node, gcl_pid pid, bool on)
{
    struct world *w = node->world;
    size_t home = home_of(node, pid);
    if (home == node->index) {
        watch(w, node->index, node, pid.id, on);
        return;
    }
    (void)unwatch(node, pid);
    if (!on) {
        if (home != SIZE_MAX && w->link[node->index][home] != 0)
            send_to(node, home, DEMONITOR, pid.id, pid, nothing);
        return;
    }
    if (node->watched_count == PROCESSES)
        abort();
    node->watched[node->watched_count].pid = pid;
    node->watched[node->watched_count++].monitor = ++node->last_monitor;
    if (reach(node, home)) {
        send_to(node, home, MONITOR, pid.id, pid, nothing);
    } else {
        struct parcel gone = {.kind = PROCESS_DOWN, .from = node->index, .to = node->index};
        gone.pid = pid;
        gone.monitor = node->last_monitor; /* `pid` is as this node knows it */
        post(w, gone, nothing);
    }
}

/* --- locks ---------------------------------------------------------------------------------- */

static bool lock_lives(const struct world *w, const struct lock *lock)
{
    const struct node *node = w->nodes[lock->node];
    return node->is_alive && node->incarnation == lock->incarnation &&
           node->processes[lock->process - FIRST_PID].is_alive;
}

static void after(struct world *w, const struct lock *lock, enum kind kind, uint64_t delay_ms)
{
    struct parcel parcel = {.kind = kind,
                            .from = lock->node,
                            .to = lock->node,
                            .number = (uint64_t)(lock - w->locks),
                            .at_ms = w->now_ms + delay_ms,
                            .incarnation = lock->incarnation};
    push(w, parcel);
}

static bool is_held(const struct world *w, unsigned resource)
{
    for (size_t i = 0; i < w->lock_count; i++)
        if (w->locks[i].has_it && w->locks[i].resource == resource && lock_lives(w, &w->locks[i]))
            return true;
    return false;
}

static void lock_done(struct world *w, uint64_t number, int error)
{
    size_t i = 0;
    while (i < w->lock_count && w->locks[i].open != number)
        i++;
    if (i == w->lock_count)
        return;
    struct lock *lock = &w->locks[i];
    lock->open = 0;
    if (lock->is_freed)
        return;
    w->locked += error == 0;
    w->refused += error != 0;
    if (error != 0)
        return;
    w->was_shared |= is_held(w, lock->resource);
    lock->has_it = true;
    after(w, lock, UNLOCK, lock->keep_ms);
}

static void carry_out(struct node *node, const struct gcl_gns_effect *effect)
{
    struct world *w = node->world;
    size_t other = effect->node.size > 0 ? index_of(w, effect->node) : SIZE_MAX;
    switch (effect->kind) {
    case GCL_GNS_SEND:
        if (other != SIZE_MAX && w->link[node->index][other] != 0)
            send_to(node, other, CAST, 0, effect->pid, effect->term);
        break;
    case GCL_GNS_SEND_PID:
        other = home_of(node, effect->pid);
        if (other != SIZE_MAX && w->link[node->index][other] != 0)
            send_to(node, other, CAST, 0, effect->pid, effect->term);
        break;
    case GCL_GNS_CALL:
        ask(node, other, CALL, effect);
        break;
    case GCL_GNS_RESOLVE:
        ask(node, other, RESOLVE, effect);
        break;
    case GCL_GNS_REPLY: {
        struct asked *caller = &node->callers[effect->number - 1];
        caller->is_used = false;
        if (caller->node == node->index)
            node->syncs--;
        else if (w->link[node->index][caller->node] == caller->link)
            send_to(node, caller->node, ANSWER, caller->number, effect->pid, effect->term);
        break;
    }
    case GCL_GNS_MONITOR:
    case GCL_GNS_DEMONITOR:
        monitor(node, effect->pid, effect->kind == GCL_GNS_MONITOR);
        break;
    case GCL_GNS_CONNECT:
        if (!reach(node, other)) {
            struct parcel failed = {
                .kind = CONNECT_FAILED, .from = node->index, .to = node->index, .number = other};
            post(w, failed, nothing);
        }
        break;
    case GCL_GNS_DISCONNECT:
        if (other != SIZE_MAX)
            world_disconnect(w, node->index, other);
        break;
    case GCL_GNS_DONE:
        node->requests--;
        w->answered++;
        lock_done(w, effect->number, effect->error);
        break;
    case GCL_GNS_LOST:
        w->lost++;
        break;
    case GCL_GNS_LOG:
        if (getenv("GCL_VERBOSE") != NULL)
            fprintf(stderr, "%6llu %s: %.*s %s\n", (unsigned long long)w->now_ms, node->name,
                    (int)effect->node.size, (const char *)effect->node.bytes, effect->text);
        break;
    }
}

static void carry_out_all(struct node *node)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(node->gns, &effect))
        carry_out(node, &effect);
    if (gcl_gns_has_failed(node->gns))
        abort();
    gcl_term_context_release(&node->terms);
}

/* --- deliveries ----------------------------------------------------------------------------- */

/* As global:resolve_it/4 with random_exit_name: the process of the smaller node stays. */
static void resolve(struct node *node, const struct parcel *parcel, gcl_term arguments)
{
    gcl_pid his, mine;
    struct gcl_wire_pid his_wire, mine_wire;
    char his_name[NAME_BYTES];
    if (!gcl_match(arguments, "[_, _, ~p, ~p]", &his, &mine) ||
        !gcl_translate_pid(&node->names, his, &his_wire))
        abort();
    snprintf(his_name, sizeof his_name, "%.*s", (int)his_wire.node.size, his_wire.node.bytes);
    if (!gcl_translate_pid(&node->names, mine, &mine_wire))
        abort();
    bool his_wins = gcl_str_compare(gcl_str_of(his_name), mine_wire.node) < 0;
    gcl_pid loser = his_wins ? mine : his, winner = his_wins ? his : mine;
    size_t home = home_of(node, loser);
    if (home != SIZE_MAX && (home == node->index || node->world->link[node->index][home] != 0))
        kill_process(node->world, node->world->nodes[home], loser.id);
    struct gcl_buffer answer;
    gcl_buffer_init(&answer, gcl_allocator_default(), 0);
    gcl_message message = GCL_MESSAGE("~p", winner);
    if (gcl_term_build(&node->terms, &answer, &message) != 0)
        abort();
    send_to(node, parcel->from, ANSWER, parcel->number, winner,
            gcl_term_make(&node->terms, gcl_buffer_bytes(&answer), gcl_buffer_size(&answer)));
    gcl_buffer_fini(&answer);
}

static void answered(struct node *node, const struct parcel *parcel, int error, gcl_term term)
{
    if (parcel->kind == ANSWER) {
        size_t i = 0;
        while (i < ASKED && !(node->asked[i].is_used && node->asked[i].number == parcel->number &&
                              node->asked[i].node == parcel->from))
            i++;
        if (i == ASKED)
            return;
        node->asked[i].is_used = false;
    }
    gcl_gns_answered(node->gns, node->world->now_ms, parcel->number, error, term);
}

static void call(struct node *node, const struct parcel *parcel, gcl_term request)
{
    struct asked *caller = take_asked(node->callers);
    caller->node = parcel->from;
    caller->number = parcel->number;
    caller->link = parcel->link;
    gcl_gns_call(node->gns, node->world->now_ms, (uint64_t)(caller - node->callers) + 1,
                 pid_of(node, node->world->nodes[parcel->from], parcel->pid.id), request);
}

/* As the layers below do: DOWNs first, then calls that have failed, then nodedown. */
static void link_down(struct node *node, const struct parcel *parcel)
{
    struct world *w = node->world;
    const struct node *other = w->nodes[parcel->from];
    for (size_t i = 0; i < node->watched_count; i++) {
        struct gcl_wire_pid wire;
        gcl_pid pid = node->watched[i].pid;
        if (!gcl_translate_pid(&node->names, pid, &wire) ||
            !gcl_str_equal(wire.node, str_of_name(other)))
            continue;
        node->watched[i--] = node->watched[--node->watched_count];
        gcl_gns_down(node->gns, w->now_ms, pid);
        carry_out_all(node);
    }
    for (size_t i = 0; i < ASKED; i++)
        if (node->asked[i].is_used && node->asked[i].node == parcel->from &&
            node->asked[i].link == parcel->link) {
            node->asked[i].is_used = false;
            gcl_gns_answered(node->gns, w->now_ms, node->asked[i].number, GCL_ENOCONNECTION,
                             nothing);
            carry_out_all(node);
        }
    for (uint32_t i = 0; i < node->process_count; i++)
        node->processes[i].watchers &= ~((uint64_t)1 << parcel->from);
    for (size_t i = 0; i < ASKED; i++)
        if (node->callers[i].is_used && node->callers[i].node == parcel->from)
            node->callers[i].link = 0;
    node->seen_links &= ~((uint64_t)1 << parcel->from);
    gcl_gns_nodedown(node->gns, w->now_ms, str_of_name(other));
}

static void process_down(struct node *node, const struct parcel *parcel)
{
    if (parcel->monitor != 0 && !is_watched(node, parcel->monitor))
        return;
    gcl_pid pid = parcel->monitor != 0
                      ? parcel->pid
                      : pid_of(node, node->world->nodes[parcel->from], (uint32_t)parcel->number);
    (void)unwatch(node, pid);
    gcl_gns_down(node->gns, node->world->now_ms, pid);
}

/* With GCL_VERBOSE in the environment: what happens, to find out why a life went wrong. */
static void trace(const struct world *w, const struct parcel *parcel, gcl_term term)
{
    static const char *const kinds[] = {
        "up",           "down",    "cast",           "call",      "answer", "monitor", "demonitor",
        "process down", "resolve", "connect failed", "no answer", "unlock", "die"};
    char text[400] = "";
    if (getenv("GCL_VERBOSE") == NULL)
        return;
    if (term.size > 0)
        (void)gcl_term_print(term, text, sizeof text, NULL);
    fprintf(stderr, "%6llu %s -> %s: %s %llu %s\n", (unsigned long long)w->now_ms,
            w->nodes[parcel->from]->name, w->nodes[parcel->to]->name, kinds[parcel->kind],
            (unsigned long long)parcel->number, text);
}

struct text {
    struct gcl_buffer bytes;
    gcl_term term;
};

static struct text build(struct node *node, gcl_message message)
{
    struct text text;
    gcl_buffer_init(&text.bytes, gcl_allocator_default(), 0);
    if (gcl_term_build(&node->terms, &text.bytes, &message) != 0)
        abort();
    text.term =
        gcl_term_make(&node->terms, gcl_buffer_bytes(&text.bytes), gcl_buffer_size(&text.bytes));
    return text;
}

static const struct gcl_gns_places everywhere = {NULL, 0};

static struct text lock_id(struct node *node, const struct lock *lock)
{
    return build(node, GCL_MESSAGE("{{resource, ~u}, ~p}", lock->resource,
                                   pid_of(node, node, lock->process)));
}

static void unlock(struct world *w, struct lock *lock)
{
    struct node *node = w->nodes[lock->node];
    if (!lock_lives(w, lock))
        return;
    struct text id = lock_id(node, lock);
    lock->has_it = false;
    lock->is_freed = true;
    lock->open = ++w->requests;
    node->requests++;
    if (gcl_gns_unlock(node->gns, w->now_ms, lock->open, id.term, pid_of(node, node, lock->process),
                       &everywhere) != 0)
        abort();
    gcl_buffer_fini(&id.bytes);
}

/* Its process dies, and is told nothing. */
static void die(struct world *w, struct lock *lock)
{
    struct node *node = w->nodes[lock->node];
    node->requests -= lock->open != 0;
    lock->open = 0;
    kill_process(w, node, lock->process);
    gcl_gns_locks_end(node->gns, w->now_ms, pid_of(node, node, lock->process));
}

/* A server that is busy, or stands still, may look at what it has got when the connection has gone,
 * and set a lock for somebody whom it monitors by a new one. */
static void keep_for_later(struct world *w, struct node *node, struct parcel *parcel, gcl_term term)
{
    if (parcel->kind != CALL || node->late_count == LATE || draw(w) % 2 == 0 ||
        !gcl_match(term, "{set_lock, _}"))
        return;
    node->late[node->late_count++] = *parcel;
    parcel->bytes = NULL;
}

static void deliver_late(struct node *node, size_t from)
{
    for (size_t i = 0; i < node->late_count; i++) {
        struct parcel parcel = node->late[i];
        if (parcel.from != from)
            continue;
        node->late[i--] = node->late[--node->late_count];
        if (parcel.of == node->world->nodes[from]->incarnation)
            call(node, &parcel, gcl_term_make(&node->terms, parcel.bytes, parcel.size));
        carry_out_all(node);
        free(parcel.bytes);
    }
}

static void deliver(struct world *w, struct parcel *parcel)
{
    struct node *node = w->nodes[parcel->to];
    bool is_of_link = parcel->link != 0 && parcel->kind != DOWN && parcel->kind != UP;
    if (!node->is_alive || node->incarnation != parcel->incarnation)
        return;
    struct gcl_str other = str_of_name(w->nodes[parcel->from]);
    gcl_term term = gcl_term_make(&node->terms, parcel->bytes, parcel->size);
    gcl_term inner;
    if (is_of_link && w->link[parcel->to][parcel->from] != parcel->link) {
        keep_for_later(w, node, parcel, term);
        return;
    }
    trace(w, parcel, term);
    switch (parcel->kind) {
    case UP:
        deliver_late(node, parcel->from);
        gcl_gns_nodeup(node->gns, w->now_ms, other, !is_c_node(w, parcel->from));
        break;
    case DOWN:
        link_down(node, parcel);
        break;
    case CAST:
        if (gcl_match(term, "{'$gen_cast', ~t}", &inner))
            gcl_gns_cast(node->gns, w->now_ms, inner);
        else
            gcl_gns_info(node->gns, w->now_ms, term);
        break;
    case CALL:
        call(node, parcel, term);
        break;
    case ANSWER:
        answered(node, parcel, 0, term);
        break;
    case NO_ANSWER:
        answered(node, parcel, GCL_ENOCONNECTION, nothing);
        break;
    case MONITOR:
    case DEMONITOR:
        watch(w, parcel->from, node, (uint32_t)parcel->number, parcel->kind == MONITOR);
        break;
    case PROCESS_DOWN:
        process_down(node, parcel);
        break;
    case RESOLVE:
        resolve(node, parcel, term);
        break;
    case UNLOCK:
        unlock(w, &w->locks[parcel->number]);
        break;
    case DIE:
        die(w, &w->locks[parcel->number]);
        break;
    case CONNECT_FAILED:
        if (parcel->number < w->options.nodes)
            gcl_gns_connect_failed(node->gns, w->now_ms, str_of_name(w->nodes[parcel->number]));
        break;
    }
    carry_out_all(node);
}

/* --- time ----------------------------------------------------------------------------------- */

/* Whoever is to be woken first; SIZE_MAX: nobody. */
static size_t next_waker(const struct world *w, uint64_t *at_ms)
{
    size_t first = SIZE_MAX;
    *at_ms = GCL_NEVER;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->nodes[i]->is_alive && gcl_gns_wake_at(w->nodes[i]->gns) < *at_ms) {
            *at_ms = gcl_gns_wake_at(w->nodes[i]->gns);
            first = i;
        }
    return first;
}

/* False: nothing is to come before `until_ms`. */
static bool step(struct world *w, uint64_t until_ms)
{
    uint64_t wake_ms;
    size_t waker = next_waker(w, &wake_ms);
    uint64_t parcel_ms = w->count > 0 ? w->heap[0].at_ms : GCL_NEVER;
    uint64_t next_ms = wake_ms < parcel_ms ? wake_ms : parcel_ms;
    if (next_ms == GCL_NEVER || next_ms > until_ms)
        return false;
    if (next_ms > w->now_ms)
        w->now_ms = next_ms;
    if (parcel_ms <= wake_ms) {
        struct parcel parcel = pop(w);
        deliver(w, &parcel);
        free(parcel.bytes);
    } else {
        gcl_gns_woken(w->nodes[waker]->gns, w->now_ms);
        carry_out_all(w->nodes[waker]);
    }
    return true;
}

void world_run(struct world *w, uint64_t ms)
{
    uint64_t until_ms = w->now_ms + ms;
    while (step(w, until_ms))
        ;
    w->now_ms = until_ms;
}

bool world_settle(struct world *w, uint64_t ms)
{
    uint64_t until_ms = w->now_ms + ms;
    while (step(w, until_ms))
        ;
    uint64_t wake_ms;
    return w->count == 0 && next_waker(w, &wake_ms) == SIZE_MAX;
}

/* --- nodes ---------------------------------------------------------------------------------- */

void world_start(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    const uint64_t seed[2] = {draw(w), draw(w)};
    if (node->is_alive)
        return;
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0 ||
            (w->nodes[i]->is_alive && (w->nodes[i]->seen_links >> index & 1)))
            return; /* somebody has not seen its death */
    node->is_alive = true;
    node->incarnation++;
    node->seen_links = 0;
    node->process_count = 0;
    node->watched_count = 0;
    node->syncs = node->requests = 0;
    memset(node->asked, 0, sizeof node->asked);
    memset(node->callers, 0, sizeof node->callers);
    gcl_names_init(&node->names, gcl_allocator_default(), seed, 1 << 16);
    const struct gcl_term_ids ids = {.pid_in = pid_in, .pid_out = pid_out, .user = &node->names};
    gcl_term_context_init(&node->terms, gcl_allocator_default(), &ids, NULL, NULL);
    if (gcl_names_set_local(&node->names, str_of_name(node), node->incarnation) != 0)
        abort();
    struct gcl_gns_config config;
    gcl_gns_config_init(&config);
    config.mem = gcl_allocator_default();
    config.terms = &node->terms;
    config.self = str_of_name(node);
    memcpy(config.seed, seed, sizeof seed);
    config.incarnation = draw(w) >> 1;
    config.reports_lost_connections = w->options.reports_lost_connections && !is_c_node(w, index);
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_of(node, node, ACTOR_PID + i);
    if (gcl_gns_new(&config, &node->gns) != 0)
        abort();
}

static void end(struct node *node)
{
    while (node->late_count > 0)
        free(node->late[--node->late_count].bytes);
    gcl_gns_free(node->gns);
    node->gns = NULL;
    gcl_term_context_fini(&node->terms);
    gcl_names_fini(&node->names);
}

void world_kill(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    node->is_alive = false;
    for (size_t i = 0; i < w->options.nodes; i++)
        world_disconnect(w, index, i);
    end(node);
}

void world_split(struct world *w, const unsigned *sides)
{
    for (size_t i = 0; i < w->options.nodes; i++)
        w->nodes[i]->side = sides != NULL ? sides[i] : 0;
    for (size_t i = 0; i < w->options.nodes; i++)
        for (size_t j = 0; j < i; j++)
            if (w->nodes[i]->side != w->nodes[j]->side)
                world_disconnect(w, i, j);
}

struct world *world_new(const struct world_options *options)
{
    struct world *w = calloc(1, sizeof *w);
    w->options = *options;
    w->random = options->seed;
    w->now_ms = 1;
    for (size_t i = 0; i < options->nodes; i++) {
        struct node *node = calloc(1, sizeof *node);
        w->nodes[i] = node;
        node->world = w;
        node->index = i;
        snprintf(node->name, sizeof node->name, "n%zu@sim%u", i, (unsigned)(draw(w) % 9));
    }
    for (size_t i = 0; i < options->nodes; i++)
        world_start(w, i);
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->options.nodes; i++) {
        if (w->nodes[i]->is_alive)
            end(w->nodes[i]);
        free(w->nodes[i]);
    }
    while (w->count > 0)
        free(w->heap[--w->count].bytes);
    free(w->heap);
    free(w);
}

/* --- requests ------------------------------------------------------------------------------- */

void world_lock(struct world *w, size_t index, unsigned resource, unsigned retries,
                unsigned keep_ms, bool dies)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES || w->lock_count == LOCKS)
        return;
    struct lock *lock = &w->locks[w->lock_count++];
    *lock = (struct lock){.node = index,
                          .incarnation = node->incarnation,
                          .process = FIRST_PID + node->process_count++,
                          .open = ++w->requests,
                          .resource = resource % RESOURCES,
                          .keep_ms = keep_ms};
    node->processes[lock->process - FIRST_PID] = (struct process){.is_alive = true};
    struct text id = lock_id(node, lock);
    node->requests++;
    if (gcl_gns_lock(node->gns, w->now_ms, lock->open, id.term, pid_of(node, node, lock->process),
                     &everywhere, retries) != 0)
        abort();
    gcl_buffer_fini(&id.bytes);
    carry_out_all(node);
    if (dies)
        after(w, lock, DIE, draw(w) % (2 * (uint64_t)keep_ms + 1));
}

void world_register(struct world *w, size_t index, unsigned number)
{
    static const uint8_t method[] = {113, 119, 6,   'g', 'l', 'o', 'b', 'a', 'l', 119,
                                     16,  'r', 'a', 'n', 'd', 'o', 'm', '_', 'e', 'x',
                                     'i', 't', '_', 'n', 'a', 'm', 'e', 97,  3};
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES)
        return;
    uint32_t id = FIRST_PID + node->process_count;
    node->processes[node->process_count++] = (struct process){.is_alive = true};
    struct text name = build(node, GCL_MESSAGE("{name, ~u}", number));
    if (gcl_gns_register(node->gns, w->now_ms, ++w->requests, name.term, pid_of(node, node, id),
                         gcl_term_make(&node->terms, method, sizeof method)) != 0)
        abort();
    node->requests++;
    gcl_buffer_fini(&name.bytes);
    carry_out_all(node);
}

void world_unregister(struct world *w, size_t index, unsigned number)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct text name = build(node, GCL_MESSAGE("{name, ~u}", number));
    gcl_pid pid = gcl_gns_whereis(node->gns, name.term);
    if (!gcl_pid_is_none(pid) && home_of(node, pid) == index) {
        if (gcl_gns_unregister(node->gns, w->now_ms, ++w->requests, name.term, pid) != 0)
            abort();
        node->requests++;
    }
    gcl_buffer_fini(&name.bytes);
    carry_out_all(node);
}

void world_kill_holder(struct world *w, size_t index, unsigned number)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct text name = build(node, GCL_MESSAGE("{name, ~u}", number));
    gcl_pid pid = gcl_gns_whereis(node->gns, name.term);
    gcl_buffer_fini(&name.bytes);
    if (!gcl_pid_is_none(pid) && home_of(node, pid) == index)
        kill_process(w, node, pid.id);
}

/* A process calls the server of its own node; it gets no other answer than the one to sync/0. */
static void call_self(struct node *node, uint32_t id, gcl_term request)
{
    struct asked *caller = take_asked(node->callers);
    caller->node = node->index;
    node->syncs++;
    gcl_gns_call(node->gns, node->world->now_ms, (uint64_t)(caller - node->callers) + 1,
                 pid_of(node, node, id), request);
}

void world_set_lock(struct world *w, size_t index, unsigned resource)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive || node->process_count == PROCESSES)
        return;
    uint32_t id = FIRST_PID + node->process_count;
    gcl_pid pid = pid_of(node, node, id);
    node->processes[node->process_count++] = (struct process){.is_alive = true, .is_locker = true};
    struct text request = build(node, GCL_MESSAGE("{set_lock, {{lock, ~u}, ~p}}", resource, pid));
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0)
            send_to(node, i, CALL, 0, (gcl_pid){.id = id}, request.term);
    call_self(node, id, request.term);
    gcl_buffer_fini(&request.bytes);
    carry_out_all(node);
}

void world_kill_lockers(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    for (uint32_t i = 0; node->is_alive && i < node->process_count; i++)
        if (node->processes[i].is_locker)
            kill_process(w, node, FIRST_PID + i);
}

void world_sync(struct world *w, size_t index)
{
    struct node *node = w->nodes[index];
    if (!node->is_alive)
        return;
    struct gcl_buffer list;
    gcl_buffer_init(&list, gcl_allocator_default(), 0);
    struct gcl_writer writer;
    gcl_writer_init(&writer, &node->terms, &list);
    uint32_t count = 0;
    for (size_t i = 0; i < w->options.nodes; i++)
        count += w->link[index][i] != 0;
    if (gcl_write_list(&writer, count) != 0)
        abort();
    for (size_t i = 0; i < w->options.nodes; i++)
        if (w->link[index][i] != 0 && gcl_write(&writer, "~a", w->nodes[i]->name) != 0)
            abort();
    if (count > 0 && gcl_write(&writer, "[]") != 0)
        abort();
    struct text request =
        build(node, GCL_MESSAGE("{sync, ~t}", gcl_term_make(&node->terms, gcl_buffer_bytes(&list),
                                                            gcl_buffer_size(&list))));
    call_self(node, FIRST_PID, request.term);
    gcl_buffer_fini(&request.bytes);
    gcl_buffer_fini(&list);
    carry_out_all(node);
}

/* --- judgement ------------------------------------------------------------------------------ */

struct comparing {
    struct world *world;
    struct node *node, *reference;
    struct world_verdict *verdict;
};

#define WRONG(verdict, ...)                                                                        \
    do {                                                                                           \
        (verdict)->is_ok = false;                                                                  \
        snprintf((verdict)->text, sizeof(verdict)->text, __VA_ARGS__);                             \
    } while (0)

static void compare_name(gcl_term name, gcl_pid pid, void *user)
{
    struct comparing *c = user;
    struct gcl_wire_pid wire;
    gcl_pid same;
    unsigned number = 0;
    (void)gcl_match(name, "{name, ~u}", &number);
    size_t home = home_of(c->node, pid);
    if (home == SIZE_MAX || !c->world->nodes[home]->is_alive ||
        !c->world->nodes[home]->processes[pid.id - FIRST_PID].is_alive) {
        WRONG(c->verdict, "%s: name %u is of the dead", c->node->name, number);
        return;
    }
    if (!gcl_translate_pid(&c->node->names, pid, &wire) ||
        gcl_intern_pid(&c->reference->names, &wire, &same) != 0)
        abort();
    struct text text = build(c->reference, GCL_MESSAGE("{name, ~u}", number));
    if (!gcl_pid_equal(gcl_gns_whereis(c->reference->gns, text.term), same))
        WRONG(c->verdict, "name %u: %s and %s differ", number, c->node->name, c->reference->name);
    gcl_buffer_fini(&text.bytes);
}

static void print_name(gcl_term name, gcl_pid pid, void *user)
{
    struct node *node = user;
    char text[100] = "";
    size_t home = home_of(node, pid);
    (void)gcl_term_print(name, text, sizeof text, NULL);
    fprintf(stderr, "%s has %s: %u of %s\n", node->name, text, pid.id,
            home != SIZE_MAX ? node->world->nodes[home]->name : "the past");
}

static void judge_node(struct world *w, struct node *node, struct node *reference,
                       struct world_verdict *verdict)
{
    struct comparing comparing = {w, node, reference, verdict};
    if (getenv("GCL_VERBOSE") != NULL)
        gcl_gns_each_name(node->gns, print_name, node);
    if (gcl_gns_lock_count(node->gns) != 0)
        WRONG(verdict, "%s: a lock is still held", node->name);
    if (node->syncs != 0)
        WRONG(verdict, "%s: sync has not been answered", node->name);
    if (node->requests != 0)
        WRONG(verdict, "%s: a request has not been answered", node->name);
    for (size_t i = 0; i < w->options.nodes; i++) {
        const struct node *other = w->nodes[i];
        if (other == node)
            continue;
        if (other->is_alive != gcl_gns_is_known(node->gns, str_of_name(other)))
            WRONG(verdict, "%s: %s is %sknown", node->name, other->name,
                  other->is_alive ? "not " : "");
        if (other->is_alive != gcl_gns_is_synced(node->gns, str_of_name(other)))
            WRONG(verdict, "%s: %s is %ssynced", node->name, other->name,
                  other->is_alive ? "not " : "");
    }
    if (gcl_gns_name_count(node->gns) != gcl_gns_name_count(reference->gns))
        WRONG(verdict, "%s has %zu names, %s %zu", node->name, gcl_gns_name_count(node->gns),
              reference->name, gcl_gns_name_count(reference->gns));
    gcl_gns_each_name(node->gns, compare_name, &comparing);
}

struct world_verdict world_judge(struct world *w)
{
    struct world_verdict verdict = {.is_ok = true};
    if (w->was_shared)
        WRONG(&verdict, "two processes have had one lock");
    struct node *reference = NULL;
    for (size_t i = 0; i < w->options.nodes && verdict.is_ok; i++) {
        if (!w->nodes[i]->is_alive)
            continue;
        if (reference == NULL)
            reference = w->nodes[i];
        judge_node(w, w->nodes[i], reference, &verdict);
    }
    return verdict;
}

size_t world_answered(const struct world *w)
{
    return w->answered;
}

size_t world_locked(const struct world *w)
{
    return w->locked;
}

size_t world_refused(const struct world *w)
{
    return w->refused;
}

size_t world_lost(const struct world *w)
{
    return w->lost;
}

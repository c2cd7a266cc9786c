/* SPDX-License-Identifier: Apache-2.0 */
/* Events into the machine, effects out of it. No handler of the user runs here. */
#include <string.h>

#include "cluster/cluster.h"
#include "node/dest.h"
#include "node/message.h"
#include "node/translate.h"
#include "wire/term/context.h"

int gcl_cluster_break(struct gcl_cluster *cluster)
{
    if (!cluster->is_broken)
        gcl_log(&cluster->node->log, GCL_LOG_ERROR, "cluster",
                "no memory: the member of %s has to end", cluster->name);
    cluster->is_broken = true;
    gcl_cluster_schedule(cluster);
    return GCL_ENOMEM;
}

/* The name may be an invention of a peer. */
static void show(struct gcl_str name, char *text, size_t size)
{
    size_t i;
    for (i = 0; i < name.size && i + 1 < size; i++) {
        bool is_shown = name.bytes[i] > ' ' && name.bytes[i] < 0x7f;
        memcpy(&text[i], is_shown ? &name.bytes[i] : (const uint8_t *)"?", 1);
    }
    text[i] = '\0';
}

void gcl_cluster_warn(struct gcl_cluster *cluster, struct gcl_str node, const char *what,
                      const char *why)
{
    char name[256];
    uint32_t hash = gcl_hash(cluster->node->seed, node.bytes, node.size) ^
                    gcl_hash(cluster->node->seed, what, strlen(what));
    for (size_t i = 0; i < GCL_CLUSTER_WARNED; i++)
        if (cluster->warned[i] == hash && cluster->warnings > i)
            return;
    cluster->warned[cluster->warnings++ % GCL_CLUSTER_WARNED] = hash;
    show(node, name, sizeof name);
    gcl_log(&cluster->node->log, GCL_LOG_WARNING, "cluster", "%s: %s %s: %s", cluster->name, what,
            name, why);
}

/* --- pids ----------------------------------------------------------------------------------- */

int gcl_cluster_pid_of(struct gcl_cluster *cluster, const struct gcl_member_id *id, gcl_pid *pid)
{
    struct gcl_wire_pid wire = {id->node, id->id, id->serial, id->creation};
    return gcl_intern_pid(&cluster->node->core.names, &wire, pid);
}

bool gcl_cluster_id_of(struct gcl_cluster *cluster, gcl_pid pid, struct gcl_member_id *id)
{
    struct gcl_wire_pid wire;
    if (!gcl_translate_pid(&cluster->node->core.names, pid, &wire))
        return false;
    *id = (struct gcl_member_id){wire.node, wire.creation, wire.serial, wire.id};
    return true;
}

/* A name on a node, which is given with its length. */
struct place {
    char node[GCL_NODE_NAME_MAX_BYTES + 1];
};

static int dest_of(struct gcl_cluster *cluster, const struct gcl_membership_target *to,
                   struct place *place, gcl_dest *dest)
{
    gcl_pid pid;
    if (to->member != NULL) {
        int error = gcl_cluster_pid_of(cluster, to->member, &pid);
        *dest = gcl_to_pid(pid);
        return error;
    }
    if (!gcl_str_terminate(to->node, place->node, sizeof place->node))
        return GCL_ENAME;
    *dest = gcl_to_remote(cluster->name, place->node);
    return 0;
}

/* --- messages ------------------------------------------------------------------------------- */

int gcl_cluster_send(struct gcl_cluster *cluster, gcl_dest dest, gcl_term term)
{
    struct gcl_route route;
    gcl_message message = GCL_MESSAGE("~t", term);
    int error = gcl_dest_route(cluster->node, &dest, &route);
    (void)gcl_message_begin(cluster->node);
    return error != 0 ? error
                      : gcl_message_answer(cluster->node, gcl_self(cluster->server), &route.target,
                                           &message);
}

static struct gcl_str node_of(const struct gcl_membership_target *to)
{
    return to->member != NULL ? to->member->node : to->node;
}

/* One that is lost is like one that the network has lost: it is said again. */
static void say(struct gcl_cluster *cluster, const struct gcl_membership_effect *effect)
{
    struct place place;
    gcl_dest dest;
    gcl_writer_clear(cluster->writer);
    int error =
        gcl_cluster_message_encode(cluster->writer, gcl_cluster_name(cluster), &effect->message);
    if (error == 0)
        error = dest_of(cluster, &effect->to, &place, &dest);
    if (error == 0)
        error = gcl_cluster_send(cluster, dest, gcl_writer_term(cluster->writer));
    if (error != 0)
        gcl_cluster_warn(cluster, node_of(&effect->to), "loses messages to", gcl_strerror(error));
}

/* --- monitors ------------------------------------------------------------------------------- */

/* One that cannot be set is a process out of reach. */
static void monitor(struct gcl_cluster *cluster, const struct gcl_membership_effect *effect)
{
    struct gcl_member_id by_name = {.node = effect->to.node};
    bool is_pid = effect->to.member != NULL;
    struct place place;
    gcl_dest dest;
    gcl_ref ref;
    int error = dest_of(cluster, &effect->to, &place, &dest);
    if (error == 0)
        error = gcl_monitor(cluster->server, dest, &ref);
    if (gcl_cluster_monitors_add(&cluster->monitors, is_pid ? effect->to.member : &by_name, is_pid,
                                 effect->tag, error == 0 ? &ref : NULL) != NULL)
        return;
    if (error == 0)
        (void)gcl_demonitor(cluster->server, ref);
    (void)gcl_cluster_break(cluster);
}

static void demonitor(struct gcl_cluster *cluster, uint64_t tag)
{
    struct gcl_cluster_monitor *found = gcl_cluster_monitors_take_tag(&cluster->monitors, tag);
    if (found == NULL)
        return;
    if (found->ref.count > 0)
        (void)gcl_demonitor(cluster->server, found->ref);
    gcl_free(cluster->mem, found);
}

/* --- the local name and time ---------------------------------------------------------------- */

static bool has_name(struct gcl_cluster *cluster)
{
    return gcl_whereis(cluster->node, cluster->name) == cluster->server;
}

static void take_name(struct gcl_cluster *cluster)
{
    bool is_mine = has_name(cluster) || gcl_register(cluster->server, cluster->name) == 0;
    cluster->answers.named = true;
    cluster->answers.is_named = is_mine;
}

static void set_wake(struct gcl_cluster *cluster, uint64_t at_ms)
{
    uint64_t now_ms = gcl_loop_now_ms(&cluster->node->loop);
    if (cluster->wake_timer != 0)
        (void)gcl_timer_cancel(cluster->server, cluster->wake_timer);
    cluster->wake_timer = 0;
    if (at_ms != GCL_NEVER && gcl_timer_start(cluster->server, at_ms > now_ms ? at_ms - now_ms : 0,
                                              &cluster->wake_timer) != 0)
        (void)gcl_cluster_break(cluster);
}

/* --- news ----------------------------------------------------------------------------------- */

static struct gcl_str reason_of(const struct gcl_membership_effect *effect)
{
    if (effect->departure == GCL_MEMBERSHIP_LOST)
        return gcl_str_make("\x77\x0cnoconnection", 14);
    if (effect->departure == GCL_MEMBERSHIP_LEFT)
        return gcl_str_make("\x77\4left", 6);
    return effect->reason;
}

static void tell(struct gcl_cluster *cluster, const struct gcl_membership_effect *effect,
                 enum gcl_cluster_callback_kind kind)
{
    static const gcl_departure departures[] = {
        [GCL_MEMBERSHIP_EXITED] = GCL_EXITED,
        [GCL_MEMBERSHIP_LOST] = GCL_LOST,
        [GCL_MEMBERSHIP_LEFT] = GCL_LEFT,
    };
    struct gcl_cluster_news news = {.kind = kind,
                                    .why = departures[effect->departure],
                                    .member = effect->member,
                                    .members = effect->members,
                                    .term = gcl_str_make(NULL, 0)};
    if (kind == GCL_CLUSTER_CALLBACK_LEAVE)
        news.term = reason_of(effect);
    if (gcl_cluster_tell(cluster, &news) != 0)
        (void)gcl_cluster_break(cluster);
}

static void notify(struct gcl_cluster *cluster, const struct gcl_membership_effect *effect)
{
    bool is_leader = effect->kind == GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE;
    gcl_pid pid = {0};
    if (gcl_list_is_empty(&cluster->subscribers))
        return;
    if (effect->member != NULL && gcl_cluster_pid_of(cluster, effect->member, &pid) != 0) {
        (void)gcl_cluster_break(cluster);
    } else if (effect->kind == GCL_MEMBERSHIP_HANDLE_LEAVE) {
        gcl_term reason = gcl_term_of(&cluster->node->terms, reason_of(effect));
        gcl_cluster_notify(cluster, GCL_MESSAGE("{left, ~p, ~t}", pid, reason));
    } else if (is_leader && effect->member == NULL) {
        gcl_cluster_notify(cluster, GCL_MESSAGE("{leader, undefined}"));
    } else if (is_leader) {
        gcl_cluster_notify(cluster, GCL_MESSAGE("{leader, ~p}", pid));
    } else {
        gcl_cluster_notify(cluster, GCL_MESSAGE("{joined, ~p}", pid));
    }
}

/* --- steps ---------------------------------------------------------------------------------- */

static void carry_out(struct gcl_cluster *cluster, const struct gcl_membership_effect *effect)
{
    switch (effect->kind) {
    case GCL_MEMBERSHIP_SEND:
        say(cluster, effect);
        return;
    case GCL_MEMBERSHIP_MONITOR:
        monitor(cluster, effect);
        return;
    case GCL_MEMBERSHIP_DEMONITOR:
        demonitor(cluster, effect->tag);
        return;
    case GCL_MEMBERSHIP_REGISTER_LOCAL:
        take_name(cluster);
        return;
    case GCL_MEMBERSHIP_UNREGISTER_LOCAL:
        if (has_name(cluster))
            (void)gcl_unregister(cluster->server);
        return;
    case GCL_MEMBERSHIP_REGISTER_GLOBAL:
        gcl_cluster_take_lead(cluster);
        return;
    case GCL_MEMBERSHIP_WHEREIS_GLOBAL:
        cluster->answers.whereis = true;
        return;
    case GCL_MEMBERSHIP_UNREGISTER_GLOBAL:
        gcl_cluster_leave_lead(cluster);
        return;
    case GCL_MEMBERSHIP_WAKE:
        set_wake(cluster, effect->at_ms);
        return;
    case GCL_MEMBERSHIP_HANDLE_JOIN:
        tell(cluster, effect, GCL_CLUSTER_CALLBACK_JOIN);
        break;
    case GCL_MEMBERSHIP_HANDLE_NODE_JOINED:
        tell(cluster, effect, GCL_CLUSTER_CALLBACK_NODE_JOINED);
        break;
    case GCL_MEMBERSHIP_HANDLE_LEAVE:
        tell(cluster, effect, GCL_CLUSTER_CALLBACK_LEAVE);
        break;
    case GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE:
        tell(cluster, effect, GCL_CLUSTER_CALLBACK_LEADER);
        break;
    case GCL_MEMBERSHIP_SILENT_JOIN:
        break;
    case GCL_MEMBERSHIP_IGNORED:
        gcl_cluster_warn(cluster, effect->member->node, "ignores messages from",
                         "a key is missing");
        return;
    }
    notify(cluster, effect);
}

static uint32_t random_number(struct gcl_cluster *cluster)
{
    uint16_t bytes = 0;
    (void)gcl_node_random(cluster->node, &bytes, sizeof bytes);
    return bytes % 1001;
}

static int step(struct gcl_cluster *cluster, const struct gcl_membership_event *event)
{
    struct gcl_membership_effect effect;
    uint64_t now_ms = gcl_loop_now_ms(&cluster->node->loop);
    if (gcl_membership_step(cluster->machine, now_ms, random_number(cluster), event) != 0)
        return gcl_cluster_break(cluster);
    while (gcl_membership_next(cluster->machine, &effect))
        carry_out(cluster, &effect);
    return cluster->is_broken ? GCL_ENOMEM : 0;
}

/* The next answer to an effect; false when there is none. A monitor is the caller's then. */
static bool next_answer(struct gcl_cluster *cluster, struct gcl_membership_event *event,
                        struct gcl_cluster_monitor **failed)
{
    struct gcl_cluster_answers *answers = &cluster->answers;
    *event = (struct gcl_membership_event){0};
    *failed = NULL;
    if (answers->named) {
        answers->named = false;
        event->kind = GCL_MEMBERSHIP_NAMED;
        event->yes = answers->is_named;
        return true;
    }
    if (answers->registered) {
        answers->registered = false;
        event->kind = GCL_MEMBERSHIP_REGISTERED;
        if (gcl_cluster_find_leader(cluster, &answers->leader))
            event->member = &answers->leader;
        return true;
    }
    if (answers->whereis) {
        answers->whereis = false;
        event->kind = GCL_MEMBERSHIP_WHEREIS;
        if (gcl_cluster_find_leader(cluster, &answers->leader))
            event->member = &answers->leader;
        return true;
    }
    *failed = gcl_cluster_monitors_take_failed(&cluster->monitors);
    if (*failed == NULL)
        return false;
    event->kind = GCL_MEMBERSHIP_DOWN;
    event->tag = (*failed)->tag;
    event->member = (*failed)->is_pid ? &(*failed)->id : NULL;
    event->noconnection = true;
    return true;
}

static void note_alone(struct gcl_cluster *cluster)
{
    if (gcl_membership_phase(cluster->machine) == GCL_MEMBERSHIP_SETTLED &&
        gcl_membership_members(cluster->machine).count == 1)
        gcl_log(&cluster->node->log, GCL_LOG_NOTICE, "cluster",
                "%s: this member is a cluster of one, nobody is found through its seeds",
                cluster->name);
}

int gcl_cluster_event(struct gcl_cluster *cluster, const struct gcl_membership_event *event)
{
    bool was_joining = gcl_membership_phase(cluster->machine) == GCL_MEMBERSHIP_JOINING;
    struct gcl_membership_event answer;
    struct gcl_cluster_monitor *failed;
    int error = step(cluster, event);
    while (error == 0 && next_answer(cluster, &answer, &failed)) {
        error = step(cluster, &answer);
        gcl_free(cluster->mem, failed);
    }
    if (was_joining && error == 0)
        note_alone(cluster);
    cluster->has_changed = true;
    gcl_cluster_schedule(cluster);
    return error;
}

int gcl_cluster_update(struct gcl_cluster *cluster)
{
    size_t count;
    struct gcl_membership_label label = {
        .type = gcl_str_of(cluster->type),
        .meta = gcl_str_make(gcl_term_bytes(cluster->meta), gcl_term_size(cluster->meta))};
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_UPDATE, .label = &label};
    gcl_writer_clear(cluster->writer);
    int error = gcl_cluster_write_children(cluster, cluster->writer, &count);
    if (error != 0)
        return error;
    gcl_term children;
    error = gcl_term_copy(gcl_writer_term(cluster->writer), &children);
    if (error != 0)
        return error;
    if (count > 0)
        label.children = gcl_cluster_children_of(children);
    error = count > 0 && label.children.size == 0 ? GCL_ELIMIT : gcl_cluster_event(cluster, &event);
    gcl_term_free(children);
    return error;
}

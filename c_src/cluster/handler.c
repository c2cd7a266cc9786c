/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the server that a member is: what is of the cluster is taken, the rest is the
 * user's. Between a start that failed and its end there is no machine; nothing is taken then. */
#include "cluster/cluster.h"

static gcl_result unhandled(struct gcl_cluster *cluster, const char *what)
{
    gcl_server_drop(cluster->server, what);
    return GCL_CONTINUE;
}

static gcl_result on_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (gcl_cluster_is_request(request))
        result = gcl_cluster_request(cluster, request, from);
    else if (cluster->server_handlers->handle_call != NULL)
        result = cluster->server_handlers->handle_call(self, request, from, cluster->user);
    else
        result = unhandled(cluster, "a call");
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_cast(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    gcl_term term;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (gcl_match(message, "{'$gen_cluster', publish, ~t}", &term))
        (void)gcl_cluster_publish_term(cluster, term);
    else if (cluster->server_handlers->handle_cast != NULL)
        result = cluster->server_handlers->handle_cast(self, message, cluster->user);
    else
        result = unhandled(cluster, "a cast");
    return gcl_cluster_leave_handler(cluster, result);
}

/* A message of the membership; what makes no sense is dropped. */
static void receive(struct gcl_cluster *cluster, gcl_term term)
{
    struct gcl_membership_message message;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_RECEIVED, .message = &message};
    const char *wrong;
    struct gcl_member_id from = {.node = gcl_str_of("a stranger")};
    int error = gcl_cluster_message_decode(&cluster->room, term, gcl_cluster_name(cluster),
                                           &message, &wrong);
    if (error == 0) {
        (void)gcl_cluster_event(cluster, &event);
        return;
    }
    (void)gcl_cluster_message_from(term, &from);
    gcl_cluster_warn(cluster, from.node, "ignores messages from",
                     error == GCL_ENOMEM ? "no memory" : wrong);
}

static gcl_result on_info(gcl_server *self, gcl_term message, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (gcl_cluster_is_conflict(cluster, message)) {
        const struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_CONFLICT};
        (void)gcl_cluster_event(cluster, &event);
    } else if (!gcl_cluster_message_is(message)) {
        if (cluster->server_handlers->handle_info != NULL)
            result = cluster->server_handlers->handle_info(self, message, cluster->user);
        else
            result = unhandled(cluster, "a message");
    } else if (!gcl_cluster_take_publication(cluster, message)) {
        receive(cluster, message);
    }
    return gcl_cluster_leave_handler(cluster, result);
}

/* True when the monitor is the machine's. */
static bool is_machine_down(struct gcl_cluster *cluster, const gcl_ref *ref, gcl_term reason)
{
    struct gcl_cluster_monitor *monitor = gcl_cluster_monitors_take_ref(&cluster->monitors, ref);
    if (monitor == NULL)
        return false;
    struct gcl_membership_event event = {
        .kind = GCL_MEMBERSHIP_DOWN,
        .tag = monitor->tag,
        .member = monitor->is_pid ? &monitor->id : NULL,
        .noconnection = gcl_match(reason, "noconnection"),
        .reason = gcl_str_make(gcl_term_bytes(reason), gcl_term_size(reason))};
    (void)gcl_cluster_event(cluster, &event);
    gcl_free(cluster->mem, monitor);
    return true;
}

static gcl_result on_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (!is_machine_down(cluster, &ref, reason) && !gcl_cluster_child_down(cluster, &ref) &&
        !gcl_cluster_subscriber_down(cluster, &ref)) {
        if (cluster->server_handlers->handle_down != NULL)
            result = cluster->server_handlers->handle_down(self, ref, what, reason, cluster->user);
        else
            result = unhandled(cluster, "the end of a process that it monitors");
    }
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_exit_signal(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result;
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (cluster->server_handlers->handle_exit != NULL)
        result = cluster->server_handlers->handle_exit(self, from, reason, cluster->user);
    else
        result = unhandled(cluster, "an exit signal");
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                          void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_NODEUP, .node = gcl_str_of(name)};
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (is_up)
        (void)gcl_cluster_event(cluster, &event);
    if (self->is_watcher && cluster->server_handlers->handle_node != NULL)
        result = cluster->server_handlers->handle_node(self, name, is_up, reason, cluster->user);
    return gcl_cluster_leave_handler(cluster, result);
}

static gcl_result on_timer(gcl_server *self, uint64_t timer, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_result result = GCL_CONTINUE;
    struct gcl_membership_event event = {.kind = GCL_MEMBERSHIP_WOKEN};
    if (cluster->machine == NULL)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (timer == cluster->wake_timer) {
        cluster->wake_timer = 0;
        (void)gcl_cluster_event(cluster, &event);
    } else if (timer == cluster->callback_timer) {
        cluster->callback_timer = 0;
    } else if (!gcl_cluster_wait_expired(cluster, timer, &result) &&
               cluster->server_handlers->handle_timer != NULL) {
        result = cluster->server_handlers->handle_timer(self, timer, cluster->user);
    }
    return gcl_cluster_leave_handler(cluster, result);
}

static void write_state(gcl_server *self, gcl_writer *out, void *user)
{
    struct gcl_cluster *cluster = user;
    if (cluster->server_handlers->state != NULL)
        cluster->server_handlers->state(self, out, cluster->user);
    else
        (void)gcl_write(out, "[]");
}

static void on_end(gcl_server *self, gcl_term reason, void *user)
{
    struct gcl_cluster *cluster = user;
    gcl_cluster_enter(cluster);
    gcl_cluster_ballots_fini(cluster);
    gcl_cluster_waits_fini(cluster);
    if (cluster->server_handlers->terminate != NULL)
        cluster->server_handlers->terminate(self, reason, cluster->user);
    gcl_cluster_free(cluster);
}

const gcl_handlers gcl_cluster_server_handlers = {
    .size = sizeof gcl_cluster_server_handlers,
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .handle_down = on_down,
    .handle_exit = on_exit_signal,
    .handle_node = on_node,
    .handle_timer = on_timer,
    .terminate = on_end,
    .state = write_state,
};

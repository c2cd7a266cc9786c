/* SPDX-License-Identifier: Apache-2.0 */
/* What programs do with groups. */
#include "node/message.h"
#include "node/node.h"
#include "server/pg/pg.h"

/* The scope, when it may be changed now. */
static int find_idle(struct gcl_node *node, const char *name, struct gcl_pg_scope **scope)
{
    *scope = gcl_pg_scope_find(node, name);
    if (*scope == NULL)
        return GCL_ENOENT;
    return (*scope)->walks > 0 ? GCL_EBUSY : 0;
}

/* The term borrows from the node until something else is built. */
static int build(struct gcl_node *node, const gcl_message *group, gcl_term *term)
{
    struct gcl_str bytes;
    int error = gcl_message_build(node, group, &bytes);
    *term = gcl_term_of(&node->terms, bytes);
    return error;
}

/* --- join and leave ------------------------------------------------------------------------- */

/* A process is monitored as long as it is in a group. */
static int join(struct gcl_pg_scope *scope, gcl_pid pid, gcl_term group)
{
    gcl_ref ref;
    bool is_new = !gcl_pg_machine_has_local(scope->machine, pid);
    int error = is_new ? gcl_monitor(scope->server, gcl_to_pid(pid), &ref) : 0;
    if (error != 0)
        return error;
    error = gcl_pg_machine_join(scope->machine, pid, is_new ? &ref : NULL, group);
    if (error != 0 && is_new)
        (void)gcl_demonitor(scope->server, ref);
    return error;
}

int gcl_pg_join_message(gcl_node *node, const char *name, gcl_pid pid, gcl_message group)
{
    struct gcl_pg_scope *scope;
    gcl_term term;
    if (gcl_pid_is_none(pid) || !gcl_core_is_local(&pid))
        return GCL_EINVAL;
    int error = find_idle(node, name, &scope);
    if (error == 0)
        error = build(node, &group, &term);
    if (error == 0)
        error = join(scope, pid, term);
    if (error == 0)
        gcl_pg_scope_settle(scope);
    return error;
}

int gcl_pg_leave_message(gcl_node *node, const char *name, gcl_pid pid, gcl_message group)
{
    struct gcl_pg_scope *scope;
    gcl_term term;
    int error = find_idle(node, name, &scope);
    if (error == 0)
        error = build(node, &group, &term);
    if (error == 0)
        error = gcl_pg_machine_leave(scope->machine, pid, term);
    if (error == 0)
        gcl_pg_scope_settle(scope);
    return error;
}

/* --- who is there --------------------------------------------------------------------------- */

static enum gcl_pg_machine_part part_of(gcl_pg_part part)
{
    switch (part) {
    case GCL_PG_LOCAL:
        return GCL_PG_MACHINE_LOCAL;
    case GCL_PG_REMOTE:
        return GCL_PG_MACHINE_REMOTE;
    case GCL_PG_ALL:
        break;
    }
    return GCL_PG_MACHINE_ALL;
}

/* A group that is not there is one without members. */
static int walk(struct gcl_pg_scope *scope, const gcl_message *group, gcl_pg_part part,
                struct gcl_pg_walk *members)
{
    gcl_term term;
    int error = build(scope->node, group, &term);
    if (error != 0)
        return error;
    error = gcl_pg_machine_walk(scope->machine, term, part_of(part), members);
    return error == GCL_ENOENT ? 0 : error;
}

int gcl_pg_each_member_message(gcl_node *node, const char *name, gcl_pg_part part,
                               gcl_pg_member_function *each, void *user, gcl_message group)
{
    struct gcl_pg_scope *scope = gcl_pg_scope_find(node, name);
    struct gcl_pg_walk members;
    gcl_pid pid;
    if (scope == NULL)
        return GCL_ENOENT;
    int error = walk(scope, &group, part, &members);
    if (error != 0)
        return error;
    scope->walks++;
    while (gcl_pg_walk_next(&members, &pid))
        each(pid, user);
    scope->walks--;
    return 0;
}

int gcl_pg_each_group(gcl_node *node, const char *name, gcl_pg_group_function *each, void *user)
{
    struct gcl_pg_scope *scope = gcl_pg_scope_find(node, name);
    const struct gcl_pg_group *group;
    size_t position = 0;
    if (scope == NULL)
        return GCL_ENOENT;
    scope->walks++;
    while ((group = gcl_pg_machine_each(scope->machine, &position)) != NULL)
        each(gcl_pg_group_term(group, &node->terms), user);
    scope->walks--;
    return 0;
}

/* --- to all --------------------------------------------------------------------------------- */

int gcl_pg_send_message(gcl_server *self, const char *name, gcl_pg_part part, gcl_message group,
                        gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_pg_scope *scope = gcl_pg_scope_find(node, name);
    struct gcl_signal signal = {.op = GCL_SIGNAL_SEND, .from = gcl_self(self)};
    struct gcl_pg_walk members;
    gcl_pid pid;
    if (scope == NULL)
        return GCL_ENOENT;
    int error = walk(scope, &group, part, &members);
    if (error == 0)
        error = gcl_message_build(node, &message, &signal.term);
    if (error != 0)
        return error;
    while (gcl_pg_walk_next(&members, &pid)) {
        signal.to = gcl_target_pid(pid);
        int failed = gcl_node_send(node, &signal);
        error = failed != 0 ? failed : error;
    }
    return error;
}

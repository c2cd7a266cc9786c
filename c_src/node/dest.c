/* SPDX-License-Identifier: Apache-2.0 */
#include "node/dest.h"

#include <gen_cluster/global.h>

enum { TO_NOBODY, TO_PID, TO_NAME, TO_REMOTE, TO_ALIAS, TO_GLOBAL };

gcl_dest gcl_to_pid(gcl_pid pid)
{
    return (gcl_dest){.kind = TO_PID, .pid = pid};
}

gcl_dest gcl_to_name(const char *name)
{
    return (gcl_dest){.kind = TO_NAME, .name = name};
}

gcl_dest gcl_to_remote(const char *name, const char *node)
{
    return (gcl_dest){.kind = TO_REMOTE, .name = name, .node = node};
}

gcl_dest gcl_to_alias(gcl_ref alias)
{
    return (gcl_dest){.kind = TO_ALIAS, .alias = alias};
}

gcl_dest gcl_to_global(const char *name)
{
    return (gcl_dest){.kind = TO_GLOBAL, .name = name};
}

gcl_dest gcl_to_global_message(gcl_message name)
{
    return (gcl_dest){.kind = TO_GLOBAL, .global = name};
}

bool gcl_dest_is_global(const gcl_dest *dest)
{
    return dest->kind == TO_GLOBAL;
}

/* A name of a node: its place is that of its peer, which is held. */
static int target_at(struct gcl_node *node, const char *name, const char *at,
                     struct gcl_target *target)
{
    const struct gcl_name *place = node->core.names.places[GCL_NAMES_LOCAL];
    if (!gcl_wire_text_is_atom(gcl_str_of(name)))
        return GCL_EINVAL;
    if (at != NULL && !gcl_str_is(gcl_name_str(place), at)) {
        struct gcl_peer *peer;
        int error = gcl_peer_get(node, gcl_str_of(at), &peer);
        if (error != 0)
            return error;
        place = peer->name;
    }
    *target = gcl_target_name(place->index, place->generation, gcl_str_of(name));
    return 0;
}

static int find_target(struct gcl_node *node, const gcl_dest *dest, struct gcl_target *target)
{
    switch (dest->kind) {
    case TO_PID:
        *target = gcl_target_pid(dest->pid);
        return gcl_pid_is_none(dest->pid) ? GCL_EINVAL : 0;
    case TO_NAME:
        return target_at(node, dest->name, NULL, target);
    case TO_REMOTE:
        return target_at(node, dest->name, dest->node, target);
    case TO_ALIAS:
        *target = (struct gcl_target){.kind = GCL_TARGET_ALIAS, .alias = dest->alias};
        return 0;
    default:
        return GCL_EINVAL;
    }
}

int gcl_dest_route(struct gcl_node *node, const gcl_dest *dest, struct gcl_route *route)
{
    route->peer = NULL;
    int error = find_target(node, dest, &route->target);
    return error != 0 ? error : gcl_node_peer(node, &route->target, &route->peer);
}

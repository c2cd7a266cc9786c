/* SPDX-License-Identifier: Apache-2.0 */
/* Locks that the servers of a visible node want. The holder is the server itself. */
#include "node/message.h"
#include "node/node.h"
#include "server/global/gns.h"

static struct gcl_gns_places places_of(const gcl_global_lock_options *options)
{
    if (options == NULL)
        return (struct gcl_gns_places){NULL, 0};
    return (struct gcl_gns_places){options->nodes, options->node_count};
}

/* {ResourceId, LockRequesterId}, built and of that shape. */
static int build_id(struct gcl_node *node, const gcl_message *message, gcl_term *id)
{
    gcl_term resource, requester;
    struct gcl_str bytes;
    int error = gcl_message_build(node, message, &bytes);
    if (error != 0)
        return error;
    *id = gcl_term_of(&node->terms, bytes);
    return gcl_match(*id, "{~t, ~t}", &resource, &requester) ? 0 : GCL_EINVAL;
}

int gcl_gns_ask_lock(gcl_server *self, const gcl_global_lock_options *options,
                     gcl_reply_function *done, void *user, gcl_message message)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    const struct gcl_gns_places places = places_of(options);
    struct gcl_gns_wait *wait;
    gcl_term id;
    int error = build_id(gns->node, &message, &id);
    if (error != 0)
        return error;
    error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    error = gcl_gns_lock(gns->machine, gcl_gns_now(gns), wait->number, id, gcl_self(self), &places,
                         options != NULL ? options->retries : GCL_INFINITY);
    if (error != 0)
        gcl_gns_wait_free(gns, wait);
    gcl_gns_settle(gns);
    return error;
}

int gcl_gns_ask_unlock(gcl_server *self, const gcl_global_lock_options *options,
                       gcl_reply_function *done, void *user, gcl_message message)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    const struct gcl_gns_places places = places_of(options);
    struct gcl_gns_wait *wait = NULL;
    gcl_term id;
    int error = build_id(gns->node, &message, &id);
    if (error != 0)
        return error;
    if (done != NULL)
        error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    error = gcl_gns_unlock(gns->machine, gcl_gns_now(gns), wait != NULL ? wait->number : 0, id,
                           gcl_self(self), &places);
    if (error != 0 && wait != NULL)
        gcl_gns_wait_free(gns, wait);
    gcl_gns_settle(gns);
    return error;
}

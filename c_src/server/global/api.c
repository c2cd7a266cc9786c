/* SPDX-License-Identifier: Apache-2.0 */
/* <gen_cluster/global.h>: what is asked of a visible node's own service, and what of a BEAM. */
#include <string.h>

#include "node/node.h"
#include "server/global/global.h"
#include "server/global/gns.h"
#include "server/servers.h"

void gcl_global_options_init(gcl_global_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

void gcl_global_lock_options_init(gcl_global_lock_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->retries = GCL_INFINITY;
}

/* `*gns` is NULL on a hidden node. */
static int find(gcl_node *node, struct gcl_gns_service **gns)
{
    *gns = gcl_gns_of(node);
    if (*gns == NULL && node->servers->gns != NULL)
        return GCL_ECLOSED;
    return *gns != NULL && (*gns)->is_walking ? GCL_EBUSY : 0;
}

static int begin(const gcl_server *self, gcl_reply_function *done, struct gcl_gns_service **gns)
{
    *gns = NULL;
    if (done == NULL)
        return GCL_EINVAL;
    return self->is_ending ? GCL_ECLOSED : find(gcl_server_at(self), gns);
}

/* --- names ---------------------------------------------------------------------------------- */

/* A server that is to decide itself has to be the one whose name it is. */
static int read_options(const gcl_server *self, const gcl_global_options *options,
                        struct gcl_gns_claim *claim)
{
    if (options == NULL)
        return 0;
    if (options->size == 0 || options->method > GCL_GLOBAL_RESOLVE ||
        (options->method == GCL_GLOBAL_RESOLVE) != (options->resolve != NULL))
        return GCL_EINVAL;
    claim->choice.method = options->method;
    claim->choice.resolve = options->resolve;
    claim->choice.user = options->resolve_user;
    if (!gcl_pid_equal(options->pid, gcl_self(self)))
        claim->pid = options->pid;
    return options->method >= GCL_GLOBAL_NOBODY && !gcl_pid_is_none(claim->pid) ? GCL_EINVAL : 0;
}

static int claim(gcl_server *self, const gcl_global_options *options, enum gcl_gns_claim_kind kind,
                 gcl_reply_function *done, void *user, gcl_message name)
{
    struct gcl_gns_claim claim = {.kind = kind};
    struct gcl_gns_service *gns;
    int error = begin(self, done, &gns);
    if (error == 0)
        error = read_options(self, options, &claim);
    if (error != 0)
        return error;
    if (gns != NULL)
        return gcl_gns_claim(self, &claim, done, user, name);
    if (!gcl_pid_is_none(claim.pid))
        return GCL_ENOTSUP;
    return gcl_global_claim(self, &claim.choice, kind == GCL_GNS_CLAIM_AGAIN, done, user, name);
}

int gcl_global_register_message(gcl_server *self, const gcl_global_options *options,
                                gcl_reply_function *done, void *user, gcl_message name)
{
    return claim(self, options, GCL_GNS_CLAIM, done, user, name);
}

int gcl_global_re_register_message(gcl_server *self, const gcl_global_options *options,
                                   gcl_reply_function *done, void *user, gcl_message name)
{
    return claim(self, options, GCL_GNS_CLAIM_AGAIN, done, user, name);
}

int gcl_global_unregister_message(gcl_server *self, gcl_message name)
{
    struct gcl_gns_service *gns;
    int error = find(gcl_server_at(self), &gns);
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_give_back(self, name) : gcl_global_give_back(self, name);
}

int gcl_global_unregister_name_message(gcl_server *self, gcl_reply_function *done, void *user,
                                       gcl_message name)
{
    struct gcl_gns_service *gns;
    int error = begin(self, done, &gns);
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_take_away(self, done, user, name)
                       : gcl_global_ask_a_beam(self, GCL_GLOBAL_TAKE_AWAY, done, user, name);
}

int gcl_global_whereis_message(gcl_server *self, gcl_reply_function *done, void *user,
                               gcl_message name)
{
    struct gcl_gns_service *gns;
    int error = begin(self, done, &gns);
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_look_up(self, done, user, name)
                       : gcl_global_ask_a_beam(self, GCL_GLOBAL_WHEREIS, done, user, name);
}

int gcl_global_registered_names(gcl_server *self, gcl_reply_function *done, void *user)
{
    struct gcl_gns_service *gns;
    int error = begin(self, done, &gns);
    if (error != 0)
        return error;
    return gns != NULL
               ? gcl_gns_list_names(self, done, user)
               : gcl_global_ask_a_beam(self, GCL_GLOBAL_NAMES, done, user, GCL_MESSAGE("all"));
}

int gcl_global_each_name(gcl_node *node, gcl_global_name_function *each, void *user)
{
    struct gcl_gns_service *gns;
    int error = each == NULL ? GCL_EINVAL : find(node, &gns);
    if (error != 0)
        return error;
    if (gns == NULL)
        return GCL_ENOTSUP;
    gns->is_walking = true;
    gcl_gns_each_name(gns->machine, each, user);
    gns->is_walking = false;
    return 0;
}

/* --- being in sync, and locks --------------------------------------------------------------- */

int gcl_global_sync(gcl_server *self, gcl_reply_function *done, void *user)
{
    struct gcl_gns_service *gns;
    int error = begin(self, done, &gns);
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_await_sync(self, done, user) : GCL_ENOTSUP;
}

static bool are_valid(const gcl_global_lock_options *options)
{
    return options == NULL || options->size != 0;
}

int gcl_global_set_lock_message(gcl_server *self, const gcl_global_lock_options *options,
                                gcl_reply_function *done, void *user, gcl_message id)
{
    struct gcl_gns_service *gns;
    int error = are_valid(options) ? begin(self, done, &gns) : GCL_EINVAL;
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_ask_lock(self, options, done, user, id) : GCL_ENOTSUP;
}

int gcl_global_del_lock_message(gcl_server *self, const gcl_global_lock_options *options,
                                gcl_reply_function *done, void *user, gcl_message id)
{
    struct gcl_gns_service *gns = NULL;
    int error = are_valid(options) ? find(gcl_server_at(self), &gns) : GCL_EINVAL;
    if (error == 0 && self->is_ending)
        error = GCL_ECLOSED;
    if (error != 0)
        return error;
    return gns != NULL ? gcl_gns_ask_unlock(self, options, done, user, id) : GCL_ENOTSUP;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the servers of a visible node ask of `global` about names. */
#include <string.h>

#include "core/global/gns.h"
#include "node/message.h"
#include "node/node.h"
#include "node/peer.h"
#include "server/global/gns.h"
#include "server/servers.h"

/* A name that a server has, or wants. */
struct gcl_gns_claimed {
    struct gcl_list at_service;
    struct gcl_list at_owner;
    uint32_t hash;
    struct gcl_gns_wait *wait; /* NULL: it has the name */
    bool had_it;               /* it wants to register it again */
    gcl_server *owner;
    struct gcl_global_choice choice; /* for a conflict */
    struct gcl_global_choice wanted; /* ... from when it is registered again */
    gcl_term name;                   /* owned */
};

/* --- claims --------------------------------------------------------------------------------- */

struct wanted {
    gcl_pid owner;
    gcl_term name;
};

static bool is_wanted(const void *item, const void *key)
{
    const struct gcl_gns_claimed *claim = item;
    const struct wanted *wanted = key;
    return gcl_pid_equal(gcl_self(claim->owner), wanted->owner) &&
           gcl_term_equal(claim->name, wanted->name);
}

static uint32_t hash_of(const struct gcl_gns_service *gns, gcl_pid owner, gcl_term name)
{
    const uint32_t words[] = {owner.id, owner.serial, gcl_gns_hash(gns->machine, name)};
    return gcl_hash(gns->node->seed, words, sizeof words);
}

static struct gcl_gns_claimed *claim_of(const struct gcl_gns_service *gns, gcl_pid owner,
                                        gcl_term name)
{
    const struct wanted wanted = {owner, name};
    return gcl_table_find(&gns->claims, hash_of(gns, owner, name), is_wanted, &wanted);
}

static bool is_this(const void *item, const void *key)
{
    return item == key;
}

static void free_claim(struct gcl_gns_service *gns, struct gcl_gns_claimed *claim)
{
    struct gcl_gns_owner *owner = gcl_gns_owner_find(gns, claim->owner);
    if (claim->wait != NULL)
        claim->wait->claim = NULL;
    (void)gcl_table_remove(&gns->claims, claim->hash, is_this, claim);
    gcl_list_remove(&claim->at_service);
    gcl_list_remove(&claim->at_owner);
    gcl_term_free(claim->name);
    gcl_free(gns->node->mem, claim);
    if (owner != NULL)
        gcl_gns_owner_tidy(gns, owner);
}

static int fill_claim(struct gcl_gns_service *gns, struct gcl_gns_claimed *claim,
                      gcl_server *server, gcl_term name)
{
    struct gcl_gns_owner *owner = gcl_gns_owner_find(gns, server);
    int error = gcl_term_copy(name, &claim->name);
    if (error != 0)
        return error;
    claim->hash = hash_of(gns, gcl_self(server), name);
    claim->owner = server;
    error = gcl_table_add(&gns->claims, claim->hash, claim);
    if (error != 0) {
        gcl_term_free(claim->name);
        return error;
    }
    gcl_list_init(&claim->at_service);
    gcl_list_init(&claim->at_owner);
    gcl_list_add_last(&gns->claimed, &claim->at_service);
    gcl_list_add_last(&owner->claims, &claim->at_owner);
    return 0;
}

/* Of a server that waits for something already. */
static int new_claim(gcl_server *self, gcl_term name, struct gcl_gns_claimed **out)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    struct gcl_gns_claimed *claim = gcl_alloc_zero(gns->node->mem, sizeof *claim);
    if (claim == NULL)
        return GCL_ENOMEM;
    int error = fill_claim(gns, claim, self, name);
    if (error == 0)
        *out = claim;
    else
        gcl_free(gns->node->mem, claim);
    return error;
}

/* --- registering ---------------------------------------------------------------------------- */

typedef int register_function(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                              gcl_pid pid, gcl_term method);

static register_function *function_of(enum gcl_gns_claim_kind kind)
{
    switch (kind) {
    case GCL_GNS_CLAIM:
        return gcl_gns_register;
    case GCL_GNS_CLAIM_MORE:
        return gcl_gns_register_more;
    case GCL_GNS_CLAIM_AGAIN:
        return gcl_gns_re_register;
    }
    return NULL;
}

static int ask_machine(struct gcl_gns_service *gns, register_function *function,
                       const struct gcl_gns_wait *wait, gcl_term name, gcl_pid pid,
                       const struct gcl_global_choice *choice)
{
    uint8_t method[GCL_GLOBAL_METHOD_BYTES];
    size_t size = gcl_global_write_method(choice->method, method);
    return function(gns->machine, gcl_gns_now(gns), wait->number, name, pid,
                    gcl_term_make(&gns->node->terms, method, size));
}

/* A server wants a name for itself. Another one may have it meanwhile: then it is told. */
static int claim_own(gcl_server *self, struct gcl_gns_wait *wait, gcl_term name,
                     const struct gcl_global_choice *choice, enum gcl_gns_claim_kind kind)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    struct gcl_gns_claimed *claim = claim_of(gns, gcl_self(self), name);
    if (claim != NULL && (claim->wait != NULL || kind != GCL_GNS_CLAIM_AGAIN))
        return GCL_EEXIST;
    bool has_it = claim != NULL;
    int error = has_it ? 0 : new_claim(self, name, &claim);
    if (error != 0)
        return error;
    error = ask_machine(gns, function_of(kind), wait, claim->name, gcl_self(self), choice);
    if (error == 0) {
        claim->had_it = has_it;
        claim->wait = wait;
        claim->wanted = *choice;
        if (!has_it)
            claim->choice = *choice;
        wait->claim = claim;
    } else if (!has_it) {
        free_claim(gns, claim);
    }
    return error;
}

/* Of which node? A process of a hidden one is registered by this one in its place. */
static int find_function(struct gcl_node *node, gcl_pid pid, enum gcl_gns_claim_kind kind,
                         register_function **function)
{
    struct gcl_name *name = gcl_names_get(&node->core.names, pid.node, pid.generation);
    if (name == NULL)
        return GCL_ESTALE;
    const struct gcl_peer *peer = gcl_peer_find(node, gcl_name_str(name));
    bool is_hidden = peer != NULL && peer->up != NULL && !peer->is_visible;
    *function = function_of(kind);
    if (is_hidden && kind == GCL_GNS_CLAIM)
        *function = gcl_gns_register_external;
    return 0;
}

static int claim_for(struct gcl_gns_service *gns, const struct gcl_gns_wait *wait, gcl_term name,
                     gcl_pid pid, const struct gcl_global_choice *choice,
                     enum gcl_gns_claim_kind kind)
{
    register_function *function;
    int error = find_function(gns->node, pid, kind, &function);
    if (error != 0)
        return error;
    return ask_machine(gns, function, wait, name, pid, choice);
}

int gcl_gns_claim(gcl_server *self, const struct gcl_gns_claim *claim, gcl_reply_function *done,
                  void *user, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_gns_service *gns = gcl_gns_of(node);
    struct gcl_str bytes;
    struct gcl_gns_wait *wait;
    bool is_own = gcl_pid_is_none(claim->pid) || gcl_pid_equal(claim->pid, gcl_self(self));
    int error = gcl_message_build(node, &message, &bytes);
    if (error != 0)
        return error;
    error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    gcl_term name = gcl_term_of(&node->terms, bytes);
    if (is_own)
        error = claim_own(self, wait, name, &claim->choice, claim->kind);
    else
        error = claim_for(gns, wait, name, claim->pid, &claim->choice, claim->kind);
    if (error != 0)
        gcl_gns_wait_free(gns, wait);
    gcl_gns_settle(gns);
    return error;
}

/* --- giving back ---------------------------------------------------------------------------- */

int gcl_gns_give_back(gcl_server *self, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_gns_service *gns = gcl_gns_of(node);
    struct gcl_str bytes;
    int error = gcl_message_build(node, &message, &bytes);
    if (error != 0)
        return error;
    struct gcl_gns_claimed *claim = claim_of(gns, gcl_self(self), gcl_term_of(&node->terms, bytes));
    if (claim == NULL)
        return GCL_ENOENT;
    error = gcl_gns_unregister(gns->machine, gcl_gns_now(gns), ++gns->last_number, claim->name,
                               gcl_self(self));
    if (error != 0)
        return error;
    if (claim->wait != NULL)
        gcl_gns_wait_done(gns, claim->wait, GCL_ECANCELED);
    free_claim(gns, claim);
    gcl_gns_settle(gns);
    return 0;
}

int gcl_gns_take_away(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message)
{
    static const gcl_pid anybody = {0};
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_gns_service *gns = gcl_gns_of(node);
    struct gcl_gns_wait *wait;
    struct gcl_str bytes;
    int error = gcl_message_build(node, &message, &bytes);
    if (error != 0)
        return error;
    error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    error = gcl_gns_unregister(gns->machine, gcl_gns_now(gns), wait->number,
                               gcl_term_of(&node->terms, bytes), anybody);
    if (error != 0)
        gcl_gns_wait_free(gns, wait);
    gcl_gns_settle(gns);
    return error;
}

/* --- from the machine ----------------------------------------------------------------------- */

/* Of claims that were given back, and of servers that have ended, nobody wants to know. */
void gcl_gns_request_done(struct gcl_gns_service *gns, uint64_t number, int error)
{
    struct gcl_gns_wait *wait = gcl_gns_wait_find(gns, number);
    if (wait == NULL)
        return;
    struct gcl_gns_claimed *claim = wait->claim;
    gcl_gns_wait_done(gns, wait, error);
    if (claim == NULL)
        return;
    claim->wait = NULL;
    wait->claim = NULL;
    if (error == 0)
        claim->choice = claim->wanted;
    else if (!claim->had_it)
        free_claim(gns, claim);
}

void gcl_gns_name_lost(struct gcl_gns_service *gns, gcl_term name, gcl_pid pid)
{
    char text[128];
    struct gcl_gns_claimed *claim = claim_of(gns, pid, name);
    if (claim == NULL)
        return;
    claim->had_it = false;
    if (claim->wait != NULL)
        return; /* it is about to be registered anew */
    gcl_pid holder = gcl_gns_whereis(gns->machine, name);
    bool is_free = gcl_pid_is_none(holder);
    const char *of = is_free ? "" : gcl_pid_node(gns->node, holder);
    (void)gcl_term_print(name, text, sizeof text, NULL);
    gcl_log(&gns->node->log, GCL_LOG_WARNING, "global_name_lost",
            "a server has lost its global name %s: %s%s has it", text,
            is_free ? "nobody" : "a process on ", of != NULL ? of : "another node");
    free_claim(gns, claim);
}

const struct gcl_global_choice *gcl_gns_choice(const struct gcl_gns_service *gns, gcl_pid pid,
                                               gcl_term name, gcl_server **owner)
{
    const struct gcl_gns_claimed *claim = claim_of(gns, pid, name);
    if (claim == NULL)
        return NULL;
    *owner = claim->owner;
    return &claim->choice;
}

/* --- questions ------------------------------------------------------------------------------ */

int gcl_gns_holder(struct gcl_gns_service *gns, gcl_message message, gcl_pid *holder)
{
    struct gcl_str bytes;
    int error = gcl_message_build(gns->node, &message, &bytes);
    if (error == 0)
        *holder = gcl_gns_whereis(gns->machine, gcl_term_of(&gns->node->terms, bytes));
    return error;
}

int gcl_gns_look_up(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    struct gcl_gns_wait *wait;
    gcl_pid pid;
    int error = gcl_gns_holder(gns, message, &pid);
    if (error != 0)
        return error;
    error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    wait->pid = pid;
    gcl_gns_wait_done(gns, wait, gcl_pid_is_none(pid) ? GCL_ENOPROC : 0);
    return 0;
}

int gcl_gns_list_names(gcl_server *self, gcl_reply_function *done, void *user)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    struct gcl_gns_wait *wait;
    int error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    wait->wants_names = true;
    gcl_gns_wait_done(gns, wait, 0);
    return 0;
}

int gcl_gns_await_sync(gcl_server *self, gcl_reply_function *done, void *user)
{
    struct gcl_gns_service *gns = gcl_gns_of(gcl_server_at(self));
    struct gcl_gns_wait *wait;
    int error = gcl_gns_wait_new(gns, self, done, user, &wait);
    if (error != 0)
        return error;
    error = gcl_gns_sync_all(gns->machine, gcl_gns_now(gns), wait->number);
    if (error != 0)
        gcl_gns_wait_free(gns, wait);
    gcl_gns_settle(gns);
    return error;
}

/* No process can be registered as `undefined`. */
gcl_dest gcl_gns_locate(struct gcl_gns_service *gns, const gcl_dest *dest)
{
    gcl_pid pid;
    gcl_message atom = GCL_MESSAGE("~a", dest->name);
    int error = gcl_gns_holder(gns, dest->name != NULL ? atom : dest->global, &pid);
    return error != 0 || gcl_pid_is_none(pid) ? gcl_to_name("undefined") : gcl_to_pid(pid);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void free_claims_of(struct gcl_gns_service *gns, const gcl_server *server)
{
    const struct gcl_gns_owner *owner;
    struct gcl_list *at;
    while ((owner = gcl_gns_owner_find(gns, server)) != NULL &&
           (at = gcl_list_first(&owner->claims)) != NULL)
        free_claim(gns, GCL_CONTAINER_OF(at, struct gcl_gns_claimed, at_owner));
}

/* Names and locks go with the process, by its monitors. */
void gcl_gns_server_ends(struct gcl_gns_service *gns, gcl_server *server)
{
    free_claims_of(gns, server);
    gcl_gns_locks_end(gns->machine, gcl_gns_now(gns), gcl_self(server));
    gcl_gns_settle(gns);
    gcl_gns_waits_cancel(gns, server);
}

void gcl_gns_claims_fini(struct gcl_gns_service *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->claimed)) != NULL)
        free_claim(gns, GCL_CONTAINER_OF(at, struct gcl_gns_claimed, at_service));
    gcl_gns_waits_cancel_all(gns);
}

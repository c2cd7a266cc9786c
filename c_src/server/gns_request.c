/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the servers of a visible node ask of `global`. Nothing is told before the function that asks
 * has returned: outcomes wait for a turn of their own.
 */
#include <string.h>

#include "core/gns.h"
#include "node/message.h"
#include "node/node.h"
#include "server/gns.h"
#include "server/servers.h"

struct outcome {
    struct gcl_list at_service;
    gcl_server *owner;
    gcl_reply_function *done;
    void *user;
    int error;
    gcl_pid pid; /* zeroed: no term */
};

/* A name that a server has, or wants. Its outcome is there from the beginning on: what was taken
 * has one even where memory is short. */
struct claim {
    struct gcl_list at_service;
    uint64_t number; /* of the request; 0: it has the name */
    gcl_server *owner;
    struct outcome *outcome; /* until it is told */
    gcl_term name;           /* owned */
};

/* spec: EXPORT_EXT, `fun global:random_notify_name/3`: every release takes it as a method. */
static const uint8_t method[] = {113, 119, 6,   'g', 'l', 'o', 'b', 'a', 'l', 119, 18,
                                 'r', 'a', 'n', 'd', 'o', 'm', '_', 'n', 'o', 't', 'i',
                                 'f', 'y', '_', 'n', 'a', 'm', 'e', 97,  3};

/* --- outcomes ------------------------------------------------------------------------------- */

static void take_turn(struct gcl_gns_service *gns)
{
    if (gns->turn == 0 && gns->servers[GCL_GNS_SERVER] != NULL &&
        gcl_timer_start(gns->servers[GCL_GNS_SERVER], 0, &gns->turn) != 0)
        gcl_gns_fail(gns, "no memory for a turn of global");
}

static struct outcome *new_outcome(gcl_server *owner, gcl_reply_function *done, void *user)
{
    struct outcome *outcome = gcl_alloc_zero(gcl_server_at(owner)->mem, sizeof *outcome);
    if (outcome == NULL)
        return NULL;
    outcome->owner = owner;
    outcome->done = done;
    outcome->user = user;
    gcl_list_init(&outcome->at_service);
    return outcome;
}

static void add_outcome(struct gcl_gns_service *gns, struct outcome *outcome, int error)
{
    outcome->error = error;
    gcl_list_add_last(&gns->outcomes, &outcome->at_service);
    take_turn(gns);
}

static void tell(struct gcl_gns_service *gns, struct outcome *outcome)
{
    gcl_term term = gcl_term_make(&gns->node->terms, NULL, 0);
    gcl_server *owner = outcome->owner;
    gcl_list_remove(&outcome->at_service);
    if (!gcl_pid_is_none(outcome->pid))
        outcome->error = gcl_message_event(gns->node, GCL_MESSAGE("~p", outcome->pid), &term);
    gcl_server_enter(owner);
    gcl_server_leave(owner, outcome->done(owner, outcome->error, term, outcome->user));
    gcl_free(gns->node->mem, outcome);
}

static struct outcome *first_outcome(const struct gcl_gns_service *gns)
{
    struct gcl_list *at = gcl_list_first(&gns->outcomes);
    return at != NULL ? GCL_CONTAINER_OF(at, struct outcome, at_service) : NULL;
}

/* Each in a turn of its own: what is told may end any server. */
void gcl_gns_tell_outcomes(struct gcl_gns_service *gns)
{
    struct outcome *outcome = first_outcome(gns);
    if (outcome == NULL)
        return;
    tell(gns, outcome);
    if (first_outcome(gns) != NULL)
        take_turn(gns);
}

static struct outcome *outcome_of(const struct gcl_gns_service *gns, const gcl_server *owner)
{
    GCL_LIST_EACH(&gns->outcomes, at, following)
    {
        struct outcome *outcome = GCL_CONTAINER_OF(at, struct outcome, at_service);
        if (outcome->owner == owner)
            return outcome;
    }
    return NULL;
}

/* --- claims --------------------------------------------------------------------------------- */

static struct claim *claim_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct claim, at_service);
}

static struct claim *claim_of(const struct gcl_gns_service *gns, const gcl_server *owner,
                              gcl_term name)
{
    GCL_LIST_EACH(&gns->claims, at, following)
    {
        struct claim *claim = claim_at(at);
        if (claim->owner == owner && gcl_term_equal(claim->name, name))
            return claim;
    }
    return NULL;
}

static struct claim *claim_of_number(const struct gcl_gns_service *gns, uint64_t number)
{
    GCL_LIST_EACH(&gns->claims, at, following)
    {
        if (claim_at(at)->number == number)
            return claim_at(at);
    }
    return NULL;
}

static void free_claim(struct gcl_gns_service *gns, struct claim *claim)
{
    gcl_list_remove(&claim->at_service);
    gcl_term_free(claim->name);
    gcl_free(gns->node->mem, claim->outcome);
    gcl_free(gns->node->mem, claim);
}

static void decide(struct gcl_gns_service *gns, struct claim *claim, int error)
{
    add_outcome(gns, claim->outcome, error);
    claim->outcome = NULL;
    claim->number = 0;
}

static int new_claim(struct gcl_gns_service *gns, struct outcome *outcome, gcl_term name,
                     struct claim **out)
{
    struct claim *claim = gcl_alloc_zero(gns->node->mem, sizeof *claim);
    if (claim == NULL)
        return GCL_ENOMEM;
    int error = gcl_term_copy(name, &claim->name);
    if (error != 0) {
        gcl_free(gns->node->mem, claim);
        return error;
    }
    claim->owner = outcome->owner;
    claim->outcome = outcome;
    claim->number = ++gns->last_number;
    gcl_list_init(&claim->at_service);
    gcl_list_add_last(&gns->claims, &claim->at_service);
    *out = claim;
    return 0;
}

typedef void register_function(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_term name,
                               gcl_pid pid, gcl_term method);

static int claim(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message,
                 register_function *register_name)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_gns_service *gns = gcl_gns_of(node);
    struct gcl_str bytes;
    struct claim *new;
    int error = gcl_message_build(node, &message, &bytes);
    if (error != 0)
        return error;
    gcl_term name = gcl_term_of(&node->terms, bytes);
    if (claim_of(gns, self, name) != NULL)
        return GCL_EEXIST;
    struct outcome *outcome = new_outcome(self, done, user);
    if (outcome == NULL)
        return GCL_ENOMEM;
    error = new_claim(gns, outcome, name, &new);
    if (error != 0) {
        gcl_free(node->mem, outcome);
        return error;
    }
    register_name(gns->machine, gcl_gns_now(gns), new->number, new->name, gcl_self(self),
                  gcl_term_make(&node->terms, method, sizeof method));
    gcl_gns_settle(gns);
    return 0;
}

int gcl_gns_claim(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message)
{
    return claim(self, done, user, message, gcl_gns_register);
}

int gcl_gns_claim_more(gcl_server *self, gcl_reply_function *done, void *user, gcl_message message)
{
    return claim(self, done, user, message, gcl_gns_register_more);
}

int gcl_gns_give_back(gcl_server *self, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_gns_service *gns = gcl_gns_of(node);
    struct gcl_str bytes;
    int error = gcl_message_build(node, &message, &bytes);
    if (error != 0)
        return error;
    const gcl_term name = gcl_term_of(&node->terms, bytes);
    struct claim *claim = claim_of(gns, self, name);
    if (claim == NULL)
        return GCL_ENOENT;
    if (claim->number != 0)
        decide(gns, claim, GCL_ECANCELED);
    gcl_gns_unregister(gns->machine, gcl_gns_now(gns), ++gns->last_number, claim->name,
                       gcl_self(self));
    free_claim(gns, claim);
    gcl_gns_settle(gns);
    return 0;
}

/* Those of claims that were given back, and of giving back, are of interest to nobody. */
void gcl_gns_request_done(struct gcl_gns_service *gns, uint64_t number, int error)
{
    struct claim *claim = claim_of_number(gns, number);
    if (claim == NULL)
        return;
    decide(gns, claim, error);
    if (error != 0)
        free_claim(gns, claim);
}

void gcl_gns_name_lost(struct gcl_gns_service *gns, gcl_term name, gcl_pid pid)
{
    char text[128];
    GCL_LIST_EACH(&gns->claims, at, following)
    {
        struct claim *claim = claim_at(at);
        if (claim->number != 0 || !gcl_pid_equal(gcl_self(claim->owner), pid) ||
            !gcl_term_equal(claim->name, name))
            continue;
        (void)gcl_term_print(name, text, sizeof text, NULL);
        gcl_log(&gns->node->log, GCL_LOG_WARNING, "global_name_lost",
                "a server has lost its global name %s: another process has it, or nobody", text);
        free_claim(gns, claim);
        return;
    }
}

/* --- lookups -------------------------------------------------------------------------------- */

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
    gcl_pid pid;
    int error = gcl_gns_holder(gns, message, &pid);
    if (error != 0)
        return error;
    struct outcome *outcome = new_outcome(self, done, user);
    if (outcome == NULL)
        return GCL_ENOMEM;
    outcome->pid = pid;
    add_outcome(gns, outcome, gcl_pid_is_none(pid) ? GCL_ENOPROC : 0);
    return 0;
}

/* No process can be registered as `undefined`. */
gcl_dest gcl_gns_locate(struct gcl_gns_service *gns, const gcl_dest *dest)
{
    gcl_pid pid;
    int error = gcl_gns_holder(gns, GCL_MESSAGE("~a", dest->name), &pid);
    return error != 0 || gcl_pid_is_none(pid) ? gcl_to_name("undefined") : gcl_to_pid(pid);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void cancel_claim(struct gcl_gns_service *gns, struct claim *claim)
{
    if (claim->number != 0)
        decide(gns, claim, GCL_ECANCELED);
    free_claim(gns, claim);
}

static void cancel_outcome(struct gcl_gns_service *gns, struct outcome *outcome)
{
    static const gcl_pid none = {0};
    outcome->error = GCL_ECANCELED;
    outcome->pid = none;
    tell(gns, outcome);
}

/* The name goes with the process, by its monitors. */
void gcl_gns_server_ends(struct gcl_gns_service *gns, gcl_server *server)
{
    struct outcome *outcome;
    GCL_LIST_EACH(&gns->claims, at, following)
    {
        if (claim_at(at)->owner == server)
            cancel_claim(gns, claim_at(at));
    }
    while ((outcome = outcome_of(gns, server)) != NULL)
        cancel_outcome(gns, outcome);
}

void gcl_gns_claims_fini(struct gcl_gns_service *gns)
{
    struct outcome *outcome;
    GCL_LIST_EACH(&gns->claims, at, following)
    {
        cancel_claim(gns, claim_at(at));
    }
    while ((outcome = first_outcome(gns)) != NULL)
        cancel_outcome(gns, outcome);
}

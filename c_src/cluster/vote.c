/* SPDX-License-Identifier: Apache-2.0 */
/* Votes: who of the members offers most? A member may ask from inside its handlers, for nothing
 * waits: its own offer is asked for by a message, like all others. */
#include "cluster/cluster.h"

struct ballot;

struct offer {
    struct ballot *ballot;
    gcl_pid pid;
    double weight; /* 0: none, or none yet */
};

struct ballot {
    struct gcl_cluster_pending pending;
    struct gcl_list at;
    struct gcl_cluster *cluster;
    gcl_vote vote;
    gcl_outcome_function *done;
    void *user;
    gcl_term request; /* owned */
    gcl_term reply;   /* owned */
    gcl_pid winner;
    double weight;
    int error;
    size_t waiting; /* for so many offers */
    size_t count;
    struct offer offers[];
};

static struct ballot *ballot_of(struct gcl_cluster_pending *pending)
{
    return GCL_CONTAINER_OF(pending, struct ballot, pending);
}

static void free_ballot(struct ballot *ballot)
{
    gcl_list_remove(&ballot->pending.at);
    gcl_list_remove(&ballot->at);
    gcl_term_free(ballot->request);
    gcl_term_free(ballot->reply);
    gcl_free(ballot->cluster->mem, ballot);
}

/* --- the end -------------------------------------------------------------------------------- */

gcl_result gcl_cluster_ballot_end(struct gcl_cluster *cluster, struct gcl_cluster_pending *pending)
{
    struct ballot *ballot = ballot_of(pending);
    gcl_outcome outcome = {ballot->winner, ballot->weight, ballot->reply};
    gcl_list_remove(&ballot->at); /* it has told */
    gcl_result result = ballot->done(cluster, ballot->error, &outcome, ballot->user);
    free_ballot(ballot);
    return result;
}

void gcl_cluster_ballots_fini(struct gcl_cluster *cluster)
{
    struct gcl_list *first;
    while ((first = gcl_list_first(&cluster->ballots)) != NULL) {
        struct ballot *ballot = GCL_CONTAINER_OF(first, struct ballot, at);
        ballot->error = GCL_ECANCELED;
        gcl_list_remove(&ballot->pending.at);
        (void)gcl_cluster_ballot_end(cluster, &ballot->pending);
    }
}

static void finish(struct ballot *ballot, int error)
{
    ballot->error = error;
    gcl_list_add_last(&ballot->cluster->pending, &ballot->pending.at);
    gcl_cluster_schedule(ballot->cluster);
}

/* --- what the winner does ------------------------------------------------------------------- */

static gcl_result replied(gcl_server *self, int error, gcl_term term, void *user)
{
    struct ballot *ballot = user;
    struct gcl_cluster *cluster = ballot->cluster;
    (void)self;
    if (error == GCL_ECANCELED)
        return GCL_CONTINUE; /* the server ends, and so does the ballot */
    gcl_cluster_enter(cluster);
    if (!gcl_term_is_none(term) && gcl_term_copy(term, &ballot->reply) != 0)
        error = GCL_ENOMEM;
    finish(ballot, error);
    return gcl_cluster_leave_handler(cluster, GCL_CONTINUE);
}

static void hand_over(struct ballot *ballot)
{
    gcl_server *server = ballot->cluster->server;
    gcl_dest winner = gcl_to_pid(ballot->winner);
    int error = 0;
    switch (ballot->vote) {
    case GCL_VOTE:
        break;
    case GCL_VOTE_CALL:
    case GCL_VOTE_CALL_ANY:
        error = gcl_call(server, winner, GCL_CLUSTER_VOTE_MS, replied, ballot, NULL, "~t",
                         ballot->request);
        if (error == 0)
            return;
        break;
    case GCL_VOTE_CAST:
    case GCL_VOTE_CAST_ANY:
        error = gcl_cast(server, winner, "~t", ballot->request);
        break;
    }
    finish(ballot, error);
}

static bool takes_any(gcl_vote vote)
{
    return vote == GCL_VOTE_CALL_ANY || vote == GCL_VOTE_CAST_ANY;
}

static void count(struct ballot *ballot)
{
    const struct offer *best = NULL;
    for (size_t i = 0; i < ballot->count; i++)
        if (ballot->offers[i].weight > (best != NULL ? best->weight : 0))
            best = &ballot->offers[i];
    if (best == NULL && takes_any(ballot->vote) && ballot->count > 0) {
        uint32_t random = 0;
        (void)gcl_node_random(ballot->cluster->node, &random, sizeof random);
        best = &ballot->offers[random % ballot->count];
    }
    if (best == NULL) {
        finish(ballot, GCL_ENOENT);
        return;
    }
    ballot->winner = best->pid;
    ballot->weight = best->weight;
    hand_over(ballot);
}

/* --- offers --------------------------------------------------------------------------------- */

static gcl_result offered(gcl_server *self, int error, gcl_term term, void *user)
{
    struct offer *offer = user;
    struct ballot *ballot = offer->ballot;
    struct gcl_cluster *cluster = ballot->cluster;
    int64_t whole;
    double number;
    (void)self;
    if (error == GCL_ECANCELED)
        return GCL_CONTINUE;
    gcl_cluster_enter(cluster);
    if (error == 0 && gcl_match(term, "{ok, ~i}", &whole))
        offer->weight = (double)whole;
    else if (error == 0 && gcl_match(term, "{ok, ~f}", &number))
        offer->weight = number;
    if (--ballot->waiting == 0)
        count(ballot);
    return gcl_cluster_leave_handler(cluster, GCL_CONTINUE);
}

static void ask(struct ballot *ballot)
{
    for (size_t i = 0; i < ballot->count; i++) {
        struct offer *offer = &ballot->offers[i];
        int error = gcl_call(ballot->cluster->server, gcl_to_pid(offer->pid), GCL_CLUSTER_VOTE_MS,
                             offered, offer, NULL, "{'$gen_cluster', vote, ~t}", ballot->request);
        ballot->waiting += error == 0;
    }
    if (ballot->waiting == 0)
        count(ballot);
}

static struct ballot *new_ballot(struct gcl_cluster *cluster)
{
    struct gcl_member_list members = gcl_membership_members(cluster->machine);
    struct ballot *ballot =
        gcl_alloc_zero(cluster->mem, sizeof *ballot + members.count * sizeof(struct offer));
    if (ballot == NULL)
        return NULL;
    gcl_list_init(&ballot->pending.at);
    gcl_list_init(&ballot->at);
    ballot->pending.kind = GCL_CLUSTER_CALLBACK_OUTCOME;
    ballot->cluster = cluster;
    ballot->count = members.count;
    for (size_t i = 0; i < members.count; i++) {
        ballot->offers[i].ballot = ballot;
        if (gcl_cluster_pid_of(cluster, gcl_member_list_at(&members, i), &ballot->offers[i].pid) !=
            0) {
            gcl_free(cluster->mem, ballot);
            return NULL;
        }
    }
    return ballot;
}

int gcl_cluster_vote_message(gcl_cluster *cluster, gcl_vote vote, gcl_outcome_function *done,
                             void *user, gcl_message message)
{
    int error = gcl_cluster_check(cluster);
    if (error == 0 && done == NULL)
        error = GCL_EINVAL;
    if (error != 0)
        return error;
    gcl_writer_clear(cluster->writer);
    error = gcl_write_message(cluster->writer, message);
    if (error != 0)
        return error;
    struct ballot *ballot = new_ballot(cluster);
    if (ballot == NULL)
        return GCL_ENOMEM;
    ballot->vote = vote;
    ballot->done = done;
    ballot->user = user;
    error = gcl_term_copy(gcl_writer_term(cluster->writer), &ballot->request);
    if (error != 0) {
        gcl_free(cluster->mem, ballot);
        return error;
    }
    gcl_list_add_last(&cluster->ballots, &ballot->at);
    ask(ballot);
    return 0;
}

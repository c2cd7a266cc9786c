/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a cluster on three nodes that call whatever there is inside their callbacks, in random
 * order, while connections are cut. Each vote has one outcome, each server one end; a member sees
 * each pid join before it leaves, and never join twice; at the end nothing is left.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "world.h"

enum { ACTS = 1500, SEEN = 64 };

struct member {
    gcl_pid seen[SEEN]; /* who has joined as this member was told, or was there before */
    size_t seen_count;
    gcl_ref refs[4];
};

static uint64_t seed;
static unsigned acts, votes, outcomes, started, ended;

static unsigned draw(unsigned below)
{
    return (unsigned)(gcl_test_random(&seed) % below);
}

static const gcl_cluster_handlers handlers;

static void start_one(struct world_node *node)
{
    static struct member members[4096];
    gcl_cluster_config config;
    const char *const seeds[] = {world.nodes[0].name, world.nodes[1].name, world.nodes[2].name};
    gcl_cluster_config_init(&config);
    config.name = "random";
    config.seeds = seeds;
    config.seed_count = 3;
    config.handlers = &handlers;
    config.user = &members[started % 4096];
    config.settle_ms = 20;
    config.probe_base_ms = 10;
    config.retry_base_ms = 5;
    config.retry_max_ms = 20;
    config.sync_ms = 20;
    config.sync_fast_ms = 5;
    memset(config.user, 0, sizeof(struct member));
    started += gcl_cluster_start(node->node, &config, NULL) == 0;
}

static gcl_result some_result(gcl_cluster *self);

static gcl_result on_vote(gcl_cluster *self, int error, const gcl_outcome *outcome, void *user)
{
    (void)error;
    (void)user;
    cr_assert_not_null(outcome);
    outcomes++;
    return some_result(self);
}

static const char *some_node(void)
{
    return world.nodes[draw(WORLD_NODES)].name;
}

static void look(gcl_cluster *self)
{
    gcl_member member;
    size_t count = 0;
    while (gcl_cluster_member(self, count, &member)) {
        cr_assert_eq(gcl_term_check(member.meta), 0);
        cr_assert_eq(gcl_term_check(member.children), 0);
        count++;
    }
    cr_assert_eq(count, gcl_cluster_count(self));
}

static void act_once(gcl_cluster *self, struct member *mine)
{
    gcl_server *server = gcl_cluster_server(self);
    gcl_node *node = gcl_server_node(server);
    switch (draw(13)) {
    case 0:
        (void)gcl_cluster_join(self, some_node());
        break;
    case 1:
        if (draw(4) == 0 && gcl_cluster_leave(self) == 0)
            mine->seen_count = 0;
        break;
    case 2:
        (void)gcl_cluster_set_meta(self, "#{n => ~u}", acts);
        break;
    case 3:
        (void)gcl_cluster_publish(self, "{published, ~u}", acts);
        break;
    case 4:
        votes += gcl_cluster_run(self, on_vote, NULL, "{run, ~u}", acts) == 0;
        break;
    case 5:
        votes += gcl_cluster_call_vote(self, on_vote, NULL, "vote") == 0;
        break;
    case 6:
        votes += gcl_cluster_cast_run(self, on_vote, NULL, "cast") == 0;
        break;
    case 7:
        if (gcl_cluster_subscribe(self, gcl_self(server), &mine->refs[draw(4)]) != 0)
            (void)gcl_cluster_unsubscribe(self, mine->refs[draw(4)]);
        break;
    case 8:
        (void)gcl_cluster_unsubscribe(self, mine->refs[draw(4)]);
        break;
    case 9:
        if (mine->seen_count > 0)
            (void)gcl_cluster_add_child(self, "child",
                                        mine->seen[draw((unsigned)mine->seen_count)]);
        break;
    case 10:
        (void)gcl_node_disconnect(node, some_node());
        break;
    case 11:
        if (draw(10) == 0)
            (void)gcl_server_stop(server, "stopped");
        break;
    default:
        look(self);
    }
}

static void act(gcl_cluster *self)
{
    for (unsigned left = draw(3); left > 0 && acts < ACTS; left--, acts++)
        act_once(self, gcl_cluster_user(self));
}

static gcl_result some_result(gcl_cluster *self)
{
    act(self);
    switch (draw(80)) {
    case 0:
        return GCL_STOP;
    case 1:
        return gcl_stop(gcl_cluster_server(self), "{because, ~i}", draw(10));
    case 2:
        return (gcl_result)5;
    default:
        return GCL_CONTINUE;
    }
}

/* --- callbacks ------------------------------------------------------------------------------ */

static size_t place_of(const struct member *mine, gcl_pid pid)
{
    size_t place = 0;
    while (place < mine->seen_count && !gcl_pid_equal(mine->seen[place], pid))
        place++;
    return place;
}

static bool has(gcl_pids all, gcl_pid pid)
{
    for (size_t i = 0; i < all.count; i++)
        if (gcl_pid_equal(all.pids[i], pid))
            return true;
    return false;
}

static gcl_result joined(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct member *mine = user;
    cr_assert(has(all, pid));
    cr_assert_eq(place_of(mine, pid), mine->seen_count, "two joins without a leave");
    if (mine->seen_count < SEEN)
        mine->seen[mine->seen_count++] = pid;
    return some_result(self);
}

static gcl_result left(gcl_cluster *self, gcl_pid pid, gcl_pids all, gcl_departure why,
                       gcl_term reason, void *user)
{
    struct member *mine = user;
    size_t place = place_of(mine, pid);
    (void)why;
    cr_assert_not(has(all, pid));
    cr_assert_eq(gcl_term_check(reason), 0);
    if (place < mine->seen_count)
        mine->seen[place] = mine->seen[--mine->seen_count];
    return some_result(self);
}

static gcl_result leads(gcl_cluster *self, gcl_pid leader, gcl_pids all, void *user)
{
    (void)leader;
    (void)all;
    (void)user;
    return some_result(self);
}

static gcl_result published(gcl_cluster *self, gcl_term term, void *user)
{
    unsigned number;
    (void)user;
    cr_assert(gcl_match(term, "{published, ~u}", &number));
    return some_result(self);
}

static gcl_result vote(gcl_cluster *self, gcl_term term, int64_t *weight, void *user)
{
    (void)term;
    (void)user;
    *weight = draw(3);
    return some_result(self);
}

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    (void)user;
    if (draw(2) == 0)
        (void)gcl_reply(self, from, "~t", request);
    return some_result(gcl_cluster_of(self));
}

static gcl_result handle_term(gcl_server *self, gcl_term message, void *user)
{
    (void)message;
    (void)user;
    return some_result(gcl_cluster_of(self));
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)reason;
    (void)user;
    ended++;
    act(gcl_cluster_of(self));
}

static const gcl_handlers server_handlers = {.size = sizeof(gcl_handlers),
                                             .handle_call = handle_call,
                                             .handle_cast = handle_term,
                                             .handle_info = handle_term,
                                             .terminate = terminate};

static const gcl_cluster_handlers handlers = {.size = sizeof(gcl_cluster_handlers),
                                              .server = &server_handlers,
                                              .handle_join = joined,
                                              .handle_node_joined = joined,
                                              .handle_leave = left,
                                              .handle_leader_change = leads,
                                              .handle_publish = published,
                                              .handle_vote = vote};

/* --- one life ------------------------------------------------------------------------------- */

static void adjust(gcl_node_config *config)
{
    config->log_level = (gcl_log_level)0;
    config->setup_timeout_ms = 500;
}

static void poke(struct world_node *node)
{
    gcl_server *server = gcl_whereis(node->node, "random");
    if (server == NULL && draw(4) == 0)
        start_one(node);
    else if (server != NULL)
        (void)gcl_send(server, gcl_to_name("random"), "go");
}

static void live_once(uint64_t begin)
{
    seed = begin;
    acts = votes = outcomes = started = ended = 0;
    world_begin();
    for (int i = 0; i < WORLD_NODES; i++)
        (void)world_start(i, adjust);
    for (int i = 0; i < WORLD_NODES; i++)
        for (int k = 0; k < WORLD_NODES; k++)
            if (i != k)
                world_introduce(&world.nodes[i], &world.nodes[k]);
    while (acts < ACTS && started < 4000) {
        poke(&world.nodes[draw(WORLD_NODES)]);
        world_live(1);
    }
    world_end();
    cr_assert_eq(outcomes, votes, "seed %llu: %u votes, %u outcomes", (unsigned long long)begin,
                 votes, outcomes);
    cr_assert_eq(started, ended, "seed %llu: %u members began, %u ended", (unsigned long long)begin,
                 started, ended);
}

Test(random_cluster, whatever_members_do_leaves_nothing_behind, .timeout = 300)
{
    uint64_t first = gcl_test_seed();
    unsigned lives = world_is_slow() ? 1 : 2;
    for (unsigned i = 0; i < lives; i++)
        live_once(first + i);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Members on C nodes in one loop: what they are told is written down as a line of text. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct member {
    gcl_cluster *cluster; /* NULL: it has ended */
    char letter;
    bool closes; /* its node, when somebody joins */
};

static struct member members[3];
static char trace[8192];
static const char *awaited;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    size_t used = strlen(trace);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(trace + used, sizeof trace - used, format, arguments);
    va_end(arguments);
}

/* The letter that a node's name begins with. */
static char letter_of(gcl_cluster *self, gcl_pid pid)
{
    const char *name = gcl_pid_node(gcl_server_node(gcl_cluster_server(self)), pid);
    for (int i = 0; name != NULL && i < WORLD_NODES; i++)
        if (strcmp(name, world.nodes[i].name) == 0)
            return (char)('a' + i);
    return '?';
}

static void note_all(gcl_cluster *self, gcl_pids all)
{
    for (size_t i = 0; i < all.count; i++)
        note("%c", letter_of(self, all.pids[i]));
    note("; ");
}

static gcl_result handle_join(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct member *member = user;
    note("%c join %c ", member->letter, letter_of(self, pid));
    note_all(self, all);
    if (member->closes)
        gcl_node_close(gcl_server_node(gcl_cluster_server(self)));
    return GCL_CONTINUE;
}

static gcl_result handle_node_joined(gcl_cluster *self, gcl_pid pid, gcl_pids all, void *user)
{
    struct member *member = user;
    note("%c node_joined %c ", member->letter, letter_of(self, pid));
    note_all(self, all);
    return GCL_CONTINUE;
}

static gcl_result handle_leave(gcl_cluster *self, gcl_pid pid, gcl_pids all, gcl_departure why,
                               gcl_term reason, void *user)
{
    struct member *member = user;
    char text[64];
    (void)gcl_term_print(reason, text, sizeof text, NULL);
    note("%c leave %c %d %s ", member->letter, letter_of(self, pid), (int)why, text);
    note_all(self, all);
    return GCL_CONTINUE;
}

static gcl_result handle_publish(gcl_cluster *self, gcl_term term, void *user)
{
    struct member *member = user;
    char text[64];
    (void)self;
    (void)gcl_term_print(term, text, sizeof text, NULL);
    note("%c publish %.20s; ", member->letter, text);
    return GCL_CONTINUE;
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    (void)timer;
    cr_assert_eq(gcl_server_user(self), user);
    cr_assert_eq(gcl_cluster_user(gcl_cluster_of(self)), user);
    note("%c timer; ", ((struct member *)user)->letter);
    return GCL_CONTINUE;
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    (void)self;
    (void)name;
    (void)reason;
    note("%c node %s; ", ((struct member *)user)->letter, is_up ? "up" : "down");
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct member *member = user;
    gcl_cluster *cluster = gcl_cluster_of(self);
    char text[64];
    (void)gcl_term_print(reason, text, sizeof text, NULL);
    cr_assert_eq(gcl_cluster_publish(cluster, "late"), GCL_ECLOSED);
    cr_assert_eq(gcl_cluster_leave(cluster), GCL_ECLOSED);
    note("%c ends %s %zu; ", member->letter, text, gcl_cluster_count(cluster));
    member->cluster = NULL;
}

static const gcl_handlers server_handlers = {
    .size = sizeof server_handlers,
    .handle_timer = handle_timer,
    .handle_node = handle_node,
    .terminate = terminate,
};

static const gcl_cluster_handlers handlers = {
    .size = sizeof handlers,
    .server = &server_handlers,
    .handle_join = handle_join,
    .handle_node_joined = handle_node_joined,
    .handle_leave = handle_leave,
    .handle_publish = handle_publish,
};

/* --- members -------------------------------------------------------------------------------- */

static gcl_cluster_config config_of(int index)
{
    gcl_cluster_config config;
    gcl_cluster_config_init(&config);
    config.name = "room";
    config.handlers = &handlers;
    config.user = &members[index];
    config.retry_base_ms = 50;
    config.retry_max_ms = 200;
    config.probe_base_ms = 50;
    config.sync_ms = 200;
    config.sync_fast_ms = 50;
    return config;
}

/* On the node of this index, through that of `seed`; itself: none. */
static int start(int index, int seed)
{
    const char *seeds[] = {world.nodes[seed].name};
    gcl_cluster_config config = config_of(index);
    config.seeds = seeds;
    config.seed_count = 1;
    members[index] = (struct member){.letter = (char)('a' + index)};
    return gcl_cluster_start(world.nodes[index].node, &config, &members[index].cluster);
}

static bool has_come(void)
{
    return strstr(trace, awaited) != NULL;
}

static void await(const char *text)
{
    awaited = text;
    world_until(has_come);
}

static void begin(int nodes, void (*adjust)(gcl_node_config *config))
{
    world_begin();
    trace[0] = '\0';
    for (int i = 0; i < nodes; i++)
        (void)world_start(i, adjust);
    for (int i = 0; i < nodes; i++)
        for (int k = 0; k < nodes; k++)
            if (i != k)
                world_introduce(&world.nodes[i], &world.nodes[k]);
}

static gcl_server *server_of(int index)
{
    return gcl_cluster_server(members[index].cluster);
}

/* --- starting ------------------------------------------------------------------------------- */

Test(cluster, what_cannot_be_started)
{
    char large[6000] = "#{a => \"";
    memset(large + strlen(large), 'x', 5000);
    strcat(large, "\"}");
    static const struct {
        const char *name, *type, *meta, *seed;
        int error;
    } wrong[] = {
        {NULL, NULL, NULL, NULL, GCL_EINVAL},      {"", NULL, NULL, NULL, GCL_EINVAL},
        {"\xFF", NULL, NULL, NULL, GCL_EINVAL},    {"room", "", NULL, NULL, GCL_EINVAL},
        {"room", NULL, "[]", NULL, GCL_EINVAL},    {"room", NULL, "#{a", NULL, GCL_ESYNTAX},
        {"room", NULL, "large", NULL, GCL_EINVAL}, {"room", NULL, NULL, "a b@h", GCL_ENAME},
        {"room", NULL, NULL, "", GCL_ENAME},
    };
    begin(1, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gcl_cluster_config config = config_of(0);
        bool is_large = wrong[i].meta != NULL && strcmp(wrong[i].meta, "large") == 0;
        config.name = wrong[i].name;
        config.type = wrong[i].type;
        config.meta = is_large ? large : wrong[i].meta;
        config.seeds = &wrong[i].seed;
        config.seed_count = wrong[i].seed != NULL;
        cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, NULL), wrong[i].error, "%zu",
                     i);
    }
    cr_assert_eq(world_logged("bad_seed \"a b@h\" is no seed of room"), 1);
    gcl_cluster_handlers sizeless = {0};
    gcl_cluster_config config = config_of(0);
    config.handlers = &sizeless;
    cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, NULL), GCL_EINVAL);
    config.handlers = NULL;
    config.size = 0;
    cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, NULL), GCL_EINVAL);
    cr_assert_str_eq(trace, "", "no handler was called");
    world_end();
}

/* The connection would hold only as long as this node makes it. */
Test(cluster, a_seed_with_a_name_of_the_other_kind_is_logged)
{
    const char *const seeds[] = {"one@127.0.0.1", "two@localhost", "three@localhost"};
    gcl_cluster_config config = config_of(0);
    begin(1, NULL);
    config.seeds = seeds;
    config.seed_count = 3;
    cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, NULL), 0);
    cr_assert_eq(world_logged("name_kind the host of two@localhost has no dot, that of "), 1);
    cr_assert_eq(world_logged("name_kind"), 1);
    world_end();
}

static void few_processes(gcl_node_config *config)
{
    config->max_processes = 8;
}

Test(cluster, a_full_node)
{
    int error = 0;
    begin(1, few_processes);
    for (int i = 0; i < 8 && error == 0; i++)
        error = start(0, 0);
    cr_assert_eq(error, GCL_ELIMIT);
    world_end();
}

Test(cluster, without_handlers_it_is_a_member)
{
    gcl_cluster_config config = config_of(0);
    gcl_cluster *cluster;
    begin(2, NULL);
    config.handlers = NULL;
    cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, &cluster), 0);
    cr_assert_eq(start(1, 0), 0);
    cr_assert_eq(gcl_cluster_publish(cluster, "hello"), 0);
    static gcl_cluster *both[2];
    both[0] = cluster;
    both[1] = members[1].cluster;
    while (gcl_cluster_count(both[0]) != 2 || gcl_cluster_count(both[1]) != 2)
        world_live(10);
    world_end();
}

/* --- events --------------------------------------------------------------------------------- */

Test(cluster, three_members_meet_and_part)
{
    begin(3, NULL);
    cr_assert_eq(start(0, 0), 0);
    cr_assert_eq(start(1, 0), 0);
    await("a join b ab; ");
    cr_assert_eq(start(2, 1), 0);
    await("b join c abc; ");
    await("a node_joined c abc; ");
    cr_assert_eq(gcl_cluster_leave(members[2].cluster), 0);
    await("a leave c 2 left ab; ");
    await("b leave c 2 left ab; ");
    cr_assert_eq(gcl_cluster_count(members[2].cluster), 0);
    cr_assert_eq(gcl_cluster_join(members[2].cluster, world.nodes[0].name), 0);
    await("a join c abc; ");
    cr_assert_eq(gcl_server_stop(server_of(1), "{done, ~i}", 7), 0);
    await("a leave b 0 {done,7} ac; ");
    cr_assert_null(members[1].cluster);
    world_end();
}

Test(cluster, what_is_called_from_outside_is_told_later)
{
    begin(1, NULL);
    cr_assert_eq(start(0, 0), 0);
    cr_assert_eq(gcl_cluster_publish(members[0].cluster, "{~i, ~s}", 1, "one"), 0);
    cr_assert_eq(gcl_cluster_publish(members[0].cluster, "two"), 0);
    cr_assert_str_eq(trace, "");
    await("a publish {1,\"one\"}; a publish two; ");
    cr_assert_eq(gcl_cluster_publish(members[0].cluster, "'late'"), 0);
    world_end();
}

Test(cluster, timers_and_node_events_are_the_users)
{
    uint64_t timer;
    begin(2, NULL);
    cr_assert_eq(start(0, 0), 0);
    cr_assert_eq(gcl_timer_start(server_of(0), 1, &timer), 0);
    await("a timer; ");
    world_join(&world.nodes[1], &world.nodes[0]);
    cr_assert_eq(gcl_node_disconnect(world.nodes[1].node, world.nodes[0].name), 0);
    world_live(50);
    cr_assert_str_eq(trace, "a timer; ", "it has not asked for events of nodes");
    gcl_monitor_nodes(server_of(0), true);
    world_connect(&world.nodes[1], &world.nodes[0]);
    await("a node up; ");
    gcl_monitor_nodes(server_of(0), false);
    cr_assert_eq(start(1, 0), 0);
    await("a join b ab; "); /* and the member still sees them: it heals */
    cr_assert_eq(gcl_node_disconnect(world.nodes[1].node, world.nodes[0].name), 0);
    await("a leave b 1 noconnection a; ");
    await("a node_joined b ab; ");
    world_end();
}

Test(cluster, a_node_may_be_closed_in_a_handler)
{
    begin(2, NULL);
    cr_assert_eq(start(0, 0), 0);
    members[0].closes = true;
    cr_assert_eq(start(1, 0), 0);
    await("a ends shutdown 2; ");
    await("b leave a ");
    world_end();
}

static void little_output(gcl_node_config *config)
{
    config->output_soft_bytes = 1;
}

Test(cluster, publications_above_the_soft_limit_are_lost_and_logged)
{
    begin(2, little_output);
    cr_assert_eq(start(0, 0), 0);
    cr_assert_eq(start(1, 0), 0);
    await("a join b ab; ");
    world_live(20);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(gcl_cluster_publish(members[0].cluster, "~i", i), 0);
    await("a publish 9; ");
    await("b publish 0; ");
    world_live(20);
    cr_assert_null(strstr(trace, "b publish 1; "));
    cr_assert_eq(world_logged("loses publications for"), 1, "logged once");
    world_end();
}

/* --- requests ------------------------------------------------------------------------------- */

static gcl_result note_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    char text[64];
    (void)self;
    (void)user;
    (void)gcl_term_print(term, text, sizeof text, NULL);
    note("%s %s; ", gcl_error_name(error), text);
    return GCL_CONTINUE;
}

static gcl_result note_message(gcl_server *self, gcl_term message, void *user)
{
    gcl_term news;
    char text[64];
    (void)self;
    (void)user;
    bool is_news = gcl_match(message, "{gen_cluster, _, ~t}", &news);
    (void)gcl_term_print(is_news ? news : message, text, sizeof text, NULL);
    note("told %.20s; ", text);
    return GCL_CONTINUE;
}

static const gcl_handlers asking = {.size = sizeof asking, .handle_info = note_message};

/* The list of members, with their meta, finds no room. */
static void little_queue(gcl_node_config *config)
{
    config->local_queue_bytes = 3000;
}

static void subscribe_from(gcl_server *asker)
{
    cr_assert_eq(gcl_call(asker, gcl_to_pid(gcl_self(server_of(0))), GCL_INFINITY, note_answer,
                          NULL, NULL, "{'$gen_cluster', subscribe, ~p}", gcl_self(asker)),
                 0);
}

static bool has_leader(void)
{
    return !gcl_pid_is_none(gcl_cluster_leader(members[0].cluster));
}

Test(cluster, a_subscription_whose_answer_cannot_be_sent_is_taken_back)
{
    char meta[3600] = "#{a => \"";
    memset(meta + strlen(meta), 'x', 3500);
    strcat(meta, "\"}");
    gcl_cluster_config config = config_of(0);
    begin(1, little_queue);
    config.meta = meta;
    members[0] = (struct member){.letter = 'a'};
    cr_assert_eq(gcl_cluster_start(world.nodes[0].node, &config, &members[0].cluster), 0);
    gcl_server *asker = world_serve(&world.nodes[0], &asking, NULL, NULL);
    world_until(has_leader);
    subscribe_from(asker);
    await("GCL_OK {error,system_limit}; ");
    cr_assert_eq(gcl_cluster_set_meta(members[0].cluster, "#{}"), 0);
    subscribe_from(asker);
    await("GCL_OK {ok,");
    trace[0] = '\0';
    cr_assert_eq(gcl_cluster_leave(members[0].cluster), 0);
    cr_assert_eq(gcl_send(server_of(0), gcl_to_pid(gcl_self(asker)), "last"), 0);
    await("told last; ");
    cr_assert_str_eq(trace, "told {leader,undefined}; told last; ", "by the second one alone");
    world_end();
}

/* --- votes ---------------------------------------------------------------------------------- */

static gcl_result outcome(gcl_cluster *self, int error, const gcl_outcome *outcome, void *user)
{
    (void)self;
    (void)user;
    note("outcome %s %g; ", gcl_error_name(error), outcome->weight);
    return GCL_CONTINUE;
}

Test(cluster, a_vote_without_members_or_offers)
{
    begin(1, NULL);
    cr_assert_eq(start(0, 0), 0);
    gcl_cluster *cluster = members[0].cluster;
    cr_assert_eq(gcl_cluster_call_vote(cluster, NULL, NULL, "work"), GCL_EINVAL);
    cr_assert_eq(gcl_cluster_call_vote(cluster, outcome, NULL, "work"), 0);
    cr_assert_str_eq(trace, "", "never before it returns");
    await("outcome GCL_ENOENT 0; ");
    cr_assert_eq(gcl_cluster_leave(cluster), 0);
    trace[0] = '\0';
    cr_assert_eq(gcl_cluster_run(cluster, outcome, NULL, "work"), 0);
    cr_assert_str_eq(trace, "");
    await("outcome GCL_ENOENT 0; ");
    world_end();
}

Test(cluster, votes_are_canceled_by_the_end)
{
    begin(1, NULL);
    cr_assert_eq(start(0, 0), 0);
    cr_assert_eq(gcl_cluster_call_vote(members[0].cluster, outcome, NULL, "work"), 0);
    cr_assert_eq(gcl_cluster_run(members[0].cluster, outcome, NULL, "work"), 0);
    world_close(&world.nodes[0]);
    cr_assert_not_null(strstr(trace, "outcome GCL_ECANCELED 0; a ends shutdown 1; "));
    unsigned outcomes = 0;
    for (const char *at = trace; (at = strstr(at, "outcome ")) != NULL; at++)
        outcomes++;
    cr_assert_eq(outcomes, 2);
    world_end();
}

/* --- waiting -------------------------------------------------------------------------------- */

static bool are_two(gcl_cluster *self, void *user)
{
    (void)user;
    return gcl_cluster_count(self) == 2;
}

static gcl_result waited(gcl_cluster *self, int error, void *user)
{
    note("%s %s; ", (const char *)user, gcl_error_name(error));
    if (strcmp(user, "again") == 0)
        cr_assert_eq(gcl_cluster_await(self, are_two, GCL_INFINITY, waited, "at once"), 0);
    return GCL_CONTINUE;
}

Test(cluster, waits_until_it_is_so)
{
    begin(2, NULL);
    cr_assert_eq(start(0, 0), 0);
    gcl_cluster *a = members[0].cluster;
    cr_assert_eq(gcl_cluster_await(a, NULL, 1, waited, "nothing"), GCL_EINVAL);
    cr_assert_eq(gcl_cluster_await(a, are_two, 1, waited, "in vain"), 0);
    await("in vain GCL_ETIMEOUT; ");
    cr_assert_eq(gcl_cluster_await(a, are_two, 30000, waited, "again"), 0);
    cr_assert_eq(gcl_cluster_await(a, are_two, GCL_INFINITY, waited, "two"), 0);
    cr_assert_eq(start(1, 0), 0);
    await("at once GCL_OK; ");
    cr_assert_str_eq(trace, "in vain GCL_ETIMEOUT; a join b ab; again GCL_OK; two GCL_OK; at once "
                            "GCL_OK; ");
    cr_assert_eq(gcl_server_stop(server_of(1), "normal"), 0);
    await("a leave b ");
    cr_assert_eq(gcl_cluster_await(a, are_two, GCL_INFINITY, waited, "never"), 0);
    world_close(&world.nodes[0]);
    cr_assert_not_null(strstr(trace, "never GCL_ECANCELED; a ends shutdown"));
    world_end();
}

/* --- no memory ------------------------------------------------------------------------------ */

static gcl_test_memory poor;

static void make_poor(gcl_node_config *config)
{
    config->allocator = &poor.allocator;
}

static void do_everything(struct member *member)
{
    gcl_ref ref;
    if (member->cluster == NULL)
        return;
    gcl_pid self = gcl_self(gcl_cluster_server(member->cluster));
    (void)gcl_cluster_publish(member->cluster, "{~i, [~p]}", 1, self);
    (void)gcl_cluster_set_meta(member->cluster, "#{a => ~i}", 2);
    (void)gcl_cluster_add_child(member->cluster, "child", self);
    if (gcl_cluster_subscribe(member->cluster, self, &ref) == 0)
        (void)gcl_cluster_unsubscribe(member->cluster, ref);
    (void)gcl_cluster_call_vote(member->cluster, outcome, NULL, "work");
    if (gcl_cluster_await(member->cluster, are_two, 5, waited, "poor") != 0)
        note("poor; ");
    (void)gcl_cluster_join(member->cluster, "nobody@localhost");
}

/* Whatever fails, the member goes on or ends, and the others see one or the other. */
static size_t without_memory_from(size_t n)
{
    (void)gcl_test_begin(&poor);
    world_begin();
    world.may_close_with = GCL_ENOMEM;
    trace[0] = '\0';
    members[1].cluster = NULL;
    (void)world_start(0, NULL);
    (void)world_start(1, make_poor);
    world_introduce(&world.nodes[0], &world.nodes[1]);
    world_join(&world.nodes[1], &world.nodes[0]);
    cr_assert_eq(start(0, 0), 0);
    size_t before = poor.attempts;
    gcl_test_fail_at(&poor, n);
    if (start(1, 0) == 0)
        do_everything(&members[1]);
    else
        members[1].cluster = NULL;
    for (int i = 0; i < 10; i++)
        world_live(1);
    do_everything(&members[1]);
    for (int i = 0; i < 10; i++)
        world_live(1);
    size_t attempts = poor.attempts - before;
    gcl_test_fail_at(&poor, 0);
    world_live(5);
    (void)gcl_cluster_leave(members[0].cluster);
    world_end();
    gcl_test_end(&poor);
    return attempts;
}

Test(cluster, without_memory_from_any_point_on_nothing_is_left, .timeout = 120)
{
    size_t attempts = without_memory_from(0), step = world_is_slow() ? 7 : 1;
    cr_assert_gt(attempts, 30);
    for (size_t n = 1; n <= attempts; n += step)
        (void)without_memory_from(n);
}

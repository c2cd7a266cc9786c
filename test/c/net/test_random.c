/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers of three nodes that do to one another whatever there is, inside their handlers, in random
 * order. Nothing particular is expected of it but that each call has one outcome, each server one
 * end, and that at the end nothing is left.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { NAMES = 6, KNOWN = 16, ACTS = 5000 };

/* What the servers of a node have come to know; all of it may be stale. */
struct known {
    gcl_pid pids[KNOWN];
    gcl_ref monitors[KNOWN];
    gcl_ref aliases[KNOWN];
    gcl_caller callers[KNOWN];
    gcl_request requests[KNOWN];
    uint64_t timers[KNOWN];
};

static struct known known[WORLD_NODES];
static uint64_t seed;
static unsigned acts, calls, outcomes, started, ended;

static unsigned draw(unsigned below)
{
    return (unsigned)(gcl_test_random(&seed) % below);
}

static struct known *known_of(gcl_server *self)
{
    struct world_node *node = gcl_node_user(gcl_server_node(self));
    return &known[node - world.nodes];
}

static const char *name_of(unsigned number)
{
    static const char *const names[NAMES] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    return names[number];
}

/* --- what they do --------------------------------------------------------------------------- */

static const gcl_handlers handlers;

static void act(gcl_server *self);

static gcl_result some_result(gcl_server *self)
{
    act(self);
    switch (draw(60)) {
    case 0:
        return GCL_STOP;
    case 1:
        return gcl_stop(self, "{because, ~i}", draw(10));
    case 2:
        return (gcl_result)5;
    default:
        return GCL_CONTINUE;
    }
}

static gcl_result on_outcome(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)error;
    (void)term;
    (void)user;
    outcomes++;
    return some_result(self);
}

static gcl_dest some_dest(struct known *mine)
{
    switch (draw(4)) {
    case 0:
        return gcl_to_name(name_of(draw(NAMES)));
    case 1:
        return gcl_to_remote(name_of(draw(NAMES)), world.nodes[draw(WORLD_NODES)].name);
    case 2:
        return gcl_to_alias(mine->aliases[draw(KNOWN)]);
    default:
        return gcl_to_pid(mine->pids[draw(KNOWN)]);
    }
}

static void start_one(gcl_node *node, const char *name)
{
    gcl_server_config config;
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.name = name;
    config.trap_exit = draw(2) == 0;
    started += gcl_server_start(node, &config, NULL) == 0;
}

static void say(gcl_server *self, struct known *mine)
{
    gcl_dest dest = some_dest(mine);
    switch (draw(6)) {
    case 0:
        (void)gcl_send(self, dest, "{pid, ~p}", gcl_self(self));
        break;
    case 1:
        (void)gcl_send(self, dest, "{system, {~p, ~r}, ~a}", gcl_self(self), gcl_make_ref(self),
                       draw(3) == 0 ? "suspend" : "resume");
        break;
    case 2:
        (void)gcl_send(self, dest, "{system, {~p, ~r}, get_status}", gcl_self(self),
                       gcl_make_ref(self));
        break;
    case 3:
        (void)gcl_send(self, dest, "{io_request, ~p, ~r, getopts}", gcl_self(self),
                       gcl_make_ref(self));
        break;
    case 4:
        (void)gcl_cast(self, dest, "[cast, ~i | ~s]", draw(1000), "text");
        break;
    default:
        calls += gcl_call(self, dest, 1 + draw(30), on_outcome, NULL, &mine->requests[draw(KNOWN)],
                          "{call, ~f}", 1.5) == 0;
    }
}

static void tie(gcl_server *self, struct known *mine)
{
    unsigned place = draw(KNOWN);
    switch (draw(8)) {
    case 0:
    case 1:
        if (gcl_monitor(self, some_dest(mine), &mine->monitors[place]) != 0)
            (void)gcl_demonitor(self, mine->monitors[draw(KNOWN)]);
        break;
    case 2:
        (void)gcl_demonitor(self, mine->monitors[place]);
        break;
    case 3:
        if (gcl_link(self, mine->pids[place]) != 0)
            (void)gcl_unlink(self, mine->pids[draw(KNOWN)]);
        break;
    case 4:
        (void)gcl_unlink(self, mine->pids[place]);
        break;
    case 5:
        (void)gcl_exit(self, mine->pids[place], "~a", draw(3) == 0 ? "kill" : "boom");
        break;
    case 6:
        if (gcl_alias_new(self, &mine->aliases[place]) != 0)
            (void)gcl_unalias(self, mine->aliases[place]);
        break;
    default:
        (void)gcl_unalias(self, mine->aliases[place]);
    }
}

static void change(gcl_server *self, struct known *mine)
{
    gcl_node *node = gcl_server_node(self);
    gcl_server *other = gcl_whereis(node, name_of(draw(NAMES)));
    unsigned place = draw(KNOWN);
    switch (draw(12)) {
    case 0:
        if (gcl_timer_start(self, draw(5), &mine->timers[place]) != 0)
            (void)gcl_timer_cancel(self, mine->timers[place]);
        break;
    case 1:
        (void)gcl_timer_cancel(self, mine->timers[place]);
        break;
    case 2:
        (void)gcl_call_cancel(self, mine->requests[place]);
        break;
    case 3:
        (void)gcl_reply_later(node, mine->callers[place], "{late, ~i}", place);
        break;
    case 4:
        gcl_monitor_nodes(self, draw(2) == 0);
        break;
    case 5:
        gcl_server_set_trap_exit(self, draw(2) == 0);
        break;
    case 6:
        if (other != NULL)
            (void)gcl_server_stop(other, "stopped");
        break;
    case 7:
        start_one(node, draw(2) == 0 ? name_of(draw(NAMES)) : NULL);
        break;
    case 8:
        if (gcl_register(self, name_of(draw(NAMES))) != 0)
            (void)gcl_unregister(self);
        break;
    case 9:
        if (draw(5) == 0)
            (void)gcl_node_disconnect(node, world.nodes[draw(WORLD_NODES)].name);
        break;
    case 10:
        calls += gcl_global_register(self, on_outcome, NULL, "{name, ~i}", draw(4)) == 0;
        break;
    default:
        (void)gcl_global_unregister(self, "{name, ~i}", draw(4));
    }
}

static void act(gcl_server *self)
{
    struct known *mine = known_of(self);
    for (unsigned left = draw(3); left > 0 && acts < ACTS; left--, acts++) {
        switch (draw(3)) {
        case 0:
            say(self, mine);
            break;
        case 1:
            tie(self, mine);
            break;
        default:
            change(self, mine);
        }
    }
}

/* --- what reaches them ---------------------------------------------------------------------- */

static gcl_result handle_call(gcl_server *self, gcl_term request, const gcl_from *from, void *user)
{
    struct known *mine = known_of(self);
    (void)user;
    switch (draw(4)) {
    case 0:
        (void)!gcl_from_keep(from, &mine->callers[draw(KNOWN)]);
        break;
    case 1:
        break;
    default:
        mine->pids[draw(KNOWN)] = gcl_from_pid(from);
        (void)gcl_reply(self, from, "~t", request);
    }
    return some_result(self);
}

static gcl_result handle_term(gcl_server *self, gcl_term message, void *user)
{
    (void)user;
    (void)gcl_match(message, "{pid, ~p}", &known_of(self)->pids[draw(KNOWN)]);
    return some_result(self);
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    (void)ref;
    (void)user;
    cr_assert_eq(gcl_term_check(what), 0);
    cr_assert_eq(gcl_term_check(reason), 0);
    return some_result(self);
}

static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)from;
    (void)user;
    cr_assert_eq(gcl_term_check(reason), 0);
    return some_result(self);
}

static gcl_result handle_node(gcl_server *self, const char *name, bool is_up, gcl_term reason,
                              void *user)
{
    (void)user;
    cr_assert_eq(is_up, gcl_term_is_none(reason));
    cr_assert_not_null(strchr(name, '@'));
    return some_result(self);
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    (void)timer;
    (void)user;
    return some_result(self);
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    (void)user;
    cr_assert_eq(gcl_term_check(reason), 0);
    ended++;
    act(self);
}

static void state(gcl_server *self, gcl_writer *out, void *user)
{
    (void)user;
    act(self);
    (void)gcl_write(out, "{state, ~u}", acts);
}

static const gcl_handlers handlers = {
    .size = sizeof(gcl_handlers),
    .handle_call = handle_call,
    .handle_cast = handle_term,
    .handle_info = handle_term,
    .handle_down = handle_down,
    .handle_exit = handle_exit,
    .handle_node = handle_node,
    .handle_timer = handle_timer,
    .terminate = terminate,
    .state = state,
};

/* --- one life ------------------------------------------------------------------------------- */

static void adjust(gcl_node_config *config)
{
    config->log_level = (gcl_log_level)0;
    config->mailbox_bytes = 4096;
    config->setup_timeout_ms = 500;
    config->max_node_names = 8;
}

/* Whoever is there is sent something, whoever is not is started. */
static void poke(void)
{
    for (int i = 0; i < WORLD_NODES; i++)
        for (unsigned number = 0; number < NAMES; number++) {
            gcl_node *node = world.nodes[i].node;
            gcl_server *server = gcl_whereis(node, name_of(number));
            if (server == NULL)
                start_one(node, name_of(number));
            else
                (void)gcl_send(server, gcl_to_name(name_of(number)),
                               draw(4) == 0 ? "{system, nobody, resume}" : "go");
        }
}

static void live_once(uint64_t begin)
{
    seed = begin;
    acts = calls = outcomes = started = ended = 0;
    memset(known, 0, sizeof known);
    world_begin();
    for (int i = 0; i < WORLD_NODES; i++)
        (void)world_start(i, adjust);
    for (int i = 0; i < WORLD_NODES; i++)
        for (int k = 0; k < WORLD_NODES; k++)
            if (i != k)
                world_introduce(&world.nodes[i], &world.nodes[k]);
    for (unsigned turn = 0; acts < ACTS && turn < 20000; turn++) {
        if (turn % 10 == 0)
            poke();
        ev_run(world.loop, EVRUN_NOWAIT);
    }
    world_end();
    cr_assert_eq(outcomes, calls, "seed %llu: %u calls, %u outcomes", (unsigned long long)begin,
                 calls, outcomes);
    cr_assert_eq(started, ended, "seed %llu: %u servers began, %u ended", (unsigned long long)begin,
                 started, ended);
    cr_assert_geq(acts, ACTS, "seed %llu: %u acts only", (unsigned long long)begin, acts);
}

Test(random, whatever_servers_do_leaves_nothing_behind, .timeout = 300)
{
    uint64_t first = gcl_test_seed();
    unsigned lives = world_is_slow() ? 10 : 40;
    for (unsigned i = 0; i < lives; i++)
        live_once(first + i);
}

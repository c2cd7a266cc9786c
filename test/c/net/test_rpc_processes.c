/* SPDX-License-Identifier: Apache-2.0 */
/* What a node tells about very many processes and ties. With few: test/ct/rpc_SUITE. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "world.h"

enum { MANY = 17000, LISTED_MAX = 16384 };

static struct world_node *at;
static gcl_server *server;
static bool is_told;
static uint32_t counts[3]; /* of the lists in the answer */

static uint32_t count(gcl_term list)
{
    gcl_items items;
    gcl_term item;
    uint32_t counted = 0;
    cr_assert(gcl_items_begin(&items, list));
    while (gcl_items_next(&items, &item))
        counted++;
    cr_assert(gcl_items_is_proper_end(&items));
    return counted;
}

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    gcl_term first, second, third;
    (void)self;
    (void)user;
    cr_assert_eq(error, 0, "%s", gcl_error_name(error));
    if (gcl_match(term, "[{_, ~t}, {_, ~t}, {_, ~t}]", &first, &second, &third)) {
        counts[0] = count(first);
        counts[1] = count(second);
        counts[2] = count(third);
    } else {
        counts[0] = count(term);
    }
    is_told = true;
    return GCL_CONTINUE;
}

static bool has_answer(void)
{
    return is_told;
}

static const gcl_handlers handlers = {.size = sizeof handlers};

static void ask(const char *function, gcl_message arguments)
{
    is_told = false;
    cr_assert_eq(gcl_rpc_call_message(server, gcl_rpc_at(at->name, "erlang", function), 20000,
                                      on_answer, NULL, NULL, arguments),
                 0);
    world_until(has_answer);
}

Test(rpc_processes, no_more_than_so_many_are_listed, .timeout = 120)
{
    char name[32];
    world_begin();
    at = world_start(0, NULL);
    server = world_serve(at, &handlers, NULL, NULL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "server%d", i);
        gcl_server *other = world_serve(at, &handlers, name, NULL);
        cr_assert_eq(gcl_link(server, gcl_self(other)), 0);
    }
    ask("processes", GCL_MESSAGE("[]"));
    cr_assert_eq(counts[0], LISTED_MAX);
    ask("registered", GCL_MESSAGE("[]"));
    cr_assert_eq(counts[0], LISTED_MAX);
    /* All lists of one answer together. */
    ask("process_info", GCL_MESSAGE("[~p, [monitored_by, links, links]]", gcl_self(server)));
    cr_assert_eq(counts[0], 0);
    cr_assert_eq(counts[1], LISTED_MAX);
    cr_assert_eq(counts[2], 0);
    world_end();
}

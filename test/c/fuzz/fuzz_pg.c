/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scopes of other nodes may send, in a row. An input is a sequence of messages: a byte (1: it
 * is a cast, 2: the scope of b@h ends after it, 4: our member joins or leaves), the size in two
 * bytes, and the term. The watch is told of all members that there are.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pg/pg.h"
#include "wire/term/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAST = 1, DOWN = 2, OWN = 4 };

static gcl_term_context *context;
static size_t present; /* members by what the watch was told */

static gcl_pid pid_at(uint32_t node, uint32_t id)
{
    return (gcl_pid){.node = node, .generation = 1, .id = id};
}

/* Four nodes, by the first letter. */
static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    (void)user;
    uint32_t node = wire->node.size > 0 ? (uint32_t)(wire->node.bytes[0] - 'a') % 4 : 3;
    *pid = pid_at(node, wire->id);
    pid->serial = wire->serial;
    return 0;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    static const char names[] = "a@hb@hc@hd@h";
    (void)user;
    *wire = (struct gcl_wire_pid){.node = gcl_str_make(names + 3 * pid->node, 3),
                                  .id = pid->id,
                                  .serial = pid->serial,
                                  .creation = 1};
    return 0;
}

static size_t count_of(gcl_term list)
{
    gcl_items items;
    gcl_term item;
    size_t count = 0;
    bool is_list = gcl_items_begin(&items, list);
    assert(is_list);
    while (gcl_items_next(&items, &item))
        count++;
    assert(gcl_items_is_proper_end(&items) && count > 0);
    return count;
}

static void take_change(gcl_term change)
{
    gcl_term group, pids;
    if (gcl_match(change, "{join, ~t, ~t}", &group, &pids)) {
        present += count_of(pids);
    } else {
        bool is_leave = gcl_match(change, "{leave, ~t, ~t}", &group, &pids);
        assert(is_leave && present >= count_of(pids));
        present -= count_of(pids);
    }
    assert(gcl_term_check(group) == 0);
}

/* A scope in Erlang would end of anything else. */
static void check_sent(gcl_term term)
{
    assert(gcl_match(term, "{'$gen_cast', {sync, _, [_ | _]}}") ||
           gcl_match(term, "{'$gen_cast', {sync, _, []}}") || gcl_match(term, "{discover, _}") ||
           gcl_match(term, "{join, _, own, [_]}") || gcl_match(term, "{leave, _, [_], [own]}"));
}

static void drain(struct gcl_pg_machine *machine)
{
    struct gcl_pg_effect effect;
    while (gcl_pg_machine_next(machine, &effect)) {
        switch (effect.kind) {
        case GCL_PG_SEND:
            check_sent(effect.term);
            break;
        case GCL_PG_TELL:
            take_change(effect.term);
            break;
        case GCL_PG_MONITOR:
            *effect.ref = (gcl_ref){.count = 1};
            if (effect.pid.node == 3) /* one that is not connected */
                gcl_pg_machine_down(machine, effect.pid);
            break;
        case GCL_PG_REFUSED:
        case GCL_PG_IGNORED:
            assert(effect.why != NULL);
            break;
        case GCL_PG_DEMONITOR:
            break;
        }
    }
}

static size_t count_members(struct gcl_pg_machine *machine)
{
    const struct gcl_pg_group *group;
    size_t position = 0, count = 0;
    gcl_pid pid;
    while ((group = gcl_pg_machine_each(machine, &position)) != NULL) {
        struct gcl_pg_walk walk;
        int error = gcl_pg_machine_walk(machine, gcl_pg_group_term(group, context),
                                        GCL_PG_MACHINE_ALL, &walk);
        assert(error == 0);
        while (gcl_pg_walk_next(&walk, &pid))
            count++;
    }
    return count;
}

static void own(struct gcl_pg_machine *machine)
{
    static const uint8_t name[] = {119, 3, 'o', 'w', 'n'};
    static const gcl_ref ref = {.count = 1};
    gcl_term group = gcl_term_make(context, name, sizeof name);
    gcl_pid pid = pid_at(0, 1);
    int error = gcl_pg_machine_has_local(machine, pid)
                    ? gcl_pg_machine_leave(machine, pid, group)
                    : gcl_pg_machine_join(machine, pid, &ref, group);
    assert(error == 0);
    drain(machine);
}

static void run(struct gcl_pg_machine *machine, struct gcl_cursor *input)
{
    uint8_t flags;
    uint16_t size;
    struct gcl_str bytes;
    while (gcl_cursor_u8(input, &flags) && gcl_cursor_u16(input, &size)) {
        if (!gcl_cursor_bytes(input, size, &bytes))
            (void)gcl_cursor_bytes(input, gcl_cursor_left(input), &bytes);
        gcl_term message = gcl_term_of(context, bytes);
        int error = gcl_pg_machine_receive(machine, message, (flags & CAST) != 0);
        assert(error == 0);
        drain(machine);
        if ((flags & OWN) != 0)
            own(machine);
        if ((flags & DOWN) != 0)
            gcl_pg_machine_down(machine, pid_at(1, 9));
        drain(machine);
        assert(count_members(machine) == present);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gcl_term_ids ids = {.pid_in = pid_in, .pid_out = pid_out};
    struct gcl_term_context terms;
    const struct gcl_pg_machine_config config = {.mem = gcl_allocator_default(),
                                                 .context = &terms,
                                                 .self = pid_at(0, 9),
                                                 .limits = {8, 32, 1024},
                                                 .max_peers = 4};
    struct gcl_pg_machine *machine;
    struct gcl_pg_watch watch;
    struct gcl_cursor input = gcl_cursor_make(data, size);
    gcl_term_context_init(&terms, gcl_allocator_default(), &ids, NULL, NULL);
    context = &terms;
    present = 0;
    int error = gcl_pg_machine_new(&config, &machine);
    assert(error == 0);
    error = gcl_pg_machine_watch(machine, &watch, NULL);
    assert(error == 0);
    run(machine, &input);
    gcl_pg_machine_unwatch(machine, &watch);
    gcl_pg_machine_free(machine);
    gcl_term_context_fini(&terms);
    return 0;
}

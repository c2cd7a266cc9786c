/* SPDX-License-Identifier: Apache-2.0 */
/* What a node answers and tells by itself, to a peer that reads so slowly that its program could
 * send no more: it is late, and all of it comes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "node/node.h"
#include "node/translate.h"
#include "raw.h"
#include "wire/flags.h"
#include "world.h"

enum { SOFT = 64 * 1024, KIB = 1024 };

static struct world_node *a;
static struct raw slow;
static gcl_pid asker;     /* of the slow peer */
static gcl_server *mine;  /* "mine", of the node */
static bool is_conflict;  /* `mine` was told of one */
static uint64_t answered; /* frames with output above the soft limit */
static char got[1024];    /* what the peer was told, in order: "to what; " */

/* --- the peer -------------------------------------------------------------------------------- */

static void note(const char *to, struct gcl_str term)
{
    size_t used = strlen(got);
    char text[256];
    (void)gcl_term_print(gcl_term_of(&a->node->terms, term), text, sizeof text, NULL);
    (void)snprintf(got + used, sizeof got - used, "%s%s; ", to, text);
}

/* All but what fills the output. */
static void read_frame(struct raw *peer, const struct gcl_control *control)
{
    (void)peer;
    if (control->op != GCL_CONTROL_SEND)
        return;
    if (control->target == GCL_CONTROL_TO_PID)
        note("", control->term);
    else if (gcl_str_is(control->name, "global_group"))
        note("group: ", control->term);
    else if (gcl_str_is(control->name, "global_group_check"))
        note("check: ", control->term);
}

static struct gcl_wire_pid wire_asker(void)
{
    return (struct gcl_wire_pid){gcl_str_of(slow.name), 5, 0, 77};
}

/* To a server of the node. */
static void say(const char *name, gcl_message message)
{
    gcl_writer *writer = gcl_writer_new(&a->node->terms);
    cr_assert_not_null(writer);
    cr_assert_eq(gcl_write_message(writer, message), 0);
    gcl_term term = gcl_writer_term(writer);
    struct gcl_control control = {.op = GCL_CONTROL_SEND,
                                  .target = GCL_CONTROL_TO_NAME,
                                  .has_from = true,
                                  .from = wire_asker(),
                                  .name = gcl_str_of(name),
                                  .term = gcl_str_make(term.bytes, term.size)};
    raw_signal(&slow, &control);
    gcl_writer_free(writer);
}

/* --- the node -------------------------------------------------------------------------------- */

static void add_frames(const gcl_connection_info *info, void *user)
{
    *(uint64_t *)user += info->frames_out;
}

static uint64_t frames(void)
{
    uint64_t sum = 0;
    gcl_node_each_connection(a->node, add_frames, &sum);
    return sum;
}

static gcl_result handle_info(gcl_server *self, gcl_term message, void *user)
{
    (void)self;
    (void)user;
    is_conflict = is_conflict || gcl_match(message, "{global_name_conflict, shared, _}");
    return GCL_CONTINUE;
}

static void never(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)self;
    (void)task;
    (void)arguments;
    (void)user;
}

static void set_limits(gcl_node_config *config)
{
    config->output_soft_bytes = SOFT;
    config->max_rpc_calls = 1;
}

static void set_group(gcl_node_config *config)
{
    static const char *group[2];
    group[0] = config->name;
    set_limits(config);
    config->global_group = group;
}

/* Fills the output: from here on a message of the program is refused. */
static void begin(void (*adjust)(gcl_node_config *config), uint64_t flags)
{
    static const gcl_handlers handlers = {.size = sizeof handlers, .handle_info = handle_info};
    static const uint8_t zeros[KIB];
    const gcl_bytes payload = {zeros, sizeof zeros};
    struct gcl_wire_pid wire;
    world_begin();
    got[0] = '\0';
    is_conflict = false;
    a = world_start(0, adjust);
    mine = world_serve(a, &handlers, "mine", NULL);
    cr_assert_eq(gcl_rpc_register(a->node, "m", "never", 0, never, NULL), 0);
    raw_init(&slow, "slow");
    slow.config.flags |= flags;
    slow.stops_reading = true;
    slow.frame = read_frame;
    raw_join(&slow, a);
    wire = wire_asker();
    cr_assert_eq(gcl_intern_pid(&a->node->core.names, &wire, &asker), 0);
    while (gcl_cast(mine, gcl_to_remote("nobody", slow.name), "~b", payload) == 0)
        ;
    answered = frames();
}

static bool is_answered(void)
{
    return frames() >= answered;
}

/* So many more frames, while the peer does not read. */
static void await_answers(uint64_t count)
{
    answered += count;
    world_until(is_answered);
    cr_assert_eq(gcl_send(mine, gcl_to_pid(asker), "refused"), GCL_EBUSY);
    cr_assert_eq(frames(), answered);
}

static const char *awaited;

static bool has_come(void)
{
    return strlen(got) >= strlen(awaited);
}

/* The peer reads on, and gets these. */
static void end(const char *all)
{
    awaited = all;
    raw_read_on(&slow);
    world_until(has_come);
    cr_assert_str_eq(got, all);
    raw_close(&slow);
    world_end();
}

Test(owed, answers_of_rex_come_above_the_soft_limit)
{
    char all[512];
    begin(set_limits, 0);
    say("rex", GCL_MESSAGE("{~p, features_request}", asker));
    say("rex", GCL_MESSAGE("{~p, {sbcast, mine, hello}}", asker));
    say("rex", GCL_MESSAGE("{~p, {sbcast, nobody, hello}}", asker));
    say("rex", GCL_MESSAGE("{~p, {call, m, never, [], user}}", asker));
    say("rex", GCL_MESSAGE("{~p, {call, m, never, [], user}}", asker));
    await_answers(4);
    (void)snprintf(all, sizeof all,
                   "{features_reply,'%s',[erpc]}; {rex,'%s','%s'}; "
                   "{rex,'%s',{nonexisting_name,nobody}}; {rex,{badrpc,{'EXIT',system_limit}}}; ",
                   a->name, a->name, a->name, a->name);
    end(all);
}

static bool is_told(void)
{
    return is_conflict;
}

Test(owed, conflicts_of_names_are_told_above_the_soft_limit)
{
    static const uint8_t notify_all[] = "\x71\x77\x06global\x77\x0fnotify_all_name\x61\x03";
    static const uint8_t random_notify[] = "\x71\x77\x06global\x77\x12random_notify_name\x61\x03";
    char all[512], pid[64];
    gcl_pid here;
    gcl_term methods[2];
    begin(set_limits, 0);
    here = gcl_self(mine);
    methods[0] = gcl_term_of(&a->node->terms, gcl_str_make(notify_all, sizeof notify_all - 1));
    methods[1] =
        gcl_term_of(&a->node->terms, gcl_str_make(random_notify, sizeof random_notify - 1));
    for (int i = 0; i < 2; i++) {
        say("rex", GCL_MESSAGE("{~p, {call, global, resolve_it, [~t, shared, ~p, ~p], user}}",
                               asker, methods[i], asker, here));
        await_answers(2); /* and that of the call */
    }
    world_until(is_told);
    gcl_writer *writer = gcl_writer_new(&a->node->terms);
    cr_assert_eq(gcl_write(writer, "~p", here), 0);
    (void)gcl_term_print(gcl_writer_term(writer), pid, sizeof pid, NULL);
    gcl_writer_free(writer);
    (void)snprintf(all, sizeof all,
                   "{global_name_conflict,shared,%s}; {rex,none}; "
                   "{global_name_conflict,shared}; {rex,%s}; ",
                   pid, pid);
    end(all);
}

Test(owed, nodes_of_other_groups_are_told_above_the_soft_limit)
{
    char all[512];
    begin(set_group, GCL_FLAG(PUBLISHED));
    say("global_group", GCL_MESSAGE("{'$gen_cast', {conf_check, 2, ~a, from, sync, x, [~a]}}",
                                    (const char *)slow.name, (const char *)slow.name));
    await_answers(2);
    (void)snprintf(all, sizeof all,
                   "group: {disconnect_node,'%s'}; group: {disconnect_node,'%s'}; "
                   "check: {config_error,2,from,'%s'}; ",
                   a->name, a->name, a->name);
    end(all);
}

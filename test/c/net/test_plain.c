/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer without EXIT_PAYLOAD and UNLINK_ID, as OTP 23 may be: reasons stand inside of the control
 * message, and unlinking is not acknowledged.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "raw.h"
#include "wire/flags.h"
#include "world.h"

static struct world_node *a;
static struct raw raw;
static gcl_server *server;
static char trace[1024];

static void note(const char *what, gcl_term reason)
{
    gcl_bytes atom;
    size_t used = strlen(trace);
    cr_assert(gcl_match(reason, "~a", &atom));
    (void)snprintf(trace + used, sizeof trace - used, "%s %.*s; ", what, (int)atom.size,
                   (const char *)atom.bytes);
}

static gcl_result handle_exit(gcl_server *self, gcl_pid from, gcl_term reason, void *user)
{
    (void)self;
    (void)user;
    (void)from;
    note("exit", reason);
    return GCL_CONTINUE;
}

static gcl_result handle_down(gcl_server *self, gcl_ref ref, gcl_term what, gcl_term reason,
                              void *user)
{
    (void)self;
    (void)ref;
    (void)what;
    (void)user;
    note("down", reason);
    return GCL_CONTINUE;
}

static const gcl_handlers handlers = {
    .size = sizeof handlers, .handle_exit = handle_exit, .handle_down = handle_down};

/* The last control message that came, with a reason that is an atom. */
static struct gcl_control last;
static char last_reason[64];

static void keep(struct raw *peer, const struct gcl_control *control)
{
    (void)peer;
    last = *control;
    last_reason[0] = '\0';
    if (control->term.size > 2)
        (void)snprintf(last_reason, sizeof last_reason, "%.*s", (int)control->term.size - 2,
                       (const char *)control->term.bytes + 2);
    if (control->op == GCL_CONTROL_EXIT || control->op == GCL_CONTROL_DOWN) {
        size_t used = strlen(trace);
        (void)snprintf(trace + used, sizeof trace - used, "%s %s; ",
                       gcl_control_op_name(control->op), last_reason);
    }
}

static bool have_both(void)
{
    return strstr(trace, "EXIT") != NULL && strstr(trace, "DOWN") != NULL;
}

static enum gcl_control_op awaited_op;

static bool has_come(void)
{
    return last.op == awaited_op;
}

static void await(enum gcl_control_op op)
{
    awaited_op = op;
    world_until(has_come);
}

static const char *awaited_text;

static bool is_noted(void)
{
    return strstr(trace, awaited_text) != NULL;
}

static void await_note(const char *text)
{
    awaited_text = text;
    world_until(is_noted);
}

static struct gcl_control make(enum gcl_control_op op)
{
    gcl_pid pid = gcl_self(server);
    struct gcl_control control = {
        .op = op,
        .has_from = true,
        .from = {gcl_str_of(raw.name), 5, 0, 77},
        .to = {gcl_str_of(a->name), pid.id, pid.serial, gcl_node_creation(a->node)},
        .ref = {.node = gcl_str_of(raw.name), .creation = 77, .words = {1, 2, 3}, .count = 3},
        .term = gcl_str_of("\x77\x03"
                           "why")};
    return control;
}

static void tell(enum gcl_control_op op)
{
    struct gcl_control control = make(op);
    raw_signal(&raw, &control);
}

static void add_frames(const gcl_connection_info *info, void *user)
{
    *(uint64_t *)user += info->frames_in;
}

static uint64_t wanted_frames;

static bool has_frames(void)
{
    uint64_t sum = 0;
    gcl_node_each_connection(a->node, add_frames, &sum);
    return sum == wanted_frames;
}

/* So many have been handled by the node. */
static void await_frames(uint64_t count)
{
    wanted_frames = count;
    world_until(has_frames);
}

static void begin(void)
{
    world_begin();
    trace[0] = '\0';
    last.op = GCL_CONTROL_OPS;
    a = world_start(0, NULL);
    server = world_serve(a, &handlers, "server", NULL);
    gcl_server_set_trap_exit(server, true);
    raw_init(&raw, "raw");
    raw.config.flags &= ~(GCL_FLAG(EXIT_PAYLOAD) | GCL_FLAG(UNLINK_ID));
    raw.frame = keep;
    raw_join(&raw, a);
}

static void end(void)
{
    raw_close(&raw);
    world_end();
}

Test(plain, reasons_come_inside_of_control_messages)
{
    gcl_ref ref;
    begin();
    tell(GCL_CONTROL_EXIT2);
    await_note("exit why; ");
    trace[0] = '\0';
    tell(GCL_CONTROL_LINK);
    tell(GCL_CONTROL_EXIT);
    await_note("exit why; ");
    cr_assert_eq(gcl_monitor(server, gcl_to_remote("somebody", raw.name), &ref), 0);
    await(GCL_CONTROL_MONITOR);
    struct gcl_control down = make(GCL_CONTROL_DOWN);
    down.has_from = false;
    down.name = gcl_str_of("somebody");
    down.ref = (struct gcl_wire_ref){
        .node = gcl_str_of(a->name), .creation = gcl_node_creation(a->node), .count = ref.count};
    memcpy(down.ref.words, ref.words, sizeof down.ref.words);
    raw_signal(&raw, &down);
    await_note("down why; ");
    end();
}

Test(plain, reasons_leave_inside_of_control_messages)
{
    begin();
    tell(GCL_CONTROL_LINK);
    tell(GCL_CONTROL_MONITOR);
    await_frames(2);
    cr_assert_eq(gcl_server_stop(server, "over"), 0);
    world_until(have_both);
    cr_assert_str_eq(trace, "EXIT over; DOWN over; ");
    end();
}

Test(plain, unlinking_is_not_acknowledged)
{
    begin();
    tell(GCL_CONTROL_LINK);
    tell(GCL_CONTROL_UNLINK);
    tell(GCL_CONTROL_MONITOR);
    await_frames(3);
    cr_assert_eq(gcl_server_stop(server, "over"), 0);
    await(GCL_CONTROL_DOWN);
    cr_assert_str_eq(last_reason, "over");
    cr_assert_eq(world_logged("node_down"), 0);
    end();
}

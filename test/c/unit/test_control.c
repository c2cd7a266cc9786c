/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "support/golden.h"
#include "wire/control.h"
#include "wire/flags.h"
#include "wire/frame.h"
#include "wire/term/walk.h"

enum { CODES = 38 };

static const uint64_t full = GCL_FLAGS_RECOMMENDED;
static const uint64_t plain =
    GCL_FLAGS_RECOMMENDED & ~(GCL_FLAG(SEND_SENDER) | GCL_FLAG(EXIT_PAYLOAD) | GCL_FLAG(UNLINK_ID));

static int decode(struct gcl_str body, struct gcl_control *control, const char **wrong)
{
    static struct gcl_control_scratch scratch;
    memset(control, 0x5A, sizeof *control);
    *wrong = "nothing";
    return gcl_control_decode(body, control, &scratch, wrong);
}

static struct gcl_str body_of(struct gcl_str frame)
{
    return gcl_str_make(frame.bytes + 4, frame.size - 4);
}

static struct gcl_str held(const struct gcl_buffer *buffer)
{
    return gcl_str_make(gcl_buffer_bytes(buffer), gcl_buffer_size(buffer));
}

/* The number behind {, in the tuple. */
static unsigned code_of(struct gcl_str frame)
{
    cr_assert(frame.bytes[6] == 104 && frame.bytes[8] == 97);
    return frame.bytes[9];
}

/* --- what BEAM sends ------------------------------------------------------------------------ */

static void golden_both_ways(const char *name, uint64_t flags, const char *codes_expected)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_golden_file file = gcl_golden_load(name);
    bool seen[CODES] = {false};
    char codes[CODES * 4] = "";
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    for (size_t i = 0; i < file.count; i++) {
        struct gcl_control control;
        struct gcl_str packet = file.lines[i].packet;
        const char *wrong;
        if (packet.size == 4)
            continue;
        seen[code_of(packet)] = true;
        cr_assert_eq(decode(body_of(packet), &control, &wrong), 0, "line %zu: %s", i, wrong);
        gcl_buffer_clear(&out);
        cr_assert_eq(gcl_control_encode(&out, flags, &control), 0);
        cr_assert(gcl_str_equal(held(&out), packet), "line %zu is written otherwise", i);
        if (control.op == GCL_CONTROL_SEND) {
            struct gcl_cursor at = gcl_cursor_make(control.term.bytes, control.term.size);
            cr_assert_eq(gcl_term_walk(&at), 0);
            cr_assert_eq(gcl_cursor_left(&at), 0);
        }
    }
    for (unsigned code = 0; code < CODES; code++)
        if (seen[code])
            (void)snprintf(codes + strlen(codes), 5, "%u ", code);
    cr_assert_str_eq(codes, codes_expected);
    gcl_buffer_fini(&out);
    gcl_golden_free(&file);
    gcl_test_end(&mem);
}

Test(control, golden_bytes_both_ways)
{
    golden_both_ways("control.txt", full, "1 6 7 16 19 20 22 23 24 26 28 29 30 31 32 33 34 35 36 ");
}

Test(control, golden_bytes_of_plain_forms_both_ways)
{
    golden_both_ways("control_plain.txt", plain, "1 2 3 4 6 7 8 12 16 19 20 21 29 30 31 32 33 34 ");
}

/* Only the payload of a message, and of a request to spawn, is not looked at, and even that is more
 * than nothing. */
static void truncate_all(const char *name)
{
    struct gcl_golden_file file = gcl_golden_load(name);
    for (size_t i = 0; i < file.count; i++) {
        struct gcl_str body = body_of(file.lines[i].packet);
        struct gcl_control control;
        const char *wrong;
        if (body.size == 0)
            continue;
        cr_assert_eq(decode(body, &control, &wrong), 0);
        size_t least = body.size;
        if (control.op == GCL_CONTROL_SEND || control.op == GCL_CONTROL_SPAWN_REQUEST)
            least = (size_t)(control.term.bytes - body.bytes) + 1;
        for (size_t size = 0; size < body.size; size++) {
            int error = decode(gcl_str_make(body.bytes, size), &control, &wrong);
            cr_assert_eq(error, size < least ? GCL_EPROTO : 0, "line %zu size %zu", i, size);
        }
    }
    gcl_golden_free(&file);
}

Test(control, every_truncation_is_refused)
{
    truncate_all("control.txt");
    truncate_all("control_plain.txt");
}

/* --- every op, there and back --------------------------------------------------------------- */

static struct gcl_str atom(const char *text)
{
    static uint8_t bytes[8][64];
    static size_t next;
    uint8_t *at = bytes[next++ % 8];
    at[0] = 119;
    at[1] = (uint8_t)strlen(text);
    memcpy(at + 2, text, strlen(text));
    return gcl_str_make(at, 2 + strlen(text));
}

static struct gcl_control sample(enum gcl_control_op op)
{
    struct gcl_control control = {
        .op = op,
        .has_from = true,
        .from = {gcl_str_of("from@host"), 1, 2, 3},
        .to = {gcl_str_of("to@host"), 4, 5, 6},
        .leader = {gcl_str_of("leader@host"), 7, 8, 9},
        .ref = {gcl_str_of("ref@host"), 10, 3, {11, 12, 13}},
        .name = gcl_str_of("name"),
        .unlink_id = 0x123456789A,
        .module = gcl_str_of("module"),
        .function = gcl_str_of("function"),
        .arity = 255,
        .spawn_flags = GCL_CONTROL_SPAWN_LINK | GCL_CONTROL_SPAWN_MONITOR,
    };
    control.term = atom("term");
    control.token = atom("token");
    control.options = atom("options");
    return control;
}

static bool has_term(enum gcl_control_op op)
{
    return op == GCL_CONTROL_SEND || op == GCL_CONTROL_EXIT || op == GCL_CONTROL_EXIT2 ||
           op == GCL_CONTROL_DOWN || op == GCL_CONTROL_SPAWN_REQUEST;
}

static void same_pid(const struct gcl_wire_pid *a, const struct gcl_wire_pid *b)
{
    cr_assert(gcl_str_equal(a->node, b->node) && a->id == b->id && a->serial == b->serial &&
              a->creation == b->creation);
}

static void same(const struct gcl_control *a, const struct gcl_control *b)
{
    cr_assert_eq(a->op, b->op);
    cr_assert_eq(a->target, b->target);
    cr_assert_eq(a->has_from, b->has_from);
    cr_assert_eq(a->has_token, b->has_token);
    if (a->has_from)
        same_pid(&a->from, &b->from);
    if (a->has_token)
        cr_assert(gcl_str_equal(a->token, b->token));
    if (has_term(a->op))
        cr_assert(gcl_str_equal(a->term, b->term));
    if (a->target == GCL_CONTROL_TO_NAME)
        cr_assert(gcl_str_equal(a->name, b->name));
    if (a->target == GCL_CONTROL_TO_PID && a->op != GCL_CONTROL_SPAWN_REQUEST)
        same_pid(&a->to, &b->to);
    if (a->target == GCL_CONTROL_TO_ALIAS || a->op == GCL_CONTROL_MONITOR ||
        a->op == GCL_CONTROL_DOWN || a->op == GCL_CONTROL_SPAWN_REPLY)
        cr_assert(gcl_str_equal(a->ref.node, b->ref.node) && a->ref.count == b->ref.count &&
                  memcmp(a->ref.words, b->ref.words, sizeof a->ref.words) == 0);
    if (a->op == GCL_CONTROL_UNLINK || a->op == GCL_CONTROL_UNLINK_ACK)
        cr_assert_eq(a->unlink_id, b->unlink_id);
    if (a->op == GCL_CONTROL_SPAWN_REPLY)
        cr_assert_eq(a->spawn_flags, b->spawn_flags);
    if (a->op == GCL_CONTROL_SPAWN_REQUEST) {
        same_pid(&a->leader, &b->leader);
        cr_assert(gcl_str_equal(a->module, b->module) && gcl_str_equal(a->function, b->function) &&
                  a->arity == b->arity && gcl_str_equal(a->options, b->options));
    }
}

/* Encodes, looks at the code, decodes and compares. */
static void there_and_back(const struct gcl_control *control, uint64_t flags, unsigned code)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_frame cut;
    struct gcl_control back;
    const char *wrong;
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    cr_assert_eq(gcl_control_encode(&out, flags, control), 0, "code %u", code);
    cr_assert_eq(code_of(held(&out)), code);
    cr_assert_eq(gcl_frame_cut(&out, 10000, &cut), 0);
    cr_assert_eq(cut.kind, GCL_FRAME_BODY);
    cr_assert_eq(cut.size, gcl_buffer_size(&out));
    cr_assert_eq(decode(cut.body, &back, &wrong), 0, "code %u: %s", code, wrong);
    same(control, &back);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

Test(control, every_op_in_every_form_that_is_negotiated)
{
    static const struct {
        enum gcl_control_op op;
        unsigned full, plain, full_token, plain_token;
    } table[] = {
        {GCL_CONTROL_SEND, 22, 2, 23, 12},         {GCL_CONTROL_EXIT, 24, 3, 25, 13},
        {GCL_CONTROL_EXIT2, 26, 8, 27, 18},        {GCL_CONTROL_LINK, 1, 1, 0, 0},
        {GCL_CONTROL_UNLINK_ACK, 36, 0, 0, 0},     {GCL_CONTROL_MONITOR, 19, 19, 0, 0},
        {GCL_CONTROL_DEMONITOR, 20, 20, 0, 0},     {GCL_CONTROL_DOWN, 28, 21, 0, 0},
        {GCL_CONTROL_GROUP_LEADER, 7, 7, 0, 0},    {GCL_CONTROL_SPAWN_REQUEST, 29, 29, 30, 30},
        {GCL_CONTROL_SPAWN_REPLY, 31, 31, 32, 32}, {GCL_CONTROL_UNLINK, 35, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct gcl_control control = sample(table[i].op);
        there_and_back(&control, full, table[i].full);
        if (table[i].plain != 0 && table[i].op != GCL_CONTROL_SEND)
            there_and_back(&control, plain, table[i].plain);
        control.has_token = true;
        if (table[i].full_token != 0)
            there_and_back(&control, full, table[i].full_token);
        if (table[i].plain_token != 0 && table[i].op != GCL_CONTROL_SEND)
            there_and_back(&control, plain, table[i].plain_token);
        control.has_from = table[i].op != GCL_CONTROL_SEND;
        if (!control.has_from) {
            there_and_back(&control, plain, table[i].plain_token);
            control.has_token = false;
            there_and_back(&control, full, table[i].plain);
        }
    }
}

Test(control, targets_and_sources_by_name_and_alias)
{
    struct gcl_control control = sample(GCL_CONTROL_SEND);
    control.target = GCL_CONTROL_TO_NAME;
    there_and_back(&control, full, 6);
    control.has_token = true;
    there_and_back(&control, full, 16);
    control.target = GCL_CONTROL_TO_ALIAS;
    there_and_back(&control, full, 34);
    control.has_token = false;
    there_and_back(&control, full, 33);
    control = sample(GCL_CONTROL_MONITOR);
    control.target = GCL_CONTROL_TO_NAME;
    there_and_back(&control, full, 19);
    control.op = GCL_CONTROL_DEMONITOR;
    there_and_back(&control, full, 20);
    control = sample(GCL_CONTROL_DOWN);
    control.has_from = false;
    there_and_back(&control, full, 28);
    there_and_back(&control, plain, 21);
    control = sample(GCL_CONTROL_SPAWN_REPLY);
    control.has_from = false;
    there_and_back(&control, full, 31);
    control = sample(GCL_CONTROL_UNLINK);
    control.unlink_id = 0;
    there_and_back(&control, plain, 4);
}

Test(control, unlink_ids_of_all_sizes)
{
    static const uint64_t ids[] = {1,
                                   255,
                                   256,
                                   INT32_MAX,
                                   INT32_MAX + UINT64_C(1),
                                   UINT32_MAX,
                                   UINT64_C(1) << 32,
                                   INT64_MAX,
                                   UINT64_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct gcl_control control = sample(GCL_CONTROL_UNLINK);
        control.unlink_id = ids[i];
        there_and_back(&control, full, 35);
    }
}

Test(control, arities_of_all_sizes)
{
    static const uint32_t arities[] = {0, 255, 256, 100000, UINT32_MAX};
    for (size_t i = 0; i < sizeof arities / sizeof arities[0]; i++) {
        struct gcl_control control = sample(GCL_CONTROL_SPAWN_REQUEST);
        control.arity = arities[i];
        there_and_back(&control, full, 29);
    }
}

Test(control, longest_names)
{
    static char name[GCL_ATOM_MAX_BYTES];
    for (size_t i = 0; i < 255; i++)
        memcpy(name + 4 * i, "\xF0\x9F\x98\x80", 4);
    struct gcl_control control = sample(GCL_CONTROL_SPAWN_REQUEST);
    control.from.node = control.leader.node = control.ref.node = control.module = control.function =
        gcl_str_make(name, sizeof name);
    there_and_back(&control, full, 29);
}

Test(control, what_the_peer_cannot_be_told_is_refused)
{
    static const struct {
        enum gcl_control_op op;
        enum gcl_control_target target;
        bool has_from;
        uint64_t flags;
        int error;
    } table[] = {
        {GCL_CONTROL_SEND, GCL_CONTROL_TO_ALIAS, true, 0, GCL_ENOTSUP},
        {GCL_CONTROL_SEND, GCL_CONTROL_TO_ALIAS, false, GCL_FLAG(ALIAS), GCL_EINVAL},
        {GCL_CONTROL_SEND, GCL_CONTROL_TO_NAME, false, full, GCL_EINVAL},
        {GCL_CONTROL_SEND, (enum gcl_control_target)9, true, full, GCL_EINVAL},
        {GCL_CONTROL_UNLINK_ACK, GCL_CONTROL_TO_PID, true, 0, GCL_ENOTSUP},
        {GCL_CONTROL_MONITOR, GCL_CONTROL_TO_PID, true, GCL_FLAG(DIST_MONITOR), GCL_ENOTSUP},
        {GCL_CONTROL_DEMONITOR, GCL_CONTROL_TO_PID, true, 0, GCL_ENOTSUP},
        {GCL_CONTROL_MONITOR, GCL_CONTROL_TO_ALIAS, true, full, GCL_EINVAL},
        {GCL_CONTROL_EXIT2, GCL_CONTROL_TO_NAME, true, full, GCL_EINVAL},
        {GCL_CONTROL_SPAWN_REQUEST, GCL_CONTROL_TO_PID, true, 0, GCL_ENOTSUP},
        {GCL_CONTROL_SPAWN_REPLY, GCL_CONTROL_TO_PID, true, 0, GCL_ENOTSUP},
        {GCL_CONTROL_OPS, GCL_CONTROL_TO_PID, true, full, GCL_EINVAL},
    };
    gcl_test_memory mem;
    struct gcl_buffer out;
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct gcl_control control = sample(table[i].op);
        control.target = table[i].target;
        control.has_from = table[i].has_from;
        cr_assert_eq(gcl_control_encode(&out, table[i].flags, &control), table[i].error, "%zu", i);
    }
    struct gcl_control control = sample(GCL_CONTROL_UNLINK);
    control.unlink_id = 0;
    cr_assert_eq(gcl_control_encode(&out, full, &control), GCL_EINVAL);
    control.op = GCL_CONTROL_UNLINK_ACK;
    cr_assert_eq(gcl_control_encode(&out, full, &control), GCL_EINVAL);
    control = sample(GCL_CONTROL_EXIT);
    control.term.size = 0;
    cr_assert_eq(gcl_control_encode(&out, full, &control), GCL_EINVAL);
    size_t mark;
    control.op = GCL_CONTROL_LINK;
    cr_assert_eq(gcl_control_begin(&out, full, &control, &mark), GCL_EINVAL);
    cr_assert_eq(gcl_buffer_size(&out), 0);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

/* --- straight into the buffer --------------------------------------------------------------- */

Test(control, begin_and_end_write_what_encode_writes)
{
    static const uint64_t flags[] = {full, plain};
    for (int op = 0; op < GCL_CONTROL_OPS; op++) {
        for (size_t i = 0; i < 2; i++) {
            gcl_test_memory mem;
            const gcl_allocator *allocator = gcl_test_begin(&mem);
            struct gcl_buffer whole, pieces;
            struct gcl_control control = sample((enum gcl_control_op)op);
            size_t mark;
            if (!has_term(control.op))
                continue;
            gcl_buffer_init(&whole, allocator, 0);
            gcl_buffer_init(&pieces, allocator, 0);
            cr_assert_eq(gcl_control_encode(&whole, flags[i], &control), 0);
            cr_assert_eq(gcl_control_begin(&pieces, flags[i], &control, &mark), 0);
            cr_assert_eq(gcl_buffer_append_str(&pieces, control.term), 0);
            cr_assert_eq(gcl_control_end(&pieces, mark, 1000), 0);
            cr_assert(gcl_str_equal(held(&whole), held(&pieces)));
            /* Behind something else, and taken back. */
            struct gcl_str before = held(&pieces);
            cr_assert_eq(gcl_control_begin(&pieces, flags[i], &control, &mark), 0);
            cr_assert_eq(gcl_buffer_append_str(&pieces, control.term), 0);
            cr_assert_eq(gcl_control_end(&pieces, mark, 10), GCL_ELIMIT);
            cr_assert_eq(gcl_buffer_size(&pieces), before.size);
            gcl_buffer_fini(&whole);
            gcl_buffer_fini(&pieces);
            gcl_test_end(&mem);
        }
    }
}

Test(control, a_message_that_does_not_fit_leaves_no_byte)
{
    for (int op = 0; op < GCL_CONTROL_OPS; op++) {
        struct gcl_control control = sample((enum gcl_control_op)op);
        gcl_test_memory mem;
        struct gcl_buffer out;
        gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
        int error = GCL_ELIMIT;
        for (out.limit = 1; error == GCL_ELIMIT; out.limit++) {
            error = gcl_control_encode(&out, full, &control);
            cr_assert(error == 0 || gcl_buffer_size(&out) == 0);
        }
        cr_assert_eq(error, 0);
        gcl_buffer_fini(&out);
        out.limit = 0;
        gcl_test_fail_at(&mem, 1);
        cr_assert_eq(gcl_control_encode(&out, full, &control), GCL_ENOMEM);
        cr_assert_eq(gcl_buffer_size(&out), 0);
        gcl_buffer_fini(&out);
        gcl_test_end(&mem);
    }
}

Test(control, a_warm_buffer_is_written_without_allocation)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_control control = sample(GCL_CONTROL_SEND), back;
    struct gcl_control_scratch scratch;
    const char *wrong;
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    cr_assert_eq(gcl_control_encode(&out, full, &control), 0);
    size_t before = mem.attempts;
    for (int i = 0; i < 10000; i++) {
        gcl_buffer_clear(&out);
        cr_assert_eq(gcl_control_encode(&out, full, &control), 0);
        cr_assert_eq(gcl_control_decode(body_of(held(&out)), &back, &scratch, &wrong), 0);
    }
    cr_assert_eq(mem.attempts, before);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

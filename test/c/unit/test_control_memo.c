/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"
#include "support/golden.h"
#include "wire/control_memo.h"

static int decode(struct gcl_str body, struct gcl_control *control)
{
    static struct gcl_control_scratch scratch;
    const char *wrong;
    memset(control, 0x5A, sizeof *control);
    return gcl_control_decode(body, control, &scratch, &wrong);
}

static void same(const struct gcl_control *a, const struct gcl_control *b)
{
    cr_assert(a->op == b->op && a->target == b->target && a->has_from == b->has_from &&
              a->has_token == b->has_token && a->has_priority == b->has_priority);
    cr_assert(!a->has_from ||
              (gcl_str_equal(a->from.node, b->from.node) && a->from.id == b->from.id &&
               a->from.serial == b->from.serial && a->from.creation == b->from.creation));
    cr_assert_eq(a->term.bytes, b->term.bytes);
    cr_assert_eq(a->term.size, b->term.size);
    if (a->target == GCL_CONTROL_TO_PID)
        cr_assert(gcl_str_equal(a->to.node, b->to.node) && a->to.id == b->to.id);
    else if (a->target == GCL_CONTROL_TO_NAME)
        cr_assert(gcl_str_equal(a->name, b->name));
    else
        cr_assert(gcl_str_equal(a->ref.node, b->ref.node) && a->ref.words[0] == b->ref.words[0]);
}

/* Each message of OTP again, with another payload, from a body that is gone by then. */
static void recall_all(const char *name)
{
    struct gcl_golden_file file = gcl_golden_load(name);
    size_t remembered = 0;
    for (size_t i = 0; i < file.count; i++) {
        struct gcl_str packet = file.lines[i].packet;
        struct gcl_str body = gcl_str_make(packet.bytes + 4, packet.size - 4);
        struct gcl_control_memo memo;
        struct gcl_control control;
        uint8_t copy[1000];
        gcl_control_memo_init(&memo);
        cr_assert_null(gcl_control_recall(&memo, body));
        if (body.size == 0)
            continue;
        memcpy(copy, body.bytes, body.size);
        cr_assert_eq(decode(gcl_str_make(copy, body.size), &control), 0);
        bool is_plain_send = control.op == GCL_CONTROL_SEND && !control.has_token;
        gcl_control_remember(&memo, gcl_str_make(copy, body.size), &control);
        memset(copy, 0, sizeof copy);
        const struct gcl_control *again = gcl_control_recall(&memo, body);
        cr_assert_eq(again != NULL, is_plain_send, "line %zu", i);
        if (again == NULL)
            continue;
        remembered++;
        cr_assert_eq(decode(body, &control), 0);
        same(again, &control);
        /* Another tuple, a tuple alone, a shorter one: no. */
        size_t head = body.size - control.term.size;
        for (size_t at = 0; at < head; at++) {
            memcpy(copy, body.bytes, body.size);
            copy[at] ^= 1;
            cr_assert_null(gcl_control_recall(&memo, gcl_str_make(copy, body.size)));
            cr_assert_null(gcl_control_recall(&memo, gcl_str_make(body.bytes, at)));
        }
        cr_assert_null(gcl_control_recall(&memo, gcl_str_make(body.bytes, head)));
        cr_assert_not_null(gcl_control_recall(&memo, gcl_str_make(body.bytes, head + 1)));
    }
    cr_assert_gt(remembered, 10);
    gcl_golden_free(&file);
}

Test(control_memo, the_same_tuple_means_the_same)
{
    recall_all("control.txt");
    recall_all("control_plain.txt");
}

#define TO_LATIN1 "\x70\x83\x68\4\x61\6\x58\x77\1n\0\0\0\1\0\0\0\2\0\0\0\3\x77\0\x73\1\xE4\x83\x6a"

Test(control_memo, what_stands_elsewhere_or_is_long_is_not_remembered)
{
    struct gcl_control_memo memo;
    struct gcl_control control;
    struct gcl_str body = gcl_str_make(TO_LATIN1, sizeof TO_LATIN1 - 1);
    gcl_control_memo_init(&memo);
    cr_assert_eq(decode(body, &control), 0);
    gcl_control_remember(&memo, body, &control);
    cr_assert_null(gcl_control_recall(&memo, body));

    uint8_t bytes[512] = "\x70\x83\x68\3\x61\2\x77\0\x58\x77";
    for (unsigned size = 1; size < 256; size++) {
        bytes[10] = (uint8_t)size;
        memset(bytes + 11, 'n', size);
        memset(bytes + 11 + size, 0, 12);
        memcpy(bytes + 11 + size + 12, "\x83\x6a", 2);
        body = gcl_str_make(bytes, 11 + size + 14);
        gcl_control_memo_init(&memo);
        cr_assert_eq(decode(body, &control), 0);
        gcl_control_remember(&memo, body, &control);
        bool fits = body.size - 1 <= GCL_CONTROL_MEMO_BYTES;
        cr_assert_eq(gcl_control_recall(&memo, body) != NULL, fits);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a control message must not be, byte by byte; and the forms that only OTP 29 has. */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "wire/control.h"

#define FROM "\x58\x77\3f@h\0\0\0\1\0\0\0\2\0\0\0\3"
#define TO "\x58\x77\3t@h\0\0\0\1\0\0\0\2\0\0\0\3"
#define REF "\x5a\0\1\x77\3t@h\0\0\0\1\0\0\0\2"
#define ATOM "\x77\4name"
#define EMPTY "\x77\0"
#define NIL "\x6a"
#define PAYLOAD "\x83\x77\2ok"
#define MFA "\x68\3\x77\1m\x77\1f\x61\1"
#define TUPLE(arity, code) "\x70\x83\x68" arity "\x61" code

/* 0, or GCL_EPROTO for a reason that begins with `why`. */
static void decodes(const char *bytes, size_t size, const char *why)
{
    struct gcl_control control;
    struct gcl_control_scratch scratch;
    const char *wrong = NULL;
    int error = gcl_control_decode(gcl_str_make(bytes, size), &control, &scratch, &wrong);
    if (why == NULL) {
        cr_assert_eq(error, 0, "%s", wrong);
        return;
    }
    cr_assert_eq(error, GCL_EPROTO, "taken, not refused: %s", why);
    cr_assert_not_null(wrong);
    cr_assert_eq(strncmp(wrong, why, strlen(why)), 0, "%s, not %s", wrong, why);
}

#define GOOD(bytes) decodes(bytes, sizeof(bytes) - 1, NULL)
#define BAD(bytes, why) decodes(bytes, sizeof(bytes) - 1, why)

Test(control_bad, no_message_at_all)
{
    BAD("", "a form of frame");
    BAD("\x83\x44\0", "a form of frame");
    BAD("\x70", "the control message is of another version");
    BAD("\x70\x82", "the control message is of another version");
    BAD("\x70\x83", "the control message is no tuple");
    BAD("\x70\x83\x6a", "the control message is no tuple");
    BAD("\x70\x83\x68\0", "the control message is no tuple");
    BAD("\x70\x83\x68\1\x6a", "unknown operation");
    BAD("\x70\x83\x68\1\x77\1\1", "unknown operation");
}

/* The form that another BEAM would take: a tuple with a long arity, a number in a long form. */
Test(control_bad, unusual_forms_of_numbers_and_tuples_are_taken)
{
    GOOD("\x70\x83\x69\0\0\0\3\x61\1" FROM TO);
    GOOD("\x70\x83\x68\3\x62\0\0\0\1" FROM TO);
    GOOD("\x70\x83\x68\3\x6e\1\0\1" FROM TO);
    BAD("\x70\x83\x68\3\x6e\1\1\1" FROM TO, "unknown operation");
    BAD("\x70\x83\x68\3\x62\xFF\xFF\xFF\xFF" FROM TO, "unknown operation");
    BAD("\x70\x83\x68\3\x6e\x09\0\1\0\0\0\0\0\0\0\0" FROM TO, "unknown operation");
}

Test(control_bad, unknown_operations)
{
    static const char known[] = {1,  2,  3,  4,  6,  7,  8,  12, 13, 16, 18, 19, 20, 21, 22,
                                 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37};
    for (int code = 0; code < 256; code++) {
        char bytes[] = TUPLE("\1", "x");
        bytes[5] = (char)code;
        bool is_known = memchr(known, code, sizeof known) != NULL;
        decodes(bytes, sizeof bytes - 1, is_known && code != 37 ? "wrong arity" : "unknown");
    }
}

Test(control_bad, wrong_arity)
{
    BAD(TUPLE("\2", "\1") FROM, "wrong arity");
    BAD(TUPLE("\4", "\1") FROM TO TO, "wrong arity");
    BAD(TUPLE("\4", "\x16") FROM TO TO PAYLOAD, "wrong arity");
    BAD("\x70\x83\x69\xFF\xFF\xFF\xFF\x61\1" FROM TO, "wrong arity");
}

Test(control_bad, payload_missing_or_too_much)
{
    GOOD(TUPLE("\3", "\x16") FROM TO PAYLOAD);
    BAD(TUPLE("\3", "\x16") FROM TO, "the payload is missing");
    BAD(TUPLE("\3", "\x16") FROM TO "\x83", "the payload is missing");
    BAD(TUPLE("\3", "\x16") FROM TO "\x82\x6a", "the payload is of another version");
    BAD(TUPLE("\3", "\x18") FROM TO, "the payload is missing");
    GOOD(TUPLE("\3", "\x18") FROM TO PAYLOAD);
    BAD(TUPLE("\3", "\x18") FROM TO PAYLOAD "\0",
        "the payload is malformed, or nested deeper than 1024");
    BAD(TUPLE("\3", "\x18") FROM TO "\x83\x68\2\x6a",
        "the payload is malformed, or nested deeper than 1024");
    GOOD(TUPLE("\3", "\1") FROM TO);
    BAD(TUPLE("\3", "\1") FROM TO PAYLOAD, "more than the message");
    BAD(TUPLE("\4", "\3") FROM TO NIL PAYLOAD, "more than the message");
}

Test(control_bad, fields_of_another_type)
{
    BAD(TUPLE("\3", "\1") NIL TO, "the sender is no pid");
    BAD(TUPLE("\3", "\1") ATOM TO, "the sender is no pid");
    BAD(TUPLE("\3", "\1") FROM ATOM, "the receiver is no pid");
    BAD(TUPLE("\3", "\2") "\x50" TO PAYLOAD, "the second element is malformed");
    GOOD(TUPLE("\3", "\2") NIL TO PAYLOAD);
    BAD(TUPLE("\3", "\2") EMPTY REF PAYLOAD, "the receiver is no pid");
    BAD(TUPLE("\4", "\6") FROM EMPTY TO PAYLOAD, "the name is no atom");
    BAD(TUPLE("\4", "\3") FROM TO "\x68\1", "the reason is malformed");
    BAD(TUPLE("\5", "\x0D") FROM TO "\x50" NIL, "the trace token is malformed");
    GOOD(TUPLE("\5", "\x0D") FROM TO NIL NIL);
    BAD(TUPLE("\4", "\x13") FROM NIL REF, "what is monitored is neither");
    BAD(TUPLE("\4", "\x13") FROM TO NIL, "a reference is missing");
    BAD(TUPLE("\4", "\x13") ATOM TO REF, "the sender is no pid");
    BAD(TUPLE("\5", "\x15") NIL TO REF NIL, "the origin is neither");
    BAD(TUPLE("\3", "\x21") FROM TO PAYLOAD, "the alias is no reference");
    BAD(TUPLE("\4", "\x23") "\x61\0" FROM TO, "the unlink id");
    BAD(TUPLE("\4", "\x24") "\x6a" FROM TO, "the unlink id");
    BAD(TUPLE("\4", "\x24") "\x6e\x09\0\1\1\1\1\1\1\1\1\1" FROM TO, "the unlink id");
    BAD(TUPLE("\4", "\x24") "\x6e\1\1\1" FROM TO, "the unlink id");
    GOOD(TUPLE("\4", "\x24") "\x6e\x08\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" FROM TO);
}

Test(control_bad, spawn_requests_and_replies)
{
    GOOD(TUPLE("\6", "\x1D") REF FROM TO MFA NIL PAYLOAD);
    BAD(TUPLE("\6", "\x1D") NIL FROM TO MFA NIL PAYLOAD, "a reference is missing");
    BAD(TUPLE("\6", "\x1D") REF FROM NIL MFA NIL PAYLOAD, "the leader is no pid");
    BAD(TUPLE("\6", "\x1D") REF FROM TO NIL NIL PAYLOAD, "module, function");
    BAD(TUPLE("\6", "\x1D") REF FROM TO "\x68\2\x77\1m\x77\1f" NIL PAYLOAD, "module, function");
    /* More arguments than a function can have: answered, not refused. */
    GOOD(TUPLE("\6", "\x1D") REF FROM TO "\x68\3\x77\1m\x77\1f\x62\0\0\1\0" NIL PAYLOAD);
    GOOD(TUPLE("\6", "\x1D") REF FROM TO
         "\x68\3\x77\1m\x77\1f\x6E\4\0\xFF\xFF\xFF\xFF" NIL PAYLOAD);
    BAD(TUPLE("\6", "\x1D") REF FROM TO "\x68\3\x77\1m\x77\1f\x6E\5\0\0\0\0\0\1" NIL PAYLOAD,
        "module, function");
    BAD(TUPLE("\6", "\x1D") REF FROM TO "\x68\3\x77\1m\x77\1f\x62\xFF\xFF\xFF\xFF" NIL PAYLOAD,
        "module, function");
    BAD(TUPLE("\6", "\x1D") REF FROM TO MFA "\x50" PAYLOAD, "the options are malformed");
    GOOD(TUPLE("\5", "\x1F") REF TO "\x61\3" FROM);
    GOOD(TUPLE("\5", "\x1F") REF TO "\x61\0" ATOM);
    BAD(TUPLE("\5", "\x1F") REF TO NIL ATOM, "the flags are no number");
    BAD(TUPLE("\5", "\x1F") REF TO "\x61\0" NIL, "the origin is neither");
}

/* spec: OTP 29's ALTACT_SIG: 1 priority, 2 token, 4 alias, 8 name, 16 exit/2 */
Test(control_bad, altact_sig_in_every_combination)
{
    for (int flags = 0; flags < 64; flags++) {
        char bytes[256] = TUPLE("\4", "\x25") "\x61";
        size_t size = 8;
        struct gcl_control control;
        struct gcl_control_scratch scratch;
        const char *wrong = NULL;
        bytes[3] = flags & 2 ? 5 : 4;
        bytes[6] = 97;
        bytes[7] = (char)flags;
#define ADD(part) memcpy(bytes + size, part, sizeof(part) - 1), size += sizeof(part) - 1
        ADD(FROM);
        if (flags & 4)
            ADD(REF);
        else if (flags & 8)
            ADD(ATOM);
        else
            ADD(TO);
        if (flags & 2)
            ADD(NIL);
        ADD(PAYLOAD);
#undef ADD
        bool is_bad = (flags & 12) == 12 || flags > 31;
        int error = gcl_control_decode(gcl_str_make(bytes, size), &control, &scratch, &wrong);
        cr_assert_eq(error, is_bad ? GCL_EPROTO : 0, "%d: %s", flags, wrong);
        if (is_bad)
            continue;
        cr_assert_eq(control.op, flags & 16 ? GCL_CONTROL_EXIT2 : GCL_CONTROL_SEND);
        cr_assert_eq(control.target, flags & 4   ? GCL_CONTROL_TO_ALIAS
                                     : flags & 8 ? GCL_CONTROL_TO_NAME
                                                 : GCL_CONTROL_TO_PID);
        cr_assert_eq(control.has_priority, (flags & 1) != 0);
        cr_assert_eq(control.has_token, (flags & 2) != 0);
        cr_assert(control.has_from);
        bytes[3] = bytes[3] == 4 ? 5 : 4;
        decodes(bytes, size, "wrong arity");
    }
    BAD(TUPLE("\4", "\x25") "\x61\x10" FROM TO "\x83\x50",
        "the payload is malformed, or nested deeper than 1024");
    BAD(TUPLE("\4", "\x25") "\x61\0" EMPTY TO PAYLOAD, "the sender is no pid");
    BAD(TUPLE("\4", "\x25") "\x61\4" FROM TO PAYLOAD, "the alias is no reference");
    BAD(TUPLE("\4", "\x25") "\x61\x08" FROM TO PAYLOAD, "the name is no atom");
    BAD(TUPLE("\4", "\x25") "\x61\0" FROM REF PAYLOAD, "the receiver is no pid");
    BAD(TUPLE("\5", "\x25") "\x61\2" FROM TO "\x50" PAYLOAD, "the trace token is malformed");
}

Test(control_bad, names_in_latin1_are_converted)
{
    static const char bytes[] = TUPLE("\4", "\6") FROM EMPTY "\x64\0\3b\xE4r" PAYLOAD;
    static const char spawn[] =
        TUPLE("\6", "\x1D") REF FROM TO "\x68\3\x73\1\xE4\x73\1\xF6\x61\1" NIL PAYLOAD;
    struct gcl_control control;
    struct gcl_control_scratch scratch;
    const char *wrong;
    cr_assert_eq(
        gcl_control_decode(gcl_str_make(bytes, sizeof bytes - 1), &control, &scratch, &wrong), 0);
    cr_assert(gcl_str_is(control.name, "b\xC3\xA4r"));
    cr_assert_eq(
        gcl_control_decode(gcl_str_make(spawn, sizeof spawn - 1), &control, &scratch, &wrong), 0);
    cr_assert(gcl_str_is(control.module, "\xC3\xA4"));
    cr_assert(gcl_str_is(control.function, "\xC3\xB6"));
}

Test(control_bad, every_op_has_a_name)
{
    for (int op = 0; op < GCL_CONTROL_OPS; op++)
        cr_assert_not_null(gcl_control_op_name((enum gcl_control_op)op));
    cr_assert_str_eq(gcl_control_op_name(GCL_CONTROL_OPS), "unknown");
}

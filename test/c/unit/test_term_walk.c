/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <stdlib.h>
#include <string.h>

#include "wire/term/walk.h"

#define ATOM "\x77\1a"
#define PID "\x58\x77\1n\0\0\0\1\0\0\0\2\0\0\0\3"
#define UNIQ "0123456789abcdef"

static int walk(const char *bytes, size_t size, size_t *left)
{
    struct gcl_cursor at = gcl_cursor_make(bytes, size);
    int error = gcl_term_walk(&at);
    cr_assert(error == 0 || at.at == (const uint8_t *)bytes);
    *left = gcl_cursor_left(&at);
    return error;
}

static int skip(const char *bytes, size_t size, size_t *left)
{
    struct gcl_cursor at = gcl_cursor_make(bytes, size);
    int error = gcl_term_skip(&at);
    cr_assert(error == 0 || at.at == (const uint8_t *)bytes);
    *left = gcl_cursor_left(&at);
    return error;
}

#define GOOD(bytes) good(bytes, sizeof(bytes) - 1)
#define BAD(bytes) bad(bytes, sizeof(bytes) - 1)

/* Taken whole, and at no truncation; nothing behind it is looked at. */
static void good(const char *bytes, size_t size)
{
    size_t left;
    cr_assert_eq(walk(bytes, size, &left), 0);
    cr_assert_eq(left, 0);
    cr_assert_eq(walk(bytes, size + 1, &left), 0, "the byte behind");
    cr_assert_eq(left, 1);
    cr_assert_eq(skip(bytes, size + 1, &left), 0);
    cr_assert_eq(left, 1);
    for (size_t shorter = 0; shorter < size; shorter++) {
        cr_assert_eq(walk(bytes, shorter, &left), GCL_ETERM, "%zu of %zu", shorter, size);
        cr_assert_eq(skip(bytes, shorter, &left), GCL_ETERM, "%zu of %zu", shorter, size);
    }
}

static void bad(const char *bytes, size_t size)
{
    size_t left;
    cr_assert_eq(walk(bytes, size, &left), GCL_ETERM);
}

/* spec: erl_ext_dist, each section */
Test(term_walk, every_kind_of_term)
{
    GOOD("\x61\xFF");
    GOOD("\x62\x80\0\0\0");
    GOOD("\x46\x7F\xEF\xFF\xFF\xFF\xFF\xFF\xFF");
    GOOD("\x64\0\1\xE4");
    GOOD("\x73\1\xE4");
    GOOD("\x76\0\1a");
    GOOD(ATOM);
    GOOD(PID);
    GOOD("\x67\x77\1n\0\0\0\1\0\0\0\2\3");
    GOOD("\x5a\0\5\x77\1n\0\0\0\1"
         "\0\0\0\1" UNIQ);
    GOOD("\x72\0\1\x77\1n\0\0\0\0\1");
    GOOD("\x65\x77\1n\0\0\0\1\0");
    GOOD("\x59\x77\1n\0\0\0\1\0\0\0\2");
    GOOD("\x78\x77\1n\0\0\0\0\0\0\0\1\0\0\0\2");
    GOOD("\x66\x77\1n\0\0\0\1\0");
    GOOD("\x68\0");
    GOOD("\x68\2" ATOM "\x68\1\x6a");
    GOOD("\x69\0\0\0\1" ATOM);
    GOOD("\x6a");
    GOOD("\x6b\0\3abc");
    GOOD("\x6c\0\0\0\2" ATOM ATOM "\x6a");
    GOOD("\x6c\0\0\0\1" ATOM ATOM);
    GOOD("\x6d\0\0\0\2xy");
    GOOD("\x4d\0\0\0\2\4xy");
    GOOD("\x6e\2\1\xFF\xFF");
    GOOD("\x6f\0\0\0\2\0\xFF\xFF");
    GOOD("\x74\0\0\0\0");
    GOOD("\x74\0\0\0\1" ATOM "\x6a");
    GOOD("\x71" ATOM ATOM "\x61\2");
    GOOD("\x43\0\0\0\1\1" ATOM ATOM ATOM "\x61\1");
    GOOD("\x70\0\0\0\x38\1" UNIQ "\0\0\0\1\0\0\0\1" ATOM "\x61\0\x62\0\0\0\1" PID "\x6a");
}

Test(term_walk, what_no_peer_may_send)
{
    static const char known[] = "\x61\x62\x46\x64\x73\x76\x77\x58\x67\x5a\x72\x65\x59\x78\x66\x68"
                                "\x69\x6a\x6b\x6c\x6d\x4d\x6e\x6f\x74\x71\x43\x70";
    size_t left;
    for (int tag = 0; tag < 256; tag++) {
        char bytes[64] = {(char)tag};
        if (memchr(known, tag, sizeof known - 1) == NULL)
            cr_assert_eq(walk(bytes, sizeof bytes, &left), GCL_ETERM, "tag %d", tag);
    }
    BAD("\x46\x7F\xF0\0\0\0\0\0\0");                /* infinity */
    BAD("\x46\xFF\xF8\0\0\0\0\0\0");                /* not a number */
    BAD("\x77\1\xFF");                              /* no UTF-8 */
    BAD("\x4d\0\0\0\1\x09x");                       /* nine bits of a byte */
    BAD("\x4d\0\0\0\1\0x");                         /* none */
    BAD("\x4d\0\0\0\0\1");                          /* of no byte */
    BAD("\x71" ATOM "\x6a\x61\2");                  /* a function that is no atom */
    BAD("\x71" ATOM ATOM "\x62\0\0\0\1");           /* an arity that is no small integer */
    BAD("\x43\0\0\0\1\1" ATOM ATOM "\x61\1\x61\1"); /* a field whose name is no atom */
    BAD("\x69\xFF\xFF\xFF\xFF\x6a");                /* more than there can be */
    BAD("\x74\xFF\xFF\xFF\xFF\x6a\x6a");
    BAD("\x6c\xFF\xFF\xFF\xFF\x6a\x6a");
}

/* The size of a fun is what libei and others skip by; it must be true. */
Test(term_walk, funs_end_where_they_say)
{
    char fun[] =
        "\x70\0\0\0\x38\1" UNIQ "\0\0\0\1\0\0\0\1" ATOM "\x61\0\x62\0\0\0\1" PID "\x6a\x6a";
    size_t left, size = sizeof fun - 2;
    for (int declared = 0; declared < 256; declared++) {
        fun[4] = (char)declared;
        cr_assert_eq(walk(fun, size, &left), declared == 0x38 ? 0 : GCL_ETERM, "%d", declared);
    }
}

Test(term_walk, depth_is_bounded)
{
    enum { DEEP = 1000 * 1000 };
    size_t left;
    char *bytes = malloc(2 * DEEP + 1);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < DEEP; i++)
        memcpy(bytes + 2 * i, "\x68\1", 2);
    bytes[2 * DEEP] = 0x6a;
    cr_assert_eq(walk(bytes, 2 * DEEP + 1, &left), GCL_ELIMIT);
    size_t skipped = 2 * (size_t)(DEEP - GCL_TERM_DEPTH_MAX);
    cr_assert_eq(walk(bytes + skipped, 2 * GCL_TERM_DEPTH_MAX + 1, &left), 0);
    cr_assert_eq(walk(bytes + skipped - 2, 2 * GCL_TERM_DEPTH_MAX + 3, &left), GCL_ELIMIT);
    struct gcl_cursor flat = gcl_cursor_make(bytes + 2 * (DEEP - 10), 21);
    cr_assert_eq(gcl_term_walk_to(&flat, 9), GCL_ELIMIT);
    cr_assert_eq(gcl_cursor_left(&flat), 21);
    cr_assert_eq(gcl_term_walk_to(&flat, 10), 0);
    cr_assert_eq(skip(bytes, 2 * DEEP + 1, &left), 0);
    cr_assert_eq(left, 0);
    cr_assert_eq(skip(bytes, 2 * DEEP, &left), GCL_ETERM);
    free(bytes);
}

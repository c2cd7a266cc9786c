/* SPDX-License-Identifier: Apache-2.0 */
#include "support/terms.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ATOM "\x77\1a"
#define PID "\x58\x77\1n\0\0\0\1\0\0\0\2\0\0\0\3"
#define UNIQ "0123456789abcdef"
#define TERM(bytes, printed)                                                                       \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, printed                                                          \
    }

const struct test_bytes test_golden_terms[] = {
    TERM("\x61\xFF", "255"),
    TERM("\x62\x80\0\0\0", "-2147483648"),
    TERM("\x6e\2\1\xFF\xFF", "-65535"),
    TERM("\x6e\x9\0\0\0\0\0\0\0\0\0\1", "18446744073709551616"),
    TERM("\x6f\0\0\0\2\0\xFF\xFF", "65535"),
    TERM("\x46\x3F\xF8\0\0\0\0\0\0", "1.5"),
    TERM("\x46\x7F\xEF\xFF\xFF\xFF\xFF\xFF\xFF", "1.7976931348623157e308"),
    TERM("\x46\x80\0\0\0\0\0\0\0", "-0.0"),
    TERM("\x64\0\1\xE4", "\xC3\xA4"),
    TERM("\x73\1\xD7", "'\xC3\x97'"),
    TERM("\x76\0\3"
         "end",
         "'end'"),
    TERM("\x77\2\xD0\xB6", "'\\x{436}'"),
    TERM("\x77\0", "''"),
    TERM(PID, "<0.1.2>"),
    TERM("\x67\x77\1n\0\0\0\1\0\0\0\2\3", "<0.1.2>"),
    TERM("\x5a\0\5\x77\1n\0\0\0\1\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", "#Ref<0.5.4.3.2.1>"),
    TERM("\x72\0\1\x77\1n\0\0\0\0\1", "#Ref<0.1>"),
    TERM("\x65\x77\1n\0\0\0\1\0", "#Ref<0.1>"),
    TERM("\x59\x77\1n\0\0\0\1\0\0\0\2", "#Port<0.1>"),
    TERM("\x78\x77\1n\0\0\1\0\0\0\0\1\0\0\0\2", "#Port<0.1099511627777>"),
    TERM("\x66\x77\1n\0\0\0\1\0", "#Port<0.1>"),
    TERM("\x68\0", "{}"),
    TERM("\x68\2" ATOM "\x68\1\x6a", "{a,{[]}}"),
    TERM("\x69\0\0\0\1" ATOM, "{a}"),
    TERM("\x6a", "[]"),
    TERM("\x6b\0\0", "[]"),
    TERM("\x6b\0\3abc", "\"abc\""),
    TERM("\x6b\0\3a\0\xFF", "[97,0,255]"),
    TERM("\x6c\0\0\0\2" ATOM ATOM "\x6a", "[a,a]"),
    TERM("\x6c\0\0\0\1" ATOM ATOM, "[a|a]"),
    TERM("\x6c\0\0\0\1\x61\x61\x6b\0\1b", "\"ab\""),
    TERM("\x6c\0\0\0\1" ATOM "\x6b\0\1b", "[a,98]"),
    TERM("\x6c\0\0\0\0\x6a", "[]"),
    TERM("\x6d\0\0\0\0", "<<>>"),
    TERM("\x6d\0\0\0\2x\n", "<<\"x\\n\">>"),
    TERM("\x6d\0\0\0\2\0\xFF", "<<0,255>>"),
    TERM("\x4d\0\0\0\2\4x\xA0", "<<120,10:4>>"),
    TERM("\x4d\0\0\0\1\x8x", "<<\"x\">>"),
    TERM("\x74\0\0\0\0", "#{}"),
    TERM("\x74\0\0\0\2" ATOM "\x6a\x61\1\x74\0\0\0\1" ATOM ATOM, "#{a => [],1 => #{a => a}}"),
    TERM("\x71" ATOM "\x77\1+\x61\2", "fun a:'+'/2"),
    TERM("\x70\0\0\0\x38\1" UNIQ "\0\0\0\1\0\0\0\1" ATOM "\x61\7\x62\0\0\0\1" PID "\x6a",
         "#Fun<a.7.1>"),
    TERM("\x43\0\0\0\2\1" ATOM "\x77\1R\x77\1x\x77\1Y\x61\1\x68\1" ATOM, "#a:'R'{x = 1,'Y' = {a}}"),
    {NULL, 0, NULL},
};

static void on_misuse(const char *file, int line, const char *text, void *user)
{
    struct test_terms *terms = user;
    cr_assert_not_null(file);
    snprintf(terms->misuse, sizeof terms->misuse, "%s", text);
    terms->misuse_line = line;
    terms->misuses++;
}

void test_terms_begin(struct test_terms *terms)
{
    memset(terms, 0, sizeof *terms);
    terms->context = gcl_term_context_new(gcl_test_begin(&terms->mem), on_misuse, terms);
    cr_assert_not_null(terms->context);
    terms->writer = gcl_writer_new(terms->context);
    cr_assert_not_null(terms->writer);
}

void test_terms_end(struct test_terms *terms)
{
    gcl_writer_free(terms->writer);
    gcl_term_context_free(terms->context);
    gcl_test_end(&terms->mem);
}

gcl_term test_term(struct test_terms *terms, const char *text)
{
    gcl_term term;
    gcl_parse_error error = {0};
    cr_assert_eq(gcl_term_parse(terms->context, text, strlen(text), &term, &error), 0,
                 "%s: column %d: %s", text, error.column, error.reason);
    cr_assert_eq(gcl_term_check(term), 0, "%s", text);
    return term;
}

const char *test_print(struct test_terms *terms, gcl_term term)
{
    size_t length;
    cr_assert_eq(gcl_term_print(term, terms->text, sizeof terms->text, &length), 0);
    cr_assert_eq(length, strlen(terms->text));
    return terms->text;
}

const char *test_written(struct test_terms *terms)
{
    const char *text = test_print(terms, gcl_writer_term(terms->writer));
    gcl_writer_clear(terms->writer);
    return text;
}

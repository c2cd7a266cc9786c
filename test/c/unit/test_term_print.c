/* SPDX-License-Identifier: Apache-2.0 */
/* Text of terms; test/ct/term_SUITE compares it with what a real Erlang prints. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/terms.h"
#include "wire/term/context.h"

static struct test_terms terms;

static gcl_term golden(const struct test_bytes *bytes)
{
    return gcl_term_make(terms.context, bytes->bytes, bytes->size);
}

Test(term_print, every_kind_of_term)
{
    test_terms_begin(&terms);
    for (const struct test_bytes *at = test_golden_terms; at->bytes != NULL; at++)
        cr_expect_str_eq(test_print(&terms, golden(at)), at->printed);
    test_terms_end(&terms);
}

Test(term_print, a_short_buffer_gets_the_beginning)
{
    test_terms_begin(&terms);
    gcl_term term = test_term(&terms, "{'\xC3\xA9t\xC3\xA9', \"\xC3\xA9\"}");
    const char *whole = "{\xC3\xA9t\xC3\xA9,\"\xC3\xA9\"}";
    for (size_t size = 0; size <= strlen(whole); size++) {
        char *room = malloc(size + 1);
        size_t length;
        memset(room, 'x', size + 1);
        cr_assert_eq(gcl_term_print(term, room, size, &length), GCL_ELIMIT);
        cr_assert_eq(length, strlen(whole));
        cr_assert_eq(room[size], 'x');
        if (size > 0) {
            size_t kept = strlen(room);
            cr_assert_eq(strncmp(room, whole, kept), 0);
            cr_assert_neq(whole[kept] & 0xC0, 0x80, "a character was cut");
            cr_assert_geq(kept + 2, size);
        }
        free(room);
    }
    cr_assert_eq(gcl_term_print(term, NULL, 0, NULL), GCL_ELIMIT);
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_print, what_is_malformed_has_no_text)
{
    test_terms_begin(&terms);
    for (const struct test_bytes *at = test_golden_terms; at->bytes != NULL; at++)
        for (size_t size = 0; size < at->size; size++) {
            uint8_t *bytes = malloc(size + 1);
            char text[64] = "before";
            size_t length = 7;
            memcpy(bytes, at->bytes, size);
            gcl_term cut = gcl_term_make(terms.context, size > 0 ? bytes : NULL, size);
            cr_assert_eq(gcl_term_print(cut, text, sizeof text, &length), GCL_ETERM);
            cr_assert_str_empty(text);
            cr_assert_eq(length, 0);
            strcpy(text, "before");
            cr_assert_eq(gcl_term_text(cut, text, sizeof text, &length), GCL_ETERM);
            cr_assert_str_empty(text);
            free(bytes);
        }
    test_terms_end(&terms);
}

static uint32_t place(void *user, struct gcl_str node, uint32_t creation)
{
    cr_assert_eq(user, &terms);
    return gcl_str_is(node, "n") ? creation * 10 : 0;
}

Test(term_print, ids_begin_with_the_place_of_their_node)
{
    test_terms_begin(&terms);
    terms.context->ids.place = place;
    terms.context->ids.user = &terms;
    static const char ids[] = "\x68\3\x58\x77\1n\0\0\0\1\0\0\0\2\0\0\0\3"
                              "\x5a\0\1\x77\1n\0\0\0\4\0\0\0\1"
                              "\x59\x77\1m\0\0\0\1\0\0\0\2";
    gcl_term term = gcl_term_make(terms.context, ids, sizeof ids - 1);
    cr_assert_str_eq(test_print(&terms, term), "{<30.1.2>,#Ref<40.1>,#Port<0.1>}");
    test_terms_end(&terms);
}

Test(term_print, large_integers)
{
    test_terms_begin(&terms);
    static char digits[20000];
    memset(digits, '9', 9000);
    gcl_term term = test_term(&terms, digits);
    cr_assert_str_eq(test_print(&terms, term), digits);
    gcl_term_free(term);
    strcpy(digits, "-16#F");
    memset(digits + 5, '0', 4096 * 2);
    term = test_term(&terms, digits);
    cr_assert_str_eq(test_print(&terms, term), digits, "beyond 4,096 bytes to base 16");
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_print, nested_as_deep_as_may_be)
{
    test_terms_begin(&terms);
    static char text[3000];
    memset(text, '{', 1024);
    memset(text + 1024, '}', 1024);
    gcl_term term = test_term(&terms, text);
    cr_assert_str_eq(test_print(&terms, term), text);
    gcl_term_free(term);
    uint8_t deep[2 * 1025 + 1];
    for (int i = 0; i < 1025; i++) {
        deep[2 * i] = 104;
        deep[2 * i + 1] = 1;
    }
    deep[2 * 1025] = 106;
    term = gcl_term_make(terms.context, deep, sizeof deep);
    cr_assert_eq(gcl_term_check(term), GCL_ELIMIT);
    cr_assert_eq(gcl_term_print(term, text, sizeof text, NULL), GCL_ETERM);
    cr_assert_not(gcl_term_equal(term, term));
    memset(text, '{', 1025);
    memset(text + 1025, '}', 1025);
    gcl_parse_error error;
    cr_assert_eq(gcl_term_parse(terms.context, text, 2050, &term, &error), GCL_ELIMIT);
    cr_assert_eq(error.column, 1025);
    test_terms_end(&terms);
}

Test(term_print, characters_of_a_term)
{
    test_terms_begin(&terms);
    static const struct {
        const char *term, *text;
    } cases[] = {{"abc", "abc"},
                 {"\"a\\x{436}\"", "a\xD0\xB6"},
                 {"[]", ""},
                 {"\"abc\"", "abc"},
                 {"<<\"a\xC3\xA9\"/utf8>>", "a\xC3\xA9"},
                 {"'\xC3\xA9 x'", "\xC3\xA9 x"}};
    static const char *const none[] = {"1",           "{}",      "[a]", "[$a | $b]", "[16#D800]",
                                       "[16#110000]", "<<1:1>>", "#{}", "[-1]",      "[\"a\"]"};
    char text[8];
    size_t length;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gcl_term term = test_term(&terms, cases[i].term);
        cr_assert_eq(gcl_term_text(term, text, sizeof text, &length), 0);
        cr_assert_str_eq(text, cases[i].text);
        cr_assert_eq(length, strlen(text));
        gcl_term_free(term);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        gcl_term term = test_term(&terms, none[i]);
        cr_assert_eq(gcl_term_text(term, text, sizeof text, &length), GCL_EINVAL, "%s", none[i]);
        cr_assert_str_empty(text);
        gcl_term_free(term);
    }
    gcl_term term = test_term(&terms, "'a\xC3\xA9'");
    cr_assert_eq(gcl_term_text(term, text, 3, &length), GCL_ELIMIT);
    cr_assert_str_eq(text, "a");
    cr_assert_eq(length, 3);
    cr_assert_eq(gcl_term_text(term, NULL, 0, &length), GCL_ELIMIT);
    gcl_term_free(term);
    test_terms_end(&terms);
}

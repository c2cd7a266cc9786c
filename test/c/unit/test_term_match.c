/* SPDX-License-Identifier: Apache-2.0 */
/* gcl_match(): each directive, what fits and what does not, and what is reported. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/terms.h"
#include "wire/term/context.h"

static struct test_terms terms;

static bool is(gcl_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.bytes, text, bytes.size) == 0;
}

/* Whether the term of a text matches; arguments as for gcl_match(). */
#define MATCHES(text, ...)                                                                         \
    (gcl_term_free(term), term = test_term(&terms, text), gcl_match(term, __VA_ARGS__))

Test(term_match, integers_that_fit_their_place)
{
    gcl_term term = {0};
    int8_t i8 = 1;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    long long ll;
    test_terms_begin(&terms);
    cr_assert(MATCHES("127", "~i", &i8) && i8 == 127);
    cr_assert(MATCHES("-128", "~i", &i8) && i8 == -128);
    cr_assert_not(MATCHES("128", "~i", &i8));
    cr_assert_not(MATCHES("-129", "~i", &i8));
    cr_assert_eq(i8, -128, "what does not match sets nothing");
    cr_assert(MATCHES("-32768", "~i", &i16) && i16 == -32768);
    cr_assert_not(MATCHES("32768", "~i", &i16));
    cr_assert(MATCHES("2147483647", "~i", &i32) && i32 == INT32_MAX);
    cr_assert_not(MATCHES("-2147483649", "~i", &i32));
    cr_assert(MATCHES("-9223372036854775808", "~i", &i64) && i64 == INT64_MIN);
    cr_assert(MATCHES("9223372036854775807", "~i", &ll) && ll == INT64_MAX);
    cr_assert_not(MATCHES("9223372036854775808", "~i", &i64));
    cr_assert_not(MATCHES("-9223372036854775809", "~i", &i64));
    cr_assert(MATCHES("255", "~u", &u8) && u8 == 255);
    cr_assert_not(MATCHES("256", "~u", &u8));
    cr_assert_not(MATCHES("-1", "~u", &u8));
    cr_assert(MATCHES("65535", "~i", &u16) && u16 == 65535);
    cr_assert_not(MATCHES("65536", "~i", &u16));
    cr_assert(MATCHES("4294967295", "~u", &u32) && u32 == UINT32_MAX);
    cr_assert_not(MATCHES("4294967296", "~u", &u32));
    cr_assert(MATCHES("18446744073709551615", "~u", &u64) && u64 == UINT64_MAX);
    cr_assert_not(MATCHES("18446744073709551616", "~u", &u64));
    cr_assert_not(MATCHES("1.0", "~i", &i64));
    cr_assert_not(MATCHES("a", "~i", &i64));
    cr_assert_eq(terms.misuses, 0);
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, the_other_directives)
{
    gcl_term term = {0}, any;
    double f;
    bool yes;
    gcl_bytes bytes;
    gcl_pid pid;
    gcl_ref ref;
    test_terms_begin(&terms);
    cr_assert(MATCHES("-1.5", "~f", &f) && f == -1.5);
    cr_assert_not(MATCHES("1", "~f", &f));
    cr_assert(MATCHES("'\xD0\xB6 x'", "~a", &bytes) && is(bytes, "\xD0\xB6 x"));
    cr_assert_not(MATCHES("\"x\"", "~a", &bytes));
    cr_assert(MATCHES("true", "~a", &yes) && yes);
    cr_assert(MATCHES("false", "~a", &yes) && !yes);
    cr_assert_not(MATCHES("undefined", "~a", &yes));
    cr_assert(MATCHES("\"ab\"", "~s", &bytes) && is(bytes, "ab"));
    cr_assert(MATCHES("[]", "~s", &bytes) && is(bytes, ""));
    cr_assert_not(MATCHES("[a]", "~s", &bytes));
    cr_assert_not(MATCHES("[256]", "~s", &bytes));
    cr_assert_not(MATCHES("[1 | 2]", "~s", &bytes));
    cr_assert_not(MATCHES("<<\"ab\">>", "~s", &bytes));
    cr_assert(MATCHES("<<\"ab\">>", "~b", &bytes) && is(bytes, "ab"));
    cr_assert(MATCHES("<<>>", "~b", &bytes) && is(bytes, ""));
    cr_assert_not(MATCHES("<<1:4>>", "~b", &bytes));
    cr_assert(MATCHES("{a, [b]}", "~t", &any));
    cr_assert(gcl_term_equal(any, term));
    cr_assert(MATCHES("{a, [b]}", "_"));
    cr_assert_not(MATCHES("a", "~p", &pid));
    cr_assert_not(MATCHES("a", "~r", &ref));
    cr_assert_eq(terms.misuses, 0);
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, literals)
{
    static const char *const texts[] = {"a",
                                        "'a b'",
                                        "''",
                                        "1",
                                        "-1",
                                        "300",
                                        "123456789012345678901234567890",
                                        "16#ff",
                                        "$a",
                                        "1.5",
                                        "\"abc\"",
                                        "\"\\x{436}\"",
                                        "[]",
                                        "{}",
                                        "{a}",
                                        "[a, b | c]",
                                        "<<1, 2>>",
                                        "<<1:3>>",
                                        "#{}",
                                        "#{a => 1}",
                                        "fun a:b/1"};
    gcl_term term = {0};
    test_terms_begin(&terms);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            char pattern[64];
            snprintf(pattern, sizeof pattern, "%s", texts[i]);
            if (strncmp(pattern, "#{a =", 5) == 0)
                strcpy(pattern, "#{a := 1}");
            bool expected = i == j || (texts[i][0] == '#' && texts[j][0] == '#' && j > i);
            cr_expect_eq(MATCHES(texts[j], pattern), expected, "%s against %s", texts[j], pattern);
        }
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, lists_and_their_tails)
{
    gcl_term term = {0}, rest;
    int64_t a = 0, b = 0;
    gcl_bytes bytes;
    test_terms_begin(&terms);
    cr_assert(MATCHES("[1, 2]", "[~i, ~i]", &a, &b) && a == 1 && b == 2);
    cr_assert(MATCHES("[1000, x]", "[~i, x]", &a) && a == 1000);
    cr_assert_not(MATCHES("[1, 2, 3]", "[~i, ~i]", &a, &b));
    cr_assert_not(MATCHES("[1]", "[~i, ~i]", &a, &b));
    cr_assert_not(MATCHES("[1, 2 | 3]", "[~i, ~i]", &a, &b));
    cr_assert(MATCHES("[1, 2 | 3]", "[~i | ~t]", &a, &rest));
    cr_assert_str_eq(test_print(&terms, rest), "[2|3]");
    cr_assert(MATCHES("\"abc\"", "[$a | ~t]", &rest));
    cr_assert_str_eq(test_print(&terms, rest), "\"bc\"");
    cr_assert(MATCHES("[a]", "[a | ~t]", &rest) && gcl_match(rest, "[]"));
    cr_assert(MATCHES("\"a\"", "[$a | ~t]", &rest) && gcl_match(rest, "[]"));
    cr_assert(MATCHES("\"abc\"", "[$a | ~s]", &bytes) && is(bytes, "bc"));
    cr_assert(MATCHES("[a, $b, $c]", "[a | ~s]", &bytes) && is(bytes, "bc"));
    cr_assert_not(MATCHES("[a, $b, c]", "[a | ~s]", &bytes));
    cr_assert(MATCHES("[a | b]", "[a | b]"));
    cr_assert(MATCHES("[a | b]", "[a | ~t]", &rest) && gcl_match(rest, "b"));
    cr_assert_not(MATCHES("[a, c | b]", "[a | b]"));
    cr_assert(MATCHES("[a, b, c]", "[a | _]"));
    cr_assert(MATCHES("[a, b, c]", "[a, b | [c]]"));
    cr_assert(MATCHES("[{a, 1}, [{b, 2} | x]]", "[{a, ~i}, [{b, ~i} | x]]", &a, &b) && a + b == 3);
    cr_assert_not(MATCHES("[]", "[_ | _]"));
    cr_assert_not(MATCHES("a", "[_ | _]"));
    gcl_term_free(term);
    test_terms_end(&terms);
}

/* [97, 98] as one list, as two, as a list before a string. spec: LIST_EXT, STRING_EXT */
Test(term_match, a_list_has_many_forms)
{
    static const struct test_bytes forms[] = {
        {"\x6b\0\2ab", 5, NULL},
        {"\x6c\0\0\0\2\x61\x61\x61\x62\x6a", 10, NULL},
        {"\x6c\0\0\0\1\x61\x61\x6b\0\1b", 11, NULL},
        {"\x6c\0\0\0\1\x61\x61\x6c\0\0\0\1\x62\0\0\0\x62\x6b\0\0", 20, NULL},
    };
    int64_t a, b;
    gcl_bytes bytes;
    gcl_term rest;
    test_terms_begin(&terms);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        gcl_term term = gcl_term_make(terms.context, forms[i].bytes, forms[i].size);
        cr_assert(gcl_match(term, "\"ab\""), "%zu", i);
        cr_assert(gcl_match(term, "[~i, ~i]", &a, &b) && a == 'a' && b == 'b');
        cr_assert(gcl_match(term, "~s", &bytes) && is(bytes, "ab"), "%zu", i);
        cr_assert(gcl_match(term, "[$a | ~s]", &bytes) && is(bytes, "b"));
        cr_assert(gcl_match(term, "[_ | ~t]", &rest) && gcl_match(rest, "\"b\""));
        cr_assert(gcl_match(term, "[_, _ | ~t]", &rest) && gcl_match(rest, "[]"));
        cr_assert_str_eq(test_print(&terms, term), "\"ab\"");
    }
    test_terms_end(&terms);
}

Test(term_match, maps_by_their_keys)
{
    gcl_term term = {0}, value;
    int64_t n = 0;
    test_terms_begin(&terms);
    const char *map = "#{a => 1, \"b\" => {x, #{c => 2}}, 3 => [], #{k => 1} => m}";
    cr_assert(MATCHES(map, "#{}"));
    cr_assert(MATCHES(map, "#{a := ~i}", &n) && n == 1);
    cr_assert(MATCHES(map, "#{\"b\" := {x, #{c := ~i}}, a := 1}", &n) && n == 2);
    cr_assert(MATCHES(map, "#{3 := ~t}", &value) && gcl_match(value, "[]"));
    cr_assert_not(MATCHES(map, "{_, 1}"));
    cr_assert(MATCHES(map, "#{#{k := 1} := m}"));
    cr_assert_not(MATCHES(map, "#{b := _}"));
    cr_assert_not(MATCHES(map, "#{a := 2}"));
    cr_assert_not(MATCHES(map, "#{3.0 := _}"));
    cr_assert_not(MATCHES("{}", "#{}"));
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, mistakes_are_reported_with_their_line)
{
    static const char *const wrong[] = {"{a",         "~x",        "~",         "{a, ~i", "A",
                                        "#{~i := 1}", "#{a => 1}", "#{_ := 1}", "<<~i>>", "",
                                        "a b",        "<0.1.2>",   "[a | ]"};
    gcl_term term = {0};
    int64_t n = 5;
    double f = 0;
    gcl_bytes bytes;
    test_terms_begin(&terms);
    for (int i = 0; i < (int)(sizeof wrong / sizeof *wrong); i++) {
        int line = __LINE__ + 1;
        cr_assert_not(MATCHES("a", wrong[i], &n));
        cr_assert_eq(terms.misuses, i + 1, "%s", wrong[i]);
        cr_assert_eq(terms.misuse_line, line);
        cr_assert_not_null(strstr(terms.misuse, wrong[i]), "%s", terms.misuse);
    }
    terms.misuses = 0;
    cr_assert_not(MATCHES("1", "~i"));
    cr_assert_not(MATCHES("1", "~i", &n, &n));
    cr_assert_not(MATCHES("1", "1", &n));
    cr_assert_eq(terms.misuses, 3);
    cr_assert_not(MATCHES("1", "~i", &f));
    cr_assert_not_null(strstr(terms.misuse, "argument 1"));
    cr_assert_not(MATCHES("{1, 1.0}", "{~i, ~f}", &n, &n));
    cr_assert_not_null(strstr(terms.misuse, "argument 2"));
    cr_assert_not(MATCHES("\"a\"", "~b", &n));
    cr_assert_not(MATCHES("\"a\"", "~t", &bytes));
    cr_assert_eq(terms.misuses, 7);
    cr_assert_eq(n, 5);
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, sixteen_arguments)
{
    gcl_term term = {0};
    int64_t n[16];
    test_terms_begin(&terms);
    bool ok = MATCHES("{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}",
                      "{~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i}", &n[0], &n[1], &n[2],
                      &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10], &n[11], &n[12],
                      &n[13], &n[14], &n[15]);
    cr_assert(ok);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(n[i], i);
    gcl_term_free(term);
    test_terms_end(&terms);
}

/* More patterns than the cache holds, and one address with changing text. */
Test(term_match, patterns_are_known_by_address_and_text)
{
    enum { PATTERNS = GCL_PATTERN_SETS * GCL_PATTERN_WAYS * 2 };
    static char patterns[PATTERNS][24];
    gcl_term term = {0};
    test_terms_begin(&terms);
    for (int i = 0; i < PATTERNS; i++)
        snprintf(patterns[i], sizeof patterns[i], "{p, %d}", i);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < PATTERNS; i++) {
            char text[24];
            memcpy(text, patterns[i], sizeof text);
            cr_assert(MATCHES(text, patterns[i]));
            cr_assert_not(gcl_match(term, patterns[(i + 1) % PATTERNS]));
        }
    cr_assert_leq(terms.mem.live, GCL_PATTERN_SETS * GCL_PATTERN_WAYS + 3);
    char changing[16] = "{p, 1}";
    cr_assert(MATCHES("{p, 1}", changing));
    strcpy(changing, "{p, 2}");
    cr_assert_not(gcl_match(term, changing));
    cr_assert(MATCHES("{p, 2}", changing));
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_match, truncations_match_nothing_that_looks_at_them)
{
    gcl_term any;
    gcl_bytes bytes;
    int64_t i;
    double f;
    test_terms_begin(&terms);
    for (const struct test_bytes *at = test_golden_terms; at->bytes != NULL; at++)
        for (size_t size = 0; size <= at->size; size++) {
            uint8_t *cut = malloc(size > 0 ? size : 1);
            memcpy(cut, at->bytes, size);
            gcl_term term = gcl_term_make(terms.context, size > 0 ? cut : NULL, size);
            bool is_whole = size == at->size;
            cr_assert_eq(gcl_match(term, "~t", &any), is_whole);
            cr_assert_eq(gcl_match(term, "_"), is_whole);
            bool is_other = gcl_match(term, "~i", &i) || gcl_match(term, "~f", &f) ||
                            gcl_match(term, "~a", &bytes) || gcl_match(term, "~s", &bytes) ||
                            gcl_match(term, "~b", &bytes) || gcl_match(term, "{_, {~t}}", &any) ||
                            gcl_match(term, "[_ | ~t]", &any) ||
                            gcl_match(term, "[~t | a]", &any) || gcl_match(term, "[_, ~t]", &any) ||
                            gcl_match(term, "#{a := ~t}", &any) || gcl_match(term, "#{}") ||
                            gcl_match(term, "\"abc\"") || gcl_match(term, "{a, []}");
            cr_assert(is_whole || !is_other);
            cr_assert_eq(gcl_term_equal(term, term), is_whole);
            gcl_items items;
            if (gcl_items_begin(&items, term))
                while (gcl_items_next(&items, &any))
                    cr_assert_eq(gcl_term_check(any), 0);
            free(cut);
        }
    test_terms_end(&terms);
}

Test(term_match, without_memory_patterns_still_match)
{
    gcl_term term, rest;
    gcl_bytes bytes;
    int64_t n;
    test_terms_begin(&terms);
    term = test_term(&terms, "{a, 1, [b, $c]}");
    gcl_test_fail_at(&terms.mem, 1);
    cr_assert(gcl_match(term, "{a, ~i, _}", &n) && n == 1);
    cr_assert_not(gcl_match(term, "{a, 2, _}"));
    cr_assert_not(gcl_match(term, "{a, _, [b | ~t]}", &rest), "there is no room for the rest");
    cr_assert_not(gcl_match(term, "{a, _, [b | ~s]}", &bytes));
    gcl_test_fail_at(&terms.mem, 0);
    cr_assert(gcl_match(term, "{a, _, [b | ~s]}", &bytes) && is(bytes, "c"));
    cr_assert_eq(terms.misuses, 0);
    gcl_term_free(term);
    test_terms_end(&terms);
}

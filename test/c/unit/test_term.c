/* SPDX-License-Identifier: Apache-2.0 */
/* Terms as a program uses them: read from text, matched, made, compared. */
#include <criterion/criterion.h>
#include <gen_cluster/term.h>
#include <string.h>

#include "support.h"

static gcl_test_memory mem;
static gcl_term_context *context;
static int misuses;

static void on_misuse(const char *file, int line, const char *text, void *user)
{
    (void)user;
    cr_assert_not_null(file);
    cr_assert_gt(line, 0);
    cr_assert_neq(text[0], '\0');
    misuses++;
}

static void begin(void)
{
    context = gcl_term_context_new(gcl_test_begin(&mem), on_misuse, NULL);
    cr_assert_not_null(context);
}

static void end(void)
{
    gcl_term_context_free(context);
    gcl_test_end(&mem);
}

static gcl_term parse(const char *text)
{
    gcl_term term;
    gcl_parse_error error = {0};
    cr_assert_eq(gcl_term_parse(context, text, strlen(text), &term, &error), 0, "%s: %s", text,
                 error.reason);
    cr_assert_eq(gcl_term_check(term), 0, "%s", text);
    return term;
}

Test(term, a_match_takes_a_request_apart)
{
    begin();
    gcl_term request = parse("{add, 41, \"abc\", <<\"xyz\">>, [1, 2.5, {x}]}");
    int64_t n = 0;
    gcl_bytes text, binary;
    gcl_term rest;
    cr_assert(gcl_match(request, "{add, ~i, ~s, ~b, [1 | ~t]}", &n, &text, &binary, &rest));
    cr_assert_eq(n, 41);
    cr_assert_eq(text.size, 3);
    cr_assert_eq(memcmp(text.bytes, "abc", 3), 0);
    cr_assert_eq(binary.size, 3);
    cr_assert_eq(memcmp(binary.bytes, "xyz", 3), 0);
    cr_assert(gcl_match(rest, "[2.5, {x}]"));
    gcl_term_free(request);
    end();
}

Test(term, a_failed_match_leaves_the_places_alone)
{
    begin();
    gcl_term request = parse("{add, 41, foo}");
    int64_t n = 7;
    cr_assert_not(gcl_match(request, "{add, ~i, bar}", &n));
    cr_assert_eq(n, 7);
    cr_assert_not(gcl_match(request, "{add, ~i}", &n));
    cr_assert_eq(n, 7);
    cr_assert_eq(misuses, 0);
    gcl_term_free(request);
    end();
}

Test(term, arguments_that_do_not_fit_the_pattern_are_reported)
{
    begin();
    gcl_term request = parse("{add, 41}");
    double wrong;
    cr_assert_not(gcl_match(request, "{add, ~i}", &wrong));
    cr_assert_eq(misuses, 1);
    cr_assert_not(gcl_match(request, "{add, ~i}"));
    cr_assert_eq(misuses, 2);
    gcl_term_free(request);
    end();
}

Test(term, what_is_written_is_what_the_text_says)
{
    begin();
    gcl_writer *writer = gcl_writer_new(context);
    cr_assert_not_null(writer);
    cr_assert_eq(gcl_write(writer, "{ok, ~i, ~a, ~b, #{k => ~f}, [a | ~s]}", (int64_t)-5, "atom",
                           "bin", 1.5, "bc"),
                 0);
    gcl_term expected = parse("{ok, -5, atom, <<\"bin\">>, #{k => 1.5}, [a, $b, $c]}");
    cr_assert(gcl_term_equal(gcl_writer_term(writer), expected));
    gcl_term_free(expected);
    gcl_writer_free(writer);
    end();
}

Test(term, equality_is_that_of_terms_not_of_bytes)
{
    begin();
    const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"[97, 98]", "\"ab\"", true},
        {"#{a => 1, b => 2}", "#{b => 2, a => 1}", true},
        {"1", "1.0", false},
        {"'a'", "a", true},
        {"16#ff", "255", true},
        {"<<97>>", "\"a\"", false},
        {"{a, b}", "{a, b, c}", false},
        {"123456789012345678901234567890", "1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gcl_term a = parse(cases[i].a), b = parse(cases[i].b);
        cr_assert_eq(gcl_term_equal(a, b), cases[i].equal, "%s and %s", cases[i].a, cases[i].b);
        gcl_term_free(a);
        gcl_term_free(b);
    }
    end();
}

Test(term, printed_pids_refs_ports_and_funs_are_refused_with_the_place)
{
    begin();
    const char *texts[] = {"{a, <0.1.2>}", "{a, #Ref<0.1.2.3>}", "{a, #Port<0.1>}",
                           "{a, #Fun<m.1.2>}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gcl_term term;
        gcl_parse_error error = {0};
        cr_assert_eq(gcl_term_parse(context, texts[i], strlen(texts[i]), &term, &error),
                     GCL_ENOTSUP, "%s", texts[i]);
        cr_assert_eq(error.line, 1);
        cr_assert_eq(error.column, 5, "%s: %d", texts[i], error.column);
        cr_assert_not_null(error.reason);
    }
    end();
}

Test(term, no_truncation_of_a_term_is_read_past_its_end)
{
    begin();
    gcl_term whole = parse("{a, [1, -300, 1.5, 99999999999999999999], #{k => <<1, 2>>}, \"s\"}");
    for (size_t size = 0; size < gcl_term_size(whole); size++) {
        uint8_t *bytes = malloc(size + 1);
        memcpy(bytes, gcl_term_bytes(whole), size);
        gcl_term cut = gcl_term_make(context, bytes, size);
        gcl_term any;
        cr_assert_neq(gcl_term_check(cut), 0);
        cr_assert_not(gcl_term_equal(cut, whole));
        (void)gcl_match(cut, "{a, [_ | _], #{k := ~t}, _}", &any);
        free(bytes);
    }
    gcl_term_free(whole);
    end();
}

Test(term, a_warm_match_and_write_allocate_nothing)
{
    begin();
    gcl_term request = parse("{add, 41}");
    gcl_writer *writer = gcl_writer_new(context);
    size_t before = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t n;
        if (i == 10)
            before = mem.total;
        cr_assert(gcl_match(request, "{add, ~i}", &n));
        gcl_writer_clear(writer);
        cr_assert_eq(gcl_write(writer, "{ok, ~i}", n), 0);
    }
    cr_assert_eq(mem.total, before);
    gcl_writer_free(writer);
    gcl_term_free(request);
    end();
}

static void is_beyond_a_limit(const char *text, size_t size)
{
    gcl_term term;
    gcl_parse_error error = {0};
    cr_assert_eq(gcl_term_parse(context, text, size, &term, &error), GCL_ELIMIT, "%.40s", text);
    cr_assert(gcl_term_is_none(term));
    cr_assert_not_null(error.reason);
}

Test(term, texts_ask_for_no_more_than_the_limits)
{
    static char digits[100002], atom[257];
    begin();
    memset(digits, '7', sizeof digits - 1);
    gcl_term_free(parse(digits + 1));
    is_beyond_a_limit(digits, sizeof digits - 1);
    memset(atom, 'a', sizeof atom - 1);
    gcl_term_free(parse(atom + 1));
    is_beyond_a_limit(atom, sizeof atom - 1);
    gcl_term_free(parse("<<1:8388608>>"));
    is_beyond_a_limit("<<1:8388609>>", 13);
    is_beyond_a_limit("<<1:8, 1:8388608>>", 18);
    is_beyond_a_limit("<<\"abcdefgh\":1048577>>", 22);
    is_beyond_a_limit("<<1:99999999999999999999>>", 26);
    is_beyond_a_limit("<<-1:4194305/little-unit:2>>", 28);
    end();
}

Test(term, patterns_beyond_the_limits_are_mistakes)
{
    static char many[3001], deep[64];
    begin();
    gcl_term term = parse("a");
    for (size_t i = 0; i < 1500; i++)
        memcpy(many + 2 * i, "_,", 2);
    many[0] = '{';
    many[2999] = '}';
    cr_assert_not(gcl_match(term, many));
    cr_assert_eq(misuses, 1);
    memset(deep, '{', 17);
    deep[17] = '_';
    memset(deep + 18, '}', 17);
    cr_assert_not(gcl_match(term, deep));
    cr_assert_eq(misuses, 2);
    cr_assert(gcl_match(term, "_"));
    gcl_term_free(term);
    end();
}

Test(term, what_is_kept_has_been_walked)
{
    begin();
    static const uint8_t whole[] = {104, 1, 97, 1}, cut[] = {104, 2, 97, 1}, more[] = {97, 1, 2};
    gcl_term copy;
    cr_assert_eq(gcl_term_copy(gcl_term_make(context, whole, sizeof whole), &copy), 0);
    cr_assert(gcl_match(copy, "{1}"));
    gcl_term_free(copy);
    cr_assert_eq(gcl_term_copy(gcl_term_make(context, cut, sizeof cut), &copy), GCL_ETERM);
    cr_assert(gcl_term_is_none(copy));
    cr_assert_eq(gcl_term_copy(gcl_term_make(context, more, sizeof more), &copy), GCL_ETERM);
    cr_assert(gcl_term_is_none(copy));
    end();
}

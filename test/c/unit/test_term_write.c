/* SPDX-License-Identifier: Apache-2.0 */
/* gcl_write() and the heads, the elements of a term, copies, reading without memory. */
#include <criterion/criterion.h>
#include <ei.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/terms.h"
#include "wire/term/context.h"

static struct test_terms terms;

#define WRITES(text, ...)                                                                          \
    do {                                                                                           \
        cr_assert_eq(gcl_write(terms.writer, __VA_ARGS__), 0);                                     \
        cr_assert_str_eq(test_written(&terms), text);                                              \
    } while (0)

/* An error, after which what was written before is all there is. */
#define FAILS(error, ...)                                                                          \
    do {                                                                                           \
        cr_assert_eq(gcl_write(terms.writer, "before"), 0);                                        \
        cr_assert_eq(gcl_write(terms.writer, __VA_ARGS__), (error));                               \
        cr_assert_str_eq(test_written(&terms), "before");                                          \
    } while (0)

Test(term_write, each_directive)
{
    test_terms_begin(&terms);
    gcl_bytes bytes = {(const uint8_t *)"x\0y", 3};
    WRITES("{-1,255,65536}", "{~i, ~i, ~u}", -1, 255u, 65536L);
    WRITES("[-9223372036854775808,18446744073709551615]", "[~i, ~u]", INT64_MIN, UINT64_MAX);
    WRITES("[134217727,134217728,-134217729]", "[~i, ~i, ~i]", 134217727, 134217728, -134217729);
    WRITES("{1.5,-0.0}", "{~f, ~f}", 1.5f, -0.0);
    WRITES("{a,'\\x{436}',true,'x\\000y'}", "{~a, ~a, ~a, ~a}", "a", "\xD0\xB6", (bool)true, bytes);
    WRITES("{\"ab\",[120,0,121],[],[1078]}", "{~s, ~s, ~s, ~s}", "ab", bytes, "", "\xD0\xB6");
    WRITES("\"\xC3\xA9\"", "~s", "\xC3\xA9");
    WRITES("{<<\"ab\">>,<<120,0,121>>,<<>>}", "{~b, ~b, ~b}", "ab", bytes, "");
    gcl_term term = test_term(&terms, "x");
    WRITES("[1,2|x]", "[1, ~i | ~t]", 2, term);
    gcl_term_free(term);
    test_terms_end(&terms);
}

Test(term_write, literals_and_structure)
{
    test_terms_begin(&terms);
    WRITES("{reply,[1|'A b'],#{a => {},\"k\" => <<1,2:3>>}}",
           "{reply, [1 | 'A b'], #{a => {}, ~s => <<1, 2:3>>}}", "k");
    WRITES("[a,98,99]", "[a | ~s]", "bc");
    WRITES("123456789012345678901234567890", "123456789012345678901234567890");
    WRITES("fun a:b/1", "fun a:b/1");
    test_terms_end(&terms);
}

Test(term_write, what_cannot_be_written)
{
    test_terms_begin(&terms);
    gcl_term none = gcl_term_make(terms.context, NULL, 0);
    gcl_term two = gcl_term_make(terms.context, "\x6a\x6a", 2);
    gcl_bytes null = {NULL, 3};
    const char *no_text = NULL;
    static char long_text[257];
    memset(long_text, 'a', 256);
    gcl_pid pid = {0};
    gcl_ref ref = {0};
    FAILS(GCL_EINVAL, "~a", "\xFF");
    FAILS(GCL_EINVAL, "{ok, ~a}", long_text);
    FAILS(GCL_EINVAL, "~s", "\xFF");
    FAILS(GCL_EINVAL, "{a, ~f}", (double)NAN);
    FAILS(GCL_EINVAL, "{a, ~f}", (double)INFINITY);
    FAILS(GCL_EINVAL, "{a, ~b}", no_text);
    FAILS(GCL_EINVAL, "{a, ~b}", null);
    FAILS(GCL_ETERM, "{a, ~t}", none);
    FAILS(GCL_ETERM, "{~i, ~t}", 1, two);
    FAILS(GCL_ESTALE, "~p", pid);
    FAILS(GCL_ESTALE, "~r", ref);
    cr_assert_eq(terms.misuses, 0);
    FAILS(GCL_ESYNTAX, "{a, ");
    FAILS(GCL_ESYNTAX, "{a, _}");
    FAILS(GCL_ESYNTAX, "#{a := 1}");
    FAILS(GCL_EINVAL, "~i");
    FAILS(GCL_EINVAL, "~i", 1.5);
    FAILS(GCL_EINVAL, "~s", 1);
    FAILS(GCL_EINVAL, "a", 1);
    cr_assert_eq(terms.misuses, 7);
    test_terms_end(&terms);
}

Test(term_write, strings_of_65535_characters_and_more)
{
    test_terms_begin(&terms);
    char *text = malloc(65537);
    gcl_bytes found;
    memset(text, 'x', 65536);
    text[65535] = '\0';
    cr_assert_eq(gcl_write(terms.writer, "~s", text), 0);
    cr_assert_eq(gcl_term_size(gcl_writer_term(terms.writer)), 3 + 65535);
    cr_assert(gcl_match(gcl_writer_term(terms.writer), "~s", &found));
    cr_assert_eq(found.size, 65535);
    gcl_writer_clear(terms.writer);
    text[65535] = 'x';
    text[65536] = '\0';
    cr_assert_eq(gcl_write(terms.writer, "~s", text), 0);
    cr_assert_eq(gcl_term_size(gcl_writer_term(terms.writer)), 5 + 2 * 65536 + 1);
    cr_assert_not(gcl_match(gcl_writer_term(terms.writer), "~s", &found));
    gcl_writer_clear(terms.writer);
    free(text);
    test_terms_end(&terms);
}

Test(term_write, heads_of_terms_whose_size_is_known_late)
{
    test_terms_begin(&terms);
    cr_assert_eq(gcl_write_tuple(terms.writer, 300), 0);
    for (int i = 0; i < 297; i++)
        cr_assert_eq(gcl_write(terms.writer, "~i", i), 0);
    cr_assert_eq(gcl_write_list(terms.writer, 0), 0);
    cr_assert_eq(gcl_write_list(terms.writer, 1), 0);
    cr_assert_eq(gcl_write(terms.writer, "x"), 0);
    cr_assert_eq(gcl_write(terms.writer, "[]"), 0);
    cr_assert_eq(gcl_write_map(terms.writer, 1), 0);
    cr_assert_eq(gcl_write(terms.writer, "k"), 0);
    cr_assert_eq(gcl_write(terms.writer, "v"), 0);
    gcl_term term = gcl_writer_term(terms.writer), item;
    cr_assert_eq(gcl_term_check(term), 0);
    gcl_items items;
    int64_t n, count = 0;
    cr_assert(gcl_items_begin(&items, term));
    for (; count < 297; count++)
        cr_assert(gcl_items_next(&items, &item) && gcl_match(item, "~i", &n) && n == count);
    cr_assert_not(gcl_items_is_proper_end(&items));
    cr_assert(gcl_items_next(&items, &item) && gcl_match(item, "[]"));
    cr_assert(gcl_items_next(&items, &item) && gcl_match(item, "[x]"));
    cr_assert(gcl_items_next(&items, &item) && gcl_match(item, "#{k := v}"));
    cr_assert_not(gcl_items_next(&items, &item));
    cr_assert(gcl_items_is_proper_end(&items));
    test_terms_end(&terms);
}

static void items_of(const char *text, const char *const *expected, bool is_proper)
{
    gcl_term term = test_term(&terms, text), item;
    gcl_items items;
    cr_assert(gcl_items_begin(&items, term));
    for (; *expected != NULL; expected++) {
        cr_assert(gcl_items_next(&items, &item), "%s", text);
        cr_assert_str_eq(test_print(&terms, item), *expected);
    }
    cr_assert_not(gcl_items_next(&items, &item));
    cr_assert_eq(gcl_items_is_proper_end(&items), is_proper, "%s", text);
    gcl_term_free(term);
}

Test(term_write, elements_one_by_one)
{
    test_terms_begin(&terms);
    items_of("{}", (const char *const[]){NULL}, true);
    items_of("[]", (const char *const[]){NULL}, true);
    items_of("#{}", (const char *const[]){NULL}, true);
    items_of("{a, [b]}", (const char *const[]){"a", "[b]", NULL}, true);
    items_of("\"ab\"", (const char *const[]){"97", "98", NULL}, true);
    items_of("[a, {}, $c]", (const char *const[]){"a", "{}", "99", NULL}, true);
    items_of("[a, b | c]", (const char *const[]){"a", "b", NULL}, false);
    items_of("#{a => 1, b => 2}", (const char *const[]){"a", "1", "b", "2", NULL}, true);
    gcl_items items;
    gcl_term item, term = test_term(&terms, "<<1>>");
    cr_assert_not(gcl_items_begin(&items, term));
    cr_assert_not(gcl_items_next(&items, &item));
    cr_assert_not(gcl_items_is_proper_end(&items));
    gcl_term_free(term);
    term = gcl_term_make(terms.context, "\x68\2\x6a\xFF", 4);
    cr_assert(gcl_items_begin(&items, term) && gcl_items_next(&items, &item));
    cr_assert_not(gcl_items_next(&items, &item), "malformed");
    cr_assert_not(gcl_items_is_proper_end(&items));
    test_terms_end(&terms);
}

Test(term_write, copies_outlive_what_they_were_made_of)
{
    test_terms_begin(&terms);
    gcl_term term = test_term(&terms, "{a, \"b\"}"), copy, none;
    cr_assert_eq(gcl_term_copy(term, &copy), 0);
    gcl_term_free(term);
    cr_assert_str_eq(test_print(&terms, copy), "{a,\"b\"}");
    gcl_test_fail_at(&terms.mem, 1);
    cr_assert_eq(gcl_term_copy(copy, &none), GCL_ENOMEM);
    cr_assert(gcl_term_is_none(none));
    gcl_test_fail_at(&terms.mem, 0);
    gcl_term_free(copy);
    gcl_term_free(none);
    cr_assert_eq(gcl_term_copy(none, &copy), 0);
    cr_assert(gcl_term_is_none(copy));
    test_terms_end(&terms);
}

Test(term_write, reading_and_writing_with_every_allocation_failing)
{
    static const char text[] = "{[a, \"bcd\", 1 | x], #{k => <<1:4, (<<2>>)/binary>>, k => v},"
                               " 12345678901234567890123, [1, 2, 300], \"a\" \"b\"}";
    test_terms_begin(&terms);
    for (size_t n = 1;; n++) {
        gcl_term term;
        gcl_parse_error error = {0};
        gcl_test_fail_at(&terms.mem, n);
        size_t before = terms.mem.live;
        int status = gcl_term_parse(terms.context, text, strlen(text), &term, &error);
        gcl_test_fail_at(&terms.mem, 0);
        if (status == 0) {
            cr_assert_gt(n, 2);
            gcl_term_free(term);
            break;
        }
        cr_assert_eq(status, GCL_ENOMEM);
        cr_assert(gcl_term_is_none(term));
        cr_assert_not_null(error.reason);
        cr_assert_eq(terms.mem.live, before);
    }
    char *large = calloc(1, 5000);
    memset(large, 'x', 4999);
    for (size_t n = 1;; n++) {
        gcl_test_fail_at(&terms.mem, n);
        int status = gcl_write(terms.writer, "{~s, ~b}", large, large);
        gcl_test_fail_at(&terms.mem, 0);
        if (status == 0)
            break;
        cr_assert_eq(status, GCL_ENOMEM);
        cr_assert(gcl_term_is_none(gcl_writer_term(terms.writer)));
    }
    gcl_test_fail_at(&terms.mem, 1);
    cr_assert_null(gcl_writer_new(terms.context));
    cr_assert_null(gcl_term_context_new(&terms.mem.allocator, NULL, NULL));
    free(large);
    test_terms_end(&terms);
}

Test(term_write, libei_reads_what_is_written_and_is_read)
{
    test_terms_begin(&terms);
    cr_assert_eq(gcl_write(terms.writer, "{ok, ~i, ~s, ~b, ~f, [x]}", -5, "text", "bin", 1.5), 0);
    gcl_term term = gcl_writer_term(terms.writer);
    const char *bytes = (const char *)gcl_term_bytes(term);
    int index = 0, arity;
    long size;
    long long n;
    double f;
    char atom[MAXATOMLEN_UTF8], text[16];
    cr_assert_eq(ei_decode_tuple_header(bytes, &index, &arity), 0);
    cr_assert_eq(arity, 6);
    cr_assert(ei_decode_atom(bytes, &index, atom) == 0 && strcmp(atom, "ok") == 0);
    cr_assert(ei_decode_longlong(bytes, &index, &n) == 0 && n == -5);
    cr_assert(ei_decode_string(bytes, &index, text) == 0 && strcmp(text, "text") == 0);
    cr_assert(ei_decode_binary(bytes, &index, text, &size) == 0 && size == 3);
    cr_assert(ei_decode_double(bytes, &index, &f) == 0 && f == 1.5);
    cr_assert(ei_decode_list_header(bytes, &index, &arity) == 0 && arity == 1);
    cr_assert_eq(ei_skip_term(bytes, &index), 0);
    cr_assert(ei_decode_list_header(bytes, &index, &arity) == 0 && arity == 0);
    cr_assert_eq((size_t)index, gcl_term_size(term));

    ei_x_buff out;
    gcl_bytes string, binary;
    int64_t i;
    ei_x_new(&out);
    ei_x_format_wo_ver(&out, "{ok, ~i, ~s, ~a, ~d}", 300000000, "text", "atom", 2.5);
    gcl_term other = gcl_term_make(terms.context, out.buff, (size_t)out.index);
    cr_assert_eq(gcl_term_check(other), 0);
    cr_assert(gcl_match(other, "{ok, ~i, ~s, ~a, ~f}", &i, &string, &binary, &f));
    cr_assert(i == 300000000 && string.size == 4 && binary.size == 4 && f == 2.5);
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_write(terms.writer, "{ok, ~i, ~s, ~a, ~f}", i, string, binary, f), 0);
    term = gcl_writer_term(terms.writer);
    cr_assert_eq(gcl_term_size(term), (size_t)out.index);
    cr_assert_eq(memcmp(gcl_term_bytes(term), out.buff, (size_t)out.index), 0, "byte for byte");
    ei_x_free(&out);
    test_terms_end(&terms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Terms as keys of tables: the same bytes exactly when they are equal as terms. */
#include <criterion/criterion.h>
#include <gen_cluster/term.h>
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "wire/term/key.h"

static gcl_test_memory mem;
static gcl_term_context *context;

static void begin(void)
{
    context = gcl_term_context_new(gcl_test_begin(&mem), NULL, NULL);
    cr_assert_not_null(context);
}

static void end(void)
{
    gcl_term_context_free(context);
    gcl_test_end(&mem);
}

static int key_of(struct gcl_buffer *out, struct gcl_str bytes)
{
    struct gcl_cursor cursor = gcl_cursor_make(bytes.bytes, bytes.size);
    gcl_buffer_init(out, &mem.allocator, 0);
    int error = gcl_term_key(out, &cursor);
    if (error == 0)
        cr_assert_eq(gcl_cursor_left(&cursor), 0);
    else
        cr_assert_eq(gcl_buffer_size(out), 0);
    return error;
}

static bool same_key(struct gcl_str a, struct gcl_str b)
{
    struct gcl_buffer key_a, key_b;
    cr_assert_eq(key_of(&key_a, a), 0);
    cr_assert_eq(key_of(&key_b, b), 0);
    bool same =
        gcl_buffer_size(&key_a) == gcl_buffer_size(&key_b) &&
        memcmp(gcl_buffer_bytes(&key_a), gcl_buffer_bytes(&key_b), gcl_buffer_size(&key_a)) == 0;
    gcl_buffer_fini(&key_a);
    gcl_buffer_fini(&key_b);
    return same;
}

/* Each differs from every other. */
static const char *const terms[] = {
    "0",
    "1",
    "1.0",
    "-1",
    "255",
    "256",
    "-256",
    "0.0",
    "-0.0",
    "123456789012345678901234567890",
    "-123456789012345678901234567890",
    "a",
    "'A'",
    "''",
    "'\\x{e4}'",
    "[]",
    "[a]",
    "[[]]",
    "[[], []]",
    "[97 | b]",
    "[97, b]",
    "{}",
    "{a}",
    "{a, []}",
    "<<>>",
    "<<0>>",
    "<<0:7>>",
    "<<1:7>>",
    "<<0, 0>>",
    "#{}",
    "#{a => 1}",
    "#{a => 2}",
    "#{b => 1}",
    "#{a => 1, b => 2}",
    "#{a => 2, b => 1}",
    "#{1 => x, 1.0 => y}",
    "#{1 => y, 1.0 => x}",
    "#{#{a => 1} => b}",
    "{room, 7}",
    "{room, 8}",
    "{room, [7]}",
};
enum { TERMS = sizeof terms / sizeof terms[0] };

Test(term_key, different_terms_have_different_keys)
{
    begin();
    for (size_t i = 0; i < TERMS; i++) {
        for (size_t j = 0; j < TERMS; j++) {
            gcl_term a, b;
            cr_assert_eq(gcl_term_parse(context, terms[i], strlen(terms[i]), &a, NULL), 0);
            cr_assert_eq(gcl_term_parse(context, terms[j], strlen(terms[j]), &b, NULL), 0);
            cr_assert_eq(same_key(gcl_str_make(a.bytes, a.size), gcl_str_make(b.bytes, b.size)),
                         i == j, "%s and %s", terms[i], terms[j]);
            cr_assert_eq(gcl_term_equal(a, b), i == j, "%s and %s", terms[i], terms[j]);
            gcl_term_free(a);
            gcl_term_free(b);
        }
    }
    end();
}

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

/* Forms of one term, as releases and other implementations write them. */
static const struct gcl_str forms[][2] = {
    {BYTES("\x61\x01"), BYTES("\x62\0\0\0\x01")},
    {BYTES("\x61\x01"), BYTES("\x6e\x01\0\x01")},
    {BYTES("\x61\x01"), BYTES("\x6e\x03\0\x01\0\0")},
    {BYTES("\x61\0"), BYTES("\x6e\x01\x01\0")},
    {BYTES("\x62\xff\xff\xff\xff"), BYTES("\x6f\0\0\0\x01\x01\x01")},
    {BYTES("\x77\x01z"), BYTES("\x64\0\x01z")},
    {BYTES("\x77\x02\xc3\xa4"), BYTES("\x73\x01\xe4")},
    {BYTES("\x77\x01z"), BYTES("\x76\0\x01z")},
    {BYTES("\x6b\0\x02\x01\x02"), BYTES("\x6c\0\0\0\x02\x61\x01\x61\x02\x6a")},
    {BYTES("\x6b\0\x02\x01\x02"), BYTES("\x6c\0\0\0\x01\x61\x01\x6b\0\x01\x02")},
    {BYTES("\x6b\0\x02\x01\x02"), BYTES("\x6c\0\0\0\x01\x61\x01\x6c\0\0\0\x01\x61\x02\x6a")},
    {BYTES("\x6a"), BYTES("\x6b\0\0")},
    {BYTES("\x68\x01\x61\x05"), BYTES("\x69\0\0\0\x01\x61\x05")},
    {BYTES("\x6d\0\0\0\x01\xf0"), BYTES("\x4d\0\0\0\x01\x08\xf0")},
    {BYTES("\x4d\0\0\0\x01\x04\xf0"), BYTES("\x4d\0\0\0\x01\x04\xff")},
    {BYTES("\x74\0\0\0\x02\x61\x01\x6a\x61\x02\x6a"),
     BYTES("\x74\0\0\0\x02\x61\x02\x6a\x6e\x01\0\x01\x6a")},
    /* A pid with a creation of one byte, and with one of four. */
    {BYTES("\x67\x64\0\x03x@y\0\0\0\x01\0\0\0\x02\x03"),
     BYTES("\x58\x77\x03x@y\0\0\0\x01\0\0\0\x02\0\0\0\x03")},
    /* The same fun, made by two processes. */
    {BYTES("\x70\0\0\0\x3f\x03"
           "0123456789abcdef\0\0\0\x01\0\0\0\x01\x77\x01m\x61\x01\x61\x02"
           "\x58\x77\x03x@y\0\0\0\x01\0\0\0\0\0\0\0\x03\x61\x07"),
     BYTES("\x70\0\0\0\x40\x03"
           "0123456789abcdef\0\0\0\x01\0\0\0\x01\x77\x01m\x61\x01\x61\x02"
           "\x58\x77\x04zx@y\0\0\0\x09\0\0\0\0\0\0\0\x03\x61\x07")},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

Test(term_key, forms_of_one_term_have_one_key)
{
    begin();
    for (size_t i = 0; i < FORMS; i++) {
        gcl_term a = gcl_term_make(context, forms[i][0].bytes, forms[i][0].size);
        gcl_term b = gcl_term_make(context, forms[i][1].bytes, forms[i][1].size);
        cr_assert(gcl_term_equal(a, b), "%zu", i);
        cr_assert(same_key(forms[i][0], forms[i][1]), "%zu", i);
    }
    end();
}

Test(term_key, what_is_cut_off_adds_nothing)
{
    begin();
    for (size_t i = 0; i < 2 * FORMS; i++) {
        struct gcl_str form = forms[i / 2][i % 2];
        for (size_t size = 0; size < form.size; size++) {
            struct gcl_buffer out;
            cr_assert_eq(key_of(&out, gcl_str_make(form.bytes, size)), GCL_ETERM, "%zu", i);
            gcl_buffer_fini(&out);
        }
    }
    end();
}

Test(term_key, a_map_with_a_key_twice_is_no_key)
{
    static const struct gcl_str map = BYTES("\x74\0\0\0\x02\x61\x01\x6a\x62\0\0\0\x01\x61\x02");
    struct gcl_buffer out;
    begin();
    cr_assert_eq(key_of(&out, map), GCL_ETERM);
    gcl_buffer_fini(&out);
    end();
}

Test(term_key, the_depth_is_bounded)
{
    uint8_t deep[2 * GCL_TERM_KEY_DEPTH_MAX + 1];
    struct gcl_buffer out;
    begin();
    for (size_t i = 0; i < GCL_TERM_KEY_DEPTH_MAX; i++)
        memcpy(deep + 2 * i, "\x68\x01", 2);
    deep[2 * GCL_TERM_KEY_DEPTH_MAX] = 0x6a;
    cr_assert_eq(key_of(&out, gcl_str_make(deep, sizeof deep)), GCL_ELIMIT);
    gcl_buffer_fini(&out);
    cr_assert_eq(key_of(&out, gcl_str_make(deep + 2, sizeof deep - 2)), 0);
    gcl_buffer_fini(&out);
    end();
}

Test(term_key, no_memory_adds_nothing)
{
    begin();
    for (size_t i = 0; i < FORMS; i++) {
        for (size_t n = 1;; n++) {
            struct gcl_buffer out;
            gcl_test_fail_at(&mem, n);
            int error = key_of(&out, forms[i][0]);
            gcl_test_fail_at(&mem, 0);
            gcl_buffer_fini(&out);
            if (error == 0)
                break;
            cr_assert_eq(error, GCL_ENOMEM);
        }
    }
    end();
}

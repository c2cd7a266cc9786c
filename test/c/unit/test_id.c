/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "support.h"
#include "wire/term/id.h"

#define BYTES(text) gcl_str_make(text, sizeof(text) - 1)

static struct gcl_cursor cursor_of(struct gcl_str str)
{
    return gcl_cursor_make(str.bytes, str.size);
}

/* Which of the decoders takes it; one that refuses leaves the cursor. */
static char kind_of(struct gcl_str bytes, size_t *left)
{
    struct gcl_cursor at = cursor_of(bytes), start = at;
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    struct gcl_wire_pid pid;
    struct gcl_wire_ref ref;
    struct gcl_wire_port port;
    struct gcl_str text;
    char kind = '-';
    if (gcl_wire_atom_decode(&at, scratch, &text))
        kind = 'a';
    else if (gcl_wire_pid_decode(&at, &pid))
        kind = 'p';
    else if (gcl_wire_ref_decode(&at, &ref))
        kind = 'r';
    else if (gcl_wire_port_decode(&at, &port))
        kind = 'o';
    else
        cr_assert_eq(at.at, start.at);
    *left = gcl_cursor_left(&at);
    return kind;
}

static const struct {
    char kind;
    struct gcl_str bytes;
} forms[] = {
#define FORM(kind, text)                                                                           \
    {                                                                                              \
        kind,                                                                                      \
        {                                                                                          \
            (const uint8_t *)(text), sizeof(text) - 1                                              \
        }                                                                                          \
    }
    FORM('a', "\x64\0\2ab"),
    FORM('a', "\x73\2ab"),
    FORM('a', "\x76\0\2ab"),
    FORM('a', "\x77\2ab"),
    FORM('a', "\x77\0"),
    FORM('p', "\x67\x77\1n\0\0\0\1\0\0\0\2\3"),
    FORM('p', "\x58\x77\1n\0\0\0\1\0\0\0\2\1\2\3\4"),
    FORM('r', "\x65\x77\1n\0\0\0\1\3"),
    FORM('r', "\x72\0\3\x77\1n\3\0\0\0\1\0\0\0\2\0\0\0\3"),
    FORM('r', "\x5a\0\5\x77\1n\1\2\3\4\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
    FORM('o', "\x66\x77\1n\0\0\0\1\3"),
    FORM('o', "\x59\x77\1n\0\0\0\1\1\2\3\4"),
    FORM('o', "\x78\x77\1n\0\0\0\1\0\0\0\2\1\2\3\4"),
};

enum { FORMS = sizeof forms / sizeof forms[0] };

Test(id, every_form_is_read_and_none_of_its_truncations)
{
    size_t left;
    for (size_t i = 0; i < FORMS; i++) {
        cr_assert_eq(kind_of(forms[i].bytes, &left), forms[i].kind, "form %zu", i);
        cr_assert_eq(left, 0);
        for (size_t size = 0; size < forms[i].bytes.size; size++)
            cr_assert_eq(kind_of(gcl_str_make(forms[i].bytes.bytes, size), &left), '-');
    }
}

Test(id, other_tags_are_refused)
{
    static const char known[] = "\x64\x73\x76\x77\x67\x58\x65\x72\x5a\x66\x59\x78";
    size_t left;
    for (int tag = 0; tag < 256; tag++) {
        uint8_t bytes[64] = {(uint8_t)tag};
        if (memchr(known, tag, sizeof known - 1) == NULL)
            cr_assert_eq(kind_of(gcl_str_make(bytes, sizeof bytes), &left), '-');
    }
}

Test(id, what_is_written_is_read_back)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_wire_pid pid = {gcl_str_of("a@host"), 1, 2, UINT32_MAX}, pid_back;
    struct gcl_wire_ref ref = {gcl_str_of("b@host"), 7, 5, {1, 2, 3, 4, UINT32_MAX}}, ref_back;
    struct gcl_wire_port port = {gcl_str_of("c@host"), (UINT64_C(1) << 60) - 1, 9}, port_back;
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    for (ref.count = 1; ref.count <= GCL_WIRE_REF_WORDS; ref.count++) {
        gcl_buffer_clear(&out);
        port.id = ref.count % 2 == 0 ? (UINT64_C(1) << 60) - 1 : 0xFFFFFFF;
        cr_assert_eq(gcl_wire_pid_encode(&out, &pid), 0);
        cr_assert_eq(gcl_wire_ref_encode(&out, &ref), 0);
        cr_assert_eq(gcl_wire_port_encode(&out, &port), 0);
        struct gcl_cursor at = gcl_cursor_make(gcl_buffer_bytes(&out), gcl_buffer_size(&out));
        cr_assert(gcl_wire_pid_decode(&at, &pid_back));
        cr_assert(gcl_wire_ref_decode(&at, &ref_back));
        cr_assert(gcl_wire_port_decode(&at, &port_back));
        cr_assert_eq(gcl_cursor_left(&at), 0);
        cr_assert(gcl_str_equal(pid.node, pid_back.node) && pid_back.id == 1 &&
                  pid_back.serial == 2 && pid_back.creation == UINT32_MAX);
        cr_assert(gcl_str_equal(ref.node, ref_back.node) && ref_back.creation == 7 &&
                  ref_back.count == ref.count);
        for (uint32_t i = 0; i < GCL_WIRE_REF_WORDS; i++)
            cr_assert_eq(ref_back.words[i], i < ref.count ? ref.words[i] : 0);
        cr_assert(port_back.id == port.id && port_back.creation == 9);
    }
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

Test(id, references_have_one_to_five_words)
{
    for (uint8_t count = 0; count < 8; count++) {
        uint8_t bytes[64] = {90, 0, count, 119, 1, 'n'};
        struct gcl_cursor at = gcl_cursor_make(bytes, 10 + 4u * count);
        struct gcl_wire_ref ref;
        cr_assert_eq(gcl_wire_ref_decode(&at, &ref), count >= 1 && count <= 5);
    }
}

/* An id that its own node would take for garbage: term_to_binary() of no release gives one. */
Test(id, numbers_that_no_node_gives_are_refused)
{
    size_t left;
    cr_assert_neq(kind_of(BYTES("\x58\x77\1n\x0f\xff\xff\xff\0\0\0\0\0\0\0\1"), &left), '-');
    cr_assert_eq(kind_of(BYTES("\x58\x77\1n\x10\0\0\0\0\0\0\0\0\0\0\1"), &left), '-');
    cr_assert_neq(kind_of(BYTES("\x5a\0\1\x77\1n\0\0\0\1\0\3\xff\xff"), &left), '-');
    cr_assert_eq(kind_of(BYTES("\x5a\0\1\x77\1n\0\0\0\1\0\4\0\0"), &left), '-');
    cr_assert_neq(kind_of(BYTES("\x78\x77\1n\x0f\xff\xff\xff\xff\xff\xff\xff\0\0\0\1"), &left),
                  '-');
    cr_assert_eq(kind_of(BYTES("\x78\x77\1n\x10\0\0\0\0\0\0\0\0\0\0\1"), &left), '-');
}

/* spec: erl_ext_dist, PID_EXT: BEAM refuses more than two bits of creation in the old forms */
Test(id, old_forms_have_small_creations)
{
    size_t left;
    cr_assert_eq(kind_of(BYTES("\x67\x77\1n\0\0\0\1\0\0\0\2\4"), &left), '-');
    cr_assert_eq(kind_of(BYTES("\x65\x77\1n\0\0\0\1\4"), &left), '-');
    cr_assert_eq(kind_of(BYTES("\x66\x77\1n\0\0\0\1\4"), &left), '-');
}

Test(id, atoms_have_at_most_255_characters)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_str text;
    static uint8_t wide[4 * 256];
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    for (size_t i = 0; i < 256; i++)
        memcpy(wide + 4 * i, "\xF0\x9F\x98\x80", 4);
    static const size_t counts[] = {0, 1, 63, 64, 254, 255};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct gcl_str atom = gcl_str_make(wide, 4 * counts[i]);
        gcl_buffer_clear(&out);
        cr_assert_eq(gcl_wire_atom_encode(&out, atom), 0);
        cr_assert_eq(gcl_buffer_bytes(&out)[0], atom.size < 256 ? 119 : 118);
        struct gcl_cursor at = gcl_cursor_make(gcl_buffer_bytes(&out), gcl_buffer_size(&out));
        cr_assert(gcl_wire_atom_decode(&at, NULL, &text));
        cr_assert(gcl_str_equal(text, atom));
    }
    gcl_buffer_clear(&out);
    cr_assert_eq(gcl_wire_atom_encode(&out, gcl_str_make(wide, 4 * 256)), 0);
    struct gcl_cursor at = gcl_cursor_make(gcl_buffer_bytes(&out), gcl_buffer_size(&out));
    cr_assert(!gcl_wire_atom_decode(&at, NULL, &text));
    memset(wide, 'a', sizeof wide);
    cr_assert(gcl_wire_text_is_atom(gcl_str_make(wide, 255)));
    cr_assert(!gcl_wire_text_is_atom(gcl_str_make(wide, 256)));
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

Test(id, latin1_becomes_utf8_where_there_is_room)
{
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES], bytes[3 + 256] = {100, 1, 0};
    struct gcl_str text;
    struct gcl_cursor at = cursor_of(BYTES("\x73\3b\xE4r"));
    cr_assert(!gcl_wire_atom_decode(&at, NULL, &text));
    cr_assert(gcl_wire_atom_decode(&at, scratch, &text));
    cr_assert(gcl_str_is(text, "b\xC3\xA4r"));
    memset(bytes + 3, 0xFF, 256);
    at = gcl_cursor_make(bytes, sizeof bytes);
    cr_assert(!gcl_wire_atom_decode(&at, scratch, &text), "256 characters");
    bytes[1] = 0, bytes[2] = 255;
    cr_assert(gcl_wire_atom_decode(&at, scratch, &text));
    cr_assert_eq(text.size, 510);
    cr_assert(gcl_wire_text_is_atom(text));
}

Test(id, text_must_be_utf8)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "a@h\xC3\xB6st.example.org"};
    static const char *const bad[] = {
        "\x80",     "\xC0\x80",         "\xC1\xBF",         "\xC2",
        "\xC2\x41", "\xE0\x9F\xBF",     "\xED\xA0\x80",     "\xED\xBF\xBF",
        "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",     "12345678\xFF",     "1234567\xFF"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(gcl_wire_text_is_atom(gcl_str_of(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert(!gcl_wire_text_is_atom(gcl_str_of(bad[i])), "bad %zu", i);
}

Test(id, without_memory_nothing_is_added)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_wire_pid pid = {gcl_str_of("a@host"), 1, 2, 3};
    struct gcl_wire_ref ref = {gcl_str_of("b@host"), 7, 1, {1}};
    struct gcl_wire_port port = {gcl_str_of("c@host"), 1, 9};
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    gcl_test_fail_at(&mem, 1);
    cr_assert_eq(gcl_wire_atom_encode(&out, pid.node), GCL_ENOMEM);
    cr_assert_eq(gcl_wire_pid_encode(&out, &pid), GCL_ENOMEM);
    cr_assert_eq(gcl_wire_ref_encode(&out, &ref), GCL_ENOMEM);
    cr_assert_eq(gcl_wire_port_encode(&out, &port), GCL_ENOMEM);
    cr_assert_eq(gcl_buffer_size(&out), 0);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

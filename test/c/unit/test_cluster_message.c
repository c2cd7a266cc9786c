/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the membership, between terms and structs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/message.h"
#include "support/golden.h"
#include "support/terms.h"
#include "wire/term/context.h"

static struct test_terms terms;
static struct gcl_cluster_pids room;
static struct gcl_membership_message message;
static const char *wrong;

static void begin(void)
{
    test_terms_begin(&terms);
    room = (struct gcl_cluster_pids){.mem = &terms.mem.allocator};
}

static void end(void)
{
    gcl_cluster_pids_fini(&room);
    test_terms_end(&terms);
}

static int decode(gcl_term term)
{
    return gcl_cluster_message_decode(&room, term, gcl_str_of("room"), &message, &wrong);
}

static gcl_term encode(void)
{
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_cluster_message_encode(terms.writer, gcl_str_of("room"), &message), 0);
    return gcl_writer_term(terms.writer);
}

static const struct gcl_member_id sender = {{(const uint8_t *)"a@h", 3}, 3, 2, 1};

/* {'$gen_cluster', 1, Kind, room, A, Map}, with the map given as text. */
static gcl_term make(const char *envelope, const char *map)
{
    gcl_term head = test_term(&terms, envelope), items[4], keys = test_term(&terms, map);
    cr_assert(gcl_match(head, "{~t, ~t, ~t, ~t}", &items[0], &items[1], &items[2], &items[3]));
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_write_tuple(terms.writer, 6), 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(gcl_write(terms.writer, "~t", items[i]), 0);
    cr_assert_eq(gcl_cluster_pid_encode(terms.writer, &sender), 0);
    cr_assert_eq(gcl_write(terms.writer, "~t", keys), 0);
    gcl_term_free(head);
    gcl_term_free(keys);
    return gcl_writer_term(terms.writer);
}

static int decode_text(const char *kind, const char *map)
{
    char envelope[128];
    (void)snprintf(envelope, sizeof envelope, "{'$gen_cluster', 1, %s, room}", kind);
    return decode(make(envelope, map));
}

#define ABOUT "v => 3, phase => settled, claim => true, hidden => false, type => counter"

/* --- golden --------------------------------------------------------------------------------- */

static const struct {
    enum gcl_membership_message_kind kind;
    uint32_t keys;
} expected[] = {
    {GCL_MEMBERSHIP_HELLO, GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_NONCE},
    {GCL_MEMBERSHIP_HELLO, GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_NONCE |
                               GCL_MEMBERSHIP_KEY_WANT | GCL_MEMBERSHIP_KEY_CONTACT |
                               GCL_MEMBERSHIP_KEY_CHILDREN},
    {GCL_MEMBERSHIP_HELLO,
     GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_NONCE | GCL_MEMBERSHIP_KEY_ECHO},
    {GCL_MEMBERSHIP_ACK, GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_ECHO},
    {GCL_MEMBERSHIP_ACK,
     GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_ECHO | GCL_MEMBERSHIP_KEY_CONTACT},
    {GCL_MEMBERSHIP_LIST, GCL_MEMBERSHIP_KEY_PIDS},
    {GCL_MEMBERSHIP_LIST, GCL_MEMBERSHIP_KEY_PIDS | GCL_MEMBERSHIP_KEY_WANT},
    {GCL_MEMBERSHIP_SYNC, GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_DIGEST},
    {GCL_MEMBERSHIP_INFO, GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_HOLDER},
    {GCL_MEMBERSHIP_LEAVE, 0},
};

Test(cluster_message, golden_bytes_of_erlang_both_ways)
{
    struct gcl_golden_file golden = gcl_golden_load("membership.txt");
    begin();
    cr_assert_eq(golden.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < golden.count; i++) {
        gcl_term term = gcl_term_of(terms.context, golden.lines[i].packet);
        uint32_t keys = expected[i].keys | GCL_MEMBERSHIP_KEY_STAY;
        if (keys & GCL_MEMBERSHIP_KEY_V)
            keys |= GCL_MEMBERSHIP_KEY_META;
        cr_assert_eq(decode(term), 0, "%zu: %s", i, wrong);
        cr_assert_eq(message.kind, expected[i].kind);
        cr_assert_eq(message.keys, keys, "%zu: %x", i, message.keys);
        cr_assert(gcl_member_id_equal(&message.from, &sender));
        cr_assert(gcl_term_equal(encode(), term), "%zu: %s", i, test_print(&terms, encode()));
    }
    end();
    gcl_golden_free(&golden);
}

Test(cluster_message, what_the_golden_ones_say)
{
    struct gcl_golden_file golden = gcl_golden_load("membership.txt");
    begin();
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[1].packet)), 0);
    cr_assert_eq(message.stay, 2);
    cr_assert_eq(message.nonce, 300);
    cr_assert_eq(message.info.v, 3);
    cr_assert(!message.info.settled && !message.info.claim && message.info.hidden);
    cr_assert(gcl_str_is(message.info.label.type, "counter"));
    cr_assert_gt(message.info.label.meta.size, 0);
    cr_assert_gt(message.info.label.children.size, 0);
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[2].packet)), 0);
    cr_assert_eq(message.echo, 5000000000);
    cr_assert(message.info.settled && message.info.claim && !message.info.hidden);
    cr_assert_eq(message.info.label.meta.size, 0, "no keys");
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[6].packet)), 0);
    cr_assert_eq(message.pids.count, 2);
    cr_assert(gcl_str_is(gcl_member_list_at(&message.pids, 0)->node, "b@h"));
    cr_assert_eq(gcl_member_list_at(&message.pids, 0)->id, 70000);
    cr_assert_eq(gcl_member_list_at(&message.pids, 1)->serial, 1);
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[7].packet)), 0);
    cr_assert_arr_eq(message.digest, "\1\2\3\4\5\6\7\10", 8);
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[8].packet)), 0);
    cr_assert(gcl_str_is(message.holder.node, "c@h"));
    cr_assert_eq(decode(gcl_term_of(terms.context, golden.lines[9].packet)), 0);
    cr_assert_eq(message.stay, UINT64_MAX);
    end();
    gcl_golden_free(&golden);
}

Test(cluster_message, every_truncation_is_malformed)
{
    struct gcl_golden_file golden = gcl_golden_load("membership.txt");
    begin();
    for (size_t i = 0; i < golden.count; i++) {
        struct gcl_str packet = golden.lines[i].packet;
        for (size_t size = 0; size < packet.size; size++) {
            uint8_t *bytes = malloc(size + 1); /* so that the sanitizer sees its end */
            cr_assert_not_null(bytes);
            memcpy(bytes, packet.bytes, size);
            cr_assert_eq(decode(gcl_term_make(terms.context, bytes, size)), GCL_ETERM);
            free(bytes);
        }
    }
    end();
    gcl_golden_free(&golden);
}

/* --- what is ignored ------------------------------------------------------------------------ */

Test(cluster_message, unknown_keys_mean_nothing)
{
    begin();
    cr_assert_eq(decode_text("hello", "#{stay => 1, " ABOUT ", nonce => 1, new => {x}, 7 => 8}"),
                 0);
    cr_assert_eq(message.keys,
                 GCL_MEMBERSHIP_KEY_STAY | GCL_MEMBERSHIP_KEYS_INFO | GCL_MEMBERSHIP_KEY_NONCE);
    cr_assert_eq(decode_text("leave", "#{stay => 1, \"stay\" => x}"), 0);
    end();
}

Test(cluster_message, other_versions_kinds_and_clusters)
{
    begin();
    cr_assert_eq(decode(make("{'$gen_cluster', 2, hello, room}", "#{stay => 1}")), GCL_ENOTSUP);
    cr_assert_str_eq(wrong, "another version");
    cr_assert(gcl_cluster_message_is(make("{'$gen_cluster', two, hello, room}", "#{}")));
    cr_assert_eq(decode(make("{'$gen_cluster', 1, hello, hall}", "#{stay => 1}")), GCL_ENOTSUP);
    cr_assert_str_eq(wrong, "another cluster");
    cr_assert_eq(decode(make("{'$gen_cluster', 1, wave, room}", "#{stay => 1}")), GCL_ENOTSUP);
    cr_assert_eq(decode(make("{'$gen_cluster', 1, [], room}", "#{stay => 1}")), GCL_ENOTSUP);
    cr_assert_str_eq(wrong, "unknown kind");
    cr_assert_eq(decode(make("{'$gen_cluster', 1, hello, room}", "[stay]")), GCL_ETERM);
    cr_assert(!gcl_cluster_message_is(make("{gen_cluster, 1, hello, room}", "#{}")));
    gcl_term term = test_term(&terms, "{'$gen_cluster', 1, hello, room, nobody, #{}}");
    cr_assert(gcl_cluster_message_is(term));
    cr_assert_eq(decode(term), GCL_ETERM, "no pid");
    struct gcl_member_id from;
    cr_assert(!gcl_cluster_message_from(term, &from));
    gcl_term_free(term);
    cr_assert(gcl_cluster_message_from(make("{'$gen_cluster', 2, x, y}", "#{}"), &from));
    cr_assert(gcl_member_id_equal(&from, &sender));
    end();
}

static const struct {
    const char *map, *wrong;
} senseless[] = {
    {"#{stay => 0}", "bad stay"},
    {"#{stay => -1}", "bad stay"},
    {"#{stay => one}", "bad stay"},
    {"#{stay => 18446744073709551616}", "bad stay"},
    {"#{stay => 1, nonce => 0}", "bad nonce"},
    {"#{stay => 1, echo => \"1\"}", "bad echo"},
    {"#{stay => 1, v => -1}", "bad v"},
    {"#{stay => 1, phase => out}", "bad phase"},
    {"#{stay => 1, claim => yes}", "bad claim"},
    {"#{stay => 1, hidden => 1}", "bad hidden"},
    {"#{stay => 1, type => \"counter\"}", "bad type"},
    {"#{stay => 1, want => []}", "bad want"},
    {"#{stay => 1, contact => maybe}", "bad contact"},
    {"#{stay => 1, digest => \"12345678\"}", "bad digest"},
    {"#{stay => 1, holder => undefined}", "bad holder"},
    {"#{stay => 1, pids => none}", "bad pids"},
    {"#{stay => 1, pids => {}}", "bad pids"},
    {"#{stay => 1, pids => [a]}", "bad pids"},
    {"#{stay => 1, pids => \"abc\"}", "bad pids"},
};

Test(cluster_message, a_value_that_makes_no_sense_spoils_all)
{
    begin();
    for (size_t i = 0; i < sizeof senseless / sizeof *senseless; i++) {
        cr_assert_eq(decode_text("leave", senseless[i].map), GCL_ETERM, "%s", senseless[i].map);
        cr_assert_str_eq(wrong, senseless[i].wrong);
    }
    cr_assert_eq(decode_text("leave", "#{stay => 1, want => false, contact => false}"), 0);
    cr_assert_eq(message.keys, GCL_MEMBERSHIP_KEY_STAY, "false is as if it were not there");
    cr_assert_eq(decode_text("sync", "#{stay => 1, digest => <<1>>}"), 0, "of a newer member");
    end();
}

/* --- limits --------------------------------------------------------------------------------- */

static void write_list(uint32_t count, bool is_proper)
{
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_write_tuple(terms.writer, 6), 0);
    cr_assert_eq(gcl_write(terms.writer, "'$gen_cluster'"), 0);
    cr_assert_eq(gcl_write(terms.writer, "1"), 0);
    cr_assert_eq(gcl_write(terms.writer, "list"), 0);
    cr_assert_eq(gcl_write(terms.writer, "room"), 0);
    cr_assert_eq(gcl_cluster_pid_encode(terms.writer, &sender), 0);
    cr_assert_eq(gcl_write_map(terms.writer, 1), 0);
    cr_assert_eq(gcl_write(terms.writer, "pids"), 0);
    cr_assert_eq(gcl_write_list(terms.writer, count), 0);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(gcl_cluster_pid_encode(terms.writer, &sender), 0);
    cr_assert_eq(gcl_write(terms.writer, "~a", is_proper ? "x" : "y"), 0);
}

/* The list's tail is the atom: only a proper list ends with []. */
static gcl_term list_of(uint32_t count)
{
    write_list(count, true);
    terms.writer->buffer->end -= 3;
    cr_assert_eq(gcl_write(terms.writer, "[]"), 0);
    return gcl_writer_term(terms.writer);
}

Test(cluster_message, a_list_has_at_most_1000_pids)
{
    begin();
    cr_assert_eq(decode(list_of(1000)), 0);
    cr_assert_eq(message.pids.count, 1000);
    cr_assert_eq(decode(list_of(1001)), GCL_ETERM);
    write_list(2, false);
    cr_assert_eq(decode(gcl_writer_term(terms.writer)), GCL_ETERM, "improper");
    end();
}

static size_t meta_size(size_t binary)
{
    static uint8_t zeros[9000];
    gcl_bytes bytes = {zeros, binary};
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_write(terms.writer, "#{a => ~b}", bytes), 0);
    return gcl_cluster_meta_of(gcl_writer_term(terms.writer)).size;
}

Test(cluster_message, meta_is_a_map_of_at_most_4096_bytes)
{
    begin();
    size_t rest = 1 + 5 + 3 + 5; /* version, map, atom, head of the binary */
    cr_assert_eq(meta_size(4096 - rest), 4095);
    cr_assert_eq(meta_size(4096 - rest + 1), 0);
    gcl_term term = test_term(&terms, "[{a, 1}]");
    cr_assert_eq(gcl_cluster_meta_of(term).size, 0);
    gcl_term_free(term);
    end();
}

static size_t children_size(uint32_t count)
{
    gcl_writer_clear(terms.writer);
    cr_assert_eq(gcl_write_list(terms.writer, count), 0);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(gcl_write_tuple(terms.writer, 2), 0);
        cr_assert_eq(gcl_write(terms.writer, "w"), 0);
        cr_assert_eq(gcl_cluster_pid_encode(terms.writer, &sender), 0);
    }
    cr_assert_eq(gcl_write(terms.writer, "[]"), 0);
    return gcl_cluster_children_of(gcl_writer_term(terms.writer)).size;
}

Test(cluster_message, children_are_pairs_in_at_most_8192_bytes)
{
    begin();
    size_t one = 2 + 3 + 1 + 2 + 3 + 12;
    uint32_t most = (uint32_t)((8192 - 1 - 6) / one);
    cr_assert_eq(children_size(most), 6 + most * one);
    cr_assert_eq(children_size(most + 1), 0);
    static const char *const bad[] = {"[]", "[a]", "[{a, b}]", "[{1, 2}]", "\"abc\"", "#{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gcl_term term = test_term(&terms, bad[i]);
        cr_assert_eq(gcl_cluster_children_of(term).size, 0, "%s", bad[i]);
        gcl_term_free(term);
    }
    end();
}

Test(cluster_message, no_memory_for_a_list)
{
    begin();
    gcl_term copy;
    cr_assert_eq(gcl_term_copy(list_of(3), &copy), 0);
    cr_assert_eq(decode(copy), 0); /* the patterns are compiled */
    gcl_cluster_pids_fini(&room);
    for (size_t n = 1; n <= 2; n++) {
        gcl_test_fail_at(&terms.mem, n);
        cr_assert_eq(decode(copy), GCL_ENOMEM);
        gcl_test_fail_at(&terms.mem, 0);
    }
    cr_assert_eq(decode(copy), 0);
    gcl_term_free(copy);
    end();
}

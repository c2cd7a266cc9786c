/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "wire/flags.h"

/* spec: erl_dist_protocol, "Distribution Flags": the numbers as they are printed there */
Test(flags, have_the_values_of_the_protocol)
{
    static const struct {
        const char *name;
        uint64_t value;
    } table[] = {
        {"PUBLISHED", 0x1},
        {"EXTENDED_REFERENCES", 0x4},
        {"DIST_MONITOR", 0x8},
        {"FUN_TAGS", 0x10},
        {"DIST_MONITOR_NAME", 0x20},
        {"NEW_FUN_TAGS", 0x80},
        {"EXTENDED_PIDS_PORTS", 0x100},
        {"EXPORT_PTR_TAG", 0x200},
        {"BIT_BINARIES", 0x400},
        {"NEW_FLOATS", 0x800},
        {"UNICODE_IO", 0x1000},
        {"DIST_HDR_ATOM_CACHE", 0x2000},
        {"SMALL_ATOM_TAGS", 0x4000},
        {"UTF8_ATOMS", 0x10000},
        {"MAP_TAG", 0x20000},
        {"BIG_CREATION", 0x40000},
        {"SEND_SENDER", 0x80000},
        {"BIG_SEQTRACE_LABELS", 0x100000},
        {"EXIT_PAYLOAD", 0x400000},
        {"FRAGMENTS", 0x800000},
        {"HANDSHAKE_23", 0x1000000},
        {"UNLINK_ID", 0x2000000},
        {"MANDATORY_25_DIGEST", 0x4000000},
        {"SPAWN", 0x100000000},
        {"NAME_ME", 0x200000000},
        {"V4_NC", 0x400000000},
        {"ALIAS", 0x800000000},
        {"ALTACT_SIG", 0x2000000000},
        {"NATIVE_RECORDS", 0x4000000000},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned bit = (unsigned)__builtin_ctzll(table[i].value);
        cr_assert_eq(gcl_flag_find(table[i].name), table[i].value, "%s", table[i].name);
        cr_assert_str_eq(gcl_flag_name(bit), table[i].name);
    }
    cr_assert_eq(gcl_flag_find("NO_SUCH_FLAG"), 0);
    cr_assert_null(gcl_flag_name(15));
    cr_assert_null(gcl_flag_name(63));
    cr_assert_null(gcl_flag_name(64));
}

Test(flags, recommended_is_what_the_protocol_document_recommends)
{
    cr_assert_eq(GCL_FLAGS_MANDATORY, 0x1070f94, "%llx", (unsigned long long)GCL_FLAGS_MANDATORY);
    cr_assert_eq(GCL_FLAGS_RECOMMENDED, 0xd075f5fbc, "%llx",
                 (unsigned long long)GCL_FLAGS_RECOMMENDED);
    cr_assert_eq(GCL_FLAGS_RECOMMENDED & (GCL_FLAG(DIST_HDR_ATOM_CACHE) | GCL_FLAG(FRAGMENTS) |
                                          GCL_FLAG(PUBLISHED) | GCL_FLAG(ALTACT_SIG)),
                 0);
}

/* What each release offers: of 23.2, of 25 and 27, of 29. */
Test(flags, of_all_supported_releases_are_enough)
{
    static const uint64_t offered[] = {0x101df7fbd, 0xd07df7fbd, 0x6d07df7fbd};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(gcl_flags_missing(offered[i], GCL_FLAGS_MANDATORY), 0);
}

Test(flags, digest_stands_for_all_mandatory_ones)
{
    uint64_t digest = GCL_FLAG(MANDATORY_25_DIGEST);
    cr_assert_eq(gcl_flags_expand(digest), digest | GCL_FLAGS_MANDATORY);
    cr_assert_eq(gcl_flags_expand(GCL_FLAG(SPAWN)), GCL_FLAG(SPAWN));
    cr_assert_eq(gcl_flags_missing(digest, GCL_FLAGS_MANDATORY), 0);
    cr_assert_eq(gcl_flags_missing(digest, GCL_FLAG(SPAWN)), GCL_FLAG(SPAWN));
}

Test(flags, each_missing_one_is_named)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t one = UINT64_C(1) << bit;
        char text[64];
        if ((GCL_FLAGS_MANDATORY & one) == 0)
            continue;
        uint64_t missing = gcl_flags_missing(GCL_FLAGS_MANDATORY & ~one, GCL_FLAGS_MANDATORY);
        cr_assert_eq(missing, one);
        cr_assert_eq(gcl_flags_print(missing, text, sizeof text), strlen(gcl_flag_name(bit)));
        cr_assert_str_eq(text, gcl_flag_name(bit));
    }
}

Test(flags, print_lists_names_and_numbers_what_has_none)
{
    char text[64];
    cr_assert_eq(gcl_flags_print(0, text, sizeof text), 4);
    cr_assert_str_eq(text, "none");
    uint64_t flags = GCL_FLAG(SPAWN) | GCL_FLAG(PUBLISHED) | UINT64_C(1) << 63;
    cr_assert_eq(gcl_flags_print(flags, text, sizeof text), strlen("PUBLISHED SPAWN bit_63"));
    cr_assert_str_eq(text, "PUBLISHED SPAWN bit_63");
}

Test(flags, print_cuts_at_the_size)
{
    char whole[2048];
    size_t length = gcl_flags_print(UINT64_MAX, whole, sizeof whole);
    cr_assert_eq(length, strlen(whole));
    for (size_t size = 1; size <= length; size++) {
        char text[2048];
        memset(text, 'x', sizeof text);
        cr_assert_eq(gcl_flags_print(UINT64_MAX, text, size), length);
        cr_assert_eq(strlen(text), size - 1);
        cr_assert_eq(memcmp(text, whole, size - 1), 0);
        cr_assert_eq(text[size], 'x');
    }
}

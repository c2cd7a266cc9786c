/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <string.h>

#include "base/cursor.h"
#include "support.h"
#include "support/golden.h"
#include "wire/epmd.h"
#include "wire/term/id.h"

/* What a node of OTP asks, written by us: the same bytes. */
static void same_request(struct gcl_str golden)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    if (golden.bytes[2] == 120) {
        struct gcl_epmd_node node = {.visible = golden.bytes[5] == 77,
                                     .port = (uint16_t)(golden.bytes[3] << 8 | golden.bytes[4]),
                                     .alive = gcl_str_make(golden.bytes + 13, 1)};
        cr_assert_eq(gcl_epmd_append_alive(&out, &node), 0);
    } else {
        cr_assert_eq(golden.bytes[2], 122);
        cr_assert_eq(gcl_epmd_append_port_please(&out, gcl_str_make(golden.bytes + 3, 1)), 0);
    }
    cr_assert(gcl_str_equal(gcl_str_make(gcl_buffer_bytes(&out), gcl_buffer_size(&out)), golden));
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

static void understood(struct gcl_str golden)
{
    bool done;
    if (golden.bytes[0] == 118) {
        struct gcl_epmd_alive alive;
        cr_assert_eq(gcl_epmd_decode_alive(golden, &alive, &done), 0);
        cr_assert(done);
        cr_assert_eq(alive.result, 0);
        cr_assert_geq(alive.creation, 4);
    } else {
        struct gcl_epmd_port port;
        cr_assert_eq(gcl_epmd_decode_port(golden, &port, &done), 0);
        cr_assert(done);
        cr_assert_eq(port.result, 0);
        cr_assert_gt(port.port, 0);
        cr_assert_eq(port.type, GCL_EPMD_NODE_VISIBLE);
        cr_assert_eq(port.protocol, 0);
        cr_assert_eq(port.version_high, 6);
        cr_assert_eq(port.version_low, 5);
        cr_assert(gcl_str_is(port.name, "b"));
    }
}

Test(epmd, golden_bytes_both_ways)
{
    struct gcl_golden_file file = gcl_golden_load("epmd.txt");
    for (size_t i = 0; i < file.count; i++) {
        if (file.lines[i].side == '>')
            same_request(file.lines[i].packet);
        else
            understood(file.lines[i].packet);
    }
    gcl_golden_free(&file);
}

Test(epmd, hidden_nodes_register_as_such)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_epmd_node node = {.alive = gcl_str_of("c"), .port = 0x1234, .visible = false};
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    cr_assert_eq(gcl_epmd_append_alive(&out, &node), 0);
    cr_assert_eq(gcl_buffer_size(&out), 16);
    cr_assert_eq(memcmp(gcl_buffer_bytes(&out), "\0\x0ex\x12\x34H\0\0\6\0\5\0\1c\0\0", 16), 0);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

Test(epmd, names_of_length_0_1_max_and_more)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    char name[GCL_ATOM_MAX_BYTES + 1];
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    memset(name, 'a', sizeof name);
    for (size_t size = 0; size <= sizeof name; size++) {
        struct gcl_epmd_node node = {.alive = gcl_str_make(name, size), .port = 1};
        int expected = size == 0 || size == sizeof name ? GCL_ENAME : 0;
        gcl_buffer_clear(&out);
        cr_assert_eq(gcl_epmd_append_alive(&out, &node), expected);
        cr_assert_eq(gcl_buffer_size(&out), expected == 0 ? size + 15 : 0);
        gcl_buffer_clear(&out);
        cr_assert_eq(gcl_epmd_append_port_please(&out, node.alive), expected);
        cr_assert_eq(gcl_buffer_size(&out), expected == 0 ? size + 3 : 0);
    }
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

Test(epmd, every_truncation_of_a_reply_waits_for_more)
{
    static const uint8_t alive[] = {118, 0, 0x11, 0x22, 0x33, 0x44}, old[] = {121, 0, 0, 3};
    static const uint8_t port[] = {119, 0, 0x12, 0x34, 72,  0,   0, 6, 0,
                                   5,   0, 3,    'a',  'b', 'c', 0, 0};
    struct gcl_epmd_alive registered;
    struct gcl_epmd_port found;
    bool done;
    for (size_t size = 0; size <= sizeof alive; size++) {
        cr_assert_eq(gcl_epmd_decode_alive(gcl_str_make(alive, size), &registered, &done), 0);
        cr_assert_eq(done, size == sizeof alive);
    }
    cr_assert_eq(registered.creation, 0x11223344);
    for (size_t size = 0; size <= sizeof old; size++) {
        cr_assert_eq(gcl_epmd_decode_alive(gcl_str_make(old, size), &registered, &done), 0);
        cr_assert_eq(done, size == sizeof old);
    }
    cr_assert_eq(registered.creation, 3);
    for (size_t size = 0; size <= sizeof port; size++) {
        cr_assert_eq(gcl_epmd_decode_port(gcl_str_make(port, size), &found, &done), 0);
        cr_assert_eq(done, size >= sizeof port - 2, "size %zu", size); /* Extra need not come */
    }
    cr_assert_eq(found.port, 0x1234);
    cr_assert_eq(found.type, GCL_EPMD_NODE_HIDDEN);
    cr_assert(gcl_str_is(found.name, "abc"));
}

Test(epmd, refusals_are_results)
{
    struct gcl_epmd_alive registered;
    struct gcl_epmd_port found;
    bool done;
    cr_assert_eq(gcl_epmd_decode_alive(gcl_str_of("v\1\1\1\1\1"), &registered, &done), 0);
    cr_assert(done && registered.result == 1 && registered.creation == 0);
    cr_assert_eq(gcl_epmd_decode_port(gcl_str_of("w\1"), &found, &done), 0);
    cr_assert(done && found.result == 1);
}

Test(epmd, other_tags_and_lengths_are_refused)
{
    struct gcl_epmd_alive registered;
    struct gcl_epmd_port found;
    bool done;
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t bytes[8] = {(uint8_t)tag};
        struct gcl_str str = gcl_str_make(bytes, sizeof bytes);
        int error = gcl_epmd_decode_alive(str, &registered, &done);
        cr_assert_eq(error, tag == 118 || tag == 121 ? 0 : GCL_EPROTO);
        error = gcl_epmd_decode_port(str, &found, &done);
        cr_assert_eq(error, tag == 119 ? 0 : GCL_EPROTO);
    }
    static const struct {
        uint16_t size;
        int error;
    } lengths[] = {{0, GCL_EPROTO}, {1, 0}, {1020, 0}, {1021, GCL_EPROTO}, {65535, GCL_EPROTO}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t bytes[GCL_EPMD_REPLY_MAX_BYTES] = {119, 0};
        bytes[10] = (uint8_t)(lengths[i].size >> 8);
        bytes[11] = (uint8_t)lengths[i].size;
        int error = gcl_epmd_decode_port(gcl_str_make(bytes, sizeof bytes), &found, &done);
        cr_assert_eq(error, lengths[i].error);
        cr_assert_eq(done, error == 0);
    }
}

Test(epmd, without_memory_nothing_is_added)
{
    gcl_test_memory mem;
    struct gcl_buffer out;
    struct gcl_epmd_node node = {.alive = gcl_str_of("c"), .port = 1};
    gcl_buffer_init(&out, gcl_test_begin(&mem), 0);
    gcl_test_fail_at(&mem, 1);
    cr_assert_eq(gcl_epmd_append_alive(&out, &node), GCL_ENOMEM);
    cr_assert_eq(gcl_epmd_append_port_please(&out, node.alive), GCL_ENOMEM);
    gcl_test_fail_at(&mem, 0);
    out.limit = 3;
    cr_assert_eq(gcl_epmd_append_alive(&out, &node), GCL_ELIMIT);
    cr_assert_eq(gcl_buffer_size(&out), 0);
    gcl_buffer_fini(&out);
    gcl_test_end(&mem);
}

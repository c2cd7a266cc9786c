/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger may say during the handshake, to either side. The first byte says to which, and
 * what the caller decides; the second the size of the pieces.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/flags.h"
#include "wire/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Easy to find for the fuzzer, so that it gets to the end. */
static int digest_of_zero(void *user, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    (void)user;
    (void)bytes;
    (void)size;
    memset(digest, 0, GCL_HANDSHAKE_DIGEST_BYTES);
    return 0;
}

/* Goes on where the machine has stopped; false when it is at an end. */
static bool decide(struct gcl_handshake *handshake, uint8_t choice, struct gcl_buffer *out)
{
    enum gcl_handshake_state before = gcl_handshake_state(handshake);
    struct gcl_str guest = gcl_str_of("guest@host");
    int error = 0;
    if (before == GCL_HANDSHAKE_ALIVE)
        error = gcl_handshake_answer(handshake, (choice & 2) != 0, out);
    else if (before == GCL_HANDSHAKE_ADMIT)
        error =
            gcl_handshake_admit(handshake, (enum gcl_handshake_status)(choice % 6), guest, 4, out);
    else if (before == GCL_HANDSHAKE_CONFIRM)
        error = gcl_handshake_confirm(handshake, out);
    return error == 0 && before < GCL_HANDSHAKE_DONE;
}

static void check_end(struct gcl_handshake *handshake)
{
    enum gcl_handshake_state state = gcl_handshake_state(handshake);
    bool failed = state == GCL_HANDSHAKE_FAILED || state == GCL_HANDSHAKE_LOST;
    assert(failed == (handshake->error != 0));
    assert(memchr(handshake->detail, '\0', sizeof handshake->detail) != NULL);
    if (state == GCL_HANDSHAKE_DONE)
        assert(gcl_handshake_is_node_name(gcl_handshake_peer(handshake)) &&
               gcl_flags_missing(handshake->peer_flags, GCL_FLAGS_MANDATORY) == 0);
    assert((gcl_handshake_closed(handshake) == 0) == (state == GCL_HANDSHAKE_DONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gcl_handshake handshake;
    struct gcl_handshake_config config = {.name = gcl_str_of("a@host"),
                                          .peer = gcl_str_of("b@host"),
                                          .flags = GCL_FLAGS_RECOMMENDED,
                                          .cookie = gcl_str_of("cookie"),
                                          .digest = digest_of_zero};
    struct gcl_buffer out;
    if (size < 2)
        return 0;
    uint8_t choice = data[0] >> 2;
    size_t piece = 1 + (size_t)data[1], at = 2, used;
    gcl_buffer_init(&out, gcl_allocator_default(), 0);
    if ((data[0] & 2) != 0)
        config.name = gcl_str_of("host");
    int error = (data[0] & 1) != 0 ? gcl_handshake_connect(&handshake, &config, &out)
                                   : gcl_handshake_accept(&handshake, &config);
    while (error == 0 && at < size) {
        size_t count = piece < size - at ? piece : size - at;
        error = gcl_handshake_feed(&handshake, data + at, count, &used, &out);
        assert(used <= count);
        at += used;
        if (used < count && !decide(&handshake, choice, &out))
            break;
    }
    if (gcl_handshake_state(&handshake) != GCL_HANDSHAKE_NEW)
        check_end(&handshake);
    gcl_handshake_fini(&handshake);
    gcl_buffer_fini(&out);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "support/shake.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

#include "wire/flags.h"

int gcl_shake_md5(void *user, const uint8_t *bytes, size_t size,
                  uint8_t digest[GCL_HANDSHAKE_DIGEST_BYTES])
{
    (void)user;
    cr_assert_eq(EVP_Digest(bytes, size, digest, NULL, EVP_md5(), NULL), 1);
    return 0;
}

struct gcl_handshake_config gcl_shake_config(bool is_initiator)
{
    struct gcl_handshake_config config = {
        .name = gcl_str_of(is_initiator ? "a@host" : "b@host"),
        .peer = gcl_str_of("b@host"),
        .creation = is_initiator ? 100 : 200,
        .flags = GCL_FLAGS_RECOMMENDED | GCL_FLAG(PUBLISHED),
        .cookie = gcl_str_of("the cookie"),
        .challenge = is_initiator ? 0xFFFFFFFF : 0,
        .digest = gcl_shake_md5,
    };
    return config;
}

void gcl_shake_begin(struct gcl_shake *shake, const struct gcl_handshake_config *a,
                     const struct gcl_handshake_config *b, uint64_t seed)
{
    const gcl_allocator *mem = gcl_test_begin(&shake->mem);
    gcl_buffer_init(&shake->a.out, mem, 0);
    gcl_buffer_init(&shake->b.out, mem, 0);
    shake->seed = seed;
    shake->a.error = gcl_handshake_connect(&shake->a.handshake, a, &shake->a.out);
    shake->b.error = gcl_handshake_accept(&shake->b.handshake, b);
}

size_t gcl_shake_feed(struct gcl_shake_side *side, const void *bytes, size_t size, uint64_t *seed)
{
    size_t taken = 0;
    while (taken < size) {
        size_t piece = *seed == 0 ? 1 : 1 + gcl_test_random(seed) % 20, used;
        /* In a block of its own, so that a sanitizer sees a read behind it. */
        uint8_t copy[20];
        piece = piece < size - taken ? piece : size - taken;
        memcpy(copy, (const uint8_t *)bytes + taken, piece);
        side->error = gcl_handshake_feed(&side->handshake, copy, piece, &used, &side->out);
        taken += used;
        if (used < piece)
            break;
    }
    return taken;
}

static bool carry(struct gcl_shake_side *from, struct gcl_shake_side *to, uint64_t *seed)
{
    size_t taken =
        gcl_shake_feed(to, gcl_buffer_bytes(&from->out), gcl_buffer_size(&from->out), seed);
    if (taken > 0)
        gcl_buffer_take(&from->out, taken);
    return taken > 0;
}

void gcl_shake_run(struct gcl_shake *shake)
{
    while (carry(&shake->a, &shake->b, &shake->seed) || carry(&shake->b, &shake->a, &shake->seed))
        ;
}

static void end(struct gcl_shake_side *side)
{
    gcl_handshake_fini(&side->handshake);
    for (size_t i = 0; i < sizeof side->handshake.cookie; i++)
        cr_assert_eq(side->handshake.cookie[i], 0);
    gcl_buffer_fini(&side->out);
}

void gcl_shake_end(struct gcl_shake *shake)
{
    end(&shake->a);
    end(&shake->b);
    gcl_test_end(&shake->mem);
}

/* SPDX-License-Identifier: Apache-2.0 */
/** Two handshakes that talk to each other through memory. */
#ifndef GCL_TEST_SUPPORT_SHAKE_H
#define GCL_TEST_SUPPORT_SHAKE_H

#include "support.h"
#include "wire/handshake.h"

struct gcl_shake_side {
    struct gcl_handshake handshake;
    struct gcl_buffer out;
    int error; /* of the last call */
};

struct gcl_shake {
    gcl_test_memory mem;
    struct gcl_shake_side a; /* initiator a@host */
    struct gcl_shake_side b; /* acceptor b@host */
    uint64_t seed;           /* of the splits; 0: byte by byte */
};

/** MD5. */
gcl_handshake_digest gcl_shake_md5;

/** What side a (is_initiator) or b uses unless a test changes it. */
struct gcl_handshake_config gcl_shake_config(bool is_initiator);

/** Begins both sides. */
void gcl_shake_begin(struct gcl_shake *shake, const struct gcl_handshake_config *a,
                     const struct gcl_handshake_config *b, uint64_t seed);

/** Carries bytes to and fro until nobody has anything to say or both have stopped. */
void gcl_shake_run(struct gcl_shake *shake);

/** Feeds all of these bytes in pieces, as long as they are taken; returns how many were. */
size_t gcl_shake_feed(struct gcl_shake_side *side, const void *bytes, size_t size, uint64_t *seed);

/** Ends both sides; asserts that the cookies are gone and nothing leaks. */
void gcl_shake_end(struct gcl_shake *shake);

#endif

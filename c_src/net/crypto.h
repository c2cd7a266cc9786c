/* SPDX-License-Identifier: Apache-2.0 */
/** OpenSSL, in this one file: the digest of the handshake and random bytes. */
#ifndef GCL_NET_CRYPTO_H
#define GCL_NET_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** MD5, as the distribution handshake demands; see gcl_handshake_digest. `user` is not used. */
int gcl_crypto_md5(void *user, const uint8_t *bytes, size_t size, uint8_t digest[16]);

/** Unpredictable bytes; false when the OS gives none. `user` is not used. */
bool gcl_crypto_random(void *bytes, size_t size, void *user);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** OpenSSL, in this one file: the digest of the handshake and random bytes. */
#ifndef GCL_NET_CRYPTO_H
#define GCL_NET_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** MD5, as the distribution handshake demands; see gcl_handshake_digest. `user` is not used. */
int gcl_crypto_md5(void *user, const uint8_t *bytes, size_t size, uint8_t digest[16]);

/**
 * An MD5 in pieces, for struct gcl_membership_hash: a context, begun any number of times, one after
 * the other. NULL when there is none to be had. A digest that cannot be made is all zeros.
 */
void *gcl_crypto_md5_new(void);
void gcl_crypto_md5_free(void *context);
void gcl_crypto_md5_begin(void *context);
void gcl_crypto_md5_add(void *context, const void *bytes, size_t size);
void gcl_crypto_md5_end(void *context, uint8_t digest[16]);

/** Unpredictable bytes; false when the OS gives none. `user` is not used. */
bool gcl_crypto_random(void *bytes, size_t size, void *user);

#endif

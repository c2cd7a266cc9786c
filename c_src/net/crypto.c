/* SPDX-License-Identifier: Apache-2.0 */
#include "net/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <gen_cluster/error.h>

int gcl_crypto_md5(void *user, const uint8_t *bytes, size_t size, uint8_t digest[16])
{
    unsigned written = 16;
    (void)user;
    return EVP_Digest(bytes, size, digest, &written, EVP_md5(), NULL) == 1 ? 0 : GCL_ENOTSUP;
}

bool gcl_crypto_random(void *bytes, size_t size, void *user)
{
    (void)user;
    return size <= INT_MAX && RAND_bytes(bytes, (int)size) == 1;
}

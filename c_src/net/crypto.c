/* SPDX-License-Identifier: Apache-2.0 */
#include "net/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include <gen_cluster/error.h>

int gcl_crypto_md5(void *user, const uint8_t *bytes, size_t size, uint8_t digest[16])
{
    unsigned written = 16;
    (void)user;
    return EVP_Digest(bytes, size, digest, &written, EVP_md5(), NULL) == 1 ? 0 : GCL_ENOTSUP;
}

void *gcl_crypto_md5_new(void)
{
    return EVP_MD_CTX_new();
}

void gcl_crypto_md5_free(void *context)
{
    EVP_MD_CTX_free(context);
}

void gcl_crypto_md5_begin(void *context)
{
    (void)EVP_DigestInit_ex(context, EVP_md5(), NULL);
}

void gcl_crypto_md5_add(void *context, const void *bytes, size_t size)
{
    (void)EVP_DigestUpdate(context, bytes, size);
}

void gcl_crypto_md5_end(void *context, uint8_t digest[16])
{
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
        memset(digest, 0, 16);
}

bool gcl_crypto_random(void *bytes, size_t size, void *user)
{
    (void)user;
    return size <= INT_MAX && RAND_bytes(bytes, (int)size) == 1;
}

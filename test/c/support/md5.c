/* SPDX-License-Identifier: Apache-2.0 */
#include "support/md5.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* Handed from call to call; machines take turns. */
static void md5_begin(void *user)
{
    if (EVP_DigestInit_ex(user, EVP_md5(), NULL) != 1)
        abort();
}

static void md5_add(void *user, const void *bytes, size_t size)
{
    if (EVP_DigestUpdate(user, bytes, size) != 1)
        abort();
}

static void md5_end(void *user, uint8_t digest[16])
{
    if (EVP_DigestFinal_ex(user, digest, NULL) != 1)
        abort();
}

struct gcl_membership_hash gcl_test_md5(void)
{
    static EVP_MD_CTX *context;
    if (context == NULL && (context = EVP_MD_CTX_new()) == NULL)
        abort();
    struct gcl_membership_hash hash = {context, md5_begin, md5_add, md5_end};
    return hash;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *default_alloc(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void *default_resize(void *user, void *block, size_t size)
{
    (void)user;
    return realloc(block, size);
}

static void default_free(void *user, void *block)
{
    (void)user;
    free(block);
}

const gcl_allocator *gcl_allocator_default(void)
{
    static const gcl_allocator functions = {NULL, default_alloc, default_resize, default_free};
    return &functions;
}

void *gcl_alloc(const gcl_allocator *mem, size_t size)
{
    return mem->alloc(mem->user, size);
}

void *gcl_alloc_zero(const gcl_allocator *mem, size_t size)
{
    void *block = gcl_alloc(mem, size);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void *gcl_alloc_array(const gcl_allocator *mem, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return gcl_alloc_zero(mem, count * size);
}

void *gcl_resize(const gcl_allocator *mem, void *block, size_t size)
{
    return mem->resize(mem->user, block, size);
}

void *gcl_alloc_copy(const gcl_allocator *mem, const void *bytes, size_t size)
{
    void *block = gcl_alloc(mem, size > 0 ? size : 1);
    if (block != NULL && size > 0)
        memcpy(block, bytes, size);
    return block;
}

void gcl_free(const gcl_allocator *mem, void *block)
{
    mem->free(mem->user, block);
}

void gcl_wipe(void *bytes, size_t size)
{
    volatile unsigned char *at = bytes;
    while (size-- > 0)
        *at++ = 0;
}

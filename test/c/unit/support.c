/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

/* Precedes each block, so that its size is known when it goes. */
typedef union header {
    size_t size;
    max_align_t align;
} header;

static int may_allocate(gcl_test_memory *mem)
{
    mem->attempts++;
    return mem->fail_at == 0 || mem->attempts < mem->fail_at;
}

static void count_in(gcl_test_memory *mem, size_t size)
{
    mem->live++;
    mem->live_bytes += size;
    if (mem->live_bytes > mem->peak_bytes)
        mem->peak_bytes = mem->live_bytes;
}

static void count_out(gcl_test_memory *mem, size_t size)
{
    mem->live--;
    mem->live_bytes -= size;
}

static void *test_resize(void *user, void *block, size_t size)
{
    gcl_test_memory *mem = user;
    header *old = block ? (header *)block - 1 : NULL;
    size_t old_size = old ? old->size : 0;

    cr_assert(size > 0, "the library asked for a block of no bytes");
    if (!may_allocate(mem))
        return NULL;
    header *new = realloc(old, sizeof *new + size);
    cr_assert_not_null(new, "the machine is out of memory");
    if (block)
        count_out(mem, old_size);
    count_in(mem, size);
    mem->total++;
    new->size = size;
    return new + 1;
}

static void *test_alloc(void *user, size_t size)
{
    return test_resize(user, NULL, size);
}

static void test_free(void *user, void *block)
{
    if (!block)
        return;
    header *old = (header *)block - 1;
    count_out(user, old->size);
    free(old);
}

const gcl_allocator *gcl_test_begin(gcl_test_memory *mem)
{
    *mem = (gcl_test_memory){
        .allocator = {.user = mem, .alloc = test_alloc, .resize = test_resize, .free = test_free}};
    return &mem->allocator;
}

void gcl_test_fail_at(gcl_test_memory *mem, size_t n)
{
    mem->fail_at = n ? mem->attempts + n : 0;
}

void gcl_test_end(const gcl_test_memory *mem)
{
    cr_assert(mem->live == 0, "%zu blocks (%zu bytes) were not freed", mem->live, mem->live_bytes);
}

uint64_t gcl_test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t gcl_test_seed(void)
{
    const char *given = getenv("GCL_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t clock = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    uint64_t seed = given ? strtoull(given, NULL, 10) : gcl_test_random(&clock);
    fprintf(stderr, "GCL_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/context.h"

#include "base/alloc.h"
#include "wire/term/pattern.h"

/* A copy that a match had to make. */
struct gcl_term_scrap {
    struct gcl_term_scrap *next;
    uint8_t bytes[];
};

void gcl_term_context_init(gcl_term_context *context, const gcl_allocator *mem,
                           const struct gcl_term_ids *ids, gcl_misuse_function *misuse, void *user)
{
    memset(context, 0, sizeof *context);
    context->mem = mem;
    if (ids != NULL)
        context->ids = *ids;
    context->misuse = misuse;
    context->misuse_user = user;
}

void gcl_term_context_fini(gcl_term_context *context)
{
    gcl_term_context_release(context);
    gcl_pattern_clear(context);
}

void gcl_term_context_release(gcl_term_context *context)
{
    while (context->scraps != NULL) {
        struct gcl_term_scrap *scrap = context->scraps;
        context->scraps = scrap->next;
        gcl_free(context->mem, scrap);
    }
}

uint8_t *gcl_term_context_room(gcl_term_context *context, size_t size)
{
    struct gcl_term_scrap *scrap = gcl_alloc(context->mem, sizeof *scrap + size);
    if (scrap == NULL)
        return NULL;
    scrap->next = context->scraps;
    context->scraps = scrap;
    return scrap->bytes;
}

gcl_term_context *gcl_term_context_new(const gcl_allocator *allocator, gcl_misuse_function *misuse,
                                       void *user)
{
    const gcl_allocator *mem = allocator != NULL ? allocator : gcl_allocator_default();
    gcl_term_context *context = gcl_alloc(mem, sizeof *context);
    if (context != NULL)
        gcl_term_context_init(context, mem, NULL, misuse, user);
    return context;
}

void gcl_term_context_free(gcl_term_context *context)
{
    if (context == NULL)
        return;
    gcl_term_context_fini(context);
    gcl_free(context->mem, context);
}

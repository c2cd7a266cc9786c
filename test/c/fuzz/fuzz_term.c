/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a term, and as text. What can be walked over can be printed, is equal to itself and
 * to its copy; what can be read can be printed, and if it has no ids or funs, read again as what it
 * was.
 */
#include <assert.h>
#include <gen_cluster/term.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/term/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gcl_term_context *context;

static char *text_of(gcl_term term, size_t *length)
{
    char few[8];
    int error = gcl_term_print(term, few, sizeof few, length);
    assert(error == 0 || error == GCL_ELIMIT);
    char *text = malloc(*length + 1);
    size_t again;
    error = gcl_term_print(term, text, *length + 1, &again);
    assert(error == 0 && again == *length && strlen(text) == again);
    assert(strncmp(text, few, strlen(few)) == 0);
    (void)gcl_term_text(term, few, sizeof few, length);
    *length = again;
    return text;
}

static void match(gcl_term term)
{
    int64_t i;
    uint8_t u;
    double f;
    gcl_bytes bytes;
    gcl_term rest, more;
    (void)(gcl_match(term, "~i", &i) || gcl_match(term, "~u", &u) || gcl_match(term, "~f", &f) ||
           gcl_match(term, "~a", &bytes) || gcl_match(term, "~b", &bytes));
    (void)gcl_match(term, "~s", &bytes);
    (void)gcl_match(term, "[~i, a | ~s]", &i, &bytes);
    (void)gcl_match(term, "{a, \"ab\", [x | y], ~t}", &rest);
    (void)gcl_match(term, "#{a := ~t, 1 := [_ | ~t]}", &rest, &more);
    if (gcl_match(term, "[_ | ~t]", &rest))
        (void)gcl_match(rest, "[_, 1.5 | _]");
    if (gcl_match(term, "[_, _ | ~t]", &rest))
        assert(gcl_term_size(rest) > 0);
}

static void items(gcl_term term)
{
    gcl_items items;
    gcl_term item;
    if (gcl_items_begin(&items, term))
        while (gcl_items_next(&items, &item))
            assert(gcl_term_check(item) == 0);
    (void)gcl_items_is_proper_end(&items);
}

/* Equal terms have one key; `other` is the same term, perhaps in another form. */
static void keys(gcl_term term, gcl_term other)
{
    struct gcl_buffer a, b;
    struct gcl_cursor at = gcl_cursor_make(term.bytes, term.size);
    gcl_buffer_init(&a, gcl_allocator_default(), 0);
    gcl_buffer_init(&b, gcl_allocator_default(), 0);
    int error = gcl_term_key(&a, &at);
    at = gcl_cursor_make(other.bytes, other.size);
    int error_b = gcl_term_key(&b, &at);
    assert(error == error_b && (error == 0 || error == GCL_ELIMIT || error == GCL_ETERM));
    assert(gcl_buffer_size(&a) == gcl_buffer_size(&b));
    assert(error != 0 ||
           memcmp(gcl_buffer_bytes(&a), gcl_buffer_bytes(&b), gcl_buffer_size(&a)) == 0);
    gcl_buffer_fini(&a);
    gcl_buffer_fini(&b);
}

static void as_term(const uint8_t *data, size_t size)
{
    gcl_term term = gcl_term_make(context, size > 0 ? data : NULL, size);
    char few[8];
    size_t length;
    match(term);
    items(term);
    if (gcl_term_check(term) != 0) {
        assert(gcl_term_print(term, few, sizeof few, NULL) == GCL_ETERM && few[0] == '\0');
        assert(!gcl_match(term, "_"));
        (void)gcl_term_equal(term, term);
        return;
    }
    gcl_term copy;
    int error = gcl_term_copy(term, &copy);
    assert(error == 0 && gcl_match(term, "_"));
    (void)gcl_term_equal(term, copy); /* not deeper in keys of maps than it looks */
    keys(term, copy);
    gcl_term_free(copy);
    gcl_writer *writer = gcl_writer_new(context);
    error = gcl_write(writer, "[~t]", term);
    assert(error == 0);
    gcl_writer_free(writer);
    free(text_of(term, &length));
}

static void as_text(const uint8_t *data, size_t size)
{
    gcl_term term, again;
    gcl_parse_error error = {0};
    size_t length;
    if (gcl_term_parse(context, (const char *)data, size, &term, &error) != 0) {
        assert(error.offset <= size && error.line > 0 && error.column > 0 && error.reason != NULL);
        return;
    }
    assert(gcl_term_check(term) == 0);
    char *text = text_of(term, &length);
    int status = gcl_term_parse(context, text, length, &again, &error);
    assert(status == 0);
    assert(gcl_term_equal(term, again));
    keys(term, again);
    gcl_term_free(again);
    gcl_term_free(term);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    context = gcl_term_context_new(NULL, NULL, NULL);
    if (size > 0 && data[0] == '\0')
        as_text(data + 1, size - 1);
    else
        as_term(data, size);
    gcl_term_context_free(context);
    return 0;
}

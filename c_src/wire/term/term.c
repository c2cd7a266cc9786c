/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/term.h>

#include "base/alloc.h"
#include "wire/term/context.h"
#include "wire/term/parse.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

enum { KEPT_BYTES = 65536 }; /* of a writer's room, after something large */

/* --- views ---------------------------------------------------------------------------------- */

int gcl_term_check(gcl_term term)
{
    struct gcl_cursor at = gcl_term_cursor(term);
    int error = gcl_term_walk(&at);
    return error == 0 && gcl_cursor_left(&at) > 0 ? GCL_ETERM : error;
}

int gcl_term_copy(gcl_term term, gcl_term *copy)
{
    *copy = gcl_term_make(term.context, NULL, 0);
    if (term.size == 0)
        return 0;
    int error = gcl_term_check(term);
    if (error != 0)
        return error;
    uint8_t *bytes = gcl_alloc_copy(term.context->mem, term.bytes, term.size);
    if (bytes == NULL)
        return GCL_ENOMEM;
    *copy = gcl_term_make(term.context, bytes, term.size);
    return 0;
}

void gcl_term_free(gcl_term term)
{
    if (term.size > 0)
        gcl_free(term.context->mem, (void *)(uintptr_t)term.bytes);
}

int gcl_term_parse(gcl_term_context *context, const char *text, size_t size, gcl_term *term,
                   gcl_parse_error *error)
{
    struct gcl_buffer out;
    gcl_buffer_init(&out, context->mem, 0);
    *term = gcl_term_make(context, NULL, 0);
    int status = gcl_parse(gcl_str_make(text, size), GCL_PARSE_TERM, &out, error);
    if (status == 0) /* the block of the buffer is now the term's */
        *term = gcl_term_make(context, out.bytes, out.end);
    else
        gcl_buffer_fini(&out);
    return status;
}

/* --- writers -------------------------------------------------------------------------------- */

gcl_writer *gcl_writer_new(gcl_term_context *context)
{
    gcl_writer *writer = gcl_alloc(context->mem, sizeof *writer);
    if (writer == NULL)
        return NULL;
    gcl_buffer_init(&writer->own, context->mem, 0);
    gcl_writer_init(writer, context, &writer->own);
    return writer;
}

void gcl_writer_free(gcl_writer *writer)
{
    if (writer == NULL)
        return;
    gcl_buffer_fini(&writer->own);
    gcl_free(writer->context->mem, writer);
}

gcl_term gcl_writer_term(const gcl_writer *writer)
{
    size_t size = gcl_buffer_size(writer->buffer);
    return gcl_term_make(writer->context, size > 0 ? gcl_buffer_bytes(writer->buffer) : NULL, size);
}

void gcl_writer_clear(gcl_writer *writer)
{
    gcl_buffer_clear(writer->buffer);
    gcl_buffer_shrink(writer->buffer, KEPT_BYTES);
}

int gcl_write_message(gcl_writer *writer, gcl_message message)
{
    return gcl_term_build(writer->context, writer->buffer, &message);
}

int gcl_write_list(gcl_writer *writer, uint32_t count)
{
    return gcl_write_list_head(writer->buffer, count);
}

int gcl_write_tuple(gcl_writer *writer, uint32_t arity)
{
    return gcl_write_tuple_head(writer->buffer, arity);
}

int gcl_write_map(gcl_writer *writer, uint32_t pairs)
{
    return gcl_write_map_head(writer->buffer, pairs);
}

/* --- elements ------------------------------------------------------------------------------- */

enum form { BROKEN, COUNTED, LIST, STRING };

static struct gcl_list_reader list_of(const gcl_items *items)
{
    return (struct gcl_list_reader){items->left, items->form == STRING};
}

static void keep(gcl_items *items, struct gcl_cursor at)
{
    items->rest.bytes = at.at;
    items->rest.size = gcl_cursor_left(&at);
}

bool gcl_items_begin(gcl_items *items, gcl_term term)
{
    struct gcl_cursor at = gcl_term_cursor(term);
    struct gcl_list_reader list;
    items->rest = term;
    items->left = 0;
    items->form = BROKEN;
    if (gcl_read_tuple(&at, &items->left)) {
        items->form = COUNTED;
    } else if (gcl_read_map(&at, &items->left) && items->left <= UINT32_MAX / 2) {
        items->left *= 2;
        items->form = COUNTED;
    } else if (gcl_read_list(&at, &list)) {
        items->left = list.left;
        items->form = list.is_string ? STRING : LIST;
    } else {
        return false;
    }
    keep(items, at);
    return true;
}

static bool next_counted(gcl_items *items, struct gcl_cursor *at, struct gcl_cursor *element)
{
    *element = *at;
    if (items->left == 0)
        return false;
    items->left--;
    return true;
}

static bool next_cell(gcl_items *items, struct gcl_cursor *at, struct gcl_cursor *element)
{
    struct gcl_list_reader list = list_of(items);
    bool is_there = gcl_read_next(at, &list, element);
    items->left = list.left;
    items->form = list.is_string ? STRING : LIST;
    return is_there;
}

bool gcl_items_next(gcl_items *items, gcl_term *item)
{
    struct gcl_cursor at = gcl_term_cursor(items->rest), element;
    if (items->form == BROKEN || !(items->form == COUNTED ? next_counted(items, &at, &element)
                                                          : next_cell(items, &at, &element)))
        return false;
    const uint8_t *start = element.at;
    if (gcl_term_walk(&element) != 0) {
        items->form = BROKEN;
        return false;
    }
    *item = gcl_term_make(items->rest.context, start, (size_t)(element.at - start));
    if (items->form != STRING)
        at = element;
    keep(items, at);
    return true;
}

bool gcl_items_is_proper_end(const gcl_items *items)
{
    struct gcl_cursor at = gcl_term_cursor(items->rest);
    struct gcl_list_reader list = list_of(items);
    if (items->form == COUNTED)
        return items->left == 0;
    return items->form != BROKEN && gcl_read_list_end(&at, &list);
}

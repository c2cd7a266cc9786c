/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of tuples, lists and maps, which are written when it is known what is behind them. */
#include <stdlib.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "wire/term/parse_impl.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

bool gcl_parse_close_tuple(struct gcl_parser *parser, size_t mark, uint32_t count)
{
    static const uint8_t zeros[3] = {0};
    if (count > UINT8_MAX) { /* the head of a large one has three bytes more */
        size_t size = gcl_buffer_mark(parser->out) - mark;
        if (!gcl_parse_wrote(parser, gcl_buffer_append(parser->out, zeros, sizeof zeros)))
            return false;
        memmove(gcl_parse_bytes_at(parser, mark + 5), gcl_parse_bytes_at(parser, mark + 2),
                size - 2);
    }
    gcl_put_tuple(gcl_parse_bytes_at(parser, mark), count);
    return true;
}

bool gcl_parse_close_list(struct gcl_parser *parser, size_t mark, uint32_t count)
{
    uint8_t *head = gcl_parse_bytes_at(parser, mark);
    size_t size = gcl_buffer_mark(parser->out) - mark;
    if (count == 0) {
        *head = GCL_TAG_NIL;
        gcl_buffer_rollback(parser->out, mark + 1);
        return true;
    }
    gcl_put_list(head, count);
    if (count > GCL_STRING_MAX || size != GCL_PARSE_LIST_HEAD + 2 * (size_t)count + 1 ||
        head[size - 1] != GCL_TAG_NIL)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (head[GCL_PARSE_LIST_HEAD + 2 * i] != GCL_TAG_SMALL_INT)
            return true;
    head[0] = GCL_TAG_STRING;
    gcl_put_u16(head + 1, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++)
        head[3 + i] = head[GCL_PARSE_LIST_HEAD + 2 * i + 1];
    gcl_buffer_rollback(parser->out, mark + 3 + count);
    return true;
}

bool gcl_parse_close_proper(struct gcl_parser *parser, size_t mark, uint32_t count)
{
    return gcl_parse_wrote(parser, gcl_buffer_append_u8(parser->out, GCL_TAG_NIL)) &&
           gcl_parse_close_list(parser, mark, count);
}

/* --- maps: no key twice --------------------------------------------------------------------- */

struct pair {
    const uint8_t *bytes; /* of the whole map's pairs */
    uint32_t key_size, size;
    size_t offset;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *first = a, *second = b;
    int order = gcl_str_compare(gcl_str_make(first->bytes + first->offset, first->key_size),
                                gcl_str_make(second->bytes + second->offset, second->key_size));
    return order != 0 ? order : first->offset < second->offset ? -1 : 1;
}

static int by_offset(const void *a, const void *b)
{
    const struct pair *first = a, *second = b;
    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* The last of equal keys stays, as in maps:from_list/1. Returns how many are left, by key. */
static uint32_t keep_last(struct pair *pairs, uint32_t count)
{
    uint32_t kept = 0;
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (uint32_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count || pairs[i].key_size != pairs[i + 1].key_size ||
                       memcmp(pairs[i].bytes + pairs[i].offset,
                              pairs[i].bytes + pairs[i + 1].offset, pairs[i].key_size) != 0;
        if (is_last)
            pairs[kept++] = pairs[i];
    }
    return kept;
}

static bool find_pairs(struct pair *pairs, uint32_t count, struct gcl_str bytes)
{
    struct gcl_cursor at = gcl_cursor_make(bytes.bytes, bytes.size);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *start = at.at;
        if (gcl_term_walk(&at) != 0)
            return false;
        pairs[i] =
            (struct pair){bytes.bytes, (uint32_t)(at.at - start), 0, (size_t)(start - bytes.bytes)};
        if (gcl_term_walk(&at) != 0)
            return false;
        pairs[i].size = (uint32_t)(at.at - start);
    }
    return true;
}

/*
 * Pairs stay in their order, but not in a map that is part of a key: there all equal maps get the
 * same bytes, so that equal keys do. `copy` has the pairs as they were. Returns how many are left.
 */
static uint32_t arrange(struct gcl_parser *parser, size_t start, struct pair *pairs, uint32_t count,
                        bool is_in_key, const uint8_t *copy)
{
    uint8_t *end = gcl_parse_bytes_at(parser, start);
    count = keep_last(pairs, count);
    if (!is_in_key)
        qsort(pairs, count, sizeof *pairs, by_offset);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(end, copy + pairs[i].offset, pairs[i].size);
        end += pairs[i].size;
    }
    gcl_buffer_rollback(parser->out, (size_t)(end - gcl_parse_bytes_at(parser, 0)));
    return count;
}

static bool drop_repeated(struct gcl_parser *parser, size_t start, uint32_t *count, bool is_in_key)
{
    const gcl_allocator *mem = parser->out->mem;
    struct gcl_str bytes =
        gcl_str_make(gcl_parse_bytes_at(parser, start), gcl_buffer_mark(parser->out) - start);
    struct pair *pairs = gcl_alloc_array(mem, *count, sizeof *pairs);
    uint8_t *copy = gcl_alloc_copy(mem, bytes.bytes, bytes.size);
    bool ok = pairs != NULL && copy != NULL;
    if (ok && find_pairs(pairs, *count, gcl_str_make(copy, bytes.size)))
        *count = arrange(parser, start, pairs, *count, is_in_key, copy);
    gcl_free(mem, pairs);
    gcl_free(mem, copy);
    return ok || gcl_parse_fail(parser, GCL_ENOMEM, "out of memory");
}

/* Patterns have holes and are not looked at: there a key that is given twice is sent twice. */
bool gcl_parse_close_map(struct gcl_parser *parser, size_t mark, uint32_t count, bool is_in_key)
{
    bool may_repeat = count > 1 && parser->mode == GCL_PARSE_TERM;
    if (may_repeat && !drop_repeated(parser, mark + GCL_PARSE_MAP_HEAD, &count, is_in_key))
        return false;
    gcl_put_map(gcl_parse_bytes_at(parser, mark), count);
    return true;
}

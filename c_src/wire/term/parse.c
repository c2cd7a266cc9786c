/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/parse.h"

#include <stdlib.h>

#include <gen_cluster/error.h>

#include "wire/term/id.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

enum { LIST_HEAD = 5, EXPORT_ARITY_MAX = 255 };

enum level_kind { TUPLE, LIST, LIST_TAIL, MAP_KEY, MAP_VALUE, PAREN };

/* What is open around the place where the parser is. */
struct level {
    enum level_kind kind;
    uint32_t count;   /* of elements or pairs so far */
    uint32_t closers; /* ] that are due: [a|[b|[c]]] is one list */
    bool is_in_key;   /* of a map */
    size_t mark;      /* where its head begins */
};

struct levels {
    struct level at[GCL_TERM_DEPTH_MAX];
    unsigned depth;
};

enum step { FAILED, OPENED, DONE };

/* --- errors and tokens ---------------------------------------------------------------------- */

bool gcl_parse_fail(struct gcl_parser *parser, int error, const char *reason)
{
    if (parser->error == 0) {
        parser->error = error;
        parser->scan.reason = reason;
        parser->scan.error_at = parser->scan.token.start;
    }
    return false;
}

bool gcl_parse_advance(struct gcl_parser *parser)
{
    if (gcl_scan(&parser->scan))
        return true;
    parser->error = GCL_ESYNTAX;
    return false;
}

static bool is_at(const struct gcl_parser *parser, unsigned mark)
{
    return gcl_parse_at_mark(parser, mark);
}

static bool expect(struct gcl_parser *parser, unsigned mark, const char *reason)
{
    if (!is_at(parser, mark))
        return gcl_parse_fail(parser, GCL_ESYNTAX, reason);
    return gcl_parse_advance(parser);
}

/* For the results of writers. */
static bool wrote(struct gcl_parser *parser, int error)
{
    return error == 0 || gcl_parse_fail(parser, error, "out of memory");
}

/* --- leaves --------------------------------------------------------------------------------- */

/* The text of the current token, an atom, in UTF-8. */
static bool atom_text(struct gcl_parser *parser, uint8_t *room, struct gcl_str *text)
{
    struct gcl_cursor at =
        gcl_cursor_make(parser->scan.token.text.bytes, parser->scan.token.text.size);
    uint8_t *end = room;
    uint32_t character;
    unsigned count = 0;
    if (!parser->scan.token.is_quoted) {
        *text = parser->scan.token.text;
        return gcl_wire_text_is_atom(*text) ||
               gcl_parse_fail(parser, GCL_ELIMIT, "atom of more than 255 characters");
    }
    while (gcl_scan_character(&at, &character)) {
        if (++count > GCL_ATOM_MAX_CHARACTERS)
            return gcl_parse_fail(parser, GCL_ELIMIT, "atom of more than 255 characters");
        end = gcl_put_character(end, character);
    }
    *text = gcl_str_make(room, (size_t)(end - room));
    return true;
}

static bool parse_atom(struct gcl_parser *parser)
{
    uint8_t room[GCL_ATOM_MAX_BYTES];
    struct gcl_str text;
    if (parser->scan.token.kind != GCL_TOKEN_ATOM)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "an atom is expected");
    return atom_text(parser, room, &text) &&
           wrote(parser, gcl_wire_atom_encode(parser->out, text)) && gcl_parse_advance(parser);
}

/* fun m:f/a, behind the `fun`. */
static bool parse_export(struct gcl_parser *parser)
{
    size_t arity_at;
    static const uint8_t tag = GCL_TAG_EXPORT;
    if (is_at(parser, '('))
        return gcl_parse_fail(parser, GCL_ENOTSUP, "a fun with a body is no term");
    if (!wrote(parser, gcl_buffer_append(parser->out, &tag, 1)) || !parse_atom(parser) ||
        !expect(parser, ':', "fun Module:Function/Arity is expected") || !parse_atom(parser) ||
        !expect(parser, '/', "fun Module:Function/Arity is expected"))
        return false;
    arity_at = gcl_buffer_mark(parser->out);
    if (parser->scan.token.kind != GCL_TOKEN_INT)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "an arity is expected");
    if (!gcl_parse_number(parser, false, parser->out))
        return false;
    struct gcl_cursor at = gcl_cursor_make(gcl_buffer_bytes(parser->out) + arity_at,
                                           gcl_buffer_mark(parser->out) - arity_at);
    if (at.at[0] != GCL_TAG_SMALL_INT)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "an arity is at most 255");
    return gcl_parse_advance(parser);
}

static bool parse_signed(struct gcl_parser *parser)
{
    bool is_negative = is_at(parser, '-');
    unsigned parens = 0;
    if (!gcl_parse_advance(parser))
        return false;
    for (; is_at(parser, '('); parens++)
        if (!gcl_parse_advance(parser))
            return false;
    if (!gcl_parse_number(parser, is_negative, parser->out) || !gcl_parse_advance(parser))
        return false;
    for (; parens > 0; parens--)
        if (!expect(parser, ')', ") is expected"))
            return false;
    return true;
}

static bool parse_hole(struct gcl_parser *parser)
{
    static const char letters[] = "iufasbprt";
    uint8_t hole = GCL_HOLE_ANY;
    if (parser->scan.token.kind == GCL_TOKEN_HOLE)
        hole = (uint8_t)(strchr(letters, parser->scan.token.mark) - letters + GCL_HOLE_INT);
    if (parser->mode == GCL_PARSE_TERM)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "a place to be filled in is no term");
    if (parser->mode == GCL_PARSE_BUILD && hole == GCL_HOLE_ANY)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "_ stands for no value");
    return wrote(parser, gcl_buffer_append(parser->out, &hole, 1)) && gcl_parse_advance(parser);
}

/* The characters of the current string, and of those that follow it, as elements of a list. */
static bool parse_characters(struct gcl_parser *parser, uint32_t *count)
{
    uint32_t character;
    while (parser->scan.token.kind == GCL_TOKEN_STRING) {
        struct gcl_cursor at =
            gcl_cursor_make(parser->scan.token.text.bytes, parser->scan.token.text.size);
        for (; gcl_scan_character(&at, &character); ++*count)
            if (!wrote(parser, gcl_write_int64(parser->out, character)))
                return false;
        if (!gcl_parse_advance(parser))
            return false;
    }
    return true;
}

/* --- opening -------------------------------------------------------------------------------- */

/* `head`: bytes for the head, written when the size is known. */
static enum step open_level(struct gcl_parser *parser, struct levels *levels, enum level_kind kind,
                            size_t head)
{
    static const uint8_t zeros[LIST_HEAD] = {0};
    if (levels->depth == GCL_TERM_DEPTH_MAX) {
        gcl_parse_fail(parser, GCL_ELIMIT, "nested deeper than 1024");
        return FAILED;
    }
    const struct level *outer = levels->depth > 0 ? &levels->at[levels->depth - 1] : NULL;
    struct level *level = &levels->at[levels->depth++];
    level->kind = kind;
    level->count = 0;
    level->closers = 1;
    level->is_in_key = outer != NULL && (outer->is_in_key || outer->kind == MAP_KEY);
    level->mark = gcl_buffer_mark(parser->out);
    if (!wrote(parser, gcl_buffer_append(parser->out, zeros, head)) || !gcl_parse_advance(parser))
        return FAILED;
    return OPENED;
}

static uint8_t *bytes_at(const struct gcl_parser *parser, size_t mark)
{
    return parser->out->bytes + parser->out->start + mark;
}

static bool close_tuple(struct gcl_parser *parser, const struct level *level)
{
    static const uint8_t zeros[3] = {0};
    if (level->count > UINT8_MAX) { /* the head of a large one has three bytes more */
        size_t size = gcl_buffer_mark(parser->out) - level->mark;
        if (!wrote(parser, gcl_buffer_append(parser->out, zeros, sizeof zeros)))
            return false;
        memmove(bytes_at(parser, level->mark + 5), bytes_at(parser, level->mark + 2), size - 2);
    }
    gcl_put_tuple(bytes_at(parser, level->mark), level->count);
    return true;
}

/* Behind the tail. A proper list of bytes becomes a string, as BEAM would write it. */
static bool close_list(struct gcl_parser *parser, const struct level *level)
{
    uint8_t *head = bytes_at(parser, level->mark);
    size_t size = gcl_buffer_mark(parser->out) - level->mark;
    if (level->count == 0) {
        *head = GCL_TAG_NIL;
        gcl_buffer_rollback(parser->out, level->mark + 1);
        return true;
    }
    gcl_put_list(head, level->count);
    if (level->count > GCL_STRING_MAX || size != LIST_HEAD + 2 * (size_t)level->count + 1 ||
        head[size - 1] != GCL_TAG_NIL)
        return true;
    for (uint32_t i = 0; i < level->count; i++)
        if (head[LIST_HEAD + 2 * i] != GCL_TAG_SMALL_INT)
            return true;
    head[0] = GCL_TAG_STRING;
    gcl_put_u16(head + 1, (uint16_t)level->count);
    for (uint32_t i = 0; i < level->count; i++)
        head[3 + i] = head[LIST_HEAD + 2 * i + 1];
    gcl_buffer_rollback(parser->out, level->mark + 3 + level->count);
    return true;
}

static bool close_nil(struct gcl_parser *parser, const struct level *level)
{
    return wrote(parser, gcl_buffer_append_u8(parser->out, GCL_TAG_NIL)) &&
           close_list(parser, level);
}

static bool parse_string(struct gcl_parser *parser)
{
    static const uint8_t zeros[LIST_HEAD] = {0};
    struct level level = {LIST, 0, 1, false, gcl_buffer_mark(parser->out)};
    return wrote(parser, gcl_buffer_append(parser->out, zeros, sizeof zeros)) &&
           parse_characters(parser, &level.count) && close_nil(parser, &level);
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
 * same bytes, so that equal keys do. `copy` has the pairs as they were.
 */
static void arrange(struct gcl_parser *parser, struct level *level, struct pair *pairs,
                    const uint8_t *copy)
{
    uint8_t *end = bytes_at(parser, level->mark + LIST_HEAD);
    level->count = keep_last(pairs, level->count);
    if (!level->is_in_key)
        qsort(pairs, level->count, sizeof *pairs, by_offset);
    for (uint32_t i = 0; i < level->count; i++) {
        memcpy(end, copy + pairs[i].offset, pairs[i].size);
        end += pairs[i].size;
    }
    gcl_buffer_rollback(parser->out, (size_t)(end - bytes_at(parser, 0)));
}

/* Patterns have holes and are not looked at: there a key that is given twice is sent twice. */
static bool drop_repeated(struct gcl_parser *parser, struct level *level)
{
    const gcl_allocator *mem = parser->out->mem;
    size_t start = level->mark + LIST_HEAD;
    if (level->count < 2 || parser->mode != GCL_PARSE_TERM)
        return true;
    struct gcl_str bytes =
        gcl_str_make(bytes_at(parser, start), gcl_buffer_mark(parser->out) - start);
    struct pair *pairs = gcl_alloc_array(mem, level->count, sizeof *pairs);
    uint8_t *copy = gcl_alloc_copy(mem, bytes.bytes, bytes.size);
    bool ok = pairs != NULL && copy != NULL;
    if (ok && find_pairs(pairs, level->count, gcl_str_make(copy, bytes.size)))
        arrange(parser, level, pairs, copy);
    gcl_free(mem, pairs);
    gcl_free(mem, copy);
    return ok || gcl_parse_fail(parser, GCL_ENOMEM, "out of memory");
}

static bool close_map(struct gcl_parser *parser, struct level *level)
{
    if (!drop_repeated(parser, level))
        return false;
    gcl_put_map(bytes_at(parser, level->mark), level->count);
    return true;
}

/* --- the way through the text --------------------------------------------------------------- */

static enum step done(bool ok)
{
    return ok ? DONE : FAILED;
}

/* < begins the printed form of a pid, # of the others. */
static enum step refuse_printed(struct gcl_parser *parser)
{
    gcl_parse_fail(parser, GCL_ENOTSUP, "the printed form of a pid cannot be read");
    return FAILED;
}

static enum step open_hash(struct gcl_parser *parser, struct levels *levels)
{
    const struct gcl_cursor *next = &parser->scan.at;
    if (gcl_cursor_left(next) > 0 && strchr("RPF", *next->at) != NULL) {
        gcl_parse_fail(parser, GCL_ENOTSUP,
                       "the printed form of a reference, port or fun cannot be read");
        return FAILED;
    }
    if (!gcl_parse_advance(parser))
        return FAILED;
    if (is_at(parser, '{')) {
        enum step step = open_level(parser, levels, MAP_KEY, LIST_HEAD);
        if (step != OPENED || !is_at(parser, '}'))
            return step;
        struct level *level = &levels->at[--levels->depth];
        return done(close_map(parser, level) && gcl_parse_advance(parser));
    }
    gcl_parse_fail(parser, GCL_ESYNTAX, "a record is no term");
    return FAILED;
}

static enum step open_tuple(struct gcl_parser *parser, struct levels *levels)
{
    enum step step = open_level(parser, levels, TUPLE, 2);
    if (step != OPENED || !is_at(parser, '}'))
        return step;
    return done(close_tuple(parser, &levels->at[--levels->depth]) && gcl_parse_advance(parser));
}

static enum step open_list(struct gcl_parser *parser, struct levels *levels)
{
    enum step step = open_level(parser, levels, LIST, LIST_HEAD);
    if (step != OPENED || !is_at(parser, ']'))
        return step;
    return done(close_nil(parser, &levels->at[--levels->depth]) && gcl_parse_advance(parser));
}

static enum step begin_mark(struct gcl_parser *parser, struct levels *levels)
{
    switch (parser->scan.token.mark) {
    case '{':
        return open_tuple(parser, levels);
    case '[':
        return open_list(parser, levels);
    case '#':
        return open_hash(parser, levels);
    case '(':
        return open_level(parser, levels, PAREN, 0);
    case '-':
    case '+':
        return done(parse_signed(parser));
    case '<':
        return refuse_printed(parser);
    case GCL_MARK_OPEN_BITS:
        return done(gcl_parse_advance(parser) && gcl_parse_bits(parser) &&
                    gcl_parse_advance(parser));
    default:
        gcl_parse_fail(parser, GCL_ESYNTAX, "a term is expected");
        return FAILED;
    }
}

/* Where a term is to begin. */
static enum step begin_term(struct gcl_parser *parser, struct levels *levels)
{
    switch (parser->scan.token.kind) {
    case GCL_TOKEN_ATOM:
        return done(parse_atom(parser));
    case GCL_TOKEN_INT:
    case GCL_TOKEN_FLOAT:
    case GCL_TOKEN_CHAR:
        return done(gcl_parse_number(parser, false, parser->out) && gcl_parse_advance(parser));
    case GCL_TOKEN_STRING:
        return done(parse_string(parser));
    case GCL_TOKEN_HOLE:
    case GCL_TOKEN_ANY:
        return done(parse_hole(parser));
    case GCL_TOKEN_MARK:
        return begin_mark(parser, levels);
    case GCL_TOKEN_WORD:
        if (gcl_str_is(parser->scan.token.text, "fun"))
            return done(gcl_parse_advance(parser) && parse_export(parser));
        gcl_parse_fail(parser, GCL_ESYNTAX, "this word is reserved; an atom needs quotes");
        return FAILED;
    case GCL_TOKEN_END:
    case GCL_TOKEN_DOT:
        gcl_parse_fail(parser, GCL_ESYNTAX, "the text ends where a term is expected");
        return FAILED;
    }
    return FAILED;
}

/* Behind | in a list: a list or string written there belongs to this one. */
static enum step begin_tail(struct gcl_parser *parser, struct level *level)
{
    bool is_list = is_at(parser, '[');
    if (is_list) {
        level->closers++;
        if (!gcl_parse_advance(parser))
            return FAILED;
        if (!is_at(parser, ']'))
            return OPENED; /* more elements */
    }
    if (parser->scan.token.kind == GCL_TOKEN_STRING) {
        if (!parse_characters(parser, &level->count))
            return FAILED;
    } else if (!is_at(parser, ']')) {
        level->kind = LIST_TAIL;
        return OPENED;
    } else if (!is_list) {
        gcl_parse_fail(parser, GCL_ESYNTAX, "a term is expected");
        return FAILED;
    }
    return done(close_nil(parser, level));
}

static enum step end_list(struct gcl_parser *parser, const struct level *level)
{
    for (uint32_t i = 0; i < level->closers; i++)
        if (!expect(parser, ']', ", | or ] is expected"))
            return FAILED;
    return DONE;
}

static enum step after_element(struct gcl_parser *parser, struct level *level)
{
    enum step step;
    level->count++;
    if (is_at(parser, ','))
        return gcl_parse_advance(parser) ? OPENED : FAILED;
    if (is_at(parser, '|')) {
        step = gcl_parse_advance(parser) ? begin_tail(parser, level) : FAILED;
        return step == DONE ? end_list(parser, level) : step;
    }
    return close_nil(parser, level) ? end_list(parser, level) : FAILED;
}

static enum step after_tail(struct gcl_parser *parser, const struct level *level)
{
    return close_list(parser, level) ? end_list(parser, level) : FAILED;
}

static enum step after_value(struct gcl_parser *parser, struct level *level)
{
    level->count++;
    level->kind = MAP_KEY;
    if (is_at(parser, ','))
        return gcl_parse_advance(parser) ? OPENED : FAILED;
    return done(close_map(parser, level) && expect(parser, '}', ", or } is expected"));
}

static enum step after_key(struct gcl_parser *parser, struct level *level)
{
    bool is_match = parser->mode == GCL_PARSE_MATCH;
    level->kind = MAP_VALUE;
    return expect(parser, is_match ? GCL_MARK_ASSOC : GCL_MARK_ARROW,
                  is_match ? ":= is expected" : "=> is expected")
               ? OPENED
               : FAILED;
}

/* Behind a term, which is part of what this level is. */
static enum step after_term(struct gcl_parser *parser, struct level *level)
{
    switch (level->kind) {
    case TUPLE:
        level->count++;
        if (is_at(parser, ','))
            return gcl_parse_advance(parser) ? OPENED : FAILED;
        return done(close_tuple(parser, level) && expect(parser, '}', ", or } is expected"));
    case LIST:
        return after_element(parser, level);
    case LIST_TAIL:
        return after_tail(parser, level);
    case MAP_KEY:
        return after_key(parser, level);
    case MAP_VALUE:
        return after_value(parser, level);
    case PAREN:
        return done(expect(parser, ')', ") is expected"));
    }
    return FAILED;
}

static bool parse_term(struct gcl_parser *parser)
{
    struct levels levels;
    levels.depth = 0;
    for (;;) {
        enum step step = begin_term(parser, &levels);
        while (step == DONE && levels.depth > 0) {
            step = after_term(parser, &levels.at[levels.depth - 1]);
            if (step == DONE)
                levels.depth--;
        }
        if (step != OPENED)
            return step == DONE;
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool parse_all(struct gcl_parser *parser)
{
    if (!gcl_parse_advance(parser) || !parse_term(parser))
        return false;
    if (parser->scan.token.kind == GCL_TOKEN_DOT && parser->mode == GCL_PARSE_TERM &&
        !gcl_parse_advance(parser))
        return false;
    return parser->scan.token.kind == GCL_TOKEN_END ||
           gcl_parse_fail(parser, GCL_ESYNTAX, "the text goes on behind the term");
}

static void locate(struct gcl_str text, const struct gcl_scanner *scan, gcl_parse_error *error)
{
    error->line = error->column = 1;
    error->offset = (size_t)(scan->error_at - text.bytes);
    error->reason = scan->reason;
    for (const uint8_t *at = text.bytes; at < scan->error_at; at++) {
        if (*at == '\n') {
            error->line++;
            error->column = 1;
        } else if ((*at & 0xC0) != 0x80) {
            error->column++;
        }
    }
}

int gcl_parse(struct gcl_str text, enum gcl_parse_mode mode, struct gcl_buffer *out,
              gcl_parse_error *error)
{
    struct gcl_parser parser = {.out = out, .mode = mode};
    size_t mark = gcl_buffer_mark(out);
    parser.scan.at = gcl_cursor_make(text.bytes, text.size);
    parser.scan.token.start = text.bytes;
    if (parse_all(&parser))
        return 0;
    gcl_buffer_rollback(out, mark);
    if (error != NULL)
        locate(text, &parser.scan, error);
    return parser.error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/parse.h"

#include <string.h>

#include <gen_cluster/error.h>

#include "wire/term/parse_impl.h"
#include "wire/term/walk.h"

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

bool gcl_parse_expect(struct gcl_parser *parser, unsigned mark, const char *reason)
{
    if (!gcl_parse_at_mark(parser, mark))
        return gcl_parse_fail(parser, GCL_ESYNTAX, reason);
    return gcl_parse_advance(parser);
}

bool gcl_parse_wrote(struct gcl_parser *parser, int error)
{
    return error == 0 || gcl_parse_fail(parser, error, "out of memory");
}

/* --- what is open --------------------------------------------------------------------------- */

/* `head`: bytes for the head, written when it is closed. */
static enum step open_level(struct gcl_parser *parser, struct levels *levels, enum level_kind kind,
                            size_t head)
{
    static const uint8_t zeros[GCL_PARSE_LIST_HEAD] = {0};
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
    if (!gcl_parse_wrote(parser, gcl_buffer_append(parser->out, zeros, head)) ||
        !gcl_parse_advance(parser))
        return FAILED;
    return OPENED;
}

/* All that is in it has been written. */
static bool close_level(struct gcl_parser *parser, const struct level *level)
{
    switch (level->kind) {
    case TUPLE:
        return gcl_parse_close_tuple(parser, level->mark, level->count);
    case LIST:
        return gcl_parse_close_proper(parser, level->mark, level->count);
    case LIST_TAIL:
        return gcl_parse_close_list(parser, level->mark, level->count);
    case MAP_KEY:
    case MAP_VALUE:
        return gcl_parse_close_map(parser, level->mark, level->count, level->is_in_key);
    case PAREN:
        return true;
    }
    return false;
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
    if (gcl_parse_at_mark(parser, '{')) {
        enum step step = open_level(parser, levels, MAP_KEY, GCL_PARSE_MAP_HEAD);
        if (step != OPENED || !gcl_parse_at_mark(parser, '}'))
            return step;
        return done(close_level(parser, &levels->at[--levels->depth]) && gcl_parse_advance(parser));
    }
    gcl_parse_fail(parser, GCL_ESYNTAX, "a record is no term");
    return FAILED;
}

static enum step open_tuple(struct gcl_parser *parser, struct levels *levels)
{
    enum step step = open_level(parser, levels, TUPLE, GCL_PARSE_TUPLE_HEAD);
    if (step != OPENED || !gcl_parse_at_mark(parser, '}'))
        return step;
    return done(close_level(parser, &levels->at[--levels->depth]) && gcl_parse_advance(parser));
}

static enum step open_list(struct gcl_parser *parser, struct levels *levels)
{
    enum step step = open_level(parser, levels, LIST, GCL_PARSE_LIST_HEAD);
    if (step != OPENED || !gcl_parse_at_mark(parser, ']'))
        return step;
    return done(close_level(parser, &levels->at[--levels->depth]) && gcl_parse_advance(parser));
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
        return done(gcl_parse_signed(parser));
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
        return done(gcl_parse_atom(parser));
    case GCL_TOKEN_INT:
    case GCL_TOKEN_FLOAT:
    case GCL_TOKEN_CHAR:
        return done(gcl_parse_number(parser, false, parser->out) && gcl_parse_advance(parser));
    case GCL_TOKEN_STRING:
        return done(gcl_parse_string(parser));
    case GCL_TOKEN_HOLE:
    case GCL_TOKEN_ANY:
        return done(gcl_parse_hole(parser));
    case GCL_TOKEN_MARK:
        return begin_mark(parser, levels);
    case GCL_TOKEN_WORD:
        if (gcl_str_is(parser->scan.token.text, "fun"))
            return done(gcl_parse_advance(parser) && gcl_parse_export(parser));
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
    bool is_list = gcl_parse_at_mark(parser, '[');
    if (is_list) {
        level->closers++;
        if (!gcl_parse_advance(parser))
            return FAILED;
        if (!gcl_parse_at_mark(parser, ']'))
            return OPENED; /* more elements */
    }
    if (parser->scan.token.kind == GCL_TOKEN_STRING) {
        if (!gcl_parse_characters(parser, &level->count))
            return FAILED;
    } else if (!gcl_parse_at_mark(parser, ']')) {
        level->kind = LIST_TAIL;
        return OPENED;
    } else if (!is_list) {
        gcl_parse_fail(parser, GCL_ESYNTAX, "a term is expected");
        return FAILED;
    }
    return done(close_level(parser, level));
}

static enum step end_list(struct gcl_parser *parser, const struct level *level)
{
    for (uint32_t i = 0; i < level->closers; i++)
        if (!gcl_parse_expect(parser, ']', ", | or ] is expected"))
            return FAILED;
    return DONE;
}

static enum step after_element(struct gcl_parser *parser, struct level *level)
{
    enum step step;
    level->count++;
    if (gcl_parse_at_mark(parser, ','))
        return gcl_parse_advance(parser) ? OPENED : FAILED;
    if (gcl_parse_at_mark(parser, '|')) {
        step = gcl_parse_advance(parser) ? begin_tail(parser, level) : FAILED;
        return step == DONE ? end_list(parser, level) : step;
    }
    return close_level(parser, level) ? end_list(parser, level) : FAILED;
}

static enum step after_tail(struct gcl_parser *parser, const struct level *level)
{
    return close_level(parser, level) ? end_list(parser, level) : FAILED;
}

static enum step after_value(struct gcl_parser *parser, struct level *level)
{
    level->count++;
    level->kind = MAP_KEY;
    if (gcl_parse_at_mark(parser, ','))
        return gcl_parse_advance(parser) ? OPENED : FAILED;
    return done(close_level(parser, level) && gcl_parse_expect(parser, '}', ", or } is expected"));
}

static enum step after_key(struct gcl_parser *parser, struct level *level)
{
    bool is_match = parser->mode == GCL_PARSE_MATCH;
    level->kind = MAP_VALUE;
    return gcl_parse_expect(parser, is_match ? GCL_MARK_ASSOC : GCL_MARK_ARROW,
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
        if (gcl_parse_at_mark(parser, ','))
            return gcl_parse_advance(parser) ? OPENED : FAILED;
        return done(close_level(parser, level) &&
                    gcl_parse_expect(parser, '}', ", or } is expected"));
    case LIST:
        return after_element(parser, level);
    case LIST_TAIL:
        return after_tail(parser, level);
    case MAP_KEY:
        return after_key(parser, level);
    case MAP_VALUE:
        return after_value(parser, level);
    case PAREN:
        return done(gcl_parse_expect(parser, ')', ") is expected"));
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

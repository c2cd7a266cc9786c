/* SPDX-License-Identifier: Apache-2.0 */
/* Terms that have no others in them. */
#include <string.h>

#include <gen_cluster/error.h>

#include "wire/term/id.h"
#include "wire/term/parse_impl.h"
#include "wire/term/write.h"

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

bool gcl_parse_atom(struct gcl_parser *parser)
{
    uint8_t room[GCL_ATOM_MAX_BYTES];
    struct gcl_str text;
    if (parser->scan.token.kind != GCL_TOKEN_ATOM)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "an atom is expected");
    return atom_text(parser, room, &text) &&
           gcl_parse_wrote(parser, gcl_wire_atom_encode(parser->out, text)) &&
           gcl_parse_advance(parser);
}

bool gcl_parse_export(struct gcl_parser *parser)
{
    size_t arity_at;
    static const uint8_t tag = GCL_TAG_EXPORT;
    if (gcl_parse_at_mark(parser, '('))
        return gcl_parse_fail(parser, GCL_ENOTSUP, "a fun with a body is no term");
    if (!gcl_parse_wrote(parser, gcl_buffer_append(parser->out, &tag, 1)) ||
        !gcl_parse_atom(parser) ||
        !gcl_parse_expect(parser, ':', "fun Module:Function/Arity is expected") ||
        !gcl_parse_atom(parser) ||
        !gcl_parse_expect(parser, '/', "fun Module:Function/Arity is expected"))
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

bool gcl_parse_signed(struct gcl_parser *parser)
{
    bool is_negative = gcl_parse_at_mark(parser, '-');
    unsigned parens = 0;
    if (!gcl_parse_advance(parser))
        return false;
    for (; gcl_parse_at_mark(parser, '('); parens++)
        if (!gcl_parse_advance(parser))
            return false;
    if (!gcl_parse_number(parser, is_negative, parser->out) || !gcl_parse_advance(parser))
        return false;
    for (; parens > 0; parens--)
        if (!gcl_parse_expect(parser, ')', ") is expected"))
            return false;
    return true;
}

bool gcl_parse_hole(struct gcl_parser *parser)
{
    static const char letters[] = "iufasbprt";
    uint8_t hole = GCL_HOLE_ANY;
    if (parser->scan.token.kind == GCL_TOKEN_HOLE)
        hole = (uint8_t)(strchr(letters, parser->scan.token.mark) - letters + GCL_HOLE_INT);
    if (parser->mode == GCL_PARSE_TERM)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "a place to be filled in is no term");
    if (parser->mode == GCL_PARSE_BUILD && hole == GCL_HOLE_ANY)
        return gcl_parse_fail(parser, GCL_ESYNTAX, "_ stands for no value");
    return gcl_parse_wrote(parser, gcl_buffer_append(parser->out, &hole, 1)) &&
           gcl_parse_advance(parser);
}

bool gcl_parse_characters(struct gcl_parser *parser, uint32_t *count)
{
    uint32_t character;
    while (parser->scan.token.kind == GCL_TOKEN_STRING) {
        struct gcl_cursor at =
            gcl_cursor_make(parser->scan.token.text.bytes, parser->scan.token.text.size);
        for (; gcl_scan_character(&at, &character); ++*count)
            if (!gcl_parse_wrote(parser, gcl_write_int64(parser->out, character)))
                return false;
        if (!gcl_parse_advance(parser))
            return false;
    }
    return true;
}

bool gcl_parse_string(struct gcl_parser *parser)
{
    static const uint8_t zeros[GCL_PARSE_LIST_HEAD] = {0};
    size_t mark = gcl_buffer_mark(parser->out);
    uint32_t count = 0;
    return gcl_parse_wrote(parser, gcl_buffer_append(parser->out, zeros, sizeof zeros)) &&
           gcl_parse_characters(parser, &count) && gcl_parse_close_proper(parser, mark, count);
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of the parser share. Each function takes what begins with the current token,
 * writes it, and leaves the parser behind it; false: it has failed, and the parser knows why.
 */
#ifndef GCL_WIRE_TERM_PARSE_IMPL_H
#define GCL_WIRE_TERM_PARSE_IMPL_H

#include "wire/term/parse.h"
#include "wire/term/scan.h"

/* --- parse.c ---------------------------------------------------------------------------------- */

struct gcl_parser {
    struct gcl_scanner scan;
    struct gcl_buffer *out;
    enum gcl_parse_mode mode;
    int error;
    uint64_t sized_bits; /* of binaries' segments that say their size */
};

/** Notes the first error, at the current token; returns false. */
bool gcl_parse_fail(struct gcl_parser *parser, int error, const char *reason);

/** Makes the next token the current one. */
bool gcl_parse_advance(struct gcl_parser *parser);

static inline bool gcl_parse_at_mark(const struct gcl_parser *parser, unsigned mark)
{
    return parser->scan.token.kind == GCL_TOKEN_MARK && parser->scan.token.mark == mark;
}

/** Makes the next token the current one, when this one is the mark. */
bool gcl_parse_expect(struct gcl_parser *parser, unsigned mark, const char *reason);

/** For the results of writers: false when there was no memory. */
bool gcl_parse_wrote(struct gcl_parser *parser, int error);

static inline uint8_t *gcl_parse_bytes_at(const struct gcl_parser *parser, size_t mark)
{
    return parser->out->bytes + parser->out->start + mark;
}

/* --- number.c, bits.c ------------------------------------------------------------------------- */

/** Writes the current token, an integer, character or float, with that sign, into `out`. */
bool gcl_parse_number(struct gcl_parser *parser, bool is_negative, struct gcl_buffer *out);

/** Reads from behind << to behind >> and writes a binary. */
bool gcl_parse_bits(struct gcl_parser *parser);

/* --- parse_leaf.c ----------------------------------------------------------------------------- */

bool gcl_parse_atom(struct gcl_parser *parser);

/** fun m:f/a, behind the `fun`. */
bool gcl_parse_export(struct gcl_parser *parser);

/** A number with a sign in front of it, and perhaps parentheses in between. */
bool gcl_parse_signed(struct gcl_parser *parser);

bool gcl_parse_hole(struct gcl_parser *parser);

/** Strings that follow one another, as one list. */
bool gcl_parse_string(struct gcl_parser *parser);

/** Their characters alone, as elements of a list that is open; adds to `*count`. */
bool gcl_parse_characters(struct gcl_parser *parser, uint32_t *count);

/* --- parse_close.c ---------------------------------------------------------------------------- */

/** Bytes that are left for a head until it is known what is behind it. */
enum { GCL_PARSE_TUPLE_HEAD = 2, GCL_PARSE_LIST_HEAD = 5, GCL_PARSE_MAP_HEAD = 5 };

/** A tuple, list or map whose head is at `mark`, with so many elements or pairs behind it. */
bool gcl_parse_close_tuple(struct gcl_parser *parser, size_t mark, uint32_t count);

/** Behind the tail. A proper list of bytes becomes a string, as BEAM would write it. */
bool gcl_parse_close_list(struct gcl_parser *parser, size_t mark, uint32_t count);

/** Where the tail is to be written: []. */
bool gcl_parse_close_proper(struct gcl_parser *parser, size_t mark, uint32_t count);

/** Of a key that is given twice the last pair stays. `is_in_key`: the map is part of a key. */
bool gcl_parse_close_map(struct gcl_parser *parser, size_t mark, uint32_t count, bool is_in_key);

#endif

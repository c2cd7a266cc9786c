/* SPDX-License-Identifier: Apache-2.0 */
/** The tokens of Erlang text, as erl_scan of OTP 25 cuts them, from UTF-8. */
#ifndef GCL_WIRE_TERM_SCAN_H
#define GCL_WIRE_TERM_SCAN_H

#include "base/cursor.h"

enum gcl_token_kind {
    GCL_TOKEN_END,
    GCL_TOKEN_DOT,   /* the one at the end */
    GCL_TOKEN_MARK,  /* punctuation: `mark`, which for two characters is that of the list below */
    GCL_TOKEN_ATOM,  /* text, perhaps quoted */
    GCL_TOKEN_WORD,  /* reserved */
    GCL_TOKEN_ANY,   /* _ */
    GCL_TOKEN_INT,   /* digits in text, to `base` */
    GCL_TOKEN_FLOAT, /* text */
    GCL_TOKEN_CHAR,  /* character */
    GCL_TOKEN_STRING,
    GCL_TOKEN_HOLE, /* ~ and the letter in `mark` */
};

/** Marks of two characters. */
enum { GCL_MARK_ARROW = 128, GCL_MARK_ASSOC, GCL_MARK_OPEN_BITS, GCL_MARK_CLOSE_BITS };

struct gcl_token {
    enum gcl_token_kind kind;
    uint8_t mark;
    uint8_t base;
    bool is_quoted; /* an atom */
    uint32_t character;
    struct gcl_str text; /* between quotes if there are any, escapes included */
    const uint8_t *start;
};

struct gcl_scanner {
    struct gcl_cursor at;
    struct gcl_token token;  /* the current one */
    const char *reason;      /* of the error; static */
    const uint8_t *error_at; /* where it is */
};

/** The next token. False for what is none; then `reason` and `error_at` say why and where. */
bool gcl_scan(struct gcl_scanner *scanner);

/** The next character of a quoted text, escapes resolved. False at its end. */
bool gcl_scan_character(struct gcl_cursor *text, uint32_t *character);

/** Writes a character in UTF-8 (up to 4 bytes); returns the place behind. */
uint8_t *gcl_put_character(uint8_t *at, uint32_t character);

/** The next character of UTF-8. False at the end and for what is none. */
bool gcl_next_character(struct gcl_cursor *cursor, uint32_t *character);

/** What an atom may consist of without quotes; begins with: a small letter. */
bool gcl_is_small_letter(uint32_t character);
bool gcl_is_name_character(uint32_t character);
bool gcl_is_reserved(struct gcl_str word);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/scan.h"

enum { BASE_MAX = 36, CHARACTER_MAX = 0x10FFFF };

/* --- characters ----------------------------------------------------------------------------- */

bool gcl_next_character(struct gcl_cursor *cursor, uint32_t *character)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    struct gcl_cursor at = *cursor;
    uint8_t lead, next;
    if (!gcl_cursor_u8(&at, &lead))
        return false;
    *character = lead;
    if (lead >= 0x80) {
        unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead < 0xC0 || lead > 0xF4)
            return false;
        uint32_t value = lead & (0x3Fu >> more);
        for (unsigned i = 0; i < more; i++) {
            if (!gcl_cursor_u8(&at, &next) || (next & 0xC0) != 0x80)
                return false;
            value = value << 6 | (next & 0x3Fu);
        }
        if (value < least[more] || value > CHARACTER_MAX || (value >= 0xD800 && value <= 0xDFFF))
            return false;
        *character = value;
    }
    *cursor = at;
    return true;
}

uint8_t *gcl_put_character(uint8_t *at, uint32_t character)
{
    unsigned more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    *at++ = (uint8_t)(lead[more] | character >> 6 * more);
    while (more-- > 0)
        *at++ = (uint8_t)(0x80 | (character >> 6 * more & 0x3F));
    return at;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

bool gcl_is_small_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF && c != 0xF7);
}

static bool is_large_letter(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7);
}

bool gcl_is_name_character(uint32_t c)
{
    return gcl_is_small_letter(c) || is_large_letter(c) || is_digit(c) || c == '_' || c == '@';
}

bool gcl_is_reserved(struct gcl_str word)
{
    static const char words[][8] = {"after",  "and",     "andalso", "band", "begin", "bnot", "bor",
                                    "bsl",    "bsr",     "bxor",    "case", "catch", "cond", "div",
                                    "end",    "fun",     "if",      "let",  "not",   "of",   "or",
                                    "orelse", "receive", "rem",     "try",  "when",  "xor"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (gcl_str_is(word, words[i]))
            return true;
    return false;
}

static int digit_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : BASE_MAX;
}

/* --- escapes -------------------------------------------------------------------------------- */

static bool number_escape(struct gcl_cursor *text, unsigned base, unsigned most, uint32_t *value)
{
    unsigned count = 0;
    *value = 0;
    for (; count < most && text->at < text->end; count++, text->at++) {
        unsigned digit = (unsigned)digit_value(*text->at);
        if (digit >= base)
            break;
        *value = *value * base + digit;
        if (*value > CHARACTER_MAX)
            return false;
    }
    return count > 0 && (*value < 0xD800 || *value > 0xDFFF);
}

/* Behind the backslash. False when it is none of erl_scan's. */
static bool escape(struct gcl_cursor *text, uint32_t *character)
{
    static const char letters[] = "bdefnrstv";
    static const uint8_t values[] = {8, 127, 27, 12, 10, 13, 32, 9, 11};
    uint32_t c;
    if (text->at < text->end && *text->at >= '0' && *text->at <= '7')
        return number_escape(text, 8, 3, character);
    if (!gcl_next_character(text, &c))
        return false;
    const char *letter = c < 128 && c > 0 ? strchr(letters, (int)c) : NULL;
    if (letter != NULL) {
        *character = values[letter - letters];
    } else if (c == '^') {
        if (!gcl_next_character(text, &c))
            return false;
        *character = c == '\n' ? c : c & 31;
    } else if (c == 'x' && text->at < text->end && *text->at == '{') {
        text->at++;
        bool is_closed =
            number_escape(text, 16, 8, character) && text->at < text->end && *text->at == '}';
        text->at += is_closed;
        return is_closed;
    } else if (c == 'x') {
        const uint8_t *start = text->at;
        return number_escape(text, 16, 2, character) && text->at == start + 2;
    } else {
        *character = c;
    }
    return true;
}

bool gcl_scan_character(struct gcl_cursor *text, uint32_t *character)
{
    if (!gcl_next_character(text, character))
        return false;
    return *character != '\\' || escape(text, character);
}

/* --- tokens --------------------------------------------------------------------------------- */

static bool refuse(struct gcl_scanner *scanner, const uint8_t *where, const char *reason)
{
    scanner->reason = reason;
    scanner->error_at = where;
    return false;
}

static void skip_space(struct gcl_cursor *at)
{
    for (;;) {
        struct gcl_cursor before = *at;
        uint32_t c;
        if (!gcl_next_character(at, &c))
            return;
        if (c == '%') {
            while (at->at < at->end && *at->at != '\n')
                at->at++;
        } else if (!(c <= ' ' || (c >= 0x80 && c <= 0xA0))) {
            *at = before;
            return;
        }
    }
}

static uint8_t peek(const struct gcl_cursor *at, size_t ahead)
{
    return gcl_cursor_left(at) > ahead ? at->at[ahead] : 0;
}

/* Digits to a base, with single underscores between them. */
static bool scan_digits(struct gcl_cursor *at, unsigned base, struct gcl_str *text)
{
    const uint8_t *start = at->at;
    if ((unsigned)digit_value(peek(at, 0)) >= base)
        return false;
    while ((unsigned)digit_value(peek(at, 0)) < base ||
           (peek(at, 0) == '_' && (unsigned)digit_value(peek(at, 1)) < base))
        at->at++;
    *text = gcl_str_make(start, (size_t)(at->at - start));
    return true;
}

static bool scan_number(struct gcl_scanner *scanner)
{
    struct gcl_cursor *at = &scanner->at;
    struct gcl_token *token = &scanner->token;
    struct gcl_str digits;
    token->kind = GCL_TOKEN_INT;
    token->base = 10;
    if (!scan_digits(at, 10, &token->text))
        return refuse(scanner, token->start, "illegal number");
    if (peek(at, 0) == '#') {
        unsigned base = 0;
        for (size_t i = 0; i < token->text.size && base <= BASE_MAX; i++)
            if (token->text.bytes[i] != '_')
                base = base * 10 + token->text.bytes[i] - '0';
        if (base < 2 || base > BASE_MAX)
            return refuse(scanner, token->start, "base of a number is not 2 to 36");
        at->at++;
        token->base = (uint8_t)base;
        if (!scan_digits(at, base, &token->text))
            return refuse(scanner, token->start, "illegal number");
    } else if (peek(at, 0) == '.' && is_digit(peek(at, 1))) {
        token->kind = GCL_TOKEN_FLOAT;
        at->at++;
        (void)scan_digits(at, 10, &digits);
        size_t sign = peek(at, 1) == '-' || peek(at, 1) == '+';
        if ((peek(at, 0) | 0x20) == 'e' && is_digit(peek(at, 1 + sign))) {
            at->at += 1 + sign;
            (void)scan_digits(at, 10, &digits);
        } else if ((peek(at, 0) | 0x20) == 'e') {
            return refuse(scanner, token->start, "illegal float");
        }
        token->text = gcl_str_make(token->start, (size_t)(at->at - token->start));
    }
    return true;
}

static bool scan_quoted(struct gcl_scanner *scanner, enum gcl_token_kind kind, uint8_t quote)
{
    struct gcl_cursor *at = &scanner->at;
    const uint8_t *start = ++at->at;
    uint32_t character;
    for (;;) {
        const uint8_t *here = at->at;
        if (gcl_cursor_left(at) == 0)
            return refuse(scanner, scanner->token.start, "quote is not closed");
        if (*here == quote) {
            at->at++;
            scanner->token.kind = kind;
            scanner->token.is_quoted = true;
            scanner->token.text = gcl_str_make(start, (size_t)(here - start));
            return true;
        }
        if (!gcl_scan_character(at, &character))
            return refuse(scanner, here, "illegal character or escape");
    }
}

static bool scan_name(struct gcl_scanner *scanner)
{
    struct gcl_token *token = &scanner->token;
    struct gcl_cursor next = scanner->at;
    uint32_t c;
    while (gcl_next_character(&next, &c) && gcl_is_name_character(c))
        scanner->at = next;
    token->text = gcl_str_make(token->start, (size_t)(scanner->at.at - token->start));
    token->is_quoted = false;
    token->kind = gcl_is_reserved(token->text) ? GCL_TOKEN_WORD : GCL_TOKEN_ATOM;
    return true;
}

static bool scan_mark(struct gcl_scanner *scanner)
{
    static const char pairs[][3] = {"=>", ":=", "<<", ">>"};
    static const char singles[] = "{}[](),|#/:-+<";
    struct gcl_cursor *at = &scanner->at;
    uint8_t c = peek(at, 0);
    scanner->token.kind = GCL_TOKEN_MARK;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (c == (uint8_t)pairs[i][0] && peek(at, 1) == (uint8_t)pairs[i][1]) {
            scanner->token.mark = (uint8_t)(GCL_MARK_ARROW + i);
            at->at += 2;
            return true;
        }
    }
    bool is_list_operator = (c == '-' || c == '+') && peek(at, 1) == c;
    if (c == 0 || is_list_operator || strchr(singles, c) == NULL)
        return refuse(scanner, at->at, "this belongs to no term");
    scanner->token.mark = c;
    at->at++;
    return true;
}

static bool scan_dot(struct gcl_scanner *scanner)
{
    struct gcl_cursor *at = &scanner->at;
    uint8_t next = peek(at, 1);
    if (next > ' ' && next != '%')
        return refuse(scanner, at->at, "syntax error at the dot");
    at->at++;
    scanner->token.kind = GCL_TOKEN_DOT;
    return true;
}

bool gcl_scan(struct gcl_scanner *scanner)
{
    struct gcl_cursor *at = &scanner->at;
    struct gcl_token *token = &scanner->token;
    uint32_t c;
    skip_space(at);
    token->start = at->at;
    token->kind = GCL_TOKEN_END;
    if (gcl_cursor_left(at) == 0)
        return true;
    struct gcl_cursor next = *at;
    if (!gcl_next_character(&next, &c))
        return refuse(scanner, at->at, "not UTF-8");
    if (is_digit(c))
        return scan_number(scanner);
    if (gcl_is_small_letter(c))
        return scan_name(scanner);
    if (c == '\'')
        return scan_quoted(scanner, GCL_TOKEN_ATOM, '\'');
    if (c == '"')
        return scan_quoted(scanner, GCL_TOKEN_STRING, '"');
    if (c == '.')
        return scan_dot(scanner);
    if (c == '$') {
        at->at++;
        token->kind = GCL_TOKEN_CHAR;
        return gcl_scan_character(at, &token->character) ||
               refuse(scanner, token->start, "illegal character or escape");
    }
    if (c == '~' && peek(at, 1) != 0 && strchr("iufasbprt", peek(at, 1)) != NULL) {
        token->kind = GCL_TOKEN_HOLE;
        token->mark = peek(at, 1);
        at->at += 2;
        return true;
    }
    if (c == '_' || is_large_letter(c)) {
        (void)scan_name(scanner);
        token->kind = GCL_TOKEN_ANY;
        return gcl_str_is(token->text, "_") ||
               refuse(scanner, token->start, "variables have no value here");
    }
    return scan_mark(scanner);
}

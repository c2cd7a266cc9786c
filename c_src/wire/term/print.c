/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/print.h"

#include <gen_cluster/error.h>

#include "wire/term/scan.h"
#include "wire/term/walk.h"

enum level_kind { TUPLE, LIST, LIST_TAIL, MAP_KEY, MAP_VALUE, RECORD };

/* What is open around the place where the printer is. */
struct level {
    enum level_kind kind;
    bool is_begun; /* there was an element */
    uint32_t left; /* elements, pairs or fields that are still to come */
    struct gcl_list_reader list;
    struct gcl_cursor names; /* of the fields of a record */
};

struct printer {
    struct gcl_sink *sink;
    const struct gcl_term_ids *ids;
    struct gcl_cursor at;
    unsigned depth;
    struct level levels[GCL_TERM_DEPTH_MAX + 1];
};

enum step { BROKEN, MORE, DONE };

static enum step done(bool ok)
{
    return ok ? DONE : BROKEN;
}

static void put(struct printer *printer, const char *text)
{
    gcl_sink_put(printer->sink, text, strlen(text));
}

static enum step open_level(struct printer *printer, enum level_kind kind, uint32_t left,
                            const char *text)
{
    if (printer->depth > GCL_TERM_DEPTH_MAX)
        return BROKEN;
    printer->levels[printer->depth++] = (struct level){.kind = kind, .left = left};
    put(printer, text);
    return MORE;
}

/* --- lists ---------------------------------------------------------------------------------- */

/* Whether all elements are characters that can be shown, and [] follows. */
static bool is_text(struct gcl_cursor at, struct gcl_list_reader list)
{
    struct gcl_cursor element;
    int64_t c;
    while (gcl_read_next(&at, &list, &element))
        if (!gcl_read_int64(list.is_string ? &element : &at, &c) || c < 0 || c > UINT8_MAX ||
            !gcl_is_printable((uint32_t)c))
            return false;
    return gcl_read_list_end(&at, &list);
}

static enum step print_string(struct printer *printer, struct gcl_list_reader *list)
{
    struct gcl_cursor element;
    int64_t c;
    put(printer, "\"");
    while (gcl_read_next(&printer->at, list, &element)) {
        if (!gcl_read_int64(list->is_string ? &element : &printer->at, &c))
            return BROKEN;
        gcl_print_quoted(printer->sink, (uint32_t)c, '"');
    }
    put(printer, "\"");
    return done(gcl_read_list_end(&printer->at, list));
}

static enum step begin_list(struct printer *printer)
{
    struct gcl_list_reader list;
    if (gcl_read_nil(&printer->at)) {
        put(printer, "[]");
        return DONE;
    }
    if (!gcl_read_list(&printer->at, &list))
        return BROKEN;
    struct gcl_cursor first = printer->at, element;
    struct gcl_list_reader rest = list;
    if (!gcl_read_next(&first, &rest, &element)) { /* no element: it is its tail */
        printer->at = first;
        return done(gcl_print_leaf(printer->sink, &printer->at, printer->ids));
    }
    if (is_text(printer->at, list))
        return print_string(printer, &list);
    enum step step = open_level(printer, LIST, 0, "[");
    if (step == MORE)
        printer->levels[printer->depth - 1].list = list;
    return step;
}

static enum step next_element(struct printer *printer, struct level *level)
{
    struct gcl_cursor element;
    while (gcl_read_next(&printer->at, &level->list, &element)) {
        put(printer, level->is_begun ? "," : "");
        level->is_begun = true;
        if (!level->list.is_string)
            return MORE;
        if (!gcl_print_leaf(printer->sink, &element, printer->ids))
            return BROKEN;
    }
    if (gcl_read_list_end(&printer->at, &level->list)) {
        put(printer, "]");
        return DONE;
    }
    put(printer, "|");
    level->kind = LIST_TAIL;
    return MORE;
}

/* --- what else has terms inside -------------------------------------------------------------- */

static enum step begin_tuple(struct printer *printer)
{
    uint32_t arity;
    return gcl_read_tuple(&printer->at, &arity) ? open_level(printer, TUPLE, arity, "{") : BROKEN;
}

static enum step begin_map(struct printer *printer)
{
    uint32_t pairs;
    return gcl_read_map(&printer->at, &pairs) ? open_level(printer, MAP_KEY, pairs, "#{") : BROKEN;
}

/* spec: RECORD_EXT of OTP 29: count, flags, module, name, the names of the fields, their values */
static enum step begin_record(struct printer *printer)
{
    uint32_t count;
    if (!gcl_cursor_skip(&printer->at, 1) || !gcl_cursor_u32(&printer->at, &count) ||
        !gcl_cursor_skip(&printer->at, 1))
        return BROKEN;
    put(printer, "#");
    if (!gcl_print_atom(printer->sink, &printer->at))
        return BROKEN;
    put(printer, ":");
    if (!gcl_print_atom(printer->sink, &printer->at) ||
        open_level(printer, RECORD, count, "{") != MORE)
        return BROKEN;
    printer->levels[printer->depth - 1].names = printer->at;
    for (uint32_t i = 0; i < count; i++)
        if (gcl_term_walk(&printer->at) != 0)
            return BROKEN;
    return MORE;
}

static enum step next_counted(struct printer *printer, struct level *level, const char *end)
{
    if (level->left == 0) {
        put(printer, end);
        return DONE;
    }
    level->left--;
    put(printer, level->is_begun ? "," : "");
    level->is_begun = true;
    return MORE;
}

static enum step next_pair(struct printer *printer, struct level *level)
{
    enum step step = next_counted(printer, level, "}");
    level->kind = MAP_VALUE;
    return step;
}

static enum step next_field(struct printer *printer, struct level *level)
{
    enum step step = next_counted(printer, level, "}");
    if (step != MORE)
        return step;
    if (!gcl_print_atom(printer->sink, &level->names))
        return BROKEN;
    put(printer, " = ");
    return MORE;
}

/* --- the way through the term ---------------------------------------------------------------- */

/* One term, or what comes before the first one inside it. */
static enum step begin_term(struct printer *printer)
{
    switch (gcl_term_class(&printer->at)) {
    case GCL_CLASS_TUPLE:
        return begin_tuple(printer);
    case GCL_CLASS_LIST:
        return begin_list(printer);
    case GCL_CLASS_MAP:
        return begin_map(printer);
    case GCL_CLASS_RECORD:
        return begin_record(printer);
    case GCL_CLASS_NONE:
        return BROKEN;
    case GCL_CLASS_INT:
    case GCL_CLASS_FLOAT:
    case GCL_CLASS_ATOM:
    case GCL_CLASS_PID:
    case GCL_CLASS_REF:
    case GCL_CLASS_PORT:
    case GCL_CLASS_BITS:
    case GCL_CLASS_FUN:
    case GCL_CLASS_EXPORT:
        break;
    }
    return done(gcl_print_leaf(printer->sink, &printer->at, printer->ids));
}

/* Goes on to the next term inside this level: MORE; or closes it: DONE. */
static enum step next_term(struct printer *printer, struct level *level)
{
    switch (level->kind) {
    case TUPLE:
        return next_counted(printer, level, "}");
    case LIST:
        return next_element(printer, level);
    case LIST_TAIL:
        put(printer, "]");
        return DONE;
    case MAP_KEY:
        return next_pair(printer, level);
    case MAP_VALUE:
        put(printer, " => ");
        level->kind = MAP_KEY;
        return MORE;
    case RECORD:
        return next_field(printer, level);
    }
    return BROKEN;
}

static bool print_all(struct printer *printer)
{
    for (;;) {
        enum step step = begin_term(printer);
        if (step == BROKEN)
            return false;
        do {
            if (printer->depth == 0)
                return true;
            step = next_term(printer, &printer->levels[printer->depth - 1]);
            if (step == DONE)
                printer->depth--;
        } while (step == DONE);
        if (step == BROKEN)
            return false;
    }
}

int gcl_term_print(gcl_term term, char *buffer, size_t size, size_t *length)
{
    struct gcl_sink sink = gcl_sink_make(buffer, size);
    struct printer printer;
    printer.sink = &sink;
    printer.ids = term.context != NULL ? &term.context->ids : NULL;
    printer.at = gcl_term_cursor(term);
    printer.depth = 0;
    bool ok = gcl_term_check(term) == 0 && print_all(&printer);
    if (!ok)
        sink.length = sink.kept = 0;
    int error = gcl_sink_finish(&sink);
    if (length != NULL)
        *length = sink.length;
    return ok ? error : GCL_ETERM;
}

/* --- characters ----------------------------------------------------------------------------- */

static bool text_of_list(struct gcl_sink *sink, struct gcl_cursor at)
{
    struct gcl_list_reader list;
    struct gcl_cursor element;
    int64_t c;
    if (!gcl_read_list(&at, &list))
        return false;
    while (gcl_read_next(&at, &list, &element)) {
        if (!gcl_read_int64(list.is_string ? &element : &at, &c) || c < 0 || c > 0x10FFFF ||
            (c >= 0xD800 && c <= 0xDFFF))
            return false;
        gcl_sink_put_character(sink, (uint32_t)c);
    }
    return gcl_read_list_end(&at, &list);
}

/* They need not be UTF-8. */
static void put_bytes(struct gcl_sink *sink, struct gcl_str bytes)
{
    struct gcl_cursor at = gcl_cursor_make(bytes.bytes, bytes.size);
    uint32_t c;
    while (gcl_cursor_left(&at) > 0) {
        const uint8_t *start = at.at;
        if (!gcl_next_character(&at, &c))
            at.at++;
        gcl_sink_put(sink, start, (size_t)(at.at - start));
    }
}

int gcl_term_text(gcl_term term, char *buffer, size_t size, size_t *length)
{
    struct gcl_sink sink = gcl_sink_make(buffer, size);
    struct gcl_cursor at = gcl_term_cursor(term);
    uint8_t scratch[GCL_ATOM_LATIN1_BYTES];
    struct gcl_str bytes;
    int error = gcl_term_check(term) == 0 ? 0 : GCL_ETERM;
    if (error == 0 && (gcl_wire_atom_decode(&at, scratch, &bytes) || gcl_read_binary(&at, &bytes)))
        put_bytes(&sink, bytes);
    else if (error == 0 && !text_of_list(&sink, at))
        error = GCL_EINVAL;
    if (error != 0)
        sink.length = sink.kept = 0;
    int cut = gcl_sink_finish(&sink);
    if (length != NULL)
        *length = sink.length;
    return error != 0 ? error : cut;
}

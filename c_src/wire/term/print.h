/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Terms as text. What is written goes into a sink, which counts all of it and keeps what fits;
 * nesting is followed by print.c, everything that has no terms inside is printed by
 * print_leaf.c.
 */
#ifndef GCL_WIRE_TERM_PRINT_H
#define GCL_WIRE_TERM_PRINT_H

#include "base/str.h"
#include "wire/term/context.h"
#include "wire/term/read.h"

/** A buffer of the caller. */
struct gcl_sink {
    char *buffer;
    size_t size;
    size_t length; /* of the whole text */
    size_t kept;   /* whole characters in the buffer */
};

static inline struct gcl_sink gcl_sink_make(char *buffer, size_t size)
{
    struct gcl_sink sink = {buffer, size, 0, 0};
    return sink;
}

/** Adds ASCII, or one character of UTF-8: the text is never cut inside of one. */
static inline void gcl_sink_put(struct gcl_sink *sink, const void *bytes, size_t size)
{
    if (sink->length == sink->kept && size < sink->size - sink->kept) {
        memcpy(sink->buffer + sink->kept, bytes, size);
        sink->kept += size;
    }
    sink->length += size;
}

static inline void gcl_sink_put_byte(struct gcl_sink *sink, char byte)
{
    gcl_sink_put(sink, &byte, 1);
}

/** Any character, in UTF-8. */
void gcl_sink_put_character(struct gcl_sink *sink, uint32_t character);

/** Terminates the text. 0 or GCL_ELIMIT: it was cut. */
static inline int gcl_sink_finish(const struct gcl_sink *sink)
{
    if (sink->size > 0)
        sink->buffer[sink->kept] = '\0';
    return sink->length < sink->size ? 0 : GCL_ELIMIT;
}

/** A character within quotes, as io_lib writes it. */
void gcl_print_quoted(struct gcl_sink *sink, uint32_t character, char quote);

/** What io_lib:printable_latin1_list/1 takes for a character. */
bool gcl_is_printable(uint32_t character);

/**
 * Each prints the term that begins at the cursor and moves on, or returns false: that is none of
 * this kind. `ids` has `place`, or not.
 */
bool gcl_print_atom(struct gcl_sink *sink, struct gcl_cursor *at);
bool gcl_print_leaf(struct gcl_sink *sink, struct gcl_cursor *at, const struct gcl_term_ids *ids);

#endif

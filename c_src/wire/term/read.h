/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Checked readers of single terms. Each reads one term, or the head of one, of any form that may
 * stand for it, and moves on; or returns false and leaves the cursor where it was. Ids and atoms
 * are read by wire/term/id.h, whole terms are skipped by wire/term/walk.h.
 */
#ifndef GCL_WIRE_TERM_READ_H
#define GCL_WIRE_TERM_READ_H

#include "base/cursor.h"
#include "wire/term/tag.h"

/** Of the term that begins here; GCL_CLASS_NONE at the end. */
enum gcl_class gcl_term_class(const struct gcl_cursor *cursor);

/** An integer of any size; magnitude little endian without zeros in front of it. */
struct gcl_integer {
    bool is_negative; /* false for 0 */
    struct gcl_str magnitude;
    uint8_t small[4]; /* the magnitude of what is no big one: do not copy the struct */
};
bool gcl_read_integer(struct gcl_cursor *cursor, struct gcl_integer *value);

/** False also for what does not fit. */
bool gcl_read_int64(struct gcl_cursor *cursor, int64_t *value);
bool gcl_read_uint64(struct gcl_cursor *cursor, uint64_t *value);

/** Finite. */
bool gcl_read_double(struct gcl_cursor *cursor, double *value);

/** True for an atom of that text (UTF-8), whatever its form. */
bool gcl_read_atom_is(struct gcl_cursor *cursor, struct gcl_str text);

bool gcl_read_tuple(struct gcl_cursor *cursor, uint32_t *arity);
bool gcl_read_map(struct gcl_cursor *cursor, uint32_t *pairs);

/** A binary of whole bytes; `bytes` borrows the cursor's. */
bool gcl_read_binary(struct gcl_cursor *cursor, struct gcl_str *bytes);

/** Any binary; `bits` counts all of them, those of the last byte are its highest. */
bool gcl_read_bits(struct gcl_cursor *cursor, struct gcl_str *bytes, uint64_t *bits);

/** `[]` in any form. */
bool gcl_read_nil(struct gcl_cursor *cursor);

/**
 * A list, read cell by cell. Peers may write [1, 2] as a string of two bytes, as one list, or as
 * two that are nested in the tail; here they look the same. spec: STRING_EXT, LIST_EXT, NIL_EXT
 */
struct gcl_list_reader {
    uint32_t left;
    bool is_string; /* the elements left are bytes */
};

/** False when it is no list. */
bool gcl_read_list(struct gcl_cursor *cursor, struct gcl_list_reader *list);

/**
 * Whether there is another element. If so `*element` is set to it: it is the cursor itself, from
 * which the element must be read next, or, in a string, an integer in memory that is static, and
 * the cursor has moved on. Otherwise the cursor is before the tail, as a term of its own, if it has
 * one (not a string).
 */
bool gcl_read_next(struct gcl_cursor *cursor, struct gcl_list_reader *list,
                   struct gcl_cursor *element);

/** Behind the last element: true when the list ended with []. The cursor is behind it then. */
bool gcl_read_list_end(struct gcl_cursor *cursor, const struct gcl_list_reader *list);

#endif

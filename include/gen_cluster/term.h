/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Erlang terms in C.
 *
 * A gcl_term is a view of bytes in the external term format that belong to somebody else: what a
 * handler is given is valid until it returns; gcl_term_copy() keeps one. It is small, opaque and
 * passed by value. Terms are taken apart and made by patterns, which are written as in Erlang:
 *
 *     int64_t n;
 *     if (gcl_match(request, "{add, ~i}", &n))
 *         gcl_reply(self, from, "{ok, ~i}", total += n);
 *
 * | in a pattern    | matches                                  | makes                          |
 * |-----------------|------------------------------------------|--------------------------------|
 * | `~i` `~u`       | an integer that fits; to any integer     | from any integer               |
 * | `~f`            | a float; to `double`                     | from `double`, `float`         |
 * | `~a`            | an atom, to gcl_bytes (UTF-8); `true`    | from `const char *`, gcl_bytes |
 * |                 | or `false`, to `bool`                    | (UTF-8), `bool`                |
 * | `~s`            | a list of bytes, to gcl_bytes            | characters, from UTF-8         |
 * | `~b`            | a binary, to gcl_bytes                   | a binary, from either          |
 * | `~p` `~r`       | a pid, a reference                       | the same                       |
 * | `~t`            | any term, to gcl_term                    | from gcl_term                  |
 * | `_`             | any term                                 |                                |
 * | `[A, B \| T]`   | a list that begins so; T: `~t ~s _` or a | the same                       |
 * |                 | term that ends it                        |                                |
 * | `#{K := V}`     | a map that has these keys                | with `=>`                      |
 * | a literal       | a term that is `=:=` to it               | the term                       |
 *
 * Everything else is a literal as in Erlang: atoms, quoted or not, integers of any size and base,
 * `$c`, floats, "strings", <<"binaries">>, tuples, lists, maps. A literal atom in the pattern is
 * not looked at again: a pattern is compiled when it is met first and kept by its address. Patterns
 * are therefore string literals. Number and types of the arguments are checked against it each
 * time; a mismatch is a mistake in the program, which is reported with file and line.
 *
 * Threads: a term belongs to the thread of its node's loop. Everything here may be called in
 * callbacks and calls none, but for the function that reports mistakes.
 */
#ifndef GEN_CLUSTER_TERM_H
#define GEN_CLUSTER_TERM_H

#include <gen_cluster/alloc.h>
#include <gen_cluster/args.h>
#include <gen_cluster/error.h>
#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What terms of one node share: memory, compiled patterns, the nodes that pids belong to. A node
 * has one; gcl_term_context_new() makes one for a program, or a test, without a node. There, pids
 * and references neither match nor are made.
 */
typedef struct gcl_term_context gcl_term_context;

/** Gets mistakes in the use of patterns: one line of text, borrowed. */
typedef void gcl_misuse_function(const char *file, int line, const char *text, void *user);

/**
 * `allocator` (NULL: malloc and free) is borrowed for the life of the context; `misuse` may be
 * NULL. NULL when there is no memory. Free it with gcl_term_context_free(), after its terms.
 */
GCL_API gcl_term_context *gcl_term_context_new(const gcl_allocator *allocator,
                                               gcl_misuse_function *misuse, void *user);
GCL_API void gcl_term_context_free(gcl_term_context *context);

/* --- views ---------------------------------------------------------------------------------- */

/** A view of bytes of the caller, without the version byte 131; they need not be valid. */
static inline gcl_term gcl_term_make(gcl_term_context *context, const void *bytes, size_t size)
{
    gcl_term term;
    term.context = context;
    term.bytes = (const uint8_t *)bytes;
    term.size = size;
    return term;
}

/**
 * The bytes of a term in the external format, without the version byte: with `index = 0` they can
 * be given to ei_decode_*, after gcl_term_check(), because libei does not check lengths.
 */
static inline const uint8_t *gcl_term_bytes(gcl_term term)
{
    return term.bytes;
}

static inline size_t gcl_term_size(gcl_term term)
{
    return term.size;
}

/** An empty view: where a term could have been but was not. */
static inline bool gcl_term_is_none(gcl_term term)
{
    return term.size == 0;
}

/**
 * Walks over the whole term. 0; GCL_ETERM: it is not exactly one valid term; GCL_ELIMIT: nested
 * deeper than 1024.
 */
GCL_API int gcl_term_check(gcl_term term) GCL_MUST_USE;

/**
 * A copy in `*copy`: gcl_term_free() it. What is kept was walked first: GCL_ETERM and GCL_ELIMIT as
 * gcl_term_check(); GCL_ENOMEM. Then `*copy` is empty. An empty view is copied as such.
 */
GCL_API int gcl_term_copy(gcl_term term, gcl_term *copy) GCL_MUST_USE;

/** Frees what gcl_term_copy() or gcl_term_parse() made. Legal for an empty view. */
GCL_API void gcl_term_free(gcl_term term);

/**
 * `A =:= B`: compared as terms, not as bytes. 0.0 and -0.0 differ, as they do from OTP 27 on. False
 * when one is malformed or nested deeper than 1024. Maps with the same keys in different order cost
 * the square of their size.
 */
GCL_API bool gcl_term_equal(gcl_term a, gcl_term b);

/* --- patterns ------------------------------------------------------------------------------- */

/**
 * Whether the term matches; then, and only then, all places are set:
 * `bool gcl_match(gcl_term term, const char *pattern, ...)` with up to 16 pointers. What gcl_bytes
 * and gcl_term are set to is valid as long as the term; the rest of a list (`[_ | ~t]`), and the
 * bytes of a list that did not come as a string, until the handler returns, or without a node until
 * the context is freed. A mistake in pattern or arguments is reported and matches nothing.
 *
 * An integer that does not fit its place does not match. `~a` gives UTF-8; an atom in the old
 * Latin-1 form with characters beyond ASCII, which no node that can be connected sends, matches
 * literals only. `~s` gives the list's bytes, each a character of Latin-1; a list of characters
 * beyond them, or longer than 65,535, does not match.
 */
#define gcl_match(term, ...) gcl_match_outs((term), GCL_OUTS(__VA_ARGS__))
GCL_API bool gcl_match_outs(gcl_term term, gcl_outs outs);

/** Where terms are written: given to handlers that produce one, or made by gcl_writer_new(). */
typedef struct gcl_writer gcl_writer;

/** A writer of the program's own: gcl_writer_free() it. NULL when there is no memory. */
GCL_API gcl_writer *gcl_writer_new(gcl_term_context *context);
GCL_API void gcl_writer_free(gcl_writer *writer);

/** What was written so far; valid until the writer is used again. */
GCL_API gcl_term gcl_writer_term(const gcl_writer *writer);

/** Forgets what was written. Up to 64 KiB of its room are kept for what comes next. */
GCL_API void gcl_writer_clear(gcl_writer *writer);

/**
 * Writes one term: `int gcl_write(gcl_writer *writer, const char *pattern, ...)` with up to 16
 * values, which are copied. 0; GCL_ESYNTAX: mistake in the pattern, GCL_EINVAL: values that do not
 * go with it (both reported), or a text that is no atom or not UTF-8, or a double that is no
 * number; GCL_ESTALE: a pid or reference of a node that is no longer known; GCL_ETERM: an empty or
 * malformed gcl_term; GCL_ELIMIT; GCL_ENOMEM. On error nothing was written.
 */
#define gcl_write(writer, ...) gcl_write_message((writer), GCL_MESSAGE(__VA_ARGS__))
GCL_API int gcl_write_message(gcl_writer *writer, gcl_message message);

/**
 * Heads of terms whose size is known at run time only; as many terms must follow: `count` elements
 * and then the tail of a list (gcl_write(writer, "[]"), nothing when `count` is 0), the elements of
 * a tuple, key and value for each pair of a map. GCL_ELIMIT, GCL_ENOMEM.
 */
GCL_API int gcl_write_list(gcl_writer *writer, uint32_t count);
GCL_API int gcl_write_tuple(gcl_writer *writer, uint32_t arity);
GCL_API int gcl_write_map(gcl_writer *writer, uint32_t pairs);

/* --- elements ------------------------------------------------------------------------------- */

/** The elements of a list or tuple, or keys and values of a map, one by one. Fields are private. */
typedef struct gcl_items {
    gcl_term rest;
    uint32_t left;
    uint8_t form;
} gcl_items;

/** False when the term is none of the three. Set `*items` first, then gcl_items_next(). */
GCL_API bool gcl_items_begin(gcl_items *items, gcl_term term);

/** The next element; of a map key, value, key, value, ... False at the end. */
GCL_API bool gcl_items_next(gcl_items *items, gcl_term *item);

/** At the end: true when that was a proper one (no tail but [], and nothing malformed). */
GCL_API bool gcl_items_is_proper_end(const gcl_items *items);

/* --- text ----------------------------------------------------------------------------------- */

/**
 * The characters of an atom, a list of characters or a binary (taken as it is), in UTF-8 and
 * terminated. `*length` (may be NULL) is set to the length of the whole text. 0; GCL_EINVAL: it has
 * no characters, or a list element is none; GCL_ELIMIT: cut, between two characters; GCL_ETERM: the
 * term is malformed or nested deeper than 1024. But for GCL_ELIMIT the text of an error is empty.
 * `size` may be 0.
 */
GCL_API int gcl_term_text(gcl_term term, char *buffer, size_t size, size_t *length);

/**
 * Writes what io_lib:format("~0p", [Term]) of OTP 25 would, in UTF-8 and terminated. `*length` (may
 * be NULL) is set to the length of the whole text. As gcl_term_text(): 0, GCL_ELIMIT,
 * GCL_ETERM.
 *
 * Pids, references and ports have the number of their node's place in this node's table as their
 * first (0: this node; without a node always 0), as they have one of the printing node's in Erlang.
 * Maps are printed in the order in which their pairs came. Integers of more than 4,096 bytes are
 * printed to base 16, native records as #module:name{field = value}.
 */
GCL_API int gcl_term_print(gcl_term term, char *buffer, size_t size, size_t *length);

/** Where and why a text is no term. Lines and columns (in characters) count from 1. */
typedef struct gcl_parse_error {
    int line;
    int column;
    size_t offset;      /**< in bytes */
    const char *reason; /**< static */
} gcl_parse_error;

/**
 * Reads what erl_scan and erl_parse:parse_term of OTP 25 would, from UTF-8; the dot at the end may
 * be left out. gcl_term_free() the result. `error` may be NULL. GCL_ESYNTAX; GCL_ENOTSUP: a pid,
 * reference, port or fun in printed form; GCL_ELIMIT: nested deeper than 1024, an atom longer than
 * 255 characters, an integer of more than 100,000 digits, segments of binaries that ask for more
 * than 1 MiB together; GCL_ENOMEM. On error `*term` is empty.
 */
GCL_API int gcl_term_parse(gcl_term_context *context, const char *text, size_t size, gcl_term *term,
                           gcl_parse_error *error) GCL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif

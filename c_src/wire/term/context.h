/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the terms of one node share: the allocator, the compiled patterns, the two ways between pids
 * as they are on the wire and pids as programs see them, and the copies that matches had to make.
 */
#ifndef GCL_WIRE_TERM_CONTEXT_H
#define GCL_WIRE_TERM_CONTEXT_H

#include <gen_cluster/term.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "wire/term/id.h"

/**
 * How ids are converted; the owner of the table of names supplies it. The `in` functions return 0
 * or an error (the id then does not match), the `out` functions also GCL_ESTALE. The name in a wire
 * id is borrowed until the next call. `place` gives the number that a printed id begins with.
 */
struct gcl_term_ids {
    int (*pid_in)(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid);
    int (*pid_out)(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire);
    int (*ref_in)(void *user, const struct gcl_wire_ref *wire, gcl_ref *ref);
    int (*ref_out)(void *user, const gcl_ref *ref, struct gcl_wire_ref *wire);
    uint32_t (*place)(void *user, struct gcl_str node, uint32_t creation);
    void *user;
};

enum {
    GCL_PATTERN_SETS = 64, /* of the cache; a power of two */
    GCL_PATTERN_WAYS = 4,
};

struct gcl_pattern; /* wire/term/pattern.h */
struct gcl_term_scrap;

struct gcl_term_context {
    const gcl_allocator *mem;
    gcl_misuse_function *misuse; /* may be NULL */
    void *misuse_user;
    struct gcl_term_ids ids; /* functions that are NULL: such ids do not match */
    struct gcl_term_scrap *scraps;
    struct gcl_pattern *patterns[GCL_PATTERN_SETS][GCL_PATTERN_WAYS];
    uint8_t victims[GCL_PATTERN_SETS]; /* the way that is replaced next */
};

/** A writer is a buffer of the node or the program. */
struct gcl_writer {
    gcl_term_context *context;
    struct gcl_buffer *buffer;
    struct gcl_buffer own;
};

/** Allocates nothing. `mem` is borrowed; `ids` may be NULL and is copied. */
void gcl_term_context_init(gcl_term_context *context, const gcl_allocator *mem,
                           const struct gcl_term_ids *ids, gcl_misuse_function *misuse, void *user);

/** Frees compiled patterns and copies. */
void gcl_term_context_fini(gcl_term_context *context);

/** Frees the copies that matches made of rests of lists: when a handler has returned. */
void gcl_term_context_release(gcl_term_context *context);

/** Room that lives until gcl_term_context_release(); NULL when there is no memory. */
uint8_t *gcl_term_context_room(gcl_term_context *context, size_t size) GCL_MUST_USE;

static inline gcl_term gcl_term_of(gcl_term_context *context, struct gcl_str bytes)
{
    return gcl_term_make(context, bytes.bytes, bytes.size);
}

static inline struct gcl_cursor gcl_term_cursor(gcl_term term)
{
    return gcl_cursor_make(term.bytes, term.size);
}

/** A writer that appends to a buffer of the caller, borrowed. Needs no fini. */
static inline void gcl_writer_init(struct gcl_writer *writer, gcl_term_context *context,
                                   struct gcl_buffer *buffer)
{
    writer->context = context;
    writer->buffer = buffer;
}

/**
 * Appends the term of a message, all of it or nothing. Returns as gcl_write() does; a mistake of
 * the program was reported to `context->misuse`.
 */
int gcl_term_build(gcl_term_context *context, struct gcl_buffer *out,
                   const gcl_message *message) GCL_MUST_USE;

#endif

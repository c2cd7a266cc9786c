/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Patterns, compiled: what match.c and build.c carry out.
 *
 * The bytes of a pattern are the term it describes with holes in it (wire/term/parse.h); operations
 * point into them. A term that was written as this library, libei or BEAM would write it is
 * compared by GCL_OP_RUN, many operations at once; those come into play when its form is another
 * one.
 */
#ifndef GCL_WIRE_TERM_PATTERN_H
#define GCL_WIRE_TERM_PATTERN_H

#include "wire/term/context.h"
#include "wire/term/parse.h"

enum gcl_op_code {
    GCL_OP_RUN,       /* these bytes: the next `skip` operations are done with; else go on */
    GCL_OP_EQUAL,     /* a term that is =:= to these bytes */
    GCL_OP_TUPLE,     /* the head of one of `count` elements */
    GCL_OP_HOLE,      /* the next argument, of kind `hole` */
    GCL_OP_ANY,       /* any term */
    GCL_OP_LIST,      /* the head of a list; then for each element GCL_OP_NEXT and its own */
    GCL_OP_NEXT,      /* another element */
    GCL_OP_END,       /* no more elements, and [] */
    GCL_OP_TAIL,      /* no more elements; the tail follows and is not [] */
    GCL_OP_TAIL_HOLE, /* the rest of the list is the next argument */
    GCL_OP_TAIL_ANY,  /* the rest is not looked at */
    GCL_OP_MAP,       /* a map; then for each key GCL_OP_KEY and what its value matches */
    GCL_OP_KEY,       /* the value of the key that is =:= to these bytes */
    GCL_OP_MAP_END,   /* behind the map */
    GCL_OP_COPY,      /* when building: these bytes */
};

struct gcl_op {
    uint8_t code;
    uint8_t hole;
    uint16_t skip;
    uint32_t offset; /* into the bytes */
    uint32_t count;  /* of bytes or elements */
};

enum {
    GCL_PATTERN_ARGS_MAX = 16,
    GCL_PATTERN_DEPTH_MAX = 16, /* of lists and maps that are open while matching */
    GCL_PATTERN_OPS_MAX = 256,
    GCL_PATTERN_BYTES_MAX = 2048,
};

struct gcl_pattern {
    const char *address; /* where the program has it */
    const char *text;    /* a copy */
    const struct gcl_op *ops;
    const uint8_t *bytes;
    uint32_t op_count;
    uint32_t size; /* of the bytes */
    uint8_t mode;  /* enum gcl_parse_mode */
    uint8_t arg_count;
    uint8_t holes[GCL_PATTERN_ARGS_MAX]; /* enum gcl_hole */
};

/** Room for a pattern for which there is no memory: it is then compiled anew each time. */
struct gcl_pattern_room {
    struct gcl_pattern pattern;
    struct gcl_op ops[GCL_PATTERN_OPS_MAX];
    uint8_t bytes[GCL_PATTERN_BYTES_MAX];
};

/** Where a pattern is used, for reports. */
struct gcl_pattern_use {
    const char *file;
    int line;
    unsigned count;
    const char *pattern;
};

/**
 * The compiled pattern, from the cache if it is there; then `room` is not touched. NULL when the
 * pattern is wrong, which was reported.
 */
const struct gcl_pattern *gcl_pattern_compile(gcl_term_context *context, enum gcl_parse_mode mode,
                                              const struct gcl_pattern_use *use,
                                              struct gcl_pattern_room *room);

/** The same when it is in the cache, else NULL. */
static inline const struct gcl_pattern *
gcl_pattern_find(const gcl_term_context *context, enum gcl_parse_mode mode, const char *address)
{
    uint64_t hash = ((uint64_t)(uintptr_t)address + mode) * UINT64_C(0x9E3779B97F4A7C15);
    struct gcl_pattern *const *set = context->patterns[hash >> 58];
    for (int way = 0; way < GCL_PATTERN_WAYS; way++) {
        const struct gcl_pattern *pattern = set[way];
        if (pattern != NULL && pattern->address == address && pattern->mode == mode)
            return strcmp(pattern->text, address) == 0 ? pattern : NULL;
    }
    return NULL;
}

/** Reports a mistake of the program: argument `index` does not go with the pattern, or the count.
 */
void gcl_pattern_misuse_count(gcl_term_context *context, const struct gcl_pattern *pattern,
                              const struct gcl_pattern_use *use);
void gcl_pattern_misuse_kind(gcl_term_context *context, const struct gcl_pattern *pattern,
                             const struct gcl_pattern_use *use, unsigned index);

/** Frees all patterns of the cache. */
void gcl_pattern_clear(gcl_term_context *context);

#endif

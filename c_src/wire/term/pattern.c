/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/pattern.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"

enum { REPORT_MAX = 512, NO_RUN = -1 };

struct compiler {
    struct gcl_pattern_room *room;
    struct gcl_cursor at;
    const char *reason; /* why the pattern is none, static */
    int run;            /* the operation that covers those since then, or NO_RUN */
    unsigned depth;
};

/* --- reports -------------------------------------------------------------------------------- */

static void report(gcl_term_context *context, const struct gcl_pattern_use *use, const char *text)
{
    if (context->misuse != NULL)
        context->misuse(use->file, use->line, text, context->misuse_user);
}

void gcl_pattern_misuse_count(gcl_term_context *context, const struct gcl_pattern *pattern,
                              const struct gcl_pattern_use *use)
{
    char text[REPORT_MAX];
    snprintf(text, sizeof text, "%u arguments for the %u of pattern \"%s\"", use->count,
             pattern->arg_count, use->pattern);
    report(context, use, text);
}

void gcl_pattern_misuse_kind(gcl_term_context *context, const struct gcl_pattern *pattern,
                             const struct gcl_pattern_use *use, unsigned index)
{
    static const char letters[] = " iufasbprt";
    char text[REPORT_MAX];
    snprintf(text, sizeof text, "argument %u has a type that ~%c of pattern \"%s\" does not take",
             index + 1, letters[pattern->holes[index]], use->pattern);
    report(context, use, text);
}

static void report_syntax(gcl_term_context *context, const struct gcl_pattern_use *use,
                          const gcl_parse_error *error)
{
    char text[REPORT_MAX];
    snprintf(text, sizeof text, "pattern \"%s\", column %d: %s", use->pattern, error->column,
             error->reason);
    report(context, use, text);
}

/* --- compiling ------------------------------------------------------------------------------ */

static bool fail(struct compiler *compiler, const char *reason)
{
    compiler->reason = reason;
    return false;
}

static struct gcl_op *emit(struct compiler *compiler, enum gcl_op_code code, uint32_t offset,
                           uint32_t count)
{
    struct gcl_pattern *pattern = &compiler->room->pattern;
    if (pattern->op_count == GCL_PATTERN_OPS_MAX) {
        fail(compiler, "pattern is too large");
        return NULL;
    }
    struct gcl_op *op = &compiler->room->ops[pattern->op_count++];
    *op = (struct gcl_op){.code = (uint8_t)code, .offset = offset, .count = count};
    return op;
}

static bool emit_one(struct compiler *compiler, enum gcl_op_code code, uint32_t offset,
                     uint32_t count)
{
    compiler->run = NO_RUN;
    return emit(compiler, code, offset, count) != NULL;
}

/* An operation of which these bytes are the usual form. */
static bool emit_bytes(struct compiler *compiler, enum gcl_op_code code, uint32_t offset,
                       uint32_t size, uint32_t count)
{
    if (compiler->run == NO_RUN) {
        compiler->run = (int)compiler->room->pattern.op_count;
        if (emit(compiler, GCL_OP_RUN, offset, 0) == NULL)
            return false;
    }
    struct gcl_op *run = &compiler->room->ops[compiler->run];
    run->count += size;
    run->skip++;
    return emit(compiler, code, offset, count) != NULL;
}

static bool add_argument(struct compiler *compiler, uint8_t hole)
{
    struct gcl_pattern *pattern = &compiler->room->pattern;
    if (pattern->arg_count == GCL_PATTERN_ARGS_MAX)
        return fail(compiler, "more than 16 arguments");
    pattern->holes[pattern->arg_count++] = hole;
    return true;
}

static uint32_t offset_of(const struct compiler *compiler)
{
    return (uint32_t)(compiler->at.at - compiler->room->bytes);
}

/* How many terms the head of this one says are inside; the cursor is moved behind the head. */
static bool skip_head(struct gcl_cursor *at, uint64_t *inside, bool *is_hole)
{
    struct gcl_cursor head = *at;
    uint32_t count;
    *inside = 0;
    *is_hole = *at->at <= GCL_HOLE_LAST;
    if (*is_hole)
        return gcl_cursor_skip(at, 1);
    if (gcl_read_tuple(at, &count)) {
        *inside = count;
        return true;
    }
    if (*at->at == GCL_TAG_LIST || *at->at == GCL_TAG_MAP) {
        bool is_list = *at->at == GCL_TAG_LIST;
        if (!gcl_cursor_skip(&head, 1) || !gcl_cursor_u32(&head, &count))
            return false;
        *inside = is_list ? (uint64_t)count + 1 : 2 * (uint64_t)count;
        *at = head;
        return true;
    }
    return gcl_term_walk(at) == 0;
}

/*
 * Skips the term; true when there is only one that it matches: no hole is in it, and no map, which
 * would match all that have its keys. A key is taken as it stands.
 */
static bool skip_literal(struct gcl_cursor *at, bool is_key)
{
    uint64_t left = 1, inside;
    bool is_literal = true, is_hole;
    do {
        bool is_map = *at->at == GCL_TAG_MAP;
        if (!skip_head(at, &inside, &is_hole))
            return false;
        is_literal = is_literal && !is_hole && (is_key || !is_map);
        left += inside - 1;
    } while (left > 0);
    return is_literal;
}

static bool compile_term(struct compiler *compiler);

static bool compile_hole(struct compiler *compiler, enum gcl_op_code code,
                         enum gcl_op_code any_code)
{
    uint8_t hole = *compiler->at.at++;
    if (!emit_one(compiler, hole == GCL_HOLE_ANY ? any_code : code, 0, 0))
        return false;
    compiler->room->ops[compiler->room->pattern.op_count - 1].hole = hole;
    return hole == GCL_HOLE_ANY || add_argument(compiler, hole);
}

static bool compile_tuple(struct compiler *compiler)
{
    uint32_t offset = offset_of(compiler), arity;
    if (!gcl_read_tuple(&compiler->at, &arity) ||
        !emit_bytes(compiler, GCL_OP_TUPLE, offset, offset_of(compiler) - offset, arity))
        return false;
    for (uint32_t i = 0; i < arity; i++)
        if (!compile_term(compiler))
            return false;
    return true;
}

static bool compile_tail(struct compiler *compiler)
{
    uint8_t tag = *compiler->at.at;
    if (tag == GCL_TAG_NIL)
        return gcl_cursor_skip(&compiler->at, 1) && emit_one(compiler, GCL_OP_END, 0, 0);
    if (tag == GCL_HOLE_ANY || tag == GCL_HOLE_TERM || tag == GCL_HOLE_STRING)
        return compile_hole(compiler, GCL_OP_TAIL_HOLE, GCL_OP_TAIL_ANY);
    return emit_one(compiler, GCL_OP_TAIL, 0, 0) && compile_term(compiler);
}

static bool compile_list(struct compiler *compiler)
{
    uint32_t count;
    if (!gcl_cursor_skip(&compiler->at, 1) || !gcl_cursor_u32(&compiler->at, &count) ||
        !emit_one(compiler, GCL_OP_LIST, 0, 0))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!emit_one(compiler, GCL_OP_NEXT, 0, 0) || !compile_term(compiler))
            return false;
    return compile_tail(compiler);
}

static bool compile_map(struct compiler *compiler)
{
    uint32_t pairs;
    if (!gcl_read_map(&compiler->at, &pairs) || !emit_one(compiler, GCL_OP_MAP, 0, 0))
        return false;
    for (uint32_t i = 0; i < pairs; i++) {
        uint32_t offset = offset_of(compiler);
        if (!skip_literal(&compiler->at, true))
            return fail(compiler, "a key that is looked for must be a literal");
        if (!emit_one(compiler, GCL_OP_KEY, offset, offset_of(compiler) - offset) ||
            !compile_term(compiler))
            return false;
    }
    return emit_one(compiler, GCL_OP_MAP_END, 0, 0);
}

static bool compile_open(struct compiler *compiler)
{
    bool ok;
    if (++compiler->depth > GCL_PATTERN_DEPTH_MAX)
        return fail(compiler, "pattern is nested too deep");
    if (*compiler->at.at == GCL_TAG_LIST)
        ok = compile_list(compiler);
    else
        ok = *compiler->at.at == GCL_TAG_MAP ? compile_map(compiler) : compile_tuple(compiler);
    compiler->depth--;
    return ok;
}

static bool compile_term(struct compiler *compiler)
{
    uint32_t offset = offset_of(compiler);
    struct gcl_cursor end = compiler->at;
    if (skip_literal(&end, false)) {
        compiler->at = end;
        uint32_t size = offset_of(compiler) - offset;
        return emit_bytes(compiler, GCL_OP_EQUAL, offset, size, size);
    }
    if (*compiler->at.at <= GCL_HOLE_LAST)
        return compile_hole(compiler, GCL_OP_HOLE, GCL_OP_ANY);
    return compile_open(compiler);
}

/* For building there is nothing but holes and what stands between them. */
static bool compile_build(struct compiler *compiler)
{
    uint64_t inside;
    bool is_hole;
    uint32_t start = 0;
    while (gcl_cursor_left(&compiler->at) > 0) {
        uint32_t offset = offset_of(compiler);
        uint8_t hole = *compiler->at.at;
        if (!skip_head(&compiler->at, &inside, &is_hole))
            return fail(compiler, "pattern is none");
        if (!is_hole)
            continue;
        if (offset > start && emit(compiler, GCL_OP_COPY, start, offset - start) == NULL)
            return false;
        start = offset + 1;
        struct gcl_op *op = emit(compiler, GCL_OP_HOLE, 0, 0);
        if (op == NULL || !add_argument(compiler, hole))
            return false;
        op->hole = hole;
    }
    uint32_t end = offset_of(compiler);
    return end == start || emit(compiler, GCL_OP_COPY, start, end - start) != NULL;
}

static bool compile(gcl_term_context *context, enum gcl_parse_mode mode,
                    const struct gcl_pattern_use *use, struct gcl_pattern_room *room)
{
    gcl_parse_error error = {1, 1, 0, NULL};
    struct gcl_buffer out;
    /* The limit is the capacity: the buffer never asks for other memory. */
    gcl_buffer_init(&out, context->mem, GCL_PATTERN_BYTES_MAX);
    out.bytes = room->bytes;
    out.capacity = GCL_PATTERN_BYTES_MAX;
    if (gcl_parse(gcl_str_of(use->pattern), mode, &out, &error) != 0) {
        report_syntax(context, use, &error);
        return false;
    }
    room->pattern = (struct gcl_pattern){.address = use->pattern,
                                         .text = use->pattern,
                                         .ops = room->ops,
                                         .bytes = room->bytes,
                                         .size = (uint32_t)out.end,
                                         .mode = (uint8_t)mode};
    struct compiler compiler = {room, gcl_cursor_make(room->bytes, out.end), NULL, NO_RUN, 0};
    if (!(mode == GCL_PARSE_MATCH ? compile_term(&compiler) : compile_build(&compiler))) {
        error.reason = compiler.reason;
        report_syntax(context, use, &error);
        return false;
    }
    return true;
}

/* --- the cache ------------------------------------------------------------------------------ */

/* A pattern in one block with all that it points to. */
static struct gcl_pattern *keep(gcl_term_context *context, const struct gcl_pattern *pattern)
{
    size_t ops_size = pattern->op_count * sizeof(struct gcl_op);
    size_t text_size = strlen(pattern->text) + 1;
    struct gcl_pattern *kept =
        gcl_alloc(context->mem, sizeof *kept + ops_size + pattern->size + text_size);
    if (kept == NULL)
        return NULL;
    struct gcl_op *ops = (struct gcl_op *)(kept + 1);
    uint8_t *bytes = (uint8_t *)ops + ops_size;
    char *text = (char *)bytes + pattern->size;
    *kept = *pattern;
    kept->ops = memcpy(ops, pattern->ops, ops_size);
    kept->bytes = memcpy(bytes, pattern->bytes, pattern->size);
    kept->text = memcpy(text, pattern->text, text_size);
    return kept;
}

/* Its own place when its text has changed, a free one, or that of the next in turn. */
static struct gcl_pattern **place_of(gcl_term_context *context, const struct gcl_pattern *pattern)
{
    uint64_t hash =
        ((uint64_t)(uintptr_t)pattern->address + pattern->mode) * UINT64_C(0x9E3779B97F4A7C15);
    struct gcl_pattern **set = context->patterns[hash >> 58];
    uint8_t *victim = &context->victims[hash >> 58];
    for (int way = 0; way < GCL_PATTERN_WAYS; way++)
        if (set[way] != NULL && set[way]->address == pattern->address &&
            set[way]->mode == pattern->mode)
            return &set[way];
    for (int way = 0; way < GCL_PATTERN_WAYS; way++)
        if (set[way] == NULL)
            return &set[way];
    *victim = (uint8_t)((*victim + 1) % GCL_PATTERN_WAYS);
    return &set[*victim];
}

const struct gcl_pattern *gcl_pattern_compile(gcl_term_context *context, enum gcl_parse_mode mode,
                                              const struct gcl_pattern_use *use,
                                              struct gcl_pattern_room *room)
{
    if (!compile(context, mode, use, room))
        return NULL;
    struct gcl_pattern *kept = keep(context, &room->pattern);
    if (kept == NULL)
        return &room->pattern;
    struct gcl_pattern **place = place_of(context, kept);
    gcl_free(context->mem, *place);
    *place = kept;
    return kept;
}

void gcl_pattern_clear(gcl_term_context *context)
{
    for (int set = 0; set < GCL_PATTERN_SETS; set++)
        for (int way = 0; way < GCL_PATTERN_WAYS; way++) {
            gcl_free(context->mem, context->patterns[set][way]);
            context->patterns[set][way] = NULL;
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/term/context.h"

#define WORDS_VARIABLE "GEN_CLUSTER_SEEDS"
#define FILE_VARIABLE "GEN_CLUSTER_SEED_CONFIG"

enum {
    FILE_MAX_BYTES = 1 << 20,
    SHOWN_BYTES = 200, /* of what is wrong, in the log */
};

void gcl_cluster_seeds_init(struct gcl_cluster_seeds *seeds, const gcl_allocator *mem,
                            const struct gcl_log *log, struct gcl_str self)
{
    *seeds = (struct gcl_cluster_seeds){.mem = mem, .log = log, .self = self};
}

void gcl_cluster_seeds_fini(struct gcl_cluster_seeds *seeds)
{
    for (size_t i = 0; i < seeds->count; i++)
        gcl_free(seeds->mem, (void *)(uintptr_t)seeds->names[i].bytes);
    gcl_free(seeds->mem, seeds->names);
    seeds->names = NULL;
    seeds->count = seeds->capacity = 0;
}

/* --- one ------------------------------------------------------------------------------------ */

bool gcl_cluster_is_node(struct gcl_str name)
{
    const uint8_t *at = name.size > 0 ? memchr(name.bytes, '@', name.size) : NULL;
    if (at == NULL || at == name.bytes || at + 1 == name.bytes + name.size)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.bytes[i] <= ' ' || (name.bytes[i] == '@' && name.bytes + i != at))
            return false;
    return gcl_wire_text_is_atom(name);
}

static bool is_known(const struct gcl_cluster_seeds *seeds, struct gcl_str name)
{
    for (size_t i = 0; i < seeds->count; i++)
        if (gcl_str_equal(seeds->names[i], name))
            return true;
    return gcl_str_equal(seeds->self, name);
}

static int grow(struct gcl_cluster_seeds *seeds)
{
    size_t capacity = seeds->capacity == 0 ? 8 : 2 * seeds->capacity;
    if (seeds->count < seeds->capacity)
        return 0;
    struct gcl_str *names = gcl_resize(seeds->mem, seeds->names, capacity * sizeof *names);
    if (names == NULL)
        return GCL_ENOMEM;
    seeds->names = names;
    seeds->capacity = capacity;
    return 0;
}

int gcl_cluster_seeds_add(struct gcl_cluster_seeds *seeds, struct gcl_str name)
{
    if (!gcl_cluster_is_node(name))
        return GCL_ENAME;
    if (is_known(seeds, name))
        return 0;
    if (seeds->count == GCL_CLUSTER_SEEDS_MAX)
        return GCL_ELIMIT;
    if (grow(seeds) != 0)
        return GCL_ENOMEM;
    uint8_t *copy = gcl_alloc_copy(seeds->mem, name.bytes, name.size);
    if (copy == NULL)
        return GCL_ENOMEM;
    seeds->names[seeds->count++] = gcl_str_make(copy, name.size);
    return 0;
}

/* Bytes of a file or the environment: what is no plain ASCII is not shown. */
static void log_bad(const struct gcl_cluster_seeds *seeds, const char *source, struct gcl_str text,
                    const char *why)
{
    char shown[SHOWN_BYTES + 1];
    size_t size = text.size < SHOWN_BYTES ? text.size : SHOWN_BYTES;
    for (size_t i = 0; i < size; i++) {
        bool is_shown = text.bytes[i] >= ' ' && text.bytes[i] < 0x7f;
        memcpy(&shown[i], is_shown ? &text.bytes[i] : (const uint8_t *)"?", 1);
    }
    shown[size] = '\0';
    gcl_log(seeds->log, GCL_LOG_WARNING, "bad_seed", "\"%s\" from %s %s", shown, source, why);
}

static int add_or_log(struct gcl_cluster_seeds *seeds, const char *source, struct gcl_str name)
{
    int error = gcl_cluster_seeds_add(seeds, name);
    if (error == GCL_ENAME)
        log_bad(seeds, source, name, "is no seed; a seed is a node's name, name@host");
    else if (error == GCL_ELIMIT)
        log_bad(seeds, source, name, "is left out: a member has at most 256 seeds");
    return error == GCL_ENOMEM ? error : 0;
}

/* --- words ---------------------------------------------------------------------------------- */

static bool separates(uint8_t character)
{
    return character == ',' || character <= ' ';
}

int gcl_cluster_seeds_add_words(struct gcl_cluster_seeds *seeds, const char *source,
                                struct gcl_str text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        while (at < text.size && !separates(text.bytes[at]))
            at++;
        struct gcl_str word = gcl_str_make(text.bytes + start, at - start);
        int error = word.size > 0 ? add_or_log(seeds, source, word) : 0;
        if (error != 0)
            return error;
        at++;
    }
    return 0;
}

/* --- terms ---------------------------------------------------------------------------------- */

static bool is_space(struct gcl_str text, size_t at)
{
    return at >= text.size || text.bytes[at] <= ' ' || text.bytes[at] == '%';
}

/* Behind the dot that ends the first term: a dot before white space that is in no quotes. */
static size_t end_of_term(struct gcl_str text)
{
    uint8_t quote = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t character = text.bytes[at];
        bool is_escape = quote == 0 ? character == '$' : quote != '%' && character == '\\';
        if (is_escape)
            at++; /* the next one means nothing */
        else if (quote == '%' ? character == '\n' : quote != 0 && character == quote)
            quote = 0;
        else if (quote == 0 && (character == '%' || character == '"' || character == '\''))
            quote = character;
        else if (quote == 0 && character == '.' && is_space(text, at + 1))
            return at + 1;
    }
    return text.size;
}

/* White space and comments. */
static size_t skip_blank(struct gcl_str text)
{
    size_t at = 0;
    while (at < text.size && is_space(text, at)) {
        if (text.bytes[at] == '%')
            while (at + 1 < text.size && text.bytes[at + 1] != '\n')
                at++;
        at++;
    }
    return at;
}

static int add_term(struct gcl_cluster_seeds *seeds, const char *source, struct gcl_str text,
                    gcl_term term)
{
    char name[GCL_ATOM_MAX_BYTES + 1];
    size_t size;
    if (gcl_term_text(term, name, sizeof name, &size) != 0)
        return add_or_log(seeds, source, text);
    return add_or_log(seeds, source, gcl_str_make(name, size));
}

static void log_syntax(const struct gcl_cluster_seeds *seeds, const char *source, int line,
                       const gcl_parse_error *error)
{
    gcl_log(seeds->log, GCL_LOG_WARNING, "bad_seed", "no more seeds from %s: line %d: %s", source,
            line + error->line, error->reason);
}

int gcl_cluster_seeds_add_terms(struct gcl_cluster_seeds *seeds, gcl_term_context *context,
                                const char *source, struct gcl_str text)
{
    int lines_before = 0;
    while (text.size > 0) {
        size_t blank = skip_blank(text);
        size_t size = end_of_term(gcl_str_make(text.bytes + blank, text.size - blank));
        struct gcl_str one = gcl_str_make(text.bytes + blank, size);
        gcl_parse_error where;
        gcl_term term;
        for (size_t i = 0; i < blank; i++)
            lines_before += text.bytes[i] == '\n';
        if (size == 0)
            return 0;
        int error = gcl_term_parse(context, (const char *)one.bytes, one.size, &term, &where);
        if (error != 0) {
            if (error != GCL_ENOMEM)
                log_syntax(seeds, source, lines_before, &where);
            return error == GCL_ENOMEM ? error : 0;
        }
        error = add_term(seeds, source, one, term);
        gcl_term_free(term);
        if (error != 0)
            return error;
        for (size_t i = 0; i < size; i++)
            lines_before += one.bytes[i] == '\n';
        text = gcl_str_make(one.bytes + size, text.size - blank - size);
    }
    return 0;
}

/* --- file and environment ------------------------------------------------------------------- */

static int read_whole(FILE *file, uint8_t *bytes, size_t *size)
{
    *size = fread(bytes, 1, FILE_MAX_BYTES + 1, file);
    if (ferror(file))
        return errno;
    return *size > FILE_MAX_BYTES ? EFBIG : 0;
}

int gcl_cluster_seeds_add_file(struct gcl_cluster_seeds *seeds, gcl_term_context *context,
                               const char *path)
{
    size_t size = 0;
    uint8_t *bytes = gcl_alloc(seeds->mem, FILE_MAX_BYTES + 1);
    if (bytes == NULL)
        return GCL_ENOMEM;
    FILE *file = fopen(path, "re");
    int why = file == NULL ? errno : read_whole(file, bytes, &size);
    int error = 0;
    if (why == 0)
        error = gcl_cluster_seeds_add_terms(seeds, context, path, gcl_str_make(bytes, size));
    else
        gcl_log(seeds->log, GCL_LOG_WARNING, "bad_seed",
                "no seeds from %s, named by " FILE_VARIABLE ": %s", path, strerror(why));
    if (file != NULL)
        (void)fclose(file);
    gcl_free(seeds->mem, bytes);
    return error;
}

int gcl_cluster_seeds_add_environment(struct gcl_cluster_seeds *seeds, gcl_term_context *context)
{
    const char *words = getenv(WORDS_VARIABLE), *path = getenv(FILE_VARIABLE);
    int error = 0;
    if (words != NULL)
        error = gcl_cluster_seeds_add_words(seeds, WORDS_VARIABLE, gcl_str_of(words));
    if (error == 0 && path != NULL && path[0] != '\0')
        error = gcl_cluster_seeds_add_file(seeds, context, path);
    return error;
}

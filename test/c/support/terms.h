/* SPDX-License-Identifier: Apache-2.0 */
/** What tests of terms share: a context of its own over a counting allocator. */
#ifndef GCL_TEST_SUPPORT_TERMS_H
#define GCL_TEST_SUPPORT_TERMS_H

#include <gen_cluster/term.h>

#include "support.h"

struct test_terms {
    gcl_test_memory mem;
    gcl_term_context *context;
    gcl_writer *writer;
    int misuses;      /* mistakes that were reported */
    char misuse[512]; /* the text of the last one */
    int misuse_line;  /* and its line */
    char text[70000]; /* for test_print() */
};

/** The struct must not move. */
void test_terms_begin(struct test_terms *terms);

/** Asserts that nothing is left. */
void test_terms_end(struct test_terms *terms);

/** Reads a term, which must be one: gcl_term_free() it. */
gcl_term test_term(struct test_terms *terms, const char *text);

/** The text of a term, in the struct. */
const char *test_print(struct test_terms *terms, gcl_term term);

/** What was written so far, as text; the writer is cleared. */
const char *test_written(struct test_terms *terms);

/** Every kind of term in every form that a peer may send; NULL behind the last. */
struct test_bytes {
    const char *bytes;
    size_t size;
    const char *printed;
};
extern const struct test_bytes test_golden_terms[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes of programs/server.c the program `silent`: a node that is like any other until it is told
 * what it must not say any more. Linked with it, these functions stand around those by which every
 * message leaves and arrives (`ld --wrap`): the library is the one that is tested elsewhere.
 *
 * The message `{drop, Word, What}`, to whomever, takes effect when it arrives:
 *
 *     message What   {What, ...}, plain or as a cast
 *     call What      a call {What, ...}; what is called by `rex`, by the function's name
 *     reply What     the answer to such a call, and to a function that a peer has spawned for erpc
 *     signal What    that control message: DOWN, SPAWN_REPLY, ...
 *
 * With the first one it keeps back, it writes the line `dropped WORD WHAT`.
 */
#include <gen_cluster/term.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/control.h"
#include "wire/control_memo.h"

/* The linker's names. */
int __real_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control);
int __wrap_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control);
int __real_gcl_control_decode(struct gcl_str body, struct gcl_control *control,
                              struct gcl_control_scratch *scratch, const char **wrong);
int __wrap_gcl_control_decode(struct gcl_str body, struct gcl_control *control,
                              struct gcl_control_scratch *scratch, const char **wrong);
void __wrap_gcl_control_remember(struct gcl_control_memo *memo, struct gcl_str body,
                                 const struct gcl_control *control);

enum { TEXT_BYTES = 64, OWED_MAX = 256 };

/* Calls whose answers are kept back: the tag of gen, or the reference of a spawn request. */
struct owed {
    gcl_term tag;
    struct gcl_wire_ref request;
};

static struct {
    char word[TEXT_BYTES];
    char what[TEXT_BYTES];
    bool has_dropped;
    struct owed owed[OWED_MAX];
    size_t owed_count;
    gcl_term_context *terms;
} silent;

static gcl_term term_of(struct gcl_str bytes)
{
    if (silent.terms == NULL)
        silent.terms = gcl_term_context_new(NULL, NULL, NULL);
    if (silent.terms == NULL)
        abort();
    return gcl_term_make(silent.terms, bytes.bytes, bytes.size);
}

static bool is_text(gcl_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.bytes, text, bytes.size) == 0;
}

static bool keeps_back(const char *word)
{
    return strcmp(silent.word, word) == 0;
}

/* --- what messages are ------------------------------------------------------------------------ */

/* `What`, `{What, ...}`, or `{call, M, What, ...}`, as `rex` has it. */
static bool is_what(gcl_term term)
{
    gcl_bytes atom;
    gcl_items items;
    gcl_term first;
    if (gcl_match(term, "{call, _, ~a, _, _}", &atom) ||
        gcl_match(term, "{block_call, _, ~a, _, _}", &atom) || gcl_match(term, "~a", &atom))
        return is_text(atom, silent.what);
    return !gcl_match(term, "[]") && !gcl_match(term, "[_ | _]") && gcl_items_begin(&items, term) &&
           gcl_items_next(&items, &first) && gcl_match(first, "~a", &atom) &&
           is_text(atom, silent.what);
}

static bool is_message(gcl_term term)
{
    gcl_term cast;
    return is_what(gcl_match(term, "{'$gen_cast', ~t}", &cast) ? cast : term);
}

static bool is_call(gcl_term term, gcl_term *tag)
{
    gcl_term request;
    return (gcl_match(term, "{'$gen_call', {_, ~t}, ~t}", tag, &request) ||
            gcl_match(term, "{system, {_, ~t}, ~t}", tag, &request)) &&
           is_what(request);
}

/* spec: erpc:execute_call/4, {Ref, M, F, A} */
static bool is_spawned_call(const struct gcl_control *control)
{
    gcl_bytes function;
    return control->op == GCL_CONTROL_SPAWN_REQUEST &&
           gcl_match(term_of(control->term), "[_, _, ~a, _]", &function) &&
           is_text(function, silent.what);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void owe(gcl_term tag, const struct gcl_wire_ref *request)
{
    if (silent.owed_count == OWED_MAX)
        abort();
    struct owed *owed = &silent.owed[silent.owed_count++];
    owed->request = *request;
    owed->request.node = gcl_str_make(NULL, 0);
    if (gcl_term_copy(tag, &owed->tag) != 0)
        abort();
}

static bool is_owed_tag(gcl_term term)
{
    gcl_term tag;
    if (!gcl_match(term, "{~t, _}", &tag))
        return false;
    for (size_t i = 0; i < silent.owed_count; i++)
        if (!gcl_term_is_none(silent.owed[i].tag) && gcl_term_equal(silent.owed[i].tag, tag))
            return true;
    return false;
}

static bool is_owed_request(const struct gcl_wire_ref *ref)
{
    for (size_t i = 0; i < silent.owed_count; i++) {
        const struct gcl_wire_ref *request = &silent.owed[i].request;
        if (request->count > 0 && request->creation == ref->creation &&
            memcmp(request->words, ref->words, sizeof ref->words) == 0)
            return true;
    }
    return false;
}

static bool is_reply(const struct gcl_control *control)
{
    if (control->op == GCL_CONTROL_SEND)
        return is_owed_tag(term_of(control->term));
    return (control->op == GCL_CONTROL_SPAWN_REPLY || control->op == GCL_CONTROL_DOWN) &&
           is_owed_request(&control->ref);
}

/* --- in and out ------------------------------------------------------------------------------- */

static void copy_text(char *text, gcl_bytes atom)
{
    (void)snprintf(text, TEXT_BYTES, "%.*s", (int)atom.size, (const char *)atom.bytes);
}

static void hear(const struct gcl_control *control)
{
    static const struct gcl_wire_ref no_request;
    gcl_bytes word, what;
    gcl_term tag;
    if (keeps_back("reply") && is_spawned_call(control))
        owe(term_of(gcl_str_make(NULL, 0)), &control->ref);
    if (control->op != GCL_CONTROL_SEND)
        return;
    gcl_term term = term_of(control->term);
    if (keeps_back("reply") && is_call(term, &tag))
        owe(tag, &no_request);
    if (!gcl_match(term, "{drop, ~a, ~a}", &word, &what))
        return;
    copy_text(silent.word, word);
    copy_text(silent.what, what);
}

static bool is_to_be_dropped(const struct gcl_control *control)
{
    gcl_term tag;
    if (keeps_back("signal"))
        return strcmp(gcl_control_op_name(control->op), silent.what) == 0;
    if (keeps_back("reply"))
        return is_reply(control);
    if (control->op != GCL_CONTROL_SEND)
        return false;
    return (keeps_back("message") && is_message(term_of(control->term))) ||
           (keeps_back("call") && is_call(term_of(control->term), &tag));
}

int __wrap_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control)
{
    if (!is_to_be_dropped(control))
        return __real_gcl_control_encode(out, flags, control);
    if (!silent.has_dropped)
        printf("dropped %s %s\n", silent.word, silent.what);
    silent.has_dropped = true;
    return 0;
}

int __wrap_gcl_control_decode(struct gcl_str body, struct gcl_control *control,
                              struct gcl_control_scratch *scratch, const char **wrong)
{
    int error = __real_gcl_control_decode(body, control, scratch, wrong);
    if (error == 0)
        hear(control);
    return error;
}

/* What is remembered would not be decoded, and so not be heard. */
void __wrap_gcl_control_remember(struct gcl_control_memo *memo, struct gcl_str body,
                                 const struct gcl_control *control)
{
    (void)memo;
    (void)body;
    (void)control;
}

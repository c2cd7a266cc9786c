/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with names that are nested too deep, in lists of names and of operations on names, are
 * used without these names, which are not kept anyhow: who sent them holds the lock `global`, and
 * waits for what follows.
 */
#include "core/global/machine.h"
#include "wire/term/read.h"
#include "wire/term/walk.h"
#include "wire/term/write.h"

/* What goes on to others is nested deeper by some levels, and may be read by them. */
enum { SHALLOW = GCL_TERM_DEPTH_MAX - 24 };

static bool is_shallow(struct gcl_cursor at)
{
    return gcl_term_walk_to(&at, SHALLOW) == 0;
}

/* One term, which is shallow if it is to be copied; `out` may be NULL. */
static int pass(struct gcl_cursor *at, struct gcl_buffer *out)
{
    const uint8_t *start = at->at;
    int error = gcl_term_skip(at);
    return error != 0 || out == NULL ? error
                                     : gcl_buffer_append(out, start, (size_t)(at->at - start));
}

/* The elements that stay; with `out` being NULL they are counted only. */
static int sift(struct gcl_cursor *at, struct gcl_list_reader list, struct gcl_buffer *out,
                uint32_t *count)
{
    struct gcl_cursor element;
    int error = 0;
    for (*count = 0; error == 0 && gcl_read_next(at, &list, &element);) {
        if (list.is_string)
            return GCL_ETERM; /* characters are no names */
        bool stays = is_shallow(*at);
        *count += stays;
        error = pass(at, stays ? out : NULL);
    }
    return error == 0 && !gcl_read_list_end(at, &list) ? GCL_ETERM : error;
}

static int sift_list(struct gcl_cursor *at, struct gcl_buffer *out)
{
    struct gcl_list_reader list;
    uint32_t count;
    if (!gcl_read_list(at, &list))
        return GCL_ELIMIT;
    struct gcl_cursor again = *at;
    int error = sift(at, list, NULL, &count);
    if (error == 0)
        error = gcl_write_list_head(out, count);
    if (error == 0)
        error = sift(&again, list, out, &count);
    return error != 0 || count == 0 ? error : gcl_write_list_head(out, 0);
}

/* A tuple, some of whose elements are lists. */
static int sift_message(struct gcl_cursor *at, struct gcl_buffer *out)
{
    uint32_t arity;
    if (!gcl_read_tuple(at, &arity))
        return GCL_ELIMIT;
    int error = gcl_write_tuple_head(out, arity);
    for (uint32_t i = 0; error == 0 && i < arity; i++)
        error = is_shallow(*at) ? pass(at, out) : sift_list(at, out);
    return error;
}

/* The second element of all messages of other servers that have lists: their node. */
static struct gcl_str sender_of(const struct gcl_gns *gns, struct gcl_cursor message)
{
    struct gcl_str name;
    uint32_t arity;
    bool is_named = gcl_read_tuple(&message, &arity) && arity > 1 && gcl_term_skip(&message) == 0 &&
                    gcl_wire_atom_decode(&message, NULL, &name);
    const struct gcl_gns_node *node = is_named ? gcl_gns_node_find(gns, name) : NULL;
    return node != NULL ? node->name : gcl_str_make(NULL, 0);
}

gcl_term gcl_gns_shallow(struct gcl_gns *gns, gcl_term message, struct gcl_buffer *out)
{
    struct gcl_cursor whole = gcl_term_cursor(message), at = whole;
    if (is_shallow(whole))
        return message;
    gcl_buffer_clear(out);
    int error = sift_message(&at, out);
    if (error == GCL_ENOMEM)
        gns->has_failed = true;
    if (error != 0)
        return gcl_term_make(gns->config.terms, NULL, 0);
    gcl_gns_log(gns, GCL_LOG_ERROR, sender_of(gns, whole),
                "has told of global names that are nested too deep: they are not kept");
    return gcl_term_make(gns->config.terms, gcl_buffer_bytes(out), gcl_buffer_size(out));
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Pids and references as small values. The name and creation of the node are kept once, in a table
 * of the local node; a pid holds its place there and the generation of that place, so that a pid
 * kept for very long gives GCL_ESTALE when its place was given to another node in the meantime,
 * and never reaches a stranger. The fields are private; a zeroed struct is nobody.
 */
#ifndef GEN_CLUSTER_ID_H
#define GEN_CLUSTER_ID_H

#include <stdbool.h>
#include <stdint.h>

#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gcl_pid {
    uint32_t node;
    uint32_t generation; /* of the place in the table of nodes; never 0 in a pid */
    uint32_t id;
    uint32_t serial;
} gcl_pid;

typedef struct gcl_ref {
    uint32_t node;
    uint32_t generation;
    uint32_t count; /* of words, 1 to 5 */
    uint32_t words[5];
} gcl_ref;

/** The same process. */
static inline bool gcl_pid_equal(gcl_pid a, gcl_pid b)
{
    return a.node == b.node && a.generation == b.generation && a.id == b.id && a.serial == b.serial;
}

/** A zeroed pid: no process. */
static inline bool gcl_pid_is_none(gcl_pid pid)
{
    return pid.generation == 0;
}

/** The same reference. Words beyond `count` are zero in every reference the library makes. */
static inline bool gcl_ref_equal(const gcl_ref *a, const gcl_ref *b)
{
    if (a->node != b->node || a->generation != b->generation || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count && i < 5; i++)
        if (a->words[i] != b->words[i])
            return false;
    return true;
}

#ifdef __cplusplus
}
#endif

#endif

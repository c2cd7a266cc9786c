/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who a member is: the parts of a pid, with the node's name as text, so that the membership machine
 * stands alone. The order of ids is that of every list of members, the same on all nodes.
 */
#ifndef GCL_CORE_MEMBERSHIP_ID_H
#define GCL_CORE_MEMBERSHIP_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct gcl_member_id {
    struct gcl_str node; /* UTF-8 */
    uint32_t creation;
    uint32_t serial;
    uint32_t id;
};

/** By node name as bytes, then creation, serial, id. */
static inline int gcl_member_id_compare(const struct gcl_member_id *a,
                                        const struct gcl_member_id *b)
{
    int order = a->node.bytes == b->node.bytes && a->node.size == b->node.size
                    ? 0
                    : gcl_str_compare(a->node, b->node);
    if (order == 0)
        order = (a->creation > b->creation) - (a->creation < b->creation);
    if (order == 0)
        order = (a->serial > b->serial) - (a->serial < b->serial);
    if (order == 0)
        order = (a->id > b->id) - (a->id < b->id);
    return order;
}

static inline bool gcl_member_id_equal(const struct gcl_member_id *a, const struct gcl_member_id *b)
{
    return gcl_member_id_compare(a, b) == 0;
}

/**
 * A run of ids, borrowed, perhaps with one left out: all lists of a step are views of one array.
 * Read it with gcl_member_list_at().
 */
struct gcl_member_list {
    const struct gcl_member_id *const *ids;
    size_t first;   /* place of the first one, the one left out not counted */
    size_t count;   /* without the one left out */
    size_t without; /* place in `ids` of the one left out; SIZE_MAX: none */
};

/** The id at `i`, which is less than `list->count`. */
static inline const struct gcl_member_id *gcl_member_list_at(const struct gcl_member_list *list,
                                                             size_t i)
{
    size_t place = list->first + i;
    return list->ids[place + (place >= list->without ? 1 : 0)];
}

/** All of an array of pointers. */
static inline struct gcl_member_list gcl_member_list_of(const struct gcl_member_id *const *ids,
                                                        size_t count)
{
    struct gcl_member_list list = {ids, 0, count, SIZE_MAX};
    return list;
}

#endif

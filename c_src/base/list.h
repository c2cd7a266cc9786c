/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A doubly linked ring through links that live inside the listed structs: no allocation, removal
 * in O(1) without knowing the list. A link is either in one list or points to itself.
 */
#ifndef GCL_BASE_LIST_H
#define GCL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

struct gcl_list {
    struct gcl_list *prev;
    struct gcl_list *next;
};

/** For heads and for links alike. */
static inline void gcl_list_init(struct gcl_list *link)
{
    link->prev = link->next = link;
}

/** Of a head: nothing is listed. Of a link: it is in no list. */
static inline bool gcl_list_is_empty(const struct gcl_list *link)
{
    return link->next == link;
}

/** `link` must be in no list. */
static inline void gcl_list_add_last(struct gcl_list *head, struct gcl_list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void gcl_list_add_first(struct gcl_list *head, struct gcl_list *link)
{
    gcl_list_add_last(head->next, link);
}

/** Does nothing for a link that is in no list. */
static inline void gcl_list_remove(struct gcl_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    gcl_list_init(link);
}

/** The first link, or NULL. */
static inline struct gcl_list *gcl_list_first(const struct gcl_list *head)
{
    return gcl_list_is_empty(head) ? NULL : head->next;
}

/** Walks the list to count it. */
static inline size_t gcl_list_count(const struct gcl_list *head)
{
    size_t count = 0;
    for (const struct gcl_list *at = head->next; at != head; at = at->next)
        count++;
    return count;
}

/** Moves everything in `from` behind the last of `to`. */
static inline void gcl_list_move_all(struct gcl_list *to, struct gcl_list *from)
{
    if (gcl_list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    gcl_list_init(from);
}

/** Walks a list whose current entry may be removed in the body. */
#define GCL_LIST_EACH(head, at, following)                                                         \
    for (struct gcl_list *at = (head)->next, *following = at->next; at != (head);                  \
         at = following, following = at->next)

/** Walks over all of it. */
static inline size_t gcl_list_length(const struct gcl_list *head)
{
    size_t length = 0;
    GCL_LIST_EACH(head, at, following)
    {
        length++;
    }
    return length;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "gns_same.h"

#include <string.h>

/* Elements of messages that releases fill in, and that nobody reads. */
static const struct {
    const char *name;
    uint32_t arity;
    uint32_t elements; /* one bit each */
} unread[] = {{"locker", 4, 1 << 1 | 1 << 2},
              {"lock_set", 4, 1 << 3},
              {"lock_set", 5, 1 << 3},
              {"exchange", 5, 1 << 3},
              {"resolved", 7, 1 << 4}};

enum { ELEMENTS = 64 };

/* SIZE_MAX: it is nothing with elements, or an improper list. */
static size_t elements_of(gcl_term term, gcl_term *elements)
{
    gcl_items items;
    size_t count = 0;
    if (!gcl_items_begin(&items, term))
        return SIZE_MAX;
    while (count < ELEMENTS && gcl_items_next(&items, &elements[count]))
        count++;
    return gcl_items_is_proper_end(&items) ? count : SIZE_MAX;
}

static bool is_tuple(gcl_term term)
{
    return term.bytes[0] == 104 || term.bytes[0] == 105;
}

static uint32_t unread_of(const gcl_term *elements, size_t count)
{
    for (size_t i = 0; count > 0 && i < sizeof unread / sizeof unread[0]; i++) {
        char name[32];
        if (unread[i].arity == count && gcl_term_text(elements[0], name, sizeof name, NULL) == 0 &&
            strcmp(name, unread[i].name) == 0)
            return unread[i].elements;
    }
    return 0;
}

static bool are_same_in_order(const gcl_term *a, const gcl_term *b, size_t count, uint32_t but)
{
    for (size_t i = 0; i < count; i++)
        if ((i >= 32 || !(but >> i & 1)) && !gns_is_same(a[i], b[i]))
            return false;
    return true;
}

static bool are_same_in_any_order(const gcl_term *a, gcl_term *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = i;
        while (k < count && !gns_is_same(a[i], b[k]))
            k++;
        if (k == count)
            return false;
        b[k] = b[i];
    }
    return true;
}

bool gns_is_same(gcl_term a, gcl_term b)
{
    gcl_term in_a[ELEMENTS], in_b[ELEMENTS];
    gcl_pid pid;
    size_t count = elements_of(a, in_a);
    if (count == SIZE_MAX || count != elements_of(b, in_b) || is_tuple(a) != is_tuple(b))
        return gcl_term_equal(a, b);
    if (is_tuple(a))
        return are_same_in_order(in_a, in_b, count, unread_of(in_a, count));
    if (count > 0 && gcl_match(in_a[0], "~p", &pid))
        return are_same_in_order(in_a, in_b, count, 0);
    return are_same_in_any_order(in_a, in_b, count);
}

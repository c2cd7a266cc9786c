/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/flags.h"

#include <stdio.h>
#include <string.h>

static const struct flag {
    const char *name;
    unsigned bit;
} flags_known[] = {
#define FLAG(name, bit) {#name, bit},
    GCL_FLAG_LIST(FLAG)
#undef FLAG
};

enum { KNOWN = sizeof flags_known / sizeof flags_known[0], BITS = 64 };

const char *gcl_flag_name(unsigned bit)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (flags_known[i].bit == bit)
            return flags_known[i].name;
    return NULL;
}

uint64_t gcl_flag_find(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(flags_known[i].name, name) == 0)
            return UINT64_C(1) << flags_known[i].bit;
    return 0;
}

size_t gcl_flags_print(uint64_t flags, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    if (flags == 0)
        return (size_t)snprintf(text, size, "none");
    for (unsigned bit = 0; bit < BITS; bit++) {
        const char *name = gcl_flag_name(bit), *space = length > 0 ? " " : "";
        char *at = length < size ? text + length : NULL;
        size_t left = length < size ? size - length : 0;
        if ((flags >> bit & 1) == 0)
            continue;
        int wrote = name != NULL ? snprintf(at, left, "%s%s", space, name)
                                 : snprintf(at, left, "%sbit_%u", space, bit);
        length += (size_t)wrote;
    }
    return length;
}

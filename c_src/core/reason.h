/* SPDX-License-Identifier: Apache-2.0 */
/** Exit reasons that the node itself gives, as encoded terms: SMALL_ATOM_UTF8_EXT, length, text. */
#ifndef GCL_CORE_REASON_H
#define GCL_CORE_REASON_H

#include "base/str.h"

#define GCL_REASON(text) gcl_str_make("\x77" text, sizeof "\x77" text - 1)

#define GCL_REASON_NORMAL                                                                          \
    GCL_REASON("\x06"                                                                              \
               "normal")
#define GCL_REASON_NOPROC                                                                          \
    GCL_REASON("\x06"                                                                              \
               "noproc")
#define GCL_REASON_NOCONNECTION                                                                    \
    GCL_REASON("\x0c"                                                                              \
               "noconnection")
#define GCL_REASON_KILL                                                                            \
    GCL_REASON("\x04"                                                                              \
               "kill")
#define GCL_REASON_KILLED                                                                          \
    GCL_REASON("\x06"                                                                              \
               "killed")
#define GCL_REASON_SHUTDOWN                                                                        \
    GCL_REASON("\x08"                                                                              \
               "shutdown")
#define GCL_REASON_NOTSUP                                                                          \
    GCL_REASON("\x06"                                                                              \
               "notsup")
#define GCL_REASON_SYSTEM_LIMIT                                                                    \
    GCL_REASON("\x0c"                                                                              \
               "system_limit")

/** True when `reason` is that atom in any of its four encodings. */
static inline bool gcl_reason_is(struct gcl_str reason, const char *atom)
{
    size_t size = strlen(atom);
    /* spec: ATOM_UTF8_EXT 118 and ATOM_EXT 100 have two bytes of length, the small ones one. */
    size_t head = reason.size > 0 && (reason.bytes[0] == 118 || reason.bytes[0] == 100) ? 3 : 2;
    if (reason.size != head + size || size > 255)
        return false;
    if (head == 2 && reason.bytes[0] != 119 && reason.bytes[0] != 115)
        return false;
    return reason.bytes[head - 1] == size && memcmp(reason.bytes + head, atom, size) == 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The distribution flags: what two nodes tell each other in the handshake that they can do.
 *
 * spec: erl_dist_protocol, "Distribution Flags"; the values are those of OTP's dist.hrl
 */
#ifndef GCL_WIRE_FLAGS_H
#define GCL_WIRE_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/* X(name, bit) */
#define GCL_FLAG_LIST(X)                                                                           \
    X(PUBLISHED, 0)                                                                                \
    X(ATOM_CACHE, 1)                                                                               \
    X(EXTENDED_REFERENCES, 2)                                                                      \
    X(DIST_MONITOR, 3)                                                                             \
    X(FUN_TAGS, 4)                                                                                 \
    X(DIST_MONITOR_NAME, 5)                                                                        \
    X(HIDDEN_ATOM_CACHE, 6)                                                                        \
    X(NEW_FUN_TAGS, 7)                                                                             \
    X(EXTENDED_PIDS_PORTS, 8)                                                                      \
    X(EXPORT_PTR_TAG, 9)                                                                           \
    X(BIT_BINARIES, 10)                                                                            \
    X(NEW_FLOATS, 11)                                                                              \
    X(UNICODE_IO, 12)                                                                              \
    X(DIST_HDR_ATOM_CACHE, 13)                                                                     \
    X(SMALL_ATOM_TAGS, 14)                                                                         \
    X(UTF8_ATOMS, 16)                                                                              \
    X(MAP_TAG, 17)                                                                                 \
    X(BIG_CREATION, 18)                                                                            \
    X(SEND_SENDER, 19)                                                                             \
    X(BIG_SEQTRACE_LABELS, 20)                                                                     \
    X(EXIT_PAYLOAD, 22)                                                                            \
    X(FRAGMENTS, 23)                                                                               \
    X(HANDSHAKE_23, 24)                                                                            \
    X(UNLINK_ID, 25)                                                                               \
    X(MANDATORY_25_DIGEST, 26)                                                                     \
    X(SPAWN, 32)                                                                                   \
    X(NAME_ME, 33)                                                                                 \
    X(V4_NC, 34)                                                                                   \
    X(ALIAS, 35)                                                                                   \
    X(ALTACT_SIG, 37)                                                                              \
    X(NATIVE_RECORDS, 38)

enum gcl_flag_bit {
#define GCL_FLAG_BIT(name, bit) GCL_FLAG_BIT_##name = (bit),
    GCL_FLAG_LIST(GCL_FLAG_BIT)
#undef GCL_FLAG_BIT
};

/** GCL_FLAG(SPAWN) is the value of the flag SPAWN. */
#define GCL_FLAG(name) (UINT64_C(1) << GCL_FLAG_BIT_##name)

/** What OTP 25 made mandatory, and what we demand of every peer. MANDATORY_25_DIGEST stands for it.
 */
#define GCL_FLAGS_MANDATORY                                                                        \
    (GCL_FLAG(EXTENDED_REFERENCES) | GCL_FLAG(FUN_TAGS) | GCL_FLAG(NEW_FUN_TAGS) |                 \
     GCL_FLAG(EXTENDED_PIDS_PORTS) | GCL_FLAG(EXPORT_PTR_TAG) | GCL_FLAG(BIT_BINARIES) |           \
     GCL_FLAG(NEW_FLOATS) | GCL_FLAG(UTF8_ATOMS) | GCL_FLAG(MAP_TAG) | GCL_FLAG(BIG_CREATION) |    \
     GCL_FLAG(HANDSHAKE_23))

/**
 * What a hidden node of ours offers; a visible one adds PUBLISHED. All of MANDATORY and V4_NC and
 * UNLINK_ID, without which OTP 26 and later refuse; the rest is what makes monitors by name, rpc
 * and aliases work. The atom cache and fragments are not offered: terms stay self-contained.
 * By the former a BEAM is told from a node of ours (node/peer.c).
 */
#define GCL_FLAGS_RECOMMENDED                                                                      \
    (GCL_FLAGS_MANDATORY | GCL_FLAG(MANDATORY_25_DIGEST) | GCL_FLAG(V4_NC) | GCL_FLAG(UNLINK_ID) | \
     GCL_FLAG(SMALL_ATOM_TAGS) | GCL_FLAG(DIST_MONITOR) | GCL_FLAG(DIST_MONITOR_NAME) |            \
     GCL_FLAG(SEND_SENDER) | GCL_FLAG(EXIT_PAYLOAD) | GCL_FLAG(BIG_SEQTRACE_LABELS) |              \
     GCL_FLAG(UNICODE_IO) | GCL_FLAG(SPAWN) | GCL_FLAG(ALIAS))

/** What a peer means by its flags: MANDATORY_25_DIGEST brings all of GCL_FLAGS_MANDATORY. */
static inline uint64_t gcl_flags_expand(uint64_t flags)
{
    return (flags & GCL_FLAG(MANDATORY_25_DIGEST)) != 0 ? flags | GCL_FLAGS_MANDATORY : flags;
}

/** The flags of `wanted` that a peer with the flags `have` lacks. */
static inline uint64_t gcl_flags_missing(uint64_t have, uint64_t wanted)
{
    return wanted & ~gcl_flags_expand(have);
}

/** The name of the flag with that bit number, or NULL. The string is static. */
const char *gcl_flag_name(unsigned bit);

/** The value of the flag with that name, or 0. */
uint64_t gcl_flag_find(const char *name);

/**
 * Writes the names of a set, lowest bit first, separated by spaces ("SPAWN ALIAS bit_40"; "none"
 * for 0), terminated and cut at `size` (at least 1). Returns the length without the cut, as
 * snprintf() does.
 */
size_t gcl_flags_print(uint64_t flags, char *text, size_t size);

#endif

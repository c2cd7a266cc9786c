/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What members say to one another, version 1. On the wire it is the term
 *
 *     {'$gen_cluster', 1, Kind, Cluster, From, Map}
 *
 * whose map has the keys below; here it is a struct with a bit for each key that was there.
 * Machines of the same version ignore keys they do not know.
 */
#ifndef GCL_CORE_MEMBERSHIP_MESSAGE_H
#define GCL_CORE_MEMBERSHIP_MESSAGE_H

#include "core/membership/id.h"

enum gcl_membership_message_kind {
    GCL_MEMBERSHIP_HELLO, /* here I am, answer me */
    GCL_MEMBERSHIP_ACK,   /* you are a member for me; never answered */
    GCL_MEMBERSHIP_LIST,  /* members I know: hearsay */
    GCL_MEMBERSHIP_SYNC,  /* the digest of my list: do we agree? */
    GCL_MEMBERSHIP_INFO,  /* my info changed */
    GCL_MEMBERSHIP_LEAVE, /* my stay is over, or I am no member */
    GCL_MEMBERSHIP_MESSAGE_KINDS,
};

enum gcl_membership_key {
    GCL_MEMBERSHIP_KEY_STAY = 1 << 0,
    GCL_MEMBERSHIP_KEY_V = 1 << 1,
    GCL_MEMBERSHIP_KEY_PHASE = 1 << 2,
    GCL_MEMBERSHIP_KEY_CLAIM = 1 << 3,
    GCL_MEMBERSHIP_KEY_HIDDEN = 1 << 4,
    GCL_MEMBERSHIP_KEY_TYPE = 1 << 5,
    GCL_MEMBERSHIP_KEY_META = 1 << 6,
    GCL_MEMBERSHIP_KEY_CHILDREN = 1 << 7,
    GCL_MEMBERSHIP_KEY_NONCE = 1 << 8,
    GCL_MEMBERSHIP_KEY_ECHO = 1 << 9,
    GCL_MEMBERSHIP_KEY_WANT = 1 << 10,
    GCL_MEMBERSHIP_KEY_CONTACT = 1 << 11,
    GCL_MEMBERSHIP_KEY_DIGEST = 1 << 12,
    GCL_MEMBERSHIP_KEY_HOLDER = 1 << 13,
    GCL_MEMBERSHIP_KEY_PIDS = 1 << 14,

    /* What a message about its sender always carries. */
    GCL_MEMBERSHIP_KEYS_INFO = GCL_MEMBERSHIP_KEY_V | GCL_MEMBERSHIP_KEY_PHASE |
                               GCL_MEMBERSHIP_KEY_CLAIM | GCL_MEMBERSHIP_KEY_HIDDEN |
                               GCL_MEMBERSHIP_KEY_TYPE,
};

enum {
    GCL_MEMBERSHIP_DIGEST_BYTES = 8,
    GCL_MEMBERSHIP_LIST_MAX = 1000,           /* pids in one message */
    GCL_MEMBERSHIP_META_MAX_BYTES = 4096,     /* encoded; more is taken for no meta */
    GCL_MEMBERSHIP_CHILDREN_MAX_BYTES = 8192, /* encoded; more is taken for no children */
};

/** What a user attaches to a member. The machine does not look into it. */
struct gcl_membership_label {
    struct gcl_str type;     /* an atom's text, UTF-8 */
    struct gcl_str meta;     /* a map, encoded; empty: no keys */
    struct gcl_str children; /* a list of {Type, Pid}, encoded; empty: none */
};

/** What a member says of itself. */
struct gcl_membership_info {
    uint64_t v;   /* raised by the member at each change */
    bool settled; /* phase: settled, else joining */
    bool claim;   /* it leads */
    bool hidden;  /* it never leads */
    struct gcl_membership_label label;
};

/** Borrows everything it points to. */
struct gcl_membership_message {
    enum gcl_membership_message_kind kind;
    uint32_t keys; /* GCL_MEMBERSHIP_KEY_* that are there; of `want` and `contact`: that are true */
    struct gcl_member_id from;
    uint64_t stay;
    struct gcl_membership_info info;
    uint64_t nonce;
    uint64_t echo;
    uint8_t digest[GCL_MEMBERSHIP_DIGEST_BYTES];
    struct gcl_member_id holder;
    struct gcl_member_list pids;
};

#endif

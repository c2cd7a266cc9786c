/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Between what members say to one another as terms, and the structs of the membership machine:
 *
 *     {'$gen_cluster', 1, Kind, Cluster, From, Map}
 *
 * This is the room `cluster`: the gen_cluster behaviour for programs in C, on top of nodes and
 * their servers. What lives here calls the user's handlers and carries out what the machine in
 * core/membership/membership.h wants; the rules of membership do not belong here.
 *
 * spec: doc/membership.md, "Wire format"
 */
#ifndef GCL_CLUSTER_MESSAGE_H
#define GCL_CLUSTER_MESSAGE_H

#include <gen_cluster/term.h>

#include "core/membership/message.h"

enum { GCL_CLUSTER_VERSION = 1 };

/** Room for the pids of one message. Zeroed with its `mem` set: empty. */
struct gcl_cluster_pids {
    const gcl_allocator *mem;
    struct gcl_member_id *ids;
    const struct gcl_member_id **pointers;
    size_t capacity;
};

/** Gives the room back. */
void gcl_cluster_pids_fini(struct gcl_cluster_pids *pids);

/** True for every term of this shape: whatever its version, it is for the member, not its user. */
bool gcl_cluster_message_is(gcl_term term);

/** The sender of such a term; it borrows from it. False: that is no pid. */
bool gcl_cluster_message_from(gcl_term term, struct gcl_member_id *from);

/**
 * Reads a message to a member of `cluster`. It borrows from the term, and its list from `room`.
 * Keys that are missing are left to the machine to judge. 0; GCL_ENOTSUP: of another version, kind
 * or cluster; GCL_ETERM: malformed, or a value that makes no sense; `*wrong` (static) says what.
 * GCL_ENOMEM.
 */
int gcl_cluster_message_decode(struct gcl_cluster_pids *room, gcl_term term, struct gcl_str cluster,
                               struct gcl_membership_message *message,
                               const char **wrong) GCL_MUST_USE;

/** Writes one term. Errors of gcl_write(); on error the writer has to be cleared. */
int gcl_cluster_message_encode(gcl_writer *writer, struct gcl_str cluster,
                               const struct gcl_membership_message *message) GCL_MUST_USE;

/** A pid, as the machine knows it. It borrows from the term. False: it is none. */
bool gcl_cluster_pid_decode(gcl_term term, struct gcl_member_id *id);

/** And back, as one term. GCL_ELIMIT, GCL_ENOMEM. */
int gcl_cluster_pid_encode(gcl_writer *writer, const struct gcl_member_id *id) GCL_MUST_USE;

/** What a member may say of itself; anything else counts as empty. They borrow from the term. */
struct gcl_str gcl_cluster_meta_of(gcl_term term);
struct gcl_str gcl_cluster_children_of(gcl_term term);

static inline gcl_bytes gcl_bytes_of(struct gcl_str str)
{
    gcl_bytes bytes = {str.bytes, str.size};
    return bytes;
}

#endif

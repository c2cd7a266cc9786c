/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Between control messages, in which a node is its name, and signals, in which it is a place in the
 * table of names.
 */
#ifndef GCL_NODE_TRANSLATE_H
#define GCL_NODE_TRANSLATE_H

#include "core/names.h"
#include "core/signal.h"
#include "wire/control.h"

/**
 * What the peer `peer` (its entry) sent. 0; GCL_EPROTO with `*why` (static): it speaks for a
 * process of another node; GCL_ENOTSUP: a spawn request, which is not a signal; GCL_ENOMEM.
 */
int gcl_translate_in(struct gcl_names *names, const struct gcl_name *peer,
                     const struct gcl_control *control, struct gcl_signal *signal,
                     const char **why);

/** What is to be sent; borrows from names and signal. 0, or GCL_ESTALE: a node is unknown by now.
 */
int gcl_translate_out(const struct gcl_names *names, const struct gcl_signal *signal,
                      struct gcl_control *control);

/** A pid or reference for the wire. False: its node is unknown by now. */
bool gcl_translate_pid(const struct gcl_names *names, gcl_pid pid, struct gcl_wire_pid *out);
bool gcl_translate_ref(const struct gcl_names *names, const gcl_ref *ref, struct gcl_wire_ref *out);

/** The requester and the reference of a SPAWN_REQUEST. As gcl_translate_in(). */
int gcl_translate_spawn(struct gcl_names *names, const struct gcl_name *peer,
                        const struct gcl_control *request, gcl_pid *from, gcl_ref *ref,
                        const char **why);

/** And back; the node is interned. 0, GCL_ENAME, GCL_ENOMEM. */
int gcl_intern_pid(struct gcl_names *names, const struct gcl_wire_pid *wire, gcl_pid *pid);
int gcl_intern_ref(struct gcl_names *names, const struct gcl_wire_ref *wire, gcl_ref *ref);

#endif

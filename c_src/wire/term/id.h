/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The identities of the external term format: atoms, pids, references and ports, as they stand in
 * bytes. Here a node is its name; the rest of the library uses gcl_pid and gcl_ref, which hold a
 * place in the table of names instead.
 *
 * This is the room `wire`: between bytes and messages. What lives here knows neither sockets nor
 * clocks nor the state of a cluster; what it decodes are views into the bytes it was given.
 *
 * Decoders read one whole term (without the version byte 131) and move on, or return false and
 * leave the cursor where it was. What they accept is well formed: texts are UTF-8, an atom has at
 * most 255 characters, the old tags have the small creations that they can have.
 *
 * spec: erl_ext_dist, sections ATOM_UTF8_EXT, NEW_PID_EXT, NEWER_REFERENCE_EXT, V4_PORT_EXT
 */
#ifndef GCL_WIRE_TERM_ID_H
#define GCL_WIRE_TERM_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/str.h"

enum {
    GCL_ATOM_MAX_CHARACTERS = 255,
    GCL_ATOM_MAX_BYTES = 1020,
    GCL_ATOM_LATIN1_BYTES = 510, /* room for any Latin-1 atom in UTF-8 */
    GCL_WIRE_REF_WORDS = 5,
};

/** The node is an atom's text in UTF-8. */
struct gcl_wire_pid {
    struct gcl_str node;
    uint32_t id;
    uint32_t serial;
    uint32_t creation;
};

struct gcl_wire_ref {
    struct gcl_str node;
    uint32_t creation;
    uint32_t count; /* of words, 1 to 5; those beyond it are 0 */
    uint32_t words[GCL_WIRE_REF_WORDS];
};

struct gcl_wire_port {
    struct gcl_str node;
    uint64_t id;
    uint32_t creation;
};

/** True when `text` is UTF-8 (no surrogates, nothing overlong) of at most 255 characters. */
bool gcl_wire_text_is_atom(struct gcl_str text);

/**
 * An atom of any of the tags 100, 115 (Latin-1), 118, 119 (UTF-8). `text` borrows the cursor's
 * bytes; or, when Latin-1 had to be converted, `scratch` (GCL_ATOM_LATIN1_BYTES; borrowed as long
 * as `text` is used). `scratch` may be NULL; then such an atom is refused.
 */
bool gcl_wire_atom_decode(struct gcl_cursor *cursor, uint8_t *scratch, struct gcl_str *text);

/** Tags 88 and 103. `pid->node` borrows the cursor's bytes. */
bool gcl_wire_pid_decode(struct gcl_cursor *cursor, struct gcl_wire_pid *pid);

/** Tags 90, 114 and 101. `ref->node` borrows the cursor's bytes. */
bool gcl_wire_ref_decode(struct gcl_cursor *cursor, struct gcl_wire_ref *ref);

/** Tags 89, 102 and 120. `port->node` borrows the cursor's bytes. */
bool gcl_wire_port_decode(struct gcl_cursor *cursor, struct gcl_wire_port *port);

/**
 * Each appends one term in the form that every supported release reads and that libei writes: 118
 * or 119, 88, 90, 89 (120 for a port beyond 28 bits). The texts must be what
 * gcl_wire_text_is_atom() accepts, the count of a reference 1 to 5. 0, GCL_ELIMIT or GCL_ENOMEM;
 * on error nothing was added.
 */
int gcl_wire_atom_encode(struct gcl_buffer *buffer, struct gcl_str text) GCL_MUST_USE;
int gcl_wire_pid_encode(struct gcl_buffer *buffer, const struct gcl_wire_pid *pid) GCL_MUST_USE;
int gcl_wire_ref_encode(struct gcl_buffer *buffer, const struct gcl_wire_ref *ref) GCL_MUST_USE;
int gcl_wire_port_encode(struct gcl_buffer *buffer, const struct gcl_wire_port *port) GCL_MUST_USE;

/**
 * The same into room that the caller made, of at least the size named; each returns the place
 * behind what it wrote.
 */
enum {
    GCL_WIRE_ATOM_ROOM = 3,      /* and the text */
    GCL_WIRE_PID_ROOM = 3 + 13,  /* and the name of the node */
    GCL_WIRE_REF_ROOM = 3 + 27,  /* and the name of the node */
    GCL_WIRE_PORT_ROOM = 3 + 13, /* and the name of the node */
};
uint8_t *gcl_wire_atom_put(uint8_t *at, struct gcl_str text);
uint8_t *gcl_wire_pid_put(uint8_t *at, const struct gcl_wire_pid *pid);
uint8_t *gcl_wire_ref_put(uint8_t *at, const struct gcl_wire_ref *ref);
uint8_t *gcl_wire_port_put(uint8_t *at, const struct gcl_wire_port *port);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/term/id.h"

#include <gen_cluster/error.h>

#include "base/put.h"

enum tag {
    ATOM_EXT = 100,
    SMALL_ATOM_EXT = 115,
    ATOM_UTF8_EXT = 118,
    SMALL_ATOM_UTF8_EXT = 119,
    PID_EXT = 103,
    NEW_PID_EXT = 88,
    REFERENCE_EXT = 101,
    NEW_REFERENCE_EXT = 114,
    NEWER_REFERENCE_EXT = 90,
    PORT_EXT = 102,
    NEW_PORT_EXT = 89,
    V4_PORT_EXT = 120,
};

enum { SMALL_CREATION_MAX = 3 };       /* spec: erl_ext_dist, PID_EXT: two bits are significant */
enum { NARROW_PORT_MAX = 0x0FFFFFFF }; /* 28 bits: what peers without V4_NC read */

/* --- atoms ---------------------------------------------------------------------------------- */

static bool is_ascii(struct gcl_str text)
{
    const uint8_t *at = text.bytes, *end = at + text.size;
    for (uint64_t eight; end - at >= 8; at += 8) {
        memcpy(&eight, at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            return false;
    }
    for (; at < end; at++)
        if (*at >= 0x80)
            return false;
    return true;
}

/* Skips one character; false when it is not one in UTF-8. */
static bool skip_character(struct gcl_cursor *cursor)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead, next;
    if (!gcl_cursor_u8(cursor, &lead))
        return false;
    if (lead < 0x80)
        return true;
    unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC0 || lead > 0xF4)
        return false;
    uint32_t character = lead & (0x3Fu >> more);
    for (unsigned i = 0; i < more; i++) {
        if (!gcl_cursor_u8(cursor, &next) || (next & 0xC0) != 0x80)
            return false;
        character = character << 6 | (next & 0x3Fu);
    }
    return character >= least[more] && character <= 0x10FFFF &&
           (character < 0xD800 || character > 0xDFFF);
}

bool gcl_wire_text_is_atom(struct gcl_str text)
{
    if (text.size <= GCL_ATOM_MAX_CHARACTERS && is_ascii(text))
        return true;
    if (text.size > GCL_ATOM_MAX_BYTES)
        return false;
    struct gcl_cursor cursor = gcl_cursor_make(text.bytes, text.size);
    size_t count = 0;
    for (; gcl_cursor_left(&cursor) > 0; count++)
        if (!skip_character(&cursor))
            return false;
    return count <= GCL_ATOM_MAX_CHARACTERS;
}

static bool convert_latin1(uint8_t *scratch, struct gcl_str *text)
{
    uint8_t *at = scratch;
    if (text->size > GCL_ATOM_MAX_CHARACTERS)
        return false;
    if (is_ascii(*text))
        return true;
    if (scratch == NULL)
        return false;
    for (size_t i = 0; i < text->size; i++) {
        uint8_t character = text->bytes[i];
        if (character >= 0x80) {
            *at++ = (uint8_t)(0xC0 | character >> 6);
            character = (uint8_t)(0x80 | (character & 0x3F));
        }
        *at++ = character;
    }
    *text = gcl_str_make(scratch, (size_t)(at - scratch));
    return true;
}

bool gcl_wire_atom_decode(struct gcl_cursor *cursor, uint8_t *scratch, struct gcl_str *text)
{
    struct gcl_cursor at = *cursor;
    uint8_t tag, small = 0;
    uint16_t size = 0;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    if (tag == SMALL_ATOM_UTF8_EXT || tag == SMALL_ATOM_EXT) {
        if (!gcl_cursor_u8(&at, &small))
            return false;
        size = small;
    } else if (tag == ATOM_UTF8_EXT || tag == ATOM_EXT) {
        if (!gcl_cursor_u16(&at, &size))
            return false;
    } else {
        return false;
    }
    struct gcl_str found;
    if (!gcl_cursor_bytes(&at, size, &found))
        return false;
    bool is_utf8 = tag == SMALL_ATOM_UTF8_EXT || tag == ATOM_UTF8_EXT;
    if (!(is_utf8 ? gcl_wire_text_is_atom(found) : convert_latin1(scratch, &found)))
        return false;
    *text = found;
    *cursor = at;
    return true;
}

uint8_t *gcl_wire_atom_put(uint8_t *at, struct gcl_str text)
{
    if (text.size <= UINT8_MAX) {
        *at++ = SMALL_ATOM_UTF8_EXT;
        *at++ = (uint8_t)text.size;
    } else {
        *at++ = ATOM_UTF8_EXT;
        at = gcl_put_u16(at, (uint16_t)text.size);
    }
    return gcl_put_str(at, text);
}

/* --- pids, references, ports ---------------------------------------------------------------- */

/* A creation of 32 bits, or the one byte of the old tags. */
static bool creation(struct gcl_cursor *cursor, bool is_old, uint32_t *value)
{
    uint8_t small;
    if (!is_old)
        return gcl_cursor_u32(cursor, value);
    if (!gcl_cursor_u8(cursor, &small) || small > SMALL_CREATION_MAX)
        return false;
    *value = small;
    return true;
}

/* BEAM takes no node without a name in any of them. */
static bool node_name(struct gcl_cursor *cursor, struct gcl_str *node)
{
    return gcl_wire_atom_decode(cursor, NULL, node);
}

/*
 * Numbers that no node gives. A BEAM that finds one in an id of its own takes the whole message for
 * garbage and closes the connection to whoever sent it on, so they are refused where they come in:
 * 28 bits of id (15 before OTP 26), 18 in the first word of a reference, 60 for a port.
 */
enum { PID_ID_BITS = 28, REF_FIRST_WORD_BITS = 18, PORT_ID_BITS = 60 };

bool gcl_wire_pid_decode(struct gcl_cursor *cursor, struct gcl_wire_pid *pid)
{
    struct gcl_cursor at = *cursor;
    struct gcl_wire_pid found;
    uint8_t tag;
    if (!gcl_cursor_u8(&at, &tag) || (tag != NEW_PID_EXT && tag != PID_EXT) ||
        !node_name(&at, &found.node) || !gcl_cursor_u32(&at, &found.id) ||
        !gcl_cursor_u32(&at, &found.serial) || !creation(&at, tag == PID_EXT, &found.creation) ||
        found.id >> PID_ID_BITS != 0)
        return false;
    *pid = found;
    *cursor = at;
    return true;
}

static bool ref_words(struct gcl_cursor *cursor, struct gcl_wire_ref *ref)
{
    for (uint32_t i = 0; i < ref->count; i++)
        if (!gcl_cursor_u32(cursor, &ref->words[i]))
            return false;
    return ref->words[0] >> REF_FIRST_WORD_BITS == 0;
}

bool gcl_wire_ref_decode(struct gcl_cursor *cursor, struct gcl_wire_ref *ref)
{
    struct gcl_cursor at = *cursor;
    struct gcl_wire_ref found = {.count = 1};
    uint8_t tag;
    uint16_t count = 1;
    if (!gcl_cursor_u8(&at, &tag))
        return false;
    if (tag == REFERENCE_EXT) { /* the number stands before the creation */
        if (!node_name(&at, &found.node) || !ref_words(&at, &found) ||
            !creation(&at, true, &found.creation))
            return false;
    } else if (tag == NEW_REFERENCE_EXT || tag == NEWER_REFERENCE_EXT) {
        if (!gcl_cursor_u16(&at, &count) || count < 1 || count > GCL_WIRE_REF_WORDS)
            return false;
        found.count = count;
        if (!node_name(&at, &found.node) ||
            !creation(&at, tag == NEW_REFERENCE_EXT, &found.creation) || !ref_words(&at, &found))
            return false;
    } else {
        return false;
    }
    *ref = found;
    *cursor = at;
    return true;
}

static bool port_id(struct gcl_cursor *cursor, bool is_wide, uint64_t *id)
{
    uint32_t narrow;
    if (is_wide)
        return gcl_cursor_u64(cursor, id);
    if (!gcl_cursor_u32(cursor, &narrow))
        return false;
    *id = narrow;
    return true;
}

bool gcl_wire_port_decode(struct gcl_cursor *cursor, struct gcl_wire_port *port)
{
    struct gcl_cursor at = *cursor;
    struct gcl_wire_port found;
    uint8_t tag;
    if (!gcl_cursor_u8(&at, &tag) ||
        (tag != NEW_PORT_EXT && tag != V4_PORT_EXT && tag != PORT_EXT) ||
        !node_name(&at, &found.node) || !port_id(&at, tag == V4_PORT_EXT, &found.id) ||
        !creation(&at, tag == PORT_EXT, &found.creation) || found.id >> PORT_ID_BITS != 0)
        return false;
    *port = found;
    *cursor = at;
    return true;
}

uint8_t *gcl_wire_pid_put(uint8_t *at, const struct gcl_wire_pid *pid)
{
    at = gcl_put_u8(at, NEW_PID_EXT);
    at = gcl_wire_atom_put(at, pid->node);
    at = gcl_put_u32(at, pid->id);
    at = gcl_put_u32(at, pid->serial);
    return gcl_put_u32(at, pid->creation);
}

uint8_t *gcl_wire_ref_put(uint8_t *at, const struct gcl_wire_ref *ref)
{
    at = gcl_put_u8(at, NEWER_REFERENCE_EXT);
    at = gcl_put_u16(at, (uint16_t)ref->count);
    at = gcl_wire_atom_put(at, ref->node);
    at = gcl_put_u32(at, ref->creation);
    for (uint32_t i = 0; i < ref->count && i < GCL_WIRE_REF_WORDS; i++)
        at = gcl_put_u32(at, ref->words[i]);
    return at;
}

uint8_t *gcl_wire_port_put(uint8_t *at, const struct gcl_wire_port *port)
{
    bool is_wide = port->id > NARROW_PORT_MAX;
    at = gcl_put_u8(at, is_wide ? V4_PORT_EXT : NEW_PORT_EXT);
    at = gcl_wire_atom_put(at, port->node);
    at = is_wide ? gcl_put_u64(at, port->id) : gcl_put_u32(at, (uint32_t)port->id);
    return gcl_put_u32(at, port->creation);
}

/* --- into buffers --------------------------------------------------------------------------- */

/* What was written into the room of a buffer ends at `end`. */
static int added(struct gcl_buffer *buffer, const uint8_t *room, const uint8_t *end)
{
    gcl_buffer_added(buffer, (size_t)(end - room));
    return 0;
}

int gcl_wire_atom_encode(struct gcl_buffer *buffer, struct gcl_str text)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(buffer, GCL_WIRE_ATOM_ROOM + text.size, &error);
    return room == NULL ? error : added(buffer, room, gcl_wire_atom_put(room, text));
}

int gcl_wire_pid_encode(struct gcl_buffer *buffer, const struct gcl_wire_pid *pid)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(buffer, GCL_WIRE_PID_ROOM + pid->node.size, &error);
    return room == NULL ? error : added(buffer, room, gcl_wire_pid_put(room, pid));
}

int gcl_wire_ref_encode(struct gcl_buffer *buffer, const struct gcl_wire_ref *ref)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(buffer, GCL_WIRE_REF_ROOM + ref->node.size, &error);
    return room == NULL ? error : added(buffer, room, gcl_wire_ref_put(room, ref));
}

int gcl_wire_port_encode(struct gcl_buffer *buffer, const struct gcl_wire_port *port)
{
    int error = 0;
    uint8_t *room = gcl_buffer_room(buffer, GCL_WIRE_PORT_ROOM + port->node.size, &error);
    return room == NULL ? error : added(buffer, room, gcl_wire_port_put(room, port));
}

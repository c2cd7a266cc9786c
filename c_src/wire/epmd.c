/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/epmd.h"

#include <string.h>

#include <gen_cluster/error.h>

#include "base/cursor.h"
#include "base/put.h"
#include "wire/term/id.h"

enum tag {
    ALIVE2_X_RESP = 118,
    PORT2_RESP = 119,
    ALIVE2_REQ = 120,
    ALIVE2_RESP = 121,
    PORT_PLEASE2_REQ = 122,
};

enum {
    LENGTH_BYTES = 2,
    ALIVE_FIXED_BYTES = 13, /* all of ALIVE2_REQ but the name, with an empty Extra */
    PROTOCOL_TCP_IPV4 = 0,
};

static int request_room(struct gcl_buffer *out, struct gcl_str alive, size_t fixed, uint8_t **room)
{
    int error = GCL_ENAME;
    if (alive.size == 0 || alive.size > GCL_ATOM_MAX_BYTES)
        return error;
    *room = gcl_buffer_room(out, LENGTH_BYTES + fixed + alive.size, &error);
    return *room == NULL ? error : 0;
}

int gcl_epmd_append_alive(struct gcl_buffer *out, const struct gcl_epmd_node *node)
{
    uint8_t *room;
    int error = request_room(out, node->alive, ALIVE_FIXED_BYTES, &room);
    if (error != 0)
        return error;
    uint8_t *at = gcl_put_u16(room, (uint16_t)(ALIVE_FIXED_BYTES + node->alive.size));
    at = gcl_put_u8(at, ALIVE2_REQ);
    at = gcl_put_u16(at, node->port);
    at = gcl_put_u8(at, node->visible ? GCL_EPMD_NODE_VISIBLE : GCL_EPMD_NODE_HIDDEN);
    at = gcl_put_u8(at, PROTOCOL_TCP_IPV4);
    at = gcl_put_u16(at, GCL_EPMD_VERSION_HIGH);
    at = gcl_put_u16(at, GCL_EPMD_VERSION_LOW);
    at = gcl_put_u16(at, (uint16_t)node->alive.size);
    at = gcl_put_str(at, node->alive);
    at = gcl_put_u16(at, 0); /* Extra */
    gcl_buffer_added(out, (size_t)(at - room));
    return 0;
}

int gcl_epmd_append_port_please(struct gcl_buffer *out, struct gcl_str alive)
{
    uint8_t *room;
    int error = request_room(out, alive, 1, &room);
    if (error != 0)
        return error;
    uint8_t *at = gcl_put_u16(room, (uint16_t)(1 + alive.size));
    at = gcl_put_u8(at, PORT_PLEASE2_REQ);
    at = gcl_put_str(at, alive);
    gcl_buffer_added(out, (size_t)(at - room));
    return 0;
}

static struct gcl_cursor cursor_of(struct gcl_str bytes)
{
    struct gcl_cursor none = {0};
    return bytes.size > 0 ? gcl_cursor_make(bytes.bytes, bytes.size) : none;
}

int gcl_epmd_decode_alive(struct gcl_str bytes, struct gcl_epmd_alive *reply, bool *done)
{
    struct gcl_cursor cursor = cursor_of(bytes);
    uint8_t tag;
    uint16_t small = 0;
    *done = false;
    if (!gcl_cursor_u8(&cursor, &tag))
        return 0;
    if (tag != ALIVE2_X_RESP && tag != ALIVE2_RESP)
        return GCL_EPROTO;
    if (!gcl_cursor_u8(&cursor, &reply->result))
        return 0;
    if (tag == ALIVE2_X_RESP) {
        *done = gcl_cursor_u32(&cursor, &reply->creation);
    } else {
        *done = gcl_cursor_u16(&cursor, &small);
        reply->creation = small;
    }
    /* The creation says nothing then, and need not be waited for. */
    if (reply->result != 0) {
        *done = true;
        reply->creation = 0;
    }
    return 0;
}

int gcl_epmd_decode_port(struct gcl_str bytes, struct gcl_epmd_port *reply, bool *done)
{
    struct gcl_cursor cursor = cursor_of(bytes);
    uint8_t tag;
    uint16_t size;
    *done = false;
    memset(reply, 0, sizeof *reply);
    if (!gcl_cursor_u8(&cursor, &tag))
        return 0;
    if (tag != PORT2_RESP)
        return GCL_EPROTO;
    if (!gcl_cursor_u8(&cursor, &reply->result))
        return 0;
    if (reply->result != 0) {
        *done = true;
        return 0;
    }
    if (!gcl_cursor_u16(&cursor, &reply->port) || !gcl_cursor_u8(&cursor, &reply->type) ||
        !gcl_cursor_u8(&cursor, &reply->protocol) ||
        !gcl_cursor_u16(&cursor, &reply->version_high) ||
        !gcl_cursor_u16(&cursor, &reply->version_low) || !gcl_cursor_u16(&cursor, &size))
        return 0;
    if (size == 0 || size > GCL_ATOM_MAX_BYTES)
        return GCL_EPROTO;
    *done = gcl_cursor_bytes(&cursor, size, &reply->name);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "support/membership_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const message_names[GCL_MEMBERSHIP_MESSAGE_KINDS] = {
    [GCL_MEMBERSHIP_HELLO] = "hello", [GCL_MEMBERSHIP_ACK] = "ack",
    [GCL_MEMBERSHIP_LIST] = "list",   [GCL_MEMBERSHIP_SYNC] = "sync",
    [GCL_MEMBERSHIP_INFO] = "info",   [GCL_MEMBERSHIP_LEAVE] = "leave",
};

/* --- reading -------------------------------------------------------------------------------- */

struct gcl_str gcl_text_cut(struct gcl_str *rest, char separator)
{
    struct gcl_str field = *rest;
    const uint8_t *end = rest->size ? memchr(rest->bytes, separator, rest->size) : NULL;
    if (end == NULL) {
        *rest = gcl_str_make(rest->bytes + rest->size, 0);
        return field;
    }
    field.size = (size_t)(end - rest->bytes);
    *rest = gcl_str_make(end + 1, rest->size - field.size - 1);
    return field;
}

static bool read_digits(struct gcl_str text, unsigned base, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = memchr(digits, text.bytes[i], base);
        if (digit == NULL)
            return false;
        *number = *number * base + (uint64_t)(digit - digits);
    }
    return text.size > 0;
}

bool gcl_text_read_number(struct gcl_str text, uint64_t *number)
{
    return read_digits(text, 10, number);
}

bool gcl_text_read_id(struct gcl_str text, struct gcl_member_id *id)
{
    uint64_t creation, serial = 0, number;
    struct gcl_str rest = text;
    id->node = gcl_text_cut(&rest, '#');
    if (!gcl_text_read_number(gcl_text_cut(&rest, '.'), &creation))
        return false;
    struct gcl_str last = gcl_text_cut(&rest, '.');
    if (!gcl_text_read_number(last, &number))
        return false;
    if (rest.size > 0) {
        serial = number;
        if (!gcl_text_read_number(rest, &number))
            return false;
    }
    id->creation = (uint32_t)creation;
    id->serial = (uint32_t)serial;
    id->id = (uint32_t)number;
    return true;
}

/* What stands between [ and ]; false when these are missing. */
static bool read_brackets(struct gcl_str text, struct gcl_str *inside)
{
    if (text.size < 2 || text.bytes[0] != '[' || text.bytes[text.size - 1] != ']')
        return false;
    *inside = gcl_str_make(text.bytes + 1, text.size - 2);
    return true;
}

static bool read_bool(struct gcl_str text, bool *value)
{
    *value = gcl_str_is(text, "true");
    return *value || gcl_str_is(text, "false");
}

static bool read_pids(struct gcl_str text, struct gcl_text_event *out)
{
    size_t count = 0;
    struct gcl_str rest;
    if (!read_brackets(text, &rest))
        return false;
    for (; rest.size > 0 && count < GCL_TEXT_LIST_MAX; count++) {
        if (!gcl_text_read_id(gcl_text_cut(&rest, ','), &out->ids[count]))
            return false;
        out->pids[count] = &out->ids[count];
    }
    out->message.pids = gcl_member_list_of(out->pids, count);
    return true;
}

static bool read_digest(struct gcl_str text, uint8_t digest[GCL_MEMBERSHIP_DIGEST_BYTES])
{
    uint64_t number;
    if (text.size != 2 * GCL_MEMBERSHIP_DIGEST_BYTES || !read_digits(text, 16, &number))
        return false;
    for (int i = 0; i < GCL_MEMBERSHIP_DIGEST_BYTES; i++)
        digest[i] = (uint8_t)(number >> (8 * (GCL_MEMBERSHIP_DIGEST_BYTES - 1 - i)));
    return true;
}

static bool read_flag(struct gcl_str text, uint32_t key, uint32_t *keys)
{
    bool value;
    if (!read_bool(text, &value))
        return false;
    if (!value)
        *keys &= ~key;
    return true;
}

static bool read_value(struct gcl_str value, uint32_t key, struct gcl_text_event *out)
{
    struct gcl_membership_message *message = &out->message;
    message->keys |= key;
    switch (key) {
    case GCL_MEMBERSHIP_KEY_STAY:
        return gcl_text_read_number(value, &message->stay);
    case GCL_MEMBERSHIP_KEY_V:
        return gcl_text_read_number(value, &message->info.v);
    case GCL_MEMBERSHIP_KEY_PHASE:
        message->info.settled = gcl_str_is(value, "settled");
        return message->info.settled || gcl_str_is(value, "joining");
    case GCL_MEMBERSHIP_KEY_CLAIM:
        return read_bool(value, &message->info.claim);
    case GCL_MEMBERSHIP_KEY_HIDDEN:
        return read_bool(value, &message->info.hidden);
    case GCL_MEMBERSHIP_KEY_NONCE:
        return gcl_text_read_number(value, &message->nonce);
    case GCL_MEMBERSHIP_KEY_ECHO:
        return gcl_text_read_number(value, &message->echo);
    case GCL_MEMBERSHIP_KEY_WANT:
    case GCL_MEMBERSHIP_KEY_CONTACT:
        return read_flag(value, key, &message->keys);
    case GCL_MEMBERSHIP_KEY_DIGEST:
        return read_digest(value, message->digest);
    case GCL_MEMBERSHIP_KEY_HOLDER:
        return gcl_text_read_id(value, &message->holder);
    case GCL_MEMBERSHIP_KEY_PIDS:
        return read_pids(value, out);
    default:
        return false;
    }
}

static const struct {
    const char *name;
    uint32_t key;
} key_names[] = {
    {"claim", GCL_MEMBERSHIP_KEY_CLAIM},   {"contact", GCL_MEMBERSHIP_KEY_CONTACT},
    {"digest", GCL_MEMBERSHIP_KEY_DIGEST}, {"echo", GCL_MEMBERSHIP_KEY_ECHO},
    {"hidden", GCL_MEMBERSHIP_KEY_HIDDEN}, {"holder", GCL_MEMBERSHIP_KEY_HOLDER},
    {"nonce", GCL_MEMBERSHIP_KEY_NONCE},   {"phase", GCL_MEMBERSHIP_KEY_PHASE},
    {"pids", GCL_MEMBERSHIP_KEY_PIDS},     {"stay", GCL_MEMBERSHIP_KEY_STAY},
    {"v", GCL_MEMBERSHIP_KEY_V},           {"want", GCL_MEMBERSHIP_KEY_WANT},
};
enum { KEY_NAMES = sizeof key_names / sizeof *key_names };

static bool read_message(struct gcl_str rest, struct gcl_text_event *out)
{
    struct gcl_membership_message *message = &out->message;
    message->pids = gcl_member_list_of(out->pids, 0);
    if (!gcl_text_read_id(gcl_text_cut(&rest, ' '), &message->from))
        return false;
    struct gcl_str kind = gcl_text_cut(&rest, ' ');
    int found = 0;
    while (found < GCL_MEMBERSHIP_MESSAGE_KINDS && !gcl_str_is(kind, message_names[found]))
        found++;
    if (found == GCL_MEMBERSHIP_MESSAGE_KINDS)
        return false;
    message->kind = (enum gcl_membership_message_kind)found;
    while (rest.size > 0) {
        struct gcl_str value = gcl_text_cut(&rest, ' ');
        struct gcl_str key = gcl_text_cut(&value, '=');
        size_t i = 0;
        while (i < KEY_NAMES && !gcl_str_is(key, key_names[i].name))
            i++;
        if (i == KEY_NAMES || !read_value(value, key_names[i].key, out))
            return false;
    }
    /* Left out of the vectors, but always there. */
    if (message->keys & GCL_MEMBERSHIP_KEY_V) {
        message->keys |= GCL_MEMBERSHIP_KEY_TYPE;
        message->info.label.type = gcl_str_of("t");
    }
    out->event.message = message;
    return true;
}

static bool read_nodes(struct gcl_str rest, struct gcl_text_event *out)
{
    struct gcl_str inside;
    if (!read_brackets(rest, &inside))
        return false;
    out->event.nodes = out->nodes;
    while (inside.size > 0 && out->event.node_count < GCL_TEXT_LIST_MAX)
        out->nodes[out->event.node_count++] = gcl_text_cut(&inside, ',');
    return true;
}

static bool read_node(struct gcl_str rest, struct gcl_text_event *out)
{
    out->event.node = rest;
    return rest.size > 0;
}

static bool read_yes(struct gcl_str rest, struct gcl_text_event *out)
{
    return read_bool(rest, &out->event.yes);
}

static bool read_down(struct gcl_str rest, struct gcl_text_event *out)
{
    struct gcl_str tag = gcl_text_cut(&rest, ' ');
    struct gcl_str what = gcl_text_cut(&rest, ' ');
    if (gcl_text_read_id(what, &out->member))
        out->event.member = &out->member;
    out->event.reason = rest;
    out->event.noconnection = gcl_str_is(rest, "noconnection");
    return gcl_text_read_number(tag, &out->event.tag) && rest.size > 0;
}

static bool read_holder(struct gcl_str rest, struct gcl_text_event *out)
{
    if (gcl_text_read_id(rest, &out->member)) {
        out->event.member = &out->member;
        return true;
    }
    return gcl_str_is(rest, "undefined") || gcl_str_is(rest, "none");
}

static bool read_registered(struct gcl_str rest, struct gcl_text_event *out)
{
    struct gcl_str answer = gcl_text_cut(&rest, ' ');
    out->event.yes = gcl_str_is(answer, "yes");
    return (out->event.yes || gcl_str_is(answer, "no")) && read_holder(rest, out);
}

static bool read_nothing(struct gcl_str rest, struct gcl_text_event *out)
{
    (void)out;
    return rest.size == 0;
}

static bool read_update(struct gcl_str rest, struct gcl_text_event *out)
{
    static const struct gcl_membership_label label = {
        {(const uint8_t *)"t", 1}, {NULL, 0}, {NULL, 0}};
    out->event.label = &label;
    return rest.size == 0;
}

static const struct {
    const char *name;
    enum gcl_membership_event_kind kind;
    bool (*read)(struct gcl_str rest, struct gcl_text_event *out);
} events[] = {
    {"start", GCL_MEMBERSHIP_START, read_nodes},
    {"named", GCL_MEMBERSHIP_NAMED, read_yes},
    {"join", GCL_MEMBERSHIP_JOIN, read_node},
    {"leave", GCL_MEMBERSHIP_GO, read_nothing},
    {"recv", GCL_MEMBERSHIP_RECEIVED, read_message},
    {"down", GCL_MEMBERSHIP_DOWN, read_down},
    {"nodeup", GCL_MEMBERSHIP_NODEUP, read_node},
    {"registered", GCL_MEMBERSHIP_REGISTERED, read_registered},
    {"whereis", GCL_MEMBERSHIP_WHEREIS, read_holder},
    {"update", GCL_MEMBERSHIP_UPDATE, read_update},
    {"conflict", GCL_MEMBERSHIP_CONFLICT, read_nothing},
    {"wake", GCL_MEMBERSHIP_WOKEN, read_nothing},
};

bool gcl_text_read_event(struct gcl_str line, struct gcl_text_event *out)
{
    struct gcl_str name = gcl_text_cut(&line, ' ');
    memset(&out->event, 0, sizeof out->event);
    memset(&out->message, 0, sizeof out->message);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (!gcl_str_is(name, events[i].name))
            continue;
        out->event.kind = events[i].kind;
        return events[i].read(line, out);
    }
    return false;
}

/* --- writing -------------------------------------------------------------------------------- */

static char *write_str(char *at, struct gcl_str str)
{
    return at + sprintf(at, "%.*s", (int)str.size, (const char *)str.bytes);
}

char *gcl_text_write_id(char *at, const struct gcl_member_id *id)
{
    if (id == NULL)
        return at + sprintf(at, "undefined");
    at = write_str(at, id->node);
    at += sprintf(at, "#%" PRIu32 ".", id->creation);
    if (id->serial > 0)
        at += sprintf(at, "%" PRIu32 ".", id->serial);
    return at + sprintf(at, "%" PRIu32, id->id);
}

char *gcl_text_write_list(char *at, const struct gcl_member_list *list)
{
    *at++ = '[';
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = gcl_text_write_id(at, gcl_member_list_at(list, i));
    }
    return at + sprintf(at, "]");
}

static const char *bool_name(bool value)
{
    return value ? "true" : "false";
}

static char *write_value(char *at, uint32_t key, const struct gcl_membership_message *message)
{
    switch (key) {
    case GCL_MEMBERSHIP_KEY_STAY:
        return at + sprintf(at, "%" PRIu64, message->stay);
    case GCL_MEMBERSHIP_KEY_V:
        return at + sprintf(at, "%" PRIu64, message->info.v);
    case GCL_MEMBERSHIP_KEY_PHASE:
        return at + sprintf(at, "%s", message->info.settled ? "settled" : "joining");
    case GCL_MEMBERSHIP_KEY_CLAIM:
        return at + sprintf(at, "%s", bool_name(message->info.claim));
    case GCL_MEMBERSHIP_KEY_HIDDEN:
        return at + sprintf(at, "%s", bool_name(message->info.hidden));
    case GCL_MEMBERSHIP_KEY_NONCE:
        return at + sprintf(at, "%" PRIu64, message->nonce);
    case GCL_MEMBERSHIP_KEY_ECHO:
        return at + sprintf(at, "%" PRIu64, message->echo);
    case GCL_MEMBERSHIP_KEY_DIGEST:
        for (int i = 0; i < GCL_MEMBERSHIP_DIGEST_BYTES; i++)
            at += sprintf(at, "%02x", message->digest[i]);
        return at;
    case GCL_MEMBERSHIP_KEY_HOLDER:
        return gcl_text_write_id(at, &message->holder);
    case GCL_MEMBERSHIP_KEY_PIDS:
        return gcl_text_write_list(at, &message->pids);
    default: /* want, contact */
        return at + sprintf(at, "true");
    }
}

char *gcl_text_write_message(char *at, const struct gcl_membership_message *message)
{
    at += sprintf(at, "%s", message_names[message->kind]);
    for (size_t i = 0; i < KEY_NAMES; i++) {
        if (!(message->keys & key_names[i].key))
            continue;
        at += sprintf(at, " %s=", key_names[i].name);
        at = write_value(at, key_names[i].key, message);
    }
    return at;
}

static char *write_target(char *at, const struct gcl_membership_target *to)
{
    if (to->member != NULL)
        return gcl_text_write_id(at, to->member);
    return write_str(at + sprintf(at, "clu@"), to->node);
}

static char *write_reason(char *at, const struct gcl_membership_effect *effect)
{
    switch (effect->departure) {
    case GCL_MEMBERSHIP_EXITED:
        return write_str(at, effect->reason);
    case GCL_MEMBERSHIP_LOST:
        return at + sprintf(at, "noconnection");
    case GCL_MEMBERSHIP_LEFT:
        return at + sprintf(at, "left");
    }
    return at;
}

static char *write_callback(char *at, const struct gcl_membership_effect *effect)
{
    at = gcl_text_write_id(at, effect->member);
    *at++ = ' ';
    at = gcl_text_write_list(at, &effect->members);
    if (effect->kind != GCL_MEMBERSHIP_HANDLE_LEAVE)
        return at;
    *at++ = ' ';
    return write_reason(at, effect);
}

static const char *const effect_names[] = {
    [GCL_MEMBERSHIP_SEND] = "send ",
    [GCL_MEMBERSHIP_MONITOR] = "monitor ",
    [GCL_MEMBERSHIP_DEMONITOR] = "demonitor ",
    [GCL_MEMBERSHIP_REGISTER_LOCAL] = "register_local",
    [GCL_MEMBERSHIP_UNREGISTER_LOCAL] = "unregister_local",
    [GCL_MEMBERSHIP_REGISTER_GLOBAL] = "register_global",
    [GCL_MEMBERSHIP_UNREGISTER_GLOBAL] = "unregister_global",
    [GCL_MEMBERSHIP_WHEREIS_GLOBAL] = "whereis_global",
    [GCL_MEMBERSHIP_WAKE] = "wake ",
    [GCL_MEMBERSHIP_HANDLE_JOIN] = "handle_join ",
    [GCL_MEMBERSHIP_HANDLE_NODE_JOINED] = "handle_node_joined ",
    [GCL_MEMBERSHIP_SILENT_JOIN] = "silent_join ",
    [GCL_MEMBERSHIP_HANDLE_LEAVE] = "handle_leave ",
    [GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE] = "handle_leader_change ",
    [GCL_MEMBERSHIP_IGNORED] = "ignored ",
};

char *gcl_text_write_effect(char *at, const struct gcl_membership_effect *effect)
{
    at += sprintf(at, "%s", effect_names[effect->kind]);
    switch (effect->kind) {
    case GCL_MEMBERSHIP_SEND:
        at = write_target(at, &effect->to);
        *at++ = ' ';
        return gcl_text_write_message(at, &effect->message);
    case GCL_MEMBERSHIP_MONITOR:
        at = write_target(at, &effect->to);
        return at + sprintf(at, " %" PRIu64, effect->tag);
    case GCL_MEMBERSHIP_DEMONITOR:
        return at + sprintf(at, "%" PRIu64, effect->tag);
    case GCL_MEMBERSHIP_WAKE:
        if (effect->at_ms == GCL_NEVER)
            return at + sprintf(at, "none");
        return at + sprintf(at, "%" PRIu64, effect->at_ms);
    case GCL_MEMBERSHIP_HANDLE_JOIN:
    case GCL_MEMBERSHIP_HANDLE_NODE_JOINED:
    case GCL_MEMBERSHIP_SILENT_JOIN:
    case GCL_MEMBERSHIP_HANDLE_LEAVE:
    case GCL_MEMBERSHIP_HANDLE_LEADER_CHANGE:
        return write_callback(at, effect);
    case GCL_MEMBERSHIP_IGNORED:
        return write_str(at, effect->member->node);
    default:
        return at;
    }
}

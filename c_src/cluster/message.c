/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/message.h"

#include <string.h>

#include "wire/term/context.h"

static const char *const kinds[GCL_MEMBERSHIP_MESSAGE_KINDS] = {
    [GCL_MEMBERSHIP_HELLO] = "hello", [GCL_MEMBERSHIP_ACK] = "ack",
    [GCL_MEMBERSHIP_LIST] = "list",   [GCL_MEMBERSHIP_SYNC] = "sync",
    [GCL_MEMBERSHIP_INFO] = "info",   [GCL_MEMBERSHIP_LEAVE] = "leave",
};

static struct gcl_str str_of(gcl_bytes bytes)
{
    return gcl_str_make(bytes.bytes, bytes.size);
}

static struct gcl_str whole(gcl_term term)
{
    return gcl_str_make(gcl_term_bytes(term), gcl_term_size(term));
}

/* --- pids ----------------------------------------------------------------------------------- */

void gcl_cluster_pids_fini(struct gcl_cluster_pids *pids)
{
    gcl_free(pids->mem, pids->ids);
    gcl_free(pids->mem, (void *)pids->pointers);
    pids->ids = NULL;
    pids->pointers = NULL;
    pids->capacity = 0;
}

static int reserve(struct gcl_cluster_pids *pids, size_t count)
{
    if (count <= pids->capacity)
        return 0;
    struct gcl_member_id *ids = gcl_resize(pids->mem, pids->ids, count * sizeof *ids);
    if (ids == NULL)
        return GCL_ENOMEM;
    pids->ids = ids;
    void *pointers = gcl_resize(pids->mem, (void *)pids->pointers, count * sizeof(void *));
    if (pointers == NULL)
        return GCL_ENOMEM;
    pids->pointers = pointers;
    pids->capacity = count;
    return 0;
}

bool gcl_cluster_pid_decode(gcl_term term, struct gcl_member_id *id)
{
    struct gcl_cursor cursor = gcl_term_cursor(term);
    struct gcl_wire_pid pid;
    if (!gcl_wire_pid_decode(&cursor, &pid) || gcl_cursor_left(&cursor) != 0)
        return false;
    *id = (struct gcl_member_id){pid.node, pid.creation, pid.serial, pid.id};
    return true;
}

int gcl_cluster_pid_encode(gcl_writer *writer, const struct gcl_member_id *id)
{
    struct gcl_wire_pid pid = {id->node, id->id, id->serial, id->creation};
    return gcl_wire_pid_encode(writer->buffer, &pid);
}

/* --- what a member says of itself ----------------------------------------------------------- */

/* The limits are those of the external format with its version byte. */
static bool is_small(gcl_term term, size_t most)
{
    return gcl_term_size(term) + 1 <= most;
}

struct gcl_str gcl_cluster_meta_of(gcl_term term)
{
    bool is_empty = !gcl_match(term, "#{}") || !is_small(term, GCL_MEMBERSHIP_META_MAX_BYTES);
    gcl_items items;
    gcl_term item;
    if (is_empty || !gcl_items_begin(&items, term) || !gcl_items_next(&items, &item))
        return gcl_str_make(NULL, 0);
    return whole(term);
}

struct gcl_str gcl_cluster_children_of(gcl_term term)
{
    struct gcl_member_id id;
    struct gcl_str none = gcl_str_make(NULL, 0);
    gcl_term child, pid;
    gcl_bytes type;
    gcl_items items;
    if (!gcl_match(term, "[_ | _]") || !is_small(term, GCL_MEMBERSHIP_CHILDREN_MAX_BYTES) ||
        !gcl_items_begin(&items, term))
        return none;
    while (gcl_items_next(&items, &child))
        if (!gcl_match(child, "{~a, ~t}", &type, &pid) || !gcl_cluster_pid_decode(pid, &id))
            return none;
    return gcl_items_is_proper_end(&items) ? whole(term) : none;
}

/* --- keys: each false when the value makes no sense ----------------------------------------- */

struct reading {
    struct gcl_membership_message *message;
    struct gcl_cluster_pids *room;
    int error; /* GCL_ENOMEM */
};

static bool read_positive(gcl_term value, uint64_t *number)
{
    return gcl_match(value, "~u", number) && *number > 0;
}

static bool read_stay(struct reading *reading, gcl_term value)
{
    return read_positive(value, &reading->message->stay);
}

static bool read_nonce(struct reading *reading, gcl_term value)
{
    return read_positive(value, &reading->message->nonce);
}

static bool read_echo(struct reading *reading, gcl_term value)
{
    return read_positive(value, &reading->message->echo);
}

static bool read_v(struct reading *reading, gcl_term value)
{
    return gcl_match(value, "~u", &reading->message->info.v);
}

static bool read_phase(struct reading *reading, gcl_term value)
{
    reading->message->info.settled = gcl_match(value, "settled");
    return reading->message->info.settled || gcl_match(value, "joining");
}

static bool read_claim(struct reading *reading, gcl_term value)
{
    return gcl_match(value, "~a", &reading->message->info.claim);
}

static bool read_hidden(struct reading *reading, gcl_term value)
{
    return gcl_match(value, "~a", &reading->message->info.hidden);
}

static bool read_type(struct reading *reading, gcl_term value)
{
    gcl_bytes type;
    if (!gcl_match(value, "~a", &type))
        return false;
    reading->message->info.label.type = str_of(type);
    return true;
}

static bool read_meta(struct reading *reading, gcl_term value)
{
    reading->message->info.label.meta = gcl_cluster_meta_of(value);
    return true;
}

static bool read_children(struct reading *reading, gcl_term value)
{
    reading->message->info.label.children = gcl_cluster_children_of(value);
    return true;
}

/* These are there when they are true. */
static bool read_flag(struct reading *reading, gcl_term value, uint32_t key)
{
    bool is_true;
    if (!gcl_match(value, "~a", &is_true))
        return false;
    if (!is_true)
        reading->message->keys &= ~key;
    return true;
}

static bool read_want(struct reading *reading, gcl_term value)
{
    return read_flag(reading, value, GCL_MEMBERSHIP_KEY_WANT);
}

static bool read_contact(struct reading *reading, gcl_term value)
{
    return read_flag(reading, value, GCL_MEMBERSHIP_KEY_CONTACT);
}

/* One of another length equals none of ours, and neither do zeros. */
static bool read_digest(struct reading *reading, gcl_term value)
{
    gcl_bytes digest;
    if (!gcl_match(value, "~b", &digest))
        return false;
    if (digest.size == GCL_MEMBERSHIP_DIGEST_BYTES)
        memcpy(reading->message->digest, digest.bytes, digest.size);
    return true;
}

static bool read_holder(struct reading *reading, gcl_term value)
{
    return gcl_cluster_pid_decode(value, &reading->message->holder);
}

static bool read_pids(struct reading *reading, gcl_term value)
{
    struct gcl_cluster_pids *room = reading->room;
    gcl_term pid;
    gcl_items items;
    size_t count = 0;
    bool is_list = gcl_match(value, "[]") || gcl_match(value, "[_ | _]");
    if (!is_list || !gcl_items_begin(&items, value) || items.left > GCL_MEMBERSHIP_LIST_MAX)
        return false;
    if ((reading->error = reserve(room, items.left)) != 0)
        return false;
    while (gcl_items_next(&items, &pid)) {
        if (count == room->capacity || !gcl_cluster_pid_decode(pid, &room->ids[count]))
            return false;
        room->pointers[count] = &room->ids[count];
        count++;
    }
    reading->message->pids = gcl_member_list_of(room->pointers, count);
    return gcl_items_is_proper_end(&items);
}

static const struct key {
    const char *name;
    uint32_t bit;
    bool (*read)(struct reading *reading, gcl_term value);
    const char *wrong;
} keys[] = {
    {"stay", GCL_MEMBERSHIP_KEY_STAY, read_stay, "bad stay"},
    {"v", GCL_MEMBERSHIP_KEY_V, read_v, "bad v"},
    {"phase", GCL_MEMBERSHIP_KEY_PHASE, read_phase, "bad phase"},
    {"claim", GCL_MEMBERSHIP_KEY_CLAIM, read_claim, "bad claim"},
    {"hidden", GCL_MEMBERSHIP_KEY_HIDDEN, read_hidden, "bad hidden"},
    {"type", GCL_MEMBERSHIP_KEY_TYPE, read_type, "bad type"},
    {"meta", GCL_MEMBERSHIP_KEY_META, read_meta, NULL},
    {"children", GCL_MEMBERSHIP_KEY_CHILDREN, read_children, NULL},
    {"nonce", GCL_MEMBERSHIP_KEY_NONCE, read_nonce, "bad nonce"},
    {"echo", GCL_MEMBERSHIP_KEY_ECHO, read_echo, "bad echo"},
    {"want", GCL_MEMBERSHIP_KEY_WANT, read_want, "bad want"},
    {"contact", GCL_MEMBERSHIP_KEY_CONTACT, read_contact, "bad contact"},
    {"digest", GCL_MEMBERSHIP_KEY_DIGEST, read_digest, "bad digest"},
    {"holder", GCL_MEMBERSHIP_KEY_HOLDER, read_holder, "bad holder"},
    {"pids", GCL_MEMBERSHIP_KEY_PIDS, read_pids, "bad pids"},
};
enum { KEYS = sizeof keys / sizeof *keys };

static const struct key *find_key(gcl_term term)
{
    gcl_bytes name;
    if (!gcl_match(term, "~a", &name))
        return NULL;
    for (size_t i = 0; i < KEYS; i++)
        if (gcl_str_is(str_of(name), keys[i].name))
            return &keys[i];
    return NULL;
}

/* --- in ------------------------------------------------------------------------------------- */

struct envelope {
    gcl_term version, kind, cluster, from, map;
};

static bool open_envelope(gcl_term term, struct envelope *out)
{
    return gcl_match(term, "{'$gen_cluster', ~t, ~t, ~t, ~t, ~t}", &out->version, &out->kind,
                     &out->cluster, &out->from, &out->map);
}

bool gcl_cluster_message_is(gcl_term term)
{
    struct envelope envelope;
    return open_envelope(term, &envelope);
}

bool gcl_cluster_message_from(gcl_term term, struct gcl_member_id *from)
{
    struct envelope envelope;
    return open_envelope(term, &envelope) && gcl_cluster_pid_decode(envelope.from, from);
}

static bool find_kind(gcl_term term, struct gcl_membership_message *message)
{
    gcl_bytes name;
    if (!gcl_match(term, "~a", &name))
        return false;
    for (int i = 0; i < GCL_MEMBERSHIP_MESSAGE_KINDS; i++) {
        message->kind = (enum gcl_membership_message_kind)i;
        if (gcl_str_is(str_of(name), kinds[i]))
            return true;
    }
    return false;
}

/* 0 when it is of our version and cluster. */
static int check_envelope(const struct envelope *envelope, struct gcl_str cluster,
                          struct gcl_membership_message *message, const char **wrong)
{
    gcl_bytes name;
    uint64_t version;
    *wrong = "malformed";
    if (!gcl_cluster_pid_decode(envelope->from, &message->from) || !gcl_match(envelope->map, "#{}"))
        return GCL_ETERM;
    *wrong = "another version";
    if (!gcl_match(envelope->version, "~u", &version) || version != GCL_CLUSTER_VERSION)
        return GCL_ENOTSUP;
    *wrong = "another cluster";
    if (!gcl_match(envelope->cluster, "~a", &name) || !gcl_str_equal(str_of(name), cluster))
        return GCL_ENOTSUP;
    *wrong = "unknown kind";
    return find_kind(envelope->kind, message) ? 0 : GCL_ENOTSUP;
}

static int read_map(struct reading *reading, gcl_term map, const char **wrong)
{
    gcl_term name, value;
    gcl_items items;
    if (!gcl_items_begin(&items, map))
        return GCL_ETERM;
    while (gcl_items_next(&items, &name) && gcl_items_next(&items, &value)) {
        const struct key *key = find_key(name);
        if (key == NULL)
            continue; /* of a newer member */
        reading->message->keys |= key->bit;
        if (!key->read(reading, value)) {
            *wrong = key->wrong;
            return reading->error != 0 ? reading->error : GCL_ETERM;
        }
    }
    return 0;
}

int gcl_cluster_message_decode(struct gcl_cluster_pids *room, gcl_term term, struct gcl_str cluster,
                               struct gcl_membership_message *message, const char **wrong)
{
    struct reading reading = {.room = room};
    struct envelope envelope;
    memset(message, 0, sizeof *message);
    reading.message = message;
    *wrong = "malformed";
    if (gcl_term_check(term) != 0 || !open_envelope(term, &envelope))
        return GCL_ETERM;
    int error = check_envelope(&envelope, cluster, message, wrong);
    return error != 0 ? error : read_map(&reading, envelope.map, wrong);
}

/* --- out ------------------------------------------------------------------------------------ */

static gcl_term encoded(const gcl_writer *writer, struct gcl_str bytes, const char *empty)
{
    struct gcl_str term = bytes.size > 0 ? bytes : gcl_str_make(empty, strlen(empty));
    return gcl_term_of(writer->context, term);
}

/* A map without keys has zeros in it. */
static int write_meta(gcl_writer *writer, struct gcl_str meta)
{
    return meta.size > 0 ? gcl_write(writer, "~t", encoded(writer, meta, ""))
                         : gcl_write_map(writer, 0);
}

static int write_pids(gcl_writer *writer, const struct gcl_member_list *pids)
{
    int error = gcl_write_list(writer, (uint32_t)pids->count);
    for (size_t i = 0; i < pids->count && error == 0; i++)
        error = gcl_cluster_pid_encode(writer, gcl_member_list_at(pids, i));
    return error != 0 || pids->count == 0 ? error : gcl_write(writer, "[]");
}

static int write_value(gcl_writer *writer, const struct gcl_membership_message *message,
                       enum gcl_membership_key key)
{
    const struct gcl_membership_info *info = &message->info;
    gcl_bytes digest = {message->digest, GCL_MEMBERSHIP_DIGEST_BYTES};
    switch (key) {
    case GCL_MEMBERSHIP_KEY_STAY:
        return gcl_write(writer, "~u", message->stay);
    case GCL_MEMBERSHIP_KEY_V:
        return gcl_write(writer, "~u", info->v);
    case GCL_MEMBERSHIP_KEY_PHASE:
        return gcl_write(writer, "~a", info->settled ? "settled" : "joining");
    case GCL_MEMBERSHIP_KEY_CLAIM:
        return gcl_write(writer, "~a", info->claim);
    case GCL_MEMBERSHIP_KEY_HIDDEN:
        return gcl_write(writer, "~a", info->hidden);
    case GCL_MEMBERSHIP_KEY_TYPE:
        return gcl_write(writer, "~a", gcl_bytes_of(info->label.type));
    case GCL_MEMBERSHIP_KEY_META:
        return write_meta(writer, info->label.meta);
    case GCL_MEMBERSHIP_KEY_CHILDREN:
        return gcl_write(writer, "~t", encoded(writer, info->label.children, "\x6a"));
    case GCL_MEMBERSHIP_KEY_NONCE:
        return gcl_write(writer, "~u", message->nonce);
    case GCL_MEMBERSHIP_KEY_ECHO:
        return gcl_write(writer, "~u", message->echo);
    case GCL_MEMBERSHIP_KEY_WANT:
    case GCL_MEMBERSHIP_KEY_CONTACT:
        return gcl_write(writer, "true");
    case GCL_MEMBERSHIP_KEY_DIGEST:
        return gcl_write(writer, "~b", digest);
    case GCL_MEMBERSHIP_KEY_HOLDER:
        return gcl_cluster_pid_encode(writer, &message->holder);
    case GCL_MEMBERSHIP_KEY_PIDS:
        return write_pids(writer, &message->pids);
    case GCL_MEMBERSHIP_KEYS_INFO:
        break; /* several */
    }
    return GCL_EINVAL;
}

static int write_map(gcl_writer *writer, const struct gcl_membership_message *message)
{
    uint32_t bits = message->keys, count = 0;
    if (bits & GCL_MEMBERSHIP_KEY_V)
        bits |= GCL_MEMBERSHIP_KEY_META; /* as in Erlang: there even when it is empty */
    for (size_t i = 0; i < KEYS; i++)
        count += (bits & keys[i].bit) != 0;
    int error = gcl_write_map(writer, count);
    for (size_t i = 0; i < KEYS && error == 0; i++) {
        if ((bits & keys[i].bit) == 0)
            continue;
        error = gcl_write(writer, "~a", keys[i].name);
        if (error == 0)
            error = write_value(writer, message, (enum gcl_membership_key)keys[i].bit);
    }
    return error;
}

int gcl_cluster_message_encode(gcl_writer *writer, struct gcl_str cluster,
                               const struct gcl_membership_message *message)
{
    int error = gcl_write_tuple(writer, 6);
    if (error == 0)
        error = gcl_write(writer, "'$gen_cluster'");
    if (error == 0)
        error = gcl_write(writer, "~i", GCL_CLUSTER_VERSION);
    if (error == 0)
        error = gcl_write(writer, "~a", kinds[message->kind]);
    if (error == 0)
        error = gcl_write(writer, "~a", gcl_bytes_of(cluster));
    if (error == 0)
        error = gcl_cluster_pid_encode(writer, &message->from);
    return error != 0 ? error : write_map(writer, message);
}

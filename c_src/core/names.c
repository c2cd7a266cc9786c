/* SPDX-License-Identifier: Apache-2.0 */
#include "core/names.h"

#include <string.h>

#include <gen_cluster/error.h>

struct name_key {
    struct gcl_str text;
    uint32_t creation;
};

static bool name_equal(const void *item, const void *wanted)
{
    const struct gcl_name *name = item;
    const struct name_key *key = wanted;
    return name->creation == key->creation && gcl_str_equal(gcl_name_str(name), key->text);
}

static bool is_same(const void *item, const void *wanted)
{
    return item == wanted;
}

/* The creation is mixed in afterwards, so that the text need not be copied next to it. */
static uint32_t name_hash(const struct gcl_names *names, const struct name_key *key)
{
    return gcl_hash(names->seed, key->text.bytes, key->text.size) ^ key->creation * 0x9e3779b1U;
}

void gcl_names_init(struct gcl_names *names, const gcl_allocator *mem, const uint64_t seed[2],
                    uint32_t limit)
{
    memset(names, 0, sizeof *names);
    names->mem = mem;
    names->seed[0] = seed[0];
    names->seed[1] = seed[1];
    names->limit = limit;
    gcl_list_init(&names->idle);
    gcl_list_init(&names->vacant);
    gcl_table_init(&names->table, mem);
}

void gcl_names_fini(struct gcl_names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        gcl_free(names->mem, names->places[i]->bytes);
        gcl_free(names->mem, names->places[i]);
    }
    gcl_free(names->mem, names->places);
    gcl_table_fini(&names->table);
    gcl_names_init(names, names->mem, names->seed, names->limit);
}

static bool is_name(struct gcl_str text)
{
    return text.size > 0 && text.size <= GCL_NODE_NAME_MAX_BYTES;
}

static void vacate(struct gcl_names *names, struct gcl_name *name)
{
    struct name_key key = {gcl_name_str(name), name->creation};
    (void)gcl_table_remove(&names->table, name->hash, name_equal, &key);
    gcl_free(names->mem, name->bytes);
    name->bytes = NULL;
    name->size = 0;
    name->route = NULL;
    name->in_use = false;
    /* 0 means "nobody" in a pid. */
    if (++name->generation == 0)
        name->generation = 1;
    gcl_list_remove(&name->idle);
    gcl_list_add_last(&names->vacant, &name->idle);
}

static int add_place(struct gcl_names *names)
{
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity > 0 ? names->capacity * 2 : 16;
        void *places = gcl_resize(names->mem, names->places, capacity * sizeof(void *));
        if (places == NULL)
            return GCL_ENOMEM;
        names->places = places;
        names->capacity = capacity;
    }
    struct gcl_name *name = gcl_alloc_zero(names->mem, sizeof *name);
    if (name == NULL)
        return GCL_ENOMEM;
    name->index = names->count;
    name->generation = 1;
    names->places[names->count++] = name;
    gcl_list_init(&name->idle);
    gcl_list_add_last(&names->vacant, &name->idle);
    return 0;
}

/* A place that nobody uses: recycled when there are many, else vacant, else a new one. */
static int find_vacant(struct gcl_names *names, struct gcl_name **out)
{
    if (gcl_table_count(&names->table) >= names->limit && !gcl_list_is_empty(&names->idle))
        vacate(names, GCL_CONTAINER_OF(gcl_list_first(&names->idle), struct gcl_name, idle));
    if (gcl_list_is_empty(&names->vacant)) {
        int error = add_place(names);
        if (error != 0)
            return error;
    }
    *out = GCL_CONTAINER_OF(gcl_list_first(&names->vacant), struct gcl_name, idle);
    return 0;
}

static int settle(struct gcl_names *names, struct gcl_name *name, const struct name_key *key)
{
    uint8_t *bytes = gcl_alloc_copy(names->mem, key->text.bytes, key->text.size);
    if (bytes == NULL)
        return GCL_ENOMEM;
    uint32_t hash = name_hash(names, key);
    if (gcl_table_add(&names->table, hash, name) != 0) {
        gcl_free(names->mem, bytes);
        return GCL_ENOMEM;
    }
    name->bytes = bytes;
    name->size = (uint16_t)key->text.size;
    name->creation = key->creation;
    name->hash = hash;
    name->in_use = true;
    gcl_list_remove(&name->idle);
    if (name->holds == 0)
        gcl_list_add_last(&names->idle, &name->idle);
    return 0;
}

int gcl_names_set_local(struct gcl_names *names, struct gcl_str text, uint32_t creation)
{
    struct name_key key = {text, creation};
    if (!is_name(text))
        return GCL_ENAME;
    if (names->count == 0) {
        int error = add_place(names);
        if (error != 0)
            return error;
    }
    struct gcl_name *local = names->places[GCL_NAMES_LOCAL];
    uint8_t *old_bytes = local->bytes;
    uint32_t old_hash = local->hash;
    bool renamed = local->in_use;
    local->holds = 1;
    int error = settle(names, local, &key);
    if (error != 0)
        return error;
    if (renamed)
        (void)gcl_table_remove(&names->table, old_hash, is_same, local);
    gcl_free(names->mem, old_bytes);
    return 0;
}

/* The local node and the one found last, without hashing. */
static struct gcl_name *find_recent(struct gcl_names *names, const struct name_key *key)
{
    const uint32_t places[] = {names->recent, GCL_NAMES_LOCAL};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i] >= names->count)
            continue;
        struct gcl_name *name = names->places[places[i]];
        if (name->in_use && name_equal(name, key))
            return name;
    }
    return NULL;
}

static struct gcl_name *find(struct gcl_names *names, const struct name_key *key)
{
    struct gcl_name *name = find_recent(names, key);
    if (name != NULL)
        return name;
    name = gcl_table_find(&names->table, name_hash(names, key), name_equal, key);
    if (name != NULL)
        names->recent = name->index;
    return name;
}

int gcl_names_intern(struct gcl_names *names, struct gcl_str text, uint32_t creation,
                     struct gcl_name **out)
{
    struct name_key key = {text, creation};
    if (!is_name(text))
        return GCL_ENAME;
    struct gcl_name *name = find(names, &key);
    if (name == NULL) {
        /* No node can be called so, and programs see names as C strings. */
        if (memchr(text.bytes, '\0', text.size) != NULL)
            return GCL_ENAME;
        int error = find_vacant(names, &name);
        if (error == 0)
            error = settle(names, name, &key);
        if (error != 0)
            return error;
    } else if (name->holds == 0) {
        gcl_list_remove(&name->idle);
        gcl_list_add_last(&names->idle, &name->idle);
    }
    *out = name;
    return 0;
}

void gcl_names_hold(struct gcl_names *names, struct gcl_name *name)
{
    (void)names;
    if (name->holds++ == 0)
        gcl_list_remove(&name->idle);
}

void gcl_names_release(struct gcl_names *names, struct gcl_name *name)
{
    if (--name->holds == 0)
        gcl_list_add_last(&names->idle, &name->idle);
}

void gcl_names_clear_route(struct gcl_names *names, const void *route)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->places[i]->route == route)
            names->places[i]->route = NULL;
}

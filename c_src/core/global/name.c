/* SPDX-License-Identifier: Apache-2.0 */
/* The global names, as far as this node knows. */
#include "core/global/machine.h"
#include "wire/term/write.h"

static bool has_key(const void *item, const void *key)
{
    const struct gcl_gns_name *name = item;
    return gcl_str_equal(name->key, *(const struct gcl_str *)key);
}

struct gcl_gns_name *gcl_gns_name_find(struct gcl_gns *gns, gcl_term term)
{
    struct gcl_str key;
    uint32_t hash;
    if (!gcl_gns_key(gns, term, &key, &hash))
        return NULL;
    return gcl_table_find(&gns->names, hash, has_key, &key);
}

bool gcl_gns_name_fits(struct gcl_gns *gns, gcl_term term)
{
    struct gcl_str key;
    uint32_t hash;
    return gcl_gns_key(gns, term, &key, &hash) &&
           (gcl_table_count(&gns->names) < gns->config.max_names ||
            gcl_table_find(&gns->names, hash, has_key, &key) != NULL);
}

static void free_name(struct gcl_gns *gns, struct gcl_gns_name *name)
{
    gns->name_bytes -= name->bytes;
    gcl_list_remove(&name->at_watch);
    gcl_gns_forget(&name->name);
    gcl_gns_forget(&name->method);
    gcl_gns_forget(&name->registered_by);
    gcl_free(gns->config.mem, (void *)(uintptr_t)name->key.bytes);
    gcl_free(gns->config.mem, name);
}

static void take_out(struct gcl_gns *gns, struct gcl_gns_name *name)
{
    (void)gcl_table_remove(&gns->names, name->hash, has_key, &name->key);
    free_name(gns, name);
}

static struct gcl_gns_name *new_name(struct gcl_gns *gns, gcl_term term, gcl_pid pid)
{
    struct gcl_str key;
    uint32_t hash;
    if (gcl_table_count(&gns->names) >= gns->config.max_names) {
        gcl_gns_log_not_kept(gns, term, pid, "there are too many");
        return NULL;
    }
    if (!gcl_gns_key(gns, term, &key, &hash)) {
        gcl_gns_log_not_kept(gns, term, pid, "it is nested too deep, or too large");
        return NULL;
    }
    struct gcl_gns_name *name = gcl_alloc_zero(gns->config.mem, sizeof *name);
    uint8_t *bytes = gcl_alloc_copy(gns->config.mem, key.bytes, key.size);
    if (name == NULL || bytes == NULL || gcl_table_add(&gns->names, hash, name) != 0) {
        gns->has_failed = true;
        gcl_free(gns->config.mem, bytes);
        gcl_free(gns->config.mem, name);
        return NULL;
    }
    gcl_list_init(&name->at_watch);
    name->hash = hash;
    name->key = gcl_str_make(bytes, key.size);
    gcl_gns_keep(gns, &name->name, term);
    return name;
}

/* A method comes with the name in messages to others, which must not be too deep or large for them.
 */
static bool has_room(struct gcl_gns *gns, const struct gcl_gns_name *name, gcl_term term,
                     gcl_pid pid, gcl_term method, size_t *bytes)
{
    size_t others = gns->name_bytes - (name != NULL ? name->bytes : 0);
    struct gcl_str key;
    uint32_t hash;
    *bytes = 2 * term.size + method.size;
    bool is_small = others + *bytes <= gns->config.max_name_bytes;
    if (is_small && gcl_gns_key(gns, method, &key, &hash))
        return true;
    gcl_gns_log_not_kept(gns, term, pid,
                         is_small ? "its method is nested too deep, or too large"
                                  : "the names are too large together");
    return false;
}

static void tell_if_own(struct gcl_gns *gns, const struct gcl_gns_name *name)
{
    if (gcl_gns_is_own_pid(gns, name->watch->pid))
        gcl_gns_tell_lost(gns, name->name, name->watch->pid);
}

/* The watch of the old process ends behind the beginning of the new one's: they may be one. */
static void set_process(struct gcl_gns *gns, struct gcl_gns_name *name, struct gcl_gns_watch *watch)
{
    struct gcl_gns_watch *old = name->watch;
    if (old == watch)
        return;
    if (old != NULL)
        tell_if_own(gns, name);
    gcl_list_remove(&name->at_watch);
    gcl_list_add_last(&watch->names, &name->at_watch);
    name->watch = watch;
    if (old != NULL)
        gcl_gns_watch_tidy(gns, old);
}

struct gcl_gns_name *gcl_gns_name_insert(struct gcl_gns *gns, gcl_term term, gcl_pid pid,
                                         gcl_term method, gcl_term registered_by)
{
    struct gcl_gns_name *name = gcl_gns_name_find(gns, term);
    size_t bytes;
    if (!has_room(gns, name, term, pid, method, &bytes))
        return NULL;
    if (name == NULL)
        name = new_name(gns, term, pid);
    if (name == NULL)
        return NULL;
    struct gcl_gns_watch *watch = gcl_gns_watch_of(gns, pid);
    if (watch == NULL) {
        if (name->watch == NULL)
            take_out(gns, name);
        return NULL;
    }
    set_process(gns, name, watch);
    gns->name_bytes += bytes - name->bytes;
    name->bytes = bytes;
    gcl_gns_keep(gns, &name->method, method);
    if (gcl_term_is_none(registered_by))
        gcl_gns_forget(&name->registered_by);
    else
        gcl_gns_keep(gns, &name->registered_by, registered_by);
    return name;
}

void gcl_gns_name_delete(struct gcl_gns *gns, struct gcl_gns_name *name, bool is_lost)
{
    struct gcl_gns_watch *watch = name->watch;
    if (is_lost)
        tell_if_own(gns, name);
    take_out(gns, name);
    gcl_gns_watch_tidy(gns, watch);
}

void gcl_gns_names_down(struct gcl_gns *gns, struct gcl_gns_watch *watch)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&watch->names)) != NULL)
        take_out(gns, GCL_CONTAINER_OF(at, struct gcl_gns_name, at_watch));
}

void gcl_gns_names_fini(struct gcl_gns *gns)
{
    struct gcl_gns_name *name;
    size_t position = 0;
    while ((name = gcl_table_each(&gns->names, &position)) != NULL)
        free_name(gns, name);
    gcl_table_fini(&gns->names);
}

/* --- lists of all --------------------------------------------------------------------------- */

/* Where many are inserted at once, the first may have been forgotten before its monitor is set: it
 * counts for dead in a moment. */
static uint32_t count_fresh(const struct gcl_gns *gns)
{
    const struct gcl_gns_name *name;
    size_t position = 0;
    uint32_t count = 0;
    while ((name = gcl_table_each(&gns->names, &position)) != NULL)
        count += gcl_gns_pid_is_fresh(gns, name->watch->pid);
    return count;
}

void gcl_gns_write_names(struct gcl_gns *gns, struct gcl_buffer *out)
{
    const struct gcl_gns_name *name;
    size_t position = 0;
    uint32_t count = count_fresh(gns);
    int error = gcl_write_list_head(out, count);
    while (error == 0 && (name = gcl_table_each(&gns->names, &position)) != NULL) {
        if (!gcl_gns_pid_is_fresh(gns, name->watch->pid))
            continue;
        gcl_message item = GCL_MESSAGE("{~t, ~p, ~t}", name->name, name->watch->pid, name->method);
        error = gcl_term_build(gns->config.terms, out, &item);
    }
    if (error == 0 && count > 0)
        error = gcl_write_list_head(out, 0);
    (void)gcl_gns_check(gns, error);
}

void gcl_gns_write_external_names(struct gcl_gns *gns, struct gcl_buffer *out)
{
    struct gcl_gns_ops list;
    const struct gcl_gns_name *name;
    size_t position = 0;
    gcl_gns_ops_init(gns, &list);
    while ((name = gcl_table_each(&gns->names, &position)) != NULL)
        if (!gcl_term_is_none(name->registered_by) && gcl_gns_pid_is_fresh(gns, name->watch->pid))
            gcl_gns_ops_add(
                gns, &list,
                GCL_MESSAGE("{~t, ~p, ~t}", name->name, name->watch->pid, name->registered_by));
    gcl_gns_ops_write(gns, &list, out);
    gcl_gns_ops_fini(&list);
}

/* --- questions ------------------------------------------------------------------------------ */

gcl_pid gcl_gns_whereis(struct gcl_gns *gns, gcl_term term)
{
    static const gcl_pid nobody = {0};
    const struct gcl_gns_name *name = gcl_gns_name_find(gns, term);
    return name != NULL ? name->watch->pid : nobody;
}

void gcl_gns_each_name(const struct gcl_gns *gns,
                       void (*each)(gcl_term name, gcl_pid pid, void *user), void *user)
{
    const struct gcl_gns_name *name;
    size_t position = 0;
    while ((name = gcl_table_each(&gns->names, &position)) != NULL)
        each(name->name, name->watch->pid, user);
}

size_t gcl_gns_name_count(const struct gcl_gns *gns)
{
    return gcl_table_count(&gns->names);
}

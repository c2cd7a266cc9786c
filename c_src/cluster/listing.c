/* SPDX-License-Identifier: Apache-2.0 */
/* Who is there: as structs for programs, as terms for those who ask by calls. */
#include "cluster/cluster.h"
#include "wire/term/context.h"

static struct gcl_member_list members_of(struct gcl_cluster *cluster)
{
    if (cluster->machine == NULL)
        return gcl_member_list_of(NULL, 0);
    return gcl_membership_members(cluster->machine);
}

static gcl_term term_or(struct gcl_cluster *cluster, struct gcl_str bytes, const char *empty,
                        size_t size)
{
    if (bytes.size == 0)
        bytes = gcl_str_make(empty, size);
    return gcl_term_of(&cluster->node->terms, bytes);
}

size_t gcl_cluster_count(gcl_cluster *cluster)
{
    return members_of(cluster).count;
}

static bool is_leader(const struct gcl_cluster *cluster, const struct gcl_member_id *id)
{
    const struct gcl_member_id *leader = gcl_membership_leader(cluster->machine);
    return leader != NULL && gcl_member_id_equal(leader, id);
}

bool gcl_cluster_member(gcl_cluster *cluster, size_t place, gcl_member *member)
{
    struct gcl_member_list members = members_of(cluster);
    struct gcl_membership_info info;
    if (place >= members.count)
        return false;
    const struct gcl_member_id *id = gcl_member_list_at(&members, place);
    if (!gcl_membership_find(cluster->machine, id, &info) ||
        gcl_cluster_pid_of(cluster, id, &member->pid) != 0)
        return false;
    member->node = gcl_bytes_of(id->node);
    member->type = gcl_bytes_of(info.label.type);
    member->meta = term_or(cluster, info.label.meta, "\x74\0\0\0\0", 5);
    member->children = term_or(cluster, info.label.children, "\x6a", 1);
    member->is_leader = is_leader(cluster, id);
    return true;
}

gcl_pid gcl_cluster_leader(const gcl_cluster *cluster)
{
    const struct gcl_member_id *leader =
        cluster->machine != NULL ? gcl_membership_leader(cluster->machine) : NULL;
    gcl_pid pid = {0};
    if (leader != NULL)
        (void)gcl_cluster_pid_of((gcl_cluster *)(uintptr_t)cluster, leader, &pid);
    return pid;
}

int gcl_cluster_write_members(struct gcl_cluster *cluster, gcl_writer *out)
{
    size_t count = gcl_cluster_count(cluster);
    gcl_member member;
    int error = gcl_write_list(out, (uint32_t)count);
    for (size_t i = 0; i < count && error == 0; i++) {
        if (!gcl_cluster_member(cluster, i, &member))
            return GCL_ENOMEM;
        error = gcl_write(out, "#{pid => ~p, node => ~a, type => ~a, meta => ~t, children => ~t}",
                          member.pid, member.node, member.type, member.meta, member.children);
    }
    return error != 0 || count == 0 ? error : gcl_write(out, "[]");
}

/* --- by type -------------------------------------------------------------------------------- */

struct entry {
    gcl_bytes type;
    gcl_term pid;
    gcl_pid member; /* none: `pid` is that of a child */
    bool is_listed;
};

struct entries {
    struct entry *items;
    size_t count;
};

static bool same_type(const struct entry *a, gcl_bytes type)
{
    return gcl_str_equal(gcl_str_make(a->type.bytes, a->type.size),
                         gcl_str_make(type.bytes, type.size));
}

static size_t count_children(const gcl_member *member)
{
    gcl_items items;
    gcl_term child;
    size_t count = 0;
    if (gcl_items_begin(&items, member->children))
        while (gcl_items_next(&items, &child))
            count++;
    return count;
}

static void add_children(struct entries *entries, const gcl_member *member)
{
    gcl_items items;
    gcl_term child;
    if (!gcl_items_begin(&items, member->children))
        return;
    while (gcl_items_next(&items, &child)) {
        struct entry *entry = &entries->items[entries->count];
        entries->count += gcl_match(child, "{~a, ~t}", &entry->type, &entry->pid);
    }
}

/* Each member, and behind it its children. */
static int collect(struct gcl_cluster *cluster, struct entries *entries)
{
    gcl_member member;
    size_t most = 1;
    for (size_t i = 0; gcl_cluster_member(cluster, i, &member); i++)
        most += 1 + count_children(&member);
    entries->count = 0;
    entries->items = gcl_alloc_array(cluster->mem, most, sizeof *entries->items);
    if (entries->items == NULL)
        return GCL_ENOMEM;
    for (size_t i = 0; gcl_cluster_member(cluster, i, &member); i++) {
        struct entry *entry = &entries->items[entries->count++];
        entry->type = member.type;
        entry->member = member.pid;
        add_children(entries, &member);
    }
    return 0;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
    gcl_pid pid;
    if (gcl_pid_is_none(a->member) && gcl_pid_is_none(b->member))
        return gcl_term_equal(a->pid, b->pid);
    if (gcl_pid_is_none(b->member))
        return gcl_match(b->pid, "~p", &pid) && gcl_pid_equal(pid, a->member);
    return gcl_pid_is_none(a->member) && is_same(b, a);
}

/* Members are different from one another; a child may be listed by several. */
static bool is_repeated(const struct entries *entries, size_t at)
{
    const struct entry *entry = &entries->items[at];
    for (size_t i = 0; i < at; i++) {
        const struct entry *before = &entries->items[i];
        bool is_child = gcl_pid_is_none(entry->member) || gcl_pid_is_none(before->member);
        if (is_child && same_type(before, entry->type) && is_same(before, entry))
            return true;
    }
    return false;
}

static int write_type(struct entries *entries, gcl_bytes type, gcl_writer *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        entry->is_listed = same_type(entry, type) && !is_repeated(entries, i);
        count += entry->is_listed;
    }
    int error = gcl_write_list(out, count);
    for (size_t i = 0; i < entries->count && error == 0; i++) {
        const struct entry *entry = &entries->items[i];
        if (entry->is_listed && gcl_pid_is_none(entry->member))
            error = gcl_write(out, "~t", entry->pid);
        else if (entry->is_listed)
            error = gcl_write(out, "~p", entry->member);
    }
    return error != 0 || count == 0 ? error : gcl_write(out, "[]");
}

int gcl_cluster_write_type(struct gcl_cluster *cluster, gcl_bytes type, gcl_writer *out)
{
    struct entries entries;
    int error = collect(cluster, &entries);
    if (error != 0)
        return error;
    error = write_type(&entries, type, out);
    gcl_free(cluster->mem, entries.items);
    return error;
}

int gcl_cluster_mod_plist(gcl_cluster *cluster, const char *type, gcl_writer *out)
{
    return gcl_cluster_write_type(cluster, gcl_bytes_of(gcl_str_of(type)), out);
}

static bool is_first_of_type(const struct entries *entries, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_type(&entries->items[i], entries->items[at].type))
            return false;
    return true;
}

static int write_types(struct entries *entries, gcl_writer *out)
{
    uint32_t types = 0;
    for (size_t i = 0; i < entries->count; i++)
        types += is_first_of_type(entries, i);
    int error = gcl_write_list(out, types);
    for (size_t i = 0; i < entries->count && error == 0; i++) {
        gcl_bytes type = entries->items[i].type;
        if (!is_first_of_type(entries, i))
            continue;
        error = gcl_write_tuple(out, 2);
        if (error == 0)
            error = gcl_write(out, "~a", type);
        if (error == 0)
            error = write_type(entries, type, out);
    }
    return error != 0 || types == 0 ? error : gcl_write(out, "[]");
}

int gcl_cluster_plist(gcl_cluster *cluster, gcl_writer *out)
{
    struct entries entries;
    int error = collect(cluster, &entries);
    if (error != 0)
        return error;
    error = write_types(&entries, out);
    gcl_free(cluster->mem, entries.items);
    return error;
}

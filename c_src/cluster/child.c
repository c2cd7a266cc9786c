/* SPDX-License-Identifier: Apache-2.0 */
/* Plain processes that a member lists as long as they live. */
#include <string.h>

#include "cluster/cluster.h"
#include "wire/term/context.h"

struct child {
    struct gcl_list at;
    gcl_ref ref;
    gcl_pid pid;
    struct gcl_str type; /* owned */
};

static void free_child(struct gcl_cluster *cluster, struct child *child)
{
    gcl_list_remove(&child->at);
    gcl_free(cluster->mem, (void *)(uintptr_t)child->type.bytes);
    gcl_free(cluster->mem, child);
}

static struct child *find(struct gcl_cluster *cluster, gcl_pid pid)
{
    GCL_LIST_EACH(&cluster->children, at, following)
    {
        struct child *child = GCL_CONTAINER_OF(at, struct child, at);
        if (gcl_pid_equal(child->pid, pid))
            return child;
    }
    return NULL;
}

int gcl_cluster_write_children(struct gcl_cluster *cluster, gcl_writer *out, size_t *count)
{
    *count = gcl_list_count(&cluster->children);
    int error = gcl_write_list(out, (uint32_t)*count);
    GCL_LIST_EACH(&cluster->children, at, following)
    {
        struct child *child = GCL_CONTAINER_OF(at, struct child, at);
        if (error == 0)
            error = gcl_write(out, "{~a, ~p}", gcl_bytes_of(child->type), child->pid);
    }
    return error != 0 || *count == 0 ? error : gcl_write(out, "[]");
}

static int new_child(struct gcl_cluster *cluster, gcl_pid pid, struct child **out)
{
    struct child *child = gcl_alloc_zero(cluster->mem, sizeof *child);
    if (child == NULL)
        return GCL_ENOMEM;
    gcl_list_init(&child->at);
    child->pid = pid;
    int error = gcl_monitor(cluster->server, gcl_to_pid(pid), &child->ref);
    if (error != 0) {
        gcl_free(cluster->mem, child);
        return error;
    }
    gcl_list_add_last(&cluster->children, &child->at);
    *out = child;
    return 0;
}

static void drop(struct gcl_cluster *cluster, struct child *child)
{
    (void)gcl_demonitor(cluster->server, child->ref);
    free_child(cluster, child);
}

int gcl_cluster_add_child_type(struct gcl_cluster *cluster, struct gcl_str type, gcl_pid pid)
{
    struct child *child = find(cluster, pid);
    bool is_new = child == NULL;
    uint8_t *copy = gcl_alloc_copy(cluster->mem, type.bytes, type.size);
    if (copy == NULL)
        return GCL_ENOMEM;
    int error = is_new ? new_child(cluster, pid, &child) : 0;
    if (error != 0) {
        gcl_free(cluster->mem, copy);
        return error;
    }
    struct gcl_str before = child->type;
    child->type = gcl_str_make(copy, type.size);
    error = gcl_cluster_update(cluster);
    if (error == 0) {
        gcl_free(cluster->mem, (void *)(uintptr_t)before.bytes);
    } else if (is_new) {
        drop(cluster, child);
    } else {
        gcl_free(cluster->mem, copy);
        child->type = before;
    }
    return error;
}

int gcl_cluster_add_child(gcl_cluster *cluster, const char *type, gcl_pid pid)
{
    int error = gcl_cluster_check(cluster);
    if (error == 0 && !gcl_wire_text_is_atom(gcl_str_of(type)))
        error = GCL_EINVAL;
    return error != 0 ? error : gcl_cluster_add_child_type(cluster, gcl_str_of(type), pid);
}

bool gcl_cluster_child_down(struct gcl_cluster *cluster, const gcl_ref *ref)
{
    GCL_LIST_EACH(&cluster->children, at, following)
    {
        struct child *child = GCL_CONTAINER_OF(at, struct child, at);
        if (!gcl_ref_equal(&child->ref, ref))
            continue;
        free_child(cluster, child);
        if (gcl_cluster_update(cluster) == GCL_ENOMEM)
            (void)gcl_cluster_break(cluster);
        return true;
    }
    return false;
}

void gcl_cluster_children_fini(struct gcl_cluster *cluster)
{
    struct gcl_list *first;
    while ((first = gcl_list_first(&cluster->children)) != NULL)
        free_child(cluster, GCL_CONTAINER_OF(first, struct child, at));
}

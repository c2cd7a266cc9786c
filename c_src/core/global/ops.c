/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on names: {insert, {Name, Pid, Method}} and {delete, Name}. spec: global, do_ops */
#include "core/global/machine.h"
#include "wire/term/write.h"

void gcl_gns_ops_init(struct gcl_gns *gns, struct gcl_gns_ops *ops)
{
    gcl_buffer_init(&ops->bytes, gns->config.mem, 0);
    ops->count = 0;
}

void gcl_gns_ops_fini(struct gcl_gns_ops *ops)
{
    gcl_buffer_fini(&ops->bytes);
    ops->count = 0;
}

void gcl_gns_ops_add(struct gcl_gns *gns, struct gcl_gns_ops *ops, gcl_message op)
{
    if (gcl_gns_check(gns, gcl_term_build(gns->config.terms, &ops->bytes, &op)))
        ops->count++;
}

void gcl_gns_ops_add_list(struct gcl_gns *gns, struct gcl_gns_ops *ops, gcl_term list)
{
    gcl_items items;
    gcl_term item;
    if (!gcl_items_begin(&items, list))
        return;
    while (gcl_items_next(&items, &item))
        gcl_gns_ops_add(gns, ops, GCL_MESSAGE("~t", item));
}

void gcl_gns_ops_write(struct gcl_gns *gns, const struct gcl_gns_ops *ops, struct gcl_buffer *out)
{
    int error = gcl_write_list_head(out, ops->count);
    if (error == 0 && ops->count > 0)
        error = gcl_buffer_append(out, gcl_buffer_bytes(&ops->bytes), gcl_buffer_size(&ops->bytes));
    if (error == 0 && ops->count > 0)
        error = gcl_write_list_head(out, 0);
    (void)gcl_gns_check(gns, error);
}

/* --- carrying out --------------------------------------------------------------------------- */

static void insert(struct gcl_gns *gns, gcl_term name, gcl_pid pid, gcl_term method,
                   gcl_term requester)
{
    struct gcl_gns_name *inserted =
        gcl_gns_name_insert(gns, name, pid, method, gcl_term_make(gns->config.terms, NULL, 0));
    /* The lock has gone with its holder: what was agreed on under it is void. */
    if (inserted != NULL && !gcl_gns_lock_is_requested_by(gns, requester))
        gcl_gns_name_delete(gns, inserted, true);
}

static void mark_external(struct gcl_gns *gns, gcl_term item)
{
    gcl_term name, registered_by;
    gcl_bytes node;
    gcl_pid pid;
    if (!gcl_match(item, "{~t, ~p, ~t}", &name, &pid, &registered_by) ||
        !gcl_match(registered_by, "~a", &node))
        return;
    struct gcl_gns_name *found = gcl_gns_name_find(gns, name);
    if (found != NULL && gcl_pid_equal(found->watch->pid, pid))
        gcl_gns_keep(gns, &found->registered_by, registered_by);
}

void gcl_gns_ops_run(struct gcl_gns *gns, gcl_term ops, gcl_term external, gcl_term requester)
{
    gcl_items items;
    gcl_term item, name, method;
    gcl_pid pid;
    for (bool is_begun = gcl_items_begin(&items, ops); is_begun && gcl_items_next(&items, &item);)
        if (gcl_match(item, "{insert, {~t, ~p, ~t}}", &name, &pid, &method))
            insert(gns, name, pid, method, requester);
    for (bool is_begun = gcl_items_begin(&items, external);
         is_begun && gcl_items_next(&items, &item);)
        mark_external(gns, item);
    for (bool is_begun = gcl_items_begin(&items, ops); is_begun && gcl_items_next(&items, &item);) {
        struct gcl_gns_name *found =
            gcl_match(item, "{delete, ~t}", &name) ? gcl_gns_name_find(gns, name) : NULL;
        if (found != NULL)
            gcl_gns_name_delete(gns, found, true);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that may have been set though nobody has said so. Who was lost before it answered set_lock
 * may have got the request, look at it later, because it is busy, and monitor its sender by a new
 * connection: then it holds a lock that nobody would free, and its partition waits for ever. So it
 * is told to free the lock as soon as it is there again, behind what it had got before. (OTP sends
 * del_lock to all that it has asked, at once, and connects to those that are lost for it.)
 */
#include <string.h>

#include "core/global/machine.h"

enum { DOUBTS_MAX = 1024 };

struct doubt {
    struct gcl_list at_gns;
    gcl_pid holder;
    gcl_term id; /* owned */
    struct gcl_str node;
    uint8_t bytes[];
};

static struct doubt *doubt_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct doubt, at_gns);
}

static void free_doubt(struct gcl_gns *gns, struct doubt *doubt)
{
    gcl_list_remove(&doubt->at_gns);
    gns->doubt_count--;
    gcl_gns_forget(&doubt->id);
    gcl_free(gns->config.mem, doubt);
}

void gcl_gns_doubt(struct gcl_gns *gns, const struct gcl_gns_node *node, gcl_pid holder,
                   gcl_term id)
{
    struct doubt *doubt = gcl_alloc_zero(gns->config.mem, sizeof *doubt + node->name.size);
    if (doubt == NULL) {
        gns->has_failed = true;
        return;
    }
    if (gns->doubt_count >= DOUBTS_MAX)
        free_doubt(gns, doubt_at(gcl_list_first(&gns->doubts)));
    memcpy(doubt->bytes, node->name.bytes, node->name.size);
    doubt->node = gcl_str_make(doubt->bytes, node->name.size);
    doubt->holder = holder;
    gcl_gns_keep(gns, &doubt->id, id);
    gcl_list_init(&doubt->at_gns);
    gcl_list_add_last(&gns->doubts, &doubt->at_gns);
    gns->doubt_count++;
}

void gcl_gns_end_doubts(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    GCL_LIST_EACH(&gns->doubts, at, following)
    {
        struct doubt *doubt = doubt_at(at);
        uint64_t number;
        if (!gcl_str_equal(doubt->node, node->name))
            continue;
        /* Nobody waits for the answer. */
        if ((number = gcl_gns_question_new(gns, node, NULL)) != 0)
            gcl_gns_ask(gns, node, doubt->holder, number, GCL_MESSAGE("{del_lock, ~t}", doubt->id));
        free_doubt(gns, doubt);
    }
}

void gcl_gns_doubts_fini(struct gcl_gns *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->doubts)) != NULL)
        free_doubt(gns, doubt_at(at));
}

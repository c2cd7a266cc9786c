/* SPDX-License-Identifier: Apache-2.0 */
#include "node/terms.h"

#include <gen_cluster/server.h>

#include "node/node.h"
#include "node/translate.h"

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    struct gcl_node *node = user;
    return gcl_intern_pid(&node->core.names, wire, pid);
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    struct gcl_node *node = user;
    return gcl_translate_pid(&node->core.names, *pid, wire) ? 0 : GCL_ESTALE;
}

static int ref_in(void *user, const struct gcl_wire_ref *wire, gcl_ref *ref)
{
    struct gcl_node *node = user;
    return gcl_intern_ref(&node->core.names, wire, ref);
}

static int ref_out(void *user, const gcl_ref *ref, struct gcl_wire_ref *wire)
{
    struct gcl_node *node = user;
    return gcl_translate_ref(&node->core.names, ref, wire) ? 0 : GCL_ESTALE;
}

static uint32_t place(void *user, struct gcl_str text, uint32_t creation)
{
    struct gcl_node *node = user;
    struct gcl_name *name;
    int error = gcl_names_intern(&node->core.names, text, creation, &name);
    return error == 0 ? name->index : UINT32_MAX;
}

void gcl_terms_init(struct gcl_node *node)
{
    const struct gcl_term_ids ids = {.pid_in = pid_in,
                                     .pid_out = pid_out,
                                     .ref_in = ref_in,
                                     .ref_out = ref_out,
                                     .place = place,
                                     .user = node};
    gcl_term_context_init(&node->terms, node->mem, &ids, node->services->misuse, node);
}

gcl_term_context *gcl_node_terms(gcl_node *node)
{
    return &node->terms;
}

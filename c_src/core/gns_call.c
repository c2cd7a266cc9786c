/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to other nodes, and to this one, which is answered at once. */
#include "core/gns_machine.h"

/* A number is never 0, and never the same for two questions: it has the generation of its place. */
static uint64_t number_of(const struct gcl_gns_question *question)
{
    return (uint64_t)question->slot.generation << 32 | question->slot.index;
}

uint64_t gcl_gns_question_new(struct gcl_gns *gns, struct gcl_gns_node *node,
                              struct gcl_gns_multicall *multicall)
{
    struct gcl_slot *slot = gcl_slots_take(&gns->questions);
    if (slot == NULL) {
        gns->has_failed = true;
        return 0;
    }
    struct gcl_gns_question *question = GCL_CONTAINER_OF(slot, struct gcl_gns_question, slot);
    question->node = node;
    question->multicall = multicall;
    gcl_gns_node_hold(node);
    return number_of(question);
}

void gcl_gns_questions_fini(struct gcl_gns *gns)
{
    gcl_slots_fini(&gns->questions);
}

/* --- multicalls ----------------------------------------------------------------------------- */

void gcl_gns_multicall_begin(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    gcl_gns_set_clear(gns, &call->agreed);
    call->is_refused = false;
    call->left = 0;
}

static void has_answered(struct gcl_gns *gns, struct gcl_gns_multicall *call,
                         struct gcl_gns_node *node, gcl_term answer)
{
    if (gcl_match(answer, "false"))
        call->is_refused = true;
    else
        gcl_gns_set_add(gns, &call->agreed, node);
}

static void is_one_less(struct gcl_gns *gns, struct gcl_gns_multicall *call)
{
    if (--call->left == 0)
        call->done(gns, call);
}

static void ask_self(struct gcl_gns *gns, struct gcl_gns_multicall *call, gcl_pid from,
                     const gcl_message *request)
{
    gcl_term_context *terms = gns->config.terms;
    struct gcl_buffer question, answer;
    gcl_buffer_init(&question, gns->config.mem, 0);
    gcl_buffer_init(&answer, gns->config.mem, 0);
    if (gcl_gns_check(gns, gcl_term_build(terms, &question, request)) &&
        gcl_gns_serve(gns, 0, from,
                      gcl_term_make(terms, gcl_buffer_bytes(&question), gcl_buffer_size(&question)),
                      &answer))
        has_answered(gns, call, gns->self,
                     gcl_term_make(terms, gcl_buffer_bytes(&answer), gcl_buffer_size(&answer)));
    gcl_buffer_fini(&question);
    gcl_buffer_fini(&answer);
}

/* The call itself counts as one that is awaited until all were asked. */
void gcl_gns_multicall(struct gcl_gns *gns, struct gcl_gns_multicall *call,
                       const struct gcl_gns_nodes *nodes, gcl_pid from, gcl_message request)
{
    gcl_gns_multicall_begin(gns, call);
    call->left = 1;
    for (size_t i = 0; i < nodes->count; i++) {
        struct gcl_gns_node *node = nodes->items[i];
        uint64_t number;
        if (node == gns->self) {
            ask_self(gns, call, from, &request);
        } else if ((number = gcl_gns_question_new(gns, node, call)) != 0) {
            call->left++;
            gcl_gns_ask(gns, node, from, number, request);
        }
    }
    is_one_less(gns, call);
}

/* --- answers -------------------------------------------------------------------------------- */

void gcl_gns_answered(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, int error,
                      gcl_term answer)
{
    gns->now_ms = now_ms;
    struct gcl_slot *slot =
        gcl_slots_find(&gns->questions, (uint32_t)number, (uint32_t)(number >> 32));
    if (slot == NULL)
        return;
    struct gcl_gns_question *question = GCL_CONTAINER_OF(slot, struct gcl_gns_question, slot);
    struct gcl_gns_multicall *multicall = question->multicall;
    struct gcl_gns_node *node = question->node;
    gcl_slots_give_back(&gns->questions, slot);
    if (multicall == NULL) {
        gcl_gns_resolver_answered(gns, node, number, error, answer);
    } else {
        if (error == 0)
            has_answered(gns, multicall, node, answer);
        else if (node->is_up && multicall->lost != NULL)
            multicall->lost(gns, multicall, node);
        is_one_less(gns, multicall);
    }
    gcl_gns_node_release(gns, node);
}

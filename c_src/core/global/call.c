/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to other nodes, and to this one, which is answered at once. */
#include "core/global/machine.h"

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
    question->by_ms = gns->now_ms + gns->config.answer_timeout_ms;
    if (question->by_ms < gns->question_at_ms)
        gns->question_at_ms = question->by_ms;
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

/* --- no answers ----------------------------------------------------------------------------- */

static struct gcl_gns_question *question_at(const struct gcl_gns *gns, uint32_t index)
{
    struct gcl_slot *slot = gns->questions.places[index];
    return slot->is_used ? GCL_CONTAINER_OF(slot, struct gcl_gns_question, slot) : NULL;
}

/* A server of global answers at once, whatever it says; one that does not makes everybody wait who
 * needs its lock. What resolves a name may be a function of a program: then the other process has
 * the name, as if the node were gone. OTP waits for both as long as there is a connection. */
static void is_overdue(struct gcl_gns *gns, struct gcl_gns_question *question)
{
    bool is_resolving = question->multicall == NULL;
    struct gcl_gns_node *node = question->node;
    question->by_ms =
        is_resolving || node->is_up ? GCL_NEVER : gns->now_ms + gns->config.answer_timeout_ms;
    if (is_resolving) {
        gcl_gns_log(gns, GCL_LOG_WARNING, node->name,
                    "negotiates about a name whose node does not resolve the conflict");
        gcl_gns_answered(gns, gns->now_ms, number_of(question), GCL_ETIMEOUT,
                         gcl_term_make(gns->config.terms, NULL, 0));
    } else if (node->is_up) {
        gcl_gns_log(gns, GCL_LOG_ERROR, node->name,
                    "does not answer for global, and would make others wait: disconnected");
        gcl_gns_disconnect(gns, node);
    }
}

void gcl_gns_questions_woken(struct gcl_gns *gns)
{
    gns->question_at_ms = GCL_NEVER;
    for (uint32_t i = 0; i < gns->questions.count; i++) {
        struct gcl_gns_question *question = question_at(gns, i);
        if (question != NULL && question->by_ms <= gns->now_ms)
            is_overdue(gns, question);
    }
    for (uint32_t i = 0; i < gns->questions.count; i++) {
        const struct gcl_gns_question *question = question_at(gns, i);
        if (question != NULL && question->by_ms < gns->question_at_ms)
            gns->question_at_ms = question->by_ms;
    }
}

static struct gcl_gns_question *find(const struct gcl_gns *gns,
                                     const struct gcl_gns_multicall *call,
                                     const struct gcl_gns_node *node)
{
    for (uint32_t i = 0; i < gns->questions.count; i++) {
        struct gcl_gns_question *question = question_at(gns, i);
        if (question != NULL && question->multicall == call && question->node == node)
            return question;
    }
    return NULL;
}

bool gcl_gns_multicall_asks(const struct gcl_gns *gns, const struct gcl_gns_multicall *call,
                            const struct gcl_gns_node *node)
{
    return find(gns, call, node) != NULL;
}

/* He takes things in their order: the lock that he may grant some time is freed at once. */
void gcl_gns_multicall_abandon(struct gcl_gns *gns, struct gcl_gns_multicall *call,
                               const struct gcl_gns_node *node, gcl_pid holder, gcl_term lock_id)
{
    struct gcl_gns_question *question = find(gns, call, node);
    uint64_t number = question != NULL ? gcl_gns_question_new(gns, question->node, NULL) : 0;
    if (number == 0)
        return;
    gcl_gns_ask(gns, question->node, holder, number, GCL_MESSAGE("{del_lock, ~t}", lock_id));
    question_at(gns, (uint32_t)number)->by_ms = GCL_NEVER;
    question->multicall = NULL;
    question->by_ms = GCL_NEVER;
    call->is_refused = true;
    is_one_less(gns, call);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Global names that are looked up: for programs that ask, and for messages. Messages for one name
 * wait in one queue until the answer is there, so that they keep their order.
 */
#include <stdio.h>
#include <string.h>

#include "node/message.h"
#include "node/node.h"
#include "server/call.h"
#include "server/global/global.h"
#include "server/global/gns.h"
#include "server/server.h"
#include "server/servers.h"

enum { ASKED_MAX = 3 }; /* BEAMs, one after the other */

static const struct gcl_str no_term;

static bool is_lost(int error)
{
    return error == GCL_ENOCONNECTION || error == GCL_ETIMEOUT || error == GCL_ENOPROC;
}

/* --- for programs --------------------------------------------------------------------------- */

struct question {
    enum gcl_global_question what;
    gcl_reply_function *done;
    void *user;
    unsigned asked;
    char beam[GCL_NODE_NAME_MAX_BYTES + 1];
    struct gcl_str name; /* behind the struct */
};

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user);

static int ask(gcl_server *self, struct question *question, const char *beam)
{
    struct gcl_node *node = gcl_server_at(self);
    gcl_term name = gcl_term_of(&node->terms, question->name);
    if (beam == NULL)
        return GCL_ENOCONNECTION;
    question->asked++;
    (void)snprintf(question->beam, sizeof question->beam, "%s", beam);
    if (question->what == GCL_GLOBAL_NAMES)
        return gcl_global_ask(self, question->beam, on_answer, question,
                              GCL_MESSAGE("{call, global, registered_names, [], user}"));
    return gcl_global_ask(
        self, question->beam, on_answer, question,
        GCL_MESSAGE("{call, global, ~a, [~t], user}",
                    question->what == GCL_GLOBAL_WHEREIS ? "whereis_name" : "unregister_name",
                    name));
}

/* What the answer means; a BEAM that cannot do it is as good as none. */
static int judge(const struct question *question, gcl_term answer)
{
    gcl_pid pid;
    if (gcl_match(answer, "{badrpc, _}"))
        return GCL_ENOCONNECTION;
    return question->what != GCL_GLOBAL_WHEREIS || gcl_match(answer, "~p", &pid) ? 0 : GCL_ENOPROC;
}

static gcl_result on_answer(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct question *question = user;
    if (is_lost(error)) {
        const char *another = gcl_global_beam(node, question->beam);
        if (question->asked < ASKED_MAX && another != NULL && ask(self, question, another) == 0)
            return GCL_CONTINUE;
        error = GCL_ENOCONNECTION;
    }
    if (error == 0)
        error = judge(question, term);
    if (error != 0 || question->what == GCL_GLOBAL_TAKE_AWAY)
        term = gcl_term_of(&node->terms, no_term);
    gcl_reply_function *done = question->done;
    void *done_user = question->user;
    gcl_free(node->mem, question);
    return done(self, error, term, done_user);
}

int gcl_global_ask_a_beam(gcl_server *self, enum gcl_global_question what, gcl_reply_function *done,
                          void *user, gcl_message name)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_str term;
    int error = gcl_message_build(node, &name, &term);
    if (error != 0)
        return error;
    struct question *question = gcl_alloc_zero(node->mem, sizeof *question + term.size);
    if (question == NULL)
        return GCL_ENOMEM;
    question->what = what;
    question->done = done;
    question->user = user;
    question->name = gcl_str_make(memcpy(question + 1, term.bytes, term.size), term.size);
    error = ask(self, question, gcl_global_beam(node, NULL));
    if (error != 0)
        gcl_free(node->mem, question);
    return error;
}

/* --- for messages --------------------------------------------------------------------------- */

struct lookup {
    struct gcl_list at_node;
    struct gcl_signal_queue messages; /* `id`: the call that one belongs to, or 0 */
    unsigned asked;
    char beam[GCL_NODE_NAME_MAX_BYTES + 1];
    struct gcl_str name; /* behind the struct */
};

static struct lookup *lookup_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct lookup, at_node);
}

static uint64_t id_of(const gcl_request *call)
{
    return call != NULL ? (uint64_t)call->index << 32 | call->generation : 0;
}

static gcl_request call_of(uint64_t id)
{
    return (gcl_request){(uint32_t)(id >> 32), (uint32_t)id};
}

static void free_lookup(struct gcl_node *node, struct lookup *lookup)
{
    gcl_signal_queue_fini(&lookup->messages);
    gcl_free(node->mem, lookup);
}

/* To the pid, or to nobody: then calls get the error, and messages vanish. */
static void finish(struct gcl_node *node, struct lookup *lookup, const gcl_pid *pid, int error)
{
    struct gcl_signal signal;
    gcl_list_remove(&lookup->at_node); /* what is sent from now on is looked up anew */
    while (gcl_signal_queue_first(&lookup->messages, &signal)) {
        gcl_request call = call_of(signal.id);
        if (pid != NULL)
            signal.to = gcl_target_pid(*pid);
        if (signal.id != 0) {
            gcl_call_resolved(node, call, &signal.to, signal.term, error);
        } else if (pid != NULL) {
            int unsent = gcl_node_send(node, &signal);
            if (unsent != 0)
                gcl_log(&node->log, GCL_LOG_WARNING, "signal_dropped",
                        "a message for a global name cannot be sent: %s", gcl_strerror(unsent));
        }
        gcl_signal_queue_remove_first(&lookup->messages);
    }
    free_lookup(node, lookup);
}

static gcl_result on_found(gcl_server *self, int error, gcl_term term, void *user);

static int look_up(struct gcl_node *node, struct lookup *lookup, const char *beam)
{
    gcl_term name = gcl_term_of(&node->terms, lookup->name);
    if (beam == NULL || lookup->asked == ASKED_MAX)
        return GCL_ENOCONNECTION;
    lookup->asked++;
    (void)snprintf(lookup->beam, sizeof lookup->beam, "%s", beam);
    return gcl_global_ask(node->servers->global->server, lookup->beam, on_found, lookup,
                          GCL_MESSAGE("{call, global, whereis_name, [~t], user}", name));
}

static gcl_result on_found(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct lookup *lookup = user;
    gcl_pid pid;
    if (error == GCL_ECANCELED)
        return GCL_CONTINUE; /* the node closes: gcl_global_lookups_fini() */
    if (is_lost(error) && look_up(node, lookup, gcl_global_beam(node, lookup->beam)) == 0)
        return GCL_CONTINUE;
    if (error != 0)
        finish(node, lookup, NULL, GCL_ENOCONNECTION);
    else if (gcl_match(term, "~p", &pid))
        finish(node, lookup, &pid, 0);
    else
        finish(node, lookup, NULL, GCL_ENOPROC);
    return GCL_CONTINUE;
}

static int find_lookup(struct gcl_node *node, struct gcl_str name, struct lookup **out)
{
    GCL_LIST_EACH(&node->servers->global->lookups, at, following)
    {
        *out = lookup_at(at);
        if (gcl_term_equal(gcl_term_of(&node->terms, (*out)->name),
                           gcl_term_of(&node->terms, name)))
            return 0;
    }
    struct lookup *lookup = gcl_alloc_zero(node->mem, sizeof *lookup + name.size);
    if (lookup == NULL)
        return GCL_ENOMEM;
    gcl_signal_queue_init(&lookup->messages, node->mem, node->config.pending_bytes);
    lookup->name = gcl_str_make(memcpy(lookup + 1, name.bytes, name.size), name.size);
    int error = look_up(node, lookup, gcl_global_beam(node, NULL));
    if (error != 0) {
        free_lookup(node, lookup);
        return error;
    }
    gcl_list_init(&lookup->at_node);
    gcl_list_add_last(&node->servers->global->lookups, &lookup->at_node);
    *out = lookup;
    return 0;
}

static int build_name(struct gcl_node *node, const gcl_dest *dest, struct gcl_str *name)
{
    gcl_message atom = GCL_MESSAGE("~a", dest->name);
    return gcl_message_build(node, dest->name != NULL ? &atom : &dest->global, name);
}

int gcl_global_send(struct gcl_node *node, gcl_pid from, const gcl_dest *dest,
                    struct gcl_str message, const gcl_request *call)
{
    struct lookup *lookup;
    struct gcl_str name;
    struct gcl_signal signal = {
        .op = GCL_SIGNAL_SEND, .from = from, .id = id_of(call), .term = message};
    /* Asking builds in the buffer in which the message stands. */
    uint8_t *copy = gcl_alloc_copy(node->mem, message.bytes, message.size);
    if (copy == NULL)
        return GCL_ENOMEM;
    signal.term.bytes = copy;
    int error = gcl_global_need(node);
    if (error == 0)
        error = build_name(node, dest, &name);
    if (error == 0)
        error = find_lookup(node, name, &lookup);
    if (error == 0)
        error = gcl_signal_queue_add(&lookup->messages, &signal);
    gcl_free(node->mem, copy);
    return error;
}

void gcl_global_lookups_fini(struct gcl_node *node)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&node->servers->global->lookups)) != NULL)
        finish(node, lookup_at(at), NULL, GCL_ECANCELED);
}

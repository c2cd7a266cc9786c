/* SPDX-License-Identifier: Apache-2.0 */
#include "server/mailbox.h"

#include "core/reason.h"
#include "node/node.h"
#include "server/call.h"
#include "server/gen.h"
#include "server/timer.h"

enum { SIGNALS_PER_TURN = 100 };

static int set_turn(struct gcl_mailbox *mailbox)
{
    return gcl_loop_set(&gcl_server_at(mailbox->server)->loop, &mailbox->turn, 0);
}

/* Nothing is added while a handler runs, so the signal can stay where it is. */
static bool take_first(struct gcl_server *server)
{
    struct gcl_signal_queue *signals = &server->mailbox->signals;
    struct gcl_alias *alias = NULL;
    struct gcl_signal signal;
    if (server->is_ending || server->is_suspended || !gcl_signal_queue_first(signals, &signal))
        return false;
    bool by_alias = signal.op == GCL_SIGNAL_SEND && signal.to.kind == GCL_TARGET_ALIAS;
    if (by_alias)
        alias = gcl_aliases_find(&gcl_server_at(server)->core.aliases, &signal.to.alias);
    if (!by_alias || alias != NULL)
        gcl_server_take_now(server, &signal, alias);
    gcl_signal_queue_remove_first(signals);
    return true;
}

static void hand_over(struct gcl_deadline *deadline)
{
    struct gcl_mailbox *mailbox = GCL_CONTAINER_OF(deadline, struct gcl_mailbox, turn);
    struct gcl_server *server = mailbox->server;
    struct gcl_node *node = gcl_server_at(server);
    node->busy++; /* the server must not be freed in here */
    for (unsigned left = SIGNALS_PER_TURN; left > 0 && take_first(server); left--)
        ;
    if (!server->is_ending && !server->is_suspended) {
        if (gcl_signal_queue_is_empty(&mailbox->signals))
            gcl_mailbox_free(server);
        else
            (void)set_turn(mailbox); /* cannot fail: the place in the heap was just left */
    }
    node->busy--;
    gcl_node_settle(node);
}

int gcl_mailbox_suspend(struct gcl_server *server)
{
    struct gcl_node *node = gcl_server_at(server);
    if (server->mailbox == NULL) {
        struct gcl_mailbox *mailbox = gcl_alloc_zero(node->mem, sizeof *mailbox);
        if (mailbox == NULL)
            return GCL_ENOMEM;
        gcl_signal_queue_init(&mailbox->signals, node->mem, node->config.mailbox_bytes);
        gcl_deadline_init(&mailbox->turn, hand_over);
        mailbox->server = server;
        server->mailbox = mailbox;
    }
    gcl_mailbox_stop(server);
    server->is_suspended = true;
    return 0;
}

int gcl_mailbox_resume(struct gcl_server *server)
{
    if (!server->is_suspended)
        return 0;
    int error = set_turn(server->mailbox);
    if (error != 0)
        return error;
    server->is_suspended = false;
    gcl_timers_resume(server);
    gcl_calls_resume(server);
    return 0;
}

bool gcl_mailbox_passes(const struct gcl_server *server, const struct gcl_signal *signal)
{
    struct gcl_gen_message message;
    if (!server->is_suspended || signal->op != GCL_SIGNAL_SEND)
        return false;
    gcl_gen_decode(signal->term, &message);
    return message.kind == GCL_GEN_SYSTEM;
}

void gcl_mailbox_add(struct gcl_server *server, const struct gcl_signal *signal)
{
    struct gcl_node *node = gcl_server_at(server);
    int error = gcl_signal_queue_add(&server->mailbox->signals, signal);
    if (error == 0)
        return;
    gcl_log(&node->log, GCL_LOG_ERROR, "mailbox_bytes",
            "a suspended server cannot keep what it is sent and ends: %s (mailbox_bytes is %zu)",
            gcl_strerror(error), node->config.mailbox_bytes);
    gcl_server_end(server, GCL_REASON_SYSTEM_LIMIT);
}

void gcl_mailbox_stop(struct gcl_server *server)
{
    if (server->mailbox != NULL)
        gcl_loop_cancel(&gcl_server_at(server)->loop, &server->mailbox->turn);
}

void gcl_mailbox_free(struct gcl_server *server)
{
    if (server->mailbox == NULL)
        return;
    gcl_mailbox_stop(server);
    gcl_signal_queue_fini(&server->mailbox->signals);
    gcl_free(gcl_server_at(server)->mem, server->mailbox);
    server->mailbox = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* spec: sys.erl, do_cmd, and gen_server.erl, format_status, for the shapes of the answers. */
#include "server/sys.h"

#include <stdio.h>

#include "node/node.h"
#include "server/mailbox.h"

static int answer(struct gcl_server *server, const struct gcl_gen_message *message,
                  gcl_message reply)
{
    return gcl_gen_answer(gcl_server_at(server), gcl_self(server), message, reply);
}

/* The program writes its state into a buffer of its own time; [] when it has none to show. */
static int write_state(struct gcl_server *server, struct gcl_buffer *buffer)
{
    struct gcl_node *node = gcl_server_at(server);
    struct gcl_writer writer;
    gcl_buffer_init(buffer, node->mem, 0);
    gcl_writer_init(&writer, &node->terms, buffer);
    if (server->handlers->state != NULL) {
        gcl_server_enter(server);
        server->handlers->state(server, &writer, server->user);
        gcl_server_leave(server, GCL_CONTINUE);
    }
    if (gcl_term_check(gcl_writer_term(&writer)) == 0)
        return 0;
    gcl_buffer_clear(buffer);
    return gcl_write(&writer, "[]");
}

static gcl_term state_term(struct gcl_server *server, const struct gcl_buffer *buffer)
{
    return gcl_term_make(&gcl_server_at(server)->terms, gcl_buffer_bytes(buffer),
                         gcl_buffer_size(buffer));
}

static int get_state(struct gcl_server *server, const struct gcl_gen_message *message,
                     const struct gcl_buffer *state)
{
    gcl_term term = state_term(server, state);
    /* From OTP 27 on callers want {ok, State}; the request does not say, but their references are
     * of five words. */
    if (message->has_alias && message->ref.count == 5)
        return answer(server, message, GCL_MESSAGE("{ok, ~t}", term));
    return answer(server, message, GCL_MESSAGE("~t", term));
}

static int get_status(struct gcl_server *server, const struct gcl_gen_message *message,
                      const struct gcl_buffer *state)
{
    char name[GCL_NODE_NAME_MAX_BYTES + 1];
    char header[sizeof name + 32];
    const char *phase = server->is_suspended ? "suspended" : "running";
    gcl_pid self = gcl_self(server);
    gcl_server_print_name(server, name, sizeof name);
    (void)snprintf(header, sizeof header, "Status for C server %s", name);
    return answer(server, message,
                  GCL_MESSAGE("{status, ~p, {module, gen_cluster_c},"
                              " [[], ~a, ~p, [],"
                              "  [{header, ~s},"
                              "   {data, [{\"Status\", ~a}, {\"Parent\", ~p}]},"
                              "   {data, [{\"State\", ~t}]}]]}",
                              self, phase, self, (const char *)header, phase, self,
                              state_term(server, state)));
}

static int with_state(struct gcl_server *server, const struct gcl_gen_message *message,
                      int (*write)(struct gcl_server *, const struct gcl_gen_message *,
                                   const struct gcl_buffer *))
{
    struct gcl_buffer state;
    int error = write_state(server, &state);
    /* A mistake in the program's function has ended the server: the caller sees that. */
    if (error == 0 && !server->is_ending)
        error = write(server, message, &state);
    gcl_buffer_fini(&state);
    return error;
}

static int terminate(struct gcl_server *server, const struct gcl_gen_message *message,
                     gcl_term reason)
{
    int error = answer(server, message, GCL_MESSAGE("ok"));
    if (gcl_term_check(reason) != 0)
        return GCL_ETERM;
    gcl_server_end(server, gcl_str_make(reason.bytes, reason.size));
    return error;
}

/* Nothing of it is ever on, so it can be turned off, and there is nothing to show. */
static int debug(struct gcl_server *server, const struct gcl_gen_message *message, gcl_term what)
{
    if (gcl_match(what, "no_debug") || gcl_match(what, "{trace, false}") ||
        gcl_match(what, "{log, false}") || gcl_match(what, "{log_to_file, false}") ||
        gcl_match(what, "{statistics, false}") || gcl_match(what, "{remove, _}"))
        return answer(server, message, GCL_MESSAGE("ok"));
    if (gcl_match(what, "{log, get}"))
        return answer(server, message, GCL_MESSAGE("{ok, []}"));
    if (gcl_match(what, "{statistics, get}"))
        return answer(server, message, GCL_MESSAGE("{ok, no_statistics}"));
    return answer(server, message, GCL_MESSAGE("unknown_debug"));
}

static int take(struct gcl_server *server, const struct gcl_gen_message *message)
{
    gcl_term request = gcl_term_of(&gcl_server_at(server)->terms, message->term);
    gcl_term reason, what;
    if (gcl_match(request, "get_state"))
        return with_state(server, message, get_state);
    if (gcl_match(request, "get_status"))
        return with_state(server, message, get_status);
    if (gcl_match(request, "suspend")) {
        int error = gcl_mailbox_suspend(server);
        return error != 0 ? error : answer(server, message, GCL_MESSAGE("ok"));
    }
    if (gcl_match(request, "resume")) {
        int error = gcl_mailbox_resume(server);
        return error != 0 ? error : answer(server, message, GCL_MESSAGE("ok"));
    }
    if (gcl_match(request, "{terminate, ~t}", &reason))
        return terminate(server, message, reason);
    if (gcl_match(request, "{debug, ~t}", &what))
        return debug(server, message, what);
    return answer(server, message, GCL_MESSAGE("{error, {unknown_system_msg, ~t}}", request));
}

void gcl_sys_take(struct gcl_server *server, const struct gcl_gen_message *message)
{
    struct gcl_node *node = gcl_server_at(server);
    node->busy++; /* the server may end in here */
    int error = take(server, message);
    node->busy--;
    gcl_term_context_release(&node->terms);
    if (error != 0)
        gcl_log(&node->log, GCL_LOG_WARNING, "system_message", "a system message: %s",
                gcl_strerror(error));
    gcl_node_settle(node);
}

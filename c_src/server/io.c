/* SPDX-License-Identifier: Apache-2.0 */
#include "server/io.h"

#include "node/message.h"
#include "node/node.h"
#include "node/translate.h"

enum {
    REQUESTS_MAX = 100, /* in one list of requests */
    TEXT_MAX = 512,     /* of a format, and of its arguments */
};

static void print(struct gcl_server *server, gcl_bytes text)
{
    gcl_log(&gcl_server_at(server)->log, GCL_LOG_NOTICE, "io", "%.*s", (int)text.size,
            (const char *)text.bytes);
}

/* What is to be formatted is logged as it came: formats are Erlang's own. */
static void print_format(struct gcl_server *server, gcl_term format, gcl_term arguments)
{
    char text[TEXT_MAX], printed[TEXT_MAX];
    if (gcl_term_text(format, text, sizeof text, NULL) == GCL_EINVAL ||
        gcl_term_print(arguments, printed, sizeof printed, NULL) == GCL_ETERM)
        return;
    gcl_log(&gcl_server_at(server)->log, GCL_LOG_NOTICE, "io", "%s with %s", text, printed);
}

static bool put(struct gcl_server *server, gcl_term request)
{
    gcl_bytes text;
    gcl_term format, arguments;
    if (gcl_match(request, "{put_chars, _, ~b}", &text) ||
        gcl_match(request, "{put_chars, _, ~s}", &text) ||
        gcl_match(request, "{put_chars, ~b}", &text)) {
        print(server, text);
        return true;
    }
    if (!gcl_match(request, "{put_chars, _, io_lib, format, [~t, ~t]}", &format, &arguments))
        return gcl_match(request, "{put_chars, _, _}");
    print_format(server, format, arguments);
    return true;
}

static bool is_read(gcl_term request)
{
    return gcl_match(request, "{get_line, _, _}") || gcl_match(request, "{get_chars, _, _, _}") ||
           gcl_match(request, "{get_until, _, _, _, _, _}") ||
           gcl_match(request, "{get_password, _}");
}

static bool is_of_a_terminal(gcl_term request)
{
    return gcl_match(request, "{get_geometry, _}") || gcl_match(request, "getopts") ||
           gcl_match(request, "{setopts, _}");
}

static const char *reply_to(struct gcl_server *server, gcl_term request)
{
    if (put(server, request))
        return "ok";
    if (is_read(request))
        return "eof";
    return is_of_a_terminal(request) ? "enotsup" : "request";
}

/* The answer to a list of requests is that to the last one, or to the first that fails. */
static const char *reply_to_all(struct gcl_server *server, gcl_term list)
{
    const char *reply = "ok";
    gcl_items items;
    gcl_term request;
    if (!gcl_items_begin(&items, list))
        return "request";
    for (unsigned left = REQUESTS_MAX; left > 0 && gcl_items_next(&items, &request); left--) {
        reply = reply_to(server, request);
        if (!gcl_str_is(gcl_str_of(reply), "ok"))
            return reply;
    }
    return reply;
}

static int send_reply(struct gcl_server *server, const struct gcl_gen_message *message,
                      const char *reply)
{
    struct gcl_node *node = gcl_server_at(server);
    gcl_term as = gcl_term_of(&node->terms, message->tag);
    struct gcl_str text = gcl_str_of(reply);
    struct gcl_target to = {.kind = GCL_TARGET_PID};
    int error = gcl_intern_pid(&node->core.names, &message->from, &to.pid);
    if (error != 0)
        return error;
    bool is_error = !gcl_str_is(text, "ok") && !gcl_str_is(text, "eof");
    gcl_message plain = GCL_MESSAGE("{io_reply, ~t, ~a}", as, reply);
    gcl_message failed = GCL_MESSAGE("{io_reply, ~t, {error, ~a}}", as, reply);
    (void)gcl_message_begin(node);
    return gcl_message_send(node, gcl_self(server), &to, is_error ? &failed : &plain);
}

void gcl_io_take(struct gcl_server *server, const struct gcl_gen_message *message)
{
    struct gcl_node *node = gcl_server_at(server);
    gcl_term request = gcl_term_of(&node->terms, message->term), list;
    const char *reply = gcl_match(request, "{requests, ~t}", &list) ? reply_to_all(server, list)
                                                                    : reply_to(server, request);
    int error = send_reply(server, message, reply);
    if (error != 0)
        gcl_log(&node->log, GCL_LOG_WARNING, "io_unanswered", "an io request: %s",
                gcl_strerror(error));
    gcl_term_context_release(&node->terms);
}

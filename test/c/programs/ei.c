/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node of stock libei, as programs have it that do not use this library: hidden, blocking, one
 * thing at a time. It does what a line of its input says and answers with one line.
 *
 *     ei ALIVE
 */
#include <ei.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static ei_cnode node;
static int listener = -1, peer = -1;

static void say(const char *what, int result)
{
    printf("%s %d\n", what, result);
}

static int listen_and_publish(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 5) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    return ei_publish(&node, ntohs(address.sin_port));
}

/* Prints a term that begins at `index`. */
static void print(const char *what, const ei_x_buff *buffer, int index)
{
    char *text = NULL;
    if (ei_s_print_term(&text, buffer->buff, &index) < 0)
        printf("%s unreadable\n", what);
    else
        printf("%s %s\n", what, text);
    free(text);
}

/* {'$gen_call', {Pid, Ref}, {echo, hello}} to `server`; the answer is {Ref, hello}. */
static void call(void)
{
    ei_x_buff request, reply;
    erlang_msg message;
    erlang_ref ref;
    int result;
    (void)ei_make_ref(&node, &ref);
    ei_x_new_with_version(&request);
    ei_x_encode_tuple_header(&request, 3);
    ei_x_encode_atom(&request, "$gen_call");
    ei_x_encode_tuple_header(&request, 2);
    ei_x_encode_pid(&request, ei_self(&node));
    ei_x_encode_ref(&request, &ref);
    ei_x_encode_tuple_header(&request, 2);
    ei_x_encode_atom(&request, "echo");
    ei_x_encode_atom(&request, "hello");
    ei_x_new(&reply);
    result = ei_reg_send_tmo(&node, peer, "server", request.buff, request.index, PATIENCE_MS);
    while (result == 0 &&
           (result = ei_xreceive_msg_tmo(peer, &message, &reply, PATIENCE_MS)) == ERL_TICK)
        ;
    if (result == ERL_MSG) {
        int index = 0, version, arity;
        erlang_ref back;
        (void)ei_decode_version(reply.buff, &index, &version);
        (void)ei_decode_tuple_header(reply.buff, &index, &arity);
        result = ei_decode_ref(reply.buff, &index, &back);
        if (result == 0 && ei_cmp_refs(&ref, &back) == 0)
            print("answer", &reply, index);
        else
            say("answer", -1);
    } else {
        say("answer", result);
    }
    ei_x_free(&request);
    ei_x_free(&reply);
}

/* By rex; arguments of the function: none. */
static void rpc(char *module, char *function)
{
    ei_x_buff arguments, reply;
    ei_x_new(&arguments);
    ei_x_encode_empty_list(&arguments);
    ei_x_new(&reply);
    int result = ei_rpc(&node, peer, module, function, arguments.buff, arguments.index, &reply);
    if (result < 0)
        say("result", result);
    else
        print("result", &reply, 0);
    ei_x_free(&arguments);
    ei_x_free(&reply);
}

static void receive(void)
{
    ei_x_buff buffer;
    erlang_msg message;
    int result, index = 0, version;
    ei_x_new(&buffer);
    while ((result = ei_xreceive_msg_tmo(peer, &message, &buffer, PATIENCE_MS)) == ERL_TICK)
        ;
    if (result != ERL_MSG) {
        say("received", result);
    } else if (message.msgtype == ERL_REG_SEND || message.msgtype == ERL_SEND) {
        (void)ei_decode_version(buffer.buff, &index, &version);
        print("received", &buffer, index);
    } else {
        printf("received type %ld\n", message.msgtype);
    }
    ei_x_free(&buffer);
}

static void take(char *line)
{
    char *rest = strchr(line, ' ');
    char *more = NULL;
    if (rest != NULL) {
        *rest++ = '\0';
        more = strchr(rest, ' ');
    }
    if (more != NULL)
        *more++ = '\0';
    if (strcmp(line, "connect") == 0) {
        peer = ei_connect_tmo(&node, rest, PATIENCE_MS);
        say("connected", peer < 0 ? -1 : 0);
    } else if (strcmp(line, "accept") == 0) {
        ErlConnect connection;
        peer = ei_accept_tmo(&node, listener, &connection, PATIENCE_MS);
        printf("accepted %s\n", peer < 0 ? "nobody" : connection.nodename);
    } else if (strcmp(line, "call") == 0) {
        call();
    } else if (strcmp(line, "rpc") == 0 && more != NULL) {
        rpc(rest, more);
    } else if (strcmp(line, "receive") == 0) {
        receive();
    } else if (strcmp(line, "close") == 0) {
        say("closed", ei_close_connection(peer));
    }
}

int main(int argc, char **argv)
{
    char line[1024], full[512];
    struct in_addr address = {.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc < 2 || ei_init() != 0)
        return 64;
    (void)snprintf(full, sizeof full, "%s@127.0.0.1", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (ei_connect_xinit(&node, "127.0.0.1", argv[1], full, &address, getenv("GCL_COOKIE"), 1) <
            0 ||
        listen_and_publish() < 0)
        return 1;
    printf("ready %s\n", full);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        take(line);
    }
    return 0;
}

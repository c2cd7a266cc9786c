/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A server as group leader of processes elsewhere: what they print is logged, what they would read
 * is at its end.
 *
 * spec: the Erlang I/O protocol: {io_request, From, ReplyAs, Request} is answered with {io_reply,
 * ReplyAs, Reply}; {error, request} is the answer to what is not known.
 */
#ifndef GCL_SERVER_IO_H
#define GCL_SERVER_IO_H

#include "server/gen.h"
#include "server/server.h"

void gcl_io_take(struct gcl_server *server, const struct gcl_gen_message *message);

#endif

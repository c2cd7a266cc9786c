/* SPDX-License-Identifier: Apache-2.0 */
/**
 * System messages: sys:get_state, get_status, suspend, resume, terminate. What changes code, or
 * debugs it, is answered {error, {unknown_system_msg, Request}}, as sys does.
 */
#ifndef GCL_SERVER_SYS_H
#define GCL_SERVER_SYS_H

#include "server/gen.h"
#include "server/server.h"

void gcl_sys_take(struct gcl_server *server, const struct gcl_gen_message *message);

#endif

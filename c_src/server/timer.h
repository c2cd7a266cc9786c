/* SPDX-License-Identifier: Apache-2.0 */
/** The timers of servers; the public functions are in server.h. */
#ifndef GCL_SERVER_TIMER_H
#define GCL_SERVER_TIMER_H

#include "server/server.h"

void gcl_timers_cancel_all(struct gcl_server *server);

/** Those that expired while the server was suspended expire now. */
void gcl_timers_resume(struct gcl_server *server);

#endif

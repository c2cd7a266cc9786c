/* SPDX-License-Identifier: Apache-2.0 */
/**
 * gen_cluster: an Erlang node in a libev loop. This header includes all others.
 *
 * | header      | what it is about                                              |
 * |-------------|---------------------------------------------------------------|
 * | `node.h`    | a node: its name, its connections, other threads              |
 * | `global.h`  | global names                                                  |
 * | `pg.h`      | process groups, in scopes as those of OTP's pg                 |
 * | `rpc.h`     | functions that others call, and calls of others' functions    |
 * | `server.h`  | processes: handlers, calls, messages, links, monitors, timers |
 * | `cluster.h` | members of clusters: who joins, who leaves, who leads         |
 * | `term.h`    | terms: taken apart and made by patterns                       |
 * | `program.h` | main(): options, `ready`, an orderly end                      |
 * | `cookie.h`  | the cookie of ~/.erlang.cookie                                |
 * | `error.h`   | error codes                                                   |
 * | `log.h`     | log events                                                    |
 * | `alloc.h`   | memory of one's own                                           |
 */
#ifndef GEN_CLUSTER_H
#define GEN_CLUSTER_H

#include <gen_cluster/alloc.h>
#include <gen_cluster/cluster.h>
#include <gen_cluster/cookie.h>
#include <gen_cluster/error.h>
#include <gen_cluster/global.h>
#include <gen_cluster/id.h>
#include <gen_cluster/log.h>
#include <gen_cluster/node.h>
#include <gen_cluster/pg.h>
#include <gen_cluster/program.h>
#include <gen_cluster/rpc.h>
#include <gen_cluster/server.h>
#include <gen_cluster/term.h>

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The scopes of process groups of a node. A scope is a server, whose handlers tell the machine of
 * core/pg/pg.h what happens and carry out what that wants.
 *
 *     pg.c       its life, handlers and effects
 *     member.c   what programs do with groups
 *     monitor.c  who is told of changes
 */
#ifndef GCL_SERVER_PG_PG_H
#define GCL_SERVER_PG_PG_H

#include <gen_cluster/pg.h>

#include "core/pg/pg.h"
#include "server/server.h"

struct gcl_pg_scope {
    struct gcl_node *node;
    gcl_server *server;
    struct gcl_pg_machine *machine;
    gcl_writer *writer;       /* for one term at a time */
    struct gcl_list monitors; /* struct monitor of monitor.c */
    uint32_t discover_ms;
    uint64_t look_timer; /* 0: none */
    unsigned walks;      /* of programs, that are under way: nothing may change */
};

/* --- pg.c ----------------------------------------------------------------------------------- */

/** The living scope of that name (NULL: `pg`), or NULL. */
struct gcl_pg_scope *gcl_pg_scope_find(struct gcl_node *node, const char *name);

/** Carries out what the machine wants, until it is at rest. */
void gcl_pg_scope_settle(struct gcl_pg_scope *scope);

/* --- monitor.c ------------------------------------------------------------------------------ */

/** Sends the change to the server that `watch` is of. */
void gcl_pg_monitor_tell(struct gcl_pg_scope *scope, struct gcl_pg_watch *watch, gcl_term change);

/** What was sent has come: the server's function is called. */
void gcl_pg_monitor_take(struct gcl_server *server, struct gcl_alias *alias,
                         const struct gcl_signal *signal);

/** The scope ends: who monitors it is told. */
void gcl_pg_monitors_end(struct gcl_pg_scope *scope);

/** The server ends: its monitors go with it. */
void gcl_pg_monitors_of_server_end(struct gcl_server *server);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Servers inside the node layer: a process with the program's handlers, and what belongs to it:
 * timers, calls under way, callers that are kept, aliases, what waits while it is suspended.
 *
 * A handler runs between gcl_server_enter() and gcl_server_leave(). Its way in is always the loop:
 * an effect of the core, a deadline, an event of a node. What a handler causes comes later, by the
 * queue of local signals or by the next effect, so none ever runs inside another.
 */
#ifndef GCL_SERVER_SERVER_H
#define GCL_SERVER_SERVER_H

#include <gen_cluster/server.h>

#include "node/process.h"
#include "node/signal_queue.h"

struct gcl_mailbox;
struct gcl_peer;

/* Whose an alias is: gcl_alias.kind. */
enum { GCL_ALIAS_PROGRAM, GCL_ALIAS_CALL, GCL_ALIAS_SPAWN, GCL_ALIAS_PG };

/* What a server is to its node; those of the node itself end together with it: servers.h. */
enum gcl_server_role {
    GCL_SERVER_OF_PROGRAM,
    GCL_SERVER_NET_KERNEL,
    GCL_SERVER_REX,
    GCL_SERVER_GROUP,
    GCL_SERVER_GLOBAL,
};

struct gcl_server {
    struct gcl_process process; /* first: a process of this class is a server */
    const gcl_handlers *handlers;
    /* Of services: takes what no handler gets, BEGIN and, when it minds watchers, DEMONITOR. */
    void (*take_own)(struct gcl_server *server, const struct gcl_signal *signal);
    /* ... and casts, when it matters who has sent them. */
    void (*take_cast)(struct gcl_server *server, gcl_pid from, gcl_term message);
    void *user;
    void *program_user;          /* what gcl_server_user() gives: `user`, but for behaviours */
    struct gcl_list timers;      /* struct timer */
    struct gcl_list calls;       /* struct gcl_call */
    struct gcl_list callers;     /* struct gcl_kept_caller */
    struct gcl_mailbox *mailbox; /* while suspended, and until it is empty again; else NULL */
    struct gcl_str stop_reason;  /* owned; set by gcl_stop(), or by a mistake of the program */
    bool is_mistaken;            /* ... by the latter */
    bool is_suspended;
    bool is_watcher;        /* it asked for node events */
    bool behaviour_watches; /* ... or its behaviour did */
    bool is_transient;      /* it ends with what it came to as its reason: nothing to log */
    bool is_ending;         /* no handler runs any more */
    uint8_t role;           /* enum gcl_server_role */
};

static inline struct gcl_node *gcl_server_at(const struct gcl_server *server)
{
    return server->process.node;
}

/** gcl_whereis() with any atom as a name. */
struct gcl_server *gcl_server_named(struct gcl_node *node, struct gcl_str name);

/** A view of encoded bytes. */
gcl_term gcl_server_term(struct gcl_server *server, struct gcl_str bytes);

/** Its registered name, or its pid, terminated and cut at need; for logs. */
enum { GCL_SERVER_NAME_BYTES = 256 };
void gcl_server_print_name(const struct gcl_server *server, char *text, size_t size);

/** Around each call of a handler. After leave the server may be gone. */
void gcl_server_enter(struct gcl_server *server);
void gcl_server_leave(struct gcl_server *server, gcl_result result);

/**
 * Ends a server, between two effects: its calls are canceled, `terminate` is called; then, behind
 * what it has sent to local processes, the core tells the others. `reason` is borrowed.
 */
void gcl_server_end(struct gcl_server *server, struct gcl_str reason);

/** Hands the server what reached it; calls at most one handler. `alias` by which, or NULL. */
void gcl_server_take(struct gcl_server *server, const struct gcl_signal *signal,
                     struct gcl_alias *alias);

/** The same, past the mailbox. */
void gcl_server_take_now(struct gcl_server *server, const struct gcl_signal *signal,
                         struct gcl_alias *alias);

/** Monitors with a reference that is there already. Errors of gcl_monitor(). */
int gcl_server_monitor(struct gcl_server *server, const struct gcl_target *target,
                       struct gcl_peer *peer, const gcl_ref *ref);

/** gcl_demonitor(), also of a process that is awaited. */
int gcl_server_demonitor(struct gcl_server *server, const gcl_ref *ref);

/**
 * gcl_send_message() of what the node itself owes, an answer that somebody waits for or news that
 * come once: it passes the soft limit of a connection. What cannot be sent for another reason ends
 * the connection, so that nobody waits for it. `dest` is no global name.
 */
void gcl_server_owe(struct gcl_server *server, gcl_dest dest, gcl_message message);

/** Logs that a message was dropped because there is no handler for `what`. */
void gcl_server_drop(struct gcl_server *server, const char *what);

/** As gcl_monitor_nodes(), for a behaviour; the program's own wish is in `is_watcher`. */
void gcl_server_watch_nodes(struct gcl_server *server, bool on);

/** A mistake of the program in a pattern: for struct gcl_term_context. */
void gcl_server_misuse(const char *file, int line, const char *text, void *user);

#endif

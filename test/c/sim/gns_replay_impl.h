/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the replay share; nobody else includes this. */
#ifndef GCL_TEST_SIM_GNS_REPLAY_IMPL_H
#define GCL_TEST_SIM_GNS_REPLAY_IMPL_H

#include <stdio.h>

#include "core/global/gns.h"
#include "core/names.h"
#include "gns_replay.h"
#include "wire/control.h"
#include "wire/term/context.h"

enum {
    SAID = 256,
    CALLS = 512,
    CALLERS = 1024,
    WATCHED = 256,
    TAGS = 64,
    THREADS = 256,
    SEEDS = 8,
    WAKES = 3
};

/* What the machine has said, and the node has not yet. */
struct said {
    enum gcl_gns_effect_kind kind;
    size_t to;
    gcl_pid from; /* of a call */
    uint64_t number;
    uint64_t order;
    struct gcl_str bytes; /* owned */
};

/* What one process of the node has said last to another node, as the machine counts. */
struct thread {
    gcl_pid from;
    size_t to;
    uint64_t order;
};

/* Of the node and of the machine. */
struct call {
    gcl_term tag; /* that the reply will have; owned; or empty: */
    gcl_ref ref;  /* of a spawn request */
    uint64_t number;
    size_t to;
    bool is_open;
};

struct caller {
    gcl_term tag; /* empty: it is a process of the node itself */
    size_t node;
};

struct watched {
    gcl_pid pid;
    gcl_ref ref;
};

struct watching {
    struct watched items[WATCHED];
    size_t count;
};

/* Bytes of a tag of the node, and of the one that stands for it. */
struct tag {
    size_t other;             /* with whom the session is */
    struct gcl_str his, mine; /* owned */
};

struct replay {
    const struct capture_life *life;
    size_t node; /* in whose place the machine is */
    size_t next; /* line */
    struct gcl_names names;
    gcl_term_context terms;
    struct gcl_gns *gns;
    uint64_t now_ms;
    gcl_pid actors[GCL_GNS_ACTORS];
    size_t oldest[CAPTURE_NODES]; /* from each node: the line behind that of the last frame */
    bool is_up[CAPTURE_NODES];
    bool is_wanted_up[CAPTURE_NODES]; /* by the machine: so the node, or the other one, does it */
    bool is_wanted_down[CAPTURE_NODES];
    bool has_acked[CAPTURE_NODES];     /* his init_connect_ack is what has come last */
    bool is_forgetting[CAPTURE_NODES]; /* see above: of OTP 27 and later */
    bool is_leaving[CAPTURE_NODES];    /* one of both has asked the other one to go */
    struct said said[SAID];
    size_t said_count;
    uint64_t order;
    struct thread threads[THREADS];
    size_t thread_count;
    struct call calls[CALLS];
    size_t call_count;
    struct caller callers[CALLERS];
    size_t caller_count;
    struct watching his, mine; /* processes of other nodes that he, and the machine, monitors */
    struct tag tags[TAGS];
    size_t tag_count;
    uint64_t request;
    bool is_over; /* the node has ended */
    struct replay_verdict verdict;
};

#define WRONG(r, ...)                                                                              \
    do {                                                                                           \
        if ((r)->verdict.is_ok)                                                                    \
            (void)snprintf((r)->verdict.text, sizeof(r)->verdict.text, __VA_ARGS__);               \
        (r)->verdict.is_ok = false;                                                                \
    } while (0)

static const gcl_term replay_nothing = {NULL, NULL, 0};

/* --- gns_replay.c --------------------------------------------------------------------------- */

gcl_pid replay_intern(struct replay *r, const struct gcl_wire_pid *wire);
bool replay_is_actor(const struct replay *r, gcl_pid pid);

/** Of a node, or of that of a pid; SIZE_MAX: none of the life's. */
size_t replay_place_of(const struct replay *r, struct gcl_str name);
size_t replay_home_of(struct replay *r, gcl_pid pid);

/* --- gns_replay_said.c ---------------------------------------------------------------------- */

/** Bytes from or for the node `other` with the tags of the machine, to be freed by
 * replay_discard(). */
struct gcl_str replay_translated(const struct replay *r, size_t other, struct gcl_str bytes);
void replay_discard(struct gcl_str bytes);

bool replay_is_watched(const struct watching *watching, gcl_pid pid);
void replay_unwatch(struct watching *watching, gcl_pid pid);

/** The machine has an answer to what it has asked. */
void replay_answer(struct replay *r, struct call *call, int error, gcl_term term);

/** Carries out, or keeps, what the machine has to say. */
void replay_settle(struct replay *r);

/** The node has sent a frame: the machine has said so, or says so now. */
void replay_sent(struct replay *r, const struct capture_line *line);

/** A message that goes with the end of a connection, or of a session. */
void replay_see_leaving(struct replay *r, size_t other, gcl_term message);

/** All that the machine has said the node has said, too. */
void replay_check_said(struct replay *r);

/** A report of the node itself. */
bool replay_is_own_report(const struct replay *r, gcl_term term);

void replay_said_fini(struct replay *r);

#endif

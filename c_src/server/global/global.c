/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To register a name by way of a BEAM takes three questions: who is its global_name_server (whose
 * link to our process must not count), who has the name, and then register_name_external. Whatever
 * goes wrong begins anew with another BEAM, or when one connects, or a second later.
 */
#include "server/global/global.h"

#include <stdio.h>
#include <string.h>

#include "node/dest.h"
#include "node/message.h"
#include "node/node.h"
#include "node/peer.h"
#include "server/global/gns.h"
#include "server/server.h"
#include "server/servers.h"

enum { ASK_TIMEOUT_MS = 4000, RETRY_MS = 1000 };

struct name {
    struct gcl_list at_node;
    uintptr_t number; /* what answers are for: the name may be gone, and its address another's */
    gcl_server *owner;
    gcl_reply_function *done; /* NULL: was told */
    void *user;
    struct gcl_str term; /* owned */
    struct gcl_global_choice choice;
    bool takes_over; /* whoever has it loses it; not after it was had once */
    bool is_asking;
    bool is_registered;
    bool is_unwanted;                       /* given back: goes with the next answer, or turn */
    char beam[GCL_NODE_NAME_MAX_BYTES + 1]; /* asked, or registered by */
};

struct registrar {
    struct gcl_list at_node;
    gcl_pid pid;
};

static void ask_who_links(struct name *name);

static struct name *name_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct name, at_node);
}

static gcl_term term_of(struct gcl_node *node, const struct name *name)
{
    return gcl_term_of(&node->terms, name->term);
}

/* --- BEAMs ---------------------------------------------------------------------------------- */

const char *gcl_global_beam(const struct gcl_node *node, const char *not_this)
{
    GCL_LIST_EACH(&node->peers, at, following)
    {
        const struct gcl_peer *peer = GCL_CONTAINER_OF(at, struct gcl_peer, at_node);
        if (peer->up != NULL && peer->is_published &&
            (not_this == NULL || strcmp(peer->text, not_this) != 0))
            return peer->text;
    }
    return NULL;
}

int gcl_global_ask(gcl_server *self, const char *beam, gcl_reply_function *done, void *user,
                   gcl_message what)
{
    return gcl_call_message(self, gcl_to_remote("rex", beam), ASK_TIMEOUT_MS, done, user, NULL,
                            what);
}

bool gcl_global_is_registrar(const struct gcl_node *node, gcl_pid from)
{
    if (node->servers->global == NULL)
        return false;
    GCL_LIST_EACH(&node->servers->global->registrars, at, following)
    {
        if (gcl_pid_equal(GCL_CONTAINER_OF(at, struct registrar, at_node)->pid, from))
            return true;
    }
    return false;
}

/* One for each BEAM that was ever asked in its life; those that are gone are forgotten first. */
static bool add_registrar(struct gcl_node *node, gcl_pid pid)
{
    if (gcl_global_is_registrar(node, pid))
        return true;
    GCL_LIST_EACH(&node->servers->global->registrars, at, following)
    {
        struct registrar *old = GCL_CONTAINER_OF(at, struct registrar, at_node);
        if (gcl_names_get(&node->core.names, old->pid.node, old->pid.generation) == NULL) {
            gcl_list_remove(at);
            gcl_free(node->mem, old);
        }
    }
    struct registrar *registrar = gcl_alloc(node->mem, sizeof *registrar);
    if (registrar == NULL)
        return false;
    registrar->pid = pid;
    gcl_list_init(&registrar->at_node);
    gcl_list_add_last(&node->servers->global->registrars, &registrar->at_node);
    return true;
}

/* --- outcomes ------------------------------------------------------------------------------- */

/* Tells the owner once. What it does then may free the name. */
static void tell(struct gcl_node *node, struct name *name, int error)
{
    gcl_reply_function *done = name->done;
    gcl_server *owner = name->owner;
    if (done == NULL)
        return;
    name->done = NULL;
    gcl_server_enter(owner);
    gcl_server_leave(owner, done(owner, error, gcl_term_make(&node->terms, NULL, 0), name->user));
}

/* Out of the list first: the owner may want the name again when it is told. */
static void drop(struct gcl_node *node, struct name *name, int error)
{
    gcl_list_remove(&name->at_node);
    tell(node, name, error);
    gcl_free(node->mem, (void *)(uintptr_t)name->term.bytes);
    gcl_free(node->mem, name);
}

static void is_registered(struct gcl_node *node, struct name *name)
{
    name->is_registered = true;
    name->takes_over = false;
    gcl_log(&node->log, GCL_LOG_INFO, "global_name", "a global name is registered by way of %s",
            name->beam);
    tell(node, name, 0);
}

/* By a process of the node `holder`; NULL: of one that the BEAM did not say. */
static void is_taken(struct gcl_node *node, struct name *name, const char *holder)
{
    char text[128];
    if (name->done == NULL) {
        (void)gcl_term_print(term_of(node, name), text, sizeof text, NULL);
        gcl_log(&node->log, GCL_LOG_WARNING, "global_name_lost",
                "a server has lost its global name %s: a process on %s has it, as %s says", text,
                holder != NULL ? holder : "another node", name->beam);
    }
    drop(node, name, GCL_EEXIST);
}

static gcl_result ignore(gcl_server *self, int error, gcl_term term, void *user)
{
    (void)self;
    (void)error;
    (void)term;
    (void)user;
    return GCL_CONTINUE;
}

/* What was given back: the BEAM is told, then the owner if it still waits. */
static void sweep(struct gcl_node *node)
{
    GCL_LIST_EACH(&node->servers->global->names, at, following)
    {
        struct name *name = name_at(at);
        if (!name->is_unwanted || name->is_asking)
            continue;
        if (name->is_registered)
            (void)gcl_global_ask(node->servers->global->server, name->beam, ignore, NULL,
                                 GCL_MESSAGE("{call, global, unregister_name_external, [~t], user}",
                                             term_of(node, name)));
        drop(node, name, GCL_ECANCELED);
        return; /* the list may be another by now: the next turn goes on */
    }
}

/* A little later, or when a BEAM connects. */
static void wait_for_turn(struct gcl_node *node, uint64_t delay_ms)
{
    struct gcl_global *global = node->servers->global;
    if (global->turn != 0)
        (void)gcl_timer_cancel(global->server, global->turn);
    global->turn = 0;
    if (gcl_timer_start(global->server, delay_ms, &global->turn) != 0)
        gcl_log(&node->log, GCL_LOG_ERROR, "global_name", "no memory for a timer");
}

/* --- the three questions -------------------------------------------------------------------- */

/* The name an answer is for; NULL when it is gone, or was given back in the meantime. */
static struct name *answered(gcl_server *self, void *user)
{
    struct gcl_global *global = gcl_server_user(self);
    if (self->is_ending)
        return NULL;
    GCL_LIST_EACH(&global->names, at, following)
    {
        struct name *name = name_at(at);
        if (name->number != (uintptr_t)user)
            continue;
        name->is_asking = false;
        if (!name->is_unwanted)
            return name;
        wait_for_turn(gcl_server_at(self), 0);
        return NULL;
    }
    return NULL;
}

static void try_another(struct gcl_node *node, struct name *name)
{
    const char *beam = gcl_global_beam(node, name->beam);
    name->is_registered = false;
    if (beam == NULL)
        beam = gcl_global_beam(node, NULL);
    if (beam == NULL || strcmp(beam, name->beam) == 0) {
        wait_for_turn(node, RETRY_MS);
        return;
    }
    (void)snprintf(name->beam, sizeof name->beam, "%s", beam);
    ask_who_links(name);
}

static void note_registered(gcl_server *self, const void *user, bool yes)
{
    struct gcl_global *global = gcl_server_user(self);
    GCL_LIST_EACH(&global->names, at, following)
    {
        if (name_at(at)->number == (uintptr_t)user)
            name_at(at)->is_registered = yes;
    }
}

static gcl_result on_registered(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    /* Also of one that was given back: it has to be known that the BEAM has it. */
    bool yes = error == 0 && gcl_match(term, "yes");
    struct name *name = answered(self, user);
    if (name == NULL) {
        note_registered(self, user, yes);
        return GCL_CONTINUE;
    }
    if (yes)
        is_registered(node, name);
    else if (error == 0 && gcl_match(term, "no"))
        is_taken(node, name, NULL);
    else
        try_another(node, name);
    return GCL_CONTINUE;
}

static void ask(struct name *name, gcl_reply_function *done, gcl_message what)
{
    struct gcl_node *node = gcl_server_at(name->owner);
    name->is_asking = gcl_global_ask(node->servers->global->server, name->beam, done,
                                     (void *)name->number, what) == 0;
    if (!name->is_asking)
        wait_for_turn(node, RETRY_MS);
}

static void ask_to_register(struct name *name, const char *function)
{
    struct gcl_node *node = gcl_server_at(name->owner);
    uint8_t method[GCL_GLOBAL_METHOD_BYTES];
    size_t size = gcl_global_write_method(name->choice.method, method);
    ask(name, on_registered,
        GCL_MESSAGE("{call, global, ~a, [~t, ~p, ~t], user}", function, term_of(node, name),
                    gcl_self(name->owner), gcl_term_make(&node->terms, method, size)));
}

static gcl_result on_whereis(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct name *name = answered(self, user);
    gcl_pid pid;
    if (name == NULL)
        return GCL_CONTINUE;
    bool is_there = error == 0 && gcl_match(term, "~p", &pid);
    if (is_there && gcl_pid_equal(pid, gcl_self(name->owner)) && !name->takes_over)
        is_registered(node, name);
    else if (is_there && name->takes_over)
        ask_to_register(name, "re_register_name");
    else if (is_there)
        is_taken(node, name, gcl_pid_node(node, pid));
    else if (error == 0 && gcl_match(term, "undefined"))
        ask_to_register(name, "register_name_external");
    else
        try_another(node, name);
    return GCL_CONTINUE;
}

static gcl_result on_registrar(gcl_server *self, int error, gcl_term term, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct name *name = answered(self, user);
    gcl_pid pid;
    if (name == NULL)
        return GCL_CONTINUE;
    if (error == 0 && gcl_match(term, "~p", &pid) && add_registrar(node, pid))
        ask(name, on_whereis,
            GCL_MESSAGE("{call, global, whereis_name, [~t], user}", term_of(node, name)));
    else
        try_another(node, name);
    return GCL_CONTINUE;
}

static void ask_who_links(struct name *name)
{
    ask(name, on_registrar, GCL_MESSAGE("{call, erlang, whereis, [global_name_server], user}"));
}

/* Names that nobody is asked about are asked about now. */
static void begin_all(struct gcl_node *node)
{
    const char *beam = gcl_global_beam(node, NULL);
    if (beam == NULL)
        return;
    GCL_LIST_EACH(&node->servers->global->names, at, following)
    {
        struct name *name = name_at(at);
        if (name->is_asking || name->is_registered || name->is_unwanted)
            continue;
        (void)snprintf(name->beam, sizeof name->beam, "%s", beam);
        ask_who_links(name);
    }
}

/* --- its process ---------------------------------------------------------------------------- */

static gcl_result handle_node(gcl_server *self, const char *node_name, bool is_up, gcl_term reason,
                              void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_global *global = user;
    (void)reason;
    GCL_LIST_EACH(&global->names, at, following)
    {
        struct name *name = name_at(at);
        if (!is_up && name->is_registered && strcmp(name->beam, node_name) == 0)
            try_another(node, name);
    }
    begin_all(node);
    return GCL_CONTINUE;
}

static gcl_result handle_timer(gcl_server *self, uint64_t timer, void *user)
{
    struct gcl_global *global = user;
    struct gcl_node *node = gcl_server_at(self);
    size_t before = gcl_list_count(&global->names);
    (void)timer;
    global->turn = 0;
    sweep(node);
    begin_all(node);
    if (gcl_list_count(&global->names) < before)
        wait_for_turn(node, 0);
    return GCL_CONTINUE;
}

static void terminate(gcl_server *self, gcl_term reason, void *user)
{
    struct gcl_node *node = gcl_server_at(self);
    (void)reason;
    (void)user;
    gcl_global_fini(node);
}

static const gcl_handlers handlers = {.size = sizeof(gcl_handlers),
                                      .handle_node = handle_node,
                                      .handle_timer = handle_timer,
                                      .terminate = terminate};

int gcl_global_need(struct gcl_node *node)
{
    gcl_server_config config;
    if (node->servers->global != NULL)
        return 0;
    struct gcl_global *global = gcl_alloc_zero(node->mem, sizeof *global);
    if (global == NULL)
        return GCL_ENOMEM;
    gcl_list_init(&global->names);
    gcl_list_init(&global->lookups);
    gcl_list_init(&global->registrars);
    gcl_server_config_init(&config);
    config.handlers = &handlers;
    config.user = global;
    int error = gcl_servers_start(node, GCL_SERVER_GLOBAL, &config, &global->server);
    if (error != 0) {
        gcl_free(node->mem, global);
        return error;
    }
    node->servers->global = global;
    gcl_monitor_nodes(global->server, true);
    return 0;
}

void gcl_global_fini(struct gcl_node *node)
{
    struct gcl_global *global = node->servers->global;
    struct gcl_list *at;
    if (global == NULL)
        return;
    gcl_global_lookups_fini(node);
    while ((at = gcl_list_first(&global->names)) != NULL)
        drop(node, name_at(at), GCL_ECANCELED);
    while ((at = gcl_list_first(&global->registrars)) != NULL) {
        gcl_list_remove(at);
        gcl_free(node->mem, GCL_CONTAINER_OF(at, struct registrar, at_node));
    }
    gcl_free(node->mem, global);
    node->servers->global = NULL;
}

static struct name *name_of(struct gcl_global *global, const gcl_server *owner)
{
    GCL_LIST_EACH(&global->names, at, following)
    {
        if (name_at(at)->owner == owner)
            return name_at(at);
    }
    return NULL;
}

gcl_dest gcl_global_locate(struct gcl_node *node, const gcl_dest *dest)
{
    struct gcl_gns_service *gns = gcl_gns_of(node);
    return gns != NULL && gcl_dest_is_global(dest) ? gcl_gns_locate(gns, dest) : *dest;
}

void gcl_global_server_ends(struct gcl_node *node, gcl_server *server)
{
    struct name *name;
    if (gcl_gns_of(node) != NULL)
        gcl_gns_server_ends(gcl_gns_of(node), server);
    if (node->servers->global == NULL || node->servers->global->server == server)
        return;
    while ((name = name_of(node->servers->global, server)) != NULL)
        drop(node, name, GCL_ECANCELED);
}

const struct gcl_global_choice *gcl_global_choice(const struct gcl_node *node, gcl_pid pid,
                                                  gcl_term name, gcl_server **owner)
{
    if (node->servers->global == NULL)
        return NULL;
    GCL_LIST_EACH(&node->servers->global->names, at, following)
    {
        struct name *own = name_at(at);
        gcl_term term = gcl_term_make(name.context, own->term.bytes, own->term.size);
        if (gcl_pid_equal(gcl_self(own->owner), pid) && gcl_term_equal(term, name)) {
            *owner = own->owner;
            return &own->choice;
        }
    }
    return NULL;
}

/* --- for programs --------------------------------------------------------------------------- */

static struct name *find_name(struct gcl_global *global, const gcl_server *owner, gcl_term term)
{
    GCL_LIST_EACH(&global->names, at, following)
    {
        struct name *name = name_at(at);
        if (name->owner == owner && !name->is_unwanted &&
            gcl_term_equal(term_of(gcl_server_at(owner), name), term))
            return name;
    }
    return NULL;
}

static int new_name(gcl_server *self, struct gcl_str term, struct name **out)
{
    struct gcl_node *node = gcl_server_at(self);
    struct name *name = gcl_alloc_zero(node->mem, sizeof *name);
    uint8_t *copy = gcl_alloc_copy(node->mem, term.bytes, term.size);
    if (name == NULL || copy == NULL) {
        gcl_free(node->mem, name);
        gcl_free(node->mem, copy);
        return GCL_ENOMEM;
    }
    name->term = gcl_str_make(copy, term.size);
    name->number = ++node->servers->global->last_number;
    name->owner = self;
    gcl_list_init(&name->at_node);
    gcl_list_add_last(&node->servers->global->names, &name->at_node);
    *out = name;
    return 0;
}

int gcl_global_claim(gcl_server *self, const struct gcl_global_choice *choice, bool takes_over,
                     gcl_reply_function *done, void *user, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_str term;
    int error = gcl_global_need(node);
    if (error == 0)
        error = gcl_message_build(node, &message, &term);
    if (error != 0)
        return error;
    struct name *name = find_name(node->servers->global, self, gcl_term_of(&node->terms, term));
    if (name != NULL && (!takes_over || name->done != NULL || name->is_asking))
        return GCL_EEXIST;
    if (name == NULL)
        error = new_name(self, term, &name);
    if (error != 0)
        return error;
    name->done = done;
    name->user = user;
    name->choice = *choice;
    name->takes_over = takes_over;
    name->is_registered = false;
    begin_all(node);
    return 0;
}

int gcl_global_give_back(gcl_server *self, gcl_message message)
{
    struct gcl_node *node = gcl_server_at(self);
    struct gcl_str term;
    int error = gcl_message_build(node, &message, &term);
    if (error != 0)
        return error;
    struct name *name = node->servers->global == NULL ? NULL
                                                      : find_name(node->servers->global, self,
                                                                  gcl_term_of(&node->terms, term));
    if (name == NULL)
        return GCL_ENOENT;
    name->is_unwanted = true;
    wait_for_turn(node, 0);
    return 0;
}

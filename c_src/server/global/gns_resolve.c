/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes have one name, because two partitions became one. The node of one of them decides,
 * with the method that the name was registered with. What programs of this node have chosen beside
 * the three methods of global travels as a fun that no node has: it leads back to who has the
 * name, because global:resolve_it/4 is called on the node of its process. spec: global, resolve_it,
 * random_exit_name, random_notify_name, notify_all_name
 */
#include <string.h>

#include "core/names.h"
#include "node/node.h"
#include "server/global/gns.h"
#include "wire/term/id.h"
#include "wire/term/tag.h"

enum { ARITY = 3 };

struct conflict {
    gcl_server *server;
    gcl_term method, name;
    gcl_pid first, second; /* by their nodes: the first one stays, if one does */
    gcl_pid his, mine;
};

/* --- methods ---------------------------------------------------------------------- */

static gcl_pid random_exit(const struct conflict *c)
{
    (void)gcl_exit(c->server, c->second, "kill");
    return c->first;
}

static gcl_pid random_notify(const struct conflict *c)
{
    gcl_server_owe(c->server, gcl_to_pid(c->second),
                   GCL_MESSAGE("{global_name_conflict, ~t}", c->name));
    return c->first;
}

static gcl_pid notify_all(const struct conflict *c)
{
    static const gcl_pid nobody = {0};
    gcl_server_owe(c->server, gcl_to_pid(c->his),
                   GCL_MESSAGE("{global_name_conflict, ~t, ~p}", c->name, c->mine));
    gcl_server_owe(c->server, gcl_to_pid(c->mine),
                   GCL_MESSAGE("{global_name_conflict, ~t, ~p}", c->name, c->his));
    return nobody;
}

/* As this server has chosen; one that has not got the name any more does not want it. */
static gcl_pid as_chosen(const struct conflict *c)
{
    static const gcl_pid nobody = {0};
    struct gcl_node *node = gcl_server_at(c->server);
    const struct gcl_gns_service *gns = gcl_gns_of(node);
    gcl_server *owner = NULL;
    const struct gcl_global_choice *choice =
        gns != NULL ? gcl_gns_choice(gns, c->mine, c->name, &owner)
                    : gcl_global_choice(node, c->mine, c->name, &owner);
    if (choice == NULL)
        return c->his;
    if (choice->resolve == NULL)
        return nobody;
    gcl_server_enter(owner);
    gcl_pid winner = choice->resolve(owner, c->name, c->mine, c->his, choice->user);
    gcl_server_leave(owner, GCL_CONTINUE);
    return winner;
}

static const struct {
    gcl_global_method method;
    const char *module, *function;
    gcl_pid (*run)(const struct conflict *c);
} methods[] = {
    {GCL_GLOBAL_RANDOM_EXIT, "global", "random_exit_name", random_exit},
    {GCL_GLOBAL_RANDOM_NOTIFY, "global", "random_notify_name", random_notify},
    {GCL_GLOBAL_NOTIFY_ALL, "global", "notify_all_name", notify_all},
    {GCL_GLOBAL_RESOLVE, "gen_cluster", "resolve_global_name", as_chosen},
    {GCL_GLOBAL_NOBODY, "gen_cluster", "resolve_global_name", as_chosen},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

/* A method that cannot be run here, such as a fun of a BEAM that has registered one of our
 * processes, is taken for the one that global has for those who give none. */
static gcl_pid (*method_of(gcl_term method))(const struct conflict *c)
{
    struct gcl_cursor cursor = gcl_term_cursor(method);
    struct gcl_str module, function;
    uint8_t tag;
    if (!gcl_cursor_u8(&cursor, &tag) || tag != GCL_TAG_EXPORT ||
        !gcl_wire_atom_decode(&cursor, NULL, &module) ||
        !gcl_wire_atom_decode(&cursor, NULL, &function))
        return random_exit;
    for (size_t i = 0; i < METHODS; i++)
        if (gcl_str_is(module, methods[i].module) && gcl_str_is(function, methods[i].function))
            return methods[i].run;
    return random_exit;
}

static size_t write_atom(uint8_t *bytes, const char *text)
{
    struct gcl_str name = gcl_str_of(text);
    bytes[0] = GCL_TAG_SMALL_ATOM;
    bytes[1] = (uint8_t)name.size;
    memcpy(bytes + 2, name.bytes, name.size);
    return 2 + name.size;
}

/* spec: EXPORT_EXT: every release takes such a fun as a method. */
size_t gcl_global_write_method(gcl_global_method method, uint8_t bytes[GCL_GLOBAL_METHOD_BYTES])
{
    size_t i = 0, size = 0;
    while (i + 1 < METHODS && methods[i].method != method)
        i++;
    bytes[size++] = GCL_TAG_EXPORT;
    size += write_atom(bytes + size, methods[i].module);
    size += write_atom(bytes + size, methods[i].function);
    bytes[size++] = GCL_TAG_SMALL_INT;
    bytes[size++] = ARITY;
    return size;
}

/* --- conflicts ------------------------------------------------------------------------------ */

static bool is_of_smaller_node(struct gcl_node *node, gcl_pid a, gcl_pid b)
{
    const struct gcl_name *first = gcl_names_get(&node->core.names, a.node, a.generation);
    const struct gcl_name *second = gcl_names_get(&node->core.names, b.node, b.generation);
    return first != NULL && second != NULL &&
           gcl_str_compare(gcl_name_str(first), gcl_name_str(second)) < 0;
}

int gcl_gns_resolve(gcl_server *self, gcl_term arguments, gcl_pid *winner)
{
    struct conflict c = {.server = self};
    if (!gcl_match(arguments, "[~t, ~t, ~p, ~p]", &c.method, &c.name, &c.his, &c.mine))
        return GCL_EINVAL;
    bool his_first = is_of_smaller_node(gcl_server_at(self), c.his, c.mine);
    c.first = his_first ? c.his : c.mine;
    c.second = his_first ? c.mine : c.his;
    gcl_log(&gcl_server_at(self)->log, GCL_LOG_INFO, "global",
            "two processes have had one global name");
    *winner = method_of(c.method)(&c);
    return 0;
}

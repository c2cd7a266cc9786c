/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes have one name, because two partitions became one. The node of one of them decides,
 * with the method that the name was registered with. spec: global, resolve_it, random_exit_name,
 * random_notify_name, notify_all_name
 */
#include <string.h>

#include "core/names.h"
#include "node/node.h"
#include "server/gns.h"
#include "wire/id.h"

enum { TAG_EXPORT = 113 };

struct conflict {
    gcl_server *server;
    gcl_term name;
    gcl_pid first, second; /* by their nodes: the first one stays, if one does */
    gcl_pid his, mine;
};

/* --- the three methods ---------------------------------------------------------------------- */

static gcl_pid random_exit(const struct conflict *c)
{
    (void)gcl_exit(c->server, c->second, "kill");
    return c->first;
}

static gcl_pid random_notify(const struct conflict *c)
{
    (void)gcl_send(c->server, gcl_to_pid(c->second), "{global_name_conflict, ~t}", c->name);
    return c->first;
}

static gcl_pid notify_all(const struct conflict *c)
{
    static const gcl_pid nobody = {0};
    (void)gcl_send(c->server, gcl_to_pid(c->his), "{global_name_conflict, ~t, ~p}", c->name,
                   c->mine);
    (void)gcl_send(c->server, gcl_to_pid(c->mine), "{global_name_conflict, ~t, ~p}", c->name,
                   c->his);
    return nobody;
}

static const struct {
    const char *function;
    gcl_pid (*run)(const struct conflict *c);
} methods[] = {{"random_exit_name", random_exit},
               {"random_notify_name", random_notify},
               {"notify_all_name", notify_all}};

/* A method that cannot be run here, such as a fun of a BEAM that has registered one of our
 * processes, is taken for the one that global has for those who give none. */
static gcl_pid (*method_of(gcl_term method))(const struct conflict *c)
{
    struct gcl_cursor cursor = gcl_term_cursor(method);
    struct gcl_str module, function;
    uint8_t tag;
    if (!gcl_cursor_u8(&cursor, &tag) || tag != TAG_EXPORT ||
        !gcl_wire_atom_decode(&cursor, NULL, &module) ||
        !gcl_wire_atom_decode(&cursor, NULL, &function) || !gcl_str_is(module, "global"))
        return random_exit;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (gcl_str_is(function, methods[i].function))
            return methods[i].run;
    return random_exit;
}

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
    gcl_term method;
    if (!gcl_match(arguments, "[~t, ~t, ~p, ~p]", &method, &c.name, &c.his, &c.mine))
        return GCL_EINVAL;
    bool his_first = is_of_smaller_node(gcl_server_at(self), c.his, c.mine);
    c.first = his_first ? c.his : c.mine;
    c.second = his_first ? c.mine : c.his;
    gcl_log(&gcl_server_at(self)->log, GCL_LOG_INFO, "global",
            "two processes have had one global name");
    *winner = method_of(method)(&c);
    return 0;
}

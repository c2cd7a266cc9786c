/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node tells about itself: the items of erlang:system_info/1 and erlang:memory/1 that are
 * true of a C program. What belongs to a BEAM (its release, its atoms, tables, heaps) is no item
 * here, and fails as an unknown one does there.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "node/node.h"
#include "server/rpc/rpc.h"

/* Writes the value of an item. False: it is not known. */
typedef bool write_item(gcl_node *node, gcl_writer *out);

/* --- system_info --------------------------------------------------------------------------------
 */

static bool creation(gcl_node *node, gcl_writer *out)
{
    return gcl_write(out, "~u", gcl_node_creation(node)) == 0;
}

static bool process_count(gcl_node *node, gcl_writer *out)
{
    return gcl_write(out, "~u", node->core.processes.count) == 0;
}

static bool process_limit(gcl_node *node, gcl_writer *out)
{
    return gcl_write(out, "~u", node->core.processes.limit) == 0;
}

/* Connections are no ports here. */
static bool port_count(gcl_node *node, gcl_writer *out)
{
    (void)node;
    return gcl_write(out, "0") == 0;
}

/* All processes of a node run on the thread of its loop. */
static bool schedulers(gcl_node *node, gcl_writer *out)
{
    (void)node;
    return gcl_write(out, "1") == 0;
}

static bool wordsize(gcl_node *node, gcl_writer *out)
{
    (void)node;
    return gcl_write(out, "~u", sizeof(void *)) == 0;
}

static bool endian(gcl_node *node, gcl_writer *out)
{
    const uint16_t one = 1;
    (void)node;
    return gcl_write(out, "~a", *(const uint8_t *)&one == 1 ? "little" : "big") == 0;
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool os_type(gcl_node *node, gcl_writer *out)
{
    struct utsname system;
    (void)node;
    if (uname(&system) < 0)
        return false;
    lower(system.sysname);
    return gcl_write(out, "{unix, ~a}", (const char *)system.sysname) == 0;
}

static bool os_version(gcl_node *node, gcl_writer *out)
{
    struct utsname system;
    unsigned long numbers[3] = {0};
    char *rest;
    (void)node;
    if (uname(&system) < 0)
        return false;
    rest = system.release;
    for (int i = 0; i < 3; i++) {
        numbers[i] = strtoul(rest, &rest, 10);
        rest += *rest == '.';
    }
    return gcl_write(out, "{~u, ~u, ~u}", numbers[0], numbers[1], numbers[2]) == 0;
}

static bool system_architecture(gcl_node *node, gcl_writer *out)
{
    struct utsname system;
    char text[2 * sizeof system.machine + 16];
    (void)node;
    if (uname(&system) < 0)
        return false;
    lower(system.sysname);
    (void)snprintf(text, sizeof text, "%s-unknown-%s", system.machine, system.sysname);
    return gcl_write(out, "~s", (const char *)text) == 0;
}

static const struct {
    const char *name;
    write_item *write;
} infos[] = {
    {"creation", creation},
    {"endian", endian},
    {"os_type", os_type},
    {"os_version", os_version},
    {"port_count", port_count},
    {"process_count", process_count},
    {"process_limit", process_limit},
    {"schedulers", schedulers},
    {"schedulers_online", schedulers},
    {"system_architecture", system_architecture},
    {"wordsize", wordsize},
};

static write_item *find_item(gcl_term arguments)
{
    gcl_bytes name;
    if (gcl_match(arguments, "[{wordsize, internal}]") ||
        gcl_match(arguments, "[{wordsize, external}]"))
        return wordsize;
    if (!gcl_match(arguments, "[~a]", &name))
        return NULL;
    for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++)
        if (gcl_str_is(gcl_str_make(name.bytes, name.size), infos[i].name))
            return infos[i].write;
    return NULL;
}

/* --- memory
 * --------------------------------------------------------------------------------------- */

/* {total, Bytes}: what the OS process has in memory. Nothing is known of its parts. */
static bool total(gcl_node *node, gcl_writer *out)
{
    uint64_t bytes;
    (void)node;
    return gcl_node_memory(&bytes) && gcl_write(out, "~u", bytes) == 0;
}

static bool all(gcl_node *node, gcl_writer *out)
{
    uint64_t bytes;
    (void)node;
    return gcl_node_memory(&bytes) && gcl_write(out, "[{total, ~u}]", bytes) == 0;
}

static bool nothing(gcl_node *node, gcl_writer *out)
{
    (void)node;
    return gcl_write(out, "[]") == 0;
}

static bool is_type(gcl_term type)
{
    static const char *const types[] = {"total",  "processes", "processes_used",
                                        "system", "atom",      "atom_used",
                                        "binary", "code",      "ets"};
    gcl_bytes name;
    if (!gcl_match(type, "~a", &name))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (gcl_str_is(gcl_str_make(name.bytes, name.size), types[i]))
            return true;
    return false;
}

static bool are_types(gcl_term list)
{
    gcl_items items;
    gcl_term type;
    if (!gcl_match(list, "[_ | _]") || !gcl_items_begin(&items, list))
        return false;
    while (gcl_items_next(&items, &type))
        if (!is_type(type))
            return false;
    return gcl_items_is_proper_end(&items);
}

/* --- the functions
 * ---------------------------------------------------------------------------------- */

static void answer(gcl_server *self, gcl_rpc_task task, write_item *write, const char *error)
{
    gcl_node *node = gcl_server_node(self);
    gcl_writer *out = write != NULL ? gcl_writer_new(gcl_node_terms(node)) : NULL;
    if (out != NULL && write(node, out))
        (void)gcl_rpc_return(node, task, "~t", gcl_writer_term(out));
    else
        (void)gcl_rpc_raise(node, task, GCL_RPC_ERROR, "~a", write != NULL ? "notsup" : error);
    gcl_writer_free(out);
}

static void system_info(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)user;
    answer(self, task, find_item(arguments), "badarg");
}

static void memory(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    (void)arguments;
    (void)user;
    answer(self, task, all, "notsup");
}

/* spec: erlang:memory/1: `notsup` for a type that there is, when its size cannot be told. */
static void memory_of(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_term type;
    (void)user;
    if (gcl_match(arguments, "[total]"))
        answer(self, task, total, "notsup");
    else if (gcl_match(arguments, "[[total]]"))
        answer(self, task, all, "notsup");
    else if (gcl_match(arguments, "[[]]"))
        answer(self, task, nothing, "notsup");
    else if (gcl_match(arguments, "[~t]", &type) && (is_type(type) || are_types(type)))
        answer(self, task, NULL, "notsup");
    else
        answer(self, task, NULL, "badarg");
}

int gcl_rpc_add_system(struct gcl_node *node)
{
    int error = gcl_rpc_add_own(node, "erlang", "system_info", 1, system_info);
    if (error == 0)
        error = gcl_rpc_add_own(node, "erlang", "memory", 0, memory);
    return error != 0 ? error : gcl_rpc_add_own(node, "erlang", "memory", 1, memory_of);
}

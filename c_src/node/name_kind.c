/* SPDX-License-Identifier: Apache-2.0 */
#include "node/name_kind.h"

#include <string.h>

static bool has(struct gcl_str text, char character)
{
    return text.size > 0 && memchr(text.bytes, character, text.size) != NULL;
}

static struct gcl_str host_of(struct gcl_str name)
{
    size_t at = 0;
    while (at < name.size && name.bytes[at] != '@')
        at++;
    return at < name.size ? gcl_str_make(name.bytes + at + 1, name.size - at - 1) : name;
}

/* spec: inet_tcp_dist, splitnode: an address without dots is one of IPv6, which goes with both. */
bool gcl_name_kinds_differ(const char *host, struct gcl_str name)
{
    struct gcl_str own = gcl_str_of(host), other = host_of(name);
    return has(own, '.') != has(other, '.') && !has(own, ':') && !has(other, ':');
}

void gcl_name_kind_check(struct gcl_node *node, struct gcl_str name)
{
    if (node->has_told_name_kind || !gcl_name_kinds_differ(node->host, name))
        return;
    node->has_told_name_kind = true;
    bool is_long = strchr(node->host, '.') != NULL;
    gcl_log(
        &node->log, GCL_LOG_WARNING, "name_kind",
        "the host of %.*s has %s dot, that of %s has %s: nodes with such names do not dial this "
        "one, and are connected only when it dials them; give all nodes of a cluster names of "
        "one kind (erl -name and --name, or -sname and --sname)",
        (int)name.size, (const char *)name.bytes, is_long ? "no" : "a", node->name,
        is_long ? "one" : "none");
}

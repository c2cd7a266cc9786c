/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of a node, what is checked of a config, and the copy that a node keeps. */
#include "node/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/crypto.h"
#include "wire/handshake.h"

enum { WATCHDOG_MIN_MS = 100 }; /* less is no stall, but a busy machine */

static const size_t MIB = (size_t)1024 * 1024;

void gcl_node_config_init(gcl_node_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->net_ticktime_s = 60;
    config->net_tickintensity = 4;
    config->setup_timeout_ms = 7000;
    config->close_timeout_ms = 2000;
    config->reconnect_min_ms = 500;
    config->reconnect_max_ms = 30000;
    config->watchdog_ms = 5000;
    config->output_soft_bytes = MIB;
    config->output_hard_bytes = 64 * MIB;
    config->pending_bytes = 8 * MIB;
    config->local_queue_bytes = 64 * MIB;
    config->mailbox_bytes = 8 * MIB;
    config->frame_bytes = (uint32_t)(64 * MIB);
    config->max_connections = 4096;
    config->max_processes = 262144;
    config->max_node_names = 65536;
    config->max_edges = 1048576;
    config->max_posts = 65536;
    config->max_rpc_functions = 4096;
    config->max_rpc_calls = 65536;
    config->max_rpc_calls_per_node = 16384;
    config->max_kept_callers = 65536;
    config->log_level = GCL_LOG_NOTICE;
}

static int refuse(const struct gcl_config_detail *detail, int error, const char *what)
{
    if (detail->text != NULL && detail->size > 0)
        (void)snprintf(detail->text, detail->size, "%s", what);
    return error;
}

static int check(const gcl_node_config *config, const struct gcl_config_detail *detail)
{
    if (config->size != sizeof *config)
        return refuse(detail, GCL_EINVAL, "fill the config with gcl_node_config_init() first");
    if (config->loop == NULL)
        return refuse(detail, GCL_EINVAL, "loop: expected a libev loop");
    if (config->name == NULL)
        return refuse(detail, GCL_ENAME, "name: expected alive@host");
    if (config->cookie == NULL || config->cookie[0] == '\0' || strlen(config->cookie) > 255)
        return refuse(detail, GCL_EINVAL, "cookie: expected 1 to 255 bytes");
    if (!config->hidden && config->no_listener)
        return refuse(detail, GCL_EINVAL,
                      "no_listener: a visible node has to be reached by every node of the cluster, "
                      "or `global` waits for it: set hidden, or let it listen");
    if (config->net_ticktime_s == 0 || config->net_tickintensity < 4 ||
        config->net_tickintensity > 1000)
        return refuse(detail, GCL_EINVAL,
                      "net_ticktime_s: expected at least 1; net_tickintensity: 4 to 1000");
    if (config->output_soft_bytes == 0 || config->output_soft_bytes > config->output_hard_bytes)
        return refuse(detail, GCL_EINVAL,
                      "output_soft_bytes: expected at least 1, at most output_hard_bytes");
    if (config->reconnect_min_ms == 0 || config->reconnect_min_ms > config->reconnect_max_ms)
        return refuse(detail, GCL_EINVAL,
                      "reconnect_min_ms: expected at least 1, at most reconnect_max_ms");
    if (config->watchdog_ms > 0 && config->watchdog_ms < WATCHDOG_MIN_MS)
        return refuse(detail, GCL_EINVAL, "watchdog_ms: expected 0, for none, or at least 100");
    if (config->no_epmd && config->listen_port == 0 && !config->no_listener)
        return refuse(detail, GCL_EINVAL,
                      "no_epmd: expected a listen_port, because nobody could find a free one");
    return 0;
}

/* What is wrong with a name; NULL: nothing. */
static const char *fault_of_name(const char *name)
{
    const char *at = strchr(name, '@');
    /* spec: erl -sname undefined asks the first peer for a name (flag NAME_ME). */
    if (strncmp(name, "undefined@", sizeof "undefined@" - 1) == 0)
        return "name: a C node cannot ask for a dynamic name (undefined): expected one of its own";
    if (gcl_handshake_is_node_name(gcl_str_of(name)))
        return NULL;
    if (at == NULL || strchr(at + 1, '@') != NULL)
        return "name: expected alive@host, with one @";
    if (at == name || at[1] == '\0')
        return "name: expected alive@host, both parts not empty";
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7F)
            return "name: expected alive@host without spaces and control characters";
    return "name: expected alive@host in UTF-8, of at most 255 characters";
}

/* "alive@host", or "alive" and the name of this host: cut at the first dot for short names. */
static int make_name(struct gcl_node *node, const gcl_node_config *config,
                     const struct gcl_config_detail *detail)
{
    char host[256] = "";
    const char *at = strchr(config->name, '@');
    if (at == NULL && gethostname(host, sizeof host - 1) != 0)
        return refuse(detail, GCL_ESYS, "name: this host has no name: expected alive@host");
    if (at == NULL && !config->long_names)
        host[strcspn(host, ".")] = '\0';
    size_t size = strlen(config->name) + 1 + strlen(host) + 1;
    node->name = gcl_alloc(node->mem, size);
    if (node->name == NULL)
        return GCL_ENOMEM;
    (void)snprintf(node->name, size, at == NULL ? "%s@%s" : "%s%s", config->name, host);
    const char *fault = fault_of_name(node->name);
    if (fault != NULL)
        return refuse(detail, GCL_ENAME, fault);
    node->host = strchr(node->name, '@') + 1;
    if (config->long_names && strchr(node->host, '.') == NULL && strchr(node->host, ':') == NULL)
        return refuse(detail, GCL_ENAME, "name: long names need a host with a dot");
    return 0;
}

static int find_epmd(struct gcl_node *node, const struct gcl_config_detail *detail)
{
    const char *address = node->config.epmd_address;
    const char *port = getenv("ERL_EPMD_PORT");
    char first[GCL_ADDRESS_TEXT_BYTES];
    unsigned long number = GCL_EPMD_PORT;
    /* ERL_EPMD_ADDRESS may list several, separated by commas: any of them will do. */
    if (address == NULL)
        address = getenv("ERL_EPMD_ADDRESS");
    if (address == NULL)
        address = "127.0.0.1";
    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(address, ","), address);
    if (port != NULL)
        number = strtoul(port, NULL, 10);
    if (node->config.epmd_port != 0)
        number = node->config.epmd_port;
    if (number == 0 || number > 65535)
        return refuse(detail, GCL_EINVAL, "ERL_EPMD_PORT: expected a port");
    if (!gcl_address_parse(first, (uint16_t)number, &node->epmd))
        return refuse(detail, GCL_EINVAL, "epmd_address: expected a numeric address or localhost");
    return 0;
}

static char *copy_text(const gcl_allocator *mem, const char *text)
{
    return gcl_alloc_copy(mem, text, strlen(text) + 1);
}

static void free_list(const gcl_allocator *mem, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        gcl_free(mem, (void *)(uintptr_t)list[i]);
    gcl_free(mem, (void *)(uintptr_t)list);
}

/* NULL: no memory. */
static const char *const *copy_list(const gcl_allocator *mem, const char *const *list)
{
    size_t count = 0;
    while (list[count] != NULL)
        count++;
    const char **copy = gcl_alloc_zero(mem, (count + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++)
        if ((copy[i] = copy_text(mem, list[i])) == NULL) {
            free_list(mem, copy);
            return NULL;
        }
    return copy;
}

static bool is_twice_in(const char *const *list, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(list[i], list[at]) == 0)
            return true;
    return false;
}

static int take_group(struct gcl_node *node, const char *const *group,
                      const struct gcl_config_detail *detail)
{
    bool has_self = false;
    if (group == NULL)
        return 0;
    node->config.global_group = copy_list(node->mem, group);
    if (node->config.global_group == NULL)
        return GCL_ENOMEM;
    for (size_t i = 0; group[i] != NULL; i++) {
        if (!gcl_handshake_is_node_name(gcl_str_of(group[i])))
            return refuse(detail, GCL_ENAME, "global_group: expected names of nodes, alive@host");
        if (is_twice_in(group, i))
            return refuse(detail, GCL_EINVAL, "global_group: expected each node once");
        has_self |= strcmp(group[i], node->name) == 0;
    }
    return has_self ? 0
                    : refuse(detail, GCL_EINVAL,
                             "global_group: expected this node to be one of its nodes, too");
}

int gcl_config_take(struct gcl_node *node, const gcl_node_config *config,
                    const struct gcl_config_detail *detail)
{
    int error = check(config, detail);
    if (error != 0)
        return error;
    node->config = *config;
    node->config.name = node->config.listen_address = node->config.epmd_address = NULL;
    node->config.global_group = NULL;
    node->config.cookie = copy_text(node->mem, config->cookie);
    if (node->config.cookie == NULL)
        return GCL_ENOMEM;
    if (node->config.random == NULL)
        node->config.random = gcl_crypto_random;
    node->log = (struct gcl_log){config->log != NULL ? config->log : gcl_log_to_stderr,
                                 config->user, config->log_level};
    error = make_name(node, config, detail);
    if (error == 0)
        error = take_group(node, config->global_group, detail);
    if (error != 0)
        return error;
    node->config.epmd_address = config->epmd_address; /* for find_epmd() only */
    error = find_epmd(node, detail);
    node->config.epmd_address = NULL;
    return error;
}

void gcl_config_free(struct gcl_node *node)
{
    char *cookie = (char *)(uintptr_t)node->config.cookie;
    if (cookie != NULL)
        gcl_wipe(cookie, strlen(cookie));
    gcl_free(node->mem, cookie);
    free_list(node->mem, node->config.global_group);
    gcl_free(node->mem, node->name);
}

int gcl_node_set_cookie(gcl_node *node, const char *cookie)
{
    if (cookie == NULL || cookie[0] == '\0' || strlen(cookie) > 255)
        return GCL_EINVAL;
    char *copy = copy_text(node->mem, cookie);
    if (copy == NULL)
        return GCL_ENOMEM;
    char *old = (char *)(uintptr_t)node->config.cookie;
    gcl_wipe(old, strlen(old));
    gcl_free(node->mem, old);
    node->config.cookie = copy;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "node/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/attempt.h"
#include "node/reach.h"

static int on_accepted(struct gcl_listener *listener, int fd)
{
    struct gcl_node *node = GCL_CONTAINER_OF(listener, struct gcl_node, listener);
    return gcl_reach_accepted(node, fd) ? 0 : gcl_attempt_accept(node, fd);
}

static void tell_ready(struct gcl_deadline *deadline)
{
    struct gcl_node *node = GCL_CONTAINER_OF(deadline, struct gcl_node, ready);
    if (node->is_ready || node->is_closing)
        return;
    node->is_ready = true;
    if (node->config.no_epmd)
        gcl_reach_begin(node);
    if (node->config.on_ready != NULL)
        node->config.on_ready(node, node->config.user);
}

/* Nobody has to find a hidden node, which dials others. One that is visible holds up the cluster
 * while it cannot be found: `global` of the others waits for a connection to it. */
static bool is_ready_in_spite_of(const struct gcl_node *node, int error)
{
    return error == 0 || (error == GCL_EEPMD && node->config.hidden);
}

static void log_unregistered(struct gcl_node *node, int error)
{
    char epmd[GCL_ADDRESS_TEXT_BYTES];
    gcl_address_print(&node->epmd, epmd);
    bool waits = !node->is_ready && !is_ready_in_spite_of(node, error);
    if (error == GCL_EEXIST)
        gcl_log(&node->log, GCL_LOG_ERROR, "name_taken",
                "the name %s seems to be in use: epmd at %s knows another node of that name; %s",
                node->name, epmd,
                node->is_closing ? "this one closes"
                : waits          ? "trying again, and not ready until it is free"
                                 : "trying again until it is free");
    else
        gcl_log(&node->log, GCL_LOG_WARNING, "epmd_down",
                "epmd at %s cannot be reached, so that nobody finds %s; trying again%s", epmd,
                node->name, waits ? ", and not ready until it can" : "");
}

static void on_unregistered(struct gcl_node *node, int error)
{
    if (error == GCL_EEXIST && node->config.close_if_name_taken && !node->is_ready) {
        node->close_error = error;
        gcl_node_close(node);
    }
    if (!node->registration.is_repeated)
        log_unregistered(node, error);
}

static void on_registered(struct gcl_epmd_registration *registration, int error, uint32_t creation)
{
    struct gcl_node *node = GCL_CONTAINER_OF(registration, struct gcl_node, registration);
    /* Pids may be known to others by now: only the first answer can set the creation. */
    if (error == 0 && node->is_registering && creation != 0 &&
        gcl_names_set_local(&node->core.names, gcl_str_of(node->name), creation) != 0)
        gcl_log(&node->log, GCL_LOG_ERROR, "creation",
                "no memory for the creation that epmd gave; a random one is kept");
    node->is_registering = false;
    if (error == 0)
        gcl_reach_begin(node);
    else
        on_unregistered(node, error);
    if (is_ready_in_spite_of(node, error))
        tell_ready(&node->ready);
}

static int bad_address(const gcl_node_config *config, const struct gcl_config_detail *detail)
{
    if (detail->text != NULL && detail->size > 0)
        (void)snprintf(detail->text, detail->size,
                       "listen_address: expected a numeric address or localhost, got \"%.64s\"",
                       config->listen_address);
    return GCL_EINVAL;
}

static int listen_on(struct gcl_node *node, const gcl_node_config *config,
                     const struct gcl_config_detail *detail)
{
    struct gcl_address address;
    if (config->no_listener)
        return 0;
    if (config->listen_address == NULL)
        gcl_address_any(config->listen_port, &address);
    else if (!gcl_address_parse(config->listen_address, config->listen_port, &address))
        return bad_address(config, detail);
    struct gcl_guard *guard = node->connections.guard;
    struct gcl_listener *listener = &node->listener;
    int error = gcl_listener_open(listener, &node->loop, &node->log, guard, &address, on_accepted);
    if (error != 0 && config->listen_address == NULL && errno == EAFNOSUPPORT &&
        gcl_address_parse("0.0.0.0", config->listen_port, &address))
        error = gcl_listener_open(listener, &node->loop, &node->log, guard, &address, on_accepted);
    if (error != 0 && detail->text != NULL && detail->size > 0) {
        char text[GCL_ADDRESS_TEXT_BYTES];
        int reason = errno;
        gcl_address_print(&address, text);
        (void)snprintf(detail->text, detail->size, "listening on %s: %s", text, strerror(reason));
    }
    return error;
}

static void begin_registration(struct gcl_node *node)
{
    if (node->config.no_epmd || node->listener.fd < 0) {
        if (gcl_loop_set(&node->loop, &node->ready, 0) != 0)
            gcl_log(&node->log, GCL_LOG_ERROR, "ready", "no memory to tell that the node is up");
        return;
    }
    struct gcl_epmd_registration *registration = &node->registration;
    registration->mem = node->mem;
    registration->log = &node->log;
    registration->guard = node->connections.guard;
    registration->epmd = node->epmd;
    registration->timeout_ms = node->config.setup_timeout_ms;
    registration->registered = on_registered;
    registration->node.alive = gcl_str_make(node->name, strcspn(node->name, "@"));
    registration->node.port = gcl_listener_port(&node->listener);
    registration->node.visible = !node->config.hidden;
    node->is_registering = true;
    gcl_epmd_register(registration, &node->loop);
}

void gcl_endpoint_init(struct gcl_node *node)
{
    node->listener.fd = -1;
    gcl_deadline_init(&node->ready, tell_ready);
    gcl_reach_init(node);
}

int gcl_endpoint_open(struct gcl_node *node, const gcl_node_config *config,
                      const struct gcl_config_detail *detail)
{
    int error = listen_on(node, config, detail);
    if (error == 0)
        begin_registration(node);
    return error;
}

int gcl_endpoint_reopen(struct gcl_node *node)
{
    struct gcl_listener *listener = &node->listener;
    struct gcl_epmd_registration *registration = &node->registration;
    if (listener->fd < 0)
        return 0;
    /* Others may have been told the port, so another one is the second choice. */
    int error = gcl_listener_reopen(listener);
    if (error == GCL_EEXIST && node->config.listen_port == 0) {
        gcl_address_set_port(&listener->address, 0);
        error = gcl_listener_reopen(listener);
    }
    if (error != 0)
        return error;
    gcl_reach_again(node);
    if (registration->registered == NULL)
        return 0;
    gcl_epmd_unregister(registration);
    registration->node.port = gcl_listener_port(listener);
    gcl_epmd_register(registration, &node->loop);
    return 0;
}

void gcl_endpoint_close(struct gcl_node *node)
{
    gcl_listener_close(&node->listener);
    if (node->registration.registered != NULL)
        gcl_epmd_unregister(&node->registration);
    gcl_loop_cancel(&node->loop, &node->ready);
    gcl_reach_cancel(node);
}

uint16_t gcl_node_port(const gcl_node *node)
{
    return gcl_listener_port(&node->listener);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "node/dial.h"

#include <string.h>

#include "net/crypto.h"
#include "node/attempt.h"
#include "wire/flags.h"

/* More than a cluster has nodes that are all new to this one; each has a socket to an epmd. */
enum { LOOKUPS_MAX = 1024 };

bool gcl_dial_handshake(struct gcl_node *node, struct gcl_handshake_config *config)
{
    memset(config, 0, sizeof *config);
    config->name = gcl_str_of(node->name);
    config->creation = gcl_node_creation(node);
    config->flags = GCL_FLAGS_RECOMMENDED | (node->config.hidden ? 0 : GCL_FLAG(PUBLISHED));
    config->cookie = gcl_str_of(node->config.cookie);
    config->digest = gcl_crypto_md5;
    return gcl_node_random(node, &config->challenge, sizeof config->challenge);
}

/* A failure is told from the loop, because who dials is in the middle of a call. */
static void fail_later(struct gcl_peer *peer, int error, const char *detail)
{
    peer->dial_error = error;
    peer->dial_detail = detail;
    if (gcl_loop_set(&peer->node->loop, &peer->wait, 0) != 0)
        gcl_log(&peer->node->log, GCL_LOG_ERROR, "connect_failed",
                "no memory to tell that %s cannot be connected", peer->text);
}

static void dial_address(struct gcl_peer *peer, const struct gcl_address *address)
{
    struct gcl_node *node = peer->node;
    struct gcl_handshake_config config;
    struct gcl_attempt *attempt;
    if (node->attempt_count >= node->config.max_connections) {
        fail_later(peer, GCL_ELIMIT, "max_connections are there");
        return;
    }
    if (!gcl_dial_handshake(node, &config)) {
        fail_later(peer, GCL_ESYS, "no random bytes for a challenge");
        return;
    }
    config.peer = gcl_str_make(peer->text, peer->text_size);
    config.is_older = peer->is_older;
    int error = gcl_attempt_new(node, peer, true, &attempt);
    if (error != 0) {
        fail_later(peer, error, "no memory for a connection");
        return;
    }
    error =
        gcl_connection_dial(&node->connections, address, 1, &config, attempt, &attempt->connection);
    if (error != 0) {
        gcl_attempt_free(attempt);
        fail_later(peer, error, gcl_strerror(error));
        return;
    }
    peer->dialed = attempt;
}

static void begin_lookup(struct gcl_peer *peer)
{
    peer->is_looking_up = true;
    peer->node->lookup_count++;
}

static void end_lookup(struct gcl_peer *peer)
{
    peer->is_looking_up = false;
    peer->node->lookup_count--;
}

static void on_found(struct gcl_epmd_lookup *lookup, int error, uint16_t port, const char *detail)
{
    struct gcl_peer *peer = GCL_CONTAINER_OF(lookup, struct gcl_peer, lookup);
    end_lookup(peer);
    if (error != 0) {
        gcl_dial_failed(peer, error, detail);
        return;
    }
    peer->is_older = lookup->version < GCL_EPMD_VERSION_HIGH;
    gcl_address_set_port(&peer->address, port);
    dial_address(peer, &peer->address);
}

/* The host part as an address. This host's own name means this host. */
static bool find_host(struct gcl_peer *peer)
{
    const char *host = strchr(peer->text, '@') + 1;
    if (strcmp(host, peer->node->host) == 0 && gcl_address_parse("127.0.0.1", 0, &peer->address))
        return true;
    return gcl_address_parse(host, 0, &peer->address);
}

/* The peer's host is known; which port? */
static void ask_epmd(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    struct gcl_address epmd = peer->address;
    gcl_address_set_port(&epmd, gcl_address_port(&node->epmd));
    struct gcl_str alive = gcl_str_make(peer->text, strcspn(peer->text, "@"));
    if (node->lookup_count >= LOOKUPS_MAX) {
        fail_later(peer, GCL_ELIMIT, "too many nodes are being looked up");
        return;
    }
    int error = gcl_epmd_lookup_start(&peer->lookup, &node->loop, node->mem, &epmd, alive,
                                      node->config.setup_timeout_ms, on_found);
    if (error == 0)
        begin_lookup(peer);
    else
        fail_later(peer, error, gcl_strerror(error));
}

/* The lookup has as much time as any other step; then its outcome is not waited for any more. */
static void resolve(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    const char *host = strchr(peer->text, '@') + 1;
    int error = gcl_resolver_start(node->resolver, host, &peer->resolving);
    if (error != 0) {
        fail_later(peer, GCL_ERESOLVE,
                   error == GCL_EBUSY ? "too many host names are being looked up"
                                      : "the lookup of the host name could not be started");
        return;
    }
    peer->dial_error = GCL_ERESOLVE;
    peer->dial_detail = "the lookup of the host name took too long";
    if (gcl_loop_set(&node->loop, &peer->wait,
                     gcl_loop_now_ms(&node->loop) + node->config.setup_timeout_ms) != 0) {
        gcl_resolver_cancel(node->resolver, &peer->resolving);
        fail_later(peer, GCL_ENOMEM, "no memory for a deadline");
    }
}

void gcl_dial_resolved(struct gcl_resolving *resolving, const struct gcl_address *address)
{
    struct gcl_peer *peer = GCL_CONTAINER_OF(resolving, struct gcl_peer, resolving);
    gcl_loop_cancel(&peer->node->loop, &peer->wait);
    if (address == NULL) {
        gcl_dial_failed(peer, GCL_ERESOLVE, "the host name is not known");
        return;
    }
    peer->address = *address;
    ask_epmd(peer);
}

void gcl_dial(struct gcl_peer *peer)
{
    struct gcl_node *node = peer->node;
    if (peer->has_address) {
        dial_address(peer, &peer->address);
        return;
    }
    if (node->config.no_epmd) {
        fail_later(peer, GCL_EEPMD, "no_epmd is set and gcl_node_set_address() was not called");
        return;
    }
    if (find_host(peer))
        ask_epmd(peer);
    else
        resolve(peer);
}

void gcl_dial_cancel(struct gcl_peer *peer)
{
    if (peer->is_looking_up) {
        gcl_epmd_lookup_cancel(&peer->lookup);
        end_lookup(peer);
    }
    gcl_resolver_cancel(peer->node->resolver, &peer->resolving);
    gcl_loop_cancel(&peer->node->loop, &peer->wait);
}

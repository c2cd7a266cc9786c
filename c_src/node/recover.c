/* SPDX-License-Identifier: Apache-2.0 */
#include "node/recover.h"

#include <inttypes.h>

#include "net/clock.h"
#include "node/attempt.h"
#include "node/endpoint.h"
#include "node/watchdog.h"

/* What came before the end of a connection and was not read yet is lost with it: who sent it has
 * been told that nobody got it. One without a socket was begun in this very turn. */
static void lose_connections(struct gcl_node *node)
{
    GCL_LIST_EACH(&node->attempts, at, following)
    {
        struct gcl_attempt *attempt = GCL_CONTAINER_OF(at, struct gcl_attempt, at_node);
        if (gcl_connection_has_socket(attempt->connection))
            gcl_connection_fail(attempt->connection, GCL_ECLOSED,
                                "the loop stood still, and the watchdog has closed it");
    }
}

/* A visible node that nobody can reach holds up those who try: it would not have started either. */
static void reopen(struct gcl_node *node)
{
    int error = gcl_endpoint_reopen(node);
    if (error == 0)
        return;
    gcl_log(&node->log, GCL_LOG_ERROR, "listen_failed",
            "the node cannot listen again, and closes: %s", gcl_strerror(error));
    node->close_error = error;
    gcl_node_close(node);
}

static bool has_struck(const struct gcl_node *node)
{
    return node->watchdog != NULL && gcl_watchdog_has_struck(node->watchdog);
}

bool gcl_recover_is_due(const struct gcl_node *node)
{
    return node->stalled_ms != 0 || has_struck(node);
}

void gcl_recover(struct gcl_node *node)
{
    if (!has_struck(node))
        return;
    /* The loop's idea of now may be that of before. */
    uint64_t now_ms = gcl_clock_ms();
    struct gcl_watchdog_strike strike = gcl_watchdog_resume(node->watchdog, now_ms);
    node->stalled_ms = now_ms - strike.busy_since_ms;
    gcl_log(&node->log, GCL_LOG_WARNING, "stalled",
            "the loop stood still for %" PRIu64 " ms (watchdog_ms is %u): %zu sockets were shut "
            "down, so that no node waits",
            node->stalled_ms, node->config.watchdog_ms, strike.sockets);
    lose_connections(node);
    if (!node->is_closing)
        reopen(node);
}

/* A program that has just made a node expects to be told that it is ready first. */
void gcl_recover_tell(struct gcl_node *node)
{
    if (node->stalled_ms > node->untold_stalled_ms)
        node->untold_stalled_ms = node->stalled_ms;
    node->stalled_ms = 0;
    if (node->untold_stalled_ms == 0 || !node->is_ready || node->is_closing)
        return;
    uint64_t stalled_ms = node->untold_stalled_ms;
    node->untold_stalled_ms = 0;
    if (node->config.on_stalled != NULL)
        node->config.on_stalled(node, stalled_ms, node->config.user);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "core/connect.h"

struct rule {
    enum gcl_connect_action action;
    enum gcl_connect_state next;
};

#define RULE(action, next)                                                                         \
    {                                                                                              \
        GCL_CONNECT_##action, GCL_CONNECT_##next                                                   \
    }

/* What is not named cannot happen: zeroed entries are caught by `known`. */
static const struct rule rules[GCL_CONNECT_STATES][GCL_CONNECT_EVENTS] = {
    [GCL_CONNECT_DOWN] =
        {
            [GCL_CONNECT_WANT] = RULE(DIAL, DIALING),
            [GCL_CONNECT_OFFER] = RULE(ADMIT, ACCEPTING),
        },
    [GCL_CONNECT_DIALING] =
        {
            [GCL_CONNECT_WANT] = RULE(NOTHING, DIALING),
            [GCL_CONNECT_OFFER] = RULE(ADMIT_SIMULTANEOUS, ACCEPTING), /* see gcl_connect_step */
            [GCL_CONNECT_DIAL_UP] = RULE(NODEUP, UP),
            [GCL_CONNECT_DIAL_LOST] = RULE(NOTHING, WAITING),
            [GCL_CONNECT_DIAL_FAILED] = RULE(FAIL, DOWN),
        },
    [GCL_CONNECT_WAITING] =
        {
            [GCL_CONNECT_WANT] = RULE(NOTHING, WAITING),
            [GCL_CONNECT_OFFER] = RULE(ADMIT, ACCEPTING),
            [GCL_CONNECT_WAIT_OVER] = RULE(FAIL, DOWN),
        },
    [GCL_CONNECT_ACCEPTING] =
        {
            [GCL_CONNECT_WANT] = RULE(NOTHING, ACCEPTING),
            [GCL_CONNECT_OFFER] = RULE(ADMIT, ACCEPTING),
            [GCL_CONNECT_ACCEPT_UP] = RULE(NODEUP, UP),
            [GCL_CONNECT_ACCEPT_FAILED] = RULE(RETRY, DIALING),
        },
    [GCL_CONNECT_UP] =
        {
            [GCL_CONNECT_WANT] = RULE(NOTHING, UP),
            [GCL_CONNECT_OFFER] = RULE(CHALLENGE, CONTESTED),
            [GCL_CONNECT_LOST] = RULE(NODEDOWN, DOWN),
        },
    [GCL_CONNECT_CONTESTED] =
        {
            [GCL_CONNECT_WANT] = RULE(NOTHING, CONTESTED),
            [GCL_CONNECT_OFFER] = RULE(DISMISS, CONTESTED),
            [GCL_CONNECT_ACCEPT_FAILED] = RULE(NOTHING, UP),
            [GCL_CONNECT_LOST] = RULE(NODEDOWN, ACCEPTING),
        },
};

/* A rule that leads to DOWN is FAIL or NODEDOWN; {NOTHING, DOWN} is an entry nobody wrote. */
static bool is_known(const struct rule *rule)
{
    return rule->action != GCL_CONNECT_NOTHING || rule->next != GCL_CONNECT_DOWN;
}

enum gcl_connect_action gcl_connect_step(enum gcl_connect_state *state,
                                         enum gcl_connect_event event, bool we_are_greater)
{
    const struct rule *rule = &rules[*state][event];
    if (!is_known(rule))
        return GCL_CONNECT_IMPOSSIBLE;
    /* spec: of two nodes that dial each other the attempt of the greater name goes on. */
    if (*state == GCL_CONNECT_DIALING && event == GCL_CONNECT_OFFER && we_are_greater)
        return GCL_CONNECT_REFUSE;
    *state = rule->next;
    return rule->action;
}

const char *gcl_connect_state_name(enum gcl_connect_state state)
{
    switch (state) {
    case GCL_CONNECT_DOWN:
        return "down";
    case GCL_CONNECT_DIALING:
        return "dialing";
    case GCL_CONNECT_WAITING:
        return "waiting";
    case GCL_CONNECT_ACCEPTING:
        return "accepting";
    case GCL_CONNECT_UP:
        return "up";
    case GCL_CONNECT_CONTESTED:
        return "contested";
    case GCL_CONNECT_STATES:
        break;
    }
    return "unknown";
}

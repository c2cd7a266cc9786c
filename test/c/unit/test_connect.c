/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "core/connect.h"

static void expect(enum gcl_connect_state from, enum gcl_connect_event event, bool greater,
                   enum gcl_connect_action action, enum gcl_connect_state to)
{
    enum gcl_connect_state state = from;
    cr_assert_eq(gcl_connect_step(&state, event, greater), action);
    cr_assert_eq(state, to, "%s -> %s", gcl_connect_state_name(from),
                 gcl_connect_state_name(state));
}

Test(connect, the_greater_name_wins_a_simultaneous_connect)
{
    expect(GCL_CONNECT_DIALING, GCL_CONNECT_OFFER, true, GCL_CONNECT_REFUSE, GCL_CONNECT_DIALING);
    expect(GCL_CONNECT_DIALING, GCL_CONNECT_OFFER, false, GCL_CONNECT_ADMIT_SIMULTANEOUS,
           GCL_CONNECT_ACCEPTING);
}

Test(connect, who_lost_waits_for_the_other_attempt)
{
    expect(GCL_CONNECT_DIALING, GCL_CONNECT_DIAL_LOST, false, GCL_CONNECT_NOTHING,
           GCL_CONNECT_WAITING);
    expect(GCL_CONNECT_WAITING, GCL_CONNECT_OFFER, false, GCL_CONNECT_ADMIT, GCL_CONNECT_ACCEPTING);
    expect(GCL_CONNECT_WAITING, GCL_CONNECT_WAIT_OVER, false, GCL_CONNECT_FAIL, GCL_CONNECT_DOWN);
}

Test(connect, a_stranger_in_a_peers_name_ends_nothing)
{
    expect(GCL_CONNECT_UP, GCL_CONNECT_OFFER, false, GCL_CONNECT_CHALLENGE, GCL_CONNECT_CONTESTED);
    expect(GCL_CONNECT_CONTESTED, GCL_CONNECT_OFFER, false, GCL_CONNECT_DISMISS,
           GCL_CONNECT_CONTESTED);
    expect(GCL_CONNECT_CONTESTED, GCL_CONNECT_ACCEPT_FAILED, false, GCL_CONNECT_NOTHING,
           GCL_CONNECT_UP);
    expect(GCL_CONNECT_ACCEPTING, GCL_CONNECT_ACCEPT_FAILED, false, GCL_CONNECT_RETRY,
           GCL_CONNECT_DIALING);
}

Test(connect, a_peer_that_came_back_replaces_its_old_connection)
{
    /* The old one is given up as soon as the new one is proven, before it is up. */
    expect(GCL_CONNECT_CONTESTED, GCL_CONNECT_LOST, false, GCL_CONNECT_NODEDOWN,
           GCL_CONNECT_ACCEPTING);
    expect(GCL_CONNECT_ACCEPTING, GCL_CONNECT_ACCEPT_UP, false, GCL_CONNECT_NODEUP, GCL_CONNECT_UP);
    expect(GCL_CONNECT_CONTESTED, GCL_CONNECT_ACCEPT_UP, false, GCL_CONNECT_IMPOSSIBLE,
           GCL_CONNECT_CONTESTED);
}

Test(connect, wanting_a_connection_dials_once)
{
    for (int state = 0; state < GCL_CONNECT_STATES; state++) {
        enum gcl_connect_state now = (enum gcl_connect_state)state;
        enum gcl_connect_action action = gcl_connect_step(&now, GCL_CONNECT_WANT, false);
        cr_assert_eq(action, state == GCL_CONNECT_DOWN ? GCL_CONNECT_DIAL : GCL_CONNECT_NOTHING);
    }
}

Test(connect, what_cannot_happen_is_said_and_changes_nothing)
{
    expect(GCL_CONNECT_DOWN, GCL_CONNECT_LOST, false, GCL_CONNECT_IMPOSSIBLE, GCL_CONNECT_DOWN);
    expect(GCL_CONNECT_UP, GCL_CONNECT_DIAL_UP, false, GCL_CONNECT_IMPOSSIBLE, GCL_CONNECT_UP);
}

%% SPDX-License-Identifier: Apache-2.0
%% C members that stand still: in a handler, which the watchdog of their node ends, and as a whole
%% process, which the others find silent. All nodes have a short net_ticktime for that, the one of
%% Common Test too.
-module(gen_cluster_stall_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    who_stands_still_leaves_and_comes_back/1,
    who_is_stopped_leaves_and_comes_back/1,
    who_is_stopped_for_less_than_net_ticktime_stays/1
]).

-define(WATCHDOG_S, 1).
-define(NET_TICKTIME_S, 4).
%% Until the others have seen it, on a machine that has other things to do.
-define(GRACE_MS, 2000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        who_stands_still_leaves_and_comes_back,
        who_is_stopped_leaves_and_comes_back,
        who_is_stopped_for_less_than_net_ticktime_stays
    ].

init_per_suite(Config) ->
    Before = net_kernel:get_net_ticktime(),
    change_initiated = net_kernel:set_net_ticktime(?NET_TICKTIME_S, 0),
    Args = ["-kernel", "net_ticktime", integer_to_list(?NET_TICKTIME_S)],
    [{peers, cluster_helper:start_nodes(2, Args)}, {net_ticktime, Before} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)),
    change_initiated = net_kernel:set_net_ticktime(?config(net_ticktime, Config), 0),
    ok.

who_stands_still_leaves_and_comes_back(Config) ->
    {Cluster, #{pid := C}, Es} = cluster(Config),
    gen_server:cast(C, {block, 1000 * ?WATCHDOG_S + 3 * ?GRACE_MS}),
    leaves_within(1000 * ?WATCHDOG_S, C, Es),
    cluster_helper:await_one_leader(Cluster, Es, nodes_of(Config)),
    comes_back(Cluster, C, Es, Config),
    cluster_helper:stop_members(Es).

%% spec: net_kernel, net_ticktime: a node is silent for at most 5/4 of it.
who_is_stopped_leaves_and_comes_back(Config) ->
    {Cluster, #{pid := C} = Program, Es} = cluster(Config),
    ok = cluster_program:while_stopped(Program, fun() ->
        leaves_within(1250 * ?NET_TICKTIME_S, C, Es),
        cluster_helper:await_one_leader(Cluster, Es, nodes_of(Config))
    end),
    comes_back(Cluster, C, Es, Config),
    cluster_helper:stop_members(Es).

%% Longer than the watchdog waits, which is stopped with it.
who_is_stopped_for_less_than_net_ticktime_stays(Config) ->
    {Cluster, #{pid := C} = Program, Es} = cluster(Config),
    ok = cluster_program:while_stopped(Program, fun() ->
        cluster_helper:pause(2000 * ?WATCHDOG_S)
    end),
    ok = cluster_program:ask(Program, {publish, here}),
    [cluster_helper:expect(Pid, {handle_publish, here}) || Pid <- [C | Es]],
    ?assertEqual(C, cluster_helper:await_one_leader(Cluster, [C | Es], nodes_of(Config))),
    cluster_helper:no_more_events([C | Es]),
    cluster_helper:stop_members(Es).

%% --- helpers ------------------------------------------------------------------------------------

nodes_of(Config) -> cluster_helper:nodes_of(?config(peers, Config)).

%% A C member, which leads, and one on each BEAM.
cluster(Config) ->
    Cluster = cluster_helper:cluster(),
    Args = [
        ["--watchdog", integer_to_list(?WATCHDOG_S)],
        ["--net-ticktime", integer_to_list(?NET_TICKTIME_S)]
    ],
    Program = cluster_program:start(Cluster, [], #{args => lists:append(Args)}),
    #{pid := C, node := CNode} = Program,
    cluster_helper:await_leader(C, [C]),
    Options = [{cluster, Cluster}, {seeds, [CNode]}],
    Es = [cluster_helper:start_member(Node, Options) || Node <- nodes_of(Config)],
    [cluster_helper:await_pids(Pid, [C | Es]) || Pid <- [C | Es]],
    C = cluster_helper:await_one_leader(Cluster, [C | Es], nodes_of(Config)),
    cluster_helper:forget_events([C | Es]),
    {Cluster, Program, Es}.

leaves_within(Ms, C, Es) ->
    Began = erlang:monotonic_time(millisecond),
    Event = {handle_leave, C, cluster_helper:sorted(Es), noconnection},
    [cluster_helper:expect_any(E, Event) || E <- Es],
    ?assert(erlang:monotonic_time(millisecond) - Began < Ms + ?GRACE_MS).

%% By itself: it is asked for nothing, so that nobody dials it, until the others have it again.
comes_back(Cluster, C, Es, Config) ->
    All = [C | Es],
    [cluster_helper:await_pids(Pid, All) || Pid <- Es ++ [C]],
    Leader = cluster_helper:await_one_leader(Cluster, All, nodes_of(Config)),
    ?assert(lists:member(Leader, All)).

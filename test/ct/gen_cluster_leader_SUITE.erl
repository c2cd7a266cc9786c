%% SPDX-License-Identifier: Apache-2.0
%% Who leads, on real nodes with the real `global'.
-module(gen_cluster_leader_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    first_member_registers_the_name/1,
    next_takes_over_when_the_holder_dies/1,
    next_takes_over_when_the_node_is_lost/1,
    each_side_of_a_split_has_one/1,
    losing_side_sees_one_change/1,
    quorum/1,
    quorum_is_lost/1,
    member_with_a_global_name/1,
    global_that_hangs_blocks_nobody/1
]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        first_member_registers_the_name,
        next_takes_over_when_the_holder_dies,
        next_takes_over_when_the_node_is_lost,
        each_side_of_a_split_has_one,
        losing_side_sees_one_change,
        quorum,
        quorum_is_lost,
        member_with_a_global_name,
        global_that_hangs_blocks_nobody
    ].

init_per_suite(Config) ->
    [{peers, cluster_helper:start_nodes(4)} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

init_per_testcase(_Case, Config) ->
    Nodes = lists:sort(cluster_helper:nodes_of(?config(peers, Config))),
    [{cluster, cluster_helper:cluster()}, {nodes, Nodes} | Config].

end_per_testcase(_Case, Config) ->
    cluster_helper:heal(?config(nodes, Config)).

first_member_registers_the_name(Config) ->
    [A, B] = start_cluster(2, Config),
    %% Nodes tell each other their names when they have met, in their own time.
    [await_holder(node(Pid), A, Config) || Pid <- [A, B]],
    stop([A, B]).

%% Two changes: nobody, then the next in the order of the list.
next_takes_over_when_the_holder_dies(Config) ->
    [A, B, C] = start_cluster(3, Config),
    exit(A, boom),
    [
        begin
            cluster_helper:expect(Pid, {handle_leave, A, [B, C], boom}),
            cluster_helper:expect(Pid, {handle_leader_change, undefined, [B, C]}),
            cluster_helper:expect(Pid, {handle_leader_change, B, [B, C]})
        end
     || Pid <- [B, C]
    ],
    [await_holder(node(Pid), B, Config) || Pid <- [B, C]],
    cluster_helper:no_more_events([B, C]),
    stop([B, C]).

next_takes_over_when_the_node_is_lost(Config) ->
    [{_, Node} = Peer] = cluster_helper:start_nodes(1),
    A = cluster_helper:start_member(Node, options(Config)),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    [NodeB, NodeC | _] = ?config(nodes, Config),
    B = cluster_helper:settled_member(NodeB, [{seed, Node} | options(Config)], [A]),
    C = cluster_helper:settled_member(NodeC, [{seed, Node} | options(Config)], [A, B]),
    [A = cluster_helper:await_leader(Pid, [A]) || Pid <- [B, C]],
    cluster_helper:forget_events([A, B, C]),
    cluster_helper:kill_node(Peer),
    [
        begin
            cluster_helper:expect(Pid, {handle_leave, A, [B, C], noconnection}),
            cluster_helper:expect(Pid, {handle_leader_change, undefined, [B, C]}),
            cluster_helper:expect(Pid, {handle_leader_change, B, [B, C]})
        end
     || Pid <- [B, C]
    ],
    stop([B, C]).

%% On healing one remains, holds the name on both sides, and nobody was killed.
each_side_of_a_split_has_one(Config) ->
    [A, B, C, D] = Pids = start_cluster(4, Config),
    cluster_helper:split([node(A), node(B)], [node(C), node(D)]),
    [A = cluster_helper:await_leader(Pid, [A]) || Pid <- [A, B]],
    Other = cluster_helper:await_leader(C, [C, D]),
    Other = cluster_helper:await_leader(D, [Other]),
    cluster_helper:heal([node(Pid) || Pid <- Pids]),
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    cluster_helper:await_until(fun() ->
        case lists:usort([gen_cluster:leader(Pid) || Pid <- Pids]) of
            [One] -> [One] =:= lists:usort([holder(node(Pid), Config) || Pid <- Pids]);
            _ -> false
        end
    end),
    stop(Pids).

losing_side_sees_one_change(Config) ->
    [A, B, C, D] = Pids = start_cluster(4, Config),
    cluster_helper:split([node(A), node(B)], [node(C), node(D)]),
    [cluster_helper:await_pids(Pid, [A, B]) || Pid <- [A, B]],
    [cluster_helper:await_pids(Pid, [C, D]) || Pid <- [C, D]],
    Other = cluster_helper:await_leader(C, [C, D]),
    Other = cluster_helper:await_leader(D, [Other]),
    cluster_helper:forget_events(Pids),
    cluster_helper:heal([node(Pid) || Pid <- Pids]),
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    cluster_helper:await_until(fun() ->
        length(lists:usort([gen_cluster:leader(Pid) || Pid <- Pids])) =:= 1
    end),
    Winner = gen_cluster:leader(A),
    lists:foreach(
        fun({Pid, Before}) ->
            Changes = [Leader || {handle_leader_change, Leader, _} <- read(Pid)],
            Expected = [Winner || Before =/= Winner],
            ?assertEqual({Pid, Expected}, {Pid, Changes})
        end,
        [{A, A}, {B, A}, {C, Other}, {D, Other}]
    ),
    stop(Pids).

%% Below its number of members nobody leads.
quorum(Config) ->
    [NodeA, NodeB, NodeC | _] = ?config(nodes, Config),
    Options = [{quorum, 3}, {seed, NodeA} | options(Config)],
    A = cluster_helper:start_member(NodeA, Options),
    B = cluster_helper:settled_member(NodeB, Options, [A]),
    cluster_helper:expect(A, {handle_join, B, [A, B]}),
    ?assertEqual(undefined, gen_cluster:leader(A)),
    C = cluster_helper:settled_member(NodeC, Options, [A, B]),
    Leader = cluster_helper:await_leader(A, [A, B, C]),
    [cluster_helper:await_leader(Pid, [Leader]) || Pid <- [B, C]],
    stop([A, B, C]).

quorum_is_lost(Config) ->
    [A, B, C] = cluster_helper:start_cluster(lists:sublist(?config(nodes, Config), 3), [
        {quorum, 1} | options(Config)
    ]),
    stop([A, B, C]),
    [NodeA, NodeB, NodeC | _] = ?config(nodes, Config),
    Options = [{quorum, 2}, {seed, NodeA} | options(Config)],
    D = cluster_helper:start_member(NodeA, Options),
    E = cluster_helper:start_member(NodeB, Options),
    F = cluster_helper:start_member(NodeC, Options),
    [cluster_helper:await_pids(Pid, [D, E, F]) || Pid <- [D, E, F]],
    Leader = cluster_helper:await_leader(D, [D, E, F]),
    [cluster_helper:await_leader(Pid, [Leader]) || Pid <- [E, F]],
    [One, Two] = [D, E, F] -- [Leader],
    stop([One]),
    Leader = cluster_helper:await_leader(Leader, [Leader]),
    stop([Two]),
    undefined = cluster_helper:await_leader(Leader, [undefined]),
    await_holder(NodeA, undefined, Config),
    stop([Leader]).

%% `global' does not like a second name for a pid; the user's is one.
member_with_a_global_name(Config) ->
    [Node | _] = ?config(nodes, Config),
    {ok, A} = cluster_helper:on(Node, cluster_member, start_with, [
        start, [{global, {?MODULE, name}}, cluster_member, args, options(Config)], self(), #{}
    ]),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    ?assertEqual(A, holder(Node, Config)),
    ?assertEqual(A, cluster_helper:on(Node, global, whereis_name, [{?MODULE, name}])),
    stop([A]).

%% The member answers while its helper waits for the lock; later it leads.
global_that_hangs_blocks_nobody(Config) ->
    [NodeA, NodeB | _] = ?config(nodes, Config),
    %% Nodes that have not met do not wait for each other's part of the lock.
    true = cluster_helper:on(NodeB, net_kernel, connect_node, [NodeA]),
    ok = cluster_helper:on(NodeB, global, sync, []),
    Global = cluster_helper:on(NodeA, erlang, whereis, [global_name_server]),
    ok = sys:suspend(Global),
    A = cluster_helper:start_member(NodeA, options(Config)),
    B = cluster_helper:start_member(NodeB, [{seed, NodeA} | options(Config)]),
    [cluster_helper:await_pids(Pid, [A, B]) || Pid <- [A, B]],
    ?assertEqual(undefined, gen_cluster:leader(A)),
    %% The helper gives up; the lock is asked for again later.
    [Helper] = helpers(NodeA),
    Monitor = monitor(process, Helper),
    {answer, {registered, no, undefined}} = cluster_helper:await_down(Helper, Monitor),
    cluster_helper:await_until(fun() -> helpers(NodeA) =/= [] end),
    %% So it is when the helper is killed.
    [Other] = helpers(NodeA),
    exit(Other, kill),
    cluster_helper:await_until(fun() -> helpers(NodeA) -- [Other] =/= [] end),
    ok = sys:resume(Global),
    Leader = cluster_helper:await_leader(A, [A, B]),
    Leader = cluster_helper:await_leader(B, [Leader]),
    stop([A, B]).

helpers(Node) ->
    Pids = cluster_helper:on(Node, erlang, processes, []),
    Call = fun(Pid) -> cluster_helper:on(Node, erlang, process_info, [Pid, initial_call]) end,
    [Pid || Pid <- Pids, Call(Pid) =:= {initial_call, {gen_cluster_global, help, 4}}].

holder(Node, Config) ->
    Name = {gen_cluster, ?config(cluster, Config)},
    cluster_helper:on(Node, global, whereis_name, [Name]).

await_holder(Node, Pid, Config) ->
    cluster_helper:await_until(fun() -> holder(Node, Config) =:= Pid end).

read(Pid) ->
    _ = sys:get_state(Pid),
    read_told(Pid).

read_told(Pid) ->
    receive
        {cluster_member, Pid, Event} -> [Event | read_told(Pid)]
    after 0 -> []
    end.

options(Config) -> [{cluster, ?config(cluster, Config)}].

start_cluster(Count, Config) ->
    cluster_helper:start_cluster(lists:sublist(?config(nodes, Config), Count), options(Config)).

stop(Pids) -> cluster_helper:stop_members(Pids).

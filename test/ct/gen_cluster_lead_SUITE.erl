%% SPDX-License-Identifier: Apache-2.0
%% C members of visible nodes lead: they take the global name of the leader, take it over, and give
%% it back, as Erlang members do. Those of hidden nodes follow.
-module(gen_cluster_lead_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    it_leads/1,
    it_takes_the_lead_over/1,
    its_lead_is_taken_over/1,
    it_gives_the_lead_back_when_it_leaves/1,
    c_members_alone_have_a_leader/1,
    it_does_not_lead_below_its_quorum/1,
    sides_of_a_split_become_one_with_c_as_the_smaller/1,
    sides_of_a_split_become_one_with_c_as_the_greater/1,
    members_of_hidden_nodes_follow/1
]).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        it_leads,
        it_takes_the_lead_over,
        its_lead_is_taken_over,
        it_gives_the_lead_back_when_it_leaves,
        c_members_alone_have_a_leader,
        it_does_not_lead_below_its_quorum,
        sides_of_a_split_become_one_with_c_as_the_smaller,
        sides_of_a_split_become_one_with_c_as_the_greater,
        members_of_hidden_nodes_follow
    ].

init_per_suite(Config) ->
    [{peers, cluster_helper:start_nodes(2)} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

nodes_of(Config) -> cluster_helper:nodes_of(?config(peers, Config)).

it_leads(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    #{pid := C, node := CNode} = visible(Cluster, []),
    cluster_helper:await_leader(C, [C]),
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {seeds, [CNode]}]),
    cluster_helper:await_leader(E, [C]),
    await_holder(First, Cluster, C),
    cluster_helper:stop_members([E]).

it_takes_the_lead_over(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    E = cluster_helper:start_member(First, [{cluster, Cluster}]),
    cluster_helper:await_leader(E, [E]),
    #{pid := C} = visible(Cluster, [First]),
    cluster_helper:await_leader(C, [E]),
    cluster_helper:stop_members([E]),
    cluster_helper:await_leader(C, [C]),
    await_holder(First, Cluster, C).

its_lead_is_taken_over(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    #{pid := C} = Program = visible(Cluster, []),
    cluster_helper:await_leader(C, [C]),
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {seeds, [node(C)]}]),
    cluster_helper:await_leader(E, [C]),
    ok = cluster_program:kill(Program),
    cluster_helper:await_leader(E, [E]),
    await_holder(First, Cluster, E),
    cluster_helper:stop_members([E]).

it_gives_the_lead_back_when_it_leaves(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    #{pid := C} = visible(Cluster, []),
    cluster_helper:await_leader(C, [C]),
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {seeds, [node(C)]}]),
    cluster_helper:await_leader(E, [C]),
    ok = gen_cluster:leave(C),
    cluster_helper:await_leader(E, [E]),
    await_holder(First, Cluster, E),
    ok = gen_cluster:join(C, First),
    cluster_helper:await_leader(C, [E]),
    cluster_helper:stop_members([E]).

c_members_alone_have_a_leader(_Config) ->
    Cluster = cluster_helper:cluster(),
    #{pid := C1, node := Node} = P1 = visible(Cluster, []),
    #{pid := C2} = visible(Cluster, [Node]),
    #{pid := C3} = visible(Cluster, [Node]),
    cluster_helper:await_leader(C1, [C1]),
    [cluster_helper:await_leader(C, [C1]) || C <- [C2, C3]],
    ok = cluster_program:kill(P1),
    Leader = cluster_helper:await_leader(C2, [C2, C3]),
    cluster_helper:await_leader(C3, [Leader]).

it_does_not_lead_below_its_quorum(_Config) ->
    Cluster = cluster_helper:cluster(),
    Quorum = #{args => ["--quorum", "2"]},
    #{pid := C1, node := Node} = cluster_program:start(Cluster, [], Quorum),
    #{pid := C2} = P2 = cluster_program:start(Cluster, [Node], Quorum),
    Leader = cluster_helper:await_leader(C1, [C1, C2]),
    cluster_helper:await_leader(C2, [Leader]),
    ok = cluster_program:kill(P2),
    cluster_helper:await_leader(C1, [undefined]).

%% The BEAMs begin with "gcl".
sides_of_a_split_become_one_with_c_as_the_smaller(Config) -> split("a_c", Config).

sides_of_a_split_become_one_with_c_as_the_greater(Config) -> split("z_c", Config).

%% Both sides have a leader while they are apart; when they meet, one of the two leads, and the other
%% one lives on.
split(Prefix, Config) ->
    Cluster = cluster_helper:cluster(),
    [First, Second] = Nodes = nodes_of(Config),
    Es = cluster_helper:start_cluster([First, Second], [{cluster, Cluster}]),
    Name = peer:random_name(Prefix) ++ "@127.0.0.1",
    #{pid := C} = Program = cluster_program:start(Cluster, [First], #{name => Name}),
    All = [C | Es],
    [cluster_helper:await_pids(Pid, All) || Pid <- All],
    Monitors = [erlang:monitor(process, Pid) || Pid <- All],
    cut(Program, Nodes),
    cluster_helper:await_leader(C, [C]),
    [Other | _] = [cluster_helper:await_leader(E, Es) || E <- Es],
    heal(Program, Nodes),
    [cluster_helper:await_pids(Pid, All) || Pid <- All],
    Leader = cluster_helper:await_one_leader(Cluster, All, Nodes),
    ?assert(lists:member(Leader, [C, Other])),
    %% Nobody has ended meanwhile.
    [?assert(erlang:demonitor(Monitor, [flush, info])) || Monitor <- Monitors],
    ok = cluster_program:kill(Program),
    cluster_helper:stop_members(Es).

%% The nodes refuse each other by their cookies.
cut(#{node := CNode} = Program, Nodes) ->
    [true = cluster_helper:on(Node, erlang, set_cookie, [CNode, apart]) || Node <- Nodes],
    cluster_helper:await_until(fun() ->
        [_ = cluster_program:ask(Program, {disconnect, Node}) || Node <- Nodes],
        [] =:= [Node || Node <- Nodes, lists:member(CNode, connected(Node))]
    end).

connected(Node) -> cluster_helper:on(Node, erlang, nodes, [connected]).

heal(#{node := CNode}, Nodes) ->
    [
        true = cluster_helper:on(Node, erlang, set_cookie, [CNode, erlang:get_cookie()])
     || Node <- Nodes
    ],
    ok.

members_of_hidden_nodes_follow(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    #{pid := C1, node := Node} = cluster_program:start(Cluster, [], #{args => ["--hidden"]}),
    #{pid := C2} = cluster_program:start(Cluster, [Node], #{args => ["--hidden"]}),
    cluster_helper:expect(C1, {handle_join, C2, cluster_helper:sorted([C1, C2])}),
    [cluster_helper:await_pids(Pid, [C1, C2]) || Pid <- [C1, C2]],
    ?assertEqual(undefined, gen_cluster:leader(C1)),
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {seeds, [Node]}]),
    [cluster_helper:await_leader(Pid, [E]) || Pid <- [C1, C2]],
    cluster_helper:stop_members([E]),
    [cluster_helper:await_leader(Pid, [undefined]) || Pid <- [C1, C2]].

%% --- helpers ------------------------------------------------------------------------------------

visible(Cluster, Seeds) -> cluster_program:start(Cluster, Seeds, #{}).

await_holder(Node, Cluster, Pid) ->
    cluster_helper:await_until(fun() -> cluster_helper:holder(Node, Cluster) =:= Pid end).

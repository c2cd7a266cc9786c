%% SPDX-License-Identifier: Apache-2.0
%% Members in C (test/c/programs/member.c) in clusters with real Erlang members.
-module(gen_cluster_c_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    it_joins_through_an_erlang_member/1,
    an_erlang_member_joins_through_it/1,
    those_who_were_there_are_silent/1,
    two_c_members_alone/1,
    two_members_on_one_c_node/1,
    its_exit_reason_is_seen/1,
    it_sees_exit_reasons/1,
    its_node_is_killed/1,
    it_sees_a_node_killed/1,
    its_node_ends_in_order/1,
    it_leaves_and_joins_again/1,
    it_sees_members_leave/1,
    a_broken_connection_heals/1,
    it_stands_between_the_sides_of_a_split/1,
    a_stopped_member_delays_nobody/1,
    publications_come_in_order/1,
    it_publishes_in_order/1,
    publications_by_cast/1,
    it_is_asked_for_votes/1,
    it_calls_votes/1,
    nobody_wins_its_vote/1,
    it_answers_verbs/1,
    it_answers_by_name_without_library/1,
    it_has_children/1,
    it_lists_children_of_erlang_members/1,
    subscribers_are_told/1,
    it_subscribes_others/1,
    meta_is_seen_and_changes/1,
    a_meta_that_is_none_is_refused/1,
    seeds_in_the_environment/1,
    seeds_in_a_file/1,
    a_bad_seed_is_named/1,
    a_seed_that_comes_later/1,
    a_seed_by_join/1,
    it_knows_the_leader/1,
    it_sees_another_one_take_over/1,
    no_leader_below_its_quorum/1,
    messages_of_the_cluster_are_not_seen/1,
    handlers_may_do_everything/1,
    a_mistake_in_a_handler_ends_it/1,
    four_and_four/1
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        it_joins_through_an_erlang_member,
        an_erlang_member_joins_through_it,
        those_who_were_there_are_silent,
        two_c_members_alone,
        two_members_on_one_c_node,
        its_exit_reason_is_seen,
        it_sees_exit_reasons,
        its_node_is_killed,
        it_sees_a_node_killed,
        its_node_ends_in_order,
        it_leaves_and_joins_again,
        it_sees_members_leave,
        a_broken_connection_heals,
        it_stands_between_the_sides_of_a_split,
        a_stopped_member_delays_nobody,
        publications_come_in_order,
        it_publishes_in_order,
        publications_by_cast,
        it_is_asked_for_votes,
        it_calls_votes,
        nobody_wins_its_vote,
        it_answers_verbs,
        it_answers_by_name_without_library,
        it_has_children,
        it_lists_children_of_erlang_members,
        subscribers_are_told,
        it_subscribes_others,
        meta_is_seen_and_changes,
        a_meta_that_is_none_is_refused,
        seeds_in_the_environment,
        seeds_in_a_file,
        a_bad_seed_is_named,
        a_seed_that_comes_later,
        a_seed_by_join,
        it_knows_the_leader,
        it_sees_another_one_take_over,
        no_leader_below_its_quorum,
        messages_of_the_cluster_are_not_seen,
        handlers_may_do_everything,
        a_mistake_in_a_handler_ends_it,
        four_and_four
    ].

init_per_suite(Config) ->
    [{peers, cluster_helper:start_nodes(2)} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

nodes_of(Config) -> cluster_helper:nodes_of(?config(peers, Config)).

%% --- joining ----------------------------------------------------------------------------------

it_joins_through_an_erlang_member(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = Nodes = nodes_of(Config),
    [E1, E2] = cluster_helper:start_cluster(Nodes, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, [First]),
    All = cluster_helper:sorted([E1, E2, C]),
    cluster_helper:expect(E1, {handle_join, C, All}),
    cluster_helper:expect(E2, {handle_node_joined, C, All}),
    await_all(All),
    cluster_helper:stop_members([E1, E2]).

an_erlang_member_joins_through_it(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, Second] = nodes_of(Config),
    #{pid := C, node := CNode} = cluster_program:start(Cluster, []),
    E1 = cluster_helper:start_member(First, [{cluster, Cluster}, {seeds, [CNode]}]),
    cluster_helper:expect(C, {handle_leader_change, C, [C]}),
    cluster_helper:expect(C, {handle_join, E1, cluster_helper:sorted([C, E1])}),
    cluster_helper:await_leader(E1, [C]),
    E2 = cluster_helper:start_member(Second, [{cluster, Cluster}, {seeds, [First]}]),
    All = cluster_helper:sorted([C, E1, E2]),
    cluster_helper:expect_any(C, {handle_node_joined, E2, All}),
    await_all(All),
    cluster_helper:stop_members([E1, E2]).

%% What was there before is in its list without a callback.
those_who_were_there_are_silent(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = Nodes = nodes_of(Config),
    Es = cluster_helper:start_cluster(Nodes, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, [First]),
    await_all([C | Es]),
    {handle_leader_change, Leader, _} = cluster_helper:next_event(C),
    ?assert(lists:member(Leader, Es)),
    cluster_helper:no_more_events([C]),
    cluster_helper:stop_members(Es).

two_c_members_alone(_Config) ->
    Cluster = cluster_helper:cluster(),
    #{pid := C1, node := Node} = P1 = cluster_program:start(Cluster, []),
    #{pid := C2} = P2 = cluster_program:start(Cluster, [Node]),
    cluster_helper:expect(C1, {handle_leader_change, C1, [C1]}),
    cluster_helper:expect(C1, {handle_join, C2, cluster_helper:sorted([C1, C2])}),
    await_all([C1, C2]),
    cluster_helper:await_leader(C2, [C1]),
    cluster_helper:forget_events([C2]),
    ok = cluster_program:ask(P1, {publish, hello}),
    cluster_helper:expect(C1, {handle_publish, hello}),
    cluster_helper:expect(C2, {handle_publish, hello}),
    ok = cluster_program:kill(P2),
    cluster_helper:expect(C1, {handle_leave, C2, [C1], noconnection}).

two_members_on_one_c_node(_Config) ->
    Cluster = cluster_helper:cluster(),
    #{pid := C1} = Program = cluster_program:start(Cluster, []),
    C2 = cluster_program:ask(Program, another),
    ?assertEqual(node(C1), node(C2)),
    await_all([C1, C2]),
    ok = cluster_program:ask(C1, {stop, enough}),
    cluster_helper:expect_any(C2, {handle_leave, C1, [C2], enough}),
    %% The name of the cluster is the other one's now.
    cluster_helper:await_until(fun() ->
        cluster_helper:attempt(fun() -> gen_server:call({Cluster, node(C2)}, pid) end) =:= C2
    end).

%% --- leaving ----------------------------------------------------------------------------------

its_exit_reason_is_seen(Config) ->
    {Cluster, E} = alone(Config),
    lists:foreach(
        fun(Reason) ->
            #{pid := C} = Program = joined(Cluster, E),
            ok = cluster_program:ask(Program, {stop, Reason}),
            cluster_helper:expect(E, {handle_leave, C, [E], Reason})
        end,
        [normal, shutdown, {shutdown, update}, {crash, [{a, 1}, "text"]}]
    ),
    #{pid := Killed} = joined(Cluster, E),
    exit(Killed, kill),
    cluster_helper:expect(E, {handle_leave, Killed, [E], killed}),
    cluster_helper:stop_members([E]).

it_sees_exit_reasons(Config) ->
    {Cluster, E, #{pid := C}} = pair(Config),
    [_, Second] = nodes_of(Config),
    lists:foreach(
        fun(Reason) ->
            Other = cluster_helper:settled_member(
                Second, [{cluster, Cluster}, {seeds, [node(E)]}], [E, C]
            ),
            exit(Other, Reason),
            All = cluster_helper:sorted([E, C]),
            cluster_helper:expect_any(C, {handle_leave, Other, All, Reason})
        end,
        [boom, {shutdown, #{why => <<"so">>}}]
    ),
    cluster_helper:stop_members([E]).

its_node_is_killed(Config) ->
    {_, E, #{pid := C} = Program} = pair(Config),
    ok = cluster_program:kill(Program),
    cluster_helper:expect(E, {handle_leave, C, [E], noconnection}),
    cluster_helper:no_more_events([E]),
    cluster_helper:stop_members([E]).

it_sees_a_node_killed(_Config) ->
    Cluster = cluster_helper:cluster(),
    [{_, Node} = Peer] = cluster_helper:start_nodes(1),
    E = cluster_helper:start_member(Node, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, [Node]),
    await_all([E, C]),
    cluster_helper:await_leader(C, [E]),
    cluster_helper:forget_events([C]),
    cluster_helper:kill_node(Peer),
    cluster_helper:expect(C, {handle_leave, E, [C], noconnection}),
    cluster_helper:expect(C, {handle_leader_change, undefined, [C]}),
    cluster_helper:expect(C, {handle_leader_change, C, [C]}),
    cluster_helper:no_more_events([C]).

its_node_ends_in_order(Config) ->
    {_, E, #{pid := C} = Program} = pair(Config),
    ok = cluster_program:stop(Program),
    cluster_helper:expect(E, {handle_leave, C, [E], shutdown}),
    cluster_helper:stop_members([E]).

it_leaves_and_joins_again(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = gen_cluster:leave(C),
    cluster_helper:expect(E, {handle_leave, C, [E], left}),
    ?assertEqual([], gen_cluster:members(C)),
    ?assertEqual({ok, []}, gen_cluster:plist(C)),
    ?assertEqual(undefined, gen_cluster:leader(C)),
    cluster_helper:no_more_events([C, E]),
    ok = gen_cluster:join(C, node(E)),
    cluster_helper:expect(E, {handle_join, C, cluster_helper:sorted([C, E])}),
    await_all([C, E]),
    ok = cluster_program:ask(C, leave),
    cluster_helper:expect(E, {handle_leave, C, [E], left}),
    ok = cluster_program:ask(C, {join, node(E)}),
    cluster_helper:expect(E, {handle_join, C, cluster_helper:sorted([C, E])}),
    ?assertEqual({error, 'GCL_ENAME'}, cluster_program:ask(C, {join, nonsense})),
    cluster_helper:stop_members([E]).

it_sees_members_leave(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = gen_cluster:leave(E),
    cluster_helper:expect(C, {handle_leave, E, [C], left}),
    cluster_helper:expect(C, {handle_leader_change, undefined, [C]}),
    cluster_helper:expect(C, {handle_leader_change, C, [C]}),
    ok = gen_cluster:join(E, node(C)),
    cluster_helper:expect(C, {handle_join, E, cluster_helper:sorted([C, E])}),
    cluster_helper:await_leader(E, [C]),
    cluster_helper:stop_members([E]).

a_broken_connection_heals(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = cluster_program:ask(C, {disconnect, node(E)}),
    cluster_helper:expect(C, {handle_leave, E, [C], noconnection}),
    cluster_helper:expect(E, {handle_leave, C, [E], noconnection}),
    cluster_helper:expect(E, {handle_node_joined, C, cluster_helper:sorted([C, E])}),
    cluster_helper:expect_any(C, {handle_node_joined, E, cluster_helper:sorted([C, E])}),
    cluster_helper:await_leader(C, [E]),
    true = cluster_helper:on(node(E), erlang, disconnect_node, [node(C)]),
    cluster_helper:expect_any(C, {handle_leave, E, [C], noconnection}),
    cluster_helper:expect_any(C, {handle_node_joined, E, cluster_helper:sorted([C, E])}),
    await_all([C, E]),
    cluster_helper:stop_members([E]).

%% Each side has a leader then, and the one in C follows the first of the two.
it_stands_between_the_sides_of_a_split(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, Second] = Nodes = nodes_of(Config),
    [E1, E2] = cluster_helper:start_cluster(Nodes, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, [First]),
    All = [E1, E2, C],
    await_all(All),
    cluster_helper:await_leader(C, [E1]),
    cluster_helper:split([First], [Second]),
    cluster_helper:await_pids(E1, [E1, C]),
    cluster_helper:await_pids(E2, [E2, C]),
    cluster_helper:await_leader(E2, [E2]),
    cluster_helper:await_pids(C, All),
    cluster_helper:await_leader(C, [hd(cluster_helper:sorted([E1, E2]))]),
    cluster_helper:heal(Nodes),
    await_all(All),
    cluster_helper:await_until(fun() ->
        length(lists:usort([gen_cluster:leader(Pid) || Pid <- All])) =:= 1
    end),
    cluster_helper:stop_members([E1, E2]).

%% Neither one in C nor an Erlang node that does not run keeps others from joining through it.
a_stopped_member_delays_nobody(Config) ->
    {Cluster, E, #{pid := C}} = pair(Config),
    [_, Second] = nodes_of(Config),
    E2 = cluster_helper:settled_member(Second, [{cluster, Cluster}, {seeds, [node(E)]}], [C, E]),
    cluster_helper:forget_events([C, E, E2]),
    Slow = cluster_program:start(Cluster, [node(E)]),
    await_all([C, E, E2, cluster_program:pid_of(Slow)]),
    ok = cluster_program:while_stopped(Slow, fun() ->
        cluster_helper:while_stopped(Second, fun() -> joins_in_time(Cluster, C, E, Second) end)
    end),
    cluster_helper:stop_members([E, E2]).

joins_in_time(Cluster, C, E, Stopped) ->
    Start = erlang:monotonic_time(millisecond),
    #{pid := New} = cluster_program:start(Cluster, [Stopped, node(C)]),
    cluster_helper:await_until(fun() -> lists:member(New, pids(C)) end),
    cluster_helper:await_until(fun() -> lists:member(E, pids(New)) end),
    ok = cluster_program:ask(New, {publish, hello}),
    cluster_helper:expect_any(C, {handle_publish, hello}),
    cluster_helper:expect_any(E, {handle_publish, hello}),
    ?assert(erlang:monotonic_time(millisecond) - Start < 5000).

pids(Pid) -> [P || #{pid := P} <- gen_cluster:members(Pid)].

%% --- publish and votes ------------------------------------------------------------------------

publications_come_in_order(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    Terms = [{N, #{list => [N, "text"]}} || N <- lists:seq(1, 300)],
    [ok = gen_cluster:publish(E, Term) || Term <- Terms],
    [cluster_helper:expect(Pid, {handle_publish, Term}) || Pid <- [C, E], Term <- Terms],
    cluster_helper:stop_members([E]).

it_publishes_in_order(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    Terms = [{N, [self(), make_ref(), 1.5]} || N <- lists:seq(1, 300)],
    [ok = cluster_program:ask(C, {publish, Term}) || Term <- Terms],
    [cluster_helper:expect(Pid, {handle_publish, Term}) || Pid <- [C, E], Term <- Terms],
    ok = cluster_program:ask(C, leave),
    cluster_helper:expect(E, {handle_leave, C, [E], left}),
    ok = cluster_program:ask(C, {publish, nobody_hears}),
    cluster_helper:no_more_events([C, E]),
    cluster_helper:stop_members([E]).

%% gen_cluster:publish/2 with a member in C.
publications_by_cast(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = gen_cluster:publish(C, <<"for all">>),
    cluster_helper:expect(C, {handle_publish, <<"for all">>}),
    cluster_helper:expect(E, {handle_publish, <<"for all">>}),
    cluster_helper:stop_members([E]).

it_is_asked_for_votes(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = cluster_program:ask(C, {weight, 7}),
    ?assertEqual({ok, C, 7}, gen_cluster:call_vote(E, work)),
    ?assertEqual({error, no_winner}, gen_cluster:call_vote(C, nobody)),
    ?assertEqual({ok, C, {node(C), x}}, gen_cluster:ballot_run(C, {ask, x})),
    ?assertEqual({ok, C}, gen_cluster:ballot_cast(E, job)),
    cluster_helper:expect(C, {handle_cast, job}),
    ok = cluster_program:ask(C, {weight, 0}),
    ?assertEqual({error, no_winner}, gen_cluster:call_vote(E, work)),
    {ok, Any, {Node, y}} = gen_cluster:run(E, {ask, y}),
    ?assertEqual(Node, node(Any)),
    cluster_helper:stop_members([E]).

it_calls_votes(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    Vote = #{handle_vote => fun(_, State) -> {reply, 2.5, State} end},
    E = cluster_helper:start_member(First, [{cluster, Cluster}], Vote),
    #{pid := C} = cluster_program:start(Cluster, [First]),
    await_all([C, E]),
    ?assertEqual({ok, E, 2.5}, cluster_program:ask(C, {vote, call_vote, work})),
    ?assertEqual({ok, E, {First, x}}, cluster_program:ask(C, {vote, ballot_run, {ask, x}})),
    ok = cluster_program:ask(C, {weight, 9}),
    ?assertEqual({ok, C, 9.0}, cluster_program:ask(C, {vote, call_vote, work})),
    ?assertEqual({ok, C, {node(C), y}}, cluster_program:ask(C, {vote, run, {ask, y}})),
    ?assertEqual({ok, C, 9.0}, cluster_program:ask(C, {vote, ballot_cast, job})),
    cluster_helper:expect_any(C, {handle_cast, job}),
    ?assertEqual({ok, C, 9.0}, cluster_program:ask(C, {vote, cast_run, job})),
    cluster_helper:expect_any(C, {handle_cast, job}),
    cluster_helper:stop_members([E]).

nobody_wins_its_vote(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ?assertEqual({error, 'GCL_ENOENT'}, cluster_program:ask(C, {vote, call_vote, nobody})),
    ?assertEqual({error, 'GCL_ENOENT'}, cluster_program:ask(C, {vote, ballot_run, nobody})),
    {ok, Any, _} = cluster_program:ask(C, {vote, run, nobody}),
    ?assert(lists:member(Any, [C, E])),
    ok = cluster_program:ask(C, leave),
    ?assertEqual({error, 'GCL_ENOENT'}, cluster_program:ask(C, {vote, run, nobody})),
    cluster_helper:stop_members([E]).

%% --- verbs ------------------------------------------------------------------------------------

it_answers_verbs(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {type, worker}]),
    Args = ["--type", "c type", "--meta", "#{weight => 1.5}"],
    #{pid := C} = cluster_program:start(Cluster, [First], #{args => Args}),
    await_all([C, E]),
    [cluster_helper:await_leader(Pid, [E]) || Pid <- [C, E]],
    %% Both answer the same.
    [
        ?assertEqual(gen_cluster:Verb(E), gen_cluster:Verb(C))
     || Verb <- [plist, members, leader]
    ],
    {ok, Plist} = gen_cluster:plist(C),
    ?assertEqual(lists:sort([{'c type', [C]}, {worker, [E]}]), lists:sort(Plist)),
    ?assertEqual({ok, [C]}, gen_cluster:mod_plist(C, 'c type')),
    ?assertEqual({ok, []}, gen_cluster:mod_plist(C, nobody)),
    ?assertEqual({ok, []}, gen_cluster:mod_plist(C, 'c type\0')),
    [#{type := 'c type', meta := #{weight := 1.5}, node := Node, children := []}] =
        [M || #{pid := Pid} = M <- gen_cluster:members(C), Pid =:= C],
    ?assertEqual(node(C), Node),
    ?assertEqual(
        [{Pid, N, Type, Meta, Children, Pid =:= E}
         || #{pid := Pid, node := N, type := Type, meta := Meta, children := Children} <-
                gen_cluster:members(C)],
        cluster_program:ask(C, members)
    ),
    cluster_helper:stop_members([E]).

it_answers_by_name_without_library(Config) ->
    {Cluster, E, #{pid := C, node := Node}} = pair(Config),
    Ask = fun(Request) -> gen_server:call({Cluster, Node}, Request) end,
    {ok, [{_, _} | _]} = Ask({'$gen_cluster', plist}),
    ?assertEqual({ok, [C]}, Ask({'$gen_cluster', mod_plist, Cluster})),
    ?assertEqual(gen_cluster:leader(C), Ask({'$gen_cluster', leader})),
    ?assertEqual({error, unknown_request}, Ask({'$gen_cluster', dance})),
    ?assertEqual({error, unknown_request}, Ask({'$gen_cluster', join, "no atom"})),
    [
        ?assertEqual({error, {bad_seed, Bad}}, Ask({'$gen_cluster', join, Bad}))
     || Bad <- [nonsense, '', 'a b@h', 'a@h\0', list_to_atom(lists:duplicate(255, $x))]
    ],
    ?assertEqual({error, unknown_request}, Ask({'$gen_cluster', 1, 2, 3, 4, 5, 6, 7, 8})),
    %% What is not of the cluster is the user's.
    ?assertEqual({unknown, {'$gen_cluster'}}, Ask({'$gen_cluster'})),
    ?assertEqual({unknown, ['$gen_cluster', plist]}, Ask(['$gen_cluster', plist])),
    cluster_helper:stop_members([E]).

it_has_children(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    [First, _] = nodes_of(Config),
    Child1 = cluster_helper:on(First, erlang, spawn, [timer, sleep, [infinity]]),
    Child2 = spawn(timer, sleep, [infinity]),
    ok = gen_cluster:add_child(C, thing, Child1),
    ok = cluster_program:ask(C, {add_child, stuff, Child2}),
    Listed = fun(Pid) -> lists:sort(children(Pid, C)) end,
    All = lists:sort([{thing, Child1}, {stuff, Child2}]),
    [cluster_helper:await_until(fun() -> Listed(Pid) =:= All end) || Pid <- [C, E]],
    ?assertEqual({ok, [Child1]}, gen_cluster:mod_plist(C, thing)),
    ?assertEqual({ok, [Child1]}, gen_cluster:mod_plist(E, thing)),
    %% The type changes.
    ok = gen_cluster:add_child(C, stuff, Child1),
    Stuff = lists:sort([{stuff, Child1}, {stuff, Child2}]),
    cluster_helper:await_until(fun() -> Listed(E) =:= Stuff end),
    {ok, Both} = gen_cluster:mod_plist(C, stuff),
    ?assertEqual(lists:sort([Child1, Child2]), lists:sort(Both)),
    %% They go when they die.
    [exit(Child, kill) || Child <- [Child1, Child2]],
    [cluster_helper:await_until(fun() -> Listed(Pid) =:= [] end) || Pid <- [C, E]],
    cluster_helper:stop_members([E]).

it_lists_children_of_erlang_members(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    Child = spawn(timer, sleep, [infinity]),
    ok = gen_cluster:add_child(E, thing, Child),
    cluster_helper:await_until(fun() -> children(C, E) =:= [{thing, Child}] end),
    %% Listed twice, it is there once.
    ok = gen_cluster:add_child(C, thing, Child),
    ?assertEqual({ok, [Child]}, gen_cluster:mod_plist(C, thing)),
    exit(Child, kill),
    cluster_helper:await_until(fun() -> gen_cluster:mod_plist(C, thing) =:= {ok, []} end),
    cluster_helper:stop_members([E]).

subscribers_are_told(Config) ->
    {Cluster, E, #{pid := C}} = pair(Config),
    {ok, Ref, Members} = gen_cluster:subscribe(C),
    ?assertEqual(gen_cluster:members(C), Members),
    [_, Second] = nodes_of(Config),
    E2 = cluster_helper:start_member(Second, [{cluster, Cluster}, {seeds, [node(E)]}]),
    expect_news(Ref, {joined, E2}),
    exit(E2, boom),
    expect_news(Ref, {left, E2, boom}),
    ok = gen_cluster:leave(C),
    expect_news(Ref, {left, E, left}),
    expect_news(Ref, {leader, undefined}),
    ok = gen_cluster:join(C, node(E)),
    expect_news(Ref, {joined, E}),
    expect_news(Ref, {leader, E}),
    ok = gen_cluster:unsubscribe(C, Ref),
    ok = gen_cluster:unsubscribe(C, Ref),
    exit(E, boom),
    cluster_helper:expect_any(C, {handle_leave, E, [C], boom}),
    receive
        {gen_cluster, Ref, News} -> ct:fail(News)
    after 0 -> ok
    end.

it_subscribes_others(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ok = cluster_program:ask(C, {subscribe, self()}),
    ?assertEqual({error, 'GCL_ENOENT'}, cluster_program:ask(C, {unsubscribe, make_ref()})),
    exit(E, boom),
    receive
        {gen_cluster, Ref, {left, E, boom}} ->
            expect_news(Ref, {leader, undefined}),
            ok = cluster_program:ask(C, {unsubscribe, Ref})
    after ?DEADLINE -> ct:fail(nothing)
    end.

meta_is_seen_and_changes(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    Meta = #{from => erlang},
    E = cluster_helper:start_member(First, [{cluster, Cluster}, {meta, Meta}]),
    Args = ["--meta", "#{from => c, \"key\" => [1]}"],
    #{pid := C} = cluster_program:start(Cluster, [First], #{args => Args}),
    await_all([C, E]),
    ?assertEqual(#{from => c, "key" => [1]}, meta(E, C)),
    ?assertEqual(Meta, meta(C, E)),
    ok = cluster_program:ask(C, {set_meta, #{now => <<"other">>}}),
    cluster_helper:await_until(fun() -> meta(E, C) =:= #{now => <<"other">>} end),
    ok = cluster_program:ask(C, {set_meta, #{}}),
    cluster_helper:await_until(fun() -> meta(E, C) =:= #{} end),
    Large = #{large => binary:copy(<<0>>, 4096)},
    ?assertEqual({error, 'GCL_EINVAL'}, cluster_program:ask(C, {set_meta, Large})),
    ?assertEqual({error, 'GCL_EINVAL'}, cluster_program:ask(C, {set_meta, []})),
    ?assertEqual(#{}, meta(C, C)),
    cluster_helper:stop_members([E]).

a_meta_that_is_none_is_refused(_Config) ->
    lists:foreach(
        fun({Args, Text}) ->
            {70, Output} = run(["--cluster", "room" | Args]),
            ?assertNotEqual(nomatch, string:find(Output, Text))
        end,
        [
            {["--meta", "[1]"], "invalid argument"},
            {["--meta", "#{a"], "syntax error"},
            {["--type", ""], "invalid argument"}
        ]
    ),
    {70, _} = run(["--cluster", ""]),
    ok.

%% --- seeds ------------------------------------------------------------------------------------

seeds_in_the_environment(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, Second] = nodes_of(Config),
    E1 = cluster_helper:start_member(First, [{cluster, Cluster}]),
    Value = "nobody@127.0.0.1, " ++ atom_to_list(First) ++ " " ++ atom_to_list(Second),
    Env = [{"GEN_CLUSTER_SEEDS", Value}],
    #{pid := C} = cluster_program:start(Cluster, [], #{env => Env}),
    await_all([C, E1]),
    %% The second of the seeds comes later.
    E2 = cluster_helper:start_member(Second, [{cluster, Cluster}]),
    await_all([C, E1, E2]),
    cluster_helper:stop_members([E1, E2]).

seeds_in_a_file(Config) ->
    Cluster = cluster_helper:cluster(),
    Nodes = nodes_of(Config),
    File = filename:join(?config(priv_dir, Config), "seeds"),
    Terms = [atom_to_list(hd(Nodes)), lists:last(Nodes)],
    ok = file:write_file(File, [io_lib:format("~p.~n", [Term]) || Term <- Terms]),
    Es = [cluster_helper:start_member(Node, [{cluster, Cluster}]) || Node <- Nodes],
    Env = [{"GEN_CLUSTER_SEED_CONFIG", File}],
    #{pid := C} = cluster_program:start(Cluster, [], #{env => Env}),
    await_all([C | Es]),
    cluster_helper:stop_members(Es).

a_bad_seed_is_named(_Config) ->
    Why = " is no seed; a seed is a node's name, name@host",
    lists:foreach(
        fun({Env, Text}) ->
            Options = #{env => Env, expect => Text},
            ok = cluster_program:stop(
                cluster_program:start(cluster_helper:cluster(), [], Options)
            )
        end,
        [
            {[{"GEN_CLUSTER_SEEDS", "nonsense"}], "\"nonsense\" from GEN_CLUSTER_SEEDS" ++ Why},
            {
                [{"GEN_CLUSTER_SEED_CONFIG", "/nonexistent"}],
                "no seeds from /nonexistent, named by GEN_CLUSTER_SEED_CONFIG: No such file"
            }
        ]
    ).

a_seed_that_comes_later(_Config) ->
    Cluster = cluster_helper:cluster(),
    Node = list_to_atom(peer:random_name(gcl) ++ "@127.0.0.1"),
    #{pid := C} = Program = cluster_program:start(Cluster, [Node]),
    _ = cluster_program:expect_line(Program, "is a cluster of one"),
    {_, Node} = Peer = cluster_helper:start_node(Node),
    E = cluster_helper:start_member(Node, [{cluster, Cluster}]),
    await_all([C, E]),
    cluster_helper:stop_node(Peer).

a_seed_by_join(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    E = cluster_helper:start_member(First, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, []),
    ok = gen_cluster:join(C, First),
    await_all([C, E]),
    cluster_helper:stop_members([E]).

%% --- the leader -------------------------------------------------------------------------------

it_knows_the_leader(Config) ->
    {_, E, #{pid := C}} = pair(Config),
    ?assertEqual(E, gen_cluster:leader(C)),
    ?assertEqual(E, gen_cluster:leader(E)),
    cluster_helper:stop_members([E]).

it_sees_another_one_take_over(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = Nodes = nodes_of(Config),
    [E1, E2] = cluster_helper:start_cluster(Nodes, [{cluster, Cluster}]),
    #{pid := C} = cluster_program:start(Cluster, [First]),
    await_all([E1, E2, C]),
    cluster_helper:await_leader(C, [E1]),
    cluster_helper:forget_events([C]),
    exit(E1, boom),
    Rest = cluster_helper:sorted([E2, C]),
    cluster_helper:expect_any(C, {handle_leave, E1, Rest, boom}),
    %% None, and the next one, unless that has claimed before the DOWN came from another node.
    case cluster_helper:next_event(C) of
        {handle_leader_change, undefined, Rest} ->
            cluster_helper:expect(C, {handle_leader_change, E2, Rest});
        {handle_leader_change, E2, _} ->
            ok
    end,
    cluster_helper:no_more_events([C]),
    cluster_helper:stop_members([E2]).

no_leader_below_its_quorum(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, Second] = nodes_of(Config),
    Quorum = [{quorum, 3}],
    E1 = cluster_helper:start_member(First, [{cluster, Cluster} | Quorum]),
    #{pid := C} = cluster_program:start(Cluster, [First], #{args => ["--quorum", "3"]}),
    await_all([E1, C]),
    ?assertEqual(undefined, gen_cluster:leader(C)),
    E2 = cluster_helper:start_member(Second, [{cluster, Cluster}, {seeds, [First]} | Quorum]),
    cluster_helper:await_leader(C, [E1, E2]),
    exit(E2, boom),
    cluster_helper:await_leader(C, [undefined]),
    cluster_helper:stop_members([E1]).

%% --- handlers ---------------------------------------------------------------------------------

messages_of_the_cluster_are_not_seen(Config) ->
    {Cluster, E, #{pid := C} = Program} = pair(Config),
    Hello = #{stay => 1, nonce => 1},
    C ! {'$gen_cluster', 2, hello, Cluster, self(), Hello},
    C ! {'$gen_cluster', 1, dance, Cluster, self(), Hello},
    C ! {'$gen_cluster', 1, hello, Cluster, self(), Hello},
    C ! {'$gen_cluster', 1, hello, Cluster, nobody, Hello},
    C ! {'$gen_cluster', 1, publish, Cluster, self(), #{stay => 1, term => stranger}},
    _ = cluster_program:expect_line(Program, "ignores messages from"),
    C ! {'$gen_cluster', three},
    C ! plain,
    cluster_helper:expect(C, {handle_info, {'$gen_cluster', three}}),
    cluster_helper:expect(C, {handle_info, plain}),
    cluster_helper:no_more_events([C]),
    await_all([C, E]),
    cluster_helper:stop_members([E]).

handlers_may_do_everything(Config) ->
    {Cluster, E, #{pid := C}} = pair(Config),
    [_, Second] = nodes_of(Config),
    Join = fun() ->
        cluster_helper:start_member(Second, [{cluster, Cluster}, {seeds, [node(E)]}])
    end,
    ok = cluster_program:ask(C, {when_joined, publish}),
    E2 = Join(),
    cluster_helper:expect_any(C, {handle_publish, welcome}),
    cluster_helper:expect_any(E, {handle_publish, welcome}),
    exit(E2, boom),
    cluster_helper:expect_any(C, {handle_leave, E2, cluster_helper:sorted([E, C]), boom}),
    ok = cluster_program:ask(C, {when_joined, leave}),
    E3 = Join(),
    expect_left(E, C, left, E3),
    ?assertEqual([], gen_cluster:members(C)),
    exit(E3, boom),
    ok = cluster_program:ask(C, {when_joined, none}),
    ok = cluster_program:ask(C, {join, node(E)}),
    await_all([C, E]),
    ok = cluster_program:ask(C, {when_joined, stop}),
    E4 = Join(),
    expect_left(E, C, {no, more}, E4),
    cluster_helper:expect_any(C, {terminate, {no, more}}),
    cluster_helper:stop_members([E, E4]).

a_mistake_in_a_handler_ends_it(Config) ->
    {Cluster, E, #{pid := C}} = pair(Config),
    [_, Second] = nodes_of(Config),
    ok = cluster_program:ask(C, {when_joined, mistake}),
    Monitor = monitor(process, C),
    E2 = cluster_helper:start_member(Second, [{cluster, Cluster}, {seeds, [node(E)]}]),
    {bad_pattern, Text} = cluster_helper:await_down(C, Monitor),
    ?assertNotEqual(nomatch, string:find(Text, "member.c:")),
    expect_left(E, C, {bad_pattern, Text}, E2),
    cluster_helper:stop_members([E, E2]).

%% C goes as soon as it has heard of a newcomer, of whom E may not have heard then.
expect_left(E, C, Reason, Newcomer) ->
    receive
        {cluster_member, E, {handle_leave, C, Left, Reason}} ->
            ?assertEqual(cluster_helper:sorted([E]), Left -- [Newcomer])
    after ?DEADLINE -> ct:fail({expected, left, C, Reason})
    end.

%% --- all together -----------------------------------------------------------------------------

%% Four members of each language; 30 random kills (of processes, Erlang nodes and C nodes), joins
%% and disconnects. The seed is that of GCL_SEED, if it is set. A slot is where a member can be: on
%% an Erlang node, or in an OS process of its own.
four_and_four(_Config) ->
    Seed = list_to_integer(os:getenv("GCL_SEED", integer_to_list(erlang:system_time()))),
    ct:pal("GCL_SEED=~b", [Seed]),
    _ = rand:seed(exsss, Seed),
    Peers = cluster_helper:start_nodes(4),
    World = #{cluster => cluster_helper:cluster(), nodes => cluster_helper:nodes_of(Peers)},
    Empty = [{erlang, Peer, none} || Peer <- Peers] ++ lists:duplicate(4, {c, none}),
    Full = [join(Slot, World) || Slot <- Empty],
    Shaken = lists:foldl(fun(_, Slots) -> disturb(Slots, World) end, Full, lists:seq(1, 30)),
    Slots = [join(Slot, World) || Slot <- Shaken],
    Pids = [pid_of(Slot) || Slot <- Slots],
    Start = erlang:monotonic_time(millisecond),
    cluster_helper:await_until(fun() -> is_one_cluster(Pids) end),
    Took = erlang:monotonic_time(millisecond) - Start,
    ct:pal("one cluster after ~b ms", [Took]),
    ?assert(Took =< 10000),
    ok = check_history(#{}),
    cluster_helper:stop_nodes([Peer || {erlang, Peer, _} <- Slots]).

%% What all of them have told: nobody joins twice without a leave between, and lists are as they
%% were changed before.
check_history(Joined) ->
    receive
        {cluster_member, Pid, {Join, Other, Pids}} when
            Join =:= handle_join; Join =:= handle_node_joined
        ->
            ?assertEqual({Pid, Other, false}, {Pid, Other, is_map_key({Pid, Other}, Joined)}),
            ?assert(lists:member(Other, Pids)),
            check_history(Joined#{{Pid, Other} => true});
        {cluster_member, Pid, {handle_leave, Other, Pids, _}} ->
            ?assertNot(lists:member(Other, Pids)),
            check_history(maps:remove({Pid, Other}, Joined));
        {cluster_member, _, _} ->
            check_history(Joined)
    after 0 -> ok
    end.

%% All know all, in the same order, and the same leader.
is_one_cluster(Pids) ->
    Sorted = cluster_helper:sorted(Pids),
    Lists = [[P || #{pid := P} <- gen_cluster:members(Pid)] || Pid <- Pids],
    Leaders = lists:usort([gen_cluster:leader(Pid) || Pid <- Pids]),
    lists:all(fun(List) -> List =:= Sorted end, Lists) andalso
        length(Leaders) =:= 1 andalso lists:member(hd(Leaders), Pids).

disturb(Slots, World) ->
    cluster_helper:pause(rand:uniform(300)),
    Full = [Slot || Slot <- Slots, not is_empty(Slot)],
    Gone = Slots -- Full,
    case rand:uniform(3) of
        1 when length(Full) > 1 ->
            change(any(Full), fun end_one/1, Slots);
        2 when Gone =/= [] ->
            change(any(Gone), fun(Slot) -> join(Slot, World) end, Slots);
        _ ->
            disconnect(any(Full), any(Full)),
            Slots
    end.

change(Slot, Fun, Slots) -> [Fun(Slot) | lists:delete(Slot, Slots)].

any(List) -> lists:nth(rand:uniform(length(List)), List).

is_empty(Slot) -> element(tuple_size(Slot), Slot) =:= none.

pid_of({erlang, _Peer, Pid}) -> Pid;
pid_of({c, Program}) -> cluster_program:pid_of(Program).

%% The first node is a seed of everybody, lest two clusters never hear of each other.
join({erlang, {_, Node} = Peer, none}, World) ->
    #{cluster := Cluster} = World,
    Options = [{cluster, Cluster}, {seeds, seeds(World)}],
    {erlang, Peer, cluster_helper:start_member(Node, Options)};
join({c, none}, #{cluster := Cluster} = World) ->
    {c, cluster_program:start(Cluster, seeds(World))};
join(Full, _World) ->
    Full.

seeds(#{nodes := Nodes}) -> lists:usort([hd(Nodes), any(Nodes)]).

end_one({c, Program}) ->
    ok = cluster_program:kill(Program),
    {c, none};
end_one({erlang, Peer, Pid}) ->
    case rand:uniform(3) of
        1 ->
            {erlang, cluster_helper:restart_node(Peer), none};
        _ ->
            cluster_helper:stop_members([Pid]),
            {erlang, Peer, none}
    end.

disconnect(Same, Same) ->
    ok;
disconnect({c, Program}, Other) ->
    _ = cluster_program:ask(Program, {disconnect, node(pid_of(Other))}),
    ok;
disconnect({erlang, {_, Node}, _}, Other) ->
    _ = cluster_helper:on(Node, erlang, disconnect_node, [node(pid_of(Other))]),
    ok.

%% --- helpers ----------------------------------------------------------------------------------

%% An Erlang member that leads, and one in C that joined through it; their events were read.
pair(Config) ->
    {Cluster, E} = alone(Config),
    {Cluster, E, joined(Cluster, E)}.

alone(Config) ->
    Cluster = cluster_helper:cluster(),
    [First, _] = nodes_of(Config),
    E = cluster_helper:start_member(First, [{cluster, Cluster}]),
    cluster_helper:await_leader(E, [E]),
    cluster_helper:forget_events([E]),
    {Cluster, E}.

joined(Cluster, E) ->
    #{pid := C} = Program = cluster_program:start(Cluster, [node(E)]),
    await_all([C, E]),
    cluster_helper:await_leader(C, [E]),
    cluster_helper:forget_events([C, E]),
    Program.

await_all(Pids) ->
    lists:foreach(fun(Pid) -> cluster_helper:await_pids(Pid, Pids) end, Pids).

children(Asked, Of) ->
    [Children] = [C || #{pid := Pid, children := C} <- gen_cluster:members(Asked), Pid =:= Of],
    Children.

meta(Asked, Of) ->
    [Meta] = [M || #{pid := Pid, meta := M} <- gen_cluster:members(Asked), Pid =:= Of],
    Meta.

expect_news(Ref, News) ->
    receive
        {gen_cluster, Ref, News} -> ok;
        {gen_cluster, Ref, Other} -> ct:fail({expected, News, came, Other})
    after ?DEADLINE -> ct:fail({expected, News})
    end.

%% A program that ends by itself: status and output.
run(Args) ->
    Name = ["--name", cluster_program:name(), "--observer", atom_to_list(node())],
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "member")}, [
        {args, Name ++ Args},
        {env, [{"GCL_COOKIE", "none"}]},
        stderr_to_stdout,
        exit_status
    ]),
    run(Port, []).

run(Port, Output) ->
    receive
        {Port, {data, Data}} -> run(Port, [Output, Data]);
        {Port, {exit_status, Status}} -> {Status, lists:flatten(Output)}
    after ?DEADLINE -> ct:fail(Output)
    end.

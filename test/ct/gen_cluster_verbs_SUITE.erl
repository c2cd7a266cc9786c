%% SPDX-License-Identifier: Apache-2.0
%% The verbs: lists, publish, votes, subscribe, await; over three nodes.
-module(gen_cluster_verbs_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    lists_of_members/1,
    plain_calls_are_answered/1,
    lists_inside_a_callback/1,
    publish_reaches_everybody_in_order/1,
    publish_of_strangers_is_ignored/1,
    highest_weight_wins/1,
    first_of_equals_wins/1,
    nobody_wins/1,
    silent_members_abstain/1,
    ballot_run/1,
    run_falls_back_to_any/1,
    ballot_cast_and_cast_run/1,
    votes_of_members_are_refused/1,
    subscribe/1,
    unsubscribe/1,
    subscribers_that_die_are_forgotten/1,
    await/1
]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        lists_of_members,
        plain_calls_are_answered,
        lists_inside_a_callback,
        publish_reaches_everybody_in_order,
        publish_of_strangers_is_ignored,
        highest_weight_wins,
        first_of_equals_wins,
        nobody_wins,
        silent_members_abstain,
        ballot_run,
        run_falls_back_to_any,
        ballot_cast_and_cast_run,
        votes_of_members_are_refused,
        subscribe,
        unsubscribe,
        subscribers_that_die_are_forgotten,
        await
    ].

init_per_suite(Config) ->
    [{peers, cluster_helper:start_nodes(3)} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

init_per_testcase(_Case, Config) ->
    Nodes = lists:sort(cluster_helper:nodes_of(?config(peers, Config))),
    [{cluster, cluster_helper:cluster()}, {nodes, Nodes} | Config].

end_per_testcase(_Case, _Config) -> ok.

lists_of_members(Config) ->
    [A, B] = start_cluster(2, #{}, Config),
    C = cluster_helper:settled_member(
        lists:nth(3, ?config(nodes, Config)),
        [{seed, node(A)}, {type, other}, {meta, #{rack => 7}} | options(Config)],
        [A, B]
    ),
    lists:foreach(
        fun(Pid) ->
            ?assertEqual(
                {ok, [{cluster_member, [A, B]}, {other, [C]}]}, gen_cluster:plist(Pid)
            ),
            ?assertEqual({ok, [A, B]}, gen_cluster:mod_plist(Pid, cluster_member)),
            ?assertEqual({ok, [C]}, gen_cluster:mod_plist(Pid, other)),
            ?assertEqual({ok, []}, gen_cluster:mod_plist(Pid, none)),
            ?assertEqual(
                [
                    member(A, cluster_member, #{}),
                    member(B, cluster_member, #{}),
                    member(C, other, #{rack => 7})
                ],
                gen_cluster:members(Pid)
            ),
            A = cluster_helper:await_leader(Pid, [A])
        end,
        [A, B, C]
    ),
    stop([A, B, C]).

member(Pid, Type, Meta) ->
    #{pid => Pid, node => node(Pid), type => Type, meta => Meta, children => []}.

%% From a shell that has no gen_cluster, by pid or by the name of the cluster.
plain_calls_are_answered(Config) ->
    [A, B] = start_cluster(2, #{}, Config),
    Servers = [A, B, {?config(cluster, Config), node(A)}, {?config(cluster, Config), node(B)}],
    lists:foreach(
        fun(Server) ->
            ?assertEqual(
                {ok, [{cluster_member, [A, B]}]}, gen_server:call(Server, {'$gen_cluster', plist})
            ),
            ?assertEqual(A, gen_server:call(Server, {'$gen_cluster', leader})),
            ?assertEqual(
                {ok, [A, B]}, gen_server:call(Server, {'$gen_cluster', mod_plist, cluster_member})
            )
        end,
        Servers
    ),
    stop([A, B]).

%% A member may ask itself.
lists_inside_a_callback(Config) ->
    [A, B] = start_cluster(2, #{}, Config),
    Answers = cluster_helper:do(A, fun(_From, State) ->
        Self = self(),
        Answers = {
            gen_cluster:plist(Self),
            gen_cluster:mod_plist(Self, cluster_member),
            gen_cluster:members(Self),
            gen_cluster:leader(Self),
            gen_cluster:await(Self, fun(_) -> true end, infinity)
        },
        {reply, Answers, State}
    end),
    ?assertMatch(
        {
            {ok, [{cluster_member, [A, B]}]},
            {ok, [A, B]},
            [#{pid := A}, #{pid := B}],
            A,
            {error, calling_self}
        },
        Answers
    ),
    stop([A, B]).

publish_reaches_everybody_in_order(Config) ->
    [A, B, C] = start_cluster(3, #{}, Config),
    Terms = lists:seq(1, 200),
    [ok = gen_cluster:publish(A, Term) || Term <- Terms],
    [
        cluster_helper:expect(Pid, {handle_publish, Term})
     || Pid <- [A, B, C], Term <- Terms
    ],
    cluster_helper:no_more_events([A, B, C]),
    stop([A, B, C]).

publish_of_strangers_is_ignored(Config) ->
    [A] = start_cluster(1, #{}, Config),
    Cluster = ?config(cluster, Config),
    A ! {'$gen_cluster', 1, publish, Cluster, self(), #{stay => 1, term => hello}},
    A ! {'$gen_cluster', 1, publish, other, A, #{stay => 1, term => hello}},
    cluster_helper:no_more_events([A]),
    stop([A]).

highest_weight_wins(Config) ->
    Pids = [_, B, _] = start_cluster(3, #{}, Config),
    [weigh(Pid, Weight) || {Pid, Weight} <- lists:zip(Pids, [1, 7, 3])],
    ?assertEqual([{ok, B, 7}], lists:uniq([gen_cluster:call_vote(Pid, job) || Pid <- Pids])),
    stop(Pids).

%% Ties go by the order of the list; 0, less and no number abstain.
first_of_equals_wins(Config) ->
    Pids = [A, B, C] = start_cluster(3, #{}, Config),
    [weigh(Pid, 2.5) || Pid <- Pids],
    ?assertEqual({ok, A, 2.5}, gen_cluster:call_vote(C, job)),
    weigh(A, 0),
    ?assertEqual({ok, B, 2.5}, gen_cluster:call_vote(C, job)),
    weigh(A, -7),
    ?assertEqual({ok, B, 2.5}, gen_cluster:call_vote(C, job)),
    stop(Pids).

nobody_wins(Config) ->
    Pids = [A | _] = start_cluster(3, #{}, Config),
    ?assertEqual({error, no_winner}, gen_cluster:call_vote(A, job)),
    ?assertEqual({error, no_winner}, gen_cluster:ballot_run(A, job)),
    ?assertEqual({error, no_winner}, gen_cluster:ballot_cast(A, job)),
    stop(Pids).

%% All are asked at once: two that are silent cost one deadline, one that dies costs nothing.
silent_members_abstain(Config) ->
    Pids = [A, B, C] = start_cluster(3, #{}, Config),
    [weigh(Pid, Weight) || {Pid, Weight} <- lists:zip(Pids, [1, 2, 3])],
    ok = sys:suspend(B),
    ok = sys:suspend(C),
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({ok, A, 1}, gen_cluster:call_vote(A, job)),
    Took = erlang:monotonic_time(millisecond) - Begin,
    ?assert(Took >= 5000 andalso Took < 9000, Took),
    [ok = sys:resume(Pid) || Pid <- [B, C]],
    ok = cluster_helper:do(C, fun(_From, #{hooks := Hooks} = State) ->
        {reply, ok, State#{hooks := Hooks#{handle_vote => fun(_, _) -> exit(no_vote) end}}}
    end),
    ?assertEqual({ok, B, 2}, gen_cluster:call_vote(A, job)),
    stop([A, B]).

%% The winner gets the very request that was voted on.
ballot_run(Config) ->
    Pids = [A, B, _] = start_cluster(3, #{}, Config),
    weigh(B, 1),
    ?assertEqual({ok, B, {node(B), job}}, gen_cluster:ballot_run(A, {ask, job})),
    ?assertEqual({ok, B, {node(B), job}}, gen_cluster:run(A, {ask, job})),
    stop(Pids).

run_falls_back_to_any(Config) ->
    Pids = [A | _] = start_cluster(3, #{}, Config),
    {ok, Pid, {Node, job}} = gen_cluster:run(A, {ask, job}),
    ?assertEqual(Node, node(Pid)),
    ?assert(lists:member(Pid, Pids)),
    stop(Pids).

ballot_cast_and_cast_run(Config) ->
    Pids = [A, _, C] = start_cluster(3, #{}, Config),
    {ok, Any} = gen_cluster:cast_run(A, one),
    cluster_helper:expect(Any, {handle_cast, one}),
    weigh(C, 1),
    ?assertEqual({ok, C}, gen_cluster:ballot_cast(A, two)),
    ?assertEqual({ok, C}, gen_cluster:cast_run(A, three)),
    [cluster_helper:expect(C, {handle_cast, Cast}) || Cast <- [two, three]],
    cluster_helper:no_more_events(Pids),
    stop(Pids).

%% At once: a member that asked would wait for itself.
votes_of_members_are_refused(Config) ->
    Pids = [A, B] = start_cluster(2, #{}, Config),
    Votes = [call_vote, ballot_run, run, ballot_cast, cast_run],
    Answers = cluster_helper:do(A, fun(_From, State) ->
        {reply, [gen_cluster:Vote(Pid, job) || Vote <- Votes, Pid <- [A, B]], State}
    end),
    ?assertEqual([{error, calling_self}], lists:uniq(Answers)),
    stop(Pids).

%% The members now, then each change with its reason, a silent join too.
subscribe(Config) ->
    [A, B] = start_cluster(2, #{}, Config),
    {ok, Reference, Members} = gen_cluster:subscribe(A),
    ?assertEqual([A, B], [Pid || #{pid := Pid} <- Members]),
    C = cluster_helper:start_member(
        lists:nth(3, ?config(nodes, Config)), [{seed, node(A)} | options(Config)]
    ),
    ?assertEqual({joined, C}, next(Reference)),
    cluster_helper:await_pids(B, [A, B, C]),
    exit(C, boom),
    ?assertEqual({left, C, boom}, next(Reference)),
    cluster_helper:await_pids(B, [A, B]),
    {ok, Other, _} = gen_cluster:subscribe(B),
    exit(A, gone),
    ?assertEqual({left, A, gone}, next(Other)),
    ?assertEqual({leader, undefined}, next(Other)),
    ?assertEqual({leader, B}, next(Other)),
    stop([B]).

unsubscribe(Config) ->
    [A, B] = start_cluster(2, #{}, Config),
    {ok, Reference, _} = gen_cluster:subscribe(A),
    {ok, Other, _} = gen_cluster:subscribe(A),
    ok = gen_cluster:leave(B),
    ?assertEqual({left, B, left}, next(Other)),
    ok = gen_cluster:unsubscribe(A, Reference),
    receive
        {gen_cluster, Reference, _} -> ct:fail(not_flushed)
    after 0 -> ok
    end,
    ok = gen_cluster:join(B, node(A)),
    ?assertEqual({joined, B}, next(Other)),
    receive
        {gen_cluster, Reference, _} -> ct:fail(still_subscribed)
    after 0 -> ok
    end,
    stop([A, B]).

subscribers_that_die_are_forgotten(Config) ->
    [A] = start_cluster(1, #{}, Config),
    Count = fun() ->
        {monitors, Monitors} = cluster_helper:on(node(A), erlang, process_info, [A, monitors]),
        length(Monitors)
    end,
    Before = Count(),
    {_, Monitor} = spawn_monitor(fun() ->
        {ok, _, _} = gen_cluster:subscribe(A),
        exit(subscribed)
    end),
    receive
        {'DOWN', Monitor, _, _, subscribed} -> ok
    end,
    cluster_helper:await_until(fun() -> Count() =:= Before end),
    stop([A]).

await(Config) ->
    [A] = start_cluster(1, #{}, Config),
    Count = fun(N) -> fun(Members) -> length(Members) =:= N end end,
    {ok, [#{pid := A}]} = gen_cluster:await(A, Count(1), 5000),
    {error, timeout} = gen_cluster:await(A, Count(2), 50),
    [_, Node | _] = ?config(nodes, Config),
    B = cluster_helper:start_member(Node, [{seed, node(A)} | options(Config)]),
    {ok, [_, _]} = gen_cluster:await(A, Count(2), 20000),
    {ok, [_, _]} = gen_cluster:await({?config(cluster, Config), node(B)}, Count(2), 20000),
    {error, {{badmatch, [_, _]}, _}} = gen_cluster:await(A, fun(Members) -> [] = Members end, 5000),
    {error, noproc} = gen_cluster:await({global, {?MODULE, none}}, Count(1), 5000),
    {error, noproc} = gen_cluster:await({none, node(A)}, Count(1), 5000),
    %% It ends meanwhile.
    Test = self(),
    Waiter = spawn_link(fun() ->
        Test ! {self(), gen_cluster:await(B, Count(3), infinity)}
    end),
    cluster_helper:await_until(fun() -> is_watched(B, node(Waiter)) end),
    exit(B, boom),
    receive
        {Waiter, Answer} -> ?assertEqual({error, boom}, Answer)
    end,
    stop([A]).

%% By a process of this node.
is_watched(Pid, Node) ->
    {monitored_by, By} = cluster_helper:on(node(Pid), erlang, process_info, [Pid, monitored_by]),
    lists:any(fun(P) -> is_pid(P) andalso node(P) =:= Node end, By).

next(Reference) ->
    receive
        {gen_cluster, Reference, Event} -> Event
    after 20000 -> ct:fail(no_event)
    end.

weigh(Pid, Weight) ->
    ok = cluster_helper:do(Pid, fun(_From, #{hooks := Hooks} = State) ->
        Vote = fun(_Term, S) -> {reply, Weight, S} end,
        {reply, ok, State#{hooks := Hooks#{handle_vote => Vote}}}
    end).

options(Config) -> [{cluster, ?config(cluster, Config)}].

start_cluster(Count, Hooks, Config) ->
    Nodes = lists:sublist(?config(nodes, Config), Count),
    cluster_helper:start_cluster(Nodes, options(Config), Hooks).

stop(Pids) -> cluster_helper:stop_members(Pids).

%% SPDX-License-Identifier: Apache-2.0
%% Who is a member, and who is told: on real nodes that join, leave, crash, are cut off and come
%% back.
-module(gen_cluster_membership_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    joins_through_a_seed/1,
    each_callback_once/1,
    crash_has_its_reason/1,
    exit_has_its_reason/1,
    lost_node_is_noconnection/1,
    node_comes_back_under_its_name/1,
    leave_is_left/1,
    joins_again_after_leave/1,
    leader_leaves/1,
    list_changes_before_callbacks/1,
    split_heals/1,
    split_heals_without_seeds/1,
    seed_comes_up_later/1,
    unreachable_seed_delays_nobody/1,
    alone_is_logged/1,
    slow_member_delays_nobody/1,
    stopped_node_delays_nobody/1,
    lists_in_a_join/1,
    two_members_on_one_node/1,
    name_is_taken_over_on_the_node/1,
    clusters_merge/1,
    hearsay_makes_no_member/1,
    hears_of_members_and_introduces_itself/1,
    ignored_messages_are_logged_once/1,
    children/1,
    hidden_member/1,
    connect_all_false/1,
    link_is_lost_with_kernel_defaults/1,
    many_random_changes/1
]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        joins_through_a_seed,
        each_callback_once,
        crash_has_its_reason,
        exit_has_its_reason,
        lost_node_is_noconnection,
        node_comes_back_under_its_name,
        leave_is_left,
        joins_again_after_leave,
        leader_leaves,
        list_changes_before_callbacks,
        split_heals,
        split_heals_without_seeds,
        seed_comes_up_later,
        unreachable_seed_delays_nobody,
        alone_is_logged,
        slow_member_delays_nobody,
        stopped_node_delays_nobody,
        lists_in_a_join,
        two_members_on_one_node,
        name_is_taken_over_on_the_node,
        clusters_merge,
        hearsay_makes_no_member,
        hears_of_members_and_introduces_itself,
        ignored_messages_are_logged_once,
        children,
        hidden_member,
        connect_all_false,
        link_is_lost_with_kernel_defaults,
        many_random_changes
    ].

init_per_suite(Config) ->
    [{peers, cluster_helper:start_nodes(4)} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

init_per_testcase(_Case, Config) ->
    %% In the order of the lists, so that the first members lead.
    Nodes = lists:sort(cluster_helper:nodes_of(?config(peers, Config))),
    [{cluster, cluster_helper:cluster()}, {nodes, Nodes} | Config].

end_per_testcase(_Case, Config) ->
    Nodes = ?config(nodes, Config),
    Stop = fun(Node) -> fun() -> cluster_helper:stop_log(Node) end end,
    _ = [cluster_helper:attempt(Stop(Node)) || Node <- Nodes],
    cluster_helper:heal(Nodes).

%% The seed's member is the contact; the newcomer finds it in its list without a callback.
joins_through_a_seed(Config) ->
    [NodeA, NodeB | _] = ?config(nodes, Config),
    A = cluster_helper:start_member(NodeA, options(Config)),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    B = cluster_helper:start_member(NodeB, [{seed, NodeA} | options(Config)]),
    cluster_helper:expect(A, {handle_join, B, [A, B]}),
    cluster_helper:expect(B, {handle_leader_change, A, [A, B]}),
    cluster_helper:await_pids(A, [A, B]),
    cluster_helper:await_pids(B, [A, B]),
    cluster_helper:no_more_events([A, B]),
    stop([A, B]).

%% handle_join on the contact, handle_node_joined on the other, and each once.
each_callback_once(Config) ->
    [A, B] = start_cluster(2, Config),
    [NodeA, _, NodeC, NodeD] = ?config(nodes, Config),
    C = cluster_helper:start_member(NodeC, [{seed, NodeA} | options(Config)]),
    cluster_helper:expect(A, {handle_join, C, [A, B, C]}),
    cluster_helper:expect(B, {handle_node_joined, C, [A, B, C]}),
    {handle_leader_change, A, _} = cluster_helper:next_event(C),
    [cluster_helper:await_pids(Pid, [A, B, C]) || Pid <- [A, B, C]],
    %% All are seeds, the first that answers is the contact.
    D = cluster_helper:start_member(NodeD, [{seeds, [NodeA, node(B), NodeC]} | options(Config)]),
    [cluster_helper:await_pids(Pid, [A, B, C, D]) || Pid <- [A, B, C, D]],
    Joins = [cluster_helper:next_event(Pid) || Pid <- [A, B, C]],
    ?assertEqual(
        [
            {handle_join, D, [A, B, C, D]},
            {handle_node_joined, D, [A, B, C, D]},
            {handle_node_joined, D, [A, B, C, D]}
        ],
        lists:sort(Joins)
    ),
    {handle_leader_change, A, _} = cluster_helper:next_event(D),
    cluster_helper:no_more_events([A, B, C, D]),
    stop([A, B, C, D]).

crash_has_its_reason(Config) ->
    [A, B, C] = start_cluster(3, Config),
    gen_cluster:cast(C, {do, fun(_State) -> error(boom) end}),
    {handle_leave, C, [A, B], {boom, [_ | _]}} = cluster_helper:next_event(A),
    {handle_leave, C, [A, B], {boom, [_ | _]}} = cluster_helper:next_event(B),
    cluster_helper:no_more_events([A, B]),
    stop([A, B]).

exit_has_its_reason(Config) ->
    [A, B, C] = start_cluster(3, Config),
    exit(C, kill),
    [cluster_helper:expect(Pid, {handle_leave, C, [A, B], killed}) || Pid <- [A, B]],
    ok = gen_server:stop(B),
    cluster_helper:expect(A, {handle_leave, B, [A], normal}),
    cluster_helper:no_more_events([A]),
    stop([A]).

lost_node_is_noconnection(Config) ->
    [A, B] = start_cluster(2, Config),
    [{_, Node} = Peer] = cluster_helper:start_nodes(1),
    C = cluster_helper:settled_member(Node, [{seed, node(A)} | options(Config)], [A, B]),
    cluster_helper:forget_events([A, B, C]),
    cluster_helper:kill_node(Peer),
    [cluster_helper:expect(Pid, {handle_leave, C, [A, B], noconnection}) || Pid <- [A, B]],
    cluster_helper:no_more_events([A, B]),
    stop([A, B]).

%% Its member is another one; the one before is gone for good.
node_comes_back_under_its_name(Config) ->
    [A, B] = start_cluster(2, Config),
    [{_, Node} = Peer] = cluster_helper:start_nodes(1),
    Options = [{seed, node(A)} | options(Config)],
    C = cluster_helper:settled_member(Node, Options, [A, B]),
    cluster_helper:forget_events([A, B, C]),
    {_, Node} = Again = cluster_helper:restart_node(Peer),
    [cluster_helper:expect(Pid, {handle_leave, C, [A, B], noconnection}) || Pid <- [A, B]],
    D = cluster_helper:settled_member(Node, Options, [A, B]),
    ?assertNotEqual(C, D),
    [
        ?assertMatch({_, D, _}, cluster_helper:next_event(Pid))
     || Pid <- [A, B]
    ],
    cluster_helper:no_more_events([A, B]),
    stop([A, B, D]),
    cluster_helper:stop_node(Again).

%% The others see `left'; who left is alone, stays so, and has no callback.
leave_is_left(Config) ->
    [A, B, C] = start_cluster(3, Config),
    {ok, Reference, _} = gen_cluster:subscribe(C),
    ok = gen_cluster:leave(C),
    [cluster_helper:expect(Pid, {handle_leave, C, [A, B], left}) || Pid <- [A, B]],
    [
        receive
            {gen_cluster, Reference, {left, Pid, left}} -> ok
        end
     || Pid <- [A, B]
    ],
    receive
        {gen_cluster, Reference, {leader, undefined}} -> ok
    end,
    cluster_helper:await_pids(C, []),
    ?assertEqual(undefined, gen_cluster:leader(C)),
    ok = gen_cluster:publish(C, nobody),
    ?assertEqual({error, no_winner}, gen_cluster:run(C, nobody)),
    %% A hello is answered by `leave': C is no member.
    ok = gen_cluster:join(A, node(C)),
    ok = gen_cluster:leave(C),
    cluster_helper:await_pids(A, [A, B]),
    cluster_helper:no_more_events([A, B, C]),
    stop([A, B, C]).

%% join/2 ends what leave/1 began: a new stay, with a contact of its own.
joins_again_after_leave(Config) ->
    [A, B, C] = start_cluster(3, Config),
    ok = gen_cluster:leave(C),
    [cluster_helper:expect(Pid, {handle_leave, C, [A, B], left}) || Pid <- [A, B]],
    ok = gen_cluster:join(C, atom_to_list(node(B))),
    %% The seed and the leader are asked at once; either may answer first.
    {OfA, C, [A, B, C]} = cluster_helper:next_event(A),
    {OfB, C, [A, B, C]} = cluster_helper:next_event(B),
    ?assertEqual([handle_join, handle_node_joined], lists:sort([OfA, OfB])),
    cluster_helper:await_pids(C, [A, B, C]),
    A = cluster_helper:await_leader(C, [A]),
    {handle_leader_change, A, _} = cluster_helper:next_event(C),
    cluster_helper:no_more_events([A, B, C]),
    stop([A, B, C]).

leader_leaves(Config) ->
    [A, B] = start_cluster(2, Config),
    ok = gen_cluster:leave(A),
    cluster_helper:expect(B, {handle_leave, A, [B], left}),
    cluster_helper:expect(B, {handle_leader_change, undefined, [B]}),
    cluster_helper:expect(B, {handle_leader_change, B, [B]}),
    stop([A, B]).

%% A callback that asks for the list finds the change in it; the leader's callback comes after.
list_changes_before_callbacks(Config) ->
    Test = self(),
    Asks = fun(Name) ->
        fun(_, _, _, State) ->
            {ok, Plist} = gen_cluster:mod_plist(self(), cluster_member),
            Test ! {Name, self(), Plist, gen_cluster:leader(self())},
            {ok, State}
        end
    end,
    [A, B] = cluster_helper:start_cluster(
        lists:sublist(?config(nodes, Config), 2), options(Config), #{handle_leave => Asks(leave)}
    ),
    exit(A, boom),
    cluster_helper:expect(B, {handle_leave, A, [B], boom}),
    receive
        {leave, B, Plist, Leader} ->
            ?assertEqual([B], Plist),
            ?assertEqual(undefined, Leader)
    end,
    cluster_helper:expect(B, {handle_leader_change, undefined, [B]}),
    cluster_helper:expect(B, {handle_leader_change, B, [B]}),
    stop([B]).

%% Both sides see the others go, and each regained member come back once.
split_heals(Config) ->
    [A, B, C, D] = Pids = start_cluster(4, Config),
    split_and_heal(Pids, [A, B], [C, D]).

%% Members remember whom they lost.
split_heals_without_seeds(Config) ->
    [A, B, C] = start_cluster(3, Config),
    Nodes = [node(Pid) || Pid <- [A, B, C]],
    stop([A]),
    [cluster_helper:expect(Pid, {handle_leave, A, [B, C], killed}) || Pid <- [B, C]],
    _ = cluster_helper:await_leader(B, [B, C]),
    _ = cluster_helper:await_leader(C, [B, C]),
    cluster_helper:forget_events([A, B, C]),
    ?assertEqual(3, length(Nodes)),
    split_and_heal([B, C], [B], [C]).

split_and_heal(Pids, Left, Right) ->
    cluster_helper:split([node(Pid) || Pid <- Left], [node(Pid) || Pid <- Right]),
    lists:foreach(
        fun({Here, There}) ->
            [cluster_helper:await_pids(Pid, Here) || Pid <- Here],
            [
                cluster_helper:expect_any(Pid, {handle_leave, Lost, Now, noconnection})
             || Pid <- Here, {Lost, Now} <- lost(There, Pids)
            ]
        end,
        [{Left, Right}, {Right, Left}]
    ),
    cluster_helper:heal([node(Pid) || Pid <- Pids]),
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    Events = [{Pid, joins(Pid)} || Pid <- Pids],
    lists:foreach(
        fun({Pid, Joined}) ->
            There =
                case lists:member(Pid, Left) of
                    true -> Right;
                    false -> Left
                end,
            ?assertEqual(lists:sort(There), lists:sort([P || {handle_node_joined, P, _} <- Joined]))
        end,
        Events
    ),
    stop(Pids).

%% Who is lost one after the other, in the order in which monitors fire, which is any.
lost([One], Pids) -> [{One, Pids -- [One]}];
lost(_Several, _Pids) -> [].

joins(Pid) ->
    receive
        {cluster_member, Pid, {handle_node_joined, _, _} = Event} -> [Event | joins(Pid)];
        {cluster_member, Pid, {handle_join, _, _} = Event} -> [Event | joins(Pid)]
    after 0 -> []
    end.

%% A seed that is down is tried until it is there.
seed_comes_up_later(Config) ->
    [NodeA, NodeB | _] = ?config(nodes, Config),
    B = cluster_helper:start_member(NodeB, [{seed, NodeA} | options(Config)]),
    cluster_helper:expect(B, {handle_leader_change, B, [B]}),
    A = cluster_helper:start_member(NodeA, options(Config)),
    [cluster_helper:await_pids(Pid, [A, B]) || Pid <- [A, B]],
    stop([A, B]).

unreachable_seed_delays_nobody(Config) ->
    [NodeA, NodeB | _] = ?config(nodes, Config),
    A = cluster_helper:start_member(NodeA, [{seed, 'nobody@127.0.0.1'} | options(Config)]),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    Seeds = ['nobody@127.0.0.1', NodeA],
    B = cluster_helper:start_member(NodeB, [{seeds, Seeds} | options(Config)]),
    cluster_helper:expect(A, {handle_join, B, [A, B]}),
    stop([A, B]).

alone_is_logged(Config) ->
    [Node | _] = ?config(nodes, Config),
    ok = cluster_helper:start_log(Node),
    A = cluster_helper:start_member(Node, [{seed, 'nobody@127.0.0.1'} | options(Config)]),
    Line = cluster_helper:expect_log(Node, "cluster of one"),
    lists:foreach(
        fun(Text) -> ?assertNotEqual(nomatch, string:find(Line, Text), Line) end,
        [atom_to_list(?config(cluster, Config)), "nobody@127.0.0.1"]
    ),
    ok = cluster_helper:stop_log(Node),
    stop([A]).

%% One that does not answer for a while is found later, the others at once.
slow_member_delays_nobody(Config) ->
    [A, B] = start_cluster(2, Config),
    [NodeA, _, NodeC | _] = ?config(nodes, Config),
    ok = sys:suspend(B),
    C = cluster_helper:start_member(NodeC, [{seed, NodeA} | options(Config)]),
    cluster_helper:await_pids(C, [A, C]),
    cluster_helper:await_pids(A, [A, B, C]),
    ok = sys:resume(B),
    [cluster_helper:await_pids(Pid, [A, B, C]) || Pid <- [A, B, C]],
    stop([A, B, C]).

%% A node that reads nothing any more: much waits for it, then messages to it are lost, and nobody
%% waits. What it gets later it gets once, and in order.
stopped_node_delays_nobody(Config) ->
    [A, B] = start_cluster(2, Config),
    [{_, Node} = Peer] = cluster_helper:start_nodes(1),
    C = cluster_helper:settled_member(Node, [{seed, node(A)} | options(Config)], [A, B]),
    cluster_helper:forget_events([A, B, C]),
    ok = cluster_helper:start_log(node(A)),
    Numbers = lists:seq(1, 100),
    Load = binary:copy(<<0>>, 1000000),
    cluster_helper:while_stopped(Node, fun() ->
        lists:foreach(
            fun(Number) ->
                ok = gen_cluster:publish(A, {Number, Load}),
                [cluster_helper:expect(Pid, {handle_publish, Number}) || Pid <- [A, B]]
            end,
            Numbers
        ),
        cluster_helper:expect_log(node(A), "loses messages to " ++ atom_to_list(Node))
    end),
    %% When nothing waits any more, all goes the direct way again.
    cluster_helper:await_until(fun() ->
        ok = gen_cluster:publish(A, last),
        receive
            {cluster_member, C, {handle_publish, last}} -> true
        after 100 -> false
        end
    end),
    Came = published(C),
    ?assert(length(Came) > 50 andalso length(Came) < 100, length(Came)),
    ?assertEqual(Came, lists:sublist(Numbers, length(Came))),
    ok = cluster_helper:stop_log(node(A)),
    cluster_helper:stop_node(Peer),
    stop([A, B]).

published(Pid) ->
    receive
        {cluster_member, Pid, {handle_publish, Number}} when is_integer(Number) ->
            [Number | published(Pid)]
    after 0 -> []
    end.

%% A handle_join that calls the newcomer does not wait for one that waits for it.
lists_in_a_join(Config) ->
    [NodeA, NodeB | _] = ?config(nodes, Config),
    Test = self(),
    Hooks = #{
        handle_join => fun(Pid, _, State) ->
            Test ! {seen_by_newcomer, gen_cluster:members(Pid)},
            {ok, State}
        end
    },
    A = cluster_helper:start_member(NodeA, options(Config), Hooks),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    B = cluster_helper:start_member(NodeB, [{seed, NodeA} | options(Config)]),
    cluster_helper:expect(A, {handle_join, B, [A, B]}),
    receive
        {seen_by_newcomer, Members} ->
            ?assertEqual([A, B], [Pid || #{pid := Pid} <- Members])
    end,
    stop([A, B]).

%% Without any seed: they meet through the name of the cluster on their node.
two_members_on_one_node(Config) ->
    [Node | _] = ?config(nodes, Config),
    A = cluster_helper:start_member(Node, options(Config)),
    cluster_helper:expect(A, {handle_leader_change, A, [A]}),
    B = cluster_helper:start_member(Node, options(Config)),
    {handle_join, B, _} = cluster_helper:next_event(A),
    [cluster_helper:await_pids(Pid, [A, B]) || Pid <- [A, B]],
    stop([A, B]).

%% When its holder dies, the other member of the node is the one that newcomers find.
name_is_taken_over_on_the_node(Config) ->
    [Node, Other | _] = ?config(nodes, Config),
    A = cluster_helper:start_member(Node, options(Config)),
    B = cluster_helper:settled_member(Node, options(Config), [A]),
    exit(A, boom),
    cluster_helper:await_pids(B, [B]),
    C = cluster_helper:start_member(Other, [{seed, Node} | options(Config)]),
    [cluster_helper:await_pids(Pid, [B, C]) || Pid <- [B, C]],
    stop([B, C]).

%% join/2 brings two clusters of one name together.
clusters_merge(Config) ->
    [NodeA, NodeB, NodeC, NodeD] = ?config(nodes, Config),
    %% Each half is a cluster that does not know of the other one: global must not, either.
    cluster_helper:split([NodeA, NodeB], [NodeC, NodeD]),
    [A, B] = cluster_helper:start_cluster([NodeA, NodeB], options(Config)),
    [C, D] = cluster_helper:start_cluster([NodeC, NodeD], options(Config)),
    cluster_helper:heal([NodeA, NodeB, NodeC, NodeD]),
    ok = gen_cluster:join(B, NodeC),
    Pids = [A, B, C, D],
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    stop(Pids).

%% A pid is no member because somebody says so: only by its own answer.
hearsay_makes_no_member(Config) ->
    [A, B] = start_cluster(2, Config),
    Test = self(),
    Dead = erpc:call(node(B), erlang, spawn, [erlang, self, []]),
    Mute = spawn(fun Loop() ->
        receive
            {'$gen_cluster', 1, hello, _, _, _} = Hello ->
                Test ! Hello,
                Loop()
        end
    end),
    A ! {'$gen_cluster', 1, list, ?config(cluster, Config), B, #{stay => 1, pids => [Dead, Mute]}},
    receive
        {'$gen_cluster', 1, hello, _, A, #{nonce := _}} -> ok
    end,
    cluster_helper:await_pids(A, [A, B]),
    exit(Mute, kill),
    cluster_helper:no_more_events([A, B]),
    stop([A, B]).

%% The same with one that answers, by the rules, as a C member would.
hears_of_members_and_introduces_itself(Config) ->
    Cluster = ?config(cluster, Config),
    [A, B] = start_cluster(2, Config),
    Answers = spawn(fun Loop() ->
        receive
            {'$gen_cluster', 1, hello, Cluster, From, #{nonce := Nonce}} ->
                Info = #{v => 1, phase => settled, claim => false, hidden => true, type => other},
                Map = Info#{stay => 1, nonce => 1, echo => Nonce, future => key},
                From ! {'$gen_cluster', 1, hello, Cluster, self(), Map},
                Loop();
            {'$gen_cluster', 1, _, Cluster, _, _} ->
                Loop();
            Reason ->
                exit(Reason)
        end
    end),
    A ! {'$gen_cluster', 1, list, Cluster, B, #{stay => 1, pids => [Answers]}},
    {handle_node_joined, Answers, _} = cluster_helper:next_event(A),
    {ok, Plist} = gen_cluster:plist(A),
    ?assertEqual([Answers], proplists:get_value(other, Plist)),
    %% B hears of it when the lists are compared.
    {handle_node_joined, Answers, _} = cluster_helper:next_event(B),
    Answers ! bye,
    {handle_leave, Answers, _, bye} = cluster_helper:next_event(A),
    {handle_leave, Answers, _, bye} = cluster_helper:next_event(B),
    stop([A, B]).

%% What is not understood is ignored; the log says so once per node.
ignored_messages_are_logged_once(Config) ->
    [A] = start_cluster(1, Config),
    Node = node(A),
    ok = cluster_helper:start_log(Node),
    Cluster = ?config(cluster, Config),
    A ! {'$gen_cluster', 2, hello, Cluster, self(), #{stay => 1}},
    A ! {'$gen_cluster', 1, from_the_future, Cluster, self(), #{stay => 1}},
    _ = cluster_helper:expect_log(Node, "ignores messages from " ++ atom_to_list(node())),
    [A] = [Pid || #{pid := Pid} <- gen_cluster:members(A)],
    ok = cluster_helper:stop_log(Node),
    receive
        {cluster_log, Node, Line} -> ct:fail(Line)
    after 0 -> ok
    end,
    stop([A]).

%% Plain processes under a type, for as long as they and their member live.
children(Config) ->
    [A, B] = start_cluster(2, Config),
    Child = spawn(node(B), timer, sleep, [infinity]),
    Other = spawn(node(A), timer, sleep, [infinity]),
    ok = gen_cluster:add_child(B, worker, Child),
    ok = gen_cluster:add_child(B, worker, Other),
    ok = gen_cluster:add_child(B, boss, Other),
    Await = fun(Expected) ->
        Has = fun(Members) ->
            [lists:sort(Children) || #{pid := P, children := Children} <- Members, P =:= B] =:=
                [lists:sort(Expected)]
        end,
        cluster_helper:await_until(fun() -> Has(gen_cluster:members(A)) end)
    end,
    Await([{worker, Child}, {boss, Other}]),
    ?assertEqual({ok, [Child]}, gen_cluster:mod_plist(A, worker)),
    {ok, Plist} = gen_cluster:plist(A),
    ?assertEqual([boss, cluster_member, worker], lists:sort(proplists:get_keys(Plist))),
    exit(Child, kill),
    Await([{boss, Other}]),
    Dead = spawn(fun() -> ok end),
    ok = gen_cluster:add_child(B, worker, Dead),
    Await([{boss, Other}]),
    exit(B, boom),
    cluster_helper:await_pids(A, [A]),
    ?assertEqual({ok, [{cluster_member, [A]}]}, gen_cluster:plist(A)),
    exit(Other, kill),
    %% More than fit into a message are refused.
    Many = [spawn(node(A), timer, sleep, [infinity]) || _ <- lists:seq(1, 400)],
    Answers = [gen_cluster:add_child(A, worker, Pid) || Pid <- Many],
    ?assertEqual([ok, {error, too_many_children}], lists:uniq(Answers)),
    [exit(Pid, kill) || Pid <- Many],
    cluster_helper:forget_events([A]),
    stop([A]).

%% A hidden node's member is one like the others, but does not lead.
hidden_member(Config) ->
    [A, B] = start_cluster(2, Config),
    [{_, Node} = Peer] = cluster_helper:start_nodes(1, ["-hidden"]),
    C = cluster_helper:start_member(Node, [{seed, node(A)} | options(Config)]),
    {handle_join, C, _} = cluster_helper:next_event(A),
    {handle_node_joined, C, _} = cluster_helper:next_event(B),
    A = cluster_helper:await_leader(C, [A]),
    stop([A]),
    B = cluster_helper:await_leader(C, [B]),
    cluster_helper:await_pids(C, [B, C]),
    %% Alone it has no leader.
    stop([B]),
    undefined = cluster_helper:await_leader(C, [undefined]),
    cluster_helper:await_pids(C, [C]),
    cluster_helper:stop_node(Peer).

%% Members connect directly where the nodes would not by themselves.
connect_all_false(Config) ->
    Peers = cluster_helper:start_nodes(3, ["-connect_all", "false"]),
    [NodeA, NodeB, NodeC] = cluster_helper:nodes_of(Peers),
    A = cluster_helper:start_member(NodeA, options(Config)),
    B = cluster_helper:start_member(NodeB, [{seed, NodeA} | options(Config)]),
    C = cluster_helper:start_member(NodeC, [{seed, NodeA} | options(Config)]),
    [cluster_helper:await_pids(Pid, [A, B, C]) || Pid <- [A, B, C]],
    Leader = cluster_helper:await_leader(A, [A, B, C]),
    [cluster_helper:await_leader(Pid, [Leader]) || Pid <- [B, C]],
    cluster_helper:stop_nodes(Peers).

%% By default `global' makes a full split of a partial one; the members meet again all the same.
link_is_lost_with_kernel_defaults(Config) ->
    Peers = cluster_helper:start_nodes(3, ["-kernel", "prevent_overlapping_partitions", "true"]),
    [NodeA, NodeB, _] = Nodes = cluster_helper:nodes_of(Peers),
    Env = [kernel, prevent_overlapping_partitions],
    [?assertEqual({ok, true}, cluster_helper:on(N, application, get_env, Env)) || N <- Nodes],
    [A, B, _] = Pids = cluster_helper:start_cluster(Nodes, options(Config)),
    true = cluster_helper:on(NodeA, erlang, disconnect_node, [NodeB]),
    {handle_leave, _, _, noconnection} = cluster_helper:next_event(A),
    {handle_leave, _, _, noconnection} = cluster_helper:next_event(B),
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    await_one_leader(Pids),
    cluster_helper:stop_nodes(Peers).

%% Whatever happened: when all is quiet, all have the same list and leader.
many_random_changes(Config) ->
    Nodes = ?config(nodes, Config),
    Random = integer_to_list(erlang:unique_integer([positive])),
    Seed = list_to_integer(os:getenv("GCL_SEED", Random)),
    ct:pal("GCL_SEED=~b", [Seed]),
    _ = rand:seed(exsss, Seed),
    Start = fun(Node) ->
        Pid = cluster_helper:start_member(Node, [{seeds, Nodes} | options(Config)]),
        {ok, Reference, Seen} = gen_cluster:subscribe(Pid),
        {Pid, Reference, pids(Seen)}
    end,
    Members = lists:foldl(
        fun(_, Members) -> change(rand:uniform(5), Members, Nodes, Start) end,
        [Start(Node) || Node <- Nodes],
        lists:seq(1, 30)
    ),
    cluster_helper:heal(Nodes),
    Pids = [Pid || {Pid, _, _} <- Members],
    [cluster_helper:await_pids(Pid, Pids) || Pid <- Pids],
    await_one_leader(Pids),
    %% What each has told, beginning with what it had, adds up to its list.
    [?assertEqual(lists:sort(Pids), history(Member)) || Member <- Members],
    stop(Pids).

await_one_leader(Pids) ->
    cluster_helper:await_until(fun() ->
        case lists:usort([gen_cluster:leader(Pid) || Pid <- Pids]) of
            [Leader] -> lists:member(Leader, Pids);
            _ -> false
        end
    end).

change(1, Members, Nodes, Start) ->
    [Start(lists:nth(rand:uniform(length(Nodes)), Nodes)) | Members];
change(2, [_, _ | _] = Members, _Nodes, _Start) ->
    {Pid, _, _} = Member = one_of(Members),
    stop([Pid]),
    lists:delete(Member, Members);
change(3, Members, Nodes, _Start) ->
    Left = one_of(Nodes),
    Right = one_of(lists:delete(Left, Nodes)),
    cluster_helper:split([Left], [Right]),
    Members;
change(4, Members, Nodes, _Start) ->
    cluster_helper:heal(Nodes),
    Members;
change(5, [_ | _] = Members, Nodes, _Start) ->
    {Pid, _, _} = one_of(Members),
    ok = gen_cluster:leave(Pid),
    ok = gen_cluster:join(Pid, one_of(Nodes)),
    Members;
change(_, Members, _Nodes, _Start) ->
    Members.

one_of(List) -> lists:nth(rand:uniform(length(List)), List).

history({Pid, Reference, Seen}) ->
    ok = sys:suspend(Pid),
    ok = sys:resume(Pid),
    history(Reference, Seen, Seen, []).

history(Reference, Seen, Now, Events) ->
    receive
        {gen_cluster, Reference, {joined, Pid} = Event} ->
            ?assertNot(lists:member(Pid, Now), {Seen, Now, Event, Events}),
            history(Reference, Seen, [Pid | Now], [Event | Events]);
        {gen_cluster, Reference, {left, Pid, _} = Event} ->
            ?assert(lists:member(Pid, Now), {Seen, Now, Event, Events}),
            history(Reference, Seen, lists:delete(Pid, Now), [Event | Events])
    after 0 -> lists:sort(Now)
    end.

pids(Members) -> [Pid || #{pid := Pid} <- Members].

options(Config) -> [{cluster, ?config(cluster, Config)}].

start_cluster(Count, Config) ->
    cluster_helper:start_cluster(lists:sublist(?config(nodes, Config), Count), options(Config)).

stop(Pids) -> cluster_helper:stop_members(Pids).

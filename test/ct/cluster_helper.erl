%% SPDX-License-Identifier: Apache-2.0
%% Nodes and members for the suites. Nodes are peers on the loopback under names of their own;
%% members (cluster_member) tell the test process of each callback, and the functions here wait for
%% that, with a deadline. Nothing else in the suites waits.
-module(cluster_helper).

-export([start_nodes/1, start_nodes/2, start_node/1, stop_nodes/1, stop_node/1, kill_node/1]).
-export([restart_node/1, nodes_of/1, on/4, while_stopped/2]).
-export([cluster/0, start_member/2, start_member/3, settled_member/3, start_cluster/2]).
-export([start_cluster/3, expect/2, expect_any/2, next_event/1, no_more_events/1, forget_events/1]).
-export([sorted/1, await_pids/2, await_leader/2, await_one_leader/3, holder/2]).
-export([await_down/2, await_node/2]).
-export([await_until/1, pause/1]).
-export([do/2]).
-export([split/2, heal/1, stop_members/1, attempt/1]).
-export([start_log/1, expect_log/2, stop_log/1, log/2]).

-export_type([peer/0]).

-define(DEADLINE, 20000).

-type peer() :: {Controller :: pid(), node()}.

%% Retries that nobody wants to wait for in a test.
limits() ->
    #{
        retry_base => 200,
        retry_max => 2000,
        probe_base => 300,
        sync => 2000,
        sync_fast => 200,
        take_step => 200,
        take_retry => 500
    }.

-spec start_nodes(pos_integer()) -> [peer()].
start_nodes(Count) -> start_nodes(Count, []).

-spec start_nodes(pos_integer(), [string()]) -> [peer()].
start_nodes(Count, Args) ->
    Starters = [
        spawn_monitor(fun() -> exit({started, start_node(peer:random_name(gcl), Args)}) end)
     || _ <- lists:seq(1, Count)
    ],
    [
        receive
            {'DOWN', Monitor, process, _, {started, Peer}} -> Peer;
            {'DOWN', Monitor, process, _, Reason} -> ct:fail({peer_not_started, Reason})
        after 3 * ?DEADLINE -> ct:fail(peer_not_started)
        end
     || {_, Monitor} <- Starters
    ].

%% A node of a name that was chosen before.
-spec start_node(node()) -> peer().
start_node(Node) ->
    [Name, _Host] = string:split(atom_to_list(Node), "@"),
    start_node(Name, []).

%% Not linked to the caller, which may be no more than a configuration function.
start_node(Name, Args) ->
    Ebin = filename:dirname(code:which(gen_cluster)),
    Suites = filename:dirname(code:which(?MODULE)),
    {ok, Peer, Node} = peer:start(#{
        name => Name,
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        wait_boot => 3 * ?DEADLINE,
        args =>
            ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"] ++
            ["-kernel", "prevent_overlapping_partitions", "false"] ++
            ["-kernel", "logger_level", "error"] ++
            ["-pa", Ebin, Suites | Args]
    }),
    ok = peer:call(Peer, application, load, [gen_cluster]),
    ok = peer:call(Peer, application, set_env, [gen_cluster, limits, limits()]),
    true = net_kernel:connect_node(Node),
    {Peer, Node}.

-spec stop_nodes([peer()]) -> ok.
stop_nodes(Peers) -> lists:foreach(fun stop_node/1, Peers).

%% Another node of the same name, after the first one was killed.
-spec restart_node(peer()) -> peer().
restart_node({_, Node} = Peer) ->
    kill_node(Peer),
    start_node(Node).

-spec stop_node(peer()) -> ok.
stop_node({Peer, Node}) ->
    _ = attempt(fun() -> peer:stop(Peer) end),
    await_node(Node, down).

%% Ends a node like a power cut.
-spec kill_node(peer()) -> ok.
kill_node({_Peer, Node} = Ended) ->
    OsPid = erpc:call(Node, os, getpid, []),
    _ = os:cmd("kill -KILL " ++ OsPid),
    stop_node(Ended).

%% Runs a function while a node is stopped, like a machine that hangs.
-spec while_stopped(node(), fun(() -> term())) -> ok.
while_stopped(Node, Fun) ->
    OsPid = erpc:call(Node, os, getpid, []),
    [] = os:cmd("kill -STOP " ++ OsPid),
    try
        _ = Fun(),
        ok
    after
        os:cmd("kill -CONT " ++ OsPid)
    end.

%% What may fail because what it is for is gone.
-spec attempt(fun(() -> term())) -> term().
attempt(Fun) ->
    try
        Fun()
    catch
        Class:Reason -> {Class, Reason}
    end.

-spec await_node(node(), up | down) -> ok.
await_node(Node, What) ->
    await_until(fun() -> lists:member(Node, nodes(connected)) =:= (What =:= up) end).

-spec nodes_of([peer()]) -> [node()].
nodes_of(Peers) -> [Node || {_, Node} <- Peers].

-spec on(node(), module(), atom(), [term()]) -> term().
on(Node, Module, Function, Args) -> erpc:call(Node, Module, Function, Args, ?DEADLINE).

%% A name that no other case uses.
-spec cluster() -> atom().
cluster() ->
    list_to_atom("cluster_" ++ integer_to_list(erlang:unique_integer([positive]))).

-spec start_member(node(), [gen_cluster:option()]) -> pid().
start_member(Node, Options) -> start_member(Node, Options, #{}).

%% The hooks are what its callbacks do: see cluster_member.
-spec start_member(node(), [gen_cluster:option()], cluster_member:hooks()) -> pid().
start_member(Node, Options, Hooks) ->
    {ok, Pid} = on(Node, cluster_member, start, [self(), Options, Hooks]),
    Pid.

%% A member that is in the cluster of those named.
-spec settled_member(node(), [gen_cluster:option()], [pid()]) -> pid().
settled_member(Node, Options, Others) ->
    Pid = start_member(Node, Options),
    lists:foreach(fun(P) -> await_pids(P, [Pid | Others]) end, [Pid | Others]),
    Pid.

%% One member on each node, all with the first node as seed, joined one after the other. Their
%% events have been read when this returns.
-spec start_cluster([node()], [gen_cluster:option()]) -> [pid()].
start_cluster(Nodes, Options) -> start_cluster(Nodes, Options, #{}).

-spec start_cluster([node()], [gen_cluster:option()], cluster_member:hooks()) -> [pid()].
start_cluster([First | _] = Nodes, Options, Hooks) ->
    Pids = lists:foldl(
        fun(Node, Before) ->
            Pid = start_member(Node, [{seeds, [First]} | Options], Hooks),
            Pids = Before ++ [Pid],
            lists:foreach(fun(P) -> await_pids(P, Pids) end, Pids),
            case Before of
                [] -> await_leader(Pid, [Pid]);
                _ -> ok
            end,
            Pids
        end,
        [],
        Nodes
    ),
    lists:foreach(fun(P) -> await_leader(P, [hd(Pids)]) end, Pids),
    forget_events(Pids),
    Pids.

%% This callback is the next one of this member.
-spec expect(pid(), tuple()) -> ok.
expect(Pid, Event) ->
    case next_event(Pid) of
        Event -> ok;
        Other -> ct:fail({Pid, {expected, Event}, {came, Other}})
    end.

%% This callback has come or comes, whatever else does.
-spec expect_any(pid(), tuple()) -> ok.
expect_any(Pid, Event) ->
    receive
        {cluster_member, Pid, Event} -> ok
    after ?DEADLINE ->
        ct:fail({Pid, {expected, Event}, {came, element(2, process_info(self(), messages))}})
    end.

-spec next_event(pid()) -> tuple().
next_event(Pid) ->
    receive
        {cluster_member, Pid, Event} -> Event
    after ?DEADLINE ->
        ct:fail({Pid, no_event, {came, element(2, process_info(self(), messages))}})
    end.

%% What these members have told up to now was all expected.
-spec no_more_events([pid()]) -> ok.
no_more_events(Pids) ->
    case told(Pids) of
        [] -> ok;
        Events -> ct:fail({unexpected, Events})
    end.

-spec forget_events([pid()]) -> ok.
forget_events(Pids) ->
    _ = told(Pids),
    ok.

told(Pids) ->
    _ = [attempt(fun() -> sys:get_state(Pid) end) || Pid <- Pids],
    drain(Pids).

drain(Pids) ->
    receive
        {cluster_member, Pid, Event} = Message ->
            case lists:member(Pid, Pids) of
                true ->
                    [{Pid, Event} | drain(Pids)];
                false ->
                    Rest = drain(Pids),
                    self() ! Message,
                    Rest
            end
    after 0 -> []
    end.

%% As members sort them.
-spec sorted([pid()]) -> [pid()].
sorted(Pids) ->
    [Pid || {_, Pid} <- lists:sort([{gen_cluster_pid:key(Pid), Pid} || Pid <- Pids])].

-spec await_pids(pid(), [pid()]) -> ok.
await_pids(Pid, Pids) ->
    Wanted = lists:sort(Pids),
    Has = fun(Members) -> lists:sort([P || #{pid := P} <- Members]) =:= Wanted end,
    case gen_cluster:await(Pid, Has, ?DEADLINE) of
        {ok, _} -> ok;
        {error, Reason} ->
            Members = attempt(fun() -> gen_cluster:members(Pid) end),
            ct:fail({Pid, Reason, {wanted, Pids}, {are, Members}})
    end.

%% One of these leads, as Pid sees it.
-spec await_leader(pid(), [pid() | undefined]) -> pid() | undefined.
await_leader(Pid, Leaders) ->
    {ok, Reference, _} = gen_cluster:subscribe(Pid),
    Leader = await_leader(Pid, Leaders, Reference, gen_cluster:leader(Pid)),
    ok = gen_cluster:unsubscribe(Pid, Reference),
    Leader.

await_leader(Pid, Leaders, Reference, Leader) ->
    case lists:member(Leader, Leaders) of
        true ->
            Leader;
        false ->
            receive
                {gen_cluster, Reference, {leader, Next}} ->
                    await_leader(Pid, Leaders, Reference, Next)
            after ?DEADLINE ->
                ct:fail({Pid, {leader, Leader}, {wanted, Leaders}})
            end
    end.

%% All members know the same leader, which these nodes find at the global name.
-spec await_one_leader(atom(), [pid()], [node()]) -> pid().
await_one_leader(Cluster, Pids, Nodes) ->
    await_until(fun() ->
        Leaders = lists:usort([gen_cluster:leader(Pid) || Pid <- Pids]),
        Holders = lists:usort([holder(Node, Cluster) || Node <- Nodes]),
        Leaders =:= Holders andalso length(Leaders) =:= 1
    end),
    gen_cluster:leader(hd(Pids)).

%% As a BEAM that is in `global` with it knows.
-spec holder(node(), atom()) -> pid() | undefined.
holder(Node, Cluster) -> on(Node, global, whereis_name, [{gen_cluster, Cluster}]).

-spec await_down(pid(), reference()) -> term().
await_down(Pid, Monitor) ->
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> Reason
    after ?DEADLINE -> ct:fail({Pid, still_alive})
    end.

%% For what tells nobody when it happens.
-spec await_until(fun(() -> boolean())) -> ok.
await_until(Condition) -> global_helper:await(Condition, ?DEADLINE).

%% For tests at random, in which it matters when something happens.
-spec pause(non_neg_integer()) -> ok.
pause(Milliseconds) -> timer:sleep(Milliseconds).

%% Runs a function in a member, with what handle_call may return.
-spec do(pid(), fun((gen_server:from(), term()) -> term())) -> term().
do(Pid, Fun) -> gen_cluster:call(Pid, {do, Fun}, ?DEADLINE).

%% Cuts all connections between two groups of nodes; none comes up again before heal/1.
-spec split([node()], [node()]) -> ok.
split(Left, Right) ->
    lists:foreach(fun(Node) -> auto_connect(Node, [never]) end, Left ++ Right),
    Pairs = [{L, R} || L <- Left, R <- Right],
    %% One that was being set up may still come up.
    await_until(fun() -> [] =:= [cut || {L, R} <- Pairs, cut(L, R) or cut(R, L)] end).

%% Was there anything to cut?
cut(From, To) ->
    Connected = lists:member(To, on(From, erlang, nodes, [connected])),
    _ = [on(From, erlang, disconnect_node, [To]) || Connected],
    Connected.

-spec heal([node()]) -> ok.
heal(Nodes) -> lists:foreach(fun(Node) -> auto_connect(Node, []) end, Nodes).

auto_connect(Node, [never]) ->
    ok = on(Node, application, set_env, [kernel, dist_auto_connect, never]);
auto_connect(Node, []) ->
    ok = on(Node, application, unset_env, [kernel, dist_auto_connect]).

-spec stop_members([pid()]) -> ok.
stop_members(Pids) ->
    lists:foreach(
        fun(Pid) ->
            Monitor = monitor(process, Pid),
            exit(Pid, kill),
            _ = await_down(Pid, Monitor)
        end,
        Pids
    ).

%% Log events of a node, formatted, come to the calling process.
-spec start_log(node()) -> ok.
start_log(Node) ->
    ok = on(Node, logger, set_primary_config, [level, notice]),
    ok = on(Node, logger, add_handler, [cluster_log, ?MODULE, #{config => #{to => self()}}]).

%% A log line with this text in it.
-spec expect_log(node(), string()) -> string().
expect_log(Node, Text) ->
    receive
        {cluster_log, Node, Line} ->
            case string:find(Line, Text) of
                nomatch -> expect_log(Node, Text);
                _ -> Line
            end
    after ?DEADLINE -> ct:fail({no_log, Node, Text})
    end.

-spec stop_log(node()) -> ok.
stop_log(Node) ->
    ok = on(Node, logger, set_primary_config, [level, error]),
    ok = on(Node, logger, remove_handler, [cluster_log]).

-spec log(logger:log_event(), logger:handler_config()) -> term().
log(Event, #{config := #{to := Pid}}) ->
    Line = logger_formatter:format(Event, #{single_line => true, template => [msg]}),
    Pid ! {cluster_log, node(), unicode:characters_to_list(Line)}.

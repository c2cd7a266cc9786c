%% SPDX-License-Identifier: Apache-2.0
%% Lives of clusters that the simulator of `global` (test/c/sim/test_gns.c) draws, led by real nodes:
%% 3 BEAMs and 4 visible C nodes. Links and nodes come and go, the net splits, names are registered
%% and resources locked; nodes stand still for as long as a message takes in the simulation. At rest
%% all nodes have to be in sync with all, every name has one living process, which is the same on all
%% nodes, and nothing is locked.
%%
%% Several meshes lead such lives, each one after another, at the same time: they mostly wait for
%% timers of `global`. The C nodes of every other mesh report connections that they have lost.
%%
%% GCL_SEED is the first seed, in place of 1; GCL_SCHEDULE the only one, as a failure
%% names it, or several with spaces between them.
%%
%% At the end of each life somebody has to connect what is not connected: nodes that were asked to
%% leave, lest partitions overlap, do not come back by themselves. That is done here, as an operator
%% would. Where connections come and go at the same time, the messages of `global` can leave one node
%% of a pair in the belief that the other one is of its partition, and the other one not: a C node
%% dials such a node anew after 20 seconds, two BEAMs stay so. Then an operator has to disconnect
%% them; mend/2 does so and the sum says how often it had to.
-module(global_schedule_SUITE).

-include_lib("common_test/include/ct.hrl").

-export([all/0, suite/0]).
-export([nodes_of_both_kinds_are_in_sync_at_rest/1]).

-import(global_mesh, [node_of/1]).

-define(BEAMS, 3).
-define(CS, 4).
%% As in test/c/sim/test_gns.c.
-define(STEPS, 24).
-define(LIVES, 100).
-define(NAMES, lists:seq(0, 11)).
-define(MESHES, 5).
-define(SOON, 5000).
%% In which everybody has to be in sync once more.
-define(REST, 90000).
%% Until an operator looks after those that are not: C nodes do so themselves after 20 seconds.
-define(PATIENCE, 30000).

suite() -> [{timetrap, {minutes, 9}}].

all() -> [nodes_of_both_kinds_are_in_sync_at_rest].

nodes_of_both_kinds_are_in_sync_at_rest(_Config) ->
    Seeds = seeds(),
    Queue = spawn_link(fun() -> queue(Seeds) end),
    Workers = [
        spawn_monitor(fun() -> exit({done, lead(Mesh, Queue)}) end)
     || Mesh <- lists:seq(1, min(?MESHES, length(Seeds)))
    ],
    Lives = lists:append([lives_of(Worker) || Worker <- Workers]),
    Mended = [Seed || {Seed, Times} <- Lives, Times > 0],
    io:format(user, "~w schedules, of which ~w had to be mended: ~w~n", [
        length(Lives), length(Mended), Mended
    ]),
    true = length(Lives) =:= length(Seeds).

seeds() ->
    First = list_to_integer(os:getenv("GCL_SEED", "1")),
    case os:getenv("GCL_SCHEDULE") of
        false -> lists:seq(First, First + count() - 1);
        Chosen -> [list_to_integer(Seed) || Seed <- string:lexemes(Chosen, " ")]
    end.

count() ->
    case os:getenv("GCL_QUICK") of
        false -> ?LIVES;
        _ -> ?LIVES div 10
    end.

queue(Seeds) ->
    receive
        {next, From} when Seeds =:= [] ->
            From ! {self(), none},
            queue([]);
        {next, From} ->
            From ! {self(), hd(Seeds)},
            queue(tl(Seeds))
    end.

lives_of({Worker, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Worker, {done, Lives}} -> Lives;
        {'DOWN', Monitor, process, Worker, Reason} -> ct:fail(Reason)
    end.

%% --- one mesh ----------------------------------------------------------------------------------

%% What is known of it: the nodes by their numbers, as they are now; how each is started; what was
%% asked of whom and may not be answered yet; what the C nodes have got.
-record(mesh, {
    nodes = #{} :: #{pos_integer() => global_mesh:node_handle() | dead},
    specs :: #{pos_integer() => {beam | c, string(), [string()]}},
    sides = #{} :: #{pos_integer() => non_neg_integer()},
    asked = [] :: [{term(), global_mesh:node_handle(), pid(), reference()}],
    mended = 0 :: non_neg_integer()
}).

lead(Number, Queue) ->
    Numbers = lists:seq(1, ?BEAMS + ?CS),
    Specs = maps:from_list([{N, spec(N, Number)} || N <- Numbers]),
    Nodes = maps:map(fun(_, Spec) -> start(Spec) end, Specs),
    lead_all(#mesh{specs = Specs, nodes = Nodes}, Queue, []).

%% Of both kinds there are greater and smaller names than those of the other one.
spec(N, Mesh) ->
    Kind =
        case N =< ?BEAMS of
            true -> beam;
            false -> c
        end,
    Options = [["reports"] || Mesh rem 2 =:= 0],
    {Kind, peer:random_name([$n, lists:nth(N, "adgbcef"), $_]), lists:append(Options)}.

start({beam, Name, _}) ->
    global_mesh:beam(Name);
start({c, Name, Options}) ->
    C = global_mesh:c_node(Name, #{args => Options}),
    true = global_mesh:await_connection(C),
    C.

lead_all(Mesh, Queue, Lives) ->
    Queue ! {next, self()},
    receive
        {Queue, none} ->
            [global_mesh:stop(N) || N <- living(Mesh)],
            Lives;
        {Queue, Seed} ->
            try live(Mesh#mesh{mended = 0}, Seed) of
                #mesh{mended = Mended} = Next -> lead_all(Next, Queue, [{Seed, Mended} | Lives])
            catch
                Class:Reason:Stack ->
                    exit({'GCL_SCHEDULE', Seed, Class, Reason, Stack})
            end
    end.

%% --- one life ----------------------------------------------------------------------------------

live(Mesh, Seed) ->
    Whole = rest(start_all(Mesh)),
    [{delay, Delay} | Steps] = schedule(Seed),
    Led = lists:foldl(
        fun({Step, Pause}, M) ->
            slow(M, Step, Delay),
            Next = step(Step, M),
            receive
            after Pause -> Next
            end
        end,
        Whole,
        Steps
    ),
    Rested = remind(rest(Led), 3),
    ok = judge(Rested),
    clear(Rested).

schedule(Seed) ->
    Program = filename:join(os:getenv("GCL_BIN"), "global_schedule"),
    Args = lists:join($\s, [integer_to_list(N) || N <- [Seed, ?BEAMS + ?CS, ?STEPS]]),
    terms(os:cmd([Program, $\s | Args])).

terms(Text) ->
    case erl_scan:tokens([], Text, 1) of
        {done, {ok, Tokens, _}, Rest} ->
            {ok, Term} = erl_parse:parse_term(Tokens),
            [Term | terms(Rest)];
        _ ->
            []
    end.

%% What is on its way to a node takes its time because the node stands still.
slow(Mesh, Step, Delay) ->
    N = 1 + erlang:phash2(Step, ?BEAMS + ?CS),
    with(Mesh, N, fun(Node) -> global_mesh:pause(Node, Delay) end).

%% --- steps -------------------------------------------------------------------------------------

step({connect, A, B}, Mesh) ->
    with(Mesh, A, B, fun(Node, Other) ->
        ask(Mesh, {connect, B}, Node, fun() -> global_mesh:connect(Node, Other) end)
    end);
step({disconnect, A, B}, Mesh) ->
    with(Mesh, A, B, fun(Node, Other) ->
        ask(Mesh, {disconnect, B}, Node, fun() -> global_mesh:disconnect(Node, Other) end)
    end);
step({register, A, Name} = What, Mesh) ->
    ask_of(Mesh, A, What, fun(Node) -> global_mesh:claim(Node, {name, Name}) end);
step({unregister, A, Name} = What, Mesh) ->
    ask_of(Mesh, A, What, fun(Node) -> global_mesh:give_back(Node, {name, Name}) end);
step({kill_holder, A, Name} = What, Mesh) ->
    ask_of(Mesh, A, What, fun(Node) -> global_mesh:kill_holder(Node, {name, Name}) end);
step({sync, A} = What, Mesh) ->
    ask_of(Mesh, A, What, fun global_mesh:sync/1);
step({lock, A, Resource} = What, Mesh) ->
    ask_of(Mesh, A, What, fun(Node) -> global_mesh:lock(Node, {lock, Resource}) end);
step({kill_lockers, A} = What, Mesh) ->
    ask_of(Mesh, A, What, fun global_mesh:kill_lockers/1);
step({kill, A}, #mesh{nodes = Nodes} = Mesh) ->
    with(Mesh, A, fun(Node) ->
        ok = global_mesh:kill(Node),
        Mesh#mesh{nodes = Nodes#{A := dead}}
    end);
step({start, A}, Mesh) ->
    start_if_dead(A, Mesh);
step({split, Sides}, Mesh) ->
    split(Mesh, maps:from_list(lists:zip(lists:seq(1, length(Sides)), Sides)));
step(heal, Mesh) ->
    split(Mesh, #{}).

%% The function of a node that lives; else the mesh as it is.
with(#mesh{nodes = Nodes} = Mesh, A, Do) ->
    case Nodes of
        #{A := dead} -> Mesh;
        #{A := Node} -> Do(Node)
    end.

with(Mesh, A, A, _) -> Mesh;
with(Mesh, A, B, Do) ->
    with(Mesh, A, fun(Node) -> with(Mesh, B, fun(Other) -> Do(Node, Other) end) end).

ask_of(Mesh, A, What, Do) ->
    with(Mesh, A, fun(Node) -> ask(Mesh, What, Node, fun() -> Do(Node) end) end).

%% Nobody waits for the answer now, but at rest it has to be there, if the node has lived on.
ask(#mesh{asked = Asked} = Mesh, What, Node, Do) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({answer, Do()}) end),
    Mesh#mesh{asked = [{What, Node, Pid, Monitor} | Asked]}.

start_all(#mesh{specs = Specs} = Mesh) ->
    lists:foldl(fun start_if_dead/2, Mesh, maps:keys(Specs)).

start_if_dead(A, #mesh{nodes = Nodes, specs = Specs} = Mesh) ->
    case Nodes of
        #{A := dead} ->
            Node = start(maps:get(A, Specs)),
            ok = set_cookie(Node, side(A, Mesh)),
            Mesh#mesh{nodes = Nodes#{A := Node}};
        #{} ->
            Mesh
    end.

side(A, #mesh{sides = Sides}) -> maps:get(A, Sides, 0).

set_cookie(Node, 0) -> cookie(Node, global_mesh:base_cookie());
set_cookie(Node, Side) -> cookie(Node, "side" ++ integer_to_list(Side)).

cookie(Node, Cookie) ->
    _ = global_mesh:cookie(Node, Cookie),
    ok.

%% First nobody can reach the other side any more, then nobody is connected to it.
split(Mesh, Sides) ->
    Split = Mesh#mesh{sides = Sides},
    Nodes = [{A, N} || {A, N} <- numbered(Mesh)],
    [set_cookie(N, side(A, Split)) || {A, N} <- Nodes],
    lists:foldl(
        fun({A, N}, Before) ->
            Others = [M || {B, M} <- Nodes, side(A, Split) =/= side(B, Split)],
            ask(Before, split, N, fun() -> global_mesh:disconnect_all(N, Others) end)
        end,
        Split,
        Nodes
    ).

numbered(#mesh{nodes = Nodes}) -> [{A, N} || {A, N} <- lists:sort(maps:to_list(Nodes)), N =/= dead].

living(Mesh) -> [N || {_, N} <- numbered(Mesh)].

%% --- rest --------------------------------------------------------------------------------------

%% All can reach all, all are in sync, and all is answered. In this order: a BEAM that has asked for
%% global:sync/0 waits for another one that is out of step with it, until somebody disconnects them.
%% What was asked may still have connections closed.
rest(Mesh) ->
    #mesh{asked = Asked} = Healed = split(Mesh, #{}),
    connect(Healed),
    Whole = in_sync(Healed#mesh{asked = []}, now_ms() + ?REST),
    [ok = answered(Whole, Asking) || Asking <- Asked],
    in_sync(Whole, now_ms() + ?REST).

answered(Mesh, {What, Node, Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {answer, _}} ->
            ok;
        {'DOWN', Monitor, process, Pid, Reason} ->
            case lists:member(Node, living(Mesh)) of
                true -> {What, node_of(Node), Reason};
                false -> ok
            end
    after ?REST -> {not_answered, What, node_of(Node)}
    end.

%% As an operator would.
connect(Mesh) ->
    Nodes = living(Mesh),
    [
        catch global_mesh:connect(N, M)
     || N <- Nodes, Connected <- [global_mesh:connected(N)], M <- Nodes, N < M,
        not lists:member(node_of(M), Connected)
    ],
    ok.

in_sync(Mesh, Until) ->
    Nodes = living(Mesh),
    Soon = min(Until, now_ms() + ?PATIENCE),
    case await_sync(Mesh, Soon) of
        true ->
            Mesh;
        false when Soon < Until ->
            in_sync(mend(Mesh, Nodes), Until);
        false ->
            error({not_in_sync, views(Nodes)})
    end.

await_sync(Mesh, Until) ->
    case global_mesh:is_in_sync(living(Mesh)) of
        true ->
            true;
        false ->
            receive
            after 100 -> ok
            end,
            connect(Mesh),
            now_ms() < Until andalso await_sync(Mesh, Until)
    end.

%% Nodes that are connected, but where one does not count the other one to its partition, or has not
%% got its names, are disconnected: they begin anew.
mend(#mesh{mended = Times} = Mesh, Nodes) ->
    ct:pal("out of step: ~p", [views(Nodes)]),
    [
        catch global_mesh:disconnect(N, M)
     || N <- Nodes, Known <- [global_mesh:known(N)], Synced <- [global_mesh:synced(N)], M <- Nodes,
        N =/= M, not (lists:member(node_of(M), Known) andalso lists:member(node_of(M), Synced))
    ],
    Mesh#mesh{mended = Times + 1}.

%% A node that has forgotten a name, as BEAMs of OTP 27 and later do, is disconnected from the one that
%% the name is of, and learns it when it joins again.
remind(Mesh, 0) ->
    Mesh;
remind(#mesh{mended = Times} = Mesh, Left) ->
    Nodes = living(Mesh),
    case lists:usort(lists:append([global_mesh:forgetful(Nodes, {name, N}) || N <- ?NAMES])) of
        [] ->
            Mesh;
        Forgetful ->
            [global_mesh:disconnect(N, Holder) || {N, Holder} <- Forgetful],
            remind(rest(Mesh#mesh{mended = Times + 1}), Left - 1)
    end.

%% Of each node what it lacks, or has too much; nothing of one that is as it should be. Of seven whole
%% views a failure would say no more than those of the first two.
views(Nodes) ->
    Names = names(Nodes),
    [
        {node_of(N), Wrong}
     || N <- Nodes,
        Wrong <- [differences(Names -- [node_of(N)], N)],
        Wrong =/= []
    ].

differences(Others, N) ->
    [
        {What, [{lacks, Others -- View}, {has, View -- Others}]}
     || {What, View} <- [
            {connected, global_mesh:connected(N)},
            {known, global_mesh:known(N)},
            {synced, global_mesh:synced(N)}
        ],
        lists:sort(View) =/= lists:sort(Others)
    ].

now_ms() -> erlang:monotonic_time(millisecond).

%% --- judgement ---------------------------------------------------------------------------------

judge(Mesh) ->
    Nodes = living(Mesh),
    [
        holds(
            fun() -> is_one_living(Nodes, holders(Nodes, {name, Name})) end,
            fun() -> {name, Name, lists:zip(names(Nodes), holders(Nodes, {name, Name}))} end
        )
     || Name <- ?NAMES
    ],
    [global_mesh:kill_lockers(N) || N <- Nodes],
    Resources = [global | [{lock, R} || R <- ?NAMES]],
    [
        holds(
            fun() -> global_mesh:locked(N, Resources) =:= [] end,
            fun() -> {locked, node_of(N), global_mesh:locked(N, Resources)} end
        )
     || N <- Nodes
    ],
    ok.

%% Soon: what is on its way may still be.
holds(Holds, Otherwise) ->
    try
        global_mesh:await(Holds, ?SOON)
    catch
        error:never_so -> error(Otherwise())
    end.

names(Nodes) -> [node_of(N) || N <- Nodes].

holders(Nodes, Name) -> [global_mesh:whereis_name(N, Name) || N <- Nodes].

is_one_living(Nodes, [Pid | Others]) ->
    lists:all(fun(Other) -> Other =:= Pid end, Others) andalso
        (Pid =:= undefined orelse is_living(Nodes, Pid)).

is_living(Nodes, Pid) ->
    case [N || N <- Nodes, node_of(N) =:= node(Pid)] of
        [N] -> global_mesh:is_alive(N, Pid);
        [] -> false
    end.

%% Nothing of this life is left for the next one.
clear(Mesh) ->
    Nodes = living(Mesh),
    [global_mesh:kill_holder(N, {name, Name}) || N <- Nodes, Name <- ?NAMES],
    [
        global_mesh:await(fun() ->
            lists:all(fun(P) -> P =:= undefined end, holders(Nodes, {name, Name}))
        end, ?SOON)
     || Name <- ?NAMES
    ],
    Mesh.

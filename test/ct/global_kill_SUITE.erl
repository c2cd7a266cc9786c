%% SPDX-License-Identifier: Apache-2.0
%% Nobody is kept waiting by visible C nodes that die while they join BEAMs, or by BEAMs that die
%% while they join C nodes: behind each step of the protocol of `global`, and at any time. And where
%% connections are lost, in nets of both kinds with prevent_overlapping_partitions on, partitions do
%% not overlap, and become one again.
%%
%% GCL_SEED repeats what was random; it is printed.
-module(global_kill_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0]).
-export([
    c_nodes_killed_behind_each_message_hold_up_nobody/1,
    c_nodes_killed_at_any_time_hold_up_nobody/1,
    beams_killed_while_they_join_hold_up_nobody/1,
    partitions_do_not_overlap/1
]).

-import(global_mesh, [node_of/1]).

%% In which a BEAM, or a C node, must have its answer.
-define(SOON, 5000).
%% The same for a BEAM that another BEAM has died for while both connected: it waits for the time in
%% which a connection has to be set up, 7 seconds (net_setuptime of kernel), C nodes or not.
-define(SETUP, 15000).
%% In which a node has to have joined, or to have died of it.
-define(DEADLINE, 30000).

suite() -> [{timetrap, {minutes, 6}}].

all() ->
    [
        c_nodes_killed_behind_each_message_hold_up_nobody,
        c_nodes_killed_at_any_time_hold_up_nobody,
        beams_killed_while_they_join_hold_up_nobody,
        partitions_do_not_overlap
    ].

%% --- cases ------------------------------------------------------------------------------------

%% Of all that a C node gets and says while it joins and a name is decided on, while a BEAM registers
%% another one, and while it does so itself. The node's name is greater than those of the BEAMs, or
%% smaller.
c_nodes_killed_behind_each_message_hold_up_nobody(_Config) ->
    Counts = in_parallel([fun() -> kill_at_each(Prefix) end || Prefix <- ["a_", "z_"]]),
    io:format(user, "killed behind each of ~w messages~n", [Counts]),
    %% As many as those two registrations alone have with three other nodes.
    [?assert(Count > 40) || Count <- Counts].

kill_at_each(Prefix) ->
    Beams = beams(3),
    kill_at_each(Prefix, Beams, 1).

kill_at_each(Prefix, Beams, Number) ->
    Env = [{"GCL_DOOM", integer_to_list(Number)}],
    Doomed = c_node(Prefix, #{program => "doomed", env => Env}),
    Script = script(fun() -> join_and_register(Beams, Doomed) end),
    case has_died_or_joined(Doomed, Script) of
        died ->
            nobody_is_held_up(Beams, {behind_message, Number}),
            kill_at_each(Prefix, Beams, Number + stride(1, 9));
        joined ->
            global_mesh:kill(Doomed),
            nobody_is_held_up(Beams, at_last),
            Number
    end.

join_and_register([First, Second | _] = Beams, Joining) ->
    yes = global_mesh:claim(Second, both),
    {ok, _} = global_mesh:claim(Joining, both),
    global_mesh:connect(First, Joining),
    is_joined(Beams, Joining),
    yes = global_mesh:claim(Second, {killed, make_ref()}),
    {ok, _} = global_mesh:claim(Joining, {killed, make_ref()}),
    ok.

%% It fails when a node dies that it asks something.
script(Run) ->
    spawn(fun() ->
        try Run() of
            ok -> exit(joined)
        catch
            _:_ -> exit({shutdown, node_has_died})
        end
    end).

%% As those who live say; to be asked is a message, too.
is_joined(Living, Joining) ->
    global_mesh:await(fun() ->
        lists:all(fun(N) -> lists:member(node_of(Joining), global_mesh:synced(N)) end, Living)
    end).

has_died_or_joined({_, Owner, _, _}, Script) ->
    Died = monitor(process, Owner),
    Joined = monitor(process, Script),
    receive
        {'DOWN', Died, _, _, _} ->
            exit(Script, kill),
            died;
        {'DOWN', Joined, _, _, joined} ->
            joined;
        {'DOWN', Joined, _, _, _} ->
            %% It was told by one that died.
            receive
                {'DOWN', Died, _, _, _} -> died
            after ?DEADLINE -> error(neither_died_nor_joined)
            end
    after ?DEADLINE -> error(neither_died_nor_joined)
    end.

c_nodes_killed_at_any_time_hold_up_nobody(_Config) ->
    Seed = seed(),
    Times = stride(50, 5),
    in_parallel([fun() -> kill_at_any_time(Prefix, Seed, Times) end || Prefix <- ["a_", "z_"]]).

kill_at_any_time(Prefix, Seed, Times) ->
    rand:seed(exsss, {Seed, hd(Prefix), 0}),
    Beams = beams(3),
    [
        begin
            Joining = c_node(Prefix, #{}),
            Script = script(fun() -> join_and_register(Beams, Joining) end),
            Ms = rand:uniform(600) - 1,
            receive
            after Ms -> ok
            end,
            exit(Script, kill),
            global_mesh:kill(Joining),
            nobody_is_held_up(Beams, {after_ms, Ms})
        end
     || _ <- lists:seq(1, Times)
    ].

%% A BEAM with a name that is greater, or smaller, joins a BEAM and two C nodes by way of one of
%% those.
beams_killed_while_they_join_hold_up_nobody(_Config) ->
    Counts = in_parallel([fun() -> kill_beams(Prefix) end || Prefix <- ["a_", "z_"]]),
    io:format(user, "killed behind some of ~w messages~n", [Counts]),
    [?assert(Count > 40) || Count <- Counts].

kill_beams(Prefix) ->
    [C | _] = Cs = [c_node("m_", #{}) || _ <- [1, 2]],
    [Beam] = beams(1),
    Nodes = [Beam | Cs],
    [global_mesh:connect(Beam, N) || N <- Cs],
    global_mesh:in_sync(Nodes),
    kill_beams(Prefix, Nodes, C, 1).

kill_beams(Prefix, Nodes, C, Number) ->
    Doomed = global_mesh:beam(peer:random_name(Prefix)),
    ok = global_mesh:doom(Doomed, Number),
    Script = script(fun() -> join_c_and_register(Nodes, C, Doomed) end),
    case has_died_or_joined(Doomed, Script) of
        died ->
            nobody_is_held_up(Nodes, {behind_message, Number}, ?SETUP),
            kill_beams(Prefix, Nodes, C, Number + stride(4, 60));
        joined ->
            global_mesh:kill(Doomed),
            nobody_is_held_up(Nodes, at_last, ?SETUP),
            Number
    end.

join_c_and_register(Nodes, C, Joining) ->
    global_mesh:connect(Joining, C),
    is_joined(Nodes, Joining),
    {ok, Pid} = global_mesh:claim(C, {killed, make_ref()}),
    true = exit(Pid, kill),
    yes = global_mesh:claim(Joining, {killed, make_ref()}),
    ok.

%% Once where C nodes report lost connections, and once where they leave it to BEAMs: then single
%% connections between two of them are not cut, since by that partitions do overlap (doc/visible.md).
%% Nodes do not lose each other all at once: in many a split more of them are asked to leave, so that
%% there are more partitions than two. Not in all.
partitions_do_not_overlap(_Config) ->
    Halves = in_parallel([fun() -> split_and_cut(Args) end || Args <- [[], ["reports"]]]),
    io:format(user, "of ~w splits each ~w left two partitions~n", [stride(15, 4), Halves]),
    ?assert(lists:sum(Halves) > stride(0, -1)).

split_and_cut(Args) ->
    Beams = beams(2),
    Cs = [c_node(Prefix, #{args => Args}) || Prefix <- ["a_", "m_", "z_"]],
    Nodes = Beams ++ Cs,
    [global_mesh:connect(hd(Beams), N) || N <- Cs],
    global_mesh:in_sync(Nodes),
    Counts = [split(Nodes, Side) || Side <- some(sides(Nodes), 4)],
    Pairs = [
        {N, M}
     || N <- Nodes, M <- Nodes, N < M,
        Args =/= [] orelse not (global_mesh:is_c(N) andalso global_mesh:is_c(M))
    ],
    [cut(Nodes, Pair) || Pair <- some(Pairs, 3)],
    length([two || 2 <- Counts]).

%% Each way to split them in two.
sides([First | Others]) ->
    [[First | Side] || Side <- subsets(Others), length(Side) < length(Others)].

subsets([]) -> [[]];
subsets([First | Others]) ->
    Subsets = subsets(Others),
    Subsets ++ [[First | Subset] || Subset <- Subsets].

%% How many partitions there were.
split(Nodes, Side) ->
    Other = Nodes -- Side,
    [global_mesh:cookie(N, "other_side") || N <- Other],
    global_mesh:split(Side, Other),
    no_overlap(Nodes),
    [?assertEqual([], known_of(N, Other)) || N <- Side],
    Partitions = lists:usort([lists:sort([node_of(N) | global_mesh:known(N)]) || N <- Nodes]),
    register_everywhere(Nodes),
    [global_mesh:cookie(N, global_mesh:base_cookie()) || N <- Other],
    heal(Nodes),
    length(Partitions).

cut(Nodes, {N, M}) ->
    global_mesh:disconnect(N, M),
    no_overlap(Nodes),
    heal(Nodes).

known_of(N, Others) -> [M || M <- Others, lists:member(node_of(M), global_mesh:known(N))].

%% Who knows somebody knows all whom that one knows, and is in sync with all of them.
no_overlap(Nodes) ->
    global_mesh:await(fun() -> is_apart(Nodes) andalso is_apart(Nodes) end).

is_apart(Nodes) ->
    Known = [{node_of(N), global_mesh:known(N)} || N <- Nodes],
    lists:all(fun(N) -> global_mesh:synced(N) =:= global_mesh:known(N) end, Nodes) andalso
        lists:all(
            fun({Name, Others}) ->
                lists:all(fun(O) -> partition(O, Known) =:= partition(Name, Known) end, Others)
            end,
            Known
        ).

partition(Name, Known) ->
    {Name, Others} = lists:keyfind(Name, 1, Known),
    lists:sort([Name | Others]).

%% Each partition has the name once, for a process of its own.
register_everywhere(Nodes) ->
    [
        case global_mesh:whereis_name(N, both) of
            undefined -> global_mesh:claim(N, both);
            Pid when is_pid(Pid) -> ok
        end
     || N <- Nodes
    ].

%% An operator connects who is not connected. Then all are one partition, in which a name is one
%% living process.
heal(Nodes) ->
    connect_all(Nodes),
    remind(Nodes, 3),
    global_mesh:await(fun() -> is_one(Nodes) end, ?SOON),
    [global_mesh:kill_holder(N, both) || N <- Nodes],
    global_mesh:await(fun() -> holders(Nodes) =:= [undefined] end, ?SOON).

connect_all(Nodes) ->
    global_mesh:await(fun() ->
        [catch global_mesh:connect(N, M) || N <- Nodes, M <- Nodes, N < M, known_of(N, [M]) =:= []],
        global_mesh:is_in_sync(Nodes)
    end).

%% And disconnects BEAMs that have forgotten the name, as those of OTP 27 and later do, from the node
%% that it is of: they learn it when they join again.
remind(_, 0) ->
    ok;
remind(Nodes, Left) ->
    case global_mesh:forgetful(Nodes, both) of
        [] ->
            ok;
        Forgetful ->
            [global_mesh:disconnect(N, Holder) || {N, Holder} <- Forgetful],
            connect_all(Nodes),
            remind(Nodes, Left - 1)
    end.

holders(Nodes) -> lists:usort([global_mesh:whereis_name(N, both) || N <- Nodes]).

is_one(Nodes) ->
    case holders(Nodes) of
        [undefined] -> true;
        [Pid] -> [N || N <- Nodes, node_of(N) =:= node(Pid), global_mesh:is_alive(N, Pid)] =/= [];
        _ -> false
    end.

%% --- all of them -------------------------------------------------------------------------------

%% What is asked of each has its answer soon, and they are in sync without the dead. Names that the
%% BEAMs have got until then go, lest the next one has more of them to learn.
nobody_is_held_up(Nodes, Killed) -> nobody_is_held_up(Nodes, Killed, ?SOON).

nobody_is_held_up(Nodes, Killed, ForBeams) ->
    {Cs, Beams} = lists:partition(fun global_mesh:is_c/1, Nodes),
    try
        [global_mesh:is_not_held_up(N, ForBeams) || N <- Beams],
        [global_mesh:is_not_held_up(N, ?SOON) || N <- Cs],
        [global_mesh:kill_claimers(N) || N <- Nodes],
        global_mesh:await(fun() -> global_mesh:is_in_sync(Nodes) end, ?SOON)
    catch
        Class:Reason:Stack -> error({held_up, Killed, Class, Reason, Stack})
    end.

beams(Count) ->
    Beams = [global_mesh:beam(peer:random_name("m_")) || _ <- lists:seq(1, Count)],
    [First | Others] = Beams,
    [true = global_mesh:connect(First, N) || N <- Others],
    global_mesh:in_sync(Beams),
    Beams.

c_node(Prefix, Options) ->
    C = global_mesh:c_node(peer:random_name(Prefix), Options),
    true = global_mesh:await_connection(C),
    C.

%% Each in a process of its own, with which its nodes end.
in_parallel(Functions) ->
    Running = [spawn_monitor(fun() -> exit({ok, Function()}) end) || Function <- Functions],
    [
        receive
            {'DOWN', Monitor, process, Pid, {ok, Result}} -> Result;
            {'DOWN', Monitor, process, Pid, Reason} -> ct:fail(Reason)
        end
     || {Pid, Monitor} <- Running
    ].

%% In full, and under a sanitizer.
stride(Full, Quick) ->
    case os:getenv("GCL_QUICK") of
        false -> Full;
        _ -> Quick
    end.

some(All, Quick) -> lists:sublist(All, stride(length(All), Quick)).

seed() ->
    Seed = list_to_integer(os:getenv("GCL_SEED", integer_to_list(erlang:system_time(second)))),
    io:format(user, "GCL_SEED=~w~n", [Seed]),
    Seed.

%% SPDX-License-Identifier: Apache-2.0
%% What BEAMs ask of a C node, and each answer that they would wait for: every check is seen to hold
%% within five seconds with the program `deaf`, which is `server`, and not to hold with the same
%% program when it leaves out just that answer (test/c/deaf). So none of the checks is blind.
%%
%% | what does not wait | the answers it depends on |
%% |---|---|
%% | global:sync/0 when two nodes meet | init_connect, lock_set, exchange, resolved |
%% | global:sync/0 of a third one | in_sync |
%% | global:set_lock/1 and del_lock/1 over all nodes | those to set_lock, del_lock |
%% | global:register_name/2 and its like | those to set_lock, register, unregister, del_lock |
%% | a race of seven nodes for 20 names | those to set_lock, register |
%% | conflicts, as the smaller and the greater node, dialled by either side | exchange, resolved |
%% | conflicts that a fellow decides | the outcome of global:resolve_it/4 |
%% | what everybody asks: ping, calls of nobody, erpc, spawn | yes, what monitors get, spawn_reply |
-module(no_beam_waits_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    sync_when_two_meet/1,
    sync_of_a_third_one/1,
    locks_over_all_nodes/1,
    names_are_registered_and_given_back/1,
    a_race_of_seven_nodes_for_twenty_names/1,
    a_conflict_with_the_greater_node_that_dials/1,
    a_conflict_with_the_greater_node_that_is_dialled/1,
    a_conflict_with_the_smaller_node_that_dials/1,
    a_conflict_with_the_smaller_node_that_is_dialled/1,
    a_conflict_that_a_fellow_decides/1,
    a_ping/1,
    a_call_of_nobody/1,
    calls_of_functions/1,
    processes_are_spawned/1
]).

-import(global_helper, [beam/0, beam/2, name/1, on/4, on/5, ask/3, join/2, in_sync/2, await/1]).
-import(global_helper, [process/1, line/2, signal/2]).

-define(DEADLINE, 20000).
-define(WITHIN, 5000).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        sync_when_two_meet,
        sync_of_a_third_one,
        locks_over_all_nodes,
        names_are_registered_and_given_back,
        a_race_of_seven_nodes_for_twenty_names,
        a_conflict_with_the_greater_node_that_dials,
        a_conflict_with_the_greater_node_that_is_dialled,
        a_conflict_with_the_smaller_node_that_dials,
        a_conflict_with_the_smaller_node_that_is_dialled,
        a_conflict_that_a_fellow_decides,
        a_ping,
        a_call_of_nobody,
        calls_of_functions,
        processes_are_spawned
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- joining ------------------------------------------------------------------------------------

sync_when_two_meet(_Config) ->
    depends_on(
        ["init_connect", "lock_set", "exchange", "resolved"],
        fun(Start) -> {beam(), Start("gcl_c")} end,
        fun({A, C}) ->
            join(A, C),
            sync(A)
        end
    ).

%% The one that comes meets another BEAM, which tells it of the C node.
sync_of_a_third_one(_Config) ->
    depends_on(
        ["in_sync"],
        fun(Start) ->
            {A, C} = joined(Start),
            {A, C, beam()}
        end,
        fun({A, C, B}) ->
            join(B, A),
            await(fun() -> lists:member(name(C), on(B, erlang, nodes, [])) end),
            sync(B)
        end
    ).

%% --- locks and names ----------------------------------------------------------------------------

locks_over_all_nodes(_Config) ->
    depends_on(["reply:set_lock", "reply:del_lock"], fun joined/1, fun({A, _}) ->
        true = on(A, global, set_lock, [{lock, self()}], infinity),
        true = on(A, global, del_lock, [{lock, self()}], infinity)
    end).

names_are_registered_and_given_back(_Config) ->
    depends_on(
        ["reply:set_lock", "reply:register", "reply:unregister", "reply:del_lock"],
        fun joined/1,
        fun({A, _}) ->
            yes = on(A, global, register_name, [name, process(A)], infinity),
            yes = on(A, global, re_register_name, [name, process(A)], infinity),
            ok = on(A, global, unregister_name, [name], infinity)
        end
    ).

a_race_of_seven_nodes_for_twenty_names(_Config) ->
    depends_on(
        ["reply:set_lock", "reply:register"],
        fun(Start) ->
            [A | _] = Beams = [beam() || _ <- [1, 2, 3]],
            Cs = [Start("gcl_c") || _ <- [1, 2, 3, 4]],
            [join(A, Node) || Node <- tl(Beams) ++ Cs],
            in_sync(Beams, Cs),
            {Beams, Cs}
        end,
        fun race/1
    ).

race({[A | _] = Beams, Cs}) ->
    Names = [{race, I} || I <- lists:seq(1, 20)],
    Askers = [
        spawn_monitor(fun() -> exit({won, won(Node, A, Names)}) end)
     || Node <- Beams ++ Cs
    ],
    Won = [
        receive
            {'DOWN', Monitor, process, _, {won, Mine}} -> Mine
        end
     || {_, Monitor} <- Askers
    ],
    Names = lists:sort(lists:append(Won)),
    [[_] = lists:usort([holder(Node, A, Name) || Node <- Beams ++ Cs]) || Name <- Names].

won(Node, A, Names) -> [Name || Name <- Names, claims(Node, A, Name)].

claims({Port, C}, A, Name) when is_port(Port) ->
    Request = [{server, C}, {global_claim, Name}, infinity],
    case on(A, gen_server, call, Request, infinity) of
        {ok, _} -> true;
        {error, 'GCL_EEXIST'} -> false
    end;
claims(Beam, _A, Name) ->
    yes =:= on(Beam, global, register_name, [Name, process(Beam)], infinity).

holder({Port, _} = C, A, Name) when is_port(Port) ->
    {ok, Pid} = ask(A, C, {global_whereis, Name}),
    Pid;
holder(Beam, _A, Name) ->
    Pid = on(Beam, global, whereis_name, [Name]),
    true = is_pid(Pid),
    Pid.

%% --- conflicts ----------------------------------------------------------------------------------

a_conflict_with_the_greater_node_that_dials(_Config) -> conflict("aaa", "zzz", fun dials/2).

a_conflict_with_the_greater_node_that_is_dialled(_Config) ->
    conflict("aaa", "zzz", fun is_dialled/2).

a_conflict_with_the_smaller_node_that_dials(_Config) -> conflict("zzz", "aaa", fun dials/2).

a_conflict_with_the_smaller_node_that_is_dialled(_Config) ->
    conflict("zzz", "aaa", fun is_dialled/2).

dials(C, Beam) -> ok = asks(C, {send, {nobody, name(Beam)}, hello}).

is_dialled(C, Beam) -> join(Beam, C).

%% The C node and a BEAM that do not know each other have the same name.
conflict(PrefixOfC, PrefixOfBeam, Meet) ->
    depends_on(
        ["exchange", "resolved"],
        fun(Start) ->
            C = Start(PrefixOfC),
            A = beam(PrefixOfBeam, []),
            {ok, _} = asks(C, {global_claim, both}),
            yes = on(A, global, register_name, [both, process(A)]),
            {A, C}
        end,
        fun({A, C}) ->
            Meet(C, A),
            await(fun() -> lists:member(name(C), on(A, erlang, nodes, [])) end),
            sync(A),
            Pid = on(A, global, whereis_name, [both]),
            {ok, Pid} = asks(C, {global_whereis, both})
        end
    ).

%% The C node is asked by a BEAM of its partition who keeps its name.
a_conflict_that_a_fellow_decides(_Config) ->
    depends_on(
        ["down"],
        fun(Start) ->
            A = beam("aaa", []),
            C = Start("mmm"),
            B = beam("zzz", []),
            join(A, C),
            in_sync([A], [C]),
            ok = ask(A, C, {global_register, both}),
            yes = on(B, global, register_name, [both, process(B)]),
            {A, B}
        end,
        fun({A, B}) ->
            join(A, B),
            sync(A),
            sync(B)
        end
    ).

%% --- what everybody asks ------------------------------------------------------------------------

a_ping(_Config) ->
    depends_on(["yes"], fun joined/1, fun({A, C}) ->
        pong = on(A, net_adm, ping, [name(C)], infinity)
    end).

a_call_of_nobody(_Config) ->
    depends_on(["down"], fun joined/1, fun({A, C}) ->
        Call = [name(A), gen_server, call, [{nobody, name(C)}, hello, infinity]],
        {badrpc, {'EXIT', {noproc, _}}} = on(A, rpc, call, Call, infinity)
    end).

calls_of_functions(_Config) ->
    depends_on(["down"], fun joined/1, fun({A, C}) ->
        Node = name(C),
        Node = on(A, erpc, call, [Node, erlang, node, []], infinity),
        {badrpc, {'EXIT', {undef, _}}} = on(A, rpc, call, [Node, erlang, halt, []], infinity)
    end).

processes_are_spawned(_Config) ->
    depends_on(["spawn_reply"], fun joined/1, fun({A, C}) ->
        Pid = on(A, erlang, spawn, [name(C), erlang, node, []], infinity),
        true = name(C) =:= node(Pid)
    end).

%% --- helpers ------------------------------------------------------------------------------------

%% Prepares a cluster around the C nodes that it starts by the function it gets; then these leave the
%% answer out, and the check is made. Without the others it is made alone: it has to be in time.
depends_on(Answers, Prepare, Check) ->
    done = outcome(start("", Prepare, Check)),
    %% Under a sanitizer it is the program that is tested, not the check.
    Runs = [
        {Answer, start(Answer, Prepare, Check)}
     || Answer <- Answers, os:getenv("GCL_QUICK") =:= false
    ],
    [?assertEqual({Answer, waits}, {Answer, outcome(Run)}) || {Answer, Run} <- Runs].

start(Answer, Prepare, Check) ->
    spawn_monitor(fun() ->
        State = Prepare(fun(Prefix) -> c_node(Prefix, Answer) end),
        [signal(C, "USR1") || C <- c_nodes()],
        {Checker, Monitor} = spawn_monitor(fun() ->
            _ = Check(State),
            exit(done)
        end),
        receive
            {'DOWN', Monitor, process, Checker, Outcome} -> exit({outcome, Outcome})
        after ?WITHIN ->
            exit(Checker, kill),
            exit({outcome, waits})
        end
    end).

outcome({_, Monitor}) ->
    receive
        {'DOWN', Monitor, process, _, {outcome, Outcome}} -> Outcome;
        {'DOWN', Monitor, process, _, Reason} -> {not_prepared, Reason}
    after 3 * ?DEADLINE -> ct:fail(not_prepared)
    end.

%% Those of the calling process, which is the owner of their ports.
c_nodes() ->
    [
        {Port, none}
     || Port <- erlang:ports(), erlang:port_info(Port, connected) =:= {connected, self()}
    ].

c_node(Prefix, Answer) ->
    Name = global_helper:c_name(Prefix),
    Port = global_helper:program("deaf", Name, [], [{"GCL_DROP", Answer}]),
    _ = line(Port, "ready"),
    {Port, list_to_atom(Name)}.

joined(Start) ->
    {A, C} = {beam(), Start("gcl_c")},
    join(A, C),
    in_sync([A], [C]),
    {A, C}.

sync(Beam) -> ok = on(Beam, global, sync, [], infinity).

%% By this node, which is hidden to all of them.
asks({_, C}, Request) -> gen_server:call({server, C}, Request, ?DEADLINE).

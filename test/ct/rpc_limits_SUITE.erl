% SPDX-License-Identifier: Apache-2.0
% Functions that a C program offers (test/c/programs/functions.c, module `c`): which there are, how
% many, what comes of those that do not do as they should, and of callers that do not.
-module(rpc_limits_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    functions_come_and_go/1,
    functions_have_a_limit/1,
    calls_have_a_limit/1,
    calls_of_one_node_have_a_limit/1,
    what_every_node_has_answers_at_the_limit/1,
    broadcasts_are_answered_behind_large_answers/1,
    a_function_closes_the_node/1,
    a_function_ends_its_process/1,
    a_mistake_ends_its_process/1,
    garbage_is_refused/1,
    more_arguments_than_a_function_can_have/1
]).

-import(rpc_program, [begun/1, call/2, canceled/0, ending/1, quietly/1, rex/2]).

-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        functions_come_and_go,
        functions_have_a_limit,
        calls_have_a_limit,
        calls_of_one_node_have_a_limit,
        what_every_node_has_answers_at_the_limit,
        broadcasts_are_answered_behind_large_answers,
        a_function_closes_the_node,
        a_function_ends_its_process,
        a_mistake_ends_its_process,
        garbage_is_refused,
        more_arguments_than_a_function_can_have
    ].

init_per_testcase(Case, Config) ->
    {Port, C} = rpc_program:start(limits(Case)),
    ok = call(C, subscribe),
    [{port, Port}, {cnode, C} | Config].

%% At most so many functions, calls, and calls of one node.
limits(functions_have_a_limit) -> ["12", "100", "100"];
limits(calls_have_a_limit) -> ["100", "3", "100"];
limits(calls_of_one_node_have_a_limit) -> ["100", "100", "3"];
limits(what_every_node_has_answers_at_the_limit) -> ["100", "3", "3"];
limits(_) -> [].

end_per_testcase(_, Config) -> rpc_program:stop(?config(port, Config)).

%% --- what there is, and how much ------------------------------------------------------------------

functions_come_and_go(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual({error, nofile}, erpc:call(C, code, ensure_loaded, [m], ?SOON)),
    ?assertEqual(ok, call(C, {register, m, f, 1})),
    ?assertEqual({module, m}, erpc:call(C, code, ensure_loaded, [m], ?SOON)),
    ?assertEqual({error, 'GCL_EEXIST'}, call(C, {register, m, f, 1})),
    ?assertEqual({error, 'GCL_EEXIST'}, call(C, {register, erlang, node, 0})),
    ?assertEqual({error, 'GCL_EINVAL'}, call(C, {register, m, f, 256})),
    ?assertEqual(ok, call(C, {register, m, f, 255})),
    ?assertError({exception, undef, _}, erpc:call(C, m, f, [], ?SOON)),
    ?assertEqual(x, erpc:call(C, m, f, [x], ?SOON)),
    ?assertEqual(ok, call(C, {unregister, m, f, 1})),
    ?assertEqual({error, 'GCL_ENOENT'}, call(C, {unregister, m, f, 1})),
    ?assertEqual({error, 'GCL_ENOENT'}, call(C, {unregister, erlang, node, 0})),
    ?assertError({exception, undef, [{m, f, [x], []}]}, erpc:call(C, m, f, [x], ?SOON)),
    ?assertError(notsup, spawn_monitor(C, m, f, [x])),
    %% What runs has its outcome; also when it takes itself away.
    Request = erpc:send_request(C, c, later, [1]),
    begun(1),
    ?assertEqual(ok, call(C, {unregister, c, later, 1})),
    ok = call(C, {raise, error, oops}),
    ?assertError({exception, oops, [{c, later, 1, []}]}, erpc:receive_response(Request, ?SOON)),
    ?assertEqual(once, erpc:call(C, c, once, [], ?SOON)),
    ?assertError({exception, undef, _}, erpc:call(C, c, once, [], ?SOON)).

functions_have_a_limit(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(ok, call(C, {register, m, f, 1})),
    ?assertEqual(ok, call(C, {register, m, f, 2})),
    ?assertEqual({error, 'GCL_ELIMIT'}, call(C, {register, m, f, 3})),
    ?assertEqual(ok, call(C, {unregister, m, f, 1})),
    ?assertEqual(ok, call(C, {register, m, f, 3})).

calls_have_a_limit(Config) -> limited(?config(cnode, Config)).

calls_of_one_node_have_a_limit(Config) ->
    C = ?config(cnode, Config),
    {Port, Other} = rpc_program:start([]),
    %% By the limit of its own, this node may; those of another node have room.
    Limited = fun() -> limited(C) end,
    Limited(),
    ok = gen_server:call({rpc, Other}, subscribe),
    Requests = [erpc:send_request(C, c, later, [N]) || N <- [1, 2, 3]],
    [begun(N) || N <- [1, 2, 3]],
    ?assertError({erpc, system_limit}, erpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual({ok, 3}, gen_server:call({rpc, Other}, {call, {C, c, add}, [1, 2], ?SOON})),
    [ok = call(C, {answer, x}) || _ <- Requests],
    %% Casts are of the node that they come from, too.
    Cast = fun(N) -> gen_server:cast({rex, C}, {cast, c, later, [N], user}) end,
    [Cast(N) || N <- [1, 2, 3, 4]],
    [
        begin
            {_, From} = begun(N),
            ?assertEqual(self(), From)
        end
     || N <- [1, 2, 3]
    ],
    rpc_program:logged(?config(port, Config), "rpc", "a cast is dropped"),
    ?assertError({erpc, system_limit}, erpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual({ok, 3}, gen_server:call({rpc, Other}, {call, {C, c, add}, [1, 2], ?SOON})),
    rpc_program:stop(Port).

limited(C) ->
    Requests = [erpc:send_request(C, c, later, [N]) || N <- [1, 2, 3]],
    [begun(N) || N <- [1, 2, 3]],
    ?assertError({erpc, system_limit}, erpc:call(C, c, add, [1, 2], ?SOON)),
    Bad = {badrpc, {'EXIT', system_limit}},
    ?assertEqual(Bad, rpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual(Bad, rpc:block_call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual(Bad, rex(C, {call, c, add, [1, 2], user})),
    ?assertError(system_limit, spawn_monitor(C, c, add, [1, 2])),
    [ok = call(C, {answer, x}) || _ <- Requests],
    [?assertEqual(x, erpc:receive_response(Request, ?SOON)) || Request <- Requests],
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual(3, rpc:block_call(C, c, add, [1, 2], ?SOON)).

%% As when the program never answers what this node has called.
what_every_node_has_answers_at_the_limit(Config) ->
    C = ?config(cnode, Config),
    Requests = [erpc:send_request(C, c, later, [N]) || N <- [1, 2, 3]],
    [begun(N) || N <- [1, 2, 3]],
    Full = fun() -> ?assertError({erpc, system_limit}, erpc:call(C, c, add, [1, 2], ?SOON)) end,
    Full(),
    [
        begin
            ?assertEqual(C, erpc:call(C, erlang, node, [], ?SOON)),
            ?assertEqual(C, rpc:call(C, erlang, node, [], ?SOON)),
            ?assertEqual(C, rpc:block_call(C, erlang, node, [], ?SOON)),
            ?assertEqual(C, rex(C, {call, erlang, node, [], user})),
            ?assertEqual(normal, ending(spawn_monitor(C, erlang, node, []))),
            ?assertEqual(undefined, erpc:call(C, global, whereis_name, [nobody], ?SOON)),
            %% These are none of them.
            ?assertError({erpc, system_limit}, erpc:call(C, erlang, node, [x], ?SOON)),
            ?assertError(system_limit, executed(C, make_ref(), [erlang, 1, []])),
            Full()
        end
     || _ <- lists:seq(1, 5)
    ],
    [ok = call(C, {answer, x}) || _ <- Requests],
    [?assertEqual(x, erpc:receive_response(Request, ?SOON)) || Request <- Requests],
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)).

%% What waits then is above `output_soft_bytes`; how much, the BEAM decides. With a peer that reads
%% when it is told to: net:owed.
broadcasts_are_answered_behind_large_answers(Config) ->
    C = ?config(cnode, Config),
    Large = binary:copy(<<"x">>, 20 bsl 20),
    Requests = [erpc:send_request(C, c, echo, [Large]) || _ <- [1, 2]],
    Broadcast = fun(Name, Outcome) ->
        fun() -> exit({Outcome, rpc:sbcast([C], Name, hello)}) end
    end,
    Monitors = [
        element(2, spawn_monitor(Broadcast(Name, Outcome)))
     || _ <- lists:seq(1, 250), {Name, Outcome} <- [{rpc, {[C], []}}, {nobody, {[], [C]}}]
    ],
    [
        receive
            {'DOWN', Monitor, process, _, {Wanted, Result}} -> ?assertEqual(Wanted, Result)
        after 3 * ?SOON -> ct:fail(no_answer)
        end
     || Monitor <- Monitors
    ],
    [?assertEqual(Large, erpc:receive_response(Request, 3 * ?SOON)) || Request <- Requests].

%% --- functions that do not do as they should ------------------------------------------------------

a_function_closes_the_node(Config) ->
    C = ?config(cnode, Config),
    Pending = erpc:send_request(C, c, later, [1]),
    begun(1),
    ?assertEqual(closing, erpc:call(C, c, close, [], ?SOON)),
    ?assertExit({signal, shutdown}, erpc:receive_response(Pending, ?SOON)),
    rpc_program:closed(?config(port, Config)).

a_function_ends_its_process(Config) ->
    C = ?config(cnode, Config),
    ?assertExit({signal, stopped}, erpc:call(C, c, stop, [], ?SOON)),
    ?assertEqual(0, canceled()),
    ?assertEqual({badrpc, {'EXIT', stopped}}, rpc:call(C, c, stop, [], ?SOON)),
    ?assertEqual({badrpc, {'EXIT', stopped}}, rpc:block_call(C, c, stop, [], ?SOON)),
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)).

a_mistake_ends_its_process(Config) ->
    C = ?config(cnode, Config),
    ?assertExit({signal, {bad_pattern, _}}, erpc:call(C, c, mistake, [], ?SOON)),
    ?assertMatch(
        {badrpc, {'EXIT', {bad_pattern, _}}}, rpc:block_call(C, c, mistake, [], ?SOON)
    ),
    rpc_program:logged(?config(port, Config), "bad_pattern", "functions.c:"),
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)).

%% --- garbage --------------------------------------------------------------------------------------

garbage_is_refused(Config) ->
    C = ?config(cnode, Config),
    Ref = make_ref(),
    %% No function and list of arguments: as on a BEAM, but for what apply/3 there adds to a trace.
    [
        begin
            {Ref, error, badarg, [{erlang, apply, Tried, _} | _]} = executed(node(), Ref, A),
            ?assertEqual({Ref, error, badarg, [{erlang, apply, Tried, []}]}, executed(C, Ref, A)),
            ?assertEqual(
                {badrpc, {'EXIT', {badarg, [{erlang, apply, Tried, []}]}}},
                rex(C, list_to_tuple([call] ++ A ++ [user]))
            )
        end
     || A <- [
            [1, add, []],
            [c, 1, []],
            [c, {}, []],
            [c, add, [1 | 2]],
            [c, add, x],
            [c, add, #{}],
            [c, add, [1, 2 | 3]]
        ]
    ],
    %% What names an outcome is sent back as it is, but not kept when it is large.
    Large = <<0:20000>>,
    ?assertEqual({Large, return, 3}, executed(C, Large, [c, add, [1, 2]])),
    ?assertEqual(system_limit, executed(C, Large, [c, later, [1]])),
    begun(1),
    ?assertEqual(0, canceled()),
    ok = quietly(fun() ->
        {{exception, {badarg, _}}, _} = ending(spawn_monitor(erpc, execute_cast, [1, 2, 3]))
    end),
    ?assertMatch(
        {{exception, {badarg, [{erlang, apply, [1, 2, 3], []}]}}, _},
        ending(spawn_monitor(C, erpc, execute_cast, [1, 2, 3]))
    ),
    [
        {rex, C} ! Garbage
     || Garbage <- [
            {self(), {call, c, add, [1, 2]}},
            {self(), {block_call}},
            {'$gen_call', self(), {call, c, add, [1, 2], user}},
            {'$gen_call', {self(), x}, {call, c, add, [1, 2]}},
            {'$gen_cast', {cast, c, add, [1, 2]}},
            {'$gen_cast', {cast, 1, 2, 3, 4}}
        ]
    ],
    %% Tags of any kind are echoed.
    [
        begin
            {rex, C} ! {'$gen_call', {self(), Tag}, {call, c, add, [1, 2], user}},
            receive
                {Tag, Reply} -> ?assertEqual(3, Reply)
            after ?SOON -> ct:fail({no_reply, Tag})
            end
        end
     || Tag <- [x, {}, 1, [make_ref()], {make_ref(), x}]
    ],
    %% Two calls by one reference: one is canceled, or both have their answer.
    Twice = make_ref(),
    [{rex, C} ! {'$gen_call', {self(), Twice}, {call, c, later, [N], user}} || N <- [1, 2]],
    [begun(N) || N <- [1, 2]],
    [ok = call(C, {answer, x}) || _ <- [1, 2]],
    [
        receive
            {Twice, x} -> ok
        after ?SOON -> ct:fail(no_reply)
        end
     || _ <- [1, 2]
    ],
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)).

%% A function has at most 255 arguments; what erlang:apply/3 takes is more, and has an end, too.
more_arguments_than_a_function_can_have(Config) ->
    C = ?config(cnode, Config),
    Ref = make_ref(),
    ok = net_kernel:monitor_nodes(true),
    [
        begin
            A = [nomodule, f, lists:duplicate(Count, 1)],
            ?assertEqual(executed(node(), Ref, A), executed(C, Ref, A)),
            Call = fun(Node) -> rpc:call(Node, nomodule, f, lists:duplicate(Count, 1), ?SOON) end,
            ?assertEqual(Call(node()), Call(C)),
            ?assertEqual(Call(C), rex(C, list_to_tuple([call] ++ A ++ [user]))),
            ?assertEqual(Call(C), apply(rpc, block_call, [C | A])),
            %% No process is begun for what cannot be there.
            ?assertError(notsup, apply(erlang, spawn_monitor, [C | A])),
            Request = apply(erlang, spawn_request, [C | A]),
            receive
                {spawn_reply, Request, error, Why} -> ?assertEqual(notsup, Why)
            after ?SOON -> ct:fail(no_reply)
            end,
            ok = apply(erpc, cast, [C | A]),
            gen_server:cast({rex, C}, list_to_tuple([cast] ++ A ++ [user]))
        end
     || Count <- [255, 256, 1023, 1024, 100000]
    ],
    ok = quietly(fun() ->
        {{erpc, system_limit}, _} = cast_ends(node(), lists:duplicate(1024, 1)),
        {{erpc, system_limit}, _} = cast_ends(C, lists:duplicate(1024, 1))
    end),
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)),
    receive
        {nodedown, C} -> ct:fail(disconnected)
    after 0 -> ok
    end.

cast_ends(Node, A) -> ending(spawn_monitor(Node, erpc, execute_cast, [nomodule, f, A])).

executed(Node, Ref, A) -> ending(spawn_monitor(Node, erpc, execute_call, [Ref | A])).

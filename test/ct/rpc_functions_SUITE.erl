%% SPDX-License-Identifier: Apache-2.0
%% Functions that a C program offers (test/c/programs/functions.c, module `c`), called in every way that
%% OTP has: what comes of it is what would come of the same in Erlang. What is not as it should be is
%% in rpc_limits_SUITE, how a C node calls others in rpc_client_SUITE.
-module(rpc_functions_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    values_are_returned/1,
    any_atom_is_a_name/1,
    exceptions_are_those_of_erlang/1,
    stacktraces_are_the_function/1,
    answers_come_later/1,
    answers_come_in_any_order/1,
    exceptions_come_later/1,
    a_function_calls_others/1,
    a_caller_that_gives_up_cancels/1,
    who_gives_up_early_cancels_nothing/1,
    a_lost_node_cancels/1,
    an_exit_signal_cancels/1,
    casts_are_run/1,
    spawned_functions_end_as_in_erlang/1,
    spawned_functions_end_later/1,
    a_spawned_function_goes_on_alone/1,
    a_link_ends_a_spawned_function/1
]).

-import(rpc_program, [begun/1, call/2, canceled/0, ending/1, gone/1, quietly/1, rex/2]).

-define(SOON, 5000).
-define(LATE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        values_are_returned,
        any_atom_is_a_name,
        exceptions_are_those_of_erlang,
        stacktraces_are_the_function,
        answers_come_later,
        answers_come_in_any_order,
        exceptions_come_later,
        a_function_calls_others,
        a_caller_that_gives_up_cancels,
        who_gives_up_early_cancels_nothing,
        a_lost_node_cancels,
        an_exit_signal_cancels,
        casts_are_run,
        spawned_functions_end_as_in_erlang,
        spawned_functions_end_later,
        a_spawned_function_goes_on_alone,
        a_link_ends_a_spawned_function
    ].

init_per_testcase(_, Config) ->
    {Port, C} = rpc_program:start([]),
    ok = call(C, subscribe),
    [{port, Port}, {cnode, C} | Config].

end_per_testcase(_, Config) -> rpc_program:stop(?config(port, Config)).

%% --- values ---------------------------------------------------------------------------------------

values_are_returned(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(3, erpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual([{ok, 3}, {ok, 3}], erpc:multicall([C, C], c, add, [1, 2], ?SOON)),
    ?assertEqual(
        {response, 3}, erpc:wait_response(erpc:send_request(C, c, add, [1, 2]), ?SOON)
    ),
    ?assertEqual(3, rpc:call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual(3, rpc:block_call(C, c, add, [1, 2], ?SOON)),
    ?assertEqual({[3, 3], []}, rpc:multicall([C, C], c, add, [1, 2], ?SOON)),
    ?assertEqual(3, rpc:yield(rpc:async_call(C, c, add, [1, 2]))),
    ?assertEqual(3, gen_server:call({rex, C}, {call, c, add, [1, 2], self()}, ?SOON)),
    ?assertEqual(3, rex(C, {call, c, add, [1, 2], user})),
    Large = lists:seq(1, 100000),
    ?assertEqual(Large, erpc:call(C, c, echo, [Large], ?SOON)),
    %% A list of bytes comes as a string.
    ?assertEqual(195, erpc:call(C, c, add, "ab", ?SOON)).

any_atom_is_a_name(Config) ->
    C = ?config(cnode, Config),
    Name = binary_to_atom(<<"Zwölf Boxkämpfer"/utf8>>, utf8),
    ?assertEqual(x, erpc:call(C, '', Name, [x], ?SOON)),
    ?assertEqual(x, rpc:block_call(C, '', Name, [x], ?SOON)),
    ?assertError(
        {exception, undef, [{'', Name, [], []}]}, erpc:call(C, '', Name, [], ?SOON)
    ).

%% --- exceptions -----------------------------------------------------------------------------------

exceptions_are_those_of_erlang(Config) ->
    C = ?config(cnode, Config),
    Reasons = [x, {'EXIT', x}, normal, {a, [b]}],
    [
        ?assertEqual(
            {Class, Reason, outcome(node(), erlang, Class, [Reason], Way)},
            {Class, Reason, outcome(C, c, raise, [Class, Reason], Way)}
        )
     || Class <- classes(), Reason <- Reasons, Way <- [erpc, rpc, multicall, yield, block]
    ],
    ?assertEqual({badrpc, {'EXIT', x}}, rex(C, {call, c, raise, [exit, x], user})),
    ?assertEqual(x, rex(C, {call, c, raise, [throw, x], user})),
    ?assertEqual({badrpc, {'EXIT', x}}, rex(C, {call, c, echo, [{'EXIT', x}], user})),
    ?assertEqual({badrpc, {'EXIT', x}}, rpc:call(C, c, echo, [{'EXIT', x}], ?SOON)).

%% What comes of a call, without stack traces: those of erlang:error/1 are not ours.
outcome(Node, M, F, A, Way) ->
    try
        way(Way, Node, M, F, A)
    of
        {badrpc, {'EXIT', {Reason, [{_, _, _, _} | _]}}} -> {badrpc, {'EXIT', {Reason, stack}}};
        {badrpc, {'EXIT', {Reason, []}}} -> {badrpc, {'EXIT', {Reason, stack}}};
        [{error, {exception, Reason, _}}] -> [{error, {exception, Reason, stack}}];
        Result -> {value, Result}
    catch
        error:{exception, Reason, _} -> {error, {exception, Reason, stack}};
        Class:Reason -> {Class, Reason}
    end.

way(erpc, Node, M, F, A) -> erpc:call(Node, M, F, A, ?SOON);
way(rpc, Node, M, F, A) -> rpc:call(Node, M, F, A, ?SOON);
way(yield, Node, M, F, A) -> rpc:yield(rpc:async_call(Node, M, F, A));
way(block, Node, M, F, A) -> rpc:block_call(Node, M, F, A, ?SOON);
way(multicall, Node, M, F, A) ->
    [case R of {C, E, S} -> [{C, {E, S}}]; _ -> R end || R <- erpc:multicall([Node], M, F, A, ?SOON)].

stacktraces_are_the_function(Config) ->
    C = ?config(cnode, Config),
    Early = [{c, add, [1, a], []}],
    ?assertError({exception, badarg, Early}, erpc:call(C, c, add, [1, a], ?SOON)),
    ?assertEqual(
        {badrpc, {'EXIT', {badarg, Early}}}, rpc:block_call(C, c, add, [1, a], ?SOON)
    ),
    Request = erpc:send_request(C, c, later, [1]),
    begun(1),
    ok = call(C, {raise, error, oops}),
    ?assertError({exception, oops, [{c, later, 1, []}]}, erpc:receive_response(Request, ?SOON)).

%% --- later ----------------------------------------------------------------------------------------

%% A process that calls, and tells what came of it.
calling(Fun) ->
    Self = self(),
    Ref = make_ref(),
    spawn(fun() ->
        Self ! {Ref,
            try
                {value, Fun()}
            catch
                Class:Reason -> {Class, Reason}
            end}
    end),
    Ref.

called(Ref) ->
    receive
        {Ref, Outcome} -> Outcome
    after ?LATE -> ct:fail(no_outcome)
    end.

ways(C, N) ->
    [
        fun() -> erpc:call(C, c, later, [N], ?LATE) end,
        fun() -> rpc:call(C, c, later, [N], ?LATE) end,
        fun() -> rpc:block_call(C, c, later, [N], ?LATE) end,
        fun() -> rex(C, {call, c, later, [N], user}) end
    ].

answers_come_later(Config) ->
    C = ?config(cnode, Config),
    lists:foreach(
        fun(Way) ->
            Call = calling(Way),
            {Pid, From} = begun(1),
            ?assertEqual({C, node()}, {node(Pid), node(From)}),
            %% The node does other things meanwhile.
            ?assertEqual(pong, net_adm:ping(C)),
            ?assertEqual(3, rpc:block_call(C, c, add, [1, 2], ?SOON)),
            Monitor = monitor(process, Pid),
            ok = call(C, {answer, {the, answer}}),
            ?assertEqual({value, {the, answer}}, called(Call)),
            gone(Monitor)
        end,
        ways(C, 1)
    ),
    ?assertEqual({error, 'GCL_ENOENT'}, call(C, {answer, x})).

answers_come_in_any_order(Config) ->
    C = ?config(cnode, Config),
    Count = 1000,
    Requests = [erpc:send_request(C, c, later, [N]) || N <- lists:seq(1, Count)],
    [begun(N) || N <- lists:seq(1, Count)],
    ?assertEqual(Count, call(C, waiting)),
    [ok = call(C, {answer, N}) || N <- lists:seq(1, Count)],
    [
        ?assertEqual(N, erpc:receive_response(Request, ?SOON))
     || {N, Request} <- lists:reverse(lists:zip(lists:seq(1, Count), Requests))
    ].

exceptions_come_later(Config) ->
    C = ?config(cnode, Config),
    Stack = [{c, later, 1, []}],
    Expected = [
        {error, [{error, {exception, x, Stack}} | lists:duplicate(3, {value, {badrpc, {'EXIT', {x, Stack}}}})]},
        {exit, [{exit, {exception, x}} | lists:duplicate(3, {value, {badrpc, {'EXIT', x}}})]},
        {throw, [{throw, x} | lists:duplicate(3, {value, x})]}
    ],
    [
        begin
            Call = calling(Way),
            begun(1),
            ok = call(C, {raise, Class, x}),
            ?assertEqual(Outcome, called(Call))
        end
     || {Class, Outcomes} <- Expected, {Way, Outcome} <- lists:zip(ways(C, 1), Outcomes)
    ].

a_function_calls_others(Config) ->
    C = ?config(cnode, Config),
    Request = erpc:send_request(C, c, ask, [self(), question]),
    receive
        {'$gen_call', From, question} -> gen_server:reply(From, answer)
    after ?SOON -> ct:fail(not_asked)
    end,
    ?assertEqual({asked, answer}, erpc:receive_response(Request, ?SOON)),
    {Dead, Monitor} = spawn_monitor(fun() -> ok end),
    gone(Monitor),
    ?assertExit({exception, 'GCL_ENOPROC'}, erpc:call(C, c, ask, [Dead, question], ?SOON)).

%% --- nobody waits any more ------------------------------------------------------------------------

a_caller_that_gives_up_cancels(Config) ->
    C = ?config(cnode, Config),
    ?assertError({erpc, timeout}, erpc:call(C, c, later, [1], 50)),
    ?assertEqual(0, canceled()),
    ?assertEqual({badrpc, timeout}, rpc:call(C, c, later, [1], 50)),
    ?assertEqual(0, canceled()),
    ?assertEqual({badrpc, timeout}, rpc:block_call(C, c, later, [1], 50)),
    ?assertEqual(0, canceled()),
    %% Who waits by himself is missed when he ends; with a timeout, block_call has another wait.
    [
        begin
            {Caller, Monitor} = spawn_monitor(Way),
            begun(2),
            exit(Caller, kill),
            gone(Monitor),
            ?assertEqual(0, canceled())
        end
     || Way <- [
            fun() -> erpc:call(C, c, later, [2], ?LATE) end,
            fun() -> rpc:call(C, c, later, [2], ?LATE) end,
            fun() -> rpc:block_call(C, c, later, [2]) end
        ]
    ],
    flush().

%% spec: erpc:call/5 abandons its request then, and says so to nobody; but a node answers that the
%% request is not wanted when the process that has made it has ended.
who_gives_up_early_cancels_nothing(Config) ->
    C = ?config(cnode, Config),
    ?assertError({erpc, timeout}, erpc:call(C, c, later, [1], 0)),
    {Pid, Self} = begun(1),
    ?assertEqual(self(), Self),
    %% What it had to say would have come before this.
    ?assertEqual(1, call(C, waiting)),
    Monitor = monitor(process, Pid),
    ok = call(C, {answer, x}),
    gone(Monitor),
    spawn(fun() -> erpc:send_request(C, c, later, [2]) end),
    begun(2),
    ?assertEqual(0, canceled()),
    ?assertError({erpc, timeout}, erpc:call(C, c, later, [3], 0)),
    begun(3),
    true = erlang:disconnect_node(C),
    ok = call_again(C, subscribe),
    ?assertEqual(0, call(C, waiting)).

flush() ->
    receive
        {begun, _, _, _} -> flush()
    after 0 -> ok
    end.

a_lost_node_cancels(Config) ->
    C = ?config(cnode, Config),
    Calls = [calling(Way) || Way <- ways(C, 1)],
    [begun(1) || _ <- Calls],
    {_, Monitor} = spawn_monitor(C, c, later, [2]),
    {Pid, _} = begun(2),
    true = erlang:disconnect_node(C),
    ?assertEqual(noconnection, gone(Monitor)),
    %% To be told of the loss, it has to be connected: what was told to the lost node is lost.
    ok = call_again(C, subscribe),
    ?assertEqual(1, call(C, waiting)),
    ?assertEqual(
        [
            {error, {erpc, noconnection}},
            {value, {badrpc, nodedown}},
            {value, {badrpc, nodedown}}
        ],
        [called(Call) || Call <- lists:droplast(Calls)]
    ),
    %% What was spawned goes on.
    Again = monitor(process, Pid),
    ok = call(C, {answer, x}),
    ?assertEqual(normal, gone(Again)).

%% Connecting anew may meet the old connection.
call_again(C, Request) ->
    try
        call(C, Request)
    catch
        exit:{{nodedown, C}, _} -> call_again(C, Request)
    end.

an_exit_signal_cancels(Config) ->
    C = ?config(cnode, Config),
    Outcomes = [
        {exit, {signal, killed}},
        {value, {badrpc, {'EXIT', killed}}},
        {value, {badrpc, {'EXIT', killed}}},
        {value, {badrpc, {'EXIT', killed}}}
    ],
    [
        begin
            Call = calling(Way),
            {Pid, _} = begun(1),
            exit(Pid, kill),
            ?assertEqual(0, canceled()),
            ?assertEqual(Outcome, called(Call))
        end
     || {Way, Outcome} <- lists:zip(ways(C, 1), Outcomes)
    ].

%% --- casts and spawns -----------------------------------------------------------------------------

casts_are_run(Config) ->
    C = ?config(cnode, Config),
    ok = erpc:cast(C, c, later, [1]),
    begun(1),
    true = rpc:cast(C, c, later, [2]),
    begun(2),
    gen_server:cast({rex, C}, {cast, c, later, [3], self()}),
    {Pid, _} = begun(3),
    Monitor = monitor(process, Pid),
    ok = call(C, {answer, x}),
    ok = call(C, {raise, error, oops}),
    rpc_program:logged(?config(port, Config), "server_ended", "{oops,[{c,later,1,[]}]}"),
    ok = call(C, {raise, exit, shutdown}),
    ?assertEqual(shutdown, gone(Monitor)).

spawned_functions_end_as_in_erlang(Config) ->
    C = ?config(cnode, Config),
    process_flag(trap_exit, true),
    ?assertEqual(normal, ending(spawn_monitor(C, c, add, [1, 2]))),
    ok = quietly(fun() ->
        ?assertEqual(
            [strip(ending(spawn_monitor(fun() -> erlang:Class(oops) end))) || Class <- classes()],
            [strip(ending(spawn_monitor(C, c, raise, [Class, oops]))) || Class <- classes()]
        )
    end),
    ?assertEqual(
        {badarg, [{c, add, [a, b], []}]}, ending(spawn_monitor(C, c, add, [a, b]))
    ),
    Linked = spawn_link(C, c, raise, [exit, oops]),
    ?assertEqual(oops, exited(Linked)),
    {Both, Monitor} = spawn_opt(C, c, add, [1, 2], [link, monitor]),
    ?assertEqual(normal, gone(Monitor)),
    ?assertEqual(normal, exited(Both)),
    Request = spawn_request(C, c, later, [1], [monitor]),
    Pid =
        receive
            {spawn_reply, Request, ok, Spawned} -> Spawned
        after ?SOON -> ct:fail(no_reply)
        end,
    ?assertMatch({Pid, _}, begun(1)),
    ok = call(C, {answer, x}),
    ?assertEqual(normal, gone(Request)),
    ?assertEqual(C, node(spawn(C, c, add, [1, 2]))).

classes() -> [error, exit, throw].

strip({Reason, [{_, _, _, _} | _]}) -> {Reason, stack};
strip(Reason) -> Reason.

exited(Pid) ->
    receive
        {'EXIT', Pid, Reason} -> Reason
    after ?SOON -> ct:fail(no_exit)
    end.

spawned_functions_end_later(Config) ->
    C = ?config(cnode, Config),
    process_flag(trap_exit, true),
    {_, Monitor} = spawn_monitor(C, c, later, [1]),
    begun(1),
    ok = call(C, {answer, value}),
    ?assertEqual(normal, gone(Monitor)),
    Linked = spawn_link(C, c, later, [1]),
    begun(1),
    ok = call(C, {raise, throw, ball}),
    ?assertEqual({{nocatch, ball}, [{c, later, 1, []}]}, exited(Linked)).

a_spawned_function_goes_on_alone(Config) ->
    C = ?config(cnode, Config),
    {Pid, Monitor} = spawn_monitor(C, c, later, [1]),
    begun(1),
    true = demonitor(Monitor),
    Again = monitor(process, Pid),
    ?assertEqual(1, call(C, waiting)),
    ok = call(C, {answer, value}),
    ?assertEqual(normal, gone(Again)).

a_link_ends_a_spawned_function(Config) ->
    C = ?config(cnode, Config),
    {Parent, Monitor} = spawn_monitor(fun() ->
        spawn_link(C, c, later, [1]),
        receive
            stop -> exit(stopped)
        end
    end),
    {Pid, Parent} = begun(1),
    Watch = monitor(process, Pid),
    Parent ! stop,
    ?assertEqual(stopped, gone(Monitor)),
    ?assertEqual(stopped, gone(Watch)),
    ?assertEqual(0, canceled()).

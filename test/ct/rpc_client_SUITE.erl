%% SPDX-License-Identifier: Apache-2.0
%% A C node (test/c/programs/functions.c) calls functions of BEAMs, of other C nodes and of its own, and
%% spawns processes there.
-module(rpc_client_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    values_come_back/1,
    exceptions_come_back/1,
    a_killed_function_is_told/1,
    a_call_takes_too_long/1,
    a_call_is_canceled/1,
    a_node_is_not_there/1,
    a_node_is_lost/1,
    arguments_are_checked/1,
    what_is_printed_is_logged/1,
    casts_are_run/1,
    processes_are_spawned_and_monitored/1,
    processes_are_spawned_and_linked/1,
    what_cannot_be_spawned/1,
    c_nodes_call_each_other/1,
    a_node_calls_itself/1,
    an_end_ends_what_was_linked/1
]).
%% Called by the C node.
-export([wait/2, print/0, run/1]).

-define(SOON, 5000).
-define(LATE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        values_come_back,
        exceptions_come_back,
        a_killed_function_is_told,
        a_call_takes_too_long,
        a_call_is_canceled,
        a_node_is_not_there,
        a_node_is_lost,
        arguments_are_checked,
        what_is_printed_is_logged,
        casts_are_run,
        processes_are_spawned_and_monitored,
        processes_are_spawned_and_linked,
        what_cannot_be_spawned,
        c_nodes_call_each_other,
        a_node_calls_itself,
        an_end_ends_what_was_linked
    ].

init_per_testcase(_, Config) ->
    {Port, C} = rpc_program:start([]),
    ok = gen_server:call({rpc, C}, subscribe),
    [{port, Port}, {cnode, C} | Config].

end_per_testcase(_, Config) -> rpc_program:stop(?config(port, Config)).

%% --- what the C node calls --------------------------------------------------------------------

%% Says who it is, and does what it is told.
wait(Tester, Name) ->
    Tester ! {waiting, Name, self(), group_leader()},
    receive
        {return, Value} -> Value;
        {raise, Class, Reason} -> erlang:raise(Class, Reason, [])
    end.

print() ->
    io:put_chars("put~n"),
    io:format("formatted ~p", [{a, "b"}]),
    io:get_line("? ").

run(Fun) -> Fun().

waiting(Name) ->
    receive
        {waiting, Name, Pid, Leader} -> {Pid, Leader}
    after ?SOON -> ct:fail(not_waiting)
    end.

%% --- steering the C node ----------------------------------------------------------------------

request(C, F, A) -> request(C, F, A, ?SOON).
request(C, F, A, Timeout) -> {call, {C, ?MODULE, F}, A, Timeout}.

ask(C, Request) -> gen_server:call({rpc, C}, Request, ?LATE).

asking(C, Request) ->
    Self = self(),
    Ref = make_ref(),
    spawn(fun() -> Self ! {Ref, ask(C, Request)} end),
    Ref.

asked(Ref) ->
    receive
        {Ref, Outcome} -> Outcome
    after ?LATE -> ct:fail(no_outcome)
    end.

%% --- calls ------------------------------------------------------------------------------------

values_come_back(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual({ok, [1, 2, 3]}, ask(C, {call, {node(), lists, sort}, [[3, 1, 2]], ?SOON})),
    ?assertEqual({ok, node()}, ask(C, {call, {node(), erlang, node}, [], infinity})),
    %% Lists of bytes, as they come, are arguments, too.
    ?assertEqual({ok, 195}, ask(C, {call, {node(), erlang, '+'}, "ab", ?SOON})),
    Large = lists:seq(1, 10000),
    ?assertEqual({ok, Large}, ask(C, {call, {node(), lists, reverse}, [lists:reverse(Large)], ?SOON})),
    Call = asking(C, request(node(), wait, [self(), 1])),
    {Pid, Leader} = waiting(1),
    ?assertEqual({node(), C}, {node(Pid), node(Leader)}),
    ?assertEqual(Leader, ask(C, self)),
    Pid ! {return, #{a => Pid}},
    ?assertEqual({ok, #{a => Pid}}, asked(Call)).

exceptions_come_back(Config) ->
    C = ?config(cnode, Config),
    [
        begin
            Call = asking(C, request(node(), wait, [self(), Class])),
            {Pid, _} = waiting(Class),
            Pid ! {raise, Class, {the, reason}},
            ?assertMatch({error, 'GCL_ERAISE', {Class, {the, reason}, _}}, asked(Call))
        end
     || Class <- [error, exit, throw]
    ],
    ?assertEqual(
        {error, 'GCL_ERAISE', {error, undef, [{nobody, nothing, [1], []}]}},
        ask(C, {call, {node(), nobody, nothing}, [1], ?SOON})
    ),
    ?assertMatch(
        {error, 'GCL_ERAISE', {error, badarith, [{erlang, '+', [a, 1], _} | _]}},
        ask(C, {call, {node(), erlang, '+'}, [a, 1], ?SOON})
    ).

a_killed_function_is_told(Config) ->
    C = ?config(cnode, Config),
    [
        begin
            Call = asking(C, request(node(), wait, [self(), Reason])),
            {Pid, _} = waiting(Reason),
            exit(Pid, Reason),
            ?assertEqual({error, 'GCL_EEXIT', Ends}, asked(Call))
        end
     || {Reason, Ends} <- [{kill, killed}, {because, because}]
    ],
    %% What looks like an outcome, but is not that of this call, is the reason of an end.
    Lie = asking(C, request(node(), wait, [self(), lie])),
    {Pid, _} = waiting(lie),
    exit(Pid, {make_ref(), return, lie}),
    ?assertMatch({error, 'GCL_EEXIT', {_, return, lie}}, asked(Lie)).

a_call_takes_too_long(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual({error, 'GCL_ETIMEOUT'}, ask(C, request(node(), wait, [self(), 1], 50))),
    {Pid, _} = waiting(1),
    %% The monitor is gone, the function is not.
    is_unwatched(Pid),
    Pid ! {return, late},
    ?assertEqual({ok, 3}, ask(C, {call, {node(), erlang, '+'}, [1, 2], ?SOON})).

is_unwatched(Pid) ->
    case process_info(Pid, monitored_by) of
        {monitored_by, []} -> ok;
        _ -> timer:sleep(5), is_unwatched(Pid)
    end.

a_call_is_canceled(Config) ->
    C = ?config(cnode, Config),
    Call = asking(C, request(node(), wait, [self(), 1])),
    {Pid, _} = waiting(1),
    ok = ask(C, cancel),
    ?assertEqual({error, 'GCL_ECANCELED'}, asked(Call)),
    ?assertEqual({error, 'GCL_ESTALE'}, ask(C, cancel)),
    is_unwatched(Pid),
    exit(Pid, kill).

a_node_is_not_there(Config) ->
    C = ?config(cnode, Config),
    Nobody = 'nobody@127.0.0.1',
    ?assertEqual({error, 'GCL_ENOCONNECTION'}, ask(C, request(Nobody, wait, [1, 2]))),
    ?assertEqual(
        {error, 'GCL_ENOCONNECTION'}, ask(C, {spawn, {Nobody, c, add}, [1, 2], false})
    ),
    ?assertEqual(ok, ask(C, {cast, {Nobody, c, add}, [1, 2]})).

a_node_is_lost(Config) ->
    C = ?config(cnode, Config),
    {Port, D} = rpc_program:start([]),
    ok = ask(D, subscribe),
    Call = asking(C, {call, {D, c, later}, [1], ?LATE}),
    {ok, Pid} = ask(C, {spawn, {D, c, later}, [2], true}),
    [
        receive
            {begun, N, _, _} -> ok
        after ?SOON -> ct:fail(not_begun)
        end
     || N <- [1, 2]
    ],
    rpc_program:stop(Port),
    %% A program whose input has ended closes its node: processes end, and say so.
    ?assertMatch({error, _, _}, asked(Call)),
    receive
        {down, Pid, shutdown} -> ok
    after ?SOON -> ct:fail(no_down)
    end,
    receive
        {exit, Pid, shutdown} -> ok
    after ?SOON -> ct:fail(no_exit)
    end.

arguments_are_checked(Config) ->
    C = ?config(cnode, Config),
    [
        ?assertEqual({A, {error, 'GCL_EINVAL'}}, {A, ask(C, {call, {node(), erlang, node}, A, 100})})
     || A <- [x, [1 | 2], #{}, {1}, lists:duplicate(256, 1)]
    ],
    ?assertEqual({error, 'GCL_EINVAL'}, ask(C, {spawn, {node(), erlang, node}, x, false})),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(C, {cast, {node(), erlang, node}, x})),
    ?assertEqual({error, 'GCL_ENAME'}, ask(C, {call, {no_name, erlang, node}, [], 100})).

what_is_printed_is_logged(Config) ->
    C = ?config(cnode, Config),
    Port = ?config(port, Config),
    ?assertEqual({ok, eof}, ask(C, request(node(), print, []))),
    rpc_program:logged(Port, "io", "put"),
    rpc_program:logged(Port, "io", "formatted").

casts_are_run(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(ok, ask(C, {cast, {node(), ?MODULE, wait}, [self(), 1]})),
    {Pid, _} = waiting(1),
    ?assertEqual({monitored_by, []}, process_info(Pid, monitored_by)),
    Pid ! {return, x}.

%% --- processes --------------------------------------------------------------------------------

processes_are_spawned_and_monitored(Config) ->
    C = ?config(cnode, Config),
    {ok, Pid} = ask(C, {spawn, {node(), ?MODULE, wait}, [self(), 1], false}),
    ?assertMatch({Pid, _}, waiting(1)),
    ?assertEqual({links, []}, process_info(Pid, links)),
    exit(Pid, because),
    receive
        {down, Pid, because} -> ok
    after ?SOON -> ct:fail(no_down)
    end.

processes_are_spawned_and_linked(Config) ->
    C = ?config(cnode, Config),
    {ok, Pid} = ask(C, {spawn, {node(), ?MODULE, wait}, [self(), 1], true}),
    {Pid, Server} = waiting(1),
    ?assertEqual({links, [Server]}, process_info(Pid, links)),
    Pid ! {raise, exit, because},
    Told = [
        receive
            {What, Pid, because} -> What
        after ?SOON -> ct:fail(not_told)
        end
     || _ <- [1, 2]
    ],
    ?assertEqual([down, exit], lists:sort(Told)).

what_cannot_be_spawned(Config) ->
    C = ?config(cnode, Config),
    {Port, D} = rpc_program:start(["100", "1", "100"]),
    ?assertEqual({error, 'GCL_ENOTSUP'}, ask(C, {spawn, {D, erlang, halt}, [], false})),
    ?assertEqual({error, 'GCL_ENOTSUP'}, ask(C, {spawn, {C, erlang, halt}, [], false})),
    {ok, _} = ask(C, {spawn, {D, c, later}, [1], false}),
    ?assertEqual({error, 'GCL_ELIMIT'}, ask(C, {spawn, {D, c, later}, [1], true})),
    ?assertEqual({error, 'GCL_ELIMIT'}, ask(C, {call, {D, c, later}, [1], ?SOON})),
    rpc_program:stop(Port).

c_nodes_call_each_other(Config) ->
    {Port, D} = rpc_program:start([]),
    from_to(?config(cnode, Config), D),
    rpc_program:stop(Port).

a_node_calls_itself(Config) ->
    C = ?config(cnode, Config),
    from_to(C, C).

from_to(From, To) ->
    ok = ask(To, subscribe),
    ok = ask(From, subscribe),
    ?assertEqual({ok, 3}, ask(From, {call, {To, c, add}, [1, 2], ?SOON})),
    ?assertEqual({ok, To}, ask(From, {call, {To, erlang, node}, [], infinity})),
    [
        ?assertMatch(
            {error, 'GCL_ERAISE', {Class, x, _}},
            ask(From, {call, {To, c, raise}, [Class, x], ?SOON})
        )
     || Class <- [error, exit, throw]
    ],
    ?assertEqual(
        {error, 'GCL_ERAISE', {error, undef, [{no, no, [], []}]}},
        ask(From, {call, {To, no, no}, [], ?SOON})
    ),
    ?assertEqual({error, 'GCL_EEXIT', stopped}, ask(From, {call, {To, c, stop}, [], ?SOON})),
    canceled(),
    ?assertEqual({error, 'GCL_ETIMEOUT'}, ask(From, {call, {To, c, later}, [1], 50})),
    canceled(),
    ?assertEqual(ok, ask(From, {cast, {To, c, later}, [2]})),
    receive
        {begun, 2, _, Caller} -> ?assertEqual(From, node(Caller))
    after ?SOON -> ct:fail(not_begun)
    end,
    ok = ask(To, {answer, x}),
    {ok, Pid} = ask(From, {spawn, {To, c, later}, [3], true}),
    ?assertEqual(To, node(Pid)),
    ok = ask(From, subscribe),
    ok = ask(To, {raise, exit, because}),
    [
        receive
            {What, Pid, because} -> ok
        after ?SOON -> ct:fail({not_told, What})
        end
     || What <- [down, exit]
    ].

canceled() ->
    receive
        {canceled, 0} -> ok
    after ?SOON -> ct:fail(not_canceled)
    end.

an_end_ends_what_was_linked(Config) ->
    C = ?config(cnode, Config),
    {ok, Linked} = ask(C, {spawn, {node(), ?MODULE, wait}, [self(), 1], true}),
    {ok, Alone} = ask(C, {spawn, {node(), ?MODULE, wait}, [self(), 2], false}),
    Call = asking(C, request(node(), wait, [self(), 3])),
    {Called, _} = waiting(3),
    Monitors = [monitor(process, Pid) || Pid <- [Linked, Called]],
    exit(ask(C, self), kill),
    receive
        {'DOWN', Monitor, process, Linked, killed} -> ?assert(lists:member(Monitor, Monitors))
    after ?SOON -> ct:fail(no_down)
    end,
    is_unwatched(Alone),
    _ = Call,
    [exit(Pid, kill) || Pid <- [Alone, Called]].

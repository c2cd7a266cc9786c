%% SPDX-License-Identifier: Apache-2.0
%% Nodes of stock libei (test/c/programs/ei.c) and erl_call as peers of a C node that is one of the
%% nodes of a BEAM: they are served, and nobody waits for them.
-module(libei_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    it_calls_a_server/1,
    it_calls_functions_by_rex/1,
    it_is_dialled_and_sent_messages/1,
    its_processes_cannot_be_monitored/1,
    a_call_that_waited_for_it_ends_with_it/1,
    global_does_without_it/1,
    erl_call_applies_functions/1,
    erl_call_cannot_evaluate_or_stop/1,
    erl_call_with_another_cookie_is_refused/1
]).

-define(DEADLINE, 20000).
-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        it_calls_a_server,
        it_calls_functions_by_rex,
        it_is_dialled_and_sent_messages,
        its_processes_cannot_be_monitored,
        a_call_that_waited_for_it_ends_with_it,
        global_does_without_it,
        erl_call_applies_functions,
        erl_call_cannot_evaluate_or_stop,
        erl_call_with_another_cookie_is_refused
    ].

init_per_testcase(_Case, Config) ->
    Begun = global_helper:begin_case(Config),
    {_, Node} = C = global_helper:c_node(),
    [{c, C}, {cnode, Node}, {server, {server, Node}} | Begun].

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- libei --------------------------------------------------------------------------------------

it_calls_a_server(Config) ->
    Ei = connected(Config),
    ?assertEqual("answer hello", ask(Ei, "call", "answer")),
    ?assertEqual("answer hello", ask(Ei, "call", "answer")),
    ?assertEqual("closed 0", ask(Ei, "close", "closed")),
    ?assertEqual("connected 0", ask(Ei, "connect " ++ name(Config), "connected")),
    ?assertEqual("answer hello", ask(Ei, "call", "answer")).

it_calls_functions_by_rex(Config) ->
    Ei = connected(Config),
    ?assertEqual("result '" ++ name(Config) ++ "'", ask(Ei, "rpc erlang node", "result")),
    ?assertEqual(
        "result {badrpc, {'EXIT', {undef, [{erlang, halt, [], []}]}}}",
        ask(Ei, "rpc erlang halt", "result")
    ),
    ?assertEqual("answer hello", ask(Ei, "call", "answer")).

it_is_dialled_and_sent_messages(Config) ->
    {Ei, Alive} = ei(),
    To = {anybody, Name = list_to_atom(Alive ++ "@127.0.0.1")},
    true = port_command(Ei, "accept\n"),
    ok = ask_server(Config, {send, To, {hello, [1, <<"two">>]}}),
    ?assertEqual("accepted " ++ name(Config), line(Ei, "accepted")),
    ?assertEqual("received {hello, [1, #Bin<116,119,111>]}", ask(Ei, "receive", "received")),
    ok = ask_server(Config, {cast, To, 1}),
    ?assertEqual("received {'$gen_cast', 1}", ask(Ei, "receive", "received")),
    ok = ask_server(Config, {disconnect, Name}),
    ?assertEqual("received -1", ask(Ei, "receive", "received")).

%% It does not announce that it can be monitored by name. A call, which is a monitor too, would not
%% learn that there is nobody.
its_processes_cannot_be_monitored(Config) ->
    {Ei, Alive} = ei(),
    true = port_command(Ei, "accept\n"),
    To = {anybody, list_to_atom(Alive ++ "@127.0.0.1")},
    ok = ask_server(Config, {send, To, hello}),
    "received hello" = ask(Ei, "receive", "received"),
    ?assertEqual({error, 'GCL_ENOTSUP'}, ask_server(Config, {monitor, To})),
    ?assertEqual({error, 'GCL_ENOTSUP'}, ask_server(Config, {call, To, hello, infinity})).

%% What is known when it has connected only.
a_call_that_waited_for_it_ends_with_it(Config) ->
    {Ei, Alive} = ei(),
    true = port_command(Ei, "accept\n"),
    To = {anybody, list_to_atom(Alive ++ "@127.0.0.1")},
    Request = gen_server:send_request(?config(server, Config), {call, To, hello, ?DEADLINE}),
    "accepted" ++ _ = line(Ei, "accepted"),
    true = port_close(Ei),
    ?assertEqual(
        {reply, {error, 'GCL_ENOCONNECTION'}}, gen_server:wait_response(Request, ?SOON)
    ).

%% It is connected, does nothing, and is not asked for anything.
global_does_without_it(Config) ->
    Ei = connected(Config),
    {Beam, _} = global_helper:beam(),
    pong = peer:call(Beam, net_adm, ping, [?config(cnode, Config)]),
    ?assertEqual([?config(cnode, Config)], peer:call(Beam, erlang, nodes, [])),
    ?assertEqual(ok, peer:call(Beam, global, sync, [], ?SOON)),
    yes = peer:call(Beam, global, register_name, [a, self()], ?SOON),
    ?assertEqual(done, peer:call(Beam, global, trans, [{a, b}, fun() -> done end], ?SOON)),
    ?assertEqual("answer hello", ask(Ei, "call", "answer")).

%% --- erl_call -----------------------------------------------------------------------------------

erl_call_applies_functions(Config) ->
    ?assertEqual("'" ++ name(Config) ++ "'", erl_call(Config, ["-a", "erlang node"])),
    ?assertEqual("'" ++ name(Config) ++ "'", erl_call(Config, ["-R", "-a", "erlang node"])),
    ?assertEqual("pong", erl_call(Config, ["-a", "net_adm ping ['" ++ name(Config) ++ "']"])).

erl_call_cannot_evaluate_or_stop(Config) ->
    Undef = "{badrpc, {'EXIT', {undef, [{erlang, halt, [], []}]}}}",
    ?assertEqual(Undef, erl_call(Config, ["-a", "erlang halt"])),
    _ = erl_call(Config, ["-q"]),
    ?assertEqual(hello, ask_server(Config, {echo, hello})).

erl_call_with_another_cookie_is_refused(Config) ->
    ?assertMatch(
        {match, _},
        re:run(run(Config, "another", ["-a", "erlang node"]), "failed to connect")
    ),
    {Port, _} = ?config(c, Config),
    ?assertMatch({match, _}, re:run(line(Port, "handshake_failed"), "another cookie")).

erl_call(Config, Args) -> run(Config, atom_to_list(erlang:get_cookie()), Args).

run(Config, Cookie, Args) ->
    Erts = "erts-" ++ erlang:system_info(version),
    Program = filename:join([code:root_dir(), Erts, "bin", "erl_call"]),
    Port = open_port({spawn_executable, Program}, [
        {args, ["-c", Cookie, "-name", name(Config) | Args]},
        exit_status,
        stderr_to_stdout
    ]),
    output(Port, []).

output(Port, Text) ->
    receive
        {Port, {data, More}} -> output(Port, [Text, More]);
        {Port, {exit_status, _}} -> string:trim(lists:flatten(Text))
    after ?DEADLINE -> ct:fail({not_ended, Text})
    end.

%% --- helpers ------------------------------------------------------------------------------------

name(Config) -> atom_to_list(?config(cnode, Config)).

ask_server(Config, Request) -> gen_server:call(?config(server, Config), Request, ?DEADLINE).

connected(Config) ->
    {Ei, _} = ei(),
    "connected 0" = ask(Ei, "connect " ++ name(Config), "connected"),
    Ei.

ei() ->
    Alive = peer:random_name(gcl_ei),
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "ei")}, [
        {args, [Alive]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    _ = line(Port, "ready"),
    {Port, Alive}.

ask(Port, Command, Wanted) ->
    true = port_command(Port, [Command, "\n"]),
    line(Port, Wanted).

line(Port, Wanted) -> global_helper:line(Port, Wanted).

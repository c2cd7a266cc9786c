%% SPDX-License-Identifier: Apache-2.0
%% Runs test/c/programs/functions.c.
-module(rpc_program).

-export([start/1, stop/1, logged/3, closed/1]).

-define(DEADLINE, 20000).

%% The port belongs to the caller.
start(Limits) ->
    Name = peer:random_name(gcl_rpc) ++ "@127.0.0.1",
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "functions")}, [
        {args, [Name | Limits]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    await(Port, "ready " ++ Name),
    {Port, list_to_atom(Name)}.

%% Also of a program that has ended.
stop(Port) ->
    catch port_close(Port),
    ok.

%% Waits for an event with this in its text.
logged(Port, Event, Text) ->
    receive
        {Port, {data, {_, "log " ++ Line}}} ->
            case string:find(Line, " " ++ Event ++ " ") =/= nomatch andalso string:find(Line, Text) of
                Found when is_list(Found) -> ok;
                _ -> logged(Port, Event, Text)
            end
    after ?DEADLINE -> ct:fail({not_logged, Event, Text})
    end.

closed(Port) ->
    await(Port, "closed 0"),
    receive
        {Port, {exit_status, Status}} -> 0 = Status
    after ?DEADLINE -> ct:fail(not_ended)
    end.

await(Port, Prefix) ->
    receive
        {Port, {data, {eol, Line}}} ->
            case lists:prefix(Prefix, Line) of
                true -> ok;
                false -> await(Port, Prefix)
            end;
        {Port, {exit_status, Status}} ->
            ct:fail({ended, Status})
    after ?DEADLINE -> ct:fail({not_said, Prefix})
    end.

%% SPDX-License-Identifier: Apache-2.0
%% Runs test/c/programs/functions.c.
-module(rpc_program).

-export([start/1, stop/1, logged/3, closed/1]).
-export([call/2, rex/2, begun/1, canceled/0, ending/1, gone/1, quietly/1]).

-define(DEADLINE, 20000).
-define(SOON, 5000).

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

%% --- what suites do with it ---------------------------------------------------------------------------

%% Its server.
call(C, Request) -> gen_server:call({rpc, C}, Request, ?SOON).

%% A message to `rex`, as nodes send it that know no calls.
rex(C, Request) ->
    {rex, C} ! {self(), Request},
    rexed().

rexed() ->
    receive
        {rex, Result} -> Result
    after ?SOON -> ct:fail(no_reply)
    end.

%% A call of c:later/1: the process that runs it, and who has asked.
begun(N) ->
    receive
        {begun, N, Pid, From} -> {Pid, From}
    after ?SOON -> ct:fail({not_begun, N})
    end.

canceled() ->
    receive
        {canceled, Left} -> Left
    after ?SOON -> ct:fail(not_canceled)
    end.

%% With what a process has ended that was spawned with a monitor.
ending({_, Monitor}) -> gone(Monitor).

gone(Monitor) ->
    receive
        {'DOWN', Monitor, process, _, Reason} -> Reason
    after ?SOON -> ct:fail(no_down)
    end.

%% The emulator has no need to say what ends here.
quietly(Fun) ->
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    _ = Fun(),
    logger:set_primary_config(level, Level).

%% SPDX-License-Identifier: Apache-2.0
%% For the tests of examples: runs one of the programs in priv/bin/ and reads what it prints.
-module(example_program).

-export([begin_node/0, unique/1, start/2, start/3, start_at/3, line/2, no_more/1, ready/1]).
-export([os_pid/1, signal/2, ended/1, stop/1]).

-define(DEADLINE, 20000).

%% Makes this a node, with the cookie of HOME.
-spec begin_node() -> node().
begin_node() ->
    {ok, _} = net_kernel:start([list_to_atom(unique("beam")), shortnames]),
    node().

-spec unique(string()) -> string().
unique(Name) ->
    Number = integer_to_list(erlang:unique_integer([positive])),
    Name ++ os:getpid() ++ "_" ++ Number ++ "@localhost".

-spec start(string(), [string()]) -> port().
start(Program, Args) -> start(Program, Args, []).

-spec start(string(), [string()], [{string(), string() | false}]) -> port().
start(Program, Args, Env) ->
    start_at(filename:join("priv/bin", Program), Args, Env).

-spec start_at(file:filename(), [string()], [{string(), string() | false}]) -> port().
start_at(Path, Args, Env) ->
    Options = [{args, Args}, {env, Env}, {line, 1000}, exit_status, use_stdio, stderr_to_stdout],
    open_port({spawn_executable, Path}, Options).

%% The next line that the regular expression matches, with what its groups caught.
-spec line(port(), string()) -> [string()].
line(Port, Expression) ->
    receive
        {Port, {data, {eol, Line}}} ->
            io:format("~ts~n", [Line]),
            case re:run(Line, Expression, [{capture, all_but_first, list}]) of
                {match, Caught} -> Caught;
                match -> [];
                nomatch -> line(Port, Expression)
            end;
        {Port, {exit_status, Status}} ->
            error({missing, Expression, {exit_status, Status}})
    after ?DEADLINE -> error({missing, Expression})
    end.

%% The lines until the program ends, and how it does.
-spec no_more(port()) -> {[string()], Status :: non_neg_integer()}.
no_more(Port) -> no_more(Port, []).

no_more(Port, Lines) ->
    receive
        {Port, {data, {_, Line}}} -> no_more(Port, [Line | Lines]);
        {Port, {exit_status, Status}} -> {lists:reverse(Lines), Status}
    after ?DEADLINE -> error({still_running, lists:reverse(Lines)})
    end.

-spec ready(port()) -> {node(), inet:port_number()}.
ready(Port) ->
    [Node, Number] = line(Port, "^ready (.*) ([0-9]+)$"),
    {list_to_atom(Node), list_to_integer(Number)}.

-spec os_pid(port()) -> non_neg_integer().
os_pid(Port) ->
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    Pid.

-spec signal(port(), string()) -> ok.
signal(Port, Signal) ->
    [] = os:cmd(lists:flatten(io_lib:format("kill -~s ~b", [Signal, os_pid(Port)]))),
    ok.

-spec ended(port()) -> non_neg_integer().
ended(Port) ->
    {_, Status} = no_more(Port),
    Status.

-spec stop(port()) -> ok.
stop(Port) ->
    ok = signal(Port, "TERM"),
    0 = ended(Port),
    ok.

%% SPDX-License-Identifier: Apache-2.0
%% Members in C for the suites: test/c/programs/member.c, an OS process for each. They tell the
%% process `observer` of this node of their callbacks as cluster_member.erl does, so that the
%% functions of cluster_helper serve both.
-module(cluster_program).

-export([start/2, start/3, name/0, stop/1, kill/1, node_of/1, pid_of/1, ask/2]).
-export([while_stopped/2, expect_line/2]).

-export_type([program/0]).

-define(DEADLINE, 20000).

-type program() :: #{port := port(), node := node(), pid := pid()}.

-type options() :: #{
    name => string(),
    args => [string()],
    env => [{string(), string()}],
    %% A line of its output that comes before it is ready.
    expect => string()
}.

%% A node's name that nobody has.
-spec name() -> string().
name() -> peer:random_name(gcl_c) ++ "@127.0.0.1".

-spec start(Cluster :: atom(), Seeds :: [node()]) -> program().
start(Cluster, Seeds) -> start(Cluster, Seeds, #{}).

%% Ends with the calling process, which is the observer.
-spec start(Cluster :: atom(), Seeds :: [node()], options()) -> program().
start(Cluster, Seeds, Options) ->
    ok = observe(),
    Name = maps:get(name, Options, name()),
    Given = lists:append([["--seed", atom_to_list(Seed)] || Seed <- Seeds]),
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "member")}, [
        {args,
            ["--name", Name, "--cluster", atom_to_list(Cluster), "--until-stdin-eof"] ++
                ["--observer", atom_to_list(node())] ++ Given ++ maps:get(args, Options, [])},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())} | maps:get(env, Options, [])]},
        {line, 4096},
        stderr_to_stdout,
        exit_status
    ]),
    Program = #{port => Port, node => list_to_atom(Name)},
    _ = [expect_line(Program, Text) || #{expect := Text} <- [Options]],
    _ = expect_line(Program, "ready"),
    Program#{pid => gen_server:call({Cluster, list_to_atom(Name)}, pid, ?DEADLINE)}.

observe() ->
    case whereis(observer) of
        Self when Self =:= self() ->
            ok;
        _ ->
            true = register(observer, self()),
            ok
    end.

-spec node_of(program()) -> node().
node_of(#{node := Node}) -> Node.

-spec pid_of(program()) -> pid().
pid_of(#{pid := Pid}) -> Pid.

-spec ask(program() | pid(), term()) -> term().
ask(#{pid := Pid}, Request) -> ask(Pid, Request);
ask(Pid, Request) -> gen_server:call(Pid, Request, ?DEADLINE).

%% A line of its output, the log included, with this text in it.
-spec expect_line(#{port := port(), _ => _}, string()) -> string().
expect_line(#{port := Port} = Program, Text) ->
    receive
        {Port, {data, {eol, Line}}} ->
            case string:find(Line, Text) of
                nomatch -> expect_line(Program, Text);
                _ -> Line
            end;
        {Port, {exit_status, Status}} ->
            ct:fail({exit_status, Status})
    after ?DEADLINE -> ct:fail({no_line, Text})
    end.

%% Closes its input and waits for its orderly end.
-spec stop(program()) -> ok.
stop(Program) -> ended(Program, "-TERM").

%% Runs a function while it is stopped, like a machine that hangs.
-spec while_stopped(program(), fun(() -> term())) -> ok.
while_stopped(#{port := Port}, Fun) ->
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    [] = os:cmd("kill -STOP " ++ integer_to_list(OsPid)),
    try
        _ = Fun(),
        ok
    after
        os:cmd("kill -CONT " ++ integer_to_list(OsPid))
    end.

%% Ends it like a power cut.
-spec kill(program()) -> ok.
kill(Program) -> ended(Program, "-KILL").

ended(#{port := Port}, Signal) ->
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    [] = os:cmd("kill " ++ Signal ++ " " ++ integer_to_list(OsPid)),
    receive
        {Port, {exit_status, _}} -> ok
    after ?DEADLINE -> ct:fail({not_ended, OsPid})
    end.

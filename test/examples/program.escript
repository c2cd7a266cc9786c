%% SPDX-License-Identifier: Apache-2.0
%% What all C members have from gen_cluster/program.h: options, `ready', an orderly end.
-mode(compile).
-define(PROGRAM, "example_cluster_srv").

main([Scratch]) ->
    _ = example_program:begin_node(),
    Tests = [
        {help, fun help/1},
        {version, fun version/1},
        {bad_options, fun bad_options/1},
        {long_name, fun long_name/1},
        {short_name, fun short_name/1},
        {visible, fun visible/1},
        {fixed_port, fun fixed_port/1},
        {taken_port, fun taken_port/1},
        {without_epmd, fun without_epmd/1},
        {taken_name, fun taken_name/1},
        {log_level, fun log_level/1},
        {start_that_fails, fun start_that_fails/1},
        {cookie_file, fun cookie_file/1},
        {cookie_variable, fun cookie_variable/1},
        {no_cookie, fun no_cookie/1},
        {cookie_not_on_the_command_line, fun cookie_not_on_the_command_line/1},
        {net_ticktime, fun net_ticktime/1},
        {signals, fun signals/1},
        {end_of_input, fun end_of_input/1},
        {kinds_of_input, fun kinds_of_input/1}
    ],
    lists:foreach(
        fun({Name, Test}) ->
            io:format("== ~ts~n", [Name]),
            Test(Scratch)
        end,
        Tests
    ).

run(Args) -> run(Args, []).

run(Args, Env) -> example_program:no_more(example_program:start(?PROGRAM, Args, Env)).

member(Args) -> member(Args, []).

member(Args, Env) ->
    %% What a failed test leaves behind ends with it.
    Port = example_program:start(?PROGRAM, ["--until-stdin-eof" | Args], Env),
    {Node, Number} = example_program:ready(Port),
    {Port, Node, Number}.

name() -> example_program:unique("member").

help(_) ->
    {["Usage: " ++ _ | Lines], 0} = run(["--help"]),
    [
        {Option, [_ | _]} = {Option, [Line || Line <- Lines, string:find(Line, Option) =/= nomatch]}
     || Option <- string:lexemes(
            "--name --sname --cookie-file --seed --hidden --visible --port --net-ticktime "
            "--until-stdin-eof --help --version",
            " "
        )
    ].

version(_) ->
    {[?PROGRAM " " ++ _], 0} = run(["--version"]).

%% One line on stderr, status 64.
bad_options(_) ->
    Name = name(),
    [
        {Args, {[?PROGRAM ": " ++ _], 64}} = {Args, run(Args)}
     || Args <- [
            [],
            ["--sname", Name, "--port", "0"],
            ["--sname", Name, "--seed", "one"],
            ["--sname", Name, "--net-ticktime", "soon"],
            ["--sname", Name, "--cookie", "SECRET"],
            ["--sname", Name, "stray"],
            ["--sname"],
            ["--sname", "@"],
            ["--sname", "a@b@c"],
            ["--name", Name]
        ]
    ].

long_name(_) ->
    Name = "member" ++ os:getpid() ++ "@127.0.0.1",
    {Port, Node, _} = member(["--name", Name]),
    Name = atom_to_list(Node),
    example_program:stop(Port).

%% Without a host it is that of this machine.
short_name(_) ->
    [Alive, _] = string:split(name(), "@"),
    {Port, Node, _} = member(["--sname", Alive]),
    {ok, Host} = inet:gethostname(),
    [Alive, Host] = string:split(atom_to_list(Node), "@"),
    example_program:stop(Port),
    Name = name(),
    {Other, Short, _} = member(["--sname", Name, "--hidden"]),
    Name = atom_to_list(Short),
    pong = net_adm:ping(Short),
    true = lists:member(Short, nodes(hidden)),
    example_program:stop(Other).

visible(_) ->
    {Port, Node, _} = member(["--sname", name(), "--visible"]),
    pong = net_adm:ping(Node),
    true = lists:member(Node, nodes()),
    ok = global:sync(),
    example_program:stop(Port).

fixed_port(_) ->
    {ok, Socket} = gen_tcp:listen(0, [{reuseaddr, true}]),
    {ok, Number} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    {Port, _, Number} = member(["--sname", name(), "--port", integer_to_list(Number)]),
    example_program:stop(Port).

taken_port(_) ->
    {ok, Socket} = gen_tcp:listen(0, []),
    {ok, Number} = inet:port(Socket),
    {[?PROGRAM ": " ++ _], 69} = run(["--sname", name(), "--port", integer_to_list(Number)]),
    ok = gen_tcp:close(Socket).

%% Nobody finds it: a visible one waits, and says so; a hidden one is ready.
without_epmd(_) ->
    {ok, Socket} = gen_tcp:listen(0, []),
    {ok, Number} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Env = [{"ERL_EPMD_PORT", integer_to_list(Number)}],
    Args = ["--until-stdin-eof", "--sname", name()],
    Visible = example_program:start(?PROGRAM, Args, Env),
    [] = example_program:line(Visible, "^warning epmd_down: .* not ready until it can$"),
    ok = example_program:signal(Visible, "TERM"),
    {[], 0} = example_program:no_more(Visible),
    Hidden = example_program:start(?PROGRAM, ["--hidden" | Args], Env),
    _ = example_program:ready(Hidden),
    example_program:stop(Hidden).

%% As erl it ends at once; the one that has the name goes on, and when that is killed it is free.
taken_name(_) ->
    {First, Node, _} = member(["--sname", name()]),
    Name = atom_to_list(Node),
    {Lines, 69} = run(["--sname", Name]),
    ["error name_taken: the name " ++ _, Line] = Lines,
    ?PROGRAM ": the name " ++ Rest = Line,
    " seems to be in use by another node" = string:prefix(Rest, Name),
    pong = net_adm:ping(Node),
    ok = example_program:signal(First, "KILL"),
    137 = example_program:ended(First),
    {Second, Node, _} = member(["--sname", Name]),
    example_program:stop(Second).

%% By default it says nothing of nodes that come; with `error' nothing of epmd that is not there.
log_level(_) ->
    Args = ["--until-stdin-eof", "--sname", name()],
    Talkative = example_program:start(?PROGRAM, ["--log-level", "info" | Args], []),
    {Node, _} = example_program:ready(Talkative),
    pong = net_adm:ping(Node),
    [Self] = example_program:line(Talkative, "^info node_up: connected to ([^ ]*) [(]visible[)]$"),
    Self = atom_to_list(node()),
    example_program:stop(Talkative),
    Silent = example_program:start(?PROGRAM, ["--hidden", "--log-level", "error" | Args], [
        {"ERL_EPMD_PORT", "1"}
    ]),
    ["ready"] = example_program:line(Silent, "^(warning|ready) "),
    example_program:stop(Silent).

%% What `start' of the program returns is said and ends it.
start_that_fails(_) ->
    Port = example_program:start("client", ["--sname", name(), "--node", "nohost"]),
    {["client: bad node name" ++ _], 70} = example_program:no_more(Port).

cookie_file(Scratch) ->
    Path = filename:join(Scratch, "cookie"),
    ok = file:write_file(Path, [atom_to_list(erlang:get_cookie()), "\n"]),
    ok = file:change_mode(Path, 8#600),
    %% It counts more than the variable.
    {Port, Node, _} = member(["--sname", name(), "--cookie-file", Path], [{"GCL_COOKIE", "other"}]),
    pong = net_adm:ping(Node),
    example_program:stop(Port),
    ok = file:change_mode(Path, 8#644),
    {[Line], 64} = run(["--sname", name(), "--cookie-file", Path]),
    {match, _} = re:run(Line, "chmod 400").

cookie_variable(_) ->
    {Right, Node, _} = member(["--sname", name()], [
        {"GCL_COOKIE", atom_to_list(erlang:get_cookie())}, {"HOME", "/nowhere"}
    ]),
    pong = net_adm:ping(Node),
    example_program:stop(Right),
    {Wrong, Stranger, _} = member(["--sname", name()], [{"GCL_COOKIE", "other"}]),
    pang = net_adm:ping(Stranger),
    example_program:stop(Wrong),
    Empty = start_shell("GCL_COOKIE=", "", ""),
    {[?PROGRAM ": GCL_COOKIE: " ++ _], 64} = example_program:no_more(Empty).

%% Without one of its own the tests above have had that of ~/.erlang.cookie.
no_cookie(Scratch) ->
    {[Line], 64} = run(["--sname", name()], [{"HOME", Scratch}, {"GCL_COOKIE", false}]),
    {match, _} = re:run(Line, "[.]erlang[.]cookie: No such file.*GCL_COOKIE").

cookie_not_on_the_command_line(_) ->
    {[?PROGRAM ": --cookie: unknown option" ++ _], 64} = run(["--cookie", "x", "--sname", name()]).

%% A node of OTP that stands still for longer is taken for lost, which it sees when it goes on; by
%% its own 60 seconds it would not be.
net_ticktime(_) ->
    {Port, Node, _} = member(["--sname", name(), "--net-ticktime", "4"]),
    Eval = lists:flatten(
        io_lib:format(
            "pong = net_adm:ping('~ts'), monitor_node('~ts', true), io:format(\"pong~~n\"),"
            "receive {nodedown, _} -> io:format(\"nodedown~~n\") end.",
            [Node, Node]
        )
    ),
    Args = ["-sname", name(), "-noshell", "-eval", Eval],
    Peer = example_program:start_at(os:find_executable("erl"), Args, []),
    [] = example_program:line(Peer, "^pong"),
    ok = example_program:signal(Peer, "STOP"),
    receive
    after 6000 -> ok
    end,
    ok = example_program:signal(Peer, "CONT"),
    [] = example_program:line(Peer, "^nodedown"),
    ok = example_program:signal(Peer, "KILL"),
    example_program:stop(Port).

signals(_) ->
    [
        begin
            {Port, Node, _} = member(["--sname", name()]),
            pong = net_adm:ping(Node),
            monitor_node(Node, true),
            ok = example_program:signal(Port, Signal),
            0 = example_program:ended(Port),
            receive
                {nodedown, Node} -> ok
            after 5000 -> error(no_nodedown)
            end
        end
     || Signal <- ["TERM", "INT"]
    ].

%% Closing a port closes the input of its program, and its output, too.
end_of_input(_) ->
    {Port, Node, _} = member(["--sname", name(), "--until-stdin-eof"]),
    pong = net_adm:ping(Node),
    monitor_node(Node, true),
    true = port_close(Port),
    receive
        {nodedown, Node} -> ok
    after 5000 -> error(no_nodedown)
    end.

%% Whatever its input is: the member ends with it, with status 0, or does not look at it.
kinds_of_input(Scratch) ->
    File = filename:join(Scratch, "input"),
    ok = file:write_file(File, binary:copy(<<"some input\n">>, 1000)),
    [
        {Input, 0} = {Input, shell("--until-stdin-eof", Input)}
     || Input <- ["</dev/null", "<&-", "<" ++ File, "<" ++ Scratch]
    ],
    [
        begin
            Port = start_shell("", "", Input),
            _ = example_program:ready(Port),
            ok = example_program:stop(Port)
        end
     || Input <- ["</dev/null", "<&-", "<" ++ File]
    ].

shell(Option, Input) -> example_program:ended(start_shell("", Option, Input)).

start_shell(Variable, Option, Input) ->
    Command = lists:flatten(
        io_lib:format(
            "~ts exec priv/bin/~ts --sname ~ts ~ts ~ts", [Variable, ?PROGRAM, name(), Option, Input]
        )
    ),
    open_port({spawn_executable, "/bin/sh"}, [
        {args, ["-c", Command]}, {line, 1000}, exit_status, use_stdio, stderr_to_stdout
    ]).

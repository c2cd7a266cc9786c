%% SPDX-License-Identifier: Apache-2.0
%% What the suites of `global` share: BEAMs and C nodes (test/c/programs/server.c), visible and
%% hidden. What is asked of one has a deadline of five seconds: nobody may wait. All suites await
%% with it what is no event.
-module(global_helper).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([begin_case/1, end_case/1]).
-export([beam/0, beam/1, beam/2, named_beam/2, hidden_beam/0, cookie/0]).
-export([named_c_node/3]).
-export([c_node/0, c_node/1, c_node/3, c_name/1, program/3, program/4, line/2, lines_until/2]).
-export([kill/1, signal/2, os_pid/1]).
-export([name/1, names/1, on/4, on/5, peer_catch/4, ask/3, join/2, connect/3, mesh/2, mesh/3, in_sync/2]).
-export([none/3]).
-export([await/1, await/2, pause/1, process/1, lock/4, run/0, do_lock/3]).

-define(DEADLINE, 20000).
-define(SOON, 5000).

%% Nodes end with the case, also with one that was killed because its time was up.
begin_case(Config) ->
    Self = self(),
    {Keeper, _} = spawn_monitor(fun() ->
        ?MODULE = ets:new(?MODULE, [named_table, public]),
        Self ! kept,
        receive
            stop -> ok
        end
    end),
    receive
        kept -> [{keeper, Keeper} | Config]
    end.

end_case(Config) ->
    [catch peer:stop(Peer) || {Peer, _} <- ets:tab2list(?MODULE), is_pid(Peer)],
    %% A port that is closed does not end a program that stands still.
    [
        os:cmd("kill -KILL " ++ integer_to_list(OsPid))
     || {OsPid, _} <- ets:tab2list(?MODULE), is_integer(OsPid)
    ],
    ?config(keeper, Config) ! stop,
    ok.

%% --- nodes --------------------------------------------------------------------------------------

beam() -> beam([]).

hidden_beam() -> beam(["-hidden"]).

beam(Args) -> beam("gcl_b", Args).

beam(Prefix, Args) -> named_beam(peer:random_name(Prefix), Args).

named_beam(Name, Args) ->
    Ebin = filename:dirname(code:which(?MODULE)),
    {ok, Peer, Node} = peer:start(#{
        name => Name,
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        wait_boot => 3 * ?DEADLINE,
        args =>
            ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "logger_level"] ++
            ["error", "-setcookie", cookie(), "-pa", Ebin | Args]
    }),
    true = ets:insert(?MODULE, {Peer, Node}),
    {Peer, Node}.

cookie() -> atom_to_list(erlang:get_cookie()).

c_name(Prefix) -> peer:random_name(Prefix) ++ "@127.0.0.1".

c_node() -> c_node("gcl_c").

c_node(Prefix) -> c_node(Prefix, ["visible"]).

c_node(Prefix, Args) -> c_node("server", Prefix, Args).

c_node(Program, Prefix, Args) -> named_c_node(Program, c_name(Prefix), Args).

named_c_node(Program, Name, Args) ->
    Port = program(Program, Name, Args),
    _ = line(Port, "ready"),
    {Port, list_to_atom(Name)}.

program(Program, Name, Args) -> program(Program, Name, Args, []).

program(Program, Name, Args, Env) ->
    Port = open_port({spawn_executable, filename:join([os:getenv("GCL_BIN"), Program])}, [
        {args, [Name | Args]},
        {env, [{"GCL_COOKIE", cookie()} | Env]},
        {line, 4096},
        exit_status,
        stderr_to_stdout
    ]),
    %% One that is refused may have ended already.
    case erlang:port_info(Port, os_pid) of
        {os_pid, OsPid} -> true = ets:insert(?MODULE, {OsPid, Name});
        undefined -> ok
    end,
    Port.

%% The next line of a program with this text.
line(Port, Wanted) -> lists:last(lines_until(Port, Wanted)).

%% All lines up to the next one with this text.
lines_until(Port, Wanted) ->
    receive
        {Port, {data, {eol, Line}}} ->
            case string:find(Line, Wanted) of
                nomatch -> [Line | lines_until(Port, Wanted)];
                _ -> [Line]
            end
    after 3 * ?DEADLINE -> ct:fail({no_line, Wanted})
    end.

name({_, Node}) -> Node.

names(Nodes) -> lists:sort([name(Node) || Node <- Nodes]).

os_pid({Port, _}) ->
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    OsPid.

signal(C, Signal) ->
    "" = os:cmd("kill -" ++ Signal ++ " " ++ integer_to_list(os_pid(C))),
    ok.

kill({Port, _} = C) ->
    ok = signal(C, "KILL"),
    receive
        {Port, {exit_status, _}} -> ok
    after ?DEADLINE -> ct:fail(not_killed)
    end.

on(Beam, Module, Function, Args) -> on(Beam, Module, Function, Args, ?SOON).

on({Peer, _}, Module, Function, Args, Ms) -> peer:call(Peer, Module, Function, Args, Ms).

peer_catch({Peer, _}, Module, Function, Args) ->
    peer:call(Peer, rpc, call, [node_of(Peer), Module, Function, Args], ?SOON).

node_of(Peer) -> peer:call(Peer, erlang, node, []).

ask(Beam, {_, C}, Request) ->
    on(Beam, gen_server, call, [{server, C}, Request, ?SOON]).

join(Beam, Node) ->
    ?assert(on(Beam, net_kernel, connect_node, [name(Node)])).

%% One C node sends something to another.
connect(Asker, C, {_, Node}) -> ok = ask(Asker, C, {send, {nobody, Node}, hello}).

mesh(Beams, Cs) -> mesh(Beams, Cs, fun c_node/0).

mesh(Beams, Cs, Start) ->
    Bs = [A | _] = [beam() || _ <- lists:seq(1, Beams)],
    All = [Start() || _ <- lists:seq(1, Cs)],
    [join(A, N) || N <- tl(Bs) ++ All],
    in_sync(Bs, All),
    {Bs, All}.

%% Everybody is, as everybody says.
in_sync(Beams, Cs) ->
    All = [name(N) || N <- Beams ++ Cs],
    [
        begin
            Synced = fun() ->
                lists:sort(on(B, gen_server, call, [{global_name_server, N}, get_synced]))
            end,
            await(fun() -> Synced() =:= lists:sort(All -- [N]) end)
        end
     || B <- [hd(Beams)], N <- All
    ],
    [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams].

none(Asker, Nodes, Name) ->
    [
        await(fun() ->
            case is_port(element(1, Node)) of
                true -> ask(Asker, Node, {global_whereis, Name}) =:= {error, 'GCL_ENOPROC'};
                false -> on(Node, global, whereis_name, [Name]) =:= undefined
            end
        end)
     || Node <- Nodes
    ].

%% What cannot be awaited as an event: a state of another node.
await(Holds) -> await(Holds, ?SOON).

await(Holds, Ms) -> await_until(Holds, erlang:monotonic_time(millisecond) + Ms).

await_until(Holds, Until) ->
    case Holds() of
        true ->
            ok;
        false ->
            erlang:monotonic_time(millisecond) < Until orelse ct:fail({never_so, Holds}),
            pause(20),
            await_until(Holds, Until)
    end.

pause(Ms) ->
    receive
    after Ms -> ok
    end.

%% --- processes of BEAMs -------------------------------------------------------------------------

process(Beam) -> on(Beam, erlang, spawn, [fun run/0]).

%% Does what it is told, so that locks are held by somebody.
run() ->
    receive
        {From, Function, Args} ->
            From ! {self(), apply(global, Function, Args)},
            run()
    end.

lock(Beam, Pid, Function, Args) -> on(Beam, erlang, apply, [fun do_lock/3, [Pid, Function, Args]]).

do_lock(Pid, Function, Args) ->
    Pid ! {self(), Function, Args},
    receive
        {Pid, Result} -> Result
    end.

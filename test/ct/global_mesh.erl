%% SPDX-License-Identifier: Apache-2.0
%% Meshes of BEAMs and visible C nodes (test/c/programs/server.c), for suites that have nodes die and
%% connections break: what each node is told, what it is asked, and what has to hold at rest.
%%
%% Nodes are told what to do without connections of theirs: BEAMs by their input and output, C nodes
%% by connections to this node, which is hidden. A node that cannot reach another one has another
%% cookie: what is connected stays so, and no handshake succeeds.
-module(global_mesh).

-export([beam/1, c_node/2, stop/1, kill/1, has_ended/2, doom/2, pause/2, node_of/1, is_c/1]).
-export([connect/2, await_connection/1, disconnect/2, disconnect_all/2, split/2]).
-export([cookie/2, base_cookie/0]).
-export([claim/2, give_back/2, kill_claimers/1, kill_holder/2, whereis_name/2, is_alive/2]).
-export([sync/1, lock/2, kill_lockers/1]).
-export([connected/1, known/1, synced/1, in_sync/1, is_in_sync/1, locked/2, is_not_held_up/2]).
-export([forgetful/2, await/1, await/2, on/4, on/5, ask/2, ask/3]).
%% On BEAMs.
-export([start_claimer/1, start_locker/1, start_doom/1, kill_all/1, own_pid/1]).

-type node_handle() :: {beam | c, pid(), node(), string()}.
-export_type([node_handle/0]).

-define(DEADLINE, 60000).
-define(SOON, 20000).

%% --- nodes -------------------------------------------------------------------------------------

%% Starts a BEAM of that name (without host). It ends with the process that has started it, as C nodes
%% do; its peer ends when it does.
-spec beam(string()) -> node_handle().
beam(Name) ->
    Ebin = filename:dirname(code:which(?MODULE)),
    {ok, Peer, Node} = peer:start(#{
        name => Name,
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        wait_boot => ?DEADLINE,
        args =>
            ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "logger_level"] ++
            ["emergency", "-setcookie", base_cookie(), "-pa", Ebin]
    }),
    Starter = self(),
    spawn(fun() -> guard(Peer, monitor(process, Starter), monitor(process, Peer)) end),
    {beam, Peer, Node, peer:call(Peer, os, getpid, [])}.

guard(Peer, Starter, Ended) ->
    receive
        {'DOWN', Starter, _, _, _} -> catch peer:stop(Peer);
        {'DOWN', Ended, _, _, _} -> ok
    end.

%% Starts a visible C node: the program `server`, or another one, with more arguments and variables.
-spec c_node(string(), #{
    program => string(), args => [string()], env => [{string(), string()}]
}) -> node_handle().
c_node(Name, Options) ->
    Full = Name ++ "@127.0.0.1",
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() -> own(Self, Full, Options) end),
    receive
        {Owner, ready, OsPid} ->
            erlang:demonitor(Monitor, [flush]),
            Node = list_to_atom(Full),
            {c, Owner, Node, integer_to_list(OsPid)};
        {'DOWN', Monitor, process, Owner, Reason} ->
            error({not_ready, Reason})
    after ?DEADLINE -> error(not_ready)
    end.

own(Starter, Name, Options) ->
    Program = filename:join(os:getenv("GCL_BIN"), maps:get(program, Options, "server")),
    Port = open_port({spawn_executable, Program}, [
        {args, [Name, "visible" | maps:get(args, Options, [])]},
        {env, [{"GCL_COOKIE", base_cookie()} | maps:get(env, Options, [])]},
        {line, 4096},
        exit_status,
        stderr_to_stdout
    ]),
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    own(Starter, Port, OsPid, monitor(process, Starter)).

own(Starter, Port, OsPid, Monitor) -> own(Starter, Port, OsPid, Monitor, []).

own(Starter, Port, OsPid, Monitor, Locked) ->
    receive
        {locked, Id, Nodes} ->
            own(Starter, Port, OsPid, Monitor, [{Id, Nodes} | Locked]);
        {unlocked, From} ->
            From ! {self(), unlocked, Locked},
            own(Starter, Port, OsPid, Monitor);
        {Port, {data, {eol, "ready " ++ _}}} ->
            Starter ! {self(), ready, OsPid},
            own(Starter, Port, OsPid, Monitor, Locked);
        {Port, {exit_status, Status}} ->
            exit({exit_status, Status});
        stop ->
            port_close(Port);
        {'DOWN', Monitor, process, Starter, _} ->
            port_close(Port);
        _ ->
            own(Starter, Port, OsPid, Monitor, Locked)
    end.

base_cookie() -> atom_to_list(erlang:get_cookie()).

node_of({_, _, Node, _}) -> Node.
is_c({Kind, _, _, _}) -> Kind =:= c.

stop({beam, Peer, _, _}) -> catch peer:stop(Peer);
stop({c, Owner, _, _}) -> Owner ! stop.

%% The operating system kills it; returns when it has ended, perhaps by itself: one that is doomed may
%% get its last message just now.
kill({_, Owner, _, OsPid}) ->
    Monitor = monitor(process, Owner),
    _ = os:cmd("kill -KILL " ++ OsPid),
    receive
        {'DOWN', Monitor, process, Owner, _} -> ok
    after ?DEADLINE -> error(not_killed)
    end.

%% Within the deadline it has ended by itself.
has_ended({_, Owner, _, _}, Ms) ->
    Monitor = monitor(process, Owner),
    receive
        {'DOWN', Monitor, process, Owner, _} -> true
    after Ms ->
        erlang:demonitor(Monitor, [flush]),
        false
    end.

%% A BEAM ends behind the N-th message that one of its processes of `global` gets or sends.
doom({beam, _, _, _} = N, Count) -> on(N, ?MODULE, start_doom, [Count]).

%% The node stands still for a while, and so does all that is on its way to it. It goes on, too, when
%% this node has ended meanwhile: else nobody would ever end it.
pause({_, _, _, OsPid}, Ms) ->
    Seconds = io_lib:format("~.3f", [Ms / 1000]),
    Command = ["kill -STOP ", OsPid, "; sleep ", Seconds, "; kill -CONT ", OsPid],
    spawn(fun() -> os:cmd(lists:flatten(Command)) end).

on(Beam, Module, Function, Args) -> on(Beam, Module, Function, Args, ?SOON).
on({beam, Peer, _, _}, Module, Function, Args, Deadline) ->
    peer:call(Peer, Module, Function, Args, Deadline).

ask(C, Request) -> ask(C, Request, ?SOON).
ask({c, _, Node, _}, Request, Deadline) -> gen_server:call({server, Node}, Request, Deadline).

%% --- what nodes are told -----------------------------------------------------------------------

connect({beam, _, _, _} = N, Other) -> on(N, net_kernel, connect_node, [node_of(Other)]);
connect(N, Other) -> ask(N, {send, {nobody, node_of(Other)}, hello}).

disconnect({beam, _, _, _} = N, Other) -> on(N, erlang, disconnect_node, [node_of(Other)]);
disconnect(N, Other) -> ask(N, {disconnect, node_of(Other)}).

%% All nodes lose those of the other side at the same time, as far as can be: what one says to others
%% about its loss reaches nobody on the other side.
split(Side, Other) ->
    Cutting =
        [spawn_monitor(fun() -> disconnect_all(N, Other) end) || N <- Side] ++
        [spawn_monitor(fun() -> disconnect_all(N, Side) end) || N <- Other],
    [
        receive
            {'DOWN', Monitor, process, Pid, normal} -> ok
        after ?DEADLINE -> error(not_split)
        end
     || {Pid, Monitor} <- Cutting
    ],
    ok.

disconnect_all({beam, _, _, _} = N, Others) ->
    on(N, lists, foreach, [fun erlang:disconnect_node/1, [node_of(M) || M <- Others]]);
disconnect_all({c, _, Node, _}, Others) ->
    Requests = [
        gen_server:send_request({server, Node}, {disconnect, node_of(M)})
     || M <- Others
    ],
    [{reply, _} = gen_server:wait_response(Request, ?SOON) || Request <- Requests],
    ok.

%% This node can tell a C node what to do from the first time on.
await_connection({c, _, Node, _}) -> true = net_kernel:connect_node(Node);
await_connection(_) -> true.

%% For handshakes to come.
cookie({beam, _, Node, _} = N, Cookie) -> on(N, erlang, set_cookie, [Node, list_to_atom(Cookie)]);
cookie(N, Cookie) -> ask(N, {cookie, list_to_atom(Cookie)}).

%% A new process asks for the name, and ends if it does not get it.
claim({beam, _, _, _} = N, Name) -> on(N, ?MODULE, start_claimer, [Name], ?DEADLINE);
claim(N, Name) -> ask(N, {global_claim, Name}, ?DEADLINE).

give_back({beam, _, _, _} = N, Name) ->
    case on(N, ?MODULE, own_pid, [Name]) of
        undefined -> ok;
        _ -> on(N, global, unregister_name, [Name], ?DEADLINE)
    end;
give_back({c, _, Node, _} = N, Name) ->
    case whereis_name(N, Name) of
        Pid when node(Pid) =:= Node -> gen_server:cast(Pid, {give_back, Name});
        _ -> ok
    end.

%% If the process is one of the node.
kill_holder({_, _, Node, _} = N, Name) ->
    case whereis_name(N, Name) of
        Pid when node(Pid) =:= Node -> kill_process(N, Pid);
        _ -> ok
    end.

kill_process({beam, _, _, _} = N, Pid) -> on(N, erlang, exit, [Pid, kill]);
kill_process(_, Pid) -> exit(Pid, kill).

whereis_name({beam, _, _, _} = N, Name) ->
    on(N, global, whereis_name, [Name]);
whereis_name(N, Name) ->
    case ask(N, {global_whereis, Name}) of
        {ok, Pid} -> Pid;
        {error, 'GCL_ENOPROC'} -> undefined
    end.

%% However long that takes: for who awaits the answer to say.
sync({beam, _, _, _} = N) -> on(N, global, sync, [], infinity);
sync({c, _, Node, _}) -> gns(Node, {sync, known(Node)}, infinity).

%% A process of the node locks the resource wherever it can. On a C node that is its server, which
%% lives on: what it has locked is kept in mind for kill_lockers/1.
lock({beam, _, _, _} = N, Resource) ->
    on(N, ?MODULE, start_locker, [Resource]);
lock({c, Owner, Node, _} = N, Resource) ->
    Nodes = [Node | known(Node)],
    Id = {Resource, ask(N, self)},
    Owner ! {locked, Id, Nodes},
    [tell_server(N, To, {set_lock, Id}) || To <- Nodes].

kill_lockers({beam, _, _, _} = N) ->
    on(N, ?MODULE, kill_all, [locker]);
kill_lockers({c, Owner, _, _} = N) ->
    Owner ! {unlocked, self()},
    receive
        {Owner, unlocked, Locked} ->
            [tell_server(N, To, {del_lock, Id}) || {Id, Nodes} <- Locked, To <- Nodes]
    after ?SOON -> error(no_owner)
    end.

%% Those of a BEAM that have got names by claim/2.
kill_claimers({beam, _, _, _} = N) -> on(N, ?MODULE, kill_all, [claimer]);
kill_claimers(_) -> ok.

tell_server(N, To, Request) ->
    ask(N, {call, {global_name_server, To}, Request, ?SOON}, ?DEADLINE).

is_alive({beam, _, _, _} = N, Pid) ->
    on(N, erlang, is_process_alive, [Pid]);
is_alive(_, Pid) ->
    Monitor = monitor(process, Pid),
    receive
        {'DOWN', Monitor, process, Pid, _} -> false
    after 50 -> erlang:demonitor(Monitor, [flush])
    end.

%% --- on BEAMs ----------------------------------------------------------------------------------

start_claimer(Name) -> hold(claimer, fun() -> global:register_name(Name, self()) end, yes).

start_locker(Resource) ->
    hold(locker, fun() -> global:set_lock({Resource, self()}, [node() | nodes()], 0) end, true).

%% A process that keeps what it gets, or ends. It is known by its dictionary.
hold(Kind, Get, Wanted) ->
    Self = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
        put(?MODULE, Kind),
        Got = Get(),
        Self ! {self(), Got},
        Got =:= Wanted andalso timer:sleep(infinity)
    end),
    receive
        {Pid, Got} -> Got;
        {'DOWN', Monitor, process, Pid, Reason} -> Reason
    end.

kill_all(Kind) ->
    [exit(P, kill) || P <- processes(), is_of(Kind, process_info(P, dictionary))],
    ok.

is_of(Kind, {dictionary, Dictionary}) -> lists:member({?MODULE, Kind}, Dictionary);
is_of(_, undefined) -> false.

start_doom(Count) ->
    Server = whereis(global_name_server),
    %% spec: global, #state.the_locker, #state.the_registrar
    Others = [P || P <- tuple_to_list(sys:get_state(Server)), is_pid(P)],
    Self = self(),
    Tracer = spawn(fun() ->
        [1 = erlang:trace(P, true, [send, 'receive']) || P <- [Server | Others]],
        Self ! {self(), traced},
        await_doom(Count)
    end),
    receive
        {Tracer, traced} -> ok
    end.

await_doom(0) -> erlang:halt(0, [{flush, false}]);
await_doom(Count) ->
    receive
        _ -> await_doom(Count - 1)
    end.

own_pid(Name) ->
    case global:whereis_name(Name) of
        Pid when node(Pid) =:= node() -> Pid;
        _ -> undefined
    end.

%% --- what nodes say of themselves --------------------------------------------------------------

gns(Node, Request, Deadline) -> gen_server:call({global_name_server, Node}, Request, Deadline).

connected({beam, _, _, _} = N) -> lists:sort(on(N, erlang, nodes, []));
connected({c, _, Node, _}) -> known(Node).

known({beam, _, _, _} = N) -> lists:sort(on(N, gen_server, call, [global_name_server, get_known]));
known({c, _, Node, _}) -> known(Node);
known(Node) -> lists:sort(gns(Node, get_known, ?SOON)).

synced({beam, _, _, _} = N) -> lists:sort(on(N, gen_server, call, [global_name_server, get_synced]));
synced({c, _, Node, _}) -> lists:sort(gns(Node, get_synced, ?SOON)).

is_in_sync(Nodes) ->
    Names = lists:sort([node_of(N) || N <- Nodes]),
    lists:all(
        fun(N) ->
            Others = Names -- [node_of(N)],
            known(N) =:= Others andalso synced(N) =:= Others
        end,
        Nodes
    ).

in_sync(Nodes) -> await(fun() -> is_in_sync(Nodes) end).

%% Those of the resources that are locked at the node.
locked({beam, _, _, _} = N, _) ->
    [Resource || {Resource, _, _} <- on(N, ets, tab2list, [global_locks])];
locked({c, _, Node, _}, Resources) ->
    [Resource || Resource <- Resources, not is_free(Node, Resource)].

is_free(Node, Resource) ->
    Id = {Resource, self()},
    case gns(Node, {set_lock, Id}, ?SOON) of
        true -> true = gns(Node, {del_lock, Id}, ?SOON);
        false -> false
    end.

%% What a program does on the node, and nobody may be kept waiting for: a name of its own is registered
%% and given back, and on a BEAM global:sync/0 returns. Each within so many milliseconds.
is_not_held_up({beam, _, _, _} = N, Within) ->
    Pid = on(N, erlang, whereis, [init]),
    Name = {?MODULE, make_ref()},
    yes = on(N, global, register_name, [Name, Pid], Within),
    _ = on(N, global, unregister_name, [Name], Within),
    ok = on(N, global, sync, [], Within);
is_not_held_up(N, Within) ->
    {ok, Pid} = ask(N, {global_claim, {?MODULE, make_ref()}}, Within),
    true = exit(Pid, kill),
    ok.

%% BEAMs of OTP 27 and later that have forgotten who has the name, as they do (doc/global.md), though
%% all others agree on who it is: with that one's node. None: nobody has, or somebody else is wrong.
forgetful(Nodes, Name) ->
    {Without, With} = lists:partition(fun(N) -> whereis_name(N, Name) =:= undefined end, Nodes),
    case lists:usort([whereis_name(N, Name) || N <- With]) of
        [Pid] when Without =/= [] ->
            Holders = [N || N <- With, node_of(N) =:= node(Pid)],
            case lists:all(fun may_forget/1, Without) of
                true -> [{N, Holder} || N <- Without, Holder <- Holders];
                false -> []
            end;
        _ ->
            []
    end.

may_forget({beam, _, _, _} = N) -> list_to_integer(on(N, erlang, system_info, [otp_release])) >= 27;
may_forget(_) -> false.

%% --- awaiting what is no event: a state of another node ----------------------------------------

await(Holds) -> await(Holds, ?DEADLINE).

await(Holds, Ms) -> await_until(Holds, erlang:monotonic_time(millisecond) + Ms).

await_until(Holds, Until) ->
    case Holds() of
        true ->
            ok;
        false ->
            erlang:monotonic_time(millisecond) < Until orelse error(never_so),
            receive
            after 25 -> ok
            end,
            await_until(Holds, Until)
    end.

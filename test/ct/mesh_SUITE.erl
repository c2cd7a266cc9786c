%% SPDX-License-Identifier: Apache-2.0
%% Two visible C nodes in one mesh with BEAMs of several releases of OTP: those that GCL_MESH names
%% ("25 27 29"), one BEAM each. `make test-otp` runs it, because it brings the releases.
%%
%% This node is hidden from the mesh and tells its BEAMs what to do by their input. They load none
%% of the modules of the tests: what one release has compiled need not load on another.
-module(mesh_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    every_node_is_seen_by_all/1,
    names_of_each_node_are_seen_by_all/1,
    a_name_is_in_one_place_when_partitions_meet/1,
    locks_over_all_nodes_are_kept/1,
    c_nodes_wait_for_the_lock_of_names/1,
    a_node_of_each_release_dies/1,
    a_c_node_dies/1,
    calls_go_from_each_node_to_each/1,
    groups_are_seen_by_all/1,
    the_lead_of_c_members_is_seen_and_taken_over/1
]).

-define(DEADLINE, 20000).
%% In which a BEAM must have its answer.
-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        every_node_is_seen_by_all,
        names_of_each_node_are_seen_by_all,
        a_name_is_in_one_place_when_partitions_meet,
        locks_over_all_nodes_are_kept,
        c_nodes_wait_for_the_lock_of_names,
        a_node_of_each_release_dies,
        a_c_node_dies,
        calls_go_from_each_node_to_each,
        groups_are_seen_by_all,
        the_lead_of_c_members_is_seen_and_taken_over
    ].

init_per_suite(Config) ->
    Beams = [First | Others] = [beam(Release) || Release <- releases()],
    Cs = [c_node("server", []) || _ <- [1, 2]],
    [join(First, Node) || Node <- Others ++ Cs],
    in_sync(Beams, Cs),
    [{beams, Beams}, {cs, Cs} | Config].

end_per_suite(Config) ->
    [stop(Node) || Node <- ?config(beams, Config) ++ ?config(cs, Config)],
    ok.

releases() -> string:lexemes(os:getenv("GCL_MESH"), " ").

%% --- cases ------------------------------------------------------------------------------------

every_node_is_seen_by_all(Config) ->
    {Beams, Cs} = mesh(Config),
    All = names(Beams ++ Cs),
    [?assertEqual(All -- [name(B)], lists:sort(on(B, erlang, nodes, []))) || B <- Beams],
    [?assertEqual(All -- [name(N)], known(N)) || N <- Beams ++ Cs],
    [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams],
    [?assertEqual([], on(B, erlang, nodes, [hidden]) -- [node()]) || B <- Beams].

names_of_each_node_are_seen_by_all(Config) ->
    {Beams, Cs} = mesh(Config),
    OfBeams = [{{name, name(B)}, process(B), B} || B <- Beams],
    [?assertEqual(yes, on(B, global, register_name, [Name, Pid])) || {Name, Pid, B} <- OfBeams],
    OfCs = [
        begin
            {ok, Pid} = ask(C, {global_claim, {name, name(C)}}),
            {{name, name(C)}, Pid, C}
        end
     || C <- Cs
    ],
    [
        ?assertEqual({Name, Pid}, {Name, whereis_name(N, Name)})
     || {Name, Pid, _} <- OfBeams ++ OfCs, N <- Beams ++ Cs
    ],
    %% Each is taken for the others, and free again when its process has ended.
    [
        ?assertEqual(no, on(B, global, register_name, [Name, process(B)]))
     || {Name, _, Of} <- OfBeams ++ OfCs, B <- Beams, B =/= Of
    ],
    [exit(Pid, kill) || {_, Pid, _} <- OfBeams ++ OfCs],
    [await(fun() -> whereis_name(N, Name) =:= undefined end) ||
        {Name, _, _} <- OfBeams ++ OfCs, N <- Beams ++ Cs],
    ok.

%% Each release meets each other.
a_name_is_in_one_place_when_partitions_meet(_Config) ->
    [meet(One, Other) || One <- releases(), Other <- releases(), One < Other],
    ok.

meet(One, Other) ->
    Left = beam(One),
    Right = beam(Other),
    [C, D] = Cs = [c_node("server", []) || _ <- [1, 2]],
    join(Left, C),
    join(Right, D),
    in_sync([Left], [C]),
    in_sync([Right], [D]),
    yes = on(Left, global, register_name, [both, process(Left)]),
    {ok, _} = ask(D, {global_claim, both}),
    {ok, _} = ask(C, {global_claim, other}),
    yes = on(Right, global, register_name, [other, process(Right)]),
    yes = on(Right, global, register_name, [beams, process(Right)]),
    yes = on(Left, global, register_name, [beams, process(Left)]),
    {ok, _} = ask(C, {global_claim, cs}),
    {ok, _} = ask(D, {global_claim, cs}),
    Nodes = [Left, Right | Cs],
    join(Left, Right),
    in_sync([Left, Right], Cs),
    [
        begin
            [Pid | Pids] = [whereis_name(N, Name) || N <- Nodes],
            ?assert(is_pid(Pid)),
            [?assertEqual({Name, Pid}, {Name, P}) || P <- Pids]
        end
     || Name <- [both, other, beams, cs]
    ],
    [stop(N) || N <- Nodes],
    ok.

locks_over_all_nodes_are_kept(Config) ->
    {Beams, Cs} = mesh(Config),
    Nodes = names(Beams ++ Cs),
    [
        begin
            Holder = holder(mesh, B, Nodes),
            %% Each node keeps it by itself.
            [?assertNot(try_lock(mesh, Other, [N])) || Other <- Beams, N <- Nodes],
            exit(Holder, kill),
            [await(fun() -> try_lock(mesh, Other, Nodes) end) || Other <- Beams]
        end
     || B <- Beams
    ],
    ok.

%% Holds it until it is killed, and has a name as long.
holder(Resource, Beam, Nodes) ->
    Text =
        "true = global:set_lock({Resource, self()}, Nodes), register(holder, self()),"
        "receive stop -> ok end.",
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    Bindings = [{'Nodes', Nodes}, {'Resource', Resource}],
    Pid = on(Beam, erlang, spawn, [erl_eval, exprs, [Expressions, Bindings]]),
    await(fun() -> on(Beam, erlang, whereis, [holder]) =:= Pid end),
    Pid.

%% The process that has it ends with the call, and gives it back before.
try_lock(Resource, Beam, Nodes) ->
    Id = {Resource, make_ref()},
    on(Beam, global, trans, [Id, fun erlang:is_alive/0, Nodes, 0]) =:= true.

%% spec: global.erl takes a name under the lock of the resource `global` on all nodes.
c_nodes_wait_for_the_lock_of_names(Config) ->
    {Beams, Cs} = mesh(Config),
    Nodes = names(Beams ++ Cs),
    [
        begin
            Name = {taken, name(B), name(C)},
            Holder = holder(global, B, Nodes),
            Id = gen_server:send_request({server, name(C)}, {global_register, Name}),
            %% What must not happen while it is held.
            ?assertEqual(timeout, gen_server:wait_response(Id, 300)),
            exit(Holder, kill),
            ?assertEqual({reply, ok}, gen_server:receive_response(Id, ?SOON)),
            [?assertEqual(ask(C, self), whereis_name(N, Name)) || N <- Beams ++ Cs],
            ok = ask(C, {global_unregister, Name})
        end
     || B <- Beams, C <- Cs
    ],
    ok.

a_node_of_each_release_dies(Config) ->
    {[First | _] = Beams, Cs} = mesh(Config),
    [
        begin
            Dying = beam(Release),
            Node = name(Dying),
            join(First, Dying),
            in_sync([Dying | Beams], Cs),
            yes = on(Dying, global, register_name, [of_the_dead, process(Dying)]),
            [?assert(is_pid(whereis_name(N, of_the_dead))) || N <- Beams ++ Cs],
            kill(Dying),
            [
                await(fun() ->
                    whereis_name(N, of_the_dead) =:= undefined andalso
                        not lists:member(Node, known(N))
                end)
             || N <- Beams ++ Cs
            ],
            [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams]
        end
     || Release <- releases()
    ],
    every_node_is_seen_by_all(Config).

a_c_node_dies(Config) ->
    {[First | _] = Beams, Cs} = mesh(Config),
    Dying = c_node("server", []),
    Node = name(Dying),
    join(First, Dying),
    in_sync(Beams, [Dying | Cs]),
    ok = ask(Dying, {global_register, of_the_dead}),
    [?assert(is_pid(whereis_name(N, of_the_dead))) || N <- Beams ++ Cs],
    kill(Dying),
    [
        await(fun() ->
            whereis_name(N, of_the_dead) =:= undefined andalso not lists:member(Node, known(N))
        end)
     || N <- Beams ++ Cs
    ],
    [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams],
    every_node_is_seen_by_all(Config).

calls_go_from_each_node_to_each(Config) ->
    {Beams, Cs} = mesh(Config),
    [
        begin
            Name = name(N),
            ?assertEqual(Name, on(B, erpc, call, [Name, erlang, node, [], ?SOON])),
            ?assertEqual(Name, on(B, rpc, call, [Name, erlang, node, [], ?SOON])),
            ?assertEqual(Name, on(B, rpc, block_call, [Name, erlang, node, [], ?SOON])),
            ?assertEqual(pong, on(B, net_adm, ping, [Name])),
            ?assertMatch(
                {badrpc, {'EXIT', {undef, _}}}, on(B, rpc, call, [Name, nobody, here, [], ?SOON])
            )
        end
     || B <- Beams, N <- Beams ++ Cs
    ],
    [
        begin
            {Good, Bad} = on(B, rpc, multicall, [names(Beams ++ Cs), erlang, node, [], ?SOON]),
            ?assertEqual({names(Beams ++ Cs), []}, {lists:sort(Good), Bad}),
            [?assertEqual(1, on(B, gen_server, call, [{server, name(C)}, {echo, 1}])) || C <- Cs]
        end
     || B <- Beams
    ],
    [
        ?assertEqual({ok, yes}, ask(C, {call, {net_kernel, name(N)}, {is_auth, name(C)}, ?SOON}))
     || C <- Cs, N <- Beams ++ Cs, N =/= C
    ].

%% A scope that is on OTP 25 and 29 ends on OTP 25, without any C node: so neighbours have one each.
groups_are_seen_by_all(Config) ->
    {Beams, _} = mesh(Config),
    Cs = [c_node("pg", ["visible"]) || _ <- [1, 2]],
    [join(hd(Beams), C) || C <- Cs],
    in_sync(Beams, Cs ++ ?config(cs, Config)),
    [share(Scope, Pair, Cs) || {Scope, Pair} <- scopes(Beams)],
    [stop(C) || C <- Cs],
    ok.

scopes(Beams) ->
    Pairs = lists:zip(lists:droplast(Beams), tl(Beams)),
    [{list_to_atom(lists:concat([scope, N])), [A, B]} ||
        {N, {A, B}} <- lists:zip(lists:seq(1, length(Pairs)), Pairs)].

share(Scope, Beams, Cs) ->
    Scopes = [
        begin
            {ok, Pid} = on(B, pg, start, [Scope]),
            Pid
        end
     || B <- Beams
    ],
    [ok = control(C, {start, Scope, #{}}) || C <- Cs],
    OnBeams = [process(B) || B <- Beams],
    [ok = on(B, pg, join, [Scope, group, Pid]) || {B, Pid} <- lists:zip(Beams, OnBeams)],
    OnCs = [control(C, spawn) || C <- Cs],
    [ok = control(C, {join, Scope, Pid, group}) || {C, Pid} <- lists:zip(Cs, OnCs)],
    members(Scope, Beams, Cs, OnBeams ++ OnCs),
    [exit(hd(Pids), kill) || Pids <- [OnBeams, OnCs]],
    members(Scope, Beams, Cs, tl(OnBeams) ++ tl(OnCs)),
    [?assertEqual(Pid, on(B, erlang, whereis, [Scope])) || {B, Pid} <- lists:zip(Beams, Scopes)].

members(Scope, Beams, Cs, Pids) ->
    Wanted = lists:sort(Pids),
    OnBeam = fun(B) -> on(B, pg, get_members, [Scope, group]) end,
    OnC = fun(C) -> control(C, {members, Scope, all, group}) end,
    [await(fun() -> lists:sort(OnBeam(B)) =:= Wanted end) || B <- Beams],
    [await(fun() -> lists:sort(OnC(C)) =:= Wanted end) || C <- Cs],
    ok.

%% It is a name of `global` like any other.
the_lead_of_c_members_is_seen_and_taken_over(Config) ->
    {[First | _] = Beams, Cs} = mesh(Config),
    Cluster = cluster_helper:cluster(),
    Visible = #{args => ["--visible"]},
    #{pid := C, node := Node} = One = cluster_program:start(Cluster, [], Visible),
    join(First, {none, Node}),
    in_sync(Beams, [{none, Node} | Cs]),
    cluster_helper:await_leader(C, [C]),
    #{pid := D} = cluster_program:start(Cluster, [Node], Visible),
    join(First, {none, node(D)}),
    cluster_helper:await_leader(D, [C]),
    Leads = fun(N, Pid) -> whereis_name(N, {gen_cluster, Cluster}) =:= Pid end,
    [await(fun() -> Leads(N, C) end) || N <- Beams ++ Cs],
    ok = cluster_program:kill(One),
    cluster_helper:await_leader(D, [D]),
    [await(fun() -> Leads(N, D) end) || N <- Beams ++ Cs],
    ok.

%% --- nodes --------------------------------------------------------------------------------------

mesh(Config) -> {?config(beams, Config), ?config(cs, Config)}.

name({_, Node}) -> Node.

names(Nodes) -> lists:sort([name(N) || N <- Nodes]).

%% It really is of that release.
beam(Release) ->
    {ok, Peer, Node} = peer:start(#{
        name => peer:random_name("gcl_" ++ Release),
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        exec => erl(Release),
        wait_boot => 3 * ?DEADLINE,
        args =>
            ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "logger_level"] ++
            ["error", "-setcookie", cookie()]
    }),
    Release = peer:call(Peer, erlang, system_info, [otp_release]),
    Version = peer:call(Peer, erlang, system_info, [version]),
    io:format(user, "peer: OTP ~s, erts ~s~n", [Release, Version]),
    {Peer, Node}.

erl(Release) ->
    case erlang:system_info(otp_release) of
        Release -> os:find_executable("erl");
        _ -> filename:join([os:getenv("GCL_ROOT"), "_build", "otp", Release, "bin", "erl"])
    end.

cookie() -> atom_to_list(erlang:get_cookie()).

%% The port belongs to a process that lives as long as the node shall.
c_node(Program, Args) ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    Self = self(),
    Owner = spawn(fun() -> own(Self, Program, [Name | Args]) end),
    receive
        {Owner, ready} -> {Owner, list_to_atom(Name)}
    after ?DEADLINE -> ct:fail(not_ready)
    end.

own(Self, Program, Args) ->
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), Program)}, [
        {args, Args},
        {env, [{"GCL_COOKIE", cookie()}]},
        {line, 4096},
        exit_status,
        stderr_to_stdout
    ]),
    receive
        {Port, {data, {eol, "ready " ++ _}}} -> Self ! {self(), ready}
    end,
    owner(Port).

owner(Port) ->
    receive
        stop ->
            port_close(Port);
        {kill, From} ->
            {os_pid, OsPid} = erlang:port_info(Port, os_pid),
            From ! {self(), OsPid},
            owner(Port);
        {Port, {exit_status, _}} ->
            ok;
        _ ->
            owner(Port)
    end.

stop({Owner, Node}) ->
    case is_c(Node) of
        true -> Owner ! stop;
        false -> peer:stop(Owner)
    end.

is_c(Node) -> lists:prefix("gcl_c", atom_to_list(Node)).

kill({Owner, Node} = Ended) ->
    Monitor = erlang:monitor(process, Owner),
    OsPid =
        case is_c(Node) of
            true ->
                Owner ! {kill, self()},
                receive
                    {Owner, Found} -> integer_to_list(Found)
                after ?DEADLINE -> ct:fail(no_owner)
                end;
            false ->
                on(Ended, os, getpid, [])
        end,
    "" = os:cmd("kill -KILL " ++ OsPid),
    receive
        {'DOWN', Monitor, process, Owner, _} -> ok
    after ?DEADLINE -> ct:fail(not_killed)
    end.

on({Peer, _}, Module, Function, Args) -> peer:call(Peer, Module, Function, Args, ?SOON).

ask({_, C}, Request) -> gen_server:call({server, C}, Request, ?SOON).

control({_, C}, Request) -> gen_server:call({control, C}, Request, ?SOON).

process(Beam) -> on(Beam, erlang, spawn, [timer, sleep, [infinity]]).

whereis_name({_, Node} = N, Name) ->
    case is_c(Node) of
        false ->
            on(N, global, whereis_name, [Name]);
        true ->
            case ask(N, {global_whereis, Name}) of
                {ok, Pid} -> Pid;
                {error, 'GCL_ENOPROC'} -> undefined
            end
    end.

join(Beam, Node) -> ?assert(on(Beam, net_kernel, connect_node, [name(Node)])).

%% As each says of itself.
known({_, Node}) ->
    lists:sort(gen_server:call({global_name_server, Node}, get_known, ?SOON)).

synced({_, Node}) ->
    lists:sort(gen_server:call({global_name_server, Node}, get_synced, ?SOON)).

in_sync(Beams, Cs) ->
    All = names(Beams ++ Cs),
    [await(fun() -> synced(N) =:= All -- [name(N)] end) || N <- Beams ++ Cs],
    [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams].

%% What cannot be awaited as an event: a state of another node.
await(Holds) -> global_helper:await(Holds, ?SOON).

%% SPDX-License-Identifier: Apache-2.0
%% BEAMs that are started with other flags than usual, or told to be on their own, among visible C
%% nodes: they are to these what they are to BEAMs in the same place. doc/visible.md has the table.
-module(flags_SUITE).
-behaviour(application).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    connect_all_false/1,
    hidden/1,
    dist_listen_false/1,
    a_name_from_the_cluster/1,
    sync_nodes/1,
    a_distributed_application/1,
    a_remote_shell_ends/1,
    global_disconnect/1,
    type_and_reason_are_told/1,
    a_cookie_for_one_node/1
]).
%% On the peers.
-export([load/0, start/2, stop/1, watch/0, told/1]).

-import(global_helper, [await/1, beam/0, beam/1, c_node/0, in_sync/2, join/2, name/1, on/4]).

-define(DEADLINE, 20000).
-define(APPLICATION, gen_cluster_test_distributed).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        connect_all_false,
        hidden,
        dist_listen_false,
        a_name_from_the_cluster,
        sync_nodes,
        a_distributed_application,
        a_remote_shell_ends,
        global_disconnect,
        type_and_reason_are_told,
        a_cookie_for_one_node
    ] -- left_out(erlang:system_info(otp_release)).

%% global:disconnect/0 came later.
left_out("23") -> [global_disconnect];
left_out(_) -> [].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- who takes no part in global ------------------------------------------------------------------

connect_all_false(_Config) -> is_apart(["-connect_all", "false"], #{visible => [one], hidden => []}).

hidden(_Config) -> is_apart(["-hidden"], #{visible => [], hidden => [one]}).

dist_listen_false(_Config) -> is_apart(["-dist_listen", "false"], #{visible => [], hidden => [one]}).

a_name_from_the_cluster(_Config) -> is_apart(dynamic, #{visible => [], hidden => [one]}).

%% It has the connections that it has made, and the cluster goes on without it.
is_apart(Flags, Listed) ->
    Apart = Listed#{
        listed_by_one => [late, two, usual],
        known_to_one => [late, two, usual],
        known_to_two => [late, one, usual],
        sees_name => undefined,
        takes_name => yes,
        is_name_kept => true
    },
    ?assertEqual({beam, Apart}, {beam, meets(beam, Flags)}),
    ?assertEqual({c, Apart}, {c, meets(c, Flags)}).

%% What it sees, and what is seen of it, when it has connected to one of two nodes of a cluster.
meets(Kind, Flags) ->
    Usual = beam(),
    [One, Two] = Nodes = [node_of(Kind) || _ <- [1, 2]],
    [join(Usual, Node) || Node <- Nodes],
    in_sync([Usual], Nodes),
    Other = other(Flags),
    join(Other, One),
    x = on(Other, gen_server, call, [{server, name(One)}, {echo, x}]),
    %% Whoever would come by way of others has come when a node has that came later.
    Late = c_node(),
    join(Usual, Late),
    in_sync([Usual], [Late | Nodes]),
    Server = on(Usual, gen_server, call, [{server, name(One)}, self]),
    yes = on(Usual, global, register_name, [taken, Server]),
    Roles = [
        {name(Usual), usual},
        {name(One), one},
        {name(Two), two},
        {name(Late), late},
        {on(Other, erlang, node, []), other}
    ],
    Role = fun(Ns) -> lists:sort([proplists:get_value(N, Roles, N) || N <- Ns]) end,
    Ask = fun(Node, What) -> on(Usual, gen_server, call, [{global_name_server, name(Node)}, What]) end,
    #{
        visible => Role(on(Other, erlang, nodes, [visible])),
        hidden => Role(on(Other, erlang, nodes, [hidden])),
        listed_by_one => Role(Ask(One, get_synced)),
        known_to_one => Role(Ask(One, get_known)),
        known_to_two => Role(Ask(Two, get_known)),
        sees_name => on(Other, global, whereis_name, [taken]),
        takes_name => on(Other, global, register_name, [taken, on(Other, erlang, whereis, [rex])]),
        is_name_kept => on(Usual, global, whereis_name, [taken]) =:= Server
    }.

node_of(c) ->
    c_node();
node_of(beam) ->
    Beam = beam(),
    {ok, _} = on(Beam, remote_server, start, []),
    Beam.

%% spec: erl, -name undefined: who is connected to first gives a name.
other(dynamic) ->
    {ok, Peer, nonode@nohost} = peer:start(#{
        connection => standard_io,
        wait_boot => 3 * ?DEADLINE,
        args => ["-name", "undefined@127.0.0.1", "-setcookie", global_helper:cookie()]
    }),
    {Peer, none};
other(Flags) ->
    beam(Flags).

%% --- what kernel waits for ------------------------------------------------------------------------

%% A BEAM that begins with its cluster has a C node in it, as far as it says so, before any other application starts.
sync_nodes(_Config) ->
    C = c_node(),
    Began = erlang:monotonic_time(millisecond),
    [
        begin
            Beam = beam(["-kernel", Parameter, quoted([name(C)]) | timeout()]),
            ?assertEqual([name(C)], on(Beam, erlang, nodes, [])),
            in_sync([Beam], [C]),
            peer:stop(element(1, Beam))
        end
     || Parameter <- ["sync_nodes_mandatory", "sync_nodes_optional"]
    ],
    ?assert(erlang:monotonic_time(millisecond) - Began < sync_ms()).

%% Far longer than it takes.
sync_ms() -> 60000.

timeout() -> ["-kernel", "sync_nodes_timeout", integer_to_list(sync_ms())].

quoted(Term) -> lists:flatten(io_lib:format("~0p", [Term])).

%% A C node runs no applications of Erlang. One that is listed for it runs on the next node of the list.
a_distributed_application(_Config) ->
    C = c_node(),
    Name = list_to_atom(peer:random_name("gcl_b") ++ "@127.0.0.1"),
    Distributed = [{?APPLICATION, 1000, [name(C), Name]}],
    Args = ["-kernel", "distributed", quoted(Distributed), "-kernel", "sync_nodes_mandatory"],
    [Short, _] = string:lexemes(atom_to_list(Name), "@"),
    Beam = global_helper:named_beam(Short, Args ++ [quoted([name(C)]) | timeout()]),
    ok = on(Beam, ?MODULE, load, []),
    ok = on(Beam, application, start, [?APPLICATION]),
    await(fun() -> is_pid(on(Beam, erlang, whereis, [?APPLICATION])) end),
    ok = on(Beam, application, stop, [?APPLICATION]),
    in_sync([Beam], [C]).

load() ->
    application:load(
        {application, ?APPLICATION, [{vsn, "1"}, {mod, {?MODULE, []}}, {applications, [kernel, stdlib]}]}
    ).

start(_Type, []) ->
    Self = self(),
    Pid = spawn_link(fun() ->
        true = register(?APPLICATION, self()),
        Self ! registered,
        receive
            stop -> ok
        end
    end),
    receive
        registered -> {ok, Pid}
    end.

stop(_State) -> ok.

%% --- shells ---------------------------------------------------------------------------------------

%% `-remsh`: it says at once that there is no shell, and from OTP 26 on it ends.
a_remote_shell_ends(_Config) ->
    C = c_node(),
    Terminal = terminal([
        "erl -name ", peer:random_name("gcl_b"), "@127.0.0.1 -setcookie ", global_helper:cookie(),
        " -kernel inet_dist_use_interface '{127,0,0,1}' -remsh ", atom_to_list(name(C))
    ]),
    case erlang:system_info(otp_release) of
        Old when Old < "26" ->
            shows(Terminal, "Shell process terminated!"),
            %% Ctrl-G, and `q` for the end.
            port_command(Terminal, [7]),
            shows(Terminal, "-->"),
            port_command(Terminal, "q\r"),
            ?assertEqual(0, status(Terminal));
        _ ->
            shows(Terminal, "Could not load"),
            ?assertEqual(1, status(Terminal))
    end.

terminal(Command) ->
    open_port({spawn_executable, os:find_executable("script")}, [
        {args, ["-qefc", lists:flatten(["exec ", Command]), "/dev/null"]},
        {env, [{"TERM", "xterm"}]},
        exit_status
    ]).

shows(Terminal, Text) -> shows(Terminal, Text, "").

shows(Terminal, Text, Shown) ->
    string:find(Shown, Text) =/= nomatch orelse
        receive
            {Terminal, {data, More}} -> shows(Terminal, Text, Shown ++ More);
            {Terminal, {exit_status, Status}} -> ct:fail({ended, Status, Shown})
        after ?DEADLINE -> ct:fail({not_shown, Text, Shown})
        end.

status(Terminal) ->
    receive
        {Terminal, {data, _}} -> status(Terminal);
        {Terminal, {exit_status, Status}} -> Status
    after ?DEADLINE -> ct:fail(not_ended)
    end.

%% --- connections that are given up ----------------------------------------------------------------

global_disconnect(_Config) -> [global_disconnect_of(Kind) || Kind <- [beam, c]].

global_disconnect_of(Kind) ->
    {Usual, Hidden} = {beam(), beam(["-hidden"])},
    [One, Two] = Nodes = [node_of(Kind) || _ <- [1, 2]],
    [join(Usual, Node) || Node <- Nodes],
    in_sync([Usual], Nodes),
    [join(Hidden, Node) || Node <- Nodes],
    ?assertEqual(global_helper:names(Nodes), lists:sort(on(Usual, global, disconnect, []))),
    ?assertEqual([], on(Usual, erlang, nodes, [])),
    %% The others have lost this one, and stay together.
    [
        await(fun() ->
            [name(Other)] =:= on(Hidden, gen_server, call, [{global_name_server, name(Node)}, get_known])
        end)
     || {Node, Other} <- [{One, Two}, {Two, One}]
    ],
    join(Usual, One),
    in_sync([Usual], Nodes).

type_and_reason_are_told(_Config) ->
    Told = [
        {nodedown, node, [{node_type, visible}, {nodedown_reason, disconnect}]},
        {nodeup, node, [{node_type, visible}]},
        {nodedown, node, [{node_type, visible}, {nodedown_reason, connection_closed}]}
    ],
    [?assertEqual({Kind, Told}, {Kind, lost(Kind)}) || Kind <- [beam, c]].

lost(Kind) ->
    {Usual, Node} = {beam(), node_of(Kind)},
    join(Usual, Node),
    watching = on(Usual, ?MODULE, watch, []),
    true = on(Usual, erlang, disconnect_node, [name(Node)]),
    join(Usual, Node),
    case Kind of
        beam -> peer:stop(element(1, Node));
        c -> global_helper:kill(Node)
    end,
    [
        {What, of_node(N, name(Node)), lists:sort(Info)}
     || {What, N, Info} <- on(Usual, ?MODULE, told, [3])
    ].

of_node(Node, Node) -> node.

%% A process of a peer that keeps what it is told of nodes.
watch() ->
    Self = self(),
    spawn(fun() ->
        true = register(?MODULE, self()),
        ok = net_kernel:monitor_nodes(true, [{node_type, visible}, nodedown_reason]),
        Self ! watching,
        keep([])
    end),
    receive
        watching -> watching
    end.

keep(Told) ->
    receive
        {What, Node, Info} when What =:= nodeup; What =:= nodedown ->
            keep([{What, Node, Info} | Told]);
        {told, From, Count} when length(Told) =:= Count ->
            From ! {told, lists:reverse(Told)}
    end.

told(Count) ->
    ?MODULE ! {told, self(), Count},
    receive
        {told, Told} -> Told
    end.

%% One that has another cookie than the rest is connected to by who knows it.
a_cookie_for_one_node(_Config) ->
    Usual = beam(),
    [
        begin
            Node = with_cookie(Kind, other),
            N = name(Node),
            ?assertEqual(false, on(Usual, net_kernel, connect_node, [N])),
            true = on(Usual, erlang, set_cookie, [N, other]),
            ?assertEqual(true, on(Usual, net_kernel, connect_node, [N])),
            x = on(Usual, gen_server, call, [{server, N}, {echo, x}]),
            in_sync([Usual], [Node]),
            true = on(Usual, erlang, disconnect_node, [N])
        end
     || Kind <- [beam, c]
    ].

with_cookie(beam, Cookie) ->
    Beam = node_of(beam),
    true = on(Beam, erlang, set_cookie, [name(Beam), Cookie]),
    Beam;
with_cookie(c, Cookie) ->
    Name = global_helper:c_name("gcl_c"),
    Env = [{"GCL_COOKIE", atom_to_list(Cookie)}],
    Port = global_helper:program("server", Name, ["visible"], Env),
    _ = global_helper:line(Port, "ready"),
    {Port, list_to_atom(Name)}.

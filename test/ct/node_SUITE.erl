%% SPDX-License-Identifier: Apache-2.0
%% The C node (test/c/programs/node.c) as a peer of real BEAM nodes.
-module(node_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    answers_ping/1,
    is_visible/1,
    is_hidden/1,
    gives_a_name_to_a_beam_that_asks_for_one/1,
    connects_to_a_beam/1,
    connects_to_a_beam_that_connects_to_it/1,
    stays_connected_to_a_beam_that_is_killed_and_comes_back/1,
    offers_the_recommended_flags/1,
    unknown_name_gives_noproc/1,
    monitored_name_gives_the_true_reason/1,
    monitored_name_of_a_killed_node_gives_noconnection/1,
    spawn_is_refused_at_once/1,
    says_why_a_cookie_is_refused/1,
    logs_a_wrong_cookie_of_a_peer/1,
    says_that_a_node_is_not_running/1,
    says_that_a_host_cannot_be_resolved/1,
    closes_a_silent_peer/1,
    loses_a_beam_that_never_reads_and_serves_the_others/1,
    ticks_for_an_idle_peer/1,
    comes_back_under_another_creation/1,
    keeps_the_connection_of_its_registration/1,
    is_ready_when_epmd_has_given_the_creation/1,
    finds_epmd_at_another_address/1,
    registers_again_with_a_restarted_epmd/1,
    is_ready_when_epmd_comes_up/1,
    registers_when_epmd_comes_up_later/1,
    says_that_its_name_is_taken/1,
    gives_up_a_silent_handshake/1,
    garbage_closes_only_that_connection/1
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        answers_ping,
        is_visible,
        is_hidden,
        gives_a_name_to_a_beam_that_asks_for_one,
        connects_to_a_beam,
        connects_to_a_beam_that_connects_to_it,
        stays_connected_to_a_beam_that_is_killed_and_comes_back,
        offers_the_recommended_flags,
        unknown_name_gives_noproc,
        monitored_name_gives_the_true_reason,
        monitored_name_of_a_killed_node_gives_noconnection,
        spawn_is_refused_at_once,
        says_why_a_cookie_is_refused,
        logs_a_wrong_cookie_of_a_peer,
        says_that_a_node_is_not_running,
        says_that_a_host_cannot_be_resolved,
        closes_a_silent_peer,
        loses_a_beam_that_never_reads_and_serves_the_others,
        ticks_for_an_idle_peer,
        comes_back_under_another_creation,
        keeps_the_connection_of_its_registration,
        is_ready_when_epmd_has_given_the_creation,
        finds_epmd_at_another_address,
        registers_again_with_a_restarted_epmd,
        is_ready_when_epmd_comes_up,
        registers_when_epmd_comes_up_later,
        says_that_its_name_is_taken,
        gives_up_a_silent_handshake,
        garbage_closes_only_that_connection
    ] -- left_out(erlang:system_info(otp_release)).

%% Some of the flags are unknown to OTP 23.
left_out("23") -> [offers_the_recommended_flags];
left_out(_) -> [].

init_per_suite(Config) -> Config.

end_per_suite(_Config) -> ok.

init_per_testcase(_Case, Config) ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    [{name, Name}, {cnode, list_to_atom(Name)} | Config].

end_per_testcase(_Case, _Config) -> ok.

%% --- cases ------------------------------------------------------------------------------------

answers_ping(Config) ->
    Port = start(Config, []),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))),
    stop(Port).

%% To a BEAM that is no hidden node, as the one of these tests is.
is_visible(Config) ->
    ?assertEqual([?config(cnode, Config)], listed(visible, [], Config)).

is_hidden(Config) ->
    ?assertEqual([?config(cnode, Config)], listed(hidden, ["hidden", "true"], Config)).

listed(Kind, Options, Config) ->
    Port = start(Config, Options),
    {Peer, _} = start_beam(peer:random_name(gcl)),
    pong = peer:call(Peer, net_adm, ping, [?config(cnode, Config)]),
    Listed = peer:call(Peer, erlang, nodes, [Kind]),
    ?assertEqual([?config(cnode, Config)], peer:call(Peer, erlang, nodes, [connected])),
    peer:stop(Peer),
    stop(Port),
    Listed.

%% spec: erl_dist_protocol, DFLAG_NAME_ME. Pids of the BEAM carry the name: the monitor is answered.
gives_a_name_to_a_beam_that_asks_for_one(Config) ->
    Port = start(Config, []),
    Code = lists:flatten(
        io_lib:format(
            "C = '~s', true = net_kernel:connect_node(C), P = net_adm:ping(C),"
            "M = monitor(process, {nobody, C}), R = receive {'DOWN', M, _, _, Why} -> Why end,"
            "io:format(\"~~p ~~p ~~p ~~p~~n\", [P, R, node(), nodes(hidden)]), halt().",
            [?config(name, Config)]
        )
    ),
    Beam = open_port({spawn_executable, os:find_executable("erl")}, [
        {args, ["-noinput", "-name", "undefined@127.0.0.1", "-eval", Code]},
        {line, 4096},
        exit_status
    ]),
    ["pong", "noproc", Name, Hidden] = string:lexemes(expect(Beam, "p"), " "),
    ?assertEqual("['" ++ ?config(name, Config) ++ "']", Hidden),
    ["'" ++ Alive, "127.0.0.1'"] = string:lexemes(Name, "@"),
    ?assertEqual(13, length(Alive)),
    expect(Port, "log info node_up connected to " ++ Alive ++ "@127.0.0.1"),
    stop(Port).

connects_to_a_beam(Config) ->
    Port = start(Config, []),
    connect(Port, node()),
    expect(Port, "connected " ++ atom_to_list(node())),
    ?assert(lists:member(?config(cnode, Config), nodes(hidden))),
    connect(Port, node()),
    expect(Port, "connected " ++ atom_to_list(node())),
    %% Nodes are listed a moment before net_kernel knows that they are up.
    global_helper:await(fun() -> erlang:disconnect_node(?config(cnode, Config)) end),
    expect(Port, "log info node_down"),
    stop(Port).

%% Both at once, again and again; which attempt goes on depends on whose name is the greater one.
connects_to_a_beam_that_connects_to_it(Config) ->
    lists:foreach(
        fun(Alive) ->
            Name = peer:random_name(Alive) ++ "@127.0.0.1",
            Port = start(lists:keystore(name, 1, Config, {name, Name}), []),
            connect_both(Port, list_to_atom(Name), 50),
            stop(Port)
        end,
        ["a_gcl", "z_gcl"]
    ).

connect_both(_, _, 0) ->
    ok;
connect_both(Port, CNode, Rounds) ->
    connect(Port, node()),
    ?assertEqual(pong, net_adm:ping(CNode)),
    expect(Port, "connected "),
    true = erlang:disconnect_node(CNode),
    expect(Port, "log info node_down"),
    connect_both(Port, CNode, Rounds - 1).

%% The waits between the attempts are logged; each attempt in vain says `connect_failed`.
stays_connected_to_a_beam_that_is_killed_and_comes_back(Config) ->
    Port = start(Config, ["reconnect_min", "50", "reconnect_max", "1000"]),
    {First, Name} = start_beam(peer:random_name(gcl)),
    send(Port, "stay " ++ atom_to_list(Name)),
    expect(Port, "log info node_up"),
    kill_beam(First),
    expect(Port, "log info node_down"),
    Waits = [wait_for_attempt(Port) || _ <- lists:seq(1, 4)],
    ?assertEqual(Waits, lists:sort(Waits)),
    ?assert(lists:last(Waits) >= 2 * hd(Waits)),
    {Second, Name} = start_beam(hd(string:lexemes(atom_to_list(Name), "@"))),
    expect(Port, "log info node_up"),
    ?assertEqual([?config(cnode, Config)], peer:call(Second, erlang, nodes, [])),
    ok = peer:stop(Second),
    stop(Port).

%% No attempt is made before the time that was logged for it is over.
wait_for_attempt(Port) ->
    Line = expect(Port, "log info reconnect"),
    Begun = erlang:monotonic_time(millisecond),
    ["ms", Text | _] = lists:reverse(string:lexemes(Line, " ")),
    expect(Port, "log notice connect_failed"),
    Took = erlang:monotonic_time(millisecond) - Begun,
    Wait = list_to_integer(Text),
    ?assert(Took >= Wait - 20, {Took, Wait}),
    Wait.

start_beam(Name) -> start_beam(Name, []).

start_beam(Name, Environment) ->
    {ok, Peer, Node} = peer:start(#{
        name => Name,
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        env => Environment
    }),
    {Peer, Node}.

kill_beam(Peer) -> kill_os_process(Peer, peer:call(Peer, os, getpid, [])).

kill_os_process(Peer, OsPid) ->
    Monitor = erlang:monitor(process, Peer),
    true = erlang:unlink(Peer),
    "" = os:cmd("kill -KILL " ++ OsPid),
    receive
        {'DOWN', Monitor, process, Peer, _} -> ok
    after ?DEADLINE -> ct:fail(not_killed)
    end.

%% spec: erl_dist_protocol, "Distribution Flags"; all that the node offers and OTP 25 knows.
offers_the_recommended_flags(Config) ->
    Port = start(Config, []),
    connect(Port, node()),
    expect(Port, "connected"),
    send(Port, "info " ++ atom_to_list(node())),
    Line = expect(Port, "info "),
    [_, _, Flags, _, "hidden"] = string:lexemes(Line, " "),
    Wanted = [
        16#4, 16#8, 16#10, 16#20, 16#80, 16#100, 16#200, 16#400, 16#800, 16#1000, 16#4000,
        16#10000, 16#20000, 16#40000, 16#80000, 16#100000, 16#400000, 16#1000000, 16#2000000,
        16#4000000, 1 bsl 32, 1 bsl 34, 1 bsl 35
    ],
    ?assertEqual(
        integer_to_list(lists:sum(Wanted), 16), string:uppercase(Flags)
    ),
    stop(Port).

unknown_name_gives_noproc(Config) ->
    Port = start(Config, []),
    Nobody = {nobody, ?config(cnode, Config)},
    ?assertExit({noproc, _}, gen_server:call(Nobody, hello, infinity)),
    stop(Port).

%% The processes of a node that closes end with `shutdown`, and it says so before it goes.
monitored_name_gives_the_true_reason(Config) ->
    Port = start(Config, []),
    Monitor = monitor_net_kernel(Config),
    stop(Port),
    ?assertEqual(shutdown, reason(Monitor)).

monitored_name_of_a_killed_node_gives_noconnection(Config) ->
    Port = start(Config, []),
    Monitor = monitor_net_kernel(Config),
    kill(Port),
    ?assertEqual(noconnection, reason(Monitor)).

%% Behind the answer to the ping, the monitor is known to be there.
monitor_net_kernel(Config) ->
    Monitor = erlang:monitor(process, {net_kernel, ?config(cnode, Config)}),
    pong = net_adm:ping(?config(cnode, Config)),
    Monitor.

reason(Monitor) ->
    receive
        {'DOWN', Monitor, process, {net_kernel, _}, Reason} -> Reason
    after ?DEADLINE -> ct:fail(no_down)
    end.

spawn_is_refused_at_once(Config) ->
    Port = start(Config, []),
    ?assertError(notsup, spawn_monitor(?config(cnode, Config), fun() -> ok end)),
    stop(Port).

says_why_a_cookie_is_refused(Config) ->
    Port = start(Config, [], "another_cookie"),
    connect(Port, node()),
    Line = expect(Port, "failed " ++ atom_to_list(node()) ++ " GCL_EAUTH"),
    ?assertNotEqual(nomatch, string:find(Line, "cookie")),
    stop(Port).

logs_a_wrong_cookie_of_a_peer(Config) ->
    Port = start(Config, [], "another_cookie"),
    ?assertEqual(pang, net_adm:ping(?config(cnode, Config))),
    Line = expect(Port, "log notice handshake_failed from " ++ atom_to_list(node())),
    ?assertNotEqual(nomatch, string:find(Line, "cookie")),
    stop(Port).

says_that_a_node_is_not_running(Config) ->
    Port = start(Config, []),
    connect(Port, 'gcl_nobody@127.0.0.1'),
    expect(Port, "failed gcl_nobody@127.0.0.1 GCL_EEPMD"),
    stop(Port).

says_that_a_host_cannot_be_resolved(Config) ->
    Port = start(Config, []),
    connect(Port, 'somebody@host.invalid'),
    expect(Port, "failed somebody@host.invalid GCL_ERESOLVE"),
    stop(Port).

%% The BEAM ticks every 15 s, the C node takes nothing for 2 s as the end of the connection.
closes_a_silent_peer(Config) ->
    Port = start(Config, ["ticktime", "2"]),
    pong = net_adm:ping(?config(cnode, Config)),
    Line = expect(Port, "log warning node_down"),
    ?assertNotEqual(nomatch, string:find(Line, "net_ticktime")),
    stop(Port).

%% Exits are owed, so that they are taken until the hard limit; each is ordered by a call from here,
%% which has to come back in time, as pings have.
loses_a_beam_that_never_reads_and_serves_the_others(Config) ->
    Port = start_program("server", Config),
    CNode = ?config(cnode, Config),
    {Peer, _} = start_beam(peer:random_name(gcl)),
    Pid = peer:call(Peer, erlang, whereis, [init]),
    pong = peer:call(Peer, net_adm, ping, [CNode]),
    OsPid = peer:call(Peer, os, getpid, []),
    "" = os:cmd("kill -STOP " ++ OsPid),
    Reason = binary:copy(<<"x">>, 65536),
    Times = lists:reverse(lists:sort(exit_until_lost(Port, {server, CNode}, Pid, Reason, []))),
    ct:log("~b calls, the slowest took ~b us", [length(Times), hd(Times)]),
    ?assert(length(Times) >= 2 * 1024),
    %% One in a hundred may have waited for another program of this machine.
    ?assert(lists:nth(length(Times) div 100, Times) < limit_us()),
    ?assertEqual(pong, net_adm:ping(CNode)),
    ok = kill_os_process(Peer, OsPid),
    stop(Port).

exit_until_lost(Port, Server, Pid, Reason, Times) ->
    {Took, ok} = timer:tc(gen_server, call, [Server, {exit, Pid, Reason}, ?DEADLINE]),
    {Ping, pong} = timer:tc(net_adm, ping, [element(2, Server)]),
    case next_line(Port, "log warning node_down", 0) of
        none when length(Times) < 10000 ->
            exit_until_lost(Port, Server, Pid, Reason, [Took, Ping | Times]);
        Line ->
            ?assertNotEqual(nomatch, string:find(Line, "output_hard_bytes")),
            Times
    end.

%% A sanitizer makes everything slower.
limit_us() ->
    case os:getenv("GCL_QUICK") of
        false -> 50000;
        _ -> 500000
    end.

%% A BEAM with a net_ticktime of 4 s keeps the connection because the C node ticks; it ticks itself.
ticks_for_an_idle_peer(Config) ->
    Port = start(Config, ["ticktime", "4"]),
    {ok, Peer, Node} = peer:start(#{
        name => peer:random_name(gcl),
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        args => ["-kernel", "net_ticktime", "4"]
    }),
    pong = peer:call(Peer, net_adm, ping, [?config(cnode, Config)]),
    expect(Port, "log info node_up"),
    %% What must not happen within twice the time in which either side would notice.
    none = next_line(Port, "log warning node_down", 9000),
    ?assertEqual([?config(cnode, Config)], peer:call(Peer, erlang, nodes, [])),
    send(Port, "info " ++ atom_to_list(Node)),
    expect(Port, "info"),
    peer:stop(Peer),
    stop(Port).

comes_back_under_another_creation(Config) ->
    First = start(Config, []),
    pong = net_adm:ping(?config(cnode, Config)),
    kill(First),
    Second = start(Config, []),
    await(fun() -> net_adm:ping(?config(cnode, Config)) =:= pong end),
    stop(Second).

%% spec: erl_dist_protocol, ALIVE2_REQ: "the connection is kept open as long as the node is up"
keeps_the_connection_of_its_registration(Config) ->
    {Port, Socket} = open_with_fake_epmd(Config, {127, 0, 0, 1}),
    ok = gen_tcp:send(Socket, <<118, 0, 4711:32>>),
    expect(Port, "ready"),
    {error, timeout} = gen_tcp:recv(Socket, 0, 500),
    true = port_close(Port),
    ?assertEqual({error, closed}, gen_tcp:recv(Socket, 0, ?DEADLINE)).

is_ready_when_epmd_has_given_the_creation(Config) ->
    {Port, Socket} = open_with_fake_epmd(Config, {127, 0, 0, 1}),
    none = next_line(Port, "ready", 200),
    ok = gen_tcp:send(Socket, <<118, 0, 4711:32>>),
    ?assertMatch([_, _, _, "4711"], string:lexemes(expect(Port, "ready"), " ")),
    stop(Port).

%% All of 127.0.0.0/8 is this host.
finds_epmd_at_another_address(Config) ->
    {Port, Socket} = open_with_fake_epmd(Config, {127, 0, 0, 2}),
    ok = gen_tcp:send(Socket, <<118, 0, 4711:32>>),
    expect(Port, "ready"),
    stop(Port).

%% The node has asked for its registration and was not answered yet.
open_with_fake_epmd(Config, Address) ->
    {ok, Listener} = gen_tcp:listen(0, [binary, {ip, Address}, {active, false}, {packet, 2}]),
    {ok, EpmdPort} = inet:port(Listener),
    Port = open(Config, [], cookie(), [
        {"ERL_EPMD_ADDRESS", inet:ntoa(Address)},
        {"ERL_EPMD_PORT", integer_to_list(EpmdPort)}
    ]),
    {ok, Socket} = gen_tcp:accept(Listener, ?DEADLINE),
    {ok, <<120, _:16, _, 0, _:32, Size:16, Alive:Size/binary, _/binary>>} =
        gen_tcp:recv(Socket, 0, ?DEADLINE),
    ?assertEqual(?config(name, Config), binary_to_list(Alive) ++ "@127.0.0.1"),
    ok = inet:setopts(Socket, [{packet, raw}]),
    ok = gen_tcp:close(Listener),
    {Port, Socket}.

%% An epmd of its own, because the others' must not be restarted.
registers_again_with_a_restarted_epmd(Config) ->
    EpmdPort = free_port(),
    Epmd = start_epmd(EpmdPort),
    Environment = [{"ERL_EPMD_PORT", integer_to_list(EpmdPort)}],
    Port = start(Config, [], cookie(), Environment),
    {Peer, Beam} = start_beam(peer:random_name(gcl), Environment),
    [Alive, _] = string:lexemes(?config(name, Config), "@"),
    await(fun() -> is_registered(Alive, EpmdPort) end),
    connect(Port, Beam),
    expect(Port, "connected"),
    %% What is connected does not need it.
    stop_epmd(Epmd),
    expect(Port, "log warning epmd_down"),
    ?assertEqual(pong, peer:call(Peer, net_adm, ping, [?config(cnode, Config)])),
    Again = start_epmd(EpmdPort),
    await(fun() -> is_registered(Alive, EpmdPort) end),
    ok = peer:stop(Peer),
    stop(Port),
    stop_epmd(Again).

%% `global` of the others would wait for it: it is not ready as long as nobody can find it.
is_ready_when_epmd_comes_up(Config) ->
    EpmdPort = free_port(),
    Port = open(Config, [], cookie(), [{"ERL_EPMD_PORT", integer_to_list(EpmdPort)}]),
    Why = lists:concat([
        "log warning epmd_down epmd at 127.0.0.1:", EpmdPort, " cannot be reached, so that nobody ",
        "finds ", ?config(name, Config), "; trying again, and not ready until it can"
    ]),
    ?assertEqual(Why, expect(Port, "log")),
    ?assertEqual([], lines_until(Port, "self ", fun() -> send(Port, "self") end)),
    Epmd = start_epmd(EpmdPort),
    expect(Port, "ready"),
    [Alive, _] = string:lexemes(?config(name, Config), "@"),
    ?assert(is_registered(Alive, EpmdPort)),
    stop(Port),
    stop_epmd(Epmd).

%% A hidden node is ready without epmd. Pids may be known when that comes up, so the creation that
%% it had stays.
registers_when_epmd_comes_up_later(Config) ->
    EpmdPort = free_port(),
    Environment = [{"ERL_EPMD_PORT", integer_to_list(EpmdPort)}],
    Port = open(Config, ["hidden", "true"], cookie(), Environment),
    expect(Port, "log warning epmd_down"),
    [_, _, _, Creation] = string:lexemes(expect(Port, "ready"), " "),
    ?assert(list_to_integer(Creation) >= 4),
    Epmd = start_epmd(EpmdPort),
    [Alive, _] = string:lexemes(?config(name, Config), "@"),
    await(fun() -> is_registered(Alive, EpmdPort) end),
    send(Port, "self"),
    ?assertEqual("self " ++ ?config(name, Config) ++ " " ++ Creation, expect(Port, "self ")),
    stop(Port),
    stop_epmd(Epmd).

says_that_its_name_is_taken(Config) ->
    Port = start(Config, []),
    Second = open(Config, [], cookie(), []),
    expect(Second, "log error name_taken"),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))),
    %% It is ready when the name is free, and not before.
    ?assertEqual([], lines_until(Second, "self ", fun() -> send(Second, "self") end)),
    stop(Port),
    expect(Second, "ready"),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))),
    stop(Second).

%% Each step has its own time; who says nothing is told nothing.
gives_up_a_silent_handshake(Config) ->
    Port = open(Config, ["setup", "300"], cookie(), []),
    [_, _, Number, _] = string:lexemes(expect(Port, "ready"), " "),
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, list_to_integer(Number), [{active, true}]),
    receive
        {tcp_closed, Socket} -> ok
    after ?DEADLINE -> ct:fail(not_closed)
    end,
    Line = expect(Port, "log notice handshake_failed"),
    ?assertNotEqual(nomatch, string:find(Line, "timeout")),
    stop(Port).

garbage_closes_only_that_connection(Config) ->
    Port = open(Config, [], cookie(), []),
    [_, _, Number, _] = string:lexemes(expect(Port, "ready"), " "),
    pong = net_adm:ping(?config(cnode, Config)),
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, list_to_integer(Number), [{active, true}]),
    ok = gen_tcp:send(Socket, <<0, 5, "hello">>),
    receive
        {tcp_closed, Socket} -> ok
    after ?DEADLINE -> ct:fail(not_closed)
    end,
    expect(Port, "log notice handshake_failed from somebody"),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))),
    none = next_line(Port, "log info node_down", 100),
    stop(Port).

%% --- the program --------------------------------------------------------------------------------

start(Config, Options) -> start(Config, Options, cookie()).

start(Config, Options, Cookie) -> start(Config, Options, Cookie, []).

start(Config, Options, Cookie, Environment) ->
    Port = open(Config, Options, Cookie, Environment),
    expect(Port, "ready " ++ ?config(name, Config)),
    Port.

start_program(Name, Config) ->
    Port = open(Name, Config, [], cookie(), []),
    expect(Port, "ready " ++ ?config(name, Config)),
    Port.

open(Config, Options, Cookie, Environment) -> open("node", Config, Options, Cookie, Environment).

open(Name, Config, Options, Cookie, Environment) ->
    Program = filename:join(os:getenv("GCL_BIN"), Name),
    open_port({spawn_executable, Program}, [
        {args, [?config(name, Config) | Options]},
        {env, [{"GCL_COOKIE", Cookie} | Environment]},
        {line, 4096},
        exit_status
    ]).

cookie() -> atom_to_list(erlang:get_cookie()).

send(Port, Line) -> true = port_command(Port, Line ++ "\n").

connect(Port, Node) -> send(Port, "connect " ++ atom_to_list(Node)).

%% The next line that begins so; those before it are passed over.
expect(Port, Prefix) ->
    case next_line(Port, Prefix, ?DEADLINE) of
        none -> ct:fail({no_line, Prefix});
        Line -> Line
    end.

%% What it prints until it has done what Fun asks of it.
lines_until(Port, Prefix, Fun) ->
    Fun(),
    lines_until(Port, Prefix).

lines_until(Port, Prefix) ->
    Line = expect(Port, ""),
    case lists:prefix(Prefix, Line) of
        true -> [];
        false -> [Line | lines_until(Port, Prefix)]
    end.

next_line(Port, Prefix, Timeout) ->
    Timer = erlang:start_timer(Timeout, self(), none),
    Line = wait_line(Port, Prefix, Timer),
    _ = erlang:cancel_timer(Timer),
    Line.

wait_line(Port, Prefix, Timer) ->
    receive
        {Port, {data, {eol, Line}}} ->
            ct:log("~ts", [Line]),
            case lists:prefix(Prefix, Line) of
                true -> Line;
                false -> wait_line(Port, Prefix, Timer)
            end;
        {Port, {exit_status, Status}} ->
            ct:fail({exited, Status});
        {timeout, Timer, none} ->
            none
    end.

%% The end of input closes the node, and the program says so; its exit status shows how.
stop(Port) ->
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    port_close(Port),
    await(fun() -> not filelib:is_dir("/proc/" ++ integer_to_list(Pid)) end).

kill(Port) ->
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    "" = os:cmd("kill -KILL " ++ integer_to_list(Pid)),
    receive
        {Port, {exit_status, _}} -> ok
    after ?DEADLINE -> ct:fail(not_killed)
    end.

%% --- epmd -------------------------------------------------------------------------------------

free_port() ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Port.

start_epmd(Port) ->
    Epmd = open_port({spawn_executable, os:find_executable("epmd")}, [
        {args, ["-port", integer_to_list(Port), "-relaxed_command_check"]},
        {env, [{"ERL_EPMD_ADDRESS", "127.0.0.1"}]},
        exit_status
    ]),
    await(fun() -> is_listening(Port) end),
    Epmd.

is_listening(Port) ->
    case gen_tcp:connect({127, 0, 0, 1}, Port, []) of
        {ok, Socket} ->
            ok = gen_tcp:close(Socket),
            true;
        {error, _} ->
            false
    end.

stop_epmd(Epmd) -> kill(Epmd).

%% spec: erl_dist_protocol, PORT_PLEASE2_REQ
is_registered(Alive, Port) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    ok = gen_tcp:send(Socket, [<<(length(Alive) + 1):16, 122>>, Alive]),
    Reply = gen_tcp:recv(Socket, 2, ?DEADLINE),
    ok = gen_tcp:close(Socket),
    Reply =:= {ok, <<119, 0>>}.

await(Condition) -> await(Condition, erlang:monotonic_time(millisecond) + ?DEADLINE).

await(Condition, Until) ->
    case Condition() of
        true ->
            ok;
        false ->
            Until > erlang:monotonic_time(millisecond) orelse ct:fail(deadline),
            receive
            after 20 -> await(Condition, Until)
            end
    end.

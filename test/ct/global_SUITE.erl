%% SPDX-License-Identifier: Apache-2.0
%% Visible C nodes (test/c/programs/server.c) in one partition of `global` with BEAMs. No BEAM may
%% wait for them: what is asked of one has a deadline of five seconds.
-module(global_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    is_a_node_like_any_other/1,
    is_in_sync_with_nodes_that_come_later/1,
    knows_the_names_of_others/1,
    gives_names_to_its_servers/1,
    names_are_compared_as_terms/1,
    one_name_has_one_process/1,
    names_go_with_their_processes/1,
    names_go_with_their_node/1,
    messages_and_calls_by_global_name/1,
    locks_of_users_are_kept/1,
    locks_of_the_dead_are_freed/1,
    a_race_for_names_has_one_winner_each/1,
    c_nodes_alone_are_one_partition/1,
    c_nodes_that_lose_each_other_are_no_partition/1,
    a_c_node_that_loses_a_beam_goes_alone/1,
    partitions_are_merged/1,
    conflicts_are_decided_by_c/1,
    conflicts_are_decided_by_a_beam/1,
    a_fellow_asks_c_who_keeps_its_name/1,
    nodes_killed_while_they_join_hold_up_nobody/1,
    garbage_holds_up_nobody/1,
    who_kills_global_ends_the_node/1,
    a_visible_node_has_to_listen/1
]).

-import(global_helper, [
    beam/0, beam/2, hidden_beam/0, c_node/0, c_node/1, c_name/1, program/3, line/2, name/1, kill/1,
    on/4, ask/3, join/2, connect/3, mesh/2, in_sync/2, none/3, await/1, pause/1, process/1, lock/4,
    peer_catch/4
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        is_a_node_like_any_other,
        is_in_sync_with_nodes_that_come_later,
        knows_the_names_of_others,
        gives_names_to_its_servers,
        names_are_compared_as_terms,
        one_name_has_one_process,
        names_go_with_their_processes,
        names_go_with_their_node,
        messages_and_calls_by_global_name,
        locks_of_users_are_kept,
        locks_of_the_dead_are_freed,
        a_race_for_names_has_one_winner_each,
        c_nodes_alone_are_one_partition,
        c_nodes_that_lose_each_other_are_no_partition,
        a_c_node_that_loses_a_beam_goes_alone,
        partitions_are_merged,
        conflicts_are_decided_by_c,
        conflicts_are_decided_by_a_beam,
        a_fellow_asks_c_who_keeps_its_name,
        nodes_killed_while_they_join_hold_up_nobody,
        garbage_holds_up_nobody,
        who_kills_global_ends_the_node,
        a_visible_node_has_to_listen
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- cases ------------------------------------------------------------------------------------

is_a_node_like_any_other(_Config) ->
    A = beam(),
    C = c_node(),
    join(A, C),
    ?assertEqual([name(C)], on(A, erlang, nodes, [])),
    ?assertEqual(ok, on(A, global, sync, [])),
    ?assertEqual([name(C)], on(A, gen_server, call, [global_name_server, get_known])),
    ?assertEqual([name(A)], on(A, gen_server, call, [{global_name_server, name(C)}, get_known])),
    ?assertEqual([name(A)], on(A, gen_server, call, [{global_name_server, name(C)}, get_synced])),
    ?assertEqual(
        8, on(A, gen_server, call, [{global_name_server, name(C)}, get_protocol_version])
    ),
    ?assertEqual([], on(A, gen_server, call, [{global_name_server, name(C)}, get_names_ext])).

is_in_sync_with_nodes_that_come_later(_Config) ->
    C = c_node(),
    [A | _] = Beams = [beam() || _ <- [1, 2, 3]],
    join(A, C),
    [join(A, B) || B <- tl(Beams)],
    D = c_node(),
    join(A, D),
    in_sync(Beams, [C, D]).

knows_the_names_of_others(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2),
    Pid = process(B),
    ?assertEqual(yes, on(B, global, register_name, [{room, 1}, Pid])),
    [?assertEqual({ok, Pid}, ask(A, N, {global_whereis, {room, 1}})) || N <- [C, D]],
    ?assertEqual(ok, on(A, global, unregister_name, [{room, 1}])),
    none(A, [C, D], {room, 1}),
    ?assertEqual(yes, on(A, global, register_name, [{room, 1}, process(A)])),
    ?assertEqual(yes, on(A, global, re_register_name, [{room, 1}, Pid])),
    [?assertEqual({ok, Pid}, ask(A, N, {global_whereis, {room, 1}})) || N <- [C, D]].

gives_names_to_its_servers(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2),
    ?assertEqual(ok, ask(A, C, {global_register, service})),
    Pid = ask(A, C, self),
    ?assertEqual(Pid, on(A, global, whereis_name, [service])),
    ?assertEqual(Pid, on(B, global, whereis_name, [service])),
    ?assertEqual({ok, Pid}, ask(A, D, {global_whereis, service})),
    ?assertEqual(ok, ask(A, C, {global_unregister, service})),
    none(A, [A, B, C, D], service).

%% 1 and 1.0, and 0.0 and -0.0 in what it is told by later releases, are other terms; however a term
%% is written, it is the same one.
names_are_compared_as_terms(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    Names = [
        1, 1.0, -1, 1 bsl 70, -(1 bsl 70), <<>>, <<1:3>>, "", "abc", [$a | b], {}, {1}, {1.0},
        #{}, #{a => 1, 2.0 => b}, #{2 => b}, 'Ünï', '', make_ref(), self(), [1, 2, 300],
        lists:seq(1, 300), {deep, [[[[[[[[x]]]]]]]]}
    ],
    Pids = [{Name, process(A)} || Name <- Names],
    [?assertEqual(yes, on(A, global, register_name, [Name, Pid])) || {Name, Pid} <- Pids],
    [?assertEqual({ok, Pid}, ask(B, C, {global_whereis, Name})) || {Name, Pid} <- Pids],
    [
        ?assertEqual({error, 'GCL_ENOPROC'}, ask(B, C, {global_whereis, Name}))
     || Name <- [2, -1.0, "ab", <<0:3>>, {1, 1}, #{a => 1.0, 2.0 => b}, make_ref(), [1, 2, 301]]
    ].

one_name_has_one_process(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    ?assertEqual(ok, ask(A, C, {global_register, one})),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, D, {global_register, one})),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, C, {global_register, one})),
    ?assertEqual({error, 'GCL_EHASNAME'}, ask(A, C, {global_register, another})),
    ?assertEqual(no, on(A, global, register_name, [one, process(A)])),
    ?assertEqual(no, on(A, global, register_name, [another, ask(A, C, self)])).

names_go_with_their_processes(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2),
    Pid = process(B),
    yes = on(B, global, register_name, [beams, Pid]),
    {ok, Claimed} = ask(A, C, {global_claim, cs}),
    ?assertEqual(Claimed, on(B, global, whereis_name, [cs])),
    true = on(B, erlang, exit, [Pid, kill]),
    true = on(B, erlang, exit, [Claimed, kill]),
    none(A, [A, B, C, D], beams),
    none(A, [A, B, C, D], cs).

names_go_with_their_node(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2),
    yes = on(B, global, register_name, [beams, process(B)]),
    ok = ask(A, C, {global_register, cs}),
    kill(C),
    none(A, [A, B, D], cs),
    peer:stop(element(1, B)),
    none(A, [A, D], beams),
    ?assertEqual(ok, ask(A, D, {global_register, cs})).

messages_and_calls_by_global_name(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    Echo = on(A, erlang, spawn, [fun echo/0]),
    yes = on(A, global, register_name, [echo, Echo]),
    ok = ask(A, D, {global_register, service}),
    ?assertEqual({ok, {echo, 1}}, ask(A, C, {call, {global, echo}, 1, 1000})),
    ?assertEqual({ok, 2}, ask(A, C, {call, {global, service}, {echo, 2}, 1000})),
    ?assertEqual({error, 'GCL_ENOPROC'}, ask(A, C, {call, {global, nobody}, 3, 1000})),
    ?assertEqual(4, on(A, gen_server, call, [{global, service}, {echo, 4}])).

locks_of_users_are_kept(_Config) ->
    {[A, B], [C, _]} = mesh(2, 2),
    Nodes = [name(C)],
    One = process(A),
    Two = process(B),
    ?assert(lock(A, One, set_lock, [{r, a}, Nodes, 0])),
    ?assertNot(lock(B, Two, set_lock, [{r, b}, Nodes, 0])),
    ?assert(lock(B, Two, set_lock, [{r, a}, Nodes, 0])),
    ?assert(lock(A, One, del_lock, [{r, a}, Nodes])),
    ?assertNot(lock(A, One, set_lock, [{r, b}, Nodes, 0])),
    ?assert(lock(A, One, del_lock, [{r, b}, Nodes])),
    ?assertNot(lock(A, One, set_lock, [{r, b}, Nodes, 0])),
    ?assert(lock(B, Two, del_lock, [{r, a}, Nodes])),
    ?assert(lock(A, One, set_lock, [{r, b}, Nodes, 0])),
    ?assert(lock(A, One, set_lock, [{1.0, b}, Nodes, 0])),
    ?assert(lock(B, Two, set_lock, [{1, c}, Nodes, 0])),
    %% As users do it, over all nodes.
    ?assert(lock(A, One, set_lock, [{all, a}])),
    ?assertNot(lock(B, Two, set_lock, [{all, b}, [name(N) || N <- [A, B, C]], 0])).

locks_of_the_dead_are_freed(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    One = process(A),
    Two = process(B),
    ?assert(lock(A, One, set_lock, [{r, a}, [name(C)], 0])),
    true = on(A, erlang, exit, [One, kill]),
    await(fun() -> lock(B, Two, set_lock, [{r, b}, [name(C)], 0]) end),
    peer:stop(element(1, B)),
    Three = process(A),
    await(fun() -> lock(A, Three, set_lock, [{r, c}, [name(C)], 0]) end).

%% Seven nodes of both kinds; a C node asks with servers of its own.
a_race_for_names_has_one_winner_each(_Config) ->
    {Beams, Cs} = mesh(3, 4),
    [A | _] = Beams,
    Names = [{race, I} || I <- lists:seq(1, 20)],
    Askers = [spawn_monitor(fun() -> exit({won, race(N, A, Names)}) end) || N <- Beams ++ Cs],
    Won = [
        receive
            {'DOWN', Monitor, process, _, {won, Mine}} -> Mine
        after 2 * ?DEADLINE -> ct:fail(race_not_over)
        end
     || {_, Monitor} <- Askers
    ],
    ?assertEqual(Names, lists:sort(lists:append(Won))),
    [
        begin
            Pid = on(A, global, whereis_name, [Name]),
            ?assert(is_pid(Pid)),
            [?assertEqual(Pid, on(B, global, whereis_name, [Name])) || B <- Beams],
            [?assertEqual({ok, Pid}, ask(A, C, {global_whereis, Name})) || C <- Cs]
        end
     || Name <- Names
    ].

c_nodes_alone_are_one_partition(_Config) ->
    A = beam(),
    Cs = [C, D, E] = [c_node() || _ <- [1, 2, 3]],
    %% The BEAM is there to ask, and hidden to them: it takes no part.
    Hidden = hidden_beam(),
    connect(Hidden, C, D),
    connect(Hidden, D, E),
    [true = on(Hidden, net_kernel, connect_node, [name(N)]) || N <- Cs],
    [
        await(fun() ->
            lists:sort([name(M) || M <- Cs, M =/= N]) =:=
                lists:sort(
                    on(Hidden, gen_server, call, [{global_name_server, name(N)}, get_synced])
                )
        end)
     || N <- Cs
    ],
    ok = ask(Hidden, C, {global_register, alone}),
    Pid = ask(Hidden, C, self),
    [?assertEqual({ok, Pid}, ask(Hidden, N, {global_whereis, alone})) || N <- Cs],
    kill(C),
    none(Hidden, [D, E], alone),
    ok = ask(Hidden, E, {global_register, alone}),
    join(A, D),
    in_sync([A], [D, E]),
    ?assertEqual(ask(A, E, self), on(A, global, whereis_name, [alone])).

%% Both report it, as BEAMs do: whoever knows one of them does not know the other one.
c_nodes_that_lose_each_other_are_no_partition(_Config) ->
    Cs = [C, D | _] = [c_node() || _ <- [1, 2, 3, 4]],
    Hidden = hidden_beam(),
    [true = on(Hidden, net_kernel, connect_node, [name(N)]) || N <- Cs],
    [connect(Hidden, N, M) || N <- Cs, M <- Cs, N > M],
    Known = fun(N) -> on(Hidden, gen_server, call, [{global_name_server, name(N)}, get_known]) end,
    await(fun() -> [length(Known(N)) || N <- Cs] =:= [3, 3, 3, 3] end),
    ok = ask(Hidden, C, {disconnect, name(D)}),
    Knows = fun(N, M) -> lists:member(name(M), Known(N)) end,
    await(fun() ->
        not lists:any(fun(N) -> Knows(N, C) andalso Knows(N, D) end, Cs) andalso
            lists:all(fun({N, M}) -> Knows(N, M) =:= Knows(M, N) end, [{N, M} || N <- Cs, M <- Cs])
    end),
    [?assertEqual(ok, ask(Hidden, N, {global_register, name(N)})) || N <- Cs].

%% It does not report that, or the BEAMs would lose each other. The one that was lost does, from
%% version 7 on.
a_c_node_that_loses_a_beam_goes_alone(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    Known = fun(N) -> on(B, gen_server, call, [{global_name_server, name(N)}, get_known]) end,
    ok = ask(B, C, {disconnect, name(A)}),
    await(fun() -> not lists:member(name(C), Known(A)) end),
    pause(500),
    ?assertEqual([name(B)], Known(A)),
    ?assert(lists:member(name(A), Known(B))),
    ?assertEqual(yes, on(A, global, register_name, [name, process(A)])).

partitions_are_merged(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    {[E, F], [G]} = mesh(2, 1),
    yes = on(A, global, register_name, [left, process(A)]),
    ok = ask(E, G, {global_register, right}),
    join(A, E),
    in_sync([A, B, E, F], [C, G]),
    Left = on(A, global, whereis_name, [left]),
    Right = ask(A, G, self),
    [?assertEqual(Right, on(N, global, whereis_name, [right])) || N <- [A, B, E, F]],
    [?assertEqual({ok, Left}, ask(A, N, {global_whereis, left})) || N <- [C, G]].

%% The smaller node of the two that meet decides, and asks the node of the process that it knows.
%% Who loses is told, or killed, as the method of the name has it.
conflicts_are_decided_by_c(_Config) ->
    C = c_node("aaa"),
    A = beam(),
    Hidden = hidden_beam(),
    true = on(Hidden, net_kernel, connect_node, [name(C)]),
    ok = ask(Hidden, C, {global_register, both}),
    Mine = ask(Hidden, C, self),
    yes = on(A, global, register_name, [both, process(A)]),
    join(A, C),
    in_sync([A], [C]),
    ?assertEqual(Mine, on(A, global, whereis_name, [both])),
    ?assertEqual({ok, Mine}, ask(A, C, {global_whereis, both})).

conflicts_are_decided_by_a_beam(_Config) ->
    C = c_node("zzz"),
    A = beam(),
    Hidden = hidden_beam(),
    true = on(Hidden, net_kernel, connect_node, [name(C)]),
    {ok, Loser} = ask(Hidden, C, {global_claim, killed}),
    {ok, _} = ask(Hidden, C, {global_claim, told}),
    One = process(A),
    Two = process(A),
    yes = on(A, global, register_name, [killed, One]),
    yes = on(A, global, register_name, [told, Two, fun global:random_notify_name/3]),
    join(A, C),
    in_sync([A], [C]),
    ?assertEqual(One, on(A, global, whereis_name, [killed])),
    ?assertEqual({ok, One}, ask(A, C, {global_whereis, killed})),
    ?assertEqual({ok, Two}, ask(A, C, {global_whereis, told})),
    ?assertEqual(noproc, on(A, erlang, apply, [fun end_of/1, [Loser]])).

%% A decides for its partition about a name of C, and asks C, by erpc.
a_fellow_asks_c_who_keeps_its_name(_Config) ->
    A = beam("aaa", []),
    C = c_node("mmm"),
    B = beam("zzz", []),
    join(A, C),
    in_sync([A], [C]),
    ok = ask(A, C, {global_register, both}),
    Mine = ask(A, C, self),
    yes = on(B, global, register_name, [both, process(B)]),
    join(A, B),
    in_sync([A, B], [C]),
    [?assertEqual(Mine, on(N, global, whereis_name, [both])) || N <- [A, B]],
    ?assertEqual({ok, Mine}, ask(A, C, {global_whereis, both})).

nodes_killed_while_they_join_hold_up_nobody(_Config) ->
    Beams = [A | _] = [beam() || _ <- [1, 2, 3]],
    [join(A, B) || B <- tl(Beams)],
    in_sync(Beams, []),
    [
        begin
            C = c_node(),
            join(A, C),
            pause(rand:uniform(260) - 1),
            kill(C),
            ?assertEqual(yes, on(A, global, register_name, [{try_again, I}, process(A)]))
        end
     || I <- lists:seq(1, 15)
    ],
    [?assertEqual(ok, on(B, global, sync, [])) || B <- Beams].

garbage_holds_up_nobody(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    Server = {global_name_server, name(C)},
    Me = name(A),
    Pid = process(A),
    Casts = [
        {init_connect, foo, Me, bar}, {init_connect, {8, 1}, Me, {locker, a, b, Pid}},
        {init_connect, {8}, Me, {locker, a, b, Pid}}, {init_connect, {4, 1}, nobody, []},
        {init_connect, {9, x, y}, 'x@nowhere', {locker, a, b, Pid}},
        {exchange, Me, [{a, Pid, m}], [], 1}, {exchange, Me, garbage, [], -1},
        {exchange, nobody, [], [], x}, {resolved, Me, [], [], [], [], 0},
        {resolved, Me, x, y, z, 1, 2}, {new_nodes, Me, x, y, z, e},
        {new_nodes, Me, [{insert, x}, {delete, y}, z | tail], [{a, b}], [1, {2, 3}], 4},
        {lock_set, Pid, true, [], 1}, {lock_set, Pid, true, []}, {lock_set, x, true, []},
        {async_del_name, a, b}, {async_del_lock, a, b}, in_sync, {in_sync, 1, 2}, [], "", 1.5
    ],
    Infos = [
        {init_connect_ack, Me, 1, 2}, {init_connect_ack, x, y, z}, {cancel_connect, Me, 77},
        {cancel_connect, 1, 2}, {lost_connection, a, b, c, d}, {lost_connection, Me, 1, 2, nobody},
        {lost_connection, 1, 2, 3, 4}, {remove_connection, nobody}, {remove_connection, 1},
        {lock_set, Pid, false, []}, {nodedown, Me}, {nodeup, Me}, <<1, 2, 3>>, {'$gen_cast'}
    ],
    Calls = [
        {set_lock, x}, {set_lock, {a}}, {del_lock, x}, {register, a}, {unregister}, {sync, x},
        {registrar, x}, stop, info, disconnect, {register, a, b, c}, #{}
    ],
    [ok = on(A, gen_server, cast, [Server, M]) || M <- Casts],
    [M = on(A, erlang, send, [Server, M]) || M <- Infos],
    [
        {badrpc, _} = peer_catch(A, gen_server, call, [Server, M, 20])
     || M <- Calls, M =/= {sync, x}
    ],
    in_sync([A, B], [C]),
    ?assertEqual(ok, ask(A, C, {global_register, fine})),
    ?assertEqual(ask(A, C, self), on(B, global, whereis_name, [fine])).

%% Nobody is left to wait for half of it.
who_kills_global_ends_the_node(_Config) ->
    {[A, B], [{Port, Node}]} = mesh(2, 1),
    ok = on(A, erlang, apply, [fun kill_locker/1, [Node]]),
    _ = line(Port, "closed GCL_EKERNEL"),
    ?assertEqual(ok, on(B, global, sync, [])),
    ?assertEqual(yes, on(A, global, register_name, [after_it, process(A)])).

%% Its pid is the one behind that of the server, to which something is on its way meanwhile.
kill_locker(Node) ->
    Server = {global_name_server, Node},
    {status, Pid, _, _} = sys:get_status(Server),
    Bytes = term_to_binary(Pid),
    Head = binary:part(Bytes, 0, byte_size(Bytes) - 12),
    <<Head:(byte_size(Head))/binary, Id:32, Serial:32, Creation:32>> = Bytes,
    exit(binary_to_term(<<Head/binary, (Id + 1):32, Serial:32, Creation:32>>), kill),
    [Server ! {'$gen_call', {self(), make_ref()}, get_known} || _ <- lists:seq(1, 100)],
    [gen_server:cast(Server, {in_sync, node(), true}) || _ <- lists:seq(1, 100)],
    [Server ! anything || _ <- lists:seq(1, 100)],
    ok.

a_visible_node_has_to_listen(_Config) ->
    Port = program("server", c_name("mute"), ["visible", "mute"]),
    ?assertMatch({match, _}, re:run(line(Port, "GCL_EINVAL"), "listen")).

%% --- processes of BEAMs -------------------------------------------------------------------------

end_of(Pid) ->
    Monitor = monitor(process, Pid),
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> Reason
    end.

echo() ->
    receive
        {'$gen_call', From, Request} ->
            gen_server:reply(From, {echo, Request}),
            echo()
    end.

race({Port, C}, Asker, Names) when is_port(Port) ->
    [Name || Name <- Names, element(1, ask(Asker, {Port, C}, {global_claim, Name})) =:= ok];
race(Beam, _Asker, Names) ->
    [Name || Name <- Names, on(Beam, global, register_name, [Name, process(Beam)]) =:= yes].

%% SPDX-License-Identifier: Apache-2.0
%% Groups of nodes, `global_groups` of kernel: BEAMs, and C nodes (test/c/programs/global.c) with
%% `global_group` in their config.
-module(global_group_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    groups_are_those_of_beams/1,
    another_group_holds_up_nobody/1,
    a_group_that_is_checked_anew/1,
    other_groups_search_c_nodes/1,
    a_wrong_group_is_refused/1,
    nodes_of_other_groups_are_not_made_known/1,
    c_nodes_with_different_groups_are_no_partition/1,
    a_beam_without_groups_is_of_none/1,
    groups_are_compared/1
]).

-import(global_helper, [
    beam/0, hidden_beam/0, line/2, name/1, on/4, ask/3, join/2, in_sync/2, none/3, await/1,
    process/1, c_name/1, named_beam/2, named_c_node/3, program/3
]).
-import(global_servers, [hidden/0, has_name/4]).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        groups_are_those_of_beams,
        another_group_holds_up_nobody,
        a_group_that_is_checked_anew,
        other_groups_search_c_nodes,
        a_wrong_group_is_refused,
        nodes_of_other_groups_are_not_made_known,
        c_nodes_with_different_groups_are_no_partition,
        a_beam_without_groups_is_of_none,
        groups_are_compared
    ] -- left_out(erlang:system_info(otp_release)).

%% OTP 23 does not tell a node that it has another group.
left_out("23") -> [another_group_holds_up_nobody, a_group_that_is_checked_anew];
left_out(_) -> [].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- groups -----------------------------------------------------------------------------------

%% A and C are one group, B and D another one; all are connected.
groups_are_those_of_beams(_Config) ->
    Names = [NA, NB, NC, ND] = [c_name(P) || P <- ["gcl_a", "gcl_b", "gcl_c", "gcl_d"]],
    Groups = groups([{one, [NA, NC]}, {two, [NB, ND]}]),
    [A, B] = [named_beam(alive(N), Groups) || N <- [NA, NB]],
    C = named_c_node("global", NC, ["visible", "group", NA, "group", NC]),
    D = named_c_node("global", ND, ["visible", "group", ND, "group", NB]),
    [true = on(A, net_kernel, connect_node, [list_to_atom(N)]) || N <- tl(Names)],
    [true = on(B, net_kernel, connect_node, [list_to_atom(N)]) || N <- [NC, ND]],
    in_sync([A], [C]),
    in_sync([B], [D]),
    ?assertEqual(lists:sort([name(A), name(C)]), lists:sort(on(A, global_group, own_nodes, []))),
    ok = ask(A, C, {global_register, one}),
    yes = on(B, global, register_name, [two, process(B)]),
    has_name([A], [C], one, ask(A, C, self)),
    ?assertMatch({ok, _}, ask(B, D, {global_whereis, two})),
    none(B, [B, D], one),
    none(A, [A, C], two),
    %% Each group has a name for itself.
    ?assertEqual(ok, ask(B, D, {global_register, one})),
    ?assertEqual(ok, ask(A, C, global_sync)),
    ?assertEqual(ok, ask(B, D, global_sync)),
    %% A node of no group, neither (its global:sync/0 waits, as for a BEAM of a group).
    E = beam(),
    join(E, C),
    join(E, D),
    ?assertEqual(yes, on(E, global, register_name, [one, process(E)])),
    ok = on(E, global, unregister_name, [one]),
    ?assertEqual(undefined, on(E, global, whereis_name, [one])),
    ?assertEqual(ok, ask(A, C, global_sync)),
    has_name([A], [C], one, ask(A, C, self)).

%% A C node that does not know that it is of a group: the BEAM says so, and nobody waits for it.
another_group_holds_up_nobody(_Config) ->
    NA = c_name("gcl_a"),
    NC = c_name("gcl_c"),
    A = named_beam(alive(NA), groups([{one, [NA, NC]}])),
    C = named_c_node("global", NC, ["visible"]),
    B = beam(),
    join(B, C),
    in_sync([B], [C]),
    join(A, C),
    _ = line(element(1, C), "is not of the same group"),
    ?assertEqual(ok, ask(A, C, global_sync)),
    ?assertEqual(ok, ask(A, C, {global_register, name})),
    has_name([B], [C], name, ask(A, C, self)),
    ?assertEqual(undefined, on(A, global, whereis_name, [name])),
    ?assertEqual(yes, on(A, global, register_name, [name, process(A)])),
    in_sync([B], [C]),
    %% When it has gone and come again, it is the same.
    peer:stop(element(1, A)),
    ?assertEqual(ok, ask(B, C, global_sync)),
    has_name([B], [C], name, ask(B, C, self)).

%% An operator changes the groups of a BEAM, and says global_group:sync().
a_group_that_is_checked_anew(_Config) ->
    [NA, NC] = [c_name(P) || P <- ["gcl_a", "gcl_c"]],
    A = named_beam(alive(NA), groups([{one, [NA]}])),
    C = named_c_node("global", NC, ["visible", "group", NA, "group", NC]),
    ok = ask_from(C, A),
    _ = line(element(1, C), "is not of the same group"),
    Set = fun(Nodes) ->
        Group = [{one, [list_to_atom(N) || N <- Nodes]}],
        ok = on(A, global_group, global_groups_changed, [Group]),
        ok = on(A, global_group, sync, [])
    end,
    Set([NA, NC]),
    in_sync([A], [C]),
    ?assertEqual(ok, ask(A, C, {global_register, name})),
    has_name([A], [C], name, ask(A, C, self)),
    Set([NA, NC, "another@127.0.0.1"]),
    _ = line(element(1, C), "is not of the same group"),
    none(A, [A], name),
    ?assertEqual(ok, ask(A, C, global_sync)).

other_groups_search_c_nodes(_Config) ->
    [NA, NC] = [c_name(P) || P <- ["gcl_a", "gcl_c"]],
    A = named_beam(alive(NA), groups([{one, [NA]}, {two, [NC]}])),
    C = named_c_node("global", NC, ["visible", "group", NC]),
    H = hidden(),
    [true = on(A, net_kernel, connect_node, [name(N)]) || N <- [C, H]],
    ok = ask(A, C, {global_register, name}),
    Pid = ask(A, C, self),
    ?assertEqual(Pid, on(A, global_group, whereis_name, [{node, name(C)}, name])),
    ?assertEqual(Pid, on(A, global_group, whereis_name, [{group, two}, name])),
    ?assertEqual(undefined, on(A, global_group, whereis_name, [{node, name(C)}, nobody])),
    ?assertEqual([name], on(A, global_group, registered_names, [{node, name(C)}])),
    ?assertEqual(undefined, on(A, global_group, whereis_name, [{node, name(H)}, name])),
    ?assertEqual([], on(A, global_group, registered_names, [{node, name(H)}])).

a_wrong_group_is_refused(_Config) ->
    Name = c_name("gcl_c"),
    Port = program("global", Name, ["visible", "group", "another@127.0.0.1"]),
    ?assertMatch({match, _}, re:run(line(Port, "GCL_EINVAL"), "global_group")),
    Other = program("global", Name, ["visible", "group", Name, "group", "nobody"]),
    ?assertMatch({match, _}, re:run(line(Other, "GCL_ENAME"), "global_group")),
    Twice = program("global", Name, ["visible", "group", Name, "group", Name]),
    ?assertMatch({match, _}, re:run(line(Twice, "GCL_EINVAL"), "once")).

%% Who is of another group is not made known, whoever says so.
nodes_of_other_groups_are_not_made_known(_Config) ->
    [NA, NB, NC] = [c_name(P) || P <- ["gcl_a", "gcl_b", "gcl_c"]],
    A = named_beam(alive(NA), groups([{one, [NA, NC]}])),
    B = named_beam(alive(NB), groups([{two, [NB]}])),
    C = named_c_node("global", NC, ["visible", "group", NA, "group", NC]),
    join(A, C),
    true = on(B, net_kernel, connect_node, [name(C)]),
    in_sync([A], [C]),
    Nodes = [{name(B), 8}, {'nobody@127.0.0.1', 8}],
    Known = fun(What) -> on(A, gen_server, call, [{global_name_server, name(C)}, What]) end,
    Lie = {new_nodes, name(A), [], [], Nodes, []},
    ok = on(A, gen_server, cast, [{global_name_server, name(C)}, Lie]),
    await(fun() -> Known(get_known) =:= [name(A)] end),
    ?assertEqual([name(A)], Known(get_synced)),
    ?assertEqual(ok, ask(A, C, global_sync)).

%% Else D would be of the partition of C, and C of that of E, which is not that of D.
c_nodes_with_different_groups_are_no_partition(_Config) ->
    H = hidden_beam(),
    Names = [NC, ND, NE] = [c_name(P) || P <- ["gcl_c", "gcl_d", "gcl_e"]],
    Start = fun(Name, Group) ->
        named_c_node("global", Name, ["visible" | lists:append([["group", N] || N <- Group])])
    end,
    D = Start(ND, [NC, ND]),
    Others = [C, E] = [Start(NC, Names), Start(NE, Names)],
    [true = on(H, net_kernel, connect_node, [name(N)]) || N <- [D | Others]],
    %% Who asks a node for a lock connects to it.
    Connect = fun(From, To) ->
        ok = ask(H, From, {global_set_lock, {name(To), name(From)}, [name(To)], 0})
    end,
    [Connect(From, To) || {From, To} <- [{D, C}, {D, E}, {C, E}]],
    Known = fun(N) ->
        lists:sort(on(H, gen_server, call, [{global_name_server, name(N)}, get_synced]))
    end,
    await(fun() -> [Known(N) || N <- [C, D, E]] =:= [[name(E)], [], [name(C)]] end),
    [?assertEqual(ok, ask(H, N, global_sync)) || N <- [C, D, E]],
    [?assertEqual(ok, ask(H, N, {global_register, name})) || N <- [C, D]],
    OfC = ask(H, C, self),
    [?assertEqual({ok, OfC}, ask(H, N, {global_whereis, name})) || N <- Others],
    ?assertEqual({ok, ask(H, D, self)}, ask(H, D, {global_whereis, name})).

%% As two BEAMs of which one has no groups.
a_beam_without_groups_is_of_none(_Config) ->
    A = beam(),
    NC = c_name("gcl_c"),
    C = named_c_node("global", NC, ["visible", "group", atom_to_list(name(A)), "group", NC]),
    join(A, C),
    _ = line(element(1, C), "is not of the same group"),
    ?assertEqual(ok, ask(A, C, global_sync)),
    ?assertEqual(ok, ask(A, C, {global_register, name})),
    ?assertEqual(yes, on(A, global, register_name, [name, process(A)])).

%% As there: the order is nothing, but that none is there twice.
groups_are_compared(_Config) ->
    [NA, NC] = [c_name(P) || P <- ["gcl_a", "gcl_c"]],
    A = named_beam(alive(NA), groups([{one, [NA, NC]}])),
    C = named_c_node("global", NC, ["visible", "group", NA, "group", NC]),
    join(A, C),
    in_sync([A], [C]),
    Check = fun(Nodes) -> on(A, erlang, apply, [fun check_group/2, [name(C), Nodes]]) end,
    [N, M] = [name(A), name(C)],
    [?assertEqual(config_ok, Check(Nodes)) || Nodes <- [[N, M], [M, N]]],
    [
        ?assertEqual(config_error, Check(Nodes))
     || Nodes <- [[N, N], [M, M], [N], [], [N, M, M], [N, x], [N, 1], x, [N | M]]
    ].

check_group(Node, Nodes) ->
    From = {self(), make_ref()},
    Check = {conf_check, 3, node(), From, sync, one, normal, Nodes},
    ok = gen_server:cast({global_group, Node}, Check),
    receive
        {Verdict, 3, From, Node} -> Verdict
    end.

groups(Groups) ->
    Text = io_lib:format("~w", [[{G, [list_to_atom(N) || N <- Nodes]} || {G, Nodes} <- Groups]]),
    ["-kernel", "global_groups", lists:flatten(Text)].

alive(Name) -> hd(string:split(Name, "@")).

%% A BEAM connects to a C node that it has no group with.
ask_from(C, Beam) ->
    true = on(Beam, net_kernel, connect_node, [name(C)]),
    ok.

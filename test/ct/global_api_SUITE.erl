%% SPDX-License-Identifier: Apache-2.0
%% What C programs do with `global` (test/c/programs/global.c), as BEAMs see it, and the other way
%% round.
-module(global_api_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    all_names_are_listed/1,
    a_name_is_registered_again/1,
    a_name_is_taken_away/1,
    other_processes_are_registered/1,
    processes_of_hidden_nodes_are_registered/1,
    any_name_is_a_destination/1,
    a_hidden_node_does_what_a_beam_can/1,
    a_hidden_node_says_who_has_its_name/1,
    a_hidden_node_says_what_it_cannot/1,
    wrong_options_are_refused/1,
    sync_waits_for_those_that_are_connected/1
]).

-import(global_helper, [
    beam/0, hidden_beam/0, kill/1, line/2, name/1, on/4, ask/3, join/2, mesh/3, none/3, process/1
]).
-import(global_servers, [
    visible/0, hidden/0, connect_c/3, ask_pid/3, asking/3, answer_within/2, has_name/4, gns/1,
    collector/2, expect/3
]).

-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        all_names_are_listed,
        a_name_is_registered_again,
        a_name_is_taken_away,
        other_processes_are_registered,
        processes_of_hidden_nodes_are_registered,
        any_name_is_a_destination,
        a_hidden_node_does_what_a_beam_can,
        a_hidden_node_says_who_has_its_name,
        a_hidden_node_says_what_it_cannot,
        wrong_options_are_refused,
        sync_waits_for_those_that_are_connected
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- names ------------------------------------------------------------------------------------

all_names_are_listed(_Config) ->
    {[A], [C, D]} = mesh(1, 2, fun global_servers:visible/0),
    ?assertEqual({ok, []}, ask(A, C, global_registered_names)),
    One = process(A),
    yes = on(A, global, register_name, [{room, 1.5}, One]),
    ok = ask(A, C, {global_register, "text"}),
    ok = ask(A, D, {global_register, 'Ünï'}),
    {ok, Names} = ask(A, D, global_registered_names),
    ?assertEqual(lists:sort([{room, 1.5}, "text", 'Ünï']), lists:sort(Names)),
    %% The walk; what would change names is refused meanwhile.
    Collector = collector(A, C),
    ok = ask(A, C, global_each_name),
    expect(A, Collector, {name, {room, 1.5}, One, 'GCL_EBUSY'}),
    expect(A, Collector, {name, "text", ask(A, C, self), 'GCL_EBUSY'}),
    expect(A, Collector, {name, 'Ünï', ask(A, D, self), 'GCL_EBUSY'}),
    none(A, [A, C, D], not_in_here).

a_name_is_registered_again(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun global_servers:visible/0),
    yes = on(A, global, register_name, [name, process(A)]),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, C, {global_register, name})),
    ?assertEqual(ok, ask(A, C, {global_re_register, name, own})),
    has_name([A, B], [C, D], name, ask(A, C, self)),
    %% A server may have several, has it with another method when it does it again, and loses it.
    ?assertEqual(ok, ask(A, C, {global_re_register, another, own})),
    ?assertEqual(ok, ask(A, C, {global_re_register, name, nobody})),
    ?assertEqual(ok, ask(A, D, {global_re_register, name, own})),
    has_name([A, B], [C, D], name, ask(A, D, self)),
    Taken = "its global name name: a process on " ++ atom_to_list(name(D)) ++ " has it",
    "log warning global_name_lost " ++ _ = line(element(1, C), Taken),
    ?assertEqual({error, 'GCL_ENOENT'}, ask(A, C, {global_unregister, name})),
    Pid = process(B),
    ?assertEqual(ok, ask(A, C, {global_re_register, another, Pid})),
    has_name([A, B], [C, D], another, Pid),
    yes = on(A, global, re_register_name, [name, Pid]),
    has_name([A, B], [C, D], name, Pid).

a_name_is_taken_away(_Config) ->
    {[A], [C, D]} = mesh(1, 2, fun global_servers:visible/0),
    yes = on(A, global, register_name, [theirs, process(A)]),
    ok = ask(A, D, {global_register, ours}),
    ?assertEqual(ok, ask(A, C, {global_unregister_name, theirs})),
    none(A, [A, C, D], theirs),
    ?assertEqual(ok, ask(A, C, {global_unregister_name, ours})),
    none(A, [A, C, D], ours),
    "log warning global_name_lost " ++ _ = line(element(1, D), "name ours: nobody has it"),
    ?assertEqual({error, 'GCL_ENOENT'}, ask(A, C, {global_unregister_name, ours})),
    %% Its server knows, and may have the name anew.
    ?assertEqual(ok, ask(A, D, {global_register, ours})),
    ?assertEqual(ok, ask(A, D, {global_unregister_name, ours})),
    none(A, [A, C, D], ours),
    ?assertEqual({error, 'GCL_ENOENT'}, ask(A, D, {global_unregister, ours})).

other_processes_are_registered(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun global_servers:visible/0),
    Asker = ask(A, C, spawn),
    Pid = process(B),
    ?assertEqual(ok, ask_pid(A, Asker, {global_register, far, Pid})),
    ?assertEqual({error, 'GCL_EHASNAME'}, ask_pid(A, Asker, {global_register, further, Pid})),
    ?assertEqual(ok, ask_pid(A, Asker, {global_register, near, ask(A, C, self)})),
    ?assertEqual(ok, ask_pid(A, Asker, {global_register, own, Asker})),
    %% A name stays with its process, whoever asked for it.
    true = on(A, erlang, exit, [Asker, kill]),
    none(A, [A, B, C, D], own),
    has_name([A, B], [C, D], far, Pid),
    has_name([A, B], [C, D], near, ask(A, C, self)),
    true = on(A, erlang, exit, [Pid, kill]),
    none(A, [A, B, C, D], far).

%% As global:register_name_external/3 does.
processes_of_hidden_nodes_are_registered(_Config) ->
    {[A, B], [C]} = mesh(2, 1, fun global_servers:visible/0),
    H = hidden(),
    true = on(A, net_kernel, connect_node, [name(H)]),
    Pid = ask(A, H, self),
    connect_c(A, C, Pid),
    ?assertEqual(ok, ask(A, C, {global_register, hidden, Pid})),
    [
        ?assertEqual([{hidden, Pid, name(C)}], on(A, gen_server, call, [gns(N), get_names_ext]))
     || N <- [A, B, C]
    ],
    has_name([A, B], [C], hidden, Pid),
    kill(H),
    none(A, [A, B, C], hidden).

any_name_is_a_destination(_Config) ->
    {[A], [C, D]} = mesh(1, 2, fun global_servers:visible/0),
    H = hidden(),
    true = on(A, net_kernel, connect_node, [name(H)]),
    Collector = collector(A, D),
    Pid = ask(A, D, self),
    Name = {room, [1, 2.5], "x"},
    ok = ask(A, D, {global_register, Name}),
    [
        begin
            ?assertEqual(ok, ask(A, N, {send, Name, {from, N}})),
            expect(A, Collector, {info, {from, N}, Pid}),
            ?assertEqual(ok, ask(A, N, {cast, Name, {from, N}})),
            expect(A, Collector, {cast, {from, N}, Pid}),
            ?assertEqual({ok, N}, ask(A, N, {call, Name, {echo, N}})),
            ?assertEqual({error, 'GCL_ENOPROC'}, ask(A, N, {call, {room, [1, 2], "x"}, hello})),
            ?assertEqual(ok, ask(A, N, {send, {nobody, 1}, hello}))
        end
     || N <- [C, D, H]
    ].

a_hidden_node_does_what_a_beam_can(_Config) ->
    {[A, B], [C]} = mesh(2, 1, fun global_servers:visible/0),
    H = hidden(),
    Hidden = hidden_beam(),
    [
        ?assertEqual({error, 'GCL_ENOCONNECTION'}, ask(Hidden, H, Request))
     || Request <- [global_registered_names, {global_whereis, x}, {global_unregister_name, x}]
    ],
    true = on(A, net_kernel, connect_node, [name(H)]),
    yes = on(B, global, register_name, [theirs, process(B)]),
    ok = ask(A, C, {global_register, {ours, 1}}),
    {ok, Names} = ask(A, H, global_registered_names),
    ?assertEqual([theirs, {ours, 1}], lists:sort(Names)),
    ?assertEqual(ok, ask(A, H, {global_unregister_name, theirs})),
    none(A, [A, B, C], theirs),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, H, {global_register, {ours, 1}})),
    ?assertEqual(ok, ask(A, H, {global_re_register, {ours, 1}, notify_all})),
    has_name([A, B], [C], {ours, 1}, ask(A, H, self)),
    _ = line(element(1, C), "global_name_lost"),
    ?assertEqual(ok, ask(A, H, {global_re_register, {ours, 1}, own})),
    has_name([A, B], [C], {ours, 1}, ask(A, H, self)),
    ?assertEqual(ok, ask(A, H, {global_unregister, {ours, 1}})),
    none(A, [A, B, C], {ours, 1}).

%% The BEAM by which it was registered is gone, and for the next one somebody else has the name.
a_hidden_node_says_who_has_its_name(_Config) ->
    A = beam(),
    B = beam(),
    H = hidden(),
    [true = on(N, net_kernel, connect_node, [name(H)]) || N <- [A, B]],
    ok = ask(A, H, {global_register, {room, 1}}),
    [Holder, Other] =
        case on(A, global, whereis_name, [{room, 1}]) of
            undefined -> [B, A];
            _ -> [A, B]
        end,
    yes = on(Other, global, register_name, [{room, 1}, process(Other)]),
    ok = peer:stop(element(1, Holder)),
    "log warning global_name_lost a server has lost its global name {room,1}: " ++ Who =
        line(element(1, H), "global_name_lost"),
    OtherName = atom_to_list(name(Other)),
    ?assertEqual("a process on " ++ OtherName ++ " has it, as " ++ OtherName ++ " says", Who).

a_hidden_node_says_what_it_cannot(_Config) ->
    A = beam(),
    H = hidden(),
    true = on(A, net_kernel, connect_node, [name(H)]),
    Refused = {error, 'GCL_ENOTSUP'},
    ?assertEqual(Refused, ask(A, H, global_sync)),
    ?assertEqual(Refused, ask(A, H, global_each_name)),
    ?assertEqual(Refused, ask(A, H, {global_set_lock, {a, b}, all, 0})),
    ?assertEqual(Refused, ask(A, H, {global_del_lock, {a, b}, all})),
    ?assertEqual(Refused, ask(A, H, {global_register, name, process(A)})),
    ?assertEqual(ok, ask(A, H, {global_register, name, own})).

wrong_options_are_refused(_Config) ->
    {[A], [C]} = mesh(1, 1, fun global_servers:visible/0),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_set_lock, no_pair, all, 0})),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_set_lock, {a, b, c}, all, 0})),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_del_lock, no_pair, all})),
    ?assertEqual({error, 'GCL_ELIMIT'}, ask(A, C, {global_set_lock, {deep(64), b}, all, 0})),
    ?assertEqual(ok, ask(A, C, {global_set_lock, {deep(63), b}, all, 0})).

deep(0) -> x;
deep(N) -> {deep(N - 1)}.

%% --- being in sync ----------------------------------------------------------------------------

sync_waits_for_those_that_are_connected(_Config) ->
    C = visible(),
    [A, B] = [beam(), beam()],
    Hidden = hidden_beam(),
    true = on(Hidden, net_kernel, connect_node, [name(C)]),
    ?assertEqual(ok, ask(Hidden, C, global_sync)),
    ok = on(A, sys, suspend, [global_name_server]),
    join(A, C),
    First = asking(Hidden, C, global_sync),
    ?assertEqual(timeout, answer_within(First, 500)),
    ok = on(A, sys, resume, [global_name_server]),
    ?assertEqual(ok, answer_within(First, ?SOON)),
    ?assert(lists:member(name(A), on(A, gen_server, call, [gns(C), get_synced]))),
    %% One that is lost is not waited for.
    ok = on(B, sys, suspend, [global_name_server]),
    join(B, C),
    Second = asking(Hidden, C, global_sync),
    ?assertEqual(timeout, answer_within(Second, 500)),
    peer:stop(element(1, B)),
    ?assertEqual(ok, answer_within(Second, ?SOON)).

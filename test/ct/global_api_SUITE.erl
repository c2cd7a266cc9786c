%% SPDX-License-Identifier: Apache-2.0
%% What C programs do with `global` (test/c/programs/global.c), as BEAMs see it, and the other way
%% round.
-module(global_api_SUITE).

-include_lib("common_test/include/ct.hrl").
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
    methods_when_c_decides/1,
    methods_when_a_beam_asks/1,
    methods_when_another_c_node_asks/1,
    methods_of_hidden_nodes/1,
    wrong_options_are_refused/1,
    sync_waits_for_those_that_are_connected/1,
    locks_are_those_of_global/1,
    a_lock_is_waited_for/1,
    a_lock_that_is_waited_for_is_cancelled/1,
    locks_on_some_nodes/1,
    locks_go_with_their_servers/1,
    one_at_a_time_has_the_lock/1,
    groups_are_those_of_beams/1,
    another_group_holds_up_nobody/1,
    a_group_that_is_checked_anew/1,
    other_groups_search_c_nodes/1,
    a_wrong_group_is_refused/1,
    c_nodes_with_different_groups_are_no_partition/1,
    a_beam_without_groups_is_of_none/1,
    groups_are_compared/1,
    nodes_of_other_groups_are_not_made_known/1
]).

-import(global_helper, [
    beam/0, beam/2, hidden_beam/0, c_node/3, kill/1, line/2, name/1, on/4, ask/3, join/2, mesh/3,
    in_sync/2, none/3, await/1, pause/1, process/1, lock/4, c_name/1, named_beam/2, named_c_node/3,
    program/3
]).

-export([expect/2, call/2, contend/4]).

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
        methods_when_c_decides,
        methods_when_a_beam_asks,
        methods_when_another_c_node_asks,
        methods_of_hidden_nodes,
        wrong_options_are_refused,
        sync_waits_for_those_that_are_connected,
        locks_are_those_of_global,
        a_lock_is_waited_for,
        a_lock_that_is_waited_for_is_cancelled,
        locks_on_some_nodes,
        locks_go_with_their_servers,
        one_at_a_time_has_the_lock,
        groups_are_those_of_beams,
        another_group_holds_up_nobody,
        a_group_that_is_checked_anew,
        other_groups_search_c_nodes,
        a_wrong_group_is_refused,
        c_nodes_with_different_groups_are_no_partition,
        a_beam_without_groups_is_of_none,
        groups_are_compared,
        nodes_of_other_groups_are_not_made_known
    ] -- left_out(erlang:system_info(otp_release)).

%% OTP 23 does not tell a node that it has another group.
left_out("23") -> [another_group_holds_up_nobody, a_group_that_is_checked_anew];
left_out(_) -> [].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- names ------------------------------------------------------------------------------------

all_names_are_listed(_Config) ->
    {[A], [C, D]} = mesh(1, 2, fun visible/0),
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
    {[A, B], [C, D]} = mesh(2, 2, fun visible/0),
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
    {[A], [C, D]} = mesh(1, 2, fun visible/0),
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
    {[A, B], [C, D]} = mesh(2, 2, fun visible/0),
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
    {[A, B], [C]} = mesh(2, 1, fun visible/0),
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
    {[A], [C, D]} = mesh(1, 2, fun visible/0),
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
    {[A, B], [C]} = mesh(2, 1, fun visible/0),
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

%% --- conflicts --------------------------------------------------------------------------------

%% The name is one of a server of C; who decides is C itself, by its fellow, or a hidden node that
%% is asked. What the other process is told is seen by its own node.
methods_when_c_decides(_Config) ->
    C = c_node("global", "aaa", ["visible"]),
    Hidden = hidden_beam(),
    true = on(Hidden, net_kernel, connect_node, [name(C)]),
    Collector = collector(Hidden, C),
    Servers = register_all(Hidden, C),
    B = beam(),
    Others = register_others(B),
    join(B, C),
    in_sync([B], [C]),
    %% C is the smaller one, so that its processes stay where the names of the nodes decide.
    check_all(Hidden, Collector, [B], [C], Servers, Others, first).

%% A BEAM decides for its partition about names of C: by erpc to C.
methods_when_a_beam_asks(_Config) ->
    A = beam("aaa", []),
    C = c_node("global", "mmm", ["visible"]),
    B = beam("bbb", []),
    join(A, C),
    in_sync([A], [C]),
    Collector = collector(A, C),
    Servers = register_all(A, C),
    Others = register_others(B),
    join(A, B),
    in_sync([A, B], [C]),
    check_all(A, Collector, [A, B], [C], Servers, Others, second).

%% The same, but a C node decides, and asks by rex.
methods_when_another_c_node_asks(_Config) ->
    D = c_node("global", "aaa", ["visible"]),
    C = c_node("global", "mmm", ["visible"]),
    B = beam("zzz", []),
    Hidden = hidden_beam(),
    [true = on(Hidden, net_kernel, connect_node, [name(N)]) || N <- [C, D]],
    connect_c(Hidden, C, ask(Hidden, D, self)),
    await(fun() ->
        on(Hidden, gen_server, call, [{global_name_server, name(C)}, get_synced]) =:= [name(D)]
    end),
    Collector = collector(Hidden, C),
    Servers = register_all(Hidden, C),
    Others = register_others(B),
    join(B, D),
    in_sync([B], [C, D]),
    check_all(Hidden, Collector, [B], [C, D], Servers, Others, first).

%% The BEAM that has registered them is asked to decide, and asks the hidden node.
methods_of_hidden_nodes(_Config) ->
    A = beam("aaa", []),
    B = beam("bbb", []),
    H = c_node("global", "mmm", []),
    true = on(A, net_kernel, connect_node, [name(H)]),
    Collector = collector(A, H),
    Servers = register_all(A, H),
    Others = register_others(B),
    join(A, B),
    in_sync([A, B], []),
    check_all(A, Collector, [A, B], [], Servers, Others, second).

wrong_options_are_refused(_Config) ->
    {[A], [C]} = mesh(1, 1, fun visible/0),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_set_lock, no_pair, all, 0})),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_set_lock, {a, b, c}, all, 0})),
    ?assertEqual({error, 'GCL_EINVAL'}, ask(A, C, {global_del_lock, no_pair, all})),
    ?assertEqual({error, 'GCL_ELIMIT'}, ask(A, C, {global_set_lock, {deep(64), b}, all, 0})),
    ?assertEqual(ok, ask(A, C, {global_set_lock, {deep(63), b}, all, 0})).

deep(0) -> x;
deep(N) -> {deep(N - 1)}.

methods() -> [random_notify, random_exit, notify_all, nobody, own, other, neither].

%% A server for each method, with a name that is called like it.
register_all(Asker, C) ->
    [
        begin
            Pid = ask(Asker, C, spawn),
            ?assertEqual(ok, ask_pid(Asker, Pid, {global_register, {conflict, M}, M})),
            {M, Pid}
        end
     || M <- methods()
    ].

%% They tell what they are told, and all have a method that must not be used.
register_others(B) ->
    Method = fun erlang:error/3,
    [
        begin
            Pid = on(B, erlang, apply, [fun start_teller/0, []]),
            yes = on(B, global, register_name, [{conflict, M}, Pid, Method]),
            {M, Pid}
        end
     || M <- methods()
    ].

%% Ours is of the node whose name is the `first` or `second` of both.
check_all(Asker, Collector, Beams, Cs, Servers, Others, Order) ->
    [
        begin
            {M, Ours} = lists:keyfind(M, 1, Servers),
            {M, Theirs} = lists:keyfind(M, 1, Others),
            Name = {conflict, M},
            case keeper(M, Order) of
                ours -> has_name(Beams, Cs, Name, Ours);
                theirs -> has_name(Beams, Cs, Name, Theirs);
                nobody -> none(hd(Beams), Beams ++ Cs, Name)
            end,
            check_told(M, Order, {Asker, Collector, lists:last(Beams)}, Name, Ours, Theirs)
        end
     || M <- methods()
    ].

keeper(own, _) -> ours;
keeper(other, _) -> theirs;
keeper(random_notify, first) -> ours;
keeper(random_exit, first) -> ours;
keeper(random_notify, second) -> theirs;
keeper(random_exit, second) -> theirs;
keeper(_, _) -> nobody.

check_told(random_notify, first, {_, _, B}, Name, _, Theirs) ->
    await_told([{global_name_conflict, Name}], B, Theirs);
check_told(random_notify, second, {A, Collector, B}, Name, Ours, Theirs) ->
    expect(A, Collector, {info, {global_name_conflict, Name}, Ours}),
    ?assertEqual([], told(B, Theirs));
check_told(random_exit, first, {_, _, B}, _, _, Theirs) ->
    await(fun() -> not on(B, erlang, is_process_alive, [Theirs]) end);
check_told(random_exit, second, {A, _, B}, _, Ours, Theirs) ->
    ?assertExit(_, ask_pid(A, Ours, self)),
    ?assertEqual([], told(B, Theirs));
check_told(notify_all, _, {A, Collector, B}, Name, Ours, Theirs) ->
    expect(A, Collector, {info, {global_name_conflict, Name, Theirs}, Ours}),
    await_told([{global_name_conflict, Name, Ours}], B, Theirs);
check_told(nobody, _, {A, _, B}, _, Ours, Theirs) ->
    ?assertEqual([], told(B, Theirs)),
    ?assertEqual(Ours, ask_pid(A, Ours, self));
check_told(_, _, {A, Collector, B}, Name, Ours, Theirs) ->
    expect(A, Collector, {resolve, Name, Ours, Theirs}),
    ?assertEqual([], told(B, Theirs)),
    ?assertEqual(Ours, ask_pid(A, Ours, self)).

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

gns(Node) -> {global_name_server, name(Node)}.

%% --- locks ------------------------------------------------------------------------------------

locks_are_those_of_global(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun visible/0),
    Process = process(A),
    ?assertEqual(ok, ask(A, C, {global_set_lock, {r, c}, all, 0})),
    ?assertEqual(ok, ask(A, C, {global_set_lock, {r, c}, all, 0})),
    [?assertNot(lock(A, Process, set_lock, [{r, a}, [name(N)], 0])) || N <- [A, B, C, D]],
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, D, {global_set_lock, {r, d}, all, 0})),
    %% The same requester: they have it together.
    ?assert(lock(A, Process, set_lock, [{r, c}, [name(N) || N <- [A, B, C, D]], 0])),
    ?assertEqual(ok, ask(A, C, {global_del_lock, {r, c}, all})),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, D, {global_set_lock, {r, d}, all, 0})),
    ?assert(lock(A, Process, del_lock, [{r, c}])),
    ?assertEqual(ok, ask(A, D, {global_set_lock, {r, d}, all, 0})),
    %% Resources are compared as terms; what was not locked is freed all the same.
    ?assertEqual(ok, ask(A, C, {global_set_lock, {1, c}, all, 0})),
    ?assert(lock(A, Process, set_lock, [{1.0, a}])),
    ?assertEqual(ok, ask(A, C, {global_del_lock, {nothing, c}, all})),
    ?assertEqual(ok, ask(A, D, {global_del_lock, {r, c}, all})),
    ?assertNot(lock(A, Process, set_lock, [{r, a}, [name(B)], 0])),
    ?assertEqual(ok, ask(A, D, {global_del_lock, {r, d}, all})),
    ?assert(lock(A, Process, set_lock, [{r, a}, [name(N) || N <- [A, B, C, D]], 0])).

a_lock_is_waited_for(_Config) ->
    {[A, B], [C]} = mesh(2, 1, fun visible/0),
    Process = process(B),
    ?assert(lock(B, Process, set_lock, [{r, b}])),
    ?assertEqual({error, 'GCL_EEXIST'}, ask(A, C, {global_set_lock, {r, c}, all, 1})),
    Waiting = asking(A, C, {global_set_lock, {r, c}, all, infinity}),
    ?assertEqual(timeout, answer_within(Waiting, 300)),
    ?assert(lock(B, Process, del_lock, [{r, b}])),
    ?assertEqual(ok, answer_within(Waiting, ?SOON)),
    %% And a BEAM waits for C.
    Other = spawn_monitor(fun() -> exit({got, lock(B, Process, set_lock, [{r, b}])}) end),
    pause(100),
    ?assertEqual(ok, ask(A, C, {global_del_lock, {r, c}, all})),
    ?assertEqual({got, true}, answer_within(Other, ?SOON)).

a_lock_that_is_waited_for_is_cancelled(_Config) ->
    {[A, B], [C]} = mesh(2, 1, fun visible/0),
    Process = process(B),
    ?assert(lock(B, Process, set_lock, [{r, b}])),
    Waiting = asking(A, C, {global_set_lock, {r, c}, all, infinity}),
    ?assertEqual(timeout, answer_within(Waiting, 300)),
    ?assertEqual(ok, ask(A, C, {global_del_lock, {r, c}, all})),
    ?assertEqual({error, 'GCL_ECANCELED'}, answer_within(Waiting, ?SOON)),
    %% In order: what is asked for behind it is not undone by it.
    Server = ask(A, C, self),
    Requests = [
        {global_set_lock, {s, c}, all, infinity},
        {global_del_lock, {s, c}, all},
        {global_set_lock, {s, c}, all, infinity},
        {global_del_lock, {s, c}, all},
        {global_set_lock, {s, c}, all, infinity}
    ],
    Answers = on(A, erlang, apply, [fun call_all/2, [Server, Requests]]),
    ?assertMatch([_, ok, _, ok, ok], Answers),
    [?assertNot(lock(B, Process, set_lock, [{s, b}, [name(N)], 0])) || N <- [A, B, C]].

locks_on_some_nodes(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun visible/0),
    Process = process(A),
    Some = [name(B), name(D)],
    ?assertEqual(ok, ask(A, C, {global_set_lock, {r, c}, Some, 0})),
    ?assertNot(lock(A, Process, set_lock, [{r, a}, [name(B)], 0])),
    ?assertNot(lock(A, Process, set_lock, [{r, a}, [name(D)], 0])),
    ?assert(lock(A, Process, set_lock, [{r, a}, [name(A), name(C)], 0])),
    ?assertEqual(ok, ask(A, C, {global_del_lock, {r, c}, Some})),
    ?assert(lock(A, Process, set_lock, [{r, a}, Some, 0])),
    %% Who cannot be reached counts as locked; nobody is a lock, too.
    ?assertEqual(ok, ask(A, C, {global_set_lock, {s, c}, ['no@127.0.0.1', name(B), name(B)], 0})),
    ?assertNot(lock(A, Process, set_lock, [{s, a}, [name(B)], 0])),
    ?assertEqual(ok, ask(A, C, {global_set_lock, {r, c}, [], 0})).

locks_go_with_their_servers(_Config) ->
    {[A, B], [C]} = mesh(2, 1, fun visible/0),
    All = [name(N) || N <- [A, B, C]],
    Process = process(B),
    Holder = ask(A, C, spawn),
    ?assertEqual(ok, ask_pid(A, Holder, {global_set_lock, {r, c}, all, 0})),
    ?assertNot(lock(B, Process, set_lock, [{r, b}, All, 0])),
    true = on(A, erlang, exit, [Holder, kill]),
    await(fun() -> lock(B, Process, set_lock, [{r, b}, All, 0]) end),
    %% One that waits is forgotten.
    Waiter = ask(A, C, spawn),
    _ = spawn(fun() -> ask_pid(A, Waiter, {global_set_lock, {r, c}, all, infinity}) end),
    pause(100),
    true = on(A, erlang, exit, [Waiter, kill]),
    ?assert(lock(B, Process, del_lock, [{r, b}, All])),
    pause(500),
    ?assert(lock(B, Process, set_lock, [{r, b}, All, 0])),
    ?assert(lock(B, Process, del_lock, [{r, b}, All])),
    %% A node that goes takes its locks with it.
    ?assertEqual(ok, ask(A, C, {global_set_lock, {r, c}, all, 0})),
    kill(C),
    await(fun() -> lock(B, Process, set_lock, [{r, b}, [name(A), name(B)], 0]) end).

%% Servers of two C nodes and processes of two BEAMs want one lock, again and again.
one_at_a_time_has_the_lock(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun visible/0),
    Table = on(A, erlang, apply, [fun start_table/0, []]),
    Servers = [{server, ask(A, N, spawn)} || N <- [C, D]] ++ [beam, beam],
    Contenders = [
        spawn_monitor(fun() ->
            exit(peer:call(element(1, Beam), ?MODULE, contend, [Who, name(A), Table, 5], 60000))
        end)
     || {Beam, Who} <- lists:zip([A, B, A, B], Servers)
    ],
    [?assertEqual([1, 1, 1, 1, 1], answer_within(Contender, 60000)) || Contender <- Contenders].

%% How many had the lock while it had it, each time.
contend(_Who, _Node, _Table, 0) ->
    [];
contend(Who, Node, Table, Times) ->
    ok = set_lock(Who),
    Had = rpc:call(Node, ets, update_counter, [Table, count, 1]),
    receive
    after 20 -> ok
    end,
    _ = rpc:call(Node, ets, update_counter, [Table, count, -1]),
    ok = del_lock(Who),
    [Had | contend(Who, Node, Table, Times - 1)].

set_lock({server, Pid}) ->
    gen_server:call(Pid, {global_set_lock, {one, Pid}, all, infinity}, infinity);
set_lock(beam) ->
    true = global:set_lock({one, self()}),
    ok.

del_lock({server, Pid}) ->
    gen_server:call(Pid, {global_del_lock, {one, Pid}, all}, infinity);
del_lock(beam) ->
    true = global:del_lock({one, self()}),
    ok.

start_table() ->
    Self = self(),
    _ = spawn(fun() ->
        counts = ets:new(counts, [named_table, public]),
        true = ets:insert(counts, {count, 0}),
        Self ! there,
        receive
            never -> ok
        end
    end),
    receive
        there -> counts
    end.

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
    [true = on(B, net_kernel, connect_node, [name(C)])],
    in_sync([A], [C]),
    Nodes = [{name(B), 8}, {'nobody@127.0.0.1', 8}],
    Known = fun(What) -> on(A, gen_server, call, [{global_name_server, name(C)}, What]) end,
    ok = on(A, gen_server, cast, [{global_name_server, name(C)}, {new_nodes, name(A), [], [], Nodes, []}]),
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
    ok = gen_server:cast({global_group, Node}, {conf_check, 3, node(), From, sync, one, normal, Nodes}),
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

%% --- nodes and processes ----------------------------------------------------------------------

visible() -> c_node("global", "gcl_c", ["visible"]).

hidden() -> c_node("global", "gcl_h", []).

%% By a name that the C node gives to a process of the other one, and takes away again.
connect_c(Asker, C, Pid) ->
    ok = ask(Asker, C, {global_register, {to, Pid}, Pid}),
    {ok, Pid} = ask(Asker, C, {call, {to, Pid}, self}),
    ok = ask(Asker, C, {global_unregister_name, {to, Pid}}).

ask_pid(Beam, Pid, Request) -> on(Beam, ?MODULE, call, [Pid, Request]).

call(Pid, Request) -> gen_server:call(Pid, Request, ?SOON).

%% All at once, one behind the other.
call_all(Pid, Requests) ->
    Tags = [gen_server:send_request(Pid, Request) || Request <- Requests],
    [
        begin
            {reply, Answer} = gen_server:wait_response(Tag, ?SOON),
            Answer
        end
     || Tag <- Tags
    ].

asking(Beam, C, Request) ->
    spawn_monitor(fun() ->
        Args = [{server, name(C)}, Request, 60000],
        exit(peer:call(element(1, Beam), gen_server, call, Args, 60000))
    end).

answer_within({Pid, Monitor}, Ms) ->
    receive
        {'DOWN', Monitor, process, Pid, Answer} -> Answer
    after Ms -> timeout
    end.

has_name(Beams, Cs, Name, Pid) ->
    [
        await(fun() -> on(Beam, global, whereis_name, [Name]) =:= Pid end)
     || Beam <- Beams
    ],
    [await(fun() -> ask(hd(Beams), C, {global_whereis, Name}) =:= {ok, Pid} end) || C <- Cs].

%% A process that C tells what happens; expect/3 waits for it.
collector(Beam, C) -> on(Beam, erlang, apply, [fun start_collector/1, [name(C)]]).

start_collector(C) ->
    Self = self(),
    Pid = spawn(fun() ->
        ok = gen_server:call({server, C}, subscribe),
        Self ! {self(), subscribed},
        collect([], [])
    end),
    receive
        {Pid, subscribed} -> Pid
    end.

collect(Seen, Waiting) ->
    receive
        {expect, From, Message} ->
            case lists:member(Message, Seen) of
                true ->
                    From ! {self(), seen},
                    collect(lists:delete(Message, Seen), Waiting);
                false ->
                    collect(Seen, [{Message, From} | Waiting])
            end;
        Message ->
            case lists:keytake(Message, 1, Waiting) of
                {value, {Message, From}, Left} ->
                    From ! {self(), seen},
                    collect(Seen, Left);
                false ->
                    collect([Message | Seen], Waiting)
            end
    end.

expect(Beam, Collector, Message) ->
    ?assertEqual({seen, Message}, on(Beam, ?MODULE, expect, [Collector, Message])).

expect(Collector, Message) ->
    Collector ! {expect, self(), Message},
    receive
        {Collector, seen} -> {seen, Message}
    after ?SOON - 1000 -> {unseen, Message, erlang:process_info(Collector, messages)}
    end.

%% A process of a BEAM that keeps what it is told.
start_teller() -> spawn(fun() -> tell([]) end).

tell(Told) ->
    receive
        {told, From} ->
            From ! {self(), lists:reverse(Told)},
            tell(Told);
        Message ->
            tell([Message | Told])
    end.

%% What is decided is known before who loses is told.
await_told(Messages, Beam, Pid) -> await(fun() -> told(Beam, Pid) =:= Messages end).

told(Beam, Pid) -> on(Beam, erlang, apply, [fun ask_told/1, [Pid]]).

ask_told(Pid) ->
    Pid ! {told, self()},
    receive
        {Pid, Told} -> Told
    after ?SOON - 1000 -> no_answer
    end.

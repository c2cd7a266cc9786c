%% SPDX-License-Identifier: Apache-2.0
%% What is well-formed in the protocol of `global`, but not true: about processes, names, nodes,
%% locks and sessions. Whoever says it is a process of a BEAM that is known to the C node, and speaks
%% for others. What is true outlives it or comes back, and nobody waits meanwhile.
-module(global_lies_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    names_of_processes_that_are_not/1,
    a_name_of_ours_given_to_another/1,
    a_name_of_ours_taken_away/1,
    a_name_without_the_lock/1,
    a_name_of_a_hidden_node_that_is_not/1,
    nodes_that_are_not/1,
    names_on_thousands_of_nodes/1,
    locks_of_processes_that_are_not/1,
    locks_of_others/1,
    a_session_of_another/1,
    a_goodbye_of_another/1
]).

%% Run on BEAMs.
-export([tell/2, end_of/1]).

-import(global_helper, [
    beam/0, c_node/0, line/2, name/1, names/1, on/4, ask/3, join/2, mesh/2, in_sync/2, none/3, await/1, process/1,
    lock/4
]).

-define(NOBODY, "nobody@127.0.0.1").

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        names_of_processes_that_are_not,
        a_name_of_ours_given_to_another,
        a_name_of_ours_taken_away,
        a_name_without_the_lock,
        a_name_of_a_hidden_node_that_is_not,
        nodes_that_are_not,
        names_on_thousands_of_nodes,
        locks_of_processes_that_are_not,
        locks_of_others,
        a_session_of_another,
        a_goodbye_of_another
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- names ----------------------------------------------------------------------------------------

%% The C node watches each process of a name, wherever it is said to be.
names_of_processes_that_are_not(_Config) ->
    {[A], [C]} = mesh(1, 1),
    Named = [{{name_of, Pid}, Pid} || Pid <- no_processes(A, C)],
    new_names(A, C, Named),
    [none(A, [C], Name) || {Name, _} <- Named],
    all_is_well([A], [C]).

%% It believes that, as a BEAM does; its server is told, and free for another name.
a_name_of_ours_given_to_another(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    ok = ask(A, C, {global_register, ours}),
    Pid = process(A),
    new_names(A, C, [{ours, Pid}]),
    await(fun() -> ask(A, C, {global_whereis, ours}) =:= {ok, Pid} end),
    ?assertEqual(ok, ask(A, C, {global_register, another})),
    ?assertEqual(yes, on(A, global, re_register_name, [ours, Pid])),
    [?assertEqual({ok, Pid}, ask(A, N, {global_whereis, ours})) || N <- [C, D]],
    all_is_well([A], [C, D]).

a_name_of_ours_taken_away(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    ok = ask(A, C, {global_register, ours}),
    cast(A, C, {new_nodes, name(A), [{delete, ours}], [], [], []}),
    none(A, [C], ours),
    ?assertEqual(ok, ask(A, C, {global_register, ours})),
    OfC = ask(A, C, self),
    ?assertEqual(OfC, on(A, global, whereis_name, [ours])),
    ?assertEqual({ok, OfC}, ask(A, D, {global_whereis, ours})),
    all_is_well([A], [C, D]).

%% It is answered as by a BEAM, and not kept.
a_name_without_the_lock(_Config) ->
    {[A], [C]} = mesh(1, 1),
    Pid = process(A),
    Method = fun global:random_exit_name/3,
    Holder = process(A),
    ?assert(lock(A, Holder, set_lock, [{global, another}, [name(C)], 0])),
    [
        ?assertEqual(yes, on(A, gen_server, call, [{global_name_server, name(C)}, Request]))
     || Request <- [{register, stolen, Pid, Method}, {register_ext, ext, Pid, Method, name(A)}]
    ],
    cast(A, C, {new_nodes, name(A), [{insert, {new, Pid, Method}}], [], [], [{lock, {global, me}}]}),
    none(A, [C], stolen),
    none(A, [C], ext),
    none(A, [C], new),
    true = on(A, erlang, exit, [Holder, kill]),
    all_is_well([A], [C]).

%% `register_ext` names who has registered it: any term, and it means nothing.
a_name_of_a_hidden_node_that_is_not(_Config) ->
    {[A], [C]} = mesh(1, 1),
    Names = [{{ext, By}, By} || By <- [list_to_atom(?NOBODY), name(C), 1, [a | b], {deep, [x]}]],
    [Gone | _] = no_processes(A, C),
    Here = process(A),
    Insert = fun(Name, Pid) -> {insert, {Name, Pid, fun global:random_exit_name/3}} end,
    cast(
        A,
        C,
        {new_nodes, name(A), [Insert(Name, Gone) || {Name, _} <- Names] ++ [Insert(here, Here)],
            [{Name, Gone, By} || {Name, By} <- Names] ++ [{here, Here, none}, {unheard, Here, none}],
            [], []}
    ),
    [none(A, [C], Name) || {Name, _} <- Names],
    External = fun() -> on(A, gen_server, call, [{global_name_server, name(C)}, get_names_ext]) end,
    ?assertEqual([{here, Here, none}], External()),
    true = on(A, erlang, exit, [Here, kill]),
    await(fun() -> External() =:= [] end),
    all_is_well([A], [C]).

%% --- nodes ----------------------------------------------------------------------------------------

%% It tries to connect to each, in vain. Itself, the liar, and what is no name of a node are no news;
%% nor does it take one for another, whose name is only the beginning of it.
nodes_that_are_not(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    Other = beam(),
    Nodes = [
        {list_to_atom(atom_to_list(name(Other)) ++ "\0x"), 8},
        {name(C), 8}, {name(A), 8}, {list_to_atom(?NOBODY), 8}, {'nobody@no.such.host.invalid', 8},
        {list_to_atom(?NOBODY ++ "\0"), 8}, {list_to_atom(atom_to_list(name(B)) ++ "\0x"), 8},
        'bare@127.0.0.1', {no_name, 8}, {'@', 8}, {'@127.0.0.1', 8}, {'a@', 8}, {'', 8}, {'x@y@z', 7}
    ],
    cast(A, C, {new_nodes, name(A), [], [], Nodes, []}),
    cast(A, C, {in_sync, list_to_atom(?NOBODY), true}),
    knows_only(A, C, [A, B]),
    Synced = on(A, gen_server, call, [{global_name_server, name(C)}, get_synced]),
    ?assertEqual(names([A, B]), lists:sort(Synced)),
    all_is_well([A, B], [C]).

%% Each has to be watched, and be connected for that: more than are looked up at a time. Without that
%% limit this node would stand still for seconds, and with it every BEAM, and epmd.
names_on_thousands_of_nodes(_Config) ->
    {[A, B], [{Port, _} = C]} = mesh(2, 1),
    ok = on(A, ?MODULE, tell, [name(C), 10000]),
    ?assertEqual(yes, on(A, global, register_name, [meanwhile, process(A)])),
    _ = line(Port, "too many nodes are being looked up"),
    none(A, [C], 1),
    none(A, [C], 10000),
    all_is_well([A, B], [C]).

%% Made on A, whose table of atoms goes with it.
tell(C, Count) ->
    Ops = [
        {insert, {I, raw_peer:pid(integer_to_list(I) ++ ?NOBODY, 1), fun global:random_exit_name/3}}
     || I <- lists:seq(1, Count)
    ],
    gen_server:cast({global_name_server, C}, {new_nodes, node(), Ops, [], [], []}).

%% --- locks ----------------------------------------------------------------------------------------

%% Also the lock of all names, for which everybody would wait.
locks_of_processes_that_are_not(_Config) ->
    {[A], [C]} = mesh(1, 1),
    [
        begin
            call_as(A, C, Pid, {set_lock, {global, Pid}}),
            ?assertEqual(yes, on(A, global, register_name, [{under, Pid}, process(A)]))
        end
     || Pid <- no_processes(A, C)
    ],
    all_is_well([A], [C]).

%% Whoever is said to hold a lock holds it, until he ends; nobody else frees it.
locks_of_others(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    OfB = process(B),
    Asker = process(A),
    TakesIt = fun() -> lock(A, Asker, set_lock, [{resource, another}, [name(C)], 0]) end,
    call_as(A, C, OfB, {set_lock, {resource, OfB}}),
    call_as(A, C, Asker, {del_lock, {resource, OfB}}),
    call_as(A, C, OfB, {del_lock, {resource, Asker}}),
    ?assertNot(TakesIt()),
    true = on(B, erlang, exit, [OfB, kill]),
    await(TakesIt),
    all_is_well([A, B], [C]).

%% --- sessions -------------------------------------------------------------------------------------

%% What was said in its name is forgotten when it comes anew.
a_session_of_another(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    OfB = process(B),
    Locker = {locker, no_longer_a_pid, [], OfB},
    [
        cast(A, C, Message)
     || Message <- [
            {init_connect, {8, 999}, name(B), Locker},
            {init_connect, {8, 1000}, name(B), Locker},
            {init_connect, {5, 1}, name(B), Locker},
            {lock_set, OfB, true, [], 999},
            {exchange, name(B), [{lie, OfB, method}], [], 1},
            {resolved, name(B), [{insert, {lie, OfB, method}}], [], unused, [], 1}
        ]
    ],
    [
        info(A, C, Message)
     || Message <- [
            {init_connect_ack, name(B), 1, 999}, {cancel_connect, name(B), 1},
            {cancel_connect, name(B), 2}
        ]
    ],
    in_sync([A, B], [C]),
    none(A, [C], lie),
    %% Cut off, and back.
    ok = ask(A, C, {disconnect, name(B)}),
    back(C, A, B).

%% It closes the connection to who is said to have lost it, and has it back when he dials.
a_goodbye_of_another(_Config) ->
    {[A, B], [C]} = mesh(2, 1),
    info(A, C, {remove_connection, name(B)}),
    back(C, A, B).

%% B reports that, from OTP 25 on, and then A asks it to leave, too.
back(C, A, B) ->
    await(fun() -> not lists:member(name(C), on(B, erlang, nodes, [])) end),
    _ = on(A, erlang, disconnect_node, [name(C)]),
    await(fun() -> not lists:member(name(C), on(A, erlang, nodes, [])) end),
    ?assertEqual(yes, on(B, global, register_name, [meanwhile, process(B)])),
    join(A, C),
    all_is_well([A, B], [C]).

%% --- lies -----------------------------------------------------------------------------------------

%% One that has ended; one of a node that has; of a node that never was; of our node, of an
%% incarnation that never was; of this one, and never there; of the liar, of another incarnation.
no_processes(A, C) ->
    Ended = process(A),
    true = on(A, erlang, exit, [Ended, kill]),
    noproc = on(A, ?MODULE, end_of, [Ended]),
    {Peer, _} = Gone = beam(),
    OfGone = process(Gone),
    peer:stop(Peer),
    [
        Ended,
        OfGone,
        raw_peer:pid(?NOBODY, 1),
        raw_peer:pid(atom_to_list(name(C)), 1),
        with_id(ask(A, C, self), 32000),
        raw_peer:pid(atom_to_list(name(A)), 1)
    ].

%% spec: NEW_PID_EXT: id (of 15 bits for OTP 23), serial, creation.
with_id(Pid, Id) ->
    Bytes = term_to_binary(Pid),
    Size = byte_size(Bytes) - 12,
    <<Head:Size/binary, _:32, Serial:32, Creation:32>> = Bytes,
    binary_to_term(<<Head/binary, Id:32, Serial:32, Creation:32>>).

end_of(Pid) ->
    Monitor = monitor(process, Pid),
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> Reason
    end.

new_names(A, C, Named) ->
    Ops = [{insert, {Name, Pid, fun global:random_exit_name/3}} || {Name, Pid} <- Named],
    cast(A, C, {new_nodes, name(A), Ops, [], [], []}).

cast(A, C, Message) -> ok = on(A, gen_server, cast, [{global_name_server, name(C)}, Message]).

info(A, C, Message) -> Message = on(A, erlang, send, [{global_name_server, name(C)}, Message]).

call_as(A, C, Pid, Request) -> info(A, C, {'$gen_call', {Pid, make_ref()}, Request}).

%% --- truth ----------------------------------------------------------------------------------------

knows(A, C) -> lists:sort(on(A, gen_server, call, [{global_name_server, name(C)}, get_known])).

knows_only(A, C, Nodes) -> await(fun() -> knows(A, C) =:= lists:sort([name(N) || N <- Nodes]) end).

%% Names come and go everywhere, and somebody new gets in.
all_is_well([A | _] = Beams, [C | _] = Cs) ->
    in_sync(Beams, Cs),
    Pid = process(A),
    ?assertEqual(yes, on(A, global, register_name, [true_one, Pid])),
    [?assertEqual({ok, Pid}, ask(A, N, {global_whereis, true_one})) || N <- Cs],
    ?assertMatch({ok, _}, ask(A, C, {global_claim, claimed})),
    [?assert(is_pid(on(B, global, whereis_name, [claimed]))) || B <- Beams],
    E = c_node(),
    join(A, E),
    in_sync(Beams, [E | Cs]).

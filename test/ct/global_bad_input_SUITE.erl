%% SPDX-License-Identifier: Apache-2.0
%% What a peer says wrongly in the protocol of `global`, and in requests of rpc, or leaves unsaid:
%% the C node stays up and in its partition, nobody else waits, and what was kept for who is gone is
%% freed. What is kept is counted by sys:get_state(global_name_server).
-module(global_bad_input_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    garbage_of_a_hidden_node/1,
    garbage_of_a_visible_node_with_a_session/1,
    who_stops_in_a_join_loses_his_turn/1,
    who_stops_behind_a_join_is_disconnected/1,
    who_goes_in_the_middle_of_a_join_leaves_nothing/1,
    lies_about_names_end_with_who_tells_them/1,
    nodes_that_do_not_exist_delay_nobody/1,
    calls_of_many_who_cannot_be_answered/1,
    nobody_waits_for_a_name_nested_too_deep/1,
    who_has_a_name_nested_too_deep_is_joined/1,
    garbage_for_rex_and_spawn_requests/1
]).

%% Run on BEAMs.
-export([do_send_all/2]).

-import(global_helper, [
    beam/0, hidden_beam/0, c_node/3, name/1, on/4, ask/3, join/2, mesh/2, in_sync/2, await/1,
    process/1, lock/4
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        garbage_of_a_hidden_node,
        garbage_of_a_visible_node_with_a_session,
        who_stops_in_a_join_loses_his_turn,
        who_stops_behind_a_join_is_disconnected,
        who_goes_in_the_middle_of_a_join_leaves_nothing,
        lies_about_names_end_with_who_tells_them,
        nodes_that_do_not_exist_delay_nobody,
        calls_of_many_who_cannot_be_answered,
        nobody_waits_for_a_name_nested_too_deep,
        who_has_a_name_nested_too_deep_is_joined,
        garbage_for_rex_and_spawn_requests
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- garbage ------------------------------------------------------------------------------------

%% It belongs to no partition, and may be believed in nothing that it says of one.
garbage_of_a_hidden_node(_Config) ->
    {A, [C, _] = Cs, Before} = settled_mesh(),
    Hidden = hidden_beam(),
    Me = name(Hidden),
    join_hidden(Hidden, C),
    Ids = #{me => Me, pid => process(Hidden), tag => 1, c => C},
    ok = on_for_long(Hidden, ?MODULE, do_send_all, [name(C), Ids]),
    peer:stop(element(1, Hidden)),
    nothing_has_changed(A, Cs, Before).

garbage_of_a_visible_node_with_a_session(_Config) ->
    {A, [C, _] = Cs, Before} = settled_mesh(),
    Raw = raw_global:start(name(C), init_connect),
    raw_global:await(Raw, init_connect),
    Ids = #{me => raw_global:name(Raw), pid => raw_global:server(Raw), tag => 1, c => C},
    [raw_global:send(Raw, Message) || Message <- messages(Ids)],
    raw_global:close(Raw),
    nothing_has_changed(A, Cs, Before).

join_hidden(Hidden, {_, C}) -> true = on(Hidden, net_kernel, connect_node, [C]).

on_for_long({Peer, _}, Module, Function, Args) ->
    peer:call(Peer, Module, Function, Args, 60000).

do_send_all(C, Ids) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        [{global_name_server, C} ! Message || Message <- messages(Ids)],
        %% All of them have been read when this is answered.
        _ = gen_server:call({global_name_server, C}, get_known, ?DEADLINE)
    end),
    receive
        {'DOWN', Monitor, process, Pid, normal} -> ok;
        {'DOWN', Monitor, process, Pid, Reason} -> {error, Reason}
    end.

%% A BEAM and two C nodes, with names and locks. (Two BEAMs would pass reports of lost connections,
%% of made-up incarnations of one node, to each other for ever.)
settled_mesh() ->
    {[A], [C, _] = Cs} = mesh(1, 2),
    yes = on(A, global, register_name, [of_a, process(A)]),
    ok = ask(A, C, {global_register, of_c}),
    true = lock(A, process(A), set_lock, [{resource, locked}, [name(C)], 0]),
    {A, Cs, state(A, C)}.

%% Reports of lost connections are kept for an hour.
state(Beam, C) ->
    lists:keydelete(lost, 1, on(Beam, sys, get_state, [{global_name_server, name(C)}])).

nothing_has_changed(A, [C, D] = Cs, Before) ->
    in_sync([A], Cs),
    OfC = ask(A, C, self),
    ?assertEqual(OfC, on(A, global, whereis_name, [of_c])),
    ?assertEqual({ok, OfC}, ask(A, D, {global_whereis, of_c})),
    ?assertEqual({ok, on(A, global, whereis_name, [of_a])}, ask(A, C, {global_whereis, of_a})),
    ?assertNot(lock(A, process(A), set_lock, [{resource, another}, [name(C)], 0])),
    await(fun() -> state(A, C) =:= Before end),
    Pid = process(A),
    ?assertEqual(yes, on(A, global, register_name, [new, Pid])),
    ?assertEqual({ok, Pid}, ask(A, C, {global_whereis, new})),
    ?assertEqual(ok, ask(A, D, {global_register, of_d})),
    ?assertEqual({ok, ask(A, D, self)}, ask(A, C, {global_whereis, of_d})).

%% --- peers that stop -----------------------------------------------------------------------------

%% A BEAM in the place of the C node waits for ever, and with it all of its partition.
who_stops_in_a_join_loses_his_turn(_Config) ->
    Steps = [connected, init_connect, init_connect_ack, set_lock, lock_set],
    side_by_side([
        fun() ->
            {C, Raw} = stopped_at(Step, #{active => IsActive}),
            A = joined_by_a_beam(C),
            %% His connection is good for other things.
            ?assertNot(raw_global:is_closed(Raw)),
            raw_global:close(Raw),
            at_rest(A, C)
        end
     || {Step, IsActive} <- [{Step, false} || Step <- Steps] ++ [{lock_set, true}]
    ]).

%% He may have what he needs, and has all that the others need.
who_stops_behind_a_join_is_disconnected(_Config) ->
    side_by_side([
        fun() ->
            {C, Raw} = stopped_at(Step, #{}),
            A = joined_by_a_beam(C),
            raw_global:await_closed(Raw),
            at_rest(A, C)
        end
     || Step <- [exchange, resolved]
    ]).

who_goes_in_the_middle_of_a_join_leaves_nothing(_Config) ->
    C = ticking_c_node(),
    Steps = raw_global:steps() -- [all],
    [
        begin
            Raw = raw_global:start(name(C), Step, #{active => IsActive}),
            raw_global:await(Raw, Step),
            raw_global:close(Raw)
        end
     || Step <- Steps, IsActive <- [false, true]
    ],
    A = beam(),
    join(A, C),
    in_sync([A], [C]),
    yes = on(A, global, register_name, [meanwhile, process(A)]),
    at_rest(A, C).

%% Who does not answer for so long is disconnected.
ticking_c_node() -> c_node("global", "gcl_c", ["visible", "ticktime", "8"]).

stopped_at(Step, Options) ->
    C = ticking_c_node(),
    Raw = raw_global:start(name(C), Step, Options),
    raw_global:await(Raw, Step),
    {C, Raw}.

%% The steps that wait may take what the C node gives them.
joined_by_a_beam(C) ->
    A = beam(),
    Began = erlang:monotonic_time(millisecond),
    join(A, C),
    await_long(fun() -> on(A, gen_server, call, [global_name_server, get_synced]) =:= [name(C)] end),
    Pid = process(A),
    ?assertEqual(yes, on(A, global, register_name, [meanwhile, Pid])),
    ?assertEqual({ok, Pid}, ask(A, C, {global_whereis, meanwhile})),
    ct:log("in sync after ~w ms", [erlang:monotonic_time(millisecond) - Began]),
    A.

await_long(Holds) -> global_helper:await(Holds, ?DEADLINE).

%% One BEAM and its one name is all that there is.
at_rest(A, C) ->
    Rest = [
        {names, 1}, {locks, 0}, {processes, 1}, {nodes, 1}, {known, 1}, {sessions, 0}, {questions, 0},
        {waiters, 0}, {callers, 0}, {monitors, 1}, {negotiating, false}
    ],
    await(fun() -> state(A, C) =:= Rest end).

side_by_side(Funs) ->
    Running = [spawn_monitor(Fun) || Fun <- Funs],
    [
        receive
            {'DOWN', Monitor, process, Pid, Reason} -> ?assertEqual(normal, Reason)
        end
     || {Pid, Monitor} <- Running
    ],
    ok.

%% --- lies ---------------------------------------------------------------------------------------

%% Anybody who is connected may say that a name is registered, as in OTP: what he says is of no other
%% node than himself ends with his connection, or with the process.
lies_about_names_end_with_who_tells_them(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    ok = ask(A, C, {global_register, of_c}),
    OfC = ask(A, C, self),
    Before = state(A, C),
    Raw = raw_global:start(name(C), init_connect),
    raw_global:await(Raw, init_connect),
    Me = raw_global:name(Raw),
    His = raw_global:server(Raw),
    Dead = raw_peer:pid(atom_to_list(name(C)), 4000),
    Nowhere = raw_peer:pid("nowhere@127.0.0.1", 1),
    [
        begin
            raw_global:call(Raw, {register, {lie, N}, Pid, method}),
            raw_global:call(Raw, {register_ext, {external, N}, Pid, method, Me}),
            raw_global:cast(Raw, {exchange, Me, [{{exchanged, N}, Pid, method}], [], 99}),
            raw_global:cast(
                Raw, {resolved, Me, [{insert, {{resolved, N}, Pid, method}}], [], unused, [], 99}
            ),
            raw_global:cast(
                Raw,
                {new_nodes, Me, [{insert, {{new_nodes, N}, Pid, method}}, {delete, of_c}], [],
                    [{Me, 8}], []}
            )
        end
     || {N, Pid} <- lists:zip([1, 2, 3], [His, Dead, Nowhere])
    ],
    %% Without the lock: of nobody.
    raw_global:call(Raw, {del_lock, {global, Dead}}),
    %% In the name of others: they hold it, and it goes with them, at once when they are dead.
    raw_global:call_as(Raw, Dead, {set_lock, {global, Dead}}),
    raw_global:call_as(Raw, Nowhere, {set_lock, {other, Nowhere}}),
    raw_global:close(Raw),
    in_sync([A], [C, D]),
    await(fun() -> state(A, C) =:= Before end),
    ?assertEqual({ok, OfC}, ask(A, D, {global_whereis, of_c})),
    ?assertEqual(yes, on(A, global, register_name, [of_a, process(A)])).

%% Of a node that is known: all of them become known, as many as are dialled at a time, and are gone
%% as soon as they cannot be connected.
nodes_that_do_not_exist_delay_nobody(_Config) ->
    C = c_node("global", "gcl_c", ["visible", "ticktime", "8"]),
    Raw = raw_global:start(name(C), all, #{active => true}),
    raw_global:await(Raw, resolved),
    Nodes = [
        {list_to_atom("no" ++ integer_to_list(N) ++ "@127.0.0.1"), 8}
     || N <- lists:seq(1, 10000)
    ],
    raw_global:cast(Raw, {new_nodes, raw_global:name(Raw), [], [], Nodes, []}),
    raw_global:close(Raw),
    A = joined_by_a_beam(C),
    at_rest(A, C).

%% Each on a node of its own that cannot be connected.
calls_of_many_who_cannot_be_answered(_Config) ->
    {A, Cs = [C, _], Before} = settled_mesh(),
    Raw = raw_global:start(name(C), init_connect),
    raw_global:await(Raw, init_connect),
    [
        raw_global:call_as(
            Raw, raw_peer:pid("n" ++ integer_to_list(N) ++ "@127.0.0.1", 1), get_known
        )
     || N <- lists:seq(1, 6000)
    ],
    %% More than is kept for one connection until it is there.
    Foreign = raw_peer:pid("foreign@127.0.0.1", 1),
    Large = binary:copy(<<1>>, 500000),
    [raw_global:send(Raw, {'$gen_call', {Foreign, Large}, get_known}) || _ <- lists:seq(1, 40)],
    raw_global:close(Raw),
    nothing_has_changed(A, Cs, Before).

%% --- what is nested too deep to be read -----------------------------------------------------------

%% A BEAM asks with the lock `global`, and waits for all answers without an end.
nobody_waits_for_a_name_nested_too_deep(_Config) ->
    {[A], [C, D]} = mesh(1, 2),
    Pid = process(A),
    Deep = deep(1100),
    ?assertEqual(yes, on(A, global, register_name, [Deep, Pid])),
    Other = process(A),
    ?assertEqual(yes, on(A, global, register_name, [simple, Other])),
    ?assertEqual({ok, Other}, ask(A, C, {global_whereis, simple})),
    ?assertEqual(yes, on(A, global, re_register_name, [Deep, Pid])),
    ?assertEqual(ok, on(A, global, unregister_name, [Deep])),
    Nodes = [name(A), name(C)],
    ?assertNot(lock(A, Pid, set_lock, [{Deep, Pid}, Nodes, 0])),
    ?assertNot(lock(A, Pid, set_lock, [{resource, Deep}, Nodes, 0])),
    ?assert(lock(A, Pid, del_lock, [{Deep, Pid}, Nodes])),
    %% What was refused is free where it was granted.
    ?assert(lock(A, Pid, set_lock, [{resource, Pid}, [name(A)], 0])),
    ?assertEqual(ok, ask(A, D, {global_register, of_d})),
    in_sync([A], [C, D]).

%% At the border, what is told of a name is nested deeper than what came.
who_has_a_name_nested_too_deep_is_joined(_Config) ->
    [A, B] = [beam(), beam()],
    [
        ?assertEqual(yes, on(A, global, register_name, [deep(Levels), process(A)]))
     || Levels <- [1000, 1020, 1021, 1022, 1023, 1024, 1100]
    ],
    Flat = process(A),
    ?assertEqual(yes, on(A, global, register_name, [flat, Flat])),
    [C, D] = [global_helper:c_node(), global_helper:c_node()],
    join(A, C),
    in_sync([A], [C]),
    ?assertEqual({ok, Flat}, ask(A, C, {global_whereis, flat})),
    %% D and B are told by who is a member.
    join(A, D),
    in_sync([A], [C, D]),
    join(A, B),
    in_sync([A, B], [C, D]),
    ?assertEqual({ok, Flat}, ask(A, D, {global_whereis, flat})),
    Pid = process(B),
    ?assertEqual(yes, on(B, global, register_name, [of_b, Pid])),
    ?assertEqual({ok, Pid}, ask(A, C, {global_whereis, of_b})).

%% --- rex and spawn requests ---------------------------------------------------------------------

%% What is malformed as a frame closes the connection; the rest is answered or dropped.
garbage_for_rex_and_spawn_requests(_Config) ->
    {A, Cs = [C, _], Before} = settled_mesh(),
    Pid = process(A),
    Small = wrong(#{c => C, pid => Pid}),
    Values = Small ++ [deep(1000), deep(50000), lists:seq(1000, 21000), lists:duplicate(50000, a) ++ t],
    Calls = [{call, erlang, node, [], Pid}, {block_call, erlang, node, [], Pid},
        {cast, erlang, node, [], Pid}, {sbcast, server, message}, {send, server, message},
        {call, global, resolve_it, [method, name, Pid, Pid], Pid},
        {call, global, whereis_name, [name], Pid}, {call, net_adm, ping, [name], Pid}],
    Requests = lists:append([spoilt(Call, Values) || Call <- Calls]) ++ Values,
    Raw = raw_global:start(name(C), connected),
    From = raw_global:server(Raw),
    ToRex = {6, From, '', rex},
    [
        raw_global:frame(Raw, {ToRex, Message})
     || Request <- Requests,
        Message <- [
            {'$gen_call', {From, make_ref()}, Request}, {'$gen_cast', Request}, {From, Request}
        ]
    ],
    ?assertNot(raw_global:is_closed(Raw)),
    raw_global:close(Raw),
    Spawn = fun(ReqId, By, Leader, Mfa, Options) -> {29, ReqId, By, Leader, Mfa, Options} end,
    [
        begin
            Peer = {_, Name} = raw_global:start(name(C), connected),
            Me = raw_global:server(Peer),
            Ref = raw_peer:ref(Name),
            Good = [Ref, Me, Me, {erpc, execute_call, 4}, [monitor]],
            {Place, Value} = Bad,
            Control = apply(Spawn, setelement_of(Place, Good, Value)),
            raw_global:frame(Peer, {Control, [Ref, erlang, node, []]}),
            raw_global:close(Peer)
        end
     || Bad <-
            [{N, V} || N <- [1, 2, 3, 4, 5], V <- Small] ++
                [{4, {erlang, node, Arity}} || Arity <- [-1, 1 bsl 31, 1 bsl 40, 255, 1 bsl 500]] ++
                [{5, [Option]} || Option <- Values]
    ],
    Last = {_, LastName} = raw_global:start(name(C), connected),
    [
        raw_global:frame(
            Last,
            {{29, raw_peer:ref(LastName), raw_global:server(Last), raw_global:server(Last),
                {erpc, execute_call, 4}, [monitor]}, Arguments}
        )
     || Arguments <- Values
    ],
    raw_global:close(Last),
    ?assertEqual(name(C), on(A, rpc, call, [name(C), erlang, node, []])),
    ?assertEqual(name(C), on(A, rpc, block_call, [name(C), erlang, node, []])),
    nothing_has_changed(A, Cs, Before).

setelement_of(N, List, Value) -> tuple_to_list(setelement(N, list_to_tuple(List), Value)).

%% --- messages with one thing wrong -----------------------------------------------------------------

%% Each kind of message, each of its elements replaced by each of what it may not be; one element
%% more, one less; and what is no message at all.
messages(Ids) ->
    Wrong = wrong(Ids),
    Casts = lists:append([spoilt(Cast, Wrong) || Cast <- casts(Ids)]),
    Infos = lists:append([spoilt(Info, Wrong) || Info <- infos(Ids)]),
    Requests = lists:append([spoilt(Request, Wrong) || Request <- requests(Ids)]),
    From = {maps:get(pid, Ids), make_ref()},
    [{'$gen_cast', Cast} || Cast <- Casts ++ Wrong] ++
        Infos ++ Wrong ++
        [{'$gen_call', From, Request} || Request <- Requests ++ Wrong] ++
        [{'$gen_call', Other, get_known} || Other <- Wrong ++ froms(Wrong, Ids)] ++
        [{'$gen_call', {maps:get(pid, Ids), Tag}, get_known} || Tag <- Wrong] ++
        huge_messages(Ids).

%% What is large, or deep, only where something of that kind is expected.
huge_messages(#{me := Me, pid := Pid, tag := Tag}) ->
    lists:append([
        [
            {'$gen_cast', {init_connect, Huge, Me, {locker, no_longer_a_pid, Huge, Pid}}},
            {'$gen_cast', {init_connect, {8, Huge}, Me, {locker, no_longer_a_pid, Huge, Pid}}},
            {'$gen_cast', {exchange, Me, Huge, Huge, Tag}},
            {'$gen_cast', {resolved, Me, Huge, Huge, unused, Huge, Tag}},
            {'$gen_cast', {new_nodes, Me, Huge, Huge, Huge, Huge}},
            {lost_connection, Me, Huge, Huge, 'nobody@127.0.0.1'},
            {'$gen_call', {Pid, Huge}, get_known},
            {'$gen_call', {Pid, 1}, {set_lock, {Huge, Huge}}},
            {'$gen_call', {Pid, 1}, {register, Huge, Pid, Huge}},
            {'$gen_call', {Pid, 1}, {sync, Huge}},
            Huge
        ]
     || Huge <- huge(Pid)
    ]).

huge(Pid) ->
    [
        deep(60), deep(1000), deep(1017), deep(1018), deep(1019), deep(1020), deep(1021), deep(1022),
        deep(50000),
        lists:seq(1000, 21000),
        [{name, I} || I <- lists:seq(1, 10000)],
        lists:duplicate(2000, {insert, {name, Pid, method}}),
        lists:duplicate(50000, a) ++ tail
    ].

froms(Wrong, _) -> [{Pid, make_ref()} || Pid <- Wrong, is_pid(Pid)].

casts(#{me := Me, pid := Pid, tag := Tag}) ->
    Names = [{name, Pid, method}],
    [
        {init_connect, {8, 7}, Me, {locker, no_longer_a_pid, [], Pid}},
        {lock_set, Pid, true, [], Tag},
        {lock_set, Pid, true, []},
        {exchange, Me, Names, [], Tag},
        {resolved, Me, [{insert, hd(Names)}, {delete, other}], [{Me, 8}], unused, [], Tag},
        {new_nodes, Me, [{insert, hd(Names)}], [{name, Pid, Me}], [{Me, 8}],
            [{vsn, 8}, {lock, {global, Pid}}]},
        {in_sync, Me, true},
        {async_del_name, name, Pid},
        {async_del_lock, resource, Pid}
    ].

infos(#{me := Me, tag := Tag}) ->
    [
        {init_connect_ack, Me, Tag, 7},
        {cancel_connect, Me, Tag},
        {lost_connection, Me, 1, 2, 'nobody@127.0.0.1'},
        {remove_connection, Me}
    ].

requests(#{me := Me, pid := Pid}) ->
    [
        {set_lock, {resource, Pid}},
        {del_lock, {resource, Pid}},
        {register, name, Pid, method},
        {unregister, name},
        {register_ext, name, Pid, method, Me},
        {sync, [Me]},
        {registrar, Me},
        get_known,
        get_synced,
        get_names_ext,
        get_protocol_version,
        info,
        stop,
        disconnect
    ].

wrong(#{c := {_, C}, pid := Pid}) ->
    [
        atom, '', 0, -1, 1 bsl 31, 1 bsl 63, -(1 bsl 63), 1 bsl 500, -(1 bsl 500), 1.5, [], {}, "text",
        <<"binary">>, <<5:3>>, #{key => value}, [a | b], [{name, Pid, method} | tail],
        [{insert, name}, {delete}, {insert, {name}}, 1, [2]], make_ref(), fun erlang:node/0,
        raw_peer:pid("foreign@127.0.0.1", 1), raw_peer:pid("", 1),
        %% of no incarnation of the C node
        raw_peer:pid(atom_to_list(C), 1),
        Pid
    ].

deep(Levels) -> lists:foldl(fun(_, Term) -> {Term} end, a, lists:seq(1, Levels)).

spoilt(Message, Wrong) when is_tuple(Message) ->
    [
        setelement(At, Message, Value)
     || At <- lists:seq(1, tuple_size(Message)), Value <- Wrong
    ] ++
        [erlang:append_element(Message, more), erlang:delete_element(tuple_size(Message), Message)];
spoilt(Message, _) ->
    [{Message}, {Message, x}].

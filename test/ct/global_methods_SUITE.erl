%% SPDX-License-Identifier: Apache-2.0
%% Who keeps a name that two processes have: each method that a program of a C node can choose
%% (test/c/programs/global.c), whoever decides.
-module(global_methods_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    methods_when_c_decides/1,
    methods_when_a_beam_asks/1,
    methods_when_another_c_node_asks/1,
    methods_of_hidden_nodes/1
]).

-import(global_helper, [
    beam/0, beam/2, hidden_beam/0, c_node/3, name/1, on/4, ask/3, join/2, in_sync/2, none/3,
    await/1
]).
-import(global_servers, [connect_c/3, ask_pid/3, has_name/4, collector/2, expect/3]).

-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        methods_when_c_decides,
        methods_when_a_beam_asks,
        methods_when_another_c_node_asks,
        methods_of_hidden_nodes
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

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

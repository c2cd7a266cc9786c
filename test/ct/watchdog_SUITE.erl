%% SPDX-License-Identifier: Apache-2.0
%% Visible C nodes whose loop stands still. What a BEAM asks for meanwhile has the time that the
%% watchdog waits, and two seconds.
-module(watchdog_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    nobody_waits_for_a_node_that_stands_still/1,
    without_a_watchdog_everybody_waits/1,
    who_dials_it_is_let_go/1,
    the_smaller_node_keeps_a_name_that_both_have/1,
    a_name_that_was_taken_by_a_greater_node_comes_back/1,
    a_node_may_stand_still_again_and_again/1,
    an_idle_node_does_not_stand_still/1,
    a_busy_node_does_not_stand_still/1,
    a_stopped_process_is_not_told/1
]).
%% Run on BEAMs.
-export([flood/3, subscribe/1]).

-import(global_helper, [beam/0, join/2, name/1, names/1, on/4, on/5]).
-import(global_helper, [ask/3, in_sync/2, await/1, await/2, pause/1, process/1]).

%% What nodes of this suite are given, and how long somebody may wait for one.
-define(LIMIT, 1000).
-define(GRACE, 2000).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        nobody_waits_for_a_node_that_stands_still,
        without_a_watchdog_everybody_waits,
        who_dials_it_is_let_go,
        the_smaller_node_keeps_a_name_that_both_have,
        a_name_that_was_taken_by_a_greater_node_comes_back,
        a_node_may_stand_still_again_and_again,
        an_idle_node_does_not_stand_still,
        a_busy_node_does_not_stand_still,
        a_stopped_process_is_not_told
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- cases ------------------------------------------------------------------------------------

nobody_waits_for_a_node_that_stands_still(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, limit(?LIMIT)),
    ok = ask(A, C, {global_register, {of_c, 1}}),
    Pid = ask(A, C, self),
    Blocked = long(),
    block(A, C, Blocked),
    Register = fun(N) -> yes = on(N, global, register_name, [{new, name(N)}, process(N)]) end,
    Lock = fun(N) -> true = on(N, global, set_lock, [{lock, self()}]) end,
    in_time([fun() -> Register(A) end, fun() -> Lock(B) end]),
    in_time([fun() -> Register(B) end]),
    in_time([fun() -> ok = on(N, global, sync, []) end || N <- [A, B]]),
    in_time([fun() -> ok = ask(A, D, {global_register, {of_d, 1}}) end]),
    [?assertEqual(undefined, on(N, global, whereis_name, [{of_c, 1}])) || N <- [A, B]],
    ?assertEqual({error, 'GCL_ENOPROC'}, ask(A, D, {global_whereis, {of_c, 1}})),
    ?assertEqual(names([B, D]), lists:sort(on(A, erlang, nodes, []))),
    %% A new one finds a cluster that works, and nobody at the name of the old one.
    E = beam(),
    in_time([fun() -> join(A, E) end]),
    in_sync([A, B, E], [D]),
    in_time([fun() -> ?assertNot(on(E, net_kernel, connect_node, [name(C)])) end]),
    ?assertNot(is_registered(C)),
    %% Afterwards it comes back by itself, with its name.
    Lines = lines_until(C, "has_stalled "),
    ?assert(stalled_ms(lists:last(Lines)) >= Blocked),
    ?assertMatch([_], [L || L <- Lines, string:find(L, "log warning stalled") =/= nomatch]),
    await(fun() -> lists:sort(on(A, erlang, nodes, [])) =:= names([B, C, D, E]) end),
    in_sync([A, B, E], [C, D]),
    ?assert(is_registered(C)),
    [?assertEqual(Pid, on(N, global, whereis_name, [{of_c, 1}])) || N <- [A, B, E]],
    [
        ?assertEqual(on(A, global, whereis_name, [Name]), element(2, ask(A, C, {global_whereis, Name})))
     || Name <- [{new, name(A)}, {new, name(B)}, {of_d, 1}]
    ].

%% What the others show is due to the watchdog.
without_a_watchdog_everybody_waits(_Config) ->
    {[A, B], [C]} = mesh(2, 1, limit(0)),
    Blocked = ?LIMIT + 2 * ?GRACE,
    block(A, C, Blocked),
    Late = [late, process(B)],
    [Asker] = start([fun() -> yes = on(B, global, register_name, Late, 20000) end]),
    ?assertEqual(waits, outcome(Asker, ?LIMIT + ?GRACE)),
    _ = line(C, "unblocked"),
    ?assertEqual(done, outcome(Asker, Blocked)),
    in_sync([A, B], [C]).

%% It would wait 7 s for the first answer, and so would all that it has to say meanwhile.
who_dials_it_is_let_go(_Config) ->
    {[A], [C]} = mesh(1, 1, limit(?LIMIT)),
    B = beam(),
    block(A, C, ?LIMIT + 4 * ?GRACE),
    in_time([fun() -> ?assertNot(on(B, net_kernel, connect_node, [name(C)])) end]),
    in_time([fun() -> ?assertNot(on(B, net_kernel, connect_node, [name(C)])) end]),
    comes_back(A, C),
    in_sync([A], [C]),
    join(B, C),
    in_sync([A, B], [C]).

%% As when any two partitions meet: the one that loses is told, by the method of the name.
the_smaller_node_keeps_a_name_that_both_have(_Config) ->
    {A, C, Taken, Told} = take_name("zzz"),
    ?assertEqual(Taken, on(A, global, whereis_name, [both])),
    ?assertEqual({ok, Taken}, ask(A, C, {global_whereis, both})),
    await(fun() ->
        {messages, Messages} = on(A, erlang, process_info, [Told, messages]),
        lists:member({info, {global_name_conflict, both}}, Messages)
    end),
    %% It may have it again when it is free.
    ok = on(A, global, unregister_name, [both]),
    await(fun() -> ask(A, C, {global_whereis, both}) =:= {error, 'GCL_ENOPROC'} end),
    ?assertEqual(ok, ask(A, C, {global_register, both})).

a_name_that_was_taken_by_a_greater_node_comes_back(_Config) ->
    {A, C, Taken, _} = take_name("aaa"),
    Mine = ask(A, C, self),
    ?assertEqual(Mine, on(A, global, whereis_name, [both])),
    ?assertEqual({ok, Mine}, ask(A, C, {global_whereis, both})),
    ?assert(on(A, erlang, is_process_alive, [Taken])).

%% While C stands still a process of A takes its name.
take_name(Prefix) ->
    A = beam(),
    C = c_node(Prefix, limit(?LIMIT)),
    join(A, C),
    in_sync([A], [C]),
    ok = ask(A, C, {global_register, both}),
    Told = on(A, ?MODULE, subscribe, [name(C)]),
    block(A, C, ?LIMIT + ?GRACE),
    await(fun() -> on(A, global, whereis_name, [both]) =:= undefined end),
    Taken = process(A),
    yes = on(A, global, register_name, [both, Taken, fun global:random_notify_name/3]),
    comes_back(A, C),
    in_sync([A], [C]),
    {A, C, Taken, Told}.

a_node_may_stand_still_again_and_again(_Config) ->
    {[A, B], [C]} = mesh(2, 1, limit(300)),
    ok = ask(A, C, {global_register, always}),
    Pid = ask(A, C, self),
    Files = files(C),
    [
        begin
            block(A, C, 600),
            comes_back(A, C),
            in_sync([A, B], [C]),
            ?assertEqual(Pid, on(B, global, whereis_name, [always]))
        end
     || _ <- lists:seq(1, 5)
    ],
    await(fun() -> files(C) =:= Files end).

an_idle_node_does_not_stand_still(_Config) ->
    {[A], [C]} = mesh(1, 1, limit(200)),
    pause(3000),
    has_not_stalled(A, C).

%% Its loop turns, though it never waits.
a_busy_node_does_not_stand_still(_Config) ->
    {[A, B], [C]} = mesh(2, 1, limit(500)),
    Flood = [name(C), 2000, 4000],
    Floods = start([fun() -> ok = on(N, ?MODULE, flood, Flood, 20000) end || N <- [A, B]]),
    [?assertEqual(done, outcome(F, 20000)) || F <- Floods],
    has_not_stalled(A, C).

%% The thread is stopped with the loop, and judges by what it has seen itself: when both go on, the
%% loop has all of its time. To the others a stopped process is one that says nothing:
%% net_ticktime.
a_stopped_process_is_not_told(_Config) ->
    {[A], [C]} = mesh(1, 1, limit(500)),
    ok = global_helper:signal(C, "STOP"),
    pause(2000),
    ok = global_helper:signal(C, "CONT"),
    pause(1000),
    has_not_stalled(A, C),
    %% In the middle of a handler, too.
    block(A, C, 300),
    ok = global_helper:signal(C, "STOP"),
    pause(2000),
    ok = global_helper:signal(C, "CONT"),
    no_stall_until(C, "unblocked"),
    has_not_stalled(A, C).

%% --- nodes that stand still ---------------------------------------------------------------------

limit(Ms) -> ["watchdog", integer_to_list(Ms)].

%% As long as the issue says; sanitizers have other tests to run, too.
long() ->
    case os:getenv("GCL_QUICK") of
        false -> 30000;
        _ -> 8000
    end.

%% From now on, for that long.
block(Asker, C, Ms) ->
    ok = on(Asker, gen_server, cast, [{server, name(C)}, {block, Ms}]),
    no_stall_until(C, "blocking").

%% By itself: who asks it before that would dial it.
comes_back(Beam, C) ->
    _ = line(C, "has_stalled "),
    await(fun() -> lists:member(name(C), on(Beam, erlang, nodes, [])) end).

stalled_ms(Line) ->
    ["has_stalled", Ms] = string:lexemes(Line, " "),
    list_to_integer(Ms).

has_not_stalled(Beam, C) ->
    ?assert(lists:member(name(C), on(Beam, erlang, nodes, []))),
    block(Beam, C, 0),
    no_stall_until(C, "unblocked").

no_stall_until(C, Text) ->
    Lines = lines_until(C, Text),
    ?assertEqual([], [L || L <- Lines, string:find(L, "stalled") =/= nomatch]).

is_registered({_, Node}) ->
    [Alive, Host] = string:lexemes(atom_to_list(Node), "@"),
    {ok, Names} = erl_epmd:names(Host),
    lists:keymember(Alive, 1, Names).

files(C) ->
    {ok, Files} = file:list_dir("/proc/" ++ integer_to_list(global_helper:os_pid(C)) ++ "/fd"),
    length(Files).

%% Its messages are what the server of the node was told.
-spec subscribe(node()) -> pid().
subscribe(Node) ->
    Self = self(),
    Pid = spawn(fun() ->
        Self ! {self(), gen_server:call({server, Node}, subscribe)},
        timer:sleep(infinity)
    end),
    receive
        {Pid, ok} -> Pid
    end.

-spec flood(node(), pos_integer(), pos_integer()) -> ok.
flood(Node, Count, Ms) -> flood_until(Node, Count, erlang:monotonic_time(millisecond) + Ms).

flood_until(Node, Count, Until) ->
    [gen_server:cast({server, Node}, {hello, I}) || I <- lists:seq(1, Count)],
    Count = gen_server:call({server, Node}, {echo, Count}, 30000),
    case erlang:monotonic_time(millisecond) < Until of
        true -> flood_until(Node, Count, Until);
        false -> ok
    end.

%% --- nodes --------------------------------------------------------------------------------------

mesh(Beams, Cs, Args) -> global_helper:mesh(Beams, Cs, fun() -> c_node("gcl_c", Args) end).

c_node(Prefix, Args) -> global_helper:c_node("server", Prefix, ["visible" | Args]).

line({Port, _}, Wanted) -> global_helper:line(Port, Wanted).

lines_until({Port, _}, Wanted) -> global_helper:lines_until(Port, Wanted).

%% --- deadlines ----------------------------------------------------------------------------------

%% All at once, so they must not be such as wait for each other: of two registrations one is tried
%% again after as long a time as chance has it.
in_time(Functions) ->
    [?assertEqual(done, outcome(Asker, ?LIMIT + ?GRACE)) || Asker <- start(Functions)],
    ok.

start(Functions) ->
    [spawn_monitor(fun() -> exit({done, Function()}) end) || Function <- Functions].

outcome({_, Monitor}, Ms) ->
    receive
        {'DOWN', Monitor, process, _, {done, _}} -> done;
        {'DOWN', Monitor, process, _, Reason} -> Reason
    after Ms -> waits
    end.

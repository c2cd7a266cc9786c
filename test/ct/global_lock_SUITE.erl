%% SPDX-License-Identifier: Apache-2.0
%% Locks of `global` that servers of C nodes (test/c/programs/global.c) and processes of BEAMs want.
-module(global_lock_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    locks_are_those_of_global/1,
    a_lock_is_waited_for/1,
    a_lock_that_is_waited_for_is_cancelled/1,
    locks_on_some_nodes/1,
    locks_go_with_their_servers/1,
    one_at_a_time_has_the_lock/1
]).

%% Run on BEAMs.
-export([contend/4]).

-import(global_helper, [
    kill/1, name/1, on/4, ask/3, mesh/3, await/1, pause/1, process/1, lock/4
]).
-import(global_servers, [ask_pid/3, asking/3, answer_within/2]).

-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        locks_are_those_of_global,
        a_lock_is_waited_for,
        a_lock_that_is_waited_for_is_cancelled,
        locks_on_some_nodes,
        locks_go_with_their_servers,
        one_at_a_time_has_the_lock
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- locks ------------------------------------------------------------------------------------

locks_are_those_of_global(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun global_servers:visible/0),
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
    {[A, B], [C]} = mesh(2, 1, fun global_servers:visible/0),
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
    {[A, B], [C]} = mesh(2, 1, fun global_servers:visible/0),
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
    Answers = on(A, erlang, apply, [fun global_servers:call_all/2, [Server, Requests]]),
    ?assertMatch([_, ok, _, ok, ok], Answers),
    [?assertNot(lock(B, Process, set_lock, [{s, b}, [name(N)], 0])) || N <- [A, B, C]].

locks_on_some_nodes(_Config) ->
    {[A, B], [C, D]} = mesh(2, 2, fun global_servers:visible/0),
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
    {[A, B], [C]} = mesh(2, 1, fun global_servers:visible/0),
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
    {[A, B], [C, D]} = mesh(2, 2, fun global_servers:visible/0),
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

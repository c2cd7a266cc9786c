%% SPDX-License-Identifier: Apache-2.0
%% No BEAM ever waits for the C node, and each check of that sees it when one does.
%%
%% A claim is one check, which does not give up by itself. It has to hold within five seconds with
%% the program `server`; and with `silent` (test/c/silent), which is the same node but for one kind
%% of message that does not leave it, it must not have come to an end within the same five seconds,
%% and has to when that node is killed: so it was this node that was waited for, and nothing else.
%%
%% | claim                     | a BEAM that                            | red without our          |
%% |---------------------------|----------------------------------------|--------------------------|
%% | sync_returns              | meets us, in global:sync/0             | init_connect, lock_set,  |
%% |                           |                                        | exchange, resolved       |
%% | sync_returns_with_a_third | joins a fellow of ours, in             | in_sync, and answer to   |
%% |                           | global:sync/0                          | set_lock                 |
%% | locks_are_given           | locks all nodes, in global:trans/2     | answers to set_lock,     |
%% |                           |                                        | del_lock                 |
%% | names_are_registered      | gives a name, moves it, takes it back, | answers to set_lock,     |
%% |                           | and names a process for others         | del_lock, register,      |
%% |                           |                                        | unregister, register_ext |
%% | locks_are_given_back      | gives a name after we have             | del_lock                 |
%% | joins_hold_up_nobody      | is a fellow of whom we dial, in        | lock_set, exchange,      |
%% |                           | global:sync/0, and gives a name        | resolved                 |
%% | a_race_goes_on            | is one of 3 that race with 4 C nodes   | answers to set_lock,     |
%% |                           | for 20 names: one winner each, and     | del_lock, register       |
%% |                           | equal views                            |                          |
%% | conflicts_are_decided     | meets us with a name that we have, too | exchange, resolved       |
%% |                           | (we smaller, greater; either dialling) |                          |
%% | conflicts_of_our_names    | asks us about a name of ours           | answer to resolve_it     |
%% | conflicts_of_a_fellow     | has a name that a fellow of ours has   | call of resolve_it       |
%% | who_joins_is_told_of      | is our fellow, for the names of one    | new_nodes                |
%% |                           | that joins us                          |                          |
%% | any_node_is_asked         | pings, calls, spawns, monitors, looks  | answers to is_auth, node,|
%% |                           | at us                                  | undef, get_status; DOWN, |
%% |                           |                                        | SPAWN_REPLY              |
%%
%% Nobody waits for init_connect_ack and cancel_connect: they end sessions that are not the same on
%% both sides.
-module(no_beam_waits_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    sync_returns/1,
    sync_returns_with_a_third/1,
    locks_are_given/1,
    names_are_registered/1,
    locks_are_given_back/1,
    joins_hold_up_nobody/1,
    a_race_goes_on/1,
    conflicts_are_decided/1,
    conflicts_of_our_names/1,
    conflicts_of_a_fellow/1,
    who_joins_is_told_of/1,
    any_node_is_asked/1
]).

-import(global_helper, [
    beam/0, beam/2, c_node/3, line/2, name/1, kill/1, on/5, join/2, mesh/2, in_sync/2, await/2,
    process/1
]).

-define(DEADLINE, 20000).
-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        sync_returns,
        sync_returns_with_a_third,
        locks_are_given,
        names_are_registered,
        locks_are_given_back,
        joins_hold_up_nobody,
        a_race_goes_on,
        conflicts_are_decided,
        conflicts_of_our_names,
        conflicts_of_a_fellow,
        who_joins_is_told_of,
        any_node_is_asked
    ].

init_per_testcase(_Case, Config) -> global_helper:begin_case(Config).

end_per_testcase(_Case, Config) -> global_helper:end_case(Config).

%% --- claims -------------------------------------------------------------------------------------

sync_returns(_Config) ->
    holds_unless(fun sync/1, [
        {message, init_connect}, {message, lock_set}, {message, exchange}, {message, resolved}
    ]).

sync_returns_with_a_third(_Config) ->
    holds_unless(fun sync_with_a_third/1, [{reply, set_lock}, {message, in_sync}]).

locks_are_given(_Config) ->
    holds_unless(fun lock_all/1, [{reply, set_lock}, {reply, del_lock}]).

names_are_registered(_Config) ->
    holds_unless(fun register_names/1, [
        {reply, set_lock},
        {reply, del_lock},
        {reply, register},
        {reply, unregister},
        {reply, register_ext}
    ]).

locks_are_given_back(_Config) -> holds_unless(fun register_after_c/1, [{call, del_lock}]).

joins_hold_up_nobody(_Config) ->
    holds_unless(fun join_a_partition/1, [
        {message, lock_set}, {message, exchange}, {message, resolved}
    ]).

a_race_goes_on(_Config) ->
    holds_unless(fun race/1, [{reply, set_lock}, {reply, del_lock}, {reply, register}]).

conflicts_are_decided(_Config) ->
    all_of([
        {fun(Without) -> conflict(Prefix, Dials, Without) end, Gap, fun ends/3}
     || {Prefix, Dials} <- [{"aaa", c}, {"aaa", beam}, {"zzz", c}, {"zzz", beam}],
        Gap <- [none, {message, exchange}, {message, resolved}]
    ]).

conflicts_of_our_names(_Config) -> holds_unless(fun conflict_of_ours/1, [{reply, resolve_it}]).

conflicts_of_a_fellow(_Config) -> holds_unless(fun conflict_of_a_fellow/1, [{call, resolve_it}]).

%% Who was not told does not wait: it never knows.
who_joins_is_told_of(_Config) ->
    all_of([{fun see_a_name/1, Gap, fun stays/3} || Gap <- [none, {message, new_nodes}]]).

any_node_is_asked(_Config) ->
    A = beam(),
    all_of([
        {fun(Without) -> ask_a_node(A, Function, Without) end, Gap, fun ends/3}
     || {Function, Red} <- questions(), Gap <- [none, Red]
    ]).

%% --- what is claimed: a C node that may have a gap, and the check -------------------------------

sync(Gap) ->
    A = beam(),
    C = c(Gap),
    drop(C, Gap),
    {C, fun() ->
        join(A, C),
        ok = sync_on(A)
    end}.

sync_with_a_third(Gap) ->
    {A, C} = pair("gcl_b", "gcl_c", Gap),
    B = beam(),
    drop(C, Gap),
    {C, fun() ->
        join(B, A),
        ok = sync_on(B),
        connected(B, C),
        [ok = sync_on(Beam) || Beam <- [A, B]]
    end}.

lock_all(Gap) ->
    {A, C} = pair("gcl_b", "gcl_c", Gap),
    drop(C, Gap),
    {C, fun() -> done = wait(A, global, trans, [{resource, self()}, fun() -> done end]) end}.

register_names(Gap) ->
    {A, C} = pair("gcl_b", "gcl_c", Gap),
    drop(C, Gap),
    [One, Two] = [process(A) || _ <- [1, 2]],
    {C, fun() ->
        yes = wait(A, global, register_name, [name, One]),
        yes = wait(A, global, re_register_name, [name, Two]),
        ok = wait(A, global, unregister_name, [name]),
        yes = wait(A, global, register_name_external, [external, One])
    end}.

%% That the name is there means that the lock of the C node is, too.
register_after_c(Gap) ->
    {A, C} = pair("gcl_b", "gcl_c", Gap),
    drop(C, Gap),
    {C, fun() ->
        {server, name(C)} ! {'$gen_call', {self(), make_ref()}, {global_register, first}},
        whereis_on(A, first),
        yes = wait(A, global, register_name, [second, process(A)])
    end}.

join_a_partition(Gap) ->
    {[A, B], []} = mesh(2, 0),
    C = c(Gap),
    drop(C, Gap),
    {C, fun() ->
        dial(c, A, C),
        [
            begin
                connected(Beam, C),
                ok = sync_on(Beam)
            end
         || Beam <- [A, B]
        ],
        yes = wait(B, global, register_name, [name, process(B)])
    end}.

race(Gap) ->
    {[A | _] = Beams, Cs} = mesh(3, 3),
    C = c(Gap),
    join(A, C),
    in_sync(Beams, [C | Cs]),
    drop(C, Gap),
    {C, fun() -> race(Beams, [C | Cs], [{race, I} || I <- lists:seq(1, 20)]) end}.

%% Each has a name that nobody else wants, too: one node may win all the others, and need nobody's
%% answer for that but its own.
race(Beams, Cs, Names) ->
    Nodes = Beams ++ Cs,
    Askers = [
        spawn_monitor(fun() -> exit({won, won(Node, Names ++ [{race, name(Node)}])}) end)
     || Node <- Nodes
    ],
    Won = [
        receive
            {'DOWN', Monitor, process, _, {won, Mine}} -> Mine;
            {'DOWN', Monitor, process, _, _} -> []
        end
     || {_, Monitor} <- Askers
    ],
    All = lists:sort(Names ++ [{race, name(Node)} || Node <- Nodes]),
    All = lists:sort(lists:append(Won)),
    [agree(Beams, Cs, Name) || Name <- All].

won(Node, Names) -> [Name || Name <- Names, has_won(Node, Name)].

has_won({Port, _} = C, Name) when is_port(Port) ->
    element(1, ask_c(C, {global_claim, Name})) =:= ok;
has_won(Beam, Name) ->
    wait(Beam, global, register_name, [Name, process(Beam)]) =:= yes.

conflict(Prefix, Dials, Gap) ->
    A = beam(),
    C = c(Gap, Prefix),
    {ok, OfC} = ask_c(C, {global_claim, both}),
    OfA = process(A),
    yes = wait(A, global, register_name, [both, OfA]),
    drop(C, Gap),
    Winner = maps:get(Prefix, #{"aaa" => OfC, "zzz" => OfA}),
    {C, fun() ->
        dial(Dials, A, C),
        connected(A, C),
        ok = sync_on(A),
        Winner = agree([A], [C], both)
    end}.

%% A decides for its partition.
conflict_of_ours(Gap) ->
    {A, C} = pair("aaa", "mmm", Gap),
    B = beam("zzz", []),
    {ok, OfC} = ask_c(C, {global_claim, both}),
    yes = wait(B, global, register_name, [both, process(B)]),
    drop(C, Gap),
    {C, fun() ->
        join(A, B),
        [ok = sync_on(Beam) || Beam <- [A, B]],
        OfC = agree([A, B], [C], both)
    end}.

%% The C node decides for its partition.
conflict_of_a_fellow(Gap) ->
    {A, C} = pair("mmm", "aaa", Gap),
    B = beam("zzz", []),
    OfA = process(A),
    yes = wait(A, global, register_name, [both, OfA]),
    yes = wait(B, global, register_name, [both, process(B)]),
    drop(C, Gap),
    {C, fun() ->
        join(B, C),
        ok = sync_on(B),
        OfA = agree([A, B], [C], both)
    end}.

see_a_name(Gap) ->
    {A, C} = pair("gcl_b", "gcl_c", Gap),
    B = beam(),
    yes = wait(B, global, register_name, [of_b, process(B)]),
    drop(C, Gap),
    {C, fun() ->
        join(B, C),
        ok = sync_on(B),
        whereis_on(A, of_b)
    end}.

ask_a_node(A, Function, Gap) ->
    C = c(Gap),
    drop(C, Gap),
    {C, fun() -> wait(A, erlang, apply, [Function, [name(C)]]) end}.

%% Asked by a BEAM.
questions() ->
    [
        {fun(C) -> pong = net_adm:ping(C) end, {reply, is_auth}},
        {fun(C) -> C = erpc:call(C, erlang, node, []) end, {reply, node}},
        {fun(C) -> C = rpc:call(C, erlang, node, []) end, {reply, node}},
        {fun(C) -> C = rpc:block_call(C, erlang, node, []) end, {reply, node}},
        {fun(C) -> {badrpc, {'EXIT', {undef, _}}} = rpc:call(C, m, f, []) end, {reply, f}},
        {fun(C) -> {status, _, _, _} = sys:get_status({server, C}, infinity) end,
            {reply, get_status}},
        {fun(C) -> {'EXIT', {noproc, _}} = (catch gen_server:call({nobody, C}, f, infinity)) end,
            {signal, 'DOWN'}},
        {fun(C) -> C = node(spawn(C, erlang, node, [])) end, {signal, 'SPAWN_REPLY'}}
    ].

%% --- what they are made of ----------------------------------------------------------------------

c(Gap) -> c(Gap, "gcl_c").

c(none, Prefix) -> c_node("server", Prefix, ["visible"]);
c(_Gap, Prefix) -> c_node("silent", Prefix, ["visible"]).

%% The answer to what comes behind it means that it has taken effect, and that this node will know
%% when the other one is no more.
drop(C, Gap) ->
    [{server, name(C)} ! {drop, Word, What} || {Word, What} <- [Gap]],
    true = is_pid(ask_c(C, self)),
    ok.

pair(Beam, Prefix, Gap) ->
    A = beam(Beam, []),
    C = c(Gap, Prefix),
    join(A, C),
    in_sync([A], [C]),
    {A, C}.

ask_c(C, Request) -> gen_server:call({server, name(C)}, Request, infinity).

%% It has all the time in the world.
wait(Beam, Module, Function, Args) -> on(Beam, Module, Function, Args, infinity).

sync_on(Beam) -> wait(Beam, global, sync, []).

dial(beam, A, C) -> join(A, C);
dial(c, A, C) -> ok = ask_c(C, {send, {nobody, name(A)}, hello}).

%% Or dead: then that is not what the BEAM waits for.
connected(Beam, C) ->
    await(
        fun() ->
            lists:member(name(C), wait(Beam, erlang, nodes, [])) orelse
                not lists:member(name(C), nodes(connected))
        end,
        2 * ?DEADLINE
    ).

whereis_on(Beam, Name) ->
    await(fun() -> is_pid(wait(Beam, global, whereis_name, [Name])) end, 2 * ?DEADLINE).

%% All of them come to know the same process by this name.
agree([A | _] = Beams, Cs, Name) ->
    Views = fun() ->
        lists:usort(
            [{ok, wait(B, global, whereis_name, [Name])} || B <- Beams] ++
                [ask_c(C, {global_whereis, Name}) || C <- Cs]
        )
    end,
    await(fun() -> length(Views()) =:= 1 end, 2 * ?DEADLINE),
    wait(A, global, whereis_name, [Name]).

%% --- green and red ------------------------------------------------------------------------------

holds_unless(Claim, Gaps) -> all_of([{Claim, Gap, fun ends/3} || Gap <- [none | Gaps]]).

%% What a check needs it may not have needed this time, in a race above all: that it is seen to fail
%% without the answer is what counts, so it is tried again. What has to hold has to hold at once.
all_of(Runs) ->
    Failed = failed(Runs),
    ?assertEqual([], [{none, Reason} || {{_, none, _}, Reason} <- Failed]),
    Again = failed([Run || {Run, _} <- Failed]),
    ?assertEqual([], [{Gap, Reason} || {{_, Gap, _}, Reason} <- Again]).

%% At the same time, because who waits needs nothing but time.
failed(Runs) ->
    Started = [{spawn_monitor(fun() -> run(Run) end), Run} || Run <- Runs],
    [
        {Run, Reason}
     || {{_, Monitor}, Run} <- Started, Reason <- [end_of(Monitor)], Reason =/= normal
    ].

end_of(Monitor) ->
    receive
        {'DOWN', Monitor, process, _, Reason} -> Reason
    end.

run({Claim, Gap, Afterwards}) ->
    {C, Check} = Claim(Gap),
    {_, Monitor} = spawn_monitor(Check),
    Outcome =
        receive
            {'DOWN', Monitor, process, _, Reason} -> Reason
        after ?SOON -> waits
        end,
    ct:pal("~p without ~p: ~p", [Claim, Gap, Outcome]),
    judge(Gap, Outcome, C, Monitor, Afterwards).

judge(none, normal, _C, _Monitor, _Afterwards) ->
    ok;
judge({Word, What}, waits, C, Monitor, Afterwards) ->
    _ = line(element(1, C), lists:concat(["dropped ", Word, " ", What])),
    Afterwards(C, Monitor, ?DEADLINE);
judge(Gap, Outcome, _C, _Monitor, _Afterwards) ->
    exit({without, Gap, Outcome}).

%% Whatever it comes to without the node.
ends(C, Monitor, Ms) ->
    kill(C),
    receive
        {'DOWN', Monitor, process, _, _} -> ok
    after Ms -> exit({waits_without, name(C)})
    end.

stays(_C, _Monitor, _Ms) -> ok.

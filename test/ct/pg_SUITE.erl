%% SPDX-License-Identifier: Apache-2.0
%% Process groups of a C node (test/c/programs/pg.c) and of BEAMs: what each sees of the other, and
%% that no scope of a BEAM gets a message that it does not know, of which it would end.
%%
%% BEAMs are steered by rpc, and modules of the tests are not loaded there, because one may be of
%% another release: GCL_OTHER_ERL (an `erl`). In some cases the test itself plays the scope, on its
%% own node.
-module(pg_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, groups/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    members_are_seen_on_both_sides/1,
    members_that_leave_are_gone_on_both_sides/1,
    a_process_joins_several_times/1,
    any_term_is_a_group/1,
    a_death_on_the_beam_is_seen/1,
    a_death_on_the_c_node_is_seen/1,
    the_end_of_the_beam_is_seen/1,
    the_end_of_the_c_node_is_seen/1,
    a_disconnect_heals/1,
    beams_of_two_releases_have_it_in_common/1,
    two_scopes_know_nothing_of_each_other/1,
    messages_reach_all_members/1,
    changes_are_told/1,
    changes_of_one_group_are_told/1,
    the_scope_restarts_on_the_beam/1,
    the_scope_starts_later_on_the_beam/1,
    the_scope_restarts_on_the_c_node/1,
    c_nodes_find_one_another/1,
    only_four_messages_are_sent/1,
    a_discovery_with_a_version_gets_the_old_answer/1,
    garbage_in_every_message/1,
    lies_are_refused_until_a_sync/1,
    more_than_the_limits_is_refused/1,
    a_stranger_cannot_make_it_connect/1,
    nodes_that_monitor_nothing_are_sent_nothing/1
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, hidden}, {group, visible}].

%% What the C node is.
groups() -> [{hidden, [], cases()}, {visible, [], cases()}].

cases() ->
    [
        members_are_seen_on_both_sides,
        members_that_leave_are_gone_on_both_sides,
        a_process_joins_several_times,
        any_term_is_a_group,
        a_death_on_the_beam_is_seen,
        a_death_on_the_c_node_is_seen,
        the_end_of_the_beam_is_seen,
        the_end_of_the_c_node_is_seen,
        a_disconnect_heals,
        beams_of_two_releases_have_it_in_common,
        two_scopes_know_nothing_of_each_other,
        messages_reach_all_members,
        changes_are_told,
        changes_of_one_group_are_told,
        the_scope_restarts_on_the_beam,
        the_scope_starts_later_on_the_beam,
        the_scope_restarts_on_the_c_node,
        c_nodes_find_one_another,
        only_four_messages_are_sent,
        a_discovery_with_a_version_gets_the_old_answer,
        garbage_in_every_message,
        lies_are_refused_until_a_sync,
        more_than_the_limits_is_refused,
        a_stranger_cannot_make_it_connect,
        nodes_that_monitor_nothing_are_sent_nothing
    ].

init_per_suite(Config) ->
    {ok, Beam} = start_beam(),
    ct:log("the peer is OTP ~s", [rpc(Beam, erlang, system_info, [otp_release])]),
    [{beam, Beam} | Config].

end_per_suite(Config) -> stop_beam(?config(beam, Config)).

init_per_group(Group, Config) -> [{kind, Group} | Config].

end_per_group(_Group, _Config) -> ok.

%% A scope of its own for each case: `scope` on the BEAM and on the C node, connected.
init_per_testcase(Case, Config0) ->
    {C, Number, Owner} = start_c(?config(kind, Config0)),
    Config = [{c, C}, {number, Number}, {owner, Owner}, {scope, Case} | Config0],
    ok = c(Config, {start, Case, #{}}),
    ok = c(Config, subscribe),
    case lists:member(Case, [the_scope_starts_later_on_the_beam | cases_of_the_test()]) of
        true -> ok;
        false -> start_scope(?config(beam, Config), Case)
    end,
    connect(Config),
    Config.

%% Cases in which no BEAM has the scope.
cases_of_the_test() ->
    [
        c_nodes_find_one_another,
        only_four_messages_are_sent,
        a_discovery_with_a_version_gets_the_old_answer,
        garbage_in_every_message,
        lies_are_refused_until_a_sync,
        more_than_the_limits_is_refused,
        a_stranger_cannot_make_it_connect,
        nodes_that_monitor_nothing_are_sent_nothing
    ].

%% Whatever has happened, no scope has ended of it.
end_per_testcase(_Case, Config) ->
    {Beam, Scope} = {?config(beam, Config), scope(Config)},
    stop_c(?config(owner, Config)),
    Started = rpc(Beam, persistent_term, get, [{?MODULE, Scope}, undefined]),
    case rpc(Beam, erlang, whereis, [Scope]) of
        undefined when Started =:= undefined -> ok;
        Started -> stop_scope(Beam, Scope);
        _ -> {fail, {the_scope_has_ended, lines(persistent_term:get({?MODULE, Beam}))}}
    end.

%% --- members ----------------------------------------------------------------------------------

members_are_seen_on_both_sides(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    ?assertEqual([OnC], c(Config, {members, scope(Config), local, lobby})),
    ?assertEqual([OnBeam], c(Config, {members, scope(Config), remote, lobby})),
    ?assertEqual([OnC], pg(Config, get_members, [lobby]) -- [OnBeam]),
    ?assertEqual([OnBeam], pg(Config, get_local_members, [lobby])),
    Late = c_member(Config),
    join(Config, Late, hall),
    await_members(Config, hall, [Late]),
    await_groups(Config, [hall, lobby]).

members_that_leave_are_gone_on_both_sides(Config) ->
    [OnBeam, Other] = [beam_member(Config), beam_member(Config)],
    OnC = c_member(Config),
    ok = pg(Config, join, [lobby, [OnBeam, Other]]),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, Other, OnC]),
    ok = pg(Config, leave, [lobby, [OnBeam]]),
    await_members(Config, lobby, [Other, OnC]),
    ok = c(Config, {leave, scope(Config), OnC, lobby}),
    await_members(Config, lobby, [Other]),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config, {leave, scope(Config), OnC, lobby})),
    ok = pg(Config, leave, [lobby, Other]),
    await_groups(Config, []).

a_process_joins_several_times(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    ok = pg(Config, join, [lobby, [OnBeam, OnBeam]]),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnBeam, OnBeam, OnC, OnC]),
    ok = pg(Config, leave, [lobby, [OnBeam, OnBeam]]),
    ok = c(Config, {leave, scope(Config), OnC, lobby}),
    await_members(Config, lobby, [OnBeam, OnC]).

any_term_is_a_group(Config) ->
    Groups = [
        a,
        <<"a">>,
        "a",
        1,
        1.0,
        {room, 7, #{floor => [1, 2]}},
        [],
        1 bsl 100,
        'Elixir.Some.Module',
        self(),
        make_ref()
    ],
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    lists:foreach(
        fun(Group) ->
            join(Config, OnBeam, Group),
            join(Config, OnC, Group)
        end,
        Groups
    ),
    await_groups(Config, Groups),
    [await_members(Config, Group, [OnBeam, OnC]) || Group <- Groups],
    ok.

%% --- ends -------------------------------------------------------------------------------------

a_death_on_the_beam_is_seen(Config) ->
    Pids = [Dead | Alive] = [beam_member(Config) || _ <- [1, 2]],
    [join(Config, Pid, Group) || Pid <- Pids, Group <- [a, b, a]],
    await_members(Config, a, Pids ++ Pids),
    exit(Dead, kill),
    await_members(Config, a, Alive ++ Alive),
    await_members(Config, b, Alive).

a_death_on_the_c_node_is_seen(Config) ->
    Pids = [Dead | Alive] = [c_member(Config) || _ <- [1, 2]],
    [join(Config, Pid, Group) || Pid <- Pids, Group <- [a, b, a]],
    await_members(Config, a, Pids ++ Pids),
    ok = c(Config, {kill, Dead}),
    await_members(Config, a, Alive ++ Alive),
    await_members(Config, b, Alive),
    %% One that is dead already does not stay.
    ok = c(Config, {join, scope(Config), Dead, b}),
    await_members(Config, b, Alive).

the_end_of_the_beam_is_seen(Config0) ->
    {ok, Beam} = start_beam(),
    Config = lists:keystore(beam, 1, Config0, {beam, Beam}),
    start_scope(Beam, scope(Config)),
    connect(Config),
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    stop_beam(Beam),
    await(fun() -> c_members(Config, lobby) =:= [OnC] end).

the_end_of_the_c_node_is_seen(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    stop_c(?config(owner, Config)),
    await(fun() -> beam_members(Config, lobby) =:= [OnBeam] end).

a_disconnect_heals(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    ok = c(Config, {disconnect, ?config(beam, Config)}),
    await(fun() -> c_members(Config, lobby) =:= [OnC] end),
    await(fun() -> beam_members(Config, lobby) =:= [OnBeam] end),
    %% What happens meanwhile is seen afterwards, too.
    Late = c_member(Config),
    join(Config, Late, lobby),
    ok = pg(Config, leave, [lobby, OnBeam]),
    connect(Config),
    await_members(Config, lobby, [OnC, Late]),
    true = rpc(?config(beam, Config), erlang, disconnect_node, [?config(c, Config)]),
    await(fun() -> beam_members(Config, lobby) =:= [] end),
    connect(Config),
    await_members(Config, lobby, [OnC, Late]).

%% Two that do not see each other, because a scope of OTP 29 would end that of OTP 25: the one that is
%% tested, and that of the tests, or of GCL_OTHER_ERL.
beams_of_two_releases_have_it_in_common(Config0) ->
    Scope = scope(Config0),
    Alone = ["-connect_all", "false"],
    Erl = os:find_executable("erl"),
    {ok, One} = start_beam(Erl, Alone),
    {ok, Two} = start_beam(os:getenv("GCL_OTHER_ERL", Erl), Alone),
    Configs = [lists:keystore(beam, 1, Config0, {beam, Beam}) || Beam <- [One, Two]],
    OnC = c_member(Config0),
    OnBeams = lists:map(
        fun(Config) ->
            start_scope(?config(beam, Config), Scope),
            connect(Config),
            Pid = beam_member(Config),
            join(Config, Pid, lobby),
            Pid
        end,
        Configs
    ),
    join(Config0, OnC, lobby),
    All = lists:sort([OnC | OnBeams]),
    await(fun() -> c_members(Config0, lobby) =:= All end),
    lists:foreach(
        fun({Config, Pid}) ->
            Seen = lists:sort([OnC, Pid]),
            await(fun() -> beam_members(Config, lobby) =:= Seen end)
        end,
        lists:zip(Configs, OnBeams)
    ),
    ok = c(Config0, {kill, OnC}),
    [await(fun() -> beam_members(Config, lobby) =:= [Pid] end) ||
        {Config, Pid} <- lists:zip(Configs, OnBeams)],
    stop_beam(One),
    stop_beam(Two),
    await(fun() -> c_members(Config0, lobby) =:= [] end).

%% --- scopes -----------------------------------------------------------------------------------

two_scopes_know_nothing_of_each_other(Config0) ->
    Second = second_scope,
    Config1 = lists:keystore(scope, 1, Config0, {scope, Second}),
    ?assertEqual({error, 'GCL_EEXIST'}, c(Config0, {start, scope(Config0), #{}})),
    start_scope(?config(beam, Config0), Second),
    ok = c(Config1, {start, Second, #{}}),
    OnBeam = beam_member(Config0),
    OnC = c_member(Config0),
    join(Config0, OnBeam, lobby),
    join(Config0, OnC, lobby),
    join(Config1, OnC, lobby),
    await_members(Config0, lobby, [OnBeam, OnC]),
    await_members(Config1, lobby, [OnC]),
    ok = c(Config1, {stop, Second}),
    await(fun() -> beam_members(Config1, lobby) =:= [] end),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config1, {members, Second, all, lobby})),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config1, {join, Second, OnC, lobby})),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config1, {stop, Second})),
    stop_scope(?config(beam, Config1), Second),
    await_members(Config0, lobby, [OnBeam, OnC]).

messages_reach_all_members(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC, OnC]),
    ok = c(Config, {send, scope(Config), all, lobby, {to, all}}),
    ok = c(Config, {send, scope(Config), remote, lobby, {to, remote}}),
    ok = c(Config, {send, scope(Config), local, lobby, {to, local}}),
    ok = c(Config, {send, scope(Config), all, nobody_here, {to, nobody}}),
    ?assertEqual([{to, all}, {to, remote}], [next_of(OnBeam), next_of(OnBeam)]),
    All = [{to, all}, {to, all}, {to, local}, {to, local}],
    ?assertEqual(All, [next_of(OnC) || _ <- All]),
    lists:foreach(fun(Pid) -> Pid ! hello end, pg(Config, get_members, [lobby])),
    ?assertEqual([hello, hello, hello], [next_of(OnBeam), next_of(OnC), next_of(OnC)]),
    no_more().

the_scope_restarts_on_the_beam(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    stop_scope(?config(beam, Config), scope(Config)),
    await(fun() -> c_members(Config, lobby) =:= [OnC] end),
    start_scope(?config(beam, Config), scope(Config)),
    await_members(Config, lobby, [OnC]),
    join(Config, OnBeam, lobby),
    await_members(Config, lobby, [OnBeam, OnC]).

%% A visible C node is told, a hidden one looks.
the_scope_starts_later_on_the_beam(Config) ->
    OnC = c_member(Config),
    join(Config, OnC, lobby),
    start_scope(?config(beam, Config), scope(Config)),
    await_members(Config, lobby, [OnC]),
    OnBeam = beam_member(Config),
    join(Config, OnBeam, lobby),
    await_members(Config, lobby, [OnBeam, OnC]).

the_scope_restarts_on_the_c_node(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    join(Config, OnBeam, lobby),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]),
    _ = c(Config, {monitor, scope(Config)}),
    ok = c(Config, {stop, scope(Config)}),
    ?assertEqual(ended, next()),
    await(fun() -> beam_members(Config, lobby) =:= [OnBeam] end),
    ok = c(Config, {start, scope(Config), #{}}),
    await_members(Config, lobby, [OnBeam]),
    join(Config, OnC, lobby),
    await_members(Config, lobby, [OnBeam, OnC]).

c_nodes_find_one_another(Config) ->
    {C, _, Owner} = start_c(?config(kind, Config)),
    Other = [{c, C}, {owner, Owner} | Config],
    ok = c(Other, {start, scope(Config), #{}}),
    ok = c(Other, subscribe),
    Near = c_member(Config),
    Far = c_member(Other),
    ok = c(Config, {join, scope(Config), Near, lobby}),
    ok = c(Config, {connect, C}),
    ok = c(Other, {join, scope(Config), Far, lobby}),
    Both = lists:sort([Near, Far]),
    await(fun() -> c_members(Config, lobby) =:= Both end),
    await(fun() -> c_members(Other, lobby) =:= Both end),
    ok = c(Other, {send, scope(Config), remote, lobby, hello}),
    ?assertEqual(hello, next_of(Near)),
    stop_c(Owner),
    await(fun() -> c_members(Config, lobby) =:= [Near] end).

%% --- changes ----------------------------------------------------------------------------------

changes_are_told(Config) ->
    OnBeam = beam_member(Config),
    OnC = c_member(Config),
    Ref = c(Config, {monitor, scope(Config)}),
    join(Config, OnC, a),
    ?assertEqual({join, a, [OnC]}, next()),
    ok = pg(Config, join, [b, [OnBeam, OnBeam]]),
    ?assertEqual({join, b, [OnBeam, OnBeam]}, next()),
    ok = pg(Config, leave, [b, OnBeam]),
    ?assertEqual({leave, b, [OnBeam]}, next()),
    ok = c(Config, {disconnect, ?config(beam, Config)}),
    ?assertEqual({leave, b, [OnBeam]}, next()),
    %% Where it still seems to be connected there would be nothing to connect.
    await(fun() -> not is_connected(Config) end),
    connect(Config),
    ?assertEqual({join, b, [OnBeam]}, next()),
    ok = c(Config, {kill, OnC}),
    ?assertEqual({leave, a, [OnC]}, next()),
    ok = c(Config, {demonitor, Ref}),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config, {demonitor, Ref})),
    exit(OnBeam, kill),
    await_groups(Config, []),
    no_more().

changes_of_one_group_are_told(Config) ->
    OnC = c_member(Config),
    Ref = c(Config, {monitor, scope(Config), {room, 1}}),
    ?assertEqual([], c(Config, {groups, scope(Config)})),
    join(Config, OnC, {room, 2}),
    join(Config, OnC, {room, 1}),
    join(Config, OnC, {room, 2}),
    ok = c(Config, {leave, scope(Config), OnC, {room, 1}}),
    ?assertEqual({join, {room, 1}, [OnC]}, next()),
    ?assertEqual({leave, {room, 1}, [OnC]}, next()),
    %% The scope ends before it and the monitor with it.
    ok = c(Config, {stop, scope(Config)}),
    ?assertEqual(ended, next()),
    ?assertEqual({error, 'GCL_ENOENT'}, c(Config, {demonitor, Ref})),
    no_more().

%% --- the protocol, with the test as the other scope -----------------------------------------------

%% spec: pg.erl, handle_info/2 and handle_cast/2: a scope of a BEAM ends of anything else.
only_four_messages_are_sent(Config) ->
    {Scope, OnC} = {scope(Config), c_member(Config)},
    Name = {Scope, ?config(c, Config)},
    true = register(Scope, self()),
    %% It looks for scopes on nodes that it hides from.
    C = receive {discover, Pid} -> Pid after ?DEADLINE -> ct:fail(no_discover) end,
    gen_server:cast(C, {sync, self(), []}),
    Name ! {discover, self()},
    ?assertEqual({'$gen_cast', {sync, C, []}}, next_but({discover, C})),
    ok = c(Config, {join, Scope, OnC, a}),
    ?assertEqual({join, C, a, [OnC]}, next_but({discover, C})),
    ok = c(Config, {join, Scope, OnC, a}),
    ?assertEqual({join, C, a, [OnC]}, next()),
    ok = c(Config, {join, Scope, OnC, b}),
    ?assertEqual({join, C, b, [OnC]}, next()),
    ok = c(Config, {leave, Scope, OnC, a}),
    ?assertEqual({leave, C, [OnC], [a]}, next()),
    Name ! {discover, self()},
    {'$gen_cast', {sync, C, Groups}} = next(),
    ?assertEqual([{a, [OnC]}, {b, [OnC]}], lists:sort(Groups)),
    ok = c(Config, {kill, OnC}),
    {leave, C, [OnC], Left} = next(),
    ?assertEqual([a, b], lists:sort(Left)),
    ok = c(Config, {stop, Scope}),
    no_more(),
    true = unregister(Scope).

%% spec: pg.erl of OTP 29 sends a version; it keeps to the old messages with who sends none.
a_discovery_with_a_version_gets_the_old_answer(Config) ->
    Scope = scope(Config),
    {Scope, ?config(c, Config)} ! {discover, self(), 1},
    {'$gen_cast', {sync, C, []}} = next(),
    ?assertEqual({discover, C}, next()),
    gen_server:cast(C, {sync, self(), [{a, [self()]}]}),
    await(fun() -> c_members(Config, a) =:= [self()] end),
    no_more().

garbage_in_every_message(Config) ->
    {Scope, OnC} = {scope(Config), c_member(Config)},
    C = greet(Config),
    ok = c(Config, {join, Scope, OnC, a}),
    {join, C, a, [OnC]} = next(),
    Garbage = [x, -1, 1.5, [], "text", [x | y], {}, {a, b}, #{a => b}, <<1:3>>, self(), make_ref()],
    Plain =
        [{discover, G} || G <- Garbage, not is_pid(G)] ++
        [{join, self(), a, G} || G <- Garbage, not is_pid(G), G =/= []] ++
        [{join, G, a, self()} || G <- Garbage, not is_pid(G)] ++
        [{leave, self(), G, [a]} || G <- Garbage, not is_pid(G)] ++
        [{leave, self(), self(), G} || G <- Garbage] ++
        [{update, self(), G} || G <- Garbage] ++ [{sync, self(), G} || G <- Garbage] ++ Garbage,
    Casts =
        [{sync, self(), G} || G <- Garbage, G =/= []] ++
        [{sync, self(), [{a, G}]} || G <- Garbage] ++
        [{sync, G, []} || G <- Garbage, not is_pid(G)] ++
        [{local_data, self(), 1, G} || G <- Garbage] ++ Garbage,
    [C ! Message || Message <- Plain],
    [gen_server:cast(C, Message) || Message <- Casts],
    [C ! {'$gen_call', {self(), make_ref()}, G} || G <- Garbage],
    gen_server:cast(C, {sync, self(), [{b, [self()]}]}),
    await(fun() -> c_members(Config, b) =:= [self()] end),
    ?assertEqual([OnC], c_members(Config, a)),
    await_log(Config, "pg_refused"),
    no_more().

lies_are_refused_until_a_sync(Config) ->
    C = greet(Config),
    Stranger = spawn(?config(beam, Config), timer, sleep, [infinity]),
    C ! {join, self(), a, self()},
    C ! {join, self(), a, Stranger},
    await_log(Config, "speaks for processes of another node"),
    ?assertEqual([], c_members(Config, a)),
    C ! {join, self(), a, self()},
    gen_server:cast(C, {sync, self(), [{b, [self()]}]}),
    C ! {join, self(), a, self()},
    await(fun() -> c_members(Config, a) =:= [self()] end),
    ?assertEqual([self()], c_members(Config, b)).

more_than_the_limits_is_refused(Config) ->
    Scope = scope(Config),
    ok = c(Config, {stop, Scope}),
    await(fun() -> c(Config, {groups, Scope}) =:= {error, 'GCL_ENOENT'} end),
    ok = c(Config, {start, Scope, #{max_groups => 10, max_members => 100}}),
    C = greet(Config),
    [C ! {join, self(), N, self()} || N <- lists:seq(1, 10)],
    await(fun() -> length(c(Config, {groups, Scope})) =:= 10 end),
    C ! {join, self(), 11, self()},
    await(fun() -> c(Config, {groups, Scope}) =:= [] end),
    await_log(Config, "more than the limits allow"),
    gen_server:cast(C, {sync, self(), [{a, lists:duplicate(100, self())}]}),
    await(fun() -> length(c_members(Config, a)) =:= 100 end),
    C ! {join, self(), a, self()},
    await(fun() -> c_members(Config, a) =:= [] end).

%% A pid of a node that is not connected: nobody is dialled, nothing is kept.
a_stranger_cannot_make_it_connect(Config) ->
    C = greet(Config),
    Nowhere = raw_peer:pid(raw_peer:name(), 1),
    C ! {discover, Nowhere},
    gen_server:cast(C, {sync, Nowhere, [{a, [Nowhere]}]}),
    gen_server:cast(C, {sync, self(), [{b, [self()]}]}),
    await(fun() -> c_members(Config, b) =:= [self()] end),
    ?assertEqual([b], c(Config, {groups, scope(Config)})).

%% A stock libei node is one: it would take a discover for the answer that it waits for.
nodes_that_monitor_nothing_are_sent_nothing(Config) ->
    {Name, Ref} = {raw_peer:name(), make_ref()},
    Cookie = atom_to_list(erlang:get_cookie()),
    {ok, Socket} = raw_peer:connect(?config(number, Config), Name, Cookie),
    From = raw_peer:pid(Name, 1),
    Call = term_to_binary({'$gen_call', {From, Ref}, {groups, scope(Config)}}),
    ok = raw_peer:send(Socket, {6, From, '', control}, Call),
    ?assertMatch({_, {Ref, []}}, raw_peer:receive_frame(Socket)),
    gen_tcp:close(Socket).

%% The test becomes a scope that the C node knows.
greet(Config) ->
    {scope(Config), ?config(c, Config)} ! {discover, self()},
    {'$gen_cast', {sync, C, []}} = next(),
    {discover, C} = next(),
    C.

%% --- both sides -------------------------------------------------------------------------------

scope(Config) -> ?config(scope, Config).

c(Config, Request) -> gen_server:call({control, ?config(c, Config)}, Request, ?DEADLINE).

pg(Config, Function, Arguments) ->
    rpc(?config(beam, Config), pg, Function, [scope(Config) | Arguments]).

join(Config, Pid, Group) ->
    case node(Pid) =:= ?config(c, Config) of
        true -> ok = c(Config, {join, scope(Config), Pid, Group});
        false -> ok = pg(Config, join, [Group, Pid])
    end.

c_member(Config) ->
    Pid = c(Config, spawn),
    true = is_pid(Pid),
    Pid.

%% It sends on what it gets.
beam_member(Config) ->
    Text = "Loop = fun(Self) -> receive M -> Test ! {member, self(), M} end, Self(Self) end, Loop(Loop).",
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    spawn(?config(beam, Config), erl_eval, exprs, [Expressions, [{'Test', self()}]]).

c_members(Config, Group) -> lists:sort(c(Config, {members, scope(Config), all, Group})).

beam_members(Config, Group) -> lists:sort(pg(Config, get_members, [Group])).

await_members(Config, Group, Pids) ->
    Expected = lists:sort(Pids),
    await(fun() -> c_members(Config, Group) =:= Expected end),
    await(fun() -> beam_members(Config, Group) =:= Expected end).

%% Sorting would not tell 1 from 1.0.
await_groups(Config, Groups) ->
    Expected = set(Groups),
    await(fun() -> set(c(Config, {groups, scope(Config)})) =:= Expected end),
    await(fun() -> set(pg(Config, which_groups, [])) =:= Expected end).

set(Groups) -> maps:from_list([{Group, there} || Group <- Groups]).

is_connected(Config) ->
    lists:member(?config(c, Config), rpc(?config(beam, Config), erlang, nodes, [connected])).

connect(Config) -> true = rpc(?config(beam, Config), net_kernel, connect_node, [?config(c, Config)]).

%% --- nodes ------------------------------------------------------------------------------------

start_c(Kind) ->
    Name = peer:random_name(gcl_pg) ++ "@127.0.0.1",
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "pg")}, [
        {args, [Name, atom_to_list(Kind)]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    Ready = "ready " ++ Name ++ " ",
    Number =
        receive
            {Port, {data, {eol, Line}}} -> list_to_integer(string:prefix(Line, Ready))
        after ?DEADLINE -> ct:fail(not_ready)
        end,
    {list_to_atom(Name), Number, owner_of(Port)}.

start_beam() -> start_beam(os:find_executable("erl"), []).

%% The BEAM ends with its input.
start_beam(Erl, Args) ->
    Name = peer:random_name(gcl_pg_beam) ++ "@127.0.0.1",
    Port = open_port({spawn_executable, Erl}, [
        {args,
            ["-name", Name, "-setcookie", atom_to_list(erlang:get_cookie()), "-noshell"] ++
                ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"] ++
                ["-kernel", "prevent_overlapping_partitions", "false"] ++
                Args ++ ["-eval", "io:format(\"ready~n\"), eof = io:get_line(\"\"), halt()."]},
        {env, [{Variable, false} || Variable <- ["ROOTDIR", "BINDIR", "EMU", "PROGNAME"]]},
        {line, 4096},
        stderr_to_stdout,
        exit_status
    ]),
    receive
        {Port, {data, {eol, "ready"}}} -> ok
    after ?DEADLINE -> ct:fail(not_ready)
    end,
    Node = list_to_atom(Name),
    true = net_kernel:connect_node(Node),
    ok = persistent_term:put({?MODULE, Node}, owner_of(Port)),
    {ok, Node}.

stop_beam(Node) ->
    stop_owner(persistent_term:get({?MODULE, Node})),
    await(fun() -> not lists:member(Node, nodes(connected)) end).

stop_c(Owner) -> stop_owner(Owner).

%% A scope that has to be there at the end of the case.
start_scope(Beam, Scope) ->
    {ok, Pid} = rpc(Beam, pg, start, [Scope]),
    ok = rpc(Beam, persistent_term, put, [{?MODULE, Scope}, Pid]).

stop_scope(Beam, Scope) ->
    ok = rpc(Beam, gen_server, stop, [Scope]),
    true = rpc(Beam, persistent_term, erase, [{?MODULE, Scope}]),
    ok.

rpc(Node, Module, Function, Arguments) ->
    rpc:call(Node, Module, Function, Arguments, ?DEADLINE).

%% The port belongs to a process that lives as long as the case, and keeps what is logged: the end
%% of it is the end of the program's input.
owner_of(Port) ->
    Owner = spawn(fun() -> owner([]) end),
    true = erlang:port_connect(Port, Owner),
    true = unlink(Port),
    Owner.

owner(Lines) ->
    receive
        {_Port, {data, {eol, Line}}} ->
            owner([Line | Lines]);
        {find, From, Text} ->
            From ! {found, lists:any(fun(Line) -> string:find(Line, Text) =/= nomatch end, Lines)},
            owner(Lines);
        {lines, From} ->
            From ! {lines, lists:reverse(Lines)},
            owner(Lines);
        stop ->
            ok;
        _ ->
            owner(Lines)
    end.

lines(Owner) ->
    Owner ! {lines, self()},
    receive
        {lines, Lines} -> Lines
    after ?DEADLINE -> ct:fail(no_owner)
    end.

stop_owner(Owner) ->
    Monitor = erlang:monitor(process, Owner),
    Owner ! stop,
    receive
        {'DOWN', Monitor, process, _, _} -> ok
    after ?DEADLINE -> ct:fail(not_down)
    end.

await_log(Config, Text) ->
    await(fun() ->
        ?config(owner, Config) ! {find, self(), Text},
        receive
            {found, Found} -> Found
        after ?DEADLINE -> ct:fail(no_owner)
        end
    end).

%% --- messages ---------------------------------------------------------------------------------

next() ->
    receive
        {Port, {data, {eol, "log " ++ _}}} when is_port(Port) -> next();
        Message -> Message
    after ?DEADLINE -> ct:fail(no_message)
    end.

%% What is looked for by a timer may come any time.
next_but(Message) ->
    case next() of
        Message -> next_but(Message);
        Other -> Other
    end.

next_of(Member) ->
    receive
        {member, Member, Message} -> Message
    after ?DEADLINE -> ct:fail({no_message, Member})
    end.

no_more() ->
    receive
        {Port, {data, {eol, "log " ++ _}}} when is_port(Port) -> no_more();
        Message -> ct:fail({unexpected, Message})
    after 0 -> ok
    end.

await(Condition) -> global_helper:await(Condition, ?DEADLINE).

%% SPDX-License-Identifier: Apache-2.0
%% A member is a gen_server: starting, what callbacks may return, calls and casts, sys. One node.
-module(gen_cluster_server_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    start/1,
    start_link/1,
    start_monitor/1,
    names/1,
    options_are_taken/1,
    bad_options_are_refused/1,
    init_may_return/1,
    init_that_fails_is_seen_by_nobody/1,
    init_continues_before_joining/1,
    call_may_return/1,
    cast_and_info_may_return/1,
    continue_may_return/1,
    timeout_goes_on_after_messages_of_the_cluster/1,
    cluster_callbacks_may_return/1,
    bad_return_values/1,
    crash_in_callback/1,
    throw_counts_as_returned/1,
    vote_may_return/1,
    optional_callbacks/1,
    calls_and_casts/1,
    enter_loop/1,
    child_spec/1,
    state_is_the_users/1,
    status_is_formatted_by_the_user/1,
    code_change/1,
    monitors_of_the_user/1,
    name_of_the_cluster/1,
    unknown_requests/1,
    end_of_the_door/1
]).
%% Started by proc_lib.
-export([init_loop/2]).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        start,
        start_link,
        start_monitor,
        names,
        options_are_taken,
        bad_options_are_refused,
        init_may_return,
        init_that_fails_is_seen_by_nobody,
        init_continues_before_joining,
        call_may_return,
        cast_and_info_may_return,
        continue_may_return,
        timeout_goes_on_after_messages_of_the_cluster,
        cluster_callbacks_may_return,
        bad_return_values,
        crash_in_callback,
        throw_counts_as_returned,
        vote_may_return,
        optional_callbacks,
        calls_and_casts,
        enter_loop,
        child_spec,
        state_is_the_users,
        status_is_formatted_by_the_user,
        code_change,
        monitors_of_the_user,
        name_of_the_cluster,
        unknown_requests,
        end_of_the_door
    ].

%% The figures of a cluster are for patient people.
init_per_suite(Config) ->
    ok = application:load(gen_cluster),
    ok = application:set_env(gen_cluster, limits, #{sync => 50, sync_fast => 20}),
    ok = logger:set_primary_config(level, none),
    Config.

end_per_suite(_Config) ->
    ok = logger:set_primary_config(level, notice),
    application:unload(gen_cluster).

init_per_testcase(_Case, Config) ->
    _ = process_flag(trap_exit, true),
    [{cluster, cluster_helper:cluster()} | Config].

end_per_testcase(_Case, _Config) -> ok.

start(Config) ->
    Options = options(Config),
    {ok, Pid} = gen_cluster:start(cluster_member, {self(), #{}}, Options),
    ?assertNot(lists:member(Pid, links())),
    ok = gen_server:stop(Pid).

%% It links, both ways.
start_link(Config) ->
    {ok, Pid} = gen_cluster:start_link(cluster_member, {self(), #{}}, options(Config)),
    ?assert(lists:member(Pid, links())),
    exit(Pid, boom),
    receive
        {'EXIT', Pid, boom} -> ok
    end,
    Test = self(),
    {Parent, Monitor} = spawn_monitor(fun() ->
        Test ! gen_cluster:start_link(cluster_member, {Test, #{}}, options(Config)),
        receive
            die -> exit(gone)
        end
    end),
    receive
        {ok, Child} -> ok
    end,
    ChildMonitor = monitor(process, Child),
    Parent ! die,
    gone = cluster_helper:await_down(Parent, Monitor),
    gone = cluster_helper:await_down(Child, ChildMonitor).

start_monitor(Config) ->
    {ok, {Pid, Monitor}} = gen_cluster:start_monitor(
        cluster_member, {self(), #{}}, options(Config)
    ),
    ok = gen_server:stop(Pid),
    normal = cluster_helper:await_down(Pid, Monitor).

%% Names as in gen_server, for each way to start.
names(Config) ->
    Local = cluster_helper:cluster(),
    Names = [{local, Local}, {global, {a, name}}, {via, global, {another, name}}],
    lists:foreach(
        fun(Name) ->
            lists:foreach(
                fun(Start) ->
                    Args = [Name, cluster_member, {self(), #{}}, options(Config)],
                    Pid = pid(apply(gen_cluster, Start, Args)),
                    {error, {already_started, Pid}} = apply(gen_cluster, Start, Args),
                    Server =
                        case Name of
                            {local, Local} -> Local;
                            _ -> Name
                        end,
                    ?assertEqual([Pid], pids(Server)),
                    ok = gen_server:stop(Server)
                end,
                [start, start_link, start_monitor]
            )
        end,
        Names
    ).

options_are_taken(Config) ->
    Cluster = ?config(cluster, Config),
    Options = [{cluster, Cluster}, {type, a_type}, {meta, #{a => 1}}, {hibernate_after, 100000}],
    {ok, Pid} = gen_cluster:start(cluster_member, {self(), #{}}, Options),
    ?assertMatch(
        [#{pid := Pid, type := a_type, meta := #{a := 1}, children := []}], gen_cluster:members(Pid)
    ),
    ?assertEqual({ok, [{a_type, [Pid]}]}, gen_cluster:plist(Pid)),
    ok = gen_server:stop(Pid),
    %% By default the module is the name of the cluster and the type.
    {ok, Default} = gen_cluster:start(cluster_member, {self(), #{}}, []),
    ?assertEqual({ok, [{cluster_member, [Default]}]}, gen_cluster:plist(cluster_member)),
    ok = gen_server:stop(Default).

%% The option that is wrong is named.
bad_options_are_refused(Config) ->
    lists:foreach(
        fun(Option) ->
            Options = [Option | options(Config)],
            Args = [cluster_member, {self(), #{}}, Options],
            [
                ?assertEqual({error, {bad_option, Option}}, apply(gen_cluster, Start, Args))
             || Start <- [start, start_link, start_monitor]
            ],
            ?assertError({bad_option, Option}, gen_cluster:enter_loop(cluster_member, Options, []))
        end,
        [
            {unknown, 1},
            colour,
            {cluster, "name"},
            {cluster, undefined},
            {type, 1},
            {quorum, 0},
            {quorum, many},
            {meta, []},
            {meta, #{a => binary:copy(<<0>>, 5000)}},
            {seeds, 'a@127.0.0.1'},
            {seeds, [nohost]},
            {seeds, ['a@127.0.0.1' | 'b@127.0.0.1']},
            {seed, 17},
            {seed, "@"}
        ]
    ),
    ?assertEqual({error, {bad_option, none}}, gen_cluster:start(cluster_member, [], none)).

init_may_return(Config) ->
    Start = fun(Result) ->
        Hooks = #{init => fun(State) -> result(Result, State) end},
        Options = [{cluster, cluster_helper:cluster()} | options(Config)],
        gen_cluster:start(cluster_member, {self(), Hooks}, Options)
    end,
    {ok, A} = Start({ok, state}),
    {ok, B} = Start({ok, state, 0}),
    cluster_helper:expect_any(B, {handle_info, timeout}),
    {ok, C} = Start({ok, state, hibernate}),
    cluster_helper:await_until(fun() -> is_hibernating(C) end),
    {ok, D} = Start({ok, state, {continue, on}}),
    cluster_helper:expect(D, {handle_continue, on}),
    {ok, E} = Start({ok, state, infinity}),
    ignore = Start(ignore),
    {error, no} = Start({stop, no}),
    {error, {bad_return_value, what}} = Start(what),
    {error, {bad_return_value, {ok, _, soon}}} = Start({ok, state, soon}),
    lists:foreach(fun gen_server:stop/1, [A, B, C, D, E]).

%% Neither the name of the cluster nor a hello tells of it.
init_that_fails_is_seen_by_nobody(Config) ->
    Cluster = ?config(cluster, Config),
    Seen = fun(_State) -> {stop, {seen, whereis(Cluster)}} end,
    {ok, Other} = start(Config, #{}),
    {error, {seen, Door}} = start(Config, #{init => Seen}),
    ?assertEqual(Door, whereis(Cluster)),
    {error, {crash, _}} = start(Config, #{init => fun(_) -> error(crash) end}),
    cluster_helper:no_more_events([Other]),
    ?assertEqual([Other], pids(Other)),
    ok = gen_server:stop(Other),
    cluster_helper:await_until(fun() -> whereis(Cluster) =:= undefined end),
    {error, {seen, undefined}} = start(Config, #{init => Seen}).

%% {continue, _} of init belongs to init: a member whose continuation fails has met nobody.
init_continues_before_joining(Config) ->
    Cluster = ?config(cluster, Config),
    Test = self(),
    {ok, Pid} = start(Config, #{
        init => fun(State) -> {ok, State, {continue, 1}} end,
        handle_continue => fun
            (1, State) ->
                Test ! {first, whereis(Cluster)},
                {noreply, State, {continue, 2}};
            (2, State) ->
                Test ! {second, whereis(Cluster)},
                {noreply, State, 0}
        end
    }),
    cluster_helper:expect(Pid, {handle_continue, 1}),
    cluster_helper:expect(Pid, {handle_continue, 2}),
    cluster_helper:expect_any(Pid, {handle_info, timeout}),
    receive
        {first, undefined} -> ok
    end,
    receive
        {second, undefined} -> ok
    end,
    ?assert(is_pid(whereis(Cluster))),
    ok = gen_server:stop(Pid).

call_may_return(Config) ->
    {ok, Pid} = start(Config, #{}),
    1 = cluster_helper:do(Pid, fun(_From, S) -> {reply, 1, S} end),
    2 = cluster_helper:do(Pid, fun(_From, S) -> {reply, 2, S, 0} end),
    cluster_helper:expect(Pid, {handle_info, timeout}),
    3 = cluster_helper:do(Pid, fun(From, S) ->
        gen_cluster:reply(From, 3),
        {noreply, S}
    end),
    4 = cluster_helper:do(Pid, fun(From, S) ->
        gen_cluster:reply(From, 4),
        {noreply, S, {continue, four}}
    end),
    cluster_helper:expect(Pid, {handle_continue, four}),
    5 = cluster_helper:do(Pid, fun(_From, S) -> {reply, 5, S, hibernate} end),
    cluster_helper:await_until(fun() -> is_hibernating(Pid) end),
    6 = cluster_helper:do(Pid, fun(_From, S) -> {reply, 6, S, {continue, six}} end),
    cluster_helper:expect(Pid, {handle_continue, six}),
    Monitor = monitor(process, Pid),
    7 = cluster_helper:do(Pid, fun(_From, S) -> {stop, seven, 7, S} end),
    cluster_helper:expect(Pid, {terminate, seven}),
    seven = cluster_helper:await_down(Pid, Monitor),
    {ok, Other} = start(Config, #{}),
    ?assertExit({eight, _}, cluster_helper:do(Other, fun(_From, S) -> {stop, eight, S} end)).

cast_and_info_may_return(Config) ->
    lists:foreach(
        fun({Callback, Send}) ->
            {ok, Pid} = start(Config, #{
                Callback => fun
                    (stop, S) -> {stop, stopped, S};
                    (timeout, S) -> {noreply, S};
                    (Next, S) -> {noreply, S, Next}
                end
            }),
                    _ = Send(Pid, {continue, Callback}),
            cluster_helper:expect(Pid, {Callback, {continue, Callback}}),
            cluster_helper:expect(Pid, {handle_continue, Callback}),
            _ = Send(Pid, 0),
            cluster_helper:expect(Pid, {Callback, 0}),
            cluster_helper:expect(Pid, {handle_info, timeout}),
            _ = Send(Pid, hibernate),
            cluster_helper:expect(Pid, {Callback, hibernate}),
            cluster_helper:await_until(fun() -> is_hibernating(Pid) end),
            Monitor = monitor(process, Pid),
            _ = Send(Pid, stop),
            stopped = cluster_helper:await_down(Pid, Monitor)
        end,
        [
            {handle_cast, fun gen_cluster:cast/2},
            {handle_info, fun erlang:send/2}
        ]
    ).

continue_may_return(Config) ->
    {ok, Pid} = start(Config, #{
        handle_continue => fun
            (chain, S) -> {noreply, S, {continue, 0}};
            (stop, S) -> {stop, stopped, S};
            (Next, S) -> {noreply, S, Next}
        end
    }),
    ok = cluster_helper:do(Pid, fun(_From, S) -> {reply, ok, S, {continue, chain}} end),
    [
        cluster_helper:expect(Pid, Event)
     || Event <- [{handle_continue, chain}, {handle_continue, 0}, {handle_info, timeout}]
    ],
    Monitor = monitor(process, Pid),
    ok = cluster_helper:do(Pid, fun(_From, S) -> {reply, ok, S, {continue, stop}} end),
    stopped = cluster_helper:await_down(Pid, Monitor).

%% Other members and the core's timers send all the time; the user does not notice.
timeout_goes_on_after_messages_of_the_cluster(Config) ->
    {ok, Pid} = start(Config, #{}),
    Begin = erlang:monotonic_time(millisecond),
    ok = cluster_helper:do(Pid, fun(_From, S) -> {reply, ok, S, 300} end),
    Ask = fun Ask() ->
        _ = gen_cluster:members(Pid),
        case erlang:monotonic_time(millisecond) - Begin of
            Past when Past > 400 -> ok;
            _ -> Ask()
        end
    end,
    Ask(),
    cluster_helper:expect(Pid, {handle_info, timeout}),
    ok = gen_server:stop(Pid).

%% As those of gen_server; the next callback comes after the continuation.
cluster_callbacks_may_return(Config) ->
    {ok, Pid} = start(Config, #{
        handle_publish => fun
            (plain, S) -> {ok, S};
            (stop, S) -> {stop, stopped, S};
            (Next, S) -> {ok, S, Next}
        end,
        handle_continue => fun
            (1, S) -> {noreply, S, {continue, 2}};
            (2, S) -> {noreply, S, 0};
            (3, S) -> {noreply, S}
        end
    }),
    lists:foreach(
        fun({Published, Events}) ->
            ok = gen_cluster:publish(Pid, Published),
            lists:foreach(
                fun(Event) -> cluster_helper:expect(Pid, Event) end,
                [{handle_publish, Published} | Events]
            )
        end,
        [
            {plain, []},
            {0, [{handle_info, timeout}]},
            {{continue, 1}, [{handle_continue, 1}, {handle_continue, 2}, {handle_info, timeout}]},
            {{continue, 3}, [{handle_continue, 3}]},
            {infinity, []}
        ]
    ),
    ok = gen_cluster:publish(Pid, hibernate),
    cluster_helper:expect(Pid, {handle_publish, hibernate}),
    cluster_helper:await_until(fun() -> is_hibernating(Pid) end),
    %% A message of the cluster wakes it; it goes back to sleep.
    [Pid] = pids(Pid),
    cluster_helper:await_until(fun() -> is_hibernating(Pid) end),
    Monitor = monitor(process, Pid),
    ok = gen_cluster:publish(Pid, stop),
    cluster_helper:expect(Pid, {handle_publish, stop}),
    cluster_helper:expect(Pid, {terminate, stopped}),
    stopped = cluster_helper:await_down(Pid, Monitor).

bad_return_values(Config) ->
    lists:foreach(
        fun(Result) ->
            {ok, Pid} = start(Config, #{handle_publish => fun(_, S) -> result(Result, S) end}),
            Monitor = monitor(process, Pid),
            ok = gen_cluster:publish(Pid, x),
            {bad_return_value, _} = cluster_helper:await_down(Pid, Monitor)
        end,
        [ok, {noreply, state}, {ok, state, soon}, {ok, state, -1}, {reply, 1, state}]
    ),
    {ok, Pid} = start(Config, #{}),
    ?assertExit(
        {{bad_return_value, what}, _}, cluster_helper:do(Pid, fun(_From, _S) -> what end)
    ).

%% Ends the member with that reason, after terminate/2; reports show nothing of the cluster.
crash_in_callback(Config) ->
    ok = cluster_helper:start_log(node()),
    {ok, Pid} = start(Config, #{handle_publish => fun(_, _) -> error(boom) end}),
    Monitor = monitor(process, Pid),
    ok = gen_cluster:publish(Pid, x),
    {boom, [_ | _]} = cluster_helper:await_down(Pid, Monitor),
    cluster_helper:expect(Pid, {handle_publish, x}),
    {terminate, {boom, _}} = cluster_helper:next_event(Pid),
    Report = cluster_helper:expect_log(node(), "crasher"),
    ?assertNotEqual(nomatch, string:find(Report, "cluster_member:init/1"), Report),
    ?assertEqual(nomatch, string:find(Report, "{core,"), Report),
    ok = cluster_helper:stop_log(node()),
    ok = logger:set_primary_config(level, none).

throw_counts_as_returned(Config) ->
    {ok, Pid} = start(Config, #{handle_publish => fun(_, S) -> throw({stop, thrown, S}) end}),
    1 = cluster_helper:do(Pid, fun(_From, S) -> throw({reply, 1, S}) end),
    Monitor = monitor(process, Pid),
    ok = gen_cluster:publish(Pid, x),
    thrown = cluster_helper:await_down(Pid, Monitor).

vote_may_return(Config) ->
    Vote = fun(Result) ->
        {ok, Pid} = start(Config, #{handle_vote => fun(_, S) -> result(Result, S) end}),
        {Pid, gen_cluster:call_vote(Pid, term)}
    end,
    {A, {ok, A, 7}} = Vote({reply, 7, state}),
    {B, {ok, B, 0.5}} = Vote({reply, 0.5, state, 0}),
    cluster_helper:expect_any(B, {handle_info, timeout}),
    {_, {error, no_winner}} = Vote({reply, 0, state}),
    {C, {error, no_winner}} = Vote({stop, stopped, state}),
    ?assertNot(is_process_alive(C)),
    {D, {error, no_winner}} = Vote({reply, much, state}),
    ?assertNot(is_process_alive(D)).

%% A module may leave out all that gen_server lets it leave out, and the optional ones of the
%% cluster.
optional_callbacks(Config) ->
    {ok, Pid} = gen_cluster:start(cluster_minimal, state, options(Config)),
    Pid ! a_message,
    ok = gen_cluster:publish(Pid, something),
    ?assertEqual({error, no_winner}, gen_cluster:call_vote(Pid, something)),
    ?assertEqual({state, hello}, gen_cluster:call(Pid, hello)),
    ok = sys:suspend(Pid),
    ok = sys:change_code(Pid, cluster_minimal, old, extra),
    ok = sys:resume(Pid),
    ?assertEqual(state, sys:get_state(Pid)),
    _ = sys:get_status(Pid),
    ok = gen_server:stop(Pid).

calls_and_casts(Config) ->
    Name = cluster_helper:cluster(),
    {ok, Pid} = gen_cluster:start(
        {local, Name}, cluster_member, {self(), #{}}, options(Config)
    ),
    Answer = {node(), hello},
    ?assertEqual(Answer, gen_cluster:call(Name, {ask, hello})),
    ?assertEqual(Answer, gen_cluster:call({Name, node()}, {ask, hello}, 5000)),
    ?assertEqual({[{node(), Answer}], []}, gen_cluster:multi_call(Name, {ask, hello})),
    ?assertEqual({[{node(), Answer}], []}, gen_cluster:multi_call([node()], Name, {ask, hello})),
    ?assertEqual(
        {[{node(), Answer}], ['none@127.0.0.1']},
        gen_cluster:multi_call([node(), 'none@127.0.0.1'], Name, {ask, hello}, 5000)
    ),
    ok = gen_cluster:cast(Name, one),
    abcast = gen_cluster:abcast(Name, two),
    abcast = gen_cluster:abcast([node()], Name, three),
    [cluster_helper:expect(Pid, {handle_cast, Cast}) || Cast <- [one, two, three]],
    ?assertExit(
        {timeout, _},
        gen_cluster:call(Name, {do, fun(_From, S) -> {noreply, S} end}, 50)
    ),
    ok = gen_server:stop(Pid).

%% A process of proc_lib becomes a member, under a name or without.
enter_loop(Config) ->
    Name = cluster_helper:cluster(),
    State = #{observer => self(), hooks => #{}, value => 0},
    Cases = [
        {[State], none},
        {[State, 0], none},
        {[State, {local, Name}], Name},
        {[State, {local, Name}, 0], Name}
    ],
    lists:foreach(
        fun({Args, Register}) ->
            All = [cluster_member, options(Config) | Args],
            {ok, Pid} = proc_lib:start_link(?MODULE, init_loop, [Register, All]),
            ?assertEqual([Pid], pids(Pid)),
            _ = [cluster_helper:expect_any(Pid, {handle_info, timeout}) || lists:last(Args) =:= 0],
            ok = gen_server:stop(Pid)
        end,
        Cases
    ),
    {ok, Pid} = proc_lib:start_link(?MODULE, init_loop, [
        none, [cluster_member, options(Config), State, {continue, on}]
    ]),
    cluster_helper:expect(Pid, {handle_continue, on}),
    ok = gen_server:stop(Pid).

init_loop(Name, Args) ->
    _ = [register(Name, self()) || Name =/= none],
    proc_lib:init_ack({ok, self()}),
    apply(gen_cluster, enter_loop, Args).

child_spec(Config) ->
    Name = cluster_helper:cluster(),
    Spec = gen_cluster:child_spec(#{
        module => cluster_member,
        name => {local, Name},
        args => {self(), #{}},
        options => options(Config)
    }),
    {ok, Supervisor} = supervisor:start_link(cluster_supervisor, [Spec]),
    [{cluster_member, Pid, worker, [cluster_member]}] = supervisor:which_children(Supervisor),
    ?assertEqual([Pid], pids(Name)),
    exit(Supervisor, shutdown),
    receive
        {'EXIT', Supervisor, shutdown} -> ok
    end,
    ?assertMatch(
        #{id := other, restart := temporary, start := {gen_cluster, start_link, [m, [], []]}},
        gen_cluster:child_spec(#{module => m, id => other, restart => temporary})
    ).

%% sys shows and changes what the callbacks see.
state_is_the_users(Config) ->
    {ok, Pid} = start(Config, #{}),
    ?assertMatch(#{value := 0}, sys:get_state(Pid)),
    ?assertMatch(#{value := 5}, sys:replace_state(Pid, fun(S) -> S#{value := 5} end)),
    ?assertEqual(5, cluster_helper:do(Pid, fun(_From, #{value := V} = S) -> {reply, V, S} end)),
    ?assertEqual([Pid], pids(Pid)),
    ?assertEqual({cluster_member, init, 1}, proc_lib:translate_initial_call(Pid)),
    ok = gen_server:stop(Pid).

status_is_formatted_by_the_user(Config) ->
    {ok, Pid} = start(Config, #{}),
    {status, Pid, {module, gen_server}, Items} = sys:get_status(Pid),
    ?assertEqual(
        {formatted, 0},
        hd([State || {data, [{"State", State}]} <- lists:last(Items)])
    ),
    ok = gen_server:stop(Pid).

code_change(Config) ->
    {ok, Pid} = start(Config, #{}),
    ok = sys:suspend(Pid),
    ok = sys:change_code(Pid, cluster_member, old, extra),
    ok = sys:resume(Pid),
    ?assertMatch(#{value := {changed, old, extra}}, sys:get_state(Pid)),
    ok = gen_server:stop(Pid).

%% A DOWN for a monitor of its own, on a member too, is the user's; the cluster has its own.
monitors_of_the_user(Config) ->
    {ok, Pid} = start(Config, #{}),
    {ok, Other} = start(Config, #{}),
    cluster_helper:await_pids(Pid, [Pid, Other]),
    cluster_helper:await_pids(Other, [Pid, Other]),
    Monitor = cluster_helper:do(Pid, fun(_From, S) -> {reply, monitor(process, Other), S} end),
    Name = cluster_helper:do(Pid, fun(_From, S) ->
        {reply, monitor(process, {?config(cluster, Config), node()}), S}
    end),
    cluster_helper:forget_events([Pid, Other]),
    exit(Other, boom),
    cluster_helper:expect_any(Pid, {handle_info, {'DOWN', Monitor, process, Other, boom}}),
    cluster_helper:expect_any(Pid, {handle_leave, Other, [Pid], boom}),
    true = cluster_helper:do(Pid, fun(_From, S) -> {reply, demonitor(Name, [flush]), S} end),
    cluster_helper:forget_events([Pid]),
    %% Node events that the user asks for are the user's, and come once.
    ok = cluster_helper:do(Pid, fun(_From, S) ->
        {reply, net_kernel:monitor_nodes(true, [{node_type, all}]), S}
    end),
    [{Peer, Node}] = cluster_helper:start_nodes(1),
    {handle_info, {nodeup, Node, _}} = cluster_helper:next_event(Pid),
    cluster_helper:no_more_events([Pid]),
    cluster_helper:stop_node({Peer, Node}),
    {handle_info, {nodedown, Node, _}} = cluster_helper:next_event(Pid),
    ok = gen_server:stop(Pid).

%% Whoever asks under the name of the cluster reaches a member, whatever its own name is.
name_of_the_cluster(Config) ->
    Cluster = ?config(cluster, Config),
    lists:foreach(
        fun(Name) ->
            {ok, Pid} = gen_cluster:start(
                {local, Name}, cluster_member, {self(), #{}}, options(Config)
            ),
                    ?assertEqual([Pid], pids(Cluster)),
            ?assertEqual({node(), hi}, gen_cluster:call(Cluster, {ask, hi})),
            ok = gen_cluster:cast(Cluster, hi),
            cluster_helper:expect(Pid, {handle_cast, hi}),
            ok = gen_cluster:leave(Pid),
            ?assertEqual(Name =:= Cluster, whereis(Cluster) =:= Pid),
            Monitor = monitor(process, Pid),
            exit(Pid, boom),
            boom = cluster_helper:await_down(Pid, Monitor),
            cluster_helper:await_until(fun() -> whereis(Cluster) =:= undefined end)
        end,
        [cluster_helper:cluster(), Cluster]
    ).

%% What a newer version may ask gets an answer; nothing reaches the user.
unknown_requests(Config) ->
    {ok, Pid} = start(Config, #{}),
    ?assertEqual({error, unknown_request}, gen_cluster:call(Pid, {'$gen_cluster', sing})),
    ?assertEqual({error, unknown_request}, gen_cluster:call(Pid, {'$gen_cluster', join, "x"})),
    ok = gen_cluster:unsubscribe(Pid, make_ref()),
    ?assertEqual({error, {bad_seed, nohost}}, gen_cluster:join(Pid, nohost)),
    lists:foreach(
        fun(Message) -> Pid ! Message end,
        [
            {'$gen_cluster', 1, hello, ?config(cluster, Config), self(), #{}},
            {'$gen_cluster', 2, hello, ?config(cluster, Config), self(), #{stay => 1}},
            {'$gen_cluster', 1, publish, ?config(cluster, Config), self(), #{term => 1}},
            {'$gen_cluster', 1, publish, other, self(), #{term => 1}},
            {'$gen_cluster', 1, publish, ?config(cluster, Config), nobody, #{term => 1}},
            {'$gen_cluster', 1, publish, ?config(cluster, Config), self(), no_map},
            {'$gen_cluster', 1, leave, ?config(cluster, Config), [], #{stay => 1}},
            {'$gen_cluster', a, b, c, d, e},
            {timeout, make_ref(), {'$gen_cluster', wake}}
        ]
    ),
    cluster_helper:no_more_events([Pid]),
    ?assertEqual([Pid], pids(Pid)),
    ok = gen_server:stop(Pid).

%% Another is opened, and has the name again.
end_of_the_door(Config) ->
    Cluster = ?config(cluster, Config),
    {ok, Pid} = start(Config, #{}),
    Door = whereis(Cluster),
    exit(Door, kill),
    cluster_helper:await_until(fun() ->
        not lists:member(whereis(Cluster), [Door, undefined])
    end),
    ?assertEqual([Pid], pids(Cluster)),
    cluster_helper:no_more_events([Pid]),
    ok = gen_server:stop(Pid).

start(Config, Hooks) ->
    gen_cluster:start(cluster_member, {self(), Hooks}, options(Config)).

%% Nobody leads here, so no callback comes by itself.
options(Config) -> [{cluster, ?config(cluster, Config)}, {quorum, 99}].

pid({ok, {Pid, _Monitor}}) -> Pid;
pid({ok, Pid}) -> Pid.

pids(Server) -> [Pid || #{pid := Pid} <- gen_cluster:members(Server)].

links() ->
    {links, Links} = process_info(self(), links),
    Links.

%% The state in a result of a hook.
result(Result, State) when is_tuple(Result) ->
    list_to_tuple([
        case Element of
            state -> State;
            _ -> Element
        end
     || Element <- tuple_to_list(Result)
    ]);
result(Result, _State) ->
    Result.

%% A process has no stack then; OTP 28 and later return to gen_server instead.
is_hibernating(Pid) ->
    case process_info(Pid, current_function) of
        {current_function, {erlang, hibernate, _}} -> true;
        {current_function, {gen_server, loop_hibernate, _}} -> true;
        _ -> false
    end.

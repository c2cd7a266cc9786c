%% SPDX-License-Identifier: Apache-2.0
%% A C node is called like any node: by erpc, rpc, `rex` and spawn. All but a few functions are
%% `undef`, at once.
-module(rpc_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    erpc_calls/1,
    erpc_says_what_went_wrong/1,
    rpc_calls/1,
    rex_calls/1,
    rex_passes_messages_on/1,
    functions_are_spawned/1,
    code_is_not_spawned/1,
    code_is_not_spawned_by_net_kernel/1,
    every_other_function_is_undef/1,
    many_calls_at_once/1,
    what_a_node_tells_about_itself/1,
    what_a_node_tells_about_its_processes/1,
    what_a_process_is_tied_to/1,
    no_code_is_loaded/1,
    a_relay_of_dbg_ends_at_once/1,
    garbage_is_survived/1,
    an_argument_nested_too_deep_is_refused/1
]).

-define(DEADLINE, 20000).
-define(SOON, 5000).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        erpc_calls,
        erpc_says_what_went_wrong,
        rpc_calls,
        rex_calls,
        rex_passes_messages_on,
        functions_are_spawned,
        code_is_not_spawned,
        code_is_not_spawned_by_net_kernel,
        every_other_function_is_undef,
        many_calls_at_once,
        what_a_node_tells_about_itself,
        what_a_node_tells_about_its_processes,
        what_a_process_is_tied_to,
        no_code_is_loaded,
        a_relay_of_dbg_ends_at_once,
        garbage_is_survived,
        an_argument_nested_too_deep_is_refused
    ].

%% The port belongs to a process that lives as long as the suite.
init_per_suite(Config) ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    Self = self(),
    Owner = spawn(fun() -> own(Self, Name) end),
    receive
        {Owner, ready} -> [{owner, Owner}, {cnode, list_to_atom(Name)} | Config]
    after ?DEADLINE -> ct:fail(not_ready)
    end.

own(Suite, Name) ->
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "server")}, [
        {args, [Name]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    receive
        {Port, {data, {eol, "ready " ++ _}}} -> Suite ! {self(), ready}
    end,
    receive
        stop -> port_close(Port)
    end.

end_per_suite(Config) -> ?config(owner, Config) ! stop.

%% --- cases ------------------------------------------------------------------------------------

erpc_calls(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(C, erpc:call(C, erlang, node, [], ?SOON)),
    ?assertEqual(pong, erpc:call(C, net_adm, ping, [node()], ?SOON)),
    ?assertEqual(pong, erpc:call(C, net_adm, ping, [C], ?SOON)),
    ?assertEqual(pang, erpc:call(C, net_adm, ping, ['nobody@127.0.0.1'], ?SOON)),
    ?assertEqual([], erpc:call(C, global_group, get_own_nodes, [], ?SOON)),
    ?assertEqual(undefined, erpc:call(C, global, whereis_name, [nobody], ?SOON)),
    ?assertEqual([{ok, node()}, {ok, C}], erpc:multicall([node(), C], erlang, node, [], ?SOON)),
    ?assertEqual(ok, erpc:cast(C, erlang, node, [])),
    Request = erpc:send_request(C, erlang, node, []),
    ?assertEqual({response, C}, erpc:wait_response(Request, ?SOON)).

erpc_says_what_went_wrong(Config) ->
    C = ?config(cnode, Config),
    ?assertError(
        {exception, undef, [{erlang, halt, [], []}]}, erpc:call(C, erlang, halt, [], ?SOON)
    ),
    ?assertError({exception, undef, [{erlang, node, [x], []}]}, erpc:call(C, erlang, node, [x])),
    ?assertError(
        {exception, badarg, [{net_adm, ping, [1], []}]}, erpc:call(C, net_adm, ping, [1], ?SOON)
    ).

rpc_calls(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(C, rpc:call(C, erlang, node, [], ?SOON)),
    ?assertEqual(C, rpc:block_call(C, erlang, node, [], ?SOON)),
    ?assertEqual(C, rpc:yield(rpc:async_call(C, erlang, node, []))),
    ?assertEqual({[node(), C], []}, rpc:multicall([node(), C], erlang, node, [], ?SOON)),
    ?assert(rpc:cast(C, erlang, node, [])),
    Undef = {badrpc, {'EXIT', {undef, [{foo, bar, [1, 2], []}]}}},
    ?assertEqual(Undef, rpc:call(C, foo, bar, [1, 2], ?SOON)),
    ?assertEqual(Undef, rpc:block_call(C, foo, bar, [1, 2], ?SOON)).

rex_calls(Config) ->
    C = ?config(cnode, Config),
    ?assertEqual(C, rex(C, {call, erlang, node, [], user})),
    ?assertEqual(
        {badrpc, {'EXIT', {undef, [{erlang, halt, [], []}]}}},
        rex(C, {call, erlang, halt, [], user})
    ),
    {rex, C} ! {self(), features_request},
    receive
        {features_reply, C, Features} -> ?assertEqual([erpc], Features)
    after ?SOON -> ct:fail(no_reply)
    end.

rex(C, Request) ->
    {rex, C} ! {self(), Request},
    receive
        {rex, Result} -> Result
    after ?SOON -> ct:fail(no_reply)
    end.

rex_passes_messages_on(Config) ->
    C = ?config(cnode, Config),
    ok = gen_server:call({server, C}, subscribe),
    ?assertEqual({[C], []}, rpc:sbcast([C], server, {hello, 1})),
    receive
        {info, {hello, 1}} -> ok
    after ?SOON -> ct:fail(not_passed_on)
    end,
    ?assertEqual({[], [C]}, rpc:sbcast([C], nobody, hello)),
    %% An atom may have any character in it, and is not what stands before a NUL.
    [
        begin
            ?assertEqual({[], [C]}, rpc:sbcast([C], Name, hello)),
            {rex, C} ! {self(), {send, Name, hello}}
        end
     || Name <- ['server\0', 'server\0x', '\0', '', list_to_atom(lists:duplicate(255, $\x{ff}))]
    ],
    {rex, C} ! {self(), {send, server, {hello, 2}}},
    Self = self(),
    receive
        {info, What} -> ?assertEqual({Self, {hello, 2}}, What)
    after ?SOON -> ct:fail(not_passed_on)
    end.

functions_are_spawned(Config) ->
    C = ?config(cnode, Config),
    {Pid, Monitor} = spawn_monitor(C, erlang, node, []),
    ?assertEqual(C, node(Pid)),
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> ?assertEqual(normal, Reason)
    after ?SOON -> ct:fail(no_down)
    end,
    process_flag(trap_exit, true),
    Linked = spawn_link(C, erlang, node, []),
    receive
        {'EXIT', Linked, normal} -> ok
    after ?SOON -> ct:fail(no_exit)
    end,
    ?assertEqual(C, node(spawn(C, erlang, node, []))).

code_is_not_spawned(Config) ->
    C = ?config(cnode, Config),
    ?assertError(notsup, spawn_monitor(C, fun() -> ok end)),
    ?assertError(notsup, spawn_monitor(C, erlang, halt, [])),
    Request = spawn_request(C, erlang, halt, []),
    receive
        {spawn_reply, Request, error, Why} -> ?assertEqual(notsup, Why)
    after ?SOON -> ct:fail(no_reply)
    end.

%% OTP 23 calls net_kernel when its request was refused.
code_is_not_spawned_by_net_kernel(Config) ->
    C = ?config(cnode, Config),
    [
        ?assertEqual({'EXIT', {notsup, []}}, gen_server:call({net_kernel, C}, Request, ?SOON))
     || Request <- [
            {spawn, erlang, halt, [], self()},
            {spawn_link, erlang, halt, [], self()},
            {spawn_opt, erlang, halt, [], [monitor], no_link, self()}
        ]
    ].

%% All that the modules of this BEAM export, with as many arguments as they take.
every_other_function_is_undef(Config) ->
    C = ?config(cnode, Config),
    Served = [
        {code, ensure_loaded, 1},
        {erlang, is_process_alive, 1},
        {erlang, memory, 0},
        {erlang, memory, 1},
        {erlang, node, 0},
        {erlang, process_info, 1},
        {erlang, process_info, 2},
        {erlang, processes, 0},
        {erlang, registered, 0},
        {erlang, system_info, 1},
        {erlang, whereis, 1},
        {net_adm, ping, 1},
        {global, whereis_name, 1},
        {global, resolve_it, 4},
        {global_group, get_own_nodes, 0}
    ],
    Functions = exports() -- Served,
    ct:log("~w functions", [length(Functions)]),
    ?assert(length(Functions) > 4000),
    Began = erlang:monotonic_time(millisecond),
    lists:foreach(
        fun({M, F, N}) ->
            Args = lists:duplicate(N, x),
            Undef = [{M, F, Args, []}],
            BadRpc = {badrpc, {'EXIT', {undef, Undef}}},
            ?assertError({exception, undef, Undef}, erpc:call(C, M, F, Args, ?SOON)),
            ?assertEqual(BadRpc, rpc:call(C, M, F, Args, ?SOON)),
            ?assertEqual(BadRpc, rpc:block_call(C, M, F, Args, ?SOON)),
            ?assertEqual(BadRpc, rex(C, {call, M, F, Args, user})),
            true = rpc:cast(C, M, F, Args),
            gen_server:cast({rex, C}, {cast, M, F, Args, user}),
            refused(C, {M, F, N}, Args)
        end,
        Functions
    ),
    Took = erlang:monotonic_time(millisecond) - Began,
    ct:log("~w ms", [Took]),
    ?assertEqual(C, erpc:call(C, erlang, node, [], ?SOON)).

%% These two are spawned by erpc itself.
refused(_C, {erpc, execute_call, 4}, _Args) ->
    ok;
refused(_C, {erpc, execute_cast, 3}, _Args) ->
    ok;
refused(C, {M, F, _} = What, Args) ->
    Request = spawn_request(C, M, F, Args),
    receive
        {spawn_reply, Request, error, notsup} -> ok
    after ?SOON -> ct:fail(What)
    end.

exports() ->
    Modules = lists:append([
        begin
            _ = application:load(App),
            {ok, Names} = application:get_key(App, modules),
            Names
        end
     || App <- [kernel, stdlib]
    ]),
    lists:usort([
        {M, F, N}
     || M <- erlang:pre_loaded() ++ Modules, {F, N} <- M:module_info(exports)
    ]).

many_calls_at_once(Config) ->
    C = ?config(cnode, Config),
    Requests = [erpc:send_request(C, erlang, node, []) || _ <- lists:seq(1, 5000)],
    [?assertEqual(C, erpc:receive_response(Request, ?DEADLINE)) || Request <- Requests].

what_a_node_tells_about_itself(Config) ->
    C = ?config(cnode, Config),
    Info = fun(Item) -> erpc:call(C, erlang, system_info, [Item], ?SOON) end,
    %% The same machine: what both are asked, both say.
    [
        ?assertEqual({Item, erlang:system_info(Item)}, {Item, Info(Item)})
     || Item <- [os_type, os_version, endian, wordsize, {wordsize, internal}, {wordsize, external}]
    ],
    <<131, 88, _/binary>> = Pid = term_to_binary(gen_server:call({server, C}, self)),
    <<Creation:32>> = binary:part(Pid, byte_size(Pid), -4),
    ?assertEqual(Creation, Info(creation)),
    ?assertEqual(1, Info(schedulers)),
    ?assertEqual(1, Info(schedulers_online)),
    ?assertEqual(0, Info(port_count)),
    ?assertEqual(262144, Info(process_limit)),
    %% net_kernel, rex, global_group, three of global, the server, and the one that is asked.
    ?assertEqual(8, Info(process_count)),
    [Machine | _] = string:split(erlang:system_info(system_architecture), "-"),
    ?assertMatch([Machine, _], string:split(Info(system_architecture), "-")),
    %% As an unknown one, what it has not got.
    [
        ?assertError(
            {exception, badarg, [{erlang, system_info, [Item], []}]}, Info(Item)
        )
     || Item <- [otp_release, version, atom_count, ets_limit, machine, bogus, 1, {wordsize, x}]
    ],
    Memory = fun(A) -> erpc:call(C, erlang, memory, A, ?SOON) end,
    [{total, Total}] = Memory([]),
    ?assert(Total > 1000000),
    ?assert(is_integer(Memory([total]))),
    ?assertMatch([{total, _}], Memory([[total]])),
    ?assertEqual([], Memory([[]])),
    [
        ?assertError({exception, notsup, [{erlang, memory, [A], []}]}, Memory([A]))
     || A <- [processes, ets, [total, code]]
    ],
    [?assertError({exception, badarg, _}, Memory([A])) || A <- [bogus, [total, bogus], [total | x], 1]].

what_a_node_tells_about_its_processes(Config) ->
    C = ?config(cnode, Config),
    Call = fun(F, A) -> erpc:call(C, erlang, F, A, ?SOON) end,
    Server = gen_server:call({server, C}, self),
    Names = Call(registered, []),
    ?assertEqual([], [net_kernel, rex, server, global_name_server] -- Names),
    ?assertEqual(length(Names), length(lists:usort(Names))),
    ?assertEqual(Server, Call(whereis, [server])),
    ?assertEqual(undefined, Call(whereis, [nobody])),
    Pids = Call(processes, []),
    ?assertEqual([], [Call(whereis, [Name]) || Name <- Names] -- Pids),
    %% The process that runs this function is one of them.
    ?assertEqual(Call(system_info, [process_count]), length(Pids)),
    ?assertEqual([true], lists:usort([node(Pid) =:= C || Pid <- Pids])),
    [Gone] = [Pid || Pid <- Pids, Call(process_info, [Pid]) =:= undefined],
    ?assertEqual(false, Call(is_process_alive, [Gone])),
    ?assertEqual(undefined, Call(process_info, [Gone, status])),
    ?assertEqual(undefined, Call(process_info, [Gone, [status, links]])),
    ?assertEqual(true, Call(is_process_alive, [Server])),
    ?assertEqual(
        [
            {registered_name, server},
            {current_function, undefined},
            {initial_call, {gen_cluster_c, init, 1}},
            {status, waiting},
            {message_queue_len, 0},
            {links, []},
            {dictionary, []},
            {trap_exit, false},
            {priority, normal},
            {total_heap_size, 0},
            {heap_size, 0},
            {stack_size, 0},
            {reductions, 0}
        ],
        Call(process_info, [Server])
    ),
    ?assertEqual({registered_name, server}, Call(process_info, [Server, registered_name])),
    ?assertEqual([], Call(process_info, [Server, []])),
    ?assertEqual(
        [{status, waiting}, {{dictionary, x}, undefined}, {label, undefined}],
        Call(process_info, [Server, [status, {dictionary, x}, label]])
    ),
    [
        ?assertError({exception, badarg, [{erlang, F, A, []}]}, Call(F, A))
     || {F, A} <- [
            {whereis, [1]},
            {is_process_alive, [x]},
            {is_process_alive, [self()]},
            {process_info, [x]},
            {process_info, [self()]},
            {process_info, [Server, memory]},
            {process_info, [Server, [status, memory]]},
            {process_info, [Gone, memory]},
            {process_info, [Server, 1]},
            {process_info, [Server, [status | x]]}
        ]
    ],
    Many = lists:duplicate(64, status),
    ?assertEqual(64, length(Call(process_info, [Server, Many]))),
    ?assertError({exception, system_limit, _}, Call(process_info, [Server, [status | Many]])).

what_a_process_is_tied_to(Config) ->
    C = ?config(cnode, Config),
    Server = gen_server:call({server, C}, self),
    Info = fun(Item) -> erpc:call(C, erlang, process_info, [Server, Item], ?SOON) end,
    link(Server),
    ?assertEqual({links, [self()]}, Info(links)),
    unlink(Server),
    ?assertEqual({links, []}, Info(links)),
    Monitor = monitor(process, Server),
    ?assertEqual({monitored_by, [self()]}, Info(monitored_by)),
    demonitor(Monitor),
    ?assertEqual({monitored_by, []}, Info(monitored_by)),
    {ok, Ref} = gen_server:call(Server, {monitor, self()}),
    {ok, Named} = gen_server:call(Server, {monitor, {net_kernel, node()}}),
    {ok, Here} = gen_server:call(Server, {monitor, {rex, C}}),
    ?assertEqual(
        {monitors, [{process, self()}, {process, {net_kernel, node()}}, {process, {rex, C}}]},
        Info(monitors)
    ),
    Rex = erpc:call(C, erlang, whereis, [rex], ?SOON),
    ?assertEqual(
        {monitored_by, [Server]}, erpc:call(C, erlang, process_info, [Rex, monitored_by], ?SOON)
    ),
    [ok = gen_server:call(Server, {demonitor, R}) || R <- [Ref, Named, Here]],
    ?assertEqual({monitors, []}, Info(monitors)),
    ok = sys:suspend(Server),
    [Server ! x || _ <- [1, 2, 3]],
    ?assertEqual({message_queue_len, 3}, Info(message_queue_len)),
    ok = sys:resume(Server),
    x = gen_server:call(Server, {echo, x}),
    ?assertEqual({message_queue_len, 0}, Info(message_queue_len)).

no_code_is_loaded(Config) ->
    C = ?config(cnode, Config),
    Loaded = fun(Module) -> erpc:call(C, code, ensure_loaded, [Module], ?SOON) end,
    ?assertEqual({error, nofile}, Loaded(shell)),
    ?assertEqual({module, erlang}, Loaded(erlang)),
    ?assertError({exception, badarg, _}, Loaded("shell")).

%% spec: dbg.erl, relay/2 (from OTP 27 on relay/3), which waits for the message without end.
a_relay_of_dbg_ends_at_once(Config) ->
    C = ?config(cnode, Config),
    process_flag(trap_exit, true),
    [
        begin
            Relay = spawn_link(C, dbg, do_relay, Args),
            Started = list_to_tuple([started, Relay | More]),
            ?assertEqual(Started, relayed()),
            ?assertEqual({'EXIT', Relay, normal}, relayed())
        end
     || {Args, More} <- [
            {[self(), self()], []},
            {[self(), {process, {x, y}}], []},
            {[session, self(), self()], [none]}
        ]
    ],
    %% It is told to who asks, and to nobody else.
    Server = gen_server:call({server, C}, self),
    [
        ?assertError({exception, badarg, _}, erpc:call(C, dbg, do_relay, Args, ?SOON))
     || Args <- [[Server, self()], [x, self()], [session, Server, self()], [self(), x, self()]]
    ].

relayed() ->
    receive
        Message -> Message
    after ?SOON -> ct:fail(not_told)
    end.

garbage_is_survived(Config) ->
    C = ?config(cnode, Config),
    process_flag(trap_exit, true),
    Rex = {rex, C},
    Garbage = [
        x, {}, {self(), x}, {self(), {call, 1, 2, 3, 4}}, {self(), {call, a, b, c, d}},
        {self(), {call, a, b, [c | d], e}}, {self(), {sbcast, 1, 2}}, {self(), {send, 1, 2}},
        {self(), {sbcast, lists:duplicate(10, a), 2}}, {x, features_request}, [self() | x], <<1>>
    ],
    [Rex ! Message || Message <- Garbage],
    [gen_server:cast(Rex, Message) || Message <- Garbage],
    gen_server:cast(Rex, {cast, erlang, node, x, y}),
    [spawn_request(C, M, F, A, [{reply, no} | Options])
     || {M, F, A} <- [{erlang, node, []}, {erpc, execute_call, [1, 2, 3, 4]},
                      {erpc, execute_call, [1]}, {erpc, execute_cast, [a, b, c]}],
        Options <- [[], [monitor], [link], [{priority, high}], [{monitor, []}]]],
    flush(),
    ?assertEqual(C, erpc:call(C, erlang, node, [], ?SOON)),
    ?assertEqual(C, rpc:block_call(C, erlang, node, [], ?SOON)).

%% A BEAM takes it, and 1022 levels are taken here, too.
an_argument_nested_too_deep_is_refused(Config) ->
    C = ?config(cnode, Config),
    true = monitor_node(C, true),
    [
        begin
            Deep = lists:foldl(fun(_, Inner) -> {Inner} end, x, lists:seq(1, Levels)),
            ?assertError({erpc, badarg}, erpc:call(C, erlang, system_info, [Deep], ?SOON)),
            ?assertError(badarg, spawn_monitor(C, erpc, execute_call, [x, erlang, node, [Deep]]))
        end
     || Levels <- [1100, 100000]
    ],
    ?assertEqual(C, erpc:call(C, erlang, node, [], ?SOON)),
    true = monitor_node(C, false),
    receive
        {nodedown, C} -> ct:fail(nodedown)
    after 0 -> ok
    end.

flush() ->
    receive
        _ -> flush()
    after 0 -> ok
    end.

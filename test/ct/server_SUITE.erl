%% SPDX-License-Identifier: Apache-2.0
%% A server of a C node (test/c/programs/server.c) seen by BEAM, and BEAM seen by it.
-module(server_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    a_call_is_answered/1,
    casts_and_messages_come_in_order/1,
    tags_of_all_releases_are_echoed/1,
    multi_call_and_abcast_reach_it/1,
    an_answer_may_come_later/1,
    an_answer_that_is_too_late_vanishes/1,
    a_caller_of_another_incarnation_goes_with_its_node/1,
    sys_shows_its_state/1,
    sys_suspends_and_resumes_it/1,
    a_suspended_server_dies_of_too_many_messages/1,
    sys_terminates_it/1,
    an_unknown_system_message_is_answered/1,
    it_answers_as_group_leader/1,
    trace_tokens_change_nothing/1,
    its_reason_reaches_links_and_monitors/1,
    a_large_reason_reaches_links_and_monitors/1,
    exit_2_ends_it/1,
    exits_are_trapped_and_kill_is_not/1,
    unlinked_it_does_not_die/1,
    links_to_it_break_with_the_node/1,
    messages_to_its_alias_come/1,
    it_calls_a_gen_server/1,
    its_call_to_nobody_is_noproc/1,
    its_call_to_no_node_is_noconnection/1,
    its_call_times_out/1,
    its_call_sees_the_reason_of_an_exit/1,
    its_call_sees_a_lost_node/1,
    its_call_can_be_canceled/1,
    it_pings/1,
    it_casts_and_sends/1,
    it_links_to_beam_processes/1,
    it_unlinks_beam_processes/1,
    it_monitors_by_pid_and_name/1,
    it_demonitors/1,
    it_sends_exits/1,
    it_sees_nodes_come_and_go/1,
    it_uses_an_alias_of_a_beam/1,
    signals_wait_in_order_for_a_connection/1,
    it_registers_global_names/1,
    a_global_name_that_is_taken_is_refused/1,
    a_global_name_is_given_back/1,
    its_global_name_goes_with_it/1,
    an_answer_for_a_name_that_is_gone_is_not_taken_for_another/1,
    it_looks_up_global_names/1,
    it_calls_and_casts_to_global_names/1,
    a_global_name_waits_for_a_beam/1,
    a_global_name_is_registered_again_by_another_beam/1,
    global_names_are_looked_up_by_another_beam/1,
    the_end_of_the_beam_that_registered_it_does_not_end_it/1
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        a_call_is_answered,
        casts_and_messages_come_in_order,
        tags_of_all_releases_are_echoed,
        multi_call_and_abcast_reach_it,
        an_answer_may_come_later,
        an_answer_that_is_too_late_vanishes,
        a_caller_of_another_incarnation_goes_with_its_node,
        sys_shows_its_state,
        sys_suspends_and_resumes_it,
        a_suspended_server_dies_of_too_many_messages,
        sys_terminates_it,
        an_unknown_system_message_is_answered,
        it_answers_as_group_leader,
        trace_tokens_change_nothing,
        its_reason_reaches_links_and_monitors,
        a_large_reason_reaches_links_and_monitors,
        exit_2_ends_it,
        exits_are_trapped_and_kill_is_not,
        unlinked_it_does_not_die,
        links_to_it_break_with_the_node,
        messages_to_its_alias_come,
        it_calls_a_gen_server,
        its_call_to_nobody_is_noproc,
        its_call_to_no_node_is_noconnection,
        its_call_times_out,
        its_call_sees_the_reason_of_an_exit,
        its_call_sees_a_lost_node,
        its_call_can_be_canceled,
        it_pings,
        it_casts_and_sends,
        it_links_to_beam_processes,
        it_unlinks_beam_processes,
        it_monitors_by_pid_and_name,
        it_demonitors,
        it_sends_exits,
        it_sees_nodes_come_and_go,
        it_uses_an_alias_of_a_beam,
        signals_wait_in_order_for_a_connection
        | by_way_of_a_beam()
    ] -- left_out(erlang:system_info(otp_release)).

%% Global names of a hidden node.
by_way_of_a_beam() ->
    [
        it_registers_global_names,
        a_global_name_that_is_taken_is_refused,
        a_global_name_is_given_back,
        its_global_name_goes_with_it,
        an_answer_for_a_name_that_is_gone_is_not_taken_for_another,
        it_looks_up_global_names,
        it_calls_and_casts_to_global_names,
        a_global_name_waits_for_a_beam,
        a_global_name_is_registered_again_by_another_beam,
        global_names_are_looked_up_by_another_beam,
        the_end_of_the_beam_that_registered_it_does_not_end_it
    ].

%% OTP 23 has no aliases yet, without which nothing keeps a late answer away.
left_out("23") ->
    [
        tags_of_all_releases_are_echoed,
        an_answer_that_is_too_late_vanishes,
        messages_to_its_alias_come,
        it_uses_an_alias_of_a_beam
    ];
left_out(_) ->
    [].

init_per_suite(Config) -> Config.

end_per_suite(_Config) -> ok.

init_per_testcase(Case, Config) ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    Program = filename:join(os:getenv("GCL_BIN"), "server"),
    Port = open_port({spawn_executable, Program}, [
        {args, [Name | ["hidden" || lists:member(Case, by_way_of_a_beam())]]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    receive
        {Port, {data, {eol, "ready " ++ _}}} -> ok
    after ?DEADLINE -> ct:fail(not_ready)
    end,
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    Owner = spawn(fun() -> owner() end),
    true = erlang:port_connect(Port, Owner),
    true = unlink(Port),
    Node = list_to_atom(Name),
    [{port, Port}, {os_pid, OsPid}, {owner, Owner}, {cnode, Node}, {server, {server, Node}} | Config].

end_per_testcase(_Case, Config) ->
    ?config(owner, Config) ! stop,
    Directory = "/proc/" ++ integer_to_list(?config(os_pid, Config)),
    await(fun() -> not filelib:is_dir(Directory) end).

%% The port belongs to a process that lives as long as the case: the end of it is the end of input.
owner() ->
    receive
        stop -> ok;
        _ -> owner()
    end.

%% --- the C server as BEAM sees it -------------------------------------------------------------

a_call_is_answered(Config) ->
    Server = ?config(server, Config),
    ?assertEqual(hello, call(Server, {echo, hello})),
    Pid = call(Server, self),
    ?assertEqual(?config(cnode, Config), node(Pid)),
    ?assertEqual({a, [1, 2.5, <<"b">>]}, call(Pid, {echo, {a, [1, 2.5, <<"b">>]}})),
    ?assertEqual(self(), call(Pid, from)),
    ?assertEqual(unknown_request, element(2, call(Pid, what))).

casts_and_messages_come_in_order(Config) ->
    Pid = subscribe(Config),
    lists:foreach(
        fun(N) ->
            ok = gen_server:cast(Pid, N),
            Pid ! N
        end,
        lists:seq(1, 100)
    ),
    Expected = lists:append([[{cast, N}, {info, N}] || N <- lists:seq(1, 100)]),
    ?assertEqual(Expected, [next() || _ <- Expected]).

%% spec: gen.erl of OTP 23 (a reference), 24 to 26 ([alias | Ref]), 27 and later; and {Ref, Node} as
%% rpc and multi_call of old releases have it. Whatever it is comes back as it went.
tags_of_all_releases_are_echoed(Config) ->
    Pid = call(?config(server, Config), self),
    Ref = make_ref(),
    Tags = [Ref, {Ref, node()}, [a | b], {any, <<"thing">>, 1.5}],
    lists:foreach(
        fun(Tag) ->
            Pid ! {'$gen_call', {self(), Tag}, {echo, Tag}},
            ?assertEqual({Tag, Tag}, next())
        end,
        Tags
    ),
    lists:foreach(
        fun(Wrap) ->
            Alias = erlang:alias([reply]),
            Tag = Wrap([alias | Alias]),
            Pid ! {'$gen_call', {spawn(fun() -> ok end), Tag}, {echo, Tag}},
            ?assertEqual({Tag, Tag}, next())
        end,
        [fun(Tag) -> Tag end, fun(Tag) -> [Tag | make_ref()] end]
    ).

multi_call_and_abcast_reach_it(Config) ->
    _ = subscribe(Config),
    Node = ?config(cnode, Config),
    ?assertEqual({[{Node, 1}], []}, gen_server:multi_call([Node], server, {echo, 1}, ?DEADLINE)),
    ?assertEqual({[], [Node]}, gen_server:multi_call([Node], nobody, {echo, 1}, ?DEADLINE)),
    abcast = gen_server:abcast([Node], server, 2),
    ?assertEqual({cast, 2}, next()).

an_answer_may_come_later(Config) ->
    Server = ?config(server, Config),
    Id = gen_server:send_request(Server, keep),
    ok = call(Server, {reply_kept, later}),
    ?assertEqual({reply, later}, gen_server:wait_response(Id, ?DEADLINE)),
    ?assertEqual({error, 'GCL_ESTALE'}, call(Server, {reply_kept, later})).

an_answer_that_is_too_late_vanishes(Config) ->
    Server = ?config(server, Config),
    ?assertExit({timeout, _}, gen_server:call(Server, keep, 10)),
    ok = call(Server, {reply_kept, late}),
    1 = call(Server, {echo, 1}),
    ?assertEqual(none, next(0)).

%% So says its pid; the answer would have nowhere to go.
a_caller_of_another_incarnation_goes_with_its_node(Config) ->
    Server = subscribe(Config),
    ok = call(Server, {monitor_nodes, true}),
    [Alive, _] = string:lexemes(atom_to_list(?config(cnode, Config)), "@"),
    {port, Number, _} = erl_epmd:port_please(Alive, {127, 0, 0, 1}),
    Name = raw_peer:name(),
    {ok, Socket} = raw_peer:connect(Number, Name, atom_to_list(erlang:get_cookie())),
    From = raw_peer:pid(Name, 1),
    Bytes = term_to_binary(From),
    Size = byte_size(Bytes) - 4,
    <<Head:Size/binary, Creation:32>> = Bytes,
    Other = binary_to_term(<<Head/binary, (Creation + 1):32>>),
    Call = {'$gen_call', {Other, make_ref()}, keep},
    ok = raw_peer:send(Socket, {6, From, '', server}, term_to_binary(Call)),
    ok = raw_peer:send(Socket, {6, From, '', server}, term_to_binary(kept)),
    {info, kept} = next_but_nodes(),
    ok = gen_tcp:close(Socket),
    Node = list_to_atom(Name),
    receive
        {nodedown, Node} -> ok
    after ?DEADLINE -> ct:fail(no_nodedown)
    end,
    ?assertEqual({error, 'GCL_ESTALE'}, call(Server, {reply_kept, late})).

next_but_nodes() ->
    case next() of
        {nodeup, _} -> next_but_nodes();
        Other -> Other
    end.

sys_shows_its_state(Config) ->
    Pid = call(?config(server, Config), self),
    ?assertEqual(#{owner => <<"nobody">>}, sys:get_state(Pid)),
    Pid = subscribe(Config),
    ?assertEqual(#{owner => <<"somebody">>}, sys:get_state(Pid)),
    {status, Pid, {module, gen_cluster_c}, [[], running, _, [], Items]} = sys:get_status(Pid),
    ?assert(lists:member({data, [{"State", #{owner => <<"somebody">>}}]}, Items)),
    ?assertEqual("Status for C server server", sys_header(Pid)),
    ok = call(Pid, unregister),
    ?assertMatch("Status for C server <0." ++ _, sys_header(Pid)),
    Name = binary_to_atom(<<"Zwölf Boxkämpfer"/utf8>>, utf8),
    ok = call(Pid, {register, Name}),
    ?assertEqual("Status for C server " ++ atom_to_list(Name), sys_header(Pid)).

%% A string, as that of a gen_server.
sys_header(Pid) ->
    {status, Pid, _, [_, _, _, _, [{header, Header} | _]]} = sys:get_status(Pid),
    Header.

sys_suspends_and_resumes_it(Config) ->
    Pid = subscribe(Config),
    ok = sys:suspend(Pid),
    Pid ! 1,
    ok = gen_server:cast(Pid, 2),
    Id = gen_server:send_request(Pid, {echo, 3}),
    ?assertMatch({status, Pid, _, [_, suspended | _]}, sys:get_status(Pid)),
    ?assertEqual(none, next(0)),
    ok = sys:resume(Pid),
    ?assertEqual({info, 1}, next()),
    ?assertEqual({cast, 2}, next()),
    ?assertEqual({reply, 3}, gen_server:wait_response(Id, ?DEADLINE)),
    ?assertEqual(4, call(Pid, {echo, 4})).

%% The program sets mailbox_bytes to 65536.
a_suspended_server_dies_of_too_many_messages(Config) ->
    Pid = subscribe(Config),
    Monitor = erlang:monitor(process, Pid),
    ok = sys:suspend(Pid),
    [Pid ! binary:copy(<<"x">>, 1000) || _ <- lists:seq(1, 100)],
    ?assertEqual({terminate, system_limit}, next()),
    ?assertEqual(system_limit, reason(Monitor)),
    ?assertEqual(pong, net_adm:ping(?config(cnode, Config))).

sys_terminates_it(Config) ->
    Pid = subscribe(Config),
    Monitor = erlang:monitor(process, Pid),
    ok = sys:terminate(Pid, {because, 1}),
    ?assertEqual({terminate, {because, 1}}, next()),
    ?assertEqual({because, 1}, reason(Monitor)),
    ?assertExit({noproc, _}, call(?config(server, Config), {echo, 1})).

an_unknown_system_message_is_answered(Config) ->
    Pid = call(?config(server, Config), self),
    ?assertEqual({ok, {error, {unknown_system_msg, hello}}}, gen:call(Pid, system, hello)).

it_answers_as_group_leader(Config) ->
    Pid = call(?config(server, Config), self),
    Test = self(),
    spawn(fun() ->
        group_leader(Pid, self()),
        Test ! {
            io:put_chars("printed\n"),
            catch io:format("formatted ~p~n", [1]),
            io:get_line("> "),
            io:columns(),
            io:request(Pid, {what, now})
        }
    end),
    ?assertEqual({ok, ok, eof, {error, enotsup}, {error, request}}, next()).

%% spec: the _TT operations of erl_dist_protocol.
trace_tokens_change_nothing(Config) ->
    Pid = subscribe(Config),
    Test = self(),
    spawn(fun() ->
        _ = seq_trace:set_token(label, 17),
        _ = seq_trace:set_token(send, true),
        Pid ! traced,
        Test ! {called, call(Pid, {echo, traced})},
        exit(Pid, {traced, reason})
    end),
    ?assertEqual({info, traced}, next()),
    ?assertEqual({called, traced}, next()),
    ?assertEqual({terminate, {traced, reason}}, next()).

its_reason_reaches_links_and_monitors(Config) -> reason_reaches(Config, {because, [1]}).

%% A payload of its own: DFLAG_EXIT_PAYLOAD.
a_large_reason_reaches_links_and_monitors(Config) ->
    reason_reaches(Config, {because, binary:copy(<<"large">>, 100000)}).

reason_reaches(Config, Reason) ->
    Pid = call(?config(server, Config), self),
    process_flag(trap_exit, true),
    link(Pid),
    ByPid = erlang:monitor(process, Pid),
    ByName = erlang:monitor(process, ?config(server, Config)),
    ok = gen_server:cast(Pid, nothing),
    Id = gen_server:send_request(Pid, {stop, Reason}),
    ?assertEqual(Reason, reason(ByPid)),
    ?assertEqual(Reason, reason(ByName)),
    ?assertEqual({'EXIT', Pid, Reason}, next()),
    ?assertMatch({error, {Reason, _}}, gen_server:wait_response(Id, ?DEADLINE)).

exit_2_ends_it(Config) ->
    Pid = subscribe(Config),
    Monitor = erlang:monitor(process, Pid),
    exit(Pid, normal),
    ?assertEqual(1, call(Pid, {echo, 1})),
    exit(Pid, {because, 2}),
    ?assertEqual({terminate, {because, 2}}, next()),
    ?assertEqual({because, 2}, reason(Monitor)).

exits_are_trapped_and_kill_is_not(Config) ->
    Pid = subscribe(Config),
    Monitor = erlang:monitor(process, Pid),
    ok = call(Pid, {trap_exit, true}),
    exit(Pid, {because, 2}),
    ?assertEqual({exit, self(), {because, 2}}, next()),
    Linked = spawn(fun() ->
        link(Pid),
        1 = call(Pid, {echo, 1}),
        exit({because, 3})
    end),
    ?assertEqual({exit, Linked, {because, 3}}, next()),
    exit(Pid, kill),
    ?assertEqual({terminate, killed}, next()),
    ?assertEqual(killed, reason(Monitor)).

unlinked_it_does_not_die(Config) ->
    Pid = subscribe(Config),
    {_, Monitor} = spawn_monitor(fun() ->
        link(Pid),
        unlink(Pid),
        link(Pid),
        unlink(Pid),
        exit(crash)
    end),
    crash = reason(Monitor),
    ?assertEqual(1, call(Pid, {echo, 1})).

links_to_it_break_with_the_node(Config) ->
    Pid = call(?config(server, Config), self),
    process_flag(trap_exit, true),
    link(Pid),
    "" = os:cmd("kill -KILL " ++ integer_to_list(?config(os_pid, Config))),
    ?assertEqual({'EXIT', Pid, noconnection}, next()).

messages_to_its_alias_come(Config) ->
    Pid = subscribe(Config),
    {ok, Alias} = call(Pid, alias),
    Alias ! {by, alias},
    ?assertEqual({info, {by, alias}}, next()),
    ok = call(Pid, {unalias, Alias}),
    Alias ! {by, alias},
    1 = call(Pid, {echo, 1}),
    ?assertEqual(none, next(0)).

%% --- BEAM as the C server sees it ---------------------------------------------------------------

it_calls_a_gen_server(Config) ->
    Server = ?config(server, Config),
    Pid = process(),
    register(?FUNCTION_NAME, Pid),
    ?assertEqual({ok, {echoed, 1}}, call(Server, {call, Pid, {echo, 1}, ?DEADLINE})),
    Name = {?FUNCTION_NAME, node()},
    ?assertEqual({ok, {echoed, 2}}, call(Server, {call, Name, {echo, 2}, infinity})),
    %% By way of itself: the outer call is one between processes of the C node.
    Inner = {call, Pid, {echo, 3}, ?DEADLINE},
    ?assertEqual({ok, {ok, {echoed, 3}}}, call(Server, {call, server, Inner, ?DEADLINE})).

its_call_to_nobody_is_noproc(Config) ->
    Server = ?config(server, Config),
    {Pid, Monitor} = spawn_monitor(fun() -> ok end),
    normal = reason(Monitor),
    NoProc = {error, 'GCL_ENOPROC'},
    ?assertEqual(NoProc, call(Server, {call, Pid, hello, ?DEADLINE})),
    ?assertEqual(NoProc, call(Server, {call, {nobody, node()}, hello, ?DEADLINE})),
    ?assertEqual(NoProc, call(Server, {call, nobody, hello, ?DEADLINE})).

its_call_to_no_node_is_noconnection(Config) ->
    Dest = {nobody, 'nobody@127.0.0.1'},
    ?assertEqual(
        {error, 'GCL_ENOCONNECTION'},
        call(?config(server, Config), {call, Dest, hello, ?DEADLINE})
    ).

its_call_times_out(Config) ->
    Server = ?config(server, Config),
    Pid = process(),
    ?assertEqual({error, 'GCL_ETIMEOUT'}, call(Server, {call, Pid, silence, 20})),
    %% The answer comes after all, and goes nowhere.
    Pid ! answer,
    ?assertEqual({ok, {echoed, 1}}, call(Server, {call, Pid, {echo, 1}, ?DEADLINE})).

its_call_sees_the_reason_of_an_exit(Config) ->
    ?assertEqual(
        {error, 'GCL_EEXIT', {because, 1}},
        call(?config(server, Config), {call, process(), {exit, {because, 1}}, ?DEADLINE})
    ).

its_call_sees_a_lost_node(Config) ->
    {Peer, Node} = start_beam(),
    Pid = spawn(Node, fun() -> process_loop(none) end),
    Server = ?config(server, Config),
    ?assertEqual({ok, {echoed, 1}}, call(Server, {call, Pid, {echo, 1}, ?DEADLINE})),
    Id = gen_server:send_request(Server, {call, Pid, silence, ?DEADLINE}),
    peer:stop(Peer),
    ?assertEqual({reply, {error, 'GCL_ENOCONNECTION'}}, gen_server:wait_response(Id, ?DEADLINE)).

its_call_can_be_canceled(Config) ->
    Server = ?config(server, Config),
    Id = gen_server:send_request(Server, {call, process(), silence, infinity}),
    ok = call(Server, cancel),
    ?assertEqual({reply, {error, 'GCL_ECANCELED'}}, gen_server:wait_response(Id, ?DEADLINE)),
    ?assertEqual({error, 'GCL_ESTALE'}, call(Server, cancel)).

%% net_adm:ping/1 is this call.
it_pings(Config) ->
    Request = {call, {net_kernel, node()}, {is_auth, ?config(cnode, Config)}, ?DEADLINE},
    ?assertEqual({ok, yes}, call(?config(server, Config), Request)).

it_casts_and_sends(Config) ->
    Server = ?config(server, Config),
    register(?FUNCTION_NAME, self()),
    Name = {?FUNCTION_NAME, node()},
    ok = call(Server, {cast, self(), 1}),
    ok = call(Server, {send, self(), 2}),
    ok = call(Server, {cast, Name, 3}),
    ok = call(Server, {send, Name, 4}),
    Expected = [{'$gen_cast', 1}, 2, {'$gen_cast', 3}, 4],
    ?assertEqual(Expected, [next() || _ <- Expected]).

it_links_to_beam_processes(Config) ->
    Pid = subscribe(Config),
    ok = call(Pid, {trap_exit, true}),
    Crashing = process(),
    ok = call(Pid, {link, Crashing}),
    exit(Crashing, {because, 1}),
    ?assertEqual({exit, Crashing, {because, 1}}, next()),
    ok = call(Pid, {link, Crashing}),
    ?assertEqual({exit, Crashing, noproc}, next()),
    %% And the other way: the process dies with the C server.
    Linked = process(),
    Monitor = erlang:monitor(process, Linked),
    ok = call(Pid, {link, Linked}),
    exit(Pid, kill),
    ?assertEqual({terminate, killed}, next()),
    ?assertEqual(killed, reason(Monitor)).

it_unlinks_beam_processes(Config) ->
    Pid = subscribe(Config),
    ok = call(Pid, {trap_exit, true}),
    Process = process(),
    lists:foreach(
        fun(_) ->
            ok = call(Pid, {link, Process}),
            ok = call(Pid, {unlink, Process})
        end,
        lists:seq(1, 10)
    ),
    exit(Process, kill),
    1 = call(Pid, {echo, 1}),
    ?assertEqual(none, next(0)).

it_monitors_by_pid_and_name(Config) ->
    Pid = subscribe(Config),
    Process = process(),
    Name = {?FUNCTION_NAME, node()},
    register(?FUNCTION_NAME, Process),
    {ok, ByPid} = call(Pid, {monitor, Process}),
    {ok, ByName} = call(Pid, {monitor, Name}),
    exit(Process, {because, 1}),
    Downs = lists:sort([next(), next()]),
    ?assertEqual(
        lists:sort([{down, ByPid, Process, {because, 1}}, {down, ByName, Name, {because, 1}}]),
        Downs
    ),
    {ok, Gone} = call(Pid, {monitor, Process}),
    ?assertEqual({down, Gone, Process, noproc}, next()),
    {Peer, Node} = start_beam(),
    Far = spawn(Node, fun() -> process_loop(none) end),
    {ok, Lost} = call(Pid, {monitor, Far}),
    ?assertEqual({ok, {echoed, 1}}, call(Pid, {call, Far, {echo, 1}, ?DEADLINE})),
    peer:stop(Peer),
    ?assertEqual({down, Lost, Far, noconnection}, next()).

it_demonitors(Config) ->
    Pid = subscribe(Config),
    Process = process(),
    {ok, Ref} = call(Pid, {monitor, Process}),
    ok = call(Pid, {demonitor, Ref}),
    ?assertEqual({error, 'GCL_ENOENT'}, call(Pid, {demonitor, Ref})),
    {monitored_by, []} = erlang:process_info(Process, monitored_by),
    exit(Process, kill),
    1 = call(Pid, {echo, 1}),
    ?assertEqual(none, next(0)).

it_sends_exits(Config) ->
    Server = ?config(server, Config),
    Pid = call(Server, self),
    Process = process(),
    Monitor = erlang:monitor(process, Process),
    ok = call(Server, {exit, Process, {because, 1}}),
    ?assertEqual({because, 1}, reason(Monitor)),
    process_flag(trap_exit, true),
    ok = call(Server, {exit, self(), normal}),
    ?assertEqual({'EXIT', Pid, normal}, next()).

it_sees_nodes_come_and_go(Config) ->
    Pid = subscribe(Config),
    ok = call(Pid, {monitor_nodes, true}),
    {Peer, Node} = start_beam(),
    pong = rpc:call(Node, net_adm, ping, [?config(cnode, Config)]),
    ?assertEqual({nodeup, Node}, next()),
    peer:stop(Peer),
    ?assertEqual({nodedown, Node}, next()).

it_uses_an_alias_of_a_beam(Config) ->
    Server = ?config(server, Config),
    Alias = erlang:alias(),
    ok = call(Server, {send, Alias, {by, alias}}),
    ?assertEqual({by, alias}, next()),
    true = erlang:unalias(Alias),
    ok = call(Server, {send, Alias, {by, alias}}),
    1 = call(Server, {echo, 1}),
    ?assertEqual(none, next(0)).

%% Five kinds of signals to a node that is not connected: none is lost, none overtakes another.
signals_wait_in_order_for_a_connection(Config) ->
    {Peer, Node} = start_beam(),
    Test = self(),
    Pid = spawn(Node, fun() ->
        process_flag(trap_exit, true),
        Test ! trapping,
        Test ! {received, [number() || _ <- lists:seq(1, 1000)]}
    end),
    ?assertEqual(trapping, next()),
    Id = gen_server:send_request(?config(server, Config), {burst, Pid, 1000}),
    ?assertEqual({received, lists:seq(0, 999)}, next()),
    ?assertEqual(timeout, gen_server:wait_response(Id, 0)),
    peer:stop(Peer).

number() ->
    receive
        {n, N} -> N;
        {'$gen_cast', {n, N}} -> N;
        {'EXIT', _, {n, N}} -> N;
        Other -> Other
    end.

%% --- global names, by way of a BEAM --------------------------------------------------------------

it_registers_global_names(Config) ->
    Beam = connected_beam(Config),
    Pid = call(?config(server, Config), self),
    lists:foreach(
        fun(Name) ->
            ?assertEqual(ok, call(Pid, {global_register, Name})),
            ?assertEqual(Pid, whereis_global(Beam, Name))
        end,
        [?FUNCTION_NAME, {name, "of any", <<"term">>}]
    ),
    ?assertEqual(
        hello, peer:call(Beam, gen_server, call, [{global, ?FUNCTION_NAME}, {echo, hello}])
    ),
    ?assertEqual({error, 'GCL_EEXIST'}, call(Pid, {global_register, ?FUNCTION_NAME})),
    peer:stop(Beam).

a_global_name_that_is_taken_is_refused(Config) ->
    Beam = connected_beam(Config),
    Other = register_global(Beam, ?FUNCTION_NAME),
    ?assertEqual(
        {error, 'GCL_EEXIST'}, call(?config(server, Config), {global_register, ?FUNCTION_NAME})
    ),
    ?assertEqual(Other, whereis_global(Beam, ?FUNCTION_NAME)),
    peer:stop(Beam).

a_global_name_is_given_back(Config) ->
    Beam = connected_beam(Config),
    Pid = call(?config(server, Config), self),
    ok = call(Pid, {global_register, ?FUNCTION_NAME}),
    ok = call(Pid, {global_unregister, ?FUNCTION_NAME}),
    await(fun() -> whereis_global(Beam, ?FUNCTION_NAME) =:= undefined end),
    ?assertEqual({error, 'GCL_ENOENT'}, call(Pid, {global_unregister, ?FUNCTION_NAME})),
    ok = call(Pid, {global_register, ?FUNCTION_NAME}),
    ?assertEqual(Pid, whereis_global(Beam, ?FUNCTION_NAME)),
    peer:stop(Beam).

its_global_name_goes_with_it(Config) ->
    Beam = connected_beam(Config),
    Pid = call(?config(server, Config), self),
    ok = call(Pid, {global_register, ?FUNCTION_NAME}),
    ok = gen_server:cast(Pid, stop),
    await(fun() -> whereis_global(Beam, ?FUNCTION_NAME) =:= undefined end),
    peer:stop(Beam).

%% What is kept of a name may stand where that of another one stood.
an_answer_for_a_name_that_is_gone_is_not_taken_for_another(Config) ->
    Beam = connected_beam(Config),
    Server = ?config(server, Config),
    lists:foreach(
        fun(N) ->
            ok = call(Server, {global_for_one_that_ends, {gone, N}}),
            ok = call(Server, {global_register, {stays, N}}),
            _ = whereis_global(Beam, {stays, N}),
            ?assertEqual({error, 'GCL_EEXIST'}, call(Server, {global_register, {stays, N}}))
        end,
        lists:seq(1, 20)
    ),
    peer:stop(Beam).

it_looks_up_global_names(Config) ->
    Beam = connected_beam(Config),
    Server = ?config(server, Config),
    NoProc = {error, 'GCL_ENOPROC'},
    ?assertEqual(NoProc, call(Server, {global_whereis, ?FUNCTION_NAME})),
    Other = register_global(Beam, ?FUNCTION_NAME),
    ?assertEqual({ok, Other}, call(Server, {global_whereis, ?FUNCTION_NAME})),
    peer:stop(Beam).

it_calls_and_casts_to_global_names(Config) ->
    Beam = connected_beam(Config),
    Server = ?config(server, Config),
    Name = {global, ?FUNCTION_NAME},
    ?assertEqual({error, 'GCL_ENOPROC'}, call(Server, {call, Name, hello, ?DEADLINE})),
    yes = peer:call(Beam, global, register_name, [?FUNCTION_NAME, self()]),
    [ok = call(Server, {send, Name, N}) || N <- lists:seq(1, 10)],
    ok = call(Server, {cast, Name, 11}),
    ?assertEqual(lists:seq(1, 10) ++ [{'$gen_cast', 11}], [next() || _ <- lists:seq(1, 11)]),
    yes = peer:call(Beam, global, re_register_name, [?FUNCTION_NAME, process()]),
    ?assertEqual({ok, {echoed, 1}}, call(Server, {call, Name, {echo, 1}, ?DEADLINE})),
    ?assertEqual(
        {error, 'GCL_EEXIT', {because, 1}},
        call(Server, {call, Name, {exit, {because, 1}}, ?DEADLINE})
    ),
    peer:stop(Beam).

%% A BEAM that is no hidden node, as the one of these tests is.
connected_beam(Config) ->
    {Beam, _} = start_beam(),
    pong = peer:call(Beam, net_adm, ping, [?config(cnode, Config)]),
    Beam.

whereis_global(Beam, Name) -> peer:call(Beam, global, whereis_name, [Name]).

register_global(Beam, Name) ->
    Pid = peer:call(Beam, erlang, whereis, [init]),
    yes = peer:call(Beam, global, register_name, [Name, Pid]),
    Pid.

%% The nodes below never connect to this one, nor to one another: what one has of a name it has from
%% the C node.
a_global_name_waits_for_a_beam(Config) ->
    {Hidden, _} = start_beam(["-hidden"]),
    {Peer, _} = start_beam(),
    Server = ?config(server, Config),
    Pid = peer:call(Hidden, gen_server, call, [Server, self]),
    ?assertEqual(
        {error, 'GCL_ENOCONNECTION'},
        peer:call(Hidden, gen_server, call, [Server, {global_whereis, ?FUNCTION_NAME}])
    ),
    peer:cast(Hidden, gen_server, call, [Server, {global_register, ?FUNCTION_NAME}, infinity]),
    pong = peer:call(Peer, net_adm, ping, [?config(cnode, Config)]),
    await(fun() -> whereis_global(Peer, ?FUNCTION_NAME) =:= Pid end),
    peer:stop(Hidden),
    peer:stop(Peer).

a_global_name_is_registered_again_by_another_beam(Config) ->
    {First, Second, Pid} = registered_by_one_of_two(Config, ?FUNCTION_NAME),
    peer:stop(First),
    Began = erlang:monotonic_time(millisecond),
    await(fun() -> whereis_global(Second, ?FUNCTION_NAME) =:= Pid end),
    ?assert(erlang:monotonic_time(millisecond) - Began < 5000),
    peer:stop(Second).

global_names_are_looked_up_by_another_beam(Config) ->
    Server = ?config(server, Config),
    {First, Second, _} = registered_by_one_of_two(Config, ?FUNCTION_NAME),
    Other = register_global(Second, other),
    peer:stop(First),
    Began = erlang:monotonic_time(millisecond),
    await(fun() ->
        {ok, Other} =:= peer:call(Second, gen_server, call, [Server, {global_whereis, other}])
    end),
    ?assert(erlang:monotonic_time(millisecond) - Began < 5000),
    peer:stop(Second).

%% spec: global.erl links to a process that it registers for a hidden node.
the_end_of_the_beam_that_registered_it_does_not_end_it(Config) ->
    {First, Second, Pid} = registered_by_one_of_two(Config, ?FUNCTION_NAME),
    peer:stop(First),
    await(fun() -> whereis_global(Second, ?FUNCTION_NAME) =:= Pid end),
    ?assertEqual(1, peer:call(Second, gen_server, call, [Pid, {echo, 1}])),
    peer:stop(Second).

registered_by_one_of_two(Config, Name) ->
    {First, _} = start_beam(),
    {Second, _} = start_beam(),
    Server = ?config(server, Config),
    ok = peer:call(First, gen_server, call, [Server, {global_register, Name}]),
    Pid = whereis_global(First, Name),
    pong = peer:call(Second, net_adm, ping, [?config(cnode, Config)]),
    undefined = whereis_global(Second, Name),
    {First, Second, Pid}.

%% --- helpers ------------------------------------------------------------------------------------

call(Server, Request) -> gen_server:call(Server, Request, ?DEADLINE).

%% What reaches the server comes to the test from now on.
subscribe(Config) ->
    ok = call(?config(server, Config), subscribe),
    call(?config(server, Config), self).

next() ->
    case next(?DEADLINE) of
        none -> ct:fail(no_message);
        Message -> Message
    end.

next(Timeout) ->
    receive
        {Port, {data, {eol, "log " ++ _}}} when is_port(Port) -> next(Timeout);
        Message -> Message
    after Timeout -> none
    end.

reason(Monitor) ->
    receive
        {'DOWN', Monitor, process, _, Reason} -> Reason
    after ?DEADLINE -> ct:fail(not_down)
    end.

%% A process of this node that answers calls; with the test it ends.
process() ->
    Test = self(),
    spawn(fun() ->
        _ = erlang:monitor(process, Test),
        process_loop(none)
    end).

process_loop(Silent) ->
    receive
        {'$gen_call', From, {echo, Term}} ->
            gen_server:reply(From, {echoed, Term}),
            process_loop(Silent);
        {'$gen_call', From, silence} ->
            process_loop(From);
        {'$gen_call', _, {exit, Reason}} ->
            exit(Reason);
        answer ->
            gen_server:reply(Silent, late),
            process_loop(none);
        {'DOWN', _, _, _, _} ->
            ok
    end.

start_beam() -> start_beam([]).

start_beam(Arguments) ->
    {ok, Peer, Node} = peer:start_link(#{
        name => peer:random_name(),
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        args => ["-pa", filename:dirname(code:which(?MODULE)) | Arguments]
    }),
    {Peer, Node}.

await(Condition) -> global_helper:await(Condition, ?DEADLINE).

%% SPDX-License-Identifier: Apache-2.0
%% gen_cluster_cnode with a real C member, examples/example_cluster_srv.c.
-module(gen_cluster_cnode_example_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    is_a_node_that_answers/1,
    ends_by_end_of_input/1,
    ends_with_the_node_of_its_supervisor/1,
    normal_end_is_the_reason/1,
    signal_is_the_reason/1,
    supervisor_starts_it_again/1,
    bad_options_are_the_reason/1,
    taken_name_is_the_reason/1,
    epmd_is_the_reason/1,
    supervisor_of_elixir/1
]).
%% Called on a node.
-export([start_supervisor/1]).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        is_a_node_that_answers,
        ends_by_end_of_input,
        ends_with_the_node_of_its_supervisor,
        normal_end_is_the_reason,
        signal_is_the_reason,
        supervisor_starts_it_again,
        bad_options_are_the_reason,
        taken_name_is_the_reason,
        epmd_is_the_reason,
        supervisor_of_elixir
    ] -- left_out(erlang:system_info(otp_release)).

%% The Elixir of Debian 12 does not run on it.
left_out("29") -> [supervisor_of_elixir];
left_out(_) -> [].

init_per_testcase(_Case, Config) ->
    ok = cluster_helper:start_log(node()),
    _ = process_flag(trap_exit, true),
    Config.

end_per_testcase(_Case, _Config) ->
    cluster_helper:stop_log(node()).

%% When the start returns the server can be called; what it prints is logged.
is_a_node_that_answers(_Config) ->
    {ok, Pid} = gen_cluster_cnode:start_link(options()),
    #{node := Node} = gen_cluster_cnode:info(Pid),
    ?assertEqual(hello, gen_server:call({example_cluster_srv, Node}, {ohai})),
    Line = lists:concat([Node, ": handle_call {ohai} from ", node()]),
    _ = cluster_helper:expect_log(node(), Line),
    ?assertEqual(pong, net_adm:ping(Node)),
    ok = gen_server:stop(Pid).

%% The end of input is enough: neither signal is waited for.
ends_by_end_of_input(_Config) ->
    {Supervisor, Child} = supervised((options())#{eof_timeout => 50000}),
    #{node := Node, os_pid := OsPid} = connected(Child),
    Monitor = monitor(process, Child),
    ok = supervisor:terminate_child(Supervisor, program),
    shutdown = cluster_helper:await_down(Child, Monitor),
    await_nodedown(Node),
    ?assertNot(is_running(OsPid)),
    stop_supervisor(Supervisor).

%% Also when that is killed, and nobody is left to send a signal.
ends_with_the_node_of_its_supervisor(_Config) ->
    [{_, Beam} = Peer] = cluster_helper:start_nodes(1),
    Spec = gen_cluster_cnode:child_spec(options()),
    {ok, Supervisor} = cluster_helper:on(Beam, ?MODULE, start_supervisor, [[Spec]]),
    [{_, Child, worker, _}] = supervisor:which_children(Supervisor),
    #{node := Node, os_pid := OsPid} = connected(Child),
    cluster_helper:kill_node(Peer),
    await_nodedown(Node),
    cluster_helper:await_until(fun() -> not is_running(OsPid) end).

%% It outlives the process that asks for it.
start_supervisor(Children) ->
    {ok, Supervisor} = supervisor:start_link(cluster_supervisor, Children),
    true = unlink(Supervisor),
    {ok, Supervisor}.

normal_end_is_the_reason(_Config) ->
    {ok, Pid} = gen_cluster_cnode:start_link(options()),
    #{node := Node} = connected(Pid),
    ok = gen_server:cast({example_cluster_srv, Node}, stop),
    ?assertEqual(normal, await_exit(Pid)),
    await_nodedown(Node).

%% Members and supervisor see it.
signal_is_the_reason(_Config) ->
    lists:foreach(
        fun({Signal, Reason}) ->
            {ok, Pid} = gen_cluster_cnode:start_link(options()),
            #{node := Node, os_pid := OsPid} = connected(Pid),
            Server = monitor(process, {example_cluster_srv, Node}),
            [] = os:cmd("kill -s " ++ Signal ++ " " ++ integer_to_list(OsPid)),
            ?assertEqual({signal, Reason}, await_exit(Pid)),
            receive
                {'DOWN', Server, process, _, Seen} -> ?assertEqual(noconnection, Seen)
            end,
            await_nodedown(Node)
        end,
        [{"KILL", sigkill}, {"SEGV", sigsegv}]
    ).

%% Under the same name, and it is called as before.
supervisor_starts_it_again(_Config) ->
    {Supervisor, Child} = supervised(options()),
    #{node := Node, os_pid := OsPid} = connected(Child),
    [] = os:cmd("kill -s SEGV " ++ integer_to_list(OsPid)),
    await_nodedown(Node),
    cluster_helper:await_until(fun() ->
        case supervisor:which_children(Supervisor) of
            [{program, Next, worker, _}] when is_pid(Next) -> Next =/= Child;
            _ -> false
        end
    end),
    [{program, Again, worker, _}] = supervisor:which_children(Supervisor),
    ?assertMatch(#{node := Node}, gen_cluster_cnode:info(Again)),
    ?assertEqual(hello, gen_server:call({example_cluster_srv, Node}, {ohai})),
    stop_supervisor(Supervisor).

bad_options_are_the_reason(_Config) ->
    Options = options(),
    {error, {not_ready, {exit_status, 64}, "example_cluster_srv: --nonsense: unknown" ++ _}} =
        gen_cluster_cnode:start_link(Options#{args => ["--nonsense"]}),
    _ = cluster_helper:expect_log(node(), "--nonsense: unknown option"),
    ok.

%% The second one of a name ends at once, and says why.
taken_name_is_the_reason(_Config) ->
    Options = options(),
    {ok, Pid} = gen_cluster_cnode:start_link(Options),
    #{node := Node} = gen_cluster_cnode:info(Pid),
    {error, {not_ready, {exit_status, 69}, Said}} = gen_cluster_cnode:start_link(Options),
    ?assertEqual(
        "example_cluster_srv: the name " ++ atom_to_list(Node) ++
            " seems to be in use by another node",
        Said
    ),
    ok = gen_server:stop(Pid).

%% Nobody finds a node without epmd: its start does not succeed, and the reason names the culprit.
epmd_is_the_reason(_Config) ->
    {ok, Socket} = gen_tcp:listen(0, []),
    {ok, Number} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Env = [{"ERL_EPMD_PORT", integer_to_list(Number)}],
    {error, {not_ready, timeout, "warning epmd_down: epmd at 127.0.0.1:" ++ _}} =
        gen_cluster_cnode:start_link((options())#{env => Env, ready_timeout => 1000}),
    ok.

supervisor_of_elixir(Config) ->
    Ebin = filename:dirname(code:which(gen_cluster_cnode)),
    File = filename:join(?config(data_dir, Config), "supervisor.exs"),
    Output = os:cmd(
        lists:flatten(lists:join(" ", ["PROGRAM=" ++ program(), "elixir -pa", Ebin, File, "2>&1"]))
    ),
    ct:log("~ts", [Output]),
    ?assertNotEqual(nomatch, string:find(Output, "answer: hello")),
    ?assertNotEqual(nomatch, string:find(Output, "again: hello")),
    ?assertNotEqual(nomatch, string:find(Output, "gone: true")).

supervised(Options) ->
    Spec = gen_cluster_cnode:child_spec(Options#{id => program}),
    {ok, Supervisor} = supervisor:start_link(cluster_supervisor, [Spec]),
    [{program, Child, worker, [gen_cluster_cnode]}] = supervisor:which_children(Supervisor),
    {Supervisor, Child}.

stop_supervisor(Supervisor) ->
    exit(Supervisor, shutdown),
    ?assertEqual(shutdown, await_exit(Supervisor)).

connected(Child) ->
    #{node := Node} = Info = gen_cluster_cnode:info(Child),
    pong = net_adm:ping(Node),
    true = monitor_node(Node, true),
    Info.

await_nodedown(Node) ->
    receive
        {nodedown, Node} -> ok
    after 20000 -> ct:fail({no_nodedown, Node})
    end.

await_exit(Pid) ->
    receive
        {'EXIT', Pid, Reason} -> Reason
    after 20000 -> ct:fail(no_exit)
    end.

%% A sanitizer shall leave the signals to us.
options() ->
    #{
        program => program(),
        name => lists:concat([peer:random_name(gcl), "@127.0.0.1"]),
        args => ["--listen", "127.0.0.1"],
        env => [{"ASAN_OPTIONS", os:getenv("ASAN_OPTIONS", "") ++ ":handle_segv=0"}]
    }.

program() -> filename:join(os:getenv("GCL_BIN"), "example_cluster_srv").

is_running(OsPid) -> filelib:is_dir("/proc/" ++ integer_to_list(OsPid)).

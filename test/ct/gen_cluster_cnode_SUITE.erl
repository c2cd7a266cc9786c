%% SPDX-License-Identifier: Apache-2.0
%% gen_cluster_cnode with programs of the operating system that keep or break its contract.
-module(gen_cluster_cnode_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    is_ready/1,
    runs_from_priv_of_any_application/1,
    arguments/1,
    cookie_in_environment/1,
    cookie_in_file/1,
    cookie_of_this_node/1,
    output_is_logged/1,
    lines_have_levels/1,
    ready_has_a_deadline/1,
    garbled_ready_is_no_ready/1,
    ends_before_ready/1,
    last_complaint_is_the_reason/1,
    program_that_is_not_there/1,
    bad_options/1,
    ends_by_end_of_input/1,
    ends_by_sigterm/1,
    ends_by_sigkill/1,
    ends_when_killed/1,
    exit_status_is_the_reason/1,
    signal_is_the_reason/1,
    supervisor_starts_it_again/1,
    supervisor_of_elixir/1
]).
%% A handler of logger.
-export([log/2]).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        is_ready,
        runs_from_priv_of_any_application,
        arguments,
        cookie_in_environment,
        cookie_in_file,
        cookie_of_this_node,
        output_is_logged,
        lines_have_levels,
        ready_has_a_deadline,
        garbled_ready_is_no_ready,
        ends_before_ready,
        last_complaint_is_the_reason,
        program_that_is_not_there,
        bad_options,
        ends_by_end_of_input,
        ends_by_sigterm,
        ends_by_sigkill,
        ends_when_killed,
        exit_status_is_the_reason,
        signal_is_the_reason,
        supervisor_starts_it_again,
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

%% A start succeeds when the program is ready, and tells what it said.
is_ready(Config) ->
    {ok, Pid} = start(obedient, Config),
    #{node := 'program@127.0.0.1', port := 4711, os_pid := OsPid} = gen_cluster_cnode:info(Pid),
    ?assert(is_running(OsPid)),
    ok = gen_server:stop(Pid),
    ?assertNot(is_running(OsPid)).

%% A relative path is looked for in priv/ of the application that is named.
runs_from_priv_of_any_application(Config) ->
    Folder = filename:join(?config(priv_dir, Config), "some_app"),
    Ebin = filename:join(Folder, "ebin"),
    Program = filename:join([Folder, "priv", "bin", "program.sh"]),
    ok = filelib:ensure_dir(Program),
    ok = filelib:ensure_dir(filename:join(Ebin, "x")),
    {ok, _} = file:copy(program(Config), Program),
    ok = file:change_mode(Program, 8#755),
    ok = file:write_file(filename:join(Ebin, "some_app.app"), "{application, some_app, []}.\n"),
    true = code:add_path(Ebin),
    Options = (options(obedient, Config))#{program := "bin/program.sh", app => some_app},
    {ok, Pid} = gen_cluster_cnode:start_link(Options),
    ok = gen_server:stop(Pid),
    true = code:del_path(Ebin).

%% The command line is that of examples/example_cluster_srv.c.
arguments(Config) ->
    Options = options(obedient, Config),
    {ok, Pid} = gen_cluster_cnode:start_link(Options#{
        sname => "c1",
        seeds => ['a@127.0.0.1', "b@127.0.0.1", <<"c@127.0.0.1">>],
        hidden => true,
        port => 5000,
        net_ticktime => 8,
        watchdog => 0,
        log_level => info,
        args => ["--more", 'x y']
    }),
    Line = cluster_helper:expect_log(node(), "arguments: "),
    ?assertEqual(
        "c1: arguments: --sname c1 --seed a@127.0.0.1 --seed b@127.0.0.1 --seed c@127.0.0.1 "
        "--hidden --port 5000 --net-ticktime 8 --watchdog 0 --log-level info --more x y "
        "--until-stdin-eof",
        Line
    ),
    ok = gen_server:stop(Pid).

%% The cookie is in the environment and not on the command line.
cookie_in_environment(Config) ->
    Options = options(obedient, Config),
    {ok, Pid} = gen_cluster_cnode:start_link(Options#{cookie => 'SECRET'}),
    Line = cluster_helper:expect_log(node(), "arguments: "),
    ?assertEqual(nomatch, string:find(Line, "SECRET")),
    _ = cluster_helper:expect_log(node(), "cookie: SECRET"),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Pid),
    {ok, Argv} = file:read_file(["/proc/", integer_to_list(OsPid), "/cmdline"]),
    ?assertEqual(nomatch, binary:match(Argv, <<"SECRET">>)),
    ok = gen_server:stop(Pid).

%% A cookie file is named on the command line; no cookie is in the environment.
cookie_in_file(Config) ->
    Options = options(obedient, Config),
    {ok, Pid} = gen_cluster_cnode:start_link(Options#{cookie_file => "/x/cookie"}),
    _ = cluster_helper:expect_log(node(), "--cookie-file /x/cookie"),
    _ = cluster_helper:expect_log(node(), "cookie: none"),
    ok = gen_server:stop(Pid).

%% Without either it is this node's.
cookie_of_this_node(Config) ->
    {ok, Pid} = start(obedient, Config),
    _ = cluster_helper:expect_log(node(), "cookie: " ++ atom_to_list(erlang:get_cookie())),
    ok = gen_server:stop(Pid).

%% Each line of stdout and stderr is logged, whatever its encoding, with the node in front.
output_is_logged(Config) ->
    {ok, Pid} = start(talkative, Config),
    "program.sh: on stderr" = cluster_helper:expect_log(node(), "stderr"),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Pid),
    ok = file:write_file(["/proc/", integer_to_list(OsPid), "/fd/0"], "a line\n"),
    "program@127.0.0.1: read a line" = cluster_helper:expect_log(node(), "read"),
    ok = gen_server:stop(Pid).

%% The word in front is the level; a complaint with the name of the program in front is an error.
lines_have_levels(Config) ->
    {ok, Pid} = start(talkative, Config),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Pid),
    #{level := Before} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, debug),
    ok = logger:add_handler(levels, ?MODULE, #{config => #{to => self()}}),
    [
        begin
            ok = file:write_file(["/proc/", integer_to_list(OsPid), "/fd/0"], ["= ", Line, "\n"]),
            {Line, Level} = {Line, level_of("program@127.0.0.1: " ++ Line)}
        end
     || {Line, Level} <- [
            {"error name_taken: x", error},
            {"warning: x", warning},
            {"notice connect_failed: x", notice},
            {"info node_up: x", info},
            {"debug x: y", debug},
            {"program.sh: what is wrong", error},
            {"errors: none", notice},
            {"error", notice}
        ]
    ],
    ok = logger:remove_handler(levels),
    ok = logger:set_primary_config(level, Before),
    ok = gen_server:stop(Pid).

-spec log(logger:log_event(), logger:handler_config()) -> term().
log(#{level := Level} = Event, #{config := #{to := Pid}}) ->
    Line = logger_formatter:format(Event, #{single_line => true, template => [msg]}),
    Pid ! {level, unicode:characters_to_list(Line), Level}.

level_of(Line) ->
    receive
        {level, Line, Level} -> Level
    after 20000 -> ct:fail({not_logged, Line})
    end.

%% A program that does not get ready is ended.
ready_has_a_deadline(Config) ->
    Options = options(silent, Config),
    {error, {not_ready, timeout, ""}} = gen_cluster_cnode:start_link(Options#{ready_timeout => 200}),
    ok.

%% A node without a host or a port out of range is not ready.
garbled_ready_is_no_ready(Config) ->
    Options = options(garbled, Config),
    {error, {not_ready, timeout, ""}} = gen_cluster_cnode:start_link(Options#{ready_timeout => 500}),
    _ = cluster_helper:expect_log(node(), "ready program 4711"),
    ok.

%% A program that ends instead: its status is in the error.
ends_before_ready(Config) ->
    {error, {not_ready, {exit_status, 64}, ""}} = start('exit 64', Config),
    {error, {not_ready, normal, ""}} = start('exit 0', Config),
    ok.

%% What the program has complained of last is in the error, whether it waits or ends.
last_complaint_is_the_reason(Config) ->
    {error, {not_ready, {exit_status, 69}, "program.sh: the name is in use"}} =
        start(complaining, Config),
    Options = options(waiting, Config),
    {error, {not_ready, timeout, "warning epmd_down: nobody listens there"}} =
        gen_cluster_cnode:start_link(Options#{ready_timeout => 500}),
    ok.

program_that_is_not_there(Config) ->
    Options = options(obedient, Config),
    {error, {not_started, "/no/such/program", enoent}} =
        gen_cluster_cnode:start_link(Options#{program := "/no/such/program"}),
    Text = filename:join(?config(priv_dir, Config), "text"),
    ok = file:write_file(Text, "no program\n"),
    {error, {not_started, _, eacces}} = gen_cluster_cnode:start_link(Options#{program := Text}),
    ok.

%% Unknown options and wrong values are named in the error.
bad_options(Config) ->
    Options = options(obedient, Config),
    lists:foreach(
        fun({Key, Value} = Option) ->
            ?assertEqual(
                {error, {bad_option, Option}}, gen_cluster_cnode:start_link(Options#{Key => Value})
            ),
            ?assertError({bad_option, Option}, gen_cluster_cnode:child_spec(Options#{Key => Value}))
        end,
        [
            {colour, red},
            {program, 1},
            {seeds, [nohost]},
            {seeds, 'a@127.0.0.1'},
            {port, 70000},
            {hidden, maybe_so},
            {net_ticktime, 0},
            {watchdog, -1},
            {log_level, loud},
            {log_level, "info"},
            {watchdog, infinity},
            {cookie, 17},
            {args, [1]},
            {env, [{"A", 1}]},
            {ready_timeout, infinity},
            {restart, always}
        ]
    ),
    ?assertEqual(
        {error, {bad_option, {app, no_such_application}}},
        gen_cluster_cnode:start_link(#{program => "bin/x", app => no_such_application})
    ),
    ?assertMatch({error, {bad_option, {program, _}}}, gen_cluster_cnode:start_link(#{})),
    ?assertEqual({error, {bad_option, []}}, gen_cluster_cnode:start_link([])).

%% Its input ends with its supervisor, and that is enough.
ends_by_end_of_input(Config) ->
    ended_with_supervisor(options(obedient, Config)).

%% The end of input is not enough, SIGTERM is.
ends_by_sigterm(Config) ->
    Options = options(deaf, Config),
    ended_with_supervisor(Options#{eof_timeout => 100}).

%% Neither is enough.
ends_by_sigkill(Config) ->
    Options = options(stubborn, Config),
    ended_with_supervisor(Options#{eof_timeout => 100, term_timeout => 100}).

ended_with_supervisor(Options) ->
    {Supervisor, Child} = supervised(Options),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Child),
    ?assert(is_running(OsPid)),
    Monitor = monitor(process, Child),
    ok = supervisor:terminate_child(Supervisor, program),
    %% It has had the time that it needs: the supervisor did not kill it.
    shutdown = cluster_helper:await_down(Child, Monitor),
    ?assertNot(is_running(OsPid)),
    exit(Supervisor, shutdown).

%% A process that cannot clean up leaves no program either, not even a deaf one.
ends_when_killed(Config) ->
    Options = options(deaf, Config),
    {ok, Pid} = gen_cluster_cnode:start_link(Options#{eof_timeout => 100}),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Pid),
    exit(Pid, kill),
    cluster_helper:await_until(fun() -> not is_running(OsPid) end).

exit_status_is_the_reason(Config) ->
    lists:foreach(
        fun({Behaviour, Reason}) ->
            {ok, Pid} = start(Behaviour, Config),
            receive
                {'EXIT', Pid, Ended} -> ?assertEqual(Reason, Ended)
            end
        end,
        [{'ready 7', {exit_status, 7}}, {'ready 0', normal}]
    ).

signal_is_the_reason(Config) ->
    lists:foreach(
        fun({Signal, Reason}) ->
            {ok, Pid} = start(deaf, Config),
            #{os_pid := OsPid} = gen_cluster_cnode:info(Pid),
            [] = os:cmd("kill -s " ++ Signal ++ " " ++ integer_to_list(OsPid)),
            receive
                {'EXIT', Pid, Ended} -> ?assertEqual({signal, Reason}, Ended)
            end
        end,
        [{"KILL", sigkill}, {"SEGV", sigsegv}, {"TERM", sigterm}, {"USR1", 10}]
    ).

%% The supervisor learns of the end and starts another.
supervisor_starts_it_again(Config) ->
    {Supervisor, Child} = supervised(options(deaf, Config)),
    #{os_pid := OsPid} = gen_cluster_cnode:info(Child),
    Monitor = monitor(process, Child),
    [] = os:cmd("kill -s KILL " ++ integer_to_list(OsPid)),
    {signal, sigkill} = cluster_helper:await_down(Child, Monitor),
    cluster_helper:await_until(fun() ->
        case supervisor:which_children(Supervisor) of
            [{program, Next, worker, _}] when is_pid(Next) -> Next =/= Child;
            _ -> false
        end
    end),
    exit(Supervisor, shutdown),
    receive
        {'EXIT', Supervisor, shutdown} -> ok
    end.

supervisor_of_elixir(Config) ->
    Ebin = filename:dirname(code:which(gen_cluster_cnode)),
    File = filename:join(?config(data_dir, Config), "supervisor.exs"),
    Output = os:cmd(
        lists:join(" ", ["PROGRAM=" ++ program(Config), "elixir -pa", Ebin, File, "2>&1"])
    ),
    ct:log("~ts", [Output]),
    ?assertNotEqual(nomatch, string:find(Output, "running: true")),
    ?assertNotEqual(nomatch, string:find(Output, "gone: true")).

supervised(Options) ->
    Spec = gen_cluster_cnode:child_spec(Options#{id => program}),
    {ok, Supervisor} = supervisor:start_link(cluster_supervisor, [Spec]),
    [{program, Child, worker, [gen_cluster_cnode]}] = supervisor:which_children(Supervisor),
    {Supervisor, Child}.

start(Behaviour, Config) ->
    gen_cluster_cnode:start_link(options(Behaviour, Config)).

options(Behaviour, Config) ->
    #{program => program(Config), env => [{"BEHAVIOUR", atom_to_list(Behaviour)}]}.

program(Config) -> filename:join(?config(data_dir, Config), "program.sh").

is_running(OsPid) -> filelib:is_dir("/proc/" ++ integer_to_list(OsPid)).

%% SPDX-License-Identifier: Apache-2.0
%% examples/example_cluster_srv.erl, compiled as a user would, on two nodes.
-module(gen_cluster_example_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([answers/1, prints_each_callback/1, below_a_supervisor_of_elixir/1]).
%% Called on the nodes.
-export([start/1]).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        answers,
        prints_each_callback,
        below_a_supervisor_of_elixir
    ] -- left_out(erlang:system_info(otp_release)).

%% The Elixir of Debian 12 does not run on it.
left_out("29") -> [below_a_supervisor_of_elixir];
left_out(_) -> [].

init_per_suite(Config) ->
    Folder = ?config(priv_dir, Config),
    Source = filename:join([os:getenv("GCL_ROOT"), "examples", "example_cluster_srv.erl"]),
    {ok, example_cluster_srv} = compile:file(Source, [
        {outdir, Folder}, warnings_as_errors, report, warn_missing_spec
    ]),
    Peers = cluster_helper:start_nodes(2, ["-pa", Folder]),
    [{peers, Peers}, {folder, Folder} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

answers(Config) ->
    [{_, Node} | _] = ?config(peers, Config),
    {ok, Pid} = cluster_helper:on(Node, example_cluster_srv, start, []),
    Server = {example_cluster_srv, Node},
    ?assertEqual(Pid, cluster_helper:on(Node, erlang, whereis, [example_cluster_srv])),
    ?assertEqual(hello, gen_cluster:call(Server, {ohai})),
    ?assertEqual({some, "term"}, gen_cluster:call(Server, {echo, {some, "term"}})),
    ?assertEqual({ok, #{joined => 0, left => 0}}, gen_cluster:call(Server, {state})),
    ?assertEqual({error, unknown_request}, gen_cluster:call(Server, what)),
    ?assertEqual({ok, [{example_cluster_srv, [Pid]}]}, gen_cluster:plist(Server)),
    Monitor = monitor(process, Pid),
    ok = gen_cluster:cast(Server, stop),
    normal = cluster_helper:await_down(Pid, Monitor).

%% One readable line each, with the node where it happened.
prints_each_callback(Config) ->
    [{_, A}, {_, B}] = lists:keysort(2, ?config(peers, Config)),
    ok = cluster_helper:on(B, application, set_env, [gen_cluster, seeds, [A]]),
    First = start_printing(A),
    printed(A, "init"),
    printed(A, lists:concat(["handle_leader_change ", A, ", members ", A])),
    Second = start_printing(B),
    Members = lists:concat([A, " ", B]),
    printed(A, lists:concat(["handle_join ", B, ", members ", Members])),
    printed(B, "init"),
    printed(B, lists:concat(["handle_leader_change ", A, ", members ", Members])),
    hello = gen_cluster:call(Second, {ohai}),
    printed(B, lists:concat(["handle_call {ohai} from ", node()])),
    Second ! a_message,
    printed(B, "handle_info a_message"),
    ok = gen_cluster:cast(First, stop),
    printed(A, "handle_cast stop"),
    printed(A, "terminate normal"),
    printed(B, lists:concat(["handle_leave ", A, " because of normal, members ", B])),
    printed(B, lists:concat(["handle_leader_change nobody, members ", B])),
    printed(B, lists:concat(["handle_leader_change ", B, ", members ", B])),
    {ok, #{joined := 0, left := 1}} = gen_cluster:call(Second, {state}),
    cluster_helper:stop_members([Second]).

%% What a member prints goes to its group leader.
start_printing(Node) ->
    Test = self(),
    Printer = spawn_link(fun() -> print_loop(Test, Node) end),
    {ok, Pid} = cluster_helper:on(Node, ?MODULE, start, [Printer]),
    Pid.

start(Printer) ->
    true = group_leader(Printer, self()),
    example_cluster_srv:start().

print_loop(Test, Node) ->
    receive
        {io_request, From, As, {put_chars, unicode, Module, Function, Args}} ->
            Line = unicode:characters_to_list(apply(Module, Function, Args)),
            Test ! {printed, Node, Line},
            From ! {io_reply, As, ok}
    end,
    print_loop(Test, Node).

printed(Node, Text) ->
    Expected = lists:concat([Node, ": ", Text, "\n"]),
    receive
        {printed, Node, Line} -> ?assertEqual(Expected, Line)
    after 20000 -> ct:fail({not_printed, Expected})
    end.

below_a_supervisor_of_elixir(Config) ->
    Ebin = filename:dirname(code:which(gen_cluster)),
    File = filename:join(?config(data_dir, Config), "supervisor.exs"),
    Output = os:cmd(
        lists:join(" ", ["elixir -pa", Ebin, "-pa", ?config(folder, Config), File, "2>&1"])
    ),
    ct:log("~ts", [Output]),
    ?assertNotEqual(nomatch, string:find(Output, "answer: hello")),
    ?assertNotEqual(nomatch, string:find(Output, "again: hello")).

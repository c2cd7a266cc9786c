%% SPDX-License-Identifier: Apache-2.0
%% Where seeds come from. A member on a node of its own finds the first one through each source.
-module(gen_cluster_seeds_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([
    options/1,
    seed_nodes_callback/1,
    leader_pids_callback/1,
    command_line/1,
    seed_file/1,
    application_environment/1,
    atoms_strings_and_binaries/1,
    union_without_self_and_duplicates/1,
    bad_ones_are_logged/1,
    bad_file_is_logged/1
]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [
        options,
        seed_nodes_callback,
        leader_pids_callback,
        command_line,
        seed_file,
        application_environment,
        atoms_strings_and_binaries,
        union_without_self_and_duplicates,
        bad_ones_are_logged,
        bad_file_is_logged
    ].

%% The second node has the first one, among others, on its command line.
init_per_suite(Config) ->
    [{_, First} = PeerOne] = cluster_helper:start_nodes(1),
    [{_, Second} = PeerTwo] = cluster_helper:start_nodes(1, [
        "-gen_cluster_known",
        "nobody@127.0.0.1",
        "-gen_cluster_known",
        atom_to_list(First),
        "another@127.0.0.1",
        "nohost"
    ]),
    [{_, Third} = PeerThree] = cluster_helper:start_nodes(1),
    Peers = [PeerOne, PeerTwo, PeerThree],
    [{peers, Peers}, {first, First}, {known, Second}, {node, Third} | Config].

end_per_suite(Config) ->
    cluster_helper:stop_nodes(?config(peers, Config)).

init_per_testcase(_Case, Config) ->
    Cluster = cluster_helper:cluster(),
    Options = [{cluster, Cluster}],
    A = cluster_helper:start_member(?config(first, Config), Options),
    [{options, Options}, {member, A} | Config].

end_per_testcase(_Case, Config) ->
    Node = ?config(node, Config),
    true = cluster_helper:on(Node, os, unsetenv, ["GEN_CLUSTER_SEED_CONFIG"]),
    ok = cluster_helper:on(Node, application, unset_env, [gen_cluster, seeds]),
    cluster_helper:stop_members([?config(member, Config)]).

options(Config) ->
    First = ?config(first, Config),
    joins([{seeds, ['nobody@127.0.0.1', First]}], Config),
    joins([{seed, First}], Config),
    joins([{seed, [First, 'nobody@127.0.0.1']}], Config),
    joins([{seeds, ['nobody@127.0.0.1']}, {seed, First}, {seeds, []}], Config).

%% Asked for with the state that init returned.
seed_nodes_callback(Config) ->
    First = ?config(first, Config),
    Hook = fun(#{value := 0}) -> [First] end,
    joins(?config(node, Config), [], #{seed_nodes => Hook}, Config).

leader_pids_callback(Config) ->
    A = ?config(member, Config),
    joins(?config(node, Config), [], #{leader_pids => fun(_) -> [A] end}, Config).

command_line(Config) ->
    joins(?config(known, Config), [], #{}, Config).

%% Terms of Erlang, one node each.
seed_file(Config) ->
    Node = ?config(node, Config),
    File = filename:join(?config(priv_dir, Config), "seeds"),
    First = atom_to_list(?config(first, Config)),
    ok = file:write_file(File, ["%% a comment\n\"nobody@127.0.0.1\".\n'", First, "'.\n"]),
    true = cluster_helper:on(Node, os, putenv, ["GEN_CLUSTER_SEED_CONFIG", File]),
    joins([], Config).

application_environment(Config) ->
    Seeds = ["nobody@127.0.0.1", ?config(first, Config)],
    ok = cluster_helper:on(
        ?config(node, Config), application, set_env, [gen_cluster, seeds, Seeds]
    ),
    joins([], Config).

atoms_strings_and_binaries(_Config) ->
    Node = 'a@127.0.0.1',
    lists:foreach(
        fun(Seed) -> ?assertEqual({ok, Node}, gen_cluster_seeds:parse(Seed)) end,
        [Node, "a@127.0.0.1", <<"a@127.0.0.1">>, ["a@", <<"127.0.0.1">>]]
    ),
    ?assertEqual(
        {ok, 'ä@host'}, gen_cluster_seeds:parse(unicode:characters_to_binary("ä@host"))
    ),
    lists:foreach(
        fun(Seed) -> ?assertEqual(error, gen_cluster_seeds:parse(Seed)) end,
        [
            'nohost', "", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", <<255, "@b">>, 1, {a, b}, [a],
            undefined, lists:duplicate(255, $a) ++ "@b", self(), #{}, <<1:3>>
        ]
    ).

union_without_self_and_duplicates(Config) ->
    Node = ?config(node, Config),
    File = filename:join(?config(priv_dir, Config), "union"),
    Terms = ["f@127.0.0.1", "a@127.0.0.1", Node],
    ok = file:write_file(File, [io_lib:format("~p.~n", [Term]) || Term <- Terms]),
    true = cluster_helper:on(Node, os, putenv, ["GEN_CLUSTER_SEED_CONFIG", File]),
    ok = cluster_helper:on(
        Node, application, set_env, [gen_cluster, seeds, [<<"e@127.0.0.1">>, "f@127.0.0.1"]]
    ),
    Seeds = cluster_helper:on(Node, gen_cluster_seeds, collect, [
        ['a@127.0.0.1', Node, 'a@127.0.0.1'], cluster_minimal, state
    ]),
    ?assertEqual(['a@127.0.0.1', 'e@127.0.0.1', 'f@127.0.0.1'], lists:sort(Seeds)).

%% With their source, and without harm to the others.
bad_ones_are_logged(Config) ->
    Known = ?config(known, Config),
    ok = cluster_helper:start_log(Known),
    First = ?config(first, Config),
    Hooks = #{
        seed_nodes => fun(_) -> ["@nothing", First] end,
        leader_pids => fun(_) -> nobody end
    },
    joins(Known, [], Hooks, Config),
    lists:foreach(
        fun(Texts) ->
            [Found | Rest] = Texts,
            Line = cluster_helper:expect_log(Known, Found),
            [?assertNotEqual(nomatch, string:find(Line, Text), Line) || Text <- Rest]
        end,
        [
            ["\"@nothing\"", "cluster_member:seed_nodes/1"],
            ["nobody", "cluster_member:leader_pids/1"],
            ["\"nohost\"", "-gen_cluster_known"]
        ]
    ),
    ok = cluster_helper:stop_log(Known).

bad_file_is_logged(Config) ->
    Node = ?config(node, Config),
    ok = cluster_helper:start_log(Node),
    lists:foreach(
        fun({Name, Content, Text}) ->
            File = filename:join(?config(priv_dir, Config), Name),
            _ = [ok = file:write_file(File, Content) || Content =/= none],
            true = cluster_helper:on(Node, os, putenv, ["GEN_CLUSTER_SEED_CONFIG", File]),
            joins([{seed, ?config(first, Config)}], Config),
            Line = cluster_helper:expect_log(Node, Name),
            ?assertNotEqual(nomatch, string:find(Line, Text), Line)
        end,
        [
            {"no_such_file", none, "no such file"},
            {"garbled_file", "a@b c.\n", "syntax error"},
            {"file_with_a_number", "17.\n", "17"}
        ]
    ),
    ok = cluster_helper:stop_log(Node).

joins(Options, Config) -> joins(?config(node, Config), Options, #{}, Config).

joins(Node, Options, Hooks, Config) ->
    A = ?config(member, Config),
    B = cluster_helper:start_member(Node, Options ++ ?config(options, Config), Hooks),
    [cluster_helper:await_pids(Pid, [A, B]) || Pid <- [A, B]],
    cluster_helper:stop_members([B]),
    cluster_helper:await_pids(A, [A]).

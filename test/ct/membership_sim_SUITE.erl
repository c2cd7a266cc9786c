%% SPDX-License-Identifier: Apache-2.0
%% Simulates clusters and checks what membership promises, 2,000 seeds a run. To run a seed again:
%% `GCL_SEED=N GCL_SIM_COUNT=1 make test-ct SUITES=membership_sim_SUITE`; its members' whole lives
%% are then found in the log folder, as vectors.
-module(membership_sim_SUITE).

-export([all/0, suite/0]).
-export([promises/1, same_seed_same_life/1, failing_seed_fails_again/1]).

suite() -> [{timetrap, {minutes, 5}}].

all() -> [promises, same_seed_same_life, failing_seed_fails_again].

promises(Config) ->
    First = number("GCL_SEED", erlang:system_time(second)),
    Count = number("GCL_SIM_COUNT", default_count()),
    Results = membership_sim:run_all(First, Count, erlang:system_info(schedulers_online)),
    Figures = [Figures || {ok, Figures} <- Results],
    Sum = fun(Key) -> lists:sum([maps:get(Key, F, 0) || F <- Figures]) end,
    Most = lists:max([0 | [maps:get(nodes, F) || F <- Figures]]),
    ct:print("membership simulated: ~b seeds from ~b, ~b steps, at most ~b nodes", [
        Count, First, Sum(steps), Most
    ]),
    Troubles = [lost, repeated, start_node | lists:usort(membership_sim:disasters())],
    Counts = [{Trouble, Sum(Trouble)} || Trouble <- Troubles],
    ct:print("what went wrong: ~0p", [Counts]),
    Failed = [{Seed, Faults} || {failed, Seed, Faults} <- Results],
    _ = [explain(Seed, Faults, Config) || {Seed, Faults} <- lists:sublist(Failed, 3)],
    [] =:= Failed orelse ct:fail("failing seeds: ~w", [[Seed || {Seed, _} <- Failed]]),
    Count < 100 orelse true =:= lists:all(fun({_, N}) -> N > 0 end, Counts) orelse
        ct:fail("some trouble never came: ~0p", [Counts]),
    Count < 1000 orelse 30 =:= Most orelse ct:fail("no world of 30 nodes, but of ~b", [Most]).

%% Or a failing seed would be of no use.
same_seed_same_life(_Config) ->
    Seed = number("GCL_SEED", erlang:system_time(second)),
    [Life, Life] = [lives(Seed) || _ <- [once, again]].

%% Members that never compare their lists break the promises; the simulator finds out, and again.
failing_seed_fails_again(_Config) ->
    Options = #{limits => #{sync => 100_000_000, sync_fast => 100_000_000}},
    {Seed, Faults} = first_failing(1, Options),
    ct:print("without sync seed ~b fails: ~0P", [Seed, Faults, 9]),
    {Faults, _World} = membership_sim:run(Seed, Options).

first_failing(Seed, Options) when Seed =< 100 ->
    case membership_sim:run(Seed, Options) of
        {[], _World} -> first_failing(Seed + 1, Options);
        {Faults, _World} -> {Seed, Faults}
    end.

lives(Seed) ->
    {_Faults, World} = membership_sim:run(Seed, #{trace => []}),
    iolist_to_binary(membership_trace:of_world(World)).

explain(Seed, Faults, Config) ->
    Name = io_lib:format("seed-~b.txt", [Seed]),
    File = filename:join(proplists:get_value(priv_dir, Config), Name),
    ok = file:write_file(File, lives(Seed)),
    ct:print("seed ~b fails: ~P~n  again: GCL_SEED=~b GCL_SIM_COUNT=1~n  lives: ~ts", [
        Seed, Faults, 40, Seed, File
    ]).

default_count() ->
    case os:getenv("GCL_QUICK") of
        false -> 2000;
        _ -> 100
    end.

number(Variable, Default) ->
    case os:getenv(Variable) of
        false -> Default;
        Text -> list_to_integer(Text)
    end.

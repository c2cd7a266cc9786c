%% SPDX-License-Identifier: Apache-2.0
%% Writes what members did in worlds of the simulator as vectors, for any implementation of the
%% membership machine to replay: each trace is the first part of the life of one member.
-module(membership_trace).

-export([write/3, main/1, of_world/1]).

-include("membership_world.hrl").

-define(MOST_STEPS, 80).
-define(LEAST_STEPS, 20).
-define(MOST_OF_ONE_WORLD, 3).

%% Called by `erl -run`: file, count, first seed.
-spec main([string()]) -> no_return().
main([File, Count, Seed]) ->
    ok = write(File, list_to_integer(Count), list_to_integer(Seed)),
    halt(0).

%% So many traces of the worlds from a seed on.
-spec write(file:filename(), pos_integer(), integer()) -> ok.
write(File, Count, Seed) ->
    ok = filelib:ensure_dir(File),
    {ok, Out} = file:open(File, [write, raw, delayed_write]),
    ok = file:write(Out, "# The format is that of test/vectors/membership.txt.\n\n"),
    ok = write_worlds(Out, 1, Count, Seed),
    file:close(Out).

write_worlds(_Out, Number, Count, _Seed) when Number > Count ->
    ok;
write_worlds(Out, Number, Count, Seed) ->
    {Faults, W} = membership_sim:run(Seed, #{trace => []}),
    Faults =:= [] orelse error({seed_failed, Seed, Faults}),
    Long = [P || #proc{trace = Trace} = P <- procs(W), length(Trace) >= ?LEAST_STEPS],
    Chosen = lists:sublist(Long, min(?MOST_OF_ONE_WORLD, Count - Number + 1)),
    Numbered = lists:zip(lists:seq(Number, Number + length(Chosen) - 1), Chosen),
    ok = file:write(Out, [trace(N, Seed, ?MOST_STEPS, P) || {N, P} <- Numbered]),
    write_worlds(Out, Number + length(Chosen), Count, Seed + 1).

%% The whole lives of all members, to find out why a seed failed.
-spec of_world(membership_world:world()) -> iolist().
of_world(#world{seed = Seed} = W) ->
    Lived = [P || #proc{trace = [_ | _]} = P <- procs(W)],
    [trace(N, Seed, infinity, P) || {N, P} <- lists:zip(lists:seq(1, length(Lived)), Lived)].

procs(#world{procs = Procs}) ->
    [P || {_, P} <- lists:sort([{gen_cluster_pid:key(Pid), P} || {Pid, P} <- maps:to_list(Procs)])].

trace(Number, Seed, Most, #proc{trace = Trace, config = Config}) ->
    Steps = first(Most, lists:reverse(Trace)),
    {_, _, _, _, Core} = lists:last(Steps),
    membership_vectors:format_vector(#{
        title => io_lib:format("~b a member in the world of seed ~b", [Number, Seed]),
        config => Config,
        steps => [{Now, Random, Event, Effects} || {Now, Random, Event, Effects, _} <- Steps],
        core => Core
    }).

first(infinity, List) -> List;
first(Most, List) -> lists:sublist(List, Most).

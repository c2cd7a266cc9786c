%% SPDX-License-Identifier: Apache-2.0
%% Replays the vectors that the Erlang and the C membership machine share.
-module(membership_vectors_SUITE).

-export([all/0]).
-export([shared_vectors/1, coverage/1, traces/1]).

-define(TRACES, 500).

all() -> [shared_vectors, coverage, traces].

shared_vectors(_Config) ->
    {_Count, _Covered} = replay("vectors", shared()).

%% Each event in each state of the machine stands in a vector.
coverage(_Config) ->
    {_Count, Covered} = replay("vectors", shared()),
    Wanted = membership_vectors:to_be_covered(),
    Missing = Wanted -- lists:usort(Covered),
    ct:print("events in states: ~b, without a vector: ~b", [length(Wanted), length(Missing)]),
    [] =:= Missing orelse ct:fail("no vector for ~0tp", [Missing]).

%% What the simulator wrote down is read and replayed like any other vector.
traces(Config) ->
    File = filename:join(proplists:get_value(priv_dir, Config), "traces.txt"),
    Seed = list_to_integer(os:getenv("GCL_SEED", integer_to_list(erlang:system_time(second)))),
    ct:print("traces of seed ~b", [Seed]),
    ok = membership_trace:write(File, ?TRACES, Seed),
    {?TRACES, _Covered} = replay("traces of the simulator", membership_vectors:read(File)).

shared() ->
    Files = filelib:wildcard(filename:join([os:getenv("GCL_ROOT"), "test", "vectors", "*.txt"])),
    lists:append([membership_vectors:read(File) || File <- Files]).

replay(What, Vectors) ->
    Results = [membership_vectors:replay(Vector) || Vector <- Vectors],
    Failed = [Text || {error, Text} <- Results],
    Counts = [What, length(Results), length(Failed)],
    ct:print("membership ~ts replayed by Erlang: ~b, failed: ~b", Counts),
    [] =:= Failed orelse ct:fail("~ts", [Failed]),
    true = Results =/= [],
    {length(Results), lists:append([Covered || {ok, Covered} <- Results])}.

%% SPDX-License-Identifier: Apache-2.0
%% Replays the vectors that the Erlang and the C membership machine share.
-module(membership_vectors_SUITE).

-export([all/0]).
-export([shared_vectors/1, traces/1]).

-define(TRACES, 500).

all() -> [shared_vectors, traces].

shared_vectors(_Config) ->
    Files = filelib:wildcard(filename:join([os:getenv("GCL_ROOT"), "test", "vectors", "*.txt"])),
    replay("vectors", lists:append([membership_vectors:read(File) || File <- Files])).

%% What the simulator wrote down is read and replayed like any other vector.
traces(Config) ->
    File = filename:join(proplists:get_value(priv_dir, Config), "traces.txt"),
    ok = membership_trace:write(File, ?TRACES, erlang:system_time(second)),
    ?TRACES = replay("traces of the simulator", membership_vectors:read(File)).

replay(What, Vectors) ->
    Results = [membership_vectors:replay(Vector) || Vector <- Vectors],
    Failed = [Text || {error, Text} <- Results],
    ct:print("membership ~ts replayed by Erlang: ~b, failed: ~b", [What, length(Results), length(Failed)]),
    [] =:= Failed orelse ct:fail("~ts", [Failed]),
    true = Results =/= [],
    length(Results).

%% SPDX-License-Identifier: Apache-2.0
%% Replays the vectors that the Erlang and the C membership machine share.
-module(membership_vectors_SUITE).

-export([all/0]).
-export([shared_vectors/1]).

all() -> [shared_vectors].

shared_vectors(_Config) ->
    Files = filelib:wildcard(filename:join([os:getenv("GCL_ROOT"), "test", "vectors", "*.txt"])),
    Vectors = lists:append([membership_vectors:read(File) || File <- Files]),
    Results = [membership_vectors:replay(Vector) || Vector <- Vectors],
    Failed = [Text || {error, Text} <- Results],
    ct:print("membership vectors replayed by Erlang: ~b, failed: ~b", [length(Results), length(Failed)]),
    [] =:= Failed orelse ct:fail("~ts", [Failed]),
    true = length(Results) > 0.

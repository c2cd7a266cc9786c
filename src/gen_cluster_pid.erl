%% SPDX-License-Identifier: Apache-2.0
%% The order of pids that is the same on every node, and the digest of a list in this order.
%% Erlang's own order of pids depends on the node where they are compared.
-module(gen_cluster_pid).

-export([key/1, digest/1]).

-export_type([key/0]).

%% Atoms are ordered by the bytes of their UTF-8 text, as the order of members demands.
-type key() :: {
    node(), Creation :: non_neg_integer(), Serial :: non_neg_integer(), Id :: non_neg_integer()
}.

-spec key(pid()) -> key().
key(Pid) ->
    Bytes = term_to_binary(Pid),
    <<Id:32, Serial:32, Creation:32>> = binary:part(Bytes, byte_size(Bytes), -12),
    {node(Pid), Creation, Serial, Id}.

%% Of keys in order.
-spec digest([key()]) -> <<_:64>>.
digest(Keys) ->
    <<Digest:8/binary, _/binary>> = erlang:md5([digested(Key) || Key <- Keys]),
    Digest.

digested({Node, Creation, Serial, Id}) ->
    Name = atom_to_binary(Node),
    [<<(byte_size(Name)):16>>, Name, <<Creation:32, Id:32, Serial:32>>].

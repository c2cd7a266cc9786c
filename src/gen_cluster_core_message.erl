%% SPDX-License-Identifier: Apache-2.0
%% What members say to one another: `{'$gen_cluster', 1, Kind, Cluster, From, Map}`. A message of
%% which a key that we know has a value that makes no sense is ignored as a whole; keys that we do
%% not know are those of a newer version, and mean nothing.
-module(gen_cluster_core_message).

-export([new/4, split/1, info/1, check/3, meta/1, children/1]).

-export_type([kind/0]).

-include("gen_cluster_core.hrl").

-type kind() :: hello | ack | list | sync | info | leave.

-define(VERSION, 1).
-define(MAX_PIDS, 1000).
-define(MAX_META_BYTES, 4096).
-define(MAX_CHILDREN_BYTES, 8192).

-spec new(kind(), atom(), pid(), map()) -> tuple().
new(Kind, Cluster, From, Map) ->
    {'$gen_cluster', ?VERSION, Kind, Cluster, From, Map}.

%% As many pids as one message may list, and the rest.
-spec split([pid()]) -> {[pid()], [pid()]}.
split(Pids) ->
    case is_short_list(Pids, ?MAX_PIDS) of
        true -> {Pids, []};
        false -> lists:split(?MAX_PIDS, Pids)
    end.

%% The keys by which a member says of itself what the others know.
-spec info(#info{}) -> map().
info(#info{v = V, phase = Phase, claim = Claim, hidden = Hidden} = Info) ->
    #info{type = Type, meta = Meta, children = Children} = Info,
    Map = #{v => V, phase => Phase, claim => Claim, hidden => Hidden, type => Type, meta => Meta},
    case Children of
        [] -> Map;
        _ -> Map#{children => Children}
    end.

%% The message to the member Self of the cluster, or why it is none.
-spec check(term(), atom(), pid()) ->
    {ok, #message{}} | {ignored, node() | undefined, Why :: term()}.
check({'$gen_cluster', ?VERSION, Kind, Cluster, From, Map}, Cluster, Self) when
    is_pid(From), From =/= Self, is_map(Map)
->
    case required(Kind) of
        unknown -> {ignored, node(From), {unknown_kind, Kind}};
        Required -> check_keys([stay | Required], Kind, From, Map)
    end;
check({'$gen_cluster', ?VERSION, _Kind, Cluster, From, Map}, Cluster, _Self) when
    is_pid(From), is_map(Map)
->
    {ignored, node(From), from_itself};
check({'$gen_cluster', ?VERSION, _Kind, Other, From, Map}, _, _) when is_pid(From), is_map(Map) ->
    {ignored, node(From), {other_cluster, Other}};
check({'$gen_cluster', Version, _, _, From, _}, _, _) when is_pid(From), Version =/= ?VERSION ->
    {ignored, node(From), {version, Version}};
check({'$gen_cluster', _, _, _, From, _}, _, _) when is_pid(From) ->
    {ignored, node(From), malformed};
check(_, _, _) ->
    {ignored, undefined, malformed}.

required(hello) -> [nonce | required(info)];
required(ack) -> [echo | required(info)];
required(sync) -> [digest | required(info)];
required(info) -> [v, phase, claim, hidden, type];
required(list) -> [pids];
required(leave) -> [];
required(_) -> unknown.

check_keys(Required, Kind, From, Map) ->
    case [Key || Key <- Required, not is_map_key(Key, Map)] ++ senseless(Map) of
        [] -> {ok, message(Kind, From, Map)};
        [Key | _] -> {ignored, node(From), {bad_key, Kind, Key}}
    end.

senseless(Map) ->
    Known = [stay, nonce, echo, v, phase, claim, hidden, type, want, contact, digest, holder, pids],
    [Key || Key <- Known, is_map_key(Key, Map), not makes_sense(Key, map_get(Key, Map))].

makes_sense(Key, Value) when Key =:= stay; Key =:= nonce; Key =:= echo ->
    is_integer(Value) andalso Value > 0;
makes_sense(v, Value) ->
    is_integer(Value) andalso Value >= 0;
makes_sense(phase, Value) ->
    Value =:= joining orelse Value =:= settled;
makes_sense(Key, Value) when Key =:= claim; Key =:= hidden; Key =:= want; Key =:= contact ->
    is_boolean(Value);
makes_sense(type, Value) ->
    is_atom(Value);
makes_sense(digest, Value) ->
    is_binary(Value);
makes_sense(holder, Value) ->
    is_pid(Value);
makes_sense(pids, Value) ->
    is_short_list(Value, ?MAX_PIDS) andalso lists:all(fun is_pid/1, Value).

%% Neither walks a long list to its end nor fails on an improper one.
is_short_list([], _Left) -> true;
is_short_list([_ | _], 0) -> false;
is_short_list([_ | Tail], Left) -> is_short_list(Tail, Left - 1);
is_short_list(_, _Left) -> false.

message(Kind, From, #{stay := Stay} = Map) ->
    #message{
        kind = Kind,
        from = From,
        stay = Stay,
        info = info_of(Map),
        nonce = maps:get(nonce, Map, none),
        echo = maps:get(echo, Map, none),
        want = maps:get(want, Map, false),
        contact = maps:get(contact, Map, false),
        digest = maps:get(digest, Map, none),
        holder = maps:get(holder, Map, none),
        pids = maps:get(pids, Map, [])
    }.

info_of(#{v := V, phase := Phase, claim := Claim, hidden := Hidden, type := Type} = Map) ->
    #info{
        v = V,
        phase = Phase,
        claim = Claim,
        hidden = Hidden,
        type = Type,
        meta = meta(maps:get(meta, Map, #{})),
        children = children(maps:get(children, Map, []))
    };
info_of(_) ->
    none.

%% What is too long, or none, counts as empty.
-spec meta(term()) -> map().
meta(Meta) when is_map(Meta) ->
    case is_small(Meta, ?MAX_META_BYTES) of
        true -> Meta;
        false -> #{}
    end;
meta(_) ->
    #{}.

-spec children(term()) -> [{atom(), pid()}].
children(Children) ->
    IsChild = fun
        ({Type, Pid}) -> is_atom(Type) andalso is_pid(Pid);
        (_) -> false
    end,
    Fits =
        is_short_list(Children, ?MAX_CHILDREN_BYTES) andalso
            lists:all(IsChild, Children) andalso is_small(Children, ?MAX_CHILDREN_BYTES),
    case Fits of
        true -> Children;
        false -> []
    end.

%% The first is an upper bound that costs no memory.
is_small(Term, Max) ->
    erlang:external_size(Term) =< Max orelse byte_size(term_to_binary(Term)) =< Max.

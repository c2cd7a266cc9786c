%% SPDX-License-Identifier: Apache-2.0
%% What the vectors in test/vectors do not say: messages that make no sense, what a member tells of
%% itself, long lists, and limits.
-module(gen_cluster_core_tests).

-include_lib("eunit/include/eunit.hrl").

-define(CLUSTER, clu).

%% Messages that make no sense

senseless_test_() ->
    Ack = (info())#{stay => 1, echo => 1},
    Ignored = [
        {undefined, hello},
        {undefined, {'$gen_cluster', 1, ack, ?CLUSTER, b, Ack}},
        {b, {'$gen_cluster', 1, ack, ?CLUSTER, pid(b), []}},
        {b, {'$gen_cluster', 2, ack, ?CLUSTER, pid(b), Ack}},
        {b, {'$gen_cluster', 1, ack, other, pid(b), Ack}},
        {b, {'$gen_cluster', 1, gossip, ?CLUSTER, pid(b), Ack}},
        {b, {'$gen_cluster', 1, "ack", ?CLUSTER, pid(b), Ack}},
        {m, {'$gen_cluster', 1, ack, ?CLUSTER, pid(m), Ack}}
    ],
    [
        ?_assertMatch([{ignored, Node, _}], effects({recv, Term}, started()))
     || {Node, Term} <- Ignored
    ].

missing_key_test_() ->
    Keys = [{ack, Key} || Key <- [stay, echo, v, phase, claim, hidden, type]],
    Others = [{hello, nonce}, {sync, digest}, {info, v}, {list, pids}, {leave, stay}],
    [
        {atom_to_list(Key), ?_assertMatch([{ignored, b, {bad_key, Kind, Key}}], without(Kind, Key))}
     || {Kind, Key} <- Keys ++ Others
    ].

without(Kind, Key) ->
    effects({recv, message(Kind, pid(b), maps:remove(Key, all_keys()))}, started()).

senseless_key_test_() ->
    Values = [
        {stay, 0},
        {stay, one},
        {nonce, -1},
        {nonce, 1.0},
        {echo, 0},
        {v, -1},
        {phase, out},
        {claim, 1},
        {hidden, undefined},
        {type, "t"},
        {want, yes},
        {contact, 1},
        {digest, 5},
        {holder, b},
        {pids, b},
        {pids, [b]},
        {pids, [pid(b) | pid(b)]},
        {pids, lists:duplicate(1001, pid(b))}
    ],
    [
        {atom_to_list(Key), ?_assertMatch([{ignored, b, {bad_key, hello, Key}}], with(Key, Value))}
     || {Key, Value} <- Values
    ].

with(Key, Value) ->
    effects({recv, message(hello, pid(b), (all_keys())#{Key => Value})}, started()).

%% Of a newer version, perhaps.
unknown_keys_mean_nothing_test() ->
    Hello = message(hello, pid(b), (info())#{stay => 1, nonce => 1, colour => red}),
    [{monitor, _, 1}, {send, _, _} | _] = effects({recv, Hello}, started()).

senseless_messages_change_nothing_test() ->
    C = started(),
    {_, C1} = step({recv, message(hello, pid(b), #{stay => 1})}, C),
    ?assertEqual(C, C1).

%% What a member tells of itself

members_tell_type_meta_and_children_test() ->
    Info = #{type => shop, meta => #{weight => 3}, children => [{till, pid(c)}]},
    C = with_member(b, Info, started()),
    ?assertMatch(
        [
            #{pid := _, node := b, type := shop, meta := #{weight := 3}, children := [{till, _}]},
            #{pid := _, node := m, type := t, meta := #{}, children := []}
        ],
        gen_cluster_core:members(C)
    ).

what_is_too_long_counts_as_empty_test_() ->
    Long = binary:copy(<<"x">>, 4096),
    Children = [{till, pid(c)} || _ <- lists:seq(1, 1000)],
    [
        ?_assertEqual(#{}, told(meta, #{long => Long})),
        ?_assertEqual(#{}, told(meta, [{weight, 3}])),
        ?_assertEqual([], told(children, Children)),
        ?_assertEqual([], told(children, [{"till", pid(c)}])),
        ?_assertEqual([], told(children, pid(c)))
    ].

told(Key, Value) ->
    [#{Key := Told}, _] = gen_cluster_core:members(with_member(b, #{Key => Value}, started())),
    Told.

update_is_told_to_all_test() ->
    C = with_member(b, #{}, started()),
    Changes = #{type => shop, meta => #{weight => 3}, children => [{till, pid(c)}]},
    {[{send, To, {_, _, info, _, _, Told}}], C1} = step({update, Changes}, C),
    ?assertEqual(pid(b), To),
    ?assertMatch(#{v := 2, type := shop, meta := #{weight := 3}, children := [{till, _}]}, Told),
    {[{send, _, {_, _, info, _, _, Less}}], _} = step({update, #{children => []}}, C1),
    ?assertMatch(#{v := 3, type := shop, meta := #{weight := 3}}, Less),
    ?assertNot(is_map_key(children, Less)).

%% Lists

list_in_pieces_test() ->
    Pids = [pid(b, Id) || Id <- lists:seq(1, 2500)],
    C = lists:foldl(fun(Pid, Acc) -> with_pid(Pid, #{}, Acc) end, started(), Pids),
    Wrong = message(sync, pid(b), (info())#{stay => 1, digest => <<0:64>>}),
    {Effects, _} = step({recv, Wrong}, C),
    Maps = [Map || {send, _, {_, _, list, _, _, Map}} <- Effects],
    ?assertEqual([1000, 1000, 500], [length(Listed) || #{pids := Listed} <- Maps]),
    ?assertEqual([false, false, true], [maps:get(want, Map, false) || Map <- Maps]),
    ?assertEqual(tl(Pids) ++ [pid(m)], lists:append([Listed || #{pids := Listed} <- Maps])).

order_is_that_of_node_creation_serial_and_id_test() ->
    Keys = [{n1, 1, 0, 2}, {n1, 1, 1, 1}, {n1, 2, 0, 1}, {n10, 1, 0, 1}, {n2, 1, 0, 1}],
    Pids = [full_pid(Key) || Key <- Keys],
    ?assertEqual(Keys, [gen_cluster_pid:key(Pid) || Pid <- Pids]),
    Self = full_pid({a, 1, 0, 1}),
    Join = fun(Pid, C) -> with_pid(Pid, #{}, C) end,
    C = lists:foldl(Join, started(Self, #{}), lists:reverse(Pids)),
    ?assertEqual([Self | Pids], gen_cluster_core:pids(C)),
    ?assert(gen_cluster_core:is_member(hd(Pids), C)).

%% The same bytes as in doc/membership.md.
digest_test() ->
    Bytes = <<1:16, "a", 1:32, 2:32, 3:32, 2:16, "bc", 4:32, 5:32, 6:32>>,
    <<Digest:8/binary, _/binary>> = erlang:md5(Bytes),
    ?assertEqual(Digest, gen_cluster_pid:digest([{a, 1, 3, 2}, {bc, 4, 6, 5}])).

%% Limits

max_peers_test() ->
    C = started(#{max_peers => 2}),
    List = message(list, pid(z), #{stay => 1, pids => [pid(b), pid(c), pid(d)]}),
    {Effects, C1} = step({recv, List}, C),
    ?assertEqual([pid(b), pid(c)], [Pid || {monitor, Pid, _} <- Effects]),
    ?assertEqual([], effects({recv, message(hello, pid(e), (info())#{stay => 1, nonce => 1})}, C1)).

max_seeds_test() ->
    C = started(#{max_seeds => 2}),
    {Effects, C1} = step({join, b}, C),
    ?assertMatch([{monitor, {?CLUSTER, b}, 1} | _], Effects),
    {[_ | _], C2} = step({join, c}, C1),
    ?assertMatch({[], _}, step({join, d}, C2)).

%% The one that was lost first is forgotten.
max_suspects_test() ->
    C = lists:foldl(
        fun({Node, Now}, Acc) -> lost(Node, Now, with_member(Node, #{}, Acc)) end,
        started(#{max_suspects => 2}),
        [{d, 100}, {b, 200}, {c, 300}]
    ),
    ?assertEqual([pid(b), pid(c)], gen_cluster_core:suspects(C)).

suspects_are_forgotten_after_their_time_test_() ->
    Limits = #{suspect_ttl => 5000, hearsay_ttl => 3000},
    Was = lost(b, 100, with_member(b, #{}, started(Limits))),
    List = message(list, pid(z), #{stay => 1, pids => [pid(b)]}),
    {_, Probing} = step({recv, List}, 99, started(Limits)),
    Never = lost(b, 100, Probing),
    [
        ?_assertEqual([pid(b)], gen_cluster_core:suspects(Was)),
        ?_assertEqual(probing, state_at(5100, Was)),
        ?_assertEqual(unknown, state_at(5101, Was)),
        ?_assertEqual(probing, state_at(3100, Never)),
        ?_assertEqual(unknown, state_at(3101, Never))
    ].

state_at(Now, C) ->
    {_, C1} = step(wake, Now, C),
    gen_cluster_core:state_of(pid(b), C1).

%% Randomness moves each deadline by a quarter at most.
jitter_test_() ->
    [
        ?_assert(lists:member({wake, At}, retry_with(Random)))
     || {Random, At} <- [{0, 750}, {500, 1000}, {1000, 1250}]
    ].

retry_with(Random) ->
    {Effects, _} = gen_cluster_core:step({join, b}, 0, Random, started()),
    Effects.

%% The clock of a runtime may well be negative.
negative_time_test() ->
    C = gen_cluster_core:new(#{self => pid(m), cluster => ?CLUSTER}),
    {Effects, C1} = gen_cluster_core:step({start, [b]}, -100_000, 500, C),
    ?assert(lists:member({wake, -99_000}, Effects)),
    {_, C2} = gen_cluster_core:step(wake, -95_000, 500, C1),
    ?assertEqual(settled, gen_cluster_core:phase(C2)).

%% Helpers

pid(Node) -> pid(Node, 1).
pid(Node, Id) -> full_pid({Node, 1, 0, Id}).

full_pid({Node, Creation, Serial, Id}) ->
    Name = atom_to_binary(Node),
    binary_to_term(<<131, $X, 119, (byte_size(Name)), Name/binary, Id:32, Serial:32, Creation:32>>).

info() ->
    #{v => 1, phase => settled, claim => false, hidden => false, type => t}.

all_keys() ->
    maps:merge(info(), #{
        stay => 1,
        nonce => 1,
        echo => 1,
        want => true,
        contact => true,
        digest => <<0:64>>,
        holder => pid(c),
        pids => []
    }).

message(Kind, From, Map) -> {'$gen_cluster', 1, Kind, ?CLUSTER, From, Map}.

%% Settled and alone, and not to lead.
started() -> started(#{}).
started(Limits) -> started(pid(m), Limits).

started(Self, Limits) ->
    Config = #{self => Self, cluster => ?CLUSTER, type => t, hidden => true, limits => Limits},
    Events = [{start, []}, {named, true}, {whereis, undefined}],
    lists:foldl(
        fun(Event, C) -> element(2, step(Event, C)) end, gen_cluster_core:new(Config), Events
    ).

step(Event, C) -> step(Event, 0, C).
step(Event, Now, C) -> gen_cluster_core:step(Event, Now, 500, C).

effects(Event, C) -> element(1, step(Event, C)).

with_member(Node, Info, C) -> with_pid(pid(Node), Info, C).

with_pid(Pid, Info, C) ->
    Hello = maps:merge(info(), Info#{stay => 1, nonce => 1}),
    {Effects, C1} = step({recv, message(hello, Pid, Hello)}, C),
    [Tag] = [T || {monitor, _, T} <- Effects],
    Ack = maps:merge(info(), Info#{stay => 1, echo => Tag}),
    {_, C2} = step({recv, message(ack, Pid, Ack)}, C1),
    true = gen_cluster_core:is_member(Pid, C2),
    C2.

%% Tags are given one after the other, so that trying all finds the one.
lost(Node, Now, C) ->
    lists:foldl(
        fun(Tag, Acc) -> element(2, step({down, Tag, pid(Node), noconnection}, Now, Acc)) end,
        C,
        lists:seq(1, 10)
    ).

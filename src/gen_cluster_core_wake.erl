%% SPDX-License-Identifier: Apache-2.0
%% What the membership machine does when a time has come that it asked to be woken at.
-module(gen_cluster_core_wake).

-export([wake/1, probe_suspects/3]).

-include("gen_cluster_core.hrl").

-import(gen_cluster_core_lib, [effect/2, jitter/2, backoff/4, probe/4, drop/3, store/2]).

-type core() :: gen_cluster_core:core().

-spec wake(core()) -> core().
wake(C) ->
    sync(retry_seeds(retry_lost_nodes(retry_probings(settle(C))))).

settle(#core{settle_due = Due, now = Now} = C) when Due =/= none, Due =< Now ->
    gen_cluster_core_lib:settle(C);
settle(C) ->
    C.

retry_probings(#core{now = Now, peers = Peers} = C) ->
    lists:foldl(fun retry_probing/2, C, gen_cluster_core_peers:due_until(Now, Peers)).

%% One that never was a member is tried a few times only.
retry_probing(#peer{tries = Tries, was = Was} = Peer, #core{limits = Limits} = C) ->
    #{probe_base := Base, probe_max := Max, probe_tries := MaxTries} = Limits,
    case not Was andalso Tries + 1 >= MaxTries of
        true ->
            drop(Peer, noconnection, C);
        false ->
            Retried = Peer#peer{tries = Tries + 1, due = backoff(Base, Max, Tries + 1, C)},
            gen_cluster_core_lib:hello(Retried, #{}, store(Retried, C))
    end.

retry_lost_nodes(#core{lost = Lost} = C) ->
    lists:foldl(fun retry_lost_node/2, C, Lost).

retry_lost_node(#lost{node = Node} = Lost, C) ->
    #core{peers = Peers, lost = All} = C1 = forget_old_suspects(Node, C),
    Missed = [gen_cluster_core_peers:count(Node, State, Peers) || State <- [suspect, probing]],
    case lists:sum(Missed) of
        0 -> C1#core{lost = lists:keydelete(Node, #lost.node, All)};
        _ when Lost#lost.due > C1#core.now -> C1;
        _ -> probe_lost_node(Lost, C1)
    end.

%% One connection attempt for each silent node and backoff, however many of its pids are missed.
probe_lost_node(#lost{node = Node, tries = Tries} = Lost, #core{peers = Peers} = C) ->
    Which =
        case gen_cluster_core_peers:count(Node, member, Peers) of
            0 -> first;
            _ -> all
        end,
    #{retry_base := Base, retry_max := Max} = C#core.limits,
    Retried = Lost#lost{tries = Tries + 1, due = backoff(Base, Max, Tries + 1, C)},
    gen_cluster_core_lib:store_lost(Retried, probe_suspects(Which, Node, C)).

%% In order.
-spec probe_suspects(first | all, node(), core()) -> core().
probe_suspects(Which, Node, #core{peers = Peers} = C) ->
    Probe = fun(#peer{pid = Pid} = Peer, Acc) -> probe(Peer, Pid, false, Acc) end,
    case gen_cluster_core_peers:on_node(Node, suspect, Peers) of
        [First | _] when Which =:= first -> Probe(First, C);
        Suspects -> lists:foldl(Probe, C, Suspects)
    end.

forget_old_suspects(Node, #core{now = Now, peers = Peers, limits = Limits} = C) ->
    Ttl = fun
        (true) -> map_get(suspect_ttl, Limits);
        (false) -> map_get(hearsay_ttl, Limits)
    end,
    Suspects = gen_cluster_core_peers:on_node(Node, suspect, Peers),
    Old = [Peer || #peer{since = At, was = Was} = Peer <- Suspects, Now - At > Ttl(Was)],
    lists:foldl(fun(Peer, Acc) -> drop(Peer, noconnection, Acc) end, C, Old).

retry_seeds(#core{seeds = Seeds, now = Now} = C) ->
    Due = [Seed || #seed{due = At} = Seed <- Seeds, At =/= none, At =< Now],
    Ask = fun(Seed, Acc) -> gen_cluster_core_lib:ask_seed(Seed#seed{ok = true}, Acc) end,
    lists:foldl(Ask, C, Due).

%% One partner at a time, for ever; and what may have been lost is looked after.
sync(#core{sync_due = Due, now = Now, limits = #{sync := Sync}} = C) when Due =< Now ->
    C1 = effect(register_local, C#core{sync_due = jitter(Sync, C)}),
    Partner = gen_cluster_core_peers:member_after(C#core.cursor, C#core.peers),
    look_after_name(sync_with(Partner, C1));
sync(C) ->
    C.

sync_with(none, C) ->
    C;
sync_with(#peer{key = Key, pid = Pid}, #core{peers = Peers} = C) ->
    {Digest, Peers1} = gen_cluster_core_peers:digest(Peers),
    Info = gen_cluster_core_message:info(gen_cluster_core_lib:own_info(C)),
    gen_cluster_core_lib:send(Pid, sync, Info#{digest => Digest}, C#core{
        peers = Peers1, cursor = Key
    }).

look_after_name(#core{asking = false} = C) ->
    case (gen_cluster_core_lib:own_info(C))#info.claim of
        true -> gen_cluster_core_lib:whereis_global(C);
        false -> C
    end;
look_after_name(C) ->
    C.

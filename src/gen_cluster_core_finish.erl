%% SPDX-License-Identifier: Apache-2.0
%% What the membership machine checks after every event, in this order: seeds, settling, quorum, the
%% leader, taking over, the next deadline.
-module(gen_cluster_core_finish).

-export([finish/1]).

-include("gen_cluster_core.hrl").

-import(gen_cluster_core_lib, [effect/2, backoff/4, has_quorum/1, own_info/1]).

-spec finish(gen_cluster_core:core()) -> gen_cluster_core:core().
finish(#core{phase = out} = C) ->
    C;
finish(C) ->
    C1 = keep_quorum(settle(rearm_seeds(C))),
    Quorum = has_quorum(C1),
    Claimant = claimant(Quorum, C1),
    C2 = hold(Quorum, Claimant, C1),
    Held = C2#core.hold_due =/= none,
    C3 = report_leader(Held, Claimant, C2),
    set_wake(take_over(Quorum andalso Claimant =:= undefined andalso not Held, C3)).

%% A seed on whose node nobody is known any more is asked again.
rearm_seeds(#core{seeds = Seeds, limits = #{retry_base := Base, retry_max := Max}} = C) ->
    Rearm = fun
        (#seed{node = Node, tag = none, due = none, tries = Tries} = Seed) ->
            case is_anybody_on(Node, C) of
                true -> Seed;
                false -> Seed#seed{due = backoff(Base, Max, Tries, C)}
            end;
        (Seed) ->
            Seed
    end,
    C#core{seeds = [Rearm(Seed) || Seed <- Seeds]}.

is_anybody_on(Node, #core{peers = Peers}) ->
    gen_cluster_core_peers:count(Node, member, Peers) > 0 orelse
        gen_cluster_core_peers:count(Node, probing, Peers) > 0.

%% All who could have been there before have answered or failed.
settle(#core{phase = joining, asking = false, naming = false, seeds = Seeds, peers = Peers} = C) ->
    Answered = lists:all(fun(#seed{ok = Ok}) -> Ok end, Seeds),
    case Answered andalso gen_cluster_core_peers:count(probing, Peers) =:= 0 of
        true -> gen_cluster_core_lib:settle(C);
        false -> C
    end;
settle(C) ->
    C.

keep_quorum(C) ->
    case (own_info(C))#info.claim andalso not has_quorum(C) of
        true -> gen_cluster_core_lib:set_claim(false, none, effect(unregister_global, C));
        false -> C
    end.

claimant(true, #core{peers = Peers}) -> gen_cluster_core_peers:claimant(Peers);
claimant(false, _C) -> undefined.

%% A leader that renounced stays reported until the claim of another is known, or the time is over:
%% so the losing side of a split sees one change and not two.
hold(true, undefined, #core{leader = Leader, hold_due = Due, now = Now} = C) when
    Leader =/= undefined
->
    case {is_member(Leader, C), Due} of
        {false, _} -> C#core{hold_due = none};
        {true, none} -> C#core{hold_due = Now + map_get(hold, C#core.limits)};
        {true, _} when Now < Due -> C;
        {true, _} -> C#core{hold_due = none}
    end;
hold(_Quorum, _Claimant, C) ->
    C#core{hold_due = none}.

is_member(Pid, C) ->
    case gen_cluster_core_lib:find(Pid, C) of
        #peer{state = State} -> State =:= member orelse State =:= self;
        unknown -> false
    end.

report_leader(true, _Claimant, C) ->
    C;
report_leader(false, Leader, #core{leader = Leader} = C) ->
    C;
report_leader(false, Leader, #core{peers = Peers} = C) ->
    Pids = gen_cluster_core_peers:pids(Peers),
    effect({handle_leader_change, Leader, Pids}, C#core{leader = Leader}).

take_over(_Vacant, #core{asking = true} = C) ->
    C;
take_over(true, #core{phase = settled, now = Now} = C) ->
    case (own_info(C))#info.hidden of
        true -> take_nothing(C);
        false when C#core.take_due =:= none -> take_at(Now + turn(C), C);
        false -> take_at(C#core.take_due, C)
    end;
take_over(_Vacant, C) ->
    take_nothing(C).

take_nothing(C) ->
    C#core{take_due = none, take_tries = 0}.

take_at(Due, #core{now = Now} = C) when Due =< Now ->
    effect(register_global, C#core{asking = true, take_due = none});
take_at(Due, C) ->
    C#core{take_due = Due}.

%% Each who could lead waits for those before it.
turn(#core{key = Key, peers = Peers, limits = #{take_step := Step}}) ->
    Before = gen_cluster_core_peers:before(Key, Peers),
    Step * length([Peer || #peer{info = #info{hidden = false}} = Peer <- Before]).

%% While an answer about the name is due nothing is taken, however late it is; the answer wakes as
%% well.
take_due(#core{asking = true}) -> none;
take_due(#core{take_due = Due}) -> Due.

set_wake(#core{wake = Wake, peers = Peers, seeds = Seeds, lost = Lost} = C) ->
    Dues =
        [
            gen_cluster_core_peers:next_due(Peers),
            C#core.settle_due,
            C#core.sync_due,
            take_due(C),
            C#core.hold_due
        ] ++ [Due || #seed{due = Due} <- Seeds] ++ [Due || #lost{due = Due} <- Lost],
    %% Any integer is less than an atom.
    case lists:min(Dues) of
        Wake -> C;
        Due -> effect({wake, Due}, C#core{wake = Due})
    end.

%% SPDX-License-Identifier: Apache-2.0
%% Lives of clusters in a world with a virtual clock and network. A seed decides on everything: how
%% many nodes, which of them are hidden, who looks where for members, and what goes wrong. When it
%% has been quiet for as long as the machine may need, all that members promise is checked.
-module(membership_sim).

-export([run/1, run/2, run_all/3, happen/2, disasters/0]).

-export_type([result/0]).

-include("membership_world.hrl").

-import(membership_world, [random/2, pick/2, chance/2, schedule/3]).

-type result() ::
    {ok, Counts :: #{atom() => pos_integer()}} | {failed, Seed :: integer(), Faults :: [term()]}.

%% retry_max and probe_max, and some for an answer of global and the like; sync. Each is a quarter
%% longer by chance.
-define(RETRY_MS, 125_000).
-define(SYNC_MS, 12_500).

%% All seeds from First on, on so many processes; the ones that failed.
-spec run_all(integer(), pos_integer(), pos_integer()) -> [result()].
run_all(First, Count, Workers) ->
    Seeds = lists:seq(First, First + Count - 1),
    Shares = [[Seed || Seed <- Seeds, Seed rem Workers =:= N] || N <- lists:seq(0, Workers - 1)],
    Running = [
        spawn_monitor(fun() -> exit({results, [run(Seed) || Seed <- Share]}) end)
     || Share <- Shares
    ],
    lists:append([
        receive
            {'DOWN', Monitor, process, Pid, {results, Results}} -> Results;
            {'DOWN', Monitor, process, Pid, Reason} -> exit(Reason)
        end
     || {Pid, Monitor} <- Running
    ]).

-spec run(integer()) -> result().
run(Seed) ->
    case run(Seed, #{}) of
        {[], W} -> {ok, figures(W)};
        {Faults, _} -> {failed, Seed, Faults}
    end.

%% The faults, and the world as it is at the end.
-spec run(integer(), map()) -> {[term()], membership_world:world()}.
run(Seed, Options) ->
    try
        {End, W} = plan(membership_world:new(Seed, Options)),
        W1 = end_chaos(membership_world:run(End, W)),
        %% What was repeated turns up for a while.
        W2 = membership_world:run(End + 7000, W1),
        Knew = membership_checks:knows(W2),
        W3 = membership_world:run(End + 7000 + quiet_ms(W2), W2),
        case W3#world.faults of
            [] -> {(membership_checks:quiet(Knew, W3))#world.faults, W3};
            Faults -> {Faults, W3}
        end
    catch
        Class:Reason:Stack -> {[{Class, Reason, Stack}], membership_world:new(Seed, Options)}
    end.

%% Two rounds of sync are enough to find one another. What was lost without the connection being
%% lost is told when it is the member's turn.
quiet_ms(#world{options = #{lossy := false}}) -> ?RETRY_MS + 2 * ?SYNC_MS;
quiet_ms(W) -> ?RETRY_MS + max(2, length(membership_world:alive(W))) * ?SYNC_MS.

figures(#world{steps = Steps, nodes = Nodes, counts = Counts}) ->
    Counts#{steps => Steps, nodes => maps:size(Nodes)}.

%% Plans

plan(W) ->
    {Kind, W1} = pick([calm, split, chaos, chaos, chaos, chaos, chaos], W),
    {Size, W2} = pick_size(W1),
    {IsBehindQuorum, W3} = chance(20, W2),
    {Quorum, W4} =
        case IsBehindQuorum of
            true -> random(Size, W3);
            false -> {1, W3}
        end,
    Options = (W4#world.options)#{quorum => Quorum, calm => Kind =:= calm, lossy => false},
    plan(Kind, Size, W4#world{options = Options}).

%% Small worlds are the most: most schedules that break something need few members.
pick_size(W) ->
    {N, W1} = random(100, W),
    {Least, Most} =
        if
            N =< 50 -> {2, 6};
            N =< 85 -> {7, 12};
            true -> {13, 30}
        end,
    {More, W2} = random(Most - Least + 1, W1),
    {Least + More - 1, W2}.

plan(calm, Size, W) ->
    {20_000, plan_members(1, 5_000, plan_nodes(Size, W))};
plan(split, Size, W) ->
    W1 = plan_members(1, 2_000, plan_nodes(Size, W)),
    {Ms, W2} = random(60_000, W1),
    %% Each half has found its leader in the meantime.
    Heal =
        case Ms > 30_000 of
            true -> heal_long_split;
            false -> heal
        end,
    {10_000 + Ms, later(10_000, split, later(10_000 + Ms, Heal, W2))};
plan(chaos, Size, W) ->
    {Loss, W1} = pick([0, 0, 1, 2], W),
    {Repeat, W2} = pick([0, 0, 2, 10], W1),
    {Delay, W3} = pick([5, 50, 500], W2),
    Options = (W3#world.options)#{lossy := Loss > 0},
    W4 = plan_nodes(
        Size, W3#world{options = Options, loss = Loss, repeat = Repeat, delay = Delay}
    ),
    W5 = plan_members(2, 20_000, W4),
    {Count, W6} = random(4 + 2 * min(Size, 8), W5),
    {50_000, plan_disasters(Count, W6)}.

plan_nodes(Size, W) ->
    Names = [list_to_atom("n" ++ integer_to_list(N)) || N <- lists:seq(1, Size)],
    {HiddenPercent, W1} = pick([0, 0, 20, 50], W),
    lists:foldl(
        fun(Name, Acc) ->
            {Hidden, Acc1} = chance(HiddenPercent, Acc),
            membership_world:start_node(Name, membership_world:add_node(Name, Hidden, Acc1))
        end,
        W1,
        Names
    ).

%% Some nodes have two members.
plan_members(MostOnNode, Within, W) ->
    {KnowsSeeds, W1} = chance(90, W),
    Names = membership_world:node_names(W1),
    {First, W2} = pick(Names, W1),
    lists:foldl(
        fun(Name, Acc) ->
            {IsTwice, Acc1} = chance(10, Acc),
            Count =
                case IsTwice of
                    true -> MostOnNode;
                    false -> 1
                end,
            plan_member(Count, Name, Within, KnowsSeeds, First, Acc1)
        end,
        W2,
        Names
    ).

plan_member(0, _Name, _Within, _KnowsSeeds, _First, W) ->
    W;
plan_member(Count, Name, Within, KnowsSeeds, First, W) ->
    {Seeds, W1} = seeds(KnowsSeeds, First, W),
    {Ms, W2} = random(Within, W1),
    plan_member(Count - 1, Name, Within, KnowsSeeds, First, later(Ms, {start, Name, Seeds}, W2)).

%% Most have one seed in common.
seeds(false, _First, W) ->
    {[], W};
seeds(true, First, W) ->
    {Other, W1} = pick(membership_world:node_names(W), W),
    pick([[First], [First], [First, Other], [Other], []], W1).

later(Ms, What, W) -> schedule(Ms, {plan, ?MODULE, What}, W).

plan_disasters(0, W) ->
    W;
plan_disasters(Count, W) ->
    {What, W1} = pick(disasters(), W),
    {Ms, W2} = random(45_000, W1),
    plan_disasters(Count - 1, later(Ms, What, W2)).

%% What may go wrong; the more often it stands here, the more often it does.
-spec disasters() -> [atom()].
disasters() ->
    [
        split, split, heal, blink, blink, blink, cut_some, crash, crash, crash, crash_node,
        crash_node, stop, leave, leave_start, pause, pause, join, update
    ].

%% What happens then

-spec happen(term(), membership_world:world()) -> membership_world:world().
happen({start, Name, Seeds}, #world{nodes = Nodes} = W) ->
    case map_get(Name, Nodes) of
        #node{up = true} ->
            {Pid, W1} = membership_world:start_proc(Name, Seeds, W),
            membership_world:event(Pid, {start, Seeds}, W1);
        #node{} ->
            W
    end;
happen({start_node, Name, Seeds}, #world{nodes = Nodes} = W) ->
    case map_get(Name, Nodes) of
        #node{up = true} -> W;
        #node{} -> happen({start, Name, Seeds}, membership_world:start_node(Name, W))
    end;
happen({start_again, Pid}, #world{procs = Procs} = W) ->
    membership_world:event(Pid, {start, (map_get(Pid, Procs))#proc.seeds}, W);
happen(heal, W) ->
    membership_world:heal_all(W);
happen(heal_long_split, W) ->
    membership_checks:healed(membership_world:heal_all(W));
happen({heal, A, B}, W) ->
    membership_world:heal(A, B, W);
happen(split, W) ->
    Names = membership_world:node_names(W),
    {Sides, W1} = lists:mapfoldl(
        fun(Name, Acc) ->
            {Side, Acc1} = random(2, Acc),
            {{Name, Side}, Acc1}
        end,
        W,
        Names
    ),
    Cuts = [{A, B} || {A, 1} <- Sides, {B, 2} <- Sides],
    lists:foldl(fun({A, B}, Acc) -> membership_world:cut(A, B, Acc) end, W1, Cuts);
happen(cut_some, W) ->
    Names = membership_world:node_names(W),
    lists:foldl(
        fun({A, B}, Acc) ->
            case chance(25, Acc) of
                {true, Acc1} -> cut_for(20_000, A, B, Acc1);
                {false, Acc1} -> Acc1
            end
        end,
        W,
        [{A, B} || A <- Names, B <- Names, A < B]
    );
happen(blink, W) ->
    {[A, B], W1} = some(2, membership_world:node_names(W), W),
    cut_for(3_000, A, B, W1);
happen(What, W) ->
    case membership_world:alive(W) of
        [] ->
            W;
        Procs ->
            {P, W1} = pick(Procs, W),
            disaster(What, P, W1)
    end.

cut_for(Most, A, B, W) ->
    {Ms, W1} = random(Most, W),
    later(Ms, {heal, A, B}, membership_world:cut(A, B, W1)).

some(0, _List, W) ->
    {[], W};
some(Count, List, W) ->
    {One, W1} = pick(List, W),
    {Others, W2} = some(Count - 1, lists:delete(One, List), W1),
    {[One | Others], W2}.

%% It may be supervised, and be started again under the same name.
disaster(crash, #proc{pid = Pid, node = Name, seeds = Seeds}, W) ->
    {Reason, W1} = pick([boom, killed, shutdown], W),
    W2 = membership_world:stop_proc(Pid, Reason, W1),
    again({start, Name, Seeds}, 3_000, W2);
disaster(crash_node, #proc{node = Name, seeds = Seeds}, W) ->
    again({start_node, Name, Seeds}, 15_000, membership_world:stop_node(Name, W));
%% It says farewell and ends.
disaster(stop, #proc{pid = Pid}, W) ->
    membership_world:stop_proc(Pid, normal, membership_world:event(Pid, leave, W));
disaster(leave, #proc{pid = Pid}, W) ->
    membership_world:event(Pid, leave, W);
disaster(leave_start, #proc{pid = Pid}, W) ->
    {Ms, W1} = random(10_000, membership_world:event(Pid, leave, W)),
    later(Ms, {start_again, Pid}, W1);
disaster(pause, #proc{pid = Pid}, W) ->
    {Ms, W1} = random(8_000, W),
    membership_world:pause(Pid, Ms, W1);
disaster(update, #proc{pid = Pid}, W) ->
    membership_world:event(Pid, {update, #{type => t}}, W);
disaster(join, #proc{pid = Pid}, W) ->
    {Seed, W1} = pick(membership_world:node_names(W), W),
    #world{procs = Procs} = W2 = membership_world:event(Pid, {join, Seed}, W1),
    P = map_get(Pid, Procs),
    W2#world{procs = Procs#{Pid := P#proc{seeds = [Seed | P#proc.seeds]}}}.

again(What, Most, W) ->
    {Ms, W1} = random(Most, W),
    case chance(75, W1) of
        {true, W2} -> later(Ms, What, W2);
        {false, W2} -> W2
    end.

%% The network is whole and loses nothing any more.
end_chaos(W) ->
    membership_world:heal_all(W#world{loss = 0, repeat = 0}).

%% SPDX-License-Identifier: Apache-2.0
%% What members promise, checked after each step and when the world has been quiet for long enough.
-module(membership_checks).

-export([step/4, healed/1, quiet/2, knows/1]).

-include("membership_world.hrl").

-type world() :: membership_world:world().

%% After each step

-spec step(pid(), gen_cluster_core:event(), [gen_cluster_core:effect()], world()) -> world().
step(Pid, Event, Effects, W) ->
    W1 = lists:foldl(fun(Effect, Acc) -> effect(Effect, Pid, Event, Acc) end, W, Effects),
    W2 =
        case Event of
            leave -> forget(Pid, W1);
            _ -> W1
        end,
    #proc{core = Core, told = Told, leader = Leader} = proc(Pid, W2),
    W3 = check(
        gen_cluster_core:phase(Core) =:= out orelse
            gen_cluster_core:pids(Core) =:= in_order([Pid | Told]),
        {members_differ_from_what_was_told, Pid, Event},
        W2
    ),
    IsTold = gen_cluster_core:leader(Core) =:= Leader,
    check(IsTold, {leader_differs_from_what_was_told, Pid, Event}, W3).

forget(Pid, #world{left = Left, lost = Lost} = W) ->
    store((proc(Pid, W))#proc{told = [], leader = undefined}, W#world{
        left = Left#{Pid => []},
        lost = maps:filter(fun({Owner, _}, _) -> Owner =/= Pid end, Lost)
    }).

effect({handle_join, New, Pids}, Pid, {recv, Message}, W) ->
    #{stay := Stay} = element(6, Message),
    #world{joined = Joined} = W1 = joined(New, Pids, Pid, W),
    Contacts = lists:usort([Pid | maps:get({New, Stay}, Joined, [])]),
    W2 = W1#world{joined = Joined#{{New, Stay} => Contacts}},
    check([Pid] =:= Contacts, {two_contacts, New, Stay, Contacts}, W2);
effect({Join, New, Pids}, Pid, {recv, Message}, #world{contacts = Contacts} = W) when
    Join =:= handle_node_joined; Join =:= silent_join
->
    Key = {New, map_get(stay, element(6, Message))},
    %% Both greeted at once: the answer to the contact's own hello overtook the one that names it.
    Contacts1 =
        case Contacts of
            #{Key := Pid} -> Contacts#{Key := overtaken};
            _ -> Contacts
        end,
    joined(New, Pids, Pid, W#world{contacts = Contacts1});
effect({handle_leave, Gone, Pids, Info}, Pid, _Event, W) ->
    #proc{told = Told} = P = proc(Pid, W),
    W0 =
        case Info of
            noconnection -> lost(Pid, Gone, W);
            _ -> W
        end,
    W1 = store(P#proc{told = lists:delete(Gone, Told)}, W0),
    W2 = check(lists:member(Gone, Told), {leave_without_join, Pid, Gone}, W1),
    W3 = check(is_true(Info, Pid, Gone, W), {untrue, Info, Pid, Gone}, W2),
    check_list(Pids, Pid, W3);
effect({handle_leader_change, Leader, Pids}, Pid, _Event, W) ->
    #proc{leader = Old} = P = proc(Pid, W),
    Changed = count_change(Pid, store(P#proc{leader = Leader}, W)),
    W1 = check(Leader =/= Old, {same_leader, Pid, Leader}, Changed),
    IsMember = Leader =:= undefined orelse lists:member(Leader, Pids),
    W2 = check(IsMember, {no_member_leads, Pid, Leader}, W1),
    check_list(Pids, Pid, W2);
effect({send, To, {_, _, _, _, Pid, #{contact := true, stay := Stay}}}, Pid, _Event, W) when
    is_pid(To)
->
    Contact =
        case lists:member(Pid, (proc(To, W))#proc.told) of
            true -> overtaken;
            false -> To
        end,
    W#world{contacts = (W#world.contacts)#{{Pid, Stay} => Contact}};
effect(_Effect, _Pid, _Event, W) ->
    W.

%% Who loses somebody again after a split was healed may see its leader change again.
lost(Pid, Gone, #world{lost = Lost, followed = Followed} = W) ->
    W#world{lost = Lost#{{Pid, Gone} => []}, followed = maps:remove(Pid, Followed)}.

count_change(Pid, #world{followed = Followed, changes = Changes} = W) ->
    case Followed of
        #{Pid := _} -> W#world{changes = Changes#{Pid => maps:get(Pid, Changes, 0) + 1}};
        _ -> W
    end.

joined(New, Pids, Pid, W) ->
    #proc{told = Told} = P = proc(Pid, W),
    W1 = check(not lists:member(New, Told), {joined_twice, Pid, New}, W),
    W2 = check(New =/= Pid, {joined_itself, Pid}, W1),
    check_list(Pids, Pid, store(P#proc{told = [New | Told]}, W2)).

%% A callback is given all whom it was told of, itself included, in the order of all members.
check_list(Pids, Pid, W) ->
    #proc{told = Told} = proc(Pid, W),
    check(Pids =:= in_order([Pid | Told]), {wrong_list, Pid, Pids}, W).

is_true(noconnection, Pid, Gone, #world{broken = Broken}) ->
    is_map_key(pair(node(Pid), node(Gone)), Broken);
is_true(left, _Pid, Gone, #world{left = Left}) ->
    is_map_key(Gone, Left);
is_true(Reason, _Pid, Gone, W) ->
    case proc(Gone, W) of
        #proc{alive = false, reason = Reason} -> true;
        _ -> false
    end.

pair(A, B) when A < B -> {A, B};
pair(A, B) -> {B, A}.

in_order(Pids) ->
    [Pid || {_, Pid} <- lists:sort([{gen_cluster_pid:key(Pid), Pid} || Pid <- Pids])].

proc(Pid, #world{procs = Procs}) -> map_get(Pid, Procs).

store(#proc{pid = Pid} = P, #world{procs = Procs} = W) -> W#world{procs = Procs#{Pid := P}}.

check(true, _Fault, W) -> W;
check(false, Fault, #world{faults = Faults, now = Now} = W) ->
    W#world{faults = [{Now, Fault} | Faults]}.

%% From now on changes of the leader are counted, if there are two sides and not more.
-spec healed(world()) -> world().
healed(W) ->
    Followed = maps:from_list([{P#proc.pid, P#proc.leader} || P <- members(W)]),
    case length(lists:usort(maps:values(Followed)) -- [undefined]) =< 2 of
        true -> W#world{followed = Followed};
        false -> W
    end.

%% After the quiet

members(W) ->
    [P || P <- membership_world:alive(W), gen_cluster_core:phase(P#proc.core) =/= out].

%% Pairs of living members of which the first knows or remembers the other, or has it for a seed.
%% Who was lost with the connection has to be remembered, unless it has said farewell to somebody
%% since.
-spec knows(world()) -> [{pid(), pid()}].
knows(W) ->
    Members = members(W),
    [
        {Pid, Other}
     || #proc{pid = Pid} = P <- Members,
        #proc{pid = Other} = O <- Members,
        Pid =/= Other,
        gen_cluster_core:state_of(Other, P#proc.core) =/= unknown orelse
            has_lost(Pid, Other, W) orelse has_for_seed(P, O, W)
    ].

has_lost(Pid, Other, #world{lost = Lost, left = Left}) ->
    is_map_key({Pid, Other}, Lost) andalso not is_map_key(Other, Left).

has_for_seed(#proc{node = Here, seeds = Seeds}, #proc{pid = Other, node = There}, W) ->
    #node{local = Local} = map_get(There, W#world.nodes),
    Local =:= Other andalso lists:member(There, [Here | Seeds]).

%% Those who could have found one another agree. Knew: what knows/1 said when the quiet began.
-spec quiet([{pid(), pid()}], world()) -> world().
quiet(Knew, W) ->
    Members = members(W),
    Parts = parts([Pid || #proc{pid = Pid} <- Members], Knew ++ knows(W)),
    W1 = lists:foldl(fun(P, Acc) -> quiet_member(P, Parts, Acc) end, W, Members),
    W2 = lists:foldl(fun quiet_part/2, W1, Parts),
    W3 = lists:foldl(fun followed/2, W2, maps:to_list(W2#world.followed)),
    case W3#world.options of
        #{calm := true} -> calm(W3);
        _ -> W3
    end.

%% Lists of pids that are linked by chains of pairs.
parts(Pids, Pairs) ->
    lists:foldl(fun join_parts/2, [[Pid] || Pid <- Pids], Pairs).

join_parts({A, B}, Parts) ->
    {Joined, Others} = lists:partition(
        fun(Part) -> lists:member(A, Part) orelse lists:member(B, Part) end, Parts
    ),
    [lists:append(Joined) | Others].

quiet_member(#proc{pid = Pid, core = Core}, Parts, W) ->
    [Part] = [Part || Part <- Parts, lists:member(Pid, Part)],
    W1 = check(
        gen_cluster_core:pids(Core) =:= in_order(Part),
        {lists_differ, Pid, gen_cluster_core:pids(Core), in_order(Part)},
        W
    ),
    W2 = check(gen_cluster_core:phase(Core) =:= settled, {not_settled, Pid}, W1),
    Reachable = [
        Suspect
     || Suspect <- gen_cluster_core:suspects(Core), is_up(node(Suspect), W)
    ],
    check(Reachable =:= [], {remembers, Pid, Reachable}, W2).

is_up(Node, #world{nodes = Nodes}) -> (map_get(Node, Nodes))#node.up.

%% All agree on the leader, who is the holder of the name, if there may be one.
quiet_part(Part, #world{options = Options} = W) ->
    Leaders = lists:usort([gen_cluster_core:leader((proc(Pid, W))#proc.core) || Pid <- Part]),
    CanLead = [Pid || Pid <- Part, not map_get(hidden, (proc(Pid, W))#proc.config)],
    IsLed = CanLead =/= [] andalso length(Part) >= maps:get(quorum, Options, 1),
    case {IsLed, Leaders} of
        {false, [undefined]} ->
            W;
        {true, [Leader]} when Leader =/= undefined ->
            Holders = lists:usort([membership_global:holder(node(Pid), W) || Pid <- CanLead]),
            check(Holders =:= [Leader], {leader_is_not_holder, Leader, Holders}, W);
        _ ->
            check(false, {leaders, IsLed, Part, Leaders}, W)
    end.

%% Of a split that heals the winner's side sees nothing, and the losing side one change.
followed({_Pid, undefined}, W) ->
    W;
followed({Pid, Leader}, #world{changes = Changes} = W) ->
    Expected =
        case gen_cluster_core:leader((proc(Pid, W))#proc.core) of
            Leader -> 0;
            _ -> 1
        end,
    Count = maps:get(Pid, Changes, 0),
    check(Count =:= Expected, {leader_changes, Pid, Count, Expected}, W).

%% Nothing went wrong in this world: each who named a contact was joined by it.
calm(#world{contacts = Contacts, joined = Joined} = W) ->
    Missed = [
        Key
     || {Key, Contact} <- lists:sort(maps:to_list(Contacts)),
        Contact =/= overtaken,
        not is_map_key(Key, Joined)
    ],
    check(Missed =:= [], {nobody_ran_handle_join, Missed}, W).

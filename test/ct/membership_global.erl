%% SPDX-License-Identifier: Apache-2.0
%% What `global` does with the leader's name in the world of the simulator. Each visible node has a
%% table of its own, which may be old; where tables meet that differ, the smaller node name wins,
%% and the loser is told. A hidden node has no part in it.
-module(membership_global).

-export([ask/3, happen/2, connected/4, node_lost/3, died/2, holder/2]).

-include("membership_world.hrl").

-import(membership_world, [schedule/3, random/2, chance/2, is_connected/3]).

-type world() :: membership_world:world().

-define(LOOK_MS, 3000).

%% A member's helper process calls global; the answer comes to the member.
-spec ask(register | unregister | whereis, pid(), world()) -> world().
ask(Request, Pid, W) ->
    {IsSlow, W1} = chance(5, W),
    Most =
        case IsSlow of
            true -> 5000;
            false -> 100
        end,
    {Ms, W2} = random(Most, W1),
    schedule(Ms, {global, {Request, Pid}}, W2).

-spec happen(tuple(), world()) -> world().
happen({whereis, Pid}, W) ->
    answer(Pid, {whereis, pid_or_undefined(table(node(Pid), W))}, W);
happen({register, Pid}, W) ->
    case is_alive(Pid, W) of
        true -> take(Pid, W);
        false -> W
    end;
happen({unregister, Pid}, W) ->
    case table(node(Pid), W) of
        Pid -> tell(group(node(Pid), W), Pid, none, W);
        _ -> W
    end;
happen({set, Node, Old, New}, W) ->
    case table(Node, W) of
        Old -> set(Node, New, W);
        _ -> W
    end;
happen({meet, A, B}, W) ->
    case is_connected(A, B, W) of
        true -> meet(A, B, W);
        false -> W
    end;
happen(look, W) ->
    look(schedule(?LOOK_MS, {global, look}, W)).

%% What the tables say on the nodes that take part.
-spec holder(node(), world()) -> pid() | none.
holder(Node, W) -> table(Node, W).

%% Two nodes exchange their tables soon after they were connected.
-spec connected(node(), node(), pos_integer(), world()) -> world().
connected(A, B, Number, W) ->
    {Ms, W1} = random(300, W),
    W2 = schedule(Ms, {global, {meet, A, B}}, W1),
    case Number of
        1 -> schedule(?LOOK_MS, {global, look}, W2);
        _ -> W2
    end.

-spec node_lost(node(), node(), world()) -> world().
node_lost(Here, There, W) ->
    case table(Here, W) of
        Pid when is_pid(Pid), node(Pid) =:= There -> set(Here, none, W);
        _ -> W
    end.

%% Each node that is connected with it notices.
-spec died(pid(), world()) -> world().
died(Pid, W) ->
    tell(group(node(Pid), W), Pid, none, W).

take(Pid, W) ->
    Group = group(node(Pid), W),
    Holders = [table(Node, W) || Node <- Group, table(Node, W) =/= none],
    case {is_visible(node(Pid), W), Holders} of
        {false, _} -> answer(Pid, {registered, no, undefined}, W);
        {true, [Holder | _]} -> answer(Pid, {registered, no, Holder}, W);
        {true, []} -> answer(Pid, {registered, yes, Pid}, tell(Group, none, Pid, W))
    end.

answer(Pid, Event, W) ->
    {Ms, W1} = random(20, W),
    schedule(Ms, {event, Pid, Event}, W1).

%% Most nodes know at once, some later.
tell([Node | Others], Old, New, W) ->
    Told = happen({set, Node, Old, New}, W),
    lists:foldl(
        fun(Other, Acc) ->
            {IsLate, Acc1} = chance(20, Acc),
            {Ms, Acc2} = random(1500, Acc1),
            case IsLate of
                true -> schedule(Ms, {global, {set, Other, Old, New}}, Acc2);
                false -> happen({set, Other, Old, New}, Acc2)
            end
        end,
        Told,
        Others
    ).

meet(A, B, W) ->
    case {table(A, W), table(B, W)} of
        {Same, Same} -> W;
        {none, Holder} -> tell(group(A, W), none, Holder, W);
        {Holder, none} -> tell(group(B, W), none, Holder, W);
        {X, Y} -> resolve(by_node(X, Y), lists:usort(group(A, W) ++ group(B, W)), W)
    end.

by_node(X, Y) ->
    [Pid || {_, Pid} <- lists:sort([{gen_cluster_pid:key(Pid), Pid} || Pid <- [X, Y]])].

resolve([Winner, Loser], Group, W) ->
    W1 = lists:foldl(fun(Node, Acc) -> happen({set, Node, Loser, Winner}, Acc) end, W, Group),
    {Ms, W2} = random(100, W1),
    schedule(Ms, {event, Loser, conflict}, W2).

%% Now and then all is compared again: what was told too late, and who has died unseen.
look(W) ->
    Nodes = visible(W),
    W1 = lists:foldl(fun forget_dead/2, W, Nodes),
    Pairs = [{A, B} || A <- Nodes, B <- Nodes, A < B, is_connected(A, B, W1)],
    lists:foldl(fun({A, B}, Acc) -> meet(A, B, Acc) end, W1, Pairs).

forget_dead(Node, W) ->
    case table(Node, W) of
        none ->
            W;
        Pid ->
            IsNear = node(Pid) =:= Node orelse is_connected(Node, node(Pid), W),
            case IsNear andalso is_alive(Pid, W) of
                true -> W;
                false -> set(Node, none, W)
            end
    end.

is_alive(Pid, #world{procs = Procs}) ->
    case Procs of
        #{Pid := #proc{alive = Alive}} -> Alive;
        _ -> false
    end.

%% Only of nodes that are up and take part.
table(Node, #world{nodes = Nodes}) ->
    case Nodes of
        #{Node := #node{up = true, hidden = false, global = Holder}} -> Holder;
        _ -> none
    end.

set(Node, New, #world{nodes = Nodes} = W) ->
    case Nodes of
        #{Node := #node{up = true, hidden = false} = N} ->
            %% A name whose holder has died meanwhile is never told again.
            Holder =
                case New =:= none orelse is_alive(New, W) of
                    true -> New;
                    false -> none
                end,
            W#world{nodes = Nodes#{Node := N#node{global = Holder}}};
        _ ->
            W
    end.

visible(#world{nodes = Nodes}) ->
    lists:sort([Name || #node{name = Name, up = true, hidden = false} <- maps:values(Nodes)]).

is_visible(Node, #world{nodes = Nodes}) ->
    not (map_get(Node, Nodes))#node.hidden.

%% The node itself, and those it is connected with.
group(Node, W) ->
    [Node | [Other || Other <- visible(W), Other =/= Node, is_connected(Node, Other, W)]].

pid_or_undefined(none) -> undefined;
pid_or_undefined(Pid) -> Pid.

%% SPDX-License-Identifier: Apache-2.0
%% The world in which the simulator lets members live: nodes that come and go, connections that
%% break and are noticed late, signals that do not overtake on one connection, and processes that
%% carry out the effects of their machines.
-module(membership_world).

-export([new/2, run/2, random/2, pick/2, chance/2, schedule/3]).
-export([add_node/3, start_node/2, stop_node/2, start_proc/3, stop_proc/3, event/3, pause/3]).
-export([cut/3, heal/3, heal_all/1, connect/3, is_connected/3, alive/1, node_names/1]).

-include("membership_world.hrl").

-type world() :: #world{}.
-export_type([world/0]).

-spec new(integer(), map()) -> world().
new(Seed, Options) ->
    #world{seed = Seed, options = Options, rng = rand:seed_s(exsss, Seed)}.

%% Chance

%% One of 1..N.
-spec random(pos_integer(), world()) -> {pos_integer(), world()}.
random(N, #world{rng = Rng} = W) ->
    {Number, Rng1} = rand:uniform_s(N, Rng),
    {Number, W#world{rng = Rng1}}.

-spec pick([T, ...], world()) -> {T, world()}.
pick(List, W) ->
    {N, W1} = random(length(List), W),
    {lists:nth(N, List), W1}.

-spec chance(0..100, world()) -> {boolean(), world()}.
chance(0, W) ->
    {false, W};
chance(Percent, W) ->
    {N, W1} = random(100, W),
    {N =< Percent, W1}.

%% Time

%% Something happens so many milliseconds from now.
-spec schedule(non_neg_integer(), tuple(), world()) -> world().
schedule(Ms, What, #world{now = Now} = W) -> schedule_at(Now + Ms, What, W).

schedule_at(At, What, #world{sequence = Sequence, queue = Queue} = W) ->
    Queue1 = gb_trees:insert({At, Sequence}, What, Queue),
    W#world{sequence = Sequence + 1, queue = Queue1}.

%% Until a time, or until a fault was found. What the world does not know is handed to the plan.
-spec run(integer(), world()) -> world().
run(_Until, #world{faults = [_ | _]} = W) ->
    W;
run(Until, #world{queue = Queue} = W) ->
    case not gb_trees:is_empty(Queue) andalso gb_trees:take_smallest(Queue) of
        {{At, _}, What, Queue1} when At =< Until ->
            run(Until, happen(What, W#world{now = At, queue = Queue1}));
        _ ->
            W#world{now = Until}
    end.

happen({event, Pid, Event}, W) -> event(Pid, Event, W);
happen({wake, Pid, At}, W) -> wake(Pid, At, W);
happen({signal, Connection, To, Signal}, W) -> arrive(Connection, To, Signal, W);
happen({repeated, To, Message}, W) -> receive_message(To, Message, W);
happen({notice, Connection, Here, There}, W) -> notice(Connection, Here, There, W);
happen({unreachable, Key, What}, W) -> fire(Key, What, noconnection, W);
happen({global, What}, W) -> membership_global:happen(What, W);
happen({plan, Module, What}, W) -> Module:happen(What, count(plan_name(What), W)).

plan_name(What) when is_tuple(What) -> element(1, What);
plan_name(What) -> What.

count(What, #world{counts = Counts} = W) ->
    W#world{counts = Counts#{What => maps:get(What, Counts, 0) + 1}}.

%% Nodes

-spec add_node(node(), boolean(), world()) -> world().
add_node(Name, Hidden, #world{nodes = Nodes} = W) ->
    W#world{nodes = Nodes#{Name => #node{name = Name, hidden = Hidden}}}.

-spec node_names(world()) -> [node()].
node_names(#world{nodes = Nodes}) -> lists:sort(maps:keys(Nodes)).

%% Under a new creation each time.
-spec start_node(node(), world()) -> world().
start_node(Name, W) ->
    #node{creation = Creation, hidden = Hidden} = node_of(Name, W),
    Node = #node{name = Name, up = true, hidden = Hidden, creation = Creation + 1},
    store_node(Node, W).

%% Nobody is told; the others notice that their connections are gone.
-spec stop_node(node(), world()) -> world().
stop_node(Name, #world{procs = Procs, views = Views} = W) ->
    Dead = maps:map(
        fun
            (_, #proc{node = Node, alive = true} = P) when Node =:= Name ->
                P#proc{alive = false, reason = node};
            (_, P) ->
                P
        end,
        Procs
    ),
    W1 = lists:foldl(
        fun(Other, Acc) -> break(Name, Other, Acc) end,
        W#world{procs = Dead},
        [There || {Here, There} <- lists:sort(maps:keys(Views)), Here =:= Name] ++
            [Here || {Here, There} <- lists:sort(maps:keys(Views)), There =:= Name]
    ),
    Views1 = maps:filter(fun({Here, _}, _) -> Here =/= Name end, W1#world.views),
    Node = node_of(Name, W1),
    store_node(Node#node{up = false, local = none, global = none}, W1#world{views = Views1}).

node_of(Name, #world{nodes = Nodes}) -> map_get(Name, Nodes).

store_node(#node{name = Name} = Node, #world{nodes = Nodes} = W) ->
    W#world{nodes = Nodes#{Name := Node}}.

is_up(Name, #world{nodes = Nodes}) ->
    case Nodes of
        #{Name := #node{up = Up}} -> Up;
        _ -> false
    end.

%% Connections

pair(A, B) when A < B -> {A, B};
pair(A, B) -> {B, A}.

%% From now on nothing goes between these two; each end notices in its own time.
-spec cut(node(), node(), world()) -> world().
cut(A, B, #world{cuts = Cuts} = W) ->
    break(A, B, W#world{cuts = Cuts#{pair(A, B) => []}}).

-spec heal(node(), node(), world()) -> world().
heal(A, B, #world{cuts = Cuts} = W) ->
    W#world{cuts = maps:remove(pair(A, B), Cuts)}.

-spec heal_all(world()) -> world().
heal_all(W) -> W#world{cuts = #{}}.

break(A, B, #world{broken = Broken} = W) ->
    W1 = W#world{broken = Broken#{pair(A, B) => []}},
    break_end(A, B, break_end(B, A, W1)).

break_end(Here, There, #world{views = Views, live = Live} = W) ->
    case Views of
        #{{Here, There} := Connection} when is_map_key(Connection, Live) ->
            W1 = break_other_end(Connection, There, Here, W),
            notice_later(Connection, Here, There, W1#world{live = maps:remove(Connection, Live)});
        _ ->
            W
    end.

break_other_end(Connection, Here, There, #world{views = Views} = W) ->
    case Views of
        #{{Here, There} := Connection} -> notice_later(Connection, Here, There, W);
        _ -> W
    end.

notice_later(Connection, Here, There, W) ->
    {IsSoon, W1} = chance(50, W),
    Most =
        case IsSoon of
            true -> 50;
            false -> 7000
        end,
    {Ms, W2} = random(Most, W1),
    schedule(Ms, {notice, Connection, Here, There}, W2).

%% All monitors that went through the connection fire.
notice(Connection, Here, There, #world{views = Views, monitors = Monitors} = W) ->
    W1 =
        case Views of
            #{{Here, There} := Connection} ->
                membership_global:node_lost(Here, There, W#world{
                    views = maps:remove({Here, There}, Views)
                });
            _ ->
                W
        end,
    Lost = lists:sort([
        {Key, What}
     || {Key, {What, At, C}} <- maps:to_list(Monitors), C =:= Connection, At =:= Here
    ]),
    lists:foldl(fun({Key, What}, Acc) -> fire(Key, What, noconnection, Acc) end, W1, Lost).

%% The number of the connection, which is set up if that is possible.
-spec connect(node(), node(), world()) -> {pos_integer() | none, world()}.
connect(Here, There, #world{views = Views} = W) ->
    case Views of
        #{{Here, There} := Connection} -> {Connection, W};
        _ -> set_up(Here, There, W)
    end.

set_up(Here, There, #world{cuts = Cuts} = W) ->
    case is_up(Here, W) andalso is_up(There, W) andalso not is_map_key(pair(Here, There), Cuts) of
        false ->
            {none, W};
        true ->
            Number = W#world.last_connection + 1,
            %% The other end may not have noticed the loss of an older one: its monitors fire later
            %% than the first signals of the new one arrive.
            W1 = forget_old(There, Here, W),
            W2 = W1#world{
                last_connection = Number,
                live = (W1#world.live)#{Number => []},
                views = (W1#world.views)#{{Here, There} => Number, {There, Here} => Number}
            },
            W3 = membership_global:connected(Here, There, Number, W2),
            {Number, nodeup(Here, There, nodeup(There, Here, W3))}
    end.

forget_old(Here, There, #world{views = Views} = W) ->
    case Views of
        #{{Here, There} := Old} ->
            W1 = membership_global:node_lost(Here, There, W),
            {Ms, W2} = random(2000, W1),
            schedule(Ms, {notice, Old, Here, There}, W2);
        _ ->
            W
    end.

nodeup(Here, There, W) ->
    lists:foldl(
        fun(Pid, Acc) -> schedule(1, {event, Pid, {nodeup, There}}, Acc) end,
        W,
        [Pid || #proc{pid = Pid, node = Node} <- alive(W), Node =:= Here]
    ).

-spec is_connected(node(), node(), world()) -> boolean().
is_connected(Here, There, #world{views = Views, live = Live}) ->
    case Views of
        #{{Here, There} := Connection} -> is_map_key(Connection, Live);
        _ -> false
    end.

%% A signal that was sent arrives behind those sent before, if the connection lives so long.
send_signal(Connection, To, Signal, #world{live = Live} = W) when is_map_key(Connection, Live) ->
    #world{delay = Delay, arrivals = Arrivals} = W,
    {Ms, W1} = random(Delay, W),
    At = max(W1#world.now + Ms, maps:get({Connection, To}, Arrivals, 0)),
    W2 = W1#world{arrivals = Arrivals#{{Connection, To} => At}},
    schedule_at(At, {signal, Connection, To, Signal}, W2);
send_signal(_Connection, _To, _Signal, W) ->
    W.

arrive(Connection, Node, Signal, #world{live = Live} = W) when is_map_key(Connection, Live) ->
    case Signal of
        {message, To, Message} -> receive_message(To, Message, W);
        {monitor, What, Owner, Tag} -> monitored(What, Node, Owner, Tag, Connection, W);
        {down, Owner, Tag, What, Reason} -> fire({Owner, Tag}, What, Reason, W)
    end;
arrive(_Connection, _Node, _Signal, W) ->
    W.

receive_message({_Cluster, Node}, Message, W) ->
    case node_of(Node, W) of
        #node{local = none} -> W;
        #node{local = Pid} -> event(Pid, {recv, Message}, W)
    end;
receive_message(Pid, Message, W) ->
    event(Pid, {recv, Message}, W).

%% Processes

-spec alive(world()) -> [#proc{}].
alive(#world{procs = Procs}) ->
    [P || {_, #proc{alive = true} = P} <- lists:sort(maps:to_list(Procs))].

%% A member on a node, not started yet.
-spec start_proc(node(), [node()], world()) -> {pid(), world()}.
start_proc(Name, Seeds, #world{procs = Procs, options = Options} = W) ->
    #node{creation = Creation, last_id = Last, hidden = Hidden} = Node = node_of(Name, W),
    Pid = membership_vectors:pid(Name, Creation, Last + 1),
    Config = #{
        self => Pid,
        cluster => clu,
        type => t,
        hidden => Hidden,
        quorum => maps:get(quorum, Options, 1),
        limits => maps:get(limits, Options, #{})
    },
    Proc = #proc{
        pid = Pid,
        node = Name,
        config = Config,
        core = gen_cluster_core:new(Config),
        seeds = Seeds,
        trace = maps:get(trace, Options, off)
    },
    W1 = store_node(Node#node{last_id = Last + 1}, W),
    {Pid, W1#world{procs = Procs#{Pid => Proc}}}.

%% It ends with this reason.
-spec stop_proc(pid(), atom(), world()) -> world().
stop_proc(Pid, Reason, #world{procs = Procs, watchers = Watchers} = W) ->
    case Procs of
        #{Pid := #proc{alive = true, node = Name} = P} ->
            W1 = W#world{procs = Procs#{Pid := P#proc{alive = false, reason = Reason}}},
            W2 = free_name(Pid, Name, W1),
            W3 = lists:foldl(
                fun(Watcher, Acc) -> tell_death(Watcher, Reason, Acc) end,
                W2#world{watchers = maps:remove(Pid, Watchers)},
                lists:reverse(maps:get(Pid, Watchers, []))
            ),
            membership_global:died(Pid, W3);
        _ ->
            W
    end.

tell_death({Owner, Tag, What, local}, Reason, W) -> fire({Owner, Tag}, What, Reason, W);
tell_death({Owner, Tag, What, Connection}, Reason, W) ->
    send_signal(Connection, node(Owner), {down, Owner, Tag, What, Reason}, W).

free_name(Pid, Name, W) ->
    case node_of(Name, W) of
        #node{local = Pid} = Node -> store_node(Node#node{local = none}, W);
        _ -> W
    end.

-spec pause(pid(), pos_integer(), world()) -> world().
pause(Pid, Ms, #world{procs = Procs, now = Now} = W) ->
    case Procs of
        #{Pid := P} -> W#world{procs = Procs#{Pid := P#proc{paused = Now + Ms}}};
        _ -> W
    end.

wake(Pid, At, #world{procs = Procs} = W) ->
    case Procs of
        #{Pid := #proc{wake = At}} -> event(Pid, wake, W);
        _ -> W
    end.

%% The member takes a step and carries out what it shall.
-spec event(pid(), gen_cluster_core:event(), world()) -> world().
event(Pid, Event, #world{procs = Procs, now = Now} = W) ->
    case Procs of
        #{Pid := #proc{alive = true, paused = Until}} when Until > Now ->
            schedule_at(Until, {event, Pid, Event}, W);
        #{Pid := #proc{alive = true} = P} ->
            step(P, Event, W);
        _ ->
            W
    end.

step(#proc{pid = Pid, core = Core, trace = Trace} = P, Event, #world{now = Now} = W) ->
    {N, W1} = random(1001, W),
    {Effects, Core1} = gen_cluster_core:step(Event, Now, N - 1, Core),
    Trace1 =
        case Trace of
            off -> off;
            _ -> [{Now, N - 1, Event, Effects, Core1} | Trace]
        end,
    P1 = P#proc{core = Core1, trace = Trace1},
    W2 = W1#world{procs = (W1#world.procs)#{Pid := P1}, steps = W1#world.steps + 1},
    W3 = membership_checks:step(Pid, Event, Effects, W2),
    lists:foldl(fun(Effect, Acc) -> carry_out(Effect, Pid, Acc) end, W3, Effects).

carry_out({send, To, Message}, Pid, W) -> send(To, Message, Pid, W);
carry_out({monitor, What, Tag}, Pid, W) -> set_monitor(What, Tag, Pid, W);
carry_out({demonitor, Tag}, Pid, #world{monitors = Monitors} = W) ->
    W#world{monitors = maps:remove({Pid, Tag}, Monitors)};
carry_out({wake, At}, Pid, W) -> set_wake(At, Pid, W);
carry_out(register_local, Pid, W) -> register_local(Pid, W);
carry_out(unregister_local, Pid, W) -> free_name(Pid, node(Pid), W);
carry_out(register_global, Pid, W) -> membership_global:ask(register, Pid, W);
carry_out(unregister_global, Pid, W) -> membership_global:ask(unregister, Pid, W);
carry_out(whereis_global, Pid, W) -> membership_global:ask(whereis, Pid, W);
carry_out({ignored, _, _} = Ignored, Pid, W) -> W#world{faults = [{Pid, Ignored} | W#world.faults]};
carry_out(_Callback, _Pid, W) -> W.

set_wake(At, Pid, #world{procs = Procs, now = Now} = W) ->
    W1 = W#world{procs = Procs#{Pid := (map_get(Pid, Procs))#proc{wake = At}}},
    case At of
        none -> W1;
        _ -> schedule_at(max(At, Now), {wake, Pid, At}, W1)
    end.

register_local(Pid, W) ->
    Node = node_of(node(Pid), W),
    W1 =
        case Node#node.local of
            none -> store_node(Node#node{local = Pid}, W);
            _ -> W
        end,
    schedule(0, {event, Pid, {named, lists:member(Node#node.local, [none, Pid])}}, W1).

node_at({_Cluster, Node}) -> Node;
node_at(Pid) -> node(Pid).

%% Messages get lost and repeated; other signals get lost with their connection only.
send(To, Message, Pid, W) ->
    W1 = count(element(3, Message), W),
    case node_at(To) =:= node(Pid) of
        true -> schedule(0, {repeated, To, Message}, W1);
        false -> repeat(To, Message, node(Pid), lose(To, Message, node(Pid), W1))
    end.

lose(To, Message, Here, #world{loss = Loss} = W) ->
    There = node_at(To),
    case connect(Here, There, W) of
        {none, W1} ->
            W1;
        {Connection, W1} ->
            case chance(Loss, W1) of
                {true, W2} -> count(lost, W2);
                {false, W2} -> send_signal(Connection, There, {message, To, Message}, W2)
            end
    end.

%% Behind what was sent so far: not even the copy of a message overtakes a monitor.
repeat(To, Message, Here, #world{repeat = Repeat} = W) ->
    case chance(Repeat, W) of
        {true, W1} ->
            {Ms, W2} = random(6000, W1),
            At = last_arrival(Here, node_at(To), W2) + Ms,
            schedule_at(At, {repeated, To, Message}, count(repeated, W2));
        {false, W1} ->
            W1
    end.

last_arrival(Here, There, #world{now = Now, views = Views, arrivals = Arrivals}) ->
    case Views of
        #{{Here, There} := Connection} -> max(Now, maps:get({Connection, There}, Arrivals, Now));
        _ -> Now
    end.

set_monitor(What, Tag, Pid, #world{monitors = Monitors} = W) ->
    Here = node(Pid),
    case node_at(What) of
        Here ->
            W1 = W#world{monitors = Monitors#{{Pid, Tag} => {What, Here, local}}},
            monitored(What, Here, Pid, Tag, local, W1);
        There ->
            monitor_away(connect(Here, There, W), What, Tag, Pid)
    end.

monitor_away({none, W}, What, Tag, Pid) ->
    Key = {Pid, Tag},
    W1 = W#world{monitors = (W#world.monitors)#{Key => {What, node(Pid), local}}},
    {Ms, W2} = random(3000, W1),
    schedule(Ms, {unreachable, Key, What}, W2);
monitor_away({Connection, #world{monitors = Monitors} = W}, What, Tag, Pid) ->
    W1 = W#world{monitors = Monitors#{{Pid, Tag} => {What, node(Pid), Connection}}},
    send_signal(Connection, node_at(What), {monitor, What, Pid, Tag}, W1).

%% The request has come to the node of the one who is monitored.
monitored({_, _} = Name, Node, Owner, Tag, Connection, W) ->
    case node_of(Node, W) of
        #node{local = none} -> reply_down(Owner, Tag, Name, noproc, Connection, W);
        #node{local = Pid} -> watch(Pid, Owner, Tag, Name, Connection, W)
    end;
monitored(Pid, _Node, Owner, Tag, Connection, #world{procs = Procs} = W) ->
    case Procs of
        #{Pid := #proc{alive = true}} -> watch(Pid, Owner, Tag, Pid, Connection, W);
        _ -> reply_down(Owner, Tag, Pid, noproc, Connection, W)
    end.

watch(Pid, Owner, Tag, What, Connection, #world{watchers = Watchers} = W) ->
    Watching = [{Owner, Tag, What, Connection} | maps:get(Pid, Watchers, [])],
    W#world{watchers = Watchers#{Pid => Watching}}.

reply_down(Owner, Tag, What, Reason, Connection, W) ->
    tell_death({Owner, Tag, What, Connection}, Reason, W).

%% Once only.
fire({Owner, Tag} = Key, What, Reason, #world{monitors = Monitors} = W) ->
    case is_map_key(Key, Monitors) of
        true ->
            W1 = W#world{monitors = maps:remove(Key, Monitors)},
            schedule(0, {event, Owner, {down, Tag, What, Reason}}, W1);
        false ->
            W
    end.

%% SPDX-License-Identifier: Apache-2.0
%% What a member has beside the state of its user: the pure core, and the monitors, timers, helpers
%% and subscribers by which the core's effects are carried out. Runs in the member's process and
%% calls no code of the user: the callbacks that are due are handed back.
-module(gen_cluster_member).

-export([new/1, module/1, start/2, info/2, request/2, publish/2]).
-export([idle/1, set_idle/2]).

-export_type([member/0, callback/0, idle/0]).

-include_lib("kernel/include/logger.hrl").

-type callback() :: {Function :: atom(), Args :: [term()]}.
%% What the user wants when no message comes; a deadline is in monotonic milliseconds.
-type idle() :: infinity | hibernate | {deadline, integer()}.

-record(member, {
    config :: gen_cluster_options:config(),
    core :: gen_cluster_core:core(),
    outbox :: gen_cluster_outbox:outbox(),
    door :: {pid(), reference()},
    %% Open monitors of the core, by its tags.
    monitors = #{} :: #{term() => reference()},
    wake = none :: none | reference(),
    %% Its own, for the user may have seeded that of the process.
    random = rand:seed_s(default) :: rand:state(),
    %% The last helper that was started for a call of global.
    global = none :: none | pid(),
    children = #{} :: #{reference() => {Type :: atom(), pid()}},
    subscribers = #{} :: #{reference() => pid()},
    %% What was logged once and is not logged again.
    logged = #{} :: #{term() => []},
    idle = infinity :: idle()
}).

-opaque member() :: #member{}.

-define(VERSION, 1).
%% Children are told in the messages about a member; the others would treat more as none.
-define(MAX_CHILDREN_BYTES, 8192).
-define(TAG(Tag), {'$gen_cluster', Tag}).

-spec new(gen_cluster_options:config()) -> member().
new(#{cluster := Cluster, type := Type, meta := Meta, quorum := Quorum} = Config) ->
    Core = gen_cluster_core:new(#{
        self => self(),
        cluster => Cluster,
        hidden => gen_cluster_global:is_hidden(),
        type => Type,
        meta => Meta,
        quorum => Quorum,
        limits => application:get_env(gen_cluster, limits, #{})
    }),
    #member{
        config = Config,
        core = Core,
        outbox = gen_cluster_outbox:new(?TAG(carrier)),
        door = open_door()
    }.

-spec module(member()) -> module().
module(#member{config = #{module := Module}}) -> Module.

-spec idle(member()) -> idle().
idle(#member{idle = Idle}) -> Idle.

-spec set_idle(idle(), member()) -> member().
set_idle(Idle, M) -> M#member{idle = Idle}.

%% Begins to join, through these nodes and those of the options.
-spec start(fun(([node()]) -> [node()]), member()) -> {[callback()], member()}.
start(AllSeeds, #member{config = #{seeds := Given} = Config} = M) ->
    Seeds = AllSeeds(Given),
    event({start, Seeds}, M#member{config = Config#{seeds := Seeds}}).

%% A message to the process: is it for the member, and what does it cause?
-spec info(term(), member()) -> {[callback()], member()} | user.
info(
    {'$gen_cluster', ?VERSION, publish, Cluster, From, #{term := Term}},
    #member{config = #{cluster := Cluster}} = M
) when is_pid(From) ->
    receive_publish(From, Term, M);
info({'$gen_cluster', _, _, _, _, _} = Message, M) ->
    event({recv, Message}, M);
info({?TAG(Tag), Monitor, process, What, Reason}, M) ->
    down(Tag, Monitor, What, Reason, M);
info({timeout, Timer, ?TAG(wake)}, M) ->
    woken(Timer, M);
info({'$gen_cluster', nodeup, Node}, M) when is_atom(Node) ->
    event({nodeup, Node}, M);
info({'$gen_cluster', sent, Carrier, Node, Bytes}, #member{outbox = Outbox} = M) ->
    {[], M#member{outbox = gen_cluster_outbox:sent(Carrier, Node, Bytes, Outbox)}};
info({global_name_conflict, {gen_cluster, Cluster}}, #member{config = #{cluster := Cluster}} = M) ->
    event(conflict, M);
info(_, _M) ->
    user.

%% A call to the member itself: its answer, and what it causes.
-spec request(tuple(), member()) -> {Reply :: term(), [callback()], member()}.
request({'$gen_cluster', plist}, M) ->
    {{ok, plist(M)}, [], M};
request({'$gen_cluster', mod_plist, Type}, M) ->
    {{ok, proplists:get_value(Type, plist(M), [])}, [], M};
request({'$gen_cluster', members}, M) ->
    {gen_cluster_core:members(M#member.core), [], M};
request({'$gen_cluster', leader}, M) ->
    {gen_cluster_core:leader(M#member.core), [], M};
request({'$gen_cluster', join, Node}, M) when is_atom(Node) ->
    reply(ok, join(Node, M));
request({'$gen_cluster', leave}, M) ->
    reply(ok, leave(M));
request({'$gen_cluster', add_child, Type, Pid}, M) when is_atom(Type), is_pid(Pid) ->
    add_child(Type, Pid, M);
request({'$gen_cluster', subscribe, Pid}, M) when is_pid(Pid) ->
    Monitor = watch(Pid, subscriber),
    Subscribers = (M#member.subscribers)#{Monitor => Pid},
    Members = gen_cluster_core:members(M#member.core),
    {{ok, Monitor, Members}, [], M#member{subscribers = Subscribers}};
request({'$gen_cluster', unsubscribe, Monitor}, #member{subscribers = Subscribers} = M) when
    is_map_key(Monitor, Subscribers)
->
    true = demonitor(Monitor, [flush]),
    {ok, [], M#member{subscribers = maps:remove(Monitor, Subscribers)}};
request({'$gen_cluster', unsubscribe, _Gone}, M) ->
    {ok, [], M};
%% Of a newer version, perhaps.
request(_, M) ->
    {{error, unknown_request}, [], M}.

%% Sends to all members; the member itself, if it is one, runs its callback like any other.
-spec publish(term(), member()) -> {[callback()], member()}.
publish(Term, #member{core = Core, config = #{cluster := Cluster}} = M) ->
    Stay = gen_cluster_core:stay(Core),
    Message = {'$gen_cluster', ?VERSION, publish, Cluster, self(), #{stay => Stay, term => Term}},
    Others = gen_cluster_core:pids(Core) -- [self()],
    Sent = lists:foldl(fun(Pid, Acc) -> send(Pid, Message, Acc) end, M, Others),
    {[{handle_publish, [Term]} || gen_cluster_core:phase(Core) =/= out], Sent}.

%% Only of members: of others it is late, or none of ours.
receive_publish(From, Term, #member{core = Core} = M) ->
    case gen_cluster_core:is_member(From, Core) of
        true -> {[{handle_publish, [Term]}], M};
        false -> {[], M}
    end.

join(Node, #member{core = Core} = M) ->
    case gen_cluster_core:phase(Core) of
        out -> event({start, [Node] -- [node()]}, M);
        _ -> event({join, Node}, M)
    end.

%% The core runs no callback for a leave of one's own, but who watches shall see an empty house.
leave(#member{core = Core} = M) ->
    Others = gen_cluster_core:pids(Core) -- [self()],
    Leader = gen_cluster_core:leader(Core),
    {Callbacks, M1} = event(leave, M),
    Events =
        [{left, Pid, left} || Pid <- Others] ++ [{leader, undefined} || Leader =/= undefined],
    {Callbacks, lists:foldl(fun notify/2, M1, Events)}.

reply(Reply, {Callbacks, M}) -> {Reply, Callbacks, M}.

plist(#member{core = Core}) ->
    Listed = lists:append([
        [{Type, Pid} | Children]
     || #{pid := Pid, type := Type, children := Children} <- gen_cluster_core:members(Core)
    ]),
    Types = lists:uniq([Type || {Type, _} <- Listed]),
    [{Type, lists:uniq([Pid || {T, Pid} <- Listed, T =:= Type])} || Type <- Types].

%% Monitors

down({peer, Tag}, Monitor, What, Reason, #member{monitors = Monitors} = M) ->
    case Monitors of
        #{Tag := Monitor} ->
            event({down, Tag, What, Reason}, M#member{monitors = maps:remove(Tag, Monitors)});
        _ ->
            {[], M}
    end;
down({global, Request}, _Monitor, Helper, Reason, M) ->
    Forget =
        case M#member.global of
            Helper -> M#member{global = none};
            _ -> M
        end,
    case gen_cluster_global:answer(Request, Reason) of
        unregistered -> {[], Forget};
        Event -> event(Event, Forget)
    end;
down(door, Monitor, _Pid, _Reason, #member{door = {_, Monitor}} = M) ->
    open_again(M#member{door = open_door()});
down(door, _Monitor, _Pid, _Reason, M) ->
    {[], M};
down(carrier, _Monitor, Pid, _Reason, #member{outbox = Outbox} = M) ->
    {[], M#member{outbox = gen_cluster_outbox:down(Pid, Outbox)}};
down(subscriber, Monitor, _Pid, _Reason, #member{subscribers = Subscribers} = M) ->
    {[], M#member{subscribers = maps:remove(Monitor, Subscribers)}};
down(child, Monitor, _Pid, _Reason, #member{children = Children} = M) when
    is_map_key(Monitor, Children)
->
    update_children(maps:remove(Monitor, Children), M);
down(child, _Monitor, _Pid, _Reason, M) ->
    {[], M}.

add_child(Type, Pid, #member{children = Children} = M) ->
    Known = [Monitor || {Monitor, {_, P}} <- maps:to_list(Children), P =:= Pid],
    Listed = [{Type, Pid} | maps:values(maps:without(Known, Children))],
    case {erlang:external_size(Listed) =< ?MAX_CHILDREN_BYTES, Known} of
        {false, _} ->
            {{error, too_many_children}, [], M};
        {true, [Monitor]} ->
            reply(ok, update_children(Children#{Monitor := {Type, Pid}}, M));
        {true, []} ->
            Monitor = watch(Pid, child),
            reply(ok, update_children(Children#{Monitor => {Type, Pid}}, M))
    end.

update_children(Children, M) ->
    event({update, #{children => maps:values(Children)}}, M#member{children = Children}).

woken(Timer, #member{wake = Timer} = M) ->
    event(wake, M#member{wake = none});
woken(_Old, M) ->
    {[], M}.

%% One step of the core and what follows from it at once; the callbacks that are due, in order.
event(Event, #member{core = Core, random = Random} = M) ->
    Now = erlang:monotonic_time(millisecond),
    {Number, Random1} = rand:uniform_s(1001, Random),
    {Effects, Core1} = gen_cluster_core:step(Event, Now, Number - 1, Core),
    {Callbacks, Events, M1} = effects(Effects, M#member{core = Core1, random = Random1}),
    events(Events, Callbacks, note_alone(gen_cluster_core:phase(Core), M1)).

events([], Callbacks, M) ->
    {Callbacks, M};
events([Event | Events], Callbacks, M) ->
    {More, M1} = event(Event, M),
    events(Events, Callbacks ++ More, M1).

effects(Effects, M) ->
    {Callbacks, Events, M1} = lists:foldl(fun effect/2, {[], [], M}, Effects),
    {lists:reverse(Callbacks), lists:reverse(Events), M1}.

effect({handle_join, Pid, Pids}, {Callbacks, Events, M}) ->
    {[{handle_join, [Pid, Pids]} | Callbacks], Events, notify({joined, Pid}, M)};
effect({handle_node_joined, Pid, Pids}, {Callbacks, Events, M}) ->
    {[{handle_node_joined, [Pid, Pids]} | Callbacks], Events, notify({joined, Pid}, M)};
effect({silent_join, Pid, _Pids}, {Callbacks, Events, M}) ->
    {Callbacks, Events, notify({joined, Pid}, M)};
effect({handle_leave, Pid, Pids, Info}, {Callbacks, Events, M}) ->
    {[{handle_leave, [Pid, Pids, Info]} | Callbacks], Events, notify({left, Pid, Info}, M)};
effect({handle_leader_change, Leader, Pids}, {Callbacks, Events, M}) ->
    {[{handle_leader_change, [Leader, Pids]} | Callbacks], Events, notify({leader, Leader}, M)};
effect(register_local, {Callbacks, Events, M}) ->
    {Callbacks, [{named, take_name(M)} | Events], M};
effect(Effect, {Callbacks, Events, M}) ->
    {Callbacks, Events, carry_out(Effect, M)}.

carry_out({send, To, Message}, M) ->
    send(To, Message, M);
carry_out({monitor, What, Tag}, #member{monitors = Monitors} = M) ->
    M#member{monitors = Monitors#{Tag => watch(What, {peer, Tag})}};
carry_out({demonitor, Tag}, #member{monitors = Monitors} = M) ->
    case maps:take(Tag, Monitors) of
        {Monitor, Rest} ->
            true = demonitor(Monitor, [flush]),
            M#member{monitors = Rest};
        error ->
            M
    end;
carry_out({wake, At}, M) ->
    set_wake(At, M);
carry_out(unregister_local, M) ->
    give_up_name(M),
    M;
carry_out(register_global, M) ->
    ask_global(register, M);
carry_out(whereis_global, M) ->
    ask_global(whereis, M);
carry_out(unregister_global, M) ->
    ask_global(unregister, M);
carry_out({ignored, Node, Why}, M) ->
    log_once({ignored, Node}, "ignores messages from ~ts: ~0tp", [Node, Why], M).

send(To, Message, #member{outbox = Outbox} = M) ->
    case gen_cluster_outbox:send(To, Message, Outbox) of
        {ok, Outbox1} ->
            M#member{outbox = Outbox1};
        {lost, Outbox1} ->
            Node = node_of(To),
            M1 = M#member{outbox = Outbox1},
            log_once({congested, Node}, "loses messages to ~ts, which is too slow", [Node], M1)
    end.

node_of({_Name, Node}) -> Node;
node_of(Pid) -> node(Pid).

%% A node without a name cannot monitor others; for the core they are out of reach.
watch(What, Tag) ->
    try
        monitor(process, What, [{tag, ?TAG(Tag)}])
    catch
        error:_ ->
            Monitor = make_ref(),
            self() ! {?TAG(Tag), Monitor, process, What, noconnection},
            Monitor
    end.

set_wake(At, #member{wake = Old} = M) ->
    %% What has come already is told apart by its reference.
    _ = [erlang:cancel_timer(Old) || Old =/= none],
    case At of
        none -> M#member{wake = none};
        _ -> M#member{wake = erlang:start_timer(At, self(), ?TAG(wake), [{abs, true}])}
    end.

ask_global(Request, #member{config = #{cluster := Cluster}, global = Before} = M) ->
    Tag = ?TAG({global, Request}),
    M#member{global = gen_cluster_global:ask(Request, {gen_cluster, Cluster}, Before, Tag)}.

%% The local name. A process has only one, which is the user's: the door takes that of the cluster,
%% unless the user gave the very same to the member.

open_door() -> gen_cluster_door:open(?TAG(door)).

open_again(#member{core = Core} = M) ->
    case gen_cluster_core:phase(Core) of
        out -> {[], M};
        _ -> event({named, take_name(M)}, M)
    end.

take_name(#member{config = #{cluster := Cluster}, door = {Door, _}}) ->
    Self = self(),
    case whereis(Cluster) of
        Self -> true;
        Door -> true;
        undefined -> register_name(Cluster, Door);
        _ -> false
    end.

register_name(Name, Door) ->
    try
        register(Name, Door)
    catch
        error:badarg -> false
    end.

give_up_name(#member{config = #{cluster := Cluster}, door = {Door, _}}) ->
    case whereis(Cluster) of
        Door -> unregister(Cluster);
        _ -> true
    end.

%% Subscribers and the log

notify(Event, #member{subscribers = Subscribers} = M) ->
    maps:fold(
        fun(Reference, Pid, Acc) -> send(Pid, {gen_cluster, Reference, Event}, Acc) end,
        M,
        Subscribers
    ).

note_alone(joining, #member{core = Core, config = Config} = M) ->
    case {gen_cluster_core:phase(Core), gen_cluster_core:pids(Core)} of
        {settled, [_]} ->
            #{cluster := Cluster, seeds := Seeds} = Config,
            ?LOG_NOTICE("gen_cluster ~ts: ~p is a cluster of one, nobody is found through ~0tp", [
                Cluster, self(), Seeds
            ]);
        _ ->
            ok
    end,
    M;
note_alone(_Phase, M) ->
    M.

log_once(Key, _Format, _Args, #member{logged = Logged} = M) when is_map_key(Key, Logged) ->
    M;
log_once(Key, Format, Args, #member{logged = Logged, config = #{cluster := Cluster}} = M) ->
    ?LOG_WARNING("gen_cluster ~ts: ~p " ++ Format, [Cluster, self() | Args]),
    M#member{logged = Logged#{Key => []}}.

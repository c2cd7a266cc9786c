%% SPDX-License-Identifier: Apache-2.0
%% The membership machine of one member: who is in the cluster, and who leads it. It is pure: an
%% event goes in with the time and a random number, effects come out, which gen_cluster_server
%% carries out. c_src/core/membership/membership.c is the same machine in C; both replay the vectors in
%% test/vectors.
%%
%%     gen_cluster_core            the interface, and transitions by event
%%     gen_cluster_core_receive    transitions by message
%%     gen_cluster_core_wake       transitions by time
%%     gen_cluster_core_name       transitions by answers about the leader's name
%%     gen_cluster_core_finish     what is checked after every event
%%     gen_cluster_core_lib        what transitions are made of
%%     gen_cluster_core_peers      the table of pids
%%     gen_cluster_core_message    building and checking messages
-module(gen_cluster_core).

-export([new/1, step/4]).
-export([members/1, pids/1, leader/1, phase/1, stay/1, suspects/1, is_member/2, state_of/2]).

-export_type([core/0, config/0, limits/0, event/0, effect/0, destination/0, member/0]).

-include("gen_cluster_core.hrl").

-type core() :: #core{}.

-type config() :: #{
    self := pid(),
    cluster := atom(),
    %% Never to lead.
    hidden => boolean(),
    %% Below so many members there is no leader.
    quorum => pos_integer(),
    type => atom(),
    meta => map(),
    limits => limits()
}.

%% Milliseconds and numbers; see doc/membership.md.
-type limits() :: #{
    settle => pos_integer(),
    probe_base => pos_integer(),
    probe_max => pos_integer(),
    probe_tries => pos_integer(),
    retry_base => pos_integer(),
    retry_max => pos_integer(),
    sync => pos_integer(),
    sync_fast => pos_integer(),
    take_step => pos_integer(),
    take_retry => pos_integer(),
    hold => pos_integer(),
    %% Of a suspect that once was a member, and of one that never was.
    suspect_ttl => pos_integer(),
    hearsay_ttl => pos_integer(),
    max_suspects => pos_integer(),
    max_peers => pos_integer(),
    max_seeds => pos_integer()
}.

-type event() ::
    {start, [node()]}
    | {join, node()}
    | leave
    %% The answer to register_local: is the name this member's?
    | {named, boolean()}
    | {nodeup, node()}
    %% Anything that was received, as it is.
    | {recv, term()}
    | {down, tag(), What :: destination(), Reason :: term()}
    %% The answer to register_global, with who has the name now.
    | {registered, yes | no, pid() | undefined}
    | {whereis, pid() | undefined}
    | conflict
    | {update, #{type => atom(), meta => map(), children => [{atom(), pid()}]}}
    | wake.

%% A pid, or whoever has the cluster's name on a node.
-type destination() :: pid() | {Cluster :: atom(), node()}.

-type effect() ::
    {send, destination(), Message :: tuple()}
    | {monitor, destination(), tag()}
    | {demonitor, tag()}
    | register_local
    | unregister_local
    | register_global
    %% If the holder is this member.
    | unregister_global
    | whereis_global
    | {wake, integer() | none}
    | {handle_join, pid(), [pid()]}
    | {handle_node_joined, pid(), [pid()]}
    %% It was there before: for subscribers only.
    | {silent_join, pid(), [pid()]}
    | {handle_leave, pid(), [pid()], Info :: term()}
    | {handle_leader_change, pid() | undefined, [pid()]}
    %% A message that makes no sense: to be logged once for each node.
    | {ignored, node() | undefined, Why :: term()}.

-type member() :: #{
    pid := pid(),
    node := node(),
    type := atom(),
    meta := map(),
    children := [{Type :: atom(), pid()}]
}.

-import(gen_cluster_core_lib, [
    effect/2, find/2, drop/3, ask_seed/2, add_seed/2, seed/2, own_info/1
]).

-spec new(config()) -> core().
new(#{self := Self, cluster := Cluster} = Config) ->
    Key = gen_cluster_pid:key(Self),
    Info = #info{
        hidden = maps:get(hidden, Config, false),
        type = maps:get(type, Config, Cluster),
        meta = gen_cluster_core_message:meta(maps:get(meta, Config, #{}))
    },
    #core{
        self = Self,
        key = Key,
        cluster = Cluster,
        quorum = maps:get(quorum, Config, 1),
        limits = maps:merge(default_limits(), maps:get(limits, Config, #{})),
        peers = gen_cluster_core_peers:new(#peer{key = Key, pid = Self, state = self, info = Info})
    }.

default_limits() ->
    #{
        settle => 5_000,
        probe_base => 1_000,
        probe_max => 30_000,
        probe_tries => 8,
        retry_base => 1_000,
        retry_max => 60_000,
        sync => 10_000,
        sync_fast => 1_000,
        take_step => 500,
        take_retry => 2_000,
        hold => 5_000,
        suspect_ttl => 24 * 60 * 60_000,
        hearsay_ttl => 10 * 60_000,
        max_suspects => 4_096,
        max_peers => 16_384,
        max_seeds => 256
    }.

%% Tells what happened at Now, in milliseconds that never go back. Random is a fresh one each time.
%% The effects are to be carried out in order.
-spec step(event(), Now :: integer(), Random :: 0..1000, core()) -> {[effect()], core()}.
step(Event, Now, Random, #core{} = C) ->
    C1 = gen_cluster_core_finish:finish(event(Event, C#core{now = Now, random = Random})),
    {lists:reverse(C1#core.effects), C1#core{effects = []}}.

%% Questions

%% In order, this one included; nobody when it is out.
-spec members(core()) -> [member()].
members(#core{phase = out}) ->
    [];
members(#core{peers = Peers}) ->
    [
        #{pid => Pid, node => Node, type => Type, meta => Meta, children => Children}
     || #peer{
            key = {Node, _, _, _},
            pid = Pid,
            info = #info{type = Type, meta = Meta, children = Children}
        } <- gen_cluster_core_peers:members(Peers)
    ].

-spec pids(core()) -> [pid()].
pids(#core{phase = out}) -> [];
pids(#core{peers = Peers}) -> gen_cluster_core_peers:pids(Peers).

-spec leader(core()) -> pid() | undefined.
leader(#core{leader = Leader}) -> Leader.

-spec phase(core()) -> out | joining | settled.
phase(#core{phase = Phase}) -> Phase.

%% How often it was started.
-spec stay(core()) -> non_neg_integer().
stay(#core{stay = Stay}) -> Stay.

%% Those that were lost with their nodes and may be alive.
-spec suspects(core()) -> [pid()].
suspects(#core{peers = Peers}) ->
    [Pid || #peer{pid = Pid} <- gen_cluster_core_peers:with_state(suspect, Peers)].

-spec is_member(pid(), core()) -> boolean().
is_member(Pid, C) ->
    State = state_of(Pid, C),
    State =:= member orelse (State =:= self andalso C#core.phase =/= out).

-spec state_of(pid(), core()) -> unknown | gen_cluster_core_peers:state().
state_of(Pid, C) ->
    case find(Pid, C) of
        unknown -> unknown;
        #peer{state = State} -> State
    end.

%% Transitions by event

event({start, Nodes}, C) -> start(Nodes, C);
event({join, Node}, C) -> join(Node, C);
event(leave, C) -> leave(C);
event({named, IsMine}, C) -> named(IsMine, C#core{naming = false});
event({nodeup, Node}, C) -> nodeup(Node, C);
event({recv, Message}, C) -> recv(Message, C);
event({down, Tag, What, Reason}, C) -> down(Tag, What, Reason, C);
event({registered, YesOrNo, Holder}, C) -> gen_cluster_core_name:registered(YesOrNo, Holder, C);
event({whereis, Holder}, C) -> gen_cluster_core_name:whereis(Holder, C);
event(conflict, C) -> gen_cluster_core_name:conflict(C);
event({update, Changes}, C) -> update(Changes, C);
event(wake, #core{phase = out} = C) -> C;
%% The alarm that was set has gone off: the next one is to be told in any case.
event(wake, C) -> gen_cluster_core_wake:wake(C#core{wake = none}).

start(Nodes, #core{phase = out, stay = Stay, now = Now, limits = Limits} = C) ->
    #{settle := Settle, sync := Sync, max_seeds := MaxSeeds} = Limits,
    Info = (own_info(C))#info{phase = joining},
    C1 = store_own_info(Info, C#core{
        phase = joining,
        stay = Stay + 1,
        naming = true,
        fresh = true,
        contact = none,
        take_tries = 0,
        hurried = none,
        cursor = none,
        settle_due = Now + Settle,
        sync_due = gen_cluster_core_lib:jitter(Sync, C)
    }),
    Seeds = lists:sublist(lists:usort(Nodes) -- [own_node(C)], MaxSeeds),
    C2 = lists:foldl(fun gen_cluster_core_lib:add_seed/2, effect(register_local, C1), Seeds),
    gen_cluster_core_lib:whereis_global(C2);
start(_Nodes, C) ->
    C.

own_node(#core{key = {Node, _, _, _}}) -> Node.

%% Nothing in it that others have to be told.
store_own_info(Info, #core{key = Key, peers = Peers} = C) ->
    Self = gen_cluster_core_peers:fetch(Key, Peers),
    gen_cluster_core_lib:store(Self#peer{info = Info}, C).

join(_Node, #core{phase = out} = C) ->
    C;
join(Node, #core{seeds = Seeds, limits = #{max_seeds := Max}} = C) ->
    IsNew = Node =/= own_node(C) andalso seed(Node, C) =:= false,
    case IsNew andalso length(Seeds) < Max of
        true -> add_seed(Node, C);
        false -> C
    end.

%% Nobody is asked, and no callback is due: those who watch this member see to that themselves.
leave(#core{phase = out} = C) ->
    C;
leave(#core{peers = Peers, seeds = Seeds} = C) ->
    Known = [
        gen_cluster_core_peers:with_state(State, Peers)
     || State <- [member, probing]
    ],
    C1 = lists:foldl(fun part/2, C, lists:append(Known)),
    C2 = lists:foldl(fun gen_cluster_core_lib:demonitor_seed/2, C1, Seeds),
    forget_all(effect(unregister_local, renounce(C2))).

part(#peer{pid = Pid, tag = Tag}, C) ->
    effect({demonitor, Tag}, gen_cluster_core_lib:send(Pid, leave, #{}, C)).

renounce(C) ->
    case own_info(C) of
        #info{claim = true} = Info ->
            effect(
                unregister_global, gen_cluster_core_lib:set_own_info(Info#info{claim = false}, C)
            );
        _ ->
            C
    end.

forget_all(#core{key = Key, peers = Peers, wake = Wake} = C) ->
    Self = gen_cluster_core_peers:fetch(Key, Peers),
    C1 = C#core{
        phase = out,
        leader = undefined,
        contact = none,
        peers = gen_cluster_core_peers:new(Self),
        seeds = [],
        lost = [],
        settle_due = none,
        sync_due = none,
        take_due = none,
        hold_due = none,
        wake = none
    },
    case Wake of
        none -> C1;
        _ -> effect({wake, none}, C1)
    end.

%% Somebody else has the name on this node: without a seed of their own node they would never meet.
named(_IsMine, #core{phase = out} = C) ->
    C;
named(IsMine, #core{peers = Peers} = C) ->
    Node = own_node(C),
    case {IsMine, seed(Node, C)} of
        {true, #seed{} = Seed} ->
            C1 = gen_cluster_core_lib:demonitor_seed(Seed, C),
            C1#core{seeds = lists:keydelete(Node, #seed.node, C1#core.seeds)};
        {false, false} ->
            case gen_cluster_core_peers:count(Node, member, Peers) of
                0 -> add_seed(Node, C);
                _ -> C
            end;
        _ ->
            C
    end.

nodeup(Node, C) ->
    C1 = gen_cluster_core_wake:probe_suspects(all, Node, C),
    case seed(Node, C1) of
        #seed{tag = none, due = Due} = Seed when Due =/= none -> ask_seed(Seed, C1);
        _ -> C1
    end.

recv(Term, #core{cluster = Cluster, self = Self} = C) ->
    case gen_cluster_core_message:check(Term, Cluster, Self) of
        {ok, Message} -> gen_cluster_core_receive:message(Message, C);
        {ignored, _Node, _Why} = Ignored -> effect(Ignored, C)
    end.

%% By tag and never by pid: a DOWN of an old connection may come after messages of the new one.
down(Tag, Pid, Reason, C) when is_pid(Pid) ->
    case find(Pid, C) of
        #peer{tag = Tag} = Peer when Reason =:= noconnection -> suspect(Peer, C);
        #peer{tag = Tag} = Peer -> drop(Peer#peer{tag = none}, Reason, C);
        _ -> C
    end;
down(Tag, {_Cluster, _Node}, _Reason, #core{seeds = Seeds} = C) ->
    case lists:keyfind(Tag, #seed.tag, Seeds) of
        false -> C;
        Seed -> gen_cluster_core_lib:store_seed(Seed#seed{tag = none, ok = true}, C)
    end.

%% It may live behind a broken link: it is remembered, and tried again with its node.
suspect(#peer{state = State, since = Since, info = Info} = Peer, #core{now = Now} = C) ->
    Suspect = Peer#peer{
        state = suspect,
        tag = none,
        due = none,
        since =
            case State =:= member orelse Since =:= none of
                true -> Now;
                false -> Since
            end,
        info =
            case Info of
                none -> none;
                _ -> Info#info{claim = false}
            end
    },
    C1 = gen_cluster_core_lib:spend_contact(Peer, gen_cluster_core_lib:store(Suspect, C)),
    C2 =
        case State of
            member -> gen_cluster_core_lib:gone(Peer, noconnection, C1);
            probing -> C1
        end,
    forget_longest_lost(lose_node(node(Peer#peer.pid), C2)).

lose_node(Node, #core{limits = #{retry_base := Base}, peers = Peers} = C) ->
    {Due, C1} =
        case gen_cluster_core_lib:lost(Node, C) of
            #lost{due = At} ->
                {At, C};
            false ->
                At = gen_cluster_core_lib:jitter(Base, C),
                {At, gen_cluster_core_lib:store_lost(#lost{node = Node, due = At}, C)}
        end,
    case {seed(Node, C1), gen_cluster_core_peers:count(Node, member, Peers)} of
        {#seed{} = Seed, 0} -> gen_cluster_core_lib:store_seed(Seed#seed{due = Due}, C1);
        _ -> C1
    end.

forget_longest_lost(#core{peers = Peers, limits = #{max_suspects := Max}} = C) ->
    case gen_cluster_core_peers:count(suspect, Peers) > Max of
        true ->
            Suspects = gen_cluster_core_peers:with_state(suspect, Peers),
            [Longest | _] = lists:keysort(#peer.since, Suspects),
            drop(Longest, noconnection, C);
        false ->
            C
    end.

update(Changes, #core{} = C) ->
    C1 = gen_cluster_core_lib:set_own_info(maps:fold(fun change/3, own_info(C), Changes), C),
    case C1#core.phase of
        out -> C1;
        _ -> gen_cluster_core_lib:tell_all(#{}, C1)
    end.

change(type, Type, Info) -> Info#info{type = Type};
change(meta, Meta, Info) -> Info#info{meta = gen_cluster_core_message:meta(Meta)};
change(children, Children, Info) ->
    Info#info{children = gen_cluster_core_message:children(Children)}.

%% SPDX-License-Identifier: Apache-2.0
%% What the transitions of the membership machine are made of: times, messages, and the procedures
%% about peers, seeds, lost nodes and the member itself.
-module(gen_cluster_core_lib).

%% Times
-export([jitter/2, backoff/4]).
%% Effects and messages
-export([effect/2, send/4, hello/3, answer/3, send_list/3, tell_all/2, whereis_global/1]).
%% Peers
-export([find/2, store/2, watch/3, probe/4, take_info/3, confirm/3, drop/3, gone/3, greet/2]).
-export([spend_contact/2]).
%% Seeds and lost nodes
-export([demonitor_seed/2, ask_seed/2, seed/2, store_seed/2, add_seed/2]).
-export([lost/2, store_lost/2]).
%% The member itself
-export([own_info/1, set_own_info/2, set_claim/3, settle/1, has_quorum/1]).

-include("gen_cluster_core.hrl").

-type core() :: gen_cluster_core:core().

%% Times

%% So many milliseconds from now, a quarter more or less.
-spec jitter(non_neg_integer(), core()) -> time().
jitter(Ms, #core{now = Now, random = Random}) ->
    Now + Ms * (1500 + Random) div 2000.

%% From now, doubled with each try.
-spec backoff(non_neg_integer(), non_neg_integer(), non_neg_integer(), core()) -> time().
backoff(Ms, Max, Tries, C) when Tries > 0, Ms < Max, Ms > 0 -> backoff(2 * Ms, Max, Tries - 1, C);
backoff(Ms, Max, _Tries, C) -> jitter(min(Ms, Max), C).

%% Effects and messages

-spec effect(gen_cluster_core:effect(), core()) -> core().
effect(Effect, #core{effects = Effects} = C) ->
    C#core{effects = [Effect | Effects]}.

-spec send(gen_cluster_core:destination(), gen_cluster_core_message:kind(), map(), core()) ->
    core().
send(To, Kind, Map, #core{cluster = Cluster, self = Self, stay = Stay} = C) ->
    Message = gen_cluster_core_message:new(Kind, Cluster, Self, Map#{stay => Stay}),
    effect({send, To, Message}, C).

-spec hello(#peer{}, map(), core()) -> core().
hello(#peer{pid = Pid, tag = Tag}, Keys, C) ->
    send(Pid, hello, (with_info(Keys, C))#{nonce => Tag}, C).

%% Answers a hello: a member by ack, another one by a hello of our own.
-spec answer(#peer{}, Nonce :: pos_integer(), core()) -> core().
answer(#peer{pid = Pid, state = State} = Peer, Nonce, C) ->
    Keys =
        case C#core.contact of
            Pid -> #{echo => Nonce, contact => true};
            _ -> #{echo => Nonce}
        end,
    C1 = store(Peer#peer{echoed = Nonce}, C),
    case State of
        member -> send(Pid, ack, with_info(Keys, C1), C1);
        probing -> hello(Peer, Keys, C1)
    end.

%% The members without the receiver, in as many messages as it takes.
-spec send_list(pid(), boolean(), core()) -> core().
send_list(To, Want, #core{peers = Peers} = C) ->
    send_pids(To, lists:delete(To, gen_cluster_core_peers:pids(Peers)), Want, C).

send_pids(To, Pids, Want, C) ->
    case gen_cluster_core_message:split(Pids) of
        {Pids, []} when Want -> send(To, list, #{pids => Pids, want => true}, C);
        {Pids, []} -> send(To, list, #{pids => Pids}, C);
        {Some, More} -> send_pids(To, More, Want, send(To, list, #{pids => Some}, C))
    end.

%% Tells every member what we say of ourselves. And those that are probing: they may have made this
%% one a member by a hello that said something else, and would not hear of it.
-spec tell_all(map(), core()) -> core().
tell_all(Keys, #core{peers = Peers} = C) ->
    Map = with_info(Keys, C),
    Tell = fun(#peer{pid = Pid}, Acc) -> send(Pid, info, Map, Acc) end,
    Known = [gen_cluster_core_peers:with_state(State, Peers) || State <- [member, probing]],
    lists:foldl(Tell, C, lists:append(Known)).

with_info(Keys, C) ->
    maps:merge(gen_cluster_core_message:info(own_info(C)), Keys).

-spec whereis_global(core()) -> core().
whereis_global(C) ->
    effect(whereis_global, C#core{asking = true}).

next_tag(#core{counter = Counter} = C) ->
    {Counter + 1, C#core{counter = Counter + 1}}.

unwatch(none, C) -> C;
unwatch(Tag, C) -> effect({demonitor, Tag}, C).

%% Peers

-spec find(pid(), core()) -> #peer{} | unknown.
find(Pid, #core{peers = Peers}) ->
    gen_cluster_core_peers:find(gen_cluster_pid:key(Pid), Peers).

-spec store(#peer{}, core()) -> core().
store(Peer, #core{peers = Peers} = C) ->
    C#core{peers = gen_cluster_core_peers:store(Peer, Peers)}.

%% Monitors one that is unknown, for whom there may be no room, or a suspect.
-spec watch(#peer{} | unknown, pid(), core()) -> {#peer{}, core()} | full.
watch(unknown, Pid, #core{peers = Peers, limits = #{max_peers := Max}} = C) ->
    Known = lists:sum([gen_cluster_core_peers:count(S, Peers) || S <- [probing, member, suspect]]),
    case Known < Max of
        true -> watch(#peer{key = gen_cluster_pid:key(Pid), pid = Pid, state = probing}, Pid, C);
        false -> full
    end;
watch(#peer{} = Peer, Pid, #core{limits = #{probe_base := Base, probe_max := Max}} = C) ->
    {Tag, C1} = next_tag(C),
    Due = backoff(Base, Max, 0, C),
    Watched = Peer#peer{
        state = probing, tag = Tag, echoed = none, due = Due, tries = 0, ask = false
    },
    {Watched, effect({monitor, Pid, Tag}, store(Watched, C1))}.

%% Watches it and says hello; `want`: and asks it for its list.
-spec probe(#peer{} | unknown, pid(), boolean(), core()) -> core().
probe(Peer, Pid, Want, C) ->
    case watch(Peer, Pid, C) of
        full -> C;
        {Watched, C1} when Want ->
            hello(Watched, #{want => true}, store(Watched#peer{ask = true}, C1));
        {Watched, C1} ->
            hello(Watched, #{}, C1)
    end.

%% What it says of itself, unless it has said something later.
-spec take_info(#peer{}, #message{}, core()) -> {#peer{}, core()}.
take_info(#peer{stay = Stay, info = Old} = Peer, #message{stay = Named, info = New}, C) ->
    Info =
        case Old of
            #info{v = V} when V > New#info.v -> Old;
            _ -> New
        end,
    Told = Peer#peer{stay = max(Stay, Named), info = Info},
    {Told, store(Told, C)}.

%% Its answer to our hello makes it a member.
-spec confirm(#peer{}, #message{}, core()) -> {#peer{}, core()}.
confirm(#peer{key = {Node, _, _, _}, pid = Pid} = Peer, Message, C) ->
    Member = Peer#peer{state = member, due = none, tries = 0, was = true, since = none},
    C1 = store(Member, C),
    C2 = effect({kind_of_join(Message, C), Pid, gen_cluster_core_peers:pids(C1#core.peers)}, C1),
    C3 = C2#core{fresh = C2#core.fresh andalso C2#core.phase =/= settled},
    {Member, hurry(found_seed(Node, found_lost(Node, C3)))}.

kind_of_join(#message{contact = true}, _C) -> handle_join;
kind_of_join(#message{info = #info{phase = settled}}, #core{phase = joining}) -> silent_join;
kind_of_join(_Message, _C) -> handle_node_joined.

%% Others on its node may live as well.
found_lost(Node, #core{now = Now} = C) ->
    case lost(Node, C) of
        false -> C;
        Lost -> store_lost(Lost#lost{due = Now}, C)
    end.

found_seed(Node, C) ->
    case seed(Node, C) of
        false -> C;
        Seed -> demonitor_seed(Seed#seed{due = none, tries = 0, ok = true}, C)
    end.

%% Forgets it, whoever has ended it.
-spec drop(#peer{}, Info :: term(), core()) -> core().
drop(#peer{state = State, tag = Tag} = Peer, Info, #core{peers = Peers} = C) ->
    C1 = unwatch(Tag, C#core{peers = gen_cluster_core_peers:delete(Peer, Peers)}),
    C2 = spend_contact(Peer, C1),
    case State of
        member -> gone(Peer, Info, C2);
        _ -> C2
    end.

%% One that was a member, and is none any more.
-spec gone(#peer{}, Info :: term(), core()) -> core().
gone(#peer{pid = Pid, key = {Node, _, _, _}}, Info, #core{peers = Peers} = C) ->
    C1 = hurry(effect({handle_leave, Pid, gen_cluster_core_peers:pids(Peers), Info}, C)),
    case C1#core.key of
        {Node, _, _, _} -> effect(register_local, C1);
        _ -> C1
    end.

%% The newcomer names its contact once.
-spec spend_contact(#peer{}, core()) -> core().
spend_contact(#peer{pid = Pid}, #core{contact = Pid} = C) -> C#core{contact = spent};
spend_contact(_Peer, C) -> C.

%% At most once in each sync interval, so that the healing of a split does not storm.
hurry(#core{now = Now, hurried = At, limits = #{sync := Sync}} = C) when
    At =/= none, Now - At < Sync
->
    C;
hurry(#core{now = Now, sync_due = Due, limits = #{sync_fast := Fast}} = C) ->
    C#core{hurried = Now, sync_due = min(Due, jitter(Fast, C))}.

%% Meets the holder of the leader's name.
-spec greet(pid() | undefined, core()) -> core().
greet(undefined, C) ->
    C;
greet(Self, #core{self = Self} = C) ->
    C;
greet(Holder, #core{limits = #{retry_base := Base}} = C) ->
    C1 =
        case lost(node(Holder), C) of
            false -> C;
            Lost -> store_lost(Lost#lost{tries = 0, due = jitter(Base, C)}, C)
        end,
    case find(Holder, C1) of
        unknown -> probe(unknown, Holder, true, C1);
        #peer{state = suspect} = Peer -> probe(Peer, Holder, false, C1);
        #peer{state = member} = Peer -> hello(Peer, #{}, C1);
        #peer{state = probing} -> C1
    end.

%% Seeds and lost nodes, both in the order of names

-spec seed(node(), core()) -> #seed{} | false.
seed(Node, #core{seeds = Seeds}) ->
    lists:keyfind(Node, #seed.node, Seeds).

-spec store_seed(#seed{}, core()) -> core().
store_seed(#seed{node = Node} = Seed, #core{seeds = Seeds} = C) ->
    C#core{seeds = lists:keyreplace(Node, #seed.node, Seeds, Seed)}.

-spec add_seed(node(), core()) -> core().
add_seed(Node, #core{seeds = Seeds} = C) ->
    Seed = #seed{node = Node},
    ask_seed(Seed, C#core{seeds = lists:keysort(#seed.node, [Seed | Seeds])}).

-spec demonitor_seed(#seed{}, core()) -> core().
demonitor_seed(#seed{tag = Tag} = Seed, C) ->
    unwatch(Tag, store_seed(Seed#seed{tag = none}, C)).

%% Says hello to whoever has the cluster's name there.
-spec ask_seed(#seed{}, core()) -> core().
ask_seed(#seed{node = Node, tries = Tries} = Seed, #core{cluster = Cluster, limits = Limits} = C) ->
    #{retry_base := Base, retry_max := Max} = Limits,
    {Tag, C1} = next_tag(demonitor_seed(Seed, C)),
    Due = backoff(Base, Max, Tries, C),
    C2 = store_seed(Seed#seed{tag = Tag, nonce = Tag, due = Due, tries = Tries + 1}, C1),
    To = {Cluster, Node},
    Keys = with_info(#{nonce => Tag, want => true}, C2),
    send(To, hello, Keys, effect({monitor, To, Tag}, C2)).

-spec lost(node(), core()) -> #lost{} | false.
lost(Node, #core{lost = Lost}) ->
    lists:keyfind(Node, #lost.node, Lost).

-spec store_lost(#lost{}, core()) -> core().
store_lost(#lost{node = Node} = Lost, #core{lost = All} = C) ->
    C#core{lost = lists:keysort(#lost.node, lists:keystore(Node, #lost.node, All, Lost))}.

%% The member itself

-spec own_info(core()) -> #info{}.
own_info(#core{key = Key, peers = Peers}) ->
    (gen_cluster_core_peers:fetch(Key, Peers))#peer.info.

%% Anything new in it raises its number.
-spec set_own_info(#info{}, core()) -> core().
set_own_info(#info{v = V} = Info, #core{key = Key, peers = Peers} = C) ->
    Self = gen_cluster_core_peers:fetch(Key, Peers),
    store(Self#peer{info = Info#info{v = V + 1}}, C).

%% Claims the leadership or renounces it, perhaps in favour of a holder, and tells.
-spec set_claim(boolean(), pid() | none, core()) -> core().
set_claim(Claim, Holder, C) ->
    C1 = set_own_info((own_info(C))#info{claim = Claim}, C),
    case Holder of
        none -> tell_all(#{}, C1);
        _ -> tell_all(#{holder => Holder}, C1)
    end.

%% Who answers now was not there before.
-spec settle(core()) -> core().
settle(#core{peers = Peers} = C) ->
    C1 = set_own_info((own_info(C))#info{phase = settled}, C),
    Fresh = gen_cluster_core_peers:count(member, Peers) =:= 0,
    C1#core{phase = settled, fresh = Fresh, settle_due = none}.

-spec has_quorum(core()) -> boolean().
has_quorum(#core{quorum = Quorum, peers = Peers}) ->
    gen_cluster_core_peers:count(member, Peers) + 1 >= Quorum.

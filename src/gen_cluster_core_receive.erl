%% SPDX-License-Identifier: Apache-2.0
%% Transitions of the membership machine by message. Hearsay makes nobody a member: only an answer
%% to a hello of ours does, sent after the monitor was set, so that a later DOWN tells the true
%% reason.
-module(gen_cluster_core_receive).

-export([message/2]).

-include("gen_cluster_core.hrl").

-import(gen_cluster_core_lib, [find/2, watch/3, probe/4, take_info/3, confirm/3, drop/3]).
-import(gen_cluster_core_lib, [spend_contact/2, send_list/3, seed/2, store_seed/2]).

-type core() :: gen_cluster_core:core().

-spec message(#message{}, core()) -> core().
message(Message, #core{phase = out} = C) ->
    while_out(Message, C);
message(#message{kind = Kind, from = From, stay = Named} = Message, C) ->
    case find(From, C) of
        #peer{stay = Stay} when Named < Stay ->
            C;
        #peer{stay = Stay, was = true} = Peer when Named > Stay, Stay > 0, Kind =/= leave ->
            receive_from(unknown, Message, drop(Peer, left, C));
        Peer ->
            receive_from(Peer, Message, C)
    end.

receive_from(Peer, #message{kind = Kind} = Message, C) ->
    case Kind of
        hello -> hello(Peer, Message, C);
        ack -> ack(Peer, Message, C);
        list -> list(Message, C);
        sync -> sync(Peer, Message, C);
        info -> info(Peer, Message, C);
        leave -> leave(Peer, Message, C)
    end.

%% One that lives but is out says so, or it would be probed for ever. It may hold the leader's name
%% as well, when the healing of a split brought that back.
while_out(#message{kind = Kind, from = From}, C) when
    Kind =:= hello; Kind =:= sync; Kind =:= list
->
    C1 = gen_cluster_core_lib:send(From, leave, #{}, C),
    case Kind of
        hello -> gen_cluster_core_lib:effect(whereis_global, C1);
        _ -> C1
    end;
while_out(_Message, C) ->
    C.

hello(Peer, #message{from = From} = Message, C) ->
    {Answers, C1} = answers_newcomer(Peer, Message, C),
    case watched(Peer, From, C1) of
        full -> C1;
        {Watched, C2} -> greeted(Watched, Message, choose_contact(Answers, From, C2))
    end.

%% Is it the answer of a seed, or of one that was asked for its list? So a newcomer finds its
%% contact.
answers_newcomer(Peer, #message{echo = Echo}, #core{seeds = Seeds} = C) when Echo =/= none ->
    case {lists:keyfind(Echo, #seed.nonce, Seeds), Peer} of
        {#seed{} = Seed, _} ->
            {true, gen_cluster_core_lib:demonitor_seed(Seed#seed{ok = true}, C)};
        {false, #peer{tag = Echo, ask = true}} ->
            {true, C};
        _ ->
            {false, C}
    end;
answers_newcomer(_Peer, _Message, C) ->
    {false, C}.

choose_contact(true, From, #core{fresh = true, contact = none} = C) -> C#core{contact = From};
choose_contact(_Answers, _From, C) -> C.

watched(#peer{state = State} = Peer, _From, C) when State =/= suspect -> {Peer, C};
watched(Peer, From, C) -> watch(Peer, From, C).

greeted(Peer, #message{from = From, nonce = Nonce} = Message, C) ->
    {Told, C1} = take_info(Peer, Message, C),
    {Known, C2} = confirm_if_answer(Told, Message, C1),
    Confirmed = Told#peer.state =/= Known#peer.state,
    C3 =
        case Confirmed andalso Known#peer.echoed =:= Nonce of
            true -> C2;
            false -> gen_cluster_core_lib:answer(Known, Nonce, C2)
        end,
    C4 =
        case Known#peer.state of
            member -> spend_contact(Known, C3);
            probing -> C3
        end,
    case Message#message.want of
        true -> send_list(From, false, C4);
        false -> C4
    end.

confirm_if_answer(#peer{state = probing, tag = Tag} = Peer, #message{echo = Tag} = Message, C) ->
    confirm(Peer, Message, C);
confirm_if_answer(Peer, _Message, C) ->
    {Peer, C}.

ack(unknown, _Message, C) ->
    C;
ack(Peer, Message, C) ->
    {Told, C1} = take_info(Peer, Message, C),
    {Known, C2} = confirm_if_answer(Told, Message, C1),
    case Told#peer.state =/= Known#peer.state of
        true -> spend_contact(Known, C2);
        false -> C2
    end.

info(#peer{state = member} = Peer, #message{holder = Holder} = Message, C) ->
    {_, C1} = take_info(Peer, Message, C),
    case Holder of
        none -> C1;
        _ -> gen_cluster_core_lib:greet(Holder, C1)
    end;
info(Peer, Message, C) ->
    probe_if_new(Peer, Message, C).

sync(#peer{state = member} = Peer, #message{from = From, digest = Theirs} = Message, C) ->
    {_, C1} = take_info(Peer, Message, C),
    case gen_cluster_core_peers:digest(C1#core.peers) of
        {Theirs, Peers} -> C1#core{peers = Peers};
        {_Ours, Peers} -> send_list(From, true, C1#core{peers = Peers})
    end;
sync(Peer, Message, C) ->
    probe_if_new(Peer, Message, C).

probe_if_new(#peer{state = probing}, _Message, C) -> C;
probe_if_new(Peer, #message{from = From}, C) -> probe(Peer, From, false, C).

%% Suspects are left to their timers: that somebody lists them does not mean that they can be
%% reached.
list(#message{from = From, pids = Pids, want = Want}, C) ->
    C1 = lists:foldl(fun probe_if_unknown/2, C, Pids),
    case Want of
        true -> send_list(From, false, C1);
        false -> C1
    end.

probe_if_unknown(Pid, C) ->
    case find(Pid, C) of
        unknown -> probe(unknown, Pid, false, C);
        #peer{} -> C
    end.

leave(Peer, #message{from = From}, C) ->
    C1 =
        case Peer of
            unknown -> C;
            #peer{} -> drop(Peer, left, C)
        end,
    case seed(node(From), C1) of
        false -> C1;
        Seed -> store_seed(Seed#seed{ok = true}, C1)
    end.

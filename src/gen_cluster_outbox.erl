%% SPDX-License-Identifier: Apache-2.0
%% Sends messages to other nodes without ever waiting. A plain send suspends its caller while the
%% connection is congested; here a carrier, a process per congested node, is suspended instead, and
%% has all that is sent to that node, in order, until everything is on its way. What waits for a
%% node is bounded: above, messages are lost, and the caller learns of it.
-module(gen_cluster_outbox).

-export([new/1, send/3, sent/4, down/2]).
-export([carry/1]).

-export_type([outbox/0]).

-record(carrier, {
    pid :: pid(),
    monitor :: reference(),
    waiting_bytes = 0 :: non_neg_integer()
}).

-record(outbox, {
    tag :: term(),
    carriers = #{} :: #{node() => #carrier{}}
}).

-opaque outbox() :: #outbox{}.

-type destination() :: pid() | {atom(), node()}.

-define(MAX_WAITING_BYTES, 64 * 1024 * 1024).

%% When a carrier is ended by others, {Tag, Monitor, process, Carrier, Reason} comes, for down/2.
-spec new(Tag :: term()) -> outbox().
new(Tag) -> #outbox{tag = Tag}.

-spec send(destination(), term(), outbox()) -> {ok | lost, outbox()}.
send(To, Message, #outbox{carriers = Carriers} = Outbox) ->
    Node = node_of(To),
    case Carriers of
        #{Node := Carrier} ->
            hand_over(To, Message, Node, Carrier, Outbox);
        _ ->
            case erlang:send(To, Message, [nosuspend]) of
                ok -> {ok, Outbox};
                nosuspend -> hand_over(To, Message, Node, new_carrier(Outbox), Outbox)
            end
    end.

%% A carrier has told its owner, by {'$gen_cluster', sent, Carrier, Node, Bytes}, what is on its way.
-spec sent(pid(), node(), Bytes :: non_neg_integer(), outbox()) -> outbox().
sent(Pid, Node, Bytes, #outbox{carriers = Carriers} = Outbox) ->
    case Carriers of
        #{Node := #carrier{pid = Pid, monitor = Monitor, waiting_bytes = Bytes}} ->
            true = demonitor(Monitor, [flush]),
            Pid ! done,
            Outbox#outbox{carriers = maps:remove(Node, Carriers)};
        #{Node := #carrier{pid = Pid, waiting_bytes = Waiting} = Carrier} ->
            Left = Carrier#carrier{waiting_bytes = Waiting - Bytes},
            Outbox#outbox{carriers = Carriers#{Node := Left}};
        _ ->
            Outbox
    end.

-spec down(pid(), outbox()) -> outbox().
down(Pid, #outbox{carriers = Carriers} = Outbox) ->
    IsOther = fun(_Node, #carrier{pid = Carrier}) -> Carrier =/= Pid end,
    Outbox#outbox{carriers = maps:filter(IsOther, Carriers)}.

new_carrier(#outbox{tag = Tag}) ->
    {Pid, Monitor} = spawn_opt(?MODULE, carry, [self()], [{monitor, [{tag, Tag}]}]),
    #carrier{pid = Pid, monitor = Monitor}.

hand_over(To, Message, Node, #carrier{waiting_bytes = Waiting} = Carrier, Outbox) ->
    Bytes = erlang:external_size(Message),
    case Waiting + Bytes =< ?MAX_WAITING_BYTES of
        true ->
            Carrier#carrier.pid ! {carry, To, Message, Bytes},
            Loaded = Carrier#carrier{waiting_bytes = Waiting + Bytes},
            Carriers = (Outbox#outbox.carriers)#{Node => Loaded},
            {ok, Outbox#outbox{carriers = Carriers}};
        false ->
            {lost, Outbox}
    end.

-spec carry(pid()) -> ok.
carry(Owner) -> carry(Owner, monitor(process, Owner)).

carry(Owner, Monitor) ->
    receive
        {carry, To, Message, Bytes} ->
            _ = erlang:send(To, Message),
            Owner ! {'$gen_cluster', sent, self(), node_of(To), Bytes},
            carry(Owner, Monitor);
        done ->
            ok;
        {'DOWN', Monitor, process, Owner, _} ->
            ok
    end.

node_of({_Name, Node}) -> Node;
node_of(Pid) -> node(Pid).

%% SPDX-License-Identifier: Apache-2.0
%% A visible node that speaks the protocol of `global` by hand, over a raw socket: it goes with its
%% peer through a join up to the step that it was told, and is silent from then on, though its
%% connection ticks. What it is to say, it says, be it nonsense.
%% spec: global.erl of kernel, "Connection algorithm" and handle_cast
-module(raw_global).

-export([start/2, start/3, name/1, tag/1, locker/1, server/1, steps/0]).
-export([send/2, cast/2, call/2, call_as/3, frame/2, await/2, close/1, is_closed/1, await_closed/1]).

-define(DEADLINE, 20000).
-define(TICK, 500).
-define(PUBLISHED, 16#1).
-define(MONITORS, 16#8).

-record(raw, {
    owner :: pid(),
    socket :: gen_tcp:socket(),
    name :: string(),
    stop_at :: atom(),
    done = [] :: [atom()],
    is_active = false :: boolean(),
    tag = 1 :: integer(),
    his_tag :: term()
}).

%% In this order; a step is what this node says, and it has said all of those before.
steps() -> [connected, init_connect, init_connect_ack, set_lock, lock_set, exchange, resolved, all].

start(Node, StopAt) -> start(Node, StopAt, #{}).

%% `active`: says that its lock is set before the other one has asked for it.
start(Node, StopAt, Options) ->
    Owner = self(),
    Name = maps:get(name, Options, raw_peer:name()),
    Port = maps:get(port, Options, undefined),
    Raw = spawn_link(fun() -> init(Owner, Node, Port, Name, StopAt, Options) end),
    receive
        {Raw, connected} -> {Raw, Name}
    after ?DEADLINE -> ct:fail(raw_global_not_connected)
    end.

name({_, Name}) -> list_to_atom(Name).

tag(_) -> 1.

server({_, Name}) -> raw_peer:pid(Name, 10).
locker({_, Name}) -> raw_peer:pid(Name, 11).

%% A message for the global_name_server; a cast; a call, whose answer is dropped.
send({Raw, Name}, Message) ->
    frame({Raw, Name}, {{6, raw_peer:pid(Name, 10), '', global_name_server}, Message}).

cast(Raw, Message) -> send(Raw, {'$gen_cast', Message}).

call(Raw, Request) -> call_as(Raw, server(Raw), Request).

call_as({_, Name} = Raw, From, Request) ->
    send(Raw, {'$gen_call', {From, raw_peer:ref(Name)}, Request}).

frame({Raw, _}, Frame) ->
    Raw ! {frame, self(), Frame},
    receive
        {Raw, sent} -> ok
    after ?DEADLINE -> ct:fail(raw_global_is_gone)
    end.

%% The step has been done.
await({Raw, _}, Step) ->
    receive
        {Raw, {done, Step}} -> ok
    after ?DEADLINE -> ct:fail({step_not_done, Step})
    end.

close({Raw, _}) ->
    unlink(Raw),
    Monitor = monitor(process, Raw),
    exit(Raw, kill),
    receive
        {'DOWN', Monitor, process, Raw, _} -> ok
    end.

%% The other one has closed the connection, or closes it.
is_closed({Raw, _}) ->
    receive
        {Raw, closed} -> true
    after 0 -> false
    end.

await_closed({Raw, _}) ->
    receive
        {Raw, closed} -> ok
    after ?DEADLINE -> ct:fail(not_closed)
    end.

%% --- the peer -----------------------------------------------------------------------------------

init(Owner, Node, Port, Name, StopAt, Options) ->
    Cookie = atom_to_list(erlang:get_cookie()),
    {ok, Socket} = raw_peer:connect(port_of(Node, Port), Name, Cookie, raw_peer:flags() + ?PUBLISHED + ?MONITORS),
    ok = inet:setopts(Socket, [{active, true}]),
    {ok, _} = timer:send_interval(?TICK, tick),
    Raw = #raw{
        owner = Owner,
        socket = Socket,
        name = Name,
        stop_at = StopAt,
        is_active = maps:get(active, Options, false)
    },
    Owner ! {self(), connected},
    loop(do(init_connect, done(connected, Raw))).

port_of(Node, undefined) ->
    [Short, _] = string:lexemes(atom_to_list(Node), "@"),
    {port, Port, _} = erl_epmd:port_please(Short, {127, 0, 0, 1}),
    Port;
port_of(_, Port) ->
    Port.

loop(Raw) ->
    Socket = Raw#raw.socket,
    receive
        {tcp, Socket, <<>>} ->
            loop(Raw);
        {tcp, Socket, <<112, Rest/binary>>} ->
            loop(frame_in(Rest, Raw));
        {tcp_closed, Socket} ->
            closed(Raw);
        {tcp_error, Socket, _} ->
            closed(Raw);
        tick ->
            _ = gen_tcp:send(Socket, <<>>),
            loop(Raw);
        {frame, From, {Control, Message}} ->
            _ = raw_peer:send(Socket, Control, term_to_binary(Message)),
            From ! {self(), sent},
            loop(Raw);
        {frame, From, Bytes} ->
            _ = raw_peer:send_bytes(Socket, Bytes),
            From ! {self(), sent},
            loop(Raw)
    end.

closed(Raw) ->
    Raw#raw.owner ! {self(), closed},
    gone().

%% Whoever still sends by it finds somebody.
gone() ->
    receive
        {frame, From, _} ->
            From ! {self(), sent},
            gone();
        _ ->
            gone()
    end.

frame_in(Bytes, Raw) ->
    {Control, Used} = binary_to_term(Bytes, [used]),
    case Bytes of
        <<_:Used/binary>> -> Raw;
        <<_:Used/binary, Message/binary>> -> message(Control, binary_to_term(Message), Raw)
    end.

message({6, From, _, global_name_server}, Message, Raw) -> said(Message, From, Raw);
message(_, _, Raw) -> Raw.

%% --- what the other one says --------------------------------------------------------------------

said({'$gen_cast', {init_connect, {_, Tag}, _, _}}, _, Raw) ->
    do(init_connect_ack, Raw#raw{his_tag = Tag});
said({'$gen_cast', {lock_set, _, true, _, _}}, _, Raw) ->
    do(lock_set, Raw);
said({'$gen_cast', {exchange, _, _, _, _}}, _, Raw) ->
    do(exchange, Raw);
said({'$gen_cast', {resolved, _, _, _, _, _, _}}, _, Raw) ->
    do(resolved, Raw);
said({'$gen_call', From, {set_lock, _}}, _, Raw) ->
    reply(set_lock, From, true, Raw);
said({'$gen_call', From, {del_lock, _}}, _, Raw) ->
    reply(set_lock, From, true, Raw);
said({'$gen_call', From, {register, _, _, _}}, _, Raw) ->
    reply(all, From, yes, Raw);
said({'$gen_call', From, {unregister, _}}, _, Raw) ->
    reply(all, From, ok, Raw);
said(_, _, Raw) ->
    Raw.

%% Locks are free for ever from the step on, until it has joined: then it answers nothing more, unless
%% it is to do all.
reply(Step, {Pid, Tag}, Reply, Raw) ->
    IsJoined = lists:member(resolved, Raw#raw.done) andalso Raw#raw.stop_at =/= all,
    case is_reached(Step, Raw) andalso not IsJoined of
        true ->
            send_now({22, raw_peer:pid(Raw#raw.name, 10), Pid}, {Tag, Reply}, Raw),
            done(Step, Raw);
        false ->
            Raw
    end.

is_reached(Step, Raw) -> place(Step) =< place(Raw#raw.stop_at).

place(Step) -> length(lists:takewhile(fun(Other) -> Other =/= Step end, steps())).

%% --- what it says -------------------------------------------------------------------------------

do(Step, Raw) ->
    case is_reached(Step, Raw) andalso not lists:member(Step, Raw#raw.done) of
        true -> done(Step, say(Step, Raw));
        false -> Raw
    end.

done(Step, #raw{done = Done} = Raw) ->
    case lists:member(Step, Done) of
        true ->
            Raw;
        false ->
            Raw#raw.owner ! {self(), {done, Step}},
            Raw#raw{done = [Step | Done]}
    end.

say(init_connect, #raw{tag = Tag} = Raw) ->
    Locker = raw_peer:pid(Raw#raw.name, 11),
    cast_now({init_connect, {8, Tag}, me(Raw), {locker, no_longer_a_pid, #{}, Locker}}, Raw);
say(init_connect_ack, #raw{his_tag = His, tag = Mine} = Raw) ->
    _ = send_gns({init_connect_ack, me(Raw), His, Mine}, Raw),
    case Raw#raw.is_active of
        true -> do(lock_set, Raw);
        false -> Raw
    end;
say(lock_set, #raw{his_tag = His} = Raw) ->
    cast_now({lock_set, raw_peer:pid(Raw#raw.name, 11), true, [], His}, Raw);
say(exchange, #raw{his_tag = His} = Raw) ->
    cast_now({exchange, me(Raw), [], [], His}, Raw);
say(resolved, #raw{his_tag = His} = Raw) ->
    cast_now({resolved, me(Raw), [], [], unused, [], His}, Raw).

me(Raw) -> list_to_atom(Raw#raw.name).

cast_now(Message, Raw) -> send_gns({'$gen_cast', Message}, Raw).

send_gns(Message, Raw) ->
    send_now({6, raw_peer:pid(Raw#raw.name, 10), '', global_name_server}, Message, Raw).

send_now(Control, Message, Raw) ->
    _ = raw_peer:send(Raw#raw.socket, Control, term_to_binary(Message)),
    Raw.

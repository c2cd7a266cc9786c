%% SPDX-License-Identifier: Apache-2.0
%% A peer that speaks the distribution protocol by hand, so that it can speak it wrongly.
%% spec: erl_dist_protocol, "Distribution Handshake", version 6, and "Protocol between Connected
%% Nodes", pass-through form.
-module(raw_peer).

-export([connect/3, connect/4, flags/0, name/0, pid/2, ref/1, send/3, send_bytes/2, receive_frame/1, is_closed/1]).

-define(DEADLINE, 20000).
-define(CREATION, 77).

name() -> peer:random_name(raw) ++ "@127.0.0.1".

connect(Port, Name, Cookie) -> connect(Port, Name, Cookie, flags()).

%% A socket behind the handshake, or why there is none.
connect(Port, Name, Cookie, Flags) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {packet, 2}, {active, false}]),
    Bytes = list_to_binary(Name),
    ok = gen_tcp:send(Socket, <<$N, Flags:64, ?CREATION:32, (byte_size(Bytes)):16, Bytes/binary>>),
    case gen_tcp:recv(Socket, 0, ?DEADLINE) of
        {ok, <<"sok", _/binary>>} -> answer(Socket, Cookie);
        Other -> {error, Other}
    end.

answer(Socket, Cookie) ->
    {ok, <<$N, _:64, Challenge:32, _/binary>>} = gen_tcp:recv(Socket, 0, ?DEADLINE),
    Own = rand:uniform(1 bsl 32) - 1,
    ok = gen_tcp:send(Socket, <<$r, Own:32, (digest(Cookie, Challenge))/binary>>),
    Expected = digest(Cookie, Own),
    case gen_tcp:recv(Socket, 0, ?DEADLINE) of
        {ok, <<$a, Expected:16/binary>>} ->
            ok = inet:setopts(Socket, [{packet, 4}]),
            {ok, Socket};
        Other ->
            {error, Other}
    end.

digest(Cookie, Challenge) -> erlang:md5([Cookie, integer_to_list(Challenge)]).

%% What OTP 25 demands and offers, as a hidden node without fragments and atom cache.
flags() ->
    lists:sum([
        16#4, 16#10, 16#20, 16#80, 16#100, 16#200, 16#400, 16#800, 16#4000, 16#10000, 16#20000,
        16#40000, 16#80000, 16#100000, 16#400000, 16#1000000, 16#2000000, 16#4000000, 1 bsl 32,
        1 bsl 34, 1 bsl 35
    ]).

%% A pid of the peer, which no BEAM could make.
pid(Name, Id) ->
    Bytes = list_to_binary(Name),
    binary_to_term(<<131, 88, 119, (byte_size(Bytes)), Bytes/binary, Id:32, 0:32, ?CREATION:32>>).

%% And a reference.
ref(Name) ->
    Bytes = list_to_binary(Name),
    binary_to_term(
        <<131, 90, 3:16, 119, (byte_size(Bytes)), Bytes/binary, ?CREATION:32, 1:32, 2:32, 3:32>>
    ).

send(Socket, Control, none) ->
    send_bytes(Socket, <<112, (term_to_binary(Control))/binary>>);
send(Socket, Control, Message) when is_binary(Message) ->
    send_bytes(Socket, <<112, (term_to_binary(Control))/binary, Message/binary>>).

send_bytes(Socket, Bytes) -> gen_tcp:send(Socket, Bytes).

%% The next frame that is no tick.
receive_frame(Socket) ->
    case gen_tcp:recv(Socket, 0, ?DEADLINE) of
        {ok, <<>>} ->
            receive_frame(Socket);
        {ok, <<112, Rest/binary>>} ->
            {Control, Used} = binary_to_term(Rest, [used]),
            case Rest of
                <<_:Used/binary>> -> {Control, none};
                <<_:Used/binary, Message/binary>> -> {Control, binary_to_term(Message)}
            end
    end.

%% True when the node closes the connection within the deadline.
is_closed(Socket) ->
    case gen_tcp:recv(Socket, 0, ?DEADLINE) of
        {ok, _} -> is_closed(Socket);
        {error, Reason} -> Reason =:= closed orelse Reason =:= econnreset
    end.

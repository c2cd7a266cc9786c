%% SPDX-License-Identifier: Apache-2.0
%% What those have in common that capture what BEAM nodes say: the nodes take this program for epmd,
%% and through that for each other. Bits are taken out of the flags of their handshakes on the way,
%% so that they speak in forms that the C library knows.
-module(gen_cluster_test_proxy).

-export([host/0, headers/0, start_node/3]).
-export([listen/0, connect/1, serve/2]).
-export([epmd_request/1, packet/1, shake/3]).

-export_type([epmd_request/0]).

-define(HOST, "127.0.0.1").
-define(COOKIE, "golden").
-define(DEADLINE, 60000).

%% Of a node, and of the port that somebody looks for.
-type epmd_request() ::
    {register, Name :: binary(), inet:port_number()} | {port_of, Name :: binary()}.

-spec host() -> string().
host() -> ?HOST.

%% DIST_HDR_ATOM_CACHE and FRAGMENTS: without them every frame is complete in itself.
-spec headers() -> non_neg_integer().
headers() -> 16#802000.

%% A node whose epmd is at that port.
-spec start_node(string() | atom(), inet:port_number(), map()) -> {pid(), node()}.
start_node(Name, EpmdPort, #{args := Args} = Options) ->
    {ok, Peer, Node} = peer:start(Options#{
        name => Name,
        host => ?HOST,
        longnames => true,
        connection => standard_io,
        env => [{"ERL_EPMD_PORT", integer_to_list(EpmdPort)}, {"ERL_EPMD_ADDRESS", ?HOST}],
        args := ["-setcookie", ?COOKIE | Args]
    }),
    {Peer, Node}.

%% --- sockets -----------------------------------------------------------------------------------

-spec listen() -> {inet:port_number(), gen_tcp:socket()}.
listen() ->
    Options = [binary, {active, false}, {ip, {127, 0, 0, 1}}, {backlog, 64}],
    {ok, Listener} = gen_tcp:listen(0, Options),
    {ok, Port} = inet:port(Listener),
    {Port, Listener}.

-spec connect(inet:port_number()) -> gen_tcp:socket().
connect(Port) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    Socket.

%% Each connection has a process of its own, linked to one that accepts.
-spec serve(gen_tcp:socket(), fun((gen_tcp:socket()) -> term())) -> pid().
serve(Listener, Serve) -> spawn_link(fun() -> accept(Listener, Serve) end).

accept(Listener, Serve) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Pid = spawn_link(fun() ->
        receive
            go -> Serve(Socket)
        end
    end),
    ok = gen_tcp:controlling_process(Socket, Pid),
    Pid ! go,
    accept(Listener, Serve).

%% --- what nodes say ----------------------------------------------------------------------------

%% What a node asks epmd, as bytes too. spec: erl_dist_protocol, "EPMD Protocol": ALIVE2_REQ,
%% PORT_PLEASE2_REQ
-spec epmd_request(gen_tcp:socket()) -> {binary(), epmd_request()}.
epmd_request(Client) ->
    {ok, <<Size:16>>} = gen_tcp:recv(Client, 2),
    {ok, Request} = gen_tcp:recv(Client, Size),
    Meaning =
        case Request of
            <<120, Port:16, _:6/binary, N:16, Name:N/binary, _/binary>> -> {register, Name, Port};
            <<122, Name/binary>> -> {port_of, Name}
        end,
    {<<Size:16, Request/binary>>, Meaning}.

%% A packet of the handshake; who has lost its connection ends.
-spec packet(gen_tcp:socket()) -> binary().
packet(Socket) ->
    case gen_tcp:recv(Socket, 2, ?DEADLINE) of
        {ok, <<Size:16>>} ->
            {ok, Packet} = gen_tcp:recv(Socket, Size, ?DEADLINE),
            Packet;
        {error, _} ->
            exit(normal)
    end.

%% Passes a packet on without these flags, and returns it as it was.
-spec shake(gen_tcp:socket(), gen_tcp:socket(), non_neg_integer()) -> binary().
shake(From, To, Hidden) ->
    Packet = packet(From),
    ok = gen_tcp:send(To, [<<(byte_size(Packet)):16>>, without(Packet, Hidden)]),
    Packet.

without(<<"N", Flags:64, Rest/binary>>, Hidden) ->
    <<"N", (Flags band bnot Hidden):64, Rest/binary>>;
%% As OTP 23 says it to those that may be older.
without(<<"n", 5:16, Flags:32, Rest/binary>>, Hidden) ->
    <<"n", 5:16, (Flags band bnot Hidden):32, Rest/binary>>;
without(Packet, _) ->
    Packet.

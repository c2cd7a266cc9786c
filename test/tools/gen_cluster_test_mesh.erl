%% SPDX-License-Identifier: Apache-2.0
%% Captures what the servers of `global` of BEAM nodes say to each other, for test/c/golden. Each
%% node takes this program for epmd and for every other node. It holds back what they say, hands one
%% message on at a time, and waits until nobody says anything about it: so that what a node says
%% stands in the capture behind what made it say so, and before what comes next.
%%
%% Only what concerns `global` is written down; the rest is passed on as it comes. Every frame is
%% complete in itself.
-module(gen_cluster_test_mesh).

-export([main/1]).

-import(gen_cluster_test_proxy, [listen/0, connect/1, serve/2, packet/1]).

-define(DEADLINE, 60000).
%% Nobody says anything for so long: nobody has anything to say. It differs from time to time, lest
%% what is handed on arrives when its receiver wakes up.
-define(QUIET, 60).
-define(MORE, 40).

-record(state, {
    epmd :: inet:port_number(),
    ports = #{} :: #{binary() => {inet:port_number(), inet:port_number()}},
    %% The processes of `global` of each node, by which messages are told apart.
    actors = #{} :: #{pid() => []},
    %% References of those that resolve a name: what answers them is of interest.
    asked = #{} :: #{reference() => []},
    %% From one node to another: the socket, and what has not been handed on.
    ways = #{} :: #{{binary(), binary()} => {gen_tcp:socket(), queue:queue()}},
    random :: rand:state(),
    waiting = [] :: [{pid(), reference()}],
    lines = [] :: [iodata()]
}).

%% @doc The file to write, and the erl of each node: a, b, c, d.
-spec main([string()]) -> ok.
main([File | Erls]) ->
    Lives = [{Name, life(Life, Erls)} || {Name, Life} <- gen_cluster_test_mesh_lives:all()],
    Texts = [["life ", Name, $\n, Lines] || {Name, Lines} <- Lives],
    ok = file:write_file(File, [head(Erls) | Texts]).

head(Erls) ->
    Releases = [release(Erl) || Erl <- Erls],
    [
        "# What the nodes of `global` said to each other, captured by test/tools/capture_global.sh on\n"
        "# OTP ", lists:join(", ", Releases), ". test/c/sim/gns_replay.h says what the lines are.\n"
    ].

release(Erl) ->
    string:trim(os:cmd(Erl ++ " -noinput -boot no_dot_erlang -eval "
        "'io:put_chars(erlang:system_info(otp_release)),halt().'")).

%% --- one life of a mesh ------------------------------------------------------------------------

life(Life, Erls) ->
    Recorder = spawn_link(fun() -> recorder() end),
    EpmdPort = ask(Recorder, epmd_port),
    Nodes = [
        start([Letter], Erl, EpmdPort, Recorder)
     || {Letter, Erl} <- lists:zip(lists:sublist("abcd", length(Erls)), Erls)
    ],
    ok = Life(Recorder, Nodes),
    quiet(Recorder),
    Lines = ask(Recorder, lines),
    [catch peer:stop(Peer) || #{peer := Peer} <- Nodes],
    unlink(Recorder),
    exit(Recorder, kill),
    Lines.

start(Name, Erl, EpmdPort, Recorder) ->
    Options = #{exec => Erl, args => ["-kernel", "logger_level", "critical"]},
    {Peer, Node} = gen_cluster_test_proxy:start_node(Name, EpmdPort, Options),
    Server = peer:call(Peer, erlang, whereis, [global_name_server]),
    State = peer:call(Peer, sys, get_state, [global_name_server]),
    %% spec: global, #state.the_locker, #state.the_registrar, in this order
    [Locker, Registrar] = [P || P <- tuple_to_list(State), is_pid(P)],
    Method = method(Peer),
    ok = ask(Recorder, {node, Node, {Server, Locker, Registrar}}),
    #{peer => Peer, node => Node, method => Method}.

%% What names are registered with by those who name none: a fun that other nodes cannot make.
method(Peer) ->
    Pid = peer:call(Peer, erlang, whereis, [init]),
    yes = peer:call(Peer, global, register_name, [method, Pid]),
    [Entry] = peer:call(Peer, ets, lookup, [global_names, method]),
    _ = peer:call(Peer, global, unregister_name, [method]),
    element(3, Entry).

ask(Recorder, Request) ->
    Reference = make_ref(),
    Recorder ! {Request, self(), Reference},
    receive
        {Reference, Reply} -> Reply
    after ?DEADLINE -> error({no_answer, Request})
    end.

%% Until everything that was said has arrived.
quiet(Recorder) -> ask(Recorder, quiet).

%% --- the recorder ------------------------------------------------------------------------------

recorder() ->
    {EpmdPort, Listener} = listen(),
    Self = self(),
    _ = serve(Listener, fun(Client) -> epmd(Client, Self) end),
    loop(#state{epmd = EpmdPort, random = rand:seed_s(exsss, 3)}).

loop(State) ->
    receive
        Message -> loop(handle(Message, State))
    after ?QUIET + rand:uniform(?MORE) -> loop(hand_on(State))
    end.

handle({{port, Name, Port}, From, Reference}, #state{ports = Ports} = State) ->
    {Own, Listener} = listen(),
    Self = self(),
    _ = serve(Listener, fun(A) -> dist(A, Port, node_name(Name), Self) end),
    From ! {Reference, ok},
    State#state{ports = Ports#{Name => {Port, Own}}};
handle({{port_of, Name}, From, Reference}, #state{ports = Ports} = State) ->
    {_, Own} = maps:get(Name, Ports),
    From ! {Reference, Own},
    State;
handle({epmd_port, From, Reference}, State) ->
    From ! {Reference, State#state.epmd},
    State;
handle({lines, From, Reference}, State) ->
    From ! {Reference, lists:reverse(State#state.lines)},
    State;
handle({quiet, From, Reference}, #state{waiting = Waiting} = State) ->
    State#state{waiting = [{From, Reference} | Waiting]};
handle({{node, Node, Actors}, From, Reference}, #state{actors = Known} = State) ->
    From ! {Reference, ok},
    New = maps:from_list([{Actor, []} || Actor <- tuple_to_list(Actors)]),
    All = maps:merge(Known, New),
    note(["node ", atom_to_list(Node), $\s, hex(Actors)], State#state{actors = All});
handle({{do, Node, What}, From, Reference}, State) ->
    From ! {Reference, ok},
    note(["do ", atom_to_list(Node), $\s, hex(What)], State);
handle({{up, At, Other, Socket}, From, Reference}, #state{ways = Ways} = State) ->
    From ! {Reference, ok},
    note(["up ", At, $\s, Other], State#state{ways = Ways#{{Other, At} => {Socket, queue:new()}}});
handle({frame, From, To, Frame}, State) ->
    frame({From, To}, Frame, State);
handle({closed, From, To}, #state{ways = Ways} = State) ->
    case is_map_key({To, From}, Ways) of
        %% What is on its way to it is lost; what it has said before is not.
        true -> hold({From, To}, closed, drop({To, From}, note(["down ", From, $\s, To], State)));
        %% It was closed here.
        false -> State
    end.

note(Line, #state{lines = Lines} = State) -> State#state{lines = [[Line, $\n] | Lines]}.

hex(Term) ->
    <<131, Bytes/binary>> = term_to_binary(Term, [{minor_version, 2}]),
    string:lowercase(binary:encode_hex(Bytes)).

frame(Way, <<>>, State) ->
    send(Way, <<>>, State),
    State;
frame({From, To} = Way, Frame, #state{ways = Ways} = State) ->
    {Socket, Held} = maps:get(Way, Ways, {none, queue:new()}),
    {IsOfGlobal, State1} = is_of_global(Frame, State),
    case IsOfGlobal of
        true ->
            Hex = string:lowercase(binary:encode_hex(Frame)),
            hold(Way, {frame, Frame}, note(["sent ", From, $\s, To, $\s, Hex], State1));
        false when Socket =:= none ->
            State1;
        false ->
            case queue:is_empty(Held) of
                true -> send(Way, Frame, State1), State1;
                false -> hold(Way, {other, Frame}, State1)
            end
    end.

hold(Way, What, #state{ways = Ways} = State) ->
    case Ways of
        #{Way := {Socket, Held}} -> State#state{ways = Ways#{Way := {Socket, queue:in(What, Held)}}};
        #{} -> State
    end.

drop(Way, #state{ways = Ways} = State) -> State#state{ways = maps:remove(Way, Ways)}.

send(Way, Frame, #state{ways = Ways}) ->
    case Ways of
        #{Way := {Socket, _}} -> _ = gen_tcp:send(Socket, Frame), ok;
        #{} -> ok
    end.

%% The next message of a way that is chosen at random.
hand_on(#state{ways = Ways} = State) ->
    case [Way || {Way, {_, Held}} <- lists:sort(maps:to_list(Ways)), not queue:is_empty(Held)] of
        [] ->
            [From ! {Reference, ok} || {From, Reference} <- State#state.waiting],
            State#state{waiting = []};
        Full ->
            {N, Random} = rand:uniform_s(length(Full), State#state.random),
            hand_on(lists:nth(N, Full), State#state{random = Random})
    end.

hand_on({From, To} = Way, #state{ways = Ways} = State) ->
    #{Way := {Socket, Held}} = Ways,
    {{value, What}, Rest} = queue:out(Held),
    Taken = State#state{ways = Ways#{Way := {Socket, Rest}}},
    case What of
        {frame, Frame} ->
            send(Way, Frame, Taken),
            note(["got ", From, $\s, To], Taken);
        {other, Frame} ->
            send(Way, Frame, Taken),
            Taken;
        closed ->
            gen_tcp:close(Socket),
            note(["down ", To, $\s, From], drop(Way, Taken))
    end.

%% --- what concerns `global` --------------------------------------------------------------------

%% spec: erl_dist_protocol, control messages
is_of_global(<<112, 131, Rest/binary>>, State) ->
    {Control, Used} = binary_to_term(<<131, Rest/binary>>, [used]),
    <<_:Used/binary, Payload/binary>> = <<131, Rest/binary>>,
    control(Control, Payload, State).

control({6, _From, _, global_name_server}, _, State) -> {true, State};
control({2, _, To}, _, State) -> {is_actor(To, State), State};
control({22, From, To}, _, State) -> {is_actor(From, State) orelse is_actor(To, State), State};
control({33, From, _Alias}, _, State) -> {is_actor(From, State), State};
%% As OTP 29 sends, with flags of its own.
control({37, _Flags, From, To}, _, State) ->
    {To =:= global_name_server orelse is_actor(From, State) orelse is_actor(To, State), State};
control({19, From, To, _}, _, State) when is_pid(To) -> {is_actor(From, State), State};
control({20, From, To, _}, _, State) when is_pid(To) -> {is_actor(From, State), State};
control({21, From, To, Ref, _}, _, State) -> {is_down(From, To, Ref, State), State};
control({28, From, To, Ref}, _, State) -> {is_down(From, To, Ref, State), State};
control({29, Ref, _From, _, _, _}, Payload, #state{asked = Asked} = State) ->
    case binary_to_term(Payload) of
        [_, global, resolve_it, _] -> {true, State#state{asked = Asked#{Ref => []}}};
        _ -> {false, State}
    end;
control({31, Ref, _, _, _}, _, State) -> {is_map_key(Ref, State#state.asked), State};
control(_, _, State) -> {false, State}.

is_actor(Pid, #state{actors = Actors}) -> is_map_key(Pid, Actors).

is_down(From, To, Ref, State) ->
    is_pid(From) andalso (is_actor(To, State) orelse is_map_key(Ref, State#state.asked)).

%% --- epmd --------------------------------------------------------------------------------------

epmd(Client, Recorder) ->
    case gen_cluster_test_proxy:epmd_request(Client) of
        {_, {register, Name, Port}} ->
            ok = ask(Recorder, {port, Name, Port}),
            ok = gen_tcp:send(Client, <<118, 0, 1:32>>),
            %% A node that registers stays connected.
            gen_tcp:recv(Client, 0);
        {_, {port_of, Name}} ->
            Port = ask(Recorder, {port_of, Name}),
            N = byte_size(Name),
            Reply = <<119, 0, Port:16, 77, 0, 6:16, 5:16, N:16, Name/binary, 0:16>>,
            ok = gen_tcp:send(Client, Reply)
    end,
    gen_tcp:close(Client).

%% --- distribution ------------------------------------------------------------------------------

node_name(Name) -> <<Name/binary, "@", (list_to_binary(gen_cluster_test_proxy:host()))/binary>>.

%% A has dialled B, whose name is `To`. Name, status, [answer to `alive`,] challenge, reply,
%% acknowledgement: each waits for the one before it.
dist(A, Port, To, Recorder) ->
    B = connect(Port),
    Name = shake(A, B),
    case shake(B, A) of
        <<"snok">> -> gen_tcp:close(A), exit(normal);
        <<"salive">> -> shake(A, B);
        <<"sok", _/binary>> -> ok
    end,
    _ = shake(B, A),
    _ = shake(A, B),
    From = name_of(Name),
    Acknowledgement = packet(B),
    [ok = inet:setopts(S, [{packet, 4}]) || S <- [A, B]],
    ok = ask(Recorder, {up, To, From, B}),
    ok = inet:setopts(A, [{packet, 2}]),
    ok = gen_tcp:send(A, Acknowledgement),
    ok = inet:setopts(A, [{packet, 4}]),
    ok = ask(Recorder, {up, From, To, A}),
    %% Sockets are closed when their owner ends: not before both are.
    {_, Reader} = spawn_monitor(fun() -> frames(B, To, From, Recorder) end),
    frames(A, From, To, Recorder),
    receive
        {'DOWN', Reader, process, _, _} -> ok
    end.

shake(From, To) ->
    gen_cluster_test_proxy:shake(From, To, gen_cluster_test_proxy:headers()).

name_of(<<"N", _Flags:64, _Creation:32, N:16, Name:N/binary, _/binary>>) -> Name;
name_of(<<"n", 5:16, _Flags:32, Name/binary>>) -> Name.

frames(Socket, From, To, Recorder) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Frame} ->
            Recorder ! {frame, From, To, Frame},
            frames(Socket, From, To, Recorder);
        {error, _} ->
            Recorder ! {closed, From, To}
    end.

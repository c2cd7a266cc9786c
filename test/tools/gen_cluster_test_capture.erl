%% SPDX-License-Identifier: Apache-2.0
%% Captures what two BEAM nodes say to epmd and to each other, for test/c/golden. The nodes take
%% this program for epmd and for each other; it passes everything on and writes it down.
%%
%% Atom cache and fragments are taken out of the flags on their way, so that the nodes speak in the
%% one form of frames that the C library offers; a second pair of nodes lacks more flags and uses
%% the plain forms of the control messages. Written down are the flags as they were sent.
-module(gen_cluster_test_capture).

-export([main/1]).
-export([run/1, idle/0]).

-import(gen_cluster_test_proxy, [listen/0, connect/1, serve/2]).

-define(TIMEOUT, 5000).

%% SEND_SENDER, EXIT_PAYLOAD and UNLINK_ID.
-define(PAYLOADS, 16#2480000).

-type line() :: {Kind :: epmd | handshake | frame, Side :: char(), binary()}.

%% @doc Writes `epmd.txt', `handshake.txt', `control.txt', `control_plain.txt' and `membership.txt'
%% into a folder.
-spec main([string()]) -> ok.
main([Folder]) ->
    Headers = gen_cluster_test_proxy:headers(),
    Full = capture(Headers),
    Plain = capture(Headers bor ?PAYLOADS),
    write(Folder, "epmd.txt", epmd, Full),
    write(Folder, "handshake.txt", handshake, Full),
    write(Folder, "control.txt", frame, Full),
    write(Folder, "control_plain.txt", frame, Plain),
    write_membership(Folder).

%% What members say to one another, by the modules that are shipped.
-spec write_membership(string()) -> ok.
write_membership(Folder) ->
    Text = [
        ["> ", string:lowercase(binary:encode_hex(term_bytes(Message))), $\n]
     || Message <- membership_messages()
    ],
    Head =
        "# One message a line, made by gen_cluster_core_message of test/tools/capture.sh's OTP, in\n"
        "# the external term format without its version byte.\n",
    ok = file:write_file(filename:join(Folder, "membership.txt"), [Head | Text]).

membership_messages() ->
    A = remote_pid(<<"a@h">>, 1, 2, 3),
    B = remote_pid(<<"b@h">>, 70000, 0, 1700000000),
    C = remote_pid(<<"c@h">>, 9, 1, 4),
    About = #{
        v => 3, phase => settled, claim => true, hidden => false, type => counter, meta => #{}
    },
    Joining = About#{phase => joining, claim => false, hidden => true},
    Label = #{meta => #{weight => 1.5, "k" => [A]}, children => [{worker, B}, {worker, C}]},
    Digest = <<1, 2, 3, 4, 5, 6, 7, 8>>,
    [
        gen_cluster_core_message:new(Kind, room, A, Map)
     || {Kind, Map} <- [
            {hello, About#{stay => 1, nonce => 7}},
            {hello,
                maps:merge(Joining#{stay => 2, nonce => 300, want => true, contact => true}, Label)},
            {hello, About#{stay => 2, nonce => 300, echo => 5000000000}},
            {ack, About#{stay => 1, echo => 8}},
            {ack, Joining#{stay => 1, echo => 8, contact => true}},
            {list, #{stay => 1, pids => []}},
            {list, #{stay => 1, pids => [B, C], want => true}},
            {sync, About#{stay => 1, digest => Digest}},
            {info, About#{stay => 1, holder => C}},
            {leave, #{stay => 16#FFFFFFFFFFFFFFFF}}
        ]
    ].

remote_pid(Node, Id, Serial, Creation) ->
    Name = <<(byte_size(Node)), Node/binary>>,
    binary_to_term(<<131, 88, 119, Name/binary, Id:32, Serial:32, Creation:32>>).

%% With atoms in UTF-8, as on the wire.
term_bytes(Term) ->
    <<131, Bytes/binary>> = term_to_binary(Term, [{minor_version, 2}]),
    Bytes.

-spec write(string(), string(), atom(), [line()]) -> ok.
write(Folder, Name, Kind, Lines) ->
    Text = [
        [Side, $\s, string:lowercase(binary:encode_hex(Bytes)), $\n]
     || {K, Side, Bytes} <- Lines, K =:= Kind
    ],
    Head = [
        "# Captured from sockets between two nodes of OTP ",
        erlang:system_info(otp_release),
        " by test/tools/capture.sh; one packet a line,\n"
        "# > from the one that connected, < from the other one.\n"
    ],
    ok = file:write_file(filename:join(Folder, Name), [Head | Text]).

%% One pair of nodes.
-spec capture(non_neg_integer()) -> [line()].
capture(Hidden) ->
    Real = list_to_integer(os:getenv("ERL_EPMD_PORT")),
    Recorder = self(),
    {EpmdPort, EpmdListener} = listen(),
    {DistPort, DistListener} = listen(),
    _ = serve(EpmdListener, fun(Client) -> epmd(Client, Real, DistPort, Recorder) end),
    B = start(b, EpmdPort),
    A = start(a, EpmdPort),
    Target = receive_port(),
    _ = serve(DistListener, fun(Client) -> dist(Client, Target, Hidden, Recorder) end),
    ok = peer:call(A, ?MODULE, run, [node_name(b)], 30000),
    Lines = lines(),
    ok = peer:stop(A),
    ok = peer:stop(B),
    Lines.

start(Name, EpmdPort) ->
    Options = #{args => ["-connect_all", "false"]},
    {Peer, _} = gen_cluster_test_proxy:start_node(Name, EpmdPort, Options),
    {Module, Code, File} = code:get_object_code(?MODULE),
    {module, Module} = peer:call(Peer, code, load_binary, [Module, File, Code]),
    Peer.

node_name(Name) ->
    list_to_atom(atom_to_list(Name) ++ "@" ++ gen_cluster_test_proxy:host()).

%% The port of b, as it registered it.
receive_port() ->
    receive
        {registered, <<"b">>, Port} -> Port
    after ?TIMEOUT -> error(not_registered)
    end.

lines() ->
    receive
        {line, Line} -> [Line | lines()]
    after 500 -> []
    end.

%%% epmd ------------------------------------------------------------------------------------------

epmd(Client, Real, DistPort, Recorder) ->
    {Request, Meaning} = gen_cluster_test_proxy:epmd_request(Client),
    note(epmd, $>, Request, Recorder),
    Server = connect(Real),
    ok = gen_tcp:send(Server, Request),
    {ok, Reply} = gen_tcp:recv(Server, 0),
    note(epmd, $<, Reply, Recorder),
    ok = gen_tcp:send(Client, epmd_reply(Meaning, Reply, DistPort, Recorder)),
    %% A node that registers stays connected; who asks waits for the end.
    element(1, Meaning) =:= register andalso gen_tcp:recv(Client, 0),
    gen_tcp:close(Client).

epmd_reply({register, Name, Port}, Reply, _, Recorder) ->
    Recorder ! {registered, Name, Port},
    Reply;
epmd_reply({port_of, _}, <<119, 0, _:16, Rest/binary>>, DistPort, _) ->
    <<119, 0, DistPort:16, Rest/binary>>;
epmd_reply({port_of, _}, Reply, _, _) ->
    Reply.

note(Kind, Side, Bytes, Recorder) ->
    Recorder ! {line, {Kind, Side, Bytes}},
    ok.

%%% distribution ----------------------------------------------------------------------------------

dist(A, Target, Hidden, Recorder) ->
    B = connect(Target),
    %% Name, status, challenge, reply, acknowledgement: each waits for the one before it.
    [
        handshake(From, To, Side, Hidden, Recorder)
     || {From, To, Side} <- [{A, B, $>}, {B, A, $<}, {B, A, $<}, {A, B, $>}, {B, A, $<}]
    ],
    spawn_link(fun() -> frames(A, B, $>, Recorder) end),
    frames(B, A, $<, Recorder).

handshake(From, To, Side, Hidden, Recorder) ->
    Packet = gen_cluster_test_proxy:shake(From, To, Hidden),
    note(handshake, Side, <<(byte_size(Packet)):16, Packet/binary>>, Recorder).

frames(From, To, Side, Recorder) ->
    case gen_tcp:recv(From, 4) of
        {ok, <<0:32>>} ->
            frame(To, Side, <<0:32>>, Recorder),
            frames(From, To, Side, Recorder);
        {ok, <<Size:32>>} ->
            {ok, Body} = gen_tcp:recv(From, Size),
            frame(To, Side, <<Size:32, Body/binary>>, Recorder),
            frames(From, To, Side, Recorder);
        {error, _} ->
            gen_tcp:close(To)
    end.

frame(To, Side, Frame, Recorder) ->
    note(frame, Side, Frame, Recorder),
    _ = gen_tcp:send(To, Frame),
    ok.

%%% what the nodes do, on a ------------------------------------------------------------------------

%% @doc Sends every kind of signal to the node `Node' and gets those that it answers with.
-spec run(node()) -> ok.
run(Node) ->
    true = net_kernel:connect_node(Node),
    pong = net_adm:ping(Node),
    Pid = spawn(Node, ?MODULE, idle, []),
    Named = spawn(Node, ?MODULE, idle, []),
    true = erpc:call(Node, erlang, register, [golden, Named]),
    ok = messages(Node, Pid),
    ok = links(Pid),
    ok = monitors(Node, Pid),
    ok = spawns(Node),
    ok = traced(Node, Pid),
    ok = exits(Node, Pid).

messages(Node, Pid) ->
    Pid ! hello,
    {golden, Node} ! {hello, <<0:2000>>},
    {golden, Node} ! "text",
    group_leader(group_leader(), Pid),
    {'EXIT', {noproc, _}} = (catch gen_server:call({nobody, Node}, request)),
    reply = gen_call(Pid),
    ok.

%% As a gen_server is called: by a monitor that is an alias, to which the reply is sent.
gen_call(Pid) ->
    Ref = monitor(process, Pid, [{alias, reply_demonitor}]),
    Pid ! {reply, Ref},
    receive
        {Ref, reply} -> reply
    after ?TIMEOUT -> error(no_reply)
    end.

links(Pid) ->
    true = link(Pid),
    true = unlink(Pid),
    %% Answered in order, so that the acknowledgement is written down.
    reply = gen_call(Pid),
    ok.

monitors(Node, Pid) ->
    demonitor(monitor(process, Pid)),
    demonitor(monitor(process, {golden, Node})),
    Ref = monitor(process, {nobody, Node}),
    receive
        {'DOWN', Ref, process, {nobody, Node}, noproc} -> ok
    after ?TIMEOUT -> error(no_down)
    end.

spawns(Node) ->
    {Pid, Ref} = spawn_monitor(Node, erlang, exit, [{bye, [1, 2.0, <<"three">>]}]),
    receive
        {'DOWN', Ref, process, Pid, {bye, _}} -> ok
    after ?TIMEOUT -> error(no_down)
    end,
    ReqId = spawn_request(Node, ?MODULE, idle, [], [{no_option, 1}]),
    receive
        {spawn_reply, ReqId, error, badopt} -> ok
    after ?TIMEOUT -> error(no_reply)
    end.

%% With a trace token.
traced(Node, Pid) ->
    seq_trace:set_token(label, 17),
    Pid ! traced,
    {golden, Node} ! traced,
    reply = gen_call(Pid),
    Doomed = spawn(Node, ?MODULE, idle, []),
    exit(Doomed, traced),
    seq_trace:set_token([]),
    ok.

exits(Node, Pid) ->
    process_flag(trap_exit, true),
    Linked = spawn_link(Node, ?MODULE, idle, []),
    exit(Linked, {stop, Linked}),
    receive
        {'EXIT', Linked, {stop, Linked}} -> ok
    after ?TIMEOUT -> error(no_exit)
    end,
    %% A process here that ends with a link, and one that is monitored from there.
    Self = self(),
    Here = spawn(fun() ->
        link(Pid),
        Self ! linked,
        receive
            stop -> exit(here)
        end
    end),
    receive
        linked -> ok
    end,
    Watcher = spawn(Node, ?MODULE, idle, []),
    Watcher ! {monitor, Here, self()},
    receive
        monitored -> ok
    after ?TIMEOUT -> error(not_monitored)
    end,
    Here ! stop,
    pong = net_adm:ping(Node),
    Other = spawn(Node, ?MODULE, idle, []),
    exit(Other, kill),
    pong = net_adm:ping(Node),
    ok.

%% @doc A process that answers, until it is told to end.
-spec idle() -> no_return().
idle() ->
    receive
        {reply, Ref} ->
            Ref ! {Ref, reply};
        {monitor, Pid, From} ->
            monitor(process, Pid),
            From ! monitored;
        _ ->
            ok
    end,
    idle().

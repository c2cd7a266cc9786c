%% SPDX-License-Identifier: Apache-2.0
%% What a peer can do wrong closes at most its own connection, with a line in the log that says why;
%% a BEAM that is connected at the same time notices nothing.
-module(bad_input_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    a_wrong_cookie_closes_one_connection/1,
    a_peer_that_is_none_closes_one_connection/1,
    a_missing_flag_is_named/1,
    a_peer_with_another_name_is_refused/1,
    frames_of_an_unknown_kind_close/1,
    malformed_control_messages_close/1,
    unknown_operations_close/1,
    who_speaks_for_others_is_closed/1,
    malformed_reasons_close/1,
    frames_that_are_too_large_close/1,
    malformed_messages_reach_nobody_else/1,
    garbage_is_not_relayed/1,
    deep_terms_are_not_relayed/1,
    messages_to_nobody_vanish/1,
    downs_that_were_not_asked_for_vanish/1,
    exits_without_a_link_vanish/1,
    calls_of_nobody_are_answered_to_nobody/1,
    random_frames_close_at_most_one_connection/1
]).

-define(DEADLINE, 20000).

suite() -> [{timetrap, {seconds, 60}}].

all() ->
    [
        a_wrong_cookie_closes_one_connection,
        a_peer_that_is_none_closes_one_connection,
        a_missing_flag_is_named,
        a_peer_with_another_name_is_refused,
        frames_of_an_unknown_kind_close,
        malformed_control_messages_close,
        unknown_operations_close,
        who_speaks_for_others_is_closed,
        malformed_reasons_close,
        frames_that_are_too_large_close,
        malformed_messages_reach_nobody_else,
        garbage_is_not_relayed,
        deep_terms_are_not_relayed,
        messages_to_nobody_vanish,
        downs_that_were_not_asked_for_vanish,
        exits_without_a_link_vanish,
        calls_of_nobody_are_answered_to_nobody,
        random_frames_close_at_most_one_connection
    ] -- left_out(erlang:system_info(otp_release)).

%% A pid of more than 15 bits, as frames may have by chance, is one of OTP 24 and later: it is passed
%% on, and the BEAM of OTP 23 closes the connection, as it does when a later BEAM sends it.
left_out("23") -> [random_frames_close_at_most_one_connection];
left_out(_) -> [].

%% This node is the one that must notice nothing: it is connected, and has a call open.
init_per_testcase(_Case, Config) ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "server")}, [
        {args, [Name]},
        {env, [{"GCL_COOKIE", cookie()}]},
        {line, 4096},
        exit_status
    ]),
    Log = spawn(fun() -> log_of([], none) end),
    true = erlang:port_connect(Port, Log),
    true = unlink(Port),
    [_, _, Number] = string:lexemes(await_line(Log, "ready "), " "),
    Server = {server, list_to_atom(Name)},
    ok = gen_server:call(Server, subscribe, ?DEADLINE),
    Pid = gen_server:call(Server, self, ?DEADLINE),
    [
        {log, Log},
        {cname, Name},
        {number, list_to_integer(Number)},
        {server, Pid},
        {open_call, gen_server:send_request(Pid, keep)}
        | Config
    ].

end_per_testcase(_Case, Config) ->
    ?config(log, Config) ! stop,
    ok.

%% --- handshakes -------------------------------------------------------------------------------

a_wrong_cookie_closes_one_connection(Config) ->
    {error, {error, closed}} = raw_peer:connect(number(Config), raw_peer:name(), "wrong"),
    ?assertMatch({_, _}, logged(Config, "cookie")),
    nothing_noticed(Config).

a_peer_that_is_none_closes_one_connection(Config) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, number(Config), [binary, {active, false}]),
    ok = gen_tcp:send(Socket, "GET / HTTP/1.1\r\n\r\n"),
    ?assert(raw_peer:is_closed(Socket)),
    await_line(?config(log, Config), "log notice handshake_failed"),
    nothing_noticed(Config).

a_missing_flag_is_named(Config) ->
    {error, _} = raw_peer:connect(number(Config), raw_peer:name(), cookie(), 16#4),
    ?assertMatch({_, _}, logged(Config, "HANDSHAKE_23")),
    nothing_noticed(Config).

a_peer_with_another_name_is_refused(Config) ->
    {error, _} = raw_peer:connect(number(Config), "no name", cookie()),
    await_line(?config(log, Config), "log notice handshake_failed"),
    nothing_noticed(Config).

%% --- frames -----------------------------------------------------------------------------------

frames_of_an_unknown_kind_close(Config) ->
    %% Those of the distribution header, which was not negotiated, among them.
    closes(Config, [<<0>>, <<111, 1, 2>>, <<131, 68, 0>>, <<131, 69, 0, 0>>, <<"hello">>]).

malformed_control_messages_close(Config) ->
    Send = term_to_binary({6, self(), '', server}),
    Truncated = [<<112, (binary:part(Send, 0, Size))/binary>> || Size <- [0, 1, 3, 10, 20]],
    closes(Config, Truncated ++ [<<112, 131, 97, 1>>, <<112, 131, 104, 0>>, <<112, 131, 106>>]).

unknown_operations_close(Config) ->
    closes(Config, [<<112, (term_to_binary({Op, 1, 2}))/binary>> || Op <- [0, 9, 99, -1, atom]]).

who_speaks_for_others_is_closed(Config) ->
    Control = {6, self(), '', server},
    Bytes = <<112, (term_to_binary(Control))/binary, (term_to_binary(hello))/binary>>,
    closes(Config, [Bytes]),
    ?assertEqual(none, next(0)).

%% A reason goes on to links and monitors: it is looked at before.
malformed_reasons_close(Config) ->
    Pid = ?config(server, Config),
    closes(Config, fun(Name) ->
        Exit = term_to_binary({26, raw_peer:pid(Name, 1), Pid}),
        [<<112, Exit/binary, Reason/binary>> || Reason <- garbage()]
    end),
    ?assertEqual(none, next(0)).

%% The program sets frame_bytes to 1 MiB.
frames_that_are_too_large_close(Config) ->
    {Socket, _} = connect(Config),
    ok = raw_peer:send_bytes(Socket, <<112, 0:((1 bsl 20) * 8)>>),
    ?assert(raw_peer:is_closed(Socket)),
    ?assertMatch({_, _}, logged(Config, "frame_bytes")),
    nothing_noticed(Config).

%% --- messages ---------------------------------------------------------------------------------

malformed_messages_reach_nobody_else(Config) ->
    {Socket, Name} = connect(Config),
    lists:foreach(
        fun(Garbage) ->
            ok = raw_peer:send(Socket, {6, raw_peer:pid(Name, 1), '', server}, Garbage)
        end,
        tl(garbage())
    ),
    is_still_served(Socket, Name),
    ?assertEqual(none, next(0)),
    nothing_noticed(Config).

%% The server sends what it gets on to this node; that must never be something that makes this node
%% close its connection to the server.
garbage_is_not_relayed(Config) ->
    {Socket, Name} = connect(Config),
    lists:foreach(
        fun(Garbage) ->
            %% {'$gen_cast', {good, Garbage}}
            Cast = <<131, 104, 2, 119, 9, "$gen_cast", 104, 2, 119, 4, "good">>,
            <<131, Rest/binary>> = Garbage,
            Message = <<Cast/binary, Rest/binary>>,
            ok = raw_peer:send(Socket, {6, raw_peer:pid(Name, 1), '', server}, Message)
        end,
        garbage()
    ),
    is_still_served(Socket, Name),
    ?assertEqual(none, next(0)),
    nothing_noticed(Config).

deep_terms_are_not_relayed(Config) ->
    {Socket, Name} = connect(Config),
    Deep = lists:foldl(fun(_, Term) -> {Term} end, a, lists:seq(1, 100000)),
    To = {6, raw_peer:pid(Name, 1), '', server},
    ok = raw_peer:send(Socket, To, term_to_binary(Deep)),
    is_still_served(Socket, Name),
    ?assertEqual(none, next(0)),
    nothing_noticed(Config).

messages_to_nobody_vanish(Config) ->
    {Socket, Name} = connect(Config),
    From = raw_peer:pid(Name, 1),
    Nobody = raw_peer:pid(?config(cname, Config), 12345),
    Message = term_to_binary(hello),
    ok = raw_peer:send(Socket, {6, From, '', nobody}, Message),
    ok = raw_peer:send(Socket, {22, From, Nobody}, Message),
    ok = raw_peer:send(Socket, {33, From, make_ref()}, Message),
    is_still_served(Socket, Name),
    nothing_noticed(Config).

downs_that_were_not_asked_for_vanish(Config) ->
    {Socket, Name} = connect(Config),
    Server = ?config(server, Config),
    {ok, Ref} = gen_server:call(Server, {monitor, self()}, ?DEADLINE),
    Down = {28, raw_peer:pid(Name, 1), Server, Ref},
    ok = raw_peer:send(Socket, Down, term_to_binary(forged)),
    is_still_served(Socket, Name),
    ?assertEqual(none, next(0)),
    nothing_noticed(Config).

exits_without_a_link_vanish(Config) ->
    {Socket, Name} = connect(Config),
    Exit = {24, raw_peer:pid(Name, 1), ?config(server, Config)},
    ok = raw_peer:send(Socket, Exit, term_to_binary(forged)),
    is_still_served(Socket, Name),
    nothing_noticed(Config).

%% The pid in a call may be anybody's: the answer goes there, and makes no trouble on its way.
calls_of_nobody_are_answered_to_nobody(Config) ->
    {Socket, Name} = connect(Config),
    Nowhere = raw_peer:pid("nowhere@127.0.0.1", 1),
    Dead = spawn(fun() -> ok end),
    lists:foreach(
        fun(From) ->
            Call = {'$gen_call', {From, make_ref()}, {echo, hello}},
            To = {6, raw_peer:pid(Name, 1), '', server},
            ok = raw_peer:send(Socket, To, term_to_binary(Call))
        end,
        [Nowhere, Dead]
    ),
    is_still_served(Socket, Name),
    nothing_noticed(Config).

%% Well-formed frames with some bytes changed.
random_frames_close_at_most_one_connection(Config) ->
    Seed = seed(),
    ct:pal("GCL_SEED=~w", [Seed]),
    _ = rand:seed(exsss, Seed),
    %% A link that came through breaks when the peer is gone, as it should.
    ok = gen_server:call(?config(server, Config), {trap_exit, true}, ?DEADLINE),
    Count =
        case os:getenv("GCL_QUICK") of
            false -> 300;
            _ -> 100
        end,
    lists:foreach(fun(_) -> send_mutated(Config) end, lists:seq(1, Count)),
    flush(),
    nothing_noticed(Config).

send_mutated(Config) ->
    {Socket, Name} = connect(Config),
    From = raw_peer:pid(Name, 1),
    Ref = raw_peer:ref(Name),
    To = ?config(server, Config),
    Frames = [
        {{6, From, '', server}, {'$gen_call', {From, Ref}, {echo, [1, "two", <<"3">>]}}},
        {{22, From, To}, {'$gen_cast', #{a => 1.5}}},
        {{1, From, To}, none},
        {{35, 1, From, To}, none},
        {{19, From, server, Ref}, none},
        {{28, From, To, Ref}, reason},
        {{24, From, To}, normal},
        {{22, From, To}, {system, {From, Ref}, get_status}},
        {{22, From, To}, {io_request, From, Ref, {put_chars, unicode, "text"}}}
    ],
    lists:foreach(
        fun({Control, Message}) ->
            Tail = [term_to_binary(Message) || Message =/= none],
            Frame = iolist_to_binary([112, term_to_binary(Control), Tail]),
            _ = raw_peer:send_bytes(Socket, mutate(Frame, rand:uniform(3)))
        end,
        Frames
    ),
    ok = gen_tcp:close(Socket).

mutate(Bytes, 0) ->
    Bytes;
mutate(Bytes, Left) ->
    At = rand:uniform(byte_size(Bytes)) - 1,
    <<Before:At/binary, _, After/binary>> = Bytes,
    mutate(<<Before/binary, (rand:uniform(256) - 1), After/binary>>, Left - 1).

seed() ->
    case os:getenv("GCL_SEED") of
        false -> erlang:unique_integer([positive]) + erlang:system_time();
        Text -> list_to_integer(Text)
    end.

%% --- helpers ------------------------------------------------------------------------------------

cookie() -> atom_to_list(erlang:get_cookie()).

number(Config) -> ?config(number, Config).

connect(Config) ->
    Name = raw_peer:name(),
    {ok, Socket} = raw_peer:connect(number(Config), Name, cookie()),
    {Socket, Name}.

%% Terms that are none: nothing, cut, of unknown tags, with lengths that lie, followed by too much.
garbage() ->
    [
        <<131>>,
        <<131, 0>>,
        <<131, 104, 3, 97, 1>>,
        <<131, 255, 255>>,
        <<131, 109, 255, 255, 255, 255, 1>>,
        <<131, 108, 255, 255, 255, 255, 97, 1>>,
        <<131, 116, 255, 255, 255, 255>>,
        <<131, 110, 255, 0, 1>>,
        <<131, 119, 3, 255, 254, 253>>,
        <<131, 97, 1, 97, 2>>,
        <<131, 80, 0, 0, 0, 9, 1, 2, 3>>
        | forged()
    ].

%% Ids of this very node that it can not have made: it would take the message for garbage.
forged() ->
    Node = atom_to_binary(node()),
    Name = <<119, (byte_size(Node)), Node/binary>>,
    Creation = erlang:system_info(creation),
    [
        <<131, 88, Name/binary, (1 bsl 28):32, 0:32, Creation:32>>,
        <<131, 90, 3:16, Name/binary, Creation:32, (1 bsl 18):32, 0:32, 0:32>>,
        <<131, 120, Name/binary, (1 bsl 60):64, Creation:32>>
    ].

%% Each of the frames, sent alone by a peer of its own, closes its connection and says why.
closes(Config, Frames) when is_list(Frames) ->
    closes(Config, fun(_Name) -> Frames end);
closes(Config, FramesOf) ->
    lists:foreach(
        fun(N) ->
            {Socket, Name} = connect(Config),
            ok = raw_peer:send_bytes(Socket, lists:nth(N, FramesOf(Name))),
            ?assert(raw_peer:is_closed(Socket)),
            await_line(?config(log, Config), "log warning node_down connection to " ++ Name)
        end,
        lists:seq(1, length(FramesOf("any@127.0.0.1")))
    ),
    nothing_noticed(Config).

%% What the peer sends right still gets its answer.
is_still_served(Socket, Name) ->
    From = raw_peer:pid(Name, 2),
    Ref = make_ref(),
    Call = term_to_binary({'$gen_call', {From, Ref}, {echo, served}}),
    ok = raw_peer:send(Socket, {6, From, '', server}, Call),
    {_, {Ref, served}} = raw_peer:receive_frame(Socket),
    ok.

nothing_noticed(Config) ->
    Server = ?config(server, Config),
    ok = gen_server:call(Server, {reply_kept, kept}, ?DEADLINE),
    ?assertEqual({reply, kept}, gen_server:wait_response(?config(open_call, Config), ?DEADLINE)).

next(Timeout) ->
    receive
        Message -> Message
    after Timeout -> none
    end.

flush() ->
    receive
        {Kind, _} when Kind =:= cast; Kind =:= info -> flush();
        {exit, _, _} -> flush()
    after 0 -> ok
    end.

logged(Config, Text) ->
    Line = await_line(?config(log, Config), "log ", Text),
    {line, Line}.

await_line(Log, Prefix) -> await_line(Log, Prefix, "").

await_line(Log, Prefix, Text) ->
    Log ! {await, self(), Prefix, Text},
    receive
        {Log, Line} -> Line
    after ?DEADLINE -> ct:fail({no_line, Prefix, Text})
    end.

%% The lines of the program, and who waits for one; a line is given out once.
log_of(Lines, Waiting) ->
    receive
        {_, {data, {eol, Line}}} -> give(Lines ++ [Line], Waiting);
        {await, From, Prefix, Text} -> give(Lines, {From, Prefix, Text});
        {_, {exit_status, Status}} -> give(Lines ++ ["exited " ++ integer_to_list(Status)], Waiting);
        stop -> ok
    end.

give(Lines, none) ->
    log_of(Lines, none);
give(Lines, {From, Prefix, Text} = Waiting) ->
    Fits = fun(Line) -> lists:prefix(Prefix, Line) andalso string:find(Line, Text) =/= nomatch end,
    case lists:splitwith(fun(Line) -> not Fits(Line) end, Lines) of
        {Before, [Line | After]} ->
            From ! {self(), Line},
            log_of(Before ++ After, none);
        {_, []} ->
            log_of(Lines, Waiting)
    end.

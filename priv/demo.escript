#!/usr/bin/env escript
%%! +Bd
%% SPDX-License-Identifier: Apache-2.0
%% demo.escript ROOT PROGRAM FOLDER: see demo beside it, which runs this.
%%
%% Three nodes form a cluster. This script starts and stops them, and waits for what is to happen;
%% it takes no part in the cluster. Each line with a node in front was printed there; lines of this
%% script begin with `--'. It ends with 1 and the name of the event when one does not come.
-mode(compile).

-define(ONE, "one@127.0.0.1").
-define(TWO, "two@127.0.0.1").
-define(THREE, "three@127.0.0.1").
-define(GUEST, "guest@127.0.0.1").
-define(PATIENCE, 20000).
%% A node evaluates what it is told by its input, and ends with it.
-define(INPUT,
    "Loop = fun Loop() -> case io:parse_erl_exprs(\"\") of"
    " {ok, Expressions, _} -> {value, _, _} = erl_eval:exprs(Expressions, []), Loop();"
    " _ -> init:stop() end end, spawn(Loop)."
).

main([Root, Program, Folder]) ->
    %% As Ctrl-C (+Bd) does: ends this process at once, and the nodes lose their input.
    ok = os:set_signal(sigterm, default),
    put(paths, [filename:join(Root, "ebin"), Folder]),
    put(running, []),
    put(members, []),
    put(events, []),
    put(other, []),
    say("what has a node in front is printed there: init when its member begins, handle_join when"),
    say("one joins through it, handle_node_joined when one joins through another, and so on"),
    Status =
        try
            demo(Program),
            say("that was it: all happened as it should"),
            0
        catch
            throw:{missing, Event} ->
                say("this did not happen: " ++ Event),
                [io:format("   | ~ts~n", [Line]) || Line <- lists:reverse(get(other))],
                1
        after
            [signal("KILL", OsPid) || {_, _, OsPid} <- get(running)]
        end,
    halt(Status).

demo(Program) ->
    say("an Erlang node begins a cluster of its own, and leads it"),
    One = start_member(?ONE, ["-s", "example_cluster_srv"]),
    await(?ONE, "init"),
    await(?ONE, "handle_leader_change " ?ONE),

    say("a second one joins through the first"),
    Two = start_member(?TWO, ["-gen_cluster_known", ?ONE, "-s", "example_sup"]),
    await(?TWO, "init"),
    await(?ONE, "handle_join " ?TWO),
    await(?TWO, "handle_leader_change " ?ONE),

    say("a node in C, below the supervisor of the second one, joins through the first"),
    tell(Two, program(Program)),
    First = started_in_c(),
    joined_in_c(),

    say("a guest, no member, calls each of them, casts, and sends a message"),
    Guest = start(?GUEST, ["-hidden", "-eval", guest()]),
    lists:foreach(
        fun(Node) ->
            await(?GUEST, Node ++ " answers hello"),
            await(Node, "handle_call {ohai} from " ?GUEST),
            await(Node, "handle_cast a_cast"),
            await(Node, "handle_info a_message")
        end,
        [?ONE, ?TWO, ?THREE]
    ),
    await_end(Guest),

    say("now the node in C is killed: kill -KILL " ++ First),
    signal("KILL", First),
    await(?ONE, "handle_leave " ?THREE),
    await(?TWO, "handle_leave " ?THREE),
    _ = started_in_c(),
    joined_in_c(),

    say("now the first node, the leader, is stopped; the node in C takes over"),
    stop(One),
    await(?TWO, "handle_leave " ?ONE),
    await(?THREE, "handle_leave " ?ONE),
    await(?THREE, "handle_leader_change " ?THREE),
    await(?TWO, "handle_leader_change " ?THREE),

    say("now the node in C is told to stop, by a cast"),
    await_end(start(?GUEST, ["-hidden", "-eval", cast_stop()])),
    await(?THREE, "handle_cast stop"),
    await(?THREE, "terminate normal"),
    await(?TWO, "handle_leave " ?THREE),
    await(?TWO, "handle_leader_change " ?TWO),

    say("now the last one is stopped"),
    stop(Two).

%% The process of the operating system.
started_in_c() ->
    await(?THREE, "init"),
    [OsPid] = await(?TWO, "supervisor started " ?THREE ", process ([0-9]+)"),
    OsPid.

joined_in_c() ->
    await(?ONE, "handle_join " ?THREE),
    await(?TWO, "handle_node_joined " ?THREE),
    await(?THREE, "handle_leader_change " ?ONE).

%% --- what the nodes are told ---------------------------------------------------------------------

program(Program) ->
    Options = #{
        program => Program,
        name => ?THREE,
        seeds => [?ONE],
        args => ["--listen", "127.0.0.1"],
        restart => transient
    },
    format("{ok, _} = example_sup:add_program(~0p).", [Options]).

guest() ->
    format(
        "[begin Server = {example_cluster_srv, list_to_atom(Node)},"
        " Answer = gen_server:call(Server, {ohai}),"
        " ok = gen_server:cast(Server, a_cast),"
        " _ = Server ! a_message,"
        " io:format(\"~~ts: ~~ts answers ~~0tp~~n\", [node(), Node, Answer])"
        " end || Node <- ~0p], init:stop().",
        [[?ONE, ?TWO, ?THREE]]
    ).

%% The call behind the cast returns when that has arrived: its server is gone then, or going.
cast_stop() ->
    format(
        "Server = {example_cluster_srv, '~ts'}, ok = gen_server:cast(Server, stop),"
        " _ = (catch gen_server:call(Server, {ohai})), init:stop().",
        [?THREE]
    ).

format(Format, Args) -> lists:flatten(io_lib:format(Format, Args)).

%% --- nodes ---------------------------------------------------------------------------------------

%% Runs until it is stopped.
start_member(Name, Args) ->
    put(members, [Name | get(members)]),
    start(Name, Args).

tell(Port, Text) ->
    true = port_command(Port, [Text, "\n"]).

stop(Port) ->
    {Port, Name, OsPid} = lists:keyfind(Port, 1, get(running)),
    put(members, lists:delete(Name, get(members))),
    signal("TERM", OsPid),
    await_end(Port).

%% This script holds the other end of its input, so it ends with it at the latest.
start(Name, Args) ->
    Formatter = "{logger_formatter, #{template => [msg, \"\\n\"], single_line => true}}",
    Handlers = "[{handler, default, logger_std_h, #{formatter => " ++ Formatter ++ "}}]",
    Common = [
        ["+Bd", "-noshell", "-name", Name, "-start_epmd", "false"],
        ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"],
        ["-kernel", "logger", Handlers],
        ["-eval", ?INPUT],
        ["-pa" | get(paths)]
    ],
    Port = open_port({spawn_executable, os:find_executable("erl")}, [
        {args, lists:append(Common) ++ Args},
        {env, [{"ERL_CRASH_DUMP_BYTES", "0"}]},
        {line, 4096},
        exit_status,
        stderr_to_stdout
    ]),
    case erlang:port_info(Port, os_pid) of
        {os_pid, OsPid} -> put(running, [{Port, Name, integer_to_list(OsPid)} | get(running)]);
        undefined -> throw({missing, Name ++ " starts"})
    end,
    Port.

signal(Signal, OsPid) -> os:cmd("kill -s " ++ Signal ++ " " ++ OsPid).

%% --- events --------------------------------------------------------------------------------------

%% A new scene: what was printed before is no event of it.
say(Text) ->
    lists:foreach(fun show/1, get(events)),
    put(events, []),
    io:format("-- ~ts~n", [Text]).

%% Waits for an event of a node, a line that begins so; what the expression catches is returned. The
%% events of a node are shown in their order, those of different nodes in the order in which they
%% are waited for: a cause before what it has caused elsewhere, whichever line arrived first.
await(Node, Text) ->
    {Caught, Before, [Event | After]} = find(Node, Text, [], get(events), deadline()),
    Earlier = lists:map(fun(Other) -> show_of(Node, Other) end, lists:reverse(Before)),
    show(Event),
    put(events, Earlier ++ After),
    Caught.

find(Node, Text, Before, [{_, Line} = Event | After], Deadline) ->
    Expression = ["^", Node, ": ", Text, "\\b"],
    case re:run(Line, Expression, [{capture, all_but_first, list}]) of
        {match, Caught} -> {Caught, Before, [Event | After]};
        match -> {[], Before, [Event | After]};
        nomatch -> find(Node, Text, [Event | Before], After, Deadline)
    end;
find(Node, Text, Before, [], Deadline) ->
    More = read(Node ++ ": " ++ Text, soon(Deadline), lists:reverse(Before)),
    find(Node, Text, Before, More, Deadline).

%% When a node has ended on its own there is not much more to come.
soon(Deadline) ->
    case [Name || Name <- get(members), not lists:keymember(Name, 2, get(running))] of
        [] -> Deadline;
        _ -> min(Deadline, erlang:monotonic_time(millisecond) + 1000)
    end.

await_end(Port) ->
    case lists:keyfind(Port, 1, get(running)) of
        {Port, Name, _} -> await_end(Port, Name ++ " ends", deadline());
        false -> ok
    end.

await_end(Port, Name, Deadline) ->
    put(events, get(events) ++ read(Name, Deadline, get(events))),
    lists:keymember(Port, 1, get(running)) andalso await_end(Port, Name, Deadline).

deadline() -> erlang:monotonic_time(millisecond) + ?PATIENCE.

%% The next line of any node: an event, or something else, which is shown when an event is missing.
read(Name, Deadline, Events) ->
    receive
        {Port, {data, {_, Line}}} ->
            {Port, Owner, _} = lists:keyfind(Port, 1, get(running)),
            event(Owner, Line);
        {Port, {exit_status, _}} ->
            put(running, lists:keydelete(Port, 1, get(running))),
            []
    after max(0, Deadline - erlang:monotonic_time(millisecond)) ->
        put(events, Events),
        throw({missing, Name})
    end.

%% Lines of the program in C come by way of its supervisor's node, which puts the program in front.
event(?TWO, ?THREE ": " ?THREE ": " ++ Text) ->
    [{new, ?THREE ": " ++ Text}];
event(Owner, Line) ->
    case lists:prefix(Owner ++ ": ", Line) of
        true ->
            [{new, Line}];
        false ->
            put(other, [Owner ++ " | " ++ Line | get(other)]),
            []
    end.

show_of(Node, {_, Line} = Event) ->
    case lists:prefix(Node ++ ": ", Line) of
        true -> show(Event);
        false -> Event
    end.

show({new, Line}) ->
    io:format("~ts~n", [Line]),
    {shown, Line};
show({shown, _} = Event) ->
    Event.

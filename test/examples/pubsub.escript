%% SPDX-License-Identifier: Apache-2.0
%% examples/pubsub.c on a topic, with a process that does what the adapter of Phoenix.PubSub for pg
%% does: a scope and a group of fixed names, a registered name like that of the group, and one
%% message to each member of another node.
-mode(compile).

-define(SCOPE, 'Elixir.Phoenix.PubSub').
-define(ADAPTER, 'Elixir.Some.PubSub.Adapter').
-define(DEADLINE, 20000).

main(_) ->
    Node = example_program:begin_node(),
    {ok, _} = pg:start(?SCOPE),
    start_adapter(),
    Port = example_program:start("pubsub", [
        "--sname", example_program:unique("thermometer"),
        "--node", atom_to_list(Node),
        "--pubsub", "Some.PubSub",
        "--topic", "room:7"
    ]),
    {Thermometer, _} = example_program:ready(Port),
    await_member(Thermometer),
    ok = broadcast(<<"room:8">>, measure),
    ok = broadcast(<<"room:7">>, measure),
    {temperature, 21.5} = local(<<"room:7">>),
    %% Phoenix.PubSub.direct_broadcast/4
    {?ADAPTER, Thermometer} ! {forward_to_local, <<"room:7">>, measure, ?SCOPE},
    {temperature, 21.5} = local(<<"room:7">>),
    ?ADAPTER ! stop,
    _ = example_program:line(Port, "^left$"),
    start_adapter(),
    _ = example_program:line(Port, "^joined$"),
    ok = broadcast(<<"room:7">>, measure),
    {temperature, 21.5} = local(<<"room:7">>),
    ok = example_program:stop(Port),
    receive
        More -> error({unexpected, More})
    after 0 -> ok
    end.

%% init/1 and handle_info/2 of the adapter; the test is the only subscriber of this node.
start_adapter() ->
    Test = self(),
    Adapter = spawn_link(fun() ->
        true = register(?ADAPTER, self()),
        ok = pg:join(?SCOPE, ?ADAPTER, self()),
        Test ! {started, self()},
        adapter(Test)
    end),
    receive
        {started, Adapter} -> ok
    after ?DEADLINE -> error(no_adapter)
    end.

adapter(Test) ->
    receive
        {forward_to_local, Topic, Message, ?SCOPE} ->
            Test ! {local, Topic, Message},
            adapter(Test);
        stop ->
            ok
    end.

%% broadcast/4 of the adapter.
broadcast(Topic, Message) ->
    Pids = pg:get_members(?SCOPE, ?ADAPTER),
    [Pid ! {forward_to_local, Topic, Message, ?SCOPE} || Pid <- Pids, node(Pid) =/= node()],
    ok.

local(Topic) ->
    receive
        {local, Topic, Message} -> Message
    after ?DEADLINE -> error({nothing_on, Topic})
    end.

await_member(Node) -> await_member(Node, erlang:monotonic_time(millisecond) + ?DEADLINE).

await_member(Node, Until) ->
    case [Pid || Pid <- pg:get_members(?SCOPE, ?ADAPTER), node(Pid) =:= Node] of
        [_] ->
            ok;
        [] ->
            erlang:monotonic_time(millisecond) < Until orelse error(no_member),
            receive
            after 5 -> ok
            end,
            await_member(Node, Until)
    end.

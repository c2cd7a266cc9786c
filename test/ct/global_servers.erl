%% SPDX-License-Identifier: Apache-2.0
%% The servers of test/c/programs/global.c, which do what calls tell them: how the suites of what
%% programs ask of `global` start their nodes, ask them, and see what they are told.
-module(global_servers).

-include_lib("stdlib/include/assert.hrl").

-export([visible/0, hidden/0, gns/1, connect_c/3, has_name/4]).
-export([ask_pid/3, call_all/2, asking/3, answer_within/2]).
-export([collector/2, expect/3]).

%% Run on BEAMs.
-export([expect/2, call/2]).

-import(global_helper, [c_node/3, name/1, on/4, ask/3, await/1]).

-define(SOON, 5000).

visible() -> c_node("global", "gcl_c", ["visible"]).

hidden() -> c_node("global", "gcl_h", []).

gns(Node) -> {global_name_server, name(Node)}.

%% By a name that the C node gives to a process of the other one, and takes away again.
connect_c(Asker, C, Pid) ->
    ok = ask(Asker, C, {global_register, {to, Pid}, Pid}),
    {ok, Pid} = ask(Asker, C, {call, {to, Pid}, self}),
    ok = ask(Asker, C, {global_unregister_name, {to, Pid}}).

ask_pid(Beam, Pid, Request) -> on(Beam, ?MODULE, call, [Pid, Request]).

call(Pid, Request) -> gen_server:call(Pid, Request, ?SOON).

%% All at once, one behind the other.
call_all(Pid, Requests) ->
    Tags = [gen_server:send_request(Pid, Request) || Request <- Requests],
    [
        begin
            {reply, Answer} = gen_server:wait_response(Tag, ?SOON),
            Answer
        end
     || Tag <- Tags
    ].

asking(Beam, C, Request) ->
    spawn_monitor(fun() ->
        Args = [{server, name(C)}, Request, 60000],
        exit(peer:call(element(1, Beam), gen_server, call, Args, 60000))
    end).

answer_within({Pid, Monitor}, Ms) ->
    receive
        {'DOWN', Monitor, process, Pid, Answer} -> Answer
    after Ms -> timeout
    end.

has_name(Beams, Cs, Name, Pid) ->
    [
        await(fun() ->
            on(Beam, global, whereis_name, [Name]) =:= Pid orelse is_reminded(Beam, Name, node(Pid))
        end)
     || Beam <- Beams
    ],
    [await(fun() -> ask(hd(Beams), C, {global_whereis, Name}) =:= {ok, Pid} end) || C <- Cs].

%% A BEAM of OTP 27 or later can forget the names of a node that it is in sync with (doc/global.md), and
%% gets them back when it is connected anew. Never true.
is_reminded(Beam, Name, Node) ->
    _ =
        forgets(Beam) andalso on(Beam, global, whereis_name, [Name]) =:= undefined andalso
            lists:member(Node, on(Beam, gen_server, call, [global_name_server, get_synced])) andalso
            on(Beam, erlang, disconnect_node, [Node]) andalso
            on(Beam, net_kernel, connect_node, [Node]),
    false.

forgets(Beam) -> list_to_integer(on(Beam, erlang, system_info, [otp_release])) >= 27.

%% A process that C tells what happens; expect/3 waits for it.
collector(Beam, C) -> on(Beam, erlang, apply, [fun start_collector/1, [name(C)]]).

start_collector(C) ->
    Self = self(),
    Pid = spawn(fun() ->
        ok = gen_server:call({server, C}, subscribe),
        Self ! {self(), subscribed},
        collect([], [])
    end),
    receive
        {Pid, subscribed} -> Pid
    end.

collect(Seen, Waiting) ->
    receive
        {expect, From, Message} ->
            case lists:member(Message, Seen) of
                true ->
                    From ! {self(), seen},
                    collect(lists:delete(Message, Seen), Waiting);
                false ->
                    collect(Seen, [{Message, From} | Waiting])
            end;
        Message ->
            case lists:keytake(Message, 1, Waiting) of
                {value, {Message, From}, Left} ->
                    From ! {self(), seen},
                    collect(Seen, Left);
                false ->
                    collect([Message | Seen], Waiting)
            end
    end.

expect(Beam, Collector, Message) ->
    ?assertEqual({seen, Message}, on(Beam, ?MODULE, expect, [Collector, Message])).

expect(Collector, Message) ->
    Collector ! {expect, self(), Message},
    receive
        {Collector, seen} -> {seen, Message}
    after ?SOON - 1000 -> {unseen, Message, erlang:process_info(Collector, messages)}
    end.

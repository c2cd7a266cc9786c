%% SPDX-License-Identifier: Apache-2.0
%% Reads, replays and writes vectors of the membership machine. Their format is described at the top
%% of test/vectors/membership.txt.
-module(membership_vectors).

-export([read/1, replay/1]).
-export([pid/3, format_vector/1, to_be_covered/0]).

-export_type([vector/0, step/0, coverage/0]).

%% A line of the file, without what starts it, as text.
-type line() :: {Number :: pos_integer(), Fields :: [string()]}.
-type step() :: {Now :: integer(), Random :: 0..1000, gen_cluster_core:event(), [string()]}.
-type vector() :: #{
    title := string(),
    config := gen_cluster_core:config(),
    steps := [step()],
    state := string()
}.
%% An event in a phase of the machine, and in a state of the pid it is about.
-type coverage() :: {Event :: atom(), Phase :: atom()} | {atom(), atom(), PeerState :: atom()}.

-define(CLUSTER, clu).
-define(TYPE, t).

%% Reading

-spec read(file:filename()) -> [vector()].
read(File) ->
    {ok, Text} = file:read_file(File),
    Lines = string:split(unicode:characters_to_list(Text), "\n", all),
    Numbered = lists:zip(lists:seq(1, length(Lines)), Lines),
    vectors([
        {Number, string:lexemes(Line, " ")}
     || {Number, [First | _] = Line} <- Numbered, First =/= $#
    ]).

-spec vectors([line()]) -> [vector()].
vectors([]) ->
    [];
vectors([{Number, ["vector" | Title]}, {_, ["self" | Config]} | Rest]) ->
    {Steps, [{_, ["=" | State]}, {_, ["end"]} | More]} = steps(Rest),
    Vector = #{
        title => lists:flatten(io_lib:format("line ~b: ~ts", [Number, lists:join(" ", Title)])),
        config => config(Config),
        steps => Steps,
        state => join(State)
    },
    [Vector | vectors(More)].

config([Self, "hidden=" ++ Hidden, "quorum=" ++ Quorum]) ->
    #{
        self => pid(Self),
        cluster => ?CLUSTER,
        type => ?TYPE,
        hidden => list_to_atom(Hidden),
        quorum => list_to_integer(Quorum)
    }.

steps([{_, [">", Now, Random | Event]} | Rest]) ->
    {Effects, More} = effects(Rest),
    {Steps, End} = steps(More),
    {[{list_to_integer(Now), list_to_integer(Random), event(Event), Effects} | Steps], End};
steps(Rest) ->
    {[], Rest}.

effects([{_, ["<" | Effect]} | Rest]) ->
    {Effects, More} = effects(Rest),
    {[join(Effect) | Effects], More};
effects(Rest) ->
    {[], Rest}.

join(Fields) -> lists:flatten(lists:join(" ", Fields)).

event(["start", Nodes]) -> {start, [list_to_atom(Node) || Node <- list(Nodes)]};
event(["join", Node]) -> {join, list_to_atom(Node)};
event(["leave"]) -> leave;
event(["named", Mine]) -> {named, list_to_atom(Mine)};
event(["nodeup", Node]) -> {nodeup, list_to_atom(Node)};
event(["recv", From, Kind | Keys]) -> {recv, message(pid(From), list_to_atom(Kind), Keys)};
event(["down", Tag, What, Reason]) ->
    {down, list_to_integer(Tag), what(What), list_to_atom(Reason)};
event(["registered", Answer, Holder]) ->
    {registered, list_to_atom(Answer), holder(Holder)};
event(["whereis", Holder]) -> {whereis, holder(Holder)};
event(["conflict"]) -> conflict;
event(["update"]) -> {update, #{type => ?TYPE}};
event(["wake"]) -> wake.

message(From, Kind, Keys) ->
    Map = maps:from_list([key(string:split(Key, "=")) || Key <- Keys]),
    {'$gen_cluster', 1, Kind, ?CLUSTER, From, Map#{type => ?TYPE}}.

key([Key, Value]) when Key =:= "pids" -> {pids, [pid(Pid) || Pid <- list(Value)]};
key([Key, Value]) when Key =:= "holder" -> {holder, pid(Value)};
key([Key, Value]) when Key =:= "digest" -> {digest, binary:decode_hex(list_to_binary(Value))};
key([Key, [First | _] = Value]) when First >= $0, First =< $9 ->
    {list_to_atom(Key), list_to_integer(Value)};
key([Key, Value]) ->
    {list_to_atom(Key), list_to_atom(Value)}.

list(Text) -> string:lexemes(string:trim(Text, both, "[]"), ",").

holder("undefined") -> undefined;
holder(Pid) -> pid(Pid).

what("clu@" ++ Node = Text) ->
    case lists:member($#, Node) of
        true -> pid(Text);
        false -> {?CLUSTER, list_to_atom(Node)}
    end;
what(Pid) ->
    pid(Pid).

pid(Text) ->
    [Node, Numbers] = string:split(Text, "#", trailing),
    [Creation, Id] = string:split(Numbers, "."),
    pid(list_to_atom(Node), list_to_integer(Creation), list_to_integer(Id)).

%% The pid of a process on a node that need not exist.
-spec pid(node(), non_neg_integer(), non_neg_integer()) -> pid().
pid(Node, Creation, Id) ->
    Name = atom_to_binary(Node),
    binary_to_term(<<131, $X, 119, (byte_size(Name)), Name/binary, Id:32, 0:32, Creation:32>>).

%% Replaying

%% What was covered, or how the machine and the vector differ.
-spec replay(vector()) -> {ok, [coverage()]} | {error, string()}.
replay(#{title := Title, config := Config, steps := Steps, state := State}) ->
    case replay_steps(Steps, gen_cluster_core:new(Config), []) of
        {error, Text} -> {error, [Title, $\n, Text]};
        {Core, Covered} -> check_state(Title, State, format_state(Core), Covered)
    end.

check_state(_Title, State, State, Covered) ->
    {ok, Covered};
check_state(Title, Expected, Actual, _Covered) ->
    {error, io_lib:format("~ts~n  expected = ~ts~n  got      = ~ts~n", [Title, Expected, Actual])}.

replay_steps([], Core, Covered) ->
    {Core, Covered};
replay_steps([{Now, Random, Event, Expected} | Steps], Core, Covered) ->
    {Effects, Core1} = gen_cluster_core:step(Event, Now, Random, Core),
    Actual = [lists:flatten(format_effect(Effect)) || Effect <- Effects],
    case differences(Expected, Actual) of
        [] -> replay_steps(Steps, Core1, covered(Event, Effects, Core, Core1) ++ Covered);
        Lines -> {error, [format_step(Now, Random, Event), Lines]}
    end.

differences(Expected, Actual) ->
    [["  missing < ", Line, $\n] || Line <- Expected -- Actual] ++
        [["  wrong   < ", Line, $\n] || Line <- Actual -- Expected] ++
        out_of_order(Expected, Actual) ++ hello_before_monitor(Actual).

%% What has an order of its own: the callbacks, and the messages to each destination.
out_of_order(Expected, Actual) ->
    [
        ["  order   < ", io_lib:format("~tp", [Stream]), $\n]
     || Stream <- lists:usort([stream(Line) || Line <- Actual]),
        Stream =/= none,
        in_stream(Stream, Expected) =/= in_stream(Stream, Actual),
        lists:sort(in_stream(Stream, Expected)) =:= lists:sort(in_stream(Stream, Actual))
    ].

in_stream(Stream, Lines) -> [Line || Line <- Lines, stream(Line) =:= Stream].

stream("handle_" ++ _) -> callbacks;
stream("silent_join " ++ _) -> callbacks;
stream("send " ++ Rest) -> {send, hd(string:split(Rest, " "))};
stream(_) -> none.

hello_before_monitor([]) ->
    [];
hello_before_monitor(["send " ++ Send | Rest]) ->
    [To, Message] = string:split(Send, " "),
    IsEarly =
        lists:prefix("hello", Message) andalso
            lists:any(fun(Line) -> lists:prefix("monitor " ++ To ++ " ", Line) end, Rest),
    [["  before monitor < send ", Send, $\n] || IsEarly] ++ hello_before_monitor(Rest);
hello_before_monitor([_ | Rest]) ->
    hello_before_monitor(Rest).

%% Coverage

%% Each event in each phase; each that is about a pid also in each state of the pid; and what can
%% be due when the machine is woken.
-spec to_be_covered() -> [coverage()].
to_be_covered() ->
    Events = [start, join, leave, named_mine, named_other, nodeup, down_seed, registered],
    MoreEvents = [not_registered, whereis_none, conflict, update, wake],
    About = [recv_hello, recv_ack, recv_list, recv_sync, recv_info, recv_info_holder, recv_leave],
    MoreAbout = [down, down_noconnection, not_registered_holder, whereis],
    Due = [wake_probing, wake_lost, wake_seed, wake_sync],
    All = Events ++ MoreEvents ++ About ++ MoreAbout,
    [{E, Phase} || E <- All, Phase <- [out, joining, settled]] ++
        [{E, Phase} || E <- Due, Phase <- [joining, settled]] ++
        [{wake_settle, joining}] ++
        [
            {E, Phase, Peer}
         || E <- About ++ MoreAbout,
            Phase <- [joining, settled],
            Peer <- [unknown, probing, member, suspect]
        ].

covered(Event, Effects, Core, Core1) ->
    {Name, Peer} = subject(Event),
    Phase = gen_cluster_core:phase(Core),
    [{Name, Phase}] ++
        [{Name, Phase, gen_cluster_core:state_of(Peer, Core)} || Phase =/= out, Peer =/= none] ++
        [{Due, Phase} || Event =:= wake, Effect <- Effects, Due <- due(Effect, Effects)] ++
        [{wake_settle, Phase} || Event =:= wake, Phase =/= gen_cluster_core:phase(Core1)].

%% What was due, seen from what was done.
due(register_local, _) -> [wake_sync];
due({monitor, {_, _}, _}, _) -> [wake_seed];
due({monitor, _, _}, _) -> [wake_lost];
due({send, Pid, {_, _, hello, _, _, _}}, Effects) when is_pid(Pid) ->
    [wake_probing || not lists:keymember(Pid, 2, [E || {monitor, _, _} = E <- Effects])];
due(_, _) -> [].

%% The name of an event, and the pid that it is about.
subject({start, _}) -> {start, none};
subject({join, _}) -> {join, none};
subject(leave) -> {leave, none};
subject({named, true}) -> {named_mine, none};
subject({named, false}) -> {named_other, none};
subject({nodeup, _}) -> {nodeup, none};
subject({recv, {_, _, info, _, _, #{holder := Holder}}}) -> {recv_info_holder, Holder};
subject({recv, {_, _, Kind, _, From, _}}) -> {received(Kind), From};
subject({down, _, Pid, noconnection}) when is_pid(Pid) -> {down_noconnection, Pid};
subject({down, _, Pid, _}) when is_pid(Pid) -> {down, Pid};
subject({down, _, {_, _}, _}) -> {down_seed, none};
subject({registered, yes, _}) -> {registered, none};
subject({registered, no, undefined}) -> {not_registered, none};
subject({registered, no, Holder}) -> {not_registered_holder, Holder};
subject({whereis, undefined}) -> {whereis_none, none};
subject({whereis, Holder}) -> {whereis, Holder};
subject(conflict) -> {conflict, none};
subject({update, _}) -> {update, none};
subject(wake) -> {wake, none}.

received(hello) -> recv_hello;
received(ack) -> recv_ack;
received(list) -> recv_list;
received(sync) -> recv_sync;
received(info) -> recv_info;
received(leave) -> recv_leave.

%% Writing

%% The steps are those that were taken: `{Now, Random, Event, Effects}` with effects as they are.
-spec format_vector(#{
    title := string(),
    config := gen_cluster_core:config(),
    steps := [{integer(), 0..1000, gen_cluster_core:event(), [gen_cluster_core:effect()]}],
    core := gen_cluster_core:core()
}) -> iolist().
format_vector(#{title := Title, config := Config, steps := Steps, core := Core}) ->
    #{self := Self, hidden := Hidden, quorum := Quorum} = Config,
    [
        io_lib:format("vector ~ts~nself ~ts hidden=~ts quorum=~b~n", [
            Title, format_pid(Self), Hidden, Quorum
        ]),
        [
            [format_step(Now, Random, Event), [["< ", format_effect(E), $\n] || E <- Effects]]
         || {Now, Random, Event, Effects} <- Steps
        ],
        io_lib:format("= ~ts~nend~n~n", [format_state(Core)])
    ].

format_step(Now, Random, Event) ->
    io_lib:format("> ~b ~b ~ts~n", [Now, Random, format_event(Event)]).

format_state(Core) ->
    lists:flatten(
        io_lib:format("members=~ts leader=~ts phase=~ts suspects=~ts", [
            format_value(gen_cluster_core:pids(Core)),
            format_value(gen_cluster_core:leader(Core)),
            gen_cluster_core:phase(Core),
            format_value(gen_cluster_core:suspects(Core))
        ])
    ).

format_event({start, Nodes}) ->
    ["start [", lists:join(",", [atom_to_list(Node) || Node <- Nodes]), "]"];
format_event({recv, Message}) ->
    ["recv ", format_value(element(5, Message)), format_message(Message)];
format_event({update, _}) ->
    "update";
format_event(Event) ->
    format_fields(Event).

format_effect({send, To, Message}) -> ["send ", format_value(To), format_message(Message)];
format_effect(Effect) -> format_fields(Effect).

format_fields(Fields) when is_tuple(Fields) ->
    lists:join(" ", [format_value(Field) || Field <- tuple_to_list(Fields)]);
format_fields(Word) ->
    format_value(Word).

format_message({'$gen_cluster', 1, Kind, ?CLUSTER, _From, Map}) ->
    Keys = lists:sort(maps:to_list(maps:without([type, meta, children], Map))),
    [" ", atom_to_list(Kind) | [[" ", atom_to_list(K), "=", format_value(V)] || {K, V} <- Keys]].

format_value(Pids) when is_list(Pids) ->
    ["[", lists:join(",", [format_pid(Pid) || Pid <- Pids]), "]"];
format_value(Pid) when is_pid(Pid) -> format_pid(Pid);
format_value({?CLUSTER, Node}) -> ["clu@", atom_to_list(Node)];
format_value(Number) when is_integer(Number) -> integer_to_list(Number);
format_value(Word) when is_atom(Word) -> atom_to_list(Word);
format_value(Digest) when is_binary(Digest) ->
    string:lowercase(binary_to_list(binary:encode_hex(Digest))).

format_pid(Pid) ->
    {Node, Creation, 0, Id} = gen_cluster_pid:key(Pid),
    io_lib:format("~ts#~b.~b", [Node, Creation, Id]).

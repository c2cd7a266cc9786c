%% SPDX-License-Identifier: Apache-2.0
%% What OTP asks another node for, as doc/otp.md lists it: each row is evaluated on a BEAM that is in
%% one cluster with a C node, and, where it is the same there, with another BEAM.
-module(remote_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([
    nodes/1,
    processes/1,
    seq_trace/1,
    gen/1,
    sys/1,
    global/1,
    global_group/1,
    rpc/1,
    spawn/1,
    shell/1,
    code/1,
    net_kernel/1,
    debugging/1,
    group_leader/1,
    nobody/1,
    tools/1,
    each_section_is_a_case/1,
    what_is_shown_elsewhere_is/1
]).
%% On the peers.
-export([run/2]).

-compile({no_auto_import, [nodes/1, spawn/1, group_leader/2]}).

-define(DEADLINE, 20000).
-define(SOON_MS, 100).

suite() -> [{timetrap, {seconds, 60}}].

all() -> as_a_beam() ++ otherwise() ++ [each_section_is_a_case, what_is_shown_elsewhere_is].

as_a_beam() ->
    [nodes, processes, seq_trace, gen, sys, global, global_group, rpc, spawn, shell].

otherwise() -> [code, net_kernel, debugging, group_leader, nobody, tools].

%% Peers belong to who starts them: a process that lives as long as the suite.
init_per_suite(Config) ->
    Self = self(),
    Owner = erlang:spawn(fun() -> own(Self) end),
    receive
        {Owner, Started} -> [{owner, Owner} | Started] ++ Config
    after 3 * ?DEADLINE -> ct:fail(not_started)
    end.

end_per_suite(Config) ->
    Owner = ?config(owner, Config),
    Monitor = erlang:monitor(process, Owner),
    Owner ! stop,
    receive
        {'DOWN', Monitor, process, Owner, _} -> ok
    after ?DEADLINE -> ct:fail(not_stopped)
    end.

own(Suite) ->
    {Asking, _} = beam(),
    {Other, Beam} = beam(),
    {ok, _} = peer:call(Other, remote_server, start, []),
    {Port, C} = c_node(),
    [pong = peer:call(Asking, net_adm, ping, [Node]) || Node <- [C, Beam]],
    Suite ! {self(), [{asking, Asking}, {cnode, C}, {beam, Beam}]},
    receive
        stop -> ok
    end,
    port_close(Port),
    [peer:stop(Peer) || Peer <- [Asking, Other]].

beam() ->
    {ok, Peer, Node} = peer:start(#{
        name => peer:random_name(gcl_b),
        host => "127.0.0.1",
        longnames => true,
        connection => standard_io,
        wait_boot => 3 * ?DEADLINE,
        args =>
            ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "logger_level"] ++
            ["none", "-setcookie", atom_to_list(erlang:get_cookie())] ++
            ["-pa", filename:dirname(code:which(?MODULE))]
    }),
    {Peer, Node}.

c_node() ->
    Name = peer:random_name(gcl_c) ++ "@127.0.0.1",
    Port = open_port({spawn_executable, filename:join(os:getenv("GCL_BIN"), "server")}, [
        {args, [Name]},
        {env, [{"GCL_COOKIE", atom_to_list(erlang:get_cookie())}]},
        {line, 4096},
        exit_status
    ]),
    receive
        {Port, {data, {eol, "ready " ++ _}}} -> {Port, list_to_atom(Name)}
    after ?DEADLINE -> ct:fail(not_ready)
    end.

%% --- cases ------------------------------------------------------------------------------------

nodes(Config) -> both(?FUNCTION_NAME, Config).
processes(Config) -> both(?FUNCTION_NAME, Config).
seq_trace(Config) -> both(?FUNCTION_NAME, Config).
gen(Config) -> both(?FUNCTION_NAME, Config).
sys(Config) -> both(?FUNCTION_NAME, Config).
global(Config) -> both(?FUNCTION_NAME, Config).
global_group(Config) -> both(?FUNCTION_NAME, Config).
rpc(Config) -> both(?FUNCTION_NAME, Config).
spawn(Config) -> both(?FUNCTION_NAME, Config).
shell(Config) -> both(?FUNCTION_NAME, Config).
code(Config) -> section(?FUNCTION_NAME, cnode, Config).
net_kernel(Config) -> section(?FUNCTION_NAME, cnode, Config).
debugging(Config) -> section(?FUNCTION_NAME, cnode, Config).
group_leader(Config) -> section(?FUNCTION_NAME, cnode, Config).
nobody(Config) -> section(?FUNCTION_NAME, cnode, Config).
tools(Config) -> section(?FUNCTION_NAME, cnode, Config).

each_section_is_a_case(_Config) ->
    {match, Names} = re:run(text(), "^### (\\w+)$", [global, multiline, {capture, [1], list}]),
    ?assertEqual(as_a_beam() ++ otherwise(), [list_to_atom(Name) || [Name] <- Names]).

what_is_shown_elsewhere_is(_Config) ->
    [_, Text] = string:split(text(), "\n## What is shown elsewhere\n"),
    Rows = rows(Text),
    ?assertNotEqual([], Rows),
    [?assertMatch(true, is_case(string:lexemes(Test, "/")), Test) || [_, Test | _] <- Rows].

is_case([Suite, Case]) ->
    %% Only the suites of this run are compiled.
    {ok, Source} = file:read_file(root(["test", "ct", Suite ++ ".erl"])),
    re:run(Source, "^" ++ Case ++ "\\(_?Config\\) ->", [multiline]) =/= nomatch.

%% --- rows -------------------------------------------------------------------------------------

both(Name, Config) ->
    section(Name, beam, Config),
    section(Name, cnode, Config).

section(Name, Kind, Config) ->
    await_sync(Config),
    [_, Text] = string:split(text(), "\n### " ++ atom_to_list(Name) ++ "\n"),
    [Section | _] = string:split(Text, "\n##"),
    Rows = rows(Section),
    ?assertNotEqual([], Rows),
    Wrong = [Outcome || Row <- Rows, (Outcome = outcome(Row, Kind, Config)) =/= ok],
    Wrong =:= [] orelse ct:fail({Kind, Wrong}).

%% The cells of the tables, where the second one is code.
rows(Text) ->
    Lines = [cells(Line) || "| " ++ _ = Line <- string:split(Text, "\n", all)],
    [[code_of(Cell) || Cell <- Cells] || [_, "`" ++ _ | _] = Cells <- Lines].

cells(Line) ->
    [_ | Cells] = re:split(Line, "(?<!\\\\)\\|", [{return, list}]),
    [string:trim(Cell) || Cell <- lists:droplast(Cells)].

code_of(Cell) ->
    Code = string:trim(Cell, both, "`"),
    lists:flatten(string:replace(Code, "\\|", "|", all)).

text() ->
    {ok, Text} = file:read_file(root(["doc", "otp.md"])),
    unicode:characters_to_list(Text).

root(Path) -> filename:join([os:getenv("GCL_ROOT") | Path]).

%% The machine may have something else to do: what is slow is asked once more, three times in all.
outcome([Expression, Pattern | More], Kind, Config) ->
    outcome(Expression, pattern(Pattern, More), Kind, Config, 3).

pattern(Pattern, More) ->
    Other = "OTP " ++ erlang:system_info(otp_release) ++ ": ",
    case [code_of(Cell -- Other) || Cell <- More, lists:prefix(Other, Cell)] of
        [OnThisRelease] -> OnThisRelease;
        [] -> Pattern
    end.

outcome(Expression, Pattern, Kind, Config, Tries) ->
    {Asking, Node} = {?config(asking, Config), ?config(Kind, Config)},
    case peer:call(Asking, ?MODULE, run, [Expression, Node], ?DEADLINE) of
        {Value, Took, Bindings} when Took < ?SOON_MS ->
            Match = "case Value of " ++ Pattern ++ " -> true; _ -> false end.",
            case eval(Match, orddict:store('Value', Value, Bindings)) of
                true -> ok;
                false -> {Expression, {expected, Pattern}, {came, Value}}
            end;
        {_, _, _} when Tries > 1 ->
            outcome(Expression, Pattern, Kind, Config, Tries - 1);
        {Value, Took, _} ->
            {Expression, {expected_within_ms, ?SOON_MS}, {took, Took}, {came, Value}}
    end.

%% On the peer, in a process of its own, which nothing reaches that came for another row.
-spec run(string(), node()) -> {term(), non_neg_integer(), [{atom(), term()}]}.
run(Expression, Node) ->
    Pid = gen_server:call({server, Node}, self),
    Bindings = orddict:from_list([
        {'C', Node}, {'Server', {server, Node}}, {'Pid', Pid}, {'Dead', dead(Pid)}
    ]),
    {Runner, Monitor} = erlang:spawn_monitor(fun() ->
        Began = erlang:monotonic_time(millisecond),
        Value = eval(Expression ++ ".", Bindings),
        exit({ran, Value, erlang:monotonic_time(millisecond) - Began})
    end),
    receive
        {'DOWN', Monitor, process, Runner, {ran, Value, Took}} -> {Value, Took, Bindings};
        {'DOWN', Monitor, process, Runner, Reason} -> {{ended, Reason}, 0, Bindings}
    end.

eval(Text, Bindings) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Expressions, Bindings, {value, fun helper/2}),
    Value.

helper(subscribe, [Server]) ->
    gen_server:call(Server, subscribe);
helper(next, []) ->
    receive
        Message -> Message
    after 1000 -> nothing
    end;
helper(printed, [Fun]) ->
    Printer = erlang:spawn_link(fun() -> print([]) end),
    true = erlang:group_leader(Printer, self()),
    _ = Fun(),
    Printer ! {printed, self()},
    receive
        {Printer, Text} -> Text
    end.

%% The group leader of what prints: keeps the text, and goes on whenever it is asked to.
print(Text) ->
    receive
        {io_request, From, As, Request} ->
            {Reply, More} = printing(Request),
            From ! {io_reply, As, Reply},
            print([Text, More]);
        {printed, From} ->
            From ! {self(), unicode:characters_to_list(Text)}
    end.

printing({put_chars, Encoding, Chars}) -> {ok, unicode:characters_to_list(Chars, Encoding)};
printing({put_chars, Encoding, M, F, A}) -> printing({put_chars, Encoding, apply(M, F, A)});
printing({get_line, _, _}) -> {"y\n", ""};
printing(_) -> {{error, request}, ""}.

%% A pid of the same node that no process has.
dead(Pid) ->
    Bytes = term_to_binary(Pid),
    Size = byte_size(Bytes) - 12,
    <<Head:Size/binary, Id:32, Serial:32, Creation:32>> = Bytes,
    binary_to_term(<<Head/binary, (Id + 1000):32, Serial:32, Creation:32>>).

%% All three know each other, before anything is asked.
await_sync(Config) ->
    All = [?config(cnode, Config), ?config(beam, Config)],
    Asking = ?config(asking, Config),
    global_helper:await(
        fun() ->
            All -- peer:call(Asking, gen_server, call, [global_name_server, get_synced]) =:= []
        end,
        ?DEADLINE
    ),
    [ok = peer:call(Asking, gen_server, call, [{global_name_server, N}, {sync, All -- [N]}])
     || N <- All],
    ok.

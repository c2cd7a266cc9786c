%% SPDX-License-Identifier: Apache-2.0
%% What happens in the meshes that gen_cluster_test_mesh captures. What a node does by itself, and
%% not because of a message, is announced to the recorder first.
-module(gen_cluster_test_mesh_lives).

-export([all/0]).

-define(DEADLINE, 60000).
-define(PAUSE, 50).

-spec all() -> [{string(), fun((pid(), [map()]) -> ok)}].
all() ->
    [
        {"two_nodes_become_one_partition", fun two/2},
        {"others_join_one_by_one", fun one_by_one/2},
        {"partitions_of_two_become_one", fun two_by_two/2},
        {"locks_of_users", fun locks/2},
        {"a_name_is_registered_by_two_at_once", fun races/2},
        {"a_node_dies", fun death/2},
        {"a_node_dies_while_another_joins", fun death_in_join/2},
        {"a_connection_is_lost", fun cut/2}
    ].

%% Names are decided on by each of the methods that `global` has.
two(R, [A, B | _]) ->
    Methods = [default, random_exit_name, random_notify_name, notify_all_name],
    [register_name(R, N, {both, M}, M) || N <- [A, B], M <- Methods],
    register_name(R, A, {only, a}, default),
    register_name(R, B, {only, b}, default),
    join(R, [A, B], A, B),
    [register_name(R, N, {later, Letter}, default) || {N, Letter} <- [{A, a}, {B, b}]],
    re_register_name(R, A, {later, b}),
    re_register_name(R, B, {later, a}),
    %% It is taken; and a process has one name only.
    no = do(R, A, {register, {later, a}, process(A), method(A, default)}),
    Pid = register_name(R, B, first, default),
    no = do(R, B, {register, second, Pid, method(B, default)}),
    unregister_name(R, B, {later, a}),
    unregister_name(R, B, {later, b}),
    ok.

%% Those that negotiate ask a third one, whose process has the name.
one_by_one(R, [A, B, C, D]) ->
    register_name(R, A, of_a, default),
    register_name(R, C, of_a, default),
    register_name(R, B, of_d, default),
    register_name(R, D, of_d, random_notify_name),
    join(R, [A, B], A, B),
    join(R, [A, B, C], B, C),
    register_name(R, C, of_c, default),
    join(R, [A, B, C, D], D, A),
    [register_name(R, N, {last, node_of(N)}, default) || N <- [D, C, B, A]],
    ok.

two_by_two(R, [A, B, C, D]) ->
    join(R, [A, C], A, C),
    join(R, [B, D], D, B),
    [register_name(R, N, {own, node_of(N)}, default) || N <- [A, B, C, D]],
    register_name(R, C, both, default),
    register_name(R, B, both, default),
    join(R, [A, B, C, D], C, D),
    ok.

locks(R, [A, B, C | _]) ->
    Nodes = [A, B, C],
    join(R, [A, B], A, B),
    join(R, Nodes, A, C),
    Holder = process(B),
    true = lock(R, B, Holder, {resource, one}, Nodes),
    Other = process(C),
    false = lock(R, C, Other, {resource, two}, Nodes),
    %% One requester, two holders.
    true = lock(R, C, Other, {resource, one}, Nodes),
    unlock(R, B, Holder, {resource, one}, Nodes),
    false = lock(R, A, process(A), {resource, two}, Nodes),
    kill(R, C, Other),
    true = lock(R, B, Holder, {resource, two}, Nodes),
    kill(R, B, Holder),
    %% Nobody can register a name meanwhile.
    Third = process(C),
    true = lock(R, C, Third, {global, Third}, Nodes),
    Registering = begin_to_register(R, A, waits, default),
    timer:sleep(2500),
    unlock(R, C, Third, {global, Third}, Nodes),
    yes = answer(Registering),
    quiet(R),
    ok.

races(R, [A, B, C | _]) ->
    join(R, [A, B], A, B),
    join(R, [A, B, C], A, C),
    [
        begin
            Asked = [begin_to_register(R, N, {name, I}, default) || N <- [A, B, C]],
            [no, no, yes] = lists:sort([answer(Asking) || Asking <- Asked]),
            quiet(R)
        end
     || I <- [1, 2]
    ],
    ok.

death(R, [A, B, C, D]) ->
    All = [A, B, C, D],
    join(R, [A, B], A, B),
    join(R, [A, B, C], A, C),
    join(R, All, A, D),
    register_name(R, D, of_the_dead, default),
    Pid = register_name(R, C, of_a_process, default),
    true = lock(R, D, process(D), {resource, dead}, All),
    kill(R, C, Pid),
    halt_node(R, D, [A, B, C]),
    register_name(R, A, of_the_dead, default),
    register_name(R, B, of_a_process, default),
    true = lock(R, B, process(B), {resource, alive}, [A, B, C]),
    ok.

death_in_join(R, [A, B, C, D]) ->
    join(R, [A, B], A, B),
    join(R, [A, B, C], A, C),
    register_name(R, B, of_the_dead, default),
    register_name(R, D, of_who_joins, default),
    true = call(A, net_kernel, connect_node, [node_of(D)]),
    %% One message after the other has been handed on for a while.
    timer:sleep(2200),
    halt_node(R, B, [A, C, D]),
    in_sync(R, [A, C, D]),
    ok.

%% Partitions must not overlap: one of both has to go.
cut(R, [A, B, C | _]) ->
    join(R, [A, B], A, B),
    join(R, [A, B, C], A, C),
    register_name(R, A, of_a, default),
    register_name(R, B, of_b, default),
    true = call(A, erlang, disconnect_node, [node_of(B)]),
    quiet(R),
    %% Whoever is left: they are in sync, and become one again.
    await(fun() -> lists:all(fun(N) -> known(N) =:= nodes_of(N) end, [A, B, C]) end),
    quiet(R),
    reconnect(R, [A, B, C]),
    ok.

reconnect(R, [First | Others] = All) ->
    [
        begin
            true = call(First, net_kernel, connect_node, [node_of(N)]),
            await(fun() -> lists:member(node_of(N), synced(First)) end),
            quiet(R)
        end
     || N <- Others, not lists:member(node_of(N), nodes_of(First))
    ],
    in_sync(R, All).

%% --- what nodes do -----------------------------------------------------------------------------

do(R, N, What) ->
    announce(R, N, What),
    Answer = perform(N, What),
    quiet(R),
    Answer.

announce(R, #{node := Node}, What) -> ok = ask(R, {do, Node, What}).

perform(N, {register, Name, Pid, Method}) -> call(N, global, register_name, [Name, Pid, Method]);
perform(N, {re_register, Name, Pid, Method}) -> call(N, global, re_register_name, [Name, Pid, Method]);
perform(N, {unregister, Name}) -> call(N, global, unregister_name, [Name]).

register_name(R, N, Name, Method) ->
    Pid = process(N),
    yes = do(R, N, {register, Name, Pid, method(N, Method)}),
    Pid.

re_register_name(R, N, Name) ->
    yes = do(R, N, {re_register, Name, process(N), method(N, default)}).

unregister_name(R, N, Name) -> _ = do(R, N, {unregister, Name}).

begin_to_register(R, N, Name, Method) ->
    What = {register, Name, process(N), method(N, Method)},
    announce(R, N, What),
    Self = self(),
    spawn_link(fun() -> Self ! {self(), perform(N, What)} end).

answer(Asking) ->
    receive
        {Asking, Answer} -> Answer
    after ?DEADLINE -> error(no_answer)
    end.

method(#{method := Method}, default) -> Method;
method(_, Name) -> fun global:Name/3.

%% A process that does what it is told, on a node that has no modules but its own.
process(N) ->
    {ok, Tokens, _} = erl_scan:string(
        "F = fun(F) -> receive {From, Function, Args} ->"
        " From ! {self(), apply(global, Function, Args)}, F(F) end end, spawn(fun() -> F(F) end)."
    ),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    {value, Pid, _} = call(N, erl_eval, exprs, [Expressions, []]),
    Pid.

%% What its own server is told is no message between nodes.
lock(R, N, Pid, Id, Nodes) ->
    announce(R, N, {set_lock, Id, Pid}),
    Answer = tell(N, Pid, set_lock, [Id, [node_of(M) || M <- Nodes], 0]),
    quiet(R),
    Answer orelse announce(R, N, {del_lock, Id, Pid}),
    Answer.

unlock(R, N, Pid, Id, Nodes) ->
    announce(R, N, {del_lock, Id, Pid}),
    true = tell(N, Pid, del_lock, [Id, [node_of(M) || M <- Nodes]]),
    quiet(R).

tell(N, Pid, Function, Args) ->
    Text = "Pid ! {self(), Function, Args}, receive {Pid, Answer} -> Answer end.",
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    Bindings = orddict:from_list([{'Pid', Pid}, {'Function', Function}, {'Args', Args}]),
    {value, Answer, _} = call(N, erl_eval, exprs, [Expressions, Bindings]),
    Answer.

kill(R, N, Pid) ->
    announce(R, N, {exit, Pid}),
    true = call(N, erlang, exit, [Pid, kill]),
    quiet(R).

halt_node(R, #{peer := Peer, node := Node} = Dying, Others) ->
    announce(R, Dying, halt),
    ok = peer:stop(Peer),
    await(fun() -> lists:all(fun(N) -> not lists:member(Node, nodes_of(N)) end, Others) end),
    quiet(R).

join(R, All, A, B) ->
    true = call(A, net_kernel, connect_node, [node_of(B)]),
    in_sync(R, All).

in_sync(R, All) ->
    Names = lists:sort([node_of(N) || N <- All]),
    await(fun() ->
        lists:all(
            fun(N) -> known(N) =:= Names -- [node_of(N)] andalso synced(N) =:= known(N) end,
            All
        )
    end),
    quiet(R).

%% --- questions ---------------------------------------------------------------------------------

known(N) -> lists:sort(call(N, gen_server, call, [global_name_server, get_known])).
synced(N) -> lists:sort(call(N, gen_server, call, [global_name_server, get_synced])).
nodes_of(N) -> lists:sort(call(N, erlang, nodes, [])).
node_of(#{node := Node}) -> Node.

call(#{peer := Peer}, Module, Function, Args) ->
    peer:call(Peer, Module, Function, Args, ?DEADLINE).

quiet(R) -> ask(R, quiet).

ask(R, Request) ->
    Reference = make_ref(),
    R ! {Request, self(), Reference},
    receive
        {Reference, Reply} -> Reply
    after ?DEADLINE -> error({no_answer, Request})
    end.

await(Holds) -> await(Holds, ?DEADLINE div ?PAUSE).

await(_, 0) -> error(never_so);
await(Holds, Times) ->
    Holds() orelse
        begin
            timer:sleep(?PAUSE),
            await(Holds, Times - 1)
        end.


%% SPDX-License-Identifier: Apache-2.0
%% Servers that every node has, killed by a BEAM: who would ask them is told at once that nobody is
%% there, for the node ends with them, as that of a BEAM does.
-module(kernel_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_testcase/2, end_per_testcase/2]).
-export([
    a_beam_ends_with_each_of_them/1,
    a_visible_node_ends_with_each_of_them/1,
    a_hidden_node_ends_with_each_of_them/1,
    a_hidden_node_ends_with_what_keeps_its_names/1,
    exits_of_others_end_none_of_them/1
]).

-import(global_helper, [
    beam/0, beam/1, c_node/1, c_node/3, lines_until/2, name/1, on/4, join/2, mesh/2, await/1, process/1
]).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [
        a_beam_ends_with_each_of_them,
        a_visible_node_ends_with_each_of_them,
        a_hidden_node_ends_with_each_of_them,
        a_hidden_node_ends_with_what_keeps_its_names,
        exits_of_others_end_none_of_them
    ].

init_per_testcase(_, Config) -> global_helper:begin_case(Config).

end_per_testcase(_, Config) -> global_helper:end_case(Config).

%% --- on the BEAM that asks ----------------------------------------------------------------------

%% What is asked of it behind its end comes to an end, too.
kill_server(Node, Name) ->
    {status, Pid, _, _} = sys:get_status({Name, Node}),
    exit(Pid, kill),
    catch gen_server:call({Name, Node}, anything, infinity),
    ok.

%% Its keeper of names asks `rex` of this node.
kill_keeper(Node) ->
    erlang:trace(whereis(rex), true, ['receive']),
    {ok, _} = gen_server:call({server, Node}, {global_claim, kept}),
    receive
        {trace, _, 'receive', {'$gen_call', {Pid, _}, _}} when node(Pid) =:= Node ->
            exit(Pid, kill),
            ok
    end.

%% Who was linked to it has ended, and so it is told of a wish to end.
tell_of_ends(Pids) ->
    [
        begin
            true = exit(Pid, whatever),
            {_, Monitor} = spawn_monitor(fun() ->
                true = link(Pid),
                exit(boom)
            end),
            receive
                {'DOWN', Monitor, process, _, boom} -> ok
            end
        end
     || Pid <- Pids
    ],
    ok.

server_pid(Node, Name) ->
    {status, Pid, _, _} = sys:get_status({Name, Node}),
    Pid.

%% --- nodes --------------------------------------------------------------------------------------

kill(Beam, Node, Name) ->
    ok = on(Beam, erlang, apply, [fun kill_server/2, [name(Node), Name]]).

has_left(Beam, Node) ->
    await(fun() -> not lists:member(name(Node), on(Beam, erlang, nodes, [connected])) end).

is_closed(Beam, {Port, _} = Node, Whom) ->
    Lines = lines_until(Port, "closed "),
    ?assertEqual("closed GCL_EKERNEL", lists:last(Lines)),
    ?assert(lists:any(fun(L) -> string:find(L, "node_closes " ++ Whom) =/= nomatch end, Lines)),
    has_left(Beam, Node).

a_beam_ends_with_each_of_them(_Config) ->
    A = beam(),
    [
        begin
            B = beam(["-env", "ERL_CRASH_DUMP_BYTES", "0"]),
            join(A, B),
            kill(A, B, Name),
            has_left(A, B)
        end
     || Name <- [net_kernel, rex, global_name_server, global_group]
    ].

a_visible_node_ends_with_each_of_them(_Config) ->
    {[A, B], _} = mesh(2, 0),
    [
        begin
            C = c_node("gcl_c"),
            join(A, C),
            kill(A, C, Name),
            is_closed(A, C, Whom)
        end
     || {Name, Whom} <- [
            {net_kernel, "net_kernel"}, {rex, "rex"}, {global_group, "global_group"}, {global_name_server, "a process of global"}
        ]
    ],
    ?assertEqual(ok, on(B, global, sync, [])),
    ?assertEqual(yes, on(A, global, register_name, [after_them, process(A)])).

a_hidden_node_ends_with_each_of_them(_Config) ->
    A = beam(),
    [
        begin
            C = c_node("server", "gcl_h", ["hidden"]),
            join(A, C),
            kill(A, C, Name),
            is_closed(A, C, atom_to_list(Name))
        end
     || Name <- [net_kernel, rex, global_group]
    ].

%% The name is free again.
a_hidden_node_ends_with_what_keeps_its_names(_Config) ->
    A = beam(),
    C = c_node("server", "gcl_h", ["hidden"]),
    join(A, C),
    ok = on(A, erlang, apply, [fun kill_keeper/1, [name(C)]]),
    is_closed(A, C, "a process of global"),
    await(fun() -> on(A, global, whereis_name, [kept]) =:= undefined end).

%% On a BEAM they trap them, too. Of the C nodes all processes are told, also those without a name, but
%% for the server of the program.
exits_of_others_end_none_of_them(_Config) ->
    A = beam(),
    B = beam(),
    [C, H] = [c_node("gcl_c"), c_node("server", "gcl_h", ["hidden"])],
    [join(A, N) || N <- [B, C, H]],
    [
        begin
            Asked = fun() -> [server_pid(name(N), Name) || Name <- Names] end,
            Pids = on(A, erlang, apply, [Asked, []]),
            ok = on(A, erlang, apply, [fun tell_of_ends/1, [Pids]]),
            ?assertEqual(Pids, on(A, erlang, apply, [Asked, []]))
        end
     || {N, Names} <- [
            {B, [net_kernel, rex, global_group, global_name_server]},
            {C, [net_kernel, rex, global_group, global_name_server]},
            {H, [net_kernel, rex, global_group]}
        ]
    ],
    [
        begin
            All = on(A, erpc, call, [name(N), erlang, processes, []]),
            Own = on(A, erpc, call, [name(N), erlang, whereis, [server]]),
            Alive = fun(Pid) -> on(A, erpc, call, [name(N), erlang, is_process_alive, [Pid]]) end,
            %% Without the one that has answered.
            Pids = [Pid || Pid <- All, Pid =/= Own, Alive(Pid)],
            ok = on(A, erlang, apply, [fun tell_of_ends/1, [Pids]]),
            ?assertEqual(Pids, [Pid || Pid <- Pids, Alive(Pid)])
        end
     || N <- [C, H]
    ],
    ?assertEqual(ok, on(A, global, sync, [])),
    ?assertEqual(yes, on(A, global, register_name, [after_all, process(A)])).

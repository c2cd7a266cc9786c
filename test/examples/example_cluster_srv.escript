%% SPDX-License-Identifier: Apache-2.0
%% examples/example_cluster_srv.c in a cluster with the same in Erlang, on this node: it answers the
%% same, and each of its callbacks prints a line.
-mode(compile).

main(_) ->
    Beam = example_program:begin_node(),
    {ok, _} = example_cluster_srv:start(),
    {First, One} = start([Beam]),
    Two = sorted([Beam, One]),
    printed(First, One, "handle_leader_change ~ts, members ~ts", [Beam, Two]),

    %% The first seed is nobody; it joins through the other one.
    {Second, Other} = start(['nobody@localhost', One]),
    Three = sorted([Beam, One, Other]),
    printed(First, One, "handle_join ~ts, members ~ts", [Other, Three]),
    %% Whether it hears of the leader before it has met all the others is not said.
    printed(Second, Other, "handle_leader_change ~ts, members .*", [Beam]),

    {Third, Last} = start([Beam]),
    Four = sorted([Beam, One, Other, Last]),
    printed(First, One, "handle_node_joined ~ts, members ~ts", [Last, Four]),
    printed(Second, Other, "handle_node_joined ~ts, members ~ts", [Last, Four]),

    Server = {example_cluster_srv, One},
    Term = {some, ["term", <<"s">>, 1.5, #{a => self()}]},
    hello = gen_server:call(Server, {ohai}),
    Term = gen_server:call(Server, {echo, Term}),
    {ok, #{joined := 2, left := 0}} = gen_server:call(Server, {state}),
    {error, unknown_request} = gen_server:call(Server, what),
    printed(First, One, "handle_call {ohai} from ~ts", [Beam]),
    printed(First, One, "handle_call {echo,{some,.*}} from ~ts", [Beam]),
    printed(First, One, "handle_call what from ~ts", [Beam]),
    ok = gen_server:cast(Server, a_cast),
    printed(First, One, "handle_cast a_cast", []),
    _ = Server ! a_message,
    printed(First, One, "handle_info a_message", []),

    example_program:signal(Third, "KILL"),
    printed(First, One, "handle_leave ~ts because of noconnection, members ~ts", [Last, Three]),
    printed(Second, Other, "handle_leave ~ts because of noconnection, members ~ts", [Last, Three]),

    ok = gen_server:cast(Server, stop),
    printed(First, One, "handle_cast stop", []),
    printed(First, One, "terminate normal", []),
    0 = example_program:ended(First),
    printed(Second, Other, "handle_leave ~ts because of normal, members ~ts", [
        One, sorted([Beam, Other])
    ]),

    ok = gen_server:stop(example_cluster_srv),
    printed(Second, Other, "handle_leave ~ts because of normal, members ~ts", [Beam, Other]),
    printed(Second, Other, "handle_leader_change nobody, members ~ts", [Other]),
    example_program:stop(Second).

start(Seeds) ->
    Name = example_program:unique("member"),
    Args = lists:append([["--seed", atom_to_list(Seed)] || Seed <- Seeds]),
    Common = ["--until-stdin-eof", "--sname", Name, "--listen", "127.0.0.1"],
    Port = example_program:start("example_cluster_srv", Common ++ Args),
    [] = example_program:line(Port, "^" ++ Name ++ ": init$"),
    {Node, _} = example_program:ready(Port),
    {Port, Node}.

sorted(Nodes) -> lists:join(" ", [atom_to_list(Node) || Node <- lists:sort(Nodes)]).

printed(Port, Node, Format, Args) ->
    [] = example_program:line(Port, io_lib:format("^~ts: " ++ Format ++ "$", [Node | Args])).

%% SPDX-License-Identifier: Apache-2.0
%% examples/client.c calls this node, and has each outcome that a call can have.
-mode(compile).

main(_) ->
    Node = example_program:begin_node(),
    {ok, _} = example_cluster_srv:start(),
    Port = example_program:start(
        "client", ["--sname", example_program:unique("client"), "--node", atom_to_list(Node)]
    ),
    {Lines, Status} = example_program:no_more(Port),
    io:format("~p~n", [Lines]),
    0 = Status,
    [_Ready] = [Line || "ready client" ++ _ = Line <- Lines],
    [
        "{ohai}: hello",
        "timeout: timeout",
        "cancel: canceled",
        "noproc: no such process",
        "noconnection: node not connected"
    ] = [Line || Line <- Lines, is_outcome(Line)].

is_outcome(Line) ->
    lists:any(
        fun(Name) -> lists:prefix(Name ++ ":", Line) end,
        ["{ohai}", "timeout", "cancel", "noproc", "noconnection"]
    ).
